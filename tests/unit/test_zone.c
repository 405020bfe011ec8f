/* Time zones: the system's files where they are, hostile bytes in any case. */
#include "base/time.h"
#include "base/zone.h"
#include <cmocka.h>

static int64_t at(const char *text) {
    int64_t t = 0;
    assert_true(kq_time_parse_iso(kq_sv_of(text), &t));
    return t;
}

static void test_brussels(void **state) {
    (void)state;
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    const kq_zone *z;
    assert_int_equal(kq_zone_load(KQ_SV("Europe/Brussels"), &arena, &z, NULL), KQ_OK);
    if (!z) {
        kq_arena_deinit(&arena);
        print_message("no time zones on this system\n");
        skip();
    }
    static const char *const pairs[][2] = {
        /* UTC, local */
        {"2022-03-27T00:59:59", "2022-03-27T01:59:59"}, {"2022-03-27T01:00:00", "2022-03-27T03:00:00"},
        {"2022-07-01T12:00:00", "2022-07-01T14:00:00"}, {"2050-01-15T12:00:00", "2050-01-15T13:00:00"},
        {"2050-07-15T12:00:00", "2050-07-15T14:00:00"}, {"1950-01-01T00:00:00", "1950-01-01T01:00:00"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        int64_t utc = at(pairs[i][0]), local = at(pairs[i][1]);
        assert_int_equal(utc + kq_zone_offset(z, utc), local);
        assert_int_equal(kq_zone_to_utc(z, local), utc);
    }
    assert_int_equal(kq_zone_to_utc(z, at("2022-03-27T02:00:00")), at("2022-03-27T00:00:00")); /* left out */
    static const struct {
        const char *local;
        kq_zone_times times;
    } odd[] = {{"2022-03-27T01:59:59", KQ_ZONE_ONCE},  {"2022-03-27T02:00:00", KQ_ZONE_NEVER},
               {"2022-03-27T02:59:59", KQ_ZONE_NEVER}, {"2022-03-27T03:00:00", KQ_ZONE_ONCE},
               {"2022-10-30T01:59:59", KQ_ZONE_ONCE},  {"2022-10-30T02:00:00", KQ_ZONE_TWICE},
               {"2022-10-30T02:59:59", KQ_ZONE_TWICE}, {"2022-10-30T03:00:00", KQ_ZONE_ONCE},
               {"2022-07-01T00:00:00", KQ_ZONE_ONCE}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        kq_zone_times times;
        kq_zone_instant(z, at(odd[i].local), &times);
        assert_int_equal(times, odd[i].times);
    }
    assert_int_equal(kq_zone_to_utc(z, at("2022-10-30T02:30:00")), at("2022-10-30T01:30:00")); /* twice */
    assert_int_equal(kq_zone_load(KQ_SV("Australia/Sydney"), &arena, &z, NULL), KQ_OK);
    if (z) {
        int64_t t = at("2060-01-01T00:00:00");
        assert_int_equal(kq_zone_offset(z, t), 11 * KQ_TICK_HOUR); /* summer turns the year */
    }
    static const char *const none[] = {
        "",       "../../../etc/passwd", "/etc/passwd", "Europe//Brussels", "Europe/", "Nowhere",
        "Europe", "Europe/Brussels\n"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(kq_zone_load(kq_sv_of(none[i]), &arena, &z, NULL), KQ_OK);
        assert_null(z);
    }
    kq_arena_deinit(&arena);
}

static void test_bytes(void **state) {
    (void)state;
    char file[44 * 2 + 15 + 1] = {0};
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    memcpy(file, "TZif2", 5);
    memcpy(file + 44, "TZif2", 5);
    file[44 + 39] = 1; /* one type */
    file[88 + 2] = 14; /* of 3600 seconds: 0x0e10 */
    file[88 + 3] = 0x10;
    memcpy(file + 94, "\nABC-1\n", 7);
    const kq_zone *z;
    for (size_t n = 0; n <= 101; n++) {
        assert_int_equal(kq_zone_parse((kq_sv){file, n}, &arena, &z, NULL), KQ_OK);
        assert_int_equal(z != NULL, n >= 94);
        if (z) assert_int_equal(kq_zone_offset(z, KQ_TICKS_1970), KQ_TICK_HOUR);
    }
    file[44 + 32] = 127; /* more transitions than bytes */
    assert_int_equal(kq_zone_parse((kq_sv){file, 101}, &arena, &z, NULL), KQ_OK);
    assert_null(z);
    kq_arena_deinit(&arena);
}

static void test_named(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int minutes;
    } good[] = {{"+02:00", 120}, {"+0200", 120}, {"-03:30", -210}, {"+5", 300},
                {"-05", -300},   {"+00:00", 0},  {"UTC", 0},       {"+14:00", 840}};
    static const char *const bad[] = {"",    "+",      "-",       "+2:0",           "+02:60",
                                      "+15", "+14:01", "+02:000", "Nowhere/At_All", "+a"};
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    const kq_zone *z;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(kq_zone_named(kq_sv_of(good[i].name), &arena, &z, NULL), KQ_OK);
        if (!z) fail_msg("%s", good[i].name);
        assert_int_equal(kq_zone_offset(z, KQ_TICKS_1970), good[i].minutes * KQ_TICK_MINUTE);
        assert_int_equal(kq_zone_to_utc(z, KQ_TICKS_1970), KQ_TICKS_1970 - good[i].minutes * KQ_TICK_MINUTE);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(kq_zone_named(kq_sv_of(bad[i]), &arena, &z, NULL), KQ_OK);
        if (z) fail_msg("%s", bad[i]);
    }
    kq_arena_deinit(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brussels), cmocka_unit_test(test_bytes),
                                       cmocka_unit_test(test_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
