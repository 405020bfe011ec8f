/* String operators and functions over regular expressions, called by name. */
#include "call.h"
#include "func/scalar.h"
#include <cmocka.h>

#define IS(want, ...) assert_string_equal(CALL(__VA_ARGS__), want)
#define YES(...)      IS("true", __VA_ARGS__)
#define NO(...)       IS("false", __VA_ARGS__)

static void operators(void **state) {
    (void)state;
    YES("has", S("CMD.EXE /c"), S("cmd"));
    NO("!has", S("CMD.EXE /c"), S("cmd"));
    NO("has_cs", S("CMD.EXE"), S("cmd"));
    YES("!has_cs", S("CMD.EXE"), S("cmd"));
    YES("hasprefix", S("x alpha"), S("ALPH"));
    NO("!hasprefix", S("x alpha"), S("ALPH"));
    NO("hasprefix_cs", S("x alpha"), S("ALPH"));
    YES("!hasprefix_cs", S("x alpha"), S("ALPH"));
    YES("hassuffix", S("weekend."), S("END"));
    NO("!hassuffix", S("weekend."), S("END"));
    NO("hassuffix_cs", S("weekend."), S("END"));
    YES("!hassuffix_cs", S("weekend."), S("END"));
    YES("contains", S("FabriKam"), S("BRik"));
    NO("!contains", S("FabriKam"), S("BRik"));
    NO("contains_cs", S("FabriKam"), S("BRik"));
    YES("!contains_cs", S("FabriKam"), S("BRik"));
    YES("startswith", S("Fabrikam"), S("fab"));
    NO("!startswith", S("Fabrikam"), S("fab"));
    NO("startswith_cs", S("Fabrikam"), S("fab"));
    YES("!startswith_cs", S("Fabrikam"), S("fab"));
    YES("endswith", S("Fabrikam"), S("KAM"));
    NO("!endswith", S("Fabrikam"), S("KAM"));
    NO("endswith_cs", S("Fabrikam"), S("KAM"));
    YES("!endswith_cs", S("Fabrikam"), S("KAM"));
    YES("=~", S("abc"), S("ABC"));
    NO("!~", S("abc"), S("ABC"));
    YES("!~", S("abc"), S("ABD"));
    YES("matches regex", S("a1"), S("\\d"));
    NO("matches regex", S("a"), S("\\d"));
}

static void lists(void **state) {
    (void)state;
    YES("in", S("a"), S("b"), S("a"));
    NO("in", S("a"), S("b"), S("A"));
    YES("in~", S("a"), S("b"), S("A"));
    NO("!in", S("a"), S("b"), S("a"));
    NO("!in~", S("a"), S("b"), S("A"));
    YES("in", S("a"), D("[\"b\",[\"a\"]]"));
    YES("in~", S("a"), D("[\"b\",[\"A\"]]"));
    NO("in", S("a"), D("[]"));
    YES("!in", S("a"), D("[]"));
    YES("in", S("1"), D("[1]"));
    YES("in", L(3), L(1), L(2), L(3));
    NO("in", L(3), L(1));
    YES("in", L(3), D("[1,3.0]"));
    NO("in", L(3), D("[1,3.5]"));
    YES("in", L(3), D("[\"3\"]"));
    YES("in", R(0.0), R(-0.0));
    NO("in", R(__builtin_nan("")), R(__builtin_nan("")));
    YES("in", B(true), B(false), B(true));
    NO("in", (kq_value){.type = KQ_LONG, .null = true}, L(1));
    YES("!in", (kq_value){.type = KQ_LONG, .null = true}, L(1));
    YES("in", (kq_value){.type = KQ_DATETIME, .u.l = INT64_C(637134336000000000)}, D("[\"2020-01-01\"]"));
    YES("in", (kq_value){.type = KQ_TIMESPAN, .u.l = INT64_C(864000000000)}, D("[\"1.00:00:00\"]"));
    YES("in", (kq_value){.type = KQ_GUID, .u.g.b = {0x74, 0xbe, 0x27, 0xde}},
        D("[\"74BE27DE-0000-0000-0000-000000000000\"]"));
    YES("has_any", S("run whoami now"), S("net"), S("WHOAMI"));
    NO("has_any", S("run whoamis now"), S("net"), S("WHOAMI"));
    YES("has_any", S("run whoami now"), D("[\"net\",\"whoami\"]"));
    NO("has_any", S("x"), D("[]"));
    YES("has_all", S("run whoami now"), S("now"), S("run"));
    NO("has_all", S("run whoami now"), S("now"), S("ran"));
    YES("has_all", S("run whoami now"), D("[\"now\",\"run\"]"));
    IS("0", "has_any_index", S("this is an example"), D("[\"this\",\"example\"]"));
    IS("1", "has_any_index", S("this is an example"), D("[\"not\",\"example\"]"));
    IS("-1", "has_any_index", S("this is an example"), D("[\"not\",\"found\"]"));
    IS("1", "has_any_index", S("Example number 2"), D("[1,2,3]"));
    IS("-1", "has_any_index", S("this"), D("[]"));
}

