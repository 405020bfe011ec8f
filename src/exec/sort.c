/*
 * The first key of all rows becomes 64 bits whose order is the key's (of a text: eight bytes of it), and those are
 * sorted byte by byte (radix); rows with equal bits are sorted by what follows, the text's next bytes or the next key.
 * Few rows are merged with a comparison of all keys. Every step is stable.
 */
#include "exec/sort.h"
#include <math.h>

#define FEW       256 /* rows that are not worth a radix sort */
#define MAX_DEPTH 8   /* keys by radix; what is deeper is compared */
#define MAX_TEXT  64  /* bytes of a text by radix */

typedef struct entry {
    uint64_t key, row;
} entry;

typedef struct sorting {
    const kq_sorter *s;
    const kq_rows *rows, *computed;
    kq_error *err;
} sorting;

/* ---- comparison */

/* Null and NaN stand together, before or after the values, whatever the direction. */
static int special(const kq_vector *v, uint32_t i) {
    if (kq_vec_is_null(v, i)) return 2;
    return v->type == KQ_REAL && isnan(kq_vec_real(v)[kq_vec_at(v, i)]);
}

static int compare_values(const kq_vector *a, uint32_t i, const kq_vector *b, uint32_t j) {
    switch (a->type) {
    case KQ_BOOL: return kq_vec_bool(a)[i] - kq_vec_bool(b)[j];
    case KQ_INT: return (kq_vec_int(a)[i] > kq_vec_int(b)[j]) - (kq_vec_int(a)[i] < kq_vec_int(b)[j]);
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: return (kq_vec_long(a)[i] > kq_vec_long(b)[j]) - (kq_vec_long(a)[i] < kq_vec_long(b)[j]);
    case KQ_REAL: return (kq_vec_real(a)[i] > kq_vec_real(b)[j]) - (kq_vec_real(a)[i] < kq_vec_real(b)[j]);
    case KQ_STRING: return kq_str_cmp(&kq_vec_str(a)[i], &kq_vec_str(b)[j]);
    default: {
        kq_value x = kq_vector_get(a, i), y = kq_vector_get(b, j);
        return kq_value_cmp(&x, &y);
    }
    }
}

int kq_sort_compare(const kq_sort_by *key, const kq_vector *a, uint32_t i, const kq_vector *b, uint32_t j) {
    int x = special(a, i), y = special(b, j);
    if (x != y) return (x < y) != key->nulls_first ? -1 : 1;
    if (x) return 0;
    int c = compare_values(a, kq_vec_at(a, i), b, kq_vec_at(b, j));
    return key->descending ? -c : c;
}

static inline const kq_vector *vector_of(const sorting *t, const kq_sort_by *key, uint64_t row) {
    return kq_rows_vector(key->expr ? t->computed : t->rows, row, key->column);
}

/* By key k and those that follow. */
static int compare(const sorting *t, uint64_t x, uint64_t y, uint32_t k) {
    for (; k < t->s->nkeys; k++) {
        const kq_sort_by *key = &t->s->keys[k];
        int c = kq_sort_compare(key, vector_of(t, key, x), kq_rows_index(x), vector_of(t, key, y), kq_rows_index(y));
        if (c) return c;
    }
    return 0;
}

/* ---- few rows, or keys without 64 bits: runs of 16 by insertion, then merged */

static void insertion(const sorting *t, entry *e, uint64_t n, uint32_t k) {
    for (uint64_t i = 1; i < n; i++) {
        entry x = e[i];
        uint64_t j = i;
        for (; j > 0 && compare(t, x.row, e[j - 1].row, k) < 0; j--) e[j] = e[j - 1];
        e[j] = x;
    }
}

static void merge(const sorting *t, const entry *a, uint64_t na, const entry *b, uint64_t nb, entry *out, uint32_t k) {
    uint64_t i = 0, j = 0;
    while (i < na && j < nb) *out++ = compare(t, b[j].row, a[i].row, k) < 0 ? b[j++] : a[i++];
    memcpy(out, a + i, (na - i) * sizeof *a);
    memcpy(out + (na - i), b + j, (nb - j) * sizeof *b);
}

static kq_status merge_sort(const sorting *t, entry *e, entry *tmp, uint64_t n, uint32_t k) {
    if (k == t->s->nkeys) return KQ_OK;
    for (uint64_t i = 0; i < n; i += 16) {
        insertion(t, e + i, n - i < 16 ? n - i : 16, k);
        if (i % 65536 == 0 && n > FEW) KQ_TRY(kq_exec_check(t->s->x->env, t->err));
    }
    entry *from = e, *to = tmp;
    for (uint64_t width = 16; width < n; width *= 2) {
        for (uint64_t i = 0; i < n; i += 2 * width) {
            uint64_t na = n - i < width ? n - i : width, nb = n - i - na < width ? n - i - na : width;
            merge(t, from + i, na, from + i + na, nb, to + i, k);
            if (n > FEW) KQ_TRY(kq_exec_check(t->s->x->env, t->err));
        }
        entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != e) memcpy(e, from, n * sizeof *e);
    return KQ_OK;
}

