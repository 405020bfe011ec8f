/* Writing a record's values into the form of its template. */
#include "source/evtx/form.h"
#include "source/evtx/value.h"

typedef enum written { WRITTEN, UNUSUAL, FAILED } written;

static written put_array(kq_evtx_render *render, const kq_evtx_piece *piece, const char *again, const kq_bx_value *v,
                         kq_buf *out) {
    kq_bx_value one;
    bool any = false;
    if (!piece->nagain) return UNUSUAL;
    for (uint32_t at = 0; kq_evtx_array_next(render->bx, v, &at, &one); any = true) {
        if (any) kq_buf_append(out, again, piece->nagain);
        if (!kq_bx_burn(render->bx, 8 + piece->nagain)) return FAILED;
        if (!kq_evtx_put_value(render, &one, (kq_evtx_style)piece->style, out)) return FAILED;
    }
    return WRITTEN;
}

static const kq_bx_value *value_of(const kq_evtx_frame *frame, const kq_evtx_piece *piece) {
    if (piece->kind == KQ_EVTX_PIECE_TEXT || piece->index >= frame->n) return NULL;
    const kq_bx_value *v = &frame->values[piece->index];
    return v->type == KQ_BX_NULL ? NULL : v;
}

static written put_piece(kq_evtx_render *render, const char *p, const kq_evtx_piece *piece, const kq_bx_value *v,
                         kq_buf *out) {
    kq_buf_append(out, p, piece->nopen);
    p += piece->nopen;
    if (piece->kind == KQ_EVTX_PIECE_WHOLE && v->type & KQ_BX_ARRAY && v->size > 0) {
        written done = put_array(render, piece, p, v, out);
        if (done != WRITTEN) return done;
    } else if (!kq_evtx_put_value(render, v, (kq_evtx_style)piece->style, out)) {
        return FAILED;
    }
    kq_buf_append(out, p + piece->nagain, piece->nclose);
    return WRITTEN;
}

static written write_form(kq_evtx_render *render, const kq_evtx_form *form, const kq_evtx_frame *frame, kq_buf *out) {
    uint64_t cost = form->cost;
    for (const kq_evtx_piece *piece = form->pieces; piece; piece = piece->next) {
        const kq_bx_value *v = value_of(frame, piece);
        if (!v) continue;
        if (v->type == KQ_BX_BINXML) return UNUSUAL;
        cost += v->size;
    }
    if (!kq_bx_burn(render->bx, cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost)) return FAILED;
    for (const kq_evtx_piece *piece = form->pieces; piece; piece = piece->next) {
        const kq_bx_value *v = value_of(frame, piece);
        const char *p = form->text + piece->at;
        kq_buf_append(out, p, piece->ntext);
        written done = v ? put_piece(render, p + piece->ntext, piece, v, out) : WRITTEN;
        if (done != WRITTEN) return done;
    }
    return WRITTEN;
}

/* The form is made at the second use: what only one record of the chunk has is not worth it. */
bool kq_evtx_form_put(kq_evtx_render *render, const kq_evtx_frame *frame, kq_buf *out) {
    kq_evtx_plan *plan = frame->plan;
    size_t before = out->n;
    if (plan->form_uses < 2 && ++plan->form_uses == 2 && !kq_evtx_form_make(render, plan->data, &plan->form))
        return false;
    written done = plan->form ? write_form(render, plan->form, frame, out) : UNUSUAL;
    if (done != UNUSUAL) return done == WRITTEN;
    out->n = before;
    return kq_evtx_xml(render, frame, plan->data, out);
}
