#include "kql/lexer.h"
#include "base/utf8.h"

static const char *const names[] = {
#define KQ_TOKEN(name, text)  text,
#define KQ_SYMBOL(name, text) "'" text "'",
#include "kql/tokens.def"
#undef KQ_TOKEN
#undef KQ_SYMBOL
};

static const struct {
    const char *text;
    uint8_t n, kind;
} symbols[] = {
#define KQ_TOKEN(name, text)
#define KQ_SYMBOL(name, text) {text, sizeof(text) - 1, KQ_TOKEN_##name},
#include "kql/tokens.def"
#undef KQ_TOKEN
#undef KQ_SYMBOL
};

const char *kq_token_name(kq_token_kind kind) {
    return (unsigned)kind < KQ_TOKEN_COUNT_ ? names[kind] : "";
}

/* Source: Kusto documentation, the timespan data type, and the spellings that Microsoft's parser takes. */
static const struct {
    const char *name;
    int64_t scaled;
} units[] = {
    {"d", 86400000000000},
    {"day", 86400000000000},
    {"days", 86400000000000},
    {"h", 3600000000000},
    {"hr", 3600000000000},
    {"hrs", 3600000000000},
    {"hour", 3600000000000},
    {"hours", 3600000000000},
    {"m", 60000000000},
    {"min", 60000000000},
    {"minute", 60000000000},
    {"minutes", 60000000000},
    {"s", 1000000000},
    {"sec", 1000000000},
    {"second", 1000000000},
    {"seconds", 1000000000},
    {"ms", 1000000},
    {"milli", 1000000},
    {"millis", 1000000},
    {"millisecond", 1000000},
    {"milliseconds", 1000000},
    {"micro", 1000},
    {"micros", 1000},
    {"microsecond", 1000},
    {"microseconds", 1000},
    {"nano", 1},
    {"nanos", 1},
    {"nanosecond", 1},
    {"nanoseconds", 1},
    {"tick", 100},
    {"ticks", 100},
};

int64_t kq_timespan_unit(kq_sv unit) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (kq_sv_eq(unit, kq_sv_of(units[i].name))) return units[i].scaled;
    return 0;
}

bool kq_is_literal_type(kq_sv name) {
    static const char *const types[] = {"bool",     "boolean", "int",  "long",     "real", "double",
                                        "datetime", "date",    "time", "timespan", "guid", "decimal"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (kq_sv_eq(name, kq_sv_of(types[i]))) return true;
    return false;
}

static uint32_t skip_blanks(kq_sv s, uint32_t at) {
    while (at < s.n) {
        char c = s.p[at];
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            at++;
        } else if (c == '/' && at + 1 < s.n && s.p[at + 1] == '/') {
            while (at < s.n && s.p[at] != '\n') at++;
        } else if ((unsigned char)c >= 0x80) {
            /* the blanks that editors and web pages leave in queries */
            uint32_t cp;
            unsigned len = kq_utf8_decode(s.p + at, s.p + s.n, &cp);
            if (cp != 0xA0 && cp != 0xFEFF && cp != 0x2028 && cp != 0x2029 && cp != 0x3000 && cp != 0x202F &&
                !(cp >= 0x2000 && cp <= 0x200B))
                break;
            at += len;
        } else {
            break;
        }
    }
    return at;
}

static kq_token token(kq_token_kind kind, uint32_t start, uint32_t end) {
    return (kq_token){.span = {start, end - start}, .kind = kind};
}

static kq_token bad(const char *why, uint32_t start, uint32_t end) {
    return (kq_token){.span = {start, end - start}, .kind = KQ_TOKEN_BAD, .bad = why};
}

