/*
 * What the parts of the catalog share: its inputs and how each is to be taken. Private to src/schema.
 */
#ifndef KQ_SCHEMA_CATALOG_INTERNAL_H
#define KQ_SCHEMA_CATALOG_INTERNAL_H

#include "base/zone.h"
#include "schema/book.h"
#include "schema/request.h"
#include "source/tally.h"
#include <pthread.h>

/* Tables of the catalogue that queries asked for. */
typedef struct kq_late {
    pthread_mutex_t lock; /* all below */
    kq_arena arena;
    kq_model model;
    kq_sv *names; /* of the catalogue, in a table by hash, once asked for */
    uint32_t mask;
} kq_late;

/* What is known of the records of a file that say themselves what they are (survey.c). */
typedef struct kq_survey {
    kq_buf tables; /* that they name, each with a NUL */
    bool asked;    /* the file was read for it once, at least to what was asked for */
    bool complete; /* all of the file was: no other table is named */
    bool counted;  /* a scan read all of it, or this did */
    uint64_t known, unknown, first;
} kq_survey;

/* Memory of a catalog's books of process starts. */
#define KQ_BOOK_SHARE ((size_t)24 << 20)

/* Books of process starts that scans made, for the scans after them. */
typedef struct kq_shelf kq_shelf;

/* How the records of an input say which table they belong to. */
typedef enum kq_says {
    KQ_SAYS_NOTHING,  /* the maps know, or the input's table is known */
    KQ_SAYS_CATEGORY, /* Defender's streaming envelope */
    KQ_SAYS_TYPE,     /* the field Type of exports of Log Analytics */
    KQ_SAYS_TABLE     /* the field $table */
} kq_says;
typedef struct kq_loaded {
    kq_sv text;
    const char *name;
    struct kq_loaded *next;
} kq_loaded;

typedef struct kq_zoned {
    const char *pattern;
    const kq_zone *zone; /* or NULL */
    kq_dates dates;
    bool met; /* it matches an input */
    struct kq_zoned *next;
} kq_zoned;

/* Files that were added, by what they are on the disk: all without a table, and those of a folder that is being added
 * as one. */
typedef struct kq_met {
    uint64_t device, inode;
    size_t input;  /* the first input made of it; SIZE_MAX: none */
    uint32_t more; /* names in the folder at hand that lead to it too */
} kq_met;

struct kq_catalog {
    kq_arena arena;
    kq_budget *budget;
    kq_model model;
    kq_input *inputs;
    kq_says *says; /* beside inputs */
    kq_survey *surveys;
    pthread_mutex_t *surveying; /* of the surveys */
    kq_watch watch;             /* of surveys, counts and the reading of process starts */
    size_t ninputs, cap;
    bool keep_duplicates;
    struct kq_loaded *loaded; /* the user's map files, the last first */
    bool slack;
    const kq_zone *zone; /* of local times, or NULL */
    kq_dates dates;
    kq_zoned *zoned; /* inputs with a zone of their own, the last first */
    kq_shelf *shelf;
    kq_met *met; /* a table by hash; or NULL */
    size_t nmet, met_mask;
    size_t book_share;       /* 0: KQ_BOOK_SHARE, or less where the budget is small */
    const kq_table **tables; /* made anew when a table is added */
    size_t ntables;
    kq_archive **archives; /* that inputs are members of */
    size_t narchives;
    kq_late *late;
    kq_function *functions; /* stored */
    kq_sv *function_names;  /* of those that are not hidden */
    size_t nfunctions, nfunction_names, functions_cap;
};

/* stored.c. Adds the functions of a KQL text: each starts at a line `let NAME = (` and goes to the next such line or to
 * a comment line; comment lines right before it are its description. `text` and `file` must outlive the catalog. */
kq_status kq_functions_load(kq_catalog *catalog, kq_sv text, const char *file, kq_error *err);
kq_status kq_functions_builtin(kq_catalog *catalog, kq_error *err);
/* What stands behind --slack in a comment of a function counts when old records are read. */
kq_status kq_functions_slack(kq_catalog *catalog, kq_error *err);

/* Do maps make rows of this table from files of this kind? */
bool kq_catalog_mapped(const kq_catalog *catalog, const kq_source_type *type, const kq_table *table);
/* probe.c: does any map make a row of the first records of the input? Errors: NOMEM, LIMIT. */
kq_status kq_catalog_probe(kq_catalog *catalog, const kq_input *input, bool *found, kq_error *err);

/* Can records of the input say themselves which table they are of? Then a survey tells which do. */
bool kq_catalog_says(const kq_catalog *catalog, size_t input);
/* Notes a table that the first records name, if there is one of this name. One thread. */
void kq_survey_note(kq_catalog *catalog, kq_survey *survey, kq_sv name);
/* Does a record of the input name this table? The file is read when that is not known yet; true also when the watch
 * stops that: who asks then meets it. Any thread, as all below. */
