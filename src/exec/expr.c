#include "column/dynamic.h"
#include "exec/operator.h"

typedef enum eval_kind { EVAL_COLUMN, EVAL_CONST, EVAL_CALL, EVAL_AND, EVAL_OR } eval_kind;

struct kq_eval {
    eval_kind kind;
    kq_type type;
    uint32_t column;
    kq_vector constant; /* CONST */
    const kq_scalar *fn;
    const void *state;
    kq_eval **args;
    uint32_t nargs;
};

/* ---- compiling */

static kq_status constant_vector(kq_exec *x, const kq_value *value, kq_vector *out, kq_error *err) {
    KQ_TRY(kq_vector_init(out, value->type, 1, true, &x->arena, err));
    out->constant = true;
    if (value->null && value->type != KQ_STRING) {
        kq_vec_set_null(out, 0);
        return KQ_OK;
    }
    kq_value v = *value;
    if ((v.type == KQ_STRING || v.type == KQ_DYNAMIC) && v.u.s.len > KQ_STR_INLINE) {
        kq_sv copy = kq_arena_copy(&x->arena, kq_str_view(&v.u.s));
        if (!copy.p) return kq_arena_status(&x->arena, err);
        v.u.s = kq_str_sv(copy);
    }
    kq_vector_set(out, 0, &v);
    out->nulls = NULL;
    return KQ_OK;
}

