#include "source/evtx/plan.h"

#define PATH_MAX_BYTES 512u /* longer paths answer no slot */

typedef struct builder {
    kq_evtx_plans *plans;
    kq_bx *bx;
    kq_evtx_plan *plan;
    kq_evtx_place **places_tail;
    kq_evtx_list **unnamed_tail;
    char path[PATH_MAX_BYTES];
} builder;

/* The path of what the builder looks at: the first n bytes of builder.path. */
typedef struct path {
    uint32_t n, hash;
    bool lost; /* too long */
} path;

bool kq_evtx_literal(kq_bx *bx, const kq_bx_item *items, kq_sv *text) {
    size_t n = 0;
    for (const kq_bx_item *i = items; i; i = i->next) {
        if (i->kind != KQ_BX_TEXT) return false;
        n += i->u.text.n;
    }
    *text = items && !items->next ? items->u.text : (kq_sv){"", 0};
    if (!items || !items->next) return true;
    char *to = kq_bx_burn(bx, (uint32_t)n) ? kq_arena_bytes(&bx->arena, n) : NULL;
    if (!to) return false;
    *text = (kq_sv){to, n};
    for (const kq_bx_item *i = items; i; i = i->next) {
        if (i->u.text.n) memcpy(to, i->u.text.p, i->u.text.n);
        to += i->u.text.n;
    }
    return true;
}

static path extend(builder *b, path from, kq_sv name) {
    path to = from;
    uint32_t dot = from.n > 0;
    if (from.lost || from.n + dot + name.n > PATH_MAX_BYTES) {
        to.lost = true;
        return to;
    }
    if (dot) b->path[to.n++] = '.';
    if (dot) to.hash = kq_event_hash(to.hash, KQ_SV("."));
    memcpy(b->path + to.n, name.p, name.n);
    to.n += (uint32_t)name.n;
    to.hash = kq_event_hash(to.hash, name);
    return to;
}

/* The context below a path, one for all places with that path. */
static bool context_of(builder *b, path at, bool top, bool data, const kq_evtx_context **out) {
    kq_evtx_plans *plans = b->plans;
    kq_sv text = {b->path, at.n};
    for (kq_evtx_context *c = plans->contexts; c; c = c->next)
        if (c->top == top && c->data == data && c->hash == at.hash && kq_sv_eq(c->path, text)) {
            *out = c;
            return true;
        }
    if (plans->ncontexts >= KQ_EVTX_CONTEXTS) return kq_bx_fail(b->bx, "templates stand at too many places");
    kq_evtx_context *c = kq_arena_new(&b->bx->arena, kq_evtx_context);
    if (!c) return false;
    c->path = kq_arena_copy(&b->bx->arena, text);
    if (!c->path.p) return false;
    c->top = top;
    c->data = data;
    c->hash = at.hash;
    c->id = plans->ncontexts++;
    c->next = plans->contexts;
    plans->contexts = c;
    *out = c;
    return true;
}

static bool add_places(builder *b, const kq_bx_item *items, path at, bool top, bool data) {
    const kq_evtx_context *context = NULL;
    for (; items; items = items->next) {
        bool place = items->kind == KQ_BX_INSTANCE || (items->kind == KQ_BX_SUB && items->type == KQ_BX_BINXML);
        if (!place || at.lost) continue;
        if (!context && !context_of(b, at, top, data, &context)) return false;
        kq_evtx_place *p = kq_arena_new(&b->bx->arena, kq_evtx_place);
        if (!p) return false;
        p->item = items;
        p->context = context;
        *b->places_tail = p;
        b->places_tail = &p->next;
    }
    return true;
}

