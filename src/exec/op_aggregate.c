/* summarize, distinct, count: groups in a hash table of each worker, combined at the end, in order of first occurrence.
 */
#include "exec/operator.h"
#include <stdlib.h>

#define WHERE "summarize or distinct"

typedef struct groups {
    kq_arena arena;           /* states, and what they point to */
    kq_rows keys;             /* one row a group */
    uint64_t *hashes, *first; /* by group: hash of its keys, ordinal of its first row */
    char **states;            /* by group: the states of all aggregates, one after another */
    uint32_t n, cap;
    uint32_t *slots; /* open addressing: group + 1, 0 is free */
    uint32_t nslots;
} groups;

typedef struct agg {
    kq_exec *x;
    const kq_plan *plan;
    kq_eval **by;
    kq_eval ***args; /* by aggregate */
    kq_type **arg_types;
    size_t *offsets, size; /* of each state in a group's block */
    kq_type *key_types;
} agg;

static groups *groups_create(agg *a, kq_error *err) {
    groups *g = kq_calloc(1, sizeof *g);
    if (!g) {
        kq_status status = kq_nomem(err);
        (void)status;
        return NULL;
    }
    kq_arena_init(&g->arena, a->x->env->budget, 0);
    kq_rows_init(&g->keys, a->key_types, a->plan->u.aggregate.nby, a->x->env->budget);
    return g;
}

static void groups_destroy(groups *g, kq_budget *budget) {
    if (!g) return;
    kq_budget_release(budget, (size_t)g->cap * 24 + (size_t)g->nslots * 4);
    kq_arena_deinit(&g->arena);
    kq_rows_deinit(&g->keys);
    kq_free(g->hashes);
    kq_free(g->first);
    kq_free(g->states);
    kq_free(g->slots);
    kq_free(g);
}

static kq_status groups_grow(agg *a, groups *g, kq_error *err) {
    uint32_t cap = g->cap ? 2 * g->cap : 64, nslots = 2 * cap;
    if (!kq_budget_charge(a->x->env->budget, (size_t)(cap - g->cap) * 24 + (size_t)(nslots - g->nslots) * 4))
        return kq_budget_status(a->x->env->budget, err);
    uint64_t *hashes = kq_realloc(g->hashes, cap * sizeof *hashes);
    if (hashes) g->hashes = hashes;
    uint64_t *first = kq_realloc(g->first, cap * sizeof *first);
    if (first) g->first = first;
    char **states = kq_realloc(g->states, cap * sizeof *states);
    if (states) g->states = states;
    uint32_t *slots = kq_calloc(nslots, sizeof *slots);
    if (!hashes || !first || !states || !slots) {
        kq_budget_release(a->x->env->budget, (size_t)(cap - g->cap) * 24 + (size_t)(nslots - g->nslots) * 4);
        kq_free(slots);
        return kq_nomem(err);
    }
    kq_free(g->slots);
    g->slots = slots;
    g->cap = cap;
    g->nslots = nslots;
    for (uint32_t i = 0; i < g->n; i++) {
        uint32_t at = (uint32_t)g->hashes[i] & (nslots - 1);
        while (slots[at]) at = (at + 1) & (nslots - 1);
        slots[at] = i + 1;
    }
    return KQ_OK;
}

/* The group of row `row` of the key vectors, made if it is new. */
static kq_status find(agg *a, groups *g, const kq_vector *const *keys, uint32_t row, uint64_t hash, uint64_t ordinal,
                      uint32_t *group, kq_error *err) {
    uint32_t nby = a->plan->u.aggregate.nby;
    if (g->n == g->cap) KQ_TRY(groups_grow(a, g, err));
    uint32_t at = (uint32_t)hash & (g->nslots - 1);
    for (; g->slots[at]; at = (at + 1) & (g->nslots - 1)) {
        uint32_t i = g->slots[at] - 1;
        if (g->hashes[i] == hash &&
            (!nby || kq_keys_same(keys, row, g->keys.blocks[i / KQ_CHUNK_ROWS], i % KQ_CHUNK_ROWS, nby))) {
            if (ordinal < g->first[i]) g->first[i] = ordinal;
            *group = i;
            return KQ_OK;
        }
    }
    uint16_t one = (uint16_t)row;
    KQ_TRY(kq_rows_append(&g->keys, keys, &one, 1, err));
    char *state = kq_arena_calloc(&g->arena, 1, a->size ? a->size : 8);
    if (!state) return kq_budget_status(a->x->env->budget, err);
    g->slots[at] = g->n + 1;
    g->hashes[g->n] = hash;
    g->first[g->n] = ordinal;
    g->states[g->n] = state;
    *group = g->n++;
    return KQ_OK;
}

