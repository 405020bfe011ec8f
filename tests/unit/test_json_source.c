/* The JSON source: every shape of file, every size of block, and damage. */
#include "rows.h"
#include "source/json_internal.h"
#include "source/json_value.h"
#include <cmocka.h>
#include <stdio.h>
#include <zlib.h>

static kq_buf out;

static void expect(const char *text, size_t n, const char *wants, const char *expected) {
    static const uint64_t blocks[] = {KQ_BLOCK_BYTES, 1, 2, 3, 5, 7, 16, 33};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        kq_json_block_bytes = blocks[i];
        kq_buf_clear(&out);
        rows_of(&kq_source_json, (kq_sv){text, n}, wants, &out);
        kq_buf_char(&out, 0);
        if (strcmp(out.p, expected) != 0) print_error("block of %llu bytes\n", (unsigned long long)blocks[i]);
        assert_string_equal(out.p, expected);
    }
    kq_json_block_bytes = KQ_BLOCK_BYTES;
}
#define EXPECT(text, wants, expected) expect("" text, sizeof text - 1, wants, expected)

static void test_lines(void **state) {
    (void)state;
    EXPECT("{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":-2}\n", "a b", "0|1|'x'\n0|-2|'y'\n");
    EXPECT("\xEF\xBB\xBF{\"a\":1}\r\n\r\n  \n {\"a\" : 2 , \"c\":[1,{\"a\":9}]}\r\n{\"a\":3}", "a c",
           "0|1|-\n0|2|[1,{\"a\":9}]\n0|3|-\n");
    EXPECT("{}\n{\"a\":{}}\n{\"a\":[]}\n", "a", "0|-\n0|{}\n0|[]\n");
    EXPECT("", "a", "");
    EXPECT("\n\n", "a", "");
    EXPECT("{\"a\":1}\n", "", "0\n");
}

static void test_values(void **state) {
    (void)state;
    EXPECT(
        "{\"a\":true,\"b\":null,\"c\":1.5e1,\"d\":9223372036854775807,\"e\":9223372036854775808,"
        "\"f\":-9223372036854775808,\"g\":123456789012345678901,\"h\":\"\",\"i\":-0}\n",
        "a b c d e f g h i x",
        "0|true|~|15|9223372036854775807|9223372036854775808u|-9223372036854775808|'123456789012345678901'|''|0|-\n");
    EXPECT("{\"a\":\"\\u0041\\n\\\\\\\"\\/\\ud83d\\ude00\\ud800x\\u00e9\"}\n", "a",
           "0|'A\n\\\"/\xF0\x9F\x98\x80\xEF\xBF\xBDx\xC3\xA9'\n");
    EXPECT("{\"a\":NaN,\"b\":-Infinity}\n", "a b", "0|nan|-inf\n");
    EXPECT("{\"a\":\"q\",\"b\":1,\"c\":null,\"d\":{\"x\" : 1}}\n", "!a !b !c !d", "0|\"q\"|1|~|{\"x\" : 1}\n");
    EXPECT("{\"a\":1,\"a\":2}\n", "a", "0|1\n");
    EXPECT("{\"\\u0061b\":1}\n{\"ab\":2}\n", "ab", "0|1\n0|2\n");
}

static void test_paths(void **state) {
    (void)state;
    EXPECT("{\"p\":{\"a\":1,\"q\":{\"b\":[2]}},\"t\":3}\n{\"p\":{\"q\":{}},\"t\":4}\n{\"p\":5}\n", "p.a p.q.b t !p",
           "0|1|[2]|3|{\"a\":1,\"q\":{\"b\":[2]}}\n0|-|-|4|{\"q\":{}}\n0|-|-|-|5\n");
    EXPECT("{\"p\":{\"a\":1},\"p.a\":2}\n{\"p.a\":2,\"p\":{\"a\":1}}\n{\"p\":{\"a.b\":3}}\n{\"p.a\":{\"b\":4}}\n",
           "p.a p.a.b", "0|2|-\n0|2|-\n0|-|3\n0|{\"b\":4}|4\n");
}

