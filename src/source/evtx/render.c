/* A record's EventData or UserData whole, as XML and as JSON, and the text of mixed content. */
#include "source/evtx/render.h"
#include "column/value.h"
#include "source/evtx/escape.h"
#include "source/evtx/value.h"
#include <stdio.h>

#define DEPTH_MAX 96u /* elements and templates inside one another */

/* Nested content: items with the values that they refer to. */
typedef struct scope {
    const kq_bx_item *items;
    kq_evtx_frame frame;
} scope;

static bool deeper(kq_evtx_render *render, unsigned depth) {
    if (!kq_bx_burn(render->bx, 8)) return false;
    return depth < DEPTH_MAX || kq_bx_fail(render->bx, "templates are nested too deeply");
}

static bool open_instance(kq_evtx_render *render, uint32_t at, uint32_t end, scope *out) {
    kq_bx *bx = render->bx;
    uint32_t definition, n, after;
    kq_bx_value *values;
    kq_bx_tree *tree;
    if (!kq_bx_instance(bx, at, end, &definition, &values, &n, &after)) return false;
    if (!kq_bx_template(bx, definition, &tree)) return false;
    out->items = tree->items;
    out->frame = (kq_evtx_frame){.values = values, .n = n};
    return true;
}

static const kq_bx_value *value_of(const kq_evtx_frame *frame, const kq_bx_item *item) {
    return item->kind == KQ_BX_SUB && item->index < frame->n ? &frame->values[item->index] : NULL;
}

/* The items behind an item that stands for more of them; *nested false when it stands for itself. */
static bool open_nested(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *item, scope *out,
                        bool *nested) {
    *nested = true;
    if (item->kind == KQ_BX_INSTANCE) return open_instance(render, item->u.instance.at, item->u.instance.end, out);
    const kq_bx_value *v = value_of(frame, item);
    *nested = v && v->type == KQ_BX_BINXML;
    if (!*nested) return true;
    kq_bx_item *items;
    if (!kq_bx_fragment(render->bx, v->off, v->off + v->size, &items)) return false;
    *out = (scope){.items = items};
    return true;
}

/* Does the content consist of one value that is null or not there? Such an attribute is left out, and such an element
 * when it has no attributes: <Data> and <Binary> of events that have none. */
static bool absent(const kq_evtx_frame *frame, const kq_bx_item *items) {
    if (!items || items->next || items->kind != KQ_BX_SUB) return false;
    const kq_bx_value *v = value_of(frame, items);
    return !v || v->type == KQ_BX_NULL;
}

static bool left_out(const kq_evtx_frame *frame, const kq_bx_element *element) {
    return !element->attrs && absent(frame, element->items);
}

static bool put_utf16(const kq_bx *bx, const kq_bx_value *v, kq_evtx_style style, kq_buf *out) {
    const uint8_t *p = bx->p + v->off;
    size_t units = kq_bx_units(bx, v);
    char *to = kq_buf_reserve(out, KQ_EVTX_ESCAPE_ROOM(units));
    if (!to) return false;
    out->n += (size_t)(kq_evtx_escape_utf16(p, units, bx->p + bx->n, style, to) - to);
    return true;
}

bool kq_evtx_put_value(kq_evtx_render *render, const kq_bx_value *v, kq_evtx_style style, kq_buf *out) {
    switch (v->type) {
    case KQ_BX_STRING:
    case KQ_BX_XML: return put_utf16(render->bx, v, style, out);
    case KQ_BX_INT8:
    case KQ_BX_UINT8:
    case KQ_BX_INT16:
    case KQ_BX_UINT16:
    case KQ_BX_INT32:
    case KQ_BX_UINT32:
    case KQ_BX_INT64:
    case KQ_BX_UINT64:
    case KQ_BX_REAL32:
    case KQ_BX_REAL64:
    case KQ_BX_BOOL:
    case KQ_BX_BINARY:
    case KQ_BX_GUID:
    case KQ_BX_SIZE:
    case KQ_BX_FILETIME:
    case KQ_BX_SYSTEMTIME:
    case KQ_BX_SID:
    case KQ_BX_HEX32:
    case KQ_BX_HEX64:
    case KQ_BX_HANDLE: return kq_evtx_value_text(render->bx, v, out); /* nothing to escape */
    default:
        kq_buf_empty(render->scratch);
        if (!kq_evtx_value_text(render->bx, v, render->scratch)) return false;
        kq_evtx_escape(kq_buf_view(render->scratch), style, out);
        return true;
    }
}

