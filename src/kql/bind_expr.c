/* Expressions: names, paths, operators, conversions. */
#include "column/dynamic.h"
#include "func/rows.h"
#include "kql/bind.h"

kq_expr *kq_expr_new(kq_binder *b, kq_expr_kind kind, kq_type type, kq_span span) {
    if (b->exprs >= KQ_BIND_EXPRS) return NULL;
    kq_expr *e = kq_arena_new(b->arena, kq_expr);
    if (!e) return NULL;
    b->exprs++;
    e->kind = kind;
    e->type = type;
    e->span = span;
    return e;
}

/* Why kq_expr_new gave NULL. */
static kq_status no_expr(kq_binder *b, kq_span span) {
    if (b->exprs >= KQ_BIND_EXPRS)
        return kq_fail_at(b->err, KQ_ERR_LIMIT, span,
                          "the query has more than %d expressions once its let names are "
                          "expanded",
                          KQ_BIND_EXPRS);
    return kq_bind_nomem(b);
}

kq_status kq_expr_const(kq_binder *b, const kq_value *value, kq_span span, kq_expr **out) {
    kq_expr *e = kq_expr_new(b, KQ_EXPR_CONST, value->type, span);
    if (!e) return no_expr(b, span);
    e->value = *value;
    *out = e;
    return KQ_OK;
}

kq_status kq_expr_column(kq_binder *b, uint32_t column, kq_type type, kq_span span, kq_expr **out) {
    kq_expr *e = kq_expr_new(b, KQ_EXPR_COLUMN, type, span);
    if (!e) return no_expr(b, span);
    e->column = column;
    *out = e;
    return KQ_OK;
}

kq_status kq_expr_column_in(kq_binder *b, const kq_columns *columns, uint32_t column, kq_span span, kq_expr **out) {
    KQ_TRY(kq_expr_column(b, column, columns->items[column].type, span, out));
    (*out)->text = columns->items[column].text;
    return KQ_OK;
}

kq_status kq_expr_text(kq_binder *b, kq_expr *expr, kq_expr **out) {
    *out = expr;
    return expr->text ? kq_expr_convert(b, expr, KQ_STRING, out) : KQ_OK;
}

kq_status kq_expr_subquery(kq_binder *b, kq_plan *plan, bool list, kq_span span, kq_expr **out) {
    kq_type type = list ? KQ_DYNAMIC : plan->out.items[0].type;
    kq_expr *e = kq_expr_new(b, KQ_EXPR_SUBQUERY, type, span);
    if (!e) return no_expr(b, span);
    e->subquery = plan;
    e->text = !list && plan->out.items[0].text;
    e->list = list;
    *out = e;
    return KQ_OK;
}

bool kq_expr_has_columns(const kq_expr *expr) {
    if (expr->kind == KQ_EXPR_COLUMN) return true;
    for (uint32_t i = 0; i < expr->nargs; i++)
        if (kq_expr_has_columns(expr->args[i])) return true;
    return false;
}

kq_status kq_expr_copy(kq_binder *b, const kq_expr *expr, kq_span span, kq_expr **out) {
    if (expr->kind == KQ_EXPR_SUBQUERY) { /* computed once: one node */
        *out = (kq_expr *)expr;
        return KQ_OK;
    }
    KQ_TRY(kq_bind_enter(b, span));
    kq_expr *e = kq_expr_new(b, expr->kind, expr->type, span);
    if (!e) return no_expr(b, span);
    kq_span own = e->span;
    *e = *expr;
    e->span = own;
    if (expr->nargs) {
        e->args = kq_arena_array(b->arena, kq_expr *, expr->nargs);
        if (!e->args) return kq_bind_nomem(b);
        for (uint32_t i = 0; i < expr->nargs; i++) KQ_TRY(kq_expr_copy(b, expr->args[i], span, &e->args[i]));
    }
    kq_bind_leave(b);
    *out = e;
    return KQ_OK;
}

