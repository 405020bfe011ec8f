/* dcount and count_distinct: hashes of values in a set; dcount goes over to HyperLogLog where a set would be large. */
#include "func/agg_state.h"
#include "func/rows.h"
#include <math.h>

/* dcount is exact up to so many values; documented in docs/internals/decisions.md, "Aggregates". */
#define EXACT_MAX (UINT32_C(1) << 20)

/* Registers for the accuracies 0..4 of dcount's second argument. Source: Kusto documentation, dcount: errors of 1.6,
 * 0.8, 0.4, 0.28 and 0.2 percent. */
static const uint8_t precisions[] = {12, 14, 16, 17, 18};

static void registers_add(kq_agg_distinct *s, uint64_t hash) {
    uint64_t index = hash >> (64 - s->precision);
    uint64_t rest = hash << s->precision | (UINT64_C(1) << (s->precision - 1));
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank > s->registers[index]) s->registers[index] = rank;
}

static kq_status to_registers(kq_agg_distinct *s, kq_arena *arena, kq_error *err) {
    s->registers = kq_arena_calloc(arena, (size_t)1 << s->precision, 1);
    if (!s->registers) return kq_arena_status(arena, err);
    for (uint32_t i = 0; i < s->cap; i++)
        if (s->slots[i]) registers_add(s, s->slots[i]);
    s->slots = NULL;
    s->n = s->cap = 0;
    return KQ_OK;
}

static kq_status grow(kq_agg_distinct *s, kq_arena *arena, kq_error *err) {
    if (s->cap > UINT32_MAX / 2) return kq_fail(err, KQ_ERR_LIMIT, "more than %u distinct values in one group", s->n);
    uint32_t cap = s->cap ? s->cap * 2 : 8;
    uint64_t *slots = kq_arena_calloc(arena, cap, sizeof *slots);
    if (!slots) return kq_arena_status(arena, err);
    for (uint32_t i = 0; i < s->cap; i++) {
        if (!s->slots[i]) continue;
        uint32_t at = (uint32_t)s->slots[i] & (cap - 1);
        while (slots[at]) at = (at + 1) & (cap - 1);
        slots[at] = s->slots[i];
    }
    s->slots = slots;
    s->cap = cap;
    return KQ_OK;
}

static kq_status add(kq_agg_distinct *s, uint64_t hash, bool exact, kq_arena *arena, kq_error *err) {
    if (hash == 0) hash = 1;
    if (s->registers) {
        registers_add(s, hash);
        return KQ_OK;
    }
    if (s->n >= s->cap / 4 * 3) KQ_TRY(grow(s, arena, err));
    uint32_t at = (uint32_t)hash & (s->cap - 1);
    for (; s->slots[at]; at = (at + 1) & (s->cap - 1))
        if (s->slots[at] == hash) return KQ_OK;
    s->slots[at] = hash;
    s->n++;
    return !exact && s->n > EXACT_MAX ? to_registers(s, arena, err) : KQ_OK;
}

static kq_status update(kq_agg_call *call, bool exact, kq_error *err) {
    const kq_vector *v = call->args[0], *condition = kq_agg_condition(call, 1);
    int64_t accuracy = exact ? 1 : kq_agg_option(call, 1);
    uint32_t precision = precisions[accuracy < 0 || accuracy > 4 ? 1 : accuracy];
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_agg_row(call, k);
        if (kq_vec_is_null(v, row) || !kq_agg_holds(condition, row)) continue;
        kq_agg_distinct *s = call->states[k];
        s->precision = precision;
        kq_value value = kq_vector_get(v, row);
        KQ_TRY(add(s, kq_value_hash(&value), exact, call->arena, err));
    }
    return KQ_OK;
}

static kq_status combine(kq_agg_env *env, kq_agg_distinct *a, const kq_agg_distinct *b, bool exact, kq_error *err) {
    if (b->precision) a->precision = b->precision;
    if (b->registers) {
        if (!a->registers) KQ_TRY(to_registers(a, env->arena, err));
        for (size_t i = 0; i < (size_t)1 << a->precision; i++)
            if (b->registers[i] > a->registers[i]) a->registers[i] = b->registers[i];
        return KQ_OK;
    }
    for (uint32_t i = 0; i < b->cap; i++)
        if (b->slots[i]) KQ_TRY(add(a, b->slots[i], exact, env->arena, err));
    return KQ_OK;
}

/* Flajolet and others, "HyperLogLog" (2007), with 64-bit hashes, so that no correction for large numbers is needed. */
static int64_t estimate(const kq_agg_distinct *s) {
    size_t m = (size_t)1 << s->precision;
    double sum = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < m; i++) {
        sum += ldexp(1, -s->registers[i]);
        zeros += s->registers[i] == 0;
    }
    double e = 0.7213 / (1 + 1.079 / (double)m) * (double)m * (double)m / sum;
    if (e <= 2.5 * (double)m && zeros) e = (double)m * log((double)m / (double)zeros);
    return (int64_t)(e + 0.5);
}

static void finish(const kq_agg_distinct *s, kq_value *out) {
    *out = kq_value_long(s->registers ? estimate(s) : s->n);
}

#define KQ_AGG_DISTINCT_FUNCTIONS(verb, exact)                                                                         \
    kq_status kq_agg_##verb##_update(kq_agg_call *call, kq_error *err) {                                               \
        return update(call, exact, err);                                                                               \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_combine(kq_agg_env *env, void *into, const void *from, kq_error *err) {                  \
        return combine(env, into, from, exact, err);                                                                   \
    }                                                                                                                  \
    kq_status kq_agg_##verb##_finish(kq_agg_env *env, const void *state, kq_value *out, kq_error *err) {               \
        (void)env;                                                                                                     \
        (void)err;                                                                                                     \
        finish(state, out);                                                                                            \
        return KQ_OK;                                                                                                  \
    }
KQ_AGG_DISTINCT_FUNCTIONS(dcount, false)
KQ_AGG_DISTINCT_FUNCTIONS(count_distinct, true)
