#include "column/dynamic.h"
#include "base/number.h"
#include "column/decimal.h"
#include "column/dynamic_internal.h"
#include <math.h>
#include <xxhash.h>

/* Values that a query nests by itself (pack in a loop of scan) may pass KQ_DYN_DEPTH; readers that recurse stop here.
 */
#define READ_DEPTH 1000

static uint32_t load_u32(const char *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static int64_t load_i64(const char *p) {
    int64_t v;
    memcpy(&v, p, 8);
    return v;
}

static double load_real(const char *p) {
    double v;
    memcpy(&v, p, 8);
    return v;
}

static bool is_container(kq_dyn d) {
    return d.n && (d.p[0] == KQ_DYN_ARRAY || d.p[0] == KQ_DYN_BAG);
}

const char *kq_dyn_type_name(kq_dyn d) {
    static const char *const names[] = {"null",     "bool", "long",    "double", "string",    "datetime",
                                        "timespan", "guid", "decimal", "array",  "dictionary"};
    return names[kq_dyn_tag_of(d)];
}

uint32_t kq_dyn_count(kq_dyn d) {
    return is_container(d) ? load_u32(d.p + 1) : 0;
}

/* Part `i` of a container: of a bag with its key. */
static kq_sv part(kq_dyn d, uint32_t i) {
    uint32_t n = load_u32(d.p + 1);
    const char *ends = d.p + 5, *body = ends + (size_t)n * 4;
    uint32_t from = i ? load_u32(ends + (size_t)(i - 1) * 4) : 0;
    return (kq_sv){body + from, load_u32(ends + (size_t)i * 4) - from};
}

static kq_dyn split_entry(kq_sv entry, kq_sv *key) {
    uint32_t n = load_u32(entry.p);
    *key = (kq_sv){entry.p + 4, n};
    return (kq_dyn){entry.p + 4 + n, entry.n - 4 - n};
}

kq_dyn kq_dyn_element(kq_dyn array, uint32_t i) {
    if (kq_dyn_tag_of(array) != KQ_DYN_ARRAY || i >= kq_dyn_count(array)) return (kq_dyn){NULL, 0};
    return part(array, i);
}

kq_dyn kq_dyn_entry(kq_dyn bag, uint32_t i, kq_sv *key) {
    *key = (kq_sv){NULL, 0};
    if (kq_dyn_tag_of(bag) != KQ_DYN_BAG || i >= kq_dyn_count(bag)) return (kq_dyn){NULL, 0};
    return split_entry(part(bag, i), key);
}

kq_dyn kq_dyn_get(kq_dyn bag, kq_sv key) {
    if (kq_dyn_tag_of(bag) != KQ_DYN_BAG) return (kq_dyn){NULL, 0};
    uint32_t n = load_u32(bag.p + 1), from = 0;
    const char *ends = bag.p + 5, *body = ends + (size_t)n * 4;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = load_u32(ends + (size_t)i * 4);
        const char *e = body + from;
        if (load_u32(e) == key.n && (key.n == 0 || memcmp(e + 4, key.p, key.n) == 0))
            return (kq_dyn){e + 4 + key.n, to - from - 4 - key.n};
        from = to;
    }
    return (kq_dyn){NULL, 0};
}

kq_sv kq_dyn_string(kq_dyn d) {
    if (kq_dyn_tag_of(d) != KQ_DYN_STRING) return (kq_sv){"", 0};
    return (kq_sv){d.p + 5, load_u32(d.p + 1)};
}

kq_value kq_dyn_value(kq_dyn d) {
    kq_value v = kq_value_null(KQ_DYNAMIC);
    if (d.n == 0) return v;
    switch ((kq_dyn_tag)d.p[0]) {
    case KQ_DYN_NULL: return v;
    case KQ_DYN_BOOL: return kq_value_bool(d.p[1] != 0);
    case KQ_DYN_LONG: return kq_value_long(load_i64(d.p + 1));
    case KQ_DYN_REAL: return kq_value_real(load_real(d.p + 1));
    case KQ_DYN_STRING: return kq_value_sv(kq_dyn_string(d));
    case KQ_DYN_DATETIME:
    case KQ_DYN_TIMESPAN:
        v = kq_value_long(load_i64(d.p + 1));
        v.type = d.p[0] == KQ_DYN_DATETIME ? KQ_DATETIME : KQ_TIMESPAN;
        return v;
    case KQ_DYN_GUID:
        v = kq_value_null(KQ_GUID);
        v.null = false;
        memcpy(&v.u.g, d.p + 1, sizeof v.u.g);
        return v;
    case KQ_DYN_DECIMAL:
        v = kq_value_null(KQ_DECIMAL);
        v.null = false;
        memcpy(&v.u.m, d.p + 1, sizeof v.u.m);
        return v;
    case KQ_DYN_ARRAY:
    case KQ_DYN_BAG:
        v.null = false;
        v.u.s = kq_str_sv(d);
        return v;
    }
    return v;
}

