/* The ASIM views that are built in: every one binds, and what a query asks of a view is asked of the tables below it.
 */
#include "exec/runner.h"
#include "schema/catalog_internal.h"
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
    planned("imProcessTerminate | count", "SCAN ASimProcessEventLogs [text EventType]");
    planned("ASimRegistryEventLogs | where RegistryKey has 'Run' | count",
            "SCAN DeviceRegistryEvents [text RegistryKey]");
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
        bool invoked = memmem(f[i].text.p, f[i].text.n, "(T:(*)", 6) != NULL; /* its first argument is a table */
        kq_buf_printf(&query, invoked ? "DeviceEvents | invoke %.*s() | count" : "%.*s | count", KQ_SV_ARG(f[i].name));
        kq_buf_char(&query, 0);
        planned(query.p, "SCAN");
        kq_buf_deinit(&doc);
        kq_buf_deinit(&query);
        shown++;
    }
    assert_true(shown > 8);
}

/* How a text is cut into functions, and what is shown of one. */
static void texts_are_cut(void **state) {
    (void)state;
    static const char text[] =
        "// A file.\n\n"
        "// One thing,\n// told in two lines.\n"
        "let First = (a:long,\n    b:dynamic = dynamic([1, 2]))\n{\n    print a // not a description\n};\n"
        "let _kequel_second = () { print 2 };\n"
        "// Third.\nlet Third=(){ print 3 };";
    kq_catalog *c;
    kq_buf out;
    size_t n, before;
    kq_buf_init(&out, NULL, 0);
    assert_int_equal(kq_catalog_create(NULL, &c, NULL), KQ_OK);
    kq_catalog_function_names(c, &before);
    assert_int_equal(kq_functions_load(c, kq_sv_of(text), "mine.kql", NULL), KQ_OK);
    const kq_function *f = kq_catalog_function(c, KQ_SV("First"));
    assert_non_null(f);
    assert_int_equal(f->line, 5);
    assert_true(kq_sv_ends(f->text, KQ_SV("};\n")));
    kq_function_signature(f, &out);
    assert_true(kq_sv_eq(kq_buf_view(&out), KQ_SV("First(a:long, b:dynamic = dynamic([1, 2]))")));
    kq_buf_clear(&out);
    kq_function_doc(f, &out);
    assert_true(kq_sv_eq(kq_buf_view(&out), KQ_SV("One thing, told in two lines.")));
    f = kq_catalog_function(c, KQ_SV("_kequel_second"));
    assert_true(f && f->hidden && f->line == 10 && !f->doc.n);
    f = kq_catalog_function(c, KQ_SV("Third"));
    assert_true(f && !f->hidden && f->line == 12);
    kq_buf_clear(&out);
    kq_function_signature(f, &out);
    assert_true(kq_sv_eq(kq_buf_view(&out), KQ_SV("Third()")));
    assert_null(kq_catalog_function(c, KQ_SV("third")));
    const kq_sv *names = kq_catalog_function_names(c, &n);
    assert_int_equal(n, before + 2);
    assert_true(kq_sv_eq(names[n - 1], KQ_SV("Third")));
    kq_buf_deinit(&out);
    kq_catalog_destroy(c);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(filters_reach_the_scans), cmocka_unit_test(views_bind),
                                       cmocka_unit_test(texts_are_cut)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
