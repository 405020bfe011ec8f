#include "base/number.h"
#include "base/time.h"
#include "column/dynamic.h"
#include "sink/format.h"

static const kq_sink_type *const types[] = {
#define KQ_SINK(name, doc) &kq_sink_##name,
#include "sink/sinks.def"
#undef KQ_SINK
};

static kq_status own_columns(kq_sink *s, const kq_columns *from, kq_error *err) {
    kq_columns *columns = kq_arena_new(&s->arena, kq_columns);
    kq_column *items = kq_arena_array(&s->arena, kq_column, (size_t)from->n + 1);
    if (!columns || !items) return kq_arena_status(&s->arena, err);
    for (uint32_t i = 0; i < from->n; i++)
        items[i] = (kq_column){.name = kq_arena_copy(&s->arena, from->items[i].name), .type = from->items[i].type};
    *columns = (kq_columns){items, from->n};
    s->columns = columns;
    return kq_arena_status(&s->arena, err);
}

kq_status kq_sink_create(const kq_output *output, const kq_columns *columns, kq_budget *budget, kq_sink **out,
                         kq_error *err) {
    *out = NULL;
    const kq_sink_type *type = NULL;
    const char *format = output->format ? output->format : "ndjson";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i]->name, format) == 0) type = types[i];
    if (!type) {
        kq_status status = kq_fail(err, KQ_ERR_USAGE, "there is no output format '%s'", format);
        kq_error_hint(err, "table, ndjson, json or csv");
        return status;
    }
    kq_sink *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->type = type;
    s->output = *output;
    s->budget = budget;
    kq_buf_init(&s->buf, budget, 0);
    kq_arena_init(&s->arena, budget, 4096);
    kq_status status = own_columns(s, columns, err);
    if (!status) status = type->begin(s, err);
    if (!status) status = kq_buf_status(&s->buf, err);
    if (status) {
        kq_sink_destroy(s);
        return status;
    }
    *out = s;
    return KQ_OK;
}

bool kq_sink_written(kq_sink *sink, const bool *columns) {
    if (!sink->type->written) return false;
    bool *own = kq_arena_array(&sink->arena, bool, (size_t)sink->columns->n + 1);
    if (!own) return false; /* then values come */
    if (sink->columns->n) memcpy(own, columns, sink->columns->n * sizeof *own);
    sink->written = own;
    return true;
}

kq_status kq_sink_push(kq_sink *sink, const kq_chunk *chunk, kq_error *err) {
    if (!chunk->selected) return KQ_OK;
    KQ_TRY(sink->type->push(sink, chunk, err));
    sink->rows += chunk->selected;
    return kq_sink_flush_full(sink, err);
}

kq_status kq_sink_finish(kq_sink *sink, kq_error *err) {
    if (sink->type->finish) KQ_TRY(sink->type->finish(sink, err));
    return kq_sink_flush(sink, err);
}

uint64_t kq_sink_rows(const kq_sink *sink) {
    return sink->rows;
}

void kq_sink_destroy(kq_sink *sink) {
    if (!sink) return;
    if (sink->type->end) sink->type->end(sink);
    kq_arena_deinit(&sink->arena);
    kq_buf_deinit(&sink->buf);
    kq_free(sink);
}

/* Empties the buffer. One huge row shall not be held for ever. */
static void empty(kq_sink *s) {
    kq_buf_clear(&s->buf);
    if (s->buf.cap <= 16 * KQ_SINK_BUFFER) return;
    kq_buf_deinit(&s->buf);
    kq_buf_init(&s->buf, s->budget, 0);
}

static kq_status write_out(kq_sink *sink, const kq_buf *from, kq_error *err) {
    if (!from->n) return KQ_OK;
    kq_status status = sink->output.write(sink->output.ctx, from->p, from->n);
    if (status == KQ_ERR_PIPE) return kq_fail(err, status, "the reader closed the pipe");
    if (status) return kq_fail(err, status == KQ_ERR_IO ? KQ_ERR_OUTPUT : status, "the result can't be written");
    return KQ_OK;
}

kq_status kq_sink_flush(kq_sink *sink, kq_error *err) {
    KQ_TRY(kq_buf_status(&sink->buf, err));
    if (sink->part) return KQ_OK;
    kq_status status = write_out(sink, &sink->buf, err);
    empty(sink);
    return status;
}

kq_status kq_sink_part(const kq_sink *sink, kq_sink **part, kq_error *err) {
    *part = NULL;
    if (!sink->type->apart) return KQ_OK;
    kq_sink *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->type = sink->type;
    s->columns = sink->columns;
    s->written = sink->written;
    s->budget = sink->budget;
    s->part = true;
    kq_buf_init(&s->buf, s->budget, 0);
    kq_arena_init(&s->arena, s->budget, 4096);
    kq_status status = s->type->begin(s, err);
    if (status) {
        kq_sink_destroy(s);
        return status;
    }
    kq_buf_clear(&s->buf); /* what opens the document is the sink's to write */
    *part = s;
    return KQ_OK;
}

size_t kq_sink_part_bytes(const kq_sink *part) {
    return part->buf.n;
}

kq_status kq_sink_take(kq_sink *sink, kq_sink *part, kq_error *err) {
    KQ_TRY(kq_buf_status(&part->buf, err));
    kq_status status = KQ_OK;
    if (sink->buf.n + part->buf.n < KQ_SINK_BUFFER) {
        kq_buf_sv(&sink->buf, kq_buf_view(&part->buf));
        status = kq_buf_status(&sink->buf, err);
    } else {
        status = kq_sink_flush(sink, err);
        if (!status) status = write_out(sink, &part->buf, err);
    }
    sink->rows += part->rows;
    part->rows = 0;
    empty(part);
    return status;
}

void kq_cell_json(const kq_vector *v, uint32_t row, bool written, kq_buf *out) {
    uint32_t i = kq_vec_at(v, row);
    if (written && !kq_vec_is_null(v, row)) {
        kq_buf_sv(out, kq_str_view(&kq_vec_str(v)[i]));
    } else if (v->type == KQ_STRING) {
        kq_json_string(kq_str_view(&kq_vec_str(v)[i]), out);
    } else if (kq_vec_is_null(v, row)) {
        kq_buf_append(out, "null", 4);
    } else if (v->type == KQ_LONG) {
        kq_number_print_long(kq_vec_long(v)[i], out);
    } else if (v->type == KQ_INT) {
        kq_number_print_long(kq_vec_int(v)[i], out);
    } else if (v->type == KQ_DYNAMIC) {
        kq_dyn_json(kq_str_view(&kq_vec_str(v)[i]), out);
    } else {
        kq_value value = kq_vector_get(v, row);
        kq_value_json(&value, out);
    }
}

void kq_cell_text(const kq_vector *v, uint32_t row, kq_buf *out) {
    if (v->type == KQ_STRING) {
        kq_buf_sv(out, kq_str_view(&kq_vec_str(v)[kq_vec_at(v, row)]));
        return;
    }
    kq_value value = kq_vector_get(v, row);
    if (value.null) return;
    if (v->type == KQ_BOOL)
        kq_buf_str(out, value.u.b ? "true" : "false");
    else if (v->type == KQ_DATETIME)
        kq_time_print(value.u.l, -1, out);
    else if (v->type == KQ_REAL)
        kq_number_print_real_shortest(value.u.r, out);
    else
        kq_value_text(&value, out);
}
