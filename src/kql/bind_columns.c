/* extend, project and their kin. */
#include "kql/bind.h"

/* The output that an operator builds, column by column. */
typedef struct builder {
    kq_binder *b;
    kq_columns *out;
    kq_expr **exprs;
    uint32_t n, cap;
    kq_span span;
} builder;

static kq_status append(builder *w, kq_sv name, kq_expr *expr) {
    if (w->n == KQ_BIND_COLUMNS)
        return kq_fail_at(w->b->err, KQ_ERR_LIMIT, w->span, "an operator has more than %d columns", KQ_BIND_COLUMNS);
    if (w->n == w->cap) {
        uint32_t cap = w->cap ? w->cap * 2 : 16;
        kq_column *items = kq_arena_array(w->b->arena, kq_column, cap);
        kq_expr **exprs = kq_arena_array(w->b->arena, kq_expr *, cap);
        if (!items || !exprs) return kq_bind_nomem(w->b);
        if (w->n) {
            memcpy(items, w->out->items, w->n * sizeof *items);
            memcpy(exprs, w->exprs, w->n * sizeof *exprs);
        }
        w->out->items = items;
        w->exprs = exprs;
        w->cap = cap;
    }
    w->out->items[w->n] = (kq_column){name, expr->type, expr->text};
    w->exprs[w->n++] = expr;
    w->out->n = w->n;
    return KQ_OK;
}

static kq_status start(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **p, builder *w) {
    *p = kq_plan_new(b, KQ_PLAN_PROJECT, node->span, in);
    if (!*p) return kq_plan_failed(b, node->span);
    (*p)->out = (kq_columns){NULL, 0};
    *w = (builder){.b = b, .out = &(*p)->out, .span = node->span};
    return KQ_OK;
}

static void finish(kq_plan *p, const builder *w, kq_plan **out) {
    p->u.project.exprs = w->exprs;
    *out = p;
}

static kq_status append_input(builder *w, const kq_plan *in, uint32_t column) {
    kq_expr *e;
    KQ_TRY(kq_expr_column_in(w->b, &in->out, column, w->span, &e));
    return append(w, in->out.items[column].name, e);
}

/* ---- extend ---- */

typedef struct extend {
    builder w;
    kq_names names, given; /* all; those that this operator gave */
} extend;

static kq_status extend_item(void *ctx, kq_sv name, bool named, kq_expr *expr, const kq_node *node) {
    extend *x = ctx;
    kq_binder *b = x->w.b;
    if (name.n == 0) {
        do { /* a column of the input keeps its number for itself */
            name = kq_arena_printf(b->arena, "Column%u", b->unnamed + 1);
            if (!name.p) return kq_bind_nomem(b);
        } while (kq_names_has(&x->names, name) && ++b->unnamed);
        KQ_TRY(kq_names_unique(b, &x->names, (kq_sv){"", 0}, &name));
        KQ_TRY(kq_names_add(b, &x->given, name));
        return append(&x->w, name, expr);
    }
    if (kq_names_has(&x->given, name)) {
        if (named) return kq_bind_fail(b, node->span, "the column '" KQ_SV_FMT "' is given twice", KQ_SV_ARG(name));
        KQ_TRY(kq_names_unique(b, &x->names, name, &name));
    }
    KQ_TRY(kq_names_add(b, &x->given, name));
    uint32_t column;
    if (kq_names_has(&x->names, name) && kq_row_find(x->w.out, name, &column)) {
        x->w.exprs[column] = expr;
        x->w.out->items[column].type = expr->type;
        x->w.out->items[column].text = expr->text;
        return KQ_OK;
    }
    KQ_TRY(kq_names_add(b, &x->names, name));
    return append(&x->w, name, expr);
}

