/*
 * Streams: the bytes of a file, whatever it is packed in: plain (positional reads), .gz, .zst, .xz, .bz2 (also several members one
 * after another), standard input, and members of archives, which may be packed themselves. Recognised by content, then
 * by name.
 */
#ifndef KQ_SOURCE_STREAM_H
#define KQ_SOURCE_STREAM_H

#include "base/buf.h"
#include "source/source.h"

/* Opens `path`. Errors: IO (missing, unreadable, a directory), NOMEM. */
kq_status kq_stream_open(const char *path, kq_budget *budget, kq_stream **out, kq_error *err);
/* The same for a member of an archive, which outlives the stream; `path` stands in messages. Errors: IO, DAMAGED,
 * NOMEM, LIMIT. */
kq_status kq_stream_open_member(kq_archive *archive, uint32_t member, const char *path, uint64_t size,
                                kq_budget *budget, kq_stream **out, kq_error *err);
void kq_stream_close(kq_stream *stream);

/* True when kq_stream_at works: a plain regular file. */
bool kq_stream_seekable(const kq_stream *stream);
uint64_t kq_stream_size(const kq_stream *stream);     /* bytes as stored; 0 when unknown */
uint64_t kq_stream_consumed(const kq_stream *stream); /* stored bytes read so far, for progress */

/* The first bytes (up to 64 KiB, decompressed) without consuming them. */
kq_status kq_stream_head(kq_stream *stream, kq_sv *head, kq_error *err);

/* The same of at least 8 KiB, where the file has them: enough to know an event log. */
kq_status kq_stream_start(kq_stream *stream, kq_sv *head, kq_error *err);

/* Is this the start of UTF-16 text: with its mark, as PowerShell 5.1 writes it, or without, when it begins with ASCII?
 */
bool kq_utf16_is(kq_sv head);
/* Turns such a stream, of which nothing was consumed yet, into one of UTF-8 without a mark, which can't be read at an
 * offset; others stay as they are. Lone surrogates become U+FFFD; an odd byte at the end is damage. Errors: of
 * kq_stream_head. */
kq_status kq_stream_as_utf8(kq_stream *stream, kq_error *err);

/* Reads the next bytes in order: *got < n only at the end or before damage. A damaged compressed stream gives what
 * could be decompressed (KQ_OK, *got > 0), then, with the next call, KQ_ERR_DAMAGED with a message: read until *got is
 * 0. */
kq_status kq_stream_read(kq_stream *stream, char *to, size_t n, size_t *got, kq_error *err);
/* Reads at an offset; any thread; *got < n only at the end. Seekable streams. */
kq_status kq_stream_at(kq_stream *stream, uint64_t offset, char *to, size_t n, size_t *got, kq_error *err);

#endif
