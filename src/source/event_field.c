#include "source/event_field.h"
#include "base/number.h"
#include "base/time.h"
#include "column/dynamic.h"

size_t kq_event_guid_text(const uint8_t g[16], char out[40]) {
    /* eight digits at once: nibbles apart, and 'A' to 'F' lie 7 behind '9' */
    char text[32];
    for (int i = 0; i < 16; i += 4) {
        uint64_t x = (uint64_t)g[i] | (uint64_t)g[i + 1] << 16 | (uint64_t)g[i + 2] << 32 | (uint64_t)g[i + 3] << 48;
        x = (x >> 4 & UINT64_C(0x000F000F000F000F)) | (x & UINT64_C(0x000F000F000F000F)) << 8;
        uint64_t letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
        x += UINT64_C(0x3030303030303030) + letters * 7;
        for (int k = 0; k < 8; k++) text[2 * i + k] = (char)(x >> 8 * k);
    }
    out[0] = '{';
    memcpy(out + 1, text, 8);
    out[9] = '-';
    memcpy(out + 10, text + 8, 4);
    out[14] = '-';
    memcpy(out + 15, text + 12, 4);
    out[19] = '-';
    memcpy(out + 20, text + 16, 4);
    out[24] = '-';
    memcpy(out + 25, text + 20, 12);
    out[37] = '}';
    return 38;
}

void kq_event_field_text(const kq_field *field, kq_buf *out) {
    char text[40];
    switch (field->kind) {
    case KQ_FIELD_STRING:
    case KQ_FIELD_LOCAL:
    case KQ_FIELD_JSON:
    case KQ_FIELD_WRITTEN: kq_buf_sv(out, field->u.text); break;
    case KQ_FIELD_DYNAMIC: kq_dyn_json(field->u.text, out); break;
    case KQ_FIELD_BOOL: kq_buf_str(out, field->u.b ? "true" : "false"); break;
    case KQ_FIELD_LONG: kq_number_print_long(field->u.l, out); break;
    case KQ_FIELD_ULONG: kq_buf_append(out, text, (size_t)(kq_number_write_ulong(field->u.u, text) - text)); break;
    case KQ_FIELD_REAL: kq_number_print_real(field->u.r, out); break;
    case KQ_FIELD_DATETIME: kq_time_print(field->u.l, 7, out); break;
    case KQ_FIELD_GUID: kq_buf_append(out, text, kq_event_guid_text(field->u.guid, text)); break;
    case KQ_FIELD_MISSING:
    case KQ_FIELD_NULL: break;
    }
}

bool kq_event_guid(kq_sv s, uint8_t out[16]) {
    if (s.n == 38 && s.p[0] == '{' && s.p[37] == '}') s = (kq_sv){s.p + 1, 36};
    if (s.n != 36) return false;
    unsigned half = 0;
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s.p[i] != '-') return false;
            continue;
        }
        char c = kq_ascii_lower(s.p[i]);
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else
            return false;
        out[half / 2] = (uint8_t)(half % 2 ? out[half / 2] | digit : digit << 4);
        half++;
    }
    return true;
}

void kq_event_hinted(kq_event_hint hint, kq_field *field) {
    if (hint == KQ_EVENT_ANY || field->kind != KQ_FIELD_STRING) return;
    kq_sv text = field->u.text;
    int64_t l;
    uint8_t guid[16];
    if (text.n == 0) {
        field->kind = KQ_FIELD_NULL;
    } else if (hint == KQ_EVENT_LONG && kq_number_parse_long(text, &l)) {
        field->kind = KQ_FIELD_LONG;
        field->u.l = l;
    } else if (hint == KQ_EVENT_DATETIME && kq_time_parse_iso(text, &l)) {
        field->kind = KQ_FIELD_DATETIME;
        field->u.l = l;
    } else if (hint == KQ_EVENT_DATETIME) {
        field->kind = KQ_FIELD_LOCAL; /* no SystemTime of Windows: unless its text tells a zone, nobody knows it */
    } else if (hint == KQ_EVENT_GUID && kq_event_guid(text, guid)) {
        field->kind = KQ_FIELD_GUID;
        memcpy(field->u.guid, guid, 16);
    }
}

void kq_event_field_json(const kq_field *field, kq_buf *scratch, kq_buf *out) {
    kq_buf_empty(scratch);
    kq_event_field_text(field, scratch);
    if (field->kind == KQ_FIELD_LONG || field->kind == KQ_FIELD_ULONG)
        kq_buf_sv(out, kq_buf_view(scratch));
    else
        kq_json_string(kq_buf_view(scratch), out);
}

void kq_event_item_start(const kq_field *time, kq_buf *out) {
    kq_buf_str(out, "<DataItem Type=\"System.XmlData\" time=\"");
    if (time->kind == KQ_FIELD_DATETIME) kq_event_field_text(time, out);
    kq_buf_str(out, "\" sourceHealthServiceId=\"00000000-0000-0000-0000-000000000000\">");
}

void kq_event_item_end(kq_buf *out) {
    kq_buf_str(out, "</DataItem>");
}
