/* JSON files: the rows and the damage do not depend on where blocks end, nor on whether a file is read as lines by
 * their place or in order; and text is UTF-8. The first byte is the size of the small blocks; with its bit 7,
 * the text is also read with the allocation failing whose number the last byte says, and all after it when the first
 * byte is odd. */
#include "native/json.h"
#include "rows.h"
#include "source/json_internal.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool accepts(const void *ctx, const kq_field *f) {
    (void)ctx;
    return f->kind != KQ_FIELD_BOOL;
}

/* Reads the text; with `whole` again with allocation `n` failing, where `whole` is what it gave before. */
static void read(kq_sv text, uint64_t block, bool numbered, kq_buf *out, long n, bool sticky, const kq_buf *whole) {
    kq_want wants[] = {{.name = KQ_SV("a"), .accept = accepts},
                       {.name = KQ_SV("b.c")},
                       {.name = KQ_SV("p"), .json = true},
                       {.name = KQ_SV("$offset")},
                       {.name = KQ_SV("$raw")},
                       {.name = KQ_SV("$index")}};
    kq_want second[] = {{.name = KQ_SV("p.q.r")}, {.name = KQ_SV("a")}};
    kq_sv texts[] = {KQ_SV("x"), KQ_SV("1")};
    kq_selector selector = {KQ_SV("s"), texts, 2, false};
    kq_want_set sets[] = {{NULL, 0, wants, 5 + numbered}, {&selector, 1, second, 2}};
    kq_request request = {.sets = sets, .nsets = 2};
    kq_json_block_bytes = block;
    if (whole)
        rows_survive(&kq_source_json, text, &request, n, sticky, whole);
    else
        rows_read(&kq_source_json, text, &request, out);
}

static size_t lines(const kq_buf *b) {
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) n += b->p[i] == '\n';
    return n;
}

static void same(const kq_buf *a, const kq_buf *b, const char *what) {
    if (a->n == b->n && (!a->n || memcmp(a->p, b->p, a->n) == 0)) return;
    fprintf(stderr, "%s\n%.*s\n----\n%.*s\n", what, (int)a->n, a->p, (int)b->n, b->p);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    kq_sv text = {(const char *)data + 1, size - 1};
    kq_buf large, small, numbered;
    kq_buf_init(&large, NULL, 0);
    kq_buf_init(&small, NULL, 0);
    kq_buf_init(&numbered, NULL, 0);
    read(text, KQ_BLOCK_BYTES, false, &large, -1, false, NULL);
    read(text, 1 + data[0] % 64, false, &small, -1, false, NULL);
    kq_buf_char(&large, ' ');
    kq_buf_char(&small, ' ');
    same(&large, &small, "blocks");
    /* $raw aside, which is given as it stands in a broken record of no use, text is well-formed */
    if (kq_text_is_utf8(text.p, text.n) && !kq_text_is_utf8(large.p, large.n)) abort();
    read(text, KQ_BLOCK_BYTES, true, &numbered, -1, false, NULL);
    if (lines(&numbered) != lines(&large)) abort();
    kq_buf_clear(&small);
    read(text, 1 + data[0] % 64, true, &small, -1, false, NULL);
    same(&numbered, &small, "blocks in order");
    if (data[0] & 0x80) read(text, 1 + data[0] % 64, true, NULL, data[size - 1], data[0] & 1, &numbered);
    kq_buf_deinit(&large);
    kq_buf_deinit(&small);
    kq_buf_deinit(&numbered);
    return 0;
}
