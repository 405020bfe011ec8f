#include "cli.h"
#include "progress.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static kq_engine *running; /* for the signal handler */
static bool unread;        /* an input was left out */

static kq_status write_all(void *ctx, const char *p, size_t n) {
    (void)ctx;
    cli_progress_clear();
    while (n) {
        ssize_t done = write(STDOUT_FILENO, p, n);
        if (done < 0) {
            if (errno == EINTR) continue;
            return errno == EPIPE ? KQ_ERR_PIPE : KQ_ERR_IO;
        }
        p += done;
        n -= (size_t)done;
    }
    return KQ_OK;
}

kq_output cli_output(const cli_flags *flags) {
    bool terminal = isatty(STDOUT_FILENO);
    struct winsize size;
    kq_output out = {.size = sizeof out, .write = write_all, .format = flags->format};
    if (!out.format) out.format = terminal ? "table" : "ndjson";
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) out.width = size.ws_col;
    out.color = terminal && !getenv("NO_COLOR");
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an errno, and no noise */
    return out;
}

int cli_fail(const kq_error *err, const char *text, size_t n, const char *name) {
    cli_progress_clear();
    if (err->status != KQ_ERR_PIPE) {
        char buf[8192];
        kq_error_format(err, text, n, name, buf, sizeof buf);
        fputs(buf, stderr);
    }
    return kq_status_exit_code(err->status);
}

static void interrupted(int sig) {
    (void)sig;
    if (running) kq_engine_cancel(running);
    signal(SIGINT, SIG_DFL); /* a second one ends it at once */
}

/* "512M", "4G", "1000000"; 0 when it is none of these. */
static size_t parse_size(const char *text) {
    char *end;
    if (text[0] < '0' || text[0] > '9') return 0;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    unsigned shift = 0;
    switch (*end) {
    case 'K':
    case 'k': shift = 10; break;
    case 'M':
    case 'm': shift = 20; break;
    case 'G':
    case 'g': shift = 30; break;
    default: break;
    }
    if (shift) end++;
    if (*end == 'B' || *end == 'b') end++;
    if (*end || errno || n > SIZE_MAX >> shift) return 0;
    return (size_t)n << shift;
}

static int parse_options(const cli_flags *flags, kq_engine_options *o) {
    char *end;
    kq_error err = {0};
    if (flags->threads) {
        unsigned long n = strtoul(flags->threads, &end, 10);
        if (*end || !n || n > 256) return cli_usage("--threads takes a number from 1 to 256, not '%s'", flags->threads);
        o->threads = (unsigned)n;
    }
    if (flags->memory && !(o->memory = parse_size(flags->memory)))
        return cli_usage("--memory takes a size such as 512M, not '%s'", flags->memory);
    if (flags->timeout) {
        double s = strtod(flags->timeout, &end);
        if (*end || !(s > 0 && s < 4e6)) return cli_usage("--timeout takes seconds, not '%s'", flags->timeout);
        o->timeout_ms = (uint32_t)(s * 1000) + 1;
    }
    if (flags->now && strcmp(flags->now, "latest") == 0) {
        o->now_mode = KQ_NOW_LATEST;
    } else if (flags->now) {
        o->now_mode = KQ_NOW_FIXED;
        if (kq_parse_time(flags->now, &o->now, &err) != KQ_OK) return cli_usage("--now: %s", err.message);
    }
    o->no_optimize = flags->no_optimize;
    o->keep_duplicates = flags->keep_duplicates;
    o->slack = flags->slack;
    for (size_t i = 0; i < flags->timezone.n; i++) { /* those of some inputs behind those of all */
        const char *text = flags->timezone.items[i];
        if (strchr(text, '=')) continue;
        if (o->timezone)
            return cli_usage("--timezone names two zones for all inputs: '%s' and '%s'", o->timezone, text);
        o->timezone = text;
    }
    size_t n = 0;
    for (size_t i = 0; i < flags->timezone.n; i++)
        if (strchr(flags->timezone.items[i], '=')) flags->timezone.items[n++] = flags->timezone.items[i];
    o->timezones = flags->timezone.items;
    o->ntimezones = n;
    if ((flags->progress || isatty(STDERR_FILENO)) && !flags->no_progress) o->progress = cli_progress;
    return 0;
}

/* One input that can't be read is no reason to read none of the others; the last hope is. */
static kq_status add_input(kq_engine *engine, const char *path, const char *table, size_t *left, kq_error *err) {
    kq_status status = kq_engine_add_input(engine, path, table, err);
    if (status != KQ_ERR_IO || --*left == 0) return status;
    unread = true;
    cli_fail(err, NULL, 0, "kequel");
    return KQ_OK;
}

int cli_exit_code(kq_status status) {
    int code = kq_status_exit_code(status);
    return code == 0 && unread ? kq_status_exit_code(KQ_ERR_IO) : code;
}

