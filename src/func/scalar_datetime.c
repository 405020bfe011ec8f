/* Calendar functions over datetime and timespan. What leaves the calendar is null. */
#include "base/time.h"
#include "func/kernel.h"
#include "func/rows.h"
#include <math.h>

static inline int64_t in_calendar(kq_call *call, uint32_t r, __int128 ticks) {
    if (ticks >= 0 && ticks <= KQ_TICKS_MAX) return (int64_t)ticks;
    kq_call_null(call, r);
    return 0;
}

/* What a period is: a number of ticks, or a number of months, or less than a tick. */
typedef enum period {
    YEAR,
    QUARTER,
    MONTH,
    WEEK,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    MILLISECOND,
    MICROSECOND,
    NANOSECOND,
    DAY_OF_YEAR,
    WEEK_OF_YEAR,
    NO_PERIOD
} period;

static const struct {
    const char *name;
    int64_t ticks;
    int months;
} periods[NO_PERIOD] = {
    [YEAR] = {"year", 0, 12},
    [QUARTER] = {"quarter", 0, 3},
    [MONTH] = {"month", 0, 1},
    [WEEK] = {"week", 7 * KQ_TICK_DAY, 0},
    [DAY] = {"day", KQ_TICK_DAY, 0},
    [HOUR] = {"hour", KQ_TICK_HOUR, 0},
    [MINUTE] = {"minute", KQ_TICK_MINUTE, 0},
    [SECOND] = {"second", KQ_TICK_SECOND, 0},
    [MILLISECOND] = {"millisecond", KQ_TICK_MS, 0},
    [MICROSECOND] = {"microsecond", KQ_TICK_US, 0},
    [NANOSECOND] = {"nanosecond", 0, 0},
    [DAY_OF_YEAR] = {"dayofyear", 0, 0},
    [WEEK_OF_YEAR] = {"week_of_year", 0, 0},
};

static period period_of(kq_sv name, period last) {
    for (int i = 0; i <= (int)last; i++)
        if (kq_sv_eq_ascii_ci(name, kq_sv_of(periods[i].name))) return (period)i;
    if (last >= WEEK_OF_YEAR && kq_sv_eq_ascii_ci(name, KQ_SV("weekofyear"))) return WEEK_OF_YEAR;
    return NO_PERIOD;
}

static period period_at(const kq_call *call, uint32_t r, period last) {
    return period_of(kq_str_view(&kq_vec_str(call->args[0])[kq_vec_at(call->args[0], r)]), last);
}

/* A period that is written in the query must be one. */
static kq_status check_period(kq_prepare *p, period last, kq_error *err) {
    if (!p->args[0]) return KQ_OK;
    kq_sv name = kq_str_view(&kq_vec_str(p->args[0])[0]);
    if (period_of(name, last) != NO_PERIOD) return KQ_OK;
    kq_status status =
        kq_fail(err, KQ_ERR_QUERY, "%s(): '" KQ_SV_FMT "' is not a period", p->fn->name, KQ_SV_ARG(name));
    kq_error_hint(err, "year, quarter, month, %s, day, hour, minute, second, millisecond, microsecond, nanosecond",
                  last == NANOSECOND ? "week" : "week_of_year, dayofyear");
    return status;
}

kq_status kq_prepare_period(kq_prepare *p, const void **state, kq_error *err) {
    (void)state;
    return check_period(p, NANOSECOND, err);
}

kq_status kq_prepare_part(kq_prepare *p, const void **state, kq_error *err) {
    (void)state;
    return check_period(p, WEEK_OF_YEAR, err);
}

/* The first of a month that is `months` after that of c; false outside of the calendar. */
static bool month_after(const kq_civil *c, int64_t months, kq_civil *out) {
    if (months < -200000 || months > 200000) return false;
    int64_t m = (int64_t)c->year * 12 + c->month - 1 + months;
    *out = (kq_civil){.year = (int)(m / 12), .month = (int)(m % 12) + 1, .day = 1};
    return m >= 12 && out->year <= 9999;
}

