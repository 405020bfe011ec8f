/* Archives: members read in any order and in one pass, whatever they are packed in; hostile ones end in a report. */
#include "source/stream.h"
#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

typedef enum pack { TAR, TAR_GZ, TAR_XZ, ZIP, SEVEN } pack;

static struct archive *begin(pack kind) {
    struct archive *a = archive_write_new();
    strcpy(path, kind == TAR_XZ ? "/tmp/kequel-test-XXXXXX.tar.xz" : "/tmp/kequel-test-XXXXXX");
    int fd = mkstemps(path, kind == TAR_XZ ? 7 : 0);
    assert_true(fd >= 0);
    close(fd);
    if (kind == ZIP)
        archive_write_set_format_zip(a);
    else if (kind == SEVEN)
        archive_write_set_format_7zip(a);
    else
        archive_write_set_format_pax_restricted(a);
    if (kind == TAR_GZ) archive_write_add_filter_gzip(a);
    if (kind == TAR_XZ) archive_write_add_filter_xz(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    return a;
}

static void member(struct archive *a, const char *name, const char *data, size_t n, int type) {
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, (unsigned)type);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (int64_t)n);
    if (type == AE_IFLNK) archive_entry_set_symlink(e, "/etc/passwd");
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (n) assert_int_equal(archive_write_data(a, data, n), (la_ssize_t)n);
    archive_entry_free(e);
}

