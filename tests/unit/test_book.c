/* The book of process starts: what it finds is what a search of all starts finds, in memory and in spill files that are
 * forced by a tiny share of memory; scans of logs answer the same; a failing file or allocation is an error. */
#include "column/value.h"
#include "schema/book.h"
#include "schema/catalog_internal.h"
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TINY ((size_t)4096)

static uint64_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

typedef struct start {
    uint64_t keys[KQ_BOOK_KEYS];
    int64_t time;
    bool timed;
    uint64_t ordinal;
    char text[24];
    size_t length; /* of the text column: the text again and again */
    bool null;
    int64_t number;
    uint64_t image;
} start;

static const char *const images[] = {"C:\\a.exe", "C:\\b.exe", "b.exe", ""};

static start random_start(uint64_t *state, uint64_t ordinal) {
    start s = {.ordinal = ordinal};
    char guid[40];
    uint64_t process = next_random(state) % 4000, pid = next_random(state) % 50;
    snprintf(guid, sizeof guid, "{6a1f0c00-0000-0000-0000-%012llx}", (unsigned long long)process);
    if (next_random(state) % 8) s.keys[KQ_BOOK_GUID] = kq_book_guid(kq_sv_of(guid));
    if (next_random(state) % 8) s.keys[KQ_BOOK_PID] = kq_book_pid(KQ_SV("host"), (int64_t)(pid * pid / 50) + 1);
    if (next_random(state) % 2)
        kq_book_tell(pid % 2 ? KQ_SV("host") : KQ_SV("host.corp.example"), (int64_t)pid + 1, KQ_SV("a.exe"),
                     &s.keys[KQ_BOOK_START]);
    s.timed = next_random(state) % 16;
    s.time = (int64_t)(next_random(state) % 1000) * 10000000 - 50000000;
    snprintf(s.text, sizeof s.text, "start %llu", (unsigned long long)ordinal);
    s.length = strlen(s.text) * (next_random(state) % 500 ? 1 : 1 + next_random(state) % 2000);
    s.null = next_random(state) % 4 == 0;
    s.number = (int64_t)next_random(state) - 1000;
    s.image = kq_book_image(kq_sv_of(images[next_random(state) % 4]));
    return s;
}

enum { TEXT, NUMBER, KEYS, IMAGE = KEYS + KQ_BOOK_IMAGE, TIME = KEYS + KQ_BOOK_TIME, COLUMNS };
static const kq_type types[] = {KQ_STRING, KQ_LONG, KQ_LONG, KQ_LONG, KQ_LONG, KQ_LONG, KQ_LONG, KQ_DATETIME};

static kq_status append(kq_book_part *part, const start *s, uint32_t n, kq_error *err) {
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    kq_vector v[COLUMNS];
    kq_status status = KQ_OK;
    for (uint32_t c = 0; c < COLUMNS && !status; c++)
        status = kq_vector_init(&v[c], types[c], n, c != TEXT, &arena, err);
    for (uint32_t i = 0; i < n && !status; i++) {
        char *text = kq_arena_bytes(&arena, s[i].length);
        if (!text) {
            status = kq_nomem(err);
            break;
        }
        for (size_t k = 0; k < s[i].length; k++) text[k] = s[i].text[k % strlen(s[i].text)];
        kq_vec_str(&v[TEXT])[i] = kq_str_sv((kq_sv){text, s[i].length});
        kq_vec_long(&v[NUMBER])[i] = s[i].number;
        if (s[i].null) kq_vec_set_null(&v[NUMBER], i);
        for (uint32_t k = 0; k < KQ_BOOK_KEYS; k++) kq_vec_long(&v[KEYS + k])[i] = (int64_t)s[i].keys[k];
        kq_vec_long(&v[IMAGE])[i] = (int64_t)s[i].image;
        kq_vec_long(&v[TIME])[i] = s[i].time;
        if (!s[i].timed) kq_vec_set_null(&v[TIME], i);
    }
    kq_chunk chunk = {.rows = n, .selected = n, .ncols = COLUMNS, .cols = v, .ordinal = s->ordinal};
    if (!status) status = kq_book_append(part, &chunk, err);
    kq_arena_deinit(&arena);
    return status;
}

