/* Streams: the same bytes whatever they are packed in, and what is left of damaged ones. */
#include "source/stream.h"
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT_BYTES 300000
static char text[TEXT_BYTES];
static char path[64];

static void write_file(const void *p, size_t n) {
    strcpy(path, "/tmp/kequel-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
}

static size_t gzip(const char *in, size_t n, char *out, size_t room) {
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)in;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t made = room - z.avail_out;
    deflateEnd(&z);
    return made;
}

/* Reads all of it in pieces of `piece`; gives how much came before the end or the failure. */
static size_t read_all(const char *name, size_t piece, bool head, kq_status *end, kq_error *err) {
    kq_stream *s;
    kq_budget budget;
    kq_budget_init(&budget, 0);
    assert_int_equal(kq_stream_open(name, &budget, &s, err), KQ_OK);
    if (head) {
        kq_sv h;
        assert_int_equal(kq_stream_head(s, &h, err), KQ_OK);
        assert_memory_equal(h.p, text, h.n);
    }
    static char to[TEXT_BYTES + 100];
    size_t n = 0, got;
    for (;;) {
        *end = kq_stream_read(s, to + n, piece < sizeof to - n ? piece : sizeof to - n, &got, err);
        n += got;
        if (*end || !got) break;
    }
    assert_memory_equal(to, text, n);
    kq_stream_close(s);
    assert_int_equal(budget.used, 0);
    return n;
}

static void same(const void *p, size_t n) {
    write_file(p, n);
    static const size_t pieces[] = {1000, 65536, 99999, 1 << 20};
    for (size_t i = 0; i < 4; i++)
        for (int head = 0; head < 2; head++) {
            kq_status end;
            assert_int_equal(read_all(path, pieces[i], head, &end, NULL), TEXT_BYTES);
            assert_int_equal(end, KQ_OK);
        }
    unlink(path);
}

static void cut_off(const void *p, size_t n, const char *reason) {
    write_file(p, n);
    kq_error err = {0};
    kq_status end;
    size_t got = read_all(path, 4096, true, &end, &err);
    assert_true(got > 0 && got <= TEXT_BYTES);
    assert_int_equal(end, KQ_ERR_DAMAGED);
    assert_non_null(strstr(err.message, reason));
    unlink(path);
}

static void test_plain(void **state) {
    (void)state;
    same(text, TEXT_BYTES);
    write_file(text, TEXT_BYTES);
    kq_stream *s;
    assert_int_equal(kq_stream_open(path, NULL, &s, NULL), KQ_OK);
    assert_true(kq_stream_seekable(s));
    assert_int_equal(kq_stream_size(s), TEXT_BYTES);
    char to[100];
    size_t got;
    assert_int_equal(kq_stream_at(s, TEXT_BYTES - 50, to, 100, &got, NULL), KQ_OK);
    assert_int_equal(got, 50);
    assert_memory_equal(to, text + TEXT_BYTES - 50, 50);
    kq_stream_close(s);
    unlink(path);
    assert_int_equal(kq_stream_open("/nowhere/at/all", NULL, &s, NULL), KQ_ERR_IO);
    assert_int_equal(kq_stream_open("/tmp", NULL, &s, NULL), KQ_ERR_IO);
}

static void test_gzip(void **state) {
    (void)state;
    static char packed[TEXT_BYTES * 2];
    size_t n = gzip(text, TEXT_BYTES, packed, sizeof packed);
    same(packed, n);
    cut_off(packed, n / 2, "cut off");
    packed[n - 8] ^= 1; /* the checksum */
    cut_off(packed, n, "damaged");
    /* members one after another, an empty one, and padding */
    n = gzip(text, 100000, packed, sizeof packed);
    n += gzip(text, 0, packed + n, sizeof packed - n);
    n += gzip(text + 100000, TEXT_BYTES - 100000, packed + n, sizeof packed - n);
    memset(packed + n, 0, 512);
    same(packed, n + 512);
}

static void test_zstd(void **state) {
    (void)state;
    static char packed[TEXT_BYTES * 2];
    size_t n = ZSTD_compress(packed, sizeof packed, text, TEXT_BYTES, 3);
    same(packed, n);
    cut_off(packed, n - 100, "cut off");
    n = ZSTD_compress(packed, sizeof packed, text, 200000, 3);
    memcpy(packed + n, "\x50\x2a\x4d\x18\x02\x00\x00\x00xy", 10); /* a skippable frame */
    n += 10;
    n += ZSTD_compress(packed + n, sizeof packed - n, text + 200000, TEXT_BYTES - 200000, 3);
    same(packed, n);
}

/* A pipe can be opened again and gives what it gave before. */
static void test_pipe(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        for (size_t n = 0; n < TEXT_BYTES;) {
            ssize_t w = write(ends[1], text + n, TEXT_BYTES - n);
            if (w <= 0) break;
            n += (size_t)w;
        }
        _exit(0);
    }
    close(ends[1]);
    char name[32];
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    kq_stream *s;
    kq_sv head;
    assert_int_equal(kq_stream_open(name, NULL, &s, NULL), KQ_OK);
    assert_false(kq_stream_seekable(s));
    assert_int_equal(kq_stream_head(s, &head, NULL), KQ_OK);
    assert_int_equal(head.n, 65536);
    kq_stream_close(s);
    for (int i = 0; i < 2; i++) {
        kq_status end;
        assert_int_equal(read_all(name, 77777, i, &end, NULL), TEXT_BYTES);
        assert_int_equal(end, KQ_OK);
    }
    close(ends[0]);
}

static void test_report(void **state) {
    (void)state;
    static kq_report r;
    kq_report_init(&r);
    for (uint32_t i = 0; i < 3000; i++) kq_report_damage(&r, 1, "b", 7 * (uint64_t)(3000 - i), "line %u", i);
    kq_report_damage(&r, 0, "a", 99, "first");
    kq_report_damage(&r, 0, "a", 99, "first");
    assert_int_equal(r.total, 3001);
    assert_int_equal(r.n, KQ_REPORT_KEPT);
    assert_string_equal(r.items[0].reason, "first");
    for (uint32_t i = 1; i < r.n; i++) assert_int_equal(r.items[i].offset, 7 * (uint64_t)i);
    kq_report_deinit(&r);
}

int main(void) {
    uint32_t x = 1;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = (char)(x >> 26);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain), cmocka_unit_test(test_gzip),
                                       cmocka_unit_test(test_zstd), cmocka_unit_test(test_pipe),
                                       cmocka_unit_test(test_report)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
