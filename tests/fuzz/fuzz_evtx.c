/* One EVTX chunk, as its bytes stand: read for everything that a request can ask. The first byte chooses the request
 * and whether checksums count; the bytes are read as chunks of a reader that stays warm. With bit 7 of the first byte
 * each chunk is read again by a new reader with the allocation failing whose number the last byte says (bit 6: and all
 * after it), and once more by that reader without: it gives all rows, or says that memory is short. */
#include "base/utf8.h"
#include "column/dynamic.h"
#include "column/json_string.h"
#include "source/evtx/evtx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct taking {
    const kq_request *request;
    size_t rows, bytes;
} taking;

/* An encoded value is what its own JSON says, where the memory that fails does not fail this. */
static void check_encoding(kq_dyn d) {
    kq_buf json, again;
    kq_buf_init(&json, NULL, 0);
    kq_buf_init(&again, NULL, 0);
    kq_dyn_json(d, &json);
    bool parsed = kq_dyn_parse_json(kq_buf_view(&json), &again);
    if (!json.failed && !again.failed && (!parsed || !kq_sv_eq(kq_buf_view(&again), d))) __builtin_trap();
    kq_buf_deinit(&json);
    kq_buf_deinit(&again);
}

/* What a source writes itself is what is printed of the value that it would have given. */
static void check_written(const kq_field *value, kq_sv text) {
    kq_buf dyn, want;
    bool ok = true;
    kq_buf_init(&dyn, NULL, 0);
    kq_buf_init(&want, NULL, 0);
    if (value->kind == KQ_FIELD_STRING) {
        kq_json_string(value->u.text, &want);
    } else if (value->kind == KQ_FIELD_DYNAMIC) {
        kq_dyn_json(value->u.text, &want);
    } else {
        ok = value->kind == KQ_FIELD_JSON && kq_dyn_parse_json(value->u.text, &dyn);
        if (ok) kq_dyn_json(kq_buf_view(&dyn), &want);
    }
    if (!dyn.failed && !want.failed && (!ok || !kq_sv_eq(kq_buf_view(&want), text))) __builtin_trap();
    kq_buf_deinit(&dyn);
    kq_buf_deinit(&want);
}

/* Reads every byte of a row, and checks what is promised of it: UTF-8, and text that lies somewhere. */
static kq_status take(void *ctx, uint32_t set, const kq_field *fields, bool *done, kq_error *err) {
    (void)done, (void)err;
    taking *t = ctx;
    const kq_request *request = t->request;
    t->rows++;
    for (uint32_t i = 0; i < request->sets[set].nwants; i++) {
        /* a value that memory was short for is missing */
        if (fields[i].kind == KQ_FIELD_WRITTEN && fields[i - 1].kind != KQ_FIELD_MISSING) {
            check_written(&fields[i - 1], fields[i].u.text);
            t->bytes += fields[i].u.text.n;
        }
        if (fields[i].kind == KQ_FIELD_DYNAMIC) {
            check_encoding(fields[i].u.text);
            t->bytes += fields[i].u.text.n;
        }
        if (fields[i].kind != KQ_FIELD_STRING && fields[i].kind != KQ_FIELD_JSON) continue;
        t->bytes += fields[i].u.text.n;
        const char *p = fields[i].u.text.p, *end = p + fields[i].u.text.n;
        while (p < end) {
            uint32_t cp;
            unsigned n = kq_utf8_decode(p, end, &cp);
            if (cp == KQ_UTF8_BAD && n == 1) __builtin_trap();
            p += n;
        }
    }
    return KQ_OK;
}

#define W(s)                                                                                                           \
    {                                                                                                                  \
        .name = { s, sizeof s - 1 }                                                                                    \
    }
