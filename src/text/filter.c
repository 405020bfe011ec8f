#include "text/filter.h"
#include "text/search.h"
#include "text/unit.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define PAIRS      4096
#define WINDOW_MAX 8
#define SET_BITS   (1u << 16)
#define NEEDLE_MAX 4096 /* more would fill the tables */

/* With more needles than this the nibbles of three bytes exclude too little. */
#define TRIPLES_MAX 32

struct kq_filter {
    uint32_t window; /* the first so many bytes of each needle are looked for */
    bool foreign;    /* a needle is not ASCII: the answer no holds for ASCII texts only */
    bool ambiguous;  /* a needle has k or s: it holds for texts without what folds into them */
    uint8_t shift[PAIRS];
    uint64_t set[SET_BITS / 64]; /* first and last pairs of the needles' windows; with triples: those */
    bool triples;                /* vectors look for three bytes of each needle */
    /* For each of the three bytes, by its low and its high nibble: the needles (mod 8) that it may belong to. */
    uint8_t low[3][16], high[3][16];
};

/* Two bytes; cases fall together. What falls together besides costs time only. */
static inline uint32_t pair_at(const char *p) {
    uint16_t w;
    memcpy(&w, p, 2);
    return (uint32_t)(w | 0x2020) * UINT32_C(0x9E3779B1) >> 20;
}

static inline uint32_t ends_of(uint32_t first, uint32_t last) {
    return (first << 4 ^ last * 0x11) & (SET_BITS - 1);
}

/* The needle as it may stand in a text that is compared byte by byte: folded, or false when it holds what no ASCII text
 * has. */
static bool folded(kq_sv needle, kq_buf *out) {
    kq_buf_clear(out);
    for (const char *p = needle.p, *end = p + needle.n; p < end;) {
        uint32_t unit;
        p += kq_unit(p, end, &unit);
        unit = kq_unit_fold(unit, true);
        if (unit >= 0x80) return false;
        kq_buf_char(out, (char)unit);
    }
    return true;
}

static inline uint32_t triple_at(const char *p) {
    uint32_t w =
        (uint32_t)(unsigned char)p[0] | (uint32_t)(unsigned char)p[1] << 8 | (uint32_t)(unsigned char)p[2] << 16;
    return (w | 0x202020) * UINT32_C(0x9E3779B1) >> 16;
}

/* Whether a triple that is in the set begins at `p`. */
static inline bool in_set(const kq_filter *f, const char *p) {
    uint32_t bit = triple_at(p);
    return f->set[bit / 64] >> bit % 64 & 1;
}

#ifdef __x86_64__
/* Notes the rarest three bytes in a row of needle number `i`. */
static void add_triple(kq_filter *f, bool ci, kq_sv needle, size_t i) {
    size_t best = 0;
    unsigned least = UINT32_MAX;
    for (size_t at = 0; at + 3 <= needle.n; at++) {
        unsigned sum = 0;
        for (size_t k = 0; k < 3; k++) sum += kq_byte_common[kq_ascii_fold[(unsigned char)needle.p[at + k]]];
        if (sum < least) {
            least = sum;
            best = at;
        }
    }
    for (size_t k = 0; k < 3; k++) {
        unsigned char b = (unsigned char)needle.p[best + k];
        uint8_t bucket = (uint8_t)(1u << i % 8);
        f->low[k][b & 15] |= bucket;
        f->high[k][b >> 4] |= bucket;
        if (ci && (kq_ascii_class[b] & 2)) f->high[k][(b ^ 0x20) >> 4] |= bucket;
    }
    uint32_t bit = triple_at(needle.p + best);
    f->set[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool has_vectors(void) {
    return __builtin_cpu_supports("avx2");
}

__attribute__((target("avx2"))) static bool triples_maybe(const kq_filter *f, kq_sv text) {
    if (text.n < 3) return false;
    size_t positions = text.n - 2, at = 0;
    __m128i low[3], high[3];
    __m256i low2[3], high2[3];
    for (int k = 0; k < 3; k++) {
        low[k] = _mm_loadu_si128((const __m128i *)(const void *)f->low[k]);
        high[k] = _mm_loadu_si128((const __m128i *)(const void *)f->high[k]);
        low2[k] = _mm256_broadcastsi128_si256(low[k]);
        high2[k] = _mm256_broadcastsi128_si256(high[k]);
    }
    const __m256i nibble2 = _mm256_set1_epi8(15);
    const __m128i nibble = _mm_set1_epi8(15);
    for (; at + 32 <= positions; at += 32) {
        __m256i hit = _mm256_set1_epi8(-1);
        for (int k = 0; k < 3; k++) {
            __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(text.p + at + k));
            __m256i lo = _mm256_shuffle_epi8(low2[k], _mm256_and_si256(b, nibble2));
            __m256i hi = _mm256_shuffle_epi8(high2[k], _mm256_and_si256(_mm256_srli_epi16(b, 4), nibble2));
            hit = _mm256_and_si256(hit, _mm256_and_si256(lo, hi));
        }
        uint32_t bits = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, _mm256_setzero_si256()));
        for (; bits; bits &= bits - 1)
            if (in_set(f, text.p + at + (unsigned)__builtin_ctz(bits))) return true;
    }
    /* The last blocks may overlap what was seen. */
    for (; at < positions && positions >= 16; at += 16) {
        size_t from = at + 16 <= positions ? at : positions - 16;
        __m128i hit = _mm_set1_epi8(-1);
        for (int k = 0; k < 3; k++) {
            __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(text.p + from + k));
            __m128i lo = _mm_shuffle_epi8(low[k], _mm_and_si128(b, nibble));
            __m128i hi = _mm_shuffle_epi8(high[k], _mm_and_si128(_mm_srli_epi16(b, 4), nibble));
            hit = _mm_and_si128(hit, _mm_and_si128(lo, hi));
        }
        uint32_t bits = ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(hit, _mm_setzero_si128())) & 0xFFFF;
        for (; bits; bits &= bits - 1)
            if (in_set(f, text.p + from + (unsigned)__builtin_ctz(bits))) return true;
    }
    for (; at < positions; at++)
        if (in_set(f, text.p + at)) return true;
    return false;
}
#else
static void add_triple(kq_filter *f, bool ci, kq_sv needle, size_t i) {
    (void)f;
    (void)ci;
    (void)needle;
    (void)i;
}
static bool has_vectors(void) {
    return false;
}
static bool triples_maybe(const kq_filter *f, kq_sv text) {
    (void)f;
    (void)text;
    return true;
}
#endif

