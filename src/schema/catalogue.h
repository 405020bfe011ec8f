/*
 * The catalogue: the tables of Log Analytics by name and type (builtin/catalogue.schema), so that any query of Sentinel
 * binds. It is a few hundred kilobytes of text: never read as a whole at start, but a section when its table is asked
 * for. Immutable; any thread.
 */
#ifndef KQ_SCHEMA_CATALOGUE_H
#define KQ_SCHEMA_CATALOGUE_H

#include "schema/model.h"

/* Adds the table `name` to `model`; *out NULL when the catalogue has none. Columns come in the order of their names,
 * as the table reference lists them. Errors: NOMEM, LIMIT. */
kq_status kq_catalogue_load(kq_sv name, kq_model *model, kq_arena *arena, const kq_model_table **out, kq_error *err);

/* The next name, in order; *at begins with 0. False at the end. */
bool kq_catalogue_next(size_t *at, kq_sv *name);

/* The table that the fields `names` (NUL-terminated, one after another) are columns of: with a name that stands in
 * `file`, three of them and 60 % must be; otherwise 90 %, and no other table may have as many. "" when there is none,
 * or when no field is a time as every export has it. */
kq_sv kq_catalogue_recognise(const kq_buf *names, const char *file);

#endif