static void extraction(void **state) {
    (void)state;
    IS("\"12\"", "extract", S("-(\\d{2})-"), L(1), S("15-12-2024"));
    IS("\"-12-\"", "extract", S("-(\\d{2})-"), L(0), S("15-12-2024"));
    IS("\"\"", "extract", S("-(\\d{2})-"), L(2), S("15-12-2024"));
    IS("\"\"", "extract", S("x(\\d)"), L(1), S("15-12-2024"));
    IS("[\"123\",\"567\",\"789\"]", "extract_all", S("(\\d+)"), S("a set of numbers: 123, 567 and 789"));
    IS("[[\"a\",\"1\"],[\"b\",\"\"]]", "extract_all", S("([a-z])(\\d)?"), S("a1b"));
    IS("null", "extract_all", S("(\\d+)"), S("none"));
    IS("[[\"8\",\"d\"],[\"d\",\"7\"]]", "extract_all", S("(\\w)(\\w+)(\\w)"), D("[1,3]"), S("82b8be2d-dfa7"));
    IS("[\"b\"]", "extract_all", S("(a)(b)"), D("[2]"), S("ab"));
    IS("[[\"8\",\"2b8be2\",\"d\"]]", "extract_all", S("(?P<first>\\w)(?P<middle>\\w+)(?P<last>\\w)"),
       D("[\"first\",2,\"last\"]"), S("82b8be2d"));
}

static void rewriting(void **state) {
    (void)state;
    IS("\"Number was: 1\"", "replace_regex", S("Number is 1"), S("is (\\d+)"), S("was: \\1"));
    IS("\"[one] [two]\"", "replace_regex", S("one two"), S("\\w+"), S("[\\0]"));
    IS("\"-a-b-\"", "replace_regex", S("ab"), S("x*"), S("-"));
    IS("\"a\\\\b\"", "replace_regex", S("a/b"), S("/"), S("\\\\"));
    IS("\"\xC3\xA9-\xC3\xA9\"", "replace_regex", S("\xC3\xA9 \xC3\xA9"), S("\\b \\b"), S("-"));
    IS("\"\"", "replace_regex", S(""), S("x"), S("-"));
    IS("\"-\"", "replace_regex", S(""), S("x*"), S("-"));
    IS("\"was 1\"", "replace", S("is"), S("was"), S("is 1"));
    IS("\"xabcx\"", "trim", S("x"), S("xxabcxx"));
    IS("\"x\"", "trim", S("x"), S("xxx"));
    IS("\"y\"", "trim", S("y"), S("yyy"));
    IS("\"\"", "trim", S("x"), S("x"));
    IS("\"Te st1\"", "trim", S("[^\\w]+"), S("-  Te st1// $"));
    IS("\"xabcxx\"", "trim_start", S("x"), S("xxabcxx"));
    IS("\"bing\"", "trim_end", S(".com"), S("bing.com"));
}

static void counting(void **state) {
    (void)state;
    IS("3", "countof", S("aaa"), S("a"));
    IS("3", "countof", S("aaaa"), S("aa"));
    IS("2", "countof", S("ababa"), S("ab"), S("normal"));
    IS("2", "countof", S("ababa"), S("aba"));
    IS("1", "countof", S("ababa"), S("aba"), S("regex"));
    IS("2", "countof", S("abcabc"), S("a.c"), S("regex"));
    IS("0", "countof", S("abc"), S(""));
    IS("0", "indexof_regex", S("abcabc"), S("a.c"));
    IS("3", "indexof_regex", S("abcabcdefg"), S("a.c"), L(0), L(9), L(2));
    IS("-1", "indexof_regex", S("abcabc"), S("a.c"), L(1), L(-1), L(2));
    IS("-1", "indexof_regex", S("ababaa"), S("a.a"), L(0), L(-1), L(2));
    IS("null", "indexof_regex", S("abcabc"), S("a|ab"), L(-1));
    IS("1", "indexof_regex", S("\xC3\xA9x"), S("x"));
    IS("\"\\\\(so\\\\$me\\\\.Te\\\\^xt\\\\)\"", "regex_quote", S("(so$me.Te^xt)"));
}

static void refusals(void **state) {
    (void)state;
    /* by prepare where the pattern is constant, by the call where it is not */
    assert_non_null(strstr(CALL("matches regex", S("a"), S("(")), "refused"));
    assert_non_null(strstr(CALL("extract_all", S("a"), S("a")), "refused"));
    assert_non_null(strstr(CALL("extract_all", S("(a)"), D("[2]"), S("a")), "refused"));
    assert_non_null(strstr(CALL("trim", S("a)(b"), S("a")), "refused"));
    assert_non_null(strstr(CALL("countof", S("a"), S("a"), S("other")), "refused"));
}

static int done(void **state) {
    (void)state;
    call_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(operators),  cmocka_unit_test(lists),
                                       cmocka_unit_test(extraction), cmocka_unit_test(rewriting),
                                       cmocka_unit_test(counting),   cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, done);
}
