/* join: the right side in a hash table, the left side streamed past it. Null keys equal null, as Kusto joins them. */
#include "exec/operator.h"

typedef struct table {
    kq_store *store;
    kq_rows keys;
    uint64_t *hashes;
    uint64_t *next;  /* by row: the next row of the same hash, + 1 */
    uint64_t *slots; /* first row + 1 */
    uint64_t nslots;
    size_t charged;
} table;

typedef struct join {
    kq_exec *x;
    const kq_plan *plan;
    kq_eval **left_keys;
    kq_type *key_types;
    table right;
    uint8_t *matched; /* by right row; set without a lock: all writers write 1 */
    bool left_out, right_out, pairs, mark;
    bool only_matched, only_unmatched; /* semi, anti of the left */
} join;

static void table_deinit(table *t, kq_budget *budget) {
    kq_budget_release(budget, t->charged);
    kq_rows_deinit(&t->keys);
    kq_free(t->hashes);
    kq_free(t->next);
    kq_free(t->slots);
}

/* The keys of every row of the store, and a chain for each hash, rows ascending. */
static kq_status table_build(kq_exec *x, table *t, kq_eval *const *keys, uint32_t nkeys, const kq_type *types,
                             kq_error *err) {
    kq_worker *w = &x->workers[0];
    const kq_rows *rows = &t->store->rows;
    uint64_t n = rows->n;
    kq_rows_init(&t->keys, types, nkeys, x->env->budget);
    for (t->nslots = 64; t->nslots < 2 * n;) t->nslots *= 2;
    t->charged = (n * 2 + t->nslots) * sizeof(uint64_t);
    if (!kq_budget_charge(x->env->budget, t->charged)) {
        t->charged = 0;
        return kq_fail(err, KQ_ERR_LIMIT, "the memory limit of %zu MiB was reached in join",
                       x->env->budget->limit >> 20);
    }
    t->hashes = kq_malloc((n + 1) * sizeof *t->hashes);
    t->next = kq_calloc(n + 1, sizeof *t->next);
    t->slots = kq_calloc(t->nslots, sizeof *t->slots);
    if (!t->hashes || !t->next || !t->slots) return kq_nomem(err);
    for (size_t b = 0; b < rows->nblocks; b++) {
        kq_arena_reset(&w->arena);
        KQ_TRY(kq_exec_check(x->env, err));
        kq_vector *cols = kq_arena_array(&w->arena, kq_vector, rows->ncols + 1);
        const kq_vector **values = kq_arena_array(&w->arena, const kq_vector *, nkeys + 1);
        if (!cols || !values) return kq_arena_status(&w->arena, err);
        kq_chunk chunk = kq_rows_chunk(rows, b, cols);
        for (uint32_t k = 0; k < nkeys; k++) KQ_TRY(kq_eval_run(keys[k], w, &chunk, NULL, chunk.rows, &values[k], err));
        kq_keys_hash(values, nkeys, NULL, chunk.rows, t->hashes + (uint64_t)b * KQ_CHUNK_ROWS);
        KQ_TRY(kq_rows_append(&t->keys, values, NULL, chunk.rows, err));
    }
    for (uint64_t r = n; r-- > 0;) {
        uint64_t at = t->hashes[r] & (t->nslots - 1);
        t->next[r] = t->slots[at];
        t->slots[at] = r + 1;
    }
    return KQ_OK;
}

/* The next row after `r` (+1; 0 to begin) with these keys, +1, or 0. */
static uint64_t table_find(const table *t, uint64_t r, const kq_vector *const *keys, uint32_t nkeys, uint32_t row,
                           uint64_t hash) {
    for (r = r ? t->next[r - 1] : t->slots[hash & (t->nslots - 1)]; r; r = t->next[r - 1])
        if (t->hashes[r - 1] == hash &&
            kq_keys_same(keys, row, t->keys.blocks[(r - 1) / KQ_CHUNK_ROWS], kq_rows_index(r - 1), nkeys))
            break;
    return r;
}

/* ---- output: pairs of a left row (of the chunk) and a right row (of the store), gathered */

#define NONE UINT64_MAX

typedef struct pairs {
    uint32_t n;
    uint16_t left[KQ_CHUNK_ROWS];
    uint64_t right[KQ_CHUNK_ROWS];
} pairs;

