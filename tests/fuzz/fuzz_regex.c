/* Regular expressions: the pattern up to the first newline, then the text. Whatever compiles must search without harm,
 * and RE2 and our own machine must agree on whether and where there is a match. */
#include "text/regex.h"
#include "text/regex_ast.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *nl = size ? memchr(data, '\n', size) : NULL;
    if (!nl || size > 512) return 0;
    kq_sv pattern = {(const char *)data, (size_t)(nl - (const char *)data)};
    kq_sv text = {nl + 1, size - pattern.n - 1};
    kq_regex *re;
    kq_error err;
    if (kq_regex_create(pattern, false, &re, &err) != KQ_OK) return 0;
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    kq_re_tree tree;
    const kq_re_program *program;
    if (kq_re_parse(pattern, false, &arena, &tree, &err) != KQ_OK) abort();
    kq_sv a[3] = {{0}}, b[3] = {{0}};
    bool x, y;
    if (kq_re_compile(&tree, &arena, &program, &err) == KQ_OK &&
        kq_regex_search(re, text, 0, a, 3, &x, &err) == KQ_OK && kq_re_run(program, text, 0, b, 3, &y, &err) == KQ_OK &&
        (x != y || (x && a[0].p != b[0].p)))
        abort();
    kq_regex_walk walk = {0};
    size_t matches = 0;
    for (bool found = true; found; matches++)
        if (kq_regex_next(re, text, &walk, a, 3, &found, &err) != KQ_OK) break;
    if (matches > text.n + 2) abort();
    kq_arena_deinit(&arena);
    kq_regex_destroy(re);
    return 0;
}
