#include "source/evtx/value.h"
#include "base/cp1252.h"
#include "base/number.h"
#include "base/time.h"
#include "base/utf8.h"
#include "source/evtx/utf16.h"
#include <inttypes.h>
#include <stdio.h>

#define TEXT_MAX 256 /* the longest text of a number, GUID, time or SID (15 sub-authorities) */

static uint64_t number_of(const uint8_t *p, uint32_t size) {
    switch (size) { /* as nearly all are */
    case 1: return p[0];
    case 2: return kq_bx_u16(p);
    case 4: return kq_bx_u32(p);
    case 8: return kq_bx_u64(p);
    default: break;
    }
    uint64_t u = 0;
    for (uint32_t i = size < 8 ? size : 8; i-- > 0;) u = u << 8 | p[i];
    return u;
}

static int64_t signed_of(const uint8_t *p, uint32_t size) {
    uint64_t u = number_of(p, size);
    if (size > 0 && size < 8 && u >> (size * 8 - 1)) u |= ~UINT64_C(0) << (size * 8);
    return (int64_t)u;
}

/* GUIDs are stored with their first three groups little-endian. */
static void guid_of(const uint8_t *p, uint8_t out[16]) {
    const uint8_t first[8] = {p[3], p[2], p[1], p[0], p[5], p[4], p[7], p[6]};
    memcpy(out, first, 8);
    memcpy(out + 8, p + 8, 8);
}

static bool filetime_ticks(uint64_t filetime, int64_t *ticks) {
    if (filetime > (uint64_t)(KQ_TICKS_MAX - KQ_TICKS_1601)) return false;
    *ticks = (int64_t)filetime + KQ_TICKS_1601;
    return true;
}

/* SYSTEMTIME: year, month, weekday, day, hour, minute, second, millisecond, u16 each. */
static bool systemtime_ticks(const uint8_t *p, int64_t *ticks) {
    kq_civil c = {.year = kq_bx_u16(p),
                  .month = kq_bx_u16(p + 2),
                  .day = kq_bx_u16(p + 6),
                  .hour = kq_bx_u16(p + 8),
                  .minute = kq_bx_u16(p + 10),
                  .second = kq_bx_u16(p + 12),
                  .tick = kq_bx_u16(p + 14) * 10000};
    return kq_civil_ticks(&c, ticks);
}

/* As 0x3e7: at most 18 bytes. */
static size_t print_hex(uint64_t u, char *out) {
    static const char digits[] = "0123456789abcdef";
    unsigned n = 2;
    for (uint64_t rest = u >> 4; rest; rest >>= 4) n++;
    out[0] = '0';
    out[1] = 'x';
    for (unsigned i = n + 1; i-- > 2; u >>= 4) out[i] = digits[u & 15];
    return n + 1;
}

static size_t print_sid(const uint8_t *p, uint32_t size, char *out) {
    if (size < 8 || p[1] > 15 || 8u + 4u * p[1] > size) return 0;
    uint64_t authority = 0;
    for (int i = 2; i < 8; i++) authority = authority << 8 | p[i];
    char *to = out;
    *to++ = 'S';
    *to++ = '-';
    to = kq_number_write_ulong(p[0], to);
    if (authority >> 32)
        to += snprintf(to, TEXT_MAX - (size_t)(to - out), "-0x%" PRIX64, authority);
    else
        *to++ = '-', to = kq_number_write_ulong(authority, to);
    for (unsigned i = 0; i < p[1]; i++) {
        *to++ = '-';
        to = kq_number_write_ulong(kq_bx_u32(p + 8 + 4 * i), to);
    }
    return (size_t)(to - out);
}

static kq_sv trim_nuls(const char *p, size_t n) {
    while (n > 0 && p[n - 1] == 0) n--;
    return (kq_sv){p, n};
}

/* Text in the code page of the machine that wrote it, which the file does not name: UTF-8 when it is, else
 * Windows-1252, the usual one. */
static size_t ansi_utf8(const uint8_t *p, size_t n, char *out) {
    bool utf8 = true;
    const char *s = (const char *)p;
    for (size_t i = 0; i < n && utf8;) {
        uint32_t cp;
        unsigned len = kq_utf8_decode(s + i, s + n, &cp);
        utf8 = !(cp == KQ_UTF8_BAD && len == 1);
        i += len;
    }
    if (utf8) {
        memcpy(out, p, n);
        return n;
    }
    return kq_cp1252_utf8(p, n, out);
}

