/* One record: which sets it belongs to, and their rows. Nothing is decoded before it is asked for. */
#include "column/json_string.h"
#include "column/value.h"
#include "source/evtx/bag.h"
#include "source/evtx/evtx.h"
#include "source/evtx/form.h"
#include "source/evtx/value.h"

#define RECORD_HEADER 24u

static bool no_memory(const kq_evtx_reader *r) {
    return r->bx.arena.failed || r->text.failed || r->scratch.failed || r->xml[0].failed || r->xml[1].failed ||
           r->data[0].failed || r->data[1].failed;
}

static kq_status memory_status(const kq_evtx_reader *r, kq_error *err) {
    KQ_TRY(kq_arena_status(&r->bx.arena, err));
    KQ_TRY(kq_buf_status(&r->text, err));
    for (int i = 0; i < 2; i++) {
        KQ_TRY(kq_buf_status(&r->xml[i], err));
        KQ_TRY(kq_buf_status(&r->data[i], err));
    }
    return kq_buf_status(&r->scratch, err);
}

/* Something inside the record can't be read: noted, and the rest goes on. False when memory is short. */
static bool note_flaw(kq_evtx_reader *r) {
    if (no_memory(r)) return false;
    if (!r->flaw) r->flaw = r->bx.why;
    return true;
}

static bool push_frame(kq_evtx_reader *r, kq_evtx_plan *plan, const kq_bx_value *values, uint32_t n, uint32_t size) {
    if (r->nframes == KQ_EVTX_FRAMES) return kq_bx_fail(&r->bx, "a record has too many nested templates");
    r->frames[r->nframes++] = (kq_evtx_frame){.plan = plan, .values = values, .n = n, .size = size};
    return true;
}

static bool push_instance(kq_evtx_reader *r, uint32_t at, uint32_t limit, const kq_evtx_context *context,
                          uint32_t *end) {
    uint32_t definition, n;
    kq_bx_value *values;
    kq_evtx_plan *plan;
    return kq_bx_instance(&r->bx, at, limit, &definition, &values, &n, end) &&
           kq_evtx_plan_get(&r->plans, definition, context, &plan) &&
           push_frame(r, plan, values, n, n ? *end - values[0].off : 0);
}

/* The content in [off, end): one instance as a rule, otherwise anything. */
static bool push_fragment(kq_evtx_reader *r, uint32_t off, uint32_t end, const kq_evtx_context *context) {
    kq_bx *bx = &r->bx;
    uint32_t at = kq_bx_single(bx, off, end), after;
    if (at) return push_instance(r, at, end, context, &after);
    kq_bx_item *items;
    kq_evtx_plan *plan;
    return kq_bx_fragment(bx, off, end, &items) && kq_evtx_plan_inline(&r->plans, items, context, &plan) &&
           push_frame(r, plan, NULL, 0, 0);
}

/* Looks into what stands at the places of the next frame. False without memory. */
static bool expand_next(kq_evtx_reader *r) {
    const kq_evtx_frame *frame = &r->frames[r->nexpanded++];
    for (const kq_evtx_place *p = frame->plan->places; p; p = p->next) {
        bool ok = true;
        uint32_t end;
        if (p->item->kind == KQ_BX_INSTANCE) {
            ok = push_instance(r, p->item->u.instance.at, p->item->u.instance.end, p->context, &end);
        } else if (p->item->index < frame->n) {
            const kq_bx_value *v = &frame->values[p->item->index];
            if (v->type == KQ_BX_BINXML && v->size > 0) ok = push_fragment(r, v->off, v->off + v->size, p->context);
        }
        if (!ok && !note_flaw(r)) return false;
    }
    return true;
}

/* An old record is taken whole or not at all: what it refers to may be overwritten. */
static bool complete(kq_evtx_reader *r) {
    while (r->nexpanded < r->nframes)
        if (!expand_next(r)) return false;
    return !r->flaw;
}

/* Calls `match` on the record's frames in turn, opening nested ones as far as needed, until it says true. NULL when
 * none does; *ok false without memory. */
