/* Functions over dynamics, called by name. */
#include "call.h"
#include <cmocka.h>
#include <stdio.h>

#define IS(want, ...) assert_string_equal(CALL(__VA_ARGS__), want)

static void test_members(void **state) {
    (void)state;
    IS("1", "[]", D("{\"a\":1}"), S("a"));
    IS("null", "[]", D("{\"a\":1}"), S("A"));
    IS("null", "[]", D("{\"a\":null}"), S("a"));
    IS("\"a longer text\"", "[]", D("{\"x\":\"a longer text\"}"), S("x"));
    IS("3", "[]", D("[1,2,3]"), L(-1));
    IS("1", "[]", D("[1,2,3]"), L(0));
    IS("null", "[]", D("[1,2,3]"), L(3));
    IS("null", "[]", D("[1,2,3]"), L(-4));
    IS("null", "[]", D("{\"a\":1}"), L(0));
    IS("null", "[]", D("null"), S("a"));
    IS("2", "[]", D("[1,2,3]"), D("1"));
    IS("[7]", "[]", D("{\"a\":[7]}"), D("\"a\""));
}

static void test_json(void **state) {
    (void)state;
    IS("{\"a\":[1,2.5]}", "parse_json", S("{\"a\":[1,2.5]}"));
    IS("\"not json\"", "parse_json", S("not json"));
    IS("null", "parse_json", S(""));
    IS("null", "parse_json", S("null"));
    IS("[1]", "todynamic", D("[1]"));
    IS("5", "todynamic", L(5));
    IS("\"{\\\"a\\\":[15,{\\\"x\\\":1,\\\"y\\\":2}],\\\"b\\\":1}\"", "dynamic_to_json",
       D("{\"b\":1,\"a\":[15,{\"y\":2,\"x\":1}]}"));
    IS("\"John\"", "extract_json", S("$.name"), S("{\"name\":\"John\"}"));
    IS("\"2\"", "extract_json", S("$.a[1]['b c']"), S("{\"a\":[0,{\"b c\":2}]}"));
    IS("\"\"", "extract_json", S("$.b"), S("{\"a\":1}"));
    IS("\"\"", "extract_json", S("$.b"), S("broken"));
    IS("\"\"", "extract_json", S("$.["), S("{\"a\":1}"));
    IS("\"true\"", "extract_json", S("$[0]"), S("[true]"));
    IS("[\"['a']\",\"['c']\"]", "treepath", D("{\"a\":\"b\",\"c\":1}"));
    IS("[\"['p']\",\"['p'][0]\",\"['p'][0]['x']\",\"['q']\"]", "treepath", D("{\"p\":[1,2,{\"x\":1}],\"q\":2}"));
    IS("null", "treepath", D("5"));
}

