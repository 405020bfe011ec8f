/* Exported event XML: the fields of the EVTX source for the same events, every form of file, every size of block, and
 * damage. */
#include "evtx_read.h"
#include "rows.h"
#include "source/xml_internal.h"
#include <cmocka.h>
#include <stdio.h>
#include <zlib.h>

#define NS "http://schemas.microsoft.com/win/2004/08/events/event"

static evtx_words words;
static evtx_result result;

static void read_bytes(kq_sv bytes, const char *suffix, const kq_request *request) {
    uint64_t stop = result.stop_after;
    evtx_result_deinit(&result);
    evtx_result_init(&result);
    result.type = &kq_source_xml;
    result.stop_after = stop;
    evtx_read_bytes(bytes, suffix, request, &result);
    assert_int_equal(result.opened, KQ_OK);
    assert_int_equal(result.status, KQ_OK);
}

/* The rows and the damage, whatever the size of blocks, read by place and in order. */
static void expect_bytes(kq_sv bytes, const char *wanted, const char *rows, const char *damage) {
    static const uint64_t blocks[] = {KQ_BLOCK_BYTES, 1, 2, 7, 64, 333};
    /* a second set that no event belongs to asks for numbers: then files are read in order */
    const kq_want number = {.name = KQ_SV("$index")};
    const kq_selector never = {.name = KQ_SV("System.Nothing")};
    const kq_want_set sets[] = {evtx_request(&words, wanted)->sets[0], {&never, 1, &number, 1}};
    for (size_t i = 0; i < 2 * sizeof blocks / sizeof *blocks; i++) {
        const kq_request request = {.sets = sets, .nsets = 1 + i % 2};
        kq_xml_block_bytes = blocks[i / 2];
        read_bytes(bytes, ".xml", &request);
        if (strcmp(result.rows.p, rows) != 0 || strcmp(evtx_damage(&result), damage) != 0)
            print_error("block of %d bytes, %s\n", (int)kq_xml_block_bytes, i % 2 ? "in order" : "by place");
        assert_string_equal(result.rows.p, rows);
        assert_string_equal(evtx_damage(&result), damage);
    }
    kq_xml_block_bytes = KQ_BLOCK_BYTES;
}

static void expect(const char *text, const char *wanted, const char *rows, const char *damage) {
    expect_bytes(kq_sv_of(text), wanted, rows, damage);
}

/* As wevtutil writes it. The event is the one of test_evtx.c. */
#define SYSTEM                                                                                                         \
    "<System><Provider Name='Microsoft-Windows-Sysmon' Guid='{5770385f-c22a-43e0-bf4c-06f5698ffbd9}'/>"                \
    "<EventID>1</EventID><Version>5</Version><Level>4</Level><Task>1</Task><Opcode>0</Opcode>"                         \
    "<Keywords>0x8000000000000000</Keywords><TimeCreated SystemTime='1970-01-01T00:00:00.000000700Z'/>"                \
    "<EventRecordID>7</EventRecordID><Correlation ActivityID='{00112233-4455-6677-8899-aabbccddeeff}'/>"               \
    "<Execution ProcessID='4' ThreadID='8'/><Channel>Microsoft-Windows-Sysmon/Operational</Channel>"                   \
    "<Computer>pc1.example.com</Computer><Security UserID='S-1-5-18'/></System>"
#define DATA                                                                                                           \
    "<EventData><Data Name='UtcTime'>2024-05-01 10:00:00.123</Data>"                                                   \
    "<Data Name='ProcessGuid'>{11223344-5566-7788-99aa-bbccddeeff00}</Data><Data Name='ProcessId'>4711</Data>"         \
    "<Data Name='Image'>C:\\Windows\\cmd.exe</Data>"                                                                   \
    "<Data Name='CommandLine'>cmd &lt;&amp;&gt; \"\xC3\xA9\xF0\x9F\x98\x80\" &#x1;</Data>"                             \
    "<Data Name='LogonId'>0x3e7</Data><Data Name='Big'>0xfedcba9876543210</Data><Data Name='Minus'>-5</Data>"          \
    "<Data Name='Initiated'>true</Data><Data Name='Sid'>S-1-5-21-1-2-3-500</Data>"                                     \
    "<Data Name='Time'>1970-01-01T00:00:00.0000005Z</Data><Data Name='Bytes'>00AB</Data>"                              \
    "<Data Name='Nothing'></Data><Data Name='Empty'></Data><Data Name='List'>a</Data><Data Name='List'></Data>"        \
    "<Data Name='List'>c</Data><Data Name='dotted.name'>dot</Data></EventData>"
#define EVENT "<Event xmlns='" NS "'>" SYSTEM DATA "</Event>"

#define EVERY_FIELD                                                                                                    \
    "System.Provider System.ProviderGuid System.EventID System.Version System.Level System.Task System.Opcode "        \
    "System.Keywords System.TimeCreated System.EventRecordID System.ActivityID System.ProcessID System.ThreadID "      \
    "System.Channel System.Computer System.UserID System.Qualifiers"
#define EVERY_VALUE                                                                                                    \
    "0:Microsoft-Windows-Sysmon|{5770385F-C22A-43E0-BF4C-06F5698FFBD9}|1|5|4|1|0|0x8000000000000000|"                  \
    "1970-01-01T00:00:00.0000007Z|7|{00112233-4455-6677-8899-AABBCCDDEEFF}|4|8|Microsoft-Windows-Sysmon/Operational|"  \
    "pc1.example.com|S-1-5-18|~\n"
