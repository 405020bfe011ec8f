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
    for (uint32_t i = 0; i < report->nstale; i++) kq_free(report->stale_texts[i]);
    report->n = report->nstale = 0;
    kq_free(report->logs);
    report->logs = NULL;
    report->nlogs = report->logs_cap = 0;
    kq_free(report->odds);
    report->odds = NULL;
    report->nodds = report->odds_cap = 0;
    kq_free(report->guesses);
    report->guesses = NULL;
    report->nguesses = report->guesses_cap = 0;
    pthread_mutex_destroy(&report->lock);
}

/* Files that could not be opened have the number of the next one that could: their names tell them apart. */
static int compare(const kq_report_item *a, const kq_report_item *b) {
    if (a->file != b->file) return a->file < b->file ? -1 : 1;
    int names = a->path == b->path ? 0 : strcmp(a->path ? a->path : "", b->path ? b->path : "");
    if (names) return names;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    return strcmp(a->reason, b->reason);
}

/* Puts an item into its place among the kept ones. False when it stands there already: a file that a query reads twice
 * is damaged once. */
static bool note(kq_report_item *items, char **texts, uint32_t *n, const kq_report_item *item) {
    /* Items stay sorted; most damage comes in ascending order, so the search starts from the end. */
    uint32_t at = *n;
    if (at && compare(&items[at - 1], item) >= 0) {
        uint32_t low = 0, high = at;
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (compare(&items[mid], item) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        at = low;
    }
    if (at < *n && compare(&items[at], item) == 0) return false;
    if (at == KQ_REPORT_KEPT) return true;
    char *text = kq_strdup(item->reason);
    if (*n == KQ_REPORT_KEPT) kq_free(texts[--*n]);
    memmove(items + at + 1, items + at, (*n - at) * sizeof *items);
    memmove(texts + at + 1, texts + at, (*n - at) * sizeof *texts);
    items[at] = *item;
    items[at].reason = text ? text : "";
    texts[at] = text;
    ++*n;
    return true;
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
    /* The message of an error names its file, or the archive that it is in, as an item does already. */
    const char *reason = text_of;
    size_t named = 0;
    while (path && path[named] && reason[named] == path[named]) named++;
    if (named && (!path[named] || path[named] == '/') && strncmp(reason + named, ": ", 2) == 0) reason += named + 2;
    pthread_mutex_lock(&report->lock);
    report->total += note(report->items, report->texts, &report->n,
                          &(kq_report_item){.file = file, .offset = offset, .path = path, .reason = reason});
    pthread_mutex_unlock(&report->lock);
}

void kq_report_stale(kq_report *report, uint32_t file, const char *path, uint64_t offset, uint32_t records,
                     const char *why) {
    char reason[256];
    if (records == 1)
        snprintf(reason, sizeof reason, "an old record is not whole: %s", why);
    else
        snprintf(reason, sizeof reason, "%u old records are not whole: %s", (unsigned)records, why);
    pthread_mutex_lock(&report->lock);
    note(report->stale, report->stale_texts, &report->nstale,
         &(kq_report_item){.file = file, .offset = offset, .path = path, .reason = reason});
    pthread_mutex_unlock(&report->lock);
}

static void most(uint64_t *to, uint64_t n) {
    if (n > *to) *to = n;
}

/* Of things that are kept in the order of a number with which each begins, the file's as a rule, the one of `file`: *at
 * is its place, `fresh` when it is made now, zeroed but for the number. Returns the array, which may have moved; NULL
 * without memory. */
static void *by_file(void *items, uint32_t *n, uint32_t *cap, size_t size, uint32_t file, uint32_t *at, bool *fresh) {
    char *p = items;
    uint32_t i = *n, there = 0;
    for (; i; i--) {
        memcpy(&there, p + (i - 1) * size, sizeof there);
        if (there <= file) break;
    }
    *fresh = !i || there != file;
    *at = *fresh ? i : i - 1;
    if (!*fresh) return p;
    if (*n == *cap) {
        uint32_t more = *cap ? 2 * *cap : 16;
        if (!(p = kq_realloc(p, more * size))) return NULL;
        *cap = more;
    }
    memmove(p + (i + 1) * size, p + i * size, (*n - i) * size);
    memset(p + i * size, 0, size);
    memcpy(p + i * size, &file, sizeof file);
    ++*n;
    return p;
}

void kq_report_log(kq_report *report, uint32_t file, const char *path, const kq_report_counts *counts) {
    uint32_t at;
    bool fresh;
    pthread_mutex_lock(&report->lock);
    kq_report_file *logs = by_file(report->logs, &report->nlogs, &report->logs_cap, sizeof *logs, file, &at, &fresh);
    if (logs) {
        report->logs = logs;
        if (fresh) logs[at].path = path;
        most(&logs[at].counts.live, counts->live);
        most(&logs[at].counts.recovered, counts->recovered);
        most(&logs[at].counts.copies, counts->copies);
        most(&logs[at].counts.incomplete, counts->incomplete);
    }
    pthread_mutex_unlock(&report->lock);
}

void kq_report_local(kq_report *report, uint32_t file, const char *path) {
    pthread_mutex_lock(&report->lock);
    if (!report->local || file < report->local_file) {
        report->local = path;
        report->local_file = file;
    }
    pthread_mutex_unlock(&report->lock);
}

void kq_report_again(kq_report *report, uint32_t file, const char *path) {
    pthread_mutex_lock(&report->lock);
    if (!report->again || file < report->again_file) {
        report->again = path;
        report->again_file = file;
    }
    pthread_mutex_unlock(&report->lock);
}

void kq_report_guessed(kq_report *report, uint32_t file, const char *path, uint64_t offset, kq_sv text) {
    uint32_t at;
    bool fresh;
    pthread_mutex_lock(&report->lock);
    kq_report_guess *guesses =
        by_file(report->guesses, &report->nguesses, &report->guesses_cap, sizeof *guesses, file, &at, &fresh);
    if (guesses) report->guesses = guesses;
    if (guesses && (fresh || offset < guesses[at].offset)) {
        kq_report_guess *g = &guesses[at];
        *g = (kq_report_guess){.file = file, .path = path, .offset = offset};
        for (size_t i = 0; i < text.n && i + 1 < sizeof g->date && text.p[i] >= '-' && text.p[i] <= '9'; i++)
            g->date[i] = text.p[i];
    }
    pthread_mutex_unlock(&report->lock);
}

void kq_report_odd(kq_report *report, uint32_t file, const char *path, bool never, uint64_t count, uint64_t offset,
                   const char *time) {
    uint32_t at;
    bool fresh;
    pthread_mutex_lock(&report->lock);
    kq_report_odds *odds =
        by_file(report->odds, &report->nodds, &report->odds_cap, sizeof *odds, 2 * file + never, &at, &fresh);
    if (odds) {
        kq_report_odds *o = &odds[at];
        report->odds = odds;
        if (fresh || offset < o->offset) {
            o->never = never;
            o->path = path;
            o->offset = offset;
            snprintf(o->time, sizeof o->time, "%s", time);
        }
        most(&o->count, count);
    }
    pthread_mutex_unlock(&report->lock);
}
