#include "schema/model.h"
#include "base/embedded.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "schema/catalogue.h"

#define COLUMNS_MAX 500u /* of a table, as Log Analytics allows */

typedef struct loader {
    kq_model *model;
    kq_arena *arena;
    const char *name;
    kq_error *err;
    uint32_t line;
    kq_sv text; /* the line */
    kq_model_table *table;
    kq_names *names;
    kq_shape *shape;
    kq_map_group *group;
    kq_map *map;
    bool in_group; /* a map takes over a group's lines */
    kq_sv head;    /* the section's own line, and its number */
    uint32_t head_line;
    bool *asks;          /* the map asks its parent; where it is noted outlives the loaders of groups */
    kq_group_line *once; /* of a group's line: parsed for the first map that uses it */
    uint32_t sections;
    struct seen *seen;
} loader;

/* The columns of one table by a hash of their names. */
#define SLOTS 1024u
typedef struct seen {
    const kq_table *table;
    uint16_t slots[SLOTS]; /* column + 1; 0: none */
} seen;

#define SECTIONS_MAX 10000u /* of one file: they are looked for one after another */

#define NONE KQ_SV("")

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static kq_sv trim(kq_sv s) {
    while (s.n && blank(s.p[0])) s = kq_sv_slice(s, 1, s.n);
    while (s.n && blank(s.p[s.n - 1])) s.n--;
    return s;
}

static kq_status bad(loader *l, const char *at, const char *what, kq_sv which) {
    size_t column = at >= l->text.p && at <= l->text.p + l->text.n ? (size_t)(at - l->text.p) + 1 : 1;
    return kq_fail(l->err, KQ_ERR_RULE, "%s:%u:%zu: %s%s" KQ_SV_FMT "%s", l->name, l->line, column, what,
                   which.n ? " '" : "", KQ_SV_ARG(which), which.n ? "'" : "");
}

/* Where the line that begins at `from` ends. */
static size_t line_end(kq_sv text, size_t from) {
    const char *newline = memchr(text.p + from, '\n', text.n - from);
    return newline ? (size_t)(newline - text.p) : text.n;
}

/* Cuts `s` at the first `c`: true with both sides trimmed. */
static bool cut(kq_sv s, char c, kq_sv *left, kq_sv *right) {
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    if (!at) return false;
    *left = trim(kq_sv_slice(s, 0, (size_t)(at - s.p)));
    *right = trim(kq_sv_slice(s, (size_t)(at - s.p) + 1, s.n));
    return true;
}

/* The first word of `s` in *word, the rest trimmed in *rest. */
static void first_word(kq_sv s, kq_sv *word, kq_sv *rest) {
    size_t i = 0;
    while (i < s.n && ((unsigned char)s.p[i] > ' ' || !blank(s.p[i]))) i++;
    *word = kq_sv_slice(s, 0, i);
    *rest = trim(kq_sv_slice(s, i, s.n));
}

static uint32_t find_in(const kq_columns *c, kq_sv name) {
    for (uint32_t i = 0; i < c->n; i++)
        if (kq_sv_eq(c->items[i].name, name)) return i;
    return UINT32_MAX;
}

/* The columns of a table that the text may name. */
static kq_columns columns_of(const loader *l, const kq_table *t) {
    return l->model->builtin ? kq_table_all(t) : t->columns;
}

static uint32_t find_column(const loader *l, const kq_table *t, kq_sv name) {
    const kq_columns c = columns_of(l, t);
    return find_in(&c, name);
}

/* The slot of the table's column, or the one where it would stand. There are more slots than columns. */
static uint16_t *slot_in(seen *s, const kq_table *t, kq_sv name) {
    uint32_t h = (uint32_t)name.n;
    for (size_t i = 0; i < name.n; i += i + 4 < name.n ? 4 : 1) h = h * 31 + (unsigned char)name.p[i];
    for (;; h++) {
        uint16_t *slot = &s->slots[h % SLOTS];
        if (!*slot || kq_sv_eq(t->columns.items[*slot - 1].name, name)) return slot;
    }
}

static uint16_t *slot_of(const loader *l, const kq_table *t, kq_sv name) {
    seen *s = l->seen;
    if (s->table != t) {
        memset(s, 0, sizeof *s);
        s->table = t;
        for (uint32_t i = 0; i < columns_of(l, t).n; i++) {
            uint16_t *slot = slot_in(s, t, t->columns.items[i].name);
            if (!*slot) *slot = (uint16_t)(i + 1);
        }
    }
    return slot_in(s, t, name);
}

/* The same as find_column, faster from one line to the next. A table that was inferred from a file may have more
 * columns than there are slots. */
static uint32_t column_at(const loader *l, const kq_table *t, kq_sv name) {
    if (t->columns.n > COLUMNS_MAX + 2) return find_column(l, t, name);
    return *slot_of(l, t, name) - 1u;
}

