#include "base/cp1252.h"
#include "base/utf8.h"

size_t kq_cp1252_utf8(const unsigned char *p, size_t n, char *to) {
    static const uint16_t high[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                      0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                      0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                      0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
    char *out = to;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x80)
            *out++ = (char)p[i];
        else
            out += kq_utf8_encode(p[i] < 0xA0 ? high[p[i] - 0x80] : p[i], out);
    }
    return (size_t)(out - to);
}
