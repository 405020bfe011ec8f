#include "naive_match.h"
#include "text/fold.h"
#include <stdlib.h>

/* Code points, folded when asked; an ill-formed byte is 0x110000 + byte. */
static uint32_t *units_of(kq_sv s, bool ci, size_t *n) {
    uint32_t *units = malloc((s.n + 1) * sizeof *units);
    *n = 0;
    if (!units) abort();
    for (const char *p = s.p, *end = s.p + s.n; p < end;) {
        uint32_t cp;
        unsigned len = kq_utf8_decode(p, end, &cp);
        if (len == 1 && cp == KQ_UTF8_BAD)
            cp = 0x110000 + (unsigned char)*p;
        else if (ci)
            cp = kq_fold(cp);
        units[(*n)++] = cp;
        p += len;
    }
    return units;
}

static bool term(uint32_t unit) {
    return unit < 0x110000 && kq_is_term(unit);
}

static bool match_units(kq_match_op op, const uint32_t *h, size_t nh, const uint32_t *n, size_t nn) {
    if (nn == 0) return op != KQ_MATCH_EQUALS || nh == 0;
    for (size_t p = 0; p + nn <= nh; p++) {
        bool same = true;
        for (size_t i = 0; i < nn && same; i++) same = h[p + i] == n[i];
        if (!same) continue;
        bool left = p == 0 || !term(h[p - 1]) || !term(n[0]);
        bool right = p + nn == nh || !term(h[p + nn]) || !term(n[nn - 1]);
        switch (op) {
        case KQ_MATCH_EQUALS:
            if (p == 0 && nn == nh) return true;
            break;
        case KQ_MATCH_CONTAINS: return true;
        case KQ_MATCH_STARTSWITH:
            if (p == 0) return true;
            break;
        case KQ_MATCH_ENDSWITH:
            if (p + nn == nh) return true;
            break;
        case KQ_MATCH_HAS:
            if (left && right) return true;
            break;
        case KQ_MATCH_HASPREFIX:
            if (left) return true;
            break;
        case KQ_MATCH_HASSUFFIX:
            if (right) return true;
            break;
        }
    }
    return false;
}

static bool match_bytes(kq_match_op op, kq_sv h, kq_sv n) {
    for (size_t p = 0; p + n.n <= h.n; p++) {
        if (n.n && memcmp(h.p + p, n.p, n.n) != 0) continue;
        if (op == KQ_MATCH_CONTAINS) return true;
        if (p == 0 && (op == KQ_MATCH_STARTSWITH || n.n == h.n)) return true;
        if (op == KQ_MATCH_ENDSWITH && p + n.n == h.n) return true;
    }
    return false;
}

bool naive_match(kq_match_op op, bool ci, kq_sv text, kq_sv needle) {
    if (!ci && op <= KQ_MATCH_ENDSWITH) return match_bytes(op, text, needle);
    size_t nh, nn;
    uint32_t *h = units_of(text, ci, &nh), *n = units_of(needle, ci, &nn);
    bool found = match_units(op, h, nh, n, nn);
    free(h);
    free(n);
    return found;
}

uint64_t naive_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545F4914F6CDD1D) >> 16;
}

size_t naive_random_text(uint64_t *state, size_t units, char *out) {
    static const char *const alphabet[] = {"a",
                                           "A",
                                           "b",
                                           "B",
                                           "k",
                                           "K",
                                           "s",
                                           "S",
                                           " ",
                                           "_",
                                           "-",
                                           "1",
                                           "\\",
                                           "\xE2\x84\xAA", /* KELVIN SIGN */
                                           "\xC5\xBF",     /* LONG S */
                                           "\xC3\xA9",
                                           "\xC3\x89", /* e acute */
                                           "\xCD\x85", /* YPOGEGRAMMENI */
                                           "\xCE\xB9",
                                           "\xE1\xBE\xBE", /* iota, PROSGEGRAMMENI */
                                           "\xF0\x90\x90\x80",
                                           "\xF0\x90\x90\xA8", /* Deseret long I */
                                           "\xE2\x80\x93",     /* EN DASH */
                                           "\xC3",
                                           "\xA9",
                                           "\xFF",
                                           "\xE2\x84",
                                           "",
                                           "a",
                                           "a",
                                           "b",
                                           " "};
    size_t n = 0;
    unsigned few = naive_random(state) % 3 ? 13 : (unsigned)(sizeof alphabet / sizeof *alphabet);
    if (naive_random(state) % 4 == 0) few = 3;
    for (size_t i = 0; i < units; i++) {
        const char *u = alphabet[naive_random(state) % few];
        size_t len = strlen(u);
        memcpy(out + n, u, len);
        n += len;
    }
    return n;
}
