/* Making the form of an element: render.c's walk, once for all values that may come. */
#include "source/evtx/form.h"
#include "source/evtx/escape.h"

#define DEPTH_MAX 16u /* of elements; deeper ones have no form */

typedef struct maker {
    kq_bx *bx;
    kq_buf *text; /* of the pieces */
    kq_evtx_form *form;
    kq_evtx_piece **tail;
    uint32_t at; /* where the text of the next piece starts */
    bool unusual;
} maker;

static bool unusual(maker *m) {
    m->unusual = true;
    return false;
}

/* Closes the text so far and adds a piece with it. What is added to m->text next belongs to the piece: part_end. */
static kq_evtx_piece *piece_start(maker *m, kq_evtx_piece_kind kind, kq_evtx_style style, uint16_t index) {
    if (!kq_bx_burn(m->bx, 16)) return NULL;
    kq_evtx_piece *piece = kq_arena_new(&m->bx->arena, kq_evtx_piece);
    if (!piece) return NULL;
    piece->kind = (uint8_t)kind;
    piece->style = (uint8_t)style;
    piece->index = index;
    piece->at = m->at;
    piece->ntext = (uint32_t)m->text->n - m->at;
    *m->tail = piece;
    m->tail = &piece->next;
    m->at = (uint32_t)m->text->n;
    return piece;
}

static uint32_t part_end(maker *m) {
    uint32_t n = (uint32_t)m->text->n - m->at;
    m->at = (uint32_t)m->text->n;
    return n;
}

/* Texts and values, as text. */
static bool put_texts(maker *m, const kq_bx_item *items, kq_evtx_style style) {
    for (; items; items = items->next) {
        if (items->kind == KQ_BX_TEXT) {
            if (!kq_bx_burn(m->bx, (uint32_t)items->u.text.n)) return false;
            kq_evtx_escape(items->u.text, style, m->text);
        } else if (!kq_bx_plain_sub(items)) {
            return unusual(m);
        } else if (!piece_start(m, KQ_EVTX_PIECE_VALUE, style, items->index)) {
            return false;
        }
    }
    return true;
}

static bool xml_attribute(maker *m, const kq_bx_attr *attr) {
    kq_evtx_piece *piece = NULL;
    bool optional = kq_bx_single_sub(attr->items); /* left out without a value */
    if (optional && !(piece = piece_start(m, KQ_EVTX_PIECE_VALUE, KQ_EVTX_ATTRIBUTE, attr->items->index))) return false;
    kq_buf_char(m->text, ' ');
    kq_evtx_xml_name(attr->name, m->text);
    kq_buf_str(m->text, "=\"");
    if (optional)
        piece->nopen = part_end(m);
    else if (!put_texts(m, attr->items, KQ_EVTX_ATTRIBUTE))
        return false;
    kq_buf_char(m->text, '"');
    if (optional) piece->nclose = part_end(m);
    return kq_bx_burn(m->bx, 8 + (uint32_t)attr->name.n);
}

static bool xml_start(maker *m, const kq_bx_element *element, bool outermost) {
    bool xmlns = false;
    kq_buf_char(m->text, '<');
    kq_evtx_xml_name(element->name, m->text);
    for (const kq_bx_attr *a = element->attrs; a; a = a->next) {
        if (kq_sv_eq(a->name, KQ_SV("xmlns"))) {
            if (!kq_bx_all_text(a->items)) return unusual(m);
            xmlns = true;
        }
        if (!xml_attribute(m, a)) return false;
    }
    if (outermost && !xmlns) kq_buf_str(m->text, " xmlns=\"" KQ_EVTX_XMLNS "\"");
    kq_buf_str(m->text, element->empty ? "/>" : ">");
    return kq_bx_burn(m->bx, 8 + (uint32_t)element->name.n);
}

static void xml_end(maker *m, const kq_bx_element *element) {
    if (element->empty) return;
    kq_buf_str(m->text, "</");
    kq_evtx_xml_name(element->name, m->text);
    kq_buf_char(m->text, '>');
}

/* An element that one value is all of. */
static bool xml_whole(maker *m, const kq_bx_element *element) {
    kq_evtx_piece *piece = NULL;
    uint16_t index = element->items->index;
    if (element->attrs) { /* it stays without a value */
        kq_evtx_piece **before = m->tail;
        uint32_t at = (uint32_t)m->text->n;
        if (!xml_start(m, element, false)) return false;
        uint32_t n = (uint32_t)m->text->n - at;
        bool fixed = m->tail == before;
        if (!(piece = piece_start(m, KQ_EVTX_PIECE_WHOLE, KQ_EVTX_TEXT, index))) return false;
        if (fixed) {
            xml_end(m, element);
            char *to = kq_buf_reserve(m->text, n);
            if (!to) return false;
            memcpy(to, m->text->p + at, n);
            m->text->n += n;
            piece->nagain = part_end(m);
        }
        xml_end(m, element);
        return true;
    }
    if (!(piece = piece_start(m, KQ_EVTX_PIECE_WHOLE, KQ_EVTX_TEXT, index)) || !xml_start(m, element, false))
        return false;
    piece->nopen = part_end(m);
    xml_end(m, element);
    if (!xml_start(m, element, false)) return false;
    piece->nagain = part_end(m);
    xml_end(m, element);
    piece->nclose = part_end(m);
    return true;
}

static bool xml_element(maker *m, const kq_bx_element *element, bool outermost, unsigned depth) {
    if (depth >= DEPTH_MAX) return unusual(m);
    if (kq_bx_single_sub(element->items)) return outermost || element->empty ? unusual(m) : xml_whole(m, element);
    if (!xml_start(m, element, outermost)) return false;
    for (const kq_bx_item *i = element->items; i; i = i->next) {
        kq_bx_item one = *i;
        one.next = NULL;
        if (i->kind == KQ_BX_ELEMENT ? !xml_element(m, i->u.element, false, depth + 1)
                                     : !put_texts(m, &one, KQ_EVTX_TEXT))
            return false;
    }
    xml_end(m, element);
    return true;
}

bool kq_evtx_form_make(kq_evtx_render *render, const kq_bx_element *element, kq_evtx_form **out) {
    kq_bx *bx = render->bx;
    maker m = {.bx = bx, .text = render->scratch};
    *out = NULL;
    m.form = kq_arena_new(&bx->arena, kq_evtx_form);
    if (!m.form) return false;
    const kq_evtx_piece *first = NULL;
    m.tail = (kq_evtx_piece **)&first;
    kq_buf_empty(m.text);
    bool made = xml_element(&m, element, true, 0);
    if (made) made = piece_start(&m, KQ_EVTX_PIECE_TEXT, KQ_EVTX_TEXT, 0) != NULL;
    if (m.text->failed) return false;
    if (!made) return m.unusual;
    m.form->pieces = first;
    m.form->text = kq_arena_copy(&bx->arena, kq_buf_view(m.text)).p;
    if (!m.form->text) return false;
    m.form->cost = (uint32_t)m.text->n;
    for (const kq_evtx_piece *p = first; p; p = p->next) m.form->cost += 8;
    *out = m.form;
    return true;
}
