/* parse, parse-where: text taken apart by a pattern of literals and captures. The literals must stand in this order; a
 * capture is what stands between two of them, as short as it can be. A string capture at the end takes the rest. */
#include "exec/operator.h"
#include "func/convert.h"
#include "text/match.h"
#include "text/regex.h"
#include <stdio.h>

typedef struct parse {
    const kq_plan *plan;
    kq_eval *source;
    kq_regex *regex;  /* kind=regex */
    uint32_t *groups; /* of it: the number of each step's */
} parse;

enum { MAX_GROUPS = 200 }; /* of a regex, ours and the pattern's own */

typedef struct captured {
    kq_sv text;
    bool found;
} captured;

static kq_sv trimmed(kq_sv s) {
    while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0]) s = kq_sv_slice(s, 1, s.n);
    while (s.n && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1]) s.n--;
    return s;
}

static bool convert(kq_sv text, kq_type type, kq_value *out) {
    if (type == KQ_STRING) {
        *out = kq_value_sv(text);
        return true;
    }
    kq_value v = kq_value_sv(trimmed(text));
    *out = kq_value_null(type);
    if (type == KQ_DYNAMIC || !kq_convert(&v, type, out)) return false;
    out->null = false;
    return true;
}

/* How much of `text` a number or time capture that no literal ends takes: the longest prefix that converts. */
static size_t typed_prefix(kq_sv text, kq_type type) {
    size_t most = text.n < 64 ? text.n : 64;
    kq_value v;
    for (size_t n = most; n > 0; n--)
        if (convert(kq_sv_slice(text, 0, n), type, &v)) return n;
    return 0;
}

/* Fills values[i] for the i-th step; false: the pattern does not match. */
static bool match_simple(const parse *p, kq_sv text, captured *values) {
    const kq_parse_step *steps = p->plan->u.parse.steps;
    uint32_t n = p->plan->u.parse.nsteps;
    bool floating = false; /* before the next literal anything may stand */
    size_t at = 0, open = 0;
    uint32_t capture = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++) {
        if (steps[i].capture || steps[i].star) {
            if (capture != UINT32_MAX &&
                steps[capture].capture) { /* two captures side by side: the first by its type */
                size_t m = typed_prefix(kq_sv_slice(text, open, text.n), steps[capture].type);
                values[capture] = (captured){kq_sv_slice(text, open, open + m), true};
                at = open + m;
            }
            capture = i;
            open = at;
            floating = true;
            continue;
        }
        kq_sv rest = kq_sv_slice(text, at, text.n);
        int64_t found = kq_find(rest, steps[i].text);
        /* the whole text must match: what is last stands at the end, however often it stands before */
        if (i + 1 == n && found >= 0 && kq_sv_ends(rest, steps[i].text)) found = (int64_t)(rest.n - steps[i].text.n);
        if (found < 0 || (!floating && found > 0)) return false;
        if (capture != UINT32_MAX) values[capture] = (captured){kq_sv_slice(text, open, at + (size_t)found), true};
        capture = UINT32_MAX;
        at += (size_t)found + steps[i].text.n;
        floating = false;
    }
    if (capture != UINT32_MAX) {
        values[capture] = (captured){kq_sv_slice(text, open, text.n), true};
        at = text.n;
    }
    return at == text.n;
}

static bool match_regex(const parse *p, kq_sv text, captured *values) {
    kq_sv groups[MAX_GROUPS + 1];
    if (!kq_regex_find(p->regex, text, 0, groups, kq_regex_groups(p->regex) + 1)) return false;
    for (uint32_t i = 0; i < p->plan->u.parse.nsteps; i++) {
        if (!p->plan->u.parse.steps[i].capture) continue;
        kq_sv group = groups[p->groups[i]];
        values[i] = (captured){group.p ? group : KQ_SV(""), true};
    }
    return true;
}

