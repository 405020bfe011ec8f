/*
 * Chunks in the order of their morsels. Only the worker whose morsel is next passes rows on, straight from its chunks;
 * the others keep theirs until it is their turn, as rows or, where the consumer has parts, written already, so that the
 * writing does not wait for the turn. What all of them keep is bounded: a worker too far ahead, or with more to keep
 * when that is reached, waits. The next morsel is always in some worker's hands, and that worker never waits, so all
 * get their turn.
 */
#include "exec/operator.h"
#include <time.h>

#define WINDOW 4 /* morsels that a worker may be ahead of the next one, for each worker */

#define KEPT_BYTES ((size_t)8 << 20) /* of all workers together; less when the budget is small */
#define SPARES     2                 /* finished parts whose memory is used again; more are freed: many wait at times */

#define WIDE_ROWS 256 /* with many columns and many workers: see most_rows */

typedef struct pending {
    kq_rows rows;
    void *part;   /* of the consumer's; NULL: rows are kept */
    size_t bytes; /* of it in `kept` */
    uint64_t seq;
    struct pending *next;
} pending;

typedef struct ordered {
    kq_exec *x;
    kq_consumer to;
    atomic_uint_least64_t left; /* rows until the limit; written by the worker whose turn it is */
    atomic_uint_least64_t next; /* the morsel to be passed on; written under the lock */
    pending *waiting;           /* finished morsels, ascending */
    pending *spare;
    unsigned nspare;
    atomic_size_t kept; /* bytes of what waits and of what workers have in hand */
    size_t most;
    uint64_t most_rows; /* kept of one morsel, as rows: their next block would be a large one */
    kq_type *types;
    uint32_t ncols;
    kq_vector *view;
    pthread_mutex_t lock;
    pthread_cond_t moved;
} ordered;

static uint64_t rows_left(const ordered *o) {
    return atomic_load_explicit(&o->left, memory_order_relaxed);
}

static bool is_turn(const ordered *o, const kq_worker *w) {
    return atomic_load_explicit(&o->next, memory_order_acquire) == w->seq;
}

/* By the worker whose turn it is. */
static kq_status pass(ordered *o, kq_chunk *chunk, kq_error *err) {
    bool done = false;
    uint64_t left = rows_left(o);
    if (chunk->selected > left) chunk->selected = (uint32_t)left;
    if (!chunk->sel) chunk->rows = chunk->selected;
    if (chunk->selected) KQ_TRY(o->to.push(o->to.ctx, chunk, &done, err));
    left = done ? 0 : left - chunk->selected;
    atomic_store_explicit(&o->left, left, memory_order_relaxed);
    if (!left) atomic_store(&o->x->enough, true);
    return KQ_OK;
}

static void count(ordered *o, pending *p, size_t bytes) {
    atomic_fetch_add_explicit(&o->kept, bytes - p->bytes, memory_order_relaxed); /* may be less: it wraps back */
    p->bytes = bytes;
}

static bool is_full(const ordered *o) {
    return atomic_load_explicit(&o->kept, memory_order_relaxed) > o->most;
}

static kq_status keep(ordered *o, pending *p, kq_chunk *chunk, kq_error *err) {
    KQ_TRY(p->part ? o->to.parts->write(p->part, chunk, err) : kq_rows_append_chunk(&p->rows, chunk, err));
    count(o, p, p->part ? o->to.parts->bytes(p->part) : kq_rows_bytes(&p->rows));
    return KQ_OK;
}

static kq_status pass_rows(ordered *o, kq_rows *rows, kq_error *err) {
    for (size_t b = 0; b < rows->nblocks && rows_left(o); b++) {
        kq_chunk chunk = kq_rows_chunk(rows, b, o->view);
        if (chunk.selected) KQ_TRY(pass(o, &chunk, err));
    }
    kq_rows_clear(rows);
    return KQ_OK;
}

static kq_status pass_kept(ordered *o, pending *p, kq_error *err) {
    kq_status status = p->part ? o->to.parts->take(o->to.ctx, p->part, err) : pass_rows(o, &p->rows, err);
    if (!status) count(o, p, 0);
    return status;
}

/* Under the lock: waits a little for another worker. A failure elsewhere does not signal: the wait is short. */
static void wait_moved(ordered *o) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&o->moved, &o->lock, &until);
}

static bool over(const ordered *o) {
    return !rows_left(o) || atomic_load(&o->x->failed);
}

/* What the worker keeps for its morsel. */
static kq_status local_kept(ordered *o, void **local, pending **out, kq_error *err) {
    pending *p = *local;
    if (!p) {
        pthread_mutex_lock(&o->lock);
        p = o->spare;
        if (p) {
            o->spare = p->next;
            o->nspare--;
        }
        pthread_mutex_unlock(&o->lock);
    }
    if (!p) {
        if (!(p = kq_calloc(1, sizeof *p))) return kq_nomem(err);
        kq_rows_init(&p->rows, o->types, o->ncols, o->x->env->budget);
        *local = p;
        if (o->to.parts) KQ_TRY(o->to.parts->open(o->to.ctx, &p->part, err));
    }
    *out = *local = p;
    return KQ_OK;
}

