#include "text/predicate.h"

bool kq_predicate_range(const kq_predicate *p, const kq_value *v) {
    if (v->null) return false;
    /* NaN is outside of every range, as it fails every comparison. */
    if (v->type == KQ_REAL && v->u.r != v->u.r) return false;
    if (p->has_low) {
        int c = kq_value_cmp(v, &p->low);
        if (c < 0 || (c == 0 && p->low_open)) return false;
    }
    if (p->has_high) {
        int c = kq_value_cmp(v, &p->high);
        if (c > 0 || (c == 0 && p->high_open)) return false;
    }
    return true;
}
