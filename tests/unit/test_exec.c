/*
 * Execution: the same bytes for 1, 2 and 8 threads, with and without the optimizer; memory that does not grow with what
 * passes through; limits, time and cancelling; allocations that fail.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/time.h"
#include "kequel.h"
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct answer {
    kq_status status;
    kq_error err;
    kq_buf text;
    uint64_t peak;
    double seconds;
} answer;

typedef struct setting {
    unsigned threads;
    bool plain; /* without the optimizer */
    size_t memory;
    uint32_t timeout_ms;
} setting;

static kq_status append(void *ctx, const char *bytes, size_t n) {
    kq_buf_append(ctx, bytes, n);
    return ((kq_buf *)ctx)->failed ? KQ_ERR_NOMEM : KQ_OK;
}

static void run(const char *query, setting s, answer *a) {
    *a = (answer){0};
    kq_engine_options options = {.size = sizeof options,
                                 .threads = s.threads,
                                 .memory = s.memory,
                                 .timeout_ms = s.timeout_ms,
                                 .now_mode = KQ_NOW_FIXED,
                                 .now = INT64_C(637134336000000000),
                                 .no_optimize = s.plain};
    kq_engine *engine = NULL;
    kq_stats stats = {.size = sizeof stats};
    kq_buf_init(&a->text, NULL, 0);
    kq_output out = {.size = sizeof out, .write = append, .ctx = &a->text, .format = "csv"};
    uint64_t begun = kq_clock_ns();
    a->status = kq_engine_create(&options, &engine, &a->err);
    if (!a->status) a->status = kq_engine_query(engine, query, strlen(query), &out, &stats, &a->err);
    a->peak = stats.peak_memory;
    a->seconds = (double)(kq_clock_ns() - begun) / 1e9;
    kq_engine_destroy(engine);
}

static void expect(const char *query, setting s, const char *want) {
    answer a;
    run(query, s, &a);
    if (a.status) fail_msg("%s\n%s", query, a.err.message);
    kq_buf_char(&a.text, 0);
    for (char *p = a.text.p; *p; p++)
        if (*p == '\r') memmove(p, p + 1, strlen(p));
    assert_string_equal(a.text.p, want);
    kq_buf_deinit(&a.text);
}

/* ---- the same answer for any number of threads */

#define MANY    "range x from 0 to 300000 step 1"
#define NUMBERS MANY " | extend k = x % 1000, h = hash(x), s = strcat('some longer text ', x % 777), r = x / 7.0"
#define FEW     "range x from 0 to 5000 step 1 | extend k = x % 1000, t = strcat('text of the right side ', x)"

