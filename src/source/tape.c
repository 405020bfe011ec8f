#include "source/tape.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/spill.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct kq_tape {
    dev_t device;
    ino_t inode;
    int pipe;
    int kept; /* the temporary file; -1: none yet */
    bool lost;
    bool ended;
    uint64_t n; /* bytes read from the pipe so far */
    struct kq_tape *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static kq_tape *tapes;

static kq_status find(const char *path, kq_tape **out, kq_error *err) {
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    if ((standard ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0)
        return kq_fail(err, KQ_ERR_IO, "%s: %s", path, strerror(errno));
    for (kq_tape *t = tapes; t; t = t->next)
        if (t->device == st.st_dev && t->inode == st.st_ino) return *out = t, KQ_OK;
    kq_tape *t = kq_calloc(1, sizeof *t);
    if (!t) return kq_nomem(err);
    *t = (kq_tape){.device = st.st_dev, .inode = st.st_ino, .kept = -1, .next = tapes};
    t->pipe = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (t->pipe < 0) {
        kq_free(t);
        return kq_fail(err, KQ_ERR_IO, "%s: %s", path, strerror(errno));
    }
    *out = tapes = t;
    return KQ_OK;
}

kq_status kq_tape_open(const char *path, kq_tape **out, kq_error *err) {
    *out = NULL;
    pthread_mutex_lock(&lock);
    kq_status status = find(path, out, err);
    pthread_mutex_unlock(&lock);
    return status;
}

/* When the bytes can't be kept, later readers get an error and this one goes on. */
static void keep(kq_tape *t, const char *bytes, size_t n) {
    if (t->lost) return;
    if (t->kept < 0) t->kept = kq_temporary_file();
    for (size_t done = 0; t->kept >= 0 && done < n;) {
        ssize_t w = pwrite(t->kept, bytes + done, n - done, (off_t)(t->n + done));
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) break;
        done += (size_t)w;
        if (done == n) return;
    }
    t->lost = true;
}

static kq_status locked(kq_tape *t, uint64_t offset, char *to, size_t n, size_t *got, kq_error *err) {
    if (offset < t->n) {
        if (t->lost) return kq_fail(err, KQ_ERR_IO, "no room to keep what a pipe gave for a second reading");
        if (n > t->n - offset) n = (size_t)(t->n - offset);
        ssize_t r = kq_pread(t->kept, to, n, offset);
        if (r <= 0) return kq_fail(err, KQ_ERR_IO, "what a pipe gave can't be read again");
        *got = (size_t)r;
        return KQ_OK;
    }
    if (t->ended) return KQ_OK;
    ssize_t r;
    do r = read(t->pipe, to, n);
    while (r < 0 && errno == EINTR);
    if (r < 0) return kq_fail(err, KQ_ERR_IO, "reading a pipe: %s", strerror(errno));
    if (r == 0) {
        t->ended = true;
        return KQ_OK;
    }
    keep(t, to, (size_t)r);
    t->n += (size_t)r;
    *got = (size_t)r;
    return KQ_OK;
}

kq_status kq_tape_read(kq_tape *tape, uint64_t offset, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    if (!n) return KQ_OK;
    pthread_mutex_lock(&lock);
    kq_status status = locked(tape, offset, to, n, got, err);
    pthread_mutex_unlock(&lock);
    return status;
}
