#include "text/automaton.h"
#include "text/search.h"
#include "text/unit.h"

/* Classes: 0 is every byte that no needle has; EDGE_CLASS the boundary symbol (with term operators only). */
#define EDGE_CLASS 1
#define NO_STATE   UINT32_MAX
#define ACCEPT     (UINT32_C(1) << 31)
/* A table of more than this many transitions is kept as a hash table of the trie's edges instead. */
#define DENSE_MAX  ((size_t)4 << 20)
#define STATES_MAX ((size_t)1 << 26)

struct kq_automaton {
    uint8_t cls[256];  /* class of a folded byte */
    uint8_t text[256]; /* class of an ASCII byte as it stands in the text */
    uint8_t term[256]; /* is an ASCII byte part of a term; all zero without boundaries */
    bool ci, edges, raw;
    uint32_t classes, states;
    uint32_t *next;     /* dense: [state * classes + class] = next state * classes, with ACCEPT */
    uint64_t *slots;    /* sparse: open addressing; keys of (state, class) */
    uint32_t *targets;  /* sparse: the state that slots[i] leads to */
    uint32_t slot_mask; /* sparse */
    uint32_t *fail;     /* sparse: longest proper suffix; dense: while building only */
    uint32_t *lowest;   /* per state: the lowest needle that ends here, NO_STATE when none does */
};

/* ---- symbols ---- */

/* Where a needle's or a text's symbols go; both are read by the same function, so that they agree. */
#define FEED_UNIT(unit, emit)                                                                                          \
    do {                                                                                                               \
        if ((unit) >= KQ_UNIT_RAW) {                                                                                   \
            emit(0xFF);                                                                                                \
            emit(0x80 | ((unit) >> 4 & 7));                                                                            \
            emit(0x80 | ((unit)&15));                                                                                  \
        } else {                                                                                                       \
            char bytes_[4];                                                                                            \
            unsigned n_ = kq_utf8_encode((unit), bytes_);                                                              \
            for (unsigned i_ = 0; i_ < n_; i_++) emit((unsigned char)bytes_[i_]);                                      \
        }                                                                                                              \
    } while (0)

/* The most symbols that a needle of `n` bytes has: each byte three, and an edge before each and at the end. */
static size_t symbols_max(size_t n) {
    return 4 * n + 1;
}

/* Reads a needle as bytes (EDGE as 256) into `out`; returns how many. */
static size_t read_needle(kq_match_op op, bool ci, bool edges, kq_sv needle, uint16_t *out) {
    size_t n = 0;
#define EMIT(byte) out[n++] = (uint16_t)(byte)
    unsigned wanted = kq_search_edges(op, ci, needle);
    bool inside = false, first = true;
    for (const char *p = needle.p, *end = p + needle.n; p < end;) {
        uint32_t unit;
        if (!ci && !edges) {
            unit = (unsigned char)*p++;
            EMIT(unit);
            continue;
        }
        p += kq_unit(p, end, &unit);
        unit = kq_unit_fold(unit, ci);
        bool term = edges && kq_unit_is_term(unit);
        if (first ? (wanted & KQ_EDGE_LEFT) != 0 : term != inside) EMIT(256);
        FEED_UNIT(unit, EMIT);
        inside = term;
        first = false;
    }
    if (wanted & KQ_EDGE_RIGHT) EMIT(256);
#undef EMIT
    return n;
}

/* ---- transitions ---- */

static uint64_t sparse_key(uint32_t state, uint32_t cls) {
    return ((uint64_t)state << 9 | cls) + 1; /* 0 marks an empty slot */
}

