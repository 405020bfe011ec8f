/* min, max, arg_min, arg_max, take_any: one value or one row out of many. */
#include "func/agg_state.h"
#include "func/rows.h"

/* A NaN is above and below everything: it wins both (recorded answers). */
static bool is_nan(const kq_value *v) {
    return v->type == KQ_REAL && v->u.r != v->u.r;
}

/* > 0: `a` is the better one; 0: a tie. Neither is null. */
static inline int better(const kq_value *a, const kq_value *b, bool highest) {
    bool x = is_nan(a), y = is_nan(b);
    if (KQ_UNLIKELY(x || y)) return (int)x - (int)y;
    int c = kq_value_cmp(a, b);
    return highest ? c : -c;
}

static kq_status extreme_update(kq_agg_call *call, bool highest, kq_error *err) {
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    bool ticks = v->type == KQ_LONG || v->type == KQ_DATETIME || v->type == KQ_TIMESPAN;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (kq_vec_is_null(v, row) || !kq_agg_holds(condition, row)) continue;
        kq_agg_extreme *s = call->states[k];
        if (ticks) {
            int64_t x = kq_vec_long(v)[kq_vec_at(v, row)];
            if (s->has && (highest ? x <= s->best.value.u.l : x >= s->best.value.u.l)) continue;
            s->best.value = (kq_value){.type = v->type, .u.l = x};
            s->has = 1;
            continue;
        }
        kq_value x = kq_vector_get(v, row);
        if (s->has && better(&x, &s->best.value, highest) <= 0) continue;
        KQ_TRY(kq_agg_keep(&s->best, &x, call->arena, err));
        s->has = 1;
    }
    return KQ_OK;
}

static void extreme_combine(void *into, const void *from, bool highest) {
    kq_agg_extreme *a = into;
    const kq_agg_extreme *b = from;
    if (b->has && (!a->has || better(&b->best.value, &a->best.value, highest) > 0)) *a = *b;
}

static void extreme_finish(kq_agg_env *env, const void *state, kq_value *out) {
    const kq_agg_extreme *s = state;
    *out = s->has ? s->best.value : kq_value_null(env->types[0]);
}

#define KQ_AGG_EXTREME(verb, highest)                                                                                  \
    kq_status kq_agg_##verb##_update(kq_agg_call *call, kq_error *err) {                                               \
        return extreme_update(call, highest, err);                                                                     \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {                  \
        (void)env;                                                                                                     \
        (void)err;                                                                                                     \
        extreme_combine(into, from, highest);                                                                          \
        return KQ_OK;                                                                                                  \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {               \
        (void)err;                                                                                                     \
        extreme_finish(env, state, out);                                                                               \
        return KQ_OK;                                                                                                  \
    }
KQ_AGG_EXTREME(min, false)
KQ_AGG_EXTREME(max, true)

/* ---- rows ---- */

typedef enum pick_kind { PICK_MAX, PICK_MIN, PICK_ANY } pick_kind;

/* Is a row with this key at this ordinal the one to keep? `weak`: the key is null (or, for take_any of one column,
 * empty), so that it counts only while there is nothing better. */
static bool preferred(const kq_agg_pick *s, pick_kind kind, const kq_value *key, bool weak, uint64_t ordinal) {
    if (!s->has) return true;
    if (weak != s->weak) return s->weak;
    if (kind != PICK_ANY && !weak) {
        int c = better(key, &s->key, kind == PICK_MAX);
        if (c != 0) return c > 0;
    }
    return ordinal < s->ordinal;
}

/* Finds the winners of the chunk first and copies only their rows: a key that rises all the time would otherwise copy
 * every row. */
static kq_status pick_update(kq_agg_call *call, pick_kind kind, const kq_vector *condition, uint32_t nout,
                             kq_error *err) {
    const kq_vector *v = call->args[0];
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (!kq_agg_holds(condition, row)) continue;
        kq_agg_pick *s = call->states[k];
        uint64_t ordinal = call->ordinal + row;
        kq_value key = {0};
        bool weak = false;
        if (kind != PICK_ANY || nout == 1) {
            key = kq_vector_get(v, row);
            weak = key.null || (kind == PICK_ANY && key.type == KQ_STRING && key.u.s.len == 0);
        }
        if (!preferred(s, kind, &key, weak, ordinal)) continue;
        s->has = true;
        s->weak = weak;
        s->key = key;
        s->ordinal = ordinal;
        s->row = row;
        s->dirty = true;
    }
    for (uint32_t k = 0; k < call->n; k++) {
        kq_agg_pick *s = call->states[k];
        if (!s->dirty || s->row != kq_agg_row(call, k)) continue;
        if (!s->cells && !(s->cells = kq_arena_array(call->arena, kq_kept, nout)))
            return kq_arena_status(call->arena, err);
        for (uint32_t i = 0; i < nout; i++) {
            kq_value cell = kq_vector_get(call->args[i], s->row);
            KQ_TRY(kq_agg_keep(&s->cells[i], &cell, call->arena, err));
        }
        s->key = s->cells[0].value;
        s->dirty = false;
    }
    return KQ_OK;
}

static void pick_combine(void *into, const void *from, pick_kind kind) {
    kq_agg_pick *a = into;
    const kq_agg_pick *b = from;
    if (b->has && preferred(a, kind, &b->key, b->weak, b->ordinal)) *a = *b;
}

static void pick_finish(kq_agg_env *env, const void *state, kq_value *out, uint32_t nout) {
    const kq_agg_pick *s = state;
    for (uint32_t i = 0; i < nout; i++) out[i] = s->has ? s->cells[i].value : kq_value_null(env->types[i]);
}

#define KQ_AGG_PICK(verb, kind, condition, nout)                                                                       \
    kq_status kq_agg_##verb##_update(kq_agg_call *call, kq_error *err) {                                               \
        return pick_update(call, kind, condition, nout(call->nargs), err);                                             \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {                  \
        (void)env;                                                                                                     \
        (void)err;                                                                                                     \
        pick_combine(into, from, kind);                                                                                \
        return KQ_OK;                                                                                                  \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {               \
        (void)err;                                                                                                     \
        pick_finish(env, state, out, nout(env->nargs));                                                                \
        return KQ_OK;                                                                                                  \
    }
#define ALL(nargs) (nargs)
#define ONE(nargs) 1
KQ_AGG_PICK(arg_max, PICK_MAX, NULL, ALL)
KQ_AGG_PICK(arg_min, PICK_MIN, NULL, ALL)
KQ_AGG_PICK(take_any, PICK_ANY, NULL, ALL)
KQ_AGG_PICK(take_anyif, PICK_ANY, call->args[1], ONE)
