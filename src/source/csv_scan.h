/*
 * Where CSV records end: newlines outside quotes, found 64 bytes at a time by the parity of quotes (RFC 4180: a quote
 * inside a quoted field is doubled, so that it flips the parity twice). Text has KQ_SCAN_SLACK readable bytes behind
 * it.
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

/* The next field of a record: p..end is what is left of it. The field's text is in *out: for a quoted one what stands
 * between the quotes, *escaped when it holds quotes to be undone. A quote that neither ends the field nor is doubled is
 * text. Returns where the next field begins, or NULL after the last. */
const char *kq_csv_field(const char *p, const char *end, char delimiter, kq_sv *out, bool *escaped);

/* Undoes doubled quotes; `to` has room for text.n bytes. Returns the length. */
size_t kq_csv_unescape(kq_sv text, char *to);

#endif
