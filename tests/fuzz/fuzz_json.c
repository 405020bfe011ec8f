/* JSON files: the rows and the damage do not depend on where blocks end, nor on whether a file is read as lines by
 * their place or in order; and text is UTF-8. The same of a table's rows, of records that say which table they are of,
 * of events that a map knows and of envelopes, and of what is counted of those that are none. The first byte is the
 * size of the small blocks; with its bit 7, the text is also read with the allocation failing whose number the last
 * byte says, and all after it when the first byte is odd. */
#include "native/json.h"
#include "rows.h"
#include "schema/request.h"
#include "source/json_internal.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WHOLE_BYTES 4096

static bool accepts(const void *ctx, const kq_field *f) {
    (void)ctx;
    return f->kind != KQ_FIELD_BOOL;
}

/* Reads the text; with `whole` again with allocation `n` failing, where `whole` is what it gave before. */
static void read(kq_sv text, uint64_t block, bool numbered, kq_buf *out, long n, bool sticky, const kq_buf *whole) {
    kq_want wants[] = {{.name = KQ_SV("a"), .accept = accepts},
                       {.name = KQ_SV("b.c")},
                       {.name = KQ_SV("p"), .json = true},
                       {.name = KQ_SV("$offset")},
                       {.name = KQ_SV("$raw")},
                       {.name = KQ_SV("$index")}};
    kq_want second[] = {{.name = KQ_SV("p.q.r")}, {.name = KQ_SV("a")}};
    kq_sv texts[] = {KQ_SV("x"), KQ_SV("1")};
    kq_selector selector = {KQ_SV("s"), texts, 2, false};
    kq_want_set sets[] = {{NULL, 0, wants, 5 + numbered}, {&selector, 1, second, 2}};
    kq_request request = {.sets = sets, .nsets = 2};
    kq_json_block_bytes = block;
    if (whole)
        rows_survive(&kq_source_json, text, &request, n, sticky, whole);
    else
        rows_read(&kq_source_json, text, &request, out);
}

static const char maps[] =
    "[table DeviceEvents]\nsame Timestamp TimeGenerated\nTimestamp: datetime\nTimeGenerated: datetime\n"
    "ActionType: string\nFileName: string\nProcessId: long\nAdditionalFields: dynamic\n"
    "[shape flat]\nreader json\nis SourceName, EventID\nisnt event\ndata\nuser *\nProvider: SourceName\n"
    "EventID: EventID\nTime: @timestamp | EventTime\n"
    "[shape beat]\nreader json\nis winlog.event_id\ndata winlog.event_data.\nProvider: winlog.provider_name\n"
    "EventID: winlog.event_id\nTime: @timestamp\n"
    "[map DeviceEvents from Sysmon 1]\nwhen $Provider: Sysmon\nwhen $EventID: 1, 2\nTimestamp = $Time\n"
    "ActionType = \"Started\"\nFileName = basename(Image)\nProcessId = ProcessId\n"
    "AdditionalFields = {a: Image, b: ProcessId}\n";

static bool is_table(const void *ctx, kq_sv name) {
    (void)ctx;
    return kq_sv_eq(name, KQ_SV("DeviceEvents")) || kq_sv_eq(name, KQ_SV("SigninLogs")) ||
           kq_sv_eq(name, KQ_SV("AuditLogs"));
}

/* What a scan of DeviceEvents asks of a JSON file. */
static const kq_request *table_request(void) {
    static kq_arena arena;
    static kq_model model;
    static kq_scan_request scan;
    static const uint32_t columns[] = {0, 1, 2, 3, 4, 5};
    kq_error err;
    if (model.tables) return &scan.request;
    kq_arena_init(&arena, NULL, 0);
    kq_status status = kq_model_load(&model, (kq_sv){maps, sizeof maps - 1}, "maps", &arena, &err);
    kq_scan_spec spec = {.table = status ? NULL : &model.tables->table, .columns = columns, .ncolumns = 6};
    if (!status) status = kq_scan_request_make(&model, &spec, NULL, 0, "json", KQ_ACCESS_MAPPED, &arena, &scan, &err);
    if (status) fprintf(stderr, "%s\n", err.message);
    if (status || !scan.request.nshapes || !scan.request.inner) abort();
    return &scan.request;
}

/* A table's rows, and behind them what else was counted. */
static void read_table(kq_sv text, uint64_t block, kq_buf *out) {
    kq_tally tally;
    kq_tally_init(&tally, is_table, NULL, NULL);
    kq_json_block_bytes = block;
    rows_tally(&kq_source_json, text, table_request(), &tally, out);
    kq_buf_printf(out, "%llu known, %llu not", (unsigned long long)tally.known, (unsigned long long)tally.unknown);
    if (tally.unknown) kq_buf_printf(out, " from %llu", (unsigned long long)tally.first);
    for (const char *p = tally.tables.p; p && p < tally.tables.p + tally.tables.n; p += strlen(p) + 1)
        kq_buf_printf(out, " %s", p);
    kq_tally_deinit(&tally);
}

static size_t lines(const kq_buf *b) {
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) n += b->p[i] == '\n';
    return n;
}

static void same(const kq_buf *a, const kq_buf *b, const char *what) {
    if (a->n == b->n && (!a->n || memcmp(a->p, b->p, a->n) == 0)) return;
    fprintf(stderr, "%s\n%.*s\n----\n%.*s\n", what, (int)a->n, a->p, (int)b->n, b->p);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    kq_sv text = {(const char *)data + 1, size - 1};
    /* One block that holds it all, no larger than need be: fresh memory is what short inputs cost most. A long input
     * has no more than thousands of small ones. */
    const uint64_t whole = text.n < WHOLE_BYTES ? WHOLE_BYTES : text.n + 1;
    const uint64_t part = 1 + data[0] % 64 + text.n / 2048;
    kq_buf large, small, numbered;
    kq_buf_init(&large, NULL, 0);
    kq_buf_init(&small, NULL, 0);
    kq_buf_init(&numbered, NULL, 0);
    read(text, whole, false, &large, -1, false, NULL);
    read(text, part, false, &small, -1, false, NULL);
    kq_buf_char(&large, ' ');
    kq_buf_char(&small, ' ');
    same(&large, &small, "blocks");
    /* $raw aside, which is given as it stands in a broken record of no use, text is well-formed */
    if (kq_text_is_utf8(text.p, text.n) && !kq_text_is_utf8(large.p, large.n)) abort();
    read(text, whole, true, &numbered, -1, false, NULL);
    if (lines(&numbered) != lines(&large)) abort();
    kq_buf_clear(&small);
    read(text, part, true, &small, -1, false, NULL);
    same(&numbered, &small, "blocks in order");
    kq_buf_clear(&large);
    kq_buf_clear(&small);
    read_table(text, whole, &large);
    read_table(text, part, &small);
    same(&large, &small, "blocks of a table");
    if (data[0] & 0x80) read(text, part, true, NULL, data[size - 1], data[0] & 1, &numbered);
    kq_buf_deinit(&large);
    kq_buf_deinit(&small);
    kq_buf_deinit(&numbered);
    return 0;
}
