/* Names: the scope, the row, what is a table, and the errors for what is not there. */
#include "kql/bind.h"
#include <stdarg.h>
#include <stdio.h>

const kq_scope *kq_scope_find(const kq_scope *scope, kq_sv name) {
    for (; scope; scope = scope->next)
        if (kq_sv_eq(scope->name, name)) return scope;
    return NULL;
}

kq_scope *kq_scope_push(kq_binder *b, const kq_scope *next, kq_sv name, kq_symbol kind) {
    kq_scope *s = kq_arena_new(b->arena, kq_scope);
    if (!s) return NULL;
    s->next = next;
    s->name = name;
    s->kind = kind;
    return s;
}

bool kq_row_find(const kq_columns *columns, kq_sv name, uint32_t *column) {
    if (!columns) return false;
    for (uint32_t i = 0; i < columns->n; i++) {
        if (!kq_sv_eq(columns->items[i].name, name)) continue;
        *column = i;
        return true;
    }
    return false;
}

kq_row kq_row_of(kq_binder *b, const kq_columns *columns) {
    return (kq_row){.columns = columns, .id = ++b->rows};
}

static bool is_one_of(kq_sv name, const char *const *names) {
    for (; *names; names++)
        if (kq_sv_eq(name, kq_sv_of(*names))) return true;
    return false;
}

static const char *const table_functions[] = {"table",
                                              "materialize",
                                              "materialized_view",
                                              "external_table",
                                              "database",
                                              "cluster",
                                              "workspace",
                                              "app",
                                              "stored_query_result",
                                              NULL};

/* Does a function's body end in a table? Its parameters and let names count, without being bound. */
static bool body_is_table(kq_binder *b, const kq_scope *function) {
    if (b->depth > KQ_BIND_DEPTH || b->scans > KQ_BIND_EXPRS) return false;
    b->depth++;
    b->scans++;
    const kq_node *params = function->node->kids[0], *body = function->node->kids[1];
    const kq_scope *scope = function->at;
    bool table = false;
    for (uint32_t i = 0; i < params->nkids && (scope || i == 0); i++) {
        const kq_node *p = params->kids[i];
        kq_symbol kind = p->flags & (KQ_DECL_TABULAR | KQ_DECL_ANY) ? KQ_SYMBOL_PLAN : KQ_SYMBOL_SCALAR;
        kq_scope *s = kq_scope_push(b, scope, p->text, kind);
        if (s) scope = s;
    }
    for (uint32_t i = 0; i < body->nkids; i++) {
        const kq_node *n = body->kids[i];
        if (n->kind != KQ_NODE_LET) {
            table = kq_node_is_table(b, scope, NULL, n);
            continue;
        }
        kq_symbol kind = KQ_SYMBOL_SCALAR;
        if (n->kids[0]->kind == KQ_NODE_FUNCTION)
            kind = KQ_SYMBOL_FUNCTION;
        else if (kq_node_is_table(b, scope, NULL, n->kids[0]))
            kind = KQ_SYMBOL_TABLE;
        kq_scope *s = kq_scope_push(b, scope, n->text, kind);
        if (!s) break;
        s->node = n->kids[0];
        s->at = scope;
        scope = s;
    }
    b->depth--;
    return table;
}

/* As body_is_table, of a stored function: asked once, and one that calls itself is left to the error of binding it. */
static bool stored_is_table(kq_binder *b, kq_sv name, kq_span at) {
    const kq_scope *s;
    if (kq_bind_symbol(b, NULL, name, at, &s) != KQ_OK) return true; /* binding it fails the same way */
    if (!s || !s->stored) return false;
    kq_stored *stored = s->stored;
    if (stored->tabular == 0) {
        stored->tabular = 1;
        stored->tabular = body_is_table(b, s) ? 3 : 2;
    }
    return stored->tabular != 2;
}

bool kq_node_is_table(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node) {
    uint32_t column;
    kq_table_ref ref;
    switch (node->kind) {
    case KQ_NODE_PIPE:
        /* A scalar in parentheses with operators behind it is an error that binding as a table reports. */
    case KQ_NODE_DATATABLE:
    case KQ_NODE_EXTERNALDATA:
    case KQ_NODE_PRINT:
    case KQ_NODE_RANGE:
    case KQ_NODE_UNION:
    case KQ_NODE_FIND:
    case KQ_NODE_SEARCH:
    case KQ_NODE_EVALUATE: return true;
    case KQ_NODE_NAME: {
        if (row && kq_row_find(row->columns, node->text, &column)) return false;
        const kq_scope *s = kq_scope_find(scope, node->text);
        if (s) {
            if (s->kind == KQ_SYMBOL_FUNCTION) return body_is_table(b, s);
            return s->kind != KQ_SYMBOL_SCALAR;
        }
        return b->resolver->find(b->resolver->ctx, node->text, &ref) || stored_is_table(b, node->text, node->span);
    }
    case KQ_NODE_CALL: {
        const kq_scope *s = kq_scope_find(scope, node->text);
        if (s && s->kind == KQ_SYMBOL_FUNCTION) return body_is_table(b, s);
        if (is_one_of(node->text, table_functions)) return true;
        return !kq_scalar_exists(node->text) && stored_is_table(b, node->text, node->span);
    }
    case KQ_NODE_DOT: {
        const kq_node *base = node->kids[0];
        while (base->kind == KQ_NODE_DOT) base = base->kids[0];
        return base->kind == KQ_NODE_CALL && is_one_of(base->text, table_functions);
    }
    default: return false;
    }
}

