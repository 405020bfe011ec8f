#include "api/engine.h"
#include "base/time.h"
#include "kql/diagnostic.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define UNKNOWN_MAX 5 /* notes of files that nothing reads */

#define DEFAULT_MEMORY ((size_t)2 << 30)
#define MAP_MOST       ((size_t)16 << 20) /* bytes of a map file */

const char *kq_version(void) {
    return KQ_VERSION;
}

kq_status kq_engine_create(const kq_engine_options *options, kq_engine **out, kq_error *err) {
    kq_engine *e = kq_calloc(1, sizeof *e);
    if (!e) return kq_nomem(err);
    if (options && options->size > sizeof *options) {
        kq_free(e);
        return kq_fail(err, KQ_ERR_USAGE, "the options are of a newer kequel than this library");
    }
    if (options) memcpy(&e->options, options, options->size);
    if (!e->options.threads) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        e->options.threads = n > 0 ? (unsigned)n : 1;
    }
    if (e->options.threads > 256) e->options.threads = 256;
    if (!e->options.memory) e->options.memory = DEFAULT_MEMORY;
    kq_budget_init(&e->budget, e->options.memory);
    kq_report_init(&e->report);
    kq_buf_init(&e->runner.notes, NULL, 1 << 16);
    kq_status status = kq_catalog_create(&e->budget, &e->catalog, err);
    if (!status && e->options.slack) status = kq_catalog_slack(e->catalog, err);
    if (!status && e->options.timezone)
        status = kq_catalog_set_timezone(e->catalog, kq_sv_of(e->options.timezone), err);
    for (size_t i = 0; !status && i < e->options.ntimezones; i++) {
        kq_sv text = kq_sv_of(e->options.timezones[i]);
        const char *eq = memrchr(text.p, '=', text.n);
        if (!eq)
            status = kq_fail(err, KQ_ERR_USAGE, "'%s': the zone of some inputs is PATTERN=ZONE", text.p);
        else
            status = kq_catalog_zone_of(e->catalog, kq_sv_slice(text, 0, (size_t)(eq - text.p)),
                                        kq_sv_slice(text, (size_t)(eq - text.p) + 1, text.n), err);
    }
    if (status) {
        kq_engine_destroy(e);
        return status;
    }
    kq_catalog_keep_duplicates(e->catalog, e->options.keep_duplicates);
    *out = e;
    return KQ_OK;
}

void kq_engine_destroy(kq_engine *e) {
    if (!e) return;
    kq_catalog_destroy(e->catalog);
    kq_report_deinit(&e->report);
    kq_buf_deinit(&e->runner.notes);
    kq_free(e->visualization);
    kq_free(e->logs);
    kq_free(e);
}

void kq_engine_cancel(kq_engine *e) {
    atomic_store(&e->cancelled, true);
}

kq_status kq_engine_add_map(kq_engine *e, const char *path, kq_error *err) {
    kq_buf text;
    char block[16 * 1024];
    FILE *f = fopen(path, "rb");
    if (!f) return kq_fail(err, KQ_ERR_USAGE, "%s: %s", path, strerror(errno)); /* no input: nothing to go on with */
    kq_buf_init(&text, &e->budget, MAP_MOST);
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) kq_buf_append(&text, block, n);
    kq_status status = kq_buf_status(&text, err);
    if (ferror(f)) status = kq_fail(err, KQ_ERR_USAGE, "%s: %s", path, strerror(errno));
    fclose(f);
    if (!status) status = kq_catalog_load(e->catalog, kq_buf_view(&text), path, err);
    kq_buf_deinit(&text);
    return status;
}

kq_status kq_engine_add_input(kq_engine *e, const char *path, const char *table, kq_error *err) {
    return kq_catalog_add(e->catalog, path, table, &e->report, err);
}

