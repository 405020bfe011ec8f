/*
 * One event, in one pass from '<' to '<'. Texts are views into the block unless they hold references. Every element is
 * checked to be closed by its own tag; a path is looked up only for what can be asked for.
 */
#include "base/utf8.h"
#include "native/json.h"
#include "source/xml_internal.h"

enum kind { OTHER, EVENT, SYSTEM, EVENT_DATA, USER_DATA, DATA_UNNAMED };

typedef struct parsing {
    kq_xml_reader *r;
    const char *p, *end; /* where it is; what is read of the block */
    const char *broken;  /* what is wrong with the event */
    bool failed;         /* memory is short */
    bool unwanted;       /* no set is left */
    bool odd;            /* a reference that is none was met */
    bool bare;           /* no rows are to be made */
    bool late;           /* what System holds is judged when the selectors have been: kq_request.met */
} parsing;

static bool broken(parsing *x, const char *why) {
    if (!x->broken) x->broken = why;
    return false;
}

static bool cut_off(parsing *x) {
    return broken(x, "the event is cut off");
}

/* Inside a tag: do the bytes end here? The block may go on with the next event: its '<' is no different from the end.
 */
static inline bool at_end(const parsing *x, const char *p) {
    return p >= x->end || *p == '<';
}

static inline uint64_t load8(const char *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint32_t load4(const char *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* ---- fields */

static bool fail(parsing *x) {
    x->failed = true;
    return false;
}

/* Text that is no UTF-8 is mended. */
static bool well_formed(parsing *x, kq_sv *text) {
    kq_xml_reader *r = x->r;
    if (r->clean || kq_text_is_utf8(text->p, text->n)) return true;
    size_t room = 3 * text->n;
    char *to = kq_arena_bytes(&r->arena, room), *out = to;
    if (!to) return fail(x);
    for (const char *p = text->p, *end = p + text->n; p < end;) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        out += kq_utf8_encode(cp, out);
    }
    text->p = to;
    text->n = (size_t)(out - to);
    kq_arena_trim(&r->arena, to, room, text->n);
    r->flaw = r->source->not_utf8;
    return true;
}

static bool unescape(parsing *x, kq_sv *text) {
    char *to = kq_arena_bytes(&x->r->arena, text->n);
    if (!to) return fail(x);
    size_t room = text->n;
    text->n = kq_xml_unescape(*text, to, &x->odd);
    text->p = to;
    kq_arena_trim(&x->r->arena, to, room, text->n);
    return true;
}

/* A want that asks for JSON gets JSON text. */
static bool as_json(kq_xml_reader *r, kq_field *field) {
    if (field->kind == KQ_FIELD_MISSING || field->kind == KQ_FIELD_NULL || field->kind == KQ_FIELD_JSON) return true;
    kq_buf_empty(&r->text);
    kq_event_field_json(field, &r->scratch, &r->text);
    if (r->text.failed || r->scratch.failed) return false;
    *field = (kq_field){.kind = KQ_FIELD_JSON, .u.text = kq_arena_copy(&r->arena, kq_buf_view(&r->text))};
    return field->u.text.p != NULL;
}

static void drop_set(kq_xml_reader *r, uint32_t i) {
    r->nalive--;
    memmove(r->alive + i, r->alive + i + 1, (r->nalive - i) * sizeof *r->alive);
}

/* Does the set's judge of want `k` take the field? */
static bool accepted(parsing *x, const kq_event_set *set, uint32_t k, kq_field field) {
    const kq_want *want = &set->wants[k];
    if (want->json && !as_json(x->r, &field)) return fail(x);
    return want->accept(want->accept_ctx, &field);
}

/* The sets that judge this slot and do not take its field are out. */
static bool judge(parsing *x, uint32_t slot) {
    kq_xml_reader *r = x->r;
    if (x->late && r->early[slot]) return true; /* decide() does */
    for (uint32_t i = 0; i < r->nalive;) {
        const kq_event_set *set = &r->request.sets[r->alive[i]];
        bool taken = true;
        for (uint32_t k = 0; taken && k < set->njudged; k++)
            if (set->slots[set->judged[k]] == slot) taken = accepted(x, set, set->judged[k], r->memo[slot]);
        if (x->failed) return false;
        if (taken)
            i++;
        else
            drop_set(r, i);
    }
    x->unwanted = r->nalive == 0 && !x->bare;
    return !x->unwanted;
}

/* Text becomes the field of a slot. */
static bool answer_text(parsing *x, uint32_t slot, kq_sv text) {
    kq_xml_reader *r = x->r;
    kq_field *f = &r->memo[slot];
    if (!well_formed(x, &text)) return false;
    kq_event_hint hint = (kq_event_hint)r->request.slots[slot].hint;
    *f = (kq_field){.kind = KQ_FIELD_STRING, .u.text = text};
    r->stamps[slot] = r->stamp;
    if (hint != KQ_EVENT_ANY)
        kq_event_hinted(hint, f);
    else if (text.n == 38 && text.p[0] == '{' && kq_event_guid(text, f->u.guid))
        f->kind = KQ_FIELD_GUID; /* as the value is one in EVTX */
    else
        f->u.text = text;
    return !r->judged[slot] || judge(x, slot);
}

static inline bool answer(parsing *x, uint32_t slot, kq_sv text, bool amp) {
    if (x->r->stamps[slot] == x->r->stamp) return true; /* an earlier one did */
    return (!amp || unescape(x, &text)) && answer_text(x, slot, text);
}

static inline uint32_t name_hash(kq_sv name, uint32_t shift) {
    uint64_t a, b = 0;
    if (name.n >= 8) {
        a = load8(name.p);
        b = load8(name.p + name.n - 8);
    } else if (name.n >= 4) {
        a = (uint64_t)load4(name.p) << 32 | load4(name.p + name.n - 4);
    } else {
        const unsigned char *u = (const unsigned char *)name.p;
        a = u[0] | (uint32_t)u[name.n / 2] << 8 | (uint32_t)u[name.n - 1] << 16;
    }
    return (uint32_t)(((a ^ (b << 23 | b >> 41) ^ name.n) * UINT64_C(0x9E3779B97F4A7C15)) >> shift);
}

/* The slot of EventData.<name>, or UINT32_MAX. */
static inline uint32_t data_slot(const kq_xml_reader *r, kq_sv name) {
    if (!r->names_shift) return UINT32_MAX;
    uint32_t mask = (UINT32_C(1) << (64 - r->names_shift)) - 1;
    for (uint32_t at = name_hash(name, r->names_shift); r->names[at].name.n; at = (at + 1) & mask)
        if (kq_sv_eq(r->names[at].name, name)) return r->names[at].slot;
    return UINT32_MAX;
}

/* A bit for a name: no path that is asked for has a part whose bit is not set. */
static inline uint64_t part_bit(kq_sv name) {
    if (!name.n) return 1;
    return UINT64_C(1) << ((name.n * 5 + (unsigned char)name.p[0] + 3u * (unsigned char)name.p[name.n - 1]) & 63);
}

/* Names may have dots: each run of parts of a path may be one. */
static void add_parts(kq_xml_reader *r, kq_sv path) {
    for (size_t i = 0; i < path.n; i++) {
        if (i && path.p[i - 1] != '.') continue;
        for (size_t k = i + 1; k <= path.n; k++)
            if (k == path.n || path.p[k] == '.') r->parts |= part_bit(kq_sv_slice(path, i, k));
    }
}

kq_status kq_xml_plan(kq_xml_reader *r, kq_error *err) {
    const kq_event_request *q = &r->request;
    kq_arena *arena = &r->plan;
    uint32_t n = q->nslots + 1, bits = 3;
    r->stamps = kq_arena_array(arena, uint32_t, n);
    r->memo = kq_arena_array(arena, kq_field, n);
    r->judged = kq_arena_array(arena, uint8_t, n);
    r->early = kq_arena_array(arena, uint8_t, n);
    r->alive = kq_arena_array(arena, uint32_t, (size_t)q->nsets + 1);
    r->row = kq_arena_array(arena, kq_field, (size_t)q->widest + 1);
    while ((UINT32_C(1) << bits) < 2 * n) bits++;
    r->names = kq_arena_array(arena, kq_xml_data_name, (size_t)1 << bits);
    if (!r->stamps || !r->memo || !r->judged || !r->early || !r->alive || !r->row || !r->names)
        return kq_arena_status(arena, err);
    for (uint32_t i = 0; i < q->nslots; i++) {
        const kq_event_slot *slot = &q->slots[i];
        kq_sv prefix = KQ_SV("EventData.");
        add_parts(r, slot->path);
        r->early[i] = slot->what == KQ_EVENT_PATH && kq_sv_starts(slot->path, KQ_SV("System."));
        if (slot->what != KQ_EVENT_PATH || !kq_sv_starts(slot->path, prefix) || slot->path.n == prefix.n) continue;
        size_t length = slot->path.n - prefix.n;
        const char *name = slot->path.p + prefix.n;
        r->names_shift = 64 - bits;
        uint32_t mask = (UINT32_C(1) << bits) - 1, at = name_hash((kq_sv){name, length}, r->names_shift);
        while (r->names[at].name.n) at = (at + 1) & mask;
        r->names[at] = (kq_xml_data_name){{name, length}, i};
    }
    for (uint32_t i = 0; i < q->nsets; i++)
        for (uint32_t k = 0; k < q->sets[i].njudged; k++) r->judged[q->sets[i].slots[q->sets[i].judged[k]]] = 1;
    return KQ_OK;
}

/* ---- elements */

static inline bool name_byte(char c) {
    static const bool no[256] = {[0] = true,   [' '] = true, ['\n'] = true, ['\r'] = true, ['\t'] = true,
                                 ['>'] = true, ['/'] = true, ['='] = true,  ['<'] = true};
    return !no[(unsigned char)c];
}

/* The first quote or '<' in [p, end), or end. */
static inline const char *value_end(const char *p, const char *end, char quote) {
#ifdef __SSE2__
    const __m128i less = _mm_set1_epi8('<'), close = _mm_set1_epi8(quote);
    for (; p < end; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        unsigned stop = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, close), _mm_cmpeq_epi8(v, less)));
        if (!stop) continue;
        p += __builtin_ctz(stop);
        return p < end ? p : end;
    }
    return end;
