#include "schema/catalog.h"
#include "schema/catalog_internal.h"
#include "schema/catalogue.h"
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>

#define WALK_DEPTH 64

static kq_status list_tables(kq_catalog *c, kq_error *err) {
    size_t n = 0;
    for (kq_model_table *t = c->model.tables; t; t = t->next, n++)
        if (c->slack && !kq_model_recovered(&c->model, t, &c->arena)) return kq_arena_status(&c->arena, err);
    c->tables = kq_arena_array(&c->arena, const kq_table *, n + 1);
    if (!c->tables) return kq_arena_status(&c->arena, err);
    c->ntables = 0;
    for (const kq_model_table *t = c->model.tables; t; t = t->next) c->tables[c->ntables++] = &t->table;
    return KQ_OK;
}

kq_status kq_catalog_create(kq_budget *budget, kq_catalog **out, kq_error *err) {
    kq_catalog *c = kq_calloc(1, sizeof *c);
    if (!c) return kq_nomem(err);
    kq_arena_init(&c->arena, budget, 0);
    c->budget = budget;
    c->late = kq_calloc(1, sizeof *c->late);
    kq_status status = c->late ? KQ_OK : kq_nomem(err);
    if (c->late) {
        pthread_mutex_init(&c->late->lock, NULL);
        kq_arena_init(&c->late->arena, budget, 16 * 1024);
    }
    if (!status && !(c->surveying = kq_malloc(sizeof *c->surveying))) status = kq_nomem(err);
    if (c->surveying) pthread_mutex_init(c->surveying, NULL);
    if (!status) status = kq_shelf_create(&c->shelf, err);
    if (!status) status = kq_model_builtin(&c->model, &c->arena, err);
    if (!status) status = list_tables(c, err);
    if (!status) status = kq_functions_builtin(c, err);
    if (status) {
        kq_catalog_destroy(c);
        return status;
    }
    *out = c;
    return KQ_OK;
}

kq_status kq_catalog_slack(kq_catalog *c, kq_error *err) {
    c->slack = true;
    KQ_TRY(kq_functions_slack(c, err));
    return list_tables(c, err);
}

kq_status kq_catalog_load(kq_catalog *c, kq_sv text, const char *name, kq_error *err) {
    kq_loaded *l = kq_arena_new(&c->arena, kq_loaded);
    if (!l) return kq_arena_status(&c->arena, err);
    *l = (kq_loaded){kq_arena_copy(&c->arena, text), kq_arena_copy(&c->arena, kq_sv_of(name)).p, c->loaded};
    if (!l->text.p || !l->name) return kq_arena_status(&c->arena, err);
    KQ_TRY(kq_model_load(&c->model, l->text, l->name, &c->arena, err));
    c->loaded = l;
    return list_tables(c, err);
}

/* The first loaded first: later files may refer to what earlier ones define. */
static kq_status load_again(kq_catalog *c, const kq_loaded *l, kq_error *err) {
    if (!l) return KQ_OK;
    KQ_TRY(load_again(c, l->next, err));
    return kq_catalog_load(c, l->text, l->name, err);
}

kq_status kq_catalog_fork(const kq_catalog *like, kq_budget *budget, kq_catalog **out, kq_error *err) {
    kq_catalog *c;
    KQ_TRY(kq_catalog_create(budget, &c, err));
    kq_status status = load_again(c, like->loaded, err);
    if (!status && like->slack) status = kq_catalog_slack(c, err);
    c->keep_duplicates = like->keep_duplicates;
    if (status)
        kq_catalog_destroy(c);
    else
        *out = c;
    return status;
}

void kq_catalog_keep_duplicates(kq_catalog *c, bool keep) {
    c->keep_duplicates = keep;
}

void kq_catalog_destroy(kq_catalog *c) {
    if (!c) return;
    kq_shelf_clear(c->shelf, true);
    for (size_t i = 0; i < c->narchives; i++) kq_archive_close(c->archives[i]);
    kq_free(c->archives);
    kq_arena_deinit(&c->arena);
    if (c->late) {
        kq_arena_deinit(&c->late->arena);
        pthread_mutex_destroy(&c->late->lock);
    }
    kq_free(c->met);
    kq_free(c->late);
    for (size_t i = 0; i < c->ninputs; i++) kq_buf_deinit(&c->surveys[i].tables);
    kq_free(c->surveys);
    if (c->surveying) pthread_mutex_destroy(c->surveying);
    kq_free(c->surveying);
    kq_free(c->inputs);
    kq_free(c->says);
    kq_free(c);
}

