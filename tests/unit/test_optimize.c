/* The optimizer, by plans as text. */
#include "kql/ast.h"
#include "kql/plan.h"
#include <cmocka.h>
#include <stdio.h>

static kq_column t_columns[] = {{{"a", 1}, KQ_STRING, false},   {{"b", 1}, KQ_LONG, false},
                                {{"c", 1}, KQ_DATETIME, false}, {{"d", 1}, KQ_REAL, false},
                                {{"e", 1}, KQ_INT, false},      {{"f", 1}, KQ_STRING, false},
                                {{"y", 1}, KQ_DYNAMIC, false}};
static kq_column u_columns[] = {{{"a", 1}, KQ_STRING, false}, {{"x", 1}, KQ_LONG, false}, {{"z", 1}, KQ_STRING, false}};
static const kq_sv table_names[] = {{"T", 1}, {"U", 1}};

static bool find(void *ctx, kq_sv name, kq_table_ref *out) {
    (void)ctx;
    bool t = kq_sv_eq(name, table_names[0]), u = kq_sv_eq(name, table_names[1]);
    out->name = name;
    out->columns = t ? (kq_columns){t_columns, 7} : (kq_columns){u_columns, 3};
    out->handle = NULL;
    return t || u;
}

static const kq_sv *names(void *ctx, KQ_UNUSED bool all, size_t *n) {
    (void)ctx;
    *n = 2;
    return table_names;
}

static const kq_resolver resolver = {find, names, NULL, INT64_C(637000000000000000), NULL, NULL, NULL};

static void check(const char *query, const char *want) {
    kq_arena arena;
    kq_node *script;
    kq_query q = {0};
    kq_cleanup *cleanups = NULL;
    kq_error err;
    kq_buf out;
    kq_arena_init(&arena, NULL, 0);
    kq_buf_init(&out, NULL, 0);
    if (kq_parse(kq_sv_of(query), &arena, &script, &err) != KQ_OK ||
        kq_bind(script, &resolver, &arena, &cleanups, &q, &err) != KQ_OK || kq_optimize(&q, &arena, &err) != KQ_OK)
        fail_msg("%s: %s", query, err.message);
    kq_plan_print(q.plan, &out);
    kq_buf_char(&out, 0);
    if (strcmp(out.p, want) != 0) fail_msg("%s:\n%s", query, out.p);
    kq_buf_deinit(&out);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
}

static void test_columns(void **state) {
    (void)state;
    check("T | where a == 'x' and b > 5 | project a", "PROJECT a  (a:string)\n"
                                                      "  FILTER and(>(b, long(5)), ==(a, 'x'))  (a:string, b:long)\n"
                                                      "    SCAN T [range b > long(5)] [text a]  (a:string, b:long)\n");
    check("T | count", "AGGREGATE count()  (Count:long)\n"
                       "  SCAN T  ()\n");
    check("T | summarize arg_max(c, *) by a | project a, b",
          "PROJECT a, b  (a:string, b:long)\n"
          "  AGGREGATE arg_max(c, b) by a  (a:string, c:datetime, b:long)\n"
          "    SCAN T  (a:string, b:long, c:datetime)\n");
    check("T | project-away a | where tostring(y.k) == 'v' | summarize take_any(f, b) by e | project f1 = f",
          "PROJECT f  (f1:string)\n"
          "  AGGREGATE take_any(f) by e  (e:int, f:string)\n"
          "    PROJECT e, f  (e:int, f:string)\n"
          "      FILTER ==(tostring([](y, 'k')), 'v')  (e:int, f:string, y:dynamic)\n"
          "        SCAN T  (e:int, f:string, y:dynamic)\n");
    check("datatable(p:long, q:string)[1, 'a', 2, 'b'] | project q", "PROJECT q  (q:string)\n"
                                                                     "  VALUES 2 rows: 'a', 'b'  (q:string)\n");
    check("T | parse f with 'u=' g:string ' n=' n:long | where a == 'x' and n > 3 | project g",
          "PROJECT g  (g:string)\n"
          "  FILTER >(n, long(3))  (f:string, g:string, n:long)\n"
          "    PARSE f with 'u=' g ' n=' n  (f:string, g:string, n:long)\n"
          "      PROJECT f  (f:string)\n"
          "        FILTER ==(a, 'x')  (a:string, f:string)\n"
          "          SCAN T [text a]  (a:string, f:string)\n");
    check("T | mv-expand y | where a == 'x' and tostring(y) == 'q' | project y",
          "PROJECT y  (y:dynamic)\n"
          "  FILTER ==(tostring(y), 'q')  (y:dynamic)\n"
          "    EXPAND y to dynamic  (y:dynamic)\n"
          "      PROJECT y  (y:dynamic)\n"
          "        FILTER ==(a, 'x')  (a:string, y:dynamic)\n"
          "          SCAN T [text a]  (a:string, y:dynamic)\n");
    check("T | extend g = b + 1 | extend h = g * 2 | project h", "PROJECT *(+(b, long(1)), long(2))  (h:long)\n"
                                                                 "  SCAN T  (b:long)\n");
    check("T | extend g = b + 1 | extend h = g * g | project h", "PROJECT *(g, g)  (h:long)\n"
                                                                 "  PROJECT +(b, long(1))  (g:long)\n"
                                                                 "    SCAN T  (b:long)\n");
    check("T | lookup U on a | project z", "PROJECT z  (z:string)\n"
                                           "  JOIN leftouter on a == a  (a:string, $right0:string, z:string)\n"
                                           "    SCAN U  (a:string, z:string)\n"
                                           "    SCAN T  (a:string)\n");
}

