/*
 * The functions that the binder answers itself, because they need the query around them or stand for a table; what
 * `kequel functions` shows of them. Those that are computed from their arguments alone are rows of src/func.
 */
#ifndef KQ_KQL_BUILTIN_H
#define KQ_KQL_BUILTIN_H

#include "kequel.h"

typedef struct kq_builtin {
    const char *name, *kind, *signature, *doc;
} kq_builtin;

/* The rows of builtin.def and window.def. */
const kq_builtin *kq_builtin_rows(size_t *n);

#endif
