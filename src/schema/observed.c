/*
 * What the inputs have of the columns by which events are told apart: the EventIDs of SecurityEvent, say. Each is a few
 * values even in large logs; a column that has more is not known. And which other columns are empty in all rows that
 * have the same of these.
 */
#include "column/value.h"
#include "schema/catalog_internal.h"
#include <stdlib.h>

#define VALUES_MAX 256u
#define TEXT_MAX   256u
#define SLOTS      (4 * VALUES_MAX)
#define GROUPS_MAX 96u
#define NO_VALUE   UINT16_MAX

static const kq_sv observed_names[] = {{"ActionType", 10}, {"EventType", 9}, {"Channel", 7},          {"EventID", 7},
                                       {"EventLog", 8},    {"Provider", 8},  {"EventSourceName", 15}, {"Source", 6}};
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

/* *number: of the value among those met, from 0; NO_VALUE when they are too many. */
static kq_status meet(met *m, kq_value v, kq_arena *arena, uint16_t *number, kq_error *err) {
    uint32_t at = (uint32_t)(kq_value_hash(&v) % SLOTS);
    while (m->slots[at] && !kq_value_same(&m->values[m->slots[at] - 1], &v)) at = (at + 1) % SLOTS;
    *number = (uint16_t)(m->slots[at] - 1);
    if (m->slots[at]) return KQ_OK;
    kq_sv text = v.type == KQ_STRING ? kq_str_view(&v.u.s) : KQ_SV("");
    m->many = m->n == VALUES_MAX || text.n > TEXT_MAX;
    *number = NO_VALUE;
    if (m->many) return KQ_OK;
    if (v.type == KQ_STRING) {
        kq_sv kept = kq_arena_copy(arena, text);
        if (!kept.p) return kq_arena_status(arena, err);
        v = kq_value_sv(kept);
    }
    *number = (uint16_t)m->n;
    m->values[m->n++] = v;
    m->slots[at] = (uint16_t)m->n;
    return KQ_OK;
}

static kq_status push(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    looking *l = ctx;
    uint16_t number;
    l->enough = true;
    for (uint32_t c = 0; c < l->n; c++) {
        met *m = &l->columns[c];
        for (uint32_t k = 0; k < chunk->selected && !m->many; k++)
            KQ_TRY(meet(m, kq_vector_get(&chunk->cols[c], kq_chunk_row(chunk, k)), l->arena, &number, err));
        l->enough &= m->many;
    }
    *done = l->enough;
    return KQ_OK;
}

static int by_value(const void *a, const void *b) {
    return kq_value_cmp(a, b);
}

/* Every row that there is, whatever it is like. */
static kq_scan_spec all_rows(const kq_table *table, const uint32_t *columns, uint32_t n, kq_budget *budget) {
    return (kq_scan_spec){.table = table,
                          .columns = columns,
                          .ncolumns = n,
                          .budget = budget,
                          .keep_duplicates = true,
                          .local_null = true};
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
    kq_scan_spec spec = all_rows(table, columns, l.n, budget);
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

/* ---- groups ---- */

typedef struct group {
    uint16_t key[COLUMNS_MAX]; /* numbers of values */
    bool *filled;              /* of each column that is read */
    uint64_t rows;
} group;

typedef struct grouping {
    met *keys;
    uint32_t nkeys, ncolumns; /* of the scan: keys first */
    group groups[GROUPS_MAX];
    uint32_t n, last;
    bool one; /* they were too many: all rows are one group */
    kq_arena *arena, *scratch;
} grouping;

bool kq_catalog_groups_by(const kq_table *table, uint32_t column) {
    kq_type type = table->columns.items[column].type;
    return type == KQ_STRING || type == KQ_INT || type == KQ_LONG || type == KQ_REAL || type == KQ_BOOL;
}

/* From now on all rows are one group. */
static void make_one(grouping *g) {
    g->one = true;
    for (uint32_t i = 1; i < g->n; i++) {
        g->groups[0].rows += g->groups[i].rows;
        for (uint32_t c = 0; c < g->ncolumns; c++) g->groups[0].filled[c] |= g->groups[i].filled[c];
    }
    if (g->n) g->n = 1;
    g->last = 0;
}

/* The group with these keys, or a new one. NULL without memory. */
static group *group_of(grouping *g, const uint16_t *key) {
    size_t bytes = g->nkeys * sizeof *key;
    if (g->n && (g->one || !memcmp(g->groups[g->last].key, key, bytes))) return &g->groups[g->last];
    for (g->last = 0; g->last < g->n; g->last++)
        if (!memcmp(g->groups[g->last].key, key, bytes)) return &g->groups[g->last];
    if (g->n == GROUPS_MAX) {
        make_one(g);
        return &g->groups[0];
    }
    group *made = &g->groups[g->n];
    made->filled = kq_arena_array(g->scratch, bool, g->ncolumns + 1);
    if (!made->filled) return NULL;
    memcpy(made->key, key, bytes);
    g->last = g->n++;
    return made;
}

static kq_status group_push(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, kq_error *err) {
    grouping *g = ctx;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        uint16_t key[COLUMNS_MAX] = {0};
        for (uint32_t c = 0; c < g->nkeys && !g->one; c++) {
            KQ_TRY(meet(&g->keys[c], kq_vector_get(&chunk->cols[c], row), g->arena, &key[c], err));
            if (key[c] == NO_VALUE) make_one(g);
        }
        group *of = group_of(g, key);
        if (!of) return kq_arena_status(g->scratch, err);
        of->rows++;
        for (uint32_t c = g->nkeys; c < g->ncolumns; c++) {
            if (of->filled[c]) continue;
            kq_value v = kq_vector_get(&chunk->cols[c], row);
            of->filled[c] = !v.null && (v.type != KQ_STRING || kq_str_view(&v.u.s).n);
        }
    }
    return KQ_OK;
}

