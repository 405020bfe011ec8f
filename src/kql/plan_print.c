/* The plan as text: one line per operator, its input below it, indented. */
#include "kql/plan.h"

static const char *const plan_names[] = {"SCAN",      "VALUES",      "RANGE",  "FILTER", "PROJECT",
                                         "AGGREGATE", "SORT",        "TOP",    "TAKE",   "UNION",
                                         "JOIN",      "MATERIALIZE", "EXPAND", "PARSE",  "SERIES"};
static const char *const join_names[] = {"innerunique", "inner",     "leftouter", "rightouter", "fullouter",
                                         "leftsemi",    "rightsemi", "leftanti",  "rightanti"};

static const char *const window_names[] = {
#define KQ_WINDOW(kind, name, nargs, signature, doc) name,
#include "kql/window.def"
#undef KQ_WINDOW
};

enum { MAX_DEPTH = 2000, MAX_CELLS = 50 };

static void print_plan(const kq_plan *plan, unsigned indent, kq_buf *out);

static void pad(unsigned indent, kq_buf *out) {
    for (unsigned i = 0; i < indent; i++) kq_buf_str(out, "  ");
}

static void print_expr(const kq_expr *e, const kq_columns *in, unsigned depth, kq_buf *out) {
    if (depth > MAX_DEPTH) {
        kq_buf_str(out, "...");
        return;
    }
    switch (e->kind) {
    case KQ_EXPR_COLUMN:
        if (in && e->column < in->n)
            kq_buf_sv(out, in->items[e->column].name);
        else
            kq_buf_printf(out, "$%u", e->column);
        break;
    case KQ_EXPR_CONST: kq_value_literal(&e->value, out); break;
    case KQ_EXPR_CALL:
        kq_buf_str(out, e->fn->name);
        kq_buf_char(out, '(');
        for (uint32_t i = 0; i < e->nargs; i++) {
            if (i) kq_buf_str(out, ", ");
            print_expr(e->args[i], in, depth + 1, out);
        }
        kq_buf_char(out, ')');
        break;
    case KQ_EXPR_SUBQUERY:
        kq_buf_str(out, e->list ? "list(\n" : "scalar(\n");
        print_plan(e->subquery, depth / 2 + 4, out);
        pad(depth / 2 + 3, out);
        kq_buf_char(out, ')');
        break;
    }
}

static void print_exprs(kq_expr *const *e, uint32_t n, const kq_columns *in, kq_buf *out) {
    for (uint32_t i = 0; i < n; i++) {
        if (i) kq_buf_str(out, ", ");
        print_expr(e[i], in, 0, out);
    }
}

static void print_columns(const kq_columns *c, kq_buf *out) {
    kq_buf_str(out, "  (");
    for (uint32_t i = 0; i < c->n; i++) {
        if (i) kq_buf_str(out, ", ");
        kq_buf_sv(out, c->items[i].name);
        kq_buf_char(out, ':');
        kq_buf_str(out, kq_type_name(c->items[i].type));
    }
    kq_buf_str(out, ")\n");
}

static void print_keys(const kq_plan *p, const kq_columns *in, kq_buf *out) {
    for (uint32_t i = 0; i < p->u.order.nkeys; i++) {
        const kq_sort_key *k = &p->u.order.keys[i];
        kq_buf_str(out, i ? ", " : " ");
        print_expr(k->expr, in, 0, out);
        kq_buf_str(out, k->descending ? " desc" : " asc");
        kq_buf_str(out, k->nulls_first ? " nulls first" : " nulls last");
    }
}

static void print_predicate(const kq_plan *p, const kq_predicate *pred, kq_buf *out) {
    kq_buf_str(out, " [");
    if (pred->kind == KQ_PREDICATE_TEXT)
        kq_buf_str(out, "text ");
    else
        kq_buf_str(out, "range ");
    for (uint32_t i = 0; i < p->out.n; i++)
        if (p->u.scan.columns[i] == pred->column) kq_buf_sv(out, p->out.items[i].name);
    if (pred->has_low) {
        kq_buf_str(out, pred->low_open ? " > " : " >= ");
        kq_value_literal(&pred->low, out);
    }
    if (pred->has_high) {
        kq_buf_str(out, pred->high_open ? " < " : " <= ");
        kq_value_literal(&pred->high, out);
    }
    kq_buf_char(out, ']');
}

static void print_aggregate(const kq_plan *p, const kq_columns *in, kq_buf *out) {
    for (uint32_t i = 0; i < p->u.aggregate.naggs; i++) {
        const kq_agg_item *a = &p->u.aggregate.aggs[i];
        kq_buf_str(out, i ? ", " : " ");
        kq_buf_str(out, a->fn->name);
        kq_buf_char(out, '(');
        print_exprs(a->args, a->nargs, in, out);
        kq_buf_char(out, ')');
    }
    if (!p->u.aggregate.nby) return;
    kq_buf_str(out, " by ");
    print_exprs(p->u.aggregate.by, p->u.aggregate.nby, in, out);
}

