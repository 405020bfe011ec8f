#include "evtx_read.h"
#include "source/evtx/value.h"
#include "source/stream.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void evtx_result_init(evtx_result *r) {
    memset(r, 0, sizeof *r);
    kq_buf_init(&r->rows, NULL, 0);
    r->report = kq_malloc(sizeof *r->report);
    if (r->report) kq_report_init(r->report);
}

void evtx_result_deinit(evtx_result *r) {
    kq_buf_deinit(&r->rows);
    if (r->report) kq_report_deinit(r->report);
    kq_free(r->report);
}

typedef struct taker {
    evtx_result *result;
    const kq_request *request;
} taker;

static kq_status take(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err) {
    (void)err;
    taker *t = ctx;
    kq_buf *out = &t->result->rows;
    kq_buf_printf(out, "%u:", (unsigned)set);
    for (uint32_t i = 0; i < t->request->sets[set].nwants; i++) {
        if (i > 0) kq_buf_char(out, '|');
        if (fields[i].kind == KQ_FIELD_MISSING) kq_buf_char(out, '~');
        if (fields[i].kind == KQ_FIELD_NULL) kq_buf_char(out, '0');
        kq_event_field_text(&fields[i], out);
    }
    kq_buf_char(out, '\n');
    if (++t->result->nrows == t->result->stop_after) *done = true;
    return KQ_OK;
}

void evtx_read_file(const char *path, const kq_request *request, evtx_result *r) {
    kq_budget budget;
    kq_budget_init(&budget, 0);
    const kq_source_type *type = r->type ? r->type : &kq_source_evtx;
    kq_input input = {.path = path, .type = type, .slack = r->slack};
    kq_stream *stream;
    kq_source *source = NULL;
    kq_reader *reader = NULL;
    taker t = {r, request};
    kq_row_sink sink = {.row = take, .ctx = &t};
    r->opened = kq_stream_open(path, &budget, &stream, &r->err);
    if (r->opened == KQ_OK) {
        input.size = kq_stream_size(stream);
        r->opened = type->open(&input, stream, r->report, &budget, &source, &r->err);
    }
    if (r->opened != KQ_OK) return;
    r->status = type->reader_create(request, &budget, &reader, &r->err);
    for (bool more = true; r->status == KQ_OK && more;) {
        kq_morsel morsel;
        r->status = type->claim(source, reader, &morsel, &more, &r->err);
        if (r->status != KQ_OK || !more) break;
        r->status = type->read(source, reader, &morsel, &sink, &r->err);
        if (r->stop_after && r->nrows >= r->stop_after) break;
    }
    type->reader_destroy(reader);
    type->close(source);
    kq_buf_char(&r->rows, 0);
    r->rows.n--;
    if (atomic_load(&budget.used) != 0) {
        fprintf(stderr, "%s: %zu bytes are still charged\n", path, atomic_load(&budget.used));
        abort();
    }
}

void evtx_read_bytes(kq_sv bytes, const char *suffix, const kq_request *request, evtx_result *r) {
    char path[96];
    snprintf(path, sizeof path, "/tmp/kequel-evtx-XXXXXX%s", suffix);
    int fd = mkstemps(path, (int)strlen(suffix));
    if (fd < 0 || write(fd, bytes.p, bytes.n) != (ssize_t)bytes.n) abort();
    close(fd);
    evtx_read_file(path, request, r);
    unlink(path);
}

const kq_request *evtx_request(evtx_words *w, const char *text) {
    memset(w, 0, sizeof *w);
    while (*text) {
        size_t n = strcspn(text, " "), equals = strcspn(text, "=");
        if (n > 0 && equals < n && w->set.nselectors < 8) {
            uint32_t i = w->set.nselectors++;
            w->values[i] = (kq_sv){text + equals + 1, n - equals - 1};
            w->selectors[i] = (kq_selector){.name = {text, equals}, .any_of = &w->values[i], .n = 1};
        } else if (n > 0 && w->set.nwants < 64) {
            w->wants[w->set.nwants++].name = (kq_sv){text, n};
        }
        text += n + (text[n] == ' ');
    }
    w->set.selectors = w->selectors;
    w->set.wants = w->wants;
    w->request = (kq_request){.sets = &w->set, .nsets = 1};
    return &w->request;
}

const char *evtx_damage(const evtx_result *r) {
    static char text[4000];
    size_t n = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < r->report->n && n < sizeof text - 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%llu %s\n", (unsigned long long)r->report->items[i].offset,
                              r->report->items[i].reason);
    return text;
}
