/*
 * Functions over regular expressions. A constant pattern is compiled in prepare; patterns that vary by row go through a
 * small cache that lives for one call.
 */
#include "base/utf8.h"
#include "func/build.h"
#include "func/rows.h"
#include "text/match.h"
#include "text/regex.h"

typedef struct compiled {
    kq_regex *re, *at_end; /* at_end: trim's second expression */
} compiled;

#define CACHE 32

typedef struct cache {
    const compiled *fixed; /* from prepare, or NULL */
    bool start, end;       /* anchored: for trim */
    struct {
        kq_sv pattern;
        compiled c;
    } slots[CACHE];
} cache;

static void destroy(compiled *c) {
    kq_regex_destroy(c->re);
    kq_regex_destroy(c->at_end);
    *c = (compiled){0};
}

static kq_status compile(kq_sv pattern, bool start, bool end, compiled *out, kq_error *err) {
    *out = (compiled){0};
    if (!start && !end) return kq_regex_create(pattern, false, &out->re, err);
    kq_status status = KQ_OK;
    if (start) status = kq_regex_create_at(pattern, false, true, false, &out->re, err);
    if (end && status == KQ_OK) status = kq_regex_create_at(pattern, false, false, true, &out->at_end, err);
    if (status != KQ_OK) destroy(out);
    return status;
}

static void destroy_regex(void *re) {
    kq_regex_destroy(re);
}

static kq_status prepare(kq_prepare *p, uint32_t arg, bool start, bool end, const void **state, kq_error *err) {
    if (!p->args[arg]) return KQ_OK;
    compiled *c = kq_arena_new(p->arena, compiled);
    if (!c) return kq_arena_status(p->arena, err);
    KQ_TRY(compile(kq_str_view(kq_vec_str(p->args[arg])), start, end, c, err));
    kq_regex *second = c->at_end;
    if (c->re) {
        kq_status status = kq_cleanup_add(p, destroy_regex, c->re, err);
        if (status != KQ_OK) {
            kq_regex_destroy(second);
            return status;
        }
    }
    if (second) KQ_TRY(kq_cleanup_add(p, destroy_regex, second, err));
    *state = c;
    return KQ_OK;
}

/* Which argument the pattern is. */
static uint32_t pattern_at(const kq_scalar *fn) {
    return strcmp(fn->name, "matches regex") == 0 || strcmp(fn->name, "replace_regex") == 0 ||
           strcmp(fn->name, "indexof_regex") == 0 || strcmp(fn->name, "countof") == 0;
}

kq_status kq_prepare_regex(kq_prepare *p, const void **state, kq_error *err) {
    return prepare(p, pattern_at(p->fn), false, false, state, err);
}

static void cache_open(cache *c, const kq_call *call) {
    memset(c, 0, sizeof *c);
    c->fixed = call->state;
}

static void cache_close(cache *c) {
    for (size_t i = 0; i < CACHE; i++) destroy(&c->slots[i].c);
}

static kq_status lookup(cache *c, kq_sv pattern, const compiled **out, kq_error *err) {
    if (KQ_LIKELY(c->fixed != NULL)) {
        *out = c->fixed;
        return KQ_OK;
    }
    uint64_t h = pattern.n;
    for (size_t i = 0; i < pattern.n; i++) h = (h ^ (unsigned char)pattern.p[i]) * UINT64_C(0x100000001B3);
    size_t at = (h >> 32 ^ h) % CACHE;
    if (!(c->slots[at].c.re || c->slots[at].c.at_end) || !kq_sv_eq(c->slots[at].pattern, pattern)) {
        destroy(&c->slots[at].c);
        KQ_TRY(compile(pattern, c->start, c->end, &c->slots[at].c, err));
        c->slots[at].pattern = pattern;
    }
    *out = &c->slots[at].c;
    return KQ_OK;
}

/* ---- matches regex, extract ---- */

kq_status kq_fn_matches_regex(kq_call *call, kq_error *err) {
    cache c;
    cache_open(&c, call);
    kq_status status = KQ_OK;
    uint8_t *out = kq_vec_bool(call->out);
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t row = kq_call_row(call, k);
        const compiled *re;
        bool found = false;
        status = lookup(&c, kq_arg_sv(call, 1, row), &re, err);
        if (status == KQ_OK) status = kq_regex_search(re->re, kq_arg_sv(call, 0, row), 0, NULL, 0, &found, err);
        out[row] = found;
    }
    cache_close(&c);
    return status;
}

