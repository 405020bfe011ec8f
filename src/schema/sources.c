/* The maps of a table as the sources of its rows: which there are, what their columns are worth, what they can't give,
 * how many records they have. */
#include "schema/catalog_internal.h"

/* Is any part of the expression our own inference? */
static bool derived(const kq_map_expr *e) {
    if (e->kind == KQ_MAP_PARENT || e->kind == KQ_MAP_BAG) return true;
    if (e->kind == KQ_MAP_TRANSFORM && e->transform->flags & KQ_TRANSFORM_DERIVED) return true;
    for (uint32_t i = 0; i < e->nparts; i++)
        if (derived(&e->parts[i])) return true;
    return false;
}

kq_worth kq_map_worth(const kq_map *map, uint32_t column) {
    const kq_map_column *found = kq_map_find(kq_model_table_of(map->table), map, column);
    if (found && !found->expr) return KQ_WORTH_UNAVAILABLE;
    if (found) return found->guess || derived(found->expr) ? KQ_WORTH_DERIVED : KQ_WORTH_EXACT;
    return kq_map_same_name(map, column) ? KQ_WORTH_EXACT : KQ_WORTH_UNAVAILABLE;
}

void kq_catalog_describe(const kq_catalog *c, const kq_table *table, uint32_t column, kq_buf *out) {
    const kq_model_table *t = kq_model_table_of(table);
    static const char *const worth[] = {
        [KQ_WORTH_UNAVAILABLE] = "unavailable: ", [KQ_WORTH_DERIVED] = "derived: ", [KQ_WORTH_EXACT] = "exact: "};
    for (int w = KQ_WORTH_EXACT; w >= KQ_WORTH_UNAVAILABLE; w--) {
        bool any = false;
        for (const kq_map *map = c->model.maps; map; map = map->next) {
            if (map->table != table || (int)kq_map_worth(map, column) != w) continue;
            kq_buf_str(out, any ? ", " : out->n ? "; " : "");
            if (!any) kq_buf_str(out, worth[w]);
            any = true;
            kq_buf_sv(out, map->name);
            const kq_map_column *mc = kq_map_find(t, map, column);
            if (mc && mc->expr) kq_buf_str(out, " = ");
            if (mc && mc->expr) kq_map_print(mc->expr, out);
        }
    }
}

kq_status kq_catalog_sources(const kq_catalog *c, const kq_table *table, kq_arena *arena, const kq_catalog_source **out,
                             size_t *n, kq_error *err) {
    size_t most = 1;
    for (const kq_map *map = c->model.maps; map; map = map->next) most += map->table == table;
    kq_catalog_source *sources = kq_arena_array(arena, kq_catalog_source, most);
    if (!sources) return kq_arena_status(arena, err);
    *n = 0;
    *out = sources;
    for (const kq_map *map = c->model.maps; map; map = map->next)
        if (map->table == table) sources[(*n)++] = (kq_catalog_source){map->name, map};
    return KQ_OK;
}

#define TEXTS_MAX 64 /* that a column can have; of more nothing is said */

/* Texts that an expression can have, none of them twice. */
typedef struct texts {
    kq_sv items[TEXTS_MAX];
    uint32_t n;
    bool unknown; /* it can have others */
} texts;

static void add_text(texts *t, kq_sv text) {
    for (uint32_t i = 0; i < t->n; i++)
        if (kq_sv_eq(t->items[i], text)) return;
    if (t->n == TEXTS_MAX)
        t->unknown = true;
    else
        t->items[t->n++] = text;
}

/* The values of $name by which the map selects its records; NULL when it does not. */
static const kq_map_when *selected(const kq_map *map, kq_sv name) {
    for (uint32_t i = 0; i < map->nwhen; i++) {
        const kq_map_when *w = &map->when[i];
        if (w->system && w->nvalues && !w->not &&kq_sv_eq(w->name, name)) return w;
    }
    return NULL;
}

/* The fields by which records are selected, and that have the text of the map: a selector ignores case, numbers have
 * none. */
static void add_selected(const kq_map_when *when, texts *out) {
    for (uint32_t i = 0; when && i < when->nvalues; i++) {
        add_text(out, when->values[i]);
        for (size_t k = 0; k < when->values[i].n; k++)
            out->unknown |= when->values[i].p[k] < '0' || when->values[i].p[k] > '9';
    }
    out->unknown |= !when;
}

static void add_texts(const kq_map *map, const kq_map_expr *e, unsigned depth, texts *out);

