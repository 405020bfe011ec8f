/*
 * UTF-8: decoding, encoding, validation. Pure functions over bytes that may be anything.
 */
#ifndef KQ_BASE_UTF8_H
#define KQ_BASE_UTF8_H

#include "base/sv.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define KQ_UTF8_BAD UINT32_C(0xFFFD)

/* Decodes the code point at p < end and returns its length 1..4 in bytes; an ill-formed byte is U+FFFD of length 1. */
static inline unsigned kq_utf8_decode(const char *p, const char *end, uint32_t *cp) {
    const unsigned char *u = (const unsigned char *)p;
    size_t n = (size_t)(end - p);
    if (u[0] < 0x80) {
        *cp = u[0];
        return 1;
    }
    if (u[0] >= 0xC2 && u[0] <= 0xDF && n >= 2 && (u[1] & 0xC0) == 0x80) {
        *cp = (uint32_t)(u[0] & 0x1F) << 6 | (u[1] & 0x3F);
        return 2;
    }
    if ((u[0] & 0xF0) == 0xE0 && n >= 3 && (u[1] & 0xC0) == 0x80 && (u[2] & 0xC0) == 0x80) {
        uint32_t c = (uint32_t)(u[0] & 0x0F) << 12 | (uint32_t)(u[1] & 0x3F) << 6 | (u[2] & 0x3F);
        if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF)) {
            *cp = c;
            return 3;
        }
    }
    if (u[0] >= 0xF0 && u[0] <= 0xF4 && n >= 4 && (u[1] & 0xC0) == 0x80 && (u[2] & 0xC0) == 0x80 &&
        (u[3] & 0xC0) == 0x80) {
        uint32_t c = (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3F) << 12 | (uint32_t)(u[2] & 0x3F) << 6 |
                     (u[3] & 0x3F);
        if (c >= 0x10000 && c <= 0x10FFFF) {
            *cp = c;
            return 4;
        }
    }
    *cp = KQ_UTF8_BAD;
    return 1;
}

/* Writes `cp` (a surrogate or a number past U+10FFFF becomes U+FFFD) and returns its 1..4 bytes. */
static inline unsigned kq_utf8_encode(uint32_t cp, char out[4]) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if ((cp >= 0xD800 && cp <= 0xDFFF) || cp > 0x10FFFF) cp = KQ_UTF8_BAD;
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

/* Code points in `s`, an ill-formed byte counting as one. */
static inline size_t kq_utf8_count(kq_sv s) {
    size_t n = 0;
    for (const char *p = s.p, *end = s.p + s.n; p < end; n++) {
#ifdef __SSE2__
        while (end - p >= 16 && _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)p)) == 0) {
            p += 16;
            n += 16;
        }
        if (p == end) break;
#endif
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
    }
    return n;
}

/* How many bytes from `p` on stand in a JSON string as they are, for certain: ASCII without controls, '"' and '\\'. */
static inline size_t kq_json_plain(const char *p, const char *end) {
    const char *from = p;
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* signed: 0x80 and above too */
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        int mask = _mm_movemask_epi8(special);
        if (mask) return (size_t)(p - from) + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\') p++;
    return (size_t)(p - from);
}

#endif
