#include "source/json_record.h"
#include "base/number.h"
#include "source/json_value.h"
#include "source/scan_bytes.h"
#include <stdio.h>

#define OPEN_KEEP ((size_t)1 << 20) /* room of the index of `properties`; more is given back */

typedef struct walk {
    kq_json_walker *w;
    const char *text;
    const uint32_t *at;
    uint32_t i, n;
    bool whole;
    kq_status status;
    kq_error *err;
} walk;

typedef enum step { GO_ON, STOP, BROKEN } step; /* STOP: nothing more is wanted of the record, or w->status is set */

kq_status kq_json_walker_init(kq_json_walker *w, const kq_request *request, kq_budget *budget, kq_error *err) {
    memset(w, 0, sizeof *w);
    kq_arena_init(&w->fixed, budget, 0);
    kq_arena_init(&w->scratch, budget, 0);
    KQ_TRY(kq_json_keys_make(request, &w->fixed, &w->keys, err));
    w->found = kq_arena_array(&w->fixed, kq_json_found, (size_t)w->keys.nslots + 1);
    w->judged = kq_arena_array(&w->fixed, uint32_t, (size_t)w->keys.nslots + 1);
    w->alive = kq_arena_array(&w->fixed, bool, (size_t)request->nsets + 1);
    w->left = kq_arena_array(&w->fixed, uint32_t, (size_t)request->nsets + 1);
    w->fields = kq_arena_array(&w->fixed, kq_field, (size_t)w->keys.nwants_max + 1);
    KQ_TRY(kq_arena_status(&w->fixed, err));
    for (uint32_t i = 0; i < w->keys.nslots; i++)
        if (w->keys.slots[i].checks) w->judged[w->njudged++] = i;
    if (!request->named) return KQ_OK;
    kq_json_walker *named = kq_arena_new(&w->fixed, kq_json_walker);
    if (!named) return kq_arena_status(&w->fixed, err);
    w->named = named;
    KQ_TRY(kq_json_walker_init(named, request->named, budget, err));
    named->first = w->first + request->nsets;
    w->keys.numbered |= named->keys.numbered;
    return KQ_OK;
}

static void drop_index(kq_json_walker *w) {
    if (!w->index) return;
    kq_budget_release(w->scratch.budget, w->index_room ? kq_json_index_bytes(w->index_room) : 0);
    kq_json_index_destroy(w->index);
    w->index = NULL;
    w->index_room = 0;
}

void kq_json_walker_reset(kq_json_walker *w) {
    kq_arena_reset(&w->scratch);
    if (w->named) kq_json_walker_reset(w->named);
}

void kq_json_walker_deinit(kq_json_walker *w) {
    if (w->named) kq_json_walker_deinit(w->named);
    drop_index(w);
    kq_arena_deinit(&w->fixed);
    kq_arena_deinit(&w->scratch);
}

static kq_status decode(kq_json_walker *w, kq_json_found *f, kq_error *err) {
    if (f->decoded) return KQ_OK;
    f->decoded = true;
    return kq_json_value(f->raw, false, &w->scratch, &f->field, &w->fault, err);
}

static bool selected(const kq_selector *s, const kq_json_found *f) {
    kq_sv text;
    if (!s->n) return f->field.kind != KQ_FIELD_MISSING && f->field.kind != KQ_FIELD_NULL;
    switch (f->field.kind) {
    case KQ_FIELD_STRING: text = kq_number_whole(f->field.u.text); break;
    case KQ_FIELD_BOOL:
    case KQ_FIELD_LONG:
    case KQ_FIELD_ULONG:
    case KQ_FIELD_REAL: text = kq_number_whole(f->raw); break;
    default: return false;
    }
    for (uint32_t i = 0; i < s->n; i++)
        if (kq_sv_eq_ascii_ci(s->any_of[i], text)) return true;
    return false;
}

typedef enum which { ALL, SELECTORS, ACCEPTS } which;