const kq_model_table *kq_model_find(const kq_model *model, kq_sv name) {
    for (const kq_model_table *t = model->tables; t; t = t->next)
        if (kq_sv_eq(t->table.name, name)) return t;
    return NULL;
}

const kq_map_expr *kq_shape_find(const kq_shape *shape, kq_sv name) {
    for (uint32_t i = 0; i < shape->n; i++)
        if (kq_sv_eq(shape->names[i].name, name)) return shape->names[i].expr;
    return NULL;
}

bool kq_shape_moves(const kq_shape *shape, kq_sv name) {
    for (uint32_t i = 0; i < shape->nfields; i++)
        if (kq_sv_eq(shape->fields[i].name, name)) return true;
    return false;
}

static bool reads(const kq_shape *shape, kq_sv reader) {
    for (uint32_t i = 0; i < shape->nreaders; i++)
        if (kq_sv_eq(shape->readers[i], reader)) return true;
    return false;
}

bool kq_shape_read_by(const kq_shape *shape, kq_sv reader) {
    return !shape->rows.n && reads(shape, reader);
}

const kq_shape *kq_model_rows(const kq_model *model, const kq_shape *after, kq_sv reader, const kq_table *table) {
    for (const kq_shape *s = model->shapes; s; s = s->next)
        if (s->rows.n && kq_sv_eq(s->rows, table->name)) return NULL;
    for (const kq_shape *s = after ? after->next : model->shapes; s; s = s->next)
        if (s->rows.n && reads(s, reader)) return s;
    return NULL;
}

const kq_map_column *kq_map_find(const kq_model_table *table, const kq_map *map, uint32_t column) {
    for (int twin = 0; twin < 2; twin++) {
        uint32_t c = column;
        if (twin) {
            if (table->twins[0] != column && table->twins[1] != column) break;
            c = table->twins[0] == column ? table->twins[1] : table->twins[0];
        }
        for (uint32_t i = 0; i < map->ncolumns; i++)
            if (map->columns[i].column == c) return &map->columns[i];
    }
    uint32_t other = kq_model_field(table, column);
    return other == column || other == UINT32_MAX ? NULL : kq_map_find(table, map, other);
}

uint32_t kq_model_field(const kq_model_table *t, uint32_t column) {
    return column < t->table.columns.n ? column : t->others[column - t->table.columns.n];
}

bool kq_map_same_name(const kq_map *map, uint32_t column) {
    return map->same_names && kq_model_field(kq_model_table_of(map->table), column) != UINT32_MAX;
}

/* Arrays of the model grow by doubling in the arena; what is left behind goes with the arena. */
static bool grow(kq_arena *arena, void *items, uint32_t n, size_t size) {
    if (n & (n - 1)) return true; /* room until the next power of two */
    uint32_t cap = n ? 2 * n : 1;
    void *old;
    memcpy(&old, items, sizeof old);
    void *p = kq_arena_calloc(arena, cap, size);
    if (!p) return false;
    if (n) memcpy(p, old, n * size);
    memcpy(items, &p, sizeof p);
    return true;
}

/* What a name that is none may have meant: all that there are. Without memory fewer: it is a hint. */
typedef struct known {
    kq_sv *names;
    uint32_t n;
} known;

static void also(loader *l, known *k, kq_sv name) {
    if (grow(l->arena, &k->names, k->n, sizeof(kq_sv))) k->names[k->n++] = name;
}

static kq_status unknown(loader *l, const char *at, const char *what, kq_sv which, const known *k) {
    const kq_sv *near = kq_nearest(which, k->names, k->n);
    kq_status status = bad(l, at, what, which);
    if (near) kq_error_hint(l->err, "did you mean '" KQ_SV_FMT "'?", KQ_SV_ARG(*near));
    return status;
}

static kq_status no_column(loader *l, const char *at, const char *what, kq_sv name, const kq_table *t) {
    known k = {0};
    for (uint32_t i = 0; t && i < t->columns.n; i++) also(l, &k, t->columns.items[i].name);
    return unknown(l, at, what, name, &k);
}

static kq_status no_system_name(loader *l, const char *at, kq_sv name) {
    known k = {0};
    for (const kq_shape *s = l->model->shapes; s; s = s->next)
        for (uint32_t i = 0; i < s->n; i++) also(l, &k, s->names[i].name);
    return unknown(l, at, "no shape has the system name", name, &k);
}

/* The table of this name: of the model, or of the catalogue, which joins it to the model. */
static kq_status table_named(loader *l, kq_sv name, const kq_model_table **out) {
    known k = {0};
    if ((*out = kq_model_find(l->model, name))) return KQ_OK;
    KQ_TRY(kq_catalogue_load(name, l->model, l->arena, out, l->err));
    if (*out) return KQ_OK;
    for (const kq_model_table *t = l->model->tables; t; t = t->next) also(l, &k, t->table.name);
    kq_sv other;
    for (size_t at = 0; kq_catalogue_next(&at, &other);) also(l, &k, other);
    return unknown(l, name.p, "there is no table", name, &k);
}

