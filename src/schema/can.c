#include "schema/can.h"
#include "schema/catalog_internal.h"

#define DEPTH_MAX 16

typedef struct asking {
    const kq_model *model;
    kq_arena *arena;
    bool certain; /* of the first that can't: what it says is there */
    kq_cant cant;
} asking;

static bool column_can(asking *a, const kq_map *map, uint32_t column, const kq_text_test *t, unsigned depth);

/* Why one of several alternatives can't: the first that says why stays; two that are to be looked for are too many. */
static bool note(asking *a, const kq_cant *cant) {
    if (a->certain && cant->unless && a->cant.unless && a->cant.unless != cant->unless) return true;
    if (!a->certain || (!a->cant.why && cant->why) || (cant->unless && !a->cant.unless)) {
        const char *why = a->cant.why ? a->cant.why : cant->why;
        kq_cant both = cant->unless ? *cant : a->cant;
        both.why = why;
        a->cant = both;
    }
    a->certain = true;
    return false;
}

/* The records of the map have one of these texts in the field, whatever its case. */
static bool selected_can(const kq_map *map, kq_sv name, const kq_text_test *t) {
    for (uint32_t i = 0; i < map->nwhen; i++) {
        const kq_map_when *when = &map->when[i];
        if (!when->system || when->not || !when->nvalues || !kq_sv_eq(when->name, name)) continue;
        for (uint32_t k = 0; k < when->nvalues; k++)
            if (kq_match_once(t->op, true, when->values[k], t->needle)) return true;
        return false;
    }
    return true;
}

/* @Column: what the start of some process gives. */
static bool parent_can(asking *a, kq_sv name, const kq_text_test *t, unsigned depth) {
    const kq_model_table *starts = kq_model_find(a->model, KQ_SV("DeviceProcessEvents"));
    uint32_t column = 0;
    if (!starts) return true;
    const kq_columns all = kq_table_all(&starts->table);
    while (column < all.n && !kq_sv_eq(all.items[column].name, name)) column++;
    if (column == all.n || all.items[column].type != KQ_STRING) return true;
    for (const kq_map *map = a->model->maps; map; map = map->next)
        if (map->table == &starts->table && column_can(a, map, column, t, depth + 1)) return true;
    return false;
}

static bool can(asking *a, const kq_map *map, const kq_map_expr *e, const kq_text_test *t, unsigned depth) {
    kq_text_test inner;
    kq_cant cant = {0};
    bool any;
    if (depth > DEPTH_MAX) return true;
    switch (e->kind) {
    case KQ_MAP_LITERAL: return kq_match_once(t->op, t->ci, e->text, t->needle) || note(a, &cant);
    case KQ_MAP_SYSTEM: return selected_can(map, e->text, t) || note(a, &cant);
    case KQ_MAP_PARENT: return parent_can(a, e->text, t, depth) || note(a, &cant);
    case KQ_MAP_TRANSFORM:
        if (!kq_transform_can(e, t, a->arena, &inner, &any, &cant)) return note(a, &cant);
        return any || can(a, map, e->parts, &inner, depth + 1);
    case KQ_MAP_ANY:
        for (uint32_t i = 0; i < e->nparts; i++)
            if (can(a, map, &e->parts[i], t, depth + 1)) return true;
        return false;
    default: return true;
    }
}

static bool column_can(asking *a, const kq_map *map, uint32_t column, const kq_text_test *t, unsigned depth) {
    const kq_map_column *found = kq_map_find(kq_model_table_of(map->table), map, column);
    if (!found) return kq_map_same_name(map, column);
    return found->expr && can(a, map, found->expr, t, depth);
}

bool kq_catalog_can(const kq_catalog *c, const kq_catalog_source *source, uint32_t column, const kq_text_test *test,
                    kq_arena *arena, kq_cant *cant) {
    const kq_map *map = source->map;
    asking a = {.model = &c->model, .arena = arena};
    const kq_column *is = &map->table->columns.items[column];
    if (!test->needle.n || is->type != KQ_STRING || kq_sv_eq(is->name, kq_recovered_column)) return true;
    if (column_can(&a, map, column, test, 0)) return true;
    *cant = a.cant;
    return false;
}

static kq_status stop(void *ctx, kq_chunk *chunk, bool *done, KQ_UNUSED kq_error *err) {
    *(bool *)ctx |= chunk->selected > 0;
    *done = true;
    return KQ_OK;
}

static kq_status look(const kq_catalog *c, const kq_table *table, uint32_t column, const kq_cant *cant,
                      kq_budget *budget, bool *has, kq_error *err) {
    kq_arena arena;
    kq_sv needle = kq_sv_of(cant->unless);
    kq_predicate predicate = {.kind = KQ_PREDICATE_TEXT, .column = column};
    kq_arena_init(&arena, budget, 0);
    kq_status status = kq_matcher_create(cant->unless_op, true, false, &needle, 1, &arena, &predicate.matcher, err);
    kq_scan_spec spec = {.table = table,
                         .predicates = &predicate,
                         .npredicates = 1,
                         .budget = budget,
                         .local_null = true,
                         .keep_duplicates = true};
    kq_consumer to = {.push = stop, .ctx = has};
    if (!status) status = kq_catalog_read(c, &spec, &to, has, err);
    kq_arena_deinit(&arena);
    return status;
}

kq_status kq_catalog_look(const kq_catalog *c, const kq_table *table, uint32_t column, const kq_cant *cant,
                          kq_budget *budget, bool *has, kq_error *err) {
    *has = kq_catalog_streams(c);
    if (*has || kq_shelf_looked(c->shelf, table, column, cant, has)) return KQ_OK;
    KQ_TRY(look(c, table, column, cant, budget, has, err));
    kq_shelf_keep_look(c->shelf, table, column, cant, *has);
    return KQ_OK;
}
