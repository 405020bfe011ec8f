/*
 * decimal: 34 significant digits, base 10, as Kusto's decimal. Arithmetic rounds half to even at 34 digits; no NaN and
 * no infinity: what has no result is false (KQL null).
 */
#ifndef KQ_COLUMN_DECIMAL_H
#define KQ_COLUMN_DECIMAL_H

#include "base/buf.h"
#include "column/type.h"

bool kq_decimal_parse(kq_sv text, kq_decimal *out);
kq_decimal kq_decimal_from_long(int64_t l);
bool kq_decimal_from_real(double r, kq_decimal *out);
double kq_decimal_to_real(const kq_decimal *d);
bool kq_decimal_to_long(const kq_decimal *d, int64_t *out); /* truncates; false when out of range */
void kq_decimal_print(const kq_decimal *d, kq_buf *out);
int kq_decimal_cmp(const kq_decimal *a, const kq_decimal *b); /* 1.0 equals 1.00 */
kq_decimal kq_decimal_normal(const kq_decimal *d);            /* trailing zeros removed: equal values, equal bits */
bool kq_decimal_add(const kq_decimal *a, const kq_decimal *b, kq_decimal *out);
bool kq_decimal_sub(const kq_decimal *a, const kq_decimal *b, kq_decimal *out);
bool kq_decimal_mul(const kq_decimal *a, const kq_decimal *b, kq_decimal *out);
bool kq_decimal_div(const kq_decimal *a, const kq_decimal *b, kq_decimal *out);
/* The remainder in [0, |b|), as KQL's %; false when b is 0. */
bool kq_decimal_mod(const kq_decimal *a, const kq_decimal *b, kq_decimal *out);
/* At most `digits` digits after the point (negative: zeros before it). */
typedef enum kq_decimal_rounding { KQ_DECIMAL_FLOOR, KQ_DECIMAL_CEILING, KQ_DECIMAL_HALF_AWAY } kq_decimal_rounding;
bool kq_decimal_round(const kq_decimal *d, int digits, kq_decimal_rounding rounding, kq_decimal *out);

#endif
