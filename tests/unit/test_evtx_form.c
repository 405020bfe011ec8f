/* Forms write what the walk over the tree writes, whatever the values are. */
#include "column/dynamic.h"
#include "column/json_string.h"
#include "source/evtx/bag.h"
#include "source/evtx/escape.h"
#include "source/evtx/form.h"
#include "source/evtx/utf16.h"
#include "source/evtx/value.h"
#include <cmocka.h>
#include <stdio.h>

static kq_bx bx;
static kq_arena trees;
static kq_buf walked, formed, scratch;

static int setup(void **state) {
    (void)state;
    kq_arena_init(&trees, NULL, 0);
    kq_buf_init(&walked, NULL, 0);
    kq_buf_init(&formed, NULL, 0);
    kq_buf_init(&scratch, NULL, 0);
    return kq_bx_init(&bx, NULL, NULL) == KQ_OK ? 0 : 1;
}

static int teardown(void **state) {
    (void)state;
    kq_bx_deinit(&bx, NULL);
    kq_buf_deinit(&walked);
    kq_buf_deinit(&formed);
    kq_buf_deinit(&scratch);
    kq_arena_deinit(&trees);
    return 0;
}

static kq_bx_item *new_item(kq_bx_kind kind, kq_bx_item *next) {
    kq_bx_item *item = kq_arena_new(&trees, kq_bx_item);
    assert_non_null(item);
    item->kind = (uint8_t)kind;
    item->next = next;
    return item;
}
static kq_bx_item *text(const char *s, kq_bx_item *next) {
    kq_bx_item *item = new_item(KQ_BX_TEXT, next);
    item->u.text = kq_sv_of(s);
    return item;
}
static kq_bx_item *sub(uint16_t index, uint8_t type, kq_bx_item *next) {
    kq_bx_item *item = new_item(KQ_BX_SUB, next);
    item->index = index;
    item->type = type;
    return item;
}
static kq_bx_attr *attr(const char *name, kq_bx_item *items, kq_bx_attr *next) {
    kq_bx_attr *a = kq_arena_new(&trees, kq_bx_attr);
    assert_non_null(a);
    *a = (kq_bx_attr){.name = kq_sv_of(name), .items = items, .next = next};
    return a;
}
static kq_bx_item *element(const char *name, kq_bx_attr *attrs, kq_bx_item *items, kq_bx_item *next) {
    kq_bx_item *item = new_item(KQ_BX_ELEMENT, next);
    item->u.element = kq_arena_new(&trees, kq_bx_element);
    assert_non_null(item->u.element);
    *item->u.element = (kq_bx_element){.name = kq_sv_of(name), .attrs = attrs, .items = items};
    return item;
}
static kq_bx_item *data(const char *name, kq_bx_item *items, kq_bx_item *next) {
    return element("Data", name ? attr("Name", text(name, NULL), NULL) : NULL, items, next);
}
static kq_bx_item *value(uint16_t index) {
    return sub(index, KQ_BX_STRING, NULL);
}

#define W(s) s, sizeof s - 2 /* of a UTF-16 literal */
static const struct {
    uint8_t type;
    const void *bytes;
    size_t n;
} kinds[] = {
    {KQ_BX_NULL, "", 0},
    {KQ_BX_STRING, "", 0},
    {KQ_BX_STRING, W(u"plain")},
    {KQ_BX_STRING, W(u"sixteen letters.")},
    {KQ_BX_STRING, W(u"C:\\Windows\\System32\\svchost.exe -k \"netsvcs\" <&> a\t\n\r\b\f\x01\x1f\x7f")},
    {KQ_BX_STRING, W(u"\u00e9\u0100\u20ac\uffff\ufffe\ufffd \U0001F600 and on to more than sixteen, then \u00e9")},
    {KQ_BX_STRING, W(u"lone \xd800 \xdc00 \xd83d")},
    {KQ_BX_STRING, W(u"ends with NULs\0\0")},
    {KQ_BX_STRING, W(u"a\0b")},
    {KQ_BX_XML, W(u"<a b=\"c\">")},
    {KQ_BX_ANSI, "caf\xe9 <\"\\>", 9},
    {KQ_BX_UINT32, "\x2a\0\0\0", 4},
    {KQ_BX_HEX64, "\xe7\x03\0\0\0\0\0\0", 8},
    {KQ_BX_BINARY, "\x00\xab", 2},
    {KQ_BX_STRING | KQ_BX_ARRAY, W(u"one\0t<w>o\0\0\"four\"")},
    {KQ_BX_STRING | KQ_BX_ARRAY, "", 0},
    {KQ_BX_UINT16 | KQ_BX_ARRAY, "\x01\0\x02\0", 4},
    {KQ_BX_BINXML, "\x0f\x01\x01\0", 4}, /* a fragment with nothing in it */
    {0x77, "\x01", 1},
};
#define KINDS (sizeof kinds / sizeof *kinds)
#define SLOTS 4u

