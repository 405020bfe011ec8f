/* Strings: case, replacing, code points. */
#include "base/utf8.h"
#include "func/build.h"
#include "func/rows.h"
#include "text/fold.h"

static bool build_lower(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv_lower(kq_arg_sv(call, 0, row), out);
    return true;
}

kq_status kq_fn_tolower(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_lower, NULL, err);
}

static bool build_upper(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv_upper(kq_arg_sv(call, 0, row), out);
    return true;
}

kq_status kq_fn_toupper(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_upper, NULL, err);
}

/* Reverses by code points: the bytes first, then those of each code point back. */
static bool build_reverse(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *text = ctx;
    kq_sv s;
    if (call->args[0]->type == KQ_STRING) {
        s = kq_arg_sv(call, 0, row);
    } else {
        text->n = 0;
        kq_arg_text(call, 0, row, text);
        s = kq_buf_view(text);
        if (text->failed) out->failed = text->failed;
    }
    char *to = kq_buf_reserve(out, s.n);
    if (!to || s.n == 0) return false;
    char *at = to + s.n;
    for (const char *p = s.p, *end = s.p + s.n; p < end;) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p, end, &cp);
        at -= n;
        memcpy(at, p, n);
        p += n;
    }
    out->n += s.n;
    return true;
}

kq_status kq_fn_reverse(kq_call *call, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build_reverse, &text, err);
    kq_buf_deinit(&text);
    return status;
}

static bool build_replace(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row), lookup = kq_arg_sv(call, 1, row), rewrite = kq_arg_sv(call, 2, row);
    const char *p = s.p, *end = s.p + s.n, *hit;
    while (lookup.n && p < end && (hit = memmem(p, (size_t)(end - p), lookup.p, lookup.n))) {
        kq_buf_append(out, p, (size_t)(hit - p));
        kq_buf_sv(out, rewrite);
        p = hit + lookup.n;
    }
    if (p < end) kq_buf_append(out, p, (size_t)(end - p));
    return true;
}

kq_status kq_fn_replace_string(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_replace, NULL, err);
}

/* Which lookup covers each byte of a text: its number + 1 at the first byte, INSIDE at the others, 0 for none. */
#define INSIDE UINT32_MAX

/* Marks the occurrences of one lookup in what no earlier one covers. */
static void mark(kq_sv s, kq_sv lookup, uint32_t number, uint32_t *owner) {
    for (size_t at = 0; at + lookup.n <= s.n;) {
        const char *hit = memmem(s.p + at, s.n - at, lookup.p, lookup.n);
        if (!hit) return;
        size_t from = (size_t)(hit - s.p), end = from + lookup.n, i = from;
        while (i < end && !owner[i]) i++;
        if (i < end) {
            at = i + 1;
            continue;
        }
        for (i = from; i < end; i++) owner[i] = INSIDE;
        owner[from] = number + 1;
        at = end;
    }
}

/* Lookups go over the text one after the other and never into what an earlier one has found, even when its rewrite is
 * no string and the text stays. */
static bool build_replace_many(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *owners = ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    kq_dyn lookups = kq_arg_dyn(call, 1, row), rewrites = kq_arg_dyn(call, 2, row);
    kq_buf_clear(owners);
    uint32_t *owner = (uint32_t *)(void *)kq_buf_reserve(owners, s.n * sizeof *owner);
    if (!owner) {
        out->failed = owners->failed;
        return false;
    }
    memset(owner, 0, s.n * sizeof *owner);
    for (uint32_t i = 0, n = kq_dyn_is_array(lookups) ? kq_dyn_count(lookups) : 0; i < n; i++) {
        kq_sv lookup = kq_dyn_string(kq_dyn_element(lookups, i));
        if (lookup.n) mark(s, lookup, i, owner);
    }
    for (size_t at = 0; at < s.n;) {
        size_t from = at;
        while (at < s.n && !owner[at]) at++;
        kq_buf_append(out, s.p + from, at - from);
        if (at == s.n) break;
        kq_dyn rewrite = kq_dyn_element(rewrites, owner[at] - 1);
        from = at++;
        while (at < s.n && owner[at] == INSIDE) at++;
        kq_buf_sv(out, kq_dyn_tag_of(rewrite) == KQ_DYN_STRING ? kq_dyn_string(rewrite) : kq_sv_slice(s, from, at));
    }
    return true;
}

