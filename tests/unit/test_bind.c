#include "kql/ast.h"
#include "kql/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static kq_column t_columns[] = {{KQ_SV("s"), KQ_STRING, false},  {KQ_SV("l"), KQ_LONG, false},
                                {KQ_SV("i"), KQ_INT, false},     {KQ_SV("r"), KQ_REAL, false},
                                {KQ_SV("b"), KQ_BOOL, false},    {KQ_SV("t"), KQ_DATETIME, false},
                                {KQ_SV("d"), KQ_DYNAMIC, false}, {KQ_SV("a1"), KQ_STRING, false},
                                {KQ_SV("_x"), KQ_STRING, false}}; /* the last one is hidden */
static kq_column u_columns[] = {
    {KQ_SV("s"), KQ_STRING, false}, {KQ_SV("l"), KQ_INT, false}, {KQ_SV("u"), KQ_STRING, false}};
static const kq_sv table_names[] = {{"T", 1}, {"U", 1}, {"Events", 6}};

static bool find(void *ctx, kq_sv name, kq_table_ref *out) {
    (void)ctx;
    if (kq_sv_eq(name, KQ_SV("T")) || kq_sv_eq(name, KQ_SV("Events")))
        *out = (kq_table_ref){name, {t_columns, 8}, t_columns, 1};
    else if (kq_sv_eq(name, KQ_SV("U")))
        *out = (kq_table_ref){name, {u_columns, 3}, u_columns, 0};
    else
        return false;
    return true;
}
static const kq_sv *names(void *ctx, KQ_UNUSED bool all, size_t *n) {
    (void)ctx;
    *n = 3;
    return table_names;
}

static const kq_stored_text stored[] = {
#define STORED(name, text)                                                                                             \
    { {name, sizeof name - 1}, {text, sizeof text - 1}, {"test.kql", 8}, 7 }
    STORED("View",
           "let View = (from:long = 0, only:string = '*') {\n  T | where l >= from and (only == '*' or s == only)\n};"),
    STORED("Sees", "let Sees = (t:(*)) { union T, (T | where _x == 'a'), t | project s, x = _x };"),
    STORED("Twice", "let Twice = (x:long) { x * 2 };"),
    STORED("OnView", "let OnView = () { View(from = Twice(2)) | project s };"),
    STORED("Needs", "let Needs = (x:long) { T | where l == x };"),
    STORED("Keep", "let Keep = (t:(l:long)) { t | where l > 1 };"),
    STORED("Lacks", "let Lacks = () {\n  T | project nothing };"),
    STORED("NoTable", "let NoTable = () { Nowhere | take 1 };"),
    STORED("Broken", "let Broken = () { T | where };"),
    STORED("Other", "let Another = () { T };"),
    STORED("Ping", "let Ping = () { Pong | take 1 };"),
    STORED("Pong", "let Pong = () { Ping | take 1 };"),
    STORED("Events", "let Events = () { table('Events') | extend more = 1 };"),
};
static bool find_function(void *ctx, kq_sv name, kq_stored_text *out) {
    (void)ctx;
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++)
        if (kq_sv_eq(stored[i].name, name)) {
            *out = stored[i];
            return true;
        }
    return false;
}
static const kq_sv *function_names(void *ctx, size_t *n) {
    static const kq_sv view = {"View", 4};
    (void)ctx;
    *n = 1;
    return &view;
}
static const kq_resolver resolver = {find, names,         NULL,          INT64_C(637134336000000000),
                                     NULL, find_function, function_names}; /* 2020-01-01 */

/* What binding `query` gives: columns, the plan, or the error and its hint. */
static char *bound(const char *query, bool plan, kq_status *status) {
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_error err = {0};
    kq_node *script = NULL;
    kq_query q = {0};
    kq_buf out;
    kq_arena_init(&arena, NULL, 0);
    kq_buf_init(&out, NULL, 0);
    *status = kq_parse(kq_sv_of(query), &arena, &script, &err);
    if (*status == KQ_OK) *status = kq_bind(script, &resolver, &arena, &cleanups, &q, &err);
    if (*status != KQ_OK)
        kq_buf_printf(&out, "%s [%s] %u+%u", err.message, err.hint, err.span_start, err.span_len);
    else if (plan)
        kq_plan_print(q.plan, &out);
    else
        for (uint32_t i = 0; i < q.plan->out.n; i++)
            kq_buf_printf(&out, "%s" KQ_SV_FMT ":%s", i ? ", " : "", KQ_SV_ARG(q.plan->out.items[i].name),
                          kq_type_name(q.plan->out.items[i].type));
    char *text = kq_malloc(out.n + 1);
    if (text) {
        if (out.n) memcpy(text, out.p, out.n);
        text[out.n] = 0;
    }
    kq_buf_deinit(&out);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
    return text;
}

