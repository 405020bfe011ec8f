/* Reads bytes through a kind of source and writes its rows as text, so that tests compare strings. */
#ifndef KQ_TESTS_ROWS_H
#define KQ_TESTS_ROWS_H

#include "source/source.h"
#include "source/tally.h"

/* One line per row: the set's number, then each field after a '|': `-` missing, `~` null, 'text', L'local time', true,
 * 1, 1u, 1.5, and JSON as it is. At the end "! offset reason" for each place of damage. A failure is "error: message".
 */
void rows_read(const kq_source_type *type, kq_sv bytes, const kq_request *request, kq_buf *out);
/* The same, and the records are told apart in the tally, which may be NULL. */
void rows_tally(const kq_source_type *type, kq_sv bytes, const kq_request *request, kq_tally *tally, kq_buf *out);

/* The same for one set of wants, given as names separated by blanks; a name with a '!' in front asks for JSON. */
#define ROWS_WANTS 64
kq_want_set rows_wants(const char *names, kq_want wants[ROWS_WANTS]);
void rows_of(const kq_source_type *type, kq_sv bytes, const char *wants, kq_buf *out);

/* Reads the same with allocation `n` failing (and all after it when `sticky`): it must end for want of memory, or give
 * the rows of `whole`, which is what rows_read gave. Aborts when not. */
void rows_survive(const kq_source_type *type, kq_sv bytes, const kq_request *request, long n, bool sticky,
                  const kq_buf *whole);

/* A file that holds the bytes, as a path; rows_file_close with its number releases it. */
int rows_file(kq_sv bytes, char path[64]);
void rows_file_close(int fd);

#endif
