#include "base/cp1252.h"
#include "source/evtx/utf16.h"
#include "source/xml_internal.h"

#define TAIL_BYTES (16 * 1024) /* read with a block: most last events end in it */
#define MORE_BYTES (64 * 1024)

static void too_long(const kq_xml_source *s, uint64_t offset) {
    kq_report_damage(s->base.report, s->base.input->number, s->base.input->path, offset,
                     "an event is longer than %d MiB: skipped", KQ_RECORD_MAX_BYTES >> 20);
}

/* Bytes of the file that n bytes of decoded text stand for. */
static uint64_t stored(kq_xml_encoding encoding, const char *p, size_t n) {
    if (encoding == KQ_XML_UTF8) return n;
    uint64_t units = 0;
    for (size_t i = 0; i < n; i++) units += ((unsigned char)p[i] & 0xC0) != 0x80;
    if (encoding == KQ_XML_1252) return units;
    for (size_t i = 0; i < n; i++) units += (unsigned char)p[i] >= 0xF0;
    return 2 * units;
}

uint64_t kq_xml_offset(kq_xml_reader *r, const char *p) {
    if (!r->mark || p < r->mark) {
        r->mark = r->block.p;
        r->mark_at = r->block_at;
    }
    r->mark_at += stored(r->encoding, r->mark, (size_t)(p - r->mark));
    r->mark = p;
    return r->mark_at;
}

/* Appends text that is not UTF-8 as UTF-8. What does not make a whole character yet is left: *used bytes were taken. */
static kq_status decode(kq_xml_encoding encoding, char *p, size_t n, bool ended, size_t *used, kq_buf *out,
                        kq_error *err) {
    if (encoding == KQ_XML_1252) {
        char *to = kq_buf_reserve(out, 3 * n + KQ_SCAN_SLACK);
        if (!to) return kq_buf_status(out, err);
        out->n += kq_cp1252_utf8((const unsigned char *)p, n, to);
        *used = n;
        return KQ_OK;
    }
    size_t units = n / 2;
    *used = units * 2;
    if (encoding == KQ_XML_UTF16BE)
        for (size_t i = 0; i < units; i++) {
            char c = p[2 * i];
            p[2 * i] = p[2 * i + 1];
            p[2 * i + 1] = c;
        }
    if (!ended && units && ((unsigned char)p[2 * units - 1] & 0xFC) == 0xD8) { /* half a pair */
        units--;
        *used -= 2;
        if (encoding == KQ_XML_UTF16BE) {
            char c = p[2 * units];
            p[2 * units] = p[2 * units + 1];
            p[2 * units + 1] = c;
        }
    }
    char *to = kq_buf_reserve(out, KQ_UTF16_ROOM(units) + KQ_SCAN_SLACK);
    if (!to) return kq_buf_status(out, err);
    out->n += kq_utf16_utf8((const uint8_t *)p, units, to);
    return KQ_OK;
}

/* The encoding that the declaration at the beginning names: encoding="x", or "". */
static kq_sv declared(kq_sv head) {
    const char *p = head.p, *end = head.p + head.n;
    if (!kq_sv_starts(head, KQ_SV("<?xml ")) || !(end = memchr(p, '>', head.n))) return KQ_SV("");
    p = kq_xml_find(p, end, KQ_SV("encoding"));
    if (!p) return KQ_SV("");
    p = kq_xml_skip(p + 8, end);
    if (p == end || *p != '=') return KQ_SV("");
    p = kq_xml_skip(p + 1, end);
    if (p == end || (*p != '"' && *p != '\'')) return KQ_SV("");
    const char *name = ++p;
    while (p < end && ((kq_ascii_lower(*p) >= 'a' && kq_ascii_lower(*p) <= 'z') || (*p >= '0' && *p <= '9') ||
                       memchr("-_.:", *p, 4)))
        p++;
    return p < end && *p == name[-1] && p - name <= 32 ? (kq_sv){name, (size_t)(p - name)} : KQ_SV("");
}

/* How bytes are stored whose declaration names this. Who declares UTF-16 in bytes that are not has stored the text
 * anew. */
static kq_xml_encoding encoding_of(kq_sv name, kq_sv *unread) {
    static const char *const read[] = {"utf-8",  "utf8",     "us-ascii", "ascii",
                                       "utf-16", "utf-16le", "utf-16be", "unicode"},
                             *const single[] = {"iso-8859-1", "latin1", "windows-1252", "cp1252"};
    if (!name.n) return KQ_XML_UTF8;
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        if (kq_sv_eq_ascii_ci(name, kq_sv_of(read[i]))) return KQ_XML_UTF8;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (kq_sv_eq_ascii_ci(name, kq_sv_of(single[i]))) return KQ_XML_1252;
    *unread = name;
    return KQ_XML_UTF8;
}

