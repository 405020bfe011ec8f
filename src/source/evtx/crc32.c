#include "source/evtx/crc32.h"
#include <stdbool.h>
#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * Folding by carry-less multiplication over the bit-reflected polynomial 0xEDB88320. Each constant is x^k mod P for the
 * distance that its fold bridges (4 vectors: k = 544 and 480; 1 vector: 160 and 96), then Barrett reduction. Checking
 * a chunk this way costs a few microseconds instead of most of the time that reading it takes.
 */
__attribute__((target("pclmul,sse4.1"))) static __m128i fold(__m128i acc, __m128i k, __m128i next) {
    __m128i lo = _mm_clmulepi64_si128(acc, k, 0x00);
    __m128i hi = _mm_clmulepi64_si128(acc, k, 0x11);
    return _mm_xor_si128(_mm_xor_si128(lo, hi), next);
}

__attribute__((target("pclmul,sse4.1"))) static __m128i load(const uint8_t *p) {
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* `n` is a multiple of 16 and at least 64; `crc` is the inner (complemented) state. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t crc_folded(uint32_t crc, const uint8_t *p, size_t n) {
    const __m128i k4 = _mm_set_epi64x(0x01C6E41596, 0x0154442BD4);
    const __m128i k1 = _mm_set_epi64x(0x00CCAA009E, 0x01751997D0);
    const __m128i k0 = _mm_set_epi64x(0, 0x0163CD6124);
    const __m128i barrett = _mm_set_epi64x(0x01F7011641, 0x01DB710641);
    const __m128i low32 = _mm_setr_epi32(-1, 0, -1, 0);

    __m128i a = _mm_xor_si128(load(p), _mm_cvtsi32_si128((int)crc)), b = load(p + 16), c = load(p + 32),
            d = load(p + 48);
    for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
        a = fold(a, k4, load(p));
        b = fold(b, k4, load(p + 16));
        c = fold(c, k4, load(p + 32));
        d = fold(d, k4, load(p + 48));
    }
    a = fold(a, k1, b);
    a = fold(a, k1, c);
    a = fold(a, k1, d);
    for (; n >= 16; p += 16, n -= 16) a = fold(a, k1, load(p));

    /* 128 bits to 64, to 32 */
    __m128i t = _mm_clmulepi64_si128(a, k1, 0x10);
    a = _mm_xor_si128(_mm_srli_si128(a, 8), t);
    t = _mm_srli_si128(a, 4);
    a = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(a, low32), k0, 0x00), t);
    t = _mm_clmulepi64_si128(_mm_and_si128(a, low32), barrett, 0x10);
    t = _mm_clmulepi64_si128(_mm_and_si128(t, low32), barrett, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(a, t), 1);
}

uint32_t kq_crc32(uint32_t crc, const void *p, size_t n) {
    const uint8_t *u = p;
    size_t folded = n & ~(size_t)15;
    if (folded >= 64 && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
        crc = ~crc_folded(~crc, u, folded);
        u += folded;
        n -= folded;
    }
    return n ? (uint32_t)crc32(crc, u, (uInt)n) : crc;
}
#else
uint32_t kq_crc32(uint32_t crc, const void *p, size_t n) {
    return (uint32_t)crc32(crc, p, (uInt)n);
}
#endif
