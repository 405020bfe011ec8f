/* summarize, distinct, count: AGGREGATE with a PROJECT above it when expressions stand around the aggregates. */
#include "kql/bind.h"

/* ---- aggregate calls ---- */

static kq_status grow(kq_binder *b, kq_aggs *a, uint32_t outputs) {
    if (a->n == a->cap) {
        uint32_t cap = a->cap ? a->cap * 2 : 8;
        kq_agg_item *items = kq_arena_array(b->arena, kq_agg_item, cap);
        if (!items) return kq_bind_nomem(b);
        if (a->n) memcpy(items, a->items, a->n * sizeof *items);
        a->items = items;
        a->cap = cap;
    }
    while (a->nout + outputs > a->out_cap) {
        uint32_t cap = a->out_cap ? a->out_cap * 2 : 16;
        kq_column *columns = kq_arena_array(b->arena, kq_column, cap);
        if (!columns) return kq_bind_nomem(b);
        if (a->nout) memcpy(columns, a->outputs, a->nout * sizeof *columns);
        a->outputs = columns;
        a->out_cap = cap;
    }
    return KQ_OK;
}

/* Adds a call on bound arguments; its outputs are *first and, of a MULTI, those after it. */
static kq_status add_aggregate(kq_binder *b, kq_aggs *a, kq_sv name, kq_expr **args, uint32_t nargs, kq_span span,
                               uint32_t *first) {
    kq_type small_types[8] = {0}, small_want[8], result = KQ_DYNAMIC;
    bool small_literal[8] = {0};
    kq_type *types = small_types, *want = small_want;
    bool *literal = small_literal;
    if (nargs > 8) {
        types = kq_arena_array(b->arena, kq_type, nargs);
        want = kq_arena_array(b->arena, kq_type, nargs);
        literal = kq_arena_array(b->arena, bool, nargs);
        if (!types || !want || !literal) return kq_bind_nomem(b);
    }
    for (uint32_t i = 0; i < nargs; i++) {
        types[i] = args[i]->type;
        literal[i] = args[i]->kind == KQ_EXPR_CONST;
    }
    const kq_aggregate *fn = NULL;
    KQ_TRY(kq_bind_at(b, kq_aggregate_resolve(name, types, literal, nargs, &fn, want, &result, b->err), span));
    uint32_t nout = fn->flags & KQ_AGG_MULTI ? nargs : 1;
    KQ_TRY(grow(b, a, nout));
    for (uint32_t i = 0; i < nargs; i++) KQ_TRY(kq_expr_convert(b, args[i], want[i], &args[i]));
    a->items[a->n++] = (kq_agg_item){fn, args, nargs, nout};
    *first = a->nout;
    for (uint32_t i = 0; i < nout; i++) {
        bool multi = fn->flags & KQ_AGG_MULTI, as_given = multi || fn->pattern[0] == '0' || fn->pattern[0] == 'T';
        a->outputs[a->nout + i] =
            (kq_column){.type = multi ? args[i]->type : result, .text = as_given && args[i]->text};
    }
    a->nout += nout;
    return KQ_OK;
}

static kq_status output_expr(kq_binder *b, const kq_aggs *a, uint32_t output, kq_span span, kq_expr **out) {
    KQ_TRY(kq_expr_column(b, a->nby + output, a->outputs[output].type, span, out));
    (*out)->text = a->outputs[output].text;
    return KQ_OK;
}

static const kq_node *plain(const kq_node *node) {
    return node->kind == KQ_NODE_NAMED ? node->kids[0] : node;
}

static kq_status bind_arguments(kq_binder *b, const kq_scope *scope, const kq_aggs *a, const kq_node *node,
                                kq_expr ***args) {
    *args = kq_arena_array(b->arena, kq_expr *, node->nkids + 1);
    if (!*args) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *arg = plain(node->kids[i]);
        kq_status status = kq_bind_expr(b, scope, a->input, arg, &(*args)[i]);
        if (status == KQ_ERR_QUERY && b->err && arg->kind == KQ_NODE_CALL && kq_aggregate_exists(arg->text) &&
            b->err->span_start == arg->span.start && b->err->span_len == arg->span.len)
            kq_error_hint(b->err,
                          "an aggregate can't stand in another one: give '" KQ_SV_FMT
                          "' a summarize of its own, before this one",
                          KQ_SV_ARG(arg->text));
        KQ_TRY(status);
    }
    return KQ_OK;
}

