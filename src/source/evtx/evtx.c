/*
 * The EVTX source: a file of logs, as a rule one: 64 KiB chunks behind a 4 KiB header. Where each chunk begins is found
 * in order, when it is claimed (grid.h). A morsel is a few chunks, fewer toward the end of the file, so that workers
 * seldom meet at the locks and end together; of a stream, and after a chunk that is cut short, one.
 */
#include "source/evtx/evtx.h"
#include "source/evtx/grid.h"
#include "source/stream.h"

#define FILE_MAGIC  "ElfFile"
#define CHUNK_MAGIC "ElfChnk"
#define FLAGS       120
#define CHUNKS      42 /* how many there are; less than that in a log that was not closed */
#define NO_CRC32    4u
#define MORSEL_MOST 4u  /* chunks */
#define MORSEL_PART 32u /* of the chunks left */
#define ZEROS_MOST  64u /* chunks that are looked at ahead */
#define LINE_BYTES  64
#define ROOM_BYTES  (KQ_EVTX_CHUNK + KQ_GRID_LOOK + LINE_BYTES)
#define AHEAD_BYTES (KQ_EVTX_CHUNK + KQ_GRID_LOOK)
#define MET_BYTES   (KQ_EVTX_RECORDS * sizeof(uint16_t))

typedef struct evtx_source {
    kq_source base;
    kq_stream *stream;
    kq_budget *budget;
    bool seekable;
    bool headless; /* what stands where the first header should is none */
    uint64_t size;
    uint64_t at; /* the next place: the start of a log or a chunk, if all is well */
    uint64_t morsels;
    uint64_t known; /* whether places before this offset are where they should be was found out: */
    bool known_good;
    uint64_t zeros;    /* those from this offset up to `known` hold nothing */
    uint64_t searched; /* no log or chunk begins off its place before this offset */

    /* the log at hand */
    bool checked;              /* checksums are kept */
    uint64_t expected, chunks; /* that its header counts; that were met */

    /* a file: what stands at one place; a stream: what was read ahead, from `at` on */
    uint8_t *ahead;
    uint64_t look;
    size_t nahead;
    bool ended; /* the stream */
    uint64_t consumed;

    bool counted;
    kq_report_counts counts; /* added to with __atomic by readers */
} evtx_source;

static bool is_at(kq_sv head, size_t off, const char *magic) {
    return head.n >= off + 8 && memcmp(head.p + off, magic, 8) == 0;
}

static int evtx_detect(kq_sv head, const char *path) {
    static const char *const endings[] = {".evtx", ".evtx.gz", ".evtx.zst"};
    if (is_at(head, 0, FILE_MAGIC)) return KQ_SURE;
    if (is_at(head, KQ_EVTX_HEADER, CHUNK_MAGIC) || is_at(head, 0, CHUNK_MAGIC)) return 90;
    kq_sv name = kq_sv_of(path);
    for (size_t i = 0; path && i < sizeof endings / sizeof *endings; i++) {
        kq_sv ending = kq_sv_of(endings[i]);
        if (name.n > ending.n && kq_sv_eq_ascii_ci(kq_sv_slice(name, name.n - ending.n, name.n), ending)) return 60;
    }
    return 0;
}

static void evtx_close(kq_source *source) {
    evtx_source *s = (evtx_source *)source;
    if (!s) return;
    if (s->counted) kq_report_log(s->base.report, s->base.input->number, s->base.input->path, &s->counts);
    kq_stream_close(s->stream);
    if (s->ahead) kq_budget_release(s->budget, AHEAD_BYTES);
    kq_free(s->ahead);
    kq_free(s);
}

/* Is this an event log, or does one begin in it? What stands before the first chunk of one without a header is skipped.
 */