kq_status kq_engine_begin(kq_engine *e, kq_error *err) {
    e->started = kq_clock_ns();
    e->rows = 0;
    kq_buf_clear(&e->runner.notes);
    e->runner.asks_now = false;
    atomic_store(&e->cancelled, false);
    e->runner.env = (kq_exec_env){
        .catalog = e->catalog,
        .budget = &e->budget,
        .report = &e->report,
        .threads = e->options.threads,
        .watch = {&e->cancelled, e->options.timeout_ms ? e->started + (uint64_t)e->options.timeout_ms * 1000000 : 0},
        .progress = e->options.progress,
        .progress_ctx = e->options.progress_ctx,
    };
    kq_catalog_watch(e->catalog, &e->runner.env.watch);
    e->runner.no_optimize = e->options.no_optimize;
    e->runner.now = e->options.now_mode == KQ_NOW_FIXED ? e->options.now : kq_time_now();
    if (e->options.now_mode == KQ_NOW_LATEST) {
        int64_t first, last;
        bool found;
        KQ_TRY(kq_runner_span(&e->runner, &first, &last, &found, err));
        if (found) e->runner.now = last;
    }
    return KQ_OK;
}

/* What is to be said of the inputs. Files that nothing reads: of many, the first ones. */
static void note_inputs(kq_engine *e) {
    size_t n, unknown = 0;
    const kq_input *inputs = kq_catalog_inputs(e->catalog, &n);
    for (size_t i = 0; i < n; i++)
        if (inputs[i].remark) kq_runner_note(&e->runner, "%s: %s", inputs[i].path, inputs[i].remark);
    if (e->report.unasked)
        kq_runner_note(&e->runner,
                       "standard input is read once: what parents' own starts in it tell is not known, and a "
                       "start that Sysmon and Security both tell is two rows; of a file it is one");
    if (e->report.again)
        kq_runner_note(&e->runner, "%s: its header stands in it again, as in files that were joined: no row there",
                       e->report.again);
    for (uint32_t i = 0; i < e->report.nguesses && i < UNKNOWN_MAX; i++)
        kq_runner_note(&e->runner,
                       "%s: %s is taken as month/day/year; no date that was looked at beforehand tells if it is "
                       "day/month/year: --timezone ZONE,dmy or ZONE,mdy does",
                       e->report.guesses[i].path, e->report.guesses[i].date);
    if (e->report.nguesses > UNKNOWN_MAX)
        kq_runner_note(&e->runner, "%u more files with such dates", (unsigned)e->report.nguesses - UNKNOWN_MAX);
    for (uint32_t i = 0; i < e->report.nodds && i < 2 * UNKNOWN_MAX; i++) {
        const kq_report_odds *o = &e->report.odds[i];
        kq_runner_note(&e->runner, "%s: %llu record%s with a time that its zone %s, the first at byte %llu ('%s'): %s",
                       o->path, (unsigned long long)o->count, o->count == 1 ? "" : "s",
                       o->never ? "does not have, as clocks were set forward" : "has twice, as clocks were set back",
                       (unsigned long long)o->offset, o->time,
                       o->never ? "read with the offset after that" : "taken as the later one");
    }
    if (e->report.nodds > 2 * UNKNOWN_MAX)
        kq_runner_note(&e->runner, "more files with such times: %u notes", (unsigned)e->report.nodds - 2 * UNKNOWN_MAX);
    size_t partly = 0;
    for (size_t i = 0; i < n; i++) {
        kq_unknown u;
        if (!kq_catalog_unknown(e->catalog, i, &u) || !u.unknown || (inputs[i].unknown && !u.known)) continue;
        if (++partly <= UNKNOWN_MAX)
            kq_runner_note(&e->runner, "%s: %llu record%s of no known shape, the first at byte %llu: not read",
                           inputs[i].path, (unsigned long long)u.unknown, u.unknown == 1 ? "" : "s",
                           (unsigned long long)u.first);
    }
    if (partly > UNKNOWN_MAX)
        kq_runner_note(&e->runner, "%zu more files with records of no known shape", partly - UNKNOWN_MAX);
    for (size_t i = 0; i < n; i++) {
        kq_unknown u;
        if (kq_catalog_unknown(e->catalog, i, &u) && u.known) continue;
        if (inputs[i].unknown && ++unknown <= UNKNOWN_MAX)
            kq_runner_note(&e->runner, "%s: %s %s", inputs[i].path, inputs[i].type->name, inputs[i].unknown);
    }
    if (unknown > UNKNOWN_MAX) kq_runner_note(&e->runner, "%zu more files that nothing reads", unknown - UNKNOWN_MAX);
}

