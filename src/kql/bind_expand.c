/* mv-expand and parse. */
#include "kql/bind.h"

/* ---- mv-expand ---- */

typedef struct expand {
    kq_binder *b;
    kq_columns out;  /* of the extended input */
    kq_expr **exprs; /* what its columns are */
    bool computed;   /* some are more than the input's */
    uint32_t n, cap;
    uint32_t *columns; /* to expand */
    kq_type *to;
    uint32_t nitems;
} expand;

static kq_status append(expand *x, kq_sv name, kq_expr *expr, kq_span span) {
    if (x->n == x->cap)
        return kq_fail_at(x->b->err, KQ_ERR_LIMIT, span, "an operator has more than %d columns", KQ_BIND_COLUMNS);
    x->out.items[x->n] = (kq_column){name, expr->type, expr->text};
    x->exprs[x->n++] = expr;
    x->out.n = x->n;
    return KQ_OK;
}

static kq_status expand_item(expand *x, const kq_scope *scope, const kq_row *row, const kq_node *item) {
    kq_binder *b = x->b;
    kq_type to = KQ_DYNAMIC;
    kq_expr *e;
    uint32_t column;
    if (item->kind == KQ_NODE_TO_TYPEOF) {
        to = item->value.type;
        item = item->kids[0];
    }
    if (item->kind == KQ_NODE_NAMES) return kq_bind_fail(b, item->span, "mv-expand takes one name per expression");
    const kq_node *expr = item->kind == KQ_NODE_NAMED ? item->kids[0] : item;
    KQ_TRY(kq_bind_expr(b, scope, row, expr, &e));
    if (e->type != KQ_DYNAMIC) {
        (void)kq_bind_fail(b, expr->span, "mv-expand takes a dynamic value, not %s", kq_type_name(e->type));
        if (e->type == KQ_STRING) kq_error_hint(b->err, "parse_json() or split() makes an array of a string");
        return KQ_ERR_QUERY;
    }
    kq_sv name = item->kind == KQ_NODE_NAMED ? item->text : kq_auto_name(b, expr);
    if (name.n == 0) name = kq_arena_printf(b->arena, "Column%u", ++b->unnamed);
    if (!name.p) return kq_bind_nomem(b);
    bool itself = e->kind == KQ_EXPR_COLUMN && kq_row_find(&x->out, name, &column) && e->column == column;
    if (!itself) {
        x->computed = true;
        if (kq_row_find(&x->out, name, &column)) {
            x->exprs[column] = e;
            x->out.items[column] = (kq_column){name, e->type, e->text};
        } else {
            column = x->n;
            KQ_TRY(append(x, name, e, item->span));
        }
    }
    for (uint32_t i = 0; i < x->nitems; i++)
        if (x->columns[i] == column)
            return kq_bind_fail(b, item->span, "the column '" KQ_SV_FMT "' is expanded twice", KQ_SV_ARG(name));
    x->columns[x->nitems] = column;
    x->to[x->nitems++] = to;
    return KQ_OK;
}

static kq_status index_column(expand *x, kq_sv name, kq_columns *out, kq_span span) {
    kq_names names = {0};
    KQ_TRY(kq_columns_alloc(x->b, out, x->n + 1, span));
    for (uint32_t i = 0; i < x->n; i++) {
        KQ_TRY(kq_names_add(x->b, &names, x->out.items[i].name));
        out->items[i] = x->out.items[i];
    }
    KQ_TRY(kq_names_unique(x->b, &names, name, &name));
    out->items[x->n] = (kq_column){.name = name, .type = KQ_LONG};
    return KQ_OK;
}

