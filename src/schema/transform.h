/* Transforms that have a file of their own; the others stand in transform.c. Private to src/schema. */
#ifndef KQ_SCHEMA_TRANSFORM_H
#define KQ_SCHEMA_TRANSFORM_H

#include "schema/map_expr.h"

bool kq_transform_ip(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
bool kq_transform_iptype(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
bool kq_transform_dataxml(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
bool kq_transform_datajson(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
bool kq_transform_hashes(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
bool kq_transform_userjson(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);
bool kq_transform_userxml(kq_sv in, const kq_transform_argument *argument, kq_arena *arena, kq_sv *out);

#endif
