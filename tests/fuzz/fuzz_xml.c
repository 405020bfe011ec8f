/* Event XML: the rows and the damage do not depend on where blocks end, nor on whether a file is read by place or in
 * order, and text is UTF-8. The first byte is the size of the small blocks; with its bit 7
 * the text is also read with the allocation failing whose number the last byte says, and all after it when the first
 * byte is odd. */
#include "native/json.h"
#include "rows.h"
#include "source/xml_internal.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool accepts(const void *ctx, const kq_field *f) {
    (void)ctx;
    return f->kind != KQ_FIELD_STRING || f->u.text.n != 3;
}

/* Reads the text; with `whole` again with allocation `n` failing, where `whole` is what it gave before. */
static void read_with(kq_sv text, uint64_t block, bool numbered, kq_buf *out, long n_fails, bool sticky,
                      const kq_buf *whole) {
    static const char *const names[] = {
        "System.Provider",  "System.TimeCreated", "System.Computer",       "EventData.a", "EventData.Data",
        "EventData.param1", "UserData.x.y",       "RenderingInfo.Message", "$offset",     "$raw",
        "$EventDataXml",    "$EventDataJson"};
    kq_want wants[sizeof names / sizeof *names + 1];
    uint32_t n = 0;
    for (; n < sizeof names / sizeof *names; n++) wants[n] = (kq_want){.name = kq_sv_of(names[n]), .json = n == 4};
    wants[3].accept = accepts;
    kq_want second[] = {{.name = KQ_SV("EventData.a"), .json = true}, {.name = KQ_SV("System.EventID")}};
    kq_want third[] = {{.name = KQ_SV("$index")}};
    kq_sv ids[] = {KQ_SV("1"), KQ_SV("4688")}, values[] = {KQ_SV("x")};
    kq_selector by_id = {KQ_SV("System.EventID"), ids, 2, false}, by_value = {KQ_SV("EventData.a"), values, 1, true};
    kq_want_set sets[] = {{&by_id, 1, wants, n}, {&by_value, 1, second, 2}, {&by_id, 1, third, 1}};
    kq_request request = {.sets = sets, .nsets = numbered ? 3 : 2};
    kq_xml_block_bytes = block;
    if (whole) {
        rows_survive(&kq_source_xml, text, &request, n_fails, sticky, whole);
        return;
    }
    rows_read(&kq_source_xml, text, &request, out);
    kq_buf_char(out, 0);
}

static void read(kq_sv text, uint64_t block, bool numbered, kq_buf *out) {
    read_with(text, block, numbered, out, -1, false, NULL);
}

/* Without the rows of the third set. */
static void without_numbers(kq_buf *b) {
    char *to = b->p;
    for (char *p = b->p, *end = b->p + b->n; p < end;) {
        char *next = memchr(p, '\n', (size_t)(end - p));
        next = next ? next + 1 : end;
        if (end - p < 2 || memcmp(p, "2|", 2) != 0) {
            memmove(to, p, (size_t)(next - p));
            to += next - p;
        }
        p = next;
    }
    b->n = (size_t)(to - b->p);
}

static void same(const kq_buf *a, const kq_buf *b, const char *what) {
    if (a->n == b->n && (!a->n || memcmp(a->p, b->p, a->n) == 0)) return;
    fprintf(stderr, "%s\n%.*s\n----\n%.*s\n", what, (int)a->n, a->p, (int)b->n, b->p);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    kq_sv text = {(const char *)data + 1, size - 1};
    kq_buf large, small, first, second;
    kq_buf_init(&large, NULL, 0);
    kq_buf_init(&small, NULL, 0);
    kq_buf_init(&first, NULL, 0);
    kq_buf_init(&second, NULL, 0);
    uint64_t block = 1 + data[0] * (uint64_t)(data[0] % 2 ? 1 : 16);
    kq_xml_section_bytes = data[0] % 4 ? (size_t)256 * 1024 : 64;
    read(text, KQ_BLOCK_BYTES, false, &large);
    read(text, block, false, &small);
    same(&large, &small, "blocks");
    if (!kq_text_is_utf8(large.p, large.n)) abort();
    read(text, KQ_BLOCK_BYTES, true, &first);
    read(text, block, true, &second);
    same(&first, &second, "blocks in order");
    if (data[0] & 0x80) read_with(text, block, true, NULL, data[size - 1], data[0] & 1, &first);
    /* a value may have a line that begins as a row of the third set does */
    without_numbers(&first);
    without_numbers(&large);
    same(&large, &first, "in order");
    kq_buf_deinit(&large);
    kq_buf_deinit(&small);
    kq_buf_deinit(&first);
    kq_buf_deinit(&second);
    return 0;
}