static void test_special(void **state) {
    (void)state;
    EXPECT("{\"a\":1}\n\n{\"a\":2} \n{\"a\":3}", "$offset $index $raw a",
           "0|0|0|'{\"a\":1}'|1\n0|9|1|'{\"a\":2}'|2\n0|18|2|'{\"a\":3}'|3\n");
    EXPECT("[ {\"a\":1},\n {\"a\":2}]", "$offset $index $raw a $EventDataXml",
           "0|2|0|'{\"a\":1}'|1|-\n0|12|1|'{\"a\":2}'|2|-\n");
}

static void test_shapes(void **state) {
    (void)state;
    EXPECT("[{\"a\":1},{\"a\":\"}]\\\"{\"}]\n", "a", "0|1\n0|'}]\"{'\n");
    EXPECT("[\n  {\n    \"a\": 1,\n    \"b\": {\n      \"c\": []\n    }\n  },\n  {\n    \"a\": 2\n  }\n]\n", "a b",
           "0|1|{\n      \"c\": []\n    }\n0|2|-\n");
    EXPECT("{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", "a", "0|1\n0|2\n");
    EXPECT("{\"a\":1}{\"a\":2} {\"a\":3}\n{\"a\":4}", "a", "0|1\n0|2\n0|3\n0|4\n");
    EXPECT("[]", "a", "");
    EXPECT("[{\"a\":1}]\n[{\"a\":2}]\n", "a", "0|1\n0|2\n");
    EXPECT("{\"records\":[{\"a\":1,\"records\":[{\"a\":7}]},{\"a\":2}]}", "a", "0|1\n0|2\n");
    EXPECT("{ \"records\" : [ {\"a\":1} ], \"n\":{\"a\":[3]} }\n{\"x\":\"]}\",\"records\":[{\"a\":2}]}\n", "a",
           "0|1\n0|2\n");
    EXPECT("{\"@odata.context\":\"u\",\"value\":[{\"a\":1},{\"a\":2}],\"next\":\"v\"}", "a", "0|1\n0|2\n");
    EXPECT("{\"Stats\":{\"t\":1},\"Schema\":[{\"Name\":\"a\"}],\"Results\":[{\"a\":1}]}", "a", "0|1\n");
    EXPECT("{\"value\":[{\"a\":1}],\"a\":2}\n{\"a\":3}\n", "a", "0|2\n0|3\n");
    /* a record that is no object */
    EXPECT("[1,\"x\",{\"a\":1}]", "a", "0|1\n! 1 not a JSON object\n! 3 not a JSON object\n");
}

