/*
 * kq_rows: many rows kept column by column, in blocks of 2048. Appending copies the selected rows of a chunk, text
 * included (a column's text of one append is contiguous); what is kept lives until kq_rows_deinit. Rows are numbered
 * from 0 in the order of appending. One thread appends; then any number may read. The first block starts small, so
 * that few rows take little.
 */
#ifndef KQ_COLUMN_ROWS_H
#define KQ_COLUMN_ROWS_H

#include "column/chunk.h"
#include "column/value.h"

typedef struct kq_rows {
    const kq_type *types;
    uint32_t ncols;
    uint64_t n;
    kq_arena arena;     /* vectors and text */
    kq_vector **blocks; /* blocks[b][column]; row r is row r % 2048 of block r / 2048 */
    size_t nblocks, cap;
    uint32_t room; /* rows that the last block has room for: 2048 but for a small first one */
} kq_rows;

/* `types` must outlive it. */
void kq_rows_init(kq_rows *rows, const kq_type *types, uint32_t ncols, kq_budget *budget);
void kq_rows_deinit(kq_rows *rows);
/* Forgets all rows, keeps some memory. */
void kq_rows_clear(kq_rows *rows);
/* Bytes that it holds. */
static inline size_t kq_rows_bytes(const kq_rows *rows) {
    return rows->arena.held;
}

/* Appends rows of `vectors` (one for each column): the numbers sel[0..n), or 0..n-1 when sel is NULL. */
kq_status kq_rows_append(kq_rows *rows, const kq_vector *const *vectors, const uint16_t *sel, uint32_t n,
                         kq_error *err);
/* Appends the selected rows of a chunk of the same columns. */
kq_status kq_rows_append_chunk(kq_rows *rows, const kq_chunk *chunk, kq_error *err);

/* One column more at the end, of type types[ncols], all zero and not null: to be written in place. `types` replaces the
 * old ones and must outlive the rows. */
kq_status kq_rows_add_column(kq_rows *rows, const kq_type *types, kq_error *err);

static inline const kq_vector *kq_rows_vector(const kq_rows *rows, uint64_t row, uint32_t column) {
    return &rows->blocks[row / KQ_CHUNK_ROWS][column];
}
static inline uint32_t kq_rows_index(uint64_t row) {
    return (uint32_t)(row % KQ_CHUNK_ROWS);
}

/* The rows of block `b` as a chunk (views; ordinal b * 2048). `cols` has room for ncols vectors. */
kq_chunk kq_rows_chunk(const kq_rows *rows, size_t b, kq_vector *cols);

#define KQ_ROWS_NONE UINT64_MAX

/* Writes a column of the rows `order[0..n)` to places 0..n-1 of `out`, a vector of its type with room and with a null
 * bitmap (string: none needed). KQ_ROWS_NONE gives null. Text is not copied. */
void kq_rows_gather(const kq_rows *rows, uint32_t column, const uint64_t *order, uint32_t n, kq_vector *out);

/* Copies value `from` of `src` to place `to` of `dst` (same type; text is not copied). */
void kq_vector_copy(kq_vector *dst, uint32_t to, const kq_vector *src, uint32_t from);
/* Copies the values sel[0..n) of `src` (0..n-1 when NULL) to places `to`... of `dst`, likewise. */
void kq_vector_copy_rows(kq_vector *dst, uint32_t to, const kq_vector *src, const uint16_t *sel, uint32_t n);

#endif
