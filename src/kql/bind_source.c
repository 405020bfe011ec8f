/* Tables: names, datatable, print, range, and the plan's nodes. */
#include "kql/bind.h"

kq_plan *kq_plan_new(kq_binder *b, kq_plan_kind kind, kq_span span, kq_plan *input) {
    if (b->plans >= KQ_BIND_PLANS) return NULL;
    kq_plan *p = kq_arena_new(b->arena, kq_plan);
    if (!p) return NULL;
    b->plans++;
    p->kind = kind;
    p->span = span;
    p->input = input;
    if (input) p->out = input->out;
    return p;
}

kq_status kq_plan_failed(kq_binder *b, kq_span span) {
    if (b->plans >= KQ_BIND_PLANS)
        return kq_fail_at(b->err, KQ_ERR_LIMIT, span,
                          "the query has more than %d operators once its let names are expanded", KQ_BIND_PLANS);
    return kq_bind_nomem(b);
}

kq_status kq_columns_alloc(kq_binder *b, kq_columns *columns, uint32_t n, kq_span span) {
    if (n > KQ_BIND_COLUMNS)
        return kq_fail_at(b->err, KQ_ERR_LIMIT, span, "an operator has more than %d columns", KQ_BIND_COLUMNS);
    columns->n = n;
    columns->items = kq_arena_array(b->arena, kq_column, n + 1);
    return columns->items ? KQ_OK : kq_bind_nomem(b);
}

kq_status kq_plan_pick(kq_binder *b, kq_plan *in, const uint32_t *columns, const kq_sv *names, uint32_t n, kq_span span,
                       kq_plan **out) {
    kq_plan *p = kq_plan_new(b, KQ_PLAN_PROJECT, span, in);
    if (!p) return kq_plan_failed(b, span);
    KQ_TRY(kq_columns_alloc(b, &p->out, n, span));
    p->u.project.exprs = kq_arena_array(b->arena, kq_expr *, n + 1);
    if (!p->u.project.exprs) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < n; i++) {
        const kq_column *c = &in->out.items[columns[i]];
        p->out.items[i] = (kq_column){names ? names[i] : c->name, c->type, c->text};
        KQ_TRY(kq_expr_column_in(b, &in->out, columns[i], span, &p->u.project.exprs[i]));
    }
    *out = p;
    return KQ_OK;
}

kq_status kq_plan_text(kq_binder *b, kq_plan *in, uint32_t column, kq_span span, kq_plan **out) {
    kq_plan *p = kq_plan_new(b, KQ_PLAN_PROJECT, span, in);
    if (!p) return kq_plan_failed(b, span);
    KQ_TRY(kq_columns_alloc(b, &p->out, in->out.n, span));
    p->u.project.exprs = kq_arena_array(b->arena, kq_expr *, in->out.n + 1);
    if (!p->u.project.exprs) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < in->out.n; i++) {
        kq_expr **e = &p->u.project.exprs[i];
        KQ_TRY(kq_expr_column_in(b, &in->out, i, span, e));
        if (i == column) KQ_TRY(kq_expr_text(b, *e, e));
        p->out.items[i] = (kq_column){in->out.items[i].name, (*e)->type, (*e)->text};
    }
    *out = p;
    return KQ_OK;
}

/* ---- datatable, print, range ---- */

/* A literal, perhaps with a sign; datetime() without a value is the call now(). */
static bool is_literal(const kq_node *node) {
    if (node->kind == KQ_NODE_UNARY) node = node->kids[0];
    return node->kind == KQ_NODE_LITERAL || (node->kind == KQ_NODE_CALL && kq_sv_eq(node->text, KQ_SV("now")));
}

/* A cell of a datatable. A value of another type is read as the column's by to<type>(); what does not fit is null. */
static kq_status bind_cell(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_type type, kq_expr **out) {
    kq_row none = kq_row_of(b, NULL);
    if (!is_literal(node)) return kq_bind_fail(b, node->span, "a datatable takes literals only");
    KQ_TRY(kq_bind_expr(b, scope, &none, node, out));
    return kq_expr_convert(b, *out, type, out);
}

static kq_status declared_columns(kq_binder *b, const kq_node *list, kq_columns *out) {
    kq_names names = {0};
    KQ_TRY(kq_columns_alloc(b, out, list->nkids, list->span));
    for (uint32_t i = 0; i < list->nkids; i++) {
        const kq_node *c = list->kids[i];
        if (kq_names_has(&names, c->text))
            return kq_bind_fail(b, c->span, "the column '" KQ_SV_FMT "' is declared twice", KQ_SV_ARG(c->text));
        KQ_TRY(kq_names_add(b, &names, c->text));
        out->items[i] = (kq_column){.name = c->text, .type = c->value.type};
    }
    return KQ_OK;
}

