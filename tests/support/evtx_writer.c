#include "evtx_writer.h"
#include "base/time.h"
#include "base/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define CHUNK 65536u
#define HEAD  512u

enum { T_NULL = 0, T_TEXT = 1, T_U8 = 4, T_U16 = 6, T_U32 = 8, T_I64 = 9, T_U64 = 10, T_BOOL = 13, T_BINARY = 14 };
enum { T_GUID = 15, T_FILETIME = 17, T_SID = 19, T_HEX32 = 20, T_HEX64 = 21, T_BINXML = 33, T_TEXTS = 0x81 };

static void put(evtx_writer *w, const void *p, size_t n) {
    if (w->overflow || n > CHUNK - w->pos) {
        w->overflow = true;
        return;
    }
    memcpy(w->chunk + w->pos, p, n);
    w->pos += (uint32_t)n;
}

static void put_number(evtx_writer *w, uint64_t v, unsigned bytes) {
    uint8_t b[8];
    for (unsigned i = 0; i < bytes; i++) b[i] = (uint8_t)(v >> (8 * i));
    put(w, b, bytes);
}

static void set_number(uint8_t *at, uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) at[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p) {
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_utf16(evtx_writer *w, kq_sv text) {
    for (const char *p = text.p, *end = p + text.n; p < end;) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        if (cp >= 0x10000) {
            put_number(w, 0xD800 + ((cp - 0x10000) >> 10), 2);
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        put_number(w, cp, 2);
    }
}

static uint32_t utf16_units(kq_sv text) {
    uint32_t units = 0;
    for (const char *p = text.p, *end = p + text.n; p < end; units++) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        units += cp >= 0x10000;
    }
    return units;
}

/* A reference to a name; the name itself where it is used first, chained into the header's table. */
static void put_name(evtx_writer *w, const char *name) {
    for (uint32_t i = 0; i < w->nnames; i++)
        if (strcmp(w->names[i].text, name) == 0) {
            put_number(w, w->names[i].off, 4);
            return;
        }
    uint32_t off = w->pos + 4, hash = 0;
    for (const char *p = name; *p; p++) hash = hash * 65599 + (unsigned char)*p;
    uint8_t *bucket = w->chunk + 128 + 4 * ((hash & 0xFFFF) % 64);
    put_number(w, off, 4);
    put_number(w, get_u32(bucket), 4);
    put_number(w, hash & 0xFFFF, 2);
    put_number(w, strlen(name), 2);
    put_utf16(w, kq_sv_of(name));
    put_number(w, 0, 2);
    if (w->overflow || w->nnames == EVTX_WRITER_NAMES || strlen(name) >= sizeof w->names[0].text) return;
    set_number(bucket, off, 4);
    strcpy(w->names[w->nnames].text, name);
    w->names[w->nnames++].off = off;
}

/* An element under way: where its size and its attributes' size stand. */
typedef struct element {
    uint32_t size, attrs;
} element;

static element open_element(evtx_writer *w, const char *name, bool attributes) {
    element e = {0};
    put_number(w, attributes ? 0x41 : 0x01, 1);
    if (!w->inline_records) put_number(w, 0xFFFF, 2);
    e.size = w->pos;
    put_number(w, 0, 4);
    put_name(w, name);
    e.attrs = attributes ? w->pos : 0;
    if (attributes) put_number(w, 0, 4);
    return e;
}

static void end_start(evtx_writer *w, element e, bool empty) {
    if (e.attrs && !w->overflow) set_number(w->chunk + e.attrs, w->pos - e.attrs - 4, 4);
    put_number(w, empty ? 0x03 : 0x02, 1);
    if (empty && !w->overflow) set_number(w->chunk + e.size, w->pos - e.size - 4, 4);
}

static void close_element(evtx_writer *w, element e) {
    put_number(w, 0x04, 1);
    if (!w->overflow) set_number(w->chunk + e.size, w->pos - e.size - 4, 4);
}

