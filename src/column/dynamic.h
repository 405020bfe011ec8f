/*
 * dynamic: any JSON-like value as one run of bytes, so that it is copied, hashed, kept and compared like a string.
 *
 *   value := tag payload                       (integers little-endian, no alignment)
 *   null  := 0x00                              bool  := 0x01 u8
 *   long  := 0x02 i64                          real  := 0x03 f64
 *   string := 0x04 u32 length, bytes           datetime := 0x05 i64 ticks     timespan := 0x06 i64 ticks
 *   guid  := 0x07 16 bytes                     decimal := 0x08 24 bytes (kq_decimal)
 *   array := 0x09 u32 count, u32 end[count], values            end[i]: where value i ends, from the first value
 *   bag   := 0x0a u32 count, u32 end[count], { u32 key length, key, value }...       keys unique, in given order
 *
 * Random access is O(1) for arrays and O(count) for bags. Depth is at most KQ_DYN_DEPTH. Readers trust the encoding:
 * only the builders here make it. A whole column value is dynamic-null (bitmap) rather than an encoded null.
 */
#ifndef KQ_COLUMN_DYNAMIC_H
#define KQ_COLUMN_DYNAMIC_H

#include "base/buf.h"
#include "column/type.h"
#include "column/value.h"

#define KQ_DYN_DEPTH 100

typedef enum kq_dyn_tag {
    KQ_DYN_NULL,
    KQ_DYN_BOOL,
    KQ_DYN_LONG,
    KQ_DYN_REAL,
    KQ_DYN_STRING,
    KQ_DYN_DATETIME,
    KQ_DYN_TIMESPAN,
    KQ_DYN_GUID,
    KQ_DYN_DECIMAL,
    KQ_DYN_ARRAY,
    KQ_DYN_BAG
} kq_dyn_tag;

/* A view of one encoded value: exactly its bytes. */
typedef kq_sv kq_dyn;

static inline kq_dyn_tag kq_dyn_tag_of(kq_dyn d) {
    return d.n ? (kq_dyn_tag)(unsigned char)d.p[0] : KQ_DYN_NULL;
}
const char *kq_dyn_type_name(kq_dyn d); /* as gettype(): "long", "array", "dictionary", "null", ... */

uint32_t kq_dyn_count(kq_dyn d); /* elements of an array or bag, else 0 */
kq_dyn kq_dyn_element(kq_dyn array, uint32_t i);
kq_dyn kq_dyn_entry(kq_dyn bag, uint32_t i, kq_sv *key);
/* The value of `key`; {NULL,0} when `bag` is not a bag or has none. */
kq_dyn kq_dyn_get(kq_dyn bag, kq_sv key);
kq_sv kq_dyn_string(kq_dyn d); /* of a KQ_DYN_STRING */

/* The scalar inside as a kq_value of its own type (string, long, ...); arrays and bags give a dynamic; null gives a
 * null dynamic. Nothing is copied. */
kq_value kq_dyn_value(kq_dyn d);

/* Builders append to a kq_buf. Open an array or bag with a mark, append its parts, close it. Failures are the
 * buffer's (kq_buf_status). */
void kq_dyn_put_null(kq_buf *out);
void kq_dyn_put_bool(kq_buf *out, bool b);
void kq_dyn_put_long(kq_buf *out, int64_t l);
void kq_dyn_put_real(kq_buf *out, double r);
void kq_dyn_put_string(kq_buf *out, kq_sv s);
void kq_dyn_put_ticks(kq_buf *out, kq_dyn_tag datetime_or_timespan, int64_t ticks);
void kq_dyn_put_dyn(kq_buf *out, kq_dyn d);
/* Any value; a dynamic is spliced in, a null becomes null, int becomes long. */
void kq_dyn_put_value(kq_buf *out, const kq_value *v);

typedef struct kq_dyn_builder {
    kq_buf *out;
    kq_buf ends;  /* u32 end offsets of the parts so far (private) */
    size_t start; /* where the tag stands in out */
    size_t body;  /* where the first part will stand before the offsets are moved in */
    bool bag;
} kq_dyn_builder;

/* Parts of an array or bag are appended to b->out between open and close, each followed by kq_dyn_part (bags: each
 * preceded by kq_dyn_key). Builders nest. kq_dyn_close always releases what open took. A key given twice keeps the
 * last value, as Kusto's parse_json does. */
void kq_dyn_open(kq_dyn_builder *b, kq_buf *out, bool bag);
void kq_dyn_key(kq_dyn_builder *b, kq_sv key);
void kq_dyn_part(kq_dyn_builder *b);
void kq_dyn_close(kq_dyn_builder *b);

/* Parses one JSON text (RFC 8259; whitespace around it) and appends its encoding. False, with `out` as it was, when it
 * is malformed or deeper than KQ_DYN_DEPTH. Integers that fit are long, other numbers real. */
bool kq_dyn_parse_json(kq_sv text, kq_buf *out);

/* Appends compact JSON: keys in order, datetime with 7 digits, reals as tostring prints them. */
void kq_dyn_json(kq_dyn d, kq_buf *out);

/* Deep equality (long 1 equals real 1.0? no: by tag and value) and a total order over tags and values. */
bool kq_dyn_eq(kq_dyn a, kq_dyn b);
int kq_dyn_cmp(kq_dyn a, kq_dyn b);

#endif
