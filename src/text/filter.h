/*
 * A filter before the automaton: may any of many needles be in a text? Few needles are looked for by three rare bytes
 * of each, 32 places at a time, as Hyperscan's Teddy does. More needles, and machines without AVX2, jump over the text
 * by pairs of bytes, as Wu and Manber's search does. Internal to text/.
 */
#ifndef KQ_TEXT_FILTER_H
#define KQ_TEXT_FILTER_H

#include "base/arena.h"

typedef struct kq_filter kq_filter;

/* *out is NULL when the needles (none of them empty) are too short or too many for it to be of use. Errors: NOMEM,
 * LIMIT. */
kq_status kq_filter_create(bool ci, const kq_sv *needles, size_t n, kq_arena *arena, const kq_filter **out,
                           kq_error *err);

/* False: certainly none is in the text. */
bool kq_filter_maybe(const kq_filter *f, kq_sv text);

#endif
