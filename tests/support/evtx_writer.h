/*
 * Writes small EVTX files: real templates, names and checksums, as many chunks as the events need. For tests, samples
 * and corpora; what it writes, Windows' own layout allows.
 */
#ifndef KQ_TEST_EVTX_WRITER_H
#define KQ_TEST_EVTX_WRITER_H

#include "base/buf.h"

typedef enum evtx_datum_type {
    EVTX_TEXT,     /* text */
    EVTX_UINT,     /* number: 32 bits when it fits, else 64 */
    EVTX_INT,      /* number: 64 bits */
    EVTX_HEX,      /* number: 32 bits when it fits, else 64 */
    EVTX_BOOL,     /* number */
    EVTX_FILETIME, /* ticks in number */
    EVTX_SID,      /* text "S-1-..." */
    EVTX_GUID,     /* text, with braces or without */
    EVTX_BINARY,   /* text: the bytes themselves */
    EVTX_TEXTS,    /* text: an array, its texts separated by '\n' */
    EVTX_NULL
} evtx_datum_type;

typedef struct evtx_datum {
    const char *name; /* NULL: <Data> without a name */
    evtx_datum_type type;
    kq_sv text;
    uint64_t number;
} evtx_datum;

typedef struct evtx_event {
    const char *provider, *provider_guid; /* provider_guid may be NULL */
    uint16_t event_id;
    const char *channel, *computer;
    int64_t time; /* ticks */
    uint64_t record_id;
    const char *user_id; /* SID, or NULL */
    uint32_t process_id, thread_id;
    uint8_t version, level, opcode;
    uint16_t task;
    uint64_t keywords;
    const char *activity_id; /* GUID, or NULL */
    const char *user_data;   /* the data are elements inside UserData/<user_data>; NULL: EventData */
    const evtx_datum *data;
    uint32_t ndata;
} evtx_event;

#define EVTX_WRITER_NAMES     1024
#define EVTX_WRITER_TEMPLATES 128

typedef struct evtx_writer {
    /* Set after init: */
    bool inline_records;   /* no templates: as event collectors write */
    bool literal_provider; /* the provider stands in the template, not in a value */
    uint32_t chunk_limit;  /* bytes of a chunk to fill, to get several chunks from few events; 0: all */

    kq_buf file; /* header and finished chunks */
    uint8_t chunk[65536];
    uint32_t pos, last; /* end of what is written; the last record */
    uint32_t nrecords, nchunks;
    uint64_t first_number, next_number, first_id, last_id;
    bool overflow;
    struct {
        char text[64];
        uint32_t off;
    } names[EVTX_WRITER_NAMES];
    struct {
        uint64_t key;
        uint32_t off, id;
    } templates[EVTX_WRITER_TEMPLATES];
    uint32_t nnames, ntemplates;
} evtx_writer;

void evtx_writer_init(evtx_writer *w);
void evtx_writer_deinit(evtx_writer *w);
/* False when the event is larger than a chunk, or a SID or GUID is none. */
bool evtx_writer_add(evtx_writer *w, const evtx_event *event);
/* Ends the file; w->file holds it. */
void evtx_writer_finish(evtx_writer *w);

/* The checksums of a chunk that was changed by hand. */
void evtx_writer_seal(uint8_t *chunk);

#endif
