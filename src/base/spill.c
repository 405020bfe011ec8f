#include "base/spill.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *folder(void) {
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

int kq_temporary_file(void) {
    const char *dir = folder();
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0) return fd;
    char path[4096];
    static const char name[] = "/kequel-XXXXXX";
    size_t n = strlen(dir);
    if (n + sizeof name > sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(path, dir, n);
    memcpy(path + n, name, sizeof name);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

static kq_status failed(const char *what, int why, kq_error *err) {
    kq_status status = kq_fail(err, KQ_ERR_LIMIT, "a temporary file in %s can't be %s: %s", folder(), what,
                               why ? strerror(why) : "it is shorter than it was");
    kq_error_hint(err, "what does not fit in memory goes there; TMPDIR names another folder");
    return status;
}

kq_status kq_spill_open(kq_spill *s, kq_error *err) {
    if (s->fd >= 0) return KQ_OK;
    s->fd = kq_temporary_file();
    return s->fd >= 0 ? KQ_OK : failed("made", errno, err);
}

void kq_spill_close(kq_spill *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

kq_status kq_spill_write(const kq_spill *s, uint64_t offset, const void *bytes, size_t n, kq_error *err) {
    for (size_t done = 0; done < n;) {
        ssize_t w = pwrite(s->fd, (const char *)bytes + done, n - done, (off_t)(offset + done));
        if (w < 0 && errno == EINTR) continue;
        if (w <= 0) return failed("written", w ? errno : ENOSPC, err);
        done += (size_t)w;
    }
    return KQ_OK;
}

kq_status kq_spill_read(const kq_spill *s, uint64_t offset, void *bytes, size_t n, kq_error *err) {
    for (size_t done = 0; done < n;) {
        ssize_t r = kq_pread(s->fd, (char *)bytes + done, n - done, offset + done);
        if (r <= 0) return failed("read", r ? errno : 0, err);
        done += (size_t)r;
    }
    return KQ_OK;
}

/* A page has one place, by its number: neighbours do not push each other out. */
#define PAGES 64u

kq_status kq_pages_init(kq_pages *p, const kq_spill *spill, uint64_t end, kq_budget *budget, kq_error *err) {
    *p = (kq_pages){.spill = spill, .end = end, .budget = budget};
    kq_buf_init(&p->joined, budget, 0);
    if (!kq_budget_charge(budget, PAGES * (KQ_PAGE + sizeof *p->tags))) return kq_budget_status(budget, err);
    p->tags = kq_calloc(PAGES, sizeof *p->tags);
    p->data = kq_malloc((size_t)PAGES * KQ_PAGE);
    if (p->tags && p->data) return KQ_OK;
    kq_free(p->tags);
    kq_free(p->data);
    p->tags = NULL;
    p->data = NULL;
    kq_budget_release(budget, PAGES * (KQ_PAGE + sizeof *p->tags));
    return kq_nomem(err);
}

void kq_pages_deinit(kq_pages *p) {
    if (p->tags) kq_budget_release(p->budget, PAGES * (KQ_PAGE + sizeof *p->tags));
    kq_free(p->tags);
    kq_free(p->data);
    kq_buf_deinit(&p->joined);
    *p = (kq_pages){0};
}

static const char *page(kq_pages *p, uint64_t number, kq_status *status, kq_error *err) {
    size_t slot = (number * UINT64_C(0x9E3779B97F4A7C15)) >> 58;
    char *to = p->data + slot * KQ_PAGE;
    if (p->tags[slot] == number + 1) return to;
    uint64_t at = number * KQ_PAGE;
    size_t n = p->end - at < KQ_PAGE ? (size_t)(p->end - at) : KQ_PAGE;
    p->tags[slot] = 0;
    *status = kq_spill_read(p->spill, at, to, n, err);
    if (*status) return NULL;
    p->tags[slot] = number + 1;
    return to;
}

const char *kq_pages_get(kq_pages *p, uint64_t at, size_t n, kq_status *status, kq_error *err) {
    *status = KQ_OK;
    if (at > p->end || n > p->end - at) {
        *status = kq_fail(err, KQ_ERR_INTERNAL, "a temporary file is asked for more than it has");
        return NULL;
    }
    size_t within = at % KQ_PAGE;
    if (within + n <= KQ_PAGE) {
        const char *from = page(p, at / KQ_PAGE, status, err);
        return from ? from + within : NULL;
    }
    kq_buf_clear(&p->joined);
    char *to = kq_buf_reserve(&p->joined, n);
    if (!to) {
        *status = kq_buf_status(&p->joined, err);
        return NULL;
    }
    if (n > 4 * KQ_PAGE) {
        *status = kq_spill_read(p->spill, at, to, n, err);
        return *status ? NULL : to;
    }
    for (size_t done = 0; done < n; within = 0) {
        const char *from = page(p, (at + done) / KQ_PAGE, status, err);
        if (!from) return NULL;
        size_t take = KQ_PAGE - within < n - done ? KQ_PAGE - within : n - done;
        memcpy(to + done, from + within, take);
        done += take;
    }
    return to;
}