static void print_join(const kq_plan *p, const kq_columns *in, kq_buf *out) {
    kq_buf_char(out, ' ');
    kq_buf_str(out, join_names[p->u.join.kind]);
    for (uint32_t i = 0; i < p->u.join.nkeys; i++) {
        kq_buf_str(out, i ? ", " : " on ");
        print_expr(p->u.join.left_keys[i], in, 0, out);
        kq_buf_str(out, " == ");
        print_expr(p->u.join.right_keys[i], p->u.join.right ? &p->u.join.right->out : NULL, 0, out);
    }
}

static void print_parse(const kq_plan *p, const kq_columns *in, kq_buf *out) {
    kq_buf_str(out, p->u.parse.where ? " where" : "");
    kq_buf_str(out, p->u.parse.regex ? " regex" : p->u.parse.relaxed ? " relaxed" : "");
    kq_buf_char(out, ' ');
    print_expr(p->u.parse.source, in, 0, out);
    kq_buf_str(out, " with");
    for (uint32_t i = 0; i < p->u.parse.nsteps; i++) {
        const kq_parse_step *s = &p->u.parse.steps[i];
        kq_buf_char(out, ' ');
        if (s->star) {
            kq_buf_char(out, '*');
        } else if (s->capture) {
            kq_buf_sv(out, p->out.items[s->column].name);
        } else {
            kq_value v = kq_value_sv(s->text);
            kq_value_literal(&v, out);
        }
    }
}

static void print_detail(const kq_plan *p, const kq_columns *in, kq_buf *out) {
    switch (p->kind) {
    case KQ_PLAN_SCAN:
        kq_buf_char(out, ' ');
        kq_buf_sv(out, p->u.scan.table);
        for (uint32_t i = 0; i < p->u.scan.npredicates; i++) print_predicate(p, &p->u.scan.predicates[i], out);
        break;
    case KQ_PLAN_VALUES: {
        uint32_t cells = p->u.values.rows * p->out.n;
        kq_buf_printf(out, " %u rows: ", p->u.values.rows);
        print_exprs(p->u.values.cells, cells > MAX_CELLS ? MAX_CELLS : cells, NULL, out);
        if (cells > MAX_CELLS) kq_buf_str(out, ", ...");
        break;
    }
    case KQ_PLAN_RANGE:
        kq_buf_str(out, " from ");
        print_expr(p->u.range.from, NULL, 0, out);
        kq_buf_str(out, " to ");
        print_expr(p->u.range.to, NULL, 0, out);
        kq_buf_str(out, " step ");
        print_expr(p->u.range.step, NULL, 0, out);
        break;
    case KQ_PLAN_FILTER:
        kq_buf_char(out, ' ');
        print_expr(p->u.filter.predicate, in, 0, out);
        break;
    case KQ_PLAN_PROJECT:
        kq_buf_char(out, ' ');
        print_exprs(p->u.project.exprs, p->out.n, in, out);
        break;
    case KQ_PLAN_AGGREGATE: print_aggregate(p, in, out); break;
    case KQ_PLAN_SORT:
    case KQ_PLAN_TOP:
    case KQ_PLAN_TAKE:
        if (p->kind != KQ_PLAN_SORT) {
            kq_buf_char(out, ' ');
            print_expr(p->u.order.count, NULL, 0, out);
        }
        print_keys(p, in, out);
        break;
    case KQ_PLAN_JOIN: print_join(p, in, out); break;
    case KQ_PLAN_EXPAND:
        for (uint32_t i = 0; i < p->u.expand.n; i++) {
            kq_buf_str(out, i ? ", " : " ");
            kq_buf_sv(out, in->items[p->u.expand.columns[i]].name);
            kq_buf_printf(out, " to %s", kq_type_name(p->u.expand.to[i]));
        }
        break;
    case KQ_PLAN_PARSE: print_parse(p, in, out); break;
    case KQ_PLAN_SERIES:
        kq_buf_printf(out, " %s(", window_names[p->u.series.kind]);
        for (uint32_t i = 0; i < p->u.series.nargs && p->u.series.args[i]; i++) {
            if (i) kq_buf_str(out, ", ");
            print_expr(p->u.series.args[i], in, 0, out);
        }
        kq_buf_char(out, ')');
        break;
    default: break;
    }
}

