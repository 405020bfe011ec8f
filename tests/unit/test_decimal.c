/* decimal arithmetic: 34 digits, half to even. */
#include "column/decimal.h"
#include <cmocka.h>

static char text[160];

static const char *shown(const kq_decimal *d) {
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_decimal_print(d, &b);
    memcpy(text, b.p, b.n);
    text[b.n] = 0;
    kq_buf_deinit(&b);
    return text;
}

static kq_decimal dec(const char *s) {
    kq_decimal d = {0};
    if (!kq_decimal_parse(kq_sv_of(s), &d)) fail_msg("%s is refused", s);
    return d;
}

static void test_text(void **state) {
    (void)state;
    static const char *const same[] = {
        "0", "1", "-1.5", "123.45678", "0.001", "1000000020000000300000004", "3.14159265358979323846"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        kq_decimal d = dec(same[i]);
        assert_string_equal(shown(&d), same[i]);
    }
    kq_decimal d = dec("-0.0");
    assert_string_equal(shown(&d), "0.0");
    d = dec("1e3");
    assert_string_equal(shown(&d), "1000");
    d = dec("12345678901234567890123456789012345"); /* 35 digits: half to even */
    assert_string_equal(shown(&d), "12345678901234567890123456789012340");
    assert_false(kq_decimal_parse(KQ_SV("1.2.3"), &d));
    assert_false(kq_decimal_parse(KQ_SV(""), &d));
    assert_false(kq_decimal_parse(KQ_SV("1e99999999"), &d));
    assert_true(kq_decimal_parse(KQ_SV("1e-99999"), &d));
    assert_true(kq_decimal_from_real(0.1, &d));
    assert_string_equal(shown(&d), "0.1");
    assert_true(kq_decimal_from_real(1e300, &d));
    assert_true(kq_decimal_to_real(&d) == 1e300);
    assert_false(kq_decimal_from_real(__builtin_nan(""), &d));
    int64_t l;
    d = dec("-9.99");
    assert_true(kq_decimal_to_long(&d, &l));
    assert_int_equal(l, -9);
    d = dec("9223372036854775808");
    assert_false(kq_decimal_to_long(&d, &l));
}

static void check(char op, const char *a, const char *b, const char *want) {
    kq_decimal x = dec(a), y = dec(b), z;
    bool ok = op == '+'   ? kq_decimal_add(&x, &y, &z)
              : op == '-' ? kq_decimal_sub(&x, &y, &z)
              : op == '*' ? kq_decimal_mul(&x, &y, &z)
              : op == '/' ? kq_decimal_div(&x, &y, &z)
                          : kq_decimal_mod(&x, &y, &z);
    if (!want) {
        assert_false(ok);
        return;
    }
    assert_true(ok);
    assert_string_equal(shown(&z), want);
}

static void test_arithmetic(void **state) {
    (void)state;
    check('+', "0.1", "0.2", "0.3");
    check('-', "0.3", "0.3", "0.0");
    check('-', "1", "2.5", "-1.5");
    check('+', "1e30", "1e-30", "1000000000000000000000000000000.000");
    check('*', "1.5", "-1.5", "-2.25");
    check('*', "9999999999999999999999999999999999", "9999999999999999999999999999999999",
          "99999999999999999999999999999999980000000000000000000000000000000000");
    check('/', "1", "3", "0.3333333333333333333333333333333333");
    check('/', "2", "3", "0.6666666666666666666666666666666667");
    check('/', "10", "4", "2.5");
    check('/', "1", "0", NULL);
    check('%', "10", "3", "1");
    check('%', "-10", "3", "2");
    check('%', "5.5", "-2", "1.5");
    check('%', "1", "0", NULL);
    kq_decimal a = dec("1.0"), b = dec("1.00"), c = dec("-2");
    assert_int_equal(kq_decimal_cmp(&a, &b), 0);
    assert_true(kq_decimal_cmp(&c, &a) < 0);
    kq_decimal n = kq_decimal_normal(&b);
    assert_string_equal(shown(&n), "1");
    kq_decimal r;
    a = dec("-2.5");
    assert_true(kq_decimal_round(&a, 0, KQ_DECIMAL_HALF_AWAY, &r));
    assert_string_equal(shown(&r), "-3");
    assert_true(kq_decimal_round(&a, 0, KQ_DECIMAL_FLOOR, &r));
    assert_string_equal(shown(&r), "-3");
    assert_true(kq_decimal_round(&a, 0, KQ_DECIMAL_CEILING, &r));
    assert_string_equal(shown(&r), "-2");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_arithmetic)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
