/*
 * The parser of Kusto's regular expressions. Source: Kusto documentation, "Regex syntax", which is the syntax of Rust's
 * regex crate with octal escapes.
 */
#include "text/regex_ast.h"
#include "text/unit.h"

typedef struct flags {
    bool i, m, s, U, x, ascii, crlf;
} flags;

typedef struct parser {
    kq_sv src;
    size_t at;
    flags f;
    unsigned depth;
    unsigned tables; /* classes so far whose sets are read from the Unicode tables */
    kq_arena *arena;
    kq_error *err;
    kq_re_tree *tree;
    kq_buf names; /* kq_sv per group */
} parser;

static kq_status bad(parser *p, const char *what) {
    size_t near = p->at < p->src.n ? p->at : p->src.n;
    return kq_fail(p->err, KQ_ERR_QUERY, "the regular expression '" KQ_SV_FMT "' is malformed at character %zu: %s",
                   KQ_SV_ARG(p->src), kq_utf8_count(kq_sv_slice(p->src, 0, near)) + 1, what);
}

static bool end(const parser *p) {
    return p->at >= p->src.n;
}
static char peek(const parser *p, size_t ahead) {
    return p->at + ahead < p->src.n ? p->src.p[p->at + ahead] : 0;
}
static bool looking_at(const parser *p, const char *text) {
    return kq_sv_starts(kq_sv_slice(p->src, p->at, p->src.n), kq_sv_of(text));
}
static bool accept(parser *p, const char *text) {
    if (!looking_at(p, text)) return false;
    p->at += strlen(text);
    return true;
}

static uint32_t take(parser *p) {
    uint32_t cp;
    p->at += kq_utf8_decode(p->src.p + p->at, p->src.p + p->src.n, &cp);
    return cp;
}

static bool is_space(uint32_t cp) {
    return cp == ' ' || (cp >= 9 && cp <= 13) || cp == 0x85 || cp == 0x200E || cp == 0x200F || cp == 0x2028 ||
           cp == 0x2029;
}

/* In verbose mode white space and comments mean nothing. */
static void skip_space(parser *p) {
    while (p->f.x && !end(p)) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p->src.p + p->at, p->src.p + p->src.n, &cp);
        if (cp == '#')
            while (!end(p) && peek(p, 0) != '\n') p->at++;
        else if (is_space(cp))
            p->at += n;
        else
            return;
    }
}

static kq_status new_node(parser *p, kq_re_kind kind, kq_re_node **out) {
    *out = kq_arena_new(p->arena, kq_re_node);
    if (!*out) return kq_arena_status(p->arena, p->err);
    (*out)->kind = kind;
    (*out)->ci = p->f.i;
    (*out)->ascii = p->f.ascii;
    return KQ_OK;
}

static kq_status enter(parser *p) {
    return ++p->depth > KQ_RE_DEPTH ? bad(p, "it is nested too deeply") : KQ_OK;
}

/* ---- escapes ---- */

/* Reading the tables takes milliseconds: no pattern may ask for it without end. */
static kq_status reads_tables(parser *p) {
    return ++p->tables > 500 ? bad(p, "it has too many classes of characters") : KQ_OK;
}

static int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static kq_status hex_escape(parser *p, unsigned digits, uint32_t *cp) {
    bool braces = accept(p, "{");
    uint64_t v = 0;
    unsigned n = 0;
    for (int d; n < (braces ? 16u : digits) && (d = hex_of(peek(p, 0))) >= 0; n++, p->at++) {
        v = v << 4 | (unsigned)d;
        if (v > 0x10FFFF) return bad(p, "the escape is no code point");
    }
    if (n == 0 || (!braces && n != digits) || (braces && !accept(p, "}")))
        return bad(p, "hexadecimal digits are missing in the escape");
    if (v >= 0xD800 && v <= 0xDFFF) return bad(p, "the escape is no code point");
    *cp = (uint32_t)v;
    return KQ_OK;
}

