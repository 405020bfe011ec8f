/*
 * The JSON source's own structs. Private to json*.c and their tests.
 */
#ifndef KQ_SOURCE_JSON_INTERNAL_H
#define KQ_SOURCE_JSON_INTERNAL_H

#include "native/json.h"
#include "source/json_record.h"
#include "source/json_split.h"
#include "source/scan_bytes.h"
#include "source/stream.h"

/* Bytes of a block; tests make it small, so that records lie across blocks. */
extern uint64_t kq_json_block_bytes;

typedef struct kq_json_source {
    kq_source base;
    kq_stream *stream;
    kq_budget *budget;
    kq_json_shape shape;
    uint64_t block, size;
    uint64_t next; /* morsels dealt */
    bool in_order; /* read as a stream: not seekable, not lines, or records are to be numbered */
    bool ended;
    bool skipping;  /* what comes belongs to a record that is too long */
    uint64_t count; /* records before the next morsel */
    unsigned restarts;
    kq_buf carry; /* the beginning of a record whose end is not read yet */
    uint64_t carry_at;
    kq_json_splitter splitter;
} kq_json_source;

typedef struct kq_json_reader {
    kq_reader base;
    kq_json_walker walker;
    kq_json_index *index;
    size_t index_room;
    kq_buf block;
    uint64_t block_at;
    bool loaded; /* claim() filled the block */
    bool has_extents;
    kq_buf extents; /* kq_json_extent: the records of the block, when lines do not tell */
    uint64_t first; /* number of the block's first record */
    kq_buf mended;
    kq_buf names, columns; /* kq_sv: what the values of the block's rows are, when they are arrays */
} kq_json_reader;

/* A line without the blanks around it and without the byte order mark of files that were joined together. */
static inline kq_sv kq_json_line(const char *p, const char *end) {
    if (end - p >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r' || end[-1] == '\n')) end--;
    return (kq_sv){p, (size_t)(end - p)};
}

/* Is it a line that evtx_dump puts before a record? */
static inline bool kq_json_is_label(kq_sv line) {
    return line.p[0] == 'R' && kq_scan_label(line.p, line.p + line.n);
}

void kq_json_too_long(kq_json_source *s, uint64_t offset);

/* Fills the reader's block with the next records of a stream, or *more false. Under the scan's lock. */
kq_status kq_json_next(kq_json_source *s, kq_json_reader *r, bool *more, kq_error *err);

/* Reads the lines that start in block `number` of a seekable file; *from..*to are the lines in the block buffer. */
kq_status kq_json_load(kq_json_source *s, kq_json_reader *r, uint64_t number, size_t *from, size_t *to, kq_error *err);

#endif
