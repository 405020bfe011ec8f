/*
 * What a scan is told of the filter above it: conjuncts as predicates on the table's columns. The filter stays, so a
 * predicate may be weaker than its conjunct but never stronger.
 */
#include "column/dynamic.h"
#include "kql/optimize.h"
#include "kql/text_op.h"
#include <math.h>

/* One text predicate, maybe collected from several alternatives. */
typedef struct text_predicate {
    const kq_text_op *op;
    uint32_t column;
    kq_sv *needles;
    size_t n, cap;
} text_predicate;

static bool add_needle(kq_optimizer *o, text_predicate *t, kq_sv needle) {
    if (needle.n == 0) return false; /* matches everything, or a missing value */
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 8;
        kq_sv *needles = kq_arena_array(o->arena, kq_sv, cap);
        if (!needles) return false; /* sticky: seen at the end */
        if (t->n) memcpy(needles, t->needles, t->n * sizeof *needles);
        t->needles = needles;
        t->cap = cap;
    }
    t->needles[t->n++] = needle;
    return true;
}

/* A constant string, or a constant array of strings. */
static bool add_constant(kq_optimizer *o, text_predicate *t, const kq_expr *e) {
    if (e->kind != KQ_EXPR_CONST || e->value.null) return false;
    if (e->value.type == KQ_STRING) return add_needle(o, t, kq_str_view(&e->value.u.s));
    if (e->value.type != KQ_DYNAMIC) return false;
    kq_dyn d = kq_str_view(&e->value.u.s);
    if (kq_dyn_tag_of(d) != KQ_DYN_ARRAY) return false;
    uint32_t n = kq_dyn_count(d);
    for (uint32_t i = 0; i < n; i++) {
        kq_dyn element = kq_dyn_element(d, i);
        if (kq_dyn_tag_of(element) != KQ_DYN_STRING || !add_needle(o, t, kq_dyn_string(element))) return false;
    }
    return n > 0;
}

/* column op constant: adds its needles when it goes with what is there already. */
static bool collect_leaf(kq_optimizer *o, const kq_expr *e, text_predicate *t) {
    if (e->kind != KQ_EXPR_CALL || e->nargs < 2) return false;
    const kq_expr *column = e->args[0];
    const kq_text_op *op = kq_text_op_find(e->fn->name);
    if (!op || (!op->list && e->nargs != 2)) return false;
    bool flipped = op->op == KQ_MATCH_EQUALS && !op->list && column->kind == KQ_EXPR_CONST;
    if (flipped) column = e->args[1];
    if (column->kind != KQ_EXPR_COLUMN || column->type != KQ_STRING) return false;
    if (t->op && (t->column != column->column || t->op->op != op->op || t->op->ci != op->ci || t->op->all || op->all))
        return false;
    t->op = op;
    t->column = column->column;
    if (flipped) return add_constant(o, t, e->args[0]);
    for (uint32_t i = 1; i < e->nargs; i++)
        if (!add_constant(o, t, e->args[i])) return false;
    return true;
}

static bool collect_text(kq_optimizer *o, const kq_expr *e, text_predicate *t) {
    if (!kq_is_call(e, "or")) return collect_leaf(o, e, t);
    return collect_text(o, e->args[0], t) && collect_text(o, e->args[1], t);
}

/* ---- ranges ---- */

static bool has_ranges(kq_type type) {
    return type == KQ_INT || type == KQ_LONG || type == KQ_REAL || type == KQ_DATETIME || type == KQ_TIMESPAN;
}

/* A column, or one that is only converted to a wider number for the comparison. */
static const kq_expr *column_of(const kq_expr *e) {
    if (e->kind == KQ_EXPR_CALL && e->nargs == 1 && e->args[0]->kind == KQ_EXPR_COLUMN) {
        kq_type from = e->args[0]->type, to = e->type;
        bool widens =
            (kq_is_call(e, "tolong") && to == KQ_LONG && from == KQ_INT) ||
            ((kq_is_call(e, "toreal") || kq_is_call(e, "todouble")) && to == KQ_REAL && kq_type_is_integer(from));
        if (widens) e = e->args[0];
    }
    return e->kind == KQ_EXPR_COLUMN && has_ranges(e->type) ? e : NULL;
}

static kq_value value_of(kq_type type, int64_t l) {
    kq_value v = {.type = type};
    if (type == KQ_INT)
        v.u.i = (int32_t)l;
    else
        v.u.l = l;
    return v;
}

/* The constant as a bound of the column's type, rounded outward; false when there is none. *open is cleared when the
 * bound is not exact. `up`: it is an upper bound. */
