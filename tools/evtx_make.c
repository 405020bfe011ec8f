/*
 * evtx-make [--no-templates] OUT.evtx [IN.ndjson]: writes an EVTX file from lines of JSON, for samples and tests of
 * rules. Without templates it looks like what an event collector writes.
 *
 *   {"provider":"...","event_id":1,"channel":"...","computer":"...","time":"2024-01-01T00:00:00Z","record_id":1,
 *    "user_id":"S-1-5-18","process_id":4,"thread_id":8,"data":{"Image":"C:\\x.exe","LogonId":{"hex":"0x3e7"}}}
 *
 * Values of data: text, integers (unsigned when not negative), true and false, null, and {"hex"|"sid"|"guid"|
 * "filetime": text}. "data" may be an array: Data without names. Also: version, level, task, opcode, keywords (text
 * "0x..."), provider_guid, activity_id, user_data (the name of the element inside UserData). Only "provider" and
 * "event_id" must be there; record ids count up from 1.
 */
#include "base/number.h"
#include "base/time.h"
#include "column/dynamic.h"
#include "evtx_writer.h"
#include <stdio.h>
#include <stdlib.h>

#define DATA_MAX 200

static const char *text_of(kq_arena *arena, kq_dyn bag, const char *key, const char *otherwise) {
    kq_dyn d = kq_dyn_get(bag, kq_sv_of(key));
    if (kq_dyn_tag_of(d) != KQ_DYN_STRING) return otherwise;
    return kq_arena_copy(arena, kq_dyn_string(d)).p;
}

static uint64_t number_of(kq_dyn bag, const char *key, uint64_t otherwise) {
    kq_dyn d = kq_dyn_get(bag, kq_sv_of(key));
    int64_t l;
    if (kq_dyn_tag_of(d) == KQ_DYN_LONG) return (uint64_t)kq_dyn_value(d).u.l;
    if (kq_dyn_tag_of(d) != KQ_DYN_STRING) return otherwise;
    kq_sv s = kq_dyn_string(d);
    if (kq_sv_starts(s, KQ_SV("0x"))) return strtoull(s.p, NULL, 16);
    return kq_number_parse_long(s, &l) ? (uint64_t)l : otherwise;
}

static bool typed_datum(kq_arena *arena, kq_dyn d, evtx_datum *out) {
    kq_sv key;
    kq_dyn v = kq_dyn_entry(d, 0, &key);
    if (kq_dyn_count(d) != 1 || kq_dyn_tag_of(v) != KQ_DYN_STRING) return false;
    kq_sv text = kq_arena_copy(arena, kq_dyn_string(v));
    out->text = text;
    if (kq_sv_eq(key, KQ_SV("hex"))) {
        *out = (evtx_datum){.name = out->name, .type = EVTX_HEX, .number = strtoull(text.p, NULL, 16)};
    } else if (kq_sv_eq(key, KQ_SV("sid"))) {
        out->type = EVTX_SID;
    } else if (kq_sv_eq(key, KQ_SV("guid"))) {
        out->type = EVTX_GUID;
    } else if (kq_sv_eq(key, KQ_SV("filetime"))) {
        int64_t ticks;
        if (!kq_time_parse_iso(text, &ticks)) return false;
        *out = (evtx_datum){.name = out->name, .type = EVTX_FILETIME, .number = (uint64_t)ticks};
    } else {
        return false;
    }
    return true;
}

static bool datum_of(kq_arena *arena, kq_dyn d, evtx_datum *out) {
    switch (kq_dyn_tag_of(d)) {
    case KQ_DYN_NULL: out->type = EVTX_NULL; return true;
    case KQ_DYN_BOOL:
        out->type = EVTX_BOOL;
        out->number = kq_dyn_value(d).u.b;
        return true;
    case KQ_DYN_LONG:
        out->number = (uint64_t)kq_dyn_value(d).u.l;
        out->type = (int64_t)out->number < 0 ? EVTX_INT : EVTX_UINT;
        return true;
    case KQ_DYN_STRING:
        out->type = EVTX_TEXT;
        out->text = kq_arena_copy(arena, kq_dyn_string(d));
        return true;
    case KQ_DYN_BAG: return typed_datum(arena, d, out);
    default: return false;
    }
}

