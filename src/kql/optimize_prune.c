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

/* A projection of `in`: column i of n, where it is needed, is column map[i] there; *map becomes where it is here. */
static kq_plan *pick(kq_optimizer *o, kq_plan *in, const bool *need, uint32_t n, uint32_t **map) {
    kq_plan *p = kq_arena_new(o->arena, kq_plan);
    uint32_t *out = new_map(o, n), k = 0;
    if (!p || !out || !kq_columns_alloc_n(o, &p->out, count(need, n))) return NULL;
    p->kind = KQ_PLAN_PROJECT;
    p->span = in->span;
    p->input = in;
    p->u.project.exprs = kq_arena_array(o->arena, kq_expr *, p->out.n + 1);
    if (!p->u.project.exprs) return NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (!need[i]) continue;
        const kq_column *c = &in->out.items[(*map)[i]];
        p->out.items[k] = *c;
        if (!(p->u.project.exprs[k] = kq_expr_column_of(o, (*map)[i], c->type, in->span))) return NULL;
        out[i] = k++;
    }
    *map = out;
    return p;
}

/* The input with exactly the needed columns: operators that keep or compare whole rows want no more. */
static kq_status exact(kq_optimizer *o, kq_plan **slot, const bool *need, uint32_t **map) {
    uint32_t n = (*slot)->out.n, wanted = count(need, n);
    KQ_TRY(kq_optimize_prune(o, slot, need, map));
    if ((*slot)->out.n == wanted) return KQ_OK;
    *slot = pick(o, *slot, need, n, map);
    return *slot ? KQ_OK : kq_optimize_nomem(o);
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
    KQ_TRY(kq_optimize_prune(o, &p->input, in, map));
    p->out = p->input->out;
    return remap(o, &p->u.filter.predicate, 1, *map);
}

enum { MERGED_DEPTH = 50 };

/* Counts the references to each column, up to 2, and gives the height. */
static unsigned uses_of(const kq_expr *e, uint8_t *uses) {
    unsigned height = 0;
    if (e->kind == KQ_EXPR_COLUMN && uses[e->column] < 2) uses[e->column]++;
    for (uint32_t i = 0; e->kind == KQ_EXPR_CALL && i < e->nargs; i++) {
        unsigned h = uses_of(e->args[i], uses);
        if (h > height) height = h;
    }
    return height + 1;
}

static unsigned height_of(const kq_expr *e, unsigned limit) {
    unsigned height = 0;
    for (uint32_t i = 0; limit && e->kind == KQ_EXPR_CALL && i < e->nargs; i++) {
        unsigned h = height_of(e->args[i], limit - 1);
        if (h > height) height = h;
    }
    return height + 1;
}

/* Picks are found and renumbered when the shared node below is pruned: they stay. */
static bool is_pick(kq_optimizer *o, const kq_plan *p) {
    return kq_is_shared(kq_optimize_find(o, p->input));
}

/* A projection of a projection is one, when nothing would be computed twice. */
static kq_status merge_projects(kq_optimizer *o, kq_plan *p) {
    kq_plan *in = p->input;
    if (in->kind != KQ_PLAN_PROJECT || kq_is_shared(kq_optimize_find(o, in)) || is_pick(o, in)) return KQ_OK;
    uint8_t *uses = kq_arena_array(o->arena, uint8_t, in->out.n + 1);
    if (!uses) return kq_optimize_nomem(o);
    unsigned height = 0;
    for (uint32_t i = 0; i < p->out.n; i++) {
        unsigned h = uses_of(p->u.project.exprs[i], uses);
        if (h > height) height = h;
    }
    for (uint32_t i = 0; i < in->out.n; i++) {
        const kq_expr *e = in->u.project.exprs[i];
        if (e->kind == KQ_EXPR_COLUMN || e->kind == KQ_EXPR_CONST || uses[i] == 0) continue;
        if (uses[i] > 1 || height + height_of(e, MERGED_DEPTH) > MERGED_DEPTH) return KQ_OK;
    }
    for (uint32_t i = 0; i < p->out.n; i++)
        if (!(p->u.project.exprs[i] = kq_expr_substitute(o, p->u.project.exprs[i], in->u.project.exprs)))
            return kq_optimize_nomem(o);
    p->input = in->input;
    return KQ_OK;
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
    KQ_TRY(kq_optimize_prune(o, &p->input, in, &below));
    p->u.project.exprs = exprs;
    KQ_TRY(keep(o, p, need, map));
    KQ_TRY(remap(o, exprs, n, below));
    return merge_projects(o, p);
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
    KQ_TRY(kq_optimize_prune(o, &p->input, in, &below));
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
        KQ_TRY(kq_optimize_prune(o, &p->input, in, map));
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

/* Its value is the last column; the others are the input's. */
static kq_status prune_series(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t *map) {
    uint32_t width = p->out.n, nin = p->input->out.n, nargs = p->u.series.nargs, *below;
    bool *in = copy_need(o, need, nin, 0), *kept = flags(o, width);
    if (!in || !kept) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < nargs; i++)
        if (p->u.series.args[i]) kq_expr_mark(p->u.series.args[i], in);
    KQ_TRY(exact(o, &p->input, in, &below));
    KQ_TRY(remap(o, p->u.series.args, nargs, below));
    for (uint32_t i = 0; i < width; i++) kept[i] = i >= nin || in[i];
    return keep(o, p, kept, map);
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

/* Kept rows have a column at least, so that whoever keeps them need not count rows without any. */
static kq_status prune_materialize(kq_optimizer *o, kq_plan *p, const bool *need, uint32_t **map) {
    bool *in = copy_need(o, need, p->out.n, 0);
    if (!in) return kq_optimize_nomem(o);
    if (p->out.n && count(need, p->out.n) == 0) in[0] = true;
    KQ_TRY(exact(o, &p->input, in, map));
    p->out = p->input->out;
    return KQ_OK;
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
    case KQ_PLAN_MATERIALIZE: return prune_materialize(o, p, need, map);
    case KQ_PLAN_SERIES: return prune_series(o, p, need, *map);
    case KQ_PLAN_RANGE: break;
    }
    return prune_nothing(o, p, *map);
}

