/*
 * Execution: runs a bound plan with workers over morsels and gives the result in a deterministic order, whatever the
 * number of threads. Everything that it allocates is charged to env->budget and freed when it returns.
 */
#ifndef KQ_EXEC_EXEC_H
#define KQ_EXEC_EXEC_H

#include "exec/scan_cache.h"
#include "kql/plan.h"
#include "schema/catalog.h"
#include <stdatomic.h>

typedef struct kq_exec_env {
    const kq_catalog *catalog; /* scans' handles are its kq_table */
    kq_budget *budget;
    kq_report *report;
    unsigned threads; /* at least 1 */
    kq_watch watch;   /* polled per morsel and in long loops */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    kq_scan_cache *scan_cache; /* scans are kept here between runs; NULL: not */
    bool local_null;           /* local times of an unknown zone are null, not refused */
    kq_unseen *unseen;         /* tables of which nothing is there; NULL: not wanted */
    kq_cleanup **cleanups;     /* for compiled patterns; the caller runs them after the call */
} kq_exec_env;

/* Runs `plan` and pushes its rows to `out`, one chunk at a time, from one thread at a time, in order. Errors: NOMEM,
 * LIMIT, DEADLINE, CANCELLED, QUERY (a pattern that only the data decided), IO, the consumer's. */
kq_status kq_exec_run(const kq_plan *plan, kq_exec_env *env, const kq_consumer *out, kq_error *err);

/* KQ_OK, or CANCELLED or DEADLINE. */
kq_status kq_exec_check(const kq_exec_env *env, kq_error *err);

#endif
