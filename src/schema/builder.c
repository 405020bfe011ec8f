#include "schema/builder.h"
#include "base/number.h"
#include "base/time.h"
#include "column/value.h"
#include "schema/convert.h"

/* Each worker has a chunk at hand: one of a table with hundreds of columns has fewer rows, and one whose text is more
 * than this is pushed early. */
#define CELLS_MAX ((size_t)512 << 10) /* bytes, at 16 each */
#define TEXT_MAX  ((size_t)1 << 20)

/* Source: docs/internals/decisions.md, "Schema". */
#define NEAR_TICKS (15 * 3600 * INT64_C(10000000))

kq_status kq_builder_init(kq_builder *b, const kq_scan_spec *spec, kq_error *err) {
    *b = (kq_builder){.ncolumns = spec->ncolumns + (spec->starts ? KQ_BOOK_TAIL : 0),
                      .starts = spec->starts,
                      .counts = spec->counts,
                      .spec = spec,
                      .local_null = spec->local_null || spec->starts};
    kq_arena_init(&b->fixed, spec->budget, 0);
    kq_arena_init(&b->text, spec->budget, 256 * 1024);
    kq_arena_init(&b->judged, spec->budget, 16 * 1024);
    kq_buf_init(&b->scratch, spec->budget, 0);
    kq_buf_init(&b->object, spec->budget, 0);
    kq_inside_init(&b->inside, spec->budget);
    b->room = KQ_CHUNK_ROWS;
    while (b->room > 64 && (size_t)b->room * b->ncolumns * sizeof(kq_str) > CELLS_MAX) b->room /= 2;
    b->columns = kq_arena_array(&b->fixed, kq_vector, b->ncolumns + 1);
    b->view = kq_arena_array(&b->fixed, kq_vector, b->ncolumns + 1);
    b->same = kq_arena_array(&b->fixed, kq_vector, b->ncolumns + 1);
    b->vary = kq_arena_array(&b->fixed, uint32_t, b->ncolumns + 1);
    b->has_null = kq_arena_array(&b->fixed, bool, b->ncolumns + 1);
    if (!b->columns || !b->view || !b->has_null || !b->same || !b->vary) return kq_arena_status(&b->fixed, err);
    for (uint32_t i = 0; i < b->ncolumns; i++) {
        kq_type type = i + 1 == b->ncolumns ? KQ_DATETIME : KQ_LONG;
        if (i < spec->ncolumns) type = spec->table->columns.items[spec->columns[i]].type;
        KQ_TRY(kq_vector_init(&b->columns[i], type, b->room, true, &b->fixed, err));
        KQ_TRY(kq_vector_init(&b->same[i], type, 1, true, &b->fixed, err));
    }
    return KQ_OK;
}

void kq_builder_deinit(kq_builder *b) {
    kq_book_reader_destroy(b->book);
    kq_arena_deinit(&b->fixed);
    kq_arena_deinit(&b->text);
    kq_arena_deinit(&b->judged);
    kq_buf_deinit(&b->scratch);
    kq_buf_deinit(&b->object);
    kq_inside_deinit(&b->inside);
}

/* Has the column one value whatever the records say? A text then, or nothing. */
static bool is_same(const kq_scan_request *scan, uint32_t column, kq_vector *out) {
    kq_sv text = {"", 0};
    for (uint32_t s = 0; s < scan->nsets; s++) {
        const kq_build_node *node = scan->sets[s].columns[column].node;
        if (node && (node->expr->kind != KQ_MAP_LITERAL || out->type != KQ_STRING)) return false;
        kq_sv own = node ? node->expr->text : KQ_SV("");
        if (s > 0 && !kq_sv_eq(own, text)) return false;
        text = own;
    }
    out->constant = true;
    if (out->type == KQ_STRING) {
        kq_vec_str(out)[0] = kq_str_sv(text);
        out->nulls = NULL;
    } else {
        kq_vec_set_null(out, 0);
    }
    return true;
}

/* The column of the spec's table comes as text: as it is written. */
static bool is_written(const kq_builder *b, uint32_t column) {
    return b->spec->written && column < b->spec->ncolumns && b->spec->written[column];
}

