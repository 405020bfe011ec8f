/* Tabular operators: the name after '|' picks a row of operators.def, whose function reads the rest. */
#include "base/nearest.h"
#include "kql/parser.h"

typedef struct op {
    const char *name;
    kq_node_kind kind;
    kq_node *(*parse)(kq_parser *p, const struct op *op, uint32_t start);
    const char *params;
} op;

#define NO_TEXT KQ_SV("")

/* Does the operator end here? */
static bool at_end(const kq_parser *p) {
    kq_token_kind kind = kq_peek(p, 0)->kind;
    return kind == KQ_TOKEN_PIPE || kind == KQ_TOKEN_SEMICOLON || kind == KQ_TOKEN_END || kind == KQ_TOKEN_RPAREN ||
           kind == KQ_TOKEN_RBRACE;
}

/* ---- parameters ---- */

static bool listed(const char *names, kq_sv name) {
    for (const char *end; *names; names = *end ? end + 1 : end) {
        end = strchr(names, ' ');
        if (!end) end = names + strlen(names);
        if (kq_sv_eq(name, (kq_sv){names, (size_t)(end - names)})) return true;
    }
    return false;
}

static kq_node *parse_param_value(kq_parser *p) {
    static const char *const bools[] = {"true", "false"};
    bool boolean = kq_at_word(p, bools[0]) || kq_at_word(p, bools[1]);
    if (kq_at_name(p) && !boolean) return kq_parse_name(p, "a value");
    if (kq_at(p, KQ_TOKEN_STRING)) return kq_parse_string(p);
    /* a bare word may stand before '(': kind=inner (T) */
    if (boolean) {
        uint32_t start = p->pos;
        kq_value value = kq_value_bool(kq_at_word(p, bools[0]));
        kq_advance(p);
        kq_node *node = kq_make(p, KQ_NODE_LITERAL, start, p->nstack, kq_token_text(p, &p->tokens[start]));
        if (node) node->value = value;
        return node;
    }
    return kq_parse_unary(p);
}

kq_node *kq_parse_params(kq_parser *p, const char *names) {
    uint32_t start = p->pos, mark = p->nstack;
    for (;;) {
        uint32_t from = p->pos, one = p->nstack;
        kq_sv name = kq_token_text(p, kq_peek(p, 0));
        if (!kq_at(p, KQ_TOKEN_WORD)) break;
        if (kq_at_word(p, "hint") && kq_peek(p, 1)->kind == KQ_TOKEN_DOT && kq_peek(p, 2)->kind == KQ_TOKEN_WORD &&
            kq_peek(p, 3)->kind == KQ_TOKEN_ASSIGN) {
            name = kq_arena_printf(p->arena, "hint." KQ_SV_FMT, KQ_SV_ARG(kq_token_text(p, kq_peek(p, 2))));
            if (!name.p) return kq_parse_nomem(p);
            kq_advance(p);
            kq_advance(p);
        } else if (kq_peek(p, 1)->kind != KQ_TOKEN_ASSIGN || (names && !listed(names, name))) {
            break;
        }
        kq_advance(p);
        kq_advance(p);
        if (!kq_push(p, parse_param_value(p)) || !kq_push(p, kq_make(p, KQ_NODE_PARAM, from, one, name))) return NULL;
    }
    return kq_make(p, KQ_NODE_LIST, start, mark, NO_TEXT);
}

/* a=b, c=d, e: a value without a name belongs to the one before it (ycolumns=b, c) */
static bool parse_assignments(kq_parser *p) {
    if (at_end(p)) return true;
    uint32_t one = p->nstack, from = p->pos;
    bool open = false;
    kq_sv name = NO_TEXT;
    do {
        bool named = kq_at(p, KQ_TOKEN_WORD) && kq_peek(p, 1)->kind == KQ_TOKEN_ASSIGN;
        if (named) {
            if (open && !kq_push(p, kq_make(p, KQ_NODE_PARAM, from, one, name))) return false;
            one = p->nstack;
            from = p->pos;
            name = kq_token_text(p, kq_peek(p, 0));
            kq_advance(p);
            kq_advance(p);
            open = true;
        } else if (!open) {
            kq_expected(p, "name = value");
            return false;
        }
        if (!kq_push(p, kq_parse_unary(p))) return false;
    } while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_push(p, kq_make(p, KQ_NODE_PARAM, from, one, name));
}

