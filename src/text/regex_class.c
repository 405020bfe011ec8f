/* Sets of code points: what the classes of a regular expression hold. */
#include "native/re2.h"
#include "text/regex_ast.h"
#include "text/unit.h"
#include <stdlib.h>

#define LAST_CP UINT32_C(0x10FFFF)

void kq_re_ranges_init(kq_re_ranges *r, kq_budget *budget) {
    kq_buf_init(&r->buf, budget, 0);
}

void kq_re_ranges_deinit(kq_re_ranges *r) {
    kq_buf_deinit(&r->buf);
}

void kq_re_ranges_add(kq_re_ranges *r, uint32_t lo, uint32_t hi) {
    uint32_t pair[2] = {lo, hi};
    kq_buf_append(&r->buf, pair, sizeof pair);
}

static int by_start(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void kq_re_ranges_normalize(kq_re_ranges *r) {
    size_t n = kq_re_ranges_n(r), kept = 0;
    if (n == 0) return;
    uint32_t *p = (uint32_t *)(void *)r->buf.p;
    qsort(p, n, 2 * sizeof *p, by_start);
    for (size_t i = 1; i < n; i++) {
        if (p[2 * i] <= p[2 * kept + 1] + 1) {
            if (p[2 * i + 1] > p[2 * kept + 1]) p[2 * kept + 1] = p[2 * i + 1];
        } else {
            kept++;
            p[2 * kept] = p[2 * i];
            p[2 * kept + 1] = p[2 * i + 1];
        }
    }
    r->buf.n = (kept + 1) * 2 * sizeof *p;
}

void kq_re_ranges_negate(kq_re_ranges *r) {
    kq_re_ranges_normalize(r);
    kq_re_ranges out;
    kq_re_ranges_init(&out, r->buf.budget);
    uint32_t next = 0;
    for (size_t i = 0, n = kq_re_ranges_n(r); i < n; i++) {
        const uint32_t *p = kq_re_ranges_at(r) + 2 * i;
        if (p[0] > next) kq_re_ranges_add(&out, next, p[0] - 1);
        next = p[1] + 1;
    }
    if (next <= LAST_CP) kq_re_ranges_add(&out, next, LAST_CP);
    if (out.buf.failed) r->buf.failed = out.buf.failed;
    if (r->buf.failed) {
        kq_re_ranges_deinit(&out);
        return;
    }
    kq_re_ranges_deinit(r);
    *r = out;
}

/* Alphabetic is letters, letter numbers, marks, and the circled and squared letters, which are symbols. Source: Unicode
 * Standard Annex 44, Other_Alphabetic. */
bool kq_re_is_word(uint32_t cp) {
    if (cp < 0x80) return cp == '_' || (kq_ascii_class[cp] & 1);
    const char *c = kq_category(cp);
    if (c[0] == 'L' || c[0] == 'M') return true;
    if (c[0] == 'N') return c[1] == 'd' || c[1] == 'l';
    if (c[0] == 'P') return c[1] == 'c';
    if (c[0] == 'S')
        return (cp >= 0x24B6 && cp <= 0x24E9) || (cp >= 0x1F130 && cp <= 0x1F149) || (cp >= 0x1F150 && cp <= 0x1F169) ||
               (cp >= 0x1F170 && cp <= 0x1F189);
    return cp == 0x200C || cp == 0x200D;
}

bool kq_re_is_space(uint32_t cp) {
    return (cp >= 9 && cp <= 13) || cp == 0x20 || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}

static bool is_any(uint32_t cp) {
    return cp <= LAST_CP;
}
static bool is_ascii(uint32_t cp) {
    return cp < 0x80;
}
static bool is_assigned(uint32_t cp) {
    return memcmp(kq_category(cp), "Cn", 2) != 0;
}

/* Long names of general categories. Source: Unicode, PropertyValueAliases. LC is the letters with case. */
static const struct {
    const char *name, *categories; /* two letters each; one letter and '*': all that start with it */
} categories[] = {
    {"letter", "L*"},
    {"casedletter", "LuLlLt"},
    {"lc", "LuLlLt"},
    {"uppercaseletter", "Lu"},
    {"lowercaseletter", "Ll"},
    {"titlecaseletter", "Lt"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"mark", "M*"},
    {"combiningmark", "M*"},
    {"nonspacingmark", "Mn"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"number", "N*"},
    {"decimalnumber", "Nd"},
    {"digit", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P*"},
    {"punct", "P*"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"openpunctuation", "Ps"},
    {"closepunctuation", "Pe"},
    {"initialpunctuation", "Pi"},
    {"finalpunctuation", "Pf"},
    {"otherpunctuation", "Po"},
    {"symbol", "S*"},
    {"mathsymbol", "Sm"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"othersymbol", "So"},
    {"separator", "Z*"},
    {"spaceseparator", "Zs"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
    {"other", "C*"},
    {"control", "Cc"},
    {"cntrl", "Cc"},
    {"format", "Cf"},
    {"surrogate", "Cs"},
    {"privateuse", "Co"},
    {"unassigned", "Cn"},
};

static const struct {
    const char *name;
    bool (*has)(uint32_t cp);
} properties[] = {
    {"any", is_any},
    {"ascii", is_ascii},
    {"assigned", is_assigned},
    {"whitespace", kq_re_is_space},
    {"wspace", kq_re_is_space},
    {"space", kq_re_is_space},
    {"uppercase", kq_is_upper},
    {"upper", kq_is_upper},
    {"lowercase", kq_is_lower},
    {"lower", kq_is_lower},
};

/* Adds every code point for which `has` is true. */
static void add_where(kq_re_ranges *out, bool (*has)(uint32_t cp)) {
    uint32_t start = 0;
    bool inside = false;
    for (uint32_t cp = 0; cp <= LAST_CP + 1; cp += kq_unicode_step(cp)) {
        bool now = cp <= LAST_CP && has(cp);
        if (now && !inside) start = cp;
        if (!now && inside) kq_re_ranges_add(out, start, cp - 1);
        inside = now;
    }
}

static void add_category(kq_re_ranges *out, const char *two) {
    uint32_t start = 0;
    bool inside = false;
    for (uint32_t cp = 0; cp <= LAST_CP + 1; cp += kq_unicode_step(cp)) {
        bool now = false;
        if (cp <= LAST_CP) {
            const char *c = kq_category(cp);
            now = c[0] == two[0] && (two[1] == '*' || c[1] == two[1]);
        }
        if (now && !inside) start = cp;
        if (!now && inside) kq_re_ranges_add(out, start, cp - 1);
        inside = now;
    }
}

/* Adds the code points from `first` on, 65536 of them, that are in the script: RE2 searches a text of all of them. */
static kq_status add_plane(kq_re_ranges *out, const kq_re2 *re, uint32_t first, kq_buf *text, kq_error *err) {
    kq_buf_clear(text);
    for (uint32_t cp = first; cp < first + 0x10000; cp++) {
        char bytes[4];
        if (cp < 0xD800 || cp > 0xDFFF) kq_buf_append(text, bytes, kq_utf8_encode(cp, bytes));
    }
    KQ_TRY(kq_buf_status(text, err));
    size_t at = 0;
    for (;;) {
        kq_sv match;
        bool found;
        KQ_TRY(kq_re2_search(re, kq_buf_view(text), at, &match, 1, &found, err));
        if (!found) return KQ_OK;
        uint32_t lo;
        kq_utf8_decode(match.p, match.p + match.n, &lo);
        kq_re_ranges_add(out, lo, kq_unit_before(match.p, match.p + match.n));
        at = (size_t)(match.p - text->p) + match.n;
    }
}

/* A script: RE2 has the tables. */
static kq_status add_script(kq_re_ranges *out, kq_sv name, kq_error *err) {
    char pattern[80] = "\\p{";
    size_t n = strlen(pattern);
    bool first = true, known = name.n > 0 && name.n <= 40;
    for (size_t i = 0; i < name.n && known; i++) {
        char c = name.p[i] == ' ' || name.p[i] == '-' ? '_' : kq_ascii_lower(name.p[i]);
        known = c == '_' || (kq_ascii_class[(unsigned char)c] & 2);
        pattern[n++] = first && c != '_' ? (char)(c - 32) : c; /* RE2 spells them Old_Persian */
        first = c == '_';
    }
    kq_re2 *re = NULL;
    if (known) {
        memcpy(pattern + n, "}+", 2);
        known = kq_re2_create((kq_sv){pattern, n + 2}, 1 << 20, &re, NULL) == KQ_OK;
    }
    if (!known)
        return kq_fail(err, KQ_ERR_QUERY, "the regular expression names an unknown class of characters '" KQ_SV_FMT "'",
                       KQ_SV_ARG(name));
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_status status = KQ_OK;
    for (uint32_t plane = 0; plane <= LAST_CP && status == KQ_OK; plane += 0x10000)
        status = add_plane(out, re, plane, &text, err);
    kq_buf_deinit(&text);
    kq_re2_destroy(re);
    return status;
}

static kq_status add_property(kq_re_ranges *out, kq_sv name, kq_error *err) {
    char key[48];
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < sizeof key; i++)
        if (name.p[i] != '_' && name.p[i] != '-' && name.p[i] != ' ') key[n++] = kq_ascii_lower(name.p[i]);
    kq_sv loose = {key, n};
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++)
        if (kq_sv_eq(loose, kq_sv_of(properties[i].name))) {
            add_where(out, properties[i].has);
            return KQ_OK;
        }
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
        if (kq_sv_eq(loose, kq_sv_of(categories[i].name))) {
            for (const char *c = categories[i].categories; *c; c += 2) add_category(out, c);
            return KQ_OK;
        }
    /* Short names: one letter, or two. */
    if (n == 1 || n == 2) {
        char two[2] = {(char)(key[0] - 32), n == 2 ? key[1] : '*'};
        size_t before = out->buf.n;
        if (kq_ascii_class[(unsigned char)key[0]] & 2) add_category(out, two);
        if (out->buf.n > before) return KQ_OK;
    }
    return add_script(out, name, err);
}

static bool in_ranges(const kq_re_ranges *r, uint32_t cp) {
    size_t lo = 0, hi = kq_re_ranges_n(r);
    const uint32_t *p = kq_re_ranges_at(r);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cp < p[2 * mid])
            hi = mid;
        else if (cp > p[2 * mid + 1])
            lo = mid + 1;
        else
            return true;
    }
    return false;
}

