#include "base/time.h"
#include "exec/operator.h"

#define DEPTH 500

kq_status kq_exec_check(const kq_exec_env *env, kq_error *err) {
    return kq_watch_check(&env->watch, err);
}

kq_status kq_exec_limit(const kq_exec *x, kq_status status, const char *where, kq_error *err) {
    kq_error budget;
    if (status != KQ_ERR_LIMIT || !err || kq_budget_status(x->env->budget, &budget) != KQ_ERR_LIMIT ||
        strcmp(err->message, budget.message) != 0)
        return status;
    return kq_fail(err, KQ_ERR_LIMIT, "the memory limit of %zu MiB was reached in %s", x->env->budget->limit >> 20,
                   where);
}

kq_op *kq_op_create(kq_exec *x, const kq_plan *plan, kq_op *next, size_t state_bytes, kq_error *err) {
    kq_op *op = kq_arena_new(&x->arena, kq_op);
    void *state = kq_arena_calloc(&x->arena, 1, state_bytes ? state_bytes : 1);
    void **locals = kq_arena_array(&x->arena, void *, x->nworkers);
    if (!op || !state || !locals) {
        kq_status status = kq_arena_status(&x->arena, err);
        (void)status;
        return NULL;
    }
    *op = (kq_op){.next = next, .locals = locals, .state = state, .plan = plan};
    return op;
}

kq_status kq_op_end(kq_op *op, kq_worker *w, kq_error *err) {
    while (op && !op->end) op = op->next;
    return op ? op->end(op, w, err) : KQ_OK;
}

kq_status kq_flow(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    if (x->depth > DEPTH) return kq_fail(err, KQ_ERR_LIMIT, "the query is nested too deeply");
    kq_status status = KQ_ERR_INTERNAL;
    x->depth++;
    switch (plan->kind) {
#define KQ_OPERATOR(kind, function)                                                                                    \
    case KQ_PLAN_##kind:                                                                                               \
        status = function(x, plan, op, err);                                                                           \
        break;
#include "exec/operators.def"
#undef KQ_OPERATOR
    default: status = kq_fail(err, KQ_ERR_INTERNAL, "a plan node of no known kind");
    }
    x->depth--;
    return status;
}

/* MATERIALIZE: run once for a node, however often it is referred to. */
struct kq_memo {
    const kq_plan *plan;
    kq_store *store;
    struct kq_memo *next;
};

kq_status kq_op_materialize(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    struct kq_memo *m = x->memos;
    while (m && m->plan != plan) m = m->next;
    if (!m) {
        kq_store *store;
        KQ_TRY(kq_exec_limit(x, kq_flow_store(x, plan->input, UINT64_MAX, &store, err), "materialize", err));
        m = kq_arena_new(&x->arena, struct kq_memo);
        if (!m) return kq_arena_status(&x->arena, err);
        *m = (struct kq_memo){plan, store, x->memos};
        x->memos = m;
    }
    return kq_store_flow(x, m->store, NULL, m->store->rows.n, op, err);
}

kq_status kq_op_union(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    for (uint32_t i = 0; i < plan->u.unions.n; i++) KQ_TRY(kq_flow(x, plan->u.unions.inputs[i], op, err));
    return KQ_OK;
}

kq_status kq_exec_run(const kq_plan *plan, kq_exec_env *env, const kq_consumer *out, kq_error *err) {
    kq_exec x = {.env = env, .nworkers = env->threads ? env->threads : 1};
    kq_op *op = NULL;
    kq_cleanup *bound = *env->cleanups;
    kq_arena_init(&x.arena, env->budget, 0);
    pthread_mutex_init(&x.lock, NULL);
    kq_status status = KQ_OK;
    x.workers = kq_arena_array(&x.arena, kq_worker, x.nworkers);
    if (!x.workers) {
        status = kq_arena_status(&x.arena, err);
        goto out;
    }
    for (unsigned i = 0; i < x.nworkers; i++) {
        x.workers[i] = (kq_worker){.exec = &x, .id = i};
        kq_arena_init(&x.workers[i].arena, env->budget, 0);
    }
    op = kq_ordered_create(&x, &plan->out, UINT64_MAX, out, err);
    status = op ? kq_flow(&x, plan, op, err) : KQ_ERR_NOMEM;
out:
    kq_ordered_destroy(op);
    for (kq_store *s = x.stores; s; s = s->next) kq_rows_deinit(&s->rows);
    for (unsigned i = 0; x.workers && i < x.nworkers; i++) kq_arena_deinit(&x.workers[i].arena);
    /* What was prepared for this run lies in its arena, and so do the entries of the list: they go before it. */
    while (*env->cleanups != bound) {
        kq_cleanup *c = *env->cleanups;
        *env->cleanups = c->next;
        c->destroy(c->object);
    }
    kq_arena_deinit(&x.arena);
    pthread_mutex_destroy(&x.lock);
    return status;
}
