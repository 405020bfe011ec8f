/* Functions over strings, called by name. */
#include "call.h"
#include <cmocka.h>

#define IS(want, ...) assert_string_equal(CALL(__VA_ARGS__), want)

static void test_size(void **state) {
    (void)state;
    IS("4", "strlen", S("caf\xC3\xA9"));
    IS("5", "string_size", S("caf\xC3\xA9"));
    IS("0", "strlen", S(""));
    IS("1", "strcmp", S("abc"), S("ABC"));
    IS("-1", "strcmp", S("ABC"), S("abc"));
    IS("1", "strcmp", S("abcde"), S("abc"));
    IS("true", "isascii", S("plain"));
    IS("false", "isascii", S("caf\xC3\xA9"));
    IS("true", "isutf8", S("caf\xC3\xA9\xEF\xBF\xBD"));
    IS("false", "isutf8", S("\xC3"));
}

static void test_indexof(void **state) {
    (void)state;
    IS("2", "indexof", S("abcdefg"), S("cde"));
    IS("2", "indexof", S("abcdefg"), S("cde"), L(1), L(4));
    IS("2", "indexof", S("abcdefg"), S("cde"), L(1), L(2));
    IS("-1", "indexof", S("abcdefg"), S("cde"), L(1), L(1));
    IS("-1", "indexof", S("abcdefg"), S("cde"), L(3), L(4));
    IS("2", "indexof", S("abcdefg"), S("cde"), L(-5));
    IS("4", "indexof", L(1234567), L(5), L(1), L(4));
    IS("2", "indexof", S("abcdefg"), S("cde"), L(2), L(-1));
    IS("9", "indexof", S("abcdefgabcdefg"), S("cde"), L(1), L(10), L(2));
    IS("-1", "indexof", S("abcdefgabcdefg"), S("cde"), L(1), L(-1), L(3));
    IS("null", "indexof", S("abc"), S(""));
    IS("null", "indexof", S("abc"), S("a"), L(0), L(-2));
    IS("-1", "indexof", S("''"), S("'"), L(3));
    IS("3", "indexof", S("caf\xC3\xA9"), S("\xC3\xA9"));
    IS("2", "indexof", S("\xC3\xA9x\xC3\xA9"), S("\xC3\xA9"), L(1));
}

static void test_parts(void **state) {
    (void)state;
    IS("\"c\"", "substring", S("abc"), L(2), L(10));
    IS("\"bc\"", "substring", S("abc"), L(-2), L(5));
    IS("\"\"", "substring", S("x"), L(-2), L(5));
    IS("\"\"", "substring", S("hello"), L(-100), L(3));
    IS("\"\"", "substring", S("hello"), L(2), L(0));
    IS("\"\"", "substring", S("hello"), L(2), L(-1));
    IS("\"ell\"", "substring", S("hello"), L(1), L(3));
    IS("\"23456\"", "substring", S("123456"), L(1));
    IS("\"\"", "substring", S("hello"), L(INT64_MIN), L(INT64_MAX));
    IS("\"o\xF0\x9F\x98\x80\"", "substring", S("o\xF0\x9F\x98\x80x"), L(0), L(2));
    IS("[\"a\",\"\",\"b\"]", "split", S("a__b"), S("_"));
    IS("[\"bbb\"]", "split", S("aaa_bbb_ccc"), S("_"), L(1));
    IS("null", "split", S("aaa_bbb_ccc"), S("_"), L(3));
    IS("null", "split", S("aaa_bbb_ccc"), S("_"), L(-1));
    IS("[\"\"]", "split", S(""), S("_"));
    IS("[\"a\",\"\"]", "split", S("a_"), S("_"));
    IS("[\"abc\"]", "split", S("abc"), S(""));
}

