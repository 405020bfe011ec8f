/*
 * Numbers from text and to text, as Kusto reads and prints them, independent of the locale. Pure functions.
 */
#ifndef KQ_BASE_NUMBER_H
#define KQ_BASE_NUMBER_H

#include "base/buf.h"

/* Decimal or 0x hex digits with an optional sign, blanks around; false when anything else or out of range. */
bool kq_number_parse_long(kq_sv text, int64_t *out);
/* The digits of a whole number that is written as a real, "4688.0" as "4688": so programs write integers of a column
 * with gaps. Anything else is returned as it is. */
kq_sv kq_number_whole(kq_sv text);
/* Decimal floating point, nan, NaN, inf, Inf, infinity, Infinity, blanks around; false otherwise. Correctly rounded. */
bool kq_number_parse_real(kq_sv text, double *out);

void kq_number_print_long(int64_t l, kq_buf *out);
/* Writes the digits, at most 20 bytes, and returns where they end. No NUL. */
char *kq_number_write_ulong(uint64_t u, char *to);
/* As tostring() prints it: "1.0", "0.1", "1E+20", "NaN", "Infinity". It reads back the same; where 15 digits do not
 * suffice, Kusto's digits are the shortest run of those of the upper end of the double's interval, not the nearest:
 * 0.1 + 0.2 is "0.30000000000000007". */
void kq_number_print_real(double r, kq_buf *out);
/* The same with the shortest nearest digits, as cells of a result print: 0.30000000000000004. */
void kq_number_print_real_shortest(double r, kq_buf *out);

#endif