static kq_status no_group(loader *l, kq_sv name) {
    known k = {0};
    for (const kq_map_group *g = l->model->groups; g; g = g->next) also(l, &k, g->name);
    return unknown(l, name.p, "there is no group", name, &k);
}

/* Cuts `values` at its commas, trimmed. Empty ones are left out. */
static kq_status list(loader *l, kq_sv values, kq_sv **items, uint32_t *n) {
    for (kq_sv more = values; more.n;) {
        kq_sv left = more, right = {0};
        cut(more, ',', &left, &right);
        more = right;
        if (!left.n) continue;
        if (!grow(l->arena, items, *n, sizeof(kq_sv))) return kq_arena_status(l->arena, l->err);
        kq_sv kept = kq_arena_copy(l->arena, left);
        if (!kept.p) return kq_arena_status(l->arena, l->err);
        (*items)[(*n)++] = kept;
    }
    return KQ_OK;
}

/* Where the line has an expression's name. */
static const char *place_of(const loader *l, const kq_map_expr *e) {
    return e->text.n ? memmem(l->text.p, l->text.n, e->text.p, e->text.n) : NULL;
}

/* What an expression of a map refers to must be there. */
static kq_status check_names(loader *l, const kq_map_expr *e) {
    if (e->kind == KQ_MAP_SYSTEM) {
        const kq_shape *s = l->model->shapes;
        while (s && !kq_shape_find(s, e->text)) s = s->next;
        if (!s) return no_system_name(l, place_of(l, e), e->text);
    }
    if (e->kind == KQ_MAP_PARENT) {
        const kq_model_table *t = kq_model_find(l->model, KQ_SV("DeviceProcessEvents"));
        if (!t || find_column(l, &t->table, e->text) == UINT32_MAX)
            return no_column(l, place_of(l, e), "DeviceProcessEvents has no column", e->text, t ? &t->table : NULL);
        *l->asks = true;
    }
    for (uint32_t i = 0; i < e->nparts; i++) KQ_TRY(check_names(l, &e->parts[i]));
    return KQ_OK;
}

static kq_status expression(loader *l, kq_sv text, bool shape, const kq_map_expr **out) {
    kq_map_fault fault;
    *out = kq_map_parse(text, shape, l->model->names, l->arena, &fault);
    if (*out) return shape ? KQ_OK : check_names(l, *out);
    if (!fault.what) return kq_arena_status(l->arena, l->err);
    return unknown(l, fault.at, fault.what, fault.which, &(known){&fault.near, fault.near.n > 0});
}

/* The expression of a column's line: of a group the one that another map had. */
static kq_status column_expression(loader *l, kq_sv text, const kq_map_expr **out) {
    if (l->once && l->once->expr) {
        *out = l->once->expr;
        *l->asks |= l->once->asks;
        return KQ_OK;
    }
    bool asked = *l->asks;
    *l->asks = false;
    KQ_TRY(expression(l, text, false, out));
    if (l->once) *l->once = (kq_group_line){*out, *l->asks};
    *l->asks |= asked;
    return KQ_OK;
}

/* Adds a new T named `rest` at the end of a list of the model. */
#define APPEND(T, list, made)                                                                                          \
    do {                                                                                                               \
        T **end_ = &(list);                                                                                            \
        while (*end_) end_ = &(*end_)->next;                                                                           \
        *end_ = (made) = kq_arena_new(l->arena, T);                                                                    \
        if (!(made)) return kq_arena_status(l->arena, l->err);                                                         \
    } while (0)

static kq_status map_section(loader *l, kq_sv rest) {
    kq_sv table, from;
    first_word(rest, &table, &rest);
    first_word(rest, &from, &rest);
    const kq_model_table *t;
    KQ_TRY(table_named(l, table, &t));
    if (!kq_sv_eq(from, KQ_SV("from")) || !rest.n) return bad(l, from.p, "expected 'from' and a name", NONE);
    APPEND(kq_map, l->model->maps, l->map);
    l->map->table = &t->table;
    l->map->name = kq_arena_copy(l->arena, rest);
    return KQ_OK;
}

/* What a section lacks can be told when it ends: at its own line. */
static kq_status finish(loader *l) {
    const char *what = NULL;
    if (l->shape && !l->shape->nreaders) what = "the shape has no line 'reader': which kinds of files have it";
    if (l->map && *l->asks && !l->map->parent.guid && !l->map->parent.pid)
        what = "the map asks @columns of a parent, and has no line 'parent'";
    *l->asks = false;
    if (!what) return KQ_OK;
    l->text = l->head;
    l->line = l->head_line;
    return bad(l, l->head.p, what, NONE);
}

static bool is_reader(kq_sv name) {
    size_t n;
    const kq_source_type *const *types = kq_source_types(&n);
    for (size_t i = 0; i < n; i++)
        if (kq_sv_eq(kq_sv_of(types[i]->name), name)) return true;
    return false;
}

