#include "source/csv_scan.h"
#include "source/scan_bytes.h"
#if defined(__x86_64__)
#include <immintrin.h>
#define FAST __attribute__((target("avx2,pclmul,popcnt,bmi,lzcnt")))
#endif

bool kq_csv_scan_plain;

/* The bytes of a chunk of 64 that matter, a bit for each. */
typedef struct masks {
    uint64_t quotes, delimiters, newlines, returns;
} masks;

/* What goes over from one chunk to the next. */
typedef struct scanning {
    uint64_t inside;     /* all ones while a quoted field is open */
    uint64_t may_open;   /* 1: the last byte was one that a field starts after */
    uint64_t closed;     /* 1: the last byte was a closing quote, or the first of a doubled one */
    uint64_t returned;   /* 1: the last byte was a carriage return right after a closing quote */
    uint32_t delimiters; /* of the record so far */
} scanning;

static inline __attribute__((always_inline)) void emit(kq_buf *records, size_t end, uint32_t delimiters) {
    kq_csv_record r = {(uint32_t)end, delimiters};
    if (records->cap - records->n >= sizeof r) {
        memcpy(records->p + records->n, &r, sizeof r);
        records->n += sizeof r;
    } else {
        kq_buf_append(records, &r, sizeof r);
    }
}

/* One chunk at offset `i`; `parity`: bit k tells whether the number of quotes up to and with k is odd. False: a quote
 * stands where parity is not enough. */
static inline __attribute__((always_inline)) bool chunk(scanning *s, masks m, uint64_t parity, size_t i,
                                                        kq_buf *records) {
    uint64_t quoted = parity ^ s->inside;
    uint64_t opens = m.quotes & quoted, closes = m.quotes & ~quoted;
    uint64_t starts = (m.delimiters | m.newlines | m.quotes) << 1 | s->may_open;
    uint64_t after = closes << 1 | s->closed;
    uint64_t line_end = (after & m.returns) << 1 | s->returned;
    uint64_t wrong =
        (opens & ~starts) | (after & ~(m.delimiters | m.newlines | m.returns | m.quotes)) | (line_end & ~m.newlines);
    if (KQ_UNLIKELY(wrong)) return false;
    s->inside = (uint64_t)((int64_t)quoted >> 63);
    s->may_open = (m.delimiters | m.newlines | m.quotes) >> 63;
    s->closed = closes >> 63;
    s->returned = (after & m.returns) >> 63;
    uint64_t newlines = m.newlines & ~quoted, cuts = m.delimiters & ~quoted;
    while (newlines) {
        unsigned bit = (unsigned)__builtin_ctzll(newlines);
        uint64_t before = (UINT64_C(1) << bit) - 1;
        emit(records, i + bit, s->delimiters + (uint32_t)__builtin_popcountll(cuts & before));
        s->delimiters = 0;
        cuts &= ~before;
        newlines &= newlines - 1;
    }
    s->delimiters += (uint32_t)__builtin_popcountll(cuts);
    return true;
}

static inline __attribute__((always_inline)) masks valid(masks m, uint64_t bits) {
    return (masks){m.quotes & bits, m.delimiters & bits, m.newlines & bits, m.returns & bits};
}

/* --- any machine --- */

static inline uint64_t equal_mask(const char *p, char c) {
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, wanted)) << (16 * i);
    }
    return mask;
#else
    uint64_t mask = 0;
    for (int i = 0; i < 64; i++) mask |= (uint64_t)(p[i] == c) << i;
    return mask;
#endif
}

/* Scans chunks from the start of a record at `from`; gives where it stopped: n, or the chunk that needs more care. */
static size_t scan_plain(const char *p, size_t from, size_t n, char delimiter, scanning *s, kq_buf *records) {
    for (size_t i = from; i < n; i += 64) {
        masks m = {equal_mask(p + i, '"'), equal_mask(p + i, delimiter), equal_mask(p + i, '\n'),
                   equal_mask(p + i, '\r')};
        if (n - i < 64) m = valid(m, (UINT64_C(1) << (n - i)) - 1);
        uint64_t parity = m.quotes;
        if (parity)
            for (int shift = 1; shift < 64; shift *= 2) parity ^= parity << shift;
        if (!chunk(s, m, parity, i, records)) return i;
    }
    return n;
}

#ifdef FAST
static inline __attribute__((always_inline)) FAST uint64_t equal_avx2(__m256i a, __m256i b, __m256i c) {
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, c)) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, c)) << 32;
}

static FAST size_t scan_avx2(const char *p, size_t from, size_t n, char delimiter, scanning *s, kq_buf *records) {
    const __m256i quote = _mm256_set1_epi8('"'), cut = _mm256_set1_epi8(delimiter), newline = _mm256_set1_epi8('\n'),
                  back = _mm256_set1_epi8('\r');
    scanning state = *s; /* in registers */
    size_t i = from;
    for (; i < n; i += 64) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + i + 32));
        masks m = {equal_avx2(a, b, quote), equal_avx2(a, b, cut), equal_avx2(a, b, newline), equal_avx2(a, b, back)};
        if (n - i < 64) m = valid(m, (UINT64_C(1) << (n - i)) - 1);
        uint64_t parity = (uint64_t)_mm_cvtsi128_si64(
            _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)m.quotes), _mm_set1_epi8('\xFF'), 0));
        if (!chunk(&state, m, parity, i, records)) break;
    }
    *s = state;
    return i < n ? i : n;
}

