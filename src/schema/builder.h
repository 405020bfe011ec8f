/*
 * The builder: rows of fields into chunks of columns. A worker's own; its vectors are made once and filled again, its
 * text lies in one arena that is emptied with each chunk, so that nothing is allocated per row.
 */
#ifndef KQ_SCHEMA_BUILDER_H
#define KQ_SCHEMA_BUILDER_H

#include "base/zone.h"
#include "schema/book.h"
#include "schema/inside.h"
#include "schema/request.h"
#include "schema/unfit.h"

typedef struct kq_builder {
    const kq_scan_request *scan;
    const kq_consumer *to;
    uint64_t *counts; /* the spec's */
    /* Gives the starts of processes (*book NULL: none are known), when a row first asks for one. */
    kq_status (*open_book)(void *ctx, const kq_book **book, kq_error *err);
    void *open_ctx;
    kq_book_reader *book; /* once opened */
    bool opened;
    kq_status book_status; /* why it could not be opened */
    kq_error book_error;
    const kq_zone *zone; /* of local times; NULL: they are refused, or null where `local_null` */
    bool local_null;
    const kq_input *local_told; /* the input whose local times the report knows of */
    const kq_input *guess_told; /* as that, of dates whose order nothing says */
    const kq_input *input;      /* of the records: set before the first row; the next two are for messages */
    uint64_t offset;            /* of the record */
    kq_unfit *unfit;            /* NULL: not told */
    const kq_scan_spec *spec;
    uint32_t refused; /* column + 1 of the spec's table whose local time has no zone */
    bool starts;      /* after the spec's columns come what kq_book_append wants */
    uint32_t ncolumns;
    kq_vector *columns;
    kq_vector *same; /* those that no set of the scan, or each alike, gives a value: constant */
    uint32_t *vary;  /* the others */
    uint32_t nvary;
    bool *has_null;
    kq_vector *view;     /* what the chunk shows: without bitmap where nothing is null */
    uint32_t rows, room; /* of the columns */
    uint64_t ordinal;    /* of the next chunk's first row */
    uint64_t built;      /* rows pushed */
    size_t text_bytes;   /* of the chunk being filled */
    bool done;
    kq_arena fixed;  /* the vectors */
    kq_arena text;   /* of the chunk being filled */
    kq_arena judged; /* what predicates need for one row */
    kq_buf scratch, object;
    kq_inside inside;  /* of the row being built */
    bool seen;         /* spec->seen was set */
    bool asked, known; /* of the row being built: was the book asked for its parent, and did it find it */
    bool odd;          /* of the row being built: a local time comes twice or never, which is noted */
    bool untimed;      /* of the row being built: its event's time is none, which is noted */
} kq_builder;

kq_status kq_builder_init(kq_builder *b, const kq_scan_spec *spec, kq_error *err);
void kq_builder_deinit(kq_builder *b);

/* Starts a morsel: rows go to `to`, numbered from `ordinal`. */
void kq_builder_begin(kq_builder *b, const kq_scan_request *scan, const kq_consumer *to, uint64_t ordinal);
/* The kq_row_sink's row function; ctx is the builder. */
kq_status kq_builder_row(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err);
/* Pushes what is left. */
kq_status kq_builder_end(kq_builder *b, kq_error *err);

#endif
