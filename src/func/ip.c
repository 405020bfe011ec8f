#include "func/ip.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

size_t kq_ipv4_scan(kq_sv text, uint32_t *address) {
    size_t at = 0;
    uint32_t value = 0;
    for (int part = 0; part < 4; part++) {
        if (part && (at == text.n || text.p[at++] != '.')) return 0;
        size_t start = at;
        uint32_t octet = 0;
        while (at < text.n && at - start < 3 && is_digit(text.p[at]))
            octet = octet * 10 + (uint32_t)(text.p[at++] - '0');
        if (at == start || octet > 255) return 0;
        value = value << 8 | octet;
    }
    *address = value;
    return at;
}

/* "/n" with n <= max, up to the end of the text. */
static bool parse_prefix(kq_sv text, uint32_t max, uint32_t *out) {
    if (text.n < 2 || text.n > 4 || text.p[0] != '/') return false;
    uint32_t n = 0;
    for (size_t i = 1; i < text.n; i++) {
        if (!is_digit(text.p[i])) return false;
        n = n * 10 + (uint32_t)(text.p[i] - '0');
    }
    *out = n;
    return n <= max;
}

bool kq_ipv4_parse(kq_sv text, kq_ipv4 *out) {
    size_t n = kq_ipv4_scan(text, &out->address);
    out->prefix = 32;
    if (n == 0) return false;
    return n == text.n || parse_prefix(kq_sv_slice(text, n, text.n), 32, &out->prefix);
}

static int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to four hex digits at the start of `text`: how many. */
static size_t scan_group(kq_sv text, uint32_t *out) {
    size_t n = 0;
    uint32_t v = 0;
    for (int d; n < text.n && n < 4 && (d = hex_digit(text.p[n])) >= 0; n++) v = v << 4 | (uint32_t)d;
    *out = v;
    return n;
}

static void put_ipv4(uint8_t *to, uint32_t address) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(address >> (24 - 8 * i));
}

/* The address at the start of `text`: its length, or 0. */
static size_t scan(kq_sv text, kq_ipv6 *out) {
    uint8_t bytes[16];
    size_t n = 0, at = 0, gap = 17; /* where "::" stands in bytes, 17: nowhere */
    if (kq_sv_starts(text, KQ_SV("::"))) {
        gap = 0;
        at = 2;
    }
    while (n < 16) {
        kq_sv rest = kq_sv_slice(text, at, text.n);
        uint32_t value;
        size_t len;
        if (n <= 12 && (n == 12 || gap < 17) && (len = kq_ipv4_scan(rest, &value))) {
            put_ipv4(bytes + n, value);
            n += 4;
            at += len;
            out->dotted = true;
            break;
        }
        len = scan_group(rest, &value);
        if (len == 0) break;
        at += len;
        bytes[n++] = (uint8_t)(value >> 8);
        bytes[n++] = (uint8_t)value;
        if (n == 16 || at == text.n || text.p[at] != ':') break;
        if (at + 1 < text.n && text.p[at + 1] == ':') {
            if (gap < 17) return 0;
            gap = n;
            at += 2;
        } else {
            at++;
            if (at == text.n || hex_digit(text.p[at]) < 0) return 0;
        }
    }
    if (gap == 17) {
        if (n != 16) return 0;
        memcpy(out->b, bytes, 16);
    } else {
        if (n == 16) return 0;
        memset(out->b, 0, 16);
        memcpy(out->b, bytes, gap);
        memcpy(out->b + 16 - (n - gap), bytes + gap, n - gap);
    }
    return at;
}

bool kq_ipv6_parse(kq_sv text, kq_ipv6 *out) {
    kq_ipv4 v4;
    *out = (kq_ipv6){.prefix = 128};
    if (kq_ipv4_parse(text, &v4)) {
        out->b[10] = out->b[11] = 0xFF;
        put_ipv4(out->b + 12, v4.address);
        out->prefix = v4.prefix + 96;
        return true;
    }
    size_t n = scan(text, out);
    if (n == 0) return false;
    if (n == text.n) return true;
    /* After an IPv4 notation the prefix counts that address's bits. */
    if (!parse_prefix(kq_sv_slice(text, n, text.n), out->dotted ? 32 : 128, &out->prefix)) return false;
    if (out->dotted) out->prefix += 96;
    return true;
}

int kq_ipv6_cmp(const kq_ipv6 *a, const kq_ipv6 *b, uint32_t prefix) {
    kq_ipv6 x = *a, y = *b;
    kq_ipv6_truncate(&x, prefix);
    kq_ipv6_truncate(&y, prefix);
    int c = memcmp(x.b, y.b, 16);
    return c < 0 ? -1 : c > 0;
}

void kq_ipv6_truncate(kq_ipv6 *ip, uint32_t prefix) {
    for (uint32_t i = 0; i < 16; i++) {
        if (prefix >= 8 * (i + 1)) continue;
        uint32_t keep = prefix > 8 * i ? prefix - 8 * i : 0;
        ip->b[i] &= (uint8_t)(0xFF00 >> keep);
    }
}
