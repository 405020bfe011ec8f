#include "schema/book.h"
#include "column/value.h"
#include "schema/ledger.h"
#include "text/unit.h"
#include <stdlib.h>
#include <xxhash.h>

/* Of the usual share, 24 MB: blocks of 64 KB. */
#define BLOCK_MAX   ((size_t)64 * 1024)
#define BLOCK_MIN   ((size_t)4 * 1024)
#define ENTRY_WORDS 4 /* key, time, ordinal, where the row is */

typedef struct block {
    uint64_t number; /* its place in the file, in blocks */
    size_t size, n;  /* bytes; more than a block of the book where one row is larger */
    struct block *next;
    char data[];
} block;

struct kq_book_part {
    kq_book *book;
    block *blocks;          /* the last one first; rows go to it */
    size_t rows;            /* bytes of the blocks */
    kq_ledger_part entries; /* of kq_book.entries */
    kq_ledger_part told;    /* of kq_book.told */
    size_t held;            /* of kq_book.held */
    kq_book_part *next;
};

struct kq_book {
    uint32_t ncolumns;
    kq_budget *budget;
    size_t share, block;
    atomic_size_t held; /* bytes of all parts */
    atomic_uint nparts;
    atomic_bool spills;   /* the share is passed: parts go to the files */
    pthread_mutex_t lock; /* the next five */
    kq_book_part *parts;
    uint64_t nblocks;        /* numbers that were given */
    kq_spill rows;           /* block `number` is at number * block */
    uint64_t rows_end;       /* of the file */
    const block **by_number; /* sealed, in memory */
    kq_ledger entries;
    kq_ledger told; /* key and time of starts that may be told twice */
    kq_type types[];
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

static kq_sv label(kq_sv device) {
    const char *dot = memchr(device.p, '.', device.n);
    return dot ? kq_sv_slice(device, 0, (size_t)(dot - device.p)) : device;
}

/* Of a start on a computer of this label and some domain. */
static uint64_t host(kq_sv device, int64_t pid, kq_sv file) {
    uint64_t key = kq_book_start(label(device), pid, file);
    return key ? tagged(XXH64(&key, sizeof key, 3), KQ_BOOK_HOST) : 0;
}

void kq_book_tell(kq_sv device, int64_t pid, kq_sv file, uint64_t keys[2]) {
    keys[0] = kq_book_start(device, pid, file);
    keys[1] = label(device).n < device.n ? host(device, pid, file) : 0;
}

void kq_book_ask(kq_sv device, int64_t pid, kq_sv file, uint64_t keys[2]) {
    keys[0] = kq_book_start(device, pid, file);
    keys[1] = label(device).n < device.n ? kq_book_start(label(device), pid, file) : host(device, pid, file);
}

static bool is_slash(char c) {
    return c == '\\' || c == '/';
}

/* The text without case, and with one kind of slash, as 32 bits that are not 0. */
static uint32_t folded(kq_sv text) {
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    for (const char *p = text.p, *end = p + text.n; p < end;) {
        uint32_t unit;
        p += kq_unit(p, end, &unit);
        h = (h ^ (unit == '/' ? '\\' : kq_unit_fold(unit, true))) * UINT64_C(0x100000001B3);
    }
    uint32_t out = (uint32_t)(h ^ h >> 32);
    return out ? out : 1;
}

/* What is behind the volume, from its slash on; *drive its letter or 0. "": such a path can't be compared. */
static kq_sv behind_volume(kq_sv path, unsigned *drive) {
    static const kq_sv device = {"\\Device\\", 8}, mup = {"Mup\\", 4}, root = {"\\SystemRoot\\", 12};
    *drive = 0;
    bool raw = path.n > 4 && path.p[0] == '\\' && path.p[3] == '\\' &&
               (memcmp(path.p + 1, "??", 2) == 0 || memcmp(path.p + 1, "\\?", 2) == 0);
    if (raw) path = kq_sv_slice(path, 4, path.n);
    if (path.n > 2 && path.p[1] == ':' && is_slash(path.p[2])) {
        *drive = (unsigned char)kq_ascii_lower(path.p[0]);
        return kq_sv_slice(path, 2, path.n);
    }
    if (raw || !path.n || !is_slash(path.p[0])) return KQ_SV("");
    if (path.n > 2 && is_slash(path.p[1])) return kq_sv_slice(path, 1, path.n); /* a share, as behind Mup */
    if (path.n > root.n && kq_sv_eq_ascii_ci(kq_sv_slice(path, 0, root.n), root)) return KQ_SV("");
    if (path.n <= device.n || !kq_sv_eq_ascii_ci(kq_sv_slice(path, 0, device.n), device)) return path;
    path = kq_sv_slice(path, device.n, path.n);
    if (path.n > mup.n && kq_sv_eq_ascii_ci(kq_sv_slice(path, 0, mup.n), mup))
        return kq_sv_slice(path, mup.n - 1, path.n);
    const char *slash = memchr(path.p, '\\', path.n);
    return slash ? kq_sv_slice(path, (size_t)(slash - path.p), path.n) : KQ_SV("");
}

/* 32 bits of the path behind the volume (0: not there), 24 of the file name, 8 of the drive (0: not known). */
uint64_t kq_book_image(kq_sv path) {
    size_t name = path.n;
    unsigned drive;
    if (!path.n) return 0;
    while (name && !is_slash(path.p[name - 1])) name--;
    kq_sv rest = behind_volume(path, &drive);
    uint64_t file = folded(kq_sv_slice(path, name, path.n)) & 0xFFFFFF;
    return (rest.n ? (uint64_t)folded(rest) << 32 : 0) | (file ? file : 1) << 8 | drive;
}

bool kq_book_same_image(uint64_t a, uint64_t b) {
    uint64_t differ = a ^ b;
    if (!a || !b) return true;
    if (!(a >> 32) || !(b >> 32)) return !(differ & UINT64_C(0xFFFFFF00));
    return !(differ >> 32) && (!(a & 0xFF) || !(b & 0xFF) || !(differ & 0xFF));
}

kq_status kq_book_create(const kq_type *types, uint32_t ncolumns, size_t share, kq_budget *budget, kq_book **out,
                         kq_error *err) {
    kq_book *b = kq_calloc(1, sizeof *b + (ncolumns + 1) * sizeof *types);
    if (!b) return kq_nomem(err);
    b->ncolumns = ncolumns;
    b->budget = budget;
    b->share = share;
    b->block = share / 256 < BLOCK_MIN ? BLOCK_MIN : share / 256 > BLOCK_MAX ? BLOCK_MAX : (share / 256) & ~(size_t)7;
    b->rows = KQ_SPILL_NONE;
    if (ncolumns) memcpy(b->types, types, ncolumns * sizeof *types);
    kq_ledger_init(&b->entries, ENTRY_WORDS, share, budget);
    kq_ledger_init(&b->told, 1, share, budget);
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return KQ_OK;
}

static void free_block(kq_book_part *p, block *k) {
    p->rows -= k->size;
    kq_budget_release(p->book->budget, k->size);
    kq_free(k);
}

void kq_book_destroy(kq_book *b) {
    if (!b) return;
    for (kq_book_part *p = b->parts, *next; p; p = next) {
        next = p->next;
        for (block *k = p->blocks, *other; k; k = other) {
            other = k->next;
            free_block(p, k);
        }
        kq_ledger_part_deinit(&b->entries, &p->entries);
        kq_ledger_part_deinit(&b->told, &p->told);
        kq_free(p);
    }
    kq_ledger_deinit(&b->entries);
    kq_ledger_deinit(&b->told);
    kq_spill_close(&b->rows);
    kq_free(b->by_number);
    pthread_mutex_destroy(&b->lock);
    kq_free(b);
}

kq_book_part *kq_book_part_new(kq_book *b) {
    kq_book_part *p = kq_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->book = b;
    pthread_mutex_lock(&b->lock);
    p->next = b->parts;
    b->parts = p;
    b->nparts++;
    pthread_mutex_unlock(&b->lock);
    return p;
}

#define QUARTER_TICKS INT64_C(2500000)
#define NEAR_QUARTERS 8u

/* The leading half of a key, and the time in quarters of a second. */
static uint64_t telling(uint64_t key, int64_t time) {
    return (key & ~(uint64_t)UINT32_MAX) | (uint32_t)(time / QUARTER_TICKS);
}

/* Times as words that have their order. */
static uint64_t in_order(int64_t time) {
    return (uint64_t)time ^ UINT64_C(1) << 63;
}

/* Writes the part's blocks and frees them; the last one stays to be filled, unless `rest`. */
static kq_status spill_blocks(kq_book_part *p, bool rest, kq_error *err) {
    kq_book *b = p->book;
    pthread_mutex_lock(&b->lock);
    kq_status status = kq_spill_open(&b->rows, err);
    pthread_mutex_unlock(&b->lock);
    while (!status && p->blocks && (rest || p->blocks->next)) {
        block *k = rest ? p->blocks : p->blocks->next;
        status = kq_spill_write(&b->rows, k->number * b->block, k->data, k->n, err);
        if (status) break;
        pthread_mutex_lock(&b->lock);
        if (b->rows_end < k->number * b->block + k->n) b->rows_end = k->number * b->block + k->n;
        pthread_mutex_unlock(&b->lock);
        if (rest)
            p->blocks = k->next;
        else
            p->blocks->next = k->next;
        free_block(p, k);
    }
    return status;
}

/* Room for `n` bytes in the part's last block; *at where they are in the file. */
static kq_status room(kq_book_part *p, size_t n, char **to, uint64_t *at, kq_error *err) {
    kq_book *b = p->book;
    block *k = p->blocks;
    if (!k || k->size - k->n < n) {
        uint64_t count = (n + b->block - 1) / b->block;
        size_t size = (size_t)count * b->block;
        if (!kq_budget_charge(b->budget, size)) return kq_budget_status(b->budget, err);
        k = kq_malloc(sizeof *k + size);
        if (!k) {
            kq_budget_release(b->budget, size);
            return kq_nomem(err);
        }
        *k = (block){.size = size, .next = p->blocks};
        p->blocks = k;
        p->rows += size;
        pthread_mutex_lock(&b->lock);
        k->number = b->nblocks;
        b->nblocks += count;
        pthread_mutex_unlock(&b->lock);
        if (b->spills) KQ_TRY(spill_blocks(p, false, err));
    }
    *to = k->data + k->n;
    *at = k->number * b->block + k->n;
    k->n += n;
    return KQ_OK;
}

/* A row in a block: its length in 4 bytes, its image in 8, then each cell: of text its length in 4 bytes and the text;
 * of other types 8 bytes behind a byte that says whether there is a value. Rows are aligned to 4 bytes, so that the
 * length is on one page. */
#define ROW_HEAD 12

static size_t cell_size(const kq_vector *v, uint32_t row) {
    if (v->type == KQ_STRING) return 4 + kq_vec_str(v)[kq_vec_at(v, row)].len;
    return v->type == KQ_DYNAMIC || kq_vec_is_null(v, row) ? 1 : 9;
}

static char *write_cell(const kq_vector *v, uint32_t row, char *to) {
    if (v->type == KQ_STRING) {
        kq_sv text = kq_str_view(&kq_vec_str(v)[kq_vec_at(v, row)]);
        uint32_t n = (uint32_t)text.n;
        memcpy(to, &n, 4);
        if (n) memcpy(to + 4, text.p, n);
        return to + 4 + n;
    }
    *to = 0;
    if (cell_size(v, row) == 1) return to + 1;
    kq_value value = kq_vector_get(v, row);
    int64_t l = v->type == KQ_BOOL ? value.u.b : v->type == KQ_INT ? value.u.i : value.u.l;
    *to = 1;
    memcpy(to + 1, &l, 8);
    return to + 9;
}

static kq_status keep_row(kq_book_part *p, const kq_chunk *chunk, uint32_t row, uint64_t *at, kq_error *err) {
    uint32_t columns = p->book->ncolumns;
    size_t n = ROW_HEAD;
    for (uint32_t i = 0; i < columns; i++) n += cell_size(&chunk->cols[i], row);
    if (n > UINT32_MAX) return kq_fail(err, KQ_ERR_LIMIT, "the start of a process takes more than 4 GB");
    char *to = NULL;
    KQ_TRY(room(p, (n + 3) & ~(size_t)3, &to, at, err));
    uint32_t length = (uint32_t)n;
    memset(to + (n & ~(size_t)3), 0, n & 3 ? 4 : 0);
    memcpy(to, &length, 4);
    memcpy(to + 4, &kq_vec_long(&chunk->cols[columns + KQ_BOOK_IMAGE])[row], 8);
    to += ROW_HEAD;
    for (uint32_t i = 0; i < columns; i++) to = write_cell(&chunk->cols[i], row, to);
    return KQ_OK;
}

static kq_status append_row(kq_book_part *p, const kq_chunk *chunk, uint32_t row, kq_error *err) {
    kq_book *b = p->book;
    uint32_t n = b->ncolumns;
    kq_value time = kq_vector_get(&chunk->cols[n + KQ_BOOK_TIME], row);
    if (time.null) return KQ_OK;
    uint64_t entry[ENTRY_WORDS] = {0, in_order(time.u.l), chunk->ordinal + row, UINT64_MAX};
    for (uint32_t i = 0; i < KQ_BOOK_KEYS; i++) {
        entry[0] = (uint64_t)kq_vec_long(&chunk->cols[n + i])[row];
        if (!entry[0]) continue;
        if (i == KQ_BOOK_START || i == KQ_BOOK_HOST) {
            uint64_t told = telling(entry[0], time.u.l);
            KQ_TRY(kq_ledger_add(&b->told, &p->told, &told, err));
            continue;
        }
        if (entry[3] == UINT64_MAX) KQ_TRY(keep_row(p, chunk, row, &entry[3], err));
        KQ_TRY(kq_ledger_add(&b->entries, &p->entries, entry, err));
    }
    return KQ_OK;
}

/* Tells the book what the part holds, and writes what is too much. */
static kq_status settle(kq_book_part *p, kq_error *err) {
    kq_book *b = p->book;
    size_t held = p->rows + kq_ledger_bytes(&b->entries, &p->entries) + kq_ledger_bytes(&b->told, &p->told);
    size_t all = atomic_fetch_add(&b->held, held - p->held) + (held - p->held);
    p->held = held;
    if (all > b->share) b->spills = true;
    if (!b->spills) return KQ_OK;
    if (p->blocks && p->blocks->next) KQ_TRY(spill_blocks(p, false, err));
    size_t run = b->share / 256 / b->nparts; /* records: all parts together hold an eighth of the share, or little */
    run = run < 8 ? 8 : run > 64 * 1024 ? 64 * 1024 : run;
    KQ_TRY(kq_ledger_spill(&b->entries, &p->entries, run, err));
    return kq_ledger_spill(&b->told, &p->told, run, err);
}

/* Rows between two looks at the memory: huge cells must not add up. */
#define ROWS_AT_ONCE 64

kq_status kq_book_append(kq_book_part *p, kq_chunk *chunk, kq_error *err) {
    for (uint32_t k = 0; k < chunk->selected; k++) {
        KQ_TRY(append_row(p, chunk, kq_chunk_row(chunk, k), err));
        if (k % ROWS_AT_ONCE == ROWS_AT_ONCE - 1) KQ_TRY(settle(p, err));
    }
    return settle(p, err);
}

void kq_book_end_part(kq_book_part *p) {
    kq_ledger_sort(&p->book->entries, &p->entries);
    kq_ledger_sort(&p->book->told, &p->told);
}

/* The parts' ledgers, one after another. */
typedef struct walk {
    kq_book_part *at;
    bool told;
} walk;

static kq_ledger_part *next_part(void *ctx) {
    walk *w = ctx;
    kq_book_part *p = w->at;
    if (p) w->at = p->next;
    return p ? w->told ? &p->told : &p->entries : NULL;
}

kq_status kq_book_seal(kq_book *b, kq_error *err) {
    walk entries = {b->parts, false}, told = {b->parts, true};
    bool spilled = b->rows.fd >= 0; /* some row is in the file: then all */
    for (kq_book_part *p = b->parts; p && spilled; p = p->next) KQ_TRY(spill_blocks(p, true, err));
    KQ_TRY(kq_ledger_seal(&b->told, next_part, &told, err));
    KQ_TRY(kq_ledger_seal(&b->entries, next_part, &entries, err));
    if (spilled || !b->nblocks) return KQ_OK;
    b->by_number = kq_calloc(b->nblocks, sizeof *b->by_number);
    if (!b->by_number) return kq_nomem(err);
    for (kq_book_part *p = b->parts; p; p = p->next)
        for (const block *k = p->blocks; k; k = k->next) b->by_number[k->number] = k;
    return KQ_OK;
}

bool kq_book_spilled(const kq_book *b) {
    return b->rows.fd >= 0 || b->entries.file.fd >= 0 || b->told.file.fd >= 0;
}

size_t kq_book_held(const kq_book *b) {
    size_t held = (b->entries.items ? b->entries.n * ENTRY_WORDS * 8 : 0) + (b->told.items ? b->told.n * 8 : 0);
    for (const kq_book_part *p = b->parts; p; p = p->next) held += p->rows;
    return held;
}

struct kq_book_reader {
    const kq_book *book;
    kq_ledger_reader entries, told;
    kq_pages rows;
    uint64_t found;    /* where the row is */
    uint64_t unpacked; /* which row the cells are of; UINT64_MAX: of none */
    kq_status status;  /* the first failure */
    kq_error err;
    kq_field cells[];
};

kq_status kq_book_reader_create(const kq_book *b, kq_budget *budget, kq_book_reader **out, kq_error *err) {
    kq_book_reader *r = kq_calloc(1, sizeof *r + (b->ncolumns + 1) * sizeof *r->cells);
    if (!r) return kq_nomem(err);
    r->book = b;
    r->unpacked = UINT64_MAX;
    kq_status status = kq_ledger_reader_init(&r->entries, &b->entries, budget, err);
    if (!status) status = kq_ledger_reader_init(&r->told, &b->told, budget, err);
    if (!status && b->rows.fd >= 0) status = kq_pages_init(&r->rows, &b->rows, b->rows_end, budget, err);
    if (status) {
        kq_book_reader_destroy(r);
        return status;
    }
    *out = r;
    return KQ_OK;
}

void kq_book_reader_destroy(kq_book_reader *r) {
    if (!r) return;
    kq_ledger_reader_deinit(&r->entries);
    kq_ledger_reader_deinit(&r->told);
    if (r->rows.data) kq_pages_deinit(&r->rows);
    kq_free(r);
}

kq_status kq_book_reader_status(const kq_book_reader *r, kq_error *err) {
    if (r->status && err) *err = r->err;
    return r->status;
}

/* Notes a failure; true when there was none. */
static bool went(kq_book_reader *r, kq_status status, const kq_error *why) {
    if (status && !r->status) {
        r->status = status;
        r->err = *why;
    }
    return !status;
}

static const char *row_bytes(kq_book_reader *r);

/* Is the row that was found of such an image? */
static bool fits(kq_book_reader *r, uint64_t image) {
    const char *p = image ? row_bytes(r) : NULL;
    uint64_t found = 0;
    if (p) memcpy(&found, p + 4, 8);
    return kq_book_same_image(image, found);
}

bool kq_book_find(kq_book_reader *r, kq_book_key kind, uint64_t key, int64_t time, uint64_t image) {
    uint64_t at, behind[ENTRY_WORDS] = {key, in_order(time), UINT64_MAX, UINT64_MAX};
    const uint64_t *e;
    kq_error why;
    if (!key || !went(r, kq_ledger_find(&r->entries, behind, &at, &why), &why)) return false;
    if (at) {
        if (!went(r, kq_ledger_get(&r->entries, at - 1, &e, &why), &why)) return false;
        if (e[0] == key) {
            r->found = e[3];
            return kind == KQ_BOOK_GUID || fits(r, image);
        }
    }
    if (kind != KQ_BOOK_GUID || !went(r, kq_ledger_get(&r->entries, at, &e, &why), &why) || !e || e[0] != key)
        return false;
    r->found = e[3];
    return true;
}

/* Is there a telling from `from` to `to`? */
static bool told_between(kq_book_reader *r, uint64_t from, uint64_t to) {
    uint64_t at;
    const uint64_t *e;
    kq_error why;
    if (!r->book->told.n || !went(r, kq_ledger_find(&r->told, &from, &at, &why), &why)) return false;
    return went(r, kq_ledger_get(&r->told, at, &e, &why), &why) && e && *e <= to;
}

bool kq_book_told(kq_book_reader *r, uint64_t key, int64_t time) {
    uint64_t at = telling(key, time);
    return key && told_between(r, at > NEAR_QUARTERS ? at - NEAR_QUARTERS : 0, at + NEAR_QUARTERS);
}

bool kq_book_told_ever(kq_book_reader *r, uint64_t key) {
    uint64_t at = key & ~(uint64_t)UINT32_MAX;
    return key && told_between(r, at, at | UINT32_MAX);
}

/* The bytes of the row that was found. */
static const char *row_bytes(kq_book_reader *r) {
    const kq_book *b = r->book;
    if (b->by_number) return b->by_number[r->found / b->block]->data + r->found % b->block;
    kq_status status;
    kq_error why;
    const char *p = kq_pages_get(&r->rows, r->found, 4, &status, &why);
    if (p) {
        uint32_t n;
        memcpy(&n, p, 4);
        p = kq_pages_get(&r->rows, r->found, n, &status, &why);
    }
    went(r, status, &why);
    return p;
}

static void unpack(kq_book_reader *r) {
    const kq_book *b = r->book;
    const char *p = row_bytes(r);
    r->unpacked = r->found;
    if (p) p += ROW_HEAD;
    for (uint32_t i = 0; i < b->ncolumns; i++) {
        kq_field *f = &r->cells[i];
        *f = (kq_field){.kind = KQ_FIELD_NULL};
        if (!p) continue;
        if (b->types[i] == KQ_STRING) {
            uint32_t n;
            memcpy(&n, p, 4);
            *f = (kq_field){.kind = KQ_FIELD_STRING, .u.text = {p + 4, n}};
            p += 4 + n;
        } else if (*p++) {
            int64_t l;
            memcpy(&l, p, 8);
            p += 8;
            switch (b->types[i]) {
            case KQ_LONG:
            case KQ_INT: *f = (kq_field){.kind = KQ_FIELD_LONG, .u.l = l}; break;
            case KQ_BOOL: *f = (kq_field){.kind = KQ_FIELD_BOOL, .u.b = l != 0}; break;
            case KQ_DATETIME: *f = (kq_field){.kind = KQ_FIELD_DATETIME, .u.l = l}; break;
            default: break;
            }
        }
    }
}

void kq_book_cell(kq_book_reader *r, uint32_t column, kq_field *out) {
    if (r->unpacked != r->found) unpack(r);
    *out = r->cells[column];
}
