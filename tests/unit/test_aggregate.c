#include "column/dynamic.h"
#include "func/agg_state.h"
#include "func/aggregate.h"
#include "naive_match.h"
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static kq_arena arena;
static uint64_t seed = 0x9E3779B97F4A7C15u;

static int setup(void **state) {
    (void)state;
    kq_arena_init(&arena, NULL, 0);
    return 0;
}
static int teardown(void **state) {
    (void)state;
    kq_arena_deinit(&arena);
    return 0;
}

/* A column from JSON texts: "null" is null; strings without quotes. */
static kq_vector column(kq_type type, const char *const *cells, uint32_t n) {
    kq_vector v;
    kq_error err;
    assert_int_equal(kq_vector_init(&v, type, n, true, &arena, &err), KQ_OK);
    for (uint32_t i = 0; i < n; i++) {
        kq_value value = {.type = type};
        if (strcmp(cells[i], "null") == 0) {
            value.null = true;
        } else if (type == KQ_STRING) {
            value.u.s = kq_str_sv(kq_sv_of(cells[i]));
        } else if (type == KQ_DYNAMIC) {
            kq_buf buf;
            kq_buf_init(&buf, NULL, 0);
            assert_true(kq_dyn_parse_json(kq_sv_of(cells[i]), &buf));
            value.u.s = kq_str_sv(kq_arena_copy(&arena, kq_buf_view(&buf)));
            kq_buf_deinit(&buf);
        } else if (type == KQ_REAL) {
            value.u.r = strtod(cells[i], NULL);
        } else if (type == KQ_BOOL) {
            value.u.b = strcmp(cells[i], "true") == 0;
        } else if (type == KQ_INT) {
            value.u.i = atoi(cells[i]);
        } else {
            value.u.l = strtoll(cells[i], NULL, 10);
        }
        kq_vector_set(&v, i, &value);
    }
    return v;
}

/* Deals `rows` rows to `workers` workers in runs of random length, combines and prints the outputs with spaces. */
static const char *run_dealt(const kq_aggregate *fn, const kq_vector *args, uint32_t nargs, uint32_t rows,
                             uint32_t workers) {
    static char text[4096];
    void *states[8], *row_states[KQ_CHUNK_ROWS];
    uint16_t sel[KQ_CHUNK_ROWS];
    const kq_vector *views[8];
    kq_type types[8];
    kq_error err;
    for (uint32_t i = 0; i < nargs; i++) {
        views[i] = &args[i];
        types[i] = args[i].type;
    }
    for (uint32_t w = 0; w < workers; w++) states[w] = kq_arena_calloc(&arena, 1, fn->state_size);
    for (uint32_t at = 0; at < rows;) {
        uint32_t n = workers == 1 ? rows : 1 + (uint32_t)(naive_random(&seed) % 4);
        if (n > rows - at) n = rows - at;
        uint32_t w = (uint32_t)(naive_random(&seed) % workers);
        for (uint32_t k = 0; k < n; k++) {
            sel[k] = (uint16_t)(at + k);
            row_states[k] = states[w];
        }
        kq_agg_call call = {fn, views, nargs, n, sel, row_states, 1000, &arena};
        assert_int_equal(fn->update(&call, &err), KQ_OK);
        at += n;
    }
    kq_agg_env env = {fn, types, nargs, &arena};
    for (uint32_t w = 1; w < workers; w++) assert_int_equal(fn->combine(&env, states[0], states[w], &err), KQ_OK);
    kq_value out[8];
    assert_int_equal(fn->finish(&env, states[0], out, &err), KQ_OK);
    kq_buf buf;
    kq_buf_init(&buf, NULL, 0);
    for (uint32_t i = 0; i < (fn->flags & KQ_AGG_MULTI ? nargs : 1); i++) {
        if (i) kq_buf_char(&buf, ' ');
        kq_value_json(&out[i], &buf);
    }
    snprintf(text, sizeof text, "%.*s", (int)buf.n, buf.p);
    kq_buf_deinit(&buf);
    return text;
}

static const char *run(const char *name, const kq_vector *args, uint32_t nargs, uint32_t rows) {
    kq_type types[8] = {KQ_BOOL}, want[8] = {KQ_BOOL}, result;
    const kq_aggregate *fn = NULL;
    kq_error err;
    for (uint32_t i = 0; i < nargs; i++) types[i] = args[i].type;
    if (kq_aggregate_resolve(kq_sv_of(name), types, NULL, nargs, &fn, want, &result, &err) != KQ_OK)
        fail_msg("%s: %s", name, err.message);
    for (uint32_t i = 0; i < nargs; i++)
        if (want[i] != types[i]) fail_msg("%s: argument %u has another type than the overload wants", name, i);
    char first[4096];
    snprintf(first, sizeof first, "%s", run_dealt(fn, args, nargs, rows, 1));
    for (int round = 0; round < 20; round++)
        assert_string_equal(run_dealt(fn, args, nargs, rows, 1 + (uint32_t)(naive_random(&seed) % 4)), first);
    static char text[4096];
    return memcpy(text, first, sizeof first);
}