kq_node *kq_parse_with(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    if (kq_accept_word(p, "with")) {
        const kq_token *open = kq_peek(p, 0);
        bool paren = kq_accept(p, KQ_TOKEN_LPAREN);
        if (!parse_assignments(p)) return NULL;
        if (paren && !kq_close(p, KQ_TOKEN_RPAREN, open, "parameters")) return NULL;
    }
    return kq_make(p, KQ_NODE_LIST, start, mark, NO_TEXT);
}

/* hint.x=y that means nothing to us */
static bool skip_params(kq_parser *p, const char *names) {
    return kq_parse_params(p, names) != NULL;
}

/* ---- pieces ---- */

/* a, ['a b'], a*, *b, *: NAME or WILDCARD */
static kq_node *parse_pattern(kq_parser *p) {
    uint32_t start = p->pos;
    if (!kq_at(p, KQ_TOKEN_STAR) &&
        !(kq_at(p, KQ_TOKEN_WORD) && kq_peek(p, 1)->kind == KQ_TOKEN_STAR && kq_adjacent(p, 1)))
        return kq_parse_name(p, "a column");
    do kq_advance(p);
    while (kq_adjacent(p, 0) && (kq_at(p, KQ_TOKEN_STAR) || kq_at(p, KQ_TOKEN_WORD) || kq_at(p, KQ_TOKEN_LONG)));
    kq_span first = p->tokens[start].span, last = p->tokens[p->pos - 1].span;
    return kq_make(p, KQ_NODE_WILDCARD, start, p->nstack, kq_sv_slice(p->text, first.start, last.start + last.len));
}

/* [asc|desc] [nulls first|last], or granny-asc, around the node on top of the stack */
static kq_node *parse_ordered(kq_parser *p, uint32_t start, kq_node *expr, bool always) {
    uint32_t mark = p->nstack, flags = 0;
    if (!kq_push(p, expr)) return NULL;
    if (kq_at_word(p, "granny") && kq_peek(p, 1)->kind == KQ_TOKEN_MINUS) {
        kq_advance(p);
        kq_advance(p);
        flags |= KQ_ORDER_GRANNY;
    }
    if (kq_accept_word(p, "asc"))
        flags |= KQ_ORDER_ASC;
    else if (kq_accept_word(p, "desc"))
        flags |= KQ_ORDER_DESC;
    else if (flags)
        return kq_expected(p, "'granny-asc' or 'granny-desc'");
    if (kq_accept_word(p, "nulls")) {
        if (kq_accept_word(p, "first"))
            flags |= KQ_ORDER_NULLS_FIRST;
        else if (kq_accept_word(p, "last"))
            flags |= KQ_ORDER_NULLS_LAST;
        else
            return kq_expected(p, "'first' or 'last'");
    }
    if (!flags && !always) {
        p->nstack = mark;
        return expr;
    }
    kq_node *node = kq_make(p, KQ_NODE_ORDERED, start, mark, NO_TEXT);
    if (node) node->flags = flags;
    return node;
}

static kq_node *parse_ordered_item(kq_parser *p, bool named) {
    uint32_t start = p->pos;
    kq_node *expr = named ? kq_parse_item(p) : kq_parse_expr(p);
    return expr ? parse_ordered(p, start, expr, true) : NULL;
}

static kq_node *parse_table(kq_parser *p) {
    bool pattern = kq_at(p, KQ_TOKEN_STAR) ||
                   (kq_at(p, KQ_TOKEN_WORD) && kq_peek(p, 1)->kind == KQ_TOKEN_STAR && kq_adjacent(p, 1));
    return pattern ? parse_pattern(p) : kq_parse_unary(p);
}

static kq_node *empty_list(kq_parser *p) {
    return kq_make(p, KQ_NODE_LIST, p->pos, p->nstack, NO_TEXT);
}

