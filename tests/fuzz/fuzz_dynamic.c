/* JSON to dynamic and back: what is printed once must read back as the same dynamic, and every member must be within
 * reach. The input is the text. */
#include "column/dynamic.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at everything below `d`, and that copies made by the builders have the same bytes. */
static void visit(kq_dyn d, kq_buf *copy) {
    kq_value v = kq_dyn_value(d);
    if (kq_dyn_cmp(d, d) != 0 || !kq_dyn_eq(d, d)) abort();
    bool bag = kq_dyn_tag_of(d) == KQ_DYN_BAG;
    if (!bag && kq_dyn_tag_of(d) != KQ_DYN_ARRAY) {
        kq_dyn_put_value(copy, &v);
        return;
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, copy, bag);
    for (uint32_t i = 0; i < kq_dyn_count(d); i++) {
        kq_sv key;
        kq_dyn part = bag ? kq_dyn_entry(d, i, &key) : kq_dyn_element(d, i);
        if (part.n == 0) abort();
        if (bag) {
            kq_dyn_key(&b, key);
            /* Only in small bags: looking up each key of a large one is quadratic. */
            if (kq_dyn_count(d) < 100 && kq_dyn_get(d, key).p != part.p) abort();
        }
        visit(part, copy);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kq_buf first, second, text, again;
    kq_buf_init(&first, NULL, 0);
    kq_buf_init(&second, NULL, 0);
    kq_buf_init(&text, NULL, 0);
    kq_buf_init(&again, NULL, 0);
    if (kq_dyn_parse_json((kq_sv){(const char *)data, size}, &first)) {
        visit(kq_buf_view(&first), &second);
        if (!kq_dyn_eq(kq_buf_view(&first), kq_buf_view(&second))) abort();
        kq_dyn_json(kq_buf_view(&first), &text);
        kq_buf_clear(&second);
        if (!kq_dyn_parse_json(kq_buf_view(&text), &second)) abort();
        /* Infinities print as texts, so compare what is printed. */
        kq_dyn_json(kq_buf_view(&second), &again);
        if (!kq_sv_eq(kq_buf_view(&text), kq_buf_view(&again))) abort();
    } else if (first.n) {
        abort();
    }
    kq_buf_deinit(&first);
    kq_buf_deinit(&second);
    kq_buf_deinit(&text);
    kq_buf_deinit(&again);
    return 0;
}
