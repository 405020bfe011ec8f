#include "text/fold.h"
#include <cmocka.h>

static void folds(void **state) {
    (void)state;
    assert_int_equal(kq_fold('A'), 'a');
    assert_int_equal(kq_fold('['), '[');
    assert_int_equal(kq_fold(0xC9), 0xE9);     /* E acute */
    assert_int_equal(kq_fold(0x41F), 0x43F);   /* Cyrillic Pe */
    assert_int_equal(kq_fold(0x212A), 'k');    /* KELVIN SIGN */
    assert_int_equal(kq_fold(0x17F), 's');     /* LONG S */
    assert_int_equal(kq_fold(0xDF), 0xDF);     /* sharp s has no simple folding */
    assert_int_equal(kq_fold(0x1E9E), 0xDF);   /* capital sharp s has */
    assert_int_equal(kq_fold(0x130), 0x130);   /* I with dot: only a full folding */
    assert_int_equal(kq_fold(0x1F88), 0x1F80); /* simple where the full one has two characters */
    assert_int_equal(kq_fold(0x3C2), 0x3C3);   /* final sigma */
    assert_int_equal(kq_fold(0x13A0), 0x13A0); /* Cherokee folds upwards */
    assert_int_equal(kq_fold(0xAB70), 0x13A0);
    assert_int_equal(kq_fold(0x10400), 0x10428);
    assert_int_equal(kq_fold(0xFF21), 0xFF41); /* full width stays full width */
    assert_int_equal(kq_fold(0x110000), 0x110000);
    assert_int_equal(kq_fold(0xFFFFFFFF), 0xFFFFFFFF);
}

static void cases(void **state) {
    (void)state;
    assert_int_equal(kq_upper('z'), 'Z');
    assert_int_equal(kq_lower('Z'), 'z');
    assert_int_equal(kq_upper(0xDF), 0xDF);
    assert_int_equal(kq_upper(0xFF), 0x178);
    assert_int_equal(kq_upper(0x1F80), 0x1F88);
    assert_int_equal(kq_lower(0x178), 0xFF);
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    kq_sv_upper(KQ_SV("stra\xC3\x9F"
                      "e \xD0\xBF\xFF[{`@"),
                &out);
    assert_true(kq_sv_eq(kq_buf_view(&out), KQ_SV("STRA\xC3\x9F"
                                                  "E \xD0\x9F\xFF[{`@")));
    kq_buf_clear(&out);
    kq_sv_lower(KQ_SV("\xE2\x84\xAA@[Z\xC8\xBA"), &out); /* U+023A lower case is one byte longer */
    assert_true(kq_sv_eq(kq_buf_view(&out), KQ_SV("k@[z\xE2\xB1\xA5")));
    kq_buf_deinit(&out);
}

static void terms(void **state) {
    (void)state;
    assert_true(kq_is_term('a') && kq_is_term('Z') && kq_is_term('0') && kq_is_term(0xE9) && kq_is_term(0x41F));
    assert_true(kq_is_term(0x4E2D) && kq_is_term(0x661));
    assert_false(kq_is_term('_') || kq_is_term(' ') || kq_is_term('-') || kq_is_term(0x301) || kq_is_term(0x2013));
    assert_false(kq_is_term(0xD800) || kq_is_term(0x110000));
}

static bool eq(const char *a, const char *b) {
    return kq_sv_eq_ci(kq_sv_of(a), kq_sv_of(b));
}

static void equality(void **state) {
    (void)state;
    assert_true(eq("Stra\xC3\x9F"
                   "e",
                   "STRA\xC3\x9F"
                   "E"));
    assert_false(eq("Stra\xC3\x9F"
                    "e",
                    "STRASSE"));
    assert_true(eq("", ""));
    assert_false(eq("a", "") || eq("", "a") || eq("ab", "a"));
    assert_true(eq("\xE2\x84\xAA", "k"));
    assert_false(eq("e\xCC\x81", "\xC3\xA9"));
    assert_false(eq("\xFF", "\xFE"));
    assert_false(eq("\xFF", "\xEF\xBF\xBD")); /* an ill-formed byte is not U+FFFD */
    assert_true(eq("\xFFx", "\xFFX"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(folds), cmocka_unit_test(cases), cmocka_unit_test(terms),
                                       cmocka_unit_test(equality)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