static void put_attribute(evtx_writer *w, const char *name, bool more) {
    put_number(w, more ? 0x46 : 0x06, 1);
    put_name(w, name);
}

static void put_literal(evtx_writer *w, kq_sv text) {
    put_number(w, 0x05, 1);
    put_number(w, T_TEXT, 1);
    put_number(w, utf16_units(text), 2);
    put_utf16(w, text);
}

static bool sid_bytes(const char *text, uint8_t out[68], uint32_t *n) {
    char *end;
    if (strncmp(text, "S-1-", 4) != 0) return false;
    uint64_t authority = strtoull(text + 4, &end, 0);
    uint32_t subs = 0;
    for (; *end == '-' && subs < 15; subs++) set_number(out + 8 + 4 * subs, strtoul(end + 1, &end, 10), 4);
    if (*end) return false;
    out[0] = 1;
    out[1] = (uint8_t)subs;
    for (int i = 0; i < 6; i++) out[2 + i] = (uint8_t)(authority >> (40 - 8 * i));
    *n = 8 + 4 * subs;
    return true;
}

static bool guid_bytes(const char *text, uint8_t out[16]) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned half = 0, v = 0;
    for (; *text; text++) {
        char c = kq_ascii_lower(*text);
        if (c == '{' || c == '}' || c == '-') continue;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) || half == 32) return false;
        v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        if (++half % 2 == 0) out[order[half / 2 - 1]] = (uint8_t)v;
    }
    return half == 32;
}

static uint8_t datum_value_type(const evtx_datum *d) {
    switch (d->type) {
    case EVTX_TEXT: return T_TEXT;
    case EVTX_UINT: return d->number > UINT32_MAX ? T_U64 : T_U32;
    case EVTX_INT: return T_I64;
    case EVTX_HEX: return d->number > UINT32_MAX ? T_HEX64 : T_HEX32;
    case EVTX_BOOL: return T_BOOL;
    case EVTX_FILETIME: return T_FILETIME;
    case EVTX_SID: return T_SID;
    case EVTX_GUID: return T_GUID;
    case EVTX_BINARY: return T_BINARY;
    case EVTX_TEXTS: return T_TEXTS;
    case EVTX_NULL: break;
    }
    return T_NULL;
}

static bool put_value(evtx_writer *w, const evtx_datum *d) {
    uint8_t bytes[68];
    uint32_t n = 0;
    switch (d->type) {
    case EVTX_TEXT: put_utf16(w, d->text); break;
    case EVTX_TEXTS:
        for (size_t i = 0, start = 0; i <= d->text.n; i++)
            if (i == d->text.n || d->text.p[i] == '\n') {
                put_utf16(w, kq_sv_slice(d->text, start, i));
                put_number(w, 0, 2);
                start = i + 1;
            }
        break;
    case EVTX_UINT:
    case EVTX_HEX: put_number(w, d->number, d->number > UINT32_MAX ? 8 : 4); break;
    case EVTX_INT: put_number(w, d->number, 8); break;
    case EVTX_BOOL: put_number(w, d->number != 0, 4); break;
    case EVTX_FILETIME: put_number(w, d->number - (uint64_t)KQ_TICKS_1601, 8); break;
    case EVTX_SID:
        if (!sid_bytes(d->text.p, bytes, &n)) return false;
        put(w, bytes, n);
        break;
    case EVTX_GUID:
        if (!guid_bytes(d->text.p, bytes)) return false;
        put(w, bytes, 16);
        break;
    case EVTX_BINARY: put(w, d->text.p, d->text.n); break;
    case EVTX_NULL: break;
    }
    return true;
}

/* A value of the event where it stands: a substitution, or its text in a record without templates. */
static void put_field(evtx_writer *w, uint16_t index, uint8_t type, const char *text) {
    if (w->inline_records) {
        if (text && *text) put_literal(w, kq_sv_of(text));
        return;
    }
    put_number(w, 0x0E, 1);
    put_number(w, index, 2);
    put_number(w, type, 1);
}