#define GROUPS_MAX 64

/* The result is a view into the text: nothing is copied. */
kq_status kq_fn_extract(kq_call *call, kq_error *err) {
    cache c;
    cache_open(&c, call);
    kq_status status = KQ_OK;
    kq_str *out = kq_vec_str(call->out);
    kq_sv groups[GROUPS_MAX];
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        const compiled *re;
        bool found = false;
        int64_t group = kq_arg_long(call, 1, row);
        out[row] = kq_str_ref(NULL, 0);
        if ((status = lookup(&c, kq_arg_sv(call, 0, row), &re, err)) != KQ_OK) break;
        if (group < 0 || group > kq_regex_groups(re->re)) continue;
        if (group >= GROUPS_MAX) {
            status = kq_fail(err, KQ_ERR_LIMIT, "extract() reads the first %d capture groups only", GROUPS_MAX - 1);
            break;
        }
        status = kq_regex_search(re->re, kq_arg_sv(call, 2, row), 0, groups, (uint32_t)group + 1, &found, err);
        if (status != KQ_OK) break;
        if (found && groups[group].p) out[row] = kq_str_sv(groups[group]);
    }
    cache_close(&c);
    return status;
}

/* ---- extract_all ---- */

/* Which groups of `re` to give, in order, by number or name. */
static kq_status wanted_groups(const kq_regex *re, kq_dyn list, uint32_t *wanted, uint32_t *n, kq_error *err) {
    uint32_t groups = kq_regex_groups(re);
    if (groups == 0) return kq_fail(err, KQ_ERR_QUERY, "extract_all() needs a regular expression with a capture group");
    bool all = kq_dyn_tag_of(list) != KQ_DYN_ARRAY;
    *n = all ? groups : kq_dyn_count(list);
    if (*n >= GROUPS_MAX || groups >= GROUPS_MAX)
        return kq_fail(err, KQ_ERR_LIMIT, "extract_all() reads the first %d capture groups only", GROUPS_MAX - 1);
    for (uint32_t i = 0; i < *n; i++) {
        int64_t group = (int64_t)i + 1;
        if (!all) {
            kq_value v = kq_dyn_value(kq_dyn_element(list, i));
            group = -1;
            if (v.type == KQ_LONG && !v.null)
                group = v.u.l;
            else if (v.type == KQ_STRING)
                group = kq_regex_group(re, kq_str_view(&v.u.s));
        }
        if (group < 0 || group > groups)
            return kq_fail(err, KQ_ERR_QUERY, "extract_all(): the regular expression has no such capture group");
        wanted[i] = (uint32_t)group;
    }
    return KQ_OK;
}

kq_status kq_prepare_extract_all(kq_prepare *p, const void **state, kq_error *err) {
    KQ_TRY(prepare(p, 0, false, false, state, err));
    if (!*state) return KQ_OK;
    uint32_t wanted[GROUPS_MAX], n;
    const kq_vector *list = p->nargs > 2 ? p->args[1] : NULL;
    kq_dyn groups = list && !kq_vec_is_null(list, 0) ? kq_str_view(kq_vec_str(list)) : (kq_dyn){0};
    return wanted_groups(((const compiled *)*state)->re, groups, wanted, &n, err);
}

typedef struct extraction {
    cache c;
    kq_status status;
    kq_error *err;
} extraction;

static bool build_extract_all(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    extraction *x = ctx;
    if (x->status != KQ_OK) return false;
    const compiled *re;
    uint32_t wanted[GROUPS_MAX], n, highest = 0;
    kq_dyn list = call->nargs > 2 ? kq_arg_dyn(call, 1, row) : (kq_dyn){0};
    if ((x->status = lookup(&x->c, kq_arg_sv(call, 0, row), &re, x->err)) != KQ_OK) return false;
    if ((x->status = wanted_groups(re->re, list, wanted, &n, x->err)) != KQ_OK) return false;
    for (uint32_t i = 0; i < n; i++)
        if (wanted[i] > highest) highest = wanted[i];
    kq_sv text = kq_arg_sv(call, call->nargs - 1, row), groups[GROUPS_MAX];
    kq_regex_walk walk = {0};
    kq_dyn_builder all, one;
    bool any = false, found;
    for (;;) {
        x->status = kq_regex_next(re->re, text, &walk, groups, highest + 1, &found, x->err);
        if (x->status != KQ_OK || !found || out->failed) break;
        if (!any) kq_dyn_open(&all, out, false);
        any = true;
        if (n > 1) kq_dyn_open(&one, out, false);
        for (uint32_t i = 0; i < n; i++) {
            kq_dyn_put_string(out, groups[wanted[i]]);
            kq_dyn_part(n > 1 ? &one : &all);
        }
        if (n > 1) {
            kq_dyn_close(&one);
            kq_dyn_part(&all);
        }
    }
    if (any) kq_dyn_close(&all);
    return any;
}