kq_status kq_bind_extend(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_row row = kq_row_of(b, &in->out);
    kq_windows windows = {in, b->ordered || node->kind == KQ_NODE_SERIALIZE};
    row.windows = &windows;
    kq_deal deal = {b, scope, &row, true};
    extend x = {0};
    kq_plan *p;
    if (!node->nkids) { /* serialize alone */
        *out = in;
        return KQ_OK;
    }
    KQ_TRY(start(b, node, in, &p, &x.w));
    for (uint32_t i = 0; i < in->out.n; i++) {
        KQ_TRY(append_input(&x.w, in, i));
        KQ_TRY(kq_names_add(b, &x.names, in->out.items[i].name));
    }
    for (uint32_t i = 0; i < node->nkids; i++) KQ_TRY(kq_deal_item(&deal, node->kids[i], extend_item, &x));
    p->input = windows.plan;
    finish(p, &x.w, out);
    return KQ_OK;
}

/* ---- project ---- */

typedef struct project {
    builder w;
    kq_names names;
} project;

static kq_status project_item(void *ctx, kq_sv name, bool named, kq_expr *expr, const kq_node *node) {
    project *x = ctx;
    if (named && kq_names_has(&x->names, name))
        return kq_bind_fail(x->w.b, node->span, "the column '" KQ_SV_FMT "' is given twice", KQ_SV_ARG(name));
    KQ_TRY(kq_names_unique(x->w.b, &x->names, name, &name));
    return append(&x->w, name, expr);
}

kq_status kq_bind_project(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kq_row row = kq_row_of(b, &in->out);
    kq_windows windows = {in, b->ordered};
    row.windows = &windows;
    kq_deal deal = {b, scope, &row, false};
    project x = {0};
    kq_plan *p;
    KQ_TRY(start(b, node, in, &p, &x.w));
    for (uint32_t i = 0; i < node->nkids; i++) {
        if (node->kids[i]->kind == KQ_NODE_WILDCARD) {
            for (uint32_t k = 0; k < in->out.n; k++) {
                if (!kq_glob(node->kids[i]->text, in->out.items[k].name)) continue;
                KQ_TRY(kq_names_add(b, &x.names, in->out.items[k].name));
                KQ_TRY(append_input(&x.w, in, k));
            }
            continue;
        }
        KQ_TRY(kq_deal_item(&deal, node->kids[i], project_item, &x));
    }
    p->input = windows.plan;
    finish(p, &x.w, out);
    return KQ_OK;
}

/* Marks the input columns that a name or pattern means; an unknown name is an error, a pattern may match nothing. */
static kq_status mark(kq_binder *b, const kq_node *node, const kq_columns *columns, bool *marked) {
    uint32_t column;
    if (node->kind == KQ_NODE_WILDCARD) {
        for (uint32_t i = 0; i < columns->n; i++) marked[i] |= kq_glob(node->text, columns->items[i].name);
        return KQ_OK;
    }
    if (node->kind != KQ_NODE_NAME) return kq_bind_fail(b, node->span, "a column's name is expected");
    if (!kq_row_find(columns, node->text, &column)) return kq_unknown_column(b, columns, node->text, node->span);
    marked[column] = true;
    return KQ_OK;
}

kq_status kq_bind_project_away(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out) {
    bool keep = node->kind == KQ_NODE_PROJECT_KEEP;
    bool *marked = kq_arena_array(b->arena, bool, in->out.n + 1);
    uint32_t *columns = kq_arena_array(b->arena, uint32_t, in->out.n + 1), n = 0;
    if (!marked || !columns) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < node->nkids; i++) KQ_TRY(mark(b, node->kids[i], &in->out, marked));
    for (uint32_t i = 0; i < in->out.n; i++)
        if (marked[i] == keep) columns[n++] = i;
    return kq_plan_pick(b, in, columns, NULL, n, node->span, out);
}

kq_status kq_bind_project_rename(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out) {
    uint32_t n = in->out.n, *columns = kq_arena_array(b->arena, uint32_t, n + 1);
    kq_sv *names = kq_arena_array(b->arena, kq_sv, n + 1);
    bool *renamed = kq_arena_array(b->arena, bool, n + 1);
    if (!columns || !names || !renamed) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < n; i++) {
        columns[i] = i;
        names[i] = in->out.items[i].name;
    }
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *item = node->kids[i];
        uint32_t column;
        if (item->kind != KQ_NODE_NAMED || item->kids[0]->kind != KQ_NODE_NAME)
            return kq_bind_fail(b, item->span, "project-rename takes new = old");
        if (!kq_row_find(&in->out, item->kids[0]->text, &column))
            return kq_unknown_column(b, &in->out, item->kids[0]->text, item->kids[0]->span);
        if (renamed[column]) return kq_bind_fail(b, item->span, "the column is renamed twice");
        renamed[column] = true;
        names[column] = item->text;
    }
    kq_names seen = {0};
    for (uint32_t i = 0; i < n; i++) {
        if (kq_names_has(&seen, names[i]))
            return kq_bind_fail(b, node->span, "there would be two columns '" KQ_SV_FMT "'", KQ_SV_ARG(names[i]));
        KQ_TRY(kq_names_add(b, &seen, names[i]));
    }
    return kq_plan_pick(b, in, columns, names, n, node->span, out);
}