kq_status kq_bind_aggregate(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node,
                            kq_expr **out) {
    kq_expr **args;
    uint32_t output;
    KQ_TRY(bind_arguments(b, scope, row->aggs, node, &args));
    KQ_TRY(add_aggregate(b, row->aggs, node->text, args, node->nkids, node->span, &output));
    if (row->aggs->items[row->aggs->n - 1].nout != 1)
        return kq_bind_fail(b, node->span, KQ_SV_FMT "() gives several columns and can't stand in an expression",
                            KQ_SV_ARG(node->text));
    return output_expr(b, row->aggs, output, node->span, out);
}

/* ---- the operator ---- */

typedef struct summarize {
    kq_binder *b;
    const kq_scope *scope;
    kq_plan *in;
    kq_row input, row; /* of arguments; of what stands around aggregates */
    kq_aggs aggs;
    kq_columns out;
    kq_expr **exprs;
    uint32_t n, cap;
    kq_names names, given;
    bool *grouped;           /* input columns that are themselves in `by`; NULL: none */
    const kq_columns *carry; /* mv-apply's: the first is grouped by, the others are the same within a group */
    kq_span span;
} summarize;

/* `given`: a name that the query says, which must be new. */
static kq_status append(summarize *s, kq_sv name, bool given, kq_expr *expr, kq_span span) {
    if (given && kq_names_has(&s->given, name))
        return kq_bind_fail(s->b, span, "the column '" KQ_SV_FMT "' is given twice", KQ_SV_ARG(name));
    KQ_TRY(kq_names_unique(s->b, &s->names, name, &name));
    if (given) KQ_TRY(kq_names_add(s->b, &s->given, name));
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 16;
        kq_columns grown;
        KQ_TRY(kq_columns_alloc(s->b, &grown, cap < KQ_BIND_COLUMNS || s->n == KQ_BIND_COLUMNS ? cap : KQ_BIND_COLUMNS,
                                s->span));
        kq_expr **exprs = kq_arena_array(s->b->arena, kq_expr *, cap);
        if (!exprs) return kq_bind_nomem(s->b);
        if (s->n) {
            memcpy(grown.items, s->out.items, s->n * sizeof *grown.items);
            memcpy(exprs, s->exprs, s->n * sizeof *exprs);
        }
        s->out.items = grown.items;
        s->exprs = exprs;
        s->cap = grown.n;
    }
    s->out.items[s->n] = (kq_column){name, expr->type, expr->text};
    s->exprs[s->n++] = expr;
    s->out.n = s->n;
    return KQ_OK;
}

static kq_status bind_by(summarize *s, const kq_node *list, kq_expr **by) {
    s->grouped = kq_arena_array(s->b->arena, bool, s->in->out.n + 1);
    if (!s->grouped) return kq_bind_nomem(s->b);
    for (uint32_t i = 0; i < list->nkids; i++) {
        const kq_node *item = list->kids[i], *expr = plain(item);
        kq_expr *column;
        bool named = item->kind == KQ_NODE_NAMED;
        if (item->kind == KQ_NODE_NAMES) return kq_bind_fail(s->b, item->span, "'by' takes one name per expression");
        KQ_TRY(kq_bind_expr(s->b, s->scope, &s->input, expr, &by[i]));
        if (by[i]->kind == KQ_EXPR_COLUMN) s->grouped[by[i]->column] = true;
        KQ_TRY(kq_expr_text(s->b, by[i], &by[i]));
        if (by[i]->type == KQ_DYNAMIC) {
            (void)kq_bind_fail(s->b, expr->span, "rows can't be grouped by a dynamic value");
            kq_error_hint(s->b->err, "convert it, e.g. by tostring()");
            return KQ_ERR_QUERY;
        }
        KQ_TRY(kq_expr_column(s->b, i, by[i]->type, expr->span, &column));
        kq_sv name = named ? item->text : kq_auto_name(s->b, expr);
        KQ_TRY(append(s, name, named || expr->kind == KQ_NODE_NAME, column, item->span));
    }
    return KQ_OK;
}

