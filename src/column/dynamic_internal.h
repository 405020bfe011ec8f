/*
 * What dynamic.c and dynamic_json.c share: how a container's bytes are finished.
 */
#ifndef KQ_COLUMN_DYNAMIC_INTERNAL_H
#define KQ_COLUMN_DYNAMIC_INTERNAL_H

#include "base/buf.h"

/* `out` holds at `start` a tag and 4 bytes, then `n` parts that end at ends[i] from start + 5: moves the table of ends
 * in between and, in a bag, leaves each key once. May change ends[]. Failures are the buffer's. */
void kq_dyn_finish_container(kq_buf *out, size_t start, uint32_t *ends, uint32_t n, bool bag);

#endif
