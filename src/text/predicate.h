/*
 * Predicates: what the optimizer tells a scan about the rows that it needs. A scan may use them to drop rows early and
 * must not drop a row for which they hold; the filter stays in the plan. A conjunction of predicates over columns.
 */
#ifndef KQ_TEXT_PREDICATE_H
#define KQ_TEXT_PREDICATE_H

#include "column/value.h"
#include "text/match.h"

typedef enum kq_predicate_kind {
    KQ_PREDICATE_TEXT, /* a string column matches `matcher` */
    KQ_PREDICATE_RANGE /* long, int, real, datetime, timespan: low <= value <= high, and not null */
} kq_predicate_kind;

typedef struct kq_predicate {
    kq_predicate_kind kind;
    uint32_t column; /* index in the table's columns */
    const kq_matcher *matcher;
    bool has_low, has_high, low_open, high_open; /* open: the bound itself is outside */
    kq_value low, high;                          /* of the column's type */
} kq_predicate;

/* Does the value satisfy a RANGE predicate? A null does not. */
bool kq_predicate_range(const kq_predicate *p, const kq_value *v);

#endif
