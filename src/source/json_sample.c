#include "source/json_split.h"
#include "source/json_value.h"

#define NAMES_MAX   4096
#define RECORDS_MAX 100

typedef struct sampler {
    kq_buf *names, *category;
    kq_buf key;
    bool inner;      /* the names of `properties` are asked for */
    bool properties; /* there is such an object */
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
    s->table[h] = (uint32_t)s->names->n + 1;
    kq_buf_sv(s->names, name);
    kq_buf_char(s->names, 0);
    s->n++;
}

static void forget(sampler *s) {
    kq_buf_clear(s->names);
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
    kq_buf_clear(&s->key);
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
    bool key_next = false, in_properties = false, category_next = false, properties_next = false;
    while (p < end) {
        char c = *p++;
        if (blank(c)) continue;
        if (c == '"') {
            if (!string(s, &p, end)) return end;
            kq_sv text = kq_buf_view(&s->key);
            if (key_next && depth == 1) {
                category_next = kq_sv_eq(text, KQ_SV("category"));
                properties_next = kq_sv_eq(text, KQ_SV("properties"));
                if (!s->inner) take(s, text);
            } else if (key_next && depth == 2 && in_properties) {
                if (s->inner) take(s, text);
            } else if (category_next && depth == 1 && !s->category->n) {
                kq_buf_sv(s->category, text);
            }
            key_next = false;
            continue;
        }
        if (c == '{') {
            depth++;
            key_next = true;
            if (depth == 2 && properties_next) {
                in_properties = s->properties = true;
            }
        } else if (c == '[') {
            depth++;
            key_next = false;
        } else if (c == '}' || c == ']') {
            if (--depth == 1) in_properties = properties_next = false;
            if (depth <= 0) return p;
        } else if (c == ',') {
            key_next = depth == 1 || (depth == 2 && in_properties);
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
    kq_json_splitter_init(&split, shape, 0);
    kq_buf_clear(extents);
    bool sound = kq_json_splitter_feed(&split, p, head.n, extents);
    const kq_json_extent *e = (const kq_json_extent *)(const void *)extents->p;
    size_t n = extents->n / sizeof *e;
    for (size_t i = 0; i < n && i < RECORDS_MAX; i++) record(s, p + e[i].start, p + e[i].end);
    if (!n && sound && kq_json_splitter_open(&split)) record(s, p + split.start, end);
}

kq_status kq_json_sample(kq_sv head, kq_buf *names, kq_buf *category, kq_error *err) {
    sampler *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->names = names;
    s->category = category;
    kq_buf extents;
    kq_buf_init(&s->key, names->budget, 0);
    kq_buf_init(&extents, names->budget, 0);
    kq_json_shape shape = kq_json_shape_of(head);
    records(s, head, shape, &extents);
    if (s->properties && category->n) {
        forget(s);
        s->inner = true;
        records(s, head, shape, &extents);
    } else {
        kq_buf_clear(category); /* one without the other is just a name */
    }
    kq_status status = kq_buf_status(&s->key, err);
    if (!status) status = kq_buf_status(&extents, err);
    if (!status) status = kq_buf_status(names, err);
    kq_buf_deinit(&s->key);
    kq_buf_deinit(&extents);
    kq_free(s);
    return status;
}
