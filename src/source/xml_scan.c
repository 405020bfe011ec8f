#include "source/xml_scan.h"
#include "base/utf8.h"
#include <stdio.h>

size_t kq_xml_section_bytes = (size_t)256 * 1024;

const struct kq_xml_marks kq_xml_marks[] = {
    {{"", 0}, {"", 0}}, {{"<!--", 4}, {"-->", 3}}, {{"<![CDATA[", 9}, {"]]>", 3}}, {{"<?", 2}, {"?>", 2}}};

#define NAME_MAX 48u /* bytes of a prefix, and of the outer element's name */

const char *kq_xml_find(const char *p, const char *end, kq_sv needle) {
    if ((size_t)(end - p) < needle.n) return NULL;
    const char *last = end - needle.n; /* the last place where it may start */
#ifdef __SSE2__
    const __m128i first = _mm_set1_epi8(needle.p[0]), tail = _mm_set1_epi8(needle.p[needle.n - 1]);
    for (; last - p >= 15; p += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + needle.n - 1));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, tail)));
        for (; mask; mask &= mask - 1) {
            const char *at = p + __builtin_ctz(mask);
            if (memcmp(at, needle.p, needle.n) == 0) return at;
        }
    }
#endif
    for (; p <= last; p++)
        if (*p == needle.p[0] && memcmp(p, needle.p, needle.n) == 0) return p;
    return NULL;
}

static bool at(const char *p, const char *end, kq_sv text) {
    return (size_t)(end - p) >= text.n && memcmp(p, text.p, text.n) == 0;
}

static bool ends_name(char c) {
    return kq_xml_blank(c) || c == '>' || c == '/';
}

/* Is there all of `text` at p, or as much of it as there are bytes? */
static bool begins(const char *p, const char *end, kq_sv text) {
    size_t n = (size_t)(end - p) < text.n ? (size_t)(end - p) : text.n;
    return memcmp(p, text.p, n) == 0;
}

kq_xml_is kq_xml_is_start(const kq_xml_names *names, const char *p, const char *end, bool ended) {
    const char *limit = (size_t)(end - p) > KQ_XML_LOOK ? p + KQ_XML_LOOK : end;
    kq_xml_is out_of_bytes = limit == end && !ended ? KQ_XML_UNSURE : KQ_XML_NO;
    if (names->usual.n && at(p, limit, names->usual)) return KQ_XML_YES;
    if (!begins(p, limit, names->event)) return KQ_XML_NO;
    if ((size_t)(limit - p) <= names->event.n) return out_of_bytes;
    const char *q = p + names->event.n;
    if (!kq_xml_blank(*q) && *q != '>') return KQ_XML_NO;
    for (char quote = 0; q < limit && (quote || *q != '>'); q++) {
        if (*q == '<') return KQ_XML_NO;
        if (quote)
            quote = *q == quote ? 0 : quote;
        else if (*q == '"' || *q == '\'')
            quote = *q;
    }
    if (q >= limit) return out_of_bytes;
    if (q[-1] == '/') return KQ_XML_NO;
    for (q++;;) {
        q = kq_xml_skip(q, limit);
        if ((size_t)(limit - q) <= names->system.n) return out_of_bytes;
        if (at(q, limit, names->system)) return ends_name(q[names->system.n]) ? KQ_XML_YES : KQ_XML_NO;
        if (!at(q, limit, KQ_SV("<!--"))) return KQ_XML_NO;
        q = kq_xml_find(q + 4, limit, KQ_SV("-->"));
        if (!q) return out_of_bytes;
        q += 3;
    }
}

kq_xml_section kq_xml_section_at(const char *p, const char *end, bool *unsure) {
    for (kq_xml_section kind = KQ_XML_COMMENT; kind <= KQ_XML_INSTRUCTION; kind++) {
        kq_sv open = kq_xml_marks[kind].open;
        if (!begins(p, end, open)) continue;
        if ((size_t)(end - p) >= open.n) return kind;
        *unsure = true;
    }
    return KQ_XML_OUTSIDE;
}

/* The place of `close` in [p, stop), the last byte of which may be behind `stop` but not behind `end`. */
static const char *close_in(kq_sv close, const char *p, const char *stop, const char *end) {
    if (p >= stop) return NULL;
    return kq_xml_find(p, (size_t)(end - stop) < close.n - 1 ? end : stop + (close.n - 1), close);
}

/* p + n, but not behind `end`. */
static const char *plus(const char *p, size_t n, const char *end) {
    return (size_t)(end - p) > n ? p + n : end;
}

