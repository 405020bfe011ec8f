/*
 * mv-apply: the subquery runs for each row over the rows that expanding it makes. Here it runs once over all of them:
 * hidden columns go along, the number of the row ($row) and the source's columns ($0, $1, ...), and what looks at
 * several rows (summarize, top, ...) does so within one $row. A row that expands to nothing gives nothing.
 */
#include "kql/bind.h"

#define ROW a->hidden.items[0].name /* of a numbered one */

typedef struct apply {
    kq_binder *b;
    const kq_scope *scope;
    const kq_columns *source;
    kq_columns hidden; /* $row when there is one, then $0, $1, ... */
    bool numbered;     /* there is a $row */
    uint32_t number;   /* of this mv-apply: it may stand inside another one */
    kq_span span;
} apply;

static bool needs_row(const kq_node *op) {
    switch (op->kind) {
    case KQ_NODE_SUMMARIZE:
    case KQ_NODE_DISTINCT:
    case KQ_NODE_COUNT:
    case KQ_NODE_SORT:
    case KQ_NODE_TOP:
    case KQ_NODE_TAKE:
    case KQ_NODE_SAMPLE: return true;
    default: return false;
    }
}

/* SERIES with constant arguments aside from the first. */
static kq_status series(apply *a, kq_plan *in, kq_window_kind kind, kq_expr *first, kq_expr *second, uint32_t nargs,
                        kq_type type, const char *name, kq_plan **out) {
    kq_expr **args = kq_arena_array(a->b->arena, kq_expr *, 4);
    if (!args) return kq_bind_nomem(a->b);
    args[0] = first;
    args[1] = second;
    kq_sv unique = kq_arena_printf(a->b->arena, "$%s%u_%u", name, a->number, in->out.n);
    if (!unique.p) return kq_bind_nomem(a->b);
    return kq_plan_series(a->b, in, kind, args, nargs, type, unique, a->span, out);
}

static kq_status constant(apply *a, kq_value v, kq_expr **out) {
    return kq_expr_const(a->b, &v, a->span, out);
}

static kq_status column(apply *a, const kq_plan *plan, kq_sv name, kq_expr **out) {
    uint32_t c;
    if (!kq_row_find(&plan->out, name, &c))
        return kq_fail_at(a->b->err, KQ_ERR_INTERNAL, a->span, "mv-apply lost a column");
    return kq_expr_column_in(a->b, &plan->out, c, a->span, out);
}

/* The source with the hidden columns behind its own. */
static kq_status hide(apply *a, kq_plan *in, kq_plan **out) {
    kq_binder *b = a->b;
    uint32_t n = in->out.n, hidden = n + (a->numbered ? 1 : 0);
    kq_columns source = in->out;
    if (a->numbered) {
        kq_expr *one, *no;
        KQ_TRY(constant(a, kq_value_long(1), &one));
        KQ_TRY(constant(a, kq_value_bool(false), &no));
        KQ_TRY(series(a, in, KQ_WINDOW_ROW_NUMBER, one, no, 2, KQ_LONG, "row", &in));
    }
    kq_plan *p = kq_plan_new(b, KQ_PLAN_PROJECT, a->span, in);
    if (!p) return kq_plan_failed(b, a->span);
    KQ_TRY(kq_columns_alloc(b, &p->out, n + hidden, a->span));
    KQ_TRY(kq_columns_alloc(b, &a->hidden, hidden, a->span));
    p->u.project.exprs = kq_arena_array(b->arena, kq_expr *, n + hidden + 1);
    if (!p->u.project.exprs) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < n + hidden; i++) {
        /* column n of `in` is $row when it is numbered */
        uint32_t from = i < n ? i : a->numbered ? (i == n ? n : i - n - 1) : i - n;
        kq_column c = i < n ? source.items[i] : in->out.items[from];
        if (i >= n && from < n) {
            c.name = kq_arena_printf(b->arena, "$%u_%u", a->number, from);
            if (!c.name.p) return kq_bind_nomem(b);
        }
        if (i >= n) a->hidden.items[i - n] = c;
        p->out.items[i] = c;
        KQ_TRY(kq_expr_column_in(b, &in->out, from, a->span, &p->u.project.exprs[i]));
    }
    *out = p;
    return KQ_OK;
}