#define DATA_FIELDS                                                                                                    \
    "EventData.UtcTime EventData.ProcessGuid EventData.ProcessId EventData.Image EventData.CommandLine "               \
    "EventData.LogonId EventData.Big EventData.Minus EventData.Initiated EventData.Sid EventData.Time "                \
    "EventData.Bytes EventData.Nothing EventData.Empty EventData.List EventData.dotted.name EventData.Other "          \
    "EventData.image Nowhere.at.all $nothing"
#define DATA_VALUE                                                                                                     \
    "0:2024-05-01 10:00:00.123|{11223344-5566-7788-99AA-BBCCDDEEFF00}|4711|C:\\Windows\\cmd.exe|"                      \
    "cmd <&> \"\xC3\xA9\xF0\x9F\x98\x80\" \x01|0x3e7|0xfedcba9876543210|-5|true|S-1-5-21-1-2-3-500|"                   \
    "1970-01-01T00:00:00.0000005Z|00AB|||a\n\nc|dot|~|~|~|~\n"
#define WHOLE_VALUE                                                                                                    \
    "0:<DataItem Type=\"System.XmlData\" time=\"1970-01-01T00:00:00.0000007Z\" "                                       \
    "sourceHealthServiceId=\"00000000-0000-0000-0000-000000000000\">"                                                  \
    "<EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">"                                      \
    "<Data Name=\"UtcTime\">2024-05-01 10:00:00.123</Data>"                                                            \
    "<Data Name=\"ProcessGuid\">{11223344-5566-7788-99aa-bbccddeeff00}</Data><Data Name=\"ProcessId\">4711</Data>"     \
    "<Data Name=\"Image\">C:\\Windows\\cmd.exe</Data>"                                                                 \
    "<Data Name=\"CommandLine\">cmd &lt;&amp;&gt; \"\xC3\xA9\xF0\x9F\x98\x80\" \xEF\xBF\xBD</Data>"                    \
    "<Data Name=\"LogonId\">0x3e7</Data><Data Name=\"Big\">0xfedcba9876543210</Data><Data Name=\"Minus\">-5</Data>"    \
    "<Data Name=\"Initiated\">true</Data><Data Name=\"Sid\">S-1-5-21-1-2-3-500</Data>"                                 \
    "<Data Name=\"Time\">1970-01-01T00:00:00.0000005Z</Data><Data Name=\"Bytes\">00AB</Data>"                          \
    "<Data Name=\"Nothing\"></Data><Data Name=\"Empty\"></Data><Data Name=\"List\">a</Data><Data Name=\"List\">"       \
    "</Data><Data Name=\"List\">c</Data><Data Name=\"dotted.name\">dot</Data></EventData></DataItem>|"                 \
    "{\"UtcTime\":\"2024-05-01 10:00:00.123\",\"ProcessGuid\":\"{11223344-5566-7788-99aa-bbccddeeff00}\","             \
    "\"ProcessId\":\"4711\",\"Image\":\"C:\\\\Windows\\\\cmd.exe\","                                                   \
    "\"CommandLine\":\"cmd <&> \\\"\xC3\xA9\xF0\x9F\x98\x80\\\" \\u0001\",\"LogonId\":\"0x3e7\","                      \
    "\"Big\":\"0xfedcba9876543210\",\"Minus\":\"-5\",\"Initiated\":\"true\",\"Sid\":\"S-1-5-21-1-2-3-500\","           \
    "\"Time\":\"1970-01-01T00:00:00.0000005Z\",\"Bytes\":\"00AB\",\"Nothing\":\"\",\"Empty\":\"\","                    \
    "\"List\":\"a\\n\\nc\",\"dotted.name\":\"dot\"}\n"

static void same_as_evtx(void **state) {
    (void)state;
    expect(EVENT, EVERY_FIELD, EVERY_VALUE, "");
    expect(EVENT, DATA_FIELDS, DATA_VALUE, "");
    expect(EVENT, "$EventDataXml $EventDataJson", WHOLE_VALUE, "");
    expect(EVENT EVENT "\n" EVENT, "System.EventID=1 System.Provider=MICROSOFT-windows-sysmon System.EventRecordID",
           "0:7\n0:7\n0:7\n", "");
    expect(EVENT, "System.EventID=2 System.EventRecordID", "", "");
    assert_int_equal(result.report->records, 1);
}

/* Everything before the first event, around events and behind the last. */
static void files(void **state) {
    (void)state;
    static const char *const around[][3] = {
        {"", "", ""},
        {"\n\n", "\r\n", "\r\n\r\n"},
        {"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\n<Events>", "", "</Events>"},
        {"\xEF\xBB\xBF<?xml version='1.0'?><!-- exported --><Events xmlns='x'>\n  ", "\n  ", "\n</Events>\n"},
        {"<!DOCTYPE x><root>", "<!-- <b> -->", "</root>"},
        {"<Events>", "</Events>\n\xEF\xBB\xBF<?xml version='1.0'?><Events>", "</Events>"}};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        kq_buf_printf(&text, "%s%s%s%s%s%s", around[i][0], EVENT, around[i][1], EVENT, around[i][1], EVENT);
        kq_buf_str(&text, around[i][2]);
        expect_bytes(kq_buf_view(&text), "System.EventRecordID EventData.Image",
                     "0:7|C:\\Windows\\cmd.exe\n0:7|C:\\Windows\\cmd.exe\n0:7|C:\\Windows\\cmd.exe\n", "");
        assert_int_equal(result.report->records, 3);
        assert_int_equal(kq_source_xml.detect(kq_buf_view(&text), "x"), 95);
        kq_buf_deinit(&text);
    }
}

