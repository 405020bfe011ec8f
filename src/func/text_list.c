#include "func/text_list.h"
#include "column/dynamic.h"

bool kq_list_each(const kq_value *list, bool (*each)(void *ctx, const kq_value *item), void *ctx) {
    if (list->null) return true;
    if (list->type != KQ_DYNAMIC) return each(ctx, list);
    kq_dyn d = kq_str_view(&list->u.s);
    if (kq_dyn_tag_of(d) != KQ_DYN_ARRAY) {
        kq_value v = kq_dyn_value(d);
        return v.null || each(ctx, &v);
    }
    /* Depth is bounded by the encoding (KQ_DYN_DEPTH). */
    uint32_t n = kq_dyn_count(d);
    for (uint32_t i = 0; i < n; i++) {
        kq_value v = kq_dyn_value(kq_dyn_element(d, i));
        bool array = v.type == KQ_DYNAMIC && !v.null && kq_dyn_tag_of(kq_str_view(&v.u.s)) == KQ_DYN_ARRAY;
        if (array ? !kq_list_each(&v, each, ctx) : !v.null && !each(ctx, &v)) return false;
    }
    return true;
}

typedef struct texts {
    kq_buf bytes; /* all texts, one after the other */
    kq_buf ends;  /* size_t: where each ends */
} texts;

static bool add_text(void *ctx, const kq_value *item) {
    texts *t = ctx;
    kq_value_text(item, &t->bytes);
    kq_buf_append(&t->ends, &t->bytes.n, sizeof t->bytes.n);
    return !t->bytes.failed && !t->ends.failed;
}

kq_status kq_list_texts(const kq_vector *const *args, uint32_t from, uint32_t nargs, uint32_t row, kq_arena *arena,
                        kq_sv **out, size_t *n, kq_error *err) {
    texts t;
    kq_buf_init(&t.bytes, arena->budget, 0);
    kq_buf_init(&t.ends, arena->budget, 0);
    kq_status status = KQ_OK;
    for (uint32_t i = from; i < nargs; i++) {
        kq_value list = kq_vector_get(args[i], row);
        if (!kq_list_each(&list, add_text, &t)) break;
    }
    if ((status = kq_buf_status(&t.bytes, err)) != KQ_OK || (status = kq_buf_status(&t.ends, err)) != KQ_OK) goto out;
    *n = t.ends.n / sizeof(size_t);
    *out = kq_arena_array(arena, kq_sv, *n);
    kq_sv all = kq_arena_copy(arena, kq_buf_view(&t.bytes));
    if (!*out || !all.p) {
        status = kq_arena_status(arena, err);
        goto out;
    }
    size_t start = 0;
    for (size_t i = 0; i < *n; i++) {
        size_t end;
        memcpy(&end, t.ends.p + i * sizeof end, sizeof end);
        (*out)[i] = kq_sv_slice(all, start, end);
        start = end;
    }
out:
    kq_buf_deinit(&t.bytes);
    kq_buf_deinit(&t.ends);
    return status;
}
