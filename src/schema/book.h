/*
 * The book of process starts: what the logs tell of each process, by what it is known by. A scan that asks @Column of a
 * parent, or whose rows yield to another log's telling of the same start, reads it first.
 *
 * A process is known by its GUID (Sysmon) and by device, process id and time; a start seen twice by device, process
 * id, file name and time. Workers each fill a part; then the parts become a book, which is immutable and shared. It
 * takes 32 bytes for each key, 12 and the bytes of the columns asked for for each start, 8 for each that may be told
 * twice (16 when the computer's name has a domain): in memory up to its share, which the budget is charged; beyond it
 * all lies in spill files and memory is bounded.
 */
#ifndef KQ_SCHEMA_BOOK_H
#define KQ_SCHEMA_BOOK_H

#include "column/chunk.h"
#include "source/field.h"

typedef enum kq_book_key { KQ_BOOK_GUID, KQ_BOOK_PID, KQ_BOOK_START, KQ_BOOK_HOST, KQ_BOOK_KEYS } kq_book_key;

/* What follows the columns in a chunk of starts: the keys, the image, the time. */
enum { KQ_BOOK_IMAGE = KQ_BOOK_KEYS, KQ_BOOK_TIME, KQ_BOOK_TAIL };

typedef struct kq_book kq_book;
typedef struct kq_book_part kq_book_part;
typedef struct kq_book_reader kq_book_reader;

/* Keys of a process; 0: not known by that. */
uint64_t kq_book_guid(kq_sv guid);
uint64_t kq_book_pid(kq_sv device, int64_t pid);
uint64_t kq_book_start(kq_sv device, int64_t pid, kq_sv file);

/* The keys of a start that is told: START and, of a computer with a domain, HOST, which is of its first label. */
void kq_book_tell(kq_sv device, int64_t pid, kq_sv file, uint64_t keys[2]);
/* The keys under which such a start may have been told: a computer without a domain may be one of its name with any,
 * one with a domain also the one without, never one of another domain. */
void kq_book_ask(kq_sv device, int64_t pid, kq_sv file, uint64_t keys[2]);

/* What images are compared by: a program's whole path, where it has one, and its file name, without case. 0: no image.
 */
uint64_t kq_book_image(kq_sv path);
/* Can these be one program? Whole paths are equal when both are there (a device's name fits any drive), else file
 * names; no image fits any. */
bool kq_book_same_image(uint64_t a, uint64_t b);

/* A book of rows of these types, empty, that takes about `share` bytes of memory. Owned by the caller. Errors: NOMEM,
 * LIMIT. */
kq_status kq_book_create(const kq_type *types, uint32_t ncolumns, size_t share, kq_budget *budget, kq_book **out,
                         kq_error *err);
void kq_book_destroy(kq_book *book);

/* A part of one worker; owned by the book. From any thread. NULL without memory. */
kq_book_part *kq_book_part_new(kq_book *book);
/* Appends the rows of a chunk: its first columns are the book's, then come KQ_BOOK_KEYS columns of type long with the
 * keys, one with the image (kq_book_image) and the time. Errors: NOMEM; LIMIT (of the budget, or no spill file can be
 * made or written), as those below. */
kq_status kq_book_append(kq_book_part *part, kq_chunk *chunk, kq_error *err);
/* Nothing more will be appended: what can be done to one part before all are sealed. From any thread. */
void kq_book_end_part(kq_book_part *part);
/* Makes the parts findable: from one thread, once. */
kq_status kq_book_seal(kq_book *book, kq_error *err);
/* Does a sealed book lie in spill files? */
bool kq_book_spilled(const kq_book *book);
/* Bytes of memory that it holds. */
size_t kq_book_held(const kq_book *book);

/* One worker's view of a sealed book, destroyed before it. */
kq_status kq_book_reader_create(const kq_book *book, kq_budget *budget, kq_book_reader **out, kq_error *err);
void kq_book_reader_destroy(kq_book_reader *reader);
/* Could a spill file not be read, or was there no memory, since it was created? Then an answer was wrong. */
kq_status kq_book_reader_status(const kq_book_reader *reader, kq_error *err);

/* Finds the latest start with this key at or before `time` (by GUID: else the first one); kq_book_cell tells of it
 * until the next is found. By process id not one of another program than `image`: the id was given again meanwhile. */
bool kq_book_find(kq_book_reader *reader, kq_book_key kind, uint64_t key, int64_t time, uint64_t image);
/* Was a start with this key told at most two seconds from `time`, give or take a quarter? Keys and times are kept in 64
 * bits: that another start has the same 32 of its key within these seconds does not happen by chance. */
bool kq_book_told(kq_book_reader *reader, uint64_t key, int64_t time);
/* Was a start with this key told at any time? */
bool kq_book_told_ever(kq_book_reader *reader, uint64_t key);
/* A cell of the start that was found, as a field; its text is valid until the next is found. */
void kq_book_cell(kq_book_reader *reader, uint32_t column, kq_field *out);

#endif
