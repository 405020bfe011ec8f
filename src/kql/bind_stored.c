/*
 * Stored functions: functions that the resolver keeps as text. Each is parsed when a query first names it, sees nothing
 * of the query but its arguments, and may use other stored functions.
 *
 * The spans of a stored function's tree lie behind those of the query, each function in a range of its own, so that an
 * error found at any time, while binding or while rows flow, leads to its line and to the place that called it.
 */
#include "kql/bind.h"
#include <stdio.h>

static void shift(kq_node *node, uint32_t base) {
    if (!node) return;
    node->span.start += base;
    for (uint32_t i = 0; i < node->nkids; i++) shift(node->kids[i], base);
}

static kq_status parse(kq_binder *b, kq_stored *s) {
    kq_node *script = NULL;
    kq_status status = kq_parse(s->text.text, b->arena, &script, b->err);
    if (status) {
        b->err->span_start = s->base + (b->err->span_start == UINT32_MAX ? 0 : b->err->span_start);
        return status;
    }
    kq_node *let = script->nkids == 1 ? script->kids[0] : NULL;
    if (!let || let->kind != KQ_NODE_LET || let->kids[0]->kind != KQ_NODE_FUNCTION ||
        !kq_sv_eq(let->text, s->text.name))
        return kq_bind_fail(b, (kq_span){s->base, 0},
                            "a stored function is written 'let " KQ_SV_FMT " = (...) { ... };'",
                            KQ_SV_ARG(s->text.name));
    shift(script, s->base);
    s->symbol.node = let->kids[0];
    return KQ_OK;
}

kq_status kq_bind_symbol(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span at, const kq_scope **out) {
    kq_stored_text text;
    const kq_resolver *r = b->resolver;
    kq_stored *s = b->stored;
    if ((*out = kq_scope_find(scope, name))) return KQ_OK;
    while (s && !kq_sv_eq(s->text.name, name)) s = s->next;
    if (!s) {
        if (!r->function || !r->function(r->ctx, name, &text)) return KQ_OK;
        if (text.text.n >= UINT32_MAX / 2 - b->base)
            return kq_fail_at(b->err, KQ_ERR_LIMIT, at, "the query uses too many stored functions");
        if (!(s = kq_arena_new(b->arena, kq_stored))) return kq_bind_nomem(b);
        *s = (kq_stored){.next = b->stored, .text = text, .base = b->base, .at = at};
        s->symbol = (kq_scope){.name = text.name, .kind = KQ_SYMBOL_FUNCTION, .stored = s};
        b->stored = s;
        b->base += (uint32_t)text.text.n + 1;
    }
    if (!s->symbol.node) KQ_TRY(parse(b, s));
    *out = &s->symbol;
    return KQ_OK;
}

kq_status kq_stored_enter(kq_binder *b, kq_stored *s, kq_span at) {
    if (!s->active) {
        s->active = true;
        s->at = at;
        return KQ_OK;
    }
    return kq_bind_fail(b, at, "the stored function '" KQ_SV_FMT "' calls itself", KQ_SV_ARG(s->text.name));
}

/* ---- places ---- */

static const kq_stored *stored_at(const kq_stored *list, uint32_t start) {
    for (; list; list = list->next)
        if (start >= list->base && start - list->base <= list->text.text.n) return list;
    return NULL;
}

bool kq_span_stored(const kq_binder *b, kq_span span) {
    return span.start != UINT32_MAX && stored_at(b->stored, span.start);
}

/* The call in the query that `s` was bound for. */
static const kq_stored *outermost(const kq_stored *list, const kq_stored *s) {
    const kq_stored *o;
    for (int i = 0; i < KQ_BIND_DEPTH && (o = stored_at(list, s->at.start)); i++) s = o;
    return s;
}

kq_sv kq_stored_name(const kq_stored *list, kq_span span) {
    const kq_stored *s = span.start == UINT32_MAX ? NULL : stored_at(list, span.start);
    return s ? outermost(list, s)->text.name : KQ_SV("");
}

kq_span kq_stored_call(const kq_stored *list, kq_span span) {
    const kq_stored *s = span.start == UINT32_MAX ? NULL : stored_at(list, span.start);
    return s ? outermost(list, s)->at : span;
}

void kq_stored_place(const kq_stored *list, kq_error *err) {
    if (!err || err->span_start == UINT32_MAX) return;
    const kq_stored *s = stored_at(list, err->span_start);
    if (!s) return;
    uint32_t line = s->text.line, column = 1;
    for (uint32_t i = 0; i < err->span_start - s->base; i++) {
        column++;
        if (s->text.text.p[i] == '\n') {
            line++;
            column = 1;
        }
    }
    char message[sizeof err->message];
    int n = snprintf(message, sizeof message, "in " KQ_SV_FMT " (" KQ_SV_FMT ":%u:%u): ", KQ_SV_ARG(s->text.name),
                     KQ_SV_ARG(s->text.file), line, column);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof message ? (size_t)n : sizeof message - 1;
    size_t rest = strnlen(err->message, sizeof message - 1 - used);
    memcpy(message + used, err->message, rest);
    message[used + rest] = 0;
    memcpy(err->message, message, used + rest + 1);
    s = outermost(list, s);
    err->span_start = s->at.start;
    err->span_len = s->at.len;
}
