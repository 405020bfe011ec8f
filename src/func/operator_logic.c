/* and, or, not and the functions that choose among their arguments. Logic is three-valued: null is "unknown". */
#include "column/decimal.h"
#include "column/dynamic.h"
#include "func/kernel.h"
#include "func/rows.h"

/* A bool argument in one row: 0, 1 or 2 for null. */
static inline unsigned truth(const kq_vector *v, uint32_t r) {
    if (kq_vec_is_null(v, r)) return 2;
    return kq_vec_bool(v)[kq_vec_at(v, r)] != 0;
}

static inline uint8_t logic_row(kq_call *call, uint32_t r, const unsigned decides) {
    unsigned x = truth(call->args[0], r), y = truth(call->args[1], r);
    if (x == decides || y == decides) return (uint8_t)decides;
    if (x == 2 || y == 2) {
        kq_call_null(call, r);
        return 0;
    }
    return !decides;
}

/* `decides`: the value that settles the result whatever the other operand is (false for and, true for or). */
static inline void logic(kq_call *call, const unsigned decides) {
    uint8_t *out = KQ_OUT(call, uint8_t);
    if (call->args[0]->nulls || call->args[1]->nulls)
        KQ_EACH(call, r, out[r] = logic_row(call, r, decides););
    else if (decides)
        KQ_BINARY(call, uint8_t, x, uint8_t, y, r, out[r] = x | y;);
    else
        KQ_BINARY(call, uint8_t, x, uint8_t, y, r, out[r] = x & y;);
}

kq_status kq_fn_and(kq_call *call, kq_error *err) {
    (void)err;
    logic(call, 0);
    return KQ_OK;
}

kq_status kq_fn_or(kq_call *call, kq_error *err) {
    (void)err;
    logic(call, 1);
    return KQ_OK;
}

kq_status kq_fn_not(kq_call *call, kq_error *err) {
    (void)err;
    uint8_t *out = KQ_OUT(call, uint8_t);
    KQ_UNARY(call, uint8_t, x, r, out[r] = !x;);
    return KQ_OK;
}

/* Which argument each row takes. */
typedef struct choice {
    uint16_t arg[KQ_CHUNK_ROWS];
} choice;

#define GATHER(T)                                                                                                      \
    {                                                                                                                  \
        T *out = KQ_OUT(call, T);                                                                                      \
        KQ_EACH(call, r, const kq_vector *v = call->args[c->arg[r]]; out[r] = ((const T *)v->data)[kq_vec_at(v, r)];   \
                if (kq_vec_is_null(v, r)) kq_call_null(call, r););                                                     \
        break;                                                                                                         \
    }

static void gather(kq_call *call, const choice *c) {
    switch (call->out->type) {
    case KQ_BOOL: GATHER(uint8_t)
    case KQ_INT: GATHER(int32_t)
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: GATHER(int64_t)
    case KQ_REAL: GATHER(double)
    case KQ_DECIMAL: GATHER(kq_decimal)
    case KQ_GUID: GATHER(kq_guid)
    case KQ_STRING:
    case KQ_DYNAMIC: GATHER(kq_str)
    case KQ_TYPE_COUNT: break;
    }
}

kq_status kq_fn_iff(kq_call *call, kq_error *err) {
    (void)err;
    choice c;
    const kq_vector *test = call->args[0];
    KQ_EACH(call, r, c.arg[r] = truth(test, r) == 1 ? 1 : 2;);
    gather(call, &c);
    return KQ_OK;
}

static inline uint16_t case_row(const kq_call *call, uint32_t r) {
    uint32_t otherwise = call->nargs - 1;
    for (uint32_t i = 0; i < otherwise; i += 2)
        if (truth(call->args[i], r) == 1) return (uint16_t)(i + 1);
    return (uint16_t)otherwise;
}

kq_status kq_fn_case(kq_call *call, kq_error *err) {
    (void)err;
    choice c;
    KQ_EACH(call, r, c.arg[r] = case_row(call, r););
    gather(call, &c);
    return KQ_OK;
}