/* Parts take turns with a few rows each. */
static kq_status make(const start *s, uint32_t n, size_t share, kq_budget *budget, kq_book **out, kq_error *err) {
    kq_book *b;
    kq_status status = kq_book_create(types, 2, share, budget, &b, err);
    if (status) return status;
    kq_book_part *parts[3];
    for (unsigned i = 0; i < 3; i++)
        if (!(parts[i] = kq_book_part_new(b))) status = kq_nomem(err);
    for (uint32_t i = 0, take; i < n && !status; i += take) {
        take = 1 + i % 300 < n - i ? 1 + i % 300 : n - i;
        status = append(parts[i / 7 % 3], s + i, take, err);
    }
    if (!status) status = kq_book_seal(b, err);
    if (status)
        kq_book_destroy(b);
    else
        *out = b;
    return status;
}

static const start *search(const start *s, uint32_t n, kq_book_key kind, uint64_t key, int64_t time) {
    const start *latest = NULL, *first = NULL;
    if (!key) return NULL;
    for (uint32_t i = 0; i < n; i++) {
        if (!s[i].timed || s[i].keys[kind] != key) continue;
        if (s[i].time <= time && (!latest || s[i].time >= latest->time)) latest = &s[i];
        if (!first || s[i].time < first->time) first = &s[i];
    }
    return latest || kind != KQ_BOOK_GUID ? latest : first;
}

static void check_cells(kq_book_reader *r, const start *s) {
    kq_field f;
    kq_book_cell(r, TEXT, &f);
    assert_int_equal(f.kind, KQ_FIELD_STRING);
    assert_int_equal(f.u.text.n, s->length);
    for (size_t k = 0; k < f.u.text.n; k++)
        if (f.u.text.p[k] != s->text[k % strlen(s->text)]) fail_msg("%s: other text at %zu", s->text, k);
    kq_book_cell(r, NUMBER, &f);
    assert_int_equal(f.kind, s->null ? KQ_FIELD_NULL : KQ_FIELD_LONG);
    if (!s->null) assert_true(f.u.l == s->number);
}

static void check_found(kq_book_reader *r, const start *s, uint32_t n, kq_book_key kind, uint64_t key, int64_t time,
                        uint64_t image) {
    const start *expected = search(s, n, kind, key, time);
    if (kind == KQ_BOOK_PID && expected && !kq_book_same_image(expected->image, image)) expected = NULL;
    assert_int_equal(kq_book_find(r, kind, key, time, image), expected != NULL);
    if (expected) check_cells(r, expected);
}

static void check_told(kq_book_reader *r, const start *s, uint32_t n, uint64_t key, int64_t time) {
    bool near = false, ever = false;
    for (uint32_t i = 0; i < n; i++) {
        if (!s[i].timed || (s[i].keys[KQ_BOOK_START] != key && s[i].keys[KQ_BOOK_HOST] != key)) continue;
        int64_t quarters = s[i].time / 2500000 - time / 2500000;
        near |= quarters >= -8 && quarters <= 8;
        ever = true;
    }
    assert_int_equal(kq_book_told_ever(r, key), ever);
    if (time >= 0) assert_int_equal(kq_book_told(r, key, time), near);
}

static start *starts(uint32_t n) {
    start *s = calloc(n, sizeof *s);
    uint64_t state = 5;
    assert_non_null(s);
    for (uint32_t i = 0; i < n; i++) s[i] = random_start(&state, i);
    return s;
}

