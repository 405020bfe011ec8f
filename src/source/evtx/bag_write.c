/* Writing a record's values into the bag of its template. */
#include "column/dynamic.h"
#include "source/evtx/bag.h"
#include "source/evtx/escape.h"
#include "source/evtx/value.h"

typedef enum written { WRITTEN, UNUSUAL, FAILED } written;

/* A bag under way: from its tag on in the buffer. */
typedef struct level {
    size_t start, body;
    uint32_t n; /* members so far */
} level;

typedef struct writer {
    kq_evtx_render *render;
    const kq_evtx_frame *frame;
    kq_buf *out;
    level levels[KQ_EVTX_BAG_DEPTH];
    level *top;      /* NULL outside */
    size_t string;   /* where the length of the string under way stands */
    uint32_t number; /* of Data without a name */
} writer;

static void put_u32(char *to, size_t n) {
    uint32_t v = (uint32_t)n;
    memcpy(to, &v, sizeof v);
}

static void member_end(writer *w) {
    level *l = w->top;
    if (w->out->failed) return;
    put_u32(w->out->p + l->start + 5 + (size_t)l->n++ * 4, w->out->n - l->body);
}

static void string_start(writer *w) {
    w->string = w->out->n;
    kq_buf_append(w->out, "\0\0\0", 4);
}

static void string_end(writer *w) {
    if (w->out->failed) return;
    put_u32(w->out->p + w->string, w->out->n - w->string - 4);
}

static const kq_bx_value *value_of(const kq_evtx_frame *frame, const kq_evtx_step *s) {
    if (s->kind == KQ_EVTX_STEP_OPEN || s->kind == KQ_EVTX_STEP_CLOSE || s->kind == KQ_EVTX_STEP_START ||
        s->kind == KQ_EVTX_STEP_END || s->index >= frame->n)
        return NULL;
    const kq_bx_value *v = &frame->values[s->index];
    return v->type == KQ_BX_NULL ? NULL : v;
}

static bool is_list(const kq_bx_value *v) {
    return v && v->type & KQ_BX_ARRAY && v->size > 0;
}

/* Arrays of Data without a name give more members than the one that was counted for each. */
static bool more_members(const writer *w, const kq_evtx_step *s, uint32_t *room) {
    kq_bx_value one;
    for (unsigned depth = 1; (s = s->next) != NULL && depth > 0;) {
        depth += s->kind == KQ_EVTX_STEP_OPEN;
        depth -= s->kind == KQ_EVTX_STEP_CLOSE;
        const kq_bx_value *v = s->kind == KQ_EVTX_STEP_PARAM && depth == 1 ? value_of(w->frame, s) : NULL;
        if (!is_list(v)) continue;
        for (uint32_t at = 0; kq_evtx_array_next(w->render->bx, v, &at, &one);) ++*room;
    }
    return kq_bx_burn(w->render->bx, *room);
}

static bool open_bag(writer *w, const kq_evtx_step *s) {
    uint32_t room = s->members;
    if (s->params && !more_members(w, s, &room)) return false;
    w->top = w->top ? w->top + 1 : w->levels;
    *w->top = (level){.start = w->out->n, .body = w->out->n + 5 + (size_t)room * 4};
    char *to = kq_buf_reserve(w->out, 5 + (size_t)room * 4);
    if (!to) return false;
    to[0] = (char)KQ_DYN_BAG;
    w->out->n = w->top->body;
    return true;
}

/* Members left out leave room in the table of ends: what follows moves up. */
static void close_bag(writer *w) {
    level *l = w->top;
    w->top = l == w->levels ? NULL : l - 1;
    if (w->out->failed) return;
    char *p = w->out->p;
    size_t body = l->start + 5 + (size_t)l->n * 4;
    if (body < l->body) memmove(p + body, p + l->body, w->out->n - l->body);
    w->out->n -= l->body - body;
    put_u32(p + l->start + 1, l->n);
    if (w->top) member_end(w);
}

