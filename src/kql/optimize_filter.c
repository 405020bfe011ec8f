/* Filters as deep as they go: each operator says which conjuncts may be asked below it. */
#include "kql/optimize.h"

/* ---- conjuncts ---- */

static uint32_t count_conjuncts(const kq_expr *e) {
    uint32_t n = 0;
    for (; kq_is_call(e, "and"); e = e->args[0]) n += count_conjuncts(e->args[1]);
    return n + 1;
}

static void collect(kq_expr *e, kq_conjuncts *out) {
    if (!kq_is_call(e, "and")) {
        out->items[out->n++] = e;
        return;
    }
    collect(e->args[0], out);
    collect(e->args[1], out);
}

static kq_status conjuncts_of(kq_optimizer *o, kq_expr *e, kq_conjuncts also, kq_conjuncts *out) {
    out->n = 0;
    out->items = kq_arena_array(o->arena, kq_expr *, count_conjuncts(e) + also.n);
    if (!out->items) return kq_optimize_nomem(o);
    collect(e, out);
    for (uint32_t i = 0; i < also.n; i++) out->items[out->n++] = also.items[i];
    return KQ_OK;
}

static bool is_true(const kq_expr *e) {
    return e->kind == KQ_EXPR_CONST && !e->value.null && e->value.type == KQ_BOOL && e->value.u.b;
}

static bool is_never(const kq_expr *e) {
    return e->kind == KQ_EXPR_CONST && e->type == KQ_BOOL && !is_true(e);
}

static kq_expr *conjunction(kq_optimizer *o, kq_expr **items, uint32_t n) {
    if (n == 1) return items[0];
    uint32_t left = n > 64 ? n / 2 : n - 1;
    kq_expr *e = kq_arena_new(o->arena, kq_expr), **args = kq_arena_array(o->arena, kq_expr *, 2);
    if (!e || !args) return NULL;
    *e = (kq_expr){
        .kind = KQ_EXPR_CALL, .type = KQ_BOOL, .span = items[0]->span, .fn = o->conjunction, .args = args, .nargs = 2};
    args[0] = conjunction(o, items, left);
    args[1] = conjunction(o, items + left, n - left);
    return args[0] && args[1] ? e : NULL;
}

/* Cheapest first; equal ones as the query has them. */
static void sort_by_cost(kq_optimizer *o, kq_conjuncts *c) {
    unsigned *costs = kq_arena_array(o->arena, unsigned, c->n);
    if (!costs || c->n > 1000) return; /* an order is no duty */
    for (uint32_t i = 0; i < c->n; i++) {
        kq_expr *e = c->items[i];
        unsigned cost = kq_expr_cost(e);
        uint32_t at = i;
        for (; at > 0 && costs[at - 1] > cost; at--) {
            costs[at] = costs[at - 1];
            c->items[at] = c->items[at - 1];
        }
        costs[at] = cost;
        c->items[at] = e;
    }
}

/* A FILTER of the conjuncts over `plan`; a scan is told of them. */
static kq_status wrap(kq_optimizer *o, kq_plan *plan, kq_conjuncts c, kq_plan **out) {
    *out = plan;
    uint32_t n = 0;
    bool never = false;
    for (uint32_t i = 0; i < c.n; i++) {
        never |= is_never(c.items[i]);
        if (!is_true(c.items[i])) c.items[n++] = c.items[i];
    }
    if ((c.n = n) == 0) return KQ_OK;
    kq_plan *filter = kq_arena_new(o->arena, kq_plan);
    if (!filter) return kq_optimize_nomem(o);
    *out = filter;
    filter->span = c.items[0]->span;
    filter->out = plan->out;
    if (never) { /* no row at all, and nothing to read for it */
        filter->kind = KQ_PLAN_VALUES;
        filter->u.values.cells = kq_arena_array(o->arena, kq_expr *, 1);
        return filter->u.values.cells ? KQ_OK : kq_optimize_nomem(o);
    }
    sort_by_cost(o, &c);
    filter->kind = KQ_PLAN_FILTER;
    filter->input = plan;
    filter->u.filter.predicate = conjunction(o, c.items, c.n);
    if (!filter->u.filter.predicate) return kq_optimize_nomem(o);
    if (plan->kind == KQ_PLAN_SCAN && !kq_is_shared(kq_optimize_find(o, plan))) return kq_optimize_scan(o, plan, c);
    return KQ_OK;
}

/* Which conjuncts go below: column i of the plan is below[i] in the input, or KQ_NO_COLUMN. */
static bool is_below(const void *ctx, uint32_t column) {
    return ((const uint32_t *)ctx)[column] != KQ_NO_COLUMN;
}

/* Takes from *c what `below` allows, renumbered, into *down. */
static kq_status split(kq_optimizer *o, kq_conjuncts *c, const uint32_t *below, kq_conjuncts *down) {
    uint32_t n = 0;
    down->n = 0;
    down->items = kq_arena_array(o->arena, kq_expr *, c->n + 1);
    if (!down->items) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < c->n; i++) {
        if (!kq_expr_uses(c->items[i], is_below, below)) {
            c->items[n++] = c->items[i];
        } else if (!(down->items[down->n++] = kq_expr_remap(o, c->items[i], below))) {
            return kq_optimize_nomem(o);
        }
    }
    c->n = n;
    return KQ_OK;
}

