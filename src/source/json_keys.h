/*
 * A request made into tables of keys: for each object on the way to a wanted field, which keys lead where. One for each
 * reader, because the tables remember the order in which keys came: records of one file have the same keys in nearly
 * always the same order.
 */
#ifndef KQ_SOURCE_JSON_KEYS_H
#define KQ_SOURCE_JSON_KEYS_H

#include "base/arena.h"
#include "source/field.h"

#define KQ_JSON_NONE UINT32_MAX

typedef struct kq_json_node kq_json_node;

typedef struct kq_json_entry {
    kq_sv key;
    kq_json_node *child; /* names go on below this key; or NULL */
    uint32_t slot;       /* the field that is found here, or KQ_JSON_NONE */
    uint32_t rank;       /* of this spelling of the slot's name: 0 is the whole name as one key, which comes first */
} kq_json_entry;

#define KQ_JSON_REMEMBERED 256

struct kq_json_node {
    kq_json_entry *entries;
    uint32_t n, cap;
    uint64_t lengths; /* bit min(length, 63): some key is that long */
    uint16_t *table;  /* entry + 1 by hash; 0 is free */
    uint32_t mask;
    uint16_t expected[KQ_JSON_REMEMBERED]; /* entry + 1 of the n-th key of an object, as it was the last time */
};

typedef enum kq_json_special {
    KQ_JSON_FIELD,
    KQ_JSON_FILE,
    KQ_JSON_OFFSET,
    KQ_JSON_NUMBER,
    KQ_JSON_RAW,
    KQ_JSON_ABSENT /* another system field that JSON has not */
} kq_json_special;

/* What is asked of a slot when it is found: a selector or a want of one set. */
typedef struct kq_json_check {
    uint32_t set;
    const kq_selector *selector; /* or NULL */
    const kq_want *want;         /* with an accept, when selector is NULL */
    struct kq_json_check *next;
} kq_json_check;

/* A distinct field name of the request. */
typedef struct kq_json_slot {
    kq_sv name;
    kq_json_special special;
    kq_json_check *checks;
    uint32_t *sets; /* those that need the slot */
    uint32_t nsets;
} kq_json_slot;

typedef struct kq_json_set {
    uint32_t *wants; /* slot of each want */
    uint32_t nslots; /* distinct slots needed, special ones apart */
} kq_json_set;

typedef struct kq_json_keys {
    const kq_request *request;
    kq_json_node *root;
    kq_json_node *top; /* root, and `_source` that leads to root: what Elasticsearch wraps records in */
    kq_json_slot *slots;
    uint32_t nslots;
    kq_json_set *sets;
    uint32_t nwants_max;
    bool numbered; /* $index is wanted */
    /* Slots, when the request has shapes. */
    uint32_t *shapes; /* for each shape those of `is`, then those of `isnt`, one after another */
    uint32_t category, properties, type, table, time;
} kq_json_keys;

/* Compiles `request`; everything lies in `arena`. Errors: NOMEM, LIMIT, USAGE (too many names). */
kq_status kq_json_keys_make(const kq_request *request, kq_arena *arena, kq_json_keys *out, kq_error *err);

/* The slower half of kq_json_find: by hash; remembers what it found as the key number `ordinal`. */
const kq_json_entry *kq_json_lookup(kq_json_node *node, uint32_t ordinal, const char *key, size_t n);

static inline bool kq_json_key_is(const kq_json_entry *e, const char *key, size_t n) {
    if (e->key.n != n) return false;
    if (n >= 8) {
        uint64_t a, b, c, d;
        memcpy(&a, key, 8);
        memcpy(&b, e->key.p, 8);
        memcpy(&c, key + n - 8, 8);
        memcpy(&d, e->key.p + n - 8, 8);
        if (a != b || c != d) return false;
        return n <= 16 || memcmp(key + 8, e->key.p + 8, n - 16) == 0;
    }
    return memcmp(key, e->key.p, n) == 0;
}

/* The entry of an object's key number `ordinal`, or NULL. */
static inline const kq_json_entry *kq_json_find(kq_json_node *node, uint32_t ordinal, const char *key, size_t n) {
    if (ordinal < KQ_JSON_REMEMBERED && node->expected[ordinal]) {
        const kq_json_entry *e = &node->entries[node->expected[ordinal] - 1];
        if (kq_json_key_is(e, key, n)) return e;
    }
    if (!(node->lengths >> (n < 63 ? n : 63) & 1)) return NULL;
    return kq_json_lookup(node, ordinal, key, n);
}

#endif
