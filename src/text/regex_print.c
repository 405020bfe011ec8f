/* A regular expression as RE2 spells it. */
#include "text/regex_ast.h"
#include "text/unit.h"

typedef struct printer {
    kq_buf *out;
    bool ascii; /* for texts that are ASCII only */
    kq_error *err;
} printer;

static void put_cp(kq_buf *out, uint32_t cp) {
    if (cp < 0x80 && (kq_ascii_class[cp] & 1)) {
        kq_buf_char(out, (char)cp);
    } else if (cp > 0x20 && cp < 0x7F) {
        kq_buf_char(out, '\\');
        kq_buf_char(out, (char)cp);
    } else {
        kq_buf_printf(out, "\\x{%X}", cp);
    }
}

static void put_range(kq_buf *out, uint32_t lo, uint32_t hi) {
    put_cp(out, lo);
    if (hi == lo) return;
    kq_buf_char(out, '-');
    put_cp(out, hi);
}

/* A few names that RE2 has: what is common and what would be long as ranges. */
static bool re2_name(kq_sv name) {
    static const char *const names[] = {"L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N", "Nd",
                                        "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm",
                                        "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "Cc", "Cf", "Co"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kq_sv_eq(name, kq_sv_of(names[i]))) return true;
    return false;
}

/* Items of a class that RE2 can hold as they are; otherwise the caller writes ranges. */
static const char *item_text(const printer *p, const kq_re_item *item) {
    bool ascii = p->ascii || item->ascii;
    switch (item->kind) {
    case KQ_RE_ITEM_DIGIT:
        if (ascii) return item->negated ? "\\x{0}-/:-\\x{10FFFF}" : "0-9";
        return item->negated ? "\\P{Nd}" : "\\p{Nd}";
    case KQ_RE_ITEM_SPACE:
        if (ascii) return item->negated ? "\\x{0}-\\x{8}\\x{E}-\\x{1F}!-\\x{10FFFF}" : "\\x{9}-\\x{D}\\x{20}";
        /* The same as kq_re_is_space. */
        return item->negated
                   ? "\\x{0}-\\x{8}\\x{E}-\\x{1F}!-\\x{84}\\x{86}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}"
                     "\\x{200B}-\\x{2027}\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-"
                     "\\x{10FFFF}"
                   : "\\x{9}-\\x{D}\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}"
                     "\\x{205F}\\x{3000}";
    case KQ_RE_ITEM_WORD:
        if (ascii) return item->negated ? "\\x{0}-/:-@\\x{5B}-\\x{5E}\\x{60}\\x{7B}-\\x{10FFFF}" : "0-9A-Z_a-z";
        /* The same as kq_re_is_word. */
        return item->negated ? NULL
                             : "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200C}\\x{200D}\\x{24B6}-\\x{24E9}\\x{1F130}-"
                               "\\x{1F149}\\x{1F150}-\\x{1F169}\\x{1F170}-\\x{1F189}";
    default: return NULL;
    }
}

static void put_ranges(printer *p, const kq_re_ranges *r) {
    size_t n = kq_re_ranges_n(r);
    const uint32_t *at = kq_re_ranges_at(r);
    for (size_t i = 0; i < n; i++) put_range(p->out, at[2 * i], at[2 * i + 1]);
}

static kq_status put_class_as_ranges(printer *p, const kq_re_class *cls) {
    kq_re_ranges r;
    kq_re_ranges_init(&r, p->out->budget);
    kq_status status = kq_re_class_ranges(cls, &r, p->err);
    if (status == KQ_OK) {
        if (kq_re_ranges_n(&r) == 0) {
            kq_buf_str(p->out, "[^\\x{0}-\\x{10FFFF}]");
        } else {
            kq_buf_char(p->out, '[');
            put_ranges(p, &r);
            kq_buf_char(p->out, ']');
        }
    }
    kq_re_ranges_deinit(&r);
    return status;
}

static bool is_perl(const kq_re_item *i) {
    return i->kind == KQ_RE_ITEM_DIGIT || i->kind == KQ_RE_ITEM_SPACE || i->kind == KQ_RE_ITEM_WORD;
}

/* Can every item be written inside one pair of brackets? */
static bool is_flat(const kq_re_class *cls, bool ci) {
    if (cls->op || cls->ci != ci) return false;
    for (const kq_re_item *i = cls->items; i; i = i->next) {
        /* RE2 would fold the written-out complement: KELVIN SIGN, which is outside of ASCII, would bring in k. */
        if (ci && i->negated && is_perl(i)) return false;
        if (i->kind == KQ_RE_ITEM_CLASS && (i->nested->negated || !is_flat(i->nested, ci))) return false;
    }
    return true;
}

static kq_status put_items(printer *p, const kq_re_class *cls) {
    for (const kq_re_item *i = cls->items; i; i = i->next) {
        const char *text = item_text(p, i);
        if (i->kind == KQ_RE_ITEM_CLASS) {
            KQ_TRY(put_items(p, i->nested));
        } else if (i->kind == KQ_RE_ITEM_RANGE) {
            put_range(p->out, i->lo, i->hi);
        } else if (text) {
            kq_buf_str(p->out, text);
        } else if (i->kind == KQ_RE_ITEM_PROPERTY && re2_name(i->name)) {
            kq_buf_str(p->out, i->negated ? "\\P{" : "\\p{");
            kq_buf_sv(p->out, i->name);
            kq_buf_char(p->out, '}');
        } else {
            kq_re_ranges r;
            kq_re_ranges_init(&r, p->out->budget);
            kq_status status = kq_re_item_ranges(i, cls->ci, &r, p->err);
            if (status == KQ_OK) {
                if (kq_re_ranges_n(&r) == 0) status = kq_fail(p->err, KQ_ERR_QUERY, "a class of characters is empty");
                put_ranges(p, &r);
            }
            kq_re_ranges_deinit(&r);
            KQ_TRY(status);
        }
    }
    return KQ_OK;
}

static kq_status put_class(printer *p, const kq_re_class *cls) {
    const kq_re_item *only = !cls->op && cls->items && !cls->items->next ? cls->items : NULL;
    kq_re_class unfolded = *cls;
    if (only && is_perl(only)) { /* closed under folding */
        unfolded.ci = false;
        cls = &unfolded;
    }
    if (!is_flat(cls, cls->ci)) return put_class_as_ranges(p, cls);
    kq_re_item flipped;
    kq_re_class single;
    bool negated = cls->negated;
    /* \W alone is [^\w]: the complement of a large set is as large again when written out. */
    if (only && only->negated && only->kind != KQ_RE_ITEM_CLASS && !cls->ci) {
        flipped = *only;
        flipped.negated = false;
        flipped.next = NULL;
        single = *cls;
        single.items = &flipped;
        cls = &single;
        negated = !negated;
    }
    kq_buf_str(p->out, cls->ci ? "(?i:[" : "[");
    if (negated) kq_buf_char(p->out, '^');
    KQ_TRY(put_items(p, cls));
    kq_buf_str(p->out, cls->ci ? "])" : "]");
    return KQ_OK;
}

static bool has_case(uint32_t cp) {
    return kq_fold(cp) != cp || kq_upper(cp) != cp || kq_lower(cp) != cp;
}

static kq_status put_node(printer *p, const kq_re_node *node);

/* `node` where a repetition or a concatenation binds: in parentheses when it is more than one atom. */
static kq_status put_atom(printer *p, const kq_re_node *node) {
    kq_buf_str(p->out, "(?:");
    KQ_TRY(put_node(p, node));
    kq_buf_char(p->out, ')');
    return KQ_OK;
}

static kq_status put_repeat(printer *p, const kq_re_node *node) {
    if (node->child->kind == KQ_RE_LITERAL || node->child->kind == KQ_RE_CLASS || node->child->kind == KQ_RE_ANY)
        KQ_TRY(put_node(p, node->child));
    else
        KQ_TRY(put_atom(p, node->child));
    if (node->min == 0 && node->max == KQ_RE_INFINITE)
        kq_buf_char(p->out, '*');
    else if (node->min == 1 && node->max == KQ_RE_INFINITE)
        kq_buf_char(p->out, '+');
    else if (node->min == 0 && node->max == 1)
        kq_buf_char(p->out, '?');
    else if (node->max == KQ_RE_INFINITE)
        kq_buf_printf(p->out, "{%u,}", node->min);
    else if (node->max == node->min)
        kq_buf_printf(p->out, "{%u}", node->min);
    else
        kq_buf_printf(p->out, "{%u,%u}", node->min, node->max);
    if (!node->greedy) kq_buf_char(p->out, '?');
    return KQ_OK;
}

static void put_assertion(printer *p, const kq_re_node *node) {
    switch (node->assertion) {
    case KQ_RE_TEXT_START: kq_buf_str(p->out, "\\A"); break;
    case KQ_RE_TEXT_END: kq_buf_str(p->out, "\\z"); break;
    case KQ_RE_LINE_START: kq_buf_str(p->out, "(?m:^)"); break;
    case KQ_RE_LINE_END: kq_buf_str(p->out, "(?m:$)"); break;
    case KQ_RE_WORD: kq_buf_str(p->out, "\\b"); break;
    default: kq_buf_str(p->out, "\\B"); break; /* the others are never printed: tree->beyond */
    }
}

static kq_status put_node(printer *p, const kq_re_node *node) {
    switch (node->kind) {
    case KQ_RE_EMPTY: kq_buf_str(p->out, "(?:)"); break;
    case KQ_RE_LITERAL:
        if (node->ci && has_case(node->cp)) {
            kq_buf_str(p->out, "(?i:");
            put_cp(p->out, node->cp);
            kq_buf_char(p->out, ')');
        } else {
            put_cp(p->out, node->cp);
        }
        break;
    case KQ_RE_ANY:
        kq_buf_str(p->out, node->any == KQ_RE_ANY_AT_ALL     ? "(?s:.)"
                           : node->any == KQ_RE_ANY_BUT_CRLF ? "[^\\x{A}\\x{D}]"
                                                             : "(?-s:.)");
        break;
    case KQ_RE_CLASS: return put_class(p, node->cls);
    case KQ_RE_ASSERT: put_assertion(p, node); break;
    case KQ_RE_GROUP:
        kq_buf_str(p->out, node->index ? "(" : "(?:");
        KQ_TRY(put_node(p, node->child));
        kq_buf_char(p->out, ')');
        break;
    case KQ_RE_REPEAT: return put_repeat(p, node);
    case KQ_RE_CONCAT:
    case KQ_RE_ALTERNATE:
        for (const kq_re_node *child = node->child; child; child = child->next) {
            KQ_TRY(put_node(p, child));
            if (node->kind == KQ_RE_ALTERNATE && child->next) kq_buf_char(p->out, '|');
        }
        break;
    }
    return KQ_OK;
}

kq_status kq_re_print(const kq_re_tree *tree, bool ascii, kq_buf *out, kq_error *err) {
    printer p = {out, ascii, err};
    KQ_TRY(put_node(&p, tree->root));
    return kq_buf_status(out, err);
}
