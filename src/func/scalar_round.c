/* bin, bin_at, floor, ceiling, round: to multiples. A bin that is not positive gives null. */
#include "base/time.h"
#include "column/decimal.h"
#include "func/kernel.h"
#include "func/rows.h"
#include <math.h>

static inline int64_t floor_to(int64_t x, int64_t size) {
    int64_t rest = x % size;
    if (rest < 0) rest += size;
    return (int64_t)((uint64_t)x - (uint64_t)rest);
}

static inline int64_t bin_row(kq_call *call, uint32_t r, int64_t x, int64_t size) {
    if (size > 0) return floor_to(x, size);
    kq_call_null(call, r);
    return 0;
}

/* long, timespan, and datetime, whose bins count from 0001-01-01. */
kq_status kq_fn_bin_long(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    const kq_vector *size = call->args[1];
    if (size->constant && kq_vec_long(size)[0] > 0 && !call->args[0]->constant) {
        const int64_t s = kq_vec_long(size)[0];
        KQ_UNARY(call, int64_t, x, r, out[r] = floor_to(x, s););
    } else {
        KQ_BINARY(call, int64_t, x, int64_t, s, r, out[r] = bin_row(call, r, x, s););
    }
    return KQ_OK;
}

static inline double bin_real_row(kq_call *call, uint32_t r, double x, double size) {
    if (size > 0) return floor(x / size) * size;
    kq_call_null(call, r);
    return 0;
}

kq_status kq_fn_bin_real(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_BINARY(call, double, x, double, s, r, out[r] = bin_real_row(call, r, x, s););
    return KQ_OK;
}

static inline void bin_decimal_row(kq_call *call, uint32_t r, const kq_decimal *x, const kq_decimal *size) {
    kq_decimal rest, zero = {0};
    if (kq_decimal_cmp(size, &zero) <= 0 || !kq_decimal_mod(x, size, &rest) ||
        !kq_decimal_sub(x, &rest, &KQ_OUT(call, kq_decimal)[r]))
        kq_call_null(call, r);
}

kq_status kq_fn_bin_decimal(kq_call *call, kq_error *err) {
    (void)err;
    KQ_BINARY(call, kq_decimal, x, kq_decimal, s, r, bin_decimal_row(call, r, &x, &s););
    return KQ_OK;
}

static void bin_at_row(kq_call *call, uint32_t r) {
    int64_t x = kq_call_value(call, 0, r).u.l, size = kq_call_value(call, 1, r).u.l;
    int64_t point = kq_call_value(call, 2, r).u.l, *out = &KQ_OUT(call, int64_t)[r];
    *out = 0;
    if (size > 0) {
        __int128 rest = ((__int128)x - point) % size;
        if (rest < 0) rest += size;
        __int128 at = (__int128)x - rest;
        if (at >= INT64_MIN && (call->out->type != KQ_DATETIME || at >= 0)) {
            *out = (int64_t)at;
            return;
        }
    }
    kq_call_null(call, r);
}

kq_status kq_fn_bin_at_long(kq_call *call, kq_error *err) { /* and datetime, timespan */
    (void)err;
    KQ_EACH(call, r, bin_at_row(call, r););
    return KQ_OK;
}

static void bin_at_real_row(kq_call *call, uint32_t r) {
    double x = kq_call_value(call, 0, r).u.r, size = kq_call_value(call, 1, r).u.r;
    double point = kq_call_value(call, 2, r).u.r;
    if (size > 0)
        KQ_OUT(call, double)[r] = point + floor((x - point) / size) * size;
    else
        kq_call_null(call, r);
}

kq_status kq_fn_bin_at_real(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, bin_at_real_row(call, r););
    return KQ_OK;
}

/* Halves away from zero, at `digits` after the point. */
static double round_at(double x, int64_t digits) {
    if (digits == 0) return round(x);
    if (digits > 300 || digits < -300) return digits > 0 ? x : 0;
    double scale = pow(10, (double)(digits < 0 ? -digits : digits));
    double scaled = digits > 0 ? x * scale : x / scale;
    if (!isfinite(scaled)) return x;
    return digits > 0 ? round(scaled) / scale : round(scaled) * scale;
}

static inline int64_t digits_of(const kq_call *call, uint32_t r) {
    return call->nargs < 2 ? 0 : kq_vec_long(call->args[1])[kq_vec_at(call->args[1], r)];
}

kq_status kq_fn_round_long(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_UNARY(call, int64_t, x, r, out[r] = x;);
    return KQ_OK;
}

kq_status kq_fn_round_real(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    KQ_UNARY(call, double, x, r, out[r] = round_at(x, digits_of(call, r)););
    return KQ_OK;
}

static inline void round_decimal_row(kq_call *call, uint32_t r, const kq_decimal *x, int64_t digits,
                                     kq_decimal_rounding how) {
    int at = digits > 6000 ? 6000 : digits < -6000 ? -6000 : (int)digits;
    if (!kq_decimal_round(x, at, how, &KQ_OUT(call, kq_decimal)[r])) kq_call_null(call, r);
}

kq_status kq_fn_round_decimal(kq_call *call, kq_error *err) {
    (void)err;
    KQ_UNARY(call, kq_decimal, x, r, round_decimal_row(call, r, &x, digits_of(call, r), KQ_DECIMAL_HALF_AWAY););
    return KQ_OK;
}

kq_status kq_fn_ceiling_decimal(kq_call *call, kq_error *err) {
    (void)err;
    KQ_UNARY(call, kq_decimal, x, r, round_decimal_row(call, r, &x, 0, KQ_DECIMAL_CEILING););
    return KQ_OK;
}