/* \p{...}: the name as RE2 or regex_class.c knows it. */
static kq_status property(parser *p, kq_re_item *item) {
    kq_sv name;
    if (accept(p, "{")) {
        size_t start = p->at;
        while (!end(p) && peek(p, 0) != '}') p->at++;
        name = kq_sv_slice(p->src, start, p->at);
        if (!accept(p, "}")) return bad(p, "'}' is missing");
        if (name.n && name.p[0] == '^') {
            item->negated = !item->negated;
            name = kq_sv_slice(name, 1, name.n);
        }
        for (size_t i = 0; i < name.n; i++)
            if (name.p[i] == '=' || name.p[i] == ':') {
                if (i && name.p[i - 1] == '!') item->negated = !item->negated;
                name = kq_sv_slice(name, i + 1, name.n);
                break;
            }
    } else {
        size_t start = p->at;
        if (end(p)) return bad(p, "the name of a class is missing");
        take(p);
        name = kq_sv_slice(p->src, start, p->at);
    }
    KQ_TRY(reads_tables(p));
    item->kind = KQ_RE_ITEM_PROPERTY;
    item->name = kq_arena_copy(p->arena, name);
    return item->name.p ? KQ_OK : kq_arena_status(p->arena, p->err);
}

/* After a backslash: a class, or one code point. */
static kq_status escape(parser *p, kq_re_item *item) {
    if (end(p)) return bad(p, "a backslash at the end");
    uint32_t c = take(p);
    *item = (kq_re_item){.kind = KQ_RE_ITEM_RANGE, .ascii = p->f.ascii, .lo = c, .hi = c};
    switch (c) {
    case 'd':
    case 'D': item->kind = KQ_RE_ITEM_DIGIT; break;
    case 's':
    case 'S': item->kind = KQ_RE_ITEM_SPACE; break;
    case 'w':
    case 'W': item->kind = KQ_RE_ITEM_WORD; break;
    case 'p':
    case 'P': item->negated = c == 'P'; return property(p, item);
    case 'a': item->lo = 7; break;
    case 'f': item->lo = 12; break;
    case 't': item->lo = 9; break;
    case 'n': item->lo = 10; break;
    case 'r': item->lo = 13; break;
    case 'v': item->lo = 11; break;
    case 'x': KQ_TRY(hex_escape(p, 2, &item->lo)); break;
    case 'u': KQ_TRY(hex_escape(p, 4, &item->lo)); break;
    case 'U': KQ_TRY(hex_escape(p, 8, &item->lo)); break;
    default:; /* a declaration is no statement before C23 */
        bool octal = c <= '7' && (c == '0' || (peek(p, 0) >= '0' && peek(p, 0) <= '7'));
        if (c >= '0' && octal) {
            uint32_t v = c - '0';
            for (int n = 1; n < 3 && peek(p, 0) >= '0' && peek(p, 0) <= '7'; n++) v = v * 8 + (uint32_t)(take(p) - '0');
            item->lo = v;
        } else if (c >= '0' && c <= '9') { /* also \1, which looks like one and which RE2 refuses as such */
            return bad(p, "backreferences are not supported");
        } else if (c >= 0x80 || kq_ascii_class[c] || c == '<' || c == '>') {
            return bad(p, "unknown escape");
        }
    }
    if (item->kind == KQ_RE_ITEM_RANGE) {
        item->hi = item->lo;
        return KQ_OK;
    }
    item->negated = c < 'a';
    if (!item->ascii) {
        p->tree->unicode = true;
        KQ_TRY(reads_tables(p));
    }
    if (item->ascii && item->negated) return bad(p, "with the flag -u it might match a part of a character");
    return KQ_OK;
}

/* ---- classes ---- */

static kq_status parse_class(parser *p, kq_re_class **out);

static kq_status add_item(parser *p, kq_re_class *cls, const kq_re_item *item) {
    kq_re_item *kept = kq_arena_new(p->arena, kq_re_item);
    if (!kept) return kq_arena_status(p->arena, p->err);
    *kept = *item;
    kept->next = NULL;
    *cls->last = kept;
    cls->last = &kept->next;
    return KQ_OK;
}

static kq_status add_range(parser *p, kq_re_class *cls, uint32_t lo, uint32_t hi) {
    return add_item(p, cls, &(kq_re_item){.kind = KQ_RE_ITEM_RANGE, .lo = lo, .hi = hi});
}

static kq_status new_class(parser *p, kq_re_class **out) {
    *out = kq_arena_new(p->arena, kq_re_class);
    if (!*out) return kq_arena_status(p->arena, p->err);
    (*out)->ci = p->f.i;
    (*out)->last = &(*out)->items;
    return KQ_OK;
}