void kq_builder_begin(kq_builder *b, const kq_scan_request *scan, const kq_consumer *to, uint64_t ordinal) {
    if (scan != b->scan) {
        b->nvary = 0;
        for (uint32_t i = 0; i < b->ncolumns; i++) {
            b->same[i].constant = false;
            bool same = i < b->spec->ncolumns && !is_written(b, i) && is_same(scan, i, &b->same[i]);
            if (!same) b->vary[b->nvary++] = i;
        }
    }
    b->scan = scan;
    b->to = to;
    b->ordinal = ordinal;
    b->done = false;
}

static kq_status flush(kq_builder *b, kq_error *err) {
    if (!b->rows) return KQ_OK;
    for (uint32_t i = 0; i < b->ncolumns; i++) {
        b->view[i] = b->same[i].constant ? b->same[i] : b->columns[i];
        if (b->same[i].constant) continue;
        if (!b->has_null[i]) b->view[i].nulls = NULL;
    }
    kq_chunk chunk = {
        .rows = b->rows, .selected = b->rows, .ncols = b->ncolumns, .cols = b->view, .ordinal = b->ordinal};
    b->ordinal += b->rows;
    b->built += b->rows;
    kq_status status = b->to->push(b->to->ctx, &chunk, &b->done, err);
    for (uint32_t i = 0; i < b->ncolumns; i++)
        if (b->has_null[i]) memset(b->columns[i].nulls, 0, b->room / 64 * sizeof(uint64_t));
    memset(b->has_null, 0, b->ncolumns * sizeof *b->has_null);
    b->rows = 0;
    b->text_bytes = 0;
    kq_arena_reset(&b->text);
    return status;
}

static bool empty(const kq_field *f) {
    return f->kind == KQ_FIELD_MISSING || f->kind == KQ_FIELD_NULL ||
           ((f->kind == KQ_FIELD_STRING || f->kind == KQ_FIELD_LOCAL) && !f->u.text.n);
}

/* What a row is made of while it is: its set, its fields, and the arena that text made for it goes to. */
typedef struct row {
    kq_builder *b;
    const kq_build_set *set;
    const kq_field *fields;
    kq_arena *arena;
} row;

static bool value_of(const row *r, const kq_build_node *node, kq_field *out);

static bool text_of(const row *r, const kq_build_node *node, kq_sv *out) {
    kq_field f;
    return node && value_of(r, node, &f) && kq_field_text(&f, r->arena, out) && out->n > 0;
}

static bool number_of(const row *r, const kq_build_node *node, int64_t *out) {
    kq_field f;
    if (!node || !value_of(r, node, &f)) return false;
    kq_value v = kq_field_value(&f, KQ_LONG, r->b->input->dates, r->arena, &r->b->scratch);
    *out = v.u.l;
    return !v.null;
}

static bool time_of(const row *r, int64_t *out) {
    kq_field f;
    if (!r->set->time || !value_of(r, r->set->time, &f)) return false;
    if (f.kind == KQ_FIELD_LOCAL && !kq_field_instant(&f, r->b->input->dates, r->b->zone, NULL)) return false;
    kq_value v = kq_field_value(&f, KQ_DATETIME, r->b->input->dates, r->arena, &r->b->scratch);
    *out = v.u.l;
    return !v.null;
}

/* The book, opened when it is first asked: most queries drop every row that would ask. */
static bool has_book(kq_builder *b) {
    if (b->opened || !b->open_book) return b->book != NULL;
    const kq_book *book = NULL;
    b->opened = true;
    b->book_status = b->open_book(b->open_ctx, &book, &b->book_error);
    if (!b->book_status && book)
        b->book_status = kq_book_reader_create(book, b->spec->budget, &b->book, &b->book_error);
    return b->book != NULL;
}

/* The start that a pid and its time name. An event that names what its parent runs is not told of another program,
 * whose pid was given again; and a pid can't be a process's own and its parent's. */
