#include "schema/catalogue.h"
#include "base/embedded.h"
#include <stdlib.h>

static kq_sv text_of(void) {
    return kq_builtin_catalogue[0].text;
}

static const char HEAD[] = "\n[table ";
#define HEAD_N (sizeof HEAD - 1)

/* The section that begins at or behind `at`: its name, and its text with the head. */
static bool section_at(size_t at, kq_sv *name, kq_sv *section) {
    kq_sv text = text_of();
    const char *end = text.p + text.n, *head = at < text.n ? memmem(text.p + at, text.n - at, HEAD, HEAD_N) : NULL;
    if (!head) return false;
    const char *close = memchr(head + HEAD_N, ']', (size_t)(end - head) - HEAD_N);
    if (!close) return false;
    const char *next = memmem(close, (size_t)(end - close), HEAD, HEAD_N);
    *name = (kq_sv){head + HEAD_N, (size_t)(close - head) - HEAD_N};
    *section = (kq_sv){head, (size_t)((next ? next : end) - head)};
    return true;
}

bool kq_catalogue_next(size_t *at, kq_sv *name) {
    kq_sv section;
    if (!section_at(*at, name, &section)) return false;
    *at = (size_t)(section.p - text_of().p) + section.n;
    return true;
}

static kq_sv find(kq_sv name) {
    char head[160];
    kq_sv text = text_of(), got, section;
    if (!name.n || name.n + HEAD_N + 1 > sizeof head || memchr(name.p, ']', name.n)) return KQ_SV("");
    memcpy(head, HEAD, HEAD_N);
    memcpy(head + HEAD_N, name.p, name.n);
    head[HEAD_N + name.n] = ']';
    const char *p = memmem(text.p, text.n, head, HEAD_N + name.n + 1);
    return p && section_at((size_t)(p - text.p), &got, &section) ? section : KQ_SV("");
}

/* In the order of names as people look for them: case and a leading underscore do not count. */
static int by_name(const void *a, const void *b) {
    kq_sv x = ((const kq_column *)a)->name, y = ((const kq_column *)b)->name;
    bool under_x = x.n && x.p[0] == '_', under_y = y.n && y.p[0] == '_';
    if (under_x) x = kq_sv_slice(x, 1, x.n);
    if (under_y) y = kq_sv_slice(y, 1, y.n);
    for (size_t i = 0; i < x.n && i < y.n; i++) {
        int d = kq_ascii_lower(x.p[i]) - kq_ascii_lower(y.p[i]);
        if (d) return d;
    }
    return x.n != y.n ? (x.n < y.n ? -1 : 1) : under_x - under_y;
}

kq_status kq_catalogue_load(kq_sv name, kq_model *model, kq_arena *arena, const kq_model_table **out, kq_error *err) {
    kq_sv section = find(name);
    *out = NULL;
    if (!section.n) return KQ_OK;
    kq_model one = {0};
    KQ_TRY(kq_model_load(&one, section, kq_builtin_catalogue[0].name, arena, err));
    kq_model_table *t = one.tables, **end = &model->tables;
    if (!t) return kq_arena_status(arena, err);
    t->catalogue = true;
    t->table.doc = "a table of Log Analytics, known by its columns";
    uint32_t fixed = t->twins[0] == UINT32_MAX ? 0 : 2; /* the twins stand first, and are referred to by number */
    if (t->table.columns.n > fixed)
        qsort(t->table.columns.items + fixed, t->table.columns.n - fixed, sizeof(kq_column), by_name);
    while (*end) end = &(*end)->next;
    *end = t;
    *out = t;
    return KQ_OK;
}

/* --- recognising */

#define SLOTS 8192 /* for up to half as many names */

static uint32_t hash_of(kq_sv s) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

typedef struct set {
    kq_sv slots[SLOTS];
    uint32_t seen[SLOTS]; /* the section that last had the name */
    uint32_t n;
} set;

/* Where the name stands, or where it would. */
static uint32_t slot_of(const set *s, kq_sv name) {
    uint32_t h = hash_of(name) % SLOTS;
    while (s->slots[h].n && !kq_sv_eq(s->slots[h], name)) h = (h + 1) % SLOTS;
    return h;
}

static bool has(const set *s, kq_sv name) {
    return s->slots[slot_of(s, name)].n > 0;
}

static void put(set *s, kq_sv name) {
    uint32_t h = slot_of(s, name);
    if (!name.n || s->n >= SLOTS / 2 || s->slots[h].n) return;
    s->slots[h] = name;
    s->n++;
}

/* How many of the set are columns of the section with this number, from 1. */
static uint32_t count(set *s, kq_sv section, uint32_t number) {
    uint32_t n = 0;
    bool values = false; /* behind the type or the word `same` of a line */
    for (const char *p = section.p + 1, *end = section.p + section.n; p < end;) {
        const char *from = p;
        while (p < end && *p != ' ' && *p != '\n' && *p != ':') p++;
        kq_sv word = {from, (size_t)(p - from)};
        if (values && word.n) {
            uint32_t h = slot_of(s, word);
            n += s->slots[h].n && s->seen[h] != number;
            s->seen[h] = number;
        }
        if (p == end) break;
        if (*p == ':' || kq_sv_eq(word, KQ_SV("same"))) values = true;
        if (*p == '\n') values = false;
        p++;
    }
    return n;
}

/* Exports of any table have these, whether the reference lists them or not: they tell nothing. */
static bool everywhere(kq_sv name) {
    static const char *const names[] = {
        "TenantId", "Type", "SourceSystem", "_ItemId", "MG", "ManagementGroupName", "_Internal_WorkspaceResourceId",
        "$table"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kq_sv_eq(name, kq_sv_of(names[i]))) return true;
    return false;
}

kq_sv kq_catalogue_recognise(const kq_buf *names, const char *file) {
    kq_sv best = KQ_SV(""), name, section;
    set *s = kq_calloc(1, sizeof *s);
    if (!s) return best; /* then the file stays unrecognised, as any that nothing fits */
    for (const char *p = names->p; p && p < names->p + names->n; p += strlen(p) + 1)
        if (!everywhere(kq_sv_of(p))) put(s, kq_sv_of(p));
    uint32_t most = 0, number = 0;
    if (has(s, KQ_SV("TimeGenerated")) || has(s, KQ_SV("Timestamp")))
        for (size_t at = 0; section_at(at, &name, &section);) {
            at = (size_t)(section.p - text_of().p) + section.n;
            uint32_t hits = count(s, section, ++number);
            char text[128];
            bool named = false;
            if (hits < 3 || hits * 10 < s->n * 6) continue;
            if (name.n < sizeof text) {
                memcpy(text, name.p, name.n);
                text[name.n] = 0;
                named = strcasestr(file, text) != NULL;
            }
            if (!named && hits * 10 < s->n * 9) continue;
            /* Of two names in the file's name the longer one is meant: DeviceTvmSoftwareInventory, not Device. */
            if (named) hits += s->n + (uint32_t)name.n;
            if (hits > most)
                best = name;
            else if (hits == most)
                best = KQ_SV("");
            if (hits > most) most = hits;
        }
    kq_free(s);
    return best;
}
