/*
 * A growable byte buffer with a maximum. Owned by whoever calls kq_buf_init; failure is sticky (kq_buf_status), so
 * writers append freely and check once. One thread at a time.
 */
#ifndef KQ_BASE_BUF_H
#define KQ_BASE_BUF_H

#include "base/alloc.h"
#include "base/sv.h"

typedef struct kq_buf {
    char *p;
    size_t n, cap;
    size_t max;        /* bytes; 0 = no maximum */
    kq_budget *budget; /* may be NULL */
    kq_status failed;  /* KQ_OK, KQ_ERR_NOMEM or KQ_ERR_LIMIT */
} kq_buf;

void kq_buf_init(kq_buf *buf, kq_budget *budget, size_t max);
void kq_buf_deinit(kq_buf *buf);
static inline void kq_buf_clear(kq_buf *buf) {
    buf->n = 0;
    buf->failed = KQ_OK;
}
/* Forgets the bytes, but a failure stays: for text that is used up many times before anyone asks. */
static inline void kq_buf_empty(kq_buf *buf) {
    buf->n = 0;
}
/* Room for `n` more bytes: a pointer to write at (then add to buf->n), or NULL when refused. */
char *kq_buf_reserve_slow(kq_buf *buf, size_t n);
static inline char *kq_buf_reserve(kq_buf *buf, size_t n) {
    return KQ_LIKELY(buf->cap - buf->n >= n && buf->p) ? buf->p + buf->n : kq_buf_reserve_slow(buf, n);
}
/* kq_buf_append when there is no room. */
void kq_buf_append_slow(kq_buf *buf, const void *p, size_t n);
static inline void kq_buf_append(kq_buf *buf, const void *p, size_t n) {
    if (KQ_LIKELY(buf->cap - buf->n >= n && n > 0)) {
        memcpy(buf->p + buf->n, p, n);
        buf->n += n;
    } else {
        kq_buf_append_slow(buf, p, n);
    }
}
static inline void kq_buf_sv(kq_buf *buf, kq_sv s) {
    kq_buf_append(buf, s.p, s.n);
}
static inline void kq_buf_str(kq_buf *buf, const char *s) {
    kq_buf_append(buf, s, strlen(s));
}
static inline void kq_buf_char(kq_buf *buf, char c) {
    if (buf->n < buf->cap)
        buf->p[buf->n++] = c;
    else
        kq_buf_append(buf, &c, 1);
}
void kq_buf_printf(kq_buf *buf, const char *fmt, ...) KQ_PRINTF(2, 3);
static inline kq_sv kq_buf_view(const kq_buf *buf) {
    return (kq_sv){buf->p, buf->n};
}
kq_status kq_buf_status(const kq_buf *buf, kq_error *err);

#endif
