/* Reading of files: the same bytes wherever in its page the room lies, and nothing behind the room is touched. */
#include "base/file.h"
#include "base/status.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE       4096
#define FILE_BYTES (3 * PAGE + 100)

static void test_pread(KQ_UNUSED void **state) {
    static const size_t sizes[] = {1,         31,       33,         PAGE - 1,        PAGE,    PAGE + 1,
                                   PAGE + 33, 2 * PAGE, FILE_BYTES, FILE_BYTES + 20, 4 * PAGE};
    static const uint64_t offsets[] = {
        0, 1, 100, PAGE - 1, PAGE, 2 * PAGE + 90, FILE_BYTES - PAGE, FILE_BYTES - 1, FILE_BYTES, FILE_BYTES + 5};
    static char bytes[FILE_BYTES];
    char path[] = "/tmp/kequel-test-XXXXXX", *room = aligned_alloc(PAGE, 8 * PAGE);
    int fd = mkstemp(path), slow = 0;
    assert_true(fd >= 0 && room);
    for (size_t i = 0; i < FILE_BYTES; i++) bytes[i] = (char)(i * 2654435761u >> 11);
    assert_int_equal(write(fd, bytes, FILE_BYTES), FILE_BYTES);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++)
            for (size_t shift = 0; shift < 70; shift++) {
                size_t n = sizes[s];
                uint64_t at = offsets[o];
                char *to = room + (at + shift) % PAGE;
                assert_int_equal(kq_pread_slow(to, at), shift >= 1 && shift <= 31);
                slow += kq_pread_slow(to, at);
                size_t there = at < FILE_BYTES ? FILE_BYTES - (size_t)at : 0, done = 0;
                memset(room, 'x', 8 * PAGE);
                for (ssize_t r; (r = kq_pread(fd, to + done, n - done, at + done)) > 0 && (done += (size_t)r) < n;) {
                }
                assert_int_equal(done, n < there ? n : there);
                if (done) assert_memory_equal(to, bytes + at, done);
                assert_true(to[n] == 'x' && to[n + 40] == 'x');
            }
    assert_true(slow > 0);
    assert_int_equal(kq_pread(-1, room + 16, 2 * PAGE, 0), -1);
    close(fd);
    unlink(path);
    free(room);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
