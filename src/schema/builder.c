#include "schema/builder.h"
#include "schema/convert.h"

/* Text of a chunk before it is pushed early, so that a chunk of huge cells stays small. */
#define TEXT_MAX ((size_t)4 << 20)

kq_status kq_builder_init(kq_builder *b, const kq_scan_spec *spec, kq_error *err) {
    *b = (kq_builder){.ncolumns = spec->ncolumns};
    kq_arena_init(&b->fixed, spec->budget, 0);
    kq_arena_init(&b->text, spec->budget, 256 * 1024);
    kq_arena_init(&b->judged, spec->budget, 16 * 1024);
    kq_buf_init(&b->scratch, spec->budget, 0);
    b->columns = kq_arena_array(&b->fixed, kq_vector, spec->ncolumns + 1);
    b->view = kq_arena_array(&b->fixed, kq_vector, spec->ncolumns + 1);
    b->has_null = kq_arena_array(&b->fixed, bool, spec->ncolumns + 1);
    if (!b->columns || !b->view || !b->has_null) return kq_arena_status(&b->fixed, err);
    for (uint32_t i = 0; i < spec->ncolumns; i++)
        KQ_TRY(kq_vector_init(&b->columns[i], spec->table->columns.items[spec->columns[i]].type, KQ_CHUNK_ROWS, true,
                              &b->fixed, err));
    return KQ_OK;
}

void kq_builder_deinit(kq_builder *b) {
    kq_arena_deinit(&b->fixed);
    kq_arena_deinit(&b->text);
    kq_arena_deinit(&b->judged);
    kq_buf_deinit(&b->scratch);
}

void kq_builder_begin(kq_builder *b, const kq_scan_request *scan, const kq_consumer *to, uint64_t ordinal) {
    b->scan = scan;
    b->to = to;
    b->ordinal = ordinal;
    b->done = false;
}

static kq_status flush(kq_builder *b, kq_error *err) {
    if (!b->rows) return KQ_OK;
    for (uint32_t i = 0; i < b->ncolumns; i++) {
        b->view[i] = b->columns[i];
        if (!b->has_null[i]) b->view[i].nulls = NULL;
    }
    kq_chunk chunk = {
        .rows = b->rows, .selected = b->rows, .ncols = b->ncolumns, .cols = b->view, .ordinal = b->ordinal};
    b->ordinal += b->rows;
    b->built += b->rows;
    kq_status status = b->to->push(b->to->ctx, &chunk, &b->done, err);
    for (uint32_t i = 0; i < b->ncolumns; i++)
        if (b->has_null[i]) memset(b->columns[i].nulls, 0, KQ_NULL_WORDS * sizeof(uint64_t));
    memset(b->has_null, 0, b->ncolumns * sizeof *b->has_null);
    b->rows = 0;
    b->text_bytes = 0;
    kq_arena_reset(&b->text);
    return status;
}

static bool empty(const kq_field *f) {
    return f->kind == KQ_FIELD_MISSING || f->kind == KQ_FIELD_NULL || (f->kind == KQ_FIELD_STRING && !f->u.text.n);
}

/* The first alternative that has a value, transformed; false: none. */
static bool pick(const kq_build_column *c, const kq_field *fields, kq_arena *arena, kq_field *out) {
    for (uint32_t i = 0; i < c->nsources; i++) {
        const kq_map_source *map = c->sources[i].map;
        if (map->literal) {
            *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = map->text};
            return true;
        }
        const kq_field *f = &fields[c->sources[i].want];
        if (empty(f)) continue;
        *out = *f;
        if (!map->ntransforms) return true;
        kq_sv text;
        if (!kq_field_text(f, arena, &text) || !kq_map_apply(map, text, arena, &text)) continue;
        *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = text};
        return true;
    }
    return false;
}

static bool passes(kq_builder *b, const kq_build_predicate *bp, const kq_field *fields) {
    kq_field f = {.kind = KQ_FIELD_MISSING};
    pick(&bp->column, fields, &b->judged, &f);
    if (bp->predicate->kind == KQ_PREDICATE_TEXT) {
        if (bp->column.type != KQ_STRING) return true;
        kq_sv text;
        if (!kq_field_text(&f, &b->judged, &text)) text = KQ_SV("");
        return kq_matcher_test(bp->predicate->matcher, text);
    }
    kq_value v = kq_field_value(&f, bp->column.type, &b->judged, &b->scratch);
    return kq_predicate_range(bp->predicate, &v);
}

/* Field text lives only until the row function returns: a long string is copied to the chunk's text. */
static kq_str keep(kq_builder *b, const kq_str *s) {
    if (s->len <= KQ_STR_INLINE) return *s;
    char *p = kq_arena_bytes(&b->text, s->len);
    if (!p) return (kq_str){0}; /* reported by kq_builder_row */
    memcpy(p, s->u.big.ptr, s->len);
    return kq_str_ref(p, s->len);
}

kq_status kq_builder_row(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err) {
    kq_builder *b = ctx;
    const kq_build_set *s = &b->scan->sets[set];
    if (s->npredicates) kq_arena_reset(&b->judged);
    for (uint32_t i = 0; i < s->npredicates; i++)
        if (!passes(b, &s->predicates[i], fields)) return kq_arena_status(&b->judged, err);
    size_t text = 0;
    for (uint32_t i = 0; i < b->ncolumns; i++) {
        kq_vector *v = &b->columns[i];
        kq_field f = {.kind = KQ_FIELD_MISSING};
        pick(&s->columns[i], fields, &b->text, &f);
        kq_value value = kq_field_value(&f, v->type, &b->text, &b->scratch);
        if (value.null) {
            b->has_null[i] = true;
            kq_vec_set_null(v, b->rows);
            if (v->type == KQ_DYNAMIC) kq_vec_str(v)[b->rows] = (kq_str){0};
        } else {
            if (v->type == KQ_STRING) value.u.s = keep(b, &value.u.s);
            if (v->type == KQ_STRING || v->type == KQ_DYNAMIC) text += value.u.s.len;
            kq_vector_set(v, b->rows, &value);
        }
    }
    KQ_TRY(kq_arena_status(&b->text, err));
    KQ_TRY(kq_buf_status(&b->scratch, err));
    b->rows++;
    b->text_bytes += text;
    if (b->rows == KQ_CHUNK_ROWS || b->text_bytes > TEXT_MAX) KQ_TRY(flush(b, err));
    *done = b->done;
    return KQ_OK;
}

kq_status kq_builder_end(kq_builder *b, kq_error *err) {
    kq_status status = b->done ? KQ_OK : flush(b, err);
    b->rows = 0;
    return status;
}