kq_status kq_engine_note_old(kq_engine *e, kq_error *err) {
    size_t inputs;
    kq_catalog_inputs(e->catalog, &inputs);
    return e->options.now_mode == KQ_NOW_CLOCK && inputs ? kq_runner_note_old(&e->runner, err) : KQ_OK;
}

kq_status kq_engine_end(kq_engine *e, kq_status status, kq_stats *stats, kq_error *err) {
    kq_report *r = &e->report;
    kq_catalog_watch(e->catalog, NULL); /* what is asked between calls is not of this one's time */
    if (!status) note_inputs(e);
    const char *idle; /* also when times without a zone are why it failed */
    for (size_t i = 0; (idle = kq_catalog_idle_zone(e->catalog, i)); i++)
        kq_runner_note(&e->runner, "--timezone '%s=...': no input has such a path", idle);
    if (stats) {
        size_t size = stats->size && stats->size < sizeof *stats ? stats->size : sizeof *stats;
        kq_stats s = {.size = size,
                      .files = r->files,
                      .bytes = r->bytes,
                      .records = r->records,
                      .rows = e->rows,
                      .damaged = r->total,
                      .damages = e->damages,
                      .ndamages = r->n,
                      .seconds = (double)(kq_clock_ns() - e->started) / 1e9,
                      .peak_memory = atomic_load(&e->budget.peak),
                      .notes = e->notes,
                      .visualization = e->visualization,
                      .stale = e->stale,
                      .nstale = r->nstale};
        for (uint32_t i = 0; i < r->n; i++)
            e->damages[i] = (kq_damage){r->items[i].path, r->items[i].offset, r->items[i].reason};
        for (uint32_t i = 0; i < r->nstale; i++)
            e->stale[i] = (kq_damage){r->stale[i].path, r->stale[i].offset, r->stale[i].reason};
        kq_free(e->logs);
        e->logs = r->nlogs ? kq_malloc(r->nlogs * sizeof *e->logs) : NULL;
        if (e->logs) {
            for (uint32_t i = 0; i < r->nlogs; i++) {
                const kq_report_counts *c = &r->logs[i].counts;
                e->logs[i] = (kq_log_counts){r->logs[i].path, c->live, c->recovered, c->copies, c->incomplete};
            }
            s.logs = e->logs;
            s.nlogs = r->nlogs;
        }
        const kq_buf *notes = &e->runner.notes;
        for (const char *p = notes->p; p && p < notes->p + notes->n && s.nnotes < 64; p += strlen(p) + 1)
            e->notes[s.nnotes++] = p;
        memcpy(stats, &s, size);
    }
    if (status == KQ_OK && r->total)
        return kq_fail(err, KQ_ERR_DAMAGED, "some input was damaged or unreadable: %llu place%s skipped",
                       (unsigned long long)r->total, r->total == 1 ? "" : "s");
    return status;
}

void kq_error_format(const kq_error *error, const char *text, size_t n, const char *name, char *buf, size_t cap) {
    kq_buf out;
    kq_buf_init(&out, NULL, 1 << 16);
    kq_diagnostic_print(error, (kq_sv){text ? text : "", n}, name, &out);
    size_t m = out.n < cap ? out.n : cap ? cap - 1 : 0;
    if (m) memcpy(buf, out.p, m);
    if (cap) buf[m] = 0;
    kq_buf_deinit(&out);
}

kq_status kq_parse_time(const char *text, int64_t *ticks, kq_error *err) {
    if (kq_time_parse(kq_sv_of(text), ticks)) return KQ_OK;
    return kq_fail(err, KQ_ERR_USAGE, "'%.100s' is not a time: write 2026-01-15T00:00:00Z", text);
}
