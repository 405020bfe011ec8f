/* sort, top, take. */
#include "exec/operator.h"
#include <math.h>
#include <stdlib.h>

typedef struct sort_key {
    const kq_rows *rows; /* where its values are: the rows themselves, or `computed` */
    uint32_t column;
    kq_type type;
    bool descending, nulls_first;
} sort_key;

typedef struct sorting {
    kq_exec *x;
    const kq_plan *plan;
    kq_eval **exprs;
    kq_rows computed; /* keys that are not plain columns */
    kq_type *computed_types;
    uint32_t ncomputed;
    sort_key *keys;
    kq_store *store;
    uint64_t limit; /* TOP; else UINT64_MAX */
} sorting;

/* Where null and NaN stand: together, before or after the values, whatever the direction. */
static int rank(const kq_vector *v, uint32_t i, bool nulls_first) {
    int special = kq_vec_is_null(v, i) ? 2 : v->type == KQ_REAL && isnan(kq_vec_real(v)[kq_vec_at(v, i)]) ? 1 : 0;
    return nulls_first ? -special : special;
}

static int compare_values(const kq_vector *a, uint32_t i, const kq_vector *b, uint32_t j) {
    switch (a->type) {
    case KQ_BOOL: return kq_vec_bool(a)[i] - kq_vec_bool(b)[j];
    case KQ_INT: return (kq_vec_int(a)[i] > kq_vec_int(b)[j]) - (kq_vec_int(a)[i] < kq_vec_int(b)[j]);
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: return (kq_vec_long(a)[i] > kq_vec_long(b)[j]) - (kq_vec_long(a)[i] < kq_vec_long(b)[j]);
    case KQ_REAL: return (kq_vec_real(a)[i] > kq_vec_real(b)[j]) - (kq_vec_real(a)[i] < kq_vec_real(b)[j]);
    case KQ_STRING: return kq_str_cmp(&kq_vec_str(a)[i], &kq_vec_str(b)[j]);
    default: {
        kq_value x = kq_vector_get(a, i), y = kq_vector_get(b, j);
        return kq_value_cmp(&x, &y);
    }
    }
}

static int compare(const void *p, const void *q, void *ctx) {
    const sorting *s = ctx;
    uint64_t x = *(const uint64_t *)p, y = *(const uint64_t *)q;
    for (uint32_t k = 0; k < s->plan->u.order.nkeys; k++) {
        const sort_key *key = &s->keys[k];
        const kq_vector *a = kq_rows_vector(key->rows, x, key->column), *b = kq_rows_vector(key->rows, y, key->column);
        uint32_t i = kq_rows_index(x), j = kq_rows_index(y);
        int ra = rank(a, i, key->nulls_first), rb = rank(b, j, key->nulls_first);
        if (ra != rb) return ra < rb ? -1 : 1;
        if (ra) continue;
        int c = compare_values(a, i, b, j);
        if (c) return key->descending ? -c : c;
    }
    return x < y ? -1 : x > y; /* stable: equal keys in input order */
}

/* Computes the keys of the rows that have none yet, block by block. */
static kq_status compute_keys(sorting *s, kq_error *err) {
    kq_worker *w = &s->x->workers[0];
    if (!s->ncomputed) return KQ_OK;
    while (s->computed.n < s->store->rows.n) {
        kq_arena_reset(&w->arena);
        size_t b = (size_t)(s->computed.n / KQ_CHUNK_ROWS);
        kq_vector *cols = kq_arena_array(&w->arena, kq_vector, s->store->rows.ncols + 1);
        const kq_vector **values = kq_arena_array(&w->arena, const kq_vector *, s->ncomputed);
        uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
        if (!cols || !values || !sel) return kq_arena_status(&w->arena, err);
        kq_chunk chunk = kq_rows_chunk(&s->store->rows, b, cols);
        uint32_t from = kq_rows_index(s->computed.n), n = chunk.rows - from, at = 0;
        for (uint32_t i = 0; i < n; i++) sel[i] = (uint16_t)(from + i);
        for (uint32_t k = 0; k < s->plan->u.order.nkeys; k++)
            if (s->exprs[k]) KQ_TRY(kq_eval_run(s->exprs[k], w, &chunk, sel, n, &values[at++], err));
        KQ_TRY(kq_rows_append(&s->computed, values, sel, n, err));
    }
    return KQ_OK;
}

