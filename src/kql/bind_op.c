/* Operators that keep their input's columns, and the dispatch over all of them. */
#include "kql/bind.h"

static kq_status bind_where(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_row row = kq_row_of(b, &in->out);
    kq_windows windows = {in, b->ordered};
    row.windows = &windows;
    kq_plan *p = kq_plan_new(b, KQ_PLAN_FILTER, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(kq_bind_predicate(b, scope, &row, node->kids[0], &p->u.filter.predicate));
    *out = p;
    if (windows.plan == in) return KQ_OK;
    p->input = windows.plan; /* and without the columns of the calls again */
    p->out = windows.plan->out;
    uint32_t *columns = kq_arena_array(b->arena, uint32_t, in->out.n + 1);
    if (!columns) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < in->out.n; i++) columns[i] = i;
    return kq_plan_pick(b, p, columns, NULL, in->out.n, node->span, out);
}

static kq_status count_of(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_expr **out) {
    return kq_bind_constant(b, scope, node, KQ_LONG, "the number of rows", out);
}

static kq_status bind_take(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_plan *p = kq_plan_new(b, KQ_PLAN_TAKE, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(count_of(b, scope, node->kids[0], &p->u.order.count));
    *out = p;
    return KQ_OK;
}

static kq_status bind_keys(kq_binder *b, const kq_scope *scope, kq_node *const *keys, uint32_t n, kq_plan *p) {
    kq_row row = kq_row_of(b, &p->input->out);
    p->u.order.nkeys = n;
    p->u.order.keys = kq_arena_array(b->arena, kq_sort_key, n + 1);
    if (!p->u.order.keys) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < n; i++) {
        kq_sort_key *key = &p->u.order.keys[i];
        const kq_node *node = keys[i];
        uint32_t flags = node->kind == KQ_NODE_ORDERED ? node->flags : 0;
        const kq_node *expr = node->kind == KQ_NODE_ORDERED ? node->kids[0] : node;
        KQ_TRY(kq_bind_expr(b, scope, &row, expr, &key->expr));
        KQ_TRY(kq_expr_text(b, key->expr, &key->expr));
        if (key->expr->type == KQ_DYNAMIC) {
            (void)kq_bind_fail(b, expr->span, "rows can't be ordered by a dynamic value");
            kq_error_hint(b->err, "convert it, e.g. by tostring() or tolong()");
            return KQ_ERR_QUERY;
        }
        key->descending = !(flags & KQ_ORDER_ASC);
        key->nulls_first = flags & KQ_ORDER_NULLS_FIRST ? true : flags & KQ_ORDER_NULLS_LAST ? false : !key->descending;
    }
    return KQ_OK;
}

