#include "source/evtx/binxml.h"
#include "base/utf8.h"
#include "source/evtx/utf16.h"

/* Tokens; 0x40 says that more follows (attributes, for an element) and is no part of the kind. */
enum {
    TOKEN_EOF = 0x00,
    TOKEN_OPEN = 0x01,
    TOKEN_CLOSE_START = 0x02,
    TOKEN_CLOSE_EMPTY = 0x03,
    TOKEN_END = 0x04,
    TOKEN_VALUE = 0x05,
    TOKEN_ATTRIBUTE = 0x06,
    TOKEN_CDATA = 0x07,
    TOKEN_CHAR_REF = 0x08,
    TOKEN_ENTITY_REF = 0x09,
    TOKEN_PI_TARGET = 0x0A,
    TOKEN_PI_DATA = 0x0B,
    TOKEN_INSTANCE = 0x0C,
    TOKEN_SUB = 0x0D,
    TOKEN_OPTIONAL_SUB = 0x0E,
    TOKEN_FRAGMENT = 0x0F,
    TOKEN_MORE = 0x40
};

#define TEMPLATE_HEADER 24u /* next, GUID, size */
#define ITEM_COST       8u

typedef struct cursor {
    uint32_t pos, end; /* pos <= end <= chunk */
    bool in_template;  /* elements carry a dependency id */
} cursor;

kq_status kq_bx_init(kq_bx *bx, kq_budget *budget, kq_error *err) {
    kq_arena_init(&bx->arena, budget, 256 * 1024);
    if (!kq_budget_charge(budget, KQ_BX_VALUES * sizeof(kq_bx_value))) return kq_budget_status(budget, err);
    bx->values = kq_malloc(KQ_BX_VALUES * sizeof(kq_bx_value));
    if (!bx->values) {
        kq_budget_release(budget, KQ_BX_VALUES * sizeof(kq_bx_value));
        return kq_nomem(err);
    }
    return KQ_OK;
}

void kq_bx_deinit(kq_bx *bx, kq_budget *budget) {
    kq_arena_deinit(&bx->arena);
    if (bx->values) kq_budget_release(budget, KQ_BX_VALUES * sizeof(kq_bx_value));
    kq_free(bx->values);
    bx->values = NULL;
}

void kq_bx_begin(kq_bx *bx, const uint8_t *p, uint32_t n) {
    bx->p = p;
    bx->n = n;
    bx->fuel = KQ_BX_FUEL;
    bx->why = NULL;
    bx->strict = false;
    bx->nvalues = 0;
    kq_arena_reset(&bx->arena);
    if (++bx->generation == 0) { /* wrapped: old entries must not look new */
        memset(bx->names, 0, sizeof bx->names);
        memset(bx->trees, 0, sizeof bx->trees);
        bx->generation = 1;
    }
}

bool kq_bx_burn(kq_bx *bx, uint32_t n) {
    if (bx->fuel < n) {
        bx->fuel = 0;
        return kq_bx_fail(bx, "the chunk needs more work than a real one can");
    }
    bx->fuel -= n;
    return true;
}

bool kq_bx_text(kq_bx *bx, uint32_t off, uint32_t units, kq_sv *out) {
    if (off > bx->n || units > (bx->n - off) / 2) return kq_bx_fail(bx, "a text reaches past the chunk");
    if (!kq_bx_burn(bx, units)) return false;
    size_t room = KQ_UTF16_ROOM(units);
    char *to = kq_arena_bytes(&bx->arena, room);
    if (!to) return false;
    size_t n = kq_utf16_utf8(bx->p + off, units, to);
    kq_arena_trim(&bx->arena, to, room, n);
    *out = (kq_sv){to, n};
    return true;
}

static uint32_t left(const cursor *c) {
    return c->end - c->pos;
}