kq_xml_encoding kq_xml_decode_head(kq_sv head, kq_sv *text, kq_sv *unread, kq_buf *room) {
    const unsigned char *u = (const unsigned char *)head.p;
    *text = head;
    *unread = KQ_SV("");
    if (head.n >= 3 && memcmp(u, "\xEF\xBB\xBF", 3) == 0) *text = kq_sv_slice(head, 3, head.n);
    if (head.n < 4) return KQ_XML_UTF8;
    kq_xml_encoding encoding = KQ_XML_UTF8;
    if ((u[0] == 0xFF && u[1] == 0xFE) || (u[0] == '<' && !u[1])) encoding = KQ_XML_UTF16LE;
    if ((u[0] == 0xFE && u[1] == 0xFF) || (!u[0] && u[1] == '<')) encoding = KQ_XML_UTF16BE;
    if (encoding == KQ_XML_UTF8 && text->n == head.n) encoding = encoding_of(declared(head), unread);
    if (encoding == KQ_XML_UTF8) return encoding;
    size_t skip = encoding == KQ_XML_1252 || u[0] == '<' || u[1] == '<' ? 0 : 2, used;
    kq_buf swapped;
    kq_buf_init(&swapped, NULL, 0);
    kq_buf_append(&swapped, head.p + skip, encoding == KQ_XML_1252 ? head.n : (head.n - skip) & ~(size_t)1);
    if (!swapped.failed) (void)decode(encoding, swapped.p, swapped.n, true, &used, room, NULL);
    kq_buf_deinit(&swapped);
    *text = kq_buf_view(room);
    return encoding;
}

/* Reads `n` bytes at `offset` and appends them, decoded, to the block. *at moves behind what was taken. */
static kq_status append_at(kq_xml_source *s, kq_xml_reader *r, uint64_t *at, size_t n, bool *ended, kq_error *err) {
    size_t got, used;
    if (s->encoding == KQ_XML_UTF8) {
        char *p = kq_buf_reserve(&r->block, n + KQ_SCAN_SLACK);
        if (!p) return kq_buf_status(&r->block, err);
        KQ_TRY(kq_stream_at(s->stream, *at, p, n, &got, err));
        r->block.n += got;
        *at += got;
        *ended = got < n;
        return KQ_OK;
    }
    kq_buf_clear(&r->raw);
    char *p = kq_buf_reserve(&r->raw, n);
    if (!p) return kq_buf_status(&r->raw, err);
    KQ_TRY(kq_stream_at(s->stream, *at, p, n, &got, err));
    *ended = got < n;
    KQ_TRY(decode(s->encoding, p, got, *ended, &used, &r->block, err));
    *at += used;
    return KQ_OK;
}

/* Drops the last event of the block when it is longer than is read. */
static void check_last(const kq_xml_source *s, kq_xml_reader *r) {
    const char *p = r->block.p;
    kq_xml_seen seen;
    if (r->to - r->from <= KQ_RECORD_MAX_BYTES) return;
    const char *last = kq_xml_last_start(&s->names, p + r->from + 1, p + r->to, p + r->block.n, true, &seen);
    size_t at = last ? (size_t)(last - p) : r->from;
    if (r->to - at <= KQ_RECORD_MAX_BYTES) return;
    too_long(s, kq_xml_offset(r, p + at));
    r->to = at;
}

/* The block itself first: what is decoded of it tells where the events that start in it end. *own: its bytes; *split:
 * the last character of it lies across the border. */
static kq_status load_own(kq_xml_source *s, kq_xml_reader *r, uint64_t *at, uint64_t end, size_t *own, bool *split,
                          bool *ended, kq_error *err) {
    if (!kq_buf_reserve(&r->block, (size_t)(end - *at) + TAIL_BYTES + 2 * KQ_SCAN_SLACK))
        return kq_buf_status(&r->block, err);
    if (s->encoding == KQ_XML_UTF8) {
        *own = (size_t)(end - *at);
        KQ_TRY(append_at(s, r, at, *own + TAIL_BYTES, ended, err));
        if (*own > r->block.n) *own = r->block.n; /* the file has become shorter */
        return KQ_OK;
    }
    KQ_TRY(append_at(s, r, at, (size_t)(end - *at), ended, err));
    *own = r->block.n;
    *split = *at < end;
    return append_at(s, r, at, TAIL_BYTES, ended, err);
}