#define CELLS(...)     ((const char *const[]){__VA_ARGS__})
#define COUNT(...)     (sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define COL(type, ...) column(type, CELLS(__VA_ARGS__), COUNT(__VA_ARGS__))
#define AGG(name, ...)                                                                                                 \
    run(name, (kq_vector[]){__VA_ARGS__}, sizeof((kq_vector[]){__VA_ARGS__}) / sizeof(kq_vector), rows)
#define IS(want, got) assert_string_equal(got, want)

static void numbers(void **state) {
    (void)state;
    uint32_t rows = 5;
    kq_vector x = COL(KQ_LONG, "10", "null", "20", "-3", "10"),
              b = COL(KQ_BOOL, "true", "true", "null", "false", "true");
    kq_vector r = COL(KQ_REAL, "1.5", "null", "2.5", "0.1", "-4"), t = COL(KQ_TIMESPAN, "10", "20", "null", "5", "1");
    kq_vector d = COL(KQ_DATETIME, "638000000000000000", "638000000000000010", "null", "638000000000000020",
                      "638000000000000010");
    IS("5", run("count", NULL, 0, rows));
    IS("5", AGG("count", x));
    IS("3", AGG("countif", b));
    IS("37", AGG("sum", x));
    IS("20", AGG("sumif", x, b));
    IS("9.25", AGG("avg", x));
    IS("10.0", AGG("avgif", x, b));
    IS("0.1", AGG("sum", r));
    IS("0.025", AGG("avg", r));
    IS("\"00:00:00.0000036\"", AGG("sum", t));
    IS("\"00:00:00.0000009\"", AGG("avg", t));
    IS("\"2022-09-28T22:13:20.000001Z\"", AGG("avg", d));
    IS("-3", AGG("min", x));
    IS("20", AGG("max", x));
    IS("10", AGG("minif", x, b));
    IS("10", AGG("maxif", x, b));
    IS("3", AGG("dcount", x));
    IS("1", AGG("dcountif", x, b));
    IS("3", AGG("count_distinct", x));
    IS("1", AGG("count_distinctif", x, b));
    IS("0", AGG("binary_all_and", x));
    IS("-1", AGG("binary_all_or", x));
    IS("-23", AGG("binary_all_xor", x));
    rows = 0;
    IS("0", run("count", NULL, 0, rows));
    IS("0", AGG("sum", x));
    IS("0.0", AGG("sum", r));
    IS("\"NaN\"", AGG("avg", x));
    IS("\"NaN\"", AGG("avg", r));
    IS("null", AGG("avg", t));
    IS("null", AGG("min", x));
    IS("0", AGG("dcount", x));
    IS("0.0", AGG("stdev", r));
    IS("[]", AGG("make_list", x));
    IS("[]", AGG("make_set", x));
}

static void wraps_and_extremes(void **state) {
    (void)state;
    uint32_t rows = 2;
    IS("-9223372036854775808", AGG("sum", COL(KQ_LONG, "9223372036854775807", "1")));
    IS("-4.611686018427388E+18", AGG("avg", COL(KQ_LONG, "9223372036854775807", "1")));
    IS("\"NaN\"", AGG("max", COL(KQ_REAL, "nan", "1")));
    IS("\"NaN\"", AGG("min", COL(KQ_REAL, "1", "nan")));
    IS("\"Infinity\"", AGG("sum", COL(KQ_REAL, "1", "inf")));
    rows = 3;
    IS("\"NaN\"", AGG("sum", COL(KQ_REAL, "1", "inf", "-inf")));
    IS("1E+300", AGG("sum", COL(KQ_REAL, "1e300", "1e300", "-1e300")));
    IS("\"longer than twelve bytes: b\"",
       AGG("max", COL(KQ_STRING, "longer than twelve bytes: b", "longer than twelve bytes: a", "")));
    IS("\"\"", AGG("min", COL(KQ_STRING, "longer than twelve bytes: b", "longer than twelve bytes: a", "")));
}