static bool same_expr(const kq_map_expr *a, const kq_map_expr *b) {
    if (a->kind != b->kind || !kq_sv_eq(a->text, b->text) || a->transform != b->transform || a->nparts != b->nparts)
        return false;
    if (!kq_sv_eq(a->argument.text, b->argument.text)) return false;
    for (uint32_t i = 0; i < a->nparts; i++)
        if (!kq_sv_eq(a->parts[i].key, b->parts[i].key) || !same_expr(&a->parts[i], &b->parts[i])) return false;
    return true;
}

/* The codes that an expression can give: those that an `only` line of the map leaves. */
static void add_codes(const kq_map *map, const kq_map_expr *e, unsigned depth, texts *out) {
    for (uint32_t i = 0; i < map->nonly; i++) {
        if (!same_expr(map->only[i].expr, e)) continue;
        for (uint32_t k = 0; k < map->only[i].nvalues; k++) add_text(out, map->only[i].values[k]);
        return;
    }
    add_texts(map, e, depth, out);
}

/* The names of the codes that the inner expression can have; of all, when it can have any. */
static void add_names(const kq_map *map, const kq_map_expr *e, unsigned depth, texts *out) {
    const kq_names *names = e->argument.names;
    texts codes = {0};
    add_codes(map, e->parts, depth + 1, &codes);
    if (codes.unknown) add_text(out, KQ_SV(""));
    for (uint32_t i = 0; codes.unknown && i < names->n && !out->unknown; i++) add_text(out, names->items[i].name);
    for (uint32_t i = 0; !codes.unknown && i < codes.n; i++) {
        kq_sv name;
        add_text(out, kq_names_find(names, codes.items[i], &name) ? name : KQ_SV(""));
    }
}

static void add_texts(const kq_map *map, const kq_map_expr *e, unsigned depth, texts *out) {
    if (depth > 8) {
        out->unknown = true;
        return;
    }
    switch (e->kind) {
    case KQ_MAP_LITERAL: add_text(out, e->text); return;
    case KQ_MAP_SYSTEM: add_selected(selected(map, e->text), out); return;
    case KQ_MAP_TRANSFORM:
        if (e->transform->flags & KQ_TRANSFORM_NAMES && e->argument.names && strcmp(e->transform->name, "name") == 0)
            add_names(map, e, depth, out);
        else
            out->unknown = true;
        return;
    case KQ_MAP_ANY:
        for (uint32_t i = 0; i < e->nparts && !out->unknown; i++) {
            texts part = {0};
            bool none = false;
            add_texts(map, &e->parts[i], depth + 1, &part);
            out->unknown |= part.unknown;
            for (uint32_t k = 0; k < part.n; k++) {
                none |= !part.items[k].n;
                if (part.items[k].n) add_text(out, part.items[k]);
            }
            if (!none) return;
        }
        add_text(out, KQ_SV(""));
        return;
    default: out->unknown = true; return;
    }
}

kq_status kq_catalog_values(const kq_catalog_source *source, uint32_t column, kq_arena *arena, const kq_sv **out,
                            uint32_t *n, kq_error *err) {
    const kq_map *map = source->map;
    const kq_map_column *found = kq_map_find(kq_model_table_of(map->table), map, column);
    texts t = {.unknown = kq_sv_eq(map->table->columns.items[column].name, kq_recovered_column)};
    if (t.unknown)
        ;
    else if (!found)
        kq_map_same_name(map, column) ? (void)(t.unknown = true) : add_text(&t, KQ_SV(""));
    else if (!found->expr)
        add_text(&t, KQ_SV(""));
    else
        add_texts(map, found->expr, 0, &t);
    *n = 0;
    if (t.unknown) return KQ_OK;
    kq_sv *texts = kq_arena_array(arena, kq_sv, t.n);
    if (!texts) return kq_arena_status(arena, err);
    memcpy(texts, t.items, t.n * sizeof *texts);
    *n = t.n;
    *out = texts;
    return KQ_OK;
}

/* Is the expression a field that a source has whole, and can write? */
static bool writes(const kq_model *model, const kq_map_expr *e) {
    if (e->kind != KQ_MAP_SYSTEM) return false;
    for (const kq_shape *s = model->shapes; s; s = s->next) {
        const kq_map_expr *behind = kq_shape_find(s, e->text);
        if (behind && behind->kind == KQ_MAP_FIELD && kq_sv_starts(behind->text, KQ_SV("$EventData"))) return true;
    }
    return false;
}

bool kq_catalog_writes(const kq_catalog *c, const kq_table *table, uint32_t column) {
    kq_type type = table->columns.items[column].type;
    if (type != KQ_STRING && type != KQ_DYNAMIC) return false;
    for (const kq_map *map = c->model.maps; map; map = map->next) {
        if (map->table != table) continue;
        const kq_map_column *found = kq_map_find(kq_model_table_of(table), map, column);
        if (found && found->expr && writes(&c->model, found->expr)) return true;
    }
    return false;
}

