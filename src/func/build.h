/*
 * Scalar functions whose result is text or a dynamic: they write each row into one buffer, which is copied into the
 * call's arena. And access to arguments by row, and sets of byte strings. Internal to func/.
 */
#ifndef KQ_FUNC_BUILD_H
#define KQ_FUNC_BUILD_H

#include "column/dynamic.h"
#include "func/scalar.h"

/* Writes the result of `row` into `out` (empty before). False: the result is null (dynamic) or "" (string). */
typedef bool (*kq_build_fn)(const kq_call *call, uint32_t row, kq_buf *out, void *ctx);

/* Calls `build` for every row. Errors: NOMEM, LIMIT. */
kq_status kq_build_rows(kq_call *call, kq_build_fn build, void *ctx, kq_error *err);

/* Argument `i` in `row`; strings and dynamics are not copied, a null dynamic is {NULL, 0}. */
static inline bool kq_arg_null(const kq_call *call, uint32_t i, uint32_t row) {
    return kq_vec_is_null(call->args[i], row);
}
static inline kq_sv kq_arg_sv(const kq_call *call, uint32_t i, uint32_t row) {
    return kq_str_view(&kq_vec_str(call->args[i])[kq_vec_at(call->args[i], row)]);
}
static inline kq_dyn kq_arg_dyn(const kq_call *call, uint32_t i, uint32_t row) {
    return kq_arg_null(call, i, row) ? (kq_dyn){NULL, 0} : kq_arg_sv(call, i, row);
}
static inline int64_t kq_arg_long(const kq_call *call, uint32_t i, uint32_t row) {
    return kq_vec_long(call->args[i])[kq_vec_at(call->args[i], row)];
}
static inline double kq_arg_real(const kq_call *call, uint32_t i, uint32_t row) {
    return kq_vec_real(call->args[i])[kq_vec_at(call->args[i], row)];
}
static inline bool kq_arg_bool(const kq_call *call, uint32_t i, uint32_t row) {
    return kq_vec_bool(call->args[i])[kq_vec_at(call->args[i], row)] != 0;
}
/* Appends argument `i` in `row`, of any type, as a dynamic. */
void kq_arg_put(const kq_call *call, uint32_t i, uint32_t row, kq_buf *out);
/* Appends argument `i` in `row`, of any type, as tostring() prints it. */
void kq_arg_text(const kq_call *call, uint32_t i, uint32_t row, kq_buf *out);

static inline bool kq_dyn_is_array(kq_dyn d) {
    return kq_dyn_tag_of(d) == KQ_DYN_ARRAY;
}
static inline bool kq_dyn_is_bag(kq_dyn d) {
    return kq_dyn_tag_of(d) == KQ_DYN_BAG;
}
static inline bool kq_dyn_is_null(kq_dyn d) {
    return kq_dyn_tag_of(d) == KQ_DYN_NULL;
}

/* A set of byte strings that somebody else owns, cleared in constant time. Zero is an empty set. */
typedef struct kq_bytes_set {
    struct kq_bytes_slot *slots;
    kq_sv *items;
    uint32_t n, cap, nslots, generation;
    kq_budget *budget;
} kq_bytes_set;

/* Adds `item`; *added (may be NULL) tells whether it is new, *index (may be NULL) which item of the set it is. Errors:
 * NOMEM, LIMIT. */
kq_status kq_bytes_put(kq_bytes_set *set, kq_sv item, uint32_t *index, bool *added);
static inline kq_status kq_bytes_add(kq_bytes_set *set, kq_sv item, bool *added) {
    return kq_bytes_put(set, item, NULL, added);
}
bool kq_bytes_has(const kq_bytes_set *set, kq_sv item);
void kq_bytes_clear(kq_bytes_set *set);
void kq_bytes_deinit(kq_bytes_set *set);

#endif
