#include "source/evtx/escape.h"
#include "base/utf8.h"
#include "column/json_string.h"
#include "column/value.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline kq_evtx_style base_of(kq_evtx_style style) {
    return style < KQ_EVTX_TEXT_JSON ? style : style - KQ_EVTX_TEXT_JSON;
}

static bool xml_char(uint32_t cp) {
    return cp >= 0x20 ? cp != 0xFFFE && cp != 0xFFFF : cp == '\t' || cp == '\n' || cp == '\r';
}

/* How many bytes from `p` on surely need no escape. */
static size_t plain_run(const char *p, const char *end) {
    const char *start = p;
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i special = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('&')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('<')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('>')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8((char)0xEF)));
        int mask = _mm_movemask_epi8(special);
        if (mask) return (size_t)(p - start) + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && *p != '&' && *p != '<' && *p != '>' && *p != '"' &&
           (unsigned char)*p != 0xEF)
        p++;
    return (size_t)(p - start);
}

static void escape_xml(kq_sv text, bool attribute, kq_buf *out) {
    const char *p = text.p, *end = text.p + text.n, *run = p;
    while ((p += plain_run(p, end)) < end) {
        unsigned char c = (unsigned char)*p;
        const char *as = NULL;
        unsigned n = 1;
        if (c == '&')
            as = "&amp;";
        else if (c == '<')
            as = "&lt;";
        else if (c == '>')
            as = "&gt;";
        else if (c == '"' && attribute)
            as = "&quot;";
        else if (c < 0x20 && attribute)
            as = c == '\t' ? "&#9;" : c == '\n' ? "&#10;" : c == '\r' ? "&#13;" : "\xEF\xBF\xBD";
        else if (c < 0x20 ? !xml_char(c) : c == 0xEF) {
            uint32_t cp;
            n = kq_utf8_decode(p, end, &cp);
            if (!xml_char(cp)) as = "\xEF\xBF\xBD";
        }
        if (as) {
            kq_buf_append(out, run, (size_t)(p - run));
            kq_buf_str(out, as);
            run = p + n;
        }
        p += n;
    }
    kq_buf_append(out, run, (size_t)(end - run));
}

void kq_evtx_escape(kq_sv text, kq_evtx_style style, kq_buf *out) {
    if (text.n == 0) return;
    switch (style) {
    case KQ_EVTX_PLAIN: kq_buf_sv(out, text); return;
    case KQ_EVTX_TEXT: escape_xml(text, false, out); return;
    case KQ_EVTX_ATTRIBUTE: escape_xml(text, true, out); return;
    case KQ_EVTX_PLAIN_JSON: kq_json_inside(text, out); return;
    case KQ_EVTX_TEXT_JSON:
    case KQ_EVTX_ATTRIBUTE_JSON: break;
    }
    kq_buf xml;
    kq_buf_init(&xml, out->budget, 0);
    escape_xml(text, style == KQ_EVTX_ATTRIBUTE_JSON, &xml);
    if (xml.failed)
        out->failed = xml.failed;
    else
        kq_json_inside(kq_buf_view(&xml), out);
    kq_buf_deinit(&xml);
}

/* ---- UTF-16 ---- */

