/*
 * The records of a CSV block: where a file has what the request wants, and the fields, cut only as far as the last one
 * that is wanted.
 */
#include "base/number.h"
#include "native/json.h"
#include "source/csv_internal.h"
#include "source/json_value.h"
#include <stdlib.h>

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

#define FEW_SETS 4 /* for more, the fields of a record are cut once for all of them */

/* A field of a record. */
typedef struct kq_csv_cell {
    kq_sv text;
    bool escaped, present;
} cell;

typedef struct kq_csv_plan {
    place *wants;
    use *uses; /* by column; selectors first */
    uint32_t nuses;
    bool never; /* it selects by a field that the file has not */
} set_plan;

static place find_place(const kq_csv_source *s, kq_sv name) {
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

/* A set by its number, those of `named` behind the others. */
static const kq_want_set *set_of(const kq_request *q, uint32_t number) {
    return number < q->nsets ? &q->sets[number] : &q->named->sets[number - q->nsets];
}

/* Where this file has what the request wants. */
static kq_status plan_for(kq_csv_reader *r, kq_csv_source *s, kq_error *err) {
    const kq_request *q = r->base.request;
    uint32_t most = 1, nsets = q->nsets + (q->named ? q->named->nsets : 0);
    if (r->serial == s->serial) return KQ_OK;
    kq_arena_reset(&r->plans);
    r->serial = 0;
    r->used = 0;
    r->sets = kq_arena_array(&r->plans, set_plan, (size_t)nsets + 1);
    if (!r->sets) return kq_arena_status(&r->plans, err);
    for (uint32_t i = 0; i < nsets; i++) {
        const kq_want_set *set = set_of(q, i);
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
        if (p->nuses && !p->never && p->uses[p->nuses - 1].column >= r->used)
            r->used = p->uses[p->nuses - 1].column + 1;
        if (set->nwants > most) most = set->nwants;
    }
    r->fields = kq_arena_array(&r->plans, kq_field, most);
    if (!r->fields) return kq_arena_status(&r->plans, err);
    r->naming = UINT32_MAX;
    r->cells = NULL;
    if (q->named) {
        place at = find_place(s, KQ_SV("Type"));
        if (at.special != FIELD) at = find_place(s, KQ_SV("$table"));
        if (at.special == FIELD && !at.rest.n) r->naming = at.column;
    }
    if ((r->naming != UINT32_MAX || q->nsets > FEW_SETS) && !(r->cells = kq_arena_array(&r->plans, cell, s->ncolumns)))
        return kq_arena_status(&r->plans, err);
    r->serial = s->serial;
    return KQ_OK;
}

typedef struct record {
    const char *p, *end;
    uint64_t offset, number;
    bool mended; /* see next_field */
} record;

static bool selected(const kq_selector *sel, kq_sv text) {
    bool found = !sel->n && text.n > 0;
    text = kq_number_whole(text);
    for (uint32_t i = 0; i < sel->n && !found; i++) found = kq_sv_eq_ascii_ci(sel->any_of[i], text);
    return found != sel->not ;
}

static void special_field(const kq_csv_source *s, const record *rec, special kind, kq_field *f) {
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
static kq_status mend(const kq_csv_source *s, kq_csv_reader *r, const record *rec, kq_sv *text, kq_error *err) {
    if (kq_text_is_utf8(text->p, text->n)) return KQ_OK;
    kq_csv_damage(s, rec->offset, "invalid UTF-8, replaced by U+FFFD");
    size_t room = 3 * text->n;
    char *to = kq_arena_bytes(&r->scratch, room);
    if (!to) return kq_arena_status(&r->scratch, err);
    *text = (kq_sv){to, kq_csv_well_formed(*text, to)};
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
static const char *next_field(const kq_csv_source *s, bool *mended, const char *at, const char *end, kq_sv *text,
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
static kq_status in_cell(const kq_csv_source *s, kq_csv_reader *r, const record *rec, kq_sv cell, kq_sv path, bool json,
                         kq_field *out, kq_error *err) {
    kq_sv raw;
    const char *fault = NULL;
    out->kind = KQ_FIELD_MISSING;
    if (!kq_json_dig(cell, path, &raw)) return KQ_OK;
    KQ_TRY(kq_json_value(raw, json, &r->scratch, out, &fault, err));
    if (fault) kq_csv_damage(s, rec->offset, fault);
    return KQ_OK;
}

static bool accepts(const kq_want *want, const kq_field *field) {
    return !want->accept || want->accept(want->accept_ctx, field);
}

/* Takes the fields of one record for one set; *match false: it is not wanted. cells: its fields, or NULL: they are cut
 * up to the last one that is wanted. */
static kq_status cut(const kq_csv_source *s, kq_csv_reader *r, const kq_want_set *set, const set_plan *p,
                     const record *rec, cell *cells, bool *match, kq_error *err) {
    if (p->never) return KQ_OK;
    for (uint32_t k = 0; k < set->nwants; k++) {
        r->fields[k].kind = KQ_FIELD_MISSING;
        if (p->wants[k].special == FIELD) continue;
        special_field(s, rec, p->wants[k].special, &r->fields[k]);
        if (p->wants[k].special == RAW && !r->clean) KQ_TRY(mend(s, r, rec, &r->fields[k].u.text, err));
        /* with selectors later: only the set's own records are judged */
        if (!set->nselectors && !accepts(&set->wants[k], &r->fields[k])) return KQ_OK;
    }
    const char *at = rec->p;
    bool mended = rec->mended;
    for (uint32_t c = 0, u = 0; u < p->nuses; c++) {
        kq_sv text = {0};
        bool escaped = false, present = at != NULL;
        if (cells) {
            c = p->uses[u].column;
            text = cells[c].text;
            escaped = cells[c].escaped;
            present = cells[c].present;
        } else if (at) {
            at = next_field(s, &mended, at, rec->end, &text, &escaped);
        }
        if (p->uses[u].column != c) continue;
        if (escaped) {
            char *to = kq_arena_bytes(&r->scratch, text.n);
            if (!to) return kq_arena_status(&r->scratch, err);
            text = (kq_sv){to, kq_csv_unescape(text, to)};
            if (cells) cells[c] = (cell){.text = text, .present = present};
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
            if (!accepts(&set->wants[k], &r->fields[k])) return KQ_OK;
        }
    }
    for (uint32_t k = 0; k < set->nwants && set->nselectors; k++)
        if (p->wants[k].special != FIELD && !accepts(&set->wants[k], &r->fields[k])) return KQ_OK;
    *match = true;
    return KQ_OK;
}

/* *filled: up to the last one that is not empty. */
static uint32_t count_fields(const kq_csv_source *s, const record *rec, bool mended, uint32_t *filled) {
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
static bool check_width(const kq_csv_source *s, record *rec) {
    uint32_t filled, n = count_fields(s, rec, false, &filled), other;
    rec->mended = n > s->ncolumns && count_fields(s, rec, true, &other) == s->ncolumns;
    if (n == s->ncolumns || rec->mended) return true;
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, rec->offset,
                     "the row has %u fields, the header %u%s", n, s->ncolumns, filled > s->ncolumns ? ": skipped" : "");
    return filled <= s->ncolumns;
}

/* Is it the header again, as in files that were joined? One name alone may be a value too. */
static bool is_header(const kq_csv_source *s, const record *rec) {
    kq_sv text = kq_csv_without_bom((kq_sv){rec->p, (size_t)(rec->end - rec->p)});
    return text.n == s->line.n && s->ncolumns > 1 && kq_sv_eq(text, s->line);
}

/* Cuts the fields of a record into r->cells, from..to. *at and *mended go on from there. */
static void cut_cells(const kq_csv_source *s, kq_csv_reader *r, const record *rec, uint32_t from, uint32_t to,
                      const char **at, bool *mended) {
    for (uint32_t c = from; c < to; c++) {
        cell *one = &r->cells[c];
        *one = (cell){.present = *at != NULL};
        if (*at) *at = next_field(s, mended, *at, rec->end, &one->text, &one->escaped);
    }
}

/* How many sets the record is given to. Where they are many its fields are cut once: *cells. */
static uint32_t sets_of(const kq_csv_source *s, kq_csv_reader *r, const record *rec, bool *cells) {
    const kq_request *q = r->base.request;
    bool mended = rec->mended, names = r->naming != UINT32_MAX;
    const char *at = rec->p;
    uint32_t nsets = q->nsets, ncut = names ? r->naming + 1 : 0;
    *cells = nsets > FEW_SETS;
    if (names) cut_cells(s, r, rec, 0, ncut, &at, &mended);
    for (uint32_t i = 0; i < q->ntables && names; i++) {
        if (!kq_sv_eq_ascii_ci(q->tables[i], r->cells[r->naming].text)) continue;
        nsets = q->nsets + q->named->nsets;
        *cells = true;
        break;
    }
    if (*cells && ncut < r->used) cut_cells(s, r, rec, ncut, r->used, &at, &mended);
    return nsets;
}

kq_status kq_csv_read(kq_source *source, kq_reader *reader, KQ_UNUSED const kq_morsel *morsel, const kq_row_sink *sink,
                      kq_error *err) {
    kq_csv_source *s = (kq_csv_source *)source;
    kq_csv_reader *r = (kq_csv_reader *)reader;
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
            kq_csv_too_long(s, rec.offset);
            continue;
        }
        if (is_header(s, &rec)) {
            kq_report_again(s->base.report, s->base.input->number, s->base.input->path);
            continue;
        }
        if (records[i].delimiters + 1 != s->ncolumns && !check_width(s, &rec)) continue;
        const kq_request *q = r->base.request;
        bool cells;
        uint32_t nsets = sets_of(s, r, &rec, &cells);
        for (uint32_t k = 0; k < nsets && !done; k++) {
            bool match = false;
            KQ_TRY(cut(s, r, set_of(q, k), &r->sets[k], &rec, cells ? r->cells : NULL, &match, err));
            if (match && sink->offset) *sink->offset = rec.offset;
            if (match) KQ_TRY(sink->row(sink->ctx, k, r->fields, &done, err));
        }
    }
    __atomic_add_fetch(&s->base.report->records, seen, __ATOMIC_RELAXED);
    kq_csv_give_back(&r->block);
    return KQ_OK;
}
