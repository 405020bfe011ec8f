/* Statements: let, functions, parameters, and the whole script. */
#include "kql/bind.h"

kq_status kq_bind_enter(kq_binder *b, kq_span span) {
    if (++b->depth > KQ_BIND_DEPTH)
        return kq_fail_at(b->err, KQ_ERR_LIMIT, span, "the query nests deeper than %d levels", KQ_BIND_DEPTH);
    return KQ_OK;
}

/* ---- statements ---- */

static kq_status bind_let(kq_binder *b, const kq_scope *base, const kq_scope **scope, const kq_row *row,
                          const kq_node *let) {
    const kq_node *value = let->kids[0];
    for (const kq_scope *s = *scope; s != base; s = s->next)
        if (kq_sv_eq(s->name, let->text))
            return kq_bind_fail(b, let->span, "'" KQ_SV_FMT "' is declared twice", KQ_SV_ARG(let->text));
    kq_scope *s = kq_scope_push(b, *scope, let->text, KQ_SYMBOL_SCALAR);
    if (!s) return kq_bind_nomem(b);
    s->node = value;
    s->at = *scope;
    if (value->kind == KQ_NODE_FUNCTION) {
        s->kind = KQ_SYMBOL_FUNCTION;
        s->view = value->flags & KQ_DECL_VIEW;
    } else if (kq_node_is_table(b, *scope, NULL, value)) {
        s->kind = KQ_SYMBOL_TABLE;
        if (value->kind == KQ_NODE_CALL && kq_sv_eq(value->text, KQ_SV("materialize"))) {
            s->kind = KQ_SYMBOL_PLAN;
            KQ_TRY(kq_bind_table(b, *scope, value, &s->plan));
        }
    } else {
        KQ_TRY(kq_bind_expr(b, *scope, row, value, &s->expr));
        if (kq_expr_has_columns(s->expr)) s->row = row->id;
    }
    *scope = s;
    return KQ_OK;
}

/* declare query_parameters(p:long = 5): as let, with the default as value. */
static kq_status bind_declare(kq_binder *b, const kq_scope **scope, const kq_node *node) {
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *p = node->kids[i];
        kq_row none = kq_row_of(b, NULL);
        kq_scope *s = kq_scope_push(b, *scope, p->text, KQ_SYMBOL_SCALAR);
        if (!s) return kq_bind_nomem(b);
        if (!p->nkids)
            return kq_bind_fail(b, p->span, "the query parameter '" KQ_SV_FMT "' has no default value",
                                KQ_SV_ARG(p->text));
        KQ_TRY(kq_bind_expr(b, *scope, &none, p->kids[0], &s->expr));
        KQ_TRY(kq_expr_convert(b, s->expr, p->value.type, &s->expr));
        *scope = s;
    }
    return KQ_OK;
}

kq_status kq_bind_script(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *script, kq_plan **plan,
                         kq_expr **expr) {
    const kq_scope *base = scope;
    const kq_node *last = NULL;
    *plan = NULL;
    for (uint32_t i = 0; i < script->nkids; i++) {
        const kq_node *n = script->kids[i];
        switch (n->kind) {
        case KQ_NODE_LET: KQ_TRY(bind_let(b, base, &scope, row, n)); break;
        case KQ_NODE_DECLARE: KQ_TRY(bind_declare(b, &scope, n)); break;
        case KQ_NODE_SET: break;
        default:
            if (last) return kq_bind_fail(b, n->span, "a query has one result; this is a second one");
            last = n;
        }
    }
    if (!last) return kq_bind_fail(b, script->span, "there is no query, only declarations");
    if (expr && !kq_node_is_table(b, scope, NULL, last)) return kq_bind_expr(b, scope, row, last, expr);
    return kq_bind_table(b, scope, last, plan);
}

/* ---- functions ---- */

typedef struct call {
    kq_binder *b;
    const kq_scope *scope; /* of the caller */
    const kq_row *row;
    const kq_scope *function;
    const kq_node *node;
    const kq_node **args; /* per parameter; NULL: its default */
} call;

