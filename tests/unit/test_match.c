#include "naive_match.h"
#include "text/automaton.h"
#include "text/search.h"
#include "text/strset.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static kq_arena arena;

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

static const kq_matcher *make(kq_match_op op, bool ci, bool all, const kq_sv *needles, size_t n) {
    const kq_matcher *m = NULL;
    kq_error err;
    assert_int_equal(kq_matcher_create(op, ci, all, needles, n, &arena, &m, &err), KQ_OK);
    return m;
}

/* What the fast ways say, after checking that they all say the same. */
static bool match(kq_match_op op, bool ci, kq_sv text, kq_sv needle) {
    bool once = kq_match_once(op, ci, text, needle);
    assert_int_equal(kq_matcher_test(make(op, ci, false, &needle, 1), text), once);
    kq_sv many[9];
    for (int i = 0; i < 9; i++) many[i] = KQ_SV("\x01\x02 no such thing \x03");
    many[7] = needle;
    const kq_matcher *m = make(op, ci, false, many, 9);
    assert_int_equal(kq_matcher_test(m, text), once);
    assert_int_equal(kq_matcher_index(m, text), once ? 7 : -1);
    return once;
}

#define IS(op, text, needle)     assert_true(match(KQ_MATCH_##op, true, kq_sv_of(text), kq_sv_of(needle)))
#define NOT(op, text, needle)    assert_false(match(KQ_MATCH_##op, true, kq_sv_of(text), kq_sv_of(needle)))
#define IS_CS(op, text, needle)  assert_true(match(KQ_MATCH_##op, false, kq_sv_of(text), kq_sv_of(needle)))
#define NOT_CS(op, text, needle) assert_false(match(KQ_MATCH_##op, false, kq_sv_of(text), kq_sv_of(needle)))

