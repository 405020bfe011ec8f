/*
 * CSV: RFC 4180 as it is met: BOM, CRLF, quoted newlines, ',' ';' or tab, headers of the Defender and Sentinel portals.
 * claim() reads the next block and finds where its records end (csv_scan.h), a few gigabytes a second; the fields are
 * cut by the workers, only as far as the last one that is wanted.
 */
#include "base/utf8.h"
#include "source/csv_internal.h"

uint64_t kq_csv_block_bytes = KQ_BLOCK_BYTES;

#define KEEP_BYTES (4 * KQ_BLOCK_BYTES) /* of the buffers of one long record; larger ones are given back */

void kq_csv_damage(const kq_csv_source *s, uint64_t offset, const char *reason) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset, "%s", reason);
}

void kq_csv_too_long(const kq_csv_source *s, uint64_t offset) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset,
                     "a record is longer than %d MiB: skipped", KQ_RECORD_MAX_BYTES >> 20);
}

void kq_csv_give_back(kq_buf *b) {
    kq_budget *budget = b->budget;
    kq_buf_clear(b);
    if (b->cap <= KEEP_BYTES) return;
    kq_buf_deinit(b);
    kq_buf_init(b, budget, 0);
}

size_t kq_csv_well_formed(kq_sv text, char *to) {
    char *out = to;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        out += kq_utf8_encode(cp, out);
    }
    return (size_t)(out - to);
}

static void close_source(kq_source *source) {
    if (!source) return;
    kq_csv_source *s = (kq_csv_source *)source;
    kq_stream_close(s->stream);
    kq_arena_deinit(&s->arena);
    kq_buf_deinit(&s->carry);
    kq_free(s);
}

static kq_status open_source(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget,
                             kq_source **out, kq_error *err) {
    static uint64_t serials;
    kq_csv_source *s = kq_calloc(1, sizeof *s);
    kq_sv head;
    if (!s) {
        kq_stream_close(stream);
        return kq_nomem(err);
    }
    s->base = (kq_source){.type = &kq_source_csv, .input = input, .report = report};
    s->stream = stream;
    s->serial = __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
    kq_arena_init(&s->arena, budget, 4096);
    kq_buf_init(&s->carry, budget, 0);
    kq_status status = kq_stream_head(stream, &head, err);
    if (!status) status = kq_csv_header(s, head, err);
    if (status) {
        close_source(&s->base);
        return status;
    }
    *out = &s->base;
    return KQ_OK;
}

static void reader_destroy(kq_reader *reader) {
    if (!reader) return;
    kq_csv_reader *r = (kq_csv_reader *)reader;
    kq_arena_deinit(&r->plans);
    kq_arena_deinit(&r->scratch);
    kq_buf_deinit(&r->block);
    kq_buf_deinit(&r->records);
    kq_free(r);
}

static kq_status reader_create(const kq_request *request, kq_budget *budget, kq_reader **out, kq_error *err) {
    kq_csv_reader *r = kq_calloc(1, sizeof *r);
    if (!r) return kq_nomem(err);
    r->base = (kq_reader){&kq_source_csv, request, budget};
    kq_arena_init(&r->plans, budget, 0);
    kq_arena_init(&r->scratch, budget, 0);
    kq_buf_init(&r->block, budget, 0);
    kq_buf_init(&r->records, budget, 0);
    *out = &r->base;
    return KQ_OK;
}

/* ---- claim: the next block, whole records only */

/* Takes n more bytes of the file, none at its end, for the record that is skipped. */
static size_t skip_on(kq_csv_source *s, const char *p, size_t n) {
    bool ended;
    size_t taken = kq_csv_skip_on(&s->skipped, p, n, s->delimiter, &ended);
    if (!ended && !s->ended) return taken;
    s->skipping = false;
    if (s->skipped.state == KQ_CSV_INSIDE)
        kq_csv_damage(s, s->skipped_at, "a quoted field does not end: all from here on is skipped");
    else
        kq_csv_too_long(s, s->skipped_at);
    return taken;
}

static kq_status fill(kq_csv_source *s, kq_csv_reader *r, size_t want, kq_error *err) {
    kq_buf *b = &r->block;
    while (b->n < want && !s->ended) {
        size_t got, n = want - b->n;
        char *to = kq_buf_reserve(b, n + KQ_SCAN_SLACK);
        if (!to) return kq_buf_status(b, err);
        kq_error why = {0};
        kq_status status = kq_stream_read(s->stream, to, n, &got, &why);
        uint64_t consumed = kq_stream_consumed(s->stream);
        __atomic_add_fetch(&s->base.report->bytes, consumed - s->consumed, __ATOMIC_RELAXED);
        s->consumed = consumed;
        if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) { /* what came before is read; then the file ends */
            kq_csv_damage(s, s->at + b->n, why.message);
            got = 0;
        } else if (status) {
            if (err) *err = why;
            return status;
        }
        if (!got) s->ended = true;
        size_t skip = s->skip < got ? (size_t)s->skip : got; /* the header */
        s->skip -= skip;
        if (s->skipping) skip += skip_on(s, to + skip, got - skip); /* and the block is empty */
        if (skip) memmove(to, to + skip, got - skip);
        s->at += skip;
        b->n += got - skip;
    }
    return KQ_OK;
}

static size_t line_end(const kq_csv_reader *r, size_t from) {
    const char *newline = memchr(r->block.p + from, '\n', r->block.n - from);
    return newline ? (size_t)(newline - r->block.p) : r->block.n;
}

/* A quoted field that does not end: each line from its record on, up to `to`, that opens one and does not close it is
 * given up; the others are records. (Nothing behind the field closes a quote, but quotes of the same line.) */
