/*
 * "Did you mean": the nearest name by edit distance.
 */
#ifndef KQ_BASE_NEAREST_H
#define KQ_BASE_NEAREST_H

#include "base/sv.h"

/* The nearest of `n` names to `name` (case ignored, at most about a third of it wrong), or NULL. */
const kq_sv *kq_nearest(kq_sv name, const kq_sv *names, size_t n);

#endif
