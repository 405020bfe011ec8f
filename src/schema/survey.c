/*
 * What the records of a JSON file are: which tables they name, and how many are of no known shape. The first records
 * tell most of it when the file is added. Scans count the records while they read; a table that no record was seen to
 * name, and no map fills, makes the file be read for it, once.
 */
#include "schema/catalog_internal.h"
#include "schema/catalogue.h"
#include "source/source.h"

static uint32_t hash_of(kq_sv s) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

/* The names of the catalogue by hash. Under the lock of `late`; false without memory. */
static bool list_names(kq_late *late) {
    if (late->names) return true;
    kq_sv name;
    size_t n = 0;
    for (size_t at = 0; kq_catalogue_next(&at, &name);) n++;
    uint32_t mask = 15;
    while (mask < 2 * n) mask = 2 * mask + 1;
    kq_sv *names = kq_arena_array(&late->arena, kq_sv, (size_t)mask + 1);
    if (!names) return false;
    for (size_t at = 0; kq_catalogue_next(&at, &name);) {
        uint32_t h = hash_of(name) & mask;
        while (names[h].n) h = (h + 1) & mask;
        names[h] = name;
    }
    late->names = names;
    late->mask = mask;
    return true;
}

bool kq_catalog_knows(const void *ctx, kq_sv name) {
    const kq_catalog *c = ctx;
    if (!name.n) return false;
    if (kq_model_find(&c->model, name)) return true;
    kq_late *late = c->late;
    bool found = false;
    pthread_mutex_lock(&late->lock);
    if (list_names(late))
        for (uint32_t h = hash_of(name) & late->mask; late->names[h].n && !found; h = (h + 1) & late->mask)
            found = kq_sv_eq(late->names[h], name);
    pthread_mutex_unlock(&late->lock);
    return found;
}

bool kq_catalog_says(const kq_catalog *c, size_t i) {
    const kq_input *input = &c->inputs[i];
    return input->type == &kq_source_json && !input->table.n;
}

static bool listed(const kq_survey *s, kq_sv name) {
    for (const char *p = s->tables.p; p && p < s->tables.p + s->tables.n; p += strlen(p) + 1)
        if (kq_sv_eq(kq_sv_of(p), name)) return true;
    return false;
}

void kq_survey_note(kq_catalog *c, kq_survey *s, kq_sv name) {
    if (memchr(name.p ? name.p : "", 0, name.n) || listed(s, name) || !kq_catalog_knows(c, name)) return;
    kq_buf_sv(&s->tables, name);
    kq_buf_char(&s->tables, 0);
}

/* Under the lock of the surveys. */
static void take(const kq_catalog *c, size_t i, const kq_tally *tally, bool whole) {
    kq_survey *s = &c->surveys[i];
    for (const char *p = tally->tables.p; p && p < tally->tables.p + tally->tables.n; p += strlen(p) + 1)
        if (!listed(s, kq_sv_of(p))) {
            kq_buf_str(&s->tables, p);
            kq_buf_char(&s->tables, 0);
        }
    if (!whole || tally->tables.failed || s->tables.failed) return;
    s->complete = s->counted = true;
    s->known = tally->known;
    s->unknown = tally->unknown;
    s->first = tally->first;
}

void kq_survey_take(const kq_catalog *c, size_t i, const kq_tally *tally) {
    pthread_mutex_lock(c->surveying);
    take(c, i, tally, true);
    pthread_mutex_unlock(c->surveying);
}

static kq_status no_row(KQ_UNUSED void *ctx, KQ_UNUSED uint32_t set, KQ_UNUSED const kq_field *fields,
                        KQ_UNUSED bool *done, KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

void kq_catalog_watch(kq_catalog *c, const kq_watch *watch) {
    c->watch = watch ? *watch : (kq_watch){0};
}

/* Reads the file until a record names the table `until`; to its end when that is "". Errors: NOMEM, LIMIT, CANCELLED,
 * DEADLINE. */
static kq_status read_for(const kq_catalog *c, size_t i, kq_sv until, kq_error *err) {
    kq_input input = c->inputs[i];
    kq_report report; /* the scans report it */
    kq_arena arena;
    kq_tally tally;
    kq_source *source = NULL;
    kq_reader *reader = NULL;
    kq_request request = {0};
    kq_row_sink sink = {.row = no_row};
    bool whole = false;
    kq_report_init(&report);
    kq_arena_init(&arena, c->budget, 16 * 1024);
    kq_tally_init(&tally, kq_catalog_knows, c, c->budget);
    kq_status status = kq_scan_request_shapes(&c->model, input.type->name, &arena, &request, err);
    if (!status) status = kq_source_open(&input, &report, c->budget, &source, err);
    if (!status && source) status = source->type->reader_create(&request, c->budget, &reader, err);
    if (!status && source) source->tally = &tally;
    while (!status && source && !(until.n && kq_tally_has(&tally, until))) {
        kq_morsel morsel;
        bool more = false;
        if ((status = kq_watch_check(&c->watch, err))) break;
        if ((status = source->type->claim(source, reader, &morsel, &more, err))) break;
        if (!more) {
            whole = true;
            break;
        }
        status = source->type->read(source, reader, &morsel, &sink, err);
    }
    if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) { /* no scan reads on either, and they tell */
        status = KQ_OK;
        whole = true;
    }
    if (reader) source->type->reader_destroy(reader);
    if (source) source->type->close(source);
    if (status != KQ_ERR_CANCELLED && status != KQ_ERR_DEADLINE) c->surveys[i].asked = true;
    if (!status) take(c, i, &tally, whole);
    kq_tally_deinit(&tally);
    kq_arena_deinit(&arena);
    kq_report_deinit(&report);
    return status;
}

