#include "kql/optimize.h"

kq_status kq_optimize_nomem(kq_optimizer *o) {
    kq_status st = kq_arena_status(o->arena, o->err);
    return st == KQ_OK ? kq_nomem(o->err) : st;
}

kq_status kq_optimize_enter(kq_optimizer *o, const kq_plan *p) {
    if (o->depth >= KQ_OPTIMIZE_DEPTH)
        return kq_fail_at(o->err, KQ_ERR_LIMIT, p->span, "the query nests more than %d operators", KQ_OPTIMIZE_DEPTH);
    o->depth++;
    return KQ_OK;
}

/* ---- who refers to what ---- */

static uint32_t slot_of(const kq_optimizer *o, const kq_plan *plan) {
    uint64_t h = (uint64_t)(uintptr_t)plan * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t i = (uint32_t)(h >> 32) & (o->nslots - 1);
    while (o->slots[i].plan && o->slots[i].plan != plan) i = (i + 1) & (o->nslots - 1);
    return i;
}

kq_shared *kq_optimize_find(kq_optimizer *o, const kq_plan *plan) {
    if (o->nslots == 0) return NULL;
    kq_shared *s = &o->slots[slot_of(o, plan)];
    return s->plan ? s : NULL;
}

kq_shared *kq_optimize_add(kq_optimizer *o, const kq_plan *plan) {
    if (o->nused * 2 >= o->nslots) {
        kq_optimizer old = *o;
        o->nslots = old.nslots ? old.nslots * 2 : 64;
        o->slots = kq_arena_array(o->arena, kq_shared, o->nslots);
        if (!o->slots) return NULL;
        for (uint32_t i = 0; i < old.nslots; i++)
            if (old.slots[i].plan) o->slots[slot_of(o, old.slots[i].plan)] = old.slots[i];
    }
    kq_shared *s = &o->slots[slot_of(o, plan)];
    if (!s->plan) {
        s->plan = plan;
        o->nused++;
    }
    return s;
}

static kq_status count(kq_optimizer *o, kq_plan *plan);

static kq_status count_subqueries(void *ctx, kq_expr **slot) {
    kq_expr *e = *slot;
    if (e->kind == KQ_EXPR_SUBQUERY) return count(ctx, e->subquery);
    if (e->kind != KQ_EXPR_CALL) return KQ_OK;
    for (uint32_t i = 0; i < e->nargs; i++) KQ_TRY(count_subqueries(ctx, &e->args[i]));
    return KQ_OK;
}

static kq_status count(kq_optimizer *o, kq_plan *plan) {
    kq_shared *s = kq_optimize_add(o, plan);
    if (!s) return kq_optimize_nomem(o);
    if (s->refs++ > 0) return KQ_OK;
    KQ_TRY(kq_optimize_enter(o, plan));
    if (plan->input) KQ_TRY(count(o, plan->input));
    if (plan->kind == KQ_PLAN_JOIN) KQ_TRY(count(o, plan->u.join.right));
    if (plan->kind == KQ_PLAN_UNION)
        for (uint32_t i = 0; i < plan->u.unions.n; i++) KQ_TRY(count(o, plan->u.unions.inputs[i]));
    KQ_TRY(kq_plan_exprs(plan, count_subqueries, o));
    o->depth--;
    return KQ_OK;
}

/* ---- the whole ---- */

kq_status kq_optimize_plan(kq_optimizer *o, kq_plan **plan, bool first_only) {
    kq_conjuncts none = {NULL, 0};
    KQ_TRY(kq_optimize_push(o, *plan, none, plan));
    uint32_t n = (*plan)->out.n, *map;
    bool *need = kq_arena_array(o->arena, bool, n + 1);
    if (!need) return kq_optimize_nomem(o);
    for (uint32_t i = 0; i < n; i++) need[i] = !first_only || i == 0;
    /* the result has the columns of the query, in their order; pruning keeps those that are needed so */
    return kq_optimize_prune(o, plan, need, &map);
}

kq_status kq_optimize_subqueries(void *optimizer, kq_expr **slot) {
    kq_optimizer *o = optimizer;
    kq_expr *e = *slot;
    if (e->kind == KQ_EXPR_CALL)
        for (uint32_t i = 0; i < e->nargs; i++) KQ_TRY(kq_optimize_subqueries(o, &e->args[i]));
    if (e->kind != KQ_EXPR_SUBQUERY) return KQ_OK;
    kq_plan *before = e->subquery, *after = before;
    const kq_shared *known = kq_optimize_find(o, before);
    if (known && known->subquery) { /* a copy of an expression that is done */
        e->subquery = known->subquery;
        return KQ_OK;
    }
    KQ_TRY(kq_optimize_plan(o, &after, true));
    e->subquery = after;
    kq_plan *const both[2] = {before, after};
    for (int i = 0; i < 2; i++) {
        kq_shared *s = kq_optimize_add(o, both[i]);
        if (!s) return kq_optimize_nomem(o);
        s->subquery = after;
    }
    return KQ_OK;
}

kq_status kq_optimize(kq_query *query, kq_arena *arena, kq_error *err) {
    kq_type types[2] = {KQ_BOOL, KQ_BOOL}, want[2], result;
    kq_optimizer o = {.arena = arena, .err = err};
    KQ_TRY(kq_scalar_resolve(KQ_SV("and"), types, NULL, 2, &o.conjunction, want, &result, err));
    KQ_TRY(count(&o, query->plan));
    kq_status status = kq_optimize_plan(&o, &query->plan, false);
    if (!status) status = kq_optimize_prune_shared(&o);
    kq_cleanup_run(&o.cleanups);
    return status;
}
