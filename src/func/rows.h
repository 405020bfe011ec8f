/*
 * The C prototypes of every row in scalar_*.def and aggregate.def. A file that defines functions of rows includes it,
 * so that a row and its function cannot disagree.
 */
#ifndef KQ_FUNC_ROWS_H
#define KQ_FUNC_ROWS_H

#include "func/aggregate.h"
#include "func/scalar.h"

/* A row may say NULL instead of a function: NULL then expands to nothing here. The name is pasted before it expands,
 * and KQ_ROWS_PROBE_NULL is the only one that shifts the choice. */
#define KQ_ROWS_PROBE_NULL ~, KQ_ROWS_NOTHING
#define KQ_ROWS_NOTHING(proto)
#define KQ_ROWS_SOMETHING(proto)  proto
#define KQ_ROWS_SECOND(a, b, ...) b
#define KQ_ROWS_CHOOSE(...)       KQ_ROWS_SECOND(__VA_ARGS__, KQ_ROWS_SOMETHING, ~)

#define KQ_SCALAR(name, pattern, function, prepare, flags, signature, doc)                                             \
    kq_status function(kq_call *call, kq_error *err);                                                                  \
    KQ_ROWS_CHOOSE(KQ_ROWS_PROBE_##prepare)(kq_status prepare(kq_prepare * p, const void **state, kq_error *err);)
#include "func/scalars.def"
#undef KQ_SCALAR

#define KQ_AGGREGATE(name, pattern, size, update, combine, finish, flags, signature, doc)                              \
    kq_status update(kq_agg_call *call, kq_error *err);                                                                \
    kq_status combine(kq_agg_env *env, void *into, const void *from, kq_error *err);                                   \
    kq_status finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err);
#include "func/aggregate.def"
#undef KQ_AGGREGATE

#endif
