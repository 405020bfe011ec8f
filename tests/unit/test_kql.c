/*
 * Runs the files tests/kql/NAME.test: queries with their answers. A file holds cases, separated by lines "===="; a case
 * is a query, a line "----", and the rows as ndjson prints them, or "error: " and a part of the message.
 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/sv.h"
#include "kequel.h"
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "tests/kql"

static kq_status append(void *ctx, const char *bytes, size_t n) {
    kq_buf_append(ctx, bytes, n);
    return KQ_OK;
}

static kq_sv trimmed(kq_sv s) {
    while (s.n && (s.p[0] == '\n' || s.p[0] == ' ')) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == ' ')) s.n--;
    return s;
}

/* Cuts `rest` before the next line that is `mark` (or at its end) and gives what stood before it. */
static kq_sv cut(kq_sv *rest, const char *mark, bool *found) {
    size_t n = strlen(mark);
    for (size_t at = 0; at + n <= rest->n; at++) {
        if (memcmp(rest->p + at, mark, n) != 0 || (at && rest->p[at - 1] != '\n')) continue;
        if (at + n < rest->n && rest->p[at + n] != '\n') continue;
        kq_sv head = kq_sv_slice(*rest, 0, at);
        *rest = kq_sv_slice(*rest, at + n, rest->n);
        *found = true;
        return head;
    }
    kq_sv all = *rest;
    *rest = (kq_sv){rest->p + rest->n, 0};
    *found = false;
    return all;
}

static bool contains(kq_sv text, kq_sv part) {
    return part.n == 0 || memmem(text.p, text.n, part.p, part.n) != NULL;
}

/* Runs one case; false with the reason printed when its answer is another one. */
static bool run_case(const char *file, kq_sv query, kq_sv want, bool optimize) {
    kq_engine_options options = {.size = sizeof options,
                                 .threads = 2,
                                 .now_mode = KQ_NOW_FIXED,
                                 .now = INT64_C(637134336000000000),
                                 .no_optimize = !optimize};
    kq_engine *engine = NULL;
    kq_error err = {0};
    kq_buf got;
    kq_buf_init(&got, NULL, 0);
    bool ok;
    kq_output out = {.size = sizeof out, .write = append, .ctx = &got, .format = "ndjson"};
    kq_status status = kq_engine_create(&options, &engine, &err);
    if (status == KQ_OK) status = kq_engine_query(engine, query.p, query.n, &out, NULL, &err);
    kq_sv error = KQ_SV("error: ");
    if (kq_sv_starts(want, error)) {
        ok = status == KQ_ERR_QUERY && contains(kq_sv_of(err.message), kq_sv_slice(want, error.n, want.n));
    } else {
        ok = status == KQ_OK && kq_sv_eq(trimmed(kq_buf_view(&got)), want);
    }
    if (!ok)
        print_error("%s: %.*s\n  want: %.*s\n  got:  %.*s%s\n", file, (int)query.n, query.p, (int)want.n, want.p,
                    (int)got.n, got.p ? got.p : "", err.message);
    kq_engine_destroy(engine);
    kq_buf_deinit(&got);
    return ok;
}

static bool read_file(const char *path, kq_buf *out) {
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) kq_buf_append(out, part, n);
    fclose(f);
    return true;
}

static unsigned run_file(const char *name, unsigned *cases) {
    char path[512];
    snprintf(path, sizeof path, FOLDER "/%s", name);
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    unsigned failed = !read_file(path, &text);
    kq_sv rest = kq_buf_view(&text);
    for (bool more = true; more;) {
        kq_sv want = cut(&rest, "====", &more);
        bool divided;
        kq_sv query = trimmed(cut(&want, "----", &divided));
        if (query.n == 0 && !divided) continue;
        want = trimmed(want);
        (*cases)++;
        if (!divided || !run_case(name, query, want, true) || !run_case(name, query, want, false)) failed++;
    }
    kq_buf_deinit(&text);
    return failed;
}

static void test_files(void **state) {
    (void)state;
    struct dirent **entries;
    int n = scandir(FOLDER, &entries, NULL, alphasort);
    assert_true(n >= 0);
    unsigned failed = 0, cases = 0;
    for (int i = 0; i < n; i++) {
        if (kq_sv_ends(kq_sv_of(entries[i]->d_name), KQ_SV(".test"))) failed += run_file(entries[i]->d_name, &cases);
        free(entries[i]);
    }
    free(entries);
    print_message("%u cases\n", cases);
    assert_int_equal(failed, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