static int64_t week_start(int64_t t) {
    return t - t % KQ_TICK_DAY - kq_weekday(t) * KQ_TICK_DAY;
}

/* The start of the period that holds `t`, `offset` periods on; *ok false outside of the calendar. */
static __int128 period_start(int64_t t, period p, int64_t offset, bool *ok) {
    *ok = true;
    if (p == DAY) return (__int128)(t - t % KQ_TICK_DAY) + (__int128)offset * KQ_TICK_DAY;
    if (p == WEEK) return (__int128)week_start(t) + (__int128)offset * 7 * KQ_TICK_DAY;
    kq_civil c = kq_civil_of(t), at = {0};
    int64_t ticks = 0;
    if (p == YEAR) c.month = 1;
    if (offset < -200000 || offset > 200000 || !month_after(&c, offset * periods[p].months, &at)) {
        /* The end of the last month needs a start that does not exist. */
        *ok = at.year == 10000 && at.month == 1 && offset > -200000 && offset < 200000;
        return (__int128)KQ_TICKS_MAX + 1;
    }
    *ok = kq_civil_ticks(&at, &ticks);
    return ticks;
}

static int64_t offset_at(const kq_call *call, uint32_t r) {
    return call->nargs < 2 ? 0 : kq_vec_long(call->args[1])[kq_vec_at(call->args[1], r)];
}

static int64_t start_row(kq_call *call, uint32_t r, int64_t t, period p) {
    bool ok;
    __int128 at = period_start(t, p, offset_at(call, r), &ok);
    return in_calendar(call, r, ok ? at : -1);
}

static int64_t end_row(kq_call *call, uint32_t r, int64_t t, period p) {
    bool ok;
    int64_t offset = offset_at(call, r);
    __int128 at = offset == INT64_MAX ? -1 : period_start(t, p, offset + 1, &ok) - 1;
    return in_calendar(call, r, offset != INT64_MAX && ok ? at : -1);
}

#define PERIOD_FN(name, row, period)                                                                                   \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_UNARY(call, int64_t, t, r, out[r] = row(call, r, t, period););                                              \
        return KQ_OK;                                                                                                  \
    }
PERIOD_FN(kq_fn_startofday, start_row, DAY)
PERIOD_FN(kq_fn_startofweek, start_row, WEEK)
PERIOD_FN(kq_fn_startofmonth, start_row, MONTH)
PERIOD_FN(kq_fn_startofyear, start_row, YEAR)
PERIOD_FN(kq_fn_endofday, end_row, DAY)
PERIOD_FN(kq_fn_endofweek, end_row, WEEK)
PERIOD_FN(kq_fn_endofmonth, end_row, MONTH)
PERIOD_FN(kq_fn_endofyear, end_row, YEAR)

/* ISO 8601: the week that holds the year's first Thursday is the first. */
static int64_t iso_week(int64_t t) {
    int64_t thursday = t / KQ_TICK_DAY - (kq_weekday(t) + 6) % 7 + 3;
    if (thursday < 0) thursday = 0;
    if (thursday > KQ_TICKS_MAX / KQ_TICK_DAY) thursday = KQ_TICKS_MAX / KQ_TICK_DAY;
    return (kq_year_day(thursday * KQ_TICK_DAY) - 1) / 7 + 1;
}

#define PART_FN(name, expr)                                                                                            \
    kq_status name(kq_call *call, kq_error *err) {                                                                     \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_UNARY(call, int64_t, t, r, out[r] = expr;);                                                                 \
        return KQ_OK;                                                                                                  \
    }
/* On the calendar's last day Kusto has no answer, as if it counted to the next one. */
static inline int64_t weekday_row(kq_call *call, uint32_t r, int64_t t) {
    if (t <= KQ_TICKS_MAX - KQ_TICK_DAY) return kq_weekday(t) * KQ_TICK_DAY;
    kq_call_null(call, r);
    return 0;
}