const char *kq_xml_section_end(kq_xml_section kind, const char *p, const char *end) {
    const struct kq_xml_marks *m = &kq_xml_marks[kind];
    return close_in(m->close, plus(p, m->open.n, end), plus(p, kq_xml_section_bytes, end), end);
}

bool kq_xml_swallows(const kq_xml_names *names, kq_xml_section kind, const char *p, const char *to) {
    for (p++; (p = kq_xml_find(p, to, names->event)); p++)
        if (kq_xml_is_start(names, p, to, true) == KQ_XML_YES)
            return kq_xml_find(p, to, kq_xml_marks[kind].open) != NULL;
    return false;
}

/* The first '<' in [p, stop) with `c`, '!' or '?' behind it, or NULL. */
static const char *next_item(const char *p, const char *stop, const char *end, char c) {
    if (stop == end && stop > p) stop--;
#ifdef __SSE2__
    const __m128i less = _mm_set1_epi8('<'), name = _mm_set1_epi8(c), bang = _mm_set1_epi8('!'),
                  mark = _mm_set1_epi8('?');
    for (; stop - p >= 16; p += 16) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
        __m128i any =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(b, bang), _mm_cmpeq_epi8(b, mark)), _mm_cmpeq_epi8(b, name));
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, less), any));
        if (mask) return p + __builtin_ctz(mask);
    }
#endif
    for (; p < stop; p++)
        if (*p == '<' && (p[1] == c || p[1] == '!' || p[1] == '?')) return p;
    return NULL;
}

/* Behind the section at p, or NULL when the bytes end too early to tell. */
static const char *behind_section(kq_xml_section kind, const char *p, const char *end, bool ended) {
    const char *close = kq_xml_section_end(kind, p, end);
    size_t n = kq_xml_marks[kind].close.n;
    if (close) return close + n;
    return ended || (size_t)(end - p) >= kq_xml_section_bytes + n - 1 ? plus(p, kq_xml_section_bytes, end) : NULL;
}

const char *kq_xml_next_start(const kq_xml_names *names, const char *p, const char *stop, const char *end, bool ended,
                              kq_xml_seen *seen) {
    kq_xml_seen none;
    if (!seen) seen = &none;
    seen->sections = false;
    char c = names->event.p[1];
    while (p < stop) {
        const char *q = next_item(p, stop, end, c);
        if (!q) {
            p = stop == end && stop[-1] == '<' ? stop - 1 : stop;
            break;
        }
        seen->resume = q;
        if (q[1] == c) {
            kq_xml_is is = kq_xml_is_start(names, q, end, ended);
            if (is == KQ_XML_YES) return q;
            if (is == KQ_XML_UNSURE) return NULL;
            p = q + 1;
            continue;
        }
        bool unsure = false;
        kq_xml_section kind = kq_xml_section_at(q, end, &unsure);
        p = q + 1;
        if (kind) {
            seen->sections = true;
            p = behind_section(kind, q, end, ended);
            if (!p) return NULL;
        } else if (unsure && !ended) {
            return NULL;
        }
    }
    seen->resume = p;
    return NULL;
}

const char *kq_xml_last_start(const kq_xml_names *names, const char *p, const char *stop, const char *end, bool ended,
                              kq_xml_seen *seen) {
    const char *last = NULL, *q;
    if (p < stop && kq_scan_marked(p, (size_t)(stop - p) + (stop < end))) {
        for (; (q = kq_xml_next_start(names, p, stop, end, ended, seen)); p = q + 1) last = q;
        return last;
    }
    *seen = (kq_xml_seen){.resume = p < stop ? stop : p};
    for (q = stop; q > p && (q = memrchr(p, '<', (size_t)(q - p)));)
        if (kq_xml_is_start(names, q, end, ended) == KQ_XML_YES) return q;
    return NULL;
}

/* Bytes behind the border up to where an open section is given up. */
static size_t left_of(const kq_xml_border *border) {
    return kq_xml_section_bytes > border->run ? kq_xml_section_bytes - border->run : 0;
}

const char *kq_xml_leave(const kq_xml_border *border, const char *p, const char *end, bool ended) {
    if (!border->section) return (size_t)(end - p) >= border->from ? p + border->from : ended ? end : NULL;
    kq_sv mark = kq_xml_marks[border->section].close;
    size_t left = left_of(border);
    const char *close = close_in(mark, plus(p, border->from, end), plus(p, left, end), end);
    if (close) return close + mark.n;
    return ended || (size_t)(end - p) >= left + mark.n - 1 ? plus(p, left, end) : NULL;
}