/* The string that opens at `at` with its quote; `start` is where its prefix stands. */
static kq_token lex_string(kq_sv s, uint32_t start, uint32_t at, bool verbatim) {
    char quote = s.p[at];
    uint32_t i = at + 1;
    if (quote == '`' || quote == '~') {
        for (i = at + 3; i + 2 < s.n; i++)
            if (s.p[i] == quote && s.p[i + 1] == quote && s.p[i + 2] == quote)
                return token(KQ_TOKEN_STRING, start, i + 3);
        return bad("unterminated multi-line string", start, at + 3);
    }
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\n' || c == '\r') break;
        if (c == '\\' && !verbatim) {
            if (i + 1 < s.n && s.p[i + 1] != '\n' && s.p[i + 1] != '\r') i++;
        } else if (c == quote) {
            if (verbatim && i + 1 < s.n && s.p[i + 1] == quote)
                i++;
            else
                return token(KQ_TOKEN_STRING, start, i + 1);
        }
    }
    return bad("unterminated string", start, i);
}

static bool opens_multiline(kq_sv s, uint32_t at) {
    return at + 2 < s.n && (s.p[at] == '`' || s.p[at] == '~') && s.p[at + 1] == s.p[at] && s.p[at + 2] == s.p[at];
}

/* A string with or without its prefixes h and @, if one starts here. */
static bool try_string(kq_sv s, uint32_t start, kq_token *out) {
    uint32_t at = start;
    bool verbatim = false;
    if (s.p[at] == 'h' || s.p[at] == 'H') at++;
    if (at < s.n && s.p[at] == '@') {
        verbatim = true;
        at++;
    }
    if (at >= s.n) return false;
    if (s.p[at] != '"' && s.p[at] != '\'' && (verbatim || !opens_multiline(s, at))) return false;
    *out = lex_string(s, start, at, verbatim);
    return true;
}

static kq_token lex_number(kq_sv s, uint32_t start) {
    uint32_t i = start;
    if (s.p[i] == '0' && i + 2 < s.n && (s.p[i + 1] == 'x' || s.p[i + 1] == 'X')) {
        uint32_t j = i + 2;
        while (j < s.n && (kq_is_digit(s.p[j]) || ((s.p[j] | 0x20) >= 'a' && (s.p[j] | 0x20) <= 'f'))) j++;
        if (j > i + 2 && (j == s.n || !kq_is_name_char(s.p[j]))) return token(KQ_TOKEN_LONG, start, j);
    }
    while (i < s.n && kq_is_digit(s.p[i])) i++;
    bool real = false;
    /* a dot belongs to the number unless it is the first of "..", as in between (1..2) */
    if (i < s.n && s.p[i] == '.' && !(i + 1 < s.n && (s.p[i + 1] == '.' || kq_is_name_start(s.p[i + 1])))) {
        real = true;
        i++;
        while (i < s.n && kq_is_digit(s.p[i])) i++;
    }
    uint32_t number = i;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        uint32_t j = i + 1;
        if (j < s.n && (s.p[j] == '+' || s.p[j] == '-')) j++;
        uint32_t digits = j;
        while (j < s.n && kq_is_digit(s.p[j])) j++;
        if (j > digits && (j == s.n || !kq_is_name_char(s.p[j]))) return token(KQ_TOKEN_REAL, start, j);
    }
    while (i < s.n && kq_is_name_char(s.p[i])) i++;
    if (i == number) return token(real ? KQ_TOKEN_REAL : KQ_TOKEN_LONG, start, i);
    if (kq_timespan_unit(kq_sv_slice(s, number, i))) return token(KQ_TOKEN_TIMESPAN, start, i);
    if (real) return bad("malformed number", start, i);
    return token(KQ_TOKEN_WORD, start, i); /* a name may begin with digits: 4a */
}

/* The rest of long(...), datetime(...) from its '('; a quoted text inside may hold ')'. */
static kq_token lex_typed(kq_sv s, uint32_t start, uint32_t paren) {
    uint32_t i = paren + 1;
    while (i < s.n && s.p[i] != ')') {
        if (s.p[i] == '"' || s.p[i] == '\'') {
            const char *end = memchr(s.p + i + 1, s.p[i], s.n - i - 1);
            if (!end) break;
            i = (uint32_t)(end - s.p);
        }
        i++;
    }
    if (i >= s.n || s.p[i] != ')') return bad("a literal is not closed with ')'", start, paren + 1);
    return token(KQ_TOKEN_TYPED, start, i + 1);
}

