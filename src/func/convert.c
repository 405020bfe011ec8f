#include "func/convert.h"
#include "base/number.h"
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include <math.h>

bool kq_real_to_long(double r, int64_t *out) {
    if (!isfinite(r)) return false;
    *out = r >= 9223372036854775808.0 ? INT64_MAX : r <= -9223372036854775808.0 ? INT64_MIN : (int64_t)r;
    return true;
}

bool kq_real_to_int(double r, int32_t *out) {
    if (!isfinite(r)) return false;
    *out = r >= 2147483647.0 ? INT32_MAX : r <= -2147483648.0 ? INT32_MIN : (int32_t)r;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hex digits; dashes between bytes are passed over, and braces or parentheses around. */
bool kq_guid_parse(kq_sv text, kq_guid *out) {
    while (text.n && text.p[0] == ' ') text.p++, text.n--;
    while (text.n && text.p[text.n - 1] == ' ') text.n--;
    if (text.n > 2 &&
        ((text.p[0] == '{' && text.p[text.n - 1] == '}') || (text.p[0] == '(' && text.p[text.n - 1] == ')')))
        text = kq_sv_slice(text, 1, text.n - 1);
    if (text.n < 32 || text.n > 47) return false;
    size_t n = 0;
    kq_guid g;
    for (size_t i = 0; i < text.n;) {
        if (text.p[i] == '-') {
            if (n == 0 || text.p[i - 1] == '-') return false;
            i++;
            continue;
        }
        if (n == 16 || i + 1 >= text.n) return false;
        int high = hex_digit(text.p[i]), low = hex_digit(text.p[i + 1]);
        if (high < 0 || low < 0) return false;
        g.b[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    if (n != 16 || text.p[text.n - 1] == '-') return false;
    *out = g;
    return true;
}

static bool text_to_bool(kq_sv s, uint8_t *out) {
    int64_t l;
    while (s.n && s.p[0] == ' ') s.p++, s.n--;
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    if (kq_sv_eq_ascii_ci(s, KQ_SV("true"))) {
        *out = 1;
        return true;
    }
    if (kq_sv_eq_ascii_ci(s, KQ_SV("false"))) {
        *out = 0;
        return true;
    }
    if (!kq_number_parse_long(s, &l)) return false;
    *out = l != 0;
    return true;
}

static bool from_text(kq_sv s, kq_type to, kq_value *out) {
    int64_t l;
    switch (to) {
    case KQ_BOOL: return text_to_bool(s, &out->u.b);
    case KQ_INT:
        if (!kq_number_parse_long(s, &l) || l != (int32_t)l) return false;
        out->u.i = (int32_t)l;
        return true;
    case KQ_LONG: return kq_number_parse_long(s, &out->u.l);
    case KQ_REAL: return kq_number_parse_real(s, &out->u.r);
    case KQ_DECIMAL: return kq_decimal_parse(s, &out->u.m);
    case KQ_DATETIME: return kq_time_parse(s, &out->u.l);
    case KQ_TIMESPAN: return kq_timespan_parse(s, &out->u.l);
    case KQ_GUID: return kq_guid_parse(s, &out->u.g);
    default: return false;
    }
}

static bool from_long(int64_t l, kq_type to, kq_value *out) {
    switch (to) {
    case KQ_BOOL: out->u.b = l != 0; return true;
    case KQ_INT: out->u.i = (int32_t)(uint32_t)(uint64_t)l; return true;
    case KQ_LONG:
    case KQ_TIMESPAN: out->u.l = l; return true;
    case KQ_DATETIME: out->u.l = l; return l >= 0 && l <= KQ_TICKS_MAX;
    case KQ_REAL: out->u.r = (double)l; return true;
    case KQ_DECIMAL: out->u.m = kq_decimal_from_long(l); return true;
    default: return false;
    }
}

static bool from_real(double r, kq_type to, kq_value *out) {
    int64_t l;
    switch (to) {
    case KQ_BOOL: out->u.b = r != 0; return r == r;
    case KQ_INT: return kq_real_to_int(r, &out->u.i);
    case KQ_REAL: out->u.r = r; return true;
    case KQ_DECIMAL: return kq_decimal_from_real(r, &out->u.m);
    default: return kq_real_to_long(r, &l) && from_long(l, to, out);
    }
}

bool kq_convert(const kq_value *v, kq_type to, kq_value *out) {
    int64_t l;
    *out = (kq_value){.type = to};
    if (v->null) return false;
    switch (v->type) {
    case KQ_BOOL: return to != KQ_DATETIME && to != KQ_TIMESPAN && from_long(v->u.b, to, out);
    case KQ_INT: return from_long(v->u.i, to, out);
    case KQ_DATETIME:
        if (to == KQ_TIMESPAN) return false;
        return from_long(v->u.l, to, out);
    case KQ_TIMESPAN:
        if (to == KQ_DATETIME) return false;
        return from_long(v->u.l, to, out);
    case KQ_LONG: return from_long(v->u.l, to, out);
    case KQ_REAL: return from_real(v->u.r, to, out);
    case KQ_DECIMAL:
        if (to == KQ_DECIMAL) {
            out->u.m = v->u.m;
            return true;
        }
        if (to == KQ_REAL) {
            out->u.r = kq_decimal_to_real(&v->u.m);
            return true;
        }
        if (to == KQ_BOOL) {
            out->u.b = v->u.m.lo || v->u.m.hi;
            return true;
        }
        return kq_decimal_to_long(&v->u.m, &l) && from_long(l, to, out);
    case KQ_GUID: out->u.g = v->u.g; return to == KQ_GUID;
    case KQ_STRING: return from_text(kq_str_view(&v->u.s), to, out);
    case KQ_DYNAMIC: {
        kq_value inner = kq_dyn_value(kq_str_view(&v->u.s));
        return inner.type != KQ_DYNAMIC && kq_convert(&inner, to, out);
    }
    default: return false;
    }
}