static uint32_t *identity(kq_optimizer *o, uint32_t n) {
    uint32_t *map = kq_arena_array(o->arena, uint32_t, n + 1);
    for (uint32_t i = 0; map && i < n; i++) map[i] = i;
    return map;
}

/* ---- one operator each: what stays above is left in *c ---- */

static kq_status below_input(kq_optimizer *o, kq_plan *p, kq_conjuncts *c, const uint32_t *map) {
    kq_conjuncts down;
    KQ_TRY(split(o, c, map, &down));
    return kq_optimize_push(o, p->input, down, &p->input);
}

/* Plain columns are asked below, and constants in their place. */
static bool is_simple(const void *ctx, uint32_t column) {
    const kq_expr *e = ((kq_expr *const *)ctx)[column];
    return e->kind == KQ_EXPR_COLUMN || e->kind == KQ_EXPR_CONST;
}

static kq_status below_project(kq_optimizer *o, kq_plan *p, kq_conjuncts *c) {
    kq_conjuncts down = {kq_arena_array(o->arena, kq_expr *, c->n + 1), 0};
    if (!down.items) return kq_optimize_nomem(o);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        if (!kq_expr_uses(c->items[i], is_simple, p->u.project.exprs)) {
            c->items[n++] = c->items[i];
        } else if (!(down.items[down.n++] = kq_expr_substitute(o, c->items[i], p->u.project.exprs))) {
            return kq_optimize_nomem(o);
        }
    }
    c->n = n;
    return kq_optimize_push(o, p->input, down, &p->input);
}

static kq_status below_aggregate(kq_optimizer *o, kq_plan *p, kq_conjuncts *c) {
    uint32_t *map = identity(o, p->out.n);
    if (!map) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->out.n; i++) {
        const kq_expr *by = i < p->u.aggregate.nby ? p->u.aggregate.by[i] : NULL;
        map[i] = by && by->kind == KQ_EXPR_COLUMN ? by->column : KQ_NO_COLUMN;
    }
    kq_conjuncts down = {NULL, 0};
    /* without `by` there is a row even of nothing */
    if (p->u.aggregate.nby) KQ_TRY(split(o, c, map, &down));
    return kq_optimize_push(o, p->input, down, &p->input);
}

static kq_status below_expand(kq_optimizer *o, kq_plan *p, kq_conjuncts *c) {
    uint32_t *map = identity(o, p->out.n);
    if (!map) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.expand.n; i++) map[p->u.expand.columns[i]] = KQ_NO_COLUMN;
    for (uint32_t i = p->input->out.n; i < p->out.n; i++) map[i] = KQ_NO_COLUMN;
    return below_input(o, p, c, map);
}

static kq_status below_parse(kq_optimizer *o, kq_plan *p, kq_conjuncts *c) {
    uint32_t *map = identity(o, p->out.n);
    if (!map) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.parse.nsteps; i++)
        if (p->u.parse.steps[i].capture) map[p->u.parse.steps[i].column] = KQ_NO_COLUMN;
    for (uint32_t i = p->input->out.n; i < p->out.n; i++) map[i] = KQ_NO_COLUMN;
    return below_input(o, p, c, map);
}

static kq_status below_union(kq_optimizer *o, kq_plan *p, kq_conjuncts *c) {
    uint32_t *map = identity(o, p->out.n);
    if (!map) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.unions.n; i++) {
        kq_conjuncts all = *c, down;
        all.items = kq_arena_array(o->arena, kq_expr *, c->n + 1);
        if (!all.items) return kq_optimize_nomem(o);
        if (c->n) memcpy(all.items, c->items, c->n * sizeof *c->items);
        KQ_TRY(split(o, &all, map, &down));
        KQ_TRY(kq_optimize_push(o, p->u.unions.inputs[i], down, &p->u.unions.inputs[i]));
    }
    c->n = 0;
    return KQ_OK;
}

static kq_status below_join(kq_optimizer *o, kq_plan *p, kq_conjuncts *c) {
    kq_join_kind kind = p->u.join.kind;
    bool only_right = kind == KQ_JOIN_RIGHTSEMI || kind == KQ_JOIN_RIGHTANTI;
    bool only_left = kind == KQ_JOIN_LEFTSEMI || kind == KQ_JOIN_LEFTANTI;
    /* innerunique takes one left row of each key, any: Kusto too takes it among those that the filter lets through */
    bool inner = kind == KQ_JOIN_INNER || kind == KQ_JOIN_INNERUNIQUE;
    bool left_ok = inner || kind == KQ_JOIN_LEFTOUTER || only_left;
    bool right_ok = inner || kind == KQ_JOIN_RIGHTOUTER || only_right;
    uint32_t nleft = only_right ? 0 : p->input->out.n;
    uint32_t *left = identity(o, p->out.n), *right = identity(o, p->out.n);
    if (!left || !right) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->out.n; i++) {
        left[i] = i < nleft && left_ok ? i : KQ_NO_COLUMN;
        right[i] = i >= nleft && right_ok ? i - nleft : KQ_NO_COLUMN;
    }
    kq_conjuncts to_left, to_right;
    if (left_ok)
        KQ_TRY(split(o, c, left, &to_left));
    else
        to_left = (kq_conjuncts){NULL, 0};
    if (right_ok)
        KQ_TRY(split(o, c, right, &to_right));
    else
        to_right = (kq_conjuncts){NULL, 0};
    KQ_TRY(kq_optimize_push(o, p->input, to_left, &p->input));
    return kq_optimize_push(o, p->u.join.right, to_right, &p->u.join.right);
}