#else
    while (p < end && *p != quote && *p != '<') p++;
    return p;
#endif
}

static kq_sv without_prefix(const kq_xml_reader *r, kq_sv name) {
    kq_sv prefix = r->source->names.prefix;
    return prefix.n && kq_sv_starts(name, prefix) ? kq_sv_slice(name, prefix.n, name.n) : name;
}

/* Puts a name behind the path of its parent. */
static void extend(kq_xml_reader *r, const kq_xml_level *parent, kq_sv name, kq_xml_level *to) {
    uint32_t n = parent->npath, dot = n > 0;
    to->hash = parent->hash;
    to->npath = n;
    to->lost = parent->lost || !(r->parts & part_bit(name)) || n + dot + name.n > sizeof r->path;
    if (to->lost) return;
    if (dot) {
        r->path[to->npath++] = '.';
        to->hash = kq_event_hash(to->hash, KQ_SV("."));
    }
    memcpy(r->path + to->npath, name.p, name.n);
    to->npath += (uint32_t)name.n;
    to->hash = kq_event_hash(to->hash, name);
}

static inline uint32_t path_slot(const kq_xml_reader *r, const kq_xml_level *at) {
    if (at->lost) return UINT32_MAX;
    return kq_event_slot_find(&r->request, (kq_sv){r->path, at->npath}, at->hash);
}

