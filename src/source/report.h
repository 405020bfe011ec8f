/*
 * The report of damage: every place where input was skipped is counted, the first KQ_REPORT_KEPT of them are kept with
 * file, offset and reason. Shared by workers; the kept ones are those that come first by (path order, offset)
 * among what was reported, so that the report does not depend on the number of threads.
 */
#ifndef KQ_SOURCE_REPORT_H
#define KQ_SOURCE_REPORT_H

#include "base/arena.h"
#include "base/sv.h"
#include <pthread.h>

#define KQ_REPORT_KEPT 1000

typedef struct kq_report_item {
    uint32_t file; /* number of the input, in order */
    uint64_t offset;
    const char *path, *reason;
} kq_report_item;

/* What was read of an event log. */
typedef struct kq_report_counts {
    uint64_t live, recovered; /* records; recovered ones are old, past their chunk's free space */
    uint64_t copies;          /* old records that are the same as one that was read */
    uint64_t incomplete;      /* old records of which a part was overwritten */
} kq_report_counts;

typedef struct kq_report_file {
    uint32_t file; /* stands first, as in kq_report_guess */
    const char *path;
    kq_report_counts counts;
} kq_report_file;

/* A file with dates that are two times, of which one was taken. */
typedef struct kq_report_guess {
    uint32_t file; /* stands first */
    const char *path;
    uint64_t offset;
    char date[16]; /* the first such date */
} kq_report_guess;

/* Records of a file with a local time that its zone has twice, or not at all. */
typedef struct kq_report_odds {
    uint32_t key; /* stands first: 2 * the file's number, + 1 when `never` */
    bool never;
    const char *path;
    uint64_t count, offset; /* of the first record */
    char time[64];          /* there */
} kq_report_odds;

typedef struct kq_report {
    pthread_mutex_t lock;
    kq_report_item items[KQ_REPORT_KEPT];
    uint32_t n;
    uint64_t total;
    kq_report_item stale[KQ_REPORT_KEPT]; /* old records that are not whole: nothing that should be there is missing */
    uint32_t nstale;
    kq_report_file *logs; /* by file */
    uint32_t nlogs, logs_cap;
    uint32_t local_file; /* private: of `local` */
    const char *local;   /* the first file with local times of a zone that nobody named, where they are null; or NULL */
    bool unasked;        /* starts of processes were looked for, not in standard input, which is read once; atomic */
    uint32_t again_file; /* private: of `again` */
    const char *again;   /* the first file whose header stands in it again, or NULL */
    kq_report_guess *guesses; /* by file */
    uint32_t nguesses, guesses_cap;
    kq_report_odds *odds; /* by file, and in it by `never` */
    uint32_t nodds, odds_cap;
    uint64_t files, bytes, records; /* read so far; added to with __atomic by readers, per morsel */
    char *texts[KQ_REPORT_KEPT];    /* private: owned copies of reasons */
    char *stale_texts[KQ_REPORT_KEPT];
} kq_report;

void kq_report_init(kq_report *report);
void kq_report_deinit(kq_report *report);
/* Notes that something at `offset` of the file was skipped. `path` must outlive the report. Never fails: when memory is
 * short the reason is lost, the count is not. */
void kq_report_damage(kq_report *report, uint32_t file, const char *path, uint64_t offset, const char *fmt, ...)
    KQ_PRINTF(5, 6);
/* Notes old records, one after another from `offset` on, that were skipped because they are not whole. Never fails. */
void kq_report_stale(kq_report *report, uint32_t file, const char *path, uint64_t offset, uint32_t records,
                     const char *why);
/* Notes what reading a file gave, when it is over. Of a file that is read more than once the highest counts stand.
 * Never fails: without memory the counts are lost. */
void kq_report_log(kq_report *report, uint32_t file, const char *path, const kq_report_counts *counts);

/* Notes that the file has local times of a zone that nobody named. `path` must outlive the report. */
void kq_report_local(kq_report *report, uint32_t file, const char *path);
/* Notes that the file's header stands in it again, and was skipped there. `path` must outlive the report. */
void kq_report_again(kq_report *report, uint32_t file, const char *path);
/* Notes that `text` begins with a date whose order nothing tells, in the record at `offset`: the first one of a file is
 * kept. `path` must outlive the report. Never fails: without memory it is lost. */
void kq_report_guessed(kq_report *report, uint32_t file, const char *path, uint64_t offset, kq_sv text);
/* Notes records with a local time that is not one instant, counted over a whole scan; of a file that is read more than
 * once the highest count stands. `path` must outlive the report. Never fails: without memory it is lost. */
void kq_report_odd(kq_report *report, uint32_t file, const char *path, bool never, uint64_t count, uint64_t offset,
                   const char *time);

#endif