static kq_status section(loader *l) {
    kq_sv s = l->text;
    KQ_TRY(finish(l));
    l->head = s;
    l->head_line = l->line;
    if (++l->sections > SECTIONS_MAX) return bad(l, s.p, "the file has too many sections", NONE);
    if (s.p[s.n - 1] != ']') return bad(l, s.p + s.n, "expected ']'", NONE);
    kq_sv kind, rest;
    first_word(trim(kq_sv_slice(s, 1, s.n - 1)), &kind, &rest);
    l->table = NULL;
    l->names = NULL;
    l->shape = NULL;
    l->group = NULL;
    l->map = NULL;
    if (!rest.n) return bad(l, s.p + 1, "a section needs a name", NONE);
    if (kq_sv_eq(kind, KQ_SV("table"))) {
        if (kq_model_find(l->model, rest)) return bad(l, rest.p, "there is already a table", rest);
        APPEND(kq_model_table, l->model->tables, l->table);
        l->table->table.name = kq_arena_copy(l->arena, rest);
        l->table->table.doc = "";
        l->table->twins[0] = l->table->twins[1] = UINT32_MAX;
        return KQ_OK;
    }
    if (kq_sv_eq(kind, KQ_SV("names"))) {
        for (const kq_names *n = l->model->names; n; n = n->next)
            if (kq_sv_eq(n->name, rest)) return bad(l, rest.p, "there are already names", rest);
        APPEND(kq_names, l->model->names, l->names);
        l->names->name = kq_arena_copy(l->arena, rest);
        return KQ_OK;
    }
    if (kq_sv_eq(kind, KQ_SV("shape"))) {
        APPEND(kq_shape, l->model->shapes, l->shape);
        l->shape->name = kq_arena_copy(l->arena, rest);
        return KQ_OK;
    }
    if (kq_sv_eq(kind, KQ_SV("group"))) {
        for (const kq_map_group *g = l->model->groups; g; g = g->next)
            if (kq_sv_eq(g->name, rest)) return bad(l, rest.p, "there is already a group", rest);
        APPEND(kq_map_group, l->model->groups, l->group);
        l->group->name = kq_arena_copy(l->arena, rest);
        l->group->file = l->name;
        l->group->line = l->line;
        return KQ_OK;
    }
    if (kq_sv_eq(kind, KQ_SV("map"))) return map_section(l, rest);
    return bad(l, kind.p, "expected table, names, shape, group or map, not", kind);
}

static kq_status names_line(loader *l) {
    kq_sv code, name;
    if (!cut(l->text, '=', &code, &name) || !code.n || !name.n)
        return bad(l, l->text.p, "expected 'code = name'", NONE);
    kq_names *n = l->names;
    for (uint32_t i = 0; i < n->n && !l->model->builtin; i++)
        if (kq_sv_eq_ascii_ci(n->items[i].code, code)) return bad(l, code.p, "there is already a name of", code);
    if (!grow(l->arena, &n->items, n->n, sizeof(kq_name))) return kq_arena_status(l->arena, l->err);
    n->items[n->n++] = (kq_name){kq_arena_copy(l->arena, code), kq_arena_copy(l->arena, name)};
    return KQ_OK;
}

/* `hidden`: it is one, and `other`, a column or UINT32_MAX, stands for it. */
static kq_status add_column(loader *l, kq_sv name, kq_type type, bool text, bool hidden, uint32_t other) {
    kq_table *t = &l->table->table;
    uint16_t *slot = slot_of(l, t, name);
    uint32_t twin = *slot - 1u, n = t->columns.n + t->hidden;
    if (*slot && !hidden && (twin == l->table->twins[0] || twin == l->table->twins[1])) return KQ_OK;
    if (*slot) return bad(l, name.p, "there is already a column", name);
    if (t->hidden && !hidden) return bad(l, name.p, "this must stand before hidden columns:", name);
    if (n == COLUMNS_MAX) return bad(l, name.p, "a table has at most 500 columns, and no room for", name);
    if (!grow(l->arena, &t->columns.items, n, sizeof(kq_column)) ||
        (hidden && !grow(l->arena, &l->table->others, t->hidden, sizeof(uint32_t))))
        return kq_arena_status(l->arena, l->err);
    t->columns.items[n] = (kq_column){kq_arena_copy(l->arena, name), type, text};
    *slot = (uint16_t)(n + 1);
    if (hidden)
        l->table->others[t->hidden++] = other;
    else
        t->columns.n++;
    return KQ_OK;
}

/* A type's name, or that of both types. */
static bool type_of(kq_sv name, kq_type *type, bool *text) {
    *text = kq_sv_eq(name, KQ_SV("dynamic|string"));
    *type = KQ_DYNAMIC;
    return *text || kq_type_from_name(name, type);
}

