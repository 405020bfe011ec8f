/*
 * Matchers: the string operators compiled once for constant needles. One matcher holds one operator over one or many
 * needles; it is immutable after kq_matcher_create and shared by all workers. `has_any` over a list is one automaton
 * pass over the text, not one pass per needle.
 */
#ifndef KQ_TEXT_MATCH_H
#define KQ_TEXT_MATCH_H

#include "base/arena.h"

typedef enum kq_match_op {
    KQ_MATCH_EQUALS,
    KQ_MATCH_CONTAINS,
    KQ_MATCH_STARTSWITH,
    KQ_MATCH_ENDSWITH,
    KQ_MATCH_HAS,       /* whole term(s): semantics in docs/internals/decisions.md, "Terms" */
    KQ_MATCH_HASPREFIX, /* a term starts with */
    KQ_MATCH_HASSUFFIX  /* a term ends with */
} kq_match_op;

typedef struct kq_matcher kq_matcher;

/* Compiles `op` for `n` needles; `ci`: under simple case folding. `all`: every needle must match (has_all), otherwise
 * any. The needles are copied into `arena`, which owns the matcher. Errors: NOMEM, LIMIT. */
kq_status kq_matcher_create(kq_match_op op, bool ci, bool all, const kq_sv *needles, size_t n, kq_arena *arena,
                            const kq_matcher **out, kq_error *err);

/* Does the text match? No needles: any is false, all is true. */
bool kq_matcher_test(const kq_matcher *m, kq_sv text);

/* The lowest index of a needle that matches, or -1: has_any_index(). */
int64_t kq_matcher_index(const kq_matcher *m, kq_sv text);

/* A hash of the operator and its needles, in their order. */
uint64_t kq_matcher_hash(const kq_matcher *m);

/* The same operator without compiling, for needles that change from row to row. */
bool kq_match_once(kq_match_op op, bool ci, kq_sv text, kq_sv needle);

/* The first place of `needle` in `text` (ordinal), or -1. */
int64_t kq_find(kq_sv text, kq_sv needle);

#endif
