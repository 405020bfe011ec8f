/* The maps of a table as the sources of its rows: which there are, what they can't give, how many records they have. */
#include "schema/catalog_internal.h"

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
    if (!found) return !map->same_names;
    if (!found->expr) return true;
    if (found->expr->kind != KQ_MAP_LITERAL) return false;
    *text = found->expr->text;
    return true;
}

bool kq_catalog_own_data(const kq_catalog *c, const kq_table *table) {
    kq_access access;
    for (size_t i = 0; i < c->ninputs; i++)
        if (kq_catalog_access(c, i, table, &access) && (access != KQ_ACCESS_MAPPED || c->says[i] != KQ_SAYS_NOTHING))
            return true;
    return false;
}

static kq_status no_rows(KQ_UNUSED void *ctx, KQ_UNUSED kq_chunk *chunk, KQ_UNUSED bool *done,
                         KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

kq_status kq_catalog_count(const kq_catalog *c, const kq_table *table, kq_budget *budget, uint64_t *records,
                           kq_error *err) {
    kq_report report;
    kq_scan *scan = NULL;
    kq_scan_worker *worker = NULL;
    kq_report_init(&report);
    kq_scan_spec spec = {
        .table = table, .report = &report, .budget = budget, .counts = records, .keep_duplicates = true};
    kq_consumer to = {no_rows, NULL};
    kq_status status = kq_scan_create(c, &spec, &scan, err);
    if (!status) status = kq_scan_worker_create(scan, &worker, err);
    for (bool more = true; more && !status;) {
        uint64_t seq;
        status = kq_scan_next(worker, &to, &seq, &more, err);
    }
    kq_scan_worker_destroy(worker);
    kq_scan_destroy(scan);
    kq_report_deinit(&report);
    return status;
}