static uint32_t sparse_slot(const kq_automaton *a, uint64_t key) {
    uint32_t i = (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & a->slot_mask;
    while (a->slots[i] && a->slots[i] != key) i = (i + 1) & a->slot_mask;
    return i;
}

static uint32_t trie_child(const kq_automaton *a, uint32_t state, uint32_t cls) {
    if (a->next) {
        uint32_t to = a->next[(size_t)state * a->classes + cls];
        return to ? to : NO_STATE;
    }
    uint32_t slot = sparse_slot(a, sparse_key(state, cls));
    return a->slots[slot] ? a->targets[slot] : NO_STATE;
}

static void trie_link(kq_automaton *a, uint32_t state, uint32_t cls, uint32_t to) {
    if (a->next) {
        a->next[(size_t)state * a->classes + cls] = to;
        return;
    }
    uint64_t key = sparse_key(state, cls);
    uint32_t slot = sparse_slot(a, key);
    a->slots[slot] = key;
    a->targets[slot] = to;
}

static uint32_t sparse_step(const kq_automaton *a, uint32_t state, uint32_t cls) {
    for (;;) {
        uint32_t to = trie_child(a, state, cls);
        if (to != NO_STATE) return to;
        if (state == 0) return 0;
        state = a->fail[state];
    }
}

/* Breadth first: suffix links, and in the dense form every missing transition. `parent` and `by` say how each state was
 * reached; states are numbered in trie order, so a level is found by walking depths. */
static kq_status link_suffixes(kq_automaton *a, const uint32_t *order, const uint32_t *parent, const uint8_t *by) {
    for (uint32_t k = 0; k < a->states; k++) {
        uint32_t s = order[k];
        if (s != 0) {
            uint32_t p = parent[s], f = 0;
            if (p != 0) {
                f = a->fail[p];
                f = a->next ? a->next[(size_t)f * a->classes + by[s]] : sparse_step(a, f, by[s]);
            }
            a->fail[s] = f;
            if (a->lowest[f] < a->lowest[s]) a->lowest[s] = a->lowest[f];
        }
        if (!a->next) continue;
        /* Children are told from filled transitions by coming later: here none is filled yet. */
        uint32_t *row = a->next + (size_t)s * a->classes, *suffix = a->next + (size_t)a->fail[s] * a->classes;
        if (s != 0)
            for (uint32_t c = 0; c < a->classes; c++)
                if (!row[c]) row[c] = suffix[c];
    }
    return KQ_OK;
}

static void premultiply(kq_automaton *a) {
    size_t cells = (size_t)a->states * a->classes;
    for (size_t i = 0; i < cells; i++) {
        uint32_t to = a->next[i];
        a->next[i] = to * a->classes | (a->lowest[to] != NO_STATE ? ACCEPT : 0);
    }
}

typedef struct build {
    kq_buf needles; /* u16 symbols of all needles, one after the other */
    kq_buf lengths; /* u32 each */
    kq_arena scratch;
} build;

static kq_status read_needles(build *b, kq_automaton *a, kq_match_op op, const kq_sv *needles, size_t n, size_t *total,
                              kq_error *err) {
    bool used[257] = {false};
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t *to = (uint16_t *)(void *)kq_buf_reserve(&b->needles, symbols_max(needles[i].n) * sizeof *to);
        if (!to) return kq_buf_status(&b->needles, err);
        uint32_t len = (uint32_t)read_needle(op, a->ci, a->edges, needles[i], to);
        for (uint32_t k = 0; k < len; k++) used[to[k]] = true;
        b->needles.n += len * sizeof *to;
        kq_buf_append(&b->lengths, &len, sizeof len);
        *total += len;
    }
    if (*total >= STATES_MAX)
        return kq_fail(err, KQ_ERR_LIMIT, "the values to search for hold more than %zu characters", STATES_MAX);
    /* 256 bytes and class 0 fit into a byte only because UTF-8 never has 0xC0, 0xC1, 0xF5..0xFE. A raw search may have
     * them all: then a byte that is in no needle shares class 0 and 256 needles' bytes would need 257 classes. */
    a->classes = a->edges ? 2 : 1;
    for (unsigned byte = 0; byte < 256; byte++)
        if (used[byte]) a->cls[byte] = (uint8_t)(a->classes < 256 ? a->classes++ : 0);
    for (unsigned byte = 0; byte < 256; byte++) {
        a->text[byte] = a->cls[a->ci ? kq_ascii_fold[byte] : byte];
        a->term[byte] = a->edges && byte < 0x80 && kq_is_term(byte);
    }
    return kq_buf_status(&b->lengths, err);
}

static kq_status build_trie(build *b, kq_automaton *a, size_t n, size_t total, kq_arena *arena, kq_error *err) {
    size_t most = total + 1;
    uint32_t *parent = kq_arena_alloc(&b->scratch, most * sizeof *parent);
    uint32_t *depth = kq_arena_alloc(&b->scratch, most * sizeof *depth);
    uint32_t *order = kq_arena_alloc(&b->scratch, most * sizeof *order);
    uint8_t *by = kq_arena_alloc(&b->scratch, most);
    if (!parent || !depth || !order || !by) return kq_arena_status(&b->scratch, err);
    if (most * a->classes <= DENSE_MAX) {
        a->next = kq_arena_calloc(arena, most * a->classes, sizeof *a->next);
        if (!a->next) return kq_arena_status(arena, err);
    } else {
        uint32_t slots = 1024;
        while (slots < 2 * most) slots *= 2;
        a->slot_mask = slots - 1;
        a->slots = kq_arena_calloc(arena, slots, sizeof *a->slots);
        a->targets = kq_arena_calloc(arena, slots, sizeof *a->targets);
        if (!a->slots || !a->targets) return kq_arena_status(arena, err);
    }
    a->fail = kq_arena_calloc(a->next ? &b->scratch : arena, most, sizeof *a->fail);
    a->lowest = kq_arena_alloc(arena, most * sizeof *a->lowest);
    if (!a->fail || !a->lowest) return kq_arena_status(a->fail ? arena : &b->scratch, err);
    memset(a->lowest, 0xFF, most * sizeof *a->lowest);

    const uint16_t *at = (const uint16_t *)(const void *)b->needles.p;
    uint32_t deepest = 0;
    a->states = 1;
    depth[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len, state = 0;
        memcpy(&len, b->lengths.p + i * sizeof len, sizeof len);
        for (uint32_t k = 0; k < len; k++) {
            uint8_t cls = at[k] == 256 ? EDGE_CLASS : a->cls[at[k]];
            uint32_t to = trie_child(a, state, cls);
            if (to == NO_STATE) {
                to = a->states++;
                trie_link(a, state, cls, to);
                parent[to] = state;
                by[to] = cls;
                depth[to] = depth[state] + 1;
                if (depth[to] > deepest) deepest = depth[to];
            }
            state = to;
        }
        at += len;
        if (i < a->lowest[state]) a->lowest[state] = i;
    }

    /* The states by depth: a counting sort. */
    uint32_t *first = kq_arena_calloc(&b->scratch, (size_t)deepest + 2, sizeof *first);
    if (!first) return kq_arena_status(&b->scratch, err);
    for (uint32_t s = 0; s < a->states; s++) first[depth[s] + 1]++;
    for (uint32_t d = 0; d <= deepest; d++) first[d + 1] += first[d];
    for (uint32_t s = 0; s < a->states; s++) order[first[depth[s]]++] = s;
    KQ_TRY(link_suffixes(a, order, parent, by));
    if (a->next) {
        premultiply(a);
        a->fail = NULL;
    }
    return KQ_OK;
}

