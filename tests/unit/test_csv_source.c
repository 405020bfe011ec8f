/* The CSV source: RFC 4180, what tools make of it, and every size of block. */
#include "rows.h"
#include "source/csv_scan.h"
#include "source/scan_bytes.h"
#include "source/stream.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

extern uint64_t kq_csv_block_bytes;
static kq_buf out;

static void expect(const char *text, size_t n, const char *wants, const char *expected) {
    static const uint64_t blocks[] = {KQ_BLOCK_BYTES, 1, 2, 3, 5, 7, 16, 33, 64, 65};
    for (size_t i = 0; i < 2 * sizeof blocks / sizeof *blocks; i++) {
        kq_csv_block_bytes = blocks[i / 2];
        kq_csv_scan_plain = i & 1;
        kq_buf_clear(&out);
        rows_of(&kq_source_csv, (kq_sv){text, n}, wants, &out);
        kq_buf_char(&out, 0);
        if (strcmp(out.p, expected) != 0) print_error("block of %llu bytes\n", (unsigned long long)blocks[i / 2]);
        assert_string_equal(out.p, expected);
    }
    kq_csv_block_bytes = KQ_BLOCK_BYTES;
    kq_csv_scan_plain = false;
}
#define EXPECT(text, wants, expected) expect("" text, sizeof text - 1, wants, expected)

static void test_plain(void **state) {
    (void)state;
    EXPECT("a,b,c\n1,x,\n2,,z\n", "c a", "0|''|'1'\n0|'z'|'2'\n");
    EXPECT("\xEF\xBB\xBF"
           "a,b\r\n1,2\r\n\r\n3,4",
           "b a x", "0|'2'|'1'|-\n0|'4'|'3'|-\n");
    EXPECT("a;b;c\n1,5;2;3\n", "a b", "0|'1,5'|'2'\n");
    EXPECT("a\tb\n\"x\ty\"\t2\n", "a b", "0|'x\ty'|'2'\n");
    EXPECT("a,b\n", "a", "");
    EXPECT("a\n1\n2\n", "a", "0|'1'\n0|'2'\n");
    EXPECT("a,b\n1,2\n3,4\n", "", "0\n0\n");
    EXPECT("a,b,a\n1,2,3\n", "a b a", "0|'1'|'2'|'1'\n");
}

static void test_quotes(void **state) {
    (void)state;
    EXPECT("\"a\",\"b\"\n\"x,\"\"y\"\"\nz\",\"\"\n\"\"\"\",2\r\n\"\r\n\",\"3\"\r\n", "a b",
           "0|'x,\"y\"\nz'|''\n0|'\"'|'2'\n0|'\r\n'|'3'\n");
    /* quotes that are text */
    EXPECT("a,b\n5\" disk,2\nx,\"y\" z\"\n\"a\"b\",c\nlast,1\n", "a b",
           "0|'5\" disk'|'2'\n0|'x'|'y\" z'\n0|'a\"b'|'c'\n0|'last'|'1'\n");
    EXPECT("a,b\n\"x\"\r,2\n3,4\n", "a b", "0|'3'|'4'\n! 4 a quoted field does not end: the line is skipped\n");
}

static void test_widths(void **state) {
    (void)state;
    EXPECT("a,b,c\n1\n1,2,3,4\n1,2,3\n", "a b c",
           "0|'1'|-|-\n0|'1'|'2'|'3'\n! 6 the row has 1 fields, the header 3\n"
           "! 8 the row has 4 fields, the header 3: skipped\n");
    /* nothing stands behind the last column: no value is another column's */
    EXPECT("a,b\n1,2,,\"\"\n3,,,x\n", "a b",
           "0|'1'|'2'\n! 4 the row has 4 fields, the header 2\n! 12 the row has 4 fields, the header 2: skipped\n");
}

/* JSON in cells whose quotes are not doubled, as the portal writes it. */
static void test_salvage(void **state) {
    (void)state;
    EXPECT("a,b,c\n1,\"{\"\"x\"\":\"y\",\"z\":1}\",3\n4,\"[\"p\",7,\"q\",{\"r\":[8,9]}]\",\"5\"\n", "a b c",
           "0|'1'|'{\"x\":\"y\",\"z\":1}'|'3'\n0|'4'|'[\"p\",7,\"q\",{\"r\":[8,9]}]'|'5'\n");
    EXPECT("a,b\n1,\"{\"x\":\"y\",\"z\":[1,2]}\"\n\"[\"x\",7]\",2\r\n\"{\"x\":\"y\",\"\"}\",3\n", "b a",
           "0|'{\"x\":\"y\",\"z\":[1,2]}'|'1'\n0|'2'|'[\"x\",7]'\n0|'3'|'{\"x\":\"y\",\"}'\n");
    /* brackets that are never closed, or a count that still does not fit: no row, and told */
    EXPECT("a,b\n1,\"{\"x\":\"y\",\"z\"\n1,\"{\"x\":\"y\",\"z\"}\",3\n", "a b",
           "! 4 the row has 3 fields, the header 2: skipped\n! 20 the row has 4 fields, the header 2: skipped\n");
}