static kq_status parse_push(kq_op *op, kq_worker *w, kq_chunk *chunk, kq_error *err) {
    const parse *p = op->state;
    const kq_plan *plan = p->plan;
    uint32_t nsteps = plan->u.parse.nsteps, n = plan->out.n, nin = plan->input->out.n, kept = 0;
    const kq_vector *source;
    KQ_TRY(kq_eval_run(p->source, w, chunk, chunk->sel, chunk->selected, &source, err));
    kq_vector *cols = kq_arena_array(&w->arena, kq_vector, n + 1);
    captured *values = kq_arena_array(&w->arena, captured, nsteps + 1);
    kq_value *converted = kq_arena_array(&w->arena, kq_value, nsteps + 1);
    uint16_t *sel = kq_arena_alloc(&w->arena, KQ_CHUNK_ROWS * sizeof *sel);
    if (!cols || !values || !converted || !sel) return kq_arena_status(&w->arena, err);
    if (nin) memcpy(cols, chunk->cols, nin * sizeof *cols);
    for (uint32_t i = 0; i < nsteps; i++)
        if (plan->u.parse.steps[i].capture)
            KQ_TRY(kq_vector_init(&cols[plan->u.parse.steps[i].column], plan->u.parse.steps[i].type, chunk->rows, true,
                                  &w->arena, err));
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        kq_sv text = kq_str_view(&kq_vec_str(source)[kq_vec_at(source, row)]);
        memset(values, 0, nsteps * sizeof *values);
        bool matched = p->regex ? match_regex(p, text, values) : match_simple(p, text, values);
        bool whole = matched;
        for (uint32_t i = 0; i < nsteps; i++) {
            const kq_parse_step *step = &plan->u.parse.steps[i];
            if (!step->capture) continue;
            bool ok = matched && values[i].found && convert(values[i].text, step->type, &converted[i]);
            if (!ok) converted[i] = kq_value_null(step->type);
            whole &= ok;
        }
        for (uint32_t i = 0; i < nsteps; i++) {
            const kq_parse_step *step = &plan->u.parse.steps[i];
            if (!step->capture) continue;
            kq_value *v = &converted[i];
            if (!whole && !plan->u.parse.relaxed) *v = kq_value_null(step->type);
            if (v->null)
                kq_vec_set_null(&cols[step->column], row);
            else
                kq_vector_set(&cols[step->column], row, v);
        }
        if (whole || !plan->u.parse.where) sel[kept++] = (uint16_t)row;
    }
    if (!kept) return KQ_OK;
    kq_chunk out = *chunk;
    out.cols = cols;
    out.ncols = n;
    out.sel = sel;
    out.selected = kept;
    return kq_op_push(op->next, w, &out, err);
}

static void destroy_regex(void *regex) {
    kq_regex_destroy(regex);
}

/* kind=regex: the steps as one pattern. Text steps are patterns themselves, a capture is a named group (they may have
 * groups of their own), greedy unless the flag U says otherwise. */
static kq_status write_regex(const parse *p, kq_buf *text, kq_error *err) {
    kq_sv flags = p->plan->u.parse.flags;
    if (flags.n) kq_buf_printf(text, "(?" KQ_SV_FMT ")", KQ_SV_ARG(flags));
    kq_buf_str(text, "\\A");
    for (uint32_t i = 0; i < p->plan->u.parse.nsteps; i++) {
        const kq_parse_step *s = &p->plan->u.parse.steps[i];
        if (s->star) {
            kq_buf_str(text, ".*?");
        } else if (s->capture) {
            bool number = s->type == KQ_LONG || s->type == KQ_INT;
            kq_buf_printf(text, "(?P<kq%u>%s)", i, number ? "\\s*[-+]?\\d+\\s*" : ".*");
        } else {
            kq_buf_str(text, "(?:");
            kq_buf_sv(text, s->text);
            kq_buf_char(text, ')');
        }
    }
    kq_buf_str(text, "\\z");
    return kq_buf_status(text, err);
}

static kq_status make_regex(kq_exec *x, parse *p, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, x->env->budget, 1 << 20);
    kq_status status = write_regex(p, &text, err);
    if (!status) status = kq_regex_create(kq_buf_view(&text), false, &p->regex, err);
    kq_buf_deinit(&text);
    KQ_TRY(status);
    kq_prepare prepare = {.arena = &x->arena, .cleanups = x->env->cleanups};
    KQ_TRY(kq_cleanup_add(&prepare, destroy_regex, p->regex, err));
    if (kq_regex_groups(p->regex) > MAX_GROUPS)
        return kq_fail_at(err, KQ_ERR_LIMIT, p->plan->span, "the pattern has more than %d groups", MAX_GROUPS);
    p->groups = kq_arena_array(&x->arena, uint32_t, p->plan->u.parse.nsteps + 1);
    if (!p->groups) return kq_arena_status(&x->arena, err);
    for (uint32_t i = 0; i < p->plan->u.parse.nsteps; i++) {
        char name[24];
        snprintf(name, sizeof name, "kq%u", i);
        int32_t group = kq_regex_group(p->regex, kq_sv_of(name));
        if (group > 0) p->groups[i] = (uint32_t)group;
    }
    return KQ_OK;
}

kq_status kq_op_parse(kq_exec *x, const kq_plan *plan, kq_op *next, kq_error *err) {
    kq_op *op = kq_op_create(x, plan, next, sizeof(parse), err);
    if (!op) return KQ_ERR_NOMEM;
    parse *p = op->state;
    op->push = parse_push;
    p->plan = plan;
    KQ_TRY(kq_eval_create(x, plan->u.parse.source, &p->source, err));
    if (plan->u.parse.regex) KQ_TRY(make_regex(x, p, err));
    return kq_flow(x, plan->input, op, err);
}
