#include "func/dynamic_find.h"

void kq_finder_init(kq_finder *f, kq_arena *arena) {
    kq_buf_init(&f->wanted, arena->budget, KQ_STR_MAX);
    kq_buf_init(&f->other, arena->budget, 0);
}

void kq_finder_look_for(kq_finder *f, const kq_call *call, uint32_t i, uint32_t row) {
    if (f->wanted.failed || f->other.failed) return;
    f->wanted.n = f->other.n = 0;
    kq_arg_put(call, i, row, &f->wanted);
    kq_dyn d = kq_buf_view(&f->wanted);
    if (kq_dyn_tag_of(d) == KQ_DYN_LONG) {
        int64_t l = kq_dyn_value(d).u.l;
        double r = (double)l;
        if (r < 0x1p63 && (int64_t)r == l) kq_dyn_put_real(&f->other, r);
    } else if (kq_dyn_tag_of(d) == KQ_DYN_REAL) {
        double r = kq_dyn_value(d).u.r;
        if (r >= -0x1p63 && r < 0x1p63 && (double)(int64_t)r == r) kq_dyn_put_long(&f->other, (int64_t)r);
    }
}

uint32_t kq_finder_next(const kq_finder *f, kq_dyn array, uint32_t from, uint32_t to) {
    kq_dyn wanted = kq_buf_view(&f->wanted), other = kq_buf_view(&f->other);
    for (uint32_t i = from; i < to; i++) {
        kq_dyn e = kq_dyn_element(array, i);
        if (kq_sv_eq(e, wanted) || (other.n && kq_sv_eq(e, other))) return i;
    }
    return to;
}

kq_status kq_finder_deinit(kq_finder *f, kq_error *err) {
    kq_status status = kq_buf_status(&f->wanted, err);
    if (status == KQ_OK) status = kq_buf_status(&f->other, err);
    kq_buf_deinit(&f->wanted);
    kq_buf_deinit(&f->other);
    return status;
}
