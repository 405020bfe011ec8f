/* The parser: shapes of trees, errors with their places, limits, and printing that parses to the same tree. */
#include "kql/ast.h"
#include "kql/diagnostic.h"
#include "kql/literal.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static void show(const kq_node *n, kq_buf *out) {
    if (!n) {
        kq_buf_char(out, '-');
        return;
    }
    switch (n->kind) {
    case KQ_NODE_LITERAL: kq_buf_sv(out, n->text); return;
    case KQ_NODE_NAME: kq_buf_printf(out, "`" KQ_SV_FMT "`", KQ_SV_ARG(n->text)); return;
    default: break;
    }
    kq_buf_char(out, '(');
    kq_buf_str(out, kq_node_name(n->kind));
    if (n->text.n) kq_buf_printf(out, " " KQ_SV_FMT, KQ_SV_ARG(n->text));
    if (n->flags) kq_buf_printf(out, " /%u", n->flags);
    for (uint32_t i = 0; i < n->nkids; i++) {
        kq_buf_char(out, ' ');
        show(n->kids[i], out);
    }
    kq_buf_char(out, ')');
}

/* The tree of a query with one statement, and that it survives printing. */
static void check(const char *query, const char *want) {
    kq_arena arena;
    kq_node *script, *again;
    kq_error err;
    kq_buf out;
    kq_arena_init(&arena, NULL, 0);
    kq_buf_init(&out, NULL, 0);
    if (kq_parse(kq_sv_of(query), &arena, &script, &err) != KQ_OK) fail_msg("%s: %s", query, err.message);
    for (uint32_t i = 0; i < script->nkids; i++) show(script->kids[i], &out);
    kq_buf_char(&out, 0);
    if (strcmp(out.p, want) != 0) fail_msg("%s:\n%s\nnot\n%s", query, out.p, want);
    kq_buf_clear(&out);
    kq_ast_print(script, &out);
    if (kq_parse(kq_buf_view(&out), &arena, &again, &err) != KQ_OK)
        fail_msg("%.*s: %s", (int)out.n, out.p, err.message);
    if (!kq_ast_same(script, again)) fail_msg("%s prints as %.*s", query, (int)out.n, out.p);
    kq_buf_deinit(&out);
    kq_arena_deinit(&arena);
}

static void refuse(const char *query, uint32_t at, uint32_t len, const char *message, const char *hint) {
    kq_arena arena;
    kq_node *script;
    kq_error err;
    kq_arena_init(&arena, NULL, 0);
    if (kq_parse(kq_sv_of(query), &arena, &script, &err) != KQ_ERR_QUERY) fail_msg("%s is taken", query);
    assert_string_equal(err.message, message);
    if (hint) assert_string_equal(err.hint, hint);
    if (err.span_start != at || err.span_len != len)
        fail_msg("%s: place %u+%u, not %u+%u", query, err.span_start, err.span_len, at, len);
    kq_arena_deinit(&arena);
}