#define HEAD "<System><Provider Name='P'/><EventID>3</EventID></System>"
static void spellings(void **state) {
    (void)state;
    /* pretty-printed, double quotes, other order and white space, comments, no namespace */
    expect("<Event>\n  <!-- c -->\n  <System >\n    <Provider Guid = \"{5770385F-C22A-43E0-BF4C-06F5698FFBD9}\"\n"
           "      Name = \"P\" />\n    <EventID Qualifiers=\"9\"\n>3</EventID >\n    <Level/>\n  </System>\n  "
           "<EventData>\n"
           "    <Data Name = \"a\" >x</Data>\n    <Data b='1' Name=\"c\">y</Data >\n    <Data Name='e' />\n  "
           "</EventData>\n"
           "</Event>",
           "System.Provider System.ProviderGuid System.EventID System.Qualifiers System.Level EventData.a EventData.c "
           "EventData.e $EventDataJson",
           "0:P|{5770385F-C22A-43E0-BF4C-06F5698FFBD9}|3|9|0|x|y||{\"a\":\"x\",\"c\":\"y\",\"e\":\"\"}\n", "");
    /* written anew by a program that puts a prefix before names */
    expect("<ns0:Event xmlns:ns0=\"" NS "\"><ns0:System><ns0:Provider Name=\"P\"/><ns0:EventID>3</ns0:EventID>"
           "</ns0:System><ns0:EventData><ns0:Data Name=\"a\">x</ns0:Data><ns0:Data>y</ns0:Data></ns0:EventData>"
           "</ns0:Event>",
           "System.Provider System.EventID EventData.a EventData.param1 $EventDataJson",
           "0:P|3|x|y|{\"a\":\"x\",\"param1\":\"y\"}\n", "");
    /* references and CDATA */
    expect("<Event>" HEAD "<EventData><Data Name='a'>1&#13;&#10;2&apos;&quot;&#x1F600;&#xD83D;&#xDE00;&#0;</Data>"
           "<Data Name='b'><![CDATA[<&amp;]]>&amp;x<!-- -->y<![CDATA[z]]></Data><Data Name='&lt;c'>d</Data>"
           "<Data>&lt;</Data><Data><![CDATA[>]]></Data></EventData></Event>",
           "EventData.a EventData.b EventData.<c EventData.param1 EventData.Data $EventDataJson",
           "0:1\r\n2'\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xEF\xBF\xBD|<&amp;&xyz|d|<|<\n>|"
           "{\"a\":\"1\\r\\n2'\\\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xEF\xBF\xBD\",\"b\":\"<&amp;&xyz\",\"<c\":\"d\","
           "\"param1\":\"<\",\"param2\":\">\"}\n",
           "");
    /* a value in which the file has a line's end */
    expect("<Event>" HEAD "<EventData><Data Name='a'>1\r\n\t2</Data></EventData></Event>", "EventData.a",
           "0:1\r\n\t2\n", "");
}

static void data_of_all_kinds(void **state) {
    (void)state;
    expect("<Event>" HEAD "<EventData><Data>first</Data><Data>second</Data><Data Name=''/><Binary>00AB</Binary>"
           "<Data Name='param2'>named</Data></EventData></Event>",
           "EventData.param1 EventData.param2 EventData.param3 EventData.param4 EventData.Data EventData.Binary "
           "$EventDataJson",
           "0:first|named||~|first\nsecond\n|00AB|{\"param1\":\"first\",\"param2\":\"second\",\"param3\":\"\","
           "\"Binary\":\"00AB\",\"param2\":\"named\"}\n",
           "");
    expect("<Event>" HEAD
           "<UserData><LogFileCleared xmlns='http://manifests.microsoft.com/win/2004/08/windows/eventlog'>"
           "<SubjectUserName>admin</SubjectUserName><Pid>3</Pid><Pid>4</Pid></LogFileCleared></UserData>"
           "<RenderingInfo Culture='en-US'><Message>It &amp; that</Message><Keywords><Keyword>k</Keyword></Keywords>"
           "</RenderingInfo></Event>",
           "UserData.LogFileCleared.SubjectUserName UserData.LogFileCleared.xmlns $EventDataJson "
           "UserData.LogFileCleared RenderingInfo.Message RenderingInfo.Culture RenderingInfo.Keywords.Keyword",
           "0:admin|http://manifests.microsoft.com/win/2004/08/windows/eventlog|"
           "{\"LogFileCleared\":{\"SubjectUserName\":\"admin\",\"Pid\":[\"3\",\"4\"]}}|~|It & that|en-US|k\n",
           "");
    /* an element of an event's own data is called Event */
    expect("<Event>" HEAD "<UserData><Event xmlns='e'><System2>1</System2></Event><a><Event>2</Event></a></UserData>"
           "</Event><Event>" HEAD "</Event>",
           "UserData.Event.System2 UserData.a.Event System.EventID", "0:1|2|3\n0:~|~|3\n", "");
    /* names with dots, and elements of one name: the first has the field */
    expect("<Event>" HEAD "<UserData><x.y w.v='0'><z>1</z><z>2</z></x.y></UserData></Event>",
           "UserData.x.y.z UserData.x.y.w.v UserData.x UserData.y", "0:1|0|~|~\n", "");
    expect("<Event>" HEAD "<EventData><Data Name='a.b' x=''>1</Data></EventData></Event>", "EventData.a.b", "0:1\n",
           "");
    expect("<Event>" HEAD "<EventData><Data Name='L'>a</Data><Data Name='L'/><Data Name='L'>&gt;</Data>"
           "<Data Name='M'>d</Data><Data Name='L'>e</Data></EventData></Event>",
           "EventData.L EventData.M", "0:a\n\n>|d\n", "");
}

