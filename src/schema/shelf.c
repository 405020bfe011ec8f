/* The books of a catalog: scans of one engine over the same inputs share what they learned of processes. */
#include "schema/catalog_internal.h"
#include <pthread.h>

typedef struct kept {
    kq_book *book;
    uint32_t *columns, n;
    bool told;
    struct kept *next;
} kept;

struct kq_shelf {
    pthread_mutex_t lock;
    kept *books;
};

kq_status kq_shelf_create(kq_shelf **out, kq_error *err) {
    kq_shelf *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return KQ_OK;
}

void kq_shelf_clear(kq_shelf *s, bool all) {
    if (!s) return;
    for (kept *k = s->books, *next; k; k = next) {
        next = k->next;
        kq_book_destroy(k->book);
        kq_free(k->columns);
        kq_free(k);
    }
    s->books = NULL;
    if (!all) return;
    pthread_mutex_destroy(&s->lock);
    kq_free(s);
}

kq_book *kq_catalog_book(const kq_catalog *c, const uint32_t *columns, uint32_t n, bool told) {
    kq_book *found = NULL;
    pthread_mutex_lock(&c->shelf->lock);
    for (const kept *k = c->shelf->books; k && !found; k = k->next) {
        bool all = k->told || !told;
        for (uint32_t i = 0; i < n && all; i++) {
            bool has = false;
            for (uint32_t j = 0; j < k->n; j++) has |= k->columns[j] == columns[i];
            all = has;
        }
        if (all) found = k->book;
    }
    pthread_mutex_unlock(&c->shelf->lock);
    return found;
}

uint32_t *kq_catalog_book_columns(const kq_catalog *c, const kq_book *book, uint32_t *n) {
    uint32_t *columns = NULL;
    pthread_mutex_lock(&c->shelf->lock);
    for (const kept *k = c->shelf->books; k; k = k->next)
        if (k->book == book) {
            columns = k->columns;
            *n = k->n;
        }
    pthread_mutex_unlock(&c->shelf->lock);
    return columns;
}

bool kq_catalog_keep_book(const kq_catalog *c, kq_book *book, const uint32_t *columns, uint32_t n, bool told) {
    kept *k = kq_calloc(1, sizeof *k);
    uint32_t *own = kq_calloc(n + 1, sizeof *own);
    if (!k || !own) {
        kq_free(k);
        kq_free(own);
        return false;
    }
    if (n) memcpy(own, columns, n * sizeof *own);
    *k = (kept){book, own, n, told, NULL};
    pthread_mutex_lock(&c->shelf->lock);
    k->next = c->shelf->books;
    c->shelf->books = k;
    pthread_mutex_unlock(&c->shelf->lock);
    return true;
}
