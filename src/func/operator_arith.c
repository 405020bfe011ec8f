/* + - * / % and the sign: long wraps, real follows IEEE, datetime leaves its range as null. */
#include "base/time.h"
#include "column/decimal.h"
#include "func/kernel.h"
#include "func/rows.h"
#include <math.h>

#define LONG_OP(name, op)                                                                                              \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = (int64_t)((uint64_t)x op(uint64_t) y););                   \
        return KQ_OK;                                                                                                  \
    }
LONG_OP(kq_fn_add_long, +)
LONG_OP(kq_fn_sub_long, -)
LONG_OP(kq_fn_mul_long, *)

#define REAL_OP(name, op)                                                                                              \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        double *out = KQ_OUT(call, double);                                                                            \
        KQ_BINARY(call, double, x, double, y, r, out[r] = x op y;);                                                    \
        return KQ_OK;                                                                                                  \
    }
REAL_OP(kq_fn_add_real, +)
REAL_OP(kq_fn_sub_real, -)
REAL_OP(kq_fn_mul_real, *)
REAL_OP(kq_fn_div_real, /)

static inline void settle(kq_call *call, uint32_t r, bool valid) {
    if (!valid) kq_call_null(call, r);
}

#define DECIMAL_OP(name, function)                                                                                     \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        kq_decimal *out = KQ_OUT(call, kq_decimal);                                                                    \
        KQ_BINARY(call, kq_decimal, x, kq_decimal, y, r, settle(call, r, function(&x, &y, &out[r])););                 \
        return KQ_OK;                                                                                                  \
    }
DECIMAL_OP(kq_fn_add_decimal, kq_decimal_add)
DECIMAL_OP(kq_fn_sub_decimal, kq_decimal_sub)
DECIMAL_OP(kq_fn_mul_decimal, kq_decimal_mul)
DECIMAL_OP(kq_fn_div_decimal, kq_decimal_div)
DECIMAL_OP(kq_fn_mod_decimal, kq_decimal_mod)

static inline int64_t divide(kq_call *call, uint32_t r, int64_t x, int64_t y) {
    if (y == 0) {
        kq_call_null(call, r);
        return 0;
    }
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}

kq_status kq_fn_div_long(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = divide(call, r, x, y););
    return KQ_OK;
}

/* The remainder in [0, |y|), whatever the signs. Source: Kusto documentation, numerical operators. */
static inline int64_t modulo(kq_call *call, uint32_t r, int64_t x, int64_t y) {
    if (y == 0) kq_call_null(call, r);
    if (y == 0 || y == -1) return 0;
    int64_t m = x % y;
    if (m >= 0) return m;
    return (int64_t)((uint64_t)m + (y < 0 ? 0 - (uint64_t)y : (uint64_t)y));
}

kq_status kq_fn_mod_long(kq_call *call, kq_error *err) { /* and timespan */
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = modulo(call, r, x, y););
    return KQ_OK;
}

kq_status kq_fn_mod_real(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_BINARY(call, double, x, double, y, r, double m = fmod(x, y); out[r] = m < 0 ? m + fabs(y) : m;);
    return KQ_OK;
}

/* A datetime that leaves the calendar is null. */
static inline int64_t move(kq_call *call, uint32_t r, int64_t x, int64_t y, bool back) {
    int64_t t;
    if ((back ? __builtin_sub_overflow(x, y, &t) : __builtin_add_overflow(x, y, &t)) || t < 0 || t > KQ_TICKS_MAX) {
        kq_call_null(call, r);
        return 0;
    }
    return t;
}

kq_status kq_fn_add_datetime(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = move(call, r, x, y, false););
    return KQ_OK;
}

kq_status kq_fn_sub_datetime(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = move(call, r, x, y, true););
    return KQ_OK;
}

/* A timespan out of range is null. */
static int64_t span_of(kq_call *call, uint32_t r, double ticks) {
    if (ticks >= -9223372036854775808.0 && ticks < 9223372036854775808.0) return (int64_t)nearbyint(ticks);
    kq_call_null(call, r);
    return 0;
}

kq_status kq_fn_mul_span_real(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, double, y, r, out[r] = span_of(call, r, (double)x * y););
    return KQ_OK;
}

kq_status kq_fn_mul_real_span(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, double, x, int64_t, y, r, out[r] = span_of(call, r, x * (double)y););
    return KQ_OK;
}

kq_status kq_fn_div_span_real(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, double, y, r, out[r] = span_of(call, r, (double)x / y););
    return KQ_OK;
}

kq_status kq_fn_div_span_span(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = (double)x / (double)y;);
    return KQ_OK;
}

kq_status kq_fn_neg_long(kq_call *call, kq_error *err) { /* and timespan */
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_UNARY(call, int64_t, x, r, out[r] = (int64_t)(0 - (uint64_t)x););
    return KQ_OK;
}

kq_status kq_fn_neg_real(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_UNARY(call, double, x, r, out[r] = -x;);
    return KQ_OK;
}

kq_status kq_fn_neg_decimal(kq_call *call, kq_error *err) {
    (void)err;
    kq_decimal *out = KQ_OUT(call, kq_decimal);
    KQ_UNARY(call, kq_decimal, x, r, out[r] = x; out[r].negative = !x.negative && (x.lo || x.hi););
    return KQ_OK;
}

/* Rows that exist to be refused: an operator that Kusto does not define for two dynamics or two strings. */
kq_status kq_prepare_untyped(kq_prepare *p, const void **state, kq_error *err) {
    (void)state;
    char letter = p->fn->pattern[2];
    if (letter == 'y') {
        kq_status status =
            kq_fail(err, KQ_ERR_QUERY, "the operator '%s' is not defined for two values of type dynamic", p->fn->name);
        kq_error_hint(err, "cast them first, with tostring(), tolong(), todouble() or todatetime()");
        return status;
    }
    return kq_fail(err, KQ_ERR_QUERY, "the operator '%s' is not defined for values of type %s", p->fn->name,
                   letter == 's' ? "string" : "guid");
}

kq_status kq_fn_untyped(kq_call *call, kq_error *err) {
    return kq_fail(err, KQ_ERR_QUERY, "the operator '%s' is not defined for these types", call->fn->name);
}
