/* The string operators written in the plainest way, to compare the fast ones with. */
#ifndef KQ_TESTS_NAIVE_MATCH_H
#define KQ_TESTS_NAIVE_MATCH_H

#include "text/match.h"

bool naive_match(kq_match_op op, bool ci, kq_sv text, kq_sv needle);

/* A small repeatable random number generator. */
uint64_t naive_random(uint64_t *state);

/* Fills `out` (room for 4 * units bytes) with random units that like to collide: few letters of both cases, separators,
 * letters that fold across lengths, ill-formed bytes. Returns the length. */
size_t naive_random_text(uint64_t *state, size_t units, char *out);

#endif
