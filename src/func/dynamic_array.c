/* Functions over arrays, but for sorting (dynamic_sort.c) and sets (dynamic_set.c). */
#include "column/decimal.h"
#include "func/build.h"
#include "func/dynamic_find.h"
#include "func/rows.h"

/* Arrays that a query makes out of nothing hold at most so many elements, as range() in Kusto. */
#define MADE_MAX (1 << 20)

kq_status kq_fn_array_length(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = kq_vec_long(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_dyn d = kq_arg_dyn(call, 0, row);
        out[row] = kq_dyn_count(d);
        if (!kq_dyn_is_array(d)) kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

/* Appends elements from..to of `array` to the array that `b` builds. */
static void put_range(kq_dyn_builder *b, kq_dyn array, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        kq_dyn_put_dyn(b->out, kq_dyn_element(array, i));
        kq_dyn_part(b);
    }
}

static void put_slice(kq_buf *out, kq_dyn array, uint32_t from, uint32_t to) {
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    put_range(&b, array, from, to);
    kq_dyn_close(&b);
}

static bool build_concat(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    bool any = false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0; i < call->nargs; i++) {
        kq_dyn d = kq_arg_dyn(call, i, row);
        if (!kq_dyn_is_array(d)) continue;
        any = true;
        put_range(&b, d, 0, kq_dyn_count(d));
    }
    kq_dyn_close(&b);
    return any;
}

kq_status kq_fn_array_concat(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_concat, NULL, err);
}

kq_status kq_fn_array_index_of(kq_call *call, kq_error *err) {
    kq_finder f;
    kq_finder_init(&f, call->arena);
    int64_t *out = kq_vec_long(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_dyn array = kq_arg_dyn(call, 0, row);
        int64_t n = kq_dyn_count(array);
        int64_t start = call->nargs > 2 ? kq_arg_long(call, 2, row) : 0;
        int64_t length = call->nargs > 3 ? kq_arg_long(call, 3, row) : -1;
        int64_t occurrence = call->nargs > 4 ? kq_arg_long(call, 4, row) : 1;
        out[row] = -1;
        if (!kq_dyn_is_array(array) || length < -1 || occurrence < 1) {
            kq_vec_set_null(call->out, row);
            continue;
        }
        if (start < 0) start = start < -n ? 0 : start + n;
        if (start > n) start = n;
        int64_t end = length < 0 || length > n - start ? n : start + length;
        kq_finder_look_for(&f, call, 1, row);
        for (uint32_t at = (uint32_t)start; occurrence > 0; at++) {
            at = kq_finder_next(&f, array, at, (uint32_t)end);
            if (at >= end) break;
            if (--occurrence == 0) out[row] = at;
        }
    }
    return kq_finder_deinit(&f, err);
}

static bool build_slice(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    int64_t n = kq_dyn_count(d), from = kq_arg_long(call, 1, row), to = kq_arg_long(call, 2, row);
    if (from < 0) from = from < -n ? 0 : from + n;
    if (to < 0) to = to < -n ? -1 : to + n;
    if (to >= n) to = n - 1;
    if (from > to) from = to + 1;
    put_slice(out, d, (uint32_t)from, (uint32_t)(to + 1));
    return true;
}

kq_status kq_fn_array_slice(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_slice, NULL, err);
}

/* Where to cut: `index` counted from the end when negative, within [from, n]. */
static uint32_t cut_at(int64_t index, int64_t from, int64_t n) {
    if (index < 0) index = index < -n ? 0 : index + n;
    if (index > n) index = n;
    return (uint32_t)(index < from ? from : index);
}

static bool build_split(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    uint32_t n = kq_dyn_count(d), from = 0;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    bool ok = true;
    if (call->args[1]->type == KQ_DYNAMIC) {
        kq_dyn cuts = kq_arg_dyn(call, 1, row);
        uint32_t ncuts = kq_dyn_is_array(cuts) ? kq_dyn_count(cuts) : 1;
        for (uint32_t i = 0; i < ncuts && ok; i++) {
            kq_dyn cut = kq_dyn_is_array(cuts) ? kq_dyn_element(cuts, i) : cuts;
            ok = kq_dyn_tag_of(cut) == KQ_DYN_LONG;
            if (!ok) break;
            uint32_t to = cut_at(kq_dyn_value(cut).u.l, from, n);
            put_slice(out, d, from, to);
            kq_dyn_part(&b);
            from = to;
        }
    } else {
        uint32_t to = cut_at(kq_arg_long(call, 1, row), 0, n);
        put_slice(out, d, 0, to);
        kq_dyn_part(&b);
        from = to;
    }
    put_slice(out, d, from, n);
    kq_dyn_part(&b);
    kq_dyn_close(&b);
    return ok;
}

kq_status kq_fn_array_split(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_split, NULL, err);
}

static bool build_reverse(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = kq_dyn_count(d); i > 0; i--) put_range(&b, d, i - 1, i);
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_array_reverse(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_reverse, NULL, err);
}