static void put_system_element(evtx_writer *w, const char *name, uint16_t index, uint8_t type, const char *text) {
    element e = open_element(w, name, false);
    end_start(w, e, false);
    put_field(w, index, type, text);
    close_element(w, e);
}

static void put_datum(evtx_writer *w, const evtx_datum *d, uint16_t index, bool user_data) {
    kq_buf text;
    kq_buf_init(&text, NULL, 0);
    kq_buf_append(&text, d->text.p, d->text.n);
    if (d->type == EVTX_HEX) kq_buf_printf(&text, "0x%llx", (unsigned long long)d->number);
    if (d->type == EVTX_UINT || d->type == EVTX_INT) kq_buf_printf(&text, "%lld", (long long)d->number);
    if (d->type == EVTX_BOOL) kq_buf_str(&text, d->number ? "true" : "false");
    if (d->type == EVTX_FILETIME) kq_time_print((int64_t)d->number, 7, &text);
    kq_buf_char(&text, 0);
    element e = open_element(w, user_data && d->name ? d->name : "Data", d->name && !user_data);
    if (d->name && !user_data) {
        put_attribute(w, "Name", false);
        put_literal(w, kq_sv_of(d->name));
    }
    end_start(w, e, false);
    put_field(w, index, datum_value_type(d), text.p);
    close_element(w, e);
    kq_buf_deinit(&text);
}

static void put_event_data(evtx_writer *w, const evtx_event *ev) {
    element outer = open_element(w, ev->user_data ? "UserData" : "EventData", false), inner = {0};
    end_start(w, outer, false);
    if (ev->user_data) {
        inner = open_element(w, ev->user_data, true);
        put_attribute(w, "xmlns", false);
        put_literal(w, KQ_SV("http://manifests.microsoft.com/win/2004/08/windows/eventlog"));
        end_start(w, inner, false);
    }
    for (uint32_t i = 0; i < ev->ndata; i++) put_datum(w, &ev->data[i], (uint16_t)i, ev->user_data != NULL);
    if (ev->user_data) close_element(w, inner);
    close_element(w, outer);
}

static void put_system(evtx_writer *w, const evtx_event *ev) {
    char time[40], id[24], record[24], process[16], thread[16], keywords[24], level[8], task[8], opcode[8], version[8];
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_time_print(ev->time, 7, &b);
    snprintf(time, sizeof time, "%.*s", (int)b.n, b.p);
    kq_buf_deinit(&b);
    snprintf(id, sizeof id, "%u", ev->event_id);
    snprintf(record, sizeof record, "%llu", (unsigned long long)ev->record_id);
    snprintf(process, sizeof process, "%u", ev->process_id);
    snprintf(thread, sizeof thread, "%u", ev->thread_id);
    snprintf(keywords, sizeof keywords, "0x%llx", (unsigned long long)ev->keywords);
    snprintf(level, sizeof level, "%u", ev->level);
    snprintf(task, sizeof task, "%u", ev->task);
    snprintf(opcode, sizeof opcode, "%u", ev->opcode);
    snprintf(version, sizeof version, "%u", ev->version);

    element system = open_element(w, "System", false);
    end_start(w, system, false);
    element e = open_element(w, "Provider", true);
    put_attribute(w, "Name", true);
    if (w->literal_provider)
        put_literal(w, kq_sv_of(ev->provider));
    else
        put_field(w, 14, T_TEXT, ev->provider);
    put_attribute(w, "Guid", false);
    put_field(w, 15, T_GUID, ev->provider_guid);
    end_start(w, e, true);
    put_system_element(w, "EventID", 3, T_U16, id);
    put_system_element(w, "Version", 11, T_U8, version);
    put_system_element(w, "Level", 0, T_U8, level);
    put_system_element(w, "Task", 2, T_U16, task);
    put_system_element(w, "Opcode", 1, T_U8, opcode);
    put_system_element(w, "Keywords", 5, T_HEX64, keywords);
    e = open_element(w, "TimeCreated", true);
    put_attribute(w, "SystemTime", false);
    put_field(w, 6, T_FILETIME, time);
    end_start(w, e, true);
    put_system_element(w, "EventRecordID", 10, T_U64, record);
    e = open_element(w, "Correlation", true);
    put_attribute(w, "ActivityID", false);
    put_field(w, 7, T_GUID, ev->activity_id);
    end_start(w, e, true);
    e = open_element(w, "Execution", true);
    put_attribute(w, "ProcessID", true);
    put_field(w, 8, T_U32, process);
    put_attribute(w, "ThreadID", false);
    put_field(w, 9, T_U32, thread);
    end_start(w, e, true);
    put_system_element(w, "Channel", 16, T_TEXT, ev->channel);
    put_system_element(w, "Computer", 13, T_TEXT, ev->computer);
    e = open_element(w, "Security", true);
    put_attribute(w, "UserID", false);
    put_field(w, 12, T_SID, ev->user_id);
    end_start(w, e, true);
    close_element(w, system);
}

