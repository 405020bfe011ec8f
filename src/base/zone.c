#include "base/zone.h"
#include "base/time.h"
#include <stdio.h>
#include <stdlib.h>

/* A day of the year as "the w-th weekday d of month m", and the local second of that day when the offset changes. */
typedef struct rule {
    int month, week, day;
    int32_t second;
} rule;

struct kq_zone {
    uint32_t n;
    const int64_t *at;      /* seconds since 1970, ascending */
    const int32_t *offset;  /* seconds; from at[i] on */
    int32_t first;          /* before at[0] */
    bool has_tail, has_dst; /* what holds after at[n - 1] */
    int32_t standard, summer;
    rule begin, end; /* of summer time */
};

#define FILE_MAX (256u * 1024)

static uint32_t be32(const char *p) {
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be64(const char *p) {
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* The counts of a header and the bytes of its data; false when it is none. */
typedef struct header {
    uint32_t isut, isstd, leap, time, type, chars;
} header;

static bool read_header(kq_sv s, header *h) {
    if (s.n < 44 || memcmp(s.p, "TZif", 4) != 0) return false;
    *h = (header){be32(s.p + 20), be32(s.p + 24), be32(s.p + 28), be32(s.p + 32), be32(s.p + 36), be32(s.p + 40)};
    uint32_t most = FILE_MAX;
    return h->isut < most && h->isstd < most && h->leap < most && h->time < most && h->type < 256 && h->chars < most;
}

static size_t data_size(const header *h, size_t width) {
    return h->time * width + h->time + h->type * 6u + h->chars + h->leap * (width + 4) + h->isstd + h->isut;
}

/* The POSIX TZ text of the footer: CET-1CEST,M3.5.0,M10.5.0/3. Source: RFC 8536, section 3.3. */
typedef struct tail {
    const char *p, *end;
} tail;

static bool skip_name(tail *s) {
    const char *start = s->p;
    if (s->p < s->end && *s->p == '<') {
        while (s->p < s->end && *s->p != '>') s->p++;
        if (s->p == s->end) return false;
        s->p++;
        return true;
    }
    while (s->p < s->end && kq_ascii_lower(*s->p) >= 'a' && kq_ascii_lower(*s->p) <= 'z') s->p++;
    return s->p > start;
}

static bool number(tail *s, int most, int *out) {
    int v = 0;
    const char *start = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && v <= most) v = v * 10 + (*s->p++ - '0');
    *out = v;
    return s->p > start && v <= most;
}

/* [+-]h[:m[:s]] in seconds. */
static bool clock_offset(tail *s, int32_t *out) {
    int sign = 1, h, m = 0, second = 0;
    if (s->p < s->end && (*s->p == '-' || *s->p == '+')) sign = *s->p++ == '-' ? -1 : 1;
    if (!number(s, 167, &h)) return false;
    if (s->p < s->end && *s->p == ':') {
        s->p++;
        if (!number(s, 59, &m)) return false;
        if (s->p < s->end && *s->p == ':') {
            s->p++;
            if (!number(s, 59, &second)) return false;
        }
    }
    *out = sign * (h * 3600 + m * 60 + second);
    return true;
}

static bool read_rule(tail *s, rule *r) {
    if (s->end - s->p < 2 || s->p[0] != ',' || s->p[1] != 'M') return false;
    s->p += 2;
    if (!number(s, 12, &r->month) || s->p == s->end || *s->p++ != '.') return false;
    if (!number(s, 5, &r->week) || s->p == s->end || *s->p++ != '.' || !number(s, 6, &r->day)) return false;
    r->second = 2 * 3600;
    if (s->p < s->end && *s->p == '/') {
        s->p++;
        if (!clock_offset(s, &r->second)) return false;
    }
    return r->month >= 1 && r->week >= 1;
}

static void read_tail(kq_sv text, kq_zone *z) {
    tail s = {text.p, text.p + text.n};
    if (!skip_name(&s) || !clock_offset(&s, &z->standard)) return;
    z->standard = -z->standard; /* POSIX counts west of Greenwich */
    if (s.p == s.end) {
        z->has_tail = true;
        return;
    }
    if (!skip_name(&s)) return;
    z->summer = z->standard + 3600;
    if (s.p < s.end && *s.p != ',') {
        if (!clock_offset(&s, &z->summer)) return;
        z->summer = -z->summer;
    }
    z->has_tail = z->has_dst = read_rule(&s, &z->begin) && read_rule(&s, &z->end);
}

kq_status kq_zone_parse(kq_sv file, kq_arena *arena, const kq_zone **out, kq_error *err) {
    *out = NULL;
    header h;
    if (!read_header(file, &h) || file.p[4] < '2') return KQ_OK; /* version 1 has no 64-bit times */
    size_t skip = 44 + data_size(&h, 4);
    if (skip > file.n) return KQ_OK;
    kq_sv s = kq_sv_slice(file, skip, file.n);
    if (!read_header(s, &h) || h.type == 0 || 44 + data_size(&h, 8) > s.n) return KQ_OK;
    kq_zone *z = kq_arena_new(arena, kq_zone);
    int64_t *at = kq_arena_array(arena, int64_t, h.time + 1);
    int32_t *offset = kq_arena_array(arena, int32_t, h.time + 1);
    if (!z || !at || !offset) return kq_arena_status(arena, err);
    const char *times = s.p + 44, *kinds = times + (size_t)h.time * 8, *types = kinds + h.time;
    for (uint32_t i = 0; i < h.time; i++) {
        unsigned kind = (unsigned char)kinds[i];
        at[i] = be64(times + (size_t)i * 8);
        if (kind >= h.type || (i && at[i] <= at[i - 1])) return KQ_OK;
        offset[i] = (int32_t)be32(types + kind * 6);
    }
    *z = (kq_zone){.n = h.time, .at = at, .offset = offset, .first = (int32_t)be32(types)};
    kq_sv footer = kq_sv_slice(s, 44 + data_size(&h, 8), s.n);
    if (footer.n >= 2 && footer.p[0] == '\n') {
        const char *end = memchr(footer.p + 1, '\n', footer.n - 1);
        if (end) read_tail((kq_sv){footer.p + 1, (size_t)(end - footer.p - 1)}, z);
    }
    *out = z;
    return KQ_OK;
}

/* Names are relative paths of letters, digits, _ + - and single slashes: nothing that leaves the folder. */
static bool safe_name(kq_sv name) {
    if (name.n == 0 || name.n > 64 || name.p[0] == '/') return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], l = kq_ascii_lower(c);
        bool slash = c == '/' && i + 1 < name.n && name.p[i + 1] != '/';
        if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '+' && c != '-' && !slash)
            return false;
    }
    return true;
}

