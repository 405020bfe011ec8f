/*
 * What a query can't find in the inputs: filters that no row of any source here can pass, because a column they ask for
 * is never there, or always another text, or (empties.h) has nothing in all rows that other filters let pass.
 */
#ifndef KQ_EXEC_LACKING_H
#define KQ_EXEC_LACKING_H

#include "exec/runner.h"

/* A sentence for the user; `nothing`: no row can come from any source here. `at`: of the query's text, of a stored
 * function the place where it is called; KQ_NO_SPAN when there is none. */
typedef kq_status (*kq_lacking_fn)(void *ctx, bool nothing, const char *sentence, kq_span at, kq_error *err);

/* Calls `tell` when no row can come of the inputs, whatever they hold: a branch of a union or the optional side of a
 * join that gives none is nothing to tell. Once, or with `every` for each source of the first table that gives none;
 * with `every` also, of a query that reads one table, for each source here that its filters leave out, and of a query
 * that gives no row whatever is read. Reads the inputs
 * (counts the records of each source) only when there may be something to tell. Errors: those of kq_runner_bind, of
 * reading, and tell's; without `every`, where the query's answer is there already, no LIMIT and no DEADLINE: then
 * nothing is told. */
kq_status kq_lacking(kq_runner *runner, kq_sv text, bool every, kq_lacking_fn tell, void *ctx, kq_error *err);

/* A kq_lacking_fn that makes the sentence a note of the runner, its ctx. */
kq_status kq_lacking_note(void *runner, bool nothing, const char *sentence, kq_span at, kq_error *err);

#endif
