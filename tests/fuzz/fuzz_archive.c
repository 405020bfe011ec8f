/* Archives, from their bytes to the rows of what is in them: reading ends, gives no more than its bound, and gives the
 * same again from members taken backwards. The first byte's low bits choose how small the reads are; with bit 7
 * everything is done once more with the allocation failing whose number the last byte says (bit 6: and all after it):
 * it gives the same, or says that memory is short. */
#include "base/utf8.h"
#include "rows.h"
#include "source/stream.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FREE_BYTES   (64u << 10)
#define MEMBERS_MOST 64 /* whose bytes are looked at */

typedef struct seen {
    uint32_t number[MEMBERS_MOST];
    uint64_t hash[MEMBERS_MOST]; /* of its bytes, 0 when it is damaged */
    uint32_t n;
    uint64_t rows, bytes;
    bool memory; /* it was short */
    kq_status ended;
} seen;

static uint64_t add(uint64_t hash, const char *p, size_t n) {
    for (size_t i = 0; i < n; i++) hash = (hash ^ (unsigned char)p[i]) * UINT64_C(1099511628211);
    return hash;
}

static void check_name(const char *name) {
    const char *end = name + strlen(name);
    if (!*name || end - name > 1100) abort();
    for (const char *p = name; p < end;) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p, end, &cp);
        if (cp < 0x20 || cp == 0x7F || (cp == KQ_UTF8_BAD && n == 1)) abort();
        p += n;
    }
}

/* A member's bytes as they are read by a stream. */
static uint64_t bytes_of(kq_archive *a, uint32_t number, size_t step, kq_budget *budget, seen *s) {
    static char to[4096];
    kq_stream *stream;
    kq_error err = {0};
    size_t got = 0;
    uint64_t hash = UINT64_C(14695981039346656037);
    kq_status status = kq_stream_open_member(a, number, "x", 0, budget, &stream, &err);
    if (!status) {
        do {
            status = kq_stream_read(stream, to, step, &got, &err);
            hash = add(hash, to, got);
            s->bytes += got;
        } while (!status && got);
        kq_stream_close(stream);
    }
    if (status && !err.message[0]) abort();
    s->memory |= status == KQ_ERR_NOMEM;
    return status ? 0 : hash;
}

static kq_status count_row(void *ctx, KQ_UNUSED uint32_t set, KQ_UNUSED const kq_field *fields, KQ_UNUSED bool *done,
                           KQ_UNUSED kq_error *err) {
    ++*(uint64_t *)ctx;
    return KQ_OK;
}

/* A member's rows, as a scan reads it. */
static void rows_of_member(kq_archive *a, const kq_member_info *info, kq_report *report, kq_budget *budget, seen *s) {
    static const kq_want wants[] = {{.name = {"a", 1}}, {.name = {"$offset", 7}}, {.name = {"$raw", 4}}};
    static const kq_want_set set = {.wants = wants, .nwants = 3};
    static const kq_request request = {.sets = &set, .nsets = 1};
    kq_input input = {.path = info->name, .archive = a, .member = info->number, .size = info->size};
    kq_source *source = NULL;
    kq_reader *reader = NULL;
    kq_error err = {0};
    kq_row_sink sink = {.row = count_row, .ctx = &s->rows};
    kq_status status = kq_source_open(&input, report, budget, &source, &err);
    if (!status && source) status = input.type->reader_create(&request, budget, &reader, &err);
    for (bool more = reader != NULL; !status && more;) {
        kq_morsel morsel;
        status = input.type->claim(source, reader, &morsel, &more, &err);
        if (!status && more) status = input.type->read(source, reader, &morsel, &sink, &err);
    }
    if (reader) input.type->reader_destroy(reader);
    if (source) input.type->close(source);
    if (status && !err.message[0]) abort();
    s->memory |= status == KQ_ERR_NOMEM;
}

static void look(const char *path, size_t step, seen *s) {
    static kq_report report;
    kq_budget budget;
    kq_archive *a = NULL;
    kq_error err = {0};
    kq_member_info info;
    bool more;
    *s = (seen){0};
    kq_budget_init(&budget, 256u << 20);
    kq_report_init(&report);
    s->ended = kq_archive_open(path, &budget, &a, &err);
    if (a) kq_archive_limit(a, FREE_BYTES, KQ_ARCHIVE_MEMBERS);
    for (uint32_t from = 0; !s->ended && !(s->ended = kq_archive_next(a, from, &info, &more, &err)) && more;) {
        check_name(info.name);
        if (info.number < from) abort();
        from = info.number + 1;
        if (s->n < MEMBERS_MOST) {
            s->number[s->n] = info.number;
            s->hash[s->n++] = bytes_of(a, info.number, step, &budget, s);
        }
        rows_of_member(a, &info, &report, &budget, s);
    }
    if (s->ended && !err.message[0]) abort();
    s->memory |= s->ended == KQ_ERR_NOMEM;
    bool whole = !s->ended;
    for (uint32_t i = 0; i < s->n; i++) whole &= s->hash[i] != 0;
    /* Backwards: equal, or damage was told; where one is, the next may begin elsewhere. */
    for (uint32_t i = s->n; i-- > 0 && !s->memory;) {
        seen again = {0};
        uint64_t hash = bytes_of(a, s->number[i], 4096, &budget, &again);
        if (whole && hash && hash != s->hash[i]) abort();
        s->memory |= again.memory;
    }
    kq_archive_close(a);
    kq_report_deinit(&report);
    if (budget.used) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static seen whole, now;
    char path[64];
    if (size < 2) return 0;
    int fd = rows_file((kq_sv){(const char *)data + 1, size - 1}, path);
    size_t step = data[0] & 1 ? 4096 : 1 + (data[0] & 0x3E);
    look(path, step, &whole);
    if (whole.memory) abort();
    if (data[0] & 0x80) {
        kq_alloc_fail_at(data[size - 1], data[0] & 0x40);
        look(path, step, &now);
        kq_alloc_fail_at(-1, false);
        bool same = now.n == whole.n && now.rows == whole.rows && now.bytes == whole.bytes && now.ended == whole.ended;
        if (!now.memory && !same) {
            fprintf(stderr, "an allocation failed, and nobody said so\n");
            abort();
        }
    }
    rows_file_close(fd);
    return 0;
}
