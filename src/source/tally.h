/*
 * What the records of one file are, whatever tables are asked for: a record of a known shape, one that names its table,
 * or neither, which is counted, so that nothing of a file is left out in silence. Filled by the readers of the file, a
 * morsel at a time.
 */
#ifndef KQ_SOURCE_TALLY_H
#define KQ_SOURCE_TALLY_H

#include "base/buf.h"
#include "source/field.h"
#include <pthread.h>

#define KQ_TALLY_TABLES 4096 /* distinct ones; later ones are not noted */

typedef struct kq_tally {
    /* Is there a table of this name? Any thread. */
    bool (*is_table)(const void *ctx, kq_sv name);
    const void *ctx;
    pthread_mutex_t lock; /* all below */
    kq_buf tables;        /* that records name, each with a NUL */
    uint32_t ntables;
    uint64_t known, unknown;
    uint64_t first; /* offset of the first unknown one */
} kq_tally;

/* What a reader has counted and not told yet. */
typedef struct kq_tally_part {
    uint64_t known, unknown, first;
    char last[64]; /* the last name that was asked for */
    uint32_t nlast;
    bool last_is;
} kq_tally_part;

void kq_tally_init(kq_tally *tally, bool (*is_table)(const void *ctx, kq_sv name), const void *ctx, kq_budget *budget);
void kq_tally_deinit(kq_tally *tally);
/* Is `name` a table? Then it is noted that a record named it. */
bool kq_tally_named(kq_tally *tally, kq_tally_part *part, kq_sv name);
/* Was it named? Not while others add. */
bool kq_tally_has(const kq_tally *tally, kq_sv name);
static inline void kq_tally_count(kq_tally_part *part, bool known, uint64_t offset) {
    part->known += known;
    if (known) return;
    if (!part->unknown || offset < part->first) part->first = offset;
    part->unknown++;
}
/* Adds what the reader has counted, and starts it anew. */
void kq_tally_add(kq_tally *tally, kq_tally_part *part);

#endif
