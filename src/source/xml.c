/*
 * Exported event XML: what wevtutil, Get-WinEvent, the Event Viewer, Splunk, evtx_dump and evtxexport write. Fields are
 * those of the EVTX source (event_request.h); texts have no types here, so that all but what every event has (System)
 * are strings.
 */
#include "native/json.h"
#include "source/xml_internal.h"
#include <stdio.h>

uint64_t kq_xml_block_bytes = KQ_BLOCK_BYTES;

#define KEEP_BYTES (4 * 1024 * 1024) /* of the buffers of one long event; larger ones are given back */

void kq_xml_damage(const kq_xml_source *s, uint64_t offset, const char *reason) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset, "%s", reason);
}

/* Lines of a console or of a program stand before the first event, which begins a line. */
static bool behind_lines(kq_sv text) {
    kq_xml_names names;
    const char *end = text.p + text.n;
    if (!text.n || *text.p == '{' || *text.p == '[' || !kq_xml_learn(&names, text)) return false;
    const char *start = kq_xml_next_start(&names, text.p, end, end, true, NULL);
    return start && start > text.p && start[-1] == '\n' && start - text.p <= 4096 &&
           kq_xml_find(start, end, KQ_SV("schemas.microsoft.com/win/2004/08/events/event"));
}

static int detect(kq_sv head, KQ_UNUSED const char *path) {
    kq_buf room;
    kq_buf_init(&room, NULL, 0);
    kq_sv text, unread;
    (void)kq_xml_decode_head(head, &text, &unread, &room);
    const char *end = text.p + text.n, *p = text.n ? kq_xml_skip(text.p, end) : end;
    const char *label = kq_scan_label(p, end);
    if (label) p = kq_xml_skip(label, end);
    int sure = 0;
    if (p < end && *p == '<') {
        kq_xml_names names;
        bool event = kq_xml_learn(&names, text);
        bool space = kq_xml_find(p, end, KQ_SV("schemas.microsoft.com/win/2004/08/events/event")) != NULL;
        bool named = kq_sv_starts((kq_sv){p, (size_t)(end - p)}, KQ_SV("<Event")) ||
                     kq_sv_starts((kq_sv){p, (size_t)(end - p)}, KQ_SV("<?xml"));
        if (event)
            sure = space ? 95 : 90;
        else if (space)
            sure = named ? 90 : 50;
        else if (kq_sv_starts((kq_sv){p, (size_t)(end - p)}, KQ_SV("<Events")))
            sure = 60; /* an export of no event */
    } else if (behind_lines((kq_sv){p, (size_t)(end - p)})) {
        sure = 60;
    }
    kq_buf_deinit(&room);
    return sure;
}

static void close_source(kq_source *source) {
    if (!source) return;
    kq_xml_source *s = (kq_xml_source *)source;
    pthread_cond_destroy(&s->crossed);
    pthread_mutex_destroy(&s->lock);
    kq_stream_close(s->stream);
    kq_buf_deinit(&s->carry);
    kq_free(s);
}

static kq_status open_source(const kq_input *input, kq_stream *stream, kq_report *report, kq_budget *budget,
                             kq_source **out, kq_error *err) {
    *out = NULL;
    kq_xml_source *s = kq_calloc(1, sizeof *s);
    if (!s) {
        kq_stream_close(stream);
        return kq_nomem(err);
    }
    s->base = (kq_source){.type = &kq_source_xml, .input = input, .report = report};
    s->stream = stream;
    s->budget = budget;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->crossed, NULL);
    kq_buf_init(&s->carry, budget, 0);
    kq_sv head, text, unread;
    kq_buf room;
    kq_buf_init(&room, budget, 0);
    kq_status status = kq_stream_head(stream, &head, err);
    if (!status) {
        s->encoding = kq_xml_decode_head(head, &text, &unread, &room);
        if (unread.n)
            snprintf(s->not_utf8, sizeof s->not_utf8, "text in %.*s, which is not read: what is no UTF-8 is U+FFFD",
                     (int)unread.n, unread.p);
        else
            snprintf(s->not_utf8, sizeof s->not_utf8, "invalid UTF-8, replaced by U+FFFD");
        status = kq_buf_status(&room, err);
        kq_xml_learn(&s->names, text);
    }
    kq_buf_deinit(&room);
    if (status) {
        close_source(&s->base);
        return status;
    }
    s->block = kq_xml_block_bytes;
    if (s->encoding >= KQ_XML_UTF16LE) s->block += s->block % 2; /* whole units */
    s->size = kq_stream_size(stream);
    s->in_order = !kq_stream_seekable(stream);
    *out = &s->base;
    return KQ_OK;
}