/* ---- operators ---- */

static kq_node *op_one(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!skip_params(p, op->params) || !kq_push(p, kq_parse_expr(p))) return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_items(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!skip_params(p, op->params)) return NULL;
    if ((op->kind == KQ_NODE_SERIALIZE || op->kind == KQ_NODE_PROJECT) && at_end(p))
        return kq_make(p, op->kind, start, mark, NO_TEXT);
    do
        if (!kq_push(p, kq_parse_item(p))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_columns(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (at_end(p)) return kq_make(p, op->kind, start, mark, NO_TEXT);
    do {
        uint32_t from = p->pos;
        kq_node *column = parse_pattern(p);
        if (column && op->kind == KQ_NODE_PROJECT_REORDER) column = parse_ordered(p, from, column, false);
        if (!kq_push(p, column)) return NULL;
    } while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_top(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!skip_params(p, op->params) || !kq_push(p, kq_parse_expr(p)) || !kq_expect_word(p, "by") ||
        !kq_push(p, parse_ordered_item(p, false)))
        return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_sort(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!skip_params(p, op->params) || !kq_expect_word(p, "by")) return NULL;
    do
        if (!kq_push(p, parse_ordered_item(p, false))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_count(kq_parser *p, const op *op, uint32_t start) {
    kq_sv name = NO_TEXT;
    if (kq_accept_word(p, "as")) {
        kq_node *node = kq_parse_name(p, "a name after 'as'");
        if (!node) return NULL;
        name = node->text;
    }
    return kq_make(p, op->kind, start, p->nstack, name);
}

/* [by items]: a LIST, or nothing */
static bool push_by(kq_parser *p) {
    return kq_accept_word(p, "by") ? kq_push(p, kq_parse_items(p)) : kq_push_none(p);
}

static kq_node *op_summarize(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params))) return NULL;
    bool none = at_end(p) || kq_at_word(p, "by");
    if (!kq_push(p, none ? empty_list(p) : kq_parse_items(p)) || !push_by(p)) return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_join(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params)) || !kq_push(p, kq_parse_unary(p))) return NULL;
    uint32_t on = p->pos, list = p->nstack;
    if (!at_end(p)) {
        if (!kq_expect_word(p, "on")) return NULL;
        do
            if (!kq_push(p, kq_parse_expr(p))) return NULL;
        while (kq_accept(p, KQ_TOKEN_COMMA));
    }
    if (!kq_push(p, kq_make(p, KQ_NODE_LIST, on, list, NO_TEXT))) return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_render(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    kq_node *name = kq_parse_name(p, "a visualization");
    if (!name) return NULL;
    kq_node *params = kq_at_word(p, "with") ? kq_parse_with(p) : kq_parse_params(p, NULL);
    if (!params) return NULL;
    for (uint32_t i = 0; i < params->nkids; i++)
        if (!kq_push(p, params->kids[i])) return NULL;
    return kq_make(p, op->kind, start, mark, name->text);
}

static kq_node *op_as(kq_parser *p, const op *op, uint32_t start) {
    if (!skip_params(p, op->params)) return NULL;
    kq_node *name = kq_parse_name(p, "a name");
    return name ? kq_make(p, op->kind, start, p->nstack, name->text) : NULL;
}

static bool is_call(const kq_node *node) {
    return node->kind == KQ_NODE_CALL || (node->kind == KQ_NODE_DOT && node->nkids == 2);
}

static kq_node *op_invoke(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    kq_node *call = kq_parse_unary(p);
    if (call && !is_call(call)) return kq_parse_fail(p, call->span, "expected a function call after 'invoke'");
    return kq_push(p, call) ? kq_make(p, op->kind, start, mark, NO_TEXT) : NULL;
}

