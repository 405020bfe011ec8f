#include "source/json_tables.h"
#include "source/json_value.h"
#include "source/scan_bytes.h"

#define COLUMNS_MAX_BYTES (1024 * 1024)

enum {
    WALK, /* outside of columns and rows */
    WALK_STRING,
    KEY_STRING,
    NAME_STRING, /* of a table, or its kind */
    COLUMNS,
    COLUMNS_STRING,
    ROWS, /* between rows */
    LITTER_STRING,
    ROW,
    ROW_STRING
};

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && blank(*p)) p++;
    return p;
}

static bool starts(const char **p, const char *end, const char *word) {
    size_t n = strlen(word);
    *p = skip_blanks(*p, end);
    if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0) return false;
    *p += n;
    return true;
}

bool kq_json_are_tables(const char *p, const char *end) {
    const char *q = p;
    if (starts(&q, end, "[")) return starts(&q, end, "{") && starts(&q, end, "\"FrameType\"");
    if (!starts(&p, end, "{")) return false;
    q = p;
    if (!starts(&p, end, "\"tables\"") && !(p = q, starts(&p, end, "\"Tables\""))) return false;
    if (!starts(&p, end, ":") || !starts(&p, end, "[") || !starts(&p, end, "{")) return false;
    static const char *const keys[] = {"\"name\"", "\"TableName\"", "\"columns\"", "\"Columns\""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (q = p, starts(&q, end, keys[i])) return true;
    return false;
}

static bool key_is(const kq_json_splitter *s, const char *a, const char *b) {
    kq_sv key = {s->key, s->nkey};
    return kq_sv_eq(key, kq_sv_of(a)) || (b && kq_sv_eq(key, kq_sv_of(b)));
}

/* Is a table with this name or kind about the query, and no result of it? Source: Kusto documentation, query responses.
 */
static bool is_about(const kq_json_splitter *s) {
    kq_sv v = {s->value, s->nvalue};
    static const char *const names[] = {"QueryProperties", "QueryStatus", "QueryCompletionInformation",
                                        "TableOfContents"};
    if (key_is(s, "TableKind", NULL)) return !kq_sv_eq(v, KQ_SV("PrimaryResult"));
    if (v.n && v.p[0] == '@') return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kq_sv_eq(v, kq_sv_of(names[i]))) return true;
    return key_is(s, "TableName", NULL) && kq_sv_starts(v, KQ_SV("Table_")) && !kq_sv_eq(v, KQ_SV("Table_0"));
}

/* The names in the text of a table's columns: strings behind a `name` in the objects of the array. */
static void read_columns(kq_json_splitter *s) {
    const char *p = s->text.p, *end = p + s->text.n;
    bool name = false, is_key = false;
    kq_buf_clear(&s->columns);
    for (int depth = 0; p < end;) {
        char c = *p++;
        if ((c | 0x20) == '{') {
            depth++;
            is_key = c == '{';
        } else if ((c | 0x20) == '}') {
            depth--;
        } else if (c == ',') {
            is_key = depth == 2;
        } else if (c == '"') {
            const char *from = p, *fault;
            while (p < end && *p != '"') p += *p == '\\' && p + 1 < end ? 2 : 1;
            kq_sv text = {from, (size_t)(p - from)};
            if (p < end) p++;
            if (depth != 2) continue;
            if (is_key) {
                name = kq_sv_eq(text, KQ_SV("name")) || kq_sv_eq(text, KQ_SV("ColumnName"));
            } else if (name) {
                char *to = kq_buf_reserve(&s->columns, text.n + 1);
                if (!to) return;
                size_t n = kq_json_unescape(text, to, &fault);
                if (memchr(to, 0, n)) n = 0;
                s->columns.n += n;
                kq_buf_char(&s->columns, 0);
                name = false;
            }
            is_key = false;
        }
    }
    if (s->columns.n) s->has_columns = true;
}

/* Moves p over the inside of a string; true when it ended in the text. A newline ends it too: the quotes are out of
 * step then. With `keep`, what stands there is kept. */
static bool string_end(kq_json_splitter *s, const char **p, const char *end, kq_buf *keep) {
    const char *q = *p;
    bool closed = false;
    while (q < end && !closed) {
        if (s->escaped) {
            s->escaped = false;
            q++;
            continue;
        }
        q = kq_scan_string(q, end);
        if (q == end) break;
        char c = *q++;
        if (c == '\\')
            s->escaped = true;
        else
            closed = c == '"' || c == '\n';
    }
    if (keep && keep->n < COLUMNS_MAX_BYTES) kq_buf_append(keep, *p, (size_t)(q - *p));
    *p = q;
    return closed;
}

/* A short string for s->key or s->value; true at its end. */
static bool short_string(kq_json_splitter *s, const char **p, const char *end, char *to, uint8_t *n, size_t room) {
    while (*p < end) {
        char c = *(*p)++;
        if (s->escaped) {
            s->escaped = false;
        } else if (c == '\\') {
            s->escaped = true;
        } else if (c == '"') {
            return true;
        }
        if (*n < room) to[(*n)++] = c;
    }
    return false;
}