/* Is the hash kept with a name its own? The writer of logs finds names by it. */
static bool name_sound(const uint8_t *node, uint32_t units) {
    uint32_t hash = 0;
    for (uint32_t i = 0; i < units; i++) hash = hash * 65599u + kq_bx_u16(node + 8 + 2 * i);
    return (hash & 0xFFFF) == kq_bx_u16(node + 4);
}

/* A name node: u32 next, u16 hash, u16 length, text, NUL. */
static bool name_at(kq_bx *bx, uint32_t off, kq_sv *name, uint32_t *size) {
    if (off > bx->n || bx->n - off < 8) return kq_bx_fail(bx, "a name lies outside of the chunk");
    uint32_t units = kq_bx_u16(bx->p + off + 6);
    if (units * 2 > bx->n - off - 8) return kq_bx_fail(bx, "a name reaches past the chunk");
    *size = 8 + units * 2 + 2;
    uint32_t slot = (off * 0x9E3779B1u) >> 23;
    _Static_assert(KQ_BX_NAMES == 1u << 9, "the hash has 9 bits");
    if (bx->names[slot].generation != bx->generation || bx->names[slot].off != off) {
        if (!kq_bx_text(bx, off + 8, units, name)) return false;
        bx->names[slot].generation = bx->generation;
        bx->names[slot].off = off;
        bx->names[slot].sound = name_sound(bx->p + off, units);
        bx->names[slot].name = *name;
    }
    *name = bx->names[slot].name;
    if (bx->strict && !bx->names[slot].sound) return kq_bx_fail(bx, "a name in it was overwritten");
    return true;
}

/* A reference to a name: its offset, and the node itself when that is where we stand. */
static bool read_name(kq_bx *bx, cursor *c, kq_sv *name) {
    if (left(c) < 4) return kq_bx_fail(bx, "a name is cut short");
    uint32_t off = kq_bx_u32(bx->p + c->pos), size;
    c->pos += 4;
    if (!name_at(bx, off, name, &size)) return false;
    if (off == c->pos) {
        if (left(c) < size) return kq_bx_fail(bx, "a name is cut short");
        c->pos += size;
    }
    return true;
}

static kq_bx_item *add_item(kq_bx *bx, kq_bx_item ***tail, kq_bx_kind kind) {
    if (!kq_bx_burn(bx, ITEM_COST)) return NULL;
    kq_bx_item *item = kq_arena_alloc(&bx->arena, sizeof *item);
    if (!item) return NULL;
    *item = (kq_bx_item){.kind = (uint8_t)kind};
    **tail = item;
    *tail = &item->next;
    return item;
}

/* u16 length, text: of values, CDATA and processing instructions. */
static bool read_counted(kq_bx *bx, cursor *c, kq_sv *text) {
    if (left(c) < 2) return kq_bx_fail(bx, "a text is cut short");
    uint32_t units = kq_bx_u16(bx->p + c->pos);
    c->pos += 2;
    if (units > left(c) / 2) return kq_bx_fail(bx, "a text is cut short");
    if (text && !kq_bx_text(bx, c->pos, units, text)) return false;
    c->pos += units * 2;
    return true;
}

