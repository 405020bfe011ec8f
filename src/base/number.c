#include "base/number.h"
#include "base/number_real.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static kq_sv trim(kq_sv s) {
    while (s.n && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r'))) s.n--;
    return s;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool kq_number_parse_long(kq_sv text, int64_t *out) {
    kq_sv s = trim(text);
    bool negative = false;
    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
        negative = s.p[0] == '-';
        s.p++, s.n--;
    }
    if (s.n == 0) return false;
    uint64_t u = 0;
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X')) {
        /* Hex digits are the 64 bits themselves: 0xffffffffffffffff is -1. */
        for (size_t i = 2; i < s.n; i++) {
            int d = hex_digit(s.p[i]);
            if (d < 0 || u >> 60) return false;
            u = u << 4 | (unsigned)d;
        }
    } else {
        for (size_t i = 0; i < s.n; i++) {
            if (s.p[i] < '0' || s.p[i] > '9') return false;
            if (__builtin_mul_overflow(u, (uint64_t)10, &u) || __builtin_add_overflow(u, (uint64_t)(s.p[i] - '0'), &u))
                return false;
        }
        if (u > (uint64_t)INT64_MAX + negative) return false;
    }
    *out = (int64_t)(negative ? 0 - u : u);
    return true;
}

kq_sv kq_number_whole(kq_sv text) {
    size_t n = text.n, i = text.n && text.p[0] == '-';
    if (n < 3 || text.p[n - 1] != '0') return text;
    while (n && text.p[n - 1] == '0') n--;
    if (n < i + 2 || text.p[n - 1] != '.') return text;
    for (n--; i < n; i++)
        if (text.p[i] < '0' || text.p[i] > '9') return text;
    return kq_sv_slice(text, 0, n);
}

bool kq_number_parse_real(kq_sv text, double *out) {
    kq_sv s = trim(text);
    bool negative = false;
    if (s.n && (s.p[0] == '-' || s.p[0] == '+')) {
        negative = s.p[0] == '-';
        s.p++, s.n--;
    }
    double r;
    /* Kusto knows these names as they stand here: todouble("INF") is null. */
    if (kq_sv_eq(s, KQ_SV("nan")) || kq_sv_eq(s, KQ_SV("NaN")))
        r = NAN;
    else if (kq_sv_eq(s, KQ_SV("inf")) || kq_sv_eq(s, KQ_SV("Inf")) || kq_sv_eq(s, KQ_SV("infinity")) ||
             kq_sv_eq(s, KQ_SV("Infinity")))
        r = INFINITY;
    else if (!kq_real_read(s.p, s.n, &r))
        return false;
    *out = negative ? -r : r;
    return true;
}

char *kq_number_write_ulong(uint64_t u, char *to) {
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char text[20];
    char *p = text + sizeof text;
    for (; u >= 100; u /= 100) {
        p -= 2;
        memcpy(p, pairs + u % 100 * 2, 2);
    }
    if (u >= 10) {
        p -= 2;
        memcpy(p, pairs + u * 2, 2);
    } else {
        *--p = (char)('0' + u);
    }
    size_t n = (size_t)(text + sizeof text - p);
    memcpy(to, p, n);
    return to + n;
}

void kq_number_print_long(int64_t l, kq_buf *out) {
    char text[21] = "-";
    char *end = kq_number_write_ulong(l < 0 ? 0 - (uint64_t)l : (uint64_t)l, text + (l < 0));
    kq_buf_append(out, text, (size_t)(end - text));
}

/* The decimal digits of x > 0, 31 of them, and the exponent of the first. */
static int long_digits(long double x, char digits[32]) {
    char text[64];
    snprintf(text, sizeof text, "%.30Le", x);
    int n = 0;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && n < 31) digits[n++] = *p; /* the point, whatever the locale's, is left out */
    return atoi(p + 1);
}

/* The shortest run of leading digits of the upper end of r's interval (which is outside itself) that lies above its
 * lower end; r > 0. */
static int upper_digits(double r, char digits[17], int *exponent) {
    double above = nextafter(r, INFINITY), below = nextafter(r, 0);
    /* Exact in long double: half a step more than a double's digits. */
    long double high = isinf(above) ? r + ((long double)r - below) / 2 : ((long double)r + above) / 2;
    char h[32], l[32];
    *exponent = long_digits(high, h);
    int low = long_digits(((long double)r + below) / 2, l);
    int at = 30;
    while (at > 0 && h[at] == '0') h[at--] = '9';
    h[at]--;
    if (h[0] == '0') { /* 1000.. became 0999.. */
        memset(h, '9', 31);
        --*exponent;
    }
    bool differs = *exponent != low;
    int n = 0;
    while (n < 17) {
        digits[n] = h[n];
        n++;
        if (differs || h[n - 1] != l[n - 1]) break;
    }
    return n;
}

static void print_real(double r, bool shortest, kq_buf *out) {
    if (isnan(r)) {
        kq_buf_str(out, "NaN");
        return;
    }
    if (isinf(r)) {
        kq_buf_str(out, r < 0 ? "-Infinity" : "Infinity");
        return;
    }
    char *p = kq_buf_reserve(out, 40);
    if (!p) return;
    char *start = p;
    if (signbit(r)) *p++ = '-';
    if (r == 0) {
        memcpy(p, "0.0", 3);
        out->n += (size_t)(p + 3 - start);
        return;
    }
    char digits[17];
    int e;
    int n = (int)kq_real_digits(fabs(r), digits, &e);
    if (n > 15 && !shortest) n = upper_digits(fabs(r), digits, &e);
    /* Where .NET's shortest form changes to an exponent: past 15 digits (or all of the value's own) and below 1E-04. */
    if (e >= (n > 15 ? n : 15) || e < -4) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t)n - 1);
            p += n - 1;
        }
        *p++ = 'E';
        *p++ = e < 0 ? '-' : '+';
        int x = e < 0 ? -e : e;
        if (x >= 100) *p++ = (char)('0' + x / 100);
        *p++ = (char)('0' + x / 10 % 10);
        *p++ = (char)('0' + x % 10);
    } else if (e < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > e; i--) *p++ = '0';
        memcpy(p, digits, (size_t)n);
        p += n;
    } else {
        for (int i = 0; i <= e; i++) *p++ = i < n ? digits[i] : '0';
        *p++ = '.';
        if (n <= e + 1) *p++ = '0';
        for (int i = e + 1; i < n; i++) *p++ = digits[i];
    }
    out->n += (size_t)(p - start);
}

void kq_number_print_real(double r, kq_buf *out) {
    print_real(r, false, out);
}

void kq_number_print_real_shortest(double r, kq_buf *out) {
    print_real(r, true, out);
}
