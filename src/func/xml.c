#include "func/xml.h"
#include "base/utf8.h"
#include "func/rows.h"

#define NONE UINT32_MAX

typedef enum node_kind { ELEMENT, ATTRIBUTE, TEXT } node_kind;

typedef struct xml_node {
    node_kind kind;
    bool first_of_name; /* of its parent's children */
    bool blank;         /* a text of white space */
    uint32_t parent;
    uint32_t child, last_child; /* NONE: no children */
    uint32_t next;              /* sibling */
    uint32_t next_of_name;
    uint32_t elements, attributes, texts; /* children of each kind; of texts those that are not blank */
    kq_sv name;                           /* in the document */
    size_t text, text_n;                  /* in the pool */
} xml_node;

typedef struct parser {
    kq_xml *x;
    const char *p, *end;
    uint32_t open; /* the innermost open element, or NONE */
    uint32_t root;
    uint32_t depth;
} parser;

static xml_node *node_at(kq_xml *x, uint32_t i) {
    return (xml_node *)(void *)x->nodes.p + i;
}

static uint32_t node_count(const kq_xml *x) {
    return (uint32_t)(x->nodes.n / sizeof(xml_node));
}

void kq_xml_init(kq_xml *x, kq_budget *budget) {
    *x = (kq_xml){.names.budget = budget};
    kq_buf_init(&x->nodes, budget, KQ_STR_MAX);
    kq_buf_init(&x->pool, budget, KQ_STR_MAX);
    kq_buf_init(&x->latest, budget, KQ_STR_MAX);
}

void kq_xml_deinit(kq_xml *x) {
    kq_buf_deinit(&x->nodes);
    kq_buf_deinit(&x->pool);
    kq_buf_deinit(&x->latest);
    kq_bytes_deinit(&x->names);
}

static kq_status failure(const kq_xml *x) {
    return x->nodes.failed ? x->nodes.failed : x->pool.failed ? x->pool.failed : x->latest.failed;
}

/* A new node as the last child of the open element; NONE when there is no memory. */
static uint32_t add_node(parser *q, node_kind kind, kq_sv name) {
    kq_xml *x = q->x;
    uint32_t i = node_count(x);
    xml_node node = {.kind = kind,
                     .parent = q->open,
                     .child = NONE,
                     .last_child = NONE,
                     .next = NONE,
                     .next_of_name = NONE,
                     .name = name,
                     .text = x->pool.n};
    kq_buf_append(&x->nodes, &node, sizeof node);
    if (x->nodes.failed) return NONE;
    if (q->open == NONE) return i;
    xml_node *parent = node_at(x, q->open);
    if (parent->last_child == NONE)
        parent->child = i;
    else
        node_at(x, parent->last_child)->next = i;
    parent->last_child = i;
    if (kind == ELEMENT) parent->elements++;
    if (kind == ATTRIBUTE) parent->attributes++;
    return i;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(parser *q) {
    while (q->p < q->end && is_space(*q->p)) q->p++;
}

static bool at(const parser *q, const char *word, size_t n) {
    return (size_t)(q->end - q->p) >= n && memcmp(q->p, word, n) == 0;
}

/* Skips up to and past `stop`; false when it does not come. */
static bool skip_past(parser *q, const char *stop, size_t n) {
    const char *hit = memmem(q->p, (size_t)(q->end - q->p), stop, n);
    if (!hit) return false;
    q->p = hit + n;
    return true;
}

static bool is_name_start(char c) {
    return (kq_ascii_lower(c) >= 'a' && kq_ascii_lower(c) <= 'z') || c == '_' || c == ':' || (unsigned char)c >= 0x80;
}

static bool parse_name(parser *q, kq_sv *name) {
    const char *start = q->p;
    if (q->p == q->end || !is_name_start(*q->p)) return false;
    while (q->p < q->end && (is_name_start(*q->p) || (*q->p >= '0' && *q->p <= '9') || *q->p == '-' || *q->p == '.'))
        q->p++;
    *name = (kq_sv){start, (size_t)(q->p - start)};
    return true;
}

/* ---- Text ---- */

static bool char_reference(kq_sv digits, kq_buf *pool) {
    bool hex = digits.n && digits.p[0] == 'x';
    uint32_t cp = 0;
    size_t i = hex;
    if (i == digits.n) return false;
    for (; i < digits.n; i++) {
        char c = digits.p[i];
        if (c >= '0' && c <= '9')
            cp = cp * (hex ? 16 : 10) + (uint32_t)(c - '0');
        else if (hex && kq_ascii_lower(c) >= 'a' && kq_ascii_lower(c) <= 'f')
            cp = cp * 16 + (uint32_t)(kq_ascii_lower(c) - 'a') + 10;
        else
            return false;
        if (cp > 0x10FFFF) return false;
    }
    if (cp == 0 || (cp >= 0xD800 && cp <= 0xDFFF)) return false;
    char utf8[4];
    kq_buf_append(pool, utf8, kq_utf8_encode(cp, utf8));
    return true;
}

static bool reference(kq_sv name, kq_buf *pool) {
    static const struct {
        const char *name;
        char c;
    } known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    if (name.n && name.p[0] == '#') return char_reference(kq_sv_slice(name, 1, name.n), pool);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!kq_sv_eq(name, kq_sv_of(known[i].name))) continue;
        kq_buf_char(pool, known[i].c);
        return true;
    }
    return false;
}