static void test_predicates(void **state) {
    (void)state;
    check(
        "T | where (a == 'x' or a in ('y', 'z')) and f has_any ('p', dynamic(['q'])) and c >= datetime(2020-01-01) | "
        "count",
        "AGGREGATE count()  (Count:long)\n"
        "  FILTER and(and(>=(c, datetime(2020-01-01T00:00:00Z)), or(==(a, 'x'), in(a, 'y', 'z'))), has_any(f, 'p', "
        "'q'))  (a:string, c:datetime, f:string)\n"
        "    SCAN T [range c >= datetime(2020-01-01T00:00:00Z)] [text a] [text f]  (a:string, c:datetime, f:string)\n");
    check("T | where e == 5 and d < 3 and b > 2.5 and e in (1, 7) and 3 < b | project f",
          "PROJECT f  (f:string)\n"
          "  FILTER and(and(and(and(<(d, real(3.0)), <(long(3), b)), ==(tolong(e), long(5))), >(toreal(b), "
          "real(2.5))), in(tolong(e), long(1), long(7)))  (b:long, d:real, e:int, f:string)\n"
          "    SCAN T [range d < real(3.0)] [range b > long(3)] [range e >= int(5) <= int(5)] [range b >= long(2)] "
          "[range e >= int(1) <= int(7)]  (b:long, d:real, e:int, f:string)\n");
    check("T | where c between (datetime(2020-01-01) .. 2d) | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER between(c, datetime(2020-01-01T00:00:00Z), timespan(2.00:00:00))  (c:datetime)\n"
          "    SCAN T [range c >= datetime(2020-01-01T00:00:00Z) <= datetime(2020-01-03T00:00:00Z)]  (c:datetime)\n");
    check("T | where a == '' or a == 'x' | count", "AGGREGATE count()  (Count:long)\n"
                                                   "  FILTER or(==(a, ''), ==(a, 'x'))  (a:string)\n"
                                                   "    SCAN T  (a:string)\n");
    check("T | where f has '' | count", "AGGREGATE count()  (Count:long)\n"
                                        "  FILTER has(f, '')  (f:string)\n"
                                        "    SCAN T  (f:string)\n");
    check("T | where a has_all ('x', 'y') or a has_all ('z') | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER or(has_all(a, 'x', 'y'), has_all(a, 'z'))  (a:string)\n"
          "    SCAN T  (a:string)\n");
    check("T | where a =~ 'X' or a in~ ('y') | count", "AGGREGATE count()  (Count:long)\n"
                                                       "  FILTER or(=~(a, 'X'), in~(a, 'y'))  (a:string)\n"
                                                       "    SCAN T [text a]  (a:string)\n");
    check("T | where a == 'x' or f == 'x' | count", "AGGREGATE count()  (Count:long)\n"
                                                    "  FILTER or(==(a, 'x'), ==(f, 'x'))  (a:string, f:string)\n"
                                                    "    SCAN T  (a:string, f:string)\n");
    check("T | where a == 'x' or a =~ 'y' | count", "AGGREGATE count()  (Count:long)\n"
                                                    "  FILTER or(==(a, 'x'), =~(a, 'y'))  (a:string)\n"
                                                    "    SCAN T  (a:string)\n");
    check("T | where a !has 'x' and not(b == 1) and b != 3 | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER and(and(not(==(b, long(1))), !=(b, long(3))), !has(a, 'x'))  (a:string, b:long)\n"
          "    SCAN T  (a:string, b:long)\n");
    check("T | where b == long(null) | count", "AGGREGATE count()  (Count:long)\n"
                                               "  FILTER ==(b, long(null))  (b:long)\n"
                                               "    SCAN T  (b:long)\n");
    check("T | where e > 3000000000 | count", "AGGREGATE count()  (Count:long)\n"
                                              "  FILTER >(tolong(e), long(3000000000))  (e:int)\n"
                                              "    SCAN T  (e:int)\n");
    check("T | where d > real(nan) | count", "AGGREGATE count()  (Count:long)\n"
                                             "  FILTER >(d, real(nan))  (d:real)\n"
                                             "    SCAN T  (d:real)\n");
    check("T | where b in (3, 9, 5) and c in (datetime(2020-01-02), datetime(2020-01-01)) | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER and(in(b, long(3), long(9), long(5)), in(c, datetime(2020-01-02T00:00:00Z), "
          "datetime(2020-01-01T00:00:00Z)))  (b:long, c:datetime)\n"
          "    SCAN T [range b >= long(3) <= long(9)] [range c >= datetime(2020-01-01T00:00:00Z) <= "
          "datetime(2020-01-02T00:00:00Z)]  (b:long, c:datetime)\n");
}