/* Rows as arrays, with their columns in front. */
static void test_tables(void **state) {
    (void)state;
    EXPECT("{\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\"}],"
           "\"rows\":[[1,\"x]\"],[2,{\"c\":[3]}] , [ 4 , null ]]}]}",
           "a b b.c", "0|1|'x]'|-\n0|2|{\"c\":[3]}|[3]\n0|4|~|-\n");
    /* each table has its own columns; names may have escapes */
    EXPECT("{ \"tables\" : [ {\"name\":\"P\",\"columns\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"rows\":[[1,2],[3,4]]},\n"
           "{\"name\":\"Q\",\"columns\":[{\"type\":\"name\",\"name\":\"\\u0062\"}],\"rows\":[[5]]},"
           "{\"name\":\"R\",\"columns\":[{\"name\":\"a\"}],\"rows\":[]}]}",
           "a b $index", "0|1|2|0\n0|3|4|1\n0|-|5|2\n");
    EXPECT("{\"Tables\":[{\"TableName\":\"Table_0\",\"Columns\":[{\"ColumnName\":\"a\",\"DataType\":\"String\"}],"
           "\"Rows\":[[\"x\"]]},{\"TableName\":\"Table_1\",\"Columns\":[{\"ColumnName\":\"a\"}],\"Rows\":[[\"no\"]]}]}",
           "a", "0|'x'\n");
    EXPECT(
        "[{\"FrameType\":\"DataSetHeader\",\"rows\":7},{\"FrameType\":\"DataTable\",\"TableKind\":\"QueryProperties\","
        "\"TableName\":\"@ExtendedProperties\",\"Columns\":[{\"ColumnName\":\"a\"}],\"Rows\":[[0]]},"
        "{\"FrameType\":\"DataTable\",\"TableKind\":\"PrimaryResult\",\"TableName\":\"PrimaryResult\","
        "\"Columns\":[{\"ColumnName\":\"a\"}],\"Rows\":[[1],[2]]},{\"FrameType\":\"DataSetCompletion\"}]",
        "a", "0|1\n0|2\n");
    /* rows that are none, too short, too long; and a file that is cut off */
    EXPECT("{\"tables\":[{\"name\":\"P\",\"columns\":[{\"name\":\"a\"},{\"name\":\"b\"}],"
           "\"rows\":[[1],[1,2,3],[],{\"e\":[1]},[4,5]]}]}",
           "a b x",
           "0|1|-|-\n0|1|2|-\n0|-|-|-\n0|4|5|-\n! 69 the row has not as many values as there are columns\n"
           "! 73 the row has not as many values as there are columns\n"
           "! 81 the row has not as many values as there are columns\n! 84 not a row\n");
    EXPECT("{\"tables\":[{\"name\":\"P\",\"rows\":[[1]]}]}", "a", "! 31 not a row\n");
    EXPECT("{\"tables\":[{\"name\":\"P\",\"columns\":[{\"name\":\"a\"}],\"rows\":[[1],[\"2", "a",
           "0|1\n! 60 the record does not end\n");
    /* what is no row, with quotes and brackets in it */
    EXPECT("{\"tables\":[{\"name\":\"P\",\"columns\":[{\"name\":\"a\"}],\"rows\":[Z\"t{\",[1],7,\"]\\\"\",[2]]}]}", "a",
           "0|1\n0|2\n! 56 not a row\n! 66 not a row\n! 68 not a row\n");
    /* behind a row that does not end, tables with other columns */
    EXPECT("{\"tables\":[{\"name\":\"P\",\"columns\":[{\"name\":\"a\"}],\"rows\":[[1,\n{\"tables\":[{\"name\":\"P\","
           "\"columns\":[{"
           "\"name\":\"a\"}],\"rows\":[[2]]},{\"name\":\"Q\",\"columns\":[{\"name\":\"b\"}],\"rows\":[[3]]}]}",
           "a b", "0|2|-\n0|-|3\n! 56 the record does not end\n");
}

/* What Elasticsearch wraps around records. */
static void test_source(void **state) {
    (void)state;
    EXPECT("{\"_index\":\"i\",\"_source\":{\"a\":1,\"b\":{\"c\":2}}}\n{\"_source\":{\"a\":3,\"_source\":{\"a\":9}}}\n{"
           "\"a\":4}\n",
           "a b.c _index", "0|1|2|'i'\n0|3|-|-\n0|4|-|-\n");
    EXPECT("{\"_source\":{\"a\":1}}\n{\"_source\":5,\"a\":2}\n", "_source.a a", "0|1|-\n0|-|2\n");
    EXPECT("{\"took\":1,\"hits\":{\"total\":{\"value\":2},\"hits\":[{\"_id\":1,\"_source\":{\"a\":1}},{\"_source\":{"
           "\"a\":2}}],"
           "\"x\":[{\"a\":7}]},\"aggregations\":{\"hits\":{\"hits\":[{\"a\":3}]}}}",
           "a", "0|1\n0|2\n");
    EXPECT("{\"hits\":{\"a\":1}}\n{\"a\":2}\n", "a hits.a", "0|-|1\n0|2|-\n");
}

