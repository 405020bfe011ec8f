#include "source/event_request.h"
#include "base/number.h"

/* The short names of what every event has, as the schema writes them. */
static const struct {
    const char *name, *path;
    kq_event_hint hint;
} system_names[] = {
    {"System.Provider", "System.Provider.Name", KQ_EVENT_ANY},
    {"System.ProviderGuid", "System.Provider.Guid", KQ_EVENT_GUID},
    {"System.EventSourceName", "System.Provider.EventSourceName", KQ_EVENT_ANY},
    {"System.EventID", "System.EventID", KQ_EVENT_LONG},
    {"System.Qualifiers", "System.EventID.Qualifiers", KQ_EVENT_LONG},
    {"System.Version", "System.Version", KQ_EVENT_LONG},
    {"System.Level", "System.Level", KQ_EVENT_LONG},
    {"System.Task", "System.Task", KQ_EVENT_LONG},
    {"System.Opcode", "System.Opcode", KQ_EVENT_LONG},
    {"System.Keywords", "System.Keywords", KQ_EVENT_ANY},
    {"System.TimeCreated", "System.TimeCreated.SystemTime", KQ_EVENT_DATETIME},
    {"System.EventRecordID", "System.EventRecordID", KQ_EVENT_LONG},
    {"System.ActivityID", "System.Correlation.ActivityID", KQ_EVENT_GUID},
    {"System.RelatedActivityID", "System.Correlation.RelatedActivityID", KQ_EVENT_GUID},
    {"System.ProcessID", "System.Execution.ProcessID", KQ_EVENT_LONG},
    {"System.ThreadID", "System.Execution.ThreadID", KQ_EVENT_LONG},
    {"System.Channel", "System.Channel", KQ_EVENT_ANY},
    {"System.Computer", "System.Computer", KQ_EVENT_ANY},
    {"System.UserID", "System.Security.UserID", KQ_EVENT_ANY},
};

static const struct {
    const char *name;
    kq_event_what what;
} made_names[] = {
    {"$file", KQ_EVENT_FILE},           {"$offset", KQ_EVENT_OFFSET},      {"$index", KQ_EVENT_INDEX},
    {"$EventDataXml", KQ_EVENT_XML},    {"$EventDataJson", KQ_EVENT_JSON}, {"$raw", KQ_EVENT_RAW},
    {"$recovered", KQ_EVENT_RECOVERED},
};

static int32_t unnamed_number(kq_sv name) {
    kq_sv prefix = KQ_SV("EventData.param");
    if (kq_sv_eq(name, KQ_SV("EventData.Data"))) return 0;
    if (!kq_sv_starts(name, prefix) || name.n == prefix.n || name.n > prefix.n + 5) return -1;
    int32_t n = 0;
    for (size_t i = prefix.n; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9' || (i == prefix.n && name.p[i] == '0')) return -1;
        n = n * 10 + (name.p[i] - '0');
    }
    return n;
}

static kq_event_slot slot_of(kq_sv name, bool written) {
    kq_event_slot slot = {.path = name, .written = written, .unnamed = -1};
    if (name.n > 0 && name.p[0] == '$') {
        slot.what = KQ_EVENT_NOTHING;
        for (size_t i = 0; i < sizeof made_names / sizeof *made_names; i++)
            if (kq_sv_eq(name, kq_sv_of(made_names[i].name))) slot.what = (uint8_t)made_names[i].what;
    }
    for (size_t i = 0; i < sizeof system_names / sizeof *system_names; i++) {
        kq_sv path = kq_sv_of(system_names[i].path);
        if (!kq_sv_eq(name, kq_sv_of(system_names[i].name)) && !kq_sv_eq(name, path)) continue;
        slot.path = path;
        slot.hint = (uint8_t)system_names[i].hint;
    }
    slot.unnamed = unnamed_number(name);
    slot.hash = kq_event_hash(KQ_EVENT_HASH_START, slot.path);
    return slot;
}

static uint32_t find(const kq_event_request *request, kq_sv path, uint32_t hash, bool written) {
    for (uint32_t at = hash & request->table_mask; request->table[at]; at = (at + 1) & request->table_mask) {
        const kq_event_slot *slot = &request->slots[request->table[at] - 1];
        if (slot->hash == hash && slot->written == written && kq_sv_eq(slot->path, path)) return request->table[at] - 1;
    }
    return UINT32_MAX;
}

uint32_t kq_event_slot_find(const kq_event_request *request, kq_sv path, uint32_t hash) {
    return find(request, path, hash, false);
}

/* The slot of a name, added when it is new. The arrays have room for every name of the request. */
static uint32_t intern(kq_event_request *request, kq_sv name, bool written) {
    kq_event_slot slot = slot_of(name, written);
    uint32_t found = find(request, slot.path, slot.hash, written);
    if (found != UINT32_MAX) return found;
    uint32_t at = slot.hash & request->table_mask;
    while (request->table[at]) at = (at + 1) & request->table_mask;
    request->slots[request->nslots] = slot;
    request->table[at] = ++request->nslots;
    if (slot.unnamed >= 0) request->unnamed = true;
    return request->nslots - 1;
}