/* The table of this name for an input, added to the model when it is one of the catalogue. NULL: there is none. */
static const kq_model_table *use_table(kq_catalog *c, kq_sv name) {
    const kq_model_table *t = kq_model_find(&c->model, name);
    if (t) return t;
    kq_error why;
    if (kq_catalogue_load(name, &c->model, &c->arena, &t, &why) || !t || list_tables(c, &why)) return NULL;
    return t;
}

kq_status kq_catalog_use(kq_catalog *c, kq_sv name, kq_error *err) {
    use_table(c, name);
    return kq_arena_status(&c->arena, err);
}

#define ALIKE_SHOWN 3

/* The builtin table that most of the sampled names are columns of; NULL when fewer than three, or than 60 %, are. The
 * first one of several; *alike then says which others it may be, or stays NULL. */
static const kq_model_table *recognise(kq_catalog *c, const kq_buf *names, const char *path, const char **alike) {
    const kq_model_table *best = NULL, *others[ALIKE_SHOWN];
    size_t best_hits = 0, n = 0, nothers = 0;
    for (size_t i = 0; i < names->n; i++) n += names->p[i] == 0;
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    for (const kq_model_table *t = c->model.tables; t; t = t->next) {
        size_t hits = 0;
        for (const char *p = names->p; p && p < names->p + names->n; p += strlen(p) + 1)
            for (uint32_t i = 0; i < t->table.columns.n; i++)
                if (kq_sv_eq(t->table.columns.items[i].name, kq_sv_of(p))) {
                    hits++;
                    break;
                }
        if (hits < 3 || hits * 10 < n * 6) continue;
        if (strcasestr(base, t->table.name.p)) hits += n; /* a file that names its table is believed */
        if (hits > best_hits) {
            best = t;
            best_hits = hits;
            nothers = 0;
        } else if (hits == best_hits && nothers++ < ALIKE_SHOWN) {
            others[nothers - 1] = t;
        }
    }
    if (!best || best_hits < n) { /* else nothing fits better, or its file names it */
        kq_sv other = kq_catalogue_recognise(names, base);
        if (other.n) return use_table(c, other);
    }
    /* DeviceEvents has columns for whatever has no table of its own: it is one more, not a reason to doubt */
    if (!nothers || (nothers == 1 && kq_sv_eq(others[0]->table.name, KQ_SV("DeviceEvents")))) return best;
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_buf_printf(&text, "read as %s, but its columns are as well those of ", best->table.name.p);
    for (size_t i = 0; i < nothers && i < ALIKE_SHOWN; i++)
        kq_buf_printf(&text, "%s%s", i == 0 ? "" : i + 1 == nothers ? " and " : ", ", others[i]->table.name.p);
    if (nothers > ALIKE_SHOWN) kq_buf_printf(&text, " and %zu more", nothers - ALIKE_SHOWN);
    kq_buf_printf(&text, "; --as TABLE=PATH says which");
    *alike = text.failed ? NULL : kq_arena_copy(&c->arena, kq_buf_view(&text)).p;
    if (!*alike) c->arena.failed = true;
    kq_buf_deinit(&text);
    return best;
}

static bool listed(const kq_buf *names, const char *name) {
    for (const char *p = names->p; p && p < names->p + names->n; p += strlen(p) + 1)
        if (strcmp(p, name) == 0) return true;
    return false;
}

/* Do the records tell their table? Rows of Log Analytics have a time and a Type that is a table's name; other logs have
 * fields of that name too. */
static kq_says says_of(kq_catalog *c, kq_source *source, const kq_buf *names, kq_survey *survey) {
    kq_error why;
    bool type = listed(names, "Type");
    if (!source->type->types || !listed(names, "TimeGenerated") || (!type && !listed(names, "$table")))
        return KQ_SAYS_NOTHING;
    kq_buf types;
    bool known = false;
    kq_buf_init(&types, c->budget, 1 << 16);
    kq_status status = source->type->types(source, &types, &why); /* what can't be read is met by the scan */
    for (const char *p = types.p; !status && p && p < types.p + types.n; p += strlen(p) + 1)
        if (use_table(c, kq_sv_of(p))) {
            known = true;
            kq_survey_note(c, survey, kq_sv_of(p));
        }
    kq_buf_deinit(&types);
    return !known ? KQ_SAYS_NOTHING : type ? KQ_SAYS_TYPE : KQ_SAYS_TABLE;
}