static bool parent_by_pid(const row *r, int64_t time) {
    const kq_build_process *p = &r->set->parent, *own = &r->set->starts;
    kq_book_reader *book = r->b->book;
    kq_sv device, image;
    int64_t pid, self;
    if (!number_of(r, p->pid, &pid) || !text_of(r, r->set->device, &device)) return false;
    if (number_of(r, own->pid, &self) && self == pid) return false;
    if (!text_of(r, p->image, &image)) image = KQ_SV("");
    return kq_book_find(book, KQ_BOOK_PID, kq_book_pid(device, pid), time, kq_book_image(image));
}

static bool parent_by_guid(const row *r, int64_t time) {
    kq_sv text;
    uint64_t guid = text_of(r, r->set->parent.guid, &text) ? kq_book_guid(text) : 0;
    if (guid && text_of(r, r->set->starts.guid, &text) && kq_book_guid(text) == guid) return false;
    return kq_book_find(r->b->book, KQ_BOOK_GUID, guid, time, 0);
}

/* Asks the book, once for a row, for the start of the row's parent. */
static bool parent_of(const row *r) {
    kq_builder *b = r->b;
    if (b->asked) return b->known;
    b->asked = true;
    b->known = false;
    int64_t time;
    if (time_of(r, &time) && has_book(b)) b->known = parent_by_guid(r, time) || parent_by_pid(r, time);
    return b->known;
}

/* Two times of one event: what the source measured counts, unless the log was written much later or earlier. Then a
 * clock was set between them (a virtual machine that was suspended), and the log's own time is the one that fits its
 * neighbours. */
static bool near(const row *r, const kq_build_node *node, kq_field *out) {
    kq_field other;
    if (!value_of(r, &node->parts[0], out)) return node->nparts > 1 && value_of(r, &node->parts[1], out);
    if (node->nparts < 2 || !value_of(r, &node->parts[1], &other)) return true;
    /* a local time of a zone that nobody named can't be compared, and is not asked for */
    if (other.kind == KQ_FIELD_LOCAL && !kq_field_instant(&other, r->b->input->dates, r->b->zone, NULL)) return true;
    kq_value a = kq_field_value(out, KQ_DATETIME, r->b->input->dates, r->arena, &r->b->scratch);
    kq_value b = kq_field_value(&other, KQ_DATETIME, r->b->input->dates, r->arena, &r->b->scratch);
    if (!b.null && (a.null || a.u.l - b.u.l > NEAR_TICKS || b.u.l - a.u.l > NEAR_TICKS)) *out = other;
    return true;
}

/* All parts, one after another. */
static bool concat(const row *r, const kq_build_node *node, kq_field *out) {
    kq_sv parts[64], text;
    size_t n = 0;
    for (uint32_t i = 0; i < node->nparts; i++) {
        if (!text_of(r, &node->parts[i], &parts[i])) return false;
        n += parts[i].n;
    }
    char *to = kq_arena_bytes(r->arena, n);
    if (!to) return false;
    text = (kq_sv){to, n};
    for (uint32_t i = 0; i < node->nparts; i++) {
        memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = text};
    return true;
}

/* An object of the parts that have a value, as JSON text. */
static bool object(const row *r, const kq_build_node *node, kq_field *out) {
    kq_buf *buf = &r->b->object;
    size_t from = buf->n; /* objects in objects share the buffer */
    kq_buf_char(buf, '{');
    for (uint32_t i = 0; i < node->nparts; i++) {
        const kq_build_node *part = &node->parts[i];
        kq_field f;
        kq_sv text;
        if (!value_of(r, part, &f) || !kq_field_text(&f, r->arena, &text)) continue;
        if (buf->n > from + 1) kq_buf_char(buf, ',');
        kq_json_string(part->key, buf);
        kq_buf_char(buf, ':');
        bool number = part->expr->kind == KQ_MAP_TRANSFORM && part->expr->transform->flags & KQ_TRANSFORM_NUMBER;
        bool bare = number || (f.kind != KQ_FIELD_STRING && f.kind != KQ_FIELD_GUID && f.kind != KQ_FIELD_DATETIME);
        if (bare)
            kq_buf_sv(buf, text);
        else
            kq_json_string(text, buf);
    }
    bool any = buf->n > from + 1;
    kq_buf_char(buf, '}');
    if (buf->failed) return false;
    kq_sv text = kq_arena_copy(r->arena, (kq_sv){buf->p + from, buf->n - from});
    buf->n = from;
    *out = (kq_field){.kind = KQ_FIELD_JSON, .u.text = text};
    return any && text.p;
}

