/* Where rows come from: tables, values written in the query, ranges. */
#include "base/time.h"
#include "exec/operator.h"

/* ---- SCAN */

static kq_status scan_next(kq_origin *o, kq_worker *w, const kq_consumer *to, uint64_t *seq, bool *more,
                           kq_error *err) {
    kq_scan_worker *sw = o->locals[w->id];
    if (!sw) {
        KQ_TRY(kq_scan_worker_create(o->state, &sw, err));
        o->locals[w->id] = sw;
    }
    return kq_scan_next(sw, to, seq, more, err);
}

static void scan_progress(const kq_origin *o, uint64_t *done, uint64_t *total) {
    kq_scan_progress(o->state, done, total);
}

static kq_status scan(kq_exec *x, const kq_scan_spec *spec, kq_op *op, kq_error *err) {
    kq_scan *scan;
    KQ_TRY(kq_scan_create(x->env->catalog, spec, &scan, err));
    uint64_t done, total;
    kq_scan_progress(scan, &done, &total);
    void **locals = kq_calloc(x->nworkers, sizeof *locals);
    /* the size of a stream is not known: then all workers start */
    kq_origin origin = {.next = scan_next,
                        .progress = scan_progress,
                        .morsels = total ? 1 + total / (64 * 1024) : x->nworkers,
                        .state = scan,
                        .locals = locals};
    kq_status status = locals ? kq_run_origin(x, &origin, op, err) : kq_nomem(err);
    for (unsigned i = 0; locals && i < x->nworkers; i++) kq_scan_worker_destroy(locals[i]);
    kq_free(locals);
    kq_scan_destroy(scan);
    return status;
}

typedef struct filling {
    kq_scan_cache *cache;
    kq_scan_entry *entry;
    size_t before;
    bool too_large;
} filling;

static kq_status fill_push(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    filling *f = ctx;
    KQ_TRY(kq_rows_append_chunk(&f->entry->rows, chunk, err));
    size_t used = f->cache->budget ? atomic_load(&f->cache->budget->used) : 0;
    f->too_large = used > f->before && used - f->before > f->cache->most;
    *done = f->too_large;
    return KQ_OK;
}

/* Runs a scan into the cache. One that grows too large is marked so, and its rows are dropped. */
static kq_status fill(kq_exec *x, kq_scan_entry *entry, const kq_plan *plan, const kq_scan_spec *spec, kq_error *err) {
    filling f = {x->env->scan_cache, entry, x->env->budget ? atomic_load(&x->env->budget->used) : 0, false};
    kq_consumer to = {.push = fill_push, .ctx = &f};
    kq_op *op = kq_ordered_create(x, &plan->out, UINT64_MAX, &to, err);
    kq_status status = op ? scan(x, spec, op, err) : KQ_ERR_NOMEM;
    kq_ordered_destroy(op);
    entry->kept = !status && !f.too_large;
    if (!entry->kept) kq_rows_deinit(&entry->rows);
    return status;
}

kq_status kq_op_scan(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    kq_scan_spec spec = {.table = plan->u.scan.handle,
                         .columns = plan->u.scan.columns,
                         .ncolumns = plan->out.n,
                         .written = plan->u.scan.written,
                         .predicates = plan->u.scan.predicates,
                         .npredicates = plan->u.scan.npredicates,
                         .report = x->env->report,
                         .budget = x->env->budget,
                         .local_null = x->env->local_null,
                         .unseen = x->env->unseen};
    if (!x->env->scan_cache) return scan(x, &spec, op, err);
    kq_scan_spec whole = spec;
    kq_scan_entry *entry;
    bool made;
    kq_predicate *kept = kq_arena_array(&x->arena, kq_predicate, spec.npredicates + 1);
    if (!kept) return kq_arena_status(&x->arena, err);
    KQ_TRY(kq_scan_cache_find(x->env->scan_cache, &whole, kept, &entry, &made, err));
    if (made) KQ_TRY(fill(x, entry, plan, &whole, err));
    if (!entry->kept) return scan(x, &spec, op, err);
    kq_store store = {.rows = entry->rows, .types = entry->types};
    return kq_store_flow(x, &store, NULL, store.rows.n, op, err);
}

/* ---- VALUES */

