#include "source/libarchive.h"
#include <dlfcn.h>
#include <pthread.h>

#define LIBRARY "libarchive.so.13" /* the one whose functions <archive.h> of version 3 declares */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static kq_libarchive functions; /* written once, under `once` */
static bool loaded;

static void load(void) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* for as long as the program runs */
    if (!library) return;
    loaded = true;
#define ROW(name)                                                                                                      \
    *(void **)(void *)&functions.name = dlsym(library, #name);                                                         \
    loaded = loaded && functions.name;
    KQ_LIBARCHIVE(ROW)
#undef ROW
}

kq_status kq_libarchive_load(const char *path, const kq_libarchive **out, kq_error *err) {
    pthread_once(&once, load);
    *out = &functions;
    if (loaded) return KQ_OK;
    return kq_fail(err, KQ_ERR_IO, "%s: archives, .xz and .bz2 are read with libarchive, and " LIBRARY " is not there",
                   path);
}