static kq_status sort_order(sorting *s, uint64_t **order, kq_error *err) {
    uint64_t n = s->store->rows.n;
    KQ_TRY(compute_keys(s, err));
    if (!kq_budget_charge(s->x->env->budget, n * sizeof **order)) return kq_budget_status(s->x->env->budget, err);
    kq_budget_release(s->x->env->budget, n * sizeof **order); /* held shortly: the check is what counts */
    *order = kq_malloc((n + 1) * sizeof **order);
    if (!*order) return kq_nomem(err);
    for (uint64_t i = 0; i < n; i++) (*order)[i] = i;
    KQ_TRY(kq_exec_check(s->x->env, err));
    qsort_r(*order, n, sizeof **order, compare, s);
    return KQ_OK;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Keeps the best `limit` rows, in their input order. */
static kq_status prune(sorting *s, kq_error *err) {
    uint64_t *order = NULL;
    kq_status status = sort_order(s, &order, err);
    kq_rows kept;
    kq_rows_init(&kept, s->store->types, s->store->rows.ncols, s->x->env->budget);
    const kq_vector **row = kq_calloc(s->store->rows.ncols + 1, sizeof *row);
    if (!status && !row) status = kq_nomem(err);
    uint64_t n = s->store->rows.n < s->limit ? s->store->rows.n : s->limit;
    if (!status) qsort(order, n, sizeof *order, ascending);
    for (uint64_t i = 0; i < n && !status; i++) {
        uint16_t at = (uint16_t)kq_rows_index(order[i]);
        for (uint32_t c = 0; c < kept.ncols; c++) row[c] = kq_rows_vector(&s->store->rows, order[i], c);
        status = kq_rows_append(&kept, row, &at, 1, err);
    }
    kq_free(row);
    kq_free(order);
    if (status) {
        kq_rows_deinit(&kept);
        return status;
    }
    kq_rows_deinit(&s->store->rows);
    s->store->rows = kept;
    kq_rows_clear(&s->computed);
    return KQ_OK;
}

static kq_status sort_push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    sorting *s = ctx;
    KQ_TRY(kq_rows_append_chunk(&s->store->rows, chunk, err));
    if (s->limit > UINT64_MAX / 8) return KQ_OK;
    uint64_t most = 4 * s->limit > 65536 ? 4 * s->limit : 65536;
    return s->store->rows.n > most ? prune(s, err) : KQ_OK;
}

static kq_status sort_prepare(sorting *s, kq_error *err) {
    const kq_plan *plan = s->plan;
    uint32_t n = plan->u.order.nkeys;
    s->exprs = kq_arena_array(&s->x->arena, kq_eval *, n + 1);
    s->keys = kq_arena_array(&s->x->arena, sort_key, n + 1);
    s->computed_types = kq_arena_array(&s->x->arena, kq_type, n + 1);
    s->store = kq_store_create(s->x, &plan->input->out, err);
    if (!s->exprs || !s->keys || !s->computed_types || !s->store) return kq_arena_status(&s->x->arena, err);
    for (uint32_t k = 0; k < n; k++) {
        const kq_sort_key *from = &plan->u.order.keys[k];
        s->keys[k] =
            (sort_key){&s->store->rows, from->expr->column, from->expr->type, from->descending, from->nulls_first};
        if (from->expr->kind == KQ_EXPR_COLUMN) continue;
        KQ_TRY(kq_eval_create(s->x, from->expr, &s->exprs[k], err));
        s->keys[k].rows = &s->computed;
        s->keys[k].column = s->ncomputed;
        s->computed_types[s->ncomputed++] = from->expr->type;
    }
    return KQ_OK;
}

static kq_status sorted(kq_exec *x, const kq_plan *plan, uint64_t limit, kq_op *next, kq_error *err) {
    sorting s = {.x = x, .plan = plan, .limit = limit};
    kq_consumer to = {sort_push, &s};
    uint64_t *order = NULL;
    KQ_TRY(sort_prepare(&s, err));
    kq_rows_init(&s.computed, s.computed_types, s.ncomputed, x->env->budget);
    kq_op *op = kq_ordered_create(x, &plan->input->out, limit ? UINT64_MAX : 0, &to, err);
    kq_status status = op ? KQ_OK : KQ_ERR_NOMEM;
    if (!status && limit) status = kq_flow(x, plan->input, op, err);
    kq_ordered_destroy(op);
    if (!status) status = sort_order(&s, &order, err);
    uint64_t n = s.store->rows.n < limit ? s.store->rows.n : limit;
    if (!status) status = kq_store_flow(x, s.store, order, n, next, err);
    kq_free(order);
    kq_rows_deinit(&s.computed);
    kq_store_empty(s.store);
    return status;
}

static kq_status count_of(kq_exec *x, const kq_expr *e, uint64_t *out, kq_error *err) {
    kq_value v;
    KQ_TRY(kq_eval_constant(x, e, &v, err));
    int64_t n = v.type == KQ_INT ? v.u.i : v.u.l;
    if (v.null || n < 0) return kq_fail_at(err, KQ_ERR_QUERY, e->span, "the number of rows must not be negative");
    *out = (uint64_t)n;
    return KQ_OK;
}

kq_status kq_op_sort(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    return sorted(x, plan, UINT64_MAX, op, err);
}

kq_status kq_op_top(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    uint64_t n = 0;
    KQ_TRY(count_of(x, plan->u.order.count, &n, err));
    return sorted(x, plan, n, op, err);
}

kq_status kq_op_take(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    uint64_t n = 0;
    kq_store *store;
    KQ_TRY(count_of(x, plan->u.order.count, &n, err));
    KQ_TRY(kq_flow_store(x, plan->input, n, &store, err));
    kq_status status = kq_store_flow(x, store, NULL, store->rows.n, op, err);
    kq_store_empty(store);
    return status;
}
