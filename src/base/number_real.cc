#include "base/number_real.h"
#include <charconv>
#include <cstring>
#include <system_error>

unsigned kq_real_digits(double r, char digits[17], int *exponent) {
    char text[40];
    auto end = std::to_chars(text, text + sizeof text, r, std::chars_format::scientific).ptr;
    unsigned n = 0;
    const char *p = text;
    for (; p < end && *p != 'e'; p++)
        if (*p != '.' && n < 17) digits[n++] = *p;
    int e = 0;
    bool negative = false;
    for (p += p < end; p < end; p++) {
        if (*p == '-') negative = true;
        if (*p >= '0' && *p <= '9') e = e * 10 + (*p - '0');
    }
    *exponent = negative ? -e : e;
    return n;
}

bool kq_real_read(const char *p, size_t n, double *out) {
    const char *end = p + n;
    if (n == 0 || !((*p >= '0' && *p <= '9') || *p == '.')) return false;
    double r = 0;
    auto got = std::from_chars(p, end, r, std::chars_format::general);
    if (got.ptr != end) return false;
    if (got.ec == std::errc::result_out_of_range) {
        /* Too large or too small: from_chars does not say which. */
        const void *e = std::memchr(p, 'e', n);
        if (!e) e = std::memchr(p, 'E', n);
        bool small = e ? static_cast<const char *>(e)[1] == '-' : *p == '0' || *p == '.';
        if (!small) return false;
        r = 0;
    } else if (got.ec != std::errc()) {
        return false;
    }
    *out = r;
    return true;
}
