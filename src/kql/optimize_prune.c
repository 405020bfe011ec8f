/*
 * Columns that nobody needs. Each operator is asked for the columns that its reader needs, asks its inputs, and says
 * where its columns went; it may give more than it was asked for (a filter gives what it looks at).
 */
#include "kql/optimize.h"

static bool *flags(kq_optimizer *o, uint32_t n) {
    return kq_arena_array(o->arena, bool, n + 1);
}

static uint32_t *new_map(kq_optimizer *o, uint32_t n) {
    uint32_t *map = kq_arena_array(o->arena, uint32_t, n + 1);
    for (uint32_t i = 0; map && i < n; i++) map[i] = KQ_NO_COLUMN;
    return map;
}

static uint32_t count(const bool *need, uint32_t n) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) k += need[i];
    return k;
}

/* Keeps the flagged columns of p->out, in their order. */
static kq_status keep(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    kq_columns old = p->out;
    if (!kq_columns_alloc_n(o, &p->out, count(need, old.n))) return kq_optimize_nomem(o);
    uint32_t n = 0;
    for (uint32_t i = 0; i < old.n; i++) {
        map[i] = need[i] ? n : KQ_NO_COLUMN;
        if (need[i]) p->out.items[n++] = old.items[i];
    }
    return KQ_OK;
}

static kq_status remap(kq_optimizer *o, kq_expr **slots, uint32_t n, const uint32_t *map) {
    for (uint32_t i = 0; i < n; i++)
        if (slots[i] && !(slots[i] = kq_expr_remap(o, slots[i], map))) return kq_optimize_nomem(o);
    return KQ_OK;
}

/* The input with exactly the needed columns: operators that keep or compare whole rows want no more. */
static kq_status exact(kq_optimizer *o, kq_plan **slot, const bool *need, uint32_t **map) {
    kq_plan *in = *slot;
    uint32_t n = in->out.n, wanted = count(need, n), k = 0;
    KQ_TRY(kq_optimize_prune(o, in, need, map));
    if (in->out.n == wanted) return KQ_OK;
    kq_plan *pick = kq_arena_new(o->arena, kq_plan);
    if (!pick || !kq_columns_alloc_n(o, &pick->out, wanted)) return kq_optimize_nomem(o);
    pick->kind = KQ_PLAN_PROJECT;
    pick->span = in->span;
    pick->input = in;
    pick->u.project.exprs = kq_arena_array(o->arena, kq_expr *, wanted + 1);
    uint32_t *out = new_map(o, n);
    if (!pick->u.project.exprs || !out) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < n; i++) {
        if (!need[i]) continue;
        const kq_column *c = &in->out.items[(*map)[i]];
        pick->out.items[k] = *c;
        if (!(pick->u.project.exprs[k] = kq_expr_column_of(o, (*map)[i], c->type, in->span)))
            return kq_optimize_nomem(o);
        out[i] = k++;
    }
    *slot = pick;
    *map = out;
    return KQ_OK;
}

/* `need` of the plan as flags of an input that starts with the same columns, with room for more. */
static bool *copy_need(kq_optimizer *o, const bool *need, uint32_t n, uint32_t room) {
    bool *copy = flags(o, n > room ? n : room);
    if (copy && n) memcpy(copy, need, n * sizeof *need);
    return copy;
}

static kq_status prune_values(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t width = p->out.n, n = 0;
    kq_expr **old = p->u.values.cells;
    KQ_TRY(keep(o, p, need, map));
    kq_expr **cells = kq_arena_array(o->arena, kq_expr *, (size_t)p->u.values.rows * p->out.n + 1);
    if (!cells) return kq_optimize_nomem(o);
    for (uint32_t r = 0; r < p->u.values.rows; r++)
        for (uint32_t i = 0; i < width; i++)
            if (need[i]) cells[n++] = old[(size_t)r * width + i];
    p->u.values.cells = cells;
    return KQ_OK;
}

static kq_status prune_scan(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t width = p->out.n, n = 0;
    uint32_t *columns = kq_arena_array(o->arena, uint32_t, width + 1);
    if (!columns) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < width; i++)
        if (need[i]) columns[n++] = p->u.scan.columns[i];
    p->u.scan.columns = columns;
    return keep(o, p, need, map);
}

static kq_status prune_filter(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t **map) {
    bool *in = copy_need(o, need, p->out.n, p->input->out.n);
    if (!in) return kq_optimize_nomem(o);
    kq_expr_mark(p->u.filter.predicate, in);
    KQ_TRY(kq_optimize_prune(o, p->input, in, map));
    p->out = p->input->out;
    return remap(o, &p->u.filter.predicate, 1, *map);
}

static kq_status prune_project(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t width = p->out.n, n = 0, *below;
    bool *in = flags(o, p->input->out.n);
    kq_expr **exprs = kq_arena_array(o->arena, kq_expr *, width + 1);
    if (!in || !exprs) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < width; i++) {
        if (!need[i]) continue;
        kq_expr_mark(p->u.project.exprs[i], in);
        exprs[n++] = p->u.project.exprs[i];
    }
    KQ_TRY(kq_optimize_prune(o, p->input, in, &below));
    p->u.project.exprs = exprs;
    KQ_TRY(keep(o, p, need, map));
    return remap(o, exprs, n, below);
}

