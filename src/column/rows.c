#include "column/rows.h"

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

static kq_status add_block(kq_rows *rows, kq_error *err) {
    if (rows->nblocks == rows->cap) {
        size_t cap = rows->cap ? 2 * rows->cap : 8;
        kq_vector **blocks = kq_realloc(rows->blocks, cap * sizeof *blocks);
        if (!blocks) return kq_nomem(err);
        rows->blocks = blocks;
        rows->cap = cap;
    }
    kq_vector *v = kq_arena_array(&rows->arena, kq_vector, rows->ncols + 1);
    if (!v) return kq_arena_status(&rows->arena, err);
    for (uint32_t c = 0; c < rows->ncols; c++)
        KQ_TRY(kq_vector_init(&v[c], rows->types[c], KQ_CHUNK_ROWS, rows->types[c] != KQ_STRING, &rows->arena, err));
    rows->blocks[rows->nblocks++] = v;
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

/* Makes the long strings of places from..from+n the store's own. */
static kq_status own(kq_rows *rows, kq_vector *v, uint32_t from, uint32_t n, kq_error *err) {
    kq_str *s = kq_vec_str(v) + from;
    for (uint32_t i = 0; i < n; i++) {
        if (s[i].len <= KQ_STR_INLINE) continue;
        char *p = kq_arena_bytes(&rows->arena, s[i].len);
        if (!p) return kq_arena_status(&rows->arena, err);
        memcpy(p, s[i].u.big.ptr, s[i].len);
        s[i].u.big.ptr = p;
    }
    return KQ_OK;
}

kq_status kq_rows_append(kq_rows *rows, const kq_vector *const *vectors, const uint16_t *sel, uint32_t n,
                         kq_error *err) {
    for (uint32_t k = 0; k < n;) {
        uint32_t at = kq_rows_index(rows->n), room = KQ_CHUNK_ROWS - at, take = n - k < room ? n - k : room;
        if (rows->n / KQ_CHUNK_ROWS == rows->nblocks) KQ_TRY(add_block(rows, err));
        kq_vector *block = rows->blocks[rows->nblocks - 1];
        for (uint32_t c = 0; c < rows->ncols; c++) {
            for (uint32_t i = 0; i < take; i++) kq_vector_copy(&block[c], at + i, vectors[c], sel ? sel[k + i] : k + i);
            if (block[c].type == KQ_STRING || block[c].type == KQ_DYNAMIC) KQ_TRY(own(rows, &block[c], at, take, err));
        }
        rows->n += take;
        k += take;
    }
    return KQ_OK;
}

kq_status kq_rows_append_chunk(kq_rows *rows, const kq_chunk *chunk, kq_error *err) {
    const kq_vector *few[64], **vectors = few;
    if (rows->ncols > 64) {
        vectors = (const kq_vector **)kq_arena_array(&rows->arena, const kq_vector *, rows->ncols);
        if (!vectors) return kq_arena_status(&rows->arena, err);
    }
    for (uint32_t c = 0; c < rows->ncols; c++) vectors[c] = &chunk->cols[c];
    return kq_rows_append(rows, vectors, chunk->sel, chunk->selected, err);
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
    return (kq_chunk){
        .rows = n, .selected = n, .ncols = rows->ncols, .cols = cols, .ordinal = (uint64_t)b * KQ_CHUNK_ROWS};
}
