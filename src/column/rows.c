#include "column/rows.h"

#define FIRST_ROOM  32           /* rows of a first block; it grows eightfold */
#define ARENA_BLOCK (256 * 1024) /* once there is more than one block: little is lost at the ends */

void kq_rows_init(kq_rows *rows, const kq_type *types, uint32_t ncols, kq_budget *budget) {
    *rows = (kq_rows){.types = types, .ncols = ncols};
    kq_arena_init(&rows->arena, budget, 0);
}

void kq_rows_deinit(kq_rows *rows) {
    if (!rows) return;
    kq_arena_deinit(&rows->arena);
    kq_free(rows->blocks);
    rows->blocks = NULL;
    rows->n = rows->nblocks = rows->cap = 0;
}

void kq_rows_clear(kq_rows *rows) {
    kq_arena_reset(&rows->arena);
    rows->n = rows->nblocks = 0;
}

static kq_status new_vectors(kq_rows *rows, uint32_t room, kq_vector **out, kq_error *err) {
    kq_vector *v = kq_arena_array(&rows->arena, kq_vector, rows->ncols + 1);
    if (!v) return kq_arena_status(&rows->arena, err);
    for (uint32_t c = 0; c < rows->ncols; c++)
        KQ_TRY(kq_vector_init(&v[c], rows->types[c], room, rows->types[c] != KQ_STRING, &rows->arena, err));
    *out = v;
    rows->room = room;
    return KQ_OK;
}

static kq_status add_block(kq_rows *rows, uint32_t want, kq_error *err) {
    if (rows->nblocks == rows->cap) {
        size_t cap = rows->cap ? 2 * rows->cap : 8;
        kq_vector **blocks = kq_realloc(rows->blocks, cap * sizeof *blocks);
        if (!blocks) return kq_nomem(err);
        rows->blocks = blocks;
        rows->cap = cap;
    }
    if (rows->nblocks) rows->arena.block_size = ARENA_BLOCK;
    uint32_t room = rows->nblocks || want > KQ_CHUNK_ROWS / 2 ? KQ_CHUNK_ROWS : FIRST_ROOM;
    while (room < want && room < KQ_CHUNK_ROWS) room *= 2;
    KQ_TRY(new_vectors(rows, room, &rows->blocks[rows->nblocks], err));
    rows->nblocks++;
    return KQ_OK;
}

/* The first block, with more room. */
static kq_status widen_block(kq_rows *rows, uint32_t want, kq_error *err) {
    uint32_t n = (uint32_t)rows->n, room = rows->room * 8;
    while (room < want && room < KQ_CHUNK_ROWS) room *= 2;
    if (room > KQ_CHUNK_ROWS) room = KQ_CHUNK_ROWS;
    kq_vector *old = rows->blocks[0], *wide = NULL;
    KQ_TRY(new_vectors(rows, room, &wide, err));
    for (uint32_t c = 0; c < rows->ncols; c++) {
        memcpy(wide[c].data, old[c].data, n * kq_type_width(rows->types[c]));
        if (wide[c].nulls) memcpy(wide[c].nulls, old[c].nulls, (n + 63) / 64 * sizeof(uint64_t));
    }
    rows->blocks[0] = wide;
    return KQ_OK;
}

void kq_vector_copy(kq_vector *dst, uint32_t to, const kq_vector *src, uint32_t from) {
    if (kq_vec_is_null(src, from)) {
        kq_vec_set_null(dst, to);
        if (dst->type == KQ_DYNAMIC) kq_vec_str(dst)[to] = (kq_str){0};
        return;
    }
    uint32_t i = kq_vec_at(src, from);
    switch (dst->type) {
    case KQ_BOOL: kq_vec_bool(dst)[to] = kq_vec_bool(src)[i]; break;
    case KQ_INT: kq_vec_int(dst)[to] = kq_vec_int(src)[i]; break;
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN:
    case KQ_REAL: kq_vec_long(dst)[to] = kq_vec_long(src)[i]; break;
    case KQ_DECIMAL: kq_vec_decimal(dst)[to] = kq_vec_decimal(src)[i]; break;
    case KQ_GUID: kq_vec_guid(dst)[to] = kq_vec_guid(src)[i]; break;
    case KQ_STRING:
    case KQ_DYNAMIC: kq_vec_str(dst)[to] = kq_vec_str(src)[i]; break;
    case KQ_TYPE_COUNT: break;
    }
}

