/* base64 and compressed text. */
#include "base/utf8.h"
#include "func/base64.h"
#include "func/build.h"
#include "func/rows.h"
#include <zlib.h>

/* No text that somebody packed may unpack to more than this: the rest is a bomb. */
#define UNPACKED_MAX ((size_t)64 << 20)

static bool is_utf8(kq_sv s) {
    for (const char *p = s.p, *end = s.p + s.n; p < end;) {
        uint32_t cp;
        unsigned n = kq_utf8_decode(p, end, &cp);
        if (cp == KQ_UTF8_BAD && n == 1) return false;
        p += n;
    }
    return true;
}

static bool build_encode(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_base64_encode(kq_arg_sv(call, 0, row), out);
    return true;
}

kq_status kq_fn_base64_encode(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_encode, NULL, err);
}

static bool build_decode(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    return kq_base64_decode(kq_arg_sv(call, 0, row), out) && is_utf8(kq_buf_view(out));
}

kq_status kq_fn_base64_decode(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_decode, NULL, err);
}

/* Functions that need a second buffer get it as their context. */
static kq_status with_buffer(kq_call *call, kq_build_fn build, kq_error *err) {
    kq_buf bytes;
    kq_buf_init(&bytes, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build, &bytes, err);
    kq_buf_deinit(&bytes);
    return status;
}

static bool build_encode_array(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *bytes = ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d)) return false;
    kq_buf_clear(bytes);
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        kq_value v = kq_dyn_value(kq_dyn_element(d, i));
        if (v.type != KQ_LONG || v.u.l < 0 || v.u.l > 255) return false;
        kq_buf_char(bytes, (char)v.u.l);
    }
    if (bytes->failed) out->failed = bytes->failed;
    kq_base64_encode(kq_buf_view(bytes), out);
    return true;
}

kq_status kq_fn_base64_encode_array(kq_call *call, kq_error *err) {
    return with_buffer(call, build_encode_array, err);
}

static bool build_decode_array(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *bytes = ctx;
    kq_buf_clear(bytes);
    if (!kq_base64_decode(kq_arg_sv(call, 0, row), bytes)) {
        if (bytes->failed) out->failed = bytes->failed;
        return false;
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (size_t i = 0; i < bytes->n; i++) {
        kq_dyn_put_long(out, (unsigned char)bytes->p[i]);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_base64_decode_array(kq_call *call, kq_error *err) {
    return with_buffer(call, build_decode_array, err);
}

/* The first three groups of a guid are little-endian numbers in memory, as .NET lays them out. */
static void swap_guid(const uint8_t *from, uint8_t *to) {
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int i = 0; i < 16; i++) to[i] = from[order[i]];
}

static bool build_encode_guid(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    uint8_t bytes[16];
    swap_guid(kq_vec_guid(call->args[0])[kq_vec_at(call->args[0], row)].b, bytes);
    kq_base64_encode((kq_sv){(const char *)bytes, 16}, out);
    return true;
}

kq_status kq_fn_base64_encode_guid(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_encode_guid, NULL, err);
}

kq_status kq_fn_base64_decode_guid(kq_call *call, kq_error *err) {
    kq_buf bytes;
    kq_buf_init(&bytes, call->arena->budget, 0);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv text = kq_arg_sv(call, 0, row);
        bytes.n = 0;
        if (text.n == 24 && kq_base64_decode(text, &bytes) && bytes.n == 16)
            swap_guid((const uint8_t *)bytes.p, kq_vec_guid(call->out)[row].b);
        else
            kq_vec_set_null(call->out, row);
    }
    kq_status status = kq_buf_status(&bytes, err);
    kq_buf_deinit(&bytes);
    return status;
}

/* ---- Compression ---- */

static voidpf zlib_alloc(voidpf opaque, uInt items, uInt size) {
    (void)opaque;
    return kq_calloc(items, size);
}

static void zlib_free(voidpf opaque, voidpf p) {
    (void)opaque;
    kq_free(p);
}

