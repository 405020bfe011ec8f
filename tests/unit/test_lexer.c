/* The lexer and the values of literals. */
#include "base/time.h"
#include "kql/lexer.h"
#include "kql/literal.h"
#include <cmocka.h>

/* The kinds of the tokens of `text`, as letters: W word, S string, L long, R real, T timespan, Y typed, N not-word, B
 * bad, else the symbol's own text. */
static void kinds(const char *text, char *out) {
    uint32_t pos = 0;
    kq_sv s = kq_sv_of(text);
    out[0] = 0;
    for (;;) {
        kq_token t = kq_lex_next(s, &pos);
        if (t.kind == KQ_TOKEN_END) return;
        static const char letters[] = "?BWSLRTYN";
        char one[8] = {0};
        if (t.kind < 9) {
            one[0] = letters[t.kind];
        } else {
            memcpy(one, text + t.span.start, t.span.len < 7 ? t.span.len : 7);
        }
        strcat(strcat(out, out[0] ? " " : ""), one);
        if (t.kind == KQ_TOKEN_BAD) return;
    }
}

static void check_kinds(const char *text, const char *want) {
    char got[256];
    kinds(text, got);
    if (strcmp(got, want) != 0) fail_msg("%s: %s, not %s", text, got, want);
}

static void test_kinds(void **state) {
    (void)state;
    check_kinds("T | where a == 1", "W | W W == L");
    check_kinds("a<=b>=c<>d!=e=~f!~g=>h", "W <= W >= W <> W != W =~ W !~ W => W");
    check_kinds("1..2 1 .. 2", "L .. L L .. L");
    check_kinds("1. 1.5 1e3 1.5E-3 1e+5", "R R R R R");
    check_kinds("0x1F 0xZZ 4a 1ns", "L W W W");
    check_kinds("1d 1.5h 7microseconds 3ticks 2min", "T T T T T");
    check_kinds("datetime(2020-01-01) long( 5 ) time('1)2') guid (x)", "Y Y Y Y");
    check_kinds("date time long datetime", "W W W W");
    check_kinds("in in~ !in !in~ !has_cs inx~", "W N N N N W B");
    check_kinds("$left.a $right", "W . W W");
    check_kinds("'a' \"b\" @'c''d' h'x' H@\"y\" h ```m\n\"` ``` ~~~n~~~", "S S S S S W S S");
    check_kinds("a // b\n c", "W W");
    check_kinds("a\xC2\xA0\xEF\xBB\xBF"
                "b",
                "W W");
    check_kinds("'a\\'b' 'c\\\\'", "S S");
    check_kinds("'abc", "B");
    check_kinds("'abc\n'", "B");
    check_kinds("```abc``", "B");
    check_kinds("long(5", "B");
    check_kinds("a \xE2\x80\x9Cx", "W B");
    check_kinds("!", "B");
    check_kinds("", "");
}

static void test_end(void **state) {
    (void)state;
    kq_arena arena;
    kq_token *tokens;
    uint32_t n;
    kq_error err;
    kq_arena_init(&arena, NULL, 0);
    assert_int_equal(kq_lex(KQ_SV("a b  \n\n // c\n"), &arena, &tokens, &n, &err), KQ_OK);
    assert_int_equal(n, 3);
    assert_int_equal(tokens[2].kind, KQ_TOKEN_END);
    assert_int_equal(tokens[2].span.start, 3);
    kq_arena_deinit(&arena);
}

static void check_string(const char *text, const char *want, size_t n) {
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    uint32_t pos = 0;
    kq_sv s = kq_sv_of(text), got;
    kq_error err;
    kq_token t = kq_lex_next(s, &pos);
    assert_int_equal(t.kind, KQ_TOKEN_STRING);
    kq_status st = kq_literal_string(s, t, false, &arena, &got, &err);
    if (!want) {
        assert_int_equal(st, KQ_ERR_QUERY);
    } else {
        assert_int_equal(st, KQ_OK);
        assert_int_equal(got.n, n);
        assert_memory_equal(got.p, want, n);
    }
    kq_arena_deinit(&arena);
}

static void test_strings(void **state) {
    (void)state;
    check_string("'a\\tb\\n\\\\\\'\\\"'", "a\tb\n\\'\"", 7);
    check_string("\"\\x41\\u00e9\\U0001F600\\101\\0\"",
                 "A\xC3\xA9\xF0\x9F\x98\x80"
                 "A\0",
                 9);
    check_string("'\\ud83d\\ude00'", "\xF0\x9F\x98\x80", 4);
    check_string("'\\ud83d'", "\xEF\xBF\xBD", 3);
    check_string("@'C:\\x''y'", "C:\\x'y", 6);
    check_string("h@\"a\"\"b\"", "a\"b", 3);
    check_string("```a\n'b\\n```", "a\n'b\\n", 6);
    check_string("~~~`~~~", "`", 1);
    check_string("''", "", 0);
    check_string("'\\q'", NULL, 0);
    check_string("'\\x4'", NULL, 0);
    check_string("'\\/'", NULL, 0);
}