/* ---- many rows: radix */

static void radix(entry *e, entry *tmp, uint64_t n) {
    uint64_t counts[8][256] = {{0}};
    for (uint64_t i = 0; i < n; i++)
        for (int b = 0; b < 8; b++) counts[b][e[i].key >> 8 * b & 255]++;
    entry *from = e, *to = tmp;
    for (int b = 0; b < 8; b++) {
        if (counts[b][e[0].key >> 8 * b & 255] == n) continue; /* the same byte everywhere */
        uint64_t at = 0;
        for (int v = 0; v < 256; v++) {
            uint64_t count = counts[b][v];
            counts[b][v] = at;
            at += count;
        }
        for (uint64_t i = 0; i < n; i++) to[counts[b][from[i].key >> 8 * b & 255]++] = from[i];
        entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != e) memcpy(e, from, n * sizeof *e);
}

static bool has_bits(kq_type type) {
    return type != KQ_DYNAMIC && type != KQ_DECIMAL;
}

static uint64_t big_endian(const char *p, size_t n) {
    uint64_t key = 0;
    memcpy(&key, p, n < 8 ? n : 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    key = __builtin_bswap64(key);
#endif
    return key;
}

/* 64 bits in the order of the value; of text and guid those from byte `offset` on. */
static uint64_t bits_of(const kq_vector *v, uint32_t i, size_t offset) {
    const uint64_t sign = (uint64_t)1 << 63;
    switch (v->type) {
    case KQ_BOOL: return kq_vec_bool(v)[i];
    case KQ_INT: return (uint64_t)(int64_t)kq_vec_int(v)[i] ^ sign;
    case KQ_REAL: {
        double r = kq_vec_real(v)[i] + 0.0; /* -0 equals 0 */
        uint64_t u;
        memcpy(&u, &r, sizeof u);
        return u & sign ? ~u : u | sign;
    }
    case KQ_GUID: return big_endian((const char *)kq_vec_guid(v)[i].b + offset, 16 - offset);
    case KQ_STRING: {
        const kq_str *s = &kq_vec_str(v)[i];
        return s->len > offset ? big_endian(kq_str_ptr(s) + offset, s->len - offset) : 0;
    }
    default: return (uint64_t)kq_vec_long(v)[i] ^ sign;
    }
}

static kq_status sort_values(const sorting *t, entry *e, entry *tmp, uint64_t n, uint32_t k, size_t offset);
static kq_status sort_key(const sorting *t, entry *e, entry *tmp, uint64_t n, uint32_t k);

/* Rows whose bits at `offset` are equal: by what follows. */
static kq_status sort_equal(const sorting *t, entry *e, entry *tmp, uint64_t n, uint32_t k, size_t offset) {
    const kq_sort_by *key = &t->s->keys[k];
    if (n < 2) return KQ_OK;
    if (n <= FEW) return merge_sort(t, e, tmp, n, k);
    if (key->type == KQ_GUID && offset == 0) return sort_values(t, e, tmp, n, k, 8);
    if (key->type != KQ_STRING) return sort_key(t, e, tmp, n, k + 1);
    uint64_t longer = 0, same = 0, len = 0;
    for (uint64_t i = 0; i < n; i++) {
        const kq_vector *v = vector_of(t, key, e[i].row);
        uint64_t m = kq_vec_str(v)[kq_rows_index(e[i].row)].len;
        longer += m > offset + 8;
        if (i == 0) len = m;
        same += m == len;
    }
    if (longer == n && offset + 8 < MAX_TEXT) return sort_values(t, e, tmp, n, k, offset + 8);
    if (longer == 0 && same == n) return sort_key(t, e, tmp, n, k + 1);
    return merge_sort(t, e, tmp, n, k);
}

/* Rows without null and NaN in key k, and equal before `offset`. */
static kq_status sort_values(const sorting *t, entry *e, entry *tmp, uint64_t n, uint32_t k, size_t offset) {
    const kq_sort_by *key = &t->s->keys[k];
    KQ_TRY(kq_exec_check(t->s->x->env, t->err));
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bits = bits_of(vector_of(t, key, e[i].row), kq_rows_index(e[i].row), offset);
        e[i].key = key->descending ? ~bits : bits;
    }
    radix(e, tmp, n);
    for (uint64_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && e[j].key == e[i].key;) j++;
        if (j - i > 1) KQ_TRY(sort_equal(t, e + i, tmp + i, j - i, k, offset));
    }
    return KQ_OK;
}

