#include "text/search.h"
#include "text/unit.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* How common a byte is in log text, roughly, in thousandths of what a common letter is; both cases together. The two
 * rarest bytes of a needle make the best filter. */
const uint8_t kq_byte_common[256] = {
    [0] = 60,    [' '] = 200, ['!'] = 4,   ['"'] = 70,   ['#'] = 6,   ['$'] = 25,  ['%'] = 20,  ['&'] = 20,
    ['\''] = 15, ['('] = 15,  [')'] = 15,  ['*'] = 6,    ['+'] = 8,   [','] = 40,  ['-'] = 90,  ['.'] = 120,
    ['/'] = 60,  ['0'] = 130, ['1'] = 110, ['2'] = 100,  ['3'] = 90,  ['4'] = 85,  ['5'] = 80,  ['6'] = 80,
    ['7'] = 75,  ['8'] = 80,  ['9'] = 75,  [':'] = 70,   [';'] = 20,  ['<'] = 15,  ['='] = 40,  ['>'] = 15,
    ['?'] = 8,   ['@'] = 6,   ['['] = 10,  ['\\'] = 150, [']'] = 10,  ['^'] = 3,   ['_'] = 40,  ['`'] = 3,
    ['a'] = 160, ['b'] = 60,  ['c'] = 130, ['d'] = 120,  ['e'] = 220, ['f'] = 70,  ['g'] = 60,  ['h'] = 70,
    ['i'] = 180, ['j'] = 15,  ['k'] = 30,  ['l'] = 120,  ['m'] = 110, ['n'] = 160, ['o'] = 160, ['p'] = 90,
    ['q'] = 10,  ['r'] = 160, ['s'] = 190, ['t'] = 180,  ['u'] = 80,  ['v'] = 50,  ['w'] = 80,  ['x'] = 60,
    ['y'] = 50,  ['z'] = 12,  ['{'] = 12,  ['|'] = 5,    ['}'] = 12,  ['~'] = 4,   ['\t'] = 20, ['\n'] = 20,
    ['\r'] = 20, [0xC3] = 30, [0xD0] = 60, [0xD1] = 40,  [0xE2] = 20, [0x80] = 30,
};

/* ---- the general path ---- */

/* Arithmetic modulo the Mersenne prime 2^61 - 1. */
#define MOD  ((UINT64_C(1) << 61) - 1)
#define BASE UINT64_C(0x0A3F1D5C7B92E64D)

static uint64_t mod_mul(uint64_t a, uint64_t b) {
    unsigned __int128 p = (unsigned __int128)a * b;
    uint64_t r = (uint64_t)(p & MOD) + (uint64_t)(p >> 61);
    return r >= MOD ? r - MOD : r;
}

static uint64_t mod_add(uint64_t a, uint64_t b) {
    uint64_t r = a + b;
    return r >= MOD ? r - MOD : r;
}

static bool boundary_before(const char *start, const char *p, bool ci) {
    return p == start || !kq_unit_is_term(kq_unit_fold(kq_unit_before(start, p), ci));
}

static bool boundary_after(const char *p, const char *end, bool ci) {
    if (p == end) return true;
    uint32_t unit;
    kq_unit(p, end, &unit);
    return !kq_unit_is_term(kq_unit_fold(unit, ci));
}

/* Is the text at `p` equal to `needle`, unit by unit? */
static bool units_match(const char *p, const char *end, kq_sv needle, bool ci) {
    const char *q = needle.p, *qe = needle.p + needle.n;
    while (q < qe) {
        uint32_t u, v;
        if (p == end) return false;
        unsigned char x = (unsigned char)*p, y = (unsigned char)*q;
        if ((x | y) < 0x80) {
            if (x != y && (!ci || kq_ascii_fold[x] != kq_ascii_fold[y])) return false;
            p++;
            q++;
            continue;
        }
        p += kq_unit(p, end, &u);
        q += kq_unit(q, qe, &v);
        if (u != v && kq_unit_fold(u, ci) != kq_unit_fold(v, ci)) return false;
    }
    return true;
}

bool kq_search_general(kq_sv text, kq_sv needle, bool ci, unsigned edges) {
    uint64_t want = 0, power = 1; /* power: BASE^(units of the needle) */
    size_t units = 0;
    for (const char *q = needle.p, *qe = needle.p + needle.n; q < qe; units++) {
        uint32_t u;
        q += kq_unit(q, qe, &u);
        want = mod_add(mod_mul(want, BASE), kq_unit_fold(u, ci) + 1);
        power = mod_mul(power, BASE);
    }
    const char *end = text.p + text.n, *lead = text.p, *tail = text.p;
    uint64_t hash = 0;
    for (size_t seen = 1; lead < end; seen++) {
        uint32_t u;
        lead += kq_unit(lead, end, &u);
        hash = mod_add(mod_mul(hash, BASE), kq_unit_fold(u, ci) + 1);
        if (seen > units) {
            tail += kq_unit(tail, end, &u);
            hash = mod_add(hash, MOD - mod_mul(power, kq_unit_fold(u, ci) + 1));
        }
        if (seen < units || hash != want) continue;
        if ((edges & KQ_EDGE_LEFT) && !boundary_before(text.p, tail, ci)) continue;
        if ((edges & KQ_EDGE_RIGHT) && !boundary_after(lead, end, ci)) continue;
        if (units_match(tail, lead, needle, ci)) return true;
    }
    return units == 0;
}

