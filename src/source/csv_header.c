/*
 * The header of a CSV file: how a file is recognised, its delimiter, the names of its columns.
 */
#include "source/csv_internal.h"

#define COLUMNS_MAX 65536
#define SINGLE_MAX  512
#define HEAD_WHOLE  (64u * 1024) /* a stream's head; of a smaller file it is all */

static size_t count_in_line(kq_sv line, char c) {
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.n; i++) {
        quoted ^= line.p[i] == '"';
        n += !quoted && line.p[i] == c;
    }
    return n;
}

/* The first line that is not empty, without its line end; *after: what follows it. */
static kq_sv first_line(kq_sv s, kq_sv *after) {
    bool quoted = false;
    size_t i = 0;
    while (i < s.n && (s.p[i] == '\n' || s.p[i] == '\r')) i++;
    s = kq_sv_slice(s, i, s.n);
    for (i = 0; i < s.n && (quoted || s.p[i] != '\n'); i++) quoted ^= s.p[i] == '"';
    *after = kq_sv_slice(s, i + 1, s.n);
    kq_sv line = kq_sv_slice(s, 0, i);
    if (line.n && line.p[line.n - 1] == '\r') line.n--;
    return line;
}

static char delimiter_of(kq_sv line) {
    static const char known[] = {',', ';', '\t'};
    char best = ',';
    size_t most = 0;
    for (size_t i = 0; i < sizeof known; i++) {
        size_t n = count_in_line(line, known[i]);
        if (n > most) {
            most = n;
            best = known[i];
        }
    }
    return best;
}

/* The first line of a file before its header, if it has one: `#TYPE System...` of PowerShell 5.1's Export-Csv, `sep=;`
 * of Excel, quoted or not. Gives what follows it; *delimiter: the one that it names, or 0. */
static kq_sv without_preamble(kq_sv text, char *delimiter) {
    kq_sv after, line = first_line(text, &after);
    *delimiter = 0;
    if (line.n > 2 && line.p[0] == '"' && line.p[line.n - 1] == '"') line = kq_sv_slice(line, 1, line.n - 1);
    if (kq_sv_starts(line, KQ_SV("#TYPE "))) return after;
    if (line.n != 5 || !kq_sv_eq_ascii_ci(kq_sv_slice(line, 0, 4), KQ_SV("sep="))) return text;
    *delimiter = line.p[4];
    return after;
}

int kq_csv_detect(kq_sv head, const char *path) {
    kq_sv name = kq_sv_of(path), rest, after, text = kq_csv_without_bom(head);
    if (kq_sv_ends(name, KQ_SV(".gz"))) name.n -= 3;
    if (kq_sv_ends(name, KQ_SV(".zst")) || kq_sv_ends(name, KQ_SV(".bz2"))) name.n -= 4;
    if (kq_sv_ends(name, KQ_SV(".xz"))) name.n -= 3;
    bool named = kq_sv_ends(name, KQ_SV(".csv")) || kq_sv_ends(name, KQ_SV(".tsv"));
    char named_delimiter;
    kq_sv line = first_line(without_preamble(text, &named_delimiter), &rest);
    if (!line.n || memchr(line.p, 0, line.n)) return 0;
    if (named) return 90;
    if (line.p[0] == '{' || line.p[0] == '[' || line.p[0] == '<' || line.p[0] == '#') return 0;
    char c = named_delimiter ? named_delimiter : delimiter_of(line);
    size_t n = count_in_line(line, c);
    kq_sv second = first_line(rest, &after);
    return n >= 3 && second.n && count_in_line(second, c) == n ? 50 : 0;
}

static bool has_name(const kq_csv_source *s, uint32_t from, uint32_t to, kq_sv name, bool local) {
    for (uint32_t i = from; i < to; i++)
        if (s->columns[i].local == local && kq_sv_eq(s->columns[i].name, name)) return true;
    return false;
}

/* A second column of the same name is NAME1, as Kusto names it. A wide header is not looked through: the work grows
 * with the square of its columns. */
