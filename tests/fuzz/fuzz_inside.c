/*
 * Event data inside one field of an export's row: hostile XML and JSON give fields whose text lies in what was given or
 * in the arena, the same for every asking, whatever was asked before. The last byte: with bit 7 the allocation fails
 * whose number the other bits say.
 */
#include "schema/inside.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define T(s)                                                                                                           \
    { s, sizeof s - 1 }
static const kq_sv names[] = {T("Image"), T("Data"),     T("param1"), T("param2"), T("UserData.a.b"),
                              T("a"),     T("a.b"),      T(""),       T("Data.a"), T("param4294967295"),
                              T("b[0]"),  T("UserData"), T("param12")};
#define NAMES (sizeof names / sizeof *names)

static void must(bool ok) {
    if (!ok) abort();
}

/* Every byte is there. */
static void touch(const kq_field *f) {
    if (f->kind != KQ_FIELD_STRING && f->kind != KQ_FIELD_JSON) return;
    unsigned sum = 0;
    for (size_t i = 0; i < f->u.text.n; i++) sum += (unsigned char)f->u.text.p[i];
    must(sum <= 255 * f->u.text.n);
}

static bool same(const kq_field *a, const kq_field *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == KQ_FIELD_STRING || a->kind == KQ_FIELD_JSON) return kq_sv_eq(a->u.text, b->u.text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    uint8_t choice = data[--size];
    bool failing = choice & 0x80;
    char *copy = malloc(size ? size : 1); /* so that a byte too far is seen */
    memcpy(copy, data, size);
    kq_sv text = {copy, size};
    kq_arena arena;
    kq_inside inside;
    kq_arena_init(&arena, NULL, failing ? 64 : 0);
    kq_inside_init(&inside, NULL);
    kq_field first[NAMES], again;
    bool found[NAMES];
    if (failing) kq_alloc_fail_at(choice & 0x7f, false);
    for (int json = 0; json < 2; json++) {
        inside.opened = false;
        for (size_t i = 0; i < NAMES; i++) {
            first[i] = (kq_field){0};
            found[i] = json ? kq_inside_json(text, names[i], &arena, &first[i])
                            : kq_inside_xml(&inside, text, names[i], &arena, &first[i]);
            if (found[i]) touch(&first[i]);
        }
        for (size_t i = NAMES; i-- > 0 && !failing;) {
            again = (kq_field){0};
            bool is = json ? kq_inside_json(text, names[i], &arena, &again)
                           : kq_inside_xml(&inside, text, names[i], &arena, &again);
            must(is == found[i] && (!is || same(&again, &first[i])));
        }
    }
    kq_alloc_fail_at(-1, false);
    kq_inside_deinit(&inside);
    kq_arena_deinit(&arena);
    free(copy);
    return 0;
}