/* The text of an element that has no elements in it. */
static bool leaf(parsing *x, kq_xml_level *level, const char *to) {
    kq_xml_reader *r = x->r;
    kq_sv text = {level->text, (size_t)(to - level->text)};
    uint32_t slot = UINT32_MAX;
    if (level->kind == OTHER) slot = path_slot(r, level);
    if (slot == UINT32_MAX && level->kind != DATA_UNNAMED) return true;
    bool amp = level->amp;
    if (level->pieces) {
        char *room = kq_buf_reserve(&r->pieces, text.n + 1);
        if (!room) return fail(x);
        r->pieces.n += kq_xml_unescape(text, room, &x->odd);
        text = kq_arena_copy(&r->arena, kq_buf_view(&r->pieces));
        if (!text.p) return fail(x);
        amp = false;
    }
    if (slot != UINT32_MAX) return answer(x, slot, text, amp);
    if ((amp && !unescape(x, &text)) || !well_formed(x, &text)) return false;
    kq_buf_append(&r->unnamed, &text, sizeof text);
    return !r->unnamed.failed || fail(x);
}

/* More of an element's text than one run: what came before a section, and what the CDATA holds. */
static bool piece(parsing *x, kq_xml_level *level, kq_sv before, kq_sv cdata) {
    kq_buf *b = &x->r->pieces;
    if (level->children) return true;
    if (!level->pieces) kq_buf_clear(b);
    level->pieces = true;
    char *to = kq_buf_reserve(b, before.n + 1);
    if (!to) return fail(x);
    b->n += kq_xml_unescape(before, to, &x->odd);
    kq_buf_sv(b, cdata);
    return !b->failed || fail(x);
}

