/* Punycode (RFC 3492): host names of any script as ASCII. */
#include "base/utf8.h"
#include "func/build.h"
#include "func/rows.h"

enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

/* Both directions are quadratic, so longer texts (a name has at most 253 bytes) have no result. */
#define LENGTH_MAX 2048

static uint32_t adapt(uint32_t delta, uint32_t count, bool first) {
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / count;
    uint32_t k = 0;
    for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE) delta /= BASE - TMIN;
    return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias) {
    return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static char digit_of(uint32_t d) {
    return (char)(d < 26 ? 'a' + d : '0' + d - 26);
}

static int value_of(char c) {
    if (c >= '0' && c <= '9') return c - '0' + 26;
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

/* Appends the encoding; false when `s` is too long. */
static bool encode(kq_sv s, kq_buf *out) {
    uint32_t points[LENGTH_MAX], n = 0, basic = 0;
    if (s.n > LENGTH_MAX) return false;
    for (const char *p = s.p, *end = s.p + s.n; p < end; n++) {
        p += kq_utf8_decode(p, end, &points[n]);
        if (points[n] >= 128) continue;
        kq_buf_char(out, (char)points[n]);
        basic++;
    }
    if (basic) kq_buf_char(out, '-');
    uint32_t next = INITIAL_N, delta = 0, bias = INITIAL_BIAS;
    for (uint32_t done = basic; done < n; next++, delta++) {
        uint32_t least = UINT32_MAX;
        for (uint32_t i = 0; i < n; i++)
            if (points[i] >= next && points[i] < least) least = points[i];
        /* At most 0x10FFFF * 2049: no overflow. */
        delta += (least - next) * (done + 1);
        next = least;
        for (uint32_t i = 0; i < n; i++) {
            if (points[i] < next) delta++;
            if (points[i] != next) continue;
            uint32_t q = delta;
            for (uint32_t k = BASE;; k += BASE) {
                uint32_t t = threshold(k, bias);
                if (q < t) break;
                kq_buf_char(out, digit_of(t + (q - t) % (BASE - t)));
                q = (q - t) / (BASE - t);
            }
            kq_buf_char(out, digit_of(q));
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
    }
    return true;
}

/* Appends what `s` stands for; false when it is malformed or too long. */
static bool decode(kq_sv s, kq_buf *out) {
    uint32_t points[LENGTH_MAX], n = 0;
    size_t at = 0, basic = 0;
    if (s.n > LENGTH_MAX) return false;
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] >= 128) return false;
        if (s.p[i] == '-') basic = i;
    }
    for (; n < basic; n++) points[n] = (unsigned char)s.p[n];
    at = basic ? basic + 1 : 0;
    uint32_t next = INITIAL_N, i = 0, bias = INITIAL_BIAS;
    while (at < s.n) {
        uint32_t before = i, weight = 1;
        for (uint32_t k = BASE;; k += BASE) {
            int d = at < s.n ? value_of(s.p[at++]) : -1;
            uint32_t step;
            if (d < 0 || __builtin_mul_overflow((uint32_t)d, weight, &step) || __builtin_add_overflow(i, step, &i))
                return false;
            uint32_t t = threshold(k, bias);
            if ((uint32_t)d < t) break;
            if (__builtin_mul_overflow(weight, BASE - t, &weight)) return false;
        }
        bias = adapt(i - before, n + 1, before == 0);
        if (__builtin_add_overflow(next, i / (n + 1), &next) || next > 0x10FFFF || n == LENGTH_MAX) return false;
        i %= n + 1;
        memmove(points + i + 1, points + i, (n - i) * sizeof *points);
        points[i++] = next;
        n++;
    }
    char utf8[4];
    for (uint32_t k = 0; k < n; k++) kq_buf_append(out, utf8, kq_utf8_encode(points[k], utf8));
    return true;
}

static bool build_encoded(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    return encode(kq_arg_sv(call, 0, row), out);
}

kq_status kq_fn_punycode_encode(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_encoded, NULL, err);
}

static bool build_decoded(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    return decode(kq_arg_sv(call, 0, row), out);
}

kq_status kq_fn_punycode_decode(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_decoded, NULL, err);
}

/* ---- Domains: each label by itself ---- */

/* The length of the dot at p: the full stop, or one of those that IDNA takes for it. 0: no dot. */
static size_t dot_length(const char *p, const char *end) {
    static const char *const others[] = {"\xE3\x80\x82", "\xEF\xBC\x8E", "\xEF\xBD\xA1"};
    if (*p == '.') return 1;
    for (int i = 0; i < 3; i++)
        if (end - p >= 3 && memcmp(p, others[i], 3) == 0) return 3;
    return 0;
}

static bool is_ascii(kq_sv s) {
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 128) return false;
    return true;
}

static bool put_label(kq_sv label, bool encoding, kq_buf *out) {
    static const kq_sv prefix = {"xn--", 4};
    if (encoding && !is_ascii(label)) {
        kq_buf_sv(out, prefix);
        return encode(label, out);
    }
    if (!encoding && label.n > 4 && kq_sv_eq_ascii_ci(kq_sv_slice(label, 0, 4), prefix))
        return decode(kq_sv_slice(label, 4, label.n), out);
    kq_buf_sv(out, label);
    return true;
}

static bool build_domain(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    bool encoding = *(const bool *)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    const char *p = s.p, *end = s.p + s.n, *start = p;
    while (p < end) {
        size_t dot = dot_length(p, end);
        if (!dot) {
            p++;
            continue;
        }
        if (!put_label((kq_sv){start, (size_t)(p - start)}, encoding, out)) return false;
        kq_buf_char(out, '.');
        start = p += dot;
    }
    return put_label((kq_sv){start, (size_t)(end - start)}, encoding, out);
}

kq_status kq_fn_punycode_domain_encode(kq_call *call, kq_error *err) {
    bool encoding = true;
    return kq_build_rows(call, build_domain, &encoding, err);
}

kq_status kq_fn_punycode_domain_decode(kq_call *call, kq_error *err) {
    bool encoding = false;
    return kq_build_rows(call, build_domain, &encoding, err);
}