/* ---- project-reorder ---- */

/* Ordinal order, or with granny runs of digits by their number: a2 before a10. */
static int compare_names(kq_sv x, kq_sv y, bool granny) {
    if (!granny) return kq_sv_cmp(x, y);
    size_t i = 0, k = 0;
    while (i < x.n && k < y.n) {
        bool dx = x.p[i] >= '0' && x.p[i] <= '9', dy = y.p[k] >= '0' && y.p[k] <= '9';
        if (!dx || !dy) {
            if (x.p[i] != y.p[k]) return (unsigned char)x.p[i] < (unsigned char)y.p[k] ? -1 : 1;
            i++;
            k++;
            continue;
        }
        while (i < x.n && x.p[i] == '0') i++;
        while (k < y.n && y.p[k] == '0') k++;
        size_t i0 = i, k0 = k;
        while (i < x.n && x.p[i] >= '0' && x.p[i] <= '9') i++;
        while (k < y.n && y.p[k] >= '0' && y.p[k] <= '9') k++;
        if (i - i0 != k - k0) return i - i0 < k - k0 ? -1 : 1;
        int c = memcmp(x.p + i0, y.p + k0, i - i0);
        if (c) return c;
    }
    return x.n - i < y.n - k ? -1 : x.n - i > y.n - k;
}

/* Stable: insertion by binary search would do, but columns are few. */
static void order_names(const kq_columns *columns, uint32_t *order, uint32_t n, uint32_t flags) {
    for (uint32_t i = 1; i < n; i++) {
        uint32_t moved = order[i], k = i;
        for (; k > 0; k--) {
            int c =
                compare_names(columns->items[moved].name, columns->items[order[k - 1]].name, flags & KQ_ORDER_GRANNY);
            if (flags & KQ_ORDER_DESC ? c <= 0 : c >= 0) break;
            order[k] = order[k - 1];
        }
        order[k] = moved;
    }
}

kq_status kq_bind_project_reorder(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out) {
    uint32_t n = in->out.n, done = 0, *order = kq_arena_array(b->arena, uint32_t, n + 1);
    bool *placed = kq_arena_array(b->arena, bool, n + 1), *marked = kq_arena_array(b->arena, bool, n + 1);
    bool *exact = kq_arena_array(b->arena, bool, n + 1);
    if (!order || !placed || !marked || !exact) return kq_bind_nomem(b);
    /* A column that is named somewhere is not taken by a pattern. */
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *item = node->kids[i]->kind == KQ_NODE_ORDERED ? node->kids[i]->kids[0] : node->kids[i];
        if (item->kind != KQ_NODE_WILDCARD) KQ_TRY(mark(b, item, &in->out, exact));
    }
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *item = node->kids[i];
        uint32_t flags = item->kind == KQ_NODE_ORDERED ? item->flags : 0, first = done;
        if (item->kind == KQ_NODE_ORDERED) item = item->kids[0];
        bool pattern = item->kind == KQ_NODE_WILDCARD;
        memset(marked, 0, n);
        KQ_TRY(mark(b, item, &in->out, marked));
        for (uint32_t k = 0; k < n; k++) {
            if (!marked[k] || placed[k] || (pattern && exact[k])) continue;
            placed[k] = true;
            order[done++] = k;
        }
        if (flags) order_names(&in->out, order + first, done - first, flags);
    }
    for (uint32_t k = 0; k < n; k++)
        if (!placed[k]) order[done++] = k;
    return kq_plan_pick(b, in, order, NULL, n, node->span, out);
}
