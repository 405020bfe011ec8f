#include "naive_match.h"
#include "text/regex.h"
#include "text/regex_ast.h"
#include "text/unit.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* All matches of `pattern` in `text`, each with its groups, as "[whole,group,...]"; or "error: message". */
static const char *matches(const char *pattern, const char *text) {
    static char out[2048];
    kq_error err;
    kq_regex *re;
    if (kq_regex_create(kq_sv_of(pattern), false, &re, &err) != KQ_OK) {
        snprintf(out, sizeof out, "error: %s", err.message);
        return out;
    }
    kq_sv groups[8];
    uint32_t n = kq_regex_groups(re) + 1 < 8 ? kq_regex_groups(re) + 1 : 8;
    kq_regex_walk walk = {0};
    bool found;
    size_t at = 0;
    out[0] = 0;
    while (kq_regex_next(re, kq_sv_of(text), &walk, groups, n, &found, &err) == KQ_OK && found) {
        for (uint32_t i = 0; i < n; i++)
            at += (size_t)snprintf(out + at, sizeof out - at, "%s%.*s%s", i ? "," : "[",
                                   groups[i].p ? (int)groups[i].n : 1, groups[i].p ? groups[i].p : "-",
                                   i + 1 == n ? "]" : "");
    }
    kq_regex_destroy(re);
    return out;
}

#define IS(want, pattern, text) assert_string_equal(matches(pattern, text), want)
#define REFUSED(pattern)        assert_memory_equal(matches(pattern, ""), "error:", 6)

static void syntax(void **state) {
    (void)state;
    IS("[123][567]", "\\d+", "a: 123, 567");
    IS("[aXb,X]", "a(.)b", "aXb");
    IS("[ab,-,b]", "(x)?a(b)", "ab");
    IS("[a]", "(?i:A)", "a");
    IS("[Ab]", "(?i)a(?-i)b", "AB Ab");
    IS("[aa]", "a{2}", "aaa");
    IS("[a{2]", "a{2", "a{2");
    IS("[{x}]", "{x}", "{x}");
    IS("[a][a][a]", "a{1,2}?", "aaa");
    IS("[a][a]", "(?U)a+", "aa");
    IS("[ab]", "(?x) a  b # comment", "ab");
    IS("[a b]", "(?x)a\\ b", "a b");
    IS("[a][b]", "(?x)[a b]", "a b");
    IS("[][][]", "", "ab");
    IS("[][b][]", "b*", "abc"); /* no empty match right after "b" */
    IS("[x]", "\\x78", "x");
    IS("[\xC3\xA9]", "\\x{E9}", "\xC3\xA9");
    IS("[A]", "\\101", "A");
    IS("[A][A]", "\\u0041|\\U{41}", "AA");
    IS("[-][]][a]", "[]a-]", "-]a");
    IS("[&]", "[&]", "&");
    IS("[b][c]", "[a-c&&[^a]]", "abc");
    IS("[3]", "[0-9--4&&[34]]", "345");
    IS("[a][h]", "[a-g~~b-h]", "abgh");
    IS("", "[a&&b]", "ab");
    IS("[x]", "[a-y&&xyz]", "xz");
    IS("[a][Z]", "[[:alpha:]]", "a1Z");
    IS("[1]", "[[:^alpha:]]", "a1Z");
    IS("[\xCE\xB1]", "\\p{Greek}", "a\xCE\xB1");
    IS("[\xCE\xB1]", "[\\p{Greek}&&\\pL]", "a\xCE\xB1");
    IS("[\xCE\xB1]", "\\p{script=greek}", "a\xCE\xB1");
    IS("[A]", "\\p{Uppercase_Letter}", "aA");
    IS("[A]", "\\p{Uppercase}", "aA");
    IS("[a]", "\\P{Lu}", "Aa");
    IS("[a]", "[^\\p{Lu}]", "Aa");
    IS("[k,k]", "(?P<name>k)", "k");
}

static void names(void **state) {
    (void)state;
    kq_regex *re;
    kq_error err;
    assert_int_equal(kq_regex_create(KQ_SV("(?P<first>a)(?<second.2>b)(c)"), false, &re, &err), KQ_OK);
    assert_int_equal(kq_regex_groups(re), 3);
    assert_int_equal(kq_regex_group(re, KQ_SV("first")), 1);
    assert_int_equal(kq_regex_group(re, KQ_SV("second.2")), 2);
    assert_int_equal(kq_regex_group(re, KQ_SV("third")), -1);
    assert_int_equal(kq_regex_group(re, KQ_SV("")), -1);
    kq_regex_destroy(re);
    assert_int_equal(kq_regex_create(KQ_SV("powershell"), true, &re, &err), KQ_OK);
    assert_true(kq_regex_test(re, KQ_SV("C:\\PowerShell.exe")));
    kq_regex_destroy(re);
}

