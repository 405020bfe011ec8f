#include "func/base64.h"

void kq_base64_encode(kq_sv bytes, kq_buf *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = (const uint8_t *)bytes.p;
    char *to = kq_buf_reserve(out, (bytes.n + 2) / 3 * 4);
    if (!to) return;
    size_t left = bytes.n;
    for (; left > 0; to += 4, out->n += 4) {
        uint32_t v = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0) | (left > 2 ? p[2] : 0);
        to[0] = digits[v >> 18];
        to[1] = digits[v >> 12 & 63];
        to[2] = left > 1 ? digits[v >> 6 & 63] : '=';
        to[3] = left > 2 ? digits[v & 63] : '=';
        p += left < 3 ? left : 3;
        left -= left < 3 ? left : 3;
    }
}

static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool kq_base64_decode(kq_sv text, kq_buf *out) {
    if (text.n % 4) return false;
    char *to = kq_buf_reserve(out, text.n / 4 * 3);
    if (!to) return false;
    size_t n = 0;
    for (size_t i = 0; i < text.n; i += 4) {
        const char *p = text.p + i;
        bool last = i + 4 == text.n;
        unsigned pad = last && p[3] == '=' ? 1 + (p[2] == '=') : 0;
        uint32_t v = 0;
        for (unsigned k = 0; k < 4 - pad; k++) {
            int d = value_of(p[k]);
            if (d < 0) return false;
            v |= (uint32_t)d << (18 - 6 * k);
        }
        to[n++] = (char)(v >> 16);
        if (pad < 2) to[n++] = (char)(v >> 8);
        if (pad < 1) to[n++] = (char)v;
    }
    out->n += n;
    return true;
}
