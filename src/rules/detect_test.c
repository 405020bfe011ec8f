#include "base/number.h"
#include "base/time.h"
#include "rules/detect.h"
#include "sink/listing.h"
#include <stdio.h>

static const kq_column columns[] = {{{"Rule", 4}, KQ_STRING, false},   {{"Test", 4}, KQ_STRING, false},
                                    {{"Check", 5}, KQ_STRING, false},  {{"Found", 5}, KQ_STRING, false},
                                    {{"Rows", 4}, KQ_LONG, false},     {{"Recorded", 8}, KQ_STRING, false},
                                    {{"Result", 6}, KQ_STRING, false}, {{"Why", 3}, KQ_STRING, false}};

typedef struct testing {
    const kq_runner *outer;
    const kq_rule *rule;
    kq_listing listing;
    uint64_t tests, failed;
} testing;

static kq_status begin(KQ_UNUSED void *ctx, KQ_UNUSED const kq_columns *c, KQ_UNUSED kq_sv v, KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

static kq_status count(void *ctx, kq_chunk *chunk, KQ_UNUSED bool *done, KQ_UNUSED kq_error *err) {
    *(int64_t *)ctx += chunk->selected;
    return KQ_OK;
}

static kq_status rows_of(kq_runner *runner, kq_sv query, int64_t *rows, kq_error *err) {
    kq_result result = {.begin = begin, .rows = {.push = count, .ctx = rows}, .ctx = rows};
    *rows = 0;
    return kq_runner_query(runner, query, &result, err);
}

static kq_status outcome(testing *t, kq_sv test, kq_sv check, kq_sv found, int64_t rows, kq_sv recorded, bool pass,
                         kq_sv why, kq_error *err) {
    t->tests++;
    t->failed += !pass;
    kq_value row[] = {kq_value_sv(t->rule->name),
                      kq_value_sv(test),
                      kq_value_sv(check),
                      kq_value_sv(found),
                      kq_value_long(rows),
                      kq_value_sv(recorded),
                      kq_value_sv(pass ? KQ_SV("as recorded") : KQ_SV("FAILED")),
                      kq_value_sv(why)};
    return kq_listing_row(&t->listing, row, err);
}

static kq_status number(const testing *t, const kq_yaml *y, const char *key, int64_t otherwise, int64_t *out,
                        kq_error *err) {
    const kq_yaml *v = kq_yaml_get(y, key);
    *out = otherwise;
    if (!v || (v->kind == KQ_YAML_SCALAR && kq_number_parse_long(v->text, out))) return KQ_OK;
    return kq_fail(err, KQ_ERR_RULE, "%s:%u: %s is not a number", t->rule->tests_path, v->line, key);
}

/* What the logs hold: each a query with the number of rows to expect. */
static kq_status telemetry(testing *t, kq_runner *runner, const kq_yaml *test, kq_error *err) {
    const kq_yaml *list = kq_yaml_get(test, "telemetry");
    for (uint32_t i = 0; list && list->kind == KQ_YAML_LIST && i < list->n; i++) {
        const kq_yaml *y = list->items[i];
        kq_sv query = kq_yaml_text(y, "query", KQ_SV("")), name = kq_yaml_text(y, "name", query);
        int64_t expected, rows;
        char recorded[32];
        if (!query.n) return kq_fail(err, KQ_ERR_RULE, "%s:%u: telemetry needs a query", t->rule->tests_path, y->line);
        KQ_TRY(number(t, y, "rows", 1, &expected, err));
        kq_status status = rows_of(runner, query, &rows, err);
        if (status) {
            kq_rule telemetry_query = *t->rule;
            telemetry_query.path = t->rule->tests_path;
            telemetry_query.query = query;
            return kq_rule_error(&telemetry_query, status, err);
        }
        int n = snprintf(recorded, sizeof recorded, "%lld", (long long)expected);
        KQ_TRY(outcome(t, kq_yaml_text(test, "name", KQ_SV("")), name, rows ? KQ_SV("present") : KQ_SV("absent"), rows,
                       (kq_sv){recorded, (size_t)n}, rows == expected, KQ_SV(""), err));
    }
    return KQ_OK;
}

static kq_status add_logs(testing *t, kq_catalog *catalog, kq_report *report, const kq_yaml *test, kq_error *err) {
    const kq_yaml *logs = kq_yaml_get(test, "logs");
    if (!logs || logs->kind != KQ_YAML_LIST || !logs->n)
        return kq_fail(err, KQ_ERR_RULE, "%s:%u: a test needs a list 'logs'", t->rule->tests_path, test->line);
    for (uint32_t i = 0; i < logs->n; i++) {
        char path[4096];
        kq_sv name = logs->items[i]->text;
        if (name.n == 0 || name.p[0] == '/' || memmem(name.p, name.n, "..", 2))
            return kq_fail(err, KQ_ERR_RULE, "%s:%u: logs stand in the package's folder", t->rule->tests_path,
                           logs->items[i]->line);
        snprintf(path, sizeof path, "%s/%.*s", t->rule->dir, (int)name.n, name.p);
        KQ_TRY(kq_catalog_add(catalog, path, NULL, report, err));
    }
    return KQ_OK;
}

static kq_status run_test(testing *t, const kq_yaml *test, kq_error *err) {
    kq_sv name = kq_yaml_text(test, "name", KQ_SV("")), now = kq_yaml_text(test, "now", KQ_SV(""));
    bool caught = kq_sv_eq(kq_yaml_text(test, "caught", KQ_SV("true")), KQ_SV("true"));
    int64_t expected, rows;
    kq_catalog *catalog = NULL;
    kq_report report;
    kq_runner runner = *t->outer;
    KQ_TRY(number(t, test, "rows", caught ? 1 : 0, &expected, err));
    kq_report_init(&report);
    runner.env.report = &report;
    kq_buf_init(&runner.notes, NULL, 1 << 16);
    kq_status status = kq_catalog_fork(runner.env.catalog, runner.env.budget, &catalog, err);
    runner.env.catalog = catalog;
    if (!status && !kq_time_parse(now, &runner.now))
        status = kq_fail(err, KQ_ERR_RULE, "%s:%u: a test needs a time 'now'", t->rule->tests_path, test->line);
    if (!status) status = add_logs(t, catalog, &report, test, err);
    if (!status) status = telemetry(t, &runner, test, err);
    if (!status) status = kq_rule_error(t->rule, rows_of(&runner, t->rule->query, &rows, err), err);
    if (!status && report.total)
        status = kq_fail(err, KQ_ERR_RULE, "%s:%u: the test's logs are damaged", t->rule->tests_path, test->line);
    if (!status)
        status = outcome(t, name, KQ_SV("detection"), rows ? KQ_SV("caught") : KQ_SV("missed"), rows,
                         caught ? KQ_SV("caught") : KQ_SV("missed"), (rows > 0) == caught && rows == expected,
                         kq_yaml_text(test, "why", KQ_SV("")), err);
    kq_catalog_destroy(catalog);
    kq_buf_deinit(&runner.notes);
    kq_report_deinit(&report);
    return status;
}

kq_status kq_detect_test(const kq_runner *runner, const kq_rules *rules, const kq_output *out, kq_error *err) {
    testing t = {.outer = runner};
    kq_status status = kq_listing_init(&t.listing, out, columns, sizeof columns / sizeof *columns, err);
    for (size_t i = 0; i < rules->n && !status; i++) {
        t.rule = &rules->items[i];
        for (uint32_t k = 0; t.rule->tests && k < t.rule->tests->n && !status; k++)
            status = run_test(&t, t.rule->tests->items[k], err);
    }
    if (!status) status = kq_listing_finish(&t.listing, err);
    kq_listing_deinit(&t.listing);
    if (status) return status;
    if (!t.tests) return kq_fail(err, KQ_ERR_USAGE, "no tests: a rule's tests stand in tests.yaml beside it");
    if (t.failed)
        return kq_fail(err, KQ_ERR_FAILED, "%llu of %llu checks are not as recorded", (unsigned long long)t.failed,
                       (unsigned long long)t.tests);
    return KQ_OK;
}