static void refusals(void **state) {
    (void)state;
    REFUSED("(?=a)");
    REFUSED("(?<!a)b");
    REFUSED("(a)\\8");
    REFUSED("(");
    REFUSED(")");
    REFUSED("[a");
    REFUSED("*a");
    REFUSED("a|*");
    REFUSED("(?i)*");
    REFUSED("\\");
    REFUSED("\\y");
    REFUSED("\\p{Nonsense}");
    REFUSED("[z-a]");
    REFUSED("[\\d-z]");
    REFUSED("a{2,1}");
    REFUSED("a{,2}");
    REFUSED("(?P<1a>x)");
    REFUSED("(?P<a>x)(?P<a>y)");
    REFUSED("(?i-u:a)");
    REFUSED("(?-u:.)");
    REFUSED("(?-u:\\W)");
    REFUSED("(?-u:[^a])");
    REFUSED("(?q)a");
    REFUSED("\\x{110000}");
    REFUSED("[\\b]");
    REFUSED("((a{1000}){1000}){1000}");
    char deep[4001];
    memset(deep, '(', 4000);
    deep[4000] = 0;
    REFUSED(deep);
    memset(deep, '[', 4000);
    REFUSED(deep);
    deep[0] = 'a';
    memset(deep + 1, '*', 3999);
    REFUSED(deep);
}

static void unicode(void **state) {
    (void)state;
    IS("[\xEF\xBC\x91]", "\\d", "\xEF\xBC\x91"); /* full-width one */
    IS("", "(?-u:\\d)", "\xEF\xBC\x91");
    IS("[caf\xC3\xA9]", "\\w+", "caf\xC3\xA9");
    IS("[caf]", "(?-u:\\w+)", "caf\xC3\xA9");
    IS("[\xC2\xA0]", "\\s", "a\xC2\xA0");
    IS("[\x0B]", "\\s", "a\x0B");
    IS("[a]", "\\S", "a\xC2\xA0");
    IS("[\xC3\xA9]", "(?i)\xC3\x89", "\xC3\xA9");
    IS("[\xE2\x84\xAA]", "(?i)k", "\xE2\x84\xAA");
    IS("[\xC3\xA9]", "(?i)[\xC3\x80-\xC3\x9E]", "\xC3\xA9");
    IS("[\xE2\x84\xAA][K]", "(?i)[a-z&&k]", "\xE2\x84\xAAK");
    IS("[-]", "(?i)\\W", "k-");
    IS("[-]", "(?i)[\\Wx]", "k-");
    IS("[1]", "(?i)\\P{Lu}", "aA1");
    IS("[1]", "(?i)[^\\p{Lu}]", "aA1");
    /* \b is Unicode's: an accented letter is a letter */
    IS("", "\\bcaf\\b", "caf\xC3\xA9");
    IS("[caf]", "(?-u)\\bcaf\\b", "caf\xC3\xA9");
    IS("[caf\xC3\xA9]", "\\bcaf\xC3\xA9\\b", "un caf\xC3\xA9!");
    IS("[caf]", "\\bcaf\\b", "caf \xC3\xA9");
    IS("[\xC3\xA9,\xC3\xA9]", "\\b(.)\\b", "\xC3\xA9");
    IS("[][]", "\\b", "\xC3\xA9");
    IS("[]", "\\B", "\xC3\xA9\xC3\xA9");
    IS("[a][\xC3\xA9]", "\\<.", "ab \xC3\xA9t");
    IS("[b][t]", ".\\>", "ab \xC3\xA9t");
    IS("[ab]", "\\b{start}ab\\b{end}", "xab ab");
    IS("[ab]", "(?mR)^ab$", "x\r\nab\r\n");
    IS("[b]", "(?m)^b$", "a\nb\nc");
    IS("", "b$", "b\n");
    IS("[b]", "b$", "b");
}

