/*
 * Vectors: one column of up to 2048 values of one type. A vector owns nothing; its arrays lie in the arena of the
 * worker that made it, or in a segment. `data` has room for every row of the chunk; rows that the chunk's selection
 * leaves out may hold anything (but for strings: their bytes are still a valid kq_str or all zero).
 */
#ifndef KQ_COLUMN_VECTOR_H
#define KQ_COLUMN_VECTOR_H

#include "base/arena.h"
#include "column/str.h"
#include "column/type.h"

#define KQ_CHUNK_ROWS 2048
#define KQ_NULL_WORDS (KQ_CHUNK_ROWS / 64)

typedef struct kq_vector {
    kq_type type;
    bool constant;   /* the value at index 0 stands for every row */
    void *data;      /* array of the type's representation (type.h) */
    uint64_t *nulls; /* bit set: that row is null; NULL: no nulls. Never set for string */
} kq_vector;

/* The index of row `i` in the vector's arrays. */
static inline uint32_t kq_vec_at(const kq_vector *v, uint32_t i) {
    return v->constant ? 0 : i;
}

static inline bool kq_vec_is_null(const kq_vector *v, uint32_t i) {
    if (!v->nulls) return false;
    i = kq_vec_at(v, i);
    return v->nulls[i >> 6] >> (i & 63) & 1;
}
/* Marks row `i` null; the vector must have a null bitmap (kq_vector_init gives one when asked). */
static inline void kq_vec_set_null(kq_vector *v, uint32_t i) {
    v->nulls[i >> 6] |= (uint64_t)1 << (i & 63);
}

/* Drops a null bitmap in which no bit of the first `rows` is set, so that readers take the path without nulls. */
static inline void kq_vec_drop_nulls(kq_vector *v, uint32_t rows) {
    uint64_t any = 0;
    for (uint32_t i = 0; v->nulls && i < (rows + 63) / 64; i++) any |= v->nulls[i];
    if (!any) v->nulls = NULL;
}

#define KQ_VEC_ACCESS(name, T)                                                                                         \
    static inline T *kq_vec_##name(const kq_vector *v) {                                                               \
        return (T *)v->data;                                                                                           \
    }
KQ_VEC_ACCESS(bool, uint8_t)
KQ_VEC_ACCESS(int, int32_t)
KQ_VEC_ACCESS(long, int64_t) /* also datetime and timespan */
KQ_VEC_ACCESS(real, double)
KQ_VEC_ACCESS(guid, kq_guid)
KQ_VEC_ACCESS(decimal, kq_decimal)
KQ_VEC_ACCESS(str, kq_str) /* string and dynamic */
#undef KQ_VEC_ACCESS

/* Allocates data for `rows` (at least 1) values in `arena`, zeroed for string and dynamic, and with `with_nulls` an
 * all-valid null bitmap. Errors: NOMEM, LIMIT. */
kq_status kq_vector_init(kq_vector *v, kq_type type, uint32_t rows, bool with_nulls, kq_arena *arena, kq_error *err);

#endif
