/*
 * The rows that a rule has reported, each remembered by a 128-bit hash of its text: how a replay tells rows that an
 * earlier run already gave. A set is one rule's. A row is a repetition when a run whose window overlaps this one's
 * reported an equal row: only then can both come from the same events. Equal rows of one run are as many rows.
 */
#ifndef KQ_RULES_ROWSET_H
#define KQ_RULES_ROWSET_H

#include "base/buf.h"
#include "column/chunk.h"

typedef struct kq_rowset_row {
    uint64_t key[2];
    int64_t to;        /* end of the window of the run that reported it last */
    int64_t run;       /* the run that saw it last, and how often */
    uint64_t reported; /* how many of it were reported for `to` */
    uint64_t seen;
} kq_rowset_row;

typedef struct kq_rowset {
    kq_budget *budget;
    kq_rowset_row *rows;
    uint32_t *fresh;       /* rows that the run in progress would report */
    uint32_t *slots;       /* open addressing: 1 + place in rows; 0 is free */
    size_t n, nfresh, cap; /* cap of slots; the others hold half of it */
    int64_t run, from, to;
} kq_rowset;

void kq_rowset_init(kq_rowset *set, kq_budget *budget);
void kq_rowset_deinit(kq_rowset *set);

/* A run over (from, to] begins; runs come in the order of their ends. */
void kq_rowset_begin(kq_rowset *set, int64_t from, int64_t to);
/* Looks a row of the run up by its text; *fresh: it is no repetition. Errors: NOMEM, LIMIT. */
kq_status kq_rowset_see(kq_rowset *set, kq_sv text, bool *fresh, kq_error *err);
/* The run in progress reported its fresh rows: they are repetitions from now on. */
void kq_rowset_reported(kq_rowset *set);

/* Writes one row of the chunk as a JSON object. */
kq_status kq_row_json(const kq_columns *columns, const kq_chunk *chunk, uint32_t row, kq_buf *out, kq_error *err);

#endif