/* Column: type    type: Column Column    and of hidden ones: Column: type else Other */
static kq_status columns_line(loader *l, kq_sv line, bool hidden) {
    kq_sv name, type_name, word, other = {0};
    uint32_t at = UINT32_MAX;
    if (!cut(line, ':', &name, &type_name) || !name.n) return bad(l, line.p, "expected 'Column: type'", NONE);
    kq_type type;
    bool text;
    if (type_of(name, &type, &text)) { /* type: Column Column */
        for (kq_sv more = type_name; more.n;) {
            first_word(more, &name, &more);
            KQ_TRY(add_column(l, name, type, text, hidden, UINT32_MAX));
        }
        return KQ_OK;
    }
    if (hidden) {
        first_word(type_name, &type_name, &other);
        first_word(other, &word, &other);
        if (word.n && !(kq_sv_eq(word, KQ_SV("else")) && other.n))
            return bad(l, word.p, "expected 'else Column'", NONE);
    }
    if (!type_of(type_name, &type, &text)) return bad(l, type_name.p, "there is no type", type_name);
    if (other.n) {
        const kq_table *t = &l->table->table;
        at = find_in(&t->columns, other);
        if (at == UINT32_MAX) return no_column(l, other.p, "the table has no column", other, t);
        if (t->columns.items[at].type != type) return bad(l, other.p, "this is a column of another type:", other);
    }
    return add_column(l, name, type, text, hidden, at);
}

static kq_status table_line(loader *l) {
    kq_table *t = &l->table->table;
    kq_sv word, rest;
    first_word(l->text, &word, &rest);
    if (kq_sv_eq(word, KQ_SV("hidden")) && !kq_sv_starts(rest, KQ_SV(":"))) {
        if (!l->model->builtin) return bad(l, word.p, "only tables that come with kequel have hidden columns", NONE);
        return columns_line(l, rest, true);
    }
    if (kq_sv_eq(word, KQ_SV("doc"))) {
        t->doc = kq_arena_copy(l->arena, rest).p;
        return t->doc ? KQ_OK : kq_arena_status(l->arena, l->err);
    }
    if (kq_sv_eq(word, KQ_SV("same"))) {
        /* names of columns that come later: resolved when they do */
        kq_sv a, b;
        first_word(rest, &a, &b);
        if (!a.n || !b.n || kq_sv_eq(a, b)) return bad(l, rest.p, "expected two columns", NONE);
        if (l->table->twins[0] != UINT32_MAX) return bad(l, word.p, "there are already two columns that are one", NONE);
        for (uint32_t i = 0; i < 2; i++) {
            kq_sv n = i ? b : a;
            uint16_t *slot = slot_of(l, t, n);
            if (*slot) return bad(l, n.p, "this must stand before the column", n);
            if (t->hidden) return bad(l, n.p, "this must stand before hidden columns:", n);
            if (!grow(l->arena, &t->columns.items, t->columns.n, sizeof(kq_column)))
                return kq_arena_status(l->arena, l->err);
            l->table->twins[i] = t->columns.n;
            t->columns.items[t->columns.n++] = (kq_column){.name = kq_arena_copy(l->arena, n), .type = KQ_DATETIME};
            *slot = (uint16_t)t->columns.n;
        }
        return KQ_OK;
    }
    return columns_line(l, l->text, false);
}

static kq_status rows_line(loader *l, kq_sv name) {
    uint32_t n = 0;
    const kq_model_table *t;
    KQ_TRY(table_named(l, name, &t));
    for (const kq_shape *s = l->model->shapes; s; s = s->next) n += s->rows.n > 0;
    if (!l->shape->rows.n) l->shape->rows_at = n;
    l->shape->rows = t->table.name;
    return KQ_OK;
}

static kq_status inside_line(loader *l, kq_sv rest) {
    kq_sv field, as;
    first_word(rest, &field, &as);
    bool xml = kq_sv_eq(as, KQ_SV("xml"));
    if (!field.n || (!xml && !kq_sv_eq(as, KQ_SV("json"))))
        return bad(l, rest.p, "expected 'inside Field xml' or 'inside Field json'", NONE);
    l->shape->inside = kq_arena_copy(l->arena, field);
    l->shape->inside_as = xml ? KQ_MAP_IN_XML : KQ_MAP_IN_JSON;
    return l->shape->inside.p ? KQ_OK : kq_arena_status(l->arena, l->err);
}

