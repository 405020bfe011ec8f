#include "kql/plan.h"

/* A constant as a vector of one value. */
static kq_status constant_vector(const kq_value *value, kq_arena *arena, kq_vector *out, kq_error *err) {
    KQ_TRY(kq_vector_init(out, value->type, 1, value->null, arena, err));
    out->constant = true;
    kq_vector_set(out, 0, value);
    return KQ_OK;
}

/* `true or x`, `x and true`, ...: a stored function's parameter that is not given leaves such conditions behind. Null
 * decides nothing: it is not the same as false. */
static bool fold_logic(kq_expr *call) {
    bool either = strcmp(call->fn->name, "or") == 0;
    if (call->nargs != 2 || (!either && strcmp(call->fn->name, "and") != 0)) return false;
    for (int i = 0; i < 2; i++) {
        const kq_expr *e = call->args[i], *other = call->args[1 - i];
        if (e->kind != KQ_EXPR_CONST || e->type != KQ_BOOL || e->value.null || other->type != KQ_BOOL) continue;
        *call = e->value.u.b == either ? *e : *other;
        return true;
    }
    return false;
}

kq_status kq_fold_call(kq_expr *call, kq_arena *arena, kq_cleanup **cleanups, kq_error *err) {
    if (call->kind != KQ_EXPR_CALL || (call->fn->flags & KQ_VOLATILE)) return KQ_OK;
    if (fold_logic(call)) return KQ_OK;
    bool null = false;
    for (uint32_t i = 0; i < call->nargs; i++) {
        if (call->args[i]->kind != KQ_EXPR_CONST) return KQ_OK;
        null |= call->args[i]->value.null;
    }
    kq_value result = kq_value_null(call->type);
    if (!null || (call->fn->flags & KQ_NULLS_SEEN)) {
        kq_vector *vectors = kq_arena_array(arena, kq_vector, call->nargs + 1);
        const kq_vector **args = kq_arena_array(arena, const kq_vector *, call->nargs + 1);
        if (!vectors || !args) return kq_arena_status(arena, err);
        for (uint32_t i = 0; i < call->nargs; i++) {
            KQ_TRY(constant_vector(&call->args[i]->value, arena, &vectors[i], err));
            args[i] = &vectors[i];
        }
        const void *state = NULL;
        if (call->fn->prepare) {
            kq_prepare p = {call->fn, args, call->nargs, arena, cleanups};
            KQ_TRY(call->fn->prepare(&p, &state, err));
        }
        kq_vector *out = &vectors[call->nargs];
        KQ_TRY(kq_vector_init(out, call->type, 1, true, arena, err));
        kq_call c = {.fn = call->fn, .args = args, .nargs = call->nargs, .n = 1, .out = out, .arena = arena};
        c.state = state;
        KQ_TRY(call->fn->fn(&c, err));
        result = kq_vector_get(out, 0);
    }
    call->kind = KQ_EXPR_CONST;
    call->value = result;
    call->fn = NULL;
    call->args = NULL;
    call->nargs = 0;
    return KQ_OK;
}
