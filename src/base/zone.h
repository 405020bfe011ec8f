/*
 * Time zones of the system's database (/usr/share/zoneinfo, or $TZDIR): offsets from UTC. A zone lives in an arena and
 * is immutable.
 */
#ifndef KQ_BASE_ZONE_H
#define KQ_BASE_ZONE_H

#include "base/arena.h"

typedef struct kq_zone kq_zone;

/* Loads the zone `name` ("Europe/Brussels", "UTC"). *out is NULL with KQ_OK when there is none. Errors: NOMEM, LIMIT.
 */
kq_status kq_zone_load(kq_sv name, kq_arena *arena, const kq_zone **out, kq_error *err);

/* A zone by its name, or by its offset: +02:00, -0330, +2. Otherwise as above. */
kq_status kq_zone_named(kq_sv name, kq_arena *arena, const kq_zone **out, kq_error *err);

/* Parses the bytes of a zone file (RFC 8536); NULL in *out with KQ_OK when they are none. */
kq_status kq_zone_parse(kq_sv file, kq_arena *arena, const kq_zone **out, kq_error *err);

/* Local time less UTC at an instant of UTC; both in ticks. */
int64_t kq_zone_offset(const kq_zone *zone, int64_t utc);

/* The instant of a local time. A time that comes twice is the second one (standard time); one that is left out counts
 * with the offset after the gap. */
int64_t kq_zone_to_utc(const kq_zone *zone, int64_t local);

/* How often a local time comes. */
typedef enum kq_zone_times { KQ_ZONE_ONCE, KQ_ZONE_TWICE, KQ_ZONE_NEVER } kq_zone_times;
/* The same, and how often there was such a time. */
int64_t kq_zone_instant(const kq_zone *zone, int64_t local, kq_zone_times *times);

#endif
