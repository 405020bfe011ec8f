/* Event data that came as JSON, as event logs give it: as the XML that Sentinel's table Event holds, and as the object
 * of texts that WindowsEvent has; and Sysmon's list of hashes. */
#include "column/dynamic.h"
#include "schema/map_expr.h"
#include "schema/transform.h"
#include "source/evtx/escape.h"
#include "source/json_value.h"
#include <stdio.h>

static void cell(kq_dyn value, kq_evtx_style style, kq_buf *scratch, kq_buf *out) {
    kq_dyn_tag tag = kq_dyn_tag_of(value);
    if (tag == KQ_DYN_NULL) return;
    if (tag == KQ_DYN_STRING) {
        kq_evtx_escape(kq_dyn_string(value), style, out);
        return;
    }
    kq_buf_empty(scratch);
    kq_dyn_json(value, scratch);
    kq_evtx_escape(kq_buf_view(scratch), style, out);
}

static bool is_attributes(kq_sv key) {
    return kq_sv_eq(key, KQ_SV("#attributes")) || (key.n && key.p[0] == '@'); /* evtx_dump, xmltodict */
}

/* Is `key` a name that XML takes? Others are left out: they would break what is around them. */
static bool is_name(kq_sv key) {
    for (size_t i = 0; i < key.n; i++) {
        unsigned char c = (unsigned char)key.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && c != '_' && c < 0x80 && (i == 0 || ((c < '0' || c > '9') && c != '-' && c != '.' && c != ':')))
            return false;
    }
    return key.n > 0;
}

static void attributes(kq_dyn bag, kq_buf *scratch, kq_buf *out) {
    for (uint32_t i = 0, n = kq_dyn_tag_of(bag) == KQ_DYN_BAG ? kq_dyn_count(bag) : 0; i < n; i++) {
        kq_sv key;
        kq_dyn value = kq_dyn_entry(bag, i, &key);
        if (!is_name(key)) continue;
        kq_buf_char(out, ' ');
        kq_buf_sv(out, key);
        kq_buf_str(out, "=\"");
        cell(value, KQ_EVTX_ATTRIBUTE, scratch, out);
        kq_buf_char(out, '"');
    }
}

#define DEPTH_MAX 64

static void inside(kq_dyn value, unsigned depth, kq_buf *scratch, kq_buf *out);

/* <name attributes>value</name>; of an array one for each element. `more`: attributes that stand beside the value. */
static void element(kq_sv name, kq_dyn value, kq_dyn more, unsigned depth, kq_buf *scratch, kq_buf *out) {
    if (!is_name(name) || depth > DEPTH_MAX) return;
    if (kq_dyn_tag_of(value) == KQ_DYN_ARRAY) {
        for (uint32_t i = 0, n = kq_dyn_count(value); i < n; i++)
            element(name, kq_dyn_element(value, i), more, depth + 1, scratch, out);
        return;
    }
    kq_buf_char(out, '<');
    kq_buf_sv(out, name);
    if (more.n) attributes(more, scratch, out);
    if (kq_dyn_tag_of(value) == KQ_DYN_BAG) {
        kq_dyn own = kq_dyn_get(value, KQ_SV("#attributes"));
        if (own.n) attributes(own, scratch, out);
    }
    kq_buf_char(out, '>');
    inside(value, depth + 1, scratch, out);
    kq_buf_str(out, "</");
    kq_buf_sv(out, name);
    kq_buf_char(out, '>');
}

/* The attributes of `name` where they stand in a member of its own, as evtx_dump --separate-json-attributes has them.
 */
static kq_dyn beside(kq_dyn bag, kq_sv name) {
    char key[160];
    static const kq_sv end = {"_attributes", 11};
    if (name.n + end.n > sizeof key) return (kq_dyn){0};
    memcpy(key, name.p, name.n);
    memcpy(key + name.n, end.p, end.n);
    return kq_dyn_get(bag, (kq_sv){key, name.n + end.n});
}

