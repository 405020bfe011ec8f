#include "source/json_keys.h"

#define DOTS_SPLIT  6     /* names with more dots are looked for whole and fully split only */
#define ENTRIES_MAX 60000 /* of one node: entry numbers are 16 bits */
#define SLOTS_MAX   60000
#define NO_SET      UINT32_MAX

static uint64_t hash_of(const char *p, size_t n) {
    uint64_t a = 0, b = 0;
    if (n >= 8) {
        memcpy(&a, p, 8);
        memcpy(&b, p + n - 8, 8);
    } else {
        memcpy(&a, p, n);
    }
    uint64_t h = (a ^ n) * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ (h >> 29) ^ b) * UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ h >> 32;
}

const kq_json_entry *kq_json_lookup(kq_json_node *node, uint32_t ordinal, const char *key, size_t n) {
    for (uint32_t h = (uint32_t)hash_of(key, n) & node->mask;; h = (h + 1) & node->mask) {
        uint16_t at = node->table[h];
        if (!at) return NULL;
        if (kq_json_key_is(&node->entries[at - 1], key, n)) {
            if (ordinal < KQ_JSON_REMEMBERED) node->expected[ordinal] = at;
            return &node->entries[at - 1];
        }
    }
}

static kq_json_entry *entry(kq_json_node *node, kq_sv key, kq_arena *arena) {
    for (uint32_t i = 0; i < node->n; i++)
        if (kq_sv_eq(node->entries[i].key, key)) return &node->entries[i];
    if (node->n == node->cap) {
        uint32_t cap = node->cap ? 2 * node->cap : 8;
        kq_json_entry *entries = kq_arena_array(arena, kq_json_entry, cap);
        if (!entries || cap > ENTRIES_MAX) return NULL;
        if (node->n) memcpy(entries, node->entries, node->n * sizeof *entries);
        node->entries = entries;
        node->cap = cap;
    }
    kq_json_entry *e = &node->entries[node->n++];
    *e = (kq_json_entry){.key = key, .slot = KQ_JSON_NONE};
    return e;
}

/* Adds every way to spell `rest` below `node`: "a.b" as the key "a.b", and as "b" in "a". Fewer splits rank first. */
static bool add(kq_json_node *node, kq_sv rest, uint32_t slot, uint32_t rank, uint32_t dots, kq_arena *arena) {
    kq_json_entry *e;
    if (dots <= DOTS_SPLIT || rank == 0 || !memchr(rest.p, '.', rest.n)) {
        e = entry(node, rest, arena);
        if (!e) return false;
        e->slot = slot;
        e->rank = rank;
    }
    size_t end = rest.n;
    while (end > 0) {
        /* the longest first key first: ranks are not compared further than "whole name or not", and by first found */
        const char *dot = memrchr(rest.p, '.', end);
        if (!dot) break;
        end = (size_t)(dot - rest.p);
        if (end == 0 || end + 1 == rest.n) continue;
        if (dots > DOTS_SPLIT && memchr(rest.p, '.', end)) continue;
        e = entry(node, (kq_sv){rest.p, end}, arena);
        if (!e) return false;
        if (!e->child && !(e->child = kq_arena_new(arena, kq_json_node))) return false;
        if (!add(e->child, kq_sv_slice(rest, end + 1, rest.n), slot, rank + 1, dots, arena)) return false;
    }
    return true;
}

static bool index_one(kq_json_node *node, kq_arena *arena) {
    uint32_t size = 4;
    while (size < 2 * node->n + 1) size *= 2;
    node->mask = size - 1;
    node->table = kq_arena_array(arena, uint16_t, size);
    if (!node->table) return false;
    for (uint32_t i = 0; i < node->n; i++) {
        kq_json_entry *e = &node->entries[i];
        node->lengths |= UINT64_C(1) << (e->key.n < 63 ? e->key.n : 63);
        uint32_t h = (uint32_t)hash_of(e->key.p, e->key.n) & node->mask;
        while (node->table[h]) h = (h + 1) & node->mask;
        node->table[h] = (uint16_t)(i + 1);
    }
    return true;
}

