#include "rules/rowset.h"
#include "column/value.h"
#include <xxhash.h>

void kq_rowset_init(kq_rowset *set, kq_budget *budget) {
    *set = (kq_rowset){.budget = budget};
    kq_buf_init(&set->text, budget, 0);
}

void kq_rowset_deinit(kq_rowset *set) {
    kq_budget_release(set->budget, set->cap * sizeof *set->seen);
    kq_free(set->seen);
    kq_buf_deinit(&set->text);
}

static bool insert(uint64_t (*table)[2], size_t cap, const uint64_t key[2]) {
    for (size_t i = key[0] & (cap - 1);; i = (i + 1) & (cap - 1)) {
        if (table[i][0] == key[0] && table[i][1] == key[1]) return false;
        if (!table[i][0] && !table[i][1]) {
            memcpy(table[i], key, sizeof table[i]);
            return true;
        }
    }
}

static kq_status grow(kq_rowset *set, kq_error *err) {
    size_t cap = set->cap ? 2 * set->cap : 256;
    if (!kq_budget_charge(set->budget, cap * sizeof *set->seen)) return kq_budget_status(set->budget, err);
    uint64_t(*table)[2] = kq_calloc(cap, sizeof *table);
    if (!table) {
        kq_budget_release(set->budget, cap * sizeof *set->seen);
        return kq_nomem(err);
    }
    for (size_t i = 0; i < set->cap; i++)
        if (set->seen[i][0] || set->seen[i][1]) insert(table, cap, set->seen[i]);
    kq_budget_release(set->budget, set->cap * sizeof *set->seen);
    kq_free(set->seen);
    set->seen = table;
    set->cap = cap;
    return KQ_OK;
}

kq_status kq_rowset_add(kq_rowset *set, const kq_columns *columns, const kq_chunk *chunk, uint32_t row, bool *fresh,
                        kq_error *err) {
    kq_buf_clear(&set->text);
    kq_buf_char(&set->text, '{');
    for (uint32_t c = 0; c < chunk->ncols; c++) {
        kq_value v = kq_vector_get(&chunk->cols[c], row);
        if (c) kq_buf_char(&set->text, ',');
        kq_json_string(columns->items[c].name, &set->text);
        kq_buf_char(&set->text, ':');
        kq_value_json(&v, &set->text);
    }
    kq_buf_char(&set->text, '}');
    KQ_TRY(kq_buf_status(&set->text, err));
    XXH128_hash_t h = XXH3_128bits(set->text.p, set->text.n);
    uint64_t key[2] = {h.low64, h.high64 | 1};
    if (2 * (set->n + 1) > set->cap) KQ_TRY(grow(set, err));
    *fresh = insert(set->seen, set->cap, key);
    set->n += *fresh;
    return KQ_OK;
}
