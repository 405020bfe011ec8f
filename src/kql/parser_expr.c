/* Expressions: precedence climbing over binary.def. */
#include "kql/diagnostic.h"
#include "kql/literal.h"
#include "kql/parser.h"

enum { PREC_OR = 1, PREC_LIMIT = 8 };

typedef enum { RIGHT_CHAIN, RIGHT_NONE, RIGHT_LIST, RIGHT_RANGE, RIGHT_LEFT } right_side;

static const struct binary {
    const char *written, *text;
    int prec;
    right_side right;
} binaries[] = {
#define KQ_BINARY(written, text, prec, right) {written, text, prec, RIGHT_##right},
#include "kql/binary.def"
#undef KQ_BINARY
};

static const struct binary *at_binary(const kq_parser *p) {
    const kq_token *t = kq_peek(p, 0);
    switch (t->kind) {
    case KQ_TOKEN_END:
    case KQ_TOKEN_BAD:
    case KQ_TOKEN_STRING:
    case KQ_TOKEN_PIPE:
    case KQ_TOKEN_COMMA:
    case KQ_TOKEN_RPAREN: return NULL;
    default: break;
    }
    kq_sv text = kq_token_text(p, t);
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (kq_sv_eq(text, kq_sv_of(binaries[i].written))) return &binaries[i];
    return NULL;
}

/* ---- names and strings ---- */

bool kq_at_name(const kq_parser *p) {
    if (kq_at(p, KQ_TOKEN_WORD)) return true;
    if (!kq_at(p, KQ_TOKEN_LBRACKET) || kq_peek(p, 2)->kind != KQ_TOKEN_RBRACKET) return false;
    return kq_peek(p, 1)->kind == KQ_TOKEN_STRING || kq_peek(p, 1)->kind == KQ_TOKEN_WORD;
}

kq_node *kq_parse_name(kq_parser *p, const char *what) {
    uint32_t start = p->pos;
    if (!kq_at_name(p)) return kq_expected(p, what);
    bool quoted = kq_accept(p, KQ_TOKEN_LBRACKET);
    const kq_token *t = kq_peek(p, 0);
    kq_sv name = kq_token_text(p, t);
    if (t->kind == KQ_TOKEN_STRING) {
        kq_status st = kq_literal_string(p->text, *t, false, p->arena, &name, p->err);
        if (st != KQ_OK) {
            if (p->status == KQ_OK) p->status = st;
            return NULL;
        }
        if (name.n == 0) return kq_parse_fail(p, t->span, "a name may not be empty");
    }
    kq_advance(p);
    if (quoted) kq_advance(p);
    return kq_make(p, KQ_NODE_NAME, start, p->nstack, name);
}

static kq_node *literal(kq_parser *p, uint32_t start, const kq_value *value) {
    uint32_t from = p->tokens[start].span.start;
    kq_span last = p->tokens[p->pos - 1].span;
    kq_node *node = kq_make(p, KQ_NODE_LITERAL, start, p->nstack, kq_sv_slice(p->text, from, last.start + last.len));
    if (node) node->value = *value;
    return node;
}

kq_node *kq_parse_string(kq_parser *p) {
    uint32_t start = p->pos, count = 0;
    kq_sv whole = {"", 0};
    size_t room = 0;
    char *joined = NULL;
    while (kq_peek(p, count)->kind == KQ_TOKEN_STRING) room += kq_peek(p, count++)->span.len;
    if (!count) return kq_expected(p, "a string");
    if (room > KQ_STR_MAX) return kq_parse_limit(p, kq_peek(p, 0)->span, "a string is too long");
    if (count > 1 && !(joined = kq_arena_bytes(p->arena, room))) return kq_parse_nomem(p);
    for (uint32_t i = 0; i < count; i++) {
        kq_sv part;
        kq_status st = kq_literal_string(p->text, *kq_peek(p, 0), false, p->arena, &part, p->err);
        if (st != KQ_OK) {
            p->status = st;
            return NULL;
        }
        if (joined) {
            if (part.n) memcpy(joined + whole.n, part.p, part.n);
            whole = (kq_sv){joined, whole.n + part.n};
        } else {
            whole = part;
        }
        kq_advance(p);
    }
    kq_value value = kq_value_sv(whole);
    return literal(p, start, &value);
}

/* ---- calls and primaries ---- */

/* Does `name =` stand here? */
static bool at_named(const kq_parser *p) {
    if (!kq_at_name(p)) return false;
    return kq_peek(p, kq_at(p, KQ_TOKEN_WORD) ? 1 : 3)->kind == KQ_TOKEN_ASSIGN;
}