static bool has_fast(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("bmi");
}
#endif

/* Byte by byte from the start of a record, to the end. */
static bool scan_slow(const char *p, size_t from, size_t n, char delimiter, kq_buf *records) {
    uint32_t delimiters = 0;
    bool start = true, inside = false;
    for (size_t i = from; i < n; i++) {
        char c = p[i];
        if (inside) {
            const char *quote = memchr(p + i, '"', n - i);
            if (!quote) return true;
            i = (size_t)(quote - p);
            char next = i + 1 < n ? p[i + 1] : '\n';
            if (next == '"')
                i++;
            else if (next == delimiter || next == '\n' || (next == '\r' && (i + 2 >= n || p[i + 2] == '\n')))
                inside = false;
            continue;
        }
        if (c == '"' && start) {
            inside = true;
            start = false;
        } else if (c == delimiter) {
            delimiters++;
            start = true;
        } else if (c == '\n') {
            emit(records, i, delimiters);
            delimiters = 0;
            start = true;
        } else {
            start = false;
        }
    }
    return inside;
}

void kq_csv_scan(const char *p, size_t n, char delimiter, kq_buf *records, bool *open) {
    scanning s = {.may_open = 1};
    size_t first = records->n;
#ifdef FAST
    size_t stop = !kq_csv_scan_plain && has_fast() ? scan_avx2(p, 0, n, delimiter, &s, records)
                                                   : scan_plain(p, 0, n, delimiter, &s, records);
#else
    size_t stop = scan_plain(p, 0, n, delimiter, &s, records);
#endif
    if (KQ_LIKELY(stop == n)) {
        *open = s.inside != 0;
        return;
    }
    /* From the start of the record in which parity failed. */
    size_t from = 0;
    if (records->n > first) {
        kq_csv_record last;
        memcpy(&last, records->p + records->n - sizeof last, sizeof last);
        from = (size_t)last.end + 1;
    }
    *open = scan_slow(p, from, n, delimiter, records);
}

size_t kq_csv_skip_on(kq_csv_skip *skip, const char *p, size_t n, char delimiter, bool *ended) {
    *ended = false;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (skip->state == KQ_CSV_INSIDE) {
            const char *quote = memchr(p + i, '"', n - i);
            if (!quote) return n;
            i = (size_t)(quote - p);
            skip->state = KQ_CSV_QUOTE;
        } else if (skip->state == KQ_CSV_QUOTE_RETURN && c != '\n') {
            skip->state = KQ_CSV_INSIDE;
            i--; /* once more: it may be a quote */
        } else if (skip->state == KQ_CSV_QUOTE && c != delimiter && c != '\n') {
            skip->state = c == '\r' ? KQ_CSV_QUOTE_RETURN : KQ_CSV_INSIDE; /* a doubled quote, or one that is text */
        } else if (c == '\n') {
            *ended = true;
            return i + 1;
        } else if (c == delimiter) {
            skip->state = KQ_CSV_FIELD_START;
        } else {
            skip->state = c == '"' && skip->state == KQ_CSV_FIELD_START ? KQ_CSV_INSIDE : KQ_CSV_UNQUOTED;
        }
    }
    return n;
}

bool kq_csv_opens(const char *p, const char *end, char delimiter) {
    kq_csv_skip skip = {KQ_CSV_FIELD_START};
    bool ended;
    kq_csv_skip_on(&skip, p, (size_t)(end - p), delimiter, &ended);
    return skip.state == KQ_CSV_INSIDE;
}

static const char *find_byte(const char *p, const char *end, char c) {
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8(c);
    for (; p < end; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, wanted));
        if (!mask) continue;
        p += __builtin_ctz(mask);
        return p < end ? p : end;
    }
    return end;
#else
    const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
    return at ? at : end;
#endif
}

const char *kq_csv_field(const char *p, const char *end, char delimiter, kq_sv *out, bool *escaped) {
    *escaped = false;
    if (p == end || *p != '"') {
        const char *stop = find_byte(p, end, delimiter);
        *out = (kq_sv){p, (size_t)(stop - p)};
        return stop < end ? stop + 1 : NULL;
    }
    for (const char *q = ++p;; q++) {
        q = find_byte(q, end, '"');
        if (q == end || q + 1 == end) {
            *out = (kq_sv){p, (size_t)(q - p)};
            return NULL;
        }
        if (q[1] == delimiter) {
            *out = (kq_sv){p, (size_t)(q - p)};
            return q + 2;
        }
        if (q[1] != '"') continue;
        *escaped = true;
        q++;
    }
}

size_t kq_csv_unescape(kq_sv text, char *to) {
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        to[n++] = text.p[i];
        if (text.p[i] == '"' && i + 1 < text.n && text.p[i + 1] == '"') i++;
    }
    return n;
}
