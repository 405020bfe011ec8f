/*
 * parse-kv's scanner: the keys asked for and their values, as a bag of strings. The first value of a key counts; blanks
 * around keys and values do not. Arguments: text, pair delimiter, key-value delimiter, quotes (two characters each:
 * opening, closing), escape characters, "greedy" or "", a regex or "", then the keys.
 */
#include "column/dynamic.h"
#include "func/kernel.h"
#include "func/rows.h"
#include "text/match.h"
#include "text/regex.h"

enum { ARG_PAIR = 1, ARG_KV, ARG_QUOTES, ARG_ESCAPES, ARG_GREEDY, ARG_REGEX, ARG_KEYS };

typedef struct options {
    kq_sv pair, kv, quotes, escapes;
    bool greedy;
    kq_regex *regex;
    const kq_sv *keys;
    uint32_t nkeys;
} options;

/* What was found for each key; p NULL: nothing. */
typedef struct scan {
    const options *o;
    kq_sv text;
    size_t at;
    kq_sv *values;
    kq_buf *unescaped; /* where quoted text goes; views into it are made at the end */
    size_t *from;      /* SIZE_MAX: the value is a view of the text */
    size_t kv, pair;   /* the delimiters that come next, found once: SIZE_MAX before */
    bool open[256];    /* a quote that ends with this character had no end: none after it has */
} scan;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static kq_sv trimmed(kq_sv s) {
    while (s.n && is_blank(s.p[0])) s = kq_sv_slice(s, 1, s.n);
    while (s.n && is_blank(s.p[s.n - 1])) s.n--;
    return s;
}

static bool at_text(const scan *s, kq_sv what) {
    return what.n && s->text.n - s->at >= what.n && memcmp(s->text.p + s->at, what.p, what.n) == 0;
}

static void skip_blanks(scan *s) {
    while (s->at < s->text.n && is_blank(s->text.p[s->at])) s->at++;
}

static uint32_t find_key(const options *o, kq_sv key) {
    for (uint32_t i = 0; i < o->nkeys; i++)
        if (kq_sv_eq(o->keys[i], key)) return i;
    return UINT32_MAX;
}

/* A quoted text at the cursor, without quotes and escapes, appended to s->unescaped; false: none stands here. */
static bool quoted(scan *s) {
    char close = 0;
    for (size_t i = 0; i + 1 < s->o->quotes.n && s->at < s->text.n; i += 2)
        if (s->text.p[s->at] == s->o->quotes.p[i]) close = s->o->quotes.p[i + 1];
    if (!close || s->open[(unsigned char)close]) return false;
    size_t from = s->at, start = s->unescaped->n;
    for (s->at++; s->at < s->text.n; s->at++) {
        char c = s->text.p[s->at];
        bool escape = s->o->escapes.n && memchr(s->o->escapes.p, c, s->o->escapes.n) && s->at + 1 < s->text.n;
        if (escape) {
            kq_buf_char(s->unescaped, s->text.p[++s->at]);
            continue;
        }
        if (c == close) {
            s->at++;
            return true;
        }
        kq_buf_char(s->unescaped, c);
    }
    s->at = from; /* without its end it is no quoted text */
    s->open[(unsigned char)close] = true;
    s->unescaped->n = start;
    return false;
}

/* The place of `what` from the cursor on, or the end. */
static size_t find(const scan *s, size_t from, kq_sv what) {
    int64_t at = what.n ? kq_find(kq_sv_slice(s->text, from, s->text.n), what) : -1;
    return at < 0 ? s->text.n : from + (size_t)at;
}

/* The next delimiter at or after the cursor, which only moves on. */
static size_t next_kv(scan *s) {
    if (s->kv == SIZE_MAX || s->kv < s->at) s->kv = find(s, s->at, s->o->kv);
    return s->kv;
}
static size_t next_pair(scan *s) {
    if (s->pair == SIZE_MAX || s->pair < s->at) s->pair = find(s, s->at, s->o->pair);
    return s->pair;
}

