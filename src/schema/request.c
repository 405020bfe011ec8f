#include "schema/request.h"
#include "base/time.h"

typedef struct maker {
    const kq_model *model;
    const kq_scan_spec *spec;
    const kq_model_table *table; /* of the spec */
    const uint32_t *book;
    uint32_t nbook;
    kq_arena *arena;
    kq_want_set *sets;
    kq_build_set *builds;
    uint32_t nsets;
    kq_want *wants; /* of the set being made */
    uint32_t nwants, cap;
    const kq_map *map; /* of the set being made; NULL: native */
    uint32_t number;   /* of that map among the table's */
    const kq_shape *shape;
    kq_sv prefix; /* native */
    bool asks_parent;
    bool evtx; /* the reader is that of event logs */
    kq_error *err;
} maker;

/* A predicate judged at its field: what accept() gets. */
typedef struct judge {
    const kq_predicate *predicate;
    const kq_build_node *node; /* transforms over one field */
    bool more;                 /* other alternatives follow: an empty field decides nothing */
    bool local;                /* a time without a zone is local, and judged with the row */
    bool *seen;                /* the spec's: such an event is there */
} judge;

static bool through(const kq_build_node *node, kq_sv text, kq_sv *out) {
    if (node->expr->kind != KQ_MAP_TRANSFORM) {
        *out = text;
        return true;
    }
    return through(node->parts, text, &text) && node->expr->transform->fn(text, &node->expr->argument, NULL, out);
}

static bool judge_field(const void *ctx, const kq_field *field) {
    const judge *j = ctx;
    if (j->seen && !__atomic_load_n(j->seen, __ATOMIC_RELAXED)) __atomic_store_n(j->seen, true, __ATOMIC_RELAXED);
    if (field->kind == KQ_FIELD_MISSING || field->kind == KQ_FIELD_NULL) {
        if (j->more) return true;
        return j->predicate->kind == KQ_PREDICATE_TEXT && kq_matcher_test(j->predicate->matcher, KQ_SV(""));
    }
    if (field->kind != KQ_FIELD_STRING) return true; /* judged when the row is built */
    kq_sv text = field->u.text;
    if (!through(j->node, text, &text)) text = KQ_SV("");
    if (!text.n && j->more) return true;
    if (j->predicate->kind == KQ_PREDICATE_TEXT) return kq_matcher_test(j->predicate->matcher, text);
    kq_value v = {.type = KQ_DATETIME};
    if (j->local && (!text.n || text.p[text.n - 1] != 'Z')) return true;
    if (!kq_time_parse_iso(text, &v.u.l)) return true;
    return kq_predicate_range(j->predicate, &v);
}

/* How a field is taken: kq_want's flags. */
enum { AS_VALUE, AS_JSON = 1, AS_WRITTEN = 2 };

static uint32_t want(maker *m, kq_sv name, unsigned as) {
    const kq_want w = {.name = name, .json = as & AS_JSON, .written = as & AS_WRITTEN};
    for (uint32_t i = 0; i < m->nwants; i++)
        if (kq_sv_eq(m->wants[i].name, name) && m->wants[i].json == w.json && m->wants[i].written == w.written)
            return i;
    if (m->nwants == m->cap) {
        uint32_t cap = m->cap ? 2 * m->cap : 16;
        kq_want *wants = kq_arena_array(m->arena, kq_want, cap);
        if (!wants) return 0;
        if (m->nwants) memcpy(wants, m->wants, m->nwants * sizeof *wants);
        m->wants = wants;
        m->cap = cap;
    }
    m->wants[m->nwants] = w;
    return m->nwants++;
}

static kq_sv join(maker *m, kq_sv prefix, kq_sv name) {
    return prefix.n ? kq_arena_printf(m->arena, "%.*s%.*s", (int)prefix.n, prefix.p, (int)name.n, name.p) : name;
}

/* The record's own name of a map's field: behind the shape's prefix for event data, or for UserData. False: there is no
 * such field. */
static bool field_name(maker *m, kq_sv text, kq_sv *out) {
    static const kq_sv user = {"UserData.", 9};
    const kq_shape *s = m->shape;
    if (!kq_sv_starts(text, user)) {
        *out = join(m, s->data, text);
        return true;
    }
    kq_sv name = kq_sv_slice(text, user.n, text.n);
    const char *dot = memchr(name.p, '.', name.n);
    if (s->user_flat && dot) name = kq_sv_slice(name, (size_t)(dot - name.p) + 1, name.n);
    *out = join(m, s->user, name);
    return s->has_user;
}

