/*
 * The XML source's own structs. Private to xml*.c and their tests.
 *
 * A morsel of a plain file is a block of its bytes: the events that start in it, of which the last may end behind it.
 * Whether its beginning lies in a section is told by the reader of the block before, as soon as it has its
 * bytes and before it gives a row: blocks are dealt in order, so that no reader waits for one that was not dealt.
 * Other streams, and plain files whose events are to be numbered, are read in order, and cut before an event that
 * starts near the end of what was read. Either way a reader gets a text that begins with the start of an event (the
 * first one of a file with what stands before it) and ends before another one, so that nothing depends on where blocks
 * end.
 */
#ifndef KQ_SOURCE_XML_INTERNAL_H
#define KQ_SOURCE_XML_INTERNAL_H

#include "source/event_request.h"
#include "source/evtx/render.h"
#include "source/source.h"
#include "source/stream.h"
#include "source/xml_scan.h"
#include <pthread.h>

/* Bytes of a block; tests make it small, so that events lie across blocks. */
extern uint64_t kq_xml_block_bytes;

#define KQ_XML_DEPTH 64u  /* elements inside elements */
#define KQ_XML_ATTRS 256u /* attributes of one element */

typedef enum kq_xml_encoding { KQ_XML_UTF8, KQ_XML_1252, KQ_XML_UTF16LE, KQ_XML_UTF16BE } kq_xml_encoding;

typedef struct kq_xml_source {
    kq_source base;
    kq_stream *stream;
    kq_budget *budget;
    kq_xml_names names;
    kq_xml_encoding encoding;
    char not_utf8[96]; /* what is told of text that is no UTF-8 */
    bool in_order;
    uint64_t block, size;
    uint64_t next; /* morsels dealt */
    /* by place: what the readers of one block after another hand on */
    pthread_mutex_t lock;
    pthread_cond_t crossed;
    uint64_t ncrossed;    /* blocks whose end is known */
    kq_xml_border border; /* at the end of the last of them */
    /* in order */
    bool ended;
    bool skipping;     /* what comes belongs to an event that is too long */
    kq_buf carry;      /* decoded, not yet dealt */
    uint64_t carry_at; /* where it stands in the file */
    char rest[4];      /* read, but not a whole character yet */
    unsigned nrest;
    uint64_t consumed; /* stored bytes that the report knows of */
    uint64_t count;    /* events before the next morsel */
} kq_xml_source;

/* A Data name that is asked for. */
typedef struct kq_xml_data_name {
    kq_sv name;
    uint32_t slot;
} kq_xml_data_name;

/* An element that is open. */
typedef struct kq_xml_level {
    const char *name; /* as written */
    uint32_t nname;
    uint32_t npath, hash; /* of its path below <Event>: the first bytes of reader->path */
    uint8_t kind;
    bool lost;     /* its path is too long to be asked for */
    bool children; /* there are elements in it: it has no text of its own */
    bool pieces;   /* its text comes in pieces, of which reader->pieces has those before `text` */
    bool amp;      /* there is a reference in it */
    const char *text;
} kq_xml_level;

typedef struct kq_xml_reader {
    kq_reader base;
    kq_event_request request;
    kq_arena plan; /* what follows up to `row` */
    kq_xml_data_name *names;
    uint32_t names_shift; /* 64 - bits of its size; 0: no Data is asked for */
    uint64_t parts;       /* bits of the names in paths that are asked for */
    uint8_t *judged;      /* by slot: some set judges it */
    uint8_t *early;       /* by slot: known when </System> is read */
    uint32_t *alive;      /* the sets that the event may still belong to */
    uint32_t nalive;
    uint32_t *stamps; /* by slot: == stamp when memo has the event's field */
    kq_field *memo, *row;
    bool numbered; /* $index is wanted */
    uint32_t stamp;

    /* the block */
    kq_buf raw, block; /* as stored, when that is not UTF-8; as UTF-8 */
    size_t from, to;
    uint64_t block_at, first; /* offset of block.p[0] in the file; number of the first event */
    bool loaded;              /* claim() filled the block */
    bool clean;               /* it is well-formed UTF-8 */
    kq_xml_encoding encoding;
    const char *mark; /* not UTF-8: a place whose offset is known */
    uint64_t mark_at;

    /* the event */
    kq_xml_source *source;
    const char *start, *end; /* as far as is known */
    uint64_t number;
    const char *flaw; /* what is wrong with a part of it, or NULL */
    const char *data, *data_end;
    kq_xml_level levels[KQ_XML_DEPTH];
    unsigned depth;
    char path[512];
    kq_buf pieces, unnamed, text, scratch; /* unnamed: kq_sv */
    kq_arena arena;                        /* texts of the block's rows */
    bool has_bx;
    kq_bx bx;
} kq_xml_reader;

void kq_xml_damage(const kq_xml_source *s, uint64_t offset, const char *reason);

/* xml_block.c: the offset in the file of a place in the reader's block. */
uint64_t kq_xml_offset(kq_xml_reader *r, const char *p);
/* Reads the events that start in morsel `number` of a plain file. */
kq_status kq_xml_load(kq_xml_source *s, kq_xml_reader *r, uint64_t number, kq_error *err);
/* Reads the next events in order; *more is false at the end. Under the scan's lock. */
kq_status kq_xml_next(kq_xml_source *s, kq_xml_reader *r, bool *more, kq_error *err);
/* The first bytes of a file as UTF-8, as many as are needed to recognise it, and how they are stored. Without a mark of
 * UTF-16 or UTF-8, what is declared says that; *unread is the name that is declared when we do not read it, or "". */
kq_xml_encoding kq_xml_decode_head(kq_sv head, kq_sv *text, kq_sv *unread, kq_buf *room);

/* xml_event.c: what the request needs, by slot. Errors: NOMEM, LIMIT. */
kq_status kq_xml_plan(kq_xml_reader *r, kq_error *err);
/* Reads the event that starts at p. *end is where it ends, or how far it was read when `skipped` (no set
 * wants it) or when *broken says what is wrong with it. Without a sink no rows are made: it is read to its end. */
kq_status kq_xml_event(kq_xml_reader *r, const char *p, const kq_row_sink *sink, const char **end, bool *skipped,
                       const char **broken, bool *done, kq_error *err);

/* xml_tree.c: appends the event's EventData or UserData as XML or as JSON. False when it has too many elements, or
 * memory is short. */
bool kq_xml_whole(kq_xml_reader *r, bool json, kq_buf *out);

#endif
