/*
 * Bags: EventData and UserData of a template as steps that write a record's values in the encoding of dynamic.
 *
 * What form.h is to the XML: at the second use of a template in a chunk its element is walked once; names, already in
 * the encoding, become bytes to copy, and a record then costs their copies and its values, without a JSON text between
 * the log and the column. A bag holds what render.h's kq_evtx_json says, where that can be told beforehand: elements
 * with attributes besides Name, repeated elements and templates inside have none.
 */
#ifndef KQ_SOURCE_EVTX_BAG_H
#define KQ_SOURCE_EVTX_BAG_H

#include "source/evtx/render.h"

/* Bags in one another; an element with more has none. */
#define KQ_EVTX_BAG_DEPTH 16u
/* Members of one bag: each is compared with those before it. */
#define KQ_EVTX_BAG_MEMBERS 256u

/* Each step first copies its bytes: of the names, lengths and tags before it. */
typedef enum kq_evtx_step_kind {
    KQ_EVTX_STEP_OPEN,     /* a bag */
    KQ_EVTX_STEP_CLOSE,    /* ends the bag, and the member that it is of the bag around it */
    KQ_EVTX_STEP_FIELD,    /* a member of one value, "" without it */
    KQ_EVTX_STEP_OPTIONAL, /* the same, left out without it */
    KQ_EVTX_STEP_PARAM,    /* Data without a name: one member, or one for each value of an array */
    KQ_EVTX_STEP_START,    /* a member of texts and values: until END */
    KQ_EVTX_STEP_VALUE,    /* inside it */
    KQ_EVTX_STEP_END
} kq_evtx_step_kind;

typedef struct kq_evtx_step {
    struct kq_evtx_step *next;
    uint32_t at, n;   /* its bytes */
    uint32_t members; /* OPEN: at most, an array taken as one */
    uint16_t index;   /* of the value */
    uint8_t kind;     /* kq_evtx_step_kind */
    bool params;      /* OPEN: there are PARAM steps in this bag */
    bool keep;        /* PARAM: it is there without a value too */
} kq_evtx_step;

struct kq_evtx_bag {
    const kq_evtx_step *steps;
    const char *bytes;
    uint32_t cost; /* of writing it, without its values */
};

/* bag.c: makes the bag of the element; *out is NULL when it can't have one. False without fuel or memory. */
bool kq_evtx_bag_make(kq_evtx_render *render, const kq_bx_element *element, kq_evtx_bag **out);

/* bag_write.c: appends frame->plan->data as one encoded dynamic; *taken false, and nothing is appended, when it has
 * no bag (yet: it is made at the second use) or a value is a template. False without fuel or memory. */
bool kq_evtx_bag_put(kq_evtx_render *render, const kq_evtx_frame *frame, kq_buf *out, bool *taken);

#endif
