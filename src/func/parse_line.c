/* File paths, command lines and records of comma-separated values. */
#include "func/build.h"
#include "func/rows.h"

static void put_field(kq_dyn_builder *b, const char *key, kq_sv value) {
    kq_dyn_key(b, kq_sv_of(key));
    kq_dyn_put_string(b->out, value);
    kq_dyn_part(b);
}

static bool is_slash(char c) {
    return c == '/' || c == '\\';
}

static bool is_letter(char c) {
    return kq_ascii_lower(c) >= 'a' && kq_ascii_lower(c) <= 'z';
}

/* The length of "name" in "name://", or 0. A drive letter is no scheme. */
static size_t scheme_length(kq_sv s) {
    size_t i = 0;
    while (i < s.n && (is_letter(s.p[i]) || (i && ((s.p[i] >= '0' && s.p[i] <= '9') || strchr("+-.", s.p[i]))))) i++;
    return i && kq_sv_starts(kq_sv_slice(s, i, s.n), KQ_SV("://")) ? i : 0;
}

/* The length of "C:\", with the "\\?\" of a long path before it; 0 when the path has no drive. */
static size_t root_length(kq_sv s) {
    size_t at = kq_sv_starts(s, KQ_SV("\\\\?\\")) || kq_sv_starts(s, KQ_SV("\\\\.\\")) ? 4 : 0;
    if (s.n < at + 2 || !is_letter(s.p[at]) || s.p[at + 1] != ':') return 0;
    return at + 2 + (s.n > at + 2 && is_slash(s.p[at + 2]));
}

static bool build_path(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    kq_sv scheme = kq_sv_slice(s, 0, scheme_length(s));
    if (scheme.n) s = kq_sv_slice(s, scheme.n + 3, s.n);
    kq_sv root = kq_sv_slice(s, 0, root_length(s));
    size_t name = s.n;
    while (name > root.n && !is_slash(s.p[name - 1])) name--;
    kq_sv file = kq_sv_slice(s, name, s.n);
    /* Without the slash before the file, but never less than the root. */
    kq_sv dir = kq_sv_slice(s, 0, name > root.n ? name - 1 : root.n);
    size_t last = dir.n;
    while (last > root.n && !is_slash(dir.p[last - 1])) last--;
    size_t colon = 0, dot = 0;
    while (colon < file.n && file.p[colon] != ':') colon++;
    kq_sv stream = kq_sv_slice(file, colon + 1, file.n);
    file = kq_sv_slice(file, 0, colon);
    dot = file.n;
    while (dot > 0 && file.p[dot - 1] != '.') dot--;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    put_field(&b, "Scheme", scheme);
    put_field(&b, "RootPath", root);
    put_field(&b, "DirectoryPath", dir);
    put_field(&b, "DirectoryName", kq_sv_slice(dir, last, dir.n));
    put_field(&b, "Filename", file);
    put_field(&b, "Extension", dot ? kq_sv_slice(file, dot, file.n) : (kq_sv){"", 0});
    put_field(&b, "AlternateDataStreamName", stream);
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_parse_path(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_path, NULL, err);
}

/* ---- parse_command_line: the rules of Windows' CommandLineToArgvW ---- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static void put_text(kq_dyn_builder *b, kq_sv text) {
    kq_dyn_put_string(b->out, text);
    kq_dyn_part(b);
}

/* The program: up to the next quote when it begins with one, else up to a blank; backslashes mean nothing here. */
static const char *program(kq_dyn_builder *b, const char *p, const char *end) {
    bool quoted = *p == '"';
    const char *start = p += quoted;
    while (p < end && (quoted ? *p != '"' : !is_blank(*p))) p++;
    put_text(b, (kq_sv){start, (size_t)(p - start)});
    return p < end && quoted ? p + 1 : p;
}

/* One further argument onto `text`. Backslashes count only before a quote: every two make one, an odd one makes the
 * quote literal. Quotes in a row: the third is literal and, like the second, ends the quoting. */
static const char *argument(kq_buf *text, const char *p, const char *end) {
    unsigned quotes = 0;
    size_t slashes = 0;
    while (p < end && (quotes || !is_blank(*p))) {
        char c = *p++;
        if (c == '\\') {
            slashes++;
            kq_buf_char(text, c);
            continue;
        }
        if (c != '"') {
            slashes = 0;
            kq_buf_char(text, c);
            continue;
        }
        if (slashes > text->n) return end; /* the buffer has failed */
        if (slashes % 2) {
            text->n -= slashes / 2 + 1;
            kq_buf_char(text, '"');
        } else {
            text->n -= slashes / 2;
            quotes++;
        }
        slashes = 0;
        for (; p < end && *p == '"'; p++) {
            if (++quotes == 3) {
                kq_buf_char(text, '"');
                quotes = 0;
            }
        }
        if (quotes == 2) quotes = 0;
    }
    return p;
}

static bool build_command_line(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *text = ctx;
    kq_sv line = kq_arg_sv(call, 0, row);
    if (!kq_sv_eq_ascii_ci(kq_arg_sv(call, 1, row), KQ_SV("windows"))) return false;
    kq_buf_clear(text);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    const char *p = line.p, *end = line.p + line.n;
    if (line.n) p = program(&b, p, end);
    for (;;) {
        while (p < end && is_blank(*p)) p++;
        if (p >= end || text->failed || out->failed) break;
        text->n = 0;
        p = argument(text, p, end);
        put_text(&b, kq_buf_view(text));
    }
    if (text->failed) out->failed = text->failed;
    kq_dyn_close(&b);
    return true;
}

static kq_status with_buffer(kq_call *call, kq_build_fn build, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build, &text, err);
    kq_buf_deinit(&text);
    return status;
}

kq_status kq_fn_parse_command_line(kq_call *call, kq_error *err) {
    return with_buffer(call, build_command_line, err);
}

/* ---- parse_csv: the values of the first record ---- */

static bool build_csv(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *text = ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    const char *p = s.p, *end = s.p + s.n;
    kq_dyn_builder b;
    kq_buf_clear(text);
    kq_dyn_open(&b, out, false);
    for (bool more = true; more;) {
        text->n = 0; /* a failure must last */
        if (p < end && *p == '"') {
            for (p++; p < end; p++) {
                if (*p == '"' && (++p == end || *p != '"')) break;
                kq_buf_char(text, *p);
            }
        }
        while (p < end && *p != ',' && *p != '\n' && !(*p == '\r' && (p + 1 == end || p[1] == '\n')))
            kq_buf_char(text, *p++);
        put_text(&b, kq_buf_view(text));
        more = p < end && *p == ',';
        if (more) p++;
    }
    if (text->failed) out->failed = text->failed;
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_parse_csv(kq_call *call, kq_error *err) {
    return with_buffer(call, build_csv, err);
}