static kq_status check_head(evtx_source *s, kq_sv head, kq_error *err) {
    const kq_input *input = s->base.input;
    bool file = is_at(head, 0, FILE_MAGIC), chunk = is_at(head, KQ_EVTX_HEADER, CHUNK_MAGIC);
    if (head.n == 0) return kq_fail(err, KQ_ERR_DAMAGED, "the file is empty");
    if (!file && !chunk && !is_at(head, 0, CHUNK_MAGIC)) {
        const uint8_t *p = (const uint8_t *)head.p;
        bool lfs = kq_sv_starts(head, KQ_SV("version https://git-lfs"));
        if (kq_grid_find(p, head.n, 0, head.n) == head.n)
            return kq_fail(err, KQ_ERR_DAMAGED,
                           lfs ? "the file is a Git LFS pointer, not an event log"
                               : "the file is not an EVTX event log");
    }
    if (head.n < KQ_EVTX_HEADER) return kq_fail(err, KQ_ERR_DAMAGED, "the file ends inside its header");
    s->headless = !file && chunk;
    if (!file)
        kq_report_damage(s->base.report, input->number, input->path, 0,
                         chunk                         ? "the file header is wrong; its chunks were read all the same"
                         : is_at(head, 0, CHUNK_MAGIC) ? "the file has no header; its chunks were read all the same"
                                                       : "no log begins here; the one found behind was read");
    return KQ_OK;
}

static kq_status evtx_open(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget,
                           kq_source **out, kq_error *err) {
    *out = NULL;
    evtx_source *s = kq_calloc(1, sizeof *s);
    if (!s) {
        kq_stream_close(stream);
        return kq_nomem(err);
    }
    s->base = (kq_source){.type = &kq_source_evtx, .input = input, .report = report};
    s->stream = stream;
    s->budget = budget;
    s->seekable = kq_stream_seekable(stream);
    s->size = kq_stream_size(stream);
    s->look = UINT64_MAX;
    s->checked = true;
    kq_sv head;
    kq_status status = kq_stream_start(stream, &head, err);
    if (status == KQ_OK) status = check_head(s, head, err);
    if (status == KQ_OK && !kq_budget_charge(budget, AHEAD_BYTES)) status = kq_budget_status(budget, err);
    if (status == KQ_OK && !(s->ahead = kq_malloc(AHEAD_BYTES))) {
        kq_budget_release(budget, AHEAD_BYTES);
        status = kq_nomem(err);
    }
    if (status != KQ_OK) {
        evtx_close(&s->base);
        return status;
    }
    *out = &s->base;
    return KQ_OK;
}

static void evtx_reader_destroy(kq_reader *reader) {
    kq_evtx_reader *r = (kq_evtx_reader *)reader;
    if (!r) return;
    kq_budget *budget = r->base.budget;
    size_t n = r->request.nslots;
    kq_buf_deinit(&r->text);
    kq_buf_deinit(&r->scratch);
    for (int i = 0; i < 2; i++) kq_buf_deinit(&r->xml[i]), kq_buf_deinit(&r->data[i]);
    kq_bx_deinit(&r->bx, budget);
    kq_budget_release(budget, sizeof *r + ROOM_BYTES + MET_BYTES + n * (sizeof *r->memo + sizeof *r->stamps) +
                                  r->request.widest * sizeof *r->row);
    kq_free(r->memo);
    kq_free(r->stamps);
    kq_free(r->row);
    kq_free(r->room);
    kq_free(r->met);
    kq_event_request_deinit(&r->request);
    kq_free(r);
}

static kq_status evtx_reader_create(const kq_request *request, kq_budget *budget, kq_reader **out, kq_error *err) {
    *out = NULL;
    kq_evtx_reader *r = kq_calloc(1, sizeof *r);
    if (!r) return kq_nomem(err);
    r->base = (kq_reader){.type = &kq_source_evtx, .request = request, .budget = budget};
    kq_buf_init(&r->text, budget, 0);
    kq_buf_init(&r->scratch, budget, 0);
    for (int i = 0; i < 2; i++) kq_buf_init(&r->xml[i], budget, 0), kq_buf_init(&r->data[i], budget, 0);
    kq_status status = kq_event_request_init(&r->request, request, budget, err);
    if (status != KQ_OK) {
        kq_free(r);
        return status;
    }
    size_t n = r->request.nslots, row = r->request.widest;
    size_t charge =
        sizeof *r + ROOM_BYTES + MET_BYTES + n * (sizeof *r->memo + sizeof *r->stamps) + row * sizeof *r->row;
    if (!kq_budget_charge(budget, charge)) {
        kq_event_request_deinit(&r->request);
        kq_free(r);
        return kq_budget_status(budget, err);
    }
    r->memo = kq_calloc(n, sizeof *r->memo);
    r->stamps = kq_calloc(n, sizeof *r->stamps);
    r->row = kq_calloc(row, sizeof *r->row);
    r->room = kq_malloc(ROOM_BYTES);
    r->met = kq_malloc(MET_BYTES);
    status = r->memo && r->stamps && r->row && r->room && r->met ? kq_bx_init(&r->bx, budget, err) : kq_nomem(err);
    if (status != KQ_OK) {
        evtx_reader_destroy(&r->base);
        return status;
    }
    r->bytes = r->room + (LINE_BYTES - (uintptr_t)r->room % LINE_BYTES) % LINE_BYTES;
    r->plans.request = &r->request;
    r->plans.bx = &r->bx;
    r->render = (kq_evtx_render){&r->bx, &r->scratch};
    *out = &r->base;
    return KQ_OK;
}

