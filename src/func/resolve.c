#include "func/resolve.h"

/* Costs: numeric promotion is cheap, a conversion of dynamic dearer, of a literal's text dearest; `*` loses against a
 * letter. They are summed over the arguments, hence saturated. */
enum { COST_ANY = 1, COST_REAL = 2, COST_DECIMAL = 4, COST_DYNAMIC = 20, COST_TEXT = 40, COST_MAX = 1 << 28 };

typedef struct layout {
    char letters[KQ_PATTERN_MAX];
    uint8_t level[KQ_PATTERN_MAX]; /* 0: always there; k: when at least k optional parts are */
    uint32_t n;
    uint32_t repeat_at, repeat_len;
    uint32_t levels;
} layout;

static bool parse(const char *pattern, char *result, layout *out) {
    *out = (layout){0};
    *result = pattern[0];
    if (!pattern[0] || pattern[1] != '(') return false;
    uint32_t level = 0, group = UINT32_MAX;
    uint32_t last_at = 0, last_len = 0; /* what `...` repeats */
    const char *p = pattern + 2;
    for (; *p; p++) {
        switch (*p) {
        case '[': level = ++out->levels; break;
        case ']': level = 0; break;
        case '(': group = out->n; break;
        case ')':
            if (group == UINT32_MAX) return p[1] == 0; /* the end of the pattern */
            last_at = group;
            last_len = out->n - group;
            group = UINT32_MAX;
            break;
        case '.':
            if (p[1] != '.' || p[2] != '.' || !last_len) return false;
            p += 2;
            out->repeat_at = last_at;
            out->repeat_len = last_len;
            break;
        default:
            if (out->n == KQ_PATTERN_MAX) return false;
            last_at = out->n;
            last_len = 1;
            out->level[out->n] = (uint8_t)level;
            out->letters[out->n++] = *p;
        }
    }
    return false;
}

bool kq_pattern_fit(const char *pattern, uint32_t nargs, kq_pattern *out) {
    layout l;
    *out = (kq_pattern){0};
    if (!parse(pattern, &out->result, &l)) return false;
    for (uint32_t level = 0; level <= l.levels; level++) {
        out->n = out->repeat_len = out->repeats = 0;
        for (uint32_t i = 0; i < l.n; i++) {
            if (l.level[i] > level) continue;
            if (l.repeat_len && i == l.repeat_at) {
                out->repeat_at = out->n;
                out->repeat_len = l.repeat_len;
            }
            out->letters[out->n++] = l.letters[i];
        }
        if (!out->repeat_len) {
            if (out->n == nargs) return true;
            continue;
        }
        uint32_t fixed = out->n - out->repeat_len;
        if (nargs <= fixed || (nargs - fixed) % out->repeat_len != 0) continue;
        out->repeats = (nargs - fixed) / out->repeat_len;
        return true;
    }
    return false;
}

char kq_pattern_letter(const kq_pattern *p, uint32_t arg) {
    if (!p->repeat_len || arg < p->repeat_at) return p->letters[arg];
    uint32_t span = p->repeat_len * p->repeats;
    if (arg < p->repeat_at + span) return p->letters[p->repeat_at + (arg - p->repeat_at) % p->repeat_len];
    return p->letters[arg - span + p->repeat_len];
}

static bool letter_type(char letter, kq_type *out) {
    switch (letter) {
#define KQ_TYPE(name, kusto, dotnet, width, letter)                                                                    \
    case letter:                                                                                                       \
        *out = KQ_##name;                                                                                              \
        return true;
#include "column/type.def"
#undef KQ_TYPE
    default: return false;
    }
}

/* The place in int -> long -> real -> decimal, or 0. */
static int rank(kq_type t) {
    switch (t) {
    case KQ_INT: return 1;
    case KQ_LONG: return 2;
    case KQ_REAL: return 3;
    case KQ_DECIMAL: return 4;
    default: return 0;
    }
}

static bool from_text(kq_type t) {
    return t == KQ_DATETIME || t == KQ_TIMESPAN || t == KQ_GUID;
}

static int conversion(kq_type from, kq_type to, bool literal) {
    if (from == to) return 0;
    int a = rank(from), b = rank(to);
    if (a && b) {
        if (a > b) return -1;
        return to == KQ_DECIMAL ? COST_DECIMAL : to == KQ_REAL ? COST_REAL : COST_ANY;
    }
    /* A dynamic number may have a fraction: between equals real is the safe reading. */
    if (from == KQ_DYNAMIC) return to == KQ_REAL ? COST_DYNAMIC - 1 : COST_DYNAMIC;
    if (from == KQ_STRING && literal && from_text(to)) return COST_TEXT;
    return -1;
}

/* The one type of all T arguments. */
static bool common(const kq_pattern *p, const kq_type *types, const bool *literal, uint32_t nargs, kq_type *out) {
    bool any = false, text = false, dynamic = false;
    kq_type t = KQ_DYNAMIC;
    for (uint32_t i = 0; i < nargs; i++) {
        if (kq_pattern_letter(p, i) != 'T') continue;
        kq_type a = types[i];
        if (a == KQ_DYNAMIC) {
            dynamic = true;
        } else if (a == KQ_STRING && literal && literal[i]) {
            text = true;
        } else if (!any) {
            any = true;
            t = a;
        } else if (a != t) {
            if (!rank(a) || !rank(t)) return false;
            if (rank(a) > rank(t)) t = a;
        }
    }
    if (text && !any) t = KQ_STRING;
    if (text && any && t != KQ_STRING && !from_text(t)) return false;
    if (!any && !text && !dynamic) return false;
    *out = t;
    return true;
}

/* Text is a time only beside one: "5" * 2 is no timespan, but datetime(...) + "1h" is a datetime. */
static bool beside_time(const kq_type *types, uint32_t nargs) {
    for (uint32_t i = 0; i < nargs; i++)
        if (from_text(types[i])) return true;
    return false;
}

int kq_pattern_cost(const kq_pattern *p, const kq_type *types, const bool *literal, uint32_t nargs, kq_type *want,
                    kq_type *result) {
    kq_type t = KQ_DYNAMIC;
    bool have_common = common(p, types, literal, nargs, &t);
    int cost = 0;
    for (uint32_t i = 0; i < nargs; i++) {
        char letter = kq_pattern_letter(p, i);
        kq_type to = types[i];
        int c = 0;
        switch (letter) {
        case '*': c = COST_ANY; break;
        case 'N':
            if (to == KQ_DYNAMIC)
                to = KQ_REAL;
            else if (!rank(to))
                return -1;
            c = conversion(types[i], to, false);
            break;
        case 'T':
            if (!have_common) return -1;
            to = t;
            c = conversion(types[i], to, literal && literal[i]);
            break;
        default:
            if (!letter_type(letter, &to)) return -1;
            if (types[i] == KQ_STRING && from_text(to) && !beside_time(types, nargs)) return -1;
            c = conversion(types[i], to, literal && literal[i]);
        }
        if (c < 0) return -1;
        want[i] = to;
        if (cost < COST_MAX) cost += c;
    }
    if (p->result == 'T') {
        if (!have_common) return -1;
        *result = t;
    } else if (p->result == '0') {
        if (!nargs) return -1;
        *result = want[0];
    } else if (!letter_type(p->result, result)) {
        return -1;
    }
    return cost;
}
