/*
 * JSON values as fields: strings unescaped, numbers read, and broken records mended as far as that loses nothing.
 */
#ifndef KQ_SOURCE_JSON_VALUE_H
#define KQ_SOURCE_JSON_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "source/field.h"

/* The field of one JSON value, `raw` without blanks around it. Text without escapes is a view of `raw`, other text lies
 * in `arena`. `json`: raw JSON text of everything but null. *fault is set to a reason when the value is not quite JSON
 * (an unknown escape, a token that is none): the text is then kept as it stands. Errors: NOMEM, LIMIT. */
kq_status kq_json_value(kq_sv raw, bool json, kq_arena *arena, kq_field *out, const char **fault, kq_error *err);

/* The raw value at `path` in the text of a JSON object: names joined by '.', or the whole of it as one name, which
 * comes first. False when it is not there, or the text is no such object. Keys with escapes are not found. */
bool kq_json_dig(kq_sv object, kq_sv path, kq_sv *raw);

/* Unescapes the inside of a JSON string that holds a backslash into out[raw.n] and gives the length; a wrong escape is
 * kept as it stands and sets *fault. */
size_t kq_json_unescape(kq_sv raw, char *out, const char **fault);

/* A copy of a record whose UTF-8 is damaged or that has control characters inside strings: what is ill-formed becomes
 * U+FFFD, control characters become escapes. Appended to `out`. */
void kq_json_mend(kq_sv record, kq_buf *out);

/* The next element of an array: *rest is the array's text at first, and what is left of it then. */
bool kq_json_item(kq_sv *rest, kq_sv *item);

/* A datum of an event's data that is told as an object: the keys of its name and of its value, in the order in which
 * they count. evtx_dump has the name as Name of #attributes. */
#define KQ_DATUM_NAMES 3
#define KQ_DATUM_TEXTS 4
extern const kq_sv kq_datum_names[KQ_DATUM_NAMES], kq_datum_texts[KQ_DATUM_TEXTS];

/* Such a datum's name, and its value's raw text; without one null. False: it is none, or its name has escapes. */
bool kq_json_datum(kq_sv object, kq_sv *name, kq_sv *raw);

#endif