/* ctx: the sign of the count, as int. */
static bool build_rotate(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    int64_t n = kq_dyn_count(d), by = 0;
    if (n) {
        by = kq_arg_long(call, 1, row) % n * *(const int *)ctx;
        if (by < 0) by += n;
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    put_range(&b, d, (uint32_t)by, (uint32_t)n);
    put_range(&b, d, 0, (uint32_t)by);
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_array_rotate_left(kq_call *call, kq_error *err) {
    int sign = 1;
    return kq_build_rows(call, build_rotate, &sign, err);
}

kq_status kq_fn_array_rotate_right(kq_call *call, kq_error *err) {
    int sign = -1;
    return kq_build_rows(call, build_rotate, &sign, err);
}

static bool all_strings(kq_dyn d) {
    uint32_t n = kq_dyn_count(d);
    for (uint32_t i = 0; i < n; i++)
        if (kq_dyn_tag_of(kq_dyn_element(d, i)) != KQ_DYN_STRING) return false;
    return n > 0;
}

static void put_fill(kq_dyn_builder *b, const kq_call *call, uint32_t row, bool text, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (call->nargs > 2)
            kq_arg_put(call, 2, row, b->out);
        else if (text)
            kq_dyn_put_string(b->out, KQ_SV(""));
        else
            kq_dyn_put_null(b->out);
        kq_dyn_part(b);
    }
}

static bool build_shift(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d) || kq_arg_null(call, 1, row)) return false;
    int64_t n = kq_dyn_count(d), by = kq_arg_long(call, 1, row);
    if (by > n) by = n;
    if (by < -n) by = -n;
    by *= *(const int *)ctx;
    bool text = call->nargs < 3 && all_strings(d);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    if (by >= 0) {
        put_range(&b, d, (uint32_t)by, (uint32_t)n);
        put_fill(&b, call, row, text, (uint32_t)by);
    } else {
        put_fill(&b, call, row, text, (uint32_t)-by);
        put_range(&b, d, 0, (uint32_t)(n + by));
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_array_shift_left(kq_call *call, kq_error *err) {
    int sign = 1;
    return kq_build_rows(call, build_shift, &sign, err);
}

kq_status kq_fn_array_shift_right(kq_call *call, kq_error *err) {
    int sign = -1;
    return kq_build_rows(call, build_shift, &sign, err);
}

/* Argument `arg` at index `i`: of an array its element (null past the end), else the value itself. */
static void put_choice(const kq_call *call, uint32_t arg, uint32_t row, uint32_t i, kq_buf *out) {
    if (call->args[arg]->type == KQ_DYNAMIC) {
        kq_dyn d = kq_arg_dyn(call, arg, row);
        kq_dyn_put_dyn(out, kq_dyn_is_array(d) ? kq_dyn_element(d, i) : d);
    } else {
        kq_arg_put(call, arg, row, out);
    }
}

static bool build_iff(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn conditions = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(conditions)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, n = kq_dyn_count(conditions); i < n; i++) {
        kq_value v = kq_dyn_value(kq_dyn_element(conditions, i));
        bool known = true, yes = false;
        if (v.type == KQ_BOOL)
            yes = v.u.b != 0;
        else if (v.type == KQ_LONG)
            yes = v.u.l != 0;
        else if (v.type == KQ_REAL)
            yes = v.u.r != 0;
        else
            known = false;
        if (known)
            put_choice(call, yes ? 1 : 2, row, i, out);
        else
            kq_dyn_put_null(out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_array_iff(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_iff, NULL, err);
}

/* False: the array has something else than numbers and nulls, or no number. */
static bool sum_of(kq_dyn d, double *sum) {
    bool any = false;
    *sum = 0;
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        kq_value v = kq_dyn_value(kq_dyn_element(d, i));
        if (v.null) continue;
        any = true;
        if (v.type == KQ_LONG)
            *sum += (double)v.u.l;
        else if (v.type == KQ_REAL)
            *sum += v.u.r;
        else if (v.type == KQ_BOOL)
            *sum += v.u.b;
        else if (v.type == KQ_DECIMAL)
            *sum += kq_decimal_to_real(&v.u.m);
        else
            return false;
    }
    return any;
}

kq_status kq_fn_array_sum(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_dyn d = kq_arg_dyn(call, 0, row);
        if (!kq_dyn_is_array(d) || !sum_of(d, &kq_vec_real(call->out)[row])) kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

static bool build_array(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0; i < call->nargs; i++) {
        kq_arg_put(call, i, row, out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_pack_array(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_array, NULL, err);
}

static bool build_repeat(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    if (kq_arg_null(call, 1, row)) return false;
    int64_t n = kq_arg_long(call, 1, row);
    if (n < 0 || n > MADE_MAX) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (int64_t i = 0; i < n && !out->failed; i++) {
        kq_arg_put(call, 0, row, out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_repeat(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_repeat, NULL, err);
}

static bool build_zip(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    uint32_t longest = 0;
    bool any = false;
    for (uint32_t i = 0; i < call->nargs; i++) {
        kq_dyn d = kq_arg_dyn(call, i, row);
        if (!kq_dyn_is_array(d)) continue;
        any = true;
        if (kq_dyn_count(d) > longest) longest = kq_dyn_count(d);
    }
    if (!any) return false;
    kq_dyn_builder outer, inner;
    kq_dyn_open(&outer, out, false);
    for (uint32_t at = 0; at < longest && !out->failed; at++) {
        kq_dyn_open(&inner, out, false);
        for (uint32_t i = 0; i < call->nargs; i++) {
            kq_dyn_put_dyn(out, kq_dyn_element(kq_arg_dyn(call, i, row), at));
            kq_dyn_part(&inner);
        }
        kq_dyn_close(&inner);
        kq_dyn_part(&outer);
    }
    kq_dyn_close(&outer);
    return true;
}

kq_status kq_fn_zip(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_zip, NULL, err);
}
