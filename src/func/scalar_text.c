#include "column/dynamic.h"
#include "func/rows.h"
#include "func/text_list.h"
#include "text/match.h"

typedef struct text_state {
    kq_match_op op;
    bool ci, negate, all;
    const kq_matcher *matcher; /* NULL: the values vary by row */
} text_state;

static const struct {
    const char *name;
    kq_match_op op;
    bool ci;
} operators[] = {
    {"has", KQ_MATCH_HAS, true},
    {"has_cs", KQ_MATCH_HAS, false},
    {"hasprefix", KQ_MATCH_HASPREFIX, true},
    {"hasprefix_cs", KQ_MATCH_HASPREFIX, false},
    {"hassuffix", KQ_MATCH_HASSUFFIX, true},
    {"hassuffix_cs", KQ_MATCH_HASSUFFIX, false},
    {"contains", KQ_MATCH_CONTAINS, true},
    {"contains_cs", KQ_MATCH_CONTAINS, false},
    {"startswith", KQ_MATCH_STARTSWITH, true},
    {"startswith_cs", KQ_MATCH_STARTSWITH, false},
    {"endswith", KQ_MATCH_ENDSWITH, true},
    {"endswith_cs", KQ_MATCH_ENDSWITH, false},
    {"=~", KQ_MATCH_EQUALS, true},
    {"~", KQ_MATCH_EQUALS, true}, /* "!~" */
    {"has_any", KQ_MATCH_HAS, true},
    {"has_all", KQ_MATCH_HAS, true},
    {"has_any_index", KQ_MATCH_HAS, true},
    {"in", KQ_MATCH_EQUALS, false},
    {"in~", KQ_MATCH_EQUALS, true},
};

static text_state state_of(const kq_scalar *fn) {
    text_state s = {.negate = fn->name[0] == '!', .all = strcmp(fn->name, "has_all") == 0};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(fn->name + s.negate, operators[i].name) == 0) {
            s.op = operators[i].op;
            s.ci = operators[i].ci;
        }
    return s;
}

static kq_status keep(const text_state *s, kq_arena *arena, const void **out, kq_error *err) {
    text_state *kept = kq_arena_new(arena, text_state);
    if (!kept) return kq_arena_status(arena, err);
    *kept = *s;
    *out = kept;
    return KQ_OK;
}

kq_status kq_prepare_text_match(kq_prepare *p, const void **state, kq_error *err) {
    text_state s = state_of(p->fn);
    if (p->args[1]) {
        kq_sv needle = kq_str_view(kq_vec_str(p->args[1]));
        KQ_TRY(kq_matcher_create(s.op, s.ci, false, &needle, 1, p->arena, &s.matcher, err));
    }
    return keep(&s, p->arena, state, err);
}

static void match_rows(kq_call *call, const text_state *s) {
    const kq_vector *text = call->args[0];
    const kq_str *texts = kq_vec_str(text);
    uint8_t *out = kq_vec_bool(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        out[row] = kq_matcher_test(s->matcher, kq_str_view(&texts[kq_vec_at(text, row)])) != s->negate;
    }
}

kq_status kq_fn_text_match(kq_call *call, kq_error *err) {
    (void)err;
    text_state s = call->state ? *(const text_state *)call->state : state_of(call->fn);
    if (s.matcher) {
        match_rows(call, &s);
        return KQ_OK;
    }
    const kq_vector *text = call->args[0], *needle = call->args[1];
    uint8_t *out = kq_vec_bool(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv t = kq_str_view(&kq_vec_str(text)[kq_vec_at(text, row)]);
        kq_sv n = kq_str_view(&kq_vec_str(needle)[kq_vec_at(needle, row)]);
        out[row] = kq_match_once(s.op, s.ci, t, n) != s.negate;
    }
    return KQ_OK;
}

/* ---- lists of texts ---- */