static const char *const queries[] = {
    NUMBERS,
    NUMBERS " | where h % 3 == 1 and s has '12' or x < 70",
    NUMBERS " | where x == 299999",
    NUMBERS " | where h % 50000 == 0",
    NUMBERS " | take 10",
    NUMBERS " | where h % 97 == 0 | take 2500",
    NUMBERS " | take 150000 | summarize count(), sum(h)",
    NUMBERS " | take 0",
    NUMBERS " | summarize count(), sum(r), min(s), max(h), dcount(k), avg(r)",
    NUMBERS " | summarize count(), sum(r), make_set(k % 7), take_any(s), arg_max(h, x, s) by s2 = s, b = k % 3",
    NUMBERS " | summarize make_list(x, 20) by k",
    NUMBERS " | summarize c = count() by h | where c > 1 | count",
    NUMBERS " | distinct k, s | summarize count()",
    NUMBERS " | distinct s",
    NUMBERS " | sort by s asc, h desc | project x, s | take 5000",
    NUMBERS " | sort by k asc | project x, k",
    NUMBERS " | extend n = iff(h % 5 == 0, real(null), iff(h % 5 == 1, real(nan), r)) | sort by n asc, x desc | "
            "project n, x",
    NUMBERS " | top 100 by s desc nulls first",
    NUMBERS " | top 7 by k",
    NUMBERS " | top 70000 by h asc | project x",
    NUMBERS " | join kind=inner (" FEW ") on k | summarize count(), sum(x + x1) by k | sort by k asc",
    NUMBERS " | join kind=inner (" FEW ") on x",
    NUMBERS " | join (" FEW ") on k",
    NUMBERS " | join kind=leftouter (" FEW ") on x | where x % 1111 == 0",
    FEW " | join kind=rightouter (" NUMBERS " | where h % 10 == 1) on x | project x, x1, t, s",
    FEW " | join kind=fullouter (" NUMBERS " | where h % 10 == 1) on x | project x, x1, t, s",
    NUMBERS " | join kind=leftsemi (" FEW " | where x > 100) on x",
    NUMBERS " | join kind=leftanti (" FEW ") on x | summarize count(), min(x)",
    NUMBERS " | join kind=rightsemi (" FEW ") on k | project x",
    NUMBERS " | join kind=rightanti (" FEW " | extend k = k - 500) on k | project x, k",
    NUMBERS " | lookup (" FEW " | summarize n = count() by k) on k | summarize sum(n)",
    "union (" NUMBERS " | where h % 7 == 0), (" FEW " | where x > 4990), (" MANY ") | summarize count(), sum(x)",
    "union (" NUMBERS " | where h % 7 == 0), (" FEW " | where x > 4990), (" MANY ") | distinct k | take 20",
    "union (" NUMBERS " | where h % 7 == 0), (" FEW " | where x > 4990), (" MANY ") | take 60000 | summarize sum(x)",
    "union (" FEW "), (" FEW ") | where x in (3, 4)",
    "range x from 0 to 20000 step 1 | extend a = range(x, x + x % 13) | mv-expand a to typeof(long) | "
    "summarize sum(a), count(), make_list(a, 5) by x % 3",
    "range x from 0 to 70000 step 1 | extend a = range(x, x + x % 5) | mv-expand with_itemindex=i a | take 200000",
    NUMBERS " | parse s with 'some ' a:string ' text ' n:long | summarize sum(n), take_any(a)",
    NUMBERS " | parse-where s with 'some longer text 12' n:long | project n, x",
    "let m = materialize(" NUMBERS
    " | where h % 100 == 3); m | join kind=inner (m | summarize mx = max(x) by k) on k | "
    "project x, mx, k, s",
    "let big = toscalar(" NUMBERS " | summarize max(h)); " NUMBERS " | where h == big",
    NUMBERS " | where k in ((" FEW " | where x < 10 | project x)) | summarize count() by k",
    NUMBERS " | serialize n = row_number(), before = prev(s, 1, 'none') | where n % 50000 == 1",
};

static void same_for_any_number_of_threads(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        answer one;
        run(queries[i], (setting){.threads = 1}, &one);
        if (one.status) fail_msg("%s\n%s", queries[i], one.err.message);
        for (unsigned n = 0; n < 4; n++) {
            answer a;
            run(queries[i], (setting){.threads = n == 0 ? 2 : n == 1 ? 8 : n == 2 ? 1 : 3, .plain = n >= 2}, &a);
            if (a.status) fail_msg("%s\n%s", queries[i], a.err.message);
            if (a.text.n != one.text.n || memcmp(a.text.p, one.text.p, a.text.n) != 0)
                fail_msg("another answer (run %u): %s", n, queries[i]);
            kq_buf_deinit(&a.text);
        }
        kq_buf_deinit(&one.text);
    }
}

/* ---- memory */

