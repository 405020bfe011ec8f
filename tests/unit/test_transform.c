/* Transforms of maps by themselves: what a field becomes, and when it is no value. */
#include "schema/can.h"
#include "schema/map_expr.h"
#include <cmocka.h>

/* The transformed text, or "-" for none. */
static const char *of(const char *name, const char *argument, const char *in) {
    static char text[256];
    const kq_transform *t = kq_transform_find(kq_sv_of(name));
    kq_transform_argument arg = {.text = kq_sv_of(argument)};
    kq_arena arena;
    kq_sv out = {0};
    assert_non_null(t);
    kq_arena_init(&arena, NULL, 0);
    if (!t->fn(kq_sv_of(in), &arg, &arena, &out)) out = KQ_SV("-");
    assert_true(out.n < sizeof text);
    memcpy(text, out.p, out.n);
    text[out.n] = 0;
    kq_arena_deinit(&arena);
    return text;
}

#define MD5    "0123456789ABCDEF0123456789abcdef"
#define MD5_   "0123456789abcdef0123456789abcdef"
#define SHA1   "0123456789ABCDEF0123456789ABCDEF01234567"
#define SHA1_  "0123456789abcdef0123456789abcdef01234567"
#define SHA256 MD5 MD5

static void hash(void **state) {
    (void)state;
    assert_string_equal(of("hash", "MD5", "MD5=" MD5 ",SHA256=" SHA256), MD5_);
    assert_string_equal(of("hash", "SHA256", "MD5=" MD5 ", SHA256=" SHA256), MD5_ MD5_);
    assert_string_equal(of("hash", "SHA1", "MD5=" MD5 ",SHA256=" SHA256), "-");
    assert_string_equal(of("hash", "SHA1", "IMPHASH=" MD5), "-");
    assert_string_equal(of("hash", "SHA1", ""), "-");
}

static void bare_hash(void **state) {
    (void)state;
    assert_string_equal(of("hash", "MD5", MD5), MD5_);
    assert_string_equal(of("hash", "SHA1", SHA1), SHA1_);
    assert_string_equal(of("hash", "SHA256", SHA256), MD5_ MD5_);
    assert_string_equal(of("hash", "MD5", SHA1), "-");
    assert_string_equal(of("hash", "SHA1", "g123456789ABCDEF0123456789ABCDEF01234567"), "-");
    assert_string_equal(of("hash", "IMPHASH", MD5), "-");
}

static void hex(void **state) {
    (void)state;
    assert_string_equal(of("hex", "", "9232379236109516800"), "0x8020000000000000");
    assert_string_equal(of("hex", "", "-9214364837600034816"), "0x8020000000000000");
    assert_string_equal(of("hex", "", "0"), "0x0");
    assert_string_equal(of("hex", "", "0x8020000000000000"), "0x8020000000000000");
    assert_string_equal(of("hex", "", "18446744073709551615"), "0xffffffffffffffff");
    assert_string_equal(of("hex", "", "18446744073709551616"), "18446744073709551616");
    assert_string_equal(of("hex", "", "-9223372036854775808"), "0x8000000000000000");
    assert_string_equal(of("hex", "", "-9223372036854775809"), "-9223372036854775809");
    assert_string_equal(of("hex", "", "-"), "-");
    assert_string_equal(of("hex", "", "Classic"), "Classic");
}

static const char *bits_of(const char *in) {
    static char text[64];
    kq_name items[] = {{KQ_SV("Audit Success"), KQ_SV("0x8020000000000000")},
                       {KQ_SV("Hint"), KQ_SV("0x40000000000000")},
                       {KQ_SV("word"), KQ_SV("no number")}};
    kq_names names = {.items = items, .n = 3};
    kq_transform_argument arg = {.names = &names};
    kq_arena arena;
    kq_sv out = {0};
    kq_arena_init(&arena, NULL, 0);
    if (!kq_transform_find(KQ_SV("bits"))->fn(kq_sv_of(in), &arg, &arena, &out)) out = KQ_SV("-");
    assert_true(out.n < sizeof text);
    memcpy(text, out.p, out.n);
    text[out.n] = 0;
    kq_arena_deinit(&arena);
    return text;
}

static void bits(void **state) {
    (void)state;
    static const char *const none[] = {"",   "[]",        "[ ]",       "[\"Other\"]", "[\"Hint\",\"Other\"]", "[\"Hint",
                                       "[",  "[\"Hint\"", "[[\"a\"]]", "[1]",         "[\"Hin\\u0074\"]",     "Other",
                                       "{}", "[\"word\"]"};
    assert_string_equal(bits_of("[\"Audit Success\"]"), "0x8020000000000000");
    assert_string_equal(bits_of("[ \"Hint\" , \"audit success\" ]"), "0x8060000000000000");
    assert_string_equal(bits_of("Audit Success"), "0x8020000000000000");
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_string_equal(bits_of(none[i]), "-");
}

/* What a result does pass is never said to be impossible, and what the text must pass then, it does. */
static void passes(const kq_map_expr *e, kq_sv in, kq_sv result, const kq_text_test *t, kq_arena *arena) {
    kq_text_test inner;
    kq_cant cant = {0};
    bool any;
    if (!kq_match_once(t->op, t->ci, result, t->needle)) return;
    if (!kq_transform_can(e, t, arena, &inner, &any, &cant)) {
        assert_non_null(cant.unless);
        assert_true(kq_match_once(cant.unless_op, true, result, kq_sv_of(cant.unless)));
    } else if (!any) {
        assert_true(kq_match_once(inner.op, inner.ci, in, inner.needle));
    }
}

