/*
 * Plans: where, in a template, each slot of the request is answered.
 *
 * A template is compiled once per chunk and per place where it is used (the paths of what it holds depend on where it
 * stands). The outer template of nearly all events holds System and one value of type BINXML, which is the instance
 * of a second template: EventData. The plan of the outer one names that place; the second plan is made only when a
 * record gets so far.
 */
#ifndef KQ_SOURCE_EVTX_PLAN_H
#define KQ_SOURCE_EVTX_PLAN_H

#include "source/event_request.h"
#include "source/evtx/binxml.h"

typedef enum kq_evtx_where {
    KQ_EVTX_NOWHERE,
    KQ_EVTX_LITERAL, /* the same in every record */
    KQ_EVTX_VALUE,   /* one value of the instance */
    KQ_EVTX_CONTENT, /* texts and values one after another */
    KQ_EVTX_PARAMS   /* Data without a name: plan->unnamed */
} kq_evtx_where;

typedef struct kq_evtx_answer {
    uint8_t where; /* kq_evtx_where */
    uint16_t index;
    union {
        const kq_field *literal;
        const kq_bx_item *items;
    } u;
} kq_evtx_answer;

/* Where a template stands: above <Event>, or inside it below `path` ("" directly below <Event>). */
typedef struct kq_evtx_context {
    struct kq_evtx_context *next;
    bool top;
    bool data; /* directly inside EventData: Data elements are named by their attribute */
    kq_sv path;
    uint32_t hash;
    uint32_t id;
} kq_evtx_context;

/* A place where a further template comes in: an instance, or a value of type BINXML. */
typedef struct kq_evtx_place {
    struct kq_evtx_place *next;
    const kq_bx_item *item;
    const kq_evtx_context *context;
} kq_evtx_place;

typedef struct kq_evtx_list {
    struct kq_evtx_list *next;
    const kq_bx_element *element;
} kq_evtx_list;

typedef enum kq_evtx_form_kind {
    KQ_EVTX_FORM_XML,
    KQ_EVTX_FORM_XML_JSON, /* the same inside a JSON string */
    KQ_EVTX_FORM_BAG,      /* the JSON of the bag */
    KQ_EVTX_FORMS
} kq_evtx_form_kind;
typedef struct kq_evtx_form kq_evtx_form;
typedef struct kq_evtx_bag kq_evtx_bag;

typedef struct kq_evtx_plan {
    uint32_t definition;
    const kq_evtx_context *context;
    const char *bad;         /* why it can't be used, or NULL */
    kq_evtx_answer *answers; /* of the request's slots */
    kq_evtx_place *places;
    const kq_bx_element *data; /* EventData, or UserData */
    kq_evtx_list *unnamed;     /* Data without a name */
    kq_evtx_list *computed;    /* Data whose name is no literal */
    uint32_t *sets;            /* outermost plans: the sets that a record of it can belong to */
    uint32_t nsets;
    kq_evtx_form *forms[KQ_EVTX_FORMS]; /* of `data`; form.h */
    kq_evtx_bag *bag;                   /* of `data`, as dynamic; bag.h */
    uint8_t form_uses[KQ_EVTX_FORMS], bag_uses;
} kq_evtx_plan;

#define KQ_EVTX_PLANS    1024u
#define KQ_EVTX_CONTEXTS 64u

typedef struct kq_evtx_plans {
    const kq_event_request *request;
    kq_bx *bx;
    uint32_t generation; /* that of bx when the cache was last cleared */
    uint32_t nplans, ncontexts;
    kq_evtx_context *contexts;
    const kq_evtx_context *top;
    kq_evtx_plan *table[KQ_EVTX_PLANS];
} kq_evtx_plans;

/* Forgets the plans of the chunk before: after kq_bx_begin. */
bool kq_evtx_plans_begin(kq_evtx_plans *plans);

/* The plan of the template definition at `definition` in a context. False with a reason or without memory. */
bool kq_evtx_plan_get(kq_evtx_plans *plans, uint32_t definition, const kq_evtx_context *context, kq_evtx_plan **out);

/* A plan of items that belong to one record. */
bool kq_evtx_plan_inline(kq_evtx_plans *plans, const kq_bx_item *items, const kq_evtx_context *context,
                         kq_evtx_plan **out);

/* Are all items texts? Then *text is all of them. */
bool kq_evtx_literal(kq_bx *bx, const kq_bx_item *items, kq_sv *text);

#endif
