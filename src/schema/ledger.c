#include "schema/ledger.h"
#include <stdlib.h>
#include <string.h>

static size_t clamped(size_t n, size_t least, size_t most) {
    return n < least ? least : n > most ? most : n;
}

/* Of the usual share, 24 MB: 128 runs merged at once through 32 KB each. */
#define MERGE_BUFFER ((size_t)32 * 1024)

void kq_ledger_init(kq_ledger *l, unsigned words, size_t share, kq_budget *budget) {
    *l = (kq_ledger){.words = words,
                     .fan = clamped(share / (4 * MERGE_BUFFER), 3, 128),
                     .sparse_max = clamped(share / 256, 8, 64 * 1024) & ~(size_t)1,
                     .budget = budget,
                     .file = KQ_SPILL_NONE,
                     .stride = 1};
    pthread_mutex_init(&l->lock, NULL);
}

static size_t bytes_of(const kq_ledger *l, size_t n) {
    return n * l->words * sizeof(uint64_t);
}

void kq_ledger_part_deinit(const kq_ledger *l, kq_ledger_part *p) {
    kq_budget_release(l->budget, bytes_of(l, p->cap));
    kq_free(p->items);
    *p = (kq_ledger_part){0};
}

void kq_ledger_deinit(kq_ledger *l) {
    if (l->items) kq_budget_release(l->budget, bytes_of(l, l->n));
    kq_free(l->items);
    kq_free(l->first);
    if (l->sparse) kq_budget_release(l->budget, l->sparse_max * sizeof *l->sparse);
    kq_free(l->sparse);
    kq_free(l->runs);
    kq_spill_close(&l->file);
    pthread_mutex_destroy(&l->lock);
}

static kq_status widen(const kq_ledger *l, kq_ledger_part *p, size_t cap, kq_error *err) {
    if (!kq_budget_charge(l->budget, bytes_of(l, cap - p->cap))) return kq_budget_status(l->budget, err);
    uint64_t *items = kq_realloc(p->items, bytes_of(l, cap));
    if (!items) {
        kq_budget_release(l->budget, bytes_of(l, cap - p->cap));
        return kq_nomem(err);
    }
    p->items = items;
    p->cap = cap;
    return KQ_OK;
}

kq_status kq_ledger_add(const kq_ledger *l, kq_ledger_part *p, const uint64_t *item, kq_error *err) {
    if (p->n == p->cap) KQ_TRY(widen(l, p, p->cap ? 2 * p->cap : 256, err));
    memcpy(p->items + p->n++ * l->words, item, bytes_of(l, 1));
    return KQ_OK;
}

static int compare(const uint64_t *x, const uint64_t *y, unsigned words) {
    for (unsigned i = 0; i < words; i++)
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
    return 0;
}

static int one_word(const void *a, const void *b) {
    return compare(a, b, 1);
}
static int two_words(const void *a, const void *b) {
    return compare(a, b, 2);
}
static int three_words(const void *a, const void *b) {
    return compare(a, b, 3);
}
static int four_words(const void *a, const void *b) {
    return compare(a, b, 4);
}

/* A few records, by insertion. */
static void sort_few(uint64_t *items, size_t n, unsigned words) {
    uint64_t item[KQ_LEDGER_WORDS];
    const size_t bytes = words * sizeof *items;
    for (size_t i = 1; i < n; i++) {
        size_t to = i;
        while (to > 0 && compare(items + i * words, items + (to - 1) * words, words) < 0) to--;
        if (to == i) continue;
        memcpy(item, items + i * words, bytes);
        memmove(items + (to + 1) * words, items + to * words, (i - to) * bytes);
        memcpy(items + to * words, item, bytes);
    }
}

#define FEW         24u /* records */
#define BUCKET_BITS 12u

/* First words are hashes as a rule: records go to the bucket of their leading bits, each by swaps from where it lies to
 * where it belongs, and few are in one. qsort alone takes three times as long. */
