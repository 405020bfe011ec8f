/* mv-expand: one row for each element of an array, one for each entry of a bag; several columns in parallel. A null
 * keeps its row, an empty array or bag drops it (when every expanded column is empty). */
#include "column/dynamic.h"
#include "exec/operator.h"

typedef struct expand {
    const kq_plan *plan;
    uint64_t limit;
    const kq_eval *
        *convert; /* by expanded column: dynamic -> its type, over a chunk of one dynamic column; NULL: as is */
} expand;

typedef struct batch {
    kq_vector *cols;
    uint32_t n;
    kq_arena_mark mark; /* what the batch takes of the worker's arena is given back when it is pushed */
} batch;

static kq_status batch_start(const expand *e, kq_worker *w, batch *b, kq_error *err) {
    uint32_t n = e->plan->out.n;
    b->n = 0;
    b->mark = kq_arena_here(&w->arena);
    b->cols = kq_arena_array(&w->arena, kq_vector, n + 1);
    if (!b->cols) return kq_arena_status(&w->arena, err);
    for (uint32_t c = 0; c < n; c++) {
        kq_type type = e->plan->out.items[c].type;
        for (uint32_t k = 0; k < e->plan->u.expand.n; k++)
            if (e->plan->u.expand.columns[k] == c) type = KQ_DYNAMIC; /* converted when the batch is full */
        KQ_TRY(kq_vector_init(&b->cols[c], type, KQ_CHUNK_ROWS, true, &w->arena, err));
    }
    return KQ_OK;
}

static kq_status batch_push(const expand *e, kq_op *next, kq_worker *w, batch *b, kq_error *err) {
    if (!b->n) return KQ_OK;
    KQ_TRY(kq_exec_check(w->exec->env, err));
    kq_chunk chunk = {.rows = b->n, .selected = b->n, .ncols = e->plan->out.n, .cols = b->cols};
    chunk.ordinal = (w->seq << 32) + w->made;
    w->made += b->n;
    for (uint32_t k = 0; k < e->plan->u.expand.n; k++) {
        uint32_t c = e->plan->u.expand.columns[k];
        if (!e->convert[k]) continue;
        const kq_vector *v;
        kq_chunk one = chunk;
        one.cols = &b->cols[c];
        one.ncols = 1;
        KQ_TRY(kq_eval_run(e->convert[k], w, &one, NULL, b->n, &v, err));
        b->cols[c] = *v;
    }
    for (uint32_t c = 0; c < chunk.ncols; c++) kq_vec_drop_nulls(&b->cols[c], b->n);
    KQ_TRY(kq_op_push(next, w, &chunk, err));
    kq_arena_back(&w->arena, b->mark);
    return KQ_OK;
}

/* Element i of what is expanded, encoded in the arena when it is not a part of `d`; {NULL,0}: null. */
static kq_status element(const expand *e, kq_worker *w, kq_dyn d, uint64_t i, kq_dyn *out, kq_error *err) {
    *out = (kq_dyn){NULL, 0};
    kq_dyn_tag tag = kq_dyn_tag_of(d);
    if (tag == KQ_DYN_ARRAY) {
        if (i < kq_dyn_count(d)) *out = kq_dyn_element(d, (uint32_t)i);
    } else if (tag == KQ_DYN_BAG) {
        if (i >= kq_dyn_count(d)) return KQ_OK;
        kq_sv key;
        kq_dyn value = kq_dyn_entry(d, (uint32_t)i, &key);
        kq_buf buf;
        kq_dyn_builder b;
        kq_buf_init(&buf, w->exec->env->budget, KQ_STR_MAX);
        kq_dyn_open(&b, &buf, !e->plan->u.expand.arrays);
        if (e->plan->u.expand.arrays) {
            kq_dyn_put_string(&buf, key);
            kq_dyn_part(&b);
        } else {
            kq_dyn_key(&b, key);
        }
        kq_dyn_put_dyn(&buf, value);
        kq_dyn_part(&b);
        kq_dyn_close(&b);
        kq_status status = kq_buf_status(&buf, err);
        if (!status) *out = kq_arena_copy(&w->arena, kq_buf_view(&buf));
        kq_buf_deinit(&buf);
        KQ_TRY(status);
        return kq_arena_status(&w->arena, err);
    } else if (i == 0) {
        *out = d; /* a scalar is itself */
    }
    if (kq_dyn_tag_of(*out) == KQ_DYN_NULL) *out = (kq_dyn){NULL, 0};
    return KQ_OK;
}

static uint64_t length(kq_dyn d) {
    kq_dyn_tag tag = kq_dyn_tag_of(d);
    return tag == KQ_DYN_ARRAY || tag == KQ_DYN_BAG ? kq_dyn_count(d) : 1; /* null too: it keeps its row */
}