/* XML with an empty attribute time, and the time to be put there, if it can be told. */
static bool timed(const row *r, const kq_build_node *node, kq_field *out) {
    static const kq_sv attribute = {" time=\"", 7};
    kq_field f;
    kq_sv text;
    if (!value_of(r, node->parts, out)) return false;
    if (node->nparts < 2 || !value_of(r, &node->parts[1], &f) || !kq_field_text(out, r->arena, &text)) return true;
    if (f.kind == KQ_FIELD_LOCAL && !kq_field_instant(&f, r->b->input->dates, r->b->zone, NULL)) return true;
    kq_value v = kq_field_value(&f, KQ_DATETIME, r->b->input->dates, r->arena, &r->b->scratch);
    const char *at = v.null ? NULL : memmem(text.p, text.n, attribute.p, attribute.n);
    if (!at) return true;
    kq_buf *buf = &r->b->object;
    size_t from = buf->n, before = (size_t)(at - text.p) + attribute.n;
    kq_buf_append(buf, text.p, before);
    kq_time_print(v.u.l, 7, buf);
    kq_buf_append(buf, text.p + before, text.n - before);
    if (buf->failed) return false;
    *out =
        (kq_field){.kind = KQ_FIELD_STRING, .u.text = kq_arena_copy(r->arena, (kq_sv){buf->p + from, buf->n - from})};
    buf->n = from;
    return out->u.text.p != NULL;
}

/* A part of event data that lies in one field. */
static bool inside(const row *r, const kq_build_node *node, kq_field *out) {
    const kq_field *whole = &r->fields[node->at];
    bool json = node->expr->kind == KQ_MAP_IN_JSON;
    if (whole->kind != KQ_FIELD_STRING && (!json || whole->kind != KQ_FIELD_JSON)) return false;
    bool found = json ? kq_inside_json(whole->u.text, node->expr->text, r->arena, out)
                      : kq_inside_xml(&r->b->inside, whole->u.text, node->expr->text, r->arena, out);
    return found && !empty(out);
}

/* A value of the events that have these ids. */
static bool of(const row *r, const kq_build_node *node, kq_field *out) {
    const kq_map_expr *ids = node->expr;
    kq_field f;
    kq_sv text;
    if (!value_of(r, &node->parts[1], &f) || !kq_field_text(&f, r->arena, &text)) return false;
    for (uint32_t i = 0; i < ids->nparts; i++)
        if (kq_sv_eq(ids->parts[i].text, text)) return value_of(r, &node->parts[0], out);
    return false;
}

/* The value that an expression has for this row; false: none. */
static bool value_of(const row *r, const kq_build_node *node, kq_field *out) {
    const kq_map_expr *e = node->expr;
    kq_sv text;
    switch (e->kind) {
    case KQ_MAP_LITERAL: *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = e->text}; return true;
    case KQ_MAP_FIELD: *out = r->fields[node->at]; return !empty(out);
    case KQ_MAP_ANY:
        for (uint32_t i = 0; i < node->nparts; i++)
            if (value_of(r, &node->parts[i], out)) return true;
        return false;
    case KQ_MAP_TRANSFORM:
        if (!value_of(r, node->parts, out)) return false;
        if (e->transform->flags & KQ_TRANSFORM_LOCAL && out->kind != KQ_FIELD_STRING) return true; /* an instant */
        if (!kq_field_text(out, r->arena, &text)) return false;
        *out = (kq_field){.kind = e->transform->flags & KQ_TRANSFORM_LOCAL ? KQ_FIELD_LOCAL : KQ_FIELD_STRING};
        return e->transform->fn(text, &e->argument, r->arena, &out->u.text) && out->u.text.n > 0;
    case KQ_MAP_PARENT:
        if (!parent_of(r)) return false;
        kq_book_cell(r->b->book, node->at, out);
        return !empty(out);
    case KQ_MAP_CONCAT: return concat(r, node, out);
    case KQ_MAP_NEAR: return near(r, node, out);
    case KQ_MAP_BAG: return object(r, node, out);
    case KQ_MAP_IN_XML:
    case KQ_MAP_IN_JSON: return inside(r, node, out);
    case KQ_MAP_TIMED: return timed(r, node, out);
    case KQ_MAP_OF: return of(r, node, out);
    case KQ_MAP_SYSTEM: break; /* compiled away */
    }
    return false;
}

