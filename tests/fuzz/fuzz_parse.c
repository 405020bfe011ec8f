/* Lexer, parser and printer: whatever parses prints to text that parses to the same tree. */
#include "kql/ast.h"
#include "kql/diagnostic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    kq_arena arena;
    kq_budget budget;
    kq_node *script, *again;
    kq_error err;
    kq_buf out;
    kq_sv query = {(const char *)data, size};
    kq_budget_init(&budget, (size_t)256 << 20);
    kq_arena_init(&arena, &budget, 0);
    kq_buf_init(&out, &budget, 0);
    kq_status st = kq_parse(query, &arena, &script, &err);
    if (st != KQ_OK) {
        kq_diagnostic_print(&err, query, "query", &out);
        /* an error has words and lies in the text */
        if (!err.message[0] || (err.span_start != UINT32_MAX && err.span_start > size)) __builtin_trap();
    } else {
        kq_ast_print(script, &out);
        kq_status st2 = kq_parse(kq_buf_view(&out), &arena, &again, &err);
        if (st2 == KQ_ERR_QUERY || (st2 == KQ_OK && !kq_ast_same(script, again))) __builtin_trap();
    }
    kq_buf_deinit(&out);
    kq_arena_deinit(&arena);
    return 0;
}
