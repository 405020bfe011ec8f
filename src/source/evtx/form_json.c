/* Making the form of an element's bag as JSON: bag.c's walk, with names and values written as JSON writes them. */
#include "column/json_string.h"
#include "source/evtx/bag.h"
#include "source/evtx/form.h"

/* The members of a bag under way. */
typedef struct bag {
    kq_sv names[KQ_EVTX_BAG_MEMBERS];
    uint32_t n;
    bool sure; /* one before is always there: a comma comes before the next */
} bag;

/* `"name":`, with the comma. Two of one name have no form, as they have no bag. */
static bool put_key(kq_evtx_form_maker *m, bag *b, kq_sv name) {
    if (!kq_bx_burn(m->bx, 8 + b->n + (uint32_t)name.n)) return false;
    if (b->n == KQ_EVTX_BAG_MEMBERS || (b->n > 0 && !b->sure)) return kq_evtx_form_unusual(m);
    for (uint32_t i = 0; i < b->n; i++)
        if (kq_sv_eq(b->names[i], name)) return kq_evtx_form_unusual(m);
    if (b->n > 0) kq_buf_char(m->text, ',');
    b->names[b->n++] = name;
    kq_json_string(name, m->text);
    kq_buf_char(m->text, ':');
    return true;
}

/* A member that is texts and values one after another. */
static bool put_string(kq_evtx_form_maker *m, bag *b, const kq_bx_item *items) {
    kq_buf_char(m->text, '"');
    for (; items; items = items->next) {
        if (items->kind == KQ_BX_TEXT) {
            if (!kq_bx_burn(m->bx, (uint32_t)items->u.text.n)) return false;
            kq_json_inside(items->u.text, m->text);
        } else if (!kq_bx_plain_sub(items)) {
            return kq_evtx_form_unusual(m);
        } else if (!kq_evtx_piece_start(m, KQ_EVTX_PIECE_VALUE, KQ_EVTX_PLAIN_JSON, items->index)) {
            return false;
        }
    }
    kq_buf_char(m->text, '"');
    b->sure = true;
    return true;
}

static bool put_data(kq_evtx_form_maker *m, bag *b, const kq_bx_element *element) {
    const kq_bx_attr *name = element->attrs;
    while (name && !kq_sv_eq(name->name, KQ_SV("Name"))) name = name->next;
    kq_sv text = {"", 0};
    if (!name || !kq_bx_all_text(name->items)) return kq_evtx_form_unusual(m);
    if (!kq_evtx_literal(m->bx, name->items, &text)) return false;
    if (!text.n) return kq_evtx_form_unusual(m);
    return put_key(m, b, text) && put_string(m, b, element->items);
}

/* A member that is left out without its value. */
static bool put_optional(kq_evtx_form_maker *m, const kq_bx_element *element, bag *b) {
    kq_evtx_piece *piece = kq_evtx_piece_start(m, KQ_EVTX_PIECE_VALUE, KQ_EVTX_PLAIN_JSON, element->items->index);
    if (!piece || !put_key(m, b, element->name)) return false;
    kq_buf_char(m->text, '"');
    piece->nopen = kq_evtx_part_end(m);
    kq_buf_char(m->text, '"');
    piece->nclose = kq_evtx_part_end(m);
    return true;
}

static bool put_bag(kq_evtx_form_maker *m, const kq_bx_item *items, bool event_data, unsigned depth);

/* Any other element than Data. */
static bool put_element(kq_evtx_form_maker *m, bag *b, const kq_bx_element *element, unsigned depth) {
    for (const kq_bx_attr *a = element->attrs; a; a = a->next)
        if (!kq_sv_starts(a->name, KQ_SV("xmlns"))) return kq_evtx_form_unusual(m);
    bool inner = kq_bx_has_elements(element->items);
    if (!inner && !element->attrs && kq_bx_single_sub(element->items)) return put_optional(m, element, b);
    if (!put_key(m, b, element->name)) return false;
    if (!inner) return put_string(m, b, element->items);
    b->sure = true;
    return put_bag(m, element->items, false, depth + 1);
}

static bool put_bag(kq_evtx_form_maker *m, const kq_bx_item *items, bool event_data, unsigned depth) {
    if (depth >= KQ_EVTX_BAG_DEPTH) return kq_evtx_form_unusual(m);
    bag *b = kq_arena_new(&m->bx->arena, bag);
    uint32_t n = 0;
    if (!b) return false;
    kq_buf_char(m->text, '{');
    for (const kq_bx_item *i = items; i; i = i->next) {
        if (++n > KQ_EVTX_BAG_MEMBERS) return kq_evtx_form_unusual(m);
        if (i->kind == KQ_BX_TEXT) continue;
        if (i->kind != KQ_BX_ELEMENT) return kq_evtx_form_unusual(m);
        const kq_bx_element *e = i->u.element;
        bool data = event_data && kq_sv_eq(e->name, KQ_SV("Data"));
        if (!(data ? put_data(m, b, e) : put_element(m, b, e, depth))) return false;
    }
    kq_buf_char(m->text, '}');
    return true;
}

bool kq_evtx_form_bag(kq_evtx_form_maker *m, const kq_bx_element *element) {
    return put_bag(m, element->items, kq_sv_eq(element->name, KQ_SV("EventData")), 0);
}
