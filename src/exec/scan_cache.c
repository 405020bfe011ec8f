#include "exec/scan_cache.h"

void kq_scan_cache_init(kq_scan_cache *c, kq_budget *budget) {
    *c = (kq_scan_cache){.budget = budget, .most = budget && budget->limit ? budget->limit / 4 : SIZE_MAX};
    kq_arena_init(&c->arena, budget, 4096);
}

void kq_scan_cache_deinit(kq_scan_cache *c) {
    for (kq_scan_entry *e = c->entries; e; e = e->next) kq_rows_deinit(&e->rows);
    kq_arena_deinit(&c->arena);
    c->entries = NULL;
}

static uint64_t mix(uint64_t h, uint64_t v) {
    h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 29;
}

kq_status kq_scan_cache_find(kq_scan_cache *c, kq_scan_spec *spec, kq_predicate *kept, kq_scan_entry **entry,
                             bool *made, kq_error *err) {
    uint64_t hash = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < spec->npredicates; i++) {
        const kq_predicate *p = &spec->predicates[i];
        if (p->kind != KQ_PREDICATE_TEXT) continue;
        hash = mix(mix(hash, p->column + 1), kq_matcher_hash(p->matcher));
        kept[n++] = *p;
    }
    spec->predicates = kept;
    spec->npredicates = n;
    *made = false;
    for (kq_scan_entry *e = c->entries; e; e = e->next)
        if (e->table == spec->table && e->ncolumns == spec->ncolumns && e->predicates == hash &&
            (!e->ncolumns || memcmp(e->columns, spec->columns, e->ncolumns * sizeof *e->columns) == 0)) {
            *entry = e;
            return KQ_OK;
        }
    kq_scan_entry *e = kq_arena_new(&c->arena, kq_scan_entry);
    uint32_t *columns = kq_arena_array(&c->arena, uint32_t, spec->ncolumns + 1);
    kq_type *types = kq_arena_array(&c->arena, kq_type, spec->ncolumns + 1);
    if (!e || !columns || !types) return kq_arena_status(&c->arena, err);
    for (uint32_t i = 0; i < spec->ncolumns; i++) {
        columns[i] = spec->columns[i];
        types[i] = spec->table->columns.items[columns[i]].type;
    }
    *e = (kq_scan_entry){.table = spec->table,
                         .columns = columns,
                         .ncolumns = spec->ncolumns,
                         .predicates = hash,
                         .types = types,
                         .next = c->entries};
    kq_rows_init(&e->rows, types, spec->ncolumns, c->budget);
    c->entries = e;
    *entry = e;
    *made = true;
    return KQ_OK;
}
