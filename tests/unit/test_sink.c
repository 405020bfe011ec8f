/* The output formats: exact bytes, and text that is made fit for a terminal. */
#include "column/dynamic.h"
#include "sink/sink.h"
#include "sink/visible.h"
#include <cmocka.h>

static kq_status collect(void *ctx, const char *bytes, size_t n) {
    kq_buf_append(ctx, bytes, n);
    return KQ_OK;
}

static kq_status gone(void *ctx, const char *bytes, size_t n) {
    (void)ctx;
    (void)bytes;
    (void)n;
    return KQ_ERR_PIPE;
}

static kq_str names[3];
static int64_t longs[3] = {1, -20, 300};
static int64_t times[3] = {637134336000000000, 637134336001200000, 0};
static double reals[3] = {1.5, 0, 2};
static uint64_t nulls[KQ_NULL_WORDS] = {4};
static kq_str bags[3];

static kq_column columns[] = {{{"Name", 4}, KQ_STRING, false},
                              {{"N", 1}, KQ_LONG, false},
                              {{"T", 1}, KQ_DATETIME, false},
                              {{"R", 1}, KQ_REAL, false},
                              {{"a \"b\",c", 7}, KQ_DYNAMIC, false}};

static void run(const char *format, unsigned width, const char *expected) {
    kq_buf out, dyn;
    kq_buf_init(&out, NULL, 0);
    kq_buf_init(&dyn, NULL, 0);
    names[0] = kq_str_sv(KQ_SV("cmd.exe"));
    names[1] = kq_str_sv(KQ_SV("a,\"b\"\r\n\x1b[31m\xff"));
    names[2] = kq_str_sv(KQ_SV("\xe6\xbc\xa2\xe5\xad\x97 a rather long text"));
    reals[1] = __builtin_nan("");
    assert_true(kq_dyn_parse_json(KQ_SV("{\"k\":[1,\"x\"]}"), &dyn));
    bags[0] = bags[1] = kq_str_ref(dyn.p, dyn.n);
    bags[2] = (kq_str){0};
    kq_vector cols[5] = {{KQ_STRING, false, names, NULL},
                         {KQ_LONG, false, longs, NULL},
                         {KQ_DATETIME, false, times, nulls},
                         {KQ_REAL, false, reals, NULL},
                         {KQ_DYNAMIC, false, bags, nulls}};
    kq_output output = {sizeof output, collect, &out, format, width, false};
    kq_sink *sink;
    kq_column lent[5];
    memcpy(lent, columns, sizeof lent);
    kq_columns cs = {lent, 5};
    char first[] = "Name";
    lent[0].name.p = first;
    assert_int_equal(kq_sink_create(&output, &cs, NULL, &sink, NULL), KQ_OK);
    memset(lent, 0, sizeof lent); /* a query's names go before its sink ends */
    memset(first, '!', 4);
    cs.n = 0;
    kq_chunk chunk = {.rows = 3, .selected = 3, .ncols = 5, .cols = cols};
    assert_int_equal(kq_sink_push(sink, &chunk, NULL), KQ_OK);
    static const uint16_t sel[] = {0};
    chunk.sel = sel;
    chunk.selected = 1;
    assert_int_equal(kq_sink_push(sink, &chunk, NULL), KQ_OK);
    assert_int_equal(kq_sink_finish(sink, NULL), KQ_OK);
    assert_int_equal(kq_sink_rows(sink), 4);
    kq_sink_destroy(sink);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, expected);
    kq_buf_deinit(&out);
    kq_buf_deinit(&dyn);
}

#define REPLACED "a,\\\"b\\\"\\r\\n\\u001b[31m\xef\xbf\xbd"
#define KANJI    "\xe6\xbc\xa2\xe5\xad\x97"

