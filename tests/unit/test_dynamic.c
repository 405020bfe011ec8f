/* dynamic: the encoding, its builders and readers, and the JSON parser. */
#include "column/decimal.h"
#include "column/dynamic.h"
#include <cmocka.h>
#include <math.h>

static kq_dyn parse(kq_buf *b, const char *text) {
    kq_buf_clear(b);
    if (!kq_dyn_parse_json(kq_sv_of(text), b)) fail_msg("refused: %s", text);
    return kq_buf_view(b);
}

static void check_print(kq_dyn d, const char *want) {
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    kq_dyn_json(d, &out);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, want);
    kq_buf_deinit(&out);
}

static void test_json(void **state) {
    (void)state;
    static const char *const same[] = {"null",
                                       "true",
                                       "false",
                                       "0",
                                       "-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "\"\"",
                                       "\"a\"",
                                       "[]",
                                       "{}",
                                       "[1,[2,[]],{\"a\":{}}]",
                                       "{\"b\":1,\"a\":[true,null]}",
                                       "1.5",
                                       "118.0",
                                       "\"\\u0001\\\"\\\\\\n\"",
                                       "[null]"};
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) check_print(parse(&b, same[i]), same[i]);
    check_print(parse(&b, " { \"a\" : [ 1 , 2 ] }\r\n\t"), "{\"a\":[1,2]}");
    check_print(parse(&b, "9223372036854775808"), "9.223372036854776E+18");
    check_print(parse(&b, "-0"), "0");
    check_print(parse(&b, "1e2"), "100.0");
    check_print(parse(&b, "[1e999,-1e999]"), "[\"Infinity\",\"-Infinity\"]");
    check_print(parse(&b, "\"\\ud83d\\ude00\\u00e9\\/\""), "\"\xF0\x9F\x98\x80\xC3\xA9/\"");
    check_print(parse(&b, "\"\\ud83d|\\ude00|\\ud83d\\u0041\""), "\"\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD"
                                                                 "A\"");
    check_print(parse(&b, "\"a\xFFz\xC3\""), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
    check_print(parse(&b, "{\"a\":1,\"b\":2,\"a\":{\"c\":3,\"c\":4}}"), "{\"a\":{\"c\":4},\"b\":2}");
    kq_buf_deinit(&b);
}

static void test_json_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",        " ",           "nul",     "tru",     "01",   "-",
                                      "1.",      ".5",          "1e",      "+1",      "[1,]", "[1",
                                      "{\"a\"}", "{\"a\":",     "{1:2}",   "{'a':1}", "\"a",  "\"\t\"",
                                      "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "[1] x",   "NaN",  "\"\\"};
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_dyn_put_long(&b, 7);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (kq_dyn_parse_json(kq_sv_of(bad[i]), &b)) fail_msg("taken: %s", bad[i]);
        assert_int_equal(b.n, 9);
    }
    char deep[2 * KQ_DYN_DEPTH + 2];
    memset(deep, '[', KQ_DYN_DEPTH + 1);
    memset(deep + KQ_DYN_DEPTH + 1, ']', KQ_DYN_DEPTH + 1);
    assert_false(kq_dyn_parse_json((kq_sv){deep, sizeof deep}, &b));
    assert_true(kq_dyn_parse_json((kq_sv){deep + 1, sizeof deep - 2}, &b));
    kq_buf_deinit(&b);
}

