/*
 * One JSON record into rows: walks the structural index of an object, finds the wanted fields, lets selectors and
 * accepts judge them as they come, and hands over a row for each set that the record belongs to. Walking stops as soon
 * as nothing can change any more. No recursion deeper than the wanted names have parts.
 */
#ifndef KQ_SOURCE_JSON_RECORD_H
#define KQ_SOURCE_JSON_RECORD_H

#include "native/json.h"
#include "source/json_keys.h"
#include "source/source.h"
#include "source/tally.h"

typedef struct kq_json_found {
    uint32_t epoch; /* of the record that it was found in */
    uint32_t rank;
    kq_sv raw;
    bool decoded;
    kq_field field;
} kq_json_found;

typedef struct kq_json_walker kq_json_walker;
struct kq_json_walker {
    kq_json_keys keys;
    kq_arena fixed;   /* the keys and the arrays below */
    kq_arena scratch; /* unescaped text of one morsel */
    kq_json_found *found;
    uint32_t *judged; /* those of the slots that have checks */
    uint32_t njudged;
    bool *alive;    /* sets that the record may still belong to */
    uint32_t *left; /* slots that each set still waits for */
    kq_field *fields;
    uint32_t epoch;
    uint32_t nalive, nwaiting; /* sets alive; those of them that wait for a slot */
    const char *fault;         /* what is not quite right with the record */
    bool late;                 /* accepts are asked when the selectors have been: kq_request.met */
    bool opened;               /* the record's `properties` is text, of an object that was read */
    kq_json_index *index;      /* of such text; made when first needed */
    size_t index_room;
    kq_tally *tally; /* of the file that is read, or NULL */
    kq_tally_part part;
    uint32_t shape; /* that the last known record had, and where its slots stand */
    uint32_t shape_at;
    kq_json_walker *named; /* of the request's `named`, or NULL */
    uint32_t first;        /* the number of the first set */
};

/* Where a record stands. */
typedef struct kq_json_place {
    const char *text;   /* what the index offsets count from */
    const uint32_t *at; /* the index, from the record's first entry */
    uint32_t n;         /* entries up to the end of the record or line */
    kq_sv raw;          /* the record's own text */
    uint64_t offset;    /* in the file */
    uint64_t number;    /* of the record in the file; only when keys.numbered */
    const char *path;
    const kq_sv *columns; /* the record is an array of their values; NULL: an object */
    uint32_t ncolumns;
    bool whole; /* walk to the end even when nothing is wanted any more */
} kq_json_place;

kq_status kq_json_walker_init(kq_json_walker *w, const kq_request *request, kq_budget *budget, kq_error *err);
void kq_json_walker_deinit(kq_json_walker *w);
/* Forgets the texts of a morsel. */
void kq_json_walker_reset(kq_json_walker *w);

/* Walks one record. *broken is set to a reason when its structure is wrong (nothing was handed over); *used to the
 * index entries of the record (with place->whole); w->fault tells of lesser faults. Errors: the sink's, NOMEM, LIMIT.
 */
kq_status kq_json_record(kq_json_walker *w, const kq_json_place *place, const kq_row_sink *sink, uint32_t *used,
                         const char **broken, bool *done, kq_error *err);

#endif