static void test_ndjson(void **state) {
    (void)state;
    run("ndjson", 0,
        "{\"Name\":\"cmd.exe\",\"N\":1,\"T\":\"2020-01-01T00:00:00Z\",\"R\":1.5,\"a \\\"b\\\",c\":{\"k\":[1,\"x\"]}}\n"
        "{\"Name\":\"" REPLACED "\",\"N\":-20,\"T\":\"2020-01-01T00:00:00.12Z\",\"R\":\"NaN\",\"a \\\"b\\\",c\":"
        "{\"k\":[1,\"x\"]}}\n"
        "{\"Name\":\"" KANJI " a rather long text\",\"N\":300,\"T\":null,\"R\":2.0,\"a \\\"b\\\",c\":null}\n"
        "{\"Name\":\"cmd.exe\",\"N\":1,\"T\":\"2020-01-01T00:00:00Z\",\"R\":1.5,\"a "
        "\\\"b\\\",c\":{\"k\":[1,\"x\"]}}\n");
}

static void test_json(void **state) {
    (void)state;
    run("json", 0,
        "{\"columns\":[{\"name\":\"Name\",\"type\":\"string\"},{\"name\":\"N\",\"type\":\"long\"},"
        "{\"name\":\"T\",\"type\":\"datetime\"},{\"name\":\"R\",\"type\":\"real\"},"
        "{\"name\":\"a \\\"b\\\",c\",\"type\":\"dynamic\"}],\"rows\":["
        "[\"cmd.exe\",1,\"2020-01-01T00:00:00Z\",1.5,{\"k\":[1,\"x\"]}],"
        "[\"" REPLACED "\",-20,\"2020-01-01T00:00:00.12Z\",\"NaN\",{\"k\":[1,\"x\"]}],"
        "[\"" KANJI " a rather long text\",300,null,2.0,null],"
        "[\"cmd.exe\",1,\"2020-01-01T00:00:00Z\",1.5,{\"k\":[1,\"x\"]}]]}\n");
}

static void test_csv(void **state) {
    (void)state;
    run("csv", 0,
        "Name,N,T,R,\"a \"\"b\"\",c\"\r\n"
        "cmd.exe,1,2020-01-01T00:00:00Z,1.5,\"{\"\"k\"\":[1,\"\"x\"\"]}\"\r\n"
        "\"a,\"\"b\"\"\r\n\x1b[31m\xff\",-20,2020-01-01T00:00:00.12Z,NaN,\"{\"\"k\"\":[1,\"\"x\"\"]}\"\r\n" KANJI
        " a rather long text,300,,2.0,\r\n"
        "cmd.exe,1,2020-01-01T00:00:00Z,1.5,\"{\"\"k\"\":[1,\"\"x\"\"]}\"\r\n");
}

static void test_table(void **state) {
    (void)state;
    run("table", 0,
        "Name                       N  T                          R  a \"b\",c\n"
        "-----------------------  ---  -----------------------  ---  -------------\n"
        "cmd.exe                    1  2020-01-01T00:00:00Z     1.5  {\"k\":[1,\"x\"]}\n"
        "a,\"b\"\xe2\x90\x8d\xe2\x90\x8a\xe2\x90\x9b[31m\xef\xbf\xbd            -20  2020-01-01T00:00:00.12Z  NaN  "
        "{\"k\":[1,\"x\"]}\n" KANJI " a rather long text  300                           2.0\n"
        "cmd.exe                    1  2020-01-01T00:00:00Z     1.5  {\"k\":[1,\"x\"]}\n");
    run("table", 52,
        "Name             N  T                R  a \"b\",c\n"
        "-------------  ---  -------------  ---  ------------\n"
        "cmd.exe          1  2020-01-01T0\xe2\x80\xa6  1.5  {\"k\":[1,\"x\"\xe2\x80\xa6\n"
        "a,\"b\"\xe2\x90\x8d\xe2\x90\x8a\xe2\x90\x9b[31m\xef\xbf\xbd  -20  2020-01-01T0\xe2\x80\xa6  NaN  "
        "{\"k\":[1,\"x\"\xe2\x80\xa6\n" KANJI " a rathe\xe2\x80\xa6  300                 2.0\n"
        "cmd.exe          1  2020-01-01T0\xe2\x80\xa6  1.5  {\"k\":[1,\"x\"\xe2\x80\xa6\n");
}