static void sort_items(const kq_ledger *l, uint64_t *items, size_t n) {
    static int (*const order[])(const void *, const void *) = {one_word, two_words, three_words, four_words};
    const unsigned words = l->words;
    unsigned bits = 1;
    while (bits < BUCKET_BITS && (size_t)8 << bits < n) bits++;
    const unsigned shift = 64 - bits;
    size_t next[1u << BUCKET_BITS], end[1u << BUCKET_BITS], buckets = (size_t)1 << bits;
    memset(end, 0, buckets * sizeof *end);
    for (size_t i = 0; i < n; i++) end[items[i * words] >> shift]++;
    for (size_t b = 0, at = 0; b < buckets; b++) {
        next[b] = at;
        end[b] = at += end[b];
    }
    for (size_t b = 0; b < buckets; b++) {
        while (next[b] < end[b]) {
            uint64_t *here = items + next[b] * words, moved[KQ_LEDGER_WORDS];
            size_t home = here[0] >> shift;
            uint64_t *there = items + next[home]++ * words;
            if (there == here) continue;
            memcpy(moved, here, bytes_of(l, 1));
            memcpy(here, there, bytes_of(l, 1));
            memcpy(there, moved, bytes_of(l, 1));
        }
    }
    for (size_t b = 0, from = 0; b < buckets; from = end[b++]) {
        if (end[b] - from <= FEW)
            sort_few(items + from * words, end[b] - from, words);
        else
            qsort(items + from * words, end[b] - from, bytes_of(l, 1), order[words - 1]);
    }
}

void kq_ledger_sort(const kq_ledger *l, kq_ledger_part *p) {
    if (p->sorted != p->n) sort_items(l, p->items, p->n);
    p->sorted = p->n;
}

/* Under the lock, or sealing. */
static kq_status note_run(kq_ledger *l, uint64_t at, uint64_t n, kq_error *err) {
    if (l->nruns == l->runs_cap) {
        size_t cap = l->runs_cap ? 2 * l->runs_cap : 16;
        kq_ledger_run *runs = kq_realloc(l->runs, cap * sizeof *runs);
        if (!runs) return kq_nomem(err);
        l->runs = runs;
        l->runs_cap = cap;
    }
    l->runs[l->nruns++] = (kq_ledger_run){at, n};
    return KQ_OK;
}

kq_status kq_ledger_spill(kq_ledger *l, kq_ledger_part *p, size_t least, kq_error *err) {
    if (!p->n || p->n < least) return KQ_OK;
    kq_ledger_sort(l, p);
    pthread_mutex_lock(&l->lock);
    kq_status status = kq_spill_open(&l->file, err);
    uint64_t at = l->written;
    if (!status) status = note_run(l, at, p->n, err);
    if (!status) l->written += p->n;
    pthread_mutex_unlock(&l->lock);
    if (!status) status = kq_spill_write(&l->file, bytes_of(l, at), p->items, bytes_of(l, p->n), err);
    if (status) return status;
    p->n = p->sorted = 0;
    if (!least || p->cap > 2 * least) kq_ledger_part_deinit(l, p); /* the first one of a part may be large */
    return KQ_OK;
}

/* A run being merged, or the file that is being made. */
typedef struct cursor {
    uint64_t *items;
    size_t i, n;      /* records in the buffer */
    uint64_t at, end; /* records of the file behind them */
} cursor;

typedef struct merge {
    kq_ledger *ledger;
    kq_spill *from, to;
    size_t room; /* records in a buffer */
    cursor *in;
    size_t *heap, nheap;
    cursor out;
    uint64_t *block; /* all buffers */
    size_t charged;
    bool last; /* the sparse index is made */
} merge;

static kq_status refill(merge *m, cursor *c, kq_error *err) {
    const kq_ledger *l = m->ledger;
    c->i = 0;
    c->n = c->end - c->at < m->room ? (size_t)(c->end - c->at) : m->room;
    KQ_TRY(kq_spill_read(m->from, bytes_of(l, c->at), c->items, bytes_of(l, c->n), err));
    c->at += c->n;
    return KQ_OK;
}

