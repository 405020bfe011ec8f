/* Row by row: filter, project. */
#include "exec/operator.h"

static kq_status filter_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    const kq_eval *e = *(kq_eval **)op->state;
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    if (!sel) return kq_arena_status(&w->arena, err);
    uint32_t n = chunk->selected;
    for (uint32_t k = 0; k < n; k++) sel[k] = (uint16_t)kq_chunk_row(chunk, k);
    KQ_TRY(kq_eval_filter(e, w, chunk, sel, &n, err));
    if (!n) return KQ_OK;
    chunk->sel = sel;
    chunk->selected = n;
    return kq_op_push(op->next, w, chunk, err);
}

kq_status kq_op_filter(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, next, sizeof(kq_eval *), err);
    if (!op) return KQ_ERR_NOMEM;
    op->push = filter_push;
    KQ_TRY(kq_eval_create(x, plan->u.filter.predicate, (kq_eval **)op->state, err));
    return kq_flow(x, plan->input, op, err);
}

static kq_status project_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    kq_eval **exprs = *(kq_eval ***)op->state;
    uint32_t n = op->plan->out.n;
    kq_vector *cols = kq_arena_array(&w->arena, kq_vector, n + 1);
    if (!cols) return kq_arena_status(&w->arena, err);
    for (uint32_t i = 0; i < n; i++) {
        const kq_vector *v;
        KQ_TRY(kq_eval_run(exprs[i], w, chunk, chunk->sel, chunk->selected, &v, err));
        cols[i] = *v;
    }
    kq_chunk out = *chunk;
    out.cols = cols;
    out.ncols = n;
    return kq_op_push(op->next, w, &out, err);
}

kq_status kq_op_project(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, next, sizeof(kq_eval **), err);
    if (!op) return KQ_ERR_NOMEM;
    op->push = project_push;
    KQ_TRY(kq_eval_create_all(x, plan->u.project.exprs, plan->out.n, (kq_eval ***)op->state, err));
    return kq_flow(x, plan->input, op, err);
}
