/*
 * Running rules: once at a time given, or replayed on the rule's own schedule over the span of the logs; alerts, or the
 * rows themselves; and the tests that a package carries.
 *
 * Replay: Sentinel runs a rule every queryFrequency over the queryPeriod before. Run times are the multiples of the
 * frequency from the oldest event (an event at a run's very time is seen by it) until the newest is covered; a run whose
 * period holds no event at all is left out. In a run at T now() is T, and only events of (T - queryPeriod, T] are seen. A row equal to
 * one that a run with an overlapping window reported is not reported again; rows of a run that did not trigger are not
 * reported yet.
 */
#ifndef KQ_RULES_DETECT_H
#define KQ_RULES_DETECT_H

#include "exec/runner.h"
#include "rules/rule.h"

typedef struct kq_detection {
    kq_runner *runner;
    const kq_output *out;
    bool replay, rows;
    uint64_t alerts; /* out: alerts, or rows, written */
} kq_detection;

/* Runs the rules in their order. Alerts are written as rows of Time, AlertName, Severity, Tactics, Techniques, RuleId,
 * EventCount, Events; with `rows` the only rule's own columns, of several rules Rule and Row, a bag. A rule that is
 * refused does not stop the others. Errors: RULE (the first that was refused, and where in its query; the others are
 * notes), the engine's. */
kq_status kq_detect(kq_detection *d, const kq_rules *rules, kq_error *err);

/* Runs the tests of the rules and writes a row for each: Rule, Test, Check, Result, Outcome, Why. FAILED when an
 * outcome is not the recorded one; USAGE when no rule carries a test. `runner` gives threads, budget and cancel; inputs
 * are the tests' own. */
kq_status kq_detect_test(const kq_runner *runner, const kq_rules *rules, const kq_output *out, kq_error *err);

/* The error of a rule's query, with its place told in words and the line with a caret. */
kq_status kq_rule_error(const kq_rule *rule, kq_status status, kq_error *err);

#endif
