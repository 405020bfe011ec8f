/*
 * A bump arena: many small allocations with one life.
 *
 * Owners are the query (tokens, tree, plan, compiled patterns) and the worker (scratch, reset per chunk or morsel).
 * Failure is sticky: after one refused allocation every later one gives NULL too and kq_arena_status says why, so a
 * parser may check once at its end where a NULL can't hurt in between. One thread at a time.
 */
#ifndef KQ_BASE_ARENA_H
#define KQ_BASE_ARENA_H

#include "base/alloc.h"
#include "base/sv.h"

typedef struct kq_arena_block kq_arena_block;

typedef struct kq_arena {
    kq_arena_block *head; /* the block in use; older ones behind it */
    char *cursor, *end;
    kq_budget *budget; /* may be NULL */
    size_t block_size;
    size_t held;           /* bytes of all blocks in use */
    kq_arena_block *spare; /* ordinary blocks given back, to be used again */
    unsigned nspare;
    bool failed;
} kq_arena;

/* A state of the arena to go back to. */
typedef struct kq_arena_mark {
    kq_arena_block *head;
    char *cursor;
} kq_arena_mark;

/* block_size: bytes of an ordinary block, 0 for the default (64 KiB). */
void kq_arena_init(kq_arena *arena, kq_budget *budget, size_t block_size);
void kq_arena_deinit(kq_arena *arena);

/* Forgets everything but keeps some ordinary blocks, so that a warm arena does not call malloc. Clears a sticky
 * failure.
 */
void kq_arena_reset(kq_arena *arena);

/* What is allocated after kq_arena_here is forgotten by kq_arena_back: for loops whose rounds need nothing of each
 * other. Marks nest; one is void once the arena went back beyond it. */
static inline kq_arena_mark kq_arena_here(const kq_arena *arena) {
    return (kq_arena_mark){arena->head, arena->cursor};
}
void kq_arena_back(kq_arena *arena, kq_arena_mark mark);

/* `n` bytes aligned to 16, not zeroed; NULL when refused. */
void *kq_arena_alloc(kq_arena *arena, size_t n);
/* The same, zeroed; count*size is checked for overflow. */
void *kq_arena_calloc(kq_arena *arena, size_t count, size_t size);
/* Unaligned bytes for text: no padding between allocations. */
char *kq_arena_bytes(kq_arena *arena, size_t n);
/* A copy of `text`, NUL-terminated; its p is NULL when refused. */
kq_sv kq_arena_copy(kq_arena *arena, kq_sv text);
kq_sv kq_arena_printf(kq_arena *arena, const char *fmt, ...) KQ_PRINTF(2, 3);

/* Gives back the unused tail of the newest kq_arena_bytes allocation: `p` of `n` bytes keeps its first `used`. */
void kq_arena_trim(kq_arena *arena, char *p, size_t n, size_t used);

/* KQ_OK, or why an allocation failed (NOMEM or LIMIT), with `err` filled. */
kq_status kq_arena_status(const kq_arena *arena, kq_error *err);

#define kq_arena_new(arena, T)      ((T *)kq_arena_calloc((arena), 1, sizeof(T)))
#define kq_arena_array(arena, T, n) ((T *)kq_arena_calloc((arena), (n), sizeof(T)))

#endif
