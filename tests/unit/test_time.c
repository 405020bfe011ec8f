/* datetime and timespan: the calendar, what is read, what is printed. */
#include "base/time.h"
#include <cmocka.h>

static const char *shown(int64_t ticks, int digits, bool span) {
    static char text[64];
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    if (span)
        kq_timespan_print(ticks, &b);
    else
        kq_time_print(ticks, digits, &b);
    memcpy(text, b.p, b.n);
    text[b.n] = 0;
    kq_buf_deinit(&b);
    return text;
}

static void test_calendar(void **state) {
    (void)state;
    /* Every day of ten thousand years, there and back, and weekdays in turn. */
    int weekday = 1;
    int64_t t = 0;
    for (int y = 1; y <= 9999; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= kq_month_days(y, m); d++, t += KQ_TICK_DAY) {
                kq_civil c = kq_civil_of(t + 1);
                int64_t back;
                if (c.year != y || c.month != m || c.day != d || c.tick != 1 || !kq_civil_ticks(&c, &back) ||
                    back != t + 1 || kq_weekday(t) != weekday)
                    fail_msg("%04d-%02d-%02d", y, m, d);
                weekday = (weekday + 1) % 7;
            }
    assert_int_equal(t - 1, KQ_TICKS_MAX);
    assert_int_equal(kq_year_day(KQ_TICKS_1970), 1);
}

static void test_parse(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"2014-05-25T08:20:03.123456Z", "2014-05-25T08:20:03.123456Z"},
        {"2009-06-15T13:45:30.0000000-07:00", "2009-06-15T20:45:30Z"},
        {"2014-05-25T08:20", "2014-05-25T08:20:00Z"},
        {"2014-11-08 15:55:55", "2014-11-08T15:55:55Z"},
        {"2014-11-08", "2014-11-08T00:00:00Z"},
        {"2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00.1234567Z"},
        {"Sat, 8 Nov 14 15:05:02 GMT", "2014-11-08T15:05:02Z"},
        {"Sat, 8 Nov 14 15:05", "2014-11-08T15:05:00Z"},
        {"8 Nov 14 15:05 GMT", "2014-11-08T15:05:00Z"},
        {"Saturday, 08-Nov-14 15:05:02 GMT", "2014-11-08T15:05:02Z"},
        {"08-Nov-14 15:05", "2014-11-08T15:05:00Z"},
        {"2014-11-08 15:05 GMT", "2014-11-08T15:05:00Z"},
        {"2014-11-08T15:05:25 GMT", "2014-11-08T15:05:25Z"},
        {"20221202", "2022-12-02T00:00:00Z"},
        {"12-02-2022", "2022-12-02T00:00:00Z"},
        {"12/02/2022 03:04:05 PM", "2022-12-02T15:04:05Z"},
        {"12/2/2022 12:00:00 AM", "2022-12-02T00:00:00Z"},
        {"2017 - 08 - 01", "2017-08-01T00:00:00Z"},
        {"Mon, 15 Jun 2009 20:45:30 +0200", "2009-06-15T18:45:30Z"},
        {"Dec 1, 2021 10:00", "2021-12-01T10:00:00Z"},
        {" 2020-02-29 ", "2020-02-29T00:00:00Z"},
        {"9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999Z"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        int64_t t;
        if (!kq_time_parse(kq_sv_of(same[i][0]), &t)) fail_msg("%s is refused", same[i][0]);
        assert_string_equal(shown(t, -1, false), same[i][1]);
    }
    static const char *const bad[] = {"",
                                      "x",
                                      "2020-13-01",
                                      "2021-02-29",
                                      "2020-01-01T25:00",
                                      "2020-01-01T",
                                      "20200101T",
                                      "1 2 3",
                                      "13-01-2022",
                                      "0001-01-01T00:00+01:00",
                                      "2020-01-01 10:00 XYZ",
                                      "9999-12-31T23:59:59-01:00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t t;
        if (kq_time_parse(kq_sv_of(bad[i]), &t)) fail_msg("%s is taken", bad[i]);
    }
    int64_t t;
    assert_true(kq_time_parse_iso(KQ_SV("2020-01-01T00:00:00+02:00"), &t));
    assert_false(kq_time_parse_iso(KQ_SV("2020-1-01"), &t));
    assert_false(kq_time_parse_iso(KQ_SV("2020-01-01T00:00:00Z "), &t));
    assert_string_equal(shown(KQ_TICKS_1970, 7, false), "1970-01-01T00:00:00.0000000Z");
}

