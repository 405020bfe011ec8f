/*
 * CSV: RFC 4180 as it is met: BOM, CRLF, quoted newlines, ',' ';' or tab, headers of the Defender and Sentinel portals.
 * claim() reads the next block and finds where its records end (csv_scan.h), a few gigabytes a second; the fields are
 * cut by the workers, only as far as the last one that is wanted.
 */
#include "base/arena.h"
#include "base/time.h"
#include "base/utf8.h"
#include "native/json.h"
#include "source/csv_scan.h"
#include "source/json_value.h"
#include "source/scan_bytes.h"
#include "source/stream.h"
#include <stdlib.h>

extern uint64_t kq_csv_block_bytes; /* tests make it small */
uint64_t kq_csv_block_bytes = KQ_BLOCK_BYTES;

#define COLUMNS_MAX 65536
#define SINGLE_MAX  512

typedef struct column {
    kq_sv name;
    bool local; /* "[Local Time]": of a zone that the file does not tell */
} column;

typedef struct csv_source {
    kq_source base;
    kq_stream *stream;
    kq_arena arena;
    column *columns;
    uint32_t ncolumns;
    char delimiter;
    kq_sv line;        /* the header as it stands */
    uint64_t skip;     /* bytes of the header, not yet skipped */
    uint64_t at;       /* offset of carry */
    kq_buf carry;      /* the beginning of a record */
    uint64_t count;    /* records before the next morsel */
    uint64_t consumed; /* stored bytes that the report knows of */
    uint64_t morsels;
    uint64_t serial; /* tells sources apart whose memory is the same */
    bool ended;
    bool skipping; /* up to the end of a line that is too long */
} csv_source;

typedef enum special { FIELD, FILE_NAME, OFFSET, NUMBER, RAW, ABSENT } special;

/* A want or selector in the columns of one file. */
typedef struct place {
    special special;
    uint32_t column;
    kq_sv rest; /* of the name: the field lies in the JSON object that the cell holds */
} place;

/* A column that is wanted or selected by. */
typedef struct use {
    uint32_t column, index;
    kq_sv rest;
    bool selector;
} use;

typedef struct set_plan {
    place *wants;
    use *uses; /* by column; selectors first */
    uint32_t nuses;
    bool never; /* it selects by a field that the file has not */
} set_plan;

typedef struct csv_reader {
    kq_reader base;
    uint64_t serial; /* of the source that the plans are for */
    kq_arena plans, scratch;
    set_plan *sets;
    kq_field *fields;
    kq_buf block, records;
    uint64_t at, first;
    bool clean; /* the block is well-formed UTF-8 */
} csv_reader;

static kq_sv without_bom(kq_sv s) {
    return s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0 ? kq_sv_slice(s, 3, s.n) : s;
}

static size_t count_in_line(kq_sv line, char c) {
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.n; i++) {
        quoted ^= line.p[i] == '"';
        n += !quoted && line.p[i] == c;
    }
    return n;
}