static const uint64_t *head(const merge *m, size_t h) {
    const cursor *c = &m->in[m->heap[h]];
    return c->items + c->i * m->ledger->words;
}

static void sink(merge *m, size_t h) {
    for (size_t child; (child = 2 * h + 1) < m->nheap; h = child) {
        unsigned words = m->ledger->words;
        if (child + 1 < m->nheap && compare(head(m, child + 1), head(m, child), words) < 0) child++;
        if (compare(head(m, h), head(m, child), words) <= 0) return;
        size_t other = m->heap[h];
        m->heap[h] = m->heap[child];
        m->heap[child] = other;
    }
}

/* Every second entry of the index, when it is full. */
static void note_page(kq_ledger *l, uint64_t page, uint64_t word) {
    if (page % l->stride) return;
    if (l->nsparse == l->sparse_max) {
        for (size_t i = 0; i < l->sparse_max / 2; i++) l->sparse[i] = l->sparse[2 * i];
        l->nsparse = l->sparse_max / 2;
        l->stride *= 2;
        if (page % l->stride) return;
    }
    l->sparse[l->nsparse++] = word;
}

static kq_status drain(merge *m, kq_error *err) {
    const kq_ledger *l = m->ledger;
    KQ_TRY(kq_spill_write(&m->to, bytes_of(l, m->out.at), m->out.items, bytes_of(l, m->out.n), err));
    m->out.at += m->out.n;
    m->out.n = 0;
    return KQ_OK;
}

/* Runs in[0..n) of the file as one at the end of the new file. */
static kq_status merge_runs(merge *m, const kq_ledger_run *runs, size_t n, kq_error *err) {
    kq_ledger *l = m->ledger;
    const unsigned words = l->words;
    const uint64_t per_page = KQ_PAGE / bytes_of(l, 1);
    for (size_t i = 0; i < n; i++) {
        m->in[i] = (cursor){.items = m->block + i * m->room * words, .at = runs[i].at, .end = runs[i].at + runs[i].n};
        m->heap[i] = i;
        KQ_TRY(refill(m, &m->in[i], err));
    }
    m->nheap = n;
    for (size_t h = n / 2; h-- > 0;) sink(m, h);
    while (m->nheap) {
        cursor *c = &m->in[m->heap[0]];
        const uint64_t *item = c->items + c->i * words;
        uint64_t at = m->out.at + m->out.n;
        if (m->last && at % per_page == 0) note_page(l, at / per_page, item[0]);
        memcpy(m->out.items + m->out.n++ * words, item, bytes_of(l, 1));
        if (m->out.n == m->room) KQ_TRY(drain(m, err));
        if (++c->i == c->n) {
            if (c->at < c->end)
                KQ_TRY(refill(m, c, err));
            else
                m->heap[0] = m->heap[--m->nheap];
        }
        if (m->nheap) sink(m, 0);
    }
    return drain(m, err);
}

/* One pass: the file's runs, `fan` at a time, become the runs of a new file that takes its place. */
static kq_status merge_pass(merge *m, kq_error *err) {
    kq_ledger *l = m->ledger;
    size_t made = 0;
    m->from = &l->file;
    m->to = KQ_SPILL_NONE;
    m->last = l->nruns <= l->fan;
    m->out.at = 0;
    kq_status status = kq_spill_open(&m->to, err);
    for (size_t i = 0; i < l->nruns && !status; i += l->fan) {
        size_t n = l->nruns - i < l->fan ? l->nruns - i : l->fan;
        kq_ledger_run run = {m->out.at, 0};
        m->out.n = 0;
        status = merge_runs(m, l->runs + i, n, err);
        run.n = m->out.at - run.at;
        l->runs[made++] = run; /* not before those that were read: made <= i */
    }
    if (status) {
        kq_spill_close(&m->to);
        return status;
    }
    l->nruns = made;
    kq_spill_close(&l->file);
    l->file = m->to;
    return KQ_OK;
}

