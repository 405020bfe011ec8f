/*
 * The face of simdjson: the structural index of JSON text. simdjson finds, at several gigabytes a second, where every
 * string, number, literal, bracket, colon and comma begins, and validates UTF-8 and strings on the way; walking the
 * index is ours. One index is used by one thread.
 */
#ifndef KQ_NATIVE_JSON_H
#define KQ_NATIVE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kq_json_index kq_json_index;

typedef enum kq_json_fault {
    KQ_JSON_OK,
    KQ_JSON_NOMEM,
    KQ_JSON_BAD_UTF8,
    KQ_JSON_OPEN_STRING, /* the text ends inside a string */
    KQ_JSON_CONTROL,     /* a control character inside a string */
    KQ_JSON_OTHER
} kq_json_fault;

/* NULL when memory is short. */
kq_json_index *kq_json_index_create(void);
void kq_json_index_destroy(kq_json_index *index);

/* Bytes that the index of a text of `n` bytes holds. */
size_t kq_json_index_bytes(size_t n);

/* Makes room for texts of `n` bytes, or less room than there was. NOMEM or OK. */
kq_json_fault kq_json_index_room(kq_json_index *index, size_t n);

/* Indexes text[0..n), n at most the room made: *at is the ascending offsets, *count of them (none for blanks), valid
 * until the next call. Text may be several values one after another. */
kq_json_fault kq_json_index_make(kq_json_index *index, const char *text, size_t n, const uint32_t **at,
                                 uint32_t *count);

/* Is text[0..n) well-formed UTF-8? */
bool kq_text_is_utf8(const char *text, size_t n);

#ifdef __cplusplus
}
#endif

#endif
