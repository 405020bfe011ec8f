/* EVTX files that are damaged, hostile or real: what can be read is read, the rest is reported with its place. */
#include "evtx_case.h"
#include "source/evtx/evtx.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK 65536

static uint8_t *file; /* writer.file's bytes */

/* 30 records in three chunks of ten. */
static int setup(void **state) {
    (void)state;
    case_log(30, 10, 2);
    file = (uint8_t *)writer.file.p;
    assert_int_equal(writer.nchunks, 3);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    case_end();
    return 0;
}

static uint8_t *chunk(unsigned i) {
    return file + 4096 + i * CHUNK;
}

static uint32_t u32(const uint8_t *p) {
    return kq_bx_u32(p);
}

/* Offset in the chunk of record `i` of it. */
static uint32_t record(const uint8_t *c, unsigned i) {
    uint32_t off = 512;
    while (i-- > 0) off += u32(c + off + 4);
    return off;
}

static void read_n(size_t n, const char *wanted) {
    case_anew();
    evtx_read_bytes((kq_sv){writer.file.p, n}, ".evtx", evtx_request(&words, wanted), &result);
    if (result.opened == KQ_OK) assert_int_equal(result.status, KQ_OK);
}

/* Reads the file and compares how many rows and which damage it gave. */
static void expect(uint64_t rows, const char *damage) {
    read_n(writer.file.n, "System.EventRecordID EventData.Image");
    assert_string_equal(evtx_damage(&result), damage);
    assert_int_equal(result.nrows, rows);
    assert_int_equal(result.report->records, rows);
}

static void sound(void **state) {
    (void)state;
    expect(30, "");
}

static void no_event_log(void **state) {
    (void)state;
    read_n(0, "System.EventID");
    assert_int_equal(result.opened, KQ_ERR_DAMAGED);
    assert_string_equal(result.err.message, "the file is empty");
    read_n(100, "System.EventID");
    assert_int_equal(result.opened, KQ_ERR_DAMAGED);
    assert_string_equal(result.err.message, "the file ends inside its header");
    file[0] = 'x';
    read_n(100, "System.EventID");
    assert_int_equal(result.opened, KQ_ERR_DAMAGED);
    assert_string_equal(result.err.message, "the file is not an EVTX event log");
    memcpy(file, "version https://git-lfs.github.com/spec/v1", 42);
    read_n(130, "System.EventID");
    assert_string_equal(result.err.message, "the file is a Git LFS pointer, not an event log");
}

static void header_only(void **state) {
    (void)state;
    read_n(4096, "System.EventID");
    assert_int_equal(result.opened, KQ_OK);
    assert_int_equal(result.nrows, 0);
    assert_string_equal(evtx_damage(&result), "4096 the header counts 3 chunks, 0 are here\n");
    read_n(4096 + CHUNK, "System.EventID");
    assert_int_equal(result.nrows, 10);
    assert_string_equal(evtx_damage(&result), "69632 the header counts 3 chunks, 1 is here\n");
    file[42] = 0; /* an empty log */
    read_n(4096, "System.EventID");
    assert_string_equal(evtx_damage(&result), "");
}

static void bad_file_header(void **state) {
    (void)state;
    memset(file, 0xFF, 4096);
    expect(30, "0 the file header is wrong; its chunks were read all the same\n");
}

/* A dirty log's header counts too few chunks. */
static void stale_count(void **state) {
    (void)state;
    file[42] = 1;
    file[120] = 1;
    expect(30, "");
}

static void wrong_checksums(void **state) {
    (void)state;
    chunk(1)[52] ^= 1; /* of the records, which the header's covers */
    evtx_writer_seal(chunk(2));
    chunk(2)[124] ^= 1;
    expect(30, "69632 the chunk's header has a wrong checksum; its records were read all the same\n"
               "135168 the chunk's header has a wrong checksum; its records were read all the same\n");
    file[120] = 4; /* written without checksums */
    expect(30, "");
}

static void changed_record(void **state) {
    (void)state;
    uint8_t *c = chunk(0);
    c[record(c, 4) + u32(c + record(c, 4) + 4) - 24] ^= 0x20;
    expect(30, "4608 the chunk's records have a wrong checksum; they were read all the same\n");
}

