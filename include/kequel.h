/*
 * kequel: Microsoft Sentinel and Defender XDR detections, written in KQL, on local logs.
 *
 * The only installed header. Handles are opaque and freed by their _destroy, which accepts NULL. Option structs start
 * with their own size, so that a program compiled against an older header keeps working: set it with sizeof and zero
 * the rest. Every call returns a kq_status and fills a kq_error that the caller owns. The library never prints,
 * aborts or exits; output goes through a kq_output. One engine is used by one thread at a time (it runs its own
 * workers); kq_engine_cancel alone may be called from any thread or signal handler.
 */
#ifndef KEQUEL_H
#define KEQUEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KQ_VERSION "0.1.0"

#define KQ_API __attribute__((visibility("default")))

#ifdef __clang__ /* gcc takes this on functions only; the clang build makes an ignored status an error */
#define KQ_CHECKED __attribute__((warn_unused_result))
#else
#define KQ_CHECKED
#endif

typedef enum KQ_CHECKED kq_status {
    KQ_OK = 0,
    KQ_ERR_NOMEM = 1,     /* out of memory */
    KQ_ERR_LIMIT = 2,     /* a budget was reached: the answer would be incomplete, so there is none */
    KQ_ERR_DEADLINE = 3,  /* the time limit passed */
    KQ_ERR_CANCELLED = 4, /* kq_engine_cancel */
    KQ_ERR_USAGE = 5,     /* wrong arguments */
    KQ_ERR_QUERY = 6,     /* the query is refused: see the span */
    KQ_ERR_RULE = 7,      /* the rule or its file is refused */
    KQ_ERR_IO = 8,        /* a file can't be read */
    KQ_ERR_DAMAGED = 9,   /* done, but some input was damaged: see kq_stats */
    KQ_ERR_PIPE = 10,     /* the reader of the output went away: not an error to report */
    KQ_ERR_FAILED = 11,   /* a rule's test failed */
    KQ_ERR_INTERNAL = 12, /* a defect of kequel */
    KQ_ERR_OUTPUT = 13    /* the result can't be written: never taken for damaged input */
} kq_status;

/* What went wrong, in words. span_start and span_len are bytes in the query text; span_start is UINT32_MAX when the
 * message is not about a place. hint is "" or a suggestion. */
typedef struct kq_error {
    kq_status status;
    uint32_t span_start, span_len;
    char message[512];
    char hint[256];
} kq_error;

/* The exit code that the command line gives for `status` (0 done, 1 test failed, 2 refused, 3 damaged, 4 limit). */
KQ_API int kq_status_exit_code(kq_status status);

/* "0.1.0". */
KQ_API const char *kq_version(void);

/* Writes the error as people read it into buf (cap bytes, always NUL-terminated): the message, and where it is about a
 * place in `text`, that line with a caret; `name` names the text ("query", a file). */
KQ_API void kq_error_format(const kq_error *err, const char *text, size_t n, const char *name, char *buf, size_t cap);

/* Where results go. `write` takes all `n` bytes or returns a status; KQ_ERR_PIPE when the reader is gone. */
typedef struct kq_output {
    size_t size;
    kq_status (*write)(void *ctx, const char *bytes, size_t n);
    void *ctx;
    const char *format; /* "table", "ndjson", "json" or "csv" */
    unsigned width;     /* columns of the terminal for "table"; 0 = do not shorten */
    bool color;
} kq_output;

/* One place where input was damaged or could not be read. */
typedef struct kq_damage {
    const char *path;
    uint64_t offset; /* byte offset in the (decompressed) file */
    const char *reason;
} kq_damage;

/* What reading one event log gave. */
typedef struct kq_log_counts {
    const char *path;
    uint64_t live;       /* records */
    uint64_t recovered;  /* with options.slack: old records past a chunk's free space that are whole */
    uint64_t copies;     /* and those that were left out as copies of a record that was read */
    uint64_t incomplete; /* and those of which a part was overwritten */
} kq_log_counts;

/* What a call read and how long it took; filled by the calls that take it, strings owned by the engine and valid
 * until its next call. */
typedef struct kq_stats {
    size_t size;
    uint64_t files, bytes, records, rows; /* bytes as stored; records seen; rows of the result */
    uint64_t damaged;                     /* places where something was skipped, all of them counted */
    const kq_damage *damages;             /* the first of them, with their place */
    size_t ndamages;
    double seconds;
    uint64_t peak_memory; /* bytes charged to the budget at the highest */
    const char *const
        *notes; /* remarks for the user: "no row passed the time filter ...", "table X has no data here" */
    size_t nnotes;
    const char *visualization; /* `render`'s annotation, or NULL */
    const kq_log_counts *logs; /* the event logs that were read, in the order of the inputs */
    size_t nlogs;
    const kq_damage *stale; /* with options.slack: old records that are not whole, the first of them. No damage */
    size_t nstale;
} kq_stats;

typedef struct kq_engine kq_engine;

