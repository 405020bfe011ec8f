#include "source/evtx/utf16.h"
#include "base/utf8.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static uint32_t unit_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

size_t kq_utf16_utf8(const uint8_t *p, size_t units, char *out) {
    const uint8_t *end = p + units * 2;
    char *to = out;
    while (p < end) {
#ifdef __SSE2__
        while (end - p >= 16) { /* eight ASCII characters at a time */
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
            __m128i high = _mm_and_si128(v, _mm_set1_epi16((short)0xFF80));
            if (_mm_movemask_epi8(_mm_cmpeq_epi16(high, _mm_setzero_si128())) != 0xFFFF) break;
            _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(v, v));
            p += 16;
            to += 8;
        }
#endif
        /* one by one up to the next place where eight may be ASCII again */
        for (unsigned i = 0; i < 8 && p < end; i++) {
            uint32_t cp = unit_at(p);
            p += 2;
            if (cp < 0x80) {
                *to++ = (char)cp;
                continue;
            }
            if (cp >= 0xD800 && cp <= 0xDBFF && p < end) {
                uint32_t low = unit_at(p);
                if (low >= 0xDC00 && low <= 0xDFFF) {
                    cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
                    p += 2;
                }
            }
            to += kq_utf8_encode(cp, to);
        }
    }
    return (size_t)(to - out);
}
