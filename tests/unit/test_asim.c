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

/* Of the stored functions those of the schemas: their names have im or ASim in them. */
static bool is_view(const kq_function *f) {
    return !f->hidden && (memmem(f->name.p, f->name.n, "im", 2) || memmem(f->name.p, f->name.n, "Im_", 3));
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
            "SCAN DeviceRegistryEvents [text _RegistryKey]");
    planned("imRegistry | where RegistryKey has 'Run' | count", "SCAN DeviceRegistryEvents [text _RegistryKey]");
    planned("imRegistry | where RegistryKey has 'Run' | count",
            "SCAN DeviceRegistryEvents [text _RegistryPreviousKey]");
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
        bool named = memmem(f[i].text.p, f[i].text.n, "(watchlistAlias:", 16) != NULL;
        kq_buf_sv(&query, kq_sv_of(invoked ? "DeviceEvents | invoke " : ""));
        kq_buf_sv(&query, f[i].name);
        kq_buf_sv(&query, kq_sv_of(invoked ? "() | count" : named ? "('x') | count" : " | count"));
        kq_buf_char(&query, 0);
        planned(query.p, "SCAN");
        kq_buf_deinit(&doc);
        kq_buf_deinit(&query);
        shown++;
    }
    assert_true(shown > 8);
}

static kq_status shown(void *ctx, const kq_column *column, kq_sv from, kq_error *err) {
    size_t n;
    const kq_table *const *tables = kq_catalog_tables(catalog, &n);
    (void)ctx;
    (void)from;
    (void)err;
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < tables[i]->hidden; k++)
            assert_false(kq_sv_eq(column->name, tables[i]->columns.items[tables[i]->columns.n + k].name));
    return KQ_OK;
}

/* Hidden columns are seen by the stored functions alone, and they tell nobody. */
static void hidden_columns(void **state) {
    (void)state;
    const kq_table *t = kq_catalog_find(catalog, KQ_SV("DeviceProcessEvents"));
    const kq_columns all = kq_table_all(t);
    size_t n;
    assert_true(t->hidden > 5);
    planned("DeviceProcessEvents | take 1", "TimeGenerated:datetime");
    not_planned("DeviceProcessEvents | take 1", "_EventProduct");
    not_planned("union Device* | take 1", "_EventProduct");
    not_planned("search in (DeviceProcessEvents) 'x'", "_EventProduct");
    not_planned("imProcessCreate | getschema", "(_EventProduct");
    for (uint32_t i = 0; i < all.n; i++) {
        for (uint32_t k = 0; k < i; k++) assert_false(kq_sv_eq(all.items[i].name, all.items[k].name));
        kq_sv says = kq_table_says(t, i);
        assert_true(kq_sv_eq(says, all.items[i].name) == (i < t->columns.n));
    }
    /* one that a query reads is built, the others are not */
    planned("imProcessCreate | project TargetProcessGuid",
            "SCAN DeviceProcessEvents [text ActionType]  (ActionType:string, _TargetProcessGuid:string)");
    planned("imProcessCreate | where EventOriginalType == '1' and EventProduct == 'Sysmon' | count",
            "SCAN DeviceProcessEvents [text ActionType] [text _EventOriginalType] [text _EventProduct]");
    /* no view gives one away */
    const kq_function *f = kq_catalog_functions(catalog, &n);
    for (size_t i = 0; i < n; i++) {
        if (!is_view(&f[i])) continue;
        kq_runner runner = {.env = {.catalog = catalog}};
        kq_error err;
        kq_buf_init(&runner.notes, NULL, 1 << 16);
        if (kq_runner_columns(&runner, f[i].name, shown, NULL, &err)) fail_msg("%s", err.message);
        kq_buf_deinit(&runner.notes);
    }
    /* with _Recovered, which everybody sees, they are still the last */
    kq_catalog *c;
    assert_int_equal(kq_catalog_create(NULL, &c, NULL), KQ_OK);
    assert_int_equal(kq_catalog_slack(c, NULL), KQ_OK);
    const kq_table *old = kq_catalog_find(c, t->name);
    assert_int_equal(old->columns.n, t->columns.n + 1);
    assert_int_equal(old->hidden, t->hidden);
    assert_true(kq_sv_eq(old->columns.items[t->columns.n].name, kq_recovered_column));
    assert_true(kq_sv_eq(kq_table_all(old).items[old->columns.n].name, all.items[t->columns.n].name));
    kq_catalog_destroy(c);
}

/* What the text of a table may say of them. */
static void hidden_lines(void **state) {
    (void)state;
    static const struct {
        const char *text, *wrong;
    } cases[] = {
        {"[table T]\nA: string\nhidden string: _B _C\nhidden _D: string else A", NULL},
        {"[table T]\nhidden: string", NULL}, /* a column of that name */
        {"[table T]\nhidden : string", NULL},
        {"[table T]\nhidden _B: string\nA: string", "must stand before hidden columns"},
        {"[table T]\nhidden _B: string\nsame A C", "must stand before hidden columns"},
        {"[table T]\nA: long\nhidden _B: string else A", "of another type"},
        {"[table T]\nA: long\nhidden _B: long else C", "no column 'C'"},
        {"[table T]\nA: long\nhidden _B: long or A", "expected 'else Column'"},
        {"[table T]\nA: long\nhidden _B: long else", "expected 'else Column'"},
        {"[table T]\nA: long\nhidden A: long", "already a column"},
        {"[table T]\nA: long\nhidden _B", "expected 'Column: type'"},
        {"[table T]\nhidden _B: string\nhidden long: _B", "already a column"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kq_arena arena;
        kq_model model = {.builtin = true};
        kq_error err = {0};
        kq_arena_init(&arena, NULL, 0);
        kq_status status = kq_model_load(&model, kq_sv_of(cases[i].text), "text", &arena, &err);
        if (!cases[i].wrong ? status != KQ_OK : status != KQ_ERR_RULE || !strstr(err.message, cases[i].wrong))
            fail_msg("%s: %s", cases[i].text, err.message);
        if (i == 0) {
            const kq_model_table *t = model.tables;
            assert_int_equal(t->table.columns.n, 1);
            assert_int_equal(t->table.hidden, 3);
            assert_int_equal(kq_model_field(t, 0), 0);
            assert_int_equal(kq_model_field(t, 1), UINT32_MAX);
            assert_int_equal(kq_model_field(t, 3), 0);
        }
        kq_arena_deinit(&arena);
    }
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
                                       cmocka_unit_test(texts_are_cut), cmocka_unit_test(hidden_columns),
                                       cmocka_unit_test(hidden_lines)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
