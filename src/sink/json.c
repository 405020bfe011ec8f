#include "sink/format.h"

static kq_status begin(kq_sink *s, kq_error *err) {
    kq_buf_str(&s->buf, "{\"columns\":[");
    for (uint32_t i = 0; i < s->columns->n; i++) {
        if (i) kq_buf_char(&s->buf, ',');
        kq_buf_str(&s->buf, "{\"name\":");
        kq_json_string(s->columns->items[i].name, &s->buf);
        kq_buf_str(&s->buf, ",\"type\":\"");
        kq_buf_str(&s->buf, kq_type_name(s->columns->items[i].type));
        kq_buf_str(&s->buf, "\"}");
    }
    kq_buf_str(&s->buf, "],\"rows\":[");
    return kq_buf_status(&s->buf, err);
}

static kq_status push(kq_sink *s, const kq_chunk *chunk, kq_error *err) {
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        kq_buf_str(&s->buf, s->rows + k ? ",[" : "[");
        for (uint32_t i = 0; i < s->columns->n; i++) {
            if (i) kq_buf_char(&s->buf, ',');
            kq_cell_json(&chunk->cols[i], row, kq_sink_is_written(s, i), &s->buf);
        }
        kq_buf_char(&s->buf, ']');
        KQ_TRY(kq_sink_flush_full(s, err));
    }
    return KQ_OK;
}

static kq_status finish(kq_sink *s, kq_error *err) {
    kq_buf_str(&s->buf, "]}\n");
    return kq_buf_status(&s->buf, err);
}

const kq_sink_type kq_sink_json = {"json", "one object: columns with types, and rows", begin, push, finish, NULL, false,
                                   true};
