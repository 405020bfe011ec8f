/*
 * Search for one needle, with term boundaries where asked. Internal to text/: match.h is the interface.
 *
 * The fast path compares bytes: two rare bytes of the needle are looked for with vector instructions, candidates are
 * verified eight bytes at a time. It is exact for case-sensitive needles of well-formed UTF-8 and for ASCII needles
 * under folding, except for the two characters outside of ASCII that fold into it. The general path slides a rolling
 * hash over folded units: exact for everything, linear, without memory.
 */
#ifndef KQ_TEXT_SEARCH_H
#define KQ_TEXT_SEARCH_H

#include "base/arena.h"
#include "text/match.h"

enum { KQ_EDGE_LEFT = 1, KQ_EDGE_RIGHT = 2 };

/* The edges of an occurrence at which `op` asks for a term boundary: those where the needle has a term character. */
unsigned kq_search_edges(kq_match_op op, bool ci, kq_sv needle);

typedef struct kq_search {
    kq_sv needle;        /* folded when ci and `fast` */
    const uint8_t *mask; /* per byte of needle: 0x20 for a letter that has two cases, else 0 */
    size_t at1, at2;     /* the two bytes that are looked for */
    unsigned edges;
    bool ci;
    bool fast;  /* the byte search applies */
    bool exact; /* ... and what it does not find is not there */
} kq_search;

/* How common a (folded) byte is in log text, roughly: rare ones make good filters. */
extern const uint8_t kq_byte_common[256];

/* Room for a needle's folded bytes and masks that match_once takes from the stack. */
#define KQ_SEARCH_SMALL 128

/* Prepares `s` for a needle that is not empty. `room`: 2 * needle.n bytes for the folded needle and the masks, or NULL:
 * the general path is used. The needle must live as long as `s`. */
void kq_search_init(kq_search *s, kq_match_op op, bool ci, kq_sv needle, uint8_t *room);

bool kq_search_test(const kq_search *s, kq_sv text);

/* The general path, for tests and for what the fast one can't do. */
bool kq_search_general(kq_sv text, kq_sv needle, bool ci, unsigned edges);

/* Does `text` start (end) with `needle` under folding? */
bool kq_starts_ci(kq_sv text, kq_sv needle);
bool kq_ends_ci(kq_sv text, kq_sv needle);

#endif
