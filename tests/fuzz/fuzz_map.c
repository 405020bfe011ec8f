/*
 * Map files, as users bring them with --map: hostile text is refused with a line and a column, or it makes a model
 * whose tables can be scanned by every reader, and whose expressions can be given any field. The last byte chooses:
 * bits 1 to 5 one way to scan, or all 40 when they are 0, which is slow; bit 0 loads tables and maps first, the builtin
 * ones with all ways and a few small ones of the same names with one; bit 7 makes the allocation fail whose number the
 * byte before says, and with bit 6 all after it too.
 */
#include "schema/builder.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a run loads first that is not to load 400 KB: something of everything that user maps may refer to. */
static const char few[] =
    "[table DeviceProcessEvents]\nsame Timestamp TimeGenerated\nTimestamp: datetime\nDeviceName: string\n"
    "FileName: string\nFolderPath: string\nProcessId: long\nProcessCommandLine: string\nLogonId: long\nMD5: string\n"
    "ProcessCreationTime: datetime\nInitiatingProcessId: long\nInitiatingProcessFileName: string\n"
    "AdditionalFields: dynamic\nIsInitiatingProcessRemoteSession: bool\nTimeGenerated: datetime\n"
    "[table DeviceEvents]\nActionType: string\nAdditionalFields: dynamic\n_BilledSize: real\n"
    "[table Event]\nEventID: int\nComputer: string\nEventData: string\n"
    "[names levels]\n1 = Low\n%%2 = High\n"
    "[shape evtx]\nreader evtx, xml\ndata EventData.\nuser UserData.\nProvider: System.Provider\n"
    "EventID: System.EventID\nTime: System.TimeCreated\nComputer: System.Computer\nMessage: RenderingInfo.Message\n"
    "DataXml: $EventDataXml\nDataJson: $EventDataJson\n"
    "[shape flat]\nreader json, csv\nis SourceName, EventID\nisnt event\ndata\nuser *\nProvider: SourceName\n"
    "EventID: EventID\nTime: @timestamp | local(EventTime)\nComputer: Hostname\n"
    "[shape rows]\nrows Event\nreader json, csv\ninside EventData xml\nProvider: Source\nEventID: EventID\n"
    "Time: TimeGenerated\nComputer: Computer\nDataXml: EventData\n"
    "[group device]\nDeviceName = lower($Computer)\n"
    "[map DeviceProcessEvents from Sysmon 1]\nwhen $Provider: Microsoft-Windows-Sysmon\nwhen $EventID: 1\n"
    "use device\nstarts guid ProcessGuid\nstarts pid ProcessId | said($Message, \"ProcessId\")\n"
    "parent guid ParentProcessGuid\nTimestamp = near(UtcTime, $Time)\nFileName = basename(Image)\n"
    "FolderPath = dash(Image)\nProcessId = ProcessId\nProcessCommandLine = unpercent(CommandLine)\n"
    "MD5 = hash(Hashes, MD5)\nInitiatingProcessFileName = basename(ParentImage) | @FileName\n"
    "AdditionalFields = {a: Image, b: name(Level, levels)}\n"
    "[map DeviceProcessEvents from Security 4688]\nwhen $EventID: 4688\nunless $Provider: Other\nyields\n"
    "parent pid ProcessId\nTimestamp = $Time\nFileName = basename(NewProcessName)\nLogonId ~= number(TargetLogonId)\n"
    "[map Event from any]\nwhen $EventID: 1, 2\nonly lower($Computer): a, b\nsame names\nEventData = $DataXml\n";

static void die(const char *what, const kq_error *err) {
    fprintf(stderr, "%s: %s\n", what, err ? err->message : "");
    abort();
}

static bool number(const char **p) {
    const char *from = *p;
    while (isdigit((unsigned char)**p)) ++*p;
    return *p > from && *(*p)++ == ':';
}

/* A refusal says where; memory that failed says so, and only when some was made to. */
static void check(kq_status status, kq_error *err, bool failing) {
    if (status == KQ_OK) return;
    if (failing && status == KQ_ERR_NOMEM) return;
    if (status != KQ_ERR_RULE) die("a status that loading does not have", err);
    const char *p = strchr(err->message, ':');
    if (!p) die("no place", err);
    p++;
    if (!number(&p) || !number(&p) || *p != ' ' || !p[1]) die("no line and column", err);
}