static void test_damage(void **state) {
    (void)state;
    EXPECT("{\"a\":1}\n{\"a\":\"x\n{\"a\":3}\n", "a", "0|1\n0|3\n! 8 the record is cut off: a string does not end\n");
    EXPECT("{\"a\":\"x\n{\"a\":3}\n", "a", "0|3\n! 0 the record is cut off: a string does not end\n");
    EXPECT("{\"a\":1\n{\"a\":2}\nhello\n17\n{\"a\" 1}\n{\"a\":3}\n", "a",
           "0|2\n0|3\n! 0 the record is cut off\n! 15 not a JSON object\n! 21 not a JSON object\n"
           "! 24 not JSON: the record is broken\n");
    EXPECT("{\"a\":\"\xff\xc3\x28\"}\n{\"a\":\"\xc3\xa9\"}\n", "a",
           "0|'\xEF\xBF\xBD\xEF\xBF\xBD('\n0|'\xc3\xa9'\n! 0 invalid UTF-8, replaced by U+FFFD\n");
    EXPECT("{\"a\":\"x\ty\"}\n{\"a\":2}\n", "a", "0|'x\ty'\n0|2\n! 0 a control character in a string\n");
    EXPECT("{\"a\":\"x\\qy\"}\n{\"a\":tru}\n", "a",
           "0|'x\\qy'\n0|'tru'\n! 0 a wrong escape in a string\n! 13 a value that is not JSON\n");
    EXPECT("{\"b\":1}{\"a\":2}{\"a\":3}\n", "b a", "0|1|-\n0|-|2\n0|-|3\n");
    EXPECT("{\"b\":0}\n{\"b\":1}{\"b\":2}\n{\"b\":3}{\"b\":\n", "b", "0|0\n0|1\n0|2\n! 23 the record is cut off\n");
    /* an array with a record that does not end: the others are read */
    EXPECT("[\n{\"a\":1},\n{\"a\":2,\n{\"a\":3},\n{\"a\":4}\n]\n", "a",
           "0|1\n0|3\n0|4\n! 11 the record does not end\n");
    EXPECT("[\n{\"a\":1},\n{\"a\":\"2},\n{\"a\":3},\n{\"a\":4}\n]\n", "a",
           "0|1\n0|3\n0|4\n! 11 the record does not end\n");
    EXPECT("[{\"a\":1},{\"a\":", "a", "0|1\n! 9 the record does not end\n");
}

static void test_deep(void **state) {
    (void)state;
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_buf_str(&text, "{\"x\":");
    for (int i = 0; i < 100000; i++) kq_buf_char(&text, '[');
    for (int i = 0; i < 100000; i++) kq_buf_char(&text, ']');
    kq_buf_str(&text, ",\"a\":1}\n{\"a\":2}\n");
    kq_buf_clear(&out);
    rows_of(&kq_source_json, kq_buf_view(&text), "a x.y", &out);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, "0|1|-\n0|2|-\n");
    kq_buf_deinit(&text);
}

/* A quote that only looks like one, from outside a record. */
static void test_odd_quotes(void **state) {
    (void)state;
    EXPECT("[{\"a\":\\\"\"},{\"a\":2},{\"a\":\\\"\"}]", "a",
           "0|2\n! 1 the record is cut off: a string does not end\n"
           "! 19 the record is cut off: a string does not end\n");
}

