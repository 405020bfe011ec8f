/* The books of a catalog: scans of one engine over the same inputs share what they learned of processes. */
#include "schema/catalog_internal.h"
#include <pthread.h>

typedef struct kept {
    kq_book *book;
    uint32_t *columns, n;
    bool told;
    unsigned borrowers;
    struct kept *next;
} kept;

typedef struct counted {
    const kq_table *table;
    struct counted *next;
    uint64_t records[];
} counted;

typedef struct looked {
    const kq_table *table;
    uint32_t column;
    kq_match_op op;
    const char *unless; /* static */
    bool has;
    struct looked *next;
} looked;

struct kq_shelf {
    pthread_mutex_t lock;
    looked *looks;
    counted *counts;
    kq_observed *observed;
    kq_grouped *grouped;
    kept *books;
};

kq_status kq_shelf_create(kq_shelf **out, kq_error *err) {
    kq_shelf *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return KQ_OK;
}

static void throw_away(kept *k) {
    kq_book_destroy(k->book);
    kq_free(k->columns);
    kq_free(k);
}

void kq_shelf_clear(kq_shelf *s, bool all) {
    if (!s) return;
    for (kept *k = s->books, *next; k; k = next) {
        next = k->next;
        throw_away(k);
    }
    s->books = NULL;
    for (counted *k = s->counts, *next; k; k = next) {
        next = k->next;
        kq_free(k);
    }
    s->counts = NULL;
    for (kq_observed *k = s->observed, *next; k; k = next) {
        next = k->next;
        kq_arena_deinit(&k->arena);
        kq_free(k);
    }
    s->observed = NULL;
    for (kq_grouped *k = s->grouped, *next; k; k = next) {
        next = k->next;
        kq_arena_deinit(&k->arena);
        kq_free(k);
    }
    s->grouped = NULL;
    for (looked *k = s->looks, *next; k; k = next) {
        next = k->next;
        kq_free(k);
    }
    s->looks = NULL;
    if (!all) return;
    pthread_mutex_destroy(&s->lock);
    kq_free(s);
}

bool kq_shelf_counts(kq_shelf *s, const kq_table *table, uint64_t *records, uint32_t n) {
    pthread_mutex_lock(&s->lock);
    const counted *k = s->counts;
    while (k && k->table != table) k = k->next;
    if (k && n) memcpy(records, k->records, n * sizeof *records);
    pthread_mutex_unlock(&s->lock);
    return k != NULL;
}

void kq_shelf_keep_counts(kq_shelf *s, const kq_table *table, const uint64_t *records, uint32_t n) {
    counted *k = kq_malloc(sizeof *k + n * sizeof *records);
    if (!k) return; /* it is counted again */
    k->table = table;
    if (n) memcpy(k->records, records, n * sizeof *records);
    pthread_mutex_lock(&s->lock);
    k->next = s->counts;
    s->counts = k;
    pthread_mutex_unlock(&s->lock);
}

const kq_observed_column *kq_shelf_observed(kq_shelf *s, const kq_table *table) {
    pthread_mutex_lock(&s->lock);
    const kq_observed *k = s->observed;
    while (k && k->table != table) k = k->next;
    pthread_mutex_unlock(&s->lock);
    return k ? k->columns : NULL;
}

const kq_observed_column *kq_shelf_keep_observed(kq_shelf *s, kq_observed *made) {
    pthread_mutex_lock(&s->lock);
    made->next = s->observed;
    s->observed = made;
    pthread_mutex_unlock(&s->lock);
    return made->columns;
}

static bool has_read(const kq_grouped *k, const bool *wanted) {
    for (uint32_t i = 0; i < k->table->columns.n; i++)
        if (wanted[i] && !k->groups.read[i]) return false;
    return true;
}

const kq_observed_groups *kq_shelf_grouped(kq_shelf *s, const kq_table *table, const bool *wanted, uint32_t *n) {
    const kq_grouped *found = NULL;
    *n = 0;
    pthread_mutex_lock(&s->lock);
    for (const kq_grouped *k = s->grouped; k; k = k->next) {
        if (k->table != table) continue;
        ++*n;
        if (!found && has_read(k, wanted)) found = k;
    }
    pthread_mutex_unlock(&s->lock);
    return found ? &found->groups : NULL;
}

const kq_observed_groups *kq_shelf_keep_grouped(kq_shelf *s, kq_grouped *made) {
    pthread_mutex_lock(&s->lock);
    made->next = s->grouped;
    s->grouped = made;
    pthread_mutex_unlock(&s->lock);
    return &made->groups;
}

