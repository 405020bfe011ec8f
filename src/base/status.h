/*
 * Status codes and errors as values.
 *
 * Every function that can fail returns a kq_status, which may not be ignored, and fills a kq_error that its caller
 * owns. A kq_error holds its text inline: filling one never allocates and can't fail. KQ_TRY passes a failure on;
 * functions that hold something to release use `goto out` instead. Any thread may use its own kq_error.
 */
#ifndef KQ_BASE_STATUS_H
#define KQ_BASE_STATUS_H

#include "kequel.h"
#include <stdarg.h>
#include <stdint.h>

#define KQ_TRY(call)                                                                                                   \
    do {                                                                                                               \
        kq_status kq_try_status_ = (call);                                                                             \
        if (kq_try_status_ != KQ_OK) return kq_try_status_;                                                            \
    } while (0)

#define KQ_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define KQ_UNUSED            __attribute__((unused))
#define KQ_LIKELY(x)         __builtin_expect(!!(x), 1)
#define KQ_UNLIKELY(x)       __builtin_expect(!!(x), 0)

/* A place in the query text: byte offset and length. A length of 0 with start UINT32_MAX means "no place". */
typedef struct kq_span {
    uint32_t start;
    uint32_t len;
} kq_span;

#define KQ_NO_SPAN ((kq_span){UINT32_MAX, 0})

/* Fills `err` (which may be NULL) with `status` and a printf-style message without a place. Returns `status`. */
kq_status kq_fail(kq_error *err, kq_status status, const char *fmt, ...) KQ_PRINTF(3, 4);

/* Like kq_fail, with the place in the query text that the message is about. */
kq_status kq_fail_at(kq_error *err, kq_status status, kq_span span, const char *fmt, ...) KQ_PRINTF(4, 5);

/* Adds a hint ("did you mean ...?") to a filled error. */
void kq_error_hint(kq_error *err, const char *fmt, ...) KQ_PRINTF(2, 3);

/* KQ_ERR_NOMEM with its standard text: for a failed allocation. */
kq_status kq_nomem(kq_error *err);

/* The short text of a status (status.def). */
const char *kq_status_text(kq_status status);

#endif