static void test_damage(void **state) {
    (void)state;
    EXPECT("a,b\n1,\"x\n3,4\n5,6\n", "a b",
           "0|'3'|'4'\n0|'5'|'6'\n! 4 a quoted field does not end: the line is skipped\n");
    EXPECT("a,b\n\xff\xc3\xa9,2\n\xc3\xa9,4\n", "a b",
           "0|'\xEF\xBF\xBD\xc3\xa9'|'2'\n0|'\xc3\xa9'|'4'\n! 4 invalid UTF-8, replaced by U+FFFD\n");
    EXPECT("a,b\nx\0y,2\n", "b", "0|'2'\n");
}

static void test_headers(void **state) {
    (void)state;
    EXPECT("Timestamp [UTC],TimeGenerated [Local Time],x\n1,2,3\n", "Timestamp TimeGenerated x", "0|'1'|L'2'|'3'\n");
    EXPECT("t [Local Time],t [UTC]\n1,2\n", "t", "0|'2'\n");
    EXPECT("a,b\n1,2\n\n3,4\n", "$index $offset $raw a", "0|0|4|'1,2'|'1'\n0|1|9|'3,4'|'3'\n");
}

/* A line before the header: of Export-Csv, of Excel. Only the first of the file is one. */
static void test_preamble(void **state) {
    (void)state;
    EXPECT("#TYPE System.X\r\n\"a\",\"b\"\r\n\"1\",\"2\"\r\n3\r\n", "a b $offset",
           "0|'1'|'2'|25\n0|'3'|-|34\n! 34 the row has 1 fields, the header 2\n");
    EXPECT("\xEF\xBB\xBF\"#TYPE System.X\"\na,b\n1,2\n", "a b", "0|'1'|'2'\n");
    EXPECT("sep=;\na,x;b\n1;2,3\n", "b", "0|'2,3'\n");
    EXPECT("\"sep=,\"\r\na,b;c;d\r\n1,2\r\n", "a", "0|'1'\n");
    EXPECT("SEP=\t\na\tb\n1\t2\n", "b", "0|'2'\n");
    EXPECT("a,b\n#TYPE X,2\nsep=,\n", "a b", "0|'#TYPE X'|'2'\n0|'sep='|''\n");
}

static bool is_cmd(const void *ctx, const kq_field *f) {
    (void)ctx;
    return f->kind == KQ_FIELD_STRING && kq_sv_eq_ascii_ci(f->u.text, KQ_SV("cmd.exe"));
}

static void test_sets(void **state) {
    (void)state;
    kq_sv ids[] = {KQ_SV("1"), KQ_SV("4688")};
    kq_selector by_id = {KQ_SV("id"), ids, 2, false}, by_none = {KQ_SV("none"), ids, 2, false};
    kq_want wants[] = {{.name = KQ_SV("line")}, {.name = KQ_SV("file"), .accept = is_cmd}};
    kq_want absent[] = {{.name = KQ_SV("nofile"), .accept = is_cmd}};
    kq_want_set sets[] = {{&by_id, 1, wants, 2}, {&by_none, 1, wants, 2}, {NULL, 0, absent, 1}, {NULL, 0, wants, 1}};
    kq_request request = {.sets = sets, .nsets = 4};
    kq_buf_clear(&out);
    rows_read(&kq_source_csv, KQ_SV("id,file,line\n1,CMD.exe,l\n2,cmd.exe,m\n4688,x,n\n"), &request, &out);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, "0|'l'|'CMD.exe'\n3|'l'\n3|'m'\n3|'n'\n");
}

/* `n` bytes of `cell` again and again. */
static void fill(kq_buf *text, const char *cell, size_t n) {
    size_t one = strlen(cell);
    for (size_t i = 0; i < n; i += one) kq_buf_append(text, cell, one);
}

