/*
 * The catalog: the inputs of an engine and the tables that they can be read as. Tables and the maps that fill them are
 * data (builtin/, read by model.h): a table is a list of typed columns; a map says for one kind of source, which
 * records belong to the table and from which fields, through which transform, each column comes.
 *
 * A catalog is built by one thread, then read by many. Scans hand out chunks of a table's columns.
 */
#ifndef KQ_SCHEMA_CATALOG_H
#define KQ_SCHEMA_CATALOG_H

#include "base/watch.h"
#include "column/chunk.h"
#include "column/value.h"
#include "source/source.h"
#include "text/predicate.h"

typedef struct kq_table {
    kq_sv name;
    kq_columns columns;
    const char *doc;
    uint32_t hidden; /* so many more stand behind `columns`: seen by maps and functions that come with kequel alone */
} kq_table;

/* The columns of a table with the hidden ones. */
static inline kq_columns kq_table_all(const kq_table *table) {
    return (kq_columns){table->columns.items, table->columns.n + table->hidden};
}
/* What a column is called in messages: a hidden one, _Name, as what it is to users, the Name of a view. */
static inline kq_sv kq_table_says(const kq_table *table, uint32_t column) {
    kq_sv name = table->columns.items[column].name;
    return column >= table->columns.n && name.n && name.p[0] == '_' ? kq_sv_slice(name, 1, name.n) : name;
}

/* A function kept as KQL text (builtin/NAME.kql), which a query may name as if it had defined it itself. */
typedef struct kq_function {
    kq_sv name;
    kq_sv text; /* let NAME = (parameters) { body }; */
    kq_sv doc;  /* the comment lines before it; kq_function_doc makes a sentence of them */
    kq_sv file;
    uint32_t line; /* where text starts in the file */
    bool hidden;   /* its name starts with _kequel_: made for other stored functions, in no list */
} kq_function;

typedef struct kq_catalog kq_catalog;

/* Creates a catalog with the tables of builtin/ and no inputs. Owned by the caller. Errors: NOMEM, LIMIT. */
kq_status kq_catalog_create(kq_budget *budget, kq_catalog **out, kq_error *err);
void kq_catalog_destroy(kq_catalog *catalog);
/* One with the tables, maps and switches of `like`, and no inputs. */
kq_status kq_catalog_fork(const kq_catalog *like, kq_budget *budget, kq_catalog **out, kq_error *err);
/* Adds tables, shapes and maps of the user's own, before inputs are added; `name` stands in errors. On an error the
 * catalog is to be given up. Errors: RULE with line and column, NOMEM, LIMIT. */
kq_status kq_catalog_load(kq_catalog *catalog, kq_sv text, const char *name, kq_error *err);
/* A process start that two logs tell is one row unless `keep`. */
void kq_catalog_keep_duplicates(kq_catalog *catalog, bool keep);

/* From now on old records of event logs are read too, and every table has a column _Recovered: bool at its end, true
 * for their rows, false for others of event logs, null for all else. To be called before inputs are added. Errors:
 * NOMEM, LIMIT. */
kq_status kq_catalog_slack(kq_catalog *catalog, kq_error *err);

/* Adds a file, a folder (walked, in the order of names, unknown kinds left out) or "-". `table`: read it as this table;
 * if no such table is known its columns are inferred from its records; Windows events only through its maps. Opens each
 * file once to recognise it. A file that can't be read goes to the report. Errors: IO (missing; a folder without any
 * log), USAGE ("-" twice), NOMEM. */
kq_status kq_catalog_add(kq_catalog *catalog, const char *path, const char *table, kq_report *report, kq_error *err);

/* The zone of times that are written in local time: an IANA name, UTC, or an offset. Before inputs are read. Errors:
 * USAGE (there is no such zone), NOMEM. */
kq_status kq_catalog_set_timezone(kq_catalog *catalog, kq_sv name, kq_error *err);
/* The same of the inputs whose path, or an end of it that begins behind a '/', matches `pattern` (fnmatch, '*' takes
 * '/' too). The last one that matches counts, before the zone for all. */