static bool add_line(evtx_writer *w, kq_arena *arena, kq_dyn line, uint64_t *record_id) {
    evtx_datum data[DATA_MAX] = {0};
    evtx_event ev = {.provider = text_of(arena, line, "provider", NULL),
                     .provider_guid = text_of(arena, line, "provider_guid", NULL),
                     .channel = text_of(arena, line, "channel", ""),
                     .computer = text_of(arena, line, "computer", ""),
                     .user_id = text_of(arena, line, "user_id", NULL),
                     .activity_id = text_of(arena, line, "activity_id", NULL),
                     .user_data = text_of(arena, line, "user_data", NULL),
                     .event_id = (uint16_t)number_of(line, "event_id", 0),
                     .record_id = number_of(line, "record_id", *record_id + 1),
                     .process_id = (uint32_t)number_of(line, "process_id", 0),
                     .thread_id = (uint32_t)number_of(line, "thread_id", 0),
                     .version = (uint8_t)number_of(line, "version", 0),
                     .level = (uint8_t)number_of(line, "level", 4),
                     .task = (uint16_t)number_of(line, "task", 0),
                     .opcode = (uint8_t)number_of(line, "opcode", 0),
                     .keywords = number_of(line, "keywords", UINT64_C(0x8000000000000000)),
                     .time = KQ_TICKS_1970};
    *record_id = ev.record_id;
    const char *time = text_of(arena, line, "time", NULL);
    if (!ev.provider || (time && !kq_time_parse_iso(kq_sv_of(time), &ev.time))) return false;
    kq_dyn given = kq_dyn_get(line, KQ_SV("data"));
    bool named = kq_dyn_tag_of(given) == KQ_DYN_BAG;
    ev.ndata = kq_dyn_count(given);
    ev.data = data;
    if (ev.ndata > DATA_MAX) return false;
    for (uint32_t i = 0; i < ev.ndata; i++) {
        kq_sv key;
        kq_dyn d = named ? kq_dyn_entry(given, i, &key) : kq_dyn_element(given, i);
        if (named) data[i].name = kq_arena_copy(arena, key).p;
        if (!datum_of(arena, d, &data[i])) return false;
    }
    return evtx_writer_add(w, &ev);
}

int main(int argc, char **argv) {
    bool inline_records = argc > 1 && strcmp(argv[1], "--no-templates") == 0;
    if (inline_records) {
        argv++;
        argc--;
    }
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: evtx-make [--no-templates] OUT.evtx [IN.ndjson]\n");
        return 2;
    }
    FILE *in = argc == 3 ? fopen(argv[2], "r") : stdin;
    if (!in) return perror(argv[2]), 3;
    evtx_writer *w = kq_malloc(sizeof *w);
    if (!w) return 4;
    evtx_writer_init(w);
    w->inline_records = inline_records;
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    kq_buf json;
    kq_buf_init(&json, NULL, 0);
    char *line = NULL;
    size_t cap = 0;
    uint64_t record_id = 0;
    unsigned number = 0;
    int bad = 0;
    for (ssize_t n; !bad && (n = getline(&line, &cap, in)) > 0;) {
        number++;
        if (line[strspn(line, " \t\r\n")] == 0) continue;
        kq_buf_clear(&json);
        bad =
            !kq_dyn_parse_json((kq_sv){line, (size_t)n}, &json) || !add_line(w, &arena, kq_buf_view(&json), &record_id);
        if (bad) fprintf(stderr, "line %u: not an event that can be written\n", number);
        kq_arena_reset(&arena);
    }
    evtx_writer_finish(w);
    if (!bad) {
        FILE *out = fopen(argv[1], "wb");
        bad = !out || fwrite(w->file.p, 1, w->file.n, out) != w->file.n || fclose(out) != 0;
        if (bad) perror(argv[1]);
    }
    free(line);
    if (argc == 3) fclose(in);
    kq_buf_deinit(&json);
    kq_arena_deinit(&arena);
    evtx_writer_deinit(w);
    kq_free(w);
    return bad ? 3 : 0;
}