static void memory_does_not_grow_with_what_passes(void **state) {
    (void)state;
    static const char *const streams[] = {
        /* a billion bytes of rows would not fit into any of these */
        "range x from 1 to 2048 step 1 | extend k = 1 | join kind=inner (range y from 1 to 5000 step 1 | extend k = 1) "
        "on k | summarize n = count(), s = sum(x + y)",
        "range x from 1 to 2048 step 1 | extend k = 1 | join kind=leftouter (range y from 1 to 5000 step 1 | extend k "
        "= 1) on k | where y == 17 | count",
        "range x from 1 to 100 step 1 | extend a = range(1, 50000) | mv-expand a to typeof(long) | summarize sum(a)",
        "range x from 1 to 100 step 1 | extend a = range(1, 50000) | mv-expand a to typeof(long) | where a == 5",
        "range x from 1 to 30000000 step 1 | where x % 2 == 0 | count",
        "range x from 1 to 3000000 step 1 | extend s = strcat('a text that is kept on the heap ', x) | top 10 by s",
        "range x from 1 to 3000000 step 1 | extend s = strcat('a text that is kept on the heap ', x) | join (range x "
        "from 1 to 10 step 1) on x | count",
        "union (range x from 1 to 10 step 1), (range x from 1 to 1000000000000 step 1) | take 15 | count",
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        for (unsigned threads = 1; threads <= 8; threads += 7) {
            answer a;
            run(streams[i], (setting){.threads = threads, .memory = (size_t)48 << 20, .timeout_ms = 60000}, &a);
            if (a.status) fail_msg("%s, %u threads\n%s", streams[i], threads, a.err.message);
            kq_buf_deinit(&a.text);
        }
}

static void memory_limit(void **state) {
    (void)state;
    static const char *const large[][2] = {
        {NUMBERS " | summarize count() by x, s", "summarize"},
        {NUMBERS " | sort by h asc | summarize count()", "sort"},
        {NUMBERS " | join kind=inner (" NUMBERS ") on x | count", "join"},
        {"let m = materialize(" NUMBERS "); union m, m | summarize dcount(h), dcount(s), dcount(x), max(r)",
         "materialize"},
        {NUMBERS " | serialize n = row_number() | summarize max(n), dcount(s), dcount(h), max(r)", "serialize"},
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        for (unsigned threads = 1; threads <= 8; threads += 7) {
            answer a;
            run(large[i][0], (setting){.threads = threads, .memory = (size_t)8 << 20}, &a);
            if (a.status != KQ_ERR_LIMIT) fail_msg("%s: %d %s", large[i][0], a.status, a.err.message);
            if (!strstr(a.err.message, "memory limit of 8 MiB") || !strstr(a.err.message, large[i][1]))
                fail_msg("%s: %s", large[i][0], a.err.message);
            kq_buf_deinit(&a.text);
        }
}

/* A right side too large to be kept is read again, for the rows that meet a small left side: the same answer. */
static void small_left_and_large_right(void **state) {
    (void)state;
    static const char *const kinds[] = {"innerunique", "inner", "leftouter", "leftsemi", "leftanti", "rightsemi"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (unsigned threads = 1; threads <= 8; threads += 7) {
            char query[600];
            answer large, small;
            snprintf(
                query, sizeof query,
                "range x from -20 to 20 step 1 | extend k = x / 2, l = strcat('left ', x) | join kind=%s (range y "
                "from 0 to 900000 step 1 | extend k = y %% 100000, r = strcat('a text of the right side ', y)) on k",
                kinds[i]);
            run(query, (setting){.threads = threads}, &large);
            run(query, (setting){.threads = threads, .memory = (size_t)24 << 20}, &small);
            if (large.status || small.status) fail_msg("%s\n%s %s", query, large.err.message, small.err.message);
            if (large.text.n != small.text.n || memcmp(large.text.p, small.text.p, large.text.n) != 0)
                fail_msg("another answer: %s", query);
            assert_true(large.text.n > 20);
            kq_buf_deinit(&large.text);
            kq_buf_deinit(&small.text);
        }
}

/* ---- time, cancelling */

static void deadline(void **state) {
    (void)state;
    static const char *const slow[] = {
        "range x from 1 to 1000000000000000000 step 1 | count",
        "range x from 1 to 1000000000000000000 step 1 | where x < 0",
        "range x from 1 to 1000000000000000000 step 1 | top 5 by x",
        "range x from 1 to 100000 step 1 | extend k = 1 | join kind=inner (range y from 1 to 100000 step 1 | extend k "
        "= "
        "1) on k | count",
        "range x from 1 to 100000 step 1 | extend k = 1 | join kind=inner (range y from 1 to 100000 step 1 | extend k "
        "= "
        "1) on k | where x + y < 0",
        "range x from 1 to 1000000000 step 1 | extend a = range(1, 1000000) | mv-expand a | count",
    };
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++)
        for (unsigned threads = 1; threads <= 8; threads += 7) {
            answer a;
            run(slow[i], (setting){.threads = threads, .timeout_ms = 100}, &a);
            if (a.status != KQ_ERR_DEADLINE) fail_msg("%s: %d %s", slow[i], a.status, a.err.message);
            assert_true(a.seconds < 20);
            kq_buf_deinit(&a.text);
        }
}

/* Many equal keys on both sides must not be compared pair by pair where no pairs are asked for. */
static void equal_keys_are_not_quadratic(void **state) {
    (void)state;
#define SAME "range x from 1 to 200000 step 1 | extend k = 'the same key for all'"
    static const char *const kinds[][2] = {{"rightsemi", "Count\n200000\n"},
                                           {"rightanti", "Count\n0\n"},
                                           {"leftsemi", "Count\n200000\n"},
                                           {"leftanti", "Count\n0\n"}};
    for (size_t i = 0; i < 4; i++) {
        char query[400];
        snprintf(query, sizeof query, SAME " | join kind=%s (" SAME ") on k | count", kinds[i][0]);
        expect(query, (setting){.threads = 2, .timeout_ms = 20000}, kinds[i][1]);
    }
    expect(SAME " | join (" SAME ") on k | summarize n = count(), sum(x)", (setting){.threads = 2, .timeout_ms = 20000},
           "n,sum_x\n200000,200000\n");
}

static void *cancel_later(void *engine) {
    struct timespec t = {0, 50000000};
    nanosleep(&t, NULL);
    kq_engine_cancel(engine);
    return NULL;
}

static void cancel(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 8; threads += 7) {
        kq_engine_options options = {.size = sizeof options, .threads = threads};
        kq_engine *engine;
        kq_error err;
        pthread_t thread;
        const char *query = "range x from 1 to 1000000000000000000 step 1 | where x < 0";
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        kq_output out = {.size = sizeof out, .write = append, .ctx = &text, .format = "csv"};
        assert_int_equal(kq_engine_create(&options, &engine, &err), KQ_OK);
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, engine), 0);
        assert_int_equal(kq_engine_query(engine, query, strlen(query), &out, NULL, &err), KQ_ERR_CANCELLED);
        pthread_join(thread, NULL);
        kq_engine_destroy(engine);
        kq_buf_deinit(&text);
    }
}