/* Appends `s` to the pool: references resolved, line ends as "\n", in attributes white space as blanks. */
static bool decode(kq_sv s, bool attribute, kq_buf *pool) {
    for (size_t i = 0; i < s.n;) {
        size_t plain = i;
        while (i < s.n && s.p[i] != '&' && s.p[i] != '\r' && !(attribute && is_space(s.p[i]))) i++;
        kq_buf_append(pool, s.p + plain, i - plain);
        if (i == s.n) break;
        if (s.p[i] == '&') {
            size_t end = i + 1;
            while (end < s.n && s.p[end] != ';' && end - i < 16) end++;
            if (end == s.n || s.p[end] != ';' || !reference(kq_sv_slice(s, i + 1, end), pool)) return false;
            i = end + 1;
            continue;
        }
        if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') i++;
        kq_buf_char(pool, attribute ? ' ' : '\n');
        i++;
    }
    return true;
}

static bool is_blank(kq_sv s) {
    for (size_t i = 0; i < s.n; i++)
        if (!is_space(s.p[i])) return false;
    return true;
}

/* Text between tags; it goes on the text before it when only a comment stands between them. */
static bool add_text(parser *q, kq_sv raw, bool cdata) {
    kq_xml *x = q->x;
    if (raw.n == 0) return true;
    if (q->open == NONE) return !cdata && is_blank(raw);
    uint32_t i = node_at(x, q->open)->last_child;
    bool fresh = i == NONE || node_at(x, i)->kind != TEXT;
    if (fresh) i = add_node(q, TEXT, KQ_SV("#text"));
    if (i == NONE) return false;
    if (cdata)
        kq_buf_sv(&x->pool, raw);
    else if (!decode(raw, false, &x->pool))
        return false;
    xml_node *text = node_at(x, i);
    bool was_blank = fresh || text->blank;
    text->text_n = x->pool.n - text->text;
    text->blank = was_blank && is_blank(raw);
    if (was_blank && !text->blank) node_at(x, q->open)->texts++;
    return true;
}

/* ---- Tags ---- */

/* Chains the children of one name of a closed element. */
static bool group_children(parser *q, uint32_t element) {
    kq_xml *x = q->x;
    kq_bytes_clear(&x->names);
    x->latest.n = 0;
    uint32_t last_text = NONE;
    for (uint32_t i = node_at(x, element)->child; i != NONE; i = node_at(x, i)->next) {
        xml_node *node = node_at(x, i);
        if (node->kind == ATTRIBUTE || node->blank) continue;
        uint32_t before;
        if (node->kind == TEXT) {
            before = last_text;
            last_text = i;
        } else {
            uint32_t name;
            bool added;
            if (kq_bytes_put(&x->names, node->name, &name, &added) != KQ_OK) {
                x->nodes.failed = KQ_ERR_NOMEM;
                return false;
            }
            if (added) {
                before = NONE;
                kq_buf_append(&x->latest, &i, 4);
                if (x->latest.failed) return false;
            } else {
                char *slot = x->latest.p + (size_t)name * 4;
                memcpy(&before, slot, 4);
                memcpy(slot, &i, 4);
            }
        }
        if (before == NONE)
            node->first_of_name = true;
        else
            node_at(x, before)->next_of_name = i;
    }
    return true;
}

