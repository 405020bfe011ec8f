/*
 * The rows that a rule has given, each remembered by a 128-bit hash of its text: how a replay tells rows that an
 * earlier run already gave. A set is one rule's.
 */
#ifndef KQ_RULES_ROWSET_H
#define KQ_RULES_ROWSET_H

#include "base/buf.h"
#include "column/chunk.h"

typedef struct kq_rowset {
    kq_budget *budget;
    uint64_t (*seen)[2]; /* open addressing; {0,0} is free */
    size_t n, cap;
    kq_buf text; /* of one row */
} kq_rowset;

void kq_rowset_init(kq_rowset *set, kq_budget *budget);
void kq_rowset_deinit(kq_rowset *set);

/* Adds one row of the chunk; *fresh: it was not there. set->text is then the row as a JSON object. */
kq_status kq_rowset_add(kq_rowset *set, const kq_columns *columns, const kq_chunk *chunk, uint32_t row, bool *fresh,
                        kq_error *err);

#endif
