#include "rules/detect.h"
#include "base/time.h"
#include "column/dynamic.h"
#include "exec/lacking.h"
#include "kql/diagnostic.h"
#include "rules/rowset.h"
#include "sink/listing.h"

#define EVENTS_MAX 100 /* events shown in one alert; EventCount counts all */

kq_status kq_rule_error(const kq_rule *r, kq_status status, kq_error *err) {
    if (status != KQ_ERR_QUERY || !err) return status;
    uint32_t line = 1, column = 1;
    for (uint32_t i = 0; i < err->span_start && i < r->query.n; i++) {
        column++;
        if (r->query.p[i] == '\n') {
            line++;
            column = 1;
        }
    }
    kq_error told = *err, shown;
    (void)kq_fail(&shown, KQ_ERR_RULE, "%.150s: line %u, column %u of the query: %.300s", r->path, line, column,
                  told.message);
    memcpy(told.message, shown.message, sizeof told.message);
    told.hint[0] = 0;
    kq_buf text; /* the line with the caret, as far as it fits: the query is gone when the error is printed */
    kq_buf_init(&text, NULL, 4096);
    kq_diagnostic_print(&told, r->query, "query", &text);
    const size_t prefix = strlen("error: ");
    if (text.n > prefix + 1 && text.n - prefix - 1 < sizeof shown.message)
        (void)kq_fail(&shown, KQ_ERR_RULE, "%.*s", (int)(text.n - prefix - 1), text.p + prefix);
    kq_buf_deinit(&text);
    if (err->hint[0]) kq_error_hint(&shown, "%s", err->hint);
    *err = shown;
    return KQ_ERR_RULE;
}

static bool triggered(const kq_rule *r, uint64_t rows) {
    int64_t n = (int64_t)rows;
    switch (r->trigger) {
    case KQ_TRIGGER_GT: return n > r->threshold;
    case KQ_TRIGGER_LT: return n < r->threshold;
    case KQ_TRIGGER_EQ: return n == r->threshold;
    case KQ_TRIGGER_NE: return n != r->threshold;
    }
    return false;
}

/* ---- alerts */

static const kq_column alert_columns[] = {{{"Time", 4}, KQ_DATETIME, false},      {{"AlertName", 9}, KQ_STRING, false},
                                          {{"Severity", 8}, KQ_STRING, false},    {{"Tactics", 7}, KQ_STRING, false},
                                          {{"Techniques", 10}, KQ_STRING, false}, {{"RuleId", 6}, KQ_STRING, false},
                                          {{"EventCount", 10}, KQ_LONG, false},   {{"Events", 6}, KQ_DYNAMIC, false}};

/* One rule being run: its rows of the run in progress, and what earlier runs reported. */
typedef struct run {
    kq_detection *d;
    const kq_rule *rule;
    kq_rowset set;
    kq_listing *alerts;        /* alerts go here, or rows of several rules */
    kq_sink *sink;             /* rows of the only rule */
    const kq_columns *columns; /* of the run in progress */
    kq_buf text, dyn;          /* one row as JSON, and as a dynamic */
    kq_buf events;             /* the run's new rows: JSON objects, each ended by NUL */
    uint64_t fresh, total;
    bool fired; /* a row came in some run */
} run;

static kq_status begin(void *ctx, const kq_columns *columns, KQ_UNUSED kq_sv visualization, kq_error *err) {
    run *r = ctx;
    r->columns = columns;
    if (r->alerts || r->sink) return KQ_OK;
    return kq_sink_create(r->d->out, columns, r->d->runner->env.budget, &r->sink, err);
}

/* Text that kq_row_json wrote, or an array of such. */
static kq_status read_back(const kq_buf *text, kq_buf *dyn, kq_error *err) {
    kq_buf_clear(dyn);
    if (!kq_dyn_parse_json(kq_buf_view(text), dyn) && !dyn->failed)
        return kq_fail(err, KQ_ERR_INTERNAL, "a result row did not read back");
    return kq_buf_status(dyn, err);
}

/* A row among those of other rules. */
static kq_status write_row(run *r, kq_error *err) {
    KQ_TRY(read_back(&r->text, &r->dyn, err));
    kq_value row[] = {kq_value_sv(r->rule->name), {.type = KQ_DYNAMIC, .u.s = kq_str_sv(kq_buf_view(&r->dyn))}};
    return kq_listing_row(r->alerts, row, err);
}

