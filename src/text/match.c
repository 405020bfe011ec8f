#include "text/match.h"
#include "text/automaton.h"
#include "text/filter.h"
#include "text/search.h"
#include "text/strset.h"
#include "text/unit.h"

/* Up to this many needles are looked for one by one, by a vector search each. More go to an automaton with a filter
 * before it; where the needles are too short for the filter, a few more searches are still the faster way. */
#define SINGLES_FEW 2
#define SINGLES_MAX 6

typedef struct single {
    kq_sv needle; /* as given */
    kq_search search;
    const kq_automaton *slow; /* instead of the general search, for needles under folding that it would serve */
} single;

struct kq_matcher {
    kq_match_op op;
    bool ci, all;
    int64_t always; /* the lowest index of an empty needle that matches anything, or -1 */
    uint32_t n;
    single *singles;
    const kq_automaton *automaton;
    const kq_filter *filter;         /* before the automaton, or NULL */
    const uint32_t *automaton_index; /* automaton's needle i is needle automaton_index[i] */
    const kq_strset *set;
    uint64_t hash;
};

uint64_t kq_matcher_hash(const kq_matcher *m) {
    return m->hash;
}

/* FNV-1a over the operator, its flags, and each needle with its length. */
static uint64_t hash_of(kq_match_op op, bool ci, bool all, const kq_sv *needles, size_t n) {
    uint64_t h = UINT64_C(0xCBF29CE484222325) ^ ((uint64_t)op << 2 | (uint64_t)ci << 1 | all);
    for (size_t i = 0; i < n; i++) {
        h = (h ^ needles[i].n) * UINT64_C(0x100000001B3);
        for (size_t k = 0; k < needles[i].n; k++) h = (h ^ (unsigned char)needles[i].p[k]) * UINT64_C(0x100000001B3);
    }
    return h;
}

static bool is_search(kq_match_op op) {
    return op == KQ_MATCH_CONTAINS || op == KQ_MATCH_HAS || op == KQ_MATCH_HASPREFIX || op == KQ_MATCH_HASSUFFIX;
}

/* The operators that look at a fixed place. */
static bool match_placed(kq_match_op op, bool ci, kq_sv text, kq_sv needle) {
    switch (op) {
    case KQ_MATCH_EQUALS: return ci ? kq_sv_eq_ci(text, needle) : kq_sv_eq(text, needle);
    case KQ_MATCH_STARTSWITH: return ci ? kq_starts_ci(text, needle) : kq_sv_starts(text, needle);
    default: return ci ? kq_ends_ci(text, needle) : kq_sv_ends(text, needle);
    }
}

static bool single_test(const kq_matcher *m, const single *s, kq_sv text) {
    if (!is_search(m->op)) return match_placed(m->op, m->ci, text, s->needle);
    if (s->needle.n == 0) return true;
    if (!s->slow) return kq_search_test(&s->search, text);
    if (s->search.fast) {
        if (kq_search_test(&s->search, text)) return true;
        if (text.n < s->needle.n || !kq_folds_into_ascii(text)) return false;
    }
    return kq_automaton_test(s->slow, text);
}

static kq_status single_init(kq_matcher *m, single *s, kq_sv needle, kq_arena *arena, kq_error *err) {
    s->needle = needle;
    if (!is_search(m->op) || needle.n == 0) return KQ_OK;
    uint8_t *room = kq_arena_alloc(arena, 2 * needle.n);
    if (!room) return kq_arena_status(arena, err);
    kq_search_init(&s->search, m->op, m->ci, needle, room);
    if (s->search.exact) return KQ_OK;
    s->search.exact = s->search.fast; /* what it does not find is left to the automaton */
    return kq_automaton_create(m->op, m->ci, &needle, 1, arena, &s->slow, err);
}

static kq_status build_singles(kq_matcher *m, const kq_sv *needles, kq_arena *arena, kq_error *err) {
    m->singles = kq_arena_array(arena, single, m->n);
    if (!m->singles) return kq_arena_status(arena, err);
    for (uint32_t i = 0; i < m->n; i++) KQ_TRY(single_init(m, &m->singles[i], needles[i], arena, err));
    if (!m->all) return KQ_OK;
    /* has_all: the longest needle first, as it is likely the rarest; the order does not change the answer. Insertion
     * sort by a bounded number, lists are short. */
    for (uint32_t i = 1; i < m->n && i < 256; i++)
        for (uint32_t k = i; k > 0 && m->singles[k].needle.n > m->singles[k - 1].needle.n; k--) {
            single swap = m->singles[k];
            m->singles[k] = m->singles[k - 1];
            m->singles[k - 1] = swap;
        }
    return KQ_OK;
}

