#include "kql/text_op.h"
#include <string.h>

static const kq_text_op ops[] = {
    {"==", KQ_MATCH_EQUALS, false, false, false},
    {"=~", KQ_MATCH_EQUALS, true, false, false},
    {"in", KQ_MATCH_EQUALS, false, true, false},
    {"in~", KQ_MATCH_EQUALS, true, true, false},
    {"has", KQ_MATCH_HAS, true, false, false},
    {"has_cs", KQ_MATCH_HAS, false, false, false},
    {"has_any", KQ_MATCH_HAS, true, true, false},
    {"has_all", KQ_MATCH_HAS, true, true, true},
    {"hasprefix", KQ_MATCH_HASPREFIX, true, false, false},
    {"hasprefix_cs", KQ_MATCH_HASPREFIX, false, false, false},
    {"hassuffix", KQ_MATCH_HASSUFFIX, true, false, false},
    {"hassuffix_cs", KQ_MATCH_HASSUFFIX, false, false, false},
    {"contains", KQ_MATCH_CONTAINS, true, false, false},
    {"contains_cs", KQ_MATCH_CONTAINS, false, false, false},
    {"startswith", KQ_MATCH_STARTSWITH, true, false, false},
    {"startswith_cs", KQ_MATCH_STARTSWITH, false, false, false},
    {"endswith", KQ_MATCH_ENDSWITH, true, false, false},
    {"endswith_cs", KQ_MATCH_ENDSWITH, false, false, false},
};

const kq_text_op *kq_text_op_find(const char *name) {
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].name, name) == 0) return &ops[i];
    return NULL;
}