static void put_event(evtx_writer *w, const evtx_event *ev) {
    element event = open_element(w, "Event", true);
    put_attribute(w, "xmlns", false);
    put_literal(w, KQ_SV("http://schemas.microsoft.com/win/2004/08/events/event"));
    end_start(w, event, false);
    put_system(w, ev);
    if (w->inline_records)
        put_event_data(w, ev);
    else
        put_field(w, 17, T_BINXML, NULL);
    close_element(w, event);
}

static uint64_t mix(uint64_t key, kq_sv text) {
    for (size_t i = 0; i < text.n; i++) key = (key ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
    return (key ^ 0xFF) * UINT64_C(1099511628211);
}

static uint64_t template_key(const evtx_writer *w, const evtx_event *ev, bool outer) {
    uint64_t key = UINT64_C(14695981039346656037) + outer;
    if (outer) return w->literal_provider ? mix(key, kq_sv_of(ev->provider)) : key;
    if (ev->user_data) key = mix(key, kq_sv_of(ev->user_data));
    for (uint32_t i = 0; i < ev->ndata; i++)
        key = mix(key, kq_sv_of(ev->data[i].name ? ev->data[i].name : "")) + datum_value_type(&ev->data[i]);
    return key;
}

/* The token of an instance, with the definition itself at its first use in the chunk. */
static void put_instance(evtx_writer *w, const evtx_event *ev, bool outer) {
    static const uint8_t fragment[4] = {0x0F, 1, 1, 0};
    uint64_t key = template_key(w, ev, outer);
    put(w, fragment, 4);
    put_number(w, 0x0C, 1);
    put_number(w, 1, 1);
    for (uint32_t i = 0; i < w->ntemplates; i++)
        if (w->templates[i].key == key) {
            put_number(w, w->templates[i].id, 4);
            put_number(w, w->templates[i].off, 4);
            return;
        }
    uint32_t off = w->pos + 8, id = (uint32_t)(key ^ key >> 32);
    uint8_t *bucket = w->chunk + 384 + 4 * (id % 32);
    put_number(w, id, 4);
    put_number(w, off, 4);
    put_number(w, get_u32(bucket), 4);
    put_number(w, id, 4); /* the GUID starts with the id */
    put_number(w, key, 8);
    put_number(w, ~id, 4);
    uint32_t size = w->pos;
    put_number(w, 0, 4);
    put(w, fragment, 4);
    if (outer)
        put_event(w, ev);
    else
        put_event_data(w, ev);
    put_number(w, 0, 1);
    if (w->overflow || w->ntemplates == EVTX_WRITER_TEMPLATES) return;
    set_number(w->chunk + size, w->pos - size - 4, 4);
    set_number(bucket, off, 4);
    w->templates[w->ntemplates].key = key;
    w->templates[w->ntemplates].off = off;
    w->templates[w->ntemplates++].id = id;
}

/* The array of values: sizes and types first, so their places are filled in as the values are written. */
typedef struct values {
    uint32_t next; /* where the next one's size stands */
    bool ok;
} values;

static values open_values(evtx_writer *w, uint32_t n) {
    values v = {w->pos + 4, true};
    put_number(w, n, 4);
    for (uint32_t i = 0; i < n; i++) put_number(w, 0, 4);
    return v;
}

static void add_value(evtx_writer *w, values *v, const evtx_datum *d, uint8_t type) {
    uint32_t start = w->pos;
    v->ok = v->ok && put_value(w, d);
    if (w->overflow) return;
    set_number(w->chunk + v->next, w->pos - start, 2);
    set_number(w->chunk + v->next + 2, type, 2);
    v->next += 4;
}

static void add_small(evtx_writer *w, values *v, uint64_t number, unsigned bytes, uint8_t type) {
    evtx_datum none = {.type = EVTX_NULL};
    uint32_t at = v->next;
    add_value(w, v, &none, type);
    put_number(w, number, bytes);
    if (!w->overflow) set_number(w->chunk + at, bytes, 2);
}

static void add_text(evtx_writer *w, values *v, const char *text, evtx_datum_type type) {
    evtx_datum d = {.type = text ? type : EVTX_NULL, .text = kq_sv_of(text)};
    add_value(w, v, &d, datum_value_type(&d));
}

static bool put_nested(evtx_writer *w, const evtx_event *ev) {
    put_instance(w, ev, false);
    values v = open_values(w, ev->ndata);
    for (uint32_t i = 0; i < ev->ndata; i++) add_value(w, &v, &ev->data[i], datum_value_type(&ev->data[i]));
    return v.ok;
}

static bool put_templated(evtx_writer *w, const evtx_event *ev) {
    put_instance(w, ev, true);
    values v = open_values(w, 18);
    add_small(w, &v, ev->level, 1, T_U8);
    add_small(w, &v, ev->opcode, 1, T_U8);
    add_small(w, &v, ev->task, 2, T_U16);
    add_small(w, &v, ev->event_id, 2, T_U16);
    add_text(w, &v, NULL, EVTX_TEXT);
    add_small(w, &v, ev->keywords, 8, T_HEX64);
    add_small(w, &v, (uint64_t)(ev->time - KQ_TICKS_1601), 8, T_FILETIME);
    add_text(w, &v, ev->activity_id, EVTX_GUID);
    add_small(w, &v, ev->process_id, 4, T_U32);
    add_small(w, &v, ev->thread_id, 4, T_U32);
    add_small(w, &v, ev->record_id, 8, T_U64);
    add_small(w, &v, ev->version, 1, T_U8);
    add_text(w, &v, ev->user_id, EVTX_SID);
    add_text(w, &v, ev->computer, EVTX_TEXT);
    add_text(w, &v, ev->provider, EVTX_TEXT);
    add_text(w, &v, ev->provider_guid, EVTX_GUID);
    add_text(w, &v, ev->channel, EVTX_TEXT);
    uint32_t at = v.next, start = w->pos;
    bool ok = put_nested(w, ev);
    if (!w->overflow) {
        set_number(w->chunk + at, w->pos - start, 2);
        set_number(w->chunk + at + 2, T_BINXML, 2);
    }
    return ok && v.ok;
}

static bool put_record(evtx_writer *w, const evtx_event *ev) {
    static const uint8_t fragment[4] = {0x0F, 1, 1, 0};
    uint32_t start = w->pos;
    bool ok = true;
    put_number(w, 0x2A2A, 4);
    put_number(w, 0, 4);
    put_number(w, ev->record_id, 8);
    put_number(w, (uint64_t)(ev->time - KQ_TICKS_1601), 8);
    if (w->inline_records) {
        put(w, fragment, 4);
        put_event(w, ev);
    } else {
        ok = put_templated(w, ev);
    }
    put_number(w, 0, 1);
    while ((w->pos - start + 4) % 8 != 0 && !w->overflow) put_number(w, 0, 1);
    put_number(w, w->pos - start + 4, 4);
    if (w->overflow || !ok) return false;
    set_number(w->chunk + start + 4, w->pos - start, 4);
    w->last = start;
    return true;
}

static void start_chunk(evtx_writer *w) {
    memset(w->chunk, 0, sizeof w->chunk);
    w->pos = HEAD;
    w->nnames = w->ntemplates = w->nrecords = 0;
    w->overflow = false;
}

void evtx_writer_seal(uint8_t *chunk) {
    uint32_t end = get_u32(chunk + 48);
    if (end < HEAD || end > CHUNK) end = CHUNK;
    set_number(chunk + 52, crc32(0, chunk + HEAD, end - HEAD), 4);
    set_number(chunk + 124, crc32(crc32(0, chunk, 120), chunk + 128, HEAD - 128), 4);
}

static void end_chunk(evtx_writer *w) {
    if (w->nrecords == 0) return;
    memcpy(w->chunk, "ElfChnk", 8);
    set_number(w->chunk + 8, w->first_number, 8);
    set_number(w->chunk + 16, w->next_number - 1, 8);
    set_number(w->chunk + 24, w->first_id, 8);
    set_number(w->chunk + 32, w->last_id, 8);
    set_number(w->chunk + 40, 128, 4);
    set_number(w->chunk + 44, w->last, 4);
    set_number(w->chunk + 48, w->pos, 4);
    evtx_writer_seal(w->chunk);
    kq_buf_append(&w->file, w->chunk, CHUNK);
    w->nchunks++;
    start_chunk(w);
}

void evtx_writer_init(evtx_writer *w) {
    memset(w, 0, sizeof *w);
    kq_buf_init(&w->file, NULL, 0);
    char header[4096] = {0};
    kq_buf_append(&w->file, header, sizeof header);
    w->next_number = 1;
    start_chunk(w);
}

void evtx_writer_deinit(evtx_writer *w) {
    kq_buf_deinit(&w->file);
}

static bool try_add(evtx_writer *w, const evtx_event *ev) {
    uint32_t pos = w->pos, nnames = w->nnames, ntemplates = w->ntemplates;
    uint8_t tables[HEAD - 128];
    memcpy(tables, w->chunk + 128, sizeof tables);
    bool full = w->chunk_limit && w->nrecords > 0 && pos >= w->chunk_limit;
    if (!full && put_record(w, ev)) return true;
    memcpy(w->chunk + 128, tables, sizeof tables);
    memset(w->chunk + pos, 0, CHUNK - pos);
    w->pos = pos;
    w->nnames = nnames;
    w->ntemplates = ntemplates;
    w->overflow = false;
    return false;
}

bool evtx_writer_add(evtx_writer *w, const evtx_event *ev) {
    if (!try_add(w, ev)) {
        if (w->nrecords == 0) return false;
        end_chunk(w);
        if (!try_add(w, ev)) return false;
    }
    if (w->nrecords++ == 0) {
        w->first_number = w->next_number;
        w->first_id = ev->record_id;
    }
    w->next_number++;
    w->last_id = ev->record_id;
    return true;
}

void evtx_writer_finish(evtx_writer *w) {
    end_chunk(w);
    uint8_t *h = (uint8_t *)w->file.p;
    if (w->file.failed) return;
    memcpy(h, "ElfFile", 8);
    set_number(h + 16, w->nchunks ? w->nchunks - 1 : 0, 8);
    set_number(h + 24, w->last_id + 1, 8);
    set_number(h + 32, 128, 4);
    set_number(h + 36, 1, 2);
    set_number(h + 38, 3, 2);
    set_number(h + 40, 4096, 2);
    set_number(h + 42, w->nchunks, 2);
    set_number(h + 124, crc32(0, h, 120), 4);
}