/* Runs the checks of a slot that was found, or of one that is missing (f NULL). */
static kq_status judge(kq_json_walker *w, uint32_t slot, kq_json_found *f, which which, kq_error *err) {
    for (const kq_json_check *c = w->keys.slots[slot].checks; c; c = c->next) {
        if (!w->alive[c->set] || which == (c->selector ? ACCEPTS : SELECTORS)) continue;
        bool stays;
        if (f) KQ_TRY(decode(w, f, err));
        if (c->selector) {
            stays = (f && selected(c->selector, f)) != c->selector->not ;
        } else if (!f) {
            static const kq_field missing = {.kind = KQ_FIELD_MISSING};
            stays = c->want->accept(c->want->accept_ctx, &missing);
        } else if (c->want->json) {
            kq_field json;
            KQ_TRY(kq_json_value(f->raw, true, &w->scratch, &json, &w->fault, err));
            stays = c->want->accept(c->want->accept_ctx, &json);
        } else {
            stays = c->want->accept(c->want->accept_ctx, &f->field);
        }
        if (stays) continue;
        w->alive[c->set] = false;
        w->nalive--;
        if (w->left[c->set]) w->nwaiting--;
    }
    return KQ_OK;
}

/* Takes note of a value. A name spelled whole is final; a path is final only when the record has ended without one. */
static step found(walk *k, const kq_json_entry *e, kq_sv raw) {
    kq_json_walker *w = k->w;
    kq_json_found *f = &w->found[e->slot];
    if (f->epoch == w->epoch && f->rank <= e->rank) return GO_ON; /* the first of a name counts */
    f->epoch = w->epoch;
    f->rank = e->rank;
    f->raw = raw;
    f->decoded = false;
    if (e->rank) return GO_ON;
    const kq_json_slot *slot = &w->keys.slots[e->slot];
    if (slot->checks) {
        k->status = judge(w, e->slot, f, w->late ? SELECTORS : ALL, k->err);
        if (k->status) return STOP;
    }
    for (uint32_t i = 0; i < slot->nsets; i++) {
        uint32_t set = slot->sets[i];
        if (--w->left[set] == 0 && w->alive[set]) w->nwaiting--;
    }
    return w->nwaiting || k->whole ? GO_ON : STOP;
}

/* From the opening bracket at k->i to behind its closing one. */
static bool skip(walk *k) {
    uint32_t i = k->i;
    for (uint32_t depth = 1; depth;) {
        if (++i >= k->n) return false;
        char c = (char)(k->text[k->at[i]] | 0x20);
        if (c == '{')
            depth++;
        else if (c == '}')
            depth--;
    }
    k->i = i + 1;
    return true;
}

static bool blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text from `from` up to what stands at `to`, without the blanks before that. */
static kq_sv span(const char *text, uint32_t from, uint32_t to) {
    while (to > from && blank(text[to - 1])) to--;
    return (kq_sv){text + from, to - from};
}

/* A key with escapes, unescaped to be looked up. */
static const kq_json_entry *find_escaped(walk *k, kq_json_node *node, const char *key, size_t n) {
    char *to = kq_arena_bytes(&k->w->scratch, n);
    if (!to) {
        k->status = kq_arena_status(&k->w->scratch, k->err);
        return NULL;
    }
    const char *fault = NULL;
    size_t m = kq_json_unescape((kq_sv){key, n}, to, &fault);
    const kq_json_entry *e = kq_json_find(node, KQ_JSON_REMEMBERED, to, m);
    kq_arena_trim(&k->w->scratch, to, n, 0);
    return e;
}

static step object(walk *k, kq_json_node *node);

/* Room in the walker's own index for a text of n bytes. */
static kq_status make_room(kq_json_walker *w, size_t n, kq_error *err) {
    if (w->index && n <= w->index_room) return KQ_OK;
    drop_index(w);
    if (n < 4096) n = 4096;
    if (!kq_budget_charge(w->scratch.budget, kq_json_index_bytes(n))) return kq_budget_status(w->scratch.budget, err);
    w->index_room = n;
    if ((w->index = kq_json_index_create()) && kq_json_index_room(w->index, n) == KQ_JSON_OK) return KQ_OK;
    if (!w->index) kq_budget_release(w->scratch.budget, kq_json_index_bytes(n));
    drop_index(w);
    return kq_nomem(err);
}