static kq_status update(agg *a, groups *g, kq_worker *w, const kq_chunk *chunk, const uint32_t *group, kq_error *err) {
    uint32_t n = chunk->selected;
    void **states = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *states);
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    if (!states || !sel) return kq_arena_status(&w->arena, err);
    for (uint32_t i = 0; i < a->plan->u.aggregate.naggs; i++) {
        const kq_agg_item *item = &a->plan->u.aggregate.aggs[i];
        const kq_vector **args = kq_arena_array(&w->arena, const kq_vector *, item->nargs + 1);
        if (!args) return kq_arena_status(&w->arena, err);
        for (uint32_t k = 0; k < item->nargs; k++)
            KQ_TRY(kq_eval_run(a->args[i][k], w, chunk, chunk->sel, n, &args[k], err));
        kq_agg_call call = {.fn = item->fn,
                            .args = args,
                            .nargs = item->nargs,
                            .n = n,
                            .sel = chunk->sel,
                            .states = states,
                            .ordinal = chunk->ordinal,
                            .arena = &g->arena};
        if (item->nargs && !(item->fn->flags & KQ_AGG_NULLS_SEEN) && args[0]->nulls) {
            call.n = 0;
            for (uint32_t k = 0; k < n; k++) {
                uint32_t row = kq_chunk_row(chunk, k);
                if (kq_vec_is_null(args[0], row)) continue;
                states[call.n] = g->states[group[k]] + a->offsets[i];
                sel[call.n++] = (uint16_t)row;
            }
            call.sel = sel;
        } else {
            for (uint32_t k = 0; k < n; k++) states[k] = g->states[group[k]] + a->offsets[i];
        }
        if (call.n) KQ_TRY(item->fn->update(&call, err));
    }
    return KQ_OK;
}

static kq_status add_chunk(agg *a, groups *g, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    uint32_t nby = a->plan->u.aggregate.nby, n = chunk->selected;
    const kq_vector **keys = kq_arena_array(&w->arena, const kq_vector *, nby + 1);
    uint64_t *hashes = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *hashes);
    uint32_t *group = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *group);
    if (!keys || !hashes || !group) return kq_arena_status(&w->arena, err);
    for (uint32_t i = 0; i < nby; i++) KQ_TRY(kq_eval_run(a->by[i], w, chunk, chunk->sel, n, &keys[i], err));
    kq_keys_hash(keys, nby, chunk->sel, n, hashes);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        if (!nby && k) { /* one group for all */
            group[k] = group[0];
            continue;
        }
        KQ_TRY(find(a, g, keys, row, hashes[k], chunk->ordinal + row, &group[k], err));
    }
    return update(a, g, w, chunk, group, err);
}

static kq_status aggregate_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    agg *a = op->state;
    if (!chunk->selected) return KQ_OK;
    if (!op->locals[w->id] && !(op->locals[w->id] = groups_create(a, err))) return KQ_ERR_NOMEM;
    return kq_exec_limit(a->x, add_chunk(a, op->locals[w->id], w, chunk, err), WHERE, err);
}

/* Adds the groups of `from` to `into`, in the order that `from` met them. */
static kq_status combine(agg *a, groups *into, groups *from, kq_error *err) {
    uint32_t nby = a->plan->u.aggregate.nby;
    const kq_vector **keys = kq_arena_array(&a->x->arena, const kq_vector *, nby + 1);
    if (!keys) return kq_arena_status(&a->x->arena, err);
    for (uint32_t i = 0; i < from->n; i++) {
        uint32_t group;
        if (i % 4096 == 0) KQ_TRY(kq_exec_check(a->x->env, err));
        for (uint32_t c = 0; c < nby; c++) keys[c] = kq_rows_vector(&from->keys, i, c);
        KQ_TRY(find(a, into, keys, i % KQ_CHUNK_ROWS, from->hashes[i], from->first[i], &group, err));
        for (uint32_t k = 0; k < a->plan->u.aggregate.naggs; k++) {
            const kq_agg_item *item = &a->plan->u.aggregate.aggs[k];
            kq_agg_env env = {item->fn, a->arg_types[k], item->nargs, &into->arena};
            KQ_TRY(item->fn->combine(&env, into->states[group] + a->offsets[k], from->states[i] + a->offsets[k], err));
        }
    }
    return KQ_OK;
}

typedef struct place {
    uint64_t first;
    uint32_t group;
} place;

static int by_first(const void *x, const void *y) {
    const place *a = x, *b = y;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a->group < b->group ? -1 : a->group > b->group;
}

/* One row of results in the store. */
static kq_status finish_group(agg *a, groups *g, uint32_t group, kq_store *store, kq_vector *cells,
                              const kq_vector *const *row, kq_value *values, kq_error *err) {
    uint32_t at = 0;
    for (; at < a->plan->u.aggregate.nby; at++) {
        cells[at].nulls[0] = 0;
        kq_vector_copy(&cells[at], 0, kq_rows_vector(&g->keys, group, at), group % KQ_CHUNK_ROWS);
    }
    for (uint32_t k = 0; k < a->plan->u.aggregate.naggs; k++) {
        const kq_agg_item *item = &a->plan->u.aggregate.aggs[k];
        kq_agg_env env = {item->fn, a->arg_types[k], item->nargs, &g->arena};
        KQ_TRY(item->fn->finish(&env, g->states[group] + a->offsets[k], values, err));
        for (uint32_t o = 0; o < item->nout; o++, at++) {
            bool null = values[o].null && cells[at].type != KQ_STRING;
            cells[at].nulls[0] = null;
            if (!null) kq_vector_set(&cells[at], 0, &values[o]);
            if (null && cells[at].type == KQ_DYNAMIC) kq_vec_str(&cells[at])[0] = (kq_str){0};
        }
    }
    return kq_rows_append(&store->rows, row, NULL, 1, err);
}

