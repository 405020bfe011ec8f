/* The front end: whatever parses prints to text that parses to the same tree, and what binds can be optimized. */
#include "kql/ast.h"
#include "kql/diagnostic.h"
#include "kql/plan.h"

static kq_column columns[] = {{{"a", 1}, KQ_STRING, false},
                              {{"b", 1}, KQ_LONG, false},
                              {{"c", 1}, KQ_DATETIME, false},
                              {{"d", 1}, KQ_DYNAMIC, false}};
static const kq_sv table = {"T", 1};

static bool find(void *ctx, kq_sv name, kq_table_ref *out) {
    (void)ctx;
    *out = (kq_table_ref){table, {columns, 4}, NULL, 0};
    return kq_sv_eq(name, table);
}

static const kq_sv *names(void *ctx, KQ_UNUSED bool all, size_t *n) {
    (void)ctx;
    *n = 1;
    return &table;
}

/* F is a sound stored function, G one whose text is the query itself. */
static bool function(void *ctx, kq_sv name, kq_stored_text *out) {
    static const kq_sv sound = {
        "let F = (t:(*), n:long = 3, m:dynamic = dynamic([])) { t | where n > 1 or a in (m) | take 2 };", 94};
    bool f = kq_sv_eq(name, KQ_SV("F")), g = kq_sv_eq(name, KQ_SV("G"));
    *out = (kq_stored_text){name, f ? sound : *(const kq_sv *)ctx, {"fuzz.kql", 8}, 1};
    return f || g;
}

static void check_error(const kq_error *err, kq_sv query, kq_buf *out) {
    kq_diagnostic_print(err, query, "query", out);
    /* an error has words and lies in the text */
    if (!err->message[0] || (err->span_start != UINT32_MAX && err->span_start > query.n)) __builtin_trap();
}

/* The plan has the same columns before and after. */
static void check_plan(const kq_node *script, kq_sv query, kq_arena *arena, kq_buf *out) {
    kq_resolver resolver = {find, names, &query, INT64_C(637000000000000000), NULL, function, NULL};
    kq_cleanup *cleanups = NULL;
    kq_query q = {0};
    kq_error err;
    kq_status st = kq_bind(script, &resolver, arena, &cleanups, &q, &err);
    if (st == KQ_OK) {
        kq_columns before = q.plan->out;
        st = kq_optimize(&q, arena, &err);
        if (st != KQ_OK) kq_stored_place(q.stored, &err);
        if (st == KQ_OK) {
            if (q.plan->out.n != before.n) __builtin_trap();
            for (uint32_t i = 0; i < before.n; i++)
                if (q.plan->out.items[i].type != before.items[i].type ||
                    !kq_sv_eq(q.plan->out.items[i].name, before.items[i].name))
                    __builtin_trap();
            kq_plan_print(q.plan, out);
        }
    }
    if (st != KQ_OK) check_error(&err, query, out);
    kq_cleanup_run(&cleanups);
}

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
        check_error(&err, query, &out);
    } else {
        kq_ast_print(script, &out);
        kq_status st2 = kq_parse(kq_buf_view(&out), &arena, &again, &err);
        if (st2 == KQ_ERR_QUERY || (st2 == KQ_OK && !kq_ast_same(script, again))) __builtin_trap();
        kq_buf_clear(&out);
        check_plan(script, query, &arena, &out);
    }
    kq_buf_deinit(&out);
    kq_arena_deinit(&arena);
    return 0;
}
