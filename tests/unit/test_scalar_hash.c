/* Hashes, base64 and compression, called by name. */
#include "call.h"
#include <cmocka.h>

#define IS(want, ...) assert_string_equal(CALL(__VA_ARGS__), want)

static void test_hashes(void **state) {
    (void)state;
    IS("1846988464401551951", "hash", S("World"));
    IS("51", "hash", S("World"), L(100));
    IS("null", "hash", S("World"), L(0));
    kq_value day = {.type = KQ_DATETIME, .u.l = INT64_C(635556672000000000)};
    IS("1380966698541616202", "hash_xxhash64", day);
    IS("\"f5a7924e621e84c9280a9a27e1bcb7f6\"", "hash_md5", S("World"));
    IS("\"70c07ec18ef89c5309bbb0937f3a6342411e1fdd\"", "hash_sha1", S("World"));
    IS("\"78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524\"", "hash_sha256", S("World"));
    day.u.l = INT64_C(637134336000000000);
    IS("\"786c530672d1f8db31fee25ea8a9390b\"", "hash_md5", day);
    IS("\"e903e533f4d636b4fc0dcf3cf81e7b7f330de776\"", "hash_sha1", day);
    IS("\"ba666752dc1a20eb750b0eb64e780cc4c968bc9fb8813461c1d7e750f302d71d\"", "hash_sha256", day);
    /* The texts of RFC 1321 and FIPS 180 that fill more than one block, and the lengths around the padding's edge. */
    IS("\"57edf4a22be3c955ac49da2e2107b67a\"", "hash_md5",
       S("12345678901234567890123456789012345678901234567890123456789012345678901234567890"));
    IS("\"84983e441c3bd26ebaae4aa1f95129e5e54670f1\"", "hash_sha1",
       S("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    IS("\"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1\"", "hash_sha256",
       S("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    IS("\"d41d8cd98f00b204e9800998ecf8427e\"", "hash_md5", S(""));
}

static void test_base64(void **state) {
    (void)state;
    IS("\"S3VzdG8=\"", "base64_encode_tostring", S("Kusto"));
    IS("\"\"", "base64_encode_tostring", S(""));
    IS("\"YQ==\"", "base64_encode_tostring", S("a"));
    IS("\"YWI=\"", "base64_encode_tostring", S("ab"));
    IS("\"YWJj\"", "base64_encode_tostring", S("abc"));
    IS("\"Kusto\"", "base64_decode_tostring", S("S3VzdG8="));
    IS("\"\"", "base64_decode_tostring", S("U3RyaW5n0KHR0tGA0L7Rh9C60LA="));
    IS("[75,117,115,116,111]", "base64_decode_toarray", S("S3VzdG8="));
    static const char *const bad[] = {"S3VzdG8", "S3VzdG8*", "=", "====", "A===", "AA=A", "S3Vz\ndG8=", "QQ==QQ=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) IS("null", "base64_decode_toarray", S(bad[i]));
    IS("\"S3VzdG8=\"", "base64_encode_fromarray", D("[75,117,115,116,111]"));
    IS("\"\"", "base64_encode_fromarray", D("[256]"));
    IS("null", "base64_encode_fromarray", D("null"));
    kq_value g = {
        .type = KQ_GUID,
        .u.g = {{0xae, 0x31, 0x33, 0xf2, 0x6e, 0x22, 0x49, 0xae, 0xb0, 0x6a, 0x16, 0xe6, 0xa9, 0xb2, 0x12, 0xeb}}};
    IS("\"8jMxriJurkmwahbmqbIS6w==\"", "base64_encode_fromguid", g);
    IS("\"ae3133f2-6e22-49ae-b06a-16e6a9b212eb\"", "base64_decode_toguid", S("8jMxriJurkmwahbmqbIS6w=="));
    IS("null", "base64_decode_toguid", S("abcd1231"));
}

static void test_compression(void **state) {
    (void)state;
    IS("\"H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA==\"", "gzip_compress_to_base64_string",
       S("1234567890qwertyuiop"));
    IS("\"1234567890qwertyuiop\"", "gzip_decompress_from_base64_string",
       S("H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA=="));
    IS("\"eAEBFADr/zEyMzQ1Njc4OTBxd2VydHl1aW9wOAkGdw==\"", "zlib_compress_to_base64_string", S("1234567890qwertyuiop"));
    IS("\"Test string 123\"", "zlib_decompress_from_base64_string", S("eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4="));
    IS("\"\"", "zlib_decompress_from_base64_string", S("x0x0x0"));
    IS("\"\"", "zlib_decompress_from_base64_string", S("eJwLSS0uUSguKcrMS1cw"));
    IS("\"\"", "zlib_decompress_from_base64_string", S(""));
}

static int done(void **state) {
    (void)state;
    call_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hashes), cmocka_unit_test(test_base64),
                                       cmocka_unit_test(test_compression)};
    return cmocka_run_group_tests(tests, NULL, done);
}