static const kq_evtx_frame *find_frame(kq_evtx_reader *r, bool (*match)(const kq_evtx_frame *, uint32_t), uint32_t slot,
                                       bool *ok) {
    *ok = true;
    for (uint32_t i = 0;; i++) {
        while (i == r->nframes && r->nexpanded < r->nframes)
            if (!expand_next(r)) {
                *ok = false;
                return NULL;
            }
        if (i == r->nframes) return NULL;
        if (match(&r->frames[i], slot)) return &r->frames[i];
    }
}

static bool has_answer(const kq_evtx_frame *frame, uint32_t slot) {
    return frame->plan->answers[slot].where != KQ_EVTX_NOWHERE;
}

static bool has_data(const kq_evtx_frame *frame, uint32_t slot) {
    (void)slot;
    return frame->plan->data != NULL;
}

/* What was written to r->text becomes the field's text, in the arena. */
static bool take_text(kq_evtx_reader *r, kq_field *out) {
    kq_sv text = kq_buf_view(&r->text);
    if (no_memory(r)) return false;
    if (!kq_bx_burn(&r->bx, (uint32_t)text.n)) return false;
    char *to = kq_arena_bytes(&r->bx.arena, text.n);
    if (!to) return false;
    if (text.n) memcpy(to, text.p, text.n);
    out->kind = KQ_FIELD_STRING;
    out->u.text = (kq_sv){to, text.n};
    return true;
}

static bool answer_field(kq_evtx_reader *r, const kq_evtx_frame *frame, uint32_t slot, kq_field *out) {
    const kq_evtx_answer *a = &frame->plan->answers[slot];
    bool found;
    switch ((kq_evtx_where)a->where) {
    case KQ_EVTX_NOWHERE: return true;
    case KQ_EVTX_LITERAL: *out = *a->u.literal; return true;
    case KQ_EVTX_VALUE:
        if (a->index >= frame->n) return true;
        if (frame->values[a->index].type == KQ_BX_BINXML) {
            kq_bx_item item = {.kind = KQ_BX_SUB, .index = a->index};
            kq_buf_empty(&r->text);
            return kq_evtx_items_text(&r->render, frame, &item, &r->text) && take_text(r, out);
        }
        return kq_evtx_value_field(&r->bx, &frame->values[a->index], out);
    case KQ_EVTX_CONTENT:
        kq_buf_empty(&r->text);
        return kq_evtx_items_text(&r->render, frame, a->u.items, &r->text) && take_text(r, out);
    case KQ_EVTX_PARAMS:
        kq_buf_empty(&r->text);
        if (!kq_evtx_unnamed(&r->render, frame, r->request.slots[slot].unnamed, &found, &r->text)) return false;
        return !found || take_text(r, out);
    }
    return true;
}

/* Data elements whose name is a value: compared record by record. */
static bool computed_field(kq_evtx_reader *r, uint32_t slot, kq_field *out) {
    kq_sv path = r->request.slots[slot].path, prefix = KQ_SV("EventData.");
    if (!kq_sv_starts(path, prefix)) return true;
    kq_sv wanted = kq_sv_slice(path, prefix.n, path.n);
    for (uint32_t i = 0; i < r->nframes; i++) {
        const kq_evtx_frame *frame = &r->frames[i];
        for (const kq_evtx_list *l = frame->plan->computed; l; l = l->next) {
            const kq_bx_attr *name = l->element->attrs;
            while (name && !kq_sv_eq(name->name, KQ_SV("Name"))) name = name->next;
            kq_buf_empty(&r->text);
            if (!name || !kq_evtx_items_text(&r->render, frame, name->items, &r->text)) return false;
            if (!kq_sv_eq(kq_buf_view(&r->text), wanted)) continue;
            kq_buf_empty(&r->text);
            return kq_evtx_items_text(&r->render, frame, l->element->items, &r->text) && take_text(r, out);
        }
    }
    return true;
}

