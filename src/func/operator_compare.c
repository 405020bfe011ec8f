/*
 * == != < <= > >= between. == and != see nulls: one null is false (true for !=), two are null. The others are null when
 * an operand is, which the caller of scalar functions does.
 */
#include "column/decimal.h"
#include "func/kernel.h"
#include "func/rows.h"

/* Equal strings of up to 12 bytes are 16 equal bytes. */
static inline bool same_text(const kq_str *a, const kq_str *b) {
    uint64_t a0, a1, b0, b1;
    memcpy(&a0, a, 8);
    memcpy(&b0, b, 8);
    if (a0 != b0) return false;
    memcpy(&a1, (const char *)a + 8, 8);
    memcpy(&b1, (const char *)b + 8, 8);
    if (a1 == b1) return true;
    return a->len > KQ_STR_INLINE && memcmp(a->u.big.ptr, b->u.big.ptr, a->len) == 0;
}

static inline bool same_guid(const kq_guid *a, const kq_guid *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* Equality (or with `flip` inequality) of values, whatever the nulls. */
#define EQUAL_LOOP(T, test) KQ_BINARY(call, T, x, T, y, r, out[r] = (uint8_t)((test) != flip););

static inline void compare_equal(kq_call *call, const bool flip) {
    uint8_t *out = KQ_OUT(call, uint8_t);
    switch (call->args[0]->type) {
    case KQ_BOOL: EQUAL_LOOP(uint8_t, x == y) break;
    case KQ_INT: EQUAL_LOOP(int32_t, x == y) break;
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: EQUAL_LOOP(int64_t, x == y) break;
    case KQ_REAL: EQUAL_LOOP(double, x == y) break;
    case KQ_DECIMAL: EQUAL_LOOP(kq_decimal, kq_decimal_cmp(&x, &y) == 0) break;
    case KQ_GUID: EQUAL_LOOP(kq_guid, same_guid(&x, &y)) break;
    case KQ_STRING:
    case KQ_DYNAMIC: EQUAL_LOOP(kq_str, same_text(&x, &y)) break;
    case KQ_TYPE_COUNT: break;
    }
}

static inline void settle_row(kq_call *call, uint32_t r, uint8_t *out, bool unequal) {
    bool a = kq_vec_is_null(call->args[0], r), b = kq_vec_is_null(call->args[1], r);
    if (a && b) {
        *out = 0;
        kq_call_null(call, r);
    } else if (a || b) {
        *out = unequal;
    }
}

/* Puts the rows right in which an operand is null: one null gives `unequal`, two give null. */
static void settle_nulls(kq_call *call, bool unequal) {
    if (!call->args[0]->nulls && !call->args[1]->nulls) return;
    uint8_t *out = KQ_OUT(call, uint8_t);
    KQ_EACH(call, r, settle_row(call, r, &out[r], unequal););
}

kq_status kq_fn_equal(kq_call *call, kq_error *err) {
    (void)err;
    compare_equal(call, false);
    settle_nulls(call, false);
    return KQ_OK;
}

kq_status kq_fn_not_equal(kq_call *call, kq_error *err) {
    (void)err;
    compare_equal(call, true);
    settle_nulls(call, true);
    return KQ_OK;
}

/* bool against a number: `Flag == 1`. */
static void compare_bool_long(kq_call *call, uint32_t b, bool flip) {
    uint8_t *out = KQ_OUT(call, uint8_t);
    KQ_BINARY_AT(call, b, uint8_t, x, 1 - b, int64_t, y, r, out[r] = (uint8_t)(((int64_t)x == y) != flip););
}

#define BOOL_LONG(name, at, flip)                                                                                      \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        compare_bool_long(call, at, flip);                                                                             \
        settle_nulls(call, flip);                                                                                      \
        return KQ_OK;                                                                                                  \
    }
BOOL_LONG(kq_fn_equal_bool_long, 0, false)
BOOL_LONG(kq_fn_equal_long_bool, 1, false)
BOOL_LONG(kq_fn_not_equal_bool_long, 0, true)
BOOL_LONG(kq_fn_not_equal_long_bool, 1, true)

#define ORDER_LOOP(T, test) KQ_BINARY(call, T, x, T, y, r, out[r] = (uint8_t)(test););

#define ORDER_OP(name, op)                                                                                             \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        uint8_t *out = KQ_OUT(call, uint8_t);                                                                          \
        switch (call->args[0]->type) {                                                                                 \
        case KQ_BOOL: ORDER_LOOP(uint8_t, x op y) break;                                                               \
        case KQ_INT: ORDER_LOOP(int32_t, x op y) break;                                                                \
        case KQ_LONG:                                                                                                  \
        case KQ_DATETIME:                                                                                              \
        case KQ_TIMESPAN: ORDER_LOOP(int64_t, x op y) break;                                                           \
        case KQ_REAL: ORDER_LOOP(double, x op y) break;                                                                \
        case KQ_DECIMAL: ORDER_LOOP(kq_decimal, kq_decimal_cmp(&x, &y) op 0) break;                                    \
        default: break;                                                                                                \
        }                                                                                                              \
        return KQ_OK;                                                                                                  \
    }
