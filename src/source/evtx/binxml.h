/*
 * BinXML: the binary form of an event's XML inside one chunk of an EVTX file, parsed into small trees.
 *
 * Everything lies at offsets of the chunk: names, template definitions, values. A template's definition is parsed once
 * per chunk; a record that uses it brings only an array of values. Trees, names and literal texts live in the
 * chunk's arena until the next chunk.
 *
 * Input is hostile: every offset is checked against the chunk, nesting is bounded, and `fuel` bounds the work of a
 * chunk. Functions return false when something is wrong: then `why` says what in words, or the arena has failed.
 */
#ifndef KQ_SOURCE_EVTX_BINXML_H
#define KQ_SOURCE_EVTX_BINXML_H

#include "base/arena.h"

#define KQ_EVTX_CHUNK 65536u

#define KQ_BX_DEPTH  64u           /* elements inside elements */
#define KQ_BX_FUEL   (4u << 20)    /* steps and bytes that reading one chunk may cost */
#define KQ_BX_VALUES (48u * 1024u) /* values of one record's templates that may be open at a time */

typedef enum kq_bx_type {
    KQ_BX_NULL = 0x00,
    KQ_BX_STRING = 0x01,
    KQ_BX_ANSI = 0x02,
    KQ_BX_INT8 = 0x03,
    KQ_BX_UINT8 = 0x04,
    KQ_BX_INT16 = 0x05,
    KQ_BX_UINT16 = 0x06,
    KQ_BX_INT32 = 0x07,
    KQ_BX_UINT32 = 0x08,
    KQ_BX_INT64 = 0x09,
    KQ_BX_UINT64 = 0x0A,
    KQ_BX_REAL32 = 0x0B,
    KQ_BX_REAL64 = 0x0C,
    KQ_BX_BOOL = 0x0D,
    KQ_BX_BINARY = 0x0E,
    KQ_BX_GUID = 0x0F,
    KQ_BX_SIZE = 0x10,
    KQ_BX_FILETIME = 0x11,
    KQ_BX_SYSTEMTIME = 0x12,
    KQ_BX_SID = 0x13,
    KQ_BX_HEX32 = 0x14,
    KQ_BX_HEX64 = 0x15,
    KQ_BX_HANDLE = 0x20,
    KQ_BX_BINXML = 0x21,
    KQ_BX_XML = 0x23,
    KQ_BX_ARRAY = 0x80 /* flag */
} kq_bx_type;

/* One value of a template instance. */
typedef struct kq_bx_value {
    uint32_t off; /* in the chunk */
    uint16_t size;
    uint8_t type; /* kq_bx_type */
} kq_bx_value;

typedef enum kq_bx_kind {
    KQ_BX_TEXT,    /* a literal */
    KQ_BX_SUB,     /* value number `index` of the instance */
    KQ_BX_ELEMENT, /* an element */
    KQ_BX_INSTANCE /* a template instance */
} kq_bx_kind;

typedef struct kq_bx_element kq_bx_element;

/* A piece of content, of an element or of an attribute. */
typedef struct kq_bx_item {
    struct kq_bx_item *next;
    uint8_t kind; /* kq_bx_kind */
    uint8_t type; /* SUB: the declared type */
    uint16_t index;
    union {
        kq_sv text;
        kq_bx_element *element;
        struct {
            uint32_t at, end; /* INSTANCE: offsets of its token and of where its enclosing text ends */
        } instance;
    } u;
} kq_bx_item;

typedef struct kq_bx_attr {
    struct kq_bx_attr *next;
    kq_sv name;
    kq_bx_item *items;
} kq_bx_attr;

struct kq_bx_element {
    kq_sv name;
    kq_bx_attr *attrs;
    kq_bx_item *items;
    bool empty; /* written <name/> */
};

typedef struct kq_bx_tree {
    kq_bx_item *items;
    const char *bad; /* why the definition can't be used, or NULL */
} kq_bx_tree;

#define KQ_BX_NAMES 512u
#define KQ_BX_TREES 512u