kq_status kq_bind_expand(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *params = node->kids[0], *items = node->kids[1], *limit = node->nkids > 2 ? node->kids[2] : NULL;
    kq_row row = kq_row_of(b, &in->out);
    expand x = {.b = b, .cap = in->out.n + items->nkids};
    x.columns = kq_arena_array(b->arena, uint32_t, items->nkids + 1);
    x.to = kq_arena_array(b->arena, kq_type, items->nkids + 1);
    x.exprs = kq_arena_array(b->arena, kq_expr *, x.cap + 1);
    if (!x.columns || !x.to || !x.exprs) return kq_bind_nomem(b);
    KQ_TRY(kq_columns_alloc(b, &x.out, x.cap, node->span));
    x.out.n = 0;
    for (uint32_t i = 0; i < in->out.n; i++) {
        kq_expr *e;
        KQ_TRY(kq_expr_column_in(b, &in->out, i, node->span, &e));
        KQ_TRY(append(&x, in->out.items[i].name, e, node->span));
    }
    for (uint32_t i = 0; i < items->nkids; i++) KQ_TRY(expand_item(&x, scope, &row, items->kids[i]));
    if (x.computed) {
        kq_plan *p = kq_plan_new(b, KQ_PLAN_PROJECT, node->span, in);
        if (!p) return kq_plan_failed(b, node->span);
        p->out = x.out;
        p->u.project.exprs = x.exprs;
        in = p;
    }
    kq_plan *p = kq_plan_new(b, KQ_PLAN_EXPAND, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    kq_sv text;
    if (kq_param_text(params, "bagexpansion", &text) || kq_param_text(params, "kind", &text)) {
        p->u.expand.arrays = kq_sv_eq(text, KQ_SV("array"));
        if (!p->u.expand.arrays && !kq_sv_eq(text, KQ_SV("bag")))
            return kq_bind_fail(b, params->span, "mv-expand's bags are expanded as 'bag' or 'array'");
    }
    p->u.expand.columns = x.columns;
    p->u.expand.to = x.to;
    p->u.expand.n = x.nitems;
    if (limit) KQ_TRY(kq_bind_constant(b, scope, limit, KQ_LONG, "the limit", &p->u.expand.limit));
    p->u.expand.with_index = kq_param_text(params, "with_itemindex", &text);
    kq_columns columns;
    if (p->u.expand.with_index) {
        KQ_TRY(index_column(&x, text, &columns, node->span));
    } else {
        KQ_TRY(kq_columns_alloc(b, &columns, x.n, node->span));
        memcpy(columns.items, x.out.items, x.n * sizeof *columns.items);
    }
    for (uint32_t i = 0; i < x.nitems; i++) {
        kq_column *c = &columns.items[x.columns[i]];
        *c = (kq_column){.name = c->name, .type = x.to[i]}; /* a part is not of both types */
    }
    p->out = columns;
    *out = p;
    return KQ_OK;
}

/* ---- parse ---- */

/* Kusto's rules for what may stand beside what: they make the pattern unambiguous. */
static kq_status check_step(kq_binder *b, const kq_node *step, const kq_node *before) {
    if (step->kind == KQ_NODE_COLUMN && before && before->kind == KQ_NODE_COLUMN)
        return kq_bind_fail(b, step->span, "a string must stand between two columns of a pattern");
    if (step->kind == KQ_NODE_COLUMN && before && before->kind == KQ_NODE_WILDCARD)
        return kq_bind_fail(b, step->span, "a string must follow '*' in a pattern");
    if (step->kind == KQ_NODE_WILDCARD && before && before->kind == KQ_NODE_WILDCARD)
        return kq_bind_fail(b, step->span, "'*' stands twice in a pattern");
    if (step->kind == KQ_NODE_WILDCARD && before && before->kind == KQ_NODE_COLUMN && before->value.type == KQ_STRING)
        return kq_bind_fail(b, step->span, "'*' after a string column of a pattern is ambiguous");
    if (step->kind != KQ_NODE_COLUMN && step->kind != KQ_NODE_WILDCARD &&
        !(step->kind == KQ_NODE_LITERAL && step->value.type == KQ_STRING))
        return kq_bind_fail(b, step->span, "a pattern takes strings, '*' and columns");
    return KQ_OK;
}

static kq_status parse_kind(kq_binder *b, const kq_node *params, kq_plan *p) {
    kq_sv kind, flags;
    if (kq_param_text(params, "kind", &kind)) {
        p->u.parse.relaxed = kq_sv_eq(kind, KQ_SV("relaxed"));
        p->u.parse.regex = kq_sv_eq(kind, KQ_SV("regex"));
        if (!p->u.parse.relaxed && !p->u.parse.regex && !kq_sv_eq(kind, KQ_SV("simple")))
            return kq_bind_fail(b, params->span, "unknown kind of parse '" KQ_SV_FMT "'", KQ_SV_ARG(kind));
    }
    p->u.parse.flags = KQ_SV("");
    if (kq_param_text(params, "flags", &flags)) {
        for (size_t i = 0; i < flags.n; i++)
            if (!strchr("imsU", flags.p[i]))
                return kq_bind_fail(b, params->span, "unknown regex flag '%c'", flags.p[i]);
        p->u.parse.flags = flags;
    }
    return KQ_OK;
}

kq_status kq_bind_parse(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *list = node->kids[2];
    kq_row row = kq_row_of(b, &in->out);
    kq_names given = {0};
    kq_plan *p = kq_plan_new(b, KQ_PLAN_PARSE, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(parse_kind(b, node->kids[0], p));
    p->u.parse.where = kq_sv_eq(node->text, KQ_SV("parse-where"));
    KQ_TRY(kq_bind_expr(b, scope, &row, node->kids[1], &p->u.parse.source));
    KQ_TRY(kq_expr_convert(b, p->u.parse.source, KQ_STRING, &p->u.parse.source));
    kq_parse_step *steps = kq_arena_array(b->arena, kq_parse_step, list->nkids + 1);
    if (!steps) return kq_bind_nomem(b);
    KQ_TRY(kq_columns_alloc(b, &p->out, in->out.n + list->nkids, node->span));
    uint32_t n = in->out.n;
    for (uint32_t i = 0; i < n; i++) p->out.items[i] = in->out.items[i];
    p->out.n = n;
    for (uint32_t i = 0; i < list->nkids; i++) {
        const kq_node *step = list->kids[i];
        KQ_TRY(check_step(b, step, i ? list->kids[i - 1] : NULL));
        if (step->kind == KQ_NODE_LITERAL) {
            steps[i].text = kq_arena_copy(b->arena, kq_str_view(&step->value.u.s));
            if (!steps[i].text.p) return kq_bind_nomem(b);
            continue;
        }
        if (step->kind == KQ_NODE_WILDCARD) {
            steps[i].star = true;
            continue;
        }
        uint32_t column;
        if (kq_names_has(&given, step->text))
            return kq_bind_fail(b, step->span, "the column '" KQ_SV_FMT "' is given twice", KQ_SV_ARG(step->text));
        KQ_TRY(kq_names_add(b, &given, step->text));
        if (!kq_row_find(&p->out, step->text, &column)) {
            column = n++;
            p->out.n = n;
        }
        p->out.items[column] = (kq_column){.name = step->text, .type = step->value.type};
        steps[i].capture = true;
        steps[i].column = column;
        steps[i].type = step->value.type;
    }
    p->u.parse.steps = steps;
    p->u.parse.nsteps = list->nkids;
    *out = p;
    return KQ_OK;
}
