/*
 * What texts a map's column can have at all: a transform that writes lower case never gives "WS01", and a rule that
 * asks for it is silent for ever. "Can" is the answer whenever in doubt.
 */
#ifndef KQ_SCHEMA_CAN_H
#define KQ_SCHEMA_CAN_H

#include "schema/catalog.h"
#include "schema/map_expr.h"

/* Can the result of a transform of some text pass? *inner is what the text itself must pass then. *any: it need not
 * pass anything that is known. */
bool kq_transform_can(const kq_map_expr *e, const kq_text_test *test, kq_arena *arena, kq_text_test *inner, bool *any,
                      kq_cant *cant);

#endif