/* Takes over the state from the reader of the block before, and hands it on. *before is as it was at the beginning;
 * gives the first place that is outside. Also of a block that could not be read: the next one's reader waits for it. */
static const char *cross(kq_xml_source *s, const kq_xml_reader *r, uint64_t number, size_t own, bool split,
                         kq_xml_border *border) {
    pthread_mutex_lock(&s->lock);
    while (s->ncrossed < number) pthread_cond_wait(&s->crossed, &s->lock);
    const char *p = r->block.p, *outside = p ? kq_xml_cross(p, own, p + r->block.n, &s->border) : NULL;
    *border = s->border;
    if (split && s->border.section)
        s->border.run++; /* here it has four bytes, in the next block what is left has three */
    s->ncrossed = number + 1;
    pthread_cond_broadcast(&s->crossed);
    pthread_mutex_unlock(&s->lock);
    return outside;
}

kq_status kq_xml_load(kq_xml_source *s, kq_xml_reader *r, uint64_t number, kq_error *err) {
    uint64_t at = number * s->block, end = at + s->block;
    bool ended = false, split = false;
    size_t own = 0;
    if (end > s->size) end = s->size;
    r->block_at = at;
    r->mark = NULL;
    r->from = r->to = 0;
    kq_buf_clear(&r->block);
    kq_status status = load_own(s, r, &at, end, &own, &split, &ended, err);
    kq_xml_border border;
    const char *found = cross(s, r, number, own, split, &border), *p = r->block.p;
    if (status) return status;
    kq_xml_seen seen;
    if (number > 0) {
        /* the tail is longer than what it takes to see a start */
        if (found) found = kq_xml_next_start(&s->names, found, p + own, p + r->block.n, ended, NULL);
        if (!found) return KQ_OK;
        r->from = (size_t)(found - p);
    }
    /* The first start behind the block, and as much behind it as it takes to see one. */
    for (size_t look = SIZE_MAX;;) {
        p = r->block.p;
        const char *limit = p + r->block.n;
        const char *from = look == SIZE_MAX ? kq_xml_leave(&border, p + own, limit, ended) : p + look;
        found = from ? kq_xml_next_start(&s->names, from, limit, limit, ended, &seen) : NULL;
        if (found && (ended || (size_t)(limit - found) >= KQ_XML_LOOK)) break;
        if (ended) {
            found = limit;
            break;
        }
        if (from) look = (size_t)((found ? found : seen.resume) - p);
        if (r->block.n - own > KQ_RECORD_MAX_BYTES + KQ_XML_LOOK) {
            found = found ? found : limit;
            break;
        }
        KQ_TRY(append_at(s, r, &at, r->block.n / 2 < MORE_BYTES ? MORE_BYTES : r->block.n / 2, &ended, err));
    }
    r->to = (size_t)(found - p);
    check_last(s, r);
    return KQ_OK;
}

/* Reads more of the stream behind what the block holds; damage ends the file. */
static kq_status read_more(kq_xml_source *s, kq_xml_reader *r, kq_error *err) {
    kq_buf *b = &r->block, *to = s->encoding == KQ_XML_UTF8 ? b : &r->raw;
    size_t ask = b->n > 4 * s->block ? b->n / 2 : (size_t)s->block, got = 0, used;
    if (to != b) {
        kq_buf_clear(to);
        kq_buf_append(to, s->rest, s->nrest);
    }
    char *p = kq_buf_reserve(to, ask + KQ_SCAN_SLACK);
    if (!p) return kq_buf_status(to, err);
    kq_error why = {0};
    kq_status status = kq_stream_read(s->stream, p, ask, &got, &why);
    uint64_t consumed = kq_stream_consumed(s->stream);
    __atomic_add_fetch(&s->base.report->bytes, consumed - s->consumed, __ATOMIC_RELAXED);
    s->consumed = consumed;
    if (status == KQ_ERR_DAMAGED || status == KQ_ERR_IO) {
        kq_xml_damage(s, s->carry_at + stored(r->encoding, b->p, b->n), why.message);
        got = 0;
    } else if (status) {
        if (err) *err = why;
        return status;
    }
    if (!got) s->ended = true;
    to->n += got;
    if (to == b) return KQ_OK;
    KQ_TRY(decode(s->encoding, to->p, to->n, s->ended, &used, b, err));
    s->nrest = (unsigned)(to->n - used);
    if (s->ended) s->nrest = 0;
    memcpy(s->rest, to->p + used, s->nrest);
    return KQ_OK;
}

