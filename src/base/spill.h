/*
 * Spill files: what does not fit the memory that is its share lies in an unlinked temporary file, in the folder that
 * TMPDIR names or else in /tmp, and is read back by pages. A file that can't be made, written or read is KQ_ERR_LIMIT:
 * memory is at its limit and there is no other place. (IO would be taken for damage of an input.)
 */
#ifndef KQ_BASE_SPILL_H
#define KQ_BASE_SPILL_H

#include "base/alloc.h"
#include "base/buf.h"

/* A new temporary file without a name, or -1 with errno. */
int kq_temporary_file(void);

typedef struct kq_spill {
    int fd; /* -1: not made yet */
} kq_spill;

#define KQ_SPILL_NONE ((kq_spill){-1})

/* Makes the file unless it is there. */
kq_status kq_spill_open(kq_spill *spill, kq_error *err);
void kq_spill_close(kq_spill *spill);
/* All `n` bytes at `offset`. From any threads at once. */
kq_status kq_spill_write(const kq_spill *spill, uint64_t offset, const void *bytes, size_t n, kq_error *err);
kq_status kq_spill_read(const kq_spill *spill, uint64_t offset, void *bytes, size_t n, kq_error *err);

#define KQ_PAGE 4096u

/* Some pages of a spill file in memory: one thread's own. */
typedef struct kq_pages {
    const kq_spill *spill;
    uint64_t end; /* bytes of the file that may be asked for */
    kq_budget *budget;
    uint64_t *tags; /* page number + 1; 0: nothing */
    char *data;
    kq_buf joined;
} kq_pages;

/* Errors: NOMEM, LIMIT. */
kq_status kq_pages_init(kq_pages *pages, const kq_spill *spill, uint64_t end, kq_budget *budget, kq_error *err);
void kq_pages_deinit(kq_pages *pages);
/* The `n` bytes at `at`, valid until the next call; NULL with `err` filled. */
const char *kq_pages_get(kq_pages *pages, uint64_t at, size_t n, kq_status *status, kq_error *err);

#endif
