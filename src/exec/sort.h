/*
 * Orders rows by the keys of a sort or top. Keys that are plain columns are read where they are; others are computed
 * once and kept beside the rows.
 */
#ifndef KQ_EXEC_SORT_H
#define KQ_EXEC_SORT_H

#include "exec/operator.h"

typedef struct kq_sort_by {
    kq_eval *expr;   /* NULL: a plain column */
    uint32_t column; /* of the rows, or of the computed keys */
    kq_type type;
    bool descending, nulls_first;
} kq_sort_by;

typedef struct kq_sorter {
    kq_exec *x;
    kq_sort_by *keys;
    uint32_t nkeys;
    kq_type *computed; /* types of the computed keys */
    uint32_t ncomputed;
} kq_sorter;

/* The order of rows: their numbers. */
typedef struct kq_ordering {
    uint64_t *rows;
    uint64_t n;
    size_t charged;
    kq_budget *budget;
} kq_ordering;

/* Prepares the keys of a SORT or TOP; `keys` has room for one more. */
kq_status kq_sorter_init(kq_sorter *s, kq_exec *x, const kq_plan *plan, kq_error *err);

/* Computes the keys of the rows from computed->n on. */
kq_status kq_sorter_compute(const kq_sorter *s, kq_worker *w, const kq_rows *rows, kq_rows *computed, kq_error *err);

/* The order of all rows, stable; `computed` has their computed keys. The caller deinitialises *out, on failure too.
 * Errors: NOMEM, LIMIT, CANCELLED, DEADLINE. */
kq_status kq_sorter_run(const kq_sorter *s, const kq_rows *rows, const kq_rows *computed, kq_ordering *out,
                        kq_error *err);
void kq_ordering_deinit(kq_ordering *o);

/* How value i of `a` and value j of `b` stand to each other by this key: <0, 0, >0. */
int kq_sort_compare(const kq_sort_by *key, const kq_vector *a, uint32_t i, const kq_vector *b, uint32_t j);

#endif
