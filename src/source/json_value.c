#include "source/json_value.h"
#include "base/number.h"
#include "base/utf8.h"

static int hex4(const char *p) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

size_t kq_json_unescape(kq_sv raw, char *out, const char **fault) {
    const char *p = raw.p, *end = raw.p + raw.n;
    char *to = out;
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((slash ? slash : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (p == end) break;
        if (end - p < 2) {
            *fault = "a string ends in a backslash";
            *to++ = *p++;
            break;
        }
        char c = p[1];
        switch (c) {
        case '"':
        case '\\':
        case '/': *to++ = c; break;
        case 'n': *to++ = '\n'; break;
        case 't': *to++ = '\t'; break;
        case 'r': *to++ = '\r'; break;
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'u': {
            int u = end - p >= 6 ? hex4(p + 2) : -1;
            if (u < 0) {
                *fault = "a wrong escape in a string";
                *to++ = '\\';
                *to++ = 'u';
                break;
            }
            uint32_t cp = (uint32_t)u;
            p += 4;
            if (cp >= 0xD800 && cp <= 0xDBFF && end - p >= 8 && p[2] == '\\' && p[3] == 'u') {
                int low = hex4(p + 4);
                if (low >= 0xDC00 && low <= 0xDFFF) {
                    cp = 0x10000 + ((cp - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
                    p += 6;
                }
            }
            to += kq_utf8_encode(cp, to); /* a surrogate alone becomes U+FFFD; never more than the 6 bytes read */
            break;
        }
        default:
            *fault = "a wrong escape in a string";
            *to++ = '\\';
            *to++ = c;
        }
        p += 2;
    }
    return (size_t)(to - out);
}

static bool is_number(kq_sv s, bool *integer) {
    size_t i = 0;
    *integer = true;
    if (i < s.n && s.p[i] == '-') i++;
    size_t digits = i;
    while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++;
    if (i == digits || (s.p[digits] == '0' && i > digits + 1)) return false;
    if (i < s.n && s.p[i] == '.') {
        *integer = false;
        size_t from = ++i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++;
        if (i == from) return false;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        *integer = false;
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) i++;
        size_t from = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9') i++;
        if (i == from) return false;
    }
    return i == s.n;
}

static void number(kq_sv s, bool integer, kq_field *out) {
    if (!integer) {
        if (kq_number_parse_real(s, &out->u.r)) {
            out->kind = KQ_FIELD_REAL;
            return;
        }
    } else {
        bool negative = s.p[0] == '-', fits = true;
        uint64_t u = 0;
        for (size_t i = negative; i < s.n && fits; i++)
            fits = !__builtin_mul_overflow(u, (uint64_t)10, &u) &&
                   !__builtin_add_overflow(u, (uint64_t)(s.p[i] - '0'), &u);
        if (fits && u <= (uint64_t)INT64_MAX + negative) {
            out->kind = KQ_FIELD_LONG;
            out->u.l = (int64_t)(negative ? 0 - u : u);
            return;
        }
        if (fits && !negative) {
            out->kind = KQ_FIELD_ULONG;
            out->u.u = u;
            return;
        }
    }
    out->kind = KQ_FIELD_STRING; /* no number of ours holds it: its digits do */
    out->u.text = s;
}

kq_status kq_json_value(kq_sv raw, bool json, kq_arena *arena, kq_field *out, const char **fault, kq_error *err) {
    if (kq_sv_eq(raw, KQ_SV("null"))) {
        out->kind = KQ_FIELD_NULL;
        return KQ_OK;
    }
    if (json || raw.p[0] == '{' || raw.p[0] == '[') {
        out->kind = KQ_FIELD_JSON;
        out->u.text = raw;
        return KQ_OK;
    }
    if (raw.p[0] == '"') {
        kq_sv inside = {raw.p + 1, raw.n - 2};
        out->kind = KQ_FIELD_STRING;
        if (!memchr(inside.p, '\\', inside.n)) {
            out->u.text = inside;
            return KQ_OK;
        }
        char *to = kq_arena_bytes(arena, inside.n);
        if (!to) return kq_arena_status(arena, err);
        size_t n = kq_json_unescape(inside, to, fault);
        kq_arena_trim(arena, to, inside.n, n);
        out->u.text = (kq_sv){to, n};
        return KQ_OK;
    }
    bool integer;
    if (is_number(raw, &integer)) {
        number(raw, integer, out);
        return KQ_OK;
    }
    if (kq_sv_eq(raw, KQ_SV("true")) || kq_sv_eq(raw, KQ_SV("false"))) {
        out->kind = KQ_FIELD_BOOL;
        out->u.b = raw.n == 4;
        return KQ_OK;
    }
    /* Python writes these. */
    if (kq_sv_eq(raw, KQ_SV("NaN")) || kq_sv_eq(raw, KQ_SV("Infinity")) || kq_sv_eq(raw, KQ_SV("-Infinity"))) {
        out->kind = KQ_FIELD_REAL;
        out->u.r = raw.p[0] == 'N' ? __builtin_nan("") : raw.p[0] == '-' ? -__builtin_inf() : __builtin_inf();
        return KQ_OK;
    }
    *fault = "a value that is not JSON";
    out->kind = KQ_FIELD_STRING;
    out->u.text = raw;
    return KQ_OK;
}

void kq_json_mend(kq_sv record, kq_buf *out) {
    bool in_string = false;
    for (const char *p = record.p, *end = record.p + record.n; p < end;) {
        unsigned char c = (unsigned char)*p;
        if (c >= 0x80) {
            uint32_t cp;
            unsigned n = kq_utf8_decode(p, end, &cp);
            if (n > 1)
                kq_buf_append(out, p, n);
            else
                kq_buf_append(out, "\xEF\xBF\xBD", 3);
            p += n;
            continue;
        }
        p++;
        if (in_string && c == '\\' && p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80) {
            kq_buf_char(out, '\\');
            kq_buf_char(out, *p++);
            continue;
        }
        if (c == '"') in_string = !in_string;
        if (in_string && c < 0x20)
            kq_buf_printf(out, "\\u%04x", c);
        else
            kq_buf_char(out, (char)c);
    }
}

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) p++;
    return p;
}

