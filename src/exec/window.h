/*
 * The window of a scheduled run: every scan of a bound plan narrowed to the events of (from, to], as Sentinel narrows
 * what a rule sees to its queryPeriod.
 */
#ifndef KQ_EXEC_WINDOW_H
#define KQ_EXEC_WINDOW_H

#include "kql/plan.h"

/* The table's time: Timestamp or TimeGenerated; UINT32_MAX when it has none (such a table is not narrowed). */
uint32_t kq_window_column(const kq_columns *columns);

/* Rewrites `plan` in place; nodes are made in `arena`. Errors: NOMEM, INTERNAL. */
kq_status kq_window_apply(kq_plan *plan, int64_t from, int64_t to, kq_arena *arena, kq_error *err);

#endif