static void places(void **state) {
    (void)state;
    const char *text = "\xEF\xBB\xBF <Event>" HEAD "</Event>\n<Event>" HEAD "\xC3\xA9</Event>";
    expect(text, "$offset $raw", "0:4|<Event>" HEAD "</Event>\n0:77|<Event>" HEAD "\xC3\xA9</Event>\n", "");
    read_bytes(kq_sv_of(text), ".xml", evtx_request(&words, "$index $offset $file"));
    assert_non_null(strstr(result.rows.p, "0:0|4|/tmp/kequel-evtx-"));
    assert_non_null(strstr(result.rows.p, "\n0:1|77|/tmp/kequel-evtx-"));
    assert_int_equal(result.report->bytes, strlen(text));
    result.stop_after = 1;
    read_bytes(kq_sv_of(text), ".xml", evtx_request(&words, "$offset"));
    assert_int_equal(result.nrows, 1);
    result.stop_after = 0;
}

/* UTF-16 of ASCII and of a few characters that are not. */
static void to_utf16(const char *text, bool big, bool mark, kq_buf *out) {
    if (mark) kq_buf_append(out, big ? "\xFE\xFF" : "\xFF\xFE", 2);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        unsigned cp = *p, n = cp < 0x80 ? 1 : cp < 0xE0 ? 2 : cp < 0xF0 ? 3 : 4;
        if (n > 1) cp &= 0xFF >> (n + 1);
        for (unsigned i = 1; i < n; i++) cp = cp << 6 | (p[i] & 0x3F);
        p += n;
        unsigned units[2] = {cp, 0};
        if (cp >= 0x10000) {
            units[0] = 0xD800 + ((cp - 0x10000) >> 10);
            units[1] = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        for (int i = 0; i < 1 + (cp >= 0x10000); i++) {
            kq_buf_char(out, (char)(big ? units[i] >> 8 : units[i]));
            kq_buf_char(out, (char)(big ? units[i] : units[i] >> 8));
        }
    }
}

static void utf16(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        to_utf16("<Event>" HEAD
                 "<EventData><Data Name='a'>\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC</Data></EventData></Event>\r\n"
                 "<Event>" HEAD "</Event>\r\n",
                 i % 2, i < 2, &text);
        const char *with = "0:\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC|2\n0:~|248\n";
        const char *without = "0:\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC|0\n0:~|246\n";
        expect_bytes(kq_buf_view(&text), "EventData.a $offset", i < 2 ? with : without, "");
        assert_int_equal(kq_source_xml.detect(kq_buf_view(&text), "x"), 90);
        kq_buf_str(&text, i % 2 ? "\0" : "<"); /* half a unit: not even cut off */
        expect_bytes(kq_buf_view(&text), "EventData.a $offset", i < 2 ? with : without, "");
        kq_buf_deinit(&text);
    }
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    to_utf16("<Event>" HEAD "\xF0\x9F\x98\x80</Event>x<Event>" HEAD "<a></Event>", false, true, &text);
    expect_bytes(kq_buf_view(&text), "System.EventID", "0:3\n",
                 "150 text that is no event: skipped\n152 an end tag that fits no start tag\n");
    kq_buf_deinit(&text);
}

#define DATA_OF(text) "<Event>" HEAD "<EventData><Data Name='a'>" text "</Data></EventData></Event>\n"
/* What is declared counts where no mark says otherwise: Windows-1252 is read, others are told of where they matter. */
static void encodings(void **state) {
    (void)state;
#define BODY                                                                                                           \
    "<Events><Event>" HEAD "<EventData><Data Name='a'>\x80\xE9\xFF\x81</Data></EventData></Event>"                     \
    "<Event>" HEAD "<a>\xE9<!--\xE9--></a></Event></Events>"
    static const char *const names[] = {"iso-8859-1", "ISO-8859-1", "Windows-1252", "latin1", "cp1252"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[600], rows[100];
        snprintf(text, sizeof text, "<?xml version='1.0' encoding='%s'?>\n%s", names[i], BODY);
        unsigned at = (unsigned)(strstr(text, "<Event>") - text);
        snprintf(rows, sizeof rows, "0:\xE2\x82\xAC\xC3\xA9\xC3\xBF\xC2\x81|%u\n0:~|%u\n", at, at + 121);
        expect(text, "EventData.a $offset", rows, "");
        assert_int_equal(kq_source_xml.detect(kq_sv_of(text), "x"), 90);
    }
    const char *mended = "0:\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n0:~\n";
    expect("<?xml encoding=\"utf-16\"?>" BODY, "EventData.a", mended,
           "33 invalid UTF-8, replaced by U+FFFD\n154 invalid UTF-8, replaced by U+FFFD\n");
    expect("<?xml encoding = \"windows-1251\" ?>" BODY, "EventData.a", mended,
           "42 text in windows-1251, which is not read: what is no UTF-8 is U+FFFD\n"
           "163 text in windows-1251, which is not read: what is no UTF-8 is U+FFFD\n");
    expect("<?xml encoding='windows-1251'?>" DATA_OF("x") DATA_OF("\xC3\xA9"), "EventData.a", "0:x\n0:\xC3\xA9\n", "");
    expect("<?xml encoding='a\nb'?><Event>" HEAD "\xE9</Event>", "System.EventID", "0:3\n",
           "22 invalid UTF-8, replaced by U+FFFD\n");
    expect("\xEF\xBB\xBF<?xml encoding='latin1'?>" DATA_OF("\xC3\xA9"), "EventData.a", "0:\xC3\xA9\n", "");
    expect("<Event>" HEAD "<?xml encoding='latin1'?></Event>" DATA_OF("\xC3\xA9"), "EventData.a", "0:~\n0:\xC3\xA9\n",
           "");
    /* told of what is given as a row, whatever it shows of it, and of nothing else */
    const char *told = "0 invalid UTF-8, replaced by U+FFFD\n";
    expect(DATA_OF("\xE9"), "$EventDataJson", "0:{\"a\":\"\xEF\xBF\xBD\"}\n", told);
    expect(DATA_OF("\xE9"), "System.EventID", "0:3\n", told);
    expect(DATA_OF("\xE9"), "System.EventID=4 EventData.a", "", "");
}

