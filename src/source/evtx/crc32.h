/* CRC-32 (IEEE 802.3), the checksum of EVTX headers and chunks. Carry-less multiplication where the processor has it,
 * zlib otherwise. */
#ifndef KQ_SOURCE_EVTX_CRC32_H
#define KQ_SOURCE_EVTX_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 at first) over `n` bytes. */
uint32_t kq_crc32(uint32_t crc, const void *p, size_t n);

#endif