/* ---- a reader that goes away stops the query */

static kq_status refuse(void *ctx, const char *bytes, size_t n) {
    (void)ctx, (void)bytes, (void)n;
    return KQ_ERR_PIPE;
}

static void output_refused(void **state) {
    (void)state;
    for (unsigned threads = 1; threads <= 8; threads += 7) {
        kq_engine_options options = {.size = sizeof options, .threads = threads};
        kq_engine *engine;
        kq_error err;
        const char *query = "range x from 1 to 1000000000000 step 1";
        kq_output out = {.size = sizeof out, .write = refuse, .format = "csv"};
        assert_int_equal(kq_engine_create(&options, &engine, &err), KQ_OK);
        assert_int_equal(kq_engine_query(engine, query, strlen(query), &out, NULL, &err), KQ_ERR_PIPE);
        kq_engine_destroy(engine);
    }
}

/* ---- allocation N fails, for N = 1, 2, ... */

static void failing_allocations(void **state) {
    (void)state;
    static const char *const some[] = {
        "range x from 1 to 5000 step 1 | extend s = strcat('a long enough text ', x % 50) | summarize c = count(), "
        "make_set(x % 3) by s | sort by s asc | take 3",
        "range x from 1 to 5000 step 1 | join (range x from 1 to 5000 step 7 | extend t = strcat('a long enough text "
        "', "
        "x)) on x | top 3 by t",
        "range x from 1 to 3000 step 1 | join kind=fullouter (range x from 2000 to 5000 step 7) on x | count",
        "print a = dynamic([1, {\"b\": 2}, {\"c\": 3}]) | mv-expand a | parse tostring(a) with '{' r",
        "let m = materialize(range x from 1 to 3 step 1); union m, m | serialize n = row_number() | extend t = "
        "toscalar(m | count)",
        "print s = 'a1b2' | parse kind=regex s with 'a' n:long 'b' r | distinct n, r",
    };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        answer good, a;
        run(some[i], (setting){.threads = 1}, &good);
        if (good.status) fail_msg("%s\n%s", some[i], good.err.message);
        for (long n = 1; n < 100000; n++) {
            kq_alloc_fail_at(n, i % 2);
            run(some[i], (setting){.threads = 1}, &a);
            kq_alloc_fail_at(-1, false);
            bool done = a.status == KQ_OK;
            if (done && (a.text.n != good.text.n || memcmp(a.text.p, good.text.p, a.text.n) != 0))
                fail_msg("allocation %ld lost: %s", n, some[i]);
            if (!done && a.status != KQ_ERR_NOMEM) fail_msg("%s: %d %s", some[i], a.status, a.err.message);
            kq_buf_deinit(&a.text);
            if (done) break;
        }
        kq_buf_deinit(&good.text);
    }
}

