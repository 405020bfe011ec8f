#include "rows.h"
#include "column/dynamic.h"
#include "source/stream.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int rows_file(kq_sv bytes, char path[64]) {
    int fd = memfd_create("rows", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < bytes.n) {
        ssize_t w = pwrite(fd, bytes.p + done, bytes.n - done, (off_t)done);
        if (w <= 0) break;
        done += (size_t)w;
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

void rows_file_close(int fd) {
    close(fd);
}

typedef struct writing {
    const kq_request *request;
    kq_buf *out;
} writing;

static kq_status write_row(void *ctx, uint32_t set, const kq_field *fields, KQ_UNUSED bool *done,
                           KQ_UNUSED kq_error *err) {
    writing *w = ctx;
    kq_buf_printf(w->out, "%u", set);
    for (uint32_t i = 0; i < w->request->sets[set].nwants; i++) {
        const kq_field *f = &fields[i];
        kq_buf_char(w->out, '|');
        switch (f->kind) {
        case KQ_FIELD_MISSING: kq_buf_char(w->out, '-'); break;
        case KQ_FIELD_NULL: kq_buf_char(w->out, '~'); break;
        case KQ_FIELD_LOCAL: kq_buf_char(w->out, 'L'); /* fall through */
        case KQ_FIELD_STRING:
            kq_buf_char(w->out, '\'');
            kq_buf_sv(w->out, f->u.text);
            kq_buf_char(w->out, '\'');
            break;
        case KQ_FIELD_DYNAMIC: kq_dyn_json(f->u.text, w->out); break;
        case KQ_FIELD_JSON: kq_buf_sv(w->out, f->u.text); break;
        case KQ_FIELD_BOOL: kq_buf_str(w->out, f->u.b ? "true" : "false"); break;
        case KQ_FIELD_LONG: kq_buf_printf(w->out, "%lld", (long long)f->u.l); break;
        case KQ_FIELD_ULONG: kq_buf_printf(w->out, "%lluu", (unsigned long long)f->u.u); break;
        case KQ_FIELD_REAL: kq_buf_printf(w->out, "%g", f->u.r); break;
        default: kq_buf_char(w->out, '?');
        }
    }
    kq_buf_char(w->out, '\n');
    return KQ_OK;
}

void rows_read(const kq_source_type *type, kq_sv bytes, const kq_request *request, kq_buf *out) {
    rows_tally(type, bytes, request, NULL, out);
}

void rows_tally(const kq_source_type *type, kq_sv bytes, const kq_request *request, kq_tally *tally, kq_buf *out) {
    char path[64];
    int fd = rows_file(bytes, path);
    static kq_report report;
    kq_report_init(&report);
    kq_budget budget;
    kq_budget_init(&budget, 0);
    kq_error err = {0};
    kq_input input = {.path = path, .type = type};
    kq_stream *stream = NULL;
    kq_source *source = NULL;
    kq_reader *reader = NULL;
    writing w = {request, out};
    kq_row_sink sink = {.row = write_row, .ctx = &w};
    kq_status status = kq_stream_open(path, &budget, &stream, &err);
    if (!status) status = type->open(&input, stream, &report, &budget, &source, &err);
    if (!status) status = type->reader_create(request, &budget, &reader, &err);
    if (!status) source->tally = tally;
    while (!status) {
        kq_morsel morsel;
        bool more = false;
        status = type->claim(source, reader, &morsel, &more, &err);
        if (status || !more) break;
        status = type->read(source, reader, &morsel, &sink, &err);
    }
    if (status) kq_buf_printf(out, "error: %s\n", err.message);
    if (reader) type->reader_destroy(reader);
    if (source) type->close(source);
    if (budget.used) kq_buf_printf(out, "error: %zu bytes are still charged\n", (size_t)budget.used);
    for (uint32_t i = 0; i < report.n; i++)
        kq_buf_printf(out, "! %llu %s\n", (unsigned long long)report.items[i].offset, report.items[i].reason);
    kq_report_deinit(&report);
    rows_file_close(fd);
}

/* The rows alone: what stands before the first line of damage or of an error. */
static size_t rows_end(const kq_buf *b) {
    size_t i = 0;
    while (i < b->n && b->p[i] != '!' && b->p[i] != 'e') {
        const char *nl = memchr(b->p + i, '\n', b->n - i);
        i = nl ? (size_t)(nl - b->p) + 1 : b->n;
    }
    return i;
}

void rows_survive(const kq_source_type *type, kq_sv bytes, const kq_request *request, long n, bool sticky,
                  const kq_buf *whole) {
    kq_buf out;
    kq_buf_init(&out, NULL, 0);
    if (!kq_buf_reserve(&out, whole->n + (64u << 10))) return; /* so that what fails is the reader's */
    kq_alloc_fail_at(n, sticky);
    rows_read(type, bytes, request, &out);
    kq_alloc_fail_at(-1, false);
    kq_buf_char(&out, 0);
    size_t rows = rows_end(whole);
    bool short_of = memmem(out.p, out.n, "error: out of memory\n", 21) != NULL;
    bool right = !memmem(out.p, out.n, "still charged", 13) || memmem(whole->p, whole->n, "still charged", 13);
    right = right && (short_of || (rows_end(&out) >= rows && (!rows || memcmp(out.p, whole->p, rows) == 0)));
    if (!right) {
        fprintf(stderr, "allocation %ld fails:\n%s\n----\n%.*s\n", n, out.p, (int)whole->n, whole->p);
        abort();
    }
    kq_buf_deinit(&out);
}

kq_want_set rows_wants(const char *names, kq_want wants[ROWS_WANTS]) {
    uint32_t n = 0;
    for (const char *p = names; *p && n < ROWS_WANTS;) {
        const char *end = strchrnul(p, ' ');
        wants[n] = (kq_want){.json = *p == '!'};
        p += *p == '!';
        wants[n++].name = (kq_sv){p, (size_t)(end - p)};
        p = *end ? end + 1 : end;
    }
    return (kq_want_set){.wants = wants, .nwants = n};
}

void rows_of(const kq_source_type *type, kq_sv bytes, const char *names, kq_buf *out) {
    kq_want wants[ROWS_WANTS];
    kq_want_set set = rows_wants(names, wants);
    kq_request request = {.sets = &set, .nsets = 1};
    rows_read(type, bytes, &request, out);
}