static void check(const char *query, const char *expected) {
    kq_status status;
    char *text = bound(query, false, &status);
    if (strcmp(text, expected) != 0) fail_msg("%s\n  got      %s\n  expected %s", query, text, expected);
    kq_free(text);
}

static void refused(const char *query, const char *part) {
    kq_status status;
    char *text = bound(query, false, &status);
    if (status == KQ_OK || !strstr(text, part)) fail_msg("%s\n  got      %s\n  expected %s", query, text, part);
    kq_free(text);
}

static void planned(const char *query, const char *part) {
    kq_status status;
    char *text = bound(query, true, &status);
    if (status != KQ_OK || !strstr(text, part)) fail_msg("%s\n  got      %s\n  expected %s", query, text, part);
    kq_free(text);
}

static void automatic_names(void **state) {
    (void)state;
    check("print 1, x = 2, 'a'", "print_0:long, x:long, print_2:string");
    check("T | project l, l + 1, d.x, d['y'], d[0], bin(l, 1), tostring(d.x)",
          "l:long, Column1:long, d_x:dynamic, d_y:dynamic, d_0:dynamic, l1:long, d_x1:string");
    check("T | summarize count(), count(), sum(l), sum(l + 1), avg(l), countif(b), dcount(s) by s",
          "s:string, count_:long, count_1:long, sum_l:long, sum_:long, avg_l:real, countif_b:long, dcount_s:long");
    check("T | summarize make_set(s), make_list(d.x), arg_max(l, s), percentiles(r, 5, 99.5), round(avg(r), 1)",
          "set_s:dynamic, list_d_x:dynamic, l:long, s:string, percentile_r_5:real, percentile_r_99_5:real, avg_r:real");
    check("T | summarize arg_max(t, *) by s",
          "s:string, t:datetime, l:long, i:int, r:real, b:bool, d:dynamic, a1:string");
    check("T | summarize x = arg_max(l, s), (p, q) = arg_min(l, s)", "x:long, s:string, p:long, q:string");
    check("T | summarize max(l) by max_l = s, bin(t, 1d)", "max_l:string, t:datetime, max_l1:long");
    check("T | distinct s, tostring(d.x)", "s:string, d_x:string");
    check("T | count", "Count:long");
    check("T | count as n", "n:long");
}

static void columns(void **state) {
    (void)state;
    check("T | project s, l | extend s = 5, n = l", "s:long, l:long, n:long");
    check("T | project-away a*, d, t, b, r, i", "s:string, l:long");
    check("T | project-keep l, s", "s:string, l:long");
    check("T | project s, l | project-rename x = l", "s:string, x:long");
    check("T | project-reorder l, a*, * desc",
          "l:long, a1:string, t:datetime, s:string, r:real, i:int, d:dynamic, b:bool");
    check("print a10 = 1, a2 = 2 | project-reorder a* granny-asc", "a2:long, a10:long");
    check("T | getschema", "ColumnName:string, ColumnOrdinal:int, DataType:string, ColumnType:string");
    check("T | take 5 | sort by l asc | top 3 by s | project l", "l:long");
    check("print x = dynamic([1, 2]) | extend (a, b) = x", "x:dynamic, a:dynamic, b:dynamic");
    check("T | mv-expand d to typeof(long) | project d", "d:long");
    check("T | mv-expand with_itemindex = n x = d.y | project x, n", "x:dynamic, n:long");
    check("T | parse s with 'a' x:long 'b' s | project x, s", "x:long, s:string");
    check("T | project x = column_ifexists('l', ''), y = column_ifexists('z', '')", "x:long, y:string");
    check("T | where t > ago(1d) and s has_any ('a', 'b') | project y = pack_all()", "y:dynamic");
}

