#include "source/xml_scan.h"
#include "base/utf8.h"
#include <stdio.h>

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

kq_xml_is kq_xml_is_start(const kq_xml_names *names, const char *p, const char *end, bool ended) {
    const char *limit = (size_t)(end - p) > KQ_XML_LOOK ? p + KQ_XML_LOOK : end, *q = p + names->event.n;
    kq_xml_is out_of_bytes = limit == end && !ended ? KQ_XML_UNSURE : KQ_XML_NO;
    if (q >= limit) return out_of_bytes;
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

const char *kq_xml_next_start(const kq_xml_names *names, const char *p, const char *stop, const char *end, bool ended,
                              const char **resume) {
    size_t n = names->event.n;
    /* it must start before `stop`, but may end behind it */
    const char *to = (size_t)(end - stop) < n - 1 ? end : stop + (n - 1);
    while (p < stop) {
        const char *q = kq_xml_find(p, to, names->event);
        if (!q) break;
        kq_xml_is is = kq_xml_is_start(names, q, end, ended);
        if (is == KQ_XML_YES) return q;
        if (is == KQ_XML_UNSURE) {
            if (resume) *resume = q;
            return NULL;
        }
        p = q + 1;
    }
    if (resume) *resume = (size_t)(stop - p) > n ? stop - n : p;
    return NULL;
}

const char *kq_xml_last_start(const kq_xml_names *names, const char *p, const char *stop, const char *end) {
    while (stop > p && (stop = memrchr(p, '<', (size_t)(stop - p))))
        if (at(stop, end, names->event) && kq_xml_is_start(names, stop, end, false) == KQ_XML_YES) return stop;
    return NULL;
}

const char *kq_xml_gap(const kq_xml_names *names, const char *p, const char *end) {
    static const struct {
        kq_sv open, close;
    } between[] = {{{"<?", 2}, {"?>", 2}}, {{"<!--", 4}, {"-->", 3}}, {{"<!DOCTYPE", 9}, {">", 1}}};
    for (;;) {
        p = kq_xml_skip(p, end);
        if (p == end) return NULL;
        if (at(p, end, KQ_SV("\xEF\xBB\xBF"))) { /* of files that were joined together */
            p += 3;
            continue;
        }
        const char *q = *p == 'R' || *p == 'e' ? kq_scan_label(p, end) : NULL;
        for (size_t i = 0; !q && i < sizeof between / sizeof *between; i++) {
            if (!at(p, end, between[i].open)) continue;
            size_t n = between[i].close.n;
            q = n > 1 ? kq_xml_find(p + between[i].open.n, end, between[i].close) : memchr(p, '>', (size_t)(end - p));
            if (q) q += n;
        }
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

bool kq_xml_learn(kq_xml_names *names, kq_sv head) {
    if (!head.n) head = KQ_SV(""); /* its p may be NULL */
    const char *end = head.p + head.n, *start = NULL;
    *names = (kq_xml_names){0};
    for (const char *p = head.p; !start && p < end && (p = kq_xml_find(p, end, KQ_SV("Event"))); p++) {
        kq_sv prefix;
        if (p == head.p || !prefix_before(head, p, &prefix)) continue;
        spell(names, prefix);
        const char *less = p - prefix.n - 1;
        if (kq_xml_is_start(names, less, end, true) == KQ_XML_YES) start = less;
    }
    if (!start) spell(names, KQ_SV(""));
    const char *outer = kq_xml_gap(names, head.p, end);
    if (outer && outer != start && *outer == '<') {
        kq_sv name = name_at(outer + 1, end);
        if (name.n && name.n <= NAME_MAX && !kq_sv_eq(name, kq_sv_slice(names->event, 1, names->event.n))) {
            memcpy(names->root_text, name.p, name.n);
            names->root = (kq_sv){names->root_text, name.n};
        }
    }
    return start != NULL;
}