/* ---- Builders ---- */

static void put_scalar(kq_buf *out, kq_dyn_tag tag, const void *payload, size_t n) {
    char *to = kq_buf_reserve(out, n + 1);
    if (!to) return;
    to[0] = (char)tag;
    if (n) memcpy(to + 1, payload, n);
    out->n += n + 1;
}

void kq_dyn_put_null(kq_buf *out) {
    put_scalar(out, KQ_DYN_NULL, NULL, 0);
}

void kq_dyn_put_bool(kq_buf *out, bool b) {
    uint8_t byte = b;
    put_scalar(out, KQ_DYN_BOOL, &byte, 1);
}

void kq_dyn_put_long(kq_buf *out, int64_t l) {
    put_scalar(out, KQ_DYN_LONG, &l, 8);
}

void kq_dyn_put_real(kq_buf *out, double r) {
    put_scalar(out, KQ_DYN_REAL, &r, 8);
}

void kq_dyn_put_string(kq_buf *out, kq_sv s) {
    if (s.n > KQ_STR_MAX) {
        out->failed = KQ_ERR_LIMIT;
        return;
    }
    char *to = kq_buf_reserve(out, s.n + 5);
    if (!to) return;
    uint32_t n = (uint32_t)s.n;
    to[0] = KQ_DYN_STRING;
    memcpy(to + 1, &n, 4);
    if (n) memcpy(to + 5, s.p, n);
    out->n += s.n + 5;
}

void kq_dyn_put_ticks(kq_buf *out, kq_dyn_tag datetime_or_timespan, int64_t ticks) {
    put_scalar(out, datetime_or_timespan, &ticks, 8);
}

void kq_dyn_put_dyn(kq_buf *out, kq_dyn d) {
    if (d.n)
        kq_buf_append(out, d.p, d.n);
    else
        kq_dyn_put_null(out);
}

void kq_dyn_put_value(kq_buf *out, const kq_value *v) {
    if (v->null) {
        kq_dyn_put_null(out);
        return;
    }
    switch (v->type) {
    case KQ_BOOL: kq_dyn_put_bool(out, v->u.b != 0); break;
    case KQ_INT: kq_dyn_put_long(out, v->u.i); break;
    case KQ_LONG: kq_dyn_put_long(out, v->u.l); break;
    case KQ_REAL: kq_dyn_put_real(out, v->u.r); break;
    case KQ_DATETIME: kq_dyn_put_ticks(out, KQ_DYN_DATETIME, v->u.l); break;
    case KQ_TIMESPAN: kq_dyn_put_ticks(out, KQ_DYN_TIMESPAN, v->u.l); break;
    case KQ_STRING: kq_dyn_put_string(out, kq_str_view(&v->u.s)); break;
    case KQ_GUID: put_scalar(out, KQ_DYN_GUID, &v->u.g, sizeof v->u.g); break;
    case KQ_DYNAMIC: kq_dyn_put_dyn(out, kq_str_view(&v->u.s)); break;
    case KQ_DECIMAL: {
        /* Equal values have equal bytes, so that equality and hashing need not look inside. */
        kq_decimal normal = kq_decimal_normal(&v->u.m);
        put_scalar(out, KQ_DYN_DECIMAL, &normal, sizeof normal);
        break;
    }
    case KQ_TYPE_COUNT: kq_dyn_put_null(out); break;
    }
}

/* ---- Containers ---- */

/* Bags up to this many keys are searched for duplicates by comparing all pairs. */
#define FEW_KEYS 16

