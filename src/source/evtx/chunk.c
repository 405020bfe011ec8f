/*
 * A chunk: its header and checksums, and the walk over its records.
 *
 *   "ElfChnk\0"  u64 first and last record number, u64 first and last record id, u32 header size, u32 offset of the
 *   last record, u32 offset of the free space (48), u32 checksum of the records (52), ..., u32 checksum of the header
 *   (124), u32 strings[64] (128), u32 templates[32] (384), records from 512 to the free space
 *   a record: u32 "**\0\0", u32 size, u64 id, u64 time written, BinXML, u32 size
 *
 * The strings and templates of the header are caches for the writer and are not used: everything is found by its own
 * offset. What lies behind the free space are old records that were overwritten or cleared; Windows does not show
 * them, and neither do we, unless the user asks for those that are whole (--slack): the size at their end confirms
 * them, each name and template is still its own, and they are no copy of a record that was read. Where the header can't
 * be trusted to say where the free space begins, the records do: a live one has the id after that of the one before.
 */
#include "source/evtx/crc32.h"
#include "source/evtx/evtx.h"
#include <stdio.h>

#define HEADER_BYTES  512u
#define RECORD_MIN    28u
#define RECORD_MAGIC  0x00002A2Au
#define CHUNK_MAGIC   "ElfChnk"
#define FIRST_NUMBER  8
#define FIRST_ID      24
#define FREE_OFFSET   48
#define RECORDS_CRC   52
#define HEADER_CRC    124
#define STRINGS_START 128

typedef struct walk {
    kq_evtx_reader *reader;
    const kq_row_sink *sink;
    uint64_t first;   /* number of the chunk's first record in the file */
    uint32_t records; /* read so far */
    uint32_t seen;    /* and with those that could not be read */
    bool exact;       /* the header says where the records end: there is no room for anything else */
    bool counted;     /* it does not: the ids of the records tell how far they go */
    bool begun;       /* one was met: the next has the id `due` */
    uint64_t due;
    bool done;
} walk;

static void damaged(const walk *w, uint32_t off, const char *what, const char *why) {
    const kq_evtx_reader *r = w->reader;
    const kq_source *s = r->source;
    kq_report_damage(s->report, s->input->number, s->input->path, r->chunk + off, "%s%s%s", what, why ? ": " : "",
                     why ? why : "");
}

