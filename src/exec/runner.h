/*
 * From query text to rows: parse, bind, optimize and execute in one call, against one catalog. Rules, inspect and the
 * public query call all run queries this way and no other.
 */
#ifndef KQ_EXEC_RUNNER_H
#define KQ_EXEC_RUNNER_H

#include "exec/exec.h"

typedef struct kq_runner {
    kq_exec_env env; /* cleanups is set by kq_runner_query */
    int64_t now;
    bool no_optimize;
    bool window; /* scans see only the events of (window_from, window_to]: a scheduled run */
    int64_t window_from, window_to;
    /* What a query remarked to its user: tables without data here, time filters that left nothing. Bounded; owned. */
    kq_buf notes;  /* NUL-terminated texts one after another */
    bool asks_now; /* some query that asks for now() or ago() got no row of a table that has events: kq_runner_note_old
                    */
} kq_runner;

/* Takes a query's result: `begin` once with its columns (valid until the call returns), then `rows`. */
typedef struct kq_result {
    kq_status (*begin)(void *ctx, const kq_columns *columns, kq_sv visualization, kq_error *err);
    kq_consumer rows;
    void *ctx;
    /* Takes columns[i] as text, as kq_value_json writes the values; false: it wants values. Asked after `begin`, before
     * the rows, when there are such columns; NULL: it wants values. */
    bool (*written)(void *ctx, const bool *columns);
} kq_result;

/* Runs one query. Errors: those of kq_parse, kq_bind, kq_exec_run and of the result. */
kq_status kq_runner_query(kq_runner *runner, kq_sv text, const kq_result *result, kq_error *err);

/* Parses, binds and optimizes a query as kq_runner_query does; the plan lives in `arena`, `cleanups` are the caller's
 * to run. Errors: those of kq_parse, kq_bind and kq_optimize. */
kq_status kq_runner_bind(kq_runner *runner, kq_sv text, kq_arena *arena, kq_cleanup **cleanups, kq_query *out,
                         kq_error *err);

/* Appends the plan that kq_runner_query would run, as text. Errors: those of kq_parse, kq_bind and kq_optimize. */
kq_status kq_runner_plan(kq_runner *runner, kq_sv text, kq_buf *out, kq_error *err);

/* Calls `fn` for each column of the query's result, with what it is made of (kq_plan_origin). Errors: those of kq_parse
 * and kq_bind, and of `fn`. */
typedef kq_status (*kq_describe_fn)(void *ctx, const kq_column *column, kq_sv from, kq_error *err);
kq_status kq_runner_columns(kq_runner *runner, kq_sv text, kq_describe_fn fn, void *ctx, kq_error *err);

/* The oldest and newest event time of the catalog's inputs; *found false when there is none. */
kq_status kq_runner_span(kq_runner *runner, int64_t *first, int64_t *last, bool *found, kq_error *err);

/* ago() and now() mean the clock by default, as in Kusto; over old logs that silently leaves nothing. Notes it when the
 * newest event is older than a day and asks_now is set. Errors: those of kq_runner_span. */
kq_status kq_runner_note_old(kq_runner *runner, kq_error *err);

/* The times at which the inputs have events, in steps of `bin` ticks: ascending multiples of it, each the open start of
 * a step: (item, item + bin] holds an event. Owned: kq_times_deinit. */
typedef struct kq_times {
    int64_t *items;
    size_t n, cap;
} kq_times;

/* Of the tables that `query` reads. Errors: those of kq_runner_query. */
kq_status kq_runner_times(kq_runner *runner, kq_sv query, int64_t bin, kq_times *out, kq_error *err);
void kq_times_deinit(kq_times *times);

/* Adds a remark, once. */
void kq_runner_note(kq_runner *runner, const char *fmt, ...) KQ_PRINTF(2, 3);

#endif
