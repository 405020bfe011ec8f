#include "base/time.h"
#include "exec/operator.h"
#include <math.h>
#include <sys/random.h>
#include <xxhash.h>

/* A number of this process: nobody can prepare values that all fall into one slot. No result depends on it. */
static uint64_t seed(void) {
    static atomic_uint_least64_t chosen;
    uint64_t s = atomic_load_explicit(&chosen, memory_order_relaxed), fresh = 0;
    if (s) return s;
    if (getrandom(&fresh, sizeof fresh, GRND_NONBLOCK) != sizeof fresh)
        fresh = kq_clock_ns() ^ (uint64_t)(uintptr_t)&fresh;
    fresh |= 1;
    return atomic_compare_exchange_strong(&chosen, &s, fresh) ? fresh : s;
}

static inline uint64_t mix(uint64_t h, uint64_t v) {
    __extension__ unsigned __int128 m = (unsigned __int128)(h ^ v) * 0x9E3779B97F4A7C15u;
    return (uint64_t)m ^ (uint64_t)(m >> 64) ^ h;
}

static uint64_t real_bits(double r) {
    if (r == 0) r = 0; /* -0 too */
    if (isnan(r)) r = NAN;
    uint64_t bits;
    memcpy(&bits, &r, sizeof bits);
    return bits;
}

static uint64_t value_hash(const kq_vector *v, uint32_t i) {
    switch (v->type) {
    case KQ_BOOL: return kq_vec_bool(v)[i];
    case KQ_INT: return (uint64_t)(int64_t)kq_vec_int(v)[i];
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: return (uint64_t)kq_vec_long(v)[i];
    case KQ_REAL: return real_bits(kq_vec_real(v)[i]);
    case KQ_STRING:
    case KQ_DYNAMIC: {
        const kq_str *s = &kq_vec_str(v)[i];
        return XXH3_64bits(kq_str_ptr(s), s->len);
    }
    default: {
        kq_value value = kq_vector_get(v, i);
        return kq_value_hash(&value);
    }
    }
}

void kq_keys_hash(const kq_vector *const *keys, uint32_t nkeys, const uint16_t *sel, uint32_t n, uint64_t *hashes) {
    const uint64_t start = seed();
    for (uint32_t k = 0; k < n; k++) hashes[k] = start;
    for (uint32_t c = 0; c < nkeys; c++) {
        const kq_vector *v = keys[c];
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = sel ? sel[k] : k;
            hashes[k] = mix(hashes[k], kq_vec_is_null(v, row) ? 0x5bd1e995u : value_hash(v, kq_vec_at(v, row)));
        }
    }
}

static bool value_same(const kq_vector *a, uint32_t i, const kq_vector *b, uint32_t j) {
    switch (a->type) {
    case KQ_BOOL: return kq_vec_bool(a)[i] == kq_vec_bool(b)[j];
    case KQ_INT: return kq_vec_int(a)[i] == kq_vec_int(b)[j];
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: return kq_vec_long(a)[i] == kq_vec_long(b)[j];
    case KQ_REAL: return real_bits(kq_vec_real(a)[i]) == real_bits(kq_vec_real(b)[j]);
    case KQ_STRING:
    case KQ_DYNAMIC: return kq_str_eq(&kq_vec_str(a)[i], &kq_vec_str(b)[j]);
    default: {
        kq_value x = kq_vector_get(a, i), y = kq_vector_get(b, j);
        return kq_value_same(&x, &y);
    }
    }
}

bool kq_keys_same(const kq_vector *const *a, uint32_t i, const kq_vector *b, uint32_t j, uint32_t nkeys) {
    for (uint32_t c = 0; c < nkeys; c++) {
        bool x = kq_vec_is_null(a[c], i), y = kq_vec_is_null(&b[c], j);
        if (x != y) return false;
        if (!x && !value_same(a[c], kq_vec_at(a[c], i), &b[c], kq_vec_at(&b[c], j))) return false;
    }
    return true;
}
