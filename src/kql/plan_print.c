/* The plan as text: one line per operator, its input below it, indented. What several others refer to is printed once.
 */
#include "kql/plan_met.h"

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

typedef struct printing {
    kq_buf *out;
    kq_plan_met met;
} printing;

static void print_plan(printing *pr, const kq_plan *plan, unsigned indent);

static void pad(unsigned indent, kq_buf *out) {
    for (unsigned i = 0; i < indent; i++) kq_buf_str(out, "  ");
}

static void print_expr(printing *pr, const kq_expr *e, const kq_columns *in, unsigned depth) {
    kq_buf *out = pr->out;
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
            print_expr(pr, e->args[i], in, depth + 1);
        }
        kq_buf_char(out, ')');
        break;
    case KQ_EXPR_SUBQUERY:
        kq_buf_str(out, e->list ? "list(\n" : "scalar(\n");
        if (e->subquery->kind == KQ_PLAN_MATERIALIZE || kq_plan_first(&pr->met, e->subquery)) {
            print_plan(pr, e->subquery, depth / 2 + 4);
        } else {
            pad(depth / 2 + 4, out);
            kq_buf_printf(out, "as #%u\n", kq_plan_nth(&pr->met, e->subquery));
        }
        pad(depth / 2 + 3, out);
        kq_buf_char(out, ')');
        break;
    }
}

