/*
 * What a scan asks of one kind of source: the maps of a table made into a kq_request, and for each of its sets how the
 * fields become the scan's columns. Immutable once made; shared by the scan's workers; lives in the scan's arena.
 */
#ifndef KQ_SCHEMA_REQUEST_H
#define KQ_SCHEMA_REQUEST_H

#include "schema/model.h"

/* How the records of an input are to be taken. */
typedef enum kq_access {
    KQ_ACCESS_NATIVE, /* each record is a row of the table, fields have the columns' names */
    KQ_ACCESS_MAPPED  /* records say what they are: maps, and Defender's streaming envelope */
} kq_access;

typedef struct kq_build_source {
    const kq_map_source *map; /* literal and transforms */
    uint32_t want;            /* field, when not a literal */
} kq_build_source;

typedef struct kq_build_column {
    kq_type type;
    const kq_build_source *sources;
    uint32_t nsources; /* 0: the column has no value in this set */
} kq_build_column;

typedef struct kq_build_predicate {
    const kq_predicate *predicate;
    kq_build_column column;
} kq_build_predicate;

typedef struct kq_build_set {
    const kq_build_column *columns; /* the scan's columns, in order */
    const kq_build_predicate *predicates;
    uint32_t npredicates;
} kq_build_set;

typedef struct kq_scan_request {
    kq_request request; /* nsets 0: nothing of such inputs can belong to the table */
    const kq_build_set *sets;
} kq_scan_request;

/* Makes the request of `spec` for inputs read by `reader` (the source type's name) with this access. */
kq_status kq_scan_request_make(const kq_model *model, const kq_scan_spec *spec, const char *reader, kq_access access,
                               kq_arena *arena, kq_scan_request *out, kq_error *err);

#endif