/* Outputs of aggregates that nobody needs. arg_max(x, a, b): x stays, a and b may go. */
static kq_status prune_aggs(kq_optimizer *o, kq_plan *p, bool *keep_out) {
    uint32_t at = p->u.aggregate.nby, n = 0;
    kq_agg_item *items = kq_arena_array(o->arena, kq_agg_item, p->u.aggregate.naggs + 1);
    if (!items) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.aggregate.naggs; i++) {
        kq_agg_item item = p->u.aggregate.aggs[i];
        bool multi = (item.fn->flags & KQ_AGG_MULTI) != 0, any = count(keep_out + at, item.nout) > 0;
        /* without `by` the row must come from some aggregate */
        bool last = p->u.aggregate.nby == 0 && n == 0 && i + 1 == p->u.aggregate.naggs;
        if (any || last) {
            keep_out[at] = true;
            if (multi && item.nout == item.nargs) {
                kq_expr **args = kq_arena_array(o->arena, kq_expr *, item.nargs);
                if (!args) return kq_optimize_nomem(o);
                uint32_t k = 0;
                for (uint32_t a = 0; a < item.nargs; a++)
                    if (keep_out[at + a]) args[k++] = item.args[a];
                item.args = args;
                item.nargs = item.nout = k;
            } else {
                for (uint32_t k = 0; k < item.nout; k++) keep_out[at + k] = true;
            }
            items[n++] = item;
        }
        at += p->u.aggregate.aggs[i].nout;
    }
    p->u.aggregate.aggs = items;
    p->u.aggregate.naggs = n;
    return KQ_OK;
}

static kq_status prune_aggregate(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t *below;
    bool *keep_out = copy_need(o, need, p->out.n, 0), *in = flags(o, p->input->out.n);
    if (!keep_out || !in) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.aggregate.nby; i++) keep_out[i] = true;
    KQ_TRY(prune_aggs(o, p, keep_out));
    for (uint32_t i = 0; i < p->u.aggregate.nby; i++) kq_expr_mark(p->u.aggregate.by[i], in);
    for (uint32_t i = 0; i < p->u.aggregate.naggs; i++)
        for (uint32_t a = 0; a < p->u.aggregate.aggs[i].nargs; a++) kq_expr_mark(p->u.aggregate.aggs[i].args[a], in);
    KQ_TRY(kq_optimize_prune(o, p->input, in, &below));
    KQ_TRY(remap(o, p->u.aggregate.by, p->u.aggregate.nby, below));
    for (uint32_t i = 0; i < p->u.aggregate.naggs; i++)
        KQ_TRY(remap(o, p->u.aggregate.aggs[i].args, p->u.aggregate.aggs[i].nargs, below));
    return keep(o, p, keep_out, map);
}

static kq_status prune_order(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t **map) {
    bool *in = copy_need(o, need, p->out.n, p->input->out.n);
    if (!in) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.order.nkeys; i++) kq_expr_mark(p->u.order.keys[i].expr, in);
    if (p->kind == KQ_PLAN_TAKE)
        KQ_TRY(kq_optimize_prune(o, p->input, in, map));
    else
        KQ_TRY(exact(o, &p->input, in, map));
    p->out = p->input->out;
    for (uint32_t i = 0; i < p->u.order.nkeys; i++) KQ_TRY(remap(o, &p->u.order.keys[i].expr, 1, *map));
    return KQ_OK;
}

static kq_status prune_union(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t *below;
    for (uint32_t i = 0; i < p->u.unions.n; i++) KQ_TRY(exact(o, &p->u.unions.inputs[i], need, &below));
    return keep(o, p, need, map);
}

/* One side of a join: its needed columns and its keys'. */
static kq_status prune_side(kq_optimizer *o, kq_plan **side, const bool *need, kq_expr **keys, uint32_t nkeys,
                            uint32_t **map) {
    uint32_t n = (*side)->out.n;
    bool *in = flags(o, n);
    if (!in) return kq_optimize_nomem(o);
    if (need && n) memcpy(in, need, n * sizeof *in);
    for (uint32_t i = 0; i < nkeys; i++) kq_expr_mark(keys[i], in);
    KQ_TRY(exact(o, side, in, map));
    return remap(o, keys, nkeys, *map);
}

