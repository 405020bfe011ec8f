/*
 * Strings as JSON writes them (RFC 8259): escaped while they are copied, sixteen bytes at a time. Pure functions; the
 * buffer is the caller's, and its failures are kq_buf_status's.
 */
#ifndef KQ_COLUMN_JSON_STRING_H
#define KQ_COLUMN_JSON_STRING_H

#include "base/buf.h"

/* Appends `s` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD. */
void kq_json_string(kq_sv s, kq_buf *out);
/* The same without the quotes. */
void kq_json_inside(kq_sv s, kq_buf *out);
/* The same to where there is room for KQ_JSON_ROOM(s.n) bytes; returns where it ends. */
#define KQ_JSON_ROOM(n) ((size_t)(n)*6 + 34)
char *kq_json_write(kq_sv s, char *to);

#endif
