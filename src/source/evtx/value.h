/*
 * Values of BinXML as fields and as text. Texts are those that Windows shows: hex numbers "0x3e7" without padding,
 * GUIDs lower case in braces, binary as upper-case hex, booleans "true" and "false", times with seven digits.
 */
#ifndef KQ_SOURCE_EVTX_VALUE_H
#define KQ_SOURCE_EVTX_VALUE_H

#include "base/buf.h"
#include "source/event_field.h"
#include "source/evtx/binxml.h"

/* The field of a value: numbers LONG (ULONG when they do not fit), hex numbers and all texts STRING, GUID, FILETIME and
 * SYSTEMTIME DATETIME, reals REAL; NULL for the null type. Texts lie in the chunk's arena. Arrays are their values'
 * texts, one a line. BINXML is not for this function: it gives MISSING. */
bool kq_evtx_value_field(kq_bx *bx, const kq_bx_value *v, kq_field *out);

/* Appends the text of a value; nothing for null and for BINXML. */
bool kq_evtx_value_text(kq_bx *bx, const kq_bx_value *v, kq_buf *out);

/* Arrays: a value whose type has KQ_BX_ARRAY. *at is 0 at first and kq_evtx_array_next's own afterwards; false at the
 * end. */
bool kq_evtx_array_next(const kq_bx *bx, const kq_bx_value *array, uint32_t *at, kq_bx_value *element);

#endif