static void moments(void **state) {
    (void)state;
    uint32_t rows = 10;
    kq_vector x = COL(KQ_REAL, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
    IS("3.027650354102996", AGG("stdev", x));
    IS("9.1666666667", AGG("variance", x));
    IS("2.8722813232690143", AGG("stdevp", x));
    IS("8.25", AGG("variancep", x));
    kq_vector big =
        COL(KQ_REAL, "1000000000000001", "1000000000000002", "1000000000000003", "1000000000000004", "1000000000000005",
            "1000000000000006", "1000000000000007", "1000000000000008", "1000000000000009", "1000000000000010");
    IS("8.25", AGG("variancep", big)); /* nothing is lost to cancellation */
    rows = 5;
    IS("20.5", AGG("covariance", x, COL(KQ_REAL, "14", "10", "17", "20", "50")));
    rows = 1;
    IS("0.0", AGG("variance", x));
}

static void picks(void **state) {
    (void)state;
    uint32_t rows = 5;
    kq_vector k = COL(KQ_LONG, "null", "7", "9", "9", "null");
    kq_vector s = COL(KQ_STRING, "", "a long text, longer than twelve", "second of two at the top", "third", "x");
    IS("9 \"second of two at the top\"", AGG("arg_max", k, s));
    IS("7 \"a long text, longer than twelve\"", AGG("arg_min", k, s));
    IS("null \"\"", AGG("take_any", k, s));
    IS("7", AGG("take_any", k));
    IS("\"a long text, longer than twelve\"", AGG("take_any", s));
    IS("\"x\"", AGG("take_anyif", s, COL(KQ_BOOL, "null", "false", "false", "false", "true")));
    rows = 2;
    IS("null \"p\"", AGG("arg_max", COL(KQ_LONG, "null", "null"), COL(KQ_STRING, "p", "q")));
    IS("\"NaN\" \"p\"", AGG("arg_max", COL(KQ_REAL, "nan", "2"), COL(KQ_STRING, "p", "q")));
    IS("\"NaN\" \"p\"", AGG("arg_min", COL(KQ_REAL, "nan", "2"), COL(KQ_STRING, "p", "q")));
}

static kq_vector constant(kq_type type, const char *cell) {
    kq_vector v = column(type, &cell, 1);
    v.constant = true;
    return v;
}

static void lists(void **state) {
    (void)state;
    uint32_t rows = 5;
    kq_vector x = COL(KQ_LONG, "10", "null", "20", "-3", "10"),
              b = COL(KQ_BOOL, "true", "true", "null", "false", "true");
    IS("[10,20,-3,10]", AGG("make_list", x));
    IS("[10,20]", AGG("make_list", x, constant(KQ_LONG, "2")));
    IS("[10,10]", AGG("make_list_if", x, b));
    IS("[10,null,20,-3,10]", AGG("make_list_with_nulls", x));
    IS("[10,20,-3]", AGG("make_set", x));
    IS("[10]", AGG("make_set_if", x, b));
    IS("[10,20]", AGG("make_set", x, constant(KQ_LONG, "2")));
    kq_vector d = COL(KQ_DYNAMIC, "[1,2]", "null", "{\"a\":1}", "[2,3]", "[[4]]");
    IS("[1,2,null,{\"a\":1},2,3,[4]]", AGG("make_list", d));
    IS("[1,2,{\"a\":1},3,[4]]", AGG("make_set", d));
    kq_vector bags = COL(KQ_DYNAMIC, "{\"a\":1,\"b\":2}", "null", "{\"a\":10,\"c\":3}", "{\"b\":99}", "5");
    IS("{\"a\":1,\"b\":2,\"c\":3}", AGG("make_bag", bags));
    IS("{\"a\":1,\"b\":2}", AGG("make_bag", bags, constant(KQ_LONG, "2")));
    rows = 1;
    IS("{}", AGG("make_bag", COL(KQ_DYNAMIC, "null")));
}

static void percentiles(void **state) {
    (void)state;
    uint32_t rows = 10;
    kq_vector x = COL(KQ_LONG, "10", "9", "8", "7", "6", "5", "4", "3", "2", "1");
    IS("5", AGG("percentile", x, constant(KQ_REAL, "50")));
    IS("1", AGG("percentile", x, constant(KQ_REAL, "0")));
    IS("10", AGG("percentile", x, constant(KQ_REAL, "99.9")));
    IS("[1,5,9]",
       AGG("percentiles_array", x, constant(KQ_REAL, "5"), constant(KQ_REAL, "50"), constant(KQ_REAL, "90")));
    IS("[3,8]", AGG("percentiles_array", x, constant(KQ_DYNAMIC, "[25, 75.5]")));
    rows = 4;
    kq_vector bucket = COL(KQ_LONG, "10", "20", "30", "40"), weight = COL(KQ_LONG, "8", "6", "3", "1");
    IS("[20,20,40]", AGG("percentilesw_array", bucket, weight, constant(KQ_DYNAMIC, "[50, 75, 99.9]")));
    IS("20", AGG("percentilew", bucket, weight, constant(KQ_REAL, "50")));
    rows = 2;
    IS("1.5", AGG("percentile", COL(KQ_REAL, "2.5", "1.5"), constant(KQ_REAL, "50")));
}

/* Sums of numbers whose sizes differ a lot: any order gives the one correctly rounded result. */
static void exact_sums(void **state) {
    (void)state;
    kq_error err;
    for (int round = 0; round < 2000; round++) {
        double x[64];
        int n = 1 + (int)(naive_random(&seed) % 64), spread = round % 3 == 0 ? 4 : round % 3 == 1 ? 120 : 900;
        for (int i = 0; i < n; i++) {
            x[i] = ldexp((double)(int64_t)(naive_random(&seed) << 16) / 9e18,
                         (int)(naive_random(&seed) % (unsigned)spread) - spread / 2);
            if (i && naive_random(&seed) % 4 == 0) x[i] = -x[i - 1];
        }
        kq_exact a = {0}, b = {0}, c = {0};
        for (int i = 0; i < n; i++) assert_int_equal(kq_exact_add(&a, x[i], &arena, &err), KQ_OK);
        for (int i = n; i-- > 0;) assert_int_equal(kq_exact_add(i % 2 ? &b : &c, x[i], &arena, &err), KQ_OK);
        assert_int_equal(kq_exact_merge(&b, &c, &arena, &err), KQ_OK);
        double ha, la, hb, lb;
        kq_exact_value(&a, &ha, &la);
        kq_exact_value(&b, &hb, &lb);
        assert_true(ha == hb && la == lb);
        /* long double: near enough to catch a wrong bit where the sizes are alike */
        if (spread == 4) {
            long double sum = 0;
            for (int i = 0; i < n; i++) sum += x[i];
            assert_true(fabsl(sum - ha) <= fabsl(sum) * 0x1p-52L + 0x1p-60L);
        }
        /* taking everything away again leaves exactly nothing */
        for (int i = 0; i < n; i++) assert_int_equal(kq_exact_add(&a, -x[i], &arena, &err), KQ_OK);
        kq_exact_value(&a, &ha, &la);
        assert_true(ha == 0 && la == 0);
    }
    kq_exact s = {0};
    double hi, lo;
    const double ends[] = {5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324};
    for (int i = 0; i < 4; i++) assert_int_equal(kq_exact_add(&s, ends[i], &arena, &err), KQ_OK);
    kq_exact_value(&s, &hi, &lo);
    assert_true(hi == 1e-323);
    s = (kq_exact){0};
    for (int i = 0; i < 2; i++) assert_int_equal(kq_exact_add(&s, 1.7976931348623157e308, &arena, &err), KQ_OK);
    kq_exact_value(&s, &hi, &lo);
    assert_true(isinf(hi));
}

/* Past the threshold dcount estimates, within what its documentation promises, whoever counted what. */
static void many_distinct(void **state) {
    (void)state;
    kq_vector x = {.type = KQ_LONG, .data = kq_arena_alloc(&arena, KQ_CHUNK_ROWS * sizeof(int64_t))};
    const kq_vector *args[] = {&x};
    kq_type type = KQ_LONG, want, result;
    const kq_aggregate *fn;
    kq_error err;
    assert_int_equal(kq_aggregate_resolve(KQ_SV("dcount"), &type, NULL, 1, &fn, &want, &result, &err), KQ_OK);
    int64_t results[2];
    for (int deal = 0; deal < 2; deal++) {
        kq_agg_distinct states[2] = {{0}, {0}};
        void *rows[KQ_CHUNK_ROWS];
        for (int64_t at = 0; at < 3 << 19; at += KQ_CHUNK_ROWS) {
            for (int i = 0; i < KQ_CHUNK_ROWS; i++) {
                kq_vec_long(&x)[i] = at + i;
                rows[i] = &states[deal && naive_random(&seed) % 2];
            }
            kq_agg_call call = {fn, args, 1, KQ_CHUNK_ROWS, NULL, rows, (uint64_t)at, &arena};
            assert_int_equal(fn->update(&call, &err), KQ_OK);
        }
        kq_agg_env env = {fn, &type, 1, &arena};
        kq_value out;
        assert_int_equal(fn->combine(&env, &states[0], &states[1], &err), KQ_OK);
        assert_int_equal(fn->finish(&env, &states[0], &out, &err), KQ_OK);
        results[deal] = out.u.l;
    }
    assert_int_equal(results[0], results[1]);
    assert_true(fabs((double)results[0] / (3 << 19) - 1) < 0.02);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(numbers), T(wraps_and_extremes), T(moments),    T(picks),
                                       T(lists),   T(percentiles),        T(exact_sums), T(many_distinct)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