static kq_status build_automaton(kq_matcher *m, const kq_sv *needles, kq_arena *arena, kq_error *err) {
    kq_sv *searched = kq_arena_array(arena, kq_sv, m->n);
    uint32_t *index = kq_arena_array(arena, uint32_t, m->n);
    if (!searched || !index) return kq_arena_status(arena, err);
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        if (needles[i].n == 0) continue;
        searched[n] = needles[i];
        index[n++] = i;
    }
    m->automaton_index = index;
    KQ_TRY(kq_filter_create(m->ci, searched, n, arena, &m->filter, err));
    if (!m->filter && m->n <= SINGLES_MAX) return build_singles(m, needles, arena, err);
    return kq_automaton_create(m->op, m->ci, searched, n, arena, &m->automaton, err);
}

kq_status kq_matcher_create(kq_match_op op, bool ci, bool all, const kq_sv *needles, size_t n, kq_arena *arena,
                            const kq_matcher **out, kq_error *err) {
    kq_matcher *m = kq_arena_new(arena, kq_matcher);
    if (!m) return kq_arena_status(arena, err);
    if (n >= UINT32_MAX / 2) return kq_fail(err, KQ_ERR_LIMIT, "too many values to search for: %zu", n);
    *m = (kq_matcher){.op = op, .ci = ci, .all = all, .always = -1, .n = (uint32_t)n};
    kq_sv *copies = kq_arena_array(arena, kq_sv, n);
    if (!copies) return kq_arena_status(arena, err);
    for (size_t i = 0; i < n; i++) {
        copies[i] = kq_arena_copy(arena, needles[i]);
        if (!copies[i].p) return kq_arena_status(arena, err);
        if (copies[i].n == 0 && op != KQ_MATCH_EQUALS && m->always < 0) m->always = (int64_t)i;
    }
    if (all || n <= (is_search(op) ? SINGLES_FEW : SINGLES_MAX) || op == KQ_MATCH_STARTSWITH || op == KQ_MATCH_ENDSWITH)
        KQ_TRY(build_singles(m, copies, arena, err));
    else if (op == KQ_MATCH_EQUALS)
        KQ_TRY(kq_strset_create(ci, copies, n, arena, &m->set, err));
    else
        KQ_TRY(build_automaton(m, copies, arena, err));
    m->hash = hash_of(op, ci, all, needles, n);
    *out = m;
    return KQ_OK;
}

bool kq_matcher_test(const kq_matcher *m, kq_sv text) {
    if (m->all) {
        for (uint32_t i = 0; i < m->n; i++)
            if (!single_test(m, &m->singles[i], text)) return false;
        return true;
    }
    if (m->always >= 0) return true;
    if (m->set) return kq_strset_find(m->set, text) >= 0;
    if (m->filter && !kq_filter_maybe(m->filter, text)) return false;
    if (m->automaton) return kq_automaton_test(m->automaton, text);
    for (uint32_t i = 0; i < m->n; i++)
        if (single_test(m, &m->singles[i], text)) return true;
    return false;
}

int64_t kq_matcher_index(const kq_matcher *m, kq_sv text) {
    if (m->set) return kq_strset_find(m->set, text);
    if (m->automaton) {
        uint32_t low = UINT32_MAX;
        if (!m->filter || kq_filter_maybe(m->filter, text)) low = kq_automaton_lowest(m->automaton, text);
        int64_t found = low == UINT32_MAX ? -1 : (int64_t)m->automaton_index[low];
        return m->always >= 0 && (found < 0 || m->always < found) ? m->always : found;
    }
    for (uint32_t i = 0; i < m->n; i++)
        if (single_test(m, &m->singles[i], text)) return i;
    return -1;
}

bool kq_match_once(kq_match_op op, bool ci, kq_sv text, kq_sv needle) {
    if (!is_search(op)) return match_placed(op, ci, text, needle);
    if (needle.n == 0) return true;
    if (!ci && op == KQ_MATCH_CONTAINS) return kq_find(text, needle) >= 0;
    kq_search s;
    uint8_t room[2 * KQ_SEARCH_SMALL];
    kq_search_init(&s, op, ci, needle, needle.n <= KQ_SEARCH_SMALL ? room : NULL);
    return kq_search_test(&s, text);
}

int64_t kq_find(kq_sv text, kq_sv needle) {
    if (needle.n == 0) return 0;
    if (needle.n > text.n) return -1;
    const char *at = memmem(text.p, text.n, needle.p, needle.n);
    return at ? at - text.p : -1;
}
