/*
 * Units: how text is compared here. A unit is a code point, or one ill-formed byte (UNIT_RAW + byte) that equals only
 * itself. Folded units are what every case-insensitive operator compares, so that mappings which change the length in
 * bytes (KELVIN SIGN to k, LONG S to s) are exact.
 */
#ifndef KQ_TEXT_UNIT_H
#define KQ_TEXT_UNIT_H

#include "text/fold.h"

#define KQ_UNIT_RAW UINT32_C(0x110000)

/* What each ASCII byte is: bit 0: part of a term; bit 1: a letter. Zero for bytes from 0x80. */
extern const uint8_t kq_ascii_class[256];
/* ASCII letters in lower case; other bytes as they are. */
extern const uint8_t kq_ascii_fold[256];

/* The general category of a code point ("Lu"), and whether it has the properties Uppercase and Lowercase. */
const char *kq_category(uint32_t cp);
bool kq_is_upper(uint32_t cp);
bool kq_is_lower(uint32_t cp);
/* How many code points from `cp` on certainly have the same properties: for walking all of Unicode. */
uint32_t kq_unicode_step(uint32_t cp);
/* All code points that fold to another one. */
const uint32_t *kq_folding(size_t *n);

static inline unsigned kq_unit(const char *p, const char *end, uint32_t *unit) {
    unsigned n = kq_utf8_decode(p, end, unit);
    if (n == 1 && *unit == KQ_UTF8_BAD) *unit = KQ_UNIT_RAW + (unsigned char)*p;
    return n;
}

static inline uint32_t kq_unit_fold(uint32_t unit, bool ci) {
    if (!ci || unit >= KQ_UNIT_RAW) return unit;
    return unit < 0x80 ? kq_ascii_fold[unit] : kq_fold(unit);
}

static inline bool kq_unit_is_term(uint32_t unit) {
    return unit < 0x80 ? kq_ascii_class[unit] & 1 : unit < KQ_UNIT_RAW && kq_is_term(unit);
}

/* The unit that ends right before `p` > start. */
static inline uint32_t kq_unit_before(const char *start, const char *p) {
    uint32_t unit;
    for (unsigned back = 1; back <= 4 && back <= (size_t)(p - start); back++)
        if (((unsigned char)p[-(int)back] & 0xC0) != 0x80) {
            if (kq_unit(p - back, p, &unit) == back) return unit;
            break;
        }
    return KQ_UNIT_RAW + (unsigned char)p[-1];
}

/* Do all bytes lie below 0x80? */
static inline bool kq_is_ascii(const char *p, size_t n) {
    size_t i = 0;
    uint64_t any = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        any |= w;
    }
    for (; i < n; i++) any |= (unsigned char)p[i];
    return !(any & UINT64_C(0x8080808080808080));
}

/* Does the text hold one of the two characters outside of ASCII that fold into it, KELVIN SIGN and LONG S? Without them
 * an ASCII needle can be compared byte by byte, even in a text that is not ASCII. */
static inline bool kq_folds_into_ascii(kq_sv s) {
    return !kq_is_ascii(s.p, s.n) && (memmem(s.p, s.n, "\xE2\x84\xAA", 3) || memmem(s.p, s.n, "\xC5\xBF", 2));
}

#endif