static void test_joining(void **state) {
    (void)state;
    IS("\"a-1-True-2.0-\"", "strcat", S("a-"), L(1), S("-"), B(true), S("-"), R(2), S("-"), D("null"));
    IS("\"x{\\\"a\\\":[1]}true\"", "strcat", S("x"), D("{\"a\":[1]}"), D("true"));
    IS("\"1-2-A\"", "strcat_delim", S("-"), L(1), S("2"), S("A"));
    IS("\"1--3\"", "strcat_array", D("[1,null,3]"), S("-"));
    IS("\"\"", "strcat_array", D("[]"), S("-"));
    IS("\"ABCABC\"", "strrep", S("ABC"), L(2));
    IS("\"123.123.123\"", "strrep", L(123), L(3), S("."));
    IS("\"\"", "strrep", S("a"), L(0));
    IS("\"\"", "strrep", S(""), L(INT64_MAX));
}

static void test_change(void **state) {
    (void)state;
    IS("\"\xC3\xA5ngstr\xC3\xB6m\"", "tolower", S("\xC3\x85NGSTR\xC3\x96M"));
    IS("\"\xC3\x85NGSTR\xC3\x96M\"", "toupper", S("\xC3\xA5ngstr\xC3\xB6m"));
    IS("\"\xC3\xA9"
       "fac\"",
       "reverse", S("caf\xC3\xA9"));
    IS("\"54.321\"", "reverse", R(123.45));
    IS("\"\"", "reverse", S(""));
    IS("\"XYbcXYbc\"", "replace_string", S("abcabc"), S("a"), S("XY"));
    IS("\"abcabc\"", "replace_string", S("abcabc"), S(""), S("_"));
    IS("\"\"", "replace_string", S("abcabc"), S("abc"), S(""));
    IS("\"This was\"", "replace_strings", S("This is"), D("[\"This\",\"is\"]"), D("[\"This\",\"was\"]"));
    IS("\"Thwas was\"", "replace_strings", S("This is"), D("[\"is\",\"This\"]"), D("[\"was\",\"This\"]"));
    IS("\"This was\"", "replace_strings", S("This is"), D("[\"This\",\"is\"]"), D("[12345,\"was\"]"));
    IS("\"xxx\"", "translate", S("abc"), S("x"), S("abc"));
    IS("\"\"", "translate", S("abc"), S(""), S("ab"));
    IS("\"kusto\"", "translate", S("krasp"), S("otsku"), S("spark"));
    IS("\"a\xC3\xA9z\"", "translate", S("\xC3\xA4y"), S("\xC3\xA9z"), S("a\xC3\xA4y"));
    IS("[9382,75]", "unicode_codepoints_from_string", S("\xE2\x92\xA6K"));
    IS("\"Kusto\"", "unicode_codepoints_to_string", D("[75,117,115]"), L(116), L(111));
    IS("\"\"", "make_string", L(55296));
}

static void test_others(void **state) {
    (void)state;
    IS("\"5\"", "parse_version", S("0.0.0.5"));
    IS("\"300000000\"", "parse_version", S("0.0.3"));
    IS("\"1000000020000000300000004\"", "parse_version", S("1.2.3.4"));
    IS("\"1000000000000000000000000\"", "parse_version", S("1"));
    static const char *const bad[] = {"", "1.", ".1", "1.2.3.4.5", "a", "1.b", "123456789"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) IS("null", "parse_version", S(bad[i]));
    IS("\"564 Bytes\"", "format_bytes", L(564));
    IS("\"10.1 KB\"", "format_bytes", L(10332), L(1));
    IS("\"19 MB\"", "format_bytes", L(20010332));
    IS("\"19.08 MB\"", "format_bytes", L(20010332), L(2));
    IS("\"19541 KB\"", "format_bytes", L(20010332), L(0), S("KB"));
    IS("\"1 KB\"", "format_bytes", L(1024), L(2));
}

static int done(void **state) {
    (void)state;
    call_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_size),   cmocka_unit_test(test_indexof),
                                       cmocka_unit_test(test_parts),  cmocka_unit_test(test_joining),
                                       cmocka_unit_test(test_change), cmocka_unit_test(test_others)};
    return cmocka_run_group_tests(tests, NULL, done);
}
