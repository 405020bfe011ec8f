/*
 * The EVTX source: a file of 64 KiB chunks behind a 4 KiB header. A morsel is a few chunks, fewer toward the end of the
 * file, so that workers seldom meet at the locks and end together; of a stream, one.
 */
#include "source/evtx/evtx.h"
#include "source/stream.h"

#define FILE_MAGIC  "ElfFile"
#define CHUNK_MAGIC "ElfChnk"
#define FLAGS       120
#define CHUNKS      42 /* how many there are; less than that in a log that was not closed */
#define NO_CRC32    4u
#define MORSEL_MOST 4u  /* chunks */
#define MORSEL_PART 32u /* of the chunks left */
#define LINE_BYTES  64
#define ROOM_BYTES  (KQ_EVTX_CHUNK + LINE_BYTES)
#define MET_BYTES   (KQ_EVTX_RECORDS * sizeof(uint16_t))

typedef struct evtx_source {
    kq_source base;
    kq_stream *stream;
    bool seekable;
    bool checked; /* checksums are kept */
    bool ended;
    uint64_t size, next, consumed; /* next: number of the next chunk */
    uint64_t expected;             /* chunks that the header counts */
    bool counted;
    kq_report_counts counts; /* added to with __atomic by readers */
} evtx_source;

static bool is_at(kq_sv head, size_t off, const char *magic) {
    return head.n >= off + 8 && memcmp(head.p + off, magic, 8) == 0;
}

static int evtx_detect(kq_sv head, const char *path) {
    static const char *const endings[] = {".evtx", ".evtx.gz", ".evtx.zst"};
    if (is_at(head, 0, FILE_MAGIC)) return KQ_SURE;
    if (is_at(head, KQ_EVTX_HEADER, CHUNK_MAGIC)) return 90;
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
    kq_free(s);
}

static kq_status check_head(const kq_input *input, kq_sv head, kq_report *report, kq_error *err) {
    bool file = is_at(head, 0, FILE_MAGIC), chunk = is_at(head, KQ_EVTX_HEADER, CHUNK_MAGIC);
    if (head.n == 0) return kq_fail(err, KQ_ERR_DAMAGED, "the file is empty");
    if (!file && !chunk) {
        bool lfs = kq_sv_starts(head, KQ_SV("version https://git-lfs"));
        return kq_fail(err, KQ_ERR_DAMAGED,
                       lfs ? "the file is a Git LFS pointer, not an event log" : "the file is not an EVTX event log");
    }
    if (head.n < KQ_EVTX_HEADER) return kq_fail(err, KQ_ERR_DAMAGED, "the file ends inside its header");
    if (!file)
        kq_report_damage(report, input->number, input->path, 0,
                         "the file header is wrong; its chunks were read all the same");
    return KQ_OK;
}

static kq_status evtx_open(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget,
                           kq_source **out, kq_error *err) {
    (void)budget;
    *out = NULL;
    evtx_source *s = kq_calloc(1, sizeof *s);
    if (!s) {
        kq_stream_close(stream);
        return kq_nomem(err);
    }
    s->base = (kq_source){.type = &kq_source_evtx, .input = input, .report = report};
    s->stream = stream;
    s->seekable = kq_stream_seekable(stream);
    s->size = kq_stream_size(stream);
    kq_sv head;
    kq_status status = kq_stream_start(stream, &head, err);
    if (status == KQ_OK) status = check_head(input, head, report, err);
    if (status != KQ_OK) {
        evtx_close(&s->base);
        return status;
    }
    s->checked = !(is_at(head, 0, FILE_MAGIC) && kq_bx_u32((const uint8_t *)head.p + FLAGS) & NO_CRC32);
    if (is_at(head, 0, FILE_MAGIC)) s->expected = kq_bx_u16((const uint8_t *)head.p + CHUNKS);
    if (!s->seekable) {
        char header[KQ_EVTX_HEADER];
        size_t got;
        status = kq_stream_read(stream, header, sizeof header, &got, err);
        if (status != KQ_OK) {
            evtx_close(&s->base);
            return status;
        }
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
    kq_buf_deinit(&r->xml);
    kq_buf_deinit(&r->data);
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
    kq_buf_init(&r->xml, budget, 0);
    kq_buf_init(&r->data, budget, 0);
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

/* The next chunk of a stream, into the reader. */
static kq_status claim_stream(evtx_source *s, kq_evtx_reader *r, const kq_morsel *morsel, kq_error *err) {
    size_t got = 0, more = 1;
    kq_status status = KQ_OK;
    while (!status && more && got < KQ_EVTX_CHUNK) { /* less is the end, or damage that the next call tells */
        status = kq_stream_read(s->stream, (char *)r->bytes + got, KQ_EVTX_CHUNK - got, &more, err);
        got += more;
    }
    if (status == KQ_ERR_DAMAGED) { /* what could be unpacked is read */
        kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, morsel->offset + got, "%s",
                         err ? err->message : "the compressed data is damaged");
        status = KQ_OK;
        s->ended = true;
    }
    r->nbytes = (uint32_t)got;
    if (got < KQ_EVTX_CHUNK) s->ended = true;
    uint64_t consumed = kq_stream_consumed(s->stream);
    if (consumed > s->consumed) __atomic_fetch_add(&s->base.report->bytes, consumed - s->consumed, __ATOMIC_RELAXED);
    s->consumed = consumed;
    return status;
}

/* A file that was cut at the border of a chunk looks whole but for the count in its header. */
static void check_count(evtx_source *s, uint64_t chunks) {
    if (chunks < s->expected)
        kq_report_damage(s->base.report, s->base.input->number, s->base.input->path,
                         KQ_EVTX_HEADER + chunks * KQ_EVTX_CHUNK, "the header counts %llu chunk%s, %llu %s here",
                         (unsigned long long)s->expected, s->expected == 1 ? "" : "s", (unsigned long long)chunks,
                         chunks == 1 ? "is" : "are");
    s->expected = 0;
}

static kq_status evtx_claim(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err) {
    evtx_source *s = (evtx_source *)source;
    kq_evtx_reader *r = (kq_evtx_reader *)reader;
    uint64_t offset = KQ_EVTX_HEADER + s->next * KQ_EVTX_CHUNK;
    *morsel = (kq_morsel){.offset = offset, .index = s->next};
    *more = false;
    if (s->ended || (s->seekable && offset >= s->size)) {
        check_count(s, s->next);
        return KQ_OK;
    }
    uint64_t n = 1;
    if (s->seekable) {
        n = (s->size - offset) / KQ_EVTX_CHUNK / MORSEL_PART;
        n = n > MORSEL_MOST ? MORSEL_MOST : n < 1 ? 1 : n;
        morsel->length = s->size - offset < n * KQ_EVTX_CHUNK ? s->size - offset : n * KQ_EVTX_CHUNK;
    } else {
        KQ_TRY(claim_stream(s, r, morsel, err));
        morsel->length = r->nbytes;
    }
    *more = morsel->length > 0;
    if (*more) s->next += n;
    if (!*more) check_count(s, s->next);
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
    /* the header counts with the first chunk, so that the bytes of a file add up to its size */
    uint64_t counted = got + (offset == KQ_EVTX_HEADER ? KQ_EVTX_HEADER : 0);
    if (!status) __atomic_fetch_add(&s->base.report->bytes, counted, __ATOMIC_RELAXED);
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
        status = kq_evtx_chunk_read(r, source, r->bytes, r->nbytes, offset, s->checked, sink, err);
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