static void end(struct archive *a) {
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static char *text_of(int i, size_t n) {
    char *p = malloc(n + 1);
    for (size_t k = 0; k < n; k++) p[k] = (char)('a' + (k * 7 + (size_t)i * 3 + k / 91) % 26);
    return p;
}

#define MEMBERS 5
static size_t size_of(int i) {
    return i == 2 ? 300000 : (size_t)(100 + i);
}

static void fill(pack kind) {
    struct archive *a = begin(kind);
    member(a, "folder/", NULL, 0, AE_IFDIR);
    for (int i = 0; i < MEMBERS; i++) {
        char name[32], *text = text_of(i, size_of(i));
        snprintf(name, sizeof name, "folder/%d.txt", i);
        member(a, name, text, size_of(i), AE_IFREG);
        free(text);
    }
    if (kind != SEVEN) member(a, "link", NULL, 0, AE_IFLNK);
    member(a, "folder/.hidden", "x", 1, AE_IFREG);
    end(a);
}

static void read_member(kq_archive *archive, uint32_t number, int i, size_t upto) {
    kq_stream *s;
    kq_error err;
    char *want = text_of(i, size_of(i)), *got = malloc(size_of(i) + 100);
    size_t n = 0, part;
    if (kq_stream_open_member(archive, number, "x", 0, NULL, &s, &err)) fail_msg("%s", err.message);
    assert_false(kq_stream_seekable(s));
    do {
        if (kq_stream_read(s, got + n, 5000 < size_of(i) + 100 - n ? 5000 : size_of(i) + 100 - n, &part, &err))
            fail_msg("%s", err.message);
        n += part;
    } while (part && n < upto);
    if (upto > size_of(i)) assert_int_equal(n, size_of(i));
    assert_memory_equal(want, got, n);
    kq_stream_close(s);
    free(want);
    free(got);
}

static void members(void **state) {
    (void)state;
    for (pack kind = TAR; kind <= SEVEN; kind++) {
        kq_archive *a;
        kq_error err;
        kq_stream *s;
        kq_sv head;
        kq_member_info info;
        bool more;
        uint32_t numbers[MEMBERS], from = 0;
        fill(kind);
        assert_int_equal(kq_stream_open(path, NULL, &s, &err), KQ_OK);
        assert_int_equal(kq_stream_head(s, &head, &err), KQ_OK);
        assert_true(kq_archive_is(head, path));
        kq_stream_close(s);
        assert_int_equal(kq_archive_open(path, NULL, &a, &err), KQ_OK);
        for (int i = 0; i < MEMBERS; i++) {
            char name[32];
            snprintf(name, sizeof name, "folder/%d.txt", i);
            if (kq_archive_next(a, from, &info, &more, &err)) fail_msg("%s", err.message);
            assert_true(more);
            assert_string_equal(info.name, name);
            assert_int_equal(info.size, size_of(i));
            from = info.number + 1;
            numbers[i] = info.number;
            if (i != 1) read_member(a, info.number, i, i == 2 ? 1000 : SIZE_MAX); /* some not, some in part */
        }
        assert_int_equal(kq_archive_next(a, from, &info, &more, &err), KQ_OK);
        assert_false(more);
        /* again, forwards, backwards, and two at once */
        for (int i = 0; i < MEMBERS; i++) read_member(a, numbers[i], i, SIZE_MAX);
        for (int i = MEMBERS; i-- > 0;) read_member(a, numbers[i], i, SIZE_MAX);
        kq_stream *two[2];
        assert_int_equal(kq_stream_open_member(a, numbers[0], "x", 0, NULL, &two[0], &err), KQ_OK);
        assert_int_equal(kq_stream_open_member(a, numbers[0], "x", 0, NULL, &two[1], &err), KQ_OK);
        read_member(a, numbers[3], 3, SIZE_MAX);
        kq_stream_close(two[0]);
        kq_stream_close(two[1]);
        kq_archive_close(a);
        unlink(path);
    }
}

static uint64_t free_bytes = KQ_ARCHIVE_FREE; /* what read_all allows */
static uint32_t most_members = KQ_ARCHIVE_MEMBERS;

/* Reads all members as they come; gives how many could be read, and the failure that ended the archive. */
static int read_all(kq_status *ended, int *broken, kq_error *err) {
    static char to[65536];
    kq_archive *a;
    kq_member_info info;
    kq_budget budget;
    kq_budget_init(&budget, 0);
    bool more;
    int whole = 0;
    *broken = 0;
    assert_int_equal(kq_archive_open(path, &budget, &a, err), KQ_OK);
    kq_archive_limit(a, free_bytes, most_members);
    for (uint32_t from = 0; !(*ended = kq_archive_next(a, from, &info, &more, err)) && more;) {
        kq_stream *s;
        kq_error why;
        size_t got = 0;
        kq_status status = kq_stream_open_member(a, info.number, "x", 0, &budget, &s, &why);
        if (!status) {
            do status = kq_stream_read(s, to, sizeof to, &got, &why);
            while (!status && got);
            kq_stream_close(s);
        }
        whole += !status;
        *broken += status == KQ_ERR_DAMAGED;
        from = info.number + 1;
    }
    kq_archive_close(a);
    assert_int_equal(budget.used, 0);
    return whole;
}

static void damaged(void **state) {
    (void)state;
    for (pack kind = TAR; kind <= SEVEN; kind++) {
        kq_status ended;
        kq_error err = {0};
        struct stat st;
        int broken;
        fill(kind);
        assert_int_equal(read_all(&ended, &broken, &err), MEMBERS);
        assert_int_equal(ended, KQ_OK);
        stat(path, &st);
        assert_int_equal(truncate(path, st.st_size * 2 / 3), 0);
        int whole = read_all(&ended, &broken, &err);
        assert_true(whole < MEMBERS);
        assert_true(ended == KQ_ERR_DAMAGED || broken);
        /* wherever a byte is wrong, it ends, and nothing leaks */
        unlink(path);
        fill(kind);
        for (off_t at = 0; at < st.st_size; at += 1 + st.st_size / 150) {
            char c;
            int fd = open(path, O_RDWR);
            assert_int_equal(pread(fd, &c, 1, at), 1);
            c ^= 0x55;
            assert_int_equal(pwrite(fd, &c, 1, at), 1);
            close(fd);
            read_all(&ended, &broken, &err);
            fd = open(path, O_RDWR);
            c ^= 0x55;
            assert_int_equal(pwrite(fd, &c, 1, at), 1);
            close(fd);
        }
        unlink(path);
    }
}

/* A member whose bytes are not those that its checksum was made of: they are given, and then the damage is told. */
static void checksum(void **state) {
    (void)state;
    static char bytes[1 << 20];
    kq_status ended;
    kq_error err = {0};
    int broken;
    fill(ZIP);
    int fd = open(path, O_RDWR);
    ssize_t n = read(fd, bytes, sizeof bytes);
    assert_true(n > 0);
    const char *sum = memmem(bytes, (size_t)n, "PK\7\10", 4); /* the first member's, behind its data */
    assert_non_null(sum);
    for (const char *p = bytes; (p = memmem(p, (size_t)(bytes + n - p), sum + 4, 4)); p++) { /* and in the directory */
        char c = (char)(*p ^ 0x55);
        assert_int_equal(pwrite(fd, &c, 1, p - bytes), 1);
    }
    close(fd);
    assert_int_equal(read_all(&ended, &broken, &err), MEMBERS - 1);
    assert_int_equal(ended, KQ_OK);
    assert_int_equal(broken, 1);
    unlink(path);
}

static void bomb(void **state) {
    (void)state;
    static char zeros[1 << 20];
    kq_status ended;
    kq_error err = {0};
    int broken;
    free_bytes = 1 << 20;
    for (pack kind = TAR_GZ; kind <= SEVEN; kind++) {
        struct archive *a = begin(kind);
        for (int i = 0; i < 64; i++) { /* one file of 64 MiB would be the same */
            char name[16];
            snprintf(name, sizeof name, "%d", i);
            member(a, name, zeros, sizeof zeros, AE_IFREG);
        }
        end(a);
        struct stat st;
        stat(path, &st);
        int whole = read_all(&ended, &broken, &err);
        if ((uint64_t)st.st_size * KQ_ARCHIVE_EXPANDS < 64u << 20) { /* a single deflate never expands so far */
            assert_true(whole < 64);
            assert_true(ended == KQ_ERR_DAMAGED || broken);
        } else {
            assert_int_equal(whole, 64);
        }
        unlink(path);
    }
    free_bytes = KQ_ARCHIVE_FREE;
}

static void names(void **state) {
    (void)state;
    static const char *const given[] = {"../../up", "./here", "a\nb", "\xC3\xA9\xFF", "/abs"};
    static const char *const shown[] = {"../../up", "here", "a?b", "\xC3\xA9\xEF\xBF\xBD", "/abs"};
    kq_archive *a;
    kq_error err;
    kq_member_info info;
    bool more;
    struct archive *w = begin(ZIP);
    for (int i = 0; i < 5; i++) member(w, given[i], "x", 1, AE_IFREG);
    end(w);
    assert_int_equal(kq_archive_open(path, NULL, &a, &err), KQ_OK);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(kq_archive_next(a, i, &info, &more, &err), KQ_OK);
        assert_true(more);
        assert_string_equal(info.name, shown[i]);
    }
    kq_archive_close(a);
    unlink(path);
    assert_int_equal(kq_archive_open("/nowhere", NULL, &a, &err), KQ_OK);
    assert_int_equal(kq_archive_next(a, 0, &info, &more, &err), KQ_ERR_IO);
    kq_archive_close(a);
    assert_false(kq_archive_is(KQ_SV("PK"), "x.zip"));
    assert_false(kq_archive_is(KQ_SV("{\"a\":\"ustar\"}"), "x.tar"));
}