static void damaged(const evtx_source *s, uint64_t offset, const char *why) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset, "%s", why);
}

/* Reads a stream ahead, as far as there is room. */
static kq_status fill_ahead(evtx_source *s, kq_error *err) {
    kq_status status = KQ_OK;
    while (!status && !s->ended && s->nahead < AHEAD_BYTES) {
        size_t got;
        status = kq_stream_read(s->stream, (char *)s->ahead + s->nahead, AHEAD_BYTES - s->nahead, &got, err);
        s->nahead += got;
        s->ended = status || got == 0;
    }
    if (status == KQ_ERR_DAMAGED) { /* what could be unpacked is read */
        damaged(s, s->at + s->nahead, err ? err->message : "the compressed data is damaged");
        status = KQ_OK;
    }
    uint64_t consumed = kq_stream_consumed(s->stream);
    if (consumed > s->consumed) __atomic_fetch_add(&s->base.report->bytes, consumed - s->consumed, __ATOMIC_RELAXED);
    s->consumed = consumed;
    return status;
}

/* Bytes from the next place on, as far as they are known: those of a stream beyond what was read ahead are not. */
static uint64_t rest(const evtx_source *s) {
    if (!s->seekable) return s->nahead;
    return s->at < s->size ? s->size - s->at : 0;
}

/* The first `n` bytes of the place looked at; none when it can't be read. */
static void read_place(evtx_source *s, size_t n) {
    if (kq_stream_at(s->stream, s->look, (char *)s->ahead, n, &s->nahead, NULL)) s->nahead = 0;
}

/* What stands `delta` bytes after the next place, at *p. Of a place that can't be read nothing is known: that is told
 * when its chunk is read. */
static kq_grid_place look(evtx_source *s, uint64_t delta, const uint8_t **p, size_t *n) {
    uint64_t at = s->at + delta;
    *p = s->ahead;
    *n = 0;
    if (!s->seekable) {
        *p = s->ahead + delta;
        *n = s->nahead - delta;
    } else if (at >= s->zeros && at < s->known && (at - s->zeros) % KQ_EVTX_CHUNK == 0) {
        return KQ_GRID_EMPTY;
    } else {
        if (s->look != at) {
            s->look = at;
            read_place(s, KQ_GRID_MAGIC); /* as a rule a chunk begins: its other bytes are left to who reads it */
            if (kq_grid_look(s->ahead, s->nahead) != KQ_GRID_BEGUN) read_place(s, KQ_GRID_LOOK);
        }
        *n = s->nahead;
        if (*n == 0) return KQ_GRID_OTHER;
    }
    return kq_grid_look(*p, *n);
}

/* The first place in [from, to) after the next one where something else begins, or `to`. Each byte is searched once,
 * however many are found. */
static size_t search(evtx_source *s, kq_evtx_reader *r, size_t from, size_t to) {
    if (s->searched > s->at + from) from = s->searched - s->at < to ? (size_t)(s->searched - s->at) : to;
    size_t found = to, got = 0;
    if (!s->seekable) {
        found = kq_grid_find(s->ahead, s->nahead, from, to);
    } else if (from < to) {
        kq_status status =
            kq_stream_at(s->stream, s->at + from, (char *)r->bytes, to - from + KQ_GRID_LOOK, &got, NULL);
        if (!status) found = from + kq_grid_find(r->bytes, got, 0, to - from);
    }
    s->searched = s->at + found;
    return found;
}

