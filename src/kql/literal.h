/*
 * From the text of a literal to its value. Values live in the arena. Errors (QUERY) carry the place. Private to the
 * front end.
 */
#ifndef KQ_KQL_LITERAL_H
#define KQ_KQL_LITERAL_H

#include "column/value.h"
#include "kql/lexer.h"

/* The text of one STRING token (all forms: '..', "..", @"..", ```..```, h"..."); `json` also takes JSON's \/ . */
kq_status kq_literal_string(kq_sv query, kq_token token, bool json, kq_arena *arena, kq_sv *out, kq_error *err);

/* The value of a LONG, REAL, TIMESPAN or TYPED token. `negated`: a minus stands before it, so that the lowest long can
 * be written. *now is set for `datetime()`, which means the current time. */
kq_status kq_literal_value(kq_sv query, kq_token token, bool negated, kq_value *out, bool *now, kq_error *err);

/* 32 hex digits with or without dashes and braces. */
bool kq_guid_from_text(kq_sv text, kq_guid *out);

#endif
