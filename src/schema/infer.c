#include "base/time.h"
#include "schema/catalog_internal.h"
#include "schema/convert.h"

#define INFER_RECORDS 1000
#define INFER_COLUMNS 4096

typedef struct inferring {
    kq_type *types;
    bool *seen;
    uint32_t n;
    uint32_t records;
    kq_dates dates;
} inferring;

/* The type that a value looks like. Text is a datetime only when it is a whole ISO time: a bare date or number in a
 * string stays a string in JSON; CSV knows text only, so there numbers are numbers. */
static kq_type type_of(const kq_field *f, kq_dates order, bool *nothing) {
    *nothing = false;
    kq_value v;
    switch (f->kind) {
    case KQ_FIELD_MISSING:
    case KQ_FIELD_NULL: *nothing = true; return KQ_STRING;
    case KQ_FIELD_BOOL: return KQ_BOOL;
    case KQ_FIELD_LONG: return KQ_LONG;
    case KQ_FIELD_ULONG:
    case KQ_FIELD_REAL: return KQ_REAL;
    case KQ_FIELD_DATETIME: return KQ_DATETIME;
    case KQ_FIELD_GUID: return KQ_GUID;
    case KQ_FIELD_JSON:
    case KQ_FIELD_WRITTEN:
    case KQ_FIELD_DYNAMIC: return KQ_DYNAMIC;
    case KQ_FIELD_STRING:
    case KQ_FIELD_LOCAL: break;
    }
    kq_sv s = f->u.text;
    if (!s.n) {
        *nothing = true;
        return KQ_STRING;
    }
    int64_t ticks;
    bool zoned;
    if (f->kind == KQ_FIELD_LOCAL && kq_time_parse_log(s, order, &ticks, &zoned)) return KQ_DATETIME;
    if (s.n >= 16 && s.p[4] == '-' && kq_time_parse_iso(s, &ticks)) return KQ_DATETIME;
    v = kq_field_value(f, KQ_LONG, order, NULL, NULL);
    if (!v.null && s.n < 19 && (s.p[0] != '0' || s.n == 1) && s.p[0] != '+') return KQ_LONG;
    v = kq_field_value(f, KQ_REAL, order, NULL, NULL);
    bool digits = (s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '-';
    if (!v.null && digits && memchr(s.p, '.', s.n)) return KQ_REAL;
    return KQ_STRING;
}

static kq_type both(kq_type a, kq_type b) {
    if (a == b) return a;
    if (kq_type_is_numeric(a) && kq_type_is_numeric(b)) return KQ_REAL;
    return a == KQ_DYNAMIC || b == KQ_DYNAMIC ? KQ_DYNAMIC : KQ_STRING;
}

static kq_status infer_row(void *ctx, KQ_UNUSED uint32_t set, const kq_field *fields, bool *done,
                           KQ_UNUSED kq_error *err) {
    inferring *in = ctx;
    for (uint32_t i = 0; i < in->n; i++) {
        bool nothing;
        kq_type type = type_of(&fields[i], in->dates, &nothing);
        if (nothing) continue;
        in->types[i] = in->seen[i] ? both(in->types[i], type) : type;
        in->seen[i] = true;
    }
    *done = ++in->records >= INFER_RECORDS;
    return KQ_OK;
}

kq_status kq_table_infer(kq_source *source, kq_sv name, kq_arena *arena, kq_budget *budget, kq_model_table **out,
                         kq_error *err) {
    kq_status status = KQ_OK;
    kq_buf names, category;
    kq_reader *reader = NULL;
    kq_buf_init(&names, budget, 1 << 20);
    kq_buf_init(&category, budget, 1 << 16);
    inferring in = {0};
    kq_model_table *t = kq_arena_new(arena, kq_model_table);
    kq_want *wants = NULL;
    if (!t) {
        status = kq_arena_status(arena, err);
        goto out;
    }
    if (source->type->sample) status = source->type->sample(source, &names, &category, err);
    if (status) goto out;
    uint32_t n = 0;
    for (size_t i = 0; i < names.n; i++) n += names.p[i] == 0;
    if (!n || n > INFER_COLUMNS) {
        status = kq_fail(err, KQ_ERR_DAMAGED, "%s: no record to learn the columns of table '" KQ_SV_FMT "' from",
                         source->input->path, KQ_SV_ARG(name));
        goto out;
    }
    wants = kq_arena_array(arena, kq_want, n);
    in = (inferring){kq_arena_array(arena, kq_type, n), kq_arena_array(arena, bool, n), n, 0, source->input->dates};
    t->table.columns = (kq_columns){kq_arena_array(arena, kq_column, n), n};
    t->table.name = kq_arena_copy(arena, name);
    t->table.doc = "columns inferred from the file";
    t->twins[0] = t->twins[1] = UINT32_MAX;
    if (!wants || !in.types || !in.seen || !t->table.columns.items) {
        status = kq_arena_status(arena, err);
        goto out;
    }
    const char *p = names.p;
    for (uint32_t i = 0; i < n; i++) {
        kq_sv one = kq_arena_copy(arena, kq_sv_of(p));
        wants[i].name = t->table.columns.items[i].name = one;
        p += one.n + 1;
    }
    kq_want_set set = {.wants = wants, .nwants = n};
    kq_request request = {.sets = &set, .nsets = 1};
    kq_row_sink sink = {.row = infer_row, .ctx = &in};
    if ((status = source->type->reader_create(&request, budget, &reader, err))) goto out;
    for (bool more = true; in.records < INFER_RECORDS;) {
        kq_morsel morsel;
        if ((status = source->type->claim(source, reader, &morsel, &more, err)) || !more) break;
        if ((status = source->type->read(source, reader, &morsel, &sink, err))) break;
    }
    if (status == KQ_ERR_DAMAGED && in.records) status = KQ_OK; /* met again, and reported, by the scan */
    for (uint32_t i = 0; i < n; i++) t->table.columns.items[i].type = in.seen[i] ? in.types[i] : KQ_STRING;
    *out = t;
out:
    if (reader) source->type->reader_destroy(reader);
    kq_buf_deinit(&names);
    kq_buf_deinit(&category);
    return status;
}
