#include "source/json_tables.h"
#include "source/json_value.h"

#define NAMES_MAX   4096
#define RECORDS_MAX 100

typedef struct sampler {
    kq_buf *names, *category, *types;
    kq_buf key;
    kq_sv inner;     /* the names in this object are asked for: `properties`, `_source` */
    bool properties; /* there is such an object */
    bool source;
    uint32_t n;
    uint32_t table[2 * NAMES_MAX]; /* offset + 1 of a name, by hash */
} sampler;

static void take(sampler *s, kq_sv name) {
    if (s->n == NAMES_MAX || !name.n || memchr(name.p, 0, name.n)) return;
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.n; i++) h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    for (h %= 2 * NAMES_MAX; s->table[h]; h = (h + 1) % (2 * NAMES_MAX)) {
        const char *known = s->names->p + s->table[h] - 1;
        if (strncmp(known, name.p, name.n) == 0 && !known[name.n]) return;
    }
    uint32_t at = (uint32_t)s->names->n + 1;
    kq_buf_sv(s->names, name);
    kq_buf_char(s->names, 0);
    if (s->names->failed) return;
    s->table[h] = at;
    s->n++;
}

/* A value of Type, if it is a new one. */
static void take_type(sampler *s, kq_sv text) {
    if (!s->types || !text.n || memchr(text.p, 0, text.n) || s->types->n > 4096) return;
    for (const char *p = s->types->p; p && p < s->types->p + s->types->n; p += strlen(p) + 1)
        if (kq_sv_eq(kq_sv_of(p), text)) return;
    kq_buf_sv(s->types, text);
    kq_buf_char(s->types, 0);
}