static bool pick(const row *r, const kq_build_column *c, kq_field *out) {
    if (c->node && value_of(r, c->node, out)) return true;
    *out = (kq_field){.kind = KQ_FIELD_MISSING};
    return false;
}

static const kq_build_node *time_in(const kq_build_node *node) {
    if (!node || node->time) return node;
    for (uint32_t i = 0; i < node->nparts; i++) {
        const kq_build_node *found = time_in(&node->parts[i]);
        if (found) return found;
    }
    return NULL;
}

/* The first field with a value that the node asks for. */
static const kq_build_node *field_in(const row *r, const kq_build_node *node) {
    if (node->expr->kind == KQ_MAP_FIELD) return empty(&r->fields[node->at]) ? NULL : node;
    for (uint32_t i = 0; i < node->nparts; i++) {
        const kq_build_node *found = field_in(r, &node->parts[i]);
        if (found) return found;
    }
    return NULL;
}

static const kq_want *wants_of(const kq_scan_request *scan, uint32_t set) {
    const kq_request *q = &scan->request;
    return set < q->nsets ? q->sets[set].wants : q->named->sets[set - q->nsets].wants;
}

/* A column has no time: because the event's own is none? Once for a row, however many columns are made of it. */
static void untimed(const row *r, const kq_build_column *column) {
    kq_builder *b = r->b;
    const kq_build_node *time = time_in(column->node), *field = time ? field_in(r, time) : NULL;
    kq_field f;
    if (!field || b->untimed || !value_of(r, time, &f)) return;
    if (f.kind == KQ_FIELD_LOCAL && !kq_field_instant(&f, b->input->dates, b->zone, NULL))
        return; /* it is one, of a zone nobody knows */
    if (!kq_field_value(&f, KQ_DATETIME, b->input->dates, r->arena, &b->scratch).null) return;
    b->untimed = true;
    const kq_want *wants = wants_of(b->scan, (uint32_t)(r->set - b->scan->sets));
    kq_unfit_note(b->unfit, b->input, UINT32_MAX, wants[field->at].name, KQ_DATETIME, &r->fields[field->at], b->offset);
}

/* A value that is none of its column's type. Fields of Windows events say "-" where they have none. */
static void unfit(const row *r, const kq_field *f, const kq_build_column *c, uint32_t column) {
    kq_builder *b = r->b;
    if (!b->unfit || c->type == KQ_DYNAMIC || b->refused) return;
    if (r->set->map && c->type == KQ_DATETIME && time_in(c->node))
        untimed(r, c);
    else if (!r->set->map || f->kind != KQ_FIELD_STRING || !kq_sv_eq(f->u.text, KQ_SV("-")))
        kq_unfit_note(b->unfit, b->input, column, kq_table_says(b->spec->table, column), c->type, f, b->offset);
}

/* Text of a time that would be another one with its day first, and nothing says which it is; told once for a file. */
static kq_sv guessed(const kq_builder *b, const kq_field *f, kq_type type) {
    bool text = type == KQ_DATETIME && (f->kind == KQ_FIELD_STRING || f->kind == KQ_FIELD_LOCAL);
    if (!text || b->input->dates || b->guess_told == b->input || !b->spec->report) return (kq_sv){0};
    return kq_time_dates(f->u.text) == KQ_DATES_EITHER ? f->u.text : (kq_sv){0};
}

