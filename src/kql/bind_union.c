/* union, and search, which is a filter over a union. */
#include "kql/bind.h"

/* The columns of a union: by name and type, in order of first appearance; columns of one name and several types stand
 * side by side and carry their type in the name. */
typedef struct column {
    kq_sv name;
    kq_type type;
    bool text;       /* in all that have it */
    uint32_t inputs; /* how many have it */
    uint32_t group;  /* the place of the first column of that name */
} column;

typedef struct unite {
    kq_binder *b;
    column *items;
    uint32_t n, cap;
    kq_expr *nulls[KQ_TYPE_COUNT]; /* shared: constants are never changed */
    uint32_t *slots;               /* hash of (name, type), index + 1 */
    uint32_t nslots;
} unite;

static uint64_t hash(kq_sv s) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

/* The column of this name and type, or the first of this name (type KQ_TYPE_COUNT); UINT32_MAX: none. */
static uint32_t find(const unite *u, kq_sv name, kq_type type) {
    if (!u->nslots) return UINT32_MAX;
    for (uint32_t i = (uint32_t)hash(name) & (u->nslots - 1); u->slots[i]; i = (i + 1) & (u->nslots - 1)) {
        const column *c = &u->items[u->slots[i] - 1];
        if (kq_sv_eq(c->name, name) && (type == KQ_TYPE_COUNT || c->type == type)) return u->slots[i] - 1;
    }
    return UINT32_MAX;
}

static kq_status add(unite *u, const kq_column *c, kq_span span) {
    uint32_t k = find(u, c->name, c->type);
    if (k != UINT32_MAX) {
        u->items[k].inputs++;
        u->items[k].text &= c->text;
        return KQ_OK;
    }
    if (u->n == KQ_BIND_COLUMNS)
        return kq_fail_at(u->b->err, KQ_ERR_LIMIT, span, "an operator has more than %d columns", KQ_BIND_COLUMNS);
    if (u->n == u->cap) {
        uint32_t cap = u->cap ? u->cap * 2 : 32;
        column *items = kq_arena_array(u->b->arena, column, cap);
        uint32_t *slots = kq_arena_array(u->b->arena, uint32_t, (size_t)cap * 4);
        if (!items || !slots) return kq_bind_nomem(u->b);
        if (u->n) memcpy(items, u->items, u->n * sizeof *items);
        u->items = items;
        u->cap = cap;
        u->slots = slots;
        u->nslots = cap * 4;
        for (uint32_t i = 0; i < u->n; i++) {
            uint32_t s = (uint32_t)hash(items[i].name) & (u->nslots - 1);
            while (slots[s]) s = (s + 1) & (u->nslots - 1);
            slots[s] = i + 1;
        }
    }
    uint32_t first = find(u, c->name, KQ_TYPE_COUNT);
    u->items[u->n] = (column){c->name, c->type, c->text, 1, first == UINT32_MAX ? u->n : u->items[first].group};
    uint32_t s = (uint32_t)hash(c->name) & (u->nslots - 1);
    while (u->slots[s]) s = (s + 1) & (u->nslots - 1);
    u->slots[s] = ++u->n;
    return KQ_OK;
}

