/*
 * Text of events, plain, as XML and inside a JSON string: characters that may not stand there as they are, from UTF-8
 * and from the UTF-16 of logs. Characters that XML does not have become U+FFFD, lone surrogates too.
 */
#ifndef KQ_SOURCE_EVTX_ESCAPE_H
#define KQ_SOURCE_EVTX_ESCAPE_H

#include "base/buf.h"

#define KQ_EVTX_XMLNS "http://schemas.microsoft.com/win/2004/08/events/event"

typedef enum kq_evtx_style {
    KQ_EVTX_TEXT,      /* XML between tags */
    KQ_EVTX_ATTRIBUTE, /* XML in double quotes */
    KQ_EVTX_PLAIN,     /* nothing is escaped */
    KQ_EVTX_TEXT_JSON, /* the same inside a JSON string: these three in the order of the others */
    KQ_EVTX_ATTRIBUTE_JSON,
    KQ_EVTX_PLAIN_JSON
} kq_evtx_style;

/* What the style is inside a JSON string. */
static inline kq_evtx_style kq_evtx_in_json(kq_evtx_style style) {
    return style < KQ_EVTX_TEXT_JSON ? style + KQ_EVTX_TEXT_JSON : style;
}

/* Appends UTF-8 text, escaped; nothing when memory is short, which `out` then says. */
void kq_evtx_escape(kq_sv text, kq_evtx_style style, kq_buf *out);

/* The most bytes that `units` units of UTF-16 can become, with room for a vector's store past the end. */
#define KQ_EVTX_ESCAPE_ROOM(units) ((size_t)(units)*6 + 16)

/* Writes the units at `p`, escaped, and returns where the text ends; `to` has KQ_EVTX_ESCAPE_ROOM(units) bytes. Bytes
 * up to `limit`, which lies behind them, may be read. */
char *kq_evtx_escape_utf16(const uint8_t *p, size_t units, const uint8_t *limit, kq_evtx_style style, char *to);

/* Appends a name: one that a hostile file made up is made one that XML allows. */
void kq_evtx_xml_name(kq_sv name, kq_buf *out);

#endif
