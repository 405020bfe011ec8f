#include "sink/visible.h"
#include "base/utf8.h"

typedef struct range {
    uint32_t first, last;
} range;

/* East Asian wide and full width, and emoji: two columns. */
static const range wide[] = {
    {0x1100, 0x115F}, {0x231A, 0x231B},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},  {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF}, {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},  {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

/* Combining marks and variation selectors: no column of their own. */
static const range combining[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
                                  {0x093C, 0x093C}, {0x0E34, 0x0E3A}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
                                  {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

/* Invisible, or able to change how the text around is shown: spelled out. */
static const range hidden[] = {{0x0080, 0x009F}, {0x00AD, 0x00AD},  {0x061C, 0x061C}, {0x180E, 0x180E},
                               {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0xFEFF, 0xFEFF},
                               {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};

static bool in(const range *ranges, size_t n, uint32_t cp) {
    for (size_t i = 0; i < n; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last) return true;
    return false;
}
#define IN(ranges, cp) in(ranges, sizeof ranges / sizeof *ranges, cp)

static unsigned columns(uint32_t cp) {
    if (cp < 0x300) return 1;
    if (IN(combining, cp)) return 0;
    return cp >= 0x1100 && IN(wide, cp) ? 2 : 1;
}

size_t kq_visible(kq_sv text, kq_buf *out) {
    size_t width = 0;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        const char *plain = p;
        while (p < end && *p >= ' ' && *p <= '~') p++;
        kq_buf_append(out, plain, (size_t)(p - plain));
        width += (size_t)(p - plain);
        if (p == end) break;
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        if (cp >= 0x80 && IN(hidden, cp)) {
            size_t before = out->n;
            kq_buf_printf(out, "<U+%04X>", cp);
            width += out->n - before;
            continue;
        }
        if (cp < 0x20) cp += 0x2400; /* the control pictures */
        if (cp == 0x7F) cp = 0x2421;
        char utf8[4];
        kq_buf_append(out, utf8, kq_utf8_encode(cp, utf8));
        width += columns(cp);
    }
    return width;
}

size_t kq_visible_cut(kq_sv visible, size_t width, size_t *used) {
    const char *p = visible.p, *end = visible.p + visible.n;
    *used = 0;
    while (p < end) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p, end, &cp), w = columns(cp);
        if (*used + w > width) break;
        *used += w;
        p += n;
    }
    return (size_t)(p - visible.p);
}
