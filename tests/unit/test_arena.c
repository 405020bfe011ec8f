#include "base/arena.h"
#include <cmocka.h>

static void marks(void **state) {
    (void)state;
    kq_budget budget;
    kq_arena a;
    kq_budget_init(&budget, 0);
    kq_arena_init(&a, &budget, 1024);
    assert_int_equal(atomic_load(&budget.used), 0);
    char *kept = kq_arena_alloc(&a, 100);
    memset(kept, 'k', 100);
    kq_arena_mark outer = kq_arena_here(&a);
    size_t before = 0;
    for (int round = 0; round < 1000; round++) {
        char *p = kq_arena_alloc(&a, 700);
        assert_non_null(p);
        memset(p, round, 700);
        kq_arena_mark inner = kq_arena_here(&a);
        for (int i = 0; i < 5; i++) memset(kq_arena_alloc(&a, 500), 1, 500);
        memset(kq_arena_alloc(&a, 5000), 2, 5000); /* larger than a block */
        kq_arena_back(&a, inner);
        assert_int_equal(p[0], (char)round);
        assert_int_equal(p[699], (char)round);
        kq_arena_back(&a, outer);
        if (round == 1) before = atomic_load(&budget.used);
        if (round > 1) assert_int_equal(atomic_load(&budget.used), before);
    }
    for (int i = 0; i < 100; i++) assert_int_equal(kept[i], 'k');
    assert_int_equal(a.held, 1024);
    kq_arena_reset(&a);
    assert_int_equal(a.held, 0);
    kq_arena_deinit(&a);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void spare_is_bounded(void **state) {
    (void)state;
    kq_budget budget;
    kq_arena a;
    kq_budget_init(&budget, 0);
    kq_arena_init(&a, &budget, 0);
    for (int i = 0; i < 1000; i++) assert_non_null(kq_arena_alloc(&a, 60000));
    kq_arena_reset(&a);
    assert_true(atomic_load(&budget.used) <= (1u << 20));
    assert_true(atomic_load(&budget.used) > 0);
    kq_arena_deinit(&a);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void failure_is_sticky(void **state) {
    (void)state;
    kq_budget budget;
    kq_arena a;
    kq_error err;
    kq_budget_init(&budget, 2048);
    kq_arena_init(&a, &budget, 1024);
    assert_non_null(kq_arena_alloc(&a, 1000));
    assert_null(kq_arena_alloc(&a, 5000));
    assert_null(kq_arena_alloc(&a, 1));
    assert_int_equal(kq_arena_status(&a, &err), KQ_ERR_LIMIT);
    kq_arena_reset(&a);
    assert_non_null(kq_arena_alloc(&a, 1000));
    kq_arena_deinit(&a);
    assert_int_equal(atomic_load(&budget.used), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks),
        cmocka_unit_test(spare_is_bounded),
        cmocka_unit_test(failure_is_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