/* `properties` as text that holds an object, as some forwarders write it: read as that object. Anything else stays
 * text, which is no record. */
static step open_text(walk *k, const kq_json_entry *e, kq_sv raw) {
    kq_json_walker *w = k->w;
    kq_field f;
    const char *fault = NULL;
    if (raw.n > KQ_RECORD_MAX_BYTES) return GO_ON;
    k->status = kq_json_value(raw, false, &w->scratch, &f, &fault, k->err);
    if (k->status) return STOP;
    kq_sv text = span(f.u.text.p, 0, (uint32_t)f.u.text.n);
    while (text.n && blank(*text.p)) text = kq_sv_slice(text, 1, text.n);
    if (!text.n || *text.p != '{') return GO_ON;
    char *copy = kq_arena_bytes(&w->scratch, text.n + KQ_SCAN_SLACK);
    if (!copy) {
        k->status = kq_arena_status(&w->scratch, k->err);
        return STOP;
    }
    memcpy(copy, text.p, text.n);
    memset(copy + text.n, 0, KQ_SCAN_SLACK);
    if ((k->status = make_room(w, text.n, k->err))) return STOP;
    walk inner = {.w = w, .text = copy, .whole = true, .err = k->err};
    if (kq_json_index_make(w->index, copy, text.n, &inner.at, &inner.n) != KQ_JSON_OK || !inner.n) return GO_ON;
    static kq_json_node nothing;
    step s = object(&inner, e->child ? e->child : &nothing);
    k->status = inner.status;
    if (k->status) return STOP;
    w->opened = s == GO_ON && inner.i == inner.n;
    if (w->index_room > OPEN_KEEP) drop_index(w);
    return GO_ON;
}

/* Event data as a list of objects, each with a name and a value: they are looked for by their names, in `node`. */
static step listed(walk *k, kq_json_node *node, kq_sv list) {
    kq_sv item = list, name, raw;
    bool one = list.n && *list.p == '{';
    while (one || kq_json_item(&list, &item)) {
        const kq_json_entry *e = NULL;
        if (*item.p == '{' && kq_json_datum(item, &name, &raw))
            e = kq_json_find(node, KQ_JSON_REMEMBERED, name.p, name.n);
        if (e && e->slot != KQ_JSON_NONE) {
            step s = found(k, e, raw);
            if (s != GO_ON) return s;
        }
        if (one) break;
    }
    return GO_ON;
}

/* Does the object at k->i begin with Data, a list or an object? So event data is that is made of XML; for "Data" alone
 * two brackets, a key, a colon and a value are there. */
static bool begins_with_data(const walk *k) {
    static const char key[] = "\"Data\"";
    if (k->i + 3 >= k->n) return false;
    const char *p = k->text + k->at[k->i + 1], c = k->text[k->at[k->i + 3]];
    return k->at[k->i + 2] - k->at[k->i + 1] >= sizeof key - 1 && memcmp(p, key, sizeof key - 1) == 0 &&
           (c == '[' || c == '{');
}

static step wanted_value(walk *k, const kq_json_entry *e) {
    const char *text = k->text;
    const uint32_t *at = k->at;
    uint32_t value = at[k->i];
    char first = text[value];
    kq_sv raw;
    if (first == '{' && e->child) {
        bool data = begins_with_data(k);
        step s = object(k, e->child);
        if (s != GO_ON) return s;
        kq_sv list;
        if (data && kq_json_dig((kq_sv){text + value, at[k->i - 1] + 1 - value}, KQ_SV("Data"), &list) &&
            (s = listed(k, e->child, list)) != GO_ON)
            return s;
        raw = (kq_sv){text + value, at[k->i - 1] + 1 - value};
    } else if (first == '{' || first == '[') {
        if (!skip(k)) return BROKEN;
        raw = (kq_sv){text + value, at[k->i - 1] + 1 - value};
        if (e->child) {
            step s = listed(k, e->child, raw);
            if (s != GO_ON) return s;
        }
    } else {
        k->i++;
        if (k->i >= k->n) return BROKEN;
        raw = span(text, value, at[k->i]);
        if (first == '"' && (raw.n < 2 || raw.p[raw.n - 1] != '"')) return BROKEN;
        if (first == ':' || first == ',' || first == '}' || first == ']') return BROKEN;
        if (first == '"' && e->slot != KQ_JSON_NONE && e->slot == k->w->keys.properties && !e->rank) {
            step s = open_text(k, e, raw);
            if (s != GO_ON) return s;
        }
    }
    return e->slot == KQ_JSON_NONE ? GO_ON : found(k, e, raw);
}