static kq_status drop(void *ctx, kq_chunk *chunk, bool *done, kq_error *err) {
    (void)done, (void)err;
    size_t *rows = ctx;
    *rows += chunk->selected;
    return KQ_OK;
}

#define T(s)                                                                                                           \
    { s, sizeof s - 1 }
static const kq_sv texts[] = {
    T(""),
    T("-"),
    T("C:\\Windows\\System32\\cmd.exe"),
    T("MD5=0123456789abcdef0123456789abcdef,SHA1=,IMPHASH"),
    T("2026-01-14 00:00:00.000"),
    T("{6a1f0c00-0000-0000-0000-000000000001}"),
    T("0xffffffffffffffff"),
    T("{\"Data\":[1,{\"#text\":\"<&>\"},null],\"b\":\"\"}"),
    T("DOMAIN\\user$"),
    T("::ffff:10.0.0.1"),
    T("HKLM\\SYSTEM\\CurrentControlSet"),
    T("DWORD (0x00000001)"),
    T("a=1\nb=2\r\n\nTargetObject= %%1234 %"),
    T("\xEF\xBF\xBD\xF0\x9F\x98\x80"),
    T("S-1-5-21-1-2-3-500"),
    T("<DataItem><EventData><Data Name=\"Image\">C:\\a.exe</Data><Data>&#x41;<![CDATA[<b>]]></Data><Data/>"),
};
#define TEXTS (sizeof texts / sizeof *texts)

static kq_field field_of(const kq_want *want, size_t n) {
    kq_field f = {.kind = KQ_FIELD_STRING, .u.text = texts[n % TEXTS]};
    if (n % 5 == 3) f.kind = KQ_FIELD_MISSING;
    if (n % 7 == 5) f = (kq_field){.kind = KQ_FIELD_LONG, .u.l = (int64_t)n - 9};
    if (want->json && n % 3) f = (kq_field){.kind = KQ_FIELD_JSON, .u.text = texts[7]};
    return f;
}

/* Rows of the request's sets, with fields of every kind. */
static kq_status feed(const kq_scan_request *scan, const kq_scan_spec *spec, kq_arena *arena, kq_error *err) {
    kq_builder b;
    size_t pushed = 0, taken = 0;
    kq_consumer to = {.push = drop, .ctx = &pushed};
    const kq_input input = {.path = "events.json", .dates = scan->request.nsets % 2 ? KQ_DATES_UNTOLD : KQ_DATES_DMY};
    kq_status status = kq_builder_init(&b, spec, err);
    b.input = &input;
    if (!status) kq_builder_begin(&b, scan, &to, 0);
    for (uint32_t set = 0; !status && set < scan->nsets && set < 16; set++) {
        const kq_request *q = &scan->request;
        const kq_want_set *s = set < q->nsets ? &q->sets[set] : &q->named->sets[set - q->nsets];
        kq_field *fields = kq_arena_array(arena, kq_field, s->nwants + 1);
        if (!fields) status = kq_arena_status(arena, err);
        for (size_t round = 0; !status && round < TEXTS; round++) {
            bool done = false;
            for (uint32_t i = 0; i < s->nwants; i++) {
                fields[i] = field_of(&s->wants[i], round + i * (round + 1));
                if (s->wants[i].accept) (void)s->wants[i].accept(s->wants[i].accept_ctx, &fields[i]);
            }
            status = kq_builder_row(&b, set, fields, &done, err);
            taken += !scan->sets[set].nonly; /* a condition may leave rows out */
        }
    }
    if (!status) status = kq_builder_end(&b, err);
    if (!status && !spec->npredicates && pushed < taken) die("rows were lost", NULL);
    kq_builder_deinit(&b);
    return status;
}

enum { ACCESSES = KQ_ACCESS_ROWS - KQ_ACCESS_NATIVE + 1, SCANS = 8 };

/* Scans of one table, without and with what the optimizer would tell about its columns. `way`: the one way to scan it,
 * from 1; 0: all of them. */