static void forget(sampler *s) {
    if (s->types) kq_buf_empty(s->types);
    kq_buf_empty(s->names);
    memset(s->table, 0, sizeof s->table);
    s->n = 0;
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The string behind its opening quote at *p, unescaped into s->key; *p behind it. False when the text ends in it. */
static bool string(sampler *s, const char **p, const char *end) {
    const char *from = *p, *q = from;
    bool escapes = false;
    while (q < end && *q != '"' && *q != '\n') {
        if (*q == '\\') {
            escapes = true;
            q++;
        }
        q++;
    }
    if (q >= end) return false;
    kq_sv raw = {from, (size_t)(q - from)};
    *p = q + 1;
    kq_buf_empty(&s->key);
    char *to = kq_buf_reserve(&s->key, raw.n + 1);
    const char *fault = NULL;
    if (!to) return false;
    s->key.n = raw.n;
    if (escapes)
        s->key.n = kq_json_unescape(raw, to, &fault);
    else
        memcpy(to, raw.p, raw.n);
    return true;
}

/* Goes over one record from its opening brace as far as the text goes, and gives where it ended. */
static const char *record(sampler *s, const char *p, const char *end) {
    int depth = 0;
    bool key_next = false, inside = false, category_next = false, type_next = false;
    kq_sv next = KQ_SV(""); /* the wrapper whose value comes next */
    int level = s->inner.n ? 2 : 1;
    while (p < end) {
        char c = *p++;
        if (blank(c)) continue;
        if (c == '"') {
            if (!string(s, &p, end)) return end;
            kq_sv text = kq_buf_view(&s->key);
            bool key = key_next;
            key_next = false;
            if (!key) {
                if (category_next && depth == 1 && !s->category->n) kq_buf_sv(s->category, text);
                if (type_next && depth == level) take_type(s, text);
                continue;
            }
            if (depth == 1) {
                category_next = kq_sv_eq(text, KQ_SV("category"));
                next = kq_sv_eq(text, KQ_SV("properties")) ? KQ_SV("properties")
                       : kq_sv_eq(text, KQ_SV("_source"))  ? KQ_SV("_source")
                                                           : KQ_SV("");
            }
            if (depth == level && (level == 1 || inside)) {
                type_next = kq_sv_eq(text, KQ_SV("Type")) || kq_sv_eq(text, KQ_SV("$table"));
                take(s, text);
            }
            continue;
        }
        if (c == '{') {
            depth++;
            key_next = true;
            if (depth == 2 && next.n) {
                inside = s->inner.n && kq_sv_eq(next, s->inner);
                s->properties |= kq_sv_eq(next, KQ_SV("properties"));
                s->source |= kq_sv_eq(next, KQ_SV("_source"));
            }
        } else if (c == '[') {
            depth++;
            key_next = false;
        } else if (c == '}' || c == ']') {
            if (--depth == 1) {
                inside = false;
                next = KQ_SV("");
            }
            if (depth <= 0) return p;
        } else if (c == ',') {
            key_next = depth == 1 || (depth == 2 && inside);
            type_next = category_next = false;
        }
    }
    return end;
}

static void records(sampler *s, kq_sv head, kq_json_shape shape, kq_buf *extents) {
    const char *p = head.p, *end = head.p + head.n;
    if (shape == KQ_JSON_LINES) {
        for (uint32_t i = 0; p < end && i < RECORDS_MAX; i++) {
            const char *line = memchr(p, '\n', (size_t)(end - p));
            if (!line) line = end;
            const char *open = memchr(p, '{', (size_t)(line - p));
            if (open) record(s, open, line);
            p = line + 1;
        }
        return;
    }
    kq_json_splitter split;
    kq_json_splitter_init(&split, shape, 0, extents->budget);
    kq_buf_empty(extents);
    bool sound = kq_json_splitter_feed(&split, p, head.n, extents);
    const kq_json_extent *e = (const kq_json_extent *)(const void *)extents->p;
    size_t n = extents->n / sizeof *e;
    if (shape == KQ_JSON_TABLES) {
        uint32_t at = 0;
        for (const char *c = split.columns.p; c && c < split.columns.p + split.columns.n; c += strlen(c) + 1, at++) {
            take(s, kq_sv_of(c));
            if (strcmp(c, "Type") != 0 && strcmp(c, "$table") != 0) continue;
            for (size_t i = 0; i < n && i < RECORDS_MAX; i++)
                take_type(s, kq_json_row_text((kq_sv){p + e[i].start, (size_t)(e[i].end - e[i].start)}, at));
        }
        kq_json_splitter_deinit(&split);
        return;
    }
    for (size_t i = 0; i < n && i < RECORDS_MAX; i++) record(s, p + e[i].start, p + e[i].end);
    if (!n && sound && kq_json_splitter_open(&split)) record(s, p + split.start, end);
    kq_json_splitter_deinit(&split);
}

kq_status kq_json_sample(kq_sv head, kq_buf *names, kq_buf *category, kq_buf *types, kq_error *err) {
    sampler *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->names = names;
    s->category = category;
    s->types = types;
    kq_buf extents;
    kq_buf_init(&s->key, names->budget, 0);
    kq_buf_init(&extents, names->budget, 0);
    kq_json_shape shape = kq_json_shape_of(head);
    records(s, head, shape, &extents);
    if (s->properties && category->n) {
        forget(s);
        s->inner = KQ_SV("properties");
        records(s, head, shape, &extents);
    } else if (s->source) {
        forget(s);
        kq_buf_empty(category);
        s->inner = KQ_SV("_source");
        records(s, head, shape, &extents);
    } else {
        kq_buf_empty(category); /* one without the other is just a name */
    }
    kq_status status = kq_buf_status(&s->key, err);
    if (!status) status = kq_buf_status(&extents, err);
    if (!status) status = kq_buf_status(names, err);
    if (!status) status = kq_buf_status(category, err);
    if (!status && types) status = kq_buf_status(types, err);
    kq_buf_deinit(&s->key);
    kq_buf_deinit(&extents);
    kq_free(s);
    return status;
}

/* Is it the name of a time? */
static bool names_time(kq_sv key) {
    for (size_t i = 0; i + 4 <= key.n; i++) {
        kq_sv part = kq_sv_slice(key, i, i + 4);
        if (kq_sv_eq_ascii_ci(part, KQ_SV("time")) || kq_sv_eq_ascii_ci(part, KQ_SV("date"))) return true;
    }
    return false;
}

/* What stands behind an opening quote at p, without backslashes and as far as there is room; gives the closing quote,
 * or NULL. */
static const char *quoted(const char *p, const char *end, char *to, size_t room, size_t *n) {
    for (*n = 0; p < end && *p != '"'; p++) {
        if (*p == '\\' && ++p == end) return NULL;
        if (*n < room) to[(*n)++] = *p;
    }
    return p < end ? p : NULL;
}

kq_dates kq_json_dates(kq_sv head) {
    const char *p = head.p, *end = head.p + head.n;
    char key[64], text[65];
    size_t nkey = 0, n;
    bool of_time = false, mdy = false, dmy = false, either = false;
    while (p && p < end && (p = memchr(p, '"', (size_t)(end - p)))) {
        const char *close = quoted(p + 1, end, text, sizeof text, &n);
        if (!close) break;
        const char *before = p, *after = close + 1;
        while (before > head.p && blank(before[-1])) before--;
        while (after < end && blank(*after)) after++;
        if (after < end && *after == ':') { /* a key */
            nkey = n < sizeof key ? n : sizeof key;
            memcpy(key, text, nkey);
            of_time = names_time((kq_sv){key, nkey});
        } else if (of_time && before > head.p && before[-1] == ':') {
            kq_dates order = kq_time_dates((kq_sv){text, n});
            mdy |= order == KQ_DATES_MDY;
            dmy |= order == KQ_DATES_DMY;
            either |= order == KQ_DATES_EITHER;
        }
        p = close + 1;
    }
    if (mdy == dmy) return either && !mdy ? KQ_DATES_EITHER : KQ_DATES_UNTOLD;
    return mdy ? KQ_DATES_MDY : KQ_DATES_DMY;
}
