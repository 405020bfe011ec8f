#include "kql/reach.h"

#define DEPTH_MAX 3000

static bool is_and(const kq_expr *e) {
    return e->kind == KQ_EXPR_CALL && e->nargs == 2 && strcmp(e->fn->name, "and") == 0;
}

static uint32_t count(const kq_expr *e, unsigned depth) {
    return is_and(e) && depth < DEPTH_MAX ? count(e->args[0], depth + 1) + count(e->args[1], depth + 1) : 1;
}

static void collect(kq_expr *e, kq_expr **out, uint32_t *n, unsigned depth) {
    if (is_and(e) && depth < DEPTH_MAX) {
        collect(e->args[0], out, n, depth + 1);
        collect(e->args[1], out, n, depth + 1);
    } else {
        out[(*n)++] = e;
    }
}

kq_status kq_reach_of(const kq_plan *p, kq_arena *arena, kq_reach *out, kq_error *err) {
    *out = (kq_reach){0};
    if (p->kind == KQ_PLAN_SCAN) out->scan = p;
    if (p->kind != KQ_PLAN_FILTER || p->input->kind != KQ_PLAN_SCAN) return KQ_OK;
    out->conjuncts = kq_arena_array(arena, kq_expr *, count(p->u.filter.predicate, 0));
    if (!out->conjuncts) return kq_arena_status(arena, err);
    out->scan = p->input;
    collect(p->u.filter.predicate, out->conjuncts, &out->n, 0);
    return KQ_OK;
}

typedef struct knowing {
    const kq_value *const *known;
    kq_arena *arena;
    kq_cleanup *cleanups;
    uint32_t column; /* the first known one met, or UINT32_MAX */
    kq_error *err;
} knowing;

/* A copy with the known columns put in and folded; NULL with status in *status. */
static kq_expr *put_in(knowing *k, const kq_expr *e, unsigned depth, kq_status *status) {
    kq_expr *copy = kq_arena_new(k->arena, kq_expr);
    if (!copy) {
        *status = kq_arena_status(k->arena, k->err);
        return NULL;
    }
    *copy = *e;
    if (e->kind == KQ_EXPR_COLUMN && k->known[e->column]) {
        copy->kind = KQ_EXPR_CONST;
        copy->value = *k->known[e->column];
        if (k->column == UINT32_MAX) k->column = e->column;
    }
    if (e->kind != KQ_EXPR_CALL || depth > DEPTH_MAX) return copy;
    copy->args = kq_arena_array(k->arena, kq_expr *, e->nargs + 1);
    if (!copy->args) {
        *status = kq_arena_status(k->arena, k->err);
        return NULL;
    }
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!(copy->args[i] = put_in(k, e->args[i], depth + 1, status))) return NULL;
    *status = kq_fold_call(copy, k->arena, &k->cleanups, k->err);
    return *status ? NULL : copy;
}

kq_status kq_reach_possible(const kq_reach *r, const kq_value *const *known, kq_arena *arena, bool *possible,
                            uint32_t *column, kq_error *err) {
    knowing k = {.known = known, .arena = arena, .err = err};
    kq_status status = KQ_OK;
    *possible = true;
    for (uint32_t i = 0; i < r->n && *possible && !status; i++) {
        k.column = UINT32_MAX;
        const kq_expr *e = put_in(&k, r->conjuncts[i], 0, &status);
        if (!e || k.column == UINT32_MAX || e->kind != KQ_EXPR_CONST) continue;
        *possible = !e->value.null && e->value.u.b;
        *column = k.column;
    }
    kq_cleanup_run(&k.cleanups);
    return status;
}
