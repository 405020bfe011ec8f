#include "exec/table.h"

void kq_table_index_deinit(kq_table_index *t) {
    kq_budget_release(t->budget, t->charged);
    kq_rows_deinit(&t->keys);
    kq_free(t->hashes);
    kq_free(t->next);
    kq_free(t->slots);
    t->hashes = t->next = t->slots = NULL;
    t->charged = 0;
}

kq_status kq_probe_init(kq_probe *p, kq_eval *const *keys, uint32_t nkeys, kq_worker *w, const kq_chunk *chunk,
                        kq_error *err) {
    p->keys = kq_arena_array(&w->arena, const kq_vector *, nkeys + 1);
    p->hashes = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *p->hashes);
    if (!p->keys || !p->hashes) return kq_arena_status(&w->arena, err);
    for (uint32_t k = 0; k < nkeys; k++)
        KQ_TRY(kq_eval_run(keys[k], w, chunk, chunk->sel, chunk->selected, &p->keys[k], err));
    kq_keys_hash(p->keys, nkeys, chunk->sel, chunk->selected, p->hashes);
    return KQ_OK;
}

static kq_status compute_keys(kq_table_index *t, kq_exec *x, kq_eval *const *keys, kq_error *err) {
    const kq_rows *rows = &t->store->rows;
    kq_worker *w = &x->workers[0];
    for (size_t b = 0; b < rows->nblocks; b++) {
        kq_probe p;
        kq_arena_reset(&w->arena);
        KQ_TRY(kq_exec_check(x->env, err));
        kq_vector *cols = kq_arena_array(&w->arena, kq_vector, rows->ncols + 1);
        if (!cols) return kq_arena_status(&w->arena, err);
        kq_chunk chunk = kq_rows_chunk(rows, b, cols);
        KQ_TRY(kq_probe_init(&p, keys, t->nkeys, w, &chunk, err));
        memcpy(t->hashes + (uint64_t)b * KQ_CHUNK_ROWS, p.hashes, chunk.rows * sizeof *t->hashes);
        KQ_TRY(kq_rows_append(&t->keys, p.keys, NULL, chunk.rows, err));
    }
    return KQ_OK;
}

kq_status kq_table_index_init(kq_table_index *t, kq_exec *x, kq_store *store, kq_eval *const *keys, uint32_t nkeys,
                              const kq_type *types, kq_error *err) {
    uint64_t n = store->rows.n;
    *t = (kq_table_index){.store = store, .nkeys = nkeys, .budget = x->env->budget, .nslots = 64};
    kq_rows_init(&t->keys, types, nkeys, x->env->budget);
    while (t->nslots < 2 * n) t->nslots *= 2;
    size_t bytes = (size_t)(n * 2 + t->nslots) * sizeof(uint64_t);
    if (!kq_budget_charge(t->budget, bytes)) return kq_budget_status(t->budget, err);
    t->charged = bytes;
    t->hashes = kq_malloc((n + 1) * sizeof *t->hashes);
    t->next = kq_calloc(n + 1, sizeof *t->next);
    t->slots = kq_calloc(t->nslots, sizeof *t->slots);
    if (!t->hashes || !t->next || !t->slots) return kq_nomem(err);
    KQ_TRY(compute_keys(t, x, keys, err));
    for (uint64_t r = n; r-- > 0;) { /* from the last, so that chains ascend */
        uint64_t at = t->hashes[r] & (t->nslots - 1);
        t->next[r] = t->slots[at];
        t->slots[at] = r + 1;
    }
    return KQ_OK;
}
