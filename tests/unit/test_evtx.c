/* EVTX: what our writer writes comes back field by field, from templates, collector records and compressed files. */
#include "base/utf8.h"
#include "evtx_case.h"
#include "source/evtx/crc32.h"
#include "source/evtx/utf16.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static const evtx_datum process[] = {
    {.name = "UtcTime", .text = {"2024-05-01 10:00:00.123", 23}},
    {.name = "ProcessGuid", .type = EVTX_GUID, .text = {"{11223344-5566-7788-99aa-bbccddeeff00}", 38}},
    {.name = "ProcessId", .type = EVTX_UINT, .number = 4711},
    {.name = "Image", .text = {"C:\\Windows\\cmd.exe", 18}},
    {.name = "CommandLine", .text = {"cmd <&> \"\xC3\xA9\xF0\x9F\x98\x80\" \x01", 18}},
    {.name = "LogonId", .type = EVTX_HEX, .number = 0x3e7},
    {.name = "Big", .type = EVTX_HEX, .number = UINT64_C(0xFEDCBA9876543210)},
    {.name = "Minus", .type = EVTX_INT, .number = (uint64_t)-5},
    {.name = "Initiated", .type = EVTX_BOOL, .number = 1},
    {.name = "Sid", .type = EVTX_SID, .text = {"S-1-5-21-1-2-3-500", 18}},
    {.name = "Time", .type = EVTX_FILETIME, .number = KQ_TICKS_1970 + 5},
    {.name = "Bytes", .type = EVTX_BINARY, .text = {"\x00\xAB", 2}},
    {.name = "Nothing", .type = EVTX_NULL},
    {.name = "Empty", .text = {"", 0}},
    {.name = "List", .type = EVTX_TEXTS, .text = {"a\n\nc", 4}},
    {.name = "dotted.name", .text = {"dot", 3}},
};

static evtx_event event_of(uint64_t id) {
    evtx_event e = {.provider = "Microsoft-Windows-Sysmon",
                    .provider_guid = "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
                    .event_id = 1,
                    .channel = "Microsoft-Windows-Sysmon/Operational",
                    .computer = "pc1.example.com",
                    .time = KQ_TICKS_1970 + (int64_t)id,
                    .record_id = id,
                    .user_id = "S-1-5-18",
                    .process_id = 4,
                    .thread_id = 8,
                    .version = 5,
                    .level = 4,
                    .task = 1,
                    .keywords = UINT64_C(0x8000000000000000),
                    .activity_id = "00112233-4455-6677-8899-aabbccddeeff",
                    .data = process,
                    .ndata = sizeof process / sizeof *process};
    return e;
}

static int setup(void **state) {
    (void)state;
    case_begin();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    case_end();
    return 0;
}

static void add(const evtx_event *e) {
    assert_true(evtx_writer_add(&writer, e));
}

static void read_as(const char *wanted, const char *suffix) {
    uint64_t stop = result.stop_after;
    case_anew();
    result.stop_after = stop;
    evtx_read_bytes(kq_buf_view(&writer.file), suffix, evtx_request(&words, wanted), &result);
    assert_int_equal(result.opened, KQ_OK);
    assert_int_equal(result.status, KQ_OK);
    assert_string_equal(evtx_damage(&result), "");
}

static void finish_and_read(const char *wanted) {
    evtx_writer_finish(&writer);
    read_as(wanted, ".evtx");
}

#define EVERY_FIELD                                                                                                    \
    "System.Provider System.ProviderGuid System.EventID System.Version System.Level System.Task System.Opcode "        \
    "System.Keywords System.TimeCreated System.EventRecordID System.ActivityID System.ProcessID System.ThreadID "      \
    "System.Channel System.Computer System.UserID System.Qualifiers $offset $index"
#define EVERY_VALUE                                                                                                    \
    "0:Microsoft-Windows-Sysmon|{5770385F-C22A-43E0-BF4C-06F5698FFBD9}|1|5|4|1|0|0x8000000000000000|"                  \
    "1970-01-01T00:00:00.0000007Z|7|{00112233-4455-6677-8899-AABBCCDDEEFF}|4|8|Microsoft-Windows-Sysmon/Operational|"  \
    "pc1.example.com|S-1-5-18|~|4608|0\n"

static void system_fields(void **state) {
    (void)state;
    evtx_event e = event_of(7);
    add(&e);
    finish_and_read(EVERY_FIELD);
    assert_string_equal(result.rows.p, EVERY_VALUE);
    assert_int_equal(result.report->records, 1);
    assert_int_equal(result.report->bytes, 4096 + 65536);
}

static void system_fields_without_templates(void **state) {
    (void)state;
    evtx_event e = event_of(7);
    writer.inline_records = true;
    add(&e);
    finish_and_read(EVERY_FIELD);
    assert_string_equal(result.rows.p, EVERY_VALUE);
}

