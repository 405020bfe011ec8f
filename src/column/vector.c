#include "column/vector.h"

kq_status kq_vector_init(kq_vector *v, kq_type type, uint32_t rows, bool with_nulls, kq_arena *arena, kq_error *err) {
    *v = (kq_vector){.type = type};
    if (rows == 0) rows = 1;
    /* Text is zeroed, because rows that nobody writes must still hold a valid (empty) string. */
    if (type == KQ_STRING || type == KQ_DYNAMIC)
        v->data = kq_arena_calloc(arena, rows, kq_type_width(type));
    else
        v->data = kq_arena_alloc(arena, (size_t)rows * kq_type_width(type));
    if (v->data && with_nulls) v->nulls = kq_arena_array(arena, uint64_t, ((size_t)rows + 63) / 64);
    return kq_arena_status(arena, err);
}