/* Where an unquoted value ends: at the next pair, or with greedy before the next key. */
static size_t value_end(scan *s) {
    size_t end = next_pair(s);
    if (!s->o->greedy) return end;
    size_t next = next_kv(s), last = s->text.n;
    while (next < s->text.n) {
        last = s->text.n;
        for (size_t p = end; p < next; p = find(s, p + s->o->pair.n, s->o->pair)) last = p;
        if (last < next) return last;
        next = find(s, next + s->o->kv.n, s->o->kv);
    }
    return s->text.n;
}

static void keep(scan *s, kq_sv key, bool is_quoted, size_t start, kq_sv value) {
    uint32_t k = find_key(s->o, key);
    if (k == UINT32_MAX || s->values[k].p) return;
    if (is_quoted) {
        s->from[k] = start;
        s->values[k] = (kq_sv){"", s->unescaped->n - start};
    } else {
        s->values[k] = trimmed(value);
        if (!s->values[k].p) s->values[k].p = "";
    }
}

static void scan_pairs(scan *s) {
    while (s->at < s->text.n) {
        skip_blanks(s);
        if (at_text(s, s->o->pair)) {
            s->at += s->o->pair.n;
            continue;
        }
        size_t begin = s->at, start = s->unescaped->n;
        bool key_quoted = quoted(s);
        if (!key_quoted) {
            size_t kv = next_kv(s), pair = next_pair(s);
            s->at = kv < pair ? kv : pair;
        }
        size_t key_end = s->at, key_text = s->unescaped->n;
        skip_blanks(s);
        if (!at_text(s, s->o->kv)) { /* no pair: on to the next */
            if (s->at == begin) s->at = next_pair(s) + (s->o->pair.n ? s->o->pair.n : 1);
            continue;
        }
        s->at += s->o->kv.n;
        skip_blanks(s);
        size_t value_start = s->unescaped->n;
        bool value_quoted = quoted(s);
        kq_sv value = {"", 0};
        if (!value_quoted) {
            size_t end = value_end(s);
            value = kq_sv_slice(s->text, s->at, end);
            s->at = end;
        }
        if (s->unescaped->failed) return;
        kq_sv key = key_quoted ? (kq_sv){s->unescaped->p + start, key_text - start}
                               : trimmed(kq_sv_slice(s->text, begin, key_end));
        keep(s, key, value_quoted, value_start, value);
    }
}

/* Without delimiters: a key is a run of letters and digits, its value the next one, or a quoted text. */
static void scan_words(scan *s) {
    while (s->at < s->text.n) {
        while (s->at < s->text.n && !is_word(s->text.p[s->at])) s->at++;
        size_t begin = s->at;
        while (s->at < s->text.n && is_word(s->text.p[s->at])) s->at++;
        kq_sv key = kq_sv_slice(s->text, begin, s->at);
        if (find_key(s->o, key) == UINT32_MAX) continue;
        size_t start = s->unescaped->n;
        bool value_quoted = false;
        while (s->at < s->text.n && !is_word(s->text.p[s->at]) && !(value_quoted = quoted(s))) s->at++;
        begin = s->at;
        while (!value_quoted && s->at < s->text.n && is_word(s->text.p[s->at])) s->at++;
        keep(s, key, value_quoted, start, kq_sv_slice(s->text, begin, s->at));
    }
}

static kq_status scan_regex(scan *s, kq_error *err) {
    kq_regex_walk walk = {0};
    kq_sv groups[3];
    bool found = true;
    while (found) {
        KQ_TRY(kq_regex_next(s->o->regex, s->text, &walk, groups, 3, &found, err));
        if (found) keep(s, trimmed(groups[1]), false, 0, groups[2]);
    }
    return KQ_OK;
}