static bool items_text(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, unsigned depth,
                       kq_buf *out) {
    kq_bx *bx = render->bx;
    if (!deeper(render, depth)) return false;
    for (; items; items = items->next) {
        uint32_t mark = bx->nvalues;
        scope inner;
        bool nested;
        if (items->kind == KQ_BX_TEXT) {
            if (!kq_bx_burn(bx, (uint32_t)items->u.text.n)) return false;
            kq_buf_sv(out, items->u.text);
        } else if (items->kind == KQ_BX_ELEMENT) {
            if (!items_text(render, frame, items->u.element->items, depth + 1, out)) return false;
        } else {
            if (!open_nested(render, frame, items, &inner, &nested)) return false;
            const kq_bx_value *v = value_of(frame, items);
            if (nested ? !items_text(render, &inner.frame, inner.items, depth + 1, out)
                       : v && !kq_evtx_value_text(bx, v, out))
                return false;
            bx->nvalues = mark;
        }
    }
    return true;
}

bool kq_evtx_items_text(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, kq_buf *out) {
    return items_text(render, frame, items, 0, out);
}

static bool put_text_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, bool attribute,
                         kq_buf *out) {
    size_t before = out->n;
    kq_buf_empty(render->scratch);
    if (!kq_evtx_items_text(render, frame, items, render->scratch)) return false;
    kq_evtx_escape(kq_buf_view(render->scratch), attribute ? KQ_EVTX_ATTRIBUTE : KQ_EVTX_TEXT, out);
    return kq_bx_burn(render->bx, (uint32_t)(out->n - before));
}

static bool put_element_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element,
                            bool outermost, unsigned depth, kq_buf *out);

static bool put_items_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, unsigned depth,
                          kq_buf *out) {
    kq_bx *bx = render->bx;
    if (!deeper(render, depth)) return false;
    for (; items; items = items->next) {
        uint32_t mark = bx->nvalues;
        scope inner;
        bool nested = false;
        if (items->kind == KQ_BX_ELEMENT) {
            if (!put_element_xml(render, frame, items->u.element, false, depth + 1, out)) return false;
            continue;
        }
        if (items->kind != KQ_BX_TEXT && !open_nested(render, frame, items, &inner, &nested)) return false;
        if (nested) {
            if (!put_items_xml(render, &inner.frame, inner.items, depth + 1, out)) return false;
        } else {
            kq_bx_item one = *items;
            one.next = NULL;
            if (!put_text_xml(render, frame, &one, false, out)) return false;
        }
        bx->nvalues = mark;
    }
    return true;
}

static bool put_start_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element,
                          bool outermost, kq_buf *out) {
    kq_buf_char(out, '<');
    kq_evtx_xml_name(element->name, out);
    bool xmlns = false;
    for (const kq_bx_attr *a = element->attrs; a; a = a->next) {
        if (absent(frame, a->items)) continue;
        xmlns = xmlns || kq_sv_eq(a->name, KQ_SV("xmlns"));
        kq_buf_char(out, ' ');
        kq_evtx_xml_name(a->name, out);
        kq_buf_str(out, "=\"");
        if (!put_text_xml(render, frame, a->items, true, out)) return false;
        kq_buf_char(out, '"');
    }
    if (outermost && !xmlns) kq_buf_str(out, " xmlns=\"" KQ_EVTX_XMLNS "\"");
    kq_buf_str(out, element->empty ? "/>" : ">");
    return kq_bx_burn(render->bx, 8 + (uint32_t)element->name.n);
}

static void put_end_xml(const kq_bx_element *element, kq_buf *out) {
    if (element->empty) return;
    kq_buf_str(out, "</");
    kq_evtx_xml_name(element->name, out);
    kq_buf_char(out, '>');
}

/* The array that is all of an element's content, or NULL: Windows repeats the element for each of its values. */
static const kq_bx_value *whole_array(const kq_evtx_frame *frame, const kq_bx_item *items) {
    const kq_bx_value *v = items && !items->next ? value_of(frame, items) : NULL;
    return v && v->type & KQ_BX_ARRAY && v->size > 0 ? v : NULL;
}

