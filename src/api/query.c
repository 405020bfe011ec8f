#include "api/engine.h"
#include "base/time.h"
#include "exec/lacking.h"
#include "sink/sink.h"

typedef struct writing {
    kq_engine *engine;
    const kq_output *output;
    kq_sink *sink;
} writing;

static kq_status begin(void *ctx, const kq_columns *columns, kq_sv visualization, kq_error *err) {
    writing *w = ctx;
    kq_free(w->engine->visualization);
    w->engine->visualization = NULL;
    if (visualization.n) {
        char text[64];
        size_t n = visualization.n < sizeof text - 1 ? visualization.n : sizeof text - 1;
        memcpy(text, visualization.p, n);
        text[n] = 0;
        if (!(w->engine->visualization = kq_strdup(text))) return kq_nomem(err);
    }
    return kq_sink_create(w->output, columns, &w->engine->budget, &w->sink, err);
}

static bool written(void *ctx, const bool *columns) {
    return kq_sink_written(((writing *)ctx)->sink, columns);
}

static kq_status push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    writing *w = ctx;
    return kq_sink_push(w->sink, chunk, err);
}

static kq_status part_open(void *ctx, void **part, kq_error *err) {
    kq_sink *made;
    kq_status status = kq_sink_part(((writing *)ctx)->sink, &made, err);
    *part = made;
    return status;
}

static kq_status part_write(void *part, const kq_chunk *chunk, kq_error *err) {
    return kq_sink_push(part, chunk, err);
}

static size_t part_bytes(const void *part) {
    return kq_sink_part_bytes(part);
}

static kq_status part_take(void *ctx, void *part, kq_error *err) {
    return kq_sink_take(((writing *)ctx)->sink, part, err);
}

static void part_close(void *part) {
    kq_sink_destroy(part);
}

static const kq_parts parts = {part_open, part_write, part_bytes, part_take, part_close};

kq_status kq_engine_query(kq_engine *e, const char *text, size_t n, const kq_output *out, kq_stats *stats,
                          kq_error *err) {
    writing w = {e, out, NULL};
    kq_result result = {begin, {push, &w, &parts}, &w, written};
    kq_sv query = {text, n};
    kq_status status = kq_engine_begin(e, err);
    if (!status) status = kq_runner_query(&e->runner, query, &result, err);
    if (!status) status = kq_sink_finish(w.sink, err);
    if (w.sink) e->rows = kq_sink_rows(w.sink);
    kq_sink_destroy(w.sink);
    if (!status && !e->rows && !e->options.no_optimize)
        status = kq_lacking(&e->runner, query, false, kq_lacking_note, &e->runner, err);
    if (!status && !e->rows) /* also when a filter over what was read left nothing */
        e->runner.asks_now |= memmem(text, n, "ago(", 4) || memmem(text, n, "now(", 4);
    if (!status) status = kq_engine_note_old(e, err);
    return kq_engine_end(e, status, stats, err);
}

/* One query tells it all: every table that can have rows, counted, and the events behind `Event` one by one. */
static kq_status inspect_text(kq_engine *e, kq_buf *text) {
    size_t n, tables = 0;
    const kq_table *const *all = kq_catalog_tables(e->catalog, &n);
    kq_buf_str(text, "union (datatable(Table:string, Channel:string, Provider:string, EventID:int, Records:long, "
                     "First:datetime, Last:datetime)[])");
    for (size_t i = 0; i < n; i++) {
        const kq_table *t = all[i];
        const char *time = NULL;
        if (!kq_catalog_has_data(e->catalog, t)) continue;
        for (uint32_t c = 0; c < t->columns.n; c++)
            if (t->columns.items[c].type == KQ_DATETIME &&
                (kq_sv_eq(t->columns.items[c].name, KQ_SV("TimeGenerated")) ||
                 kq_sv_eq(t->columns.items[c].name, KQ_SV("Timestamp"))))
                time = kq_sv_eq(t->columns.items[c].name, KQ_SV("Timestamp")) ? "Timestamp" : "TimeGenerated";
        bool events = kq_sv_eq(t->name, KQ_SV("Event"));
        bool windows = kq_sv_eq(t->name, KQ_SV("WindowsEvent"));
        if (windows && !kq_catalog_own_data(e->catalog, t)) continue; /* the same records as Event */
        tables++;
        kq_buf_printf(text, ", (table('%.*s') | summarize Records = count()", (int)t->name.n, t->name.p);
        if (time) kq_buf_printf(text, ", First = min(%s), Last = max(%s)", time, time);
        if (events) kq_buf_str(text, " by Channel = EventLog, Provider = Source, EventID");
        if (windows) kq_buf_str(text, " by Channel, Provider, EventID");
        kq_buf_printf(text, " | where Records > 0 | extend Table = '%.*s')", (int)t->name.n, t->name.p);
    }
    kq_buf_str(text, " | sort by Table asc, Channel asc, Provider asc, EventID asc");
    return tables ? KQ_OK : KQ_ERR_USAGE;
}

kq_status kq_engine_inspect(kq_engine *e, const kq_output *out, kq_stats *stats, kq_error *err) {
    writing w = {e, out, NULL};
    kq_result result = {begin, {push, &w, &parts}, &w, written};
    kq_buf text;
    kq_buf_init(&text, NULL, 1 << 20);
    kq_status status = kq_engine_begin(e, err);
    if (!status) {
        status = kq_catalog_survey(e->catalog, err);
        kq_status none = status ? status : inspect_text(e, &text);
        (void)none;                      /* no table: an empty listing, and the notes below */
        e->runner.env.local_null = true; /* what is there, whatever the zone of its times */
        if (!status) status = kq_runner_query(&e->runner, kq_buf_view(&text), &result, err);
        if (e->report.local)
            kq_runner_note(&e->runner,
                           "%s: its times are local, of a zone that the file does not tell: --timezone says which, and "
                           "queries that ask for them are refused without it",
                           e->report.local);
    }
    if (!status) status = kq_sink_finish(w.sink, err);
    if (w.sink) e->rows = kq_sink_rows(w.sink);
    size_t n;
    const kq_input *inputs = kq_catalog_inputs(e->catalog, &n);
    kq_sink_destroy(w.sink);
    kq_buf_deinit(&text);
    /* The scan of each table reads the inputs again: what counts is what there is, and the listing has the records. */
    e->report.files = n;
    e->report.bytes = e->report.records = 0;
    for (size_t i = 0; i < n; i++) e->report.bytes += inputs[i].size;
    return kq_engine_end(e, status, stats, err);
}
