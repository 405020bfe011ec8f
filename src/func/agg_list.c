/* make_list, make_set, make_bag: values in the order of their rows. */
#include "column/dynamic.h"
#include "func/agg_state.h"
#include "func/rows.h"
#include "text/strset.h"
#include <stdlib.h>

/* Source: Kusto documentation, make_list: the default and the most. */
#define ITEMS_MAX 1048576

static void set_max(kq_agg_list *l, const kq_agg_call *call) {
    if (l->max) return;
    int64_t max = kq_agg_option(call, ITEMS_MAX);
    l->max = max > 0 && max < ITEMS_MAX ? (uint64_t)max : ITEMS_MAX;
}

static int by_place(const void *a, const void *b) {
    const kq_agg_entry *x = a, *y = b;
    if (x->ordinal != y->ordinal) return x->ordinal < y->ordinal ? -1 : 1;
    return x->sub < y->sub ? -1 : x->sub > y->sub;
}

static void sort_items(kq_agg_list *l) {
    if (l->unsorted && l->n) qsort(l->items, l->n, sizeof *l->items, by_place);
    l->unsorted = 0;
}

/* More than twice what the result may hold: the later half can't come into it. */
static bool prune(kq_agg_list *l) {
    if (l->n < 2 * l->max + 1024) return false;
    sort_items(l);
    l->n = l->max;
    return true;
}

static kq_status append(kq_agg_list *l, uint64_t ordinal, uint32_t sub, const kq_value *value, kq_arena *arena,
                        kq_error *err) {
    KQ_TRY(kq_agg_grow((void **)&l->items, l->n, &l->cap, sizeof *l->items, arena, err));
    kq_agg_entry *e = &l->items[l->n];
    KQ_TRY(kq_agg_copy(&e->value, value, arena, err));
    e->ordinal = ordinal;
    e->sub = sub;
    if (l->n && by_place(e, e - 1) < 0) l->unsorted = 1;
    l->n++;
    return KQ_OK;
}

/* A null counts when it is dynamic (recorded answers) or asked for. */
static kq_status list_update(kq_agg_call *call, bool nulls, kq_error *err) {
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (!kq_agg_holds(condition, row)) continue;
        kq_agg_list *l = call->states[k];
        set_max(l, call);
        kq_value value = kq_vector_get(v, row);
        if (value.null && !nulls && v->type != KQ_DYNAMIC) continue;
        KQ_TRY(append(l, call->ordinal + row, 0, &value, call->arena, err));
        prune(l);
    }
    return KQ_OK;
}

static kq_status list_combine(kq_agg_env *env, kq_agg_list *a, const kq_agg_list *b, kq_error *err) {
    if (b->max) a->max = b->max;
    for (uint64_t i = 0; i < b->n; i++) {
        const kq_agg_entry *e = &b->items[i];
        KQ_TRY(kq_agg_grow((void **)&a->items, a->n, &a->cap, sizeof *a->items, env->arena, err));
        a->items[a->n] = *e;
        if (a->n && by_place(e, &a->items[a->n - 1]) < 0) a->unsorted = 1;
        a->n++;
        prune(a);
    }
    return KQ_OK;
}

/* Takes what was built into `out`, in the arena. */
static kq_status take(kq_buf *built, kq_agg_env *env, kq_value *out, kq_error *err) {
    kq_status status = kq_buf_status(built, err);
    if (status == KQ_OK) {
        kq_sv copy = kq_arena_copy(env->arena, kq_buf_view(built));
        if (copy.p)
            *out = (kq_value){.type = KQ_DYNAMIC, .u.s = kq_str_sv(copy)};
        else
            status = kq_arena_status(env->arena, err);
    }
    kq_buf_deinit(built);
    return status;
}