/* The first line that is not empty, without its line end; *after: what follows it. */
static kq_sv first_line(kq_sv s, kq_sv *after) {
    bool quoted = false;
    size_t i = 0;
    while (i < s.n && (s.p[i] == '\n' || s.p[i] == '\r')) i++;
    s = kq_sv_slice(s, i, s.n);
    for (i = 0; i < s.n && (quoted || s.p[i] != '\n'); i++) quoted ^= s.p[i] == '"';
    *after = kq_sv_slice(s, i + 1, s.n);
    kq_sv line = kq_sv_slice(s, 0, i);
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

static char delimiter_of(kq_sv line) {
    static const char known[] = {',', ';', '\t'};
    char best = ',';
    size_t most = 0;
    for (size_t i = 0; i < sizeof known; i++) {
        size_t n = count_in_line(line, known[i]);
        if (n > most) {
            most = n;
            best = known[i];
        }
    }
    return best;
}

/* The first line of a file before its header, if it has one: `#TYPE System...` of PowerShell 5.1's Export-Csv, `sep=;`
 * of Excel, quoted or not. Gives what follows it; *delimiter: the one that it names, or 0. */
static kq_sv without_preamble(kq_sv text, char *delimiter) {
    kq_sv after, line = first_line(text, &after);
    *delimiter = 0;
    if (line.n > 2 && line.p[0] == '"' && line.p[line.n - 1] == '"') line = kq_sv_slice(line, 1, line.n - 1);
    if (kq_sv_starts(line, KQ_SV("#TYPE "))) return after;
    if (line.n != 5 || !kq_sv_eq_ascii_ci(kq_sv_slice(line, 0, 4), KQ_SV("sep="))) return text;
    *delimiter = line.p[4];
    return after;
}

static int detect(kq_sv head, const char *path) {
    kq_sv name = kq_sv_of(path), rest, after, text = without_bom(head);
    if (kq_sv_ends(name, KQ_SV(".gz"))) name.n -= 3;
    if (kq_sv_ends(name, KQ_SV(".zst")) || kq_sv_ends(name, KQ_SV(".bz2"))) name.n -= 4;
    if (kq_sv_ends(name, KQ_SV(".xz"))) name.n -= 3;
    bool named = kq_sv_ends(name, KQ_SV(".csv")) || kq_sv_ends(name, KQ_SV(".tsv"));
    char named_delimiter;
    kq_sv line = first_line(without_preamble(text, &named_delimiter), &rest);
    if (!line.n || memchr(line.p, 0, line.n)) return 0;
    if (named) return 90;
    if (line.p[0] == '{' || line.p[0] == '[' || line.p[0] == '<' || line.p[0] == '#') return 0;
    char c = named_delimiter ? named_delimiter : delimiter_of(line);
    size_t n = count_in_line(line, c);
    kq_sv second = first_line(rest, &after);
    return n >= 3 && second.n && count_in_line(second, c) == n ? 50 : 0;
}

/* Copies text with U+FFFD for what is no UTF-8; `to` has room for three times the text. Gives the length. */
static size_t well_formed(kq_sv text, char *to) {
    char *out = to;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        out += kq_utf8_encode(cp, out);
    }
    return (size_t)(out - to);
}

static bool has_name(const csv_source *s, uint32_t from, uint32_t to, kq_sv name, bool local) {
    for (uint32_t i = from; i < to; i++)
        if (s->columns[i].local == local && kq_sv_eq(s->columns[i].name, name)) return true;
    return false;
}

/* A second column of the same name is NAME1, as Kusto names it. A wide header is not looked through: the work grows
 * with the square of its columns. */
static kq_status single_names(csv_source *s, kq_error *err) {
    for (uint32_t c = 1; c < s->ncolumns && s->ncolumns <= SINGLE_MAX; c++) {
        column *at = &s->columns[c];
        if (!at->name.n || !has_name(s, 0, c, at->name, at->local)) continue;
        if (!s->base.doubled.n) s->base.doubled = at->name;
        kq_sv name = at->name;
        for (uint32_t k = 1;; k++) {
            kq_sv made = kq_arena_printf(&s->arena, KQ_SV_FMT "%u", KQ_SV_ARG(name), (unsigned)k);
            if (!made.p) return kq_arena_status(&s->arena, err);
            at->name = made;
            if (!has_name(s, 0, c, made, at->local) && !has_name(s, c + 1, s->ncolumns, made, at->local)) break;
        }
    }
    return KQ_OK;
}