/* TAKE below projections, and SORT with TAKE as TOP. */
static kq_status take(kq_optimizer *o, kq_plan *p, kq_plan **out) {
    kq_plan *in = p->input;
    kq_conjuncts none = {NULL, 0};
    bool alone = !kq_is_shared(kq_optimize_find(o, in));
    if (alone && (in->kind == KQ_PLAN_PROJECT || in->kind == KQ_PLAN_SORT))
        KQ_TRY(kq_plan_exprs(in, kq_optimize_subqueries, o));
    if (alone && in->kind == KQ_PLAN_PROJECT) {
        p->input = in->input;
        p->out = in->input->out;
        in->input = p;
        *out = in;
        KQ_TRY(kq_optimize_enter(o, p));
        KQ_TRY(take(o, p, &in->input));
        o->depth--;
        return KQ_OK;
    }
    *out = p;
    if (alone && in->kind == KQ_PLAN_SORT) {
        in->kind = KQ_PLAN_TOP;
        in->u.order.count = p->u.order.count;
        *out = in;
        p = in;
    }
    return kq_optimize_push(o, p->input, none, &p->input);
}

static kq_status push_into(kq_optimizer *o, kq_plan *p, kq_conjuncts c, kq_plan **out) {
    kq_plan *result = p;
    uint32_t *map;
    switch (p->kind) {
    case KQ_PLAN_FILTER:
        KQ_TRY(conjuncts_of(o, p->u.filter.predicate, c, &c));
        return kq_optimize_push(o, p->input, c, out);
    case KQ_PLAN_PROJECT: KQ_TRY(below_project(o, p, &c)); break;
    case KQ_PLAN_AGGREGATE: KQ_TRY(below_aggregate(o, p, &c)); break;
    case KQ_PLAN_SORT:
        if (!(map = identity(o, p->out.n))) return kq_optimize_nomem(o);
        KQ_TRY(below_input(o, p, &c, map));
        break;
    case KQ_PLAN_EXPAND: KQ_TRY(below_expand(o, p, &c)); break;
    case KQ_PLAN_PARSE: KQ_TRY(below_parse(o, p, &c)); break;
    case KQ_PLAN_UNION: KQ_TRY(below_union(o, p, &c)); break;
    case KQ_PLAN_JOIN: KQ_TRY(below_join(o, p, &c)); break;
    case KQ_PLAN_TAKE: KQ_TRY(take(o, p, &result)); break;
    case KQ_PLAN_MATERIALIZE: /* one that is read once is nothing but its input */
        if (!kq_is_shared(kq_optimize_find(o, p))) return kq_optimize_push(o, p->input, c, out);
        /* fall through */
    default:
        if (p->input) KQ_TRY(kq_optimize_push(o, p->input, (kq_conjuncts){NULL, 0}, &p->input));
        break;
    }
    return wrap(o, result, c, out);
}

/* A node that several refer to is rewritten once, and nothing is asked inside. */
static kq_status push_shared(kq_optimizer *o, kq_plan *p, kq_conjuncts c, kq_plan **out) {
    kq_plan *result = kq_optimize_find(o, p)->result;
    if (!result) {
        uint32_t refs = kq_optimize_find(o, p)->refs;
        KQ_TRY(kq_plan_exprs(p, kq_optimize_subqueries, o));
        KQ_TRY(push_into(o, p, (kq_conjuncts){NULL, 0}, &result));
        kq_optimize_find(o, p)->result = result;
        kq_shared *s = result == p ? kq_optimize_find(o, p) : kq_optimize_add(o, result);
        if (!s) return kq_optimize_nomem(o);
        /* those that referred to p refer to the result, and p no more */
        if (result != p) s->refs = refs + (s->refs ? s->refs - 1 : 0);
        s->result = result;
    }
    return wrap(o, result, c, out);
}

kq_status kq_optimize_push(kq_optimizer *o, kq_plan *p, kq_conjuncts c, kq_plan **out) {
    KQ_TRY(kq_optimize_enter(o, p));
    if (kq_is_shared(kq_optimize_find(o, p))) {
        KQ_TRY(push_shared(o, p, c, out));
    } else {
        KQ_TRY(kq_plan_exprs(p, kq_optimize_subqueries, o));
        KQ_TRY(push_into(o, p, c, out));
    }
    o->depth--;
    return KQ_OK;
}