static void test_filters(void **state) {
    (void)state;
    check("T | extend g = a | where g has 'x' | where b between (1 .. 10) | summarize count() by f",
          "AGGREGATE count() by f  (f:string, count_:long)\n"
          "  PROJECT f  (f:string)\n"
          "    FILTER and(between(b, long(1), long(10)), has(a, 'x'))  (a:string, b:long, f:string)\n"
          "      SCAN T [range b >= long(1) <= long(10)] [text a]  (a:string, b:long, f:string)\n");
    check("union T, U | where a == 'x' | project a", "PROJECT a  (a:string)\n"
                                                     "  UNION  (a:string)\n"
                                                     "    PROJECT a  (a:string)\n"
                                                     "      FILTER ==(a, 'x')  (a:string)\n"
                                                     "        SCAN T [text a]  (a:string)\n"
                                                     "    PROJECT a  (a:string)\n"
                                                     "      FILTER ==(a, 'x')  (a:string)\n"
                                                     "        SCAN U [text a]  (a:string)\n");
    check("T | sort by b | where a == 'x' | project a", "PROJECT a  (a:string)\n"
                                                        "  SORT b desc nulls last  (a:string, b:long)\n"
                                                        "    FILTER ==(a, 'x')  (a:string, b:long)\n"
                                                        "      SCAN T [text a]  (a:string, b:long)\n");
    check("T | take 5 | where a == 'x' | project b", "PROJECT b  (b:long)\n"
                                                     "  FILTER ==(a, 'x')  (a:string, b:long)\n"
                                                     "    TAKE long(5)  (a:string, b:long)\n"
                                                     "      SCAN T  (a:string, b:long)\n");
    check("T | top 5 by b | where a == 'x' | project c",
          "PROJECT c  (c:datetime)\n"
          "  FILTER ==(a, 'x')  (a:string, b:long, c:datetime)\n"
          "    TOP long(5) b desc nulls last  (a:string, b:long, c:datetime)\n"
          "      SCAN T  (a:string, b:long, c:datetime)\n");
    check("T | summarize m=max(b), n=count() by a, bin(c, 1h) | where a == 'x' and n > 3 and c > datetime(2020-01-01) "
          "| project a",
          "PROJECT a  (a:string)\n"
          "  FILTER and(>(n, long(3)), >(c, datetime(2020-01-01T00:00:00Z)))  (a:string, c:datetime, n:long)\n"
          "    AGGREGATE count() by a, bin(c, timespan(01:00:00))  (a:string, c:datetime, n:long)\n"
          "      FILTER ==(a, 'x')  (a:string, c:datetime)\n"
          "        SCAN T [text a]  (a:string, c:datetime)\n");
    check("T | summarize n=count() | where n > 3", "FILTER >(n, long(3))  (n:long)\n"
                                                   "  AGGREGATE count()  (n:long)\n"
                                                   "    SCAN T  ()\n");
    check("T | where b == 1 and f has 'q' and a == 'z' | where d > 1.0 | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER and(and(and(==(b, long(1)), >(d, real(1.0))), ==(a, 'z')), has(f, 'q'))  (a:string, b:long, "
          "d:real, f:string)\n"
          "    SCAN T [range b >= long(1) <= long(1)] [range d > real(1.0)] [text a] [text f]  (a:string, b:long, "
          "d:real, f:string)\n");
    check("T | where false | project a", "PROJECT a  (a:string)\n"
                                         "  VALUES 0 rows:   (a:string)\n");
    check("T | where true | count", "AGGREGATE count()  (Count:long)\n"
                                    "  SCAN T  ()\n");
    check("T | extend g = b + 1 | where g > 3 and a == 'x' | project g",
          "PROJECT g  (g:long)\n"
          "  FILTER >(g, long(3))  (g:long)\n"
          "    PROJECT +(b, long(1))  (g:long)\n"
          "      FILTER ==(a, 'x')  (a:string, b:long)\n"
          "        SCAN T [text a]  (a:string, b:long)\n");
}

