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

static void free_block(kq_arena *arena, kq_arena_block *block) {
    kq_budget_release(arena->budget, block->size);
    kq_free(block);
}

void kq_arena_deinit(kq_arena *arena) {
    if (!arena) return;
    for (kq_arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        free_block(arena, b);
    }
    arena->head = NULL;
    arena->cursor = arena->end = NULL;
}

void kq_arena_reset(kq_arena *arena) {
    kq_arena_block *keep = NULL;
    for (kq_arena_block *b = arena->head, *next; b; b = next) {
        next = b->next;
        /* Keep one ordinary block: an outsized one would pin its memory for ever. */
        if (!keep && b->size == arena->block_size)
            keep = b;
        else
            free_block(arena, b);
    }
    arena->head = keep;
    arena->failed = false;
    if (keep) {
        keep->next = NULL;
        arena->cursor = keep->data;
        arena->end = keep->data + keep->size;
    } else {
        arena->cursor = arena->end = NULL;
    }
}

static bool grow(kq_arena *arena, size_t n) {
    if (arena->failed) return false;
    size_t size = n > arena->block_size ? n : arena->block_size;
    if (size > SIZE_MAX - sizeof(kq_arena_block) || !kq_budget_charge(arena->budget, size)) goto failed;
    kq_arena_block *block = kq_malloc(sizeof *block + size);
    if (!block) {
        kq_budget_release(arena->budget, size);
        goto failed;
    }
    block->size = size;
    block->next = arena->head;
    arena->head = block;
    arena->cursor = block->data;
    arena->end = block->data + size;
    return true;
failed:
    arena->failed = true;
    return false;
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