static uint8_t chunk[4096];
static kq_bx_value values[KINDS];

static void fill_chunk(void) {
    uint32_t at = 0;
    for (size_t i = 0; i < KINDS; i++) {
        assert_true(at + kinds[i].n <= sizeof chunk);
        memcpy(chunk + at, kinds[i].bytes, kinds[i].n);
        values[i] = (kq_bx_value){.off = at, .size = (uint16_t)kinds[i].n, .type = kinds[i].type};
        at += (uint32_t)kinds[i].n;
    }
    kq_bx_begin(&bx, chunk, at); /* it ends with the last value, so that the sanitizers see a read past it */
}

static void expect_same(void) {
    assert_int_equal(formed.n, walked.n);
    assert_memory_equal(formed.p, walked.p, formed.n);
}

static void start(void) {
    bx.fuel = KQ_BX_FUEL;
    kq_buf_clear(&walked);
    kq_buf_clear(&formed);
    kq_buf_str(&walked, "before:");
    kq_buf_str(&formed, "before:");
}

static void expect_xml(kq_evtx_render *render, const kq_evtx_frame *frame) {
    start();
    assert_true(kq_evtx_xml(render, frame, frame->plan->data, &walked));
    bool taken;
    assert_true(kq_evtx_form_put(render, frame, KQ_EVTX_FORM_XML, &formed, &taken));
    if (!taken) kq_buf_clear(&walked), kq_buf_str(&walked, "before:");
    expect_same();
}

/* The same inside a JSON string. */
static void expect_xml_json(kq_evtx_render *render, const kq_evtx_frame *frame) {
    bool taken;
    kq_buf xml;
    start();
    kq_buf_init(&xml, NULL, 0);
    assert_true(kq_evtx_xml(render, frame, frame->plan->data, &xml));
    assert_true(kq_evtx_form_put(render, frame, KQ_EVTX_FORM_XML_JSON, &formed, &taken));
    if (taken) kq_json_inside(kq_buf_view(&xml), &walked);
    kq_buf_deinit(&xml);
    expect_same();
}

/* What is printed of the bag. */
static void expect_bag_json(kq_evtx_render *render, const kq_evtx_frame *frame) {
    bool taken;
    kq_buf json, dyn;
    start();
    kq_buf_init(&json, NULL, 0);
    kq_buf_init(&dyn, NULL, 0);
    assert_true(kq_evtx_json(render, frame, frame->plan->data, &json));
    assert_true(kq_dyn_parse_json(kq_buf_view(&json), &dyn));
    assert_true(kq_evtx_form_put(render, frame, KQ_EVTX_FORM_BAG, &formed, &taken));
    if (taken) kq_dyn_json(kq_buf_view(&dyn), &walked);
    kq_buf_deinit(&json);
    kq_buf_deinit(&dyn);
    expect_same();
}

/* A bag is the encoding of the JSON, or nothing. */
static void expect_bag(kq_evtx_render *render, const kq_evtx_frame *frame) {
    bool taken;
    start();
    assert_true(kq_evtx_bag_put(render, frame, &formed, &taken));
    kq_buf json;
    kq_buf_init(&json, NULL, 0);
    assert_true(kq_evtx_json(render, frame, frame->plan->data, &json));
    if (taken) assert_true(kq_dyn_parse_json(kq_buf_view(&json), &walked));
    kq_buf_deinit(&json);
    expect_same();
}

/* All pairs of kinds of values at neighbouring places, and fewer values than the template names. */
static void check(const kq_bx_item *item, bool xml_form, bool bag, bool bag_json) {
    kq_evtx_render render = {.bx = &bx, .scratch = &scratch};
    kq_evtx_plan plan = {.data = item->u.element};
    fill_chunk();
    for (size_t a = 0; a < KINDS; a++)
        for (size_t b = 0; b < KINDS; b++) {
            const kq_bx_value given[SLOTS] = {values[a], values[b], values[(a + 1) % KINDS], values[(b + a) % KINDS]};
            for (uint32_t n = a == b ? 0 : SLOTS; n <= SLOTS; n++) {
                kq_evtx_frame frame = {.plan = &plan, .values = given, .n = n};
                for (uint32_t i = 0; i < n; i++) frame.size += given[i].size;
                expect_xml(&render, &frame);
                expect_xml_json(&render, &frame);
                expect_bag(&render, &frame);
                expect_bag_json(&render, &frame);
            }
        }
    assert_int_equal(plan.forms[KQ_EVTX_FORM_XML] != NULL, xml_form);
    assert_int_equal(plan.forms[KQ_EVTX_FORM_XML_JSON] != NULL, xml_form);
    assert_int_equal(plan.bag != NULL, bag);
    assert_int_equal(plan.forms[KQ_EVTX_FORM_BAG] != NULL, bag_json);
}

