/* Operators, choice and conversions: values and nulls, on constants and on vectors. */
#include "scalar_check.h"
#include <cmocka.h>

static void test_arithmetic(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"+", "1 , 2", "long(3)"}, {"+", "i:2147483647 , i:1", "long(2147483648)"}, {"+", "1 , 2.5", "real(3.5)"},
        {"+", "9223372036854775807 , 1", "long(-9223372036854775808)"}, {"+", "m:0.1 , m:0.2", "decimal(0.3)"},
        {"+", "m:1 , 2.5", "decimal(3.5)"}, {"+", "null:int , 1", "long(null)"},
        {"+", "d:2020-01-01 , t:1d", "datetime(2020-01-02T00:00:00Z)"},
        {"+", "t:1d , d:2020-01-01", "datetime(2020-01-02T00:00:00Z)"}, {"+", "t:1d , t:1h", "timespan(1.01:00:00)"},
        {"+", "d:2020-01-01 , d:2020-01-01", "error"}, {"+", "'a' , 'b'", "error"}, {"+", "y:1 , y:2", "error"},
        {"+", "y:1 , 2", "long(3)"}, {"+", "d:9999-12-31 , t:1d", "datetime(null)"}, {"+", "true , 1", "error"},
        {"-", "d:0001-01-01 , t:1tick", "datetime(null)"}, {"-", "5 , 7", "long(-2)"},
        {"-", "d:2020-01-02 , d:2020-01-01", "timespan(1.00:00:00)"},
        {"-", "d:9999-12-31 , d:0001-01-01", "timespan(3652058.00:00:00)"}, {"*", "3 , 4", "long(12)"},
        {"*", "t:1d , 2", "timespan(2.00:00:00)"}, {"*", "0.5 , t:1d", "timespan(12:00:00)"},
        {"*", "2 , t:1m", "timespan(00:02:00)"}, {"/", "-7 , 2", "long(-3)"}, {"/", "1 , 0", "long(null)"},
        {"/", "-9223372036854775808 , -1", "long(-9223372036854775808)"}, {"/", "1.0 , 0", "real(+inf)"},
        {"/", "0.0 , 0.0", "real(nan)"}, {"/", "t:1d , t:1h", "real(24.0)"}, {"/", "t:1d , 2", "timespan(12:00:00)"},
        {"/", "m:1 , m:0", "decimal(null)"}, {"%", "-7 , 3", "long(2)"}, {"%", "7 , -3", "long(1)"},
        {"%", "-7.5 , 2", "real(0.5)"}, {"%", "5 , 0", "long(null)"}, {"%", "-9223372036854775808 , -1", "long(0)"},
        {"%", "t:25h , t:1d", "timespan(01:00:00)"}, {"%", "m:-10 , m:3", "decimal(2)"},
        {"neg", "i:-2147483648", "long(2147483648)"}, {"neg", "1.5", "real(-1.5)"},
        {"neg", "t:1h", "timespan(-01:00:00)"}, {"neg", "m:2", "decimal(-2)"}, {"neg", "m:0", "decimal(0)"});
}

