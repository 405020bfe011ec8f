/*
 * What the optimizer's files share. Private to the optimizer.
 *
 * Plans are trees but for nodes that several others refer to (MATERIALIZE, and subqueries of copied expressions):
 * nothing is moved into those, and they are pruned last, when all readers have said what they need. Expressions are
 * never changed in place, since they may be shared; columns lists neither.
 */
#ifndef KQ_KQL_OPTIMIZE_H
#define KQ_KQL_OPTIMIZE_H

#include "kql/plan.h"

#define KQ_OPTIMIZE_DEPTH 3000 /* of the plan */
#define KQ_NO_COLUMN      UINT32_MAX

/* The projection that stands between a shared node and one that reads it. */
typedef struct kq_pick {
    struct kq_pick *next;
    kq_plan *project;
} kq_pick;

/* What is known of a node that more than one refers to. */
typedef struct kq_shared {
    const kq_plan *plan;
    kq_plan *result;     /* after the rewrite, or NULL before it */
    kq_plan *subquery;   /* done as a subquery: what it became */
    uint32_t refs, seen; /* how many refer to it, and how many of them have said what they need */
    bool *need;
    kq_pick *picks;
    uint32_t *map; /* where its columns went, once pruned */
} kq_shared;

typedef struct kq_ready {
    struct kq_ready *next;
    const kq_plan *plan;
} kq_ready;

typedef struct kq_optimizer {
    kq_arena *arena;
    kq_error *err;
    kq_shared *slots; /* open addressing, a power of two */
    uint32_t nslots, nused;
    kq_ready *ready; /* shared nodes whose readers have all been seen */
    const kq_scalar *conjunction;
    kq_cleanup *cleanups; /* of calls that were folded */
    uint32_t depth;
} kq_optimizer;

/* A set of conjuncts. */
typedef struct kq_conjuncts {
    kq_expr **items;
    uint32_t n;
} kq_conjuncts;

static inline bool kq_is_shared(const kq_shared *s) {
    return s && s->refs > 1;
}

/* optimize.c */
kq_status kq_optimize_nomem(kq_optimizer *o);
kq_status kq_optimize_enter(kq_optimizer *o, const kq_plan *p);
kq_shared *kq_optimize_find(kq_optimizer *o, const kq_plan *plan); /* NULL: refers nobody knows it, so one does */
kq_shared *kq_optimize_add(kq_optimizer *o, const kq_plan *plan);  /* NULL: no memory; moves what find gave */
kq_status kq_optimize_plan(kq_optimizer *o, kq_plan **plan, bool first_only);
kq_status kq_optimize_subqueries(void *optimizer, kq_expr **slot); /* a kq_expr_visit */

/* optimize_expr.c */
typedef kq_status (*kq_expr_visit)(void *ctx, kq_expr **slot);
kq_status kq_plan_exprs(kq_plan *plan, kq_expr_visit visit, void *ctx); /* every expression that a node holds */
void kq_expr_mark(const kq_expr *e, bool *columns);                     /* sets the columns that it refers to */
bool kq_expr_uses(const kq_expr *e, bool (*ok)(const void *ctx, uint32_t column), const void *ctx); /* all are ok */
/* A copy with column i replaced by map[i]; and one with column i replaced by with[i]. NULL: no memory. */
kq_expr *kq_expr_remap(kq_optimizer *o, const kq_expr *e, const uint32_t *map);
kq_expr *kq_expr_substitute(kq_optimizer *o, const kq_expr *e, kq_expr *const *with);
kq_expr *kq_expr_column_of(kq_optimizer *o, uint32_t column, kq_type type, kq_span span);
unsigned kq_expr_cost(const kq_expr *e);
bool kq_is_call(const kq_expr *e, const char *name);
bool kq_columns_alloc_n(kq_optimizer *o, kq_columns *columns, uint32_t n);

/* optimize_filter.c: filters as deep as they go, SORT and TAKE to TOP. Conjuncts are over the plan's columns. */
kq_status kq_optimize_push(kq_optimizer *o, kq_plan *plan, kq_conjuncts conjuncts, kq_plan **out);

/* optimize_scan.c: what a scan is told of the filter above it */
kq_status kq_optimize_scan(kq_optimizer *o, kq_plan *scan, kq_conjuncts conjuncts);

/* optimize_prune.c: columns that nobody needs. `need` has a flag per column; (*map)[i] is where column i went. */
kq_status kq_optimize_prune(kq_optimizer *o, kq_plan **plan, const bool *need, uint32_t **map);
kq_status kq_optimize_prune_shared(kq_optimizer *o); /* at the end: what all readers together need */

#endif