#define GOOD "<Event>" HEAD "<EventData><Data Name='a'>1</Data></EventData></Event>\n"
static void damage(void **state) {
    (void)state;
    const char *cut = "0 the event is cut off\n", *ends = "0 an end tag that fits no start tag\n";
    static const char *const whole = "<Event>" HEAD "<EventData><Data Name='a'>1</Data><x y='z'/></EventData></Event>";
    /* an event that ends at any of its bytes from System on */
    for (size_t n = strlen("<Event>" HEAD); n < strlen(whole); n++) {
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        kq_buf_append(&text, whole, n);
        read_bytes(kq_buf_view(&text), ".xml", evtx_request(&words, "EventData.a"));
        assert_string_equal(result.rows.p, "");
        assert_string_equal(evtx_damage(&result), cut);
        kq_buf_deinit(&text);
    }
    expect("<Event>" HEAD "<EventData><Data Name='a'>" GOOD, "EventData.a", "0:1\n", cut);
    expect("<Event>" HEAD "<EventData><Data Name='a'>1</Date></EventData></Event>" GOOD, "EventData.a", "0:1\n", ends);
    expect("<Event>" HEAD "<EventData></Event>" GOOD, "EventData.a", "0:1\n", ends);
    expect("<Event>" HEAD "<EventData><Data Name='a>" GOOD, "EventData.a", "0:1\n", cut);
    expect("<Event>" HEAD "<EventData><Data Name=a></EventData></Event>" GOOD, "EventData.a", "0:1\n",
           "0 an attribute without quotes\n");
    expect("ab\nc<Event>" HEAD "</Event> hello " GOOD "</EventData>" GOOD " <a>", "EventData.a", "0:~\n0:1\n0:1\n",
           "0 text that is no event: skipped\n77 text that is no event: skipped\n"
           "202 text that is no event: skipped\n334 text that is no event: skipped\n");
    /* a mark that the next event cuts, wherever blocks end */
    expect("<Event>" HEAD "<!" GOOD "<Event>" HEAD "<!-" GOOD "<Event>" HEAD "<![CDATA" GOOD "<Event>" HEAD "<!x" GOOD,
           "EventData.a", "0:1\n0:1\n0:1\n0:1\n",
           "0 the event is cut off\n185 the event is cut off\n371 the event is cut off\n"
           "562 a declaration inside an event\n");
    expect("<Event/><Event></Event>" GOOD, "EventData.a", "0:1\n", "0 text that is no event: skipped\n");
    expect(GOOD "<Event>" HEAD "<EventData><Data Name='a'>\xFF\xC3</Data></EventData></Event>", "EventData.a",
           "0:1\n0:\xEF\xBF\xBD\xEF\xBF\xBD\n", "119 invalid UTF-8, replaced by U+FFFD\n");
    expect("<Event>" HEAD "<EventData><Data Name='a'>&nbsp;&#xZ;&</Data></EventData></Event>", "EventData.a",
           "0:&nbsp;&#xZ;&\n", "0 a '&' that begins no reference, left as it is\n");
    /* of an event that nobody wants, the end is looked at */
    expect("<Event>" HEAD "<EventData><Data>" GOOD "<Event>" HEAD "</Event >x\n" GOOD, "System.EventID=4 EventData.a",
           "", "0 the event is cut off\n273 text that is no event: skipped\n");
}

