/* Function calls: let functions, what only the binder can answer (now, toscalar, column_ifexists, ...), rows. */
#include "kql/bind.h"
#include "kql/builtin.h"

static const kq_builtin rows[] = {
#define KQ_BUILTIN(name, kind, function, signature, doc) {name, kind, signature, doc},
#include "kql/builtin.def"
#undef KQ_BUILTIN
#define KQ_WINDOW(kind, name, nargs, signature, doc) {name, "window function", signature, doc},
#include "kql/window.def"
#undef KQ_WINDOW
};

const kq_builtin *kq_builtin_rows(size_t *n) {
    *n = sizeof rows / sizeof *rows;
    return rows;
}

typedef struct call_args {
    kq_binder *b;
    const kq_scope *scope;
    const kq_row *row;
    const kq_node *node;
} call_args;

static kq_status wrong_count(const call_args *c) {
    (void)kq_bind_fail(c->b, c->node->span, KQ_SV_FMT "() does not take %u argument%s", KQ_SV_ARG(c->node->text),
                       c->node->nkids, c->node->nkids == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (kq_sv_eq(c->node->text, kq_sv_of(rows[i].name))) kq_error_hint(c->b->err, "%s", rows[i].signature);
    return KQ_ERR_QUERY;
}

static kq_status now_const(const call_args *c, kq_expr **out) {
    kq_value v = {.type = KQ_DATETIME, .u.l = c->b->resolver->now};
    return kq_expr_const(c->b, &v, c->node->span, out);
}

/* now([offset]), ago(offset) */
static kq_status call_now(const call_args *c, const char *op, kq_expr **out) {
    KQ_TRY(now_const(c, out));
    if (!c->node->nkids) return KQ_OK;
    kq_expr *offset;
    KQ_TRY(kq_bind_expr(c->b, c->scope, c->row, c->node->kids[0], &offset));
    if (offset->type != KQ_TIMESPAN && offset->type != KQ_DYNAMIC)
        return kq_bind_fail(c->b, c->node->kids[0]->span, KQ_SV_FMT "() takes a timespan, not %s",
                            KQ_SV_ARG(c->node->text), kq_type_name(offset->type));
    KQ_TRY(kq_expr_convert(c->b, offset, KQ_TIMESPAN, &offset));
    return kq_expr_call2(c->b, op, *out, offset, c->node->span, out);
}

static kq_status fn_now(const call_args *c, kq_expr **out) {
    if (c->node->nkids > 1) return wrong_count(c);
    return call_now(c, "+", out);
}
static kq_status fn_ago(const call_args *c, kq_expr **out) {
    if (c->node->nkids != 1) return wrong_count(c);
    return call_now(c, "-", out);
}

static kq_status fn_toscalar(const call_args *c, kq_expr **out) {
    if (c->node->nkids != 1) return wrong_count(c);
    const kq_node *arg = c->node->kids[0];
    if (!kq_node_is_table(c->b, c->scope, c->row, arg)) {
        kq_row none = kq_row_of(c->b, NULL);
        return kq_bind_expr(c->b, c->scope, &none, arg, out);
    }
    kq_plan *plan;
    KQ_TRY(kq_bind_table(c->b, c->scope, arg, &plan));
    if (!plan->out.n) return kq_bind_fail(c->b, arg->span, "toscalar() needs a table with a column");
    return kq_expr_subquery(c->b, plan, false, c->node->span, out);
}

static kq_status fn_column_ifexists(const call_args *c, kq_expr **out) {
    if (c->node->nkids != 2) return wrong_count(c);
    kq_expr *name;
    uint32_t column;
    KQ_TRY(kq_bind_constant(c->b, c->scope, c->node->kids[0], KQ_STRING, "the column's name", &name));
    if (name->kind != KQ_EXPR_CONST)
        return kq_bind_fail(c->b, c->node->kids[0]->span, "the column's name must be constant");
    if (c->row && kq_row_find(c->row->columns, kq_str_view(&name->value.u.s), &column))
        return kq_expr_column_in(c->b, c->row->columns, column, c->node->span, out);
    return kq_bind_expr(c->b, c->scope, c->row, c->node->kids[1], out);
}

/* When a record came in: local logs know no other time than that of the event. */
static kq_status fn_ingestion_time(const call_args *c, kq_expr **out) {
    uint32_t column;
    if (c->node->nkids) return wrong_count(c);
    if (c->row && kq_row_find(c->row->columns, KQ_SV("TimeGenerated"), &column) &&
        c->row->columns->items[column].type == KQ_DATETIME)
        return kq_expr_column(c->b, column, KQ_DATETIME, c->node->span, out);
    kq_value v = kq_value_null(KQ_DATETIME);
    return kq_expr_const(c->b, &v, c->node->span, out);
}

/* bag_pack("name", column, ...) over `n` columns */
static kq_status pack(const call_args *c, const char *function, const uint32_t *columns, uint32_t n, kq_expr **out) {
    if (n == 0) {
        kq_value v = kq_value_null(KQ_DYNAMIC);
        return kq_expr_const(c->b, &v, c->node->span, out);
    }
    kq_expr **args = kq_arena_array(c->b->arena, kq_expr *, (size_t)n * 2);
    if (!args) return kq_bind_nomem(c->b);
    for (uint32_t i = 0; i < n; i++) {
        const kq_column *col = &c->row->columns->items[columns[i]];
        kq_value name = kq_value_sv(col->name);
        KQ_TRY(kq_expr_const(c->b, &name, c->node->span, &args[2 * i]));
        KQ_TRY(kq_expr_column_in(c->b, c->row->columns, columns[i], c->node->span, &args[2 * i + 1]));
    }
    return kq_expr_call(c->b, function, args, n * 2, c->node->span, out);
}

static kq_status fn_pack_all(const call_args *c, kq_expr **out) {
    const char *function = "bag_pack";
    if (c->node->nkids > 1) return wrong_count(c);
    if (c->node->nkids == 1) {
        kq_expr *ignore;
        KQ_TRY(kq_bind_constant(c->b, c->scope, c->node->kids[0], KQ_BOOL, "ignore_null_empty", &ignore));
        if (ignore->kind != KQ_EXPR_CONST || ignore->value.null)
            return kq_bind_fail(c->b, c->node->kids[0]->span, "pack_all() takes true or false");
        if (ignore->value.u.b) function = "bag_pack if not empty";
    }
    if (!c->row || !c->row->columns) return kq_bind_fail(c->b, c->node->span, "pack_all() needs a table's row");
    uint32_t n = c->row->columns->n, *columns = kq_arena_array(c->b->arena, uint32_t, n + 1);
    if (!columns) return kq_bind_nomem(c->b);
    for (uint32_t i = 0; i < n; i++) columns[i] = i;
    return pack(c, function, columns, n, out);
}

static kq_status fn_bag_pack_columns(const call_args *c, kq_expr **out) {
    uint32_t n = c->node->nkids, *columns = kq_arena_array(c->b->arena, uint32_t, n + 1);
    if (!columns) return kq_bind_nomem(c->b);
    if (!c->row || !c->row->columns) return kq_bind_fail(c->b, c->node->span, "bag_pack_columns() needs a table's row");
    for (uint32_t i = 0; i < n; i++) {
        const kq_node *arg = c->node->kids[i];
        if (arg->kind != KQ_NODE_NAME || !kq_row_find(c->row->columns, arg->text, &columns[i]))
            return kq_unknown_column(c->b, c->row->columns, arg->text, arg->span);
    }
    return pack(c, "bag_pack", columns, n, out);
}

/* The functions beside kq_builtin_rows, which has the window functions behind them. */
static kq_status (*const functions[])(const call_args *c, kq_expr **out) = {
#define KQ_BUILTIN(name, kind, function, signature, doc) function,
#include "kql/builtin.def"
#undef KQ_BUILTIN
};

static bool is_text(const kq_expr *e, kq_sv text) {
    return e->kind == KQ_EXPR_CONST && e->type == KQ_STRING && kq_sv_eq_ascii_ci(kq_str_view(&e->value.u.s), text);
}

/* A row of the registry. A typeof() at the end converts the result. */
static kq_status call_row(const call_args *c, kq_expr **out) {
    uint32_t n = c->node->nkids;
    const kq_node *type = NULL;
    if (n && c->node->kids[n - 1]->kind == KQ_NODE_TYPEOF) {
        type = c->node->kids[--n];
        if (type->nkids) return kq_bind_fail(c->b, type->span, "typeof() takes one scalar type here");
    }
    kq_expr **args = kq_arena_array(c->b->arena, kq_expr *, n + 1);
    if (!args) return kq_bind_nomem(c->b);
    for (uint32_t i = 0; i < n; i++) KQ_TRY(kq_bind_expr(c->b, c->scope, c->row, c->node->kids[i], &args[i]));
    bool weeks = n == 3 && kq_sv_eq(c->node->text, KQ_SV("datetime_diff")) && is_text(args[0], KQ_SV("week"));
    KQ_TRY(kq_expr_call_sv(c->b, c->node->text, args, n, c->node->span, out));
    if (weeks) return kq_expr_convert(c->b, *out, KQ_REAL, out); /* alone among the parts, Kusto's answer is real */
    return type ? kq_expr_convert(c->b, *out, type->value.type, out) : KQ_OK;
}

static kq_status call_function(const call_args *c, const kq_scope *function, kq_expr **out) {
    kq_plan *plan = NULL;
    KQ_TRY(kq_bind_function(c->b, c->scope, c->row, function, c->node, NULL, &plan, out));
    if (!plan) return KQ_OK;
    (void)kq_bind_fail(c->b, c->node->span, KQ_SV_FMT "() gives a table where a value is expected",
                       KQ_SV_ARG(c->node->text));
    kq_error_hint(c->b->err, "toscalar() takes a table's first value");
    return KQ_ERR_QUERY;
}

kq_status kq_bind_call(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    call_args c = {b, scope, row, node};
    const kq_scope *s = kq_scope_find(scope, node->text);
    if (s && s->kind == KQ_SYMBOL_FUNCTION) return call_function(&c, s, out);
    if (row && row->aggs && kq_aggregate_exists(node->text)) return kq_bind_aggregate(b, scope, row, node, out);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (functions[i] && kq_sv_eq(node->text, kq_sv_of(rows[i].name))) return functions[i](&c, out);
    if (kq_is_window(node->text)) return kq_bind_window(b, scope, row, node, out);
    if (kq_scalar_exists(node->text)) return call_row(&c, out);
    if (kq_aggregate_exists(node->text)) {
        (void)kq_bind_fail(b, node->span, "the aggregate '" KQ_SV_FMT "' can't be used here", KQ_SV_ARG(node->text));
        kq_error_hint(b->err, "aggregates stand in 'summarize'");
        return KQ_ERR_QUERY;
    }
    KQ_TRY(kq_bind_symbol(b, scope, node->text, node->span, &s));
    if (s && s->kind == KQ_SYMBOL_FUNCTION) return call_function(&c, s, out);
    if (kq_node_is_table(b, scope, row, node))
        return kq_bind_fail(b, node->span, KQ_SV_FMT "() gives a table where a value is expected",
                            KQ_SV_ARG(node->text));
    return kq_unknown_function(b, scope, node->text, node->span);
}
