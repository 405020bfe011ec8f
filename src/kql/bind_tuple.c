/* Functions that give several columns: series_stats(), series_fit_line(), array_sort_asc() of several arrays. As
 * functions they return one array; extend, project and print deal its elements out. */
#include "kql/bind.h"

static const struct part {
    const char *function, *name;
    kq_type type;
} parts[] = {
#define KQ_TUPLE(function, name, type) {#function, #name, KQ_##type},
#include "kql/tuple.def"
#undef KQ_TUPLE
};

#define NPARTS ((uint32_t)(sizeof parts / sizeof *parts))

static bool is_sort(const kq_node *call) {
    return kq_sv_eq(call->text, KQ_SV("array_sort_asc")) || kq_sv_eq(call->text, KQ_SV("array_sort_desc"));
}

uint32_t kq_tuple_width(const kq_scope *scope, const kq_node *call) {
    if (call->kind != KQ_NODE_CALL || call->nkids == 0) return 0;
    const kq_scope *s = kq_scope_find(scope, call->text);
    if (s && s->kind == KQ_SYMBOL_FUNCTION) return 0;
    if (is_sort(call)) {
        const kq_node *last = call->kids[call->nkids - 1];
        bool option = last->kind == KQ_NODE_LITERAL && last->value.type == KQ_BOOL;
        uint32_t n = call->nkids - option;
        return n > 1 ? n : 0;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < NPARTS; i++) n += kq_sv_eq(call->text, kq_sv_of(parts[i].function));
    return n;
}

/* Element `k` of a dynamic array. */
static kq_status element(kq_binder *b, kq_expr *array, uint32_t k, kq_span span, kq_expr **out) {
    kq_expr *base, *index;
    kq_value v = kq_value_long(k);
    KQ_TRY(kq_expr_copy(b, array, span, &base));
    KQ_TRY(kq_expr_const(b, &v, span, &index));
    return kq_expr_call2(b, "[]", base, index, span, out);
}

kq_status kq_tuple_part(kq_binder *b, const kq_node *call, kq_expr *array, uint32_t k, kq_sv *name, kq_expr **out) {
    KQ_TRY(element(b, array, k, call->span, out));
    if (is_sort(call)) {
        kq_sv base = kq_auto_name(b, call->kids[k]);
        *name = base.n ? kq_arena_printf(b->arena, KQ_SV_FMT "_sorted", KQ_SV_ARG(base)) : base;
        return name->p || !base.n ? KQ_OK : kq_bind_nomem(b);
    }
    uint32_t i = 0;
    while (i < NPARTS && !kq_sv_eq(call->text, kq_sv_of(parts[i].function))) i++;
    i += k;
    kq_sv base = kq_auto_name(b, call->kids[0]);
    *name = base.n ? kq_arena_printf(b->arena, "%s_" KQ_SV_FMT "_%s", parts[i].function, KQ_SV_ARG(base), parts[i].name)
                   : kq_arena_printf(b->arena, "%s_%s", parts[i].function, parts[i].name);
    if (!name->p) return kq_bind_nomem(b);
    return parts[i].type == KQ_DYNAMIC ? KQ_OK : kq_expr_convert(b, *out, parts[i].type, out);
}

/* The values of (a, b) = expression: any dynamic array has as many as there are names. */
static kq_status deal(const kq_deal *d, const kq_node *names, const kq_node *expr, kq_deal_fn fn, void *ctx) {
    kq_binder *b = d->b;
    uint32_t nnames = names ? names->nkids : 0, width = kq_tuple_width(d->scope, expr);
    kq_expr *array, *part;
    KQ_TRY(kq_bind_expr(b, d->scope, d->row, expr, &array));
    if (array->type != KQ_DYNAMIC)
        return kq_bind_fail(b, expr->span, "several names need a dynamic array, not %s", kq_type_name(array->type));
    if (width && nnames > width)
        return kq_bind_fail(b, names->kids[width]->span, KQ_SV_FMT "() gives %u values", KQ_SV_ARG(expr->text), width);
    uint32_t n = nnames && (d->named_only || !width) ? nnames : width;
    for (uint32_t i = 0; i < n; i++) {
        const kq_node *name = i < nnames ? names->kids[i] : NULL;
        kq_sv automatic = {"", 0};
        if (width)
            KQ_TRY(kq_tuple_part(b, expr, array, i, &automatic, &part));
        else
            KQ_TRY(element(b, array, i, expr->span, &part));
        KQ_TRY(fn(ctx, name ? name->text : automatic, name != NULL, part, name ? name : expr));
    }
    return KQ_OK;
}

kq_status kq_deal_item(const kq_deal *d, const kq_node *item, kq_deal_fn fn, void *ctx) {
    if (item->kind == KQ_NODE_NAMES) return deal(d, item->kids[0], item->kids[1], fn, ctx);
    if (kq_tuple_width(d->scope, item)) return deal(d, NULL, item, fn, ctx);
    bool named = item->kind == KQ_NODE_NAMED;
    const kq_node *expr = named ? item->kids[0] : item;
    kq_expr *e;
    KQ_TRY(kq_bind_expr(d->b, d->scope, d->row, expr, &e));
    return fn(ctx, named ? item->text : kq_auto_name(d->b, expr), named || expr->kind == KQ_NODE_NAME, e, item);
}
