#include "schema/builder.h"
#include "schema/catalog_internal.h"
#include <pthread.h>
#include <stdatomic.h>

/* An input that is being read: closed when no morsel is left and no worker reads one. */
typedef struct opened {
    kq_source *source;
    const kq_scan_request *request;
    size_t input;
    kq_tally tally; /* of a file whose records say what they are; source->tally is this one, or NULL */
    unsigned readers;
    bool exhausted, failed;
    struct opened *next; /* the list of the spare */
} opened;

typedef struct type_request {
    const kq_source_type *type;
    kq_scan_request *by_access; /* naccesses */
    bool *made;
} type_request;

struct kq_scan {
    const kq_catalog *catalog;
    kq_scan_spec spec;
    kq_arena arena;
    pthread_mutex_t lock; /* all below */
    size_t next_input;
    opened *current, *spare;
    uint64_t seq;
    type_request *requests; /* one for each source type */
    size_t nrequests;
    size_t naccesses;
    uint64_t done, total; /* stored bytes; done is atomic */
    uint32_t *parents;    /* columns that parents are asked for */
    uint32_t nparents;
    kq_scan_spec starts_spec;
    kq_report starts_report; /* damage is reported by the scan itself, not twice */
    kq_scan *starts;         /* reads the starts of processes first; NULL: not needed, or the book is there */
    kq_book *book;
    bool lent;      /* the book is the catalog's */
    kq_type *types; /* of the book to be made */
    bool reading_starts;
    kq_unfit unfit;   /* has its own lock */
    bool seen;        /* an event of the table was met; atomic */
    bool wanted;      /* a kind of event was looked for; atomic */
    bool left;        /* a kind was not, it may be there; atomic */
    bool whole;       /* all inputs were read */
    uint64_t rows;    /* of workers that ended; atomic */
    unsigned filling; /* workers that read starts */
    bool sealed;
    kq_status failed; /* of the reading of starts */
    kq_error why;
    pthread_cond_t ready;
};

struct kq_scan_worker {
    kq_scan *scan;
    kq_scan_worker *starts; /* of scan->starts, while that is read */
    kq_builder builder;
    kq_reader **readers; /* for each source type and access, made when first needed */
    bool helped;         /* with reading starts */
};

/* What a scan with such maps needs of processes: a book that the catalog has, or a scan of starts that makes one. */
static kq_status need_starts(kq_scan *s, kq_error *err) {
    bool yields;
    KQ_TRY(kq_scan_parents(&s->catalog->model, &s->spec, &s->arena, &s->parents, &s->nparents, &yields, err));
    if (!s->nparents && !(yields && !s->spec.keep_duplicates)) return KQ_OK;
    const kq_table *table = kq_catalog_find(s->catalog, KQ_SV("DeviceProcessEvents"));
    bool any = false;
    kq_access access;
    for (size_t i = 0; i < s->catalog->ninputs && table && !any; i++)
        any = kq_catalog_access(s->catalog, i, s->spec.table, &access) && access != KQ_ACCESS_NATIVE;
    if (!any) return KQ_OK;
    bool told = yields && !s->spec.keep_duplicates;
    if ((s->book = kq_catalog_book(s->catalog, s->parents, s->nparents, told, &s->parents, &s->nparents))) {
        s->sealed = s->lent = true;
        return KQ_OK;
    }
    kq_catalog_book_join(s->catalog, s->parents, &s->nparents, &told);
    kq_report_init(&s->starts_report);
    s->starts_spec = (kq_scan_spec){.table = table,
                                    .columns = s->parents,
                                    .ncolumns = s->nparents,
                                    .report = &s->starts_report,
                                    .budget = s->spec.budget,
                                    .keep_duplicates = true,
                                    .told = told,
                                    .starts = true};
    s->types = kq_arena_array(&s->arena, kq_type, s->nparents + 1);
    if (!s->types) return kq_arena_status(&s->arena, err);
    for (uint32_t i = 0; i < s->nparents; i++) s->types[i] = table->columns.items[s->parents[i]].type;
    return kq_scan_create(s->catalog, &s->starts_spec, &s->starts, err);
}

