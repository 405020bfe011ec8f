#include "rules/rowset.h"
#include "column/value.h"
#include <xxhash.h>

/* One slot, with the half of a row and of a place in `fresh` that stand behind it. */
#define SLOT (sizeof(uint32_t) + (sizeof(kq_rowset_row) + sizeof(uint32_t)) / 2)

void kq_rowset_init(kq_rowset *set, kq_budget *budget) {
    *set = (kq_rowset){.budget = budget};
}

void kq_rowset_deinit(kq_rowset *set) {
    kq_budget_release(set->budget, set->cap * SLOT);
    kq_free(set->rows);
    kq_free(set->fresh);
    kq_free(set->slots);
}

void kq_rowset_begin(kq_rowset *set, int64_t from, int64_t to) {
    set->run++;
    set->from = from;
    set->to = to;
    set->nfresh = 0;
}

/* The slot of a key, or the free one where it would stand. */
static uint32_t *slot(const kq_rowset *set, const uint64_t key[2]) {
    for (size_t i = key[0] & (set->cap - 1);; i = (i + 1) & (set->cap - 1)) {
        uint32_t *s = &set->slots[i];
        if (!*s || memcmp(set->rows[*s - 1].key, key, sizeof set->rows->key) == 0) return s;
    }
}

static kq_status grow(kq_rowset *set, kq_error *err) {
    size_t cap = set->cap ? 2 * set->cap : 256;
    if (!kq_budget_charge(set->budget, (cap - set->cap) * SLOT)) return kq_budget_status(set->budget, err);
    kq_rowset_row *rows = cap > UINT32_MAX ? NULL : kq_realloc(set->rows, cap / 2 * sizeof *rows);
    if (rows) set->rows = rows;
    uint32_t *fresh = rows ? kq_realloc(set->fresh, cap / 2 * sizeof *fresh) : NULL;
    if (fresh) set->fresh = fresh;
    uint32_t *slots = fresh ? kq_calloc(cap, sizeof *slots) : NULL;
    if (!slots) {
        kq_budget_release(set->budget, (cap - set->cap) * SLOT);
        return kq_nomem(err);
    }
    kq_free(set->slots);
    set->slots = slots;
    set->cap = cap;
    for (uint32_t i = 0; i < set->n; i++) *slot(set, set->rows[i].key) = i + 1;
    return KQ_OK;
}

kq_status kq_rowset_see(kq_rowset *set, kq_sv text, bool *fresh, kq_error *err) {
    XXH128_hash_t h = XXH3_128bits(text.p, text.n);
    uint64_t key[2] = {h.low64, h.high64};
    if (set->n == set->cap / 2) KQ_TRY(grow(set, err));
    uint32_t *s = slot(set, key);
    bool known = *s != 0;
    if (!known) {
        set->rows[set->n] = (kq_rowset_row){.key = {key[0], key[1]}};
        *s = (uint32_t)++set->n;
    }
    kq_rowset_row *r = &set->rows[*s - 1];
    if (r->run != set->run) {
        r->run = set->run;
        r->seen = 0;
    }
    /* what was reported for a window that this one does not touch came from other events */
    if (r->to <= set->from) r->reported = 0;
    *fresh = ++r->seen > r->reported;
    if (*fresh && r->seen == r->reported + 1) set->fresh[set->nfresh++] = *s - 1;
    return KQ_OK;
}

void kq_rowset_reported(kq_rowset *set) {
    for (size_t i = 0; i < set->nfresh; i++) {
        kq_rowset_row *r = &set->rows[set->fresh[i]];
        r->to = set->to;
        r->reported = r->seen;
    }
    set->nfresh = 0;
}

kq_status kq_row_json(const kq_columns *columns, const kq_chunk *chunk, uint32_t row, kq_buf *out, kq_error *err) {
    kq_buf_char(out, '{');
    for (uint32_t c = 0; c < chunk->ncols; c++) {
        kq_value v = kq_vector_get(&chunk->cols[c], row);
        if (c) kq_buf_char(out, ',');
        kq_json_string(columns->items[c].name, out);
        kq_buf_char(out, ':');
        kq_value_json(&v, out);
    }
    kq_buf_char(out, '}');
    return kq_buf_status(out, err);
}
