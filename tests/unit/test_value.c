/* Values outside of vectors: texts, JSON cells, literals, order, hashes. */
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include "column/value.h"
#include "text/predicate.h"
#include <cmocka.h>

static const char *shown(const kq_value *v, void (*print)(const kq_value *, kq_buf *)) {
    static char text[256];
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    print(v, &b);
    kq_buf_char(&b, 0);
    assert_true(b.n <= sizeof text);
    memcpy(text, b.p, b.n);
    kq_buf_deinit(&b);
    return text;
}

static kq_value ticks(kq_type type, int64_t l) {
    return (kq_value){.type = type, .u.l = l};
}

static void test_texts(void **state) {
    (void)state;
    kq_buf json;
    kq_buf_init(&json, NULL, 0);
    assert_true(kq_dyn_parse_json(KQ_SV("{\"a\": [1, true, null]}"), &json));
    kq_value dynamic = {.type = KQ_DYNAMIC, .u.s = kq_str_sv(kq_buf_view(&json))};
    kq_value decimal = {.type = KQ_DECIMAL};
    assert_true(kq_decimal_parse(KQ_SV("1.50"), &decimal.u.m));
    kq_value guid = {.type = KQ_GUID, .u.g = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}}};
    const struct {
        kq_value v;
        const char *text, *json, *literal;
    } rows[] = {
        {kq_value_bool(true), "True", "true", "true"},
        {kq_value_long(-5), "-5", "-5", "long(-5)"},
        {kq_value_null(KQ_INT), "", "null", "int(null)"},
        {kq_value_real(1), "1.0", "1.0", "real(1.0)"},
        {kq_value_real(-__builtin_inf()), "-Infinity", "\"-Infinity\"", "real(-inf)"},
        {decimal, "1.50", "\"1.50\"", "decimal(1.50)"},
        {ticks(KQ_DATETIME, KQ_TICKS_1970), "1970-01-01T00:00:00.0000000Z", "\"1970-01-01T00:00:00Z\"",
         "datetime(1970-01-01T00:00:00Z)"},
        {ticks(KQ_TIMESPAN, 90 * KQ_TICK_SECOND), "00:01:30", "\"00:01:30\"", "timespan(00:01:30)"},
        {guid, "01020304-0506-0708-090a-0b0c0d0e0fff", "\"01020304-0506-0708-090a-0b0c0d0e0fff\"",
         "guid(01020304-0506-0708-090a-0b0c0d0e0fff)"},
        {kq_value_sv(KQ_SV("it's \"x\"\n\x01\xFF")), "it's \"x\"\n\x01\xFF", "\"it's \\\"x\\\"\\n\\u0001\xEF\xBF\xBD\"",
         "'it\\'s \"x\"\\n\\u0001\xFF'"},
        {dynamic, "{\"a\":[1,true,null]}", "{\"a\":[1,true,null]}", "dynamic({\"a\":[1,true,null]})"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(shown(&rows[i].v, kq_value_text), rows[i].text);
        assert_string_equal(shown(&rows[i].v, kq_value_json), rows[i].json);
        assert_string_equal(shown(&rows[i].v, kq_value_literal), rows[i].literal);
    }
    kq_buf_deinit(&json);
}

static void test_order(void **state) {
    (void)state;
    kq_value rising[] = {kq_value_null(KQ_REAL),
                         kq_value_real(__builtin_nan("")),
                         kq_value_real(-__builtin_inf()),
                         kq_value_real(-1),
                         kq_value_real(0),
                         kq_value_real(2)};
    size_t n = sizeof rising / sizeof rising[0];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int want = i < j ? -1 : i > j, got = kq_value_cmp(&rising[i], &rising[j]);
            assert_int_equal(got < 0 ? -1 : got > 0, want);
            assert_int_equal(kq_value_same(&rising[i], &rising[j]), i == j);
        }
    kq_value zero = kq_value_real(0), minus = kq_value_real(-0.0);
    assert_true(kq_value_same(&zero, &minus));
    assert_true(kq_value_hash(&zero) == kq_value_hash(&minus));
    kq_value a = {.type = KQ_DECIMAL}, b = a;
    assert_true(kq_decimal_parse(KQ_SV("1.0"), &a.u.m) && kq_decimal_parse(KQ_SV("1.00"), &b.u.m));
    assert_true(kq_value_same(&a, &b) && kq_value_hash(&a) == kq_value_hash(&b));
    kq_value l = kq_value_long(1), t = ticks(KQ_TIMESPAN, 1);
    assert_false(kq_value_same(&l, &t));
    kq_value s1 = kq_value_sv(KQ_SV("a string of more than twelve")),
             s2 = kq_value_sv(KQ_SV("a string of more than Twelve"));
    assert_false(kq_value_same(&s1, &s2));
    assert_true(kq_value_cmp(&s1, &s2) > 0);
}

static void test_vector(void **state) {
    (void)state;
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    for (int t = 0; t < KQ_TYPE_COUNT; t++) {
        kq_vector v;
        assert_int_equal(kq_vector_init(&v, (kq_type)t, 3, true, &arena, NULL), KQ_OK);
        kq_value null = kq_value_null((kq_type)t), value = {.type = (kq_type)t};
        kq_vector_set(&v, 0, &value);
        kq_vector_set(&v, 2, &null);
        kq_value got = kq_vector_get(&v, 0);
        assert_true(kq_value_same(&got, &value));
        got = kq_vector_get(&v, 2);
        assert_int_equal(got.null, t != KQ_STRING);
    }
    kq_arena_deinit(&arena);
    kq_type type;
    assert_true(kq_type_from_name(KQ_SV("date"), &type) && type == KQ_DATETIME);
    assert_true(kq_type_from_name(KQ_SV("double"), &type) && type == KQ_REAL);
    assert_false(kq_type_from_name(KQ_SV("Long"), &type));
}

static void test_range(void **state) {
    (void)state;
    kq_predicate p = {.kind = KQ_PREDICATE_RANGE,
                      .has_low = true,
                      .low = kq_value_long(1),
                      .has_high = true,
                      .high = kq_value_long(5),
                      .high_open = true};
    const int64_t in[] = {1, 4}, out[] = {0, 5};
    for (int i = 0; i < 2; i++) {
        kq_value v = kq_value_long(in[i]), w = kq_value_long(out[i]);
        assert_true(kq_predicate_range(&p, &v));
        assert_false(kq_predicate_range(&p, &w));
    }
    kq_value null = kq_value_null(KQ_LONG), nan = kq_value_real(__builtin_nan(""));
    assert_false(kq_predicate_range(&p, &null));
    kq_predicate any = {.kind = KQ_PREDICATE_RANGE};
    assert_false(kq_predicate_range(&any, &nan));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_vector), cmocka_unit_test(test_range)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