/* [:alpha:] and its kin, which are ASCII; false when it is none, and then it is a nested class. */
static const struct {
    const char *name, *ranges;
} posix[] = {
    {"alnum", "09AZaz"}, {"alpha", "AZaz"}, {"ascii", NULL},      {"blank", "\t\t  "},  {"cntrl", NULL},
    {"digit", "09"},     {"graph", "!~"},   {"lower", "az"},      {"print", " ~"},      {"punct", "!/:@[`{~"},
    {"space", "\t\r  "}, {"upper", "AZ"},   {"word", "09AZ__az"}, {"xdigit", "09AFaf"},
};

static kq_status posix_class(parser *p, kq_re_class *cls, bool *is_posix) {
    *is_posix = false;
    size_t start = p->at + 2, at = start;
    bool negated = at < p->src.n && p->src.p[at] == '^';
    if (negated) at = ++start;
    while (at < p->src.n && (kq_ascii_class[(unsigned char)p->src.p[at]] & 2)) at++;
    if (at + 1 >= p->src.n || p->src.p[at] != ':' || p->src.p[at + 1] != ']') return KQ_OK;
    kq_sv name = kq_sv_slice(p->src, start, at);
    for (size_t i = 0; i < sizeof posix / sizeof *posix; i++) {
        if (!kq_sv_eq(name, kq_sv_of(posix[i].name))) continue;
        *is_posix = true;
        p->at = at + 2;
        kq_re_class *nested;
        KQ_TRY(new_class(p, &nested));
        nested->negated = negated;
        const char *r = posix[i].ranges;
        if (!r && name.p[0] == 'a') KQ_TRY(add_range(p, nested, 0, 0x7F));
        if (!r && name.p[0] == 'c') {
            KQ_TRY(add_range(p, nested, 0, 0x1F));
            KQ_TRY(add_range(p, nested, 0x7F, 0x7F));
        }
        for (; r && *r; r += 2) KQ_TRY(add_range(p, nested, (unsigned char)r[0], (unsigned char)r[1]));
        return add_item(p, cls, &(kq_re_item){.kind = KQ_RE_ITEM_CLASS, .nested = nested});
    }
    return KQ_OK;
}

static kq_status class_primitive(parser *p, kq_re_item *item) {
    if (end(p)) return bad(p, "']' is missing");
    if (accept(p, "\\")) {
        if (peek(p, 0) == 'b' || peek(p, 0) == 'B' || peek(p, 0) == 'A' || peek(p, 0) == 'z')
            return bad(p, "an assertion can't stand in a class");
        return escape(p, item);
    }
    uint32_t cp = take(p);
    *item = (kq_re_item){.kind = KQ_RE_ITEM_RANGE, .lo = cp, .hi = cp};
    return KQ_OK;
}

static kq_status class_item(parser *p, kq_re_class *cls) {
    kq_re_item item;
    KQ_TRY(class_primitive(p, &item));
    skip_space(p);
    if (peek(p, 0) != '-' || peek(p, 1) == ']' || peek(p, 1) == '-') return add_item(p, cls, &item);
    p->at++;
    skip_space(p);
    kq_re_item to;
    KQ_TRY(class_primitive(p, &to));
    if (item.kind != KQ_RE_ITEM_RANGE || to.kind != KQ_RE_ITEM_RANGE) return bad(p, "a class can't bound a range");
    if (item.lo > to.lo) return bad(p, "a range is in the wrong order");
    item.hi = to.lo;
    return add_item(p, cls, &item);
}

