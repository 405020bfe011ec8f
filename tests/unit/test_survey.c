#include "schema/catalog_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static kq_catalog *catalog_of(const char *path, const char *text) {
    kq_catalog *catalog;
    kq_error err;
    kq_report report;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    kq_report_init(&report);
    assert_int_equal(kq_catalog_create(NULL, &catalog, &err), KQ_OK);
    assert_int_equal(kq_catalog_add(catalog, path, NULL, &report, &err), KQ_OK);
    kq_report_deinit(&report);
    return catalog;
}

/* A survey that is stopped knows nothing, and the next one begins again. */
static void json(KQ_UNUSED void **state) {
    kq_error err;
    kq_unknown unknown;
    atomic_bool cancel = true;
    kq_watch cancelled = {.cancel = &cancel}, late = {.deadline_ns = 1};
    char path[64];
    snprintf(path, sizeof path, "/tmp/kq_survey_%ld.ndjson", (long)getpid());
    kq_catalog *c =
        catalog_of(path, "{\"Type\":\"SigninLogs\",\"TimeGenerated\":\"2024-01-01T00:00:00Z\"}\n{\"a\":1}\n");
    kq_catalog_watch(c, &cancelled);
    assert_int_equal(kq_catalog_survey(c, &err), KQ_ERR_CANCELLED);
    kq_catalog_watch(c, &late);
    assert_int_equal(kq_catalog_survey(c, &err), KQ_ERR_DEADLINE);
    assert_false(kq_catalog_unknown(c, 0, &unknown));
    assert_true(kq_survey_has(c, 0, KQ_SV("AuditLogs")));
    kq_catalog_watch(c, NULL);
    assert_false(kq_survey_has(c, 0, KQ_SV("AuditLogs")));
    assert_int_equal(kq_catalog_survey(c, &err), KQ_OK);
    assert_true(kq_catalog_unknown(c, 0, &unknown));
    assert_int_equal(unknown.known, 1);
    assert_int_equal(unknown.unknown, 1);
    kq_catalog_destroy(c);
    unlink(path);
}

static void csv(KQ_UNUSED void **state) {
    atomic_bool cancel = true;
    kq_watch cancelled = {.cancel = &cancel};
    char path[64];
    snprintf(path, sizeof path, "/tmp/kq_survey_%ld.csv", (long)getpid());
    kq_catalog *c = catalog_of(path, "TimeGenerated,UserPrincipalName,Type\n2024-01-01T00:00:00Z,a,SigninLogs\n");
    kq_catalog_watch(c, &cancelled);
    assert_true(kq_survey_says(c, 0, KQ_SV("AuditLogs")));
    cancel = false;
    assert_false(kq_survey_says(c, 0, KQ_SV("AuditLogs")));
    assert_true(kq_survey_says(c, 0, KQ_SV("SigninLogs")));
    kq_catalog_destroy(c);
    unlink(path);
}

/* The records of each source of a table are counted by a reading of its own. */
static void count(KQ_UNUSED void **state) {
    kq_error err;
    atomic_bool cancel = true;
    kq_watch cancelled = {.cancel = &cancel};
    uint64_t records[256] = {0};
    char path[64];
    snprintf(path, sizeof path, "/tmp/kq_survey_%ld.json", (long)getpid());
    kq_catalog *c =
        catalog_of(path, "{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Image\":\"a\"}\n");
    const kq_table *t = kq_catalog_find(c, KQ_SV("DeviceProcessEvents"));
    assert_true(kq_catalog_maps(c, t) <= 256);
    bool known;
    kq_catalog_watch(c, &cancelled);
    assert_int_equal(kq_catalog_count(c, t, NULL, records, &known, &err), KQ_ERR_CANCELLED);
    cancel = false;
    assert_int_equal(kq_catalog_count(c, t, NULL, records, &known, &err), KQ_OK);
    assert_true(known);
    kq_catalog_destroy(c);
    unlink(path);
}

static kq_status no_rows(KQ_UNUSED void *ctx, KQ_UNUSED kq_chunk *chunk, KQ_UNUSED bool *done,
                         KQ_UNUSED kq_error *err) {
    return KQ_OK;
}

/* A row that asks for its parent has all starts read before it is made. */
static void starts(KQ_UNUSED void **state) {
    kq_error err;
    atomic_bool cancel = true;
    kq_watch cancelled = {.cancel = &cancel};
    char path[64];
    snprintf(path, sizeof path, "/tmp/kq_survey_%ld.ndjson", (long)getpid());
    kq_catalog *c =
        catalog_of(path, "{\"EventID\":1,\"Channel\":\"Microsoft-Windows-Sysmon/Operational\","
                         "\"SourceName\":\"Microsoft-Windows-Sysmon\",\"@timestamp\":\"2026-01-01T00:00:00Z\","
                         "\"Hostname\":\"h\",\"ProcessId\":1,\"ParentProcessId\":2,\"Image\":\"a\"}\n");
    const kq_table *t = kq_catalog_find(c, KQ_SV("DeviceProcessEvents"));
    uint32_t column = 0;
    while (!kq_sv_eq(t->columns.items[column].name, KQ_SV("InitiatingProcessParentFileName"))) column++;
    kq_report report;
    kq_report_init(&report);
    kq_scan_spec spec = {.table = t, .columns = &column, .ncolumns = 1, .report = &report};
    kq_consumer to = {.push = no_rows};
    kq_catalog_watch(c, &cancelled);
    for (int run = 0; run < 2; run++) {
        kq_scan *scan;
        kq_scan_worker *worker;
        bool more = true;
        kq_status status = KQ_OK;
        assert_int_equal(kq_scan_create(c, &spec, &scan, &err), KQ_OK);
        assert_int_equal(kq_scan_worker_create(scan, &worker, &err), KQ_OK);
        for (uint64_t seq; more && !status;) status = kq_scan_next(worker, &to, &seq, &more, &err);
        assert_int_equal(status, run ? KQ_OK : KQ_ERR_CANCELLED);
        kq_scan_worker_destroy(worker);
        kq_scan_destroy(scan);
        cancel = false;
    }
    kq_report_deinit(&report);
    kq_catalog_destroy(c);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(json), cmocka_unit_test(csv), cmocka_unit_test(count),
                                       cmocka_unit_test(starts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