static void inside(kq_dyn value, unsigned depth, kq_buf *scratch, kq_buf *out) {
    if (kq_dyn_tag_of(value) != KQ_DYN_BAG) {
        cell(value, KQ_EVTX_TEXT, scratch, out);
        return;
    }
    for (uint32_t i = 0, n = kq_dyn_count(value); i < n; i++) {
        kq_sv key;
        kq_dyn part = kq_dyn_entry(value, i, &key);
        if (is_attributes(key) || kq_sv_ends(key, KQ_SV("_attributes"))) continue;
        if (kq_sv_eq(key, KQ_SV("#text")))
            cell(part, KQ_EVTX_TEXT, scratch, out);
        else
            element(key, part, beside(value, key), depth, scratch, out);
    }
}

/* A datum told as an object with a name: what kq_json_datum is for JSON text. */
static bool datum(kq_dyn bag, kq_sv *name, kq_dyn *value) {
    kq_dyn found = {0};
    if (kq_dyn_tag_of(bag) != KQ_DYN_BAG) return false;
    for (size_t i = 0; i < KQ_DATUM_NAMES && !found.n; i++) found = kq_dyn_get(bag, kq_datum_names[i]);
    kq_dyn own = found.n ? (kq_dyn){0} : kq_dyn_get(bag, KQ_SV("#attributes"));
    if (own.n && kq_dyn_tag_of(own) == KQ_DYN_BAG) found = kq_dyn_get(own, KQ_SV("Name"));
    if (!found.n || kq_dyn_tag_of(found) != KQ_DYN_STRING) return false;
    *name = kq_dyn_string(found);
    *value = (kq_dyn){0};
    for (size_t i = 0; i < KQ_DATUM_TEXTS && !value->n; i++) *value = kq_dyn_get(bag, kq_datum_texts[i]);
    return true;
}

static bool is_datum(kq_dyn bag) {
    kq_sv name;
    kq_dyn value;
    return datum(bag, &name, &value);
}

/* EventData without names: {"Data": "x"} and {"Data": {"#text": ["x", "y"]}} are what evtx_dump makes of it. */
static void unnamed(kq_dyn value, kq_buf *scratch, kq_buf *out) {
    if (kq_dyn_tag_of(value) == KQ_DYN_BAG && !is_datum(value)) value = kq_dyn_get(value, KQ_SV("#text"));
    bool many = value.n && kq_dyn_tag_of(value) == KQ_DYN_ARRAY;
    for (uint32_t i = 0, n = many ? kq_dyn_count(value) : value.n > 0; i < n; i++) {
        kq_dyn one = many ? kq_dyn_element(value, i) : value;
        kq_sv name;
        if (datum(one, &name, &one)) {
            kq_buf_str(out, "<Data Name=\"");
            kq_evtx_escape(name, KQ_EVTX_ATTRIBUTE, out);
            kq_buf_str(out, "\">");
        } else {
            kq_buf_str(out, "<Data>");
        }
        if (one.n) cell(one, KQ_EVTX_TEXT, scratch, out);
        kq_buf_str(out, "</Data>");
    }
}

static void event_data(kq_dyn d, kq_buf *scratch, kq_buf *out) {
    bool list = kq_dyn_tag_of(d) == KQ_DYN_ARRAY;
    kq_dyn own = list ? (kq_dyn){0} : kq_dyn_get(d, KQ_SV("#attributes"));
    kq_buf_str(out, "<EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\"");
    if (own.n) attributes(own, scratch, out);
    kq_buf_char(out, '>');
    if (list) unnamed(d, scratch, out);
    for (uint32_t i = 0, n = list ? 0 : kq_dyn_count(d); i < n; i++) {
        kq_sv key;
        kq_dyn value = kq_dyn_entry(d, i, &key);
        kq_dyn_tag tag = kq_dyn_tag_of(value);
        if (is_attributes(key)) continue;
        if (kq_sv_eq(key, KQ_SV("Data")) &&
            (tag == KQ_DYN_ARRAY || is_datum(value) || (tag == KQ_DYN_BAG && kq_dyn_get(value, KQ_SV("#text")).n))) {
            unnamed(value, scratch, out);
            continue;
        }
        kq_buf_str(out, "<Data Name=\"");
        kq_evtx_escape(key, KQ_EVTX_ATTRIBUTE, out);
        kq_buf_str(out, "\">");
        cell(value, KQ_EVTX_TEXT, scratch, out);
        kq_buf_str(out, "</Data>");
    }
    kq_buf_str(out, "</EventData>");
}