/* Texts whose length follows from the value's size: `room` of them, then written. */
static size_t long_text_room(const kq_bx_value *v) {
    switch (v->type) {
    case KQ_BX_STRING:
    case KQ_BX_XML: return KQ_UTF16_ROOM(v->size / 2);
    case KQ_BX_ANSI: return (size_t)v->size * 3 + 1;
    default: return (size_t)v->size * 2 + 1; /* hex */
    }
}

static size_t write_long_text(const kq_bx *bx, const kq_bx_value *v, char *to) {
    static const char digits[] = "0123456789ABCDEF";
    const uint8_t *p = bx->p + v->off;
    switch (v->type) {
    case KQ_BX_STRING:
    case KQ_BX_XML: return kq_utf16_utf8(p, kq_bx_units(bx, v), to);
    case KQ_BX_ANSI: return ansi_utf8(p, trim_nuls((const char *)p, v->size).n, to);
    default:
        for (size_t i = 0; i < v->size; i++) {
            to[2 * i] = digits[p[i] >> 4];
            to[2 * i + 1] = digits[p[i] & 15];
        }
        return (size_t)v->size * 2;
    }
}

/* The field of a value of fixed length, or one whose text is short (in `text`); false when it is none of these. */
static bool short_field(const kq_bx *bx, const kq_bx_value *v, kq_field *out, char text[TEXT_MAX]) {
    const uint8_t *p = bx->p + v->off;
    uint32_t size = v->size;
    out->kind = KQ_FIELD_STRING;
    out->u.text = (kq_sv){text, 0};
    switch (v->type) {
    case KQ_BX_NULL:
    case KQ_BX_BINXML: out->kind = v->type == KQ_BX_NULL ? KQ_FIELD_NULL : KQ_FIELD_MISSING; return true;
    case KQ_BX_INT8:
    case KQ_BX_INT16:
    case KQ_BX_INT32:
    case KQ_BX_INT64:
        if (size == 0 || size > 8) return false;
        out->kind = KQ_FIELD_LONG;
        out->u.l = signed_of(p, size);
        return true;
    case KQ_BX_UINT8:
    case KQ_BX_UINT16:
    case KQ_BX_UINT32:
    case KQ_BX_UINT64: {
        if (size == 0 || size > 8) return false;
        uint64_t u = number_of(p, size);
        out->kind = u > INT64_MAX ? KQ_FIELD_ULONG : KQ_FIELD_LONG;
        out->u.u = u;
        return true;
    }
    case KQ_BX_REAL32:
    case KQ_BX_REAL64:
        if (size != (v->type == KQ_BX_REAL32 ? 4u : 8u)) return false;
        out->kind = KQ_FIELD_REAL;
        if (size == 4) {
            uint32_t bits = kq_bx_u32(p);
            float f;
            memcpy(&f, &bits, 4);
            out->u.r = (double)f;
        } else {
            uint64_t bits = kq_bx_u64(p);
            memcpy(&out->u.r, &bits, 8);
        }
        return true;
    case KQ_BX_BOOL: /* four bytes by the book, one or eight in the wild */
        if (size == 0 || size > 8) return false;
        out->u.text = number_of(p, size) ? KQ_SV("true") : KQ_SV("false");
        return true;
    case KQ_BX_GUID:
        if (size != 16) return false;
        out->kind = KQ_FIELD_GUID;
        guid_of(p, out->u.guid);
        return true;
    case KQ_BX_SIZE:
    case KQ_BX_HEX32:
    case KQ_BX_HEX64:
    case KQ_BX_HANDLE:
        if (size == 0 || size > 8) return false;
        out->u.text.n = print_hex(number_of(p, size), text);
        return true;
    case KQ_BX_FILETIME:
    case KQ_BX_SYSTEMTIME: {
        int64_t ticks;
        bool fits = v->type == KQ_BX_FILETIME ? size == 8 && filetime_ticks(kq_bx_u64(p), &ticks)
                                              : size == 16 && systemtime_ticks(p, &ticks);
        out->kind = fits ? KQ_FIELD_DATETIME : KQ_FIELD_NULL; /* "never" and such are no time */
        if (fits) out->u.l = ticks;
        return true;
    }
    case KQ_BX_SID: return (out->u.text.n = print_sid(p, size, text)) > 0;
    default: return false;
    }
}

