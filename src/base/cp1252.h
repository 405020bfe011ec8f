/*
 * Windows-1252, the usual code page of the West. Pure functions. Source: the WHATWG's Encoding Standard, index
 * windows-1252: the five bytes without a meaning are the control characters that they are in ISO 8859-1.
 */
#ifndef KQ_BASE_CP1252_H
#define KQ_BASE_CP1252_H

#include <stddef.h>

/* Writes n bytes of Windows-1252 as UTF-8 to `to`, which has room for three times as many, and returns how many. */
size_t kq_cp1252_utf8(const unsigned char *p, size_t n, char *to);

#endif