static kq_sv key_of(const char *body, const uint32_t *ends, uint32_t i) {
    kq_sv key;
    uint32_t from = i ? ends[i - 1] : 0;
    split_entry((kq_sv){body + from, ends[i] - from}, &key);
    return key;
}

typedef struct key_ref {
    uint64_t hash;
    uint32_t n, index;
    const char *p;
} key_ref;

static int ref_cmp(const key_ref *a, const key_ref *b) {
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    int c = kq_sv_cmp((kq_sv){a->p, a->n}, (kq_sv){b->p, b->n});
    if (c) return c;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* Heap sort: n log n whatever keys an attacker chooses, and no memory. */
static void sort_refs(key_ref *r, uint32_t n) {
    for (uint32_t start = n / 2, end = n; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            end--;
            key_ref t = r[0];
            r[0] = r[end];
            r[end] = t;
        }
        for (uint32_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && ref_cmp(&r[child], &r[child + 1]) < 0) child++;
            if (ref_cmp(&r[root], &r[child]) >= 0) break;
            key_ref t = r[root];
            r[root] = r[child];
            r[child] = t;
        }
    }
}

/* Sets last[i] to the last entry with the key of entry i for the first such entry, and to UINT32_MAX for the others.
 * Returns how many entries stay; 0 on failure. */
static uint32_t find_last(const char *body, const uint32_t *ends, uint32_t n, uint32_t *last) {
    key_ref *refs = kq_malloc((size_t)n * sizeof *refs);
    if (!refs) return 0;
    for (uint32_t i = 0; i < n; i++) {
        kq_sv key = key_of(body, ends, i);
        refs[i] = (key_ref){XXH3_64bits(key.p, key.n), (uint32_t)key.n, i, key.p};
    }
    sort_refs(refs, n);
    uint32_t kept = 0;
    for (uint32_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && refs[j].hash == refs[i].hash && refs[j].n == refs[i].n &&
                        memcmp(refs[j].p, refs[i].p, refs[i].n) == 0;
             j++)
            last[refs[j].index] = UINT32_MAX;
        last[refs[i].index] = refs[j - 1].index;
        kept++;
    }
    kq_free(refs);
    return kept;
}

static bool few_have_duplicates(const char *body, const uint32_t *ends, uint32_t n) {
    for (uint32_t i = 1; i < n; i++) {
        kq_sv key = key_of(body, ends, i);
        for (uint32_t k = 0; k < i; k++)
            if (kq_sv_eq(key_of(body, ends, k), key)) return true;
    }
    return false;
}

/* Rewrites the entries of a bag so that each key stands once: at its first place, with its last value. */
static uint32_t drop_duplicates(kq_buf *out, size_t body, uint32_t *ends, uint32_t n) {
    if (n <= FEW_KEYS && !few_have_duplicates(out->p + body, ends, n)) return n;
    uint32_t *last = kq_malloc((size_t)n * sizeof *last);
    uint32_t kept = last ? find_last(out->p + body, ends, n, last) : 0;
    if (kept == 0) {
        out->failed = KQ_ERR_NOMEM;
    } else if (kept < n) {
        size_t bytes = out->n - body;
        char *copy = kq_malloc(bytes);
        if (copy) {
            memcpy(copy, out->p + body, bytes);
            uint32_t to = 0, at = 0;
            /* ends[] of the old entries is still needed while the new one is written: k <= i, so read first. */
            uint32_t *old = kq_malloc((size_t)n * sizeof *old);
            if (old) {
                memcpy(old, ends, (size_t)n * sizeof *old);
                for (uint32_t i = 0; i < n; i++) {
                    if (last[i] == UINT32_MAX) continue;
                    uint32_t from = last[i] ? old[last[i] - 1] : 0, len = old[last[i]] - from;
                    memcpy(out->p + body + to, copy + from, len);
                    to += len;
                    ends[at++] = to;
                }
                out->n = body + to;
            } else {
                out->failed = KQ_ERR_NOMEM;
            }
            kq_free(old);
            kq_free(copy);
        } else {
            out->failed = KQ_ERR_NOMEM;
        }
    }
    kq_free(last);
    return kept;
}