static void test_too_long(void **state) {
    (void)state;
    static const struct {
        const char *before, *after, *wants, *expected;
    } cases[] = {
        {"{\"a\":1}\n{\"x\":\"", "\"}\n{\"a\":2}\n", "a", "0|1\n0|2\n! 8 "},
        {"[{\"a\":1},\n{\"x\":\"", "\"},{\"a\":2}]", "a", "0|1\n0|2\n! 10 "},
        {"{\"a\":1}\n{\"x\":\"", "\"}\n{\"a\":2}\n", "$index a", "0|0|1\n0|2|2\n! 8 "},
        /* the columns of the next table stand where the long row ends */
        {"{\"tables\":[{\"name\":\"P\",\"columns\":[{\"name\":\"a\"}],\"rows\":[[1],[\"",
         "\"]]},{\"name\":\"Q\",\"columns\":[{\"name\":\"b\"},{\"name\":\"a\"}],\"rows\":[[2,3],[4,5]]}]}", "a b",
         "0|1|-\n0|3|2\n0|5|4\n! 60 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        kq_buf_str(&text, cases[i].before);
        char *p = kq_buf_reserve(&text, KQ_RECORD_MAX_BYTES + (size_t)3 * KQ_BLOCK_BYTES);
        memset(p, 'x', KQ_RECORD_MAX_BYTES + (size_t)3 * KQ_BLOCK_BYTES);
        text.n += KQ_RECORD_MAX_BYTES + (size_t)3 * KQ_BLOCK_BYTES;
        kq_buf_str(&text, cases[i].after);
        kq_buf_clear(&out);
        rows_of(&kq_source_json, kq_buf_view(&text), cases[i].wants, &out);
        kq_buf_char(&out, 0);
        char expected[100];
        snprintf(expected, sizeof expected, "%sa record is longer than 4 MiB: skipped\n", cases[i].expected);
        assert_string_equal(out.p, expected);
        kq_buf_deinit(&text);
    }
}

static bool is_cmd(const void *ctx, const kq_field *f) {
    ++*(int *)(uintptr_t)ctx;
    return f->kind == KQ_FIELD_STRING && kq_sv_eq_ascii_ci(f->u.text, KQ_SV("cmd.exe"));
}

static void test_sets(void **state) {
    (void)state;
    int calls = 0;
    kq_want first[] = {{.name = KQ_SV("line")}, {.name = KQ_SV("p.file"), .accept = is_cmd, .accept_ctx = &calls}};
    kq_want second[] = {{.name = KQ_SV("file"), .accept = is_cmd, .accept_ctx = &calls}, {.name = KQ_SV("id")}};
    kq_sv ids[] = {KQ_SV("1"), KQ_SV("4688")}, kinds[] = {KQ_SV("proc")};
    kq_selector by_id = {KQ_SV("id"), ids, 2, false}, by_kind = {KQ_SV("kind"), kinds, 1, false};
    kq_want_set sets[] = {{&by_kind, 1, first, 2}, {&by_id, 1, second, 2}};
    kq_request request = {.sets = sets, .nsets = 2};
    kq_sv text = KQ_SV("{\"kind\":\"PROC\",\"line\":\"l\",\"p\":{\"file\":\"CMD.EXE\"}}\n"
                       "{\"kind\":\"PROC\",\"line\":\"l\",\"p\":{\"file\":\"x.exe\"}}\n"
                       "{\"kind\":\"net\",\"line\":\"l\",\"p\":{\"file\":\"cmd.exe\"}}\n"
                       "{\"id\":4688,\"file\":\"cmd.exe\",\"kind\":\"proc\",\"p\":{\"file\":\"cmd.exe\"}}\n"
                       "{\"id\":\"1\",\"file\":\"cmd.exe\"}\n"
                       "{\"id\":2,\"file\":\"cmd.exe\"}\n"
                       "{\"id\":1}\n");
    kq_buf_clear(&out);
    rows_read(&kq_source_json, text, &request, &out);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, "0|'l'|'CMD.EXE'\n0|-|'cmd.exe'\n1|'cmd.exe'|4688\n1|'cmd.exe'|'1'\n");
    assert_true(calls > 0);
}

static void sample_of(const char *text, const char *names, const char *category) {
    char path[64];
    int fd = rows_file(kq_sv_of(text), path);
    static kq_report report;
    kq_report_init(&report);
    kq_stream *stream;
    kq_source *source;
    kq_input input = {.path = path};
    assert_int_equal(kq_stream_open(path, NULL, &stream, NULL), KQ_OK);
    assert_int_equal(kq_source_json.open(&input, stream, &report, NULL, &source, NULL), KQ_OK);
    kq_buf got, kind;
    kq_buf_init(&got, NULL, 0);
    kq_buf_init(&kind, NULL, 0);
    assert_int_equal(kq_source_json.sample(source, &got, &kind, NULL), KQ_OK);
    for (size_t i = 0; i < got.n; i++)
        if (!got.p[i]) got.p[i] = ' ';
    kq_buf_char(&got, 0);
    kq_buf_char(&kind, 0);
    assert_string_equal(got.p, names);
    assert_string_equal(kind.p, category);
    kq_buf_deinit(&got);
    kq_buf_deinit(&kind);
    kq_source_json.close(source);
    kq_report_deinit(&report);
    rows_file_close(fd);
}