/* Does a map's field lie inside another field of the record? Not when the shape has fields of its own too, and it is
 * one of these: a column of the table whose rows they are. */
static bool lies_inside(const maker *m, kq_sv name) {
    const kq_shape *s = m->shape;
    if (!s || !s->inside.n || !s->has_data) return s && s->inside.n;
    const kq_model_table *t = s->rows.n ? kq_model_find(m->model, s->rows) : NULL;
    for (uint32_t i = 0; t && i < t->table.columns.n; i++)
        if (kq_sv_eq(t->table.columns.items[i].name, name)) return false;
    return true;
}

/* The node of a map's field that lies in another one. The XML has the names that maps use; in JSON those of UserData
 * are as in other shapes. */
static bool inside_node(maker *m, kq_sv name, kq_build_node *out) {
    kq_map_expr *e = kq_arena_new(m->arena, kq_map_expr);
    if (!e) return false;
    *e = (kq_map_expr){.kind = m->shape->inside_as, .text = name};
    if (e->kind == KQ_MAP_IN_JSON && !field_name(m, name, &e->text)) return false;
    *out = (kq_build_node){.expr = e, .at = want(m, m->shape->inside, AS_VALUE)};
    return true;
}

static bool compile(maker *m, const kq_map_expr *e, bool whole, unsigned as, kq_build_node *out);

/* Event data that JSON gave has no time of its own in the wrapper that Event.EventData has: the record's. */
static bool timed(maker *m, const kq_map_expr *behind, unsigned as, kq_build_node *out) {
    static const kq_map_expr expr = {.kind = KQ_MAP_TIMED};
    const kq_map_expr *time = kq_shape_find(m->shape, KQ_SV("Time"));
    kq_build_node *parts = kq_arena_array(m->arena, kq_build_node, 2);
    if (!parts || !compile(m, behind, true, as & AS_JSON, &parts[0])) return false;
    *out = (kq_build_node){.expr = &expr, .nparts = 1, .parts = parts};
    if (time && compile(m, time, true, AS_VALUE, &parts[1])) out->nparts = 2;
    return true;
}

static const kq_map_expr plain_field = {.kind = KQ_MAP_FIELD};

/* A field that the shape's records have elsewhere: of these events here, of those there, of others where all are. */
static bool moved(maker *m, kq_sv name, unsigned as, kq_build_node *out) {
    static const kq_map_expr any = {.kind = KQ_MAP_ANY};
    const kq_shape *s = m->shape;
    const kq_map_expr *id = kq_shape_find(s, KQ_SV("EventID"));
    const kq_shape_field *rest = NULL;
    kq_build_node *parts = kq_arena_array(m->arena, kq_build_node, s->nfields + 1);
    *out = (kq_build_node){.expr = &any, .parts = parts};
    for (uint32_t i = 0; i < s->nfields && parts; i++) {
        const kq_shape_field *f = &s->fields[i];
        if (!kq_sv_eq(f->name, name)) continue;
        if (!f->of) rest = f;
        kq_build_node *both = f->of && id ? kq_arena_array(m->arena, kq_build_node, 2) : NULL;
        if (!both || !compile(m, f->expr, true, as, &both[0]) || !compile(m, id, true, AS_VALUE, &both[1])) continue;
        parts[out->nparts++] = (kq_build_node){.expr = f->of, .nparts = 2, .parts = both};
    }
    if (rest && !out->nparts) return compile(m, rest->expr, true, as, out);
    if (rest) return compile(m, rest->expr, true, as, &parts[out->nparts++]);
    kq_sv own;
    if (parts && field_name(m, name, &own))
        parts[out->nparts++] = (kq_build_node){.expr = &plain_field, .at = want(m, own, as)};
    return out->nparts > 0;
}

/*
 * Compiles an expression. `whole`: names are whole fields of the record (in a shape). `as`: how the field is taken.
 * Parts that can't have a value here are left out; false when nothing is left. Without memory false too: the
 * arena says so.
 */
