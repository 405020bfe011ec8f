#include "schema/book.h"
#include <pthread.h>
#include <stdlib.h>
#include <xxhash.h>

typedef struct entry {
    uint64_t key;
    int64_t time;
    uint64_t ordinal;
    uint32_t part, row;
} entry;

struct kq_book_part {
    kq_book *book;
    uint32_t number;
    kq_rows rows;
    entry *entries;
    size_t n, cap;
    uint64_t *told; /* key and time of starts that may be told twice */
    size_t ntold, told_cap;
    kq_book_part *next;
};

struct kq_book {
    const kq_type *types;
    uint32_t ncolumns;
    kq_budget *budget;
    pthread_mutex_t lock; /* parts */
    kq_book_part *parts, **by_number;
    uint32_t nparts;
    entry *entries; /* by key, time, ordinal */
    size_t n;
    uint64_t *told; /* ascending */
    size_t ntold;
    size_t *first; /* by the leading bits of the key: the first entry that has no smaller ones */
    unsigned shift;
    kq_type owned[]; /* types */
};

/* Two bits tell the kinds of keys apart, so that one array holds them all. */
static uint64_t tagged(uint64_t hash, kq_book_key kind) {
    hash = (hash & ~UINT64_C(3)) | (uint64_t)kind;
    return hash ? hash : 4;
}

static size_t lowered(kq_sv in, char *out, size_t cap) {
    size_t n = in.n < cap ? in.n : cap;
    for (size_t i = 0; i < n; i++) out[i] = kq_ascii_lower(in.p[i]);
    return n;
}

uint64_t kq_book_guid(kq_sv guid) {
    char digits[32];
    unsigned n = 0;
    bool any = false;
    for (size_t i = 0; i < guid.n && n < sizeof digits; i++) {
        char c = kq_ascii_lower(guid.p[i]);
        if (c == '{' || c == '}' || c == '-') continue;
        any |= c != '0';
        digits[n++] = c;
    }
    return n == sizeof digits && any ? tagged(XXH64(digits, n, 1), KQ_BOOK_GUID) : 0;
}

uint64_t kq_book_pid(kq_sv device, int64_t pid) {
    char text[264];
    if (pid <= 0 || !device.n) return 0;
    size_t n = lowered(device, text, 256);
    memcpy(text + n, &pid, sizeof pid);
    return tagged(XXH64(text, n + sizeof pid, 2), KQ_BOOK_PID);
}

uint64_t kq_book_start(kq_sv device, int64_t pid, kq_sv file) {
    char text[256];
    uint64_t process = kq_book_pid(device, pid);
    if (!process || !file.n) return 0;
    size_t n = lowered(file, text, sizeof text);
    return tagged(XXH64(text, n, process), KQ_BOOK_START);
}

kq_status kq_book_create(const kq_type *types, uint32_t ncolumns, kq_budget *budget, kq_book **out, kq_error *err) {
    kq_book *b = kq_calloc(1, sizeof *b + (ncolumns + 1) * sizeof *types);
    if (!b) return kq_nomem(err);
    b->ncolumns = ncolumns;
    b->budget = budget;
    if (ncolumns) memcpy(b->owned, types, ncolumns * sizeof *types);
    b->types = b->owned;
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return KQ_OK;
}

void kq_book_destroy(kq_book *b) {
    if (!b) return;
    for (kq_book_part *p = b->parts, *next; p; p = next) {
        next = p->next;
        kq_rows_deinit(&p->rows);
        kq_budget_release(b->budget, p->cap * sizeof *p->entries);
        kq_free(p->entries);
        kq_budget_release(b->budget, p->told_cap * sizeof *p->told);
        kq_free(p->told);
        kq_free(p);
    }
    kq_budget_release(b->budget, b->n * sizeof *b->entries + b->ntold * sizeof *b->told);
    kq_free(b->entries);
    kq_free(b->told);
    kq_free(b->first);
    kq_free(b->by_number);
    pthread_mutex_destroy(&b->lock);
    kq_free(b);
}

kq_book_part *kq_book_part_new(kq_book *b) {
    kq_book_part *p = kq_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->book = b;
    kq_rows_init(&p->rows, b->types, b->ncolumns, b->budget);
    pthread_mutex_lock(&b->lock);
    p->number = b->nparts++;
    p->next = b->parts;
    b->parts = p;
    pthread_mutex_unlock(&b->lock);
    return p;
}