static void joins_and_unions(void **state) {
    (void)state;
    check("T | project s, l | join U on s", "s:string, l:long, s1:string, l1:int, u:string");
    check("T | project s, l | join (T | project s, l1 = l, l) on $left.s == $right.s",
          "s:string, l:long, s1:string, l1:long, l2:long");
    check("T | project s | join kind=leftanti U on s", "s:string");
    check("T | project s | join kind=rightsemi U on s", "s:string, l:int, u:string");
    check("T | project s, l | lookup U on s", "s:string, l:long, l1:int, u:string");
    check("T | project s, l | union U", "s:string, l_long:long, l_int:int, u:string");
    check("union withsource=src (T | project s), U", "src:string, s:string, l:int, u:string");
    check("union isfuzzy=true U, Missing, (Missing2 | where x > 1)", "s:string, l:int, u:string");
    check("union kind=inner (T | project s, r), U", "s:string");
    check("U | search 'x'", "$table:string, s:string, l:int, u:string");
}

static void windows_and_apply(void **state) {
    (void)state;
    check("T | sort by l | project row_number(), p = prev(s), n = next(l, 2, 0)", "Column1:long, p:string, n:long");
    check("T | serialize c = row_cumsum(i, s != prev(s)) | project c", "c:int");
    check("range x from 1 to 3 step 1 | where row_number() > 1", "x:long");
    refused("T | extend row_number()", "needs rows in an order");
    refused("T | sort by l | count | extend p = prev(Count)", "needs rows in an order");
    refused("T | sort by l | extend prev(l, l)", "must be constant");
    check("T | project s, d | mv-apply d on (where d.x > 1)", "s:string, d:dynamic");
    check("T | project s, d | mv-apply x = d to typeof(long) on (summarize sum(x))", "s:string, d:dynamic, sum_x:long");
    check("T | project s, d | mv-apply x = d on (summarize s = count())", "s:long, d:dynamic");
    check("T | project s, d | mv-apply x = d on (top 1 by tolong(x) | project y = x)",
          "s:string, d:dynamic, y:dynamic");
    check("T | project s, d | mv-apply with_itemindex=ix d on (project ix, d)", "s:string, ix:long, d:dynamic");
    refused("T | mv-apply d on (join U on s)", "does not take this operator");
}

static void let_names(void **state) {
    (void)state;
    check("let n = 5; print n + 1", "print_0:long");
    check("let x = materialize(T | project s); x | join x on s", "s:string, s1:string");
    check("let f = (a:string, n:long = 2) { strcat(a, n) }; T | project x = f(s), y = f('q', n = 3)",
          "x:string, y:string");
    check("let f = (x:(l:long), n:long) { x | where l > n }; T | project l, s | invoke f(5)", "l:long, s:string");
    check("let f = () { T | project s }; f | where s in (f)", "s:string");
    check("let m = toscalar(T | summarize max(l)); T | where l == m | project l", "l:long");
    check("let f = (x:long) { let y = x * 2; y + 1 }; T | project v = f(l)", "v:long");
    check("declare query_parameters(p:long = 5); print p", "print_0:long");
    check("set query_now = datetime(2020); T | as X | project s | union (X | project s)", "s:string");
    check("database('x').T | project s", "s:string");
    check("cluster('c').database('x').T | project s", "s:string");
}

static void errors(void **state) {
    (void)state;
    refused("T | where x == 1", "unknown column 'x'");
    refused("Evens | take 1", "unknown table 'Evens' [did you mean 'Events'?] 0+5");
    refused("T | project strln(s)", "unknown function 'strln' [did you mean 'strlen'?]");
    refused("T | where l", "a condition must be bool, not long");
    refused("T | project l, l", "given twice");
    refused("T | extend x = s.y", "a path needs a dynamic value, not string");
    refused("T | extend x = count()", "the aggregate 'count' can't be used here");
    refused("T | summarize l by s", "'l' stands outside an aggregate");
    refused("T | summarize count() by d", "grouped by a dynamic");
    refused("T | sort by d.x", "ordered by a dynamic");
    refused("T | join U on l", "the key is long on the left and int on the right");
    refused("T | join kind=inne U on s", "did you mean 'inner'?");
    refused("T | join U on nosuch", "unknown column 'nosuch'");
    refused("T | join U on $left.l > $right.l", "a join compares columns");
    refused("let x = 1; let x = 2; print x", "declared twice");
    refused("let f = (x:long) { x }; print f()", "needs a value for 'x'");
    refused("let f = (x:long) { x }; print f('a')", "is long, the argument string");
    refused("let f = (x:long) { f(x) }; print f(1)", "unknown function 'f'");
    refused("let f = (x:long) { toscalar(T | where l == x | count) }; T | extend f(l)", "can't be used inside a table");
    refused("datatable(a:long, b:long)[1, 2, 3]", "3 values do not make rows of 2 columns");
    refused("datatable(a:long)[1 + 1]", "literals only");
    refused("T | mv-expand s", "mv-expand takes a dynamic value");
    refused("T | parse s with x y", "a string must stand between");
    refused("T | take 'a'", "must be long");
    refused("T | scan with (step a: true;)", "not known to this version");
    refused("T | where s + 1 == 2", "the operator '+' is not defined");
    refused("T | where s < 'a'", "the operator '<' is not defined");
    refused("let x = 5;", "only declarations");
    refused("T | where x in (T, U)", "unknown column 'x'");
}