static void no_chunk_header(void **state) {
    (void)state;
    memset(chunk(1), 0x55, 512);
    expect(30, "69632 no chunk header here; the records found were read\n");
    memset(chunk(1), 0x55, CHUNK);
    expect(20, "69632 no chunk here\n");
    memset(chunk(1), 0, CHUNK); /* laid out in advance, if the header did not count it */
    expect(20, "200704 the header counts 3 chunks, 2 are here\n");
    file[42] = 2;
    expect(20, "");
}

static void lost_template(void **state) {
    (void)state;
    uint8_t *c = chunk(1);
    memset(c + record(c, 0), 0, record(c, 1) - record(c, 0));
    evtx_writer_seal(c);
    read_n(writer.file.n, "System.EventRecordID");
    assert_int_equal(result.nrows, 20);
    assert_int_equal(result.report->total, 10);
    assert_non_null(strstr(evtx_damage(&result), " bytes are no record and were skipped\n"));
    assert_non_null(strstr(evtx_damage(&result), " a record was skipped: its template was overwritten\n"));
}

static void broken_records(void **state) {
    (void)state;
    uint8_t *c = chunk(0);
    uint32_t third = record(c, 3), fifth = record(c, 5), seventh = record(c, 7);
    set_u32(c + third + 4, 0);          /* a size of zero */
    set_u32(c + fifth, 0x11111111);     /* no record's start */
    set_u32(c + seventh + 4, 0xFFFFFF); /* longer than the chunk */
    evtx_writer_seal(c);
    char damage[400];
    snprintf(damage, sizeof damage,
             "%u %u bytes are no record and were skipped\n%u %u bytes are no record and were skipped\n"
             "%u %u bytes are no record and were skipped\n",
             4096 + third, record(chunk(1), 4) - third, 4096 + fifth, record(chunk(1), 6) - fifth, 4096 + seventh,
             record(chunk(1), 8) - seventh);
    expect(27, damage);
}

/* Only EventData can't be read: the row has the rest. */
static void broken_part(void **state) {
    (void)state;
    uint8_t *c = chunk(0);
    uint32_t off = record(c, 4), end = off + u32(c + off + 4), nested = 0;
    for (uint32_t i = off + 28; i + 18 < end; i++)
        if (c[i] == 0x0F && c[i + 1] == 1 && c[i + 4] == 0x0C) nested = i;
    assert_true(nested > 0);
    set_u32(c + nested + 10, 0xFFFFF0); /* its template lies outside of the chunk */
    evtx_writer_seal(c);
    char damage[200];
    snprintf(damage, sizeof damage, "%u a part of a record is damaged: its template was overwritten\n", 4096 + off);
    expect(30, damage);
    assert_non_null(strstr(result.rows.p, "0:5|~\n"));
}

static void torn_record(void **state) {
    (void)state;
    uint8_t *c = chunk(0);
    uint32_t off = record(c, 9), size = u32(c + off + 4);
    memset(c + off + size - 8, 0, 8);
    evtx_writer_seal(c);
    char damage[200];
    snprintf(damage, sizeof damage, "%u a part of a record is damaged: its end was overwritten\n", 4096 + off);
    expect(30, damage);
}

static void free_space(void **state) {
    (void)state;
    uint8_t *c = chunk(0);
    set_u32(c + 48, record(c, 6)); /* four records are behind the end: slack */
    evtx_writer_seal(c);
    expect(26, "");
    set_u32(c + 48, 70000);
    evtx_writer_seal(c);
    expect(30, "4144 the chunk's header is wrong; its records were read all the same\n");
}

static void truncated(void **state) {
    (void)state;
    size_t inside = 4096 + 2 * CHUNK + record(chunk(2), 5) + 20;
    read_n(inside, "System.EventRecordID EventData.Image");
    assert_int_equal(result.nrows, 25);
    char damage[200];
    snprintf(damage, sizeof damage, "%zu 20 bytes are no record and were skipped\n%zu the file ends inside a chunk\n",
             inside - 20, inside);
    assert_string_equal(evtx_damage(&result), damage);
    read_n(4096 + 2 * CHUNK + 100, "System.EventRecordID");
    assert_int_equal(result.nrows, 20);
    assert_string_equal(evtx_damage(&result), "135168 the file ends inside a chunk's header\n");
    /* wherever it is cut, the records before are read */
    uint64_t before = 0;
    for (size_t n = 4096 + 512; n < 4096 + 6000; n += 13) {
        read_n(n, "System.EventRecordID EventData.Image $EventDataXml");
        assert_true(result.nrows >= before && result.nrows <= 10);
        before = result.nrows;
    }
    assert_int_equal(before, 10);
}

