#include "base/arena.h"
#include <stdio.h>
#include <string.h>

struct kq_arena_block {
    kq_arena_block *next;
    size_t size; /* of data */
    _Alignas(16) char data[];
};

#define DEFAULT_BLOCK (64u * 1024)

void kq_arena_init(kq_arena *arena, kq_budget *budget, size_t block_size) {
    *arena = (kq_arena){.budget = budget, .block_size = block_size ? block_size : DEFAULT_BLOCK};
}

/* Spare blocks that an arena keeps: as many bytes as a pipeline's chunk needs. */
#define SPARE_BYTES (1024u * 1024)

static void free_block(kq_arena *arena, kq_arena_block *block) {
    kq_budget_release(arena->budget, block->size);
    kq_free(block);
}

static void free_spare(kq_arena *arena) {
    for (kq_arena_block *b = arena->spare, *next; b; b = next) {
        next = b->next;
        free_block(arena, b);
    }
    arena->spare = NULL;
    arena->nspare = 0;
}

void kq_arena_deinit(kq_arena *arena) {
    if (!arena) return;
    kq_arena_back(arena, (kq_arena_mark){NULL, NULL});
    free_spare(arena);
}

void kq_arena_back(kq_arena *arena, kq_arena_mark mark) {
    while (arena->head != mark.head) {
        kq_arena_block *b = arena->head;
        arena->head = b->next;
        arena->held -= b->size;
        /* An outsized block would pin its memory for ever. */
        if (b->size == arena->block_size && (!arena->nspare || (arena->nspare + 1) * b->size <= SPARE_BYTES)) {
            b->next = arena->spare;
            arena->spare = b;
            arena->nspare++;
        } else {
            free_block(arena, b);
        }
    }
    arena->cursor = mark.cursor;
    arena->end = mark.head ? mark.head->data + mark.head->size : NULL;
}

void kq_arena_reset(kq_arena *arena) {
    kq_arena_back(arena, (kq_arena_mark){NULL, NULL});
    arena->failed = false;
}

/* A new block from the spare ones or from malloc. */
static kq_arena_block *new_block(kq_arena *arena, size_t size) {
    kq_arena_block *block = arena->spare;
    if (block && block->size == size) {
        arena->spare = block->next;
        arena->nspare--;
        return block;
    }
    if (size > SIZE_MAX - sizeof *block) return NULL;
    if (!kq_budget_charge(arena->budget, size)) return NULL;
    block = kq_malloc(sizeof *block + size);
    if (!block) {
        kq_budget_release(arena->budget, size);
        return NULL;
    }
    block->size = size;
    return block;
}

static bool grow(kq_arena *arena, size_t n) {
    if (arena->failed) return false;
    kq_arena_block *block = new_block(arena, n > arena->block_size ? n : arena->block_size);
    if (!block) {
        arena->failed = true;
        return false;
    }
    block->next = arena->head;
    arena->head = block;
    arena->held += block->size;
    arena->cursor = block->data;
    arena->end = block->data + block->size;
    return true;
}

void *kq_arena_alloc(kq_arena *arena, size_t n) {
    if (arena->failed || n > SIZE_MAX / 2) {
        arena->failed = true;
        return NULL;
    }
    size_t pad = (size_t)(-(intptr_t)arena->cursor) & 15;
    if (!arena->cursor || (size_t)(arena->end - arena->cursor) < pad + n) {
        if (!grow(arena, n ? n : 1)) return NULL;
        pad = 0;
    }
    char *p = arena->cursor + pad;
    arena->cursor = p + n;
    return p;
}

void *kq_arena_calloc(kq_arena *arena, size_t count, size_t size) {
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) {
        arena->failed = true;
        return NULL;
    }
    void *p = kq_arena_alloc(arena, n);
    if (p) memset(p, 0, n);
    return p;
}

char *kq_arena_bytes(kq_arena *arena, size_t n) {
    if (arena->failed || n > SIZE_MAX / 2) {
        arena->failed = true;
        return NULL;
    }
    if (!arena->cursor || (size_t)(arena->end - arena->cursor) < n) {
        if (!grow(arena, n ? n : 1)) return NULL;
    }
    char *p = arena->cursor;
    arena->cursor += n;
    return p;
}

void kq_arena_trim(kq_arena *arena, char *p, size_t n, size_t used) {
    if (p && p + n == arena->cursor) arena->cursor = p + used;
}

kq_sv kq_arena_copy(kq_arena *arena, kq_sv text) {
    char *p = kq_arena_bytes(arena, text.n + 1);
    if (!p) return (kq_sv){NULL, 0};
    if (text.n) memcpy(p, text.p, text.n);
    p[text.n] = 0;
    return (kq_sv){p, text.n};
}

kq_sv kq_arena_printf(kq_arena *arena, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *p = n < 0 ? NULL : kq_arena_bytes(arena, (size_t)n + 1);
    if (p) vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (kq_sv){p, p ? (size_t)n : 0};
}

kq_status kq_arena_status(const kq_arena *arena, kq_error *err) {
    return arena->failed ? kq_budget_status(arena->budget, err) : KQ_OK;
}