/* What was met, as the caller gets it. */
static kq_status groups_of(const grouping *g, const kq_table *table, const uint32_t *columns, kq_arena *arena,
                           kq_observed_groups *out, kq_error *err) {
    uint32_t n = table->columns.n;
    bool *keys = kq_arena_array(arena, bool, n + 1), *read = kq_arena_array(arena, bool, n + 1);
    kq_observed_group *items = kq_arena_array(arena, kq_observed_group, g->n + 1);
    if (!keys || !read || !items) return kq_arena_status(arena, err);
    for (uint32_t c = 0; c < g->nkeys; c++) keys[columns[c]] = !g->one;
    for (uint32_t c = g->nkeys; c < g->ncolumns; c++) read[columns[c]] = true;
    for (uint32_t i = 0; i < g->n; i++) {
        kq_value *values = kq_arena_array(arena, kq_value, n + 1);
        bool *filled = kq_arena_array(arena, bool, n + 1);
        if (!values || !filled) return kq_arena_status(arena, err);
        memset(filled, true, n);
        for (uint32_t c = 0; c < g->nkeys && !g->one; c++) values[columns[c]] = g->keys[c].values[g->groups[i].key[c]];
        for (uint32_t c = g->nkeys; c < g->ncolumns; c++) filled[columns[c]] = g->groups[i].filled[c];
        items[i] = (kq_observed_group){values, filled, g->groups[i].rows};
    }
    *out = (kq_observed_groups){keys, read, items, g->n};
    return KQ_OK;
}

static kq_status read_groups(const kq_catalog *c, const kq_table *table, const bool *wanted, bool all,
                             kq_budget *budget, kq_grouped *out, kq_arena *scratch, kq_error *err) {
    uint32_t *columns = kq_arena_array(scratch, uint32_t, table->columns.n + 1);
    grouping *g = kq_arena_new(scratch, grouping);
    if (!columns || !g) return kq_arena_status(scratch, err);
    g->arena = &out->arena;
    g->scratch = scratch;
    for (uint32_t i = 0; i < table->columns.n && g->nkeys < COLUMNS_MAX; i++)
        if (kq_catalog_observes(table, i)) columns[g->nkeys++] = i;
    g->ncolumns = g->nkeys;
    for (uint32_t i = 0; i < table->columns.n; i++)
        if (!kq_catalog_observes(table, i) && (wanted[i] || all) && kq_catalog_groups_by(table, i))
            columns[g->ncolumns++] = i;
    g->keys = kq_arena_array(scratch, met, g->nkeys + 1);
    if (!g->keys) return kq_arena_status(scratch, err);
    const bool whole = false;
    kq_scan_spec spec = all_rows(table, columns, g->ncolumns, budget);
    kq_consumer to = {.push = group_push, .ctx = g};
    KQ_TRY(kq_catalog_read(c, &spec, &to, &whole, err));
    return groups_of(g, table, columns, &out->arena, &out->groups, err);
}

kq_status kq_catalog_group(const kq_catalog *c, const kq_table *table, const bool *wanted, kq_budget *budget,
                           const kq_observed_groups **out, kq_error *err) {
    uint32_t before;
    *out = NULL;
    if (kq_catalog_streams(c)) return KQ_OK;
    if ((*out = kq_shelf_grouped(c->shelf, table, wanted, &before))) return KQ_OK;
    kq_grouped *made = kq_calloc(1, sizeof *made);
    if (!made) return kq_nomem(err);
    kq_arena scratch;
    made->table = table;
    kq_arena_init(&made->arena, NULL, 0); /* it stays with the catalog, and is small */
    kq_arena_init(&scratch, budget, 0);
    /* many rules ask for many columns: the second time for all, so that there is no third */
    kq_status status = read_groups(c, table, wanted, before > 0, budget, made, &scratch, err);
    kq_arena_deinit(&scratch);
    if (status) {
        kq_arena_deinit(&made->arena);
        kq_free(made);
        return status;
    }
    *out = kq_shelf_keep_grouped(c->shelf, made);
    return KQ_OK;
}
