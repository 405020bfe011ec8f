/*
 * Lists on the right side of `in`, `has_any` and their kin: scalars, or dynamic arrays whose nested arrays are
 * flattened. Internal to func/.
 */
#ifndef KQ_FUNC_TEXT_LIST_H
#define KQ_FUNC_TEXT_LIST_H

#include "func/scalar.h"

/* Calls `each` for every scalar that is not null in `list` (a scalar, or an array however nested); stops when it
 * returns false and then returns false. */
bool kq_list_each(const kq_value *list, bool (*each)(void *ctx, const kq_value *item), void *ctx);

/* The texts of all items of the arguments from..nargs at `row`, as tostring() gives them; in `arena`. */
kq_status kq_list_texts(const kq_vector *const *args, uint32_t from, uint32_t nargs, uint32_t row, kq_arena *arena,
                        kq_sv **texts, size_t *n, kq_error *err);

#endif