/* The value at k->i, wanted when `e` is set; k->i then stands at what follows it. Few are. */
static inline step take_value(walk *k, const kq_json_entry *e) {
    if (KQ_UNLIKELY(e != NULL)) return wanted_value(k, e);
    char first = k->text[k->at[k->i]];
    if (first == '{' || first == '[') return skip(k) ? GO_ON : BROKEN;
    k->i++;
    return GO_ON;
}

/* The values of a row; k->i stands at its opening bracket. */
static step row(walk *k, kq_json_node *node, const kq_json_place *place) {
    uint32_t nth = 0;
    static const char *const other = "the row has not as many values as there are columns";
    if (k->i + 1 < k->n && k->text[k->at[k->i + 1]] == ']') {
        if (place->ncolumns) k->w->fault = other;
        return GO_ON;
    }
    for (;; nth++) {
        if (++k->i + 1 >= k->n) return BROKEN;
        const kq_sv *name = nth < place->ncolumns ? &place->columns[nth] : NULL;
        step s = take_value(k, name ? kq_json_find(node, nth, name->p, name->n) : NULL);
        if (s != GO_ON) return s;
        if (k->i >= k->n) return BROKEN;
        char c = k->text[k->at[k->i]];
        if (c == ']') break;
        if (c != ',') return BROKEN;
    }
    if (nth + 1 != place->ncolumns) k->w->fault = other;
    return GO_ON;
}

/* An object's fields; k->i stands at its opening brace, then behind its closing one. */
static step object(walk *k, kq_json_node *node) {
    const char *text = k->text;
    const uint32_t *at = k->at;
    if (k->i + 1 >= k->n) return BROKEN;
    if (text[at[k->i + 1]] == '}') {
        k->i += 2;
        return GO_ON;
    }
    for (uint32_t ordinal = 0;; ordinal++) {
        /* key, colon, value, and what ends the value */
        uint32_t i = k->i + 1;
        if (i + 3 >= k->n) return BROKEN;
        uint32_t from = at[i], colon = at[i + 1];
        if (text[from] != '"' || text[colon] != ':') return BROKEN;
        uint32_t end = colon;
        if (text[end - 1] != '"') end = from + (uint32_t)span(text, from, colon).n;
        if (end < from + 2 || text[end - 1] != '"') return BROKEN;
        const char *key = text + from + 1;
        size_t n = end - from - 2;
        const kq_json_entry *e = kq_json_find(node, ordinal, key, n);
        if (!e && KQ_UNLIKELY(kq_scan_has(key, n, '\\'))) {
            e = find_escaped(k, node, key, n);
            if (k->status) return STOP;
        }
        k->i = i + 2;
        step s = take_value(k, e);
        if (s != GO_ON) return s;
        if (k->i >= k->n) return BROKEN;
        char c = text[at[k->i]];
        if (c == ',') continue;
        if (c != '}') return BROKEN;
        k->i++;
        return GO_ON;
    }
}

static void special(const kq_json_place *place, kq_json_special what, kq_field *out) {
    switch (what) {
    case KQ_JSON_FILE: *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = kq_sv_of(place->path)}; return;
    case KQ_JSON_RAW: *out = (kq_field){.kind = KQ_FIELD_STRING, .u.text = place->raw}; return;
    case KQ_JSON_OFFSET: *out = (kq_field){.kind = KQ_FIELD_LONG, .u.l = (int64_t)place->offset}; return;
    case KQ_JSON_NUMBER: *out = (kq_field){.kind = KQ_FIELD_LONG, .u.l = (int64_t)place->number}; return;
    default: out->kind = KQ_FIELD_MISSING;
    }
}

