/*
 * The engine behind the public handle. Private to src/api.
 */
#ifndef KQ_API_ENGINE_H
#define KQ_API_ENGINE_H

#include "exec/runner.h"

struct kq_engine {
    kq_engine_options options;
    kq_budget budget;
    kq_catalog *catalog;
    kq_report report;
    atomic_bool cancelled;
    kq_runner runner;
    char *visualization;
    kq_damage damages[KQ_REPORT_KEPT]; /* what kq_stats shows */
    kq_damage stale[KQ_REPORT_KEPT];
    const char *notes[64];
    kq_log_counts *logs;
    uint64_t started;
    uint64_t rows;
};

/* Starts a call: a fresh report of damage (what opening the inputs found is kept), clock, deadline, now. */
kq_status kq_engine_begin(kq_engine *engine, kq_error *err);
/* kq_runner_note_old, where the clock is what now() means. */
kq_status kq_engine_note_old(kq_engine *engine, kq_error *err);
/* Ends it: fills `stats` (may be NULL). An OK status becomes KQ_ERR_DAMAGED when something was skipped. */
kq_status kq_engine_end(kq_engine *engine, kq_status status, kq_stats *stats, kq_error *err);

#endif
