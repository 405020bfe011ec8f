#include "base/buf.h"
#include <stdio.h>

void kq_buf_init(kq_buf *buf, kq_budget *budget, size_t max) {
    *buf = (kq_buf){.budget = budget, .max = max};
}

void kq_buf_deinit(kq_buf *buf) {
    if (!buf) return;
    kq_budget_release(buf->budget, buf->cap);
    kq_free(buf->p);
    buf->p = NULL;
    buf->n = buf->cap = 0;
}

char *kq_buf_reserve_slow(kq_buf *buf, size_t n) {
    if (buf->failed) return NULL;
    size_t need;
    if (__builtin_add_overflow(buf->n, n, &need) || (buf->max && need > buf->max)) {
        buf->failed = KQ_ERR_LIMIT;
        return NULL;
    }
    size_t cap = buf->cap + buf->cap / 2;
    if (cap < need) cap = need;
    if (cap < 64) cap = 64;
    if (buf->max && cap > buf->max) cap = buf->max;
    if (!kq_budget_charge(buf->budget, cap - buf->cap)) {
        buf->failed = KQ_ERR_LIMIT;
        return NULL;
    }
    char *p = kq_realloc(buf->p, cap);
    if (!p) {
        kq_budget_release(buf->budget, cap - buf->cap);
        buf->failed = KQ_ERR_NOMEM;
        return NULL;
    }
    buf->p = p;
    buf->cap = cap;
    return p + buf->n;
}

void kq_buf_append_slow(kq_buf *buf, const void *p, size_t n) {
    if (n == 0) return;
    char *to = kq_buf_reserve(buf, n);
    if (!to) return;
    memcpy(to, p, n);
    buf->n += n;
}

void kq_buf_printf(kq_buf *buf, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *to = n < 0 ? NULL : kq_buf_reserve(buf, (size_t)n + 1);
    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

kq_status kq_buf_status(const kq_buf *buf, kq_error *err) {
    if (buf->failed == KQ_OK) return KQ_OK;
    if (buf->failed == KQ_ERR_NOMEM) return kq_nomem(err);
    if (buf->max && buf->n >= buf->max / 2)
        return kq_fail(err, KQ_ERR_LIMIT, "a value is larger than its limit of %zu bytes", buf->max);
    return kq_budget_status(buf->budget, err);
}
