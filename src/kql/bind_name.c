/* Automatic column names, and sets of names that stay unique. */
#include "kql/bind.h"

typedef enum { RULE_FIRST, RULE_PREFIX } name_rule;

static const struct result_name {
    const char *function;
    name_rule rule;
    const char *prefix;
} result_names[] = {
#define KQ_RESULT_NAME(function, rule, prefix) {function, RULE_##rule, prefix},
#include "kql/result_name.def"
#undef KQ_RESULT_NAME
};

static const struct result_name *find_rule(kq_sv function) {
    for (size_t i = 0; i < sizeof result_names / sizeof *result_names; i++)
        if (kq_sv_eq(function, kq_sv_of(result_names[i].function))) return &result_names[i];
    return NULL;
}

static kq_sv joined(kq_binder *b, kq_sv prefix, kq_sv name) {
    return kq_arena_printf(b->arena, KQ_SV_FMT "_" KQ_SV_FMT, KQ_SV_ARG(prefix), KQ_SV_ARG(name));
}

static kq_sv call_name(kq_binder *b, const kq_node *node) {
    static const kq_sv none = {"", 0};
    const struct result_name *rule = find_rule(node->text);
    kq_sv first = none;
    if (node->nkids) {
        first = kq_auto_name(b, node->kids[0]);
    }
    if (kq_sv_eq(node->text, KQ_SV("column_ifexists")) || kq_sv_eq(node->text, KQ_SV("columnifexists"))) return none;
    if (rule) return rule->rule == RULE_FIRST ? first : joined(b, kq_sv_of(rule->prefix), first);
    if (kq_aggregate_exists(node->text) && !kq_scalar_exists(node->text)) {
        if (kq_sv_starts(node->text, KQ_SV("covariance")) && node->nkids > 1)
            first = joined(b, first, kq_auto_name(b, node->kids[1]));
        return joined(b, node->text, first);
    }
    return none;
}

kq_sv kq_auto_name(kq_binder *b, const kq_node *node) {
    static const kq_sv none = {"", 0};
    if (b->depth > KQ_BIND_DEPTH) return none;
    kq_sv name = none;
    b->depth++;
    switch (node->kind) {
    case KQ_NODE_NAME: name = node->text; break;
    case KQ_NODE_NAMED: name = node->text; break;
    case KQ_NODE_DOT: {
        kq_sv base = kq_auto_name(b, node->kids[0]);
        name = node->nkids == 1 ? (base.n ? joined(b, base, node->text) : node->text) : none;
        break;
    }
    case KQ_NODE_INDEX: {
        kq_sv base = kq_auto_name(b, node->kids[0]);
        const kq_node *at = node->kids[1];
        kq_sv part = none;
        if (at->kind == KQ_NODE_LITERAL) {
            part = at->value.type == KQ_STRING ? kq_str_view(&at->value.u.s) : at->text;
            if (at->value.type == KQ_STRING) part = kq_arena_copy(b->arena, part);
        }
        if (base.n) name = joined(b, base, part);
        break;
    }
    case KQ_NODE_CALL: name = call_name(b, node); break;
    default: break;
    }
    b->depth--;
    return name.p ? name : none;
}

/* ---- sets ---- */

struct kq_name_slot {
    kq_sv name;    /* p NULL: free */
    uint32_t next; /* the suffix to try first when this name clashes */
};

static uint64_t hash(kq_sv s) {
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

static struct kq_name_slot *slot_of(struct kq_name_slot *slots, uint32_t cap, kq_sv name) {
    uint32_t i = (uint32_t)hash(name) & (cap - 1);
    while (slots[i].name.p && !kq_sv_eq(slots[i].name, name)) i = (i + 1) & (cap - 1);
    return &slots[i];
}

bool kq_names_has(const kq_names *names, kq_sv name) {
    return names->cap && slot_of(names->slots, names->cap, name)->name.p;
}

kq_status kq_names_add(kq_binder *b, kq_names *names, kq_sv name) {
    if (names->n * 2 >= names->cap) {
        uint32_t cap = names->cap ? names->cap * 2 : 64;
        struct kq_name_slot *slots = kq_arena_array(b->arena, struct kq_name_slot, cap);
        if (!slots) return kq_bind_nomem(b);
        for (uint32_t i = 0; i < names->cap; i++)
            if (names->slots[i].name.p) *slot_of(slots, cap, names->slots[i].name) = names->slots[i];
        names->slots = slots;
        names->cap = cap;
    }
    struct kq_name_slot *s = slot_of(names->slots, names->cap, name);
    if (s->name.p) return KQ_OK;
    *s = (struct kq_name_slot){name, 1};
    names->n++;
    return KQ_OK;
}

kq_status kq_names_unique(kq_binder *b, kq_names *names, kq_sv base, kq_sv *out) {
    if (base.n == 0) base = kq_arena_printf(b->arena, "Column%u", ++b->unnamed);
    if (!base.p) return kq_bind_nomem(b);
    *out = base;
    if (kq_names_has(names, base)) {
        uint32_t next = slot_of(names->slots, names->cap, base)->next;
        do {
            *out = kq_arena_printf(b->arena, KQ_SV_FMT "%u", KQ_SV_ARG(base), next++);
            if (!out->p) return kq_bind_nomem(b);
        } while (kq_names_has(names, *out));
        slot_of(names->slots, names->cap, base)->next = next;
    }
    return kq_names_add(b, names, *out);
}