#define DATA_FIELDS                                                                                                    \
    "EventData.UtcTime EventData.ProcessGuid EventData.ProcessId EventData.Image EventData.CommandLine "               \
    "EventData.LogonId EventData.Big EventData.Minus EventData.Initiated EventData.Sid EventData.Time "                \
    "EventData.Bytes EventData.Nothing EventData.Empty EventData.List EventData.dotted.name EventData.Other "          \
    "EventData.image Nowhere.at.all $nothing"

static void data_fields(void **state) {
    (void)state;
    evtx_event e = event_of(7);
    add(&e);
    finish_and_read(DATA_FIELDS);
    assert_string_equal(result.rows.p,
                        "0:2024-05-01 10:00:00.123|{11223344-5566-7788-99AA-BBCCDDEEFF00}|4711|C:\\Windows\\cmd.exe|"
                        "cmd <&> \"\xC3\xA9\xF0\x9F\x98\x80\" \x01|0x3e7|0xfedcba9876543210|-5|true|S-1-5-21-1-2-3-500|"
                        "1970-01-01T00:00:00.0000005Z|00AB|0||a\n\nc|dot|~|~|~|~\n");
}

static void whole_data(void **state) {
    (void)state;
    evtx_event e = event_of(7);
    add(&e);
    finish_and_read("$EventDataXml $EventDataJson");
    assert_string_equal(
        result.rows.p,
        "0:<DataItem Type=\"System.XmlData\" time=\"1970-01-01T00:00:00.0000007Z\" "
        "sourceHealthServiceId=\"00000000-0000-0000-0000-000000000000\">"
        "<EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">"
        "<Data Name=\"UtcTime\">2024-05-01 10:00:00.123</Data>"
        "<Data Name=\"ProcessGuid\">{11223344-5566-7788-99AA-BBCCDDEEFF00}</Data><Data Name=\"ProcessId\">4711</Data>"
        "<Data Name=\"Image\">C:\\Windows\\cmd.exe</Data>"
        "<Data Name=\"CommandLine\">cmd &lt;&amp;&gt; \"\xC3\xA9\xF0\x9F\x98\x80\" \xEF\xBF\xBD</Data>"
        "<Data Name=\"LogonId\">0x3e7</Data><Data Name=\"Big\">0xfedcba9876543210</Data><Data Name=\"Minus\">-5</Data>"
        "<Data Name=\"Initiated\">true</Data><Data Name=\"Sid\">S-1-5-21-1-2-3-500</Data>"
        "<Data Name=\"Time\">1970-01-01T00:00:00.0000005Z</Data><Data Name=\"Bytes\">00AB</Data>"
        "<Data Name=\"Nothing\"></Data><Data Name=\"Empty\"></Data><Data Name=\"List\">a</Data><Data Name=\"List\">"
        "</Data><Data Name=\"List\">c</Data><Data Name=\"dotted.name\">dot</Data></EventData></DataItem>|"
        "{\"UtcTime\":\"2024-05-01 10:00:00.123\",\"ProcessGuid\":\"{11223344-5566-7788-99AA-BBCCDDEEFF00}\","
        "\"ProcessId\":\"4711\",\"Image\":\"C:\\\\Windows\\\\cmd.exe\","
        "\"CommandLine\":\"cmd <&> \\\"\xC3\xA9\xF0\x9F\x98\x80\\\" \\u0001\",\"LogonId\":\"0x3e7\","
        "\"Big\":\"0xfedcba9876543210\",\"Minus\":\"-5\",\"Initiated\":\"true\",\"Sid\":\"S-1-5-21-1-2-3-500\","
        "\"Time\":\"1970-01-01T00:00:00.0000005Z\",\"Bytes\":\"00AB\",\"Nothing\":\"\",\"Empty\":\"\","
        "\"List\":\"a\\n\\nc\",\"dotted.name\":\"dot\"}\n");
}

/* Templates or not, what is asked for by name is the same. */
static void collector_records(void **state) {
    (void)state;
    static const evtx_datum data[] = {{.name = "Image", .text = {"C:\\a.exe", 8}},
                                      {.name = "Id", .type = EVTX_UINT, .number = 77},
                                      {.text = {"first", 5}},
                                      {.text = {"second", 6}}};
    evtx_event e = event_of(9);
    e.data = data;
    e.ndata = 4;
    add(&e);
    writer.inline_records = true;
    add(&e);
    finish_and_read("EventData.Image EventData.Id EventData.param1 EventData.param2 EventData.param3 EventData.Data "
                    "$EventDataJson");
    const char *row = "0:C:\\a.exe|77|first|second|~|first\nsecond|"
                      "{\"Image\":\"C:\\\\a.exe\",\"Id\":\"77\",\"param1\":\"first\",\"param2\":\"second\"}\n";
    char both[1000];
    snprintf(both, sizeof both, "%s%s", row, row);
    assert_string_equal(result.rows.p, both);
}