static bool compile(maker *m, const kq_map_expr *e, bool whole, unsigned as, kq_build_node *out) {
    *out = (kq_build_node){.expr = e};
    switch (e->kind) {
    case KQ_MAP_LITERAL: return true;
    case KQ_MAP_FIELD: {
        kq_sv name = e->text;
        if (!whole && kq_shape_moves(m->shape, name)) return moved(m, name, as, out);
        if (!whole && lies_inside(m, name)) return inside_node(m, name, out);
        if (!whole && !field_name(m, e->text, &name)) return false;
        out->at = want(m, name, as);
        return true;
    }
    case KQ_MAP_SYSTEM: {
        const kq_map_expr *behind = kq_shape_find(m->shape, e->text);
        if (behind && kq_sv_eq(e->text, KQ_SV("DataXml")) && behind->kind != KQ_MAP_FIELD)
            return timed(m, behind, as, out);
        if (!behind || !compile(m, behind, true, as, out)) return false;
        out->time = kq_sv_eq(e->text, KQ_SV("Time"));
        return true;
    }
    case KQ_MAP_PARENT:
        for (uint32_t i = 0; i < m->nbook; i++) {
            const kq_model_table *starts = kq_model_find(m->model, KQ_SV("DeviceProcessEvents"));
            if (!starts || !kq_sv_eq(starts->table.columns.items[m->book[i]].name, e->text)) continue;
            out->at = i;
            m->asks_parent = true;
            return true;
        }
        return false;
    default: break;
    }
    unsigned inner = e->kind == KQ_MAP_ANY ? as : AS_VALUE;
    if (e->kind == KQ_MAP_TRANSFORM) inner = e->transform->flags & KQ_TRANSFORM_JSON ? AS_JSON : AS_VALUE;
    kq_build_node *parts = kq_arena_array(m->arena, kq_build_node, e->nparts);
    if (!parts) return false;
    out->parts = parts;
    for (uint32_t i = 0; i < e->nparts; i++) {
        bool there = compile(m, &e->parts[i], whole, inner, &parts[out->nparts]);
        parts[out->nparts].key = e->parts[i].key;
        if (there)
            out->nparts++;
        else if (e->kind == KQ_MAP_CONCAT)
            return false;
    }
    return out->nparts > 0;
}

static const kq_build_node *node_of(maker *m, const kq_map_expr *e, unsigned as) {
    kq_build_node *node = e ? kq_arena_new(m->arena, kq_build_node) : NULL;
    return node && compile(m, e, false, as, node) ? node : NULL;
}

static const kq_build_node *field_node(maker *m, kq_sv name, unsigned as) {
    kq_build_node *node = kq_arena_new(m->arena, kq_build_node);
    if (node) *node = (kq_build_node){.expr = &plain_field, .at = want(m, name, as)};
    return node;
}

/* A field of maps. */
static const kq_build_node *map_field_node(maker *m, kq_sv name, unsigned as) {
    kq_map_expr *e = kq_arena_new(m->arena, kq_map_expr);
    if (!e) return NULL;
    *e = (kq_map_expr){.kind = KQ_MAP_FIELD, .text = name};
    return node_of(m, e, as);
}

/* The value of a column whose records have the columns' names; twins stand in for each other, the first comes first:
 * exports always have it. */
static const kq_build_node *native_node(maker *m, uint32_t column, unsigned as) {
    static const kq_map_expr any = {.kind = KQ_MAP_ANY};
    const kq_columns *columns = &m->spec->table->columns;
    const kq_model_table *t = m->table;
    if (t->twins[0] != column && t->twins[1] != column)
        return field_node(m, join(m, m->prefix, columns->items[column].name), as);
    kq_build_node *node = kq_arena_new(m->arena, kq_build_node);
    kq_build_node *parts = kq_arena_array(m->arena, kq_build_node, 2);
    if (!node || !parts) return NULL;
    for (int i = 0; i < 2; i++)
        parts[i] = (kq_build_node){.expr = &plain_field,
                                   .at = want(m, join(m, m->prefix, columns->items[t->twins[i]].name), as)};
    *node = (kq_build_node){.expr = &any, .nparts = 2, .parts = parts};
    return node;
}

/* `written`: the column goes out as JSON. */
static kq_build_column column_of(maker *m, uint32_t column, bool written) {
    const kq_column *c = &m->spec->table->columns.items[column];
    kq_build_column out = {.type = c->type};
    unsigned as = (c->type == KQ_DYNAMIC ? AS_JSON : AS_VALUE) | (written ? AS_WRITTEN : 0);
    if (kq_sv_eq(c->name, kq_recovered_column)) {
        static const kq_map_expr live = {.kind = KQ_MAP_LITERAL, .text = {"false", 5}};
        static const kq_build_node other = {.expr = &live}; /* what is no event log has no old records */
        out.node = m->evtx ? field_node(m, KQ_SV("$recovered"), AS_VALUE) : &other;
        return out;
    }
    const kq_map_column *found = m->map ? kq_map_find(m->table, m->map, column) : NULL;
    uint32_t field = kq_model_field(kq_model_table_of(m->spec->table), column);
    if (found ? !found->expr : field == UINT32_MAX) return out;
    if (!found) c = &m->spec->table->columns.items[field];
    if (!m->map)
        out.node = native_node(m, field, as);
    else if (found)
        out.node = node_of(m, found->expr, as);
    else if (m->map->same_names)
        out.node = map_field_node(m, c->name, as);
    return out;
}