/* What looks like an event in a section is text. */
#define FORGED "<Event>" HEAD "<EventData><Data Name='a'>forged</Data></EventData></Event>"
static void sections(void **state) {
    (void)state;
    expect(DATA_OF("<![CDATA[" FORGED "]]>") GOOD, "EventData.a", "0:" FORGED "\n0:1\n", "");
    expect(DATA_OF("x<![CDATA[" FORGED FORGED "]]]]><![CDATA[>]]>y"), "EventData.a", "0:x" FORGED FORGED "]]>y\n", "");
    expect(DATA_OF("<!--" FORGED "-->2<!-- </Event> -->") GOOD, "EventData.a", "0:2\n0:1\n", "");
    expect("<!-- " FORGED " -->\n<Events>" GOOD "<!--" FORGED FORGED "-->" GOOD "<!-- " FORGED "--></Events>",
           "EventData.a", "0:1\n0:1\n", "");
    /* one inside the other is text too */
    expect(DATA_OF("<![CDATA[<!--]]>") GOOD DATA_OF("<!--<![CDATA[-->3") GOOD, "EventData.a", "0:<!--\n0:1\n0:3\n0:1\n",
           "");
    expect(DATA_OF("<![CDATA[<!--" FORGED "-->]]>") GOOD, "EventData.a", "0:<!--" FORGED "-->\n0:1\n", "");
    expect("<Event><!--" FORGED "--><System><EventID>4</EventID></System></Event>" GOOD, "EventData.a System.EventID",
           "0:~|4\n0:1|3\n", "");
    /* a file whose comment has events that are spelled in another way */
    expect("<!-- <x:Event><x:System> -->" GOOD, "EventData.a", "0:1\n", "");
    /* of events that nobody wants */
    expect(DATA_OF("<![CDATA[" FORGED "]]>") "<!--" FORGED "-->" GOOD DATA_OF("<!-- </Event>-->"),
           "System.EventID=4 EventData.a", "", "");
    assert_int_equal(result.report->records, 3);
    expect(DATA_OF("<![CDATA[" FORGED "]]></x>") GOOD, "System.EventID=4 EventData.a", "",
           "0 an end tag that fits no start tag\n");
    /* between events it is none of theirs */
    expect(GOOD "<![CDATA[" FORGED "]]>" GOOD, "EventData.a", "0:1\n0:1\n", "119 text that is no event: skipped\n");
    /* in a tag there is no section, and no '<' either */
    expect("<Event>" HEAD "<a b='<!-- " GOOD, "EventData.a", "", "0 the event is cut off\n");
    expect("<Event>" HEAD "<?x <a/>?></Event>" GOOD "<?x?>" GOOD, "EventData.a", "0:~\n0:1\n0:1\n", "");
    /* nor is what an instruction holds an event */
    expect("<?x " FORGED " ?><Events>" GOOD "<?x " FORGED FORGED "?>" GOOD "<?>" FORGED "?></Events>", "EventData.a",
           "0:1\n0:1\n", "");
    expect(DATA_OF("2<?x " FORGED "?>3") GOOD DATA_OF("4<?<!--?>5<!--<?-->6<![CDATA[<?]]>"), "EventData.a",
           "0:23\n0:1\n0:456<?\n", "");
    expect(DATA_OF("<?x " FORGED "?>") DATA_OF("2<?x " FORGED "?>3"), "$EventDataJson",
           "0:{\"a\":\"\"}\n0:{\"a\":\"23\"}\n", "");
    expect(DATA_OF("<?x " FORGED "?>") GOOD DATA_OF("<? </Event> ?>"), "System.EventID=4 EventData.a", "", "");
    assert_int_equal(result.report->records, 3);
    expect(GOOD "<?x " FORGED "? >" GOOD, "EventData.a", "0:1\n", "119 text that is no event: skipped\n");
    expect("<Event>" HEAD "<EventData><?x " GOOD, "EventData.a", "", "0 an instruction that is not closed\n");
    expect("<Event>" HEAD "<EventData><Data Name='a'><?cut " GOOD DATA_OF("<?x?>"), "EventData.a", "0:\n",
           "0 CDATA, a comment or an instruction that may have been cut off: it holds the start of an event and of "
           "another like it\n");
    expect("<?cut " GOOD "<?x?>" GOOD, "EventData.a", "0:1\n", "0 text that is no event: skipped\n");
}

