#include "exec/runner.h"
#include "base/time.h"
#include "exec/window.h"
#include "kql/ast.h"
#include <stdio.h>
#include <stdlib.h>

#define MISSING_MAX 12 /* tables without data that are named */

static bool find_table(void *ctx, kq_sv name, kq_table_ref *out) {
    const kq_table *t = kq_catalog_find(ctx, name);
    if (!t) return false;
    *out = (kq_table_ref){t->name, t->columns, t};
    return true;
}

typedef struct names {
    kq_runner *runner;
    const kq_catalog *catalog;
    kq_arena *arena;
    kq_sv *items[2]; /* made when they are asked for: the tables here, and all that are known */
    size_t n[2];
} names;

static bool find_named(void *ctx, kq_sv name, kq_table_ref *out) {
    return find_table((void *)(uintptr_t)((names *)ctx)->catalog, name, out);
}

static const kq_sv *table_names(void *ctx, bool all, size_t *n) {
    names *x = ctx;
    if (!x->items[all]) {
        size_t count;
        const kq_table *const *tables = kq_catalog_tables(x->catalog, &count);
        if (all) count = kq_catalog_names(x->catalog, NULL);
        x->items[all] = kq_arena_array(x->arena, kq_sv, count + 1);
        if (!x->items[all]) count = 0; /* the arena's failure is the query's */
        if (all && count) kq_catalog_names(x->catalog, x->items[all]);
        for (size_t i = 0; !all && i < count; i++) x->items[all][i] = tables[i]->name;
        x->n[all] = count;
    }
    *n = x->n[all];
    return x->items[all];
}

static bool find_function(void *ctx, kq_sv name, kq_stored_text *out) {
    const kq_function *f = kq_catalog_function(((names *)ctx)->catalog, name);
    if (!f) return false;
    *out = (kq_stored_text){f->name, f->text, f->file, f->line};
    return true;
}

static const kq_sv *function_names(void *ctx, size_t *n) {
    return kq_catalog_function_names(((names *)ctx)->catalog, n);
}

void kq_runner_note(kq_runner *runner, const char *fmt, ...) {
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (const char *p = runner->notes.p; p && p < runner->notes.p + runner->notes.n; p += strlen(p) + 1)
        if (strcmp(p, text) == 0) return;
    kq_buf_append(&runner->notes, text, strlen(text) + 1);
}

/* Scans of a query that can or can't have rows; of stored functions only those of `function`, which "" leaves out. */
typedef struct noting {
    kq_runner *runner;
    const kq_query *query;
    kq_sv function;
    bool filled, empty;
    kq_sv missing[MISSING_MAX]; /* tables without data */
    uint32_t nmissing;          /* may be more */
} noting;

static void missing(noting *n, kq_sv table) {
    for (uint32_t i = 0; i < n->nmissing && i < MISSING_MAX; i++)
        if (kq_sv_eq(n->missing[i], table)) return;
    if (n->nmissing < MISSING_MAX) n->missing[n->nmissing] = table;
    n->nmissing++;
}

static void note_function(const noting *n, kq_sv function);

static void note_scans(noting *n, const kq_plan *p, unsigned depth) {
    if (!p || depth > 200) return;
    if (p->kind == KQ_PLAN_SCAN) {
        bool data = kq_catalog_has_data(n->runner->env.catalog, p->u.scan.handle);
        kq_sv function = kq_stored_name(n->query->stored, p->span);
        if (kq_sv_eq(function, n->function)) {
            n->filled |= data;
            n->empty |= !data;
            if (!data && !function.n) missing(n, p->u.scan.table);
        } else if (!n->function.n && !data) {
            note_function(n, function);
        }
    }
    note_scans(n, p->input, depth + 1);
    if (p->kind == KQ_PLAN_JOIN) note_scans(n, p->u.join.right, depth + 1);
    for (uint32_t i = 0; p->kind == KQ_PLAN_UNION && i < p->u.unions.n; i++)
        note_scans(n, p->u.unions.inputs[i], depth + 1);
}

/* A stored function reads what there is of several tables; only when there is nothing at all it is silent. */
static void note_function(const noting *n, kq_sv function) {
    noting inside = {.runner = n->runner, .query = n->query, .function = function};
    note_scans(&inside, n->query->plan, 0);
    if (inside.empty && !inside.filled)
        kq_runner_note(n->runner, "no input here has data of a table that %.*s reads", (int)function.n, function.p);
}

/* A rule over a table that no input can fill would be silent for ever: say so. */
static void note_tables(kq_runner *r, const kq_query *query) {
    noting n = {.runner = r, .query = query};
    note_scans(&n, query->plan, 0);
    if (!n.nmissing) return;
    char text[400];
    size_t at = 0;
    uint32_t shown = 0;
    for (; shown < n.nmissing && shown < MISSING_MAX && at + n.missing[shown].n + 2 < sizeof text; shown++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s" KQ_SV_FMT, shown ? ", " : "",
                               KQ_SV_ARG(n.missing[shown]));
    text[at] = 0;
    if (shown < n.nmissing)
        kq_runner_note(r, "no input here has data of the tables %s and %u more", text, (unsigned)(n.nmissing - shown));
    else
        kq_runner_note(r, "no input here has data of the table%s %s", shown == 1 ? "" : "s", text);
}

typedef struct cells {
    kq_arena *arena;
    kq_value *items;
    size_t n, cap; /* values */
    size_t rows;
} cells;

/* Values that outlive their chunk. */
static kq_status own(cells *c, kq_value *v, kq_error *err) {
    if (v->null || (v->type != KQ_STRING && v->type != KQ_DYNAMIC)) return KQ_OK;
    kq_sv text = kq_arena_copy(c->arena, kq_str_view(&v->u.s));
    if (!text.p) return kq_arena_status(c->arena, err);
    v->u.s = kq_str_sv(text);
    return KQ_OK;
}