/* The node that is asked first: of alternatives the first. */
static const kq_build_node *first_of(const kq_build_node *node) {
    while (node && node->expr->kind == KQ_MAP_ANY) node = node->parts;
    return node;
}

/* Can the column be judged when the field of its first alternative is found? */
static bool early(const kq_build_column *c, const kq_predicate *p, uint32_t *field) {
    const kq_build_node *node = first_of(c->node);
    if (!node) return false;
    for (; node->expr->kind == KQ_MAP_TRANSFORM; node = node->parts)
        if (!(node->expr->transform->flags & KQ_TRANSFORM_VIEW)) return false;
    *field = node->at;
    return node->expr->kind == KQ_MAP_FIELD && ((p->kind == KQ_PREDICATE_TEXT && c->type == KQ_STRING) ||
                                                (p->kind == KQ_PREDICATE_RANGE && c->type == KQ_DATETIME));
}

/* A literal column decides a text predicate for the whole set: true when no record can pass. */
static bool never(const kq_build_column *c, const kq_predicate *p) {
    if (p->kind != KQ_PREDICATE_TEXT || c->type != KQ_STRING) return false;
    if (!c->node) return !kq_matcher_test(p->matcher, KQ_SV(""));
    return c->node->expr->kind == KQ_MAP_LITERAL && !kq_matcher_test(p->matcher, c->node->expr->text);
}

/* Is it one field, a text, or one field and a text for the records without it? Readers can select by that. */
static bool is_plain(const kq_map_expr *e) {
    return e->kind == KQ_MAP_FIELD || e->kind == KQ_MAP_LITERAL ||
           (e->kind == KQ_MAP_ANY && e->nparts == 2 && e->parts[0].kind == KQ_MAP_FIELD &&
            e->parts[1].kind == KQ_MAP_LITERAL);
}

/* Must what a line `when` asks wait until the row is built? */
static bool by_row(const maker *m, const kq_map_when *when) {
    if (!when->system) return kq_shape_moves(m->shape, when->name) || lies_inside(m, when->name);
    const kq_map_expr *e = kq_shape_find(m->shape, when->name);
    return e && when->nvalues && !is_plain(e);
}

/* Conditions on the row, and those on the record that readers can't ask; false without memory. */
static bool onlys(maker *m, kq_build_set *set) {
    const kq_map *map = m->map;
    kq_build_only *only = kq_arena_array(m->arena, kq_build_only, map->nonly + map->nwhen + 1);
    if (!only) return false;
    for (uint32_t i = 0; i < map->nwhen; i++) {
        const kq_map_when *w = &map->when[i];
        if (!by_row(m, w)) continue;
        kq_map_expr *e = kq_arena_new(m->arena, kq_map_expr);
        if (!e) return false;
        *e = (kq_map_expr){.kind = w->system ? KQ_MAP_SYSTEM : KQ_MAP_FIELD, .text = w->name};
        only[set->nonly++] = (kq_build_only){node_of(m, e, AS_VALUE), w->values, w->nvalues, w->not };
    }
    for (uint32_t i = 0; i < map->nonly; i++) {
        const kq_map_only *o = &map->only[i];
        only[set->nonly++] = (kq_build_only){node_of(m, o->expr, AS_VALUE), o->values, o->nvalues, false};
    }
    set->only = only;
    return true;
}

static kq_build_process process_of(maker *m, const kq_map_process *p) {
    return (kq_build_process){node_of(m, p->guid, AS_VALUE), node_of(m, p->pid, AS_VALUE),
                              node_of(m, p->image, AS_VALUE)};
}

static const kq_build_node *column_node(maker *m, const char *name) {
    const kq_columns *columns = &m->spec->table->columns;
    for (uint32_t i = 0; i < columns->n; i++)
        if (kq_sv_eq(columns->items[i].name, kq_sv_of(name))) return column_of(m, i, false).node;
    return NULL;
}