/* Runs a subquery: its first value, or its first column as a dynamic array. */
static kq_status subquery(kq_exec *x, const kq_expr *e, kq_value *out, kq_error *err) {
    kq_store *store;
    KQ_TRY(kq_flow_store(x, e->subquery, e->list ? UINT64_MAX : 1, &store, err));
    if (!e->list) {
        *out = kq_value_null(e->type);
        if (store->rows.n) *out = kq_vector_get(kq_rows_vector(&store->rows, 0, 0), 0);
        return KQ_OK; /* the store lives as long as the exec */
    }
    kq_buf buf;
    kq_dyn_builder b;
    kq_buf_init(&buf, x->env->budget, KQ_STR_MAX);
    kq_dyn_open(&b, &buf, false);
    for (uint64_t r = 0; r < store->rows.n; r++) {
        kq_value v = kq_vector_get(kq_rows_vector(&store->rows, r, 0), kq_rows_index(r));
        kq_dyn_put_value(&buf, &v);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    kq_status status = kq_buf_status(&buf, err);
    if (!status) {
        kq_sv copy = kq_arena_copy(&x->arena, kq_buf_view(&buf));
        *out = (kq_value){.type = KQ_DYNAMIC, .u.s = kq_str_sv(copy)};
        status = kq_arena_status(&x->arena, err);
    }
    kq_buf_deinit(&buf);
    return status;
}

/* A call whose arguments are all constants now (a subquery's value made them so). */
static kq_status fold(kq_exec *x, const kq_expr *e, kq_eval *out, kq_error *err) {
    kq_expr call = *e;
    call.args = kq_arena_array(&x->arena, kq_expr *, e->nargs + 1);
    if (!call.args) return kq_arena_status(&x->arena, err);
    for (uint32_t i = 0; i < e->nargs; i++) {
        kq_expr *a = kq_arena_new(&x->arena, kq_expr);
        if (!a) return kq_arena_status(&x->arena, err);
        *a = (kq_expr){.kind = KQ_EXPR_CONST, .type = out->args[i]->type, .span = e->args[i]->span};
        a->value = kq_vector_get(&out->args[i]->constant, 0);
        call.args[i] = a;
    }
    KQ_TRY(kq_fold_call(&call, &x->arena, x->env->cleanups, err));
    if (call.kind != KQ_EXPR_CONST) return KQ_OK;
    out->kind = EVAL_CONST;
    return constant_vector(x, &call.value, &out->constant, err);
}

static kq_status compile_call(kq_exec *x, const kq_expr *e, kq_eval *out, kq_error *err) {
    bool constant = true;
    out->fn = e->fn;
    out->nargs = e->nargs;
    KQ_TRY(kq_eval_create_all(x, e->args, e->nargs, &out->args, err));
    for (uint32_t i = 0; i < e->nargs; i++) constant &= out->args[i]->kind == EVAL_CONST;
    out->kind = EVAL_CALL;
    if (e->nargs == 2 && strcmp(e->fn->name, "and") == 0) out->kind = EVAL_AND;
    if (e->nargs == 2 && strcmp(e->fn->name, "or") == 0) out->kind = EVAL_OR;
    if (constant && !(e->fn->flags & KQ_VOLATILE)) return fold(x, e, out, err);
    if (!e->fn->prepare) return KQ_OK;
    const kq_vector **args = kq_arena_array(&x->arena, const kq_vector *, e->nargs + 1);
    if (!args) return kq_arena_status(&x->arena, err);
    for (uint32_t i = 0; i < e->nargs; i++)
        if (out->args[i]->kind == EVAL_CONST) args[i] = &out->args[i]->constant;
    kq_prepare p = {e->fn, args, e->nargs, &x->arena, x->env->cleanups};
    kq_status status = e->fn->prepare(&p, &out->state, err);
    if (status == KQ_ERR_QUERY && err && err->span_start == UINT32_MAX) {
        err->span_start = e->span.start;
        err->span_len = e->span.len;
    }
    return status;
}

kq_status kq_eval_create(kq_exec *x, const kq_expr *e, kq_eval **out, kq_error *err) {
    kq_eval *v = kq_arena_new(&x->arena, kq_eval);
    if (!v) return kq_arena_status(&x->arena, err);
    *out = v;
    v->type = e->type;
    switch (e->kind) {
    case KQ_EXPR_COLUMN:
        v->kind = EVAL_COLUMN;
        v->column = e->column;
        return KQ_OK;
    case KQ_EXPR_CONST: v->kind = EVAL_CONST; return constant_vector(x, &e->value, &v->constant, err);
    case KQ_EXPR_CALL: return compile_call(x, e, v, err);
    case KQ_EXPR_SUBQUERY: {
        kq_value value;
        KQ_TRY(subquery(x, e, &value, err));
        v->kind = EVAL_CONST;
        return constant_vector(x, &value, &v->constant, err);
    }
    }
    return kq_fail(err, KQ_ERR_INTERNAL, "an expression of no known kind");
}

kq_status kq_eval_create_all(kq_exec *x, kq_expr *const *exprs, uint32_t n, kq_eval ***out, kq_error *err) {
    *out = kq_arena_array(&x->arena, kq_eval *, n + 1);
    if (!*out) return kq_arena_status(&x->arena, err);
    for (uint32_t i = 0; i < n; i++) KQ_TRY(kq_eval_create(x, exprs[i], &(*out)[i], err));
    return KQ_OK;
}

kq_status kq_eval_constant(kq_exec *x, const kq_expr *expr, kq_value *out, kq_error *err) {
    kq_eval *e;
    const kq_vector *v;
    kq_chunk none = {.rows = 1, .selected = 1};
    KQ_TRY(kq_eval_create(x, expr, &e, err));
    KQ_TRY(kq_eval_run(e, &x->workers[0], &none, NULL, 1, &v, err));
    *out = kq_vector_get(v, 0);
    if (v != &e->constant) { /* a volatile call's: out of the worker's arena */
        kq_vector kept;
        KQ_TRY(constant_vector(x, out, &kept, err));
        *out = kq_vector_get(&kept, 0);
    }
    return KQ_OK;
}

/* ---- running */

static inline uint32_t row_at(const uint16_t *sel, uint32_t k) {
    return sel ? sel[k] : k;
}

static kq_status new_vector(kq_worker *w, kq_type type, uint32_t rows, kq_vector **out, kq_error *err) {
    *out = kq_arena_new(&w->arena, kq_vector);
    if (!*out) return kq_arena_status(&w->arena, err);
    return kq_vector_init(*out, type, rows ? rows : 1, true, &w->arena, err);
}

static uint16_t *new_sel(kq_worker *w, kq_error *err) {
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    if (!sel) (void)!kq_arena_status(&w->arena, err);
    return sel;
}

static bool any_null(const kq_vector *v, uint32_t rows) {
    uint64_t any = 0;
    for (uint32_t i = 0; i < (v->constant ? 1 : (rows + 63) / 64); i++) any |= v->nulls[i];
    return any != 0;
}

/* Leaves out of `sel` the rows where an argument is null and marks them null in `out`. *none: no row is left. */
static kq_status skip_nulls(kq_worker *w, const kq_vector *const *args, uint32_t nargs, uint32_t rows,
                            const uint16_t **sel, uint32_t *n, kq_vector *out, kq_error *err) {
    for (uint32_t a = 0; a < nargs; a++) {
        const kq_vector *v = args[a];
        if (!v->nulls || !any_null(v, rows)) continue;
        uint16_t *left = new_sel(w, err);
        if (!left) return kq_arena_status(&w->arena, err);
        uint32_t m = 0;
        for (uint32_t k = 0; k < *n; k++) {
            uint32_t row = row_at(*sel, k);
            if (!kq_vec_is_null(v, row))
                left[m++] = (uint16_t)row;
            else if (out->type != KQ_STRING)
                kq_vec_set_null(out, row);
        }
        *sel = left;
        *n = m;
    }
    return KQ_OK;
}

static kq_status run_call(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, const uint16_t *sel, uint32_t n,
                          const kq_vector **result, kq_error *err) {
    const kq_vector **args = kq_arena_array(&w->arena, const kq_vector *, e->nargs + 1);
    if (!args) return kq_arena_status(&w->arena, err);
    bool constant = !(e->fn->flags & KQ_VOLATILE);
    for (uint32_t i = 0; i < e->nargs; i++) {
        KQ_TRY(kq_eval_run(e->args[i], w, chunk, sel, n, &args[i], err));
        constant &= args[i]->constant;
    }
    kq_vector *out;
    KQ_TRY(new_vector(w, e->type, constant ? 1 : chunk->rows, &out, err));
    *result = out;
    kq_call call = {.fn = e->fn, .args = args, .nargs = e->nargs, .out = out, .arena = &w->arena, .state = e->state};
    call.n = constant ? 1 : n;
    call.sel = constant ? NULL : sel;
    out->constant = constant;
    if (!(e->fn->flags & KQ_NULLS_SEEN))
        KQ_TRY(skip_nulls(w, args, e->nargs, chunk->rows, &call.sel, &call.n, out, err));
    if (call.n) KQ_TRY(e->fn->fn(&call, err));
    kq_vec_drop_nulls(out, constant ? 1 : chunk->rows);
    return kq_arena_status(&w->arena, err);
}

/* and, or: the right side is computed only for rows that the left side leaves open. `decided` is the value of the left
 * that decides: false for and, true for or. */
static kq_status run_logic(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, const uint16_t *sel, uint32_t n,
                           const kq_vector **result, kq_error *err) {
    const uint8_t decided = e->kind == EVAL_OR;
    const kq_vector *left, *right;
    kq_vector *out;
    uint32_t m = 0;
    KQ_TRY(kq_eval_run(e->args[0], w, chunk, sel, n, &left, err));
    KQ_TRY(new_vector(w, KQ_BOOL, chunk->rows, &out, err));
    uint16_t *open = new_sel(w, err);
    if (!open) return kq_arena_status(&w->arena, err);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = row_at(sel, k);
        bool null = kq_vec_is_null(left, row);
        uint8_t value = null ? !decided : kq_vec_bool(left)[kq_vec_at(left, row)];
        kq_vec_bool(out)[row] = value;
        if (value != decided) open[m++] = (uint16_t)row;
    }
    *result = out;
    if (m) KQ_TRY(kq_eval_run(e->args[1], w, chunk, open, m, &right, err));
    for (uint32_t k = 0; k < m; k++) {
        uint32_t row = open[k];
        bool null = kq_vec_is_null(right, row);
        uint8_t value = null ? !decided : kq_vec_bool(right)[kq_vec_at(right, row)];
        kq_vec_bool(out)[row] = value;
        if (value != decided && (null || kq_vec_is_null(left, row))) kq_vec_set_null(out, row);
    }
    kq_vec_drop_nulls(out, chunk->rows);
    return KQ_OK;
}

