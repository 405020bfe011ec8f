#include "source/report.h"
#include <stdio.h>
#include <string.h>

void kq_report_init(kq_report *report) {
    memset(report, 0, sizeof *report);
    pthread_mutex_init(&report->lock, NULL);
}

void kq_report_deinit(kq_report *report) {
    if (!report) return;
    for (uint32_t i = 0; i < report->n; i++) kq_free(report->texts[i]);
    report->n = 0;
    pthread_mutex_destroy(&report->lock);
}

static int compare(const kq_report_item *item, uint32_t file, uint64_t offset, const char *reason) {
    if (item->file != file) return item->file < file ? -1 : 1;
    if (item->offset != offset) return item->offset < offset ? -1 : 1;
    return strcmp(item->reason, reason);
}

void kq_report_damage(kq_report *report, uint32_t file, const char *path, uint64_t offset, const char *fmt, ...) {
    char text_of[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text_of, sizeof text_of, fmt, args);
    if (n < 0) text_of[0] = 0;
    if (n >= (int)sizeof text_of) { /* cut before a character, not within one */
        size_t cut = sizeof text_of - 1;
        while (cut && ((unsigned char)text_of[cut - 1] & 0xC0) == 0x80) cut--;
        if (cut && (unsigned char)text_of[cut - 1] >= 0xC0) cut--;
        text_of[cut] = 0;
    }
    va_end(args);
    /* The message of an error names its file, as an item does already. */
    const char *reason = text_of;
    size_t named = path ? strlen(path) : 0;
    if (named && strncmp(reason, path, named) == 0 && strncmp(reason + named, ": ", 2) == 0) reason += named + 2;

    pthread_mutex_lock(&report->lock);
    /* Items stay sorted; most damage comes in ascending order, so the search starts from the end. */
    uint32_t at = report->n;
    if (at && compare(&report->items[at - 1], file, offset, reason) >= 0) {
        uint32_t low = 0, high = at;
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (compare(&report->items[mid], file, offset, reason) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        at = low;
    }
    /* A file that a query reads twice is damaged once. */
    if (at < report->n && compare(&report->items[at], file, offset, reason) == 0) goto out;
    report->total++;
    if (at == KQ_REPORT_KEPT) goto out;
    char *text = kq_strdup(reason);
    if (report->n == KQ_REPORT_KEPT) {
        kq_free(report->texts[KQ_REPORT_KEPT - 1]);
        report->n--;
    }
    memmove(report->items + at + 1, report->items + at, (report->n - at) * sizeof *report->items);
    memmove(report->texts + at + 1, report->texts + at, (report->n - at) * sizeof *report->texts);
    report->items[at] = (kq_report_item){file, offset, path, text ? text : ""};
    report->texts[at] = text;
    report->n++;
out:
    pthread_mutex_unlock(&report->lock);
}
