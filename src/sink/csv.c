#include "sink/format.h"

static bool needs_quotes(const char *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i] == '"' || p[i] == ',' || p[i] == '\n' || p[i] == '\r') return true;
    return false;
}

static void field(kq_buf *out, const char *p, size_t n) {
    if (!needs_quotes(p, n)) {
        kq_buf_append(out, p, n);
        return;
    }
    kq_buf_char(out, '"');
    for (const char *end = p + n; p < end;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *to = quote ? quote + 1 : end;
        kq_buf_append(out, p, (size_t)(to - p));
        if (quote) kq_buf_char(out, '"');
        p = to;
    }
    kq_buf_char(out, '"');
}

static kq_status begin(kq_sink *s, kq_error *err) {
    kq_buf *scratch = kq_arena_new(&s->arena, kq_buf);
    if (!scratch) return kq_arena_status(&s->arena, err);
    kq_buf_init(scratch, s->budget, 0);
    s->state = scratch;
    for (uint32_t i = 0; i < s->columns->n; i++) {
        if (i) kq_buf_char(&s->buf, ',');
        field(&s->buf, s->columns->items[i].name.p, s->columns->items[i].name.n);
    }
    kq_buf_append(&s->buf, "\r\n", 2);
    return kq_buf_status(&s->buf, err);
}

static kq_status push(kq_sink *s, const kq_chunk *chunk, kq_error *err) {
    kq_buf *scratch = s->state;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        size_t start = s->buf.n;
        for (uint32_t i = 0; i < s->columns->n; i++) {
            const kq_vector *v = &chunk->cols[i];
            if (i) kq_buf_char(&s->buf, ',');
            if (v->type == KQ_STRING) {
                const kq_str *str = &kq_vec_str(v)[kq_vec_at(v, row)];
                field(&s->buf, kq_str_ptr(str), str->len);
            } else if (v->type == KQ_DYNAMIC) {
                kq_buf_clear(scratch);
                kq_cell_text(v, row, scratch);
                KQ_TRY(kq_buf_status(scratch, err));
                field(&s->buf, scratch->p, scratch->n);
            } else {
                kq_cell_text(v, row, &s->buf);
            }
        }
        /* An empty line would not be a record. */
        if (s->buf.n == start) kq_buf_append(&s->buf, "\"\"", 2);
        kq_buf_append(&s->buf, "\r\n", 2);
        KQ_TRY(kq_sink_flush_full(s, err));
    }
    return KQ_OK;
}

static void end(kq_sink *s) {
    kq_buf_deinit(s->state);
}

const kq_sink_type kq_sink_csv = {"csv", "RFC 4180 with a header", begin, push, NULL, end, true, false};
