/*
 * The CSV source's own structs. Private to csv*.c and their tests.
 */
#ifndef KQ_SOURCE_CSV_INTERNAL_H
#define KQ_SOURCE_CSV_INTERNAL_H

#include "base/arena.h"
#include "source/csv_scan.h"
#include "source/scan_bytes.h"
#include "source/stream.h"

/* Bytes of a block; tests make it small, so that records lie across blocks. */
extern uint64_t kq_csv_block_bytes;

typedef struct kq_csv_column {
    kq_sv name;
    bool local; /* "[Local Time]": of a zone that the file does not tell */
} kq_csv_column;

typedef struct kq_csv_source {
    kq_source base;
    kq_stream *stream;
    kq_arena arena;
    kq_csv_column *columns;
    uint32_t ncolumns;
    char delimiter;
    kq_sv line;        /* the header as it stands */
    uint64_t skip;     /* bytes of the header, not yet skipped */
    uint64_t at;       /* offset of carry */
    kq_buf carry;      /* the beginning of a record */
    uint64_t count;    /* records before the next morsel */
    uint64_t consumed; /* stored bytes that the report knows of */
    uint64_t morsels;
    uint64_t serial; /* tells sources apart whose memory is the same */
    bool ended;
    bool skipping; /* up to the end of a record that is too long */
    kq_csv_skip skipped;
    uint64_t skipped_at; /* where it begins */
} kq_csv_source;

typedef struct kq_csv_reader {
    kq_reader base;
    uint64_t serial; /* of the source that the plans are for */
    kq_arena plans, scratch;
    struct kq_csv_plan *sets; /* csv_record.c */
    kq_field *fields;
    struct kq_csv_cell *cells; /* of the record */
    uint32_t used;             /* columns up to the last one that a set uses */
    uint32_t naming;           /* the column that names a record's table, with a request's `named`; UINT32_MAX: none */
    kq_buf block, records;
    uint64_t at, first;
    bool clean; /* the block is well-formed UTF-8 */
} kq_csv_reader;

static inline kq_sv kq_csv_without_bom(kq_sv s) {
    return s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0 ? kq_sv_slice(s, 3, s.n) : s;
}

void kq_csv_damage(const kq_csv_source *s, uint64_t offset, const char *reason);
/* The record at `offset` is longer than is read. */
void kq_csv_too_long(const kq_csv_source *s, uint64_t offset);
/* Empties a buffer; a large one is freed. */
void kq_csv_give_back(kq_buf *buf);
/* Copies text with U+FFFD for what is no UTF-8; `to` has room for three times the text. Gives the length. */
size_t kq_csv_well_formed(kq_sv text, char *to);

/* csv_header.c: kq_source_type.detect. */
int kq_csv_detect(kq_sv head, const char *path);
/* Reads the header from the beginning of the file: delimiter and columns. Errors: DAMAGED when there is none, or it is
 * no header that can be read; NOMEM, LIMIT. */
kq_status kq_csv_header(kq_csv_source *s, kq_sv head, kq_error *err);

/* csv_head.c: what the first records tell. kq_source_type.types and .dates. */
kq_status kq_csv_types(kq_source *source, kq_buf *out, kq_error *err);
kq_status kq_csv_dates(kq_source *source, kq_dates *out, kq_error *err);

/* csv_record.c: kq_source_type.read. */
kq_status kq_csv_read(kq_source *source, kq_reader *reader, const kq_morsel *morsel, const kq_row_sink *sink,
                      kq_error *err);

#endif
