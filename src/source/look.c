#include "source/look.h"
#include "source/scan_bytes.h"

#define HEAD_BYTES UINT64_C(65536) /* that were looked at already */
#define PART_BYTES UINT64_C(65536)
#define OVER_BYTES (8 * 1024) /* into the next part: most lines across the border are seen whole */
#define PARTS_MAX  64

static kq_status give(char *p, size_t n, kq_look_fn fn, void *ctx, bool *enough, kq_error *err) {
    const char *newline = n ? memchr(p, '\n', n) : NULL;
    size_t skip = newline ? (size_t)(newline + 1 - p) : 0;
    memset(p + n, 0, KQ_SCAN_SLACK);
    return n > skip ? fn(ctx, p + skip, n - skip, enough, err) : KQ_OK;
}

/* The end first: exports are sorted by time, and its dates are the furthest from those of the head. */
static kq_status look_at(kq_stream *s, char *part, kq_look_fn fn, void *ctx, kq_error *err) {
    uint64_t size = kq_stream_size(s), rest = size > HEAD_BYTES ? size - HEAD_BYTES : 0;
    uint64_t n = (rest + PART_BYTES - 1) / PART_BYTES, step;
    bool enough = false;
    if (n > PARTS_MAX) n = PARTS_MAX;
    step = n > 1 && rest > PART_BYTES ? (rest - PART_BYTES) / (n - 1) : 0;
    for (uint64_t i = 0; i < n && !enough; i++) {
        uint64_t end = size - i * step, begin = end > HEAD_BYTES + PART_BYTES ? end - PART_BYTES : HEAD_BYTES;
        size_t got;
        if (kq_stream_at(s, begin - 1, part, PART_BYTES + OVER_BYTES, &got, NULL)) return KQ_OK;
        KQ_TRY(give(part, got, fn, ctx, &enough, err));
    }
    return KQ_OK;
}

static kq_status look_through(kq_stream *s, char *part, kq_look_fn fn, void *ctx, kq_error *err) {
    size_t kept = 0, got = 1;
    bool enough = false;
    for (unsigned i = 0; i <= PARTS_MAX && got && !enough; i++) {
        if (kq_stream_read(s, part + kept, PART_BYTES, &got, NULL)) return KQ_OK;
        if (i) KQ_TRY(give(part, kept + got, fn, ctx, &enough, err));
        size_t n = kept + got;
        kept = n < OVER_BYTES ? n : OVER_BYTES;
        memmove(part, part + n - kept, kept);
    }
    return KQ_OK;
}

kq_status kq_look(const kq_stream *stream, const kq_input *input, kq_budget *budget, kq_look_fn fn, void *ctx,
                  kq_error *err) {
    kq_stream *s = NULL;
    kq_buf part;
    if (!kq_stream_size(stream)) return KQ_OK;
    kq_buf_init(&part, budget, 0);
    char *p = kq_buf_reserve(&part, PART_BYTES + OVER_BYTES + KQ_SCAN_SLACK);
    kq_status status = kq_buf_status(&part, err), opened = KQ_OK;
    if (p && input->archive)
        opened = kq_stream_open_member(input->archive, input->member, input->path, input->size, budget, &s, err);
    else if (p)
        opened = kq_stream_open(input->path, budget, &s, err);
    if (p && !opened) opened = kq_stream_as_utf8(s, err);
    if (opened == KQ_ERR_NOMEM || opened == KQ_ERR_LIMIT) status = opened;
    if (p && !opened) status = (kq_stream_seekable(s) ? look_at : look_through)(s, p, fn, ctx, err);
    kq_stream_close(s);
    kq_buf_deinit(&part);
    return status;
}