/* The walk over Unicode skips blocks: it must find what looking at each code point finds. */
static void tables(void **state) {
    (void)state;
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    static const char *const names[] = {"[\\w]", "[\\s]", "[\\d]", "\\p{Ll}", "\\p{Upper}", "\\p{Greek}", "\\p{Cn}"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        kq_re_tree tree;
        kq_error err;
        kq_re_ranges r;
        kq_re_ranges_init(&r, NULL);
        assert_int_equal(kq_re_parse(kq_sv_of(names[k]), false, &arena, &tree, &err), KQ_OK);
        assert_int_equal(kq_re_class_ranges(tree.root->child->cls, &r, &err), KQ_OK);
        size_t at = 0, n = kq_re_ranges_n(&r), greek = 0;
        const uint32_t *p = kq_re_ranges_at(&r);
        for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
            while (at < n && p[2 * at + 1] < cp) at++;
            bool in = at < n && p[2 * at] <= cp;
            greek += in;
            const char *c = kq_category(cp);
            bool want = k == 0   ? kq_re_is_word(cp)
                        : k == 1 ? kq_re_is_space(cp)
                        : k == 2 ? memcmp(c, "Nd", 2) == 0
                        : k == 3 ? memcmp(c, "Ll", 2) == 0
                        : k == 4 ? kq_is_upper(cp)
                        : k == 5 ? in
                                 : memcmp(c, "Cn", 2) == 0;
            if (in != want) fail_msg("%s: U+%04X", names[k], cp);
        }
        if (k == 5) assert_int_equal(greek, 518); /* Scripts.txt of Unicode 14 */
        kq_re_ranges_deinit(&r);
    }
    kq_arena_deinit(&arena);
}

static bool nullable(const kq_re_node *node) {
    switch (node->kind) {
    case KQ_RE_LITERAL:
    case KQ_RE_ANY:
    case KQ_RE_CLASS: return false;
    case KQ_RE_GROUP: return nullable(node->child);
    case KQ_RE_REPEAT: return node->min == 0 || nullable(node->child);
    case KQ_RE_CONCAT:
    case KQ_RE_ALTERNATE:
        for (const kq_re_node *c = node->child; c; c = c->next)
            if (nullable(c) == (node->kind == KQ_RE_ALTERNATE)) return node->kind == KQ_RE_ALTERNATE;
        return node->kind == KQ_RE_CONCAT;
    default: return true;
    }
}

/* Is something repeated that may be empty? There engines differ in which of several matches they prefer. */
static bool ambiguous(const kq_re_node *node) {
    if (node->kind == KQ_RE_REPEAT && nullable(node->child)) return true;
    for (const kq_re_node *c = node->child; c;
         c = node->kind == KQ_RE_REPEAT || node->kind == KQ_RE_GROUP ? NULL : c->next)
        if (ambiguous(c)) return true;
    return false;
}

/* RE2's spelling and our own machine must agree wherever both can run. */
static void both_engines(void **state) {
    (void)state;
    static const char *const parts[] = {
        "a", "b",   "k",        ".",           "\\w",  "\\W",         "\\d",  "\\s", "[^a]", "[a-k]", "(",
        ")", "(?:", "(?i:",     "|",           "*",    "+",           "?",    "*?",  "{2}",  "{1,3}", "{0,2}?",
        "^", "$",   "\xC3\xA9", "[\\w&&[^b]]", "(?i)", "[\xC3\xA9s]", "\\pL", "\\A", "\\z",  "(?m)"};
    uint64_t seed = 0x123456789ABCDEFu;
    int compared = 0;
    for (int round = 0; round < 1500; round++) {
        char pattern[256] = "", text[256];
        int n = 1 + (int)(naive_random(&seed) % 8);
        for (int i = 0; i < n; i++) strcat(pattern, parts[naive_random(&seed) % (sizeof parts / sizeof *parts)]);
        kq_regex *re;
        kq_error err;
        kq_arena arena;
        kq_re_tree tree;
        const kq_re_program *program;
        if (kq_regex_create(kq_sv_of(pattern), false, &re, &err) != KQ_OK) continue;
        kq_arena_init(&arena, NULL, 0);
        if (kq_re_parse(kq_sv_of(pattern), false, &arena, &tree, &err) != KQ_OK ||
            kq_re_compile(&tree, &arena, &program, &err) != KQ_OK)
            fail_msg("%s: %s", pattern, err.message);
        for (int i = 0; i < 4; i++) {
            kq_sv t = {text, naive_random_text(&seed, naive_random(&seed) % 12, text)};
            kq_sv a[4] = {{0}}, b[4] = {{0}};
            bool x, y;
            assert_int_equal(kq_regex_search(re, t, 0, a, 4, &x, &err), KQ_OK);
            assert_int_equal(kq_re_run(program, t, 0, b, 4, &y, &err), KQ_OK);
            if (x != y || (x && (a[0].p != b[0].p || (a[0].n != b[0].n && !ambiguous(tree.root)))))
                fail_msg("pattern '%s' text '%.*s': '%.*s' and '%.*s'", pattern, (int)t.n, t.p, x ? (int)a[0].n : 2,
                         x ? a[0].p : "--", y ? (int)b[0].n : 2, y ? b[0].p : "--");
            compared += x;
        }
        kq_arena_deinit(&arena);
        kq_regex_destroy(re);
    }
    assert_true(compared > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(syntax),   cmocka_unit_test(names),
                                       cmocka_unit_test(refusals), cmocka_unit_test(unicode),
                                       cmocka_unit_test(tables),   cmocka_unit_test(both_engines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
