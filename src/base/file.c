#include "base/file.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SHIFT 32
#define WORTH 4096 /* bytes: less is copied as fast as it is moved */

static ssize_t read_some(int fd, char *to, size_t n, uint64_t offset) {
    ssize_t r;
    do r = pread(fd, to, n, (off_t)offset);
    while (r < 0 && errno == EINTR);
    return r;
}

ssize_t kq_pread(int fd, void *to, size_t n, uint64_t offset) {
    char *p = to;
    if (n < WORTH || !kq_pread_slow(to, offset)) return read_some(fd, p, n, offset);
    ssize_t most = read_some(fd, p + SHIFT, n - SHIFT, offset);
    if (most <= 0) return most;
    memmove(p, p + SHIFT, (size_t)most);
    if ((size_t)most < n - SHIFT) return most; /* the end of the file, most likely; who wants more calls again */
    ssize_t rest = read_some(fd, p + most, SHIFT, offset + (uint64_t)most);
    return rest > 0 ? most + rest : most;
}
