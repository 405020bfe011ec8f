/*
 * A join's hash table: the rows of a store by their keys. Built by one thread, then read by many.
 */
#ifndef KQ_EXEC_TABLE_H
#define KQ_EXEC_TABLE_H

#include "exec/operator.h"

typedef struct kq_table_index {
    kq_store *store; /* the rows */
    kq_rows keys;    /* theirs, computed */
    uint32_t nkeys;
    uint64_t *hashes; /* by row */
    uint64_t *next;   /* by row: the next row of the same slot, + 1; rows ascending */
    uint64_t *slots;  /* first row + 1 */
    uint64_t nslots;
    size_t charged;
    kq_budget *budget;
} kq_table_index;

/* Indexes the rows of `store` by `keys` (expressions over its columns, of the types `types`, which must outlive it). On
 * failure too it is to be deinitialised. */
kq_status kq_table_index_init(kq_table_index *t, kq_exec *x, kq_store *store, kq_eval *const *keys, uint32_t nkeys,
                              const kq_type *types, kq_error *err);
void kq_table_index_deinit(kq_table_index *t);

/* The first row (r 0), or the next one after r - 1, with the keys of row `row`, + 1; 0: none. The first row with some
 * keys stands for all that have them. */
static inline uint64_t kq_table_index_find(const kq_table_index *t, uint64_t r, const kq_vector *const *keys,
                                           uint32_t row, uint64_t hash) {
    for (r = r ? t->next[r - 1] : t->slots[hash & (t->nslots - 1)]; r; r = t->next[r - 1])
        if (t->hashes[r - 1] == hash &&
            kq_keys_same(keys, row, t->keys.blocks[(r - 1) / KQ_CHUNK_ROWS], kq_rows_index(r - 1), t->nkeys))
            break;
    return r;
}

/* The keys of a chunk's selected rows, and their hashes. */
typedef struct kq_probe {
    const kq_vector **keys;
    uint64_t *hashes;
} kq_probe;
kq_status kq_probe_init(kq_probe *p, kq_eval *const *keys, uint32_t nkeys, kq_worker *w, const kq_chunk *chunk,
                        kq_error *err);

#endif