static kq_status merge_all(kq_ledger *l, kq_error *err) {
    size_t fan = l->nruns < l->fan ? l->nruns : l->fan;
    merge m = {.ledger = l, .room = MERGE_BUFFER / bytes_of(l, 1)};
    m.charged = (fan + 1) * (MERGE_BUFFER + sizeof *m.in + sizeof *m.heap);
    if (!kq_budget_charge(l->budget, m.charged)) return kq_budget_status(l->budget, err);
    m.block = kq_malloc((fan + 1) * MERGE_BUFFER);
    m.in = kq_calloc(fan, sizeof *m.in);
    m.heap = kq_calloc(fan, sizeof *m.heap);
    if (kq_budget_charge(l->budget, l->sparse_max * sizeof *l->sparse)) {
        l->sparse = kq_malloc(l->sparse_max * sizeof *l->sparse);
        if (!l->sparse) kq_budget_release(l->budget, l->sparse_max * sizeof *l->sparse);
    }
    kq_status status = KQ_OK;
    if (!l->sparse)
        status = kq_budget_status(l->budget, err);
    else if (!m.block || !m.in || !m.heap)
        status = kq_nomem(err);
    if (!status) m.out.items = m.block + fan * m.room * l->words;
    do {
        if (!status) status = merge_pass(&m, err);
    } while (!status && !m.last);
    kq_free(m.block);
    kq_free(m.in);
    kq_free(m.heap);
    kq_budget_release(l->budget, m.charged);
    return status;
}

/* By leading bits: where to look. */
static kq_status index_items(kq_ledger *l, kq_error *err) {
    unsigned bits = 4;
    while (bits < 24 && (size_t)1 << bits < l->n / 8) bits++;
    l->shift = 64 - bits;
    l->first = kq_calloc(((size_t)1 << bits) + 1, sizeof *l->first);
    if (!l->first) return kq_nomem(err);
    for (size_t i = 0, slot = 0; slot <= (size_t)1 << bits; slot++) {
        while (i < l->n && l->items[i * l->words] >> l->shift < slot) i++;
        l->first[slot] = i;
    }
    return KQ_OK;
}

/* The records of `p` among those of `all`, which has room for them; from the last one down, so that none is in the way.
 */
static void merge_part(const kq_ledger *l, kq_ledger_part *all, const kq_ledger_part *p) {
    const unsigned words = l->words;
    size_t i = all->n, j = p->n;
    for (size_t to = i + j; j > 0; to--) {
        bool ours = i > 0 && compare(all->items + (i - 1) * words, p->items + (j - 1) * words, words) > 0;
        const uint64_t *from = ours ? all->items + --i * words : p->items + --j * words;
        memcpy(all->items + (to - 1) * words, from, bytes_of(l, 1));
    }
    all->n = all->sorted = all->n + p->n;
}

kq_status kq_ledger_seal(kq_ledger *l, kq_ledger_part *(*next)(void *ctx), void *ctx, kq_error *err) {
    kq_ledger_part all = {0};
    kq_status status = KQ_OK;
    for (kq_ledger_part *p; !status && (p = next(ctx));) {
        l->n += p->n;
        if (l->nruns) {
            status = kq_ledger_spill(l, p, 0, err);
        } else if (!all.n) {
            kq_ledger_part_deinit(l, &all);
            all = *p;
            *p = (kq_ledger_part){0};
        } else if (p->n) {
            size_t n = all.n + p->n;
            if (n > all.cap) status = widen(l, &all, n, err);
            if (status) break;
            kq_ledger_sort(l, &all);
            kq_ledger_sort(l, p);
            merge_part(l, &all, p);
            kq_ledger_part_deinit(l, p);
        }
    }
    if (!status && l->nruns) {
        l->n = l->written;
        return merge_all(l, err);
    }
    if (!status && all.n < all.cap && all.n) { /* what is kept takes what it needs */
        uint64_t *fit = kq_realloc(all.items, bytes_of(l, all.n));
        if (fit) {
            kq_budget_release(l->budget, bytes_of(l, all.cap - all.n));
            all.items = fit;
            all.cap = all.n;
        }
    }
    if (status || !all.n) {
        kq_ledger_part_deinit(l, &all);
        l->n = 0;
        return status;
    }
    if (all.cap > all.n) kq_budget_release(l->budget, bytes_of(l, all.cap - all.n));
    kq_ledger_sort(l, &all);
    l->items = all.items;
    l->n = all.n;
    return index_items(l, err);
}