/* ---- calls and conversions ---- */

kq_status kq_value_to_dynamic(kq_binder *b, const kq_value *value, kq_value *out) {
    if (value->type == KQ_DYNAMIC) {
        *out = *value;
        return KQ_OK;
    }
    if (value->null) {
        *out = kq_value_null(KQ_DYNAMIC);
        return KQ_OK;
    }
    kq_buf buf;
    kq_buf_init(&buf, b->arena->budget, 0);
    kq_dyn_put_value(&buf, value);
    kq_status status = kq_buf_status(&buf, b->err);
    if (status == KQ_OK) {
        kq_sv bytes = kq_arena_copy(b->arena, kq_buf_view(&buf));
        if (bytes.p)
            *out = (kq_value){.type = KQ_DYNAMIC, .u.s = kq_str_sv(bytes)};
        else
            status = kq_bind_nomem(b);
    }
    kq_buf_deinit(&buf);
    return status;
}

static const char *conversion_name(kq_type to) {
    switch (to) {
    case KQ_BOOL: return "tobool";
    case KQ_INT: return "toint";
    case KQ_LONG: return "tolong";
    case KQ_REAL: return "toreal";
    case KQ_DECIMAL: return "todecimal";
    case KQ_DATETIME: return "todatetime";
    case KQ_TIMESPAN: return "totimespan";
    case KQ_GUID: return "toguid";
    case KQ_STRING: return "tostring";
    default: return "todynamic";
    }
}

kq_status kq_expr_convert(kq_binder *b, kq_expr *expr, kq_type to, kq_expr **out) {
    *out = expr;
    if (expr->type == to) return KQ_OK;
    if (expr->kind == KQ_EXPR_CONST && (to == KQ_DYNAMIC || expr->value.null)) {
        kq_value v = kq_value_null(to);
        if (to == KQ_DYNAMIC) KQ_TRY(kq_value_to_dynamic(b, &expr->value, &v));
        if (to == KQ_STRING) v = kq_value_sv(KQ_SV(""));
        return kq_expr_const(b, &v, expr->span, out);
    }
    kq_expr **args = kq_arena_array(b->arena, kq_expr *, 1);
    if (!args) return kq_bind_nomem(b);
    args[0] = expr;
    const char *name = conversion_name(to);
    if (to == KQ_REAL && !kq_scalar_exists(kq_sv_of(name))) name = "todouble";
    return kq_expr_call(b, name, args, 1, expr->span, out);
}

/* An overload that stands for a refusal: dynamic beside dynamic, strings in order. */
static kq_status undefined(kq_binder *b, kq_sv name, const kq_type *types, uint32_t nargs, kq_span span) {
    (void)kq_bind_fail(b, span, "the operator '" KQ_SV_FMT "' is not defined for (%s, %s)", KQ_SV_ARG(name),
                       kq_type_name(types[0]), kq_type_name(types[nargs > 1 ? 1 : 0]));
    if (types[0] == KQ_DYNAMIC) kq_error_hint(b->err, "convert one side, e.g. by tostring() or tolong()");
    if (types[0] == KQ_STRING) kq_error_hint(b->err, "strcmp() orders strings");
    return KQ_ERR_QUERY;
}

/* What gives one of its arguments, as iff() does, is of both types when all of those that are dynamic are. */
static bool both_types(const kq_scalar *row, kq_expr *const *args, uint32_t nargs) {
    bool any = false;
    if (row->pattern[0] != 'T' && row->pattern[0] != '0') return false;
    for (uint32_t i = 0; i < nargs; i++) {
        if (args[i]->type == KQ_DYNAMIC && !args[i]->text) return false;
        any |= args[i]->text;
    }
    return any;
}

