/* Window functions: all rows are kept in order, the function's column is written behind theirs, then they go on. */
#include "column/decimal.h"
#include "exec/operator.h"

enum { MAX_ARGS = 4 };

/* An argument: a column of the rows, a column of `computed`, or one value. */
typedef struct argument {
    const kq_rows *rows; /* NULL: a constant, or not given */
    uint32_t column;
    kq_vector *constant; /* NULL: not given */
} argument;

typedef struct series {
    kq_exec *x;
    const kq_plan *plan;
    kq_store *store;
    kq_rows computed; /* arguments that are more than columns */
    argument args[MAX_ARGS];
    kq_eval *exprs[MAX_ARGS]; /* of `computed` */
    kq_type types[MAX_ARGS];
    uint32_t ncomputed;
    uint32_t column; /* the function's, in the store */
} series;

typedef struct cell {
    const kq_vector *v;
    uint32_t i;
} cell;

static cell at(const argument *a, uint64_t row) {
    if (!a->rows) return (cell){a->constant, 0};
    return (cell){kq_rows_vector(a->rows, row, a->column), kq_rows_index(row)};
}

static bool is_null(cell c) {
    return kq_vec_is_null(c.v, c.i);
}
static int64_t long_of(cell c) {
    return kq_vec_long(c.v)[c.i];
}
static bool is_true(const argument *a, uint64_t row) {
    cell c = at(a, row);
    return !is_null(c) && kq_vec_bool(c.v)[c.i];
}

static kq_status constant(series *s, const kq_expr *e, argument *out, kq_error *err) {
    kq_value v;
    KQ_TRY(kq_eval_constant(s->x, e, &v, err));
    if (!(out->constant = kq_arena_new(&s->x->arena, kq_vector))) return kq_arena_status(&s->x->arena, err);
    KQ_TRY(kq_vector_init(out->constant, v.type, 1, v.null, &s->x->arena, err));
    out->constant->constant = true;
    kq_vector_set(out->constant, 0, &v);
    return KQ_OK;
}

static bool has_columns(const kq_expr *e) {
    if (e->kind == KQ_EXPR_COLUMN) return true;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (has_columns(e->args[i])) return true;
    return e->kind == KQ_EXPR_CALL && (e->fn->flags & KQ_VOLATILE);
}

static kq_status prepare(series *s, kq_error *err) {
    for (uint32_t i = 0; i < s->plan->u.series.nargs && i < MAX_ARGS; i++) {
        const kq_expr *e = s->plan->u.series.args[i];
        if (!e) continue;
        if (e->kind == KQ_EXPR_COLUMN) {
            s->args[i] = (argument){&s->store->rows, e->column, NULL};
        } else if (has_columns(e)) {
            KQ_TRY(kq_eval_create(s->x, e, &s->exprs[s->ncomputed], err));
            s->types[s->ncomputed] = e->type;
            s->args[i] = (argument){&s->computed, s->ncomputed++, NULL};
        } else {
            KQ_TRY(constant(s, e, &s->args[i], err));
        }
    }
    return KQ_OK;
}

static kq_status compute(series *s, kq_error *err) {
    kq_worker *w = &s->x->workers[0];
    for (size_t b = 0; s->ncomputed && b < s->store->rows.nblocks; b++) {
        kq_arena_reset(&w->arena);
        kq_vector *cols = kq_arena_array(&w->arena, kq_vector, s->store->rows.ncols + 1);
        if (!cols) return kq_arena_status(&w->arena, err);
        kq_chunk chunk = kq_rows_chunk(&s->store->rows, b, cols);
        const kq_vector *values[MAX_ARGS];
        for (uint32_t k = 0; k < s->ncomputed; k++)
            KQ_TRY(kq_eval_run(s->exprs[k], w, &chunk, NULL, chunk.rows, &values[k], err));
        KQ_TRY(kq_rows_append(&s->computed, values, NULL, chunk.rows, err));
        KQ_TRY(kq_exec_check(s->x->env, err));
    }
    return KQ_OK;
}

/* ---- the functions; `out` is the block of the function's column that holds `row` */

static kq_vector *result(series *s, uint64_t row) {
    return (kq_vector *)kq_rows_vector(&s->store->rows, row, s->column);
}

static void copy(kq_vector *out, uint64_t row, cell from) {
    kq_vector_copy(out, kq_rows_index(row), from.v, from.i);
}

static void row_number(series *s) {
    int64_t n = 0;
    for (uint64_t r = 0; r < s->store->rows.n; r++) {
        cell start = at(&s->args[0], r);
        if (r == 0 || is_true(&s->args[1], r))
            n = is_null(start) ? 1 : long_of(start);
        else
            n = (int64_t)((uint64_t)n + 1);
        kq_vec_long(result(s, r))[kq_rows_index(r)] = n;
    }
}

/* prev and next: the value `offset` rows away, the default outside. */
static void neighbour(series *s, bool next) {
    uint64_t n = s->store->rows.n, offset = (uint64_t)long_of(at(&s->args[1], 0));
    for (uint64_t r = 0; r < n; r++) {
        bool inside = next ? offset < n - r : offset <= r;
        if (inside)
            copy(result(s, r), r, at(&s->args[0], next ? r + offset : r - offset));
        else if (s->args[2].constant)
            copy(result(s, r), r, at(&s->args[2], r));
        else if (result(s, r)->type != KQ_STRING)
            kq_vec_set_null(result(s, r), kq_rows_index(r));
    }
}

