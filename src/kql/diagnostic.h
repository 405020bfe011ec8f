/*
 * What a user sees of an error in a query: the message with line and column, the line, a caret under the span, the
 * hint. And "did you mean": the nearest name by edit distance.
 */
#ifndef KQ_KQL_DIAGNOSTIC_H
#define KQ_KQL_DIAGNOSTIC_H

#include "base/buf.h"

/* Appends e.g.
 *   error: unknown column 'FileNam'
 *     --> query:3:9
 *      3 | | where FileNam =~ "cmd.exe"
 *        |         ^^^^^^^
 *     hint: did you mean 'FileName'?
 * `name` is what stands before the line number. Tabs and wide characters keep the caret in place. */
void kq_diagnostic_print(const kq_error *error, kq_sv query, const char *name, kq_buf *out);

/* The nearest of `n` names to `name` (case ignored, at most about a third of it wrong), or NULL. */
const kq_sv *kq_nearest(kq_sv name, const kq_sv *names, size_t n);

#endif
