#include "base/file.h"
#include "source/json_internal.h"
#include "source/scan_bytes.h"

#define LEAD_BYTES   64
#define TAIL_BYTES   (8 * 1024) /* read with a block: most last lines end in it */
#define MORE_BYTES   (64 * 1024)
#define RESTARTS_MAX 64

void kq_json_too_long(kq_json_source *s, uint64_t offset) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset,
                     "a record is longer than %d MiB: skipped", KQ_RECORD_MAX_BYTES >> 20);
}

/* Blocks that tests make small are followed by little, so that lines go on behind it. */
static size_t at_most(size_t bytes, uint64_t block) {
    return block < bytes ? (size_t)block : bytes;
}

kq_status kq_json_load(kq_json_source *s, kq_json_reader *r, uint64_t number, size_t *from, size_t *to, kq_error *err) {
    uint64_t begin = number * s->block, end = begin + s->block;
    if (end > s->size) end = s->size;
    kq_buf *b = &r->block;
    kq_buf_clear(b);
    *from = *to = 0;
    char *p = kq_buf_reserve(b, (size_t)(end - begin) + LEAD_BYTES + TAIL_BYTES + KQ_SCAN_SLACK);
    if (!p) return kq_buf_status(b, err);
    /* The byte before the block tells whether a line starts with the block; more are read to be read fast. */
    size_t lead = begin >= LEAD_BYTES && kq_pread_slow(p, begin - 1) ? LEAD_BYTES : begin ? 1 : 0;
    r->block_at = begin - lead;
    size_t own = (size_t)(end - r->block_at); /* a newline among these, but the last, starts a line of this block */
    size_t ask = own + at_most(TAIL_BYTES, s->block), got;
    KQ_TRY(kq_stream_at(s->stream, r->block_at, p, ask, &got, err));
    b->n = got;
    bool ended = got < ask;
    if (got < own) own = got; /* the file has become shorter */
    if (begin) {
        const char *newline = own > lead ? memchr(b->p + lead - 1, '\n', own - lead) : NULL;
        if (!newline) return KQ_OK;
        *from = (size_t)(newline + 1 - b->p);
    }
    if (!own) return KQ_OK;
    /* The last line goes on to the first newline at or behind the block's last byte. */
    size_t scanned = own - 1, last = *from;
    const char *newline;
    while (!(newline = memchr(b->p + scanned, '\n', b->n - scanned)) && !ended) {
        if (scanned == own - 1) {
            const char *before = memrchr(b->p + *from, '\n', own - 1 - *from);
            if (before) last = (size_t)(before + 1 - b->p);
        }
        scanned = b->n;
        if (b->n - last > KQ_RECORD_MAX_BYTES) {
            kq_json_too_long(s, r->block_at + last);
            *to = last;
            return KQ_OK;
        }
        size_t least = at_most(MORE_BYTES, s->block);
        ask = b->n / 2 < least ? least : b->n / 2;
        p = kq_buf_reserve(b, ask + KQ_SCAN_SLACK);
        if (!p) return kq_buf_status(b, err);
        KQ_TRY(kq_stream_at(s->stream, r->block_at + b->n, p, ask, &got, err));
        b->n += got;
        ended = got < ask;
    }
    *to = newline ? (size_t)(newline + 1 - b->p) : b->n;
    return KQ_OK;
}

/* Reads more of the stream behind what the block holds; damage ends the file. */
static kq_status read_more(kq_json_source *s, kq_buf *b, size_t *got, kq_error *err) {
    size_t ask = b->n > 4 * s->block ? b->n / 2 : (size_t)s->block;
    char *p = kq_buf_reserve(b, ask + KQ_SCAN_SLACK);
    if (!p) return kq_buf_status(b, err);
    uint64_t before = kq_stream_consumed(s->stream);
    kq_error why = {0};
    kq_status status = kq_stream_read(s->stream, p, ask, got, &why);
    __atomic_add_fetch(&s->base.report->bytes, kq_stream_consumed(s->stream) - before, __ATOMIC_RELAXED);
    if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) {
        kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, s->carry_at + b->n, "%s",
                         why.message);
        *got = 0;
        status = KQ_OK;
    } else if (status && err) {
        *err = why;
    }
    if (!status && !*got) s->ended = true;
    b->n += *got;
    return status;
}

