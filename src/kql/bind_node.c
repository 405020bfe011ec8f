/* Trees made by the binder, for operators that are written with other operators. */
#include "kql/bind.h"

kq_node *kq_node_make(kq_binder *b, kq_span span, kq_node_kind kind, kq_sv text, uint32_t nkids, kq_node *const *kids) {
    kq_node *n = kq_arena_new(b->arena, kq_node);
    kq_node **own = kq_arena_array(b->arena, kq_node *, nkids + 1);
    if (!n || !own) return NULL;
    for (uint32_t i = 0; i < nkids; i++) {
        if (!kids[i]) return NULL;
        own[i] = kids[i];
    }
    *n = (kq_node){.kind = kind, .span = span, .text = text, .kids = own, .nkids = nkids};
    return n;
}

kq_node *kq_node_named(kq_binder *b, kq_span span, kq_sv name, kq_node *value) {
    return kq_node_make(b, span, KQ_NODE_NAMED, name, 1, &value);
}

kq_node *kq_node_ref(kq_binder *b, kq_span span, kq_sv name) {
    return kq_node_make(b, span, KQ_NODE_NAME, name, 0, NULL);
}

kq_node *kq_node_call(kq_binder *b, kq_span span, const char *function, uint32_t n, kq_node *const *args) {
    return kq_node_make(b, span, KQ_NODE_CALL, kq_sv_of(function), n, args);
}

kq_node *kq_node_binary(kq_binder *b, kq_span span, const char *op, kq_node *left, kq_node *right) {
    return kq_node_make(b, span, KQ_NODE_BINARY, kq_sv_of(op), 2, (kq_node *[]){left, right});
}

kq_node *kq_node_literal(kq_binder *b, kq_span span, kq_value value) {
    kq_node *n = kq_node_make(b, span, KQ_NODE_LITERAL, KQ_SV(""), 0, NULL);
    if (n) n->value = value;
    return n;
}

kq_node *kq_node_list(kq_binder *b, kq_span span, uint32_t n, kq_node *const *kids) {
    return kq_node_make(b, span, KQ_NODE_LIST, KQ_SV(""), n, kids);
}

kq_node *kq_node_summarize(kq_binder *b, kq_span span, kq_node *const *aggs, uint32_t naggs, kq_node *const *keys,
                           uint32_t nkeys) {
    kq_node *parts[3] = {kq_node_list(b, span, 0, NULL), kq_node_list(b, span, naggs, aggs),
                         kq_node_list(b, span, nkeys, keys)};
    return kq_node_make(b, span, KQ_NODE_SUMMARIZE, KQ_SV(""), nkeys ? 3 : 2, parts);
}
