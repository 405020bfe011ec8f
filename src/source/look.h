/*
 * Looking at parts of a file beyond its head, before it is read: for what must be known of the whole file, and what its
 * first records don't tell.
 */
#ifndef KQ_SOURCE_LOOK_H
#define KQ_SOURCE_LOOK_H

#include "source/stream.h"

/* Takes a part, p[0..n), which begins behind a newline where it has one, ends anywhere, and has KQ_SCAN_SLACK zeroed
 * bytes behind it. *enough: no more is needed. Errors end the looking. */
typedef kq_status (*kq_look_fn)(void *ctx, char *p, size_t n, bool *enough, kq_error *err);

/* Gives parts of the file of `stream`, of which nothing is consumed, to `fn`: all behind its head, up to about 4 MiB;
 * of a larger file that can be read at an offset as much of its end and of places in between, else of its beginning. A
 * pipe has no such parts: nobody should wait for it. Damage ends it, and is for those to tell who read the file.
 * Errors: NOMEM, LIMIT, those of `fn`. */
kq_status kq_look(const kq_stream *stream, const kq_input *input, kq_budget *budget, kq_look_fn fn, void *ctx,
                  kq_error *err);

#endif