/* Behind the string whose opening quote is at p; NULL when it does not end. */
static const char *string_end(const char *p, const char *end) {
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\') p++;
    return p < end ? p + 1 : NULL;
}

/* Behind the value at p, which is not looked at more closely than needed for that; NULL when it does not end. */
static const char *value_end(const char *p, const char *end) {
    for (uint32_t depth = 0; p < end;) {
        char c = *p;
        if (c == '"') {
            p = string_end(p, end);
            if (!p || !depth) return p;
            continue;
        }
        bool opens = (c | 0x20) == '{', closes = (c | 0x20) == '}';
        if (!depth && (c == ',' || closes)) return p;
        depth += opens;
        p++;
        if (closes && --depth == 0) return p;
    }
    return NULL;
}

/* The member `name` of the object; *raw without blanks around it. */
static bool member(kq_sv object, kq_sv name, kq_sv *raw) {
    const char *p = object.n ? object.p : "", *end = p + object.n;
    p = skip_blanks(p, end);
    if (p == end || *p++ != '{') return false;
    for (;;) {
        p = skip_blanks(p, end);
        if (p == end || *p != '"') return false;
        const char *key = p + 1;
        if (!(p = string_end(p, end))) return false;
        kq_sv found = {key, (size_t)(p - 1 - key)};
        p = skip_blanks(p, end);
        if (p == end || *p != ':') return false;
        p = skip_blanks(p + 1, end);
        const char *to = value_end(p, end);
        if (!to || to == p) return false;
        if (kq_sv_eq(found, name)) {
            const char *last = to;
            while (last > p && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r' || last[-1] == '\n')) last--;
            *raw = (kq_sv){p, (size_t)(last - p)};
            return last > p;
        }
        p = skip_blanks(to, end);
        if (p == end || *p++ != ',') return false;
    }
}

bool kq_json_item(kq_sv *rest, kq_sv *item) {
    const char *p = skip_blanks(rest->p, rest->p + rest->n), *end = rest->p + rest->n;
    if (p == end || (*p != '[' && *p != ',')) return false;
    p = skip_blanks(p + 1, end);
    const char *to = value_end(p, end);
    if (!to || to == p) return false;
    *item = (kq_sv){p, (size_t)(to - p)};
    *rest = (kq_sv){to, (size_t)(end - to)};
    return true;
}

/* xmltodict's first */
const kq_sv kq_datum_names[KQ_DATUM_NAMES] = {{"@Name", 5}, {"Name", 4}, {"_Name", 5}};
const kq_sv kq_datum_texts[KQ_DATUM_TEXTS] = {{"#text", 5}, {"Value", 5}, {"_", 1}, {"text", 4}};

bool kq_json_datum(kq_sv object, kq_sv *name, kq_sv *raw) {
    bool named = false, valued = false;
    for (size_t i = 0; i < KQ_DATUM_NAMES && !named; i++) named = kq_json_dig(object, kq_datum_names[i], name);
    if (!named) named = kq_json_dig(object, KQ_SV("#attributes.Name"), name);
    if (!named || name->n < 2 || name->p[0] != '"' || memchr(name->p, '\\', name->n)) return false;
    *name = kq_sv_slice(*name, 1, name->n - 1);
    for (size_t i = 0; i < KQ_DATUM_TEXTS && !valued; i++) valued = kq_json_dig(object, kq_datum_texts[i], raw);
    if (!valued) *raw = KQ_SV("null");
    return true;
}

bool kq_json_dig(kq_sv object, kq_sv path, kq_sv *raw) {
    for (;;) {
        if (member(object, path, raw)) return true;
        const char *dot = memchr(path.p, '.', path.n);
        if (!dot || !member(object, kq_sv_slice(path, 0, (size_t)(dot - path.p)), &object)) return false;
        path = kq_sv_slice(path, (size_t)(dot - path.p) + 1, path.n);
    }
}
