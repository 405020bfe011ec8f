/*
 * Conversions of single values, as tolong(), todouble() and their kin make them: what the row functions, `to typeof`
 * and parse's typed captures share. Pure functions; false: null.
 */
#ifndef KQ_FUNC_CONVERT_H
#define KQ_FUNC_CONVERT_H

#include "column/value.h"

/* Converts `v` (not null) to `to`, which is neither string nor dynamic. */
bool kq_convert(const kq_value *v, kq_type to, kq_value *out);

bool kq_guid_parse(kq_sv text, kq_guid *out);

/* Truncates; out of range saturates; NaN and infinities are false. */
bool kq_real_to_long(double r, int64_t *out);
bool kq_real_to_int(double r, int32_t *out);

#endif
