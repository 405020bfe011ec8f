/*
 * The report of damage: every place where input was skipped is counted, the first KQ_REPORT_KEPT of them are kept with
 * file, offset and reason. Shared by workers; the kept ones are those that come first by (path order, offset)
 * among what was reported, so that the report does not depend on the number of threads.
 */
#ifndef KQ_SOURCE_REPORT_H
#define KQ_SOURCE_REPORT_H

#include "base/arena.h"
#include <pthread.h>

#define KQ_REPORT_KEPT 1000

typedef struct kq_report_item {
    uint32_t file; /* number of the input, in order */
    uint64_t offset;
    const char *path, *reason;
} kq_report_item;

typedef struct kq_report {
    pthread_mutex_t lock;
    kq_report_item items[KQ_REPORT_KEPT];
    uint32_t n;
    uint64_t total;
    uint64_t files, bytes, records; /* read so far; added to with __atomic by readers, per morsel */
    char *texts[KQ_REPORT_KEPT];    /* private: owned copies of reasons */
} kq_report;

void kq_report_init(kq_report *report);
void kq_report_deinit(kq_report *report);
/* Notes that something at `offset` of the file was skipped. `path` must outlive the report. Never fails: when memory is
 * short the reason is lost, the count is not. */
void kq_report_damage(kq_report *report, uint32_t file, const char *path, uint64_t offset, const char *fmt, ...)
    KQ_PRINTF(5, 6);

#endif
