#include "schema/transform.h"
#include "base/number.h"
#include "base/time.h"
#include "source/field.h"
#include <xxhash.h>

static bool transform_basename(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                               kq_sv *out) {
    if (kq_sv_eq(in, KQ_SV("-"))) return false;
    size_t at = in.n;
    while (at > 0 && in.p[at - 1] != '\\' && in.p[at - 1] != '/') at--;
    *out = kq_sv_slice(in, at, in.n);
    return out->n > 0;
}

/* The other part of `before`: names of values may hold a slash. */
static bool transform_leaf(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                           kq_sv *out) {
    const char *at = in.n ? memrchr(in.p, '\\', in.n) : NULL;
    *out = at ? kq_sv_slice(in, (size_t)(at - in.p) + 1, in.n) : in;
    return out->n > 0;
}

/* CN of a distinguished name; other text as it is. */
static bool transform_cn(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    size_t end = 3;
    *out = in;
    if (in.n < 4 || !kq_sv_eq_ascii_ci(kq_sv_slice(in, 0, 3), KQ_SV("CN="))) return in.n && !kq_sv_eq(in, KQ_SV("-"));
    while (end < in.n && in.p[end] != ',') end += in.p[end] == '\\' && end + 1 < in.n ? 2 : 1;
    *out = kq_sv_slice(in, 3, end);
    return out->n > 0;
}

static bool transform_dash(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                           kq_sv *out) {
    *out = in;
    return in.n > 0 && !kq_sv_eq(in, KQ_SV("-"));
}

static bool transform_domain(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                             kq_sv *out) {
    const char *at = in.n ? memchr(in.p, '\\', in.n) : NULL;
    if (!at) return false;
    *out = kq_sv_slice(in, 0, (size_t)(at - in.p));
    return out->n > 0;
}

static bool transform_user(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                           kq_sv *out) {
    const char *at = in.n ? memchr(in.p, '\\', in.n) : NULL;
    *out = at ? kq_sv_slice(in, (size_t)(at - in.p) + 1, in.n) : in;
    return out->n > 0 && !kq_sv_eq(*out, KQ_SV("-")) && !kq_sv_starts(*out, KQ_SV("S-1-"));
}

static bool transform_version(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    char *to = kq_arena_bytes(arena, in.n);
    size_t n = 0;
    if (!to) return false;
    for (size_t i = 0; i < in.n; i++) {
        bool first = i == 0 || in.p[i - 1] == '.', more = i + 1 < in.n && in.p[i + 1] >= '0' && in.p[i + 1] <= '9';
        if (first && in.p[i] == '0' && more) {
            while (i + 1 < in.n && in.p[i] == '0' && in.p[i + 1] >= '0' && in.p[i + 1] <= '9') i++;
        }
        if (in.p[i] != '.' || i + 1 < in.n) to[n++] = in.p[i];
    }
    *out = (kq_sv){to, n};
    return true;
}

static bool transform_nonzero(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                              kq_sv *out) {
    *out = in;
    size_t i = kq_sv_starts(in, KQ_SV("0x")) || kq_sv_starts(in, KQ_SV("0X")) ? 2 : 0;
    for (; i < in.n; i++)
        if (in.p[i] != '0') return true;
    return false;
}

static bool transform_sid(kq_sv in, const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return transform_dash(in, arg, arena, out) && !kq_sv_eq(in, KQ_SV("S-1-0-0"));
}

static bool transform_name(kq_sv in, const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    return kq_names_find(arg->names, in, out);
}

/* What it means is its flag. */
static bool transform_local(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                            kq_sv *out) {
    *out = in;
    return in.n > 0;
}

/* Without an arena the text stays as it is. */
static bool transform_utc(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    int64_t ticks;
    *out = in;
    if (in.n < 2 || in.p[in.n - 1] == 'Z' || !arena || !kq_time_parse_iso(in, &ticks)) return in.n > 0;
    for (size_t i = 10; i < in.n; i++)
        if (in.p[i] == '+' || in.p[i] == '-') return true;
    *out = kq_arena_printf(arena, "%.*s%s", (int)in.n, in.p, in.n > 10 ? "Z" : "T00:00Z");
    return out->p != NULL;
}