static bool is_hidden(const apply *a, kq_sv name) {
    uint32_t c;
    return name.n && name.p[0] == '$' && kq_row_find(&a->hidden, name, &c);
}

/* A projection right above `in`, with the hidden columns that it dropped. */
static kq_status carry(apply *a, kq_plan *in, kq_plan *p) {
    kq_binder *b = a->b;
    uint32_t n = 0;
    if (p->kind != KQ_PLAN_PROJECT || p->input != in)
        return kq_fail_at(b->err, KQ_ERR_INTERNAL, a->span, "mv-apply met a projection that it does not know");
    kq_columns old = p->out;
    kq_expr **exprs = kq_arena_array(b->arena, kq_expr *, old.n + a->hidden.n + 1);
    if (!exprs) return kq_bind_nomem(b);
    KQ_TRY(kq_columns_alloc(b, &p->out, old.n + a->hidden.n, a->span));
    for (uint32_t i = 0; i < old.n; i++) {
        if (is_hidden(a, old.items[i].name)) continue;
        p->out.items[n] = old.items[i];
        exprs[n++] = p->u.project.exprs[i];
    }
    for (uint32_t i = 0; i < a->hidden.n; i++) {
        p->out.items[n] = a->hidden.items[i];
        KQ_TRY(column(a, in, a->hidden.items[i].name, &exprs[n++]));
    }
    p->out.n = n;
    p->u.project.exprs = exprs;
    return KQ_OK;
}

/* The first `count` rows of each $row; the rows of one stand together. */
static kq_status first_of_each(apply *a, kq_plan *in, kq_expr *count, kq_plan **out) {
    kq_expr *row, *before, *one, *restart, *number;
    kq_plan *p, *filter;
    KQ_TRY(column(a, in, ROW, &row));
    KQ_TRY(constant(a, kq_value_long(1), &one));
    KQ_TRY(series(a, in, KQ_WINDOW_PREV, row, one, 3, KQ_LONG, "before", &p));
    KQ_TRY(column(a, p, ROW, &row));
    KQ_TRY(kq_expr_column(a->b, p->out.n - 1, KQ_LONG, a->span, &before));
    KQ_TRY(kq_expr_call2(a->b, "!=", row, before, a->span, &restart));
    KQ_TRY(constant(a, kq_value_long(1), &one));
    KQ_TRY(series(a, p, KQ_WINDOW_ROW_NUMBER, one, restart, 2, KQ_LONG, "number", &p));
    KQ_TRY(kq_expr_column(a->b, p->out.n - 1, KQ_LONG, a->span, &number));
    if (!(filter = kq_plan_new(a->b, KQ_PLAN_FILTER, a->span, p))) return kq_plan_failed(a->b, a->span);
    KQ_TRY(kq_expr_call2(a->b, "<=", number, count, a->span, &filter->u.filter.predicate));
    /* without the two columns again */
    uint32_t *columns = kq_arena_array(a->b->arena, uint32_t, in->out.n + 1);
    if (!columns) return kq_bind_nomem(a->b);
    for (uint32_t i = 0; i < in->out.n; i++) columns[i] = i;
    return kq_plan_pick(a->b, filter, columns, NULL, in->out.n, a->span, out);
}

/* SORT by $row first; of a TOP, then as many of each as it says. */
static kq_status sorted(apply *a, kq_plan *p, kq_plan **out) {
    kq_expr *count = p->u.order.count;
    uint32_t n = p->u.order.nkeys;
    kq_sort_key *keys = kq_arena_array(a->b->arena, kq_sort_key, n + 1);
    if (!keys) return kq_bind_nomem(a->b);
    KQ_TRY(column(a, p->input, ROW, &keys[0].expr));
    memcpy(keys + 1, p->u.order.keys, n * sizeof *keys);
    bool top = p->kind == KQ_PLAN_TOP;
    p->kind = KQ_PLAN_SORT;
    p->u.order.keys = keys;
    p->u.order.nkeys = n + 1;
    p->u.order.count = NULL;
    *out = p;
    return top ? first_of_each(a, p, count, out) : KQ_OK;
}