static bool bound_of(const kq_expr *e, kq_type type, bool up, kq_value *out, bool *open) {
    if (e->kind != KQ_EXPR_CONST || e->value.null) return false;
    const kq_value *v = &e->value;
    if (type == KQ_REAL) {
        double r = v->type == KQ_REAL ? v->u.r : v->type == KQ_LONG ? (double)v->u.l : (double)v->u.i;
        if ((v->type != KQ_REAL && v->type != KQ_LONG && v->type != KQ_INT) || r != r) return false;
        if (v->type == KQ_LONG && fabs(r) >= 0x1p53) return false;
        *out = kq_value_real(r);
        return true;
    }
    int64_t l;
    if (kq_type_is_integer(type) && v->type == KQ_REAL) {
        double r = up ? ceil(v->u.r) : floor(v->u.r);
        if (!(fabs(r) < 0x1p53)) return false;
        *open &= r == v->u.r;
        l = (int64_t)r;
    } else if (v->type == KQ_INT && kq_type_is_integer(type)) {
        l = v->u.i;
    } else if (v->type == type || (v->type == KQ_LONG && type == KQ_INT)) {
        l = v->u.l;
    } else {
        return false;
    }
    if (type == KQ_INT && (l < INT32_MIN || l > INT32_MAX)) return false;
    *out = value_of(type, l);
    return true;
}

static bool set_low(const kq_expr *e, kq_type type, bool open, kq_predicate *p) {
    p->low_open = open;
    return p->has_low = bound_of(e, type, false, &p->low, &p->low_open);
}

static bool set_high(const kq_expr *e, kq_type type, bool open, kq_predicate *p) {
    p->high_open = open;
    return p->has_high = bound_of(e, type, true, &p->high, &p->high_open);
}

/* x between (start .. timespan) */
static bool set_span(const kq_expr *start, const kq_expr *span, kq_predicate *p) {
    kq_value sum = {.type = KQ_DATETIME};
    if (start->kind != KQ_EXPR_CONST || span->kind != KQ_EXPR_CONST || start->value.null || span->value.null ||
        __builtin_add_overflow(start->value.u.l, span->value.u.l, &sum.u.l))
        return false;
    p->high = sum;
    return p->has_high = true;
}

/* The lowest and the highest of a list of constants. */
static bool set_list(const kq_expr *e, kq_type type, kq_predicate *p) {
    for (uint32_t i = 1; i < e->nargs; i++) {
        kq_value low, high;
        bool open = false;
        if (!bound_of(e->args[i], type, false, &low, &open) || !bound_of(e->args[i], type, true, &high, &open))
            return false;
        if (i == 1 || kq_value_cmp(&low, &p->low) < 0) p->low = low;
        if (i == 1 || kq_value_cmp(&high, &p->high) > 0) p->high = high;
    }
    return p->has_low = p->has_high = true;
}

static bool range_of(const kq_expr *e, kq_predicate *p) {
    if (e->kind != KQ_EXPR_CALL || e->nargs < 2) return false;
    const char *op = e->fn->name;
    const kq_expr *column = column_of(e->args[0]), *other = e->args[1];
    bool flipped = !column && e->nargs == 2;
    if (flipped) {
        column = column_of(e->args[1]);
        other = e->args[0];
    }
    if (!column) return false;
    kq_type type = column->type;
    *p = (kq_predicate){.kind = KQ_PREDICATE_RANGE, .column = column->column};
    if (strcmp(op, "in") == 0) return !flipped && set_list(e, type, p);
    if (strcmp(op, "between") == 0 && e->nargs == 3) {
        if (e->args[2]->type == KQ_TIMESPAN && type == KQ_DATETIME)
            return set_low(e->args[1], type, false, p) && set_span(e->args[1], e->args[2], p);
        return set_low(e->args[1], type, false, p) && set_high(e->args[2], type, false, p);
    }
    if (e->nargs != 2) return false;
    if (strcmp(op, "==") == 0) return set_low(other, type, false, p) && set_high(other, type, false, p);
    bool less = op[0] == '<', greater = op[0] == '>', open = op[1] == 0;
    if ((!less && !greater) || (op[1] && strcmp(op + 1, "=") != 0)) return false;
    return less != flipped ? set_high(other, type, open, p) : set_low(other, type, open, p);
}

kq_status kq_optimize_scan(kq_optimizer *o, kq_plan *scan, kq_conjuncts c) {
    kq_predicate *predicates = kq_arena_array(o->arena, kq_predicate, c.n + 1);
    if (!predicates) return kq_optimize_nomem(o);
    uint32_t n = 0;
    for (uint32_t i = 0; i < c.n; i++) {
        text_predicate text = {0};
        kq_predicate p;
        if (range_of(c.items[i], &p)) {
            p.column = scan->u.scan.columns[p.column];
            predicates[n++] = p;
        } else if (collect_text(o, c.items[i], &text)) {
            p = (kq_predicate){.kind = KQ_PREDICATE_TEXT, .column = scan->u.scan.columns[text.column]};
            KQ_TRY(kq_matcher_create(text.op->op, text.op->ci, text.op->all, text.needles, text.n, o->arena, &p.matcher,
                                     o->err));
            predicates[n++] = p;
        }
    }
    scan->u.scan.predicates = predicates;
    scan->u.scan.npredicates = n;
    return kq_arena_status(o->arena, o->err);
}