/* Room for one more item of `size` bytes in an array of a part. */
static kq_status room(kq_book *b, void *items, size_t n, size_t *cap, size_t size, kq_error *err) {
    void *old;
    if (n < *cap) return KQ_OK;
    size_t more = *cap ? 2 * *cap : 256;
    if (!kq_budget_charge(b->budget, (more - *cap) * size)) return kq_budget_status(b->budget, err);
    memcpy(&old, items, sizeof old);
    void *p = kq_realloc(old, more * size);
    if (!p) {
        kq_budget_release(b->budget, (more - *cap) * size);
        return kq_nomem(err);
    }
    memcpy(items, &p, sizeof p);
    *cap = more;
    return KQ_OK;
}

#define QUARTER_TICKS INT64_C(2500000)
#define NEAR_QUARTERS 8u

/* The leading half of a key, and the time in quarters of a second. */
static uint64_t telling(uint64_t key, int64_t time) {
    return (key & ~(uint64_t)UINT32_MAX) | (uint32_t)(time / QUARTER_TICKS);
}

kq_status kq_book_append(kq_book_part *p, kq_chunk *chunk, kq_error *err) {
    uint32_t n = p->book->ncolumns;
    const kq_vector *time = &chunk->cols[n + KQ_BOOK_KEYS];
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        entry e = {.ordinal = chunk->ordinal + row, .part = p->number, .row = (uint32_t)(p->rows.n + k)};
        kq_value at = kq_vector_get(time, row);
        if (p->rows.n + k > UINT32_MAX) return kq_fail(err, KQ_ERR_LIMIT, "more process starts than can be counted");
        if (at.null) continue;
        e.time = at.u.l;
        for (uint32_t i = 0; i < KQ_BOOK_KEYS; i++) {
            e.key = (uint64_t)kq_vec_long(&chunk->cols[n + i])[row];
            if (!e.key) continue;
            if (i == KQ_BOOK_START) {
                KQ_TRY(room(p->book, &p->told, p->ntold, &p->told_cap, sizeof *p->told, err));
                p->told[p->ntold++] = telling(e.key, e.time);
            } else {
                KQ_TRY(room(p->book, &p->entries, p->n, &p->cap, sizeof *p->entries, err));
                p->entries[p->n++] = e;
            }
        }
    }
    if (!n) return KQ_OK;
    kq_chunk columns = *chunk;
    columns.ncols = n;
    return kq_rows_append_chunk(&p->rows, &columns, err);
}