static kq_status single_names(kq_csv_source *s, kq_error *err) {
    for (uint32_t c = 1; c < s->ncolumns && s->ncolumns <= SINGLE_MAX; c++) {
        kq_csv_column *at = &s->columns[c];
        if (!at->name.n || !has_name(s, 0, c, at->name, at->local)) continue;
        if (!s->base.doubled.n) s->base.doubled = at->name;
        kq_sv name = at->name;
        for (uint32_t k = 1;; k++) {
            kq_sv made = kq_arena_printf(&s->arena, KQ_SV_FMT "%u", KQ_SV_ARG(name), (unsigned)k);
            if (!made.p) return kq_arena_status(&s->arena, err);
            at->name = made;
            if (!has_name(s, 0, c, made, at->local) && !has_name(s, c + 1, s->ncolumns, made, at->local)) break;
        }
    }
    return KQ_OK;
}

static bool has_word(kq_sv name, const char *word) {
    kq_sv w = kq_sv_of(word);
    for (size_t i = 0; i + w.n <= name.n; i++)
        if (kq_sv_eq_ascii_ci(kq_sv_slice(name, i, i + w.n), w)) return true;
    return false;
}

/* Portals write the zone that is set in them behind the names of times: `TimeGenerated [UTC]`, `Timestamp [Local
 * Time]`, `TimeGenerated [Brussels, Copenhagen, Madrid, Paris]`. All but the first are local times. Other names keep
 * their brackets. */
static void cut_zone(kq_csv_column *c) {
    kq_sv name = c->name, zone;
    size_t at = name.n;
    if (!kq_sv_ends(name, KQ_SV("]"))) return;
    while (at > 0 && name.p[at - 1] != '[') at--;
    if (at < 3 || name.p[at - 2] != ' ') return;
    zone = kq_sv_slice(name, at, name.n - 1);
    name = kq_sv_slice(name, 0, at - 2);
    bool utc = kq_sv_eq(zone, KQ_SV("UTC")), local = kq_sv_eq(zone, KQ_SV("Local Time"));
    if (!utc && !local && !has_word(name, "time") && !has_word(name, "date")) return;
    c->name = name;
    c->local = !utc;
}

/* Is there a CR outside of quotes? The line's own end is cut off. */
static bool lone_return(kq_sv line) {
    return count_in_line(line, '\r') > 0;
}

kq_status kq_csv_header(kq_csv_source *s, kq_sv head, kq_error *err) {
    char named;
    kq_sv rest, text = without_preamble(kq_csv_without_bom(head), &named), line = first_line(text, &rest);
    bool escaped;
    if (named && named != ',' && named != ';' && named != '\t')
        return kq_fail(err, KQ_ERR_DAMAGED, "%s: sep= names a delimiter that is none of comma, semicolon and tab",
                       s->base.input->path);
    if (!line.n) return kq_fail(err, KQ_ERR_DAMAGED, "%s: no header", s->base.input->path);
    if (!rest.n && head.n >= HEAD_WHOLE && head.p[head.n - 1] != '\n')
        return kq_fail(err, KQ_ERR_DAMAGED,
                       "%s: the header does not end within the first %u KiB: its names would be cut",
                       s->base.input->path, HEAD_WHOLE / 1024);
    if (lone_return(line))
        return kq_fail(err, KQ_ERR_DAMAGED, "%s: its lines end in CR alone, which is not read: CR LF or LF would be",
                       s->base.input->path);
    s->delimiter = named ? named : delimiter_of(line);
    s->skip = (uint64_t)(rest.p - head.p);
    if (s->skip > head.n) s->skip = head.n;
    size_t most = count_in_line(line, s->delimiter) + 2;
    if (most > COLUMNS_MAX) return kq_fail(err, KQ_ERR_DAMAGED, "%s: too many columns", s->base.input->path);
    s->columns = kq_arena_array(&s->arena, kq_csv_column, most);
    char *padded = kq_arena_bytes(&s->arena, 3 * line.n + KQ_SCAN_SLACK);
    s->line = kq_arena_copy(&s->arena, line);
    if (!s->columns || !padded || !s->line.p) return kq_arena_status(&s->arena, err);
    line.n = kq_csv_well_formed(line, padded);
    memset(padded + line.n, 0, KQ_SCAN_SLACK);
    for (const char *p = padded, *end = padded + line.n; p && s->ncolumns < most;) {
        kq_csv_column *c = &s->columns[s->ncolumns++];
        p = kq_csv_field(p, end, s->delimiter, &c->name, &escaped);
        if (escaped) {
            char *to = kq_arena_bytes(&s->arena, c->name.n);
            if (!to) return kq_arena_status(&s->arena, err);
            c->name = (kq_sv){to, kq_csv_unescape(c->name, to)};
        }
        cut_zone(c);
    }
    return single_names(s, err);
}
