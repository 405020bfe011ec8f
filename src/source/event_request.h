/*
 * A request compiled for Windows events (EVTX, exported XML): every name that its selectors and wants mention becomes
 * one slot, looked up by its path below <Event>. Immutable once made.
 *
 *   Provider's name     System.Provider.Name, also as System.Provider        (and so on: request.c's table)
 *   text of an element  RenderingInfo.Message, UserData.LogFileCleared.SubjectUserName
 *   an attribute        the element's path, '.', the attribute
 *   EventData           EventData.<Name> for <Data Name="..">; EventData.param1, .param2 for those without a name, in
 *                       order; EventData.Data all of these, one a line
 */
#ifndef KQ_SOURCE_EVENT_REQUEST_H
#define KQ_SOURCE_EVENT_REQUEST_H

#include "base/arena.h"
#include "source/event_field.h"

typedef enum kq_event_what {
    KQ_EVENT_PATH, /* a path below <Event> */
    KQ_EVENT_FILE,
    KQ_EVENT_OFFSET,
    KQ_EVENT_INDEX,
    KQ_EVENT_RECOVERED,
    KQ_EVENT_XML,
    KQ_EVENT_JSON,
    KQ_EVENT_RAW,    /* the event's XML as it stands in the file */
    KQ_EVENT_NOTHING /* no record has it */
} kq_event_what;

typedef struct kq_event_slot {
    kq_sv path;
    uint32_t hash;   /* of path */
    uint8_t what;    /* kq_event_what */
    uint8_t hint;    /* kq_event_hint */
    bool written;    /* the want's */
    int32_t unnamed; /* EventData.paramN: N; EventData.Data: 0; others: -1 */
} kq_event_slot;

typedef struct kq_event_any {
    kq_sv text;
    int64_t number;
    bool is_number; /* the text is the decimal text of `number` */
} kq_event_any;

typedef struct kq_event_selector {
    uint32_t slot;
    const kq_event_any *any_of;
    uint32_t n;
    bool not ; /* selects what has none of them */
} kq_event_selector;

typedef struct kq_event_set {
    const kq_event_selector *selectors;
    uint32_t nselectors;
    const kq_want *wants;
    const uint32_t *slots;  /* of the wants */
    const uint32_t *judged; /* numbers of the wants with an `accept`, in order */
    uint32_t nwants, njudged;
} kq_event_set;

typedef struct kq_event_request {
    kq_arena arena;
    kq_event_slot *slots;
    uint32_t nslots;
    kq_event_set *sets;
    uint32_t nsets;
    uint32_t time;       /* the slot of System.TimeCreated, when $EventDataXml is wanted */
    uint32_t widest;     /* most wants of a set */
    uint32_t *table;     /* by hash of the path: slot + 1 */
    uint32_t table_mask; /* entries - 1 */
    bool unnamed;        /* some slot asks for Data without a name */
} kq_event_request;

kq_status kq_event_request_init(kq_event_request *request, const kq_request *from, kq_budget *budget, kq_error *err);
void kq_event_request_deinit(kq_event_request *request);

/* FNV-1a, so that the hash of a longer path continues that of a shorter one. */
#define KQ_EVENT_HASH_START 2166136261u
static inline uint32_t kq_event_hash(uint32_t hash, kq_sv text) {
    for (size_t i = 0; i < text.n; i++) hash = (hash ^ (uint8_t)text.p[i]) * 16777619u;
    return hash;
}

/* The slot of a path, or UINT32_MAX. */
uint32_t kq_event_slot_find(const kq_event_request *request, kq_sv path, uint32_t hash);

/* Does the selector select a record with this field? */
bool kq_event_selected(const kq_event_selector *selector, const kq_field *field);

#endif