const char *kq_xml_cross(const char *p, size_t own, const char *end, kq_xml_border *border) {
    const char *stop = p + own, *outside = p + border->from;
    if (border->section) {
        kq_sv mark = kq_xml_marks[border->section].close;
        size_t left = left_of(border), from = border->from < own ? border->from : own;
        const char *close = close_in(mark, p + from, plus(p, left, stop), end);
        if (!close && left > own) {
            border->run += own;
            border->from -= from;
            return NULL;
        }
        outside = close ? close + mark.n : p + left;
    }
    const char *q = outside;
    if (q < stop && !kq_scan_marked(q, (size_t)(stop - q) + (stop < end))) q = stop;
    while (q < stop) {
        const char *open = next_item(q, stop, end, '!');
        if (!open) break;
        bool unsure = false;
        kq_xml_section kind = kq_xml_section_at(open, end, &unsure);
        q = open + 1;
        if (!kind) continue;
        const struct kq_xml_marks *m = &kq_xml_marks[kind];
        const char *from = open + m->open.n,
                   *close = close_in(m->close, from, plus(open, kq_xml_section_bytes, stop), end);
        if (!close && (size_t)(stop - open) < kq_xml_section_bytes) {
            *border = (kq_xml_border){kind, (size_t)(stop - open), from > stop ? (size_t)(from - stop) : 0};
            return outside;
        }
        q = close ? close + m->close.n : open + kq_xml_section_bytes;
    }
    *border = (kq_xml_border){.from = q > stop ? (size_t)(q - stop) : 0};
    return outside < stop ? outside : NULL;
}
/* Behind the comment, instruction or declaration at p, or NULL. */
static const char *behind_markup(const kq_xml_names *names, const char *p, const char *end) {
    bool unsure;
    kq_xml_section kind = kq_xml_section_at(p, end, &unsure);
    if (kind == KQ_XML_COMMENT || kind == KQ_XML_INSTRUCTION) {
        const char *close = kq_xml_section_end(kind, p, end);
        return close && !kq_xml_swallows(names, kind, p, close) ? close + kq_xml_marks[kind].close.n : NULL;
    }
    const char *close = at(p, end, KQ_SV("<!DOCTYPE")) ? memchr(p, '>', (size_t)(end - p)) : NULL;
    return close ? close + 1 : NULL;
}

const char *kq_xml_gap(const kq_xml_names *names, const char *p, const char *end) {
    for (;;) {
        p = kq_xml_skip(p, end);
        if (p == end) return NULL;
        if (at(p, end, KQ_SV("\xEF\xBB\xBF"))) { /* of files that were joined together */
            p += 3;
            continue;
        }
        const char *q = *p == 'R' || *p == 'e' ? kq_scan_label(p, end) : NULL;
        if (!q && *p == '<') q = behind_markup(names, p, end);
        if (!q && *p == '<') {
            const char *name = p + 1 + (end - p > 1 && p[1] == '/');
            kq_sv root = at(name, end, KQ_SV("Events")) ? KQ_SV("Events") : names->root;
            if (root.n && at(name, end, root) && name + root.n < end && ends_name(name[root.n])) {
                q = memchr(name, '>', (size_t)(end - name));
                if (q) q++;
            }
        }
        if (!q) return p;
        p = q;
    }
}

/* The code point of "#65;" or "#x41;" after the '&'; *p behind it. False when it is none. */
static bool numeric(const char **p, const char *end, uint32_t *cp) {
    const char *q = *p + 1, *digits;
    uint32_t base = 10;
    if (q < end && (*q == 'x' || *q == 'X')) {
        base = 16;
        q++;
    }
    *cp = 0;
    for (digits = q; q < end && *q != ';'; q++) {
        char c = kq_ascii_lower(*q);
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                                                : 16;
        if (digit >= base) return false;
        if (*cp <= 0x10FFFF) *cp = *cp * base + digit;
    }
    if (q == end || q == digits) return false;
    *p = q + 1;
    return true;
}

static bool reference(const char **p, const char *end, uint32_t *cp) {
    static const struct {
        kq_sv name;
        char c;
    } named[] = {{{"lt;", 3}, '<'}, {{"gt;", 3}, '>'}, {{"amp;", 4}, '&'}, {{"quot;", 5}, '"'}, {{"apos;", 5}, '\''}};
    const char *q = *p;
    if (q < end && *q == '#') {
        if (!numeric(&q, end, cp)) return false;
        if (*cp == 0) *cp = KQ_UTF8_BAD;
        if (*cp >= 0xD800 && *cp <= 0xDBFF && end - q > 3 && q[0] == '&' && q[1] == '#') { /* a pair in two */
            const char *second = q + 1;
            uint32_t low;
            if (numeric(&second, end, &low) && low >= 0xDC00 && low <= 0xDFFF) {
                *cp = 0x10000 + ((*cp - 0xD800) << 10) + (low - 0xDC00);
                q = second;
            }
        }
        *p = q;
        return true;
    }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (at(q, end, named[i].name)) {
            *cp = (unsigned char)named[i].c;
            *p = q + named[i].name.n;
            return true;
        }
    return false;
}