/* Is `field` there, or the object that it lies in? */
static bool has_field(const kq_buf *names, kq_sv field) {
    const char *dot = memchr(field.p, '.', field.n);
    kq_sv first = {field.p, dot ? (size_t)(dot - field.p) : field.n};
    for (const char *p = names->p; p && p < names->p + names->n; p += strlen(p) + 1)
        if (kq_sv_eq(kq_sv_of(p), field) || kq_sv_eq(kq_sv_of(p), first)) return true;
    return false;
}

/* Have the records a shape that maps know? An event of the Security log, say, has fields that SecurityEvent has as
 * columns, and is no export of it all the same. */
static bool has_shape(const kq_catalog *c, const kq_source_type *type, const kq_buf *names) {
    for (const kq_shape *s = c->model.shapes; s; s = s->next) {
        bool all = s->nis > 0 && kq_shape_read_by(s, kq_sv_of(type->name));
        for (uint32_t i = 0; i < s->nis && all; i++) all = has_field(names, s->is[i]);
        if (all) return true;
    }
    return false;
}

static bool fits(const char *pattern, const char *path) {
    for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if (fnmatch(pattern, p, 0) == 0) return true;
    return false;
}

/* All patterns are looked at, so that those without an input are known. */
static const kq_zone *zone_of(kq_catalog *c, const char *path) {
    const kq_zone *zone = NULL;
    for (kq_zoned *z = c->zoned; z; z = z->next) {
        if (!fits(z->pattern, path)) continue;
        z->met = true;
        if (!zone) zone = z->zone;
    }
    return zone ? zone : c->zone;
}

/* The order of numbers in dates that the user gave, or UNTOLD. */
static kq_dates dates_of(const kq_catalog *c, const char *path) {
    for (const kq_zoned *z = c->zoned; z; z = z->next)
        if (z->dates && fits(z->pattern, path)) return z->dates;
    return c->dates;
}

static kq_status keep(kq_catalog *c, const kq_input *input, kq_says says, kq_survey *survey, kq_error *err) {
    if (c->ninputs == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 16;
        kq_input *inputs = kq_realloc(c->inputs, cap * sizeof *inputs);
        if (!inputs) return kq_nomem(err);
        c->inputs = inputs;
        kq_says *all = kq_realloc(c->says, cap * sizeof *all);
        if (!all) return kq_nomem(err);
        c->says = all;
        kq_survey *surveys = kq_realloc(c->surveys, cap * sizeof *surveys);
        if (!surveys) return kq_nomem(err);
        c->surveys = surveys;
        c->cap = cap;
    }
    c->surveys[c->ninputs] = *survey;
    *survey = (kq_survey){0};
    kq_buf_init(&survey->tables, NULL, 0);
    c->says[c->ninputs] = says;
    c->inputs[c->ninputs] = *input;
    c->inputs[c->ninputs++].zone = zone_of(c, input->path);
    return KQ_OK;
}

bool kq_catalog_mapped(const kq_catalog *c, const kq_source_type *type, const kq_table *table) {
    for (const kq_map *map = c->model.maps; map; map = map->next)
        for (const kq_shape *s = c->model.shapes; map->table == table && s; s = s->next)
            if (kq_shape_read_by(s, kq_sv_of(type->name))) return true;
    return false;
}

/* Opens one input to see what it is, and takes it in. *taken: it is a log, or was to be read and could not be. *packed:
 * it is an archive. `named`: the user gave this very path. */
