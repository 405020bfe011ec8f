/* Arrays as sets. Operands that are not arrays count as empty; without any array there is no result. */
#include "func/build.h"
#include "func/dynamic_find.h"
#include "func/rows.h"

typedef struct sets {
    kq_bytes_set a, b;
} sets;

static kq_status run(kq_call *call, kq_build_fn build, kq_error *err) {
    sets s = {.a.budget = call->arena->budget, .b.budget = call->arena->budget};
    kq_status status = kq_build_rows(call, build, &s, err);
    kq_bytes_deinit(&s.a);
    kq_bytes_deinit(&s.b);
    return status;
}

static bool any_array(const kq_call *call, uint32_t row) {
    for (uint32_t i = 0; i < call->nargs; i++)
        if (kq_dyn_is_array(kq_arg_dyn(call, i, row))) return true;
    return false;
}

static kq_status add_all(kq_bytes_set *set, kq_dyn array) {
    if (kq_dyn_is_array(array))
        for (uint32_t i = 0, n = kq_dyn_count(array); i < n; i++)
            KQ_TRY(kq_bytes_add(set, kq_dyn_element(array, i), NULL));
    return KQ_OK;
}

static void put_items(const kq_sv *items, uint32_t n, kq_buf *out) {
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0; i < n; i++) {
        kq_dyn_put_dyn(out, items[i]);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

static bool build_union(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    sets *s = ctx;
    if (!any_array(call, row)) return false;
    kq_bytes_clear(&s->a);
    for (uint32_t i = 0; i < call->nargs && !out->failed; i++) out->failed = add_all(&s->a, kq_arg_dyn(call, i, row));
    if (!out->failed) put_items(s->a.items, s->a.n, out);
    return true;
}

/* Keeps in s->a what s->b has (or has not). */
static kq_status keep(sets *s, bool present, kq_arena *arena) {
    kq_sv *kept = kq_arena_array(arena, kq_sv, s->a.n);
    if (!kept) return KQ_ERR_NOMEM;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->a.n; i++)
        if (kq_bytes_has(&s->b, s->a.items[i]) == present) kept[n++] = s->a.items[i];
    if (n == s->a.n) return KQ_OK;
    kq_bytes_clear(&s->a);
    for (uint32_t i = 0; i < n; i++) KQ_TRY(kq_bytes_add(&s->a, kept[i], NULL));
    return KQ_OK;
}

static bool combine(const kq_call *call, uint32_t row, kq_buf *out, sets *s, bool present) {
    if (!any_array(call, row)) return false;
    kq_bytes_clear(&s->a);
    kq_status status = add_all(&s->a, kq_arg_dyn(call, 0, row));
    for (uint32_t i = 1; i < call->nargs && status == KQ_OK && s->a.n; i++) {
        kq_bytes_clear(&s->b);
        status = add_all(&s->b, kq_arg_dyn(call, i, row));
        if (status == KQ_OK) status = keep(s, present, call->arena);
    }
    out->failed = status;
    if (status == KQ_OK) put_items(s->a.items, s->a.n, out);
    return true;
}

static bool build_intersect(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    return combine(call, row, out, ctx, true);
}

static bool build_difference(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    return combine(call, row, out, ctx, false);
}

kq_status kq_fn_set_union(kq_call *call, kq_error *err) {
    return run(call, build_union, err);
}

kq_status kq_fn_set_intersect(kq_call *call, kq_error *err) {
    return run(call, build_intersect, err);
}

kq_status kq_fn_set_difference(kq_call *call, kq_error *err) {
    return run(call, build_difference, err);
}

kq_status kq_fn_set_has_element(kq_call *call, kq_error *err) {
    kq_finder f;
    kq_finder_init(&f, call->arena);
    uint8_t *out = kq_vec_bool(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_dyn array = kq_arg_dyn(call, 0, row);
        kq_finder_look_for(&f, call, 1, row);
        uint32_t n = kq_dyn_count(array);
        out[row] = kq_dyn_is_array(array) && kq_finder_next(&f, array, 0, n) < n;
    }
    return kq_finder_deinit(&f, err);
}

kq_status kq_fn_jaccard_index(kq_call *call, kq_error *err) {
    kq_status status = KQ_OK;
    sets s = {.a.budget = call->arena->budget, .b.budget = call->arena->budget};
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_dyn x = kq_arg_dyn(call, 0, row), y = kq_arg_dyn(call, 1, row);
        if (!kq_dyn_is_array(x) || !kq_dyn_is_array(y)) {
            kq_vec_set_null(call->out, row);
            continue;
        }
        kq_bytes_clear(&s.a);
        kq_bytes_clear(&s.b);
        status = add_all(&s.a, x);
        if (status == KQ_OK) status = add_all(&s.b, y);
        uint32_t both = 0;
        for (uint32_t i = 0; i < s.a.n; i++) both += kq_bytes_has(&s.b, s.a.items[i]);
        kq_vec_real(call->out)[row] = (double)both / (double)(s.a.n + s.b.n - both);
    }
    kq_bytes_deinit(&s.a);
    kq_bytes_deinit(&s.b);
    if (status == KQ_ERR_LIMIT) return kq_budget_status(call->arena->budget, err);
    return status == KQ_OK ? KQ_OK : kq_nomem(err);
}