/* The name that x = or (a, b) = gives to an output of a call. */
static bool given_name(const kq_node *item, uint32_t output, kq_sv *name) {
    if (item->kind == KQ_NODE_NAMED && output == 0) {
        *name = item->text;
        return true;
    }
    if (item->kind == KQ_NODE_NAMES && output < item->kids[0]->nkids) {
        *name = item->kids[0]->kids[output]->text;
        return true;
    }
    return false;
}

/* arg_max(x, a, *), take_any(a, *): an output per argument, * being the columns that are not grouped by. */
static kq_status bind_multi(summarize *s, const kq_node *item, const kq_node *call) {
    kq_binder *b = s->b;
    const kq_columns *columns = &s->in->out;
    uint32_t max = call->nkids + columns->n + 1, n = 0, first;
    kq_expr **args = kq_arena_array(b->arena, kq_expr *, max);
    kq_sv *names = kq_arena_array(b->arena, kq_sv, max);
    bool *named = kq_arena_array(b->arena, bool, max), *taken = kq_arena_array(b->arena, bool, columns->n + 1);
    if (!args || !names || !named || !taken) return kq_bind_nomem(b);
    bool star = false;
    for (uint32_t i = 0; i < call->nkids; i++) {
        const kq_node *arg = call->kids[i];
        if (arg->kind != KQ_NODE_WILDCARD) {
            KQ_TRY(kq_bind_expr(b, s->scope, &s->input, plain(arg), &args[n]));
            if (args[n]->kind == KQ_EXPR_COLUMN) taken[args[n]->column] = true;
            names[n] = kq_auto_name(b, arg);
            named[n++] = arg->kind == KQ_NODE_NAMED;
            continue;
        }
        if (star) return kq_bind_fail(b, arg->span, "'*' stands twice");
        star = true;
        for (uint32_t k = 0; k < columns->n; k++) {
            if (taken[k] || (s->grouped && s->grouped[k])) continue;
            KQ_TRY(kq_expr_column_in(b, columns, k, arg->span, &args[n]));
            names[n++] = columns->items[k].name;
        }
    }
    /* The older any() names its columns any_x. */
    for (uint32_t i = 0; i < n && kq_sv_eq(call->text, KQ_SV("any")); i++) {
        if (named[i] || names[i].n == 0) continue;
        names[i] = kq_arena_printf(b->arena, "any_" KQ_SV_FMT, KQ_SV_ARG(names[i]));
        if (!names[i].p) return kq_bind_nomem(b);
    }
    bool old = kq_sv_starts(call->text, KQ_SV("argm")); /* argmax: arg_max, but for the names max_x, max_x_y */
    kq_sv function = !old ? call->text : kq_sv_eq(call->text, KQ_SV("argmax")) ? KQ_SV("arg_max") : KQ_SV("arg_min");
    kq_sv prefix =
        kq_arena_printf(b->arena, KQ_SV_FMT "_" KQ_SV_FMT, KQ_SV_ARG(kq_sv_slice(call->text, 3, call->text.n)),
                        KQ_SV_ARG(n ? names[0] : call->text));
    if (!prefix.p) return kq_bind_nomem(b);
    for (uint32_t i = 0; old && i < n; i++) {
        if (i) names[i] = kq_arena_printf(b->arena, KQ_SV_FMT "_" KQ_SV_FMT, KQ_SV_ARG(prefix), KQ_SV_ARG(names[i]));
        if (!names[i].p) return kq_bind_nomem(b);
    }
    if (old && n) names[0] = prefix;
    KQ_TRY(add_aggregate(b, &s->aggs, function, args, n, call->span, &first));
    for (uint32_t i = 0; i < s->aggs.items[s->aggs.n - 1].nout; i++) {
        kq_expr *e;
        kq_sv name = names[i];
        bool given = given_name(item, i, &name);
        KQ_TRY(output_expr(b, &s->aggs, first + i, call->span, &e));
        KQ_TRY(append(s, name, given || named[i], e, item->span));
    }
    return KQ_OK;
}