static kq_status add_input(kq_catalog *c, kq_input *input, const char *table, bool named, kq_report *report,
                           bool *taken, kq_error *err) {
    kq_source *source = NULL;
    kq_says says = KQ_SAYS_NOTHING;
    bool inferred = false;
    kq_survey survey = {0};
    kq_buf_init(&survey.tables, c->budget, 0);
    kq_buf names, category;
    kq_buf_init(&names, c->budget, 1 << 20);
    kq_buf_init(&category, c->budget, 1 << 16);
    kq_error why = {0};
    kq_status status = kq_source_open(input, report, c->budget, &source, &why);
    if (status == KQ_ERR_DAMAGED || (status == KQ_ERR_IO && !named)) {
        kq_report_damage(report, input->number, input->path, 0, "%s", why.message);
        *taken = true; /* it was to be read, and could not be */
        status = KQ_OK;
        goto out;
    }
    if (status) {
        if (err) *err = why;
        goto out;
    }
    if (!source) {
        if (named && !input->packed)
            status =
                kq_fail(err, KQ_ERR_IO, "%s: not a log that kequel knows (EVTX, XML, NDJSON, JSON, CSV)", input->path);
        goto out;
    }
    input->dates = dates_of(c, input->path);
    if (!input->dates && source->type->dates && (status = source->type->dates(source, &input->dates, err))) goto out;
    if (table) {
        input->table = kq_arena_copy(&c->arena, kq_sv_of(table));
        const kq_model_table *known = use_table(c, input->table);
        if (source->type->events && !(known && kq_catalog_mapped(c, source->type, &known->table))) {
            status =
                kq_fail(err, KQ_ERR_USAGE, "%s: no row of the table %s is made of Windows events", input->path, table);
            goto out;
        }
        if (!known) {
            inferred = true;
            if ((status = kq_arena_status(&c->arena, err))) goto out;
            kq_model_table *made, **end = &c->model.tables;
            if ((status = kq_table_infer(source, input->table, &c->arena, c->budget, &made, err))) goto out;
            while (*end) end = &(*end)->next;
            *end = made;
            if ((status = list_tables(c, err))) goto out;
        }
    } else if (source->type->sample) {
        /* a file whose first record can't be read is still read as far as maps go */
        kq_status sampled = source->type->sample(source, &names, &category, &why);
        if (sampled == KQ_ERR_NOMEM || (sampled == KQ_ERR_LIMIT && c->budget && c->budget->exceeded)) {
            if (err) *err = why;
            status = sampled;
            goto out;
        }
        if (!sampled && !category.n) {
            says = says_of(c, source, &names, &survey);
            bool known = says || has_shape(c, source->type, &names);
            const kq_model_table *t = known ? NULL : recognise(c, &names, input->path, &input->remark);
            if (t) input->table = t->table.name;
            if ((status = kq_arena_status(&c->arena, err))) goto out;
            known |= t || source->type->events || strcmp(input->path, "-") == 0;
            if (!known && (status = kq_catalog_probe(c, input, &known, err))) goto out;
            if (!known)
                input->unknown =
                    names.n ? "of no table that kequel knows; --as TABLE=PATH reads it" : "without a record";
        }
    }
    if (source->doubled.n && input->table.n && !inferred) {
        input->remark = kq_arena_printf(&c->arena, "two columns are named " KQ_SV_FMT ": the first one is read",
                                        KQ_SV_ARG(source->doubled))
                            .p;
        if (!input->remark) {
            status = kq_arena_status(&c->arena, err);
            goto out;
        }
    }
    if (category.n && !table) {
        kq_sv name = kq_buf_view(&category), prefix = KQ_SV("AdvancedHunting-");
        if (kq_sv_starts(name, prefix)) name = kq_sv_slice(name, prefix.n, name.n);
        kq_survey_note(c, &survey, name);
    }
    if ((status = kq_buf_status(&survey.tables, err))) goto out;
    *taken = true;
    input->typed = says != KQ_SAYS_NOTHING;
    status = keep(c, input, category.n ? KQ_SAYS_CATEGORY : says, &survey, err);
out:
    kq_buf_deinit(&survey.tables);
    if (source) source->type->close(source);
    kq_buf_deinit(&names);
    kq_buf_deinit(&category);
    return status;
}

