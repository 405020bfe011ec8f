/* What transforms never give. */
#include "schema/can.h"
#include <string.h>

/* How what the result must be goes on to the text that is transformed. */
typedef enum carry {
    ANYTHING, /* nothing is known of it */
    ITSELF,   /* the result is the text */
    PART,     /* it is a piece of the text */
    FOLDED    /* it is a piece of the text in another case */
} carry;

typedef bool (*can_fn)(const kq_map_expr *e, const kq_text_test *t, kq_arena *arena, kq_cant *cant);

static bool cant_be(kq_cant *cant, const char *why) {
    *cant = (kq_cant){.why = why};
    return false;
}

static bool unlikely(kq_cant *cant, const char *why, const char *unless, kq_match_op op) {
    *cant = (kq_cant){why, unless, op};
    return false;
}

static bool contains(kq_sv text, const char *what) {
    return kq_match_once(KQ_MATCH_CONTAINS, true, text, kq_sv_of(what));
}

static bool starts(kq_sv text, const char *what) {
    return kq_match_once(KQ_MATCH_STARTSWITH, true, text, kq_sv_of(what));
}

static bool only_of(kq_sv text, const char *chars) {
    for (size_t i = 0; i < text.n; i++)
        if (!text.p[i] || !strchr(chars, text.p[i])) return false;
    return true;
}

static bool one_of(const char *const *values, const kq_text_test *t) {
    for (; *values; values++)
        if (kq_match_once(t->op, t->ci, kq_sv_of(*values), t->needle)) return true;
    return false;
}

/* Can a text be this one when the transform leaves its own results as they are? */
static bool stays(const kq_map_expr *e, const kq_text_test *t, kq_arena *arena) {
    kq_sv out;
    if (!e->transform->fn(t->needle, &e->argument, arena, &out)) return false;
    return kq_match_once(KQ_MATCH_EQUALS, t->ci, out, t->needle);
}

static bool can_lower(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena, kq_cant *cant) {
    for (size_t i = 0; i < t->needle.n && !t->ci; i++)
        if (t->needle.p[i] >= 'A' && t->needle.p[i] <= 'Z') return cant_be(cant, "it is in lower case");
    return true;
}

static bool can_basename(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                         kq_cant *cant) {
    for (size_t i = 0; i < t->needle.n; i++)
        if (t->needle.p[i] == '\\' || t->needle.p[i] == '/') return cant_be(cant, "it is a name without its folder");
    return true;
}

static bool can_domain(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                       kq_cant *cant) {
    for (size_t i = 0; i < t->needle.n; i++)
        if (t->needle.p[i] == '\\') return cant_be(cant, "it is what stands before the \\");
    return true;
}

static bool can_leaf(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena, kq_cant *cant) {
    return !memchr(t->needle.p, '\\', t->needle.n) || cant_be(cant, "it is what follows the last \\");
}

static bool can_label(const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena, kq_cant *cant) {
    return kq_match_once(t->op, t->ci, e->argument.text, t->needle) || cant_be(cant, "it is always the same");
}

static bool can_dash(const kq_map_expr *e, const kq_text_test *t, kq_arena *arena, kq_cant *cant) {
    return t->op != KQ_MATCH_EQUALS || t->ci || stays(e, t, arena) || cant_be(cant, "what says nothing is empty there");
}

/* A root of another spelling, with what follows it. */
static bool has_root(kq_sv needle, const char *root) {
    size_t n = strlen(root);
    return starts(needle, root) && (needle.n == n || needle.p[n] == '\\');
}

static bool can_hive(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena, kq_cant *cant) {
    static const struct {
        const char *root, *why;
    } roots[] = {{"HKLM", "it reads HKEY_LOCAL_MACHINE"},
                 {"HKU", "it reads HKEY_USERS"},
                 {"HKCR", "it reads HKEY_CLASSES_ROOT"},
                 {"HKCU", "it reads HKEY_CURRENT_USER"},
                 {"\\REGISTRY\\MACHINE", "it reads HKEY_LOCAL_MACHINE"},
                 {"\\REGISTRY\\USER", "it reads HKEY_USERS"}};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        bool first = t->op == KQ_MATCH_EQUALS || t->op == KQ_MATCH_STARTSWITH;
        if (has_root(t->needle, roots[i].root))
            return unlikely(cant, roots[i].why, roots[i].root, first ? KQ_MATCH_STARTSWITH : KQ_MATCH_CONTAINS);
    }
    return true;
}

static bool can_regkey(const kq_map_expr *e, const kq_text_test *t, kq_arena *arena, kq_cant *cant) {
    static const char set[] = "CurrentControlSet";
    if (contains(t->needle, set))
        return unlikely(cant, "it reads ControlSet001, as Defender's own rows do", set, KQ_MATCH_CONTAINS);
    return can_hive(e, t, arena, cant);
}

