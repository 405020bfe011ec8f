/* Mathematics and the calendar: values and nulls, on constants and on vectors. */
#include "scalar_check.h"
#include <cmocka.h>

static void test_rounding(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"bin", "7 , 3", "long(6)"}, {"bin", "-7 , 3", "long(-9)"}, {"bin", "7 , 0", "long(null)"},
        {"bin", "7 , -1", "long(null)"}, {"bin", "-3.14159 , 1", "real(-4.0)"}, {"bin", "4.5 , 1", "real(4.0)"},
        {"bin", "m:4.5 , m:2", "decimal(4.0)"}, {"bin", "d:1955-11-05T06:15 , t:7d", "datetime(1955-10-31T00:00:00Z)"},
        {"bin", "d:2007-03-09 , t:30d", "datetime(2007-02-14T00:00:00Z)"},
        {"bin", "t:1.5d , t:1d", "timespan(1.00:00:00)"}, {"bin", "d:2020-01-01 , t:-1h", "datetime(null)"},
        {"floor", "7.5 , 1", "real(7.0)"}, {"floor", "7.5", "error"}, {"bin_at", "6.5 , 2.5 , 7", "real(4.5)"},
        {"bin_at", "7 , 5 , 1", "long(6)"},
        {"bin_at", "d:2017-05-15T10:20:00 , t:1d , d:1970-01-01T12:00:00", "datetime(2017-05-14T12:00:00Z)"},
        {"bin_at", "t:1h , t:1d , t:12h", "timespan(-12:00:00)"}, {"bin_at", "1 , 0 , 1", "long(null)"},
        {"ceiling", "-1.1", "real(-1.0)"}, {"ceiling", "5", "real(5.0)"}, {"ceiling", "m:1.1", "decimal(2)"},
        {"round", "2.5", "real(3.0)"}, {"round", "-2.5", "real(-3.0)"}, {"round", "2.15 , 1", "real(2.2)"},
        {"round", "3.25 , 1", "real(3.3)"}, {"round", "1234 , -2", "real(1200.0)"}, {"round", "7", "long(7)"},
        {"round", "m:2.345 , 2", "decimal(2.35)"}, {"round", "1e300 , 300", "real(1E+300)"});
}

static void test_functions(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"abs", "i:-2147483648", "long(2147483648)"}, {"abs", "-1.5", "real(1.5)"},
        {"abs", "t:-1h", "timespan(01:00:00)"}, {"abs", "m:-1.5", "decimal(1.5)"}, {"sign", "-42", "real(-1.0)"},
        {"sign", "NaN", "real(0.0)"}, {"sqrt", "4", "real(2.0)"}, {"sqrt", "-1", "real(nan)"},
        {"exp", "0", "real(1.0)"}, {"exp2", "3", "real(8.0)"}, {"exp10", "2", "real(100.0)"},
        {"log", "-1", "real(null)"}, {"log", "0", "real(-inf)"}, {"log2", "8", "real(3.0)"},
        {"log10", "1000", "real(3.0)"}, {"pow", "2 , 3", "real(8.0)"}, {"sin", "0", "real(0.0)"},
        {"cos", "0", "real(1.0)"}, {"tan", "0", "real(0.0)"}, {"cot", "0", "real(+inf)"}, {"asin", "0", "real(0.0)"},
        {"acos", "1", "real(0.0)"}, {"atan", "0", "real(0.0)"}, {"atan2", "0 , 1", "real(0.0)"},
        {"pi", "", "real(3.141592653589793)"}, {"degrees", "0", "real(0.0)"},
        {"radians", "180", "real(3.141592653589793)"}, {"gamma", "5", "real(24.0)"}, {"loggamma", "1", "real(0.0)"},
        {"erf", "0", "real(0.0)"}, {"erfc", "0", "real(1.0)"}, {"isnan", "NaN", "true"}, {"isinf", "-inf", "true"},
        {"isfinite", "1", "true"}, {"rand", "1", "real(0.0)"}, {"binary_and", "12 , 10", "long(8)"},
        {"binary_or", "12 , 10", "long(14)"}, {"binary_xor", "12 , 10", "long(6)"}, {"binary_not", "0", "long(-1)"},
        {"binary_shift_left", "1 , 65", "long(2)"}, {"binary_shift_left", "1 , -1", "long(null)"},
        {"binary_shift_right", "8 , 2", "long(2)"}, {"bitset_count_ones", "-1", "long(64)"},
        {"range", "1 , 3", "dynamic([1,2,3])"}, {"range", "3 , 1 , -1", "dynamic([3,2,1])"},
        {"range", "1 , 2 , 0", "dynamic(null)"}, {"range", "1.0 , 2 , 0.5", "dynamic([1.0,1.5,2.0])"},
        {"range", "t:1h , t:2h", "dynamic([\"01:00:00\",\"02:00:00\"])"},
        {"range", "d:2020-01-01 , d:2020-01-02 , t:1d",
         "dynamic([\"2020-01-01T00:00:00.0000000Z\",\"2020-01-02T00:00:00.0000000Z\"])"});
}

