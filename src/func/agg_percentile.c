/* Percentiles by nearest rank over all values, exact at any size. */
#include "column/decimal.h"
#include "column/dynamic.h"
#include "func/agg_state.h"
#include "func/rows.h"
#include <math.h>
#include <stdlib.h>

static kq_value number_of(const kq_vector *v, uint32_t row) {
    kq_value value = kq_vector_get(v, row);
    if (value.type == KQ_DYNAMIC && !value.null) value = kq_dyn_value(kq_str_view(&value.u.s));
    return value;
}

static bool percent_of(const kq_value *v, double *out) {
    if (v->null) return false;
    switch (v->type) {
    case KQ_REAL: *out = v->u.r; return true;
    case KQ_LONG: *out = (double)v->u.l; return true;
    case KQ_INT: *out = v->u.i; return true;
    case KQ_DECIMAL: *out = kq_decimal_to_real(&v->u.m); return true;
    default: return false;
    }
}

/* Where the percents begin: after the value, and the weight of the ...w forms (percentilew, percentilesw_array). */
static bool has_weight(const kq_aggregate *fn) {
    return strncmp(fn->name, "percentilew", 11) == 0 || strncmp(fn->name, "percentilesw", 12) == 0;
}

/* The percents are the same in every row: the first row says them. */
static kq_status read_percents(kq_agg_values *s, const kq_agg_call *call, uint32_t row, kq_error *err) {
    uint32_t first = has_weight(call->fn) ? 2 : 1;
    const kq_vector *v = call->args[first];
    kq_value list = kq_vector_get(v, row);
    kq_dyn array = list.type == KQ_DYNAMIC && !list.null ? kq_str_view(&list.u.s) : (kq_dyn){0};
    bool is_array = kq_dyn_tag_of(array) == KQ_DYN_ARRAY;
    uint32_t n = is_array ? kq_dyn_count(array) : call->nargs - first;
    s->percents = kq_arena_array(call->arena, double, n);
    if (!s->percents) return kq_arena_status(call->arena, err);
    s->npercents = n;
    for (uint32_t i = 0; i < n; i++) {
        kq_value p = is_array ? kq_dyn_value(kq_dyn_element(array, i)) : number_of(call->args[first + i], row);
        if (!percent_of(&p, &s->percents[i]) || !(s->percents[i] >= 0 && s->percents[i] <= 100))
            return kq_fail(err, KQ_ERR_QUERY, "%s(): a percentage must be a number from 0 to 100", call->fn->name);
    }
    return KQ_OK;
}

static kq_status update(kq_agg_call *call, kq_error *err) {
    const kq_vector *v = call->args[0];
    const kq_vector *weight = has_weight(call->fn) ? call->args[1] : NULL;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (kq_vec_is_null(v, row)) continue;
        kq_agg_weighted item = {.weight = 1};
        if (weight) {
            if (kq_vec_is_null(weight, row)) continue;
            item.weight = kq_vec_long(weight)[kq_vec_at(weight, row)];
            if (item.weight <= 0) continue;
        }
        kq_agg_values *s = call->states[k];
        if (!s->percents) KQ_TRY(read_percents(s, call, row, err));
        kq_value value = kq_vector_get(v, row);
        switch (value.type) {
        case KQ_INT: item.u.l = value.u.i; break;
        case KQ_REAL: item.u.r = value.u.r; break;
        case KQ_DECIMAL: {
            kq_decimal *m = kq_arena_new(call->arena, kq_decimal);
            if (!m) return kq_arena_status(call->arena, err);
            *m = value.u.m;
            item.u.m = m;
            break;
        }
        default: item.u.l = value.u.l; break;
        }
        KQ_TRY(kq_agg_grow((void **)&s->items, s->n, &s->cap, sizeof *s->items, call->arena, err));
        s->items[s->n++] = item;
    }
    return KQ_OK;
}