static void test_compare(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"==", "1 , 1", "true"}, {"==", "1 , 1.0", "true"}, {"==", "i:1 , 2", "false"}, {"==", "'a' , 'A'", "false"},
        {"==", "'a long string, longer than 12' , 'a long string, longer than 12'", "true"},
        {"==", "'a long string, longer than 12' , 'a long string, longer than 13'", "false"},
        {"==", "null:long , 1", "false"}, {"==", "null:long , null:long", "bool(null)"},
        {"!=", "null:long , 1", "true"}, {"!=", "null:long , null:long", "bool(null)"},
        {"==", "real , 1", "the test's value real is wrong"}, {"==", "NaN , NaN", "false"}, {"!=", "NaN , NaN", "true"},
        {"==", "y:\"a\" , 'a'", "true"}, {"==", "y:1 , y:1", "error"}, {">", "y:5.5 , 5", "true"},
        {"<", "5 , y:5.5", "true"}, {"==", "y:5.5 , 5", "false"}, {"==", "y:\"5\" , 5", "true"},
        {"!=", "y:\"x\" , 5", "true"}, {"==", "y:9007199254740993 , 9007199254740992", "false"},
        {"<=", "y:[1] , 5", "bool(null)"}, {">=", "5 , y:5", "true"}, {"==", "null:dynamic , null:long", "bool(null)"},
        {"==", "y:\"x\" , null:long", "bool(null)"}, {"==", "y:true , 1", "true"}, {"==", "true , 1", "true"},
        {"!=", "0 , true", "true"}, {"==", "'1' , 1", "error"}, {"==", "d:2020-01-01 , '2020-01-01'", "true"},
        {"==", "m:1.0 , m:1.00", "true"},
        {"==", "g:01234567-89ab-cdef-0123-456789abcdef , '0123456789abcdef0123456789abcdef'", "true"},
        {"<", "1 , 2", "true"}, {"<=", "2 , 2", "true"}, {">", "1 , 2", "false"}, {">=", "2 , 1", "true"},
        {"<", "false , true", "true"}, {"<", "NaN , 1", "false"}, {">", "NaN , 1", "false"},
        {"<", "null:long , 1", "bool(null)"}, {"<", "'a' , 'b'", "error"}, {"<", "y:1 , y:2", "error"},
        {">", "d:2020-01-02 , d:2020-01-01", "true"}, {"<", "t:1h , t:1d", "true"}, {"<", "t:1h , 1", "error"},
        {"<", "m:1.5 , m:2", "true"}, {"around", "d:2021-01-01T01:29 , d:2021-01-01T01:30 , t:1m", "true"},
        {"around", "5 , 7 , 1", "false"}, {"around", "5.5 , 6 , 0.5", "true"}, {"between", "5 , 1 , 5", "true"},
        {"between", "1.5 , 1 , 2", "true"}, {"between", "6 , 1 , 5", "false"}, {"!between", "6 , 1 , 5", "true"},
        {"!between", "5 , 1 , 5", "false"}, {"between", "i:5 , i:1 , i:5", "true"},
        {"between", "m:5 , m:1 , m:5", "true"}, {"between", "t:1h , t:1m , t:1d", "true"},
        {"between", "d:2020-01-02 , d:2020-01-01 , t:1d", "true"},
        {"!between", "d:2020-01-02 , d:2020-01-01 , t:1d", "false"},
        {"between", "d:2020-01-03 , d:2020-01-01 , d:2020-01-02", "false"}, {"between", "'b' , 'a' , 'c'", "error"},
        {"between", "null:long , 1 , 2", "bool(null)"});
}

static void test_logic(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"and", "true , true", "true"}, {"and", "null:bool , false", "false"},
        {"and", "true , null:bool", "bool(null)"}, {"or", "false , false", "false"}, {"or", "null:bool , true", "true"},
        {"or", "false , null:bool", "bool(null)"}, {"not", "true", "false"}, {"not", "null:bool", "bool(null)"},
        {"and", "1 , 2", "error"}, {"iff", "true , 1 , 2", "long(1)"}, {"iif", "null:bool , 't' , 'f'", "'f'"},
        {"iff", "true , 1 , 2.5", "real(1.0)"}, {"iff", "false , 1 , null:long", "long(null)"},
        {"case", "false , 1 , true , 2 , 3", "long(2)"}, {"case", "null:bool , 'a' , 'else'", "'else'"},
        {"case", "true , g:0123456789abcdef0123456789abcdef , null:guid", "guid(01234567-89ab-cdef-0123-456789abcdef)"},
        {"case", "true , m:1 , m:2", "decimal(1)"}, {"coalesce", "null:int , i:5", "int(5)"},
        {"coalesce", "'' , '' , 'x'", "'x'"}, {"coalesce", "null:real , null:real", "real(null)"},
        {"max_of", "1 , 3 , 2", "long(3)"}, {"max_of", "null:long , 2", "long(2)"},
        {"max_of", "NaN , 1.0", "real(nan)"}, {"min_of", "1.0 , NaN", "real(nan)"},
        {"min_of", "null:long , null:long", "long(null)"}, {"min_of", "'b' , 'a'", "'a'"},
        {"isnull", "null:long", "true"}, {"isnull", "''", "false"}, {"isnotnull", "1", "true"},
        {"notnull", "null:dynamic", "false"}, {"isempty", "''", "true"}, {"isempty", "y:\"\"", "true"},
        {"isempty", "y:[]", "false"}, {"isempty", "null:long", "true"}, {"isnotempty", "'a'", "true"},
        {"notempty", "1", "true"}, {"gettype", "1", "'long'"}, {"gettype", "y:1.5", "'double'"},
        {"gettype", "y:{}", "'dictionary'"}, {"gettype", "null:dynamic", "'null'"}, {"gettype", "null:int", "'int'"});
}