/* What could not be judged on the way: paths, missing fields, what the source makes itself. */
static kq_status judge_rest(kq_json_walker *w, const kq_json_place *place, which which, kq_error *err) {
    for (uint32_t i = 0; i < w->njudged && w->nalive; i++) {
        uint32_t slot = w->judged[i];
        kq_json_found *f = &w->found[slot];
        if (w->keys.slots[slot].special != KQ_JSON_FIELD) {
            *f = (kq_json_found){.epoch = w->epoch, .decoded = true};
            special(place, w->keys.slots[slot].special, &f->field);
            char number[32];
            if (f->field.kind == KQ_FIELD_LONG)
                f->raw = (kq_sv){number, (size_t)snprintf(number, sizeof number, "%lld", (long long)f->field.u.l)};
            KQ_TRY(judge(w, slot, f, which, err));
        } else if (f->epoch != w->epoch) {
            KQ_TRY(judge(w, slot, NULL, which, err));
        } else if (f->rank || which == ACCEPTS) {
            KQ_TRY(judge(w, slot, f, which, err));
        }
    }
    return KQ_OK;
}

static kq_status hand_over(kq_json_walker *w, const kq_json_place *place, uint32_t set, const kq_row_sink *sink,
                           bool *done, kq_error *err) {
    const kq_want_set *wanted = &w->keys.request->sets[set];
    for (uint32_t i = 0; i < wanted->nwants; i++) {
        uint32_t slot = w->keys.sets[set].wants[i];
        kq_json_found *f = &w->found[slot];
        if (w->keys.slots[slot].special != KQ_JSON_FIELD) {
            special(place, w->keys.slots[slot].special, &w->fields[i]);
        } else if (f->epoch != w->epoch) {
            w->fields[i].kind = KQ_FIELD_MISSING;
        } else if (wanted->wants[i].json) {
            KQ_TRY(kq_json_value(f->raw, true, &w->scratch, &w->fields[i], &w->fault, err));
        } else {
            KQ_TRY(decode(w, f, err));
            w->fields[i] = f->field;
        }
    }
    if (sink->offset) *sink->offset = place->offset;
    return sink->row(sink->ctx, w->first + set, w->fields, done, err);
}

static bool has(const kq_json_walker *w, uint32_t slot) {
    const kq_json_found *f = &w->found[slot];
    return f->epoch == w->epoch && !kq_sv_eq(f->raw, KQ_SV("null"));
}

static bool shaped(const kq_json_walker *w, const kq_field_shape *s, const uint32_t *slots) {
    for (uint32_t i = 0; i < s->nis; i++)
        if (!has(w, slots[i])) return false;
    for (uint32_t i = 0; i < s->nisnt; i++)
        if (has(w, slots[s->nis + i])) return false;
    return true;
}

/* Does the field name a table? `prefix` may stand in front. */
static kq_status names_table(kq_json_walker *w, uint32_t slot, kq_sv prefix, bool *is, kq_error *err) {
    kq_json_found *f = &w->found[slot];
    *is = false;
    if (!has(w, slot) || *f->raw.p != '"') return KQ_OK;
    KQ_TRY(decode(w, f, err));
    kq_sv name = f->field.u.text;
    if (kq_sv_starts(name, prefix)) name = kq_sv_slice(name, prefix.n, name.n);
    *is = kq_tally_named(w->tally, &w->part, name);
    return KQ_OK;
}

/* Notes what the record is, asked for or not. */
static kq_status tell_apart(kq_json_walker *w, const kq_json_place *place, kq_error *err) {
    const kq_request *r = w->keys.request;
    bool known = r->nshapes && shaped(w, &r->shapes[w->shape], w->keys.shapes + w->shape_at);
    for (uint32_t i = 0, at = 0; i < r->nshapes && !known; at += r->shapes[i].nis + r->shapes[i].nisnt, i++) {
        if (!shaped(w, &r->shapes[i], w->keys.shapes + at)) continue;
        known = true;
        w->shape = i;
        w->shape_at = at;
    }
    if (!known && w->found[w->keys.properties].epoch == w->epoch)
        KQ_TRY(names_table(w, w->keys.category, KQ_SV("AdvancedHunting-"), &known, err));
    if (!known && has(w, w->keys.time))
        KQ_TRY(names_table(w, has(w, w->keys.type) ? w->keys.type : w->keys.table, KQ_SV(""), &known, err));
    kq_tally_count(&w->part, known || w->nalive, place->offset);
    return KQ_OK;
}

