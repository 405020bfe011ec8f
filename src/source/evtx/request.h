/*
 * A request compiled for EVTX: every name that its selectors and wants mention becomes one slot, looked up by its path
 * below <Event>. Immutable once made.
 *
 *   Provider's name     System.Provider.Name, also as System.Provider        (and so on: request.c's table)
 *   text of an element  RenderingInfo.Message, UserData.LogFileCleared.SubjectUserName
 *   an attribute        the element's path, '.', the attribute
 *   EventData           EventData.<Name> for <Data Name="..">; EventData.param1, .param2 for those without a name, in
 *                       order; EventData.Data all of these, one a line
 */
#ifndef KQ_SOURCE_EVTX_REQUEST_H
#define KQ_SOURCE_EVTX_REQUEST_H

#include "base/arena.h"
#include "source/evtx/value.h"
#include "source/field.h"

typedef enum kq_evtx_what {
    KQ_EVTX_PATH, /* a path below <Event> */
    KQ_EVTX_FILE,
    KQ_EVTX_OFFSET,
    KQ_EVTX_INDEX,
    KQ_EVTX_XML,
    KQ_EVTX_JSON,
    KQ_EVTX_NOTHING /* no record has it */
} kq_evtx_what;

typedef struct kq_evtx_slot {
    kq_sv path;
    uint32_t hash;   /* of path */
    uint8_t what;    /* kq_evtx_what */
    uint8_t hint;    /* kq_evtx_hint */
    int32_t unnamed; /* EventData.paramN: N; EventData.Data: 0; others: -1 */
} kq_evtx_slot;

typedef struct kq_evtx_any {
    kq_sv text;
    int64_t number;
    bool is_number; /* the text is the decimal text of `number` */
} kq_evtx_any;

typedef struct kq_evtx_selector {
    uint32_t slot;
    const kq_evtx_any *any_of;
    uint32_t n;
} kq_evtx_selector;

typedef struct kq_evtx_set {
    const kq_evtx_selector *selectors;
    uint32_t nselectors;
    const kq_want *wants;
    const uint32_t *slots;  /* of the wants */
    const uint32_t *judged; /* numbers of the wants with an `accept`, in order */
    uint32_t nwants, njudged;
} kq_evtx_set;

typedef struct kq_evtx_request {
    kq_arena arena;
    kq_evtx_slot *slots;
    uint32_t nslots;
    kq_evtx_set *sets;
    uint32_t nsets;
    uint32_t time;       /* the slot of System.TimeCreated, when $EventDataXml is wanted */
    uint32_t widest;     /* most wants of a set */
    uint32_t *table;     /* by hash of the path: slot + 1 */
    uint32_t table_mask; /* entries - 1 */
    bool unnamed;        /* some slot asks for Data without a name */
} kq_evtx_request;

kq_status kq_evtx_request_init(kq_evtx_request *request, const kq_request *from, kq_budget *budget, kq_error *err);
void kq_evtx_request_deinit(kq_evtx_request *request);

/* FNV-1a, so that the hash of a longer path continues that of a shorter one. */
#define KQ_EVTX_HASH_START 2166136261u
static inline uint32_t kq_evtx_hash(uint32_t hash, kq_sv text) {
    for (size_t i = 0; i < text.n; i++) hash = (hash ^ (uint8_t)text.p[i]) * 16777619u;
    return hash;
}

/* The slot of a path, or UINT32_MAX. */
uint32_t kq_evtx_slot_find(const kq_evtx_request *request, kq_sv path, uint32_t hash);

/* Does the field have one of the selector's texts? */
bool kq_evtx_selected(const kq_evtx_selector *selector, const kq_field *field);

#endif
