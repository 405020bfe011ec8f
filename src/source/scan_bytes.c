#include "source/scan_bytes.h"

/* Plain loops without branches, which compilers make into vector code; twice on x86-64, for AVX2 and without. */
#define STEP 4096
static inline __attribute__((always_inline)) bool glued(const char *p, size_t n) {
    for (size_t i = 0; i + 1 < n; i += STEP) {
        size_t end = i + STEP < n - 1 ? i + STEP : n - 1;
        unsigned char any = 0;
        for (size_t k = i; k < end; k++) any |= (unsigned char)((p[k] == '}') & (p[k + 1] == '{'));
        if (any) return true;
    }
    return false;
}

static inline __attribute__((always_inline)) bool marked(const char *p, size_t n) {
    for (size_t i = 0; i + 1 < n; i += STEP) {
        size_t end = i + STEP < n - 1 ? i + STEP : n - 1;
        unsigned char any = 0;
        for (size_t k = i; k < end; k++)
            any |= (unsigned char)((p[k] == '<') & ((p[k + 1] == '!') | (p[k + 1] == '?')));
        if (any) return true;
    }
    return false;
}

#if defined(__x86_64__) && !defined(__AVX2__)
static __attribute__((target("avx2"))) bool glued_avx2(const char *p, size_t n) {
    return glued(p, n);
}

bool kq_scan_glued(const char *p, size_t n) {
    return __builtin_cpu_supports("avx2") ? glued_avx2(p, n) : glued(p, n);
}

static __attribute__((target("avx2"))) bool marked_avx2(const char *p, size_t n) {
    return marked(p, n);
}

bool kq_scan_marked(const char *p, size_t n) {
    return __builtin_cpu_supports("avx2") ? marked_avx2(p, n) : marked(p, n);
}
#else
bool kq_scan_glued(const char *p, size_t n) {
    return glued(p, n);
}

bool kq_scan_marked(const char *p, size_t n) {
    return marked(p, n);
}
#endif

const char *kq_scan_string(const char *p, const char *end) {
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), newline = _mm_set1_epi8('\n');
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)), _mm_cmpeq_epi8(x, newline));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask) return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && *p != '\n') p++;
    return p;
}

const char *kq_scan_label(const char *p, const char *end) {
    static const char *const words[] = {"Record ", "evtxexport "};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) <= n || memcmp(p, words[i], n) != 0) continue;
        const char *q = p + n, *digits = q;
        while (q < end && *q >= '0' && *q <= '9') q++;
        if (q == digits) return NULL;
        if (q < end && *q == '\r') q++;
        return q == end || *q == '\n' ? q : NULL;
    }
    return NULL;
}
