/* Each type of value and arrays of it, as Windows writes them; content that is neither element nor value; and what a
 * chunk holds for its writer alone. */
#include "base/time.h"
#include "evtx_read.h"
#include "evtx_writer.h"
#include "source/event_field.h"
#include "source/evtx/render.h"
#include "source/evtx/value.h"
#include <cmocka.h>
#include <stdio.h>

static kq_bx bx;
static kq_buf out, scratch;

static int setup(void **state) {
    (void)state;
    kq_buf_init(&out, NULL, 0);
    kq_buf_init(&scratch, NULL, 0);
    return kq_bx_init(&bx, NULL, NULL) == KQ_OK ? 0 : 1;
}

static int teardown(void **state) {
    (void)state;
    kq_buf_deinit(&out);
    kq_buf_deinit(&scratch);
    kq_bx_deinit(&bx, NULL);
    return 0;
}

typedef struct row {
    uint8_t type;
    const char *bytes;
    uint16_t size;
    const char *text;
    kq_field_kind kind;
} row;

#define B(s) s, sizeof s - 1
static const row values[] = {
    {KQ_BX_STRING, B("a\0\xE9\0\x3D\xD8\0\xDE\0\0"), "a\xC3\xA9\xF0\x9F\x98\x80", KQ_FIELD_STRING},
    {KQ_BX_STRING, B("\x01\0\0\xD8"), "\x01\xEF\xBF\xBD", KQ_FIELD_STRING},
    {KQ_BX_ANSI, B("caf\xE9\0"), "caf\xC3\xA9", KQ_FIELD_STRING},
    {KQ_BX_INT8, B("\xFB"), "-5", KQ_FIELD_LONG},
    {KQ_BX_UINT8, B("\xFB"), "251", KQ_FIELD_LONG},
    {KQ_BX_INT16, B("\xFE\xFF"), "-2", KQ_FIELD_LONG},
    {KQ_BX_UINT16, B("\xFE\xFF"), "65534", KQ_FIELD_LONG},
    {KQ_BX_INT32, B("\xFE\xFF\xFF\xFF"), "-2", KQ_FIELD_LONG},
    {KQ_BX_UINT32, B("\xFE\xFF\xFF\xFF"), "4294967294", KQ_FIELD_LONG},
    {KQ_BX_INT64, B("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "-2", KQ_FIELD_LONG},
    {KQ_BX_UINT64, B("\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), "18446744073709551614", KQ_FIELD_ULONG},
    {KQ_BX_REAL32, B("\0\0\xC0\x3F"), "1.5", KQ_FIELD_REAL},
    {KQ_BX_REAL64, B("\0\0\0\0\0\0\xD0\xBF"), "-0.25", KQ_FIELD_REAL},
    {KQ_BX_BOOL, B("\x01\0\0\0"), "true", KQ_FIELD_STRING},
    {KQ_BX_BINARY, B("\0\xAB\x0c"), "00AB0C", KQ_FIELD_STRING},
    {KQ_BX_GUID, B("\x5F\x38\x70\x57\x2A\xC2\xE0\x43\xBF\x4C\x06\xF5\x69\x8F\xFB\xD9"),
     "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}", KQ_FIELD_GUID},
    {KQ_BX_SIZE, B("\xE7\x03\0\0\0\0\0\0"), "0x3e7", KQ_FIELD_STRING},
    {KQ_BX_FILETIME, B("\0\x80\x3E\xD5\xDE\xB1\x9D\x01"), "1970-01-01T00:00:00.0000000Z", KQ_FIELD_DATETIME},
    {KQ_BX_SYSTEMTIME, B("\xE8\x07\x05\0\x03\0\x01\0\x0A\0\0\0\x02\0\x7B\0"), "2024-05-01T10:00:02.123Z",
     KQ_FIELD_DATETIME},
    {KQ_BX_SID, B("\x01\x02\0\0\0\0\0\x05\x20\0\0\0\x20\x02\0\0"), "S-1-5-32-544", KQ_FIELD_STRING},
    {KQ_BX_HEX32, B("\xE7\x03\0\xAB"), "0xab0003e7", KQ_FIELD_STRING},
    {KQ_BX_HEX64, B("\0\0\0\0\0\0\0\x80"), "0x8000000000000000", KQ_FIELD_STRING},
    {KQ_BX_HANDLE, B("\x10\0\0\0\0\0\0\0"), "0x10", KQ_FIELD_STRING},
};
/* What stands in real files all the same: other sizes, and what is none of its type. */
static const row odd[] = {
    {KQ_BX_BOOL, B("\0"), "false", KQ_FIELD_STRING},
    {KQ_BX_BOOL, B("\x02\0\0\0\0\0\0\0"), "true", KQ_FIELD_STRING},
    {KQ_BX_SIZE, B("\xE7\x03\0\0"), "0x3e7", KQ_FIELD_STRING},
    {KQ_BX_NULL, B(""), "", KQ_FIELD_NULL},
    {KQ_BX_STRING, B(""), "", KQ_FIELD_STRING},
    {KQ_BX_FILETIME, B("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"), "", KQ_FIELD_NULL},
    {KQ_BX_GUID, B("\x01\x02"), "0102", KQ_FIELD_STRING},
    {KQ_BX_SID, B("\x01\xFF\0"), "01FF00", KQ_FIELD_STRING},
    {0x77, B("\x01"), "01", KQ_FIELD_STRING},
};

static void check(const row *r, const char *bytes, uint16_t size, uint8_t type, const char *text, kq_field_kind kind) {
    uint8_t *exact = kq_malloc(size ? size : 1); /* so that the sanitizers see a read past the end */
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    kq_bx_begin(&bx, exact, size);
    kq_bx_value v = {.off = 0, .size = size, .type = type};
    kq_field field = {0};
    kq_buf_clear(&out);
    assert_true(kq_evtx_value_text(&bx, &v, &out));
    kq_buf_char(&out, 0);
    if (strcmp(out.p, text) != 0) print_message("type 0x%02x of %u bytes\n", r->type, r->size);
    assert_string_equal(out.p, text);
    assert_true(kq_evtx_value_field(&bx, &v, &field));
    assert_int_equal(field.kind, kind);
    if (kind == KQ_FIELD_STRING) {
        assert_int_equal(field.u.text.n, strlen(text));
        assert_memory_equal(field.u.text.p, text, strlen(text));
    } else if (type != KQ_BX_SYSTEMTIME) {
        kq_buf_clear(&out);
        kq_event_field_text(&field, &out);
        kq_buf_char(&out, 0);
        assert_string_equal(out.p, text);
    }
    kq_free(exact);
}

static void single(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check(&values[i], values[i].bytes, values[i].size, values[i].type, values[i].text, values[i].kind);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        check(&odd[i], odd[i].bytes, odd[i].size, odd[i].type, odd[i].text, odd[i].kind);
}

/* Twice the value: one a line. */
static void arrays(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const row *r = &values[i];
        bool text = r->type == KQ_BX_STRING || r->type == KQ_BX_ANSI;
        if (r->type == KQ_BX_BINARY) continue; /* nothing says where one ends */
        char bytes[100], want[200];
        uint16_t n = 0;
        for (int k = 0; k < 2; k++) {
            memcpy(bytes + n, r->bytes, r->size);
            n = (uint16_t)(n + r->size);
            if (text) memcpy(bytes + n, "\0\0", 2), n = (uint16_t)(n + (r->type == KQ_BX_STRING ? 2 : 0));
        }
        if (r->type == KQ_BX_STRING && r->bytes[r->size - 1] == 0 && r->bytes[r->size - 2] == 0) continue;
        snprintf(want, sizeof want, "%s\n%s", r->text, r->text);
        check(r, bytes, n, r->type | KQ_BX_ARRAY, want, KQ_FIELD_STRING);
    }
    check(&values[0], "a\0\0\0\0\0b\0", 8, KQ_BX_STRING | KQ_BX_ARRAY, "a\n\nb", KQ_FIELD_STRING);
    check(&values[7], "\x01\0\0\0\x02", 5, KQ_BX_UINT32 | KQ_BX_ARRAY, "1\n2", KQ_FIELD_STRING); /* cut short */
    check(&values[7], "", 0, KQ_BX_UINT32 | KQ_BX_ARRAY, "", KQ_FIELD_STRING);
}

/* <A>, entity references, a value, a character reference, CDATA, </A>: of a record without a template. */
static void references(void **state) {
    (void)state;
    uint8_t bytes[200] = {0};
    uint32_t n = 0;
#define PUT(s) (memcpy(bytes + n, s, sizeof s - 1), n += sizeof s - 1)
#define NAME(name)                                                                                                     \
    do { /* the offset of the name, which follows */                                                                   \
        bytes[n] = (uint8_t)(n + 4);                                                                                   \
        n += 4;                                                                                                        \
        bytes[n + 6] = sizeof name - 1;                                                                                \
        for (size_t k = 0; k < sizeof name - 1; k++) bytes[n + 8 + 2 * k] = (uint8_t)name[k];                          \
        n += 8 + 2 * sizeof name;                                                                                      \
    } while (0)
    PUT("\x0F\x01\x01\0\x01\0\0\0\0");
    NAME("A");
    PUT("\x02\x49");
    NAME("lt");
    PUT("\x45\x01\x01\0b\0\x49");
    NAME("amp");
    PUT("\x48\xE9\0\x47\x02\0c\0d\0\x09");
    NAME("own");
    PUT("\x04\0");
    kq_bx_begin(&bx, bytes, n);
    kq_bx_item *items;
    assert_true(kq_bx_fragment(&bx, 0, n, &items));
    kq_evtx_render render = {&bx, &scratch};
    kq_evtx_frame frame = {0};
    kq_buf_clear(&out);
    assert_true(kq_evtx_items_text(&render, &frame, items, &out));
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, "<b&\xC3\xA9"
                               "cd&own;");
    kq_buf_clear(&out);
    assert_int_equal(items->kind, KQ_BX_ELEMENT);
    assert_true(kq_evtx_xml(&render, &frame, items->u.element, &out));
    kq_buf_char(&out, 0);
    assert_non_null(strstr(out.p, ">&lt;b&amp;\xC3\xA9"
                                  "cd&amp;own;</A>"));
}

/* The header's tables of names and templates, and the record numbers beside the events' own: none is believed. */
static void writers_own(void **state) {
    (void)state;
    static evtx_writer writer;
    static evtx_words words;
    evtx_result result;
    static const evtx_datum data[] = {{.name = "Image", .text = {"a.exe", 5}}};
    evtx_writer_init(&writer);
    evtx_result_init(&result);
    for (uint64_t i = 71; i <= 73; i++) {
        evtx_event e = {.provider = "P",
                        .event_id = 1,
                        .channel = "C",
                        .computer = "pc",
                        .time = KQ_TICKS_1970,
                        .record_id = i,
                        .data = data,
                        .ndata = 1};
        assert_true(evtx_writer_add(&writer, &e));
    }
    evtx_writer_finish(&writer);
    uint8_t *c = (uint8_t *)writer.file.p + 4096;
    memset(c + 128, 0xEE, 384); /* names and templates */
    for (uint32_t off = 512, i = 0; i < 3; i++) {
        c[off + 8] = (uint8_t)(1 + i); /* an exported log numbers its records anew */
        off += kq_bx_u32(c + off + 4);
    }
    evtx_writer_seal(c);
    evtx_read_bytes(kq_buf_view(&writer.file), ".evtx", evtx_request(&words, "System.EventRecordID EventData.Image"),
                    &result);
    assert_int_equal(result.opened, KQ_OK);
    assert_string_equal(result.rows.p, "0:71|a.exe\n0:72|a.exe\n0:73|a.exe\n");
    assert_string_equal(evtx_damage(&result), "");
    evtx_result_deinit(&result);
    evtx_writer_deinit(&writer);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {T(single), T(arrays), T(references), T(writers_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
