/*
 * Lint: is a rule sound, and can it match here?
 */
#ifndef KQ_RULES_LINT_H
#define KQ_RULES_LINT_H

#include "exec/runner.h"
#include "rules/rule.h"
#include "sink/sink.h"

/* Writes a finding a row: Rule, Level (error, warning, information), Line and Column of the rule's query, Message. With
 * inputs in the runner's catalog it also tells what can't match there. Of more than one rule a note counts all that.
 * *errors counts the rules that can't run. Errors: those of reading and writing. */
kq_status kq_lint(kq_runner *runner, const kq_rules *rules, const kq_output *out, uint64_t *errors, kq_error *err);

#endif