/* ---- answers at the edges */

static void edges(void **state) {
    (void)state;
    setting s = {.threads = 2};
    expect("range x from 1 to 0 step 1 | count", s, "Count\n0\n");
    expect("range x from 5 to 1 step -2", s, "x\n5\n3\n1\n");
    expect("range x from -9223372036854775807 to 9223372036854775807 step 9223372036854775807", s,
           "x\n-9223372036854775807\n0\n9223372036854775807\n");
    expect("range x from 0.0 to 1.0 step 0.1 | count", s, "Count\n11\n");
    expect("range x from 9223372036854775800 to 9223372036854775807 step 5", s,
           "x\n9223372036854775800\n9223372036854775805\n");
    expect("range t from datetime(2020-01-01) to datetime(2020-01-02) step 12h | summarize count(), max(t)", s,
           "count_,max_t\n3,2020-01-02T00:00:00Z\n");
    expect("range x from 1 to 0 step 1 | summarize count(), sum(x), make_list(x)", s, "count_,sum_x,list_x\n0,0,[]\n");
    expect("range x from 1 to 0 step 1 | summarize count() by x | count", s, "Count\n0\n");
    expect("range x from 1 to 0 step 1 | join kind=fullouter (range y from 1 to 0 step 1 | extend x = y) on x | count",
           s, "Count\n0\n");
    expect("datatable(a:real)[0.0, -0.0, real(nan), real(nan), real(null), real(null)] | summarize count() by a", s,
           "a,count_\n0.0,2\nNaN,2\n,2\n");
    expect("datatable(a:real)[1, real(nan), real(null), -1, real(inf), real(-inf)] | sort by a asc | project a", s,
           "a\n\"\"\nNaN\n-Infinity\n-1.0\n1.0\nInfinity\n");
    expect("datatable(a:real)[1, real(nan), real(null), -1, real(inf), real(-inf)] | sort by a desc | project a", s,
           "a\nInfinity\n1.0\n-1.0\n-Infinity\nNaN\n\"\"\n");
    expect("datatable(a:real)[1, real(nan), real(null), -1] | sort by a asc nulls last | project a", s,
           "a\n-1.0\n1.0\nNaN\n\"\"\n");
    expect("datatable(a:real)[1, real(nan), real(null), -1] | sort by a desc nulls first | project a", s,
           "a\n\"\"\nNaN\n1.0\n-1.0\n");
    expect("datatable(a:string, n:long)['b', 1, '', 2, 'a', 3, 'B', 4, 'b', 5, 'ab', 6] | sort by a asc | project n", s,
           "n\n2\n4\n3\n6\n1\n5\n");
    expect("datatable(k:long)[1, long(null)] | join kind=inner (datatable(k:long)[long(null), 2]) on k | count", s,
           "Count\n1\n");
    expect("datatable(k:long, v:string)[1, 'first', 1, 'second'] | join (datatable(k:long)[1, 1]) on k | project v", s,
           "v\nfirst\nfirst\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(same_for_any_number_of_threads),
        cmocka_unit_test(memory_does_not_grow_with_what_passes),
        cmocka_unit_test(memory_limit),
        cmocka_unit_test(small_left_and_large_right),
        cmocka_unit_test(deadline),
        cmocka_unit_test(equal_keys_are_not_quadratic),
        cmocka_unit_test(cancel),
        cmocka_unit_test(output_refused),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