/* Is there as much of a section's mark at p as there are bytes up to the end or the next '<'? */
static bool mark_cut(const parsing *x, const char *p) {
    for (kq_xml_section kind = KQ_XML_COMMENT; kind <= KQ_XML_CDATA; kind++) {
        kq_sv open = kq_xml_marks[kind].open;
        size_t n = 1;
        while (n < open.n && p + n < x->end && p[n] == open.p[n]) n++;
        if (n < open.n && at_end(x, p + n)) return true;
    }
    return false;
}

/* At "<!" or "<?". */
static bool markup(parsing *x) {
    kq_xml_reader *r = x->r;
    kq_xml_level *level = &r->levels[r->depth - 1];
    kq_sv cdata = {"", 0}, before = {level->text, (size_t)(x->p - level->text)};
    bool unsure = false;
    kq_xml_section kind = kq_xml_section_at(x->p, x->end, &unsure);
    const struct kq_xml_marks *m = &kq_xml_marks[kind];
    const char *to = kind ? kq_xml_section_end(kind, x->p, x->end) : NULL;
    static const char *const open[] = {"", "a comment that is not closed", "CDATA that is not closed",
                                       "an instruction that is not closed"};
    if (!kind) {
        return mark_cut(x, x->p) ? cut_off(x) : broken(x, "a declaration inside an event");
    } else if (!to) {
        return broken(x, open[kind]);
    }
    if (kq_xml_swallows(&r->source->names, kind, x->p, to))
        r->flaw = "CDATA, a comment or an instruction that may have been cut off: it holds the start of an event and "
                  "of another like it";
    if (kind == KQ_XML_CDATA) cdata = (kq_sv){x->p + m->open.n, (size_t)(to - x->p) - m->open.n};
    x->p = to + m->close.n;
    if (!piece(x, level, before, cdata)) return false;
    level->text = x->p;
    level->amp = false;
    return true;
}

/* The sets that System rules out. Only what is known once it is read is judged. */
static bool decide(parsing *x) {
    kq_xml_reader *r = x->r;
    static const kq_field missing = {.kind = KQ_FIELD_MISSING};
    for (uint32_t i = 0; i < r->nalive;) {
        const kq_event_set *set = &r->request.sets[r->alive[i]];
        bool taken = true;
        for (uint32_t k = 0; taken && k < set->nselectors; k++) {
            uint32_t slot = set->selectors[k].slot;
            if (!r->early[slot]) continue;
            taken = kq_event_selected(&set->selectors[k], r->stamps[slot] == r->stamp ? &r->memo[slot] : &missing);
        }
        for (uint32_t k = 0; taken && k < set->njudged; k++) {
            uint32_t slot = set->slots[set->judged[k]];
            bool there = r->stamps[slot] == r->stamp;
            if (r->early[slot] && (x->late || !there))
                taken = accepted(x, set, set->judged[k], there ? r->memo[slot] : missing);
        }
        if (x->failed) return false;
        if (taken)
            i++;
        else
            drop_set(r, i);
    }
    x->unwanted = r->nalive == 0 && !x->bare;
    return !x->unwanted;
}

