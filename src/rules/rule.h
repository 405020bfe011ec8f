/*
 * Rules: Sentinel's scheduled analytic rules as YAML files, and packages: a folder with rule.yaml and, beside it, our
 * tests.yaml (the events that must and must not be caught). A rule set lives in its arena.
 *
 * tests.yaml:
 *   tests:
 *     - name: ...
 *       now: 2026-01-15T00:00:00Z       what now() means in this test
 *       logs: [events.evtx.gz]          beside the file
 *       caught: true|false              what the rule, as it stands, does: a recorded miss is not hidden
 *       rows: 1                         how many rows it gives (default: 1 when caught, 0 when not)
 *       why: ...                        for a miss: the reason
 *       telemetry:                      what the logs hold, proved by a query each
 *         - name: ...
 *           query: ...
 *           rows: 1
 */
#ifndef KQ_RULES_RULE_H
#define KQ_RULES_RULE_H

#include "rules/yaml.h"

typedef enum kq_trigger { KQ_TRIGGER_GT, KQ_TRIGGER_LT, KQ_TRIGGER_EQ, KQ_TRIGGER_NE } kq_trigger;

typedef struct kq_rule {
    const char *path; /* of the YAML file */
    const char *dir;
    kq_sv id, name, description, severity, query;
    kq_sv tactics, techniques; /* joined by ", " */
    int64_t frequency, period; /* ticks */
    kq_trigger trigger;
    int64_t threshold;
    bool alert_per_result;
    const kq_yaml *tests; /* the list in tests.yaml, or NULL */
    const char *tests_path;
} kq_rule;

typedef struct kq_rules {
    kq_rule *items;
    size_t n;
    const char **refused; /* why a file was not loaded: with file and line */
    size_t nrefused;
} kq_rules;

/* Loads the rules at `path`: a YAML file, a package folder, or a folder of such. A file that is not sound or can't be
 * read does not stop the others: it is in `refused`. Errors: RULE (nothing is there), IO (of a folder), NOMEM, LIMIT.
 */
kq_status kq_rules_load(kq_rules *rules, const char *path, kq_arena *arena, kq_error *err);

/* A Sentinel duration ("1h", "14d", "PT5M", "P1D") in ticks; false when it is none. */
bool kq_duration_parse(kq_sv text, int64_t *ticks);

#endif
