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
    if (piece->kind == KQ_EVTX_PIECE_WHOLE && v->type & KQ_BX_ARRAY && v->size > 0)
        return put_array(render, piece, p, v, out);
    return kq_evtx_put_value(render, v, (kq_evtx_style)piece->style, out) ? WRITTEN : FAILED;
}

/* Copies text of the form: short as a rule, and KQ_EVTX_FORM_SLACK bytes may be read and written behind it. */
static inline char *put_text(char *to, const char *p, uint32_t n) {
    memcpy(to, p, KQ_EVTX_FORM_SLACK);
    if (KQ_UNLIKELY(n > KQ_EVTX_FORM_SLACK)) memcpy(to, p, n);
    return to + n;
}

static written write_form(kq_evtx_render *render, const kq_evtx_form *form, const kq_evtx_frame *frame, kq_buf *out) {
    const kq_bx *bx = render->bx;
    uint64_t cost = form->cost, room = form->cost + KQ_EVTX_FORM_SLACK;
    if (form->once) {
        cost += frame->size;
        room += KQ_EVTX_ESCAPE_ROOM(frame->size / 2);
    } else {
        for (const kq_evtx_piece *piece = form->pieces; piece; piece = piece->next) {
            const kq_bx_value *v = value_of(frame, piece);
            if (!v) continue;
            cost += v->size;
            room += KQ_EVTX_ESCAPE_ROOM(v->size / 2);
        }
    }
    if (!kq_bx_burn(render->bx, cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost)) return FAILED;
    char *to = kq_buf_reserve(out, room); /* for all of the form and all that is UTF-16 */
    if (!to) return FAILED;
    for (const kq_evtx_piece *piece = form->pieces; piece; piece = piece->next) {
        const kq_bx_value *v = value_of(frame, piece);
        const char *p = form->text + piece->at;
        to = put_text(to, p, piece->ntext);
        if (!v) continue;
        if (v->type == KQ_BX_BINXML) return UNUSUAL;
        p += piece->ntext;
        to = put_text(to, p, piece->nopen);
        p += piece->nopen;
        if (v->type == KQ_BX_STRING) { /* as nearly all are */
            to = kq_evtx_escape_utf16(bx->p + v->off, kq_bx_units(bx, v), bx->p + bx->n, (kq_evtx_style)piece->style,
                                      to);
        } else {
            out->n = (size_t)(to - out->p);
            written done = put_piece(render, p, piece, v, out);
            if (done != WRITTEN) return done;
            if (!(to = kq_buf_reserve(out, room))) return FAILED;
        }
        to = put_text(to, p + piece->nagain, piece->nclose);
    }
    out->n = (size_t)(to - out->p);
    return WRITTEN;
}

/* The form is made at the second use: what only one record of the chunk has is not worth it. */
bool kq_evtx_form_put(kq_evtx_render *render, const kq_evtx_frame *frame, kq_evtx_form_kind kind, kq_buf *out,
                      bool *taken) {
    kq_evtx_plan *plan = frame->plan;
    size_t before = out->n;
    *taken = false;
    if (plan->form_uses[kind] < 2 && ++plan->form_uses[kind] == 2 &&
        !kq_evtx_form_make(render, plan->data, kind, &plan->forms[kind]))
        return false;
    if (!plan->forms[kind]) return true;
    written done = write_form(render, plan->forms[kind], frame, out);
    *taken = done == WRITTEN;
    if (done == UNUSUAL) out->n = before;
    return done != FAILED;
}
