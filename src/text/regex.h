/*
 * Regular expressions in Kusto's dialect (that of Rust's regex crate), run by RE2: linear time on any text. What RE2
 * spells differently is translated; what can't be translated is refused with a message. A compiled regex is immutable
 * and shared by all workers; kq_regex_destroy frees it (kq_regex_create registers it with nothing).
 */
#ifndef KQ_TEXT_REGEX_H
#define KQ_TEXT_REGEX_H

#include "base/buf.h"

typedef struct kq_regex kq_regex;

/* Errors: QUERY (the pattern is malformed or can't be translated), NOMEM, LIMIT (program too large). */
kq_status kq_regex_create(kq_sv pattern, bool ci, kq_regex **out, kq_error *err);
/* The same, for matches that start at the text's start, or end at its end. */
kq_status kq_regex_create_at(kq_sv pattern, bool ci, bool at_start, bool at_end, kq_regex **out, kq_error *err);
void kq_regex_destroy(kq_regex *re);
uint32_t kq_regex_groups(const kq_regex *re); /* capture groups, not counting the whole match */

/* Searches `text` from byte `from`; fills groups[0..n) (0 = whole match; an absent group has p NULL). False: none. */
bool kq_regex_find(const kq_regex *re, kq_sv text, size_t from, kq_sv *groups, uint32_t n);
bool kq_regex_test(const kq_regex *re, kq_sv text);

/* kq_regex_find that tells a failure (NOMEM, LIMIT) from no match. */
kq_status kq_regex_search(const kq_regex *re, kq_sv text, size_t from, kq_sv *groups, uint32_t n, bool *found,
                          kq_error *err);

/* The number of the group called `name`, or -1. */
int32_t kq_regex_group(const kq_regex *re, kq_sv name);

/* Matches one after the other: start with a zeroed walk; `n` must be at least 1. Matches do not overlap, and an empty
 * one does not follow directly on another. */
typedef struct kq_regex_walk {
    size_t at, last;
    bool any;
} kq_regex_walk;
kq_status kq_regex_next(const kq_regex *re, kq_sv text, kq_regex_walk *walk, kq_sv *groups, uint32_t n, bool *found,
                        kq_error *err);

#endif
