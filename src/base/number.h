/*
 * Numbers from text and to text, as Kusto reads and prints them, independent of the locale. Pure functions.
 */
#ifndef KQ_BASE_NUMBER_H
#define KQ_BASE_NUMBER_H

#include "base/buf.h"

/* Decimal or 0x hex digits with an optional sign, blanks around; false when anything else or out of range. */
bool kq_number_parse_long(kq_sv text, int64_t *out);
/* Decimal floating point, nan, NaN, inf, Inf, infinity, Infinity, blanks around; false otherwise. Correctly rounded. */
bool kq_number_parse_real(kq_sv text, double *out);

void kq_number_print_long(int64_t l, kq_buf *out);
/* Shortest text that reads back the same, as tostring() prints it: "1.0", "0.1", "1E+20", "NaN", "Infinity". */
void kq_number_print_real(double r, kq_buf *out);

#endif
