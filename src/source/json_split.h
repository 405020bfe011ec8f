/*
 * Where JSON records begin and end: what shape a file has, judged by its head, and a splitter for the shapes in which a
 * newline does not end a record (arrays, envelopes, pretty-printed or concatenated objects). The splitter is fed bytes
 * in order, in pieces of any size, and remembers where it stands; it counts brackets outside strings and knows no more
 * JSON than that.
 */
#ifndef KQ_SOURCE_JSON_SPLIT_H
#define KQ_SOURCE_JSON_SPLIT_H

#include "base/buf.h"
#include "base/time.h"

typedef enum kq_json_shape {
    KQ_JSON_LINES,   /* a record a line */
    KQ_JSON_VALUES,  /* objects one after another, or in an array */
    KQ_JSON_TABLES,  /* rows as arrays, see json_tables.h */
    KQ_JSON_ENVELOPE /* objects in an array that is a field of an object: {"records":[{...},...]},
                        {"hits":{"hits":[...]}}; one after another, or in an array */
} kq_json_shape;

kq_json_shape kq_json_shape_of(kq_sv head);

/* Is `key` one that holds the records of an envelope? */
bool kq_json_is_envelope(kq_sv key);

typedef struct kq_json_extent {
    uint64_t start, end; /* offsets in the file */
} kq_json_extent;

typedef struct kq_json_splitter {
    bool envelope;
    uint8_t state; /* private, as all below */
    bool escaped;
    bool newline;      /* the byte before `at` is one */
    bool open_records; /* the key before this value is that of the records */
    bool inner;        /* in the object that holds the records of Elasticsearch */
    uint8_t nkey;
    char key[16];
    uint64_t depth;
    uint64_t at;     /* offset of the next byte */
    uint64_t start;  /* of the record that is open */
    uint64_t arrays; /* open around the records */
    bool broken;     /* a record was: what stands around it is not judged */
    bool stray;      /* in something that is no object where a record should be */
    bool tables;     /* all below: of KQ_JSON_TABLES */
    bool key_next, about, has_columns;
    bool litter; /* among rows, in something that is no bracket */
    uint8_t nvalue;
    char value[32];   /* name or kind of the table */
    uint64_t objects; /* which of the open brackets are braces */
    uint64_t level;   /* in columns or a row */
    kq_buf text;      /* of the columns */
    kq_buf columns;   /* their names */
} kq_json_splitter;

void kq_json_splitter_init(kq_json_splitter *s, kq_json_shape shape, uint64_t at, kq_budget *budget);
void kq_json_splitter_deinit(kq_json_splitter *s);

/* Takes the next n bytes; appends a kq_json_extent for each record that ended in them, and an
 * empty one for each thing between them that is no record. False: it stopped early, where the open record (s->start)
 * can't go on: at a wrong bracket or the label of another one; restart before going on. Of KQ_JSON_TABLES it may take
 * less, up to s->at, when the columns change. The caller looks at the failures of `extents`, s->text and s->columns. */
bool kq_json_splitter_feed(kq_json_splitter *s, const char *p, size_t n, kq_buf *extents);

/* Is a record open (its start in s->start)? */
bool kq_json_splitter_open(const kq_json_splitter *s);

/* Is something open around the records: an array, an envelope? Not asked of what had a broken record. */
bool kq_json_splitter_inside(const kq_json_splitter *s);

/* Starts anew between records at offset `at`, after an open record turned out to be broken. */
void kq_json_splitter_restart(kq_json_splitter *s, uint64_t at);

/* The names of the fields of the first records of `head`, which may end anywhere, as kq_source_type.sample wants them;
 * and the category of Defender's and Azure's envelope; `types` (may be NULL) gets what kq_source_type.types wants. */
kq_status kq_json_sample(kq_sv head, kq_buf *names, kq_buf *category, kq_buf *types, kq_error *err);

/* The order of numbers in dates: of strings in fields whose name says time or date. UNTOLD when there are none, or they
 * contradict one another; EITHER when there are, and all of them can be both. */
kq_dates kq_json_dates(kq_sv head);

#endif
