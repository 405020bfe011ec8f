/*
 * A set of strings, exact or under simple folding: `in`, `in~` and equality with many values. Internal to text/, built
 * once in an arena, then read-only.
 */
#ifndef KQ_TEXT_STRSET_H
#define KQ_TEXT_STRSET_H

#include "base/arena.h"

typedef struct kq_strset kq_strset;

/* The strings are not copied: they must live as long as the set. */
kq_status kq_strset_create(bool ci, const kq_sv *items, size_t n, kq_arena *arena, const kq_strset **out,
                           kq_error *err);

/* The lowest index of an item that equals `text`, or -1. */
int64_t kq_strset_find(const kq_strset *set, kq_sv text);

#endif
