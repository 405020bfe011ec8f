/* The ASIM views that are built in: every one binds, and what a query asks of a view is asked of the tables below it.
 */
#include "exec/runner.h"
#include "schema/catalog.h"
#include <cmocka.h>

static kq_catalog *catalog;

static char *plan(const char *query) {
    kq_runner runner = {.env = {.catalog = catalog}};
    kq_buf out;
    kq_error err;
    kq_buf_init(&out, NULL, 0);
    kq_buf_init(&runner.notes, NULL, 1 << 16);
    if (kq_runner_plan(&runner, kq_sv_of(query), &out, &err) != KQ_OK) fail_msg("%s: %s", query, err.message);
    kq_buf_char(&out, 0);
    char *text = kq_strdup(out.p);
    kq_buf_deinit(&out);
    kq_buf_deinit(&runner.notes);
    return text;
}
static void planned(const char *query, const char *part) {
    char *text = plan(query);
    if (!strstr(text, part)) fail_msg("%s: no '%s' in\n%s", query, part, text);
    kq_free(text);
}
static void not_planned(const char *query, const char *part) {
    char *text = plan(query);
    if (strstr(text, part)) fail_msg("%s: '%s' in\n%s", query, part, text);
    kq_free(text);
}

static void filters_reach_the_scans(void **state) {
    (void)state;
    planned("imProcessCreate | where TargetProcessFilename =~ 'cmd.exe' | project CommandLine",
            "SCAN DeviceProcessEvents [text ActionType] [text FileName]  "
            "(ActionType:string, FileName:string, ProcessCommandLine:string)");
    planned("imProcessCreate | where CommandLine has 'net user' | count",
            "SCAN DeviceProcessEvents [text ActionType] [text ProcessCommandLine]  (ActionType:string, "
            "ProcessCommandLine:string)");
    planned("_Im_ProcessCreate(starttime = datetime(2026-01-01), commandline_has_any = dynamic(['a', 'b'])) | count",
            "SCAN DeviceProcessEvents [range TimeGenerated >= datetime(2026-01-01T00:00:00Z)] [text ActionType] "
            "[text ProcessCommandLine]");
    planned("imProcessTerminate | count", "SCAN WindowsEvent [text Provider] [range EventID >= int(5) <= int(5)]");
    planned("imProcessTerminate | count", "SCAN SecurityEvent [range EventID >= int(4689) <= int(4689)]");
    planned("imRegistry | where RegistryKey has 'Run' | count", "SCAN DeviceRegistryEvents [text RegistryKey]");
    planned("imRegistry | where RegistryKey has 'Run' | count", "SCAN DeviceRegistryEvents [text PreviousRegistryKey]");
    planned("imNetworkSession(dstportnumber = 445) | where DstIpAddr == '10.0.0.1' | count",
            "SCAN DeviceNetworkEvents [range RemotePort >= int(445) <= int(445)] [text RemoteIP]");
    planned("imNetworkSession | where DstPortNumber == 445 | count",
            "SCAN DeviceNetworkEvents [text ActionType] [range LocalPort >= int(445) <= int(445)]");
    planned("imFileEvent | where TargetFileName endswith '.exe' and EventType == 'FileCreated' | count",
            "SCAN DeviceFileEvents [text ActionType] [text FileName]");
    planned("imAuthentication | where SrcIpAddr == '10.0.0.1' | count", "SCAN DeviceLogonEvents [text RemoteIP]");
    planned("imDns | where DnsQuery has 'x' | count", "SCAN DeviceEvents [text ActionType]");
    /* what a projected constant decides is not read at all */
    not_planned("imProcessEvent(eventtype = 'ProcessTerminated') | count", "SCAN DeviceProcessEvents");
    not_planned("imProcessCreate | where EventType == 'ProcessTerminated' | count", "SCAN DeviceProcessEvents");
    not_planned("imProcessCreate(disabled = true) | count", "SCAN");
}

/* Every stored function binds by its bare name, and says what it is. */
static void views_bind(void **state) {
    (void)state;
    size_t n, shown = 0;
    const kq_function *f = kq_catalog_functions(catalog, &n);
    for (size_t i = 0; i < n; i++) {
        if (f[i].hidden) continue;
        kq_buf doc, query;
        kq_buf_init(&doc, NULL, 0);
        kq_buf_init(&query, NULL, 0);
        kq_function_doc(&f[i], &doc);
        if (!doc.n) fail_msg("%.*s has no description", KQ_SV_ARG(f[i].name));
        kq_buf_printf(&query, "%.*s | count", KQ_SV_ARG(f[i].name));
        kq_buf_char(&query, 0);
        planned(query.p, "SCAN");
        kq_buf_deinit(&doc);
        kq_buf_deinit(&query);
        shown++;
    }
    assert_true(shown > 8);
}

static int setup(void **state) {
    (void)state;
    return kq_catalog_create(NULL, &catalog, NULL);
}
static int teardown(void **state) {
    (void)state;
    kq_catalog_destroy(catalog);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(filters_reach_the_scans), cmocka_unit_test(views_bind)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