static kq_status apply_operator(apply *a, const kq_node *op, kq_plan *in, kq_plan **out) {
    a->b->ordered = false;
    switch (op->kind) {
    case KQ_NODE_WHERE:
    case KQ_NODE_EXTEND:
    case KQ_NODE_SERIALIZE:
    case KQ_NODE_PARSE:
    case KQ_NODE_MV_EXPAND:
    case KQ_NODE_MV_APPLY:
    case KQ_NODE_PROJECT_RENAME: return kq_bind_operator(a->b, a->scope, op, in, out);
    case KQ_NODE_PROJECT:
    case KQ_NODE_PROJECT_AWAY:
    case KQ_NODE_PROJECT_KEEP:
    case KQ_NODE_PROJECT_REORDER: KQ_TRY(kq_bind_operator(a->b, a->scope, op, in, out)); return carry(a, in, *out);
    case KQ_NODE_SUMMARIZE:
    case KQ_NODE_DISTINCT:
    case KQ_NODE_COUNT: {
        a->b->carry = &a->hidden;
        return kq_bind_operator(a->b, a->scope, op, in, out);
    }
    case KQ_NODE_SORT:
    case KQ_NODE_TOP: KQ_TRY(kq_bind_operator(a->b, a->scope, op, in, out)); return sorted(a, *out, out);
    case KQ_NODE_TAKE:
    case KQ_NODE_SAMPLE: {
        kq_expr *count;
        KQ_TRY(kq_bind_constant(a->b, a->scope, op->kids[0], KQ_LONG, "the number of rows", &count));
        return first_of_each(a, in, count, out);
    }
    default: return kq_bind_fail(a->b, op->span, "mv-apply does not take this operator in this version");
    }
}

/* Was the source's column itself expanded? Then it is a column of the subquery only. */
static bool is_expanded(const kq_plan *expand, uint32_t column, const kq_node *items) {
    for (uint32_t i = 0; i < expand->u.expand.n; i++) {
        const kq_node *item = items->kids[i];
        if (item->kind == KQ_NODE_TO_TYPEOF) item = item->kids[0];
        if (expand->u.expand.columns[i] == column && item->kind != KQ_NODE_NAMED) return true;
    }
    return false;
}

/* The source's columns, with the subquery's values where it has one of that name, then the subquery's other columns. */
static kq_status lay_out(apply *a, kq_plan *in, const kq_plan *expand, const kq_node *items, kq_plan **out) {
    kq_binder *b = a->b;
    uint32_t n = 0, max = a->source->n + in->out.n, *columns = kq_arena_array(b->arena, uint32_t, max + 1);
    kq_sv *names = kq_arena_array(b->arena, kq_sv, max + 1);
    bool *used = kq_arena_array(b->arena, bool, in->out.n + 1);
    if (!columns || !names || !used) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < a->source->n; i++) {
        if (is_expanded(expand, i, items)) continue;
        names[n] = a->source->items[i].name;
        if (!kq_row_find(&in->out, names[n], &columns[n]) &&
            !kq_row_find(&in->out, a->hidden.items[i + a->numbered].name, &columns[n]))
            return kq_fail_at(b->err, KQ_ERR_INTERNAL, a->span, "mv-apply lost a column");
        used[columns[n++]] = true;
    }
    for (uint32_t i = 0; i < in->out.n; i++) {
        if (used[i] || is_hidden(a, in->out.items[i].name)) continue;
        names[n] = in->out.items[i].name;
        columns[n++] = i;
    }
    return kq_plan_pick(b, in, columns, names, n, a->span, out);
}

kq_status kq_bind_apply(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *pipe = node->kids[3];
    apply a = {.b = b, .scope = scope, .source = &in->out, .span = node->span, .number = ++b->applies};
    kq_columns source = in->out;
    kq_plan *plan, *expand;
    a.source = &source;
    for (uint32_t i = 1; i < pipe->nkids; i++) a.numbered |= needs_row(pipe->kids[i]);
    KQ_TRY(hide(&a, in, &plan));
    KQ_TRY(kq_bind_expand(b, scope, node, plan, &expand));
    plan = expand;
    for (uint32_t i = 1; i < pipe->nkids; i++) KQ_TRY(apply_operator(&a, pipe->kids[i], plan, &plan));
    return lay_out(&a, plan, expand, node->kids[1], out);
}