/* The union's columns in order, with the place of each in u->items. */
static kq_status lay_out(unite *u, uint32_t ninputs, bool inner, kq_sv source, kq_span span, kq_columns *out,
                         uint32_t **from) {
    kq_binder *b = u->b;
    kq_names names = {0};
    uint32_t n = 0, *count = kq_arena_array(b->arena, uint32_t, u->n + 1);
    uint32_t *start = kq_arena_array(b->arena, uint32_t, u->n + 1),
             *order = kq_arena_array(b->arena, uint32_t, u->n + 1);
    if (!count || !start || !order) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < u->n; i++)
        if (!inner || u->items[i].inputs == ninputs) count[u->items[i].group]++;
    for (uint32_t i = 0; i < u->n; i++) {
        start[i] = n;
        n += count[i];
    }
    for (uint32_t i = 0; i < u->n; i++)
        if (!inner || u->items[i].inputs == ninputs) order[start[u->items[i].group]++] = i;
    KQ_TRY(kq_columns_alloc(b, out, n + (source.n != 0), span));
    uint32_t w = 0;
    if (source.n) {
        out->items[w++] = (kq_column){.name = source, .type = KQ_STRING};
        KQ_TRY(kq_names_add(b, &names, source));
    }
    for (uint32_t i = 0; i < n; i++) /* a column that keeps its name comes before one that is given it */
        if (count[u->items[order[i]].group] == 1) KQ_TRY(kq_names_add(b, &names, u->items[order[i]].name));
    for (uint32_t i = 0; i < n; i++) {
        const column *c = &u->items[order[i]];
        kq_sv name = c->name;
        if (count[c->group] > 1) {
            name = kq_arena_printf(b->arena, KQ_SV_FMT "_%s", KQ_SV_ARG(name), kq_type_name(c->type));
            if (!name.p) return kq_bind_nomem(b);
            KQ_TRY(kq_names_unique(b, &names, name, &name));
        } else if (source.n && kq_sv_eq(name, source)) {
            KQ_TRY(kq_names_unique(b, &names, name, &name));
        }
        out->items[w++] = (kq_column){name, c->type, c->text};
    }
    *from = order;
    return KQ_OK;
}

/* One input as the union wants it: its columns in their places, nulls for those that it has not. */
static kq_status shape(unite *u, kq_plan *in, const kq_columns *columns, const uint32_t *from, kq_sv source, kq_sv name,
                       kq_span span, kq_plan **out) {
    kq_binder *b = u->b;
    kq_plan *p = kq_plan_new(b, KQ_PLAN_PROJECT, span, in);
    if (!p) return kq_plan_failed(b, span);
    p->out = *columns;
    p->u.project.exprs = kq_arena_array(b->arena, kq_expr *, columns->n + 1);
    uint32_t *place = kq_arena_array(b->arena, uint32_t, u->n + 1); /* column of `in` + 1 */
    if (!p->u.project.exprs || !place) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < in->out.n; i++) place[find(u, in->out.items[i].name, in->out.items[i].type)] = i + 1;
    uint32_t w = 0;
    if (source.n) {
        kq_value v = kq_value_sv(name);
        KQ_TRY(kq_expr_const(b, &v, span, &p->u.project.exprs[w++]));
    }
    for (uint32_t i = 0; w < columns->n; i++, w++) {
        kq_type type = columns->items[w].type;
        kq_value v = kq_value_null(type);
        if (place[from[i]]) {
            KQ_TRY(kq_expr_column(b, place[from[i]] - 1, type, span, &p->u.project.exprs[w]));
            continue;
        }
        if (!u->nulls[type]) KQ_TRY(kq_expr_const(b, &v, span, &u->nulls[type]));
        p->u.project.exprs[w] = u->nulls[type];
    }
    *out = p;
    return KQ_OK;
}

/* Columns of both types are text in an input when another has a string of that name. */
static kq_status align(kq_binder *b, kq_plan **inputs, uint32_t n, kq_span span) {
    unite u = {.b = b};
    bool text = false;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < inputs[i]->out.n; k++) text |= inputs[i]->out.items[k].text;
    if (!text) return KQ_OK;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < inputs[i]->out.n; k++) KQ_TRY(add(&u, &inputs[i]->out.items[k], span));
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < inputs[i]->out.n; k++) {
            const kq_column *c = &inputs[i]->out.items[k];
            if (c->text && find(&u, c->name, KQ_STRING) != UINT32_MAX)
                KQ_TRY(kq_plan_text(b, inputs[i], k, span, &inputs[i]));
        }
    return KQ_OK;
}