static void test_calendar(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"startofday", "d:2017-01-01T10:10:17 , -1", "datetime(2016-12-31T00:00:00Z)"},
        {"startofweek", "d:2020-06-15T13:45 , -2", "datetime(2020-05-31T00:00:00Z)"},
        {"startofweek", "d:0001-01-01", "datetime(null)"},
        {"startofmonth", "d:2020-06-15 , -13", "datetime(2019-05-01T00:00:00Z)"},
        {"startofyear", "d:2020-06-15 , -5", "datetime(2015-01-01T00:00:00Z)"},
        {"startofyear", "d:2020-06-15 , 9000", "datetime(null)"},
        {"startofmonth", "d:2020-06-15 , 9223372036854775807", "datetime(null)"},
        {"endofday", "d:2020-06-15T13:45", "datetime(2020-06-15T23:59:59.9999999Z)"},
        {"endofweek", "d:2020-06-15 , 2", "datetime(2020-07-04T23:59:59.9999999Z)"},
        {"endofmonth", "d:2020-01-31 , 13", "datetime(2021-02-28T23:59:59.9999999Z)"},
        {"endofmonth", "d:9999-12-31", "datetime(9999-12-31T23:59:59.9999999Z)"},
        {"endofyear", "d:9999-01-01 , 0", "datetime(9999-12-31T23:59:59.9999999Z)"},
        {"endofyear", "d:2020-01-01 , 9223372036854775807", "datetime(null)"},
        {"dayofweek", "d:1970-05-11", "timespan(1.00:00:00)"}, {"dayofweek", "d:9999-12-31T23:59", "timespan(null)"},
        {"dayofmonth", "d:2020-06-15", "long(15)"}, {"dayofyear", "d:2020-12-31", "long(366)"},
        {"hourofday", "d:2015-12-14T18:54", "long(18)"}, {"monthofyear", "d:2015-12-14", "long(12)"},
        {"getmonth", "d:2015-12-14", "long(12)"}, {"getyear", "d:2015-12-14", "long(2015)"},
        {"week_of_year", "d:2016-01-01", "long(53)"}, {"weekofyear", "d:2007-01-01", "long(1)"},
        {"week_of_year", "d:9999-12-31T23:59:59", "long(52)"},
        {"datetime_part", "'QUARTER' , d:2017-10-30T01:02:03.7654321", "long(4)"},
        {"datetime_part", "'week_of_year' , d:2017-10-30", "long(44)"},
        {"datetime_part", "'dayOfYear' , d:2017-10-30", "long(303)"},
        {"datetime_part", "'nanosecond' , d:2017-10-30T01:02:03.7654321", "long(765432100)"},
        {"datetime_part", "'x' , d:2017-10-30", "error"},
        {"datetime_add", "'month' , 1 , d:2020-01-31", "datetime(2020-02-29T00:00:00Z)"},
        {"datetime_add", "'quarter' , -5 , d:2020-05-31", "datetime(2019-02-28T00:00:00Z)"},
        {"datetime_add", "'year' , 1 , d:2020-02-29", "datetime(2021-02-28T00:00:00Z)"},
        {"datetime_add", "'millisecond' , 1500 , d:2020-01-01", "datetime(2020-01-01T00:00:01.5Z)"},
        {"datetime_add", "'day' , 9223372036854775807 , d:2020-01-01", "datetime(null)"},
        {"datetime_diff", "'week' , d:2017-10-29 , d:2017-09-30T23:59", "long(5)"},
        {"datetime_diff", "'month' , d:2020-01-31 , d:2020-02-01", "long(-1)"},
        {"datetime_diff", "'quarter' , d:2024-03-31 , d:2020-04-01", "long(15)"},
        {"datetime_diff", "'hour' , d:2017-10-31T01:00 , d:2017-10-30T23:59", "long(2)"},
        {"datetime_diff", "'nanosecond' , d:2017-10-30T23:00:00.0000000 , d:2017-10-30T23:00:00.0000007", "long(-700)"},
        {"make_datetime", "2017 , 10 , 1", "datetime(2017-10-01T00:00:00Z)"},
        {"make_datetime", "2017 , 10 , 1 , 12 , 10", "datetime(2017-10-01T12:10:00Z)"},
        {"make_datetime", "2017 , 10 , 1 , 12 , 11 , 0.1234567", "datetime(2017-10-01T12:11:00.1234567Z)"},
        {"make_datetime", "2017 , 13 , 1", "datetime(null)"}, {"make_datetime", "2017 , 2 , 30", "datetime(null)"},
        {"make_timespan", "2 , 30", "timespan(02:30:00)"}, {"make_timespan", "1 , 2 , 3", "timespan(01:02:03)"},
        {"make_timespan", "1 , 12 , 30 , 55.123", "timespan(1.12:30:55.1230000)"},
        {"make_timespan", "25 , 70", "timespan(null)"},
        {"unixtime_seconds_todatetime", "1546300800", "datetime(2019-01-01T00:00:00Z)"},
        {"unixtime_seconds_todatetime", "1546300800.5", "datetime(2019-01-01T00:00:00.5Z)"},
        {"unixtime_milliseconds_todatetime", "1546300800000", "datetime(2019-01-01T00:00:00Z)"},
        {"unixtime_microseconds_todatetime", "1546300800000000", "datetime(2019-01-01T00:00:00Z)"},
        {"unixtime_nanoseconds_todatetime", "1546300800000000000", "datetime(2019-01-01T00:00:00Z)"},
        {"unixtime_seconds_todatetime", "9223372036854775807", "datetime(null)"},
        {"unixtime_seconds_todatetime", "NaN", "datetime(null)"});
}