static kq_status list_finish(kq_agg_env *env, const kq_agg_list *state, kq_value *out, kq_error *err) {
    kq_agg_list l = *state;
    sort_items(&l);
    kq_buf buf;
    kq_buf_init(&buf, env->arena->budget, KQ_STR_MAX);
    kq_dyn_builder b;
    kq_dyn_open(&b, &buf, false);
    uint64_t left = l.max;
    for (uint64_t i = 0; i < l.n && left; i++) {
        const kq_value *v = &l.items[i].value;
        kq_dyn d = v->type == KQ_DYNAMIC && !v->null ? kq_str_view(&v->u.s) : (kq_dyn){0};
        if (kq_dyn_tag_of(d) != KQ_DYN_ARRAY) {
            kq_dyn_put_value(&buf, v);
            kq_dyn_part(&b);
            left--;
            continue;
        }
        /* Arrays are joined, not nested (recorded answers). */
        uint32_t n = kq_dyn_count(d);
        for (uint32_t k = 0; k < n && left; k++, left--) {
            kq_dyn_put_dyn(&buf, kq_dyn_element(d, k));
            kq_dyn_part(&b);
        }
    }
    kq_dyn_close(&b);
    return take(&buf, env, out, err);
}

kq_status kq_agg_make_list_update(kq_agg_call *call, kq_error *err) {
    return list_update(call, false, err);
}
kq_status kq_agg_make_list_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return list_combine(env, into, from, err);
}
kq_status kq_agg_make_list_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    return list_finish(env, state, out, err);
}

kq_status kq_agg_make_list_with_nulls_update(kq_agg_call *call, kq_error *err) {
    return list_update(call, true, err);
}
kq_status kq_agg_make_list_with_nulls_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return list_combine(env, into, from, err);
}
kq_status kq_agg_make_list_with_nulls_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    return list_finish(env, state, out, err);
}

/* ---- sets ---- */

static kq_status set_slots(kq_agg_set *s, uint64_t nslots, kq_arena *arena, kq_error *err) {
    if (nslots != s->nslots) {
        s->slots = kq_arena_alloc(arena, nslots * sizeof *s->slots);
        if (!s->slots) return kq_arena_status(arena, err);
        s->nslots = nslots;
    }
    memset(s->slots, 0, nslots * sizeof *s->slots);
    for (uint64_t i = 0; i < s->list.n; i++) {
        uint64_t at = kq_value_hash(&s->list.items[i].value) & (nslots - 1);
        while (s->slots[at]) at = (at + 1) & (nslots - 1);
        s->slots[at] = (uint32_t)i + 1;
    }
    return KQ_OK;
}

/* Adds a value that is not null; `shared`: its text already lies in memory that lasts. */
static kq_status set_add(kq_agg_set *s, uint64_t ordinal, uint32_t sub, const kq_value *value, bool shared,
                         kq_arena *arena, kq_error *err) {
    kq_agg_list *l = &s->list;
    if (l->n >= s->nslots / 2) KQ_TRY(set_slots(s, s->nslots ? s->nslots * 2 : 8, arena, err));
    uint64_t at = kq_value_hash(value) & (s->nslots - 1);
    for (; s->slots[at]; at = (at + 1) & (s->nslots - 1)) {
        kq_agg_entry *e = &l->items[s->slots[at] - 1];
        if (!kq_value_same(&e->value, value)) continue;
        if (ordinal < e->ordinal || (ordinal == e->ordinal && sub < e->sub)) {
            e->ordinal = ordinal;
            e->sub = sub;
            l->unsorted = 1;
        }
        return KQ_OK;
    }
    if (shared) {
        KQ_TRY(kq_agg_grow((void **)&l->items, l->n, &l->cap, sizeof *l->items, arena, err));
        l->items[l->n++] = (kq_agg_entry){ordinal, sub, *value};
        l->unsorted = 1;
    } else {
        KQ_TRY(append(l, ordinal, sub, value, arena, err));
    }
    s->slots[at] = (uint32_t)l->n;
    return prune(l) ? set_slots(s, s->nslots, arena, err) : KQ_OK;
}

kq_status kq_agg_make_set_update(kq_agg_call *call, kq_error *err) {
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (!kq_agg_holds(condition, row)) continue;
        kq_agg_set *s = call->states[k];
        set_max(&s->list, call);
        kq_value value = kq_vector_get(v, row);
        if (value.null) continue;
        uint64_t ordinal = call->ordinal + row;
        kq_dyn d = value.type == KQ_DYNAMIC ? kq_str_view(&value.u.s) : (kq_dyn){0};
        if (kq_dyn_tag_of(d) == KQ_DYN_ARRAY) {
            uint32_t n = kq_dyn_count(d);
            for (uint32_t i = 0; i < n; i++) {
                kq_value element = kq_dyn_value(kq_dyn_element(d, i));
                if (!element.null) KQ_TRY(set_add(s, ordinal, i, &element, false, call->arena, err));
            }
            continue;
        }
        if (value.type == KQ_DYNAMIC) value = kq_dyn_value(d);
        if (!value.null) KQ_TRY(set_add(s, ordinal, 0, &value, false, call->arena, err));
    }
    return KQ_OK;
}

