#include "base/time.h"

/* A cursor over the text being read. */
typedef struct scan {
    const char *p, *end;
} scan;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c) {
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* U+00A0 and U+202F, which ICU writes before AM and PM: how many bytes, or 0. */
static size_t hard_blank(const char *p, const char *end) {
    if (end - p >= 2 && memcmp(p, "\xC2\xA0", 2) == 0) return 2;
    return end - p >= 3 && memcmp(p, "\xE2\x80\xAF", 3) == 0 ? 3 : 0;
}

static void skip_blanks(scan *s) {
    for (;;) {
        size_t n = s->p < s->end && is_blank(*s->p) ? 1 : hard_blank(s->p, s->end);
        if (!n) return;
        s->p += n;
    }
}

static bool take(scan *s, char c) {
    if (s->p < s->end && *s->p == c) {
        s->p++;
        return true;
    }
    return false;
}

static bool two_digits(const char *p, int *v) {
    if (!is_digit(p[0]) || !is_digit(p[1])) return false;
    *v = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* min..max digits as a number; `count` tells how many. */
static bool digits(scan *s, int min, int max, int *v, int *count) {
    int n = 0, x = 0;
    while (n < max && s->p < s->end && is_digit(*s->p)) {
        x = x * 10 + (*s->p++ - '0');
        n++;
    }
    if (n < min || (s->p < s->end && is_digit(*s->p))) return false;
    *v = x;
    if (count) *count = n;
    return true;
}

/* Digits after the point as ticks; what is finer than a tick is dropped. At least one digit. */
static bool fraction(scan *s, int *tick) {
    int n = 0, x = 0;
    for (; s->p < s->end && is_digit(*s->p); s->p++, n++)
        if (n < 7) x = x * 10 + (*s->p - '0');
    if (n == 0) return false;
    for (; n < 7; n++) x *= 10;
    *tick = x;
    return true;
}

static bool in_range(int64_t ticks) {
    return ticks >= 0 && ticks <= KQ_TICKS_MAX;
}

static bool parse_iso(kq_sv text, int64_t *ticks, bool *zoned) {
    *zoned = false;
    if (text.n < 10) return false;
    const char *p = text.p;
    kq_civil c = {0};
    int century;
    if (!two_digits(p, &century) || !two_digits(p + 2, &c.year) || p[4] != '-' || !two_digits(p + 5, &c.month) ||
        p[7] != '-' || !two_digits(p + 8, &c.day))
        return false;
    c.year += century * 100;
    scan s = {p + 10, p + text.n};
    int64_t offset = 0;
    if (s.p < s.end) {
        if ((*s.p != 'T' && *s.p != ' ') || s.end - s.p < 6) return false;
        p = s.p;
        if (!two_digits(p + 1, &c.hour) || p[3] != ':' || !two_digits(p + 4, &c.minute)) return false;
        s.p += 6;
        if (take(&s, ':')) {
            if (s.end - s.p < 2 || !two_digits(s.p, &c.second)) return false;
            s.p += 2;
            if (take(&s, '.') && !fraction(&s, &c.tick)) return false;
        }
        if (s.p < s.end && *s.p == 'Z') {
            *zoned = true;
            s.p++;
        } else if (s.p < s.end) {
            int h, m;
            *zoned = true;
            bool west = *s.p == '-';
            if ((!west && *s.p != '+') || s.end - s.p != 6 || !two_digits(s.p + 1, &h) || s.p[3] != ':' ||
                !two_digits(s.p + 4, &m) || h > 14 || m > 59)
                return false;
            offset = (h * 60 + m) * KQ_TICK_MINUTE * (west ? -1 : 1);
            s.p += 6;
        }
        if (s.p != s.end) return false;
    }
    int64_t t;
    if (!kq_civil_ticks(&c, &t) || !in_range(t - offset)) return false;
    *ticks = t - offset;
    return true;
}

bool kq_time_parse_iso(kq_sv text, int64_t *ticks) {
    bool zoned;
    return parse_iso(text, ticks, &zoned);
}

/* A word of letters at the cursor; empty when there is none. */
static kq_sv word(scan *s) {
    const char *p = s->p;
    while (s->p < s->end && is_alpha(*s->p)) s->p++;
    return (kq_sv){p, (size_t)(s->p - p)};
}

/* The index of the name that `w` is, in full or as its first three letters; -1: none. */
static int find_name(kq_sv w, const char *const *names, int n) {
    for (int i = 0; i < n; i++) {
        kq_sv name = kq_sv_of(names[i]);
        if (kq_sv_eq_ascii_ci(w, name) || (w.n == 3 && kq_sv_eq_ascii_ci(w, kq_sv_slice(name, 0, 3)))) return i;
    }
    return -1;
}

static const char *const month_names[] = {"january", "february", "march",     "april",   "may",      "june",
                                          "july",    "august",   "september", "october", "november", "december"};
static const char *const weekday_names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                            "thursday", "friday", "saturday"};

static int full_year(int year, int ndigits) {
    if (ndigits > 2) return year;
    return year + (year < 50 ? 2000 : 1900); /* RFC 2822, 4.3 */
}

/* One of - / . or blanks (around it, too) between the parts of a date. */
static bool separator(scan *s, char *which) {
    const char *before = s->p;
    skip_blanks(s);
    char c = s->p < s->end ? *s->p : 0;
    if (c == '-' || c == '/' || c == '.') {
        if (*which && *which != c) return false;
        *which = c;
        s->p++;
        skip_blanks(s);
        return true;
    }
    return s->p > before && *which == 0;
}

/* d Mon y, d-Mon-y; the day is read already. */
static bool day_month_year(scan *s, kq_civil *c) {
    int n;
    c->month = find_name(word(s), month_names, 12) + 1;
    char sep = 0;
    if (c->month == 0 || !separator(s, &sep) || !digits(s, 2, 4, &c->year, &n) || n == 3) return false;
    c->year = full_year(c->year, n);
    return true;
}

static bool date(scan *s, kq_dates order, kq_civil *c) {
    int a, n;
    if (s->p < s->end && is_alpha(*s->p)) { /* Mon d, y */
        c->month = find_name(word(s), month_names, 12) + 1;
        take(s, '.');
        skip_blanks(s);
        if (c->month == 0 || !digits(s, 1, 2, &c->day, NULL)) return false;
        take(s, ',');
        skip_blanks(s);
        return digits(s, 4, 4, &c->year, NULL);
    }
    if (!digits(s, 1, 8, &a, &n)) return false;
    if (n == 8) {
        c->year = a / 10000;
        c->month = a / 100 % 100;
        c->day = a % 100;
        return true;
    }
    char sep = 0;
    c->month = c->day = 1;
    if (n == 4) { /* y, y-m, y-m-d */
        c->year = a;
        if (s->p == s->end) return true;
        if (!separator(s, &sep) || sep == 0 || !digits(s, 1, 2, &c->month, NULL)) return false;
        if (s->p == s->end) return true;
        return separator(s, &sep) && digits(s, 1, 2, &c->day, NULL);
    }
    if (n > 2 || !separator(s, &sep)) return false;
    if (s->p < s->end && is_alpha(*s->p)) {
        c->day = a;
        return day_month_year(s, c);
    }
    if (sep == 0) return false;
    bool dmy = order == KQ_DATES_DMY; /* else m/d/y, as in the United States */
    *(dmy ? &c->day : &c->month) = a;
    if (!digits(s, 1, 2, dmy ? &c->month : &c->day, NULL) || !separator(s, &sep) || !digits(s, 2, 4, &c->year, &n) ||
        n == 3)
        return false;
    c->year = full_year(c->year, n);
    return true;
}

/* h:mm[:ss[.fraction]] [AM|PM] */
static bool clock_time(scan *s, kq_civil *c) {
    if (!digits(s, 1, 2, &c->hour, NULL) || !take(s, ':') || !digits(s, 1, 2, &c->minute, NULL)) return false;
    if (take(s, ':')) {
        if (!digits(s, 1, 2, &c->second, NULL)) return false;
        if (take(s, '.') && !fraction(s, &c->tick)) return false;
    }
    scan after = *s;
    skip_blanks(&after);
    kq_sv w = word(&after);
    bool am = kq_sv_eq_ascii_ci(w, KQ_SV("am")), pm = kq_sv_eq_ascii_ci(w, KQ_SV("pm"));
    if (am || pm) {
        if (c->hour < 1 || c->hour > 12) return false;
        c->hour = c->hour % 12 + (pm ? 12 : 0);
        *s = after;
    }
    return true;
}

/* Zone names of RFC 822 with their offset in hours. */
static const struct {
    const char *name;
    int hours;
} zones[] = {{"z", 0},    {"gmt", 0},  {"utc", 0},  {"ut", 0},   {"est", -5}, {"edt", -4},
             {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};

static bool zone(scan *s, int64_t *offset, bool *zoned) {
    const char *from = s->p;
    *offset = 0;
    *zoned = from < s->end;
    if (s->p < s->end && (*s->p == '+' || *s->p == '-')) {
        int sign = *s->p++ == '-' ? -1 : 1, h, m = 0, n;
        if (!digits(s, 1, 4, &h, &n)) return false;
        if (n >= 3) {
            m = h % 100;
            h /= 100;
        } else if (take(s, ':') && !digits(s, 2, 2, &m, NULL)) {
            return false;
        }
        if (h > 14 || m > 59) return false;
        *offset = (int64_t)sign * (h * 60 + m) * KQ_TICK_MINUTE;
        return true;
    }
    kq_sv w = word(s);
    if (w.n == 0) return true;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (kq_sv_eq_ascii_ci(w, kq_sv_of(zones[i].name))) {
            *offset = zones[i].hours * KQ_TICK_HOUR;
            return true;
        }
    return false;
}

/* Is it a time of day without a date: digits, then a colon? */
static bool starts_with_time(scan s) {
    int v;
    return digits(&s, 1, 2, &v, NULL) && take(&s, ':');
}

static bool parse(kq_sv text, bool today, kq_dates order, int64_t *ticks, bool *zoned) {
    scan s = {text.p, text.p + text.n};
    skip_blanks(&s);
    while (s.end > s.p && is_blank(s.end[-1])) s.end--;
    if (s.p == s.end || s.end - s.p > 64) return false;
    if (parse_iso((kq_sv){s.p, (size_t)(s.end - s.p)}, ticks, zoned)) return true;

    scan after = s;
    if (find_name(word(&after), weekday_names, 7) >= 0) {
        take(&after, ',');
        skip_blanks(&after);
        s = after;
    }
    kq_civil c = {0};
    if (starts_with_time(s)) {
        if (!today) return false;
        kq_civil today = kq_civil_of(kq_time_now());
        c.year = today.year, c.month = today.month, c.day = today.day;
    } else {
        if (!date(&s, order, &c)) return false;
        if (s.p < s.end && (*s.p == 'T' || *s.p == 't')) {
            if (++s.p == s.end) return false;
        } else if (take(&s, ','))
            skip_blanks(&s);
        else if (s.p < s.end && !is_blank(*s.p) && !hard_blank(s.p, s.end))
            return false;
        else
            skip_blanks(&s);
    }
    int64_t offset = 0, t;
    *zoned = false;
    if (s.p < s.end) {
        if (!clock_time(&s, &c)) return false;
        skip_blanks(&s);
        if (!zone(&s, &offset, zoned)) return false;
    }
    if (s.p != s.end || !kq_civil_ticks(&c, &t) || !in_range(t - offset)) return false;
    *ticks = t - offset;
    return true;
}

bool kq_time_parse(kq_sv text, int64_t *ticks) {
    bool zoned;
    return parse(text, true, KQ_DATES_UNTOLD, ticks, &zoned);
}

bool kq_time_from_epoch(int64_t whole, uint32_t billionths, int64_t *ticks) {
    if (whole <= 0) return false;
    /* billionths of the unit in a tick */
    __int128 unit = whole < INT64_C(100000000000)         ? 100
                    : whole < INT64_C(100000000000000)    ? 100000
                    : whole < INT64_C(100000000000000000) ? 100000000
                                                          : INT64_C(100000000000);
    __int128 t = ((__int128)whole * 1000000000 + billionths) / unit + KQ_TICKS_1970;
    if (t > KQ_TICKS_MAX) return false;
    *ticks = (int64_t)t;
    return true;
}

/* 9 to 19 digits, then perhaps a point and more: nothing shorter is taken for a number of seconds. */
static bool epoch_text(kq_sv text, int64_t *ticks) {
    uint64_t whole = 0;
    uint32_t billionths = 0, scale = 100000000;
    size_t i = 0;
    for (; i < text.n && is_digit(text.p[i]); i++) {
        if (i == 19) return false;
        whole = whole * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (i < 9 || whole > INT64_MAX) return false;
    if (i < text.n && text.p[i] == '.') {
        if (++i == text.n) return false;
        for (; i < text.n && is_digit(text.p[i]); i++, scale /= 10) billionths += (uint32_t)(text.p[i] - '0') * scale;
    }
    return i == text.n && kq_time_from_epoch((int64_t)whole, billionths, ticks);
}

/* /Date(1577836800000)/, /Date(1577836800000+0200)/: the offset is for showing it. Source: .NET, DataContractJson. */
static bool dotnet_date(kq_sv text, int64_t *ticks) {
    if (!kq_sv_starts(text, KQ_SV("/Date(")) || !kq_sv_ends(text, KQ_SV(")/")) || text.n < 9) return false;
    const char *p = text.p + 6, *end = text.p + text.n - 2;
    bool negative = *p == '-';
    p += negative;
    const char *from = p;
    int64_t v = 0;
    while (p < end && is_digit(*p) && p - from < 15) v = v * 10 + (*p++ - '0');
    if (p == from) return false;
    if (p < end && (*p == '+' || *p == '-') && end - p == 5)
        for (p++; p < end && is_digit(*p);) p++;
    if (p != end) return false;
    int64_t t;
    if (__builtin_mul_overflow(negative ? -v : v, KQ_TICK_MS, &t) || __builtin_add_overflow(t, KQ_TICKS_1970, &t))
        return false;
    if (!in_range(t)) return false;
    *ticks = t;
    return true;
}

bool kq_time_parse_log(kq_sv text, kq_dates order, int64_t *ticks, bool *zoned) {
    if (parse_iso(text, ticks, zoned)) return true;
    while (text.n && is_blank(text.p[0])) text = kq_sv_slice(text, 1, text.n);
    while (text.n && is_blank(text.p[text.n - 1])) text.n--;
    if (dotnet_date(text, ticks) || epoch_text(text, ticks)) return *zoned = true;
    return parse(text, false, order, ticks, zoned);
}

kq_dates kq_time_dates(kq_sv text) {
    int64_t m, d;
    bool zoned;
    if (text.n < 6 || !is_digit(text.p[0])) return KQ_DATES_UNTOLD;
    char c = text.p[is_digit(text.p[1]) ? 2 : 1];
    if (c != '/' && c != '.' && c != '-') return KQ_DATES_UNTOLD;
    bool mdy = kq_time_parse_log(text, KQ_DATES_MDY, &m, &zoned),
         dmy = kq_time_parse_log(text, KQ_DATES_DMY, &d, &zoned);
    if (mdy && dmy && c == '.') return KQ_DATES_DMY; /* nowhere is the month written first before a point */
    if (mdy && dmy) return m == d ? KQ_DATES_UNTOLD : KQ_DATES_EITHER;
    return mdy ? KQ_DATES_MDY : dmy ? KQ_DATES_DMY : KQ_DATES_UNTOLD;
}

/* Units of timespan literals. Source: Kusto documentation, the timespan data type, and its examples. */
static const struct {
    const char *name;
    int64_t ticks;
} units[] = {{"d", KQ_TICK_DAY},
             {"day", KQ_TICK_DAY},
             {"days", KQ_TICK_DAY},
             {"h", KQ_TICK_HOUR},
             {"hr", KQ_TICK_HOUR},
             {"hrs", KQ_TICK_HOUR},
             {"hour", KQ_TICK_HOUR},
             {"hours", KQ_TICK_HOUR},
             {"m", KQ_TICK_MINUTE},
             {"min", KQ_TICK_MINUTE},
             {"minute", KQ_TICK_MINUTE},
             {"minutes", KQ_TICK_MINUTE},
             {"s", KQ_TICK_SECOND},
             {"sec", KQ_TICK_SECOND},
             {"second", KQ_TICK_SECOND},
             {"seconds", KQ_TICK_SECOND},
             {"ms", KQ_TICK_MS},
             {"milli", KQ_TICK_MS},
             {"millis", KQ_TICK_MS},
             {"millisecond", KQ_TICK_MS},
             {"milliseconds", KQ_TICK_MS},
             {"micro", KQ_TICK_US},
             {"micros", KQ_TICK_US},
             {"microsecond", KQ_TICK_US},
             {"microseconds", KQ_TICK_US},
             {"tick", 1},
             {"ticks", 1}};

static int64_t unit_ticks(kq_sv name) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (kq_sv_eq_ascii_ci(name, kq_sv_of(units[i].name))) return units[i].ticks;
    return 0;
}

/* digits[.digits] times `unit`, exactly but for what is finer than a tick; the cursor is past the number already. */
static bool scaled(kq_sv number, int64_t unit, __int128 *out) {
    __int128 whole = 0, part = 0, scale = 1;
    bool point = false, any = false;
    for (size_t i = 0; i < number.n; i++) {
        char ch = number.p[i];
        if (ch == '.') {
            if (point) return false;
            point = true;
            continue;
        }
        any = true;
        if (!point) {
            whole = whole * 10 + (ch - '0');
            if (whole > INT64_MAX) return false;
        } else if (scale < INT64_C(1000000000000000000)) {
            part = part * 10 + (ch - '0');
            scale *= 10;
        }
    }
    if (!any) return false;
    *out = whole * unit + part * unit / scale;
    return true;
}

/* [d.]hh:mm[:ss[.fraction]] or d:hh:mm:ss[.fraction] */
static bool clock_span(kq_sv text, __int128 *out) {
    scan s = {text.p, text.p + text.n};
    int part[4], n = 0, tick = 0;
    bool dotted = false;
    if (!digits(&s, 1, 8, &part[n++], NULL)) return false;
    if (take(&s, '.')) {
        dotted = true;
        if (!digits(&s, 1, 2, &part[n++], NULL)) return false;
    }
    while (n < 4 && take(&s, ':'))
        if (!digits(&s, 1, 2, &part[n++], NULL)) return false;
    if (take(&s, '.') && !fraction(&s, &tick)) return false;
    if (s.p != s.end || n < 2 + dotted) return false;
    int day = 0, at = 0;
    if (dotted || n == 4) day = part[at++];
    int hour = part[at], minute = part[at + 1], second = at + 2 < n ? part[at + 2] : 0;
    if (hour > 23 || minute > 59 || second > 59 || (tick && at + 2 >= n)) return false;
    *out = (__int128)day * KQ_TICK_DAY + ((int64_t)hour * 3600 + minute * 60 + second) * KQ_TICK_SECOND + tick;
    return true;
}

bool kq_timespan_parse(kq_sv text, int64_t *ticks) {
    scan s = {text.p, text.p + text.n};
    skip_blanks(&s);
    while (s.end > s.p && is_blank(s.end[-1])) s.end--;
    if (s.end - s.p > 128) return false;
    bool negative = false;
    if (s.p < s.end && (*s.p == '-' || *s.p == '+')) negative = *s.p++ == '-';
    kq_sv rest = {s.p, (size_t)(s.end - s.p)};
    if (rest.n == 0) return false;
    __int128 total = 0;
    if (memchr(rest.p, ':', rest.n)) {
        if (!clock_span(rest, &total)) return false;
    } else {
        bool first = true;
        while (s.p < s.end) {
            kq_sv number = {s.p, 0};
            while (s.p < s.end && (is_digit(*s.p) || *s.p == '.')) s.p++;
            number.n = (size_t)(s.p - number.p);
            skip_blanks(&s);
            kq_sv name = word(&s);
            skip_blanks(&s);
            /* A bare number is days, and whole. */
            bool bare = name.n == 0 && first && s.p == s.end && !memchr(number.p, '.', number.n);
            int64_t unit = name.n ? unit_ticks(name) : bare ? KQ_TICK_DAY : 0;
            __int128 part;
            if (unit == 0 || !scaled(number, unit, &part)) return false;
            total += part;
            first = false;
        }
    }
    if (negative) total = -total;
    if (total < INT64_MIN || total > INT64_MAX) return false;
    *ticks = (int64_t)total;
    return true;
}