static bool all_constant(const kq_vector *const *args, uint32_t nargs) {
    for (uint32_t i = 1; i < nargs; i++)
        if (!args[i] || !args[i]->constant) return false;
    return true;
}

static kq_status list_matcher(text_state *s, const kq_vector *const *args, uint32_t nargs, kq_arena *arena,
                              kq_error *err) {
    kq_sv *texts;
    size_t n;
    KQ_TRY(kq_list_texts(args, 1, nargs, 0, arena, &texts, &n, err));
    return kq_matcher_create(s->op, s->ci, s->all, texts, n, arena, &s->matcher, err);
}

kq_status kq_prepare_text_list(kq_prepare *p, const void **state, kq_error *err) {
    text_state s = state_of(p->fn);
    if (all_constant(p->args, p->nargs)) KQ_TRY(list_matcher(&s, p->args, p->nargs, p->arena, err));
    return keep(&s, p->arena, state, err);
}

typedef struct row_search {
    const text_state *s;
    kq_sv text;
    kq_buf scratch;
    int64_t index, found; /* found: index of the first match, or -1 */
} row_search;

static bool test_item(void *ctx, const kq_value *item) {
    row_search *r = ctx;
    kq_sv needle;
    if (item->type == KQ_STRING) {
        needle = kq_str_view(&item->u.s);
    } else {
        kq_buf_clear(&r->scratch);
        kq_value_text(item, &r->scratch);
        if (r->scratch.failed) return false;
        needle = kq_buf_view(&r->scratch);
    }
    bool hit = kq_match_once(r->s->op, r->s->ci, r->text, needle);
    if (hit && r->found < 0) r->found = r->index;
    if (!hit && r->s->all) {
        r->found = -1;
        return false;
    }
    r->index++;
    return r->s->all || !hit;
}

/* What a row's list says: the index of a match (any non-negative number for has_all) or -1. */
static kq_status search_row(kq_call *call, row_search *r, uint32_t row, int64_t *found, kq_error *err) {
    r->text = kq_str_view(&kq_vec_str(call->args[0])[kq_vec_at(call->args[0], row)]);
    r->index = 0;
    r->found = -1;
    bool more = true;
    for (uint32_t i = 1; i < call->nargs && more; i++) {
        kq_value list = kq_vector_get(call->args[i], row);
        more = kq_list_each(&list, test_item, r);
    }
    if (r->s->all && more) r->found = 0;
    *found = r->found;
    return kq_buf_status(&r->scratch, err);
}

kq_status kq_fn_text_list(kq_call *call, kq_error *err) {
    text_state s = call->state ? *(const text_state *)call->state : state_of(call->fn);
    if (!s.matcher && all_constant(call->args, call->nargs))
        KQ_TRY(list_matcher(&s, call->args, call->nargs, call->arena, err));
    if (s.matcher) {
        match_rows(call, &s);
        return KQ_OK;
    }
    row_search r = {.s = &s};
    kq_buf_init(&r.scratch, call->arena->budget, 0);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t row = kq_call_row(call, k);
        int64_t found;
        status = search_row(call, &r, row, &found, err);
        kq_vec_bool(call->out)[row] = (found >= 0) != s.negate;
    }
    kq_buf_deinit(&r.scratch);
    return status;
}

kq_status kq_fn_has_any_index(kq_call *call, kq_error *err) {
    text_state s = call->state ? *(const text_state *)call->state : state_of(call->fn);
    row_search r = {.s = &s};
    kq_buf_init(&r.scratch, call->arena->budget, 0);
    kq_status status = KQ_OK;
    const kq_vector *text = call->args[0];
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t row = kq_call_row(call, k);
        int64_t *out = &kq_vec_long(call->out)[row];
        if (s.matcher)
            *out = kq_matcher_index(s.matcher, kq_str_view(&kq_vec_str(text)[kq_vec_at(text, row)]));
        else
            status = search_row(call, &r, row, out, err);
    }
    kq_buf_deinit(&r.scratch);
    return status;
}
