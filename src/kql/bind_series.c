/*
 * make-series, written with the operators that there are:
 *
 *   where axis >= from and axis < to
 *   | summarize aggregates by keys, $bin = number of the axis' bin
 *   | summarize $bins = make_list($bin), one list of each aggregate's values, $lo = min($bin), $hi = max($bin) by keys
 *   | project keys, an array of each aggregate over all bins, the array of the axis
 *
 * Bins are counted from `from`, or from 0 (the first of year 1) when there is none: the series then starts at its own
 * first bin, and without `to` it ends with its own last one.
 */
#include "kql/bind.h"

typedef struct series {
    kq_binder *b;
    const kq_scope *scope;
    const kq_node *node;
    kq_span span;
    kq_node *axis, *from, *to, *step;
    kq_type type; /* of the axis */
    bool whole;   /* its numbers are longs: ticks, integers */
} series;

/* ---- nodes */

static kq_node *name(series *s, kq_sv text) {
    return kq_node_ref(s->b, s->span, text);
}
static kq_node *call(series *s, const char *function, uint32_t n, kq_node *const *args) {
    return kq_node_call(s->b, s->span, function, n, args);
}
static kq_node *call1(series *s, const char *function, kq_node *a) {
    return call(s, function, 1, (kq_node *[]){a});
}
static kq_node *binary(series *s, const char *op, kq_node *a, kq_node *c) {
    return kq_node_binary(s->b, s->span, op, a, c);
}
static kq_node *named(series *s, kq_sv text, kq_node *value) {
    return kq_node_named(s->b, s->span, text, value);
}
static kq_node *number(series *s, int64_t l) {
    return kq_node_literal(s->b, s->span, kq_value_long(l));
}

/* A value as a number of the kind that bins are counted in. */
static kq_node *as_number(series *s, kq_node *x) {
    return call1(s, s->whole ? "tolong" : "todouble", x);
}

/* How far x is from where bins are counted from. */
static kq_node *distance(series *s, kq_node *x) {
    x = as_number(s, x);
    return s->from ? binary(s, "-", x, as_number(s, s->from)) : x;
}

/* The number of the bin that x lies in. */
static kq_node *bin_of(series *s, kq_node *x) {
    kq_node *step = as_number(s, s->step);
    if (s->whole) return binary(s, "/", call(s, "bin", 2, (kq_node *[]){distance(s, x), step}), step);
    return call1(s, "tolong", call(s, "bin", 2, (kq_node *[]){binary(s, "/", distance(s, x), step), number(s, 1)}));
}

/* The bin after the last one when the axis ends before x. */
static kq_node *end_bin(series *s, kq_node *x) {
    kq_node *step = as_number(s, s->step), *d = distance(s, x);
    if (s->whole) return binary(s, "/", binary(s, "-", binary(s, "+", d, step), number(s, 1)), step);
    return call1(s, "tolong", call1(s, "ceiling", binary(s, "/", d, step)));
}

static kq_node *origin(series *s) {
    kq_value v = {.type = s->type};
    if (s->from) return s->from;
    return kq_node_literal(s->b, s->span, v); /* zero of the type */
}

/* ---- operators */

static kq_status bind(series *s, const kq_node *op, kq_plan *in, kq_plan **out) {
    if (!op) return kq_bind_nomem(s->b);
    return kq_bind_operator(s->b, s->scope, op, in, out);
}

static kq_status filter(series *s, kq_plan **plan) {
    kq_node *test = call1(s, "isnotnull", s->axis);
    if (s->from) test = binary(s, "and", test, binary(s, ">=", s->axis, s->from));
    if (s->to) test = binary(s, "and", test, binary(s, s->node->flags ? "<=" : "<", s->axis, s->to));
    return bind(s, kq_node_make(s->b, s->span, KQ_NODE_WHERE, KQ_SV(""), 1, &test), *plan, plan);
}

static kq_status per_bin(series *s, const kq_node *by, kq_plan **plan) {
    const kq_node *items = s->node->kids[1];
    uint32_t n = items->nkids, nby = by ? by->nkids : 0;
    kq_node **aggs = kq_arena_array(s->b->arena, kq_node *, n + 1);
    kq_node **keys = kq_arena_array(s->b->arena, kq_node *, nby + 2);
    if (!aggs || !keys) return kq_bind_nomem(s->b);
    for (uint32_t i = 0; i < n; i++) aggs[i] = items->kids[i]->kids[0];
    for (uint32_t i = 0; i < nby; i++) keys[i] = by->kids[i];
    keys[nby] = named(s, KQ_SV("$bin"), bin_of(s, s->axis));
    return bind(s, kq_node_summarize(s->b, s->span, aggs, n, keys, nby + 1), *plan, plan);
}

/* `columns`: of the summarize by bins: keys, $bin, values. */
static kq_status per_series(series *s, const kq_columns *columns, uint32_t nby, kq_plan **plan) {
    uint32_t n = 0;
    kq_node **aggs = kq_arena_array(s->b->arena, kq_node *, columns->n + 4);
    kq_node **keys = kq_arena_array(s->b->arena, kq_node *, nby + 1);
    if (!aggs || !keys) return kq_bind_nomem(s->b);
    kq_sv bin = columns->items[nby].name;
    for (uint32_t i = 0; i < nby; i++) keys[i] = name(s, columns->items[i].name);
    aggs[n++] = named(s, KQ_SV("$bins"), call1(s, "make_list", name(s, bin)));
    aggs[n++] = named(s, KQ_SV("$lo"), call1(s, "min", name(s, bin)));
    aggs[n++] = named(s, KQ_SV("$hi"), call1(s, "max", name(s, bin)));
    for (uint32_t i = nby + 1; i < columns->n; i++) {
        kq_sv column = columns->items[i].name;
        aggs[n++] = named(s, column, call1(s, "make_list_with_nulls", name(s, column)));
    }
    return bind(s, kq_node_summarize(s->b, s->span, aggs, n, keys, nby), *plan, plan);
}