/* Answers the slot of the path with these items, unless an earlier element did, or they are no text. */
static bool answer(builder *b, path at, const kq_bx_item *items) {
    if (at.lost || !kq_bx_burn(b->bx, 8)) return at.lost;
    uint32_t slot = kq_event_slot_find(b->plans->request, (kq_sv){b->path, at.n}, at.hash);
    if (slot == UINT32_MAX) return true;
    kq_evtx_answer *a = &b->plan->answers[slot];
    if (a->where != KQ_EVTX_NOWHERE) return true;
    bool literal = true;
    for (const kq_bx_item *i = items; i; i = i->next) {
        if (i->kind == KQ_BX_ELEMENT || i->kind == KQ_BX_INSTANCE) return true;
        if (i->kind == KQ_BX_SUB && i->type == KQ_BX_BINXML) return true;
        literal = literal && i->kind == KQ_BX_TEXT;
    }
    if (literal) {
        kq_field *field = kq_arena_new(&b->bx->arena, kq_field);
        if (!field || !kq_evtx_literal(b->bx, items, &field->u.text)) return false;
        field->kind = KQ_FIELD_STRING;
        kq_event_hinted((kq_event_hint)b->plans->request->slots[slot].hint, field);
        *a = (kq_evtx_answer){.where = KQ_EVTX_LITERAL, .u.literal = field};
    } else if (!items->next) {
        *a = (kq_evtx_answer){.where = KQ_EVTX_VALUE, .index = items->index};
    } else {
        *a = (kq_evtx_answer){.where = KQ_EVTX_CONTENT, .u.items = items};
    }
    return true;
}

static bool bind_element(builder *b, const kq_bx_element *element, path at);

static bool bind_children(builder *b, const kq_bx_item *items, path at) {
    for (; items; items = items->next)
        if (items->kind == KQ_BX_ELEMENT && !bind_element(b, items->u.element, extend(b, at, items->u.element->name)))
            return false;
    return true;
}

/* An element and what is in it. The parser bounds how deep they are nested. */
static bool bind_element(builder *b, const kq_bx_element *element, path at) {
    for (const kq_bx_attr *attr = element->attrs; attr; attr = attr->next)
        if (!answer(b, extend(b, at, attr->name), attr->items)) return false;
    return answer(b, at, element->items) && add_places(b, element->items, at, false, false) &&
           bind_children(b, element->items, at);
}

static bool add_list(builder *b, kq_evtx_list ***tail, const kq_bx_element *element) {
    kq_evtx_list *l = kq_arena_new(&b->bx->arena, kq_evtx_list);
    if (!l) return false;
    l->element = element;
    **tail = l;
    *tail = &l->next;
    return true;
}

/* <Data Name="x"> is EventData.x; without a name it is one of the unnamed ones. Data with an empty name is too. */
static bool bind_data(builder *b, const kq_bx_element *element, path at) {
    const kq_bx_attr *name = element->attrs;
    while (name && !kq_sv_eq(name->name, KQ_SV("Name"))) name = name->next;
    kq_sv text = {"", 0};
    if (name && !kq_evtx_literal(b->bx, name->items, &text)) {
        if (b->bx->arena.failed || b->bx->fuel == 0) return false;
        kq_evtx_list **tail = &b->plan->computed;
        return add_list(b, &tail, element);
    }
    if (text.n == 0) return add_list(b, &b->unnamed_tail, element);
    return answer(b, extend(b, at, text), element->items);
}

/* What stands inside EventData. */
static bool bind_event_data(builder *b, const kq_bx_item *items, path at) {
    if (!add_places(b, items, at, false, true)) return false;
    for (; items; items = items->next) {
        if (items->kind != KQ_BX_ELEMENT) continue;
        const kq_bx_element *e = items->u.element;
        bool data = kq_sv_eq(e->name, KQ_SV("Data"));
        if (!kq_bx_burn(b->bx, 1)) return false;
        if (!(data ? bind_data(b, e, at) : bind_element(b, e, extend(b, at, e->name)))) return false;
    }
    return true;
}

/* What stands directly inside <Event>. */
static bool bind_event(builder *b, const kq_bx_item *items) {
    path root = {.hash = KQ_EVENT_HASH_START};
    if (!add_places(b, items, root, false, false)) return false;
    for (; items; items = items->next) {
        if (items->kind != KQ_BX_ELEMENT) continue;
        const kq_bx_element *e = items->u.element;
        path at = extend(b, root, e->name);
        bool event_data = kq_sv_eq(e->name, KQ_SV("EventData"));
        if (event_data || (kq_sv_eq(e->name, KQ_SV("UserData")) && !b->plan->data)) b->plan->data = e;
        if (!(event_data ? bind_event_data(b, e->items, at) : bind_element(b, e, at))) return false;
    }
    return true;
}

static bool bind_top(builder *b, const kq_bx_item *items) {
    path root = {.hash = KQ_EVENT_HASH_START};
    if (!add_places(b, items, root, true, false)) return false;
    for (; items; items = items->next)
        if (items->kind == KQ_BX_ELEMENT && !bind_event(b, items->u.element->items)) return false;
    return true;
}