static void plans(void **state) {
    (void)state;
    planned("T | where l == 1 + 1", "FILTER ==(l, long(2))");
    planned("T | where i == 1.5", "FILTER ==(toreal(i), real(1.5))");
    planned("T | where d.x == 1", "FILTER ==([](d, 'x'), long(1))");
    planned("T | where d.x == 'a'", "FILTER ==(tostring([](d, 'x')), 'a')");
    planned("T | where s in (dynamic(['a', 'b']), 'c')", "FILTER in(s, 'a', 'b', 'c')");
    planned("T | where s in ((U | project s))", "FILTER in(s, list(");
    planned("T | where t > ago(1d)", "datetime(2019-12-31");
    planned("T | sort by l asc, s", "SORT l asc nulls first, s desc nulls last");
    planned("T | summarize count() / countif(b) by s", "PROJECT s, /($agg0, $agg1)");
    planned("T | summarize count() by s", "AGGREGATE count() by s");
    planned("print x = datetime(2020-01-01) + 1d", "datetime(2020-01-02");
    planned("datatable(a:long, b:dynamic)['5', 7]", "VALUES 1 rows: long(5), dynamic(7)");
    planned("T | join kind=leftouter U on s", "JOIN leftouter on s == s");
}

static char *repeated(const char *head, const char *each, unsigned n, const char *tail) {
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_buf_str(&b, head);
    for (unsigned i = 0; i < n; i++) kq_buf_printf(&b, each, i + 1, i, i);
    kq_buf_str(&b, tail);
    kq_buf_char(&b, 0);
    return b.p;
}

static void stored_functions(void **state) {
    (void)state;
    check("View | project s", "s:string");
    check("View() | project s", "s:string");
    check("View(5, 'x') | project s", "s:string");
    check("View(only = 'x', from = 5) | project s", "s:string");
    check("OnView", "s:string");
    check("print x = Twice(2)", "x:long");
    check("T | extend x = Twice(l) | project x", "x:long");
    check("union OnView, (T | project s)", "s:string");
    check("T | project s | join kind=inner (OnView) on s", "s:string, s1:string");
    check("T | project s | lookup OnView on s", "s:string");
    check("let V = OnView; let F = () { V }; F | count", "Count:long");
    check("T | invoke Keep() | project l", "l:long");
    check("workspace('w').OnView", "s:string");
    check("print toscalar(OnView | count)", "print_0:long");
    check("T | where s in (OnView) | project s", "s:string");
    check("let View = () { print q = 1 }; View", "q:long"); /* the query's own name wins */
    check("let T = 5; OnView", "s:string");                 /* and is not seen inside */
    check("Events | project more", "more:long"); /* wins over the table of its name, and reads it by table() */
    check("Events | take 1 | union Events | count", "Count:long");
    check("union isfuzzy=true NoTable, OnView", "s:string");
    check("union isfuzzy=true NoTable, (NoTable), OnView", "s:string");
    refused("View(to = 5)", "View() has no parameter 'to' [] 5+6");
    refused("View(1, 'a', 2)", "View() takes 2 arguments");
    refused("View(from = 'x')", "the parameter 'from' is long, the argument string");
    refused("View(1, from = 2)", "given twice");
    refused("Needs", "Needs() needs a value for 'x'");
    refused("Vew", "unknown table 'Vew' [did you mean 'View'?]");
    refused("T | invoke Vew()", "did you mean 'View'?");
    refused("print View()", "gives a table where a value is expected");
    refused("Twice(1) | take 1", "is a value where a table is expected");
    /* errors inside name the function, its file's line, and the call */
    refused("T | take 1 | union Lacks", "in Lacks (test.kql:8:15): unknown column 'nothing' [] 19+5");
    refused("NoTable", "in NoTable (test.kql:7:20): unknown table 'Nowhere' [] 0+7");
    refused("union T, Broken", "in Broken (test.kql:7:");
    refused("Other", "in Other (test.kql:7:1): a stored function is written 'let Other = (...) { ... };'");
    refused("Ping", "in Pong (test.kql:7:17): the stored function 'Ping' calls itself [] 0+4");
    refused("let x = 1; Pong() | count", "in Ping (test.kql:7:17): the stored function 'Pong' calls itself [] 11+6");
    planned("View | where l > 7", "SCAN T");
}

