/*
 * Columns that a query's filters ask for and that are empty in all rows here that its other filters let pass: a rule
 * for the CommandLine of EventID 1102 is silent for ever. Unlike what maps never give (lacking.h) it is found by
 * reading.
 */
#ifndef KQ_EXEC_EMPTIES_H
#define KQ_EXEC_EMPTIES_H

#include "exec/lacking.h"

/* Calls `tell` once, and sets *told, when no row can come of a plan because such a column is empty. With `every` also
 * of a summary without groups that no row gets to. Reads the inputs once for each table whose columns are asked, unless
 * that is remembered. `runner` as in kq_lacking. Errors: NOMEM, LIMIT, those of reading, and tell's. */
kq_status kq_empties(kq_runner *runner, const kq_query *query, kq_arena *arena, bool every, kq_lacking_fn tell,
                     void *ctx, bool *told, kq_error *err);

#endif