/* Keeps the bytes from `from` on for the next block. */
static kq_status carry(kq_json_source *s, kq_json_reader *r, size_t from, kq_error *err) {
    kq_buf_clear(&s->carry);
    kq_buf_append(&s->carry, r->block.p + from, r->block.n - from);
    s->carry_at = r->block_at + from;
    r->block.n = from;
    return kq_buf_status(&s->carry, err);
}

static kq_status next_lines(kq_json_source *s, kq_json_reader *r, kq_error *err) {
    kq_buf *b = &r->block;
    while (!s->ended) {
        size_t scanned = b->n, got;
        KQ_TRY(read_more(s, b, &got, err));
        if (s->skipping) {
            const char *newline = memchr(b->p, '\n', b->n);
            size_t drop = newline ? (size_t)(newline + 1 - b->p) : b->n;
            s->skipping = !newline;
            memmove(b->p, b->p + drop, b->n - drop);
            b->n -= drop;
            s->carry_at += drop;
            r->block_at += drop;
            scanned = 0;
            if (!b->n) continue;
        }
        const char *newline = memrchr(b->p + scanned, '\n', b->n - scanned);
        if (newline) return carry(s, r, (size_t)(newline + 1 - b->p), err);
        if (b->n > KQ_RECORD_MAX_BYTES) {
            kq_json_too_long(s, r->block_at);
            s->skipping = true;
            s->count++;
            s->carry_at += b->n;
            r->block_at += b->n;
            kq_buf_clear(b);
        }
    }
    return KQ_OK;
}

/* Goes on after a broken record: at the next line behind its start that begins with a brace, but not behind what was
 * looked at, so that nothing depends on how far the block goes. */
static void restart(kq_json_source *s, const kq_json_reader *r) {
    uint64_t next = s->splitter.at;
    const char *p = r->block.p + (s->splitter.start - r->block_at), *end = r->block.p + (next - r->block_at);
    while (s->restarts < RESTARTS_MAX && (p = memchr(p, '\n', (size_t)(end - p)))) {
        const char *line = ++p;
        while (p < end && (*p == ' ' || *p == '\t')) p++;
        if (p == end) break;
        if (*p != '{') continue;
        s->restarts++;
        next = r->block_at + (uint64_t)(line - r->block.p);
        break;
    }
    kq_json_splitter_restart(&s->splitter, next);
}

static void does_not_end(kq_json_source *s) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, s->splitter.start,
                     "the record does not end");
}

static kq_status next_split(kq_json_source *s, kq_json_reader *r, kq_error *err) {
    kq_buf *b = &r->block;
    kq_json_splitter *split = &s->splitter;
    r->has_extents = true;
    for (;;) {
        size_t from = (size_t)(split->at - r->block_at), got;
        bool sound = kq_json_splitter_feed(split, b->p + from, b->n - from, &r->extents);
        KQ_TRY(kq_buf_status(&r->extents, err));
        KQ_TRY(kq_buf_status(&split->text, err));
        KQ_TRY(kq_buf_status(&split->columns, err));
        if (!sound) {
            if (!s->skipping) does_not_end(s);
            if (s->skipping)
                kq_json_splitter_restart(split, split->at);
            else
                restart(s, r);
            s->skipping = false;
            continue;
        }
        bool open = kq_json_splitter_open(split);
        if (s->skipping && (r->extents.n || !open)) {
            s->skipping = false; /* the first extent is the end of what was skipped */
            if (r->extents.n) {
                r->extents.n -= sizeof(kq_json_extent);
                memmove(r->extents.p, r->extents.p + sizeof(kq_json_extent), r->extents.n);
            }
        }
        if (split->at < r->block_at + b->n) { /* of tables: those behind these rows have other columns */
            if (!r->extents.n) continue;
            return carry(s, r, (size_t)(split->at - r->block_at), err);
        }
        if (s->ended) {
            if (!open && kq_json_splitter_inside(split))
                kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, split->at,
                                 "the file ends inside the array of its records");
            if (!open) return KQ_OK;
            if (!s->skipping) does_not_end(s);
            if (s->skipping) return KQ_OK;
            restart(s, r);
            continue;
        }
        if (r->extents.n) {
            uint64_t keep = open ? split->start : split->at;
            return carry(s, r, (size_t)(keep - r->block_at), err);
        }
        /* No record ends here. What can't be part of one is dropped. */
        if (!open || s->skipping) {
            r->block_at += b->n;
            kq_buf_clear(b);
        } else if (b->n - (size_t)(split->start - r->block_at) > KQ_RECORD_MAX_BYTES) {
            kq_json_too_long(s, split->start);
            s->skipping = true;
            s->count++;
            r->block_at += b->n;
            kq_buf_clear(b);
        } else if (split->start > r->block_at) {
            size_t drop = (size_t)(split->start - r->block_at);
            memmove(b->p, b->p + drop, b->n - drop);
            b->n -= drop;
            r->block_at += drop;
        }
        s->carry_at = r->block_at;
        KQ_TRY(read_more(s, b, &got, err));
    }
}

