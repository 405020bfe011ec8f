/* in, has_any, has_all, between, and operators over every column (* has "x"). */
#include "column/dynamic.h"
#include "kql/bind.h"

/* Arguments of a call that grow as constant arrays are expanded. */
typedef struct arguments {
    kq_expr **items;
    uint32_t n, cap;
} arguments;

static kq_status add(kq_binder *b, arguments *a, kq_expr *e) {
    if (a->n == a->cap) {
        uint32_t cap = a->cap ? a->cap * 2 : 8;
        kq_expr **items = kq_arena_array(b->arena, kq_expr *, cap);
        if (!items) return kq_bind_nomem(b);
        if (a->n) memcpy(items, a->items, a->n * sizeof *items);
        a->items = items;
        a->cap = cap;
    }
    a->items[a->n++] = e;
    return KQ_OK;
}

/* The elements of an array become arguments of their own type; those of arrays in it too, as Kusto flattens them. A
 * null equals nothing. */
static kq_status add_elements(kq_binder *b, arguments *a, kq_dyn array, kq_span span) {
    for (uint32_t i = 0, n = kq_dyn_count(array); i < n; i++) {
        kq_dyn d = kq_dyn_element(array, i);
        kq_value v = kq_dyn_value(d);
        kq_expr *element;
        if (v.null) continue;
        if (kq_dyn_tag_of(d) == KQ_DYN_ARRAY) { /* as deep as KQ_DYN_DEPTH at most */
            KQ_TRY(add_elements(b, a, d, span));
            continue;
        }
        if (v.type == KQ_DYNAMIC) continue; /* a bag equals no scalar */
        KQ_TRY(kq_expr_const(b, &v, span, &element));
        KQ_TRY(add(b, a, element));
    }
    return KQ_OK;
}

/* A constant array becomes its elements; any other constant is one argument. */
static kq_status add_constant(kq_binder *b, arguments *a, kq_expr *e) {
    if (e->type != KQ_DYNAMIC || e->value.null) return add(b, a, e);
    kq_dyn d = kq_str_view(&e->value.u.s);
    if (kq_dyn_tag_of(d) == KQ_DYN_ARRAY) return add_elements(b, a, d, e->span);
    kq_value v = kq_dyn_value(d);
    KQ_TRY(kq_expr_const(b, &v, e->span, &e));
    return add(b, a, e);
}

static bool is_has(kq_sv op) {
    return op.p[0] == 'h';
}

/* Compares texts: has_any, has_all, in~. */
static bool is_text(kq_sv op) {
    return is_has(op) || op.p[op.n - 1] == '~';
}

/* Brings the list's constants to the type that the left side is compared as. */
static kq_status align_list(kq_binder *b, kq_sv op, arguments *a) {
    kq_type want = a->items[0]->type;
    bool text = is_text(op);
    if (text) want = KQ_STRING;
    if (want == KQ_DYNAMIC) {
        for (uint32_t i = 1; i < a->n && want == KQ_DYNAMIC; i++) want = a->items[i]->type;
        if (want == KQ_DYNAMIC) return KQ_OK;
    }
    if (!text && kq_type_is_numeric(want)) /* 1 in (1.5): as the widest number */
        for (uint32_t i = 1; i < a->n; i++)
            if (kq_type_is_numeric(a->items[i]->type) && a->items[i]->type > want) want = a->items[i]->type;
    for (uint32_t i = text ? 1 : 0; i < a->n; i++) KQ_TRY(kq_expr_convert(b, a->items[i], want, &a->items[i]));
    return KQ_OK;
}

static kq_status never_in(kq_binder *b, kq_sv op, kq_span span, kq_expr **out) {
    kq_value v = kq_value_bool(op.p[0] == '!' || kq_sv_eq(op, KQ_SV("has_all")));
    return kq_expr_const(b, &v, span, out);
}