/* The value of a column of the spec's table; a local time that can't be told is noted. */
static kq_value value(kq_builder *b, kq_field *f, kq_type type, uint32_t column, kq_arena *arena) {
    kq_sv text = guessed(b, f, type);
    const kq_field as_written = *f;
    kq_zone_times times = KQ_ZONE_ONCE;
    if (f->kind == KQ_FIELD_LOCAL && type == KQ_DATETIME && !kq_field_instant(f, b->input->dates, b->zone, &times)) {
        f->kind = KQ_FIELD_NULL;
        if (!b->local_null && !b->refused) b->refused = column + 1;
        if (b->local_null && b->local_told != b->input && b->spec->report) {
            kq_report_local(b->spec->report, b->input->number, b->input->path);
            b->local_told = b->input;
        }
    }
    if (times && b->unfit && !b->odd) {
        b->odd = true; /* once for a row */
        kq_unfit_note(b->unfit, b->input, times == KQ_ZONE_TWICE ? KQ_UNFIT_TWICE : KQ_UNFIT_NEVER, KQ_SV(""), type,
                      &as_written, b->offset);
    }
    kq_value v = kq_field_value(f, type, b->input->dates, arena, &b->scratch);
    if (text.n && !v.null) {
        kq_report_guessed(b->spec->report, b->input->number, b->input->path, b->offset, text);
        b->guess_told = b->input;
    }
    return v;
}

static kq_status refuse(const kq_builder *b, kq_error *err) {
    const kq_sv name = kq_table_says(b->spec->table, b->refused - 1);
    kq_status status = kq_fail(err, KQ_ERR_USAGE,
                               "%s: the times behind '" KQ_SV_FMT "' are local, of a zone that the file does not tell",
                               b->input->path, KQ_SV_ARG(name));
    kq_error_hint(err, "--timezone says which: Europe/Brussels, UTC, +02:00");
    return status;
}

static bool passes(const row *r, const kq_build_predicate *bp) {
    kq_builder *b = r->b;
    kq_field f;
    pick(r, &bp->column, &f);
    if (bp->predicate->kind == KQ_PREDICATE_TEXT) {
        if (bp->column.type != KQ_STRING) return true;
        kq_sv text;
        if (!kq_field_text(&f, &b->judged, &text)) text = KQ_SV("");
        return kq_matcher_test(bp->predicate->matcher, text);
    }
    kq_value v = value(b, &f, bp->column.type, bp->predicate->column, &b->judged);
    if (kq_predicate_range(bp->predicate, &v)) return true; /* and then told when the row is built */
    if (v.null) unfit(r, &f, &bp->column, bp->predicate->column);
    return false;
}

static bool holds(const row *r, const kq_build_only *o) {
    kq_sv text;
    if (!text_of(r, o->node, &text)) return o->not ;
    for (uint32_t i = 0; i < o->nvalues; i++)
        if (kq_sv_eq_ascii_ci(o->values[i], text)) return !o->not ;
    return o->not ;
}

/* Did another log tell the same start? */
static bool told(const row *r) {
    kq_builder *b = r->b;
    int64_t pid, time;
    kq_sv device, file;
    kq_field f;
    if (!number_of(r, r->set->starts.pid, &pid) || !text_of(r, r->set->device, &device) ||
        !text_of(r, r->set->file, &file) || !has_book(b))
        return false;
    uint64_t keys[2];
    kq_book_ask(device, pid, file, keys);
    if (time_of(r, &time)) return kq_book_told(b->book, keys[0], time) || kq_book_told(b->book, keys[1], time);
    /* a local time can't say whether it is that start: the answer would depend on it */
    bool local = r->set->time && value_of(r, r->set->time, &f) && f.kind == KQ_FIELD_LOCAL;
    if (local && !b->local_null && !b->refused &&
        (kq_book_told_ever(b->book, keys[0]) || kq_book_told_ever(b->book, keys[1])))
        b->refused = kq_model_table_of(b->spec->table)->twins[0] + 1;
    return false;
}