/* percentile_x_50; a fraction's point is an underscore too */
static kq_sv percentile_name(kq_binder *b, kq_sv column, const kq_node *p) {
    kq_sv text = p->kind == KQ_NODE_LITERAL ? p->text : KQ_SV("");
    kq_sv name = kq_arena_printf(b->arena, "percentile_" KQ_SV_FMT "_" KQ_SV_FMT, KQ_SV_ARG(column), KQ_SV_ARG(text));
    if (!name.p) return KQ_SV("");
    char *tail = (char *)name.p + name.n - text.n;
    for (size_t i = 0; i < text.n; i++)
        if (tail[i] == '.') tail[i] = '_';
    return name;
}

/* percentile(x, p), percentiles(x, p, ...), percentilew(x, w, p), percentilesw(x, w, p, ...): a column for each p. */
static kq_status bind_percentiles(summarize *s, const kq_node *item, const kq_node *call) {
    kq_binder *b = s->b;
    bool weighted = call->text.p[call->text.n - 1] == 'w';
    uint32_t fixed = weighted ? 2 : 1, first;
    bool several = kq_sv_starts(call->text, KQ_SV("percentiles"));
    if (call->nkids <= fixed || (!several && call->nkids != fixed + 1))
        return kq_bind_fail(b, call->span, KQ_SV_FMT "() does not take %u arguments", KQ_SV_ARG(call->text),
                            call->nkids);
    kq_sv column = kq_auto_name(b, plain(call->kids[0]));
    for (uint32_t k = fixed; k < call->nkids; k++) {
        kq_expr **args = kq_arena_array(b->arena, kq_expr *, fixed + 1), *e;
        if (!args) return kq_bind_nomem(b);
        for (uint32_t i = 0; i <= fixed; i++)
            KQ_TRY(kq_bind_expr(b, s->scope, &s->input, plain(call->kids[i < fixed ? i : k]), &args[i]));
        KQ_TRY(add_aggregate(b, &s->aggs, weighted ? KQ_SV("percentilew") : KQ_SV("percentile"), args, fixed + 1,
                             call->span, &first));
        KQ_TRY(output_expr(b, &s->aggs, first, call->span, &e));
        kq_sv name = percentile_name(b, column, plain(call->kids[k]));
        bool given = given_name(item, k - fixed, &name);
        KQ_TRY(append(s, name, given, e, item->span));
    }
    return KQ_OK;
}

static bool is_one_of(kq_sv name, const char *const *names) {
    for (; *names; names++)
        if (kq_sv_eq(name, kq_sv_of(*names))) return true;
    return false;
}

