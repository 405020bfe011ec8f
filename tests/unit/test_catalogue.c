#include "schema/catalogue.h"
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

static uint32_t find_column(const kq_table *t, const char *name) {
    for (uint32_t i = 0; i < t->columns.n; i++)
        if (kq_sv_eq(t->columns.items[i].name, kq_sv_of(name))) return i;
    return UINT32_MAX;
}

static kq_type type_of(const kq_table *t, const char *name) {
    uint32_t i = find_column(t, name);
    assert_true(i != UINT32_MAX);
    return t->columns.items[i].type;
}

/* Every section of the file is a table with a time and without a column twice, and there are as many as are known. */
static void whole(void **s) {
    (void)s;
    kq_arena arena;
    kq_error err;
    kq_model model = {0};
    uint32_t tables = 0, columns = 0;
    kq_sv name;
    kq_arena_init(&arena, NULL, 0);
    for (size_t at = 0; kq_catalogue_next(&at, &name);) {
        const kq_model_table *t;
        if (kq_catalogue_load(name, &model, &arena, &t, &err)) fail_msg("%s", err.message);
        assert_non_null(t);
        assert_true(kq_sv_eq(t->table.name, name));
        assert_true(find_column(&t->table, "TimeGenerated") != UINT32_MAX);
        assert_int_equal(type_of(&t->table, "Type"), KQ_STRING);
        if (t->twins[0] != UINT32_MAX) {
            assert_true(kq_sv_eq(t->table.columns.items[t->twins[0]].name, KQ_SV("Timestamp")));
            assert_true(kq_sv_eq(t->table.columns.items[t->twins[1]].name, KQ_SV("TimeGenerated")));
        }
        tables++;
        columns += t->table.columns.n;
    }
    assert_int_equal(tables, 898 + 12); /* Log Analytics; Defender XDR only */
    assert_true(columns > 25000);
    const kq_table *mail = &kq_model_find(&model, KQ_SV("EmailEvents"))->table;
    assert_true(mail->columns.items[find_column(mail, "AdditionalFields")].text);
    assert_false(mail->columns.items[find_column(mail, "Cc")].text);
    const kq_table *signin = &kq_model_find(&model, KQ_SV("SigninLogs"))->table;
    assert_int_equal(type_of(signin, "LocationDetails"), KQ_DYNAMIC);
    assert_int_equal(type_of(signin, "CreatedDateTime"), KQ_DATETIME);
    assert_int_equal(type_of(&kq_model_find(&model, KQ_SV("Syslog"))->table, "ProcessID"), KQ_INT);
    const kq_model_table *none;
    assert_int_equal(kq_catalogue_load(KQ_SV("SigninLog"), &model, &arena, &none, &err), KQ_OK);
    assert_null(none);
    assert_int_equal(kq_catalogue_load(KQ_SV("AACAudit]\ndatetime: TimeGenerated"), &model, &arena, &none, &err),
                     KQ_OK);
    assert_null(none);
    kq_arena_deinit(&arena);
}

static kq_sv recognise(const char *names, const char *file) {
    kq_buf buf;
    kq_buf_init(&buf, NULL, 0);
    kq_buf_str(&buf, names);
    for (size_t i = 0; i < buf.n; i++)
        if (buf.p[i] == ' ') buf.p[i] = 0;
    kq_buf_char(&buf, 0);
    kq_sv got = kq_catalogue_recognise(&buf, file);
    kq_buf_deinit(&buf);
    return got;
}

static void recognised(void **s) {
    (void)s;
    assert_true(
        kq_sv_eq(recognise("TimeGenerated Facility HostIP SeverityLevel SyslogMessage", "x.csv"), KQ_SV("Syslog")));
    assert_true(kq_sv_eq(recognise("Timestamp NetworkMessageId SenderFromAddress RecipientEmailAddress EmailDirection "
                                   "SenderIPv4",
                                   "x.csv"),
                         KQ_SV("EmailEvents")));
    /* no time, no export */
    assert_int_equal(recognise("Facility HostIP SeverityLevel SyslogMessage", "x.csv").n, 0);
    /* what every table has says nothing */
    assert_int_equal(recognise("TimeGenerated TenantId Type SourceSystem", "x.csv").n, 0);
    assert_int_equal(recognise("TimeGenerated TenantId Type SourceSystem", "SigninLogs.csv").n, 0);
    /* half of the fields are no columns: only a file that names its table is believed, from 60 % on */
    assert_int_equal(recognise("TimeGenerated Facility HostIP SyslogMessage a b", "x.csv").n, 0);
    assert_true(kq_sv_eq(recognise("TimeGenerated Facility HostIP SyslogMessage a b", "syslog.csv"), KQ_SV("Syslog")));
    assert_int_equal(recognise("TimeGenerated Facility HostIP a b c", "syslog.csv").n, 0);
}

static void *ask(void *catalog) {
    kq_sv name;
    uintptr_t sum = 0;
    for (size_t at = 0; kq_catalogue_next(&at, &name);) {
        const kq_table *t = kq_catalog_find(catalog, name);
        sum += (uintptr_t)t;
    }
    return (void *)sum;
}

/* Each table is one, whoever asks first; those of builtin/ win. */
static void shared(void **s) {
    (void)s;
    kq_catalog *catalog;
    kq_error err;
    pthread_t threads[3];
    void *sums[3];
    assert_int_equal(kq_catalog_create(NULL, &catalog, &err), KQ_OK);
    size_t ours, n = kq_catalog_names(catalog, NULL);
    const kq_table *const *tables = kq_catalog_tables(catalog, &ours);
    assert_true(ours < 100 && n >= 898);
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, ask, catalog);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], &sums[i]);
    assert_ptr_equal(sums[0], sums[1]);
    assert_ptr_equal(sums[0], sums[2]);
    assert_int_equal(kq_catalog_status(catalog, &err), KQ_OK);
    for (size_t i = 0; i < ours; i++) assert_ptr_equal(kq_catalog_find(catalog, tables[i]->name), tables[i]);
    assert_int_equal(kq_catalog_names(catalog, NULL), n);
    const kq_table *event = kq_catalog_find(catalog, KQ_SV("DeviceProcessEvents"));
    assert_true(kq_catalog_maps(catalog, event) > 0);
    assert_int_equal(kq_catalog_maps(catalog, kq_catalog_find(catalog, KQ_SV("SigninLogs"))), 0);
    assert_null(kq_catalog_find(catalog, KQ_SV("")));
    kq_catalog_destroy(catalog);
}

/* Memory that runs out is told apart from a table that is not known. */
static void refused(void **s) {
    (void)s;
    kq_catalog *catalog;
    kq_error err;
    kq_budget budget;
    kq_budget_init(&budget, 0);
    assert_int_equal(kq_catalog_create(&budget, &catalog, &err), KQ_OK);
    budget.limit = 1;
    assert_null(kq_catalog_find(catalog, KQ_SV("SigninLogs")));
    assert_int_equal(kq_catalog_status(catalog, &err), KQ_ERR_LIMIT);
    kq_catalog_destroy(catalog);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole), cmocka_unit_test(recognised), cmocka_unit_test(shared),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