/* field NAME: expression    field NAME of ID, ID: expression */
static kq_status field_line(loader *l, kq_sv rest) {
    kq_shape *s = l->shape;
    kq_sv name, text, ids = {0};
    if (!cut(rest, ':', &name, &text) || !name.n || !text.n)
        return bad(l, rest.p, "expected 'field Name: expression'", NONE);
    kq_sv whole = name, word;
    first_word(name, &name, &ids);
    first_word(ids, &word, &ids);
    if (word.n && (!kq_sv_eq(word, KQ_SV("of")) || !ids.n))
        return bad(l, whole.p, "expected 'field Name of EventID, EventID: expression'", NONE);
    for (uint32_t i = 0; i < s->nfields && !ids.n; i++)
        if (!s->fields[i].of && kq_sv_eq(s->fields[i].name, name))
            return bad(l, name.p, "the shape has this field already:", name);
    if (!grow(l->arena, &s->fields, s->nfields, sizeof(kq_shape_field))) return kq_arena_status(l->arena, l->err);
    kq_shape_field *f = &s->fields[s->nfields++];
    *f = (kq_shape_field){.name = kq_arena_copy(l->arena, name)};
    KQ_TRY(expression(l, text, true, &f->expr));
    if (!ids.n) return KQ_OK;
    kq_sv *items = NULL;
    uint32_t n = 0;
    KQ_TRY(list(l, ids, &items, &n));
    kq_map_expr *of = kq_arena_new(l->arena, kq_map_expr);
    kq_map_expr *parts = kq_arena_array(l->arena, kq_map_expr, n + 1);
    if (!of || !parts) return kq_arena_status(l->arena, l->err);
    for (uint32_t i = 0; i < n; i++) parts[i] = (kq_map_expr){.kind = KQ_MAP_LITERAL, .text = items[i]};
    *of = (kq_map_expr){.kind = KQ_MAP_OF, .parts = parts, .nparts = n};
    f->of = of;
    return KQ_OK;
}

static kq_status shape_line(loader *l) {
    kq_shape *s = l->shape;
    kq_sv word, rest, name, field;
    first_word(l->text, &word, &rest);
    if (kq_sv_eq(word, KQ_SV("reader"))) {
        KQ_TRY(list(l, rest, &s->readers, &s->nreaders));
        for (uint32_t i = 0; i < s->nreaders; i++)
            if (!is_reader(s->readers[i]))
                return bad(l, memmem(rest.p, rest.n, s->readers[i].p, s->readers[i].n), "there is no reader",
                           s->readers[i]);
        return s->nreaders ? KQ_OK : bad(l, l->text.p, "expected a reader: evtx, xml, json or csv", NONE);
    }
    if (kq_sv_eq(word, KQ_SV("is"))) return list(l, rest, &s->is, &s->nis);
    if (kq_sv_eq(word, KQ_SV("isnt"))) return list(l, rest, &s->isnt, &s->nisnt);
    if (kq_sv_eq(word, KQ_SV("data"))) {
        s->data = kq_arena_copy(l->arena, rest);
        s->has_data = true;
        return KQ_OK;
    }
    if (kq_sv_eq(word, KQ_SV("field"))) return field_line(l, rest);
    if (kq_sv_eq(word, KQ_SV("rows"))) return rows_line(l, rest);
    if (kq_sv_eq(word, KQ_SV("inside"))) return inside_line(l, rest);
    if (kq_sv_eq(word, KQ_SV("user"))) {
        s->has_user = true;
        s->user_flat = kq_sv_ends(rest, KQ_SV("*"));
        s->user = kq_arena_copy(l->arena, kq_sv_slice(rest, 0, rest.n - s->user_flat));
        return KQ_OK;
    }
    if (!cut(l->text, ':', &name, &field) || !field.n) return bad(l, l->text.p, "expected 'Name: field'", NONE);
    if (!grow(l->arena, &s->names, s->n, sizeof(kq_shape_name))) return kq_arena_status(l->arena, l->err);
    kq_shape_name *one = &s->names[s->n++];
    one->name = kq_arena_copy(l->arena, name);
    return expression(l, field, true, &one->expr);
}

/* when $System: value, value    when Field: value */
static kq_status when_line(loader *l, kq_sv rest, bool not ) {
    kq_sv name = rest, values = {0};
    bool known = rest.n > 1 && rest.p[0] == '$' && !not &&!memchr(rest.p, ':', rest.n);
    if (!known && (!cut(rest, ':', &name, &values) || !values.n || !name.n))
        return bad(l, rest.p, "expected 'when $Name: value, value'", NONE);
    if (!grow(l->arena, &l->map->when, l->map->nwhen, sizeof(kq_map_when))) return kq_arena_status(l->arena, l->err);
    kq_map_when *w = &l->map->when[l->map->nwhen++];
    w->not = not ;
    w->system = name.p[0] == '$';
    w->name = kq_arena_copy(l->arena, w->system ? kq_sv_slice(name, 1, name.n) : name);
    const kq_shape *s = l->model->shapes;
    while (s && w->system && !kq_shape_find(s, w->name)) s = s->next;
    if (!s && w->system) return no_system_name(l, name.p, w->name);
    KQ_TRY(list(l, values, &w->values, &w->nvalues));
    return known || w->nvalues ? KQ_OK : bad(l, rest.p, "expected 'when $Name: value, value'", NONE);
}