/* Is there an object in `properties`? *why it is no row, when that is to be told. */
static bool has_inner(const kq_json_walker *w, const char **why) {
    const kq_json_found *f = &w->found[w->keys.properties];
    if (f->epoch != w->epoch) return false;
    if (*f->raw.p == '{' || w->opened) return true;
    *why = *f->raw.p == '"'   ? "the record's properties are text that is no JSON object"
           : *f->raw.p == 'n' ? "the record's properties are null"
                              : "the record's properties are no object";
    return false;
}

/* Does the record name one of the tables whose records are given to more sets? */
static bool names_one(const kq_json_walker *w) {
    const kq_request *r = w->keys.request;
    kq_sv raw = w->found[has(w, w->keys.type) ? w->keys.type : w->keys.table].raw;
    if (!has(w, w->keys.type) && !has(w, w->keys.table)) return false;
    for (uint32_t i = 0; i < r->ntables; i++)
        if (raw.n == r->tables[i].n + 2 && kq_sv_eq_ascii_ci(kq_sv_slice(raw, 1, raw.n - 1), r->tables[i])) return true;
    return false;
}

kq_status kq_json_record(kq_json_walker *w, const kq_json_place *place, const kq_row_sink *sink, uint32_t *used,
                         const char **broken, bool *done, kq_error *err) {
    *broken = NULL;
    w->fault = NULL;
    w->opened = false;
    const kq_request *request = w->keys.request;
    if (++w->epoch == 0) {
        memset(w->found, 0, w->keys.nslots * sizeof *w->found);
        w->epoch = 1;
    }
    w->late = request->met && !__atomic_load_n(request->met, __ATOMIC_RELAXED);
    w->nalive = request->nsets;
    w->nwaiting = 0;
    for (uint32_t i = 0; i < request->nsets; i++) {
        w->alive[i] = true;
        w->left[i] = w->keys.sets[i].nslots;
        w->nwaiting += w->left[i] != 0;
    }
    walk k = {.w = w,
              .text = place->text,
              .at = place->at,
              .n = place->n,
              .whole = place->whole || request->shapes || request->named,
              .err = err};
    if (!k.n || k.text[k.at[0]] != (place->columns ? '[' : '{')) {
        *broken = "not a JSON object";
        return KQ_OK;
    }
    if (w->nwaiting || k.whole) {
        step s = place->columns ? row(&k, w->keys.top, place) : object(&k, w->keys.top);
        if (k.status) return k.status;
        if (s == BROKEN) {
            *broken = "not JSON: the record is broken";
            return KQ_OK;
        }
    }
    *used = k.i;
    if (w->nalive) KQ_TRY(judge_rest(w, place, w->late ? SELECTORS : ALL, err));
    if (w->nalive && w->late) KQ_TRY(judge_rest(w, place, ACCEPTS, err));
    uint32_t inner = request->inner - 1;
    if (request->inner && w->nalive && w->alive[inner] && !has_inner(w, &w->fault)) {
        w->alive[inner] = false;
        w->nalive--;
    }
    if (request->shapes && w->tally) KQ_TRY(tell_apart(w, place, err));
    for (uint32_t i = 0; i < request->nsets && w->nalive && !*done; i++)
        if (w->alive[i]) KQ_TRY(hand_over(w, place, i, sink, done, err));
    if (!request->named || *done || !names_one(w)) return KQ_OK;
    uint32_t again;
    kq_status status = kq_json_record(w->named, place, sink, &again, broken, done, err);
    if (!w->fault) w->fault = w->named->fault;
    return status;
}
