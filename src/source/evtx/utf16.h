/*
 * UTF-16LE, as Windows logs hold it, to UTF-8. Lone surrogates become U+FFFD. Pure functions over unaligned bytes.
 */
#ifndef KQ_SOURCE_EVTX_UTF16_H
#define KQ_SOURCE_EVTX_UTF16_H

#include <stddef.h>
#include <stdint.h>

/* The most bytes of UTF-8 that `units` units can need, with room for a vector's store past the end. */
#define KQ_UTF16_ROOM(units) ((size_t)(units)*3 + 16)

/* Writes the UTF-8 of `units` units at `p` and returns its length; `out` has KQ_UTF16_ROOM(units) bytes. */
size_t kq_utf16_utf8(const uint8_t *p, size_t units, char *out);

#endif
