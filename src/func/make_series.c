/* The arrays of make-series: values in their bins, the default in the others. */
#include "column/dynamic.h"
#include "func/kernel.h"
#include "func/rows.h"

#define SERIES_MAX (1 << 20) /* bins: no array is longer in Kusto */

static kq_dyn dynamic_of(kq_call *call, uint32_t arg, uint32_t row) {
    const kq_vector *v = call->args[arg];
    if (kq_vec_is_null(v, row)) return (kq_dyn){NULL, 0};
    return kq_str_view(&kq_vec_str(v)[kq_vec_at(v, row)]);
}

/* bins: numbers of the values' bins. lo, hi: the first bin and the one after the last. */
static kq_status series_row(kq_call *call, uint32_t row, kq_buf *text, kq_error *err) {
    kq_value fill = kq_call_value(call, 2, row), lo = kq_call_value(call, 3, row), hi = kq_call_value(call, 4, row);
    kq_dyn bins = dynamic_of(call, 0, row), values = dynamic_of(call, 1, row);
    int64_t n;
    if (lo.null || hi.null) {
        kq_call_null(call, row);
        return KQ_OK;
    }
    if (__builtin_sub_overflow(hi.u.l, lo.u.l, &n) || n > SERIES_MAX)
        return kq_fail(err, KQ_ERR_LIMIT, "make-series has more than %d bins", SERIES_MAX);
    if (n < 0) n = 0;
    kq_dyn *slots = kq_arena_array(call->arena, kq_dyn, (size_t)n + 1);
    if (!slots) return kq_arena_status(call->arena, err);
    for (uint32_t i = 0, count = kq_dyn_count(bins); i < count && i < kq_dyn_count(values); i++) {
        kq_value bin = kq_dyn_value(kq_dyn_element(bins, i));
        if (bin.type != KQ_LONG || bin.null || bin.u.l < lo.u.l || bin.u.l >= hi.u.l) continue;
        slots[bin.u.l - lo.u.l] = kq_dyn_element(values, i);
    }
    kq_dyn_builder b;
    kq_buf_clear(text);
    kq_dyn_open(&b, text, false);
    for (int64_t i = 0; i < n; i++) {
        if (slots[i].n)
            kq_dyn_put_dyn(text, slots[i]);
        else
            kq_dyn_put_value(text, &fill);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    KQ_TRY(kq_buf_status(text, err));
    return kq_call_text(call, row, kq_buf_view(text), err);
}

kq_status kq_fn_make_series(kq_call *call, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, KQ_STR_MAX);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++)
        status = series_row(call, kq_call_row(call, k), &text, err);
    kq_buf_deinit(&text);
    return status;
}
