/*
 * Exported event XML as bytes: where events start, what may stand between them, and references. Text that is scanned
 * has KQ_SCAN_SLACK readable bytes behind its end.
 *
 * An event starts where "<Event ...>" is followed by "<System": that can be seen from the bytes alone, wherever a file
 * is cut into blocks, and no element of an event's own data that happens to be called Event looks so. What lies from
 * one start to the next is the extent of an event.
 */
#ifndef KQ_SOURCE_XML_SCAN_H
#define KQ_SOURCE_XML_SCAN_H

#include "base/buf.h"
#include "source/scan_bytes.h"

#define KQ_XML_LOOK 1024u /* bytes from "<Event" on in which "<System" must stand */

/* How a file spells what an event starts with: a program that wrote it anew may have put a prefix before the names. */
typedef struct kq_xml_names {
    char event_text[64], system_text[64], root_text[64];
    kq_sv prefix; /* "ns0:" or "" */
    kq_sv event;  /* "<ns0:Event" */
    kq_sv system; /* "<ns0:System" */
    kq_sv root;   /* the name of the element around all events, or "" */
} kq_xml_names;

/* Learns the names from the first bytes of a file; false when no event starts there: then they are the usual ones.
 * `names` must not move. */
bool kq_xml_learn(kq_xml_names *names, kq_sv head);

static inline bool kq_xml_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
static inline const char *kq_xml_skip(const char *p, const char *end) {
    while (p < end && kq_xml_blank(*p)) p++;
    return p;
}

/* The first place of `needle` (two bytes or more) in [p, end), or NULL. */
const char *kq_xml_find(const char *p, const char *end, kq_sv needle);

/* The first '<' in [p, end), or end; *amp is set when a '&' stands before it. */
static inline const char *kq_xml_text_end(const char *p, const char *end, bool *amp) {
#ifdef __SSE2__
    const __m128i less = _mm_set1_epi8('<'), and = _mm_set1_epi8('&');
    for (; p < end; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned stop = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, less));
        unsigned amps = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, and));
        if (!(stop | amps)) continue;
        if (stop) {
            if (amps & (stop - 1) & ~stop) *amp = true; /* the bits below the lowest one of stop */
            p += __builtin_ctz(stop);
            return p < end ? p : end;
        }
        *amp = true;
    }
    return end;
#else
    for (; p < end && *p != '<'; p++)
        if (*p == '&') *amp = true;
    return p;
#endif
}

typedef enum kq_xml_is { KQ_XML_NO, KQ_XML_YES, KQ_XML_UNSURE } kq_xml_is;

/* Does an event start at p, where names->event was found? UNSURE: the bytes end too early; not when `ended`. */
kq_xml_is kq_xml_is_start(const kq_xml_names *names, const char *p, const char *end, bool ended);

/* The first start in [p, stop), looking as far as `end`. NULL when there is none; then, unless `ended`, *resume is the
 * place to look from again when there are more bytes. */
const char *kq_xml_next_start(const kq_xml_names *names, const char *p, const char *stop, const char *end, bool ended,
                              const char **resume);
/* The last start in [p, stop), or NULL. */
const char *kq_xml_last_start(const kq_xml_names *names, const char *p, const char *stop, const char *end);

/* The first byte in [p, end) that may not stand between events, or NULL: white space, comments, declarations and the
 * tags of the outer element may, and the lines that evtx_dump and evtxexport write around them. */
const char *kq_xml_gap(const kq_xml_names *names, const char *p, const char *end);

/* Writes the text with its references resolved to `to`, which has room for text.n bytes, and gives the length. What is
 * no reference stays as it is; then *odd is set. */
size_t kq_xml_unescape(kq_sv text, char *to, bool *odd);

#endif