static void test_many_rows(void **state) {
    (void)state;
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    static kq_str text[KQ_CHUNK_ROWS];
    for (int i = 0; i < KQ_CHUNK_ROWS; i++) text[i] = kq_str_sv(KQ_SV("some text of a row"));
    kq_column column = {{"x", 1}, KQ_STRING, false};
    kq_columns cs = {&column, 1};
    kq_vector v = {KQ_STRING, false, text, NULL};
    kq_output output = {sizeof output, collect, &out, "table", 10, false};
    kq_sink *sink;
    assert_int_equal(kq_sink_create(&output, &cs, NULL, &sink, NULL), KQ_OK);
    for (int i = 0; i < 20; i++) {
        kq_chunk chunk = {.rows = KQ_CHUNK_ROWS, .selected = KQ_CHUNK_ROWS, .ncols = 1, .cols = &v};
        assert_int_equal(kq_sink_push(sink, &chunk, NULL), KQ_OK);
    }
    assert_int_equal(kq_sink_finish(sink, NULL), KQ_OK);
    kq_sink_destroy(sink);
    size_t lines = 0;
    for (size_t i = 0; i < out.n; i++) lines += out.p[i] == '\n';
    assert_int_equal(lines, 2 + 20 * KQ_CHUNK_ROWS);
    kq_buf_deinit(&out);
}

static void test_failures(void **state) {
    (void)state;
    kq_columns cs = {columns, 1};
    kq_output output = {sizeof output, gone, NULL, "json", 0, false};
    kq_sink *sink;
    kq_error err;
    assert_int_equal(kq_sink_create(&output, &cs, NULL, &sink, NULL), KQ_OK);
    assert_int_equal(kq_sink_finish(sink, NULL), KQ_ERR_PIPE);
    kq_sink_destroy(sink);
    output.format = "xml";
    assert_int_equal(kq_sink_create(&output, &cs, NULL, &sink, &err), KQ_ERR_USAGE);
    assert_null(sink);
}

/* `n` rows to a sink or a part. */
static void push_rows(kq_sink *to, uint32_t n) {
    static kq_str texts[KQ_CHUNK_ROWS];
    static int64_t numbers[KQ_CHUNK_ROWS];
    for (uint32_t i = 0; i < KQ_CHUNK_ROWS; i++) {
        texts[i] = kq_str_sv(i % 3 ? KQ_SV("a \"quoted\", long enough text") : KQ_SV("x"));
        numbers[i] = i;
    }
    kq_vector cols[2] = {{KQ_STRING, false, texts, NULL}, {KQ_LONG, false, numbers, NULL}};
    kq_chunk chunk = {.rows = n, .selected = n, .ncols = 2, .cols = cols};
    assert_int_equal(kq_sink_push(to, &chunk, NULL), KQ_OK);
}

/* What is written in parts reads as if it had been pushed in their turn. */
static void test_parts(void **state) {
    (void)state;
    kq_columns cs = {columns, 2};
    kq_sink *sink, *part, *other;
    kq_buf out[2];
    for (int csv = 0; csv < 2; csv++) {
        for (int parts = 0; parts < 2; parts++) {
            kq_buf_init(&out[parts], NULL, 0);
            kq_output output = {sizeof output, collect, &out[parts], csv ? "csv" : "ndjson", 0, false};
            assert_int_equal(kq_sink_create(&output, &cs, NULL, &sink, NULL), KQ_OK);
            assert_int_equal(kq_sink_part(sink, &part, NULL), KQ_OK);
            assert_int_equal(kq_sink_part(sink, &other, NULL), KQ_OK);
            for (int turn = 0; turn < 3; turn++) {
                kq_sink *to = parts ? part : sink;
                if (parts) push_rows(other, 2000); /* what comes last is ready first */
                push_rows(sink, 7);
                push_rows(to, 3);
                push_rows(to, turn ? KQ_CHUNK_ROWS : 1);
                assert_true(!parts || kq_sink_part_bytes(part) > 20);
                if (parts) assert_int_equal(kq_sink_take(sink, part, NULL), KQ_OK);
                assert_int_equal(kq_sink_part_bytes(part), 0);
                if (parts)
                    assert_int_equal(kq_sink_take(sink, other, NULL), KQ_OK);
                else
                    push_rows(sink, 2000);
                assert_int_equal(kq_sink_take(sink, part, NULL), KQ_OK); /* an empty one */
            }
            kq_sink_destroy(part);
            kq_sink_destroy(other);
            assert_int_equal(kq_sink_finish(sink, NULL), KQ_OK);
            assert_int_equal(kq_sink_rows(sink), 3 * 2010 + 1 + 2 * KQ_CHUNK_ROWS);
            kq_sink_destroy(sink);
        }
        assert_int_equal(out[0].n, out[1].n);
        assert_memory_equal(out[0].p, out[1].p, out[0].n);
        kq_buf_deinit(&out[0]);
        kq_buf_deinit(&out[1]);
    }
}