/* The members of an archive, as files of a folder. */
static kq_status add_members(kq_catalog *c, const char *path, const char *table, kq_report *report, bool *taken,
                             kq_error *err) {
    kq_archive *archive, **archives = kq_realloc(c->archives, (c->narchives + 1) * sizeof *archives);
    if (!archives) return kq_nomem(err);
    c->archives = archives;
    KQ_TRY(kq_archive_open(path, c->budget, &archive, err));
    c->archives[c->narchives++] = archive;
    for (uint32_t from = 0;;) {
        kq_member_info member;
        kq_error why = {0};
        bool more;
        kq_status status = kq_archive_next(archive, from, &member, &more, &why);
        if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) { /* the members before it are read */
            kq_report_damage(report, (uint32_t)c->ninputs, path, kq_archive_place(archive), "%s", why.message);
            *taken = true;
            return KQ_OK;
        }
        if (status) {
            if (err) *err = why;
            return status;
        }
        if (!more) return KQ_OK;
        from = member.number + 1;
        kq_input input = {.path = kq_arena_printf(&c->arena, "%s/%s", path, member.name).p,
                          .number = (uint32_t)c->ninputs,
                          .slack = c->slack,
                          .size = member.size,
                          .archive = archive,
                          .member = member.number};
        if (!input.path) return kq_arena_status(&c->arena, err);
        KQ_TRY(add_input(c, &input, table, false, report, taken, err));
        if (input.packed)
            kq_report_damage(report, input.number, input.path, 0, "an archive in an archive is not opened");
    }
}

static kq_status add_file(kq_catalog *c, const char *path, const char *table, bool named, kq_report *report,
                          bool *taken, kq_error *err) {
    kq_input input = {
        .path = kq_arena_copy(&c->arena, kq_sv_of(path)).p, .number = (uint32_t)c->ninputs, .slack = c->slack};
    bool any = false;
    if (!input.path) return kq_arena_status(&c->arena, err);
    KQ_TRY(add_input(c, &input, table, named, report, taken, err));
    if (!input.packed) return KQ_OK;
    KQ_TRY(add_members(c, input.path, table, report, &any, err));
    *taken |= any;
    if (named && !any)
        return kq_fail(err, KQ_ERR_IO, "%s: no logs in this archive (EVTX, XML, NDJSON, JSON, CSV)", path);
    return KQ_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

typedef enum kind { NEITHER, FILE_OF_BYTES, FOLDER } kind;

/* What a folder's entry is: a file, also behind a link, or a folder. `type` is what the folder said. */
static kind kind_of(const char *path, unsigned char type) {
    struct stat st;
    if (type == DT_REG) return FILE_OF_BYTES;
    if (type == DT_DIR) return FOLDER;
    if ((type != DT_UNKNOWN && type != DT_LNK) || lstat(path, &st) != 0) return NEITHER;
    if (S_ISDIR(st.st_mode)) return FOLDER;
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0) return NEITHER;
    return S_ISREG(st.st_mode) ? FILE_OF_BYTES : NEITHER;
}

static kq_met *met_slot(const kq_catalog *c, uint64_t device, uint64_t inode) {
    size_t h = (size_t)((inode * UINT64_C(0x9E3779B97F4A7C15) ^ device) >> 7) & c->met_mask;
    while (c->met[h].inode && (c->met[h].inode != inode || c->met[h].device != device)) h = (h + 1) & c->met_mask;
    return &c->met[h];
}

/* Was this file met under another name? Otherwise it is noted, as the next input. */
static kq_status met(kq_catalog *c, const struct stat *st, bool *again, kq_met **file, kq_error *err) {
    if (!c->met || 2 * c->nmet > c->met_mask) {
        size_t before = c->met ? c->met_mask + 1 : 0;
        kq_met *old = c->met, *table = kq_calloc(before ? 4 * before : 256, sizeof *table);
        if (!table) return kq_nomem(err);
        c->met = table;
        c->met_mask = (before ? 4 * before : 256) - 1;
        for (size_t i = 0; i < before; i++)
            if (old[i].inode) *met_slot(c, old[i].device, old[i].inode) = old[i];
        kq_free(old);
    }
    kq_met *m = *file = met_slot(c, (uint64_t)st->st_dev, (uint64_t)st->st_ino);
    *again = m->inode != 0;
    if (!*again) *m = (kq_met){(uint64_t)st->st_dev, (uint64_t)st->st_ino, c->ninputs, 0};
    c->nmet += !*again;
    return KQ_OK;
}

#define NAMED_TWICE "read once, though it is named more than once"