/* only expression: value, value */
static kq_status only_line(loader *l, kq_sv rest) {
    const char *colon = rest.n ? memrchr(rest.p, ':', rest.n) : NULL;
    if (!colon) return bad(l, rest.p, "expected 'only expression: value, value'", NONE);
    if (!grow(l->arena, &l->map->only, l->map->nonly, sizeof(kq_map_only))) return kq_arena_status(l->arena, l->err);
    kq_map_only *o = &l->map->only[l->map->nonly++];
    KQ_TRY(list(l, trim(kq_sv_slice(rest, (size_t)(colon - rest.p) + 1, rest.n)), &o->values, &o->nvalues));
    if (!o->nvalues) return bad(l, colon, "expected a value", NONE);
    return expression(l, trim(kq_sv_slice(rest, 0, (size_t)(colon - rest.p))), false, &o->expr);
}

/* The map's line for a column, a new one when there is none; NULL without memory. */
static kq_map_column *column_of(loader *l, uint32_t column) {
    kq_map *m = l->map;
    for (uint32_t i = 0; i < m->ncolumns; i++) /* a later line replaces one that a group brought */
        if (m->columns[i].column == column) return &m->columns[i];
    if (!grow(l->arena, &m->columns, m->ncolumns, sizeof(kq_map_column))) return NULL;
    m->columns[m->ncolumns] = (kq_map_column){.column = column};
    return &m->columns[m->ncolumns++];
}

/* never Column, Column */
static kq_status never_line(loader *l, kq_sv rest) {
    kq_sv *names = NULL;
    uint32_t n = 0;
    KQ_TRY(list(l, rest, &names, &n));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t column = find_column(l, l->map->table, names[i]);
        if (column == UINT32_MAX)
            return no_column(l, memmem(rest.p, rest.n, names[i].p, names[i].n), "the table has no column", names[i],
                             l->map->table);
        kq_map_column *c = column_of(l, column);
        if (!c) return kq_arena_status(l->arena, l->err);
        c->expr = NULL;
    }
    return n ? KQ_OK : bad(l, l->text.p, "expected columns", NONE);
}

/* starts guid X, parent pid X, parent image X */
static kq_status process_line(loader *l, kq_sv rest, kq_map_process *out) {
    kq_sv by, expr;
    first_word(rest, &by, &expr);
    if (kq_sv_eq(by, KQ_SV("guid"))) return expression(l, expr, false, &out->guid);
    if (kq_sv_eq(by, KQ_SV("pid"))) return expression(l, expr, false, &out->pid);
    bool parent = out == &l->map->parent;
    if (parent && kq_sv_eq(by, KQ_SV("image"))) return expression(l, expr, false, &out->image);
    return bad(l, rest.p,
               parent ? "expected 'guid', 'pid' or 'image' and a field" : "expected 'guid' or 'pid' and a field", NONE);
}

static kq_status column_line(loader *l) {
    kq_sv name, expr;
    if (!cut(l->text, '=', &name, &expr)) return bad(l, l->text.p, "expected 'Column = expression'", NONE);
    bool guess = name.n && name.p[name.n - 1] == '~';
    if (guess) name = trim(kq_sv_slice(name, 0, name.n - 1));
    kq_map *m = l->map;
    uint32_t column = column_at(l, m->table, name);
    const kq_map_expr *parsed;
    if (column == UINT32_MAX && l->in_group) return column_expression(l, expr, &parsed); /* other tables have it */
    if (column == UINT32_MAX) return no_column(l, name.p, "the table has no column", name, m->table);
    kq_map_column *c = column_of(l, column);
    if (!c) return kq_arena_status(l->arena, l->err);
    c->guess = guess;
    KQ_TRY(column_expression(l, expr, &c->expr));
    kq_type type = m->table->columns.items[column].type;
    if (c->expr->kind == KQ_MAP_BAG && type != KQ_DYNAMIC && type != KQ_STRING)
        return bad(l, expr.p, "an object is no value of the column's type,", kq_sv_of(kq_type_name(type)));
    return KQ_OK;
}

static kq_status map_line(loader *l);

/* The lines of a group, as if they stood here; errors name where they do stand. */
static kq_status use(loader *l, kq_sv name) {
    kq_map_group *g = l->model->groups;
    while (g && !kq_sv_eq(g->name, name)) g = g->next;
    if (!g) return no_group(l, name);
    if (!g->lines) {
        size_t n = 1;
        for (size_t i = 0; i < g->text.n; i = line_end(g->text, i) + 1) n++;
        g->lines = kq_arena_calloc(l->arena, n, sizeof *g->lines);
        if (!g->lines) return kq_arena_status(l->arena, l->err);
    }
    loader in = *l;
    in.in_group = true;
    in.name = g->file;
    in.line = g->line;
    for (size_t i = 0; i < g->text.n;) {
        size_t end = line_end(g->text, i);
        in.once = &g->lines[in.line++ - g->line];
        in.text = trim(kq_sv_slice(g->text, i, end));
        i = end + 1;
        if (!in.text.n || in.text.p[0] == '#') continue;
        if (kq_sv_starts(in.text, KQ_SV("use "))) return bad(&in, in.text.p, "a group can't use another", NONE);
        KQ_TRY(map_line(&in));
    }
    return KQ_OK;
}

