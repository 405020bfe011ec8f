/*
 * kq_str: a string, or an encoded dynamic value, in 16 bytes: length, then up to 12 bytes inline, or the first 4
 * bytes and a pointer into a heap that somebody else owns (a block, a segment, an arena). Unused inline bytes are
 * zero, so that two short strings are equal exactly when their 16 bytes are.
 */
#ifndef KQ_COLUMN_STR_H
#define KQ_COLUMN_STR_H

#include "base/sv.h"

#define KQ_STR_INLINE 12
#define KQ_STR_MAX    ((size_t)1 << 30) /* bytes; makers of strings refuse longer ones (KQ_ERR_LIMIT) */

typedef struct kq_str {
    uint32_t len;
    union {
        char small[KQ_STR_INLINE];
        struct __attribute__((packed, aligned(4))) {
            char prefix[4];
            const char *ptr;
        } big;
    } u;
} kq_str;

_Static_assert(sizeof(kq_str) == 16, "a kq_str is 16 bytes");

/* A string over bytes that must live as long as it does (when longer than 12; shorter ones are copied inline). */
static inline kq_str kq_str_ref(const char *p, size_t n) {
    kq_str s;
    memset(&s, 0, sizeof s);
    s.len = (uint32_t)n;
    if (n <= KQ_STR_INLINE) {
        if (n) memcpy(s.u.small, p, n);
    } else {
        memcpy(s.u.big.prefix, p, 4);
        s.u.big.ptr = p;
    }
    return s;
}
static inline kq_str kq_str_sv(kq_sv v) {
    return kq_str_ref(v.p, v.n);
}

/* The bytes; valid as long as `s` itself (inline) and its heap. */
static inline const char *kq_str_ptr(const kq_str *s) {
    return s->len <= KQ_STR_INLINE ? s->u.small : s->u.big.ptr;
}
static inline kq_sv kq_str_view(const kq_str *s) {
    return (kq_sv){kq_str_ptr(s), s->len};
}

static inline bool kq_str_eq(const kq_str *a, const kq_str *b) {
    if (memcmp(a, b, 8) != 0) return false; /* length and first four bytes */
    if (a->len <= KQ_STR_INLINE) return memcmp(a, b, 16) == 0;
    return memcmp(a->u.big.ptr, b->u.big.ptr, a->len) == 0;
}

/* Ordinal order: <0, 0, >0. */
static inline int kq_str_cmp(const kq_str *a, const kq_str *b) {
    return kq_sv_cmp(kq_str_view(a), kq_str_view(b));
}

#endif
