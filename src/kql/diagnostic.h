/*
 * What a user sees of an error in a query: the message with line and column, the line, a caret under the span, the
 * hint.
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

#endif
