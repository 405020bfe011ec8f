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
    KQ_ACCESS_MAPPED, /* records say what they are: maps, and Defender's streaming envelope */
    KQ_ACCESS_TYPED,  /* the field Type names the table of each record, whose fields have the columns' names */
    KQ_ACCESS_TABLED, /* the same with the field $table */
    KQ_ACCESS_ROWS    /* and beyond: records are rows of another table, of the shape whose rows_at is what is beyond */
} kq_access;

/* A map's expression against one shape: system names are put in, fields are wants of the set. */
typedef struct kq_build_node {
    const kq_map_expr *expr; /* kind, literal, transform */
    kq_sv key;               /* of a part of an object */
    uint32_t at;             /* FIELD: number of the want; PARENT: column of the book */
    uint32_t nparts;
    bool time; /* it is $Time, the time that the record has as an event */
    struct kq_build_node *parts;
} kq_build_node;

typedef struct kq_build_column {
    kq_type type;
    const kq_build_node *node; /* NULL: the column has no value in this set */
} kq_build_column;

typedef struct kq_build_predicate {
    const kq_predicate *predicate;
    kq_build_column column;
} kq_build_predicate;

/* A condition on the row; a NULL node gives nothing. */
typedef struct kq_build_only {
    const kq_build_node *node;
    const kq_sv *values;
    uint32_t nvalues;
    bool not ; /* a row when it gives none of them */
} kq_build_only;

/* What processes are known by (book.h); a NULL node: not at all. */
typedef struct kq_build_process {
    const kq_build_node *guid, *pid, *image;
} kq_build_process;

typedef struct kq_build_set {
    const kq_build_column *columns; /* the scan's columns, in order */
    const kq_build_predicate *predicates;
    uint32_t npredicates;
    const kq_build_only *only;
    uint32_t nonly;
    const kq_map *map; /* NULL: native */
    uint32_t number;   /* of the map among the table's */
    kq_build_process starts, parent;
    const kq_build_node *device, *time, *file; /* with starts, parent or yields */
    bool asks_parent;                          /* some column or predicate has a PARENT node */
    bool yields;
} kq_build_set;

typedef struct kq_scan_request {
    kq_request request;
    const kq_build_set *sets; /* of the request's sets, then of those of its `named` */
    uint32_t nsets;           /* of both; 0: nothing of such inputs can belong to the table */
} kq_scan_request;

/* Which columns of DeviceProcessEvents `spec` asks of parents: their numbers in columns[0..*n), an array of the arena;
 * *yields when a map of the table yields to others. Errors: NOMEM. */
kq_status kq_scan_parents(const kq_model *model, const kq_scan_spec *spec, kq_arena *arena, uint32_t **columns,
                          uint32_t *n, bool *yields, kq_error *err);

/* One for no row at all, that has every record of such a file told apart (kq_tally). Errors: NOMEM, LIMIT. */
kq_status kq_scan_request_shapes(const kq_model *model, const char *reader, kq_arena *arena, kq_request *out,
                                 kq_error *err);
/* Makes the request of `spec` for inputs read by `reader` (the source type's name) with this access. @Column is the
 * place of the column in book[0..nbook); one that is not there has no value. */
kq_status kq_scan_request_make(const kq_model *model, const kq_scan_spec *spec, const uint32_t *book, uint32_t nbook,
                               const char *reader, kq_access access, kq_arena *arena, kq_scan_request *out,
                               kq_error *err);

#endif