static kq_status call_as_is(kq_binder *b, kq_sv name, kq_expr **args, uint32_t nargs, kq_span span, kq_expr **out) {
    kq_type small_types[16] = {0}, small_want[16];
    bool small_literal[16] = {0};
    kq_type *types = small_types, *want = small_want;
    bool *literal = small_literal;
    if (nargs > 16) {
        types = kq_arena_array(b->arena, kq_type, nargs);
        want = kq_arena_array(b->arena, kq_type, nargs);
        literal = kq_arena_array(b->arena, bool, nargs);
        if (!types || !want || !literal) return kq_bind_nomem(b);
    }
    for (uint32_t i = 0; i < nargs; i++) {
        types[i] = args[i]->type;
        literal[i] = args[i]->kind == KQ_EXPR_CONST;
    }
    const kq_scalar *row = NULL;
    kq_type result = KQ_DYNAMIC;
    KQ_TRY(kq_bind_at(b, kq_scalar_resolve(name, types, literal, nargs, &row, want, &result, b->err), span));
    for (uint32_t i = 0; i < nargs; i++) KQ_TRY(kq_expr_convert(b, args[i], want[i], &args[i]));
    if (row->fn == kq_fn_untyped) return undefined(b, name, types, nargs, span);
    kq_expr *e = kq_expr_new(b, KQ_EXPR_CALL, result, span);
    if (!e) return no_expr(b, span);
    e->fn = row;
    e->args = args;
    e->nargs = nargs;
    e->text = result == KQ_DYNAMIC && both_types(row, args, nargs);
    *out = e;
    return kq_bind_at(b, kq_fold_call(e, b->arena, b->cleanups, b->err), span);
}

kq_status kq_expr_call_sv(kq_binder *b, kq_sv name, kq_expr **args, uint32_t nargs, kq_span span, kq_expr **out) {
    kq_status status = call_as_is(b, name, args, nargs, span, out);
    bool text = false;
    for (uint32_t i = 0; status == KQ_ERR_QUERY && i < nargs; i++) {
        text |= args[i]->text;
        KQ_TRY(kq_expr_text(b, args[i], &args[i]));
    }
    return text ? call_as_is(b, name, args, nargs, span, out) : status;
}

kq_status kq_expr_call(kq_binder *b, const char *name, kq_expr **args, uint32_t nargs, kq_span span, kq_expr **out) {
    return kq_expr_call_sv(b, kq_sv_of(name), args, nargs, span, out);
}

kq_status kq_expr_call2(kq_binder *b, const char *name, kq_expr *a, kq_expr *c, kq_span span, kq_expr **out) {
    kq_expr **args = kq_arena_array(b->arena, kq_expr *, 2);
    if (!args) return kq_bind_nomem(b);
    args[0] = a;
    args[1] = c;
    return kq_expr_call(b, name, args, 2, span, out);
}

/* ---- names and paths ---- */

static kq_status bind_name(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    uint32_t column;
    if (row && kq_row_find(row->columns, node->text, &column)) {
        if (row->aggs) {
            (void)kq_bind_fail(b, node->span, "'" KQ_SV_FMT "' stands outside an aggregate", KQ_SV_ARG(node->text));
            kq_error_hint(b->err, "put it into an aggregate such as max() or take_any(), or into 'by'");
            return KQ_ERR_QUERY;
        }
        return kq_expr_column_in(b, row->columns, column, node->span, out);
    }
    const kq_scope *s;
    KQ_TRY(kq_bind_symbol(b, scope, node->text, node->span, &s));
    if (!s) {
        kq_table_ref ref;
        if (b->resolver->find(b->resolver->ctx, node->text, &ref))
            return kq_bind_fail(b, node->span, "the table '" KQ_SV_FMT "' stands where a value is expected",
                                KQ_SV_ARG(node->text));
        return kq_unknown_name(b, scope, row, node->text, node->span);
    }
    kq_plan *plan = NULL;
    switch (s->kind) {
    case KQ_SYMBOL_SCALAR:
        if (s->row && (!row || s->row != row->id))
            return kq_bind_fail(b, node->span,
                                "'" KQ_SV_FMT "' depends on the row that the function is called for and "
                                "can't be used inside a table expression",
                                KQ_SV_ARG(s->name));
        return kq_expr_copy(b, s->expr, node->span, out);
    case KQ_SYMBOL_FUNCTION:
        KQ_TRY(kq_bind_function(b, scope, row, s, node, NULL, &plan, out));
        if (!plan) return KQ_OK;
        break;
    default: break;
    }
    (void)kq_bind_fail(b, node->span, "the table '" KQ_SV_FMT "' stands where a value is expected",
                       KQ_SV_ARG(node->text));
    kq_error_hint(b->err, "toscalar(" KQ_SV_FMT ") takes its first value", KQ_SV_ARG(node->text));
    return KQ_ERR_QUERY;
}

