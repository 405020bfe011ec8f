#include "base/nearest.h"

enum { NAME_MAX_BYTES = 80 };

/* Edits (insert, delete, replace, swap of neighbours) from `a` to `b`, case ignored; more than `limit` is limit + 1. */
static unsigned distance(kq_sv a, kq_sv b, unsigned limit) {
    if (a.n > b.n + limit || b.n > a.n + limit) return limit + 1;
    unsigned rows[3][NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b.n; j++) rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3], best = row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = kq_ascii_lower(a.p[i - 1]), y = kq_ascii_lower(b.p[j - 1]);
            unsigned d = up[j - 1] + (x != y);
            if (up[j] + 1 < d) d = up[j] + 1;
            if (row[j - 1] + 1 < d) d = row[j - 1] + 1;
            if (i > 1 && j > 1 && x == kq_ascii_lower(b.p[j - 2]) && y == kq_ascii_lower(a.p[i - 2]) &&
                up2[j - 2] + 1 < d)
                d = up2[j - 2] + 1;
            row[j] = d;
            if (d < best) best = d;
        }
        if (best > limit) return limit + 1;
    }
    return rows[a.n % 3][b.n];
}

const kq_sv *kq_nearest(kq_sv name, const kq_sv *names, size_t n) {
    if (name.n == 0 || name.n > NAME_MAX_BYTES) return NULL;
    unsigned limit = name.n < 3 ? 1 : (unsigned)(name.n / 3);
    const kq_sv *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (names[i].n > NAME_MAX_BYTES) continue;
        unsigned d = distance(name, names[i], limit);
        if (d > limit || d >= names[i].n) continue;
        best = &names[i];
        if (d == 0) break;
        limit = d - 1;
    }
    return best;
}
