/*
 * Expressions of maps: parsed from schema text once, then compiled against a shape (request.h). The grammar stands in
 * model.h.
 */
#ifndef KQ_SCHEMA_MAP_EXPR_H
#define KQ_SCHEMA_MAP_EXPR_H

#include "base/arena.h"
#include "base/buf.h"

/* A table of codes: [names NAME]. */
typedef struct kq_name {
    kq_sv code, name;
} kq_name;

typedef struct kq_names {
    kq_sv name;
    kq_name *items; /* sorted by code, ASCII case ignored */
    uint32_t n;
    struct kq_names *next;
} kq_names;

/* Puts a table whose items are all there in the order that kq_names_find needs. */
void kq_names_sort(kq_names *names);
/* The name of a code (ASCII case ignored); false when there is none. */
bool kq_names_find(const kq_names *names, kq_sv code, kq_sv *out);

typedef enum kq_transform_flags {
    KQ_TRANSFORM_EXACT = 0,     /* what the product shows of this field */
    KQ_TRANSFORM_VIEW = 1,      /* never needs the arena: may judge a field before its row is built */
    KQ_TRANSFORM_DERIVED = 2,   /* our inference: the column is derived, not exact */
    KQ_TRANSFORM_JSON = 4,      /* takes the field as JSON text */
    KQ_TRANSFORM_NAMES = 8,     /* its argument is a [names] table */
    KQ_TRANSFORM_LOCAL = 32,    /* its result is a local time */
    KQ_TRANSFORM_ARGUMENT = 64, /* needs one; others take none */
    KQ_TRANSFORM_NUMBER = 16    /* its result is a number: written bare in an object */
} kq_transform_flags;

typedef struct kq_transform_argument {
    kq_sv text;
    const kq_names *names;
} kq_transform_argument;

typedef struct kq_transform {
    const char *name;
    /* Gives the transformed text in *out (a view of `in`, or of bytes in `arena`); false: no value. */
    bool (*fn)(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
    unsigned flags;
    const char *doc;
} kq_transform;

const kq_transform *kq_transform_find(kq_sv name);
/* All of transforms.def. */
const kq_transform *kq_transforms(size_t *n);

typedef enum kq_map_kind {
    KQ_MAP_LITERAL,
    KQ_MAP_FIELD,
    KQ_MAP_SYSTEM,    /* $Name */
    KQ_MAP_PARENT,    /* @Column */
    KQ_MAP_TRANSFORM, /* of parts[0] */
    KQ_MAP_ANY,       /* the first of the parts with a value */
    KQ_MAP_CONCAT,    /* all parts, one after another */
    KQ_MAP_NEAR,      /* the time parts[0], or parts[1] when they are far apart */
    KQ_MAP_BAG,       /* an object of the parts by their keys */
    KQ_MAP_IN_XML,    /* made of a field: `text` in the XML of event data that a field of the record holds */
    KQ_MAP_IN_JSON,   /* the same in its JSON */
    KQ_MAP_TIMED,     /* made of $DataXml: the XML parts[0] with the time parts[1] in its wrapper */
    KQ_MAP_OF /* made of a shape's field: parts[0] where the EventID parts[1] is a text of the expression's parts */
} kq_map_kind;

typedef struct kq_map_expr kq_map_expr;
struct kq_map_expr {
    kq_map_kind kind;
    kq_sv text; /* of a literal; name of a field, a system name, a column */
    kq_sv key;  /* of a part of an object */
    const kq_transform *transform;
    kq_transform_argument argument;
    kq_map_expr *parts;
    uint32_t nparts;
};

/* Where parsing failed and why. */
typedef struct kq_map_fault {
    const char *at;
    const char *what;
    kq_sv which; /* "" or the name that is wrong */
    kq_sv near;  /* "" or the one that may be meant */
} kq_map_fault;

/* Parses `text`, all of it. `shape`: names are whole fields and may begin with '$' or '@'. `names`: what transforms
 * may refer to. NULL with *fault, or without memory (the arena says so). */
const kq_map_expr *kq_map_parse(kq_sv text, bool shape, const kq_names *names, kq_arena *arena, kq_map_fault *fault);

/* Appends the expression as it is written. */
void kq_map_print(const kq_map_expr *e, kq_buf *out);

#endif
