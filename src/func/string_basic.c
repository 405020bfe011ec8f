/* Strings: size, order, joining, parts. */
#include "base/utf8.h"
#include "func/build.h"
#include "func/rows.h"
#include <stdlib.h>

kq_status kq_fn_strlen(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = kq_vec_long(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        out[row] = (int64_t)kq_utf8_count(kq_arg_sv(call, 0, row));
    }
    return KQ_OK;
}

kq_status kq_fn_string_size(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = kq_vec_long(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        out[row] = (int64_t)kq_arg_sv(call, 0, row).n;
    }
    return KQ_OK;
}

kq_status kq_fn_strcmp(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = kq_vec_long(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        out[row] = kq_sv_cmp(kq_arg_sv(call, 0, row), kq_arg_sv(call, 1, row));
    }
    return KQ_OK;
}

kq_status kq_fn_isascii(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv s = kq_arg_sv(call, 0, row);
        size_t i = 0;
        while (i < s.n && (unsigned char)s.p[i] < 0x80) i++;
        kq_vec_bool(call->out)[row] = i == s.n;
    }
    return KQ_OK;
}

kq_status kq_fn_isutf8(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv s = kq_arg_sv(call, 0, row);
        bool good = true;
        for (const char *p = s.p, *end = s.p + s.n; p < end && good;) {
            uint32_t cp;
            unsigned n = kq_utf8_decode(p, end, &cp);
            good = cp != KQ_UTF8_BAD || n == 3; /* U+FFFD itself is fine */
            p += n;
        }
        kq_vec_bool(call->out)[row] = good;
    }
    return KQ_OK;
}

/* ---- Positions in code points ---- */

/* The byte offset of code point number `n`; s.n when there are fewer. */
static size_t offset_of(kq_sv s, int64_t n) {
    if (s.n == 0) return 0; /* s.p may be NULL */
    const char *p = s.p, *end = s.p + s.n;
    for (uint32_t cp; n > 0 && p < end; n--) p += kq_utf8_decode(p, end, &cp);
    return (size_t)(p - s.p);
}

/* Where `lookup` stands in s, in code points. Of the places from `start` on, `length` are looked at (< 0: all); an
 * occurrence may reach past them. */
static int64_t index_of(kq_sv s, kq_sv lookup, int64_t start, int64_t length, int64_t occurrence) {
    if (start < 0) {
        int64_t n = (int64_t)kq_utf8_count(s);
        start = start < -n ? 0 : start + n;
    }
    size_t from = offset_of(s, start);
    size_t end = length < 0 ? s.n : from + offset_of(kq_sv_slice(s, from, s.n), length);
    while (from < end) {
        const char *hit = memmem(s.p + from, s.n - from, lookup.p, lookup.n);
        if (!hit || (size_t)(hit - s.p) >= end) return -1;
        if (--occurrence == 0) return (int64_t)kq_utf8_count((kq_sv){s.p, (size_t)(hit - s.p)});
        uint32_t cp;
        from = (size_t)(hit - s.p) + kq_utf8_decode(hit, s.p + s.n, &cp);
    }
    return -1;
}

kq_status kq_fn_indexof(kq_call *call, kq_error *err) {
    int64_t *out = kq_vec_long(call->out);
    bool text = call->args[0]->type == KQ_STRING && call->args[1]->type == KQ_STRING;
    kq_buf a, b;
    kq_buf_init(&a, call->arena->budget, KQ_STR_MAX);
    kq_buf_init(&b, call->arena->budget, KQ_STR_MAX);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv s, lookup;
        if (text) {
            s = kq_arg_sv(call, 0, row);
            lookup = kq_arg_sv(call, 1, row);
        } else {
            a.n = b.n = 0;
            kq_arg_text(call, 0, row, &a);
            kq_arg_text(call, 1, row, &b);
            s = kq_buf_view(&a);
            lookup = kq_buf_view(&b);
        }
        int64_t start = call->nargs > 2 ? kq_arg_long(call, 2, row) : 0;
        int64_t length = call->nargs > 3 ? kq_arg_long(call, 3, row) : -1;
        int64_t occurrence = call->nargs > 4 ? kq_arg_long(call, 4, row) : 1;
        if (lookup.n == 0 || length < -1 || occurrence < 1)
            kq_vec_set_null(call->out, row);
        else
            out[row] = index_of(s, lookup, start, length, occurrence);
    }
    kq_status status = kq_buf_status(&a, err);
    if (status == KQ_OK) status = kq_buf_status(&b, err);
    kq_buf_deinit(&a);
    kq_buf_deinit(&b);
    return status;
}

