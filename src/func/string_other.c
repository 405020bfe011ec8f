/* Versions, sizes in bytes, guids. */
#include "func/build.h"
#include "func/rows.h"
#include <math.h>
#include <stdio.h>
#include <sys/random.h>

/* Up to four numbers of at most eight digits each, the first counting most. */
static bool parse_version(kq_sv s, kq_decimal *out) {
    unsigned __int128 value = 0;
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        uint32_t number = 0;
        if (at <= s.n) {
            size_t start = at;
            while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') {
                if (at - start == 8) return false;
                number = number * 10 + (uint32_t)(s.p[at++] - '0');
            }
            if (at == start) return false;
            if (at < s.n && s.p[at] != '.') return false;
            at++; /* past the dot, or past the end: then the parts that follow are 0 */
        }
        value = value * 100000000 + number;
    }
    if (at <= s.n) return false;
    *out = (kq_decimal){.lo = (uint64_t)value, .hi = (uint64_t)(value >> 64)};
    return true;
}

kq_status kq_fn_parse_version(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        if (!parse_version(kq_arg_sv(call, 0, row), &kq_vec_decimal(call->out)[row])) kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

static bool build_bytes(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    static const char *const units[] = {"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
    double size = kq_arg_real(call, 0, row);
    int64_t precision = call->nargs > 1 ? kq_arg_long(call, 1, row) : 0;
    if (!isfinite(size)) return false;
    if (precision < 0) precision = 0;
    if (precision > 15) precision = 15;
    int unit = -1;
    if (call->nargs > 2 && kq_arg_sv(call, 2, row).n) {
        for (int i = 0; i < 7; i++)
            if (kq_sv_eq_ascii_ci(kq_arg_sv(call, 2, row), kq_sv_of(units[i]))) unit = i;
        if (unit < 0) return false;
        for (int i = 0; i < unit; i++) size /= 1024;
    } else {
        for (unit = 0; unit < 6 && fabs(size) >= 1024; unit++) size /= 1024;
    }
    char text[400];
    int n = snprintf(text, sizeof text, "%.*f", (int)precision, size);
    if (precision) {
        while (n > 1 && text[n - 1] == '0') n--;
        if (text[n - 1] == '.') n--;
    }
    kq_buf_append(out, text, (size_t)n);
    kq_buf_char(out, ' ');
    kq_buf_str(out, units[unit]);
    return true;
}

kq_status kq_fn_format_bytes(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_bytes, NULL, err);
}

kq_status kq_fn_new_guid(kq_call *call, kq_error *err) {
    kq_guid *out = kq_vec_guid(call->out);
    uint8_t random[256]; /* the size that getrandom never gives in part */
    size_t left = 0;
    for (uint32_t k = 0; k < call->n; k++) {
        if (left == 0) {
            if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
                return kq_fail(err, KQ_ERR_IO, "the system gives no random numbers");
            left = sizeof random;
        }
        left -= 16;
        kq_guid g;
        memcpy(g.b, random + left, 16);
        g.b[6] = (uint8_t)((g.b[6] & 0x0F) | 0x40);
        g.b[8] = (uint8_t)((g.b[8] & 0x3F) | 0x80);
        out[kq_call_row(call, k)] = g;
    }
    return KQ_OK;
}