kq_status kq_plan_union(kq_binder *b, kq_plan **inputs, const kq_sv *names, uint32_t n, kq_sv source, bool inner,
                        kq_span span, kq_plan **out) {
    unite u = {.b = b};
    uint32_t *from;
    kq_plan *p = kq_plan_new(b, KQ_PLAN_UNION, span, NULL);
    if (!p) return kq_plan_failed(b, span);
    KQ_TRY(align(b, inputs, n, span));
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < inputs[i]->out.n; k++) KQ_TRY(add(&u, &inputs[i]->out.items[k], span));
    KQ_TRY(lay_out(&u, n, inner, source, span, &p->out, &from));
    p->u.unions.n = n;
    p->u.unions.inputs = kq_arena_array(b->arena, kq_plan *, n + 1);
    if (!p->u.unions.inputs) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < n; i++)
        KQ_TRY(shape(&u, inputs[i], &p->out, from, source, names ? names[i] : KQ_SV(""), span, &p->u.unions.inputs[i]));
    *out = p;
    return KQ_OK;
}

/* ---- inputs ---- */

typedef struct legs {
    kq_plan **plans;
    kq_sv *names;
    uint32_t n, cap;
} legs;

static kq_status add_leg(kq_binder *b, legs *l, kq_plan *plan, kq_sv name) {
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        kq_plan **plans = kq_arena_array(b->arena, kq_plan *, cap);
        kq_sv *names = kq_arena_array(b->arena, kq_sv, cap);
        if (!plans || !names) return kq_bind_nomem(b);
        if (l->n) {
            memcpy(plans, l->plans, l->n * sizeof *plans);
            memcpy(names, l->names, l->n * sizeof *names);
        }
        l->plans = plans;
        l->names = names;
        l->cap = cap;
    }
    l->plans[l->n] = plan;
    l->names[l->n++] = name;
    return KQ_OK;
}

/* What withsource calls a leg: a table by its name, a view by its own, anything else by its number. */
static kq_sv leg_name(kq_binder *b, const kq_scope *scope, const kq_node *node, uint32_t number) {
    const kq_node *n = node;
    while (n->kind == KQ_NODE_PIPE && n->kids[0]) n = n->kids[0];
    if (n->kind == KQ_NODE_NAME || (n->kind == KQ_NODE_DOT && n->nkids == 1)) {
        const kq_scope *s = n->kind == KQ_NODE_NAME ? kq_scope_find(scope, n->text) : NULL;
        if (!s || s->view) return n->text;
    }
    return kq_arena_printf(b->arena, "union_arg%u", number);
}

static kq_status add_pattern(kq_binder *b, const kq_scope *scope, const kq_node *node, legs *l) {
    kq_node table = {.kind = KQ_NODE_NAME, .span = node->span};
    kq_plan *plan;
    bool any = false;
    for (int all = 0; all < 2 && !any && b->resolver->names; all++) {
        size_t n = 0;
        const kq_sv *names = b->resolver->names(b->resolver->ctx, all, &n);
        for (size_t i = 0; i < n; i++) {
            if (!kq_glob(node->text, names[i])) continue;
            any = true;
            table.text = names[i];
            /* what is here is told once: not by the view of a table, too */
            KQ_TRY(all ? kq_bind_table(b, NULL, &table, &plan) : kq_bind_scan(b, NULL, names[i], node->span, &plan));
            KQ_TRY(add_leg(b, l, plan, names[i]));
        }
    }
    for (const kq_scope *s = scope; s; s = s->next) {
        if (!s->view || !kq_glob(node->text, s->name)) continue;
        table.text = s->name;
        KQ_TRY(kq_bind_table(b, s, &table, &plan));
        KQ_TRY(add_leg(b, l, plan, s->name));
    }
    return KQ_OK;
}