/* An element ends at `to`, where its end tag or "/>" stands; x->p is behind that. */
static bool close_element(parsing *x, const char *to) {
    kq_xml_reader *r = x->r;
    kq_xml_level *level = &r->levels[r->depth - 1];
    if (!level->children && !leaf(x, level, to)) return false;
    r->depth--;
    if (level->kind == SYSTEM) return decide(x);
    if (level->kind == EVENT_DATA || level->kind == USER_DATA) r->data_end = x->p;
    return true;
}

static bool end_tag(parsing *x) {
    kq_xml_reader *r = x->r;
    const kq_xml_level *level = &r->levels[r->depth - 1];
    const char *to = x->p, *p = to + 2;
    bool fits = (size_t)(x->end - p) > level->nname && memcmp(p, level->name, level->nname) == 0;
    if (fits) p = kq_xml_skip(p + level->nname, x->end);
    if (!fits || p == x->end || *p != '>') {
        while (p < x->end && *p != '<' && *p != '>') p++;
        return at_end(x, p) ? cut_off(x) : broken(x, "an end tag that fits no start tag");
    }
    x->p = p + 1;
    return close_element(x, to);
}

/* One attribute: name="value". */
static bool attribute(parsing *x, kq_sv *name, kq_sv *value) {
    const char *p = x->p;
    while (p < x->end && name_byte(*p)) p++;
    *name = (kq_sv){x->p, (size_t)(p - x->p)};
    p = kq_xml_skip(p, x->end);
    if (at_end(x, p)) return cut_off(x);
    if (*p != '=' || !name->n) return broken(x, "a tag that is not well-formed");
    p = kq_xml_skip(p + 1, x->end);
    if (at_end(x, p)) return cut_off(x);
    if (*p != '"' && *p != '\'') return broken(x, "an attribute without quotes");
    char quote = *p++;
    const char *q = value_end(p, x->end, quote);
    if (at_end(x, q)) return cut_off(x);
    *value = (kq_sv){p, (size_t)(q - p)};
    x->p = q + 1;
    return true;
}

static uint8_t kind_below_event(kq_sv name) {
    if (kq_sv_eq(name, KQ_SV("System"))) return SYSTEM;
    if (kq_sv_eq(name, KQ_SV("EventData"))) return EVENT_DATA;
    return kq_sv_eq(name, KQ_SV("UserData")) ? USER_DATA : OTHER;
}

static bool answer_attribute(parsing *x, const kq_xml_level *element, kq_sv name, kq_sv value) {
    kq_xml_level at;
    extend(x->r, element, name, &at);
    uint32_t slot = path_slot(x->r, &at);
    return slot == UINT32_MAX || answer(x, slot, value, value.n && memchr(value.p, '&', value.n) != NULL);
}

/* The run of Data elements with one name that follows the first: their texts are one, a line each, as the values of an
 * array are in EVTX. `tag` is the first one's start tag up to the '>'. */
static bool same_data(parsing *x, kq_sv tag, uint32_t slot, kq_sv text, bool amp) {
    kq_xml_reader *r = x->r;
    kq_buf_clear(&r->pieces);
    for (;;) {
        if (amp && !unescape(x, &text)) return false;
        kq_buf_sv(&r->pieces, text);
        const char *p = kq_xml_skip(x->p, x->end);
        if ((size_t)(x->end - p) <= tag.n + 2 || memcmp(p, tag.p, tag.n) != 0) break;
        p += tag.n;
        amp = false;
        if (p[0] == '/' && p[1] == '>') {
            kq_buf_char(&r->pieces, '\n');
            text.n = 0;
            x->p = p + 2;
            continue;
        }
        if (*p++ != '>') break;
        const char *to = kq_xml_text_end(p, x->end, &amp);
        if (x->end - to < 7 || memcmp(to, "</Data>", 7) != 0) break; /* its own text then */
        text = (kq_sv){p, (size_t)(to - p)};
        kq_buf_char(&r->pieces, '\n');
        x->p = to + 7;
    }
    text = kq_arena_copy(&r->arena, kq_buf_view(&r->pieces));
    if (r->pieces.failed || !text.p) return fail(x);
    return answer(x, slot, text, false);
}

/* <Data Name='x'>text</Data>, as nearly all Data elements are. False when it is anything else, or when the event ends
 * here for us: then *stop. */
