/* The matchers against the plain reference: first byte the operator and flags, then needles and the text, apart by
 * newlines. */
#include "naive_match.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)                                                                                                     \
    do {                                                                                                               \
        if (!(x)) abort();                                                                                             \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > 4096) return 0;
    kq_match_op op = (kq_match_op)(data[0] % 7);
    bool ci = data[0] & 64;
    kq_sv needles[64], text = {(const char *)data + 1, size - 1};
    size_t n = 0;
    for (const char *nl; n < 64 && (nl = memchr(text.p, '\n', text.n)); n++) {
        needles[n] = (kq_sv){text.p, (size_t)(nl - text.p)};
        text = kq_sv_slice(text, needles[n].n + 1, text.n);
    }
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    const kq_matcher *m;
    kq_error err;
    int64_t first = -1;
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        bool one = naive_match(op, ci, text, needles[i]);
        if (one && first < 0) first = (int64_t)i;
        all = all && one;
        REQUIRE(kq_match_once(op, ci, text, needles[i]) == one);
        REQUIRE(kq_matcher_create(op, ci, false, &needles[i], 1, &arena, &m, &err) == KQ_OK);
        REQUIRE(kq_matcher_test(m, text) == one);
    }
    REQUIRE(kq_matcher_create(op, ci, false, needles, n, &arena, &m, &err) == KQ_OK);
    REQUIRE(kq_matcher_test(m, text) == (first >= 0));
    REQUIRE(kq_matcher_index(m, text) == first);
    REQUIRE(kq_matcher_create(op, ci, true, needles, n, &arena, &m, &err) == KQ_OK);
    REQUIRE(kq_matcher_test(m, text) == all);
    kq_arena_deinit(&arena);
    return 0;
}
