#include "func/agg_state.h"

int64_t kq_agg_option(const kq_agg_call *c, int64_t otherwise) {
    for (uint32_t i = 1; i < c->nargs; i++)
        if (c->args[i]->type == KQ_LONG && c->n && !kq_vec_is_null(c->args[i], kq_agg_row(c, 0)))
            return kq_vec_long(c->args[i])[kq_vec_at(c->args[i], kq_agg_row(c, 0))];
    return otherwise;
}

static bool is_text(const kq_value *v) {
    return (v->type == KQ_STRING || v->type == KQ_DYNAMIC) && !v->null && v->u.s.len > KQ_STR_INLINE;
}

kq_status kq_agg_copy(kq_value *out, const kq_value *value, kq_arena *arena, kq_error *err) {
    *out = *value;
    if (!is_text(value)) return KQ_OK;
    kq_sv from = kq_str_view(&value->u.s);
    char *to = kq_arena_bytes(arena, from.n);
    if (!to) return kq_arena_status(arena, err);
    memcpy(to, from.p, from.n);
    out->u.s = kq_str_ref(to, from.n);
    return KQ_OK;
}

kq_status kq_agg_keep(kq_kept *kept, const kq_value *value, kq_arena *arena, kq_error *err) {
    if (!is_text(value)) {
        kept->value = *value;
        return KQ_OK;
    }
    kq_sv from = kq_str_view(&value->u.s);
    if (from.n > kept->cap) {
        size_t cap = from.n + from.n / 2;
        char *buffer = kq_arena_bytes(arena, cap);
        if (!buffer) return kq_arena_status(arena, err);
        kept->buffer = buffer;
        kept->cap = cap;
    }
    memmove(kept->buffer, from.p, from.n);
    kept->value = *value;
    kept->value.u.s = kq_str_ref(kept->buffer, from.n);
    return KQ_OK;
}

kq_status kq_agg_grow(void **items, uint64_t n, uint64_t *cap, size_t size, kq_arena *arena, kq_error *err) {
    if (n < *cap) return KQ_OK;
    uint64_t more = *cap ? *cap * 2 : 4;
    void *to = more > SIZE_MAX / size ? NULL : kq_arena_alloc(arena, more * size);
    if (!to) return kq_arena_status(arena, err) != KQ_OK ? kq_arena_status(arena, err) : kq_nomem(err);
    if (n) memcpy(to, *items, n * size);
    *items = to;
    *cap = more;
    return KQ_OK;
}
