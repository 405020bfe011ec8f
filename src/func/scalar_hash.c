/* Hash functions over values. */
#include "func/build.h"
#include "func/digest.h"
#include "func/rows.h"
#include <xxhash.h>

/* Text is hashed as its bytes, numbers and times as theirs in memory, the rest as the text that tostring() gives. */
static uint64_t hash_of(const kq_call *call, uint32_t row, kq_buf *text) {
    const kq_vector *v = call->args[0];
    uint32_t at = kq_vec_at(v, row);
    switch (v->type) {
    case KQ_STRING: {
        kq_sv s = kq_arg_sv(call, 0, row);
        return XXH64(s.p, s.n, 0);
    }
    case KQ_BOOL: return XXH64(&kq_vec_bool(v)[at], 1, 0);
    case KQ_INT: return XXH64(&kq_vec_int(v)[at], 4, 0);
    case KQ_LONG:
    case KQ_DATETIME:
    case KQ_TIMESPAN: return XXH64(&kq_vec_long(v)[at], 8, 0);
    case KQ_REAL: return XXH64(&kq_vec_real(v)[at], 8, 0);
    default:
        text->n = 0;
        kq_arg_text(call, 0, row, text);
        return XXH64(text->p, text->n, 0);
    }
}

kq_status kq_fn_hash(kq_call *call, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, KQ_STR_MAX);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        uint64_t hash = hash_of(call, row, &text);
        if (call->nargs > 1) {
            int64_t mod = kq_arg_long(call, 1, row);
            if (mod <= 0)
                kq_vec_set_null(call->out, row);
            else
                hash %= (uint64_t)mod;
        }
        kq_vec_long(call->out)[row] = (int64_t)hash;
    }
    kq_status status = kq_buf_status(&text, err);
    kq_buf_deinit(&text);
    return status;
}

typedef struct digest {
    void (*digest)(kq_sv data, uint8_t *out);
    size_t size;
    kq_buf text;
} digest;

static bool build_digest(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    static const char hex[] = "0123456789abcdef";
    digest *d = ctx;
    kq_sv data;
    if (call->args[0]->type == KQ_STRING) {
        data = kq_arg_sv(call, 0, row);
    } else {
        kq_buf_clear(&d->text);
        kq_arg_text(call, 0, row, &d->text);
        out->failed = d->text.failed;
        data = kq_buf_view(&d->text);
    }
    uint8_t bytes[32];
    d->digest(data, bytes);
    for (size_t i = 0; i < d->size; i++) {
        kq_buf_char(out, hex[bytes[i] >> 4]);
        kq_buf_char(out, hex[bytes[i] & 15]);
    }
    return true;
}

static kq_status run(kq_call *call, void (*fn)(kq_sv, uint8_t *), size_t size, kq_error *err) {
    digest d = {.digest = fn, .size = size};
    kq_buf_init(&d.text, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build_digest, &d, err);
    kq_buf_deinit(&d.text);
    return status;
}

kq_status kq_fn_hash_md5(kq_call *call, kq_error *err) {
    return run(call, kq_md5, 16, err);
}

kq_status kq_fn_hash_sha1(kq_call *call, kq_error *err) {
    return run(call, kq_sha1, 20, err);
}

kq_status kq_fn_hash_sha256(kq_call *call, kq_error *err) {
    return run(call, kq_sha256, 32, err);
}