static kq_node *parse_named(kq_parser *p, kq_node *(*parse)(kq_parser *)) {
    if (!at_named(p)) return parse(p);
    uint32_t start = p->pos, mark = p->nstack;
    kq_node *name = kq_parse_name(p, "a name");
    if (!name) return NULL;
    kq_advance(p);
    return kq_push(p, parse(p)) ? kq_make(p, KQ_NODE_NAMED, start, mark, name->text) : NULL;
}

/* Comma-separated arguments after an opened bracket, onto the stack. */
static bool parse_arguments(kq_parser *p, const kq_token *open, const char *what) {
    if (!kq_at(p, KQ_TOKEN_RPAREN)) {
        do
            if (!kq_push(p, parse_named(p, kq_parse_pipe))) return false;
        while (kq_accept(p, KQ_TOKEN_COMMA));
    }
    return kq_close(p, KQ_TOKEN_RPAREN, open, what);
}

/* name(arguments), at the name */
static kq_node *parse_call(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_node *name = kq_parse_name(p, "a function");
    const kq_token *open = kq_peek(p, 0);
    if (!name || !kq_expect(p, KQ_TOKEN_LPAREN, NULL) || !kq_enter(p)) return NULL;
    if (!parse_arguments(p, open, "arguments")) return NULL;
    kq_leave(p);
    return kq_make(p, KQ_NODE_CALL, start, mark, name->text);
}

static kq_node *parse_typeof(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_type type = KQ_DYNAMIC;
    kq_advance(p);
    const kq_token *open = kq_peek(p, 0);
    if (kq_peek(p, 1)->kind == KQ_TOKEN_WORD && kq_peek(p, 2)->kind == KQ_TOKEN_RPAREN) {
        kq_advance(p);
        if (!kq_parse_type(p, &type) || !kq_close(p, KQ_TOKEN_RPAREN, open, "type")) return NULL;
    } else {
        kq_node *columns = kq_parse_columns(p, "columns");
        if (!columns) return NULL;
        for (uint32_t i = 0; i < columns->nkids; i++)
            if (!kq_push(p, columns->kids[i])) return NULL;
    }
    kq_node *node = kq_make(p, KQ_NODE_TYPEOF, start, mark, KQ_SV(""));
    if (node) node->value.type = type;
    return node;
}

static kq_node *parse_value(kq_parser *p) {
    uint32_t start = p->pos;
    kq_value value;
    bool now, negated = start > 0 && p->tokens[start - 1].kind == KQ_TOKEN_MINUS;
    kq_status st = kq_literal_value(p->text, *kq_peek(p, 0), negated, &value, &now, p->err);
    if (st != KQ_OK) {
        p->status = st;
        return NULL;
    }
    kq_advance(p);
    if (now) return kq_make(p, KQ_NODE_CALL, start, p->nstack, KQ_SV("now"));
    return literal(p, start, &value);
}

static kq_node *parse_word(kq_parser *p) {
    uint32_t start = p->pos;
    if (kq_peek(p, 1)->kind == KQ_TOKEN_LPAREN) {
        if (kq_at_word(p, "dynamic")) return kq_parse_dynamic(p);
        if (kq_at_word(p, "typeof")) return parse_typeof(p);
        if (kq_at_word(p, "datatable") || kq_at_word(p, "externaldata")) return kq_parse_source(p);
        return parse_call(p);
    }
    static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    for (unsigned i = 0; i < 6; i++) {
        if (kq_accept_word(p, bools[i])) {
            kq_value value = kq_value_bool(i < 3);
            return literal(p, start, &value);
        }
    }
    /* Kusto too wants these in brackets: ['and'] */
    if (at_binary(p) || kq_at_word(p, "by")) return kq_expected(p, "an expression");
    return kq_parse_name(p, "an expression");
}

static kq_node *parse_primary(kq_parser *p) {
    const kq_token *t = kq_peek(p, 0);
    kq_node *node;
    switch (t->kind) {
    case KQ_TOKEN_WORD: return parse_word(p);
    case KQ_TOKEN_STRING: return kq_parse_string(p);
    case KQ_TOKEN_LONG:
    case KQ_TOKEN_REAL:
    case KQ_TOKEN_TIMESPAN:
    case KQ_TOKEN_TYPED: return parse_value(p);
    case KQ_TOKEN_LBRACKET:
        if (!kq_at_name(p)) return kq_expected(p, "an expression");
        return kq_peek(p, 3)->kind == KQ_TOKEN_LPAREN ? parse_call(p) : kq_parse_name(p, "an expression");
    case KQ_TOKEN_STAR: kq_advance(p); return kq_make(p, KQ_NODE_WILDCARD, p->pos - 1, p->nstack, KQ_SV("*"));
    case KQ_TOKEN_LPAREN:
        kq_advance(p);
        node = kq_parse_pipe(p);
        return node && kq_close(p, KQ_TOKEN_RPAREN, t, "parenthesis") ? node : NULL;
    default: return kq_expected(p, "an expression");
    }
}