static kq_status push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    run *r = ctx;
    uint16_t sel[KQ_CHUNK_ROWS];
    uint32_t n = 0;
    uint64_t most = r->rule->alert_per_result ? UINT64_MAX : EVENTS_MAX;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        bool fresh = true;
        r->total++;
        kq_buf_clear(&r->text);
        KQ_TRY(kq_row_json(r->columns, chunk, row, &r->text, err));
        /* without a replay there is no earlier run */
        if (r->d->replay) KQ_TRY(kq_rowset_see(&r->set, kq_buf_view(&r->text), &fresh, err));
        if (!fresh) continue;
        sel[n++] = (uint16_t)row;
        if (r->d->rows && r->alerts) KQ_TRY(write_row(r, err));
        if (r->d->rows || r->fresh + n > most) continue;
        kq_buf_append(&r->events, r->text.p, r->text.n);
        kq_buf_char(&r->events, 0);
    }
    r->fresh += n;
    KQ_TRY(kq_buf_status(&r->events, err));
    if (!r->d->rows || !n) return KQ_OK;
    r->d->alerts += n;
    if (r->alerts) return KQ_OK;
    chunk->sel = sel;
    chunk->selected = n;
    return kq_sink_push(r->sink, chunk, err);
}

static kq_status alert(run *r, const char *p, uint64_t shown, uint64_t count, kq_buf *text, kq_buf *dyn,
                       kq_error *err) {
    kq_buf_clear(text);
    kq_buf_char(text, '[');
    for (uint64_t i = 0; i < shown; i++) {
        if (i) kq_buf_char(text, ',');
        kq_buf_str(text, p);
        p += strlen(p) + 1;
    }
    kq_buf_char(text, ']');
    KQ_TRY(kq_buf_status(text, err));
    KQ_TRY(read_back(text, dyn, err));
    kq_value row[] = {{.type = KQ_DATETIME, .u.l = r->d->runner->now},
                      kq_value_sv(r->rule->name),
                      kq_value_sv(r->rule->severity),
                      kq_value_sv(r->rule->tactics),
                      kq_value_sv(r->rule->techniques),
                      kq_value_sv(r->rule->id),
                      kq_value_long((int64_t)count),
                      {.type = KQ_DYNAMIC, .u.s = kq_str_sv(kq_buf_view(dyn))}};
    r->d->alerts++;
    return kq_listing_row(r->alerts, row, err);
}

static kq_status write_alerts(run *r, kq_error *err) {
    /* what fires on few rows (lt, eq 0) has none to show; what fires on rows fires once for each of them */
    if (!r->fresh && r->total) return KQ_OK;
    kq_buf text, dyn;
    kq_status status = KQ_OK;
    kq_buf_init(&text, r->d->runner->env.budget, 0);
    kq_buf_init(&dyn, r->d->runner->env.budget, 0);
    if (r->rule->alert_per_result) {
        const char *p = r->events.p;
        for (uint64_t i = 0; i < r->fresh && !status; i++, p += strlen(p) + 1)
            status = alert(r, p, 1, 1, &text, &dyn, err);
    } else {
        status = alert(r, r->events.p, r->fresh > EVENTS_MAX ? EVENTS_MAX : r->fresh, r->fresh, &text, &dyn, err);
    }
    kq_buf_deinit(&text);
    kq_buf_deinit(&dyn);
    return status;
}

static kq_status run_once(run *r, kq_error *err) {
    kq_result result = {.begin = begin, .rows = {.push = push, .ctx = r}, .ctx = r};
    kq_buf_clear(&r->events);
    kq_rowset_begin(&r->set, r->d->runner->window_from, r->d->runner->window_to);
    r->fresh = r->total = 0;
    kq_status status = kq_runner_query(r->d->runner, r->rule->query, &result, err);
    r->fired |= r->total > 0;
    /* rows of a run that stays below its threshold are reported by the run that passes it */
    if (status || !(r->d->rows || triggered(r->rule, r->total))) return status;
    kq_rowset_reported(&r->set);
    return r->d->rows ? KQ_OK : write_alerts(r, err);
}

/* ---- the schedule */

/* Does any time stand in a step of `bin` that (from, to] touches? `at` goes forward with `from`. */
static bool any_in(const kq_times *times, size_t *at, int64_t bin, int64_t from, int64_t to) {
    while (*at < times->n && times->items[*at] + bin <= from) ++*at;
    return *at < times->n && times->items[*at] < to;
}