static void test_sample(void **state) {
    (void)state;
    sample_of("{\"a\":1,\"b\":{\"c\":\"x\"},\"d\":[{\"e\":1},\"f\"]}\n{\"\\u0061\":1,\"g\":2}\n", "a b d g ", "");
    sample_of("[\n{\"a\":\"{\",\"b\":1}]", "a b ", "");
    sample_of("{\"a\":1,\"b\":{\"c\":\"cut o", "a b ", "");
    sample_of("{\"time\":\"t\",\"properties\":{\"x\":1,\"y\":{\"z\":2}},\"category\":\"AdvancedHunting-T\"}\n", "x y ",
              "AdvancedHunting-T");
    sample_of("{\"records\":[{\"category\":\"C\",\"properties\":{\"x\":1}}]}", "x ", "C");
    sample_of("{\"properties\":{\"x\":1},\"q\":2}\n", "properties q ", "");
    sample_of("{\"category\":\"x\",\"q\":2}\n", "category q ", "");
}

static void test_detect(void **state) {
    (void)state;
    assert_true(kq_source_json.detect(KQ_SV("{\"a\":1}"), "x.log") > 50);
    assert_true(kq_source_json.detect(KQ_SV(" [\n{"), "x.log") > 50);
    assert_true(kq_source_json.detect(KQ_SV("oops\n{}"), "x.ndjson.gz") > 0);
    assert_int_equal(kq_source_json.detect(KQ_SV("a,b\n1,2\n"), "x.log"), 0);
    assert_int_equal(kq_source_json.detect(KQ_SV("[Section]\na=b\n"), "x.ini"), 0);
}

/* A compressed file gives the rows of the plain one. */
static void test_packed(void **state) {
    (void)state;
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    for (int i = 0; i < 20000; i++) kq_buf_printf(&text, "{\"a\":%d,\"b\":\"some text %d\"}\n", i, i * 7);
    static char packed[1 << 20];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)text.p;
    z.avail_in = (uInt)text.n;
    z.next_out = (Bytef *)packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = sizeof packed - z.avail_out;
    deflateEnd(&z);
    kq_buf plain;
    kq_buf_init(&plain, NULL, 0);
    rows_of(&kq_source_json, kq_buf_view(&text), "a b", &plain);
    kq_buf_clear(&out);
    rows_of(&kq_source_json, (kq_sv){packed, n}, "a b", &out);
    assert_int_equal(out.n, plain.n);
    assert_memory_equal(out.p, plain.p, plain.n);
    kq_buf_clear(&out);
    rows_of(&kq_source_json, (kq_sv){packed, n / 2}, "a", &out);
    kq_buf_char(&out, 0);
    assert_non_null(strstr(out.p, "0|100\n"));
    assert_non_null(strstr(out.p, "cut off"));
    kq_buf_deinit(&plain);
    kq_buf_deinit(&text);
}

/* A label that breaks off is told at its start, which may lie before a block that holds nothing else of use. */
static void test_broken_label(void **state) {
    (void)state;
    EXPECT("[Record {", "a", "! 1 not a JSON object\n! 8 the record does not end\n");
    EXPECT("[Record {\"a\":1},\n{\"a\":2}]", "$offset a", "0|8|1\n0|17|2\n! 1 not a JSON object\n");
    EXPECT("{\"records\":[{\"a\":1},Record x{\"a\":2}]}", "a", "0|1\n0|2\n! 20 not a JSON object\n");
    EXPECT("[{\"a\":1}, Record 12x", "a",
           "0|1\n! 10 not a JSON object\n! 20 the file ends inside the array of its records\n");
}

int main(void) {
    kq_buf_init(&out, NULL, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),      cmocka_unit_test(test_values), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_special),    cmocka_unit_test(test_shapes), cmocka_unit_test(test_tables),
        cmocka_unit_test(test_source),     cmocka_unit_test(test_damage), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_too_long),   cmocka_unit_test(test_sets),   cmocka_unit_test(test_sample),
        cmocka_unit_test(test_detect),     cmocka_unit_test(test_packed), cmocka_unit_test(test_broken_label),
        cmocka_unit_test(test_odd_quotes),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    kq_buf_deinit(&out);
    return failed;
}
