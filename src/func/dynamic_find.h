/*
 * Looking for a value in an array: equal type and value, where a long and a real of the same value are equal.
 * Internal to func/.
 */
#ifndef KQ_FUNC_DYNAMIC_FIND_H
#define KQ_FUNC_DYNAMIC_FIND_H

#include "func/build.h"

typedef struct kq_finder {
    kq_buf wanted; /* encoded */
    kq_buf other;  /* the same number as the other numeric type, or empty */
} kq_finder;

void kq_finder_init(kq_finder *f, kq_arena *arena);
/* What to look for: argument `i` in `row`. */
void kq_finder_look_for(kq_finder *f, const kq_call *call, uint32_t i, uint32_t row);
/* The first index in [from, to) of `array` with the value, else `to`. */
uint32_t kq_finder_next(const kq_finder *f, kq_dyn array, uint32_t from, uint32_t to);
/* Releases, and reports what failed since. */
kq_status kq_finder_deinit(kq_finder *f, kq_error *err);

#endif
