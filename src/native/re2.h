/*
 * RE2 behind a C face: no C++ type and no exception gets past it. An object is immutable and may be used by several
 * threads at once.
 */
#ifndef KQ_NATIVE_RE2_H
#define KQ_NATIVE_RE2_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/status.h"
#include "base/sv.h"

typedef struct kq_re2 kq_re2;

/* Compiles RE2's syntax over UTF-8. `max_mem`: bytes that the program and the caches of searching may take together.
 * Errors: QUERY with RE2's message, LIMIT when the program is too large, NOMEM. */
kq_status kq_re2_create(kq_sv pattern, size_t max_mem, kq_re2 **out, kq_error *err);
void kq_re2_destroy(kq_re2 *re);

/* Searches text[from..], with what stands before `from` as context; fills groups[0..n), 0 being the whole match and an
 * absent group having p NULL. Errors: NOMEM. */
kq_status kq_re2_search(const kq_re2 *re, kq_sv text, size_t from, kq_sv *groups, uint32_t n, bool *found,
                        kq_error *err);

#ifdef __cplusplus
}
#endif
#endif
