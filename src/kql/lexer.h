/*
 * The words of a query. Keywords are not tokens of their own: a column may be called `count` or `kind`, so the parser
 * decides by place. Literals are found here and decoded by literal.h. Private to the front end.
 */
#ifndef KQ_KQL_LEXER_H
#define KQ_KQL_LEXER_H

#include "base/arena.h"

typedef enum kq_token_kind {
#define KQ_TOKEN(name, text)  KQ_TOKEN_##name,
#define KQ_SYMBOL(name, text) KQ_TOKEN_##name,
#include "kql/tokens.def"
#undef KQ_TOKEN
#undef KQ_SYMBOL
    KQ_TOKEN_COUNT_
} kq_token_kind;

typedef struct kq_token {
    kq_span span;
    kq_token_kind kind;
    const char *bad; /* BAD: the message */
} kq_token;

#define KQ_QUERY_MAX ((size_t)64 << 20) /* bytes of a query */

/* Reads the token at or after *pos (blanks and comments are skipped) and moves *pos past it. At the end: END. Text that
 * is no token: BAD, spanning what is wrong; the caller stops there. */
kq_token kq_lex_next(kq_sv text, uint32_t *pos);

/* All tokens of `text`, ending with END or BAD. Errors: NOMEM, LIMIT. */
kq_status kq_lex(kq_sv text, kq_arena *arena, kq_token **tokens, uint32_t *n, kq_error *err);

/* How messages call a kind: "')'", "a string". */
const char *kq_token_name(kq_token_kind kind);

/* Ticks of a timespan unit as it may follow a number (1d, 2hours, 3microseconds), scaled by 100 so that nanoseconds
 * have one; 0 when `unit` is none. Case matters, as for Kusto. */
int64_t kq_timespan_unit(kq_sv unit);

/* Is `name` the name of a type whose literals are written name(...)? */
bool kq_is_literal_type(kq_sv name);

static inline bool kq_is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool kq_is_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline bool kq_is_name_char(char c) {
    return kq_is_name_start(c) || kq_is_digit(c);
}

#endif
