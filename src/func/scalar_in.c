/* in and !in for every type: a set of the constants' bytes, or a comparison with each value of the row. */
#include "base/number.h"
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include "func/rows.h"
#include "func/text_list.h"
#include "text/strset.h"

/* What `in` compares: bytes that are the same exactly when values of one type are equal in KQL. */
typedef struct in_key {
    char bytes[sizeof(kq_decimal)];
    kq_sv view; /* of bytes, or of the value's own text */
} in_key;

typedef struct in_state {
    bool negate;
    const kq_strset *set; /* NULL: the values vary by row */
} in_state;

static bool long_of(const kq_value *v, int64_t *out) {
    switch (v->type) {
    case KQ_INT: *out = v->u.i; return true;
    case KQ_LONG: *out = v->u.l; return true;
    case KQ_REAL:
        if (!(v->u.r >= -9223372036854775808.0 && v->u.r < 9223372036854775808.0)) return false;
        *out = (int64_t)v->u.r;
        return (double)*out == v->u.r;
    case KQ_DECIMAL: {
        if (!kq_decimal_to_long(&v->u.m, out)) return false;
        kq_decimal back = kq_decimal_from_long(*out);
        return kq_decimal_cmp(&back, &v->u.m) == 0;
    }
    case KQ_STRING: return kq_number_parse_long(kq_str_view(&v->u.s), out);
    default: return false;
    }
}

/* False: the value equals nothing (null, NaN). */
static bool key_of(const kq_value *v, in_key *key) {
    if (v->null) return false;
    int64_t l = 0;
    switch (v->type) {
    case KQ_DYNAMIC: {
        /* A real that is whole is the long. */
        kq_dyn d = kq_str_view(&v->u.s);
        kq_value inner = kq_dyn_tag_of(d) == KQ_DYN_REAL ? kq_dyn_value(d) : (kq_value){0};
        if (inner.type == KQ_REAL && long_of(&inner, &l)) {
            key->bytes[0] = KQ_DYN_LONG;
            memcpy(key->bytes + 1, &l, sizeof l);
            d = (kq_sv){key->bytes, 1 + sizeof l};
        }
        key->view = d;
        return kq_dyn_tag_of(d) != KQ_DYN_NULL;
    }
    case KQ_STRING: key->view = kq_str_view(&v->u.s); return true;
    case KQ_GUID: key->view = (kq_sv){memcpy(key->bytes, v->u.g.b, 16), 16}; return true;
    case KQ_DECIMAL: {
        kq_decimal d = kq_decimal_normal(&v->u.m);
        key->view = (kq_sv){memcpy(key->bytes, &d, sizeof d), sizeof d};
        return true;
    }
    case KQ_REAL: {
        if (v->u.r != v->u.r) return false;
        double r = v->u.r == 0 ? 0 : v->u.r;
        memcpy(&l, &r, sizeof l);
        break;
    }
    case KQ_BOOL: l = v->u.b; break;
    case KQ_INT: l = v->u.i; break;
    default: l = v->u.l; break;
    }
    key->view = (kq_sv){memcpy(key->bytes, &l, sizeof l), sizeof l};
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = kq_ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool guid_of(kq_sv s, kq_guid *out) {
    unsigned n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int d = hex_digit(s.p[i]);
        if (d < 0) {
            if (s.p[i] == '-' && (n == 8 || n == 12 || n == 16 || n == 20)) continue;
            return false;
        }
        if (n == 32) return false;
        out->b[n / 2] = (uint8_t)(n % 2 ? out->b[n / 2] | d : d << 4);
        n++;
    }
    return n == 32;
}

static bool decimal_of(const kq_value *v, kq_decimal *out) {
    switch (v->type) {
    case KQ_INT: *out = kq_decimal_from_long(v->u.i); return true;
    case KQ_LONG: *out = kq_decimal_from_long(v->u.l); return true;
    case KQ_REAL: return kq_decimal_from_real(v->u.r, out);
    case KQ_STRING: return kq_decimal_parse(kq_str_view(&v->u.s), out);
    default: return false;
    }
}

/* An item of a dynamic array as a value of the type that it is compared with; false when it has none. The result may
 * point into `scratch`. */
static bool convert(const kq_value *item, kq_type type, kq_buf *scratch, kq_value *out) {
    if (item->type == type) {
        *out = *item;
        return true;
    }
    *out = (kq_value){.type = type};
    bool text = item->type == KQ_STRING;
    kq_sv s = text ? kq_str_view(&item->u.s) : (kq_sv){0};
    int64_t l;
    switch (type) {
    case KQ_INT:
        if (!long_of(item, &l) || l < INT32_MIN || l > INT32_MAX) return false;
        out->u.i = (int32_t)l;
        return true;
    case KQ_LONG: return long_of(item, &out->u.l);
    case KQ_REAL:
        if (item->type == KQ_DECIMAL) {
            out->u.r = kq_decimal_to_real(&item->u.m);
            return true;
        }
        if (text) return kq_number_parse_real(s, &out->u.r);
        if (!long_of(item, &l)) return false;
        out->u.r = (double)l;
        return true;
    case KQ_DECIMAL: return decimal_of(item, &out->u.m);
    case KQ_BOOL:
        out->u.b = text && kq_sv_eq_ascii_ci(s, KQ_SV("true"));
        return text && (out->u.b || kq_sv_eq_ascii_ci(s, KQ_SV("false")));
    case KQ_DATETIME: return text && kq_time_parse(s, &out->u.l);
    case KQ_TIMESPAN: return text && kq_timespan_parse(s, &out->u.l);
    case KQ_GUID: return text && guid_of(s, &out->u.g);
    case KQ_STRING:
    case KQ_DYNAMIC:
        kq_buf_clear(scratch);
        if (type == KQ_STRING)
            kq_value_text(item, scratch);
        else
            kq_dyn_put_value(scratch, item);
        out->u.s = kq_str_sv(kq_buf_view(scratch));
        return !scratch->failed;
    default: return false;
    }
}