/* A record that is longer than is read is told once and skipped to its own end, whatever stands in it. */
static void test_too_long(void **state) {
    (void)state;
    static const struct {
        const char *before, *cell, *after, *expected;
    } cases[] = {
        {"1,2\n", "x", "\n3,4\n", "0|0|4|'1'\n0|2|5242889|'3'\n! 8 a record is longer than 4 MiB: skipped\n"},
        {"1,2\n\"", "x", "\",7\n3,4\n", "0|0|4|'1'\n0|2|5242893|'3'\n! 8 a record is longer than 4 MiB: skipped\n"},
        {"1,2\n5,\"\"\"", "a\"\",,\n", "\"\r\n3,4\n",
         "0|0|4|'1'\n0|2|5242900|'3'\n! 8 a record is longer than 4 MiB: skipped\n"},
        {"1,2\n", "\"\",", "\n3,4\n", "0|0|4|'1'\n0|2|5242890|'3'\n! 8 a record is longer than 4 MiB: skipped\n"},
        {"5,\"", "\"x\n", "\r\n\"\r\n3,4\n", "0|1|5242893|'3'\n! 4 a record is longer than 4 MiB: skipped\n"},
        {"1,2\n", "x", "", "0|0|4|'1'\n! 8 a record is longer than 4 MiB: skipped\n"},
        {"1,2\n\"", "x", "\n", "0|0|4|'1'\n! 8 a quoted field does not end: all from here on is skipped\n"},
    };
    for (size_t i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
        static const uint64_t blocks[] = {KQ_BLOCK_BYTES, 1000, 300001};
        kq_buf text;
        kq_csv_block_bytes = blocks[i % 3];
        kq_buf_init(&text, NULL, 0);
        kq_buf_str(&text, "a,b\n");
        kq_buf_str(&text, cases[i / 3].before);
        fill(&text, cases[i / 3].cell, 5 << 20);
        kq_buf_str(&text, cases[i / 3].after);
        kq_buf_clear(&out);
        rows_of(&kq_source_csv, kq_buf_view(&text), "$index $offset a", &out);
        kq_buf_char(&out, 0);
        assert_string_equal(out.p, cases[i / 3].expected);
        kq_buf_deinit(&text);
    }
    kq_csv_block_bytes = KQ_BLOCK_BYTES;
}

/* A quote that nothing closes before as much as a record may have: what follows are rows, and not one field. */
static void test_stray(void **state) {
    (void)state;
    for (int tail = 0; tail < 2; tail++) {
        kq_buf text;
        size_t rows = 0;
        kq_buf_init(&text, NULL, 0);
        kq_buf_str(&text, "a,b\n1,\"2\n");
        fill(&text, "3,4\n", 5 << 20);
        if (tail) kq_buf_str(&text, "5,\"6\n\"\n7,\"8\n");
        kq_buf_clear(&out);
        rows_of(&kq_source_csv, kq_buf_view(&text), "a", &out);
        kq_buf_char(&out, 0);
        /* line by line: ASan looks at all that is left for each strstr */
        for (const char *p = out.p, *end; (end = memchr(p, '\n', (size_t)(out.p + out.n - p))); p = end + 1)
            rows += kq_sv_eq((kq_sv){p, (size_t)(end - p)}, KQ_SV("0|'3'"));
        assert_int_equal(rows, (5 << 20) / 4);
        assert_string_equal(strchr(out.p, tail ? '5' : '!') - (tail ? 3 : 0),
                            tail ? "0|'5'\n! 4 a quoted field does not end: the line is skipped\n"
                                   "! 5242896 a quoted field does not end: the line is skipped\n"
                                 : "! 4 a quoted field does not end: the line is skipped\n");
        kq_buf_deinit(&text);
    }
}

/* The quick scan finds what the rule, followed byte by byte, finds. */
static void test_scan(void **state) {
    (void)state;
    static const char letters[] = "ab,\"\n\r";
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char text[256 + KQ_SCAN_SLACK] = {0};
        size_t n = 1 + (size_t)rand() % 200;
        int kinds = round % 3 == 0 ? 6 : round % 3 == 1 ? 4 : 5;
        for (size_t i = 0; i < n; i++) text[i] = letters[rand() % kinds];
        kq_buf records[2];
        bool open[2];
        for (int plain = 0; plain < 2; plain++) {
            kq_buf_init(&records[plain], NULL, 0);
            kq_csv_scan_plain = plain;
            kq_csv_scan(text, n, ',', &records[plain], &open[plain]);
        }
        kq_csv_scan_plain = false;
        assert_int_equal(open[0], open[1]);
        assert_int_equal(records[0].n, records[1].n);
        if (records[0].n) assert_memory_equal(records[0].p, records[1].p, records[0].n);
        /* cutting a record gives as many fields as were counted */
        size_t begin = 0;
        for (size_t i = 0; i < records[0].n / sizeof(kq_csv_record); i++) {
            kq_csv_record r;
            memcpy(&r, records[0].p + i * sizeof r, sizeof r);
            size_t end = r.end > begin && text[r.end - 1] == '\r' ? r.end - 1 : r.end;
            uint32_t fields = 0;
            kq_sv field;
            bool escaped;
            for (const char *p = text + begin; p; fields++) p = kq_csv_field(p, text + end, ',', &field, &escaped);
            assert_int_equal(fields, r.delimiters + 1);
            begin = r.end + 1;
        }
        kq_buf_deinit(&records[0]);
        kq_buf_deinit(&records[1]);
    }
}

