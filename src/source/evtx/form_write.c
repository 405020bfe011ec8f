/* Writing a record's values into the form of its template. */
#include "base/number.h"
#include "source/evtx/escape.h"
#include "source/evtx/form.h"
#include "source/evtx/value.h"

typedef enum written { WRITTEN, UNUSUAL, FAILED } written;

static inline void put_bytes(kq_buf *out, const char *p, size_t n) {
    char *to = out->cap - out->n >= n && out->p ? out->p + out->n : kq_buf_reserve(out, n);
    if (!to) return;
    if (n) memcpy(to, p, n);
    out->n += n;
}

static bool put_utf16(const kq_bx *bx, const kq_bx_value *v, kq_evtx_style style, kq_buf *out) {
    const uint8_t *p = bx->p + v->off;
    size_t units = v->size / 2;
    while (units > 0 && p[units * 2 - 1] == 0 && p[units * 2 - 2] == 0) units--;
    char *to = kq_buf_reserve(out, KQ_EVTX_ESCAPE_ROOM(units));
    if (!to) return false;
    out->n += (size_t)(kq_evtx_escape_utf16(p, units, bx->p + bx->n, style, to) - to);
    return true;
}

/* The text of a value that is no template, escaped. */
static bool put_value(kq_evtx_render *render, const kq_bx_value *v, kq_evtx_style style, kq_buf *out) {
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

/* A comma, unless the object has no members yet: these end with a quote or a bracket of their own. */
static void put_comma(kq_buf *out) {
    if (out->n > 0 && out->p[out->n - 1] != '{') kq_buf_char(out, ',');
}

static written put_array(kq_evtx_render *render, const kq_evtx_piece *piece, const char *again, const kq_bx_value *v,
                         kq_buf *out) {
    kq_bx_value one;
    bool any = false;
    if (!piece->nagain) return UNUSUAL;
    for (uint32_t at = 0; kq_evtx_array_next(render->bx, v, &at, &one); any = true) {
        if (any) put_bytes(out, again, piece->nagain);
        if (!kq_bx_burn(render->bx, 8 + piece->nagain)) return FAILED;
        if (!put_value(render, &one, (kq_evtx_style)piece->style, out)) return FAILED;
    }
    return WRITTEN;
}

static bool put_param(kq_evtx_render *render, const kq_bx_value *v, uint32_t *number, kq_buf *out) {
    put_comma(out);
    kq_buf_str(out, "\"param");
    kq_number_print_long(++*number, out);
    kq_buf_str(out, "\":\"");
    if (!kq_bx_burn(render->bx, 16) || (v && !put_value(render, v, KQ_EVTX_JSON, out))) return false;
    kq_buf_char(out, '"');
    return true;
}

static bool put_params(kq_evtx_render *render, const kq_evtx_piece *piece, const kq_bx_value *v, uint32_t *number,
                       kq_buf *out) {
    kq_bx_value one;
    if (!v && !piece->keep) return true;
    if (!v || !(v->type & KQ_BX_ARRAY) || v->size == 0) return put_param(render, v, number, out);
    for (uint32_t at = 0; kq_evtx_array_next(render->bx, v, &at, &one);)
        if (!put_param(render, &one, number, out)) return false;
    return true;
}

static const kq_bx_value *value_of(const kq_evtx_frame *frame, const kq_evtx_piece *piece) {
    if (piece->kind == KQ_EVTX_PIECE_TEXT || piece->kind == KQ_EVTX_PIECE_COMMA || piece->index >= frame->n)
        return NULL;
    const kq_bx_value *v = &frame->values[piece->index];
    return v->type == KQ_BX_NULL ? NULL : v;
}

static written put_piece(kq_evtx_render *render, const char *p, const kq_evtx_piece *piece, const kq_bx_value *v,
                         kq_buf *out) {
    if (piece->comma) put_comma(out);
    if (piece->nopen) put_bytes(out, p, piece->nopen);
    p += piece->nopen;
    if (piece->kind == KQ_EVTX_PIECE_WHOLE && v->type & KQ_BX_ARRAY && v->size > 0) {
        written done = put_array(render, piece, p, v, out);
        if (done != WRITTEN) return done;
    } else if (!put_value(render, v, (kq_evtx_style)piece->style, out)) {
        return FAILED;
    }
    if (piece->nclose) put_bytes(out, p + piece->nagain, piece->nclose);
    return WRITTEN;
}

static written write_form(kq_evtx_render *render, const kq_evtx_form *form, const kq_evtx_frame *frame, kq_buf *out) {
    uint32_t number = 0;
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
        put_bytes(out, p, piece->ntext);
        if (piece->kind == KQ_EVTX_PIECE_COMMA) {
            put_comma(out);
        } else if (piece->kind == KQ_EVTX_PIECE_PARAM) {
            if (!put_params(render, piece, v, &number, out)) return FAILED;
        } else if (v) {
            written done = put_piece(render, p + piece->ntext, piece, v, out);
            if (done != WRITTEN) return done;
        }
    }
    return WRITTEN;
}

/* The plan's form, made at its second use: what only one record of the chunk has is not worth it. */
static bool form_of(kq_evtx_render *render, kq_evtx_plan *plan, bool json, const kq_evtx_form **out) {
    *out = NULL;
    if (plan->uses[json] < 2 && ++plan->uses[json] == 2 &&
        !kq_evtx_form_make(render, plan->data, json, &plan->forms[json]))
        return false;
    *out = plan->forms[json];
    return true;
}

bool kq_evtx_form_put(kq_evtx_render *render, const kq_evtx_frame *frame, bool json, kq_buf *out) {
    const kq_evtx_form *form;
    size_t before = out->n;
    if (!form_of(render, frame->plan, json, &form)) return false;
    written done = form ? write_form(render, form, frame, out) : UNUSUAL;
    if (done != UNUSUAL) return done == WRITTEN;
    out->n = before;
    return json ? kq_evtx_json(render, frame, frame->plan->data, out)
                : kq_evtx_xml(render, frame, frame->plan->data, out);
}