/* With isfuzzy a leg that reads a table that does not exist is left out. */
static kq_status add_table(kq_binder *b, const kq_scope *scope, const kq_node *node, bool fuzzy, uint32_t number,
                           legs *l) {
    uint32_t depth = b->depth;
    kq_plan *plan;
    if (node->kind == KQ_NODE_WILDCARD) return add_pattern(b, scope, node, l);
    b->unknown_table = false;
    kq_status status = kq_bind_table(b, scope, node, &plan);
    if (status == KQ_ERR_QUERY && fuzzy && b->unknown_table) {
        b->depth = depth;
        b->unknown_table = false;
        return KQ_OK;
    }
    if (status != KQ_OK) return status;
    kq_sv name = leg_name(b, scope, node, number);
    return name.p ? add_leg(b, l, plan, name) : kq_bind_nomem(b);
}

kq_status kq_bind_union(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *params = node->kids[0];
    legs l = {NULL, NULL, 0, 0};
    kq_sv kind, source = KQ_SV("");
    bool fuzzy = kq_param_true(params, "isfuzzy"), inner = false;
    if (kq_param_text(params, "kind", &kind)) {
        inner = kq_sv_eq(kind, KQ_SV("inner"));
        if (!inner && !kq_sv_eq(kind, KQ_SV("outer")))
            return kq_bind_fail(b, params->span, "unknown kind of union '" KQ_SV_FMT "'", KQ_SV_ARG(kind));
    }
    if (!kq_param_text(params, "withsource", &source)) (void)kq_param_text(params, "with_source", &source);
    if (in) KQ_TRY(add_leg(b, &l, in, in->kind == KQ_PLAN_SCAN ? in->u.scan.table : KQ_SV("union_arg0")));
    for (uint32_t i = 1; i < node->nkids; i++) KQ_TRY(add_table(b, scope, node->kids[i], fuzzy, i - (in ? 0 : 1), &l));
    if (!l.n) return kq_bind_fail(b, node->span, "no table of the union exists");
    return kq_plan_union(b, l.plans, l.names, l.n, source, inner, node->span, out);
}

/* ---- search ---- */

typedef struct search {
    kq_binder *b;
    const kq_scope *scope;
    const kq_row *row;
    bool cs;
} search;

/* What "err", "err*", "*err", "*err*" and "a*b" mean. */
static const char *search_operator(kq_binder *b, kq_sv term, bool cs, kq_sv *needle) {
    bool front = term.n && term.p[0] == '*', back = term.n > 1 && term.p[term.n - 1] == '*';
    *needle = kq_sv_slice(term, front, term.n - back);
    if (!memchr(needle->p ? needle->p : "", '*', needle->n)) {
        if (front && back) return cs ? "contains_cs" : "contains";
        if (front) return cs ? "hassuffix_cs" : "hassuffix";
        if (back) return cs ? "hasprefix_cs" : "hasprefix";
        return cs ? "has_cs" : "has";
    }
    kq_buf buf;
    kq_buf_init(&buf, b->arena->budget, 0);
    kq_buf_str(&buf, cs ? "" : "(?i)");
    if (!front) kq_buf_str(&buf, "\\b");
    for (size_t i = 0; i < needle->n; i++) {
        char c = needle->p[i];
        if (c == '*')
            kq_buf_str(&buf, ".*");
        else {
            if (strchr("\\.+?()[]{}|^$", c) && c) kq_buf_char(&buf, '\\');
            kq_buf_char(&buf, c);
        }
    }
    if (!back) kq_buf_str(&buf, "\\b");
    *needle = kq_arena_copy(b->arena, kq_buf_view(&buf));
    kq_buf_deinit(&buf);
    return "matches regex";
}

static kq_status search_term(search *s, const kq_node *node, const kq_node *term, kq_expr **out) {
    kq_sv needle;
    kq_expr *right;
    const char *op = search_operator(s->b, kq_str_view(&term->value.u.s), s->cs, &needle);
    if (needle.n && !needle.p) return kq_bind_nomem(s->b);
    needle = kq_arena_copy(s->b->arena, needle);
    if (!needle.p) return kq_bind_nomem(s->b);
    kq_value v = kq_value_sv(needle);
    KQ_TRY(kq_expr_const(s->b, &v, term->span, &right));
    if (node == term) return kq_expr_anywhere(s->b, s->row, op, right, term->span, out);
    kq_expr *left;
    KQ_TRY(kq_bind_expr(s->b, s->scope, s->row, node->kids[0], &left));
    KQ_TRY(kq_expr_convert(s->b, left, KQ_STRING, &left));
    return kq_expr_call2(s->b, op, left, right, node->span, out);
}

