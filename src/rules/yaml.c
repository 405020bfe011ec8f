#include "rules/yaml.h"
#include <yaml.h>

static kq_status failed(const yaml_parser_t *p, const char *name, kq_error *err) {
    if (p->error == YAML_MEMORY_ERROR) return kq_nomem(err);
    return kq_fail(err, KQ_ERR_RULE, "%s:%zu: not YAML: %s", name, p->problem_mark.line + 1,
                   p->problem ? p->problem : "unreadable");
}

/* Nodes of the document become ours one for one, so that an alias costs a pointer. */
static kq_status convert(yaml_document_t *doc, const char *name, kq_arena *arena, const kq_yaml **out, kq_error *err) {
    size_t n = (size_t)(doc->nodes.top - doc->nodes.start);
    if (!n) return kq_fail(err, KQ_ERR_RULE, "%s: an empty file", name);
    if (n > KQ_YAML_NODES) return kq_fail(err, KQ_ERR_LIMIT, "%s: more than %d YAML nodes", name, KQ_YAML_NODES);
    kq_yaml *all = kq_arena_array(arena, kq_yaml, n);
    if (!all) return kq_arena_status(arena, err);
    for (size_t i = 0; i < n; i++) {
        const yaml_node_t *node = &doc->nodes.start[i];
        kq_yaml *y = &all[i];
        y->line = (uint32_t)node->start_mark.line + 1;
        if (node->type == YAML_SCALAR_NODE) {
            y->kind = KQ_YAML_SCALAR;
            y->text = kq_arena_copy(arena, (kq_sv){(const char *)node->data.scalar.value, node->data.scalar.length});
        } else if (node->type == YAML_SEQUENCE_NODE) {
            y->kind = KQ_YAML_LIST;
            y->n = (uint32_t)(node->data.sequence.items.top - node->data.sequence.items.start);
            y->items = kq_arena_array(arena, kq_yaml *, y->n + 1);
            for (uint32_t k = 0; y->items && k < y->n; k++) y->items[k] = &all[node->data.sequence.items.start[k] - 1];
        } else {
            y->kind = KQ_YAML_MAP;
            y->n = (uint32_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
            y->items = kq_arena_array(arena, kq_yaml *, 2 * (size_t)y->n + 1);
            for (uint32_t k = 0; y->items && k < y->n; k++) {
                y->items[2 * k] = &all[node->data.mapping.pairs.start[k].key - 1];
                y->items[2 * k + 1] = &all[node->data.mapping.pairs.start[k].value - 1];
            }
        }
    }
    *out = &all[0];
    return kq_arena_status(arena, err);
}

kq_status kq_yaml_parse(kq_sv text, const char *name, kq_arena *arena, const kq_yaml **out, kq_error *err) {
    yaml_parser_t parser;
    yaml_document_t doc;
    if (text.n > KQ_YAML_BYTES) return kq_fail(err, KQ_ERR_LIMIT, "%s: larger than %zu bytes", name, KQ_YAML_BYTES);
    if (!yaml_parser_initialize(&parser)) return kq_nomem(err);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.p, text.n);
    kq_status status;
    if (!yaml_parser_load(&parser, &doc)) {
        status = failed(&parser, name, err);
    } else {
        status = convert(&doc, name, arena, out, err);
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    return status;
}

const kq_yaml *kq_yaml_get(const kq_yaml *map, const char *key) {
    if (!map || map->kind != KQ_YAML_MAP) return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (map->items[2 * i]->kind == KQ_YAML_SCALAR && kq_sv_eq(map->items[2 * i]->text, kq_sv_of(key)))
            return map->items[2 * i + 1];
    return NULL;
}

kq_sv kq_yaml_text(const kq_yaml *map, const char *key, kq_sv otherwise) {
    const kq_yaml *y = kq_yaml_get(map, key);
    return y && y->kind == KQ_YAML_SCALAR ? y->text : otherwise;
}
