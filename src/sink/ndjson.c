#include "sink/format.h"

/* The bytes before each cell are made once: `{"a":` and `,"b":`. What a chunk gives the same in every row is written
 * once for the chunk, and stands before the next cell. */
typedef struct ndjson {
    kq_sv *keys;
    kq_buf fixed;   /* of the chunk: for each cell that varies, what stands before it, and what stands after the last */
    size_t *ends;   /* of these, in `fixed` */
    uint32_t *vary; /* the columns that do */
} ndjson;

static kq_status begin(kq_sink *s, kq_error *err) {
    ndjson *n = kq_arena_new(&s->arena, ndjson);
    if (!n) return kq_arena_status(&s->arena, err);
    kq_buf_init(&n->fixed, s->budget, 0);
    s->state = n;
    n->keys = kq_arena_array(&s->arena, kq_sv, (size_t)s->columns->n + 1);
    n->ends = kq_arena_array(&s->arena, size_t, (size_t)s->columns->n + 1);
    n->vary = kq_arena_array(&s->arena, uint32_t, (size_t)s->columns->n + 1);
    if (!n->keys || !n->ends || !n->vary) return kq_arena_status(&s->arena, err);
    kq_buf key;
    kq_buf_init(&key, s->budget, 0);
    for (uint32_t i = 0; i < s->columns->n; i++) {
        kq_buf_clear(&key);
        kq_buf_char(&key, i ? ',' : '{');
        kq_json_string(s->columns->items[i].name, &key);
        kq_buf_char(&key, ':');
        n->keys[i] = kq_arena_copy(&s->arena, kq_buf_view(&key));
    }
    kq_status status = kq_buf_status(&key, err);
    kq_buf_deinit(&key);
    return status ? status : kq_arena_status(&s->arena, err);
}

/* The number of cells that vary. */
static uint32_t fix(const kq_sink *s, ndjson *n, const kq_chunk *chunk) {
    uint32_t varying = 0;
    kq_buf_clear(&n->fixed);
    if (!s->columns->n) kq_buf_char(&n->fixed, '{');
    for (uint32_t i = 0; i < s->columns->n; i++) {
        kq_buf_sv(&n->fixed, n->keys[i]);
        if (chunk->cols[i].constant) {
            kq_cell_json(&chunk->cols[i], 0, kq_sink_is_written(s, i), &n->fixed);
        } else {
            n->ends[varying] = n->fixed.n;
            n->vary[varying++] = i;
        }
    }
    kq_buf_append(&n->fixed, "}\n", 2);
    n->ends[varying] = n->fixed.n;
    return varying;
}

static kq_status push(kq_sink *s, const kq_chunk *chunk, kq_error *err) {
    ndjson *n = s->state;
    if (!chunk->selected) return KQ_OK;
    uint32_t varying = fix(s, n, chunk);
    KQ_TRY(kq_buf_status(&n->fixed, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        size_t from = 0;
        for (uint32_t i = 0; i < varying; from = n->ends[i++]) {
            kq_buf_append(&s->buf, n->fixed.p + from, n->ends[i] - from);
            kq_cell_json(&chunk->cols[n->vary[i]], row, kq_sink_is_written(s, n->vary[i]), &s->buf);
        }
        kq_buf_append(&s->buf, n->fixed.p + from, n->fixed.n - from);
        KQ_TRY(kq_sink_flush_full(s, err));
    }
    return KQ_OK;
}

static void end(kq_sink *s) {
    ndjson *n = s->state;
    if (n) kq_buf_deinit(&n->fixed);
}

const kq_sink_type kq_sink_ndjson = {"ndjson", "one JSON object per row", begin, push, NULL, end, true, true};
