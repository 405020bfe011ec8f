/* Window functions: each call becomes a SERIES below the operator, with its value as a column more. */
#include "kql/bind.h"

static const struct window {
    const char *name;
    kq_window_kind kind;
    uint32_t nargs;
    const char *signature;
} windows[] = {
#define KQ_WINDOW(kind, name, nargs, signature, doc) {name, KQ_WINDOW_##kind, nargs, signature},
#include "kql/window.def"
#undef KQ_WINDOW
};

static const struct window *find_window(kq_sv name) {
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        if (kq_sv_eq(name, kq_sv_of(windows[i].name))) return &windows[i];
    return NULL;
}

bool kq_is_window(kq_sv name) {
    return find_window(name) != NULL;
}

typedef struct call {
    kq_binder *b;
    const kq_node *node;
    kq_expr **args;
    uint32_t given;
} call;

/* Argument i as `type`; when it is not given, `value`. */
static kq_status argument(call *c, uint32_t i, kq_type type, const kq_value *value) {
    if (i >= c->given) return kq_expr_const(c->b, value, c->node->span, &c->args[i]);
    kq_type t = c->args[i]->type;
    if (t != type && t != KQ_DYNAMIC && !(type == KQ_LONG && t == KQ_INT))
        return kq_bind_fail(c->b, c->node->kids[i]->span, KQ_SV_FMT "() takes %s here, not %s",
                            KQ_SV_ARG(c->node->text), kq_type_name(type), kq_type_name(t));
    return kq_expr_convert(c->b, c->args[i], type, &c->args[i]);
}

static kq_status constant_argument(call *c, uint32_t i) {
    if (i < c->given && c->args[i] && c->args[i]->kind != KQ_EXPR_CONST)
        return kq_bind_fail(c->b, c->node->kids[i]->span, "this argument of " KQ_SV_FMT "() must be constant",
                            KQ_SV_ARG(c->node->text));
    return KQ_OK;
}

/* Checks and completes the arguments; *type: of the result. */
static kq_status complete(call *c, kq_window_kind kind, kq_type *type) {
    kq_value one = kq_value_long(1), no = kq_value_bool(false);
    *type = KQ_LONG;
    switch (kind) {
    case KQ_WINDOW_ROW_NUMBER: KQ_TRY(argument(c, 0, KQ_LONG, &one)); return argument(c, 1, KQ_BOOL, &no);
    case KQ_WINDOW_PREV:
    case KQ_WINDOW_NEXT:
        *type = c->args[0]->type;
        KQ_TRY(argument(c, 1, KQ_LONG, &one));
        KQ_TRY(constant_argument(c, 1));
        KQ_TRY(constant_argument(c, 2));
        if (c->args[1]->kind != KQ_EXPR_CONST || c->args[1]->value.null || c->args[1]->value.u.l < 0)
            return kq_bind_fail(c->b, c->node->span, "the offset of " KQ_SV_FMT "() must not be negative",
                                KQ_SV_ARG(c->node->text));
        return c->given > 2 ? kq_expr_convert(c->b, c->args[2], *type, &c->args[2]) : KQ_OK;
    case KQ_WINDOW_ROW_CUMSUM:
        *type = c->args[0]->type;
        if (!kq_type_is_numeric(*type) && *type != KQ_TIMESPAN)
            return kq_bind_fail(c->b, c->node->kids[0]->span, "row_cumsum() takes a number, not %s",
                                kq_type_name(*type));
        return argument(c, 1, KQ_BOOL, &no);
    case KQ_WINDOW_ROW_RANK_MIN:
    case KQ_WINDOW_ROW_RANK_DENSE: return argument(c, 1, KQ_BOOL, &no);
    case KQ_WINDOW_ROW_WINDOW_SESSION:
        *type = KQ_DATETIME;
        KQ_TRY(argument(c, 0, KQ_DATETIME, &one));
        KQ_TRY(argument(c, 1, KQ_TIMESPAN, &one));
        KQ_TRY(argument(c, 2, KQ_TIMESPAN, &one));
        return argument(c, 3, KQ_BOOL, &no);
    }
    return KQ_OK;
}

kq_status kq_plan_series(kq_binder *b, kq_plan *in, kq_window_kind kind, kq_expr **args, uint32_t nargs, kq_type type,
                         kq_sv name, kq_span span, kq_plan **out) {
    kq_plan *p = kq_plan_new(b, KQ_PLAN_SERIES, span, in);
    if (!p) return kq_plan_failed(b, span);
    KQ_TRY(kq_columns_alloc(b, &p->out, in->out.n + 1, span));
    if (in->out.n) memcpy(p->out.items, in->out.items, in->out.n * sizeof *p->out.items);
    p->out.items[in->out.n] = (kq_column){.name = name, .type = type};
    p->u.series.kind = kind;
    p->u.series.args = args;
    p->u.series.nargs = nargs;
    *out = p;
    return KQ_OK;
}

kq_status kq_bind_window(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    const struct window *w = find_window(node->text);
    uint32_t required = w->kind == KQ_WINDOW_ROW_WINDOW_SESSION ? 3 : w->kind == KQ_WINDOW_ROW_NUMBER ? 0 : 1;
    if (!row || !row->windows || !row->windows->ordered) {
        (void)kq_bind_fail(b, node->span, KQ_SV_FMT "() needs rows in an order", KQ_SV_ARG(node->text));
        kq_error_hint(b->err, "use sort by or serialize before it");
        return KQ_ERR_QUERY;
    }
    if (node->nkids < required || node->nkids > w->nargs) {
        (void)kq_bind_fail(b, node->span, KQ_SV_FMT "() does not take %u argument%s", KQ_SV_ARG(node->text),
                           node->nkids, node->nkids == 1 ? "" : "s");
        kq_error_hint(b->err, "%s", w->signature);
        return KQ_ERR_QUERY;
    }
    call c = {b, node, kq_arena_array(b->arena, kq_expr *, w->nargs + 1), node->nkids};
    kq_type type;
    if (!c.args) return kq_bind_nomem(b);
    /* Calls in the arguments are columns already when this one's turn comes. */
    for (uint32_t i = 0; i < node->nkids; i++) KQ_TRY(kq_bind_expr(b, scope, row, node->kids[i], &c.args[i]));
    KQ_TRY(complete(&c, w->kind, &type));
    kq_plan *below = row->windows->plan;
    kq_sv name = kq_arena_printf(b->arena, "$window%u", below->out.n);
    if (!name.p) return kq_bind_nomem(b);
    KQ_TRY(kq_plan_series(b, below, w->kind, c.args, w->nargs, type, name, node->span, &row->windows->plan));
    bool given = w->kind == KQ_WINDOW_PREV || w->kind == KQ_WINDOW_NEXT;
    row->windows->plan->out.items[below->out.n].text = given && c.args[0]->text;
    return kq_expr_column_in(b, &row->windows->plan->out, below->out.n, node->span, out);
}
