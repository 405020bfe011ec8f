/*
 * The syntax tree. Nodes lie in the query's arena; names and literals are decoded. Every node has the span of its text,
 * from its first to its last token. kq_parse gives a tree or the first error; the binder reads it and keeps nothing of
 * it but spans and text.
 */
#ifndef KQ_KQL_AST_H
#define KQ_KQL_AST_H

#include "column/value.h"

typedef enum kq_node_kind {
#define KQ_NODE(name) KQ_NODE_##name,
#include "kql/ast.def"
#undef KQ_NODE
    KQ_NODE_COUNT_
} kq_node_kind;

enum {
    KQ_ORDER_ASC = 1,
    KQ_ORDER_DESC = 2, /* neither: as the operator's default */
    KQ_ORDER_NULLS_FIRST = 4,
    KQ_ORDER_NULLS_LAST = 8,
    KQ_ORDER_GRANNY = 16,
    KQ_DECL_TABULAR = 32,
    KQ_DECL_ANY = 64,
    KQ_DECL_VIEW = 128
};

typedef struct kq_node {
    kq_node_kind kind;
    uint32_t flags;
    kq_span span;
    kq_sv text;
    kq_value value; /* LITERAL; COLUMN and TYPEOF use value.type */
    struct kq_node **kids;
    uint32_t nkids;
    uint32_t height; /* of the tree: 1 for a leaf; kq_parse limits it, so that readers may recurse */
} kq_node;

/* Parses a whole query (statements separated by ';'). The tree lives in `arena`; text is copied where needed, so `text`
 * may go. Depth and size are limited (LIMIT). Errors: QUERY with its span, NOMEM, LIMIT. */
kq_status kq_parse(kq_sv text, kq_arena *arena, kq_node **script, kq_error *err);

/* Appends the tree as KQL that parses to the same tree. */
void kq_ast_print(const kq_node *node, kq_buf *out);

/* Same kinds, text, flags, values and kids; spans aside. */
bool kq_ast_same(const kq_node *a, const kq_node *b);

const char *kq_node_name(kq_node_kind kind); /* "WHERE" */

#endif
