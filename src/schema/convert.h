/*
 * From a source's field to a value of a column's type. A value that does not convert is null.
 */
#ifndef KQ_SCHEMA_CONVERT_H
#define KQ_SCHEMA_CONVERT_H

#include "base/time.h"
#include "base/zone.h"
#include "column/value.h"
#include "source/field.h"

/* The field as text, in its canonical form: a view of the field, or bytes in `arena`. False: missing or null. */
bool kq_field_text(const kq_field *field, kq_arena *arena, kq_sv *out);

/* The field as a value of `type`. Text is not copied: it lives as long as the field's, or in `arena`. A JSON text given
 * for a dynamic is parsed; a string given for a dynamic is parsed when it is an object or array (Defender writes
 * AdditionalFields as text). A local time without a zone in its text has no instant: kq_field_instant. `order` is
 * that of numbers in the dates of its file. `scratch` is used for encoding dynamics. */
kq_value kq_field_value(const kq_field *field, kq_type type, kq_dates order, kq_arena *arena, kq_buf *scratch);

/* A local time in `zone` (may be NULL) as a KQ_FIELD_DATETIME. False: its text tells no zone, and none is given. Text
 * that is no time becomes KQ_FIELD_NULL. *times, if not NULL: how often the zone has it. */
bool kq_field_instant(kq_field *field, kq_dates order, const kq_zone *zone, kq_zone_times *times);

#endif
