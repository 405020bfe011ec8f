/*
 * A record's EventData or UserData whole, as XML and as JSON, and the text of mixed content. The XML source makes trees
 * of the same kind, of texts and elements only, so that both give the same text.
 */
#ifndef KQ_SOURCE_EVTX_RENDER_H
#define KQ_SOURCE_EVTX_RENDER_H

#include "source/evtx/escape.h"
#include "source/evtx/plan.h"

/* A template instance of the record being read. */
typedef struct kq_evtx_frame {
    kq_evtx_plan *plan;
    const kq_bx_value *values;
    uint32_t n;
    uint32_t size; /* of the values together */
} kq_evtx_frame;

/* What rendering works with: the chunk, for its fuel and values (a bx without a chunk will do for trees of texts), and
 * a scratch buffer. */
typedef struct kq_evtx_render {
    kq_bx *bx;
    kq_buf *scratch;
} kq_evtx_render;

/* Appends the text of a value that is no template, escaped. */
bool kq_evtx_put_value(kq_evtx_render *render, const kq_bx_value *v, kq_evtx_style style, kq_buf *out);
/* Appends the text that items have: literals, values, and the text inside nested templates. */
bool kq_evtx_items_text(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_item *items, kq_buf *out);
/* Appends the element as well-formed XML, and as a JSON object. */
bool kq_evtx_xml(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element, kq_buf *out);
bool kq_evtx_json(kq_evtx_render *render, const kq_evtx_frame *frame, const kq_bx_element *element, kq_buf *out);
/* Text number `number` (from 1) of the Data elements without a name; 0: all, one a line. *found: there is such. */
bool kq_evtx_unnamed(kq_evtx_render *render, const kq_evtx_frame *frame, int32_t number, bool *found, kq_buf *out);

#endif