static kq_status add_inputs(const cli_flags *flags, kq_engine *engine, kq_error *err) {
    size_t left = flags->on.n + flags->as.n; /* that can still be read */
    for (size_t i = 0; i < flags->on.n; i++) {
        kq_status status = add_input(engine, flags->on.items[i], NULL, &left, err);
        if (status != KQ_OK) return status;
    }
    for (size_t i = 0; i < flags->as.n; i++) {
        char table[256];
        const char *arg = flags->as.items[i], *eq = strchr(arg, '=');
        if (!eq || eq == arg || !eq[1] || (size_t)(eq - arg) >= sizeof table) {
            err->status = KQ_ERR_USAGE;
            err->span_start = UINT32_MAX;
            snprintf(err->message, sizeof err->message, "--as takes TABLE=PATH, not '%s'", arg);
            return KQ_ERR_USAGE;
        }
        memcpy(table, arg, (size_t)(eq - arg));
        table[eq - arg] = 0;
        kq_status status = add_input(engine, eq + 1, table, &left, err);
        if (status != KQ_OK) return status;
    }
    return KQ_OK;
}

kq_engine *cli_engine(const cli_flags *flags, bool logs_needed, int *exit_code) {
    kq_engine_options options = {.size = sizeof options};
    kq_error err = {0};
    kq_engine *engine = NULL;
    if ((*exit_code = parse_options(flags, &options))) return NULL;
    if (logs_needed && !flags->on.n && !flags->as.n) {
        *exit_code = cli_usage("no logs: --on PATH says which to read");
        return NULL;
    }
    kq_status status = kq_engine_create(&options, &engine, &err);
    for (size_t i = 0; i < flags->map.n && status == KQ_OK; i++)
        status = kq_engine_add_map(engine, flags->map.items[i], &err);
    if (status == KQ_OK) status = add_inputs(flags, engine, &err);
    if (status != KQ_OK) {
        *exit_code = cli_fail(&err, NULL, 0, "kequel");
        kq_engine_destroy(engine);
        return NULL;
    }
    running = engine;
    signal(SIGINT, interrupted);
    return engine;
}

static void print_place(const char *what, const kq_damage *d) {
    fprintf(stderr, "%s: %s at byte %llu: %s\n", what, d->path, (unsigned long long)d->offset, d->reason);
}

/* "log: PATH: 1 live record, 121 recovered, ..." */
static void print_log(const cli_flags *flags, const kq_log_counts *l) {
    fprintf(stderr, "log: %s: %llu live record%s", l->path, (unsigned long long)l->live, l->live == 1 ? "" : "s");
    if (flags->slack)
        fprintf(stderr, ", %llu recovered, %llu old %s left out, %llu incomplete", (unsigned long long)l->recovered,
                (unsigned long long)l->copies, l->copies == 1 ? "copy" : "copies", (unsigned long long)l->incomplete);
    fputc('\n', stderr);
}

void cli_report(const cli_flags *flags, const kq_stats *s) {
    cli_progress_clear();
    for (size_t i = 0; i < s->nnotes; i++) fprintf(stderr, "note: %s\n", s->notes[i]);
    size_t shown = s->ndamages;
    if (!flags->stats && shown > 10) shown = 10;
    for (size_t i = 0; i < shown; i++) print_place("damaged", &s->damages[i]);
    if (s->damaged > shown)
        fprintf(stderr, "damaged: %llu more place%s%s\n", (unsigned long long)(s->damaged - shown),
                s->damaged - shown == 1 ? "" : "s", flags->stats ? "" : "; --stats lists them");
    if (!flags->stats) return;
    for (size_t i = 0; i < s->nstale; i++) print_place("skipped", &s->stale[i]);
    for (size_t i = 0; i < s->nlogs; i++) print_log(flags, &s->logs[i]);
    fprintf(stderr, "files %llu, bytes %llu, ", (unsigned long long)s->files, (unsigned long long)s->bytes);
    if (s->records) fprintf(stderr, "records %llu, ", (unsigned long long)s->records);
    fprintf(stderr, "rows %llu, skipped %llu\n", (unsigned long long)s->rows, (unsigned long long)s->damaged);
    fprintf(stderr, "time %.3f s, %.1f MB/s, peak memory %.1f MB\n", s->seconds,
            s->seconds > 0 ? (double)s->bytes / 1e6 / s->seconds : 0.0, (double)s->peak_memory / 1e6);
}

char *cli_read_file(const char *path, size_t *n) {
    enum { MOST = 16 << 20 };
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *text = f ? malloc(MOST) : NULL;
    if (text) {
        *n = fread(text, 1, MOST, f);
        if (ferror(f) || *n == MOST) {
            fprintf(stderr, "error: %s: %s\n", path, ferror(f) ? strerror(errno) : "too large for a query");
            free(text);
            text = NULL;
        }
    } else {
        fprintf(stderr, "error: %s: %s\n", path, strerror(errno));
    }
    if (f && f != stdin) fclose(f);
    return text;
}