static void unnamed_arrays(void **state) {
    (void)state;
    static const evtx_datum data[] = {{.type = EVTX_TEXTS, .text = {"one\ntwo", 7}}, {.text = {"three", 5}}};
    static const evtx_datum null[] = {{.type = EVTX_NULL}};
    evtx_event e = event_of(9);
    e.data = data;
    e.ndata = 2;
    add(&e);
    e.data = null;
    e.ndata = 1;
    add(&e);
    finish_and_read("EventData.param1 EventData.param3 EventData.Data $EventDataJson");
    assert_string_equal(result.rows.p, "0:one|three|one\ntwo\nthree|{\"param1\":\"one\",\"param2\":\"two\","
                                       "\"param3\":\"three\"}\n0:~|~|~|{}\n");
}

static void user_data(void **state) {
    (void)state;
    static const evtx_datum data[] = {{.name = "SubjectUserName", .text = {"admin", 5}},
                                      {.name = "Pid", .type = EVTX_UINT, .number = 3},
                                      {.name = "Pid", .type = EVTX_UINT, .number = 4}};
    evtx_event e = event_of(9);
    e.user_data = "LogFileCleared";
    e.data = data;
    e.ndata = 3;
    add(&e);
    finish_and_read("UserData.LogFileCleared.SubjectUserName UserData.LogFileCleared.xmlns $EventDataJson "
                    "UserData.LogFileCleared");
    assert_string_equal(result.rows.p,
                        "0:admin|http://manifests.microsoft.com/win/2004/08/windows/eventlog|"
                        "{\"LogFileCleared\":{\"SubjectUserName\":\"admin\",\"Pid\":[\"3\",\"4\"]}}|~\n");
}

static void several_chunks(void **state) {
    (void)state;
    writer.chunk_limit = 8000;
    for (uint64_t i = 1; i <= 100; i++) {
        evtx_event e = event_of(i);
        e.event_id = (uint16_t)(i % 3);
        add(&e);
    }
    evtx_writer_finish(&writer);
    assert_in_range(writer.nchunks, 10, 40);
    read_as("System.EventID=2 System.EventRecordID $index EventData.Image", ".evtx");
    assert_int_equal(result.nrows, 33);
    assert_int_equal(result.report->records, 100);
    assert_non_null(strstr(result.rows.p, "0:50|49|C:\\Windows\\cmd.exe\n"));
    result.stop_after = 5;
    read_as("System.EventRecordID", ".evtx");
    assert_int_equal(result.nrows, 5);
}

/* A provider that stands in the template rules out sets before any value is read; the rows are the same. */
static void literal_provider(void **state) {
    (void)state;
    evtx_event e = event_of(1), other = event_of(2);
    other.provider = "Other";
    add(&e);
    writer.literal_provider = true;
    add(&e);
    add(&other);
    finish_and_read("System.Provider=MICROSOFT-windows-sysmon System.EventID=1 System.EventRecordID");
    assert_string_equal(result.rows.p, "0:1\n0:1\n");
    read_as("System.Provider=Other System.EventRecordID System.Provider", ".evtx");
    assert_string_equal(result.rows.p, "0:2|Other\n");
}

static bool ends_with_cmd(const void *ctx, const kq_field *field) {
    (*(unsigned *)(uintptr_t)ctx)++;
    return field->kind == KQ_FIELD_STRING && kq_sv_ends(field->u.text, KQ_SV("cmd.exe"));
}

static void sets_and_judges(void **state) {
    (void)state;
    static const evtx_datum other[] = {{.name = "Image", .text = {"x.exe", 5}}};
    evtx_event e = event_of(1);
    add(&e);
    e.event_id = 5;
    add(&e);
    e.data = other;
    e.ndata = 1;
    add(&e);
    evtx_writer_finish(&writer);
    unsigned calls = 0;
    const kq_sv one[] = {KQ_SV("1"), KQ_SV("3")}, five[] = {KQ_SV("5"), KQ_SV("05")};
    const kq_selector first[] = {{KQ_SV("System.EventID"), one, 2, false}},
                      second[] = {{KQ_SV("System.EventID"), five, 2, false}};
    const kq_want wants[] = {{.name = KQ_SV("System.EventID")},
                             {.name = KQ_SV("EventData.Image"), .accept = ends_with_cmd, .accept_ctx = &calls}};
    const kq_want as_json[] = {{.name = KQ_SV("EventData.Image"), .json = true},
                               {.name = KQ_SV("EventData.ProcessId"), .json = true},
                               {.name = KQ_SV("EventData.None"), .json = true}};
    const kq_want_set sets[] = {{first, 1, as_json, 3}, {second, 1, wants, 2}, {NULL, 0, wants, 1}};
    const kq_request request = {.sets = sets, .nsets = 3};
    evtx_read_bytes(kq_buf_view(&writer.file), ".evtx", &request, &result);
    assert_string_equal(result.rows.p,
                        "0:\"C:\\\\Windows\\\\cmd.exe\"|4711|~\n2:1\n1:5|C:\\Windows\\cmd.exe\n2:5\n2:5\n");
    assert_int_equal(calls, 2);
}