static void reader_destroy(kq_reader *reader) {
    if (!reader) return;
    kq_xml_reader *r = (kq_xml_reader *)reader;
    kq_buf *bufs[] = {&r->raw, &r->block, &r->pieces, &r->unnamed, &r->text, &r->scratch};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) kq_buf_deinit(bufs[i]);
    if (r->has_bx) kq_bx_deinit(&r->bx, r->base.budget);
    kq_arena_deinit(&r->arena);
    kq_arena_deinit(&r->plan);
    kq_event_request_deinit(&r->request);
    kq_budget_release(r->base.budget, sizeof *r);
    kq_free(r);
}

static kq_status reader_create(const kq_request *request, kq_budget *budget, kq_reader **out, kq_error *err) {
    *out = NULL;
    if (!kq_budget_charge(budget, sizeof(kq_xml_reader))) return kq_budget_status(budget, err);
    kq_xml_reader *r = kq_calloc(1, sizeof *r);
    kq_status status = r ? kq_event_request_init(&r->request, request, budget, err) : kq_nomem(err);
    if (status) {
        kq_budget_release(budget, sizeof *r);
        kq_free(r);
        return status;
    }
    r->base = (kq_reader){&kq_source_xml, request, budget};
    kq_buf *bufs[] = {&r->raw, &r->block, &r->pieces, &r->unnamed, &r->text, &r->scratch};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) kq_buf_init(bufs[i], budget, 0);
    kq_arena_init(&r->arena, budget, 0);
    kq_arena_init(&r->plan, budget, 16 * 1024);
    for (uint32_t i = 0; i < r->request.nslots; i++) {
        uint8_t what = r->request.slots[i].what;
        if (what == KQ_EVENT_INDEX) r->numbered = true;
        if (what == KQ_EVENT_XML || what == KQ_EVENT_JSON) r->has_bx = true;
    }
    status = kq_xml_plan(r, err);
    if (r->has_bx) {
        kq_status made = kq_bx_init(&r->bx, budget, status ? NULL : err);
        if (!status) status = made;
    }
    if (status) {
        reader_destroy(&r->base);
        return status;
    }
    *out = &r->base;
    return KQ_OK;
}

static kq_status claim(kq_source *source, kq_reader *reader, kq_morsel *morsel, bool *more, kq_error *err) {
    kq_xml_source *s = (kq_xml_source *)source;
    kq_xml_reader *r = (kq_xml_reader *)reader;
    r->loaded = false;
    r->encoding = s->encoding;
    if (r->numbered) s->in_order = true;
    if (s->in_order) {
        KQ_TRY(kq_xml_next(s, r, more, err));
        *morsel = (kq_morsel){r->block_at, s->carry_at - r->block_at, s->next};
    } else {
        uint64_t begin = s->next * s->block;
        *more = begin < s->size;
        *morsel = (kq_morsel){begin, s->size - begin < s->block ? s->size - begin : s->block, s->next};
    }
    s->next += *more;
    return KQ_OK;
}

/* What stands between events, in [p, to): at its first byte that does not belong there, it is damage. */
static void gap(kq_xml_reader *r, const char *p, const char *to) {
    const char *bad = kq_xml_gap(&r->source->names, p, to);
    if (bad) kq_xml_damage(r->source, kq_xml_offset(r, bad), "text that is no event: skipped");
}

/* An event that no set wants was read up to p; `to` is where its extent ends. It is whole when its end tag is there. */
static bool skipped_whole(kq_xml_reader *r, const char *p, const char *to) {
    char name[72];
    const kq_xml_names *names = &r->source->names;
    size_t n = names->event.n + 1;
    name[0] = '<';
    name[1] = '/';
    memcpy(name + 2, names->event.p + 1, n - 2);
    const char *q = to;
    while (q > p && kq_xml_blank(q[-1])) q--;
    if (q - p > (ptrdiff_t)n && q[-1] == '>' && memcmp(q - 1 - n, name, n) == 0) return true;
    while (q > p && (q = memrchr(p, '<', (size_t)(q - p)))) {
        if ((size_t)(to - q) <= n || memcmp(q, name, n) != 0) continue;
        const char *close = kq_xml_skip(q + n, to);
        if (close == to || *close != '>') continue;
        gap(r, close + 1, to);
        return true;
    }
    return false;
}