static kq_status emit(const join *j, kq_op *next, kq_worker *w, const kq_chunk *chunk, pairs *p, kq_error *err) {
    const kq_plan *plan = j->plan;
    uint32_t nleft = plan->input->out.n, n = plan->out.n;
    if (!p->n) return KQ_OK;
    KQ_TRY(kq_exec_check(w->exec->env, err));
    kq_vector *cols = kq_arena_array(&w->arena, kq_vector, n + 1);
    if (!cols) return kq_arena_status(&w->arena, err);
    for (uint32_t c = 0; c < n; c++) {
        KQ_TRY(kq_vector_init(&cols[c], plan->out.items[c].type, p->n, true, &w->arena, err));
        bool string = cols[c].type == KQ_STRING;
        for (uint32_t i = 0; i < p->n; i++) {
            if (c < nleft) {
                kq_vector_copy(&cols[c], i, &chunk->cols[c], p->left[i]);
            } else if (p->right[i] == NONE) {
                if (!string) kq_vec_set_null(&cols[c], i);
            } else {
                kq_vector_copy(&cols[c], i, kq_rows_vector(&j->right.store->rows, p->right[i], c - nleft),
                               kq_rows_index(p->right[i]));
            }
        }
    }
    kq_chunk out = {.rows = p->n, .selected = p->n, .ncols = n, .cols = cols};
    out.ordinal = (w->seq << 32) + w->made;
    w->made += p->n;
    p->n = 0;
    return kq_op_push(next, w, &out, err);
}

static kq_status join_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    join *j = op->state;
    uint32_t nkeys = j->plan->u.join.nkeys, kept = 0;
    const kq_vector **keys = kq_arena_array(&w->arena, const kq_vector *, nkeys + 1);
    uint64_t *hashes = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *hashes);
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    pairs *p = kq_arena_alloc(&w->arena, sizeof *p);
    if (!keys || !hashes || !sel || !p) return kq_arena_status(&w->arena, err);
    p->n = 0;
    for (uint32_t k = 0; k < nkeys; k++)
        KQ_TRY(kq_eval_run(j->left_keys[k], w, chunk, chunk->sel, chunk->selected, &keys[k], err));
    kq_keys_hash(keys, nkeys, chunk->sel, chunk->selected, hashes);
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        bool any = false;
        for (uint64_t r = 0; (r = table_find(&j->right, r, keys, nkeys, row, hashes[k]));) {
            any = true;
            if (j->mark) __atomic_store_n(&j->matched[r - 1], 1, __ATOMIC_RELAXED);
            if (!j->pairs && !j->mark) break;
            if (!j->pairs) continue;
            p->left[p->n] = (uint16_t)row;
            p->right[p->n++] = r - 1;
            if (p->n == KQ_CHUNK_ROWS) KQ_TRY(emit(j, op->next, w, chunk, p, err));
        }
        if ((any && j->only_matched) || (!any && j->only_unmatched)) sel[kept++] = (uint16_t)row;
        if (any || !j->left_out) continue;
        p->left[p->n] = (uint16_t)row;
        p->right[p->n++] = NONE;
        if (p->n == KQ_CHUNK_ROWS) KQ_TRY(emit(j, op->next, w, chunk, p, err));
    }
    if (j->only_matched || j->only_unmatched) {
        chunk->sel = sel;
        chunk->selected = kept;
        return kept ? kq_op_push(op->next, w, chunk, err) : KQ_OK;
    }
    return emit(j, op->next, w, chunk, p, err);
}

/* ---- rows of the right side alone: unmatched ones of the outer kinds, and rightsemi, rightanti */

static kq_status pad_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    uint32_t nleft = op->plan->input->out.n, n = op->plan->out.n;
    kq_vector *cols = kq_arena_array(&w->arena, kq_vector, n + 1);
    if (!cols) return kq_arena_status(&w->arena, err);
    for (uint32_t c = 0; c < n; c++) {
        if (c >= nleft) {
            cols[c] = chunk->cols[c - nleft];
            continue;
        }
        KQ_TRY(kq_vector_init(&cols[c], op->plan->out.items[c].type, 1, true, &w->arena, err));
        cols[c].constant = true;
        if (cols[c].type != KQ_STRING) kq_vec_set_null(&cols[c], 0);
    }
    kq_chunk out = *chunk;
    out.cols = cols;
    out.ncols = n;
    return kq_op_push(op->next, w, &out, err);
}

static kq_status right_rows(join *j, bool matched, bool pad, kq_op *next, kq_error *err) {
    uint64_t n = 0, all = j->right.store->rows.n;
    uint64_t *order = kq_malloc((all + 1) * sizeof *order);
    if (!order) return kq_nomem(err);
    for (uint64_t r = 0; r < all; r++)
        if (j->matched[r] == matched) order[n++] = r;
    kq_op *op = next;
    kq_status status = KQ_OK;
    if (pad && !(op = kq_op_create(j->x, j->plan, next, 0, err))) status = KQ_ERR_NOMEM;
    if (pad && op) op->push = pad_push;
    if (!status) status = kq_store_flow(j->x, j->right.store, order, n, op, err);
    kq_free(order);
    return status;
}