/* A chunk being read. `p` and `n` are set by kq_bx_begin. */
typedef struct kq_bx {
    const uint8_t *p;
    uint32_t n;
    uint32_t fuel;
    const char *why; /* static text */
    kq_arena arena;
    kq_bx_value *values; /* KQ_BX_VALUES of them: a stack that records push their values on */
    uint32_t nvalues;
    uint32_t generation;
    bool strict; /* for old records: a name whose own hash denies it was overwritten, and fails */
    struct {
        uint32_t generation, off;
        bool sound; /* the hash beside the name is its own */
        kq_sv name;
    } names[KQ_BX_NAMES];
    struct {
        uint32_t generation, off;
        kq_bx_tree *tree;
    } trees[KQ_BX_TREES];
} kq_bx;

/* Errors: NOMEM, LIMIT. kq_bx_deinit accepts a zeroed kq_bx. */
kq_status kq_bx_init(kq_bx *bx, kq_budget *budget, kq_error *err);
void kq_bx_deinit(kq_bx *bx, kq_budget *budget);

/* Starts a chunk of `n` bytes, which stay where they are while it is read, and forgets the one before. */
void kq_bx_begin(kq_bx *bx, const uint8_t *p, uint32_t n);

/* Takes `n` from the fuel; false when there is not so much left. */
bool kq_bx_burn(kq_bx *bx, uint32_t n);

static inline bool kq_bx_fail(kq_bx *bx, const char *why) {
    bx->why = why;
    return false;
}

static inline uint16_t kq_bx_u16(const uint8_t *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t kq_bx_u32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}
/* Is the item a value of the instance, and no template? */
static inline bool kq_bx_plain_sub(const kq_bx_item *item) {
    return item->kind == KQ_BX_SUB && item->type != KQ_BX_BINXML;
}
/* Is such a value all that there is? */
static inline bool kq_bx_single_sub(const kq_bx_item *items) {
    return items && !items->next && kq_bx_plain_sub(items);
}
static inline bool kq_bx_has_elements(const kq_bx_item *items) {
    for (; items; items = items->next)
        if (items->kind == KQ_BX_ELEMENT) return true;
    return false;
}
static inline bool kq_bx_all_text(const kq_bx_item *items) {
    for (; items; items = items->next)
        if (items->kind != KQ_BX_TEXT) return false;
    return true;
}
/* The units of a value of UTF-16 without the NULs at its end. */
static inline size_t kq_bx_units(const kq_bx *bx, const kq_bx_value *v) {
    const uint8_t *p = bx->p + v->off;
    size_t units = v->size / 2;
    while (units > 0 && p[units * 2 - 1] == 0 && p[units * 2 - 2] == 0) units--;
    return units;
}
static inline uint64_t kq_bx_u64(const uint8_t *p) {
    return (uint64_t)kq_bx_u32(p) | (uint64_t)kq_bx_u32(p + 4) << 32;
}

/* The UTF-8 of `units` UTF-16 units at `off`, checked to lie in the chunk, in the arena. */
bool kq_bx_text(kq_bx *bx, uint32_t off, uint32_t units, kq_sv *out);

/* The tree of the template definition at `off`, parsed at its first use. */
bool kq_bx_template(kq_bx *bx, uint32_t off, kq_bx_tree **out);

/* Reads the template instance whose token stands at `at` and pushes its values on the stack. *end is where it ends. */
bool kq_bx_instance(kq_bx *bx, uint32_t at, uint32_t limit, uint32_t *definition, kq_bx_value **values, uint32_t *n,
                    uint32_t *end);

/* Parses the fragment in [off, end): a record's content, or a value of type BINXML. */
bool kq_bx_fragment(kq_bx *bx, uint32_t off, uint32_t end, kq_bx_item **items);

/* When the fragment in [off, end) is just one template instance, as nearly all are: the offset of its token, else 0. */
uint32_t kq_bx_single(const kq_bx *bx, uint32_t off, uint32_t end);

#endif