bool kq_starts_ci(kq_sv text, kq_sv needle) {
    return units_match(text.p, text.p + text.n, needle, true);
}

bool kq_ends_ci(kq_sv text, kq_sv needle) {
    const char *p = text.p + text.n, *q = needle.p + needle.n;
    while (q > needle.p) {
        if (p == text.p) return false;
        uint32_t u = kq_unit_before(text.p, p), v = kq_unit_before(needle.p, q);
        if (u != v && kq_unit_fold(u, true) != kq_unit_fold(v, true)) return false;
        char bytes[4];
        p -= u >= KQ_UNIT_RAW ? 1 : kq_utf8_encode(u, bytes);
        q -= v >= KQ_UNIT_RAW ? 1 : kq_utf8_encode(v, bytes);
    }
    return true;
}

/* ---- the byte search ---- */

typedef struct scan {
    const kq_search *s;
    kq_sv text;
    size_t positions; /* where an occurrence may start: 0..positions-1 */
    size_t work;      /* bytes verified so far, for nothing */
    bool gave_up;     /* more work than the text is worth: use the general path */
} scan;

static inline bool bytes_match(const kq_search *s, const char *p) {
    size_t n = s->needle.n, i = 0;
    const char *needle = s->needle.p;
    const uint8_t *mask = s->mask;
    uint64_t a, b, m;
    for (; i + 8 <= n; i += 8) {
        memcpy(&a, p + i, 8);
        memcpy(&b, needle + i, 8);
        memcpy(&m, mask + i, 8);
        if ((a | m) != b) return false;
    }
    for (; i < n; i++)
        if (((unsigned char)p[i] | mask[i]) != (unsigned char)needle[i]) return false;
    return true;
}

static bool candidate(scan *c, size_t at) {
    const kq_search *s = c->s;
    const char *p = c->text.p + at, *end = c->text.p + c->text.n;
    if ((s->edges & KQ_EDGE_LEFT) && !boundary_before(c->text.p, p, s->ci)) return false;
    if ((s->edges & KQ_EDGE_RIGHT) && !boundary_after(p + s->needle.n, end, s->ci)) return false;
    if (bytes_match(s, p)) return true;
    c->work += s->needle.n;
    c->gave_up = c->work > 4096 && c->work > 8 * c->text.n;
    return c->gave_up;
}

static bool candidates(scan *c, size_t base, uint32_t bits) {
    for (; bits; bits &= bits - 1)
        if (candidate(c, base + (unsigned)__builtin_ctz(bits))) return true;
    return false;
}

static bool scan_plain(scan *c, size_t from) {
    const kq_search *s = c->s;
    unsigned c1 = (unsigned char)s->needle.p[s->at1], c2 = (unsigned char)s->needle.p[s->at2];
    unsigned m1 = s->mask[s->at1], m2 = s->mask[s->at2];
    const unsigned char *p1 = (const unsigned char *)c->text.p + s->at1,
                        *p2 = (const unsigned char *)c->text.p + s->at2;
    for (size_t i = from; i < c->positions; i++)
        if ((p1[i] | m1) == c1 && (p2[i] | m2) == c2 && candidate(c, i)) return true;
    return false;
}

#ifdef __x86_64__
typedef struct sse_keys {
    __m128i c1, c2, m1, m2;
} sse_keys;

static inline uint32_t block16(const char *p1, const char *p2, const sse_keys *k) {
    __m128i a = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)p1), k->m1);
    __m128i b = _mm_or_si128(_mm_loadu_si128((const __m128i *)(const void *)p2), k->m2);
    return (uint32_t)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, k->c1), _mm_cmpeq_epi8(b, k->c2)));
}

static bool scan_sse2(scan *c, size_t from) {
    if (c->positions < 16) return scan_plain(c, from);
    const kq_search *s = c->s;
    const char *p1 = c->text.p + s->at1, *p2 = c->text.p + s->at2;
    sse_keys k = {_mm_set1_epi8(s->needle.p[s->at1]), _mm_set1_epi8(s->needle.p[s->at2]),
                  _mm_set1_epi8((char)s->mask[s->at1]), _mm_set1_epi8((char)s->mask[s->at2])};
    size_t i = from;
    for (; i + 16 <= c->positions; i += 16) {
        uint32_t bits = block16(p1 + i, p2 + i, &k);
        if (KQ_UNLIKELY(bits) && candidates(c, i, bits)) return true;
    }
    if (i == c->positions) return false;
    /* The last block overlaps the one before; what was seen already is masked out. */
    size_t last = c->positions - 16;
    uint32_t bits = block16(p1 + last, p2 + last, &k) & (0xFFFFu << (i - last));
    return candidates(c, last, bits & 0xFFFFu);
}

