#include "sink/format.h"

/* The bytes before each cell are made once: `{"a":` and `,"b":`. */
static kq_status begin(kq_sink *s, kq_error *err) {
    kq_sv *keys = kq_arena_array(&s->arena, kq_sv, (size_t)s->columns->n + 1);
    if (!keys) return kq_arena_status(&s->arena, err);
    kq_buf key;
    kq_buf_init(&key, s->budget, 0);
    for (uint32_t i = 0; i < s->columns->n; i++) {
        kq_buf_clear(&key);
        kq_buf_char(&key, i ? ',' : '{');
        kq_json_string(s->columns->items[i].name, &key);
        kq_buf_char(&key, ':');
        keys[i] = kq_arena_copy(&s->arena, kq_buf_view(&key));
    }
    kq_status status = kq_buf_status(&key, err);
    kq_buf_deinit(&key);
    s->state = keys;
    return status ? status : kq_arena_status(&s->arena, err);
}

static kq_status push(kq_sink *s, const kq_chunk *chunk, kq_error *err) {
    const kq_sv *keys = s->state;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        if (!s->columns->n) kq_buf_char(&s->buf, '{');
        for (uint32_t i = 0; i < s->columns->n; i++) {
            kq_buf_sv(&s->buf, keys[i]);
            kq_cell_json(&chunk->cols[i], row, &s->buf);
        }
        kq_buf_append(&s->buf, "}\n", 2);
        KQ_TRY(kq_sink_flush_full(s, err));
    }
    return KQ_OK;
}

const kq_sink_type kq_sink_ndjson = {"ndjson", "one JSON object per row", begin, push, NULL, NULL};