static bool find_sets(kq_bx *bx, const kq_event_request *request, kq_evtx_plan *plan) {
    plan->sets = kq_arena_array(&bx->arena, uint32_t, request->nsets);
    if (!plan->sets) return false;
    for (uint32_t i = 0; i < request->nsets; i++) {
        const kq_event_set *set = &request->sets[i];
        bool possible = true;
        for (uint32_t k = 0; k < set->nselectors && possible; k++) {
            const kq_evtx_answer *a = &plan->answers[set->selectors[k].slot];
            possible = a->where != KQ_EVTX_LITERAL || kq_event_selected(&set->selectors[k], a->u.literal);
        }
        if (possible) plan->sets[plan->nsets++] = i;
    }
    return true;
}

static bool bind(kq_evtx_plans *plans, const kq_bx_item *items, const kq_evtx_context *context, kq_evtx_plan *plan) {
    const kq_event_request *request = plans->request;
    kq_bx *bx = plans->bx;
    if (!kq_bx_burn(bx, request->nslots / 4 + 1)) return false;
    plan->answers = kq_arena_array(&bx->arena, kq_evtx_answer, request->nslots);
    if (!plan->answers) return false;
    builder b = {.plans = plans, .bx = bx, .plan = plan};
    b.places_tail = &plan->places;
    b.unnamed_tail = &plan->unnamed;
    path at = {.n = (uint32_t)context->path.n, .hash = context->hash};
    memcpy(b.path, context->path.p, context->path.n);
    bool ok = false;
    if (context->top)
        ok = bind_top(&b, items);
    else if (at.n == 0)
        ok = bind_event(&b, items);
    else if (context->data)
        ok = bind_event_data(&b, items, at);
    else
        ok = add_places(&b, items, at, false, false) && bind_children(&b, items, at);
    if (!ok) return false;
    if (request->unnamed && plan->unnamed)
        for (uint32_t i = 0; i < request->nslots; i++)
            if (request->slots[i].unnamed >= 0 && plan->answers[i].where == KQ_EVTX_NOWHERE)
                plan->answers[i].where = KQ_EVTX_PARAMS;
    return !context->top || find_sets(bx, request, plan);
}

bool kq_evtx_plans_begin(kq_evtx_plans *plans) {
    memset(plans->table, 0, sizeof plans->table);
    plans->contexts = NULL;
    plans->ncontexts = plans->nplans = 0;
    builder b = {.plans = plans, .bx = plans->bx};
    return context_of(&b, (path){.hash = KQ_EVENT_HASH_START}, true, false, &plans->top);
}

bool kq_evtx_plan_get(kq_evtx_plans *plans, uint32_t definition, const kq_evtx_context *context, kq_evtx_plan **out) {
    kq_bx *bx = plans->bx;
    uint32_t at = ((definition ^ context->id << 20) * 0x9E3779B1u) >> 22;
    _Static_assert(KQ_EVTX_PLANS == 1u << 10, "the hash has 10 bits");
    for (; plans->table[at]; at = (at + 1) % KQ_EVTX_PLANS) {
        kq_evtx_plan *plan = plans->table[at];
        if (plan->definition != definition || plan->context != context) continue;
        *out = plan;
        return plan->bad ? kq_bx_fail(bx, plan->bad) : true;
    }
    /* No chunk has room for so many templates that are not one inside the other. */
    if (plans->nplans >= KQ_EVTX_PLANS / 2) return kq_bx_fail(bx, "the chunk has too many templates");
    kq_evtx_plan *plan = kq_arena_new(&bx->arena, kq_evtx_plan);
    if (!plan) return false;
    plan->definition = definition;
    plan->context = context;
    kq_bx_tree *tree;
    if (!kq_bx_template(bx, definition, &tree) || !bind(plans, tree->items, context, plan)) {
        if (bx->arena.failed || bx->fuel == 0) return false;
        plan->bad = bx->why;
    }
    plans->table[at] = plan;
    plans->nplans++;
    *out = plan;
    return !plan->bad;
}

bool kq_evtx_plan_inline(kq_evtx_plans *plans, const kq_bx_item *items, const kq_evtx_context *context,
                         kq_evtx_plan **out) {
    kq_evtx_plan *plan = kq_arena_new(&plans->bx->arena, kq_evtx_plan);
    if (!plan) return false;
    plan->context = context;
    *out = plan;
    return bind(plans, items, context, plan);
}