static void test_joins(void **state) {
    (void)state;
    check("T | join kind=inner U on a | where x > 5 and b < 3 and f == z | project a, x",
          "PROJECT a, x  (a:string, x:long)\n"
          "  FILTER ==(f, z)  (a:string, f:string, a1:string, x:long, z:string)\n"
          "    JOIN inner on a == a  (a:string, f:string, a1:string, x:long, z:string)\n"
          "      FILTER >(x, long(5))  (a:string, x:long, z:string)\n"
          "        SCAN U [range x > long(5)]  (a:string, x:long, z:string)\n"
          "      PROJECT a, f  (a:string, f:string)\n"
          "        FILTER <(b, long(3))  (a:string, b:long, f:string)\n"
          "          SCAN T [range b < long(3)]  (a:string, b:long, f:string)\n");
    check("T | join U on a | where a == 'k' and b == 1 and x == 2 | project b",
          "PROJECT b  (b:long)\n"
          "  JOIN innerunique on a == a  (a:string, b:long, a1:string)\n"
          "    PROJECT a  (a:string)\n"
          "      FILTER ==(x, long(2))  (a:string, x:long)\n"
          "        SCAN U [range x >= long(2) <= long(2)]  (a:string, x:long)\n"
          "    FILTER and(==(b, long(1)), ==(a, 'k'))  (a:string, b:long)\n"
          "      SCAN T [range b >= long(1) <= long(1)] [text a]  (a:string, b:long)\n");
    check("T | join kind=leftouter U on a | where b == 1 and x == 1 | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER ==(x, long(1))  (a:string, a1:string, x:long)\n"
          "    JOIN leftouter on a == a  (a:string, a1:string, x:long)\n"
          "      SCAN U  (a:string, x:long)\n"
          "      PROJECT a  (a:string)\n"
          "        FILTER ==(b, long(1))  (a:string, b:long)\n"
          "          SCAN T [range b >= long(1) <= long(1)]  (a:string, b:long)\n");
    check("T | join kind=rightouter U on a | where b == 1 and x == 1 | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER ==(b, long(1))  (a:string, b:long, a1:string)\n"
          "    JOIN rightouter on a == a  (a:string, b:long, a1:string)\n"
          "      PROJECT a  (a:string)\n"
          "        FILTER ==(x, long(1))  (a:string, x:long)\n"
          "          SCAN U [range x >= long(1) <= long(1)]  (a:string, x:long)\n"
          "      SCAN T  (a:string, b:long)\n");
    check("T | join kind=fullouter U on a | where b == 1 and x == 1 | count",
          "AGGREGATE count()  (Count:long)\n"
          "  FILTER and(==(b, long(1)), ==(x, long(1)))  (a:string, b:long, a1:string, x:long)\n"
          "    JOIN fullouter on a == a  (a:string, b:long, a1:string, x:long)\n"
          "      SCAN U  (a:string, x:long)\n"
          "      SCAN T  (a:string, b:long)\n");
    check("T | join kind=leftanti U on a | where b == 1 | project b",
          "PROJECT b  (b:long)\n"
          "  JOIN leftanti on a == a  (a:string, b:long)\n"
          "    SCAN U  (a:string)\n"
          "    FILTER ==(b, long(1))  (a:string, b:long)\n"
          "      SCAN T [range b >= long(1) <= long(1)]  (a:string, b:long)\n");
    check("T | join kind=rightsemi U on a | where x == 1 | project z",
          "PROJECT z  (z:string)\n"
          "  JOIN rightsemi on a == a  (a:string, z:string)\n"
          "    PROJECT a, z  (a:string, z:string)\n"
          "      FILTER ==(x, long(1))  (a:string, x:long, z:string)\n"
          "        SCAN U [range x >= long(1) <= long(1)]  (a:string, x:long, z:string)\n"
          "    SCAN T  (a:string)\n");
}

