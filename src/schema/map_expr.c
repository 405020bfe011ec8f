#include "schema/map_expr.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "base/number.h"
#include <stdlib.h>

#define DEPTH_MAX 16u
#define PARTS_MAX 64u
#define NAMED_MAX 128u /* names that a wrong one is compared with */

typedef struct parser {
    const char *p, *end;
    bool shape;
    const kq_names *names;
    kq_arena *arena;
    kq_map_fault *fault;
    unsigned depth;
} parser;

static void blanks(parser *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t')) s->p++;
}

static bool fail(parser *s, const char *at, const char *what, kq_sv which) {
    if (!s->fault->what) *s->fault = (kq_map_fault){at, what, which, KQ_SV("")};
    return false;
}

/* A name that is none of `n`, of which one may be meant. */
static bool unknown(parser *s, const char *at, const char *what, kq_sv which, const kq_sv *names, size_t n) {
    const kq_sv *near = kq_nearest(which, names, n);
    if (!s->fault->what && near) {
        *s->fault = (kq_map_fault){at, what, which, *near};
        return false;
    }
    return fail(s, at, what, which);
}

static bool next_is(parser *s, char c) {
    blanks(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

/* Letters, digits, `_ . - #` and all that is not ASCII. */
static bool is_word(const parser *s, char c) {
    if (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c & 0x80) return true;
    if (c == '_' || c == '.' || c == '-' || c == '#') return true;
    return s->shape && (c == '@' || c == '$');
}

static bool word(parser *s, kq_sv *out) {
    blanks(s);
    const char *from = s->p;
    while (s->p < s->end && is_word(s, *s->p)) s->p++;
    *out = (kq_sv){from, (size_t)(s->p - from)};
    return out->n > 0;
}

/* What stands between two quotes; there are no escapes. */
static bool quoted(parser *s, char quote, kq_sv *out) {
    const char *from = s->p++, *at = s->p < s->end ? memchr(s->p, quote, (size_t)(s->end - s->p)) : NULL;
    if (!at) return fail(s, from, "unterminated text", KQ_SV(""));
    *out = (kq_sv){s->p, (size_t)(at - s->p)};
    s->p = at + 1;
    return true;
}

static bool copy(parser *s, kq_sv text, kq_sv *out) {
    *out = kq_arena_copy(s->arena, text);
    return out->p != NULL;
}

static bool alternatives(parser *s, kq_map_expr *out);

static bool object(parser *s, kq_map_expr *out) {
    kq_map_expr items[PARTS_MAX];
    uint32_t n = 0;
    do {
        kq_sv key;
        if (n == PARTS_MAX) return fail(s, s->p, "too many keys", KQ_SV(""));
        blanks(s);
        bool in_quotes = s->p < s->end && *s->p == '\'';
        if (!(in_quotes ? quoted(s, '\'', &key) : word(s, &key))) return fail(s, s->p, "expected a key", KQ_SV(""));
        if (!next_is(s, ':')) return fail(s, s->p, "expected ':'", KQ_SV(""));
        if (!alternatives(s, &items[n]) || !copy(s, key, &items[n].key)) return false;
        n++;
    } while (next_is(s, ','));
    if (!next_is(s, '}')) return fail(s, s->p, "expected ',' or '}'", KQ_SV(""));
    *out = (kq_map_expr){.kind = KQ_MAP_BAG, .nparts = n, .parts = kq_arena_array(s->arena, kq_map_expr, n)};
    if (!out->parts) return false;
    memcpy(out->parts, items, n * sizeof *items);
    return true;
}

static bool argument(parser *s, const kq_transform *t, kq_transform_argument *out) {
    blanks(s);
    const char *from = s->p;
    kq_sv text;
    if (s->p < s->end && *s->p == '"') {
        if (!quoted(s, '"', &text)) return false;
    } else {
        while (s->p < s->end && *s->p != ')' && *s->p != ',') s->p++;
        text = (kq_sv){from, (size_t)(s->p - from)};
        while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t')) text.n--;
    }
    if (!copy(s, text, &out->text)) return false;
    if (!(t->flags & KQ_TRANSFORM_NAMES)) return true;
    for (const kq_names *n = s->names; n; n = n->next)
        if (kq_sv_eq(n->name, text)) {
            out->names = n;
            return true;
        }
    kq_sv near[NAMED_MAX];
    size_t n = 0;
    for (const kq_names *t = s->names; t && n < NAMED_MAX; t = t->next) near[n++] = t->name;
    return unknown(s, from, "there are no names", text, near, n);
}

static bool near(parser *s, kq_map_expr *out) {
    *out = (kq_map_expr){.kind = KQ_MAP_NEAR, .nparts = 2, .parts = kq_arena_array(s->arena, kq_map_expr, 2)};
    if (!out->parts || !alternatives(s, &out->parts[0])) return false;
    if (!next_is(s, ',')) return fail(s, s->p, "expected ',' and the other time", KQ_SV(""));
    return alternatives(s, &out->parts[1]) && (next_is(s, ')') || fail(s, s->p, "expected ')'", KQ_SV("")));
}

static bool call(parser *s, kq_sv name, kq_map_expr *out) {
    if (kq_sv_eq(name, KQ_SV("near"))) return near(s, out);
    const kq_transform *t = kq_transform_find(name);
    if (!t) {
        kq_sv near[NAMED_MAX];
        size_t n;
        const kq_transform *all = kq_transforms(&n);
        if (n > NAMED_MAX) n = NAMED_MAX;
        for (size_t i = 0; i < n; i++) near[i] = kq_sv_of(all[i].name);
        return unknown(s, name.p, "there is no transform", name, near, n);
    }
    *out = (kq_map_expr){.kind = KQ_MAP_TRANSFORM, .transform = t, .nparts = 1};
    out->argument.text = KQ_SV("");
    out->parts = kq_arena_new(s->arena, kq_map_expr);
    if (!out->parts || !alternatives(s, out->parts)) return false;
    bool wants = t->flags & KQ_TRANSFORM_ARGUMENT;
    if (next_is(s, ',')) {
        if (!wants) return fail(s, s->p - 1, "this transform takes no argument:", name);
        if (!argument(s, t, &out->argument)) return false;
        if (!out->argument.text.n) return fail(s, s->p, "the argument is empty", KQ_SV(""));
    } else if (wants) {
        return fail(s, s->p, "this transform needs ',' and an argument:", name);
    }
    return next_is(s, ')') || fail(s, s->p, "expected ')'", KQ_SV(""));
}

static bool part(parser *s, kq_map_expr *out) {
    kq_sv text;
    blanks(s);
    const char *from = s->p;
    if (from == s->end) return fail(s, from, "expected a field, $Name, @Column, {...} or \"text\"", KQ_SV(""));
    *out = (kq_map_expr){.kind = KQ_MAP_FIELD};
    if (*from == '"') {
        out->kind = KQ_MAP_LITERAL;
        return quoted(s, '"', &text) && copy(s, text, &out->text);
    }
    if (*from == '\'') return quoted(s, '\'', &text) && copy(s, text, &out->text);
    if (*from == '{') {
        s->p++;
        return object(s, out);
    }
    if (!s->shape && (*from == '$' || *from == '@')) {
        s->p++;
        out->kind = *from == '$' ? KQ_MAP_SYSTEM : KQ_MAP_PARENT;
    }
    if (!word(s, &text)) return fail(s, from, "expected a field, $Name, @Column, {...} or \"text\"", KQ_SV(""));
    if (out->kind == KQ_MAP_FIELD && s->p < s->end && *s->p == '(') {
        s->p++;
        return call(s, text, out);
    }
    return copy(s, text, &out->text);
}

/* What follows the first of several, and all of them as one expression. */
static bool several(parser *s, char between, kq_map_kind kind, bool (*one)(parser *, kq_map_expr *), const char *many,
                    kq_map_expr *out) {
    kq_map_expr items[PARTS_MAX];
    uint32_t n = 1;
    items[0] = *out;
    do {
        if (n == PARTS_MAX) return fail(s, s->p, many, KQ_SV(""));
        if (!one(s, &items[n++])) return false;
    } while (next_is(s, between));
    *out = (kq_map_expr){.kind = kind, .nparts = n, .parts = kq_arena_array(s->arena, kq_map_expr, n)};
    if (!out->parts) return false;
    memcpy(out->parts, items, n * sizeof *items);
    return true;
}

static bool joined(parser *s, kq_map_expr *out) {
    if (!part(s, out)) return false;
    return !next_is(s, '&') || several(s, '&', KQ_MAP_CONCAT, part, "too many parts", out);
}

static bool alternatives(parser *s, kq_map_expr *out) {
    if (s->depth == DEPTH_MAX) return fail(s, s->p, "too many expressions in one another", KQ_SV(""));
    s->depth++;
    if (!joined(s, out)) return false;
    if (next_is(s, '|') && !several(s, '|', KQ_MAP_ANY, joined, "too many alternatives", out)) return false;
    s->depth--;
    return true;
}

const kq_map_expr *kq_map_parse(kq_sv text, bool shape, const kq_names *names, kq_arena *arena, kq_map_fault *fault) {
    parser s = {.p = text.p, .end = text.p + text.n, .shape = shape, .names = names, .arena = arena, .fault = fault};
    *fault = (kq_map_fault){0};
    kq_map_expr *e = kq_arena_new(arena, kq_map_expr);
    if (!e || !alternatives(&s, e)) return NULL;
    blanks(&s);
    if (s.p < s.end) {
        fail(&s, s.p, "this does not belong here:", (kq_sv){s.p, (size_t)(s.end - s.p)});
        return NULL;
    }
    return e;
}

static void print_parts(const kq_map_expr *e, const char *between, kq_buf *out) {
    for (uint32_t i = 0; i < e->nparts; i++) {
        if (i) kq_buf_str(out, between);
        if (e->kind == KQ_MAP_BAG) {
            kq_buf_sv(out, e->parts[i].key);
            kq_buf_str(out, ": ");
        }
        kq_map_print(&e->parts[i], out);
    }
}

void kq_map_print(const kq_map_expr *e, kq_buf *out) {
    switch (e->kind) {
    case KQ_MAP_LITERAL: kq_buf_printf(out, "\"%.*s\"", (int)e->text.n, e->text.p); break;
    case KQ_MAP_FIELD: kq_buf_sv(out, e->text); break;
    case KQ_MAP_SYSTEM:
        kq_buf_char(out, '$');
        kq_buf_sv(out, e->text);
        break;
    case KQ_MAP_PARENT:
        kq_buf_char(out, '@');
        kq_buf_sv(out, e->text);
        break;
    case KQ_MAP_TRANSFORM:
        kq_buf_printf(out, "%s(", e->transform->name);
        kq_map_print(e->parts, out);
        if (e->argument.text.n) kq_buf_str(out, ", ");
        kq_buf_sv(out, e->argument.text);
        kq_buf_char(out, ')');
        break;
    case KQ_MAP_ANY: print_parts(e, " | ", out); break;
    case KQ_MAP_CONCAT: print_parts(e, " & ", out); break;
    case KQ_MAP_NEAR:
        kq_buf_str(out, "near(");
        print_parts(e, ", ", out);
        kq_buf_char(out, ')');
        break;
    case KQ_MAP_IN_XML:
    case KQ_MAP_IN_JSON:
    case KQ_MAP_TIMED:
    case KQ_MAP_OF: break; /* made when a map is compiled */
    case KQ_MAP_BAG:
        kq_buf_char(out, '{');
        print_parts(e, ", ", out);
        kq_buf_char(out, '}');
        break;
    }
}

static int compare_ci(kq_sv a, kq_sv b) {
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        char x = kq_ascii_lower(a.p[i]), y = kq_ascii_lower(b.p[i]);
        if (x != y) return (unsigned char)x < (unsigned char)y ? -1 : 1;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

static int by_code(const void *a, const void *b) {
    return compare_ci(((const kq_name *)a)->code, ((const kq_name *)b)->code);
}

void kq_names_sort(kq_names *names) {
    if (names->n) qsort(names->items, names->n, sizeof *names->items, by_code);
}

bool kq_names_find(const kq_names *names, kq_sv code, kq_sv *out) {
    uint32_t lo = 0, hi = names->n;
    code = kq_number_whole(code);
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = compare_ci(names->items[mid].code, code);
        if (c == 0) {
            *out = names->items[mid].name;
            return true;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}