static void test_expressions(void **state) {
    (void)state;
    check("a or b and c == d < e + f * g has h",
          "(BINARY or `a` (BINARY and `b` (BINARY == `c` (BINARY < `d` (BINARY + `e` (BINARY * `f` (BINARY has `g` "
          "`h`)))))))");
    check("a has b * c", "(BINARY * (BINARY has `a` `b`) `c`)");
    check("a - b - c", "(BINARY - (BINARY - `a` `b`) `c`)");
    check("a - (b - c)", "(BINARY - `a` (BINARY - `b` `c`))");
    check("a < b == c", "(BINARY == (BINARY < `a` `b`) `c`)");
    check("a <> b", "(BINARY != `a` `b`)");
    check("-a.b[0]", "(UNARY - (INDEX (DOT b `a`) 0))");
    check("a.b['c d'].['e'].[\"f\"][-1]", "(INDEX (DOT f (DOT e (INDEX (DOT b `a`) 'c d'))) (UNARY - 1))");
    check("a in (1, 2 + 3)", "(BINARY in `a` (LIST 1 (BINARY + 2 3)))");
    check("a !in~ ('x') and b !has 'y'", "(BINARY and (BINARY !in~ `a` (LIST 'x')) (BINARY !has `b` 'y'))");
    check("a in ((T | project x))", "(BINARY in `a` (LIST (PIPE `T` (PROJECT `x`))))");
    check("a has_any (dynamic([1, 'x']))", "(BINARY has_any `a` (LIST dynamic([1, 'x'])))");
    check("a between (1 .. 2+3)", "(BINARY between `a` (LIST 1 (BINARY + 2 3)))");
    check("a !between(1d..2d)", "(BINARY !between `a` (LIST 1d 2d))");
    check("a matches regex @'x\\d'", "(BINARY matches regex `a` @'x\\d')");
    check("a:'x'", "(BINARY : `a` 'x')");
    check("* has 'x'", "(BINARY has (WILDCARD *) 'x')");
    check("f(a, b=1, *, (T | count))", "(CALL f `a` (NAMED b 1) (WILDCARD *) (PIPE `T` (COUNT)))");
    check("toscalar(T | count)", "(CALL toscalar (PIPE `T` (COUNT)))");
    check("cluster('c').database('d').T", "(DOT T (DOT database (CALL cluster 'c') (CALL database 'd')))");
    check("typeof(long)", "(TYPEOF)");
    check("['a b'] + [\"c\"]", "(BINARY + `a b` `c`)");
    check("'a' \"b\" @'c'", "'a' \"b\" @'c'");
    check("datetime()", "(CALL now)");
    check("-9223372036854775808", "(UNARY - 9223372036854775808)");
    check("count == kind", "(BINARY == `count` `kind`)");
    check("(a and b) and (c or d)", "(BINARY and (BINARY and `a` `b`) (BINARY or `c` `d`))");
}

static void test_statements(void **state) {
    (void)state;
    check("let x = 1;\n\nlet y = x;\nT;", "(LET x 1)(LET y `x`)`T`");
    check("let f = (a:int, b:string='x') { a + b }; f(1)",
          "(LET f (FUNCTION (LIST (COLUMN a) (COLUMN b 'x')) (SCRIPT (BINARY + `a` `b`))))(CALL f 1)");
    check("let f = (T:(a:long), U:(*)) { let z = 1; T | take z; }; f(A, B)",
          "(LET f (FUNCTION (LIST (COLUMN T /32 (COLUMN a)) (COLUMN U /96)) (SCRIPT (LET z 1) (PIPE `T` (TAKE "
          "`z`)))))(CALL f `A` `B`)");
    check("let v = view () { T }; v", "(LET v (FUNCTION /128 (LIST) (SCRIPT `T`)))`v`");
    check("declare query_parameters(a:long, b:string = 'x'); print a",
          "(DECLARE (COLUMN a) (COLUMN b 'x'))(PRINT `a`)");
    check("set notruncation; set x = 5; T", "(SET notruncation)(SET x 5)`T`");
    check("datatable(a:long, ['b c']:string) [1, 'x', 2, 'y',]",
          "(DATATABLE (LIST (COLUMN a) (COLUMN b c)) (LIST 1 'x' 2 'y'))");
    check("range x from 1 to 10 step 2", "(RANGE x 1 10 2)");
    check("print range(1, 2), y = 2", "(PRINT (CALL range 1 2) (NAMED y 2))");
    check("union withsource=S T, (U | count), V*",
          "(UNION (LIST (PARAM withsource `S`)) `T` (PIPE `U` (COUNT)) (WILDCARD V*))");
    check("search in (T, U*) 'x' and a:'y'",
          "(SEARCH (LIST) (LIST `T` (WILDCARD U*)) (BINARY and 'x' (BINARY : `a` 'y')))");
    check("externaldata(a:string)[@'u'] with (format='csv')",
          "(EXTERNALDATA (LIST (COLUMN a)) (LIST @'u') (LIST (PARAM format 'csv')))");
    check("(T | where a) | count", "(PIPE (PIPE `T` (WHERE `a`)) (COUNT))");
}