kq_status kq_bind_fail(kq_binder *b, kq_span span, const char *fmt, ...) {
    char message[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return kq_fail_at(b->err, KQ_ERR_QUERY, span, "%s", message);
}

kq_status kq_bind_at(kq_binder *b, kq_status status, kq_span span) {
    if (status != KQ_OK && b->err && b->err->span_start == UINT32_MAX) {
        b->err->span_start = span.start;
        b->err->span_len = span.len;
    }
    return status;
}

kq_status kq_bind_nomem(kq_binder *b) {
    kq_status status = kq_arena_status(b->arena, b->err);
    return status != KQ_OK ? status : kq_nomem(b->err);
}

/* Names that a hint may offer, gathered without failing: a hint is not worth an error. */
typedef struct candidates {
    kq_sv names[2048];
    uint32_t n;
} candidates;

static void candidate(candidates *c, kq_sv name) {
    if (c->n < sizeof c->names / sizeof *c->names) c->names[c->n++] = name;
}
static void candidate_columns(candidates *c, const kq_columns *columns) {
    for (uint32_t i = 0; columns && i < columns->n; i++) candidate(c, columns->items[i].name);
}
static void candidate_scope(candidates *c, const kq_scope *scope, bool functions) {
    for (; scope; scope = scope->next)
        if (!functions || scope->kind == KQ_SYMBOL_FUNCTION) candidate(c, scope->name);
}
static void candidate_stored(candidates *c, const kq_resolver *r) {
    size_t n = 0;
    const kq_sv *names = r->functions ? r->functions(r->ctx, &n) : NULL;
    for (size_t i = 0; i < n; i++) candidate(c, names[i]);
}
static void hint(kq_binder *b, kq_sv name, const candidates *c) {
    const kq_sv *near = kq_nearest(name, c->names, c->n);
    if (near && b->err) kq_error_hint(b->err, "did you mean '" KQ_SV_FMT "'?", KQ_SV_ARG(*near));
}

kq_status kq_unknown_column(kq_binder *b, const kq_columns *columns, kq_sv name, kq_span span) {
    candidates c = {.n = 0};
    (void)kq_bind_fail(b, span, "unknown column '" KQ_SV_FMT "'", KQ_SV_ARG(name));
    candidate_columns(&c, columns);
    hint(b, name, &c);
    return KQ_ERR_QUERY;
}

kq_status kq_unknown_name(kq_binder *b, const kq_scope *scope, const kq_row *row, kq_sv name, kq_span span) {
    candidates c = {.n = 0};
    bool columns = row && row->columns;
    (void)kq_bind_fail(b, span, columns ? "unknown column '" KQ_SV_FMT "'" : "unknown name '" KQ_SV_FMT "'",
                       KQ_SV_ARG(name));
    if (columns) candidate_columns(&c, row->columns);
    candidate_scope(&c, scope, false);
    hint(b, name, &c);
    if (columns && row->aggs && kq_aggregate_exists(name) && b->err)
        kq_error_hint(b->err, "an aggregate has parentheses: " KQ_SV_FMT "()", KQ_SV_ARG(name));
    return KQ_ERR_QUERY;
}

kq_status kq_unknown_table(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span span) {
    candidates c = {.n = 0};
    size_t n = 0;
    b->unknown_table = true;
    (void)kq_bind_fail(b, span, "unknown table '" KQ_SV_FMT "'", KQ_SV_ARG(name));
    candidate_scope(&c, scope, false);
    candidate_stored(&c, b->resolver);
    const kq_sv *names = b->resolver->names ? b->resolver->names(b->resolver->ctx, true, &n) : NULL;
    for (size_t i = 0; i < n; i++) candidate(&c, names[i]);
    hint(b, name, &c);
    if (kq_sv_eq(name, KQ_SV("union")) && b->err) kq_error_hint(b->err, "union takes tables: union A, B");
    return KQ_ERR_QUERY;
}

kq_status kq_unknown_function(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span span) {
    candidates c = {.n = 0};
    size_t n;
    (void)kq_bind_fail(b, span, "unknown function '" KQ_SV_FMT "'", KQ_SV_ARG(name));
    candidate_scope(&c, scope, true);
    candidate_stored(&c, b->resolver);
    const kq_scalar *rows = kq_scalar_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (!(rows[i].flags & KQ_HIDDEN)) candidate(&c, kq_sv_of(rows[i].name));
    const kq_aggregate *aggs = kq_aggregate_rows(&n);
    for (size_t i = 0; i < n; i++) candidate(&c, kq_sv_of(aggs[i].name));
    hint(b, name, &c);
    return KQ_ERR_QUERY;
}

bool kq_glob(kq_sv pattern, kq_sv name) {
    size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;
    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = n;
        } else if (p < pattern.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') p++;
    return p == pattern.n;
}

uint32_t kq_mentions(const kq_node *node, kq_sv name) {
    if (!node) return 0;
    uint32_t n = node->kind == KQ_NODE_NAME && kq_sv_eq(node->text, name);
    for (uint32_t i = 0; i < node->nkids; i++) n += kq_mentions(node->kids[i], name);
    return n;
}

bool kq_param_text(const kq_node *list, const char *name, kq_sv *out) {
    for (uint32_t i = 0; list && i < list->nkids; i++) {
        const kq_node *p = list->kids[i];
        if (p->kind != KQ_NODE_PARAM || !kq_sv_eq(p->text, kq_sv_of(name)) || !p->nkids) continue;
        const kq_node *v = p->kids[0];
        *out = v->text;
        if (v->kind == KQ_NODE_LITERAL && v->value.type == KQ_STRING) *out = kq_str_view(&v->value.u.s);
        return true;
    }
    return false;
}

bool kq_param_true(const kq_node *list, const char *name) {
    kq_sv text;
    return kq_param_text(list, name, &text) && kq_sv_eq_ascii_ci(text, KQ_SV("true"));
}