static void test_convert(void **state) {
    (void)state;
    KQ_TEST_SCALARS(
        {"tobool", "'TRUE'", "true"}, {"tobool", "'0'", "false"}, {"tobool", "'yes'", "bool(null)"},
        {"toboolean", "-1", "true"}, {"tobool", "y:\"0x10\"", "true"}, {"tobool", "y:\"3.14\"", "bool(null)"},
        {"toint", "' 42 '", "int(42)"}, {"toint", "'0xFF'", "int(255)"}, {"toint", "'3.14'", "int(null)"},
        {"toint", "'2147483648'", "int(null)"}, {"toint", "-2.9", "int(-2)"}, {"toint", "1e30", "int(2147483647)"},
        {"toint", "y:2147483648", "int(-2147483648)"}, {"toint", "true", "int(1)"}, {"toint", "m:9.99", "int(9)"},
        {"tolong", "1e19", "long(9223372036854775807)"}, {"tolong", "'1e19'", "long(null)"},
        {"tolong", "d:2020-01-01", "long(637134336000000000)"}, {"tolong", "t:1s", "long(10000000)"},
        {"tolong", "y:[1]", "long(null)"}, {"tolong", "NaN", "long(null)"}, {"tolong", "inf", "long(null)"},
        {"todouble", "'1e3'", "real(1000.0)"}, {"toreal", "'0x1F'", "real(null)"}, {"todouble", "'INF'", "real(null)"},
        {"todouble", "'-inf'", "real(-inf)"}, {"todecimal", "'123.45678'", "decimal(123.45678)"},
        {"todecimal", "0.1", "decimal(0.1)"}, {"todecimal", "NaN", "decimal(null)"},
        {"todecimal", "true", "decimal(1)"},
        {"todatetime", "'2015-12-31 23:59:59.9'", "datetime(2015-12-31T23:59:59.9Z)"},
        {"todatetime", "1.5", "datetime(0001-01-01T00:00:00.0000001Z)"}, {"todatetime", "-1", "datetime(null)"},
        {"todatetime", "'x'", "datetime(null)"}, {"totimespan", "'90s'", "timespan(00:01:30)"},
        {"totimespan", "'1.5'", "timespan(null)"}, {"totime", "10000000", "timespan(00:00:01)"},
        {"toguid", "'0123456789ab-cdef-0123-456789abcdef'", "guid(01234567-89ab-cdef-0123-456789abcdef)"},
        {"toguid", "'x'", "guid(null)"}, {"tostring", "true", "'True'"}, {"tostring", "y:true", "'true'"},
        {"tostring", "1.0", "'1.0'"}, {"tostring", "0.30000000000000004", "'0.30000000000000007'"},
        {"tostring", "null:long", "''"}, {"tostring", "y:\"a\"", "'a'"},
        {"tostring", "y:{\"a\":[1,2.5]}", "'{\"a\":[1,2.5]}'"},
        {"tostring", "d:2020-01-01", "'2020-01-01T00:00:00.0000000Z'"}, {"tostring", "t:25h", "'1.01:00:00'"},
        {"tostring", "g:0123456789abcdef0123456789abcdef", "'01234567-89ab-cdef-0123-456789abcdef'"},
        {"tohex", "256", "'100'"}, {"tohex", "-256", "'ffffffffffffff00'"}, {"tohex", "i:-256 , 8", "'ffffff00'"},
        {"tohex", "256 , 8", "'00000100'"}, {"tohex", "256 , 2", "'100'"});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_compare),
                                       cmocka_unit_test(test_logic), cmocka_unit_test(test_convert)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