/* A folder was walked, from input `first` on: files with several names are remarked on. */
static kq_status tell_met(kq_catalog *c, size_t first, kq_error *err) {
    kq_status status = KQ_OK;
    for (size_t i = 0; c->met && i <= c->met_mask && !status; i++) {
        kq_met *m = &c->met[i];
        uint32_t more = m->more;
        m->more = 0;
        if (!more || m->input >= c->ninputs || c->inputs[m->input].remark) continue;
        kq_sv text = KQ_SV(NAMED_TWICE);
        if (m->input >= first)
            text = kq_arena_printf(&c->arena, "read once, though %u other name%s in the folder lead%s to it", more,
                                   more == 1 ? "" : "s", more == 1 ? "s" : "");
        if (text.p)
            c->inputs[m->input].remark = text.p;
        else
            status = kq_arena_status(&c->arena, err);
    }
    return status;
}

static kq_status walk(kq_catalog *c, const char *path, const char *table, unsigned depth, kq_report *report,
                      bool *taken, kq_error *err) {
    DIR *dir = opendir(path);
    if (!dir) {
        if (depth == 0) return kq_fail(err, KQ_ERR_IO, "%s: %s", path, strerror(errno));
        kq_report_damage(report, (uint32_t)c->ninputs, kq_arena_copy(&c->arena, kq_sv_of(path)).p, 0, "%s",
                         strerror(errno));
        return KQ_OK;
    }
    kq_status status = KQ_OK;
    char **names = NULL; /* each behind a byte that tells what the folder says it is */
    size_t n = 0, cap = 0;
    for (struct dirent *e; !status && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        if (n == cap) {
            cap = cap ? 2 * cap : 64;
            char **more = kq_realloc(names, cap * sizeof *names);
            if (!more) {
                status = kq_nomem(err);
                break;
            }
            names = more;
        }
        size_t m = strlen(e->d_name) + 1;
        if (!(names[n] = kq_malloc(m + 1))) {
            status = kq_nomem(err);
        } else {
            *names[n] = (char)e->d_type;
            memcpy(names[n++] + 1, e->d_name, m);
        }
    }
    closedir(dir);
    if (n) qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        size_t m = strlen(path);
        kq_sv sub = kq_arena_printf(&c->arena, "%s%s%s", path, m && path[m - 1] == '/' ? "" : "/", names[i] + 1);
        if (!status && !sub.p) status = kq_arena_status(&c->arena, err);
        kind is = status ? NEITHER : kind_of(sub.p, (unsigned char)*names[i]);
        if (is == FOLDER && depth < WALK_DEPTH) status = walk(c, sub.p, table, depth + 1, report, taken, err);
        if (is == FOLDER && depth == WALK_DEPTH)
            kq_report_damage(report, (uint32_t)c->ninputs, sub.p, 0, "folders more than %d deep are not looked into",
                             WALK_DEPTH);
        bool again = false;
        kq_met *file = NULL;
        size_t before = c->ninputs;
        struct stat st; /* what can't be looked at is told when it is opened */
        if (is == FILE_OF_BYTES && stat(sub.p, &st) == 0 && st.st_ino) status = met(c, &st, &again, &file, err);
        if (again) {
            file->more++;
            *taken |= file->input < c->ninputs;
        }
        if (is == FILE_OF_BYTES && !status && !again) status = add_file(c, sub.p, table, false, report, taken, err);
        if (file && !again && c->ninputs == before) file->input = SIZE_MAX; /* no log */
        kq_free(names[i]);
    }
    kq_free(names);
    return status;
}

/* The folder at `path`, whose files are rows of `table`, if that is not NULL: then they may be met as another one's
 * too. */
static kq_status add_folder(kq_catalog *c, const char *path, const char *table, kq_report *report, bool *taken,
                            kq_error *err) {
    kq_met *all = c->met;
    size_t n = c->nmet, mask = c->met_mask, first = c->ninputs;
    if (table) {
        c->met = NULL;
        c->nmet = 0;
    }
    kq_status walked = walk(c, path, table, 0, report, taken, err);
    kq_status told = tell_met(c, first, walked ? NULL : err);
    if (table) {
        kq_free(c->met);
        c->met = all;
        c->nmet = n;
        c->met_mask = mask;
    }
    return walked ? walked : told;
}