/* The columns that the book wants after the others. */
static void fill_keys(const row *r) {
    kq_builder *b = r->b;
    uint32_t at = b->ncolumns - KQ_BOOK_TAIL;
    uint64_t image = 0;
    uint64_t keys[KQ_BOOK_KEYS] = {0};
    int64_t pid, time;
    kq_sv text, device;
    bool parents = b->spec->ncolumns > 0; /* otherwise the book only tells what was told */
    if (parents && text_of(r, r->set->starts.guid, &text)) keys[KQ_BOOK_GUID] = kq_book_guid(text);
    if (number_of(r, r->set->starts.pid, &pid) && text_of(r, r->set->device, &device)) {
        if (parents) keys[KQ_BOOK_PID] = kq_book_pid(device, pid);
        if (b->spec->told && !r->set->map->yields && text_of(r, r->set->file, &text))
            kq_book_tell(device, pid, text, &keys[KQ_BOOK_START]);
    }
    if (parents && (text_of(r, r->set->starts.image, &text) || text_of(r, r->set->file, &text)))
        image = kq_book_image(text);
    kq_vec_long(&b->columns[at + KQ_BOOK_IMAGE])[b->rows] = (int64_t)image;
    for (uint32_t i = 0; i < KQ_BOOK_KEYS; i++) kq_vec_long(&b->columns[at + i])[b->rows] = (int64_t)keys[i];
    bool known = time_of(r, &time);
    kq_vec_long(&b->columns[at + KQ_BOOK_TIME])[b->rows] = known ? time : 0;
    if (known) return;
    kq_vec_set_null(&b->columns[at + KQ_BOOK_TIME], b->rows);
    b->has_null[at + KQ_BOOK_TIME] = true;
}

/* Field text lives only until the row function returns: a long string is copied to the chunk's text. */
static kq_str keep(kq_builder *b, const kq_str *s) {
    if (s->len <= KQ_STR_INLINE) return *s;
    char *p = kq_arena_bytes(&b->text, s->len);
    if (!p) return (kq_str){0}; /* reported by kq_builder_row */
    memcpy(p, s->u.big.ptr, s->len);
    return kq_str_ref(p, s->len);
}

/* Writes the value, kept in the chunk's text; *row_text grows by what that took. False when it is null. */
static bool put_written(kq_builder *b, kq_field *f, kq_type type, uint32_t column, size_t *row_text, kq_str *out) {
    kq_sv text = f->u.text;
    if (f->kind != KQ_FIELD_WRITTEN) {
        kq_value v = value(b, f, type, column, &b->text);
        if (v.null) return false;
        *row_text += type == KQ_DYNAMIC ? v.u.s.len : 0;
        kq_buf_empty(&b->scratch);
        kq_value_json(&v, &b->scratch);
        text = kq_buf_view(&b->scratch);
    }
    if (text.n > KQ_STR_MAX) {
        b->scratch.failed = KQ_ERR_LIMIT;
        return false;
    }
    kq_str s = kq_str_sv(text);
    *out = keep(b, &s);
    *row_text += text.n;
    return true;
}

/* A field that is a value of the column's type already, as most are: into the column without a kq_value between. */
static inline bool put_plain(kq_builder *b, const kq_build_node *node, const kq_field *fields, kq_vector *v,
                             size_t *row_text) {
    if (!node || node->expr->kind != KQ_MAP_FIELD) return false;
    const kq_field *f = &fields[node->at];
    if (v->type == KQ_STRING) {
        char text[24];
        kq_sv t = f->u.text;
        if (f->kind == KQ_FIELD_LONG && f->u.l >= 0)
            t = (kq_sv){text, (size_t)(kq_number_write_ulong((uint64_t)f->u.l, text) - text)};
        else if (f->kind != KQ_FIELD_STRING)
            return false;
        kq_str string = kq_str_sv(t);
        kq_vec_str(v)[b->rows] = keep(b, &string);
        *row_text += t.n;
        return true;
    }
    if (f->kind == KQ_FIELD_LONG && v->type == KQ_LONG) {
        kq_vec_long(v)[b->rows] = f->u.l;
        return true;
    }
    if (f->kind == KQ_FIELD_LONG && v->type == KQ_INT && f->u.l == (int32_t)f->u.l) {
        kq_vec_int(v)[b->rows] = (int32_t)f->u.l;
        return true;
    }
    if (f->kind == KQ_FIELD_DATETIME && v->type == KQ_DATETIME) {
        kq_vec_long(v)[b->rows] = f->u.l;
        return true;
    }
    return false;
}