static kq_status bind_datatable(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    const kq_node *cells = node->kids[1];
    kq_plan *p = kq_plan_new(b, KQ_PLAN_VALUES, node->span, NULL);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(declared_columns(b, node->kids[0], &p->out));
    uint32_t width = p->out.n;
    if (width == 0 ? cells->nkids > 0 : cells->nkids % width != 0)
        return kq_bind_fail(b, cells->span, "%u values do not make rows of %u columns", cells->nkids, width);
    p->u.values.rows = width ? cells->nkids / width : 0;
    p->u.values.cells = kq_arena_array(b->arena, kq_expr *, cells->nkids + 1);
    if (!p->u.values.cells) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < cells->nkids; i++)
        KQ_TRY(bind_cell(b, scope, cells->kids[i], p->out.items[i % width].type, &p->u.values.cells[i]));
    *out = p;
    return KQ_OK;
}

typedef struct print {
    kq_binder *b;
    kq_plan *p;
    kq_names names;
    uint32_t n, item;
    bool several; /* values of this item */
} print;

static kq_status print_value(void *ctx, kq_sv name, bool named, kq_expr *expr, const kq_node *node) {
    print *w = ctx;
    kq_binder *b = w->b;
    if (named && (w->several || node->kind == KQ_NODE_NAMED)) {
        if (kq_names_has(&w->names, name))
            return kq_bind_fail(b, node->span, "the column '" KQ_SV_FMT "' is declared twice", KQ_SV_ARG(name));
        KQ_TRY(kq_names_add(b, &w->names, name));
    } else {
        if (!w->several || name.n == 0) name = kq_arena_printf(b->arena, "print_%u", w->item);
        if (!name.p) return kq_bind_nomem(b);
        KQ_TRY(kq_names_unique(b, &w->names, name, &name));
    }
    w->p->u.values.cells[w->n] = expr;
    w->p->out.items[w->n++] = (kq_column){name, expr->type, expr->text};
    return KQ_OK;
}

static kq_status bind_print(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    kq_row none = kq_row_of(b, NULL);
    kq_deal deal = {b, scope, &none, false};
    kq_plan *p = kq_plan_new(b, KQ_PLAN_VALUES, node->span, NULL);
    if (!p) return kq_plan_failed(b, node->span);
    print w = {.b = b, .p = p};
    uint32_t width = 0;
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *item = node->kids[i];
        uint32_t names = item->kind == KQ_NODE_NAMES ? item->kids[0]->nkids : 1;
        uint32_t values = kq_tuple_width(scope, item->kind == KQ_NODE_NAMES ? item->kids[1] : item);
        width += names > values ? names : values;
    }
    KQ_TRY(kq_columns_alloc(b, &p->out, width, node->span));
    p->u.values.rows = 1;
    p->u.values.cells = kq_arena_array(b->arena, kq_expr *, width + 1);
    if (!p->u.values.cells) return kq_bind_nomem(b);
    for (w.item = 0; w.item < node->nkids; w.item++) {
        const kq_node *item = node->kids[w.item];
        w.several = item->kind == KQ_NODE_NAMES || kq_tuple_width(scope, item);
        KQ_TRY(kq_deal_item(&deal, item, print_value, &w));
    }
    *out = p;
    return KQ_OK;
}

static kq_status bind_range(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    kq_row none = kq_row_of(b, NULL);
    kq_expr *e[3];
    kq_plan *p = kq_plan_new(b, KQ_PLAN_RANGE, node->span, NULL);
    if (!p) return kq_plan_failed(b, node->span);
    for (int i = 0; i < 3; i++) KQ_TRY(kq_bind_expr(b, scope, &none, node->kids[i], &e[i]));
    kq_type type = e[0]->type;
    if (type == KQ_DATETIME || type == KQ_TIMESPAN) {
        if (e[1]->type != type || e[2]->type != KQ_TIMESPAN)
            return kq_bind_fail(b, node->span, "range from %s to %s by steps of %s is not defined", kq_type_name(type),
                                kq_type_name(e[1]->type), kq_type_name(e[2]->type));
    } else {
        for (int i = 0; i < 3; i++) {
            if (i && kq_type_is_numeric(type) && (e[i]->type == KQ_DATETIME || e[i]->type == KQ_TIMESPAN))
                return kq_bind_fail(b, node->kids[i]->span, "range from %s %s %s is not defined", kq_type_name(type),
                                    i == 1 ? "to" : "by steps of", kq_type_name(e[i]->type));
            if (!kq_type_is_numeric(e[i]->type))
                return kq_bind_fail(b, node->kids[i]->span, "range takes numbers, datetimes or timespans, not %s",
                                    kq_type_name(e[i]->type));
            if (e[i]->type > type) type = e[i]->type;
        }
        for (int i = 0; i < 3; i++) KQ_TRY(kq_expr_convert(b, e[i], type, &e[i]));
    }
    KQ_TRY(kq_columns_alloc(b, &p->out, 1, node->span));
    p->out.items[0] = (kq_column){.name = node->text, .type = type};
    p->u.range.from = e[0];
    p->u.range.to = e[1];
    p->u.range.step = e[2];
    *out = p;
    return KQ_OK;
}