static void test_arrays(void **state) {
    (void)state;
    IS("3", "array_length", D("[1,2,3]"));
    IS("null", "array_length", D("{\"a\":1}"));
    IS("[1,2,99]", "array_concat", D("[1,2]"), D("null"), D("[99]"));
    IS("null", "array_concat", D("null"));
    const char *words = "[\"we\",\"go\",\"to\",\"school\",\"to\",\"school\"]";
    IS("2", "array_index_of", D(words), S("to"));
    IS("3", "array_index_of", D(words), S("school"), L(1), L(3));
    IS("-1", "array_index_of", D(words), S("school"), L(1), L(2));
    IS("-1", "array_index_of", D(words), S("go"), L(2), L(4));
    IS("3", "array_index_of", D(words), S("school"), L(2), L(-1));
    IS("4", "array_index_of", D(words), S("to"), L(1), L(-1), L(2));
    IS("-1", "array_index_of", D(words), S("to"), L(1), L(-1), L(3));
    IS("4", "array_index_of", D(words), S("to"), L(-3));
    IS("-1", "array_index_of", D(words), S("go"), L(-4));
    IS("null", "array_index_of", D(words), S("go"), L(0), L(-2));
    IS("1", "array_index_of", D("[1,2.0]"), L(2));
    IS("[2,3]", "array_slice", D("[1,2,3]"), L(1), L(2));
    IS("[3,4,5]", "array_slice", D("[1,2,3,4,5]"), L(2), L(-1));
    IS("[3,4]", "array_slice", D("[1,2,3,4,5]"), L(-3), L(-2));
    IS("[1]", "array_slice", D("[1]"), L(INT64_MIN), L(INT64_MAX));
    IS("[]", "array_slice", D("[1]"), L(0), L(INT64_MIN));
    IS("[]", "array_slice", D("[1]"), L(1), L(5));
    IS("[[1,2],[3,4,5]]", "array_split", D("[1,2,3,4,5]"), L(2));
    IS("[[1],[2,3],[4,5]]", "array_split", D("[1,2,3,4,5]"), D("[1,3]"));
    IS("[[1,2,3,4],[5]]", "array_split", D("[1,2,3,4,5]"), L(-1));
    IS("[3,2,1]", "array_reverse", D("[1,2,3]"));
    IS("[3,4,5,1,2]", "array_rotate_left", D("[1,2,3,4,5]"), L(2));
    IS("[4,5,1,2,3]", "array_rotate_left", D("[1,2,3,4,5]"), L(-7));
    IS("[4,5,1,2,3]", "array_rotate_right", D("[1,2,3,4,5]"), L(2));
    IS("[]", "array_rotate_right", D("[]"), L(2));
    IS("[3,4,5,null,null]", "array_shift_left", D("[1,2,3,4,5]"), L(2));
    IS("[-1,-1,1,2,3]", "array_shift_left", D("[1,2,3,4,5]"), L(-2), L(-1));
    IS("[null,1]", "array_shift_right", D("[1,2]"), L(1));
    IS("[\"\",\"a\"]", "array_shift_right", D("[\"a\",\"b\"]"), L(1));
    IS("[null,null]", "array_shift_right", D("[1,2]"), L(INT64_MIN));
    IS("[1,5,3]", "array_iff", D("[true,false,true]"), D("[1,2,3]"), D("[4,5,6]"));
    IS("[\"yes\",\"no\",\"yes\"]", "array_iff", D("[1,0,50]"), S("yes"), S("no"));
    IS("[null,null]", "array_iff", D("[\"x\",null]"), L(1), L(0));
    IS("[1,2,null]", "array_iif", D("[true,true,true]"), D("[1,2]"), D("[3,4]"));
    IS("4.0", "array_sum", D("[1,null,3]"));
    IS("null", "array_sum", D("[]"));
    IS("null", "array_sum", D("[\"a\"]"));
    IS("[1,\"a\",null,[2]]", "pack_array", L(1), S("a"), D("null"), D("[2]"));
    IS("[1,1,1]", "repeat", L(1), L(3));
    IS("[]", "repeat", L(1), L(0));
    IS("null", "repeat", L(1), L(-1));
    IS("[[\"A\",{}],[1,\"B\"],[1.5,null]]", "zip", D("[\"A\",1,1.5]"), D("[{},\"B\"]"));
}

static void test_sort(void **state) {
    (void)state;
    IS("[1,2,3]", "array_sort_asc", D("[3,1,2]"));
    IS("[3,2,1]", "array_sort_desc", D("[3,1,2]"));
    IS("[1,3,null]", "array_sort_asc", D("[1,null,3]"));
    IS("[null,null,\"blue\",\"green\"]", "array_sort_asc", D("[null,\"green\",\"blue\",null]"), B(false));
    IS("[null,\"green\",\"blue\"]", "array_sort_desc", D("[null,\"blue\",\"green\"]"), B(false));
    IS("[[1,2,3],[\"a\",\"c\",\"b\"]]", "array_sort_asc", D("[1,3,2]"), D("[\"a\",\"b\",\"c\"]"));
    IS("[[1,2,3],null]", "array_sort_asc", D("[1,3,2]"), D("[\"a\",\"b\"]"));
    IS("[1,2.5,9,\"a\",\"b\",true,[1],null]", "array_sort_asc", D("[true,\"b\",9,[1],null,1,\"a\",2.5]"));
    IS("null", "array_sort_asc", D("{}"));
    IS("null", "array_sort_asc", D("null"));
}