kq_status kq_op_values(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    kq_store *store = kq_store_create(x, &plan->out, err);
    if (!store) return KQ_ERR_NOMEM;
    uint32_t n = plan->out.n;
    const kq_vector **row = kq_arena_array(&x->arena, const kq_vector *, n + 1);
    kq_vector *cells = kq_arena_array(&x->arena, kq_vector, n + 1);
    if (!row || !cells) return kq_arena_status(&x->arena, err);
    for (uint32_t c = 0; c < n; c++) {
        KQ_TRY(kq_vector_init(&cells[c], store->types[c], 1, true, &x->arena, err));
        row[c] = &cells[c];
    }
    for (uint32_t r = 0; r < plan->u.values.rows; r++) {
        for (uint32_t c = 0; c < n; c++) {
            const kq_expr *e = plan->u.values.cells[(size_t)r * n + c];
            kq_value v;
            if (e->kind == KQ_EXPR_CONST)
                v = e->value;
            else
                KQ_TRY(kq_eval_constant(x, e, &v, err));
            cells[c].nulls[0] = v.null && v.type != KQ_STRING;
            if (cells[c].nulls[0] && v.type == KQ_DYNAMIC) kq_vec_str(&cells[c])[0] = (kq_str){0};
            if (!cells[c].nulls[0]) kq_vector_set(&cells[c], 0, &v);
        }
        KQ_TRY(kq_rows_append(&store->rows, row, NULL, 1, err));
        if (r % 1024 == 0) KQ_TRY(kq_exec_check(x->env, err));
    }
    return kq_store_flow(x, store, NULL, store->rows.n, op, err);
}

/* ---- RANGE: value i is from + i * step, made where it is needed */

#define RANGE_MORSEL (32 * KQ_CHUNK_ROWS)

typedef struct range {
    kq_type type;
    kq_value from, step;
    uint64_t n;
    atomic_uint_least64_t next;
    kq_vector *vectors; /* one for each worker */
} range;

static kq_status range_next(kq_origin *o, kq_worker *w, const kq_consumer *to, uint64_t *seq, bool *more,
                            kq_error *err) {
    range *r = o->state;
    kq_vector *v = &r->vectors[w->id];
    bool done = false;
    *seq = atomic_fetch_add(&r->next, 1);
    uint64_t from = *seq * RANGE_MORSEL;
    *more = from < r->n;
    for (uint64_t i = 0; i < RANGE_MORSEL && from + i < r->n && !done; i += KQ_CHUNK_ROWS) {
        uint64_t left = r->n - from - i;
        uint32_t n = left < KQ_CHUNK_ROWS ? (uint32_t)left : KQ_CHUNK_ROWS;
        for (uint32_t k = 0; k < n; k++) {
            uint64_t at = from + i + k;
            if (r->type == KQ_REAL)
                kq_vec_real(v)[k] = r->from.u.r + (double)at * r->step.u.r;
            else if (r->type == KQ_INT)
                kq_vec_int(v)[k] = (int32_t)(r->from.u.i + (int64_t)at * r->step.u.i);
            else
                kq_vec_long(v)[k] = (int64_t)((uint64_t)r->from.u.l + at * (uint64_t)r->step.u.l);
        }
        kq_chunk chunk = {.rows = n, .selected = n, .ncols = 1, .cols = v, .ordinal = (*seq << 32) + i};
        KQ_TRY(to->push(to->ctx, &chunk, &done, err));
    }
    return KQ_OK;
}

/* How many values from..to there are in steps; 0 for a step that leads away. */
static uint64_t range_count(kq_type type, const kq_value *from, const kq_value *to, const kq_value *step) {
    if (from->null || to->null || step->null) return 0;
    if (type == KQ_REAL) {
        double n = (to->u.r - from->u.r) / step->u.r;
        if (!(step->u.r != 0) || !(n >= 0)) return 0;
        return n < 1e18 ? (uint64_t)(n + 1e-9) + 1 : UINT64_MAX / 2;
    }
    __int128 a = type == KQ_INT ? from->u.i : from->u.l, b = type == KQ_INT ? to->u.i : to->u.l,
             s = type == KQ_INT ? step->u.i : step->u.l;
    if (s == 0 || (s > 0 && b < a) || (s < 0 && b > a)) return 0;
    __int128 n = (b - a) / s + 1;
    return n > INT64_MAX ? INT64_MAX : (uint64_t)n; /* nobody waits that long */
}

kq_status kq_op_range(kq_exec *x, const kq_plan *plan, kq_op *op, kq_error *err) {
    range r = {.type = plan->out.items[0].type};
    kq_value to;
    KQ_TRY(kq_eval_constant(x, plan->u.range.from, &r.from, err));
    KQ_TRY(kq_eval_constant(x, plan->u.range.to, &to, err));
    KQ_TRY(kq_eval_constant(x, plan->u.range.step, &r.step, err));
    r.n = range_count(r.type, &r.from, &to, &r.step);
    r.vectors = kq_arena_array(&x->arena, kq_vector, x->nworkers);
    if (!r.vectors) return kq_arena_status(&x->arena, err);
    for (unsigned i = 0; i < x->nworkers; i++)
        KQ_TRY(kq_vector_init(&r.vectors[i], r.type, KQ_CHUNK_ROWS, false, &x->arena, err));
    kq_origin origin = {.next = range_next, .morsels = r.n / RANGE_MORSEL + 1, .state = &r};
    return kq_run_origin(x, &origin, op, err);
}