static kq_status scan_table(const kq_model *model, const kq_table *table, size_t way, kq_arena *arena, kq_error *err) {
    static const char *readers[] = {"evtx", "json", "csv", "xml"};
    uint32_t n = kq_table_all(table).n;
    uint32_t *columns = kq_arena_array(arena, uint32_t, n + 1);
    kq_predicate *predicates = kq_arena_array(arena, kq_predicate, n + 1);
    const kq_matcher *matcher;
    kq_sv needle = KQ_SV("cmd");
    if (!columns || !predicates) return kq_arena_status(arena, err);
    KQ_TRY(kq_matcher_create(KQ_MATCH_CONTAINS, true, false, &needle, 1, arena, &matcher, err));
    uint32_t npredicates = 0;
    for (uint32_t i = 0; i < n; i++) {
        const kq_column *c = &table->columns.items[i];
        columns[i] = i;
        if (!c->name.n) die("a column without a name", NULL);
        for (uint32_t k = 0; k < i && i < 64; k++)
            if (kq_sv_eq(c->name, table->columns.items[k].name)) die("two columns of one name", NULL);
        if (npredicates == 4) continue;
        if (c->type == KQ_STRING)
            predicates[npredicates++] = (kq_predicate){.kind = KQ_PREDICATE_TEXT, .column = i, .matcher = matcher};
        if (c->type == KQ_DATETIME)
            predicates[npredicates++] = (kq_predicate){
                .kind = KQ_PREDICATE_RANGE, .column = i, .has_low = true, .low = {.type = KQ_DATETIME, .u.l = 5}};
    }
    for (size_t r = 0; r < SCANS; r++) {
        /* half of the ways take local times as null, the others are refused at the first one */
        kq_scan_spec spec = {.table = table, .columns = columns, .ncolumns = n, .predicates = predicates};
        spec.local_null = r / 2 % 2;
        spec.npredicates = r % 2 ? npredicates : 0;
        for (int access = KQ_ACCESS_NATIVE; access <= KQ_ACCESS_ROWS; access++) {
            kq_scan_request request;
            uint32_t *book, nbook;
            bool yields;
            if (way && (way % SCANS != r || way % ACCESSES != (size_t)(access - KQ_ACCESS_NATIVE))) continue;
            KQ_TRY(kq_scan_parents(model, &spec, arena, &book, &nbook, &yields, err));
            KQ_TRY(kq_scan_request_make(model, &spec, book, nbook, readers[r / 2], (kq_access)access, arena, &request,
                                        err));
            KQ_TRY(feed(&request, &spec, arena, err));
        }
    }
    return KQ_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    uint8_t choice = data[size - 1];
    bool failing = choice & 0x80 && size > 1;
    kq_arena arena, scans;
    /* small blocks, so that there are more allocations to fail */
    kq_arena_init(&arena, NULL, failing ? 256 : 0);
    kq_arena_init(&scans, NULL, failing ? 1024 : 0);
    kq_model model = {0};
    kq_error err = {0};
    if (failing) kq_alloc_fail_at(data[size - 2], choice & 0x40);
    unsigned way = choice >> 1 & 0x1f;
    kq_status status = KQ_OK;
    if (choice & 1)
        status = way ? kq_model_load(&model, (kq_sv){few, sizeof few - 1}, "few", &arena, &err)
                     : kq_model_builtin(&model, &arena, &err);
    const kq_map *before = model.maps;
    while (before && before->next) before = before->next;
    if (status && !failing) die("builtin", &err);
    model.builtin = way & 1; /* hidden columns too */
    if (!status) status = kq_model_load(&model, (kq_sv){(const char *)data, size - 1}, "fuzz", &arena, &err);
    check(status, &err, failing);
    unsigned scanned = 0;
    const kq_map *first = before && before->next ? before->next : model.maps; /* of what the input brought, if any */
    for (const kq_model_table *t = status ? NULL : model.tables; t && scanned < 4; t = t->next) {
        bool touched = !before;
        for (const kq_map *m = first; m && !touched; m = m->next) touched = m->table == &t->table;
        if (!touched) continue;
        scanned++;
        err.message[0] = 0;
        status = scan_table(&model, &t->table, way, &scans, &err);
        if (status == KQ_ERR_USAGE && !strstr(err.message, " are local")) die("refused for no local time", &err);
        if (status && status != KQ_ERR_USAGE && !(failing && status == KQ_ERR_NOMEM)) die("scan", &err);
        if (status && !err.message[0]) die("a failure without a message", NULL);
        if (status) break;
        kq_arena_reset(&scans);
    }
    kq_alloc_fail_at(-1, false);
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    if (!failing)
        for (const kq_map *m = model.maps; m; m = m->next)
            for (uint32_t i = 0; i < m->ncolumns && m->columns[i].expr; i++) kq_map_print(m->columns[i].expr, &text);
    kq_buf_deinit(&text);
    kq_arena_deinit(&scans);
    kq_arena_deinit(&arena);
    return 0;
}