static bool close_element(parser *q) {
    uint32_t i = q->open;
    if (!group_children(q, i)) return false;
    q->open = node_at(q->x, i)->parent;
    q->depth--;
    return true;
}

static bool parse_attributes(parser *q, uint32_t element) {
    kq_xml *x = q->x;
    kq_bytes_clear(&x->names);
    for (;;) {
        const char *before = q->p;
        skip_spaces(q);
        if (q->p == q->end) return false;
        if (*q->p == '>' || *q->p == '/') return true;
        kq_sv name;
        bool added;
        if (q->p == before || !parse_name(q, &name)) return false;
        if (kq_bytes_add(&x->names, name, &added) != KQ_OK) x->nodes.failed = KQ_ERR_NOMEM;
        if (!added) return false;
        skip_spaces(q);
        if (q->p == q->end || *q->p++ != '=') return false;
        skip_spaces(q);
        if (q->p == q->end || (*q->p != '"' && *q->p != '\'')) return false;
        char quote = *q->p++;
        const char *start = q->p;
        while (q->p < q->end && *q->p != quote && *q->p != '<') q->p++;
        if (q->p == q->end || *q->p != quote) return false;
        uint32_t open = q->open;
        q->open = element;
        uint32_t i = add_node(q, ATTRIBUTE, name);
        q->open = open;
        if (i == NONE || !decode((kq_sv){start, (size_t)(q->p - start)}, true, &x->pool)) return false;
        node_at(x, i)->text_n = x->pool.n - node_at(x, i)->text;
        q->p++;
    }
}

static bool start_tag(parser *q) {
    kq_sv name;
    q->p++;
    if (!parse_name(q, &name)) return false;
    if (q->open == NONE && q->root != NONE) return false;
    if (q->depth == KQ_XML_DEPTH) return false;
    uint32_t i = add_node(q, ELEMENT, name);
    if (i == NONE || !parse_attributes(q, i)) return false;
    if (q->root == NONE) q->root = i;
    q->open = i;
    q->depth++;
    if (*q->p++ == '>') return true;
    if (q->p == q->end || *q->p++ != '>') return false;
    return close_element(q);
}

static bool end_tag(parser *q) {
    kq_sv name;
    q->p += 2;
    if (q->open == NONE || !parse_name(q, &name) || !kq_sv_eq(name, node_at(q->x, q->open)->name)) return false;
    skip_spaces(q);
    if (q->p == q->end || *q->p++ != '>') return false;
    return close_element(q);
}

/* <!DOCTYPE ...>, with quotes and a subset in brackets: skipped, so what it declares stays unknown. */
static bool skip_doctype(parser *q) {
    unsigned brackets = 0;
    if (q->root != NONE) return false;
    while (q->p < q->end) {
        char c = *q->p++;
        if (c == '"' || c == '\'') {
            if (!skip_past(q, c == '"' ? "\"" : "'", 1)) return false;
        } else if (c == '[') {
            brackets++;
        } else if (c == ']') {
            if (brackets-- == 0) return false;
        } else if (c == '>' && brackets == 0) {
            return true;
        }
    }
    return false;
}

static bool markup(parser *q) {
    if (at(q, "</", 2)) return end_tag(q);
    if (at(q, "<?", 2)) return skip_past(q, "?>", 2);
    if (at(q, "<!--", 4)) {
        q->p += 4;
        return skip_past(q, "-->", 3);
    }
    if (at(q, "<![CDATA[", 9)) {
        const char *start = q->p += 9;
        return skip_past(q, "]]>", 3) && add_text(q, (kq_sv){start, (size_t)(q->p - 3 - start)}, true);
    }
    if (at(q, "<!DOCTYPE", 9)) return skip_doctype(q);
    return start_tag(q);
}

