/*
 * Reach: can the filters of a query hold for rows of which some columns are known beforehand? A source that never has
 * AccountUpn gives "" for it, and a rule that asks for one is silent for ever: that is to be told, not to be found out.
 *
 * The rows of a plan are taken apart into legs: those of one source, each with the columns that are always the same in
 * it, or one of a few values. A leg goes up the plan through projections, unions and joins; a filter that can't hold
 * for it ends it.
 */
#ifndef KQ_KQL_REACH_H
#define KQ_KQL_REACH_H

#include "kql/plan.h"
#include "kql/text_op.h"

/* What is known of a column of a leg. */
typedef struct kq_known {
    const kq_value *values; /* all that it can be; what several columns are together is not known */
    uint32_t n;             /* 0: nothing is known */
    const void *why;        /* the caller's, of the scan's column that it comes from; NULL: the query says so itself, or
                               there is nothing to be asked of it (kq_reach.can) */
} kq_known;

typedef struct kq_leg {
    const kq_known *columns;   /* of the plan's out */
    const void *from;          /* the caller's, of its scan; of a join's pair, of the left one; may be NULL */
    const struct kq_leg *also; /* of a join, the other side's legs, any of which it needs; of a summary
                                  without groups what it is of; may be NULL */
    struct kq_leg *next;
} kq_leg;

/* Why a leg is not there: a kq_known's, or the caller's of a scan without legs. */
typedef struct kq_ended {
    const void *why;
    kq_span at; /* the condition that did not hold, or the scan */
    struct kq_ended *next;
} kq_ended;

/* All in the arena of kq_reach. No leg: no row, whatever is read. */
typedef struct kq_legs {
    kq_leg *legs;
    kq_ended *ended; /* why there are no more, the first met first; of an operator that needs both inputs, of one
                        without legs only */
    bool of_nothing; /* the legs are the row of a summary without groups that no row gets to */
} kq_legs;

typedef struct kq_reach {
    /* Gives the legs of a scan, and why there is none. */
    kq_status (*scan)(void *ctx, const kq_plan *scan, kq_legs *out, kq_error *err);
    /* Can a column of which nothing else is known have a text with this needle? *why, a kq_ended's, when it can't. The
     * operator is asked as one that ignores case with `ci`. */
    bool (*can)(void *ctx, const void *column, const kq_text_op *op, bool ci, kq_sv needle, const void **why);
    /* An input of a union has one value in a column because the query itself says so, or (`padded`) because the input
     * has no such column. Gives a kq_known.why, or NULL. `from`: of the leg. May be NULL. */
    const void *(*made)(void *ctx, const void *from, kq_span at, kq_sv column, const kq_value *value, bool padded);
    /* Legs of a subquery, without which what a filter asks of it does not hold. May be NULL. */
    void (*list)(void *ctx, const kq_leg *legs);
    /* A filter asks for a column of which something is known; then no filter ends a leg. May be NULL. */
    void (*ask)(void *ctx, const void *why);
    void (*end)(void *ctx, const void *why); /* a leg ended; also one that kq_legs.ended does not have */
    void *ctx;
    kq_arena *arena;
} kq_reach;

/* The legs of a plan. Errors: NOMEM, LIMIT, scan's. */
kq_status kq_reach_legs(const kq_reach *reach, const kq_plan *plan, kq_legs *out, kq_error *err);

#endif