kq_status kq_eval_run(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, const uint16_t *sel, uint32_t n,
                      const kq_vector **out, kq_error *err) {
    switch (e->kind) {
    case EVAL_COLUMN: *out = &chunk->cols[e->column]; return KQ_OK;
    case EVAL_CONST: *out = &e->constant; return KQ_OK;
    case EVAL_CALL: return run_call(e, w, chunk, sel, n, out, err);
    case EVAL_AND:
    case EVAL_OR: return run_logic(e, w, chunk, sel, n, out, err);
    }
    return KQ_ERR_INTERNAL;
}

static kq_status filter_or(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, uint16_t *sel, uint32_t *n,
                           kq_error *err) {
    uint16_t *a = new_sel(w, err), *b = new_sel(w, err);
    if (!a || !b) return kq_arena_status(&w->arena, err);
    uint32_t na = *n, nb = 0, all = *n;
    memcpy(a, sel, na * sizeof *a);
    KQ_TRY(kq_eval_filter(e->args[0], w, chunk, a, &na, err));
    for (uint32_t k = 0, i = 0; k < all; k++) {
        if (i < na && a[i] == sel[k])
            i++;
        else
            b[nb++] = sel[k];
    }
    if (nb) KQ_TRY(kq_eval_filter(e->args[1], w, chunk, b, &nb, err));
    for (uint32_t i = 0, j = 0, k = 0; (*n = k) < na + nb; k++)
        sel[k] = j == nb || (i < na && a[i] < b[j]) ? a[i++] : b[j++];
    return KQ_OK;
}

kq_status kq_eval_filter(const kq_eval *e, kq_worker *w, const kq_chunk *chunk, uint16_t *sel, uint32_t *n,
                         kq_error *err) {
    if (e->kind == EVAL_AND) {
        KQ_TRY(kq_eval_filter(e->args[0], w, chunk, sel, n, err));
        return *n ? kq_eval_filter(e->args[1], w, chunk, sel, n, err) : KQ_OK;
    }
    if (e->kind == EVAL_OR) return filter_or(e, w, chunk, sel, n, err);
    const kq_vector *v;
    uint32_t m = 0;
    KQ_TRY(kq_eval_run(e, w, chunk, sel, *n, &v, err));
    for (uint32_t k = 0; k < *n; k++)
        if (kq_vec_bool(v)[kq_vec_at(v, sel[k])] && !kq_vec_is_null(v, sel[k])) sel[m++] = sel[k];
    *n = m;
    return KQ_OK;
}
