/*
 * Paths into dynamics: $.a.b, $['a b'][0]. The subset that Kusto documents (jsonpath.md). Internal to func/.
 */
#ifndef KQ_FUNC_JSONPATH_H
#define KQ_FUNC_JSONPATH_H

#include "column/dynamic.h"

#define KQ_PATH_STEPS KQ_DYN_DEPTH

typedef struct kq_path {
    const char *p, *end; /* what is left */
} kq_path;

typedef struct kq_path_step {
    bool index;
    kq_sv name;
    int64_t n; /* of an index */
} kq_path_step;

/* True when `text` begins like a path ("$" and a step or nothing); fills `path` for kq_path_next. */
bool kq_path_open(kq_sv text, kq_path *path);
/* The next step: 1, at the end 0, and -1 when the text is malformed there. */
int kq_path_next(kq_path *path, kq_path_step *step);

/* What `text` leads to in `root`; {NULL, 0} when nothing, or when the path is malformed. */
kq_dyn kq_path_get(kq_dyn root, kq_sv text);

/* The element of `d` that one step leads to. An index may count from the end (-1 is the last). */
kq_dyn kq_path_member(kq_dyn d, const kq_path_step *step);

#endif