/* ---- names ---- */

kq_status kq_bind_scan(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span span, kq_plan **out) {
    kq_table_ref ref = {0};
    if (!b->resolver->find(b->resolver->ctx, name, &ref)) return kq_unknown_table(b, scope, name, span);
    kq_plan *p = kq_plan_new(b, KQ_PLAN_SCAN, span, NULL);
    if (!p) return kq_plan_failed(b, span);
    uint32_t shown = ref.columns.n;
    if (kq_span_stored(b, span)) ref.columns.n += ref.hidden;
    uint32_t *columns = kq_arena_array(b->arena, uint32_t, ref.columns.n + 1);
    if (!columns) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < ref.columns.n; i++) columns[i] = i;
    p->out = ref.columns;
    p->u.scan.shown = shown;
    p->u.scan.table = ref.name;
    p->u.scan.handle = ref.handle;
    p->u.scan.columns = columns;
    *out = p;
    return KQ_OK;
}

static kq_status bind_symbol(kq_binder *b, const kq_scope *scope, const kq_scope *s, const kq_node *node,
                             kq_plan **out) {
    kq_expr *expr = NULL;
    *out = NULL;
    switch (s->kind) {
    case KQ_SYMBOL_TABLE: return kq_bind_table(b, s->at, s->node, out);
    case KQ_SYMBOL_PLAN: *out = s->plan; return KQ_OK;
    case KQ_SYMBOL_FUNCTION: {
        kq_row none = kq_row_of(b, NULL);
        KQ_TRY(kq_bind_function(b, scope, &none, s, node, NULL, out, &expr));
        if (*out) return KQ_OK;
        break;
    }
    default: break;
    }
    return kq_bind_fail(b, node->span, "'" KQ_SV_FMT "' is a value where a table is expected", KQ_SV_ARG(s->name));
}

static kq_status bind_table_call(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    const kq_scope *s = kq_scope_find(scope, node->text);
    if (s && s->kind == KQ_SYMBOL_FUNCTION) return bind_symbol(b, scope, s, node, out);
    if (kq_sv_eq(node->text, KQ_SV("materialize")) && node->nkids == 1) {
        kq_plan *in, *p;
        KQ_TRY(kq_bind_table(b, scope, node->kids[0], &in));
        if (!(p = kq_plan_new(b, KQ_PLAN_MATERIALIZE, node->span, in))) return kq_plan_failed(b, node->span);
        *out = p;
        return KQ_OK;
    }
    if ((kq_sv_eq(node->text, KQ_SV("table")) || kq_sv_eq(node->text, KQ_SV("materialized_view"))) && node->nkids) {
        kq_expr *name;
        KQ_TRY(kq_bind_constant(b, scope, node->kids[0], KQ_STRING, "the table's name", &name));
        if (name->kind != KQ_EXPR_CONST)
            return kq_bind_fail(b, node->kids[0]->span, "the table's name must be constant");
        return kq_bind_scan(b, scope, kq_arena_copy(b->arena, kq_str_view(&name->value.u.s)), node->span, out);
    }
    KQ_TRY(kq_bind_symbol(b, scope, node->text, node->span, &s));
    if (s && s->kind == KQ_SYMBOL_FUNCTION) return bind_symbol(b, scope, s, node, out);
    if (kq_scalar_exists(node->text) || kq_aggregate_exists(node->text))
        return kq_bind_fail(b, node->span, KQ_SV_FMT "() gives a value where a table is expected",
                            KQ_SV_ARG(node->text));
    return kq_unknown_function(b, scope, node->text, node->span);
}

