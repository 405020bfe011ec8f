/*
 * IP addresses and networks from text and to text. Pure functions. Internal to func/.
 */
#ifndef KQ_FUNC_IP_H
#define KQ_FUNC_IP_H

#include "base/sv.h"

typedef struct kq_ipv4 {
    uint32_t address;
    uint32_t prefix; /* 0..32, 32 when the text has none */
} kq_ipv4;

typedef struct kq_ipv6 {
    uint8_t b[16];
    uint32_t prefix; /* 0..128 */
    bool dotted;     /* written with an IPv4 address at its end: ::192.168.1.1 */
} kq_ipv6;

/* "a.b.c.d" or "a.b.c.d/prefix", nothing else. */
bool kq_ipv4_parse(kq_sv text, kq_ipv4 *out);
/* The address at the start of `text`, without a prefix: its length, or 0. */
size_t kq_ipv4_scan(kq_sv text, uint32_t *address);

static inline uint32_t kq_ipv4_mask(uint32_t prefix) {
    return prefix ? ~(uint32_t)0 << (32 - prefix) : 0;
}

/* RFC 4291 text with an optional /prefix, or an IPv4 address, which becomes ::ffff:a.b.c.d with 96 added to its
 * prefix. */
bool kq_ipv6_parse(kq_sv text, kq_ipv6 *out);
/* Compares the first `prefix` bits: -1, 0 or 1. */
int kq_ipv6_cmp(const kq_ipv6 *a, const kq_ipv6 *b, uint32_t prefix);
/* Clears all bits after the first `prefix`. */
void kq_ipv6_truncate(kq_ipv6 *ip, uint32_t prefix);

#endif