/* Is it in the middle of a character? */
static bool inside(kq_sv text, size_t at) {
    return at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80;
}

static void never_denied(void **state) {
    (void)state;
    static const char *const texts[] = {"C:\\Über\\A b/C.EXE",
                                        "-",
                                        "a\\-",
                                        "DOM\\x\\y",
                                        "S-1-5-18",
                                        "HKLM\\System\\CurrentControlSet\\x",
                                        "HKLM\\Software\\CurrentControlSet\\HKLM",
                                        "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet",
                                        "hkcux\\y",
                                        "\\REGISTRY\\USER\\S-1",
                                        "DWORD (0x00000001)",
                                        "dword (0x1)",
                                        "x Binary Data",
                                        "0:0:0:0:0:ffff:a00:1",
                                        "::FFFF:0:10.0.0.1",
                                        "2001:DB8:0:0::1%12",
                                        "not An ip",
                                        "10.0.0.1",
                                        "SHA256=ABCDEF, K=v;w K=u",
                                        "\"C:\\A B\\c.exe\" -d",
                                        "K: value\nUser: -",
                                        "0x1F",
                                        "{5aa7a0b2-1111-4111-8111-111111111111}"};
    static const char *const arguments[] = {"K", "SHA256", "C.EXE"};
    size_t n, asked = 0;
    const kq_transform *all = kq_transforms(&n);
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < n * 3; i++) {
        const kq_transform *t = &all[i / 3];
        kq_map_expr e = {.kind = KQ_MAP_TRANSFORM, .transform = t, .argument.text = kq_sv_of(arguments[i % 3])};
        if (t->flags & (KQ_TRANSFORM_NAMES | KQ_TRANSFORM_JSON)) continue;
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            kq_sv in = kq_sv_of(texts[k]), result;
            if (!t->fn(in, &e.argument, &arena, &result) || !result.n) continue;
            for (size_t from = 0; from < result.n; from++)
                for (size_t to = from + 1; to <= result.n; to++) {
                    if (inside(result, from) || inside(result, to)) continue;
                    for (int how = 0; how < 14; how++) {
                        kq_sv needle = kq_arena_copy(&arena, kq_sv_slice(result, from, to));
                        kq_text_test test = {(kq_match_op)(how / 2), how % 2, needle};
                        passes(&e, in, result, &test, &arena);
                        for (size_t c = 0; c < needle.n; c++)
                            if ((needle.p[c] | 0x20) >= 'a' && (needle.p[c] | 0x20) <= 'z')
                                ((char *)(uintptr_t)needle.p)[c] ^= 0x20;
                        passes(&e, in, result, &test, &arena);
                        asked++;
                    }
                }
            kq_arena_reset(&arena);
        }
    }
    assert_true(asked > 1000);
    kq_arena_deinit(&arena);
}

/* TRANSFORM, operator, needle; and what is said of it. */
static void denies(const char *name, kq_match_op op, bool ci, const char *needle, const char *unless) {
    kq_map_expr e = {.kind = KQ_MAP_TRANSFORM, .transform = kq_transform_find(kq_sv_of(name))};
    kq_text_test test = {op, ci, kq_sv_of(needle)}, inner;
    kq_cant cant = {0};
    kq_arena arena;
    bool any;
    kq_arena_init(&arena, NULL, 0);
    assert_false(kq_transform_can(&e, &test, &arena, &inner, &any, &cant));
    assert_non_null(cant.why);
    if (unless)
        assert_string_equal(cant.unless, unless);
    else
        assert_null(cant.unless);
    kq_arena_deinit(&arena);
}

static void denied(void **state) {
    (void)state;
    denies("lower", KQ_MATCH_HAS, false, "aB", NULL);
    denies("hash", KQ_MATCH_EQUALS, false, "A", NULL);
    denies("basename", KQ_MATCH_CONTAINS, true, "a/b", NULL);
    denies("domain", KQ_MATCH_EQUALS, true, "a\\b", NULL);
    denies("dash", KQ_MATCH_EQUALS, false, "-", NULL);
    denies("sid", KQ_MATCH_EQUALS, false, "S-1-0-0", NULL);
    denies("ip", KQ_MATCH_EQUALS, true, "FE80::1%4", NULL);
    denies("ip", KQ_MATCH_CONTAINS, true, "::ffff:1", "::ffff:");
    denies("regkey", KQ_MATCH_HAS, true, "\\currentcontrolset\\x", "CurrentControlSet");
    denies("regkey", KQ_MATCH_STARTSWITH, false, "HKU\\", "HKU");
    denies("regdata", KQ_MATCH_EQUALS, false, "DWORD (0x1)", "DWORD (");
    denies("regtype", KQ_MATCH_EQUALS, false, "dword", NULL);
    denies("iptype", KQ_MATCH_HAS, true, "FourToSixMapping", NULL);
    denies("account_type", KQ_MATCH_EQUALS, false, "user", NULL);
    denies("unique", KQ_MATCH_STARTSWITH, true, "{", NULL);
    denies("device", KQ_MATCH_EQUALS, false, "ABC", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hash),         cmocka_unit_test(bare_hash),
                                       cmocka_unit_test(hex),          cmocka_unit_test(bits),
                                       cmocka_unit_test(never_denied), cmocka_unit_test(denied)};
    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
