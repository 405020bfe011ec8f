/*
 * Chunks: up to 2048 rows of columns with a selection. A filter shortens the selection and copies nothing.
 * A chunk belongs to the worker that made it and lives until that worker makes its next one.
 */
#ifndef KQ_COLUMN_CHUNK_H
#define KQ_COLUMN_CHUNK_H

#include "column/vector.h"

/* A column of a table or of a query's result. */
typedef struct kq_column {
    kq_sv name;
    kq_type type;
    bool text; /* a dynamic that may also stand for its JSON text: another product has the column as a string */
} kq_column;

typedef struct kq_columns {
    kq_column *items;
    uint32_t n;
} kq_columns;

typedef struct kq_chunk {
    uint32_t rows;       /* rows in the vectors */
    uint32_t selected;   /* rows that count; == rows when sel is NULL */
    const uint16_t *sel; /* ascending row numbers, or NULL for all */
    uint32_t ncols;
    kq_vector *cols;
    uint64_t ordinal; /* where row 0 stands in the input: (morsel's sequence number << 32) + rows before it in the
                         morsel. Rows of a chunk are ordinal + row number; results ordered by it do not depend on
                         the number of threads */
} kq_chunk;

static inline uint32_t kq_chunk_row(const kq_chunk *c, uint32_t k) {
    return c->sel ? c->sel[k] : k;
}

/* Who takes chunks: the next step of a pipeline. `chunk` may be changed by the callee. Returns KQ_OK to go on; any
 * other status stops the source (`*done`, when set to true with KQ_OK, asks it to stop early without error). */
typedef struct kq_consumer {
    kq_status (*push)(void *ctx, kq_chunk *chunk, bool *done, kq_error *err);
    void *ctx;
    const struct kq_parts *parts; /* NULL: it takes chunks only */
} kq_consumer;

/* A consumer whose rows may be made ready before their turn: workers write the chunks that come later into parts, side
 * by side, and the parts are taken in order, one call at a time with the consumer's push. */
typedef struct kq_parts {
    /* An empty part, from any thread; *part NULL with KQ_OK: there are none for this result. */
    kq_status (*open)(void *ctx, void **part, kq_error *err);
    kq_status (*write)(void *part, const kq_chunk *chunk, kq_error *err);
    size_t (*bytes)(const void *part); /* that it holds */
    /* Takes what the part holds, and empties it. */
    kq_status (*take)(void *ctx, void *part, kq_error *err);
    void (*close)(void *part);
} kq_parts;

#endif