kq_status kq_catalog_zone_of(kq_catalog *catalog, kq_sv pattern, kq_sv name, kq_error *err);
/* Pattern `i` of those that match no input, counted from 0, the last one first; NULL when there are no more. */
const char *kq_catalog_idle_zone(const kq_catalog *catalog, size_t i);

/* The table of this name (case-sensitive), or NULL. Tables of Log Analytics that nothing else needs are read when they
 * are first asked for. Owned by the catalog. Any thread. */
const kq_table *kq_catalog_find(const kq_catalog *catalog, kq_sv name);
/* Did memory run out in kq_catalog_find, so that a table was missing that is known? Errors: NOMEM, LIMIT. */
kq_status kq_catalog_status(const kq_catalog *catalog, kq_error *err);
/* The names of all tables that kq_catalog_find knows: kq_catalog_tables, then the others of Log Analytics. Written to
 * `out` (NULL: counted only); views that live as long as the catalog. Returns how many. */
size_t kq_catalog_names(const kq_catalog *catalog, kq_sv *out);
/* The tables that queries over all tables mean: those of builtin/ with maps, those of inputs, and those inferred from
 * files given with --as. */
const kq_table *const *kq_catalog_tables(const kq_catalog *catalog, size_t *n);
/* The stored function that this name (case-sensitive) means: one named as a table of Log Analytics wins over it and
 * reads it by table(), any other table wins over a function. NULL: none. All of them; and the names of those not
 * hidden. Owned by the catalog. */
const kq_function *kq_catalog_function(const kq_catalog *catalog, kq_sv name);
const kq_function *kq_catalog_functions(const kq_catalog *catalog, size_t *n);
const kq_sv *kq_catalog_function_names(const kq_catalog *catalog, size_t *n);
/* What `kequel functions` shows of one: its description, and its name with the parameters. Appended. */
void kq_function_doc(const kq_function *function, kq_buf *out);
void kq_function_signature(const kq_function *function, kq_buf *out);
/* The inputs in their order. Owned by the catalog, valid until the next is added. */
const kq_input *kq_catalog_inputs(const kq_catalog *catalog, size_t *n);
/* What reads inputs for the catalog itself, outside of scans, stops when `watch` says so. Copied; NULL: nothing does.
 */
void kq_catalog_watch(kq_catalog *catalog, const kq_watch *watch);
/* Reads the JSON files whose records say themselves what they are, if that was not done, so that the tables that they
 * name are among kq_catalog_tables, and kq_catalog_unknown knows. One thread. Errors: NOMEM, LIMIT, CANCELLED,
 * DEADLINE. */
kq_status kq_catalog_survey(kq_catalog *catalog, kq_error *err);
/* What was counted of the records of such a file. */
typedef struct kq_unknown {
    uint64_t known, unknown; /* of a shape that maps know or naming their table; or of neither */
    uint64_t first;          /* offset of the first unknown one */
} kq_unknown;
/* False when nobody has read all of it. Any thread. */
bool kq_catalog_unknown(const kq_catalog *catalog, size_t input, kq_unknown *out);
/* Could any input give rows of this table? A JSON file may be read for it. */
bool kq_catalog_has_data(const kq_catalog *catalog, const kq_table *table);

/* How many maps fill the table from other logs. */
uint32_t kq_catalog_maps(const kq_catalog *catalog, const kq_table *table);

/* Where a column's values come from and what they are worth, for `kequel schema`: one text per map, e.g. "exact: Sysmon
 * 1 = basename(Image); unavailable: Security 4688". Appended. */
void kq_catalog_describe(const kq_catalog *catalog, const kq_table *table, uint32_t column, kq_buf *out);

/* One map of a table, as what it is to a user: a source of its rows. */
typedef struct kq_catalog_source {
    kq_sv name; /* "Sysmon 1" */
    const void *map;
} kq_catalog_source;

