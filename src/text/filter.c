#include "text/filter.h"
#include "text/unit.h"

#define PAIRS      4096
#define WINDOW_MAX 8
#define SET_BITS   (1u << 16)
#define NEEDLE_MAX 4096 /* more would fill the tables */

struct kq_filter {
    uint32_t window; /* the first so many bytes of each needle are looked for */
    bool foreign;    /* a needle is not ASCII: the answer no holds for ASCII texts only */
    bool ambiguous;  /* a needle has k or s: it holds for texts without what folds into them */
    uint8_t shift[PAIRS];
    uint64_t set[SET_BITS / 64]; /* first and last pairs of the needles' windows */
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
        ambiguous |= ci && (memchr(needle.p, 'k', needle.n) || memchr(needle.p, 's', needle.n));
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
    memset(f->shift, (int)(window - 1), sizeof f->shift);
    for (size_t i = 0; i < n; i++) {
        if (ci && !folded(needles[i], &text)) continue;
        const char *p = ci ? text.p : needles[i].p;
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
    return (f->foreign && !kq_is_ascii(text.p, text.n)) || (f->ambiguous && kq_folds_into_ascii(text));
}