static void test_access(void **state) {
    (void)state;
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_dyn d = parse(&b, "{\"a\":[10,\"x\",null],\"\":2.5,\"long key that is not inline\":true}");
    assert_int_equal(kq_dyn_count(d), 3);
    kq_dyn a = kq_dyn_get(d, KQ_SV("a"));
    assert_int_equal(kq_dyn_count(a), 3);
    assert_int_equal(kq_dyn_value(kq_dyn_element(a, 0)).u.l, 10);
    assert_true(kq_sv_eq(kq_dyn_string(kq_dyn_element(a, 1)), KQ_SV("x")));
    assert_int_equal(kq_dyn_tag_of(kq_dyn_element(a, 2)), KQ_DYN_NULL);
    assert_int_equal(kq_dyn_element(a, 3).n, 0);
    assert_true(kq_dyn_value(kq_dyn_get(d, KQ_SV(""))).u.r == 2.5);
    assert_int_equal(kq_dyn_get(d, KQ_SV("A")).n, 0);
    assert_int_equal(kq_dyn_get(a, KQ_SV("a")).n, 0);
    assert_int_equal(kq_dyn_element(d, 0).n, 0);
    kq_sv key;
    kq_dyn v = kq_dyn_entry(d, 2, &key);
    assert_true(kq_sv_eq(key, KQ_SV("long key that is not inline")));
    assert_int_equal(kq_dyn_value(v).u.b, 1);
    assert_string_equal(kq_dyn_type_name(d), "dictionary");
    assert_int_equal(kq_dyn_count((kq_dyn){NULL, 0}), 0);
    assert_true(kq_dyn_value((kq_dyn){NULL, 0}).null);
    kq_buf_deinit(&b);
}

static void test_builder(void **state) {
    (void)state;
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_dyn_builder outer, inner;
    kq_dyn_open(&outer, &b, true);
    kq_dyn_key(&outer, KQ_SV("t"));
    kq_dyn_put_ticks(&b, KQ_DYN_DATETIME, 0);
    kq_dyn_part(&outer);
    kq_dyn_key(&outer, KQ_SV("list"));
    kq_dyn_open(&inner, &b, false);
    kq_value v = {.type = KQ_GUID, .u.g = {{0xAB}}};
    kq_dyn_put_value(&b, &v);
    kq_dyn_part(&inner);
    v = (kq_value){.type = KQ_INT, .u.i = -5};
    kq_dyn_put_value(&b, &v);
    kq_dyn_part(&inner);
    kq_dyn_put_real(&b, NAN);
    kq_dyn_part(&inner);
    kq_dyn_close(&inner);
    kq_dyn_part(&outer);
    kq_dyn_key(&outer, KQ_SV("t"));
    kq_dyn_put_ticks(&b, KQ_DYN_TIMESPAN, 10000000);
    kq_dyn_part(&outer);
    kq_dyn_close(&outer);
    check_print(kq_buf_view(&b), "{\"t\":\"00:00:01\",\"list\":[\"ab000000-0000-0000-0000-000000000000\",-5,\"NaN\"]}");
    kq_buf_deinit(&b);
}

/* Many keys go through sorting instead of comparing all pairs. */
static void test_many_keys(void **state) {
    (void)state;
    kq_buf text, b;
    kq_buf_init(&text, NULL, 0);
    kq_buf_init(&b, NULL, 0);
    kq_buf_char(&text, '{');
    for (int i = 0; i < 100000; i++) kq_buf_printf(&text, "%s\"k%d\":%d", i ? "," : "", i % 50000, i);
    kq_buf_char(&text, '}');
    assert_true(kq_dyn_parse_json(kq_buf_view(&text), &b));
    kq_dyn d = kq_buf_view(&b);
    assert_int_equal(kq_dyn_count(d), 50000);
    for (uint32_t i = 0; i < 50000; i += 777) {
        kq_sv key;
        assert_int_equal(kq_dyn_value(kq_dyn_entry(d, i, &key)).u.l, i + 50000);
    }
    kq_buf_deinit(&text);
    kq_buf_deinit(&b);
}