/* Adds what equals a member under simple folding: first what members fold to, then all that fold to a member. */
static void fold_ranges(kq_re_ranges *r) {
    size_t n;
    const uint32_t *folding = kq_folding(&n);
    for (int pass = 0; pass < 2; pass++) {
        kq_re_ranges_normalize(r);
        kq_re_ranges more;
        kq_re_ranges_init(&more, r->buf.budget);
        for (size_t i = 0; i < n; i++) {
            uint32_t from = pass ? kq_fold(folding[i]) : folding[i], to = pass ? folding[i] : kq_fold(folding[i]);
            if (in_ranges(r, from)) kq_re_ranges_add(&more, to, to);
        }
        if (more.buf.failed) r->buf.failed = more.buf.failed;
        kq_buf_sv(&r->buf, kq_buf_view(&more.buf));
        kq_re_ranges_deinit(&more);
    }
    kq_re_ranges_normalize(r);
}

kq_status kq_re_item_ranges(const kq_re_item *item, bool ci, kq_re_ranges *out, kq_error *err) {
    kq_re_ranges own;
    kq_re_ranges_init(&own, out->buf.budget);
    kq_status status = KQ_OK;
    switch (item->kind) {
    case KQ_RE_ITEM_RANGE: kq_re_ranges_add(&own, item->lo, item->hi); break;
    case KQ_RE_ITEM_DIGIT:
        if (item->ascii)
            kq_re_ranges_add(&own, '0', '9');
        else
            add_category(&own, "Nd");
        break;
    case KQ_RE_ITEM_SPACE:
        if (item->ascii) {
            kq_re_ranges_add(&own, 9, 13);
            kq_re_ranges_add(&own, ' ', ' ');
        } else {
            add_where(&own, kq_re_is_space);
        }
        break;
    case KQ_RE_ITEM_WORD:
        if (item->ascii) {
            kq_re_ranges_add(&own, '0', '9');
            kq_re_ranges_add(&own, 'A', 'Z');
            kq_re_ranges_add(&own, '_', '_');
            kq_re_ranges_add(&own, 'a', 'z');
        } else {
            add_where(&own, kq_re_is_word);
        }
        break;
    case KQ_RE_ITEM_PROPERTY: status = add_property(&own, item->name, err); break;
    case KQ_RE_ITEM_CLASS: status = kq_re_class_ranges(item->nested, &own, err); break;
    }
    /* Digits, spaces and word characters are closed under folding, and a class has folded itself. */
    if (status == KQ_OK && ci && (item->kind == KQ_RE_ITEM_RANGE || item->kind == KQ_RE_ITEM_PROPERTY))
        fold_ranges(&own);
    if (status == KQ_OK && item->negated && item->kind != KQ_RE_ITEM_CLASS) kq_re_ranges_negate(&own);
    if (status == KQ_OK) status = kq_buf_status(&own.buf, err);
    if (status == KQ_OK) kq_buf_sv(&out->buf, kq_buf_view(&own.buf));
    if (status == KQ_OK) status = kq_buf_status(&out->buf, err);
    kq_re_ranges_deinit(&own);
    return status;
}

