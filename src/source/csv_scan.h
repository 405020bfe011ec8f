/*
 * Where CSV records end, and what stands in their fields. One rule everywhere: a quote opens a quoted field only at the
 * field's start; inside, a doubled quote is one quote, and a quote before a delimiter or the end of the record closes;
 * any other quote is text. For clean text (RFC 4180) that is the parity of quotes, which is found 64 bytes at a time;
 * the first quote that parity would judge differently makes the rest of the block go byte by byte.
 * Text has KQ_SCAN_SLACK readable bytes behind it.
 */
#ifndef KQ_SOURCE_CSV_SCAN_H
#define KQ_SOURCE_CSV_SCAN_H

#include "base/buf.h"

typedef struct kq_csv_record {
    uint32_t end;        /* of the record in the text: where its newline stands */
    uint32_t delimiters; /* outside quotes */
} kq_csv_record;

/* Appends the records that end in p[0..n), n < 4 GiB, p being the start of a record. *open: a quoted field is open at
 * the end of the text. The caller looks at the buffer's failure. */
void kq_csv_scan(const char *p, size_t n, char delimiter, kq_buf *records, bool *open);

/* Where a record ends that is not held: it is fed in pieces of any size. All zero at its start. */
typedef struct kq_csv_skip {
    enum { KQ_CSV_FIELD_START, KQ_CSV_UNQUOTED, KQ_CSV_INSIDE, KQ_CSV_QUOTE, KQ_CSV_QUOTE_RETURN } state;
} kq_csv_skip;

/* Takes p[0..n), or less: up to and with the newline that ends the record (*ended). Gives how much. */
size_t kq_csv_skip_on(kq_csv_skip *skip, const char *p, size_t n, char delimiter, bool *ended);

/* Is a quoted field open at the end of the line p..end, which is without its newline? */
bool kq_csv_opens(const char *p, const char *end, char delimiter);

/* Which vector code kq_csv_scan may use; tests compare them. */
extern bool kq_csv_scan_plain;

/* The next field of a record: p..end is what is left of it. The field's text is in *out: for a quoted one what stands
 * between the quotes, *escaped when it holds quotes to be undone. Returns where the next field begins, or NULL after
 * the last. */
const char *kq_csv_field(const char *p, const char *end, char delimiter, kq_sv *out, bool *escaped);

/* Undoes doubled quotes; `to` has room for text.n bytes. Returns the length. */
size_t kq_csv_unescape(kq_sv text, char *to);

#endif