static kq_status combine(kq_agg_env *env, kq_agg_values *a, const kq_agg_values *b, kq_error *err) {
    if (!a->percents) {
        a->percents = b->percents;
        a->npercents = b->npercents;
    }
    for (uint64_t i = 0; i < b->n; i++) {
        KQ_TRY(kq_agg_grow((void **)&a->items, a->n, &a->cap, sizeof *a->items, env->arena, err));
        a->items[a->n++] = b->items[i];
    }
    return KQ_OK;
}

static int by_long(const void *a, const void *b) {
    int64_t x = ((const kq_agg_weighted *)a)->u.l, y = ((const kq_agg_weighted *)b)->u.l;
    return x < y ? -1 : x > y;
}
static int by_real(const void *a, const void *b) {
    double x = ((const kq_agg_weighted *)a)->u.r, y = ((const kq_agg_weighted *)b)->u.r;
    if (x != x || y != y) return (int)(y != y) - (int)(x != x);
    return x < y ? -1 : x > y;
}
static int by_decimal(const void *a, const void *b) {
    return kq_decimal_cmp(((const kq_agg_weighted *)a)->u.m, ((const kq_agg_weighted *)b)->u.m);
}

static void sort_values(kq_agg_values *s, kq_type type) {
    qsort(s->items, s->n, sizeof *s->items, type == KQ_REAL ? by_real : type == KQ_DECIMAL ? by_decimal : by_long);
}

/* The first value at which the weights reach the percentage of their total. */
static kq_value at_percent(const kq_agg_values *s, kq_type type, double percent) {
    long double total = 0, seen = 0;
    for (uint64_t i = 0; i < s->n; i++) total += (long double)s->items[i].weight;
    /* 99.9 of 1000 is rank 999 though 0.999 is no binary fraction. */
    long double rank = ceill((long double)percent * total / 100 - total * 1e-15L);
    if (rank < 1) rank = 1;
    uint64_t i = 0;
    for (; i + 1 < s->n; i++) {
        seen += (long double)s->items[i].weight;
        if (seen >= rank) break;
    }
    kq_value out = {.type = type};
    switch (type) {
    case KQ_INT: out.u.i = (int32_t)s->items[i].u.l; break;
    case KQ_REAL: out.u.r = s->items[i].u.r; break;
    case KQ_DECIMAL: out.u.m = *s->items[i].u.m; break;
    default: out.u.l = s->items[i].u.l; break;
    }
    return out;
}

kq_status kq_agg_percentile_update(kq_agg_call *call, kq_error *err) {
    return update(call, err);
}
kq_status kq_agg_percentile_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return combine(env, into, from, err);
}
kq_status kq_agg_percentile_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    (void)err;
    kq_agg_values s = *(const kq_agg_values *)state;
    *out = kq_value_null(env->types[0]);
    if (s.n == 0) return KQ_OK;
    sort_values(&s, env->types[0]);
    *out = at_percent(&s, env->types[0], s.percents[0]);
    return KQ_OK;
}

kq_status kq_agg_percentiles_array_update(kq_agg_call *call, kq_error *err) {
    return update(call, err);
}
kq_status kq_agg_percentiles_array_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {
    return combine(env, into, from, err);
}
kq_status kq_agg_percentiles_array_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {
    kq_agg_values s = *(const kq_agg_values *)state;
    *out = kq_value_null(KQ_DYNAMIC);
    if (s.n == 0) return KQ_OK;
    sort_values(&s, env->types[0]);
    kq_buf buf;
    kq_buf_init(&buf, env->arena->budget, KQ_STR_MAX);
    kq_dyn_builder b;
    kq_dyn_open(&b, &buf, false);
    for (uint64_t i = 0; i < s.npercents; i++) {
        kq_value v = at_percent(&s, env->types[0], s.percents[i]);
        kq_dyn_put_value(&buf, &v);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    kq_status status = kq_buf_status(&buf, err);
    if (status == KQ_OK) {
        kq_sv copy = kq_arena_copy(env->arena, kq_buf_view(&buf));
        if (copy.p)
            *out = (kq_value){.type = KQ_DYNAMIC, .u.s = kq_str_sv(copy)};
        else
            status = kq_arena_status(env->arena, err);
    }
    kq_buf_deinit(&buf);
    return status;
}