static void test_order(void **state) {
    (void)state;
    static const char *const ascending[] = {
        "null",  "false", "true", "-2",  "1",        "1.5", "2",  "9007199254740993", "1e30", "\"\"",
        "\"a\"", "\"b\"", "[]",   "[1]", "[1,null]", "[2]", "{}", "{\"a\":1}"};
    kq_buf a, b;
    kq_buf_init(&a, NULL, 0);
    kq_buf_init(&b, NULL, 0);
    size_t n = sizeof ascending / sizeof *ascending;
    for (size_t i = 0; i < n; i++) {
        kq_dyn x = parse(&a, ascending[i]);
        for (size_t k = 0; k < n; k++) {
            kq_dyn y = parse(&b, ascending[k]);
            int c = kq_dyn_cmp(x, y);
            if (c != (i < k ? -1 : i > k)) fail_msg("%s against %s: %d", ascending[i], ascending[k], c);
            assert_int_equal(kq_dyn_eq(x, y), i == k);
        }
    }
    kq_buf_deinit(&a);
    kq_buf_deinit(&b);
}

/* A refused allocation leaves a failed buffer, whatever allocation it is. */
static void test_memory(void **state) {
    (void)state;
    for (long n = 0; n < 40; n++) {
        kq_buf b;
        kq_buf_init(&b, NULL, 0);
        kq_alloc_fail_at(n, false);
        bool ok = kq_dyn_parse_json(
            KQ_SV("{\"a\":[1,2,3,[4]],\"b\":{\"c\":\"some longer text to grow the buffer with\"},\"a\":1}"), &b);
        kq_alloc_fail_at(-1, false);
        assert_true(ok || kq_buf_status(&b, NULL) == KQ_ERR_NOMEM);
        if (ok) assert_int_equal(b.failed, KQ_OK);
        kq_buf_deinit(&b);
    }
}

/* Characters to be escaped at each place of texts of all lengths: written, they are what each of them is alone, and
 * read they are themselves. */
static void escapes_anywhere(void **state) {
    (void)state;
    static const char *const odd[] = {"\"", "\\", "/", "\n", "\x01", "\x7f", "\xC3\xA9", "\xFF"};
    kq_buf whole, parts, dyn;
    kq_buf_init(&whole, NULL, 0);
    kq_buf_init(&parts, NULL, 0);
    kq_buf_init(&dyn, NULL, 0);
    for (size_t n = 1; n < 52; n++)
        for (size_t at = 0; at < n; at++)
            for (size_t o = 0; o < sizeof odd / sizeof *odd; o++) {
                char text[64];
                size_t len = strlen(odd[o]), used = n - 1 + len;
                for (size_t i = 0; i < 64; i++) text[i] = i % 7 == 3 ? '\\' : (char)('a' + i % 26);
                memcpy(text + at, odd[o], len);
                kq_buf_clear(&whole);
                kq_buf_clear(&parts);
                kq_json_string((kq_sv){text, used}, &whole);
                kq_buf_char(&parts, '"');
                for (size_t i = 0, step; i < used; i += step) {
                    step = i == at ? len : 1;
                    kq_buf_clear(&dyn);
                    kq_json_string((kq_sv){text + i, step}, &dyn);
                    kq_buf_append(&parts, dyn.p + 1, dyn.n - 2);
                }
                kq_buf_char(&parts, '"');
                assert_int_equal(whole.n, parts.n);
                assert_memory_equal(whole.p, parts.p, parts.n);
                kq_buf_clear(&dyn);
                assert_true(kq_dyn_parse_json(kq_buf_view(&whole), &dyn));
                kq_sv back = kq_dyn_string(kq_buf_view(&dyn));
                if ((unsigned char)odd[o][0] == 0xFF) continue;
                assert_int_equal(back.n, used);
                assert_memory_equal(back.p, text, used);
            }
    kq_buf_deinit(&whole);
    kq_buf_deinit(&parts);
    kq_buf_deinit(&dyn);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json),      cmocka_unit_test(test_json_refused),
                                       cmocka_unit_test(test_access),    cmocka_unit_test(test_builder),
                                       cmocka_unit_test(test_many_keys), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_memory),    cmocka_unit_test(escapes_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
