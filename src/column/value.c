#include "column/value.h"
#include "base/number.h"
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include <xxhash.h>

kq_value kq_vector_get(const kq_vector *v, uint32_t i) {
    kq_value out = {.type = v->type};
    if (kq_vec_is_null(v, i)) {
        out.null = true;
        return out;
    }
    i = kq_vec_at(v, i);
    switch (v->type) {
    case KQ_BOOL: out.u.b = kq_vec_bool(v)[i]; break;
    case KQ_INT: out.u.i = kq_vec_int(v)[i]; break;
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: out.u.l = kq_vec_long(v)[i]; break;
    case KQ_REAL: out.u.r = kq_vec_real(v)[i]; break;
    case KQ_DECIMAL: out.u.m = kq_vec_decimal(v)[i]; break;
    case KQ_GUID: out.u.g = kq_vec_guid(v)[i]; break;
    case KQ_STRING:
    case KQ_DYNAMIC: out.u.s = kq_vec_str(v)[i]; break;
    case KQ_TYPE_COUNT: break;
    }
    return out;
}

void kq_vector_set(kq_vector *v, uint32_t i, const kq_value *value) {
    i = kq_vec_at(v, i);
    if (value->null) {
        if (v->nulls) kq_vec_set_null(v, i);
        if (v->type == KQ_STRING || v->type == KQ_DYNAMIC) memset(&kq_vec_str(v)[i], 0, sizeof(kq_str));
        return;
    }
    switch (v->type) {
    case KQ_BOOL: kq_vec_bool(v)[i] = value->u.b; break;
    case KQ_INT: kq_vec_int(v)[i] = value->u.i; break;
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: kq_vec_long(v)[i] = value->u.l; break;
    case KQ_REAL: kq_vec_real(v)[i] = value->u.r; break;
    case KQ_DECIMAL: kq_vec_decimal(v)[i] = value->u.m; break;
    case KQ_GUID: kq_vec_guid(v)[i] = value->u.g; break;
    case KQ_STRING:
    case KQ_DYNAMIC: kq_vec_str(v)[i] = value->u.s; break;
    case KQ_TYPE_COUNT: break;
    }
}

bool kq_value_same(const kq_value *a, const kq_value *b) {
    if (a->type != b->type || a->null != b->null) return false;
    if (a->null) return true;
    switch (a->type) {
    case KQ_BOOL: return a->u.b == b->u.b;
    case KQ_INT: return a->u.i == b->u.i;
    case KQ_REAL: return a->u.r == b->u.r || (a->u.r != a->u.r && b->u.r != b->u.r);
    case KQ_DECIMAL: return kq_decimal_cmp(&a->u.m, &b->u.m) == 0;
    case KQ_GUID: return memcmp(&a->u.g, &b->u.g, sizeof(kq_guid)) == 0;
    case KQ_STRING:
    case KQ_DYNAMIC: return kq_str_eq(&a->u.s, &b->u.s);
    default: return a->u.l == b->u.l;
    }
}

uint64_t kq_value_hash(const kq_value *v) {
    uint64_t seed = (uint64_t)v->type + 1;
    if (v->null) return XXH3_64bits(&seed, sizeof seed);
    switch (v->type) {
    case KQ_BOOL: return XXH3_64bits_withSeed(&v->u.b, 1, seed);
    case KQ_INT: return XXH3_64bits_withSeed(&v->u.i, sizeof v->u.i, seed);
    case KQ_REAL: {
        /* What kq_value_same takes for equal hashes the same: -0.0 as 0.0, every NaN as one. */
        double r = v->u.r == 0 ? 0 : v->u.r != v->u.r ? __builtin_nan("") : v->u.r;
        return XXH3_64bits_withSeed(&r, sizeof r, seed);
    }
    case KQ_DECIMAL: {
        kq_decimal d = kq_decimal_normal(&v->u.m);
        return XXH3_64bits_withSeed(&d, sizeof d, seed);
    }
    case KQ_GUID: return XXH3_64bits_withSeed(&v->u.g, sizeof v->u.g, seed);
    case KQ_STRING:
    case KQ_DYNAMIC: return XXH3_64bits_withSeed(kq_str_ptr(&v->u.s), v->u.s.len, seed);
    default: return XXH3_64bits_withSeed(&v->u.l, sizeof v->u.l, seed);
    }
}

static int order(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

int kq_value_cmp(const kq_value *a, const kq_value *b) {
    if (a->null || b->null) return (int)b->null - (int)a->null;
    switch (a->type) {
    case KQ_BOOL: return order(a->u.b, b->u.b);
    case KQ_INT: return order(a->u.i, b->u.i);
    case KQ_REAL: {
        bool na = a->u.r != a->u.r, nb = b->u.r != b->u.r;
        if (na || nb) return (int)nb - (int)na;
        return a->u.r < b->u.r ? -1 : a->u.r > b->u.r;
    }
    case KQ_DECIMAL: return kq_decimal_cmp(&a->u.m, &b->u.m);
    case KQ_GUID: return memcmp(&a->u.g, &b->u.g, sizeof(kq_guid));
    case KQ_STRING: return kq_str_cmp(&a->u.s, &b->u.s);
    case KQ_DYNAMIC: return kq_dyn_cmp(kq_str_view(&a->u.s), kq_str_view(&b->u.s));
    default: return order(a->u.l, b->u.l);
    }
}

static void print_guid(const kq_guid *g, kq_buf *out) {
    static const char hex[] = "0123456789abcdef";
    char text[36], *p = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex[g->b[i] >> 4];
        *p++ = hex[g->b[i] & 15];
    }
    kq_buf_append(out, text, sizeof text);
}

