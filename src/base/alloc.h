/*
 * The one door to malloc, so that tests can make allocation N fail (torture) and so that a budget can be charged.
 *
 * kq_budget counts the bytes that a query holds and refuses what would exceed its limit; a refused allocation looks
 * like a failed one, and kq_budget_status tells the two apart. Counting is atomic: workers share one budget.
 */
#ifndef KQ_BASE_ALLOC_H
#define KQ_BASE_ALLOC_H

#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct kq_budget {
    atomic_size_t used;
    atomic_size_t peak;
    size_t limit;         /* bytes; 0 = no limit */
    atomic_bool exceeded; /* sticky: some allocation was refused because of the limit */
} kq_budget;

void kq_budget_init(kq_budget *budget, size_t limit);

/* Charges `n` bytes; false (and `exceeded`) when that passes the limit. A NULL budget takes everything. */
bool kq_budget_charge(kq_budget *budget, size_t n);
void kq_budget_release(kq_budget *budget, size_t n);

/* What a failed allocation means: KQ_ERR_LIMIT when the budget refused it, else KQ_ERR_NOMEM; fills `err`. */
kq_status kq_budget_status(const kq_budget *budget, kq_error *err);

/* malloc, calloc, realloc and free; NULL on failure. Zero bytes give a non-NULL pointer. */
void *kq_malloc(size_t n);
void *kq_calloc(size_t count, size_t size);
void *kq_realloc(void *p, size_t n);
void kq_free(void *p);
char *kq_strdup(const char *s);

/* Tests only: allocation number `n` from now fails (and all later ones too when `sticky`); n < 0 turns it off. */
void kq_alloc_fail_at(long n, bool sticky);

#endif
