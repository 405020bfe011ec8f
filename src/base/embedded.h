/*
 * Files that are built into the library as text (tools/embed.py): schemas, maps and stored functions.
 */
#ifndef KQ_BASE_EMBEDDED_H
#define KQ_BASE_EMBEDDED_H

#include "base/sv.h"

typedef struct kq_embedded {
    const char *name;
    kq_sv text;
} kq_embedded;

/* Ended by a NULL name. */
extern const kq_embedded kq_builtin_schemas[];   /* src/schema/builtin, read at start */
extern const kq_embedded kq_builtin_catalogue[]; /* src/schema/builtin/catalogue.schema, see schema/catalogue.h */
extern const kq_embedded kq_builtin_functions[]; /* src/schema/builtin/NAME.kql */

#endif