/* Rows that are equal in all keys before k. */
static kq_status sort_key(const sorting *t, entry *e, entry *tmp, uint64_t n, uint32_t k) {
    if (n < 2 || k == t->s->nkeys) return KQ_OK;
    const kq_sort_by *key = &t->s->keys[k];
    if (n <= FEW || k >= MAX_DEPTH || !has_bits(key->type)) return merge_sort(t, e, tmp, n, k);
    uint64_t counts[3] = {0}, at[3];
    for (uint64_t i = 0; i < n; i++) {
        e[i].key = (uint64_t)special(vector_of(t, key, e[i].row), kq_rows_index(e[i].row));
        counts[e[i].key]++;
    }
    at[0] = key->nulls_first ? counts[2] + counts[1] : 0; /* values */
    at[1] = key->nulls_first ? counts[2] : counts[0];     /* NaN */
    at[2] = key->nulls_first ? 0 : counts[0] + counts[1]; /* null */
    if (counts[0] < n) {
        uint64_t to[3] = {at[0], at[1], at[2]};
        for (uint64_t i = 0; i < n; i++) tmp[to[e[i].key]++] = e[i];
        memcpy(e, tmp, n * sizeof *e);
    }
    for (int s = 1; s < 3; s++) KQ_TRY(sort_key(t, e + at[s], tmp + at[s], counts[s], k + 1));
    if (counts[0] <= FEW) return merge_sort(t, e + at[0], tmp + at[0], counts[0], k);
    return sort_values(t, e + at[0], tmp + at[0], counts[0], k, 0);
}

kq_status kq_sorter_run(const kq_sorter *s, const kq_rows *rows, const kq_rows *computed, kq_ordering *out,
                        kq_error *err) {
    sorting t = {s, rows, computed, err};
    uint64_t n = rows->n;
    size_t bytes = (size_t)n * 2 * sizeof(entry), keep = (size_t)n * sizeof(uint64_t);
    *out = (kq_ordering){.n = n, .budget = s->x->env->budget};
    if (!kq_budget_charge(out->budget, bytes)) return kq_budget_status(out->budget, err);
    entry *e = kq_malloc(bytes);
    if (!e) {
        kq_budget_release(out->budget, bytes);
        return kq_nomem(err);
    }
    for (uint64_t i = 0; i < n; i++) e[i].row = i;
    kq_status status = sort_key(&t, e, e + n, n, 0);
    if (!status && !(out->rows = kq_malloc(keep))) status = kq_nomem(err);
    for (uint64_t i = 0; !status && i < n; i++) out->rows[i] = e[i].row;
    kq_free(e);
    out->charged = status ? 0 : keep;
    kq_budget_release(out->budget, bytes - out->charged);
    return status;
}

void kq_ordering_deinit(kq_ordering *o) {
    kq_free(o->rows);
    kq_budget_release(o->budget, o->charged);
    *o = (kq_ordering){0};
}

/* ---- keys */

kq_status kq_sorter_init(kq_sorter *s, kq_exec *x, const kq_plan *plan, kq_error *err) {
    uint32_t n = plan->u.order.nkeys;
    *s = (kq_sorter){.x = x, .nkeys = n};
    s->keys = kq_arena_array(&x->arena, kq_sort_by, n + 1);
    s->computed = kq_arena_array(&x->arena, kq_type, n + 1);
    if (!s->keys || !s->computed) return kq_arena_status(&x->arena, err);
    for (uint32_t k = 0; k < n; k++) {
        const kq_sort_key *from = &plan->u.order.keys[k];
        s->keys[k] = (kq_sort_by){NULL, from->expr->column, from->expr->type, from->descending, from->nulls_first};
        if (from->expr->kind == KQ_EXPR_COLUMN) continue;
        KQ_TRY(kq_eval_create(x, from->expr, &s->keys[k].expr, err));
        s->keys[k].column = s->ncomputed;
        s->computed[s->ncomputed++] = from->expr->type;
    }
    return KQ_OK;
}

kq_status kq_sorter_compute(const kq_sorter *s, kq_worker *w, const kq_rows *rows, kq_rows *computed, kq_error *err) {
    if (!s->ncomputed) return KQ_OK;
    while (computed->n < rows->n) {
        kq_arena_mark mark = kq_arena_here(&w->arena);
        kq_vector *cols = kq_arena_array(&w->arena, kq_vector, rows->ncols + 1);
        const kq_vector **values = kq_arena_array(&w->arena, const kq_vector *, s->ncomputed);
        uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
        if (!cols || !values || !sel) return kq_arena_status(&w->arena, err);
        kq_chunk chunk = kq_rows_chunk(rows, (size_t)(computed->n / KQ_CHUNK_ROWS), cols);
        uint32_t from = kq_rows_index(computed->n), n = chunk.rows - from, at = 0;
        for (uint32_t i = 0; i < n; i++) sel[i] = (uint16_t)(from + i);
        KQ_TRY(kq_exec_check(s->x->env, err));
        for (uint32_t k = 0; k < s->nkeys; k++)
            if (s->keys[k].expr) KQ_TRY(kq_eval_run(s->keys[k].expr, w, &chunk, sel, n, &values[at++], err));
        KQ_TRY(kq_rows_append(computed, values, sel, n, err));
        kq_arena_back(&w->arena, mark);
    }
    return KQ_OK;
}