static bool all_zero(const uint8_t *p, uint32_t n) {
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Does a record that is whole stand at `off`? */
static bool record_at(const kq_bx *bx, uint32_t off, uint32_t end, uint32_t *size) {
    if (end - off < RECORD_MIN || kq_bx_u32(bx->p + off) != RECORD_MAGIC) return false;
    *size = kq_bx_u32(bx->p + off + 4);
    return *size >= RECORD_MIN && *size <= end - off;
}

/* The next record at or after `off` that its own closing size confirms, or `end`. */
static uint32_t next_record(const kq_bx *bx, uint32_t off, uint32_t end) {
    while (off < end) {
        const uint8_t *star = memchr(bx->p + off, 0x2A, end - off);
        if (!star) return end;
        off = (uint32_t)(star - bx->p);
        uint32_t size;
        if (record_at(bx, off, end, &size) && kq_bx_u32(bx->p + off + size - 4) == size) return off;
        off++;
    }
    return end;
}

/* Keeps where a record is that was read, so that old copies of it are known. */
static void met(kq_evtx_reader *r, uint32_t off) {
    if (r->source->input->slack && r->nmet < KQ_EVTX_RECORDS) r->met[r->nmet++] = (uint16_t)off;
}

static uint64_t id_at(const kq_bx *bx, uint32_t off) {
    return kq_bx_u64(bx->p + off + 8);
}

/* Does the record at `off`, of `size`, go on with the live ones? Those in the `gap` bytes before it may be lost. *due
 * is the id of the next one then. */
static bool goes_on(const walk *w, uint32_t off, uint32_t size, uint32_t end, uint32_t gap, uint64_t *due) {
    const kq_bx *bx = &w->reader->bx;
    if (!w->counted) return true;
    uint64_t id = id_at(bx, off);
    uint32_t after = off + size, behind;
    *due = id + 1;
    if (!w->begun || (id >= w->due && id - w->due <= gap / RECORD_MIN)) return true;
    /* A damaged id of the first record, where the header has the right one, */
    if (w->seen == 1 && gap == 0 && id - 1 == kq_bx_u64(bx->p + FIRST_ID)) return true;
    /* or of this one: then the record behind it has the id after the one that is due. */
    *due = w->due + 1;
    return record_at(bx, after, end, &behind) && id_at(bx, after) == *due;
}

/* *live is where the live records end: `end`, unless their ids say so earlier. */
static kq_status walk_records(walk *w, uint32_t off, uint32_t end, uint32_t *live, kq_error *err) {
    kq_evtx_reader *r = w->reader;
    kq_bx *bx = &r->bx;
    uint32_t gap = 0;
    uint64_t due = 0;
    *live = end;
    while (off < end && !w->done) {
        uint32_t size, behind;
        if (!record_at(bx, off, end, &size)) {
            uint32_t next = next_record(bx, off, end);
            gap += next - off;
            if (record_at(bx, next, end, &behind) && !goes_on(w, next, behind, end, gap, &due)) {
                *live = off;
                return KQ_OK;
            }
            if (next < end || w->exact || !all_zero(bx->p + off, end - off)) {
                char what[64];
                snprintf(what, sizeof what, "%u bytes are no record and were skipped", (unsigned)(next - off));
                damaged(w, off, what, NULL);
            }
            off = next;
            continue;
        }
        if (!goes_on(w, off, size, end, gap, &due)) {
            *live = off;
            return KQ_OK;
        }
        w->begun = true;
        w->due = due;
        gap = 0;
        const char *lost;
        bool closed = kq_bx_u32(bx->p + off + size - 4) == size;
        r->number = w->first + w->seen++;
        KQ_TRY(kq_evtx_record_read(r, off, size, w->sink, &lost, &w->done, err));
        if (bx->fuel == 0) {
            damaged(w, off, "the rest of the chunk was skipped", bx->why);
            return KQ_OK;
        }
        if (lost && !closed) { /* its size may be wrong too */
            damaged(w, off, "a record was skipped", lost);
            uint32_t next = next_record(bx, off + 4, end);
            gap = next - off;
            off = next;
            continue;
        }
        if (lost)
            damaged(w, off, "a record was skipped", lost);
        else if (r->flaw || !closed)
            damaged(w, off, "a part of a record is damaged", r->flaw ? r->flaw : "its end was overwritten");
        if (!lost) {
            w->records++;
            met(r, off);
        }
        off += size;
    }
    return KQ_OK;
}

/* Are the bytes of the record at `off`, of `size`, those of one that was read? *copy says. False without fuel. */
static bool is_copy(kq_evtx_reader *r, uint32_t off, uint32_t size, bool *copy) {
    const uint8_t *p = r->bx.p;
    *copy = false;
    if (!kq_bx_burn(&r->bx, r->nmet / 8 + 1)) return false;
    for (uint32_t i = 0; i < r->nmet && !*copy; i++) {
        const uint8_t *other = p + r->met[i];
        if (kq_bx_u64(other + 8) != kq_bx_u64(p + off + 8) || kq_bx_u32(other + 4) != size) continue;
        if (!kq_bx_burn(&r->bx, size / 8)) return false;
        *copy = memcmp(other, p + off, size) == 0;
    }
    return true;
}

/* Old records in a row that are not whole, for one reason. */
typedef struct run {
    uint32_t off, records;
    const char *why;
} run;

static void end_run(const walk *w, run *run) {
    const kq_evtx_reader *r = w->reader;
    const kq_input *input = r->source->input;
    if (run->records)
        kq_report_stale(r->source->report, input->number, input->path, r->chunk + run->off, run->records, run->why);
    run->records = 0;
}

/* The old records in [off, end). */
static kq_status walk_slack(walk *w, uint32_t off, uint32_t end, kq_error *err) {
    kq_evtx_reader *r = w->reader;
    kq_bx *bx = &r->bx;
    bx->fuel = KQ_BX_FUEL;
    bx->strict = r->stale = true;
    run skipped = {0};
    while (!w->done && (off = next_record(bx, off, end)) < end) {
        uint32_t size = kq_bx_u32(bx->p + off + 4);
        uint64_t number = kq_bx_u64(bx->p + off + 8);
        const char *lost = NULL;
        bool copy, go = is_copy(r, off, size, &copy);
        r->number = number > 0 && number <= INT64_MAX ? number - 1 : 0;
        if (go && !copy) KQ_TRY(kq_evtx_record_read(r, off, size, w->sink, &lost, &w->done, err));
        if (bx->fuel == 0) {
            end_run(w, &skipped);
            damaged(w, off, "the rest of the chunk's old records was skipped", bx->why);
            return KQ_OK;
        }
        if (skipped.records && (!lost || strcmp(lost, skipped.why) != 0)) end_run(w, &skipped);
        if (copy) {
            r->counts.copies++;
        } else if (lost) {
            if (!skipped.records++) skipped.off = off;
            skipped.why = lost;
            r->counts.incomplete++;
        } else {
            if (r->flaw) damaged(w, off, "a part of an old record is damaged", r->flaw);
            r->counts.recovered++;
            met(r, off);
        }
        off += size;
    }
    end_run(w, &skipped);
    return KQ_OK;
}

static bool header_sound(const uint8_t *p) {
    uint32_t crc = kq_crc32(kq_crc32(0, p, 120), p + STRINGS_START, HEADER_BYTES - STRINGS_START);
    return crc == kq_bx_u32(p + HEADER_CRC);
}

kq_status kq_evtx_chunk_read(kq_evtx_reader *reader, kq_source *source, const uint8_t *p, uint32_t n, uint64_t offset,
                             bool checked, const kq_row_sink *sink, kq_error *err) {
    reader->source = source;
    reader->chunk = offset;
    reader->counts = (kq_report_counts){0};
    reader->nmet = 0;
    reader->stale = reader->enough = false;
    kq_bx_begin(&reader->bx, p, n);
    kq_buf_clear(&reader->text);
    kq_buf_clear(&reader->scratch);
    for (int i = 0; i < 2; i++) kq_buf_clear(&reader->xml[i]), kq_buf_clear(&reader->data[i]);
    if (!kq_evtx_plans_begin(&reader->plans)) return kq_arena_status(&reader->bx.arena, err);
    walk w = {.reader = reader, .sink = sink};
    uint32_t start = HEADER_BYTES, end = n;
    bool signature = n >= sizeof CHUNK_MAGIC && memcmp(p, CHUNK_MAGIC, sizeof CHUNK_MAGIC) == 0;
    if (!signature && all_zero(p, n)) return KQ_OK; /* laid out in advance, not used yet */
    if (signature && n >= HEADER_BYTES) {
        uint32_t free_space = kq_bx_u32(p + FREE_OFFSET);
        uint64_t number = kq_bx_u64(p + FIRST_NUMBER);
        bool plausible = free_space >= HEADER_BYTES && free_space <= KQ_EVTX_CHUNK;
        bool confirmed =
            plausible && free_space <= n &&
            (!checked || kq_crc32(0, p + HEADER_BYTES, free_space - HEADER_BYTES) == kq_bx_u32(p + RECORDS_CRC));
        if (number > 0 && number <= INT64_MAX) w.first = number - 1;
        if (checked && !header_sound(p)) {
            damaged(&w, 0, "the chunk's header has a wrong checksum; its records were read all the same", NULL);
            plausible = confirmed;
        } else if (!plausible) {
            damaged(&w, FREE_OFFSET, "the chunk's header is wrong; its records were read all the same", NULL);
        } else if (free_space > n) {
            damaged(&w, n, reader->cut ? "another chunk or log begins inside a chunk" : "the file ends inside a chunk",
                    NULL);
        } else if (!confirmed) {
            damaged(&w, HEADER_BYTES, "the chunk's records have a wrong checksum; they were read all the same", NULL);
        }
        w.exact = plausible && free_space <= n;
        w.counted = !plausible;
        if (w.exact) end = free_space;
    } else if (n < HEADER_BYTES) {
        char what[64];
        snprintf(what, sizeof what, "%u bytes are no chunk and were skipped", (unsigned)n);
        damaged(&w, 0, reader->cut ? what : "the file ends inside a chunk's header", NULL);
        return KQ_OK;
    } else {
        w.counted = true;
        start = next_record(&reader->bx, 0, n);
        damaged(&w, 0, start < n ? "no chunk header here; the records found were read" : "no chunk here", NULL);
    }
    kq_status status = walk_records(&w, start, end, &end, err);
    reader->counts.live = w.records;
    if (status == KQ_OK && source->input->slack && end < n) status = walk_slack(&w, end, n, err);
    reader->enough = w.done;
    __atomic_fetch_add(&source->report->records, w.records + reader->counts.recovered, __ATOMIC_RELAXED);
    return status;
}
