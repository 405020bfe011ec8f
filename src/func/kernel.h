/*
 * Loops of scalar functions. The macros write one tight loop for each shape of the arguments (a vector or one constant,
 * all rows or selected ones), so that no row asks what its arguments look like.
 */
#ifndef KQ_FUNC_KERNEL_H
#define KQ_FUNC_KERNEL_H

#include "func/scalar.h"

/* The statements `...` for every row; `r` names its number. */
#define KQ_EACH(call, r, ...)                                                                                          \
    do {                                                                                                               \
        const uint16_t *kq_sel_ = (call)->sel;                                                                         \
        const uint32_t kq_n_ = (call)->n;                                                                              \
        if (kq_sel_) {                                                                                                 \
            for (uint32_t kq_k_ = 0; kq_k_ < kq_n_; kq_k_++) {                                                         \
                const uint32_t r = kq_sel_[kq_k_];                                                                     \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
        } else {                                                                                                       \
            for (uint32_t r = 0; r < kq_n_; r++) {                                                                     \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* For every row: `x` is the argument's value; the statements `...` use x and r. */
#define KQ_UNARY(call, A, x, r, ...)                                                                                   \
    do {                                                                                                               \
        const A *kq_a_ = (const A *)(call)->args[0]->data;                                                             \
        if ((call)->args[0]->constant) {                                                                               \
            const A x = kq_a_[0];                                                                                      \
            KQ_EACH(call, r, __VA_ARGS__);                                                                             \
        } else {                                                                                                       \
            KQ_EACH(call, r, const A x = kq_a_[r]; __VA_ARGS__);                                                       \
        }                                                                                                              \
    } while (0)

/* The same over arguments number i and j as x and y. */
#define KQ_BINARY_AT(call, i, A, x, j, B, y, r, ...)                                                                   \
    do {                                                                                                               \
        const A *kq_a_ = (const A *)(call)->args[i]->data;                                                             \
        const B *kq_b_ = (const B *)(call)->args[j]->data;                                                             \
        const bool kq_ca_ = (call)->args[i]->constant, kq_cb_ = (call)->args[j]->constant;                             \
        if (kq_ca_ && kq_cb_) {                                                                                        \
            const A x = kq_a_[0];                                                                                      \
            const B y = kq_b_[0];                                                                                      \
            KQ_EACH(call, r, __VA_ARGS__);                                                                             \
        } else if (kq_ca_) {                                                                                           \
            const A x = kq_a_[0];                                                                                      \
            KQ_EACH(call, r, const B y = kq_b_[r]; __VA_ARGS__);                                                       \
        } else if (kq_cb_) {                                                                                           \
            const B y = kq_b_[0];                                                                                      \
            KQ_EACH(call, r, const A x = kq_a_[r]; __VA_ARGS__);                                                       \
        } else {                                                                                                       \
            KQ_EACH(call, r, const A x = kq_a_[r]; const B y = kq_b_[r]; __VA_ARGS__);                                 \
        }                                                                                                              \
    } while (0)

#define KQ_BINARY(call, A, x, B, y, r, ...) KQ_BINARY_AT(call, 0, A, x, 1, B, y, r, __VA_ARGS__)

/* What `out` or row `r` is, shorter. */
#define KQ_OUT(call, T) ((T *)(call)->out->data)

static inline void kq_call_null(kq_call *call, uint32_t r) {
    kq_vec_set_null(call->out, r);
}

/* A string result: a copy of `text` in the call's arena. Errors: NOMEM, LIMIT. */
kq_status kq_call_text(kq_call *call, uint32_t r, kq_sv text, kq_error *err);

/* The value of argument `i` in row `r`. */
static inline kq_value kq_call_value(const kq_call *call, uint32_t i, uint32_t r) {
    return kq_vector_get(call->args[i], r);
}

#endif
