/* EventData or UserData as a tree of the kind that EVTX templates become, so that it is rendered as theirs are. The
 * bytes were read once already: they are well-formed. */
#include "source/xml_internal.h"

#define ELEMENTS_MAX 65536u

typedef struct making {
    kq_xml_reader *r;
    const char *p, *end;
    bool merge; /* Data elements of one name in a row become one with a line for each, as the values of an array */
    uint32_t count;
} making;

static kq_sv name_at(making *m) {
    const char *p = m->p;
    while (m->p < m->end && !kq_xml_blank(*m->p) && *m->p != '>' && *m->p != '/' && *m->p != '=') m->p++;
    kq_sv name = {p, (size_t)(m->p - p)}, prefix = m->r->source->names.prefix;
    return prefix.n && kq_sv_starts(name, prefix) ? kq_sv_slice(name, prefix.n, name.n) : name;
}

/* Adds a text to a list; runs of texts may be several items. */
static bool add_text(making *m, kq_bx_item ***tail, kq_sv text, bool references) {
    kq_arena *arena = &m->r->bx.arena;
    bool odd;
    if (!text.n) return true;
    if (references && memchr(text.p, '&', text.n)) {
        char *to = kq_arena_bytes(arena, text.n);
        if (!to) return false;
        text = (kq_sv){to, kq_xml_unescape(text, to, &odd)};
    }
    kq_bx_item *item = kq_arena_new(arena, kq_bx_item);
    if (!item) return false;
    item->kind = KQ_BX_TEXT;
    item->u.text = text;
    **tail = item;
    *tail = &item->next;
    return true;
}

static bool add_attributes(making *m, kq_bx_element *e) {
    kq_bx_attr **tail = &e->attrs;
    for (;;) {
        m->p = kq_xml_skip(m->p, m->end);
        if (m->p == m->end || *m->p == '>' || *m->p == '/') return true;
        kq_bx_attr *a = kq_arena_new(&m->r->bx.arena, kq_bx_attr);
        if (!a) return false;
        a->name = name_at(m);
        m->p = kq_xml_skip(kq_xml_skip(m->p, m->end) + 1, m->end);
        char quote = *m->p++;
        const char *value = m->p;
        while (m->p < m->end && *m->p != quote) m->p++;
        kq_bx_item **items = &a->items;
        if (!add_text(m, &items, (kq_sv){value, (size_t)(m->p - value)}, true)) return false;
        if (m->p < m->end) m->p++;
        *tail = a;
        tail = &a->next;
    }
}

static bool all_blank(kq_sv text) {
    return kq_xml_skip(text.p, text.p + text.n) == text.p + text.n;
}

/* The white space between elements is none of theirs. */
static void drop_blanks(kq_bx_element *e) {
    bool structure = false;
    for (const kq_bx_item *i = e->items; i; i = i->next) structure |= i->kind == KQ_BX_ELEMENT;
    for (kq_bx_item **at = &e->items; structure && *at;)
        if ((*at)->kind == KQ_BX_TEXT && all_blank((*at)->u.text))
            *at = (*at)->next;
        else
            at = &(*at)->next;
}

static kq_sv data_name(const kq_bx_item *item) {
    if (item->kind != KQ_BX_ELEMENT || !kq_sv_eq(item->u.element->name, KQ_SV("Data"))) return KQ_SV("");
    const kq_bx_attr *a = item->u.element->attrs;
    while (a && !kq_sv_eq(a->name, KQ_SV("Name"))) a = a->next;
    return a && a->items ? a->items->u.text : KQ_SV("");
}

/* Puts the texts of Data elements that have the name of the one before them behind its own. */
static bool merge_data(making *m, kq_bx_element *e) {
    for (kq_bx_item *i = e->items; i; i = i->next) {
        kq_sv name = data_name(i);
        if (!name.n) continue;
        kq_bx_item **tail = &i->u.element->items;
        while (*tail) tail = &(*tail)->next;
        while (i->next && kq_sv_eq(data_name(i->next), name)) {
            if (!add_text(m, &tail, KQ_SV("\n"), false)) return false;
            *tail = i->next->u.element->items;
            while (*tail) tail = &(*tail)->next;
            i->next = i->next->next;
        }
    }
    return true;
}

static bool make(making *m, kq_bx_element **out) {
    kq_arena *arena = &m->r->bx.arena;
    struct {
        kq_bx_element *e;
        kq_bx_item **tail;
    } open[KQ_XML_DEPTH];
    unsigned depth = 0;
    while (m->p < m->end) {
        bool amp = false;
        const char *text = m->p, *p = kq_xml_text_end(m->p, m->end, &amp);
        if (depth && !add_text(m, &open[depth - 1].tail, (kq_sv){text, (size_t)(p - text)}, true)) return false;
        m->p = p;
        if (m->end - p < 2) break;
        if (p[1] == '/') {
            const char *close = memchr(p, '>', (size_t)(m->end - p));
            if (!depth || !close) break;
            m->p = close + 1;
            kq_bx_element *e = open[--depth].e;
            drop_blanks(e);
            if (!depth) {
                *out = e;
                return !m->merge || !kq_sv_eq(e->name, KQ_SV("EventData")) || merge_data(m, e);
            }
            continue;
        }
        if (p[1] == '!' || p[1] == '?') {
            bool unsure;
            kq_xml_section kind = kq_xml_section_at(p, m->end, &unsure);
            const char *from = p + kq_xml_marks[kind].open.n;
            const char *to = kind ? kq_xml_section_end(kind, p, m->end) : NULL;
            if (!to || !depth) break;
            if (kind == KQ_XML_CDATA && !add_text(m, &open[depth - 1].tail, (kq_sv){from, (size_t)(to - from)}, false))
                return false;
            m->p = to + kq_xml_marks[kind].close.n;
            continue;
        }
        if (depth == KQ_XML_DEPTH || ++m->count > ELEMENTS_MAX) break;
        kq_bx_element *e = kq_arena_new(arena, kq_bx_element);
        kq_bx_item *item = kq_arena_new(arena, kq_bx_item);
        if (!e || !item) return false;
        m->p = p + 1;
        e->name = name_at(m);
        if (!add_attributes(m, e)) return false;
        item->kind = KQ_BX_ELEMENT;
        item->u.element = e;
        if (depth) {
            *open[depth - 1].tail = item;
            open[depth - 1].tail = &item->next;
        }
        e->empty = m->p < m->end && *m->p == '/';
        m->p += e->empty ? 2 : 1;
        if (!e->empty) {
            open[depth].e = e;
            open[depth++].tail = &e->items;
        } else if (!depth) {
            *out = e;
            return true;
        }
    }
    return false;
}

bool kq_xml_whole(kq_xml_reader *r, bool json, kq_buf *out) {
    kq_evtx_render render = {&r->bx, &r->scratch};
    const kq_evtx_frame none = {0};
    making m = {.r = r, .p = r->data, .end = r->data_end, .merge = json};
    uint64_t fuel = 32 * (uint64_t)(r->data_end - r->data) + KQ_BX_FUEL;
    kq_bx_element *element = NULL;
    kq_bx_begin(&r->bx, NULL, 0);
    r->bx.fuel = fuel < UINT32_MAX ? (uint32_t)fuel : UINT32_MAX;
    if (!make(&m, &element)) return false;
    return json ? kq_evtx_json(&render, &none, element, out) : kq_evtx_xml(&render, &none, element, out);
}