kq_status kq_ledger_reader_init(kq_ledger_reader *r, const kq_ledger *l, kq_budget *budget, kq_error *err) {
    *r = (kq_ledger_reader){.ledger = l};
    if (!l->n || l->items) return KQ_OK;
    return kq_pages_init(&r->pages, &l->file, bytes_of(l, l->n), budget, err);
}

void kq_ledger_reader_deinit(kq_ledger_reader *r) {
    if (r->pages.data) kq_pages_deinit(&r->pages);
}

kq_status kq_ledger_get(kq_ledger_reader *r, uint64_t at, const uint64_t **out, kq_error *err) {
    const kq_ledger *l = r->ledger;
    kq_status status = KQ_OK;
    *out = NULL;
    if (at >= l->n) return KQ_OK;
    if (l->items)
        *out = l->items + at * l->words;
    else
        *out = (const uint64_t *)(const void *)kq_pages_get(&r->pages, bytes_of(l, at), bytes_of(l, 1), &status, err);
    return status;
}

/* In the file: the page that has the first record not less than `item`, or the one before it. */
static kq_status page_of(kq_ledger_reader *r, const uint64_t *item, uint64_t per_page, uint64_t *out, kq_error *err) {
    const kq_ledger *l = r->ledger;
    size_t lo = 0, hi = l->nsparse, upto = l->nsparse;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (l->sparse[mid] < item[0])
            lo = mid + 1;
        else
            hi = mid;
    }
    hi = lo;
    while (hi < upto) { /* entries with the same word: a busy process id */
        size_t mid = hi + (upto - hi) / 2;
        if (l->sparse[mid] <= item[0])
            hi = mid + 1;
        else
            upto = mid;
    }
    uint64_t from = lo ? (lo - 1) * l->stride : 0, to = hi * l->stride, pages = (l->n + per_page - 1) / per_page;
    if (to > pages) to = pages;
    while (to - from > 1) {
        uint64_t mid = from + (to - from) / 2;
        const uint64_t *first;
        KQ_TRY(kq_ledger_get(r, mid * per_page, &first, err));
        if (compare(first, item, l->words) < 0)
            from = mid;
        else
            to = mid;
    }
    *out = from;
    return KQ_OK;
}

kq_status kq_ledger_find(kq_ledger_reader *r, const uint64_t *item, uint64_t *at, kq_error *err) {
    const kq_ledger *l = r->ledger;
    uint64_t lo = 0, hi = l->n;
    *at = 0;
    if (!l->n) return KQ_OK;
    if (l->items) {
        size_t slot = item[0] >> l->shift;
        lo = l->first[slot];
        hi = l->first[slot + 1];
    } else {
        uint64_t per_page = KQ_PAGE / bytes_of(l, 1), page;
        KQ_TRY(page_of(r, item, per_page, &page, err));
        lo = page * per_page;
        if (hi > lo + per_page) hi = lo + per_page;
    }
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        const uint64_t *other;
        KQ_TRY(kq_ledger_get(r, mid, &other, err));
        if (compare(other, item, l->words) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *at = lo;
    return KQ_OK;
}