static void test_operators(void **state) {
    (void)state;
    check("T | filter a | extend b=1, (c, d)=f() | project-away e*, ['g h']",
          "(PIPE `T` (WHERE `a`) (EXTEND (NAMED b 1) (NAMES (LIST `c` `d`) (CALL f))) (PROJECT_AWAY (WILDCARD e*) `g "
          "h`))");
    check("T | project-reorder a asc, b*, * granny-desc",
          "(PIPE `T` (PROJECT_REORDER (ORDERED /1 `a`) (WILDCARD b*) (ORDERED /18 (WILDCARD *))))");
    check("T | order by a, b asc nulls last", "(PIPE `T` (SORT (ORDERED `a`) (ORDERED /9 `b`)))");
    check("T | top 5 by a desc nulls first", "(PIPE `T` (TOP 5 (ORDERED /6 `a`)))");
    check("T | summarize hint.strategy=shuffle n=count(), sum(a) by b, bin(c, 1d)",
          "(PIPE `T` (SUMMARIZE (LIST (PARAM hint.strategy `shuffle`)) (LIST (NAMED n (CALL count)) (CALL sum `a`)) "
          "(LIST "
          "`b` (CALL bin `c` 1d))))");
    check("T | summarize by a", "(PIPE `T` (SUMMARIZE (LIST) (LIST) (LIST `a`)))");
    check("T | summarize count()", "(PIPE `T` (SUMMARIZE (LIST) (LIST (CALL count)) -))");
    check("T | join kind=inner (U) on $left.a == $right.b, c",
          "(PIPE `T` (JOIN (LIST (PARAM kind `inner`)) `U` (LIST (BINARY == (DOT a `$left`) (DOT b `$right`)) `c`)))");
    check("T | mv-expand with_itemindex=i a to typeof(long), b = c limit 5",
          "(PIPE `T` (MV_EXPAND (LIST (PARAM with_itemindex `i`)) (LIST (TO_TYPEOF `a`) (NAMED b `c`)) 5))");
    check("T | mv-apply a on (where a > 1 | count)",
          "(PIPE `T` (MV_APPLY (LIST) (LIST `a`) - (PIPE - (WHERE (BINARY > `a` 1)) (COUNT))))");
    check(
        "T | parse kind=regex a with * 'x' b:long 'y' *",
        "(PIPE `T` (PARSE parse (LIST (PARAM kind `regex`)) `a` (LIST (WILDCARD *) 'x' (COLUMN b) 'y' (WILDCARD *))))");
    check("T | parse-kv a as (b:long) with (pair_delimiter=';')",
          "(PIPE `T` (PARSE_KV `a` (LIST (COLUMN b)) (LIST (PARAM pair_delimiter ';'))))");
    check("T | evaluate bag_unpack(a) : (*, b:long)",
          "(PIPE `T` (EVALUATE (LIST) (CALL bag_unpack `a`) (LIST (COLUMN * /64) (COLUMN b))))");
    check("T | render timechart with (ycolumns=a, b, title='x')",
          "(PIPE `T` (RENDER timechart (PARAM ycolumns `a` `b`) (PARAM title 'x')))");
    check("T | make-series n=count() default=0 on t from a to b step 1d by c",
          "(PIPE `T` (MAKE_SERIES (LIST) (LIST (LIST (NAMED n (CALL count)) 0)) `t` `a` `b` 1d (LIST `c`)))");
    check("T | graph-match (a)-[e]->(b) where a.x == 1 project a | count",
          "(PIPE `T` (OTHER graph-match `(a)-[e]->(b) where a.x == 1 project a`) (COUNT))");
    check("T | count as n | as x | sample-distinct 5 of a | invoke f(x)",
          "(PIPE `T` (COUNT n) (AS x) (SAMPLE_DISTINCT 5 `a`) (INVOKE (CALL f `x`)))");
}