static void compressed(void **state) {
    (void)state;
    writer.chunk_limit = 8000;
    for (uint64_t i = 1; i <= 30; i++) {
        evtx_event e = event_of(i);
        add(&e);
    }
    finish_and_read("System.EventRecordID $offset EventData.Image");
    char *plain = kq_strdup(result.rows.p);
    size_t room = writer.file.n + 1000;
    Bytef *packed = kq_malloc(room);
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)writer.file.p;
    z.avail_in = (uInt)writer.file.n;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    kq_buf_clear(&writer.file);
    kq_buf_append(&writer.file, packed, room - z.avail_out);
    deflateEnd(&z);
    read_as("System.EventRecordID $offset EventData.Image", ".evtx.gz");
    assert_string_equal(result.rows.p, plain);
    kq_free(packed);
    kq_free(plain);
}

static void detection(void **state) {
    (void)state;
    evtx_event e = event_of(1);
    add(&e);
    evtx_writer_finish(&writer);
    kq_sv file = kq_buf_view(&writer.file);
    assert_int_equal(kq_source_evtx.detect(file, "x"), 100);
    memset(writer.file.p, 0, 4096);
    assert_int_equal(kq_source_evtx.detect(file, "x"), 90);
    assert_int_equal(kq_source_evtx.detect(KQ_SV("version https://git-lfs"), "a/x.EVTX"), 60);
    assert_int_equal(kq_source_evtx.detect(KQ_SV(""), "x.evtx.gz"), 60);
    assert_int_equal(kq_source_evtx.detect(KQ_SV("{\"a\":1}"), "x.json"), 0);
}

static void utf16(void **state) {
    (void)state;
    static const uint16_t units[] = {'p',  'l',    'a',    'i',    'n',    ' ', 't',    'e', 'x',    't',   '!',
                                     0xE9, 0x20AC, 0xD83D, 0xDE00, 0xD800, 'x', 0xDC00, 'y', 0xFFFF, 0xD83D};
    const char *want =
        "plain text!\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBDx\xEF\xBF\xBDy\xEF\xBF\xBF\xEF\xBF\xBD";
    uint8_t bytes[1 + sizeof units];
    char out[KQ_UTF16_ROOM(64)];
    for (size_t i = 0; i < sizeof units / 2; i++) {
        bytes[1 + 2 * i] = (uint8_t)units[i];
        bytes[2 + 2 * i] = (uint8_t)(units[i] >> 8);
    }
    size_t n = kq_utf16_utf8(bytes + 1, sizeof units / 2, out);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(out, want, n);
    /* every code point but surrogates, at every place of a vector */
    for (uint32_t cp = 1; cp < 0x10000; cp += 7) {
        if (cp >= 0xD800 && cp < 0xE000) continue;
        uint8_t text[40];
        char one[4];
        uint32_t at = cp % 20;
        for (int i = 0; i < 20; i++) text[2 * i] = 'a', text[2 * i + 1] = 0;
        text[2 * at] = (uint8_t)cp;
        text[2 * at + 1] = (uint8_t)(cp >> 8);
        unsigned len = kq_utf8_encode(cp, one);
        assert_int_equal(kq_utf16_utf8(text, 20, out), 19 + len);
        assert_memory_equal(out + at, one, len);
    }
}

static void checksum(void **state) {
    (void)state;
    static uint8_t bytes[70000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)rand();
    for (size_t n = 0; n < 700; n++) {
        uint32_t start = (uint32_t)n * 0x01234567u;
        assert_int_equal(kq_crc32(start, bytes + n % 16, n), crc32(start, bytes + n % 16, (uInt)n));
    }
    assert_int_equal(kq_crc32(0, bytes, sizeof bytes), crc32(0, bytes, sizeof bytes));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(system_fields),
        T(system_fields_without_templates),
        T(data_fields),
        T(whole_data),
        T(collector_records),
        T(unnamed_arrays),
        T(user_data),
        T(several_chunks),
        T(literal_provider),
        T(sets_and_judges),
        T(compressed),
        T(detection),
        T(utf16),
        T(checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
