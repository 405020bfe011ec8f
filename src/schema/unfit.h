/*
 * Values of a table's own rows that are none of their column's type, such as "abc" where a number should be, and times
 * of events that are none: null in the result, and told once for each file and column, with the first place and how
 * many there are. Likewise local times that are not one instant, which are read all the same. A scan's own; from any
 * thread. Private to src/schema.
 */
#ifndef KQ_SCHEMA_UNFIT_H
#define KQ_SCHEMA_UNFIT_H

#include "column/type.h"
#include "source/field.h"
#include "source/report.h"
#include "source/source.h"

#define KQ_UNFIT_MAX 256 /* files and columns that are told apart; others are not told */

/* Columns of items that are local times, which their zone has twice or not at all: one for a row. */
#define KQ_UNFIT_TWICE (UINT32_MAX - 1)
#define KQ_UNFIT_NEVER (UINT32_MAX - 2)

typedef struct kq_unfit_item {
    const kq_input *input;
    uint32_t column; /* of the table; UINT32_MAX: the time of events, `name` is its field; or as above */
    kq_type type;
    kq_sv name;
    uint64_t offset, count;
    char text[64]; /* the value at the first place, fit to be shown */
} kq_unfit_item;

typedef struct kq_unfit {
    pthread_mutex_t lock;
    kq_unfit_item *items; /* made with the first one */
    uint32_t n;
} kq_unfit;

void kq_unfit_init(kq_unfit *unfit);
/* Writes a line for each item to the report and forgets them. */
void kq_unfit_end(kq_unfit *unfit, kq_report *report);

/* Notes a value in the record at `offset`. Empty text is no value, and no fault. */
void kq_unfit_note(kq_unfit *unfit, const kq_input *input, uint32_t column, kq_sv name, kq_type type,
                   const kq_field *field, uint64_t offset);

#endif