static inline bool plain_data(parsing *x, bool *stop) {
    const char *p = x->p, *end = x->end;
    *stop = false;
    if (end - p < 24 || load8(p) != load8("<Data Na") || p[8] != 'm' || p[9] != 'e' || p[10] != '=') return false;
    char quote = p[11];
    if (quote != '\'' && quote != '"') return false;
    const char *name = p + 12, *q = value_end(name, end, quote);
    if (end - q < 9 || *q != quote || q[1] != '>' || q == name) return false;
    kq_sv label = {name, (size_t)(q - name)};
    bool amp = false;
    const char *text = q + 2, *to = kq_xml_text_end(text, end, &amp);
    if (end - to < 7 || memcmp(to, "</Data>", 7) != 0) return false;
    uint32_t slot = data_slot(x->r, label);
    if (slot == UINT32_MAX) {
        if (memchr(name, '&', label.n)) return false;
        x->p = to + 7;
        return true;
    }
    x->p = to + 7;
    kq_sv tag = {p, (size_t)(q + 1 - p)}, value = {text, (size_t)(to - text)};
    const char *next = kq_xml_skip(x->p, end);
    bool again = (size_t)(end - next) > tag.n && memcmp(next, tag.p, tag.n) == 0;
    *stop = again ? !same_data(x, tag, slot, value, amp) : !answer(x, slot, value, amp);
    return !*stop;
}

static bool start_tag(parsing *x) {
    kq_xml_reader *r = x->r;
    kq_xml_level *parent = r->depth ? &r->levels[r->depth - 1] : NULL;
    const char *start = x->p, *p = start + 1;
    if (r->depth == KQ_XML_DEPTH) return broken(x, "elements are nested too deeply");
    while (p < x->end && name_byte(*p)) p++;
    if (at_end(x, p)) return cut_off(x);
    kq_sv name = {start + 1, (size_t)(p - start) - 1};
    if (!name.n) return broken(x, "a tag that is not well-formed");
    kq_sv event = r->source->names.event;
    if (parent && name.n + 1 == event.n && memcmp(start, event.p, event.n) == 0 &&
        kq_xml_is_start(&r->source->names, start, r->block.p + r->block.n, true) == KQ_XML_YES)
        return cut_off(x);
    kq_xml_level *level = &r->levels[r->depth++];
    *level = (kq_xml_level){.name = name.p, .nname = (uint32_t)name.n, .hash = KQ_EVENT_HASH_START};
    name = without_prefix(r, name);
    bool data = false;
    if (!parent) {
        level->kind = EVENT;
    } else {
        parent->children = true;
        if (parent->kind == EVENT) level->kind = kind_below_event(name);
        data = parent->kind == EVENT_DATA && kq_sv_eq(name, KQ_SV("Data"));
        if (!data) extend(r, parent, name, level);
        if ((level->kind == EVENT_DATA || level->kind == USER_DATA) && !r->data) r->data = start;
    }
    kq_sv label = {"", 0};
    x->p = p;
    for (unsigned n = 0;; n++) {
        x->p = kq_xml_skip(x->p, x->end);
        if (at_end(x, x->p)) return cut_off(x);
        if (*x->p == '>' || *x->p == '/') break;
        if (n == KQ_XML_ATTRS) return broken(x, "an element has too many attributes");
        kq_sv key, value;
        if (!attribute(x, &key, &value)) return false;
        if (data) {
            if (!kq_sv_eq(key, KQ_SV("Name"))) continue;
            label = value;
            if (label.n && memchr(label.p, '&', label.n) && !unescape(x, &label)) return false;
        } else if (parent && !answer_attribute(x, level, key, value)) {
            return false;
        }
    }
    if (data) {
        level->kind = label.n ? OTHER : DATA_UNNAMED;
        if (label.n)
            extend(r, parent, label, level);
        else
            level->lost = true;
    }
    if (*x->p == '/') {
        if (at_end(x, x->p + 1)) return cut_off(x);
        if (x->p[1] != '>') return broken(x, "a tag that is not well-formed");
        x->p += 2;
        level->text = start;
        return close_element(x, start);
    }
    level->text = ++x->p;
    return true;
}