static void check(uint32_t n, size_t share, bool spilled) {
    start *s = starts(n);
    kq_budget budget;
    kq_budget_init(&budget, 0);
    kq_error err = {0};
    kq_book *b = NULL;
    kq_book_reader *r = NULL;
    assert_int_equal(make(s, n, share, &budget, &b, &err), KQ_OK);
    assert_int_equal(kq_book_spilled(b), spilled);
    if (spilled) assert_true(kq_book_held(b) <= share);
    assert_int_equal(kq_book_reader_create(b, &budget, &r, &err), KQ_OK);
    uint64_t state = 6;
    for (unsigned i = 0; i < 3000; i++) {
        start ask = i % 2 && n ? s[next_random(&state) % n] : random_start(&state, 0);
        int64_t time = i % 5 == 0 ? INT64_MIN : i % 5 == 1 ? INT64_MAX : ask.time;
        check_found(r, s, n, KQ_BOOK_GUID, ask.keys[KQ_BOOK_GUID], time, ask.image);
        check_found(r, s, n, KQ_BOOK_PID, ask.keys[KQ_BOOK_PID], time, ask.image);
        check_found(r, s, n, KQ_BOOK_PID, ask.keys[KQ_BOOK_PID], time, 0);
        if (ask.keys[KQ_BOOK_START]) check_told(r, s, n, ask.keys[KQ_BOOK_START], ask.time);
        if (ask.keys[KQ_BOOK_HOST]) check_told(r, s, n, ask.keys[KQ_BOOK_HOST], ask.time);
    }
    assert_false(kq_book_find(r, KQ_BOOK_GUID, 0, 0, 0));
    assert_false(kq_book_find(r, KQ_BOOK_GUID, UINT64_MAX & ~UINT64_C(3), 0, 0));
    assert_int_equal(kq_book_reader_status(r, &err), KQ_OK);
    kq_book_reader_destroy(r);
    kq_book_destroy(b);
    assert_int_equal(budget.used, 0);
    free(s);
}

static void test_memory(void **state) {
    (void)state;
    check(0, (size_t)64 << 20, false);
    check(1, (size_t)64 << 20, false);
    check(9000, (size_t)64 << 20, false);
}

static void test_spilled(void **state) {
    (void)state;
    check(0, TINY, false);
    check(300, TINY, true);
    check(9000, TINY, true);
    check(9000, 64 * TINY, true);
}