static kq_status arrays(series *s, const kq_columns *columns, uint32_t nby, kq_plan **plan) {
    const kq_node *items = s->node->kids[1];
    uint32_t n = 0, nvalues = columns->n - nby - 1;
    kq_node **outputs = kq_arena_array(s->b->arena, kq_node *, columns->n + 1);
    if (!outputs) return kq_bind_nomem(s->b);
    if (nvalues != items->nkids) return kq_bind_fail(s->b, s->span, "make-series takes aggregates of one column");
    kq_node *lo = s->from ? number(s, 0) : name(s, KQ_SV("$lo"));
    kq_node *hi = !s->to           ? binary(s, "+", name(s, KQ_SV("$hi")), number(s, 1))
                  : s->node->flags ? binary(s, "+", bin_of(s, s->to), number(s, 1))
                                   : end_bin(s, s->to);
    for (uint32_t i = 0; i < nby; i++) outputs[n++] = name(s, columns->items[i].name);
    for (uint32_t i = 0; i < nvalues; i++) {
        kq_sv column = columns->items[nby + 1 + i].name;
        const kq_node *item = items->kids[i];
        kq_node *fill = item->nkids > 1 && item->kids[1] ? item->kids[1] : number(s, 0);
        kq_node *args[5] = {name(s, KQ_SV("$bins")), name(s, column), fill, lo, hi};
        outputs[n++] = named(s, column, call(s, "make_series", 5, args));
    }
    kq_sv axis = kq_auto_name(s->b, s->axis);
    kq_node *first = binary(s, "+", origin(s), binary(s, "*", lo, s->step));
    kq_node *last = binary(s, "+", origin(s), binary(s, "*", binary(s, "-", hi, number(s, 1)), s->step));
    kq_node *range = call(s, "range", 3, (kq_node *[]){first, last, s->step});
    outputs[n++] = axis.n ? named(s, axis, range) : range;
    return bind(s, kq_node_make(s->b, s->span, KQ_NODE_PROJECT, KQ_SV(""), n, outputs), *plan, plan);
}

/* ---- the operator */

static kq_status check_types(series *s, const kq_plan *in) {
    kq_row row = kq_row_of(s->b, &in->out), none = kq_row_of(s->b, NULL);
    kq_expr *axis, *e;
    KQ_TRY(kq_bind_expr(s->b, s->scope, &row, s->axis, &axis));
    s->type = axis->type;
    bool time = s->type == KQ_DATETIME || s->type == KQ_TIMESPAN;
    if (!time && !kq_type_is_numeric(s->type))
        return kq_bind_fail(s->b, s->axis->span, "the axis of make-series must be a number or a time, not %s",
                            kq_type_name(s->type));
    KQ_TRY(kq_bind_expr(s->b, s->scope, &none, s->step, &e));
    if (time ? e->type != KQ_TIMESPAN : !kq_type_is_numeric(e->type))
        return kq_bind_fail(s->b, s->step->span, "the step of make-series does not fit an axis of %s",
                            kq_type_name(s->type));
    s->whole = time || (kq_type_is_integer(s->type) && kq_type_is_integer(e->type));
    kq_node *ends[] = {s->from, s->to};
    for (int i = 0; i < 2; i++) {
        if (!ends[i]) continue;
        KQ_TRY(kq_bind_expr(s->b, s->scope, &none, ends[i], &e));
        bool fits = time ? e->type == s->type : kq_type_is_numeric(e->type);
        if (!fits)
            return kq_bind_fail(s->b, ends[i]->span, "the axis of make-series is %s, this is %s", kq_type_name(s->type),
                                kq_type_name(e->type));
        s->whole &= time || kq_type_is_integer(e->type);
    }
    return KQ_OK;
}

kq_status kq_bind_series(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    series s = {.b = b, .scope = scope, .node = node, .span = node->span};
    const kq_node *by = node->nkids > 6 ? node->kids[6] : NULL;
    uint32_t nby = by ? by->nkids : 0;
    s.axis = node->kids[2];
    if (s.axis->kind == KQ_NODE_NAMED) s.axis = s.axis->kids[0];
    s.from = node->kids[3];
    s.to = node->kids[4];
    s.step = node->kids[5];
    if (!s.step) return kq_bind_fail(b, node->span, "make-series needs a step");
    KQ_TRY(check_types(&s, in));
    KQ_TRY(filter(&s, &in));
    KQ_TRY(per_bin(&s, by, &in));
    kq_columns columns = in->out;
    KQ_TRY(per_series(&s, &columns, nby, &in));
    kq_sv kind;
    if (!(kq_param_text(node->kids[0], "kind", &kind) && kq_sv_eq(kind, KQ_SV("nonempty")))) {
        kq_node *any = call1(&s, "isnotnull", name(&s, KQ_SV("$lo")));
        KQ_TRY(bind(&s, kq_node_make(b, s.span, KQ_NODE_WHERE, KQ_SV(""), 1, &any), in, &in));
    }
    KQ_TRY(arrays(&s, &columns, nby, &in));
    *out = in;
    return KQ_OK;
}