/* Do the chunks of a file go on in their places after the chunk at the next one? Zeros do not tell: what stands behind
 * them does. It is looked at once for all of them, and not farther than is quick. */
static bool goes_on(evtx_source *s) {
    const uint8_t *p;
    size_t n;
    uint64_t left = rest(s), delta = KQ_EVTX_CHUNK;
    if (left == KQ_EVTX_CHUNK) return true;
    if (left < KQ_EVTX_CHUNK) return false;
    if (s->at + KQ_EVTX_CHUNK < s->known) return s->known_good;
    kq_grid_place place = look(s, KQ_EVTX_CHUNK, &p, &n);
    unsigned most = s->seekable ? ZEROS_MOST : 0;
    while (place == KQ_GRID_EMPTY && most-- > 0 && delta + KQ_EVTX_CHUNK < left) {
        delta += KQ_EVTX_CHUNK;
        place = look(s, delta, &p, &n);
    }
    bool end = s->seekable && place == KQ_GRID_EMPTY && delta + KQ_EVTX_CHUNK == left;
    bool good = place == KQ_GRID_LOG || place == KQ_GRID_BEGUN || end;
    if (delta > KQ_EVTX_CHUNK || end) {
        s->zeros = s->at + KQ_EVTX_CHUNK;
        s->known = s->at + delta;
        s->known_good = good;
    }
    return good;
}

/* A file that was cut at the border of a chunk looks whole but for the count in its header. */
static void end_log(evtx_source *s) {
    if (s->chunks < s->expected)
        kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, s->at,
                         "the header counts %llu chunk%s, %llu %s here", (unsigned long long)s->expected,
                         s->expected == 1 ? "" : "s", (unsigned long long)s->chunks, s->chunks == 1 ? "is" : "are");
    s->expected = s->chunks = 0;
    s->checked = true;
}

/* Goes on to the next place. */
static void advance(evtx_source *s, size_t n) {
    s->at += n;
    if (s->seekable) return;
    s->nahead -= n;
    memmove(s->ahead, s->ahead + n, s->nahead);
}

/* Passes over a log's header, of which `n` bytes are at `p`. */
static void pass_header(evtx_source *s, const uint8_t *p, size_t n) {
    end_log(s);
    if (!s->headless) {
        if (n >= CHUNKS + 2) s->expected = kq_bx_u16(p + CHUNKS);
        if (n >= FLAGS + 4) s->checked = !(kq_bx_u32(p + FLAGS) & NO_CRC32);
    }
    s->headless = false;
    uint64_t left = rest(s);
    if (left < KQ_EVTX_HEADER) damaged(s, s->at, "the file ends inside its header");
    size_t header = left < KQ_EVTX_HEADER ? (size_t)left : KQ_EVTX_HEADER;
    advance(s, header);
    if (s->seekable) __atomic_fetch_add(&s->base.report->bytes, header, __ATOMIC_RELAXED);
}

/* The size of the chunk at the next place: 64 KiB, or up to where the next one begins before that. */
static uint32_t chunk_size(evtx_source *s, kq_evtx_reader *r) {
    const uint8_t *p;
    size_t n;
    uint64_t left = rest(s);
    uint32_t most = left < KQ_EVTX_CHUNK ? (uint32_t)left : KQ_EVTX_CHUNK;
    kq_grid_place place = look(s, 0, &p, &n);
    if (place != KQ_GRID_EMPTY) s->chunks++;
    if (goes_on(s)) return most;
    return (uint32_t)search(s, r, place == KQ_GRID_BEGUN ? 512 : 1, most);
}