bool kq_evtx_value_field(kq_bx *bx, const kq_bx_value *v, kq_field *out) {
    char text[TEXT_MAX];
    if (v->type & KQ_BX_ARRAY) {
        kq_buf lines;
        kq_buf_init(&lines, bx->arena.budget, 0);
        bool ok = kq_evtx_value_text(bx, v, &lines) && kq_buf_status(&lines, NULL) == KQ_OK;
        if (ok) {
            out->kind = KQ_FIELD_STRING;
            out->u.text = kq_arena_copy(&bx->arena, kq_buf_view(&lines));
        }
        if (lines.failed) bx->arena.failed = true; /* no flaw of the record: memory is short */
        kq_buf_deinit(&lines);
        return ok && out->u.text.p;
    }
    if (v->type != KQ_BX_STRING && short_field(bx, v, out, text)) {
        if (out->kind == KQ_FIELD_STRING && out->u.text.p == text) {
            char *to = kq_arena_bytes(&bx->arena, out->u.text.n);
            if (!to) return false;
            memcpy(to, text, out->u.text.n);
            out->u.text.p = to;
        }
        return true;
    }
    size_t room = long_text_room(v);
    if (!kq_bx_burn(bx, v->size)) return false;
    char *to = kq_arena_bytes(&bx->arena, room);
    if (!to) return false;
    size_t n = write_long_text(bx, v, to);
    kq_arena_trim(&bx->arena, to, room, n);
    out->kind = KQ_FIELD_STRING;
    out->u.text = (kq_sv){to, n};
    return true;
}

bool kq_evtx_value_text(kq_bx *bx, const kq_bx_value *v, kq_buf *out) {
    char text[TEXT_MAX];
    kq_field field;
    if (v->type & KQ_BX_ARRAY) {
        kq_bx_value element;
        for (uint32_t at = 0, i = 0; kq_evtx_array_next(bx, v, &at, &element); i++) {
            if (i > 0) kq_buf_char(out, '\n');
            if (!kq_bx_burn(bx, 4) || !kq_evtx_value_text(bx, &element, out)) return false;
        }
        return true;
    }
    if (v->type != KQ_BX_STRING && short_field(bx, v, &field, text)) {
        kq_event_field_text(&field, out);
        if (v->type == KQ_BX_SYSTEMTIME && field.kind == KQ_FIELD_DATETIME && !out->failed) {
            out->n -= 5; /* it has milliseconds, and Windows shows just them */
            kq_buf_char(out, 'Z');
        }
        return true;
    }
    if (!kq_bx_burn(bx, v->size)) return false;
    char *to = kq_buf_reserve(out, long_text_room(v));
    if (to) out->n += write_long_text(bx, v, to);
    return true;
}

static uint32_t element_size(uint8_t type, const kq_bx *bx, uint32_t off, uint32_t end) {
    switch (type) {
    case KQ_BX_INT8:
    case KQ_BX_UINT8: return 1;
    case KQ_BX_INT16:
    case KQ_BX_UINT16: return 2;
    case KQ_BX_INT32:
    case KQ_BX_UINT32:
    case KQ_BX_REAL32:
    case KQ_BX_BOOL:
    case KQ_BX_HEX32: return 4;
    case KQ_BX_INT64:
    case KQ_BX_UINT64:
    case KQ_BX_REAL64:
    case KQ_BX_FILETIME:
    case KQ_BX_SIZE:
    case KQ_BX_HANDLE:
    case KQ_BX_HEX64: return 8;
    case KQ_BX_GUID:
    case KQ_BX_SYSTEMTIME: return 16;
    case KQ_BX_SID: return end - off >= 2 ? 8 + 4u * bx->p[off + 1] : end - off;
    default: return end - off;
    }
}

bool kq_evtx_array_next(const kq_bx *bx, const kq_bx_value *array, uint32_t *at, kq_bx_value *element) {
    if (*at >= array->size) return false;
    uint32_t off = array->off + *at, end = array->off + array->size, size;
    uint8_t type = array->type & (uint8_t)~KQ_BX_ARRAY;
    if (type == KQ_BX_STRING) { /* each ends with a NUL, the last perhaps without */
        uint32_t p = off;
        while (end - p >= 2 && (bx->p[p] | bx->p[p + 1])) p += 2;
        size = p - off;
        *at += size + 2;
    } else if (type == KQ_BX_ANSI) {
        const uint8_t *nul = memchr(bx->p + off, 0, end - off);
        size = nul ? (uint32_t)(nul - (bx->p + off)) : end - off;
        *at += size + 1;
    } else {
        size = element_size(type, bx, off, end);
        if (size > end - off) size = end - off;
        *at += size;
    }
    *element = (kq_bx_value){.off = off, .size = (uint16_t)size, .type = type};
    return true;
}
