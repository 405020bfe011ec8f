#include "kql/literal.h"
#include "base/number.h"
#include "base/time.h"
#include "base/utf8.h"
#include "column/decimal.h"
#include <math.h>

static int hex_digit(char c) {
    if (kq_is_digit(c)) return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(kq_sv s, size_t at, unsigned digits, uint32_t *out) {
    if (s.n - at < digits) return false;
    uint32_t v = 0;
    for (unsigned i = 0; i < digits; i++) {
        int d = hex_digit(s.p[at + i]);
        if (d < 0) return false;
        v = v << 4 | (uint32_t)d;
    }
    *out = v;
    return true;
}

static size_t put_utf8(char *out, uint32_t cp) {
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) cp = KQ_UTF8_BAD;
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

/* Decodes the escape at s[at] == '\\'; its length, or 0 when there is no such escape. Never longer decoded than
 * written. */
static size_t decode_escape(kq_sv s, size_t at, bool json, uint32_t *cp) {
    if (at + 1 >= s.n) return 0;
    char c = s.p[at + 1];
    static const char simple[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
    const char *found = strchr(simple, c);
    if (c && found) {
        *cp = (unsigned char)values[found - simple];
        return 2;
    }
    if (c >= '0' && c <= '7') {
        size_t n = 0;
        *cp = 0;
        while (n < 3 && at + 1 + n < s.n && s.p[at + 1 + n] >= '0' && s.p[at + 1 + n] <= '7')
            *cp = *cp * 8 + (uint32_t)(s.p[at + 1 + n++] - '0');
        return n + 1;
    }
    if (c == 'x') return read_hex(s, at + 2, 2, cp) ? 4 : 0;
    if (c == 'U') return read_hex(s, at + 2, 8, cp) ? 10 : 0;
    if (c == '/' && json) {
        *cp = '/';
        return 2;
    }
    if (c != 'u' || !read_hex(s, at + 2, 4, cp)) return 0;
    uint32_t low;
    if (*cp >= 0xD800 && *cp < 0xDC00 && at + 8 <= s.n && s.p[at + 6] == '\\' && s.p[at + 7] == 'u' &&
        read_hex(s, at + 8, 4, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
        return 12;
    }
    return 6;
}

kq_status kq_literal_string(kq_sv query, kq_token token, bool json, kq_arena *arena, kq_sv *out, kq_error *err) {
    kq_sv s = kq_sv_slice(query, token.span.start, token.span.start + token.span.len);
    size_t at = 0;
    if (s.p[at] == 'h' || s.p[at] == 'H') at++;
    bool verbatim = s.p[at] == '@';
    at += verbatim;
    char quote = s.p[at];
    if (quote == '`' || quote == '~') {
        *out = kq_arena_copy(arena, kq_sv_slice(s, at + 3, s.n - 3));
        return out->p ? KQ_OK : kq_arena_status(arena, err);
    }
    kq_sv body = kq_sv_slice(s, at + 1, s.n - 1);
    char *to = kq_arena_bytes(arena, body.n + 1);
    if (!to) return kq_arena_status(arena, err);
    size_t n = 0;
    for (size_t i = 0; i < body.n;) {
        if (body.p[i] == '\\' && !verbatim) {
            uint32_t cp;
            size_t len = decode_escape(body, i, json, &cp);
            if (!len) {
                kq_span span = {token.span.start + (uint32_t)(at + 1 + i), 2};
                kq_status st = kq_fail_at(err, KQ_ERR_QUERY, span, "'" KQ_SV_FMT "' is no escape sequence",
                                          KQ_SV_ARG(kq_sv_slice(body, i, i + 2)));
                kq_error_hint(err, "write \\\\ for a backslash, or a verbatim string @\"...\"");
                return st;
            }
            n += put_utf8(to + n, cp);
            i += len;
        } else {
            to[n++] = body.p[i];
            i += 1 + (verbatim && body.p[i] == quote);
        }
    }
    kq_arena_trim(arena, to, body.n + 1, n);
    *out = (kq_sv){to, n};
    return KQ_OK;
}

bool kq_guid_from_text(kq_sv text, kq_guid *out) {
    if (text.n >= 2 &&
        ((text.p[0] == '{' && text.p[text.n - 1] == '}') || (text.p[0] == '(' && text.p[text.n - 1] == ')')))
        text = kq_sv_slice(text, 1, text.n - 1);
    bool dashes = text.n == 36;
    if (!dashes && text.n != 32) return false;
    size_t at = 0;
    for (unsigned i = 0; i < 16; i++) {
        if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && text.p[at++] != '-') return false;
        uint32_t byte;
        if (!read_hex(text, at, 2, &byte)) return false;
        out->b[i] = (uint8_t)byte;
        at += 2;
    }
    return true;
}

static kq_sv trimmed(kq_sv s) {
    while (s.n && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) s = kq_sv_slice(s, 1, s.n);
    while (s.n && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r'))) s.n--;
    return s;
}

static bool timespan_suffixed(kq_sv s, int64_t *ticks) {
    size_t n = 0;
    while (n < s.n && (kq_is_digit(s.p[n]) || s.p[n] == '.')) n++;
    int64_t scale = kq_timespan_unit(kq_sv_slice(s, n, s.n)), whole;
    kq_sv number = kq_sv_slice(s, 0, n);
    if (kq_number_parse_long(number, &whole)) {
        if (scale >= 100) return !__builtin_mul_overflow(whole, scale / 100, ticks);
        *ticks = whole / 100;
        return true;
    }
    double r;
    if (!kq_number_parse_real(number, &r)) return false;
    r = round(r * (double)scale / 100);
    if (!(fabs(r) < 9.2e18)) return false;
    *ticks = (int64_t)r;
    return true;
}

static bool parse_bool(kq_sv s, uint8_t *out) {
    bool yes = kq_sv_eq_ascii_ci(s, KQ_SV("true")) || kq_sv_eq(s, KQ_SV("1"));
    *out = yes;
    return yes || kq_sv_eq_ascii_ci(s, KQ_SV("false")) || kq_sv_eq(s, KQ_SV("0"));
}

/* datetime(2025, 6, 14), as the engine takes it */
static bool parse_date_parts(kq_sv s, int64_t *ticks) {
    int part[3] = {0, 0, 0};
    unsigned n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (kq_is_digit(s.p[i])) {
            if (part[n] > 999) return false;
            part[n] = part[n] * 10 + (s.p[i] - '0');
        } else if (s.p[i] == ',') {
            if (++n == 3) return false;
        } else if (s.p[i] != ' ') {
            return false;
        }
    }
    kq_civil civil = {.year = part[0], .month = part[1], .day = part[2]};
    return n == 2 && kq_civil_ticks(&civil, ticks);
}

/* The value that stands between the parentheses of type(...). */
static bool parse_typed(kq_sv s, kq_value *v) {
    int64_t l;
    switch (v->type) {
    case KQ_BOOL: return parse_bool(s, &v->u.b);
    case KQ_INT:
        if (!kq_number_parse_long(s, &l) || l < INT32_MIN || l > INT32_MAX) return false;
        v->u.i = (int32_t)l;
        return true;
    case KQ_LONG: return kq_number_parse_long(s, &v->u.l);
    case KQ_REAL:
        if (kq_number_parse_real(s, &v->u.r)) return true;
        if (!kq_number_parse_long(s, &l)) return false;
        v->u.r = (double)l;
        return true;
    case KQ_DECIMAL: return kq_decimal_parse(s, &v->u.m);
    case KQ_DATETIME: return kq_time_parse(s, &v->u.l) || parse_date_parts(s, &v->u.l);
    case KQ_TIMESPAN: return kq_timespan_parse(s, &v->u.l);
    case KQ_GUID: return kq_guid_from_text(s, &v->u.g);
    default: return false;
    }
}

static kq_status typed(kq_sv query, kq_token token, kq_value *out, bool *now, kq_error *err) {
    kq_sv s = kq_sv_slice(query, token.span.start, token.span.start + token.span.len);
    size_t n = 0;
    while (n < s.n && kq_is_name_char(s.p[n])) n++;
    kq_type type = KQ_STRING;
    static const struct {
        const char *name;
        kq_type type;
    } types[] = {{"bool", KQ_BOOL},     {"boolean", KQ_BOOL},  {"int", KQ_INT},           {"long", KQ_LONG},
                 {"real", KQ_REAL},     {"double", KQ_REAL},   {"decimal", KQ_DECIMAL},   {"datetime", KQ_DATETIME},
                 {"date", KQ_DATETIME}, {"time", KQ_TIMESPAN}, {"timespan", KQ_TIMESPAN}, {"guid", KQ_GUID}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (kq_sv_eq(kq_sv_slice(s, 0, n), kq_sv_of(types[i].name))) type = types[i].type;
    const char *paren = memchr(s.p, '(', s.n);
    kq_sv content = trimmed(kq_sv_slice(s, (size_t)(paren - s.p) + 1, s.n - 1));
    if (content.n >= 2 && (content.p[0] == '"' || content.p[0] == '\'') && content.p[content.n - 1] == content.p[0])
        content = trimmed(kq_sv_slice(content, 1, content.n - 1));
    *out = (kq_value){.type = type};
    if (content.n == 0 && type == KQ_DATETIME) {
        *now = true;
        return KQ_OK;
    }
    if (content.n == 0 || kq_sv_eq(content, KQ_SV("null"))) {
        out->null = true;
        return KQ_OK;
    }
    if (parse_typed(content, out)) return KQ_OK;
    return kq_fail_at(err, KQ_ERR_QUERY, token.span, "'" KQ_SV_FMT "' is no %s", KQ_SV_ARG(content),
                      kq_type_name(type));
}

kq_status kq_literal_value(kq_sv query, kq_token token, bool negated, kq_value *out, bool *now, kq_error *err) {
    kq_sv s = kq_sv_slice(query, token.span.start, token.span.start + token.span.len);
    *out = (kq_value){.type = KQ_LONG};
    *now = false;
    bool ok = false;
    switch (token.kind) {
    case KQ_TOKEN_LONG:
        ok = kq_number_parse_long(s, &out->u.l);
        if (!ok && negated && kq_sv_eq(s, KQ_SV("9223372036854775808"))) {
            out->u.l = INT64_MIN; /* its negation wraps to itself */
            ok = true;
        }
        break;
    case KQ_TOKEN_REAL:
        out->type = KQ_REAL;
        if (s.p[s.n - 1] == '.') s.n--;
        ok = kq_number_parse_real(s, &out->u.r);
        break;
    case KQ_TOKEN_TIMESPAN:
        out->type = KQ_TIMESPAN;
        ok = timespan_suffixed(s, &out->u.l);
        break;
    default: return typed(query, token, out, now, err);
    }
    return ok ? KQ_OK
              : kq_fail_at(err, KQ_ERR_QUERY, token.span, "this %s is out of range",
                           out->type == KQ_TIMESPAN ? "timespan" : "number");
}
