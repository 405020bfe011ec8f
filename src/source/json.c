#include "source/json_internal.h"
#include "source/json_value.h"
#include "source/look.h"
#include "source/scan_bytes.h"

uint64_t kq_json_block_bytes = KQ_BLOCK_BYTES;

#define KEEP_BYTES (4 * 1024 * 1024) /* of the buffers of one long record; larger ones are given back */

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int detect(kq_sv head, const char *path) {
    size_t i = 0;
    if (head.n >= 3 && memcmp(head.p, "\xEF\xBB\xBF", 3) == 0) i = 3;
    while (i < head.n && blank(head.p[i])) i++;
    const char *label = head.n ? kq_scan_label(head.p + i, head.p + head.n) : NULL;
    if (label) i = (size_t)(label - head.p);
    while (i < head.n && blank(head.p[i])) i++;
    kq_sv name = kq_sv_of(path);
    static const char *const packed[] = {".gz", ".zst", ".xz", ".bz2"};
    for (size_t k = 0; k < sizeof packed / sizeof *packed; k++)
        if (kq_sv_ends(name, kq_sv_of(packed[k]))) name.n -= strlen(packed[k]);
    bool named =
        kq_sv_ends(name, KQ_SV(".json")) || kq_sv_ends(name, KQ_SV(".ndjson")) || kq_sv_ends(name, KQ_SV(".jsonl"));
    if (i == head.n) return named ? 20 : 0;
    char first = head.p[i++];
    while (i < head.n && blank(head.p[i])) i++;
    char second = i < head.n ? head.p[i] : 0;
    if (first == '{' && (second == '"' || second == '}' || !second)) return named ? 95 : 85;
    if (first == '[' && (second == '{' || second == ']' || !second)) return named ? 95 : 80;
    return named ? 30 : 0;
}

static kq_status open_source(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget,
                             kq_source **out, kq_error *err) {
    kq_json_source *s = kq_calloc(1, sizeof *s);
    kq_sv head;
    kq_status status = s ? kq_stream_head(stream, &head, err) : kq_nomem(err);
    if (status) {
        kq_free(s);
        kq_stream_close(stream);
        return status;
    }
    s->base = (kq_source){.type = &kq_source_json, .input = input, .report = report};
    s->stream = stream;
    s->budget = budget;
    s->shape = kq_json_shape_of(head);
    s->block = kq_json_block_bytes;
    s->size = kq_stream_size(stream);
    s->in_order = !kq_stream_seekable(stream) || s->shape != KQ_JSON_LINES;
    kq_buf_init(&s->carry, budget, 0);
    kq_json_splitter_init(&s->splitter, s->shape, 0, budget);
    *out = &s->base;
    return KQ_OK;
}

static void close_source(kq_source *source) {
    if (!source) return;
    kq_json_source *s = (kq_json_source *)source;
    kq_stream_close(s->stream);
    kq_buf_deinit(&s->carry);
    kq_json_splitter_deinit(&s->splitter);
    kq_free(s);
}

static void reader_destroy(kq_reader *reader) {
    if (!reader) return;
    kq_json_reader *r = (kq_json_reader *)reader;
    kq_budget_release(r->base.budget, r->index_room ? kq_json_index_bytes(r->index_room) : 0);
    kq_json_index_destroy(r->index);
    kq_json_walker_deinit(&r->walker);
    kq_buf_deinit(&r->block);
    kq_buf_deinit(&r->extents);
    kq_buf_deinit(&r->mended);
    kq_buf_deinit(&r->names);
    kq_buf_deinit(&r->columns);
    kq_free(r);
}

static kq_status reader_create(const kq_request *request, kq_budget *budget, kq_reader **out, kq_error *err) {
    *out = NULL;
    kq_json_reader *r = kq_calloc(1, sizeof *r);
    if (!r) return kq_nomem(err);
    r->base = (kq_reader){&kq_source_json, request, budget};
    kq_buf_init(&r->block, budget, 0);
    kq_buf_init(&r->extents, budget, 0);
    kq_buf_init(&r->mended, budget, 0);
    kq_buf_init(&r->names, budget, 0);
    kq_buf_init(&r->columns, budget, 0);
    kq_status status = kq_json_walker_init(&r->walker, request, budget, err);
    if (!status && !(r->index = kq_json_index_create())) status = kq_nomem(err);
    if (status) {
        reader_destroy(&r->base);
        return status;
    }
    *out = &r->base;
    return KQ_OK;
}