/* Unpacks onto `out`; false when the data is damaged, too large or no UTF-8. */
static bool unpack(kq_sv data, int window_bits, kq_buf *out) {
    z_stream z = {.next_in = (Bytef *)data.p, .avail_in = (uInt)data.n, .zalloc = zlib_alloc, .zfree = zlib_free};
    if (inflateInit2(&z, window_bits) != Z_OK) {
        out->failed = KQ_ERR_NOMEM;
        return false;
    }
    int state = Z_BUF_ERROR;
    do {
        size_t room = out->n < 4096 ? 4096 : out->n;
        if (room > UNPACKED_MAX + 1 - out->n) room = UNPACKED_MAX + 1 - out->n;
        char *to = kq_buf_reserve(out, room);
        if (!to) break;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        state = inflate(&z, Z_NO_FLUSH);
        out->n += room - z.avail_out;
    } while (state == Z_OK && z.avail_out == 0 && out->n <= UNPACKED_MAX);
    inflateEnd(&z);
    return !out->failed && state == Z_STREAM_END && out->n <= UNPACKED_MAX && is_utf8(kq_buf_view(out));
}

static bool unpack_row(const kq_call *call, uint32_t row, kq_buf *out, kq_buf *bytes, int window_bits) {
    kq_buf_clear(bytes);
    if (!kq_base64_decode(kq_arg_sv(call, 0, row), bytes)) {
        if (bytes->failed) out->failed = bytes->failed;
        return false;
    }
    return bytes->n && unpack(kq_buf_view(bytes), window_bits, out);
}

static bool build_zlib_decompress(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    return unpack_row(call, row, out, ctx, MAX_WBITS);
}

kq_status kq_fn_zlib_decompress(kq_call *call, kq_error *err) {
    return with_buffer(call, build_zlib_decompress, err);
}

static bool build_gzip_decompress(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    return unpack_row(call, row, out, ctx, MAX_WBITS + 16);
}

kq_status kq_fn_gzip_decompress(kq_call *call, kq_error *err) {
    return with_buffer(call, build_gzip_decompress, err);
}

/* Kusto stores short texts as they are, in one block of deflate's "stored" kind: recorded answers show that. */
#define STORED_MAX 65535

static void put_stored(kq_sv s, kq_buf *out) {
    do {
        size_t n = s.n < STORED_MAX ? s.n : STORED_MAX;
        kq_buf_char(out, n == s.n);
        uint8_t head[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8)};
        kq_buf_append(out, head, 4);
        kq_buf_append(out, s.p, n);
        s = kq_sv_slice(s, n, s.n);
    } while (s.n);
}

static bool build_zlib_compress(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *bytes = ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    kq_buf_clear(bytes);
    kq_buf_append(bytes, "\x78\x01", 2);
    put_stored(s, bytes);
    uint32_t sum = (uint32_t)adler32(1, (const Bytef *)s.p, (uInt)s.n);
    uint8_t tail[4] = {(uint8_t)(sum >> 24), (uint8_t)(sum >> 16), (uint8_t)(sum >> 8), (uint8_t)sum};
    kq_buf_append(bytes, tail, 4);
    if (bytes->failed) out->failed = bytes->failed;
    kq_base64_encode(kq_buf_view(bytes), out);
    return true;
}

kq_status kq_fn_zlib_compress(kq_call *call, kq_error *err) {
    return with_buffer(call, build_zlib_compress, err);
}

static bool build_gzip_compress(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *bytes = ctx;
    kq_sv s = kq_arg_sv(call, 0, row);
    kq_buf_clear(bytes);
    kq_buf_append(bytes, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    put_stored(s, bytes);
    uint32_t sums[2] = {(uint32_t)crc32(0, (const Bytef *)s.p, (uInt)s.n), (uint32_t)s.n};
    kq_buf_append(bytes, sums, sizeof sums);
    if (bytes->failed) out->failed = bytes->failed;
    kq_base64_encode(kq_buf_view(bytes), out);
    return true;
}

kq_status kq_fn_gzip_compress(kq_call *call, kq_error *err) {
    return with_buffer(call, build_gzip_compress, err);
}
