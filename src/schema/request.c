#include "schema/request.h"
#include "base/time.h"

typedef struct maker {
    const kq_model *model;
    const kq_scan_spec *spec;
    kq_arena *arena;
    kq_want_set *sets;
    kq_build_set *builds;
    uint32_t nsets;
    kq_want *wants; /* of the set being made */
    uint32_t nwants;
} maker;

/* A predicate judged at its field: what accept() gets. */
typedef struct judge {
    const kq_predicate *predicate;
    const kq_map_source *map;
    bool more; /* other alternatives follow: an empty field decides nothing */
} judge;

static bool judge_field(const void *ctx, const kq_field *field) {
    const judge *j = ctx;
    if (field->kind == KQ_FIELD_MISSING || field->kind == KQ_FIELD_NULL) {
        if (j->more) return true;
        return j->predicate->kind == KQ_PREDICATE_TEXT && kq_matcher_test(j->predicate->matcher, KQ_SV(""));
    }
    if (field->kind != KQ_FIELD_STRING) return true; /* judged when the row is built */
    kq_sv text = field->u.text;
    if (!kq_map_apply(j->map, text, NULL, &text)) text = KQ_SV("");
    if (!text.n && j->more) return true;
    if (j->predicate->kind == KQ_PREDICATE_TEXT) return kq_matcher_test(j->predicate->matcher, text);
    kq_value v = {.type = KQ_DATETIME};
    if (!kq_time_parse_iso(text, &v.u.l)) return true;
    return kq_predicate_range(j->predicate, &v);
}

static uint32_t want(maker *m, kq_sv name, bool json) {
    for (uint32_t i = 0; i < m->nwants; i++)
        if (kq_sv_eq(m->wants[i].name, name)) {
            m->wants[i].json |= json;
            return i;
        }
    m->wants[m->nwants] = (kq_want){.name = name, .json = json};
    return m->nwants++;
}

static kq_sv join(maker *m, kq_sv prefix, kq_sv name) {
    return prefix.n ? kq_arena_printf(m->arena, "%.*s%.*s", (int)prefix.n, prefix.p, (int)name.n, name.p) : name;
}

/* The sources of one column under a map and shape. */
static kq_status map_column(maker *m, const kq_map *map, const kq_shape *shape, uint32_t column, kq_build_column *out) {
    const kq_table *table = m->spec->table;
    const kq_model_table *mt = kq_model_table_of(table);
    const kq_map_column *found = NULL;
    for (int twin = 0; twin < 2 && !found; twin++) {
        uint32_t c = column;
        if (twin) {
            if (mt->twins[0] != column && mt->twins[1] != column) break;
            c = mt->twins[0] == column ? mt->twins[1] : mt->twins[0];
        }
        for (uint32_t i = 0; i < map->ncolumns && !found; i++)
            if (map->columns[i].column == c) found = &map->columns[i];
    }
    *out = (kq_build_column){.type = table->columns.items[column].type};
    if (!found) return KQ_OK;
    kq_build_source *sources = kq_arena_array(m->arena, kq_build_source, found->nsources);
    if (!sources) return kq_arena_status(m->arena, NULL);
    for (uint32_t i = 0; i < found->nsources; i++) {
        const kq_map_source *s = &found->sources[i];
        kq_sv field = s->text;
        if (!s->literal && s->system && !kq_shape_field(shape, s->text, &field)) continue;
        if (!s->literal && !s->system) field = join(m, shape->data, s->text);
        sources[out->nsources++] = (kq_build_source){s, s->literal ? 0 : want(m, field, out->type == KQ_DYNAMIC)};
    }
    out->sources = sources;
    return KQ_OK;
}

/* The same for a record whose fields have the columns' names, behind `prefix`; twins stand in for each other. */
static kq_status native_column(maker *m, kq_sv prefix, uint32_t column, kq_build_column *out) {
    static const kq_map_source plain = {0};
    const kq_table *table = m->spec->table;
    const kq_model_table *mt = kq_model_table_of(table);
    kq_build_source *sources = kq_arena_array(m->arena, kq_build_source, 2);
    if (!sources) return kq_arena_status(m->arena, NULL);
    *out = (kq_build_column){.type = table->columns.items[column].type, .sources = sources};
    uint32_t names[2] = {column, UINT32_MAX};
    if (mt->twins[0] == column || mt->twins[1] == column) { /* Timestamp first: exports always have it */
        names[0] = mt->twins[0];
        names[1] = mt->twins[1];
    }
    for (int i = 0; i < 2 && names[i] != UINT32_MAX; i++)
        sources[out->nsources++] = (kq_build_source){
            &plain, want(m, join(m, prefix, table->columns.items[names[i]].name), out->type == KQ_DYNAMIC)};
    return KQ_OK;
}

/* Can `source` be judged when its field is found? */
static bool early(const kq_build_column *c, const kq_predicate *p) {
    if (!c->nsources || c->sources[0].map->literal) return false;
    for (uint32_t t = 0; t < c->sources[0].map->ntransforms; t++)
        if (!c->sources[0].map->transforms[t]->view) return false;
    return (p->kind == KQ_PREDICATE_TEXT && c->type == KQ_STRING) ||
           (p->kind == KQ_PREDICATE_RANGE && c->type == KQ_DATETIME);
}

/* A literal column decides a text predicate for the whole set: true when no record can pass. */
static bool never(const kq_build_column *c, const kq_predicate *p) {
    if (p->kind != KQ_PREDICATE_TEXT || c->type != KQ_STRING) return false;
    if (!c->nsources) return !kq_matcher_test(p->matcher, KQ_SV(""));
    return c->sources[0].map->literal && !kq_matcher_test(p->matcher, c->sources[0].map->text);
}

