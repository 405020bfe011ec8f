#include "schema/inside.h"
#include "source/json_value.h"
#include "source/xml_scan.h"
#include <stdio.h>

typedef struct item {
    kq_sv name; /* of one of UserData: p is NULL, and `at` is where it stands in names */
    size_t at;
    kq_sv raw;      /* between its tags */
    uint32_t param; /* of Data without a name: its number from 1; or 0 */
} item;

typedef struct scan {
    kq_inside *to;
    const char *p, *end;
    uint32_t params;
} scan;

void kq_inside_init(kq_inside *x, kq_budget *budget) {
    x->opened = false;
    kq_buf_init(&x->items, budget, 0);
    kq_buf_init(&x->names, budget, 0);
}

void kq_inside_deinit(kq_inside *x) {
    kq_buf_deinit(&x->items);
    kq_buf_deinit(&x->names);
}

static bool ends_name(char c) {
    return kq_xml_blank(c) || c == '>' || c == '/' || c == '=' || c == '<';
}

/* An element's name without the prefix that a namespace may have given it. */
static kq_sv local(kq_sv name) {
    const char *colon = name.n ? memchr(name.p, ':', name.n) : NULL;
    return colon ? kq_sv_slice(name, (size_t)(colon - name.p) + 1, name.n) : name;
}

/* From behind a start tag's name to behind its '>'. *label: the value of its attribute Name; *empty: it ends with "/>".
 * False: it does not end. */
static bool attributes(scan *s, kq_sv *label, bool *empty) {
    *label = (kq_sv){"", 0};
    for (;;) {
        s->p = kq_xml_skip(s->p, s->end);
        if (s->p == s->end) return false;
        *empty = *s->p == '/';
        if (*empty) s->p++;
        if (s->p < s->end && *s->p == '>') {
            s->p++;
            return true;
        }
        if (*empty) continue;
        const char *name = s->p;
        while (s->p < s->end && !ends_name(*s->p)) s->p++;
        kq_sv key = {name, (size_t)(s->p - name)};
        s->p = kq_xml_skip(s->p, s->end);
        if (s->end - s->p < 2 || *s->p != '=') return false;
        s->p = kq_xml_skip(s->p + 1, s->end);
        if (s->p == s->end || (*s->p != '"' && *s->p != '\'')) return false;
        const char *value = s->p + 1, *quote = memchr(value, *s->p, (size_t)(s->end - value));
        if (!quote) return false;
        if (kq_sv_eq(key, KQ_SV("Name"))) *label = (kq_sv){value, (size_t)(quote - value)};
        s->p = quote + 1;
    }
}

/* Behind the comment, CDATA section or instruction at p; NULL when it does not end. */
static const char *section(const char *p, const char *end, kq_sv *text) {
    static const struct {
        kq_sv open, close;
    } kinds[] = {{{"<!--", 4}, {"-->", 3}}, {{"<![CDATA[", 9}, {"]]>", 3}}, {{"<?", 2}, {"?>", 2}}};
    *text = (kq_sv){"", 0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if ((size_t)(end - p) < kinds[i].open.n || memcmp(p, kinds[i].open.p, kinds[i].open.n) != 0) continue;
        const char *from = p + kinds[i].open.n;
        const char *to = memmem(from, (size_t)(end - from), kinds[i].close.p, kinds[i].close.n);
        if (!to) return NULL;
        if (i == 1) *text = (kq_sv){from, (size_t)(to - from)};
        return to + kinds[i].close.n;
    }
    return NULL;
}

typedef struct level {
    kq_sv name, label;
    const char *text; /* behind the start tag */
    bool children;
} level;

enum { NOWHERE = KQ_INSIDE_DEPTH + 1 };

static void add(scan *s, const level *open, unsigned depth, unsigned top, bool user, kq_sv raw) {
    kq_inside *x = s->to;
    const level *leaf = &open[depth - 1];
    item one = {.raw = raw};
    if (!user && depth == top + 1 && kq_sv_eq(leaf->name, KQ_SV("Data"))) {
        one.name = leaf->label;
        if (!leaf->label.n) one.param = ++s->params;
    } else if (!user && depth == top + 1) {
        one.name = leaf->name;
    } else {
        one.at = x->names.n;
        if (user) kq_buf_str(&x->names, "UserData");
        for (unsigned i = top; i < depth; i++) {
            if (user || i > top) kq_buf_char(&x->names, '.');
            kq_buf_sv(&x->names, open[i].name);
        }
        one.name = (kq_sv){NULL, x->names.n - one.at};
    }
    kq_buf_append(&x->items, &one, sizeof one);
}

