/*
 * What the parser's files share: the token cursor, building nodes, errors. Private to the parser.
 *
 * Every parse function gives a node, or NULL after it has recorded the first error; nobody goes on after a NULL.
 * Decisions look ahead at tokens and never back, so that parsing is linear.
 */
#ifndef KQ_KQL_PARSER_H
#define KQ_KQL_PARSER_H

#include "base/arena.h"
#include "kql/ast.h"
#include "kql/lexer.h"

#define KQ_PARSE_NESTING 400  /* how deep brackets, subqueries and functions nest */
#define KQ_PARSE_HEIGHT  400  /* how high the tree may be, so that its readers may recurse */
#define KQ_PARSE_PIPES   1000 /* operators of one pipe */
#define KQ_PARSE_CHAIN   64   /* and, or: longer chains become balanced trees */

typedef struct kq_parser {
    kq_sv text;
    const kq_token *tokens;
    uint32_t n, pos;
    kq_arena *arena;
    kq_error *err;
    kq_status status;
    kq_node **stack; /* kids of the nodes that are being built */
    uint32_t nstack, cap;
    uint32_t depth;
} kq_parser;

/* The cursor. kq_peek(p, 0) is the current token; past the end it is the last one. */
static inline const kq_token *kq_peek(const kq_parser *p, uint32_t ahead) {
    return &p->tokens[ahead < p->n - p->pos ? p->pos + ahead : p->n - 1];
}
static inline kq_sv kq_token_text(const kq_parser *p, const kq_token *t) {
    return (kq_sv){p->text.p + t->span.start, t->span.len};
}
static inline bool kq_at(const kq_parser *p, kq_token_kind kind) {
    return p->tokens[p->pos].kind == kind;
}
static inline void kq_advance(kq_parser *p) {
    if (p->pos + 1 < p->n) p->pos++;
}
static inline bool kq_accept(kq_parser *p, kq_token_kind kind) {
    if (!kq_at(p, kind)) return false;
    kq_advance(p);
    return true;
}
/* Is the token `ahead` the bare word `word`? */
bool kq_word_ahead(const kq_parser *p, uint32_t ahead, const char *word);
static inline bool kq_at_word(const kq_parser *p, const char *word) {
    return kq_word_ahead(p, 0, word);
}
bool kq_accept_word(kq_parser *p, const char *word);
/* Does the token `ahead` follow the one before it without a blank? */
bool kq_adjacent(const kq_parser *p, uint32_t ahead);

/* Errors. kq_expected says "expected WHAT, found ..." at the current token; kq_close also says where `open` stands. */
void *kq_parse_fail(kq_parser *p, kq_span span, const char *fmt, ...) KQ_PRINTF(3, 4);
void *kq_parse_limit(kq_parser *p, kq_span span, const char *what);
void *kq_expected(kq_parser *p, const char *what);
bool kq_expect(kq_parser *p, kq_token_kind kind, const char *what);
bool kq_expect_word(kq_parser *p, const char *word);
bool kq_close(kq_parser *p, kq_token_kind kind, const kq_token *open, const char *what);
void *kq_parse_nomem(kq_parser *p);

/* Nodes. Kids are pushed (NULL is a failed parse: false), then kq_make takes those above `mark`. `start` is the index
 * of the first token; the last is the one before the cursor. */
bool kq_push(kq_parser *p, kq_node *kid);
bool kq_push_none(kq_parser *p);
kq_node *kq_make(kq_parser *p, kq_node_kind kind, uint32_t start, uint32_t mark, kq_sv text);
bool kq_enter(kq_parser *p); /* one level deeper; false at the limit */
static inline void kq_leave(kq_parser *p) {
    p->depth--;
}

/* parser.c: statements, sources, declarations */
kq_node *kq_parse_pipe(kq_parser *p);                      /* a source or an expression, with its operators */
kq_node *kq_parse_subpipe(kq_parser *p);                   /* operators without a source: mv-apply's (...) */
kq_node *kq_parse_source(kq_parser *p);                    /* union, datatable, ... or an expression */
bool kq_at_source(const kq_parser *p);                     /* does a source that is no expression stand here? */
kq_node *kq_parse_columns(kq_parser *p, const char *what); /* (a:long, b:string = "x"): a LIST of COLUMN */
bool kq_parse_type(kq_parser *p, kq_type *type);

/* parser_expr.c */
kq_node *kq_parse_expr(kq_parser *p);
kq_node *kq_parse_unary(kq_parser *p);                  /* a primary with its .a [b] and sign */
kq_node *kq_parse_item(kq_parser *p);                   /* expression, name = expression, (a, b) = expression */
kq_node *kq_parse_items(kq_parser *p);                  /* a LIST of them, at least one */
kq_node *kq_parse_name(kq_parser *p, const char *what); /* a or ['a'] : a NAME */
kq_node *kq_parse_string(kq_parser *p);                 /* adjacent strings: a LITERAL */
bool kq_at_name(const kq_parser *p);
kq_node *kq_parse_dynamic(kq_parser *p); /* parser_dynamic.c: dynamic( ... ) */

/* parser_op.c */
kq_node *kq_parse_operator(kq_parser *p); /* after a '|' */
kq_node *kq_parse_params(kq_parser *p,
                         const char *names);           /* kind=inner hint.x=y: a LIST of PARAM; names: "kind flags" */
kq_node *kq_parse_union(kq_parser *p, uint32_t start); /* after the word */
kq_node *kq_parse_search(kq_parser *p, uint32_t start);
kq_node *kq_parse_evaluate(kq_parser *p, uint32_t start);
kq_node *kq_parse_other(kq_parser *p, uint32_t start, kq_sv name); /* up to the end of the operator, unread */
kq_node *kq_parse_with(kq_parser *p);                              /* [with] (a=b, c=d): a LIST of PARAM */

#endif