static bool index_node(kq_json_node *node, kq_arena *arena) {
    if (!index_one(node, arena)) return false;
    for (uint32_t i = 0; i < node->n; i++)
        if (node->entries[i].child && !index_node(node->entries[i].child, arena)) return false;
    return true;
}

/* A record's own object: its fields, and those in `_source`, unless that is asked for by name. */
static kq_json_node *top_of(kq_json_node *root, kq_arena *arena) {
    static const kq_sv source = {"_source", 7};
    for (uint32_t i = 0; i < root->n; i++)
        if (kq_sv_eq(root->entries[i].key, source)) return root;
    kq_json_node *top = kq_arena_new(arena, kq_json_node);
    kq_json_entry *entries = kq_arena_array(arena, kq_json_entry, (size_t)root->n + 1);
    if (!top || !entries) return NULL;
    if (root->n) memcpy(entries, root->entries, root->n * sizeof *entries);
    entries[root->n] = (kq_json_entry){.key = source, .child = root, .slot = KQ_JSON_NONE};
    *top = (kq_json_node){.entries = entries, .n = root->n + 1, .cap = root->n + 1};
    return index_one(top, arena) ? top : NULL;
}

static kq_json_special special_of(kq_sv name) {
    if (!name.n || name.p[0] != '$') return KQ_JSON_FIELD;
    if (kq_sv_eq(name, KQ_SV("$file"))) return KQ_JSON_FILE;
    if (kq_sv_eq(name, KQ_SV("$offset"))) return KQ_JSON_OFFSET;
    if (kq_sv_eq(name, KQ_SV("$index"))) return KQ_JSON_NUMBER;
    if (kq_sv_eq(name, KQ_SV("$raw"))) return KQ_JSON_RAW;
    if (kq_sv_starts(name, KQ_SV("$EventData"))) return KQ_JSON_ABSENT;
    return KQ_JSON_FIELD; /* OData annotations begin with '$' too */
}

typedef struct maker {
    kq_json_keys *keys;
    kq_arena *arena;
    uint32_t *table; /* slot + 1 by hash of the name */
    uint32_t mask;
} maker;

static uint32_t slot_of(maker *m, kq_sv name, uint32_t set) {
    kq_json_keys *k = m->keys;
    uint32_t h = (uint32_t)hash_of(name.p, name.n) & m->mask;
    while (m->table[h] && !kq_sv_eq(k->slots[m->table[h] - 1].name, name)) h = (h + 1) & m->mask;
    if (!m->table[h]) {
        k->slots[k->nslots++] = (kq_json_slot){.name = name, .special = special_of(name)};
        m->table[h] = k->nslots;
    }
    uint32_t slot = m->table[h] - 1;
    kq_json_slot *s = &k->slots[slot];
    if (set == NO_SET) return slot;
    if (s->special == KQ_JSON_NUMBER) k->numbered = true;
    if (s->nsets && s->sets[s->nsets - 1] == set) return slot;
    if (!s->sets && !(s->sets = kq_arena_array(m->arena, uint32_t, k->request->nsets))) return slot;
    s->sets[s->nsets++] = set;
    if (s->special == KQ_JSON_FIELD) k->sets[set].nslots++;
    return slot;
}

static bool check(maker *m, uint32_t slot, uint32_t set, const kq_selector *selector, const kq_want *want) {
    kq_json_check *c = kq_arena_new(m->arena, kq_json_check);
    if (!c) return false;
    *c = (kq_json_check){set, selector, want, NULL};
    kq_json_check **end = &m->keys->slots[slot].checks;
    while (*end) end = &(*end)->next;
    *end = c;
    return true;
}

/* What names a record's table. */
static void add_naming(maker *m) {
    kq_json_keys *k = m->keys;
    k->type = slot_of(m, KQ_SV("Type"), NO_SET);
    k->table = slot_of(m, KQ_SV("$table"), NO_SET);
}