kq_node *kq_parse_evaluate(kq_parser *p, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, ""))) return NULL;
    kq_node *call = kq_parse_unary(p);
    if (call && !is_call(call)) return kq_parse_fail(p, call->span, "expected a plugin's call after 'evaluate'");
    if (!kq_push(p, call)) return NULL;
    if (kq_accept(p, KQ_TOKEN_COLON) ? !kq_push(p, kq_parse_columns(p, "columns")) : !kq_push_none(p)) return NULL;
    return kq_make(p, KQ_NODE_EVALUATE, start, mark, NO_TEXT);
}

static kq_node *op_evaluate(kq_parser *p, const op *op, uint32_t start) {
    (void)op;
    return kq_parse_evaluate(p, start);
}

/* item [to typeof(type)] */
static kq_node *parse_expanded(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_type type;
    kq_node *item = kq_parse_item(p);
    if (!item || !kq_accept_word(p, "to")) return item;
    if (!kq_push(p, item) || !kq_expect_word(p, "typeof")) return NULL;
    const kq_token *open = kq_peek(p, 0);
    if (!kq_expect(p, KQ_TOKEN_LPAREN, NULL) || !kq_parse_type(p, &type) || !kq_close(p, KQ_TOKEN_RPAREN, open, "type"))
        return NULL;
    kq_node *node = kq_make(p, KQ_NODE_TO_TYPEOF, start, mark, NO_TEXT);
    if (node) node->value.type = type;
    return node;
}

static kq_node *op_mv(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params))) return NULL;
    uint32_t from = p->pos, list = p->nstack;
    do
        if (!kq_push(p, parse_expanded(p))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    if (!kq_push(p, kq_make(p, KQ_NODE_LIST, from, list, NO_TEXT))) return NULL;
    if (kq_accept_word(p, "limit") ? !kq_push(p, kq_parse_expr(p)) : !kq_push_none(p)) return NULL;
    if (op->kind == KQ_NODE_MV_APPLY && (!kq_expect_word(p, "on") || !kq_push(p, kq_parse_subpipe(p)))) return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *parse_capture(kq_parser *p) {
    uint32_t start = p->pos;
    if (kq_at(p, KQ_TOKEN_STRING)) return kq_parse_string(p);
    if (kq_accept(p, KQ_TOKEN_STAR)) return kq_make(p, KQ_NODE_WILDCARD, start, p->nstack, KQ_SV("*"));
    kq_node *name = kq_parse_name(p, "a string, '*' or a column");
    kq_type type = KQ_STRING;
    if (!name || (kq_accept(p, KQ_TOKEN_COLON) && !kq_parse_type(p, &type))) return NULL;
    kq_node *node = kq_make(p, KQ_NODE_COLUMN, start, p->nstack, name->text);
    if (node) node->value.type = type;
    return node;
}

static kq_node *op_parse(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params)) || !kq_push(p, kq_parse_expr(p)) || !kq_expect_word(p, "with"))
        return NULL;
    uint32_t from = p->pos, list = p->nstack;
    do
        if (!kq_push(p, parse_capture(p))) return NULL;
    while (!at_end(p));
    if (!kq_push(p, kq_make(p, KQ_NODE_LIST, from, list, NO_TEXT))) return NULL;
    return kq_make(p, op->kind, start, mark, kq_sv_of(op->name));
}

static kq_node *op_parse_kv(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_expr(p)) || !kq_expect_word(p, "as") || !kq_push(p, kq_parse_columns(p, "columns")) ||
        !kq_push(p, kq_parse_with(p)))
        return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

static kq_node *op_params(kq_parser *p, const op *op, uint32_t start) {
    return skip_params(p, op->params) ? kq_make(p, op->kind, start, p->nstack, NO_TEXT) : NULL;
}

static kq_node *op_sample_distinct(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_expr(p)) || !kq_expect_word(p, "of") || !kq_push(p, kq_parse_expr(p))) return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

kq_node *kq_parse_union(kq_parser *p, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, NULL))) return NULL;
    do
        if (!kq_push(p, parse_table(p))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, KQ_NODE_UNION, start, mark, NO_TEXT);
}

static kq_node *op_union(kq_parser *p, const op *op, uint32_t start) {
    (void)op;
    return kq_parse_union(p, start);
}

