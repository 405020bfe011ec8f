/* URLs: their parts, and percent-encoding. */
#include "func/build.h"
#include "func/rows.h"

static bool is_letter(char c) {
    return kq_ascii_lower(c) >= 'a' && kq_ascii_lower(c) <= 'z';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The first of `chars` in s, or s.n. */
static size_t find_any(kq_sv s, const char *chars) {
    size_t i = 0;
    while (i < s.n && !strchr(chars, s.p[i])) i++;
    return i;
}

static void put_field(kq_dyn_builder *b, const char *key, kq_sv value) {
    kq_dyn_key(b, kq_sv_of(key));
    kq_dyn_put_string(b->out, value);
    kq_dyn_part(b);
}

static void put_query(kq_dyn_builder *parent, kq_sv query) {
    kq_dyn_builder b;
    kq_dyn_key(parent, KQ_SV("Query Parameters"));
    kq_dyn_open(&b, parent->out, true);
    while (query.n) {
        const char *hit = memchr(query.p, '&', query.n);
        size_t n = hit ? (size_t)(hit - query.p) : query.n;
        kq_sv pair = {query.p, n};
        query = kq_sv_slice(query, n + 1, query.n);
        if (pair.n == 0) continue;
        const char *equals = memchr(pair.p, '=', pair.n);
        size_t key = equals ? (size_t)(equals - pair.p) : pair.n;
        kq_dyn_key(&b, (kq_sv){pair.p, key});
        kq_dyn_put_string(parent->out, kq_sv_slice(pair, key + 1, pair.n));
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    kq_dyn_part(parent);
}

/* The length of a scheme before "://", or 0. */
static size_t scheme_length(kq_sv s) {
    size_t i = 0;
    if (s.n == 0 || !is_letter(s.p[0])) return 0;
    while (i < s.n && (is_letter(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '+' || s.p[i] == '-' || s.p[i] == '.')) i++;
    return kq_sv_starts(kq_sv_slice(s, i, s.n), KQ_SV("://")) ? i : 0;
}

typedef struct authority {
    kq_sv host, port, user, password;
} authority;

static authority split_authority(kq_sv s) {
    authority a = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (at) {
        kq_sv info = {s.p, (size_t)(at - s.p)};
        size_t colon = find_any(info, ":");
        a.user = kq_sv_slice(info, 0, colon);
        a.password = kq_sv_slice(info, colon + 1, info.n);
        s = kq_sv_slice(s, info.n + 1, s.n);
    }
    /* Colons inside the brackets of an IPv6 address do not begin a port. */
    size_t from = s.n && s.p[0] == '[' ? find_any(s, "]") : 0;
    size_t colon = from + find_any(kq_sv_slice(s, from, s.n), ":");
    a.host = kq_sv_slice(s, 0, colon);
    a.port = kq_sv_slice(s, colon + 1, s.n);
    return a;
}

static bool build_url(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    kq_sv scheme = kq_sv_slice(s, 0, scheme_length(s));
    authority a = split_authority((kq_sv){"", 0});
    if (scheme.n) {
        s = kq_sv_slice(s, scheme.n + 3, s.n);
        size_t n = find_any(s, "/?#");
        a = split_authority(kq_sv_slice(s, 0, n));
        s = kq_sv_slice(s, n, s.n);
    }
    size_t hash = find_any(s, "#");
    kq_sv fragment = kq_sv_slice(s, hash + 1, s.n);
    s = kq_sv_slice(s, 0, hash);
    size_t mark = find_any(s, "?");
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    put_field(&b, "Scheme", scheme);
    put_field(&b, "Host", a.host);
    put_field(&b, "Port", a.port);
    put_field(&b, "Path", kq_sv_slice(s, 0, mark));
    put_field(&b, "Username", a.user);
    put_field(&b, "Password", a.password);
    put_query(&b, kq_sv_slice(s, mark + 1, s.n));
    put_field(&b, "Fragment", fragment);
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_parse_url(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_url, NULL, err);
}

static bool build_urlquery(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    if (s.n && s.p[0] == '?') s = kq_sv_slice(s, 1, s.n);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    put_query(&b, s);
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_parse_urlquery(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_urlquery, NULL, err);
}

/* ctx: whether a blank becomes '+'. What stays as it is: letters, digits and the marks that .NET's UrlEncode keeps. */
static bool build_encoded(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    static const char hex[] = "0123456789abcdef";
    kq_sv s = kq_arg_sv(call, 0, row);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_letter((char)c) || is_digit((char)c) || (c && strchr("-_.!*()", c))) {
            kq_buf_char(out, (char)c);
        } else if (c == ' ' && *(const bool *)ctx) {
            kq_buf_char(out, '+');
        } else {
            char text[3] = {'%', hex[c >> 4], hex[c & 15]};
            kq_buf_append(out, text, 3);
        }
    }
    return true;
}

kq_status kq_fn_url_encode(kq_call *call, kq_error *err) {
    bool plus = true;
    return kq_build_rows(call, build_encoded, &plus, err);
}

kq_status kq_fn_url_encode_component(kq_call *call, kq_error *err) {
    bool plus = false;
    return kq_build_rows(call, build_encoded, &plus, err);
}

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool build_decoded(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int high, low;
        if (c == '%' && s.n - i > 2 && (high = hex_digit(s.p[i + 1])) >= 0 && (low = hex_digit(s.p[i + 2])) >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        kq_buf_char(out, c);
    }
    return true;
}

kq_status kq_fn_url_decode(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_decoded, NULL, err);
}