/* What a reader of a shared node needs is noted, and a projection put between the two. */
static kq_status read_shared(kq_optimizer *o, kq_shared *s, kq_plan **slot, const bool *need, uint32_t **map) {
    uint32_t width = (*slot)->out.n;
    kq_pick *note = kq_arena_new(o->arena, kq_pick);
    if (!note || (!s->need && !(s->need = flags(o, width)))) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < width; i++) {
        (*map)[i] = s->map ? s->map[i] : i;
        if (need[i] && s->map && s->map[i] == KQ_NO_COLUMN)
            return kq_fail_at(o->err, KQ_ERR_INTERNAL, (*slot)->span, "a column was pruned that is needed");
        s->need[i] |= need[i];
    }
    note->project = pick(o, *slot, need, width, map);
    if (!note->project) return kq_optimize_nomem(o);
    *slot = note->project;
    if (s->map) return KQ_OK;
    note->next = s->picks;
    s->picks = note;
    if (++s->seen != s->refs) return KQ_OK;
    kq_ready *ready = kq_arena_new(o->arena, kq_ready);
    if (!ready) return kq_optimize_nomem(o);
    *ready = (kq_ready){o->ready, s->plan};
    o->ready = ready;
    return KQ_OK;
}

kq_status kq_optimize_prune(kq_optimizer *o, kq_plan **slot, const bool *need, uint32_t **map) {
    *map = new_map(o, (*slot)->out.n);
    if (!*map) return kq_optimize_nomem(o);
    kq_shared *shared = kq_optimize_find(o, *slot);
    if (kq_is_shared(shared)) return read_shared(o, shared, slot, need, map);
    KQ_TRY(kq_optimize_enter(o, *slot));
    kq_plan *p = *slot;
    if (p->kind == KQ_PLAN_SERIES && !need[p->input->out.n]) { /* nobody asks for its value */
        uint32_t *below, n = p->input->out.n;
        *slot = p->input;
        KQ_TRY(kq_optimize_prune(o, slot, need, &below));
        memcpy(*map, below, n * sizeof *below);
    } else {
        KQ_TRY(prune(o, p, need, map));
    }
    o->depth--;
    return KQ_OK;
}

static kq_status prune_one(kq_optimizer *o, const kq_plan *plan, bool all) {
    kq_shared *s = kq_optimize_find(o, plan);
    kq_plan *p = (kq_plan *)plan;
    uint32_t width = p->out.n, *map = new_map(o, width);
    if (!map || s->map) return map ? KQ_OK : kq_optimize_nomem(o);
    for (uint32_t i = 0; all && i < width; i++) s->need[i] = true;
    KQ_TRY(prune(o, p, s->need, &map));
    s->map = map;
    for (const kq_pick *note = s->picks; note; note = note->next)
        KQ_TRY(remap(o, note->project->u.project.exprs, note->project->out.n, map));
    return KQ_OK;
}

kq_status kq_optimize_prune_shared(kq_optimizer *o) {
    for (bool more = true; more;) {
        while (o->ready) {
            const kq_plan *plan = o->ready->plan;
            o->ready = o->ready->next;
            KQ_TRY(prune_one(o, plan, false));
        }
        /* some readers went away with a branch that gives no rows: who waits for them keeps all columns */
        more = false;
        for (uint32_t i = 0; i < o->nslots && !o->ready; i++) {
            if (!o->slots[i].picks || o->slots[i].map) continue;
            KQ_TRY(prune_one(o, o->slots[i].plan, true));
            more = true;
        }
        more |= o->ready != NULL;
    }
    return KQ_OK;
}
