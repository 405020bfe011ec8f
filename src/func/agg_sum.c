/* count, sum, avg, variance and their kin, and the bitwise aggregates. */
#include "column/decimal.h"
#include "func/agg_state.h"
#include "func/rows.h"
#include <math.h>

/* The rows that count: those whose arguments are not null and for which the condition holds. `k` numbers the state. */
#define FOR_ROWS(call, value, condition)                                                                               \
    for (uint32_t k = 0, row; k < (call)->n && (row = kq_agg_row((call), k), true); k++)                               \
        if (!kq_vec_is_null((value), row) && kq_agg_holds((condition), row))

/* ---- counts ---- */

kq_status kq_agg_count_update(kq_agg_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) ((kq_agg_number *)call->states[k])->lo++;
    return KQ_OK;
}

kq_status kq_agg_countif_update(kq_agg_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++)
        ((kq_agg_number *)call->states[k])->lo += kq_agg_holds(call->args[0], kq_agg_row(call, k));
    return KQ_OK;
}

static void add_numbers(void *into, const void *from) {
    kq_agg_number *a = into;
    const kq_agg_number *b = from;
    uint64_t lo = a->lo + b->lo;
    a->hi += b->hi + (lo < a->lo);
    a->lo = lo;
    a->count += b->count;
}

kq_status kq_agg_count_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    (void)env;
    (void)err;
    add_numbers(into, from);
    return KQ_OK;
}

kq_status kq_agg_countif_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return kq_agg_count_combine(env, into, from, err);
}

kq_status kq_agg_count_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)env;
    (void)err;
    *out = kq_value_long((int64_t)((const kq_agg_number *)state)->lo);
    return KQ_OK;
}

kq_status kq_agg_countif_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    return kq_agg_count_finish(env, state, out, err);
}

/* ---- integers and ticks ---- */

kq_status kq_agg_sum_long_update(kq_agg_call *call, kq_error *err) {
    (void)err;
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    const int64_t *values = kq_vec_long(v);
    FOR_ROWS(call, v, condition) {
        kq_agg_number *s = call->states[k];
        int64_t x = values[kq_vec_at(v, row)];
        uint64_t lo = s->lo + (uint64_t)x;
        s->hi += (x < 0 ? UINT64_MAX : 0) + (lo < s->lo);
        s->lo = lo;
        s->count++;
    }
    return KQ_OK;
}

kq_status kq_agg_sum_long_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return kq_agg_count_combine(env, into, from, err);
}

/* long, or the timespan that the argument is. */
static kq_value ticks_or_long(const kq_agg_env *env, int64_t l) {
    kq_value v = kq_value_long(l);
    if (env->types[0] == KQ_TIMESPAN || env->types[0] == KQ_DATETIME) v.type = env->types[0];
    return v;
}

kq_status kq_agg_sum_long_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)err;
    *out = ticks_or_long(env, (int64_t)((const kq_agg_number *)state)->lo);
    return KQ_OK;
}

kq_status kq_agg_avg_long_update(kq_agg_call *call, kq_error *err) {
    return kq_agg_sum_long_update(call, err);
}
kq_status kq_agg_avg_long_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return kq_agg_count_combine(env, into, from, err);
}
kq_status kq_agg_avg_long_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)env;
    (void)err;
    const kq_agg_number *s = state;
    *out = kq_value_real(s->count ? (double)(int64_t)s->lo / (double)s->count : NAN);
    return KQ_OK;
}

kq_status kq_agg_avg_ticks_update(kq_agg_call *call, kq_error *err) {
    return kq_agg_sum_long_update(call, err);
}
kq_status kq_agg_avg_ticks_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return kq_agg_count_combine(env, into, from, err);
}
kq_status kq_agg_avg_ticks_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)err;
    const kq_agg_number *s = state;
    *out = kq_value_null(env->types[0]);
    /* A mean of 64-bit numbers is one: only their sum is not. */
    __int128 sum = (__int128)((unsigned __int128)s->hi << 64 | s->lo);
    if (s->count) *out = ticks_or_long(env, (int64_t)(sum / s->count));
    return KQ_OK;
}

/* ---- real ---- */

