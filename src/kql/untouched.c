/* Result columns that nobody looks at between the scan and the result. */
#include "kql/plan.h"

/* Does the expression look at the column? A query inside may read the same scan for itself. */
static bool looks(const kq_expr *e, uint32_t column) {
    if (!e) return false;
    if (e->kind == KQ_EXPR_SUBQUERY) return true;
    if (e->kind == KQ_EXPR_COLUMN) return e->column == column;
    for (uint32_t i = 0; e->kind == KQ_EXPR_CALL && i < e->nargs; i++)
        if (looks(e->args[i], column)) return true;
    return false;
}

static bool order_looks(const kq_plan *p, uint32_t column) {
    for (uint32_t i = 0; i < p->u.order.nkeys; i++)
        if (looks(p->u.order.keys[i].expr, column)) return true;
    return looks(p->u.order.count, column);
}

kq_plan *kq_plan_untouched(kq_plan *p, uint32_t column, uint32_t *at) {
    for (;; p = p->input) {
        switch (p->kind) {
        case KQ_PLAN_SCAN: *at = column; return p;
        case KQ_PLAN_FILTER:
            if (looks(p->u.filter.predicate, column)) return NULL;
            break;
        case KQ_PLAN_SORT:
        case KQ_PLAN_TOP:
        case KQ_PLAN_TAKE:
            if (order_looks(p, column)) return NULL;
            break;
        case KQ_PLAN_PROJECT: {
            const kq_expr *e = p->u.project.exprs[column];
            if (e->kind != KQ_EXPR_COLUMN) return NULL;
            for (uint32_t i = 0; i < p->out.n; i++) /* under another name it may be looked at above */
                if (i != column && looks(p->u.project.exprs[i], e->column)) return NULL;
            column = e->column;
            break;
        }
        default: return NULL;
        }
    }
}
