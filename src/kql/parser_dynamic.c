/* dynamic( ... ): JSON with KQL's literals in it, encoded at once. */
#include "column/dynamic.h"
#include "kql/literal.h"
#include "kql/parser.h"

static bool parse_json(kq_parser *p, kq_buf *out, unsigned depth);

static bool string_of(kq_parser *p, kq_sv *out) {
    kq_buf joined;
    kq_buf_init(&joined, p->arena->budget, KQ_STR_MAX);
    bool one = kq_peek(p, 1)->kind != KQ_TOKEN_STRING;
    do {
        kq_status st = kq_literal_string(p->text, *kq_peek(p, 0), true, p->arena, out, p->err);
        if (st != KQ_OK) {
            if (p->status == KQ_OK) p->status = st;
            break;
        }
        if (!one) kq_buf_sv(&joined, *out);
        kq_advance(p);
    } while (kq_at(p, KQ_TOKEN_STRING));
    if (!one && p->status == KQ_OK) {
        *out = joined.failed ? (kq_sv){NULL, 0} : kq_arena_copy(p->arena, kq_buf_view(&joined));
        if (!out->p) kq_parse_nomem(p);
    }
    kq_buf_deinit(&joined);
    return p->status == KQ_OK;
}

static bool parse_parts(kq_parser *p, kq_dyn_builder *b, bool bag, unsigned depth) {
    const kq_token *open = kq_peek(p, 0);
    kq_token_kind end = bag ? KQ_TOKEN_RBRACE : KQ_TOKEN_RBRACKET;
    kq_advance(p);
    if (kq_accept(p, end)) return true;
    do {
        if (bag) {
            kq_sv key;
            if (!kq_at(p, KQ_TOKEN_STRING)) {
                kq_expected(p, "a key in quotes");
                return false;
            }
            if (!string_of(p, &key) || !kq_expect(p, KQ_TOKEN_COLON, "':' after the key")) return false;
            kq_dyn_key(b, key);
        }
        if (!parse_json(p, b->out, depth + 1)) return false;
        kq_dyn_part(b);
    } while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_close(p, end, open, bag ? "object" : "array");
}

static bool parse_scalar(kq_parser *p, kq_buf *out) {
    bool negative = kq_at(p, KQ_TOKEN_MINUS), now;
    if (negative || kq_at(p, KQ_TOKEN_PLUS)) kq_advance(p);
    const kq_token *t = kq_peek(p, 0);
    kq_value v;
    if (t->kind != KQ_TOKEN_LONG && t->kind != KQ_TOKEN_REAL && t->kind != KQ_TOKEN_TIMESPAN &&
        t->kind != KQ_TOKEN_TYPED) {
        kq_expected(p, "a JSON value");
        return false;
    }
    kq_status st = kq_literal_value(p->text, *t, negative, &v, &now, p->err);
    if (st == KQ_OK && now) {
        kq_parse_fail(p, t->span, "datetime() has no place in a dynamic literal");
        return false;
    }
    if (st != KQ_OK) {
        p->status = st;
        return false;
    }
    if (negative) {
        if (v.type == KQ_REAL)
            v.u.r = -v.u.r;
        else if (v.type == KQ_LONG || v.type == KQ_TIMESPAN)
            v.u.l = (int64_t)(0 - (uint64_t)v.u.l);
    }
    kq_advance(p);
    kq_dyn_put_value(out, &v);
    return true;
}

static bool parse_json(kq_parser *p, kq_buf *out, unsigned depth) {
    if (depth > KQ_DYN_DEPTH) {
        kq_parse_limit(p, kq_peek(p, 0)->span, "a dynamic literal is nested too deeply");
        return false;
    }
    kq_sv text;
    if (kq_at(p, KQ_TOKEN_LBRACE) || kq_at(p, KQ_TOKEN_LBRACKET)) {
        bool bag = kq_at(p, KQ_TOKEN_LBRACE);
        kq_dyn_builder b;
        kq_dyn_open(&b, out, bag);
        bool ok = parse_parts(p, &b, bag, depth);
        kq_dyn_close(&b);
        return ok;
    }
    if (kq_at(p, KQ_TOKEN_STRING)) {
        if (!string_of(p, &text)) return false;
        kq_dyn_put_string(out, text);
        return true;
    }
    if (kq_accept_word(p, "null")) {
        kq_dyn_put_null(out);
        return true;
    }
    if (kq_at_word(p, "true") || kq_at_word(p, "false")) {
        kq_dyn_put_bool(out, kq_at_word(p, "true"));
        kq_advance(p);
        return true;
    }
    if (kq_at_word(p, "dynamic") && kq_peek(p, 1)->kind == KQ_TOKEN_LPAREN) {
        kq_advance(p);
        const kq_token *open = kq_peek(p, 0);
        kq_advance(p);
        return parse_json(p, out, depth + 1) && kq_close(p, KQ_TOKEN_RPAREN, open, "literal");
    }
    return parse_scalar(p, out);
}

kq_node *kq_parse_dynamic(kq_parser *p) {
    uint32_t start = p->pos;
    kq_advance(p);
    const kq_token *open = kq_peek(p, 0);
    kq_advance(p);
    kq_buf buf;
    kq_buf_init(&buf, p->arena->budget, KQ_STR_MAX);
    kq_value value = kq_value_null(KQ_DYNAMIC);
    /* dynamic() and dynamic(null) are null */
    bool ok = kq_at(p, KQ_TOKEN_RPAREN) || parse_json(p, &buf, 0);
    ok = ok && kq_close(p, KQ_TOKEN_RPAREN, open, "literal");
    if (ok && buf.failed) {
        p->status = kq_buf_status(&buf, p->err);
        ok = false;
    }
    if (ok && buf.n && buf.p[0] != KQ_DYN_NULL) {
        kq_sv copy = kq_arena_copy(p->arena, kq_buf_view(&buf));
        ok = copy.p != NULL;
        if (ok)
            value = (kq_value){.type = KQ_DYNAMIC, .u.s = kq_str_sv(copy)};
        else
            kq_parse_nomem(p);
    }
    kq_buf_deinit(&buf);
    if (!ok) return NULL;
    kq_span last = p->tokens[p->pos - 1].span;
    uint32_t from = p->tokens[start].span.start;
    kq_node *node = kq_make(p, KQ_NODE_LITERAL, start, p->nstack, kq_sv_slice(p->text, from, last.start + last.len));
    if (node) node->value = value;
    return node;
}
