/* Readers of times, timespans, numbers and decimals: what they take, they print, and read again as the same. */
#include "base/number.h"
#include "base/time.h"
#include "column/decimal.h"
#include "func/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok) {
    if (!ok) __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    kq_sv text = {(const char *)data, n};
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    int64_t l, again;
    double r, back;
    kq_decimal m, same;
    kq_guid g;
    if (kq_time_parse(text, &l) && memchr(data, ':', n) == NULL) { /* a bare time of day is today's */
        kq_time_print(l, -1, &b);
        must(kq_time_parse_iso(kq_buf_view(&b), &again) && again == l);
    }
    kq_buf_clear(&b);
    if (kq_timespan_parse(text, &l)) {
        kq_timespan_print(l, &b);
        must(kq_timespan_parse(kq_buf_view(&b), &again) && again == l);
    }
    kq_buf_clear(&b);
    if (kq_number_parse_long(text, &l)) {
        kq_number_print_long(l, &b);
        must(kq_number_parse_long(kq_buf_view(&b), &again) && again == l);
    }
    kq_buf_clear(&b);
    if (kq_number_parse_real(text, &r)) {
        kq_number_print_real(r, &b);
        must(kq_number_parse_real(kq_buf_view(&b), &back) && (back == r || (r != r && back != back)));
    }
    kq_buf_clear(&b);
    if (kq_decimal_parse(text, &m)) {
        kq_decimal_print(&m, &b);
        must(kq_decimal_parse(kq_buf_view(&b), &same) && kq_decimal_cmp(&m, &same) == 0);
        (void)(kq_decimal_add(&m, &m, &same) && kq_decimal_sub(&same, &m, &same) && kq_decimal_mul(&m, &same, &same));
        if (kq_decimal_div(&m, &m, &same)) must(kq_decimal_to_real(&same) == 1);
        (void)kq_decimal_mod(&same, &m, &same);
        (void)kq_decimal_round(&m, (int)(n % 40) - 20, KQ_DECIMAL_HALF_AWAY, &same);
        (void)kq_decimal_to_long(&m, &l);
    }
    (void)kq_guid_parse(text, &g);
    kq_buf_deinit(&b);
    return 0;
}