static void usual(void **state) {
    (void)state;
    check(element("EventData", NULL, data("A", value(0), data("B", value(1), data("C\"<", value(2), NULL))), NULL),
          true, true, true);
    check(element("EventData", NULL,
                  data(NULL, value(0), data(NULL, value(1), element("Binary", NULL, value(2), NULL))), NULL),
          true, true, false);
    check(element("EventData", attr("Name", text("n", NULL), NULL),
                  text("t", element("Binary", NULL, value(0),
                                    data(NULL, value(1), data("", value(2), data("C", value(3), NULL))))),
                  NULL),
          true, true, false);
    check(element("EventData", NULL, NULL, NULL), true, true, true);
}

static void mixed(void **state) {
    (void)state;
    check(element("EventData", NULL,
                  data("A", text("a<\"", sub(0, KQ_BX_STRING, text(">", value(1)))),
                       data("B", NULL, data("C", value(2), NULL))),
                  NULL),
          true, true, true);
    check(element("UserData", NULL,
                  element("EventXML", attr("xmlns", text("urn:\"x\"", NULL), NULL),
                          element("A", NULL, value(0),
                                  element("B", NULL, value(1),
                                          element("C", NULL, text("&", NULL), element("D", NULL, NULL, NULL)))),
                          NULL),
                  NULL),
          true, true, false);
    check(element("UserData", NULL, element("x y", attr("xmlns:z", value(0), NULL), value(1), NULL), NULL), true, true,
          true);
}

/* What a form can't tell is left to the walk. */
static void left_to_the_walk(void **state) {
    (void)state;
    check(element("EventData", NULL,
                  element("X", attr("a", value(0), attr("b", text("1\n", value(1)), NULL)), value(2), NULL), NULL),
          true, false, false);
    check(element("EventData", NULL, element("X", NULL, value(0), element("X", NULL, value(1), NULL)), NULL), true,
          false, false);
    check(element("EventData", NULL, element("Data", attr("Name", value(0), NULL), value(1), NULL), NULL), true, false,
          false);
    check(element("EventData", NULL, data("A", sub(0, KQ_BX_BINXML, NULL), NULL), NULL), false, false, false);
    check(element("UserData", NULL, sub(0, KQ_BX_BINXML, NULL), NULL), false, false, false);
    check(element("EventData", attr("xmlns", value(0), NULL), data("A", value(1), NULL), NULL), false, true, true);
    kq_bx_item *deep = element("E", NULL, value(0), NULL);
    for (int i = 0; i < 20; i++) deep = element("E", NULL, deep, NULL);
    check(deep, false, false, false);
}

/* Texts of all lengths, with a character to be escaped at each place. */
static void escaping(void **state) {
    (void)state;
    static const uint16_t odd[] = {'"', '\\', '&',  '<',  '>',   '\n',   '\t',   0,
                                   1,   0x1F, 0x7F, 0x80, 0x100, 0x8041, 0xD800, 0xFFFF};
    static const kq_evtx_style styles[] = {KQ_EVTX_TEXT,      KQ_EVTX_ATTRIBUTE,      KQ_EVTX_PLAIN,
                                           KQ_EVTX_TEXT_JSON, KQ_EVTX_ATTRIBUTE_JSON, KQ_EVTX_PLAIN_JSON};
    uint8_t units[80];
    char utf8[KQ_UTF16_ROOM(40)], to[KQ_EVTX_ESCAPE_ROOM(40)];
    for (size_t n = 1; n < 36; n++)
        for (size_t at = 0; at < n; at++)
            for (size_t o = 0; o < sizeof odd / sizeof *odd; o++)
                for (size_t s = 0; s < sizeof styles / sizeof *styles; s++) {
                    for (size_t i = 0; i < 40; i++) units[2 * i] = (uint8_t)(0x40 + i % 26), units[2 * i + 1] = 0;
                    units[2 * at] = (uint8_t)odd[o], units[2 * at + 1] = (uint8_t)(odd[o] >> 8);
                    kq_buf_clear(&walked);
                    kq_evtx_escape((kq_sv){utf8, kq_utf16_utf8(units, n, utf8)}, styles[s % 3], &walked);
                    if (s >= 3) { /* inside a JSON string */
                        kq_buf_clear(&formed);
                        kq_buf_sv(&formed, kq_buf_view(&walked));
                        kq_buf_clear(&walked);
                        kq_json_inside(kq_buf_view(&formed), &walked);
                        kq_buf_clear(&formed);
                        kq_evtx_escape((kq_sv){utf8, kq_utf16_utf8(units, n, utf8)}, styles[s], &formed);
                        expect_same();
                    }
                    size_t got =
                        (size_t)(kq_evtx_escape_utf16(units, n, units + (o % 2 ? 2 * n : 80), styles[s], to) - to);
                    assert_int_equal(got, walked.n);
                    assert_memory_equal(to, walked.p, got);
                }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {T(usual), T(mixed), T(left_to_the_walk), T(escaping)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
