/* Functions over numbers, one result a row. What mathematics leaves undefined is NaN, of a logarithm null. */
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include "func/kernel.h"
#include "func/rows.h"
#include <math.h>
#include <stdatomic.h>

#define REAL_FN(name, expr)                                                                                            \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        double *out = KQ_OUT(call, double);                                                                            \
        KQ_UNARY(call, double, x, r, out[r] = expr;);                                                                  \
        return KQ_OK;                                                                                                  \
    }
REAL_FN(kq_fn_abs_real, fabs(x))
REAL_FN(kq_fn_sign, (double)((x > 0) - (x < 0)))
REAL_FN(kq_fn_sqrt, sqrt(x))
REAL_FN(kq_fn_exp, exp(x))
REAL_FN(kq_fn_exp2, exp2(x))
REAL_FN(kq_fn_exp10, pow(10, x)) /* exp10() is off by a bit for whole numbers */
REAL_FN(kq_fn_sin, sin(x))
REAL_FN(kq_fn_cos, cos(x))
REAL_FN(kq_fn_tan, tan(x))
REAL_FN(kq_fn_cot, 1 / tan(x))
REAL_FN(kq_fn_asin, asin(x))
REAL_FN(kq_fn_acos, acos(x))
REAL_FN(kq_fn_atan, atan(x))
REAL_FN(kq_fn_degrees, x *(180 / M_PI))
REAL_FN(kq_fn_radians, x *(M_PI / 180))
REAL_FN(kq_fn_gamma, tgamma(x))
REAL_FN(kq_fn_erf, erf(x))
REAL_FN(kq_fn_erfc, erfc(x))
REAL_FN(kq_fn_ceiling_real, ceil(x))

/* lgamma() writes a global; this does not. */
static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}
REAL_FN(kq_fn_loggamma, log_gamma(x))

/* Of a negative number null, of 0 -Infinity. */
static inline double logarithm(kq_call *call, uint32_t r, double x, double (*log_of)(double)) {
    if (x < 0) {
        kq_call_null(call, r);
        return 0;
    }
    return log_of(x);
}
REAL_FN(kq_fn_log, logarithm(call, r, x, log))
REAL_FN(kq_fn_log2, logarithm(call, r, x, log2))
REAL_FN(kq_fn_log10, logarithm(call, r, x, log10))

kq_status kq_fn_pow(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_BINARY(call, double, x, double, y, r, out[r] = pow(x, y););
    return KQ_OK;
}

kq_status kq_fn_atan2(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_BINARY(call, double, y, double, x, r, out[r] = atan2(y, x););
    return KQ_OK;
}

kq_status kq_fn_pi(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, KQ_OUT(call, double)[r] = M_PI;);
    return KQ_OK;
}

#define TEST_REAL_FN(name, test)                                                                                       \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        uint8_t *out = KQ_OUT(call, uint8_t);                                                                          \
        KQ_UNARY(call, double, x, r, out[r] = (test) != 0;);                                                           \
        return KQ_OK;                                                                                                  \
    }
TEST_REAL_FN(kq_fn_isnan, isnan(x))
TEST_REAL_FN(kq_fn_isinf, isinf(x))
TEST_REAL_FN(kq_fn_isfinite, isfinite(x))

/* Random bits from a number that no two rows share: splitmix64. */
static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Where this process is in its sequence; workers take numbers from it by the chunk. */
static _Atomic uint64_t rand_next;

kq_status kq_fn_rand(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    uint64_t at = atomic_fetch_add(&rand_next, call->n) + mix(kq_clock_ns());
    KQ_EACH(call, r, out[r] = (double)(mix(at++ * UINT64_C(0x9e3779b97f4a7c15)) >> 11) * 0x1p-53;);
    if (call->nargs == 0) return KQ_OK;
    /* rand(n): a whole number below n. */
    KQ_UNARY(call, int64_t, n, r, out[r] = n > 0 ? floor(out[r] * (double)n) : 0;);
    return KQ_OK;
}

