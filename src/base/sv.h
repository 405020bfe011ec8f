/*
 * kq_sv: a view of bytes that somebody else owns. Not NUL-terminated.
 */
#ifndef KQ_BASE_SV_H
#define KQ_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct kq_sv {
    const char *p;
    size_t n;
} kq_sv;

#define KQ_SV(literal) ((kq_sv){"" literal, sizeof(literal) - 1})
#define KQ_SV_FMT      "%.*s"
#define KQ_SV_ARG(sv)  ((int)((sv).n > 400 ? 400 : (sv).n)), (sv).p

static inline kq_sv kq_sv_of(const char *cstr) {
    return (kq_sv){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool kq_sv_eq(kq_sv a, kq_sv b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Ordinal comparison: -1, 0 or 1. */
static inline int kq_sv_cmp(kq_sv a, kq_sv b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c) return c < 0 ? -1 : 1;
    return a.n < b.n ? -1 : a.n > b.n;
}

static inline char kq_ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Equality that folds ASCII letters only: for names and keywords, not for user data (text/fold.h). */
static inline bool kq_sv_eq_ascii_ci(kq_sv a, kq_sv b) {
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (kq_ascii_lower(a.p[i]) != kq_ascii_lower(b.p[i])) return false;
    return true;
}

static inline kq_sv kq_sv_slice(kq_sv s, size_t from, size_t to) {
    if (to > s.n) to = s.n;
    if (from > to) from = to;
    return (kq_sv){s.p + from, to - from};
}

static inline bool kq_sv_starts(kq_sv s, kq_sv prefix) {
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool kq_sv_ends(kq_sv s, kq_sv suffix) {
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

#endif