kq_status kq_fn_replace_strings(kq_call *call, kq_error *err) {
    kq_buf owners;
    kq_buf_init(&owners, call->arena->budget, 0);
    kq_status status = kq_build_rows(call, build_replace_many, &owners, err);
    kq_buf_deinit(&owners);
    return status;
}

/* ---- translate ---- */

typedef struct code_points {
    uint32_t *items;
    uint32_t n;
} code_points;

static bool decode(kq_sv s, kq_arena *arena, code_points *out) {
    *out = (code_points){kq_arena_array(arena, uint32_t, s.n + 1), 0};
    if (!out->items) return false;
    for (const char *p = s.p, *end = s.p + s.n; p < end;) p += kq_utf8_decode(p, end, &out->items[out->n++]);
    return true;
}

enum { ASCII = 128, KEEP = -2, DROP = -1 };

/* A replacement list that is too short goes on with its last character. */
static int64_t replacement(const code_points *to, uint32_t i) {
    return to->n ? (int64_t)to->items[i < to->n ? i : to->n - 1] : DROP;
}

static bool build_translate(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 2, row);
    code_points from, to;
    if (!decode(kq_arg_sv(call, 0, row), call->arena, &from) || !decode(kq_arg_sv(call, 1, row), call->arena, &to)) {
        out->failed = KQ_ERR_NOMEM;
        return false;
    }
    int64_t ascii[ASCII];
    for (int i = 0; i < ASCII; i++) ascii[i] = KEEP;
    bool others = false;
    for (uint32_t i = from.n; i-- > 0;) {
        int64_t by = replacement(&to, i);
        if (from.items[i] < ASCII)
            ascii[from.items[i]] = by;
        else
            others = true;
    }
    for (const char *p = s.p, *end = s.p + s.n; p < end;) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p, end, &cp);
        int64_t by = KEEP;
        if (cp < ASCII) {
            by = ascii[cp];
        } else if (others) {
            for (uint32_t i = 0; i < from.n; i++) {
                if (from.items[i] != cp) continue;
                by = replacement(&to, i);
                break;
            }
        }
        char utf8[4];
        if (by == KEEP)
            kq_buf_append(out, p, n);
        else if (by != DROP)
            kq_buf_append(out, utf8, kq_utf8_encode((uint32_t)by, utf8));
        p += n;
    }
    return true;
}

kq_status kq_fn_translate(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_translate, NULL, err);
}

/* ---- Code points ---- */

static bool build_codepoints(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (const char *p = s.p, *end = s.p + s.n; p < end;) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        kq_dyn_put_long(out, cp);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_codepoints(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_codepoints, NULL, err);
}

static bool put_codepoint(kq_buf *out, const kq_value *v) {
    int64_t l = v->type == KQ_INT ? v->u.i : v->type == KQ_LONG ? v->u.l : -1;
    if (l < 0 || l > 0x10FFFF || (l >= 0xD800 && l <= 0xDFFF)) return false;
    char utf8[4];
    kq_buf_append(out, utf8, kq_utf8_encode((uint32_t)l, utf8));
    return true;
}

static bool build_from_codepoints(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    for (uint32_t i = 0; i < call->nargs; i++) {
        kq_value v = kq_vector_get(call->args[i], row);
        if (call->args[i]->type == KQ_DYNAMIC) {
            kq_dyn d = kq_arg_dyn(call, i, row);
            v = kq_dyn_value(d);
            if (kq_dyn_is_array(d)) {
                for (uint32_t e = 0, n = kq_dyn_count(d); e < n; e++) {
                    kq_value item = kq_dyn_value(kq_dyn_element(d, e));
                    if (!put_codepoint(out, &item)) return false;
                }
                continue;
            }
        }
        if (!put_codepoint(out, &v)) return false;
    }
    return true;
}

kq_status kq_fn_from_codepoints(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_from_codepoints, NULL, err);
}
