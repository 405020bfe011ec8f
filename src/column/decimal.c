#include "column/decimal.h"
#include "base/number.h"
#include <math.h>

typedef unsigned __int128 u128;

#define MAX_DIGITS 34
#define MAX_SCALE  6176 /* the exponents of IEEE 754 decimal128 */
#define MIN_SCALE  (-6111)

static u128 coefficient(const kq_decimal *d) {
    return (u128)d->hi << 64 | d->lo;
}

static kq_decimal make(u128 c, int scale, bool negative) {
    return (kq_decimal){(uint64_t)c, (uint64_t)(c >> 64), scale, negative && c != 0};
}

/* 10^n for n <= 38. */
static u128 power10(int n) {
    u128 p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

static int count_digits(u128 c) {
    int n = 0;
    for (; c >= 1000000000; c /= 1000000000) n += 9;
    for (; c; c /= 10) n++;
    return n;
}

/* 256 bits, least significant word first: what a product or an aligned sum needs before it is rounded. */
typedef struct u256 {
    uint64_t w[4];
} u256;

static u256 wide(u128 c) {
    return (u256){{(uint64_t)c, (uint64_t)(c >> 64), 0, 0}};
}

static void wide_mul(u256 *a, uint64_t m) {
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->w[i] * m;
        a->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* Divides and gives the remainder. */
static uint64_t wide_div(u256 *a, uint64_t d) {
    u128 rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | a->w[i];
        a->w[i] = (uint64_t)(rest / d);
        rest %= d;
    }
    return (uint64_t)rest;
}

static void wide_add(u256 *a, const u256 *b) {
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a->w[i] + b->w[i];
        a->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* a -= b, where a >= b. */
static void wide_sub(u256 *a, const u256 *b) {
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        u128 x = (u128)a->w[i] - b->w[i] - borrow;
        a->w[i] = (uint64_t)x;
        borrow = (uint64_t)(x >> 64) & 1;
    }
}

static int wide_cmp(const u256 *a, const u256 *b) {
    for (int i = 3; i >= 0; i--)
        if (a->w[i] != b->w[i]) return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

static int wide_digits(u256 a) {
    if (a.w[2] == 0 && a.w[3] == 0) return count_digits((u128)a.w[1] << 64 | a.w[0]);
    int n = 0;
    while (a.w[2] || a.w[3]) {
        wide_div(&a, UINT64_C(1000000000000000000));
        n += 18;
    }
    return n + count_digits((u128)a.w[1] << 64 | a.w[0]);
}

static void wide_scale(u256 *a, int n) {
    for (; n >= 18; n -= 18) wide_mul(a, UINT64_C(1000000000000000000));
    for (; n > 0; n--) wide_mul(a, 10);
}

/* Rounds to 34 digits, half to even; `sticky`: something was lost below already. */
static bool finish(u256 c, int scale, bool negative, bool sticky, kq_decimal *out) {
    int drop = wide_digits(c) - MAX_DIGITS;
    if (scale - (drop > 0 ? drop : 0) > MAX_SCALE) drop = scale - MAX_SCALE;
    if (drop > 0) {
        if (drop > 78) {
            *out = make(0, MAX_SCALE, false);
            return true;
        }
        for (int i = 1; i < drop; i++) sticky |= wide_div(&c, 10) != 0;
        uint64_t last = wide_div(&c, 10);
        scale -= drop;
        if (last > 5 || (last == 5 && (sticky || (c.w[0] & 1)))) {
            u256 one = wide(1);
            wide_add(&c, &one);
            if (wide_digits(c) > MAX_DIGITS) { /* 99.. became 100.. */
                wide_div(&c, 10);
                scale--;
            }
        }
    }
    /* Very large values lose zeros of their exponent to the coefficient, as far as there is room. */
    while (scale < MIN_SCALE) {
        if (wide_digits(c) >= MAX_DIGITS) return false;
        wide_mul(&c, 10);
        scale++;
    }
    *out = make((u128)c.w[1] << 64 | c.w[0], scale, negative);
    return true;
}

bool kq_decimal_parse(kq_sv text, kq_decimal *out) {
    const char *p = text.p, *end = p + text.n;
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) p++;
    while (end > p && (end[-1] == ' ' || (end[-1] >= '\t' && end[-1] <= '\r'))) end--;
    bool negative = false, point = false, any = false, sticky = false;
    if (p < end && (*p == '-' || *p == '+')) negative = *p++ == '-';
    u256 c = wide(0);
    int n = 0;
    int64_t scale = 0;
    for (; p < end && ((*p >= '0' && *p <= '9') || *p == '.'); p++) {
        if (*p == '.') {
            if (point) return false;
            point = true;
            continue;
        }
        any = true;
        if (n < 70) {
            wide_mul(&c, 10);
            u256 d = wide((u128)(*p - '0'));
            wide_add(&c, &d);
            if (n || *p != '0') n++;
            scale += point;
        } else {
            sticky |= *p != '0';
            scale -= !point;
        }
    }
    if (!any) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool minus = false;
        p++;
        if (p < end && (*p == '-' || *p == '+')) minus = *p++ == '-';
        if (p == end) return false;
        int64_t e = 0;
        for (; p < end && *p >= '0' && *p <= '9'; p++)
            if (e < 100000) e = e * 10 + (*p - '0');
        scale -= minus ? -e : e;
    }
    if (p != end || scale < -100000000 || scale > 100000000) return false;
    if (n == 0 && scale < 0) scale = 0;
    return finish(c, (int)scale, negative, sticky, out);
}