kq_status kq_catalog_add(kq_catalog *c, const char *path, const char *table, kq_report *report, kq_error *err) {
    struct stat st;
    bool taken = false;
    kq_shelf_clear(c->shelf, false);
    for (size_t i = 0; i < c->ninputs && strcmp(path, "-") == 0; i++)
        if (strcmp(c->inputs[i].path, "-") == 0)
            return kq_fail(err, KQ_ERR_USAGE, "standard input ('-') is given twice: it can be read once only");
    if (strcmp(path, "-") != 0 && stat(path, &st) != 0) return kq_fail(err, KQ_ERR_IO, "%s: %s", path, strerror(errno));
    if (strcmp(path, "-") != 0 && S_ISREG(st.st_mode) && !table && st.st_ino) {
        bool again;
        kq_met *file;
        KQ_TRY(met(c, &st, &again, &file, err));
        if (again && file->input < c->ninputs) {
            if (!c->inputs[file->input].remark) c->inputs[file->input].remark = NAMED_TWICE;
            return KQ_OK;
        }
    }
    if (strcmp(path, "-") == 0 || !S_ISDIR(st.st_mode)) return add_file(c, path, table, true, report, &taken, err);
    KQ_TRY(add_folder(c, path, table, report, &taken, err));
    if (!taken) return kq_fail(err, KQ_ERR_IO, "%s: no logs in this folder (EVTX, XML, NDJSON, JSON, CSV)", path);
    return KQ_OK;
}

static kq_status zone_named(kq_catalog *c, kq_sv name, const kq_zone **out, kq_error *err) {
    KQ_TRY(kq_zone_named(name, &c->arena, out, err));
    return *out ? KQ_OK
                : kq_fail(err, KQ_ERR_USAGE,
                          "there is no time zone '" KQ_SV_FMT "': write Europe/Brussels, UTC or +02:00",
                          KQ_SV_ARG(name));
}

/* Takes the order of numbers in dates off the end of a zone: ",dmy" or ",mdy". */
static kq_dates dates_named(kq_sv *name) {
    if (name->n < 4) return KQ_DATES_UNTOLD;
    kq_sv end = kq_sv_slice(*name, name->n - 4, name->n);
    kq_dates dates = kq_sv_eq_ascii_ci(end, KQ_SV(",dmy"))   ? KQ_DATES_DMY
                     : kq_sv_eq_ascii_ci(end, KQ_SV(",mdy")) ? KQ_DATES_MDY
                                                             : KQ_DATES_UNTOLD;
    if (dates) name->n -= 4;
    return dates;
}

kq_status kq_catalog_set_timezone(kq_catalog *c, kq_sv name, kq_error *err) {
    kq_dates dates = dates_named(&name);
    if (dates) c->dates = dates;
    return dates && !name.n ? KQ_OK : zone_named(c, name, &c->zone, err);
}

kq_status kq_catalog_zone_of(kq_catalog *c, kq_sv pattern, kq_sv name, kq_error *err) {
    kq_zoned *z = kq_arena_new(&c->arena, kq_zoned);
    if (!z || !(z->pattern = kq_arena_copy(&c->arena, pattern).p)) return kq_arena_status(&c->arena, err);
    z->dates = dates_named(&name);
    if (!z->dates || name.n) KQ_TRY(zone_named(c, name, &z->zone, err));
    z->next = c->zoned;
    c->zoned = z;
    return KQ_OK;
}

const char *kq_catalog_idle_zone(const kq_catalog *c, size_t i) {
    for (const kq_zoned *z = c->zoned; z; z = z->next)
        if (!z->met && i-- == 0) return z->pattern;
    return NULL;
}

const kq_table *kq_catalog_find(const kq_catalog *c, kq_sv name) {
    const kq_model_table *t = kq_model_find(&c->model, name);
    if (t) return &t->table;
    kq_error why;
    pthread_mutex_lock(&c->late->lock);
    t = kq_model_find(&c->late->model, name);
    if (!t && kq_catalogue_load(name, &c->late->model, &c->late->arena, &t, &why)) t = NULL; /* kq_catalog_status */
    for (kq_model_table *late = c->late->model.tables; late && c->slack; late = late->next)
        if (!kq_model_recovered(&c->late->model, late, &c->late->arena)) t = NULL;
    pthread_mutex_unlock(&c->late->lock);
    return t ? &t->table : NULL;
}

kq_status kq_catalog_status(const kq_catalog *c, kq_error *err) {
    pthread_mutex_lock(&c->late->lock);
    kq_status status = kq_arena_status(&c->late->arena, err);
    pthread_mutex_unlock(&c->late->lock);
    return status;
}