static void test_part_failures(void **state) {
    (void)state;
    kq_columns cs = {columns, 2};
    kq_sink *sink, *part;
    kq_error err;
    static const char *const none[] = {"json", "table"}; /* what they write depends on the rows before */
    for (int i = 0; i < 2; i++) {
        kq_output output = {sizeof output, gone, NULL, none[i], 0, false};
        assert_int_equal(kq_sink_create(&output, &cs, NULL, &sink, NULL), KQ_OK);
        assert_int_equal(kq_sink_part(sink, &part, NULL), KQ_OK);
        assert_null(part);
        kq_sink_destroy(sink);
    }
    kq_budget budget;
    kq_budget_init(&budget, 0);
    kq_output output = {sizeof output, gone, NULL, "csv", 0, false};
    assert_int_equal(kq_sink_create(&output, &cs, &budget, &sink, NULL), KQ_OK);
    size_t used = atomic_load(&budget.used);
    kq_status status = KQ_ERR_NOMEM;
    int failures = 0;
    for (long n = 0; status == KQ_ERR_NOMEM; n++, failures++) {
        kq_alloc_fail_at(n, false);
        status = kq_sink_part(sink, &part, &err);
        kq_alloc_fail_at(-1, false);
        if (status) assert_int_equal(atomic_load(&budget.used), used);
    }
    assert_int_equal(status, KQ_OK);
    assert_true(failures > 1);
    push_rows(part, KQ_CHUNK_ROWS);
    assert_int_equal(kq_sink_take(sink, part, NULL), KQ_OK); /* it waits in the sink's buffer */
    for (int i = 0; i < 3 && !status; i++) {
        push_rows(part, KQ_CHUNK_ROWS);
        status = kq_sink_take(sink, part, &err);
    }
    assert_int_equal(status, KQ_ERR_PIPE);
    kq_sink_destroy(part);
    kq_sink_destroy(sink);
    assert_int_equal(atomic_load(&budget.used), 0);
}

static void test_visible(void **state) {
    (void)state;
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    size_t used;
    assert_int_equal(kq_visible(KQ_SV("a\x7f\xe2\x80\xae"
                                      "b\xc2\x9b"),
                                &out),
                     19);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, "a\xe2\x90\xa1<U+202E>b<U+009B>");
    kq_sv text = KQ_SV("a" KANJI "e\xcc\x81z");
    kq_buf_clear(&out);
    assert_int_equal(kq_visible(text, &out), 7);
    assert_int_equal(kq_visible_cut(text, 4, &used), 4);
    assert_int_equal(used, 3);
    assert_int_equal(kq_visible_cut(text, 6, &used), 10);
    assert_int_equal(used, 6);
    kq_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ndjson),  cmocka_unit_test(test_json),      cmocka_unit_test(test_csv),
        cmocka_unit_test(test_table),   cmocka_unit_test(test_many_rows), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_visible), cmocka_unit_test(test_parts),     cmocka_unit_test(test_part_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
