/*
 * Comparison of a dynamic with a long: `Properties.score > 5`. Converting the dynamic to long would cut 5.5 to 5; so
 * a real inside is compared as real, and everything else (long, text, bool) as the long that tolong() makes of it.
 */
#include "column/dynamic.h"
#include "func/convert.h"
#include "func/kernel.h"
#include "func/rows.h"

typedef enum outcome { LESS, EQUAL, GREATER, UNORDERED, NULL_LEFT, NULL_RIGHT, NULL_BOTH } outcome;

static outcome compare_long(const kq_value *d, int64_t l) {
    kq_value inner = kq_dyn_value(kq_str_view(&d->u.s)), v;
    bool real = inner.type == KQ_REAL || inner.type == KQ_DECIMAL;
    if (!kq_convert(&inner, real ? KQ_REAL : KQ_LONG, &v)) return NULL_LEFT;
    if (!real) return v.u.l < l ? LESS : v.u.l > l ? GREATER : EQUAL;
    long double x = v.u.r, y = l; /* a long is exact in it */
    return x < y ? LESS : x > y ? GREATER : x == y ? EQUAL : UNORDERED;
}

/* The dynamic is argument 0 or 1; the outcome is that of argument 0 against argument 1. */
static outcome compare(const kq_call *call, uint32_t r) {
    bool first = call->args[0]->type == KQ_DYNAMIC;
    kq_value d = kq_call_value(call, first ? 0 : 1, r), l = kq_call_value(call, first ? 1 : 0, r);
    outcome o = d.null ? NULL_LEFT : compare_long(&d, l.null ? 0 : l.u.l);
    if (l.null) o = o == NULL_LEFT ? NULL_BOTH : NULL_RIGHT;
    if (first) return o;
    return o == LESS ? GREATER : o == GREATER ? LESS : o;
}

static inline void equal_row(kq_call *call, uint32_t r, bool flip) {
    outcome o = compare(call, r);
    if (o == NULL_BOTH) kq_call_null(call, r);
    KQ_OUT(call, uint8_t)[r] = o != NULL_BOTH && (o == EQUAL) != flip;
}

kq_status kq_fn_equal_dynamic(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, equal_row(call, r, false););
    return KQ_OK;
}

kq_status kq_fn_not_equal_dynamic(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, equal_row(call, r, true););
    return KQ_OK;
}

static inline void order_row(kq_call *call, uint32_t r, outcome a, outcome b) {
    outcome o = compare(call, r);
    if (o >= NULL_LEFT) kq_call_null(call, r);
    KQ_OUT(call, uint8_t)[r] = o == a || o == b;
}

#define ORDER_FN(name, a, b)                                                                                           \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        KQ_EACH(call, r, order_row(call, r, a, b););                                                                   \
        return KQ_OK;                                                                                                  \
    }
ORDER_FN(kq_fn_less_dynamic, LESS, LESS)
ORDER_FN(kq_fn_less_equal_dynamic, LESS, EQUAL)
ORDER_FN(kq_fn_greater_dynamic, GREATER, GREATER)
ORDER_FN(kq_fn_greater_equal_dynamic, GREATER, EQUAL)
