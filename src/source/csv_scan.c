#include "source/csv_scan.h"
#include "source/scan_bytes.h"

/* Bit i: byte i of the 64 at p is c. */
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

/* Bit i: the number of set bits up to and with i is odd. */
static inline uint64_t parity_up_to(uint64_t x) {
    for (int shift = 1; shift < 64; shift *= 2) x ^= x << shift;
    return x;
}

void kq_csv_scan(const char *p, size_t n, char delimiter, kq_buf *records, bool *open) {
    uint64_t inside = 0; /* all ones while a quoted field is open */
    uint32_t delimiters = 0;
    for (size_t i = 0; i < n; i += 64) {
        uint64_t valid = n - i >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (n - i)) - 1;
        uint64_t quotes = equal_mask(p + i, '"') & valid;
        uint64_t quoted = quotes ? parity_up_to(quotes) ^ inside : inside;
        uint64_t newlines = equal_mask(p + i, '\n') & valid & ~quoted;
        uint64_t cuts = equal_mask(p + i, delimiter) & valid & ~quoted;
        inside = (uint64_t)((int64_t)(quoted << __builtin_clzll(valid)) >> 63);
        while (newlines) {
            unsigned bit = (unsigned)__builtin_ctzll(newlines);
            uint64_t before = (UINT64_C(1) << bit) - 1;
            kq_csv_record r = {(uint32_t)(i + bit), delimiters + (uint32_t)__builtin_popcountll(cuts & before)};
            if (records->cap - records->n >= sizeof r) {
                memcpy(records->p + records->n, &r, sizeof r);
                records->n += sizeof r;
            } else {
                kq_buf_append(records, &r, sizeof r);
            }
            delimiters = 0;
            cuts &= ~before;
            newlines &= newlines - 1;
        }
        delimiters += (uint32_t)__builtin_popcountll(cuts);
    }
    *open = inside != 0;
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
    const char *at = memchr(p, c, (size_t)(end - p));
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
