/* Old records past a chunk's free space: read with --slack when they are whole, and told apart. */
#include "evtx_case.h"
#include "source/evtx/evtx.h"

#define RECORDS 6

static uint8_t *chunk;

static int setup(void **state) {
    (void)state;
    case_log(RECORDS, RECORDS + 1, 2);
    chunk = (uint8_t *)writer.file.p + 4096;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    case_end();
    return 0;
}

/* Offset of record `i`. */
static uint32_t record(unsigned i) {
    uint32_t off = 512;
    while (i-- > 0) off += kq_bx_u32(chunk + off + 4);
    return off;
}

/* The free space starts at `off`. */
static void free_from(uint32_t off) {
    set_u32(chunk + 48, off);
    evtx_writer_seal(chunk);
}

static void read_all(bool slack) {
    case_anew();
    result.slack = slack;
    evtx_read_bytes(kq_buf_view(&writer.file), ".evtx",
                    evtx_request(&words, "System.EventRecordID EventData.Image $recovered"), &result);
    assert_int_equal(result.opened, KQ_OK);
    assert_int_equal(result.status, KQ_OK);
}

static void counts(uint64_t live, uint64_t recovered, uint64_t copies, uint64_t incomplete) {
    assert_int_equal(result.report->nlogs, 1);
    const kq_report_counts *c = &result.report->logs[0].counts;
    assert_int_equal(c->live, live);
    assert_int_equal(c->recovered, recovered);
    assert_int_equal(c->copies, copies);
    assert_int_equal(c->incomplete, incomplete);
    assert_int_equal(result.nrows, live + recovered);
    assert_int_equal(result.report->records, live + recovered);
    assert_int_equal(result.report->total, 0);
}

static void skipped(uint32_t off, const char *reason) {
    assert_int_equal(result.report->nstale, 1);
    assert_int_equal(result.report->stale[0].offset, 4096 + off);
    assert_string_equal(result.report->stale[0].reason, reason);
}

static void live_only(void **state) {
    (void)state;
    free_from(record(2));
    read_all(false);
    counts(2, 0, 0, 0);
    assert_string_equal(result.rows.p, "0:1|C:\\Windows\\cmd.exe|false\n0:2|C:\\Windows\\cmd.exe|false\n");
}

static void marked(void **state) {
    (void)state;
    free_from(record(4));
    read_all(true);
    counts(4, 2, 0, 0);
    const char *fourth = strstr(result.rows.p, "0:4|");
    assert_non_null(fourth);
    assert_string_equal(fourth, "0:4|C:\\Windows\\cmd.exe|false\n0:5|C:\\Windows\\cmd.exe|true\n"
                                "0:6|C:\\Windows\\cmd.exe|true\n");
    assert_int_equal(result.report->nstale, 0);
}

/* A header that says nothing of where records end: then none of them is old. */
static void untrusted_header(void **state) {
    (void)state;
    free_from(record(4));
    chunk[130] ^= 1;
    read_all(true);
    assert_int_equal(result.nrows, RECORDS);
    assert_non_null(strstr(result.rows.p, "0:5|C:\\Windows\\cmd.exe|true\n")); /* their checksum confirms the place */
    chunk[600] ^= 1;
    read_all(true);
    assert_int_equal(result.nrows, RECORDS);
    assert_null(strstr(result.rows.p, "true"));
}

static void copies(void **state) {
    (void)state;
    uint32_t end = record(RECORDS), at = record(3), size = kq_bx_u32(chunk + at + 4);
    memcpy(chunk + end, chunk + at, size); /* of a live record */
    memcpy(chunk + end + size, chunk + at, size);
    chunk[end + size + 24 + 40] ^= 1;                         /* another value: the same record id, another event */
    memcpy(chunk + end + 2 * size, chunk + end + size, size); /* and a copy of that one */
    read_all(true);
    counts(RECORDS, 1, 2, 0);
}

/* The definitions stand in the first record. */
static void template_gone(void **state) {
    (void)state;
    uint32_t definition = kq_bx_u32(chunk + 512 + 24 + 4 + 6);
    free_from(512);
    chunk[definition + 4] ^= 1;
    read_all(true);
    counts(0, 0, 0, RECORDS);
    skipped(512, "6 old records are not whole: its template was overwritten");
}

static void name_gone(void **state) {
    (void)state;
    static const uint8_t image[] = {'I', 0, 'm', 0, 'a', 0, 'g', 0, 'e', 0};
    static const uint8_t computer[] = {'C', 0, 'o', 0, 'm', 0, 'p', 0, 'u', 0, 't', 0, 'e', 0, 'r', 0};
    if (!chunk) {
        fail_msg("no chunk");
        return;
    }
    uint8_t *literal = memmem(chunk, 65536, image, sizeof image);
    uint8_t *name = memmem(chunk, 65536, computer, sizeof computer);
    assert_non_null(literal);
    assert_non_null(name);
    free_from(512);
    literal[0] = 'x'; /* a text of the template, which nothing confirms */
    read_all(true);
    counts(0, RECORDS, 0, 0);
    name[0] = 'x';
    read_all(true);
    counts(0, 0, 0, RECORDS);
    skipped(512, "6 old records are not whole: a name in it was overwritten");
    free_from(record(RECORDS)); /* of live records nothing is known to be overwritten */
    read_all(true);
    counts(RECORDS, 0, 0, 0);
}

/* What one record holds is gone, but not its head: the template of its event data. */
static void nested_gone(void **state) {
    (void)state;
    free_from(record(1));
    uint32_t at = record(3), size = kq_bx_u32(chunk + at + 4), fragments = 0;
    for (uint32_t off = at + 28; off + 8 < at + size; off++)
        if (memcmp(chunk + off, "\x0F\x01\x01\x00\x0C", 5) == 0) {
            chunk[off + 4 + 2] ^= 1; /* the id of its template */
            fragments++;
        }
    assert_int_equal(fragments, 1);
    read_all(true);
    counts(1, RECORDS - 2, 0, 1);
    skipped(at, "an old record is not whole: its template was overwritten");
}

/* The head is left of a record whose end was overwritten, or the other way round: these are no records. */
static void halves(void **state) {
    (void)state;
    free_from(record(1));
    chunk[record(3) - 4] ^= 1; /* the closing size of the third */
    chunk[record(4)] = 0;      /* the signature of the fifth */
    read_all(true);
    counts(1, RECORDS - 3, 0, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {T(live_only),     T(marked),    T(untrusted_header), T(copies),
                                       T(template_gone), T(name_gone), T(nested_gone),      T(halves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