kq_status kq_zone_load(kq_sv name, kq_arena *arena, const kq_zone **out, kq_error *err) {
    *out = NULL;
    if (kq_sv_eq(name, KQ_SV("UTC"))) { /* needs no database */
        *out = kq_arena_new(arena, kq_zone);
        return kq_arena_status(arena, err);
    }
    if (!safe_name(name)) return KQ_OK;
    const char *folder = getenv("TZDIR");
    char path[512];
    int n =
        snprintf(path, sizeof path, "%s/%.*s", folder && *folder ? folder : "/usr/share/zoneinfo", (int)name.n, name.p);
    if (n < 0 || (size_t)n >= sizeof path) return KQ_OK;
    FILE *f = fopen(path, "rb");
    if (!f) return KQ_OK;
    kq_buf bytes;
    kq_buf_init(&bytes, arena->budget, FILE_MAX);
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof part, f)) > 0;) kq_buf_append(&bytes, part, got);
    fclose(f);
    kq_status status = kq_buf_status(&bytes, err);
    if (status == KQ_OK) status = kq_zone_parse(kq_buf_view(&bytes), arena, out, err);
    kq_buf_deinit(&bytes);
    return status;
}

/* +h, +hh, +hhmm, +hh:mm, at most 14 hours; in seconds. */
static bool read_offset(kq_sv s, int32_t *out) {
    int h = 0, m = 0;
    size_t i = 1, digits = 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && digits < 2; i++, digits++) h = h * 10 + (s.p[i] - '0');
    if (!digits) return false;
    if (i < s.n) {
        if (s.p[i] == ':') i++;
        if (s.n - i != 2 || s.p[i] < '0' || s.p[i] > '5' || s.p[i + 1] < '0' || s.p[i + 1] > '9') return false;
        m = (s.p[i] - '0') * 10 + (s.p[i + 1] - '0');
    }
    if (h * 60 + m > 14 * 60) return false;
    *out = (h * 60 + m) * (s.p[0] == '-' ? -60 : 60);
    return true;
}