static kq_status header(csv_source *s, kq_sv head, kq_error *err) {
    char named;
    kq_sv rest, text = without_preamble(without_bom(head), &named), line = first_line(text, &rest);
    bool escaped;
    if (named && named != ',' && named != ';' && named != '\t')
        return kq_fail(err, KQ_ERR_DAMAGED, "%s: sep= names a delimiter that is none of comma, semicolon and tab",
                       s->base.input->path);
    if (!line.n) return kq_fail(err, KQ_ERR_DAMAGED, "%s: no header", s->base.input->path);
    s->delimiter = named ? named : delimiter_of(line);
    s->skip = (uint64_t)(rest.p - head.p);
    if (s->skip > head.n) s->skip = head.n;
    size_t most = count_in_line(line, s->delimiter) + 2;
    if (most > COLUMNS_MAX) return kq_fail(err, KQ_ERR_DAMAGED, "%s: too many columns", s->base.input->path);
    s->columns = kq_arena_array(&s->arena, column, most);
    char *padded = kq_arena_bytes(&s->arena, 3 * line.n + KQ_SCAN_SLACK);
    s->line = kq_arena_copy(&s->arena, line);
    if (!s->columns || !padded || !s->line.p) return kq_arena_status(&s->arena, err);
    line.n = well_formed(line, padded);
    memset(padded + line.n, 0, KQ_SCAN_SLACK);
    for (const char *p = padded, *end = padded + line.n; p && s->ncolumns < most;) {
        column *c = &s->columns[s->ncolumns++];
        p = kq_csv_field(p, end, s->delimiter, &c->name, &escaped);
        if (escaped) {
            char *to = kq_arena_bytes(&s->arena, c->name.n);
            if (!to) return kq_arena_status(&s->arena, err);
            c->name = (kq_sv){to, kq_csv_unescape(c->name, to)};
        }
        c->local = kq_sv_ends(c->name, KQ_SV(" [Local Time]"));
        if (c->local) c->name.n -= strlen(" [Local Time]");
        if (kq_sv_ends(c->name, KQ_SV(" [UTC]"))) c->name.n -= strlen(" [UTC]");
    }
    return single_names(s, err);
}

static void close_source(kq_source *source) {
    if (!source) return;
    csv_source *s = (csv_source *)source;
    kq_stream_close(s->stream);
    kq_arena_deinit(&s->arena);
    kq_buf_deinit(&s->carry);
    kq_free(s);
}

static kq_status open_source(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget,
                             kq_source **out, kq_error *err) {
    static uint64_t serials;
    csv_source *s = kq_calloc(1, sizeof *s);
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
    if (!status) status = header(s, head, err);
    if (status) {
        close_source(&s->base);
        return status;
    }
    *out = &s->base;
    return KQ_OK;
}

/* ---- the reader */

static void reader_destroy(kq_reader *reader) {
    if (!reader) return;
    csv_reader *r = (csv_reader *)reader;
    kq_arena_deinit(&r->plans);
    kq_arena_deinit(&r->scratch);
    kq_buf_deinit(&r->block);
    kq_buf_deinit(&r->records);
    kq_free(r);
}

static kq_status reader_create(const kq_request *request, kq_budget *budget, kq_reader **out, kq_error *err) {
    csv_reader *r = kq_calloc(1, sizeof *r);
    if (!r) return kq_nomem(err);
    r->base = (kq_reader){&kq_source_csv, request, budget};
    kq_arena_init(&r->plans, budget, 0);
    kq_arena_init(&r->scratch, budget, 0);
    kq_buf_init(&r->block, budget, 0);
    kq_buf_init(&r->records, budget, 0);
    *out = &r->base;
    return KQ_OK;
}

static place find_place(const csv_source *s, kq_sv name) {
    static const struct {
        kq_sv name;
        special special;
    } specials[] = {{{"$file", 5}, FILE_NAME}, {{"$offset", 7}, OFFSET}, {{"$index", 6}, NUMBER}, {{"$raw", 4}, RAW}};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (kq_sv_eq(name, specials[i].name)) return (place){.special = specials[i].special};
    for (int local = 0; local < 2; local++)
        for (uint32_t c = 0; c < s->ncolumns; c++)
            if (s->columns[c].local == local && kq_sv_eq(s->columns[c].name, name)) return (place){FIELD, c, {0}};
    for (size_t dot = 1; dot + 1 < name.n; dot++) {
        if (name.p[dot] != '.') continue;
        for (uint32_t c = 0; c < s->ncolumns; c++)
            if (kq_sv_eq(s->columns[c].name, kq_sv_slice(name, 0, dot)))
                return (place){FIELD, c, kq_sv_slice(name, dot + 1, name.n)};
    }
    return (place){.special = ABSENT};
}