/* ---- constant lists ---- */

typedef struct collect {
    kq_type type;
    kq_buf scratch, bytes, ends;
} collect;

static bool collect_item(void *ctx, const kq_value *item) {
    collect *c = ctx;
    kq_value v;
    in_key key;
    if (convert(item, c->type, &c->scratch, &v) && key_of(&v, &key)) {
        kq_buf_sv(&c->bytes, key.view);
        kq_buf_append(&c->ends, &c->bytes.n, sizeof c->bytes.n);
    }
    return !c->scratch.failed && !c->bytes.failed && !c->ends.failed;
}

static kq_status make_set(kq_type type, const kq_vector *const *args, uint32_t nargs, kq_arena *arena,
                          const kq_strset **out, kq_error *err) {
    collect c = {.type = type};
    kq_buf_init(&c.scratch, arena->budget, 0);
    kq_buf_init(&c.bytes, arena->budget, 0);
    kq_buf_init(&c.ends, arena->budget, 0);
    for (uint32_t i = 1; i < nargs; i++) {
        kq_value list = kq_vector_get(args[i], 0);
        /* A dynamic that is one of several values (not the list) is compared as it is. */
        if (type == KQ_DYNAMIC && nargs > 2 ? !list.null && !collect_item(&c, &list)
                                            : !kq_list_each(&list, collect_item, &c))
            break;
    }
    kq_status status = kq_buf_status(&c.scratch, err);
    if (status == KQ_OK) status = kq_buf_status(&c.bytes, err);
    if (status == KQ_OK) status = kq_buf_status(&c.ends, err);
    if (status != KQ_OK) goto out;
    size_t n = c.ends.n / sizeof(size_t), start = 0;
    kq_sv *items = kq_arena_array(arena, kq_sv, n);
    kq_sv all = kq_arena_copy(arena, kq_buf_view(&c.bytes));
    if (!items || !all.p) {
        status = kq_arena_status(arena, err);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        size_t end;
        memcpy(&end, c.ends.p + i * sizeof end, sizeof end);
        items[i] = kq_sv_slice(all, start, end);
        start = end;
    }
    status = kq_strset_create(false, items, n, arena, out, err);
out:
    kq_buf_deinit(&c.scratch);
    kq_buf_deinit(&c.bytes);
    kq_buf_deinit(&c.ends);
    return status;
}

static bool all_constant(const kq_vector *const *args, uint32_t nargs) {
    for (uint32_t i = 1; i < nargs; i++)
        if (!args[i] || !args[i]->constant) return false;
    return true;
}

/* The left side's type: the pattern "b(ly...)" says long; of "b(TT...)" every argument has it. */
static kq_type left_type(const kq_prepare *p) {
    for (int t = 0; t < KQ_TYPE_COUNT; t++)
        if (kq_type_letter((kq_type)t) == p->fn->pattern[2]) return (kq_type)t;
    return p->args[1]->type;
}

kq_status kq_prepare_in(kq_prepare *p, const void **state, kq_error *err) {
    in_state *s = kq_arena_new(p->arena, in_state);
    if (!s) return kq_arena_status(p->arena, err);
    s->negate = p->fn->name[0] == '!';
    if (all_constant(p->args, p->nargs)) KQ_TRY(make_set(left_type(p), p->args, p->nargs, p->arena, &s->set, err));
    *state = s;
    return KQ_OK;
}

/* ---- lists that vary ---- */

typedef struct row_in {
    kq_type type;
    kq_sv wanted;
    kq_buf scratch;
} row_in;

static bool differs(void *ctx, const kq_value *item) {
    row_in *r = ctx;
    kq_value v;
    in_key key;
    if (!convert(item, r->type, &r->scratch, &v)) return !r->scratch.failed;
    return !key_of(&v, &key) || !kq_sv_eq(key.view, r->wanted);
}

static bool in_row(kq_call *call, row_in *r, uint32_t row) {
    for (uint32_t i = 1; i < call->nargs; i++) {
        kq_value list = kq_vector_get(call->args[i], row);
        if (r->type == KQ_DYNAMIC && call->nargs > 2 ? !list.null && !differs(r, &list)
                                                     : !kq_list_each(&list, differs, r))
            return true;
    }
    return false;
}

kq_status kq_fn_in(kq_call *call, kq_error *err) {
    const in_state *s = call->state;
    const kq_vector *left = call->args[0];
    bool negate = call->fn->name[0] == '!';
    const kq_strset *set = s ? s->set : NULL;
    if (!set && all_constant(call->args, call->nargs))
        KQ_TRY(make_set(left->type, call->args, call->nargs, call->arena, &set, err));
    row_in r = {.type = left->type};
    kq_buf_init(&r.scratch, call->arena->budget, 0);
    uint8_t *out = kq_vec_bool(call->out);
    for (uint32_t k = 0; k < call->n && !r.scratch.failed; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_value v = kq_vector_get(left, row);
        in_key key;
        bool found = key_of(&v, &key);
        if (found) {
            r.wanted = key.view;
            found = set ? kq_strset_find(set, key.view) >= 0 : in_row(call, &r, row);
        }
        out[row] = found != negate;
    }
    kq_status status = kq_buf_status(&r.scratch, err);
    kq_buf_deinit(&r.scratch);
    return status;
}