kq_status kq_zone_named(kq_sv name, kq_arena *arena, const kq_zone **out, kq_error *err) {
    int32_t offset;
    *out = NULL;
    if (!name.n || (name.p[0] != '+' && name.p[0] != '-')) return kq_zone_load(name, arena, out, err);
    if (!read_offset(name, &offset)) return KQ_OK;
    kq_zone *z = kq_arena_new(arena, kq_zone);
    if (!z) return kq_arena_status(arena, err);
    z->first = offset;
    *out = z;
    return KQ_OK;
}

/* The instant of a rule in a year, in seconds since 1970, `offset` being the one before it. */
static int64_t rule_second(const rule *r, int year, int32_t offset) {
    kq_civil c = {.year = year, .month = r->month, .day = 1};
    int64_t ticks = 0;
    if (!kq_civil_ticks(&c, &ticks)) return INT64_MAX;
    int day = 1 + (r->day - kq_weekday(ticks) + 7) % 7 + (r->week - 1) * 7;
    if (day > kq_month_days(year, r->month)) day -= 7; /* week 5 is the last */
    int64_t start = (ticks - KQ_TICKS_1970) / KQ_TICK_SECOND + (int64_t)(day - 1) * 86400;
    return start + r->second - offset;
}

static int32_t tail_offset(const kq_zone *z, int64_t second) {
    if (!z->has_dst) return z->standard;
    int64_t local = (second + z->standard) * KQ_TICK_SECOND + KQ_TICKS_1970;
    if (local < 0 || local > KQ_TICKS_MAX) return z->standard;
    int year = kq_civil_of(local).year;
    int64_t begin = rule_second(&z->begin, year, z->standard), end = rule_second(&z->end, year, z->summer);
    bool summer = begin < end ? second >= begin && second < end : second >= begin || second < end;
    return summer ? z->summer : z->standard;
}

static int64_t floor_second(int64_t ticks) {
    int64_t t = ticks - KQ_TICKS_1970;
    return t / KQ_TICK_SECOND - (t % KQ_TICK_SECOND < 0);
}

int64_t kq_zone_offset(const kq_zone *z, int64_t utc) {
    int64_t second = floor_second(utc);
    int32_t offset;
    if (z->n == 0 || second < z->at[0]) {
        offset = z->n == 0 && z->has_tail ? tail_offset(z, second) : z->first;
    } else if (second >= z->at[z->n - 1] && z->has_tail) {
        offset = tail_offset(z, second);
    } else {
        uint32_t low = 0, high = z->n; /* at[low] <= second < at[high] */
        while (high - low > 1) {
            uint32_t mid = low + (high - low) / 2;
            if (z->at[mid] <= second)
                low = mid;
            else
                high = mid;
        }
        offset = z->offset[low];
    }
    return (int64_t)offset * KQ_TICK_SECOND;
}

int64_t kq_zone_instant(const kq_zone *z, int64_t local, kq_zone_times *times) {
    int64_t before = kq_zone_offset(z, local - KQ_TICK_DAY), after = kq_zone_offset(z, local + KQ_TICK_DAY);
    *times = KQ_ZONE_ONCE;
    if (before == after) return local - before;
    bool as_before = kq_zone_offset(z, local - before) == before, as_after = kq_zone_offset(z, local - after) == after;
    if (as_before == as_after) *times = as_before ? KQ_ZONE_TWICE : KQ_ZONE_NEVER;
    if (as_before && as_after) return local - (before < after ? before : after);
    return local - (as_before ? before : after);
}

int64_t kq_zone_to_utc(const kq_zone *z, int64_t local) {
    kq_zone_times times;
    return kq_zone_instant(z, local, &times);
}
