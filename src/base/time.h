/*
 * datetime and timespan as 100 ns ticks: the calendar, parsing and printing. Pure functions.
 */
#ifndef KQ_BASE_TIME_H
#define KQ_BASE_TIME_H

#include "base/buf.h"

#define KQ_TICK_US     INT64_C(10)
#define KQ_TICK_MS     INT64_C(10000)
#define KQ_TICK_SECOND INT64_C(10000000)
#define KQ_TICK_MINUTE (60 * KQ_TICK_SECOND)
#define KQ_TICK_HOUR   (60 * KQ_TICK_MINUTE)
#define KQ_TICK_DAY    (24 * KQ_TICK_HOUR)
#define KQ_TICKS_1601  INT64_C(504911232000000000) /* FILETIME 0 */
#define KQ_TICKS_1970  INT64_C(621355968000000000)
#define KQ_TICKS_MAX   INT64_C(3155378975999999999) /* 9999-12-31T23:59:59.9999999Z */

typedef struct kq_civil {
    int year, month, day; /* 1..9999, 1..12, 1..31 */
    int hour, minute, second;
    int tick; /* 0..9999999 */
} kq_civil;

/* The civil date of ticks in [0, KQ_TICKS_MAX], and back; false when a field is out of its range. */
kq_civil kq_civil_of(int64_t ticks);
bool kq_civil_ticks(const kq_civil *c, int64_t *ticks);
/* 0 = Sunday. Days in a month; day of the year from 1. */
int kq_weekday(int64_t ticks);
int kq_month_days(int year, int month);
int kq_year_day(int64_t ticks);

/* The order of the numbers in dates such as 10/11/2023: a property of who wrote them. */
typedef enum kq_dates { KQ_DATES_UNTOLD, KQ_DATES_MDY, KQ_DATES_DMY, KQ_DATES_EITHER } kq_dates;

/* A strict ISO 8601 time: YYYY-MM-DD, then optionally [T or space]hh:mm[:ss[.fraction of any length]] and [Z|+hh:mm|
 * -hh:mm]; no zone means UTC. The fast path of every source. */
bool kq_time_parse_iso(kq_sv text, int64_t *ticks);
/* Everything todatetime() takes: ISO, yyyymmdd, mm-dd-yyyy, mm/dd/yyyy [hh:mm:ss [AM|PM]], RFC 822 and 1123, RFC 850,
 * month names; offsets are converted to UTC. Source: Kusto documentation, the datetime data type. */
bool kq_time_parse(kq_sv text, int64_t *ticks);
/* What logs and exports write: the above, but no time of day alone; also /Date(milliseconds)/ as .NET's JSON has it,
 * and digits since 1970, see kq_time_from_epoch. *zoned: the text tells its zone, by whatever means; otherwise *ticks
 * is as if it were UTC. 10/11/2023 is month/day/year unless `order` says otherwise. */
bool kq_time_parse_log(kq_sv text, kq_dates order, int64_t *ticks, bool *zoned);
/* The order that a date of three numbers is in, its first two being told apart by one of them being above 12.
 * or by the points between them, which only those write who put the day first.
 * KQ_DATES_EITHER: it is a time in both, and another one; KQ_DATES_UNTOLD: it is no such date, or the same in both. */
kq_dates kq_time_dates(kq_sv text);
/* Seconds, milli-, micro- or nanoseconds since 1970, whichever gives a year up to 5138: below 10^11, 10^14, 10^17 and
 * above. `billionths` follow the point. Nothing up to 0 is a time. */
bool kq_time_from_epoch(int64_t whole, uint32_t billionths, int64_t *ticks);
/* Everything totimespan() and timespan literals take: 1.02:03:04.5, 02:03, 1d 2h.. forms (1.5h, 15 seconds), bare
 * number = days. */
bool kq_timespan_parse(kq_sv text, int64_t *ticks);

/* "2020-01-01T00:00:00.0000000Z" with `digits` fixed fraction digits 7, or -1: trimmed, none when zero. */
void kq_time_print(int64_t ticks, int digits, kq_buf *out);
/* "[-][d.]hh:mm:ss[.fffffff]": days when not zero, 7 fraction digits when not zero. */
void kq_timespan_print(int64_t ticks, kq_buf *out);

/* The clock, in ticks. */
int64_t kq_time_now(void);
/* A monotonic clock in nanoseconds, for deadlines and measuring. */
uint64_t kq_clock_ns(void);

#endif
