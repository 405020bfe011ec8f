/* A catalog, the samples and a scan of each table that they fill, with allocation 0, 1, 2, ... failing until none is
 * left to fail: the end is for want of memory, or the same rows; nothing leaks (under ASan), and what is charged is
 * released. */
#include "schema/catalog.h"
#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct seen {
    uint64_t rows, hash;
    uint64_t damage;
} seen;

static kq_status take(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    (void)done, (void)err;
    seen *s = ctx;
    s->rows += chunk->selected;
    for (uint32_t c = 0; c < chunk->ncols; c++) {
        const kq_vector *v = &chunk->cols[c];
        for (uint32_t i = 0; i < chunk->rows; i++) {
            uint64_t cell = 7;
            if (!kq_vec_is_null(v, i)) {
                cell = 11;
                if (v->type == KQ_STRING || v->type == KQ_DYNAMIC) {
                    kq_sv text = kq_str_view(&kq_vec_str(v)[kq_vec_at(v, i)]);
                    for (size_t k = 0; k < text.n; k++) cell = cell * 31 + (unsigned char)text.p[k];
                } else if (v->type == KQ_LONG || v->type == KQ_DATETIME) {
                    cell += (uint64_t)kq_vec_long(v)[kq_vec_at(v, i)];
                }
            }
            s->hash = (s->hash ^ cell) * UINT64_C(1099511628211);
        }
    }
    return KQ_OK;
}

static kq_status scan_table(kq_catalog *catalog, const char *name, kq_report *report, kq_budget *budget, seen *s,
                            kq_error *err) {
    const kq_table *table = kq_catalog_find(catalog, kq_sv_of(name));
    if (!table) return kq_fail(err, KQ_ERR_INTERNAL, "there is no table %s", name);
    uint32_t columns[128], n = table->columns.n < 128 ? table->columns.n : 128;
    for (uint32_t i = 0; i < n; i++) columns[i] = i;
    kq_scan_spec spec = {.table = table, .columns = columns, .ncolumns = n, .report = report, .budget = budget};
    kq_scan *scan = NULL;
    kq_scan_worker *worker = NULL;
    kq_consumer to = {.push = take, .ctx = s};
    kq_status status = kq_scan_create(catalog, &spec, &scan, err);
    if (!status) status = kq_scan_worker_create(scan, &worker, err);
    for (bool more = true; !status && more;) {
        uint64_t seq;
        status = kq_scan_next(worker, &to, &seq, &more, err);
    }
    kq_scan_worker_destroy(worker);
    kq_scan_destroy(scan);
    return status;
}

static kq_status all_of(const char *path, const char *const *tables, seen *s, kq_error *err) {
    kq_budget budget;
    kq_budget_init(&budget, 0);
    static kq_report report; /* large */
    kq_report_init(&report);
    kq_catalog *catalog = NULL;
    *s = (seen){0};
    kq_status status = kq_catalog_create(&budget, &catalog, err);
    if (!status) status = kq_catalog_add(catalog, path, NULL, &report, err);
    for (size_t i = 0; !status && tables[i]; i++) status = scan_table(catalog, tables[i], &report, &budget, s, err);
    kq_catalog_destroy(catalog);
    s->damage = report.total;
    kq_report_deinit(&report);
    assert_int_equal(budget.used, 0);
    return status;
}

#define TRIES 400 /* where there are more allocations, that many of them are chosen */

static void torture(const char *path, const char *const *tables) {
    seen whole, now;
    kq_error err = {0};
    assert_int_equal(all_of(path, tables, &whole, &err), KQ_OK);
    assert_true(whole.rows > 0);
    assert_int_equal(whole.damage, 0);
    for (int sticky = 0; sticky < 2; sticky++) {
        long most = 1;
        for (kq_status status = KQ_ERR_NOMEM; status; most *= 2) { /* how many allocations there are, about */
            kq_alloc_fail_at(most, true);
            status = all_of(path, tables, &now, &err);
            kq_alloc_fail_at(-1, false);
            assert_true(most < 1 << 24);
        }
        long step = most / TRIES + 1, failed = 0;
        for (long n = 0; n < most; n += n < 100 ? 1 : step) {
            err = (kq_error){0};
            kq_alloc_fail_at(n, sticky);
            kq_status status = all_of(path, tables, &now, &err);
            kq_alloc_fail_at(-1, false);
            if (status == KQ_OK && (now.rows != whole.rows || now.hash != whole.hash) && !now.damage)
                fail_msg("%s: allocation %ld failed, and nobody said so: %llu rows of %llu", path, n,
                         (unsigned long long)now.rows, (unsigned long long)whole.rows);
            if (status != KQ_OK && status != KQ_ERR_NOMEM)
                fail_msg("%s: allocation %ld: %d %s", path, n, status, err.message);
            if (status != KQ_OK && !err.message[0]) fail_msg("%s: allocation %ld: an error without a message", path, n);
            failed += status != KQ_OK;
        }
        assert_true(failed > 10);
    }
}

static void test_evtx(void **state) {
    (void)state;
    static const char *const tables[] = {"DeviceProcessEvents", "Event", "WindowsEvent", NULL};
    torture("samples/workstation.evtx", tables);
}

static void test_ndjson(void **state) {
    (void)state;
    static const char *const tables[] = {"DeviceProcessEvents", NULL};
    torture("samples/defender-streaming.ndjson", tables);
}

static void test_csv(void **state) {
    (void)state;
    static const char *const tables[] = {"DeviceProcessEvents", NULL};
    torture("samples/portal-export.csv", tables);
}

/* The samples in an archive: its handles are parked and taken again while allocations fail. */
static void packed(bool zip) {
    static const char *const names[] = {"samples/portal-export.csv", "samples/defender-streaming.ndjson"};
    static const char *const tables[] = {"DeviceProcessEvents", NULL};
    static char bytes[1 << 20];
    char path[] = "/tmp/kequel-torture-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct archive *a = archive_write_new();
    if (zip)
        archive_write_set_format_zip(a);
    else
        archive_write_set_format_pax_restricted(a);
    if (!zip) archive_write_add_filter_gzip(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(names[i], "rb");
        assert_non_null(f);
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, names[i]);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_size(e, (int64_t)n);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, bytes, n), (la_ssize_t)n);
        archive_entry_free(e);
    }
    archive_write_free(a);
    torture(path, tables);
    unlink(path);
}

static void test_zip(void **state) {
    (void)state;
    packed(true);
}

static void test_tar_gz(void **state) {
    (void)state;
    packed(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_evtx), cmocka_unit_test(test_ndjson),
                                       cmocka_unit_test(test_csv), cmocka_unit_test(test_zip),
                                       cmocka_unit_test(test_tar_gz)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
