/*
 * Exported event XML as bytes: where events start, what may stand between them, and references. Text that is scanned
 * has KQ_SCAN_SLACK readable bytes behind its end.
 *
 * An event starts where "<Event ...>" is followed by "<System", outside comments, CDATA and instructions (sections
 * here): their text is none of the file's structure, whatever it looks like. No element of an event's own data that
 * happens to be called Event looks so. What lies from one start to the next is the extent of an event. Tags end before
 * a '<' at the latest, so that sections are seen without looking at these.
 *
 * A section that is not closed within kq_xml_section_bytes is damage: what is so far behind its beginning is outside
 * again, so that the rest of the file is read, and nothing before it is taken for an event. No text of a Windows event
 * is that long: a record of a log has at most 64 KiB.
 */
#ifndef KQ_SOURCE_XML_SCAN_H
#define KQ_SOURCE_XML_SCAN_H

#include "base/buf.h"
#include "source/scan_bytes.h"

extern size_t kq_xml_section_bytes; /* 256 KiB; tests make it small */
#define KQ_XML_LOOK 1024u           /* bytes from "<Event" on in which "<System" must stand */

/* How a file spells what an event starts with: a program that wrote it anew may have put a prefix before the names. */
typedef struct kq_xml_names {
    char event_text[64], system_text[64], root_text[64];
    kq_sv prefix; /* "ns0:" or "" */
    kq_sv event;  /* "<ns0:Event" */
    kq_sv system; /* "<ns0:System" */
    kq_sv root;   /* the name of the element around all events, or "" */
    char usual_text[256];
    kq_sv usual; /* the first event up to "<System>", as most in a file begin, or "" */
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

/* Does an event start at p? UNSURE: the bytes end too early; not when `ended`. */
kq_xml_is kq_xml_is_start(const kq_xml_names *names, const char *p, const char *end, bool ended);

/* The kinds of sections. */
typedef enum kq_xml_section { KQ_XML_OUTSIDE, KQ_XML_COMMENT, KQ_XML_CDATA, KQ_XML_INSTRUCTION } kq_xml_section;
extern const struct kq_xml_marks { kq_sv open, close; } kq_xml_marks[];

/* The kind of the section that begins at p, or OUTSIDE. *unsure when the bytes end too early. */
kq_xml_section kq_xml_section_at(const char *p, const char *end, bool *unsure);
/* Where the section that begins at p is closed, in [p, end), or NULL. */
const char *kq_xml_section_end(kq_xml_section kind, const char *p, const char *end);
/* Is in this section, which ends at `to`, the start of an event and behind it the beginning of another such section? It
 * may be a value that tells of events; or the section was cut off, and what follows it up to the next one's end is
 * lost. */
bool kq_xml_swallows(const kq_xml_names *names, kq_xml_section kind, const char *p, const char *to);

/* What the next functions tell besides. */
typedef struct kq_xml_seen {
    const char *resume; /* nothing was found: the place to look from again when there are more bytes */
    bool sections;      /* there was a section on the way */
} kq_xml_seen;

/* The first start in [p, stop), looking as far as `end`, or NULL; p is outside. `seen` may be NULL. */
const char *kq_xml_next_start(const kq_xml_names *names, const char *p, const char *stop, const char *end, bool ended,
                              kq_xml_seen *seen);
/* The last start in [p, stop), or NULL; p is outside, and more than KQ_XML_LOOK bytes are behind `stop`, or all of the
 * file. */
const char *kq_xml_last_start(const kq_xml_names *names, const char *p, const char *stop, const char *end, bool ended,
                              kq_xml_seen *seen);

/* The state at the border between two blocks of a file. */
typedef struct kq_xml_border {
    kq_xml_section section; /* that is open there */
    size_t run;             /* bytes from where it began up to the border */
    size_t from; /* bytes behind the border where looking goes on: what is before them is looked at already */
} kq_xml_border;

/* Leads the state from the beginning of the block p[0..own) to its end. Gives the first place in the block that is
 * outside, or NULL. */
const char *kq_xml_cross(const char *p, size_t own, const char *end, kq_xml_border *border);
/* The first place at or behind p, where the border is, that is outside; NULL when there is none in [p, end) yet. */
const char *kq_xml_leave(const kq_xml_border *border, const char *p, const char *end, bool ended);

/* The first byte in [p, end) that may not stand between events, or NULL: white space, comments, declarations and the
 * tags of the outer element may, and the lines that evtx_dump and evtxexport write around them. */
const char *kq_xml_gap(const kq_xml_names *names, const char *p, const char *end);

/* Writes the text with its references resolved to `to`, which has room for text.n bytes, and gives the length. What is
 * no reference stays as it is; then *odd is set. */
size_t kq_xml_unescape(kq_sv text, char *to, bool *odd);

#endif