static bool transform_lower(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    size_t i = 0;
    while (i < in.n && !(in.p[i] >= 'A' && in.p[i] <= 'Z')) i++;
    *out = in;
    if (i == in.n) return in.n > 0;
    char *p = kq_arena_bytes(arena, in.n);
    if (!p) return true; /* the arena's failure is sticky and is reported by its owner */
    for (i = 0; i < in.n; i++) p[i] = kq_ascii_lower(in.p[i]);
    *out = (kq_sv){p, in.n};
    return true;
}

/* Old versions of Sysmon write one hash without its algorithm: its length tells which. */
static bool bare_hash(kq_sv in, kq_sv algorithm) {
    size_t digits = kq_sv_eq_ascii_ci(algorithm, KQ_SV("MD5"))      ? 32
                    : kq_sv_eq_ascii_ci(algorithm, KQ_SV("SHA1"))   ? 40
                    : kq_sv_eq_ascii_ci(algorithm, KQ_SV("SHA256")) ? 64
                                                                    : 0;
    if (!digits || in.n != digits) return false;
    for (size_t i = 0; i < in.n; i++) {
        char c = kq_ascii_lower(in.p[i]);
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
    }
    return true;
}

static bool transform_hash(kq_sv in, const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    for (size_t i = 0; i < in.n;) {
        size_t end = i;
        while (end < in.n && in.p[end] != ',') end++;
        kq_sv item = kq_sv_slice(in, i, end);
        while (item.n && item.p[0] == ' ') item = kq_sv_slice(item, 1, item.n);
        size_t n = arg->text.n;
        if (item.n > n && item.p[n] == '=' && kq_sv_eq_ascii_ci(kq_sv_slice(item, 0, n), arg->text))
            return transform_lower(kq_sv_slice(item, n + 1, item.n), arg, arena, out);
        i = end + 1;
    }
    return bare_hash(in, arg->text) && transform_lower(in, arg, arena, out);
}

static bool transform_unpercent(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    *out = in;
    const char *at = in.n ? memmem(in.p, in.n, "%%", 2) : NULL;
    if (!at) return in.n > 0;
    char *p = kq_arena_bytes(arena, in.n);
    if (!p) return true;
    size_t n = (size_t)(at - in.p);
    memcpy(p, in.p, n);
    for (size_t i = n; i < in.n; i++) {
        p[n++] = in.p[i];
        if (in.p[i] == '%' && i + 1 < in.n && in.p[i + 1] == '%') i++;
    }
    kq_arena_trim(arena, p, in.n, n);
    *out = (kq_sv){p, n};
    return true;
}

/* A registry path with its root as Defender spells it. `follow`: and behind the link CurrentControlSet. */
static bool with_root(kq_sv in, bool follow, kq_arena *arena, kq_sv *out) {
    static const struct {
        kq_sv sysmon, defender;
    } roots[] = {
        {{"HKLM", 4}, {"HKEY_LOCAL_MACHINE", 18}},
        {{"HKU", 3}, {"HKEY_USERS", 10}},
        {{"HKCR", 4}, {"HKEY_CLASSES_ROOT", 17}},
        {{"HKCU", 4}, {"HKEY_CURRENT_USER", 17}},
        {{"\\REGISTRY\\MACHINE", 17}, {"HKEY_LOCAL_MACHINE", 18}},
        {{"\\REGISTRY\\USER", 14}, {"HKEY_USERS", 10}},
    };
    *out = in;
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        size_t n = roots[i].sysmon.n;
        if (in.n < n || !kq_sv_eq_ascii_ci(kq_sv_slice(in, 0, n), roots[i].sysmon) || (in.n > n && in.p[n] != '\\'))
            continue;
        kq_sv rest = kq_sv_slice(in, n, in.n), set = KQ_SV("\\SYSTEM\\CurrentControlSet");
        /* the link that Sysmon writes; Defender writes the set that it leads to */
        bool linked = follow && rest.n >= set.n && kq_sv_eq_ascii_ci(kq_sv_slice(rest, 0, set.n), set) &&
                      (rest.n == set.n || rest.p[set.n] == '\\') && roots[i].defender.p[5] == 'L';
        size_t skip = linked ? set.n : 0;
        kq_sv text = kq_arena_printf(arena, "%s%.*s%s%.*s", roots[i].defender.p, linked ? 8 : 0, rest.p,
                                     linked ? "ControlSet001" : "", (int)(rest.n - skip), rest.p + skip);
        if (text.p) *out = text;
        return true;
    }
    return in.n > 0;
}

