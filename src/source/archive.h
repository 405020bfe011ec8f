/*
 * Archives as folders: tar (plain, .gz, .zst, .bz2, .xz), zip and 7z, read with libarchive. Members are numbered in the
 * order of their headers and read one after another; nothing is unpacked to disk, and what libarchive holds is its
 * window. Names are shown, never opened. An archive in an archive is not looked into.
 *
 * An archive can only be read forwards. Who stops reading it parks it where it stands, and the next member that is
 * asked for goes on from there: the members of an archive are read in one pass, by however many scans.
 */
#ifndef KQ_SOURCE_ARCHIVE_H
#define KQ_SOURCE_ARCHIVE_H

#include "base/alloc.h"
#include "base/sv.h"
#include <stdint.h>

#define KQ_ARCHIVE_MEMBERS 100000              /* more are not read, and that is reported */
#define KQ_ARCHIVE_EXPANDS 1000                /* times its own size, beyond ... */
#define KQ_ARCHIVE_FREE    (UINT64_C(4) << 30) /* ... these bytes: a bomb */

typedef struct kq_archive kq_archive;
typedef struct kq_member kq_member;

typedef struct kq_member_info {
    uint32_t number;
    const char *name; /* well-formed UTF-8 without control characters; valid until the next call */
    uint64_t size;    /* 0 when the archive does not tell */
} kq_member_info;

/* Is a file with these first bytes (decompressed, when it is .gz or .zst) an archive? */
bool kq_archive_is(kq_sv head, const char *path);

/* A handle of the archive at `path` ("-" too); nothing is opened yet. Closed after its members. Errors: NOMEM. */
kq_status kq_archive_open(const char *path, kq_budget *budget, kq_archive **out, kq_error *err);
void kq_archive_close(kq_archive *archive);
/* Other limits than KQ_ARCHIVE_FREE and KQ_ARCHIVE_MEMBERS, before anything is read: tests reach smaller ones. */
void kq_archive_limit(kq_archive *archive, uint64_t free_bytes, uint32_t members);
/* How far into the (unpacked) archive it was read when the last failure ended reading it. Any thread. */
uint64_t kq_archive_place(kq_archive *archive);

/* The first regular file with a number >= `from`, hidden ones left out; *more false when there is none. One thread.
 * Errors: IO, DAMAGED (also: it expands too far, has too many members), NOMEM, LIMIT. */
kq_status kq_archive_next(kq_archive *archive, uint32_t from, kq_member_info *out, bool *more, kq_error *err);

/* Opens a member to be read from its start. Any thread. Errors: as above. */
kq_status kq_member_open(kq_archive *archive, uint32_t number, kq_member **out, kq_error *err);
/* The next bytes; *got 0 at the end. Errors: as above, and DAMAGED for one that is encrypted, or, at its end, one
 * whose checksum or sizes are not what the archive says; what was read before stands. */
kq_status kq_member_read(kq_member *member, char *to, size_t n, size_t *got, kq_error *err);
void kq_member_close(kq_member *member);

#endif