/* What is not well-formed ends the scan: what came before it counts. */
static void read_xml(kq_inside *x, kq_sv xml) {
    scan s = {.to = x, .p = xml.p, .end = xml.p + xml.n};
    level open[KQ_INSIDE_DEPTH];
    unsigned depth = 0, top = NOWHERE; /* top: depth inside EventData or UserData */
    size_t deeper = 0;                 /* open elements beyond KQ_INSIDE_DEPTH */
    bool user = false;
    while (s.p < s.end) {
        const char *tag = memchr(s.p, '<', (size_t)(s.end - s.p));
        if (!tag || s.end - tag < 2) return;
        if (tag[1] == '!' || tag[1] == '?') {
            kq_sv text;
            if (!(s.p = section(tag, s.end, &text))) return;
            continue;
        }
        if (tag[1] == '/') {
            const char *close = memchr(tag, '>', (size_t)(s.end - tag));
            if (!close || !depth) return;
            s.p = close + 1;
            if (deeper) {
                deeper--;
                continue;
            }
            level *leaf = &open[depth - 1];
            if (top < depth && !leaf->children)
                add(&s, open, depth, top, user, (kq_sv){leaf->text, (size_t)(tag - leaf->text)});
            if (--depth < top) top = NOWHERE;
            continue;
        }
        s.p = tag + 1;
        while (s.p < s.end && !ends_name(*s.p)) s.p++;
        if (depth == KQ_INSIDE_DEPTH) {
            kq_sv label;
            bool empty;
            open[depth - 1].children = true;
            if (!attributes(&s, &label, &empty)) return;
            deeper += !empty;
            continue;
        }
        level *one = &open[depth++];
        *one = (level){.name = local((kq_sv){tag + 1, (size_t)(s.p - tag) - 1})};
        if (depth > 1) open[depth - 2].children = true;
        bool empty;
        if (!attributes(&s, &one->label, &empty)) return;
        one->text = s.p;
        if (empty) {
            if (top < depth) add(&s, open, depth, top, user, (kq_sv){s.p, 0});
            depth--;
        } else if (top == NOWHERE) {
            user = kq_sv_eq(one->name, KQ_SV("UserData"));
            if (user || kq_sv_eq(one->name, KQ_SV("EventData"))) top = depth;
        }
    }
}

/* Text between tags: references are resolved, comments left out. */
static void append_plain(kq_sv raw, kq_arena *arena, kq_buf *out) {
    const char *p = raw.p, *end = raw.p + raw.n;
    while (p < end) {
        const char *tag = memchr(p, '<', (size_t)(end - p));
        kq_sv text = {p, (size_t)((tag ? tag : end) - p)};
        char *to = kq_arena_bytes(arena, text.n);
        bool odd;
        if (!to) return;
        size_t n = kq_xml_unescape(text, to, &odd);
        kq_buf_append(out, to, n);
        kq_arena_trim(arena, to, text.n, 0);
        if (!tag || !(p = section(tag, end, &text))) return;
        kq_buf_sv(out, text);
    }
}

static bool is_plain(kq_sv raw) {
    return !raw.n || (!memchr(raw.p, '&', raw.n) && !memchr(raw.p, '<', raw.n));
}

static bool is_named(const kq_inside *x, const item *one, kq_sv name, uint32_t param, bool all) {
    if (one->param) return all || one->param == param;
    kq_sv own = one->name.p || !one->name.n ? one->name : (kq_sv){x->names.p + one->at, one->name.n};
    return kq_sv_eq(own, name);
}

/* N of "paramN", or 0. */
static uint32_t param_of(kq_sv name) {
    uint32_t n = 0;
    if (name.n < 6 || name.n > 10 || !kq_sv_starts(name, KQ_SV("param"))) return 0;
    for (size_t i = 5; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9') return 0;
        n = 10 * n + (uint32_t)(name.p[i] - '0');
    }
    return n;
}

bool kq_inside_xml(kq_inside *x, kq_sv xml, kq_sv name, kq_arena *arena, kq_field *out) {
    if (!x->opened) {
        kq_buf_empty(&x->items);
        kq_buf_empty(&x->names);
        read_xml(x, xml);
        x->opened = true;
    }
    const item *items = (const item *)(const void *)x->items.p;
    size_t n = x->items.n / sizeof *items, i = 0;
    uint32_t param = param_of(name);
    bool all = kq_sv_eq(name, KQ_SV("Data"));
    while (i < n && !is_named(x, &items[i], name, param, all)) i++;
    if (i == n || x->items.failed || x->names.failed) return false;
    bool more = i + 1 < n && is_named(x, &items[i + 1], name, param, all);
    out->kind = KQ_FIELD_STRING;
    out->u.text = items[i].raw;
    if (!more && is_plain(items[i].raw)) return true;
    size_t from = x->names.n; /* room to put it together */
    for (size_t k = i; k < n && is_named(x, &items[k], name, param, all); k++) {
        if (k > i) kq_buf_char(&x->names, '\n');
        append_plain(items[k].raw, arena, &x->names);
    }
    if (x->names.failed) return false;
    kq_sv made = x->names.n > from ? (kq_sv){x->names.p + from, x->names.n - from} : KQ_SV("");
    out->u.text = kq_arena_copy(arena, made);
    x->names.n = from;
    return out->u.text.p != NULL;
}

bool kq_inside_json(kq_sv json, kq_sv name, kq_arena *arena, kq_field *out) {
    kq_sv raw;
    kq_error why;
    const char *fault = NULL;
    return kq_json_dig(json, name, &raw) && !kq_json_value(raw, false, arena, out, &fault, &why);
}