/* Deals the arguments out to the parameters: by place, then by name. */
static kq_status place_arguments(call *c, bool piped) {
    const kq_node *params = c->function->node->kids[0];
    uint32_t next = piped ? 1 : 0;
    if (c->node->kind != KQ_NODE_CALL) return KQ_OK; /* a bare name: f */
    for (uint32_t i = 0; i < c->node->nkids; i++) {
        const kq_node *arg = c->node->kids[i];
        uint32_t k = next;
        if (arg->kind == KQ_NODE_NAMED) {
            for (k = 0; k < params->nkids && !kq_sv_eq(params->kids[k]->text, arg->text); k++) {
            }
            if (k == params->nkids)
                return kq_bind_fail(c->b, arg->span, KQ_SV_FMT "() has no parameter '" KQ_SV_FMT "'",
                                    KQ_SV_ARG(c->function->name), KQ_SV_ARG(arg->text));
            arg = arg->kids[0];
        } else {
            next++;
        }
        if (k >= params->nkids)
            return kq_bind_fail(c->b, arg->span, KQ_SV_FMT "() takes %u argument%s", KQ_SV_ARG(c->function->name),
                                params->nkids, params->nkids == 1 ? "" : "s");
        if (c->args[k])
            return kq_bind_fail(c->b, arg->span, "the parameter '" KQ_SV_FMT "' is given twice",
                                KQ_SV_ARG(params->kids[k]->text));
        c->args[k] = arg;
    }
    return KQ_OK;
}

/* invoke f(Column), which Defender's FileProfile(SHA1) takes: the column's name, as if it were in quotes. */
static bool names_column(const call *c, const kq_node *p, const kq_node *arg, const kq_plan *piped) {
    uint32_t column;
    return piped && arg && arg->kind == KQ_NODE_NAME && p->value.type == KQ_STRING &&
           !kq_scope_find(c->scope, arg->text) && kq_row_find(&piped->out, arg->text, &column);
}

static kq_status scalar_parameter(call *c, const kq_node *p, const kq_node *arg, const kq_plan *piped, kq_scope *s) {
    kq_row none = kq_row_of(c->b, NULL);
    kq_value name = kq_value_sv(arg ? arg->text : KQ_SV(""));
    if (names_column(c, p, arg, piped)) return kq_expr_const(c->b, &name, arg->span, &s->expr);
    if (arg)
        KQ_TRY(kq_bind_expr(c->b, c->scope, c->row, arg, &s->expr));
    else if (p->nkids)
        KQ_TRY(kq_bind_expr(c->b, c->function->at, &none, p->kids[0], &s->expr));
    else
        return kq_bind_fail(c->b, c->node->span, KQ_SV_FMT "() needs a value for '" KQ_SV_FMT "'",
                            KQ_SV_ARG(c->function->name), KQ_SV_ARG(p->text));
    if (kq_expr_has_columns(s->expr)) s->row = c->row->id;
    kq_type from = s->expr->type, to = p->value.type;
    bool fits = from == to || from == KQ_DYNAMIC || (to == KQ_DYNAMIC && s->expr->kind == KQ_EXPR_CONST) ||
                (kq_type_is_numeric(from) && kq_type_is_numeric(to)) ||
                (from == KQ_STRING && s->expr->kind == KQ_EXPR_CONST && (to == KQ_DATETIME || to == KQ_TIMESPAN));
    if (!fits)
        return kq_bind_fail(c->b, arg ? arg->span : p->span, "the parameter '" KQ_SV_FMT "' is %s, the argument %s",
                            KQ_SV_ARG(p->text), kq_type_name(to), kq_type_name(from));
    return kq_expr_convert(c->b, s->expr, to, &s->expr);
}

/* A tabular parameter must have the declared columns; the function sees only those, unless it said (*). */
static kq_status check_table(call *c, const kq_node *p, kq_plan **table, kq_span span) {
    for (uint32_t i = 0; i < p->nkids; i++) {
        kq_plan *plan = *table;
        uint32_t column;
        if (!kq_row_find(&plan->out, p->kids[i]->text, &column))
            return kq_bind_fail(c->b, span, "the table for '" KQ_SV_FMT "' has no column '" KQ_SV_FMT "'",
                                KQ_SV_ARG(p->text), KQ_SV_ARG(p->kids[i]->text));
        if (plan->out.items[column].text && p->kids[i]->value.type == KQ_STRING)
            KQ_TRY(kq_plan_text(c->b, plan, column, span, table));
        else if (plan->out.items[column].type != p->kids[i]->value.type)
            return kq_bind_fail(c->b, span, "the column '" KQ_SV_FMT "' of the table for '" KQ_SV_FMT "' is %s, not %s",
                                KQ_SV_ARG(p->kids[i]->text), KQ_SV_ARG(p->text),
                                kq_type_name(plan->out.items[column].type), kq_type_name(p->kids[i]->value.type));
    }
    return KQ_OK;
}

