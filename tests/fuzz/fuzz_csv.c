/* CSV files: the rows and the damage do not depend on where blocks end, nor on the vector code; and text is UTF-8. The
 * first byte is the size of the small blocks; with its bit 7, the text is also read with the allocation failing whose
 * number the last byte says, and all after it when the first byte is odd. */
#include "native/json.h"
#include "rows.h"
#include "source/csv_scan.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern uint64_t kq_csv_block_bytes;

static void same(const kq_buf *a, const kq_buf *b, const char *what) {
    if (a->n == b->n && memcmp(a->p, b->p, a->n) == 0) return;
    fprintf(stderr, "%s\n%.*s\n----\n%.*s\n", what, (int)a->n, a->p, (int)b->n, b->p);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    static const char wants[] = "a b x b.c a.d.e $offset $index $raw";
    kq_sv text = {(const char *)data + 1, size - 1};
    kq_buf large, small;
    kq_buf_init(&large, NULL, 0);
    kq_buf_init(&small, NULL, 0);
    kq_csv_block_bytes = KQ_BLOCK_BYTES;
    rows_of(&kq_source_csv, text, wants, &large);
    kq_buf_char(&large, ' ');
    /* an error names the file, whose number differs */
    if (large.n > 5 && memcmp(large.p, "error", 5) == 0) goto out;
    if (!kq_text_is_utf8(large.p, large.n)) abort();
    kq_csv_block_bytes = 1 + data[0] % 64;
    for (int plain = 0; plain < 2; plain++) {
        kq_csv_scan_plain = plain;
        kq_buf_clear(&small);
        rows_of(&kq_source_csv, text, wants, &small);
        kq_buf_char(&small, ' ');
        same(&large, &small, plain ? "plain" : "vector");
    }
    if (data[0] & 0x80) {
        kq_want names[ROWS_WANTS];
        kq_want_set set = rows_wants(wants, names);
        kq_request request = {.sets = &set, .nsets = 1};
        large.n--;
        rows_survive(&kq_source_csv, text, &request, data[size - 1], data[0] & 1, &large);
    }
out:
    kq_csv_scan_plain = false;
    kq_buf_deinit(&large);
    kq_buf_deinit(&small);
    return 0;
}
