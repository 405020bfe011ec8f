#include "func/aggregate.h"
#include "func/resolve.h"
#include "func/scalar.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

static void arity(void **s) {
    (void)s;
    kq_pattern p;
    assert_true(kq_pattern_fit("l()", 0, &p));
    assert_false(kq_pattern_fit("l()", 1, &p));
    assert_true(kq_pattern_fit("l(s)", 1, &p));
    assert_true(kq_pattern_fit("s(sl[l])", 2, &p));
    assert_true(kq_pattern_fit("s(sl[l])", 3, &p));
    assert_false(kq_pattern_fit("s(sl[l])", 4, &p));
    assert_true(kq_pattern_fit("s(s[ll])", 3, &p));
    assert_false(kq_pattern_fit("s(s[ll])", 2, &p));
    assert_true(kq_pattern_fit("s(s[l][l])", 2, &p));
    assert_true(kq_pattern_fit("s(s*...)", 5, &p));
    assert_false(kq_pattern_fit("s(s*...)", 1, &p));
    assert_true(kq_pattern_fit("s(s[*...])", 1, &p));
    assert_true(kq_pattern_fit("s(s[*...])", 9, &p));
    assert_true(kq_pattern_fit("T((bT)...T)", 3, &p));
    assert_true(kq_pattern_fit("T((bT)...T)", 7, &p));
    assert_false(kq_pattern_fit("T((bT)...T)", 4, &p));
    assert_true(kq_pattern_fit("T((bT)...T)", 5, &p));
    const char *letters = "bTbTT";
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(kq_pattern_letter(&p, i), letters[i]);
    assert_false(kq_pattern_fit("", 0, &p));
    assert_false(kq_pattern_fit("l(", 0, &p));
    assert_false(kq_pattern_fit("l(...)", 1, &p));
}

static int cost(const char *pattern, const kq_type *types, const bool *literal, uint32_t n, kq_type *want, kq_type *r) {
    kq_pattern p;
    return kq_pattern_fit(pattern, n, &p) ? kq_pattern_cost(&p, types, literal, n, want, r) : -2;
}

static void promotion(void **s) {
    (void)s;
    kq_type want[4], r;
    kq_type il[] = {KQ_INT, KQ_LONG}, yl[] = {KQ_DYNAMIC, KQ_LONG}, sl[] = {KQ_STRING, KQ_LONG};
    kq_type ds[] = {KQ_DATETIME, KQ_STRING}, lr[] = {KQ_LONG, KQ_REAL};
    assert_int_equal(cost("l(ll)", il, NULL, 2, want, &r), 1);
    assert_true(cost("r(rr)", il, NULL, 2, want, &r) > 1);
    assert_true(cost("b(TT)", yl, NULL, 2, want, &r) > 0);
    assert_int_equal(want[0], KQ_LONG);
    assert_true(cost("T(TT)", lr, NULL, 2, want, &r) > 0);
    assert_int_equal(r, KQ_REAL);
    assert_int_equal(cost("b(TT)", sl, NULL, 2, want, &r), -1);
    assert_int_equal(cost("b(TT)", ds, NULL, 2, want, &r), -1);
    bool literal[] = {false, true};
    assert_true(cost("b(TT)", ds, literal, 2, want, &r) > 0);
    assert_int_equal(want[1], KQ_DATETIME);
    assert_int_equal(cost("0(N)", il, NULL, 1, want, &r), 0);
    assert_int_equal(r, KQ_INT);
    assert_int_equal(cost("0(N)", sl, NULL, 1, want, &r), -1);
}

/* Every row's pattern can be laid out, and its name be found. */
static void rows(void **s) {
    (void)s;
    size_t n;
    const kq_scalar *rows = kq_scalar_rows(&n);
    for (size_t i = 0; i < n; i++) {
        kq_pattern p;
        bool fits = false;
        for (uint32_t k = 0; k < KQ_PATTERN_MAX && !fits; k++) fits = kq_pattern_fit(rows[i].pattern, k, &p);
        if (!fits) fail_msg("%s: malformed pattern %s", rows[i].name, rows[i].pattern);
        assert_true(kq_scalar_exists(kq_sv_of(rows[i].name)));
        assert_non_null(rows[i].fn);
        assert_true(rows[i].signature && rows[i].doc);
    }
    assert_false(kq_scalar_exists(KQ_SV("no_such_function")));
    size_t na;
    const kq_aggregate *aggs = kq_aggregate_rows(&na);
    for (size_t i = 0; i < na; i++) {
        assert_true(kq_aggregate_exists(kq_sv_of(aggs[i].name)));
        assert_int_equal(aggs[i].state_size % 8, 0);
        assert_true(aggs[i].update && aggs[i].combine && aggs[i].finish);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(arity), cmocka_unit_test(promotion), cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