/* base.member, base.['member'], base.function(...): at the '.' */
static kq_node *parse_member(kq_parser *p, kq_node *base, uint32_t start) {
    uint32_t mark = p->nstack;
    kq_advance(p);
    if (!kq_push(p, base)) return NULL;
    /* a.[0] and a.[word] are a[0] and a[word]: only a text in brackets is a name */
    if (kq_at(p, KQ_TOKEN_LBRACKET) && !(kq_at_name(p) && kq_peek(p, 1)->kind == KQ_TOKEN_STRING)) {
        const kq_token *open = kq_peek(p, 0);
        kq_advance(p);
        if (!kq_push(p, kq_parse_expr(p)) || !kq_close(p, KQ_TOKEN_RBRACKET, open, "subscript")) return NULL;
        return kq_make(p, KQ_NODE_INDEX, start, mark, KQ_SV(""));
    }
    if (kq_at_name(p) && kq_peek(p, kq_at(p, KQ_TOKEN_WORD) ? 1 : 3)->kind == KQ_TOKEN_LPAREN) {
        kq_node *call = parse_call(p);
        return kq_push(p, call) ? kq_make(p, KQ_NODE_DOT, start, mark, call->text) : NULL;
    }
    if (kq_at(p, KQ_TOKEN_TYPED)) return kq_parse_fail(p, kq_peek(p, 0)->span, "a literal can't follow '.'");
    kq_node *name = kq_parse_name(p, "a name after '.'");
    return name ? kq_make(p, KQ_NODE_DOT, start, mark, name->text) : NULL;
}

static kq_node *parse_postfix(kq_parser *p) {
    uint32_t start = p->pos;
    kq_node *node = parse_primary(p);
    while (node) {
        if (kq_at(p, KQ_TOKEN_DOT)) {
            node = parse_member(p, node, start);
        } else if (kq_at(p, KQ_TOKEN_LBRACKET)) {
            uint32_t mark = p->nstack;
            const kq_token *open = kq_peek(p, 0);
            if (!kq_push(p, node) || !kq_enter(p)) return NULL;
            kq_advance(p);
            if (!kq_push(p, kq_parse_expr(p)) || !kq_close(p, KQ_TOKEN_RBRACKET, open, "subscript")) return NULL;
            kq_leave(p);
            node = kq_make(p, KQ_NODE_INDEX, start, mark, KQ_SV(""));
        } else {
            break;
        }
    }
    return node;
}

kq_node *kq_parse_unary(kq_parser *p) {
    if (!kq_at(p, KQ_TOKEN_MINUS) && !kq_at(p, KQ_TOKEN_PLUS)) return parse_postfix(p);
    uint32_t start = p->pos, mark = p->nstack;
    kq_sv sign = kq_token_text(p, kq_peek(p, 0));
    if (!kq_enter(p)) return NULL;
    kq_advance(p);
    if (!kq_push(p, kq_parse_unary(p))) return NULL;
    kq_leave(p);
    return kq_make(p, KQ_NODE_UNARY, start, mark, sign);
}

/* ---- binary operators ---- */

static kq_node *parse_binary(kq_parser *p, int min);

/* ( a, b, ... ) of in, has_any: a LIST */
static kq_node *parse_right_list(kq_parser *p, const struct binary *op) {
    uint32_t start = p->pos, mark = p->nstack;
    const kq_token *open = kq_peek(p, 0);
    if (!kq_at(p, KQ_TOKEN_LPAREN)) {
        kq_parse_fail(p, open->span, "expected '(' after '%s'", op->written);
        kq_error_hint(p->err, "write %s (...)", op->written);
        return NULL;
    }
    kq_advance(p);
    if (kq_at(p, KQ_TOKEN_RPAREN)) return kq_expected(p, "a value");
    if (!kq_enter(p) || !parse_arguments(p, open, "list")) return NULL;
    kq_leave(p);
    return kq_make(p, KQ_NODE_LIST, start, mark, KQ_SV(""));
}

/* ( a .. b ) of between: a LIST of two */
static kq_node *parse_right_range(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    const kq_token *open = kq_peek(p, 0);
    if (!kq_expect(p, KQ_TOKEN_LPAREN, "'(' after 'between'") || !kq_enter(p) || !kq_push(p, kq_parse_expr(p)) ||
        !kq_expect(p, KQ_TOKEN_DOTDOT, "'..' between the bounds") || !kq_push(p, kq_parse_expr(p)) ||
        !kq_close(p, KQ_TOKEN_RPAREN, open, "range"))
        return NULL;
    kq_leave(p);
    return kq_make(p, KQ_NODE_LIST, start, mark, KQ_SV(""));
}

/* Items [from, to) of the stack under one associative operator: to the left up to 64, balanced above, so that a list of
 * a thousand alternatives is no deep tree. */