kq_decimal kq_decimal_from_long(int64_t l) {
    return make(l < 0 ? 0 - (uint64_t)l : (uint64_t)l, 0, l < 0);
}

bool kq_decimal_from_real(double r, kq_decimal *out) {
    if (!isfinite(r)) return false;
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_number_print_real_shortest(r, &text);
    bool ok = kq_decimal_parse(kq_buf_view(&text), out);
    kq_buf_deinit(&text);
    if (ok && out->scale > 0) { /* 1.0 is 1 */
        u128 c = coefficient(out);
        if (out->scale == 1 && c % 10 == 0) *out = make(c / 10, 0, out->negative);
    }
    return ok;
}

/* The digits of the coefficient into text[40]; their count. */
static int write_digits(u128 c, char *text) {
    char back[40];
    int n = 0;
    do {
        back[n++] = (char)('0' + (int)(c % 10));
        c /= 10;
    } while (c);
    for (int i = 0; i < n; i++) text[i] = back[n - 1 - i];
    return n;
}

/* [-]digits[.digits], or with an exponent when that would need many zeros; into text[96]. */
static size_t write_decimal(const kq_decimal *d, char *text) {
    char digit[40];
    int n = write_digits(coefficient(d), digit);
    char *p = text;
    if (d->negative) *p++ = '-';
    if (d->scale < -MAX_DIGITS || d->scale > n + MAX_DIGITS) {
        *p++ = digit[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digit + 1, (size_t)n - 1);
            p += n - 1;
        }
        int e = n - 1 - d->scale;
        *p++ = 'E';
        *p++ = e < 0 ? '-' : '+';
        p += write_digits((u128)(e < 0 ? -e : e), p);
        return (size_t)(p - text);
    }
    int whole = n - d->scale; /* digits before the point */
    if (whole <= 0) {
        *p++ = '0';
    } else {
        for (int i = 0; i < whole; i++) *p++ = i < n ? digit[i] : '0';
    }
    if (d->scale > 0) {
        *p++ = '.';
        for (int i = whole; i < n; i++) *p++ = i < 0 ? '0' : digit[i];
    }
    return (size_t)(p - text);
}

double kq_decimal_to_real(const kq_decimal *d) {
    char text[128];
    double r = 0;
    size_t n = write_decimal(d, text);
    if (!kq_number_parse_real((kq_sv){text, n}, &r)) return d->negative ? -HUGE_VAL : HUGE_VAL;
    return r;
}

bool kq_decimal_to_long(const kq_decimal *d, int64_t *out) {
    u128 c = coefficient(d);
    for (int s = d->scale; s > 0 && c; s--) c /= 10;
    for (int s = d->scale; s < 0 && c; s++) {
        if (c > (u128)1 << 64) return false;
        c *= 10;
    }
    if (c > (u128)INT64_MAX + (d->negative ? 1 : 0)) return false;
    *out = (int64_t)(d->negative ? 0 - (uint64_t)c : (uint64_t)c);
    return true;
}

void kq_decimal_print(const kq_decimal *d, kq_buf *out) {
    char text[128];
    kq_buf_append(out, text, write_decimal(d, text));
}

static int compare_magnitude(const kq_decimal *a, const kq_decimal *b) {
    u128 x = coefficient(a), y = coefficient(b);
    if (x == 0 || y == 0) return x == y ? 0 : x == 0 ? -1 : 1;
    int nx = count_digits(x), ny = count_digits(y);
    int ex = nx - a->scale, ey = ny - b->scale;
    if (ex != ey) return ex < ey ? -1 : 1;
    if (nx < ny) x *= power10(ny - nx);
    if (ny < nx) y *= power10(nx - ny);
    return x < y ? -1 : x > y;
}

int kq_decimal_cmp(const kq_decimal *a, const kq_decimal *b) {
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    int c = compare_magnitude(a, b);
    return a->negative ? -c : c;
}