static kq_token lex_word(kq_sv s, uint32_t start) {
    uint32_t i = start + 1;
    while (i < s.n && kq_is_name_char(s.p[i])) i++;
    kq_sv word = kq_sv_slice(s, start, i);
    if (word.n == 2 && memcmp(word.p, "in", 2) == 0 && i < s.n && s.p[i] == '~')
        return token(KQ_TOKEN_NOT_WORD, start, i + 1);
    if (kq_is_literal_type(word)) {
        uint32_t paren = skip_blanks(s, i);
        if (paren < s.n && s.p[paren] == '(') return lex_typed(s, start, paren);
    }
    return token(KQ_TOKEN_WORD, start, i);
}

static kq_token lex_token(kq_sv s, uint32_t at) {
    char c = s.p[at];
    kq_token t;
    if ((c == '"' || c == '\'' || c == '@' || c == 'h' || c == 'H' || c == '`' || c == '~') && try_string(s, at, &t))
        return t;
    if (kq_is_digit(c)) return lex_number(s, at);
    if (kq_is_name_start(c) || (c == '$' && at + 1 < s.n && kq_is_name_start(s.p[at + 1]))) return lex_word(s, at);
    if (c == '!' && at + 1 < s.n && kq_is_name_start(s.p[at + 1])) {
        uint32_t i = at + 1;
        while (i < s.n && kq_is_name_char(s.p[i])) i++;
        if (i - at == 3 && memcmp(s.p + at, "!in", 3) == 0 && i < s.n && s.p[i] == '~') i++;
        return token(KQ_TOKEN_NOT_WORD, at, i);
    }
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (s.n - at >= symbols[i].n && memcmp(s.p + at, symbols[i].text, symbols[i].n) == 0)
            return token(symbols[i].kind, at, at + symbols[i].n);
    if (c == '!') return bad("'!' is no operator of its own: write not(...)", at, at + 1);
    uint32_t cp;
    unsigned len = kq_utf8_decode(s.p + at, s.p + s.n, &cp);
    if (cp == 0x2018 || cp == 0x2019 || cp == 0x201C || cp == 0x201D)
        return bad("a typographic quote: write ' or \"", at, at + len);
    if (cp < 0x20 || cp == 0x7F) return bad("a control character", at, at + len);
    return bad("a character that has no meaning here", at, at + len);
}

kq_token kq_lex_next(kq_sv text, uint32_t *pos) {
    uint32_t at = skip_blanks(text, *pos);
    kq_token t = at >= text.n ? token(KQ_TOKEN_END, at, at) : lex_token(text, at);
    *pos = t.span.start + t.span.len;
    return t;
}

kq_status kq_lex(kq_sv text, kq_arena *arena, kq_token **tokens, uint32_t *n, kq_error *err) {
    if (text.n > KQ_QUERY_MAX)
        return kq_fail(err, KQ_ERR_LIMIT, "the query is longer than %zu MiB", KQ_QUERY_MAX >> 20);
    uint32_t count = 0, pos = 0;
    for (kq_token t;;) {
        t = kq_lex_next(text, &pos);
        count++;
        if (t.kind == KQ_TOKEN_END || t.kind == KQ_TOKEN_BAD) break;
    }
    kq_token *all = kq_arena_array(arena, kq_token, count);
    if (!all) return kq_arena_status(arena, err);
    pos = 0;
    for (uint32_t i = 0; i < count; i++) all[i] = kq_lex_next(text, &pos);
    /* the end is where the text ends, not after the blank lines behind it */
    kq_token *last = &all[count - 1];
    if (last->kind == KQ_TOKEN_END && count > 1) last->span.start = last[-1].span.start + last[-1].span.len;
    *tokens = all;
    *n = count;
    return KQ_OK;
}