/* Where the text ends inside a quoted field, lines are given up until nothing is open: at once, and where the field
 * begins in its record's first line they are the same as when the first line is given up and the rest is read again.
 * A record is skipped, in pieces, as it is scanned. */
static void test_open(void **state) {
    (void)state;
    static const char letters[] = "a,\"\n\"\r";
    unsigned opened = 0;
    srand(2);
    for (int round = 0; round < 20000; round++) {
        char one[256 + KQ_SCAN_SLACK] = {0}, other[256 + KQ_SCAN_SLACK] = {0};
        size_t n = 1 + (size_t)rand() % 100, from = SIZE_MAX, last = 0;
        bool same = true, left;
        for (size_t i = 0; i < n; i++) one[i] = letters[rand() % (round % 2 ? 5 : 6)];
        memcpy(other, one, n);
        for (bool open = true; open;) {
            kq_buf records;
            kq_buf_init(&records, NULL, 0);
            kq_csv_scan(one, n, ',', &records, &open);
            kq_csv_record r = {0};
            size_t nrecords = records.n / sizeof r, begin = 0;
            for (size_t i = 0; i < nrecords; i++) {
                memcpy(&r, records.p + i * sizeof r, sizeof r);
                kq_csv_skip skip = {0};
                bool ended = false;
                size_t at = begin;
                while (!ended && at < n) at += kq_csv_skip_on(&skip, one + at, at + 3 < n ? 3 : n - at, ',', &ended);
                assert_true(ended);
                assert_int_equal(at, r.end + 1);
                begin = at;
            }
            kq_buf_deinit(&records);
            if (!open) break;
            const char *newline = memchr(one + begin, '\n', n - begin);
            if (from == SIZE_MAX) {
                from = begin;
                kq_csv_skip skip = {0};
                for (size_t i = from; i < n; i++) {
                    if (skip.state == KQ_CSV_FIELD_START && one[i] == '"') last = i;
                    bool ended;
                    kq_csv_skip_on(&skip, one + i, 1, ',', &ended);
                }
                same = !newline || one + last < newline;
            }
            memset(one + begin, '\n', newline ? (size_t)(newline - one) - begin : n - begin);
        }
        for (size_t end = 0; from < n; from = end + 1) {
            const char *newline = memchr(other + from, '\n', n - from);
            end = newline ? (size_t)(newline - other) : n;
            if (!kq_csv_opens(other + from, other + end, ',')) continue;
            memset(other + from, '\n', end - from);
            opened++;
        }
        if (same) assert_memory_equal(one, other, n);
        kq_buf records;
        kq_buf_init(&records, NULL, 0);
        kq_csv_scan(other, n, ',', &records, &left);
        kq_buf_deinit(&records);
        assert_false(left);
    }
    assert_true(opened > 1000);
}

static void test_detect(void **state) {
    (void)state;
    assert_true(kq_source_csv.detect(KQ_SV("a,b,c,d\n1,2,3,4\n"), "x.log") > 0);
    assert_true(kq_source_csv.detect(KQ_SV("a\n1\n"), "x.csv.gz") > 50);
    assert_int_equal(kq_source_csv.detect(KQ_SV("{\"a\":1,\"b\":2,\"c\":3,\"d\":1}\n"), "x"), 0);
    assert_int_equal(kq_source_csv.detect(KQ_SV("some text, as it is\nmore\n"), "x.txt"), 0);
}

int main(void) {
    kq_buf_init(&out, NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_quotes),   cmocka_unit_test(test_widths),
        cmocka_unit_test(test_damage),   cmocka_unit_test(test_salvage),  cmocka_unit_test(test_headers),
        cmocka_unit_test(test_sets),     cmocka_unit_test(test_too_long), cmocka_unit_test(test_scan),
        cmocka_unit_test(test_stray),    cmocka_unit_test(test_open),     cmocka_unit_test(test_detect),
        cmocka_unit_test(test_preamble),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kq_buf_deinit(&out);
    return failed;
}