/* The sources of a table, in the order of the maps, in `arena`. */
kq_status kq_catalog_sources(const kq_catalog *catalog, const kq_table *table, kq_arena *arena,
                             const kq_catalog_source **out, size_t *n, kq_error *err);
/* Appends names of sources, as a list that may be cut: "Sysmon 12, 13, Security 4657". */
void kq_catalog_name_sources(const kq_sv *names, size_t n, kq_buf *out);
/* Appends the sources of a table, as a list that may be cut: "Sysmon 11, 15, 23, Security 4663". */
kq_status kq_catalog_source_list(const kq_catalog *catalog, const kq_table *table, kq_buf *out, kq_error *err);
/* All texts that a column of the source can have, in `arena`; "" is none, a row without a value. *n is 0 when they are
 * not known beforehand, or too many. Errors: NOMEM, LIMIT. */
kq_status kq_catalog_values(const kq_catalog_source *source, uint32_t column, kq_arena *arena, const kq_sv **texts,
                            uint32_t *n, kq_error *err);
/* One operator and one needle that is not empty. */
typedef struct kq_text_test {
    kq_match_op op;
    bool ci;
    kq_sv needle;
} kq_text_test;

/* Why no text passes a test. */
typedef struct kq_cant {
    const char *why; /* static: what stands there instead; NULL: nothing more is to be said */
    /* Static; NULL: it is certain. Otherwise a text that has this, whatever its case, where `unless_op` says, might
     * pass: it is to be looked for. */
    const char *unless;
    kq_match_op unless_op;
} kq_cant;

/* Can the column of a source have such a text? Without a word to the contrary it can. False with *cant. */
bool kq_catalog_can(const kq_catalog *catalog, const kq_catalog_source *source, uint32_t column,
                    const kq_text_test *test, kq_arena *arena, kq_cant *cant);
/* Reads the inputs for cant->unless in the column of any source, once for each column: it is remembered. *has also when
 * an input can be read once only. Errors: NOMEM, LIMIT, CANCELLED, DEADLINE. */
kq_status kq_catalog_look(const kq_catalog *catalog, const kq_table *table, uint32_t column, const kq_cant *cant,
                          kq_budget *budget, bool *has, kq_error *err);
/* Can a source of the table write a column's JSON itself, cheaper than its value: is kq_scan_spec.written worth it? */
bool kq_catalog_writes(const kq_catalog *catalog, const kq_table *table, uint32_t column);
/* Has an input rows of the table itself (an export), not of events that become such rows? */
bool kq_catalog_own_data(const kq_catalog *catalog, const kq_table *table);
/* Reads the inputs and counts the records of each source of kq_catalog_sources, once for a table: it is remembered.
 * Damage is not reported. *known false: an input can be read once only, and is left for the query. Errors: NOMEM,
 * LIMIT, CANCELLED, DEADLINE. */
kq_status kq_catalog_count(const kq_catalog *catalog, const kq_table *table, kq_budget *budget, uint64_t *records,
                           bool *known, kq_error *err);

/* The values that the rows of the inputs have in a column. */
typedef struct kq_observed_column {
    const kq_value *values; /* ascending, texts too */
    uint32_t n;             /* 0: not known */
} kq_observed_column;

/* Is the column one by which events are told apart (EventID, Channel, ActionType, ...), so that its values are looked
 * for? */
bool kq_catalog_observes(const kq_table *table, uint32_t column);
/* Reads the inputs and gives those values, one for each column of the table, once for a table: they are the catalog's
 * until an input is added. Damage is not reported. NULL: an input can be read once only, and is left for the query.
 * Errors: NOMEM, LIMIT, the watch's. */
kq_status kq_catalog_observe(const kq_catalog *catalog, const kq_table *table, kq_budget *budget,
                             const kq_observed_column **out, kq_error *err);

