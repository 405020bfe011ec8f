/* What times the inputs have: their span, and the steps of a schedule in which something happened. */
#include "base/time.h"
#include "exec/runner.h"
#include "exec/window.h"
#include "kql/plan_met.h"
#include <stdio.h>
#include <stdlib.h>

/* Tables that a plan scans. */
typedef struct scanned {
    const kq_table **items;
    size_t n, cap;
    kq_arena *arena;
    kq_plan_met met;
} scanned;

static bool is_scanned(const scanned *s, const kq_table *t) {
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i] == t) return true;
    return false;
}

static kq_status add_scanned(scanned *s, const kq_plan *p, unsigned depth, kq_error *err) {
    if (!p || depth > 3000) return KQ_OK;
    if (!kq_plan_enter(&s->met, p)) return s->met.failed ? kq_arena_status(s->arena, err) : KQ_OK;
    if (p->kind == KQ_PLAN_SCAN && !is_scanned(s, p->u.scan.handle)) {
        if (s->n == s->cap) {
            size_t cap = s->cap ? 2 * s->cap : 16;
            const kq_table **items = kq_arena_array(s->arena, const kq_table *, cap);
            if (!items) return kq_arena_status(s->arena, err);
            if (s->n) memcpy(items, s->items, s->n * sizeof *items);
            s->items = items;
            s->cap = cap;
        }
        s->items[s->n++] = p->u.scan.handle;
    }
    KQ_TRY(add_scanned(s, p->input, depth + 1, err));
    if (p->kind == KQ_PLAN_JOIN) KQ_TRY(add_scanned(s, p->u.join.right, depth + 1, err));
    for (uint32_t i = 0; p->kind == KQ_PLAN_UNION && i < p->u.unions.n; i++)
        KQ_TRY(add_scanned(s, p->u.unions.inputs[i], depth + 1, err));
    return KQ_OK;
}

/* Has the table an event that no other asked has? `Event` has every event that maps make rows of. */
static bool asked(const kq_runner *r, const scanned *only, const kq_table *t) {
    if (only) return is_scanned(only, t);
    return kq_sv_eq(t->name, KQ_SV("Event")) || kq_catalog_own_data(r->env.catalog, t);
}

/* Runs a query over the tables of `only` (NULL: every table) that have data and a time: `before` and `between` come
 * before the time column, `after` after it. */
static kq_status over_times(kq_runner *r, const scanned *only, const char *before, const char *between,
                            const char *after, const kq_result *result, kq_error *err) {
    size_t n;
    const kq_table *const *tables = kq_catalog_tables(r->env.catalog, &n);
    if (only) {
        tables = only->items;
        n = only->n;
    }
    kq_report report; /* damage is reported by the query itself, not twice */
    kq_runner quiet = *r;
    kq_buf text;
    kq_status status = KQ_OK;
    kq_report_init(&report);
    quiet.env.report = &report;
    quiet.window = false;
    quiet.env.local_null = true; /* the user did not ask for these times */
    kq_buf_init(&quiet.notes, r->env.budget, 1 << 16);
    kq_buf_init(&text, r->env.budget, 1 << 16);
    for (size_t i = 0; i < n && !status; i++) {
        const kq_table *t = tables[i];
        uint32_t time = kq_window_column(&t->columns);
        if (time == UINT32_MAX || !asked(r, only, t) || !kq_catalog_has_data(r->env.catalog, t)) continue;
        kq_sv column = t->columns.items[time].name;
        kq_buf_clear(&text);
        kq_buf_printf(&text, "table('%.*s') | %s['%.*s']", (int)t->name.n, t->name.p, before, (int)column.n, column.p);
        if (between) kq_buf_printf(&text, "%s['%.*s']", between, (int)column.n, column.p);
        kq_buf_str(&text, after);
        status = kq_buf_status(&text, err);
        if (!status) status = kq_runner_query(&quiet, kq_buf_view(&text), result, err);
    }
    kq_buf_deinit(&text);
    kq_buf_deinit(&quiet.notes);
    kq_report_deinit(&report);
    return status;
}

static kq_status any_columns(KQ_UNUSED void *ctx, KQ_UNUSED const kq_columns *columns, KQ_UNUSED kq_sv visualization,
                             KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

typedef struct span {
    int64_t first, last;
    bool found;
} span;

static kq_status span_rows(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, KQ_UNUSED kq_error *err) {
    span *s = ctx;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        kq_value first = kq_vector_get(&chunk->cols[0], row), last = kq_vector_get(&chunk->cols[1], row);
        if (first.null || last.null) continue;
        if (!s->found || first.u.l < s->first) s->first = first.u.l;
        if (!s->found || last.u.l > s->last) s->last = last.u.l;
        s->found = true;
    }
    return KQ_OK;
}

kq_status kq_runner_span(kq_runner *r, int64_t *first, int64_t *last, bool *found, kq_error *err) {
    span s = {0};
    kq_result result = {.begin = any_columns, .rows = {.push = span_rows, .ctx = &s}, .ctx = &s};
    kq_status status = over_times(r, NULL, "summarize min(", "), max(", ")", &result, err);
    *first = s.first;
    *last = s.last;
    *found = s.found;
    return status;
}

kq_status kq_runner_note_old(kq_runner *r, kq_error *err) {
    int64_t first, last;
    bool found;
    kq_buf when;
    if (!r->asks_now) return KQ_OK;
    KQ_TRY(kq_runner_span(r, &first, &last, &found, err));
    if (!found || last > r->now - KQ_TICK_DAY) return KQ_OK;
    kq_buf_init(&when, NULL, 256);
    kq_time_print(last, -1, &when);
    kq_runner_note(
        r,
        "no event passed the filters, and the newest one is of %.*s: ago() and now() mean today; --now latest "
        "makes them mean the newest event",
        (int)when.n, when.p);
    kq_buf_deinit(&when);
    return KQ_OK;
}

static kq_status time_rows(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    kq_times *t = ctx;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        kq_value v = kq_vector_get(&chunk->cols[0], kq_chunk_row(chunk, k));
        if (v.null) continue;
        if (t->n == t->cap) {
            size_t cap = t->cap ? 2 * t->cap : 256;
            int64_t *items = kq_realloc(t->items, cap * sizeof *items);
            if (!items) return kq_nomem(err);
            t->items = items;
            t->cap = cap;
        }
        t->items[t->n++] = v.u.l;
    }
    return KQ_OK;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

void kq_times_deinit(kq_times *t) {
    kq_free(t->items);
    *t = (kq_times){0};
}

kq_status kq_runner_times(kq_runner *r, kq_sv query, int64_t bin, kq_times *out, kq_error *err) {
    char after[64];
    kq_result result = {.begin = any_columns, .rows = {.push = time_rows, .ctx = out}, .ctx = out};
    snprintf(after, sizeof after, " - 1tick, %lldtick)", (long long)bin); /* a step's own end is in it */
    *out = (kq_times){0};
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query bound;
    kq_arena_init(&arena, r->env.budget, 0);
    scanned only = {.arena = &arena, .met = {.arena = &arena}};
    kq_status status = kq_runner_bind(r, query, &arena, &cleanups, &bound, err);
    if (!status) status = add_scanned(&only, bound.plan, 0, err);
    if (!status) status = over_times(r, only.n ? &only : NULL, "distinct bin(", NULL, after, &result, err);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
    if (out->n) qsort(out->items, out->n, sizeof *out->items, ascending);
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++)
        if (!n || out->items[n - 1] != out->items[i]) out->items[n++] = out->items[i];
    out->n = n;
    if (status) kq_times_deinit(out);
    return status;
}