static kq_status evtx_claim(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err) {
    evtx_source *s = (evtx_source *)source;
    kq_evtx_reader *r = (kq_evtx_reader *)reader;
    const uint8_t *p = NULL;
    size_t n = 0;
    *more = false;
    *morsel = (kq_morsel){.offset = s->at, .index = s->morsels};
    for (;;) {
        if (!s->seekable) KQ_TRY(fill_ahead(s, err));
        if (rest(s) == 0) {
            end_log(s);
            return KQ_OK;
        }
        if (!s->headless && look(s, 0, &p, &n) != KQ_GRID_LOG) break;
        pass_header(s, p, n);
    }
    uint64_t most = s->seekable ? rest(s) / KQ_EVTX_CHUNK / MORSEL_PART : 1;
    most = most > MORSEL_MOST ? MORSEL_MOST : most < 1 ? 1 : most;
    morsel->offset = s->at;
    r->checked = s->checked;
    uint32_t size = KQ_EVTX_CHUNK;
    for (; most > 0 && size == KQ_EVTX_CHUNK && rest(s) > 0; most--) {
        if (morsel->length && look(s, 0, &p, &n) == KQ_GRID_LOG) break;
        size = chunk_size(s, r);
        if (!s->seekable) {
            memcpy(r->bytes, s->ahead, size);
            r->nbytes = size;
        }
        morsel->length += size;
        advance(s, size);
    }
    r->cut = size < KQ_EVTX_CHUNK && rest(s) > 0;
    s->morsels++;
    *more = true;
    return KQ_OK;
}

/* The chunk at `offset` into the reader. One that can't be read is reported, and *got is 0. */
static kq_status load_chunk(evtx_source *s, kq_evtx_reader *r, uint64_t offset, uint64_t most, kq_error *err) {
    size_t got = 0;
    kq_error why = {0};
    kq_status status = kq_stream_at(s->stream, offset, (char *)r->bytes,
                                    most < KQ_EVTX_CHUNK ? (size_t)most : KQ_EVTX_CHUNK, &got, &why);
    if (status == KQ_ERR_IO)
        kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset, "%s", why.message);
    else if (status && err)
        *err = why;
    r->nbytes = status ? 0 : (uint32_t)got;
    if (!status) __atomic_fetch_add(&s->base.report->bytes, got, __ATOMIC_RELAXED);
    return status == KQ_ERR_IO ? KQ_OK : status;
}

static kq_status evtx_read(kq_source *source, kq_reader *reader, const kq_morsel *morsel, const kq_row_sink *sink,
                           kq_error *err) {
    evtx_source *s = (evtx_source *)source;
    kq_evtx_reader *r = (kq_evtx_reader *)reader;
    kq_report_counts all = {0};
    kq_status status = KQ_OK;
    bool any = false;
    for (uint64_t done = 0; !status && done < morsel->length; done += KQ_EVTX_CHUNK) {
        uint64_t offset = morsel->offset + done;
        if (s->seekable) {
            KQ_TRY(load_chunk(s, r, offset, morsel->length - done, err));
            if (!r->nbytes) continue;
        }
        status = kq_evtx_chunk_read(r, source, r->bytes, r->nbytes, offset, r->checked, sink, err);
        any = true;
        all.live += r->counts.live;
        all.recovered += r->counts.recovered;
        all.copies += r->counts.copies;
        all.incomplete += r->counts.incomplete;
        if (r->enough) break;
    }
    if (any) __atomic_store_n(&s->counted, true, __ATOMIC_RELAXED);
    __atomic_fetch_add(&s->counts.live, all.live, __ATOMIC_RELAXED);
    __atomic_fetch_add(&s->counts.recovered, all.recovered, __ATOMIC_RELAXED);
    __atomic_fetch_add(&s->counts.copies, all.copies, __ATOMIC_RELAXED);
    __atomic_fetch_add(&s->counts.incomplete, all.incomplete, __ATOMIC_RELAXED);
    return status;
}

/* Events say themselves what they are: there is nothing to recognise. */
static kq_status evtx_sample(kq_source *source, kq_buf *names, kq_buf *category, kq_error *err) {
    (void)source, (void)names, (void)category, (void)err;
    return KQ_OK;
}

const kq_source_type kq_source_evtx = {
    .name = "evtx",
    .doc = "Windows event logs (.evtx), also damaged, truncated and compressed ones",
    .events = true,
    .detect = evtx_detect,
    .open = evtx_open,
    .close = evtx_close,
    .reader_create = evtx_reader_create,
    .reader_destroy = evtx_reader_destroy,
    .claim = evtx_claim,
    .read = evtx_read,
    .sample = evtx_sample,
};
