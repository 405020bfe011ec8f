/*
 * Reach: can the filters of a query hold for rows of which some columns are known beforehand? A source that never has
 * AccountUpn gives "" for it, and a rule that asks for one is silent for ever: that is to be told, not to be found out.
 */
#ifndef KQ_KQL_REACH_H
#define KQ_KQL_REACH_H

#include "kql/plan.h"

/* A scan with the conjuncts that stand over it, of an optimized plan. */
typedef struct kq_reach {
    const kq_plan *scan;
    kq_expr **conjuncts;
    uint32_t n;
} kq_reach;

/* The reach of a plan that is a scan or a filter over one; `out->scan` NULL: it is neither. Errors: NOMEM. */
kq_status kq_reach_of(const kq_plan *plan, kq_arena *arena, kq_reach *out, kq_error *err);

/* Can all conjuncts hold when column i of the scan has the value *known[i] (NULL: any)? When they can't, *column is the
 * first known column that the failing conjunct refers to. Errors: NOMEM, and what a function says of its constants. */
kq_status kq_reach_possible(const kq_reach *reach, const kq_value *const *known, kq_arena *arena, bool *possible,
                            uint32_t *column, kq_error *err);

#endif