kq_status kq_automaton_create(kq_match_op op, bool ci, const kq_sv *needles, size_t n, kq_arena *arena,
                              const kq_automaton **out, kq_error *err) {
    kq_automaton *a = kq_arena_new(arena, kq_automaton);
    if (!a) return kq_arena_status(arena, err);
    a->ci = ci;
    a->edges = op != KQ_MATCH_CONTAINS;
    a->raw = !ci && !a->edges;
    build b;
    kq_buf_init(&b.needles, arena->budget, 0);
    kq_buf_init(&b.lengths, arena->budget, 0);
    kq_arena_init(&b.scratch, arena->budget, 0);
    size_t total;
    kq_status status = read_needles(&b, a, op, needles, n, &total, err);
    if (status == KQ_OK) status = build_trie(&b, a, n, total, arena, err);
    kq_buf_deinit(&b.needles);
    kq_buf_deinit(&b.lengths);
    kq_arena_deinit(&b.scratch);
    if (status == KQ_OK) *out = a;
    return status;
}

/* ---- reading the text ---- */

/* One loop for both forms and both questions: the compiler makes four of it. */
static inline __attribute__((always_inline)) uint32_t run(const kq_automaton *a, kq_sv text, bool dense, bool any) {
    uint32_t state = 0, best = NO_STATE;
    bool inside = false;
    const uint32_t *next = a->next;
#define STEP(class_)                                                                                                   \
    do {                                                                                                               \
        uint32_t hit_;                                                                                                 \
        if (dense) {                                                                                                   \
            uint32_t to_ = next[state + (class_)];                                                                     \
            state = to_ & ~ACCEPT;                                                                                     \
            hit_ = to_ & ACCEPT;                                                                                       \
        } else {                                                                                                       \
            state = sparse_step(a, state, (class_));                                                                   \
            hit_ = a->lowest[state] != NO_STATE;                                                                       \
        }                                                                                                              \
        if (KQ_UNLIKELY(hit_)) {                                                                                       \
            if (any) return 0;                                                                                         \
            uint32_t low_ = a->lowest[dense ? state / a->classes : state];                                             \
            if (low_ < best) best = low_;                                                                              \
            if (best == 0) return 0;                                                                                   \
        }                                                                                                              \
    } while (0)
#define STEP_BYTE(byte) STEP(a->cls[(byte)])
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        unsigned char c = (unsigned char)*p;
        if (KQ_LIKELY(c < 0x80) || a->raw) {
            if (a->edges && a->term[c] != inside) {
                inside = !inside;
                STEP(EDGE_CLASS);
            }
            STEP(a->text[c]);
            p++;
            continue;
        }
        uint32_t unit;
        p += kq_unit(p, end, &unit);
        unit = kq_unit_fold(unit, a->ci);
        if (a->edges && kq_unit_is_term(unit) != inside) {
            inside = !inside;
            STEP(EDGE_CLASS);
        }
        FEED_UNIT(unit, STEP_BYTE);
    }
    if (inside) STEP(EDGE_CLASS);
#undef STEP_BYTE
#undef STEP
    return best;
}

bool kq_automaton_test(const kq_automaton *a, kq_sv text) {
    return (a->next ? run(a, text, true, true) : run(a, text, false, true)) != NO_STATE;
}

uint32_t kq_automaton_lowest(const kq_automaton *a, kq_sv text) {
    return a->next ? run(a, text, true, false) : run(a, text, false, false);
}