static bool parse_document(parser *q) {
    if (at(q, "\xEF\xBB\xBF", 3)) q->p += 3;
    while (q->p < q->end) {
        if (*q->p == '<') {
            if (!markup(q)) return false;
            continue;
        }
        const char *start = q->p;
        const char *next = memchr(start, '<', (size_t)(q->end - start));
        q->p = next ? next : q->end;
        if (!add_text(q, (kq_sv){start, (size_t)(q->p - start)}, false)) return false;
    }
    return q->root != NONE && q->open == NONE && !failure(q->x);
}

/* ---- The dynamic ---- */

static kq_sv text_of(kq_xml *x, const xml_node *node) {
    return (kq_sv){x->pool.p + node->text, node->text_n};
}

static kq_sv trim(kq_sv s) {
    while (s.n && is_space(s.p[0])) s = kq_sv_slice(s, 1, s.n);
    while (s.n && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

static void put_element(kq_xml *x, uint32_t i, kq_buf *out);

static void put_node(kq_xml *x, uint32_t i, kq_buf *out) {
    const xml_node *node = node_at(x, i);
    if (node->kind == ELEMENT) {
        put_element(x, i, out);
    } else {
        /* Between elements the white space around a text is layout. */
        bool layout = node->kind == TEXT && node_at(x, node->parent)->elements;
        kq_sv text = text_of(x, node);
        kq_dyn_put_string(out, layout ? trim(text) : text);
    }
}

static void put_group(kq_xml *x, uint32_t first, kq_buf *out) {
    if (node_at(x, first)->next_of_name == NONE) {
        put_node(x, first, out);
        return;
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = first; i != NONE; i = node_at(x, i)->next_of_name) {
        put_node(x, i, out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

static void put_element(kq_xml *x, uint32_t i, kq_buf *out) {
    const xml_node *element = node_at(x, i);
    if (!element->elements && !element->attributes) {
        if (!element->texts) {
            kq_dyn_put_null(out);
            return;
        }
        /* Text only: then there is just one, as nothing could come between. */
        kq_dyn_put_string(out, text_of(x, node_at(x, element->child)));
        return;
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t c = element->child; c != NONE; c = node_at(x, c)->next) {
        const xml_node *child = node_at(x, c);
        if (child->kind == ATTRIBUTE) {
            size_t pool = x->pool.n;
            kq_buf_char(&x->pool, '@');
            kq_buf_sv(&x->pool, child->name);
            if (x->pool.failed) out->failed = x->pool.failed;
            kq_dyn_key(&b, kq_sv_slice(kq_buf_view(&x->pool), pool, x->pool.n));
            x->pool.n = pool;
            put_node(x, c, out);
        } else if (child->first_of_name) {
            kq_dyn_key(&b, child->name);
            put_group(x, c, out);
        } else {
            continue;
        }
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

bool kq_xml_parse(kq_xml *x, kq_sv text, kq_buf *out) {
    size_t start = out->n;
    kq_buf_clear(&x->nodes);
    kq_buf_clear(&x->pool);
    kq_buf_clear(&x->latest);
    parser q = {.x = x, .p = text.p, .end = text.p + text.n, .open = NONE, .root = NONE};
    if (!parse_document(&q)) {
        out->failed = failure(x);
        return false;
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    kq_dyn_key(&b, node_at(x, q.root)->name);
    put_element(x, q.root, out);
    kq_dyn_part(&b);
    kq_dyn_close(&b);
    if (out->failed) out->n = start;
    return !out->failed;
}

static bool build_xml(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    return kq_xml_parse(ctx, kq_arg_sv(call, 0, row), out);
}

kq_status kq_fn_parse_xml(kq_call *call, kq_error *err) {
    kq_xml x;
    kq_xml_init(&x, call->arena->budget);
    kq_status status = kq_build_rows(call, build_xml, &x, err);
    kq_xml_deinit(&x);
    return status;
}