static void print_plan(const kq_plan *plan, unsigned indent, kq_buf *out) {
    for (; plan && indent < MAX_DEPTH; plan = plan->input, indent++) {
        const kq_columns *in = plan->input ? &plan->input->out : NULL;
        pad(indent, out);
        kq_buf_str(out, plan_names[plan->kind]);
        print_detail(plan, in, out);
        print_columns(&plan->out, out);
        if (plan->kind == KQ_PLAN_UNION)
            for (uint32_t i = 0; i < plan->u.unions.n; i++) print_plan(plan->u.unions.inputs[i], indent + 1, out);
        if (plan->kind == KQ_PLAN_JOIN) print_plan(plan->u.join.right, indent + 1, out);
    }
}

void kq_plan_print(const kq_plan *plan, kq_buf *out) {
    print_plan(plan, 0, out);
}

/* ---- where a column comes from ---- */

#define ORIGIN_MAX 4096 /* bytes: a plan whose nodes are shared can have more paths than anybody reads */

static void origin_list(const kq_plan *p, uint32_t column, kq_buf *out, unsigned depth);

static void origin_args(const kq_plan *input, const kq_expr *e, kq_buf *out, unsigned depth) {
    for (uint32_t i = 0; i < e->nargs; i++) {
        const kq_expr *a = e->args[i];
        if (a->kind == KQ_EXPR_COLUMN) origin_list(input, a->column, out, depth);
        if (a->kind == KQ_EXPR_CALL) origin_args(input, a, out, depth);
    }
}

/* Is `part` one of the parts already? */
static bool has_part(kq_sv have, kq_sv part) {
    for (size_t i = 0; i + part.n <= have.n; i++) {
        if (memcmp(have.p + i, part.p, part.n) != 0 || (i && have.p[i - 1] != ' ')) continue;
        char next = i + part.n < have.n ? have.p[i + part.n] : ';';
        if (next == ';' || next == ',') return true;
    }
    return false;
}

static void origin_part(kq_buf *out, const char *separator, kq_sv part) {
    if (!part.n || has_part(kq_buf_view(out), part)) return;
    if (out->n) kq_buf_str(out, separator);
    kq_buf_sv(out, part);
}

static void origin_expr(const kq_plan *input, const kq_expr *e, kq_buf *out, const char *separator, unsigned depth) {
    kq_buf part;
    kq_buf_init(&part, NULL, 2 * ORIGIN_MAX);
    if (e->kind == KQ_EXPR_CONST && e->type == KQ_STRING && !e->value.null && e->value.u.s.len) {
        kq_buf_printf(&part, "'" KQ_SV_FMT "'", KQ_SV_ARG(kq_str_view(&e->value.u.s)));
    } else if (e->kind == KQ_EXPR_CALL) {
        kq_buf inner;
        kq_buf_init(&inner, NULL, 2 * ORIGIN_MAX);
        origin_args(input, e, &inner, depth);
        if (inner.n && separator[0] == ';') kq_buf_str(&part, "computed from ");
        kq_buf_sv(&part, kq_buf_view(&inner));
        kq_buf_deinit(&inner);
    }
    origin_part(out, separator, kq_buf_view(&part));
    kq_buf_deinit(&part);
}

static void origin(const kq_plan *p, uint32_t column, kq_buf *out, const char *separator, unsigned depth) {
    while (p && depth < 1000 && out->n < ORIGIN_MAX && column < p->out.n) {
        depth++;
        switch (p->kind) {
        case KQ_PLAN_SCAN: {
            kq_buf part;
            kq_buf_init(&part, NULL, ORIGIN_MAX);
            kq_buf_printf(&part, KQ_SV_FMT "." KQ_SV_FMT, KQ_SV_ARG(p->u.scan.table),
                          KQ_SV_ARG(p->out.items[column].name));
            origin_part(out, separator, kq_buf_view(&part));
            kq_buf_deinit(&part);
            return;
        }
        case KQ_PLAN_PROJECT: {
            const kq_expr *e = p->u.project.exprs[column];
            if (e->kind != KQ_EXPR_COLUMN) {
                origin_expr(p->input, e, out, separator, depth);
                return;
            }
            column = e->column;
            p = p->input;
            break;
        }
        case KQ_PLAN_UNION:
            for (uint32_t i = 0; i < p->u.unions.n; i++) origin(p->u.unions.inputs[i], column, out, separator, depth);
            return;
        case KQ_PLAN_JOIN:
            if (column >= p->input->out.n) {
                column -= p->input->out.n;
                p = p->u.join.right;
                break;
            }
            /* fall through */
        case KQ_PLAN_FILTER:
        case KQ_PLAN_SORT:
        case KQ_PLAN_TOP:
        case KQ_PLAN_TAKE:
        case KQ_PLAN_MATERIALIZE: p = p->input; break;
        default: return;
        }
    }
}

static void origin_list(const kq_plan *p, uint32_t column, kq_buf *out, unsigned depth) {
    origin(p, column, out, ", ", depth);
}

void kq_plan_origin(const kq_plan *plan, uint32_t column, kq_buf *out) {
    origin(plan, column, out, "; ", 0);
}