bool kq_survey_has(const kq_catalog *catalog, size_t input, kq_sv name);
/* The same of an input whose records all say it in one column. Of one that can't be read for it: true. */
bool kq_survey_says(const kq_catalog *catalog, size_t input, kq_sv name);
/* Takes what a scan that read all of the input has counted. */
void kq_survey_take(const kq_catalog *catalog, size_t input, const kq_tally *tally);
/* Adds the table of the catalogue to the model, so that it is among kq_catalog_tables. One thread. Errors: NOMEM. */
kq_status kq_catalog_use(kq_catalog *catalog, kq_sv name, kq_error *err);
/* Is there a table of this name, in the model or the catalogue? `catalog` is a kq_catalog. */
bool kq_catalog_knows(const void *catalog, kq_sv name);

/* Can the input give rows of this table that maps make of events, also of those that are rows of another table? It may
 * be read for that. */
bool kq_catalog_events(const kq_catalog *catalog, size_t input, const kq_table *table);
/* How the records of `input` are taken for `table`: false when none of them can belong to it. */
bool kq_catalog_access(const kq_catalog *catalog, size_t input, const kq_table *table, kq_access *access);

/* A book with at least these columns of DeviceProcessEvents, and with what was told when `told`; NULL: none was made
 * yet. It is lent until it is returned. *own: which columns it has, in its order. From any thread, as all below. */
kq_book *kq_catalog_book(const kq_catalog *catalog, const uint32_t *columns, uint32_t n, bool told, uint32_t **own,
                         uint32_t *nown);
/* A book is to be made: adds the columns of those that are there to columns[0..*n), which has room for all of the
 * table, so that the new one can take their place. *told too, if one of them has it. */
void kq_catalog_book_join(const kq_catalog *catalog, uint32_t *columns, uint32_t *n, bool *told);
/* Throws away the books that nobody has borrowed and that one with these columns takes the place of. Returns the memory
 * that is left for it. */
size_t kq_catalog_book_share(const kq_catalog *catalog, const uint32_t *columns, uint32_t n, bool told);
/* The catalog takes the book and lends it to its maker: it is there until an input is added, the catalog goes or a book
 * with more takes its place. False without memory: then the book stays its maker's. */
bool kq_catalog_keep_book(const kq_catalog *catalog, kq_book *book, const uint32_t *columns, uint32_t n, bool told);
/* The borrower needs it no more. */
void kq_catalog_return_book(const kq_catalog *catalog, const kq_book *book);
kq_status kq_shelf_create(kq_shelf **out, kq_error *err);
/* What kq_catalog_count found for a table, of n sources; false: it was not counted. */
bool kq_shelf_counts(kq_shelf *shelf, const kq_table *table, uint64_t *records, uint32_t n);
void kq_shelf_keep_counts(kq_shelf *shelf, const kq_table *table, const uint64_t *records, uint32_t n);
/* Is an input read once only (standard input), so that it is left for the query? */
bool kq_catalog_streams(const kq_catalog *catalog);
/* Reads all that `spec` asks for by one worker, until *enough. `spec` is given a report of its own: damage is for the
 * query to tell. Errors: NOMEM, LIMIT, the watch's, those of `to`. */
kq_status kq_catalog_read(const kq_catalog *catalog, kq_scan_spec *spec, const kq_consumer *to, const bool *enough,
                          kq_error *err);

/* What kq_catalog_observe found of a table; its memory is its own. */
typedef struct kq_observed {
    const kq_table *table;
    kq_arena arena;
    kq_observed_column *columns;
    struct kq_observed *next;
} kq_observed;
/* The same; NULL: nobody looked. And the shelf takes what was found, which it returns. */
const kq_observed_column *kq_shelf_observed(kq_shelf *shelf, const kq_table *table);
const kq_observed_column *kq_shelf_keep_observed(kq_shelf *shelf, kq_observed *made);
/* What kq_catalog_group found of a table; its memory is its own. */
typedef struct kq_grouped {
    const kq_table *table;
    kq_arena arena;
    kq_observed_groups groups;
    struct kq_grouped *next;
} kq_grouped;
/* One that looked at the wanted columns; NULL: there is none. *n: how many there are of the table. */
const kq_observed_groups *kq_shelf_grouped(kq_shelf *shelf, const kq_table *table, const bool *wanted, uint32_t *n);
const kq_observed_groups *kq_shelf_keep_grouped(kq_shelf *shelf, kq_grouped *made);
/* Throws away all books and counts; `shelf` too when `all`. */
/* Was such a text looked for in the column, and is it there? */
bool kq_shelf_looked(kq_shelf *shelf, const kq_table *table, uint32_t column, const kq_cant *cant, bool *has);
void kq_shelf_keep_look(kq_shelf *shelf, const kq_table *table, uint32_t column, const kq_cant *cant, bool has);
void kq_shelf_clear(kq_shelf *shelf, bool all);

/* Makes a table `name` from the first records of an opened source: its fields, and types that fit their values.
 * Errors: NOMEM, DAMAGED when there is no record to learn from. */
kq_status kq_table_infer(kq_source *source, kq_sv name, kq_arena *arena, kq_budget *budget, kq_model_table **out,
                         kq_error *err);

#endif
