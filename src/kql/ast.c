#include "kql/ast.h"

const char *kq_node_name(kq_node_kind kind) {
    static const char *const names[] = {
#define KQ_NODE(name) #name,
#include "kql/ast.def"
#undef KQ_NODE
    };
    return (unsigned)kind < KQ_NODE_COUNT_ ? names[kind] : "?";
}

static bool same_value(const kq_node *a, const kq_node *b) {
    if (a->kind == KQ_NODE_LITERAL) return kq_value_same(&a->value, &b->value);
    return a->value.type == b->value.type;
}

bool kq_ast_same(const kq_node *a, const kq_node *b) {
    if (!a || !b) return a == b;
    if (a->kind != b->kind || a->flags != b->flags || a->nkids != b->nkids || !kq_sv_eq(a->text, b->text) ||
        !same_value(a, b))
        return false;
    for (uint32_t i = 0; i < a->nkids; i++)
        if (!kq_ast_same(a->kids[i], b->kids[i])) return false;
    return true;
}