/* database("x").T, cluster("x").database("y").T, workspace("x").T: the logs at hand are the only database. */
static kq_status bind_qualified(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    if (node->nkids == 2) {
        const kq_node *call = node->kids[1];
        if (kq_sv_eq(call->text, KQ_SV("database")))
            return kq_bind_fail(b, node->span, "a database stands where a table is expected");
        return kq_bind_table(b, scope, call, out);
    }
    const kq_scope *s; /* no let of the query's is meant, but a stored function is */
    KQ_TRY(kq_bind_symbol(b, NULL, node->text, node->span, &s));
    return s ? bind_symbol(b, NULL, s, node, out) : kq_bind_scan(b, scope, node->text, node->span, out);
}

/* Have the rows an order that means something after this operator? */
static bool stays_ordered(const kq_node *op, bool ordered) {
    switch (op->kind) {
    case KQ_NODE_SORT:
    case KQ_NODE_TOP:
    case KQ_NODE_SERIALIZE:
    case KQ_NODE_GETSCHEMA: return true;
    case KQ_NODE_SUMMARIZE:
    case KQ_NODE_DISTINCT:
    case KQ_NODE_COUNT:
    case KQ_NODE_JOIN:
    case KQ_NODE_LOOKUP:
    case KQ_NODE_UNION:
    case KQ_NODE_SEARCH:
    case KQ_NODE_SAMPLE:
    case KQ_NODE_SAMPLE_DISTINCT:
    case KQ_NODE_INVOKE: return false;
    default: return ordered;
    }
}

static kq_status bind_pipe(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    kq_plan *plan;
    KQ_TRY(kq_bind_table(b, scope, node->kids[0], &plan));
    bool ordered = b->ordered;
    for (uint32_t i = 1; i < node->nkids; i++) {
        const kq_node *op = node->kids[i];
        if (op->kind != KQ_NODE_AS) {
            b->ordered = ordered;
            ordered = stays_ordered(op, ordered);
            KQ_TRY(kq_bind_operator(b, scope, op, plan, &plan));
            continue;
        }
        /* The name of `as` stands for the rows so far in the operators that follow. */
        uint32_t mentions = 0;
        for (uint32_t k = i + 1; k < node->nkids; k++) mentions += kq_mentions(node->kids[k], op->text);
        if (!mentions) continue;
        if (!(plan = kq_plan_new(b, KQ_PLAN_MATERIALIZE, op->span, plan))) return kq_plan_failed(b, op->span);
        kq_scope *s = kq_scope_push(b, scope, op->text, KQ_SYMBOL_PLAN);
        if (!s) return kq_bind_nomem(b);
        s->plan = plan;
        scope = s;
    }
    b->ordered = ordered;
    *out = plan;
    return KQ_OK;
}

static kq_status refused(kq_binder *b, const kq_node *node, const char *name) {
    return kq_bind_fail(b, node->span, "the operator '%s' is not known to this version", name);
}

static kq_status bind_table(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    switch (node->kind) {
    case KQ_NODE_PIPE: return bind_pipe(b, scope, node, out);
    case KQ_NODE_DATATABLE: return bind_datatable(b, scope, node, out);
    case KQ_NODE_PRINT: return bind_print(b, scope, node, out);
    case KQ_NODE_RANGE: return bind_range(b, scope, node, out);
    case KQ_NODE_UNION: return kq_bind_union(b, scope, node, NULL, out);
    case KQ_NODE_SEARCH: return kq_bind_search(b, scope, node, NULL, out);
    case KQ_NODE_CALL: return bind_table_call(b, scope, node, out);
    case KQ_NODE_DOT: return bind_qualified(b, scope, node, out);
    case KQ_NODE_NAME: {
        const kq_scope *s;
        KQ_TRY(kq_bind_symbol(b, scope, node->text, node->span, &s));
        return s ? bind_symbol(b, scope, s, node, out) : kq_bind_scan(b, scope, node->text, node->span, out);
    }
    case KQ_NODE_EXTERNALDATA:
        return kq_bind_fail(b, node->span, "externaldata reads from addresses, which kequel does not");
    case KQ_NODE_FIND: return refused(b, node, "find");
    case KQ_NODE_EVALUATE: return refused(b, node, "evaluate");
    default: return kq_bind_fail(b, node->span, "a value stands where a table is expected");
    }
}

kq_status kq_bind_table(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out) {
    KQ_TRY(kq_bind_enter(b, node->span));
    b->ordered = false;
    kq_status status = bind_table(b, scope, node, out);
    if (node->kind == KQ_NODE_RANGE) b->ordered = true;
    kq_bind_leave(b);
    return status;
}