static kq_status bind_item(summarize *s, const kq_node *item) {
    static const char *const multi[] = {"arg_max", "arg_min", "take_any", "any", "argmax", "argmin", NULL};
    static const char *const percentiles[] = {"percentile", "percentiles", "percentilew", "percentilesw", NULL};
    static const char *const arrays[] = {"percentiles_array", "percentilesw_array", NULL};
    const kq_node *expr = item->kind == KQ_NODE_NAMED   ? item->kids[0]
                          : item->kind == KQ_NODE_NAMES ? item->kids[1]
                                                        : item;
    bool call = expr->kind == KQ_NODE_CALL && !kq_scope_find(s->scope, expr->text);
    if (call && is_one_of(expr->text, percentiles)) return bind_percentiles(s, item, expr);
    if (call && is_one_of(expr->text, multi)) {
        bool star = false;
        for (uint32_t i = 0; i < expr->nkids; i++) star |= expr->kids[i]->kind == KQ_NODE_WILDCARD;
        bool any = kq_sv_eq(expr->text, KQ_SV("any")) && !star && expr->nkids == 1; /* any(x) is any_x */
        if (!any) return bind_multi(s, item, expr);
    }
    if (item->kind == KQ_NODE_NAMES) return kq_bind_fail(s->b, item->span, "the expression gives one column only");
    kq_expr *e;
    bool named = item->kind == KQ_NODE_NAMED;
    KQ_TRY(kq_bind_expr(s->b, s->scope, &s->row, expr, &e));
    kq_sv name = named ? item->text : kq_auto_name(s->b, expr);
    if (!named && call && expr->nkids && is_one_of(expr->text, arrays)) {
        name =
            kq_arena_printf(s->b->arena, "percentiles_" KQ_SV_FMT, KQ_SV_ARG(kq_auto_name(s->b, plain(expr->kids[0]))));
        if (!name.p) return kq_bind_nomem(s->b);
    }
    return append(s, name, named, e, item->span);
}

/* Output k of the aggregate is exactly expression k: no projection is needed. */
static bool is_identity(const summarize *s) {
    if (s->n != s->aggs.nby + s->aggs.nout) return false;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->exprs[i]->kind != KQ_EXPR_COLUMN || s->exprs[i]->column != i) return false;
    return true;
}

static kq_status build(summarize *s, kq_expr **by, kq_plan **out) {
    kq_plan *p = kq_plan_new(s->b, KQ_PLAN_AGGREGATE, s->span, s->in);
    if (!p) return kq_plan_failed(s->b, s->span);
    p->u.aggregate.by = by;
    p->u.aggregate.nby = s->aggs.nby;
    p->u.aggregate.aggs = s->aggs.items;
    p->u.aggregate.naggs = s->aggs.n;
    *out = p;
    if (is_identity(s)) {
        p->out = s->out;
        return KQ_OK;
    }
    KQ_TRY(kq_columns_alloc(s->b, &p->out, s->aggs.nby + s->aggs.nout, s->span));
    uint32_t shown = s->aggs.nby - (s->carry ? 1 : 0); /* `by` columns that the query names */
    for (uint32_t i = 0; i < p->out.n; i++) {
        kq_sv name = i < shown ? s->out.items[i].name : kq_arena_printf(s->b->arena, "$agg%u", i - shown);
        if (!name.p) return kq_bind_nomem(s->b);
        p->out.items[i] = i < s->aggs.nby ? (kq_column){.type = by[i]->type} : s->aggs.outputs[i - s->aggs.nby];
        p->out.items[i].name = name;
    }
    kq_plan *above = kq_plan_new(s->b, KQ_PLAN_PROJECT, s->span, p);
    if (!above) return kq_plan_failed(s->b, s->span);
    above->out = s->out;
    above->u.project.exprs = s->exprs;
    *out = above;
    return KQ_OK;
}

static void begin(summarize *s, kq_binder *b, const kq_scope *scope, kq_plan *in, kq_span span) {
    *s = (summarize){.b = b, .scope = scope, .in = in, .span = span};
    s->input = kq_row_of(b, &in->out);
    s->row = kq_row_of(b, &in->out);
    s->row.aggs = &s->aggs;
    s->aggs.input = &s->input;
    s->carry = b->carry;
    b->carry = NULL;
}

/* Groups also by the first of the carried columns. */
static kq_status carry_by(summarize *s, kq_expr **by) {
    uint32_t column;
    if (!s->carry || !kq_row_find(&s->in->out, s->carry->items[0].name, &column)) return KQ_OK;
    KQ_TRY(kq_expr_column(s->b, column, s->carry->items[0].type, s->span, &by[s->aggs.nby]));
    s->aggs.nby++;
    return KQ_OK;
}