/* At '['. Set operators bind weaker than writing side by side and group to the left. */
static kq_status parse_class(parser *p, kq_re_class **out) {
    KQ_TRY(enter(p));
    p->at++;
    kq_re_class *whole = NULL, *cls;
    char op = 0;
    skip_space(p);
    bool negated = accept(p, "^");
    KQ_TRY(new_class(p, &cls));
    skip_space(p);
    while (peek(p, 0) == '-' && !end(p)) {
        KQ_TRY(add_range(p, cls, '-', '-'));
        p->at++;
        skip_space(p);
    }
    if (!cls->items && accept(p, "]")) KQ_TRY(add_range(p, cls, ']', ']'));
    for (;;) {
        skip_space(p);
        if (end(p)) return bad(p, "']' is missing");
        bool closes = peek(p, 0) == ']';
        if (closes || looking_at(p, "&&") || looking_at(p, "--") || looking_at(p, "~~")) {
            if (whole) {
                kq_re_class *both;
                KQ_TRY(reads_tables(p));
                KQ_TRY(new_class(p, &both));
                both->op = op;
                both->left = whole;
                both->right = cls;
                whole = both;
                /* Operators group to the left: a long row of them is as deep as nested classes. */
                KQ_TRY(enter(p));
            } else {
                whole = cls;
            }
            if (closes) break;
            op = peek(p, 0);
            p->at += 2;
            KQ_TRY(new_class(p, &cls));
            continue;
        }
        if (peek(p, 0) == '[') {
            bool is_posix = false;
            if (peek(p, 1) == ':') KQ_TRY(posix_class(p, cls, &is_posix));
            if (is_posix) continue;
            kq_re_class *nested;
            KQ_TRY(reads_tables(p));
            KQ_TRY(parse_class(p, &nested));
            KQ_TRY(add_item(p, cls, &(kq_re_item){.kind = KQ_RE_ITEM_CLASS, .nested = nested}));
            continue;
        }
        KQ_TRY(class_item(p, cls));
    }
    p->at++;
    for (kq_re_class *c = whole; c->op; c = c->left) p->depth--;
    p->depth--;
    if (negated && p->f.ascii) return bad(p, "with the flag -u it might match a part of a character");
    whole->negated = negated;
    *out = whole;
    return KQ_OK;
}

/* ---- groups and flags ---- */

static kq_status parse_flags(parser *p, flags *f) {
    bool on = true, any = false;
    for (;; p->at++) {
        switch (peek(p, 0)) {
        case 'i': f->i = on; break;
        case 'm': f->m = on; break;
        case 's': f->s = on; break;
        case 'U': f->U = on; break;
        case 'x': f->x = on; break;
        case 'u': f->ascii = !on; break;
        case 'R': f->crlf = on; break;
        case '-':
            if (!on) return bad(p, "a second '-' among the flags");
            on = false;
            any = false;
            continue;
        case ':':
        case ')':
            if (!any && (!on || peek(p, 0) == ')')) return bad(p, "flags are missing");
            if (f->i && f->ascii) return bad(p, "the flags i and -u are not supported together");
            return KQ_OK;
        case '=':
        case '!': return bad(p, "look-around is not supported");
        case 0:
            if (end(p)) return bad(p, "')' is missing");
            return bad(p, "unknown flag");
        default: return bad(p, "unknown flag");
        }
        any = true;
    }
}

static kq_status add_group(parser *p, kq_sv name, uint32_t *index) {
    for (size_t i = 0; name.n && i < p->names.n / sizeof(kq_sv); i++)
        if (kq_sv_eq(((const kq_sv *)(const void *)p->names.p)[i], name)) return bad(p, "two groups have one name");
    kq_sv copy = {0};
    if (name.n) {
        copy = kq_arena_copy(p->arena, name);
        if (!copy.p) return kq_arena_status(p->arena, p->err);
    }
    kq_buf_append(&p->names, &copy, sizeof copy);
    *index = ++p->tree->groups;
    if (*index > 1000) return kq_fail(p->err, KQ_ERR_QUERY, "a regular expression has more than 1000 groups");
    return kq_buf_status(&p->names, p->err);
}

static kq_status group_name(parser *p, kq_sv *name) {
    size_t start = p->at;
    while (!end(p) && peek(p, 0) != '>') {
        size_t before = p->at;
        uint32_t c = take(p);
        bool ok = c == '_' || kq_is_term(c) || (before > start && (c == '.' || c == '[' || c == ']'));
        if (!ok || (before == start && c >= '0' && c <= '9')) return bad(p, "the name of a group is malformed");
    }
    *name = kq_sv_slice(p->src, start, p->at);
    if (!accept(p, ">") || name->n == 0) return bad(p, "the name of a group is malformed");
    return KQ_OK;
}

static kq_status parse_alternate(parser *p, kq_re_node **out);