/* Winlogbeat has only what stands in the element of UserData, and that one's name in `xml_name`. */
static void user_data(kq_dyn d, kq_buf *scratch, kq_buf *out) {
    kq_dyn named = kq_dyn_get(d, KQ_SV("xml_name"));
    kq_sv outer = named.n && kq_dyn_tag_of(named) == KQ_DYN_STRING ? kq_dyn_string(named) : KQ_SV("");
    kq_buf_str(out, "<UserData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">");
    if (!is_name(outer)) {
        inside(d, 0, scratch, out);
    } else {
        kq_buf_printf(out, "<%.*s>", (int)outer.n, outer.p);
        for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
            kq_sv key;
            kq_dyn value = kq_dyn_entry(d, i, &key);
            if (!kq_sv_eq(key, KQ_SV("xml_name"))) element(key, value, (kq_dyn){0}, 0, scratch, out);
        }
        kq_buf_printf(out, "</%.*s>", (int)outer.n, outer.p);
    }
    kq_buf_str(out, "</UserData>");
}

/* Is the whole number none of dynamic's integers? */
static bool is_large(const char *digits, size_t n) {
    return n > 19 || (n == 19 && memcmp(digits, "9223372036854775807", 19) > 0);
}

/* The JSON text with whole numbers as strings that dynamic would round. */
static kq_sv keep_digits(kq_sv in, kq_buf *out) {
    size_t from = 0;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '"') {
            for (i++; i < in.n && in.p[i] != '"'; i++) i += in.p[i] == '\\';
            continue;
        }
        if (in.p[i] != '-' && (in.p[i] < '0' || in.p[i] > '9')) continue;
        size_t start = i++;
        while (i < in.n && in.p[i] >= '0' && in.p[i] <= '9') i++;
        bool whole = i == in.n || (in.p[i] != '.' && (in.p[i] | 0x20) != 'e');
        bool minus = in.p[start] == '-';
        if (whole && is_large(in.p + start + minus, i - start - minus)) {
            kq_buf_append(out, in.p + from, start - from);
            kq_buf_char(out, '"');
            kq_buf_append(out, in.p + start, i - start);
            kq_buf_char(out, '"');
            from = i;
        }
        while (i < in.n && in.p[i] != ',' && in.p[i] != '}' && in.p[i] != ']' && in.p[i] != '"') i++;
        i--;
    }
    if (!from) return in;
    kq_buf_append(out, in.p + from, in.n - from);
    return kq_buf_view(out);
}

typedef void (*writer)(kq_dyn d, kq_buf *scratch, kq_buf *out);

/* What `write` makes of an object of JSON; no value when the text is none. `list`: or of an array. */
static bool rewritten(kq_sv in, writer write, bool list, kq_arena *arena, kq_sv *out) {
    kq_buf bag, text, scratch;
    kq_buf_init(&bag, arena->budget, 0);
    kq_buf_init(&text, arena->budget, 0);
    kq_buf_init(&scratch, arena->budget, 0);
    in = keep_digits(in, &scratch);
    bool ok =
        !scratch.failed && kq_dyn_parse_json(in, &bag) &&
        (kq_dyn_tag_of(kq_buf_view(&bag)) == KQ_DYN_BAG || (list && kq_dyn_tag_of(kq_buf_view(&bag)) == KQ_DYN_ARRAY));
    if (ok) write(kq_buf_view(&bag), &scratch, &text);
    if (bag.failed || text.failed || scratch.failed) arena->failed = true; /* not the same as no value */
    ok &= !text.failed && !scratch.failed;
    if (ok) *out = kq_arena_copy(arena, kq_buf_view(&text));
    kq_buf_deinit(&bag);
    kq_buf_deinit(&text);
    kq_buf_deinit(&scratch);
    return ok && out->p;
}

static void item(writer write, kq_dyn d, kq_buf *scratch, kq_buf *out) {
    kq_buf_str(out, "<DataItem Type=\"System.XmlData\" time=\"\" " /* KQ_MAP_TIMED puts it there */
                    "sourceHealthServiceId=\"00000000-0000-0000-0000-000000000000\">");
    write(d, scratch, out);
    kq_buf_str(out, "</DataItem>");
}

