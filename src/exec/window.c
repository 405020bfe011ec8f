#include "exec/window.h"
#include "kql/plan_met.h"

#define DEPTH 1000

uint32_t kq_window_column(const kq_columns *columns) {
    static const kq_sv names[] = {{"Timestamp", 9}, {"TimeGenerated", 13}};
    for (size_t n = 0; n < 2; n++)
        for (uint32_t i = 0; i < columns->n; i++)
            if (columns->items[i].type == KQ_DATETIME && kq_sv_eq(columns->items[i].name, names[n])) return i;
    return UINT32_MAX;
}

typedef struct window {
    int64_t from, to;
    kq_arena *arena;
    kq_error *err;
    kq_plan_met met;
} window;

static kq_status call(window *w, const char *name, kq_expr *left, kq_expr *right, kq_expr **out) {
    kq_type types[2] = {left->type, right->type}, want[2], result;
    const kq_scalar *fn;
    KQ_TRY(kq_scalar_resolve(kq_sv_of(name), types, NULL, 2, &fn, want, &result, w->err));
    kq_expr *e = kq_arena_new(w->arena, kq_expr);
    kq_expr **args = kq_arena_array(w->arena, kq_expr *, 2);
    if (!e || !args) return kq_arena_status(w->arena, w->err);
    args[0] = left;
    args[1] = right;
    *e = (kq_expr){.kind = KQ_EXPR_CALL, .type = result, .span = KQ_NO_SPAN, .fn = fn, .args = args, .nargs = 2};
    *out = e;
    return KQ_OK;
}

static kq_status compare(window *w, const char *op, uint32_t column, int64_t ticks, kq_expr **out) {
    kq_expr *left = kq_arena_new(w->arena, kq_expr), *right = kq_arena_new(w->arena, kq_expr);
    if (!left || !right) return kq_arena_status(w->arena, w->err);
    *left = (kq_expr){.kind = KQ_EXPR_COLUMN, .type = KQ_DATETIME, .span = KQ_NO_SPAN, .column = column};
    *right = (kq_expr){
        .kind = KQ_EXPR_CONST, .type = KQ_DATETIME, .span = KQ_NO_SPAN, .value = {.type = KQ_DATETIME, .u.l = ticks}};
    return call(w, op, left, right, out);
}

static kq_status narrow(window *w, kq_plan *scan) {
    uint32_t column = kq_window_column(&scan->out);
    if (column == UINT32_MAX) return KQ_OK;
    kq_plan *below = kq_arena_new(w->arena, kq_plan);
    kq_expr *after, *until, *both;
    if (!below) return kq_arena_status(w->arena, w->err);
    KQ_TRY(compare(w, ">", column, w->from, &after));
    KQ_TRY(compare(w, "<=", column, w->to, &until));
    KQ_TRY(call(w, "and", after, until, &both));
    *below = *scan;
    *scan = (kq_plan){.kind = KQ_PLAN_FILTER, .span = below->span, .out = below->out, .input = below};
    scan->u.filter.predicate = both;
    return KQ_OK;
}

static kq_status visit(window *w, kq_plan *p, unsigned depth);

/* Of a node that was met before. */
static kq_status met_status(const window *w) {
    return w->met.failed ? kq_arena_status(w->arena, w->err) : KQ_OK;
}

static kq_status visit_expr(window *w, kq_expr *e, unsigned depth) {
    if (!e) return KQ_OK;
    if (depth > DEPTH) return kq_fail(w->err, KQ_ERR_LIMIT, "the query is nested too deeply");
    if (e->kind == KQ_EXPR_SUBQUERY)
        return kq_plan_first(&w->met, e->subquery) ? visit(w, e->subquery, depth + 1) : met_status(w);
    for (uint32_t i = 0; e->kind == KQ_EXPR_CALL && i < e->nargs; i++) KQ_TRY(visit_expr(w, e->args[i], depth + 1));
    return KQ_OK;
}

static kq_status visit_exprs(window *w, kq_expr **exprs, size_t n, unsigned depth) {
    for (size_t i = 0; i < n; i++) KQ_TRY(visit_expr(w, exprs[i], depth));
    return KQ_OK;
}

static kq_status visit(window *w, kq_plan *p, unsigned depth) {
    if (!p) return KQ_OK;
    if (depth > DEPTH) return kq_fail(w->err, KQ_ERR_LIMIT, "the query is nested too deeply");
    if (!kq_plan_enter(&w->met, p)) return met_status(w);
    depth++;
    KQ_TRY(visit(w, p->input, depth));
    switch (p->kind) {
    case KQ_PLAN_SCAN: return narrow(w, p);
    case KQ_PLAN_VALUES: return visit_exprs(w, p->u.values.cells, (size_t)p->u.values.rows * p->out.n, depth);
    case KQ_PLAN_FILTER: return visit_expr(w, p->u.filter.predicate, depth);
    case KQ_PLAN_PROJECT: return visit_exprs(w, p->u.project.exprs, p->out.n, depth);
    case KQ_PLAN_AGGREGATE:
        KQ_TRY(visit_exprs(w, p->u.aggregate.by, p->u.aggregate.nby, depth));
        for (uint32_t i = 0; i < p->u.aggregate.naggs; i++)
            KQ_TRY(visit_exprs(w, p->u.aggregate.aggs[i].args, p->u.aggregate.aggs[i].nargs, depth));
        return KQ_OK;
    case KQ_PLAN_SORT:
    case KQ_PLAN_TOP:
        for (uint32_t i = 0; i < p->u.order.nkeys; i++) KQ_TRY(visit_expr(w, p->u.order.keys[i].expr, depth));
        return KQ_OK;
    case KQ_PLAN_UNION:
        for (uint32_t i = 0; i < p->u.unions.n; i++) KQ_TRY(visit(w, p->u.unions.inputs[i], depth));
        return KQ_OK;
    case KQ_PLAN_JOIN:
        KQ_TRY(visit_exprs(w, p->u.join.left_keys, p->u.join.nkeys, depth));
        KQ_TRY(visit_exprs(w, p->u.join.right_keys, p->u.join.nkeys, depth));
        return visit(w, p->u.join.right, depth);
    default: return KQ_OK;
    }
}

kq_status kq_window_apply(kq_plan *plan, int64_t from, int64_t to, kq_arena *arena, kq_error *err) {
    window w = {from, to, arena, err, {.arena = arena}};
    return visit(&w, plan, 0);
}
