/* join and lookup. */
#include "kql/bind.h"

typedef struct join {
    kq_binder *b;
    const kq_scope *scope;
    kq_plan *left, *right;
    kq_expr **left_keys, **right_keys;
    uint32_t *right_columns; /* of the right keys */
    uint32_t n, cap;
} join;

static kq_status add_keys(join *j, kq_expr *left, kq_expr *right, kq_span span) {
    uint32_t right_column = right->column;
    KQ_TRY(kq_expr_text(j->b, left, &left));
    KQ_TRY(kq_expr_text(j->b, right, &right));
    if (left->type != right->type)
        return kq_bind_fail(j->b, span, "the key is %s on the left and %s on the right", kq_type_name(left->type),
                            kq_type_name(right->type));
    if (left->type == KQ_DYNAMIC) {
        (void)kq_bind_fail(j->b, span, "a key can't be dynamic");
        kq_error_hint(j->b->err, "convert it on both sides before the join, e.g. by tostring()");
        return KQ_ERR_QUERY;
    }
    if (j->n == j->cap) {
        uint32_t cap = j->cap ? j->cap * 2 : 4;
        kq_expr **l = kq_arena_array(j->b->arena, kq_expr *, cap), **r = kq_arena_array(j->b->arena, kq_expr *, cap);
        uint32_t *c = kq_arena_array(j->b->arena, uint32_t, cap);
        if (!l || !r || !c) return kq_bind_nomem(j->b);
        if (j->n) {
            memcpy(l, j->left_keys, j->n * sizeof(kq_expr *));
            memcpy(r, j->right_keys, j->n * sizeof(kq_expr *));
            memcpy(c, j->right_columns, j->n * sizeof *c);
        }
        j->left_keys = l;
        j->right_keys = r;
        j->right_columns = c;
        j->cap = cap;
    }
    j->left_keys[j->n] = left;
    j->right_columns[j->n] = right_column;
    j->right_keys[j->n++] = right;
    return KQ_OK;
}

static kq_status column_of(join *j, const kq_columns *side, const kq_node *node, kq_expr **out) {
    uint32_t column;
    if (!kq_row_find(side, node->text, &column)) return kq_unknown_column(j->b, side, node->text, node->span);
    return kq_expr_column_in(j->b, side, column, node->span, out);
}

/* Is this $left.x ('l') or $right.x ('r')? */
static char side_of(const kq_node *node) {
    if (node->kind != KQ_NODE_DOT || node->nkids != 1 || node->kids[0]->kind != KQ_NODE_NAME) return 0;
    if (kq_sv_eq(node->kids[0]->text, KQ_SV("$left"))) return 'l';
    return kq_sv_eq(node->kids[0]->text, KQ_SV("$right")) ? 'r' : 0;
}

static kq_status bind_condition(join *j, const kq_node *node) {
    kq_expr *l, *r;
    KQ_TRY(kq_bind_enter(j->b, node->span));
    if (node->kind == KQ_NODE_NAME) {
        KQ_TRY(column_of(j, &j->left->out, node, &l));
        KQ_TRY(column_of(j, &j->right->out, node, &r));
        KQ_TRY(add_keys(j, l, r, node->span));
    } else if (node->kind == KQ_NODE_BINARY && kq_sv_eq(node->text, KQ_SV("and"))) {
        KQ_TRY(bind_condition(j, node->kids[0]));
        KQ_TRY(bind_condition(j, node->kids[1]));
    } else if (node->kind == KQ_NODE_BINARY && kq_sv_eq(node->text, KQ_SV("==")) && side_of(node->kids[0]) &&
               side_of(node->kids[1]) && side_of(node->kids[0]) != side_of(node->kids[1])) {
        bool swapped = side_of(node->kids[0]) == 'r';
        KQ_TRY(column_of(j, &j->left->out, node->kids[swapped], &l));
        KQ_TRY(column_of(j, &j->right->out, node->kids[!swapped], &r));
        KQ_TRY(add_keys(j, l, r, node->span));
    } else {
        (void)kq_bind_fail(j->b, node->span, "a join compares columns");
        kq_error_hint(j->b->err, "write a common column's name, or $left.a == $right.b");
        return KQ_ERR_QUERY;
    }
    kq_bind_leave(j->b);
    return KQ_OK;
}

static const struct kind {
    const char *name;
    kq_join_kind kind;
    bool lookup; /* lookup takes it too */
} kinds[] = {
    {"innerunique", KQ_JOIN_INNERUNIQUE, false}, {"inner", KQ_JOIN_INNER, true},
    {"leftouter", KQ_JOIN_LEFTOUTER, true},      {"rightouter", KQ_JOIN_RIGHTOUTER, false},
    {"fullouter", KQ_JOIN_FULLOUTER, false},     {"leftsemi", KQ_JOIN_LEFTSEMI, false},
    {"rightsemi", KQ_JOIN_RIGHTSEMI, false},     {"leftanti", KQ_JOIN_LEFTANTI, false},
    {"anti", KQ_JOIN_LEFTANTI, false},           {"leftantisemi", KQ_JOIN_LEFTANTI, false},
    {"rightanti", KQ_JOIN_RIGHTANTI, false},     {"rightantisemi", KQ_JOIN_RIGHTANTI, false},
};
enum { NKINDS = sizeof kinds / sizeof *kinds };