static kq_status claim(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err) {
    kq_json_source *s = (kq_json_source *)source;
    kq_json_reader *r = (kq_json_reader *)reader;
    r->loaded = false;
    if (r->walker.keys.numbered) s->in_order = true;
    if (s->in_order) {
        KQ_TRY(kq_json_next(s, r, more, err));
        *morsel = (kq_morsel){r->block_at, r->block.n, s->next};
    } else {
        uint64_t begin = s->next * s->block;
        *more = begin < s->size;
        *morsel = (kq_morsel){begin, s->size - begin < s->block ? s->size - begin : s->block, s->next};
    }
    s->next += *more;
    return KQ_OK;
}

/* Room in the index for a text of n bytes, charged to the budget. */
static kq_status index_room(kq_json_reader *r, size_t n, kq_error *err) {
    if (n <= r->index_room) return KQ_OK;
    n = n + n / 4;
    if (!kq_budget_charge(r->base.budget, kq_json_index_bytes(n))) return kq_budget_status(r->base.budget, err);
    size_t before = r->index_room;
    if (kq_json_index_room(r->index, n) != KQ_JSON_OK) {
        kq_budget_release(r->base.budget, kq_json_index_bytes(n));
        return kq_nomem(err);
    }
    if (before) kq_budget_release(r->base.budget, kq_json_index_bytes(before));
    r->index_room = n;
    return KQ_OK;
}

/* The read of one morsel. */
typedef struct reading {
    kq_json_source *s;
    kq_json_reader *r;
    const kq_row_sink *sink;
    bool done;
    bool glued; /* somewhere in the block an object begins right behind another */
    uint64_t records;
    uint64_t places;    /* lines or extents: what $index counts, in whatever order blocks are read */
    const uint32_t *at; /* the index of the block; NULL: each record is indexed by itself */
    uint32_t n, i;
    size_t base; /* of the index in the block */
} reading;

static void damage(const reading *rd, uint64_t offset, const char *reason) {
    kq_report_damage(rd->s->base.report, rd->s->base.input->number, rd->s->base.input->path, offset, "%s", reason);
}

/* The records of an indexed text: one, unless several stand in a line without anything between them. */
static kq_status walk(reading *rd, kq_json_place *place, kq_error *err) {
    kq_json_walker *w = &rd->r->walker;
    const char *broken = NULL;
    uint32_t used = 0;
    char last = place->columns ? ']' : '}';
    if (!place->n || place->text[place->at[place->n - 1]] != last) {
        damage(rd, place->offset,
               place->n && (place->columns || place->text[place->at[0]] == '{') ? "the record is cut off"
                                                                                : "not a JSON object");
        return KQ_OK;
    }
    for (;;) {
        KQ_TRY(kq_json_record(w, place, rd->sink, &used, &broken, &rd->done, err));
        if (broken) {
            damage(rd, place->offset, broken);
            return KQ_OK;
        }
        if (w->fault) damage(rd, place->offset, w->fault);
        if (!place->whole || used >= place->n || rd->done) return KQ_OK;
        uint32_t skipped = place->at[used] - place->at[0];
        place->at += used;
        place->n -= used;
        place->offset += skipped;
        place->raw = kq_sv_slice(place->raw, skipped, place->raw.n);
        rd->records++;
    }
}

/* A record that can't be indexed as it is, or as part of its block. */
static kq_status alone(reading *rd, kq_json_place *place, kq_error *err) {
    kq_json_reader *r = rd->r;
    KQ_TRY(index_room(r, place->raw.n, err));
    place->text = place->raw.p;
    kq_json_fault fault = kq_json_index_make(r->index, place->raw.p, place->raw.n, &place->at, &place->n);
    if (fault == KQ_JSON_BAD_UTF8 || fault == KQ_JSON_CONTROL) {
        damage(rd, place->offset,
               fault == KQ_JSON_CONTROL ? "a control character in a string" : "invalid UTF-8, replaced by U+FFFD");
        kq_buf_clear(&r->mended);
        kq_json_mend(place->raw, &r->mended);
        KQ_TRY(kq_buf_status(&r->mended, err));
        /* Fields will point into the text: it stays until the morsel is read. */
        size_t n = r->mended.n;
        char *text = kq_arena_bytes(&r->walker.scratch, n + KQ_SCAN_SLACK);
        if (!text) return kq_arena_status(&r->walker.scratch, err);
        memcpy(text, r->mended.p, n);
        memset(text + n, 0, KQ_SCAN_SLACK);
        place->raw = (kq_sv){text, n};
        place->text = text;
        KQ_TRY(index_room(r, n, err));
        fault = kq_json_index_make(r->index, text, n, &place->at, &place->n);
    }
    if (fault == KQ_JSON_NOMEM) return kq_nomem(err);
    if (fault != KQ_JSON_OK || !place->n) {
        damage(rd, place->offset,
               fault == KQ_JSON_OPEN_STRING ? "the record is cut off: a string does not end" : "not JSON");
        return KQ_OK;
    }
    return walk(rd, place, err);
}

