#include "schema/model.h"
#include "base/embedded.h"

typedef struct loader {
    kq_model *model;
    kq_arena *arena;
    const char *name;
    kq_error *err;
    uint32_t line;
    kq_sv text; /* the line */
    kq_model_table *table;
    kq_shape *shape;
    kq_map *map;
} loader;

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
    while (i < s.n && !blank(s.p[i])) i++;
    *word = kq_sv_slice(s, 0, i);
    *rest = trim(kq_sv_slice(s, i, s.n));
}

static uint32_t find_column(const kq_table *t, kq_sv name) {
    for (uint32_t i = 0; i < t->columns.n; i++)
        if (kq_sv_eq(t->columns.items[i].name, name)) return i;
    return UINT32_MAX;
}

const kq_model_table *kq_model_find(const kq_model *model, kq_sv name) {
    for (const kq_model_table *t = model->tables; t; t = t->next)
        if (kq_sv_eq(t->table.name, name)) return t;
    return NULL;
}

bool kq_shape_field(const kq_shape *shape, kq_sv name, kq_sv *field) {
    for (uint32_t i = 0; i < shape->n; i++)
        if (kq_sv_eq(shape->names[i], name)) {
            *field = shape->fields[i];
            return true;
        }
    return false;
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

static kq_status section(loader *l) {
    kq_sv s = l->text;
    if (s.p[s.n - 1] != ']') return bad(l, s.p + s.n, "expected ']'", NONE);
    kq_sv kind, rest;
    first_word(trim(kq_sv_slice(s, 1, s.n - 1)), &kind, &rest);
    l->table = NULL;
    l->shape = NULL;
    l->map = NULL;
    if (!rest.n) return bad(l, s.p + 1, "a section needs a name", NONE);
    if (kq_sv_eq(kind, KQ_SV("table"))) {
        if (kq_model_find(l->model, rest)) return bad(l, rest.p, "there is already a table", rest);
        kq_model_table *t = kq_arena_new(l->arena, kq_model_table), **end = &l->model->tables;
        if (!t) return kq_arena_status(l->arena, l->err);
        t->table.name = kq_arena_copy(l->arena, rest);
        t->table.doc = "";
        t->twins[0] = t->twins[1] = UINT32_MAX;
        while (*end) end = &(*end)->next;
        *end = l->table = t;
        return KQ_OK;
    }
    if (kq_sv_eq(kind, KQ_SV("shape"))) {
        kq_shape *shape = kq_arena_new(l->arena, kq_shape), **end = &l->model->shapes;
        if (!shape) return kq_arena_status(l->arena, l->err);
        shape->name = kq_arena_copy(l->arena, rest);
        while (*end) end = &(*end)->next;
        *end = l->shape = shape;
        return KQ_OK;
    }
    if (kq_sv_eq(kind, KQ_SV("map"))) {
        kq_sv table, from;
        first_word(rest, &table, &rest);
        first_word(rest, &from, &rest);
        const kq_model_table *t = kq_model_find(l->model, table);
        if (!t) return bad(l, table.p, "there is no table", table);
        if (!kq_sv_eq(from, KQ_SV("from")) || !rest.n) return bad(l, from.p, "expected 'from' and a name", NONE);
        kq_map *map = kq_arena_new(l->arena, kq_map), **end = &l->model->maps;
        if (!map) return kq_arena_status(l->arena, l->err);
        map->table = &t->table;
        map->name = kq_arena_copy(l->arena, rest);
        while (*end) end = &(*end)->next;
        *end = l->map = map;
        return KQ_OK;
    }
    return bad(l, kind.p, "expected table, shape or map, not", kind);
}

static kq_status add_column(loader *l, kq_sv name, kq_type type) {
    kq_table *t = &l->table->table;
    uint32_t twin = find_column(t, name);
    if (twin != UINT32_MAX && (twin == l->table->twins[0] || twin == l->table->twins[1])) return KQ_OK;
    if (twin != UINT32_MAX) return bad(l, name.p, "there is already a column", name);
    if (!grow(l->arena, &t->columns.items, t->columns.n, sizeof(kq_column))) return kq_arena_status(l->arena, l->err);
    t->columns.items[t->columns.n++] = (kq_column){kq_arena_copy(l->arena, name), type};
    return KQ_OK;
}

static kq_status table_line(loader *l) {
    kq_table *t = &l->table->table;
    kq_sv word, rest, name, type_name;
    first_word(l->text, &word, &rest);
    if (kq_sv_eq(word, KQ_SV("doc"))) {
        t->doc = kq_arena_copy(l->arena, rest).p;
        return t->doc ? KQ_OK : kq_arena_status(l->arena, l->err);
    }
    if (kq_sv_eq(word, KQ_SV("same"))) {
        /* names of columns that come later: resolved when they do */
        kq_sv a, b;
        first_word(rest, &a, &b);
        if (!a.n || !b.n) return bad(l, rest.p, "expected two columns", NONE);
        for (uint32_t i = 0; i < 2; i++) {
            kq_sv n = i ? b : a;
            if (!grow(l->arena, &t->columns.items, t->columns.n, sizeof(kq_column)))
                return kq_arena_status(l->arena, l->err);
            l->table->twins[i] = t->columns.n;
            t->columns.items[t->columns.n++] = (kq_column){kq_arena_copy(l->arena, n), KQ_DATETIME};
        }
        return KQ_OK;
    }
    if (!cut(l->text, ':', &name, &type_name)) return bad(l, l->text.p, "expected 'Column: type'", NONE);
    kq_type type;
    if (kq_type_from_name(name, &type)) { /* type: Column Column */
        for (kq_sv more = type_name; more.n;) {
            first_word(more, &name, &more);
            KQ_TRY(add_column(l, name, type));
        }
        return KQ_OK;
    }
    if (!kq_type_from_name(type_name, &type)) return bad(l, type_name.p, "there is no type", type_name);
    return add_column(l, name, type);
}

static kq_status shape_line(loader *l) {
    kq_shape *s = l->shape;
    kq_sv word, rest, name, field;
    first_word(l->text, &word, &rest);
    if (kq_sv_eq(word, KQ_SV("reader"))) {
        s->reader = kq_arena_copy(l->arena, rest);
        return KQ_OK;
    }
    if (kq_sv_eq(word, KQ_SV("data"))) {
        s->data = kq_arena_copy(l->arena, rest);
        return KQ_OK;
    }
    if (!cut(l->text, ':', &name, &field) || !field.n) return bad(l, l->text.p, "expected 'Name: field'", NONE);
    if (!grow(l->arena, &s->names, s->n, sizeof(kq_sv)) || !grow(l->arena, &s->fields, s->n, sizeof(kq_sv)))
        return kq_arena_status(l->arena, l->err);
    s->names[s->n] = kq_arena_copy(l->arena, name);
    s->fields[s->n++] = kq_arena_copy(l->arena, field);
    return KQ_OK;
}

static kq_status when_line(loader *l, kq_sv rest) {
    kq_sv name, values;
    if (!cut(rest, ':', &name, &values) || !values.n) return bad(l, rest.p, "expected 'when Name: value, value'", NONE);
    if (!grow(l->arena, &l->map->when, l->map->nwhen, sizeof(kq_map_when))) return kq_arena_status(l->arena, l->err);
    kq_map_when *w = &l->map->when[l->map->nwhen++];
    w->name = kq_arena_copy(l->arena, name);
    for (kq_sv one, more = values; more.n;) {
        kq_sv left = more, right = {0};
        cut(more, ',', &left, &right);
        one = left;
        more = right;
        if (!grow(l->arena, &w->values, w->nvalues, sizeof(kq_sv))) return kq_arena_status(l->arena, l->err);
        w->values[w->nvalues++] = kq_arena_copy(l->arena, one);
    }
    return KQ_OK;
}

/* transform(transform(Field), argument): outer ones are found first and must run last. */
static kq_status alternative(loader *l, kq_sv s, kq_map_source *out) {
    const kq_transform *outer[KQ_TRANSFORMS_MAX];
    kq_sv args[KQ_TRANSFORMS_MAX];
    uint32_t n = 0;
    for (;;) {
        const char *open = s.n ? memchr(s.p, '(', s.n) : NULL;
        if (!open || s.p[0] == '"') break;
        kq_sv name = kq_sv_slice(s, 0, (size_t)(open - s.p));
        if (s.p[s.n - 1] != ')') return bad(l, s.p + s.n, "expected ')'", NONE);
        if (n == KQ_TRANSFORMS_MAX) return bad(l, s.p, "too many transforms in one another", NONE);
        outer[n] = kq_transform_find(name);
        if (!outer[n]) return bad(l, name.p, "there is no transform", name);
        s = trim(kq_sv_slice(s, name.n + 1, s.n - 1));
        args[n] = (kq_sv){"", 0};
        size_t comma = s.n; /* the argument stands after the last comma that is outside inner parentheses */
        for (size_t i = s.n; i > 0 && s.p[i - 1] != ')'; i--)
            if (s.p[i - 1] == ',') comma = i - 1;
        if (comma < s.n) {
            args[n] = kq_arena_copy(l->arena, trim(kq_sv_slice(s, comma + 1, s.n)));
            s = trim(kq_sv_slice(s, 0, comma));
        }
        n++;
    }
    if (!s.n) return bad(l, s.p, "expected a field, $Name or \"text\"", NONE);
    out->ntransforms = n;
    for (uint32_t i = 0; i < n; i++) {
        out->transforms[i] = outer[n - 1 - i];
        out->arguments[i] = args[n - 1 - i];
    }
    if (s.p[0] == '"') {
        if (s.n < 2 || s.p[s.n - 1] != '"') return bad(l, s.p, "unterminated text", NONE);
        out->literal = true;
        s = kq_sv_slice(s, 1, s.n - 1);
    } else if (s.p[0] == '$') {
        out->system = true;
        s = kq_sv_slice(s, 1, s.n);
    }
    out->text = kq_arena_copy(l->arena, s);
    return KQ_OK;
}

static kq_status map_line(loader *l) {
    kq_sv word, rest, name, expr;
    first_word(l->text, &word, &rest);
    if (kq_sv_eq(word, KQ_SV("when"))) return when_line(l, rest);
    if (!cut(l->text, '=', &name, &expr)) return bad(l, l->text.p, "expected 'Column = expression'", NONE);
    kq_map *m = l->map;
    uint32_t column = find_column(m->table, name);
    if (column == UINT32_MAX) return bad(l, name.p, "the table has no column", name);
    if (!grow(l->arena, &m->columns, m->ncolumns, sizeof(kq_map_column))) return kq_arena_status(l->arena, l->err);
    kq_map_column *c = &m->columns[m->ncolumns++];
    c->column = column;
    for (kq_sv more = expr; more.n;) {
        kq_sv left = more, right = {0};
        cut(more, '|', &left, &right);
        more = right;
        if (!grow(l->arena, &c->sources, c->nsources, sizeof(kq_map_source))) return kq_arena_status(l->arena, l->err);
        KQ_TRY(alternative(l, left, &c->sources[c->nsources++]));
    }
    return c->nsources ? KQ_OK : bad(l, l->text.p + l->text.n, "expected an expression", NONE);
}

kq_status kq_model_load(kq_model *model, kq_sv text, const char *name, kq_arena *arena, kq_error *err) {
    loader l = {.model = model, .arena = arena, .name = name, .err = err};
    for (size_t i = 0; i < text.n;) {
        size_t end = i;
        while (end < text.n && text.p[end] != '\n') end++;
        l.line++;
        l.text = trim(kq_sv_slice(text, i, end));
        i = end + 1;
        if (!l.text.n || l.text.p[0] == '#') continue;
        if (l.text.p[0] == '[')
            KQ_TRY(section(&l));
        else if (l.table)
            KQ_TRY(table_line(&l));
        else if (l.shape)
            KQ_TRY(shape_line(&l));
        else if (l.map)
            KQ_TRY(map_line(&l));
        else
            return bad(&l, l.text.p, "expected a [section] first", NONE);
    }
    return kq_arena_status(arena, err);
}

kq_status kq_model_builtin(kq_model *model, kq_arena *arena, kq_error *err) {
    for (const kq_embedded *e = kq_builtin_schemas; e->name; e++)
        KQ_TRY(kq_model_load(model, e->text, e->name, arena, err));
    return KQ_OK;
}
