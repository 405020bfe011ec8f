#include "exec/runner.h"
#include "exec/window.h"
#include "kql/ast.h"
#include "kql/plan_met.h"
#include <stdio.h>

#define DEPTH_MAX   3000   /* of plans, as elsewhere */
#define EXPRS_MAX   100000 /* parts of filters; a list that stands behind them is not told */
#define MISSING_MAX 12     /* tables without data that are named */
#define EMPTY_MAX   4      /* tables without rows that are named; more were not meant one by one */

static bool find_table(void *ctx, kq_sv name, kq_table_ref *out) {
    const kq_table *t = kq_catalog_find(ctx, name);
    if (!t) return false;
    *out = (kq_table_ref){t->name, t->columns, t, t->hidden};
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
        for (size_t i = 0; !all && i < count; i++) {
            const kq_table *t = tables[i];
            bool view = kq_catalog_function(x->catalog, t->name); /* over the others */
            if ((!view && kq_catalog_maps(x->catalog, t)) || kq_catalog_own_data(x->catalog, t))
                x->items[all][x->n[all]++] = t->name;
        }
        if (all) x->n[all] = count;
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
    kq_plan_met met;
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
    if (!p || depth > DEPTH_MAX || !kq_plan_enter(&n->met, p)) return;
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
    noting inside = {.runner = n->runner, .query = n->query, .met = {.arena = n->met.arena}, .function = function};
    note_scans(&inside, n->query->plan, 0);
    if (inside.empty && !inside.filled)
        kq_runner_note(n->runner, "no input here has data of a table that %.*s reads", (int)function.n, function.p);
}