bool kq_catalog_own_data(const kq_catalog *c, const kq_table *table) {
    kq_access access;
    for (size_t i = 0; i < c->ninputs; i++) {
        if (!kq_catalog_access(c, i, table, &access)) continue;
        if (access == KQ_ACCESS_NATIVE) return true;
        if ((access == KQ_ACCESS_TYPED || access == KQ_ACCESS_TABLED) && kq_survey_says(c, i, table->name)) return true;
        if (access == KQ_ACCESS_MAPPED && c->says[i] != KQ_SAYS_NOTHING &&
            (!kq_catalog_says(c, i) || kq_survey_has(c, i, table->name)))
            return true;
    }
    return false;
}

#define SOURCES_SHOWN 6

static kq_status no_rows(KQ_UNUSED void *ctx, KQ_UNUSED kq_chunk *chunk, KQ_UNUSED bool *done,
                         KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

/* "Sysmon 11", "Sysmon 15": a name that begins as the last one did is told by its last word. */
static void add_source(kq_buf *out, kq_sv name, kq_sv last) {
    size_t n = 0;
    for (size_t i = 0; i < name.n && i < last.n && name.p[i] == last.p[i]; i++)
        if (name.p[i] == ' ') n = i + 1;
    kq_buf_printf(out, "%s", last.n ? ", " : "");
    kq_buf_sv(out, kq_sv_slice(name, n, name.n));
}

void kq_catalog_name_sources(const kq_sv *names, size_t n, kq_buf *out) {
    kq_sv last = KQ_SV("");
    for (size_t i = 0; i < n; i++) {
        kq_sv name = names[i];
        const char *part = memmem(name.p, name.n, " (", 2); /* "Security 5156 (outgoing)" */
        if (part) name = kq_sv_slice(name, 0, (size_t)(part - name.p));
        if (kq_sv_eq(name, last)) continue;
        if (i >= SOURCES_SHOWN) {
            kq_buf_str(out, ", ...");
            return;
        }
        add_source(out, name, last);
        last = name;
    }
}

kq_status kq_catalog_source_list(const kq_catalog *c, const kq_table *table, kq_buf *out, kq_error *err) {
    const kq_catalog_source *sources = NULL;
    size_t n = 0;
    kq_arena arena;
    kq_arena_init(&arena, c->budget, 0);
    kq_status status = kq_catalog_sources(c, table, &arena, &sources, &n, err);
    kq_sv *names = status ? NULL : kq_arena_array(&arena, kq_sv, n + 1);
    if (!status && !names) status = kq_arena_status(&arena, err);
    for (size_t i = 0; i < n && names; i++) names[i] = sources[i].name;
    if (n && names) {
        kq_buf_str(out, " (");
        kq_catalog_name_sources(names, n, out);
        kq_buf_char(out, ')');
    }
    kq_arena_deinit(&arena);
    return status;
}

bool kq_catalog_streams(const kq_catalog *c) {
    for (size_t i = 0; i < c->ninputs; i++)
        if (strcmp(c->inputs[i].path, "-") == 0) return true;
    return false;
}

kq_status kq_catalog_read(const kq_catalog *c, kq_scan_spec *spec, const kq_consumer *to, const bool *enough,
                          kq_error *err) {
    kq_report report;
    kq_scan *scan = NULL;
    kq_scan_worker *worker = NULL;
    kq_report_init(&report);
    spec->report = &report;
    kq_status status = kq_scan_create(c, spec, &scan, err);
    if (!status) status = kq_scan_worker_create(scan, &worker, err);
    for (bool more = true; more && !*enough && !status;) {
        uint64_t seq;
        status = kq_watch_check(&c->watch, err);
        if (!status) status = kq_scan_next(worker, to, &seq, &more, err);
    }
    kq_scan_worker_destroy(worker);
    kq_scan_destroy(scan);
    kq_report_deinit(&report);
    return status;
}

kq_status kq_catalog_count(const kq_catalog *c, const kq_table *table, kq_budget *budget, uint64_t *records,
                           bool *known, kq_error *err) {
    uint32_t maps = kq_catalog_maps(c, table);
    const bool all = false;
    *known = !kq_catalog_streams(c);
    if (!*known || kq_shelf_counts(c->shelf, table, records, maps)) return KQ_OK;
    kq_scan_spec spec = {.table = table, .budget = budget, .counts = records, .keep_duplicates = true};
    kq_consumer to = {.push = no_rows, .ctx = NULL};
    KQ_TRY(kq_catalog_read(c, &spec, &to, &all, err));
    kq_shelf_keep_counts(c->shelf, table, records, maps);
    return KQ_OK;
}
