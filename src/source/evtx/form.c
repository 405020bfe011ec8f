/* Making the form of an element as XML: render.c's walk, once for all values that may come. */
#include "source/evtx/form.h"
#include "column/json_string.h"
#include "source/evtx/escape.h"

#define DEPTH_MAX 16u /* of elements; deeper ones have no form */

kq_evtx_piece *kq_evtx_piece_start(kq_evtx_form_maker *m, kq_evtx_piece_kind kind, kq_evtx_style style,
                                   uint16_t index) {
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

uint32_t kq_evtx_part_end(kq_evtx_form_maker *m) {
    uint32_t n = (uint32_t)m->text->n - m->at;
    m->at = (uint32_t)m->text->n;
    return n;
}

/* Texts and values, as text. */
static bool put_texts(kq_evtx_form_maker *m, const kq_bx_item *items, kq_evtx_style style) {
    for (; items; items = items->next) {
        if (items->kind == KQ_BX_TEXT) {
            if (!kq_bx_burn(m->bx, (uint32_t)items->u.text.n)) return false;
            kq_evtx_escape(items->u.text, style, m->text);
        } else if (!kq_bx_plain_sub(items)) {
            return kq_evtx_form_unusual(m);
        } else if (!kq_evtx_piece_start(m, KQ_EVTX_PIECE_VALUE, style, items->index)) {
            return false;
        }
    }
    return true;
}

static bool xml_attribute(kq_evtx_form_maker *m, const kq_bx_attr *attr) {
    kq_evtx_piece *piece = NULL;
    bool optional = kq_bx_single_sub(attr->items); /* left out without a value */
    if (optional && !(piece = kq_evtx_piece_start(m, KQ_EVTX_PIECE_VALUE, KQ_EVTX_ATTRIBUTE, attr->items->index)))
        return false;
    kq_buf_char(m->text, ' ');
    kq_evtx_xml_name(attr->name, m->text);
    kq_buf_str(m->text, "=\"");
    if (optional)
        piece->nopen = kq_evtx_part_end(m);
    else if (!put_texts(m, attr->items, KQ_EVTX_ATTRIBUTE))
        return false;
    kq_buf_char(m->text, '"');
    if (optional) piece->nclose = kq_evtx_part_end(m);
    return kq_bx_burn(m->bx, 8 + (uint32_t)attr->name.n);
}

static bool xml_start(kq_evtx_form_maker *m, const kq_bx_element *element, bool outermost) {
    bool xmlns = false;
    kq_buf_char(m->text, '<');
    kq_evtx_xml_name(element->name, m->text);
    for (const kq_bx_attr *a = element->attrs; a; a = a->next) {
        if (kq_sv_eq(a->name, KQ_SV("xmlns"))) {
            if (!kq_bx_all_text(a->items)) return kq_evtx_form_unusual(m);
            xmlns = true;
        }
        if (!xml_attribute(m, a)) return false;
    }
    if (outermost && !xmlns) kq_buf_str(m->text, " xmlns=\"" KQ_EVTX_XMLNS "\"");
    kq_buf_str(m->text, element->empty ? "/>" : ">");
    return kq_bx_burn(m->bx, 8 + (uint32_t)element->name.n);
}

static void xml_end(kq_evtx_form_maker *m, const kq_bx_element *element) {
    if (element->empty) return;
    kq_buf_str(m->text, "</");
    kq_evtx_xml_name(element->name, m->text);
    kq_buf_char(m->text, '>');
}

/* An element that one value is all of. */
static bool xml_whole(kq_evtx_form_maker *m, const kq_bx_element *element) {
    kq_evtx_piece *piece = NULL;
    uint16_t index = element->items->index;
    if (element->attrs) { /* it stays without a value */
        kq_evtx_piece **before = m->tail;
        uint32_t at = (uint32_t)m->text->n;
        if (!xml_start(m, element, false)) return false;
        uint32_t n = (uint32_t)m->text->n - at;
        bool fixed = m->tail == before;
        if (!(piece = kq_evtx_piece_start(m, KQ_EVTX_PIECE_WHOLE, KQ_EVTX_TEXT, index))) return false;
        if (fixed) {
            xml_end(m, element);
            char *to = kq_buf_reserve(m->text, n);
            if (!to) return false;
            memcpy(to, m->text->p + at, n);
            m->text->n += n;
            piece->nagain = kq_evtx_part_end(m);
        }
        xml_end(m, element);
        return true;
    }
    if (!(piece = kq_evtx_piece_start(m, KQ_EVTX_PIECE_WHOLE, KQ_EVTX_TEXT, index)) || !xml_start(m, element, false))
        return false;
    piece->nopen = kq_evtx_part_end(m);
    xml_end(m, element);
    if (!xml_start(m, element, false)) return false;
    piece->nagain = kq_evtx_part_end(m);
    xml_end(m, element);
    piece->nclose = kq_evtx_part_end(m);
    return true;
}

static bool xml_element(kq_evtx_form_maker *m, const kq_bx_element *element, bool outermost, unsigned depth) {
    if (depth >= DEPTH_MAX) return kq_evtx_form_unusual(m);
    if (kq_bx_single_sub(element->items))
        return outermost || element->empty ? kq_evtx_form_unusual(m) : xml_whole(m, element);
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

/* Moves the part of `n` bytes at *from behind `to`, escaped. */
static uint32_t quote_part(const char **from, uint32_t n, kq_buf *to) {
    size_t before = to->n;
    kq_json_inside((kq_sv){*from, n}, to);
    *from += n;
    return (uint32_t)(to->n - before);
}

/* Makes the pieces what they are inside a JSON string. */
static bool quote(kq_evtx_form_maker *m, kq_evtx_piece *first) {
    kq_buf quoted;
    kq_buf_init(&quoted, m->text->budget, 0);
    for (kq_evtx_piece *p = first; p; p = p->next) {
        const char *from = m->text->p + p->at;
        p->at = (uint32_t)quoted.n;
        p->ntext = quote_part(&from, p->ntext, &quoted);
        p->nopen = quote_part(&from, p->nopen, &quoted);
        p->nagain = quote_part(&from, p->nagain, &quoted);
        p->nclose = quote_part(&from, p->nclose, &quoted);
        p->style = (uint8_t)kq_evtx_in_json((kq_evtx_style)p->style);
    }
    bool ok = kq_bx_burn(m->bx, (uint32_t)m->text->n);
    if (quoted.failed) m->text->failed = quoted.failed;
    kq_buf_empty(m->text);
    kq_buf_sv(m->text, kq_buf_view(&quoted));
    kq_buf_deinit(&quoted);
    return ok;
}

bool kq_evtx_form_make(kq_evtx_render *render, const kq_bx_element *element, kq_evtx_form_kind kind,
                       kq_evtx_form **out) {
    kq_bx *bx = render->bx;
    kq_evtx_form_maker m = {.bx = bx, .text = render->scratch};
    *out = NULL;
    kq_evtx_form *form = kq_arena_new(&bx->arena, kq_evtx_form);
    if (!form) return false;
    kq_evtx_piece *first = NULL;
    m.tail = &first;
    kq_buf_empty(m.text);
    bool made = kind == KQ_EVTX_FORM_BAG ? kq_evtx_form_bag(&m, element) : xml_element(&m, element, true, 0);
    if (made) made = kq_evtx_piece_start(&m, KQ_EVTX_PIECE_TEXT, KQ_EVTX_TEXT, 0) != NULL;
    if (made && kind == KQ_EVTX_FORM_XML_JSON) made = quote(&m, first);
    if (m.text->failed) return false;
    if (!made) return m.unusual;
    form->pieces = first;
    form->cost = (uint32_t)m.text->n;
    for (unsigned i = 0; i < KQ_EVTX_FORM_SLACK; i++) kq_buf_char(m.text, 0);
    form->text = kq_arena_copy(&bx->arena, kq_buf_view(m.text)).p;
    if (m.text->failed || !form->text) return false;
    form->once = true;
    int32_t before = -1;
    for (const kq_evtx_piece *p = first; p; p = p->next) {
        form->cost += 8;
        if (p->kind == KQ_EVTX_PIECE_TEXT) continue;
        form->once = form->once && p->index > before; /* in order, as in all but made-up templates */
        before = p->index;
    }
    *out = form;
    return true;
}
