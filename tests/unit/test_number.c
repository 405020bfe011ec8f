/* Numbers from text and to text. */
#include "base/number.h"
#include <cmocka.h>
#include <math.h>

static void test_long(void **state) {
    (void)state;
    int64_t l;
    static const char *const whole[][2] = {{"4688.0", "4688"}, {"-1.000", "-1"}, {"10.0", "10"},   {"10", "10"},
                                           {"1.50", "1.50"},   {".0", ".0"},     {"-.0", "-.0"},   {"1.", "1."},
                                           {"0", "0"},         {"000", "000"},   {"1a.0", "1a.0"}, {"1.0.0", "1.0.0"}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        assert_true(kq_sv_eq(kq_number_whole(kq_sv_of(whole[i][0])), kq_sv_of(whole[i][1])));
    assert_true(kq_number_parse_long(KQ_SV(" -42 "), &l));
    assert_int_equal(l, -42);
    assert_true(kq_number_parse_long(KQ_SV("9223372036854775807"), &l));
    assert_true(kq_number_parse_long(KQ_SV("-9223372036854775808"), &l));
    assert_int_equal(l, INT64_MIN);
    assert_true(kq_number_parse_long(KQ_SV("0x1F"), &l));
    assert_int_equal(l, 31);
    static const char *const bad[] = {"", "-", "9223372036854775808", "1.0", "1e3", "0x", "1 2", "0x1ffffffffffffffff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (kq_number_parse_long(kq_sv_of(bad[i]), &l)) fail_msg("%s is taken", bad[i]);
}

static void check_print(double r, const char *want) {
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_number_print_real(r, &b);
    kq_buf_char(&b, 0);
    assert_string_equal(b.p, want);
    kq_buf_deinit(&b);
}

static void test_real(void **state) {
    (void)state;
    check_print(1, "1.0");
    check_print(0.1, "0.1");
    check_print(-2.5, "-2.5");
    check_print(1e14, "100000000000000.0");
    check_print(1e15, "1E+15");
    check_print(1e20, "1E+20");
    check_print(1234567890123456, "1234567890123456.0");
    check_print(1.2345678901234568e17, "1.2345678901234568E+17");
    check_print(0.0001, "0.0001");
    check_print(0.00001, "1E-05");
    check_print(5e-324, "5E-324");
    check_print(1.7976931348623157e308, "1.7976931348623158E+308");
    check_print(NAN, "NaN");
    check_print(-INFINITY, "-Infinity");
    check_print(0.30000000000000004, "0.30000000000000007");
    check_print(9007199254740994, "9007199254740994.0");
    check_print(9.999999999999999e22, "1E+23"); /* half way to the next double, and read as this one */
    check_print(40.764323000000005, "40.764323000000008");
    check_print(50.25000000000001, "50.25000000000001");
    check_print(123456.789, "123456.789");

    double r;
    static const char *const good[] = {"1e3", " 1.5 ", ".5", "5.", "+2", "-inf", "Infinity", "NaN", "1e-400"};
    static const double is[] = {1000, 1.5, .5, 5, 2, -INFINITY, INFINITY, NAN, 0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!kq_number_parse_real(kq_sv_of(good[i]), &r)) fail_msg("%s is refused", good[i]);
        assert_true(r == is[i] || (isnan(r) && isnan(is[i])));
    }
    static const char *const bad[] = {"",      "-",     ".",     "0x1F", "1e",    "1,234",
                                      "1_000", "1 000", "1e400", "--1",  "infin", "INF"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (kq_number_parse_real(kq_sv_of(bad[i]), &r)) fail_msg("%s is taken", bad[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_long), cmocka_unit_test(test_real)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
