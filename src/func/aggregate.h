/*
 * Aggregates: state, update, combine, finish, and one row in aggregate.def each.
 *
 * A row: KQ_AGGREGATE(name, pattern, state bytes, update, combine, finish, flags, signature, doc)
 *   pattern as in scalar.h. With KQ_AGG_MULTI the aggregate gives one value per argument (arg_max, take_any): the
 *   pattern's result is ignored and each output has its argument's type.
 * A state starts as zero bytes. Workers have states of their own, combined at the end in the order of the workers:
 * the result must not depend on how rows were dealt out. What depends on order (make_list, take_any, arg_max ties)
 * uses the row's ordinal; sums of reals are exact (superaccumulator) before they are rounded once.
 */
#ifndef KQ_FUNC_AGGREGATE_H
#define KQ_FUNC_AGGREGATE_H

#include "column/chunk.h"
#include "column/value.h"

enum { KQ_AGG_MULTI = 1, KQ_AGG_NULLS_SEEN = 2 /* otherwise rows whose first argument is null are left out */ };

typedef struct kq_aggregate kq_aggregate;

typedef struct kq_agg_call {
    const kq_aggregate *fn;
    const kq_vector *const *args;
    uint32_t nargs;
    uint32_t n;          /* rows */
    const uint16_t *sel; /* their numbers, or NULL */
    void *const *states; /* states[k] is that of the k-th row's group */
    uint64_t ordinal;    /* row r has ordinal + r */
    kq_arena *arena;     /* what a state points to lives here, until the query ends */
} kq_agg_call;

/* What combine and finish may use. */
typedef struct kq_agg_env {
    const kq_aggregate *fn;
    const kq_type *types; /* of the arguments */
    uint32_t nargs;
    kq_arena *arena;
} kq_agg_env;

struct kq_aggregate {
    const char *name;
    const char *pattern;
    size_t state_size; /* bytes, a multiple of 8 */
    kq_status (*update)(kq_agg_call *call, kq_error *err);
    kq_status (*combine)(kq_agg_env *env, void *into, const void *from, kq_error *err);
    kq_status (*finish)(kq_agg_env *env, const void *state, kq_value *out,
                        kq_error *err); /* out[1], MULTI: out[nargs] */
    unsigned flags;
    const char *signature;
    const char *doc;
};

const kq_aggregate *kq_aggregate_rows(size_t *n);
/* As kq_scalar_resolve. */
kq_status kq_aggregate_resolve(kq_sv name, const kq_type *types, const bool *literal, uint32_t nargs,
                               const kq_aggregate **row, kq_type *want, kq_type *result, kq_error *err);
bool kq_aggregate_exists(kq_sv name);

#endif