static int by_column(const void *a, const void *b) {
    const use *x = a, *y = b;
    if (x->column != y->column) return x->column < y->column ? -1 : 1;
    if (x->selector != y->selector) return x->selector ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Where this file has what the request wants. */
static kq_status plan_for(csv_reader *r, csv_source *s, kq_error *err) {
    const kq_request *q = r->base.request;
    uint32_t most = 1;
    if (r->serial == s->serial) return KQ_OK;
    kq_arena_reset(&r->plans);
    r->serial = 0;
    r->sets = kq_arena_array(&r->plans, set_plan, (size_t)q->nsets + 1);
    if (!r->sets) return kq_arena_status(&r->plans, err);
    for (uint32_t i = 0; i < q->nsets; i++) {
        const kq_want_set *set = &q->sets[i];
        set_plan *p = &r->sets[i];
        p->wants = kq_arena_array(&r->plans, place, (size_t)set->nwants + 1);
        p->uses = kq_arena_array(&r->plans, use, (size_t)set->nwants + set->nselectors + 1);
        if (!p->wants || !p->uses) return kq_arena_status(&r->plans, err);
        for (uint32_t k = 0; k < set->nwants; k++) {
            p->wants[k] = find_place(s, set->wants[k].name);
            if (p->wants[k].special == FIELD)
                p->uses[p->nuses++] = (use){p->wants[k].column, k, p->wants[k].rest, false};
        }
        for (uint32_t k = 0; k < set->nselectors; k++) {
            place at = find_place(s, set->selectors[k].name);
            if (at.special == FIELD)
                p->uses[p->nuses++] = (use){at.column, k, at.rest, true};
            else if (!set->selectors[k].not )
                p->never = true;
        }
        if (p->nuses) qsort(p->uses, p->nuses, sizeof *p->uses, by_column);
        if (set->nwants > most) most = set->nwants;
    }
    r->fields = kq_arena_array(&r->plans, kq_field, most);
    if (!r->fields) return kq_arena_status(&r->plans, err);
    r->serial = s->serial;
    return KQ_OK;
}

/* ---- claim: the next block, whole records only */

static void damage(const csv_source *s, uint64_t offset, const char *reason) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset, "%s", reason);
}

static kq_status fill(csv_source *s, csv_reader *r, size_t want, kq_error *err) {
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
            damage(s, s->at + b->n, why.message);
            got = 0;
        } else if (status) {
            if (err) *err = why;
            return status;
        }
        if (!got) s->ended = true;
        size_t skip = s->skip < got ? (size_t)s->skip : got; /* the header */
        s->skip -= skip;
        if (s->skipping && b->n == 0) {
            const char *newline = memchr(to + skip, '\n', got - skip);
            s->skipping = !newline;
            skip = newline ? (size_t)(newline + 1 - to) : got;
        }
        if (skip) memmove(to, to + skip, got - skip);
        s->at += skip;
        b->n += got - skip;
    }
    return KQ_OK;
}

/* A quoted field that never ends: its first line is given up, and reading goes on after it. */
static void give_up(csv_source *s, csv_reader *r, size_t from) {
    const char *p = r->block.p + from, *newline = memchr(p, '\n', r->block.n - from);
    size_t n = newline ? (size_t)(newline - p) + 1 : r->block.n - from;
    damage(s, r->at + from, "a quoted field does not end: the line is skipped");
    memset(r->block.p + from, '\n', n); /* empty lines are no records */
}

/* The records of the block: empty lines are none. */
static uint64_t count_records(const csv_reader *r) {
    const kq_csv_record *records = (const kq_csv_record *)(const void *)r->records.p;
    uint64_t n = 0;
    size_t begin = 0;
    for (size_t i = 0; i < r->records.n / sizeof *records; begin = (size_t)records[i++].end + 1)
        n += records[i].end > begin + 1 || (records[i].end > begin && r->block.p[begin] != '\r');
    return n;
}

