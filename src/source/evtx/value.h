/*
 * Values of BinXML as fields and as text. Texts are those that Windows shows: hex numbers "0x3e7" without padding,
 * GUIDs lower case in braces, binary as upper-case hex, booleans "true" and "false", times with seven digits.
 */
#ifndef KQ_SOURCE_EVTX_VALUE_H
#define KQ_SOURCE_EVTX_VALUE_H

#include "base/buf.h"
#include "source/evtx/binxml.h"
#include "source/field.h"

/* What a field of the System part is, whatever its value is written as (event collectors write all of it as text). */
typedef enum kq_evtx_hint { KQ_EVTX_ANY, KQ_EVTX_LONG, KQ_EVTX_DATETIME, KQ_EVTX_GUID } kq_evtx_hint;

/* The field of a value: numbers LONG (ULONG when they do not fit), hex numbers and all texts STRING, GUID, FILETIME and
 * SYSTEMTIME DATETIME, reals REAL; NULL for the null type. Texts lie in the chunk's arena. Arrays are their values'
 * texts, one a line. BINXML is not for this function: it gives MISSING. */
bool kq_evtx_value_field(kq_bx *bx, const kq_bx_value *v, kq_field *out);

/* Turns a STRING field into what the hint says, when its text is one. */
void kq_evtx_hinted(kq_evtx_hint hint, kq_field *field);

/* Appends the text of a value; nothing for null and for BINXML. */
bool kq_evtx_value_text(kq_bx *bx, const kq_bx_value *v, kq_buf *out);

/* Appends the text of any scalar field as the value's XML shows it. */
void kq_evtx_field_text(const kq_field *field, kq_buf *out);

/* Arrays: a value whose type has KQ_BX_ARRAY. *at is 0 at first and kq_evtx_array_next's own afterwards; false at the
 * end. */
bool kq_evtx_array_next(const kq_bx *bx, const kq_bx_value *array, uint32_t *at, kq_bx_value *element);

#endif
