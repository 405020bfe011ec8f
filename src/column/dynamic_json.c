/* The JSON parser of parse_json: strict RFC 8259 but for ill-formed UTF-8 and lone surrogates, which become U+FFFD. */
#include "base/number.h"
#include "base/utf8.h"
#include "column/dynamic.h"
#include "column/dynamic_internal.h"
#include <math.h>

typedef struct parser {
    const char *p, *end;
    kq_buf *out;
    kq_buf ends; /* u32 ends of the parts of all open containers, innermost last */
} parser;

static void skip_blanks(parser *j) {
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r')) j->p++;
}

static bool take_word(parser *j, const char *word, size_t n) {
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0) return false;
    j->p += n;
    return true;
}

static bool digit(const parser *j) {
    return j->p < j->end && *j->p >= '0' && *j->p <= '9';
}

static bool parse_number(parser *j) {
    const char *start = j->p;
    bool negative = *j->p == '-', integer = true;
    j->p += negative;
    if (!digit(j)) return false;
    uint64_t value = 0;
    bool fits = true;
    if (*j->p == '0') {
        j->p++;
    } else {
        for (; digit(j); j->p++)
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, (uint64_t)(*j->p - '0'), &value))
                fits = false;
    }
    if (j->p < j->end && *j->p == '.') {
        integer = false;
        j->p++;
        if (!digit(j)) return false;
        while (digit(j)) j->p++;
    }
    if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
        integer = false;
        j->p++;
        if (j->p < j->end && (*j->p == '+' || *j->p == '-')) j->p++;
        if (!digit(j)) return false;
        while (digit(j)) j->p++;
    }
    if (integer && fits && value <= (uint64_t)INT64_MAX + negative) {
        kq_dyn_put_long(j->out, (int64_t)(negative ? 0 - value : value));
        return true;
    }
    double r;
    /* The syntax is right, so only a number out of range is refused. */
    if (!kq_number_parse_real((kq_sv){start, (size_t)(j->p - start)}, &r)) r = negative ? -HUGE_VAL : HUGE_VAL;
    kq_dyn_put_real(j->out, r);
    return true;
}

static bool hex4(parser *j, uint32_t *out) {
    if (j->end - j->p < 4) return false;
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = *j->p++;
        unsigned d;
        if (c >= '0' && c <= '9')
            d = (unsigned)(c - '0');
        else if (kq_ascii_lower(c) >= 'a' && kq_ascii_lower(c) <= 'f')
            d = (unsigned)(kq_ascii_lower(c) - 'a') + 10;
        else
            return false;
        v = v << 4 | d;
    }
    *out = v;
    return true;
}

/* After "\u": one code point, of a surrogate pair when there is one. */
static bool unicode_escape(parser *j, uint32_t *cp) {
    if (!hex4(j, cp)) return false;
    if (*cp >= 0xD800 && *cp <= 0xDBFF && j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u') {
        const char *back = j->p;
        uint32_t low;
        j->p += 2;
        if (!hex4(j, &low)) return false;
        if (low >= 0xDC00 && low <= 0xDFFF)
            *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
        else
            j->p = back;
    }
    return true;
}

/* The rest of a string after its opening quote, decoded onto `out`. */
static bool string_body(parser *j) {
    for (;;) {
        const char *run = j->p;
        j->p += kq_json_plain(j->p, j->end);
        if (j->p > run) kq_buf_append(j->out, run, (size_t)(j->p - run));
        if (j->p == j->end) return false;
        unsigned char c = (unsigned char)*j->p;
        char utf8[4];
        uint32_t cp;
        if (c == '"') {
            j->p++;
            return true;
        }
        if (c < 0x20) return false;
        if (c >= 0x80) {
            j->p += kq_utf8_decode(j->p, j->end, &cp);
            kq_buf_append(j->out, utf8, kq_utf8_encode(cp, utf8));
            continue;
        }
        if (++j->p == j->end) return false;
        switch (*j->p++) {
        case '"': kq_buf_char(j->out, '"'); break;
        case '\\': kq_buf_char(j->out, '\\'); break;
        case '/': kq_buf_char(j->out, '/'); break;
        case 'b': kq_buf_char(j->out, '\b'); break;
        case 'f': kq_buf_char(j->out, '\f'); break;
        case 'n': kq_buf_char(j->out, '\n'); break;
        case 'r': kq_buf_char(j->out, '\r'); break;
        case 't': kq_buf_char(j->out, '\t'); break;
        case 'u':
            if (!unicode_escape(j, &cp)) return false;
            kq_buf_append(j->out, utf8, kq_utf8_encode(cp, utf8));
            break;
        default: return false;
        }
    }
}