static kq_status ignore(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err) {
    (void)ctx, (void)set, (void)fields, (void)done, (void)err;
    return KQ_OK;
}

/* Some byte changed somewhere: nothing but rows or damage comes of it. The sanitizers watch. */
static void flipped(void **state) {
    (void)state;
    kq_reader *reader;
    kq_error err;
    kq_report *report = result.report;
    kq_input input = {.path = "x"};
    kq_source source = {.type = &kq_source_evtx, .input = &input, .report = report};
    const kq_request *request = evtx_request(
        &words, "System.Provider=P System.EventID EventData.Image EventData.param1 $EventDataXml $EventDataJson");
    assert_int_equal(kq_source_evtx.reader_create(request, NULL, &reader, &err), KQ_OK);
    uint32_t used = u32(chunk(0) + 48), seed = 1;
    uint8_t *copy = kq_malloc(used);
    for (uint32_t i = 0; i < 20000; i++) {
        memcpy(copy, chunk(0), used);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % used] ^= (uint8_t)(1u << (seed >> 29));
        }
        kq_row_sink sink = {.row = ignore, .ctx = NULL};
        assert_int_equal(kq_evtx_chunk_read((kq_evtx_reader *)reader, &source, copy, used, 4096, false, &sink, &err),
                         KQ_OK);
    }
    kq_free(copy);
    kq_source_evtx.reader_destroy(reader);
}

/* A template whose content is itself, and one that repeats a long value thousands of times. */
static void endless(void **state) {
    (void)state;
    uint8_t *c = chunk(0);
    for (int what = 0; what < 2; what++) {
        memset(c + 512, 0, CHUNK - 512);
        uint32_t off = 512, p = off + 24, definition;
        set_u32(c + off, 0x2A2A);
        memcpy(c + p, "\x0F\x01\x01\x00\x0C\x01", 6);
        definition = p + 14;
        set_u32(c + p + 6, 7);
        set_u32(c + p + 10, definition);
        set_u32(c + definition + 4, 7);
        uint32_t q = definition + 24, name = 0;
        static const char *const names[] = {"Event", "EventData", "Data"};
        for (int i = 0; i < 3; i++) { /* <Event><EventData><Data> */
            memcpy(c + q, "\x01\xFF\xFF\x00\x01\x00\x00", 7);
            name = q + 11;
            set_u32(c + q + 7, name);
            c[name + 6] = (uint8_t)strlen(names[i]);
            for (size_t k = 0; names[i][k]; k++) c[name + 8 + 2 * k] = (uint8_t)names[i][k];
            q = name + 8 + 2 * (uint32_t)strlen(names[i]) + 2;
            c[q++] = 2;
        }
        if (what == 0) { /* two instances of this very template */
            for (int i = 0; i < 2; i++) {
                c[q] = 0x0C;
                set_u32(c + q + 2, 7);
                set_u32(c + q + 6, definition);
                q += 14;
            }
        } else {
            for (int i = 0; i < 5000; i++, q += 4) memcpy(c + q, "\x0D\x00\x00\x01", 4);
        }
        memcpy(c + q, "\x04\x04\x04\x00", 4);
        q += 4;
        set_u32(c + definition + 20, q - definition - 24);
        set_u32(c + q, 1);
        memcpy(c + q + 4, "\x00\x70\x01\x00", 4);
        q += 8;
        for (uint32_t i = 0; i < 0x7000; i += 2) c[q + i] = 'x';
        q += 0x7000;
        set_u32(c + q, q + 4 - off);
        set_u32(c + off + 4, q + 4 - off);
        set_u32(c + 48, q + 4);
        evtx_writer_seal(c);
        read_n(writer.file.n, "EventData.param1 EventData.Data $EventDataXml $EventDataJson");
        assert_int_equal(result.report->total, 1);
        assert_true(result.nrows >= 20 && result.nrows <= 21);
    }
}