static bool decimal_text(kq_sv text, int64_t *number) {
    size_t i = text.n > 0 && text.p[0] == '-';
    if (i == text.n || (text.p[i] == '0' && text.n > 1)) return false;
    for (size_t k = i; k < text.n; k++)
        if (text.p[k] < '0' || text.p[k] > '9') return false;
    return kq_number_parse_long(text, number);
}

static bool compile_set(kq_event_request *request, const kq_want_set *from, kq_event_set *set) {
    kq_arena *arena = &request->arena;
    kq_event_selector *selectors = kq_arena_array(arena, kq_event_selector, from->nselectors);
    uint32_t *slots = kq_arena_array(arena, uint32_t, from->nwants);
    uint32_t *judged = kq_arena_array(arena, uint32_t, from->nwants);
    if (!selectors || !slots || !judged) return false;
    for (uint32_t i = 0; i < from->nselectors; i++) {
        const kq_selector *s = &from->selectors[i];
        kq_event_any *any = kq_arena_array(arena, kq_event_any, s->n);
        if (!any) return false;
        for (uint32_t k = 0; k < s->n; k++) {
            any[k].text = s->any_of[k];
            any[k].is_number = decimal_text(s->any_of[k], &any[k].number);
        }
        selectors[i] =
            (kq_event_selector){.slot = intern(request, s->name, false), .any_of = any, .n = s->n, .not = s->not };
    }
    for (uint32_t i = 0; i < from->nwants; i++) {
        slots[i] = intern(request, from->wants[i].name, from->wants[i].written);
        if (from->wants[i].accept) judged[set->njudged++] = i;
    }
    set->selectors = selectors;
    set->nselectors = from->nselectors;
    set->wants = from->wants;
    set->slots = slots;
    set->judged = judged;
    set->nwants = from->nwants;
    if (from->nwants > request->widest) request->widest = from->nwants;
    return true;
}

kq_status kq_event_request_init(kq_event_request *request, const kq_request *from, kq_budget *budget, kq_error *err) {
    *request = (kq_event_request){.nsets = from->nsets};
    kq_arena_init(&request->arena, budget, 16 * 1024);
    size_t names = 1, entries = 16;
    for (uint32_t i = 0; i < from->nsets; i++) names += from->sets[i].nselectors + from->sets[i].nwants;
    while (entries < names * 2) entries *= 2;
    request->slots = kq_arena_array(&request->arena, kq_event_slot, names);
    request->table = kq_arena_array(&request->arena, uint32_t, entries);
    request->table_mask = (uint32_t)entries - 1;
    request->sets = kq_arena_array(&request->arena, kq_event_set, from->nsets);
    bool ok = request->slots && request->table && request->sets;
    for (uint32_t i = 0; ok && i < from->nsets; i++) ok = compile_set(request, &from->sets[i], &request->sets[i]);
    for (uint32_t i = 0; ok && i < request->nslots; i++)
        if (request->slots[i].what == KQ_EVENT_XML) request->time = intern(request, KQ_SV("System.TimeCreated"), false);
    if (ok) return KQ_OK;
    kq_status status = kq_arena_status(&request->arena, err);
    kq_event_request_deinit(request);
    return status;
}

void kq_event_request_deinit(kq_event_request *request) {
    kq_arena_deinit(&request->arena);
}

static bool has_text(const kq_event_selector *selector, kq_sv text) {
    for (const kq_event_any *any = selector->any_of, *end = any + selector->n; any < end; any++)
        if (kq_sv_eq_ascii_ci(any->text, text)) return true;
    return false;
}

static bool has_one(const kq_event_selector *selector, const kq_field *field) {
    const kq_event_any *any = selector->any_of, *end = any + selector->n;
    char text[40];
    kq_buf buf;
    bool found = false;
    if (!selector->n) return field->kind != KQ_FIELD_MISSING && field->kind != KQ_FIELD_NULL;
    switch (field->kind) {
    case KQ_FIELD_LONG:
        for (; any < end; any++)
            if (any->is_number && any->number == field->u.l) return true;
        return false;
    case KQ_FIELD_STRING: return has_text(selector, field->u.text);
    case KQ_FIELD_BOOL: return has_text(selector, field->u.b ? KQ_SV("true") : KQ_SV("false"));
    case KQ_FIELD_GUID: { /* with or without braces */
        kq_sv guid = {text, kq_event_guid_text(field->u.guid, text)};
        return has_text(selector, guid) || has_text(selector, kq_sv_slice(guid, 1, guid.n - 1));
    }
    case KQ_FIELD_MISSING:
    case KQ_FIELD_NULL: return false;
    default: /* no map selects by a time or a fraction: by its text */
        kq_buf_init(&buf, NULL, 0);
        kq_event_field_text(field, &buf);
        found = has_text(selector, kq_buf_view(&buf));
        kq_buf_deinit(&buf);
        return found;
    }
}

bool kq_event_selected(const kq_event_selector *selector, const kq_field *field) {
    return has_one(selector, field) != selector->not ;
}