static void give_up(kq_csv_source *s, kq_csv_reader *r, size_t from, size_t to) {
    for (size_t end; from < to; from = end + 1) {
        char *p = r->block.p + from;
        end = line_end(r, from);
        if (end == r->block.n && !s->ended) break; /* nobody knows yet */
        if (!kq_csv_opens(p, r->block.p + end, s->delimiter)) continue;
        kq_csv_damage(s, r->at + from, "a quoted field does not end: the line is skipped");
        memset(p, '\n', end - from); /* empty lines are no records */
    }
}

/* Is the record that opens at `from` one of a stray quote, rather than one of a long field? Then most lines that it
 * would hold are records of their own. */
static bool is_stray(const kq_csv_source *s, const kq_csv_reader *r, size_t from) {
    size_t lines = 0, rows = 0, at = line_end(r, from);
    while (s->ncolumns > 1 && at < r->block.n) {
        size_t end = line_end(r, at + 1), delimiters = 0;
        const char *p = r->block.p + at, *stop = r->block.p + end;
        while ((p = memchr(p, s->delimiter, (size_t)(stop - p)))) p++, delimiters++;
        if (end == r->block.n) break;
        at = end;
        lines++;
        rows += delimiters + 1 == s->ncolumns;
    }
    return lines > 1 && rows >= lines - lines / 4;
}

/* The records of the block: empty lines are none. */
static uint64_t count_records(const kq_csv_reader *r) {
    const kq_csv_record *records = (const kq_csv_record *)(const void *)r->records.p;
    uint64_t n = 0;
    size_t begin = 0;
    for (size_t i = 0; i < r->records.n / sizeof *records; begin = (size_t)records[i++].end + 1)
        n += records[i].end > begin + 1 || (records[i].end > begin && r->block.p[begin] != '\r');
    return n;
}

static kq_status claim(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err) {
    kq_csv_source *s = (kq_csv_source *)source;
    kq_csv_reader *r = (kq_csv_reader *)reader;
    size_t want = kq_csv_block_bytes;
    kq_buf_clear(&r->block);
    kq_buf_append(&r->block, s->carry.p, s->carry.n);
    KQ_TRY(kq_buf_status(&r->block, err));
    kq_csv_give_back(&s->carry);
    size_t end = 0, skipped = 0;
    for (;;) {
        bool open;
        KQ_TRY(fill(s, r, want, err));
        r->at = s->at;
        kq_buf_clear(&r->records);
        char *slack = kq_buf_reserve(&r->block, KQ_SCAN_SLACK);
        if (!slack) return kq_buf_status(&r->block, err);
        memset(slack, 0, KQ_SCAN_SLACK);
        kq_csv_scan(r->block.p, r->block.n, s->delimiter, &r->records, &open);
        KQ_TRY(kq_buf_status(&r->records, err));
        const kq_csv_record *records = (const kq_csv_record *)(const void *)r->records.p;
        size_t n = r->records.n / sizeof *records;
        end = n ? (size_t)records[n - 1].end + 1 : 0;
        if (open && s->ended) {
            give_up(s, r, end, r->block.n);
            continue;
        }
        if (r->block.n - end > KQ_RECORD_MAX_BYTES) {
            if (open && is_stray(s, r, end)) {
                give_up(s, r, end, r->block.n - KQ_RECORD_MAX_BYTES / 2);
                continue;
            }
            skipped = r->block.n - end;
            s->skipping = true;
            s->skipped_at = s->at + end;
            s->skipped = (kq_csv_skip){KQ_CSV_FIELD_START};
            skip_on(s, r->block.p + end, skipped);
            r->block.n = end;
            if (n) break;
            s->at += skipped;
            s->count++;
            skipped = 0;
        }
        if (n || s->ended) break;
        want = r->block.n + (r->block.n > kq_csv_block_bytes ? r->block.n : kq_csv_block_bytes);
        if (want > KQ_RECORD_MAX_BYTES + KQ_BLOCK_BYTES) want = KQ_RECORD_MAX_BYTES + KQ_BLOCK_BYTES;
    }
    if (s->ended && end < r->block.n) { /* the last line has no newline */
        kq_csv_record last = {(uint32_t)r->block.n, UINT32_MAX};
        kq_buf_append(&r->records, &last, sizeof last);
        end = r->block.n;
    }
    kq_buf_append(&s->carry, r->block.p + end, r->block.n - end);
    r->block.n = end;
    KQ_TRY(kq_buf_status(&s->carry, err));
    KQ_TRY(kq_buf_status(&r->records, err));
    *more = r->records.n > 0;
    *morsel = (kq_morsel){s->at, end, s->morsels++};
    s->at += end + skipped;
    r->first = s->count;
    s->count += count_records(r) + (skipped > 0);
    return KQ_OK;
}

static kq_status sample(kq_source *source, kq_buf *names, KQ_UNUSED kq_buf *category, kq_error *err) {
    const kq_csv_source *s = (const kq_csv_source *)source;
    for (uint32_t c = 0; c < s->ncolumns; c++) {
        if (memchr(s->columns[c].name.p, 0, s->columns[c].name.n)) continue;
        kq_buf_sv(names, s->columns[c].name);
        kq_buf_char(names, 0);
    }
    return kq_buf_status(names, err);
}

const kq_source_type kq_source_csv = {
    .name = "csv",
    .doc = "CSV with a header, also as the Defender and Sentinel portals export it",
    .detect = kq_csv_detect,
    .open = open_source,
    .close = close_source,
    .reader_create = reader_create,
    .reader_destroy = reader_destroy,
    .claim = claim,
    .read = kq_csv_read,
    .sample = sample,
    .types = kq_csv_types,
    .dates = kq_csv_dates,
};
