/*
 * When work is to stop before its end: somebody cancelled it, or its time is over. Polled by what reads inputs.
 */
#ifndef KQ_BASE_WATCH_H
#define KQ_BASE_WATCH_H

#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>

typedef struct kq_watch {
    const atomic_bool *cancel; /* or NULL */
    uint64_t deadline_ns;      /* kq_clock_ns; 0: none */
} kq_watch;

/* KQ_OK, or CANCELLED or DEADLINE. Any thread. */
kq_status kq_watch_check(const kq_watch *watch, kq_error *err);

#endif