static void walk_value(kq_json_splitter *s, char c) {
    if (c == '{' || c == '[') {
        s->depth++;
        s->key_next = c == '{';
        if (c == '{') s->about = s->has_columns = false;
        s->objects = s->objects << 1 | (c == '{');
        s->nkey = 0;
    } else if (c == '}' || c == ']') {
        if (s->depth) s->depth--;
        s->objects >>= 1;
        s->key_next = false;
    } else if (c == ',') {
        s->key_next = s->objects & 1; /* right for 64 levels: deeper ones hold no tables */
        s->nkey = 0;
    }
}

void kq_json_tables_feed(kq_json_splitter *s, const char *from, size_t n, kq_buf *extents) {
    const char *p = from, *end = from + n;
    const uint64_t base = s->at;
    const size_t had = extents->n;
    while (p < end) {
        char c = *p;
        switch (s->state) {
        case WALK:
            if (c == '[' && key_is(s, "columns", "Columns")) {
                if (extents->n > had) { /* those before it have other columns */
                    s->at = base + (uint64_t)(p - from);
                    return;
                }
                kq_buf_clear(&s->text);
                kq_buf_char(&s->text, c);
                s->level = 1;
                s->state = COLUMNS;
            } else if (c == '[' && key_is(s, "rows", "Rows") && !s->about) {
                s->state = ROWS;
            } else if (c == '"') {
                if (s->key_next) s->nkey = 0;
                s->nvalue = 0;
                s->state = s->key_next                                                      ? KEY_STRING
                           : key_is(s, "name", "TableName") || key_is(s, "TableKind", NULL) ? NAME_STRING
                                                                                            : WALK_STRING;
                s->key_next = false;
            } else {
                walk_value(s, c);
            }
            p++;
            break;
        case WALK_STRING:
            if (string_end(s, &p, end, NULL)) s->state = WALK;
            break;
        case KEY_STRING:
            if (short_string(s, &p, end, s->key, &s->nkey, sizeof s->key)) s->state = WALK;
            break;
        case NAME_STRING:
            if (!short_string(s, &p, end, s->value, &s->nvalue, sizeof s->value)) break;
            s->about |= is_about(s);
            s->state = WALK;
            break;
        case COLUMNS:
            p++;
            if (s->text.n < COLUMNS_MAX_BYTES) kq_buf_char(&s->text, c);
            if (c == '"') {
                s->state = COLUMNS_STRING;
            } else if ((c | 0x20) == '{') {
                s->level++;
            } else if ((c | 0x20) == '}' && --s->level == 0) {
                read_columns(s);
                s->nkey = 0;
                s->state = WALK;
            }
            break;
        case COLUMNS_STRING:
            if (string_end(s, &p, end, &s->text)) s->state = COLUMNS;
            break;
        case ROWS:
            p++;
            if (c == ']') {
                s->nkey = 0;
                s->state = WALK;
            } else if ((c | 0x20) == '{') {
                s->start = base + (uint64_t)(p - 1 - from);
                s->level = 1;
                s->stray = c != '[' || !s->has_columns; /* errors stand among rows as objects */
                s->state = ROW;
            } else if (!blank(c) && c != ',') {
                kq_json_extent e = {base + (uint64_t)(p - 1 - from), base + (uint64_t)(p - 1 - from)};
                if (!s->litter) kq_buf_append(extents, &e, sizeof e);
                s->litter = true;
                if (c == '"') s->state = LITTER_STRING;
                break;
            }
            s->litter = false;
            break;
        case ROW:
            p++;
            if (c == '"') {
                s->state = ROW_STRING;
            } else if ((c | 0x20) == '{') {
                s->level++;
            } else if ((c | 0x20) == '}' && --s->level == 0) {
                kq_json_extent e = {s->start, s->stray ? s->start : base + (uint64_t)(p - from)};
                kq_buf_append(extents, &e, sizeof e);
                s->state = ROWS;
            }
            break;
        case LITTER_STRING:
            if (string_end(s, &p, end, NULL)) s->state = ROWS;
            break;
        default: /* ROW_STRING */
            if (string_end(s, &p, end, NULL)) s->state = ROW;
        }
    }
    s->at = base + n;
}

bool kq_json_tables_open(const kq_json_splitter *s) {
    return s->state == ROW || s->state == ROW_STRING;
}

kq_sv kq_json_row_text(kq_sv row, uint32_t at) {
    uint32_t nth = 0;
    int depth = 0;
    for (const char *p = row.p, *end = row.p + row.n; p < end;) {
        char c = *p++;
        if ((c | 0x20) == '{') depth++;
        if ((c | 0x20) == '}') depth--;
        if (c == ',' && depth == 1) nth++;
        if (c != '"') continue;
        const char *from = p;
        bool escapes = false;
        while (p < end && *p != '"') {
            escapes |= *p == '\\';
            p += *p == '\\' && p + 1 < end ? 2 : 1;
        }
        if (depth == 1 && nth == at && !escapes) return (kq_sv){from, (size_t)(p - from)};
        if (p < end) p++;
    }
    return KQ_SV("");
}