kq_node *kq_parse_search(kq_parser *p, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, "kind"))) return NULL;
    uint32_t from = p->pos, list = p->nstack;
    if (kq_at_word(p, "in") && kq_peek(p, 1)->kind == KQ_TOKEN_LPAREN) {
        kq_advance(p);
        const kq_token *open = kq_peek(p, 0);
        kq_advance(p);
        do
            if (!kq_push(p, parse_table(p))) return NULL;
        while (kq_accept(p, KQ_TOKEN_COMMA));
        if (!kq_close(p, KQ_TOKEN_RPAREN, open, "list of tables")) return NULL;
    }
    if (!kq_push(p, kq_make(p, KQ_NODE_LIST, from, list, NO_TEXT)) || !kq_push(p, kq_parse_expr(p))) return NULL;
    return kq_make(p, KQ_NODE_SEARCH, start, mark, NO_TEXT);
}

static kq_node *op_search(kq_parser *p, const op *op, uint32_t start) {
    (void)op;
    return kq_parse_search(p, start);
}

/* kids: LIST of PARAM, LIST of LIST (aggregate, default?), axis, from?, to?, step?, LIST of by?; flags 1: in range() */
static kq_node *op_make_series(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack, flags = 0;
    if (!kq_push(p, kq_parse_params(p, op->params))) return NULL;
    uint32_t from = p->pos, list = p->nstack;
    do {
        uint32_t one = p->pos, pair = p->nstack;
        if (!kq_push(p, kq_parse_item(p))) return NULL;
        if (kq_accept_word(p, "default")) {
            if (!kq_expect(p, KQ_TOKEN_ASSIGN, NULL) || !kq_push(p, kq_parse_expr(p))) return NULL;
        } else if (!kq_push_none(p)) {
            return NULL;
        }
        if (!kq_push(p, kq_make(p, KQ_NODE_LIST, one, pair, NO_TEXT))) return NULL;
    } while (kq_accept(p, KQ_TOKEN_COMMA));
    if (!kq_push(p, kq_make(p, KQ_NODE_LIST, from, list, NO_TEXT)) || !kq_expect_word(p, "on")) return NULL;
    kq_node *axis = kq_at_name(p) ? kq_parse_unary(p) : kq_parse_expr(p);
    if (!kq_push(p, axis)) return NULL;
    if (kq_accept_word(p, "in")) {
        const kq_token *open = kq_peek(p, 1);
        flags = 1;
        if (!kq_expect_word(p, "range") || !kq_expect(p, KQ_TOKEN_LPAREN, NULL)) return NULL;
        for (unsigned i = 0; i < 3; i++)
            if ((i && !kq_expect(p, KQ_TOKEN_COMMA, NULL)) || !kq_push(p, kq_parse_expr(p))) return NULL;
        if (!kq_close(p, KQ_TOKEN_RPAREN, open, "range")) return NULL;
    } else {
        static const char *const words[] = {"from", "to", "step"};
        for (unsigned i = 0; i < 3; i++)
            if (kq_accept_word(p, words[i]) ? !kq_push(p, kq_parse_expr(p)) : !kq_push_none(p)) return NULL;
    }
    if (!push_by(p)) return NULL;
    kq_node *node = kq_make(p, op->kind, start, mark, NO_TEXT);
    if (node) node->flags = flags;
    return node;
}