static kq_status claim(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err) {
    csv_source *s = (csv_source *)source;
    csv_reader *r = (csv_reader *)reader;
    size_t want = kq_csv_block_bytes;
    kq_buf_clear(&r->block);
    kq_buf_append(&r->block, s->carry.p, s->carry.n);
    KQ_TRY(kq_buf_status(&r->block, err));
    kq_buf_clear(&s->carry);
    size_t end = 0;
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
        if (open && (s->ended || r->block.n - end > KQ_RECORD_MAX_BYTES)) {
            give_up(s, r, end);
            continue;
        }
        if (n || s->ended) break;
        if (r->block.n > KQ_RECORD_MAX_BYTES) { /* no newline at all, and no quote: one line that is too long */
            damage(s, s->at, "a record is too long: skipped");
            s->at += r->block.n;
            s->skipping = true;
            s->count++;
            kq_buf_clear(&r->block);
        }
        want = r->block.n + (r->block.n > kq_csv_block_bytes ? r->block.n : kq_csv_block_bytes);
        if (want > KQ_RECORD_MAX_BYTES + KQ_BLOCK_BYTES && r->block.n <= KQ_RECORD_MAX_BYTES)
            want = KQ_RECORD_MAX_BYTES + KQ_BLOCK_BYTES;
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
    s->at += end;
    r->first = s->count;
    s->count += count_records(r);
    return KQ_OK;
}

/* ---- read */

typedef struct record {
    const char *p, *end;
    uint64_t offset, number;
    bool mended; /* see next_field */
} record;

static bool selected(const kq_selector *sel, kq_sv text) {
    bool found = !sel->n && text.n > 0;
    for (uint32_t i = 0; i < sel->n && !found; i++) found = kq_sv_eq_ascii_ci(sel->any_of[i], text);
    return found != sel->not ;
}

static void special_field(const csv_source *s, const record *rec, special kind, kq_field *f) {
    switch (kind) {
    case FILE_NAME: *f = (kq_field){.kind = KQ_FIELD_STRING, .u.text = kq_sv_of(s->base.input->path)}; break;
    case OFFSET: *f = (kq_field){.kind = KQ_FIELD_LONG, .u.l = (int64_t)rec->offset}; break;
    case NUMBER: *f = (kq_field){.kind = KQ_FIELD_LONG, .u.l = (int64_t)rec->number}; break;
    case RAW: *f = (kq_field){.kind = KQ_FIELD_STRING, .u.text = {rec->p, (size_t)(rec->end - rec->p)}}; break;
    case FIELD:
    case ABSENT: break;
    }
}

/* Well-formed text of a field: a copy, when it has to be mended. */
static kq_status mend(const csv_source *s, csv_reader *r, const record *rec, kq_sv *text, kq_error *err) {
    if (kq_text_is_utf8(text->p, text->n)) return KQ_OK;
    damage(s, rec->offset, "invalid UTF-8, replaced by U+FFFD");
    size_t room = 3 * text->n;
    char *to = kq_arena_bytes(&r->scratch, room);
    if (!to) return kq_arena_status(&r->scratch, err);
    *text = (kq_sv){to, well_formed(*text, to)};
    kq_arena_trim(&r->scratch, to, room, text->n);
    return KQ_OK;
}

/* Open brackets of JSON text, less those that are closed. */
static int open_brackets(kq_sv text) {
    int n = 0;
    for (size_t i = 0; i < text.n; i++) n += ((text.p[i] | 0x20) == '{') - ((text.p[i] | 0x20) == '}');
    return n;
}

/* The next field. In a mended record a quoted cell that begins as JSON goes on until its brackets are closed: the Log
 * Analytics portal writes such cells with quotes that are not doubled, which end at the first `",`. */
static const char *next_field(const csv_source *s, bool *mended, const char *at, const char *end, kq_sv *text,
                              bool *escaped) {
    const char *quote = at;
    at = kq_csv_field(at, end, s->delimiter, text, escaped);
    if (!*mended || *quote != '"' || !text->n || (text->p[0] | 0x20) != '{') return at;
    kq_sv more, first = *text;
    bool doubled, first_escaped = *escaped;
    const char *second = at;
    int open = open_brackets(*text);
    while (at && open > 0) {
        quote = at;
        at = kq_csv_field(at, end, s->delimiter, &more, &doubled);
        const char *from = text->p + text->n, *stop = more.p + more.n;
        if (*quote != '"' && more.n && stop[-1] == '"') stop--; /* the cell's closing quote */
        text->n = (size_t)(stop - text->p);
        open += open_brackets((kq_sv){from, (size_t)(text->p + text->n - from)});
        *escaped = true;
    }
    if (open > 0) { /* no JSON after all; and no second try, which could take long */
        *mended = false;
        *text = first;
        *escaped = first_escaped;
        return second;
    }
    return at;
}