static inline bool is_null(const kq_vector *v, uint32_t r) {
    if (kq_vec_is_null(v, r)) return true;
    return v->type == KQ_DYNAMIC && kq_dyn_tag_of(kq_str_view(&kq_vec_str(v)[kq_vec_at(v, r)])) == KQ_DYN_NULL;
}

static inline bool is_empty(const kq_vector *v, uint32_t r) {
    if (v->type == KQ_STRING) return kq_vec_str(v)[kq_vec_at(v, r)].len == 0;
    if (is_null(v, r)) return true;
    if (v->type != KQ_DYNAMIC) return false;
    kq_dyn d = kq_str_view(&kq_vec_str(v)[kq_vec_at(v, r)]);
    return kq_dyn_tag_of(d) == KQ_DYN_STRING && kq_dyn_string(d).n == 0;
}

static inline uint16_t coalesce_row(const kq_call *call, uint32_t r, bool text) {
    uint32_t last = call->nargs - 1;
    for (uint32_t i = 0; i < last; i++)
        if (!(text ? is_empty(call->args[i], r) : is_null(call->args[i], r))) return (uint16_t)i;
    return (uint16_t)last;
}

kq_status kq_fn_coalesce(kq_call *call, kq_error *err) {
    (void)err;
    choice c;
    bool text = call->out->type == KQ_STRING; /* "" stands for a missing string */
    KQ_EACH(call, r, c.arg[r] = coalesce_row(call, r, text););
    gather(call, &c);
    return KQ_OK;
}

#define TEST_FN(name, test)                                                                                            \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        uint8_t *out = KQ_OUT(call, uint8_t);                                                                          \
        const kq_vector *v = call->args[0];                                                                            \
        KQ_EACH(call, r, out[r] = test;);                                                                              \
        return KQ_OK;                                                                                                  \
    }
TEST_FN(kq_fn_isnull, is_null(v, r))
TEST_FN(kq_fn_isnotnull, !is_null(v, r))
TEST_FN(kq_fn_isempty, is_empty(v, r))
TEST_FN(kq_fn_isnotempty, !is_empty(v, r))

/* Is argument i the better one? NaN wins over numbers, as in Kusto. */
static bool better(const kq_value *a, const kq_value *best, bool max) {
    if (a->type == KQ_REAL) {
        if (best->u.r != best->u.r) return false;
        if (a->u.r != a->u.r) return true;
    }
    int order = kq_value_cmp(a, best);
    return max ? order > 0 : order < 0;
}

/* Nulls are passed over; the result is null when there is nothing else. */
static inline uint16_t extreme_row(const kq_call *call, uint32_t r, bool max) {
    uint32_t best = 0;
    kq_value chosen = kq_vector_get(call->args[0], r);
    for (uint32_t i = 1; i < call->nargs; i++) {
        kq_value v = kq_vector_get(call->args[i], r);
        if (v.null || !(chosen.null || better(&v, &chosen, max))) continue;
        best = i;
        chosen = v;
    }
    return (uint16_t)best;
}

static void extreme(kq_call *call, bool max) {
    choice c;
    KQ_EACH(call, r, c.arg[r] = extreme_row(call, r, max););
    gather(call, &c);
}

kq_status kq_fn_max_of(kq_call *call, kq_error *err) {
    (void)err;
    extreme(call, true);
    return KQ_OK;
}

kq_status kq_fn_min_of(kq_call *call, kq_error *err) {
    (void)err;
    extreme(call, false);
    return KQ_OK;
}

static const char *dynamic_type(const kq_vector *v, uint32_t r) {
    return is_null(v, r) ? "null" : kq_dyn_type_name(kq_str_view(&kq_vec_str(v)[kq_vec_at(v, r)]));
}

kq_status kq_fn_gettype(kq_call *call, kq_error *err) {
    (void)err;
    kq_str *out = KQ_OUT(call, kq_str);
    const kq_vector *v = call->args[0];
    if (v->type != KQ_DYNAMIC) {
        kq_str name = kq_str_sv(kq_sv_of(kq_type_name(v->type)));
        KQ_EACH(call, r, out[r] = name;);
        return KQ_OK;
    }
    KQ_EACH(call, r, out[r] = kq_str_sv(kq_sv_of(dynamic_type(v, r))););
    return KQ_OK;
}
