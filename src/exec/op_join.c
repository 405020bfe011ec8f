/*
 * join: the right side in a hash table, the left side streamed past it. Null keys equal null, as Kusto joins them.
 *
 * The order of the rows: that of the left side, for each of its rows that of the right side; then what the right side
 * alone gives. It does not depend on which side was read first: a right side that turns out large is read again,
 * keeping only rows that meet a left side that is not.
 */
#include "exec/table.h"

#define LARGE_DEFAULT ((size_t)256 << 20) /* bytes of a side that is large; with a budget an eighth of it */

typedef struct join {
    kq_exec *x;
    const kq_plan *plan;
    kq_eval **left_keys, **right_keys;
    uint32_t nkeys;
    kq_type *key_types;
    kq_store *left; /* NULL: the left side streams */
    kq_table_index right;
    uint8_t *matched;            /* by right row; set without a lock: all writers write 1 */
    atomic_uint_least64_t *best; /* innerunique, by right row: the ordinal of the first left row of its keys */
    uint8_t *taken;              /* innerunique, by right row: its keys' left row is kept */
    size_t charged;
    kq_worker serial; /* scratch of what runs in order */
    bool left_out, right_out, pairs, mark;
    bool only_matched, only_unmatched; /* semi, anti of the left */
} join;

/* ---- output: pairs of a left row (of the chunk) and a right row (of the store), gathered */

typedef struct pairs {
    uint32_t n;
    uint16_t left[KQ_CHUNK_ROWS];
    uint64_t right[KQ_CHUNK_ROWS];
} pairs;

static kq_status gather(const join *j, kq_worker *w, const kq_chunk *chunk, const pairs *p, kq_vector *cols,
                        kq_error *err) {
    uint32_t nleft = j->plan->input->out.n;
    for (uint32_t c = 0; c < j->plan->out.n; c++) {
        kq_type type = j->plan->out.items[c].type;
        KQ_TRY(kq_vector_init(&cols[c], type, p->n, type != KQ_STRING, &w->arena, err));
        if (c < nleft)
            kq_vector_copy_rows(&cols[c], 0, &chunk->cols[c], p->left, p->n);
        else
            kq_rows_gather(&j->right.store->rows, c - nleft, p->right, p->n, &cols[c]);
        kq_vec_drop_nulls(&cols[c], p->n);
    }
    return KQ_OK;
}

static kq_status emit(const join *j, kq_op *next, kq_worker *w, const kq_chunk *chunk, pairs *p, kq_error *err) {
    if (!p->n) return KQ_OK;
    KQ_TRY(kq_exec_check(w->exec->env, err));
    kq_arena_mark mark = kq_arena_here(&w->arena);
    kq_vector *cols = kq_arena_array(&w->arena, kq_vector, j->plan->out.n + 1);
    if (!cols) return kq_arena_status(&w->arena, err);
    KQ_TRY(gather(j, w, chunk, p, cols, err));
    kq_chunk out = {.rows = p->n, .selected = p->n, .ncols = j->plan->out.n, .cols = cols};
    out.ordinal = (w->seq << 32) + w->made;
    w->made += p->n;
    p->n = 0;
    KQ_TRY(kq_op_push(next, w, &out, err));
    kq_arena_back(&w->arena, mark);
    return KQ_OK;
}

static kq_status add_pair(const join *j, kq_op *next, kq_worker *w, const kq_chunk *chunk, pairs *p, uint32_t left,
                          uint64_t right, kq_error *err) {
    p->left[p->n] = (uint16_t)left;
    p->right[p->n++] = right;
    return p->n == KQ_CHUNK_ROWS ? emit(j, next, w, chunk, p, err) : KQ_OK;
}

/* Marks the rows that have the keys of row r - 1, unless that is done already: work for each row once. */
static void mark_all(join *j, uint64_t r, const kq_probe *probe, uint32_t row, uint64_t hash) {
    if (__atomic_exchange_n(&j->matched[r - 1], 1, __ATOMIC_RELAXED)) return;
    while ((r = kq_table_index_find(&j->right, r, probe->keys, row, hash)))
        __atomic_store_n(&j->matched[r - 1], 1, __ATOMIC_RELAXED);
}

