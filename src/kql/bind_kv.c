/* parse-kv: extend $kv = parse_kv(text, options, keys...) | extend key = to<type>($kv[key]), ... | project-away $kv */
#include "kql/bind.h"

typedef struct kv_options {
    kq_sv pair, kv, greedy, regex;
    kq_buf quotes, escapes;
} kv_options;

static kq_status read_option(kq_binder *b, const kq_node *p, kv_options *o) {
    const kq_node *value = p->nkids ? p->kids[0] : p;
    bool text = value->kind == KQ_NODE_LITERAL && value->value.type == KQ_STRING;
    if (kq_sv_eq(p->text, KQ_SV("greedy"))) {
        bool on = value->kind == KQ_NODE_LITERAL && value->value.type == KQ_BOOL && value->value.u.b;
        o->greedy = on ? KQ_SV("greedy") : KQ_SV("");
        return KQ_OK;
    }
    if (!text)
        return kq_bind_fail(b, p->span, "'" KQ_SV_FMT "' of parse-kv must be a string literal", KQ_SV_ARG(p->text));
    kq_sv s = kq_str_view(&value->value.u.s);
    if (kq_sv_eq(p->text, KQ_SV("pair_delimiter"))) {
        o->pair = s;
    } else if (kq_sv_eq(p->text, KQ_SV("kv_delimiter"))) {
        o->kv = s;
    } else if (kq_sv_eq(p->text, KQ_SV("regex"))) {
        o->regex = s;
    } else if (kq_sv_eq(p->text, KQ_SV("quote"))) {
        if (s.n != 1 && s.n != 2) return kq_bind_fail(b, p->span, "quotes are one or two characters");
        kq_buf_char(&o->quotes, s.p[0]);
        kq_buf_char(&o->quotes, s.p[s.n - 1]);
    } else if (kq_sv_eq(p->text, KQ_SV("escape"))) {
        if (s.n != 1) return kq_bind_fail(b, p->span, "an escape is one character");
        kq_buf_char(&o->escapes, s.p[0]);
    } else {
        return kq_bind_fail(b, p->span, "parse-kv has no parameter '" KQ_SV_FMT "'", KQ_SV_ARG(p->text));
    }
    return KQ_OK;
}

static kq_node *text(kq_binder *b, kq_span span, kq_sv s) {
    kq_sv own = kq_arena_copy(b->arena, s);
    return own.p ? kq_node_literal(b, span, kq_value_sv(own)) : NULL;
}

static const char *conversion(kq_type type) {
    switch (type) {
    case KQ_BOOL: return "tobool";
    case KQ_INT: return "toint";
    case KQ_LONG: return "tolong";
    case KQ_REAL: return "todouble";
    case KQ_DECIMAL: return "todecimal";
    case KQ_DATETIME: return "todatetime";
    case KQ_TIMESPAN: return "totimespan";
    case KQ_GUID: return "toguid";
    case KQ_STRING: return "tostring";
    default: return "todynamic";
    }
}

static kq_status apply(kq_binder *b, const kq_scope *scope, kq_node *op, kq_plan *in, kq_plan **out) {
    if (!op) return kq_bind_nomem(b);
    return kq_bind_operator(b, scope, op, in, out);
}

static kq_status build(kq_binder *b, const kq_scope *scope, const kq_node *node, kv_options *o, kq_plan *in,
                       kq_plan **out) {
    const kq_node *keys = node->kids[1];
    kq_span span = node->span;
    uint32_t n = 0;
    kq_node **args = kq_arena_array(b->arena, kq_node *, keys->nkids + 8);
    kq_node **items = kq_arena_array(b->arena, kq_node *, keys->nkids + 1);
    if (!args || !items) return kq_bind_nomem(b);
    KQ_TRY(kq_buf_status(&o->quotes, b->err));
    KQ_TRY(kq_buf_status(&o->escapes, b->err));
    if (!keys->nkids) return kq_bind_fail(b, span, "parse-kv needs keys");
    kq_node *source = node->kids[0];
    args[n++] = kq_node_call(b, span, "tostring", 1, &source);
    args[n++] = text(b, span, o->pair);
    args[n++] = text(b, span, o->kv);
    args[n++] = text(b, span, kq_buf_view(&o->quotes));
    args[n++] = text(b, span, kq_buf_view(&o->escapes));
    args[n++] = text(b, span, o->greedy);
    args[n++] = text(b, span, o->regex);
    kq_sv bag = KQ_SV("$kv");
    for (uint32_t i = 0; i < keys->nkids; i++) {
        const kq_node *key = keys->kids[i];
        args[n++] = text(b, span, key->text);
        kq_node *member = kq_node_make(b, span, KQ_NODE_INDEX, KQ_SV(""), 2,
                                       (kq_node *[]){kq_node_ref(b, span, bag), text(b, span, key->text)});
        items[i] = kq_node_named(b, span, key->text, kq_node_call(b, span, conversion(key->value.type), 1, &member));
        if (items[i]) items[i]->span = key->span;
    }
    kq_node *first = kq_node_named(b, span, bag, kq_node_call(b, span, "parse_kv", n, args));
    KQ_TRY(apply(b, scope, kq_node_make(b, span, KQ_NODE_EXTEND, KQ_SV(""), 1, &first), in, out));
    KQ_TRY(apply(b, scope, kq_node_make(b, span, KQ_NODE_EXTEND, KQ_SV(""), keys->nkids, items), *out, out));
    kq_node *away = kq_node_ref(b, span, bag);
    return apply(b, scope, kq_node_make(b, span, KQ_NODE_PROJECT_AWAY, KQ_SV(""), 1, &away), *out, out);
}

kq_status kq_bind_parse_kv(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    kv_options o = {KQ_SV(""), KQ_SV(""), KQ_SV(""), KQ_SV(""), {0}, {0}};
    const kq_node *params = node->kids[2];
    kq_status status = KQ_OK;
    kq_buf_init(&o.quotes, b->arena->budget, 1024);
    kq_buf_init(&o.escapes, b->arena->budget, 1024);
    for (uint32_t i = 0; i < params->nkids && !status; i++) status = read_option(b, params->kids[i], &o);
    if (!status) status = build(b, scope, node, &o, in, out);
    kq_buf_deinit(&o.quotes);
    kq_buf_deinit(&o.escapes);
    return status;
}