/* After '('. A directive like (?i) gives no node but changes the flags of the group around it. */
static kq_status parse_group(parser *p, kq_re_node **out) {
    flags outer = p->f;
    kq_re_node *group;
    uint32_t index = 0;
    *out = NULL;
    kq_sv name = {0};
    if (looking_at(p, "?<=") || looking_at(p, "?<!") || looking_at(p, "?=") || looking_at(p, "?!"))
        return bad(p, "look-around is not supported");
    if (accept(p, "?P<") || accept(p, "?<")) {
        KQ_TRY(group_name(p, &name));
        KQ_TRY(add_group(p, name, &index));
    } else if (accept(p, "?")) {
        flags inner = p->f;
        KQ_TRY(parse_flags(p, &inner));
        p->f = inner;
        if (accept(p, ")")) return KQ_OK;
        p->at++; /* ':' */
    } else {
        KQ_TRY(add_group(p, name, &index));
    }
    KQ_TRY(enter(p));
    KQ_TRY(new_node(p, KQ_RE_GROUP, &group));
    group->index = index;
    KQ_TRY(parse_alternate(p, &group->child));
    if (!accept(p, ")")) return bad(p, "')' is missing");
    p->depth--;
    p->f = outer;
    *out = group;
    return KQ_OK;
}

/* ---- atoms and repetitions ---- */

static kq_status assertion(parser *p, kq_re_assert kind, kq_re_node **out) {
    KQ_TRY(new_node(p, KQ_RE_ASSERT, out));
    (*out)->assertion = kind;
    if (kind == KQ_RE_WORD || kind == KQ_RE_NOT_WORD) p->tree->word |= !p->f.ascii || kind == KQ_RE_NOT_WORD;
    if (kind >= KQ_RE_WORD_START || kind == KQ_RE_LINE_START_CRLF || kind == KQ_RE_LINE_END_CRLF)
        p->tree->beyond = true;
    return KQ_OK;
}

static kq_status parse_escape(parser *p, kq_re_node **out) {
    static const struct {
        const char *text;
        kq_re_assert kind;
    } assertions[] = {
        {"b{start-half}", KQ_RE_WORD_START_HALF},
        {"b{end-half}", KQ_RE_WORD_END_HALF},
        {"b{start}", KQ_RE_WORD_START},
        {"b{end}", KQ_RE_WORD_END},
        {"<", KQ_RE_WORD_START},
        {">", KQ_RE_WORD_END},
        {"b", KQ_RE_WORD},
        {"B", KQ_RE_NOT_WORD},
        {"A", KQ_RE_TEXT_START},
        {"z", KQ_RE_TEXT_END},
    };
    for (size_t i = 0; i < sizeof assertions / sizeof *assertions; i++)
        if (accept(p, assertions[i].text)) return assertion(p, assertions[i].kind, out);
    kq_re_item item;
    KQ_TRY(escape(p, &item));
    if (item.kind == KQ_RE_ITEM_RANGE) {
        KQ_TRY(new_node(p, KQ_RE_LITERAL, out));
        (*out)->cp = item.lo;
        return KQ_OK;
    }
    KQ_TRY(new_node(p, KQ_RE_CLASS, out));
    KQ_TRY(new_class(p, &(*out)->cls));
    return add_item(p, (*out)->cls, &item);
}

static kq_status parse_atom(parser *p, kq_re_node **out) {
    if (peek(p, 0) == '[') {
        KQ_TRY(new_node(p, KQ_RE_CLASS, out));
        return parse_class(p, &(*out)->cls);
    }
    uint32_t c = take(p);
    switch (c) {
    case '(': return parse_group(p, out);
    case '\\': return parse_escape(p, out);
    case '^':
        return assertion(p, !p->f.m ? KQ_RE_TEXT_START : p->f.crlf ? KQ_RE_LINE_START_CRLF : KQ_RE_LINE_START, out);
    case '$': return assertion(p, !p->f.m ? KQ_RE_TEXT_END : p->f.crlf ? KQ_RE_LINE_END_CRLF : KQ_RE_LINE_END, out);
    case '.':
        if (p->f.ascii) return bad(p, "with the flag -u it might match a part of a character");
        KQ_TRY(new_node(p, KQ_RE_ANY, out));
        (*out)->any = p->f.s ? KQ_RE_ANY_AT_ALL : p->f.crlf ? KQ_RE_ANY_BUT_CRLF : KQ_RE_ANY_BUT_LF;
        return KQ_OK;
    case '*':
    case '+':
    case '?': return bad(p, "nothing to repeat");
    default:
        KQ_TRY(new_node(p, KQ_RE_LITERAL, out));
        (*out)->cp = c;
        return KQ_OK;
    }
}