#define KQ_NOW_CLOCK  0 /* now() is the clock */
#define KQ_NOW_FIXED  1 /* now() is options.now */
#define KQ_NOW_LATEST 2 /* now() is the newest event of the inputs */

typedef struct kq_engine_options {
    size_t size;
    unsigned threads;    /* 0 = one per core */
    size_t memory;       /* bytes of the budget; 0 = 2 GiB */
    int now_mode;        /* KQ_NOW_... */
    int64_t now;         /* with KQ_NOW_FIXED: 100 ns ticks since 0001-01-01 UTC */
    uint32_t timeout_ms; /* 0 = none */
    bool no_optimize;    /* plans run as bound: for tests that compare */
    /* Called now and then from the calling thread with bytes done and of how many (0 = unknown); may be NULL. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    bool keep_duplicates; /* a process start that two logs tell is two rows, not one */
    /* EVTX: the whole old records past the chunks' free space are rows too. Every table has one more column at its end,
     * _Recovered: bool, true for these, false for other records of event logs, null for those of other files. */
    bool slack;
    /* The zone of times that logs write in local time: an IANA name, UTC, or an offset such as +02:00. NULL: queries
     * that ask for such times are refused. With ",dmy" or ",mdy" behind it (also alone) the order of numbers in dates
     * such as 10/11/2023 is given, too. */
    const char *timezone;
    /* PATTERN=ZONE, for the inputs whose path, or an end of it that begins behind a '/', matches the pattern; the last that
     * matches counts, before `timezone`. */
    const char *const *timezones;
    size_t ntimezones;
} kq_engine_options;

/* Creates an engine. `options` may be NULL. Errors: NOMEM, USAGE. */
KQ_API kq_status kq_engine_create(const kq_engine_options *options, kq_engine **out, kq_error *err);
KQ_API void kq_engine_destroy(kq_engine *engine);

/* Stops what runs in `engine`: it ends with KQ_ERR_CANCELLED. Safe in a signal handler. */
KQ_API void kq_engine_cancel(kq_engine *engine);

/* Loads a map file: tables, shapes and maps of the user's own (docs/maps.md), before inputs are added. Errors: RULE
 * with line and column, USAGE (the file can't be read). */
KQ_API kq_status kq_engine_add_map(kq_engine *engine, const char *path, kq_error *err);

/* Adds a file, a folder (walked) or "-" (standard input) to what later calls read. `table` names the table to read it
 * as, or is NULL to recognise it. Errors: IO (missing file, folder without logs), USAGE, NOMEM. */
KQ_API kq_status kq_engine_add_input(kq_engine *engine, const char *path, const char *table, kq_error *err);

/* Runs one query and writes its result. KQ_ERR_DAMAGED: the result is complete but for what `stats` lists. */
KQ_API kq_status kq_engine_query(kq_engine *engine, const char *text, size_t n, const kq_output *out, kq_stats *stats,
                                 kq_error *err);

typedef struct kq_run_options {
    size_t size;
    bool replay;     /* on the rule's own schedule over the span of the logs; otherwise once at now */
    bool rows;       /* the rule's result rows instead of alerts; of several rules Rule and Row, a bag */
    uint64_t alerts; /* out: how many alerts (with `rows`: rows) were written */
} kq_run_options;

/* Runs the rules at `paths` (rule files, or folders with packages) over the inputs and writes alerts. */
KQ_API kq_status kq_engine_run(kq_engine *engine, const char *const *paths, size_t npaths, kq_run_options *options,
                               const kq_output *out, kq_stats *stats, kq_error *err);

/* Runs the tests that the rules at `paths` carry and writes what each caught and missed. KQ_ERR_FAILED when a test's
 * outcome is not the recorded one. */
KQ_API kq_status kq_engine_test(kq_engine *engine, const char *const *paths, size_t npaths, const kq_output *out,
                                kq_error *err);

/* Says of the rules at `paths` whether they are sound, and, when there are inputs, whether they can match there: a row
 * for each finding. KQ_ERR_FAILED when a rule can't run. */
KQ_API kq_status kq_engine_lint(kq_engine *engine, const char *const *paths, size_t npaths, const kq_output *out,
                                kq_stats *stats, kq_error *err);

/* What is in the inputs: files, types, channels, events, tables, time span, damage. */
KQ_API kq_status kq_engine_inspect(kq_engine *engine, const kq_output *out, kq_stats *stats, kq_error *err);

/* The tables (`table` NULL), or the columns of one with where each comes from and what it is worth: exact, derived or
 * unavailable. */
KQ_API kq_status kq_engine_schema(kq_engine *engine, const char *table, const kq_output *out, kq_error *err);

/* The functions, operators and aggregates (`name` NULL), or one with its signatures and documentation. */
KQ_API kq_status kq_functions(const char *name, const kq_output *out, kq_error *err);

/* Parses an ISO 8601 time to ticks. Errors: USAGE. */
KQ_API kq_status kq_parse_time(const char *text, int64_t *ticks, kq_error *err);

#ifdef __cplusplus
}
#endif

#endif