static kq_sv entity_text(kq_bx *bx, kq_sv name) {
    static const struct {
        kq_sv name, text;
    } known[] = {{{"lt", 2}, {"<", 1}},
                 {{"gt", 2}, {">", 1}},
                 {{"amp", 3}, {"&", 1}},
                 {{"quot", 4}, {"\"", 1}},
                 {{"apos", 4}, {"'", 1}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (kq_sv_eq(name, known[i].name)) return known[i].text;
    return kq_arena_printf(&bx->arena, "&%.*s;", (int)name.n, name.p);
}

/* One token of character content; *taken false when the token at the cursor is none. */
static bool read_content(kq_bx *bx, cursor *c, kq_bx_item ***tail, bool *taken) {
    const uint8_t *p = bx->p + c->pos;
    kq_bx_item *item;
    *taken = true;
    switch (p[0] & ~TOKEN_MORE) {
    case TOKEN_VALUE:
        if (left(c) < 2) return kq_bx_fail(bx, "a value is cut short");
        if (p[1] != KQ_BX_STRING) return kq_bx_fail(bx, "an inline value is not a string");
        c->pos += 2;
        if (!(item = add_item(bx, tail, KQ_BX_TEXT))) return false;
        return read_counted(bx, c, &item->u.text);
    case TOKEN_CDATA:
        c->pos += 1;
        if (!(item = add_item(bx, tail, KQ_BX_TEXT))) return false;
        return read_counted(bx, c, &item->u.text);
    case TOKEN_CHAR_REF: {
        if (left(c) < 3) return kq_bx_fail(bx, "a character reference is cut short");
        char *to = kq_arena_bytes(&bx->arena, 4);
        if (!to || !(item = add_item(bx, tail, KQ_BX_TEXT))) return false;
        item->u.text = (kq_sv){to, kq_utf8_encode(kq_bx_u16(p + 1), to)};
        c->pos += 3;
        return true;
    }
    case TOKEN_ENTITY_REF: {
        kq_sv name;
        c->pos += 1;
        if (!read_name(bx, c, &name) || !kq_bx_burn(bx, (uint32_t)name.n)) return false;
        if (!(item = add_item(bx, tail, KQ_BX_TEXT))) return false;
        item->u.text = entity_text(bx, name);
        return item->u.text.p != NULL;
    }
    case TOKEN_SUB:
    case TOKEN_OPTIONAL_SUB:
        if (left(c) < 4) return kq_bx_fail(bx, "a substitution is cut short");
        if (!(item = add_item(bx, tail, KQ_BX_SUB))) return false;
        item->index = kq_bx_u16(p + 1);
        item->type = p[3];
        c->pos += 4;
        return true;
    default: *taken = false; return true;
    }
}

static bool read_attributes(kq_bx *bx, cursor *c, kq_bx_attr **attrs) {
    while (left(c) > 0 && (bx->p[c->pos] & ~TOKEN_MORE) == TOKEN_ATTRIBUTE) {
        if (!kq_bx_burn(bx, ITEM_COST)) return false;
        kq_bx_attr *attr = kq_arena_new(&bx->arena, kq_bx_attr);
        if (!attr) return false;
        *attrs = attr;
        attrs = &attr->next;
        c->pos += 1;
        if (!read_name(bx, c, &attr->name)) return false;
        kq_bx_item **tail = &attr->items;
        for (bool taken = true; taken && left(c) > 0;)
            if (!read_content(bx, c, &tail, &taken)) return false;
    }
    return true;
}

/* Could an element's head stand here: [dependency id], size, name? */
static bool plausible_head(const kq_bx *bx, const cursor *c, bool dependency) {
    uint32_t pos = c->pos + 1 + (dependency ? 2 : 0);
    if (pos > c->end || c->end - pos < 8) return false;
    uint32_t size = kq_bx_u32(bx->p + pos), name = kq_bx_u32(bx->p + pos + 4);
    if (size > c->end - pos - 4) return false;
    if (name > bx->n || bx->n - name < 8) return false;
    uint32_t units = kq_bx_u16(bx->p + name + 6);
    return units > 0 && units * 2 <= bx->n - name - 8;
}

static bool read_items(kq_bx *bx, cursor *c, unsigned depth, kq_bx_item **tail);

static bool read_element(kq_bx *bx, cursor *c, unsigned depth, kq_bx_item ***tail) {
    if (depth >= KQ_BX_DEPTH) return kq_bx_fail(bx, "elements are nested too deeply");
    kq_bx_item *item = add_item(bx, tail, KQ_BX_ELEMENT);
    kq_bx_element *element = kq_arena_new(&bx->arena, kq_bx_element);
    if (!item || !element) return false;
    item->u.element = element;
    bool more = bx->p[c->pos] & TOKEN_MORE;
    /* Elements of templates carry the id of the value that they depend on, those of records written without a template
     * (by event collectors) do not; fragments inside values come both ways. */
    bool dependency = c->in_template;
    if (!plausible_head(bx, c, dependency) && plausible_head(bx, c, !dependency)) dependency = !dependency;
    uint32_t head = 1 + (dependency ? 2 : 0) + 4;
    if (left(c) < head) return kq_bx_fail(bx, "an element is cut short");
    c->pos += head;
    if (!read_name(bx, c, &element->name)) return false;
    if (more) {
        if (left(c) < 4) return kq_bx_fail(bx, "an element is cut short");
        c->pos += 4;
        if (!read_attributes(bx, c, &element->attrs)) return false;
    }
    if (left(c) == 0) return kq_bx_fail(bx, "an element is cut short");
    switch (bx->p[c->pos++]) {
    case TOKEN_CLOSE_EMPTY: element->empty = true; return true;
    case TOKEN_CLOSE_START: break;
    default: return kq_bx_fail(bx, "an element's start has no end");
    }
    if (!read_items(bx, c, depth + 1, &element->items)) return false;
    if (left(c) == 0 || bx->p[c->pos] != TOKEN_END) return kq_bx_fail(bx, "an element has no end");
    c->pos += 1;
    return true;
}

static bool skip_pi(kq_bx *bx, cursor *c) {
    kq_sv name;
    c->pos += 1;
    if (bx->p[c->pos - 1] == TOKEN_PI_TARGET) return read_name(bx, c, &name);
    return read_counted(bx, c, NULL);
}

/* Content up to an end token, the end of the fragment, or a token that is no content. */
static bool read_items(kq_bx *bx, cursor *c, unsigned depth, kq_bx_item **tail) {
    while (left(c) > 0) {
        uint8_t token = bx->p[c->pos];
        bool taken;
        if (!read_content(bx, c, &tail, &taken)) return false;
        if (taken) continue;
        switch (token) {
        case TOKEN_EOF:
        case TOKEN_END: return true;
        case TOKEN_OPEN:
        case TOKEN_OPEN | TOKEN_MORE:
            if (!read_element(bx, c, depth, &tail)) return false;
            break;
        case TOKEN_PI_TARGET:
        case TOKEN_PI_DATA:
            if (!kq_bx_burn(bx, ITEM_COST) || !skip_pi(bx, c)) return false;
            break;
        case TOKEN_INSTANCE: {
            kq_bx_item *item = add_item(bx, &tail, KQ_BX_INSTANCE);
            if (!item) return false;
            item->u.instance.at = c->pos;
            item->u.instance.end = c->end;
            uint32_t definition, n, mark = bx->nvalues;
            kq_bx_value *values;
            if (!kq_bx_instance(bx, c->pos, c->end, &definition, &values, &n, &c->pos)) return false;
            bx->nvalues = mark;
            break;
        }
        case TOKEN_FRAGMENT:
            if (left(c) < 4) return kq_bx_fail(bx, "a fragment header is cut short");
            c->pos += 4;
            break;
        default: return kq_bx_fail(bx, "unknown token");
        }
    }
    return true;
}

bool kq_bx_instance(kq_bx *bx, uint32_t at, uint32_t limit, uint32_t *definition, kq_bx_value **values, uint32_t *n,
                    uint32_t *end) {
    if (at > limit || limit - at < 14) return kq_bx_fail(bx, "a template instance is cut short");
    uint32_t pos = at + 10;
    *definition = kq_bx_u32(bx->p + at + 6);
    /* The id repeats the start of the definition's GUID: another one there was overwritten, and would give fields wrong
     * names. */
    if (*definition > bx->n || bx->n - *definition < TEMPLATE_HEADER ||
        memcmp(bx->p + at + 2, bx->p + *definition + 4, 4) != 0)
        return kq_bx_fail(bx, "its template was overwritten");
    if (*definition == pos) { /* the definition itself stands here, at its first use */
        if (limit - pos < TEMPLATE_HEADER) return kq_bx_fail(bx, "a template definition is cut short");
        uint32_t size = kq_bx_u32(bx->p + pos + 20);
        pos += TEMPLATE_HEADER;
        if (size > limit - pos) return kq_bx_fail(bx, "a template definition is cut short");
        pos += size;
    }
    if (limit - pos < 4) return kq_bx_fail(bx, "a template instance is cut short");
    uint32_t count = kq_bx_u32(bx->p + pos);
    pos += 4;
    if (count > (limit - pos) / 4) return kq_bx_fail(bx, "a template instance has too many values");
    if (count > KQ_BX_VALUES - bx->nvalues) return kq_bx_fail(bx, "a record has too many values");
    if (!kq_bx_burn(bx, count + 1)) return false;
    const uint8_t *p = bx->p + pos;
    kq_bx_value *v = bx->values + bx->nvalues;
    pos += count * 4;
    for (uint32_t i = 0; i < count; i++, p += 4) {
        uint32_t size = kq_bx_u16(p);
        if (size > limit - pos) return kq_bx_fail(bx, "a value reaches past its record");
        v[i] = (kq_bx_value){.off = pos, .size = (uint16_t)size, .type = p[2]};
        pos += size;
    }
    *values = v;
    *n = count;
    *end = pos;
    bx->nvalues += count;
    return true;
}

bool kq_bx_fragment(kq_bx *bx, uint32_t off, uint32_t end, kq_bx_item **items) {
    if (end > bx->n || off > end) return kq_bx_fail(bx, "a fragment reaches past the chunk");
    cursor c = {off, end, false};
    *items = NULL;
    return read_items(bx, &c, 0, items);
}

uint32_t kq_bx_single(const kq_bx *bx, uint32_t off, uint32_t end) {
    if (end > bx->n || off > end || end - off < 18) return 0;
    if (bx->p[off] == TOKEN_FRAGMENT) off += 4;
    return bx->p[off] == TOKEN_INSTANCE ? off : 0;
}

static bool parse_template(kq_bx *bx, uint32_t off, kq_bx_tree *tree) {
    if (off > bx->n || bx->n - off < TEMPLATE_HEADER) return kq_bx_fail(bx, "a template lies outside of the chunk");
    uint32_t size = kq_bx_u32(bx->p + off + 20);
    if (size > bx->n - off - TEMPLATE_HEADER) return kq_bx_fail(bx, "a template reaches past the chunk");
    cursor c = {off + TEMPLATE_HEADER, off + TEMPLATE_HEADER + size, true};
    if (!read_items(bx, &c, 0, &tree->items)) return false;
    return true;
}

bool kq_bx_template(kq_bx *bx, uint32_t off, kq_bx_tree **out) {
    uint32_t home = (off * 0x9E3779B1u) >> 23, slot = home;
    _Static_assert(KQ_BX_TREES == 1u << 9, "the hash has 9 bits");
    /* A few neighbours, so that two templates of one chunk do not push each other out. */
    for (uint32_t i = 0; i < 8 && bx->trees[slot].generation == bx->generation; i++) {
        if (bx->trees[slot].off == off) {
            *out = bx->trees[slot].tree;
            return (*out)->bad ? kq_bx_fail(bx, (*out)->bad) : true;
        }
        slot = (home + i + 1) % KQ_BX_TREES;
    }
    kq_bx_tree *tree = kq_arena_new(&bx->arena, kq_bx_tree);
    if (!tree) return false;
    if (!parse_template(bx, off, tree)) {
        if (bx->arena.failed) return false;
        tree->bad = bx->why;
    }
    bx->trees[slot].generation = bx->generation;
    bx->trees[slot].off = off;
    bx->trees[slot].tree = tree;
    *out = tree;
    return !tree->bad;
}
