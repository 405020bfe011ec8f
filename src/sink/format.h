/*
 * What the output formats share. Private to src/sink: a format writes into sink->buf and calls kq_sink_flush when it is
 * well filled.
 */
#ifndef KQ_SINK_FORMAT_H
#define KQ_SINK_FORMAT_H

#include "column/value.h"
#include "sink/sink.h"

#define KQ_SINK_BUFFER (64 * 1024)

typedef struct kq_sink_type {
    const char *name;
    const char *doc;
    kq_status (*begin)(kq_sink *sink, kq_error *err);
    kq_status (*push)(kq_sink *sink, const kq_chunk *chunk, kq_error *err);
    kq_status (*finish)(kq_sink *sink, kq_error *err); /* may be NULL */
    void (*end)(kq_sink *sink);                        /* releases sink->state; may be NULL */
    bool apart;   /* a row looks the same whatever came before it: rows can be written in parts */
    bool written; /* its cells are kq_value_json's: kq_sink_written */
} kq_sink_type;

struct kq_sink {
    const kq_sink_type *type;
    kq_output output;
    const kq_columns *columns; /* the sink's own */
    kq_budget *budget;
    kq_buf buf;
    uint64_t rows;
    const bool *written; /* columns, or NULL: kq_sink_written */
    kq_arena arena;      /* of the format, for the life of the sink */
    void *state;         /* the format's own */
    bool part;
};

extern const kq_sink_type kq_sink_table, kq_sink_ndjson, kq_sink_json, kq_sink_csv;

/* Writes out what the buffer holds; a part keeps it. */
kq_status kq_sink_flush(kq_sink *sink, kq_error *err);
static inline kq_status kq_sink_flush_full(kq_sink *sink, kq_error *err) {
    return KQ_UNLIKELY(sink->buf.n >= KQ_SINK_BUFFER || sink->buf.failed) ? kq_sink_flush(sink, err) : KQ_OK;
}

/* Appends the value at `row` as kq_value_json prints it. `written`: the column has it as text already. */
void kq_cell_json(const kq_vector *v, uint32_t row, bool written, kq_buf *out);
static inline bool kq_sink_is_written(const kq_sink *sink, uint32_t column) {
    return sink->written && sink->written[column];
}
/* The same as text, without the quotes and escapes of JSON; nothing for null. */
void kq_cell_text(const kq_vector *v, uint32_t row, kq_buf *out);

#endif