kq_status kq_agg_make_set_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    kq_agg_set *a = into;
    const kq_agg_set *b = from;
    if (b->list.max) a->list.max = b->list.max;
    for (uint64_t i = 0; i < b->list.n; i++) {
        const kq_agg_entry *e = &b->list.items[i];
        KQ_TRY(set_add(a, e->ordinal, e->sub, &e->value, true, env->arena, err));
    }
    return KQ_OK;
}

kq_status kq_agg_make_set_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    kq_agg_list l = ((const kq_agg_set *)state)->list;
    sort_items(&l);
    kq_buf buf;
    kq_buf_init(&buf, env->arena->budget, KQ_STR_MAX);
    kq_dyn_builder b;
    kq_dyn_open(&b, &buf, false);
    for (uint64_t i = 0; i < l.n && i < l.max; i++) {
        kq_dyn_put_value(&buf, &l.items[i].value);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return take(&buf, env, out, err);
}

/* ---- bags ---- */

kq_status kq_agg_make_bag_update(kq_agg_call *call, kq_error *err) {
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (kq_vec_is_null(v, row) || !kq_agg_holds(condition, row)) continue;
        kq_agg_list *l = call->states[k];
        set_max(l, call);
        kq_value value = kq_vector_get(v, row);
        if (kq_dyn_tag_of(kq_str_view(&value.u.s)) != KQ_DYN_BAG) continue;
        KQ_TRY(append(l, call->ordinal + row, 0, &value, call->arena, err));
    }
    return KQ_OK;
}

kq_status kq_agg_make_bag_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    kq_agg_list *a = into;
    const kq_agg_list *b = from;
    if (b->max) a->max = b->max;
    for (uint64_t i = 0; i < b->n; i++) {
        KQ_TRY(kq_agg_grow((void **)&a->items, a->n, &a->cap, sizeof *a->items, env->arena, err));
        a->items[a->n++] = b->items[i];
    }
    a->unsorted = 1;
    return KQ_OK;
}

/* The first value of a key stays (recorded answers). */
kq_status kq_agg_make_bag_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    kq_agg_list l = *(const kq_agg_list *)state;
    sort_items(&l);
    size_t total = 0, at = 0;
    for (uint64_t i = 0; i < l.n; i++) total += kq_dyn_count(kq_str_view(&l.items[i].value.u.s));
    kq_sv *keys = kq_arena_array(env->arena, kq_sv, total);
    const kq_strset *set;
    if (!keys) return kq_arena_status(env->arena, err);
    for (uint64_t i = 0; i < l.n; i++) {
        kq_dyn bag = kq_str_view(&l.items[i].value.u.s);
        uint32_t n = kq_dyn_count(bag);
        for (uint32_t k = 0; k < n; k++) kq_dyn_entry(bag, k, &keys[at++]);
    }
    KQ_TRY(kq_strset_create(false, keys, total, env->arena, &set, err));
    kq_buf buf;
    kq_buf_init(&buf, env->arena->budget, KQ_STR_MAX);
    kq_dyn_builder b;
    kq_dyn_open(&b, &buf, true);
    uint64_t left = l.max;
    at = 0;
    for (uint64_t i = 0; i < l.n && left; i++) {
        kq_dyn bag = kq_str_view(&l.items[i].value.u.s);
        uint32_t n = kq_dyn_count(bag);
        for (uint32_t k = 0; k < n && left; k++, at++) {
            if (kq_strset_find(set, keys[at]) != (int64_t)at) continue;
            kq_sv key;
            kq_dyn value = kq_dyn_entry(bag, k, &key);
            kq_dyn_key(&b, key);
            kq_dyn_put_dyn(&buf, value);
            kq_dyn_part(&b);
            left--;
        }
    }
    kq_dyn_close(&b);
    return take(&buf, env, out, err);
}