static bool is_text(const kq_node *node) {
    return node->kind == KQ_NODE_LITERAL && node->value.type == KQ_STRING;
}

static kq_status bind_search(search *s, const kq_node *node, kq_expr **out) {
    kq_binder *b = s->b;
    KQ_TRY(kq_bind_enter(b, node->span));
    if (node->kind == KQ_NODE_WILDCARD) { /* search *: every row */
        kq_value v = kq_value_bool(true);
        KQ_TRY(kq_expr_const(b, &v, node->span, out));
    } else if (is_text(node)) {
        KQ_TRY(search_term(s, node, node, out));
    } else if (node->kind == KQ_NODE_BINARY &&
               (kq_sv_eq(node->text, KQ_SV("and")) || kq_sv_eq(node->text, KQ_SV("or")))) {
        kq_expr *l, *r;
        KQ_TRY(bind_search(s, node->kids[0], &l));
        KQ_TRY(bind_search(s, node->kids[1], &r));
        KQ_TRY(kq_expr_call2(b, node->text.p[0] == 'a' ? "and" : "or", l, r, node->span, out));
    } else if (node->kind == KQ_NODE_BINARY && kq_sv_eq(node->text, KQ_SV(":"))) {
        if (is_text(node->kids[1])) {
            KQ_TRY(search_term(s, node, node->kids[1], out));
        } else {
            kq_node equals = *node;
            equals.text = KQ_SV("==");
            KQ_TRY(kq_bind_predicate(b, s->scope, s->row, &equals, out));
        }
    } else if (node->kind == KQ_NODE_CALL && kq_sv_eq(node->text, KQ_SV("not")) && node->nkids == 1) {
        kq_expr **args = kq_arena_array(b->arena, kq_expr *, 1);
        if (!args) return kq_bind_nomem(b);
        KQ_TRY(bind_search(s, node->kids[0], &args[0]));
        KQ_TRY(kq_expr_call(b, "not", args, 1, node->span, out));
    } else {
        KQ_TRY(kq_bind_predicate(b, s->scope, s->row, node, out));
    }
    kq_bind_leave(b);
    return KQ_OK;
}

kq_status kq_bind_search(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *tables = node->kids[1];
    legs l = {NULL, NULL, 0, 0};
    kq_sv kind;
    search s = {.b = b, .scope = scope};
    if (kq_param_text(node->kids[0], "kind", &kind)) s.cs = kq_sv_eq(kind, KQ_SV("case_sensitive"));
    if (in) KQ_TRY(add_leg(b, &l, in, in->kind == KQ_PLAN_SCAN ? in->u.scan.table : KQ_SV("search_arg0")));
    for (uint32_t i = 0; i < tables->nkids; i++) KQ_TRY(add_table(b, scope, tables->kids[i], false, i, &l));
    if (!in && !tables->nkids) {
        kq_node all = {.kind = KQ_NODE_WILDCARD, .span = node->span, .text = KQ_SV("*")};
        KQ_TRY(add_pattern(b, scope, &all, &l));
    }
    if (!l.n) return kq_bind_fail(b, node->span, "there is no table to search");
    kq_plan *all, *p;
    KQ_TRY(kq_plan_union(b, l.plans, l.names, l.n, KQ_SV("$table"), false, node->span, &all));
    if (!(p = kq_plan_new(b, KQ_PLAN_FILTER, node->span, all))) return kq_plan_failed(b, node->span);
    kq_row row = kq_row_of(b, &all->out);
    s.row = &row;
    KQ_TRY(bind_search(&s, node->kids[2], &p->u.filter.predicate));
    *out = p;
    return KQ_OK;
}
