#include "func/jsonpath.h"

bool kq_path_open(kq_sv text, kq_path *path) {
    if (text.n == 0 || text.p[0] != '$' || (text.n > 1 && text.p[1] != '.' && text.p[1] != '[')) return false;
    *path = (kq_path){text.p + 1, text.p + text.n};
    return true;
}

static int quoted(kq_path *path, kq_path_step *step) {
    char quote = *path->p++;
    const char *start = path->p;
    while (path->p < path->end && *path->p != quote) path->p++;
    if (path->end - path->p < 2 || path->p[1] != ']') return -1;
    step->name = (kq_sv){start, (size_t)(path->p - start)};
    path->p += 2;
    return 1;
}

static int bracket(kq_path *path, kq_path_step *step) {
    if (path->p < path->end && (*path->p == '\'' || *path->p == '"')) return quoted(path, step);
    bool negative = path->p < path->end && *path->p == '-';
    path->p += negative;
    const char *start = path->p;
    int64_t n = 0;
    for (; path->p < path->end && *path->p >= '0' && *path->p <= '9'; path->p++)
        if (n < INT32_MAX) n = n * 10 + (*path->p - '0');
    if (path->p == start || path->p == path->end || *path->p != ']') return -1;
    path->p++;
    step->index = true;
    step->n = negative ? -n : n;
    return 1;
}

int kq_path_next(kq_path *path, kq_path_step *step) {
    *step = (kq_path_step){0};
    if (path->p == path->end) return 0;
    char c = *path->p++;
    if (c == '[') return bracket(path, step);
    if (c != '.') return -1;
    if (path->p < path->end && *path->p == '[') {
        path->p++;
        return bracket(path, step);
    }
    const char *start = path->p;
    while (path->p < path->end && *path->p != '.' && *path->p != '[') path->p++;
    if (path->p == start) return -1;
    step->name = (kq_sv){start, (size_t)(path->p - start)};
    return 1;
}

kq_dyn kq_path_member(kq_dyn d, const kq_path_step *step) {
    if (!step->index) return kq_dyn_get(d, step->name);
    if (kq_dyn_tag_of(d) != KQ_DYN_ARRAY) return (kq_dyn){NULL, 0};
    int64_t i = step->n < 0 ? step->n + kq_dyn_count(d) : step->n;
    return i < 0 || i >= kq_dyn_count(d) ? (kq_dyn){NULL, 0} : kq_dyn_element(d, (uint32_t)i);
}

kq_dyn kq_path_get(kq_dyn root, kq_sv text) {
    kq_path path;
    kq_path_step step;
    int more;
    if (!kq_path_open(text, &path)) return (kq_dyn){NULL, 0};
    while ((more = kq_path_next(&path, &step)) > 0) {
        root = kq_path_member(root, &step);
        if (root.n == 0) return root;
    }
    return more < 0 ? (kq_dyn){NULL, 0} : root;
}
