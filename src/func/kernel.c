#include "func/kernel.h"

kq_status kq_call_text(kq_call *call, uint32_t r, kq_sv text, kq_error *err) {
    if (text.n > KQ_STR_INLINE) {
        if (text.n > KQ_STR_MAX) return kq_fail(err, KQ_ERR_LIMIT, "a string is longer than 1 GiB");
        char *p = kq_arena_bytes(call->arena, text.n);
        if (!p) return kq_arena_status(call->arena, err);
        memcpy(p, text.p, text.n);
        text.p = p;
    }
    kq_vec_str(call->out)[r] = kq_str_sv(text);
    return KQ_OK;
}
