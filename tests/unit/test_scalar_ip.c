/* Functions over IP addresses, called by name. */
#include "call.h"
#include <cmocka.h>

#define IS(want, ...) assert_string_equal(CALL(__VA_ARGS__), want)

static void test_ipv4(void **state) {
    (void)state;
    IS("3232235777", "parse_ipv4", S("192.168.1.1"));
    IS("3232235776", "parse_ipv4", S("192.168.1.1/24"));
    IS("4294967294", "parse_ipv4", S("255.255.255.255/31"));
    IS("0", "parse_ipv4", S("1.2.3.4/0"));
    static const char *const bad[] = {"",         "1.2.3",  "1.2.3.4.5",  "1.2.3.256",  "1.2.3.4/33", "1.2.3.4/",
                                      " 1.2.3.4", "1..2.3", "1.2.3.4/1x", "1.2.3.0004", "a.b.c.d",    "1.2.3.4/0000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) IS("null", "parse_ipv4", S(bad[i]));
    IS("2130706432", "parse_ipv4_mask", S("127.0.0.1"), L(24));
    IS("null", "parse_ipv4_mask", S("127.0.0.1"), L(33));
    IS("\"192.168.1.0\"", "format_ipv4", S("192.168.1.1"), L(24));
    IS("\"192.168.1.0/24\"", "format_ipv4_mask", S("192.168.1.1/24"), L(32));
    IS("\"\"", "format_ipv4_mask", S("192.168.1.1/24"), L(-1));
    IS("\"192.168.1.1\"", "format_ipv4", L(3232235777));
    IS("\"\"", "format_ipv4", L(-1));
    IS("0", "ipv4_compare", S("192.168.1.1/24"), S("192.168.1.255"));
    IS("1", "ipv4_compare", S("200.0.0.1"), S("10.0.0.1"));
    IS("-1", "ipv4_compare", S("192.168.1.1"), S("192.168.1.2"));
    IS("null", "ipv4_compare", S("192.168.1.1"), S("x"));
    IS("true", "ipv4_is_match", S("192.168.1.1/30"), S("192.168.1.255/24"));
    IS("true", "ipv4_is_match", S("192.168.1.1"), S("192.168.1.0"), L(31));
    IS("false", "ipv4_is_match", S("192.168.1.1"), S("192.168.1.0"));
    IS("true", "ipv4_is_in_range", S("192.168.1.1"), S("192.168.1.255/24"));
    IS("true", "ipv4_is_private", S("10.1.2.3"));
    IS("true", "ipv4_is_private", S("172.31.0.1"));
    IS("false", "ipv4_is_private", S("172.32.0.1"));
    IS("false", "ipv4_is_private", S("127.0.0.1"));
    IS("true", "ipv4_is_private", S("192.168.1.1/24"));
    IS("null", "ipv4_is_private", S("fe80::1"));
    IS("32", "ipv4_netmask_suffix", S("10.1.2.3"));
    IS("16", "ipv4_netmask_suffix", S("127.0.0.1/16"));
    IS("[\"1.1.128.0/21\",\"1.1.136.0/22\",\"1.1.140.0/24\"]", "ipv4_range_to_cidr_list", S("1.1.128.0"),
       S("1.1.140.255"));
    IS("[\"0.0.0.0/0\"]", "ipv4_range_to_cidr_list", S("0.0.0.0"), S("255.255.255.255"));
    IS("[\"0.0.0.1/32\",\"0.0.0.2/32\"]", "ipv4_range_to_cidr_list", S("0.0.0.1"), S("0.0.0.2"));
    IS("[]", "ipv4_range_to_cidr_list", S("0.0.0.2"), S("0.0.0.1"));
}

static void test_ranges(void **state) {
    (void)state;
    IS("true", "ipv4_is_in_any_range", S("127.0.0.1"), D("[\"127.0.0.1\",\"192.168.1.1\"]"));
    kq_value local = D("[\"192.168.1.1/16\",\"127.0.0.1/8\",\"10.0.0.1/8\",\"10.1.0.0/16\",\"fe80::/10\",5]");
    IS("true", "ipv4_is_in_any_range", S("10.1.2.3"), local);
    IS("true", "ipv4_is_in_any_range", S("192.168.255.255"), local);
    IS("false", "ipv4_is_in_any_range", S("192.169.0.0"), local);
    IS("false", "ipv4_is_in_any_range", S("1.1.1.1"), local);
    IS("true", "ipv4_is_in_any_range", S("11.1.1.1/7"), local);
    IS("null", "ipv4_is_in_any_range", S("x"), local);
    IS("true", "ipv4_is_in_any_range", S("192.168.1.6"), S("192.168.1.1/24"), S("10.0.0.1/8"));
    IS("false", "ipv4_is_in_any_range", S("192.168.1.6"), D("[]"));
    IS("true", "ipv6_is_in_any_range", S("a5e:f127:8a9d:146d:e102:b5d3:c755:abcd"),
       D("[\"a5e:f127:8a9d:146d:e102:b5d3:c755:f6cd/112\",\"0:0:0:0:0:ffff:c0a8:ac/60\"]"));
    IS("false", "ipv6_is_in_any_range", S("a5e:f127:8a9d:146d:e102:b5d3:c756:abd1"),
       S("a5e:f127:8a9d:146d:e102:b5d3:c755:f6cd/112"), S("0:0:0:0:0:ffff:c0a8:ac/60"));
}

static void test_ipv6(void **state) {
    (void)state;
    IS("\"0000:0000:0000:0000:0000:ffff:c0a8:ff00\"", "parse_ipv6", S("192.168.255.255/24"));
    IS("\"fe80:0000:0000:0000:085d:e82c:9446:7900\"", "parse_ipv6_mask", S("fe80::85d:e82c:9446:7994/120"), L(124));
    IS("\"0000:0000:0000:0000:0000:0000:c0a8:ffff\"", "parse_ipv6_mask", S("::192.168.255.255"), L(128));
    IS("\"0000:0000:0000:0000:0000:0000:c0a8:ff00\"", "parse_ipv6_mask", S("::192.168.255.255/24"), L(128));
    IS("\"0000:0000:0000:0000:0000:0000:0000:0000\"", "parse_ipv6", S("::"));
    IS("\"0001:0000:0000:0000:0000:0000:0000:0000\"", "parse_ipv6", S("1::"));
    IS("\"0000:0000:0000:0000:0000:0000:0000:0001\"", "parse_ipv6", S("::1"));
    IS("\"0001:0002:0003:0004:0005:0006:0102:0304\"", "parse_ipv6", S("1:2:3:4:5:6:1.2.3.4"));
    static const char *const bad[] = {
        "",     ":",       ":::",     "1:2:3",          "1::2::3", "1:2:3:4:5:6:7:8:9",     "1:2:3:4:5:6:7:8::",
        "g::1", "12345::", "::1/129", "1:2:3:4:5:6:7:", "::1.2.3", "1:2:3:4:5:6:7:1.2.3.4", "fe80::1%eth0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) IS("\"\"", "parse_ipv6", S(bad[i]));
    IS("true", "ipv6_is_match", S("192.168.1.1"), S("::ffff:c0a8:0101"));
    IS("true", "ipv6_is_match", S("::192.168.1.1/30"), S("192.168.1.255/24"));
    IS("true", "ipv6_is_match", S("fe80::85d:e82c:9446:7994"), S("fe80::85d:e82c:9446:7995"), L(127));
    IS("false", "ipv6_is_match", S("fe80::85d:e82c:9446:7994"), S("fe80::85d:e82c:9446:7995"));
    IS("-1", "ipv6_compare", S("fe80::1"), S("fe80::2"));
    IS("1", "ipv6_compare", S("fe80::"), S("10.0.0.1"));
    IS("0", "ipv6_compare", S("::ffff:c0a8:0101"), S("192.168.1.255"), L(120));
    IS("null", "ipv6_compare", S("x"), S("::"));
    IS("false", "ipv6_is_in_range", S("a5e:f127:8a9d:146d:e102:b5d3:c755:abcd"), S("0:0:0:0:0:ffff:c0a8:ac/60"));
}

static void test_text(void **state) {
    (void)state;
    const char *line = "12:00:01 127.0.0.1 PUT /status 503";
    IS("true", "has_ipv4", S(line), S("127.0.0.1"));
    IS("false", "has_ipv4", S("12:00:01 127.0.0.256 GET"), S("127.0.0.256"));
    IS("false", "has_ipv4", S("12:00:01127.0.0.1 GET"), S("127.0.0.1"));
    IS("false", "has_ipv4", S("127.0.0.10"), S("127.0.0.1"));
    IS("true", "has_ipv4", S("1127.0.0.1,127.0.0.1"), S("127.0.0.1"));
    IS("true", "has_ipv4_prefix", S(line), S("127.0."));
    IS("true", "has_ipv4_prefix", S(line), S("127.0.0.1"));
    IS("false", "has_ipv4_prefix", S(line), S("127.0"));
    IS("false", "has_ipv4_prefix", S("12:00:01 127.0.0.256 GET"), S("127.0."));
    IS("false", "has_ipv4_prefix", S(line), S("127.0.0.1."));
    IS("false", "has_ipv4_prefix", S(line), S("."));
    IS("true", "has_any_ipv4", S(line), S("127.0.0.2"), S("127.0.0.1"));
    IS("true", "has_any_ipv4", S(line), D("[\"127.0.0.2\",\"127.0.0.1\"]"));
    IS("false", "has_any_ipv4", S(""), D("[\"127.0.0.2\",1]"));
    IS("true", "has_any_ipv4_prefix", S(line), D("[\"127.0.\",\"192.168.\"]"));
    IS("false", "has_any_ipv4_prefix", S(line), S("10."), S("192.168."));
}

static int done(void **state) {
    (void)state;
    call_done();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ipv4), cmocka_unit_test(test_ranges),
                                       cmocka_unit_test(test_ipv6), cmocka_unit_test(test_text)};
    return cmocka_run_group_tests(tests, NULL, done);
}