kq_status kq_scan_create(const kq_catalog *catalog, const kq_scan_spec *spec, kq_scan **out, kq_error *err) {
    kq_scan *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->catalog = catalog;
    s->spec = *spec;
    s->spec.seen = &s->seen;
    s->spec.wanted = &s->wanted;
    s->spec.left = &s->left;
    s->spec.keep_duplicates |= catalog->keep_duplicates;
    kq_arena_init(&s->arena, spec->budget, 0);
    /* a morsel is claimed in less time than a thread takes to fall asleep and wake */
    pthread_mutexattr_t spinning;
    pthread_mutexattr_init(&spinning);
    pthread_mutexattr_settype(&spinning, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&s->lock, &spinning);
    pthread_mutexattr_destroy(&spinning);
    pthread_cond_init(&s->ready, NULL);
    kq_unfit_init(&s->unfit);
    const kq_source_type *const *types = kq_source_types(&s->nrequests);
    s->requests = kq_arena_array(&s->arena, type_request, s->nrequests);
    s->naccesses = KQ_ACCESS_ROWS;
    for (const kq_shape *shape = catalog->model.shapes; shape; shape = shape->next) s->naccesses += shape->rows.n > 0;
    for (size_t i = 0; i < s->nrequests && s->requests; i++)
        s->requests[i] = (type_request){.type = types[i],
                                        .by_access = kq_arena_array(&s->arena, kq_scan_request, s->naccesses),
                                        .made = kq_arena_array(&s->arena, bool, s->naccesses)};
    kq_status status = kq_arena_status(&s->arena, err);
    kq_access access;
    for (size_t i = 0; i < catalog->ninputs; i++)
        if (kq_catalog_access(catalog, i, spec->table, &access)) s->total += catalog->inputs[i].size;
    if (!status && !spec->starts) status = need_starts(s, err);
    if (status) {
        kq_scan_destroy(s);
        return status;
    }
    *out = s;
    return KQ_OK;
}

void kq_scan_destroy(kq_scan *s) {
    if (!s) return;
    if (s->current) {
        if (s->current->source->tally) kq_tally_deinit(&s->current->tally);
        s->current->source->type->close(s->current->source);
    }
    kq_scan_destroy(s->starts);
    if (s->starts_spec.report) kq_report_deinit(&s->starts_report);
    if (s->lent)
        kq_catalog_return_book(s->catalog, s->book);
    else
        kq_book_destroy(s->book);
    kq_unfit_end(&s->unfit, s->spec.report);
    kq_unseen *u = s->spec.unseen;
    if (u) u->scans++;
    if (u) u->rows += s->rows;
    bool nothing = u && s->whole && !s->seen;
    if (nothing && !s->left && u->n < sizeof u->tables / sizeof *u->tables) u->tables[u->n++] = s->spec.table;
    if (nothing && s->left && !s->wanted && u->nunread < sizeof u->unread / sizeof *u->unread)
        u->unread[u->nunread++] = s->spec.table;
    kq_arena_deinit(&s->arena);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->ready);
    kq_free(s);
}

static size_t slot(const kq_scan *s, const kq_source_type *type) {
    size_t i = 0;
    while (s->requests[i].type != type) i++;
    return i;
}

/* The request for inputs of this type and access, made once. Under the lock. */
static kq_status request_for(kq_scan *s, const kq_source_type *type, kq_access access, const kq_scan_request **out,
                             kq_error *err) {
    type_request *r = &s->requests[slot(s, type)];
    if (!r->made[access]) {
        KQ_TRY(kq_scan_request_make(&s->catalog->model, &s->spec, s->parents, s->nparents, type->name, access,
                                    &s->arena, &r->by_access[access], err));
        r->made[access] = true;
    }
    *out = &r->by_access[access];
    return KQ_OK;
}

/* Opens the next input that can have rows; *out NULL when there is none. Under the lock. */
static kq_status open_next(kq_scan *s, opened **out, kq_error *err) {
    *out = NULL;
    while (s->next_input < s->catalog->ninputs) {
        size_t i = s->next_input++;
        kq_access access;
        if (!kq_catalog_access(s->catalog, i, s->spec.table, &access)) continue;
        /* starts are told by maps; and a stream can be read once only */
        if (s->spec.starts && !kq_catalog_events(s->catalog, i, s->spec.table)) continue;
        if (s->spec.starts && strcmp(s->catalog->inputs[i].path, "-") == 0) {
            __atomic_store_n(&s->spec.report->unasked, true, __ATOMIC_RELAXED);
            continue;
        }
        kq_input *input = &s->catalog->inputs[i];
        const kq_scan_request *request;
        KQ_TRY(request_for(s, input->type, access, &request, err));
        if (!request->nsets) continue;
        kq_source *source = NULL;
        kq_error why = {0};
        kq_status status = kq_source_open(input, s->spec.report, s->spec.budget, &source, &why);
        if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) {
            kq_report_damage(s->spec.report, input->number, input->path, 0, "%s", why.message);
            continue;
        }
        if (status) {
            if (err) *err = why;
            return status;
        }
        if (!source) continue;
        opened *o = s->spare ? s->spare : kq_arena_new(&s->arena, opened);
        if (!o) {
            source->type->close(source);
            return kq_arena_status(&s->arena, err);
        }
        if (s->spare) s->spare = o->next;
        *o = (opened){.source = source, .request = request, .input = i};
        if (request->request.shapes) {
            kq_tally_init(&o->tally, kq_catalog_knows, s->catalog, s->spec.budget);
            source->tally = &o->tally;
        }
        __atomic_add_fetch(&s->spec.report->files, 1, __ATOMIC_RELAXED);
        *out = o;
        return KQ_OK;
    }
    return KQ_OK;
}

