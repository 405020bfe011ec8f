#include "schema/convert.h"
#include "base/number.h"
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include "source/event_field.h"
#include <math.h>
#include <stdio.h>

static bool keep(kq_arena *arena, const char *text, size_t n, kq_sv *out) {
    char *p = kq_arena_bytes(arena, n);
    if (!p) return false;
    memcpy(p, text, n);
    *out = (kq_sv){p, n};
    return true;
}

bool kq_field_text(const kq_field *f, kq_arena *arena, kq_sv *out) {
    char text[64], *at;
    switch (f->kind) {
    case KQ_FIELD_MISSING:
    case KQ_FIELD_NULL: return false;
    case KQ_FIELD_STRING:
    case KQ_FIELD_LOCAL:
    case KQ_FIELD_JSON:
    case KQ_FIELD_WRITTEN: *out = f->u.text; return true;
    case KQ_FIELD_BOOL: *out = f->u.b ? KQ_SV("true") : KQ_SV("false"); return true;
    case KQ_FIELD_LONG:
        text[0] = '-';
        at = kq_number_write_ulong(f->u.l < 0 ? 0 - (uint64_t)f->u.l : (uint64_t)f->u.l, text + (f->u.l < 0));
        return keep(arena, text, (size_t)(at - text), out);
    case KQ_FIELD_ULONG: return keep(arena, text, (size_t)(kq_number_write_ulong(f->u.u, text) - text), out);
    case KQ_FIELD_GUID: return keep(arena, text, kq_event_guid_text(f->u.guid, text), out);
    case KQ_FIELD_DYNAMIC:
    case KQ_FIELD_REAL:
    case KQ_FIELD_DATETIME: break;
    }
    kq_buf buf;
    kq_buf_init(&buf, NULL, 256);
    kq_event_field_text(f, &buf);
    bool ok = !buf.failed && keep(arena, buf.p, buf.n, out);
    kq_buf_deinit(&buf);
    return ok;
}

static bool to_long(const kq_field *f, int64_t *out) {
    switch (f->kind) {
    case KQ_FIELD_STRING:
    case KQ_FIELD_JSON:
        return kq_number_parse_long(f->u.text, out) || kq_number_parse_long(kq_number_whole(f->u.text), out);
    case KQ_FIELD_BOOL: *out = f->u.b; return true;
    case KQ_FIELD_LONG: *out = f->u.l; return true;
    case KQ_FIELD_ULONG: *out = (int64_t)f->u.u; return f->u.u <= INT64_MAX;
    case KQ_FIELD_REAL:
        if (!(f->u.r >= -9.2e18 && f->u.r <= 9.2e18)) return false;
        *out = (int64_t)f->u.r;
        return true;
    default: return false;
    }
}

static bool to_real(const kq_field *f, double *out) {
    switch (f->kind) {
    case KQ_FIELD_STRING:
    case KQ_FIELD_JSON: return kq_number_parse_real(f->u.text, out);
    case KQ_FIELD_BOOL: *out = f->u.b; return true;
    case KQ_FIELD_LONG: *out = (double)f->u.l; return true;
    case KQ_FIELD_ULONG: *out = (double)f->u.u; return true;
    case KQ_FIELD_REAL: *out = f->u.r; return true;
    default: return false;
    }
}

static bool to_bool(const kq_field *f, uint8_t *out) {
    int64_t l;
    if (f->kind == KQ_FIELD_STRING || f->kind == KQ_FIELD_JSON) {
        if (kq_sv_eq_ascii_ci(f->u.text, KQ_SV("true"))) return *out = 1, true;
        if (kq_sv_eq_ascii_ci(f->u.text, KQ_SV("false"))) return *out = 0, true;
    }
    if (!to_long(f, &l)) return false;
    *out = l != 0;
    return true;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool to_guid(const kq_field *f, kq_guid *out) {
    if (f->kind == KQ_FIELD_GUID) {
        memcpy(out->b, f->u.guid, 16);
        return true;
    }
    if (f->kind != KQ_FIELD_STRING) return false;
    kq_sv s = f->u.text;
    if (s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}') s = kq_sv_slice(s, 1, s.n - 1);
    unsigned digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '-') continue;
        int h = hex(s.p[i]);
        if (h < 0 || digits == 32) return false;
        out->b[digits / 2] = (uint8_t)(digits % 2 ? out->b[digits / 2] | h : h << 4);
        digits++;
    }
    return digits == 32;
}

static bool looks_nested(kq_sv text) {
    return text.n > 1 && (text.p[0] == '{' || text.p[0] == '[');
}

/* A JSON string whose text is an object or an array, as exports write AdditionalFields, becomes that. */
static void parse_again(kq_arena *arena, kq_buf *scratch) {
    kq_dyn d = kq_buf_view(scratch);
    kq_sv text;
    if (kq_dyn_tag_of(d) != KQ_DYN_STRING || !looks_nested(kq_dyn_string(d))) return;
    text = kq_dyn_string(d);
    if (!keep(arena, text.p, text.n, &text)) return; /* told by the arena */
    size_t before = scratch->n;
    if (!kq_dyn_parse_json(text, scratch)) return;
    scratch->n -= before;
    memmove(scratch->p, scratch->p + before, scratch->n);
}

