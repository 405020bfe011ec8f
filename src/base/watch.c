#include "base/watch.h"
#include "base/time.h"

kq_status kq_watch_check(const kq_watch *w, kq_error *err) {
    if (w->cancel && atomic_load_explicit(w->cancel, memory_order_relaxed))
        return kq_fail(err, KQ_ERR_CANCELLED, "cancelled");
    if (w->deadline_ns && kq_clock_ns() > w->deadline_ns)
        return kq_fail(err, KQ_ERR_DEADLINE, "the time limit was reached");
    return KQ_OK;
}