/* Nulls add nothing. */
static void row_cumsum(series *s) {
    kq_type type = s->plan->out.items[s->column].type;
    uint64_t sum = 0;
    double real = 0;
    kq_decimal decimal = kq_decimal_from_long(0);
    bool bad = false; /* the decimal sum has no value */
    for (uint64_t r = 0; r < s->store->rows.n; r++) {
        cell c = at(&s->args[0], r);
        kq_vector *out = result(s, r);
        uint32_t i = kq_rows_index(r);
        if (is_true(&s->args[1], r)) {
            sum = 0;
            real = 0;
            decimal = kq_decimal_from_long(0);
            bad = false;
        }
        bool null = is_null(c);
        switch (type) {
        case KQ_INT:
            if (!null) sum += (uint64_t)(int64_t)kq_vec_int(c.v)[c.i];
            kq_vec_int(out)[i] = (int32_t)(uint32_t)sum;
            break;
        case KQ_REAL:
            if (!null) real += kq_vec_real(c.v)[c.i];
            kq_vec_real(out)[i] = real;
            break;
        case KQ_DECIMAL:
            if (!null) bad |= !kq_decimal_add(&decimal, &kq_vec_decimal(c.v)[c.i], &decimal);
            if (bad)
                kq_vec_set_null(out, i);
            else
                kq_vec_decimal(out)[i] = decimal;
            break;
        default:
            if (!null) sum += (uint64_t)long_of(c);
            kq_vec_long(out)[i] = (int64_t)sum;
        }
    }
}

static void row_rank(series *s, bool dense) {
    int64_t number = 0, rank = 0;
    for (uint64_t r = 0; r < s->store->rows.n; r++) {
        bool fresh = r == 0 || is_true(&s->args[1], r);
        number = fresh ? 1 : number + 1;
        if (fresh) {
            rank = 1;
        } else {
            cell a = at(&s->args[0], r), b = at(&s->args[0], r - 1);
            if (!kq_keys_same(&a.v, a.i, b.v, b.i, 1)) rank = dense ? rank + 1 : number;
        }
        kq_vec_long(result(s, r))[kq_rows_index(r)] = rank;
    }
}

static bool reaches(int64_t value, int64_t from, cell distance) {
    int64_t limit;
    if (is_null(distance)) return false;
    return !__builtin_add_overflow(from, long_of(distance), &limit) && value >= limit;
}

static void row_window_session(series *s) {
    int64_t first = 0, before = 0;
    bool open = false;
    for (uint64_t r = 0; r < s->store->rows.n; r++) {
        cell c = at(&s->args[0], r);
        if (is_null(c)) {
            open = false;
            kq_vec_set_null(result(s, r), kq_rows_index(r));
            continue;
        }
        int64_t value = long_of(c);
        if (!open || is_true(&s->args[3], r) || reaches(value, first, at(&s->args[1], r)) ||
            reaches(value, before, at(&s->args[2], r)))
            first = value;
        open = true;
        before = value;
        kq_vec_long(result(s, r))[kq_rows_index(r)] = first;
    }
}

static void run(series *s) {
    switch (s->plan->u.series.kind) {
    case KQ_WINDOW_ROW_NUMBER: row_number(s); break;
    case KQ_WINDOW_PREV: neighbour(s, false); break;
    case KQ_WINDOW_NEXT: neighbour(s, true); break;
    case KQ_WINDOW_ROW_CUMSUM: row_cumsum(s); break;
    case KQ_WINDOW_ROW_RANK_MIN: row_rank(s, false); break;
    case KQ_WINDOW_ROW_RANK_DENSE: row_rank(s, true); break;
    case KQ_WINDOW_ROW_WINDOW_SESSION: row_window_session(s); break;
    }
}

/* The text of computed values is theirs: the rows get their own. */
static kq_status own_text(series *s, kq_error *err) {
    kq_rows *rows = &s->store->rows;
    kq_type type = s->plan->out.items[s->column].type;
    if ((type != KQ_STRING && type != KQ_DYNAMIC) || s->args[0].rows != &s->computed) return KQ_OK;
    for (uint64_t r = 0; r < rows->n; r++) {
        kq_str *str = &kq_vec_str(result(s, r))[kq_rows_index(r)];
        if (str->len <= KQ_STR_INLINE) continue;
        char *p = kq_arena_bytes(&rows->arena, str->len);
        if (!p) return kq_arena_status(&rows->arena, err);
        memcpy(p, str->u.big.ptr, str->len);
        str->u.big.ptr = p;
    }
    return KQ_OK;
}

static kq_status run_series(series *s, kq_error *err) {
    const kq_columns *out = &s->plan->out;
    kq_type *types = kq_arena_array(&s->x->arena, kq_type, out->n);
    if (!types) return kq_arena_status(&s->x->arena, err);
    for (uint32_t i = 0; i < out->n; i++) types[i] = out->items[i].type;
    KQ_TRY(prepare(s, err));
    s->computed.ncols = s->ncomputed;
    KQ_TRY(compute(s, err));
    KQ_TRY(kq_rows_add_column(&s->store->rows, types, err));
    s->store->types = types;
    run(s);
    KQ_TRY(own_text(s, err));
    return kq_exec_check(s->x->env, err);
}

kq_status kq_op_series(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    series s = {.x = x, .plan = plan, .column = plan->input->out.n};
    KQ_TRY(kq_exec_limit(x, kq_flow_store(x, plan->input, UINT64_MAX, &s.store, err), "serialize", err));
    kq_rows_init(&s.computed, s.types, 0, x->env->budget);
    kq_status status = kq_exec_limit(x, run_series(&s, err), "serialize", err);
    if (!status) status = kq_store_flow(x, s.store, NULL, s.store->rows.n, op, err);
    kq_rows_deinit(&s.computed);
    kq_store_empty(s.store);
    return status;
}
