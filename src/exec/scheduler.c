/* Workers over the morsels of one origin. */
#include "exec/operator.h"
#include <unistd.h>

typedef struct running {
    kq_exec *x;
    kq_origin *origin;
    kq_op *op;
    uint64_t base;              /* number of the first morsel */
    atomic_uint_least64_t most; /* one past the highest seen */
} running;

typedef struct task {
    running *run;
    kq_worker *w;
    pthread_t thread;
} task;

static kq_status push(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    kq_worker *w = ctx;
    running *run = w->running;
    kq_arena_reset(&w->arena);
    chunk->ordinal += run->base << 32;
    w->seq = chunk->ordinal >> 32;
    KQ_TRY(kq_exec_check(w->exec->env, err));
    KQ_TRY(kq_op_push(run->op, w, chunk, err));
    *done = w->stopped || atomic_load_explicit(&w->exec->enough, memory_order_relaxed) ||
            atomic_load_explicit(&w->exec->failed, memory_order_relaxed);
    return KQ_OK;
}

/* The first failure is kept; the other workers stop at their next morsel. */
static void fail(kq_exec *x, kq_status status, const kq_error *err) {
    pthread_mutex_lock(&x->lock);
    if (!atomic_load(&x->failed)) {
        x->error = *err;
        x->error.status = status;
        atomic_store(&x->failed, true);
    }
    pthread_mutex_unlock(&x->lock);
}

static void work(running *run, kq_worker *w) {
    kq_exec *x = run->x;
    kq_consumer to = {.push = push, .ctx = w};
    kq_error err = {.span_start = UINT32_MAX};
    void *outer = w->running;
    uint64_t most = run->base;
    w->running = run;
    for (bool more = true; more;) {
        uint64_t seq = 0;
        if (atomic_load(&x->failed) || atomic_load(&x->enough)) break;
        w->stopped = false;
        w->made = 0;
        kq_status status = kq_exec_check(x->env, &err);
        if (!status) status = run->origin->next(run->origin, w, &to, &seq, &more, &err);
        if (!status && more) {
            w->seq = run->base + seq;
            status = kq_op_end(run->op, w, &err);
            if (w->seq + 1 > most) most = w->seq + 1;
        }
        if (status) {
            fail(x, status, &err);
            break;
        }
        if (w->id == 0 && x->env->progress && run->origin->progress) {
            uint64_t done, total;
            run->origin->progress(run->origin, &done, &total);
            x->env->progress(x->env->progress_ctx, done, total);
        }
    }
    w->running = outer;
    uint64_t seen = atomic_load(&run->most);
    while (most > seen && !atomic_compare_exchange_weak(&run->most, &seen, most)) {
    }
}

static void *thread_main(void *arg) {
    task *t = arg;
    work(t->run, t->w);
    return NULL;
}

kq_status kq_run_origin(kq_exec *x, kq_origin *origin, kq_op *op, kq_error *err) {
    running run = {x, origin, op, x->seq, x->seq};
    unsigned n = origin->morsels < x->nworkers ? (unsigned)origin->morsels : x->nworkers, started = 0;
    atomic_store(&x->enough, false);
    x->base = x->seq;
    for (kq_op *o = op; o; o = o->next)
        if (o->begin) o->begin(o);
    task *tasks = n > 1 ? kq_calloc(n, sizeof *tasks) : NULL;
    for (unsigned i = 1; tasks && i < n; i++) {
        tasks[i] = (task){.run = &run, .w = &x->workers[i]};
        if (pthread_create(&tasks[i].thread, NULL, thread_main, &tasks[i]) != 0) break; /* fewer will do */
        started = i;
    }
    work(&run, &x->workers[0]);
    for (unsigned i = 1; i <= started; i++) pthread_join(tasks[i].thread, NULL);
    kq_free(tasks);
    atomic_store(&x->enough, false);
    x->seq = run.most;
    if (!atomic_load(&x->failed)) return KQ_OK;
    if (err) *err = x->error;
    return x->error.status;
}