static kq_status inside_status(const kq_builder *b, kq_error *err) {
    KQ_TRY(kq_buf_status(&b->inside.items, err));
    return kq_buf_status(&b->inside.names, err);
}

/* A row is left out: with good reason, or for want of memory or of the book? */
static kq_status judged(const kq_builder *b, kq_error *err) {
    if (b->book_status) {
        if (err) *err = b->book_error;
        return b->book_status;
    }
    if (b->book) KQ_TRY(kq_book_reader_status(b->book, err));
    KQ_TRY(inside_status(b, err));
    return kq_arena_status(&b->judged, err);
}

kq_status kq_builder_row(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err) {
    kq_builder *b = ctx;
    const kq_build_set *s = &b->scan->sets[set];
    row r = {b, s, fields, &b->judged};
    b->asked = b->untimed = b->odd = b->inside.opened = false;
    if (s->npredicates || s->yields || s->nonly) kq_arena_reset(&b->judged);
    for (uint32_t i = 0; i < s->nonly; i++)
        if (!holds(&r, &s->only[i])) return judged(b, err);
    if (!b->seen) {
        b->seen = true;
        if (b->spec->seen) __atomic_store_n(b->spec->seen, true, __ATOMIC_RELAXED);
    }
    if (b->counts) {
        if (s->map) b->counts[s->number]++;
        return KQ_OK;
    }
    for (uint32_t i = 0; i < s->npredicates; i++) {
        bool stays = passes(&r, &s->predicates[i]);
        if (b->refused) return refuse(b, err);
        if (!stays) return judged(b, err);
    }
    if (s->yields && told(&r)) return judged(b, err);
    KQ_TRY(judged(b, err));
    r.arena = &b->text;
    size_t text = 0;
    uint32_t n = b->nvary - (b->starts ? KQ_BOOK_TAIL : 0);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = b->vary[k];
        kq_vector *v = &b->columns[i];
        kq_field f;
        if (is_written(b, i)) {
            pick(&r, &s->columns[i], &f);
            bool some = put_written(b, &f, v->type, b->spec->columns[i], &text, &kq_vec_str(v)[b->rows]);
            if (some) continue;
            unfit(&r, &f, &s->columns[i], b->spec->columns[i]);
            b->has_null[i] = true;
            kq_vec_set_null(v, b->rows);
            kq_vec_str(v)[b->rows] = (kq_str){0};
            continue;
        }
        if (put_plain(b, s->columns[i].node, fields, v, &text)) continue;
        pick(&r, &s->columns[i], &f);
        kq_value cell = value(b, &f, v->type, b->spec->columns[i], &b->text);
        if (cell.null) {
            unfit(&r, &f, &s->columns[i], b->spec->columns[i]);
            b->has_null[i] = true;
            kq_vec_set_null(v, b->rows);
            if (v->type == KQ_DYNAMIC) kq_vec_str(v)[b->rows] = (kq_str){0};
        } else {
            if (v->type == KQ_STRING) cell.u.s = keep(b, &cell.u.s);
            if (v->type == KQ_STRING || v->type == KQ_DYNAMIC) text += cell.u.s.len;
            kq_vector_set(v, b->rows, &cell);
        }
    }
    if (b->refused) return refuse(b, err);
    if (b->starts) fill_keys(&r);
    KQ_TRY(judged(b, err));
    KQ_TRY(kq_arena_status(&b->text, err));
    KQ_TRY(kq_buf_status(&b->scratch, err));
    KQ_TRY(kq_buf_status(&b->object, err));
    KQ_TRY(inside_status(b, err));
    b->rows++;
    b->text_bytes += text;
    if (b->rows == b->room || b->text_bytes > TEXT_MAX) KQ_TRY(flush(b, err));
    *done = b->done;
    return KQ_OK;
}

kq_status kq_builder_end(kq_builder *b, kq_error *err) {
    kq_status status = b->done ? KQ_OK : flush(b, err);
    b->rows = 0;
    return status;
}
