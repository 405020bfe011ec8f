#include "exec/lacking.h"
#include "kql/reach.h"
#include <stdio.h>

typedef struct lacking {
    kq_runner *runner;
    bool every;
    kq_lacking_fn tell;
    void *ctx;
    kq_arena arena;
} lacking;

/* What a map leaves out of the columns of a scan: the values that it always gives. */
static const kq_value **always(lacking *l, const kq_plan *scan, const kq_catalog_source *source) {
    const kq_table *t = scan->u.scan.handle;
    const kq_value **known = kq_arena_array(&l->arena, const kq_value *, scan->out.n + 1);
    kq_value *values = kq_arena_array(&l->arena, kq_value, scan->out.n + 1);
    if (!known || !values) return NULL;
    for (uint32_t i = 0; i < scan->out.n; i++) {
        uint32_t column = scan->u.scan.columns ? scan->u.scan.columns[i] : i;
        kq_sv text;
        if (!kq_catalog_always(source, column, &text)) continue;
        kq_type type = t->columns.items[column].type;
        values[i] = type == KQ_STRING ? kq_value_sv(text) : kq_value_null(type);
        known[i] = &values[i];
    }
    return known;
}

static void sentence(const kq_plan *scan, const kq_catalog_source *source, uint32_t at, const kq_value *value,
                     bool nothing, const char *others, char *out, size_t cap) {
    const kq_table *t = scan->u.scan.handle;
    uint32_t column = scan->u.scan.columns ? scan->u.scan.columns[at] : at;
    kq_sv name = t->columns.items[column].name;
    kq_sv text = value->type == KQ_STRING ? kq_str_view(&value->u.s) : KQ_SV("");
    const char *what = nothing ? "this can't match here" : "this can't match there";
    if (text.n)
        snprintf(out, cap, "%s: %.*s is always \"%.*s\" in %.*s from %.*s%s", what, (int)name.n, name.p, (int)text.n,
                 text.p, (int)t->name.n, t->name.p, (int)source->name.n, source->name.p, others);
    else
        snprintf(out, cap, "%s: %.*s is never available in %.*s from %.*s%s", what, (int)name.n, name.p, (int)t->name.n,
                 t->name.p, (int)source->name.n, source->name.p, others);
}

static kq_status judge(lacking *l, const kq_reach *r, kq_error *err) {
    const kq_table *t = r->scan->u.scan.handle;
    const kq_catalog *catalog = l->runner->env.catalog;
    size_t n;
    const kq_catalog_source *sources;
    if (kq_catalog_own_data(catalog, t)) return KQ_OK; /* an export may have every column */
    KQ_TRY(kq_catalog_sources(catalog, t, &l->arena, &sources, &n, err));
    uint32_t *column = kq_arena_array(&l->arena, uint32_t, n + 1);
    bool *shut = kq_arena_array(&l->arena, bool, n + 1);
    const kq_value ***known = kq_arena_array(&l->arena, const kq_value **, n + 1);
    uint64_t *records = kq_arena_array(&l->arena, uint64_t, n + 1);
    if (!column || !shut || !known || !records) return kq_arena_status(&l->arena, err);
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        bool possible = true;
        if (!(known[i] = always(l, r->scan, &sources[i]))) return kq_arena_status(&l->arena, err);
        KQ_TRY(kq_reach_possible(r, known[i], &l->arena, &possible, &column[i], err));
        shut[i] = !possible;
        any |= shut[i];
    }
    if (!any) return KQ_OK;
    KQ_TRY(kq_catalog_count(catalog, t, l->runner->env.budget, records, err));
    size_t here = 0, open = 0, first = n;
    for (size_t i = 0; i < n; i++) {
        here += records[i] > 0;
        open += records[i] > 0 && !shut[i];
        if (records[i] && shut[i] && first == n) first = i;
    }
    bool nothing = here && !open;
    if (!here || (!nothing && !l->every)) return KQ_OK;
    for (size_t i = first; i < n; i++) {
        char text[512], others[64] = "";
        if (!records[i] || !shut[i]) continue;
        if (nothing && !l->every && here > 1)
            snprintf(others, sizeof others, ", nor in %zu other source%s here", here - 1, here > 2 ? "s" : "");
        sentence(r->scan, &sources[i], column[i], known[i][column[i]], nothing, others, text, sizeof text);
        KQ_TRY(l->tell(l->ctx, nothing, text, err));
        if (!l->every) break;
    }
    return KQ_OK;
}

kq_status kq_lacking(kq_runner *runner, kq_sv text, bool every, kq_lacking_fn tell, void *ctx, kq_error *err) {
    lacking l = {.runner = runner, .every = every, .tell = tell, .ctx = ctx};
    kq_cleanup *cleanups = NULL;
    kq_query query;
    kq_reach *reach = NULL;
    kq_arena_init(&l.arena, runner->env.budget, 0);
    kq_status status = kq_runner_bind(runner, text, &l.arena, &cleanups, &query, err);
    if (!status) status = kq_reach_scans(query.plan, &l.arena, &reach, err);
    for (; reach && !status; reach = reach->next) status = judge(&l, reach, err);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&l.arena);
    return status;
}

kq_status kq_lacking_note(void *runner, KQ_UNUSED bool nothing, const char *sentence, KQ_UNUSED kq_error *err) {
    kq_runner_note(runner, "%s", sentence);
    return KQ_OK;
}
