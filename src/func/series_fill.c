/* Series functions that fill gaps. */
#include "func/dynamic_find.h"
#include "func/rows.h"
#include "func/series.h"
#include <math.h>

/* What stands for a missing value: a placeholder of the query, else null. */
typedef struct gaps {
    kq_finder finder;
    bool nulls;
} gaps;

static void look_for(gaps *g, const kq_call *call, uint32_t arg, uint32_t row) {
    g->nulls = arg >= call->nargs || kq_arg_null(call, arg, row);
    if (!g->nulls) kq_finder_look_for(&g->finder, call, arg, row);
}

static bool is_gap(const gaps *g, kq_dyn array, uint32_t i) {
    return g->nulls ? kq_dyn_is_null(kq_dyn_element(array, i)) : kq_finder_next(&g->finder, array, i, i + 1) == i;
}

static kq_status run(kq_call *call, kq_build_fn build, kq_error *err) {
    gaps g = {.nulls = true};
    kq_finder_init(&g.finder, call->arena);
    kq_status status = kq_build_rows(call, build, &g, err), after = kq_finder_deinit(&g.finder, err);
    return status != KQ_OK ? status : after;
}

static bool build_const(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    gaps *g = ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    look_for(g, call, 2, row);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        if (is_gap(g, d, i))
            kq_arg_put(call, 1, row, out);
        else
            kq_dyn_put_dyn(out, kq_dyn_element(d, i));
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_fill_const(kq_call *call, kq_error *err) {
    return run(call, build_const, err);
}

static bool build_forward(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    gaps *g = ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    look_for(g, call, 1, row);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, last = 0, n = kq_dyn_count(d); i < n; i++) {
        if (!is_gap(g, d, i) || is_gap(g, d, last)) last = i;
        kq_dyn_put_dyn(out, kq_dyn_element(d, last));
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_fill_forward(kq_call *call, kq_error *err) {
    return run(call, build_forward, err);
}

/* The first element from `i` on that is no gap, or n. */
static uint32_t next_known(const gaps *g, kq_dyn d, uint32_t i, uint32_t n) {
    while (i < n && is_gap(g, d, i)) i++;
    return i;
}

static bool build_backward(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    gaps *g = ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    look_for(g, call, 1, row);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, n = kq_dyn_count(d), next = next_known(g, d, 0, n); i < n; i++) {
        if (i > next) next = next_known(g, d, i, n);
        kq_dyn_put_dyn(out, kq_dyn_element(d, next < n ? next : i));
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_fill_backward(kq_call *call, kq_error *err) {
    return run(call, build_backward, err);
}

/* Between integers the result is cut to an integer, as Kusto does. */
static void put_between(kq_buf *out, kq_dyn left, kq_dyn right, uint32_t step, uint32_t steps) {
    double a, b;
    if (!kq_series_number(left, &a) || !kq_series_number(right, &b)) {
        kq_dyn_put_null(out);
        return;
    }
    double x = a + (b - a) / steps * step;
    if (kq_dyn_tag_of(left) == KQ_DYN_LONG && kq_dyn_tag_of(right) == KQ_DYN_LONG && fabs(x) < 0x1p62)
        kq_dyn_put_long(out, (int64_t)x);
    else
        kq_dyn_put_real(out, x);
}

static bool build_linear(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    gaps *g = ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    look_for(g, call, 1, row);
    bool edges = call->nargs < 3 || kq_arg_null(call, 2, row) || kq_arg_bool(call, 2, row);
    uint32_t n = kq_dyn_count(d), before = n, next = next_known(g, d, 0, n);
    bool empty = next == n;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0; i < n; i++) {
        if (i == next) {
            kq_dyn_put_dyn(out, kq_dyn_element(d, i));
            before = i;
            next = next_known(g, d, i + 1, n);
        } else if (empty) {
            if (call->nargs > 3)
                kq_arg_put(call, 3, row, out);
            else
                kq_dyn_put_real(out, 0);
        } else if (before < n && next < n) {
            put_between(out, kq_dyn_element(d, before), kq_dyn_element(d, next), i - before, next - before);
        } else {
            kq_dyn_put_dyn(out, kq_dyn_element(d, !edges ? i : before < n ? before : next));
        }
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_fill_linear(kq_call *call, kq_error *err) {
    return run(call, build_linear, err);
}