/* Drops the first n bytes of the block. */
static void drop(kq_xml_source *s, kq_xml_reader *r, size_t n) {
    r->block_at += stored(r->encoding, r->block.p, n);
    s->carry_at = r->block_at;
    r->block.n -= n;
    memmove(r->block.p, r->block.p + n, r->block.n);
}

static uint64_t count_starts(const kq_xml_source *s, const kq_xml_reader *r) {
    const char *p = r->block.p + r->from, *to = r->block.p + r->to, *end = r->block.p + r->block.n;
    uint64_t n = 0;
    while ((p = kq_xml_next_start(&s->names, p, to, end, true, NULL))) {
        n++;
        p++;
    }
    return n;
}

/* Where to cut what was read: at a start behind `look`, where reading goes on outside, which moves on when there is
 * none. At the last one, or at the first one when `first`. */
static const char *find_cut(const kq_xml_source *s, const kq_buf *b, const char *stop, bool first, size_t *look) {
    const char *p = b->p, *end = p + b->n, *from = p + *look, *cut;
    kq_xml_seen seen;
    if (from == p && kq_xml_is_start(&s->names, p, end, s->ended) == KQ_XML_YES) from++; /* the block's own */
    if (from >= stop) return NULL;
    cut = first ? kq_xml_next_start(&s->names, from, stop, end, s->ended, &seen)
                : kq_xml_last_start(&s->names, from, stop, end, s->ended, &seen);
    if (!cut) *look = (size_t)(seen.resume - p);
    return cut;
}

kq_status kq_xml_next(kq_xml_source *s, kq_xml_reader *r, bool *more, kq_error *err) {
    kq_buf *b = &r->block;
    kq_buf_clear(b);
    r->block_at = s->carry_at;
    r->mark = NULL;
    r->loaded = true;
    r->from = r->to = 0;
    *more = false;
    if (s->ended && !s->carry.n) return KQ_OK;
    if (!kq_buf_reserve(b, s->carry.n + (size_t)s->block + KQ_SCAN_SLACK)) return kq_buf_status(b, err);
    kq_buf_append(b, s->carry.p, s->carry.n);
    kq_buf_clear(&s->carry);
    const char *cut = NULL;
    size_t look = 0;
    for (bool first = true;; first = false) {
        if (!s->ended) KQ_TRY(read_more(s, r, err));
        const char *p = b->p, *end = p + b->n;
        kq_xml_seen seen;
        if (s->ended) {
            if (s->skipping) {
                const char *start = b->n ? kq_xml_next_start(&s->names, p, end, end, true, NULL) : NULL;
                s->skipping = false;
                drop(s, r, start ? (size_t)(start - p) : b->n);
                look = 0;
                continue;
            }
            /* an event that is too long stands alone */
            cut = b->n > KQ_RECORD_MAX_BYTES ? find_cut(s, b, end, true, &look) : NULL;
            if (!cut) cut = end;
            break;
        }
        if (b->n <= KQ_XML_LOOK) continue;
        if (s->skipping) {
            const char *start = kq_xml_next_start(&s->names, p, end, end, false, &seen);
            if (start) s->skipping = false;
            drop(s, r, (size_t)((start ? start : seen.resume) - p));
            look = 0;
            first = true;
            continue;
        }
        /* only where it can be seen for sure, however much was read */
        cut = find_cut(s, b, end - KQ_XML_LOOK, !first || b->n > KQ_RECORD_MAX_BYTES, &look);
        if (cut) break;
        if (b->n > KQ_RECORD_MAX_BYTES + 2 * KQ_XML_LOOK) {
            too_long(s, r->block_at);
            s->count++;
            s->skipping = true;
            drop(s, r, look);
        }
    }
    r->to = (size_t)(cut - b->p);
    kq_buf_append(&s->carry, cut, b->n - r->to);
    KQ_TRY(kq_buf_status(&s->carry, err));
    s->carry_at = r->block_at + stored(r->encoding, b->p, r->to);
    r->first = s->count;
    size_t before = r->to;
    check_last(s, r);
    if (r->to < before) s->count++;
    s->count += count_starts(s, r);
    *more = before > 0;
    return KQ_OK;
}