PART_FN(kq_fn_dayofweek, weekday_row(call, r, t))
PART_FN(kq_fn_dayofmonth, kq_civil_of(t).day)
PART_FN(kq_fn_dayofyear, kq_year_day(t))
PART_FN(kq_fn_hourofday, t / KQ_TICK_HOUR % 24)
PART_FN(kq_fn_monthofyear, kq_civil_of(t).month)
PART_FN(kq_fn_getyear, kq_civil_of(t).year)
PART_FN(kq_fn_week_of_year, iso_week(t))

static int64_t part_row(kq_call *call, uint32_t r, int64_t t) {
    switch (period_at(call, r, WEEK_OF_YEAR)) {
    case YEAR: return kq_civil_of(t).year;
    case QUARTER: return (kq_civil_of(t).month - 1) / 3 + 1;
    case MONTH: return kq_civil_of(t).month;
    case WEEK:
    case WEEK_OF_YEAR: return iso_week(t);
    case DAY: return kq_civil_of(t).day;
    case DAY_OF_YEAR: return kq_year_day(t);
    case HOUR: return t / KQ_TICK_HOUR % 24;
    case MINUTE: return t / KQ_TICK_MINUTE % 60;
    case SECOND: return t / KQ_TICK_SECOND % 60;
    case MILLISECOND: return t / KQ_TICK_MS % 1000;
    case MICROSECOND: return t / KQ_TICK_US % 1000000;
    case NANOSECOND: return t % KQ_TICK_SECOND * 100;
    default: kq_call_null(call, r); return 0;
    }
}

kq_status kq_fn_datetime_part(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY_AT(call, 0, kq_str, name, 1, int64_t, t, r, (void)name; out[r] = part_row(call, r, t););
    return KQ_OK;
}

/* Months keep the day of the month as far as the month has it, and the time. */
static int64_t add_row(kq_call *call, uint32_t r, int64_t n, int64_t t) {
    period p = period_at(call, r, NANOSECOND);
    if (p == NO_PERIOD) return in_calendar(call, r, -1);
    if (p == NANOSECOND) return in_calendar(call, r, (__int128)t + n / 100);
    if (periods[p].ticks) return in_calendar(call, r, (__int128)t + (__int128)n * periods[p].ticks);
    kq_civil c = kq_civil_of(t), at;
    if (n < -200000 || n > 200000 || !month_after(&c, n * periods[p].months, &at)) return in_calendar(call, r, -1);
    int last = kq_month_days(at.year, at.month);
    at.day = c.day < last ? c.day : last;
    int64_t day = 0;
    if (!kq_civil_ticks(&at, &day)) return in_calendar(call, r, -1);
    return day + t % KQ_TICK_DAY;
}

kq_status kq_fn_datetime_add(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY_AT(call, 1, int64_t, n, 2, int64_t, t, r, out[r] = add_row(call, r, n, t););
    return KQ_OK;
}

static int64_t months_of(int64_t t) {
    kq_civil c = kq_civil_of(t);
    return (int64_t)c.year * 12 + c.month - 1;
}

/* How often the period's boundary is crossed from b to a. */
static int64_t diff_row(kq_call *call, uint32_t r, int64_t a, int64_t b) {
    period p = period_at(call, r, NANOSECOND);
    switch (p) {
    case YEAR:
    case QUARTER:
    case MONTH: return months_of(a) / periods[p].months - months_of(b) / periods[p].months;
    case WEEK: return (week_start(a) - week_start(b)) / (7 * KQ_TICK_DAY);
    case NANOSECOND: return (int64_t)((uint64_t)(a - b) * 100);
    case NO_PERIOD: kq_call_null(call, r); return 0;
    default: return a / periods[p].ticks - b / periods[p].ticks;
    }
}

kq_status kq_fn_datetime_diff(kq_call *call, kq_error *err) {
    (void)err;
    int64_t *out = KQ_OUT(call, int64_t);
    KQ_BINARY_AT(call, 1, int64_t, a, 2, int64_t, b, r, out[r] = diff_row(call, r, a, b););
    return KQ_OK;
}