static void term_rules(void **state) {
    (void)state;
    IS(HAS, "alpha_beta", "alpha");
    IS(HAS, "1_2_3", "1");
    NOT(HAS, "v1.2.3", "1");
    NOT(HAS, "1_2_3", "2.3");
    IS(HAS, "version=1.2.3", "2.3");
    IS(HAS, "1.2.3-rc", "2.3");
    IS(HAS, "a b", " ");
    NOT(HAS, "a\tb", " ");
    IS(HAS, "anything", "");
    IS(HAS, "", "");
    NOT(HAS, "", "a");
    NOT(HAS, "reg  add", "reg add");
    IS(HAS, "REG ADD hklm", "reg add");
    IS(HAS, "certutil-urlcache", "-urlcache");
    IS(HAS, "x -urlcache y", "-urlcache");
    NOT(HAS, "x -urlcachefoo", "-urlcache");
    IS(HAS, "echo | set /p=foo", "echo | set /p=");
    NOT(HAS, "xecho | set /p=foo", "echo | set /p=");
    IS(HAS, "a> \\pipe\\b", "> \\pipe\\");
    NOT(HAS, "alpha", "a");
    IS(HAS, "b a", "a");
    NOT(HAS, "hello world", "o");
    IS(HAS, "xcmd cmdx cmd", "cmd"); /* the third occurrence */
    NOT(HAS, "xcmd cmdx", "cmd");
    IS(HASPREFIX, "x alpha", "alph");
    NOT(HASPREFIX, "xalpha", "alph");
    IS(HASSUFFIX, "end.", "end");
    IS(HASSUFFIX, "weekend.", "end");
    NOT(HASSUFFIX, "ending", "end");
    IS_CS(HAS, "Alpha beta", "Alpha");
    NOT_CS(HAS, "Alpha beta", "alpha");
    NOT(HAS, "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82\xD0\x9C\xD0\xB8\xD1\x80",
        "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
    IS(HAS, "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xD0\x9C\xD0\xB8\xD1\x80",
       "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82");
    NOT(HAS, "caf\xC3\xA9", "caf"); /* an accented letter is a part of the term */
    IS(HAS, "NA\xC3\x8FVE", "na\xC3\xAFve");
}

static void folding(void **state) {
    (void)state;
    IS(CONTAINS, "xx 5\xE2\x84\xAA yy", "5k");
    IS(HAS, "xx 5\xE2\x84\xAA yy", "5k");
    IS(CONTAINS, "pa\xC5\xBFsword", "PASSWORD");
    NOT_CS(CONTAINS, "pa\xC5\xBFsword", "password");
    IS(EQUALS, "\xE2\x84\xAA", "K");
    IS(STARTSWITH,
       "\xE2\x84\xAA"
       "elvin",
       "kel");
    IS(ENDSWITH, "mas\xC5\xBF", "ss");
    IS(STARTSWITH, "\xC3\x89t\xC3\xA9", "\xC3\xA9T");
    NOT(ENDSWITH, "ab", "abc");
    IS(ENDSWITH, "ABC", "bc");
    NOT(CONTAINS, "\xFF\xFF\xC3\xA9", "\xC3"); /* half of a character is no ill-formed byte */
    IS(CONTAINS, "\xFF\xC3", "\xC3");
    NOT(CONTAINS, "\xC3", "c");
    NOT(CONTAINS, "[", "{"); /* not letters though 0x20 apart */
    NOT(CONTAINS, "x@y", "x`y");
    NOT(CONTAINS, "a\x1Fz", "a?z");
    IS(CONTAINS, "", "");
    IS_CS(CONTAINS, "abc", "");
    IS_CS(CONTAINS, "100% done", "% d");
}

static void lists(void **state) {
    (void)state;
    const kq_sv words[] = {KQ_SV("whoami"), KQ_SV("net"), KQ_SV("cmd.exe")};
    assert_true(kq_matcher_test(make(KQ_MATCH_HAS, true, true, words, 3), KQ_SV("CMD.exe /c net & whoami")));
    assert_false(kq_matcher_test(make(KQ_MATCH_HAS, true, true, words, 3), KQ_SV("CMD.exe /c network & whoami")));
    assert_true(kq_matcher_test(make(KQ_MATCH_HAS, true, false, words, 3), KQ_SV("CMD.exe /c network")));
    assert_int_equal(kq_matcher_index(make(KQ_MATCH_HAS, true, false, words, 3), KQ_SV("net whoami")), 0);
    assert_false(kq_matcher_test(make(KQ_MATCH_HAS, true, false, words, 0), KQ_SV("x")));
    assert_true(kq_matcher_test(make(KQ_MATCH_HAS, true, true, words, 0), KQ_SV("x")));
    kq_sv many[40];
    char text[40][16];
    for (int i = 0; i < 40; i++) many[i] = (kq_sv){text[i], (size_t)sprintf(text[i], "Value%02d", i)};
    const kq_matcher *in = make(KQ_MATCH_EQUALS, true, false, many, 40);
    assert_int_equal(kq_matcher_index(in, KQ_SV("value33")), 33);
    assert_int_equal(kq_matcher_index(in, KQ_SV("value40")), -1);
    assert_false(kq_matcher_test(make(KQ_MATCH_EQUALS, false, false, many, 40), KQ_SV("value33")));
    many[5] = KQ_SV("");
    const kq_matcher *has = make(KQ_MATCH_HAS, true, false, many, 40);
    assert_int_equal(kq_matcher_index(has, KQ_SV("value33 value04")), 4);
    assert_int_equal(kq_matcher_index(has, KQ_SV("nothing")), 5);
    assert_int_equal(kq_matcher_index(make(KQ_MATCH_EQUALS, true, false, many, 40), KQ_SV("")), 5);
}

/* Random texts and needles: every way must give the plain reference's answer. */
static void against_the_reference(void **state) {
    (void)state;
    uint64_t seed = 88172645463325252u;
    char text[600], needle[40][64];
    for (int round = 0; round < 30000; round++) {
        kq_match_op op = (kq_match_op)(naive_random(&seed) % 7);
        bool ci = naive_random(&seed) % 3;
        size_t longest = round % 16 ? 24 : 140;
        kq_sv t = {text, naive_random_text(&seed, naive_random(&seed) % longest, text)};
        kq_sv needles[40];
        int count = round % 8 ? 12 : 40; /* the filters before the automaton differ */
        for (int i = 0; i < count; i++) {
            if (t.n && naive_random(&seed) % 2) { /* a piece of the text, so that many match */
                size_t from = naive_random(&seed) % t.n, n = naive_random(&seed) % 9;
                if (n > t.n - from) n = t.n - from;
                memcpy(needle[i], text + from, n);
                needles[i] = (kq_sv){needle[i], n};
            } else {
                needles[i] = (kq_sv){needle[i], naive_random_text(&seed, naive_random(&seed) % 7, needle[i])};
            }
        }
        bool want = naive_match(op, ci, t, needles[0]);
        assert_int_equal(kq_match_once(op, ci, t, needles[0]), want);
        assert_int_equal(kq_matcher_test(make(op, ci, false, needles, 1), t), want);
        int64_t first = -1;
        bool all = true;
        for (int i = 0; i < count; i++) {
            bool one = naive_match(op, ci, t, needles[i]);
            if (one && first < 0) first = i;
            if (i < 4) all = all && one;
        }
        const kq_matcher *many = make(op, ci, false, needles, (size_t)count);
        assert_int_equal(kq_matcher_test(many, t), first >= 0);
        assert_int_equal(kq_matcher_index(many, t), first);
        assert_int_equal(kq_matcher_test(make(op, ci, true, needles, 4), t), all);
        if (op >= KQ_MATCH_HAS && needles[0].n)
            assert_int_equal(kq_search_general(t, needles[0], ci, kq_search_edges(op, ci, needles[0])), want);
        if (round % 64 == 0) kq_arena_reset(&arena);
    }
}

/* Enough needles that the automaton keeps its edges in a hash table. */
static void many_needles(void **state) {
    (void)state;
    enum { N = 60000 };
    kq_sv *needles = malloc(N * sizeof *needles);
    char(*names)[32] = malloc(N * sizeof *names);
    assert_non_null(needles);
    assert_non_null(names);
    for (int i = 0; i < N; i++)
        needles[i] =
            (kq_sv){names[i], (size_t)sprintf(names[i], "%07d-Name %c\xC3\xA9", i * 7919 % 9999991, 'a' + i % 26)};
    const kq_matcher *m = make(KQ_MATCH_HAS, true, false, needles, N);
    for (int i = 0; i < N; i += 997) {
        char text[80];
        int n = sprintf(text, "before %07d-NAME %c\xC3\x89 after", i * 7919 % 9999991, 'A' + i % 26);
        assert_int_equal(kq_matcher_index(m, (kq_sv){text, (size_t)n}), i);
        text[6] = '7'; /* no boundary on the left any more */
        assert_int_equal(kq_matcher_index(m, (kq_sv){text, (size_t)n}), -1);
    }
    free(names);
    free(needles);
}

/* Texts made to be slow must take time in proportion to their length. */
static void hostile_texts(void **state) {
    (void)state;
    size_t n = 4u << 20;
    char *text = malloc(n), needle[4001];
    assert_non_null(text);
    memset(text, 'a', n);
    memset(needle, 'a', sizeof needle);
    needle[2000] = 'b';
    for (size_t i = 0; i < n; i += 2001) text[i] = 'b';
    clock_t start = clock();
    for (int ci = 0; ci < 2; ci++) {
        assert_false(kq_match_once(KQ_MATCH_HAS, ci, (kq_sv){text, n}, (kq_sv){needle, 4001}));
        assert_false(kq_match_once(KQ_MATCH_HAS, ci, (kq_sv){text, n}, (kq_sv){needle, 100}));
        needle[3999] = 'c';
        kq_sv one = {needle, 4001};
        assert_false(kq_matcher_test(make(KQ_MATCH_CONTAINS, ci, false, &one, 1), (kq_sv){text, n}));
        needle[3999] = 'a';
        kq_sv nested[100];
        for (size_t i = 0; i < 100; i++) nested[i] = (kq_sv){needle, 1000 + i};
        assert_false(kq_matcher_test(make(KQ_MATCH_HAS, ci, false, nested, 100), (kq_sv){text + 1, n - 1}));
    }
    assert_true((double)(clock() - start) < 8.0 * CLOCKS_PER_SEC);
    free(text);
}

static void sets(void **state) {
    (void)state;
    const kq_sv items[] = {KQ_SV("alpha"), KQ_SV("ALPHA"), KQ_SV("longer than eight K"), KQ_SV("")};
    const kq_strset *set;
    kq_error err;
    assert_int_equal(kq_strset_create(true, items, 4, &arena, &set, &err), KQ_OK);
    assert_int_equal(kq_strset_find(set, KQ_SV("Alpha")), 0);
    assert_int_equal(kq_strset_find(set, KQ_SV("LONGER than eight \xE2\x84\xAA")), 2);
    assert_int_equal(kq_strset_find(set, KQ_SV("")), 3);
    assert_int_equal(kq_strset_find(set, KQ_SV("beta")), -1);
    assert_int_equal(kq_strset_create(false, items, 4, &arena, &set, &err), KQ_OK);
    assert_int_equal(kq_strset_find(set, KQ_SV("ALPHA")), 1);
}

/* Every allocation that fails must come back as an error. */
static void no_memory(void **state) {
    (void)state;
    kq_sv needles[40];
    char text[40][16];
    for (int i = 0; i < 40; i++) needles[i] = (kq_sv){text[i], (size_t)sprintf(text[i], "v%dk", i)};
    for (size_t n = 1; n <= 40; n += 39)
        for (int op = 0; op < 7; op++)
            for (long k = 0; k < 60; k++) {
                kq_arena small;
                kq_arena_init(&small, NULL, 16);
                const kq_matcher *m = NULL;
                kq_error err;
                kq_alloc_fail_at(k, false);
                kq_status status = kq_matcher_create((kq_match_op)op, true, false, needles, n, &small, &m, &err);
                kq_alloc_fail_at(-1, false);
                assert_true(status == KQ_ERR_NOMEM || (status == KQ_OK && kq_matcher_test(m, KQ_SV("v0k"))));
                kq_arena_deinit(&small);
            }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(term_rules),   T(folding),       T(lists), T(against_the_reference),
                                       T(many_needles), T(hostile_texts), T(sets),  T(no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
