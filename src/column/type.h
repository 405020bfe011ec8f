/*
 * The scalar types of KQL and how a value of each lies in memory.
 *
 *   bool      uint8_t 0 or 1            int       int32_t
 *   long      int64_t                   real      double
 *   datetime  int64_t: 100 ns ticks since 0001-01-01T00:00:00Z        timespan  int64_t: 100 ns ticks
 *   guid      kq_guid                   decimal   kq_decimal
 *   string    kq_str (no null: missing is "")
 *   dynamic   kq_str whose bytes are one encoded value (dynamic.h)
 */
#ifndef KQ_COLUMN_TYPE_H
#define KQ_COLUMN_TYPE_H

#include "base/sv.h"

typedef enum kq_type {
#define KQ_TYPE(name, kusto, dotnet, width, letter) KQ_##name,
#include "column/type.def"
#undef KQ_TYPE
    KQ_TYPE_COUNT
} kq_type;

/* 16 bytes in the order of the printed form: 8-4-4-4-12, each group big-endian. */
typedef struct kq_guid {
    uint8_t b[16];
} kq_guid;

/* A decimal: (-1)^negative * coefficient * 10^-scale; coefficient up to 34 digits. See column/decimal.h. */
typedef struct kq_decimal {
    uint64_t lo, hi; /* the coefficient's low and high 64 bits */
    int32_t scale;
    uint32_t negative;
} kq_decimal;

const char *kq_type_name(kq_type type);   /* "long" */
const char *kq_type_dotnet(kq_type type); /* "System.Int64" */
size_t kq_type_width(kq_type type);       /* bytes of a value in a vector */
char kq_type_letter(kq_type type);        /* 'l' */

/* The type of a Kusto name or one of its aliases (boolean, int32?, int64, double, date, time, uuid, uniqueid); false
 * when there is none. Source: Kusto documentation, scalar data types. */
bool kq_type_from_name(kq_sv name, kq_type *out);

static inline bool kq_type_is_integer(kq_type t) {
    return t == KQ_INT || t == KQ_LONG;
}
static inline bool kq_type_is_numeric(kq_type t) {
    return t == KQ_INT || t == KQ_LONG || t == KQ_REAL || t == KQ_DECIMAL;
}

#endif
