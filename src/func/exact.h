/*
 * Exact sums of doubles: whatever the order of the additions, one result, rounded once. A sum lives in 128 bits of
 * fixed point as long as it fits there, which is the usual case, and in an array of chunks that covers the whole range
 * of double from then on. All zero bytes is the empty sum. Internal to func/.
 */
#ifndef KQ_FUNC_EXACT_H
#define KQ_FUNC_EXACT_H

#include "base/arena.h"

typedef struct kq_exact_big kq_exact_big;

typedef struct kq_exact {
    uint64_t lo, hi;          /* two's complement, in units of 2^-80; unused once there is `big` */
    kq_exact_big *big;        /* in the arena of whoever added */
    uint8_t nan, plus, minus; /* was a NaN or an infinity added? */
} kq_exact;

/* Errors: NOMEM, LIMIT. */
kq_status kq_exact_add(kq_exact *sum, double x, kq_arena *arena, kq_error *err);
/* Adds x * y without rounding the product. */
kq_status kq_exact_add_product(kq_exact *sum, double x, double y, kq_arena *arena, kq_error *err);
kq_status kq_exact_merge(kq_exact *into, const kq_exact *from, kq_arena *arena, kq_error *err);

/* The nearest double, and what it leaves out: hi + lo is the sum to about 106 bits. */
void kq_exact_value(const kq_exact *sum, double *hi, double *lo);

#endif