void kq_value_text(const kq_value *v, kq_buf *out) {
    if (v->null) return;
    switch (v->type) {
    case KQ_BOOL: kq_buf_str(out, v->u.b ? "True" : "False"); break;
    case KQ_INT: kq_number_print_long(v->u.i, out); break;
    case KQ_LONG: kq_number_print_long(v->u.l, out); break;
    case KQ_REAL: kq_number_print_real(v->u.r, out); break;
    case KQ_DECIMAL: kq_decimal_print(&v->u.m, out); break;
    case KQ_DATETIME: kq_time_print(v->u.l, 7, out); break;
    case KQ_TIMESPAN: kq_timespan_print(v->u.l, out); break;
    case KQ_GUID: print_guid(&v->u.g, out); break;
    case KQ_STRING: kq_buf_sv(out, kq_str_view(&v->u.s)); break;
    case KQ_DYNAMIC: {
        kq_dyn d = kq_str_view(&v->u.s);
        if (kq_dyn_tag_of(d) == KQ_DYN_STRING)
            kq_buf_sv(out, kq_dyn_string(d));
        else if (kq_dyn_tag_of(d) == KQ_DYN_BOOL)
            kq_buf_str(out, d.n > 1 && d.p[1] ? "true" : "false");
        else if (kq_dyn_tag_of(d) == KQ_DYN_ARRAY || kq_dyn_tag_of(d) == KQ_DYN_BAG)
            kq_dyn_json(d, out);
        else if (kq_dyn_tag_of(d) != KQ_DYN_NULL) {
            kq_value inner = kq_dyn_value(d);
            kq_value_text(&inner, out);
        }
        break;
    }
    case KQ_TYPE_COUNT: break;
    }
}

void kq_value_json(const kq_value *v, kq_buf *out) {
    if (v->null) {
        kq_buf_str(out, "null");
        return;
    }
    switch (v->type) {
    case KQ_BOOL: kq_buf_str(out, v->u.b ? "true" : "false"); return;
    case KQ_INT:
    case KQ_LONG: kq_value_text(v, out); return;
    case KQ_REAL:
        if (__builtin_isfinite(v->u.r)) {
            kq_number_print_real_shortest(v->u.r, out);
            return;
        }
        break;
    case KQ_STRING: kq_json_string(kq_str_view(&v->u.s), out); return;
    case KQ_DYNAMIC: kq_dyn_json(kq_str_view(&v->u.s), out); return;
    default: break;
    }
    /* The rest is text without anything to escape. */
    kq_buf_char(out, '"');
    if (v->type == KQ_DATETIME)
        kq_time_print(v->u.l, -1, out);
    else
        kq_value_text(v, out);
    kq_buf_char(out, '"');
}

static void string_literal(kq_sv s, kq_buf *out) {
    kq_buf_char(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\'' || c == '\\') {
            kq_buf_char(out, '\\');
            kq_buf_char(out, (char)c);
        } else if (c == '\n') {
            kq_buf_str(out, "\\n");
        } else if (c == '\r') {
            kq_buf_str(out, "\\r");
        } else if (c == '\t') {
            kq_buf_str(out, "\\t");
        } else if (c < 0x20 || c == 0x7F) {
            kq_buf_printf(out, "\\u%04x", c);
        } else {
            kq_buf_char(out, (char)c);
        }
    }
    kq_buf_char(out, '\'');
}

void kq_value_literal(const kq_value *v, kq_buf *out) {
    if (v->type == KQ_STRING) {
        string_literal(kq_str_view(&v->u.s), out);
        return;
    }
    if (v->type == KQ_BOOL && !v->null) {
        kq_buf_str(out, v->u.b ? "true" : "false");
        return;
    }
    kq_buf_str(out, kq_type_name(v->type));
    kq_buf_char(out, '(');
    if (v->null)
        kq_buf_str(out, "null");
    else if (v->type == KQ_DYNAMIC)
        kq_dyn_json(kq_str_view(&v->u.s), out);
    else if (v->type == KQ_REAL && !__builtin_isfinite(v->u.r))
        kq_buf_str(out, v->u.r != v->u.r ? "nan" : v->u.r > 0 ? "+inf" : "-inf");
    else if (v->type == KQ_REAL)
        kq_number_print_real_shortest(v->u.r, out);
    else if (v->type == KQ_DATETIME)
        kq_time_print(v->u.l, -1, out);
    else
        kq_value_text(v, out);
    kq_buf_char(out, ')');
}