static kq_status replay(run *r, kq_error *err) {
    kq_runner *runner = r->d->runner;
    const kq_rule *rule = r->rule;
    kq_times times;
    size_t at = 0;
    KQ_TRY(kq_runner_times(runner, rule->query, rule->frequency, &times, err));
    kq_status status = KQ_OK;
    if (!times.n) { /* no event, no run: but a query that can't be bound is still refused */
        status = run_once(r, err);
        goto out;
    }
    int64_t last = times.items[times.n - 1] + rule->frequency;
    kq_scan_cache cache; /* the logs are read once, not once a run */
    kq_scan_cache_init(&cache, runner->env.budget);
    runner->env.scan_cache = &cache;
    for (int64_t t = times.items[0] + rule->frequency; t <= last && !status; t += rule->frequency) {
        if (!any_in(&times, &at, rule->frequency, t - rule->period, t)) continue;
        runner->now = t;
        runner->window = true;
        runner->window_from = t - rule->period;
        runner->window_to = t;
        status = run_once(r, err);
    }
    runner->window = false;
    runner->env.scan_cache = NULL;
    kq_scan_cache_deinit(&cache);
out:
    kq_times_deinit(&times);
    return status;
}

typedef struct lacking {
    kq_runner *runner;
    const kq_rule *rule;
} lacking;

static kq_status note_lacking(void *ctx, KQ_UNUSED bool nothing, const char *sentence, KQ_UNUSED kq_span at,
                              KQ_UNUSED kq_error *err) {
    const lacking *l = ctx;
    kq_runner_note(l->runner, "%.*s: %s", (int)l->rule->name.n, l->rule->name.p, sentence);
    return KQ_OK;
}

static const kq_column row_columns[] = {{{"Rule", 4}, KQ_STRING, false}, {{"Row", 3}, KQ_DYNAMIC, false}};

static kq_status run_rule(kq_detection *d, const kq_rule *rule, kq_listing *alerts, kq_error *err) {
    run r = {.d = d, .rule = rule, .alerts = alerts};
    kq_rowset_init(&r.set, d->runner->env.budget);
    kq_buf_init(&r.dyn, d->runner->env.budget, 0);
    kq_buf_init(&r.text, d->runner->env.budget, 0);
    kq_buf_init(&r.events, d->runner->env.budget, 0);
    kq_status status = d->replay ? replay(&r, err) : run_once(&r, err);
    if (!status && !r.fired && !d->runner->no_optimize) {
        lacking l = {d->runner, r.rule};
        status = kq_lacking(d->runner, r.rule->query, false, note_lacking, &l, err);
    }
    if (!status && r.sink) status = kq_sink_finish(r.sink, err);
    status = kq_rule_error(r.rule, status, err);
    kq_sink_destroy(r.sink);
    kq_rowset_deinit(&r.set);
    kq_buf_deinit(&r.dyn);
    kq_buf_deinit(&r.text);
    kq_buf_deinit(&r.events);
    return status;
}

kq_status kq_detect(kq_detection *d, const kq_rules *rules, kq_error *err) {
    kq_listing listing, *alerts = d->rows && rules->n + rules->nrefused == 1 ? NULL : &listing;
    kq_status status = KQ_OK, refused = KQ_OK;
    if (alerts && d->rows)
        status = kq_listing_init(alerts, d->out, row_columns, sizeof row_columns / sizeof *row_columns, err);
    else if (alerts)
        status = kq_listing_init(alerts, d->out, alert_columns, sizeof alert_columns / sizeof *alert_columns, err);
    for (size_t i = 0; i < rules->n && !status; i++) {
        kq_error why = {0};
        status = run_rule(d, &rules->items[i], alerts, &why);
        if (status == KQ_ERR_RULE) { /* the others run; the first one that is refused is the error in the end */
            if (refused) kq_runner_note(d->runner, "%s", why.message);
            if (!refused && err) *err = why;
            refused = status;
            status = KQ_OK;
        } else if (status && err) {
            *err = why;
        }
    }
    if (alerts) {
        kq_error why = {0};
        if (!status && (status = kq_listing_finish(alerts, &why)) && err) *err = why;
        kq_listing_deinit(alerts);
    }
    return status ? status : refused;
}