/* What ties a row to processes, as far as this scan asks for it. */
static void ties(maker *m, kq_build_set *set) {
    const kq_map *map = m->map;
    bool starts = m->spec->starts && (map->starts.guid || map->starts.pid);
    set->asks_parent = m->asks_parent;
    set->yields = map->yields && !m->spec->keep_duplicates;
    /* a row that asks its parent is to be known itself: it is not its own parent */
    if (starts || set->yields || set->asks_parent) set->starts = process_of(m, &map->starts);
    if (set->asks_parent) set->parent = process_of(m, &map->parent);
    if (!starts && !set->asks_parent && !set->yields) return;
    static const kq_map_expr computer = {.kind = KQ_MAP_SYSTEM, .text = {"Computer", 8}};
    static const kq_map_expr time = {.kind = KQ_MAP_SYSTEM, .text = {"Time", 4}};
    set->device = node_of(m, &computer, AS_VALUE);
    set->time = m->table && m->table->twins[0] != UINT32_MAX ? column_of(m, m->table->twins[0], false).node
                                                             : node_of(m, &time, AS_VALUE);
    if (starts || set->yields) set->file = column_node(m, "FileName");
    if (starts && m->spec->ncolumns) set->starts.image = column_node(m, "FolderPath");
}

/* Adds one set; drops it again when a predicate excludes all of it. */
static kq_status add_set(maker *m, const kq_selector *selectors, uint32_t nselectors) {
    const kq_scan_spec *spec = m->spec;
    m->wants = NULL;
    m->nwants = m->cap = 0;
    m->asks_parent = false;
    kq_build_column *columns = kq_arena_array(m->arena, kq_build_column, spec->ncolumns + 1);
    kq_build_predicate *predicates = kq_arena_array(m->arena, kq_build_predicate, spec->npredicates + 1);
    if (!columns || !predicates) return kq_arena_status(m->arena, m->err);
    for (uint32_t i = 0; i < spec->npredicates; i++) {
        const kq_predicate *p = &spec->predicates[i];
        kq_build_column *c = &predicates[i].column;
        predicates[i].predicate = p;
        *c = column_of(m, p->column, false);
        KQ_TRY(kq_arena_status(m->arena, m->err));
        if (never(c, p)) {
            if (spec->left) __atomic_store_n(spec->left, true, __ATOMIC_RELAXED);
            return KQ_OK;
        }
    }
    for (uint32_t i = 0; i < spec->ncolumns; i++)
        columns[i] = column_of(m, spec->columns[i], spec->written && spec->written[i]);
    kq_build_set *set = &m->builds[m->nsets];
    *set = (kq_build_set){.columns = columns,
                          .predicates = predicates,
                          .npredicates = spec->npredicates,
                          .map = m->map,
                          .number = m->number};
    if (m->map && !onlys(m, set)) return kq_arena_status(m->arena, m->err);
    if (m->map) ties(m, set);
    KQ_TRY(kq_arena_status(m->arena, m->err));
    for (uint32_t i = 0; i < spec->npredicates; i++) {
        const kq_build_column *c = &predicates[i].column;
        uint32_t field;
        if (!early(c, predicates[i].predicate, &field)) continue;
        judge *j = kq_arena_new(m->arena, judge);
        if (!j) return kq_arena_status(m->arena, m->err);
        const kq_build_node *first = first_of(c->node);
        bool local = first->expr->kind == KQ_MAP_TRANSFORM && first->expr->transform->flags & KQ_TRANSFORM_LOCAL;
        *j = (judge){predicates[i].predicate, first, c->node->expr->kind == KQ_MAP_ANY, local, spec->seen};
        if (m->wants[field].accept) continue; /* one judge a field; the others are asked when the row is built */
        m->wants[field].accept = judge_field;
        m->wants[field].accept_ctx = j;
    }
    m->sets[m->nsets] = (kq_want_set){selectors, nselectors, m->wants, m->nwants};
    m->nsets++;
    if (spec->wanted && m->map) __atomic_store_n(spec->wanted, true, __ATOMIC_RELAXED);
    return KQ_OK;
}

/* What a line `when` asks of records of the shape. */
typedef enum asked {
    ASKED_FIELD,   /* this field of them */
    ASKED_ROW,     /* it is asked when the row is built */
    ASKED_HOLDS,   /* it holds for all of them */
    ASKED_NOTHING, /* the shape can't tell such records, or has none */
} asked;

