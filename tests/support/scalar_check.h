/*
 * Calls scalar functions by name in unit tests. A value is written as text: 5 (long), i:5, 1.5 (real), m:1.5 (decimal),
 * true, 'text', d:2020-01-01, t:1d, g:<guid>, y:<json>, null:long. Arguments are converted as the binder does.
 */
#ifndef KQ_TEST_SCALAR_CHECK_H
#define KQ_TEST_SCALAR_CHECK_H

#include <stddef.h>

/* The result of name(args...) as a KQL literal ("long(5)"), or "error: message"; `args` is separated by " , ". The text
 * is overwritten by the next call. It runs on constants and again on vectors with nulls and a selection: the result
 * says "differs: ..." when these do not agree. */
const char *kq_test_call(const char *name, const char *args);

/* One call and its result; a `want` of "error" is any refusal. */
typedef struct kq_test_scalar {
    const char *name, *args, *want;
} kq_test_scalar;

/* What is wrong with the first of `n` calls that has another result; NULL when there is none. */
const char *kq_test_scalars(const kq_test_scalar *tests, size_t n);

#define KQ_TEST_SCALARS(...)                                                                                           \
    do {                                                                                                               \
        static const kq_test_scalar calls_[] = {__VA_ARGS__};                                                          \
        const char *wrong_ = kq_test_scalars(calls_, sizeof calls_ / sizeof calls_[0]);                                \
        if (wrong_) fail_msg("%s", wrong_);                                                                            \
    } while (0)

#endif