/* Puts the carried columns behind the others. */
static kq_status carry_out(summarize *s) {
    if (!s->carry) return KQ_OK;
    uint32_t n = s->carry->n, column, first = 0;
    kq_expr *e, **args = kq_arena_array(s->b->arena, kq_expr *, n + 1);
    if (!args) return kq_bind_nomem(s->b);
    KQ_TRY(kq_expr_column(s->b, s->aggs.nby - 1, s->carry->items[0].type, s->span, &e));
    KQ_TRY(append(s, s->carry->items[0].name, false, e, s->span));
    for (uint32_t i = 1; i < n; i++) {
        if (!kq_row_find(&s->in->out, s->carry->items[i].name, &column)) return kq_bind_nomem(s->b);
        KQ_TRY(kq_expr_column_in(s->b, &s->in->out, column, s->span, &args[i - 1]));
    }
    if (n > 1) KQ_TRY(add_aggregate(s->b, &s->aggs, KQ_SV("take_any"), args, n - 1, s->span, &first));
    for (uint32_t i = 1; i < n; i++) {
        KQ_TRY(output_expr(s->b, &s->aggs, first + i - 1, s->span, &e));
        KQ_TRY(append(s, s->carry->items[i].name, false, e, s->span));
    }
    return KQ_OK;
}

kq_status kq_bind_summarize(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *items = node->kids[1], *list = node->nkids > 2 ? node->kids[2] : NULL;
    summarize s;
    begin(&s, b, scope, in, node->span);
    uint32_t nby = list ? list->nkids : 0;
    kq_expr **by = kq_arena_array(b->arena, kq_expr *, nby + 2);
    if (!by) return kq_bind_nomem(b);
    if (!nby && !items->nkids) return kq_bind_fail(b, node->span, "summarize needs an aggregate or 'by'");
    s.aggs.nby = nby;
    if (nby) KQ_TRY(bind_by(&s, list, by));
    KQ_TRY(carry_by(&s, by));
    for (uint32_t i = 0; i < items->nkids; i++) KQ_TRY(bind_item(&s, items->kids[i]));
    KQ_TRY(carry_out(&s));
    return build(&s, by, out);
}

kq_status kq_bind_distinct(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_node **kids = node->kids;
    uint32_t n = node->nkids;
    if (n == 1 && kids[0]->kind == KQ_NODE_WILDCARD) { /* distinct *: by every column */
        n = in->out.n;
        kids = kq_arena_array(b->arena, kq_node *, n + 1);
        if (!kids) return kq_bind_nomem(b);
        for (uint32_t i = 0; i < n; i++) {
            kids[i] = kq_arena_new(b->arena, kq_node);
            if (!kids[i]) return kq_bind_nomem(b);
            *kids[i] = (kq_node){.kind = KQ_NODE_NAME, .span = node->span, .text = in->out.items[i].name};
        }
    }
    kq_node list = {.kind = KQ_NODE_LIST, .span = node->span, .kids = kids, .nkids = n};
    summarize s;
    begin(&s, b, scope, in, node->span);
    kq_expr **by = kq_arena_array(b->arena, kq_expr *, n + 2);
    if (!by) return kq_bind_nomem(b);
    s.aggs.nby = n;
    KQ_TRY(bind_by(&s, &list, by));
    KQ_TRY(carry_by(&s, by));
    KQ_TRY(carry_out(&s));
    return build(&s, by, out);
}

kq_status kq_bind_count(kq_binder *b, kq_span span, kq_sv name, kq_plan *in, kq_plan **out) {
    summarize s;
    uint32_t first;
    kq_expr *e;
    begin(&s, b, NULL, in, span);
    kq_expr **by = kq_arena_array(b->arena, kq_expr *, 1);
    if (!by) return kq_bind_nomem(b);
    KQ_TRY(carry_by(&s, by));
    KQ_TRY(add_aggregate(b, &s.aggs, KQ_SV("count"), NULL, 0, span, &first));
    KQ_TRY(output_expr(b, &s.aggs, first, span, &e));
    KQ_TRY(append(&s, name, true, e, span));
    KQ_TRY(carry_out(&s));
    return build(&s, by, out);
}
