#include "column/json_string.h"
#include "base/utf8.h"

/* A string is written in blocks, so that a huge one does not take six times its size at once. */
#define JSON_BLOCK 4096u
#define JSON_ROOM  (JSON_BLOCK * 6 + 32)

/* What follows the backslash; 'u' with two digits behind it; 'x' for what is none of ASCII's. 0: nothing to escape. */
static const char json_escapes[256] = {
#define U4  'u', 'u', 'u', 'u'
#define X16 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'
    U4, U4, 'b',         't',           'n',          'u', 'f', 'r', 'u', 'u', U4,  U4,
    U4, U4, ['"'] = '"', ['\\'] = '\\', [0x80] = X16, X16, X16, X16, X16, X16, X16, X16,
#undef U4
#undef X16
};

/* Not 0 when one of the eight bytes is to be escaped or none of ASCII's. */
static inline uint64_t json_special8(uint64_t x) {
    const uint64_t ones = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
    uint64_t quote = x ^ ones * '"', slash = x ^ ones * '\\';
    return (x | ((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
}

/* Writes the character at *p, which is to be escaped or none of ASCII's. */
static inline char *json_escaped(const char **p, const char *end, char *to) {
    static const char digits[] = "0123456789abcdef";
    unsigned char c = (unsigned char)**p;
    char as = json_escapes[c];
    if (KQ_UNLIKELY(as == 'x')) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(*p, end, &cp);
        bool good = cp != KQ_UTF8_BAD || n == 3; /* U+FFFD itself is fine */
        memcpy(to, good ? *p : "\xEF\xBF\xBD", good ? n : 3);
        *p += good ? n : 1;
        return to + (good ? n : 3);
    }
    ++*p;
    *to++ = '\\';
    *to++ = as;
    if (KQ_LIKELY(as != 'u')) return to;
    *to++ = '0';
    *to++ = '0';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
    return to;
}

/* Fewer than 16 bytes up to the end of a string. */
static inline char *json_tail(const char *p, const char *end, char *to) {
    size_t n = (size_t)(end - p);
    if (n >= 8) { /* the two halves overlap */
        uint64_t x, y;
        memcpy(&x, p, 8);
        memcpy(&y, end - 8, 8);
        if (!(json_special8(x) | json_special8(y))) {
            memcpy(to, &x, 8);
            memcpy(to + n - 8, &y, 8);
            return to + n;
        }
    } else if (n >= 4) {
        uint32_t x, y;
        memcpy(&x, p, 4);
        memcpy(&y, end - 4, 4);
        if (!json_special8((uint64_t)x << 32 | y)) {
            memcpy(to, &x, 4);
            memcpy(to + n - 4, &y, 4);
            return to + n;
        }
    }
    while (p < end) {
        if (json_escapes[(unsigned char)*p])
            to = json_escaped(&p, end, to);
        else
            *to++ = *p++;
    }
    return to;
}

/* Writes from *from up to `stop`, or a little more, of a string that ends at `end`. */
static char *json_block(const char **from, const char *stop, const char *end, char *to) {
    const char *p = *from;
    while (p < stop) {
        if (end - p < 16) {
            to = json_tail(p, end, to);
            p = end;
            break;
        }
#ifdef __SSE2__
        /* what is to be escaped is copied with it, and written over */
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* signed: 0x80 and above too */
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        _mm_storeu_si128((__m128i *)(void *)to, v);
        if (!mask) {
            p += 16;
            to += 16;
            continue;
        }
        unsigned plain = (unsigned)__builtin_ctz(mask);
        p += plain;
        to += plain;
        to = json_escaped(&p, end, to);
#else
        if (json_escapes[(unsigned char)*p])
            to = json_escaped(&p, end, to);
        else
            *to++ = *p++;
#endif
    }
    *from = p;
    return to;
}

char *kq_json_write(kq_sv s, char *to) {
    *to++ = '"';
    if (s.n) { /* otherwise its p may be NULL */
        const char *p = s.p;
        to = json_block(&p, s.p + s.n, s.p + s.n, to);
    }
    *to++ = '"';
    return to;
}

void kq_json_inside(kq_sv s, kq_buf *out) {
    if (!s.n) return; /* its p may be NULL */
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        bool last = end - p <= (ptrdiff_t)JSON_BLOCK;
        char *to = kq_buf_reserve(out, last ? (size_t)(end - p) * 6 + 32 : JSON_ROOM);
        if (!to) return;
        to = json_block(&p, last ? end : p + JSON_BLOCK, end, to);
        out->n = (size_t)(to - out->p);
    }
}

void kq_json_string(kq_sv s, kq_buf *out) {
    if (s.n <= JSON_BLOCK) {
        char *to = kq_buf_reserve(out, KQ_JSON_ROOM(s.n));
        if (to) out->n = (size_t)(kq_json_write(s, to) - out->p);
        return;
    }
    kq_buf_char(out, '"');
    kq_json_inside(s, out);
    kq_buf_char(out, '"');
}
