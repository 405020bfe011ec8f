#include "source/json_split.h"
#include "source/json_tables.h"
#include "source/scan_bytes.h"

enum {
    BETWEEN,        /* between records */
    BETWEEN_STRING, /* a string where a record should be */
    LABEL,          /* in a line that evtx_dump puts before a record */
    RECORD,
    RECORD_STRING,
    KEY, /* in an envelope, before or behind a key */
    KEY_STRING,
    VALUE, /* in an envelope, before the value of a key */
    OTHER, /* a value of an envelope that is not its records */
    OTHER_STRING
};

bool kq_json_is_envelope(kq_sv key) {
    static const char *const names[] = {"records", "Records", "value", "results", "Results", "hits"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kq_sv_eq(key, kq_sv_of(names[i]))) return true;
    return false;
}

void kq_json_splitter_init(kq_json_splitter *s, kq_json_shape shape, uint64_t at, kq_budget *budget) {
    *s = (kq_json_splitter){.envelope = shape == KQ_JSON_ENVELOPE, .tables = shape == KQ_JSON_TABLES, .at = at};
    kq_buf_init(&s->text, budget, 0);
    kq_buf_init(&s->columns, budget, 0);
}

void kq_json_splitter_deinit(kq_json_splitter *s) {
    kq_buf_deinit(&s->text);
    kq_buf_deinit(&s->columns);
}

bool kq_json_splitter_open(const kq_json_splitter *s) {
    return s->tables ? kq_json_tables_open(s) : s->state == RECORD || s->state == RECORD_STRING;
}

bool kq_json_splitter_inside(const kq_json_splitter *s) {
    if (s->broken) return false;
    return (s->state != BETWEEN && s->state != LABEL) || s->arrays ||
           (s->tables ? s->depth > 0 : s->envelope && s->open_records);
}

void kq_json_splitter_restart(kq_json_splitter *s, uint64_t at) {
    s->state = BETWEEN;
    s->depth = 0;
    s->broken = true;
    s->at = at;
    s->escaped = false;
    s->open_records = s->envelope; /* a broken record stood among records */
    s->nkey = 0;
    s->key_next = false;
    s->litter = false;
    s->objects = 0;
}