static void test_dynamic(void **state) {
    (void)state;
    check("dynamic({\"a\": [1, -2.5, null, true], 'b': datetime(2020-01-01), \"c\": 1d // c\n, 'd': {}})",
          "dynamic({\"a\": [1, -2.5, null, true], 'b': datetime(2020-01-01), \"c\": 1d // c\n, 'd': {}})");
    kq_arena arena;
    kq_node *script;
    kq_error err;
    kq_arena_init(&arena, NULL, 0);
    assert_int_equal(kq_parse(KQ_SV("dynamic(null)"), &arena, &script, &err), KQ_OK);
    assert_true(script->kids[0]->value.null && script->kids[0]->value.type == KQ_DYNAMIC);
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    assert_int_equal(kq_parse(KQ_SV("dynamic({'a':[1,'x\\/',1.5], 'b':true})"), &arena, &script, &err), KQ_OK);
    kq_value_json(&script->kids[0]->value, &out);
    kq_buf_char(&out, 0);
    assert_string_equal(out.p, "{\"a\":[1,\"x/\",1.5],\"b\":true}");
    kq_buf_deinit(&out);
    kq_arena_deinit(&arena);
    refuse("print dynamic([1,)", 17, 1, "expected a JSON value, found ')'", NULL);
    refuse("print dynamic({a:1})", 15, 1, "expected a key in quotes, found 'a'", NULL);
    refuse("print dynamic([1", 16, 0, "expected ']' to close the array opened at line 1, found the end of the query",
           NULL);
}

static void test_errors(void **state) {
    (void)state;
    refuse("", 0, 0, "the query is empty", NULL);
    refuse(" // c", 5, 0, "the query is empty", NULL);
    refuse("T | wher a", 4, 4, "unknown operator 'wher'", "did you mean 'where'?");
    refuse("T | project_away a", 4, 12, "unknown operator 'project_away'", "did you mean 'project-away'?");
    refuse("T | where a in (1,\n2 | count", 28, 0,
           "expected ')' to close the list opened at line 1, found the end of the query", NULL);
    refuse("T | where a == 'x", 15, 2, "unterminated string", NULL);
    refuse("T | where a ==", 14, 0, "expected an expression, found the end of the query", NULL);
    refuse("T | where == 1", 10, 2, "expected an expression, found '=='", NULL);
    refuse("T | where a == b == c", 17, 2, "'==' can't follow another comparison", "use parentheses, or 'and'");
    refuse("T | where a = 1", 12, 1, "expected an operator, '|' or ';', found '='", "to compare, write ==");
    refuse("T | where a in b", 15, 1, "expected '(' after 'in'", "write in (...)");
    refuse("T | sort a", 9, 1, "expected 'by', found 'a'", NULL);
    refuse("T |", 3, 0, "expected an operator such as where, found the end of the query", NULL);
    refuse("T | where a == \"C:\\x\"", 18, 2, "'\\x' is no escape sequence",
           "write \\\\ for a backslash, or a verbatim string @\"...\"");
    refuse("let x = 1\nlet y = 2", 10, 3, "expected an operator, '|' or ';', found 'let'", "a statement ends with ';'");
    refuse("print x = datatable(a:lng)[1]", 22, 3, "unknown type 'lng'", NULL);
    refuse("T | where a == datetime(2020-13-01)", 15, 20, "'2020-13-01' is no datetime", NULL);
    refuse("T | where (a or b", 17, 0,
           "expected ')' to close the parenthesis opened at line 1, found the end of the query", NULL);
    refuse("print a and and b", 12, 3, "expected an expression, found 'and'", NULL);
}

static char *repeated(const char *head, const char *part, size_t n, const char *tail) {
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    kq_buf_str(&out, head);
    for (size_t i = 0; i < n; i++) kq_buf_str(&out, part);
    kq_buf_str(&out, tail);
    kq_buf_char(&out, 0);
    return out.p;
}

static kq_status parse_repeated(const char *head, const char *part, size_t n, const char *tail) {
    char *text = repeated(head, part, n, tail);
    kq_arena arena;
    kq_node *script, *again;
    kq_error err;
    kq_arena_init(&arena, NULL, 0);
    kq_status st = kq_parse(kq_sv_of(text), &arena, &script, &err);
    if (st == KQ_OK) {
        kq_buf out;
        kq_buf_init(&out, NULL, 0);
        kq_ast_print(script, &out);
        assert_int_equal(kq_parse(kq_buf_view(&out), &arena, &again, &err), KQ_OK);
        assert_true(kq_ast_same(script, again));
        kq_buf_deinit(&out);
    }
    kq_arena_deinit(&arena);
    kq_free(text);
    return st;
}

