#include "text/strset.h"
#include "text/unit.h"

struct kq_strset {
    const kq_sv *items;
    uint64_t *slots; /* high half of the hash, index + 1; 0 is empty */
    uint64_t mask;
    bool ci;
};

static inline uint64_t mix(uint64_t h, uint64_t word) {
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

static inline uint64_t finish(uint64_t h, size_t n) {
    h = (h ^ n) * UINT64_C(0xD6E8FEB86659FD93);
    h ^= h >> 32;
    h *= UINT64_C(0xD6E8FEB86659FD93);
    return h ^ h >> 32;
}

/* Eight ASCII bytes in lower case at once. */
static inline uint64_t lower8(uint64_t w) {
    uint64_t from_a = w + UINT64_C(0x3F3F3F3F3F3F3F3F); /* high bit: byte >= 'A' */
    uint64_t past_z = w + UINT64_C(0x2525252525252525); /* high bit: byte > 'Z' */
    return w | (from_a & ~past_z & UINT64_C(0x8080808080808080)) >> 2;
}

/* The hash of the folded bytes, eight at a time; text that folds to the same bytes has the same hash however its own
 * bytes were spread. */
static uint64_t hash(kq_sv s, bool ci) {
    const char *p = s.p, *end = s.p + s.n;
    uint64_t h = UINT64_C(0x243F6A8885A308D3), w = 0;
    size_t total = 0;
    for (; end - p >= 8; p += 8, total += 8) {
        memcpy(&w, p, 8);
        if (ci) {
            if (w & UINT64_C(0x8080808080808080)) break;
            w = lower8(w);
        }
        h = mix(h, w);
    }
    char chunk[8 + 4];
    size_t held = 0;
    while (p < end) {
        if (!ci || (unsigned char)*p < 0x80) {
            chunk[held++] = ci ? (char)kq_ascii_fold[(unsigned char)*p] : *p;
            p++;
        } else {
            uint32_t unit;
            const char *raw = p;
            p += kq_unit(p, end, &unit);
            if (unit >= KQ_UNIT_RAW)
                chunk[held++] = *raw;
            else
                held += kq_utf8_encode(kq_fold(unit), chunk + held);
        }
        if (held >= 8) {
            memcpy(&w, chunk, 8);
            h = mix(h, w);
            held -= 8;
            total += 8;
            memmove(chunk, chunk + 8, held);
        }
    }
    if (held) {
        w = 0;
        memcpy(&w, chunk, held);
        h = mix(h, w);
    }
    return finish(h, total + held);
}

static bool equal(const kq_strset *set, kq_sv a, kq_sv b) {
    return kq_sv_eq(a, b) || (set->ci && kq_sv_eq_ci(a, b));
}

kq_status kq_strset_create(bool ci, const kq_sv *items, size_t n, kq_arena *arena, const kq_strset **out,
                           kq_error *err) {
    kq_strset *set = kq_arena_new(arena, kq_strset);
    if (!set || n >= UINT32_MAX / 2) return set ? kq_fail(err, KQ_ERR_LIMIT, "too many values") : kq_nomem(err);
    size_t slots = 4;
    while (slots < 2 * n) slots *= 2;
    *set = (kq_strset){.items = items, .mask = slots - 1, .ci = ci};
    set->slots = kq_arena_calloc(arena, slots, sizeof *set->slots);
    if (!set->slots) return kq_arena_status(arena, err);
    for (size_t i = 0; i < n; i++) {
        uint64_t h = hash(items[i], ci), at = h & set->mask;
        bool known = false;
        for (; set->slots[at] && !known; at = (at + 1) & set->mask)
            known = set->slots[at] >> 32 == h >> 32 && equal(set, items[(uint32_t)set->slots[at] - 1], items[i]);
        if (!known) set->slots[at] = (h >> 32) << 32 | (uint32_t)(i + 1);
    }
    *out = set;
    return KQ_OK;
}

int64_t kq_strset_find(const kq_strset *set, kq_sv text) {
    uint64_t h = hash(text, set->ci);
    for (uint64_t at = h & set->mask, slot; (slot = set->slots[at]); at = (at + 1) & set->mask)
        if (slot >> 32 == h >> 32 && equal(set, set->items[(uint32_t)slot - 1], text)) return (uint32_t)slot - 1;
    return -1;
}