static kq_status kind_of(kq_binder *b, const kq_node *node, bool lookup, kq_join_kind *out) {
    kq_sv text, names[NKINDS];
    *out = lookup ? KQ_JOIN_LEFTOUTER : KQ_JOIN_INNERUNIQUE;
    if (!kq_param_text(node->kids[0], "kind", &text)) return KQ_OK;
    for (size_t i = 0; i < NKINDS; i++) {
        names[i] = kq_sv_of(kinds[i].name);
        if (!kq_sv_eq(text, names[i]) || (lookup && !kinds[i].lookup)) continue;
        *out = kinds[i].kind;
        return KQ_OK;
    }
    (void)kq_bind_fail(b, node->kids[0]->span, "unknown kind of %s '" KQ_SV_FMT "'", lookup ? "lookup" : "join",
                       KQ_SV_ARG(text));
    const kq_sv *near = kq_nearest(text, names, NKINDS);
    if (near && !lookup) kq_error_hint(b->err, "did you mean '" KQ_SV_FMT "'?", KQ_SV_ARG(*near));
    if (lookup) kq_error_hint(b->err, "lookup is leftouter or inner");
    return KQ_ERR_QUERY;
}

/* All columns of both sides. A right column whose name is taken gets a number: the first that is free on both sides.
 * `skip` (may be NULL): right columns that a lookup drops; they get names that clash with nothing. */
static kq_status both_sides(join *j, const bool *skip, kq_plan *p) {
    kq_binder *b = j->b;
    const kq_columns *l = &j->left->out, *r = &j->right->out;
    kq_names taken = {0}, left = {0};
    KQ_TRY(kq_columns_alloc(b, &p->out, l->n + r->n, p->span));
    for (uint32_t i = 0; i < l->n; i++) {
        p->out.items[i] = l->items[i];
        KQ_TRY(kq_names_add(b, &taken, l->items[i].name));
        KQ_TRY(kq_names_add(b, &left, l->items[i].name));
    }
    for (uint32_t i = 0; i < r->n; i++) KQ_TRY(kq_names_add(b, &taken, r->items[i].name));
    for (uint32_t i = 0; i < r->n; i++) {
        kq_sv name = r->items[i].name;
        if (skip && skip[i]) {
            name = kq_arena_printf(b->arena, "$right%u", i);
            if (!name.p) return kq_bind_nomem(b);
        } else if (kq_names_has(&left, name)) {
            KQ_TRY(kq_names_unique(b, &taken, name, &name));
        }
        p->out.items[l->n + i] = (kq_column){name, r->items[i].type, r->items[i].text};
    }
    return KQ_OK;
}

static kq_status lookup_columns(join *j, kq_plan *p, const bool *skip, kq_plan **out) {
    uint32_t n = 0, *columns = kq_arena_array(j->b->arena, uint32_t, p->out.n + 1);
    if (!columns) return kq_bind_nomem(j->b);
    for (uint32_t i = 0; i < p->out.n; i++)
        if (i < j->left->out.n || !skip[i - j->left->out.n]) columns[n++] = i;
    return kq_plan_pick(j->b, p, columns, NULL, n, p->span, out);
}

kq_status kq_bind_join(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    bool lookup = node->kind == KQ_NODE_LOOKUP;
    const kq_node *on = node->kids[2];
    join j = {.b = b, .scope = scope, .left = in};
    kq_plan *p = kq_plan_new(b, KQ_PLAN_JOIN, node->span, in);
    if (!p) return kq_plan_failed(b, node->span);
    KQ_TRY(kind_of(b, node, lookup, &p->u.join.kind));
    KQ_TRY(kq_bind_table(b, scope, node->kids[1], &j.right));
    if (!on->nkids) {
        (void)kq_bind_fail(b, node->span, "%s needs its columns after 'on'", lookup ? "lookup" : "join");
        return KQ_ERR_QUERY;
    }
    for (uint32_t i = 0; i < on->nkids; i++) KQ_TRY(bind_condition(&j, on->kids[i]));
    p->u.join.right = j.right;
    p->u.join.left_keys = j.left_keys;
    p->u.join.right_keys = j.right_keys;
    p->u.join.nkeys = j.n;
    *out = p;
    switch (p->u.join.kind) {
    case KQ_JOIN_LEFTSEMI:
    case KQ_JOIN_LEFTANTI: return KQ_OK;
    case KQ_JOIN_RIGHTSEMI:
    case KQ_JOIN_RIGHTANTI: p->out = j.right->out; return KQ_OK;
    default: break;
    }
    if (!lookup) return both_sides(&j, NULL, p);
    bool *skip = kq_arena_array(b->arena, bool, j.right->out.n + 1);
    if (!skip) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < j.n; i++) skip[j.right_columns[i]] = true;
    KQ_TRY(both_sides(&j, skip, p));
    return lookup_columns(&j, p, skip, out);
}
