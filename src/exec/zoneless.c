#include "exec/zoneless.h"
#include "kql/plan_met.h"

#define DEPTH_MAX 3000 /* of plans, as elsewhere */

static kq_status no_rows(KQ_UNUSED void *ctx, KQ_UNUSED kq_chunk *chunk, KQ_UNUSED bool *done,
                         KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

/* Reads a scan to its end, or to the first local time. Damage is not reported. *local: some time was local. */
static kq_status read_all(kq_runner *r, kq_scan_spec *spec, bool *local, kq_error *err) {
    kq_report report;
    kq_scan *scan = NULL;
    kq_scan_worker *worker = NULL;
    kq_consumer to = {.push = no_rows};
    kq_report_init(&report);
    spec->report = &report;
    spec->budget = r->env.budget;
    spec->keep_duplicates = true;
    kq_status status = kq_scan_create(r->env.catalog, spec, &scan, err);
    if (!status) status = kq_scan_worker_create(scan, &worker, err);
    for (bool more = true; more && !status && !report.local;) {
        uint64_t seq;
        status = kq_exec_check(&r->env, err);
        if (!status) status = kq_scan_next(worker, &to, &seq, &more, err);
    }
    kq_scan_worker_destroy(worker);
    kq_scan_destroy(scan);
    *local = report.local != NULL;
    kq_report_deinit(&report);
    return status;
}

static uint32_t times(const kq_table *t, const uint32_t *of, uint32_t n, uint32_t *out) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++)
        if (t->columns.items[of ? of[i] : i].type == KQ_DATETIME) out[k++] = of ? of[i] : i;
    return k;
}

/* Has the table any local time? Almost none has: then no query is asked further. */
static kq_status has_local(kq_zoneless *z, kq_runner *r, const kq_table *t, uint32_t *columns, bool *out,
                           kq_error *err) {
    for (uint32_t i = 0; i < z->n; i++)
        if (z->tables[i] == t) {
            *out = z->local[i];
            return KQ_OK;
        }
    kq_scan_spec spec = {.table = t, .columns = columns, .local_null = true};
    spec.ncolumns = times(t, NULL, t->columns.n, columns);
    KQ_TRY(read_all(r, &spec, out, err));
    if (z->n == KQ_ZONELESS_TABLES) return KQ_OK;
    z->tables[z->n] = t;
    z->local[z->n++] = *out;
    return KQ_OK;
}

static kq_status ask_scan(kq_zoneless *z, kq_runner *r, const kq_plan *p, bool *refused, kq_error *why, kq_error *err) {
    const kq_table *t = p->u.scan.handle;
    bool local;
    if (!kq_catalog_has_data(r->env.catalog, t)) return KQ_OK;
    uint32_t *columns = kq_calloc(kq_table_all(t).n + 1, sizeof *columns);
    if (!columns) return kq_nomem(err);
    kq_status status = has_local(z, r, t, columns, &local, err);
    if (!status && local) {
        kq_scan_spec spec = {
            .table = t, .columns = columns, .predicates = p->u.scan.predicates, .npredicates = p->u.scan.npredicates};
        spec.ncolumns = times(t, p->u.scan.columns, p->out.n, columns);
        status = read_all(r, &spec, &local, why);
        *refused = status == KQ_ERR_USAGE;
        if (*refused)
            status = KQ_OK;
        else if (status && err)
            *err = *why;
    }
    kq_free(columns);
    return status;
}

static kq_status ask(kq_zoneless *z, kq_runner *r, kq_plan_met *met, const kq_plan *p, unsigned depth, bool *refused,
                     kq_error *why, kq_error *err) {
    if (!p || depth > DEPTH_MAX || *refused) return KQ_OK;
    if (!kq_plan_enter(met, p)) return met->failed ? kq_arena_status(met->arena, err) : KQ_OK;
    if (p->kind == KQ_PLAN_SCAN) return ask_scan(z, r, p, refused, why, err);
    KQ_TRY(ask(z, r, met, p->input, depth + 1, refused, why, err));
    if (p->kind == KQ_PLAN_JOIN) KQ_TRY(ask(z, r, met, p->u.join.right, depth + 1, refused, why, err));
    for (uint32_t i = 0; p->kind == KQ_PLAN_UNION && i < p->u.unions.n; i++)
        KQ_TRY(ask(z, r, met, p->u.unions.inputs[i], depth + 1, refused, why, err));
    return KQ_OK;
}

kq_status kq_zoneless_ask(kq_zoneless *z, kq_runner *r, const kq_plan *plan, bool *refused, kq_error *why,
                          kq_error *err) {
    size_t n;
    const kq_input *inputs = kq_catalog_inputs(r->env.catalog, &n);
    bool may = false;
    *refused = false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(inputs[i].path, "-") == 0) return KQ_OK;
        may |= !inputs[i].zone && strcmp(inputs[i].type->name, "evtx") != 0; /* event logs have UTC only */
    }
    if (!may) return KQ_OK;
    kq_arena arena;
    kq_arena_init(&arena, r->env.budget, 0);
    kq_plan_met met = {.arena = &arena};
    kq_status status = ask(z, r, &met, plan, 0, refused, why, err);
    kq_arena_deinit(&arena);
    return status;
}
