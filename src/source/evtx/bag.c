/* Making the bag of an element: what render.c's kq_evtx_json does, once for all values that may come. */
#include "source/evtx/bag.h"
#include "column/dynamic.h"

typedef struct maker {
    kq_bx *bx;
    kq_buf *bytes; /* of the steps */
    kq_evtx_step **tail;
    uint32_t at; /* where the bytes of the next step start */
    bool unusual;
} maker;

/* The members of a bag under way. */
typedef struct bag {
    kq_evtx_step *open;
    kq_sv names[KQ_EVTX_BAG_MEMBERS];
    uint32_t n;
    bool numbered; /* one is called "param…", as those without a name are */
} bag;

static bool unusual(maker *m) {
    m->unusual = true;
    return false;
}

/* Adds a step with the bytes so far. */
static kq_evtx_step *step(maker *m, kq_evtx_step_kind kind, uint16_t index) {
    if (!kq_bx_burn(m->bx, 16)) return NULL;
    kq_evtx_step *s = kq_arena_new(&m->bx->arena, kq_evtx_step);
    if (!s) return NULL;
    s->kind = (uint8_t)kind;
    s->index = index;
    s->at = m->at;
    s->n = (uint32_t)m->bytes->n - m->at;
    *m->tail = s;
    m->tail = &s->next;
    m->at = (uint32_t)m->bytes->n;
    return s;
}

/* A member's key. Two of one name have no bag: the last would count, or they would be an array. */
static bool put_key(maker *m, bag *b, kq_sv name) {
    if (!kq_bx_burn(m->bx, 8 + b->n + (uint32_t)name.n)) return false;
    if (b->n == KQ_EVTX_BAG_MEMBERS) return unusual(m);
    for (uint32_t i = 0; i < b->n; i++)
        if (kq_sv_eq(b->names[i], name)) return unusual(m);
    b->names[b->n++] = name;
    b->numbered = b->numbered || kq_sv_starts(name, KQ_SV("param"));
    uint32_t n = (uint32_t)name.n;
    kq_buf_append(m->bytes, &n, sizeof n);
    kq_buf_sv(m->bytes, name);
    return true;
}

/* A member that is texts and values one after another. */
static bool put_string(maker *m, const kq_bx_item *items) {
    kq_buf_char(m->bytes, (char)KQ_DYN_STRING);
    if (kq_bx_single_sub(items)) return step(m, KQ_EVTX_STEP_FIELD, items->index) != NULL;
    if (!step(m, KQ_EVTX_STEP_START, 0)) return false;
    for (; items; items = items->next) {
        if (items->kind == KQ_BX_TEXT) {
            if (!kq_bx_burn(m->bx, (uint32_t)items->u.text.n)) return false;
            kq_buf_sv(m->bytes, items->u.text);
        } else if (!kq_bx_plain_sub(items)) {
            return unusual(m);
        } else if (!step(m, KQ_EVTX_STEP_VALUE, items->index)) {
            return false;
        }
    }
    return step(m, KQ_EVTX_STEP_END, 0) != NULL;
}

static bool put_data(maker *m, bag *b, const kq_bx_element *element) {
    const kq_bx_attr *name = element->attrs;
    while (name && !kq_sv_eq(name->name, KQ_SV("Name"))) name = name->next;
    kq_sv text = {"", 0};
    if (name && !kq_bx_all_text(name->items)) return unusual(m);
    if (name && !kq_evtx_literal(m->bx, name->items, &text)) return false;
    if (text.n > 0) return put_key(m, b, text) && put_string(m, element->items);
    if (!kq_bx_single_sub(element->items)) return unusual(m);
    kq_evtx_step *s = step(m, KQ_EVTX_STEP_PARAM, element->items->index);
    if (!s) return false;
    s->keep = element->attrs != NULL;
    b->open->params = true;
    return true;
}

static bool put_bag(maker *m, const kq_bx_item *items, bool event_data, unsigned depth);

/* Any other element than Data. */
static bool put_element(maker *m, bag *b, const kq_bx_element *element, unsigned depth) {
    for (const kq_bx_attr *a = element->attrs; a; a = a->next)
        if (!kq_sv_starts(a->name, KQ_SV("xmlns"))) return unusual(m);
    if (!put_key(m, b, element->name)) return false;
    if (kq_bx_has_elements(element->items)) return put_bag(m, element->items, false, depth + 1);
    if (element->attrs || !kq_bx_single_sub(element->items)) return put_string(m, element->items);
    kq_buf_char(m->bytes, (char)KQ_DYN_STRING);
    return step(m, KQ_EVTX_STEP_OPTIONAL, element->items->index) != NULL;
}

static bool put_bag(maker *m, const kq_bx_item *items, bool event_data, unsigned depth) {
    if (depth >= KQ_EVTX_BAG_DEPTH) return unusual(m);
    bag *b = kq_arena_new(&m->bx->arena, bag);
    if (!b || !(b->open = step(m, KQ_EVTX_STEP_OPEN, 0))) return false;
    uint32_t n = 0;
    for (const kq_bx_item *i = items; i; i = i->next) {
        if (++n > KQ_EVTX_BAG_MEMBERS) return unusual(m);
        if (i->kind == KQ_BX_TEXT) continue;
        if (i->kind != KQ_BX_ELEMENT) return unusual(m);
        const kq_bx_element *e = i->u.element;
        bool data = event_data && kq_sv_eq(e->name, KQ_SV("Data"));
        if (!(data ? put_data(m, b, e) : put_element(m, b, e, depth))) return false;
        b->open->members++;
    }
    if (b->open->params && b->numbered) return unusual(m);
    return step(m, KQ_EVTX_STEP_CLOSE, 0) != NULL;
}

bool kq_evtx_bag_make(kq_evtx_render *render, const kq_bx_element *element, kq_evtx_bag **out) {
    kq_bx *bx = render->bx;
    maker m = {.bx = bx, .bytes = render->scratch};
    const kq_evtx_step *first = NULL;
    *out = NULL;
    m.tail = (kq_evtx_step **)&first;
    kq_buf_empty(m.bytes);
    bool made = put_bag(&m, element->items, kq_sv_eq(element->name, KQ_SV("EventData")), 0);
    if (m.bytes->failed) return false;
    if (!made) return m.unusual;
    kq_evtx_bag *bag = kq_arena_new(&bx->arena, kq_evtx_bag);
    if (!bag) return false;
    bag->steps = first;
    bag->bytes = kq_arena_copy(&bx->arena, kq_buf_view(m.bytes)).p;
    if (!bag->bytes) return false;
    bag->cost = (uint32_t)m.bytes->n;
    for (const kq_evtx_step *s = first; s; s = s->next) bag->cost += 8;
    *out = bag;
    return true;
}