/* What logs write: {text, time, tells its zone}. */
static void test_log(void **state) {
    (void)state;
    static const char *const same[][3] = {
        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "z"},
        {"2026-01-02 03:04:05", "2026-01-02T03:04:05Z", ""},
        {"2026-01-02T03:04:05.1", "2026-01-02T03:04:05.1Z", ""},
        {"2026-01-02T03:04:05.123456789012Z", "2026-01-02T03:04:05.1234567Z", "z"},
        {"2026-01-02T03:04:05.18835+02:00", "2026-01-02T01:04:05.18835Z", "z"},
        {"2026-01-02T03:04:05+0200", "2026-01-02T01:04:05Z", "z"},
        {"2026-01-02T03:04:05.9999999-0330", "2026-01-02T06:34:05.9999999Z", "z"},
        {" 2026-01-02 03:04:05 UTC ", "2026-01-02T03:04:05Z", "z"},
        {"2026-01-02 03:04:05 GMT", "2026-01-02T03:04:05Z", "z"},
        {"10/25/2023, 9:43:21.990 AM", "2023-10-25T09:43:21.99Z", ""},
        {"10/25/2023, 9:43:21.990 PM", "2023-10-25T21:43:21.99Z", ""},
        {"10/25/2023,\xC2\xA0"
         "9:43:21.990\xE2\x80\xAFPM",
         "2023-10-25T21:43:21.99Z", ""},
        {"Oct 25, 2023 9:43:21 AM", "2023-10-25T09:43:21Z", ""},
        {"Wed, 25 Oct 2023 09:43:21 GMT", "2023-10-25T09:43:21Z", "z"},
        {"2026-01-02", "2026-01-02T00:00:00Z", ""},
        {"1577836800", "2020-01-01T00:00:00Z", "z"},
        {"1577836800.25", "2020-01-01T00:00:00.25Z", "z"},
        {"1577836800123", "2020-01-01T00:00:00.123Z", "z"},
        {"1577836800123.4567", "2020-01-01T00:00:00.1234567Z", "z"},
        {"1577836800123456", "2020-01-01T00:00:00.123456Z", "z"},
        {"1577836800123456789", "2020-01-01T00:00:00.1234567Z", "z"},
        {"/Date(1577836800123)/", "2020-01-01T00:00:00.123Z", "z"},
        {"/Date(-1000)/", "1969-12-31T23:59:59Z", "z"},
        {"/Date(1577836800000+0200)/", "2020-01-01T00:00:00Z", "z"},
    };
    int64_t t;
    bool zoned;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        if (!kq_time_parse_log(kq_sv_of(same[i][0]), KQ_DATES_UNTOLD, &t, &zoned))
            fail_msg("%s is refused", same[i][0]);
        assert_string_equal(shown(t, -1, false), same[i][1]);
        if (zoned != (same[i][2][0] != 0)) fail_msg("%s: zone", same[i][0]);
    }
    static const char *const bad[] = {"",
                                      "03:04",
                                      "12345678901234567890",
                                      "1577836800.",
                                      "15778368",
                                      "/Date()/",
                                      "/Date(1)",
                                      "/Date(1+02)/",
                                      "/Date(x)/",
                                      "1577836800x",
                                      "0000000000",
                                      "/Date(999999999999999)/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (kq_time_parse_log(kq_sv_of(bad[i]), KQ_DATES_UNTOLD, &t, &zoned)) fail_msg("%s is taken", bad[i]);
    assert_false(kq_time_from_epoch(0, 5, &t));
    assert_false(kq_time_from_epoch(-1577836800, 0, &t));
    assert_true(kq_time_from_epoch(99999999999, 999999999, &t)); /* the year 5138 */
    assert_true(kq_time_from_epoch(INT64_MAX, 0, &t));
}

static void test_span(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"2d", "2.00:00:00"},
        {"1.5h", "01:30:00"},
        {"100ms", "00:00:00.1000000"},
        {"10microsecond", "00:00:00.0000100"},
        {"1tick", "00:00:00.0000001"},
        {"15 seconds", "00:00:15"},
        {"2", "2.00:00:00"},
        {"0.12:34:56.7", "12:34:56.7000000"},
        {"1.02:03:04.5678901", "1.02:03:04.5678901"},
        {"02:03", "02:03:00"},
        {"-1.02:03:04", "-1.02:03:04"},
        {"10675199.02:48:05.4775807", "10675199.02:48:05.4775807"},
        {"-10675199.02:48:05.4775808", "-10675199.02:48:05.4775808"},
        {"1d 2h", "1.02:00:00"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        int64_t t;
        if (!kq_timespan_parse(kq_sv_of(same[i][0]), &t)) fail_msg("%s is refused", same[i][0]);
        assert_string_equal(shown(t, 0, true), same[i][1]);
    }
    static const char *const bad[] = {"",        "x",         "100ns",     "1w",  "24:00:00",
                                      "1.24:00", "10675200d", "1:2:3:4:5", "1d2", "--1d"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t t;
        if (kq_timespan_parse(kq_sv_of(bad[i]), &t)) fail_msg("%s is taken", bad[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calendar), cmocka_unit_test(test_parse),
                                       cmocka_unit_test(test_log), cmocka_unit_test(test_span)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