__attribute__((target("avx2"))) static bool scan_avx2(scan *c) {
    const kq_search *s = c->s;
    const char *p1 = c->text.p + s->at1, *p2 = c->text.p + s->at2;
    __m256i c1 = _mm256_set1_epi8(s->needle.p[s->at1]), c2 = _mm256_set1_epi8(s->needle.p[s->at2]);
    __m256i m1 = _mm256_set1_epi8((char)s->mask[s->at1]), m2 = _mm256_set1_epi8((char)s->mask[s->at2]);
    size_t i = 0;
    for (; i + 32 <= c->positions; i += 32) {
        __m256i a = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(const void *)(p1 + i)), m1);
        __m256i b = _mm256_or_si256(_mm256_loadu_si256((const __m256i *)(const void *)(p2 + i)), m2);
        __m256i hit = _mm256_and_si256(_mm256_cmpeq_epi8(a, c1), _mm256_cmpeq_epi8(b, c2));
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(hit);
        if (KQ_UNLIKELY(bits) && candidates(c, i, bits)) return true;
    }
    return scan_sse2(c, i);
}

static bool scan_text(scan *c) {
    if (c->positions >= 32 && __builtin_cpu_supports("avx2")) return scan_avx2(c);
    return scan_sse2(c, 0);
}
#else
static bool scan_text(scan *c) {
    return scan_plain(c, 0);
}
#endif

unsigned kq_search_edges(kq_match_op op, bool ci, kq_sv needle) {
    if (needle.n == 0) return 0;
    uint32_t first, last = kq_unit_before(needle.p, needle.p + needle.n);
    kq_unit(needle.p, needle.p + needle.n, &first);
    unsigned edges = 0;
    if ((op == KQ_MATCH_HAS || op == KQ_MATCH_HASPREFIX) && kq_unit_is_term(kq_unit_fold(first, ci)))
        edges |= KQ_EDGE_LEFT;
    if ((op == KQ_MATCH_HAS || op == KQ_MATCH_HASSUFFIX) && kq_unit_is_term(kq_unit_fold(last, ci)))
        edges |= KQ_EDGE_RIGHT;
    return edges;
}

static bool well_formed(kq_sv s) {
    if (kq_is_ascii(s.p, s.n)) return true;
    for (const char *p = s.p, *end = s.p + s.n; p < end;) {
        uint32_t u;
        p += kq_unit(p, end, &u);
        if (u >= KQ_UNIT_RAW) return false;
    }
    return true;
}

void kq_search_init(kq_search *s, kq_match_op op, bool ci, kq_sv needle, uint8_t *room) {
    *s = (kq_search){.needle = needle, .ci = ci, .edges = kq_search_edges(op, ci, needle)};
    s->fast = room && (ci ? kq_is_ascii(needle.p, needle.n) : well_formed(needle));
    if (!s->fast) return;
    uint8_t *mask = room + needle.n;
    size_t rare = 0, second = 0;
    s->exact = true;
    for (size_t i = 0; i < needle.n; i++) {
        unsigned char b = (unsigned char)needle.p[i];
        unsigned char f = kq_ascii_fold[b];
        room[i] = ci ? f : b;
        mask[i] = ci && (kq_ascii_class[b] & 2) ? 0x20 : 0;
        if (ci && (f == 'k' || f == 's')) s->exact = false;
        if (kq_byte_common[f] < kq_byte_common[kq_ascii_fold[(unsigned char)needle.p[rare]]]) rare = i;
    }
    /* The second: the rarest other byte, and far from the first when it may choose. */
    second = rare ? 0 : needle.n - 1;
    for (size_t i = 0; i < needle.n; i++)
        if (i != rare && kq_byte_common[kq_ascii_fold[(unsigned char)needle.p[i]]] <
                             kq_byte_common[kq_ascii_fold[(unsigned char)needle.p[second]]])
            second = i;
    s->needle.p = (const char *)room;
    s->mask = mask;
    s->at1 = rare;
    s->at2 = second;
}

bool kq_search_test(const kq_search *s, kq_sv text) {
    if (s->fast) {
        if (text.n >= s->needle.n) {
            scan c = {.s = s, .text = text, .positions = text.n - s->needle.n + 1};
            if (scan_text(&c)) return !c.gave_up || kq_search_general(text, s->needle, s->ci, s->edges);
        }
        /* A shorter text can't hold the characters that fold into ASCII: they are longer than what they fold to. */
        if (s->exact || text.n < s->needle.n || !kq_folds_into_ascii(text)) return false;
    }
    return kq_search_general(text, s->needle, s->ci, s->edges);
}