/* $left.x in a join's condition: the side's columns, or NULL. */
static const kq_columns *side_of(const kq_row *row, const kq_node *base) {
    if (!row || !row->left || base->kind != KQ_NODE_NAME) return NULL;
    if (kq_sv_eq(base->text, KQ_SV("$left"))) return row->left;
    return kq_sv_eq(base->text, KQ_SV("$right")) ? row->right : NULL;
}

static kq_status member(kq_binder *b, const kq_node *node, kq_expr *base, kq_expr *key, kq_expr **out) {
    if (base->type != KQ_DYNAMIC) {
        (void)kq_bind_fail(b, node->span, "a path needs a dynamic value, not %s", kq_type_name(base->type));
        if (base->type == KQ_STRING) kq_error_hint(b->err, "parse_json() makes one of a string");
        return KQ_ERR_QUERY;
    }
    return kq_expr_call2(b, "[]", base, key, node->span, out);
}

static kq_status bind_dot(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    const kq_columns *side = side_of(row, node->kids[0]);
    uint32_t column;
    if (side) {
        if (!kq_row_find(side, node->text, &column)) return kq_unknown_column(b, side, node->text, node->span);
        return kq_expr_column_in(b, side, column, node->span, out);
    }
    if (node->nkids == 2) return kq_bind_expr(b, scope, row, node->kids[1], out); /* database("x").f(...) */
    kq_expr *base, *key;
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[0], &base));
    kq_value v = kq_value_sv(node->text);
    KQ_TRY(kq_expr_const(b, &v, node->span, &key));
    return member(b, node, base, key, out);
}

static kq_status bind_index(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node,
                            kq_expr **out) {
    kq_expr *base, *key;
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[0], &base));
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[1], &key));
    return member(b, node, base, key, out);
}

/* ---- operators ---- */

static kq_status bind_unary(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node,
                            kq_expr **out) {
    kq_expr *operand;
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[0], &operand));
    if (kq_sv_eq(node->text, KQ_SV("+"))) {
        if (!kq_type_is_numeric(operand->type) && operand->type != KQ_TIMESPAN && operand->type != KQ_DYNAMIC)
            return kq_bind_fail(b, node->span, "the sign '+' is not defined for %s", kq_type_name(operand->type));
        *out = operand;
        return KQ_OK;
    }
    kq_expr **args = kq_arena_array(b->arena, kq_expr *, 1);
    if (!args) return kq_bind_nomem(b);
    args[0] = operand;
    return kq_expr_call(b, "neg", args, 1, node->span, out);
}

/* Equality of a text with another type: a constant is read as the other side's type, a text as a value. */
static kq_status align_text(kq_binder *b, kq_expr **text, kq_expr **other) {
    kq_type type = (*other)->type;
    if (type == KQ_DYNAMIC || type == KQ_STRING) return KQ_OK;
    if ((*other)->kind == KQ_EXPR_CONST && (*text)->kind != KQ_EXPR_CONST)
        return kq_expr_convert(b, *other, KQ_STRING, other);
    return kq_expr_convert(b, *text, type, text);
}