kq_status kq_fn_extract_all(kq_call *call, kq_error *err) {
    extraction x = {.err = err};
    cache_open(&x.c, call);
    kq_status status = kq_build_rows(call, build_extract_all, &x, err);
    cache_close(&x.c);
    return x.status != KQ_OK ? x.status : status;
}

/* ---- replace_regex ---- */

/* \0..\9 are groups, \\ a backslash; anything else stands for itself. */
static void rewrite(kq_sv pattern, const kq_sv *groups, kq_buf *out) {
    for (size_t i = 0; i < pattern.n; i++) {
        char c = pattern.p[i], next = i + 1 < pattern.n ? pattern.p[i + 1] : 0;
        if (c == '\\' && next >= '0' && next <= '9') {
            kq_buf_sv(out, groups[next - '0']);
            i++;
        } else {
            kq_buf_char(out, c);
            if (c == '\\' && next == '\\') i++;
        }
    }
}

static bool build_replace(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    extraction *x = ctx;
    if (x->status != KQ_OK) return false;
    bool old = strcmp(call->fn->name, "replace") == 0; /* replace(regex, rewrite, text) */
    const compiled *re;
    kq_sv text = kq_arg_sv(call, old ? 2 : 0, row), with = kq_arg_sv(call, old ? 1 : 2, row), groups[10];
    if ((x->status = lookup(&x->c, kq_arg_sv(call, old ? 0 : 1, row), &re, x->err)) != KQ_OK) return false;
    kq_regex_walk walk = {0};
    size_t copied = 0;
    for (bool found;;) {
        x->status = kq_regex_next(re->re, text, &walk, groups, 10, &found, x->err);
        if (x->status != KQ_OK || !found || out->failed) break;
        size_t start = text.n ? (size_t)(groups[0].p - text.p) : 0;
        kq_buf_sv(out, kq_sv_slice(text, copied, start));
        rewrite(with, groups, out);
        copied = start + groups[0].n;
    }
    kq_buf_sv(out, kq_sv_slice(text, copied, text.n));
    return x->status == KQ_OK;
}

kq_status kq_fn_replace_regex(kq_call *call, kq_error *err) {
    extraction x = {.err = err};
    cache_open(&x.c, call);
    kq_status status = kq_build_rows(call, build_replace, &x, err);
    cache_close(&x.c);
    return x.status != KQ_OK ? x.status : status;
}

/* ---- countof, indexof_regex ---- */

static bool is_regex_kind(kq_sv kind) {
    return kq_sv_eq(kind, KQ_SV("regex"));
}

kq_status kq_prepare_countof(kq_prepare *p, const void **state, kq_error *err) {
    if (p->nargs < 3 || !p->args[2]) return KQ_OK;
    kq_sv kind = kq_str_view(kq_vec_str(p->args[2]));
    if (is_regex_kind(kind)) return prepare(p, 1, false, false, state, err);
    if (kq_sv_eq(kind, KQ_SV("normal"))) return KQ_OK;
    return kq_fail(err, KQ_ERR_QUERY, "countof(): the kind is 'normal' or 'regex', not '" KQ_SV_FMT "'",
                   KQ_SV_ARG(kind));
}

/* Places where `search` stands, which may overlap. */
static int64_t count_plain(kq_sv text, kq_sv search) {
    int64_t n = 0;
    if (search.n == 0) return 0;
    for (size_t at = 0;;) {
        int64_t found = kq_find(kq_sv_slice(text, at, text.n), search);
        if (found < 0) return n;
        n++;
        at += (size_t)found + 1;
    }
}