/* ---- innerunique: of the left side one row a key, the first */

static kq_status first_of_each(join *j, kq_store *left, uint64_t **order, uint64_t *n, kq_error *err) {
    table t = {.store = left};
    uint32_t nkeys = j->plan->u.join.nkeys;
    kq_status status = table_build(j->x, &t, j->left_keys, nkeys, j->key_types, err);
    uint64_t *rows = kq_malloc((left->rows.n + 1) * sizeof *rows);
    if (!status && !rows) status = kq_nomem(err);
    const kq_vector **keys = kq_arena_array(&j->x->arena, const kq_vector *, nkeys + 1);
    if (!status && !keys) status = kq_arena_status(&j->x->arena, err);
    *n = 0;
    for (uint64_t r = 0; r < left->rows.n && !status; r++) {
        for (uint32_t k = 0; k < nkeys; k++) keys[k] = kq_rows_vector(&t.keys, r, k);
        if (table_find(&t, 0, keys, nkeys, kq_rows_index(r), t.hashes[r]) == r + 1) rows[(*n)++] = r;
    }
    *order = rows;
    table_deinit(&t, j->x->env->budget);
    return status;
}

static kq_status flow_left(join *j, kq_op *op, kq_error *err) {
    if (j->plan->u.join.kind != KQ_JOIN_INNERUNIQUE) return kq_flow(j->x, j->plan->input, op, err);
    kq_store *left;
    uint64_t *order = NULL, n = 0;
    KQ_TRY(kq_flow_store(j->x, j->plan->input, UINT64_MAX, &left, err));
    kq_status status = first_of_each(j, left, &order, &n, err);
    if (!status) status = kq_store_flow(j->x, left, order, n, op, err);
    kq_free(order);
    kq_store_empty(left);
    return status;
}

kq_status kq_op_join(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, next, sizeof(join), err);
    if (!op) return KQ_ERR_NOMEM;
    join *j = op->state;
    kq_join_kind kind = plan->u.join.kind;
    uint32_t nkeys = plan->u.join.nkeys;
    kq_eval **right_keys;
    *j = (join){.x = x,
                .plan = plan,
                .left_out = kind == KQ_JOIN_LEFTOUTER || kind == KQ_JOIN_FULLOUTER,
                .right_out = kind == KQ_JOIN_RIGHTOUTER || kind == KQ_JOIN_FULLOUTER,
                .pairs = kind <= KQ_JOIN_FULLOUTER,
                .mark = kind == KQ_JOIN_RIGHTOUTER || kind == KQ_JOIN_FULLOUTER || kind == KQ_JOIN_RIGHTSEMI ||
                        kind == KQ_JOIN_RIGHTANTI,
                .only_matched = kind == KQ_JOIN_LEFTSEMI,
                .only_unmatched = kind == KQ_JOIN_LEFTANTI};
    op->push = join_push;
    KQ_TRY(kq_flow_store(x, plan->u.join.right, UINT64_MAX, &j->right.store, err));
    KQ_TRY(kq_eval_create_all(x, plan->u.join.left_keys, nkeys, &j->left_keys, err));
    KQ_TRY(kq_eval_create_all(x, plan->u.join.right_keys, nkeys, &right_keys, err));
    j->key_types = kq_arena_array(&x->arena, kq_type, nkeys + 1);
    if (!j->key_types) return kq_arena_status(&x->arena, err);
    for (uint32_t k = 0; k < nkeys; k++) j->key_types[k] = plan->u.join.left_keys[k]->type;
    kq_status status = table_build(x, &j->right, right_keys, nkeys, j->key_types, err);
    j->matched = status ? NULL : kq_calloc(j->right.store->rows.n + 1, 1);
    if (!status && !j->matched) status = kq_nomem(err);
    if (!status) status = flow_left(j, op, err);
    if (!status && j->right_out) status = right_rows(j, false, true, next, err);
    if (!status && kind == KQ_JOIN_RIGHTSEMI) status = right_rows(j, true, false, next, err);
    if (!status && kind == KQ_JOIN_RIGHTANTI) status = right_rows(j, false, false, next, err);
    table_deinit(&j->right, x->env->budget);
    kq_free(j->matched);
    kq_store_empty(j->right.store);
    return status;
}
