/* Arrays as series of numbers. Internal to func/. */
#ifndef KQ_FUNC_SERIES_H
#define KQ_FUNC_SERIES_H

#include "func/build.h"

/* The number that `d` is; false for everything else. */
static inline bool kq_series_number(kq_dyn d, double *out) {
    kq_value v = kq_dyn_value(d);
    if (v.null || (v.type != KQ_LONG && v.type != KQ_REAL)) return false;
    *out = v.type == KQ_LONG ? (double)v.u.l : v.u.r;
    return true;
}

/* All numbers of an array in the call's arena; false when it is no array or has anything else in it. *failed tells a
 * lack of memory. */
bool kq_series_numbers(kq_dyn d, kq_arena *arena, double **out, uint32_t *n, bool *failed);

/* Numbers n of an array, appended as a dynamic. */
void kq_series_put(const double *values, uint32_t n, kq_buf *out);

#endif