/* Of one process id that starts all the time, more than a page, and more than the index has places for. */
/* Which programs are one, as Windows compares paths. */
static void test_images(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"C:\\Windows\\explorer.exe", "c:\\WINDOWS\\Explorer.EXE", true},
        {"C:\\Windows\\explorer.exe", "C:\\Temp\\explorer.exe", false},
        {"C:\\Windows\\explorer.exe", "D:\\Windows\\explorer.exe", false},
        {"C:\\Windows\\explorer.exe", "explorer.exe", true},
        {"C:\\Windows\\explorer.exe", "cmd.exe", false},
        {"EXPLORER.exe", "explorer.EXE", true},
        {"explorer.exe", "explore.exe", false},
        {"C:\\Windows\\explorer.exe", "", true},
        {"", "", true},
        {"C:\\Users\\JÜRGEN\\ä.exe", "C:\\users\\jürgen\\Ä.EXE", true},
        {"C:\\a\\b.exe", "\\device\\harddiskvolume3\\a\\b.exe", true},
        {"C:\\a\\b.exe", "\\device\\harddiskvolume3\\c\\b.exe", false},
        {"C:\\a\\b.exe", "\\??\\C:\\a\\b.exe", true},
        {"C:\\a\\b.exe", "\\\\?\\C:\\a\\b.exe", true},
        {"C:\\a\\b.exe", "\\\\?\\D:\\a\\b.exe", false},
        {"C:\\a\\b.exe", "C:/a/b.exe", true},
        {"\\\\srv\\share\\b.exe", "\\Device\\Mup\\srv\\share\\b.exe", true},
        {"\\\\srv\\share\\b.exe", "\\Device\\Mup\\srv\\other\\b.exe", false},
        {"\\SystemRoot\\System32\\smss.exe", "C:\\Windows\\System32\\smss.exe", true},
        {"\\SystemRoot\\System32\\smss.exe", "C:\\Windows\\System32\\csrss.exe", false},
        {"/usr/bin/bash", "/usr/bin/dash", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t a = kq_book_image(kq_sv_of(cases[i].a)), b = kq_book_image(kq_sv_of(cases[i].b));
        if (kq_book_same_image(a, b) != cases[i].same || kq_book_same_image(b, a) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

/* Was a start told by `teller` that `asker` asks for? */
static bool is_told(const char *teller, const char *asker) {
    uint64_t told[2], asked[2];
    kq_book_tell(kq_sv_of(teller), 7, KQ_SV("a.exe"), told);
    kq_book_ask(kq_sv_of(asker), 7, KQ_SV("A.exe"), asked);
    for (int i = 0; i < 4; i++)
        if (told[i / 2] && told[i / 2] == asked[i % 2]) return true;
    return false;
}

static void test_hosts(void **state) {
    (void)state;
    assert_true(is_told("WS01", "ws01"));
    assert_true(is_told("ws01.corp.local", "WS01.CORP.local"));
    assert_true(is_told("ws01.corp.local", "WS01"));
    assert_true(is_told("ws01", "ws01.corp.local"));
    assert_false(is_told("ws01.corp.local", "ws01.other.local"));
    assert_false(is_told("ws01.corp.local", "ws01.corp"));
    assert_false(is_told("ws01.corp.local", "ws02"));
    assert_false(is_told("ws02", "ws01.corp.local"));
    assert_false(is_told("", ""));
}

static void test_busy(void **state) {
    (void)state;
    uint32_t n = 6000;
    start *s = starts(n);
    for (uint32_t i = 0; i < n; i++) {
        s[i].keys[KQ_BOOK_PID] = kq_book_pid(KQ_SV("host"), 4);
        s[i].keys[KQ_BOOK_GUID] = 0;
    }
    kq_error err;
    kq_book *b = NULL;
    kq_book_reader *r = NULL;
    assert_int_equal(make(s, n, TINY, NULL, &b, &err), KQ_OK);
    assert_int_equal(kq_book_reader_create(b, NULL, &r, &err), KQ_OK);
    for (int64_t t = -60000000; t < INT64_C(10010000000); t += 49999999)
        check_found(r, s, n, KQ_BOOK_PID, s->keys[KQ_BOOK_PID], t, 0);
    kq_book_reader_destroy(r);
    kq_book_destroy(b);
    free(s);
}

static void test_allocations(void **state) {
    (void)state;
    uint32_t n = 1500;
    start *s = starts(n);
    long failed = 0;
    for (int sticky = 0; sticky < 2; sticky++) {
        kq_status status = KQ_ERR_NOMEM;
        for (long at = 0; at < 4000; at++) {
            kq_budget budget;
            kq_budget_init(&budget, 0);
            kq_error err = {0};
            kq_book *b = NULL;
            kq_book_reader *r = NULL;
            kq_alloc_fail_at(at, sticky);
            status = make(s, n, TINY, &budget, &b, &err);
            if (!status) status = kq_book_reader_create(b, &budget, &r, &err);
            for (uint32_t i = 0; i < n && !status; i++) {
                kq_field f;
                bool found = kq_book_find(r, KQ_BOOK_PID, s[i].keys[KQ_BOOK_PID], s[i].time, s[i].image);
                if (found) kq_book_cell(r, TEXT, &f);
                status = kq_book_reader_status(r, &err);
            }
            bool spent = sticky || status;
            kq_alloc_fail_at(-1, false);
            if (status) {
                assert_int_equal(status, KQ_ERR_NOMEM);
                assert_true(err.message[0] != 0);
                failed++;
            }
            kq_book_reader_destroy(r);
            kq_book_destroy(b);
            assert_int_equal(budget.used, 0);
            if (!status && spent) break; /* none was left to fail */
        }
        assert_true(status == KQ_OK || !sticky);
    }
    assert_true(failed > 20);
    free(s);
}

static void test_files(void **state) {
    (void)state;
    uint32_t n = 3000;
    start *s = starts(n);
    kq_error err = {0};
    kq_book *b = NULL;
    setenv("TMPDIR", "/nonexistent/folder", 1);
    assert_int_equal(make(s, n, TINY, NULL, &b, &err), KQ_ERR_LIMIT);
    assert_non_null(strstr(err.message, "/nonexistent/folder can't be made: No such file"));
    unsetenv("TMPDIR");
    /* as a disk that is full */
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (size_t most = 0; most < 400000; most += 30000) {
        small = (struct rlimit){most, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        kq_status status = make(s, n, TINY, NULL, &b, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        if (!status) kq_book_destroy(b);
        if (most < 100000) assert_int_equal(status, KQ_ERR_LIMIT);
        if (status) assert_non_null(strstr(err.message, "can't be written: "));
    }
    signal(SIGXFSZ, handler);
    free(s);
}

/* Scans: all columns of some tables, as a sum that does not depend on the order of rows. */
typedef struct sum {
    uint64_t rows, hash;
} sum;

static kq_status add(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    (void)done, (void)err;
    sum *s = ctx;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        uint64_t hash = 0;
        for (uint32_t c = 0; c < chunk->ncols; c++) {
            kq_value v = kq_vector_get(&chunk->cols[c], row);
            hash = hash * 1099511628211u + kq_value_hash(&v);
        }
        s->rows++;
        s->hash += hash * hash + hash;
    }
    return KQ_OK;
}

typedef struct work {
    kq_scan *scan;
    sum sum;
    kq_status status;
    kq_error err;
} work;

static void *run(void *ctx) {
    work *w = ctx;
    kq_scan_worker *worker = NULL;
    kq_consumer to = {.push = add, .ctx = &w->sum};
    w->status = kq_scan_worker_create(w->scan, &worker, &w->err);
    for (bool more = true; !w->status && more;) {
        uint64_t seq;
        w->status = kq_scan_next(worker, &to, &seq, &more, &w->err);
    }
    kq_scan_worker_destroy(worker);
    return NULL;
}

static kq_status scan(kq_catalog *c, const char *name, uint32_t from, unsigned threads, kq_budget *budget, sum *out,
                      kq_error *err) {
    static kq_report report; /* large */
    const kq_table *table = kq_catalog_find(c, kq_sv_of(name));
    uint32_t columns[128], n = 0;
    assert_non_null(table);
    for (uint32_t i = from; i < table->columns.n && n < 128; i++) columns[n++] = i;
    kq_report_init(&report);
    kq_scan_spec spec = {
        .table = table, .columns = columns, .ncolumns = n, .report = &report, .budget = budget, .local_null = true};
    kq_scan *s = NULL;
    kq_status status = kq_scan_create(c, &spec, &s, err);
    work w[2] = {{.scan = s}, {.scan = s}};
    pthread_t other;
    if (!status) {
        if (threads == 2) assert_int_equal(pthread_create(&other, NULL, run, &w[1]), 0);
        run(&w[0]);
        if (threads == 2) pthread_join(other, NULL);
        for (unsigned i = 0; i < threads && !status; i++) {
            status = w[i].status;
            if (status) *err = w[i].err;
            out->rows += w[i].sum.rows;
            out->hash += w[i].sum.hash;
        }
    }
    kq_scan_destroy(s);
    kq_report_deinit(&report);
    return status;
}

static const char *const tables[] = {"DeviceProcessEvents",  "DeviceNetworkEvents", "DeviceFileEvents",
                                     "DeviceRegistryEvents", "DeviceEvents",        "DeviceImageLoadEvents"};
#define TABLES (sizeof tables / sizeof *tables)

/* The tables first with some of their columns, so that books take the place of others. */
static kq_status all_tables(const char *path, size_t share, unsigned threads, sum *sums, bool *spilled, kq_error *err) {
    static kq_report report;
    kq_budget budget;
    kq_budget_init(&budget, 0);
    kq_catalog *c = NULL;
    kq_report_init(&report);
    kq_status status = kq_catalog_create(&budget, &c, err);
    if (!status) {
        c->book_share = share;
        status = kq_catalog_add(c, path, NULL, &report, err);
    }
    for (size_t i = 0; i < 2 * TABLES && !status; i++) {
        sums[i] = (sum){0};
        status = scan(c, tables[i / 2], i % 2 ? 0 : 40, threads, &budget, &sums[i], err);
    }
    uint32_t *own, n;
    const kq_book *b = c ? kq_catalog_book(c, NULL, 0, false, &own, &n) : NULL;
    *spilled = b && kq_book_spilled(b);
    kq_catalog_destroy(c);
    kq_report_deinit(&report);
    assert_int_equal(budget.used, 0);
    return status;
}

static void compare(const char *path, bool starts_there) {
    sum memory[2 * TABLES], files[2 * TABLES];
    bool spilled;
    kq_error err = {0};
    if (all_tables(path, 0, 1, memory, &spilled, &err)) fail_msg("%s: %s", path, err.message);
    if (starts_there) assert_false(spilled);
    for (unsigned threads = 1; threads <= 2; threads++) {
        assert_int_equal(all_tables(path, 8, threads, files, &spilled, &err), KQ_OK);
        if (starts_there) assert_true(spilled && memory[1].rows > 0);
        assert_memory_equal(memory, files, sizeof memory);
    }
}

static void test_scans(void **state) {
    (void)state;
    compare("samples/workstation.evtx", true);
    compare("samples", true);
}

static void test_scan_without_files(void **state) {
    (void)state;
    sum sums[2 * TABLES];
    bool spilled;
    kq_error err = {0};
    setenv("TMPDIR", "/nonexistent/folder", 1);
    assert_int_equal(all_tables("samples/workstation.evtx", 8, 1, sums, &spilled, &err), KQ_ERR_LIMIT);
    assert_non_null(strstr(err.message, "a temporary file in /nonexistent/folder can't be made"));
    unsetenv("TMPDIR");
}

static void test_scan_allocations(void **state) {
    (void)state;
    sum whole[2 * TABLES], now[2 * TABLES];
    bool spilled;
    kq_error err = {0};
    assert_int_equal(all_tables("samples/workstation.evtx", 8, 1, whole, &spilled, &err), KQ_OK);
    unsigned failed = 0;
    for (long at = 1; at < 20000; at += 1 + at / 40) {
        kq_alloc_fail_at(at, at % 2);
        kq_status status = all_tables("samples/workstation.evtx", 8, 1, now, &spilled, &err);
        kq_alloc_fail_at(-1, false);
        if (status) {
            assert_int_equal(status, KQ_ERR_NOMEM);
            failed++;
        } else {
            assert_memory_equal(whole, now, sizeof whole);
        }
    }
    assert_true(failed > 10);
}

/* Logs given as arguments are compared, and nothing else. */
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) compare(argv[i], false);
    if (argc > 1) return 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_spilled),
                                       cmocka_unit_test(test_busy),
                                       cmocka_unit_test(test_images),
                                       cmocka_unit_test(test_hosts),
                                       cmocka_unit_test(test_allocations),
                                       cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_scans),
                                       cmocka_unit_test(test_scan_without_files),
                                       cmocka_unit_test(test_scan_allocations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
