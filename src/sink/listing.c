#include "sink/listing.h"

static kq_status start(kq_listing *l, kq_error *err) {
    kq_arena_reset(&l->arena);
    l->rows = 0;
    l->vectors = kq_arena_array(&l->arena, kq_vector, l->columns.n + 1);
    if (!l->vectors) return kq_arena_status(&l->arena, err);
    for (uint32_t i = 0; i < l->columns.n; i++)
        KQ_TRY(kq_vector_init(&l->vectors[i], l->columns.items[i].type, KQ_CHUNK_ROWS, true, &l->arena, err));
    return KQ_OK;
}

kq_status kq_listing_init(kq_listing *l, const kq_output *out, const kq_column *columns, uint32_t n, kq_error *err) {
    *l = (kq_listing){0};
    kq_arena_init(&l->arena, NULL, 0);
    l->columns.items = kq_calloc(n + 1, sizeof *columns);
    if (!l->columns.items) return kq_nomem(err);
    memcpy(l->columns.items, columns, n * sizeof *columns);
    l->columns.n = n;
    KQ_TRY(kq_sink_create(out, &l->columns, NULL, &l->sink, err));
    return start(l, err);
}

static kq_status flush(kq_listing *l, kq_error *err) {
    if (!l->rows) return KQ_OK;
    kq_chunk chunk = {.rows = l->rows, .selected = l->rows, .ncols = l->columns.n, .cols = l->vectors};
    KQ_TRY(kq_sink_push(l->sink, &chunk, err));
    return start(l, err);
}

kq_status kq_listing_row(kq_listing *l, const kq_value *values, kq_error *err) {
    if (l->rows == KQ_CHUNK_ROWS) KQ_TRY(flush(l, err));
    for (uint32_t i = 0; i < l->columns.n; i++) {
        kq_value v = values[i];
        if (v.null) {
            kq_vec_set_null(&l->vectors[i], l->rows);
            continue;
        }
        if (v.type == KQ_STRING || v.type == KQ_DYNAMIC) {
            kq_sv copy = kq_arena_copy(&l->arena, kq_str_view(&v.u.s));
            if (!copy.p) return kq_arena_status(&l->arena, err);
            v.u.s = kq_str_sv(copy);
        }
        kq_vector_set(&l->vectors[i], l->rows, &v);
    }
    l->rows++;
    return KQ_OK;
}

kq_status kq_listing_finish(kq_listing *l, kq_error *err) {
    KQ_TRY(flush(l, err));
    return kq_sink_finish(l->sink, err);
}

void kq_listing_deinit(kq_listing *l) {
    kq_sink_destroy(l->sink);
    kq_arena_deinit(&l->arena);
    kq_free(l->columns.items);
}