static void test_order(void **state) {
    (void)state;
    check("T | sort by b | project a, b | take 5", "PROJECT a, b  (a:string, b:long)\n"
                                                   "  TOP long(5) b desc nulls last  (a:string, b:long)\n"
                                                   "    SCAN T  (a:string, b:long)\n");
    check("T | sort by b | take 5 | take 3 | project a", "PROJECT a  (a:string)\n"
                                                         "  TAKE long(3)  (a:string, b:long)\n"
                                                         "    TOP long(5) b desc nulls last  (a:string, b:long)\n"
                                                         "      SCAN T  (a:string, b:long)\n");
}

static void test_shared(void **state) {
    (void)state;
    check("let m = materialize(T | where b > 1); m | where a == 'x' | project f",
          "PROJECT f  (f:string)\n"
          "  FILTER and(>(b, long(1)), ==(a, 'x'))  (a:string, b:long, f:string)\n"
          "    SCAN T [range b > long(1)] [text a]  (a:string, b:long, f:string)\n");
    check("let m = materialize(T | where b > 1); union (m | where a == 'x'), (m | where a == 'y') | project f",
          "PROJECT f  (f:string)\n"
          "  UNION  (f:string)\n"
          "    PROJECT f  (f:string)\n"
          "      FILTER ==(a, 'x')  (a:string, f:string)\n"
          "        PROJECT a, f  (a:string, f:string)\n"
          "          MATERIALIZE #1  (a:string, f:string)\n"
          "            PROJECT a, f  (a:string, f:string)\n"
          "              FILTER >(b, long(1))  (a:string, b:long, f:string)\n"
          "                SCAN T [range b > long(1)]  (a:string, b:long, f:string)\n"
          "    PROJECT f  (f:string)\n"
          "      FILTER ==(a, 'y')  (a:string, f:string)\n"
          "        PROJECT a, f  (a:string, f:string)\n"
          "          MATERIALIZE as #1  (a:string, f:string)\n");
    check("let m = materialize(T); let k = materialize(m | summarize n=count() by f); union (m | project f), (k | "
          "project f), (k | where n > 1 | project f)",
          "UNION  (f:string)\n"
          "  PROJECT f  (f:string)\n"
          "    PROJECT f  (f:string)\n"
          "      MATERIALIZE #1  (f:string)\n"
          "        SCAN T  (f:string)\n"
          "  PROJECT f  (f:string)\n"
          "    PROJECT f  (f:string)\n"
          "      MATERIALIZE #2  (f:string, n:long)\n"
          "        AGGREGATE count() by f  (f:string, n:long)\n"
          "          PROJECT f  (f:string)\n"
          "            MATERIALIZE as #1  (f:string)\n"
          "  PROJECT f  (f:string)\n"
          "    FILTER >(n, long(1))  (f:string, n:long)\n"
          "      PROJECT f, n  (f:string, n:long)\n"
          "        MATERIALIZE as #2  (f:string, n:long)\n");
    check("let m = materialize(T); union (m | where false | project f), (m | project f)",
          "UNION  (f:string)\n"
          "  PROJECT f  (f:string)\n"
          "    VALUES 0 rows:   (f:string)\n"
          "  PROJECT f  (f:string)\n"
          "    PROJECT f  (f:string)\n"
          "      MATERIALIZE #1  (a:string, b:long, c:datetime, d:real, e:int, f:string, y:dynamic)\n"
          "        SCAN T  (a:string, b:long, c:datetime, d:real, e:int, f:string, y:dynamic)\n");
    check("let m = materialize(T); union m, m | count", "AGGREGATE count()  (Count:long)\n"
                                                        "  UNION  ()\n"
                                                        "    PROJECT   ()\n"
                                                        "      PROJECT   ()\n"
                                                        "        MATERIALIZE #1  (a:string)\n"
                                                        "          SCAN T  (a:string)\n"
                                                        "    PROJECT   ()\n"
                                                        "      PROJECT   ()\n"
                                                        "        MATERIALIZE as #1  (a:string)\n");
    check("let m = materialize(T | where b > 1); m | where b > toscalar(m | summarize max(d)) | project a",
          "PROJECT a  (a:string)\n"
          "  FILTER >(toreal(b), scalar(\n"
          "        AGGREGATE #1 max(d)  (max_d:real)\n"
          "          PROJECT d  (d:real)\n"
          "            MATERIALIZE #2  (a:string, b:long, d:real)\n"
          "              FILTER >(b, long(1))  (a:string, b:long, d:real)\n"
          "                SCAN T [range b > long(1)]  (a:string, b:long, d:real)\n"
          "      ))  (a:string, b:long)\n"
          "    PROJECT a, b  (a:string, b:long)\n"
          "      MATERIALIZE as #2  (a:string, b:long, d:real)\n");
    check("T | where a in ((U | where x == 1 | project z)) | project b",
          "PROJECT b  (b:long)\n"
          "  FILTER in(a, list(\n"
          "        PROJECT #1 z  (z:string)\n"
          "          FILTER ==(x, long(1))  (x:long, z:string)\n"
          "            SCAN U [range x >= long(1) <= long(1)]  (x:long, z:string)\n"
          "      ))  (a:string, b:long)\n"
          "    SCAN T  (a:string, b:long)\n");
}

