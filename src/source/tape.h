/*
 * Tapes: what was read from a pipe, kept. A query may open an input several times (to recognise it, then for each
 * scan), and a pipe does not give twice what it gave once. The bytes lie in an unlinked temporary file. Tapes live as
 * long as the process, one for each pipe; any thread.
 */
#ifndef KQ_SOURCE_TAPE_H
#define KQ_SOURCE_TAPE_H

#include "base/status.h"
#include <stddef.h>

typedef struct kq_tape kq_tape;

/* The tape of `path` ("-": standard input), a pipe or another file that can't be read at an offset. Errors: IO, NOMEM.
 */
kq_status kq_tape_open(const char *path, kq_tape **out, kq_error *err);

/* Reads up to `n` bytes that stand at `offset`; *got 0 at the end. Blocks as the pipe does. Errors: IO (the pipe can't
 * be read, or what was read could not be kept and is asked for again). */
kq_status kq_tape_read(kq_tape *tape, uint64_t offset, char *to, size_t n, size_t *got, kq_error *err);

#endif
