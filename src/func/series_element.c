/* Series functions that work element by element. */
#include "func/rows.h"
#include "func/series.h"
#include <math.h>

/* ---- One series ---- */

typedef double (*real_fn)(double);

static bool build_unary(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    real_fn fn = *(const real_fn *)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        double x;
        if (kq_series_number(kq_dyn_element(d, i), &x))
            kq_dyn_put_real(out, fn(x));
        else
            kq_dyn_put_null(out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

#define UNARY(name, fn)                                                                                                \
    kq_status kq_fn_series_##name(kq_call *call, kq_error *err) {                                                      \
        real_fn f = fn;                                                                                                \
        return kq_build_rows(call, build_unary, &f, err);                                                              \
    }
UNARY(ceiling, ceil)
UNARY(floor, floor)
UNARY(exp, exp)
UNARY(log, log)
UNARY(sin, sin)
UNARY(cos, cos)
UNARY(tan, tan)
UNARY(asin, asin)
UNARY(acos, acos)
UNARY(atan, atan)
#undef UNARY

/* abs and sign keep integers: ctx tells whether it is sign. */
static bool build_keeping(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    bool sign = *(const bool *)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        kq_value v = kq_dyn_value(kq_dyn_element(d, i));
        if (!v.null && v.type == KQ_LONG)
            kq_dyn_put_long(out, sign ? (v.u.l > 0) - (v.u.l < 0) : v.u.l < 0 ? (int64_t)(0 - (uint64_t)v.u.l) : v.u.l);
        else if (!v.null && v.type == KQ_REAL && sign)
            kq_dyn_put_long(out, (v.u.r > 0) - (v.u.r < 0));
        else if (!v.null && v.type == KQ_REAL)
            kq_dyn_put_real(out, fabs(v.u.r));
        else
            kq_dyn_put_null(out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_abs(kq_call *call, kq_error *err) {
    bool sign = false;
    return kq_build_rows(call, build_keeping, &sign, err);
}

kq_status kq_fn_series_sign(kq_call *call, kq_error *err) {
    bool sign = true;
    return kq_build_rows(call, build_keeping, &sign, err);
}

/* ---- Two series, or a series and a number ---- */

typedef enum binary { ADD, SUBTRACT, MULTIPLY, DIVIDE, POW, EQ, NE, LT, LE, GT, GE } binary;

static void put_result(binary op, const kq_value *a, const kq_value *b, kq_buf *out) {
    bool number = !a->null && !b->null && (a->type == KQ_LONG || a->type == KQ_REAL) &&
                  (b->type == KQ_LONG || b->type == KQ_REAL);
    if (!number) {
        kq_dyn_put_null(out);
        return;
    }
    bool integer = a->type == KQ_LONG && b->type == KQ_LONG;
    double x = a->type == KQ_LONG ? (double)a->u.l : a->u.r, y = b->type == KQ_LONG ? (double)b->u.l : b->u.r;
    uint64_t i = (uint64_t)a->u.l, k = (uint64_t)b->u.l;
    switch (op) {
    case ADD: integer ? kq_dyn_put_long(out, (int64_t)(i + k)) : kq_dyn_put_real(out, x + y); break;
    case SUBTRACT: integer ? kq_dyn_put_long(out, (int64_t)(i - k)) : kq_dyn_put_real(out, x - y); break;
    case MULTIPLY: integer ? kq_dyn_put_long(out, (int64_t)(i * k)) : kq_dyn_put_real(out, x * y); break;
    case DIVIDE: kq_dyn_put_real(out, x / y); break;
    case POW: kq_dyn_put_real(out, pow(x, y)); break;
    case EQ: kq_dyn_put_bool(out, x == y); break;
    case NE: kq_dyn_put_bool(out, x != y); break;
    case LT: kq_dyn_put_bool(out, x < y); break;
    case LE: kq_dyn_put_bool(out, x <= y); break;
    case GT: kq_dyn_put_bool(out, x > y); break;
    case GE: kq_dyn_put_bool(out, x >= y); break;
    }
}

/* Argument `i` as a series (true), or as one number for every element (*number). */
static bool operand(const kq_call *call, uint32_t i, uint32_t row, kq_dyn *series, kq_value *number) {
    *series = (kq_dyn){NULL, 0};
    if (call->args[i]->type == KQ_DYNAMIC) {
        *series = kq_arg_dyn(call, i, row);
        *number = kq_dyn_value(*series);
        return kq_dyn_is_array(*series);
    }
    *number = kq_vector_get(call->args[i], row);
    if (number->type == KQ_INT) *number = number->null ? kq_value_null(KQ_LONG) : kq_value_long(number->u.i);
    return false;
}

static bool build_binary(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    binary op = *(const binary *)ctx;
    kq_dyn a, b;
    kq_value x, y;
    bool many_a = operand(call, 0, row, &a, &x), many_b = operand(call, 1, row, &b, &y);
    if (!many_a && !many_b) return false;
    uint32_t na = many_a ? kq_dyn_count(a) : 0, nb = many_b ? kq_dyn_count(b) : 0;
    kq_dyn_builder builder;
    kq_dyn_open(&builder, out, false);
    for (uint32_t i = 0, n = na > nb ? na : nb; i < n; i++) {
        if (many_a) x = kq_dyn_value(kq_dyn_element(a, i));
        if (many_b) y = kq_dyn_value(kq_dyn_element(b, i));
        put_result(op, &x, &y, out);
        kq_dyn_part(&builder);
    }
    kq_dyn_close(&builder);
    return true;
}

#define BINARY(name, which)                                                                                            \
    kq_status kq_fn_series_##name(kq_call *call, kq_error *err) {                                                      \
        binary op = which;                                                                                             \
        return kq_build_rows(call, build_binary, &op, err);                                                            \
    }
BINARY(add, ADD)
BINARY(subtract, SUBTRACT)
BINARY(multiply, MULTIPLY)
BINARY(divide, DIVIDE)
BINARY(pow, POW)
BINARY(equals, EQ)
BINARY(not_equals, NE)
BINARY(less, LT)
BINARY(less_equals, LE)
BINARY(greater, GT)
BINARY(greater_equals, GE)
#undef BINARY
