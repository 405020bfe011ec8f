/*
 * Patterns of rows: which arguments an overload takes and what they must become. Private to the registry.
 */
#ifndef KQ_FUNC_RESOLVE_H
#define KQ_FUNC_RESOLVE_H

#include "base/status.h"
#include "column/type.h"

#define KQ_PATTERN_MAX 32

/* A pattern laid out for a number of arguments: a run of letters of which one stretch may be repeated. */
typedef struct kq_pattern {
    char result;
    char letters[KQ_PATTERN_MAX];
    uint32_t n;
    uint32_t repeat_at, repeat_len, repeats; /* the stretch and how often it is taken */
} kq_pattern;

/* False: the pattern does not take `nargs` arguments (or is malformed). A parenthesised group may be repeated:
 * "T(bT(bT)...T)". A `[x...]` may be left out altogether. */
bool kq_pattern_fit(const char *pattern, uint32_t nargs, kq_pattern *out);
char kq_pattern_letter(const kq_pattern *p, uint32_t arg);

/* The cost of the conversions that make arguments of `types` fit, 0 for an exact fit; -1 when they don't. Fills
 * want[0..nargs) and *result. */
int kq_pattern_cost(const kq_pattern *p, const kq_type *types, const bool *literal, uint32_t nargs, kq_type *want,
                    kq_type *result);

#endif