static bool put_element_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element,
                            bool outermost, unsigned depth, kq_buf *out) {
    const kq_bx_value *array = whole_array(frame, element->items);
    if (left_out(frame, element)) return true;
    if (!array) {
        if (!put_start_xml(render, frame, element, outermost, out) ||
            !put_items_xml(render, frame, element->items, depth, out))
            return false;
        put_end_xml(element, out);
        return true;
    }
    kq_bx_value one;
    for (uint32_t at = 0; kq_evtx_array_next(render->bx, array, &at, &one);) {
        if (!put_start_xml(render, frame, element, outermost, out)) return false;
        kq_buf_empty(render->scratch);
        if (!kq_evtx_value_text(render->bx, &one, render->scratch)) return false;
        kq_evtx_escape(kq_buf_view(render->scratch), KQ_EVTX_TEXT, out);
        put_end_xml(element, out);
    }
    return true;
}

bool kq_evtx_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element, kq_buf *out) {
    return put_element_xml(render, frame, element, true, 0, out);
}

bool kq_evtx_unnamed(kq_evtx_render *render, const kq_evtx_frame *frame, int32_t number, bool *found, kq_buf *out) {
    int32_t at_number = 0;
    *found = false;
    for (const kq_evtx_list *l = frame->plan->unnamed; l; l = l->next) {
        const kq_bx_value *array = whole_array(frame, l->element->items);
        kq_bx_value one;
        uint32_t at = 0;
        if (left_out(frame, l->element)) continue;
        do {
            if (array && !kq_evtx_array_next(render->bx, array, &at, &one)) break;
            if (!kq_bx_burn(render->bx, 4)) return false;
            at_number++;
            if (number != 0 && number != at_number) continue;
            if (at_number > 1 && number == 0) kq_buf_char(out, '\n');
            *found = true;
            if (array ? !kq_evtx_value_text(render->bx, &one, out)
                      : !kq_evtx_items_text(render, frame, l->element->items, out))
                return false;
            if (number != 0) return true;
        } while (array);
    }
    return true;
}

/* JSON: an object under way. */
typedef struct object {
    bool any;
    bool event_data; /* Data elements are named by their attribute */
    uint32_t unnamed;
} object;

static void put_key(object *o, kq_sv key, kq_buf *out) {
    if (o->any) kq_buf_char(out, ',');
    o->any = true;
    kq_json_string(key, out);
    kq_buf_char(out, ':');
}

static bool put_scratch_json(kq_evtx_render *render, kq_buf *out) {
    size_t before = out->n;
    kq_json_string(kq_buf_view(render->scratch), out);
    return kq_bx_burn(render->bx, (uint32_t)(out->n - before));
}

static bool has_structure(const kq_evtx_frame *frame, const kq_bx_item *items) {
    for (; items; items = items->next) {
        const kq_bx_value *v = value_of(frame, items);
        if (items->kind == KQ_BX_ELEMENT || items->kind == KQ_BX_INSTANCE || (v && v->type == KQ_BX_BINXML))
            return true;
    }
    return false;
}

static bool put_members(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, object *o,
                        unsigned depth, kq_buf *out);

static bool put_object(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, bool event_data,
                       unsigned depth, kq_buf *out) {
    object o = {.event_data = event_data};
    kq_buf_char(out, '{');
    if (!put_members(render, frame, items, &o, depth, out)) return false;
    kq_buf_char(out, '}');
    return true;
}

static bool put_text_json(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, kq_buf *out) {
    kq_buf_empty(render->scratch);
    return kq_evtx_items_text(render, frame, items, render->scratch) && put_scratch_json(render, out);
}

/* An element of text is that text; one with elements inside, or with attributes, an object of these (and "#text"). */
static bool put_element_json(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element,
                             unsigned depth, kq_buf *out) {
    bool structure = has_structure(frame, element->items), attributes = false;
    object o = {0};
    for (const kq_bx_attr *a = element->attrs; a; a = a->next) {
        if (kq_sv_starts(a->name, KQ_SV("xmlns")) || absent(frame, a->items)) continue;
        if (!attributes) kq_buf_char(out, '{');
        attributes = true;
        put_key(&o, a->name, out);
        if (!kq_bx_burn(render->bx, 8) || !put_text_json(render, frame, a->items, out)) return false;
    }
    if (!attributes)
        return structure ? put_object(render, frame, element->items, false, depth + 1, out)
                         : put_text_json(render, frame, element->items, out);
    if (structure) {
        if (!put_members(render, frame, element->items, &o, depth + 1, out)) return false;
    } else if (element->items) {
        put_key(&o, KQ_SV("#text"), out);
        if (!put_text_json(render, frame, element->items, out)) return false;
    }
    kq_buf_char(out, '}');
    return true;
}