static uint32_t unit_at(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static char *put(char *to, const char *text) {
    while (*text) *to++ = *text++;
    return to;
}

/* A control character inside a JSON string. */
static char *put_json_control(uint32_t c, char *to) {
    static const char digits[] = "0123456789abcdef",
                      letters[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *to++ = '\\';
    if (letters[c]) {
        *to++ = letters[c];
        return to;
    }
    to = put(to, "u00");
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
    return to;
}

static char *put_control(uint32_t c, kq_evtx_style style, char *to) {
    const kq_evtx_style base = base_of(style);
    if (base != KQ_EVTX_PLAIN && !xml_char(c)) return put(to, "\xEF\xBF\xBD");
    if (base == KQ_EVTX_ATTRIBUTE) return put(to, c == '\t' ? "&#9;" : c == '\n' ? "&#10;" : "&#13;");
    if (style != base) return put_json_control(c, to);
    *to++ = (char)c;
    return to;
}

static inline char *put_ascii(uint32_t c, kq_evtx_style style, char *to) {
    const kq_evtx_style base = base_of(style);
    if (style != base && (c == '\\' || (c == '"' && base != KQ_EVTX_ATTRIBUTE))) {
        *to++ = '\\';
    } else if (base != KQ_EVTX_PLAIN) {
        if (c == '&') return put(to, "&amp;");
        if (c == '<') return put(to, "&lt;");
        if (c == '>') return put(to, "&gt;");
        if (c == '"' && base == KQ_EVTX_ATTRIBUTE) return put(to, "&quot;");
    }
    *to++ = (char)c;
    return to;
}

/* One character, of one unit or a pair of surrogates, from *p on. */
static inline char *put_char(const uint8_t **p, const uint8_t *end, kq_evtx_style style, char *to) {
    uint32_t c = unit_at(*p);
    *p += 2;
    if (KQ_LIKELY(c >= 0x20 && c < 0x80)) return put_ascii(c, style, to);
    if (c < 0x20) return put_control(c, style, to);
    if (c >= 0xD800 && c <= 0xDBFF && *p < end) {
        uint32_t low = unit_at(*p);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            *p += 2;
        }
    }
    if (base_of(style) != KQ_EVTX_PLAIN && !xml_char(c)) c = 0xFFFD;
    return to + kq_utf8_encode(c, to);
}

#ifdef __SSE2__
/* Of 16 characters, a bit for each that is none of ASCII's or is to be escaped. */
static inline unsigned special(__m128i v, kq_evtx_style style) {
    if (style == KQ_EVTX_PLAIN) /* a unit from 0x8000 on is packed to 0 */
        return (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(_mm_set1_epi8(1), v));
    const kq_evtx_style base = base_of(style);
    __m128i any = _mm_cmpgt_epi8(_mm_set1_epi8(0x20), v); /* as signed numbers: those from 0x80 on too */
    if (base != KQ_EVTX_PLAIN) {
        any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_set1_epi8('&')));
        any = _mm_or_si128(any, _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8('<' ^ '>')), _mm_set1_epi8('>')));
    }
    if (base == KQ_EVTX_ATTRIBUTE || style != base) any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
    if (style != base) any = _mm_or_si128(any, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(any);
}
#endif

static inline char *escape_utf16(const uint8_t *p, size_t units, const uint8_t *limit, kq_evtx_style style, char *to) {
    const uint8_t *end = p + units * 2;
    while (p < end) {
#ifdef __SSE2__
        while (limit - p >= 32) { /* what lies behind the text is looked at with it, and cut off */
            const __m128i *from = (const __m128i *)(const void *)p;
            __m128i v = _mm_packus_epi16(_mm_loadu_si128(from), _mm_loadu_si128(from + 1));
            _mm_storeu_si128((__m128i *)(void *)to, v);
            unsigned mask = special(v, style) | 0x10000u, plain = (unsigned)__builtin_ctz(mask);
            if ((size_t)(end - p) <= 2 * plain) return to + (end - p) / 2;
            to += plain;
            p += 2 * plain;
            if (plain < 16) break;
        }
#else
        (void)limit;
#endif
        to = put_char(&p, end, style, to);
    }
    return to;
}

char *kq_evtx_escape_utf16(const uint8_t *p, size_t units, const uint8_t *limit, kq_evtx_style style, char *to) {
    switch (style) {
    case KQ_EVTX_TEXT: return escape_utf16(p, units, limit, KQ_EVTX_TEXT, to);
    case KQ_EVTX_ATTRIBUTE: return escape_utf16(p, units, limit, KQ_EVTX_ATTRIBUTE, to);
    case KQ_EVTX_TEXT_JSON: return escape_utf16(p, units, limit, KQ_EVTX_TEXT_JSON, to);
    case KQ_EVTX_ATTRIBUTE_JSON: return escape_utf16(p, units, limit, KQ_EVTX_ATTRIBUTE_JSON, to);
    case KQ_EVTX_PLAIN_JSON: return escape_utf16(p, units, limit, KQ_EVTX_PLAIN_JSON, to);
    case KQ_EVTX_PLAIN: break;
    }
    return escape_utf16(p, units, limit, KQ_EVTX_PLAIN, to);
}

void kq_evtx_xml_name(kq_sv name, kq_buf *out) {
    size_t letters = 0;
    while (letters < name.n && kq_ascii_lower(name.p[letters]) >= 'a' && kq_ascii_lower(name.p[letters]) <= 'z')
        letters++;
    if (letters == name.n && letters > 0) { /* as nearly all are */
        kq_buf_sv(out, name);
        return;
    }
    if (name.n == 0) kq_buf_char(out, '_');
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], lower = kq_ascii_lower(c);
        bool letter = (lower >= 'a' && lower <= 'z') || c == '_' || c == ':' || (unsigned char)c >= 0x80;
        bool inner = (c >= '0' && c <= '9') || c == '-' || c == '.';
        kq_buf_char(out, letter || (inner && i > 0) ? c : '_');
    }
}