static bool path_field(kq_evtx_reader *r, uint32_t slot, kq_field *out) {
    bool ok = true;
    const kq_evtx_frame *frame = r->frames; /* as a rule */
    if (!has_answer(frame, slot)) frame = find_frame(r, has_answer, slot, &ok);
    if (!ok) return false;
    bool read = frame ? answer_field(r, frame, slot, out) : computed_field(r, slot, out);
    if (!read) {
        out->kind = KQ_FIELD_MISSING;
        return note_flaw(r);
    }
    if (out->kind == KQ_FIELD_STRING) kq_event_hinted((kq_event_hint)r->request.slots[slot].hint, out);
    return true;
}

/* The same inside a JSON string, with its quotes; *taken false, and `text` empty, when there is no form to do it by. */
static bool xml_written(kq_evtx_reader *r, const kq_evtx_frame *frame, const kq_field *time, kq_buf *text,
                        bool *taken) {
    kq_buf_empty(&r->scratch);
    kq_event_item_start(time, &r->scratch);
    kq_buf_char(text, '"');
    kq_json_inside(kq_buf_view(&r->scratch), text);
    if (!kq_evtx_form_put(&r->render, frame, KQ_EVTX_FORM_XML_JSON, text, taken)) return false;
    if (!*taken) {
        kq_buf_empty(text);
        return true;
    }
    kq_event_item_end(text); /* nothing in it to escape */
    kq_buf_char(text, '"');
    return true;
}

static bool xml_field(kq_evtx_reader *r, const kq_evtx_frame *frame, bool written, kq_field *out) {
    kq_field time;
    bool taken = false;
    if (!kq_evtx_slot_field(r, r->request.time, &time)) return false;
    kq_buf *text = &r->xml[written];
    kq_buf_empty(text);
    out->kind = KQ_FIELD_WRITTEN;
    if (written && !xml_written(r, frame, &time, text, &taken)) return false;
    if (!taken) {
        out->kind = KQ_FIELD_STRING;
        kq_event_item_start(&time, text);
        if (!kq_evtx_form_put(&r->render, frame, KQ_EVTX_FORM_XML, text, &taken)) return false;
        if (!taken && !kq_evtx_xml(&r->render, frame, frame->plan->data, text)) return false;
        kq_event_item_end(text);
    }
    out->u.text = kq_buf_view(text);
    return !text->failed;
}

static bool bag_field(kq_evtx_reader *r, const kq_evtx_frame *frame, bool written, kq_field *out) {
    kq_buf *data = &r->data[written];
    bool taken = false;
    kq_buf_empty(data);
    out->kind = KQ_FIELD_WRITTEN;
    if (written && !kq_evtx_form_put(&r->render, frame, KQ_EVTX_FORM_BAG, data, &taken)) return false;
    if (!taken) {
        out->kind = KQ_FIELD_DYNAMIC;
        if (!kq_evtx_bag_put(&r->render, frame, data, &taken)) return false;
    }
    if (!taken) {
        out->kind = KQ_FIELD_JSON;
        if (!kq_evtx_json(&r->render, frame, frame->plan->data, data)) return false;
    }
    out->u.text = kq_buf_view(data);
    return !data->failed;
}

static bool whole_field(kq_evtx_reader *r, const kq_event_slot *slot, kq_field *out) {
    bool ok;
    const kq_evtx_frame *frame = find_frame(r, has_data, 0, &ok);
    if (!frame) return ok;
    ok = slot->what == KQ_EVENT_XML ? xml_field(r, frame, slot->written, out) : bag_field(r, frame, slot->written, out);
    if (ok) return true;
    out->kind = KQ_FIELD_MISSING;
    return note_flaw(r);
}