static bool is_value(const kq_map_when *when, kq_sv text) {
    for (uint32_t i = 0; i < when->nvalues; i++)
        if (kq_sv_eq_ascii_ci(when->values[i], text)) return true;
    return false;
}

/* `without`, of a system name that is one field or else a text: the records without the field are meant; *with: those
 * are told apart. */
static asked ask(maker *m, const kq_map_when *when, bool without, bool *with, kq_sv *field) {
    *with = false;
    if (by_row(m, when)) return ASKED_ROW;
    if (!when->system) return field_name(m, when->name, field) ? ASKED_FIELD : ASKED_NOTHING;
    const kq_map_expr *e = kq_shape_find(m->shape, when->name);
    if (!e) return ASKED_NOTHING;
    if (e->kind == KQ_MAP_LITERAL) return is_value(when, e->text) != when->not ? ASKED_HOLDS : ASKED_NOTHING;
    if (e->kind == KQ_MAP_ANY) {
        *with = true;
        if (without && is_value(when, e->parts[1].text) == when->not ) return ASKED_NOTHING;
        e = e->parts;
    }
    *field = e->text;
    return ASKED_FIELD;
}

/* `more`: what the records are selected by besides. `without`: see ask(). */
static kq_status add_map_as(maker *m, const kq_map *map, const kq_shape *shape, const kq_selector *more, uint32_t nmore,
                            bool without) {
    kq_selector *selectors =
        kq_arena_array(m->arena, kq_selector, 2 * map->nwhen + shape->nis + shape->nisnt + nmore + 1);
    if (!selectors) return kq_arena_status(m->arena, m->err);
    uint32_t n = 0;
    bool any = false;
    m->map = map;
    m->shape = shape;
    for (uint32_t i = 0; i < map->nwhen; i++) {
        bool with;
        kq_sv name;
        const kq_map_when *w = &map->when[i];
        if (!w->nvalues) {
            if (!kq_shape_find(shape, w->name)) return KQ_OK;
            continue;
        }
        asked is = ask(m, w, without, &with, &name);
        if (is == ASKED_NOTHING) return KQ_OK;
        if (is != ASKED_FIELD) continue;
        any |= with;
        if (with && without)
            selectors[n++] = (kq_selector){.name = name, .not = true};
        else
            selectors[n++] = (kq_selector){.name = name, .any_of = w->values, .n = w->nvalues, .not = w->not };
        if (with && !without && w->not ) selectors[n++] = (kq_selector){.name = name};
    }
    if (without && !any) return KQ_OK; /* these records are there already */
    for (uint32_t i = 0; i < shape->nis; i++) {
        bool asked = false;
        for (uint32_t k = 0; k < n; k++) asked |= !selectors[k].not &&kq_sv_eq(selectors[k].name, shape->is[i]);
        if (!asked) selectors[n++] = (kq_selector){.name = shape->is[i]};
    }
    for (uint32_t i = 0; i < shape->nisnt; i++) selectors[n++] = (kq_selector){.name = shape->isnt[i], .not = true};
    if (nmore) memcpy(selectors + n, more, nmore * sizeof *more);
    return add_set(m, selectors, n + nmore);
}

static kq_status add_map(maker *m, const kq_map *map, const kq_shape *shape, const kq_selector *more, uint32_t nmore) {
    KQ_TRY(add_map_as(m, map, shape, more, nmore, false));
    return add_map_as(m, map, shape, more, nmore, true);
}

/* How records say in `field` that they are rows of this table. */
static void named(const kq_sv *table, const char *field, kq_selector *out) {
    out[0] = (kq_selector){.name = kq_sv_of(field), .any_of = table, .n = 1};
    out[1] = (kq_selector){.name = KQ_SV("TimeGenerated")};
    out[2] = (kq_selector){.name = KQ_SV("Type"), .not = true};
}

/* The map for rows of other tables. */
static kq_status add_rows(maker *m, const kq_map *map, const char *reader, kq_access access) {
    kq_sv from = kq_sv_of(reader);
    for (const kq_shape *s = NULL; (s = kq_model_rows(m->model, s, from, m->spec->table));) {
        kq_selector more[3];
        if (access >= KQ_ACCESS_ROWS) {
            if (access == KQ_ACCESS_ROWS + s->rows_at) KQ_TRY(add_map(m, map, s, NULL, 0));
            continue;
        }
        named(&s->rows, "Type", more);
        if (access == KQ_ACCESS_TYPED) KQ_TRY(add_map(m, map, s, more, 1));
        if (access == KQ_ACCESS_MAPPED) KQ_TRY(add_map(m, map, s, more, 2));
        named(&s->rows, "$table", more);
        if (access == KQ_ACCESS_TABLED) KQ_TRY(add_map(m, map, s, more, 1));
        if (access == KQ_ACCESS_MAPPED) KQ_TRY(add_map(m, map, s, more, 3));
    }
    return KQ_OK;
}