/* Seconds with a fraction as ticks; false unless in [0, 60). */
static bool second_ticks(double s, int64_t *ticks) {
    if (!(s >= 0 && s < 60)) return false;
    *ticks = (int64_t)nearbyint(s * (double)KQ_TICK_SECOND);
    return *ticks < KQ_TICK_MINUTE;
}

static bool in_range(int64_t v, int64_t low, int64_t high) {
    return v >= low && v <= high;
}

static void make_datetime_row(kq_call *call, uint32_t r) {
    int64_t v[5] = {0}, second = 0, t = 0;
    for (uint32_t i = 0; i < 5 && i < call->nargs; i++) v[i] = kq_call_value(call, i, r).u.l;
    bool ok = call->nargs < 6 || second_ticks(kq_call_value(call, 5, r).u.r, &second);
    ok = ok && in_range(v[0], 1, 9999) && in_range(v[1], 1, 12) && in_range(v[2], 1, 31) && in_range(v[3], 0, 23) &&
         in_range(v[4], 0, 59);
    if (ok) {
        kq_civil c = {(int)v[0],
                      (int)v[1],
                      (int)v[2],
                      (int)v[3],
                      (int)v[4],
                      (int)(second / KQ_TICK_SECOND),
                      (int)(second % KQ_TICK_SECOND)};
        ok = kq_civil_ticks(&c, &t);
    }
    if (!ok) kq_call_null(call, r);
    KQ_OUT(call, int64_t)[r] = t;
}

kq_status kq_fn_make_datetime(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, make_datetime_row(call, r););
    return KQ_OK;
}

/* (hours, minutes, [seconds]) or (days, hours, minutes, seconds) */
static void make_timespan_row(kq_call *call, uint32_t r) {
    bool days = call->nargs == 4;
    int64_t day = days ? kq_call_value(call, 0, r).u.l : 0, second = 0;
    int64_t hour = kq_call_value(call, days, r).u.l, minute = kq_call_value(call, days + 1u, r).u.l;
    bool ok = call->nargs < 3 || second_ticks(kq_call_value(call, call->nargs - 1, r).u.r, &second);
    ok = ok && in_range(day, 0, 10675198) && in_range(hour, 0, 23) && in_range(minute, 0, 59);
    if (!ok) kq_call_null(call, r);
    KQ_OUT(call, int64_t)
    [r] = ok ? day * KQ_TICK_DAY + hour * KQ_TICK_HOUR + minute * KQ_TICK_MINUTE + second : 0;
}

kq_status kq_fn_make_timespan(kq_call *call, kq_error *err) {
    (void)err;
    KQ_EACH(call, r, make_timespan_row(call, r););
    return KQ_OK;
}

/* `per` units make a tick (nanoseconds), or a unit is `ticks`. */
#define UNIXTIME_FN(name, ticks, per)                                                                                  \
    kq_status name##_long(kq_call *call, kq_error *err) {                                                              \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_UNARY(call, int64_t, x, r, out[r] = in_calendar(call, r, KQ_TICKS_1970 + (__int128)x * (ticks) / (per)););  \
        return KQ_OK;                                                                                                  \
    }                                                                                                                  \
    kq_status name##_real(kq_call *call, kq_error *err) {                                                              \
        (void)err;                                                                                                     \
        int64_t *out = KQ_OUT(call, int64_t);                                                                          \
        KQ_UNARY(call, double, x, r, out[r] = unixtime_real(call, r, x * (double)(ticks) / (per)););                   \
        return KQ_OK;                                                                                                  \
    }

static inline int64_t unixtime_real(kq_call *call, uint32_t r, double ticks) {
    return in_calendar(call, r, fabs(ticks) < 1e18 ? KQ_TICKS_1970 + (int64_t)nearbyint(ticks) : -1);
}

UNIXTIME_FN(kq_fn_unixtime_seconds, KQ_TICK_SECOND, 1)
UNIXTIME_FN(kq_fn_unixtime_milliseconds, KQ_TICK_MS, 1)
UNIXTIME_FN(kq_fn_unixtime_microseconds, KQ_TICK_US, 1)
UNIXTIME_FN(kq_fn_unixtime_nanoseconds, 1, 100)