bool kq_evtx_slot_field(kq_evtx_reader *r, uint32_t slot, kq_field *out) {
    if (r->stamps[slot] == r->stamp) {
        *out = r->memo[slot];
        return true;
    }
    *out = (kq_field){.kind = KQ_FIELD_MISSING};
    bool ok = true;
    switch ((kq_event_what)r->request.slots[slot].what) {
    case KQ_EVENT_PATH: ok = path_field(r, slot, out); break;
    case KQ_EVENT_FILE:
        out->kind = KQ_FIELD_STRING;
        out->u.text = kq_sv_of(r->source->input->path);
        break;
    case KQ_EVENT_OFFSET:
        out->kind = KQ_FIELD_LONG;
        out->u.l = (int64_t)(r->chunk + r->off);
        break;
    case KQ_EVENT_INDEX:
        out->kind = KQ_FIELD_LONG;
        out->u.l = (int64_t)r->number;
        break;
    case KQ_EVENT_RECOVERED:
        out->kind = KQ_FIELD_BOOL;
        out->u.b = r->stale;
        break;
    case KQ_EVENT_XML:
    case KQ_EVENT_JSON: ok = whole_field(r, &r->request.slots[slot], out); break;
    case KQ_EVENT_RAW: /* there is no text of it */
    case KQ_EVENT_NOTHING: break;
    }
    if (!ok) return false;
    r->stamps[slot] = r->stamp;
    r->memo[slot] = *out;
    return true;
}

/* A want that asks for JSON gets the value as JSON text: a number bare, all else as a string. */
static bool as_json(kq_evtx_reader *r, kq_field *field) {
    if (field->kind == KQ_FIELD_MISSING || field->kind == KQ_FIELD_NULL || field->kind == KQ_FIELD_JSON ||
        field->kind == KQ_FIELD_DYNAMIC || field->kind == KQ_FIELD_WRITTEN)
        return true;
    kq_buf_empty(&r->text);
    kq_event_field_json(field, &r->scratch, &r->text);
    if (!take_text(r, field)) {
        field->kind = KQ_FIELD_MISSING;
        return note_flaw(r);
    }
    field->kind = KQ_FIELD_JSON;
    return true;
}

/* Does the record belong to the set, and do its judges take it? False without memory. */
static bool judge(kq_evtx_reader *r, const kq_event_set *set, bool *taken) {
    kq_field field;
    *taken = false;
    for (uint32_t i = 0; i < set->nselectors; i++) {
        if (!kq_evtx_slot_field(r, set->selectors[i].slot, &field)) return false;
        if (!kq_event_selected(&set->selectors[i], &field)) return true;
    }
    for (uint32_t i = 0; i < set->njudged; i++) {
        const kq_want *want = &set->wants[set->judged[i]];
        if (!kq_evtx_slot_field(r, set->slots[set->judged[i]], &field)) return false;
        if (want->json && !as_json(r, &field)) return false;
        if (!want->accept(want->accept_ctx, &field)) return true;
    }
    *taken = true;
    return true;
}

static bool fill_row(kq_evtx_reader *r, const kq_event_set *set) {
    for (uint32_t i = 0; i < set->nwants; i++) {
        if (!kq_evtx_slot_field(r, set->slots[i], &r->row[i])) return false;
        if (set->wants[i].json && !as_json(r, &r->row[i])) return false;
    }
    return true;
}

kq_status kq_evtx_record_read(kq_evtx_reader *r, uint32_t off, uint32_t size, const kq_row_sink *sink,
                              const char **lost, bool *done, kq_error *err) {
    kq_bx *bx = &r->bx;
    r->off = off;
    r->flaw = *lost = NULL;
    r->nframes = r->nexpanded = 0;
    bx->nvalues = 0;
    if (++r->stamp == 0) {
        memset(r->stamps, 0, r->request.nslots * sizeof *r->stamps);
        r->stamp = 1;
    }
    bool whole = push_fragment(r, off + RECORD_HEADER, off + size - 4, r->plans.top);
    if (!whole || (r->stale && !complete(r))) {
        *lost = r->flaw ? r->flaw : bx->why;
        return memory_status(r, err);
    }
    const kq_evtx_plan *plan = r->frames[0].plan;
    if (sink->offset) *sink->offset = r->chunk + off;
    for (uint32_t i = 0; i < plan->nsets && !*done; i++) {
        const kq_event_set *set = &r->request.sets[plan->sets[i]];
        bool taken;
        if (!judge(r, set, &taken) || no_memory(r)) return memory_status(r, err);
        if (!taken) continue;
        if (!fill_row(r, set) || no_memory(r)) return memory_status(r, err);
        KQ_TRY(sink->row(sink->ctx, plan->sets[i], r->row, done, err));
    }
    return KQ_OK;
}