static const kq_want everything[] = {
    W("System.Provider"),
    W("System.ProviderGuid"),
    W("System.EventID"),
    W("System.TimeCreated"),
    W("System.EventRecordID"),
    W("System.UserID"),
    W("System.ActivityID"),
    W("System.Channel"),
    W("System.Execution.ProcessID"),
    W("EventData.Image"),
    W("EventData.param1"),
    W("EventData.Data"),
    W("EventData.LogonId"),
    W("UserData.A.B"),
    W("$EventDataXml"),
    {.name = {"$EventDataXml", 13}, .written = true}, /* behind the value itself: take() compares */
    W("$EventDataJson"),
    {.name = {"$EventDataJson", 14}, .json = true, .written = true},
    W("$offset"),
    W("$index"),
    W("$recovered"),
    W("EventData.Hashes"),
    W("EventData.Binary"),
    W("RenderingInfo.Message"),
};
static const kq_want some[] = {{.name = {"EventData.Image", 15}, .json = true}, W("EventData.CommandLine")};
static const kq_sv provider[] = {{"Microsoft-Windows-Sysmon", 24}, {"P", 1}}, ids[] = {{"1", 1}, {"4688", 4}};
static const kq_selector selectors[] = {{{"System.Provider", 15}, provider, 2, false},
                                        {{"System.EventID", 14}, ids, 2, false}};
static const kq_want_set sets[] = {{NULL, 0, everything, sizeof everything / sizeof *everything},
                                   {selectors, 2, some, 2}};
static const kq_request requests[] = {{.sets = sets, .nsets = 2}, {.sets = sets + 1, .nsets = 1}};

static kq_status read_chunk(kq_reader *reader, kq_source *source, const uint8_t *p, size_t n, bool checked, taking *t) {
    kq_error err = {0};
    kq_row_sink sink = {.row = take, .ctx = t};
    t->rows = t->bytes = 0;
    return kq_evtx_chunk_read((kq_evtx_reader *)reader, source, p, (uint32_t)n, 4096, checked, &sink, &err);
}

static void fail_chunk(kq_source *source, const uint8_t *p, size_t n, bool checked, const taking *whole, long at,
                       bool sticky) {
    kq_reader *reader = NULL;
    kq_error err;
    taking t = {.request = whole->request};
    kq_budget budget;
    kq_budget_init(&budget, 0);
    kq_alloc_fail_at(at, sticky);
    kq_status status = kq_source_evtx.reader_create(t.request, &budget, &reader, &err);
    if (!status) status = read_chunk(reader, source, p, n, checked, &t);
    kq_alloc_fail_at(-1, false);
    if (status ? status != KQ_ERR_NOMEM : t.rows != whole->rows || t.bytes != whole->bytes) __builtin_trap();
    /* what failed leaves nothing behind */
    if (reader && (read_chunk(reader, source, p, n, checked, &t) || t.rows != whole->rows || t.bytes != whole->bytes))
        __builtin_trap();
    if (reader) kq_source_evtx.reader_destroy(reader);
    if (budget.used) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static kq_reader *readers[2];
    static kq_report report;
    static kq_input input = {.path = "fuzz"};
    kq_error err;
    if (size < 1) return 0;
    if (!readers[0]) {
        kq_report_init(&report);
        for (int i = 0; i < 2; i++)
            if (kq_source_evtx.reader_create(&requests[i], NULL, &readers[i], &err) != KQ_OK) return 0;
    }
    unsigned which = data[0] & 1;
    bool checked = data[0] & 2;
    input.slack = data[0] & 4;
    kq_source source = {.type = &kq_source_evtx, .input = &input, .report = &report};
    taking t = {.request = &requests[which]};
    for (size_t at = 1; at < size; at += KQ_EVTX_CHUNK) {
        size_t n = size - at < KQ_EVTX_CHUNK ? size - at : KQ_EVTX_CHUNK;
        uint8_t *exact = kq_malloc(n); /* so that the sanitizers see a read past the end */
        if (!exact) return 0;
        memcpy(exact, data + at, n);
        if (read_chunk(readers[which], &source, exact, n, checked, &t)) __builtin_trap();
        if (data[0] & 0x80) fail_chunk(&source, exact, n, checked, &t, data[size - 1], data[0] & 0x40);
        kq_free(exact);
    }
    return 0;
}