static bool can_regdata(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                        kq_cant *cant) {
    static const char *const numbers[] = {"DWORD (", "QWORD ("};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (starts(t->needle, numbers[i]))
            return unlikely(cant, "a number is written as such: 1, not DWORD (0x00000001)", numbers[i],
                            KQ_MATCH_CONTAINS);
    if (starts(t->needle, "Binary Data"))
        return unlikely(cant, "it is empty for binary data", "Binary Data", KQ_MATCH_CONTAINS);
    return true;
}

static bool can_ip(const kq_map_expr *e, const kq_text_test *t, kq_arena *arena, kq_cant *cant) {
    static const char why[] = "an address has its shortest spelling, and one of IPv4 inside IPv6 is shown as IPv4";
    if (t->op == KQ_MATCH_EQUALS) return stays(e, t, arena) || cant_be(cant, why);
    return !starts(t->needle, "::ffff:") || unlikely(cant, why, "::ffff:", KQ_MATCH_CONTAINS);
}

static bool can_iptype(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                       kq_cant *cant) {
    static const char *const values[] = {"Public", "Private",   "Loopback", "LinkLocal", "Multicast",
                                         "Teredo", "Broadcast", "Reserved", NULL};
    return one_of(values, t) ||
           cant_be(cant, "it is Public, Private, Loopback, LinkLocal, Multicast, Teredo, Broadcast or Reserved");
}

static bool can_account_type(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                             kq_cant *cant) {
    static const char *const values[] = {"Machine", "User", NULL};
    return one_of(values, t) || cant_be(cant, "it is Machine or User");
}

static bool can_regtype(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                        kq_cant *cant) {
    static const char *const values[] = {"Dword", "Qword", "Binary", "String", NULL};
    return one_of(values, t) || cant_be(cant, "it is Dword, Qword, Binary or String");
}

static bool can_unique(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                       kq_cant *cant) {
    return only_of(t->needle, "0123456789") || cant_be(cant, "it is a number");
}

static bool can_device(KQ_UNUSED const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena,
                       kq_cant *cant) {
    return only_of(t->needle, t->ci ? "0123456789abcdefABCDEF" : "0123456789abcdef") ||
           cant_be(cant, "it is forty hexadecimal digits in lower case");
}

static bool can_name(const kq_map_expr *e, const kq_text_test *t, KQ_UNUSED kq_arena *arena, kq_cant *cant) {
    const kq_names *names = e->argument.names;
    for (uint32_t i = 0; names && i < names->n; i++)
        if (kq_match_once(t->op, t->ci, names->items[i].name, t->needle)) return true;
    return !names || cant_be(cant, NULL);
}

/* Transforms that are not here can give anything. */
static const struct {
    const char *name;
    carry carry;
    can_fn fn; /* NULL: nothing besides */
} transforms[] = {
    {"account_type", ANYTHING, can_account_type},
    {"after", PART, NULL},
    {"basename", PART, can_basename},
    {"before", PART, NULL},
    {"cn", PART, NULL},
    {"dash", ITSELF, can_dash},
    {"device", ANYTHING, can_device},
    {"domain", PART, can_domain},
    {"guid", PART, NULL},
    {"hash", FOLDED, can_lower},
    {"hive", ANYTHING, can_hive},
    {"ip", ANYTHING, can_ip},
    {"iptype", ANYTHING, can_iptype},
    {"label", ANYTHING, can_label},
    {"leaf", PART, can_leaf},
    {"line", PART, NULL},
    {"lower", FOLDED, can_lower},
    {"name", ANYTHING, can_name},
    {"nonzero", ITSELF, NULL},
    {"program", PART, NULL},
    {"regdata", ANYTHING, can_regdata},
    {"regkey", ANYTHING, can_regkey},
    {"regtype", ANYTHING, can_regtype},
    {"said", PART, NULL},
    {"sid", ITSELF, can_dash},
    {"unique", ANYTHING, can_unique},
    {"user", PART, NULL},
    {"without", PART, NULL},
};

bool kq_transform_can(const kq_map_expr *e, const kq_text_test *test, kq_arena *arena, kq_text_test *inner, bool *any,
                      kq_cant *cant) {
    *inner = *test;
    *any = true;
    for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++) {
        if (strcmp(transforms[i].name, e->transform->name) != 0) continue;
        *any = transforms[i].carry == ANYTHING;
        if (transforms[i].carry == PART || transforms[i].carry == FOLDED) inner->op = KQ_MATCH_CONTAINS;
        inner->ci |= transforms[i].carry == FOLDED;
        return !transforms[i].fn || transforms[i].fn(e, test, arena, cant);
    }
    return true;
}