static void test_bags(void **state) {
    (void)state;
    IS("{\"name\":\"alice\",\"age\":30}", "pack", S("name"), S("alice"), S("age"), L(30));
    IS("[\"a\",\"b\"]", "bag_keys", D("{\"a\":1,\"b\":{\"c\":1}}"));
    IS("[]", "bag_keys", D("{}"));
    IS("null", "bag_keys", D("[]"));
    IS("{\"a\":1,\"b\":2,\"c\":4}", "bag_merge", D("{\"a\":1,\"b\":2}"), D("null"), D("{\"b\":3,\"c\":4}"));
    IS("null", "bag_merge", D("null"), D("[]"));
    IS("{\"one\":123}", "bag_remove_keys", D("{\"one\":123,\"two\":\"abc\"}"), D("[\"two\",\"four\",1]"));
    IS("{\"one\":123,\"two\":{\"other\":\"xyz\"}}", "bag_remove_keys",
       D("{\"one\":123,\"two\":{\"inner\":\"abc\",\"other\":\"xyz\"},\"three\":[100]}"),
       D("[\"$.two.inner\",\"three\"]"));
    IS("{\"a\":{\"b\":{\"d\":2}},\"x\":1}", "bag_remove_keys", D("{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":5},\"x\":1}"),
       D("[\"$.a.b.c\",\"$.a.e\",\"$.x.y\",\"$.a[0]\"]"));
    IS("true", "bag_has_key", D("{\"two\":{\"inner\":1}}"), S("$.two.inner"));
    IS("true", "bag_has_key", D("{\"a\":null}"), S("a"));
    IS("false", "bag_has_key", D("{\"a\":1}"), S("b"));
    IS("{\"one\":1,\"two\":2,\"three\":3}", "bag_set_key", D("{\"one\":1,\"two\":2}"), S("three"), L(3));
    IS("{\"one\":123,\"two\":{\"other\":\"xyz\",\"inner\":\"abc\"}}", "bag_set_key",
       D("{\"one\":123,\"two\":{\"inner\":123,\"other\":\"xyz\"}}"), S("$.two.inner"), S("abc"));
    IS("{\"one\":123,\"two\":{\"inner\":\"abc\"}}", "bag_set_key", D("{\"one\":123}"), S("$.two.inner"), S("abc"));
    IS("{\"a\":null,\"b\":null}", "bag_zip", D("[\"a\",8,\"b\"]"), D("1"));
    IS("{\"a\":1,\"b\":2.5}", "bag_zip", D("[\"a\",8,\"b\"]"), D("[1,\"2\",2.5]"));
    IS("null", "bag_zip", D("\"a\""), D("[1]"));
}

static void test_sets(void **state) {
    (void)state;
    IS("[1,2,3,4]", "set_union", D("[1,2]"), D("[2,3,4]"));
    IS("[\"A4\",\"A2\"]", "set_union", D("[\"A4\",\"A2\",\"A4\"]"), D("null"));
    IS("null", "set_union", D("null"), D("null"));
    IS("[2]", "set_intersect", D("[1,2,2]"), D("[2,3]"), D("[2,4]"));
    IS("[]", "set_intersect", D("[1,2]"), D("null"));
    IS("[4]", "set_difference", D("[1,2,1,4]"), D("[1,2]"), D("[1,2,8]"));
    IS("true", "set_has_element", D("[1,2,3]"), L(2));
    IS("false", "set_has_element", D("[1,2,3]"), S("2"));
    IS("0.75", "jaccard_index", D("[1,2,3]"), D("[1,2,3,4,4]"));
    char many[200000];
    size_t n = 0;
    many[n++] = '[';
    for (int i = 0; i < 20000; i++) n += (size_t)sprintf(many + n, "%s%d", i ? "," : "", i % 10000);
    many[n++] = ']';
    many[n] = 0;
    kq_value u = D(many);
    const char *all = CALL("set_union", u, u);
    assert_true(strstr(all, ",9999]") != NULL && strstr(all, ",9999,0") == NULL);
}

static int done(void **state) {
    (void)state;
    call_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_members), cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_arrays),  cmocka_unit_test(test_sort),
                                       cmocka_unit_test(test_bags),    cmocka_unit_test(test_sets)};
    return cmocka_run_group_tests(tests, NULL, done);
}