static kq_status parse_row(kq_call *call, const options *o, uint32_t row, kq_buf *unescaped, kq_buf *out,
                           kq_error *err) {
    kq_value text = kq_call_value(call, 0, row);
    kq_sv *values = kq_arena_array(call->arena, kq_sv, o->nkeys + 1);
    size_t *from = kq_arena_array(call->arena, size_t, o->nkeys + 1);
    if (!values || !from) return kq_arena_status(call->arena, err);
    for (uint32_t i = 0; i < o->nkeys; i++) from[i] = SIZE_MAX;
    kq_buf_clear(unescaped);
    kq_buf_clear(out);
    scan s = {.o = o, .text = kq_str_view(&text.u.s), .values = values, .unescaped = unescaped, .from = from};
    s.kv = s.pair = SIZE_MAX;
    if (o->regex)
        KQ_TRY(scan_regex(&s, err));
    else if (o->pair.n || o->kv.n)
        scan_pairs(&s);
    else
        scan_words(&s);
    KQ_TRY(kq_buf_status(unescaped, err));
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t i = 0; i < o->nkeys; i++) {
        if (!values[i].p) continue;
        kq_dyn_key(&b, o->keys[i]);
        kq_dyn_put_string(out, from[i] == SIZE_MAX ? values[i] : (kq_sv){unescaped->p + from[i], values[i].n});
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    KQ_TRY(kq_buf_status(out, err));
    return kq_call_text(call, row, kq_buf_view(out), err);
}

kq_status kq_fn_parse_kv(kq_call *call, kq_error *err) {
    kq_buf unescaped, out;
    kq_buf_init(&unescaped, call->arena->budget, KQ_STR_MAX);
    kq_buf_init(&out, call->arena->budget, KQ_STR_MAX);
    kq_status status = KQ_OK;
    for (uint32_t k = 0; k < call->n && !status; k++)
        status = parse_row(call, call->state, kq_call_row(call, k), &unescaped, &out, err);
    kq_buf_deinit(&unescaped);
    kq_buf_deinit(&out);
    return status;
}

static void destroy_regex(void *regex) {
    kq_regex_destroy(regex);
}

static kq_status text_of(const kq_prepare *p, uint32_t arg, kq_sv *out, kq_error *err) {
    if (!p->args[arg]) return kq_fail(err, KQ_ERR_QUERY, "parse-kv takes constants only");
    *out = kq_arena_copy(p->arena, kq_str_view(&kq_vec_str(p->args[arg])[0]));
    return out->p ? KQ_OK : kq_arena_status(p->arena, err);
}

kq_status kq_prepare_parse_kv(kq_prepare *p, const void **state, kq_error *err) {
    kq_sv greedy, regex, *keys = kq_arena_array(p->arena, kq_sv, p->nargs);
    options *o = kq_arena_new(p->arena, options);
    if (!o || !keys) return kq_arena_status(p->arena, err);
    KQ_TRY(text_of(p, ARG_PAIR, &o->pair, err));
    KQ_TRY(text_of(p, ARG_KV, &o->kv, err));
    KQ_TRY(text_of(p, ARG_QUOTES, &o->quotes, err));
    KQ_TRY(text_of(p, ARG_ESCAPES, &o->escapes, err));
    KQ_TRY(text_of(p, ARG_GREEDY, &greedy, err));
    KQ_TRY(text_of(p, ARG_REGEX, &regex, err));
    o->greedy = greedy.n > 0;
    o->keys = keys;
    o->nkeys = p->nargs - ARG_KEYS;
    for (uint32_t i = 0; i < o->nkeys; i++) KQ_TRY(text_of(p, ARG_KEYS + i, &keys[i], err));
    *state = o;
    if (!regex.n) return KQ_OK;
    KQ_TRY(kq_regex_create(regex, false, &o->regex, err));
    KQ_TRY(kq_cleanup_add(p, destroy_regex, o->regex, err));
    if (kq_regex_groups(o->regex) != 2)
        return kq_fail(err, KQ_ERR_QUERY, "the regex of parse-kv needs exactly two groups: key and value");
    return KQ_OK;
}
