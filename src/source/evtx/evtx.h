/*
 * The EVTX reader's own parts: the reader with what it keeps per chunk and per record, and the steps from a chunk's
 * bytes to rows (chunk.c, record.c, render.c). Formats: binxml.h; what a request wants: request.h, plan.h.
 */
#ifndef KQ_SOURCE_EVTX_EVTX_H
#define KQ_SOURCE_EVTX_EVTX_H

#include "source/evtx/render.h"
#include "source/source.h"

#define KQ_EVTX_FRAMES  32u /* template instances of one record that are looked into */
#define KQ_EVTX_HEADER  4096u
#define KQ_EVTX_RECORDS 2340u /* that a chunk has room for */

typedef struct kq_evtx_reader {
    kq_reader base;
    kq_event_request request;
    kq_bx bx;
    kq_evtx_plans plans;
    kq_field *memo; /* fields of the record by slot, where stamps[slot] == stamp */
    uint32_t *stamps;
    kq_field *row;
    uint32_t stamp;
    kq_buf text, scratch;
    kq_buf xml[2], data[2]; /* EventData of the record at hand: its value, and written */
    kq_evtx_render render;  /* over bx and scratch */
    uint8_t *room, *bytes;  /* the chunk, at the start of a cache line, where the kernel copies fast (base/file.h) */
    uint16_t *met;          /* with --slack: offsets of the chunk's records that were read, KQ_EVTX_RECORDS of them */
    uint32_t nmet;
    kq_report_counts counts; /* of the chunk */
    uint32_t nbytes;         /* of the chunk; a stream's is read when it is claimed */
    bool checked;            /* of the claimed chunks: checksums are kept */
    bool cut;                /* the last of them ends before its 64 KiB, though the file goes on */
    bool enough;             /* the sink wants no more of the morsel */

    /* the record being read */
    kq_source *source;
    uint64_t chunk;   /* offset of the chunk in the file */
    uint64_t number;  /* number of the record in the file, from 0 */
    uint32_t off;     /* offset of the record in the chunk */
    bool stale;       /* it lies past the chunk's free space */
    const char *flaw; /* why a part of it could not be read, or NULL */
    kq_evtx_frame frames[KQ_EVTX_FRAMES];
    uint32_t nframes, nexpanded; /* of the frames, those whose places were looked into */
} kq_evtx_reader;

/* chunk.c: reads the `n` bytes at reader->bx.p as the chunk at `offset` of the file. `checked`: its checksums mean
 * something. Rows go to `sink`, damage to source's report, and what was read is counted in reader->counts. With
 * source->input->slack the complete old records past the free space are read too. Errors: NOMEM, LIMIT and the
 * sink's. */
kq_status kq_evtx_chunk_read(kq_evtx_reader *reader, kq_source *source, const uint8_t *p, uint32_t n, uint64_t offset,
                             bool checked, const kq_row_sink *sink, kq_error *err);

/* record.c: reads the record of `size` bytes at `off` of the chunk. *lost is why it could not be read at all, or NULL;
 * reader->flaw why a part of it could not. An old record (reader->stale) is lost unless all of it can be read. */
kq_status kq_evtx_record_read(kq_evtx_reader *reader, uint32_t off, uint32_t size, const kq_row_sink *sink,
                              const char **lost, bool *done, kq_error *err);
/* The field of a slot for the record being read. False without memory. */
bool kq_evtx_slot_field(kq_evtx_reader *reader, uint32_t slot, kq_field *out);

#endif