/* Under the lock. */
static void retire(kq_scan *s, opened *o) {
    if (!o->exhausted || o->readers) return;
    if (o->source->tally) {
        if (!o->failed) kq_survey_take(s->catalog, o->input, &o->tally);
        kq_tally_deinit(&o->tally);
    }
    o->source->type->close(o->source);
    o->next = s->spare;
    s->spare = o;
}

static kq_status open_book(void *ctx, const kq_book **book, kq_error *err);

kq_status kq_scan_worker_create(kq_scan *scan, kq_scan_worker **out, kq_error *err) {
    kq_scan_worker *w = kq_calloc(1, sizeof *w);
    if (!w) return kq_nomem(err);
    w->scan = scan;
    kq_status status = kq_builder_init(&w->builder, &scan->spec, err);
    w->builder.open_book = open_book;
    w->builder.open_ctx = w;
    w->builder.unfit = scan->spec.starts ? NULL : &scan->unfit;
    w->readers = kq_calloc(scan->nrequests * scan->naccesses, sizeof *w->readers);
    if (!status && !w->readers) status = kq_nomem(err);
    if (status) {
        kq_scan_worker_destroy(w);
        return status;
    }
    *out = w;
    return KQ_OK;
}

void kq_scan_worker_destroy(kq_scan_worker *w) {
    if (!w) return;
    kq_scan_worker_destroy(w->starts);
    for (size_t i = 0; w->readers && i < w->scan->nrequests * w->scan->naccesses; i++)
        if (w->readers[i]) w->scan->requests[i / w->scan->naccesses].type->reader_destroy(w->readers[i]);
    __atomic_add_fetch(&w->scan->rows, w->builder.built, __ATOMIC_RELAXED);
    kq_free(w->readers);
    kq_builder_deinit(&w->builder);
    kq_free(w);
}

static kq_status reader_for(kq_scan_worker *w, const opened *o, kq_reader **out, kq_error *err) {
    kq_scan *s = w->scan;
    size_t i = slot(s, o->source->type);
    size_t at = i * s->naccesses + (size_t)(o->request - s->requests[i].by_access);
    if (!w->readers[at])
        KQ_TRY(o->source->type->reader_create(&o->request->request, s->spec.budget, &w->readers[at], err));
    *out = w->readers[at];
    return KQ_OK;
}

/* Notes what ended the reading of one file early; other failures end the query. */
static kq_status damaged(kq_scan *s, const opened *o, uint64_t offset, kq_status status, const kq_error *why,
                         kq_error *err) {
    if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) {
        kq_report_damage(s->spec.report, o->source->input->number, o->source->input->path, offset, "%s", why->message);
        return KQ_OK;
    }
    if (status && err) *err = *why;
    return status;
}