static kq_status take_cells(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    cells *c = ctx;
    for (uint32_t k = 0; k < chunk->selected; k++, c->rows++) {
        for (uint32_t i = 0; i < chunk->ncols; i++) {
            if (c->n == c->cap) {
                size_t cap = c->cap ? 2 * c->cap : 256;
                kq_value *items = kq_arena_array(c->arena, kq_value, cap);
                if (!items) return kq_arena_status(c->arena, err);
                if (c->n) memcpy(items, c->items, c->n * sizeof *items);
                c->items = items;
                c->cap = cap;
            }
            c->items[c->n] = kq_vector_get(&chunk->cols[i], kq_chunk_row(chunk, k));
            KQ_TRY(own(c, &c->items[c->n++], err));
        }
    }
    return KQ_OK;
}

/* Runs a plan while a query is bound: for plugins whose columns the data decides. */
static kq_status probe(void *ctx, const kq_plan *plan, kq_arena *arena, kq_value **out, size_t *nrows, kq_error *err) {
    const names *x = ctx;
    cells c = {.arena = arena};
    kq_consumer to = {take_cells, &c};
    kq_cleanup *cleanups = NULL;
    kq_report report; /* damage is reported by the query itself, not twice */
    kq_exec_env env = x->runner->env;
    kq_report_init(&report);
    env.cleanups = &cleanups;
    env.report = &report;
    kq_status status = kq_exec_run(plan, &env, &to, err);
    kq_cleanup_run(&cleanups);
    kq_report_deinit(&report);
    *out = c.items;
    *nrows = c.rows;
    return status;
}

kq_status kq_runner_bind(kq_runner *r, kq_sv text, kq_arena *arena, kq_cleanup **cleanups, kq_query *query,
                         kq_error *err) {
    kq_node *script;
    KQ_TRY(kq_parse(text, arena, &script, err));
    names ctx = {.catalog = r->env.catalog, .arena = arena};
    kq_resolver resolver = {find_named, table_names, &ctx, r->now, probe, find_function, function_names};
    ctx.runner = r;
    kq_status status = kq_bind(script, &resolver, arena, cleanups, query, err);
    KQ_TRY(kq_catalog_status(r->env.catalog, err)); /* a table that memory had no room for is not unknown */
    if (status) return status;
    note_tables(r, query);
    if (r->window) KQ_TRY(kq_window_apply(query->plan, r->window_from, r->window_to, arena, err));
    if (!r->no_optimize && (status = kq_optimize(query, arena, err))) kq_stored_place(query->stored, err);
    return status;
}

kq_status kq_runner_query(kq_runner *r, kq_sv text, const kq_result *result, kq_error *err) {
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query query = {0};
    kq_arena_init(&arena, r->env.budget, 0);
    kq_status status = kq_runner_bind(r, text, &arena, &cleanups, &query, err);
    if (status) goto out;
    if ((status = result->begin(result->ctx, &query.plan->out, query.visualization, err))) goto out;
    kq_exec_env env = r->env;
    env.cleanups = &cleanups;
    status = kq_exec_run(query.plan, &env, &result->rows, err);
out:
    if (status) kq_stored_place(query.stored, err);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
    return status;
}

kq_status kq_runner_plan(kq_runner *r, kq_sv text, kq_buf *out, kq_error *err) {
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query query = {0};
    kq_arena_init(&arena, r->env.budget, 0);
    kq_status status = kq_runner_bind(r, text, &arena, &cleanups, &query, err);
    if (!status) kq_plan_print(query.plan, out);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
    return status ? status : kq_buf_status(out, err);
}

kq_status kq_runner_columns(kq_runner *r, kq_sv text, kq_describe_fn fn, void *ctx, kq_error *err) {
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query query = {0};
    kq_buf from;
    kq_arena_init(&arena, r->env.budget, 0);
    kq_buf_init(&from, r->env.budget, 1 << 20);
    kq_status status = kq_runner_bind(r, text, &arena, &cleanups, &query, err);
    for (uint32_t i = 0; !status && i < query.plan->out.n; i++) {
        kq_buf_clear(&from);
        kq_plan_origin(query.plan, i, &from);
        if (!(status = kq_buf_status(&from, err))) status = fn(ctx, &query.plan->out.items[i], kq_buf_view(&from), err);
    }
    kq_buf_deinit(&from);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
    return status;
}

/* Tables that a plan scans. */
typedef struct scanned {
    const kq_table **items;
    size_t n, cap;
    kq_arena *arena;
} scanned;

static bool is_scanned(const scanned *s, const kq_table *t) {
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i] == t) return true;
    return false;
}

static kq_status add_scanned(scanned *s, const kq_plan *p, unsigned depth, kq_error *err) {
    if (!p || depth > 3000) return KQ_OK;
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
        kq_buf_printf(&text, "['%.*s'] | %s['%.*s']", (int)t->name.n, t->name.p, before, (int)column.n, column.p);
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
    kq_result result = {any_columns, {span_rows, &s}, &s};
    kq_status status = over_times(r, NULL, "summarize min(", "), max(", ")", &result, err);
    *first = s.first;
    *last = s.last;
    *found = s.found;
    return status;
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
    kq_result result = {any_columns, {time_rows, out}, out};
    snprintf(after, sizeof after, ", %lldtick)", (long long)bin);
    *out = (kq_times){0};
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query bound;
    kq_arena_init(&arena, r->env.budget, 0);
    scanned only = {.arena = &arena};
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