/* Lets of which each reads the last one twice: as a tree, such a plan has 2^40 nodes. */
static void test_nested(void **state) {
    (void)state;
    static const char *const lets[] = {
        "let m%d = materialize(union m%d, m%d);",
        "let m%d = materialize(m%d | join kind=inner (m%d | project a, k = b) on a | project a, b = b + k, f);",
        "let m%d = materialize(m%d | where a in ((m%d | project a)));",
        "let m%d = materialize(m%d | extend b = toscalar(m%d | summarize max(b)));",
    };
    for (size_t i = 0; i < sizeof lets / sizeof *lets; i++) {
        kq_buf query, out;
        kq_arena arena;
        kq_node *script;
        kq_query q = {0};
        kq_cleanup *cleanups = NULL;
        kq_error err;
        kq_arena_init(&arena, NULL, 0);
        kq_buf_init(&query, NULL, 0);
        kq_buf_init(&out, NULL, 1 << 20);
        kq_buf_str(&query, "let m0 = materialize(T | project a, b, f);");
        for (int n = 1; n <= 40; n++) {
            char let[200];
            snprintf(let, sizeof let, lets[i], n, n - 1, n - 1);
            kq_buf_str(&query, let);
        }
        kq_buf_str(&query, "m40 | project a, b, c = strcat(a, f, b)");
        for (int optimized = 0; optimized < 2; optimized++) {
            q = (kq_query){0};
            if (kq_parse(kq_buf_view(&query), &arena, &script, &err) != KQ_OK ||
                kq_bind(script, &resolver, &arena, &cleanups, &q, &err) != KQ_OK ||
                (optimized && kq_optimize(&q, &arena, &err) != KQ_OK))
                fail_msg("%s: %s", lets[i], err.message);
            kq_buf_clear(&out);
            kq_plan_print(q.plan, &out);
            kq_buf_char(&out, 0);
            assert_int_equal(out.failed, KQ_OK);
            assert_non_null(strstr(out.p, " as #"));
            kq_buf_clear(&out);
            kq_plan_origin(q.plan, 0, &out);
            kq_buf_char(&out, 0);
            assert_string_equal(out.p, "T.a");
            kq_buf_clear(&out);
            kq_plan_origin(q.plan, 2, &out);
            kq_buf_char(&out, 0);
            assert_string_equal(out.p, i == 3 ? "computed from T.a, T.f" : "computed from T.a, T.f, T.b");
        }
        kq_buf_deinit(&query);
        kq_buf_deinit(&out);
        kq_cleanup_run(&cleanups);
        kq_arena_deinit(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns), cmocka_unit_test(test_predicates),
                                       cmocka_unit_test(test_filters), cmocka_unit_test(test_joins),
                                       cmocka_unit_test(test_order),   cmocka_unit_test(test_shared),
                                       cmocka_unit_test(test_nested)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