/* Moves p over the inside of a string; true when its closing quote was reached (p behind it). */
static bool string_end(kq_json_splitter *s, const char **p, const char *end) {
    const char *q = *p;
    while (q < end) {
        if (s->escaped) {
            s->escaped = false;
            q++;
            continue;
        }
        q = kq_scan_string(q, end);
        if (q == end) break;
        char c = *q++;
        if (c == '\\') {
            s->escaped = true;
        } else if (c == '"') {
            *p = q;
            return true;
        } else if (s->state == RECORD_STRING || s->state == OTHER_STRING) {
            /* No string holds a newline: the quotes are out of step. The record is broken, the others need not be. */
            *p = q;
            return true;
        }
    }
    *p = q;
    return false;
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* Does `c` go on with a label of which `n` bytes were there, counting one digit only? Updates n; *ends when it is over.
 */
static bool label(uint8_t *n, char c, bool *ends) {
    static const char word[] = "Record ";
    const uint8_t digit = sizeof word - 1;
    *ends = false;
    if (*n < digit) return c == word[(*n)++];
    if (c >= '0' && c <= '9') {
        *n = digit + 1;
        return true;
    }
    if (*n == digit) return false;
    *ends = c == '\n';
    return *ends || c == '\r';
}

/* An extent without length: something that is no object. One for each run of such bytes. */
static void stray(kq_json_splitter *s, uint64_t at, kq_buf *extents) {
    kq_json_extent e = {at, at};
    if (!s->stray) kq_buf_append(extents, &e, sizeof e);
    s->stray = true;
}

bool kq_json_splitter_feed(kq_json_splitter *s, const char *from, size_t n, kq_buf *extents) {
    const char *p = from, *end = from + n;
    const uint64_t base = s->at;
    if (s->tables) {
        kq_json_tables_feed(s, from, n, extents);
        return true;
    }
    while (p < end) {
        char c = *p;
        switch (s->state) {
        case BETWEEN:
            p++;
            if (blank(c) || c == '[') {
                s->stray = false;
                s->arrays += c == '[';
                break;
            }
            if (c == '{' && (!s->envelope || s->open_records)) {
                s->start = base + (uint64_t)(p - 1 - from);
                s->stray = false;
                s->state = RECORD;
                s->depth = 1;
            } else if (c == '{') {
                s->state = KEY;
            } else if (c == ']') {
                if (s->envelope && s->open_records) {
                    s->open_records = false;
                    s->state = KEY;
                } else {
                    s->arrays -= s->arrays > 0;
                }
            } else if (c == '"') {
                stray(s, base + (uint64_t)(p - 1 - from), extents);
                s->state = BETWEEN_STRING;
            } else if (c == 'R' && !s->stray) {
                s->start = base + (uint64_t)(p - 1 - from);
                s->nkey = 1;
                s->state = LABEL;
            } else if (c != '\xEF' && c != '\xBB' && c != '\xBF') { /* a byte order mark between joined files */
                stray(s, base + (uint64_t)(p - 1 - from), extents);
            }
            break;
        case BETWEEN_STRING:
            if (string_end(s, &p, end)) s->state = BETWEEN;
            break;
        case LABEL: {
            bool ends;
            if (!label(&s->nkey, c, &ends)) {
                stray(s, s->start, extents);
                s->state = BETWEEN;
            } else {
                p++;
                if (ends) s->state = BETWEEN;
            }
            break;
        }
        case RECORD:
            p++;
            if (c == '"') {
                s->state = RECORD_STRING;
            } else if ((c | 0x20) == '{') {
                s->depth++;
            } else if ((c | 0x20) == '}' && --s->depth == 0) {
                if (c == ']') {
                    s->at = base + (uint64_t)(p - from);
                    return false;
                }
                kq_json_extent e = {s->start, base + (uint64_t)(p - from)};
                kq_buf_append(extents, &e, sizeof e);
                s->state = BETWEEN;
            } else if (c == 'R' && (p - 1 > from ? p[-2] == '\n' : s->newline)) { /* the next one's label */
                s->at = base + (uint64_t)(p - 1 - from);
                return false;
            }
            break;
        case RECORD_STRING:
            if (string_end(s, &p, end)) s->state = RECORD;
            break;
        case KEY:
            p++;
            if (c == '"') {
                s->nkey = 0;
                s->state = KEY_STRING;
            } else if (c == ':') {
                s->state = VALUE;
            } else if (c == '}') {
                s->state = s->inner ? KEY : BETWEEN;
                s->inner = false;
            }
            break;
        case KEY_STRING:
            p++;
            if (s->escaped) {
                s->escaped = false;
            } else if (c == '\\') {
                s->escaped = true;
            } else if (c == '"') {
                s->state = KEY;
                break;
            }
            if (s->nkey < sizeof s->key) s->key[s->nkey++] = c;
            break;
        case VALUE:
            if (blank(c) && c != ',') {
                p++;
            } else if (c == '{' && !s->inner && kq_sv_eq((kq_sv){s->key, s->nkey}, KQ_SV("hits"))) {
                p++;
                s->inner = true;
                s->state = KEY;
            } else if (c == '[' && kq_json_is_envelope((kq_sv){s->key, s->nkey})) {
                p++;
                s->open_records = true;
                s->state = BETWEEN;
            } else {
                s->depth = 0;
                s->state = OTHER;
            }
            break;
        case OTHER:
            if (s->depth == 0 && (c == ',' || c == '}')) {
                s->state = KEY;
                break;
            }
            p++;
            if (c == '"')
                s->state = OTHER_STRING;
            else if ((c | 0x20) == '{')
                s->depth++;
            else if ((c | 0x20) == '}' && s->depth)
                s->depth--;
            break;
        default: /* OTHER_STRING */
            if (string_end(s, &p, end)) s->state = OTHER;
        }
    }
    s->at = base + n;
    if (n) s->newline = end[-1] == '\n';
    return true;
}

/* --- the shape of a file --- */

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) p++;
    return p;
}

