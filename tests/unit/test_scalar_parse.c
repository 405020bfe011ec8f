/* Parsers of structured text, called by name. */
#include "call.h"
#include <cmocka.h>
#include <stdio.h>

#define IS(want, ...) assert_string_equal(CALL(__VA_ARGS__), want)

static void test_url(void **state) {
    (void)state;
    IS("{\"Scheme\":\"ftp2\",\"Host\":\"files.lan\",\"Port\":\"2121\",\"Path\":\"/pub/new/x\",\"Username\":\"ann\","
       "\"Password\":\"secret\",\"Query Parameters\":{\"a\":\"b\",\"c\":\"d\"},\"Fragment\":\"part\"}",
       "parse_url", S("ftp2://ann:secret@files.lan:2121/pub/new/x?a=b&c=d#part"));
    IS("{\"Scheme\":\"https\",\"Host\":\"[::1]\",\"Port\":\"80\",\"Path\":\"\",\"Username\":\"u\",\"Password\":\"\","
       "\"Query Parameters\":{\"a\":\"\",\"b\":\"=\"},\"Fragment\":\"\"}",
       "parse_url", S("https://u@[::1]:80?a&&b=="));
    IS("{\"Scheme\":\"\",\"Host\":\"\",\"Port\":\"\",\"Path\":\"example.org/x\",\"Username\":\"\",\"Password\":\"\","
       "\"Query Parameters\":{},\"Fragment\":\"\"}",
       "parse_url", S("example.org/x"));
    IS("{\"Query Parameters\":{\"k1\":\"v1\",\"k2\":\"v2\",\"k3\":\"v3\"}}", "parse_urlquery", S("k1=v1&k2=v2&k3=v3"));
    IS("\"https%3a%2f%2fexample.org%2ftwo+words\"", "url_encode", S("https://example.org/two words"));
    IS("\"https%3a%2f%2fexample.org%2ftwo%20words%2f\"", "url_encode_component", S("https://example.org/two words/"));
    IS("\"https://example.org/ %4\"", "url_decode", S("https%3a%2f%2fexample.org%2f+%4"));
    IS("\"%%zz%\"", "url_decode", S("%%zz%"));
}

static void check_path(const char *path, const char *scheme, const char *root, const char *dir, const char *name,
                       const char *file, const char *extension, const char *stream) {
    const char *const keys[] = {"Scheme",   "RootPath",  "DirectoryPath",          "DirectoryName",
                                "Filename", "Extension", "AlternateDataStreamName"};
    const char *const want[] = {scheme, root, dir, name, file, extension, stream};
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    for (int i = 0; i < 7; i++) {
        kq_buf_str(&b, i ? ",\"" : "{\"");
        kq_buf_str(&b, keys[i]);
        kq_buf_str(&b, "\":");
        kq_json_string(kq_sv_of(want[i]), &b);
    }
    kq_buf_append(&b, "}", 2);
    assert_string_equal(CALL("parse_path", S(path)), b.p);
    kq_buf_deinit(&b);
}

static void test_path(void **state) {
    (void)state;
    check_path("D:\\data\\report.txt", "", "D:\\", "D:\\data", "data", "report.txt", "txt", "");
    check_path("temp\\file.txt", "", "", "temp", "temp", "file.txt", "txt", "");
    check_path("file://C:/temp/file.txt:some.exe", "file", "C:/", "C:/temp", "temp", "file.txt", "txt", "some.exe");
    check_path("\\\\shared\\users\\temp\\file.txt.gz", "", "", "\\\\shared\\users\\temp", "temp", "file.txt.gz", "gz",
               "");
    check_path("/usr/lib/temp/file.txt", "", "", "/usr/lib/temp", "temp", "file.txt", "txt", "");
    check_path("C:\\file", "", "C:\\", "C:\\", "", "file", "", "");
    check_path("C:\\temp\\", "", "C:\\", "C:\\temp", "temp", "", "", "");
    check_path("\\\\?\\C:\\temp\\a.b", "", "\\\\?\\C:\\", "\\\\?\\C:\\temp", "temp", "a.b", "b", "");
    check_path("", "", "", "", "", "", "", "");
}

static void test_command_line(void **state) {
    (void)state;
#define LINE(want, line) IS(want, "parse_command_line", S(line), S("windows"))
    LINE("[\"echo\",\"hello world!\"]", "echo \"hello world!\"");
    LINE("[\"C:\\\\Program Files\\\\a.exe\",\"b\",\"c\"]", "\"C:\\Program Files\\a.exe\" b\tc ");
    LINE("[\"x\",\"abc\",\"d\",\"e\"]", "x \"abc\" d e");
    LINE("[\"x\",\"a\\\\\\\\b\",\"de fg\",\"h\"]", "x a\\\\b d\"e f\"g h");
    LINE("[\"x\",\"a\\\\\\\"b\",\"c\",\"d\"]", "x a\\\\\\\"b c d");
    LINE("[\"x\",\"a\\\\\\\\b c\",\"d\",\"e\"]", "x a\\\\\\\\\"b c\" d e");
    LINE("[\"x\",\"a\\\" b\"]", "x \"a\"\"\" b");
    LINE("[\"x\",\"a\\\"\",\"b\"]", "x \"a\"\"\"\" b");
    LINE("[\"\",\"a\"]", " a");
    LINE("[]", "");
    LINE("[\"x\",\"\"]", "x \"\"");
    LINE("[\"x\",\"unclosed arg\"]", "x \"unclosed arg");
    IS("null", "parse_command_line", S("a b"), S("linux"));
}

