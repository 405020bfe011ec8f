/* Expressions and the places where a plan holds them. */
#include "kql/optimize.h"

static kq_status visit_all(kq_expr **slots, uint32_t n, kq_expr_visit visit, void *ctx) {
    for (uint32_t i = 0; i < n; i++)
        if (slots[i]) KQ_TRY(visit(ctx, &slots[i]));
    return KQ_OK;
}

kq_status kq_plan_exprs(kq_plan *p, kq_expr_visit visit, void *ctx) {
    switch (p->kind) {
    case KQ_PLAN_VALUES: return visit_all(p->u.values.cells, p->u.values.rows * p->out.n, visit, ctx);
    case KQ_PLAN_RANGE:
        KQ_TRY(visit(ctx, &p->u.range.from));
        KQ_TRY(visit(ctx, &p->u.range.to));
        return visit(ctx, &p->u.range.step);
    case KQ_PLAN_FILTER: return visit(ctx, &p->u.filter.predicate);
    case KQ_PLAN_PROJECT: return visit_all(p->u.project.exprs, p->out.n, visit, ctx);
    case KQ_PLAN_AGGREGATE:
        KQ_TRY(visit_all(p->u.aggregate.by, p->u.aggregate.nby, visit, ctx));
        for (uint32_t i = 0; i < p->u.aggregate.naggs; i++)
            KQ_TRY(visit_all(p->u.aggregate.aggs[i].args, p->u.aggregate.aggs[i].nargs, visit, ctx));
        return KQ_OK;
    case KQ_PLAN_SORT:
    case KQ_PLAN_TOP:
    case KQ_PLAN_TAKE:
        for (uint32_t i = 0; i < p->u.order.nkeys; i++) KQ_TRY(visit(ctx, &p->u.order.keys[i].expr));
        return p->u.order.count ? visit(ctx, &p->u.order.count) : KQ_OK;
    case KQ_PLAN_JOIN:
        KQ_TRY(visit_all(p->u.join.left_keys, p->u.join.nkeys, visit, ctx));
        return visit_all(p->u.join.right_keys, p->u.join.nkeys, visit, ctx);
    case KQ_PLAN_EXPAND: return p->u.expand.limit ? visit(ctx, &p->u.expand.limit) : KQ_OK;
    case KQ_PLAN_PARSE: return visit(ctx, &p->u.parse.source);
    case KQ_PLAN_SERIES:
        for (uint32_t i = 0; i < p->u.series.nargs; i++)
            if (p->u.series.args[i]) KQ_TRY(visit(ctx, &p->u.series.args[i]));
        return KQ_OK;
    case KQ_PLAN_SCAN:
    case KQ_PLAN_UNION:
    case KQ_PLAN_MATERIALIZE: break;
    }
    return KQ_OK;
}

void kq_expr_mark(const kq_expr *e, bool *columns) {
    if (e->kind == KQ_EXPR_COLUMN) columns[e->column] = true;
    if (e->kind == KQ_EXPR_CALL)
        for (uint32_t i = 0; i < e->nargs; i++) kq_expr_mark(e->args[i], columns);
}

bool kq_expr_uses(const kq_expr *e, bool (*ok)(const void *ctx, uint32_t column), const void *ctx) {
    if (e->kind == KQ_EXPR_COLUMN) return ok(ctx, e->column);
    if (e->kind == KQ_EXPR_CALL)
        for (uint32_t i = 0; i < e->nargs; i++)
            if (!kq_expr_uses(e->args[i], ok, ctx)) return false;
    return true;
}

/* Columns by `map`, or by `with`. */
static kq_expr *rewrite(kq_optimizer *o, const kq_expr *e, const uint32_t *map, kq_expr *const *with) {
    if (e->kind == KQ_EXPR_COLUMN && with) return with[e->column];
    if (e->kind == KQ_EXPR_CONST || e->kind == KQ_EXPR_SUBQUERY) return (kq_expr *)e;
    kq_expr *copy = kq_arena_new(o->arena, kq_expr);
    if (!copy) return NULL;
    *copy = *e;
    if (e->kind == KQ_EXPR_COLUMN) copy->column = map[e->column];
    if (e->kind == KQ_EXPR_CALL) {
        copy->args = kq_arena_array(o->arena, kq_expr *, e->nargs + 1);
        if (!copy->args) return NULL;
        for (uint32_t i = 0; i < e->nargs; i++)
            if (!(copy->args[i] = rewrite(o, e->args[i], map, with))) return NULL;
        /* a projected constant may decide the whole: what can't be folded is left to run */
        kq_error why;
        if (with) (void)!kq_fold_call(copy, o->arena, &o->cleanups, &why);
    }
    return copy;
}

kq_expr *kq_expr_remap(kq_optimizer *o, const kq_expr *e, const uint32_t *map) {
    return rewrite(o, e, map, NULL);
}

kq_expr *kq_expr_substitute(kq_optimizer *o, const kq_expr *e, kq_expr *const *with) {
    return rewrite(o, e, NULL, with);
}

kq_expr *kq_expr_column_of(kq_optimizer *o, uint32_t column, kq_type type, kq_span span) {
    kq_expr *e = kq_arena_new(o->arena, kq_expr);
    if (!e) return NULL;
    e->kind = KQ_EXPR_COLUMN;
    e->type = type;
    e->span = span;
    e->column = column;
    return e;
}

bool kq_is_call(const kq_expr *e, const char *name) {
    return e->kind == KQ_EXPR_CALL && strcmp(e->fn->name, name) == 0;
}

bool kq_columns_alloc_n(kq_optimizer *o, kq_columns *columns, uint32_t n) {
    columns->n = n;
    columns->items = kq_arena_array(o->arena, kq_column, n + 1);
    return columns->items != NULL;
}

/* What a function costs per row, roughly: comparing numbers is 1. */
static unsigned call_cost(const kq_expr *e) {
    static const struct {
        const char *name;
        unsigned cost;
    } costs[] = {{"and", 0},         {"or", 0},
                 {"not", 0},         {"isnull", 1},
                 {"isnotnull", 1},   {"isempty", 1},
                 {"isnotempty", 1},  {"in", 3},
                 {"!in", 3},         {"startswith", 3},
                 {"endswith", 3},    {"startswith_cs", 2},
                 {"endswith_cs", 2}, {"=~", 3},
                 {"!~", 3},          {"in~", 4},
                 {"!in~", 4},        {"has", 6},
                 {"contains", 6},    {"!has", 6},
                 {"!contains", 6},   {"has_cs", 6},
                 {"contains_cs", 5}, {"has_any", 8},
                 {"has_all", 8},     {"matches regex", 40}};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        if (strcmp(costs[i].name, e->fn->name) == 0) return costs[i].cost;
    char c = e->fn->name[0];
    bool compares = c == '=' || c == '!' || c == '<' || c == '>' || strcmp(e->fn->name, "between") == 0;
    if (!compares) return 10;
    return e->nargs && (e->args[0]->type == KQ_STRING || e->args[0]->type == KQ_DYNAMIC) ? 2 : 1;
}

unsigned kq_expr_cost(const kq_expr *e) {
    if (e->kind != KQ_EXPR_CALL) return e->type == KQ_DYNAMIC && e->kind == KQ_EXPR_COLUMN ? 2 : 0;
    unsigned cost = call_cost(e);
    for (uint32_t i = 0; i < e->nargs && cost < 1000000; i++) cost += kq_expr_cost(e->args[i]);
    return cost;
}
