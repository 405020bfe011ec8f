/*
 * Scanning of bytes, many at a time. Text that is scanned has KQ_SCAN_SLACK readable bytes behind its end.
 */
#ifndef KQ_SOURCE_SCAN_BYTES_H
#define KQ_SOURCE_SCAN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define KQ_SCAN_SLACK 64

/* Is `c` among the n bytes at p? For short runs. */
static inline bool kq_scan_has(const char *p, size_t n, char c) {
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8(c);
    for (; n > 16; p += 16, n -= 16)
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), wanted))) return true;
    unsigned hits =
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), wanted));
    return (hits & ((1u << n) - 1)) != 0;
#else
    return memchr(p, c, n) != NULL;
#endif
}

/* Is there a '}' with a '{' right behind it in p[0..n)? */
bool kq_scan_glued(const char *p, size_t n);

/* Is there a "<!" or a "<?" in p[0..n)? */
bool kq_scan_marked(const char *p, size_t n);

/* The first byte in [p, end) that may end a run inside a JSON string: a quote, a backslash or a newline; or end. */
const char *kq_scan_string(const char *p, const char *end);

/* Behind "Record 17" at p, where it ends its line: what evtx_dump puts before each record; or behind "evtxexport
 * 20181227", which that begins with. NULL when neither is there. */
const char *kq_scan_label(const char *p, const char *end);

#endif
