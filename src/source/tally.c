#include "source/tally.h"
#include <string.h>

void kq_tally_init(kq_tally *t, bool (*is_table)(const void *ctx, kq_sv name), const void *ctx, kq_budget *budget) {
    *t = (kq_tally){.is_table = is_table, .ctx = ctx};
    pthread_mutex_init(&t->lock, NULL);
    kq_buf_init(&t->tables, budget, 0);
}

void kq_tally_deinit(kq_tally *t) {
    kq_buf_deinit(&t->tables);
    pthread_mutex_destroy(&t->lock);
}

bool kq_tally_has(const kq_tally *t, kq_sv name) {
    for (const char *p = t->tables.p; p && p < t->tables.p + t->tables.n; p += strlen(p) + 1)
        if (kq_sv_eq(kq_sv_of(p), name)) return true;
    return false;
}

bool kq_tally_named(kq_tally *t, kq_tally_part *part, kq_sv name) {
    if (!name.n || memchr(name.p, 0, name.n)) return false;
    if (part->nlast == name.n && memcmp(part->last, name.p, name.n) == 0) return part->last_is;
    bool is = t->is_table(t->ctx, name);
    if (is) {
        pthread_mutex_lock(&t->lock);
        if (t->ntables < KQ_TALLY_TABLES && !kq_tally_has(t, name)) {
            kq_buf_sv(&t->tables, name);
            kq_buf_char(&t->tables, 0);
            t->ntables++;
        }
        pthread_mutex_unlock(&t->lock);
    }
    if (name.n <= sizeof part->last) {
        memcpy(part->last, name.p, name.n);
        part->nlast = (uint32_t)name.n;
        part->last_is = is;
    }
    return is;
}

void kq_tally_add(kq_tally *t, kq_tally_part *part) {
    if (part->known || part->unknown) {
        pthread_mutex_lock(&t->lock);
        if (part->unknown && (!t->unknown || part->first < t->first)) t->first = part->first;
        t->known += part->known;
        t->unknown += part->unknown;
        pthread_mutex_unlock(&t->lock);
    }
    *part = (kq_tally_part){0};
}