static kq_status prune_join(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    kq_join_kind kind = p->u.join.kind;
    bool only_right = kind == KQ_JOIN_RIGHTSEMI || kind == KQ_JOIN_RIGHTANTI;
    bool only_left = kind == KQ_JOIN_LEFTSEMI || kind == KQ_JOIN_LEFTANTI;
    uint32_t width = p->out.n, nleft = only_right ? 0 : p->input->out.n, *left, *right;
    bool *kept = flags(o, width);
    if (!kept) return kq_optimize_nomem(o);
    KQ_TRY(prune_side(o, &p->input, only_right ? NULL : need, p->u.join.left_keys, p->u.join.nkeys, &left));
    KQ_TRY(prune_side(o, &p->u.join.right, only_left ? NULL : need + nleft, p->u.join.right_keys, p->u.join.nkeys,
                      &right));
    for (uint32_t i = 0; i < width; i++) {
        uint32_t to = i < nleft ? left[i] : right[i - nleft];
        kept[i] = to != KQ_NO_COLUMN;
    }
    return keep(o, p, kept, map);
}

static kq_status prune_expand(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t width = p->out.n, nin = p->input->out.n, *below;
    bool *in = copy_need(o, need, nin, 0), *kept = flags(o, width);
    uint32_t *columns = kq_arena_array(o->arena, uint32_t, p->u.expand.n + 1);
    if (!in || !kept || !columns) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->u.expand.n; i++) in[p->u.expand.columns[i]] = true;
    KQ_TRY(exact(o, &p->input, in, &below));
    for (uint32_t i = 0; i < p->u.expand.n; i++) columns[i] = below[p->u.expand.columns[i]];
    p->u.expand.columns = columns;
    for (uint32_t i = 0; i < width; i++) kept[i] = i >= nin || in[i];
    return keep(o, p, kept, map);
}

static kq_status prune_parse(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t width = p->out.n, nin = p->input->out.n, nsteps = p->u.parse.nsteps, *below;
    bool *in = copy_need(o, need, nin, 0), *kept = flags(o, width);
    kq_parse_step *steps = kq_arena_array(o->arena, kq_parse_step, nsteps + 1);
    if (!in || !kept || !steps) return kq_optimize_nomem(o);
    kq_expr_mark(p->u.parse.source, in);
    for (uint32_t i = 0; i < nsteps; i++) {
        steps[i] = p->u.parse.steps[i];
        if (steps[i].capture && steps[i].column < nin) in[steps[i].column] = true; /* replaced in its place */
    }
    KQ_TRY(exact(o, &p->input, in, &below));
    KQ_TRY(remap(o, &p->u.parse.source, 1, below));
    for (uint32_t i = 0; i < width; i++) kept[i] = i >= nin || in[i];
    KQ_TRY(keep(o, p, kept, map));
    for (uint32_t i = 0; i < nsteps; i++)
        if (steps[i].capture) steps[i].column = map[steps[i].column];
    p->u.parse.steps = steps;
    return KQ_OK;
}

/* What keeps all its columns. */
static kq_status prune_nothing(kq_optimizer *o, kq_plan *p, uint32_t *map) {
    for (uint32_t i = 0; i < p->out.n; i++) map[i] = i;
    if (!p->input) return KQ_OK;
    uint32_t *below;
    bool *all = flags(o, p->input->out.n);
    if (!all) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < p->input->out.n; i++) all[i] = true;
    return exact(o, &p->input, all, &below);
}

static kq_status prune(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t **map) {
    switch (p->kind) {
    case KQ_PLAN_SCAN: return prune_scan(o, p, need, *map);
    case KQ_PLAN_VALUES: return prune_values(o, p, need, *map);
    case KQ_PLAN_FILTER: return prune_filter(o, p, need, map);
    case KQ_PLAN_PROJECT: return prune_project(o, p, need, *map);
    case KQ_PLAN_AGGREGATE: return prune_aggregate(o, p, need, *map);
    case KQ_PLAN_SORT:
    case KQ_PLAN_TOP:
    case KQ_PLAN_TAKE: return prune_order(o, p, need, map);
    case KQ_PLAN_UNION: return prune_union(o, p, need, *map);
    case KQ_PLAN_JOIN: return prune_join(o, p, need, *map);
    case KQ_PLAN_EXPAND: return prune_expand(o, p, need, *map);
    case KQ_PLAN_PARSE: return prune_parse(o, p, need, *map);
    case KQ_PLAN_RANGE:
    case KQ_PLAN_MATERIALIZE:
    case KQ_PLAN_SERIES: break;
    }
    return prune_nothing(o, p, *map);
}

kq_status kq_optimize_prune(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t **map) {
    uint32_t width = p->out.n;
    const bool *wanted = need;
    *map = new_map(o, width);
    if (!*map) return kq_optimize_nomem(o);
    kq_shared *shared = kq_optimize_find(o, p);
    if (kq_is_shared(shared)) {
        if (shared->pruned) {
            for (uint32_t i = 0; i < width; i++) (*map)[i] = i;
            return KQ_OK;
        }
        shared->pruned = true;
        bool *all = flags(o, width);
        if (!all) return kq_optimize_nomem(o);
        for (uint32_t i = 0; i < width; i++) all[i] = true;
        wanted = all;
    }
    KQ_TRY(kq_optimize_enter(o, p));
    KQ_TRY(prune(o, p, wanted, map));
    o->depth--;
    return KQ_OK;
}