#define LONG_FN(name, expr)                                                                                            \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_UNARY(call, int64_t, x, r, out[r] = expr;);                                                                 \
        return KQ_OK;                                                                                                  \
    }
LONG_FN(kq_fn_abs_long, x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
LONG_FN(kq_fn_binary_not, ~x)
LONG_FN(kq_fn_bitset_count_ones, __builtin_popcountll((uint64_t)x))

kq_status kq_fn_abs_decimal(kq_call *call, kq_error *err) {
    (void)err;
    kq_decimal *out = KQ_OUT(call, kq_decimal);
    KQ_UNARY(call, kq_decimal, x, r, out[r] = x; out[r].negative = 0;);
    return KQ_OK;
}

#define BITS_FN(name, op)                                                                                              \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = x op y;);                                                  \
        return KQ_OK;                                                                                                  \
    }
BITS_FN(kq_fn_binary_and, &)
BITS_FN(kq_fn_binary_or, |)
BITS_FN(kq_fn_binary_xor, ^)

/* The shift counts modulo 64; a negative one gives null. */
static inline int64_t shift(kq_call *call, uint32_t r, int64_t x, int64_t by, bool left) {
    if (by < 0) {
        kq_call_null(call, r);
        return 0;
    }
    by &= 63;
    return left ? (int64_t)((uint64_t)x << by) : x >> by;
}

kq_status kq_fn_binary_shift_left(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = shift(call, r, x, y, true););
    return KQ_OK;
}

kq_status kq_fn_binary_shift_right(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY(call, int64_t, x, int64_t, y, r, out[r] = shift(call, r, x, y, false););
    return KQ_OK;
}

/* Elements of range(): no array is longer in Kusto. */
#define RANGE_MAX (1 << 20)

static void put_range_long(kq_dyn_builder *b, kq_type type, int64_t from, int64_t to, int64_t step) {
    int64_t x = from;
    for (int n = 0; n < RANGE_MAX && (step > 0 ? x <= to : x >= to); n++) {
        if (type == KQ_LONG)
            kq_dyn_put_long(b->out, x);
        else
            kq_dyn_put_ticks(b->out, type == KQ_DATETIME ? KQ_DYN_DATETIME : KQ_DYN_TIMESPAN, x);
        kq_dyn_part(b);
        if (__builtin_add_overflow(x, step, &x)) break;
    }
}

static void put_range_real(kq_dyn_builder *b, double from, double to, double step) {
    for (int n = 0; n < RANGE_MAX; n++) {
        double x = from + n * step;
        if (!(step > 0 ? x <= to : x >= to)) break;
        kq_dyn_put_real(b->out, x);
        kq_dyn_part(b);
    }
}

static kq_status range_row(kq_call *call, uint32_t r, kq_buf *text, kq_error *err) {
    kq_value from = kq_call_value(call, 0, r), to = kq_call_value(call, 1, r), step = {.type = from.type};
    bool whole = from.type != KQ_REAL;
    if (call->nargs > 2)
        step = kq_call_value(call, 2, r);
    else if (!whole)
        step.u.r = 1;
    else
        step.u.l = from.type == KQ_LONG ? 1 : KQ_TICK_HOUR;
    /* A step of nothing has no end, and no array. */
    if (whole ? step.u.l == 0 : step.u.r == 0 || !isfinite(from.u.r) || !isfinite(to.u.r) || !isfinite(step.u.r)) {
        kq_call_null(call, r);
        return KQ_OK;
    }
    kq_dyn_builder b;
    kq_buf_clear(text);
    kq_dyn_open(&b, text, false);
    if (whole)
        put_range_long(&b, from.type, from.u.l, to.u.l, step.u.l);
    else
        put_range_real(&b, from.u.r, to.u.r, step.u.r);
    kq_dyn_close(&b);
    KQ_TRY(kq_buf_status(text, err));
    return kq_call_text(call, r, kq_buf_view(text), err);
}

kq_status kq_fn_range(kq_call *call, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, KQ_STR_MAX);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++)
        status = range_row(call, kq_call_row(call, k), &text, err);
    kq_buf_deinit(&text);
    return status;
}
