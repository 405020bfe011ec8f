/*
 * Event data that lies in one field of a record: as the XML of Sentinel's Event (in a <DataItem> or without it) and of
 * SecurityEvent, or as the JSON of WindowsEvent. The XML is gone through once for a row, when a field is first asked
 * for; its parts are views. A builder's own; nothing is allocated for a row beyond buffers that stay.
 */
#ifndef KQ_SCHEMA_INSIDE_H
#define KQ_SCHEMA_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "source/field.h"

#define KQ_INSIDE_DEPTH 16u /* elements inside elements; what is deeper has no name that a map could ask for */

typedef struct kq_inside {
    bool opened; /* the row's XML is in `items`; the user sets it to false for another row */
    kq_buf items;
    kq_buf names; /* paths of UserData's elements */
} kq_inside;

void kq_inside_init(kq_inside *inside, kq_budget *budget);
void kq_inside_deinit(kq_inside *inside);

/* The field `name` as maps call it: that of <Data Name="name">, paramN of the N-th without a name, Data of all of them,
 * an element of EventData, UserData.Element.Name. Texts of one name, one after another, are lines of one. Text that had
 * to be made lies in `arena`. False when there is no such field, and without memory (of `arena` or the buffers). */
bool kq_inside_xml(kq_inside *inside, kq_sv xml, kq_sv name, kq_arena *arena, kq_field *out);
/* The value at the path `name` in the JSON text of an object. */
bool kq_inside_json(kq_sv json, kq_sv name, kq_arena *arena, kq_field *out);

#endif
