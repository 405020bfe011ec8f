/*
 * Where chunks begin. The chunks of a log stand 64 KiB apart behind its header, and logs can be joined
 * (`cat a.evtx b.evtx`), each with a header of its own: a header in the place of a chunk moves the chunks after it. A
 * log that was cut, or lost or got bytes in its middle, goes on at any offset: that is looked for where no chunk stands
 * in the place of the next one. What stands where: [MS-EVEN6] has none of it; the layouts are those of chunk.c and
 * evtx.c.
 */
#ifndef KQ_SOURCE_EVTX_GRID_H
#define KQ_SOURCE_EVTX_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KQ_GRID_MAGIC 8u   /* bytes that a chunk or a log begins with */
#define KQ_GRID_LOOK  520u /* bytes that tell what stands in a place: a chunk's header and the start of a record */

typedef enum kq_grid_place {
    KQ_GRID_OTHER, /* a chunk without its header, or something else */
    KQ_GRID_EMPTY, /* zeros: laid out in advance, not used yet */
    KQ_GRID_LOG,   /* a log's header */
    KQ_GRID_BEGUN  /* a chunk */
} kq_grid_place;

/* What stands at `p`, where a chunk is due; up to KQ_GRID_LOOK of the `n` bytes are looked at. */
kq_grid_place kq_grid_look(const uint8_t *p, size_t n);

/* The first place in [from, to) where a log or a chunk begins beyond doubt (more than its first bytes are right), or
 * `to`. `n` bytes are at `p`; a place with less than KQ_GRID_LOOK of them behind it is none. */
size_t kq_grid_find(const uint8_t *p, size_t n, size_t from, size_t to);

#endif
