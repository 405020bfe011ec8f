/*
 * Calls a scalar function by name on single values and gives the result as text, for unit tests.
 */
#ifndef KQ_TEST_CALL_H
#define KQ_TEST_CALL_H

#include "column/value.h"

/* Arguments: dynamic from JSON ("null" is a null dynamic), string, long, real, bool. */
kq_value call_dyn(const char *json);
kq_value call_str(const char *s);
kq_value call_long(int64_t l);
kq_value call_real(double r);
kq_value call_bool(bool b);

/* The result as its JSON, valid until the next call; "refused: ..." when no overload fits. The function is called on
 * constants and again on vectors with a selection: both must agree. */
const char *call_scalar(const char *name, const kq_value *args, uint32_t nargs);
/* Frees what the functions above hold on to. */
void call_done(void);

#define CALL(name, ...)                                                                                                \
    call_scalar(name, (const kq_value[]){__VA_ARGS__}, sizeof((const kq_value[]){__VA_ARGS__}) / sizeof(kq_value))
#define D call_dyn
#define S call_str
#define L call_long
#define R call_real
#define B call_bool

#endif
