/*
 * Sources: one kind of log file each (sources.def). A source cuts a file into morsels and reads one morsel at a time
 * into rows of fields. Adding a kind is one file and one row.
 *
 *   kq_source   an opened file, shared by all workers; its claim() runs under the scan's lock
 *   kq_reader   a worker's own scratch for one kind (block, parser, cache of the request); used for file after file
 *   kq_morsel   a piece that a reader reads alone: an EVTX chunk, a block of lines
 *
 * Blocks are read with pread into the reader's buffer (not mapped): 256 KiB stay in the L2 cache. A compressed file or
 * standard input is a stream: claim() reads the next block into the reader's buffer.
 */
#ifndef KQ_SOURCE_SOURCE_H
#define KQ_SOURCE_SOURCE_H

#include "base/buf.h"
#include "base/time.h"
#include "source/archive.h"
#include "source/field.h"
#include "source/report.h"

#define KQ_BLOCK_BYTES      (256 * 1024)
#define KQ_SURE             100
#define KQ_RECORD_MAX_BYTES (4 * 1024 * 1024) /* a longer record is damage: counted, skipped; see decisions.md */

typedef struct kq_source_type kq_source_type;
typedef struct kq_source kq_source;
typedef struct kq_reader kq_reader;
typedef struct kq_stream kq_stream; /* source/stream.h: bytes of a file, plain or decompressed */

/* One file to read. Strings belong to the catalog. */
typedef struct kq_input {
    const char *path; /* "-": standard input */
    uint32_t number;  /* order among the inputs */
    const kq_source_type *type;
    kq_sv table;         /* `--as`, or what schema recognised; "" when records say themselves (EVTX, XML, envelopes) */
    uint64_t size;       /* bytes as stored; 0 for standard input */
    kq_archive *archive; /* it is a member of this one, and `path` is only shown; or NULL */
    uint32_t member;
    const struct kq_zone *zone; /* of its local times, or NULL */
    kq_dates dates;             /* the order of numbers in its dates; KQ_DATES_UNTOLD: month first, with a note */
    const char *remark;         /* what its user should know of how it is read, or NULL */
    const char *unknown;        /* why nothing reads its records, or NULL */
    bool typed;                 /* its records name their table themselves */
    bool slack;                 /* EVTX: the old records past a chunk's free space are read too */
    bool packed;                /* out, with a NULL source: it is an archive, its members are inputs */
} kq_input;

typedef struct kq_morsel {
    uint64_t offset; /* in the decompressed file */
    uint64_t length; /* bytes; what exactly it covers is the source's own matter */
    uint64_t index;  /* number of the morsel in the file, from 0 */
} kq_morsel;

/* Every source struct starts with this, every reader with the next. */
struct kq_source {
    const kq_source_type *type;
    const kq_input *input;
    kq_report *report;
    struct kq_tally *tally; /* what its records are, when asked for; its opener's. NULL: not */
    kq_sv doubled;          /* "" or a name that two columns of the header have; the second has got another */
};
struct kq_reader {
    const kq_source_type *type;
    const kq_request *request;
    kq_budget *budget;
};

struct kq_source_type {
    const char *name; /* "evtx", "xml", "json", "csv" */
    const char *doc;
    bool events; /* Windows events: they say themselves what they are, and only maps make rows of them */
    /* How sure, 0..KQ_SURE, that a file with these first bytes (decompressed, up to 64 KiB) and this path is of this
     * kind. KQ_SURE: nothing else begins so, and the first 8 KiB tell it; of the first of sources.def only. */
    int (*detect)(kq_sv head, const char *path);
    /* Opens over a stream that the source now owns (also on failure). Errors: IO, DAMAGED (nothing of it can be read:
     * the caller reports and goes on), NOMEM. */
    kq_status (*open)(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget, kq_source **out,
                      kq_error *err);
    void (*close)(kq_source *source);
    /* The order of numbers in its dates, as the first records tell it, or where they don't others that are looked at
     * (source/look.h); UNTOLD when none does, or they contradict one another. May be NULL: it has no such dates.
     * Errors: IO, NOMEM, LIMIT. */
    kq_status (*dates)(kq_source *source, kq_dates *out, kq_error *err);
    /* A worker's reader for this request, which outlives it. */
    kq_status (*reader_create)(const kq_request *request, kq_budget *budget, kq_reader **out, kq_error *err);
    void (*reader_destroy)(kq_reader *reader);
    /* Takes the next morsel of `source` for `reader`; *more false at the end. Called under a lock: quick. A stream's
     * block is read here into the reader. */
    kq_status (*claim)(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err);
    /* Reads the claimed morsel. Damage goes to the source's report; errors are NOMEM, LIMIT, IO and the sink's. */
    kq_status (*read)(kq_source *source, kq_reader *reader, const kq_morsel *morsel, const kq_row_sink *sink,
                      kq_error *err);
    /* The names of the top-level fields of (at least) the first record, to recognise tables by; for an envelope, those
     * of its `properties`, and *category its category. Appended as NUL-terminated names to `names`. */
    kq_status (*sample)(kq_source *source, kq_buf *names, kq_buf *category, kq_error *err);
    /* The distinct values of the field `Type`, or `$table`, in the first records, each with a NUL: rows that Log
     * Analytics exports say there which table they are of. May be NULL. */
    kq_status (*types)(kq_source *source, kq_buf *types, kq_error *err);
};

extern const kq_source_type kq_source_evtx, kq_source_xml, kq_source_json, kq_source_csv;

/* The kinds of sources.def. */
const kq_source_type *const *kq_source_types(size_t *n);

/* Opens `path` ("-" too), finds its compression and its kind (kind may be forced) and fills input->type and size.
 * *source is NULL with KQ_OK when the file is of no known kind, or an archive (input->packed). Errors: IO, NOMEM;
 * DAMAGED for an empty or unusable file. `input` must outlive the source. */
kq_status kq_source_open(kq_input *input, kq_report *report, kq_budget *budget, kq_source **out, kq_error *err);

#endif
