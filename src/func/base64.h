/*
 * base64 (RFC 4648, the alphabet with + and /, padding required). Internal to func/.
 */
#ifndef KQ_FUNC_BASE64_H
#define KQ_FUNC_BASE64_H

#include "base/buf.h"

void kq_base64_encode(kq_sv bytes, kq_buf *out);
/* Appends the bytes; false, with `out` as it was, when the text is malformed. */
bool kq_base64_decode(kq_sv text, kq_buf *out);

#endif
