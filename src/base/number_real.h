/*
 * The two conversions between text and double that C does not have without the locale: shortest digits and correctly
 * rounded reading. Private to base; implemented in C++ over <charconv>.
 */
#ifndef KQ_BASE_NUMBER_REAL_H
#define KQ_BASE_NUMBER_REAL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fewest decimal digits that read back as the finite r > 0, without point, into digits[17]; their count, and the
 * exponent of the first: d.ddd * 10^exponent. */
unsigned kq_real_digits(double r, char digits[17], int *exponent);

/* Reads all n bytes as digits[.digits][e[+-]digits], at least one digit; false when they are anything else or too
 * large for a double. What is too small is 0. */
bool kq_real_read(const char *p, size_t n, double *out);

#ifdef __cplusplus
}
#endif

#endif
