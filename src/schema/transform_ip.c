/*
 * Addresses. Sysmon writes all eight groups of one of IPv6 (0:0:0:0:0:ffff:a00:1), Security the shortest spelling (RFC
 * 5952), as Defender does.
 */
#include "schema/transform.h"
#include <arpa/inet.h>
#include <string.h>

/* The 16 bytes of an IPv6 address, a zone behind it (%12) left out. */
static bool read6(kq_sv in, uint8_t out[16]) {
    char text[INET6_ADDRSTRLEN];
    const char *zone = in.n ? memchr(in.p, '%', in.n) : NULL;
    if (zone) in.n = (size_t)(zone - in.p);
    if (in.n >= sizeof text || !memchr(in.p, ':', in.n)) return false;
    memcpy(text, in.p, in.n);
    text[in.n] = 0;
    return strlen(text) == in.n && inet_pton(AF_INET6, text, out) == 1;
}

static bool read4(kq_sv in, uint8_t out[4]) {
    char text[INET_ADDRSTRLEN];
    if (!in.n || in.n >= sizeof text) return false;
    memcpy(text, in.p, in.n);
    text[in.n] = 0;
    return strlen(text) == in.n && inet_pton(AF_INET, text, out) == 1;
}

/* One of IPv4 in the clothes of IPv6: ::ffff:a.b.c.d. */
static bool mapped(const uint8_t six[16]) {
    static const uint8_t prefix[12] = {[10] = 0xFF, [11] = 0xFF};
    return memcmp(six, prefix, sizeof prefix) == 0;
}

bool kq_transform_ip(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    uint8_t six[16];
    char text[INET6_ADDRSTRLEN];
    *out = in;
    if (!in.n || kq_sv_eq(in, KQ_SV("-"))) return false;
    if (!read6(in, six)) return true;
    const void *bytes = mapped(six) ? six + 12 : six;
    if (!inet_ntop(mapped(six) ? AF_INET : AF_INET6, bytes, text, sizeof text)) return true;
    *out = kq_arena_copy(arena, kq_sv_of(text));
    return out->p != NULL;
}

static kq_sv type4(const uint8_t o[4]) {
    if (o[0] == 10 || (o[0] == 172 && o[1] >= 16 && o[1] < 32) || (o[0] == 192 && o[1] == 168)) return KQ_SV("Private");
    if (o[0] == 127) return KQ_SV("Loopback");
    if (o[0] == 169 && o[1] == 254) return KQ_SV("LinkLocal");
    if (o[0] >= 224 && o[0] < 240) return KQ_SV("Multicast");
    if (o[0] == 255) return KQ_SV("Broadcast");
    return o[0] == 0 || o[0] >= 240 ? KQ_SV("Reserved") : KQ_SV("Public");
}

static kq_sv type6(const uint8_t o[16]) {
    static const uint8_t none[16], self[16] = {[15] = 1}, teredo[4] = {0x20, 0x01};
    if (memcmp(o, none, 16) == 0) return KQ_SV("Reserved");
    if (memcmp(o, self, 16) == 0) return KQ_SV("Loopback");
    if (o[0] == 0xFE && (o[1] & 0xC0) == 0x80) return KQ_SV("LinkLocal");
    if ((o[0] & 0xFE) == 0xFC) return KQ_SV("Private");
    if (o[0] == 0xFF) return KQ_SV("Multicast");
    return memcmp(o, teredo, 4) == 0 ? KQ_SV("Teredo") : KQ_SV("Public");
}

/* The kind of an address, in Defender's words. */
bool kq_transform_iptype(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    uint8_t o[16];
    if (read4(in, o))
        *out = type4(o);
    else if (read6(in, o))
        *out = mapped(o) ? type4(o + 12) : type6(o);
    else
        return false;
    return true;
}
