/*
 * libarchive, loaded when the first archive is met and not with the program: with what it stands on (libxml2, ICU,
 * nettle, ...) it is a third of the time that a query over a small log takes. Its functions are called through a table
 * by their own names; its documentation is in <archive.h>.
 */
#ifndef KQ_SOURCE_LIBARCHIVE_H
#define KQ_SOURCE_LIBARCHIVE_H

#include "base/status.h"
#include <archive.h>
#include <archive_entry.h>

/* One row adds a function. */
#define KQ_LIBARCHIVE(ROW)                                                                                             \
    ROW(archive_entry_filetype)                                                                                        \
    ROW(archive_entry_hardlink)                                                                                        \
    ROW(archive_entry_is_data_encrypted)                                                                               \
    ROW(archive_entry_pathname)                                                                                        \
    ROW(archive_entry_pathname_utf8)                                                                                   \
    ROW(archive_entry_size)                                                                                            \
    ROW(archive_entry_size_is_set)                                                                                     \
    ROW(archive_errno)                                                                                                 \
    ROW(archive_error_string)                                                                                          \
    ROW(archive_filter_bytes)                                                                                          \
    ROW(archive_format)                                                                                                \
    ROW(archive_read_data)                                                                                             \
    ROW(archive_read_data_block)                                                                                       \
    ROW(archive_read_free)                                                                                             \
    ROW(archive_read_new)                                                                                              \
    ROW(archive_read_next_header)                                                                                      \
    ROW(archive_read_open)                                                                                             \
    ROW(archive_read_open2)                                                                                            \
    ROW(archive_read_set_seek_callback)                                                                                \
    ROW(archive_read_support_filter_bzip2)                                                                             \
    ROW(archive_read_support_filter_xz)                                                                                \
    ROW(archive_read_support_format_7zip)                                                                              \
    ROW(archive_read_support_format_empty)                                                                             \
    ROW(archive_read_support_format_raw)                                                                               \
    ROW(archive_read_support_format_tar)                                                                               \
    ROW(archive_read_support_format_zip)                                                                               \
    ROW(archive_set_error)

typedef struct kq_libarchive {
#define KQ_LIBARCHIVE_ROW(name) __typeof__(name) *name;
    KQ_LIBARCHIVE(KQ_LIBARCHIVE_ROW)
#undef KQ_LIBARCHIVE_ROW
} kq_libarchive;

/* The functions, loaded once and never changed then; `path`, which they are wanted for, stands in the error. Any thread.
 * Errors: IO (libarchive is not installed). */
kq_status kq_libarchive_load(const char *path, const kq_libarchive **out, kq_error *err);

#endif
