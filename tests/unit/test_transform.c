/* Transforms of maps by themselves: what a field becomes, and when it is no value. */
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(hash), cmocka_unit_test(bare_hash), cmocka_unit_test(hex),
                                       cmocka_unit_test(bits)};
    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
