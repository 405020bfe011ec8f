/*
 * The string operators that hold where a text has a needle: by name. Not their negations, nor regular expressions.
 */
#ifndef KQ_KQL_TEXT_OP_H
#define KQ_KQL_TEXT_OP_H

#include "text/match.h"

typedef struct kq_text_op {
    const char *name;
    kq_match_op op;
    bool ci, list, all; /* list: over several needles; all: all of them */
} kq_text_op;

/* NULL: there is none of this name. */
const kq_text_op *kq_text_op_find(const char *name);

#endif
