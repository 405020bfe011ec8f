/*
 * What scans gave, kept between the runs of one rule: a replay runs the same query over the same logs again and again,
 * and only the time it asks for moves. A scan is kept without its predicates on time; the plan's own filters narrow it
 * each time. What would take too much memory is not kept but read again. One engine's, one thread at a time.
 */
#ifndef KQ_EXEC_SCAN_CACHE_H
#define KQ_EXEC_SCAN_CACHE_H

#include "column/rows.h"
#include "schema/catalog.h"

typedef struct kq_scan_entry {
    const kq_table *table;
    uint32_t *columns, ncolumns;
    uint64_t predicates; /* hash of the predicates on text */
    bool kept;           /* false: it was too large */
    kq_type *types;
    kq_rows rows;
    struct kq_scan_entry *next;
} kq_scan_entry;

typedef struct kq_scan_cache {
    kq_arena arena;
    kq_budget *budget;
    size_t most; /* bytes that an entry may add to the budget */
    kq_scan_entry *entries;
} kq_scan_cache;

void kq_scan_cache_init(kq_scan_cache *cache, kq_budget *budget);
void kq_scan_cache_deinit(kq_scan_cache *cache);

/* Drops the RANGE predicates from `spec` (`kept` has room for them all) and finds the entry, or makes one: *made, to be
 * filled by the caller. */
kq_status kq_scan_cache_find(kq_scan_cache *cache, kq_scan_spec *spec, kq_predicate *kept, kq_scan_entry **entry,
                             bool *made, kq_error *err);

#endif