#define NAMED_MAX 64 /* tables that a CSV file names; of one with more it is not known */

/* The texts of a column that says which table a record is of. */
typedef struct naming {
    kq_buf *tables;
    uint32_t n;
} naming;

static bool named(const kq_buf *tables, kq_sv name) {
    for (const char *p = tables->p; p && p < tables->p + tables->n; p += strlen(p) + 1)
        if (kq_sv_eq_ascii_ci(kq_sv_of(p), name)) return true;
    return false;
}

static kq_status take_name(void *ctx, KQ_UNUSED uint32_t set, const kq_field *fields, bool *done,
                           KQ_UNUSED kq_error *err) {
    naming *x = ctx;
    if (fields->kind != KQ_FIELD_STRING || !fields->u.text.n || memchr(fields->u.text.p, 0, fields->u.text.n))
        return KQ_OK;
    kq_sv name = fields->u.text;
    if (named(x->tables, name)) return KQ_OK;
    kq_buf_sv(x->tables, name);
    kq_buf_char(x->tables, 0);
    *done = ++x->n > NAMED_MAX || name.n > 256;
    if (*done) x->n = NAMED_MAX + 1;
    return KQ_OK;
}

/* Reads all of a CSV file for the tables that its records name. False: it is not known, and s->asked when no second
 * reading would tell. Under the lock. */
static bool read_names(const kq_catalog *c, size_t i) {
    kq_survey *s = &c->surveys[i];
    kq_input input = c->inputs[i];
    kq_report report; /* the scans report it */
    kq_error why;
    kq_source *source = NULL;
    kq_reader *reader = NULL;
    kq_want want = {.name = c->says[i] == KQ_SAYS_TABLE ? KQ_SV("$table") : KQ_SV("Type")};
    kq_want_set set = {.wants = &want, .nwants = 1};
    kq_request request = {.sets = &set, .nsets = 1};
    naming x = {.tables = &s->tables};
    kq_row_sink sink = {.row = take_name, .ctx = &x};
    bool more = true;
    kq_report_init(&report);
    kq_status status = kq_source_open(&input, &report, c->budget, &source, &why);
    if (!status && source) status = source->type->reader_create(&request, c->budget, &reader, &why);
    while (!status && source && more && x.n <= NAMED_MAX) {
        kq_morsel morsel;
        status = kq_watch_check(&c->watch, &why);
        if (!status) status = source->type->claim(source, reader, &morsel, &more, &why);
        if (!status && more) status = source->type->read(source, reader, &morsel, &sink, &why);
    }
    if (reader) source->type->reader_destroy(reader);
    if (source) source->type->close(source);
    kq_report_deinit(&report);
    s->asked = status != KQ_ERR_CANCELLED && status != KQ_ERR_DEADLINE;
    return !status && !more && x.n <= NAMED_MAX && !s->tables.failed;
}

bool kq_survey_says(const kq_catalog *c, size_t i, kq_sv name) {
    kq_survey *s = &c->surveys[i];
    if (c->inputs[i].type != &kq_source_csv || strcmp(c->inputs[i].path, "-") == 0) return true;
    pthread_mutex_lock(c->surveying);
    bool has = named(&s->tables, name);
    if (!has && !s->asked) {
        s->complete = read_names(c, i);
        has = named(&s->tables, name);
    }
    has |= !s->complete;
    pthread_mutex_unlock(c->surveying);
    return has;
}

bool kq_survey_has(const kq_catalog *c, size_t i, kq_sv name) {
    kq_survey *s = &c->surveys[i];
    kq_error why;
    bool has = true; /* also without memory: who asks then meets that */
    pthread_mutex_lock(c->surveying);
    if (!listed(s, name)) {
        if (s->complete)
            has = false;
        else if (!read_for(c, i, s->asked ? KQ_SV("") : name, &why))
            has = listed(s, name);
    }
    pthread_mutex_unlock(c->surveying);
    return has;
}

kq_status kq_catalog_survey(kq_catalog *c, kq_error *err) {
    kq_status status = KQ_OK;
    for (size_t i = 0; i < c->ninputs && !status; i++) {
        if (!kq_catalog_says(c, i)) continue;
        pthread_mutex_lock(c->surveying);
        if (!c->surveys[i].counted) status = read_for(c, i, KQ_SV(""), err);
        pthread_mutex_unlock(c->surveying);
        for (const char *p = c->surveys[i].tables.p;
             !status && p && p < c->surveys[i].tables.p + c->surveys[i].tables.n; p += strlen(p) + 1)
            status = kq_catalog_use(c, kq_sv_of(p), err);
    }
    return status;
}

bool kq_catalog_unknown(const kq_catalog *c, size_t i, kq_unknown *out) {
    pthread_mutex_lock(c->surveying);
    const kq_survey *s = &c->surveys[i];
    *out = (kq_unknown){s->known, s->unknown, s->first};
    bool counted = s->counted;
    pthread_mutex_unlock(c->surveying);
    return counted;
}