static const char *start_of(kq_sv head) {
    if (!head.n) return head.p;
    const char *p = head.p, *end = head.p + head.n;
    if (head.n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    p = skip_blanks(p, end);
    const char *label = kq_scan_label(p, end);
    return label ? skip_blanks(label, end) : p;
}

/* The string at p (behind its opening quote), and p behind it. */
static kq_sv string_at(const char **p, const char *end) {
    const char *from = *p, *q = from;
    while (q < end && *q != '"') q += *q == '\\' && q + 1 < end ? 2 : 1;
    *p = q < end ? q + 1 : end;
    return (kq_sv){from, (size_t)(q - from)};
}

/* Is an array of objects at p, behind its bracket, with nothing behind it in its object but what OData puts there? What
 * can't be seen is taken to be so. */
static bool is_answer(const char *p, const char *end) {
    p = skip_blanks(p, end);
    if (p < end && *p != '{' && *p != ']') return false;
    for (int depth = 1; p < end && depth;) {
        char c = *p++;
        depth += ((c | 0x20) == '{') - ((c | 0x20) == '}');
        if (c == '"') string_at(&p, end);
    }
    p = skip_blanks(p, end);
    if (p == end || *p == '}') return true;
    if (*p != ',') return false;
    p = skip_blanks(p + 1, end);
    if (p == end || *p++ != '"') return p >= end;
    kq_sv key = string_at(&p, end);
    return p == end || kq_sv_starts(key, KQ_SV("@odata.")) || kq_sv_eq(key, KQ_SV("nextLink"));
}

/* Does an object open at p whose fields lead to the array of an envelope? `records` must be its first key; the other
 * names are common ones, and count only behind what the services put first. */
static bool is_envelope(const char *p, const char *end) {
    static const char *const first[] = {"@odata.context", "Stats",     "stats",   "Schema",     "schema",
                                        "took",           "timed_out", "_shards", "_scroll_id", "pit_id"};
    bool known = false;
    int depth = 0;
    for (uint32_t nth = 0; p < end;) {
        char c = *p++;
        if ((c | 0x20) == '{') depth++;
        if ((c | 0x20) == '}' && --depth == 0) return false;
        if (c != '"') continue;
        kq_sv key = string_at(&p, end);
        p = skip_blanks(p, end);
        if (depth != 1 || p == end || *p != ':') continue;
        nth++;
        p = skip_blanks(p + 1, end);
        if (nth == 1)
            for (size_t i = 0; i < sizeof first / sizeof *first; i++) known |= kq_sv_eq(key, kq_sv_of(first[i]));
        if (nth == 1 && kq_sv_eq(key, KQ_SV("value")) && p < end && *p == '[') return is_answer(p + 1, end);
        if (known && kq_sv_eq(key, KQ_SV("hits")) && p < end && *p == '{') return true;
        bool sure = nth == 1 && (kq_sv_eq(key, KQ_SV("records")) || kq_sv_eq(key, KQ_SV("Records")));
        if ((sure || known) && kq_json_is_envelope(key) && p < end && *p == '[') {
            p = skip_blanks(p + 1, end);
            return p == end || *p == '{' || *p == ']';
        }
        if (!known && nth == 1) return false;
    }
    return false;
}

kq_json_shape kq_json_shape_of(kq_sv head) {
    const char *p = start_of(head), *end = head.p + head.n;
    if (p < end && kq_json_are_tables(p, end)) return KQ_JSON_TABLES;
    if (p < end && *p == '[') {
        p = skip_blanks(p + 1, end); /* envelopes may be joined as an array */
        return p < end && *p == '{' && is_envelope(p, end) ? KQ_JSON_ENVELOPE : KQ_JSON_VALUES;
    }
    if (p == end || *p != '{') return KQ_JSON_LINES;
    if (is_envelope(p, end)) return KQ_JSON_ENVELOPE;
    int depth = 0;
    bool newline = false;
    while (p < end) {
        char c = *p++;
        if (c == '\n') {
            /* An object that goes on in the next line ends this one with an opening or a comma, and continues with
             * anything but a new object; otherwise the line is cut off, and lines are what the file is made of. */
            const char *before = p - 1;
            while (before > head.p && (before[-1] == ' ' || before[-1] == '\t' || before[-1] == '\r')) before--;
            char last = before > head.p ? before[-1] : ' ';
            bool inner = last == '{' || last == '[' || last == ',' || last == ':' || last == '}' || last == ']';
            if (p < end && *p == '{' && last != '[' && last != ',' && last != ':') return KQ_JSON_LINES;
            if (!inner && p < end && skip_blanks(p, end) < end && *p == '{') return KQ_JSON_LINES;
            newline = true;
        } else if (c == '"') {
            kq_sv s = string_at(&p, end);
            if (memchr(s.p, '\n', s.n)) return KQ_JSON_LINES;
        } else if ((c | 0x20) == '{') {
            depth++;
        } else if ((c | 0x20) == '}' && --depth == 0) {
            if (newline) return KQ_JSON_VALUES;
            while (p < end && (*p == ' ' || *p == '\t' || *p == '\r')) p++;
            return p == end || *p == '\n' ? KQ_JSON_LINES : KQ_JSON_VALUES;
        }
    }
    return newline ? KQ_JSON_VALUES : KQ_JSON_LINES;
}
