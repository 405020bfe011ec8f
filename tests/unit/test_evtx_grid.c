/* Where chunks begin: logs joined in one file, cut logs before others, bytes lost or added between chunks; and where
 * the live records of a chunk end whose header does not say it. */
#include "evtx_case.h"
#include "source/evtx/evtx.h"
#include "source/evtx/grid.h"
#include <stdio.h>

#define CHUNK   65536
#define CHUNKS  3
#define RECORDS 10 /* of a chunk */

static kq_buf file; /* what is read */
static kq_sv log;   /* a log of CHUNKS chunks */

static int setup(void **state) {
    (void)state;
    case_log(CHUNKS * RECORDS, RECORDS, 1);
    kq_buf_init(&file, NULL, 0);
    log = kq_buf_view(&writer.file);
    assert_int_equal(log.n, 4096 + CHUNKS * CHUNK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    case_end();
    kq_buf_deinit(&file);
    return 0;
}

static void add(kq_sv bytes) {
    kq_buf_append(&file, bytes.p, bytes.n);
}

static void add_fill(char c, size_t n) {
    while (n-- > 0) kq_buf_char(&file, c);
}

static void read_file(void) {
    case_anew();
    evtx_read_bytes(kq_buf_view(&file), ".evtx", evtx_request(&words, "System.EventRecordID EventData.Image"), &result);
    assert_int_equal(result.opened, KQ_OK);
    assert_int_equal(result.status, KQ_OK);
    assert_int_equal(result.report->bytes, file.n);
}

static void expect(uint64_t rows, const char *damage) {
    read_file();
    assert_string_equal(evtx_damage(&result), damage);
    assert_int_equal(result.nrows, rows);
}

static void joined(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) add(log); /* more than one morsel */
    expect(40 * CHUNKS * RECORDS, "");
    /* a header is no chunk: what it counts is told log by log */
    kq_buf_empty(&file);
    add(kq_sv_slice(log, 0, 4096 + CHUNK));
    add(log);
    expect((1 + CHUNKS) * RECORDS, "69632 the header counts 3 chunks, 1 is here\n");
    /* and whether checksums are kept */
    kq_buf_empty(&file);
    add(log);
    add(log);
    file.p[120] = 4;
    file.p[4096 + 130] ^= 1;
    file.p[log.n + 4096 + 130] ^= 1;
    expect(2 * CHUNKS * RECORDS,
           "204800 the chunk's header has a wrong checksum; its records were read all the same\n");
}

static void only_headers(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        add(kq_sv_slice(log, 0, 4096));
        file.p[file.n - 4096 + 42] = 0;
    }
    expect(0, "");
    add(kq_sv_slice(log, 0, 30));
    expect(0, "204800 the file ends inside its header\n");
}

/* The log in front was cut, anywhere in its last chunk. */
static void cut_before(void **state) {
    (void)state;
    for (size_t cut = 4096 + 2 * CHUNK + 1; cut < 4096 + 3 * CHUNK; cut += 4099) {
        kq_buf_empty(&file);
        add(kq_sv_slice(log, 0, cut));
        add(log);
        read_file();
        assert_true(result.nrows >= (2 + CHUNKS) * RECORDS);
        if (cut > 4096 + 2 * CHUNK + 8192) assert_int_equal(result.nrows, 2 * CHUNKS * RECORDS);
    }
    kq_buf_empty(&file);
    uint8_t *c = (uint8_t *)writer.file.p + 4096 + 2 * CHUNK;
    uint32_t used = kq_bx_u32(c + 48), last = kq_bx_u32(c + 44);
    add(kq_sv_slice(log, 0, 4096 + 2 * CHUNK + last));
    add(log);
    char damage[200];
    snprintf(damage, sizeof damage, "%u another chunk or log begins inside a chunk\n", 4096 + 2 * CHUNK + last);
    expect(2 * CHUNKS * RECORDS - 1, damage);
    /* no record was cut off, so nothing is missing */
    kq_buf_empty(&file);
    add(kq_sv_slice(log, 0, 4096 + 2 * CHUNK + used + 100));
    add(log);
    expect(2 * CHUNKS * RECORDS, "");
}