static int by_key(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The parts' tellings as one array; with one part, its own. */
static kq_status seal_told(kq_book *b, kq_error *err) {
    size_t n = 0, at = 0;
    for (kq_book_part *p = b->parts; p; p = p->next) n += p->ntold;
    if (!n) return KQ_OK;
    if (!kq_budget_charge(b->budget, n * sizeof *b->told)) return kq_budget_status(b->budget, err);
    b->ntold = n;
    b->told = kq_malloc(n * sizeof *b->told);
    if (!b->told) return kq_nomem(err);
    for (kq_book_part *p = b->parts; p; p = p->next) {
        if (p->ntold) memcpy(b->told + at, p->told, p->ntold * sizeof *p->told);
        at += p->ntold;
        kq_budget_release(b->budget, p->told_cap * sizeof *p->told);
        kq_free(p->told);
        p->told = NULL;
        p->ntold = p->told_cap = 0;
    }
    qsort(b->told, n, sizeof *b->told, ascending);
    return KQ_OK;
}

kq_status kq_book_seal(kq_book *b, kq_error *err) {
    size_t n = 0;
    KQ_TRY(seal_told(b, err));
    for (kq_book_part *p = b->parts; p; p = p->next) n += p->n;
    if (!kq_budget_charge(b->budget, n * sizeof *b->entries)) return kq_budget_status(b->budget, err);
    b->n = n;
    b->entries = kq_malloc((n + 1) * sizeof *b->entries);
    b->by_number = kq_calloc(b->nparts + 1u, sizeof(kq_book_part *));
    if (!b->entries || !b->by_number) return kq_nomem(err);
    size_t at = 0;
    for (kq_book_part *p = b->parts; p; p = p->next) {
        b->by_number[p->number] = p;
        if (p->n) memcpy(b->entries + at, p->entries, p->n * sizeof *p->entries);
        at += p->n;
        kq_budget_release(b->budget, p->cap * sizeof *p->entries);
        kq_free(p->entries);
        p->entries = NULL;
        p->n = p->cap = 0;
    }
    qsort(b->entries, n, sizeof *b->entries, by_key);
    unsigned bits = 4;
    while (bits < 24 && (size_t)1 << bits < n / 2) bits++;
    b->shift = 64 - bits;
    b->first = kq_calloc(((size_t)1 << bits) + 1, sizeof *b->first);
    if (!b->first) return kq_nomem(err);
    for (size_t i = 0, slot = 0; slot <= (size_t)1 << bits; slot++) {
        while (i < n && b->entries[i].key >> b->shift < slot) i++;
        b->first[slot] = i;
    }
    return KQ_OK;
}

/* The first entry in [lo, hi) whose key is not less than `key`. */
static size_t lower_bound(const kq_book *b, size_t lo, size_t hi, uint64_t key) {
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->entries[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The entries of a key: the first, and behind the last. */
static void range(const kq_book *b, uint64_t key, size_t *from, size_t *to) {
    size_t slot = key >> b->shift;
    *from = lower_bound(b, b->first[slot], b->first[slot + 1], key);
    *to = lower_bound(b, *from, b->first[slot + 1], key + 1);
}

/* The number of entries in [from, to) that are not later than `time`, by halving: a busy process id has many. */
static size_t until(const kq_book *b, size_t from, size_t to, int64_t time) {
    size_t lo = from, hi = to;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->entries[mid].time <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo - from;
}

bool kq_book_find(const kq_book *b, kq_book_key kind, uint64_t key, int64_t time, kq_book_row *out) {
    size_t from, to;
    if (!key) return false;
    range(b, key, &from, &to);
    if (from == to) return false;
    size_t n = until(b, from, to, time);
    if (!n && kind != KQ_BOOK_GUID) return false;
    const entry *e = &b->entries[n ? from + n - 1 : from];
    *out = (kq_book_row){b->by_number[e->part], e->row};
    return true;
}

/* The first telling in ascending order that is not less than `at`. */
static size_t first_told(const kq_book *b, uint64_t at) {
    size_t lo = 0, hi = b->ntold;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->told[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool kq_book_told(const kq_book *b, uint64_t key, int64_t time) {
    uint64_t at = telling(key, time), from = at > NEAR_QUARTERS ? at - NEAR_QUARTERS : 0;
    size_t i = first_told(b, from);
    return key && i < b->ntold && b->told[i] <= at + NEAR_QUARTERS;
}

bool kq_book_told_ever(const kq_book *b, uint64_t key) {
    uint64_t at = key & ~(uint64_t)UINT32_MAX;
    size_t i = first_told(b, at);
    return key && i < b->ntold && b->told[i] <= (at | UINT32_MAX);
}

void kq_book_cell(kq_book_row at, uint32_t number, kq_field *out) {
    kq_value v = kq_vector_get(kq_rows_vector(&at.part->rows, at.row, number), kq_rows_index(at.row));
    *out = (kq_field){.kind = KQ_FIELD_NULL};
    if (v.null) return;
    switch (v.type) {
    case KQ_STRING: break;
    case KQ_LONG: *out = (kq_field){.kind = KQ_FIELD_LONG, .u.l = v.u.l}; return;
    case KQ_INT: *out = (kq_field){.kind = KQ_FIELD_LONG, .u.l = v.u.i}; return;
    case KQ_BOOL: *out = (kq_field){.kind = KQ_FIELD_BOOL, .u.b = v.u.b}; return;
    case KQ_DATETIME: *out = (kq_field){.kind = KQ_FIELD_DATETIME, .u.l = v.u.l}; return;
    default: return;
    }
    /* a short string lies in the vector itself: a view of it lasts as long as the book */
    const kq_vector *column = kq_rows_vector(&at.part->rows, at.row, number);
    *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = kq_str_view(&kq_vec_str(column)[kq_rows_index(at.row)])};
}