/* The first index entry at or behind `offset`: near the current one. */
static uint32_t seek(const uint32_t *at, uint32_t i, uint32_t n, uint32_t offset) {
    uint32_t step = 1;
    while (i + step < n && at[i + step] < offset) {
        i += step;
        step *= 2;
    }
    uint32_t high = i + step < n ? i + step : n;
    while (i < high) {
        uint32_t mid = i + (high - i) / 2;
        if (at[mid] < offset)
            i = mid + 1;
        else
            high = mid;
    }
    return i;
}

/* One record of the block, at p[0..n), without blanks around it. */
static kq_status record(reading *rd, const char *p, size_t n, kq_error *err) {
    kq_json_reader *r = rd->r;
    kq_json_place place = {.raw = {p, n},
                           .offset = r->block_at + (uint64_t)(p - r->block.p),
                           .number = r->first + rd->places++,
                           .path = rd->s->base.input->path,
                           .whole = rd->glued && kq_scan_glued(p, n)};
    if (rd->s->shape == KQ_JSON_TABLES) {
        place.columns = (const kq_sv *)(const void *)r->columns.p;
        place.ncolumns = (uint32_t)(r->columns.n / sizeof(kq_sv));
    }
    rd->records++;
    if (n > KQ_RECORD_MAX_BYTES) {
        kq_json_too_long(rd->s, place.offset);
        return KQ_OK;
    }
    if (!rd->at) return alone(rd, &place, err);
    size_t start = (size_t)(p - r->block.p) - rd->base;
    uint32_t first = seek(rd->at, rd->i, rd->n, (uint32_t)start);
    uint32_t last = seek(rd->at, first, rd->n, (uint32_t)(start + n));
    rd->i = last;
    place.text = r->block.p + rd->base;
    place.at = rd->at + first;
    place.n = last - first;
    if (!place.n || place.at[0] != start) place.n = 0; /* bytes that belong to what stands before it */
    /* What stands between records may hold an odd quote, which only the index of the block takes to be one. */
    if (r->has_extents && (!place.n || (place.text[place.at[place.n - 1]] | 0x20) != '}')) {
        rd->at = NULL; /* the index is of this record from now on */
        return alone(rd, &place, err);
    }
    return walk(rd, &place, err);
}

static kq_status lines(reading *rd, size_t from, size_t to, kq_error *err) {
    const char *p = rd->r->block.p + from, *end = rd->r->block.p + to;
    while (p < end && !rd->done) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end, *next = newline ? newline + 1 : end;
        kq_sv line = kq_json_line(p, stop);
        if (line.n && !kq_json_is_label(line)) KQ_TRY(record(rd, line.p, line.n, err));
        p = next;
    }
    return KQ_OK;
}

static kq_status extents(reading *rd, kq_error *err) {
    const kq_json_reader *r = rd->r;
    const kq_json_extent *e = (const kq_json_extent *)(const void *)r->extents.p;
    for (size_t k = 0; k < r->extents.n / sizeof *e && !rd->done; k++) {
        if (e[k].start == e[k].end) {
            damage(rd, e[k].start, rd->s->shape == KQ_JSON_TABLES ? "not a row" : "not a JSON object");
            rd->records++;
            rd->places++;
            continue;
        }
        KQ_TRY(record(rd, r->block.p + (e[k].start - r->block_at), (size_t)(e[k].end - e[k].start), err));
    }
    return KQ_OK;
}

static void give_back(kq_json_reader *r) {
    if (r->block.cap > KEEP_BYTES) {
        kq_buf_deinit(&r->block);
        kq_buf_init(&r->block, r->base.budget, 0);
    }
    if (r->mended.cap > KEEP_BYTES) {
        kq_buf_deinit(&r->mended);
        kq_buf_init(&r->mended, r->base.budget, 0);
    }
    if (r->index_room > KEEP_BYTES && kq_json_index_room(r->index, KQ_BLOCK_BYTES) == KQ_JSON_OK) {
        kq_budget_release(r->base.budget, kq_json_index_bytes(r->index_room));
        r->index_room = 0;
    }
}

