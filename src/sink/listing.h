/*
 * A listing: rows of text and numbers written through a sink, for what is not a query's result (functions, schemas,
 * alerts, test outcomes).
 */
#ifndef KQ_SINK_LISTING_H
#define KQ_SINK_LISTING_H

#include "column/value.h"
#include "sink/sink.h"

typedef struct kq_listing {
    kq_columns columns;
    kq_sink *sink;
    kq_arena arena; /* of the rows not yet written */
    kq_vector *vectors;
    uint32_t rows;
} kq_listing;

/* Opens a listing of these columns. Errors: USAGE (format), NOMEM. */
kq_status kq_listing_init(kq_listing *l, const kq_output *out, const kq_column *columns, uint32_t n, kq_error *err);
/* Adds a row of n values; texts are copied. */
kq_status kq_listing_row(kq_listing *l, const kq_value *values, kq_error *err);
/* Writes everything; then kq_listing_deinit. */
kq_status kq_listing_finish(kq_listing *l, kq_error *err);
void kq_listing_deinit(kq_listing *l);

#endif