static kq_status bind_sort(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_plan *p = kq_plan_new(b, KQ_PLAN_SORT, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(bind_keys(b, scope, node->kids, node->nkids, p));
    *out = p;
    return KQ_OK;
}

static kq_status bind_top(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_plan *p = kq_plan_new(b, KQ_PLAN_TOP, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(count_of(b, scope, node->kids[0], &p->u.order.count));
    KQ_TRY(bind_keys(b, scope, &node->kids[1], 1, p));
    *out = p;
    return KQ_OK;
}

/* sample-distinct n of x: the first n values */
static kq_status bind_sample_distinct(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in,
                                      kq_plan **out) {
    kq_node distinct = {.kind = KQ_NODE_DISTINCT, .span = node->span, .kids = &node->kids[1], .nkids = 1};
    kq_plan *values, *p;
    KQ_TRY(kq_bind_distinct(b, scope, &distinct, in, &values));
    if (!(p = kq_plan_new(b, KQ_PLAN_TAKE, node->span, values))) return kq_plan_failed(b, node->span);
    KQ_TRY(count_of(b, scope, node->kids[0], &p->u.order.count));
    *out = p;
    return KQ_OK;
}

static kq_status bind_getschema(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out) {
    static const char *const names[] = {"ColumnName", "ColumnOrdinal", "DataType", "ColumnType"};
    static const kq_type types[] = {KQ_STRING, KQ_INT, KQ_STRING, KQ_STRING};
    kq_plan *p = kq_plan_new(b, KQ_PLAN_VALUES, node->span, NULL);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(kq_columns_alloc(b, &p->out, 4, node->span));
    for (int i = 0; i < 4; i++) p->out.items[i] = (kq_column){.name = kq_sv_of(names[i]), .type = types[i]};
    p->u.values.rows = in->out.n;
    p->u.values.cells = kq_arena_array(b->arena, kq_expr *, (size_t)in->out.n * 4 + 1);
    if (!p->u.values.cells) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < in->out.n; i++) {
        const kq_column *c = &in->out.items[i];
        kq_value cells[4] = {kq_value_sv(c->name),
                             {.type = KQ_INT, .u.i = (int32_t)i},
                             kq_value_sv(kq_sv_of(kq_type_dotnet(c->type))),
                             kq_value_sv(kq_sv_of(kq_type_name(c->type)))};
        for (int k = 0; k < 4; k++)
            KQ_TRY(kq_expr_const(b, &cells[k], node->span, &p->u.values.cells[(size_t)i * 4 + (size_t)k]));
    }
    *out = p;
    return KQ_OK;
}

static kq_status bind_invoke(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *call = node->kids[0];
    const kq_scope *s = NULL;
    if (call->kind == KQ_NODE_CALL) KQ_TRY(kq_bind_symbol(b, scope, call->text, call->span, &s));
    kq_row none = kq_row_of(b, NULL);
    kq_expr *expr = NULL;
    if (!s || s->kind != KQ_SYMBOL_FUNCTION) return kq_unknown_function(b, scope, call->text, call->span);
    KQ_TRY(kq_bind_function(b, scope, &none, s, call, in, out, &expr));
    return *out ? KQ_OK : kq_bind_fail(b, node->span, KQ_SV_FMT "() gives no table", KQ_SV_ARG(call->text));
}

static kq_status refused(kq_binder *b, const kq_node *node, const char *name) {
    return kq_bind_fail(b, node->span, "the operator '%s' is not known to this version", name);
}

/* Source: Kusto documentation, "render operator". */
static bool is_visualization(kq_sv name) {
    static const char *const names[] = {"anomalychart", "areachart",    "barchart",         "card",     "columnchart",
                                        "graph",        "ladderchart",  "linechart",        "piechart", "pivotchart",
                                        "plotly",       "scatterchart", "stackedareachart", "table",    "timechart",
                                        "timepivot",    "treemap"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kq_sv_eq(name, kq_sv_of(names[i]))) return true;
    return false;
}

kq_status kq_bind_operator(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    switch (node->kind) {
    case KQ_NODE_WHERE: return bind_where(b, scope, node, in, out);
    case KQ_NODE_SERIALIZE:
    case KQ_NODE_EXTEND: return kq_bind_extend(b, scope, node, in, out);
    case KQ_NODE_PROJECT: return kq_bind_project(b, scope, node, in, out);
    case KQ_NODE_PROJECT_AWAY:
    case KQ_NODE_PROJECT_KEEP: return kq_bind_project_away(b, node, in, out);
    case KQ_NODE_PROJECT_RENAME: return kq_bind_project_rename(b, node, in, out);
    case KQ_NODE_PROJECT_REORDER: return kq_bind_project_reorder(b, node, in, out);
    case KQ_NODE_DISTINCT: return kq_bind_distinct(b, scope, node, in, out);
    case KQ_NODE_TAKE:
    case KQ_NODE_SAMPLE: return bind_take(b, scope, node, in, out);
    case KQ_NODE_TOP: return bind_top(b, scope, node, in, out);
    case KQ_NODE_SORT: return bind_sort(b, scope, node, in, out);
    case KQ_NODE_COUNT: return kq_bind_count(b, node->span, node->text.n ? node->text : KQ_SV("Count"), in, out);
    case KQ_NODE_SUMMARIZE: return kq_bind_summarize(b, scope, node, in, out);
    case KQ_NODE_JOIN:
    case KQ_NODE_LOOKUP: return kq_bind_join(b, scope, node, in, out);
    case KQ_NODE_UNION: return kq_bind_union(b, scope, node, in, out);
    case KQ_NODE_SEARCH: return kq_bind_search(b, scope, node, in, out);
    case KQ_NODE_RENDER:
        if (!is_visualization(node->text))
            return kq_bind_fail(b, node->span, "there is no visualization '" KQ_SV_FMT "'", KQ_SV_ARG(node->text));
        b->visualization = node->text;
        *out = in;
        return KQ_OK;
    case KQ_NODE_CONSUME:
    case KQ_NODE_AS: *out = in; return KQ_OK;
    case KQ_NODE_INVOKE: return bind_invoke(b, scope, node, in, out);
    case KQ_NODE_GETSCHEMA: return bind_getschema(b, node, in, out);
    case KQ_NODE_SAMPLE_DISTINCT: return bind_sample_distinct(b, scope, node, in, out);
    case KQ_NODE_MV_EXPAND: return kq_bind_expand(b, scope, node, in, out);
    case KQ_NODE_PARSE: return kq_bind_parse(b, scope, node, in, out);
    case KQ_NODE_EVALUATE: return kq_bind_evaluate(b, scope, node, in, out);
    case KQ_NODE_MV_APPLY: return kq_bind_apply(b, scope, node, in, out);
    case KQ_NODE_PARSE_KV: return kq_bind_parse_kv(b, scope, node, in, out);
    case KQ_NODE_MAKE_SERIES: return kq_bind_series(b, scope, node, in, out);
    case KQ_NODE_TOP_NESTED: return refused(b, node, "top-nested");
    case KQ_NODE_SCAN: return refused(b, node, "scan");
    case KQ_NODE_PARTITION: return refused(b, node, "partition");
    case KQ_NODE_FORK: return refused(b, node, "fork");
    case KQ_NODE_FACET: return refused(b, node, "facet");
    case KQ_NODE_REDUCE: return refused(b, node, "reduce");
    default:
        return kq_bind_fail(b, node->span, "the operator '" KQ_SV_FMT "' is not known to this version",
                            KQ_SV_ARG(node->text));
    }
}