static kq_status finish(agg *a, groups *g, kq_store *store, kq_error *err) {
    kq_exec *x = a->x;
    uint32_t n = a->plan->out.n, most = 1;
    for (uint32_t k = 0; k < a->plan->u.aggregate.naggs; k++)
        if (a->plan->u.aggregate.aggs[k].nout > most) most = a->plan->u.aggregate.aggs[k].nout;
    kq_vector *cells = kq_arena_array(&x->arena, kq_vector, n + 1);
    const kq_vector **row = kq_arena_array(&x->arena, const kq_vector *, n + 1);
    kq_value *values = kq_arena_array(&x->arena, kq_value, most);
    if (!cells || !row || !values) return kq_arena_status(&x->arena, err);
    for (uint32_t c = 0; c < n; c++) {
        KQ_TRY(kq_vector_init(&cells[c], store->types[c], 1, true, &x->arena, err));
        row[c] = &cells[c];
    }
    place *order = kq_malloc((g->n + 1) * sizeof *order);
    if (!order) return kq_nomem(err);
    for (uint32_t i = 0; i < g->n; i++) order[i] = (place){g->first[i], i};
    qsort(order, g->n, sizeof *order, by_first);
    kq_status status = KQ_OK;
    for (uint32_t i = 0; i < g->n && !status; i++) {
        if (i % 4096 == 0) status = kq_exec_check(x->env, err);
        if (!status) status = finish_group(a, g, order[i].group, store, cells, row, values, err);
    }
    kq_free(order);
    return status;
}

static kq_status prepare(agg *a, kq_exec *x, const kq_plan *plan, kq_error *err) {
    uint32_t nby = plan->u.aggregate.nby, naggs = plan->u.aggregate.naggs;
    *a = (agg){.x = x, .plan = plan};
    KQ_TRY(kq_eval_create_all(x, plan->u.aggregate.by, nby, &a->by, err));
    a->args = kq_arena_array(&x->arena, kq_eval **, naggs + 1);
    a->arg_types = kq_arena_array(&x->arena, kq_type *, naggs + 1);
    a->offsets = kq_arena_array(&x->arena, size_t, naggs + 1);
    a->key_types = kq_arena_array(&x->arena, kq_type, nby + 1);
    if (!a->args || !a->arg_types || !a->offsets || !a->key_types) return kq_arena_status(&x->arena, err);
    for (uint32_t i = 0; i < nby; i++) a->key_types[i] = plan->u.aggregate.by[i]->type;
    for (uint32_t i = 0; i < naggs; i++) {
        const kq_agg_item *item = &plan->u.aggregate.aggs[i];
        KQ_TRY(kq_eval_create_all(x, item->args, item->nargs, &a->args[i], err));
        a->arg_types[i] = kq_arena_array(&x->arena, kq_type, item->nargs + 1);
        if (!a->arg_types[i]) return kq_arena_status(&x->arena, err);
        for (uint32_t t = 0; t < item->nargs; t++) a->arg_types[i][t] = item->args[t]->type;
        a->offsets[i] = a->size;
        a->size += (item->fn->state_size + 15) & ~(size_t)15;
    }
    return KQ_OK;
}

kq_status kq_op_aggregate(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, NULL, sizeof(agg), err);
    if (!op) return KQ_ERR_NOMEM;
    agg *a = op->state;
    groups *all = NULL;
    kq_store *store = NULL;
    op->push = aggregate_push;
    kq_status status = prepare(a, x, plan, err);
    if (!status) status = kq_exec_limit(x, kq_flow(x, plan->input, op, err), WHERE, err);
    if (status) goto out;
    for (unsigned i = 0; i < x->nworkers && !status; i++) {
        groups *g = op->locals[i];
        if (!g) continue;
        if (!all)
            all = g;
        else
            status = kq_exec_limit(x, combine(a, all, g, err), WHERE, err);
    }
    if (!status && !all) {
        uint32_t group;
        const kq_vector *none = NULL;
        op->locals[0] = all = groups_create(a, err);
        if (!all)
            status = KQ_ERR_NOMEM;
        else if (!plan->u.aggregate.nby && plan->u.aggregate.naggs)
            status = find(a, all, &none, 0, 0, 0, &group, err);
    }
    if (!status && !(store = kq_store_create(x, &plan->out, err))) status = KQ_ERR_NOMEM;
    if (!status) status = kq_exec_limit(x, finish(a, all, store, err), WHERE, err);
out:
    for (unsigned i = 0; i < x->nworkers; i++) groups_destroy(op->locals[i], x->env->budget);
    if (!status) status = kq_store_flow(x, store, NULL, store->rows.n, next, err);
    if (store) kq_store_empty(store);
    return status;
}