static kq_status expand_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    const expand *e = op->state;
    const kq_plan *plan = e->plan;
    uint32_t nin = plan->input->out.n;
    batch b;
    kq_dyn *values = kq_arena_array(&w->arena, kq_dyn, plan->u.expand.n + 1);
    if (!values) return kq_arena_status(&w->arena, err);
    KQ_TRY(batch_start(e, w, &b, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        uint64_t rows = 0;
        for (uint32_t x = 0; x < plan->u.expand.n; x++) {
            const kq_vector *v = &chunk->cols[plan->u.expand.columns[x]];
            values[x] = kq_vec_is_null(v, row) ? (kq_dyn){NULL, 0} : kq_str_view(&kq_vec_str(v)[kq_vec_at(v, row)]);
            uint64_t n = length(values[x]);
            if (n > rows) rows = n;
        }
        if (rows > e->limit) rows = e->limit;
        for (uint64_t i = 0; i < rows; i++) {
            for (uint32_t c = 0; c < nin; c++) {
                uint32_t x = 0;
                while (x < plan->u.expand.n && plan->u.expand.columns[x] != c) x++;
                if (x == plan->u.expand.n) {
                    kq_vector_copy(&b.cols[c], b.n, &chunk->cols[c], row);
                    continue;
                }
                kq_dyn d;
                KQ_TRY(element(e, w, values[x], i, &d, err));
                if (d.p)
                    kq_vec_str(&b.cols[c])[b.n] = kq_str_sv(d);
                else
                    kq_vec_set_null(&b.cols[c], b.n);
            }
            if (plan->u.expand.with_index) kq_vec_long(&b.cols[plan->out.n - 1])[b.n] = (int64_t)i;
            if (++b.n == KQ_CHUNK_ROWS) {
                KQ_TRY(batch_push(e, op->next, w, &b, err));
                KQ_TRY(batch_start(e, w, &b, err));
            }
        }
    }
    return batch_push(e, op->next, w, &b, err);
}

/* The conversion dynamic -> type, as a compiled call over a chunk of one column. */
static kq_status conversion(kq_exec *x, kq_type type, const kq_eval **out, kq_error *err) {
    static const char *const names[KQ_TYPE_COUNT] = {
        [KQ_BOOL] = "tobool",         [KQ_INT] = "toint",         [KQ_LONG] = "tolong",
        [KQ_REAL] = "todouble",       [KQ_DECIMAL] = "todecimal", [KQ_DATETIME] = "todatetime",
        [KQ_TIMESPAN] = "totimespan", [KQ_GUID] = "toguid",       [KQ_STRING] = "tostring"};
    *out = NULL;
    if (!names[type]) return KQ_OK;
    kq_type dynamic = KQ_DYNAMIC, want, result;
    kq_expr *call = kq_arena_new(&x->arena, kq_expr), *column = kq_arena_new(&x->arena, kq_expr);
    kq_expr **args = kq_arena_array(&x->arena, kq_expr *, 1);
    if (!call || !column || !args) return kq_arena_status(&x->arena, err);
    const kq_scalar *fn;
    KQ_TRY(kq_scalar_resolve(kq_sv_of(names[type]), &dynamic, NULL, 1, &fn, &want, &result, err));
    *column = (kq_expr){.kind = KQ_EXPR_COLUMN, .type = KQ_DYNAMIC, .span = KQ_NO_SPAN};
    args[0] = column;
    *call = (kq_expr){.kind = KQ_EXPR_CALL, .type = result, .span = KQ_NO_SPAN, .fn = fn, .args = args, .nargs = 1};
    kq_eval *eval;
    KQ_TRY(kq_eval_create(x, call, &eval, err));
    *out = eval;
    return KQ_OK;
}

kq_status kq_op_expand(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, next, sizeof(expand), err);
    if (!op) return KQ_ERR_NOMEM;
    expand *e = op->state;
    op->push = expand_push;
    *e = (expand){.plan = plan, .limit = UINT64_MAX};
    e->convert = kq_arena_array(&x->arena, const kq_eval *, plan->u.expand.n + 1);
    if (!e->convert) return kq_arena_status(&x->arena, err);
    for (uint32_t k = 0; k < plan->u.expand.n; k++) {
        uint32_t c = plan->u.expand.columns[k];
        KQ_TRY(conversion(x, plan->out.items[c].type, &e->convert[k], err));
    }
    if (plan->u.expand.limit) {
        kq_value v;
        KQ_TRY(kq_eval_constant(x, plan->u.expand.limit, &v, err));
        int64_t n = v.type == KQ_INT ? v.u.i : v.u.l;
        e->limit = v.null || n < 0 ? 0 : (uint64_t)n;
    }
    return kq_flow(x, plan->input, op, err);
}