static bool parse(parsing *x) {
    kq_xml_reader *r = x->r;
    do {
        char c = x->p[1]; /* the slack has zeros */
        bool ok, stop;
        if (c == 'D' && r->depth == 2 && r->levels[1].kind == EVENT_DATA) {
            if (plain_data(x, &stop))
                ok = r->levels[1].children = true;
            else
                ok = !stop && start_tag(x);
        } else if (c == '/') {
            ok = end_tag(x);
        } else if (c == '!' || c == '?') {
            ok = markup(x);
        } else {
            ok = start_tag(x);
        }
        if (!ok) return false;
        if (!r->depth) return true;
        kq_xml_level *level = &r->levels[r->depth - 1];
        x->p = kq_xml_text_end(x->p, x->end, &level->amp);
    } while (x->p < x->end);
    return cut_off(x);
}

/* ---- rows */

static bool unnamed_field(kq_xml_reader *r, int32_t number, kq_field *out) {
    const kq_sv *texts = (const kq_sv *)(const void *)r->unnamed.p;
    size_t n = r->unnamed.n / sizeof *texts;
    if (number > 0 && (size_t)number <= n) {
        *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = texts[number - 1]};
    } else if (number == 0 && n) {
        kq_buf_empty(&r->text);
        for (size_t i = 0; i < n; i++) {
            if (i) kq_buf_char(&r->text, '\n');
            kq_buf_sv(&r->text, texts[i]);
        }
        if (r->text.failed) return false;
        *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = kq_arena_copy(&r->arena, kq_buf_view(&r->text))};
        return out->u.text.p != NULL;
    }
    return true;
}

static bool slot_field(parsing *x, uint32_t slot, kq_field *out);

static bool whole_field(parsing *x, bool json, kq_field *out) {
    kq_xml_reader *r = x->r;
    if (!r->data) return true;
    kq_buf *text = &r->text;
    kq_field time = {.kind = KQ_FIELD_MISSING};
    if (!json && !slot_field(x, r->request.time, &time)) return false;
    kq_buf_empty(text);
    if (!json) kq_event_item_start(&time, text);
    if (!kq_xml_whole(r, json, text)) {
        r->flaw = "EventData has too many elements to be shown whole";
        return !text->failed && !r->scratch.failed && !r->bx.arena.failed;
    }
    if (!json) kq_event_item_end(text);
    kq_sv copy = kq_arena_copy(&r->arena, kq_buf_view(text));
    if (text->failed || r->scratch.failed || r->bx.arena.failed || !copy.p) return false;
    *out = (kq_field){.kind = json ? KQ_FIELD_JSON : KQ_FIELD_STRING, .u.text = copy};
    return well_formed(x, &out->u.text);
}

static bool slot_field(parsing *x, uint32_t slot, kq_field *out) {
    kq_xml_reader *r = x->r;
    const kq_event_slot *s = &r->request.slots[slot];
    kq_field *f = &r->memo[slot];
    bool ok = true;
    if (r->stamps[slot] != r->stamp) {
        f->kind = KQ_FIELD_MISSING;
        switch ((kq_event_what)s->what) {
        case KQ_EVENT_PATH:
            if (s->unnamed >= 0) ok = unnamed_field(r, s->unnamed, f);
            break;
        case KQ_EVENT_FILE: *f = (kq_field){KQ_FIELD_STRING, .u.text = kq_sv_of(r->source->base.input->path)}; break;
        case KQ_EVENT_OFFSET: *f = (kq_field){KQ_FIELD_LONG, .u.l = (int64_t)kq_xml_offset(r, r->start)}; break;
        case KQ_EVENT_INDEX: *f = (kq_field){KQ_FIELD_LONG, .u.l = (int64_t)r->number}; break;
        case KQ_EVENT_RAW:
            *f = (kq_field){KQ_FIELD_STRING, .u.text = {r->start, (size_t)(x->p - r->start)}};
            ok = well_formed(x, &f->u.text);
            break;
        case KQ_EVENT_XML:
        case KQ_EVENT_JSON: ok = whole_field(x, s->what == KQ_EVENT_JSON, f); break;
        case KQ_EVENT_RECOVERED: /* not asked of XML */
        case KQ_EVENT_NOTHING: break;
        }
        r->stamps[slot] = r->stamp;
    }
    *out = *f;
    return ok || fail(x);
}