/* Records among the lines of the block: those that are neither blank nor a label. */
static uint64_t count_lines(const char *p, size_t n) {
    uint64_t count = 0;
    for (const char *end = p + n; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *to = newline ? newline : end;
        kq_sv line = kq_json_line(p, to);
        count += line.n && !kq_json_is_label(line);
        p = to + 1;
    }
    return count;
}

/* The columns of the block's rows: others may follow while it is read. */
static kq_status copy_columns(const kq_json_source *s, kq_json_reader *r, kq_error *err) {
    if (s->shape != KQ_JSON_TABLES || !r->extents.n) return KQ_OK;
    const kq_buf *from = &s->splitter.columns;
    uint32_t n = 0;
    kq_buf_clear(&r->names);
    kq_buf_sv(&r->names, kq_buf_view(from));
    for (size_t i = 0; i < from->n; i++) n += !from->p[i];
    kq_buf_clear(&r->columns);
    char *to = kq_buf_reserve(&r->columns, n * sizeof(kq_sv));
    KQ_TRY(kq_buf_status(&r->names, err));
    if (!to) return kq_buf_status(&r->columns, err);
    const char *p = r->names.p;
    for (uint32_t i = 0; i < n; i++) {
        kq_sv name = kq_sv_of(p);
        kq_buf_append(&r->columns, &name, sizeof name);
        p += name.n + 1;
    }
    return kq_buf_status(&r->columns, err);
}

kq_status kq_json_next(kq_json_source *s, kq_json_reader *r, bool *more, kq_error *err) {
    kq_buf *b = &r->block;
    kq_buf_clear(b);
    kq_buf_clear(&r->extents);
    r->loaded = true;
    r->has_extents = false;
    r->block_at = s->carry_at;
    *more = false;
    if (s->ended && !s->carry.n) return KQ_OK;
    if (!kq_buf_reserve(b, s->carry.n + (size_t)s->block + KQ_SCAN_SLACK)) return kq_buf_status(b, err);
    kq_buf_append(b, s->carry.p, s->carry.n);
    kq_buf_clear(&s->carry);
    if (s->carry.cap > 16 * KQ_BLOCK_BYTES) {
        kq_buf_deinit(&s->carry);
        kq_buf_init(&s->carry, s->budget, 0);
    }
    KQ_TRY(s->shape == KQ_JSON_LINES ? next_lines(s, r, err) : next_split(s, r, err));
    KQ_TRY(copy_columns(s, r, err));
    r->first = s->count;
    if (r->has_extents)
        s->count += r->extents.n / sizeof(kq_json_extent);
    else if (r->walker.keys.numbered)
        s->count += count_lines(b->p, b->n);
    *more = b->n > 0 || r->extents.n > 0; /* what is no object may lie before the block, as a broken label does */
    return KQ_OK;
}