static bool windows_maybe(const kq_filter *f, kq_sv text) {
    uint32_t window = f->window;
    for (size_t at = window; at <= text.n;) {
        uint32_t last = pair_at(text.p + at - 2), shift = f->shift[last];
        if (shift == 0) {
            uint32_t bit = ends_of(pair_at(text.p + at - window), last);
            if (f->set[bit / 64] >> bit % 64 & 1) return true;
            shift = 1;
        }
        at += shift;
    }
    return false;
}

kq_status kq_filter_create(bool ci, const kq_sv *needles, size_t n, kq_arena *arena, const kq_filter **out,
                           kq_error *err) {
    *out = NULL;
    if (n > NEEDLE_MAX) return KQ_OK;
    kq_buf text;
    kq_buf_init(&text, arena->budget, 0);
    kq_filter *f = NULL;
    uint32_t window = WINDOW_MAX;
    bool foreign = false, ambiguous = false;
    for (size_t i = 0; i < n; i++) {
        bool plain = !ci || folded(needles[i], &text);
        kq_sv needle = ci ? kq_buf_view(&text) : needles[i];
        if (!plain) {
            foreign = true;
            continue;
        }
        if (needle.n) ambiguous |= ci && (memchr(needle.p, 'k', needle.n) || memchr(needle.p, 's', needle.n));
        if (needle.n < window) window = (uint32_t)needle.n;
    }
    kq_status status = kq_buf_status(&text, err);
    if (status != KQ_OK || window < 3) goto out;
    f = kq_arena_new(arena, kq_filter);
    if (!f) {
        status = kq_arena_status(arena, err);
        goto out;
    }
    f->window = window;
    f->foreign = foreign;
    f->ambiguous = ambiguous;
    f->triples = n <= TRIPLES_MAX && has_vectors();
    memset(f->shift, (int)(window - 1), sizeof f->shift);
    for (size_t i = 0; i < n; i++) {
        if (ci && !folded(needles[i], &text)) continue;
        const char *p = ci ? text.p : needles[i].p;
        if (f->triples) {
            add_triple(f, ci, ci ? kq_buf_view(&text) : needles[i], i);
            continue;
        }
        for (uint32_t at = 0; at + 2 <= window; at++) {
            uint8_t *shift = &f->shift[pair_at(p + at)], distance = (uint8_t)(window - 2 - at);
            if (distance < *shift) *shift = distance;
        }
        uint32_t bit = ends_of(pair_at(p), pair_at(p + window - 2));
        f->set[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    status = kq_buf_status(&text, err);
    *out = status == KQ_OK ? f : NULL;
out:
    kq_buf_deinit(&text);
    return status;
}

bool kq_filter_maybe(const kq_filter *f, kq_sv text) {
    if (f->triples ? triples_maybe(f, text) : windows_maybe(f, text)) return true;
    return (f->foreign && !kq_is_ascii(text.p, text.n)) || (f->ambiguous && kq_folds_into_ascii(text));
}