kq_status kq_bind_list(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    const kq_node *list = node->kids[1];
    arguments a = {NULL, 0, 0};
    kq_expr *left;
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[0], &left));
    if (!is_has(node->text)) KQ_TRY(kq_expr_text(b, left, &left)); /* no object is in a list: only its text can be */
    KQ_TRY(add(b, &a, left));
    bool whole = false; /* an array that only the rows know */
    for (uint32_t i = 0; i < list->nkids; i++) {
        const kq_node *kid = list->kids[i];
        kq_expr *e;
        if (kq_node_is_table(b, scope, row, kid)) {
            kq_plan *plan;
            if (list->nkids > 1)
                return kq_bind_fail(b, kid->span, "a table must stand alone in the list of '" KQ_SV_FMT "'",
                                    KQ_SV_ARG(node->text));
            KQ_TRY(kq_bind_table(b, scope, kid, &plan));
            if (!plan->out.n) return kq_bind_fail(b, kid->span, "the table has no column");
            if (plan->out.items[0].text) KQ_TRY(kq_plan_text(b, plan, 0, kid->span, &plan));
            KQ_TRY(kq_expr_subquery(b, plan, true, kid->span, &e));
            whole = true;
            KQ_TRY(add(b, &a, e));
            continue;
        }
        KQ_TRY(kq_bind_expr(b, scope, row, kid, &e));
        /* A dynamic may be of any type: it is compared with the array's elements as they are. */
        bool as_it_is = list->nkids == 1 && e->type == KQ_DYNAMIC && left->type == KQ_DYNAMIC && !is_text(node->text);
        if (e->kind == KQ_EXPR_CONST && !as_it_is) {
            KQ_TRY(add_constant(b, &a, e));
            continue;
        }
        whole |= e->type == KQ_DYNAMIC && list->nkids == 1;
        KQ_TRY(add(b, &a, e));
    }
    if (is_has(node->text) && left->type != KQ_STRING && left->type != KQ_DYNAMIC)
        return kq_bind_fail(b, node->span, "the operator '" KQ_SV_FMT "' takes a string, not %s", KQ_SV_ARG(node->text),
                            kq_type_name(left->type));
    if (a.n == 1) return never_in(b, node->text, node->span, out);
    if (!whole) KQ_TRY(align_list(b, node->text, &a));
    return kq_expr_call_sv(b, node->text, a.items, a.n, node->span, out);
}

kq_status kq_bind_between(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    const kq_node *list = node->kids[1];
    kq_expr **args = kq_arena_array(b->arena, kq_expr *, 3);
    if (!args) return kq_bind_nomem(b);
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[0], &args[0]));
    KQ_TRY(kq_bind_expr(b, scope, row, list->kids[0], &args[1]));
    KQ_TRY(kq_bind_expr(b, scope, row, list->kids[1], &args[2]));
    return kq_expr_call_sv(b, node->text, args, 3, node->span, out);
}

kq_status kq_expr_anywhere(kq_binder *b, const kq_row *row, const char *op, kq_expr *right, kq_span span,
                           kq_expr **out) {
    if (!row || !row->columns) return kq_bind_fail(b, span, "'*' needs the columns of a table");
    bool compares = op[0] == '=' || op[0] == '<' || op[0] == '>' || !strcmp(op, "!=");
    bool none = op[0] == '!' && !compares; /* * !has "x": no column has it */
    uint32_t n = 0;
    kq_expr **tests = kq_arena_array(b->arena, kq_expr *, row->columns->n + 1);
    if (!tests) return kq_bind_nomem(b);
    for (uint32_t i = 0; i < row->columns->n; i++) {
        kq_type type = row->columns->items[i].type;
        kq_expr *column, *value;
        kq_sv name = row->columns->items[i].name;
        if (name.n && name.p[0] == '$') continue; /* $table and hidden columns: no text of the record */
        if (compares && type != right->type && !(kq_type_is_numeric(type) && kq_type_is_numeric(right->type))) continue;
        KQ_TRY(kq_expr_column(b, i, type, span, &column));
        if (!compares || op[1] == '~') KQ_TRY(kq_expr_convert(b, column, KQ_STRING, &column));
        KQ_TRY(kq_expr_copy(b, right, right->span, &value));
        KQ_TRY(kq_expr_call2(b, op, column, value, span, &tests[n++]));
    }
    if (!n) {
        kq_value v = kq_value_bool(none);
        return kq_expr_const(b, &v, span, out);
    }
    for (; n > 1; n = (n + 1) / 2) { /* a balanced tree: a table may have many columns */
        for (uint32_t i = 0; i + 1 < n; i += 2)
            KQ_TRY(kq_expr_call2(b, none ? "and" : "or", tests[i], tests[i + 1], span, &tests[i / 2]));
        if (n & 1) tests[n / 2] = tests[n - 1];
    }
    *out = tests[0];
    return KQ_OK;
}

kq_status kq_bind_anywhere(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out) {
    char op[40];
    kq_expr *right;
    if (node->kids[1]->kind == KQ_NODE_LIST || node->text.n >= sizeof op)
        return kq_bind_fail(b, node->span, "'*' can't stand before '" KQ_SV_FMT "'", KQ_SV_ARG(node->text));
    memcpy(op, node->text.p, node->text.n);
    op[node->text.n] = 0;
    KQ_TRY(kq_bind_expr(b, scope, row, node->kids[1], &right));
    return kq_expr_anywhere(b, row, op, right, node->span, out);
}