/* A string as length and bytes, with a tag before it or (a key) without. */
static bool parse_string(parser *j, bool key) {
    j->p++;
    char head[5] = {KQ_DYN_STRING, 0, 0, 0, 0};
    kq_buf_append(j->out, head + key, 5u - key);
    size_t start = j->out->n;
    if (!string_body(j) || j->out->failed) return false;
    size_t n = j->out->n - start;
    if (n > KQ_STR_MAX) return false;
    uint32_t len = (uint32_t)n;
    memcpy(j->out->p + start - 4, &len, 4);
    return true;
}

static bool parse_value(parser *j, unsigned depth);

static bool parse_container(parser *j, unsigned depth) {
    if (depth >= KQ_DYN_DEPTH) return false;
    bool bag = *j->p++ == '{';
    char close = bag ? '}' : ']';
    size_t start = j->out->n, first = j->ends.n;
    char head[5] = {bag ? KQ_DYN_BAG : KQ_DYN_ARRAY, 0, 0, 0, 0};
    kq_buf_append(j->out, head, 5);
    skip_blanks(j);
    if (j->p < j->end && *j->p == close) {
        j->p++;
        return true;
    }
    for (;;) {
        skip_blanks(j);
        if (bag) {
            if (j->p == j->end || *j->p != '"' || !parse_string(j, true)) return false;
            skip_blanks(j);
            if (j->p == j->end || *j->p++ != ':') return false;
            skip_blanks(j);
        }
        if (!parse_value(j, depth + 1) || j->out->failed) return false;
        size_t size = j->out->n - start - 5;
        if (size > KQ_STR_MAX) return false;
        uint32_t end = (uint32_t)size;
        kq_buf_append(&j->ends, &end, 4);
        skip_blanks(j);
        if (j->p == j->end) return false;
        char c = *j->p++;
        if (c == close) break;
        if (c != ',') return false;
    }
    if (j->ends.failed) {
        j->out->failed = j->ends.failed;
        return false;
    }
    kq_dyn_finish_container(j->out, start, (uint32_t *)(void *)(j->ends.p + first), (uint32_t)((j->ends.n - first) / 4),
                            bag);
    j->ends.n = first;
    return true;
}

static bool parse_value(parser *j, unsigned depth) {
    if (j->p == j->end) return false;
    switch (*j->p) {
    case '{':
    case '[': return parse_container(j, depth);
    case '"': return parse_string(j, false);
    case 't':
        if (!take_word(j, "true", 4)) return false;
        kq_dyn_put_bool(j->out, true);
        return true;
    case 'f':
        if (!take_word(j, "false", 5)) return false;
        kq_dyn_put_bool(j->out, false);
        return true;
    case 'n':
        if (!take_word(j, "null", 4)) return false;
        kq_dyn_put_null(j->out);
        return true;
    default: return (*j->p == '-' || digit(j)) && parse_number(j);
    }
}

bool kq_dyn_parse_json(kq_sv text, kq_buf *out) {
    size_t start = out->n;
    if (!text.n) return false; /* such a text may have no place */
    parser j = {.p = text.p, .end = text.p + text.n, .out = out};
    kq_buf_init(&j.ends, out->budget, 0);
    skip_blanks(&j);
    bool ok = parse_value(&j, 0) && !out->failed;
    if (ok) {
        skip_blanks(&j);
        ok = j.p == j.end;
    }
    if (!ok) out->n = start;
    kq_buf_deinit(&j.ends);
    return ok;
}