kq_decimal kq_decimal_normal(const kq_decimal *d) {
    u128 c = coefficient(d);
    if (c == 0) return make(0, 0, false);
    int scale = d->scale;
    while (c % 10 == 0) {
        c /= 10;
        scale--;
    }
    return make(c, scale, d->negative);
}

static bool add_signed(const kq_decimal *a, const kq_decimal *b, bool flip, kq_decimal *out) {
    bool bneg = b->negative != flip;
    if (a->scale < b->scale) { /* so that a is the finer one */
        kq_decimal x = *b, y = *a;
        x.negative = bneg;
        return add_signed(&x, &y, false, out);
    }
    /* The coarser one grows zeros; beyond 38 of them the finer one can't reach the digits that are kept, except to
     * break a tie. */
    u256 x = wide(coefficient(a)), y = wide(coefficient(b));
    int scale = a->scale, grow = a->scale - b->scale;
    bool y_zero = coefficient(b) == 0;
    if (y_zero) {
        return finish(x, scale, a->negative, false, out);
    }
    if (grow > 38) {
        bool zero = coefficient(a) == 0;
        scale = b->scale + 38;
        x = wide(zero ? 0 : 1);
        grow = 38;
    }
    wide_scale(&y, grow);
    bool negative;
    if ((a->negative != 0) == bneg) {
        wide_add(&x, &y);
        negative = bneg;
    } else if (wide_cmp(&x, &y) >= 0) {
        wide_sub(&x, &y);
        negative = a->negative;
    } else {
        wide_sub(&y, &x);
        x = y;
        negative = bneg;
    }
    return finish(x, scale, negative, false, out);
}

bool kq_decimal_add(const kq_decimal *a, const kq_decimal *b, kq_decimal *out) {
    return add_signed(a, b, false, out);
}

bool kq_decimal_sub(const kq_decimal *a, const kq_decimal *b, kq_decimal *out) {
    return add_signed(a, b, true, out);
}

bool kq_decimal_mul(const kq_decimal *a, const kq_decimal *b, kq_decimal *out) {
    u256 x = wide(coefficient(a)), y = x;
    wide_mul(&x, b->lo);
    wide_mul(&y, b->hi);
    u256 shifted = {{0, y.w[0], y.w[1], y.w[2]}};
    wide_add(&x, &shifted);
    return finish(x, a->scale + b->scale, a->negative != b->negative, false, out);
}

bool kq_decimal_div(const kq_decimal *a, const kq_decimal *b, kq_decimal *out) {
    u128 x = coefficient(a), y = coefficient(b);
    if (y == 0) return false;
    u128 q = x / y, r = x % y;
    int scale = a->scale - b->scale, n = count_digits(q);
    if (n > MAX_DIGITS) return false;
    /* Long division, digit by digit, to two more digits than are kept. */
    u256 c = wide(q);
    while (r != 0 && n < MAX_DIGITS + 2) {
        r *= 10;
        wide_mul(&c, 10);
        u256 d = wide(r / y);
        wide_add(&c, &d);
        r %= y;
        scale++;
        if (n || d.w[0]) n++;
        if (scale > MAX_SCALE + 80) break;
    }
    return finish(c, scale, a->negative != b->negative, r != 0, out);
}

bool kq_decimal_mod(const kq_decimal *a, const kq_decimal *b, kq_decimal *out) {
    u128 x = coefficient(a), y = coefficient(b);
    if (y == 0) return false;
    kq_decimal r;
    if (a->scale <= b->scale) {
        u128 rest = x % y;
        for (int k = b->scale - a->scale; k > 0 && rest; k--) rest = rest * 10 % y;
        r = make(rest, b->scale, a->negative);
    } else {
        int k = a->scale - b->scale;
        /* A divisor that does not fit 38 digits is larger than any coefficient. */
        r = count_digits(y) + k > 38 ? *a : make(x % (y * power10(k)), a->scale, a->negative);
    }
    if (!r.negative) {
        *out = r;
        return true;
    }
    kq_decimal positive = *b;
    positive.negative = 0;
    return kq_decimal_add(&positive, &r, out);
}

bool kq_decimal_round(const kq_decimal *d, int digits, kq_decimal_rounding rounding, kq_decimal *out) {
    int drop = d->scale - digits;
    if (drop <= 0) {
        *out = *d;
        return true;
    }
    u128 c = coefficient(d), unit = drop <= 37 ? power10(drop) : 0;
    u128 whole = unit ? c / unit : 0, rest = unit ? c % unit : c;
    bool up;
    switch (rounding) {
    case KQ_DECIMAL_FLOOR: up = d->negative && rest; break;
    case KQ_DECIMAL_CEILING: up = !d->negative && rest; break;
    default: up = unit && rest >= unit / 2; break;
    }
    return finish(wide(whole + up), digits, d->negative, false, out);
}