static void print_exprs(printing *pr, kq_expr *const *e, uint32_t n, const kq_columns *in) {
    kq_buf *out = pr->out;
    for (uint32_t i = 0; i < n; i++) {
        if (i) kq_buf_str(out, ", ");
        print_expr(pr, e[i], in, 0);
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

static void print_keys(printing *pr, const kq_plan *p, const kq_columns *in) {
    kq_buf *out = pr->out;
    for (uint32_t i = 0; i < p->u.order.nkeys; i++) {
        const kq_sort_key *k = &p->u.order.keys[i];
        kq_buf_str(out, i ? ", " : " ");
        print_expr(pr, k->expr, in, 0);
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

static void print_aggregate(printing *pr, const kq_plan *p, const kq_columns *in) {
    kq_buf *out = pr->out;
    for (uint32_t i = 0; i < p->u.aggregate.naggs; i++) {
        const kq_agg_item *a = &p->u.aggregate.aggs[i];
        kq_buf_str(out, i ? ", " : " ");
        kq_buf_str(out, a->fn->name);
        kq_buf_char(out, '(');
        print_exprs(pr, a->args, a->nargs, in);
        kq_buf_char(out, ')');
    }
    if (!p->u.aggregate.nby) return;
    kq_buf_str(out, " by ");
    print_exprs(pr, p->u.aggregate.by, p->u.aggregate.nby, in);
}

static void print_join(printing *pr, const kq_plan *p, const kq_columns *in) {
    kq_buf *out = pr->out;
    kq_buf_char(out, ' ');
    kq_buf_str(out, join_names[p->u.join.kind]);
    for (uint32_t i = 0; i < p->u.join.nkeys; i++) {
        kq_buf_str(out, i ? ", " : " on ");
        print_expr(pr, p->u.join.left_keys[i], in, 0);
        kq_buf_str(out, " == ");
        print_expr(pr, p->u.join.right_keys[i], p->u.join.right ? &p->u.join.right->out : NULL, 0);
    }
}

static void print_parse(printing *pr, const kq_plan *p, const kq_columns *in) {
    kq_buf *out = pr->out;
    kq_buf_str(out, p->u.parse.where ? " where" : "");
    kq_buf_str(out, p->u.parse.regex ? " regex" : p->u.parse.relaxed ? " relaxed" : "");
    kq_buf_char(out, ' ');
    print_expr(pr, p->u.parse.source, in, 0);
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

static void print_detail(printing *pr, const kq_plan *p, const kq_columns *in) {
    kq_buf *out = pr->out;
    switch (p->kind) {
    case KQ_PLAN_SCAN:
        kq_buf_char(out, ' ');
        kq_buf_sv(out, p->u.scan.table);
        for (uint32_t i = 0; i < p->u.scan.npredicates; i++) print_predicate(p, &p->u.scan.predicates[i], out);
        break;
    case KQ_PLAN_VALUES: {
        uint32_t cells = p->u.values.rows * p->out.n;
        kq_buf_printf(out, " %u rows: ", p->u.values.rows);
        print_exprs(pr, p->u.values.cells, cells > MAX_CELLS ? MAX_CELLS : cells, NULL);
        if (cells > MAX_CELLS) kq_buf_str(out, ", ...");
        break;
    }
    case KQ_PLAN_RANGE:
        kq_buf_str(out, " from ");
        print_expr(pr, p->u.range.from, NULL, 0);
        kq_buf_str(out, " to ");
        print_expr(pr, p->u.range.to, NULL, 0);
        kq_buf_str(out, " step ");
        print_expr(pr, p->u.range.step, NULL, 0);
        break;
    case KQ_PLAN_FILTER:
        kq_buf_char(out, ' ');
        print_expr(pr, p->u.filter.predicate, in, 0);
        break;
    case KQ_PLAN_PROJECT:
        kq_buf_char(out, ' ');
        print_exprs(pr, p->u.project.exprs, p->out.n, in);
        break;
    case KQ_PLAN_AGGREGATE: print_aggregate(pr, p, in); break;
    case KQ_PLAN_SORT:
    case KQ_PLAN_TOP:
    case KQ_PLAN_TAKE:
        if (p->kind != KQ_PLAN_SORT) {
            kq_buf_char(out, ' ');
            print_expr(pr, p->u.order.count, NULL, 0);
        }
        print_keys(pr, p, in);
        break;
    case KQ_PLAN_JOIN: print_join(pr, p, in); break;
    case KQ_PLAN_EXPAND:
        for (uint32_t i = 0; i < p->u.expand.n; i++) {
            kq_buf_str(out, i ? ", " : " ");
            kq_buf_sv(out, in->items[p->u.expand.columns[i]].name);
            kq_buf_printf(out, " to %s", kq_type_name(p->u.expand.to[i]));
        }
        break;
    case KQ_PLAN_PARSE: print_parse(pr, p, in); break;
    case KQ_PLAN_SERIES:
        kq_buf_printf(out, " %s(", window_names[p->u.series.kind]);
        for (uint32_t i = 0; i < p->u.series.nargs && p->u.series.args[i]; i++) {
            if (i) kq_buf_str(out, ", ");
            print_expr(pr, p->u.series.args[i], in, 0);
        }
        kq_buf_char(out, ')');
        break;
    default: break;
    }
}

static void print_plan(printing *pr, const kq_plan *plan, unsigned indent) {
    kq_buf *out = pr->out;
    for (; plan && indent < MAX_DEPTH; plan = plan->input, indent++) {
        const kq_columns *in = plan->input ? &plan->input->out : NULL;
        bool enter = kq_plan_enter(&pr->met, plan);
        pad(indent, out);
        kq_buf_str(out, plan_names[plan->kind]);
        uint32_t nth = kq_plan_nth(&pr->met, plan);
        if (nth) kq_buf_printf(out, enter ? " #%u" : " as #%u", nth);
        print_detail(pr, plan, in);
        print_columns(&plan->out, out);
        if (!enter) return;
        if (plan->kind == KQ_PLAN_UNION)
            for (uint32_t i = 0; i < plan->u.unions.n; i++) print_plan(pr, plan->u.unions.inputs[i], indent + 1);
        if (plan->kind == KQ_PLAN_JOIN) print_plan(pr, plan->u.join.right, indent + 1);
    }
}

void kq_plan_print(const kq_plan *plan, kq_buf *out) {
    kq_arena arena;
    kq_arena_init(&arena, out->budget, 0);
    printing pr = {out, {.arena = &arena}};
    print_plan(&pr, plan, 0);
    if (pr.met.failed && !out->failed) out->failed = KQ_ERR_NOMEM;
    kq_arena_deinit(&arena);
}

/* ---- where a column comes from ---- */

#define ORIGIN_MAX 4096 /* bytes: a plan whose nodes are shared can have more paths than anybody reads */

/* A list of parts that is being made. Each column of a node is looked at once for it: what it gave is there. */
typedef struct parts {
    kq_buf *out;
    kq_plan_met met;
    bool legs; /* of a union, or else what an expression is computed from */
} parts;

static void origin(parts *l, const kq_plan *p, uint32_t column, unsigned depth);

static void origin_args(parts *l, const kq_plan *input, const kq_expr *e, unsigned depth) {
    for (uint32_t i = 0; i < e->nargs; i++) {
        const kq_expr *a = e->args[i];
        if (a->kind == KQ_EXPR_COLUMN) origin(l, input, a->column, depth);
        if (a->kind == KQ_EXPR_CALL) origin_args(l, input, a, depth);
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

static void origin_part(const parts *l, kq_sv part) {
    if (!part.n || has_part(kq_buf_view(l->out), part)) return;
    if (l->out->n) kq_buf_str(l->out, l->legs ? "; " : ", ");
    kq_buf_sv(l->out, part);
}

static void origin_computed(parts *l, const kq_plan *input, const kq_expr *e, unsigned depth) {
    if (!l->legs) {
        origin_args(l, input, e, depth);
        return;
    }
    static const char from[] = "computed from ";
    kq_buf part, list;
    kq_buf_init(&part, l->out->budget, 2 * ORIGIN_MAX + sizeof from);
    kq_buf_init(&list, l->out->budget, 2 * ORIGIN_MAX);
    kq_arena_mark before = kq_arena_here(l->met.arena);
    parts inner = {&list, {.arena = l->met.arena}, false};
    origin_args(&inner, input, e, depth);
    kq_arena_back(l->met.arena, before);
    l->met.failed |= inner.met.failed;
    if (list.n) kq_buf_str(&part, from);
    kq_buf_sv(&part, kq_buf_view(&list));
    origin_part(l, kq_buf_view(&part));
    kq_buf_deinit(&list);
    kq_buf_deinit(&part);
}

static void origin(parts *l, const kq_plan *p, uint32_t column, unsigned depth) {
    while (p && depth < 1000 && l->out->n < ORIGIN_MAX && column < p->out.n) {
        if (!kq_plan_first_column(&l->met, p, column)) return;
        depth++;
        switch (p->kind) {
        case KQ_PLAN_SCAN: {
            kq_buf part;
            kq_buf_init(&part, l->out->budget, ORIGIN_MAX);
            if (p->u.scan.columns[column] < p->u.scan.shown)
                kq_buf_printf(&part, KQ_SV_FMT "." KQ_SV_FMT, KQ_SV_ARG(p->u.scan.table),
                              KQ_SV_ARG(p->out.items[column].name));
            else
                kq_buf_printf(&part, "the event behind " KQ_SV_FMT, KQ_SV_ARG(p->u.scan.table));
            origin_part(l, kq_buf_view(&part));
            kq_buf_deinit(&part);
            return;
        }
        case KQ_PLAN_PROJECT: {
            const kq_expr *e = p->u.project.exprs[column];
            if (e->kind == KQ_EXPR_CALL) origin_computed(l, p->input, e, depth);
            if (e->kind == KQ_EXPR_CONST && e->type == KQ_STRING && !e->value.null && e->value.u.s.len) {
                kq_buf part;
                kq_buf_init(&part, l->out->budget, 2 * ORIGIN_MAX);
                kq_buf_printf(&part, "'" KQ_SV_FMT "'", KQ_SV_ARG(kq_str_view(&e->value.u.s)));
                origin_part(l, kq_buf_view(&part));
                kq_buf_deinit(&part);
            }
            if (e->kind != KQ_EXPR_COLUMN) return;
            column = e->column;
            p = p->input;
            break;
        }
        case KQ_PLAN_UNION:
            for (uint32_t i = 0; i < p->u.unions.n; i++) origin(l, p->u.unions.inputs[i], column, depth);
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

void kq_plan_origin(const kq_plan *plan, uint32_t column, kq_buf *out) {
    kq_arena arena;
    kq_arena_init(&arena, out->budget, 16u << 10);
    parts legs = {out, {.arena = &arena}, true};
    origin(&legs, plan, column, 0);
    if (legs.met.failed && !out->failed) out->failed = KQ_ERR_NOMEM;
    kq_arena_deinit(&arena);
}