static kq_node *build_chain(kq_parser *p, uint32_t start, uint32_t from, uint32_t to, kq_sv text) {
    if (to - from > KQ_PARSE_CHAIN) {
        uint32_t middle = from + (to - from) / 2, mark = p->nstack;
        if (!kq_push(p, build_chain(p, start, from, middle, text)) ||
            !kq_push(p, build_chain(p, start, middle, to, text)))
            return NULL;
        return kq_make(p, KQ_NODE_BINARY, start, mark, text);
    }
    kq_node *node = p->stack[from];
    for (uint32_t i = from + 1; node && i < to; i++) {
        uint32_t mark = p->nstack;
        kq_node *left = node, *right = p->stack[i];
        if (!kq_push(p, left) || !kq_push(p, right)) return NULL;
        node = kq_make(p, KQ_NODE_BINARY, start, mark, text);
        if (!node) return NULL;
        node->span = (kq_span){left->span.start, right->span.start + right->span.len - left->span.start};
    }
    return node;
}

static kq_node *parse_chain(kq_parser *p, kq_node *first, const struct binary *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, first)) return NULL;
    while (at_binary(p) == op) {
        kq_advance(p);
        if (!kq_push(p, parse_binary(p, op->prec + 1))) return NULL;
    }
    kq_node *node = build_chain(p, start, mark, p->nstack, kq_sv_of(op->text));
    p->nstack = mark;
    return node;
}

static kq_node *parse_binary(kq_parser *p, int min) {
    uint32_t start = p->pos, mark = p->nstack;
    int limit = PREC_LIMIT; /* after a comparison only weaker operators may follow */
    kq_node *node = kq_parse_unary(p);
    while (node) {
        const struct binary *op = at_binary(p);
        if (!op || op->prec < min) break;
        if (op->prec >= limit) {
            kq_parse_fail(p, kq_peek(p, 0)->span, "'%s' can't follow another comparison", op->written);
            kq_error_hint(p->err, "use parentheses, or 'and'");
            return NULL;
        }
        if (op->right == RIGHT_CHAIN) {
            node = parse_chain(p, node, op, start);
            continue;
        }
        kq_advance(p);
        if (op->text[0] == 'm' && !kq_expect_word(p, "regex")) return NULL;
        kq_node *right = op->right == RIGHT_LIST    ? parse_right_list(p, op)
                         : op->right == RIGHT_RANGE ? parse_right_range(p)
                                                    : parse_binary(p, op->prec + 1);
        if (!kq_push(p, node) || !kq_push(p, right)) return NULL;
        node = kq_make(p, KQ_NODE_BINARY, start, mark, kq_sv_of(op->text));
        limit = op->right == RIGHT_LEFT ? op->prec + 1 : op->prec;
    }
    return node;
}

kq_node *kq_parse_expr(kq_parser *p) {
    if (!kq_enter(p)) return NULL;
    kq_node *node = parse_binary(p, PREC_OR);
    kq_leave(p);
    return node;
}

/* ---- name = expression ---- */

/* Does (a, b) = stand here? */
static bool at_names(const kq_parser *p) {
    if (!kq_at(p, KQ_TOKEN_LPAREN)) return false;
    for (uint32_t i = 1;; i++) {
        if (kq_peek(p, i)->kind == KQ_TOKEN_LBRACKET) {
            if (kq_peek(p, i + 1)->kind != KQ_TOKEN_STRING || kq_peek(p, i + 2)->kind != KQ_TOKEN_RBRACKET)
                return false;
            i += 2;
        } else if (kq_peek(p, i)->kind != KQ_TOKEN_WORD) {
            return false;
        }
        i++;
        if (kq_peek(p, i)->kind == KQ_TOKEN_RPAREN) return kq_peek(p, i + 1)->kind == KQ_TOKEN_ASSIGN;
        if (kq_peek(p, i)->kind != KQ_TOKEN_COMMA) return false;
    }
}

static kq_node *parse_names(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_advance(p);
    do
        if (!kq_push(p, kq_parse_name(p, "a name"))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    kq_advance(p);
    kq_node *list = kq_make(p, KQ_NODE_LIST, start, mark, KQ_SV(""));
    kq_advance(p);
    if (!kq_push(p, list) || !kq_push(p, kq_parse_expr(p))) return NULL;
    return kq_make(p, KQ_NODE_NAMES, start, mark, KQ_SV(""));
}

kq_node *kq_parse_item(kq_parser *p) {
    return at_names(p) ? parse_names(p) : parse_named(p, kq_parse_expr);
}

kq_node *kq_parse_items(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    do
        if (!kq_push(p, kq_parse_item(p))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, KQ_NODE_LIST, start, mark, KQ_SV(""));
}