/* The encoding is built in `scratch` and kept in the arena. */
static bool to_dynamic(const kq_field *f, kq_arena *arena, kq_buf *scratch, kq_str *out) {
    kq_sv kept;
    if (f->kind == KQ_FIELD_DYNAMIC) {
        if (kq_dyn_tag_of(f->u.text) == KQ_DYN_NULL || !keep(arena, f->u.text.p, f->u.text.n, &kept)) return false;
        *out = kq_str_sv(kept);
        return true;
    }
    kq_buf_empty(scratch);
    switch (f->kind) {
    case KQ_FIELD_MISSING:
    case KQ_FIELD_DYNAMIC: /* see above */
    case KQ_FIELD_NULL: return false;
    case KQ_FIELD_WRITTEN:
    case KQ_FIELD_JSON:
        if (!kq_dyn_parse_json(f->u.text, scratch)) kq_dyn_put_string(scratch, f->u.text);
        parse_again(arena, scratch);
        if (scratch->n && kq_dyn_tag_of(kq_buf_view(scratch)) == KQ_DYN_STRING &&
            !kq_dyn_string(kq_buf_view(scratch)).n)
            return false; /* as other empty text */
        break;
    case KQ_FIELD_STRING:
    case KQ_FIELD_LOCAL:
        if (!f->u.text.n) return false;
        if (!looks_nested(f->u.text) || !kq_dyn_parse_json(f->u.text, scratch)) kq_dyn_put_string(scratch, f->u.text);
        break;
    case KQ_FIELD_BOOL: kq_dyn_put_bool(scratch, f->u.b); break;
    case KQ_FIELD_LONG: kq_dyn_put_long(scratch, f->u.l); break;
    case KQ_FIELD_ULONG: kq_dyn_put_real(scratch, (double)f->u.u); break;
    case KQ_FIELD_REAL: kq_dyn_put_real(scratch, f->u.r); break;
    case KQ_FIELD_DATETIME: kq_dyn_put_ticks(scratch, KQ_DYN_DATETIME, f->u.l); break;
    case KQ_FIELD_GUID: {
        char text[40];
        kq_dyn_put_string(scratch, (kq_sv){text, kq_event_guid_text(f->u.guid, text)});
        break;
    }
    }
    if (kq_dyn_tag_of((kq_sv){scratch->p, scratch->n}) == KQ_DYN_NULL) return false;
    if (scratch->failed || !keep(arena, scratch->p, scratch->n, &kept)) return false;
    *out = kq_str_sv(kept);
    return true;
}

static bool to_ticks(const kq_field *f, bool time, kq_dates order, int64_t *out) {
    bool zoned;
    if (f->kind == KQ_FIELD_DATETIME && time) return *out = f->u.l, true;
    if (f->kind == KQ_FIELD_LONG) return time ? kq_time_from_epoch(f->u.l, 0, out) : (*out = f->u.l, true);
    if (f->kind == KQ_FIELD_REAL && time) {
        if (!(f->u.r > 0 && f->u.r < 9.2e18)) return false;
        char text[40]; /* as it was written: the digits behind those of the number itself are of the machine's making */
        int n = snprintf(text, sizeof text, "%.16g", f->u.r);
        return kq_time_parse_log((kq_sv){text, (size_t)n}, order, out, &zoned);
    }
    if (f->kind == KQ_FIELD_LOCAL && time) return kq_time_parse_log(f->u.text, order, out, &zoned) && zoned;
    if (f->kind != KQ_FIELD_STRING) return false;
    return time ? kq_time_parse_log(f->u.text, order, out, &zoned) : kq_timespan_parse(f->u.text, out);
}

kq_value kq_field_value(const kq_field *f, kq_type type, kq_dates order, kq_arena *arena, kq_buf *scratch) {
    kq_value v = {.type = type};
    int64_t l;
    kq_sv text;
    bool ok = false;
    switch (type) {
    case KQ_BOOL: ok = to_bool(f, &v.u.b); break;
    case KQ_INT:
        ok = to_long(f, &l) && l >= INT32_MIN && l <= INT32_MAX;
        if (ok) v.u.i = (int32_t)l;
        break;
    case KQ_LONG: ok = to_long(f, &v.u.l); break;
    case KQ_REAL: ok = to_real(f, &v.u.r); break;
    case KQ_DECIMAL: ok = kq_field_text(f, arena, &text) && kq_decimal_parse(text, &v.u.m); break;
    case KQ_DATETIME: ok = to_ticks(f, true, order, &v.u.l); break;
    case KQ_TIMESPAN: ok = to_ticks(f, false, order, &v.u.l); break;
    case KQ_GUID: ok = to_guid(f, &v.u.g); break;
    case KQ_STRING:
        v.u.s = kq_field_text(f, arena, &text) ? kq_str_sv(text) : (kq_str){0};
        ok = true;
        break;
    case KQ_DYNAMIC: ok = to_dynamic(f, arena, scratch, &v.u.s); break;
    case KQ_TYPE_COUNT: break;
    }
    v.null = !ok;
    return v;
}

bool kq_field_instant(kq_field *f, kq_dates order, const kq_zone *zone, kq_zone_times *times) {
    int64_t t;
    bool zoned;
    kq_zone_times often = KQ_ZONE_ONCE;
    if (times) *times = often;
    if (!kq_time_parse_log(f->u.text, order, &t, &zoned)) return true; /* no time: kq_field_value says so */
    if (!zoned && !zone) return false;
    if (!zoned) t = kq_zone_instant(zone, t, &often);
    if (times) *times = often;
    *f = (kq_field){.kind = t >= 0 && t <= KQ_TICKS_MAX ? KQ_FIELD_DATETIME : KQ_FIELD_NULL, .u.l = t};
    return true;
}
