/* sort, take. */
#include "exec/sort.h"

typedef struct sorted {
    kq_exec *x;
    kq_store *store;
} sorted;

static kq_status sort_push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    sorted *s = ctx;
    return kq_exec_limit(s->x, kq_rows_append_chunk(&s->store->rows, chunk, err), "sort", err);
}

static kq_status order(kq_sorter *s, kq_store *store, kq_rows *computed, kq_ordering *out, kq_error *err) {
    KQ_TRY(kq_sorter_compute(s, &s->x->workers[0], &store->rows, computed, err));
    return kq_sorter_run(s, &store->rows, computed, out, err);
}

kq_status kq_op_sort(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_sorter sorter;
    kq_rows computed;
    kq_ordering ordering = {0};
    sorted s = {x, kq_store_create(x, &plan->input->out, err)};
    kq_consumer to = {.push = sort_push, .ctx = &s};
    if (!s.store) return KQ_ERR_NOMEM;
    KQ_TRY(kq_sorter_init(&sorter, x, plan, err));
    kq_op *op = kq_ordered_create(x, &plan->input->out, UINT64_MAX, &to, err);
    if (!op) return KQ_ERR_NOMEM;
    kq_rows_init(&computed, sorter.computed, sorter.ncomputed, x->env->budget);
    kq_status status = kq_flow(x, plan->input, op, err);
    kq_ordered_destroy(op);
    if (!status) status = kq_exec_limit(x, order(&sorter, s.store, &computed, &ordering, err), "sort", err);
    kq_rows_deinit(&computed);
    if (!status) status = kq_store_flow(x, s.store, ordering.rows, ordering.n, next, err);
    kq_ordering_deinit(&ordering);
    kq_store_empty(s.store);
    return status;
}

kq_status kq_row_count(kq_exec *x, const kq_expr *e, uint64_t *out, kq_error *err) {
    kq_value v;
    KQ_TRY(kq_eval_constant(x, e, &v, err));
    int64_t n = v.type == KQ_INT ? v.u.i : v.u.l;
    if (v.null || n < 0) return kq_fail_at(err, KQ_ERR_QUERY, e->span, "the number of rows must not be negative");
    *out = (uint64_t)n;
    return KQ_OK;
}

kq_status kq_op_take(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    uint64_t n = 0;
    kq_store *store;
    KQ_TRY(kq_row_count(x, plan->u.order.count, &n, err));
    KQ_TRY(kq_exec_limit(x, kq_flow_store(x, plan->input, n, &store, err), "take", err));
    kq_status status = kq_store_flow(x, store, NULL, store->rows.n, op, err);
    kq_store_empty(store);
    return status;
}