static void shifted(void **state) {
    (void)state;
    add(kq_sv_slice(log, 0, 4096 + CHUNK));
    add_fill('x', 100);
    add(kq_sv_slice(log, 4096 + CHUNK, log.n));
    expect(CHUNKS * RECORDS, "69632 100 bytes are no chunk and were skipped\n");
    kq_buf_empty(&file);
    add(kq_sv_slice(log, 0, 4096 + CHUNK));
    add_fill('x', 3 * CHUNK + 100);
    add(kq_sv_slice(log, 4096 + CHUNK, log.n));
    expect(CHUNKS * RECORDS, "69632 no chunk here\n135168 no chunk here\n200704 no chunk here\n"
                             "266240 100 bytes are no chunk and were skipped\n");
    kq_buf_empty(&file); /* bytes are lost where there are no records */
    add(kq_sv_slice(log, 0, 4096 + 2 * CHUNK - 777));
    add(kq_sv_slice(log, 4096 + 2 * CHUNK, log.n));
    expect(CHUNKS * RECORDS, "");
    kq_buf_empty(
        &file); /* what stands in an event is not the start of a chunk, as long as the next one is in its place */
    add(log);
    memcpy(file.p + 4096 + CHUNK - 2000, log.p, 600);
    memcpy(file.p + 4096 + 2 * CHUNK - 2000, log.p + 4096, 600);
    expect(CHUNKS * RECORDS, "");
}

/* Zeros between logs, few and more than are looked at ahead, in their places and off them. */
static void zeros(void **state) {
    (void)state;
    static const size_t chunks[] = {1, 5, 63, 64, 65, 130};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++)
        for (int off = 0; off < 3; off++) {
            kq_buf_empty(&file);
            add(log);
            add_fill(0, chunks[i] * CHUNK + (off == 1 ? 5000 : off == 2 ? CHUNK - 200 : 0));
            add(log);
            expect(2 * CHUNKS * RECORDS, "");
        }
    add_fill(0, 70 * CHUNK); /* and at the end, which lies off its place */
    expect(2 * CHUNKS * RECORDS, "");
}

static void no_header(void **state) {
    (void)state;
    add(kq_sv_slice(log, 4096, log.n));
    expect(CHUNKS * RECORDS, "0 the file has no header; its chunks were read all the same\n");
    kq_buf_empty(&file);
    add(KQ_SV("xy"));
    add(log);
    expect(CHUNKS * RECORDS, "0 2 bytes are no chunk and were skipped\n"
                             "0 no log begins here; the one found behind was read\n");
}

/* As many beginnings as there is room for: read in a time that grows with the file, not with its square. */
static void beginnings(void **state) {
    (void)state;
    for (int i = 0; i < 8 * CHUNK / 512; i++) add(kq_sv_slice(log, 4096, 4096 + 512));
    read_file();
    assert_int_equal(result.nrows, 0);
    kq_buf_empty(&file);
    add(kq_sv_slice(log, 0, 4096));
    while (file.n < 64 * CHUNK) add(KQ_SV("ElfChnk\0ElfFile\0"));
    read_file();
    assert_int_equal(result.nrows, 0);
}