static bool decimal(parser *p, uint32_t *out) {
    uint64_t v = 0;
    size_t start = p->at;
    for (; peek(p, 0) >= '0' && peek(p, 0) <= '9'; p->at++)
        if (v <= UINT32_MAX) v = v * 10 + (unsigned)(peek(p, 0) - '0');
    *out = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX - 1;
    return p->at > start;
}

/* At '{': {n}, {n,}, {n,m}; anything else is taken literally, as RE2 does, and *is is false. */
static kq_status counted(parser *p, uint32_t *min, uint32_t *max, bool *is) {
    size_t start = p->at++;
    *is = false;
    if (decimal(p, min)) {
        *max = *min;
        if (accept(p, ",") && !decimal(p, max)) *max = KQ_RE_INFINITE;
        *is = accept(p, "}");
    } else if (accept(p, ",") && decimal(p, max) && accept(p, "}")) {
        return bad(p, "the lower bound of the repetition is missing");
    }
    if (!*is) {
        p->at = start;
        return KQ_OK;
    }
    return *min > *max ? bad(p, "the bounds of the repetition are in the wrong order") : KQ_OK;
}

static kq_status parse_repeats(parser *p, kq_re_node **node) {
    unsigned depth = p->depth;
    for (;;) {
        skip_space(p);
        uint32_t min = 0, max = KQ_RE_INFINITE;
        bool is = true;
        char c = peek(p, 0);
        if (c == '*' || c == '+' || c == '?') {
            p->at++;
            min = c == '+';
            if (c == '?') max = 1;
        } else if (c == '{') {
            KQ_TRY(counted(p, &min, &max, &is));
        } else {
            is = false;
        }
        if (!is) break;
        KQ_TRY(enter(p));
        kq_re_node *repeat;
        KQ_TRY(new_node(p, KQ_RE_REPEAT, &repeat));
        repeat->greedy = accept(p, "?") == p->f.U;
        repeat->min = min;
        repeat->max = max;
        repeat->child = *node;
        *node = repeat;
    }
    p->depth = depth;
    return KQ_OK;
}

static kq_status parse_concat(parser *p, kq_re_node **out) {
    kq_re_node *concat, **last;
    KQ_TRY(new_node(p, KQ_RE_CONCAT, &concat));
    last = &concat->child;
    for (;;) {
        skip_space(p);
        if (end(p) || peek(p, 0) == '|' || peek(p, 0) == ')') break;
        kq_re_node *atom = NULL;
        KQ_TRY(parse_atom(p, &atom));
        if (!atom) {
            skip_space(p);
            char c = peek(p, 0);
            if (c == '*' || c == '+' || c == '?') return bad(p, "nothing to repeat");
            continue;
        }
        KQ_TRY(parse_repeats(p, &atom));
        *last = atom;
        last = &atom->next;
    }
    if (!concat->child) concat->kind = KQ_RE_EMPTY;
    *out = concat;
    return KQ_OK;
}

static kq_status parse_alternate(parser *p, kq_re_node **out) {
    kq_re_node *first, *alternate = NULL, *last;
    KQ_TRY(parse_concat(p, &first));
    last = first;
    while (accept(p, "|")) {
        if (!alternate) {
            KQ_TRY(new_node(p, KQ_RE_ALTERNATE, &alternate));
            alternate->child = first;
        }
        KQ_TRY(parse_concat(p, &last->next));
        last = last->next;
    }
    *out = alternate ? alternate : first;
    return KQ_OK;
}

kq_status kq_re_parse(kq_sv pattern, bool ci, kq_arena *arena, kq_re_tree *out, kq_error *err) {
    *out = (kq_re_tree){0};
    if (pattern.n > 1u << 20) return kq_fail(err, KQ_ERR_QUERY, "a regular expression is longer than a megabyte");
    parser p = {.src = pattern, .f = {.i = ci}, .arena = arena, .err = err, .tree = out};
    kq_buf_init(&p.names, arena->budget, 0);
    kq_sv whole = {0};
    kq_buf_append(&p.names, &whole, sizeof whole);
    kq_status status = parse_alternate(&p, &out->root);
    if (status == KQ_OK && !end(&p)) status = bad(&p, "')' without '('");
    if (status == KQ_OK) {
        out->names = kq_arena_array(arena, kq_sv, out->groups + 1);
        if (out->names && p.names.n)
            memcpy(out->names, p.names.p, p.names.n);
        else
            status = kq_arena_status(arena, err);
    }
    kq_buf_deinit(&p.names);
    return status;
}
