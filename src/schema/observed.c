/*
 * What the inputs have of the columns by which events are told apart: the EventIDs of SecurityEvent, say. Each is a few
 * values even in large logs; a column that has more is not known.
 */
#include "column/value.h"
#include "schema/catalog_internal.h"
#include <stdlib.h>

#define VALUES_MAX 256u
#define TEXT_MAX   256u
#define SLOTS      (4 * VALUES_MAX)

static const kq_sv observed_names[] = {{"ActionType", 10}, {"Channel", 7},          {"EventID", 7}, {"EventLog", 8},
                                       {"Provider", 8},    {"EventSourceName", 15}, {"Source", 6}};
#define COLUMNS_MAX (sizeof observed_names / sizeof *observed_names)

/* The values of one column that were met. */
typedef struct met {
    kq_value values[VALUES_MAX];
    uint16_t slots[SLOTS]; /* number of a value from 1, by its hash */
    uint32_t n;
    bool many;
} met;

typedef struct looking {
    met *columns;
    uint32_t n;
    bool enough; /* every column has too many values */
    kq_arena *arena;
} looking;

bool kq_catalog_observes(const kq_table *table, uint32_t column) {
    const kq_column *c = &table->columns.items[column];
    if (c->type != KQ_STRING && c->type != KQ_INT && c->type != KQ_LONG) return false;
    for (size_t i = 0; i < COLUMNS_MAX; i++)
        if (kq_sv_eq(c->name, observed_names[i])) return true;
    return false;
}

static kq_status meet(met *m, kq_value v, kq_arena *arena, kq_error *err) {
    uint32_t at = (uint32_t)(kq_value_hash(&v) % SLOTS);
    while (m->slots[at] && !kq_value_same(&m->values[m->slots[at] - 1], &v)) at = (at + 1) % SLOTS;
    if (m->slots[at]) return KQ_OK;
    kq_sv text = v.type == KQ_STRING ? kq_str_view(&v.u.s) : KQ_SV("");
    m->many = m->n == VALUES_MAX || text.n > TEXT_MAX;
    if (m->many) return KQ_OK;
    if (v.type == KQ_STRING) {
        kq_sv kept = kq_arena_copy(arena, text);
        if (!kept.p) return kq_arena_status(arena, err);
        v = kq_value_sv(kept);
    }
    m->values[m->n++] = v;
    m->slots[at] = (uint16_t)m->n;
    return KQ_OK;
}

static kq_status push(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    looking *l = ctx;
    l->enough = true;
    for (uint32_t c = 0; c < l->n; c++) {
        met *m = &l->columns[c];
        for (uint32_t k = 0; k < chunk->selected && !m->many; k++)
            KQ_TRY(meet(m, kq_vector_get(&chunk->cols[c], kq_chunk_row(chunk, k)), l->arena, err));
        l->enough &= m->many;
    }
    *done = l->enough;
    return KQ_OK;
}

static int by_value(const void *a, const void *b) {
    return kq_value_cmp(a, b);
}

static kq_status observe(const kq_catalog *c, const kq_table *table, kq_budget *budget, kq_observed *out,
                         kq_arena *arena, kq_arena *scratch, kq_error *err) {
    uint32_t columns[COLUMNS_MAX];
    looking l = {.arena = arena};
    for (uint32_t i = 0; i < table->columns.n && l.n < COLUMNS_MAX; i++)
        if (kq_catalog_observes(table, i)) columns[l.n++] = i;
    l.columns = kq_arena_array(scratch, met, l.n + 1);
    out->columns = kq_arena_array(arena, kq_observed_column, table->columns.n + 1);
    if (!l.columns) return kq_arena_status(scratch, err);
    if (!out->columns) return kq_arena_status(arena, err);
    kq_scan_spec spec = {.table = table,
                         .columns = columns,
                         .ncolumns = l.n,
                         .budget = budget,
                         .keep_duplicates = true,
                         .local_null = true};
    kq_consumer to = {.push = push, .ctx = &l};
    kq_status status = l.n ? kq_catalog_read(c, &spec, &to, &l.enough, err) : KQ_OK;
    for (uint32_t i = 0; i < l.n && !status; i++) {
        const met *m = &l.columns[i];
        if (m->many || !m->n) continue;
        kq_value *values = kq_arena_array(arena, kq_value, m->n);
        if (!values) return kq_arena_status(arena, err);
        memcpy(values, m->values, m->n * sizeof *values);
        qsort(values, m->n, sizeof *values, by_value);
        out->columns[columns[i]] = (kq_observed_column){values, m->n};
    }
    return status;
}

kq_status kq_catalog_observe(const kq_catalog *c, const kq_table *table, kq_budget *budget,
                             const kq_observed_column **out, kq_error *err) {
    *out = NULL;
    if (kq_catalog_streams(c)) return KQ_OK;
    if ((*out = kq_shelf_observed(c->shelf, table))) return KQ_OK;
    kq_observed *made = kq_calloc(1, sizeof *made);
    if (!made) return kq_nomem(err);
    kq_arena scratch;
    made->table = table;
    kq_arena_init(&made->arena, NULL, 0); /* it stays with the catalog, and is small */
    kq_arena_init(&scratch, budget, 0);
    kq_status status = observe(c, table, budget, made, &made->arena, &scratch, err);
    kq_arena_deinit(&scratch);
    if (status) {
        kq_arena_deinit(&made->arena);
        kq_free(made);
        return status;
    }
    *out = kq_shelf_keep_observed(c->shelf, made);
    return KQ_OK;
}