static void test_format(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"format_datetime", "d:2017-01-29T09:00:05 , 'yy-MM-dd [HH:mm:ss]'", "'17-01-29 [09:00:05]'"},
        {"format_datetime", "d:2017-01-29T09:00:05 , 'yyyy-M-dd [H:mm:ss]'", "'2017-1-29 [9:00:05]'"},
        {"format_datetime", "d:2007-03-09T05:04:03 , 'dddd, MMMM d, yyyy'", "'0909, 0303 9, 2007'"},
        {"format_datetime", "d:2007-03-09T05:04:03 , 'ddd MMM'", "'099 033'"},
        {"format_datetime", "d:2020-06-15T13:45:09 , 'h:mm:ss tt'", "'1:45:09 PM'"},
        {"format_datetime", "d:2020-06-15T00:30:00 , 'hh:mm tt'", "'12:30 AM'"},
        {"format_datetime", "d:2020-06-15T13:45:09.0000000 , 'FFFFFFF'", "''"},
        {"format_datetime", "d:2020-06-15T13:45:09.1234567 , 'ffffff'", "'123456'"},
        {"format_datetime", "d:2020-06-15 , 'y'", "'20'"}, {"format_datetime", "d:2020-06-15 , 'zzz'", "error"},
        {"format_datetime", "d:2020-06-15 , 'K'", "error"},
        {"format_timespan", "t:29.09:00:05.12345 , 'dd.hh:mm:ss:FF'", "'29.09:00:05:12'"},
        {"format_timespan", "t:29.09:00:05.12345 , 'ddd.h:mm:ss [fffffff]'", "'029.9:00:05 [1234500]'"},
        {"format_timespan", "t:-2.5h , 'hh:mm'", "'-02:30'"}, {"format_timespan", "t:26h , 'hh:mm'", "'02:00'"},
        {"format_timespan", "t:10675199.02:48:05.4775807 , 'd.hh:mm:ss'", "'10675199.02:48:05'"},
        {"format_timespan", "t:1d , '%d'", "error"}, {"format_timespan", "t:1d , 'c'", "error"});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounding), cmocka_unit_test(test_functions),
                                       cmocka_unit_test(test_calendar), cmocka_unit_test(test_format)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