typedef kq_status (*column_fn)(maker *m, const void *ctx, uint32_t column, kq_build_column *out);

/* Adds one set whose columns come from `fn`; drops it again when a predicate excludes all of it. */
static kq_status add_set(maker *m, column_fn fn, const void *ctx, const kq_selector *selectors, uint32_t nselectors) {
    const kq_scan_spec *spec = m->spec;
    uint32_t most = 4 * (spec->ncolumns + spec->npredicates) + 4;
    m->wants = kq_arena_array(m->arena, kq_want, most);
    m->nwants = 0;
    kq_build_column *columns = kq_arena_array(m->arena, kq_build_column, spec->ncolumns + 1);
    kq_build_predicate *predicates = kq_arena_array(m->arena, kq_build_predicate, spec->npredicates + 1);
    if (!m->wants || !columns || !predicates) return kq_arena_status(m->arena, NULL);
    for (uint32_t i = 0; i < spec->npredicates; i++) {
        const kq_predicate *p = &spec->predicates[i];
        kq_build_column *c = &predicates[i].column;
        predicates[i].predicate = p;
        KQ_TRY(fn(m, ctx, p->column, c));
        if (never(c, p)) return KQ_OK;
        if (!early(c, p)) continue;
        kq_want *w = &m->wants[c->sources[0].want];
        judge *j = kq_arena_new(m->arena, judge);
        if (!j) return kq_arena_status(m->arena, NULL);
        *j = (judge){p, c->sources[0].map, c->nsources > 1};
        if (w->accept) continue; /* one judge a field; the others are asked when the row is built */
        w->accept = judge_field;
        w->accept_ctx = j;
    }
    for (uint32_t i = 0; i < spec->ncolumns; i++) KQ_TRY(fn(m, ctx, spec->columns[i], &columns[i]));
    m->sets[m->nsets] = (kq_want_set){selectors, nselectors, m->wants, m->nwants};
    m->builds[m->nsets] = (kq_build_set){columns, predicates, spec->npredicates};
    m->nsets++;
    return KQ_OK;
}

typedef struct mapped {
    const kq_map *map;
    const kq_shape *shape;
} mapped;

static kq_status mapped_fn(maker *m, const void *ctx, uint32_t column, kq_build_column *out) {
    const mapped *x = ctx;
    return map_column(m, x->map, x->shape, column, out);
}

static kq_status native_fn(maker *m, const void *ctx, uint32_t column, kq_build_column *out) {
    return native_column(m, *(const kq_sv *)ctx, column, out);
}

static kq_status add_map(maker *m, const kq_map *map, const kq_shape *shape) {
    kq_selector *selectors = kq_arena_array(m->arena, kq_selector, map->nwhen + 1);
    if (!selectors) return kq_arena_status(m->arena, NULL);
    for (uint32_t i = 0; i < map->nwhen; i++) {
        kq_sv field;
        if (!kq_shape_field(shape, map->when[i].name, &field)) return KQ_OK; /* the shape can't tell such records */
        selectors[i] = (kq_selector){field, map->when[i].values, map->when[i].nvalues};
    }
    /* A record of any event must at least say which event it is, or every JSON object would be one. */
    uint32_t nselectors = map->nwhen;
    if (!nselectors && !kq_sv_eq(shape->reader, KQ_SV("evtx"))) return KQ_OK;
    mapped ctx = {map, shape};
    return add_set(m, mapped_fn, &ctx, selectors, nselectors);
}

/* Defender's streaming API: {"category": "AdvancedHunting-TABLE", "properties": {...}}. */
static kq_status add_envelope(maker *m) {
    static const kq_sv prefix = {"properties.", 11};
    kq_selector *selector = kq_arena_new(m->arena, kq_selector);
    kq_sv *category = kq_arena_array(m->arena, kq_sv, 2);
    if (!selector || !category) return kq_arena_status(m->arena, NULL);
    kq_sv name = m->spec->table->name;
    category[0] = kq_arena_printf(m->arena, "AdvancedHunting-%.*s", (int)name.n, name.p);
    category[1] = name;
    *selector = (kq_selector){KQ_SV("category"), category, 2};
    return add_set(m, native_fn, &prefix, selector, 1);
}

kq_status kq_scan_request_make(const kq_model *model, const kq_scan_spec *spec, const char *reader, kq_access access,
                               kq_arena *arena, kq_scan_request *out, kq_error *err) {
    maker m = {.model = model, .spec = spec, .arena = arena};
    static const kq_sv none = {"", 0};
    uint32_t most = 2;
    for (const kq_map *map = model->maps; map; map = map->next)
        for (const kq_shape *s = model->shapes; s; s = s->next) most++;
    m.sets = kq_arena_array(arena, kq_want_set, most);
    m.builds = kq_arena_array(arena, kq_build_set, most);
    if (!m.sets || !m.builds) return kq_arena_status(arena, err);
    if (access == KQ_ACCESS_NATIVE) {
        KQ_TRY(add_set(&m, native_fn, &none, NULL, 0));
    } else {
        for (const kq_map *map = model->maps; map; map = map->next)
            for (const kq_shape *s = model->shapes; map->table == spec->table && s; s = s->next)
                if (kq_sv_eq(s->reader, kq_sv_of(reader))) KQ_TRY(add_map(&m, map, s));
        if (strcmp(reader, "json") == 0) KQ_TRY(add_envelope(&m));
    }
    out->request = (kq_request){m.sets, m.nsets};
    out->sets = m.builds;
    return kq_arena_status(arena, err);
}