ORDER_OP(kq_fn_less, <)
ORDER_OP(kq_fn_less_equal, <=)
ORDER_OP(kq_fn_greater, >)
ORDER_OP(kq_fn_greater_equal, >=)

/* low <= x and x <= high; the bounds are constants nearly always. */
#define BETWEEN_LOOP(T, above, below)                                                                                  \
    {                                                                                                                  \
        const T *xs = (const T *)call->args[0]->data, *ls = (const T *)call->args[1]->data;                            \
        const T *hs = (const T *)call->args[2]->data;                                                                  \
        if (call->args[1]->constant && call->args[2]->constant && !call->args[0]->constant) {                          \
            const T l = ls[0], h = hs[0];                                                                              \
            KQ_EACH(call, r, const T x = xs[r]; out[r] = (uint8_t)(((above) && (below)) != flip););                    \
        } else {                                                                                                       \
            KQ_EACH(call, r, const T x = xs[kq_vec_at(call->args[0], r)]; const T l = ls[kq_vec_at(call->args[1], r)]; \
                    const T h = hs[kq_vec_at(call->args[2], r)]; out[r] = (uint8_t)(((above) && (below)) != flip););   \
        }                                                                                                              \
        break;                                                                                                         \
    }

static inline void between(kq_call *call, const bool flip) {
    uint8_t *out = KQ_OUT(call, uint8_t);
    switch (call->args[0]->type) {
    case KQ_INT: BETWEEN_LOOP(int32_t, l <= x, x <= h)
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: BETWEEN_LOOP(int64_t, l <= x, x <= h)
    case KQ_REAL: BETWEEN_LOOP(double, l <= x, x <= h)
    case KQ_DECIMAL: BETWEEN_LOOP(kq_decimal, kq_decimal_cmp(&l, &x) <= 0, kq_decimal_cmp(&x, &h) <= 0)
    default: break;
    }
}

/* dt between (start .. span): the end is start + span. */
static inline bool in_span(const kq_call *call, uint32_t r) {
    const kq_vector *const *v = call->args;
    int64_t x = kq_vec_long(v[0])[kq_vec_at(v[0], r)], low = kq_vec_long(v[1])[kq_vec_at(v[1], r)], high;
    if (__builtin_add_overflow(low, kq_vec_long(v[2])[kq_vec_at(v[2], r)], &high)) high = INT64_MAX;
    return low <= x && x <= high;
}

static inline void between_span(kq_call *call, const bool flip) {
    uint8_t *out = KQ_OUT(call, uint8_t);
    KQ_EACH(call, r, out[r] = in_span(call, r) != flip;);
}

kq_status kq_fn_between(kq_call *call, kq_error *err) {
    (void)err;
    between(call, false);
    return KQ_OK;
}

kq_status kq_fn_not_between(kq_call *call, kq_error *err) {
    (void)err;
    between(call, true);
    return KQ_OK;
}

kq_status kq_fn_between_span(kq_call *call, kq_error *err) {
    (void)err;
    between_span(call, false);
    return KQ_OK;
}

kq_status kq_fn_not_between_span(kq_call *call, kq_error *err) {
    (void)err;
    between_span(call, true);
    return KQ_OK;
}

static inline bool near_long(const kq_call *call, uint32_t r) {
    const kq_vector *const *v = call->args;
    __int128 far = (__int128)kq_vec_long(v[0])[kq_vec_at(v[0], r)] - kq_vec_long(v[1])[kq_vec_at(v[1], r)];
    int64_t delta = kq_vec_long(v[2])[kq_vec_at(v[2], r)];
    return -(__int128)delta <= far && far <= delta;
}

static inline bool near_real(const kq_call *call, uint32_t r) {
    const kq_vector *const *v = call->args;
    double x = kq_vec_real(v[0])[kq_vec_at(v[0], r)], center = kq_vec_real(v[1])[kq_vec_at(v[1], r)];
    double delta = kq_vec_real(v[2])[kq_vec_at(v[2], r)];
    return center - delta <= x && x <= center + delta;
}

kq_status kq_fn_around_long(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, KQ_OUT(call, uint8_t)[r] = near_long(call, r););
    return KQ_OK;
}

kq_status kq_fn_around_real(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, KQ_OUT(call, uint8_t)[r] = near_real(call, r););
    return KQ_OK;
}