void kq_dyn_finish_container(kq_buf *out, size_t start, uint32_t *ends, uint32_t n, bool bag) {
    if (out->failed) return;
    size_t body = start + 5;
    if (bag && n > 1) {
        n = drop_duplicates(out, body, ends, n);
        if (out->failed) return;
    }
    size_t table = (size_t)n * 4, bytes = out->n - body;
    if (bytes > KQ_STR_MAX) {
        out->failed = KQ_ERR_LIMIT;
        return;
    }
    if (!kq_buf_reserve(out, table)) return;
    memmove(out->p + body + table, out->p + body, bytes);
    if (table) memcpy(out->p + body, ends, table);
    memcpy(out->p + start + 1, &n, 4);
    out->n += table;
}

void kq_dyn_open(kq_dyn_builder *b, kq_buf *out, bool bag) {
    *b = (kq_dyn_builder){.out = out, .start = out->n, .body = out->n + 5, .bag = bag};
    kq_buf_init(&b->ends, out->budget, 0);
    static const char zeros[4];
    put_scalar(out, bag ? KQ_DYN_BAG : KQ_DYN_ARRAY, zeros, 4);
}

void kq_dyn_key(kq_dyn_builder *b, kq_sv key) {
    if (key.n > KQ_STR_MAX) {
        b->out->failed = KQ_ERR_LIMIT;
        return;
    }
    uint32_t n = (uint32_t)key.n;
    kq_buf_append(b->out, &n, 4);
    kq_buf_sv(b->out, key);
}

void kq_dyn_part(kq_dyn_builder *b) {
    size_t end = b->out->n - b->body;
    if (b->out->failed) return;
    if (end > KQ_STR_MAX) {
        b->out->failed = KQ_ERR_LIMIT;
        return;
    }
    uint32_t e = (uint32_t)end;
    kq_buf_append(&b->ends, &e, 4);
}

void kq_dyn_close(kq_dyn_builder *b) {
    if (b->ends.failed && !b->out->failed) b->out->failed = b->ends.failed;
    kq_dyn_finish_container(b->out, b->start, (uint32_t *)(void *)b->ends.p, (uint32_t)(b->ends.n / 4), b->bag);
    kq_buf_deinit(&b->ends);
}

/* ---- Text ---- */

/* A bag of up to 8 KiB whose values are strings, as those of events are: room for all of it is asked for once. */
#define SMALL_BAG 8192u

static bool print_strings(kq_dyn bag, kq_buf *out) {
    uint32_t n = kq_dyn_count(bag);
    if (bag.n > SMALL_BAG) return false;
    char *to = kq_buf_reserve(out, KQ_JSON_ROOM(bag.n) + (size_t)n * 2 * KQ_JSON_ROOM(0));
    if (!to) return true;
    *to++ = '{';
    for (uint32_t i = 0; i < n; i++) {
        kq_sv key;
        kq_dyn value = split_entry(part(bag, i), &key);
        if (kq_dyn_tag_of(value) != KQ_DYN_STRING) return false; /* nothing is written before out->n says so */
        if (i) *to++ = ',';
        to = kq_json_write(key, to);
        *to++ = ':';
        to = kq_json_write(kq_dyn_string(value), to);
    }
    *to++ = '}';
    out->n = (size_t)(to - out->p);
    return true;
}

static void print(kq_dyn d, kq_buf *out, unsigned depth) {
    switch (kq_dyn_tag_of(d)) {
    case KQ_DYN_NULL: kq_buf_str(out, "null"); break;
    case KQ_DYN_BOOL: kq_buf_str(out, d.p[1] ? "true" : "false"); break;
    case KQ_DYN_LONG: kq_number_print_long(load_i64(d.p + 1), out); break;
    case KQ_DYN_REAL: {
        double r = load_real(d.p + 1);
        bool quote = !isfinite(r);
        if (quote) kq_buf_char(out, '"');
        kq_number_print_real(r, out);
        if (quote) kq_buf_char(out, '"');
        break;
    }
    case KQ_DYN_STRING: kq_json_string(kq_dyn_string(d), out); break;
    case KQ_DYN_DATETIME:
    case KQ_DYN_TIMESPAN:
    case KQ_DYN_GUID:
    case KQ_DYN_DECIMAL: {
        kq_value v = kq_dyn_value(d);
        kq_buf_char(out, '"');
        kq_value_text(&v, out);
        kq_buf_char(out, '"');
        break;
    }
    case KQ_DYN_ARRAY:
    case KQ_DYN_BAG: {
        if (depth >= READ_DEPTH) {
            kq_buf_str(out, "null");
            break;
        }
        bool bag = d.p[0] == KQ_DYN_BAG;
        if (bag && print_strings(d, out)) break;
        kq_buf_char(out, bag ? '{' : '[');
        for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
            if (i) kq_buf_char(out, ',');
            kq_dyn value = part(d, i);
            if (bag) {
                kq_sv key;
                value = split_entry(value, &key);
                kq_json_string(key, out);
                kq_buf_char(out, ':');
            }
            print(value, out, depth + 1);
        }
        kq_buf_char(out, bag ? '}' : ']');
        break;
    }
    }
}