static kq_status value_of(const char *text, bool negated, kq_value *v, bool *now) {
    uint32_t pos = 0;
    kq_error err;
    kq_sv s = kq_sv_of(text);
    kq_token t = kq_lex_next(s, &pos);
    return kq_literal_value(s, t, negated, v, now, &err);
}

static void check_long(const char *text, kq_type type, int64_t want) {
    kq_value v;
    bool now;
    assert_int_equal(value_of(text, false, &v, &now), KQ_OK);
    assert_int_equal(v.type, type);
    assert_false(v.null);
    int64_t got = type == KQ_INT ? v.u.i : type == KQ_BOOL ? v.u.b : v.u.l;
    if (got != want) fail_msg("%s: %lld, not %lld", text, (long long)got, (long long)want);
}

static void check_null(const char *text, kq_type type) {
    kq_value v;
    bool now;
    assert_int_equal(value_of(text, false, &v, &now), KQ_OK);
    assert_int_equal(v.type, type);
    assert_true(v.null);
}

static void check_refused(const char *text) {
    kq_value v;
    bool now;
    if (value_of(text, false, &v, &now) != KQ_ERR_QUERY) fail_msg("%s is taken", text);
}

static void test_values(void **state) {
    (void)state;
    check_long("42", KQ_LONG, 42);
    check_long("0x1F", KQ_LONG, 31);
    check_long("9223372036854775807", KQ_LONG, INT64_MAX);
    check_refused("9223372036854775808");
    check_long("int(5)", KQ_INT, 5);
    check_long("int( -5 )", KQ_INT, -5);
    check_long("long(0x10)", KQ_LONG, 16);
    check_refused("int(3000000000)");
    check_refused("long(x)");
    check_long("bool(true)", KQ_BOOL, 1);
    check_long("bool(0)", KQ_BOOL, 0);
    check_null("bool(null)", KQ_BOOL);
    check_null("int(null)", KQ_INT);
    check_null("long()", KQ_LONG);
    check_null("datetime(null)", KQ_DATETIME);
    check_null("timespan( null )", KQ_TIMESPAN);
    check_null("guid(null)", KQ_GUID);
    check_null("real(null)", KQ_REAL);
    check_null("decimal(null)", KQ_DECIMAL);
    check_long("1d", KQ_TIMESPAN, KQ_TICK_DAY);
    check_long("1.5h", KQ_TIMESPAN, KQ_TICK_HOUR * 3 / 2);
    check_long("7microseconds", KQ_TIMESPAN, 70);
    check_long("7tick", KQ_TIMESPAN, 7);
    check_long("250nanoseconds", KQ_TIMESPAN, 2);
    check_long("10min", KQ_TIMESPAN, 10 * KQ_TICK_MINUTE);
    check_refused("99999999999999d");
    check_long("time(1.02:03:04)", KQ_TIMESPAN,
               KQ_TICK_DAY + 2 * KQ_TICK_HOUR + 3 * KQ_TICK_MINUTE + 4 * KQ_TICK_SECOND);
    check_long("timespan(2)", KQ_TIMESPAN, 2 * KQ_TICK_DAY);
    check_long("datetime(1970-01-01)", KQ_DATETIME, KQ_TICKS_1970);
    check_long("datetime(\"1970-01-01\")", KQ_DATETIME, KQ_TICKS_1970);
    check_long("datetime(1970, 1, 1)", KQ_DATETIME, KQ_TICKS_1970);
    check_refused("datetime(now)");
    kq_value v;
    bool now;
    assert_int_equal(value_of("datetime()", false, &v, &now), KQ_OK);
    assert_true(now);
    assert_int_equal(value_of("9223372036854775808", true, &v, &now), KQ_OK);
    assert_true(v.u.l == INT64_MIN);
    assert_int_equal(value_of("real(1e3)", false, &v, &now), KQ_OK);
    assert_true(v.type == KQ_REAL && v.u.r == 1000.0);
    assert_int_equal(value_of("5.", false, &v, &now), KQ_OK);
    assert_true(v.type == KQ_REAL && v.u.r == 5.0);
    assert_int_equal(value_of("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", false, &v, &now), KQ_OK);
    assert_true(v.type == KQ_GUID && v.u.g.b[0] == 0x74 && v.u.g.b[15] == 0x42);
    check_refused("guid(74be27de)");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_end),
                                       cmocka_unit_test(test_strings), cmocka_unit_test(test_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