static inline bool put_string(writer *w, const kq_bx_value *v) {
    kq_buf *out = w->out;
    if (v && v->type == KQ_BX_STRING) { /* as nearly all are: written behind its length */
        const kq_bx *bx = w->render->bx;
        const uint8_t *p = bx->p + v->off;
        size_t units = kq_bx_units(bx, v);
        char *to = kq_buf_reserve(out, 4 + KQ_EVTX_ESCAPE_ROOM(units));
        if (!to) return false;
        char *end = kq_evtx_escape_utf16(p, units, bx->p + bx->n, KQ_EVTX_PLAIN, to + 4);
        put_u32(to, (size_t)(end - to) - 4);
        out->n = (size_t)(end - out->p);
        member_end(w);
        return true;
    }
    string_start(w);
    if (v && !kq_evtx_put_value(w->render, v, KQ_EVTX_PLAIN, w->out)) return false;
    string_end(w);
    member_end(w);
    return true;
}

static bool put_param(writer *w, const kq_bx_value *v) {
    char key[4 + 16 + 1] = "....param";
    unsigned digits = 0;
    for (uint32_t n = ++w->number; n; n /= 10) digits++;
    for (uint32_t n = w->number, i = digits; i-- > 0; n /= 10) key[9 + i] = (char)('0' + n % 10);
    put_u32(key, 5 + digits);
    key[9 + digits] = (char)KQ_DYN_STRING;
    kq_buf_append(w->out, key, 10 + digits);
    return kq_bx_burn(w->render->bx, 16) && put_string(w, v);
}

static bool put_params(writer *w, const kq_evtx_step *s, const kq_bx_value *v) {
    kq_bx_value one;
    if (!v && !s->keep) return true;
    if (!is_list(v)) return put_param(w, v);
    for (uint32_t at = 0; kq_evtx_array_next(w->render->bx, v, &at, &one);)
        if (!put_param(w, &one)) return false;
    return true;
}

static bool put_step(writer *w, const char *bytes, const kq_evtx_step *s) {
    const kq_bx_value *v = value_of(w->frame, s);
    if (s->kind == KQ_EVTX_STEP_OPTIONAL && !v) return true;
    kq_buf_append(w->out, bytes + s->at, s->n);
    switch ((kq_evtx_step_kind)s->kind) {
    case KQ_EVTX_STEP_OPEN: return open_bag(w, s);
    case KQ_EVTX_STEP_CLOSE: close_bag(w); return true;
    case KQ_EVTX_STEP_FIELD:
    case KQ_EVTX_STEP_OPTIONAL: return put_string(w, v);
    case KQ_EVTX_STEP_PARAM: return put_params(w, s, v);
    case KQ_EVTX_STEP_START: string_start(w); return true;
    case KQ_EVTX_STEP_VALUE: return !v || kq_evtx_put_value(w->render, v, KQ_EVTX_PLAIN, w->out);
    case KQ_EVTX_STEP_END:
        string_end(w);
        member_end(w);
        return true;
    }
    return true;
}

static written write_bag(kq_evtx_render *render, const kq_evtx_bag *bag, const kq_evtx_frame *frame, kq_buf *out) {
    writer w; /* its levels are filled as they are opened */
    w.render = render;
    w.frame = frame;
    w.out = out;
    w.top = NULL;
    w.number = 0;
    uint64_t cost = bag->cost, room = bag->cost;
    for (const kq_evtx_step *s = bag->steps; s; s = s->next) {
        const kq_bx_value *v = value_of(frame, s);
        if (!v) continue;
        if (v->type == KQ_BX_BINXML) return UNUSUAL;
        cost += v->size;
        room += KQ_EVTX_ESCAPE_ROOM(v->size / 2) + 48;
    }
    if (!kq_buf_reserve(out, room)) return FAILED; /* as a rule all that is needed */
    if (!kq_bx_burn(render->bx, cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost)) return FAILED;
    for (const kq_evtx_step *s = bag->steps; s; s = s->next)
        if (!put_step(&w, bag->bytes, s)) return FAILED;
    return out->failed ? FAILED : WRITTEN;
}

bool kq_evtx_bag_put(kq_evtx_render *render, const kq_evtx_frame *frame, kq_buf *out, bool *taken) {
    kq_evtx_plan *plan = frame->plan;
    size_t before = out->n;
    *taken = false;
    if (plan->bag_uses < 2 && ++plan->bag_uses == 2 && !kq_evtx_bag_make(render, plan->data, &plan->bag)) return false;
    if (!plan->bag) return true;
    written done = write_bag(render, plan->bag, frame, out);
    *taken = done == WRITTEN;
    if (done == UNUSUAL) out->n = before;
    return done != FAILED;
}