/* Parts of a text are views into it: nothing is copied. */
kq_status kq_fn_substring(kq_call *call, kq_error *err) {
    (void)err;
    kq_str *out = kq_vec_str(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv s = kq_arg_sv(call, 0, row);
        int64_t start = kq_arg_long(call, 1, row), length = call->nargs > 2 ? kq_arg_long(call, 2, row) : INT64_MAX;
        if (start < 0) {
            int64_t n = (int64_t)kq_utf8_count(s);
            start = start < -n ? n : start + n;
        }
        kq_sv rest = kq_sv_slice(s, offset_of(s, start), s.n);
        out[row] = length <= 0 ? kq_str_ref(NULL, 0) : kq_str_ref(rest.p, offset_of(rest, length));
    }
    return KQ_OK;
}

/* ---- Joining ---- */

static bool build_strcat(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (call->args[i]->type == KQ_STRING)
            kq_buf_sv(out, kq_arg_sv(call, i, row));
        else
            kq_arg_text(call, i, row, out);
    }
    return true;
}

kq_status kq_fn_strcat(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_strcat, NULL, err);
}

static bool build_delim(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv delimiter = kq_arg_sv(call, 0, row);
    for (uint32_t i = 1; i < call->nargs; i++) {
        if (i > 1) kq_buf_sv(out, delimiter);
        kq_arg_text(call, i, row, out);
    }
    return true;
}

kq_status kq_fn_strcat_delim(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_delim, NULL, err);
}

static bool build_joined(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    kq_sv delimiter = kq_arg_sv(call, 1, row);
    if (!kq_dyn_is_array(d)) return false;
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        if (i) kq_buf_sv(out, delimiter);
        kq_dyn e = kq_dyn_element(d, i);
        if (kq_dyn_is_null(e)) continue;
        kq_value v = {.type = KQ_DYNAMIC, .u.s = kq_str_sv(e)};
        kq_value_text(&v, out);
    }
    return true;
}

kq_status kq_fn_strcat_array(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_joined, NULL, err);
}

/* What Kusto's documentation gives as the greatest multiplier. */
#define STRREP_MAX 67108864

static bool build_strrep(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *once = ctx;
    int64_t n = kq_arg_long(call, 1, row);
    kq_sv delimiter = call->nargs > 2 ? kq_arg_sv(call, 2, row) : (kq_sv){NULL, 0};
    once->n = 0;
    kq_arg_text(call, 0, row, once);
    if (once->failed) out->failed = once->failed;
    if (n > STRREP_MAX) n = STRREP_MAX;
    if (n <= 0 || once->n + delimiter.n == 0) return false;
    for (int64_t i = 0; i < n && !out->failed; i++) {
        if (i) kq_buf_sv(out, delimiter);
        kq_buf_sv(out, kq_buf_view(once));
    }
    return true;
}

kq_status kq_fn_strrep(kq_call *call, kq_error *err) {
    kq_buf once;
    kq_buf_init(&once, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build_strrep, &once, err);
    kq_buf_deinit(&once);
    return status;
}

/* ---- split ---- */

static bool build_parts(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row), delimiter = kq_arg_sv(call, 1, row);
    int64_t wanted = call->nargs > 2 ? kq_arg_long(call, 2, row) : -1;
    bool one = call->nargs > 2, found = !one;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (int64_t i = 0;; i++) {
        const char *hit = delimiter.n && s.n ? memmem(s.p, s.n, delimiter.p, delimiter.n) : NULL;
        if (!one || i == wanted) {
            kq_dyn_put_string(out, (kq_sv){s.p, hit ? (size_t)(hit - s.p) : s.n});
            kq_dyn_part(&b);
            found = true;
        }
        if (!hit || (one && i == wanted)) break;
        s = kq_sv_slice(s, (size_t)(hit - s.p) + delimiter.n, s.n);
    }
    kq_dyn_close(&b);
    return found;
}

kq_status kq_fn_split(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_parts, NULL, err);
}