/* Of a tar whose gzip stream is cut off, what comes before the cut is read, and the place is told. */
static void cut(void **state) {
    (void)state;
    kq_status ended;
    kq_error err = {0};
    struct stat st;
    int broken;
    fill(TAR_GZ);
    stat(path, &st);
    assert_int_equal(truncate(path, st.st_size - 12), 0);
    int whole = read_all(&ended, &broken, &err);
    assert_true(whole >= MEMBERS - 1);
    assert_true(ended == KQ_ERR_DAMAGED || broken);
    kq_archive *a;
    kq_member_info info;
    bool more = true;
    assert_int_equal(kq_archive_open(path, NULL, &a, &err), KQ_OK);
    kq_status status = KQ_OK;
    for (uint32_t from = 0; more && !(status = kq_archive_next(a, from, &info, &more, &err));) from = info.number + 1;
    assert_int_equal(status, KQ_ERR_DAMAGED);
    assert_non_null(strstr(err.message, "the gzip file is cut off"));
    assert_true(kq_archive_place(a) > size_of(2));
    kq_archive_close(a);
    unlink(path);
}

static void encrypted(void **state) {
    (void)state;
    kq_archive *a;
    kq_member *m;
    kq_member_info info;
    kq_error err;
    bool more;
    size_t got;
    char to[16];
    struct archive *w = archive_write_new();
    strcpy(path, "/tmp/kequel-test-XXXXXX");
    close(mkstemp(path));
    archive_write_set_format_zip(w);
    assert_int_equal(archive_write_set_options(w, "zip:encryption=zipcrypt"), ARCHIVE_OK);
    archive_write_set_passphrase(w, "p");
    assert_int_equal(archive_write_open_filename(w, path), ARCHIVE_OK);
    for (int i = 0; i < 100; i++)
        member(w, "x.csv", "a,b,c,d", 7, AE_IFREG); /* more than the archive may have damaged */
    end(w);
    assert_int_equal(kq_archive_open(path, NULL, &a, &err), KQ_OK);
    for (uint32_t i = 0; i < 100; i++) { /* each of them is told, and the next one is reached */
        if (kq_archive_next(a, i, &info, &more, &err)) fail_msg("%s", err.message);
        assert_true(more);
        assert_int_equal(kq_member_open(a, i, &m, &err), KQ_OK);
        assert_int_equal(kq_member_read(m, to, sizeof to, &got, &err), KQ_ERR_DAMAGED);
        assert_non_null(strstr(err.message, "is encrypted"));
        kq_member_close(m);
    }
    kq_archive_close(a);
    unlink(path);
}

static void many(void **state) {
    (void)state;
    kq_status ended;
    kq_error err = {0};
    int broken;
    fill(TAR);
    most_members = 4; /* the folder is one */
    assert_int_equal(read_all(&ended, &broken, &err), 3);
    assert_int_equal(ended, KQ_ERR_DAMAGED);
    assert_non_null(strstr(err.message, "more than 4 members"));
    most_members = KQ_ARCHIVE_MEMBERS;
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members), cmocka_unit_test(damaged), cmocka_unit_test(checksum),  cmocka_unit_test(bomb),
        cmocka_unit_test(names),   cmocka_unit_test(cut),     cmocka_unit_test(encrypted), cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