static void event_item(kq_dyn d, kq_buf *scratch, kq_buf *out) {
    item(event_data, d, scratch, out);
}

static void user_item(kq_dyn d, kq_buf *scratch, kq_buf *out) {
    item(user_data, d, scratch, out);
}

bool kq_transform_dataxml(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return rewritten(in, event_item, true, arena, out);
}

bool kq_transform_userxml(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return rewritten(in, user_item, false, arena, out);
}

static void hash_list(kq_dyn d, KQ_UNUSED kq_buf *scratch, kq_buf *out) {
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        kq_sv key;
        kq_dyn value = kq_dyn_entry(d, i, &key);
        if (kq_dyn_tag_of(value) != KQ_DYN_STRING) continue;
        if (out->n) kq_buf_char(out, ',');
        for (size_t k = 0; k < key.n; k++)
            kq_buf_char(out, key.p[k] >= 'a' && key.p[k] <= 'z' ? (char)(key.p[k] - 0x20) : key.p[k]);
        kq_buf_char(out, '=');
        kq_buf_sv(out, kq_dyn_string(value));
    }
}

bool kq_transform_hashes(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return rewritten(in, hash_list, false, arena, out);
}

/* One value as the text that the event has; of an array each on a line of its own, as event logs give it. */
static void words(kq_dyn value, unsigned depth, kq_buf *scratch) {
    switch (kq_dyn_tag_of(value)) {
    case KQ_DYN_NULL: return;
    case KQ_DYN_STRING: kq_buf_sv(scratch, kq_dyn_string(value)); return;
    case KQ_DYN_ARRAY:
        if (depth > DEPTH_MAX) return;
        for (uint32_t i = 0, n = kq_dyn_count(value); i < n; i++) {
            if (i) kq_buf_char(scratch, '\n');
            words(kq_dyn_element(value, i), depth + 1, scratch);
        }
        return;
    default: kq_dyn_json(value, scratch);
    }
}

/* Appends the attributes in a bag, `marked` those that begin with @, as members; what names a name space is none. */
static void attribute_members(kq_dyn bag, bool marked, bool *any, kq_buf *scratch, kq_buf *out) {
    for (uint32_t i = 0, n = kq_dyn_tag_of(bag) == KQ_DYN_BAG ? kq_dyn_count(bag) : 0; i < n; i++) {
        kq_sv key;
        kq_dyn value = kq_dyn_entry(bag, i, &key);
        if (marked && (!key.n || key.p[0] != '@')) continue;
        if (marked) key = kq_sv_slice(key, 1, key.n);
        if (kq_sv_starts(key, KQ_SV("xmlns"))) continue;
        kq_buf_char(out, *any ? ',' : '{');
        *any = true;
        kq_json_string(key, out);
        kq_buf_char(out, ':');
        kq_buf_empty(scratch);
        words(value, 0, scratch);
        kq_json_string(kq_buf_view(scratch), out);
    }
}

/* An element as event logs give it: its attributes and elements, and its text as "#text" beside attributes; one of
 * nothing but text is that text. `more`: attributes that stand beside it. */