static void test_limits(void **state) {
    (void)state;
    assert_int_equal(parse_repeated("print ", "(", 100000, "1"), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("print ", "-", 100000, "1"), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("print dynamic(", "[", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("print ", "f(", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("print a", "[a", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("print a", ".a", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("print 1", "+1", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("", "let f=(){", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("T", "|mv-apply a on(count", 100000, ""), KQ_ERR_LIMIT);
    assert_int_equal(parse_repeated("T", "|count", 100000, ""), KQ_ERR_LIMIT);
    /* long but flat is fine */
    assert_int_equal(parse_repeated("T|where a==0", " or a==1", 50000, ""), KQ_OK);
    assert_int_equal(parse_repeated("T|where a==0", " or a==1", 64, ""), KQ_OK);
    assert_int_equal(parse_repeated("T|where (a==0", " or a==1", 70, ") or (b and c)"), KQ_OK);
    assert_int_equal(parse_repeated("T|where a in(0", ",1", 50000, ")"), KQ_OK);
    assert_int_equal(parse_repeated("T|where ", "(", 60, "a"), KQ_ERR_QUERY);
}

static void test_memory(void **state) {
    (void)state;
    static const char query[] =
        "let f = (a:int) { a + 1 }; T | where a in ('x' 'y', dynamic({'a':[1]})) | summarize count() by "
        "b | parse c with 'x' d:long | join (U) on e";
    for (long i = 0; i < 200; i++) {
        kq_arena arena;
        kq_node *script;
        kq_error err;
        kq_arena_init(&arena, NULL, 256);
        kq_alloc_fail_at(i, true);
        kq_status st = kq_parse(kq_sv_of(query), &arena, &script, &err);
        kq_alloc_fail_at(-1, false);
        kq_arena_deinit(&arena);
        if (st == KQ_OK) return;
        assert_int_equal(st, KQ_ERR_NOMEM);
    }
    fail_msg("never enough memory");
}

/* Every query of Microsoft's documentation that has an answer parses and prints to the same tree. */
static void test_vectors(void **state) {
    (void)state;
    FILE *f = fopen("../shared/conformance/vectors.jsonl", "r");
    if (!f) return; /* the recorded answers are no part of the project */
    char *line = NULL;
    size_t cap = 0;
    unsigned parsed = 0;
    while (getline(&line, &cap, f) > 0) {
        const char *from = strstr(line, "\"query\": \"");
        if (!from || strstr(line, "\"error\": {") || strstr(line, "\"error\": \"") || strstr(line, "\"error\": true"))
            continue;
        const char *to = from += strlen("\"query\": ");
        do to += *to == '\\' ? 2 : 1;
        while (*to != '"');
        kq_arena arena;
        kq_node *script, *again;
        kq_error err;
        kq_sv raw = {from, (size_t)(to + 1 - from)}, query;
        kq_arena_init(&arena, NULL, 0);
        /* a JSON string, read by our own reader of JSON strings */
        kq_token token = {.span = {0, (uint32_t)raw.n}, .kind = KQ_TOKEN_STRING};

        assert_int_equal(kq_literal_string(raw, token, true, &arena, &query, &err), KQ_OK);
        if (kq_parse(query, &arena, &script, &err) != KQ_OK) fail_msg("%.*s\n%s", (int)query.n, query.p, err.message);
        kq_buf out;
        kq_buf_init(&out, NULL, 0);
        kq_ast_print(script, &out);
        if (kq_parse(kq_buf_view(&out), &arena, &again, &err) != KQ_OK || !kq_ast_same(script, again))
            fail_msg("%.*s\nprints as\n%.*s", (int)query.n, query.p, (int)out.n, out.p);
        kq_buf_deinit(&out);
        kq_arena_deinit(&arena);
        parsed++;
    }
    free(line);
    fclose(f);
    assert_true(parsed > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_expressions), cmocka_unit_test(test_statements),
                                       cmocka_unit_test(test_operators),   cmocka_unit_test(test_dynamic),
                                       cmocka_unit_test(test_errors),      cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_memory),      cmocka_unit_test(test_vectors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