static kq_status join_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    join *j = op->state;
    kq_probe probe;
    uint32_t kept = 0;
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    pairs *p = kq_arena_alloc(&w->arena, sizeof *p);
    if (!sel || !p) return kq_arena_status(&w->arena, err);
    p->n = 0;
    KQ_TRY(kq_probe_init(&probe, j->left_keys, j->nkeys, w, chunk, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        uint64_t first = kq_table_index_find(&j->right, 0, probe.keys, row, probe.hashes[k]);
        if (first && j->mark) mark_all(j, first, &probe, row, probe.hashes[k]);
        if ((first && j->only_matched) || (!first && j->only_unmatched)) sel[kept++] = (uint16_t)row;
        for (uint64_t r = j->pairs ? first : 0; r;
             r = kq_table_index_find(&j->right, r, probe.keys, row, probe.hashes[k]))
            KQ_TRY(add_pair(j, op->next, w, chunk, p, row, r - 1, err));
        if (!first && j->left_out) KQ_TRY(add_pair(j, op->next, w, chunk, p, row, KQ_ROWS_NONE, err));
    }
    if (!j->only_matched && !j->only_unmatched) return emit(j, op->next, w, chunk, p, err);
    chunk->sel = sel;
    chunk->selected = kept;
    return kept ? kq_op_push(op->next, w, chunk, err) : KQ_OK;
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
    size_t bytes = (size_t)all * sizeof(uint64_t);
    if (!kq_budget_charge(j->x->env->budget, bytes)) return kq_budget_status(j->x->env->budget, err);
    uint64_t *order = kq_malloc(bytes);
    kq_op *op = next;
    kq_status status = order ? KQ_OK : kq_nomem(err);
    for (uint64_t r = 0; order && r < all; r++)
        if (j->matched[r] == matched) order[n++] = r;
    if (!status && pad && !(op = kq_op_create(j->x, j->plan, next, 0, err))) status = KQ_ERR_NOMEM;
    if (!status && pad) op->push = pad_push;
    if (!status) status = kq_store_flow(j->x, j->right.store, order, n, op, err);
    kq_free(order);
    kq_budget_release(j->x->env->budget, bytes);
    return status;
}

/* ---- innerunique: of the left side one row a key, the first. Only rows that meet the right side are kept at all. */

/* Any worker, any order: leaves out rows without a partner, and those that can't be the first of their keys. */
static kq_status unique_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    join *j = op->state;
    kq_probe probe;
    uint32_t kept = 0;
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    if (!sel) return kq_arena_status(&w->arena, err);
    KQ_TRY(kq_probe_init(&probe, j->left_keys, j->nkeys, w, chunk, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        uint64_t r = kq_table_index_find(&j->right, 0, probe.keys, row, probe.hashes[k]);
        if (!r) continue;
        uint64_t ordinal = chunk->ordinal + row, best = atomic_load_explicit(&j->best[r - 1], memory_order_relaxed);
        bool first = false;
        while (ordinal < best && !first)
            first = atomic_compare_exchange_weak_explicit(&j->best[r - 1], &best, ordinal, memory_order_relaxed,
                                                          memory_order_relaxed);
        if (first) sel[kept++] = (uint16_t)row;
    }
    if (!kept) return KQ_OK;
    chunk->sel = sel;
    chunk->selected = kept;
    return kq_op_push(op->next, w, chunk, err);
}

