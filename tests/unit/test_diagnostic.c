/* What a user sees of an error in a query. */
#include "base/nearest.h"
#include "base/status.h"
#include "kql/diagnostic.h"
#include <cmocka.h>

static void check(const char *query, kq_span span, const char *hint, const char *want) {
    kq_error err;
    assert_int_equal(kq_fail_at(&err, KQ_ERR_QUERY, span, "wrong"), KQ_ERR_QUERY);
    if (hint) kq_error_hint(&err, "%s", hint);
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    kq_diagnostic_print(&err, kq_sv_of(query), "query", &out);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, want);
    kq_buf_deinit(&out);
}

static void test_print(void **state) {
    (void)state;
    check("T\n| where FileNam =~ 'x'\n| count", (kq_span){10, 7}, "did you mean 'FileName'?",
          "error: wrong\n"
          "  --> query:2:9\n"
          "   2 | | where FileNam =~ 'x'\n"
          "     |         ^^^^^^^\n"
          "  hint: did you mean 'FileName'?\n");
    check("abc", KQ_NO_SPAN, NULL, "error: wrong\n");
    /* the end, also behind it; tabs stay, wide letters count twice */
    check("abc", (kq_span){3, 0}, NULL, "error: wrong\n  --> query:1:4\n   1 | abc\n     |    ^\n");
    check("abc", (kq_span){99, 5}, NULL, "error: wrong\n  --> query:1:4\n   1 | abc\n     |    ^\n");
    check("\ta\tb", (kq_span){3, 1}, NULL, "error: wrong\n  --> query:1:4\n   1 | \ta\tb\n     | \t \t^\n");
    check("\xE6\x97\xA5 x", (kq_span){4, 1}, NULL,
          "error: wrong\n  --> query:1:3\n   1 | \xE6\x97\xA5 x\n     |    ^\n");
    check("e\xCC\x81 x", (kq_span){4, 1}, NULL, "error: wrong\n  --> query:1:4\n   1 | e\xCC\x81 x\n     |   ^\n");
    /* a span over several lines ends with its first; CR is no part of a line; bytes that are no text */
    check("ab\r\ncd", (kq_span){1, 5}, NULL, "error: wrong\n  --> query:1:2\n   1 | ab\n     |  ^\n");
    check("\xFF\x01x", (kq_span){2, 1}, NULL, "error: wrong\n  --> query:1:3\n   1 | \xEF\xBF\xBD x\n     |   ^\n");
}

static void test_long_line(void **state) {
    (void)state;
    char query[1000];
    memset(query, 'a', sizeof query - 1);
    query[sizeof query - 1] = 0;
    query[500] = 'b';
    kq_error err = {.status = KQ_ERR_QUERY, .span_start = 500, .span_len = 1, .message = "wrong"};
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    kq_diagnostic_print(&err, kq_sv_of(query), "q", &out);
    kq_buf_char(&out, 0);
    const char *b = strchr(out.p, 'b'), *caret = strchr(out.p, '^');
    assert_true(b && caret && out.n < 500);
    const char *line_b = strrchr(strchr(out.p, '-'), '\n');
    (void)line_b;
    size_t column_b = 0, column_caret = 0;
    for (const char *p = b; *p != '\n'; p--) column_b++;
    for (const char *p = caret; *p != '\n'; p--) column_caret++;
    assert_int_equal(column_b, column_caret);
    kq_buf_deinit(&out);
}

static const char *nearest(const char *name) {
    static const kq_sv names[] = {{"FileName", 8}, {"FolderPath", 10}, {"Timestamp", 9}, {"id", 2}};
    const kq_sv *found = kq_nearest(kq_sv_of(name), names, 4);
    return found ? found->p : "";
}

static void test_nearest(void **state) {
    (void)state;
    assert_string_equal(nearest("FileNam"), "FileName");
    assert_string_equal(nearest("filename"), "FileName");
    assert_string_equal(nearest("FlieName"), "FileName");
    assert_string_equal(nearest("TimeStmp"), "Timestamp");
    assert_string_equal(nearest("Process"), "");
    assert_string_equal(nearest("ix"), "id");
    assert_string_equal(nearest("x"), "");
    assert_string_equal(nearest(""), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_print), cmocka_unit_test(test_long_line),
                                       cmocka_unit_test(test_nearest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