void kq_dyn_json(kq_dyn d, kq_buf *out) {
    print(d, out, 0);
}

/* ---- Comparison ---- */

bool kq_dyn_eq(kq_dyn a, kq_dyn b) {
    if (kq_dyn_tag_of(a) == KQ_DYN_NULL) return kq_dyn_tag_of(b) == KQ_DYN_NULL;
    return kq_sv_eq(a, b);
}

/* NaN lowest; a long and a real exactly, without rounding the long. */
static int real_cmp(double a, double b) {
    if (isnan(a) || isnan(b)) return (int)isnan(b) - (int)isnan(a);
    return a < b ? -1 : a > b;
}

static int long_real_cmp(int64_t l, double r) {
    if (isnan(r)) return 1;
    if (r >= 0x1p63) return -1;
    if (r < -0x1p63) return 1;
    int64_t whole = (int64_t)r;
    if (l != whole) return l < whole ? -1 : 1;
    double rest = r - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

static int compare(kq_dyn a, kq_dyn b, unsigned depth) {
    kq_dyn_tag ta = kq_dyn_tag_of(a), tb = kq_dyn_tag_of(b);
    if (ta != tb) {
        int c = 0;
        if (ta == KQ_DYN_LONG && tb == KQ_DYN_REAL)
            c = long_real_cmp(load_i64(a.p + 1), load_real(b.p + 1));
        else if (ta == KQ_DYN_REAL && tb == KQ_DYN_LONG)
            c = -long_real_cmp(load_i64(b.p + 1), load_real(a.p + 1));
        if (c) return c;
        return ta < tb ? -1 : 1;
    }
    switch (ta) {
    case KQ_DYN_NULL: return 0;
    case KQ_DYN_BOOL: return (a.p[1] != 0) - (b.p[1] != 0);
    case KQ_DYN_LONG:
    case KQ_DYN_DATETIME:
    case KQ_DYN_TIMESPAN: {
        int64_t x = load_i64(a.p + 1), y = load_i64(b.p + 1);
        return x < y ? -1 : x > y;
    }
    case KQ_DYN_REAL: return real_cmp(load_real(a.p + 1), load_real(b.p + 1));
    case KQ_DYN_STRING: return kq_sv_cmp(kq_dyn_string(a), kq_dyn_string(b));
    case KQ_DYN_GUID: {
        int c = memcmp(a.p + 1, b.p + 1, 16);
        return c < 0 ? -1 : c > 0;
    }
    case KQ_DYN_DECIMAL: {
        kq_decimal x, y;
        memcpy(&x, a.p + 1, sizeof x);
        memcpy(&y, b.p + 1, sizeof y);
        return kq_decimal_cmp(&x, &y);
    }
    case KQ_DYN_ARRAY:
    case KQ_DYN_BAG: {
        if (depth >= READ_DEPTH) return kq_sv_cmp(a, b);
        uint32_t na = kq_dyn_count(a), nb = kq_dyn_count(b);
        for (uint32_t i = 0; i < na && i < nb; i++) {
            kq_dyn va = part(a, i), vb = part(b, i);
            int c = 0;
            if (ta == KQ_DYN_BAG) {
                kq_sv ka, kb;
                va = split_entry(va, &ka);
                vb = split_entry(vb, &kb);
                c = kq_sv_cmp(ka, kb);
            }
            if (c == 0) c = compare(va, vb, depth + 1);
            if (c) return c;
        }
        return na < nb ? -1 : na > nb;
    }
    }
    return 0;
}

int kq_dyn_cmp(kq_dyn a, kq_dyn b) {
    return compare(a, b, 0);
}