/* Takes a morsel: under the lock, so that numbers are dealt in the order of the inputs. */
static kq_status claim(kq_scan_worker *w, opened **out, kq_reader **reader, kq_morsel *morsel, uint64_t *seq,
                       kq_error *err) {
    kq_scan *s = w->scan;
    kq_status status = KQ_OK;
    *out = NULL;
    pthread_mutex_lock(&s->lock);
    while (!status && !*out) {
        if (!s->current) {
            status = open_next(s, &s->current, err);
            s->whole |= !status && !s->current;
            if (status || !s->current) break;
        }
        opened *o = s->current;
        bool more = false;
        kq_error why = {0};
        *morsel = (kq_morsel){0};
        if ((status = reader_for(w, o, reader, err))) break;
        kq_status claimed = o->source->type->claim(o->source, *reader, morsel, &more, &why);
        if (claimed) {
            status = damaged(s, o, morsel->offset, claimed, &why, err);
            more = false;
        }
        if (more) {
            o->readers++;
            *out = o;
            *seq = s->seq++;
            uint64_t end = morsel->offset + morsel->length;
            if (o->source->input->size && end <= o->source->input->size) s->done += morsel->length;
        } else {
            o->exhausted = true;
            s->current = NULL;
            retire(s, o);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

static kq_status read_next(kq_scan_worker *w, const kq_consumer *to, uint64_t *seq, bool *more, kq_error *err) {
    kq_scan *s = w->scan;
    opened *o;
    kq_reader *reader;
    kq_morsel morsel;
    *more = false;
    KQ_TRY(claim(w, &o, &reader, &morsel, seq, err));
    if (!o) return KQ_OK;
    *more = true;
    w->builder.input = o->source->input;
    w->builder.zone = o->source->input->zone;
    w->builder.offset = morsel.offset;
    kq_builder_begin(&w->builder, o->request, to, *seq << 32);
    kq_row_sink sink = {kq_builder_row, &w->builder, &w->builder.offset};
    kq_error why = {0};
    kq_status status = o->source->type->read(o->source, reader, &morsel, &sink, &why);
    if (status) status = damaged(s, o, morsel.offset, status, &why, err);
    if (!status) status = kq_builder_end(&w->builder, err);
    pthread_mutex_lock(&s->lock);
    o->failed |= status || w->builder.done;
    o->readers--;
    retire(s, o);
    pthread_mutex_unlock(&s->lock);
    return status;
}

static kq_status part_push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    return kq_book_append(ctx, chunk, err);
}

/* Reads starts until none are left. */
static kq_status fill_book(kq_scan_worker *w, kq_error *err) {
    kq_scan *s = w->scan;
    kq_book_part *part = kq_book_part_new(s->book);
    if (!part) return kq_nomem(err);
    KQ_TRY(kq_scan_worker_create(s->starts, &w->starts, err));
    kq_consumer to = {.push = part_push, .ctx = part};
    for (bool more = true; more;) {
        uint64_t seq;
        KQ_TRY(kq_watch_check(&s->catalog->watch, err));
        KQ_TRY(read_next(w->starts, &to, &seq, &more, err));
    }
    kq_book_end_part(part);
    kq_scan_worker_destroy(w->starts);
    w->starts = NULL;
    return KQ_OK;
}

/*
 * A row asks for the start of a process: now the starts are read. Every worker that asks helps, the last one makes the
 * book of what all found, and none of them goes on before.
 */
static kq_status open_book(void *ctx, const kq_book **book, kq_error *err) {
    kq_scan_worker *w = ctx;
    kq_scan *s = w->scan;
    *book = s->starts ? NULL : s->book;
    if (!s->starts) return KQ_OK;
    pthread_mutex_lock(&s->lock);
    bool mine = !s->sealed && !s->failed;
    if (mine && !s->book) {
        size_t share = kq_catalog_book_share(s->catalog, s->parents, s->nparents, s->starts_spec.told);
        s->failed = kq_book_create(s->types, s->nparents, share, s->catalog->budget, &s->book, &s->why);
        mine = !s->failed;
    }
    if (mine) s->filling++;
    __atomic_store_n(&s->reading_starts, true, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&s->lock);
    kq_status status = KQ_OK;
    kq_error why = {0};
    if (mine) status = fill_book(w, &why);
    pthread_mutex_lock(&s->lock);
    if (mine) s->filling--;
    if (status && !s->failed) {
        s->failed = status;
        s->why = why;
    }
    if (mine && !s->filling && !s->sealed && !s->failed) {
        s->failed = kq_book_seal(s->book, &s->why);
        if (!s->failed) {
            s->sealed = true;
            s->lent = kq_catalog_keep_book(s->catalog, s->book, s->parents, s->nparents, s->starts_spec.told);
        }
    }
    if (s->sealed || s->failed) pthread_cond_broadcast(&s->ready);
    while (!s->sealed && !s->failed) pthread_cond_wait(&s->ready, &s->lock);
    status = s->failed;
    if (status && err) *err = s->why;
    pthread_mutex_unlock(&s->lock);
    if (__atomic_load_n(&s->starts_report.unasked, __ATOMIC_RELAXED))
        __atomic_store_n(&s->spec.report->unasked, true, __ATOMIC_RELAXED);
    if (!status) *book = s->book;
    return status;
}

kq_status kq_scan_next(kq_scan_worker *w, const kq_consumer *to, uint64_t *seq, bool *more, kq_error *err) {
    kq_scan *s = w->scan;
    *more = false;
    /* Starts are being read: helping with that is better than running ahead and waiting for it. */
    if (s->starts && __atomic_load_n(&s->reading_starts, __ATOMIC_RELAXED) && !w->helped) {
        const kq_book *book;
        w->helped = true;
        KQ_TRY(open_book(w, &book, err));
    }
    return read_next(w, to, seq, more, err);
}

void kq_scan_progress(const kq_scan *s, uint64_t *done, uint64_t *total) {
    *done = __atomic_load_n(&s->done, __ATOMIC_RELAXED);
    *total = s->total;
    if (!s->starts || !__atomic_load_n(&s->reading_starts, __ATOMIC_RELAXED)) return;
    *done += __atomic_load_n(&s->starts->done, __ATOMIC_RELAXED);
    *total += s->starts->total;
}