/* The value at `path` in a cell's JSON object. */
static kq_status in_cell(const csv_source *s, csv_reader *r, const record *rec, kq_sv cell, kq_sv path, bool json,
                         kq_field *out, kq_error *err) {
    kq_sv raw;
    const char *fault = NULL;
    out->kind = KQ_FIELD_MISSING;
    if (!kq_json_dig(cell, path, &raw)) return KQ_OK;
    KQ_TRY(kq_json_value(raw, json, &r->scratch, out, &fault, err));
    if (fault) damage(s, rec->offset, fault);
    return KQ_OK;
}

/* Cuts the fields of one record for one set; *match false: it is not wanted. */
static kq_status cut(const csv_source *s, csv_reader *r, const kq_want_set *set, const set_plan *p, const record *rec,
                     bool *match, kq_error *err) {
    if (p->never) return KQ_OK;
    for (uint32_t k = 0; k < set->nwants; k++) {
        r->fields[k].kind = KQ_FIELD_MISSING;
        if (p->wants[k].special == FIELD) continue;
        special_field(s, rec, p->wants[k].special, &r->fields[k]);
        if (p->wants[k].special == RAW && !r->clean) KQ_TRY(mend(s, r, rec, &r->fields[k].u.text, err));
        if (set->wants[k].accept && !set->wants[k].accept(set->wants[k].accept_ctx, &r->fields[k])) return KQ_OK;
    }
    const char *at = rec->p;
    bool mended = rec->mended;
    for (uint32_t c = 0, u = 0; u < p->nuses; c++) {
        kq_sv text = {0};
        bool escaped = false, present = at != NULL;
        if (at) at = next_field(s, &mended, at, rec->end, &text, &escaped);
        if (p->uses[u].column != c) continue;
        if (escaped) {
            char *to = kq_arena_bytes(&r->scratch, text.n);
            if (!to) return kq_arena_status(&r->scratch, err);
            text = (kq_sv){to, kq_csv_unescape(text, to)};
        }
        if (!r->clean) KQ_TRY(mend(s, r, rec, &text, err));
        for (; u < p->nuses && p->uses[u].column == c; u++) {
            uint32_t k = p->uses[u].index;
            kq_sv rest = p->uses[u].rest, judged = present ? text : KQ_SV("");
            if (p->uses[u].selector) {
                kq_field f;
                if (rest.n) { /* texts are unescaped; of all else the raw text is what a selector names */
                    KQ_TRY(in_cell(s, r, rec, judged, rest, false, &f, err));
                    if (f.kind == KQ_FIELD_STRING || f.kind == KQ_FIELD_JSON)
                        judged = f.u.text;
                    else if (!kq_json_dig(judged, rest, &judged) || f.kind == KQ_FIELD_NULL)
                        judged = KQ_SV("");
                }
                if (!selected(&set->selectors[k], judged)) return KQ_OK;
                continue;
            }
            if (rest.n)
                KQ_TRY(in_cell(s, r, rec, judged, rest, set->wants[k].json, &r->fields[k], err));
            else if (present)
                r->fields[k] =
                    (kq_field){.kind = s->columns[c].local ? KQ_FIELD_LOCAL : KQ_FIELD_STRING, .u.text = text};
            if (set->wants[k].accept && !set->wants[k].accept(set->wants[k].accept_ctx, &r->fields[k])) return KQ_OK;
        }
    }
    *match = true;
    return KQ_OK;
}

/* *filled: up to the last one that is not empty. */
static uint32_t count_fields(const csv_source *s, const record *rec, bool mended, uint32_t *filled) {
    uint32_t n = 0;
    *filled = 0;
    kq_sv text;
    bool escaped;
    for (const char *at = rec->p; at;) {
        at = next_field(s, &mended, at, rec->end, &text, &escaped);
        n++;
        if (text.n) *filled = n;
    }
    return n;
}

/* A count of delimiters that does not fit the header: dirty quotes can be the reason, so that the fields are cut once;
 * and then once more as if cells of JSON were whole, which may fit. False: values stand behind the last column, so that
 * nobody knows which value is whose. */
