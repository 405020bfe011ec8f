/* Stores: rows kept in order, and streamed again. */
#include "exec/operator.h"

kq_store *kq_store_create(kq_exec *x, const kq_columns *columns, kq_error *err) {
    kq_store *s = kq_arena_new(&x->arena, kq_store);
    kq_type *types = kq_arena_array(&x->arena, kq_type, columns->n + 1);
    if (!s || !types) {
        kq_status status = kq_arena_status(&x->arena, err);
        (void)status;
        return NULL;
    }
    for (uint32_t i = 0; i < columns->n; i++) types[i] = columns->items[i].type;
    kq_rows_init(&s->rows, types, columns->n, x->env->budget);
    s->types = types;
    s->next = x->stores;
    x->stores = s;
    return s;
}

void kq_store_empty(kq_store *s) {
    kq_rows_deinit(&s->rows);
}

static kq_status store_push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    return kq_rows_append_chunk(&((kq_store *)ctx)->rows, chunk, err);
}

kq_status kq_flow_store(kq_exec *x, const kq_plan *plan, uint64_t limit, kq_store **out, kq_error *err) {
    kq_store *s = kq_store_create(x, &plan->out, err);
    if (!s) return KQ_ERR_NOMEM;
    *out = s;
    if (!limit) return KQ_OK;
    kq_consumer to = {.push = store_push, .ctx = s};
    kq_op *op = kq_ordered_create(x, &plan->out, limit, &to, err);
    if (!op) return KQ_ERR_NOMEM;
    kq_status status = kq_flow(x, plan, op, err);
    kq_ordered_destroy(op);
    return status;
}

#define MORSEL_BLOCKS 8

typedef struct store_origin {
    const kq_store *store;
    const uint64_t *order;
    uint64_t n;
    atomic_uint_least64_t next;
} store_origin;

typedef struct store_local {
    kq_arena arena;
    kq_vector *cols;
} store_local;

/* The rows order[from..from+n) gathered into vectors of the local arena. */
static kq_status gather(const store_origin *o, store_local *l, uint64_t from, uint32_t n, kq_error *err) {
    const kq_rows *rows = &o->store->rows;
    kq_arena_reset(&l->arena);
    l->cols = kq_arena_array(&l->arena, kq_vector, rows->ncols + 1);
    if (!l->cols) return kq_arena_status(&l->arena, err);
    for (uint32_t c = 0; c < rows->ncols; c++) {
        KQ_TRY(kq_vector_init(&l->cols[c], rows->types[c], n, rows->types[c] != KQ_STRING, &l->arena, err));
        kq_rows_gather(rows, c, o->order + from, n, &l->cols[c]);
        kq_vec_drop_nulls(&l->cols[c], n);
    }
    return KQ_OK;
}

static kq_status store_next(kq_origin *origin, kq_worker *w, const kq_consumer *to, uint64_t *seq, bool *more,
                            kq_error *err) {
    store_origin *o = origin->state;
    store_local *l = origin->locals[w->id];
    const uint64_t morsel = (uint64_t)MORSEL_BLOCKS * KQ_CHUNK_ROWS;
    *seq = atomic_fetch_add(&o->next, 1);
    *more = *seq * morsel < o->n;
    bool done = false;
    for (uint64_t from = *seq * morsel, end = from + morsel; from < end && from < o->n && !done;
         from += KQ_CHUNK_ROWS) {
        kq_chunk chunk;
        if (o->order) {
            uint64_t left = o->n - from;
            uint32_t n = left < KQ_CHUNK_ROWS ? (uint32_t)left : KQ_CHUNK_ROWS;
            KQ_TRY(gather(o, l, from, n, err));
            chunk = (kq_chunk){.rows = n, .selected = n, .ncols = o->store->rows.ncols, .cols = l->cols};
        } else {
            chunk = kq_rows_chunk(&o->store->rows, (size_t)(from / KQ_CHUNK_ROWS), l->cols);
        }
        chunk.ordinal = (*seq << 32) + (from - *seq * morsel);
        KQ_TRY(to->push(to->ctx, &chunk, &done, err));
    }
    return KQ_OK;
}

kq_status kq_store_flow(kq_exec *x, const kq_store *store, const uint64_t *order, uint64_t n, kq_op *op,
                        kq_error *err) {
    store_origin state = {.store = store, .order = order, .n = n};
    kq_origin origin = {.next = store_next, .state = &state};
    kq_status status = KQ_OK;
    store_local *locals = kq_calloc(x->nworkers, sizeof *locals);
    void **pointers = kq_calloc(x->nworkers, sizeof *pointers);
    if (!locals || !pointers) {
        status = kq_nomem(err);
        goto out;
    }
    for (unsigned i = 0; i < x->nworkers; i++) {
        kq_arena_init(&locals[i].arena, x->env->budget, 0);
        pointers[i] = &locals[i];
        if (!order && !(locals[i].cols = kq_arena_array(&locals[i].arena, kq_vector, store->rows.ncols + 1)))
            status = kq_arena_status(&locals[i].arena, err);
    }
    origin.locals = pointers;
    origin.morsels = (n + (uint64_t)MORSEL_BLOCKS * KQ_CHUNK_ROWS - 1) / ((uint64_t)MORSEL_BLOCKS * KQ_CHUNK_ROWS);
    if (!status) status = kq_run_origin(x, &origin, op, err);
out:
    for (unsigned i = 0; locals && i < x->nworkers; i++) kq_arena_deinit(&locals[i].arena);
    kq_free(locals);
    kq_free(pointers);
    return status;
}
