/*
 * Fields and requests: the language between a source and the schema that maps it. The schema says which fields of
 * which records it wants; the source finds them in its own format and hands over rows of fields, nothing else.
 */
#ifndef KQ_SOURCE_FIELD_H
#define KQ_SOURCE_FIELD_H

#include "base/status.h"
#include "base/sv.h"

typedef enum kq_field_kind {
    KQ_FIELD_MISSING, /* the record has no such field */
    KQ_FIELD_NULL,
    KQ_FIELD_STRING, /* text: UTF-8, unescaped (ill-formed input already replaced) */
    KQ_FIELD_BOOL,
    KQ_FIELD_LONG,
    KQ_FIELD_ULONG, /* greater than INT64_MAX is possible */
    KQ_FIELD_REAL,
    KQ_FIELD_DATETIME, /* l: ticks */
    KQ_FIELD_GUID,
    KQ_FIELD_LOCAL,   /* text: a time in a zone that the record does not tell */
    KQ_FIELD_JSON,    /* text: the raw JSON of an object, an array, or any value where the want asked for JSON */
    KQ_FIELD_DYNAMIC, /* text: an encoded dynamic (column/dynamic.h) where the want asked for JSON */
    KQ_FIELD_WRITTEN  /* text: the value as kq_value_json writes it, where the want asked for that */
} kq_field_kind;

/* Text lies in the reader's block or scratch and is valid until the row callback's chunk is taken, at the latest until
 * read() returns. */
typedef struct kq_field {
    kq_field_kind kind;
    union {
        kq_sv text;
        bool b;
        int64_t l;
        uint64_t u;
        double r;
        uint8_t guid[16];
    } u;
} kq_field;

/*
 * One wanted field. `name` is a path: names joined by '.', descending into objects ("EventData.CommandLine",
 * "properties.FileName"); a name that itself holds a dot is matched too when the record spells it so ("a.b" finds
 * {"a.b":1} before {"a":{"b":1}}). Names compare exactly in JSON, EVTX and XML; in CSV a header "Name [UTC]" or
 * "Name [Local Time]" is the field Name (the second as KQ_FIELD_LOCAL, unless the first is there too). Names starting
 * with '$' are made by the source: $file (path as given), $offset (byte offset of the record), $index (number of the
 * record in the file), $raw (the record's text: JSON, CSV and XML), $EventDataXml, $EventDataJson (EVTX and XML:
 * EventData or UserData whole), $recovered (EVTX: is it an old record past its chunk's free space). `accept`, if set,
 * judges the field when it is found: false drops the record at once, before other fields are decoded. It may be called
 * with MISSING.
 */
typedef struct kq_want {
    kq_sv name;
    bool json;    /* hand over objects, arrays and every other value as raw JSON text */
    bool written; /* it goes out as JSON and nowhere else: a source that has it so may hand it over as WRITTEN */
    bool (*accept)(const void *ctx, const kq_field *field);
    const void *accept_ctx;
} kq_want;

/* A record belongs to a set when each selector's field has one of the texts (ASCII case ignored; numbers by their
 * decimal text); of a selector without texts, when the record has the field. */
typedef struct kq_selector {
    kq_sv name;
    const kq_sv *any_of;
    uint32_t n;
    bool not ; /* the record belongs to the set when this does not hold */
} kq_selector;

typedef struct kq_want_set {
    const kq_selector *selectors;
    uint32_t nselectors;
    const kq_want *wants;
    uint32_t nwants;
} kq_want_set;

/* What records of a shape have, and what they have not. */
typedef struct kq_field_shape {
    const kq_sv *is, *isnt;
    uint32_t nis, nisnt;
} kq_field_shape;

/* Every record is given to each set that it belongs to, in the order of the sets. Immutable while readers use it. */
typedef struct kq_request kq_request;
struct kq_request {
    const kq_want_set *sets;
    uint32_t nsets;
    /* JSON: the shapes that records are known by, beside the name of their table; with them the readers fill the
     * source's tally. NULL: nobody asks. */
    const kq_field_shape *shapes;
    uint32_t nshapes;
    uint32_t
        inner; /* 1 + the set whose rows lie in `properties`, with shapes: without an object there is no row; or 0 */
    /* JSON and CSV: a record that names one of these tables, in Type or else in $table, is given to the sets of `named`
     * too. They are many and such records are few: no other record is asked for them. Their numbers follow those of
     * `sets`. NULL: there are none. */
    const kq_request *named;
    const kq_sv *tables;
    uint32_t ntables;
    /* Atomic; NULL: nobody asks. While it is false, no want's accept is called before all else says that the record
     * belongs to the set: the first call tells that there is such a record. */
    const bool *met;
};

/* Takes rows: fields[i] answers wants[i] of set `set`. Any status but KQ_OK stops the read; *done stops it early.
 * `offset`, if not NULL, is set to that of the record in the file, before its row is given. */
typedef struct kq_row_sink {
    kq_status (*row)(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err);
    void *ctx;
    uint64_t *offset;
} kq_row_sink;

#endif