size_t kq_xml_unescape(kq_sv text, char *to, bool *odd) {
    char *out = to;
    const char *p = text.p, *end = text.p + text.n;
    while (p < end) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        size_t n = (size_t)((amp ? amp : end) - p);
        memcpy(out, p, n);
        out += n;
        if (!amp) break;
        p = amp + 1;
        uint32_t cp;
        if (reference(&p, end, &cp)) {
            out += kq_utf8_encode(cp, out);
        } else {
            *out++ = '&';
            *odd = true;
        }
    }
    return (size_t)(out - to);
}

static kq_sv name_at(const char *p, const char *end) {
    const char *q = p;
    while (q < end && !ends_name(*q) && *q != '<' && *q) q++;
    return (kq_sv){p, (size_t)(q - p)};
}

static void spell(kq_xml_names *names, kq_sv prefix) {
    int n = snprintf(names->event_text, sizeof names->event_text, "<%.*sEvent", (int)prefix.n, prefix.p);
    names->event = (kq_sv){names->event_text, (size_t)n};
    names->prefix = (kq_sv){names->event_text + 1, prefix.n};
    n = snprintf(names->system_text, sizeof names->system_text, "<%.*sSystem", (int)prefix.n, prefix.p);
    names->system = (kq_sv){names->system_text, (size_t)n};
}

/* The prefix of a tag whose name is "Event", at p: what stands between '<' and p. */
static bool prefix_before(kq_sv head, const char *p, kq_sv *prefix) {
    const char *less = p;
    while (less > head.p && p - less <= (ptrdiff_t)NAME_MAX && *--less != '<')
        if (ends_name(*less) || *less == '"' || *less == '\'') return false;
    *prefix = (kq_sv){less + 1, (size_t)(p - less) - 1};
    return *less == '<' && prefix->n <= NAME_MAX && (prefix->n == 0 || p[-1] == ':');
}

/* The first event, whatever its prefix, in [p, stop), where no section begins. */
static const char *first_start(kq_xml_names *names, const char *p, const char *stop, const char *end) {
    for (const char *from = p; p < stop && (p = kq_xml_find(p, stop, KQ_SV("Event"))); p++) {
        kq_sv prefix;
        if (p == from || !prefix_before((kq_sv){from, (size_t)(p - from)}, p, &prefix)) continue;
        spell(names, prefix);
        const char *less = p - prefix.n - 1;
        if (kq_xml_is_start(names, less, end, true) == KQ_XML_YES) return less;
    }
    return NULL;
}

bool kq_xml_learn(kq_xml_names *names, kq_sv head) {
    if (!head.n) head = KQ_SV(""); /* its p may be NULL */
    const char *end = head.p + head.n, *start = NULL;
    *names = (kq_xml_names){0};
    for (const char *p = head.p, *stop; !start && p && p < end; p = stop) {
        stop = next_item(p, end, end, '!');
        start = first_start(names, p, stop ? stop : end, end);
        bool unsure;
        kq_xml_section kind = stop ? kq_xml_section_at(stop, end, &unsure) : KQ_XML_OUTSIDE;
        if (stop) stop = kind ? behind_section(kind, stop, end, true) : stop + 1;
    }
    if (start) {
        const char *system = kq_xml_find(start, end, names->system);
        size_t n = system ? (size_t)(system - start) + names->system.n + 1 : 0;
        if (n && n <= sizeof names->usual_text && !kq_scan_marked(start, n)) {
            memcpy(names->usual_text, start, n);
            names->usual = (kq_sv){names->usual_text, n};
        }
    } else {
        spell(names, KQ_SV(""));
    }
    const char *outer = kq_xml_gap(names, head.p, end);
    if (outer && outer != start && end - outer > 1 && *outer == '<' && outer[1] != '!' && outer[1] != '?') {
        kq_sv name = name_at(outer + 1, end);
        if (name.n && name.n <= NAME_MAX && !kq_sv_eq(name, kq_sv_slice(names->event, 1, names->event.n))) {
            memcpy(names->root_text, name.p, name.n);
            names->root = (kq_sv){names->root_text, name.n};
        }
    }
    return start != NULL;
}