/* One loop for each width, so that the compiler sees it: PICK is the source's index for place k. */
#define COPY_LOOP(T, PICK)                                                                                             \
    do {                                                                                                               \
        T *d_ = (T *)dst->data + to;                                                                                   \
        const T *s_ = src->data;                                                                                       \
        for (uint32_t k = 0; k < n; k++) d_[k] = s_[PICK];                                                             \
    } while (0)
#define COPY_WIDTHS(PICK)                                                                                              \
    switch (kq_type_width(dst->type)) {                                                                                \
    case 1: COPY_LOOP(uint8_t, PICK); break;                                                                           \
    case 4: COPY_LOOP(uint32_t, PICK); break;                                                                          \
    case 8: COPY_LOOP(uint64_t, PICK); break;                                                                          \
    case 16: COPY_LOOP(kq_guid, PICK); break;                                                                          \
    default: COPY_LOOP(kq_decimal, PICK); break;                                                                       \
    }

void kq_vector_copy_rows(kq_vector *dst, uint32_t to, const kq_vector *src, const uint16_t *sel, uint32_t n) {
    if (src->nulls) {
        for (uint32_t k = 0; k < n; k++) kq_vector_copy(dst, to + k, src, sel ? sel[k] : k);
        return;
    }
    if (src->constant) {
        COPY_WIDTHS(0)
    } else if (sel) {
        COPY_WIDTHS(sel[k])
    } else {
        size_t width = kq_type_width(dst->type);
        if (n) memcpy((char *)dst->data + to * width, src->data, n * width);
    }
}

#define GATHER_LOOP(T)                                                                                                 \
    for (uint32_t k = 0; k < n; k++) {                                                                                 \
        if (order[k] == KQ_ROWS_NONE) {                                                                                \
            if (out->nulls) kq_vec_set_null(out, k);                                                                   \
            memset((T *)out->data + k, 0, sizeof(T));                                                                  \
            continue;                                                                                                  \
        }                                                                                                              \
        const kq_vector *v = kq_rows_vector(rows, order[k], column);                                                   \
        uint32_t i = kq_rows_index(order[k]);                                                                          \
        if (v->nulls && (v->nulls[i >> 6] >> (i & 63) & 1)) kq_vec_set_null(out, k);                                   \
        ((T *)out->data)[k] = ((const T *)v->data)[i];                                                                 \
    }

void kq_rows_gather(const kq_rows *rows, uint32_t column, const uint64_t *order, uint32_t n, kq_vector *out) {
    switch (kq_type_width(out->type)) {
    case 1: GATHER_LOOP(uint8_t) break;
    case 4: GATHER_LOOP(uint32_t) break;
    case 8: GATHER_LOOP(uint64_t) break;
    case 16: GATHER_LOOP(kq_guid) break;
    default: GATHER_LOOP(kq_decimal) break;
    }
}

/* Makes the long strings of places from..from+n the store's own. Equal neighbours (a constant, a joined row) share one
 * copy. */
