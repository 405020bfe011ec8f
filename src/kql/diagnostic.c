#include "kql/diagnostic.h"
#include "base/utf8.h"
#include <stdio.h>

enum { LINE_CELLS = 150 };

/* How many cells of a terminal a code point takes. Source: the East Asian Width property, by blocks. */
static unsigned cells(uint32_t cp) {
    if ((cp >= 0x300 && cp <= 0x36F) || (cp >= 0x200B && cp <= 0x200F) || (cp >= 0xFE00 && cp <= 0xFE0F)) return 0;
    if ((cp >= 0x1100 && cp <= 0x115F) || (cp >= 0x2E80 && cp <= 0xA4CF) || (cp >= 0xAC00 && cp <= 0xD7A3) ||
        (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0xFE30 && cp <= 0xFE6F) || (cp >= 0xFF00 && cp <= 0xFF60) ||
        (cp >= 0xFFE0 && cp <= 0xFFE6) || (cp >= 0x1F300 && cp <= 0x1FAFF) || (cp >= 0x20000 && cp <= 0x3FFFD))
        return 2;
    return 1;
}

/* Appends `line` as it can be shown: no control characters, no broken UTF-8. */
static void show_line(kq_sv line, kq_buf *out) {
    for (const char *p = line.p, *end = line.p + line.n; p < end;) {
        uint32_t cp;
        unsigned len = kq_utf8_decode(p, end, &cp);
        if (cp == '\t')
            kq_buf_char(out, '\t');
        else if (cp < 0x20 || cp == 0x7F || (cp >= 0x80 && cp < 0xA0))
            kq_buf_char(out, ' ');
        else if (cp == KQ_UTF8_BAD)
            kq_buf_str(out, "\xEF\xBF\xBD");
        else
            kq_buf_append(out, p, len);
        p += len;
    }
}

/* Appends as many of `c` as `text` takes cells; with blanks, tabs stay tabs. */
static void repeat_for(kq_sv text, char c, kq_buf *out) {
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        if (cp == '\t')
            kq_buf_char(out, c == ' ' ? '\t' : c);
        else
            for (unsigned i = cells(cp); i > 0; i--) kq_buf_char(out, c);
    }
}

static bool is_continuation(char c) {
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* A long line is shown around its span: cuts `line` and moves *start and *end along. */
static bool shorten(kq_sv *line, size_t *start, size_t *end) {
    size_t from = 0, to = line->n;
    if (line->n > LINE_CELLS) {
        from = *start > LINE_CELLS / 3 ? *start - LINE_CELLS / 3 : 0;
        while (from > 0 && is_continuation(line->p[from])) from--;
        to = from + LINE_CELLS < line->n ? from + LINE_CELLS : line->n;
        while (to < line->n && is_continuation(line->p[to])) to++;
    }
    *line = kq_sv_slice(*line, from, to);
    *start -= from;
    *end = (*end < to ? *end : to) - from;
    if (*end < *start) *end = *start;
    return from > 0;
}

void kq_diagnostic_print(const kq_error *error, kq_sv query, const char *name, kq_buf *out) {
    kq_buf_printf(out, "error: %s\n", error->message);
    if (error->span_start != UINT32_MAX) {
        size_t at = error->span_start < query.n ? error->span_start : query.n, row = 1, line_start = 0;
        for (size_t i = 0; i < at; i++) {
            if (query.p[i] == '\n') {
                row++;
                line_start = i + 1;
            }
        }
        const char *newline = query.n > at ? memchr(query.p + at, '\n', query.n - at) : NULL;
        size_t line_end = newline ? (size_t)(newline - query.p) : query.n;
        if (line_end > at && query.p[line_end - 1] == '\r') line_end--;
        kq_sv line = kq_sv_slice(query, line_start, line_end);
        size_t column = 1, start = at - line_start, end = start + error->span_len;
        for (size_t i = 0; i < start; i++) column += !is_continuation(line.p[i]);
        if (end > line.n) end = line.n;
        bool cut = shorten(&line, &start, &end);
        kq_buf_printf(out, "  --> %s:%zu:%zu\n%4zu | %s", name, row, column, row, cut ? "..." : "");
        show_line(line, out);
        char number[24];
        int width = snprintf(number, sizeof number, "%4zu", row);
        kq_buf_printf(out, "\n%*s | %s", width, "", cut ? "   " : "");
        repeat_for(kq_sv_slice(line, 0, start), ' ', out);
        size_t before = out->n;
        repeat_for(kq_sv_slice(line, start, end), '^', out);
        if (out->n == before) kq_buf_char(out, '^');
        kq_buf_char(out, '\n');
    }
    if (error->hint[0]) kq_buf_printf(out, "  hint: %s\n", error->hint);
}