/* A table's hidden columns are there for stored functions alone. */
static void hidden_columns(void **state) {
    (void)state;
    check("T", "s:string, l:long, i:int, r:real, b:bool, t:datetime, d:dynamic, a1:string");
    check("T | invoke Sees()", "s:string, x:string"); /* of its own T, not of the one that it is given */
    check("table('T') | project-reorder * | project-away s, l, i, r, b, t, d", "a1:string");
    check("union T | project-keep *1, _*", "a1:string");
    check("T | extend _x = 1 | project _x", "_x:long");
    refused("T | project _x", "unknown column '_x' [");
    refused("T | where _x == 'a'", "unknown column '_x' [");
    refused("View | project _y", "unknown column '_y' [");
    refused("T | project bag_pack_columns(_x)", "unknown column '_x' [");
    refused("let F = () { T | project _x }; F", "unknown column '_x' [");
}

static void limits(void **state) {
    (void)state;
    char *bombs[] = {
        repeated("let x0 = strcat(rand(), 'a');", "let x%u = strcat(x%u, x%u);", 40, "print x40"),
        repeated("let x0 = T;", "let x%u = union x%u, x%u;", 40, "x40"),
        repeated("let f0 = (a:long) { a + rand() };", "let f%u = (a:long) { f%u(a) + f%u(a) };", 40, "print f40(1)"),
        repeated("let f0 = () { T };", "let f%u = () { let a = f%u(); let b = f%u(); union a, b };", 40, "f40()"),
    };
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        kq_status status;
        char *text = bound(bombs[i], false, &status);
        assert_int_not_equal(status, KQ_OK);
        kq_free(text);
        kq_free(bombs[i]);
    }
}

/* Every allocation in turn fails: an error comes back and nothing leaks or crashes. */
static void out_of_memory(void **state) {
    (void)state;
    static const char query[] =
        "let f = (x:long) { x + 1 }; let k = materialize(U | project s);"
        "T | where s has_any ('a', 'b') and t > ago(1d) | extend y = f(l), z = d.a[0] | join kind=inner k on s"
        "| summarize count(), make_set(s), arg_max(l, *) by bin(t, 1h) | union (U | project u), OnView | sort by t asc";
    kq_status status;
    for (long n = 0; n < 400; n++) {
        kq_alloc_fail_at(n, true);
        kq_arena arena;
        kq_cleanup *cleanups = NULL;
        kq_error err = {0};
        kq_node *script = NULL;
        kq_query q = {0};
        kq_arena_init(&arena, NULL, 512);
        status = kq_parse(kq_sv_of(query), &arena, &script, &err);
        if (status == KQ_OK) status = kq_bind(script, &resolver, &arena, &cleanups, &q, &err);
        kq_cleanup_run(&cleanups);
        kq_arena_deinit(&arena);
        kq_alloc_fail_at(-1, false);
        if (status == KQ_OK) break;
        assert_int_equal(status, KQ_ERR_NOMEM);
    }
    assert_int_equal(status, KQ_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(automatic_names),
                                       cmocka_unit_test(columns),
                                       cmocka_unit_test(joins_and_unions),
                                       cmocka_unit_test(windows_and_apply),
                                       cmocka_unit_test(let_names),
                                       cmocka_unit_test(errors),
                                       cmocka_unit_test(plans),
                                       cmocka_unit_test(stored_functions),
                                       cmocka_unit_test(hidden_columns),
                                       cmocka_unit_test(limits),
                                       cmocka_unit_test(out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