static bool is_equality(kq_sv op) {
    return kq_sv_eq(op, KQ_SV("==")) || kq_sv_eq(op, KQ_SV("!="));
}

static kq_status bind_binary(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node,
                             kq_expr **out) {
    const kq_node *r = node->kids[1];
    if (node->kids[0]->kind == KQ_NODE_WILDCARD) return kq_bind_anywhere(b, scope, row, node, out);
    if (r->kind == KQ_NODE_LIST) {
        bool range = kq_sv_eq(node->text, KQ_SV("between")) || kq_sv_eq(node->text, KQ_SV("!between"));
        return range ? kq_bind_between(b, scope, row, node, out) : kq_bind_list(b, scope, row, node, out);
    }
    kq_expr *left, *right;
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[0], &left));
    KQ_TRY(kq_bind_expr(b, scope, row, r, &right));
    if (is_equality(node->text) && left->type == KQ_STRING) KQ_TRY(align_text(b, &left, &right));
    if (is_equality(node->text) && right->type == KQ_STRING) KQ_TRY(align_text(b, &right, &left));
    kq_expr **args = kq_arena_array(b->arena, kq_expr *, 2);
    if (!args) return kq_bind_nomem(b);
    args[0] = left;
    args[1] = right;
    return kq_expr_call_sv(b, node->text, args, 2, node->span, out);
}

kq_status kq_bind_expr(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    KQ_TRY(kq_bind_enter(b, node->span));
    kq_status status;
    switch (node->kind) {
    case KQ_NODE_LITERAL: status = kq_expr_const(b, &node->value, node->span, out); break;
    case KQ_NODE_NAME: status = bind_name(b, scope, row, node, out); break;
    case KQ_NODE_DOT: status = bind_dot(b, scope, row, node, out); break;
    case KQ_NODE_INDEX: status = bind_index(b, scope, row, node, out); break;
    case KQ_NODE_UNARY: status = bind_unary(b, scope, row, node, out); break;
    case KQ_NODE_BINARY: status = bind_binary(b, scope, row, node, out); break;
    case KQ_NODE_CALL: status = kq_bind_call(b, scope, row, node, out); break;
    case KQ_NODE_WILDCARD: status = kq_bind_fail(b, node->span, "'*' can't be used here"); break;
    case KQ_NODE_TYPEOF: status = kq_bind_fail(b, node->span, "typeof() can't be used here"); break;
    case KQ_NODE_NAMED: status = kq_bind_expr(b, scope, row, node->kids[0], out); break; /* f(x = e): a name, no more */
    default:
        status = kq_bind_fail(b, node->span, "a table stands where a value is expected");
        kq_error_hint(b->err, "toscalar() takes a table's first value");
    }
    kq_bind_leave(b);
    return status;
}

kq_status kq_bind_predicate(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node,
                            kq_expr **out) {
    KQ_TRY(kq_bind_expr(b, scope, row, node, out));
    if ((*out)->type == KQ_BOOL) return KQ_OK;
    (void)kq_bind_fail(b, node->span, "a condition must be bool, not %s", kq_type_name((*out)->type));
    if ((*out)->type == KQ_DYNAMIC) kq_error_hint(b->err, "tobool() converts it");
    return KQ_ERR_QUERY;
}

kq_status kq_bind_constant(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_type type, const char *what,
                           kq_expr **out) {
    kq_row none = kq_row_of(b, NULL);
    KQ_TRY(kq_bind_expr(b, scope, &none, node, out));
    kq_type t = (*out)->type;
    if (t != type && t != KQ_DYNAMIC && !(type == KQ_LONG && t == KQ_INT))
        return kq_bind_fail(b, node->span, "%s must be %s, not %s", what, kq_type_name(type), kq_type_name(t));
    return kq_expr_convert(b, *out, type, out);
}