/* kids: LIST (count?, item, others?, ORDERED) per level */
static kq_node *op_top_nested(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    do {
        uint32_t from = p->pos, level = p->nstack;
        if (level > mark && !(kq_accept_word(p, "top") && kq_accept(p, KQ_TOKEN_MINUS) && kq_accept_word(p, "nested")))
            return kq_expected(p, "'top-nested'");
        if (kq_at_word(p, "of") ? !kq_push_none(p) : !kq_push(p, kq_parse_expr(p))) return NULL;
        if (!kq_expect_word(p, "of") || !kq_push(p, kq_parse_item(p))) return NULL;
        if (kq_accept_word(p, "with")) {
            if (!kq_expect_word(p, "others") || !kq_expect(p, KQ_TOKEN_ASSIGN, NULL) || !kq_push(p, kq_parse_expr(p)))
                return NULL;
        } else if (!kq_push_none(p)) {
            return NULL;
        }
        if (!kq_expect_word(p, "by") || !kq_push(p, parse_ordered_item(p, true)) ||
            !kq_push(p, kq_make(p, KQ_NODE_LIST, from, level, NO_TEXT)))
            return NULL;
    } while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

/* step name [optional] [output=x] : condition [=> a = b, ...] ; */
static kq_node *parse_step(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    if (!kq_expect_word(p, "step")) return NULL;
    kq_node *name = kq_parse_name(p, "a step's name");
    if (!name) return NULL;
    uint32_t flags = kq_accept_word(p, "optional");
    if (!kq_push(p, kq_parse_params(p, "output")) || !kq_expect(p, KQ_TOKEN_COLON, "':' and the step's condition") ||
        !kq_push(p, kq_parse_expr(p)))
        return NULL;
    kq_node *assigned = kq_accept(p, KQ_TOKEN_ARROW) ? kq_parse_items(p) : empty_list(p);
    if (!kq_push(p, assigned) || !kq_expect(p, KQ_TOKEN_SEMICOLON, "';' after the step")) return NULL;
    kq_node *node = kq_make(p, KQ_NODE_LIST, start, mark, name->text);
    if (node) node->flags = flags;
    return node;
}

/* kids: LIST of PARAM, LIST of COLUMN (declared), steps: LIST with the step's name as text and flags 1 for optional
 * (LIST of PARAM, condition, LIST of NAMED) */
static kq_node *op_scan(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params)) ||
        !kq_push(p, kq_accept_word(p, "declare") ? kq_parse_columns(p, "columns") : empty_list(p)) ||
        !kq_expect_word(p, "with"))
        return NULL;
    const kq_token *open = kq_peek(p, 0);
    if (!kq_expect(p, KQ_TOKEN_LPAREN, "'(' and steps")) return NULL;
    do
        if (!kq_push(p, parse_step(p))) return NULL;
    while (!kq_at(p, KQ_TOKEN_RPAREN));
    return kq_close(p, KQ_TOKEN_RPAREN, open, "steps") ? kq_make(p, op->kind, start, mark, NO_TEXT) : NULL;
}

/* kids: LIST of PARAM, expression, PIPE without source in (...), or with one in {...} */
static kq_node *op_partition(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params)) || !kq_expect_word(p, "by")) return NULL;
    kq_node *key = kq_parse_name(p, "a column");
    if (!kq_push(p, key)) return NULL;
    const kq_token *open = kq_peek(p, 0);
    if (kq_accept(p, KQ_TOKEN_LBRACE)) {
        if (!kq_push(p, kq_parse_pipe(p)) || !kq_close(p, KQ_TOKEN_RBRACE, open, "subquery")) return NULL;
    } else if (!kq_push(p, kq_parse_subpipe(p))) {
        return NULL;
    }
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

/* kids: PIPE without source, or NAMED of one */
static kq_node *op_fork(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    do {
        uint32_t from = p->pos, one = p->nstack;
        if (kq_at_name(p)) {
            kq_node *name = kq_parse_name(p, "a name");
            if (!name || !kq_expect(p, KQ_TOKEN_ASSIGN, NULL) || !kq_push(p, kq_parse_subpipe(p)) ||
                !kq_push(p, kq_make(p, KQ_NODE_NAMED, from, one, name->text)))
                return NULL;
        } else if (!kq_push(p, kq_parse_subpipe(p))) {
            return NULL;
        }
    } while (!at_end(p));
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

/* kids: LIST of columns, PIPE without source? */
static kq_node *op_facet(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_expect_word(p, "by") || !kq_push(p, kq_parse_items(p))) return NULL;
    if (kq_accept_word(p, "with")) {
        uint32_t from = p->pos, one = p->nstack;
        if (kq_at(p, KQ_TOKEN_LPAREN)) {
            if (!kq_push(p, kq_parse_subpipe(p))) return NULL;
        } else if (!kq_push_none(p) || !kq_push(p, kq_parse_operator(p)) ||
                   !kq_push(p, kq_make(p, KQ_NODE_PIPE, from, one, NO_TEXT))) {
            return NULL;
        }
    } else if (!kq_push_none(p)) {
        return NULL;
    }
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

/* kids: LIST of PARAM, expression, LIST of PARAM (with) */
static kq_node *op_reduce(kq_parser *p, const op *op, uint32_t start) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_params(p, op->params)) || !kq_expect_word(p, "by") || !kq_push(p, kq_parse_expr(p)) ||
        !kq_push(p, kq_parse_with(p)))
        return NULL;
    return kq_make(p, op->kind, start, mark, NO_TEXT);
}