static void plain(kq_dyn value, kq_dyn more, unsigned depth, kq_buf *scratch, kq_buf *out) {
    bool bag = kq_dyn_tag_of(value) == KQ_DYN_BAG, any = false;
    kq_dyn text = bag ? kq_dyn_get(value, KQ_SV("#text")) : (kq_dyn){0};
    if (depth > DEPTH_MAX) {
        kq_buf_str(out, "null");
        return;
    }
    if (kq_dyn_tag_of(value) == KQ_DYN_ARRAY) {
        for (uint32_t i = 0, n = kq_dyn_count(value); i < n; i++) {
            kq_buf_char(out, i ? ',' : '[');
            plain(kq_dyn_element(value, i), more, depth + 1, scratch, out);
        }
        kq_buf_str(out, kq_dyn_count(value) ? "]" : "[]");
        return;
    }
    if (depth > 0) { /* those of UserData itself are shown nowhere */
        kq_dyn own = bag ? kq_dyn_get(value, KQ_SV("#attributes")) : (kq_dyn){0};
        if (own.n) attribute_members(own, false, &any, scratch, out);
        if (more.n) attribute_members(more, false, &any, scratch, out);
        if (bag) attribute_members(value, true, &any, scratch, out);
    }
    if (!bag || text.n) {
        kq_dyn content = text.n ? text : value;
        if (any && kq_dyn_tag_of(content) == KQ_DYN_NULL) {
            kq_buf_char(out, '}');
            return;
        }
        if (any) kq_buf_str(out, ",\"#text\":");
        if (kq_dyn_tag_of(content) == KQ_DYN_ARRAY || kq_dyn_tag_of(content) == KQ_DYN_BAG) {
            plain(content, (kq_dyn){0}, depth + 1, scratch, out);
        } else {
            kq_buf_empty(scratch);
            words(content, 0, scratch);
            kq_json_string(kq_buf_view(scratch), out);
        }
        if (any) kq_buf_char(out, '}');
        return;
    }
    if (!any) kq_buf_char(out, '{');
    for (uint32_t i = 0, n = kq_dyn_count(value); i < n; i++) {
        kq_sv key;
        kq_dyn part = kq_dyn_entry(value, i, &key);
        if (is_attributes(key) || kq_sv_ends(key, KQ_SV("_attributes"))) continue;
        if (any) kq_buf_char(out, ',');
        any = true;
        kq_json_string(key, out);
        kq_buf_char(out, ':');
        plain(part, beside(value, key), depth + 1, scratch, out);
    }
    kq_buf_char(out, '}');
}

static void member(kq_sv key, kq_dyn value, kq_buf *scratch, kq_buf *out) {
    if (out->n > 1) kq_buf_char(out, ',');
    kq_json_string(key, out);
    kq_buf_char(out, ':');
    kq_dyn text = kq_dyn_tag_of(value) == KQ_DYN_BAG ? kq_dyn_get(value, KQ_SV("#text")) : (kq_dyn){0};
    if (text.n) value = text;
    if (kq_dyn_tag_of(value) == KQ_DYN_BAG) {
        plain(value, (kq_dyn){0}, 1, scratch, out);
        return;
    }
    kq_buf_empty(scratch);
    words(value, 0, scratch);
    kq_json_string(kq_buf_view(scratch), out);
}

/* The object of event data as event logs give it: texts, and those without a name as param1, param2, ... */
static void texts(kq_dyn d, kq_buf *scratch, kq_buf *out) {
    bool list = kq_dyn_tag_of(d) == KQ_DYN_ARRAY;
    kq_buf_char(out, '{');
    for (uint32_t i = 0, n = list ? 1 : kq_dyn_count(d); i < n; i++) {
        kq_sv key = KQ_SV("Data");
        kq_dyn value = list ? d : kq_dyn_entry(d, i, &key);
        bool named = is_datum(value);
        kq_dyn text = kq_dyn_tag_of(value) == KQ_DYN_BAG ? kq_dyn_get(value, KQ_SV("#text")) : (kq_dyn){0};
        if (is_attributes(key) || kq_sv_ends(key, KQ_SV("_attributes"))) continue;
        if (kq_sv_eq(key, KQ_SV("Binary")) && kq_dyn_tag_of(value) == KQ_DYN_NULL) continue; /* an empty element */
        if (!kq_sv_eq(key, KQ_SV("Data")) || (!text.n && !named && kq_dyn_tag_of(value) != KQ_DYN_ARRAY)) {
            member(key, value, scratch, out);
            continue;
        }
        if (text.n && !named) value = text;
        bool many = kq_dyn_tag_of(value) == KQ_DYN_ARRAY;
        for (uint32_t k = 0, count = many ? kq_dyn_count(value) : 1; k < count; k++) {
            kq_dyn one = many ? kq_dyn_element(value, k) : value;
            char number[24];
            kq_sv name = {number, (size_t)snprintf(number, sizeof number, "param%u", k + 1)};
            (void)datum(one, &name, &one); /* otherwise it has a number */
            member(name, one, scratch, out);
        }
    }
    kq_buf_char(out, '}');
}

static void user_texts(kq_dyn d, kq_buf *scratch, kq_buf *out) {
    plain(d, (kq_dyn){0}, 0, scratch, out);
}

bool kq_transform_datajson(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return rewritten(in, texts, true, arena, out);
}

bool kq_transform_userjson(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return rewritten(in, user_texts, false, arena, out);
}
