#include "exec/lacking.h"
#include "kql/reach.h"
#include <stdio.h>

#define WHY_MOST  24
#define DEPTH_MAX 3000

typedef struct lacking {
    kq_runner *runner;
    bool every;
    kq_lacking_fn tell;
    void *ctx;
    kq_arena arena;
    size_t leaves; /* scans that were judged */
    /* why the first scan that can give nothing can't */
    const char *why[WHY_MOST];
    size_t nwhy;
    uint32_t others; /* sources here beyond the first of them */
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

/* What source `source` lacks: "AccountUpn is never available in DeviceProcessEvents from Sysmon 1". */
static const char *sentence(lacking *l, const kq_plan *scan, const kq_catalog_source *source, uint32_t at,
                            const kq_value *value) {
    const kq_table *t = scan->u.scan.handle;
    uint32_t column = scan->u.scan.columns ? scan->u.scan.columns[at] : at;
    kq_sv name = t->columns.items[column].name;
    kq_sv text = value->type == KQ_STRING ? kq_str_view(&value->u.s) : KQ_SV("");
    kq_sv out =
        text.n ? kq_arena_printf(&l->arena, "%.*s is always \"%.*s\" in %.*s from %.*s", (int)name.n, name.p,
                                 (int)text.n, text.p, (int)t->name.n, t->name.p, (int)source->name.n, source->name.p)
               : kq_arena_printf(&l->arena, "%.*s is never available in %.*s from %.*s", (int)name.n, name.p,
                                 (int)t->name.n, t->name.p, (int)source->name.n, source->name.p);
    return out.p;
}

/* What one scan can give here. *dead: nothing; the reasons are noted when they are the first. */
static kq_status judge(lacking *l, const kq_reach *r, bool *dead, kq_error *err) {
    const kq_table *t = r->scan->u.scan.handle;
    const kq_catalog *catalog = l->runner->env.catalog;
    size_t n;
    const kq_catalog_source *sources;
    bool first = !l->nwhy;
    l->leaves++;
    *dead = !kq_catalog_has_data(catalog, t);
    if (*dead) {
        if (first)
            l->why[l->nwhy++] =
                kq_arena_printf(&l->arena, "no input has data of the table %.*s", (int)t->name.n, t->name.p).p;
        return kq_arena_status(&l->arena, err);
    }
    if (!r->n || kq_catalog_own_data(catalog, t)) return KQ_OK; /* an export may have every column */
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
    size_t here = 0, open = 0;
    for (size_t i = 0; i < n; i++) {
        here += records[i] > 0;
        open += records[i] > 0 && !shut[i];
    }
    *dead = here && !open;
    if (!first) return KQ_OK;
    for (size_t i = 0; i < n && l->nwhy < WHY_MOST; i++)
        if (records[i] && shut[i])
            l->why[l->nwhy++] = sentence(l, r->scan, &sources[i], column[i], known[i][column[i]]);
    l->others = here ? (uint32_t)here - 1 : 0;
    return kq_arena_status(&l->arena, err);
}

/* Can the plan give no row, whatever the inputs hold? */
static kq_status is_dead(lacking *l, const kq_plan *p, unsigned depth, bool *dead, kq_error *err) {
    kq_reach reach;
    bool left = false, right = false;
    *dead = false;
    if (!p || depth > DEPTH_MAX) return KQ_OK;
    KQ_TRY(kq_reach_of(p, &l->arena, &reach, err));
    if (reach.scan) return judge(l, &reach, dead, err);
    switch (p->kind) {
    case KQ_PLAN_VALUES:
    case KQ_PLAN_RANGE: return KQ_OK;
    case KQ_PLAN_AGGREGATE:
        KQ_TRY(is_dead(l, p->input, depth + 1, dead, err));
        if (!p->u.aggregate.nby && p->u.aggregate.naggs) *dead = false; /* a row even of nothing */
        return KQ_OK;
    case KQ_PLAN_UNION:
        *dead = p->u.unions.n > 0;
        for (uint32_t i = 0; i < p->u.unions.n; i++) {
            KQ_TRY(is_dead(l, p->u.unions.inputs[i], depth + 1, &left, err));
            *dead &= left;
        }
        return KQ_OK;
    case KQ_PLAN_JOIN:
        KQ_TRY(is_dead(l, p->input, depth + 1, &left, err));
        KQ_TRY(is_dead(l, p->u.join.right, depth + 1, &right, err));
        switch (p->u.join.kind) {
        case KQ_JOIN_LEFTOUTER:
        case KQ_JOIN_LEFTANTI: *dead = left; break;
        case KQ_JOIN_RIGHTOUTER:
        case KQ_JOIN_RIGHTANTI: *dead = right; break;
        case KQ_JOIN_FULLOUTER: *dead = left && right; break;
        default: *dead = left || right;
        }
        return KQ_OK;
    default: return is_dead(l, p->input, depth + 1, dead, err);
    }
}

static kq_status tell(lacking *l, bool nothing, kq_error *err) {
    char text[640];
    for (size_t i = 0; i < l->nwhy; i++) {
        snprintf(text, sizeof text, "this can't match %s: %s", nothing ? "here" : "there", l->why[i]);
        size_t at = strlen(text);
        if (!l->every && l->others && at < sizeof text)
            snprintf(text + at, sizeof text - at, ", nor in %u other source%s here", l->others,
                     l->others > 1 ? "s" : "");
        KQ_TRY(l->tell(l->ctx, nothing, text, err));
        if (!l->every) break;
    }
    return KQ_OK;
}

kq_status kq_lacking(kq_runner *runner, kq_sv text, bool every, kq_lacking_fn fn, void *ctx, kq_error *err) {
    lacking l = {.runner = runner, .every = every, .tell = fn, .ctx = ctx};
    kq_cleanup *cleanups = NULL;
    kq_query query;
    bool dead = false;
    kq_arena_init(&l.arena, runner->env.budget, 0);
    kq_status status = kq_runner_bind(runner, text, &l.arena, &cleanups, &query, err);
    if (!status) status = is_dead(&l, query.plan, 0, &dead, err);
    /* what one source lacks says something of the query when it reads that table and no other */
    if (!status && (dead || (every && l.leaves == 1))) status = tell(&l, dead, err);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&l.arena);
    return status;
}

kq_status kq_lacking_note(void *runner, KQ_UNUSED bool nothing, const char *sentence, KQ_UNUSED kq_error *err) {
    /* a table without data was told when the query began */
    if (!strstr(sentence, "no input has data")) kq_runner_note(runner, "%s", sentence);
    return KQ_OK;
}
