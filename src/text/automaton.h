/*
 * One Aho-Corasick automaton for many needles: one pass over the text, whatever their number. Internal to text/.
 *
 * It reads the text's units, folded when asked, as UTF-8 bytes; an ill-formed byte is read as 0xFF, which UTF-8 never
 * has, and two continuation bytes, so that no needle fits half of it. With term operators the text is read with an
 * extra symbol wherever a term starts or ends, and needles carry that symbol inside and at the edges where they ask for
 * a boundary: what the automaton finds needs no check afterwards, so that no text can make it slow.
 */
#ifndef KQ_TEXT_AUTOMATON_H
#define KQ_TEXT_AUTOMATON_H

#include "base/arena.h"
#include "text/match.h"

typedef struct kq_automaton kq_automaton;

/* Needles must not be empty. Ops: CONTAINS and the HAS family. */
kq_status kq_automaton_create(kq_match_op op, bool ci, const kq_sv *needles, size_t n, kq_arena *arena,
                              const kq_automaton **out, kq_error *err);

/* Is any needle in the text? */
bool kq_automaton_test(const kq_automaton *a, kq_sv text);

/* The lowest index of a needle in the text, or UINT32_MAX. */
uint32_t kq_automaton_lowest(const kq_automaton *a, kq_sv text);

#endif
