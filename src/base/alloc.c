#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

void kq_budget_init(kq_budget *budget, size_t limit) {
    atomic_init(&budget->used, 0);
    atomic_init(&budget->peak, 0);
    atomic_init(&budget->exceeded, false);
    budget->limit = limit;
}

bool kq_budget_charge(kq_budget *budget, size_t n) {
    if (!budget) return true;
    size_t now = atomic_fetch_add_explicit(&budget->used, n, memory_order_relaxed) + n;
    if (budget->limit && now > budget->limit) {
        atomic_fetch_sub_explicit(&budget->used, n, memory_order_relaxed);
        atomic_store_explicit(&budget->exceeded, true, memory_order_relaxed);
        return false;
    }
    size_t peak = atomic_load_explicit(&budget->peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(&budget->peak, &peak, now, memory_order_relaxed,
                                                                memory_order_relaxed)) {
    }
    return true;
}

void kq_budget_release(kq_budget *budget, size_t n) {
    if (budget) atomic_fetch_sub_explicit(&budget->used, n, memory_order_relaxed);
}

kq_status kq_budget_status(const kq_budget *budget, kq_error *err) {
    if (budget && atomic_load_explicit(&((kq_budget *)budget)->exceeded, memory_order_relaxed))
        return kq_fail(err, KQ_ERR_LIMIT, "the query needs more memory than its budget of %zu bytes allows",
                       budget->limit);
    return kq_nomem(err);
}

/* Negative: never fail. The countdown is global because torture tests run one thread. */
static atomic_long fail_countdown = -1;
static atomic_bool fail_sticky = false;

void kq_alloc_fail_at(long n, bool sticky) {
    atomic_store(&fail_sticky, sticky);
    atomic_store(&fail_countdown, n);
}

static bool must_fail(void) {
    if (KQ_LIKELY(atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0)) return false;
    long left = atomic_fetch_sub(&fail_countdown, 1);
    if (left == 0) {
        if (atomic_load(&fail_sticky)) atomic_store(&fail_countdown, 0);
        return true;
    }
    return false;
}

void *kq_malloc(size_t n) {
    return must_fail() ? NULL : malloc(n ? n : 1);
}

void *kq_calloc(size_t count, size_t size) {
    return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *kq_realloc(void *p, size_t n) {
    return must_fail() ? NULL : realloc(p, n ? n : 1);
}

void kq_free(void *p) {
    free(p);
}

char *kq_strdup(const char *s) {
    size_t n = strlen(s) + 1;
    char *copy = kq_malloc(n);
    if (copy) memcpy(copy, s, n);
    return copy;
}