static bool put_param(kq_evtx_render *render, object *o, kq_buf *out) {
    char key[24];
    int n = snprintf(key, sizeof key, "param%u", (unsigned)++o->unnamed);
    put_key(o, (kq_sv){key, (size_t)n}, out);
    return put_scratch_json(render, out);
}

/* <Data Name="x">: "x":"text"; without a name "paramN":"text", one for each value of an array. */
static bool put_data_json(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element, object *o,
                          kq_buf *out) {
    kq_buf *scratch = render->scratch;
    const kq_bx_attr *name = element->attrs;
    while (name && !kq_sv_eq(name->name, KQ_SV("Name"))) name = name->next;
    kq_buf_empty(scratch);
    if (name && !kq_evtx_items_text(render, frame, name->items, scratch)) return false;
    if (scratch->n > 0) {
        put_key(o, kq_buf_view(scratch), out);
        kq_buf_empty(scratch);
        return kq_evtx_items_text(render, frame, element->items, scratch) && put_scratch_json(render, out);
    }
    const kq_bx_value *array = whole_array(frame, element->items);
    kq_bx_value one;
    for (uint32_t at = 0; array && kq_evtx_array_next(render->bx, array, &at, &one);) {
        kq_buf_empty(scratch);
        if (!kq_evtx_value_text(render->bx, &one, scratch) || !put_param(render, o, out)) return false;
    }
    if (array) return true;
    return kq_evtx_items_text(render, frame, element->items, scratch) && put_param(render, o, out);
}

static bool same_element(const kq_bx_item *item, const kq_bx_element *element) {
    return item->kind == KQ_BX_ELEMENT && kq_sv_eq(item->u.element->name, element->name);
}

#define GROUP_MAX 256u /* a longer list is not grouped: every pair of its elements would be compared */

/* How many elements with the name of item `at` stand before it in its list, and after it. */
static bool count_same(kq_bx *bx, const kq_bx_item *first, const kq_bx_item *at, uint32_t *before, uint32_t *after) {
    *before = *after = 0;
    uint32_t *n = before, seen = 0;
    for (const kq_bx_item *i = first; i; i = i->next, seen++) {
        if (i == at)
            n = after;
        else
            *n += same_element(i, at->u.element);
        if (seen < GROUP_MAX) continue;
        *before = *after = 0;
        break;
    }
    return kq_bx_burn(bx, seen);
}

static bool put_members(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, object *o,
                        unsigned depth, kq_buf *out) {
    kq_bx *bx = render->bx;
    const kq_bx_item *first = items;
    if (!deeper(render, depth)) return false;
    for (; items; items = items->next) {
        uint32_t mark = bx->nvalues;
        scope inner;
        bool nested = false;
        if (items->kind == KQ_BX_TEXT) continue;
        if (items->kind != KQ_BX_ELEMENT) {
            if (!open_nested(render, frame, items, &inner, &nested)) return false;
            if (nested && !put_members(render, &inner.frame, inner.items, o, depth + 1, out)) return false;
            bx->nvalues = mark;
            continue;
        }
        const kq_bx_element *e = items->u.element;
        if (!kq_bx_burn(bx, 8 + (uint32_t)e->name.n)) return false;
        if (left_out(frame, e)) continue;
        if (o->event_data && kq_sv_eq(e->name, KQ_SV("Data"))) {
            if (!put_data_json(render, frame, e, o, out)) return false;
            continue;
        }
        uint32_t before, after;
        if (!count_same(bx, first, items, &before, &after)) return false;
        if (before > 0) continue; /* already in the first one's array */
        put_key(o, e->name, out);
        if (after > 0) kq_buf_char(out, '[');
        if (!put_element_json(render, frame, e, depth, out)) return false;
        for (const kq_bx_item *i = items->next; i && after > 0; i = i->next) {
            if (!same_element(i, e)) continue;
            kq_buf_char(out, ',');
            if (!put_element_json(render, frame, i->u.element, depth, out)) return false;
            if (--after == 0) kq_buf_char(out, ']');
        }
    }
    return true;
}

bool kq_evtx_json(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element, kq_buf *out) {
    return put_object(render, frame, element->items, kq_sv_eq(element->name, KQ_SV("EventData")), 0, out);
}
