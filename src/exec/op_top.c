/*
 * top: every worker keeps its best rows. When it has many more than asked for it orders them and keeps the best; from
 * then on a row that is worse than all of those is not even copied.
 */
#include "exec/sort.h"

#define LEAST_ROWS 4096 /* kept before ordering pays */

typedef struct best {
    kq_rows rows; /* the input's columns, and the ordinal as the last one: the last key of the order */
    kq_rows computed;
    bool full; /* the last row is the worst of `count` rows */
} best;

typedef struct top {
    kq_exec *x;
    kq_sorter sorter;
    uint64_t count, most;
    kq_type *types; /* of best.rows */
    uint32_t ncols;
} top;

static best *best_create(top *t, kq_error *err) {
    best *b = kq_calloc(1, sizeof *b);
    if (!b) {
        kq_status status = kq_nomem(err);
        (void)status;
        return NULL;
    }
    kq_rows_init(&b->rows, t->types, t->ncols, t->x->env->budget);
    kq_rows_init(&b->computed, t->sorter.computed, t->sorter.ncomputed, t->x->env->budget);
    return b;
}

static void best_destroy(best *b) {
    if (!b) return;
    kq_rows_deinit(&b->rows);
    kq_rows_deinit(&b->computed);
    kq_free(b);
}

/* Copies the rows order[0..n) of `from` behind those of `to`. */
static kq_status append_order(top *t, kq_worker *w, const kq_rows *from, const uint64_t *order, uint64_t n, kq_rows *to,
                              kq_error *err) {
    for (uint64_t at = 0; at < n; at += KQ_CHUNK_ROWS) {
        kq_arena_mark mark = kq_arena_here(&w->arena);
        uint32_t m = n - at < KQ_CHUNK_ROWS ? (uint32_t)(n - at) : KQ_CHUNK_ROWS;
        kq_vector *cols = kq_arena_array(&w->arena, kq_vector, from->ncols + 1);
        if (!cols) return kq_arena_status(&w->arena, err);
        for (uint32_t c = 0; c < from->ncols; c++) {
            KQ_TRY(kq_vector_init(&cols[c], from->types[c], m, from->types[c] != KQ_STRING, &w->arena, err));
            kq_rows_gather(from, c, order + at, m, &cols[c]);
        }
        kq_chunk chunk = {.rows = m, .selected = m, .ncols = from->ncols, .cols = cols};
        KQ_TRY(kq_exec_check(t->x->env, err));
        KQ_TRY(kq_rows_append_chunk(to, &chunk, err));
        kq_arena_back(&w->arena, mark);
    }
    return KQ_OK;
}

/* Keeps the best `count` rows, the worst of them last. */
static kq_status prune(top *t, kq_worker *w, best *b, kq_error *err) {
    kq_ordering order = {0};
    kq_rows kept, none;
    kq_rows_init(&kept, t->types, t->ncols, t->x->env->budget);
    kq_rows_init(&none, t->sorter.computed, t->sorter.ncomputed, t->x->env->budget);
    kq_status status = kq_sorter_compute(&t->sorter, w, &b->rows, &b->computed, err);
    if (!status) status = kq_sorter_run(&t->sorter, &b->rows, &b->computed, &order, err);
    uint64_t n = order.n < t->count ? order.n : t->count;
    if (!status) status = append_order(t, w, &b->rows, order.rows, n, &kept, err);
    if (!status) status = append_order(t, w, &b->computed, order.rows, t->sorter.ncomputed ? n : 0, &none, err);
    kq_ordering_deinit(&order);
    kq_rows swap = b->rows, swap_computed = b->computed;
    if (!status) {
        b->rows = kept;
        b->computed = none;
        b->full = n == t->count;
        kept = swap;
        none = swap_computed;
    }
    kq_rows_deinit(&kept);
    kq_rows_deinit(&none);
    return status;
}

/* The rows that can still count: those not worse than the worst kept one by the first key. They come later, so that
 * where it is the only key an equal one is worse too. */
static kq_status choose(top *t, kq_worker *w, best *b, const kq_chunk *chunk, uint16_t *sel, uint32_t *n,
                        kq_error *err) {
    const kq_sort_by *key = &t->sorter.keys[0];
    const kq_vector *v = key->expr ? NULL : &chunk->cols[key->column];
    if (!v) KQ_TRY(kq_eval_run(key->expr, w, chunk, chunk->sel, chunk->selected, &v, err));
    uint64_t last = t->count - 1;
    const kq_vector *worst = kq_rows_vector(key->expr ? &b->computed : &b->rows, last, key->column);
    uint32_t i = kq_rows_index(last);
    int most = t->sorter.nkeys == 2 ? -1 : 0;
    *n = 0;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        if (kq_sort_compare(key, v, row, worst, i) <= most) sel[(*n)++] = (uint16_t)row;
    }
    return KQ_OK;
}