kq_node *kq_parse_other(kq_parser *p, uint32_t start, kq_sv name) {
    uint32_t mark = p->nstack, from = p->pos, open = 0;
    kq_node_kind kind = kq_sv_eq(name, KQ_SV("find")) ? KQ_NODE_FIND : KQ_NODE_OTHER;
    for (;; kq_advance(p)) {
        kq_token_kind t = kq_peek(p, 0)->kind;
        if (t == KQ_TOKEN_BAD || (t == KQ_TOKEN_END && open)) return kq_expected(p, "the rest of the operator");
        if (open == 0 && (at_end(p) || t == KQ_TOKEN_RBRACKET)) break;
        open += t == KQ_TOKEN_LPAREN || t == KQ_TOKEN_LBRACKET || t == KQ_TOKEN_LBRACE;
        open -= t == KQ_TOKEN_RPAREN || t == KQ_TOKEN_RBRACKET || t == KQ_TOKEN_RBRACE;
    }
    if (p->pos > from) {
        kq_span first = p->tokens[from].span, last = p->tokens[p->pos - 1].span;
        kq_sv rest = kq_sv_slice(p->text, first.start, last.start + last.len);
        if (!kq_push(p, kq_make(p, KQ_NODE_NAME, from, p->nstack, rest))) return NULL;
    }
    return kq_make(p, kind, start, mark, name);
}

static kq_node *op_other(kq_parser *p, const op *op, uint32_t start) {
    return kq_parse_other(p, start, kq_sv_of(op->name));
}

static const op operators[] = {
#define KQ_OPERATOR(name, kind, parse, params) {name, KQ_NODE_##kind, parse, params},
#include "kql/operators.def"
#undef KQ_OPERATOR
};
#define NOPERATORS (sizeof operators / sizeof *operators)

static void *unknown_operator(kq_parser *p, kq_span span, kq_sv name) {
    kq_sv names[NOPERATORS];
    for (size_t i = 0; i < NOPERATORS; i++) names[i] = kq_sv_of(operators[i].name);
    kq_parse_fail(p, span, "unknown operator '" KQ_SV_FMT "'", KQ_SV_ARG(name));
    const kq_sv *near = kq_nearest(name, names, NOPERATORS);
    if (near) kq_error_hint(p->err, "did you mean '" KQ_SV_FMT "'?", KQ_SV_ARG(*near));
    return NULL;
}

kq_node *kq_parse_operator(kq_parser *p) {
    uint32_t start = p->pos;
    if (!kq_at(p, KQ_TOKEN_WORD)) return kq_expected(p, "an operator such as where");
    kq_advance(p);
    while (kq_at(p, KQ_TOKEN_MINUS) && kq_adjacent(p, 0) && kq_peek(p, 1)->kind == KQ_TOKEN_WORD && kq_adjacent(p, 1)) {
        kq_advance(p);
        kq_advance(p);
    }
    kq_span first = p->tokens[start].span, last = p->tokens[p->pos - 1].span;
    kq_span span = {first.start, last.start + last.len - first.start};
    kq_sv name = kq_sv_slice(p->text, span.start, span.start + span.len);
    for (size_t i = 0; i < NOPERATORS; i++)
        if (kq_sv_eq(name, kq_sv_of(operators[i].name))) return operators[i].parse(p, &operators[i], start);
    return unknown_operator(p, span, name);
}