size_t kq_catalog_names(const kq_catalog *c, kq_sv *out) {
    size_t n = 0;
    for (const kq_model_table *t = c->model.tables; t; t = t->next, n++)
        if (out) out[n] = t->table.name;
    kq_sv name;
    for (size_t at = 0; kq_catalogue_next(&at, &name);) {
        if (kq_model_find(&c->model, name)) continue;
        if (out) out[n] = name;
        n++;
    }
    return n;
}

uint32_t kq_catalog_maps(const kq_catalog *c, const kq_table *table) {
    uint32_t n = 0;
    for (const kq_map *map = c->model.maps; map; map = map->next) n += map->table == table;
    return n;
}

const kq_table *const *kq_catalog_tables(const kq_catalog *c, size_t *n) {
    *n = c->ntables;
    return c->tables;
}

const kq_input *kq_catalog_inputs(const kq_catalog *c, size_t *n) {
    *n = c->ninputs;
    return c->inputs;
}

/* Do records of the input that name their table name one whose rows maps make rows of `table` of? */
static bool says_rows(const kq_catalog *c, size_t i, const kq_table *table,
                      bool (*has)(const kq_catalog *, size_t, kq_sv)) {
    kq_sv reader = kq_sv_of(c->inputs[i].type->name);
    if (!kq_catalog_maps(c, table)) return false;
    for (const kq_shape *s = NULL; (s = kq_model_rows(&c->model, s, reader, table));)
        if (has(c, i, s->rows)) return true;
    return false;
}

/* The shape of rows that all records of the input have, if maps make rows of `table` of it; or NULL. */
static const kq_shape *rows_of(const kq_catalog *c, const kq_input *input, const kq_table *table) {
    if (!kq_catalog_maps(c, table) || input->type->events) return NULL;
    const kq_shape *s = kq_model_rows(&c->model, NULL, kq_sv_of(input->type->name), table);
    while (s && !kq_sv_eq(s->rows, input->table)) s = kq_model_rows(&c->model, s, kq_sv_of(input->type->name), table);
    return s;
}

bool kq_catalog_events(const kq_catalog *c, size_t i, const kq_table *table) {
    kq_access access;
    if (!kq_catalog_access(c, i, table, &access)) return false;
    if (access == KQ_ACCESS_TYPED || access == KQ_ACCESS_TABLED) return says_rows(c, i, table, kq_survey_says);
    return access != KQ_ACCESS_NATIVE;
}

bool kq_catalog_access(const kq_catalog *c, size_t i, const kq_table *table, kq_access *access) {
    const kq_input *input = &c->inputs[i];
    static const kq_access by_record[] = {[KQ_SAYS_NOTHING] = KQ_ACCESS_MAPPED,
                                          [KQ_SAYS_CATEGORY] = KQ_ACCESS_MAPPED,
                                          [KQ_SAYS_TYPE] = KQ_ACCESS_TYPED,
                                          [KQ_SAYS_TABLE] = KQ_ACCESS_TABLED};
    bool named = kq_sv_eq(input->table, table->name);
    bool native = c->says[i] == KQ_SAYS_NOTHING && named && !input->type->events;
    *access = native ? KQ_ACCESS_NATIVE : by_record[c->says[i]];
    if (native) return true;
    if (input->table.n && !named) {
        const kq_shape *rows = rows_of(c, input, table);
        if (rows) *access = (kq_access)(KQ_ACCESS_ROWS + rows->rows_at);
        return rows != NULL;
    }
    if (kq_catalog_says(c, i)) {
        *access = KQ_ACCESS_MAPPED;
        return kq_catalog_mapped(c, input->type, table) || kq_survey_has(c, i, table->name) ||
               says_rows(c, i, table, kq_survey_has);
    }
    if (c->says[i]) return kq_survey_says(c, i, table->name) || says_rows(c, i, table, kq_survey_says);
    return kq_catalog_mapped(c, input->type, table);
}

bool kq_catalog_has_data(const kq_catalog *c, const kq_table *table) {
    kq_access access;
    for (size_t i = 0; i < c->ninputs; i++)
        if (kq_catalog_access(c, i, table, &access)) return true;
    return false;
}