static bool check_width(const csv_source *s, record *rec) {
    uint32_t filled, n = count_fields(s, rec, false, &filled), other;
    rec->mended = n > s->ncolumns && count_fields(s, rec, true, &other) == s->ncolumns;
    if (n == s->ncolumns || rec->mended) return true;
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, rec->offset,
                     "the row has %u fields, the header %u%s", n, s->ncolumns, filled > s->ncolumns ? ": skipped" : "");
    return filled <= s->ncolumns;
}

/* Is it the header again, as in files that were joined? One name alone may be a value too. */
static bool is_header(const csv_source *s, const record *rec) {
    kq_sv text = without_bom((kq_sv){rec->p, (size_t)(rec->end - rec->p)});
    return text.n == s->line.n && s->ncolumns > 1 && kq_sv_eq(text, s->line);
}

static kq_status read_morsel(kq_source *source, kq_reader *reader, KQ_UNUSED const kq_morsel *morsel,
                             const kq_row_sink *sink, kq_error *err) {
    csv_source *s = (csv_source *)source;
    csv_reader *r = (csv_reader *)reader;
    const kq_csv_record *records = (const kq_csv_record *)(const void *)r->records.p;
    size_t n = r->records.n / sizeof *records, begin = 0;
    bool done = false;
    KQ_TRY(plan_for(r, s, err));
    kq_arena_reset(&r->scratch);
    r->clean = kq_text_is_utf8(r->block.p, r->block.n);
    uint64_t seen = 0;
    for (size_t i = 0; i < n && !done; begin = (size_t)records[i].end + 1, i++) {
        record rec = {r->block.p + begin, r->block.p + records[i].end, r->at + begin, r->first + seen, false};
        if (rec.end > rec.p && rec.end[-1] == '\r') rec.end--;
        if (rec.end == rec.p) continue;
        seen++;
        if ((size_t)(rec.end - rec.p) > KQ_RECORD_MAX_BYTES) {
            damage(s, rec.offset, "a record is too long: skipped");
            continue;
        }
        if (is_header(s, &rec)) {
            kq_report_again(s->base.report, s->base.input->number, s->base.input->path);
            continue;
        }
        if (records[i].delimiters + 1 != s->ncolumns && !check_width(s, &rec)) continue;
        for (uint32_t k = 0; k < r->base.request->nsets && !done; k++) {
            bool match = false;
            KQ_TRY(cut(s, r, &r->base.request->sets[k], &r->sets[k], &rec, &match, err));
            if (match && sink->offset) *sink->offset = rec.offset;
            if (match) KQ_TRY(sink->row(sink->ctx, k, r->fields, &done, err));
        }
    }
    __atomic_add_fetch(&s->base.report->records, seen, __ATOMIC_RELAXED);
    return KQ_OK;
}

static kq_status sample(kq_source *source, kq_buf *names, KQ_UNUSED kq_buf *category, kq_error *err) {
    const csv_source *s = (const csv_source *)source;
    for (uint32_t c = 0; c < s->ncolumns; c++) {
        if (memchr(s->columns[c].name.p, 0, s->columns[c].name.n)) continue;
        kq_buf_sv(names, s->columns[c].name);
        kq_buf_char(names, 0);
    }
    return kq_buf_status(names, err);
}

/* The records that the file begins with, of 64 KiB at most. */
typedef struct head_records {
    kq_buf text, found;
    char *p;
    const kq_csv_record *items;
    size_t n;
} head_records;

static void head_free(head_records *h) {
    kq_buf_deinit(&h->text);
    kq_buf_deinit(&h->found);
}

/* The caller frees it, also on failure. */
static kq_status head_read(csv_source *s, kq_budget *budget, head_records *h, kq_error *err) {
    kq_sv head;
    bool open;
    kq_buf_init(&h->text, budget, 0);
    kq_buf_init(&h->found, budget, 0);
    KQ_TRY(kq_stream_head(s->stream, &head, err));
    size_t begin = s->skip < head.n ? (size_t)s->skip : head.n, n = head.n - begin;
    h->p = kq_buf_reserve(&h->text, n + KQ_SCAN_SLACK);
    if (!h->p) return kq_buf_status(&h->text, err);
    memcpy(h->p, head.p + begin, n);
    memset(h->p + n, 0, KQ_SCAN_SLACK);
    kq_csv_scan(h->p, n, s->delimiter, &h->found, &open);
    if (!open) { /* a last line without a newline, or what the head has of one */
        kq_csv_record last = {(uint32_t)n, 0};
        kq_buf_append(&h->found, &last, sizeof last);
    }
    h->items = (const kq_csv_record *)(const void *)h->found.p;
    h->n = h->found.n / sizeof *h->items;
    return kq_buf_status(&h->found, err);
}