/* Defender's streaming API: {"category": "AdvancedHunting-TABLE", "properties": {...}}. */
static kq_status add_envelope(maker *m) {
    kq_selector *selector = kq_arena_new(m->arena, kq_selector);
    kq_sv *category = kq_arena_array(m->arena, kq_sv, 2);
    if (!selector || !category) return kq_arena_status(m->arena, m->err);
    kq_sv name = m->spec->table->name;
    category[0] = kq_arena_printf(m->arena, "AdvancedHunting-%.*s", (int)name.n, name.p);
    category[1] = name;
    *selector = (kq_selector){.name = KQ_SV("category"), .any_of = category, .n = 2};
    m->map = NULL;
    m->prefix = KQ_SV("properties.");
    return add_set(m, selector, 1);
}

/* Exports of Log Analytics: the time that every table there has, and the table in Type, or in $table. */
static kq_status add_named(maker *m, bool type) {
    kq_selector *selectors = kq_arena_array(m->arena, kq_selector, 3);
    if (!selectors) return kq_arena_status(m->arena, m->err);
    named(&m->spec->table->name, type ? "Type" : "$table", selectors);
    m->map = NULL;
    m->prefix = KQ_SV("");
    return add_set(m, selectors, type ? 2 : 3);
}

/* What the readers know records by, beside names of tables: the shapes of this kind of file. */
kq_status kq_scan_request_shapes(const kq_model *model, const char *reader, kq_arena *arena, kq_request *out,
                                 kq_error *err) {
    uint32_t n = 0;
    for (const kq_shape *s = model->shapes; s; s = s->next) n += kq_shape_read_by(s, kq_sv_of(reader));
    kq_field_shape *shapes = kq_arena_array(arena, kq_field_shape, n + 1);
    if (!shapes) return kq_arena_status(arena, err);
    out->shapes = shapes;
    for (const kq_shape *s = model->shapes; s; s = s->next)
        if (kq_shape_read_by(s, kq_sv_of(reader)))
            shapes[out->nshapes++] = (kq_field_shape){s->is, s->isnt, s->nis, s->nisnt};
    return KQ_OK;
}

/* The maps of the table: those for what its readers know by shapes, or those for rows of tables that records name. */
static kq_status add_maps(maker *m, const char *reader, kq_access access, bool named) {
    bool beyond = access >= KQ_ACCESS_ROWS;
    m->number = 0;
    for (const kq_map *map = m->model->maps; map && access != KQ_ACCESS_NATIVE; map = map->next) {
        if (map->table != m->spec->table) continue;
        bool wanted = !m->spec->starts || !map->yields || m->spec->ncolumns;
        for (const kq_shape *s = m->model->shapes; s && wanted && !named && access == KQ_ACCESS_MAPPED; s = s->next)
            if (kq_shape_read_by(s, kq_sv_of(reader))) KQ_TRY(add_map(m, map, s, NULL, 0));
        if (wanted && named != beyond) KQ_TRY(add_rows(m, map, reader, access));
        m->number++;
    }
    return KQ_OK;
}

/* The sets behind the request's own become its `named`. */
static kq_status add_tables(maker *m, const char *reader, kq_request *out, kq_error *err) {
    const kq_table *table = m->spec->table;
    uint32_t most = 0;
    for (const kq_shape *s = NULL; (s = kq_model_rows(m->model, s, kq_sv_of(reader), table));) most++;
    kq_request *named = kq_arena_new(m->arena, kq_request);
    kq_sv *tables = kq_arena_array(m->arena, kq_sv, most + 1);
    if (!named || !tables) return kq_arena_status(m->arena, err);
    for (const kq_shape *s = NULL; (s = kq_model_rows(m->model, s, kq_sv_of(reader), table));)
        tables[out->ntables++] = s->rows;
    *named = (kq_request){.sets = m->sets + out->nsets, .nsets = m->nsets - out->nsets, .met = out->met};
    out->named = named;
    out->tables = tables;
    return KQ_OK;
}

