/*
 * YAML files as a tree, read by libyaml and bounded: size, nodes, depth; an alias is the node that it names, never a
 * copy. The tree lives in the caller's arena.
 */
#ifndef KQ_RULES_YAML_H
#define KQ_RULES_YAML_H

#include "base/arena.h"

#define KQ_YAML_BYTES ((size_t)4 << 20)
#define KQ_YAML_NODES 100000

typedef enum kq_yaml_kind { KQ_YAML_SCALAR, KQ_YAML_LIST, KQ_YAML_MAP } kq_yaml_kind;

typedef struct kq_yaml {
    kq_yaml_kind kind;
    uint32_t line;          /* from 1 */
    kq_sv text;             /* SCALAR */
    struct kq_yaml **items; /* LIST: n items; MAP: n pairs, key at 2i, value at 2i+1 */
    uint32_t n;
} kq_yaml;

/* Parses one document. `name` stands in errors. Errors: RULE with the line, LIMIT, NOMEM. */
kq_status kq_yaml_parse(kq_sv text, const char *name, kq_arena *arena, const kq_yaml **out, kq_error *err);

/* The value of a key of a MAP, or NULL. */
const kq_yaml *kq_yaml_get(const kq_yaml *map, const char *key);
/* The text of a key's scalar, or `otherwise`. */
kq_sv kq_yaml_text(const kq_yaml *map, const char *key, kq_sv otherwise);

#endif
