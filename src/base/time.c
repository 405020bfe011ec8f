#include "base/time.h"
#include <time.h>

/* Days before each month of a year without leap day. */
static const short month_start[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_before_year(int year) {
    int y = year - 1;
    return y * 365 + y / 4 - y / 100 + y / 400;
}

static int days_before_month(int year, int month) {
    return month_start[month - 1] + (month > 2 && is_leap(year));
}

int kq_month_days(int year, int month) {
    if (month < 1 || month > 12) return 0;
    return month_start[month] - month_start[month - 1] + (month == 2 && is_leap(year));
}

/* The year of a day (0 = 0001-01-01) and the day in it from 0. */
static int year_of_day(int day, int *in_year) {
    int n400 = day / 146097;
    day %= 146097;
    int n100 = day / 36524;
    if (n100 == 4) n100 = 3; /* the last day of a 400-year cycle */
    day -= n100 * 36524;
    int n4 = day / 1461;
    day %= 1461;
    int n1 = day / 365;
    if (n1 == 4) n1 = 3; /* the leap day's year end */
    *in_year = day - n1 * 365;
    return n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
}

kq_civil kq_civil_of(int64_t ticks) {
    kq_civil c;
    int day = (int)(ticks / KQ_TICK_DAY);
    int64_t rest = ticks % KQ_TICK_DAY;
    int in_year;
    c.year = year_of_day(day, &in_year);
    /* No month is longer than 31 days nor shorter than 28: the estimate is off by one at most. */
    c.month = in_year / 32 + 1;
    while (c.month < 12 && in_year >= days_before_month(c.year, c.month + 1)) c.month++;
    c.day = in_year - days_before_month(c.year, c.month) + 1;
    c.tick = (int)(rest % KQ_TICK_SECOND);
    int second = (int)(rest / KQ_TICK_SECOND);
    c.second = second % 60;
    c.minute = second / 60 % 60;
    c.hour = second / 3600;
    return c;
}

bool kq_civil_ticks(const kq_civil *c, int64_t *ticks) {
    if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > kq_month_days(c->year, c->month) || c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 ||
        c->second < 0 || c->second > 59 || c->tick < 0 || c->tick > 9999999)
        return false;
    int64_t day = days_before_year(c->year) + days_before_month(c->year, c->month) + c->day - 1;
    *ticks = day * KQ_TICK_DAY + ((int64_t)c->hour * 3600 + c->minute * 60 + c->second) * KQ_TICK_SECOND + c->tick;
    return true;
}

int kq_weekday(int64_t ticks) {
    return (int)((ticks / KQ_TICK_DAY + 1) % 7); /* 0001-01-01 was a Monday */
}

int kq_year_day(int64_t ticks) {
    int in_year;
    year_of_day((int)(ticks / KQ_TICK_DAY), &in_year);
    return in_year + 1;
}

static char *put2(char *p, int v) {
    p[0] = (char)('0' + v / 10);
    p[1] = (char)('0' + v % 10);
    return p + 2;
}

/* A fraction of `digits` digits; with -1 trailing zeros go, and all of it when it is zero. */
static char *put_fraction(char *p, int tick, int digits) {
    if (digits == 0 || (digits < 0 && tick == 0)) return p;
    char text[7];
    for (int i = 6, v = tick; i >= 0; i--, v /= 10) text[i] = (char)('0' + v % 10);
    int n = digits > 7 ? 7 : digits;
    if (digits < 0)
        for (n = 7; text[n - 1] == '0';) n--;
    *p++ = '.';
    memcpy(p, text, (size_t)n);
    return p + n;
}

void kq_time_print(int64_t ticks, int digits, kq_buf *out) {
    if (ticks < 0) ticks = 0;
    if (ticks > KQ_TICKS_MAX) ticks = KQ_TICKS_MAX;
    char *start = kq_buf_reserve(out, 32);
    if (!start) return;
    kq_civil c = kq_civil_of(ticks);
    char *p = put2(start, c.year / 100);
    p = put2(p, c.year % 100);
    *p++ = '-';
    p = put2(p, c.month);
    *p++ = '-';
    p = put2(p, c.day);
    *p++ = 'T';
    p = put2(p, c.hour);
    *p++ = ':';
    p = put2(p, c.minute);
    *p++ = ':';
    p = put2(p, c.second);
    p = put_fraction(p, c.tick, digits);
    *p++ = 'Z';
    out->n += (size_t)(p - start);
}

void kq_timespan_print(int64_t ticks, kq_buf *out) {
    char *start = kq_buf_reserve(out, 40);
    if (!start) return;
    char *p = start;
    uint64_t u = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;
    if (ticks < 0) *p++ = '-';
    int day = (int)(u / KQ_TICK_DAY);
    uint64_t rest = u % KQ_TICK_DAY;
    if (day) {
        char digits[12];
        int n = 0;
        for (int v = day; v; v /= 10) digits[n++] = (char)('0' + v % 10);
        while (n) *p++ = digits[--n];
        *p++ = '.';
    }
    int second = (int)(rest / KQ_TICK_SECOND), tick = (int)(rest % KQ_TICK_SECOND);
    p = put2(p, second / 3600);
    *p++ = ':';
    p = put2(p, second / 60 % 60);
    *p++ = ':';
    p = put2(p, second % 60);
    if (tick) p = put_fraction(p, tick, 7);
    out->n += (size_t)(p - start);
}

int64_t kq_time_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return KQ_TICKS_1970 + (int64_t)t.tv_sec * KQ_TICK_SECOND + t.tv_nsec / 100;
}

uint64_t kq_clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