kq_status kq_scan_request_make(const kq_model *model, const kq_scan_spec *spec, const uint32_t *book, uint32_t nbook,
                               const char *reader, kq_access access, kq_arena *arena, kq_scan_request *out,
                               kq_error *err) {
    maker m = {.model = model,
               .spec = spec,
               .table = kq_model_table_of(spec->table),
               .book = book,
               .nbook = nbook,
               .arena = arena,
               .err = err,
               .prefix = KQ_SV(""),
               .evtx = strcmp(reader, "evtx") == 0};
    uint32_t most = 4;
    for (const kq_map *map = model->maps; map; map = map->next)
        for (const kq_shape *s = model->shapes; map->table == spec->table && s; s = s->next) most += s->rows.n ? 4 : 2;
    bool mapped = access == KQ_ACCESS_MAPPED;
    bool json = strcmp(reader, "json") == 0 && mapped && !spec->starts;
    uint32_t inner = 0;
    m.sets = kq_arena_array(arena, kq_want_set, most);
    m.builds = kq_arena_array(arena, kq_build_set, most);
    if (!m.sets || !m.builds) return kq_arena_status(arena, err);
    if (access == KQ_ACCESS_NATIVE && !spec->starts) KQ_TRY(add_set(&m, NULL, 0));
    if ((access == KQ_ACCESS_TYPED || access == KQ_ACCESS_TABLED) && !spec->starts) {
        kq_sv name = access == KQ_ACCESS_TYPED ? KQ_SV("Type") : KQ_SV("$table");
        kq_selector *selector = kq_arena_new(arena, kq_selector);
        if (!selector) return kq_arena_status(arena, err);
        *selector = (kq_selector){.name = name, .any_of = &spec->table->name, .n = 1};
        KQ_TRY(add_set(&m, selector, 1));
    }
    KQ_TRY(add_maps(&m, reader, access, false));
    uint32_t before = m.nsets;
    if (json) KQ_TRY(add_envelope(&m));
    if (m.nsets > before) inner = m.nsets;
    if (json) KQ_TRY(add_named(&m, true));
    if (json) KQ_TRY(add_named(&m, false));
    before = m.nsets;
    KQ_TRY(add_maps(&m, reader, access, true));
    out->nsets = m.nsets;
    out->sets = m.builds;
    out->request = (kq_request){.sets = m.sets, .nsets = before, .inner = inner, .met = spec->seen};
    if (json) KQ_TRY(kq_scan_request_shapes(model, reader, arena, &out->request, err));
    return m.nsets > before ? add_tables(&m, reader, &out->request, err) : kq_arena_status(arena, err);
}

static bool add_parents(const kq_columns *starts, const kq_map_expr *e, uint32_t *columns, uint32_t *n) {
    if (e->kind == KQ_MAP_PARENT)
        for (uint32_t i = 0; i < starts->n; i++)
            if (kq_sv_eq(starts->items[i].name, e->text)) {
                uint32_t k = 0;
                while (k < *n && columns[k] != i) k++;
                columns[k] = i;
                if (k == *n) ++*n;
            }
    for (uint32_t i = 0; i < e->nparts; i++) add_parents(starts, &e->parts[i], columns, n);
    return true;
}

kq_status kq_scan_parents(const kq_model *model, const kq_scan_spec *spec, kq_arena *arena, uint32_t **columns,
                          uint32_t *n, bool *yields, kq_error *err) {
    const kq_model_table *starts = kq_model_find(model, KQ_SV("DeviceProcessEvents"));
    const kq_model_table *table = kq_model_table_of(spec->table);
    *n = 0;
    *yields = false;
    *columns = starts ? kq_arena_array(arena, uint32_t, kq_table_all(&starts->table).n + 1) : NULL;
    if (!starts) return KQ_OK;
    if (!*columns) return kq_arena_status(arena, err);
    for (const kq_map *map = model->maps; map; map = map->next) {
        if (map->table != spec->table) continue;
        *yields |= map->yields;
        for (uint32_t i = 0; i < spec->ncolumns + spec->npredicates; i++) {
            uint32_t c = i < spec->ncolumns ? spec->columns[i] : spec->predicates[i - spec->ncolumns].column;
            const kq_map_column *mc = kq_map_find(table, map, c);
            const kq_columns all = kq_table_all(&starts->table);
            if (mc && mc->expr) add_parents(&all, mc->expr, *columns, n);
        }
    }
    return KQ_OK;
}