static kq_status keep(top *t, kq_worker *w, best *b, kq_chunk *chunk, kq_error *err) {
    if (b->full) {
        uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
        if (!sel) return kq_arena_status(&w->arena, err);
        uint32_t n;
        KQ_TRY(choose(t, w, b, chunk, sel, &n, err));
        if (!n) return KQ_OK;
        chunk->sel = sel;
        chunk->selected = n;
    }
    kq_vector *cols = kq_arena_array(&w->arena, kq_vector, t->ncols);
    if (!cols) return kq_arena_status(&w->arena, err);
    if (t->ncols > 1) memcpy(cols, chunk->cols, (t->ncols - 1) * sizeof *cols);
    KQ_TRY(kq_vector_init(&cols[t->ncols - 1], KQ_LONG, chunk->rows, false, &w->arena, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        kq_vec_long(&cols[t->ncols - 1])[row] = (int64_t)(chunk->ordinal + row);
    }
    kq_chunk all = *chunk;
    all.cols = cols;
    all.ncols = t->ncols;
    KQ_TRY(kq_rows_append_chunk(&b->rows, &all, err));
    return b->rows.n > t->most ? prune(t, w, b, err) : KQ_OK;
}

static kq_status top_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    top *t = op->state;
    if (!chunk->selected) return KQ_OK;
    if (!op->locals[w->id] && !(op->locals[w->id] = best_create(t, err))) return KQ_ERR_NOMEM;
    return kq_exec_limit(t->x, keep(t, w, op->locals[w->id], chunk, err), "top", err);
}

static kq_status prepare(top *t, kq_exec *x, const kq_plan *plan, kq_error *err) {
    uint32_t n = plan->input->out.n;
    t->x = x;
    t->ncols = n + 1;
    t->most = t->count > UINT64_MAX / 2 ? UINT64_MAX : 2 * t->count > LEAST_ROWS ? 2 * t->count : LEAST_ROWS;
    t->types = kq_arena_array(&x->arena, kq_type, n + 1);
    if (!t->types) return kq_arena_status(&x->arena, err);
    for (uint32_t c = 0; c < n; c++) t->types[c] = plan->input->out.items[c].type;
    t->types[n] = KQ_LONG;
    KQ_TRY(kq_sorter_init(&t->sorter, x, plan, err));
    t->sorter.keys[t->sorter.nkeys++] = (kq_sort_by){.column = n, .type = KQ_LONG};
    return KQ_OK;
}

/* The rows of all workers in the first one's. */
static kq_status gather(top *t, kq_op *op, best **out, kq_error *err) {
    best *all = NULL;
    kq_worker *w = &t->x->workers[0];
    for (unsigned i = 0; i < t->x->nworkers; i++) {
        best *b = op->locals[i];
        if (!b) continue;
        if (!all) {
            all = b;
            continue;
        }
        kq_vector *cols = kq_arena_array(&t->x->arena, kq_vector, t->ncols);
        if (!cols) return kq_arena_status(&t->x->arena, err);
        for (size_t block = 0; block < b->rows.nblocks; block++) {
            kq_chunk chunk = kq_rows_chunk(&b->rows, block, cols);
            KQ_TRY(kq_rows_append_chunk(&all->rows, &chunk, err));
        }
        kq_rows_clear(&b->rows);
    }
    *out = all;
    return all ? kq_sorter_compute(&t->sorter, w, &all->rows, &all->computed, err) : KQ_OK;
}

static kq_status finish(top *t, kq_op *op, best **all, kq_ordering *order, kq_error *err) {
    KQ_TRY(gather(t, op, all, err));
    return *all ? kq_sorter_run(&t->sorter, &(*all)->rows, &(*all)->computed, order, err) : KQ_OK;
}

kq_status kq_op_top(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, NULL, sizeof(top), err);
    if (!op) return KQ_ERR_NOMEM;
    top *t = op->state;
    best *all = NULL;
    kq_ordering order = {0};
    op->push = top_push;
    KQ_TRY(kq_row_count(x, plan->u.order.count, &t->count, err));
    if (!t->count) return KQ_OK;
    KQ_TRY(prepare(t, x, plan, err));
    kq_status status = kq_flow(x, plan->input, op, err);
    if (!status) status = kq_exec_limit(x, finish(t, op, &all, &order, err), "top", err);
    if (!status && all) {
        kq_store store = {.rows = all->rows, .types = t->types};
        store.rows.ncols = t->ncols - 1;
        status = kq_store_flow(x, &store, order.rows, order.n < t->count ? order.n : t->count, next, err);
    }
    kq_ordering_deinit(&order);
    for (unsigned i = 0; i < x->nworkers; i++) best_destroy(op->locals[i]);
    return status;
}
