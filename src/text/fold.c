#include "text/unicode_table.h"
#include "text/unit.h"

#define R8(x)      x, x, x, x, x, x, x, x
#define LETTERS(x) R8(x), R8(x), R8(x), x, x

const uint8_t kq_ascii_class[256] = {
    ['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ['A'] = LETTERS(3), ['a'] = LETTERS(3),
};

#define ROW8(b)  (b), (b) + 1, (b) + 2, (b) + 3, (b) + 4, (b) + 5, (b) + 6, (b) + 7
#define ROW32(b) ROW8(b), ROW8((b) + 8), ROW8((b) + 16), ROW8((b) + 24)
const uint8_t kq_ascii_fold[256] = {
    ROW32(0), ROW32(32), '@', ROW8('a'), ROW8('i'), ROW8('q'),  'y',        'z',        '[',
    '\\',     ']',       '^', '_',       ROW32(96), ROW32(128), ROW32(160), ROW32(192), ROW32(224),
};

static const unicode_record *record_of(uint32_t cp) {
    if (cp > 0x10FFFF) return &unicode_records[0];
    uint32_t block = unicode_stage1[cp >> UNICODE_BLOCK_SHIFT];
    uint32_t in = cp & ((1u << UNICODE_BLOCK_SHIFT) - 1);
    return &unicode_records[unicode_stage2[block << UNICODE_BLOCK_SHIFT | in]];
}

uint32_t kq_fold(uint32_t cp) {
    if (cp < 0x80) return kq_ascii_fold[cp];
    return cp + (uint32_t)record_of(cp)->fold;
}

uint32_t kq_lower(uint32_t cp) {
    return cp + (uint32_t)record_of(cp)->lower;
}

uint32_t kq_upper(uint32_t cp) {
    return cp + (uint32_t)record_of(cp)->upper;
}

bool kq_is_term(uint32_t cp) {
    return cp < 0x80 ? kq_ascii_class[cp] & 1 : record_of(cp)->properties & 1;
}

const char *kq_category(uint32_t cp) {
    return unicode_categories[record_of(cp)->category];
}

bool kq_is_upper(uint32_t cp) {
    return record_of(cp)->properties & 2;
}

bool kq_is_lower(uint32_t cp) {
    return record_of(cp)->properties & 4;
}

uint32_t kq_unicode_step(uint32_t cp) {
    const uint32_t size = 1u << UNICODE_BLOCK_SHIFT;
    return cp <= 0x10FFFF && cp % size == 0 && unicode_uniform[unicode_stage1[cp >> UNICODE_BLOCK_SHIFT]] ? size : 1;
}

const uint32_t *kq_folding(size_t *n) {
    *n = sizeof unicode_folding / sizeof *unicode_folding;
    return unicode_folding;
}

bool kq_sv_eq_ci(kq_sv a, kq_sv b) {
    const char *p = a.p, *pe = a.p + a.n, *q = b.p, *qe = b.p + b.n;
    while (p < pe && q < qe) {
        unsigned char x = (unsigned char)*p, y = (unsigned char)*q;
        if ((x | y) < 0x80) {
            if (kq_ascii_fold[x] != kq_ascii_fold[y]) return false;
            p++;
            q++;
            continue;
        }
        uint32_t u, v;
        p += kq_unit(p, pe, &u);
        q += kq_unit(q, qe, &v);
        if (u != v && kq_unit_fold(u, true) != kq_unit_fold(v, true)) return false;
    }
    return p == pe && q == qe;
}

static void map(kq_sv s, kq_buf *out, bool upper) {
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        const char *run = p;
        while (run < end && (unsigned char)*run < 0x80) run++;
        if (run > p) {
            size_t n = (size_t)(run - p);
            char *to = kq_buf_reserve(out, n);
            if (!to) return;
            for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)p[i];
                unsigned first = upper ? 'a' : 'A';
                to[i] = (char)(c - first < 26u ? c ^ 0x20 : c);
            }
            out->n += n;
            p = run;
            continue;
        }
        uint32_t unit;
        unsigned n = kq_unit(p, end, &unit);
        if (unit >= KQ_UNIT_RAW) {
            kq_buf_char(out, *p);
        } else {
            char bytes[4];
            kq_buf_append(out, bytes, kq_utf8_encode(upper ? kq_upper(unit) : kq_lower(unit), bytes));
        }
        p += n;
    }
}

void kq_sv_lower(kq_sv s, kq_buf *out) {
    map(s, out, false);
}

void kq_sv_upper(kq_sv s, kq_buf *out) {
    map(s, out, true);
}