/* left op right; both sorted. Left takes the result. */
static void combine(kq_re_ranges *left, kq_re_ranges *right, char op) {
    kq_re_ranges out;
    kq_re_ranges_init(&out, left->buf.budget);
    /* Walk over the boundaries of both. */
    const uint32_t *a = kq_re_ranges_at(left), *b = kq_re_ranges_at(right);
    size_t na = 2 * kq_re_ranges_n(left), nb = 2 * kq_re_ranges_n(right), i = 0, k = 0;
    bool in_a = false, in_b = false, inside = false;
    uint32_t start = 0;
    while (i < na || k < nb) {
        /* An end counts where the first code point outside stands. */
        uint32_t x = i < na ? a[i] + (i & 1) : UINT32_MAX, y = k < nb ? b[k] + (k & 1) : UINT32_MAX;
        uint32_t at = x < y ? x : y;
        if (x == at) {
            in_a = !in_a;
            i++;
        }
        if (y == at) {
            in_b = !in_b;
            k++;
        }
        bool now = op == '&' ? in_a && in_b : op == '-' ? in_a && !in_b : in_a != in_b;
        if (now && !inside) start = at;
        if (!now && inside) kq_re_ranges_add(&out, start, at - 1);
        inside = now;
    }
    if (!out.buf.failed) out.buf.failed = left->buf.failed ? left->buf.failed : right->buf.failed;
    kq_re_ranges_deinit(left);
    *left = out;
}

kq_status kq_re_class_ranges(const kq_re_class *cls, kq_re_ranges *out, kq_error *err) {
    kq_re_ranges own, right;
    kq_re_ranges_init(&own, out->buf.budget);
    kq_re_ranges_init(&right, out->buf.budget);
    kq_status status = KQ_OK;
    if (cls->op) {
        status = kq_re_class_ranges(cls->left, &own, err);
        if (status == KQ_OK) status = kq_re_class_ranges(cls->right, &right, err);
        if (status == KQ_OK) combine(&own, &right, cls->op);
    } else {
        for (const kq_re_item *item = cls->items; item && status == KQ_OK; item = item->next)
            status = kq_re_item_ranges(item, cls->ci, &own, err);
        kq_re_ranges_normalize(&own);
    }
    if (status == KQ_OK && cls->negated) kq_re_ranges_negate(&own);
    if (status == KQ_OK) status = kq_buf_status(&own.buf, err);
    if (status == KQ_OK) {
        kq_buf_sv(&out->buf, kq_buf_view(&own.buf));
        kq_re_ranges_normalize(out);
        status = kq_buf_status(&out->buf, err);
    }
    kq_re_ranges_deinit(&own);
    kq_re_ranges_deinit(&right);
    return status;
}
