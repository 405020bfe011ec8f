/*
 * Message digests: MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4). Pure functions. Internal to func/.
 */
#ifndef KQ_FUNC_DIGEST_H
#define KQ_FUNC_DIGEST_H

#include "base/sv.h"

void kq_md5(kq_sv data, uint8_t out[16]);
void kq_sha1(kq_sv data, uint8_t out[20]);
void kq_sha256(kq_sv data, uint8_t out[32]);

#endif