kq_status kq_agg_sum_real_update(kq_agg_call *call, kq_error *err) {
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    const double *values = kq_vec_real(v);
    FOR_ROWS(call, v, condition) {
        kq_agg_real *s = call->states[k];
        KQ_TRY(kq_exact_add(&s->sum, values[kq_vec_at(v, row)], call->arena, err));
        s->count++;
    }
    return KQ_OK;
}

kq_status kq_agg_sum_real_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    kq_agg_real *a = into;
    const kq_agg_real *b = from;
    a->count += b->count;
    return kq_exact_merge(&a->sum, &b->sum, env->arena, err);
}

kq_status kq_agg_sum_real_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)env;
    (void)err;
    double hi, lo;
    kq_exact_value(&((const kq_agg_real *)state)->sum, &hi, &lo);
    *out = kq_value_real(hi);
    return KQ_OK;
}

/* Sums are exact: differences and quotients of them are taken with 113 bits, and rounded once. */
__extension__ typedef __float128 quad;

static quad wide(const kq_exact *sum) {
    double hi, lo;
    kq_exact_value(sum, &hi, &lo);
    return (quad)hi + (quad)lo;
}

kq_status kq_agg_avg_real_update(kq_agg_call *call, kq_error *err) {
    return kq_agg_sum_real_update(call, err);
}
kq_status kq_agg_avg_real_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return kq_agg_sum_real_combine(env, into, from, err);
}
kq_status kq_agg_avg_real_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)env;
    (void)err;
    const kq_agg_real *s = state;
    *out = kq_value_real(s->count ? (double)(wide(&s->sum) / (quad)s->count) : NAN);
    return KQ_OK;
}

/* ---- decimal ---- */

kq_status kq_agg_sum_decimal_update(kq_agg_call *call, kq_error *err) {
    (void)err;
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    FOR_ROWS(call, v, condition) {
        kq_agg_decimal *s = call->states[k];
        if (!kq_decimal_add(&s->sum, &kq_vec_decimal(v)[kq_vec_at(v, row)], &s->sum)) s->overflow = 1;
        s->count++;
    }
    return KQ_OK;
}

kq_status kq_agg_sum_decimal_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    (void)env;
    (void)err;
    kq_agg_decimal *a = into;
    const kq_agg_decimal *b = from;
    a->count += b->count;
    a->overflow |= b->overflow;
    if (!kq_decimal_add(&a->sum, &b->sum, &a->sum)) a->overflow = 1;
    return KQ_OK;
}

kq_status kq_agg_sum_decimal_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)env;
    (void)err;
    const kq_agg_decimal *s = state;
    *out = (kq_value){.type = KQ_DECIMAL, .null = s->overflow != 0, .u.m = s->sum};
    return KQ_OK;
}

kq_status kq_agg_avg_decimal_update(kq_agg_call *call, kq_error *err) {
    return kq_agg_sum_decimal_update(call, err);
}
kq_status kq_agg_avg_decimal_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return kq_agg_sum_decimal_combine(env, into, from, err);
}
kq_status kq_agg_avg_decimal_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    const kq_agg_decimal *s = state;
    KQ_TRY(kq_agg_sum_decimal_finish(env, state, out, err));
    kq_decimal n = kq_decimal_from_long(s->count);
    if (!s->count || out->null || !kq_decimal_div(&s->sum, &n, &out->u.m)) *out = kq_value_null(KQ_DECIMAL);
    return KQ_OK;
}

/* ---- moments ---- */

kq_status kq_agg_variance_update(kq_agg_call *call, kq_error *err) {
    const kq_vector *x = call->args[0], *condition = kq_agg_condition(call, 1);
    const kq_vector *y = call->nargs > 1 && call->args[1]->type == KQ_REAL ? call->args[1] : NULL;
    FOR_ROWS(call, x, condition) {
        if (y && kq_vec_is_null(y, row)) continue;
        kq_agg_moments *s = call->states[k];
        double a = kq_vec_real(x)[kq_vec_at(x, row)], b = y ? kq_vec_real(y)[kq_vec_at(y, row)] : a;
        KQ_TRY(kq_exact_add(&s->x, a, call->arena, err));
        if (y) KQ_TRY(kq_exact_add(&s->y, b, call->arena, err));
        KQ_TRY(kq_exact_add_product(&s->xy, a, b, call->arena, err));
        s->count++;
    }
    return KQ_OK;
}

