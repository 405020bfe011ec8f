/*
 * kq_value: one value outside a vector: a literal, a constant of the plan, an aggregate's result. Strings and
 * dynamics point into the owner's arena.
 */
#ifndef KQ_COLUMN_VALUE_H
#define KQ_COLUMN_VALUE_H

#include "base/buf.h"
#include "column/json_string.h"
#include "column/vector.h"

typedef struct kq_value {
    kq_type type;
    bool null; /* never for string */
    union {
        uint8_t b;
        int32_t i;
        int64_t l; /* long, datetime, timespan */
        double r;
        kq_guid g;
        kq_decimal m;
        kq_str s; /* string; dynamic: one encoded value */
    } u;
} kq_value;

static inline kq_value kq_value_null(kq_type type) {
    return (kq_value){.type = type, .null = type != KQ_STRING};
}
static inline kq_value kq_value_bool(bool b) {
    return (kq_value){.type = KQ_BOOL, .u.b = b};
}
static inline kq_value kq_value_long(int64_t l) {
    return (kq_value){.type = KQ_LONG, .u.l = l};
}
static inline kq_value kq_value_real(double r) {
    return (kq_value){.type = KQ_REAL, .u.r = r};
}
static inline kq_value kq_value_sv(kq_sv s) {
    return (kq_value){.type = KQ_STRING, .u.s = kq_str_sv(s)};
}

/* The value at row `i` of `v` (strings are not copied), and back. */
kq_value kq_vector_get(const kq_vector *v, uint32_t i);
void kq_vector_set(kq_vector *v, uint32_t i, const kq_value *value);

/* Equality of representation: same type and bits (NaN equals itself, null equals null); and its hash. For grouping,
 * joins and distinct, not for KQL's ==. */
bool kq_value_same(const kq_value *a, const kq_value *b);
uint64_t kq_value_hash(const kq_value *v);

/* Kusto's order within one type for sort and min/max: null lowest, then NaN, then values ascending; strings
 * ordinal; dynamic by kq_dyn_cmp. <0, 0, >0. */
int kq_value_cmp(const kq_value *a, const kq_value *b);

/* Appends the text that tostring() gives: "True", "1.0", "2020-01-01T00:00:00.0000000Z", compact JSON; "" for null. */
void kq_value_text(const kq_value *v, kq_buf *out);

/* Appends the cell as Kusto's REST interface prints it in JSON: numbers bare, NaN and Infinity as strings, decimal as
 * string, datetime "2020-01-01T00:00:00Z" with the fraction trimmed, dynamic as the JSON value itself, null. */
void kq_value_json(const kq_value *v, kq_buf *out);

/* Appends a KQL literal of the value: long(1), datetime(...), 'text', dynamic(...). For printing plans and trees. */
void kq_value_literal(const kq_value *v, kq_buf *out);

#endif
