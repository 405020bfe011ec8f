/*
 * Nodes of a plan that several others refer to (MATERIALIZE, subqueries), met once: who walks a plan as if it were a
 * tree takes 2^n steps for n lets of which each reads the last one twice.
 */
#ifndef KQ_KQL_PLAN_MET_H
#define KQ_KQL_PLAN_MET_H

#include "kql/plan.h"

typedef struct kq_plan_slot {
    const kq_plan *plan;
    uint32_t column, nth;
} kq_plan_slot;

/* Zeroed but for the arena, which holds all of it. */
typedef struct kq_plan_met {
    kq_arena *arena;
    kq_plan_slot *slots; /* open addressing, a power of two */
    uint32_t nslots, nused;
    bool failed; /* there was no memory: what was told of nodes is not to be relied upon */
} kq_plan_met;

/* Is the node met for the first time? One that can't be shared is not asked for. False also without memory. */
bool kq_plan_first(kq_plan_met *met, const kq_plan *plan);

/* The same of a column of a node's output. */
bool kq_plan_first_column(kq_plan_met *met, const kq_plan *plan, uint32_t column);

/* Which one the node is among those met, from 1 on; 0 when it is none. */
uint32_t kq_plan_nth(const kq_plan_met *met, const kq_plan *plan);

/* To be walked: no MATERIALIZE that was met before. */
static inline bool kq_plan_enter(kq_plan_met *met, const kq_plan *plan) {
    return plan->kind != KQ_PLAN_MATERIALIZE || kq_plan_first(met, plan);
}

#endif
