#include "func/build.h"
#include <xxhash.h>

kq_status kq_build_rows(kq_call *call, kq_build_fn build, void *ctx, kq_error *err) {
    kq_status status = KQ_OK;
    bool dynamic = call->out->type == KQ_DYNAMIC;
    kq_str *out = kq_vec_str(call->out);
    kq_buf buf;
    kq_buf_init(&buf, call->arena->budget, KQ_STR_MAX);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_buf_clear(&buf);
        bool some = build(call, row, &buf, ctx);
        if (KQ_UNLIKELY(buf.failed)) {
            status = kq_buf_status(&buf, err);
            break;
        }
        if (!some || (dynamic && (buf.n == 0 || buf.p[0] == KQ_DYN_NULL))) {
            out[row] = kq_str_ref(NULL, 0);
            if (dynamic) kq_vec_set_null(call->out, row);
            continue;
        }
        const char *p = buf.p;
        if (buf.n > KQ_STR_INLINE) {
            char *copy = kq_arena_bytes(call->arena, buf.n);
            if (!copy) {
                status = kq_arena_status(call->arena, err);
                break;
            }
            memcpy(copy, buf.p, buf.n);
            p = copy;
        }
        out[row] = kq_str_ref(p, buf.n);
    }
    kq_buf_deinit(&buf);
    return status;
}

void kq_arg_put(const kq_call *call, uint32_t i, uint32_t row, kq_buf *out) {
    kq_value v = kq_vector_get(call->args[i], row);
    kq_dyn_put_value(out, &v);
}

void kq_arg_text(const kq_call *call, uint32_t i, uint32_t row, kq_buf *out) {
    kq_value v = kq_vector_get(call->args[i], row);
    kq_value_text(&v, out);
}

/* ---- Sets ---- */

struct kq_bytes_slot {
    uint32_t generation, item;
    uint64_t hash;
};

/* The seed differs between processes (address space layout), so that nobody can prepare colliding items. */
static uint64_t hash_of(const kq_bytes_set *set, kq_sv item) {
    (void)set;
    return XXH3_64bits_withSeed(item.p, item.n, (uint64_t)(uintptr_t)&kq_budget_charge);
}

static struct kq_bytes_slot *find(const kq_bytes_set *set, kq_sv item, uint64_t hash) {
    uint32_t mask = set->nslots - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        struct kq_bytes_slot *s = &set->slots[at];
        if (s->generation != set->generation) return s;
        if (s->hash == hash && kq_sv_eq(set->items[s->item], item)) return s;
    }
}

static kq_status grow(kq_bytes_set *set) {
    uint32_t cap = set->cap ? set->cap * 2 : 16, nslots = cap * 2;
    if (cap > (uint32_t)1 << 29) return KQ_ERR_LIMIT;
    size_t bytes = (size_t)nslots * sizeof *set->slots + (size_t)cap * sizeof *set->items;
    if (!kq_budget_charge(set->budget, bytes)) return KQ_ERR_LIMIT;
    struct kq_bytes_slot *slots = kq_calloc(nslots, sizeof *slots);
    kq_sv *items = slots ? kq_malloc((size_t)cap * sizeof *items) : NULL;
    if (!items) {
        kq_free(slots);
        kq_budget_release(set->budget, bytes);
        return KQ_ERR_NOMEM;
    }
    if (set->n) memcpy(items, set->items, set->n * sizeof *items);
    struct kq_bytes_slot *old = set->slots;
    uint32_t nold = set->nslots, generation = set->generation;
    kq_free(set->items);
    if (old) kq_budget_release(set->budget, (size_t)nold * sizeof *set->slots + (size_t)set->cap * sizeof *set->items);
    set->slots = slots;
    set->items = items;
    set->cap = cap;
    set->nslots = nslots;
    set->generation = 1;
    for (uint32_t i = 0; i < nold; i++) {
        if (old[i].generation != generation) continue;
        uint32_t at = (uint32_t)old[i].hash & (nslots - 1);
        while (slots[at].generation) at = (at + 1) & (nslots - 1);
        slots[at] = (struct kq_bytes_slot){1, old[i].item, old[i].hash};
    }
    kq_free(old);
    return KQ_OK;
}

kq_status kq_bytes_put(kq_bytes_set *set, kq_sv item, uint32_t *index, bool *added) {
    if (added) *added = false;
    if (set->n == set->cap) KQ_TRY(grow(set));
    uint64_t hash = hash_of(set, item);
    struct kq_bytes_slot *s = find(set, item, hash);
    if (s->generation == set->generation) {
        if (index) *index = s->item;
        return KQ_OK;
    }
    if (index) *index = set->n;
    *s = (struct kq_bytes_slot){set->generation, set->n, hash};
    set->items[set->n++] = item;
    if (added) *added = true;
    return KQ_OK;
}

bool kq_bytes_has(const kq_bytes_set *set, kq_sv item) {
    return set->n && find(set, item, hash_of(set, item))->generation == set->generation;
}

void kq_bytes_clear(kq_bytes_set *set) {
    set->n = 0;
    if (!set->slots) return;
    if (++set->generation == 0) {
        memset(set->slots, 0, (size_t)set->nslots * sizeof *set->slots);
        set->generation = 1;
    }
}

void kq_bytes_deinit(kq_bytes_set *set) {
    if (set->slots)
        kq_budget_release(set->budget,
                          (size_t)set->nslots * sizeof *set->slots + (size_t)set->cap * sizeof *set->items);
    kq_free(set->slots);
    kq_free(set->items);
    *set = (kq_bytes_set){0};
}