static kq_status map_line(loader *l) {
    kq_sv word, rest;
    first_word(l->text, &word, &rest);
    bool column = kq_sv_starts(rest, KQ_SV("=")) || kq_sv_starts(rest, KQ_SV("~="));
    if (column) return column_line(l);
    if (kq_sv_eq(word, KQ_SV("when"))) return when_line(l, rest, false);
    if (kq_sv_eq(word, KQ_SV("unless"))) return when_line(l, rest, true);
    if (kq_sv_eq(word, KQ_SV("only"))) return only_line(l, rest);
    if (kq_sv_eq(word, KQ_SV("never"))) return never_line(l, rest);
    if (kq_sv_eq(word, KQ_SV("use"))) return use(l, rest);
    if (kq_sv_eq(word, KQ_SV("starts"))) return process_line(l, rest, &l->map->starts);
    if (kq_sv_eq(word, KQ_SV("parent"))) return process_line(l, rest, &l->map->parent);
    if (kq_sv_eq(l->text, KQ_SV("yields"))) {
        l->map->yields = true;
        return KQ_OK;
    }
    if (kq_sv_eq(l->text, KQ_SV("same names"))) {
        l->map->same_names = true;
        return KQ_OK;
    }
    return column_line(l);
}

static kq_status load_line(loader *l) {
    if (l->text.p[0] == '[') return section(l);
    if (l->table) return table_line(l);
    if (l->names) return names_line(l);
    if (l->shape) return shape_line(l);
    if (l->map) return map_line(l);
    return l->group ? KQ_OK : bad(l, l->text.p, "expected a [section] first", NONE);
}

/* Names and texts go into messages and results. */
static kq_status check_text(loader *l) {
    const char *end = l->text.p + l->text.n;
    for (const char *p = l->text.p; p < end;) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p, end, &cp);
        if (n == 1 && cp == KQ_UTF8_BAD) return bad(l, p, "this is no UTF-8", NONE);
        if (cp < 0x20 && cp != '\t') return bad(l, p, "a control character", NONE);
        p += n;
    }
    return KQ_OK;
}

kq_status kq_model_load(kq_model *model, kq_sv text, const char *name, kq_arena *arena, kq_error *err) {
    bool asks = false;
    seen columns = {0};
    loader l = {.model = model, .arena = arena, .name = name, .err = err, .asks = &asks, .seen = &columns};
    if (kq_sv_starts(text, KQ_SV("\xEF\xBB\xBF"))) text = kq_sv_slice(text, 3, text.n);
    if (kq_sv_starts(text, KQ_SV("\xFF\xFE")) || kq_sv_starts(text, KQ_SV("\xFE\xFF")))
        return kq_fail(err, KQ_ERR_RULE, "%s:1:1: the file is UTF-16: save it as UTF-8", name);
    for (size_t i = 0; i < text.n;) {
        size_t end = line_end(text, i);
        l.line++;
        l.text = trim(kq_sv_slice(text, i, end));
        size_t from = i;
        i = end + 1;
        if (l.group && !(l.text.n && l.text.p[0] == '[')) {
            if (!l.group->text.p) l.group->text.p = text.p + from;
            l.group->text.n = (size_t)(text.p + end - l.group->text.p);
        }
        if (!l.text.n || l.text.p[0] == '#') continue;
        if (!model->builtin) KQ_TRY(check_text(&l));
        kq_names *names = l.names;
        KQ_TRY(load_line(&l));
        if (names && names != l.names) kq_names_sort(names);
    }
    if (l.names) kq_names_sort(l.names);
    KQ_TRY(finish(&l));
    return kq_arena_status(arena, err);
}

kq_status kq_model_builtin(kq_model *model, kq_arena *arena, kq_error *err) {
    kq_status status = KQ_OK;
    model->builtin = true;
    for (const kq_embedded *e = kq_builtin_schemas; e->name && !status; e++)
        status = kq_model_load(model, e->text, e->name, arena, err);
    model->builtin = false;
    return status;
}

const kq_sv kq_recovered_column = {"_Recovered", 10};

bool kq_model_recovered(kq_model *model, kq_model_table *t, kq_arena *arena) {
    kq_columns *c = &t->table.columns;
    if (find_in(c, kq_recovered_column) != UINT32_MAX) return true;
    kq_column *items = kq_arena_array(arena, kq_column, c->n + t->table.hidden + 1);
    if (!items) return false;
    if (c->n) memcpy(items, c->items, c->n * sizeof *items);
    if (t->table.hidden) memcpy(items + c->n + 1, c->items + c->n, t->table.hidden * sizeof *items);
    items[c->n] = (kq_column){.name = kq_recovered_column, .type = KQ_BOOL};
    /* hidden columns are one further now; maps name columns by number */
    for (kq_map *map = t->table.hidden ? model->maps : NULL; map; map = map->next)
        for (uint32_t i = 0; map->table == &t->table && i < map->ncolumns; i++)
            map->columns[i].column += map->columns[i].column >= c->n;
    *c = (kq_columns){items, c->n + 1};
    return true;
}