static kq_status own(kq_rows *rows, kq_vector *v, uint32_t from, uint32_t n, kq_error *err) {
    kq_str *s = kq_vec_str(v) + from, before = {0};
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].len <= KQ_STR_INLINE || memcmp(&s[i], &before, sizeof before) == 0) continue;
        before = s[i];
        bytes += before.len;
    }
    if (!bytes) return KQ_OK;
    char *p = kq_arena_bytes(&rows->arena, bytes);
    if (!p) {
        memset(s, 0, n * sizeof *s); /* nothing here may point to text that will be gone */
        return kq_arena_status(&rows->arena, err);
    }
    before = (kq_str){0};
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].len <= KQ_STR_INLINE) continue;
        if (memcmp(&s[i], &before, sizeof before) != 0) {
            before = s[i];
            memcpy(p, before.u.big.ptr, before.len);
            p += before.len;
        }
        s[i].u.big.ptr = p - before.len;
    }
    return KQ_OK;
}

kq_status kq_rows_append(kq_rows *rows, const kq_vector *const *vectors, const uint16_t *sel, uint32_t n,
                         kq_error *err) {
    for (uint32_t k = 0; k < n;) {
        uint32_t at = kq_rows_index(rows->n), want = at + n - k < KQ_CHUNK_ROWS ? at + n - k : KQ_CHUNK_ROWS;
        if (rows->n / KQ_CHUNK_ROWS == rows->nblocks)
            KQ_TRY(add_block(rows, want, err));
        else if (want > rows->room)
            KQ_TRY(widen_block(rows, want, err));
        uint32_t take = want - at;
        kq_vector *block = rows->blocks[rows->nblocks - 1];
        for (uint32_t c = 0; c < rows->ncols; c++) {
            if (sel || !k) {
                kq_vector_copy_rows(&block[c], at, vectors[c], sel ? sel + k : NULL, take);
            } else {
                for (uint32_t i = 0; i < take; i++) kq_vector_copy(&block[c], at + i, vectors[c], k + i);
            }
            if (block[c].type == KQ_STRING || block[c].type == KQ_DYNAMIC) KQ_TRY(own(rows, &block[c], at, take, err));
        }
        rows->n += take;
        k += take;
    }
    return KQ_OK;
}

kq_status kq_rows_append_chunk(kq_rows *rows, const kq_chunk *chunk, kq_error *err) {
    const kq_vector *few[64] = {NULL}, **vectors = few;
    if (rows->ncols > 64 && !(vectors = kq_malloc(rows->ncols * sizeof *vectors))) return kq_nomem(err);
    for (uint32_t c = 0; c < rows->ncols; c++) vectors[c] = &chunk->cols[c];
    kq_status status = kq_rows_append(rows, vectors, chunk->sel, chunk->selected, err);
    if (vectors != few) kq_free(vectors);
    return status;
}

kq_status kq_rows_add_column(kq_rows *rows, const kq_type *types, kq_error *err) {
    uint32_t n = rows->ncols;
    for (size_t b = 0; b < rows->nblocks; b++) {
        kq_vector *v = kq_arena_array(&rows->arena, kq_vector, n + 2);
        if (!v) return kq_arena_status(&rows->arena, err);
        if (n) memcpy(v, rows->blocks[b], n * sizeof *v);
        KQ_TRY(kq_vector_init(&v[n], types[n], KQ_CHUNK_ROWS, types[n] != KQ_STRING, &rows->arena, err));
        rows->blocks[b] = v;
    }
    rows->types = types;
    rows->ncols = n + 1;
    return KQ_OK;
}

kq_chunk kq_rows_chunk(const kq_rows *rows, size_t b, kq_vector *cols) {
    uint64_t left = rows->n - (uint64_t)b * KQ_CHUNK_ROWS;
    uint32_t n = left < KQ_CHUNK_ROWS ? (uint32_t)left : KQ_CHUNK_ROWS;
    if (rows->ncols) memcpy(cols, rows->blocks[b], rows->ncols * sizeof *cols);
    for (uint32_t c = 0; c < rows->ncols; c++) kq_vec_drop_nulls(&cols[c], n);
    return (kq_chunk){
        .rows = n, .selected = n, .ncols = rows->ncols, .cols = cols, .ordinal = (uint64_t)b * KQ_CHUNK_ROWS};
}