/* Does the event belong to the set? What decide() and judge() have seen is not asked again. */
static bool take(parsing *x, const kq_event_set *set, bool *taken) {
    kq_xml_reader *r = x->r;
    kq_field field;
    *taken = false;
    for (uint32_t k = 0; k < set->nselectors; k++) {
        uint32_t slot = set->selectors[k].slot;
        if (r->early[slot]) continue;
        if (!slot_field(x, slot, &field)) return false;
        if (!kq_event_selected(&set->selectors[k], &field)) return true;
    }
    for (uint32_t k = 0; k < set->njudged; k++) {
        uint32_t slot = set->slots[set->judged[k]];
        if (r->early[slot]) continue;
        if (!slot_field(x, slot, &field)) return false;
        const kq_event_slot *s = &r->request.slots[slot];
        if (s->what == KQ_EVENT_PATH && s->unnamed < 0 && field.kind != KQ_FIELD_MISSING) continue;
        if (!accepted(x, set, set->judged[k], field)) return !x->failed;
    }
    *taken = true;
    return true;
}

static bool fill_row(parsing *x, const kq_event_set *set) {
    for (uint32_t i = 0; i < set->nwants; i++) {
        if (!slot_field(x, set->slots[i], &x->r->row[i])) return false;
        if (set->wants[i].json && !as_json(x->r, &x->r->row[i])) return fail(x);
    }
    return true;
}

static kq_status memory_status(const kq_xml_reader *r, kq_error *err) {
    KQ_TRY(kq_arena_status(&r->arena, err));
    KQ_TRY(kq_arena_status(&r->bx.arena, err));
    KQ_TRY(kq_buf_status(&r->text, err));
    KQ_TRY(kq_buf_status(&r->scratch, err));
    KQ_TRY(kq_buf_status(&r->pieces, err));
    KQ_TRY(kq_buf_status(&r->unnamed, err));
    return kq_nomem(err);
}

kq_status kq_xml_event(kq_xml_reader *r, const char *p, const kq_row_sink *sink, const char **end, bool *skipped,
                       const char **why, bool *done, kq_error *err) {
    parsing x = {.r = r, .p = p, .end = r->block.p + r->to, .bare = !sink};
    const bool *met = r->base.request->met;
    x.late = met && !__atomic_load_n(met, __ATOMIC_RELAXED);
    r->start = p;
    r->flaw = NULL;
    r->data = r->data_end = NULL;
    r->depth = 0;
    kq_buf_clear(&r->unnamed);
    kq_buf_clear(&r->text);
    kq_buf_clear(&r->scratch);
    r->nalive = sink ? r->request.nsets : 0;
    for (uint32_t i = 0; i < r->nalive; i++) r->alive[i] = i;
    if (++r->stamp == 0) {
        memset(r->stamps, 0, r->request.nslots * sizeof *r->stamps);
        r->stamp = 1;
    }
    bool whole = parse(&x), given = false;
    *end = x.p;
    *skipped = x.unwanted;
    *why = x.broken;
    if (x.failed) return memory_status(r, err);
    for (uint32_t i = 0; whole && i < r->nalive && !*done; i++) {
        const kq_event_set *set = &r->request.sets[r->alive[i]];
        bool taken;
        if (!take(&x, set, &taken)) return memory_status(r, err);
        if (!taken) continue;
        given = true;
        if (!fill_row(&x, set)) return memory_status(r, err);
        if (sink->offset) *sink->offset = kq_xml_offset(r, p);
        KQ_TRY(sink->row(sink->ctx, r->alive[i], r->row, done, err));
    }
    /* also where only parts of it that were made anew (EventData) held it, or nothing that was asked for */
    if (given && !r->clean && !r->flaw && !kq_text_is_utf8(p, (size_t)(x.p - p))) r->flaw = r->source->not_utf8;
    if (x.odd && sink && !r->flaw) r->flaw = "a '&' that begins no reference, left as it is";
    return KQ_OK;
}
