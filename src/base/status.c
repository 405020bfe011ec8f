#include "base/status.h"
#include <stdio.h>
#include <string.h>

/* The public enum and status.def are one list: a row that drifts does not compile. */
#define KQ_STATUS(name, value, exit, text) _Static_assert((int)KQ_STATUS_ENUM_##name == (value), "status.def");
#define KQ_STATUS_ENUM_OK                  KQ_OK
#define KQ_STATUS_ENUM_NOMEM               KQ_ERR_NOMEM
#define KQ_STATUS_ENUM_LIMIT               KQ_ERR_LIMIT
#define KQ_STATUS_ENUM_DEADLINE            KQ_ERR_DEADLINE
#define KQ_STATUS_ENUM_CANCELLED           KQ_ERR_CANCELLED
#define KQ_STATUS_ENUM_USAGE               KQ_ERR_USAGE
#define KQ_STATUS_ENUM_QUERY               KQ_ERR_QUERY
#define KQ_STATUS_ENUM_RULE                KQ_ERR_RULE
#define KQ_STATUS_ENUM_IO                  KQ_ERR_IO
#define KQ_STATUS_ENUM_DAMAGED             KQ_ERR_DAMAGED
#define KQ_STATUS_ENUM_PIPE                KQ_ERR_PIPE
#define KQ_STATUS_ENUM_FAILED              KQ_ERR_FAILED
#define KQ_STATUS_ENUM_INTERNAL            KQ_ERR_INTERNAL
#define KQ_STATUS_ENUM_OUTPUT              KQ_ERR_OUTPUT
#include "base/status.def"
#undef KQ_STATUS

static const struct {
    const char *text;
    int exit_code;
} statuses[] = {
#define KQ_STATUS(name, value, exit, text) [value] = {text, exit},
#include "base/status.def"
#undef KQ_STATUS
};

static void fill(kq_error *err, kq_status status, kq_span span, const char *fmt, va_list args) {
    if (!err) return;
    err->status = status;
    err->span_start = span.start;
    err->span_len = span.len;
    err->hint[0] = 0;
    vsnprintf(err->message, sizeof err->message, fmt, args);
}

kq_status kq_fail(kq_error *err, kq_status status, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, status, KQ_NO_SPAN, fmt, args);
    va_end(args);
    return status;
}

kq_status kq_fail_at(kq_error *err, kq_status status, kq_span span, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, status, span, fmt, args);
    va_end(args);
    return status;
}

void kq_error_hint(kq_error *err, const char *fmt, ...) {
    if (!err) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}

kq_status kq_nomem(kq_error *err) {
    return kq_fail(err, KQ_ERR_NOMEM, "out of memory");
}

const char *kq_status_text(kq_status status) {
    return (unsigned)status < sizeof statuses / sizeof *statuses ? statuses[status].text : "unknown status";
}

int kq_status_exit_code(kq_status status) {
    return (unsigned)status < sizeof statuses / sizeof *statuses ? statuses[status].exit_code : 2;
}