static kq_status table_parameter(call *c, const kq_node *p, const kq_node *arg, kq_plan *piped, kq_scope *s) {
    kq_plan *plan = piped;
    kq_span span = arg ? arg->span : c->node->span;
    if (!plan) {
        if (!arg)
            return kq_bind_fail(c->b, span, KQ_SV_FMT "() needs a table for '" KQ_SV_FMT "'",
                                KQ_SV_ARG(c->function->name), KQ_SV_ARG(p->text));
        KQ_TRY(kq_bind_table(c->b, c->scope, arg, &plan));
    }
    KQ_TRY(check_table(c, p, &plan, span));
    /* Read in several places, it is computed once. */
    if (kq_mentions(c->function->node->kids[1], p->text) > 1 && plan->kind != KQ_PLAN_MATERIALIZE) {
        plan = kq_plan_new(c->b, KQ_PLAN_MATERIALIZE, span, plan);
        if (!plan) return kq_plan_failed(c->b, span);
    }
    s->plan = plan;
    return KQ_OK;
}

static bool is_tabular(const kq_node *param) {
    return param->flags & (KQ_DECL_TABULAR | KQ_DECL_ANY);
}

static kq_status bind_function(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_scope *function,
                               const kq_node *node, kq_plan *piped, kq_plan **plan, kq_expr **expr) {
    const kq_node *params = function->node->kids[0];
    call c = {b, scope, row, function, node, kq_arena_array(b->arena, const kq_node *, params->nkids + 1)};
    if (!c.args) return kq_bind_nomem(b);
    KQ_TRY(kq_bind_enter(b, node->span));
    if (piped && (!params->nkids || !is_tabular(params->kids[0])))
        return kq_bind_fail(b, node->span, "invoke needs a function whose first parameter is a table");
    KQ_TRY(place_arguments(&c, piped != NULL));
    const kq_scope *inner = function->at;
    for (uint32_t i = 0; i < params->nkids; i++) {
        const kq_node *p = params->kids[i];
        kq_scope *s = kq_scope_push(b, inner, p->text, is_tabular(p) ? KQ_SYMBOL_PLAN : KQ_SYMBOL_SCALAR);
        if (!s) return kq_bind_nomem(b);
        if (is_tabular(p))
            KQ_TRY(table_parameter(&c, p, c.args[i], i == 0 ? piped : NULL, s));
        else
            KQ_TRY(scalar_parameter(&c, p, c.args[i], piped, s));
        inner = s;
    }
    /* The body sees its parameters, not the caller's columns; they may stand for columns of the caller's row. */
    kq_row body = {.id = row ? row->id : 0};
    KQ_TRY(kq_bind_script(b, inner, &body, function->node->kids[1], plan, expr));
    kq_bind_leave(b);
    return KQ_OK;
}

kq_status kq_bind_function(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_scope *function,
                           const kq_node *node, kq_plan *piped, kq_plan **plan, kq_expr **expr) {
    if (function->stored) KQ_TRY(kq_stored_enter(b, function->stored, node->span));
    kq_status status = bind_function(b, scope, row, function, node, piped, plan, expr);
    if (function->stored) kq_stored_leave(function->stored);
    return status;
}

/* ---- the query ---- */

kq_status kq_bind(const kq_node *script, const kq_resolver *resolver, kq_arena *arena, kq_cleanup **cleanups,
                  kq_query *out, kq_error *err) {
    kq_error local;
    kq_binder b = {.resolver = resolver, .arena = arena, .cleanups = cleanups, .err = err ? err : &local};
    kq_row none = kq_row_of(&b, NULL);
    kq_plan *plan = NULL;
    b.base = script->span.start + script->span.len + 1;
    kq_status status = kq_bind_script(&b, NULL, &none, script, &plan, NULL);
    if (status) {
        kq_stored_place(b.stored, b.err);
        return status;
    }
    KQ_TRY(kq_arena_status(arena, err));
    out->plan = plan;
    out->stored = b.stored;
    out->visualization = b.visualization.p ? b.visualization : KQ_SV("");
    return KQ_OK;
}