static kq_status read_morsel(kq_source *source, kq_reader *reader, const kq_morsel *morsel, const kq_row_sink *sink,
                             kq_error *err) {
    kq_json_source *s = (kq_json_source *)source;
    kq_json_reader *r = (kq_json_reader *)reader;
    reading rd = {.s = s, .r = r, .sink = sink};
    size_t from = 0, to = r->block.n;
    kq_status status = KQ_OK;
    kq_json_walker_reset(&r->walker);
    r->walker.tally = s->base.tally;
    if (!r->loaded) {
        r->has_extents = false;
        r->first = 0;
        KQ_TRY(kq_json_load(s, r, morsel->index, &from, &to, err));
        __atomic_add_fetch(&s->base.report->bytes, morsel->length, __ATOMIC_RELAXED);
    }
    if (r->has_extents && r->extents.n) {
        /* What stands around the records may be cut off inside a string: it must not be indexed with them. */
        const kq_json_extent *e = (const kq_json_extent *)(const void *)r->extents.p;
        const kq_json_extent *last = &e[r->extents.n / sizeof *e - 1];
        from = e[0].start > r->block_at ? (size_t)(e[0].start - r->block_at) : 0; /* no record may begin before it */
        to = last->end > r->block_at ? (size_t)(last->end - r->block_at) : 0;
    }
    size_t n = to - from;
    if (n || r->extents.n) {
        char *slack = r->block.p + r->block.n; /* reserved with every read */
        memset(slack, 0, KQ_SCAN_SLACK);
        const uint32_t *at;
        uint32_t count;
        kq_json_fault fault = KQ_JSON_OTHER;
        if (n && n <= KEEP_BYTES) {
            status = index_room(r, n, err);
            if (status) goto out;
            fault = kq_json_index_make(r->index, r->block.p + from, n, &at, &count);
        }
        /* When anything in the block is ill-formed, each record is indexed by itself, and only the bad ones fail. */
        if (fault == KQ_JSON_OK) {
            rd.at = at;
            rd.n = count;
            rd.base = from;
        }
        /* Writers that race may leave two records in a line: then nothing may be skipped. */
        rd.glued = !r->has_extents && kq_scan_glued(r->block.p + from, n);
        status = r->has_extents ? extents(&rd, err) : lines(&rd, from, to, err);
        __atomic_add_fetch(&s->base.report->records, rd.records, __ATOMIC_RELAXED);
    }
out:
    if (s->base.tally) kq_tally_add(s->base.tally, &r->walker.part);
    r->loaded = false;
    give_back(r);
    return status;
}

static kq_status sample(kq_source *source, kq_buf *names, kq_buf *category, kq_error *err) {
    kq_json_source *s = (kq_json_source *)source;
    kq_sv head;
    KQ_TRY(kq_stream_head(s->stream, &head, err));
    return kq_json_sample(head, names, category, NULL, err);
}

static kq_status types(kq_source *source, kq_buf *out, kq_error *err) {
    kq_json_source *s = (kq_json_source *)source;
    kq_buf names, category;
    kq_sv head;
    KQ_TRY(kq_stream_head(s->stream, &head, err));
    kq_buf_init(&names, out->budget, 1 << 20);
    kq_buf_init(&category, out->budget, 1 << 16);
    kq_status status = kq_json_sample(head, &names, &category, out, err);
    if (!status) status = kq_buf_status(out, err);
    kq_buf_deinit(&names);
    kq_buf_deinit(&category);
    return status;
}

static kq_status look(void *ctx, char *text, size_t n, bool *enough, KQ_UNUSED kq_error *err) {
    kq_dates *out = ctx, order = kq_json_dates((kq_sv){text, n});
    *enough = order == KQ_DATES_MDY || order == KQ_DATES_DMY;
    if (*enough) *out = order;
    return KQ_OK;
}

static kq_status dates(kq_source *source, kq_dates *out, kq_error *err) {
    kq_json_source *s = (kq_json_source *)source;
    kq_sv head;
    KQ_TRY(kq_stream_head(s->stream, &head, err));
    *out = kq_json_dates(head);
    if (*out != KQ_DATES_EITHER) return KQ_OK;
    *out = KQ_DATES_UNTOLD;
    return kq_look(s->stream, s->base.input, s->budget, look, out, err);
}

const kq_source_type kq_source_json = {
    .name = "json",
    .doc = "NDJSON, JSON arrays and objects, and the envelopes of Azure and Defender",
    .detect = detect,
    .open = open_source,
    .close = close_source,
    .reader_create = reader_create,
    .reader_destroy = reader_destroy,
    .claim = claim,
    .read = read_morsel,
    .sample = sample,
    .types = types,
    .dates = dates,
};