/* A section that is not closed takes no more with it than it may be long. */
static void open_sections(void **state) {
    (void)state;
    expect("<Event>" HEAD "<EventData><!-- " GOOD, "EventData.a", "", "0 a comment that is not closed\n");
    expect(GOOD "<!-- " GOOD, "EventData.a", "0:1\n", "119 text that is no event: skipped\n");
    expect("<Event>" HEAD "<EventData><![CDATA[" GOOD "]]>", "EventData.a", "", "0 the event is cut off\n");
    const char *damage = "0 CDATA that is not closed\n";
    for (size_t n = 16; n < 400; n += n < 100 ? 1 : 7) {
        size_t head = strlen("<Event>" HEAD "<EventData>"), one = strlen(GOOD), rows = 0;
        kq_xml_section_bytes = n;
        for (size_t i = 0; i < 4; i++) rows += head + 9 + i * one >= head + n;
        const char *found[] = {"", "0:1\n", "0:1\n0:1\n", "0:1\n0:1\n0:1\n", "0:1\n0:1\n0:1\n0:1\n"};
        expect("<Event>" HEAD "<EventData><![CDATA[" GOOD GOOD GOOD GOOD, "EventData.a", found[rows], damage);
        expect("<Event>" HEAD "<EventData><![CDATA[" GOOD GOOD GOOD GOOD, "System.EventID=4 EventData.a", "", damage);
        rows = 0;
        for (size_t i = 0; i < 4; i++) rows += head + 2 + i * one >= head + n;
        expect("<Event>" HEAD "<EventData><?" GOOD GOOD GOOD GOOD, "EventData.a", found[rows],
               "0 an instruction that is not closed\n");
    }
    kq_xml_section_bytes = 64;
    /* the last byte that may close it, and one more */
    expect(DATA_OF("<![CDATA[123456789012345678901234567890123456789012345678901234]]>") GOOD, "EventData.a",
           "0:123456789012345678901234567890123456789012345678901234\n0:1\n", "");
    expect(DATA_OF("<![CDATA[1234567890123456789012345678901234567890123456789012345]]>") GOOD, "EventData.a", "0:1\n",
           damage);
    expect(DATA_OF("<?1234567890123456789012345678901234567890123456789012345678901?>") GOOD, "EventData.a",
           "0:\n0:1\n", "");
    expect(DATA_OF("<?12345678901234567890123456789012345678901234567890123456789012?>") GOOD, "EventData.a", "0:1\n",
           "0 an instruction that is not closed\n");
    /* characters of four bytes, which blocks of UTF-16 may cut in two */
#define FACE  "\xF0\x9F\x98\x80"
#define FACES FACE FACE FACE FACE FACE FACE FACE FACE
    for (int big = 0; big < 2; big++) {
        for (size_t n = 16; n < 90; n++) {
            kq_buf text;
            kq_buf_init(&text, NULL, 0);
            kq_xml_section_bytes = n;
            to_utf16(DATA_OF("<![CDATA[" FACES FACE "]]>") GOOD, big, true, &text);
            bool whole = n > 9 + 36;
            expect_bytes(kq_buf_view(&text), "EventData.a", whole ? "0:" FACES FACE "\n0:1\n" : "0:1\n",
                         whole ? "" : "2 CDATA that is not closed\n");
            kq_buf_clear(&text);
            to_utf16("<Event>" HEAD "<a><![CDATA[" FACES FACES GOOD GOOD, big, true, &text);
            expect_bytes(kq_buf_view(&text), "EventData.a", n <= 9 + 64 ? "0:1\n0:1\n" : "0:1\n",
                         "2 CDATA that is not closed\n");
            kq_buf_deinit(&text);
        }
    }
    kq_xml_section_bytes = (size_t)256 * 1024;
    /* one that was cut off, so that the next one's end closes it, is told: what it took may be events */
    expect("<Event>" HEAD "<EventData><Data Name='a'><![CDATA[cut " GOOD DATA_OF("<![CDATA[x]]>"), "EventData.a",
           "0:cut " GOOD "<Event>" HEAD "<EventData><Data Name='a'><![CDATA[x\n",
           "0 CDATA, a comment or an instruction that may have been cut off: it holds the start of an event and of "
           "another like it\n");
    expect("<!-- cut " GOOD "<!-- x -->" GOOD, "EventData.a", "0:1\n", "0 text that is no event: skipped\n");
}

static void bounds(void **state) {
    (void)state;
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_buf_str(&text, "<Event>" HEAD "<UserData>");
    for (int i = 0; i < 61; i++) kq_buf_str(&text, "<a>");
    kq_buf_str(&text, "x");
    for (int i = 0; i < 61; i++) kq_buf_str(&text, "</a>");
    kq_buf_str(&text, "</UserData></Event><Event>" HEAD "<UserData>");
    size_t second = text.n - strlen("<Event>" HEAD "<UserData>");
    for (int i = 0; i < 100000; i++) kq_buf_str(&text, "<a>");
    kq_buf_str(&text, GOOD);
    size_t third = text.n;
    kq_buf_str(&text, "<Event>" HEAD "<EventData");
    for (int i = 0; i < 300; i++) kq_buf_printf(&text, " a%d='%d'", i, i);
    kq_buf_str(&text, "/></Event>" GOOD);
    char expected[200];
    snprintf(expected, sizeof expected, "%zu elements are nested too deeply\n%zu an element has too many attributes\n",
             second, third);
    read_bytes(kq_buf_view(&text), ".xml", evtx_request(&words, "EventData.a UserData.a.a"));
    assert_string_equal(result.rows.p, "0:~|~\n0:1|~\n0:1|~\n");
    assert_string_equal(evtx_damage(&result), expected);
    /* more elements than are shown whole */
    kq_buf_clear(&text);
    kq_buf_str(&text, "<Event>" HEAD "<EventData>");
    for (int i = 0; i < 70000; i++) kq_buf_str(&text, "<a/>");
    kq_buf_str(&text, "</EventData></Event>" GOOD);
    read_bytes(kq_buf_view(&text), ".xml", evtx_request(&words, "System.EventID $EventDataJson"));
    assert_string_equal(result.rows.p, "0:3|~\n0:3|{\"a\":\"1\"}\n");
    assert_string_equal(evtx_damage(&result), "0 EventData has too many elements to be shown whole\n");
    kq_buf_deinit(&text);
}

static void too_long(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        kq_buf_str(&text, GOOD "<Event>" HEAD "<EventData><Data Name='a'>");
        size_t n = KQ_RECORD_MAX_BYTES + (size_t)3 * KQ_BLOCK_BYTES;
        char *p = kq_buf_reserve(&text, n);
        memset(p, 'x', n);
        text.n += n;
        if (i != 2) kq_buf_str(&text, "</Data></EventData></Event>" GOOD);
        read_bytes(kq_buf_view(&text), ".xml", evtx_request(&words, i == 1 ? "EventData.a $index" : "EventData.a"));
        assert_string_equal(result.rows.p, i == 2 ? "0:1\n" : i == 1 ? "0:1|0\n0:1|2\n" : "0:1\n0:1\n");
        assert_string_equal(evtx_damage(&result), "119 an event is longer than 4 MiB: skipped\n");
        kq_buf_deinit(&text);
    }
}