/* A rule over a table that no input can fill would be silent for ever: say so. */
static void note_tables(kq_runner *r, const kq_query *query, kq_arena *arena) {
    noting n = {.runner = r, .query = query, .met = {.arena = arena}};
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

static bool is_among(const kq_table *t, const kq_table *const *tables, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (tables[i] == t) return true;
    return false;
}

/* Tables that were read to their end without an event; of a stored function only when that goes for all that it reads.
 */
typedef struct emptiness {
    kq_runner *runner;
    const kq_query *query;
    const kq_unseen *unseen;
    kq_plan_met met;
    kq_sv function;
    bool filled;
    const kq_table *tables[EMPTY_MAX];
    uint32_t n;     /* may be more */
    unsigned exprs; /* parts of filters that were looked at */
} emptiness;

static kq_status note_emptiness(const emptiness *e, kq_error *err);

static kq_status empty_scans(emptiness *e, const kq_plan *p, unsigned depth, kq_error *err);

/* The scans of the lists that a filter looks into. */
static kq_status empty_lists(emptiness *e, const kq_expr *x, unsigned depth, kq_error *err) {
    if (depth > DEPTH_MAX || e->exprs++ > EXPRS_MAX) return KQ_OK;
    if (x->kind == KQ_EXPR_SUBQUERY) return x->list ? empty_scans(e, x->subquery, depth + 1, err) : KQ_OK;
    for (uint32_t i = 0; x->kind == KQ_EXPR_CALL && i < x->nargs; i++)
        KQ_TRY(empty_lists(e, x->args[i], depth + 1, err));
    return KQ_OK;
}

static kq_status empty_scans(emptiness *e, const kq_plan *p, unsigned depth, kq_error *err) {
    if (!p || depth > DEPTH_MAX || !kq_plan_enter(&e->met, p)) return KQ_OK;
    const kq_unseen *u = e->unseen;
    if (p->kind == KQ_PLAN_SCAN && kq_catalog_has_data(e->runner->env.catalog, p->u.scan.handle) &&
        !is_among(p->u.scan.handle, u->unread, u->nunread)) {
        kq_sv function = kq_stored_name(e->query->stored, p->span);
        /* a file that is named as a table of its own is its user's to know */
        bool empty =
            is_among(p->u.scan.handle, u->tables, u->n) && kq_catalog_maps(e->runner->env.catalog, p->u.scan.handle);
        if (kq_sv_eq(function, e->function)) {
            e->filled |= !empty;
            for (uint32_t i = 0; i < e->n && i < EMPTY_MAX; i++) empty &= e->tables[i] != p->u.scan.handle;
            if (empty && e->n < EMPTY_MAX) e->tables[e->n] = p->u.scan.handle;
            e->n += empty;
        } else if (empty && !e->function.n) {
            emptiness inside = {.runner = e->runner,
                                .query = e->query,
                                .unseen = e->unseen,
                                .met = {.arena = e->met.arena},
                                .function = function};
            KQ_TRY(empty_scans(&inside, e->query->plan, 0, err));
            if (!inside.filled) KQ_TRY(note_emptiness(&inside, err));
        }
    }
    KQ_TRY(empty_scans(e, p->input, depth + 1, err));
    if (p->kind == KQ_PLAN_FILTER) KQ_TRY(empty_lists(e, p->u.filter.predicate, depth + 1, err));
    if (p->kind == KQ_PLAN_JOIN) KQ_TRY(empty_scans(e, p->u.join.right, depth + 1, err));
    for (uint32_t i = 0; p->kind == KQ_PLAN_UNION && i < p->u.unions.n; i++)
        KQ_TRY(empty_scans(e, p->u.unions.inputs[i], depth + 1, err));
    return KQ_OK;
}

/* "DeviceFileEvents has no rows here: no input has its events (Sysmon 11, 15)"; several without their events. */
static kq_status note_emptiness(const emptiness *e, kq_error *err) {
    kq_buf text;
    if (!e->n || e->n > EMPTY_MAX) return KQ_OK;
    kq_buf_init(&text, e->runner->env.budget, 1 << 16);
    if (e->function.n) kq_buf_printf(&text, KQ_SV_FMT ": ", KQ_SV_ARG(e->function));
    for (uint32_t i = 0; i < e->n; i++)
        kq_buf_printf(&text, "%s" KQ_SV_FMT, i ? ", " : "", KQ_SV_ARG(e->tables[i]->name));
    kq_buf_str(&text, e->n > 1 ? " have no rows here: no input has their events"
                               : " has no rows here: no input has its events");
    kq_status status = KQ_OK;
    if (e->n == 1) status = kq_catalog_source_list(e->runner->env.catalog, e->tables[0], &text, err);
    if (!status) status = kq_buf_status(&text, err);
    if (!status) kq_runner_note(e->runner, "%.*s", (int)text.n, text.p);
    kq_buf_deinit(&text);
    return status;
}

static kq_status note_unseen(kq_runner *r, const kq_query *query, const kq_unseen *unseen, kq_arena *arena,
                             kq_error *err) {
    emptiness e = {.runner = r, .query = query, .unseen = unseen, .met = {.arena = arena}};
    if (!unseen->n) return KQ_OK;
    KQ_TRY(empty_scans(&e, query->plan, 0, err));
    return note_emptiness(&e, err);
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
    kq_consumer to = {.push = take_cells, .ctx = &c};
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
    note_tables(r, query, arena);
    if (r->window) KQ_TRY(kq_window_apply(query->plan, r->window_from, r->window_to, arena, err));
    if (!r->no_optimize && (status = kq_optimize(query, arena, err))) kq_stored_place(query->stored, err);
    return status;
}

/* Columns that go from a source to the result as they are come in the result's own writing, where both can: nobody
 * makes values of them, to be written at once. */
static kq_status write_through(const kq_runner *r, kq_plan *plan, const kq_result *result, kq_arena *arena,
                               kq_error *err) {
    uint32_t n = plan->out.n, at;
    bool any = false;
    if (!result->written || r->env.scan_cache || r->no_optimize) return KQ_OK;
    bool *columns = kq_arena_array(arena, bool, n + 1);
    if (!columns) return kq_arena_status(arena, err);
    for (uint32_t i = 0; i < n; i++) {
        const kq_plan *scan = kq_plan_untouched(plan, i, &at);
        columns[i] = scan && kq_catalog_writes(r->env.catalog, scan->u.scan.handle, scan->u.scan.columns[at]);
        any |= columns[i];
    }
    if (!any || !result->written(result->ctx, columns)) return KQ_OK;
    for (uint32_t i = 0; i < n; i++) {
        kq_plan *scan = columns[i] ? kq_plan_untouched(plan, i, &at) : NULL;
        if (!scan) continue;
        if (!scan->u.scan.written) scan->u.scan.written = kq_arena_array(arena, bool, scan->out.n + 1);
        if (!scan->u.scan.written) return kq_arena_status(arena, err);
        scan->u.scan.written[at] = true;
    }
    return KQ_OK;
}

kq_status kq_runner_query(kq_runner *r, kq_sv text, const kq_result *result, kq_error *err) {
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query query = {0};
    kq_unseen unseen = {0};
    kq_arena_init(&arena, r->env.budget, 0);
    kq_status status = kq_runner_bind(r, text, &arena, &cleanups, &query, err);
    if (status) goto out;
    if ((status = result->begin(result->ctx, &query.plan->out, query.visualization, err))) goto out;
    if ((status = write_through(r, query.plan, result, &arena, err))) goto out;
    kq_exec_env env = r->env;
    env.cleanups = &cleanups;
    if (!env.local_null) env.unseen = &unseen; /* otherwise the user did not ask for these tables */
    status = kq_exec_run(query.plan, &env, &result->rows, err);
    if (!status) status = note_unseen(r, &query, &unseen, &arena, err);
    if (unseen.scans > unseen.n && !unseen.rows)
        r->asks_now |= memmem(text.p, text.n, "ago(", 4) || memmem(text.p, text.n, "now(", 4);
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