static void test_csv(void **state) {
    (void)state;
    IS("[\"aa\",\"b,b,b\",\"cc\",\"say \\\"hi\\\"\",\"line1\\nline2\"]", "parse_csv",
       S("aa,\"b,b,b\",cc,\"say \"\"hi\"\"\",\"line1\nline2\""));
    IS("[\"one\",\"a\",\"b\",\"c\"]", "parse_csv", S("one,a,b,c\ntwo,x,y,z"));
    IS("[\"a\",\" b\",\"\"]", "parse_csv", S("a, b,\r\nc"));
    IS("[\"\"]", "parse_csv", S(""));
    IS("[\"unclosed\"]", "parse_csv", S("\"unclosed"));
    IS("[\"ab\",\"c\\\"d\"]", "parse_csv", S("\"a\"b,c\"d"));
}

static void test_xml(void **state) {
    (void)state;
    IS("{\"e\":null}", "parse_xml", S("<e/>"));
    IS("{\"e\":\"text\"}", "parse_xml", S("<e>text</e>"));
    IS("{\"e\":{\"@name\":\"value\"}}", "parse_xml", S("<e name=\"value\" />"));
    IS("{\"e\":{\"@name\":\"value\",\"#text\":\"text\"}}", "parse_xml", S("<e name=\"value\">text</e>"));
    IS("{\"e\":{\"a\":\"text\",\"b\":\"text\"}}", "parse_xml", S("<e> <a>text</a> <b>text</b> </e>"));
    IS("{\"e\":{\"a\":[\"text\",\"text\"]}}", "parse_xml", S("<e> <a>text</a> <a>text</a> </e>"));
    IS("{\"e\":{\"#text\":\"text\",\"a\":\"text\"}}", "parse_xml", S("<e> text <a>text</a> </e>"));
    IS("{\"e\":{\"#text\":[\"x\",\"y\"],\"a\":null}}", "parse_xml", S("<e>x<a/>y</e>"));
    IS("{\"EventData\":{\"Data\":[{\"@Name\":\"a\",\"#text\":\"1 < 2 & \\\"q\\\" A\xE2\x82\xAC\"},{\"@Name\":\"b\"},"
       "{\"@Name\":\"c\",\"#text\":\" x \"}]}}",
       "parse_xml",
       S("<?xml version=\"1.0\"?>\n<!DOCTYPE d [<!ENTITY e \"]>\">]><!-- <x> --><EventData>\n"
         "<Data Name='a'>1 &lt; 2 &amp; <![CDATA[\"q\"]]> &#65;&#x20ac;</Data><Data Name=\"b\"></Data>\n"
         "<Data Name='c'> x </Data></EventData>\n"));
    IS("{\"a\":{\"@x:y\":\"1 2\",\"b\":\"l1\\nl2\"}}", "parse_xml", S("<a x:y='1\n2'><b>l1\r\nl2</b></a>"));
    IS("{\"a\":\"onetwo\"}", "parse_xml", S("<a>one<!-- c -->two</a>"));
    IS("{\"a\":null}", "parse_xml", S("<a> </a>"));
    static const char *const bad[] = {"",
                                      "text",
                                      "<a>",
                                      "</a>",
                                      "<a></b>",
                                      "<a/><b/>",
                                      "<a/>x",
                                      "<a b/>",
                                      "<a b=c/>",
                                      "<a b='1' b='2'/>",
                                      "<a b='<'/>",
                                      "<a b='1'c='2'/>",
                                      "<a>&x;</a>",
                                      "<a>&#0;</a>",
                                      "<a>&#xD800;</a>",
                                      "<a>& </a>",
                                      "<a><![CDATA[x</a>",
                                      "<a><!-- x</a>",
                                      "<1/>",
                                      "< a/>",
                                      "<a",
                                      "<a /",
                                      "<a b='",
                                      "<!DOCTYPE x [",
                                      "<a>&lt</a>",
                                      "<![CDATA[x]]>",
                                      "<a/>&amp;"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) IS("null", "parse_xml", S(bad[i]));
    char deep[2000];
    for (int depth = 48; depth <= 50; depth++) {
        size_t n = 0;
        for (int i = 0; i < depth; i++) n += (size_t)sprintf(deep + n, "<a>");
        for (int i = 0; i < depth; i++) n += (size_t)sprintf(deep + n, "</a>");
        assert_int_equal(strcmp(CALL("parse_xml", S(deep)), "null") == 0, depth == 50);
    }
}

static int done(void **state) {
    (void)state;
    call_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_url), cmocka_unit_test(test_path),
                                       cmocka_unit_test(test_command_line), cmocka_unit_test(test_csv),
                                       cmocka_unit_test(test_xml)};
    return cmocka_run_group_tests(tests, NULL, done);
}