static bool ends_with_cmd(const void *ctx, const kq_field *field) {
    (*(unsigned *)(uintptr_t)ctx)++;
    return field->kind == KQ_FIELD_STRING && kq_sv_ends(field->u.text, KQ_SV("cmd.exe"));
}
static bool is_missing(const void *ctx, const kq_field *field) {
    (void)ctx;
    return field->kind == KQ_FIELD_MISSING;
}

#define EVENT_OF(id, image)                                                                                            \
    "<Event><System><Provider Name='P'/><EventID>" #id "</EventID></System><EventData><Data Name='Image'>" image       \
    "</Data><Data Name='ProcessId'>4711</Data></EventData></Event>"
static void sets_and_judges(void **state) {
    (void)state;
    unsigned calls = 0;
    const kq_sv one[] = {KQ_SV("1"), KQ_SV("3")}, five[] = {KQ_SV("5"), KQ_SV("05")};
    const kq_selector first[] = {{KQ_SV("System.EventID"), one, 2, false}},
                      second[] = {{KQ_SV("System.EventID"), five, 2, false}};
    const kq_selector third[] = {{KQ_SV("EventData.ProcessId"), one, 1, true}};
    const kq_want wants[] = {{.name = KQ_SV("System.EventID")},
                             {.name = KQ_SV("EventData.Image"), .accept = ends_with_cmd, .accept_ctx = &calls}};
    const kq_want as_json[] = {{.name = KQ_SV("EventData.Image"), .json = true},
                               {.name = KQ_SV("System.EventID"), .json = true},
                               {.name = KQ_SV("EventData.None"), .json = true, .accept = is_missing}};
    const kq_want_set sets[] = {
        {first, 1, as_json, 3}, {second, 1, wants, 2}, {NULL, 0, wants, 1}, {third, 1, wants, 1}};
    const kq_request request = {.sets = sets, .nsets = 4};
    const char *text = EVENT_OF(1, "C:\\\\cmd.exe") EVENT_OF(5, "C:\\cmd.exe") EVENT_OF(5, "x.exe");
    read_bytes(kq_sv_of(text), ".xml", &request);
    assert_string_equal(result.rows.p, "0:\"C:\\\\\\\\cmd.exe\"|1|~\n2:1\n3:1\n1:5|C:\\cmd.exe\n2:5\n3:5\n2:5\n3:5\n");
    assert_string_equal(evtx_damage(&result), "");
    assert_int_equal(calls, 2);
    assert_int_equal(result.report->records, 3);
}

static void compressed(void **state) {
    (void)state;
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_buf_str(&text, "<Events>");
    for (int i = 0; i < 300; i++) kq_buf_printf(&text, "<Event>%s</Event>\n", i % 3 ? SYSTEM DATA : HEAD);
    kq_buf_str(&text, "</Events>");
    const kq_request *request = evtx_request(&words, "System.EventRecordID $offset $index EventData.CommandLine");
    read_bytes(kq_buf_view(&text), ".xml", request);
    char *plain = kq_strdup(result.rows.p);
    assert_int_equal(result.nrows, 300);
    size_t room = text.n + 1000;
    Bytef *packed = kq_malloc(room);
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)text.p;
    z.avail_in = (uInt)text.n;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    read_bytes((kq_sv){(char *)packed, room - z.avail_out}, ".xml.gz", request);
    assert_string_equal(result.rows.p, plain);
    assert_string_equal(evtx_damage(&result), "");
    deflateEnd(&z);
    kq_free(packed);
    kq_free(plain);
    kq_buf_deinit(&text);
}

static void detection(void **state) {
    (void)state;
    static const struct {
        const char *head;
        int sure;
    } heads[] = {{EVENT, 95},
                 {"\xEF\xBB\xBF\r\n <Event xmlns=\"" NS "\"><System>", 95},
                 {"<Event><System><Provider", 90},
                 {"<?xml version=\"1.0\"?><Events><Event xmlns='" NS "'", 90},
                 {"<?xml version=\"1.0\"?><html><body>Event System</body></html>", 0},
                 {"<Event><Name>x</Name></Event>", 0},
                 {"{\"a\":\"<Event><System>\"}", 0},
                 {"PS C:\\> wevtutil qe Security\r\n" EVENT, 60},
                 {"{\"a\":\"\n" EVENT, 0},
                 {"a,b\n1," EVENT, 0},
                 {"", 0}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        assert_int_equal(kq_source_xml.detect(kq_sv_of(heads[i].head), "x.xml"), heads[i].sure);
    assert_int_equal(kq_source_evtx.detect(KQ_SV(EVENT), "x.xml"), 0);
    assert_int_equal(kq_source_json.detect(KQ_SV(EVENT), "x.xml"), 0);
    assert_int_equal(kq_source_csv.detect(KQ_SV(EVENT), "x.xml"), 0);
}

static int setup(void **state) {
    (void)state;
    evtx_result_init(&result);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    evtx_result_deinit(&result);
    return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        T(same_as_evtx), T(files),     T(spellings),       T(data_of_all_kinds), T(places),
        T(utf16),        T(encodings), T(damage),          T(sections),          T(open_sections),
        T(bounds),       T(too_long),  T(sets_and_judges), T(compressed),        T(detection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
