/* The states of aggregates and what their functions share. Internal to func/. */
#ifndef KQ_FUNC_AGG_STATE_H
#define KQ_FUNC_AGG_STATE_H

#include "func/aggregate.h"
#include "func/exact.h"

/* Counts, sums of integers, bits. */
typedef struct kq_agg_number {
    uint64_t lo; /* the value; 128 bits of two's complement where a sum of ticks needs them */
    uint64_t hi;
    int64_t count;
} kq_agg_number;

typedef struct kq_agg_real {
    kq_exact sum;
    int64_t count;
} kq_agg_real;

typedef struct kq_agg_decimal {
    kq_decimal sum;
    int64_t count;
    uint64_t overflow; /* the sum has no result */
} kq_agg_decimal;

/* For variances and covariances: sums of x, y and x * y. */
typedef struct kq_agg_moments {
    kq_exact x, y, xy;
    int64_t count;
} kq_agg_moments;

/* A value that a state keeps: its text lies in a buffer of its own, which later values reuse. */
typedef struct kq_kept {
    kq_value value;
    char *buffer;
    size_t cap;
} kq_kept;

typedef struct kq_agg_extreme {
    kq_kept best;
    uint64_t has;
} kq_agg_extreme;

typedef struct kq_agg_distinct {
    uint64_t *slots; /* hashes, 0 is empty */
    uint32_t n, cap;
    uint8_t *registers; /* HyperLogLog from the threshold on */
    uint32_t precision; /* 0: not yet set */
    uint32_t unused;
} kq_agg_distinct;

typedef struct kq_agg_pick {
    kq_kept *cells; /* one per output */
    kq_value key;
    uint64_t ordinal;
    uint32_t row;          /* in this chunk, when dirty */
    bool has, weak, dirty; /* weak: the key is null, so that any row with one is better */
} kq_agg_pick;

typedef struct kq_agg_entry {
    uint64_t ordinal;
    uint32_t sub; /* within the row */
    kq_value value;
} kq_agg_entry;

typedef struct kq_agg_list {
    kq_agg_entry *items;
    uint64_t n, cap;
    uint64_t max;
    uint64_t unsorted;
} kq_agg_list;

typedef struct kq_agg_set {
    kq_agg_list list;
    uint32_t *slots; /* item number + 1 */
    uint64_t nslots;
} kq_agg_set;

typedef struct kq_agg_weighted {
    union {
        int64_t l;
        double r;
        const kq_decimal *m;
    } u;
    int64_t weight;
} kq_agg_weighted;

typedef struct kq_agg_values {
    kq_agg_weighted *items;
    uint64_t n, cap;
    double *percents;
    uint64_t npercents;
} kq_agg_values;

static inline uint32_t kq_agg_row(const kq_agg_call *c, uint32_t k) {
    return c->sel ? c->sel[k] : k;
}

/* The condition of an ...if aggregate: the bool argument after the first `skip`, or NULL. */
static inline const kq_vector *kq_agg_condition(const kq_agg_call *c, uint32_t skip) {
    for (uint32_t i = skip; i < c->nargs; i++)
        if (c->args[i]->type == KQ_BOOL) return c->args[i];
    return NULL;
}

static inline bool kq_agg_holds(const kq_vector *condition, uint32_t row) {
    return !condition || (!kq_vec_is_null(condition, row) && kq_vec_bool(condition)[kq_vec_at(condition, row)]);
}

/* The value of the first long argument after the first one, or `otherwise`. */
int64_t kq_agg_option(const kq_agg_call *c, int64_t otherwise);

/* A copy of `value` whose text lies in `arena`. */
kq_status kq_agg_copy(kq_value *out, const kq_value *value, kq_arena *arena, kq_error *err);
kq_status kq_agg_keep(kq_kept *kept, const kq_value *value, kq_arena *arena, kq_error *err);

/* Room for one more item of `size` bytes in an array of the arena that doubles. */
kq_status kq_agg_grow(void **items, uint64_t n, uint64_t *cap, size_t size, kq_arena *arena, kq_error *err);

#endif