/* Reads the chunk with allocation n failing (sticky: and all after it); was that before everything was read? */
static bool fails_at(long n, bool sticky, bool slack) {
    static kq_budget budget;
    case_anew();
    kq_budget_init(&budget, 0);
    kq_reader *reader = NULL;
    kq_error err;
    kq_input input = {.path = "x", .slack = slack};
    kq_source source = {.type = &kq_source_evtx, .input = &input, .report = result.report};
    const kq_request *request = evtx_request(&words, "System.EventID=1 System.EventID EventData.Image EventData.Data "
                                                     "$EventDataXml $EventDataJson $recovered");
    kq_row_sink sink = {.row = ignore, .ctx = NULL};
    kq_alloc_fail_at(n, sticky);
    kq_status status = kq_source_evtx.reader_create(request, &budget, &reader, &err);
    if (status == KQ_OK)
        status = kq_evtx_chunk_read((kq_evtx_reader *)reader, &source, chunk(0), CHUNK, 4096, true, &sink, &err);
    kq_alloc_fail_at(-1, false);
    kq_source_evtx.reader_destroy(reader);
    assert_int_equal(atomic_load(&budget.used), 0);
    if (status != KQ_OK) assert_int_equal(status, KQ_ERR_NOMEM);
    return status != KQ_OK;
}

/* Every allocation fails once: the error comes back and nothing is lost or leaked. */
static void short_of_memory(void **state) {
    (void)state;
    for (int slack = 0; slack < 2; slack++) {
        if (slack) { /* seven old records, one of them not whole: the report may lose its reason, not the read */
            set_u32(chunk(0) + 48, record(chunk(0), 3));
            chunk(0)[record(chunk(0), 5) + 24 + 4 + 2] ^= 1;
            evtx_writer_seal(chunk(0));
        }
        long n = 0;
        while (fails_at(n, true, slack)) assert_true(++n < 1000);
        assert_true(n > 10);
        unsigned failed = 0;
        for (long k = 0; k < n; k++) failed += fails_at(k, false, slack);
        assert_true(failed > 10);
    }
}

/* Real files, when they lie beside the project: as many records as their list says, or more with the damage reported.
 * The list's lines: | repository | path | licence | kind | bytes | sha256 | records | ... */
static const char *const shared[] = {"../shared/telemetry", "../../shared/telemetry"};

static char *cell(char **line) {
    char *start = *line ? strstr(*line, " | ") : NULL;
    if (!start) return NULL;
    start += 3;
    *line = start - 1;
    return start;
}

static void real_files(void **state) {
    (void)state;
    const char *root = NULL;
    char path[1200], line[4000];
    for (size_t i = 0; i < sizeof shared / sizeof *shared && !root; i++) {
        snprintf(path, sizeof path, "%s/MANIFEST.md", shared[i]);
        if (access(path, R_OK) == 0) root = shared[i];
    }
    if (!root) {
        print_message("the real files are not here: skipped\n");
        skip();
    }
    FILE *list = fopen(path, "r");
    assert_non_null(list);
    unsigned files = 0;
    while (fgets(line, sizeof line, list)) {
        if (line[0] != '|' || !strstr(line, " | evtx | ")) continue;
        char *at = line, *name, *records = NULL;
        name = cell(&at);
        for (int i = 0; i < 5; i++) records = cell(&at);
        if (!name || !records) continue;
        long want = strtol(records, NULL, 10);
        char repository[200];
        int n = (int)(strstr(line, " | ") - line - 2);
        snprintf(repository, sizeof repository, "%.*s", n, line + 2);
        char *slash = strchr(repository, '/');
        assert_non_null(slash);
        *strstr(name, " | ") = 0;
        snprintf(path, sizeof path, "%s/%.*s__%s/%s", root, (int)(slash - repository), repository, slash + 1, name);
        evtx_result_deinit(&result);
        evtx_result_init(&result);
        evtx_read_file(path, evtx_request(&words, "System.EventID System.TimeCreated $EventDataXml $EventDataJson"),
                       &result);
        assert_int_equal(result.opened, KQ_OK);
        assert_int_equal(result.status, KQ_OK);
        long got = (long)result.report->records;
        if (got != want && (got < want || result.report->total == 0))
            fail_msg("%s: %ld records, not %ld\n%s", path, got, want, evtx_damage(&result));
        files++;
    }
    fclose(list);
    assert_true(files > 100);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(sound),           T(no_event_log),    T(header_only),     T(bad_file_header), T(stale_count),
        T(wrong_checksums), T(changed_record),  T(no_chunk_header), T(lost_template),   T(broken_records),
        T(broken_part),     T(torn_record),     T(free_space),      T(truncated),       T(flipped),
        T(endless),         T(short_of_memory), T(real_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