/* In order: the first row of its keys is kept. */
static kq_status unique_keep(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    join *j = ctx;
    kq_worker *w = &j->serial;
    kq_probe probe;
    uint32_t kept = 0;
    uint16_t sel[KQ_CHUNK_ROWS];
    kq_arena_reset(&w->arena);
    KQ_TRY(kq_probe_init(&probe, j->left_keys, j->nkeys, w, chunk, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        uint64_t r = kq_table_index_find(&j->right, 0, probe.keys, row, probe.hashes[k]);
        if (!r || j->taken[r - 1]) continue;
        j->taken[r - 1] = 1;
        sel[kept++] = (uint16_t)row;
    }
    kq_chunk out = *chunk;
    out.sel = sel;
    out.selected = kept;
    return kq_rows_append_chunk(&j->left->rows, &out, err);
}

static kq_status flow_from(join *j, kq_store *left, kq_op *op, kq_error *err) {
    if (!left) return kq_flow(j->x, j->plan->input, op, err);
    return kq_store_flow(j->x, left, NULL, left->rows.n, op, err);
}

static kq_status flow_unique(join *j, kq_op *op, kq_error *err) {
    const kq_columns *columns = &j->plan->input->out;
    kq_store *given = j->left;
    kq_consumer to = {.push = unique_keep, .ctx = j};
    kq_op *ordered = NULL;
    uint64_t n = j->right.store->rows.n;
    size_t bytes = (size_t)n * (sizeof *j->best + 1);
    if (!kq_budget_charge(j->x->env->budget, bytes)) return kq_budget_status(j->x->env->budget, err);
    j->charged += bytes;
    j->best = kq_malloc((n + 1) * sizeof *j->best);
    j->taken = kq_calloc(n + 1, 1);
    if (!j->best || !j->taken) return kq_nomem(err);
    for (uint64_t r = 0; r < n; r++) atomic_init(&j->best[r], UINT64_MAX);
    if (!(j->left = kq_store_create(j->x, columns, err))) return KQ_ERR_NOMEM;
    if (!(ordered = kq_ordered_create(j->x, columns, UINT64_MAX, &to, err))) return KQ_ERR_NOMEM;
    kq_op *unique = kq_op_create(j->x, j->plan, ordered, 0, err);
    kq_status status = KQ_ERR_NOMEM;
    if (unique) {
        unique->state = j;
        unique->push = unique_push;
        status = flow_from(j, given, unique, err);
    }
    kq_ordered_destroy(ordered);
    if (given) kq_store_empty(given);
    return status ? status : flow_from(j, j->left, op, err);
}

/* ---- reading the sides */

typedef struct bounded {
    kq_store *store;
    size_t most;
    bool large;
} bounded;

static kq_status bounded_push(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    bounded *b = ctx;
    KQ_TRY(kq_rows_append_chunk(&b->store->rows, chunk, err));
    *done = b->large = kq_rows_bytes(&b->store->rows) > b->most;
    return KQ_OK;
}

/* Runs `plan`, through `before` if given, into a store of at most `most` bytes; *out NULL: it is larger. */
static kq_status read_side(join *j, const kq_plan *plan, kq_op *before, size_t most, kq_store **out, kq_error *err) {
    bounded b = {kq_store_create(j->x, &plan->out, err), most, false};
    kq_consumer to = {.push = bounded_push, .ctx = &b};
    if (!b.store) return KQ_ERR_NOMEM;
    kq_op *ordered = kq_ordered_create(j->x, &plan->out, UINT64_MAX, &to, err), *op = ordered;
    if (!ordered) return KQ_ERR_NOMEM;
    if (before) {
        before->next = ordered;
        op = before;
    }
    kq_status status = kq_flow(j->x, plan, op, err);
    kq_ordered_destroy(ordered);
    *out = b.store;
    if (!status && b.large) {
        kq_store_empty(b.store);
        *out = NULL;
    }
    return status;
}

typedef struct meeting {
    kq_table_index left;
    kq_eval **keys;
} meeting;

static kq_status meeting_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    meeting *m = op->state;
    kq_probe probe;
    uint32_t kept = 0;
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    if (!sel) return kq_arena_status(&w->arena, err);
    KQ_TRY(kq_probe_init(&probe, m->keys, m->left.nkeys, w, chunk, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        if (kq_table_index_find(&m->left, 0, probe.keys, row, probe.hashes[k])) sel[kept++] = (uint16_t)row;
    }
    if (!kept) return KQ_OK;
    chunk->sel = sel;
    chunk->selected = kept;
    return kq_op_push(op->next, w, chunk, err);
}

/* The right side is large: if the left side is not, only what meets it is kept of the right side. */
static kq_status read_meeting(join *j, size_t most, kq_store **right, kq_error *err) {
    *right = NULL;
    if (j->right_out || j->plan->u.join.kind == KQ_JOIN_RIGHTANTI) return KQ_OK; /* all of it is needed */
    KQ_TRY(read_side(j, j->plan->input, NULL, most, &j->left, err));
    if (!j->left) return KQ_OK;
    kq_op *op = kq_op_create(j->x, j->plan, NULL, sizeof(meeting), err);
    if (!op) return KQ_ERR_NOMEM;
    meeting *m = op->state;
    op->push = meeting_push;
    m->keys = j->right_keys;
    kq_status status = kq_table_index_init(&m->left, j->x, j->left, j->left_keys, j->nkeys, j->key_types, err);
    if (!status) status = read_side(j, j->plan->u.join.right, op, SIZE_MAX, right, err);
    kq_table_index_deinit(&m->left);
    return status;
}

static kq_status read_right(join *j, kq_error *err) {
    const kq_plan *plan = j->plan->u.join.right;
    size_t limit = j->x->env->budget ? j->x->env->budget->limit : 0, most = limit ? limit / 8 : LARGE_DEFAULT;
    kq_store *right;
    KQ_TRY(read_side(j, plan, NULL, most, &right, err));
    if (!right) KQ_TRY(read_meeting(j, most, &right, err));
    if (!right) KQ_TRY(read_side(j, plan, NULL, SIZE_MAX, &right, err));
    KQ_TRY(kq_table_index_init(&j->right, j->x, right, j->right_keys, j->nkeys, j->key_types, err));
    if (!j->mark) return KQ_OK;
    size_t bytes = (size_t)right->rows.n;
    if (!kq_budget_charge(j->x->env->budget, bytes)) return kq_budget_status(j->x->env->budget, err);
    j->charged += bytes;
    j->matched = kq_calloc(bytes + 1, 1);
    return j->matched ? KQ_OK : kq_nomem(err);
}

static kq_status run(join *j, kq_op *op, kq_op *next, kq_error *err) {
    kq_join_kind kind = j->plan->u.join.kind;
    KQ_TRY(read_right(j, err));
    if (kind == KQ_JOIN_INNERUNIQUE)
        KQ_TRY(flow_unique(j, op, err));
    else
        KQ_TRY(flow_from(j, j->left, op, err));
    if (j->right_out) return right_rows(j, false, true, next, err);
    if (kind == KQ_JOIN_RIGHTSEMI) return right_rows(j, true, false, next, err);
    if (kind == KQ_JOIN_RIGHTANTI) return right_rows(j, false, false, next, err);
    return KQ_OK;
}

static kq_status prepare(join *j, kq_exec *x, const kq_plan *plan, kq_error *err) {
    kq_join_kind kind = plan->u.join.kind;
    uint32_t nkeys = plan->u.join.nkeys;
    *j = (join){.x = x,
                .plan = plan,
                .nkeys = nkeys,
                .left_out = kind == KQ_JOIN_LEFTOUTER || kind == KQ_JOIN_FULLOUTER,
                .right_out = kind == KQ_JOIN_RIGHTOUTER || kind == KQ_JOIN_FULLOUTER,
                .pairs = kind <= KQ_JOIN_FULLOUTER,
                .mark = kind == KQ_JOIN_RIGHTOUTER || kind == KQ_JOIN_FULLOUTER || kind == KQ_JOIN_RIGHTSEMI ||
                        kind == KQ_JOIN_RIGHTANTI,
                .only_matched = kind == KQ_JOIN_LEFTSEMI,
                .only_unmatched = kind == KQ_JOIN_LEFTANTI};
    KQ_TRY(kq_eval_create_all(x, plan->u.join.left_keys, nkeys, &j->left_keys, err));
    KQ_TRY(kq_eval_create_all(x, plan->u.join.right_keys, nkeys, &j->right_keys, err));
    j->key_types = kq_arena_array(&x->arena, kq_type, nkeys + 1);
    if (!j->key_types) return kq_arena_status(&x->arena, err);
    for (uint32_t k = 0; k < nkeys; k++) j->key_types[k] = plan->u.join.left_keys[k]->type;
    return KQ_OK;
}

kq_status kq_op_join(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, next, sizeof(join), err);
    if (!op) return KQ_ERR_NOMEM;
    join *j = op->state;
    op->push = join_push;
    KQ_TRY(prepare(j, x, plan, err));
    j->serial = (kq_worker){.exec = x};
    kq_arena_init(&j->serial.arena, x->env->budget, 0);
    kq_status status = run(j, op, next, err);
    if (j->right.store) kq_store_empty(j->right.store);
    if (j->left) kq_store_empty(j->left);
    kq_table_index_deinit(&j->right);
    kq_arena_deinit(&j->serial.arena);
    kq_free(j->matched);
    kq_free(j->best);
    kq_free(j->taken);
    kq_budget_release(x->env->budget, j->charged);
    return kq_exec_limit(x, status, "join", err);
}
