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
    return map->same_names ? KQ_WORTH_EXACT : KQ_WORTH_UNAVAILABLE;
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

bool kq_catalog_always(const kq_catalog_source *source, uint32_t column, kq_sv *text) {
    const kq_map *map = source->map;
    const kq_map_column *found = kq_map_find(kq_model_table_of(map->table), map, column);
    *text = KQ_SV("");
    if (kq_sv_eq(map->table->columns.items[column].name, kq_recovered_column)) return false;
    if (!found) return !map->same_names;
    if (!found->expr) return true;
    if (found->expr->kind != KQ_MAP_LITERAL) return false;
    *text = found->expr->text;
    return true;
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
    for (size_t i = 0; i < c->ninputs; i++)
        if (kq_catalog_access(c, i, table, &access) && (access != KQ_ACCESS_MAPPED || c->says[i] != KQ_SAYS_NOTHING))
            return true;
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

kq_status kq_catalog_source_list(const kq_catalog *c, const kq_table *table, kq_buf *out, kq_error *err) {
    const kq_catalog_source *sources = NULL;
    size_t n = 0;
    kq_sv last = KQ_SV("");
    kq_arena arena;
    kq_arena_init(&arena, c->budget, 0);
    kq_status status = kq_catalog_sources(c, table, &arena, &sources, &n, err);
    for (size_t i = 0; i < n && !status; i++) {
        kq_sv name = sources[i].name;
        const char *part = memmem(name.p, name.n, " (", 2); /* "Security 5156 (outgoing)" */
        if (part) name = kq_sv_slice(name, 0, (size_t)(part - name.p));
        if (kq_sv_eq(name, last)) continue;
        if (i >= SOURCES_SHOWN) {
            kq_buf_str(out, ", ...");
            break;
        }
        if (!last.n) kq_buf_str(out, " (");
        add_source(out, name, last);
        last = name;
    }
    if (last.n) kq_buf_char(out, ')');
    kq_arena_deinit(&arena);
    return status;
}

kq_status kq_catalog_count(const kq_catalog *c, const kq_table *table, kq_budget *budget, uint64_t *records,
                           bool *known, kq_error *err) {
    *known = true;
    for (size_t i = 0; i < c->ninputs; i++) *known &= strcmp(c->inputs[i].path, "-") != 0;
    uint32_t maps = kq_catalog_maps(c, table);
    if (!*known || kq_shelf_counts(c->shelf, table, records, maps)) return KQ_OK;
    kq_report report;
    kq_scan *scan = NULL;
    kq_scan_worker *worker = NULL;
    kq_report_init(&report);
    kq_scan_spec spec = {
        .table = table, .report = &report, .budget = budget, .counts = records, .keep_duplicates = true};
    kq_consumer to = {.push = no_rows, .ctx = NULL};
    kq_status status = kq_scan_create(c, &spec, &scan, err);
    if (!status) status = kq_scan_worker_create(scan, &worker, err);
    for (bool more = true; more && !status;) {
        uint64_t seq;
        status = kq_scan_next(worker, &to, &seq, &more, err);
    }
    kq_scan_worker_destroy(worker);
    kq_scan_destroy(scan);
    kq_report_deinit(&report);
    if (!status) kq_shelf_keep_counts(c->shelf, table, records, maps);
    return status;
}
