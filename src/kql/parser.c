#include "kql/parser.h"
#include <stdio.h>

bool kq_word_ahead(const kq_parser *p, uint32_t ahead, const char *word) {
    const kq_token *t = kq_peek(p, ahead);
    return t->kind == KQ_TOKEN_WORD && kq_sv_eq(kq_token_text(p, t), kq_sv_of(word));
}

bool kq_accept_word(kq_parser *p, const char *word) {
    if (!kq_at_word(p, word)) return false;
    kq_advance(p);
    return true;
}

bool kq_adjacent(const kq_parser *p, uint32_t ahead) {
    const kq_token *t = kq_peek(p, ahead);
    const kq_token *before = ahead ? kq_peek(p, ahead - 1) : &p->tokens[p->pos ? p->pos - 1 : 0];
    return before != t && before->span.start + before->span.len == t->span.start;
}

void *kq_parse_fail(kq_parser *p, kq_span span, const char *fmt, ...) {
    if (p->status != KQ_OK) return NULL;
    char message[sizeof p->err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    p->status = kq_fail_at(p->err, KQ_ERR_QUERY, span, "%s", message);
    return NULL;
}

void *kq_parse_limit(kq_parser *p, kq_span span, const char *what) {
    if (p->status == KQ_OK) p->status = kq_fail_at(p->err, KQ_ERR_LIMIT, span, "%s", what);
    return NULL;
}

void *kq_parse_nomem(kq_parser *p) {
    if (p->status == KQ_OK) {
        p->status = kq_arena_status(p->arena, p->err);
        if (p->status == KQ_OK) p->status = kq_nomem(p->err);
    }
    return NULL;
}

static unsigned line_of(const kq_parser *p, uint32_t at) {
    unsigned line = 1;
    for (uint32_t i = 0; i < at && i < p->text.n; i++) line += p->text.p[i] == '\n';
    return line;
}

/* How messages show a token: its text, shortened. */
static void show(const kq_parser *p, const kq_token *t, char *out, size_t n) {
    if (t->kind == KQ_TOKEN_END) {
        snprintf(out, n, "the end of the query");
        return;
    }
    kq_sv s = kq_token_text(p, t);
    size_t shown = s.n;
    for (size_t i = 0; i < shown; i++)
        if (s.p[i] == '\n' || i == 40) shown = i;
    while (shown < s.n && shown > 0 && ((unsigned char)s.p[shown] & 0xC0) == 0x80) shown--;
    snprintf(out, n, "'%.*s%s'", (int)shown, s.p, shown < s.n ? "..." : "");
}

void *kq_expected(kq_parser *p, const char *what) {
    const kq_token *t = kq_peek(p, 0);
    if (t->kind == KQ_TOKEN_BAD) return kq_parse_fail(p, t->span, "%s", t->bad);
    char found[64];
    show(p, t, found, sizeof found);
    return kq_parse_fail(p, t->span, "expected %s, found %s", what, found);
}

bool kq_expect(kq_parser *p, kq_token_kind kind, const char *what) {
    if (kq_accept(p, kind)) return true;
    kq_expected(p, what ? what : kq_token_name(kind));
    return false;
}

bool kq_expect_word(kq_parser *p, const char *word) {
    if (kq_accept_word(p, word)) return true;
    char what[40];
    snprintf(what, sizeof what, "'%s'", word);
    kq_expected(p, what);
    return false;
}

bool kq_close(kq_parser *p, kq_token_kind kind, const kq_token *open, const char *what) {
    if (kq_accept(p, kind)) return true;
    char expected[128];
    snprintf(expected, sizeof expected, "%s to close the %s opened at line %u", kq_token_name(kind), what,
             line_of(p, open->span.start));
    kq_expected(p, expected);
    return false;
}

static bool grow_stack(kq_parser *p) {
    uint32_t cap = p->cap ? p->cap * 2 : 64;
    kq_node **stack = kq_realloc(p->stack, cap * sizeof *stack);
    if (!stack) return false;
    p->stack = stack;
    p->cap = cap;
    return true;
}

bool kq_push_none(kq_parser *p) {
    if (p->nstack == p->cap && !grow_stack(p)) {
        kq_parse_nomem(p);
        return false;
    }
    p->stack[p->nstack++] = NULL;
    return true;
}

bool kq_push(kq_parser *p, kq_node *kid) {
    if (!kid || !kq_push_none(p)) return false;
    p->stack[p->nstack - 1] = kid;
    return true;
}

kq_node *kq_make(kq_parser *p, kq_node_kind kind, uint32_t start, uint32_t mark, kq_sv text) {
    kq_node *node = kq_arena_new(p->arena, kq_node);
    if (!node) return kq_parse_nomem(p);
    node->kind = kind;
    node->text = text;
    node->span = p->tokens[start].span;
    if (p->pos > start + 1) {
        kq_span last = p->tokens[p->pos - 1].span;
        node->span.len = last.start + last.len - node->span.start;
    }
    node->nkids = p->nstack - mark;
    node->height = 1;
    if (node->nkids) {
        node->kids = kq_arena_array(p->arena, kq_node *, node->nkids);
        if (!node->kids) return kq_parse_nomem(p);
        for (uint32_t i = 0; i < node->nkids; i++) {
            kq_node *kid = node->kids[i] = p->stack[mark + i];
            if (kid && kid->height >= node->height) node->height = kid->height + 1;
        }
    }
    p->nstack = mark;
    if (node->height > KQ_PARSE_HEIGHT) return kq_parse_limit(p, node->span, "the query is nested too deeply");
    return node;
}

bool kq_enter(kq_parser *p) {
    if (p->depth++ < KQ_PARSE_NESTING) return true;
    kq_parse_limit(p, kq_peek(p, 0)->span, "the query is nested too deeply");
    return false;
}

/* ---- declarations ---- */

bool kq_parse_type(kq_parser *p, kq_type *type) {
    const kq_token *t = kq_peek(p, 0);
    if (t->kind != KQ_TOKEN_WORD) {
        kq_expected(p, "a type");
        return false;
    }
    if (!kq_type_from_name(kq_token_text(p, t), type)) {
        kq_parse_fail(p, t->span, "unknown type '" KQ_SV_FMT "'", KQ_SV_ARG(kq_token_text(p, t)));
        kq_error_hint(p->err,
                      "the types are bool, int, long, real, decimal, datetime, timespan, guid, string, dynamic");
        return false;
    }
    kq_advance(p);
    return true;
}

/* name:type, name:type = literal, name:(columns), name:(*) */
static kq_node *parse_column(kq_parser *p, bool tabular) {
    uint32_t start = p->pos, mark = p->nstack, flags = 0;
    kq_type type = KQ_STRING;
    kq_node *name = kq_parse_name(p, "a column name");
    if (!name || !kq_expect(p, KQ_TOKEN_COLON, "':' and a type")) return NULL;
    if (tabular && kq_at(p, KQ_TOKEN_LPAREN)) {
        const kq_token *open = kq_peek(p, 0);
        flags = KQ_DECL_TABULAR;
        kq_advance(p);
        if (kq_accept(p, KQ_TOKEN_STAR)) {
            flags |= KQ_DECL_ANY;
        } else if (!kq_at(p, KQ_TOKEN_RPAREN)) {
            do
                if (!kq_push(p, parse_column(p, false))) return NULL;
            while (kq_accept(p, KQ_TOKEN_COMMA));
        }
        if (!kq_close(p, KQ_TOKEN_RPAREN, open, "columns")) return NULL;
    } else {
        if (!kq_parse_type(p, &type)) return NULL;
        if (kq_accept(p, KQ_TOKEN_ASSIGN) && !kq_push(p, kq_parse_unary(p))) return NULL;
    }
    kq_node *node = kq_make(p, KQ_NODE_COLUMN, start, mark, name->text);
    if (!node) return NULL;
    node->flags = flags;
    node->value.type = type;
    return node;
}

static kq_node *parse_column_list(kq_parser *p, const char *what, bool tabular) {
    uint32_t start = p->pos, mark = p->nstack;
    const kq_token *open = kq_peek(p, 0);
    if (!kq_expect(p, KQ_TOKEN_LPAREN, "'(' and columns")) return NULL;
    while (!kq_at(p, KQ_TOKEN_RPAREN)) {
        if (kq_at(p, KQ_TOKEN_STAR)) { /* evaluate's schema: the input's columns */
            uint32_t star = p->pos;
            kq_advance(p);
            kq_node *any = kq_make(p, KQ_NODE_COLUMN, star, p->nstack, KQ_SV("*"));
            if (any) any->flags = KQ_DECL_ANY;
            if (!kq_push(p, any)) return NULL;
        } else if (!kq_push(p, parse_column(p, tabular))) {
            return NULL;
        }
        if (!kq_accept(p, KQ_TOKEN_COMMA)) break;
    }
    if (!kq_close(p, KQ_TOKEN_RPAREN, open, what)) return NULL;
    return kq_make(p, KQ_NODE_LIST, start, mark, KQ_SV(""));
}

kq_node *kq_parse_columns(kq_parser *p, const char *what) {
    return parse_column_list(p, what, false);
}

/* ---- sources ---- */

bool kq_at_source(const kq_parser *p) {
    const kq_token *next = kq_peek(p, 1);
    bool starts = next->kind == KQ_TOKEN_WORD || next->kind == KQ_TOKEN_LPAREN || next->kind == KQ_TOKEN_LBRACKET;
    bool word = kq_at(p, KQ_TOKEN_WORD);
    if (!word) return false;
    if (kq_at_word(p, "datatable") || kq_at_word(p, "externaldata")) return next->kind == KQ_TOKEN_LPAREN;
    if (kq_at_word(p, "range")) return next->kind == KQ_TOKEN_LBRACKET || kq_word_ahead(p, 2, "from");
    if (kq_at_word(p, "evaluate")) return next->kind == KQ_TOKEN_WORD;
    if (kq_at_word(p, "union")) return starts || next->kind == KQ_TOKEN_STAR;
    if (kq_at_word(p, "print") || kq_at_word(p, "search") || kq_at_word(p, "find"))
        return starts || next->kind == KQ_TOKEN_STRING || next->kind == KQ_TOKEN_LONG || next->kind == KQ_TOKEN_REAL ||
               next->kind == KQ_TOKEN_TIMESPAN || next->kind == KQ_TOKEN_TYPED || next->kind == KQ_TOKEN_STAR ||
               next->kind == KQ_TOKEN_MINUS || next->kind == KQ_TOKEN_PLUS;
    return false;
}

static kq_node *parse_datatable(kq_parser *p, uint32_t start, bool external) {
    uint32_t mark = p->nstack;
    if (!kq_push(p, kq_parse_columns(p, "columns"))) return NULL;
    const kq_token *open = kq_peek(p, 0);
    uint32_t list = p->pos, list_mark = p->nstack;
    if (!kq_expect(p, KQ_TOKEN_LBRACKET, external ? "'[' and addresses" : "'[' and the rows' values")) return NULL;
    while (!kq_at(p, KQ_TOKEN_RBRACKET)) {
        if (!kq_push(p, kq_parse_expr(p))) return NULL;
        if (!kq_accept(p, KQ_TOKEN_COMMA)) break;
    }
    if (!kq_close(p, KQ_TOKEN_RBRACKET, open, external ? "addresses" : "values")) return NULL;
    if (!kq_push(p, kq_make(p, KQ_NODE_LIST, list, list_mark, KQ_SV("")))) return NULL;
    if (external && !kq_push(p, kq_parse_with(p))) return NULL;
    return kq_make(p, external ? KQ_NODE_EXTERNALDATA : KQ_NODE_DATATABLE, start, mark, KQ_SV(""));
}

static kq_node *parse_range(kq_parser *p, uint32_t start) {
    uint32_t mark = p->nstack;
    kq_node *name = kq_parse_name(p, "the name of range's column");
    if (!name || !kq_expect_word(p, "from") || !kq_push(p, kq_parse_expr(p)) || !kq_expect_word(p, "to") ||
        !kq_push(p, kq_parse_expr(p)) || !kq_expect_word(p, "step") || !kq_push(p, kq_parse_expr(p)))
        return NULL;
    return kq_make(p, KQ_NODE_RANGE, start, mark, name->text);
}

static kq_node *parse_print(kq_parser *p, uint32_t start) {
    uint32_t mark = p->nstack;
    do
        if (!kq_push(p, kq_parse_item(p))) return NULL;
    while (kq_accept(p, KQ_TOKEN_COMMA));
    return kq_make(p, KQ_NODE_PRINT, start, mark, KQ_SV(""));
}

kq_node *kq_parse_source(kq_parser *p) {
    if (!kq_at_source(p)) return kq_parse_expr(p);
    uint32_t start = p->pos;
    kq_sv word = kq_token_text(p, kq_peek(p, 0));
    kq_advance(p);
    switch (word.p[0]) {
    case 'd': return parse_datatable(p, start, false);
    case 'r': return parse_range(p, start);
    case 'u': return kq_parse_union(p, start);
    case 'p': return parse_print(p, start);
    case 's': return kq_parse_search(p, start);
    case 'f': return kq_parse_other(p, start, word);
    default: return word.p[1] == 'x' ? parse_datatable(p, start, true) : kq_parse_evaluate(p, start);
    }
}

/* Pushes the operators that follow the source, each behind its '|'. */
static bool parse_operators(kq_parser *p) {
    for (unsigned n = 0; kq_accept(p, KQ_TOKEN_PIPE); n++) {
        if (n == KQ_PARSE_PIPES) {
            kq_parse_limit(p, kq_peek(p, 0)->span, "a pipe has too many operators");
            return false;
        }
        if (!kq_push(p, kq_parse_operator(p))) return false;
    }
    return true;
}

kq_node *kq_parse_pipe(kq_parser *p) {
    if (!kq_enter(p)) return NULL;
    uint32_t start = p->pos, mark = p->nstack;
    kq_node *source = kq_parse_source(p);
    if (source && kq_at(p, KQ_TOKEN_PIPE)) {
        if (!kq_push(p, source) || !parse_operators(p)) return NULL;
        source = kq_make(p, KQ_NODE_PIPE, start, mark, KQ_SV(""));
    }
    kq_leave(p);
    return source;
}

kq_node *kq_parse_subpipe(kq_parser *p) {
    const kq_token *open = kq_peek(p, 0);
    if (!kq_expect(p, KQ_TOKEN_LPAREN, "'(' and a subquery") || !kq_enter(p)) return NULL;
    uint32_t start = p->pos, mark = p->nstack;
    if (!kq_push_none(p) || !kq_push(p, kq_parse_operator(p)) || !parse_operators(p)) return NULL;
    kq_node *node = kq_make(p, KQ_NODE_PIPE, start, mark, KQ_SV(""));
    if (!node || !kq_close(p, KQ_TOKEN_RPAREN, open, "subquery")) return NULL;
    kq_leave(p);
    return node;
}

/* ---- statements ---- */

static bool parse_statements(kq_parser *p, kq_token_kind end);

static kq_node *parse_function(kq_parser *p, uint32_t start, bool view) {
    uint32_t mark = p->nstack;
    if (!kq_enter(p) || !kq_push(p, parse_column_list(p, "parameters", true))) return NULL;
    const kq_token *open = kq_peek(p, 0);
    uint32_t body = p->pos, body_mark = p->nstack;
    if (!kq_expect(p, KQ_TOKEN_LBRACE, "'{' and the function's body") || !parse_statements(p, KQ_TOKEN_RBRACE) ||
        !kq_close(p, KQ_TOKEN_RBRACE, open, "function") ||
        !kq_push(p, kq_make(p, KQ_NODE_SCRIPT, body, body_mark, KQ_SV(""))))
        return NULL;
    kq_node *node = kq_make(p, KQ_NODE_FUNCTION, start, mark, KQ_SV(""));
    if (node && view) node->flags = KQ_DECL_VIEW;
    kq_leave(p);
    return node;
}

/* Is the '(' here the parameter list of a function? */
static bool at_parameters(const kq_parser *p) {
    if (!kq_at(p, KQ_TOKEN_LPAREN)) return false;
    if (kq_peek(p, 1)->kind == KQ_TOKEN_RPAREN) return true;
    if (kq_peek(p, 1)->kind == KQ_TOKEN_WORD) return kq_peek(p, 2)->kind == KQ_TOKEN_COLON;
    return kq_peek(p, 1)->kind == KQ_TOKEN_LBRACKET && kq_peek(p, 2)->kind == KQ_TOKEN_STRING &&
           kq_peek(p, 3)->kind == KQ_TOKEN_RBRACKET && kq_peek(p, 4)->kind == KQ_TOKEN_COLON;
}

static kq_node *parse_let(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_advance(p);
    kq_node *name = kq_parse_name(p, "a name after 'let'");
    if (!name || !kq_expect(p, KQ_TOKEN_ASSIGN, "'=' after the name of 'let'")) return NULL;
    kq_node *value;
    if (kq_at_word(p, "view") && kq_peek(p, 1)->kind == KQ_TOKEN_LPAREN) {
        uint32_t view = p->pos;
        kq_advance(p);
        value = parse_function(p, view, true);
    } else {
        value = at_parameters(p) ? parse_function(p, p->pos, false) : kq_parse_pipe(p);
    }
    return kq_push(p, value) ? kq_make(p, KQ_NODE_LET, start, mark, name->text) : NULL;
}

static kq_node *parse_set(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_advance(p);
    kq_node *name = kq_parse_name(p, "an option after 'set'");
    if (!name || (kq_accept(p, KQ_TOKEN_ASSIGN) && !kq_push(p, kq_parse_unary(p)))) return NULL;
    return kq_make(p, KQ_NODE_SET, start, mark, name->text);
}

static kq_node *parse_declare(kq_parser *p) {
    uint32_t start = p->pos, mark = p->nstack;
    kq_advance(p);
    if (!kq_expect_word(p, "query_parameters")) return NULL;
    kq_node *list = parse_column_list(p, "parameters", true);
    if (!list) return NULL;
    for (uint32_t i = 0; i < list->nkids; i++)
        if (!kq_push(p, list->kids[i])) return NULL;
    return kq_make(p, KQ_NODE_DECLARE, start, mark, KQ_SV(""));
}

static kq_node *parse_statement(kq_parser *p) {
    const kq_token *next = kq_peek(p, 1);
    bool named = next->kind == KQ_TOKEN_WORD || next->kind == KQ_TOKEN_LBRACKET;
    if (named && kq_at_word(p, "let")) return parse_let(p);
    if (named && kq_at_word(p, "set")) return parse_set(p);
    if (next->kind == KQ_TOKEN_WORD && kq_at_word(p, "declare") && !kq_word_ahead(p, 1, "pattern"))
        return parse_declare(p);
    if (next->kind == KQ_TOKEN_WORD &&
        (kq_at_word(p, "declare") || kq_at_word(p, "alias") || kq_at_word(p, "restrict"))) {
        uint32_t start = p->pos;
        kq_advance(p);
        return kq_parse_other(p, start, kq_token_text(p, &p->tokens[start]));
    }
    return kq_parse_pipe(p);
}

/* Statements with ';' between and optionally after them, up to `end`. */
static bool parse_statements(kq_parser *p, kq_token_kind end) {
    for (;;) {
        while (kq_accept(p, KQ_TOKEN_SEMICOLON)) {
        }
        if (kq_at(p, end)) return true;
        if (!kq_push(p, parse_statement(p))) return false;
        if (kq_at(p, end)) return true;
        if (!kq_at(p, KQ_TOKEN_SEMICOLON)) {
            kq_expected(p, end == KQ_TOKEN_END ? "an operator, '|' or ';'" : "an operator, '|', ';' or '}'");
            if (kq_at(p, KQ_TOKEN_ASSIGN)) kq_error_hint(p->err, "to compare, write ==");
            if (kq_at_word(p, "let")) kq_error_hint(p->err, "a statement ends with ';'");
            return false;
        }
    }
}

kq_status kq_parse(kq_sv text, kq_arena *arena, kq_node **script, kq_error *err) {
    kq_error local;
    kq_parser p = {.arena = arena, .err = err ? err : &local};
    kq_token *tokens;
    if (text.n > KQ_QUERY_MAX)
        return kq_fail(err, KQ_ERR_LIMIT, "the query is longer than %zu MiB", KQ_QUERY_MAX >> 20);
    p.text = kq_arena_copy(arena, text);
    if (!p.text.p) return kq_arena_status(arena, err);
    KQ_TRY(kq_lex(p.text, arena, &tokens, &p.n, err));
    p.tokens = tokens;
    if (parse_statements(&p, KQ_TOKEN_END)) {
        if (p.nstack == 0)
            kq_parse_fail(&p, kq_peek(&p, 0)->span, "the query is empty");
        else
            *script = kq_make(&p, KQ_NODE_SCRIPT, 0, 0, KQ_SV(""));
    }
    kq_free(p.stack);
    return p.status;
}