static kq_status ordered_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    ordered *o = op->state;
    pending *local = op->locals[w->id];
    if (!rows_left(o)) {
        atomic_store(&o->x->enough, true);
        return KQ_OK;
    }
    if (!chunk->selected) return KQ_OK;
    bool large = local && !local->part && local->rows.n + chunk->selected > o->most_rows;
    if ((large || is_full(o)) && !is_turn(o, w)) {
        pthread_mutex_lock(&o->lock);
        while ((large || is_full(o)) && !is_turn(o, w) && !over(o)) wait_moved(o);
        pthread_mutex_unlock(&o->lock);
        if (over(o)) return KQ_OK;
    }
    if (is_turn(o, w)) {
        if (local) KQ_TRY(pass_kept(o, local, err));
        return rows_left(o) ? pass(o, chunk, err) : KQ_OK;
    }
    KQ_TRY(local_kept(o, &op->locals[w->id], &local, err));
    KQ_TRY(keep(o, local, chunk, err));
    if (local->rows.n >= rows_left(o)) w->stopped = true; /* more of this morsel can't count */
    return KQ_OK;
}

static void free_all(const ordered *o, pending *p) {
    while (p) {
        pending *next = p->next;
        if (p->part) o->to.parts->close(p->part);
        kq_rows_deinit(&p->rows);
        kq_free(p);
        p = next;
    }
}

/* The worker's morsel is the next one and finished: it goes, and with it all finished ones that follow. */
static kq_status go(ordered *o, pending *local, kq_error *err) {
    if (local) KQ_TRY(pass_kept(o, local, err));
    pthread_mutex_lock(&o->lock);
    kq_status status = KQ_OK;
    for (;;) {
        uint64_t next = atomic_fetch_add_explicit(&o->next, 1, memory_order_release) + 1;
        pending *p = o->waiting;
        if (!p || p->seq != next) break;
        o->waiting = p->next;
        pthread_mutex_unlock(&o->lock); /* nobody else has the turn: morsel p->seq is this worker's now */
        status = pass_kept(o, p, err);
        kq_rows_deinit(&p->rows);
        p->next = NULL;
        pthread_mutex_lock(&o->lock);
        if (o->nspare < SPARES) {
            p->next = o->spare;
            o->spare = p;
            o->nspare++;
        } else {
            free_all(o, p);
        }
        pthread_cond_broadcast(&o->moved);
        if (status) break;
    }
    pthread_cond_broadcast(&o->moved);
    pthread_mutex_unlock(&o->lock);
    return status;
}

static kq_status ordered_end(kq_op *op, kq_worker *w, kq_error *err) {
    ordered *o = op->state;
    if (!rows_left(o)) {
        atomic_store(&o->x->enough, true);
        return KQ_OK;
    }
    if (is_turn(o, w)) return go(o, op->locals[w->id], err);
    pending *local = NULL;
    KQ_TRY(local_kept(o, &op->locals[w->id], &local, err));
    pthread_mutex_lock(&o->lock);
    while (!is_turn(o, w) && !over(o) && w->seq >= o->next + (uint64_t)WINDOW * o->x->nworkers) wait_moved(o);
    bool turn = is_turn(o, w);
    if (!turn) {
        pending **at = &o->waiting;
        local->seq = w->seq;
        while (*at && (*at)->seq < local->seq) at = &(*at)->next;
        local->next = *at;
        *at = local;
        op->locals[w->id] = NULL;
    }
    pthread_mutex_unlock(&o->lock);
    return turn ? go(o, local, err) : KQ_OK;
}

/* A new flow begins with its first morsel. */
static void ordered_begin(kq_op *op) {
    ordered *o = op->state;
    atomic_store(&o->next, o->x->base);
    if (!rows_left(o)) atomic_store(&o->x->enough, true);
}

kq_op *kq_ordered_create(kq_exec *x, const kq_columns *columns, uint64_t limit, const kq_consumer *to, kq_error *err) {
    kq_op *op = kq_op_create(x, NULL, NULL, sizeof(ordered), err);
    if (!op) return NULL;
    ordered *o = op->state;
    *o = (ordered){.x = x, .to = *to, .left = limit, .ncols = columns->n};
    if (limit != UINT64_MAX) o->to.parts = NULL; /* the rows of a part are not counted */
    size_t share = x->env->budget && x->env->budget->limit ? x->env->budget->limit / 8 : SIZE_MAX;
    o->most = share < KEPT_BYTES ? share : KEPT_BYTES;
    size_t block = (size_t)columns->n * KQ_CHUNK_ROWS * sizeof(kq_str);
    o->most_rows = block * x->nworkers > 3 * KEPT_BYTES ? WIDE_ROWS : UINT64_MAX;
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
    op->push = ordered_push;
    op->end = ordered_end;
    op->begin = ordered_begin;
    return op;
}

void kq_ordered_destroy(kq_op *op) {
    if (!op) return;
    ordered *o = op->state;
    for (unsigned i = 0; i < o->x->nworkers; i++) {
        pending *local = op->locals[i];
        if (local) local->next = NULL;
        free_all(o, local);
    }
    free_all(o, o->waiting);
    free_all(o, o->spare);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->moved);
}