bool kq_shelf_looked(kq_shelf *s, const kq_table *table, uint32_t column, const kq_cant *cant, bool *has) {
    pthread_mutex_lock(&s->lock);
    const looked *k = s->looks;
    while (k && (k->table != table || k->column != column || k->op != cant->unless_op || k->unless != cant->unless))
        k = k->next;
    if (k) *has = k->has;
    pthread_mutex_unlock(&s->lock);
    return k != NULL;
}

void kq_shelf_keep_look(kq_shelf *s, const kq_table *table, uint32_t column, const kq_cant *cant, bool has) {
    looked *k = kq_malloc(sizeof *k);
    if (!k) return; /* it is looked for again */
    *k = (looked){table, column, cant->unless_op, cant->unless, has, NULL};
    pthread_mutex_lock(&s->lock);
    k->next = s->looks;
    s->looks = k;
    pthread_mutex_unlock(&s->lock);
}

static bool has(const uint32_t *columns, uint32_t n, uint32_t column) {
    for (uint32_t i = 0; i < n; i++)
        if (columns[i] == column) return true;
    return false;
}

/* Is all of `few` among `many`? */
static bool covers(const uint32_t *many, uint32_t nmany, const uint32_t *few, uint32_t nfew) {
    for (uint32_t i = 0; i < nfew; i++)
        if (!has(many, nmany, few[i])) return false;
    return true;
}

kq_book *kq_catalog_book(const kq_catalog *c, const uint32_t *columns, uint32_t n, bool told, uint32_t **own,
                         uint32_t *nown) {
    kept *k;
    pthread_mutex_lock(&c->shelf->lock);
    for (k = c->shelf->books; k; k = k->next)
        if ((k->told || !told) && covers(k->columns, k->n, columns, n)) break;
    if (k) {
        k->borrowers++;
        *own = k->columns;
        *nown = k->n;
    }
    pthread_mutex_unlock(&c->shelf->lock);
    return k ? k->book : NULL;
}

void kq_catalog_book_join(const kq_catalog *c, uint32_t *columns, uint32_t *n, bool *told) {
    pthread_mutex_lock(&c->shelf->lock);
    for (const kept *k = c->shelf->books; k; k = k->next) {
        *told |= k->told;
        for (uint32_t i = 0; i < k->n; i++)
            if (!has(columns, *n, k->columns[i])) columns[(*n)++] = k->columns[i];
    }
    pthread_mutex_unlock(&c->shelf->lock);
}

/* Under the lock. */
static void drop_covered(kq_shelf *s, const kept *by, const uint32_t *columns, uint32_t n, bool told) {
    for (kept **at = &s->books; *at;) {
        kept *k = *at;
        if (k != by && !k->borrowers && (told || !k->told) && covers(columns, n, k->columns, k->n)) {
            *at = k->next;
            throw_away(k);
        } else {
            at = &k->next;
        }
    }
}

size_t kq_catalog_book_share(const kq_catalog *c, const uint32_t *columns, uint32_t n, bool told) {
    size_t share = c->book_share ? c->book_share : KQ_BOOK_SHARE, held = 0;
    if (!c->book_share && c->budget && c->budget->limit && share > c->budget->limit / 4) share = c->budget->limit / 4;
    pthread_mutex_lock(&c->shelf->lock);
    drop_covered(c->shelf, NULL, columns, n, told);
    for (const kept *k = c->shelf->books; k; k = k->next) held += kq_book_held(k->book);
    pthread_mutex_unlock(&c->shelf->lock);
    return held < share - share / 8 ? share - held : share / 8;
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
    *k = (kept){.book = book, .columns = own, .n = n, .told = told, .borrowers = 1};
    pthread_mutex_lock(&c->shelf->lock);
    k->next = c->shelf->books;
    c->shelf->books = k;
    drop_covered(c->shelf, k, own, n, told);
    pthread_mutex_unlock(&c->shelf->lock);
    return true;
}

void kq_catalog_return_book(const kq_catalog *c, const kq_book *book) {
    pthread_mutex_lock(&c->shelf->lock);
    for (kept *k = c->shelf->books; k; k = k->next)
        if (k->book == book) k->borrowers--;
    /* what another one took the place of meanwhile goes now */
    const kept *last = c->shelf->books;
    if (last) drop_covered(c->shelf, last, last->columns, last->n, last->told);
    pthread_mutex_unlock(&c->shelf->lock);
}