static void places(void **state) {
    (void)state;
    const uint8_t *p = (const uint8_t *)log.p;
    assert_int_equal(kq_grid_look(p, log.n), KQ_GRID_LOG);
    assert_int_equal(kq_grid_look(p + 4096, CHUNK), KQ_GRID_BEGUN);
    assert_int_equal(kq_grid_look(p + 200, 1000), KQ_GRID_EMPTY);
    assert_int_equal(kq_grid_look(p + 4096 + 512, 1000), KQ_GRID_OTHER);
    assert_int_equal(kq_grid_look(p, 3), KQ_GRID_OTHER);
    assert_int_equal(kq_grid_find(p, log.n, 0, log.n), 0);
    assert_int_equal(kq_grid_find(p, log.n, 1, log.n), 4096);
    assert_int_equal(kq_grid_find(p, log.n, 4097, 4096 + CHUNK), 4096 + CHUNK);
    assert_int_equal(kq_grid_find(p, 4096 + KQ_GRID_LOOK - 1, 1, 4096 + 100), 4096 + 100); /* not seen whole */
    assert_int_equal(kq_grid_find(p, 10, 0, 10), 10);
    uint8_t *c = (uint8_t *)writer.file.p + 4096;
    c[130] ^= 1; /* the checksum is wrong, but a record follows */
    assert_int_equal(kq_grid_find(p, log.n, 1, 5000), 4096);
    c[512] = 0;
    assert_int_equal(kq_grid_find(p, log.n, 1, 5000), 5000);
}

/* ---- the end of live records */

static uint8_t *first;

/* Offset of the first chunk's record `i`. */
static uint32_t record(unsigned i) {
    uint32_t off = 512;
    while (i-- > 0) off += kq_bx_u32(first + off + 4);
    return off;
}

static void set_id(unsigned i, uint8_t id) {
    first[record(i) + 8] = id;
}

static void live(uint64_t rows, uint64_t recovered, const char *damage) {
    for (int slack = 0; slack < 2; slack++) {
        evtx_result_deinit(&result);
        evtx_result_init(&result);
        result.slack = slack;
        evtx_read_bytes(kq_buf_view(&file), ".evtx", evtx_request(&words, "System.EventRecordID $recovered"), &result);
        assert_int_equal(result.status, KQ_OK);
        assert_string_equal(evtx_damage(&result), damage);
        assert_int_equal(result.report->logs[0].counts.live, rows);
        assert_int_equal(result.report->logs[0].counts.recovered, slack ? recovered : 0);
    }
}

#define WRONG "4096 the chunk's header has a wrong checksum; its records were read all the same\n"

/* A chunk of ten records, of which the last four are old: ids 1 to 6, then 1 to 4 again. */
static int setup_old(void **state) {
    setup(state);
    add(kq_sv_slice(log, 0, 4096 + CHUNK));
    file.p[42] = 1;
    first = (uint8_t *)file.p + 4096;
    for (unsigned i = 6; i < RECORDS; i++) set_id(i, (uint8_t)(i - 5));
    memset(first + 48, 0, 4); /* and the header does not say so */
    return 0;
}

static void old_records(void **state) {
    (void)state;
    live(6, 4, WRONG);
    memset(first, 'x', 8);
    live(6, 4, "4096 no chunk header here; the records found were read\n");
    memset(first, 'x', 512);
    live(6, 4, "4096 no chunk header here; the records found were read\n");
    set_id(6, 40); /* higher ones, too */
    live(6, 4, "4096 no chunk header here; the records found were read\n");
}

/* The first old record was overwritten in part: what is left of it is no damage. */
static void old_part(void **state) {
    (void)state;
    memset(first + record(6), 'x', 100);
    live(6, 3, WRONG);
}

static void damaged_ids(void **state) {
    (void)state;
    set_id(3, 99);
    live(6, 4, WRONG);
    set_id(3, 2);
    live(6, 4, WRONG);
    set_id(3, 4);
    set_id(0, 77); /* the header has the first one */
    live(6, 4, WRONG);
}

/* Live records that are lost leave out their ids. */
static void lost_records(void **state) {
    (void)state;
    uint32_t from = record(2), to = record(4);
    char damage[300];
    memset(first + from, 'x', to - from);
    snprintf(damage, sizeof damage, WRONG "%u %u bytes are no record and were skipped\n", 4096 + from, to - from);
    live(4, 4, damage);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define O(name) cmocka_unit_test_setup_teardown(name, setup_old, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {T(joined),      T(only_headers), T(cut_before),  T(shifted),
                                       T(no_header),   T(zeros),        T(beginnings),  T(places),
                                       O(old_records), O(old_part),     O(damaged_ids), O(lost_records)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