static bool transform_regkey(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return with_root(in, true, arena, out);
}

static bool transform_hive(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    return with_root(in, false, arena, out);
}

/* What stands before the last backslash: the key of a value's path, the folder of a file's. */
static bool transform_before(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                             kq_sv *out) {
    size_t at = in.n;
    while (at > 0 && in.p[at - 1] != '\\') at--;
    *out = at ? kq_sv_slice(in, 0, at - 1) : (kq_sv){"", 0};
    return out->n > 0;
}

/* Sysmon's Details of a registry value: "DWORD (0x00000001)", "QWORD (0x00000000-0x00000001)", "Binary Data", text. */
static bool hex_number(kq_sv s, uint64_t *out) {
    if (s.n < 3 || s.n > 18 || s.p[0] != '0' || kq_ascii_lower(s.p[1]) != 'x') return false;
    *out = 0;
    for (size_t i = 2; i < s.n; i++) {
        char c = kq_ascii_lower(s.p[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
        *out = *out << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static bool in_brackets(kq_sv in, kq_sv word, kq_sv *out) {
    if (!kq_sv_starts(in, word) || in.n <= word.n + 3 || in.p[word.n] != ' ' || in.p[word.n + 1] != '(') return false;
    if (in.p[in.n - 1] != ')') return false;
    *out = kq_sv_slice(in, word.n + 2, in.n - 1);
    return true;
}

static bool reg_number(kq_sv in, uint64_t *out) {
    kq_sv s;
    if (in_brackets(in, KQ_SV("DWORD"), &s)) return hex_number(s, out);
    if (!in_brackets(in, KQ_SV("QWORD"), &s)) return false;
    const char *dash = memchr(s.p, '-', s.n);
    uint64_t hi, lo;
    if (!dash || !hex_number((kq_sv){s.p, (size_t)(dash - s.p)}, &hi) || hi > UINT32_MAX ||
        !hex_number((kq_sv){dash + 1, (size_t)(s.p + s.n - dash - 1)}, &lo))
        return false;
    *out = hi << 32 | lo;
    return true;
}

static bool transform_regdata(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    uint64_t n;
    *out = in;
    if (reg_number(in, &n)) {
        kq_sv text = kq_arena_printf(arena, "%llu", (unsigned long long)n);
        if (text.p) *out = text;
        return true;
    }
    return in.n > 0 && !kq_sv_eq(in, KQ_SV("Binary Data")) && !kq_sv_eq(in, KQ_SV("(Empty)"));
}

static bool transform_regtype(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                              kq_sv *out) {
    uint64_t n;
    *out = KQ_SV("String");
    if (reg_number(in, &n)) *out = kq_sv_starts(in, KQ_SV("QWORD")) ? KQ_SV("Qword") : KQ_SV("Dword");
    if (kq_sv_eq(in, KQ_SV("Binary Data"))) *out = KQ_SV("Binary");
    return in.n > 0;
}

/* "0x1f" and "31" as the decimal text 31. */
static bool transform_number(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    uint64_t n;
    int64_t l;
    *out = in;
    if (!hex_number(in, &n)) return kq_number_parse_long(in, &l);
    kq_sv text = kq_arena_printf(arena, "%llu", (unsigned long long)n);
    if (text.p) *out = text;
    return true;
}

/* The same 64 bits as Windows writes them: in hexadecimal digits. Programs write them as a number of either sign. */
static bool transform_hex(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    bool below = in.n && in.p[0] == '-';
    uint64_t n = 0;
    *out = in;
    for (size_t i = below; i < in.n; i++) {
        unsigned digit = (unsigned)(unsigned char)in.p[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, digit, &n))
            return true;
    }
    if (in.n == below || (below && n > (uint64_t)1 << 63)) return in.n > 0;
    *out = kq_arena_printf(arena, "0x%llx", (unsigned long long)(below ? 0 - n : n));
    return out->p != NULL;
}

/* The next text of a JSON list of plain ones at *at, which moves behind it; false at its end, or with *at = NULL when
 * it is none. */
static bool listed(const char **at, const char *end, kq_sv *out) {
    const char *p = *at, *from;
    while (p < end && (*p == ' ' || *p == ',')) p++;
    if (p < end && *p == ']') return false;
    *at = NULL;
    if (p == end || *p != '"') return false;
    for (from = ++p; p < end && *p != '"'; p++)
        if (*p == '\\') return false;
    if (p == end) return false;
    *out = (kq_sv){from, (size_t)(p - from)};
    *at = p + 1;
    return true;
}

/* What the words of a list stand for, as one number: each is some of its bits. */
static bool transform_bits(kq_sv in, const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    uint64_t all = 0, some;
    kq_sv word, bits;
    if (!in.n || in.p[0] != '[') return kq_names_find(arg->names, in, out);
    const char *at = in.p + 1, *end = in.p + in.n;
    while (listed(&at, end, &word)) {
        if (!kq_names_find(arg->names, word, &bits) || !hex_number(bits, &some)) return false;
        all |= some;
    }
    if (!all || !at) return false;
    *out = kq_arena_printf(arena, "0x%llx", (unsigned long long)all);
    return out->p != NULL;
}

/* A positive number that stands for a process: Defender has one per process start, Sysmon a GUID. */
static bool transform_unique(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    char digits[32];
    unsigned n = 0;
    bool any = false;
    for (size_t i = 0; i < in.n && n < sizeof digits; i++) {
        char c = kq_ascii_lower(in.p[i]);
        if (c == '{' || c == '}' || c == '-') continue;
        any |= c != '0';
        digits[n++] = c;
    }
    if (n != sizeof digits || !any) return false;
    *out = kq_arena_printf(arena, "%llu", (unsigned long long)(XXH64(digits, n, 0) >> 1));
    return out->p != NULL;
}

static bool transform_account_type(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                                   kq_sv *out) {
    if (!in.n || kq_sv_eq(in, KQ_SV("-"))) return false;
    *out = in.p[in.n - 1] == '$' ? KQ_SV("Machine") : KQ_SV("User");
    return true;
}

/* The value of a line `argument=value`: of the text of a Zone.Identifier stream. */
static bool transform_line(kq_sv in, const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    for (size_t i = 0; i < in.n;) {
        size_t end = i;
        while (end < in.n && in.p[end] != '\n' && in.p[end] != '\r' && in.p[end] != ' ') end++;
        kq_sv one = kq_sv_slice(in, i, end);
        if (one.n > arg->text.n && one.p[arg->text.n] == '=' &&
            kq_sv_eq_ascii_ci(kq_sv_slice(one, 0, arg->text.n), arg->text)) {
            *out = kq_sv_slice(one, arg->text.n + 1, one.n);
            return out->n > 0;
        }
        i = end + 1;
    }
    return false;
}

/* No value unless the text ends with the argument, which is cut off. */
static bool transform_without(kq_sv in, const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    if (in.n <= arg->text.n || !kq_sv_eq_ascii_ci(kq_sv_slice(in, in.n - arg->text.n, in.n), arg->text)) return false;
    *out = kq_sv_slice(in, 0, in.n - arg->text.n);
    return true;
}

static bool transform_label(kq_sv in, const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    *out = arg->text;
    return in.n > 0;
}

static bool transform_guid(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                           kq_sv *out) {
    bool braces = in.n > 1 && in.p[0] == '{' && in.p[in.n - 1] == '}';
    *out = braces ? kq_sv_slice(in, 1, in.n - 1) : in;
    return out->n > 0;
}

/* What follows the first occurrence of the argument, up to the next semicolon. */
static bool transform_after(kq_sv in, const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    const char *at = arg->text.n && in.n ? memmem(in.p, in.n, arg->text.p, arg->text.n) : NULL;
    if (!at) return false;
    *out = kq_sv_slice(in, (size_t)(at - in.p) + arg->text.n, in.n);
    const char *end = out->n ? memchr(out->p, ';', out->n) : NULL;
    if (end) out->n = (size_t)(end - out->p);
    return out->n > 0;
}

/* The element named by the argument, with its tags, in a piece of XML. */
static bool transform_within(kq_sv in, const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    kq_sv open = kq_arena_printf(arena, "<%.*s", (int)arg->text.n, arg->text.p);
    kq_sv close = kq_arena_printf(arena, "</%.*s>", (int)arg->text.n, arg->text.p);
    if (!open.p || !close.p || !in.n) return false;
    const char *from = memmem(in.p, in.n, open.p, open.n);
    if (!from) return false;
    kq_sv rest = {from, (size_t)(in.p + in.n - from)};
    const char *to = memmem(rest.p, rest.n, close.p, close.n);
    *out = to ? kq_sv_slice(rest, 0, (size_t)(to - rest.p) + close.n) : rest;
    return true;
}

/* The program of a command line: what stands in quotes, or up to .exe or .sys, or the first word. */
static bool transform_program(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena,
                              kq_sv *out) {
    if (in.n && in.p[0] == '"') {
        const char *end = memchr(in.p + 1, '"', in.n - 1);
        *out = kq_sv_slice(in, 1, end ? (size_t)(end - in.p) : in.n);
        return out->n > 0;
    }
    size_t n = 0, word = 0;
    for (size_t i = 0; i < in.n && !n; i++) {
        if (in.p[i] == ' ' && !word) word = i;
        if (i + 4 > in.n || (i + 4 < in.n && in.p[i + 4] != ' ')) continue;
        kq_sv ending = kq_sv_slice(in, i, i + 4);
        if (kq_sv_eq_ascii_ci(ending, KQ_SV(".exe")) || kq_sv_eq_ascii_ci(ending, KQ_SV(".sys"))) n = i + 4;
    }
    *out = kq_sv_slice(in, 0, n ? n : word ? word : in.n);
    return out->n > 0;
}

/* Forty hexadecimal digits that stand for a machine, as Defender's do; the same for any case of its name. */
static bool transform_device(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    char name[256];
    size_t n = in.n < sizeof name ? in.n : sizeof name;
    if (!n) return false;
    for (size_t i = 0; i < n; i++) name[i] = kq_ascii_lower(in.p[i]);
    *out = kq_arena_printf(arena, "%016llx%016llx%08llx", (unsigned long long)XXH64(name, n, 1),
                           (unsigned long long)XXH64(name, n, 2), (unsigned long long)XXH64(name, n, 3) >> 32);
    return out->p != NULL;
}

/* Windows's message of an event, one "Name: value" a line. */
static bool transform_said(kq_sv in, const kq_transform_argument *arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    for (size_t i = 0; i < in.n;) {
        const char *end = memchr(in.p + i, '\n', in.n - i);
        kq_sv one = kq_sv_slice(in, i, end ? (size_t)(end - in.p) : in.n);
        i += one.n + 1;
        if (one.n && one.p[one.n - 1] == '\r') one.n--;
        while (one.n && one.p[0] == '\t') one = kq_sv_slice(one, 1, one.n);
        if (one.n < arg->text.n + 2 || !kq_sv_starts(one, arg->text) || one.p[arg->text.n] != ':') continue;
        *out = kq_sv_slice(one, arg->text.n + 1, one.n);
        while (out->n && (out->p[0] == ' ' || out->p[0] == '\t')) *out = kq_sv_slice(*out, 1, out->n);
        return out->n > 0 && !kq_sv_eq(*out, KQ_SV("-"));
    }
    return false;
}

#define transform_ip       kq_transform_ip
#define transform_iptype   kq_transform_iptype
#define transform_dataxml  kq_transform_dataxml
#define transform_datajson kq_transform_datajson
#define transform_hashes   kq_transform_hashes
#define transform_userjson kq_transform_userjson
#define transform_userxml  kq_transform_userxml

static const kq_transform transforms[] = {
#define KQ_TRANSFORM(name, flags, doc) {#name, transform_##name, flags, doc},
#include "schema/transforms.def"
#undef KQ_TRANSFORM
};

const kq_transform *kq_transform_find(kq_sv name) {
    for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++)
        if (name.n && *transforms[i].name == *name.p && kq_sv_eq(kq_sv_of(transforms[i].name), name))
            return &transforms[i];
    return NULL;
}

const kq_transform *kq_transforms(size_t *n) {
    *n = sizeof transforms / sizeof *transforms;
    return transforms;
}
