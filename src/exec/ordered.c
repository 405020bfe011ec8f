/* Chunks in the order of their morsels, and stores made of them. */
#include "exec/operator.h"
#include <time.h>

#define WINDOW 4 /* morsels that a worker may be ahead of the one to be passed on, for each worker */

typedef struct pending {
    kq_rows rows;
    uint64_t seq;
    struct pending *next;
} pending;

typedef struct ordered {
    kq_exec *x;
    kq_consumer to;
    uint64_t left; /* rows until the limit */
    uint64_t base, next;
    pending *waiting; /* ascending */
    pending *spare;
    kq_type *types;
    uint32_t ncols;
    kq_vector *view;
    pthread_mutex_t lock;
    pthread_cond_t moved;
} ordered;

/* Under the lock. */
static kq_status pass(ordered *o, kq_chunk *chunk, kq_error *err) {
    bool done = false;
    if (chunk->selected > o->left) chunk->selected = (uint32_t)o->left;
    if (chunk->selected && !chunk->sel) chunk->rows = chunk->selected;
    if (chunk->selected) KQ_TRY(o->to.push(o->to.ctx, chunk, &done, err));
    o->left -= chunk->selected;
    if (done) o->left = 0;
    if (!o->left) atomic_store(&o->x->enough, true);
    return KQ_OK;
}

static kq_status pass_rows(ordered *o, kq_rows *rows, kq_error *err) {
    for (size_t b = 0; b < rows->nblocks && o->left; b++) {
        kq_chunk chunk = kq_rows_chunk(rows, b, o->view);
        if (chunk.selected) KQ_TRY(pass(o, &chunk, err));
    }
    return KQ_OK;
}

/* Under the lock: a new flow begins with its first morsel. */
static void follow(ordered *o) {
    if (o->base == o->x->base) return;
    o->base = o->x->base;
    o->next = o->base;
}

static kq_status ordered_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    ordered *o = op->state;
    pending *local = op->locals[w->id];
    if (!chunk->selected) return KQ_OK;
    if (!local || !local->rows.n) {
        kq_status status = KQ_OK;
        pthread_mutex_lock(&o->lock);
        follow(o);
        bool turn = w->seq == o->next;
        if (turn && o->left) status = pass(o, chunk, err);
        pthread_mutex_unlock(&o->lock);
        if (turn || status) return status;
    }
    if (!local) {
        pthread_mutex_lock(&o->lock);
        local = o->spare;
        if (local) o->spare = local->next;
        pthread_mutex_unlock(&o->lock);
        if (!local) {
            if (!(local = kq_calloc(1, sizeof *local))) return kq_nomem(err);
            kq_rows_init(&local->rows, o->types, o->ncols, o->x->env->budget);
        }
        op->locals[w->id] = local;
    }
    return kq_rows_append_chunk(&local->rows, chunk, err);
}

static kq_status ordered_end(kq_op *op, kq_worker *w, kq_error *err) {
    ordered *o = op->state;
    pending *local = op->locals[w->id];
    kq_status status = KQ_OK;
    pthread_mutex_lock(&o->lock);
    follow(o);
    while (w->seq >= o->next + (uint64_t)WINDOW * o->x->nworkers && o->left && !atomic_load(&o->x->failed)) {
        struct timespec until; /* a failure elsewhere does not signal: look again soon */
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 20000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&o->moved, &o->lock, &until);
    }
    if (w->seq == o->next) {
        if (local) status = pass_rows(o, &local->rows, err);
        if (local) kq_rows_clear(&local->rows);
        o->next++;
    } else {
        if (!local && !(local = kq_calloc(1, sizeof *local)))
            status = kq_nomem(err);
        else if (local != op->locals[w->id])
            kq_rows_init(&local->rows, o->types, o->ncols, o->x->env->budget);
        op->locals[w->id] = NULL;
        if (!status) {
            pending **at = &o->waiting;
            local->seq = w->seq;
            while (*at && (*at)->seq < local->seq) at = &(*at)->next;
            local->next = *at;
            *at = local;
        }
    }
    while (!status && o->waiting && o->waiting->seq == o->next) {
        pending *p = o->waiting;
        status = pass_rows(o, &p->rows, err);
        o->waiting = p->next;
        kq_rows_clear(&p->rows);
        p->next = o->spare;
        o->spare = p;
        o->next++;
    }
    pthread_cond_broadcast(&o->moved);
    pthread_mutex_unlock(&o->lock);
    return status;
}

kq_op *kq_ordered_create(kq_exec *x, const kq_columns *columns, uint64_t limit, const kq_consumer *to, kq_error *err) {
    kq_op *op = kq_op_create(x, NULL, NULL, sizeof(ordered), err);
    if (!op) return NULL;
    ordered *o = op->state;
    op->push = ordered_push;
    op->end = ordered_end;
    *o = (ordered){.x = x, .to = *to, .left = limit, .base = UINT64_MAX, .ncols = columns->n};
    o->types = kq_arena_array(&x->arena, kq_type, columns->n + 1);
    o->view = kq_arena_array(&x->arena, kq_vector, columns->n + 1);
    if (!o->types || !o->view) {
        kq_status status = kq_arena_status(&x->arena, err);
        (void)status;
        return NULL;
    }
    for (uint32_t i = 0; i < columns->n; i++) o->types[i] = columns->items[i].type;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->moved, NULL);
    return op;
}

static void free_all(pending *p) {
    while (p) {
        pending *next = p->next;
        kq_rows_deinit(&p->rows);
        kq_free(p);
        p = next;
    }
}

void kq_ordered_destroy(kq_op *op) {
    if (!op) return;
    ordered *o = op->state;
    for (unsigned i = 0; i < o->x->nworkers; i++) {
        pending *local = op->locals[i];
        if (local) local->next = NULL;
        free_all(local);
    }
    free_all(o->waiting);
    free_all(o->spare);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->moved);
}

/* ---- stores */

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
    kq_consumer to = {store_push, s};
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
        for (uint32_t i = 0; i < n; i++) {
            uint64_t row = o->order[from + i];
            kq_vector_copy(&l->cols[c], i, kq_rows_vector(rows, row, c), kq_rows_index(row));
        }
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
