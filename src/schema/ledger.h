/*
 * A ledger: many small records of one size, found by order. A record is 1 to 4 words, compared word by word. Workers
 * each fill a part; sealed, the ledger is immutable and shared. It is an array in memory, or, once its owner says so,
 * runs that are sorted in memory, written to a spill file and merged there into one, of which memory has the first word
 * of each page (of every second, fourth, ... page of a huge one).
 */
#ifndef KQ_SCHEMA_LEDGER_H
#define KQ_SCHEMA_LEDGER_H

#include "base/spill.h"
#include <pthread.h>

#define KQ_LEDGER_WORDS 4

typedef struct kq_ledger_part {
    uint64_t *items;
    size_t n, cap; /* records */
    size_t sorted; /* n: they are in order */
} kq_ledger_part;

typedef struct kq_ledger_run {
    uint64_t at, n; /* the first record in the file, and how many */
} kq_ledger_run;

typedef struct kq_ledger {
    unsigned words;
    size_t fan; /* runs merged at once */
    kq_budget *budget;
    pthread_mutex_t lock; /* the next four, until sealed */
    kq_spill file;
    uint64_t written; /* records */
    kq_ledger_run *runs;
    size_t nruns, runs_cap;
    uint64_t n;      /* sealed: all records */
    uint64_t *items; /* in memory; NULL: in the file */
    size_t *first;   /* in memory, by leading bits: the first record that has no smaller ones */
    unsigned shift;
    uint64_t *sparse; /* in the file: the first word of each stride'th page */
    size_t nsparse, sparse_max;
    uint64_t stride;
} kq_ledger;

/* `share`: the bytes that the owner has for all; merges take a small part of it. */
void kq_ledger_init(kq_ledger *ledger, unsigned words, size_t share, kq_budget *budget);
void kq_ledger_deinit(kq_ledger *ledger);
void kq_ledger_part_deinit(const kq_ledger *ledger, kq_ledger_part *part);

/* Errors: NOMEM, LIMIT. */
kq_status kq_ledger_add(const kq_ledger *ledger, kq_ledger_part *part, const uint64_t *item, kq_error *err);
static inline size_t kq_ledger_bytes(const kq_ledger *ledger, const kq_ledger_part *part) {
    return part->cap * ledger->words * sizeof(uint64_t);
}
/* Writes the part's records as a run and empties it, if there are `least` or more; 0: the part's last. From any thread.
 */
kq_status kq_ledger_spill(kq_ledger *ledger, kq_ledger_part *part, size_t least, kq_error *err);
/* Puts the records of a part in order: what each worker does to its own need not be done while all wait for the seal.
 * From any thread. */
void kq_ledger_sort(const kq_ledger *ledger, kq_ledger_part *part);
/* Takes the parts (`next` gives them, one after another, then NULL) and makes them findable; in the file when a run was
 * written. From one thread, once. Errors: NOMEM, LIMIT. */
kq_status kq_ledger_seal(kq_ledger *ledger, kq_ledger_part *(*next)(void *ctx), void *ctx, kq_error *err);

/* One worker's view of a sealed ledger. */
typedef struct kq_ledger_reader {
    const kq_ledger *ledger;
    kq_pages pages;
} kq_ledger_reader;

kq_status kq_ledger_reader_init(kq_ledger_reader *r, const kq_ledger *ledger, kq_budget *budget, kq_error *err);
void kq_ledger_reader_deinit(kq_ledger_reader *r);
/* *at: the number of records that are less than `item`. Errors: NOMEM, LIMIT. */
kq_status kq_ledger_find(kq_ledger_reader *r, const uint64_t *item, uint64_t *at, kq_error *err);
/* Record `at`, valid until the next call of either; *out NULL beyond the last one. */
kq_status kq_ledger_get(kq_ledger_reader *r, uint64_t at, const uint64_t **out, kq_error *err);

#endif
