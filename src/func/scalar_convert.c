/* tobool, toint ... tostring: a loop of its own for what queries do most, the general conversion for the rest. */
#include "base/number.h"
#include "base/time.h"
#include "func/convert.h"
#include "func/kernel.h"
#include "func/rows.h"
#include <string.h>

static inline void convert_row(kq_call *call, uint32_t r, kq_type to) {
    kq_value v = kq_call_value(call, 0, r), out;
    if (!kq_convert(&v, to, &out)) out.null = true;
    kq_vector_set(call->out, r, &out);
}

/* What is of the type already is copied as it is. */
static bool copied(kq_call *call) {
    const kq_vector *v = call->args[0];
    if (v->type != call->out->type) return false;
    switch (kq_type_width(v->type)) {
    case 1: KQ_UNARY(call, uint8_t, x, r, KQ_OUT(call, uint8_t)[r] = x;); break;
    case 4: KQ_UNARY(call, int32_t, x, r, KQ_OUT(call, int32_t)[r] = x;); break;
    case 8: KQ_UNARY(call, int64_t, x, r, KQ_OUT(call, int64_t)[r] = x;); break;
    case 16: KQ_UNARY(call, kq_guid, x, r, KQ_OUT(call, kq_guid)[r] = x;); break;
    default: KQ_UNARY(call, kq_decimal, x, r, KQ_OUT(call, kq_decimal)[r] = x;); break;
    }
    return true;
}

#define CONVERT_FN(name, to)                                                                                           \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        if (!copied(call)) KQ_EACH(call, r, convert_row(call, r, to););                                                \
        return KQ_OK;                                                                                                  \
    }
CONVERT_FN(kq_fn_tobool, KQ_BOOL)
CONVERT_FN(kq_fn_toint, KQ_INT)
CONVERT_FN(kq_fn_todecimal, KQ_DECIMAL)
CONVERT_FN(kq_fn_todatetime, KQ_DATETIME)
CONVERT_FN(kq_fn_totimespan, KQ_TIMESPAN)
CONVERT_FN(kq_fn_toguid, KQ_GUID)

kq_status kq_fn_tolong(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    switch (call->args[0]->type) {
    case KQ_INT: KQ_UNARY(call, int32_t, x, r, out[r] = x;); break;
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: KQ_UNARY(call, int64_t, x, r, out[r] = x;); break;
    default: KQ_EACH(call, r, convert_row(call, r, KQ_LONG););
    }
    return KQ_OK;
}

kq_status kq_fn_todouble(kq_call *call, kq_error *err) {
    (void)err;
    double *out = KQ_OUT(call, double);
    switch (call->args[0]->type) {
    case KQ_INT: KQ_UNARY(call, int32_t, x, r, out[r] = x;); break;
    case KQ_LONG: KQ_UNARY(call, int64_t, x, r, out[r] = (double)x;); break;
    case KQ_REAL: KQ_UNARY(call, double, x, r, out[r] = x;); break;
    default: KQ_EACH(call, r, convert_row(call, r, KQ_REAL););
    }
    return KQ_OK;
}

/* The texts of a whole chunk go into one buffer that is copied to the arena row by row. */
kq_status kq_fn_tostring(kq_call *call, kq_error *err) {
    kq_str *out = KQ_OUT(call, kq_str);
    if (call->args[0]->type == KQ_STRING) {
        KQ_UNARY(call, kq_str, x, r, out[r] = x;);
        return KQ_OK;
    }
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, KQ_STR_MAX);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t r = kq_call_row(call, k);
        kq_value v = kq_call_value(call, 0, r);
        kq_buf_clear(&text);
        kq_value_text(&v, &text);
        status = kq_buf_status(&text, err);
        if (status == KQ_OK) status = kq_call_text(call, r, kq_buf_view(&text), err);
    }
    kq_buf_deinit(&text);
    return status;
}

/* Lower-case hex of the two's complement, at least `width` digits. */
static kq_status put_hex(kq_call *call, uint32_t r, uint64_t u, int64_t width, kq_error *err) {
    char text[64];
    int n = 0;
    char *end = text + sizeof text;
    do {
        end[-++n] = "0123456789abcdef"[u & 15];
        u >>= 4;
    } while (u);
    if (width > 64) width = 64;
    while (n < width) end[-++n] = '0';
    return kq_call_text(call, r, (kq_sv){end - n, (size_t)n}, err);
}

static int64_t hex_width(const kq_call *call, uint32_t r) {
    if (call->nargs < 2) return 0;
    return kq_vec_long(call->args[1])[kq_vec_at(call->args[1], r)];
}

kq_status kq_fn_tohex_int(kq_call *call, kq_error *err) {
    KQ_UNARY(call, int32_t, x, r, KQ_TRY(put_hex(call, r, (uint32_t)x, hex_width(call, r), err)););
    return KQ_OK;
}

kq_status kq_fn_tohex_long(kq_call *call, kq_error *err) {
    KQ_UNARY(call, int64_t, x, r, KQ_TRY(put_hex(call, r, (uint64_t)x, hex_width(call, r), err)););
    return KQ_OK;
}