kq_status kq_fn_countof(kq_call *call, kq_error *err) {
    cache c;
    cache_open(&c, call);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv text = kq_arg_sv(call, 0, row), search = kq_arg_sv(call, 1, row), match;
        int64_t n = 0;
        kq_sv kind = call->nargs > 2 ? kq_arg_sv(call, 2, row) : KQ_SV("normal");
        if (is_regex_kind(kind)) {
            const compiled *re;
            kq_regex_walk walk = {0};
            bool found = true;
            status = lookup(&c, search, &re, err);
            while (status == KQ_OK && found) {
                status = kq_regex_next(re->re, text, &walk, &match, 1, &found, err);
                n += status == KQ_OK && found;
            }
        } else if (kq_sv_eq(kind, KQ_SV("normal"))) {
            n = count_plain(text, search);
        } else {
            kq_vec_set_null(call->out, row);
        }
        kq_vec_long(call->out)[row] = n;
    }
    cache_close(&c);
    return status;
}

/* The byte at which character `n` begins, or the text's length. */
static size_t byte_of(kq_sv s, int64_t n) {
    const char *p = s.p, *end = s.p + s.n;
    for (uint32_t cp; n > 0 && p < end; n--) p += kq_utf8_decode(p, end, &cp);
    return (size_t)(p - s.p);
}

kq_status kq_fn_indexof_regex(kq_call *call, kq_error *err) {
    cache c;
    cache_open(&c, call);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && status == KQ_OK; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv text = kq_arg_sv(call, 0, row), match;
        int64_t start = call->nargs > 2 ? kq_arg_long(call, 2, row) : 0;
        int64_t length = call->nargs > 3 ? kq_arg_long(call, 3, row) : -1;
        int64_t occurrence = call->nargs > 4 ? kq_arg_long(call, 4, row) : 1;
        if (start < 0 || length < -1 || occurrence < 1) {
            kq_vec_set_null(call->out, row);
            continue;
        }
        const compiled *re;
        if ((status = lookup(&c, kq_arg_sv(call, 1, row), &re, err)) != KQ_OK) break;
        kq_regex_walk walk = {.at = byte_of(text, start)};
        if (length >= 0) text.n = walk.at + byte_of(kq_sv_slice(text, walk.at, text.n), length);
        bool found = true;
        for (int64_t i = 0; i < occurrence && found && status == KQ_OK; i++)
            status = kq_regex_next(re->re, text, &walk, &match, 1, &found, err);
        int64_t at = -1;
        if (status == KQ_OK && found)
            at = text.n ? (int64_t)kq_utf8_count(kq_sv_slice(text, 0, (size_t)(match.p - text.p))) : 0;
        kq_vec_long(call->out)[row] = at;
    }
    cache_close(&c);
    return status;
}

/* ---- trim ---- */

static bool trims_start(const kq_scalar *fn) {
    return strcmp(fn->name, "trim_end") != 0;
}
static bool trims_end(const kq_scalar *fn) {
    return strcmp(fn->name, "trim_start") != 0;
}

kq_status kq_prepare_trim(kq_prepare *p, const void **state, kq_error *err) {
    return prepare(p, 0, trims_start(p->fn), trims_end(p->fn), state, err);
}

kq_status kq_fn_trim(kq_call *call, kq_error *err) {
    cache c;
    cache_open(&c, call);
    c.start = trims_start(call->fn);
    c.end = trims_end(call->fn);
    kq_status status = KQ_OK;
    kq_str *out = kq_vec_str(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv text = kq_arg_sv(call, 1, row), match;
        const compiled *re;
        bool found = false;
        if ((status = lookup(&c, kq_arg_sv(call, 0, row), &re, err)) != KQ_OK) break;
        if (re->re && (status = kq_regex_search(re->re, text, 0, &match, 1, &found, err)) != KQ_OK) break;
        if (found) text = kq_sv_slice(text, match.n, text.n);
        found = false;
        if (re->at_end && (status = kq_regex_search(re->at_end, text, 0, &match, 1, &found, err)) != KQ_OK) break;
        if (found) text.n -= match.n;
        out[row] = kq_str_sv(text);
    }
    cache_close(&c);
    return status;
}

/* Whatever means something in a regular expression gets a backslash. */
static bool build_quote(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] && strchr("\\.+*?()|[]{}^$#&-~", s.p[i])) kq_buf_char(out, '\\');
        kq_buf_char(out, s.p[i]);
    }
    return true;
}

kq_status kq_fn_regex_quote(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_quote, NULL, err);
}
