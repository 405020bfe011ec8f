/*
 * Fields of Windows events, whatever file they come from (EVTX, exported XML): what they are, and their text.
 */
#ifndef KQ_SOURCE_EVENT_FIELD_H
#define KQ_SOURCE_EVENT_FIELD_H

#include "base/buf.h"
#include "source/field.h"

/* What a field of the System part is, whatever its value is written as (event collectors write all of it as text). */
typedef enum kq_event_hint { KQ_EVENT_ANY, KQ_EVENT_LONG, KQ_EVENT_DATETIME, KQ_EVENT_GUID } kq_event_hint;

/* Turns a STRING field into what the hint says, when its text is one. */
void kq_event_hinted(kq_event_hint hint, kq_field *field);

/* Reads a GUID, in braces or without; false when the text is none. */
bool kq_event_guid(kq_sv text, uint8_t out[16]);

/* Writes a GUID as events show it, in braces and upper case; returns the length, 38. No NUL. */
size_t kq_event_guid_text(const uint8_t guid[16], char out[40]);

/* Appends the text of any scalar field as the value's XML shows it. */
void kq_event_field_text(const kq_field *field, kq_buf *out);

/* Appends what a want that asks for JSON gets: a number bare, all else as a string. Not for MISSING, NULL, JSON and
 * DYNAMIC. */
void kq_event_field_json(const kq_field *field, kq_buf *scratch, kq_buf *out);

/* Sentinel's Event.EventData: <DataItem Type="System.XmlData" time=... sourceHealthServiceId=...> around the element
 * EventData. The id is that of an agent, which a file does not have. */
void kq_event_item_start(const kq_field *time, kq_buf *out);
void kq_event_item_end(kq_buf *out);

#endif