/* What the records of shapes are known by, and what names their table. */
static bool add_shapes(maker *m) {
    kq_json_keys *k = m->keys;
    const kq_request *r = k->request;
    size_t n = 0;
    for (uint32_t i = 0; i < r->nshapes; i++) n += (size_t)r->shapes[i].nis + r->shapes[i].nisnt;
    if (!(k->shapes = kq_arena_array(m->arena, uint32_t, n + 1))) return false;
    uint32_t *to = k->shapes;
    for (uint32_t i = 0; i < r->nshapes; i++) {
        const kq_field_shape *s = &r->shapes[i];
        for (uint32_t j = 0; j < s->nis; j++) *to++ = slot_of(m, s->is[j], NO_SET);
        for (uint32_t j = 0; j < s->nisnt; j++) *to++ = slot_of(m, s->isnt[j], NO_SET);
    }
    k->category = slot_of(m, KQ_SV("category"), NO_SET);
    k->properties = slot_of(m, KQ_SV("properties"), NO_SET);
    add_naming(m);
    k->time = slot_of(m, KQ_SV("TimeGenerated"), NO_SET);
    return true;
}

kq_status kq_json_keys_make(const kq_request *request, kq_arena *arena, kq_json_keys *out, kq_error *err) {
    *out = (kq_json_keys){.request = request, .properties = KQ_JSON_NONE};
    size_t most = 5;
    for (uint32_t i = 0; i < request->nshapes; i++) most += (size_t)request->shapes[i].nis + request->shapes[i].nisnt;
    for (uint32_t i = 0; i < request->nsets; i++) {
        most += (size_t)request->sets[i].nwants + request->sets[i].nselectors;
        if (request->sets[i].nwants > out->nwants_max) out->nwants_max = request->sets[i].nwants;
    }
    if (most > SLOTS_MAX) return kq_fail(err, KQ_ERR_LIMIT, "a request for more than %d fields", SLOTS_MAX);
    maker m = {.keys = out, .arena = arena, .mask = 7};
    while (m.mask < 2 * most) m.mask = 2 * m.mask + 1;
    m.table = kq_arena_array(arena, uint32_t, (size_t)m.mask + 1);
    out->slots = kq_arena_array(arena, kq_json_slot, most + 1);
    out->sets = kq_arena_array(arena, kq_json_set, (size_t)request->nsets + 1);
    out->root = kq_arena_new(arena, kq_json_node);
    KQ_TRY(kq_arena_status(arena, err));
    for (uint32_t i = 0; i < request->nsets; i++) {
        const kq_want_set *set = &request->sets[i];
        if (!(out->sets[i].wants = kq_arena_array(arena, uint32_t, (size_t)set->nwants + 1))) break;
        for (uint32_t k = 0; k < set->nselectors; k++)
            if (!check(&m, slot_of(&m, set->selectors[k].name, i), i, &set->selectors[k], NULL)) break;
        for (uint32_t k = 0; k < set->nwants; k++) {
            uint32_t slot = out->sets[i].wants[k] = slot_of(&m, set->wants[k].name, i);
            if (set->wants[k].accept && !check(&m, slot, i, NULL, &set->wants[k])) break;
        }
    }
    if (request->shapes)
        add_shapes(&m);
    else if (request->named)
        add_naming(&m);
    KQ_TRY(kq_arena_status(arena, err));
    bool fits = true;
    for (uint32_t i = 0; i < out->nslots && fits; i++) {
        kq_sv name = out->slots[i].name;
        uint32_t dots = 0;
        for (size_t k = 0; k < name.n; k++) dots += name.p[k] == '.';
        if (out->slots[i].special == KQ_JSON_FIELD && !add(out->root, name, i, 0, dots, arena)) fits = false;
    }
    KQ_TRY(kq_arena_status(arena, err));
    if (!fits) return kq_fail(err, KQ_ERR_LIMIT, "a request for more than %d fields", ENTRIES_MAX);
    if (!index_node(out->root, arena)) return kq_arena_status(arena, err);
    if (!(out->top = top_of(out->root, arena))) return kq_arena_status(arena, err);
    return KQ_OK;
}
