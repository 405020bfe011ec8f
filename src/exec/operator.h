/*
 * Pipelines, from the inside. A pipeline is a source that makes chunks of one morsel after another, operators that pass
 * them on, and at its end an operator that keeps what it gets. Chunks go by push: kq_op_push(op, worker, chunk).
 *
 *   kq_exec    one run of a plan: environment, workers, first failure; arena for what lives as long
 *   kq_worker  a thread's own: number, scratch arena (emptied before each chunk of a source)
 *   kq_op      an operator; what a worker keeps for it stands in op->locals[worker->id], made by the operator
 *
 * A plan is run by kq_flow(plan, op): the chunks of `plan` go to `op`. Operators that must see all rows first run their
 * input into a store and then stream the store. Numbers of morsels go on counting from stream to stream into one op
 * (kq_exec.seq), so that chunk->ordinal is unique and ascending in the order of the rows.
 *
 * Adding an operator: one file with its kq_stream function, and one row in operators.def.
 */
#ifndef KQ_EXEC_OPERATOR_H
#define KQ_EXEC_OPERATOR_H

#include "column/rows.h"
#include "exec/exec.h"
#include <pthread.h>

typedef struct kq_exec kq_exec;
typedef struct kq_worker kq_worker;
typedef struct kq_op kq_op;
typedef struct kq_eval kq_eval;

struct kq_worker {
    kq_exec *exec;
    unsigned id;
    kq_arena arena; /* emptied before each chunk that a source makes */
    uint64_t seq;   /* of the morsel in hand */
    uint32_t made;  /* rows that expanding operators made in this morsel: their ordinals */
    bool stopped;   /* the pipeline wants no more of this morsel */
    void *running;  /* the scheduler's */
};

struct kq_op {
    kq_status (*push)(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err);
    /* A flow is about to start, its first morsel x->base; may be NULL. */
    void (*begin)(kq_op *op);
    /* The worker has pushed all of morsel w->seq; may be NULL (the next operator is told). */
    kq_status (*end)(kq_op *op, kq_worker *w, kq_error *err);
    kq_op *next;
    void **locals; /* one for each worker */
    void *state;   /* the operator's own */
    const kq_plan *plan;
};

struct kq_exec {
    kq_exec_env *env;
    kq_arena arena;
    pthread_mutex_t lock; /* error, arena when workers use it */
    kq_worker *workers;
    unsigned nworkers;
    uint64_t seq;  /* morsels begun by flows so far */
    uint64_t base; /* seq where the running flow began */
    atomic_bool failed;
    atomic_bool enough; /* the running stream's op needs no more morsels */
    kq_error error;
    struct kq_memo *memos;   /* MATERIALIZE nodes already run */
    struct kq_store *stores; /* every store, freed at the end */
    unsigned depth;
};

static inline kq_status kq_op_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    return op->push(op, w, chunk, err);
}
kq_status kq_op_end(kq_op *op, kq_worker *w, kq_error *err);

/* A new operator in the exec's arena; NULL with err. */
kq_op *kq_op_create(kq_exec *x, const kq_plan *plan, kq_op *next, size_t state_bytes, kq_error *err);

/* Sends the chunks of `plan` to `op`. */
kq_status kq_flow(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err);
#define KQ_OPERATOR(kind, function) kq_status function(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err);
#include "exec/operators.def"
#undef KQ_OPERATOR

/* Names the operator in a generic message about the budget: "the memory limit of 2048 MiB was reached in sort". Returns
 * `status`. */
kq_status kq_exec_limit(const kq_exec *x, kq_status status, const char *where, kq_error *err);

/* The count of take and top. Errors: QUERY when it is negative or null. */
kq_status kq_row_count(kq_exec *x, const kq_expr *e, uint64_t *out, kq_error *err);

/* ---- sources */

/* Anything that makes morsels: next() claims one, sets *seq (dense from 0), pushes its chunks through `consumer`. */
typedef struct kq_origin {
    kq_status (*next)(struct kq_origin *o, kq_worker *w, const kq_consumer *to, uint64_t *seq, bool *more,
                      kq_error *err);
    void (*progress)(const struct kq_origin *o, uint64_t *done, uint64_t *total);
    uint64_t morsels; /* at most; decides how many threads are worth starting */
    void *state;
    void **locals; /* one for each worker */
} kq_origin;

kq_status kq_run_origin(kq_exec *x, kq_origin *origin, kq_op *op, kq_error *err);

/* ---- stores: rows kept in order */

typedef struct kq_store {
    kq_rows rows;
    kq_type *types;
    struct kq_store *next;
} kq_store;

/* A store for these columns, freed with the exec. */
kq_store *kq_store_create(kq_exec *x, const kq_columns *columns, kq_error *err);
/* Frees a store's rows early. */
void kq_store_empty(kq_store *store);
/* Runs `plan` into a store, rows in order; at most `limit` rows. */
kq_status kq_flow_store(kq_exec *x, const kq_plan *plan, uint64_t limit, kq_store **out, kq_error *err);
/* Sends a store's rows to `op`: all, or those of `order` (n row numbers). */
kq_status kq_store_flow(kq_exec *x, const kq_store *store, const uint64_t *order, uint64_t n, kq_op *op, kq_error *err);

/* An operator that passes chunks to `to` in the order of morsels, one at a time, and stops the source after `limit`
 * rows. */
kq_op *kq_ordered_create(kq_exec *x, const kq_columns *columns, uint64_t limit, const kq_consumer *to, kq_error *err);
void kq_ordered_destroy(kq_op *op);

/* ---- expressions */

/* Compiles an expression: subqueries are run, patterns of constants prepared. */
kq_status kq_eval_create(kq_exec *x, const kq_expr *expr, kq_eval **out, kq_error *err);
kq_status kq_eval_create_all(kq_exec *x, kq_expr *const *exprs, uint32_t n, kq_eval ***out, kq_error *err);
/* Its value for the rows sel[0..n) of the chunk (0..n-1 when NULL). Lives in the worker's arena, the chunk, or for
 * ever. */
kq_status kq_eval_run(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, const uint16_t *sel, uint32_t n,
                      const kq_vector **out, kq_error *err);
/* The value of an expression without columns. */
kq_status kq_eval_constant(kq_exec *x, const kq_expr *expr, kq_value *out, kq_error *err);
/* Narrows sel[0..*n) to the rows for which the expression is true; `sel` has room for 2048. */
kq_status kq_eval_filter(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, uint16_t *sel, uint32_t *n,
                         kq_error *err);

/* ---- keys of groups and joins */

/* Hashes of the rows of n key vectors, null equal to null, -0 to 0, NaN to NaN. hashes[k] is that of row sel[k]. */
void kq_keys_hash(const kq_vector *const *keys, uint32_t nkeys, const uint16_t *sel, uint32_t n, uint64_t *hashes);
/* Are row i of `a` and row j of `b` the same keys? */
bool kq_keys_same(const kq_vector *const *a, uint32_t i, const kq_vector *b, uint32_t j, uint32_t nkeys);

#endif