/* Record i without its line end; false: it is empty. */
static bool head_at(const head_records *h, size_t i, const char **p, const char **end) {
    *p = h->p + (i ? (size_t)h->items[i - 1].end + 1 : 0);
    *end = h->p + h->items[i].end;
    if (*end > *p && (*end)[-1] == '\r') --*end;
    return *end > *p;
}

static kq_status types(kq_source *source, kq_buf *out, kq_error *err) {
    csv_source *s = (csv_source *)source;
    uint32_t at = 0;
    kq_sv other, text = {0};
    bool escaped;
    head_records h = {0};
    while (at < s->ncolumns && !kq_sv_eq(s->columns[at].name, KQ_SV("Type"))) at++;
    for (uint32_t c = 0; at == s->ncolumns && c < s->ncolumns; c++)
        if (kq_sv_eq(s->columns[c].name, KQ_SV("$table"))) at = c;
    if (at == s->ncolumns) return KQ_OK;
    kq_status status = head_read(s, out->budget, &h, err);
    for (size_t i = 0; !status && i < h.n && i < 100 && out->n < 4096; i++) {
        const char *p, *end;
        if (!head_at(&h, i, &p, &end)) continue;
        for (uint32_t c = 0; p && c <= at; c++)
            p = kq_csv_field(p, end, s->delimiter, c == at ? &text : &other, &escaped);
        bool known = !text.n || escaped || memchr(text.p, 0, text.n);
        for (const char *q = out->p; !known && q && q < out->p + out->n; q += strlen(q) + 1)
            known = kq_sv_eq(kq_sv_of(q), text);
        if (known) continue;
        kq_buf_sv(out, text);
        kq_buf_char(out, 0);
        text.n = 0;
    }
    if (!status) status = kq_buf_status(out, err);
    head_free(&h);
    return status;
}

/* The order of numbers in dates, from columns that hold nothing but dates: a file's name or an argument that looks like
 * one says nothing. */
static kq_status dates(kq_source *source, kq_dates *out, kq_error *err) {
    csv_source *s = (csv_source *)source;
    enum { TEXT = 1, MONTH = 2, DAY = 4 };
    head_records h = {0};
    unsigned seen = 0;
    kq_status status = head_read(s, s->arena.budget, &h, err);
    uint8_t *columns = status ? NULL : kq_arena_array(&s->arena, uint8_t, s->ncolumns);
    if (!status && !columns) status = kq_arena_status(&s->arena, err);
    for (size_t i = 0; !status && i < h.n; i++) {
        const char *p, *end;
        if (!head_at(&h, i, &p, &end)) continue;
        for (uint32_t c = 0; p && c < s->ncolumns; c++) {
            kq_sv text;
            bool escaped, zoned;
            int64_t ticks;
            p = kq_csv_field(p, end, s->delimiter, &text, &escaped);
            if (!text.n || columns[c] & TEXT) continue;
            kq_dates order = kq_time_dates(text);
            bool cut = !p && i + 1 == h.n; /* maybe */
            if (!order && !cut && !kq_time_parse_log(text, order, &ticks, &zoned)) columns[c] |= TEXT;
            columns[c] |= order == KQ_DATES_MDY ? MONTH : order == KQ_DATES_DMY ? DAY : 0;
        }
    }
    for (uint32_t c = 0; !status && c < s->ncolumns; c++)
        if (!(columns[c] & TEXT)) seen |= columns[c];
    *out = seen == MONTH ? KQ_DATES_MDY : seen == DAY ? KQ_DATES_DMY : KQ_DATES_UNTOLD;
    head_free(&h);
    return status;
}

const kq_source_type kq_source_csv = {
    .name = "csv",
    .doc = "CSV with a header, also as the Defender and Sentinel portals export it",
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