/* Reads the event at p. Gives the start of the next one, or NULL. */
static kq_status one_event(kq_xml_reader *r, const char *p, const kq_row_sink *sink, const char **next, uint64_t *whole,
                           bool *done, kq_error *err) {
    const kq_xml_names *names = &r->source->names;
    const char *to = r->block.p + r->to, *limit = r->block.p + r->block.n, *end, *why;
    bool skipped;
    KQ_TRY(kq_xml_event(r, p, sink, &end, &skipped, &why, done, err));
    const char *behind = kq_xml_skip(end, to);
    kq_xml_seen seen = {0};
    *next = behind;
    if (behind < to && kq_xml_is_start(names, behind, limit, true) != KQ_XML_YES)
        *next = kq_xml_next_start(names, why ? p + 1 : end, to, limit, true, &seen);
    if (behind == to) *next = NULL;
    const char *stop = *next ? *next : to;
    if (skipped && seen.sections) { /* only reading tells what is text there */
        KQ_TRY(kq_xml_event(r, p, NULL, &end, &skipped, &why, done, err));
    } else if (skipped) {
        if (skipped_whole(r, end, stop))
            ++*whole;
        else
            kq_xml_damage(r->source, kq_xml_offset(r, p), "the event is cut off");
        return KQ_OK;
    }
    uint64_t at = why || r->flaw ? kq_xml_offset(r, p) : 0;
    if (why) kq_xml_damage(r->source, at, why);
    if (r->flaw) kq_xml_damage(r->source, at, r->flaw);
    if (why) return KQ_OK;
    ++*whole;
    gap(r, end, stop);
    return KQ_OK;
}

static kq_status events(kq_xml_reader *r, const kq_row_sink *sink, uint64_t *whole, kq_error *err) {
    const char *p = r->block.p + r->from, *to = r->block.p + r->to;
    bool done = false;
    r->number = r->first;
    if (r->from == r->to) return KQ_OK;
    const char *start = kq_xml_next_start(&r->source->names, p, to, r->block.p + r->block.n, true, NULL);
    if (start != p) gap(r, p, start ? start : to);
    for (p = start; p && !done; r->number++) KQ_TRY(one_event(r, p, sink, &p, whole, &done, err));
    return KQ_OK;
}

static void give_back(kq_xml_reader *r) {
    kq_buf *bufs[] = {&r->raw, &r->block, &r->pieces, &r->unnamed, &r->text, &r->scratch};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        if (bufs[i]->cap <= KEEP_BYTES) continue;
        kq_buf_deinit(bufs[i]);
        kq_buf_init(bufs[i], r->base.budget, 0);
    }
}

static kq_status read_morsel(kq_source *source, kq_reader *reader, const kq_morsel *morsel, const kq_row_sink *sink,
                             kq_error *err) {
    kq_xml_source *s = (kq_xml_source *)source;
    kq_xml_reader *r = (kq_xml_reader *)reader;
    kq_arena_reset(&r->arena);
    r->source = s;
    if (!r->loaded) {
        r->first = 0;
        KQ_TRY(kq_xml_load(s, r, morsel->index, err));
        __atomic_add_fetch(&s->base.report->bytes, morsel->length, __ATOMIC_RELAXED);
    }
    char *slack = kq_buf_reserve(&r->block, KQ_SCAN_SLACK);
    if (!slack) return kq_buf_status(&r->block, err);
    memset(slack, 0, KQ_SCAN_SLACK);
    r->mark = NULL;
    r->clean = kq_text_is_utf8(r->block.p + r->from, r->to - r->from);
    uint64_t whole = 0;
    kq_status status = events(r, sink, &whole, err);
    __atomic_add_fetch(&s->base.report->records, whole, __ATOMIC_RELAXED);
    r->loaded = false;
    give_back(r);
    return status;
}

/* Events say themselves what they are: there is nothing to recognise. */
static kq_status sample(kq_source *source, kq_buf *names, kq_buf *category, kq_error *err) {
    (void)source, (void)names, (void)category, (void)err;
    return KQ_OK;
}

const kq_source_type kq_source_xml = {
    .name = "xml",
    .doc = "Windows events exported as XML: wevtutil, Get-WinEvent, Event Viewer, Splunk, evtx_dump, evtxexport",
    .events = true,
    .detect = detect,
    .open = open_source,
    .close = close_source,
    .reader_create = reader_create,
    .reader_destroy = reader_destroy,
    .claim = claim,
    .read = read_morsel,
    .sample = sample,
};