/* Rows of the inputs that have the same values in the columns that kq_catalog_observes. */
typedef struct kq_observed_group {
    const kq_value *keys; /* of each column of the table; of those that are no keys nothing */
    const bool *filled;   /* of each column of the table: a row has a value there, or nobody looked */
    uint64_t rows;
} kq_observed_group;

typedef struct kq_observed_groups {
    const bool *keys, *read; /* of each column of the table: is it a key; was it looked at */
    const kq_observed_group *items;
    uint32_t n;
} kq_observed_groups;

/* Can kq_catalog_group look at the column? A text or a number. */
bool kq_catalog_groups_by(const kq_table *table, uint32_t column);
/* Reads the inputs and gives the groups of a table's rows, and which of the `wanted` columns are empty in each;
 * remembered. They are the catalog's until an input is added. Where there are too many groups the rows are one. Damage
 * is not reported. NULL: an input can be read once only. Errors: NOMEM, LIMIT, the watch's. */
kq_status kq_catalog_group(const kq_catalog *catalog, const kq_table *table, const bool *wanted, kq_budget *budget,
                           const kq_observed_groups **out, kq_error *err);

/* Tables of which nothing is there. A scan that may have left out some kind of event beforehand notes none. */
typedef struct kq_unseen {
    const kq_table *tables[32];
    const kq_table *unread[32]; /* no event was looked for: filters that no kind of them can pass */
    uint32_t n, nunread;        /* no more than there is room for */
    uint64_t scans, rows;       /* all scans, and the rows that they gave */
} kq_unseen;

typedef struct kq_scan_spec {
    const kq_table *table;
    const uint32_t *columns; /* chunk column i is table column columns[i] */
    uint32_t ncolumns;
    const bool *written;            /* columns, or NULL, that come as text: as kq_value_json writes their values */
    const kq_predicate *predicates; /* hints: a row for which they do not hold may be left out */
    uint32_t npredicates;
    kq_report *report;
    kq_budget *budget;
    bool keep_duplicates; /* a start told by two logs is two rows */
    uint64_t *counts;     /* of rows by map of the table, in the model's order; then no rows come. One worker only */
    bool local_null;      /* local times without a zone are null; otherwise they are refused */
    bool told;            /* with starts: also which starts were told, so that another telling can be left out */
    bool starts;          /* src/schema's own: the rows go to a book of process starts (book.h) */
    kq_unseen *unseen;    /* where the table is noted when all was read and no event of it is there; NULL: nowhere */
    bool *seen;           /* src/schema's own: set when an event of the table is met; may be NULL */
    bool *wanted,
        *left; /* src/schema's own: set when a kind of event is looked for, and when one is not; may be NULL */
} kq_scan_spec;

typedef struct kq_scan kq_scan;
typedef struct kq_scan_worker kq_scan_worker;

/* A scan of the catalog's inputs; the spec's arrays must outlive it. Owned by the caller. Errors: NOMEM, LIMIT. */
kq_status kq_scan_create(const kq_catalog *catalog, const kq_scan_spec *spec, kq_scan **out, kq_error *err);
void kq_scan_destroy(kq_scan *scan);
/* A worker's part of the scan; destroyed before it. Errors: NOMEM, LIMIT. */
kq_status kq_scan_worker_create(kq_scan *scan, kq_scan_worker **out, kq_error *err);
void kq_scan_worker_destroy(kq_scan_worker *worker);

/* Takes the next morsel and pushes its rows as chunks to `to`, the strings valid until push returns. *seq is the
 * morsel's number (dense from 0 in the order of inputs, also the high half of chunk->ordinal); *more false when there
 * is none left (nothing was pushed). Any thread with its own worker. Errors: NOMEM, LIMIT, USAGE (a local time, and no
 * zone), the consumer's; damaged input goes to the report. */
kq_status kq_scan_next(kq_scan_worker *worker, const kq_consumer *to, uint64_t *seq, bool *more, kq_error *err);

/* Stored bytes behind the scan and how many were claimed, for progress. */
void kq_scan_progress(const kq_scan *scan, uint64_t *done, uint64_t *total);

#endif