kq_status kq_agg_variance_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    kq_agg_moments *a = into;
    const kq_agg_moments *b = from;
    a->count += b->count;
    KQ_TRY(kq_exact_merge(&a->x, &b->x, env->arena, err));
    KQ_TRY(kq_exact_merge(&a->y, &b->y, env->arena, err));
    return kq_exact_merge(&a->xy, &b->xy, env->arena, err);
}

static double covariance(const kq_agg_env *env, const kq_agg_moments *s, bool sample) {
    bool two = env->nargs > 1 && env->types[1] == KQ_REAL;
    int64_t n = s->count, divisor = sample ? n - 1 : n;
    if (divisor <= 0) return 0;
    quad x = wide(&s->x), y = two ? wide(&s->y) : x;
    double r = (double)((wide(&s->xy) - x * y / (quad)n) / (quad)divisor);
    return r < 0 && !two ? 0 : r;
}

/* Kusto rounds variances to ten decimals, before it takes the root for a deviation too (recorded answers). */
static double ten_decimals(double v) {
    return fabs(v) < 1e16 ? nearbyint(v * 1e10) / 1e10 : v;
}

kq_status kq_agg_variance_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)err;
    *out = kq_value_real(ten_decimals(covariance(env, state, true)));
    return KQ_OK;
}

#define KQ_AGG_SAME_AS_VARIANCE(verb, expression)                                                                      \
    kq_status kq_agg_##verb##_update(kq_agg_call *call, kq_error *err) {                                               \
        return kq_agg_variance_update(call, err);                                                                      \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {                  \
        return kq_agg_variance_combine(env, into, from, err);                                                          \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {               \
        (void)err;                                                                                                     \
        *out = kq_value_real(expression);                                                                              \
        return KQ_OK;                                                                                                  \
    }
KQ_AGG_SAME_AS_VARIANCE(variancep, ten_decimals(covariance(env, state, false)))
KQ_AGG_SAME_AS_VARIANCE(stdev, sqrt(ten_decimals(covariance(env, state, true))))
KQ_AGG_SAME_AS_VARIANCE(stdevp, sqrt(ten_decimals(covariance(env, state, false))))

/* ---- bits ---- */

#define KQ_AGG_BITS(verb, op, start)                                                                                   \
    kq_status kq_agg_bits_##verb##_update(kq_agg_call *call, kq_error *err) {                                          \
        (void)err;                                                                                                     \
        const kq_vector *v = call->args[0];                                                                            \
        FOR_ROWS(call, v, NULL) {                                                                                      \
            kq_agg_number *s = call->states[k];                                                                        \
            uint64_t x = (uint64_t)kq_vec_long(v)[kq_vec_at(v, row)];                                                  \
            s->lo = (s->count++ ? s->lo : (start))op x;                                                                \
        }                                                                                                              \
        return KQ_OK;                                                                                                  \
    }                                                                                                                  \
    kq_status kq_agg_bits_##verb##_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {             \
        (void)env;                                                                                                     \
        (void)err;                                                                                                     \
        kq_agg_number *a = into;                                                                                       \
        const kq_agg_number *b = from;                                                                                 \
        if (b->count) a->lo = (a->count ? a->lo : (start))op b->lo;                                                    \
        a->count += b->count;                                                                                          \
        return KQ_OK;                                                                                                  \
    }                                                                                                                  \
    kq_status kq_agg_bits_##verb##_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {          \
        (void)env;                                                                                                     \
        (void)err;                                                                                                     \
        const kq_agg_number *s = state;                                                                                \
        *out = s->count ? kq_value_long((int64_t)s->lo) : kq_value_null(KQ_LONG);                                      \
        return KQ_OK;                                                                                                  \
    }
KQ_AGG_BITS(and, &, UINT64_MAX)
KQ_AGG_BITS(or, |, 0)
KQ_AGG_BITS(xor, ^, 0)
