#include "kql/reach.h"
#include "column/dynamic.h"

#define DEPTH_MAX  3000
#define VISITS_MAX 20000 /* operators; a plan may have one of them many times */
#define LEGS_MAX   256   /* of an operator; more are taken as one of which nothing is known */
#define ENDED_MAX  64
#define EXPRS_MAX  2000000 /* parts of expressions; those beyond are not known */
#define PICKED_MAX 3       /* columns of an expression that can be several values; with more it is not known */
#define VALUES_MAX 256     /* of a column, and ways to choose one for each column of an expression */

/* A column of an expression and which of its values is tried. */
typedef struct picked {
    uint32_t column, at, n;
} picked;

/* A subquery whose rows a filter looks for a value in. */
typedef struct list {
    const kq_plan *plan;
    kq_legs legs;
    bool missed; /* the condition at hand can't hold because it has no row */
    struct list *next;
} list;

typedef struct walk {
    const kq_reach *reach;
    kq_arena *arena;
    kq_cleanup *cleanups;
    unsigned visits, exprs;
    list *lists;
    picked picked[PICKED_MAX];
    uint32_t npicked;
    kq_error *err;
} walk;

static kq_status out_of_memory(const walk *w) {
    kq_status status = kq_arena_status(w->arena, w->err);
    return status ? status : kq_nomem(w->err);
}

/* A leg with the origin of `of`; NULL: of none. */
static kq_status add_leg(const walk *w, kq_leg ***tail, const kq_known *columns, const kq_leg *of) {
    kq_leg *leg = kq_arena_new(w->arena, kq_leg);
    if (!leg) return out_of_memory(w);
    *leg = (kq_leg){.columns = columns, .from = of ? of->from : NULL, .also = of ? of->also : NULL};
    **tail = leg;
    *tail = &leg->next;
    return KQ_OK;
}

/* One leg of which nothing is known. */
static kq_status any_rows(const walk *w, const kq_plan *p, kq_leg **out) {
    kq_known *columns = kq_arena_array(w->arena, kq_known, p->out.n + 1);
    if (!columns) return out_of_memory(w);
    *out = NULL;
    return add_leg(w, &out, columns, NULL);
}

static size_t count(const kq_leg *l) {
    size_t n = 0;
    for (; l; l = l->next) n++;
    return n;
}

static kq_status add_ended(const walk *w, kq_ended **list, const void *why, kq_span at) {
    kq_ended *e = why ? kq_arena_new(w->arena, kq_ended) : NULL;
    if (!why) return KQ_OK;
    if (!e) return out_of_memory(w);
    *e = (kq_ended){.why = why, .at = at};
    for (unsigned n = 0; *list; list = &(*list)->next)
        if (++n == ENDED_MAX) return KQ_OK;
    *list = e;
    return KQ_OK;
}

static kq_status add_all_ended(const walk *w, kq_ended **list, const kq_ended *more) {
    for (; more; more = more->next) KQ_TRY(add_ended(w, list, more->why, more->at));
    return KQ_OK;
}

/* A copy of an expression with the known columns of a leg put in and folded. *why: of the first of them that has one.
 * NULL without memory. */
static kq_expr *put_in(walk *w, const kq_expr *e, const kq_known *known, unsigned depth, const void **why) {
    kq_expr *copy = kq_arena_new(w->arena, kq_expr);
    if (!copy) return NULL;
    *copy = *e;
    if (e->kind == KQ_EXPR_COLUMN && known[e->column].n) {
        uint32_t at = known[e->column].n == 1 ? 0 : UINT32_MAX;
        for (uint32_t i = 0; i < w->npicked; i++)
            if (w->picked[i].column == e->column) at = w->picked[i].at;
        if (at == UINT32_MAX) return copy;
        copy->kind = KQ_EXPR_CONST;
        copy->value = known[e->column].values[at];
        if (!*why) *why = known[e->column].why;
    }
    if (e->kind != KQ_EXPR_CALL || depth > DEPTH_MAX || w->exprs++ > EXPRS_MAX) return copy;
    copy->args = kq_arena_array(w->arena, kq_expr *, e->nargs + 1);
    if (!copy->args) return NULL;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!(copy->args[i] = put_in(w, e->args[i], known, depth + 1, why))) return NULL;
    kq_error unused;
    kq_status status = kq_fold_call(copy, w->arena, &w->cleanups, &unused);
    if (status == KQ_ERR_NOMEM || status == KQ_ERR_LIMIT) return NULL;
    return copy; /* what a function refuses is not known */
}

/* Notes the columns of an expression that can be several values, each at its first. False: they are too many. */
static bool pick(walk *w, const kq_expr *e, const kq_known *known, unsigned depth) {
    if (e->kind == KQ_EXPR_COLUMN && known[e->column].n > 1) {
        for (uint32_t i = 0; i < w->npicked; i++)
            if (w->picked[i].column == e->column) return true;
        if (w->npicked == PICKED_MAX) return false;
        w->picked[w->npicked++] = (picked){e->column, 0, known[e->column].n};
    }
    if (e->kind != KQ_EXPR_CALL || depth > DEPTH_MAX || w->exprs++ > EXPRS_MAX) return e->kind != KQ_EXPR_CALL;
    for (uint32_t i = 0; i < e->nargs; i++)
        if (!pick(w, e->args[i], known, depth + 1)) return false;
    return true;
}

/* The columns at their first values; none of them, which leaves them unknown, when there are too many ways. */
static void pick_all(walk *w, const kq_expr *e, const kq_known *known) {
    size_t ways = 1;
    w->npicked = 0;
    bool all = pick(w, e, known, 0);
    for (uint32_t i = 0; all && i < w->npicked; i++) all = (ways *= w->picked[i].n) <= VALUES_MAX;
    if (!all) w->npicked = 0;
}

/* The next way to choose values; false after the last. */
static bool pick_next(walk *w) {
    for (uint32_t i = 0; i < w->npicked; i++) {
        if (++w->picked[i].at < w->picked[i].n) return true;
        w->picked[i].at = 0;
    }
    return false;
}

static bool is_and(const kq_expr *e) {
    return e->kind == KQ_EXPR_CALL && e->nargs == 2 && strcmp(e->fn->name, "and") == 0;
}

static bool is_call(const kq_expr *e, const char *name, uint32_t nargs) {
    return e->kind == KQ_EXPR_CALL && e->nargs == nargs && strcmp(e->fn->name, name) == 0;
}

/* What is asked of a column's text by one operator. */
typedef struct asked {
    const kq_text_op *op;
    bool ci;
    const void *column; /* kq_known.why */
} asked;

static bool needle_can(const walk *w, const asked *a, kq_sv needle, const void **why) {
    return !needle.n || w->reach->can(w->reach->ctx, a->column, a->op, a->ci, needle, why);
}

/* Can the text have what a constant says: a text, or an array of texts? */
static bool constant_can(const walk *w, const asked *a, const kq_expr *e, const void **why) {
    if (e->kind != KQ_EXPR_CONST || e->value.null) return true;
    if (e->value.type == KQ_STRING) return needle_can(w, a, kq_str_view(&e->value.u.s), why);
    kq_dyn d = e->value.type == KQ_DYNAMIC ? kq_str_view(&e->value.u.s) : KQ_SV("");
    if (!d.n || kq_dyn_tag_of(d) != KQ_DYN_ARRAY || !kq_dyn_count(d)) return true;
    for (uint32_t i = 0; i < kq_dyn_count(d); i++) {
        kq_dyn item = kq_dyn_element(d, i);
        bool can = kq_dyn_tag_of(item) != KQ_DYN_STRING || needle_can(w, a, kq_dyn_string(item), why);
        if (can != a->op->all) return can;
    }
    return a->op->all;
}

/* The column whose text is asked, as it is or in one case; NULL: there is none that can be asked. */
static const void *column_of(const kq_expr *e, const kq_known *known, bool *ci) {
    if (is_call(e, "tolower", 1) || is_call(e, "toupper", 1)) {
        *ci = true;
        e = e->args[0];
    }
    bool asks = e->kind == KQ_EXPR_COLUMN && e->type == KQ_STRING && !known[e->column].n;
    return asks ? known[e->column].why : NULL;
}

/* A subquery that gives no row, whatever is read. */
static bool gives_none(const walk *w, const kq_expr *e) {
    if (e->kind != KQ_EXPR_SUBQUERY) return false;
    for (list *l = w->lists; l; l = l->next)
        if (l->plan == e->subquery && !l->legs.legs) return l->missed = true;
    return false;
}

/* Can a predicate hold that is not known after folding? Only what says so for certain can't. */
static bool may_hold(const walk *w, const kq_expr *e, const kq_known *known, unsigned depth, const void **why) {
    if (e->kind == KQ_EXPR_CONST) return !e->value.null && e->value.u.b;
    if (e->kind != KQ_EXPR_CALL || depth > DEPTH_MAX || e->nargs < 2) return true;
    if (is_and(e))
        return may_hold(w, e->args[0], known, depth + 1, why) && may_hold(w, e->args[1], known, depth + 1, why);
    if (is_call(e, "or", 2))
        return may_hold(w, e->args[0], known, depth + 1, why) || may_hold(w, e->args[1], known, depth + 1, why);
    asked a = {.op = kq_text_op_find(e->fn->name)};
    if (!a.op || (!a.op->list && e->nargs != 2)) return true;
    if (a.op->list && !a.op->all && e->nargs == 2 && gives_none(w, e->args[1])) return false;
    a.ci = a.op->ci;
    if ((a.column = column_of(e->args[0], known, &a.ci))) {
        for (uint32_t i = 1; i < e->nargs; i++) {
            bool can = constant_can(w, &a, e->args[i], why);
            if (can != a.op->all) return can;
        }
        return a.op->all;
    }
    bool flipped = a.op->op == KQ_MATCH_EQUALS && !a.op->list;
    if (!flipped || !(a.column = column_of(e->args[1], known, &a.ci))) return true;
    return constant_can(w, &a, e->args[0], why);
}

/* Can the predicate hold for the leg? Its conjuncts are asked one by one: the one that can't tells why, and where. */
static kq_status holds(walk *w, const kq_expr *e, const kq_known *known, unsigned depth, bool *out, const void **why,
                       kq_span *at) {
    if (is_and(e) && depth < DEPTH_MAX) {
        KQ_TRY(holds(w, e->args[0], known, depth + 1, out, why, at));
        return *out ? holds(w, e->args[1], known, depth + 1, out, why, at) : KQ_OK;
    }
    *at = e->span;
    *why = NULL;
    for (list *l = w->lists; l; l = l->next) l->missed = false;
    pick_all(w, e, known);
    do {
        const kq_expr *now = put_in(w, e, known, 0, why);
        if (!now) return out_of_memory(w);
        *out = may_hold(w, now, known, 0, why);
    } while (!*out && pick_next(w));
    w->npicked = 0;
    return KQ_OK;
}

/* Tells the known columns of an expression. */
static void ask(walk *w, const kq_expr *e, const kq_known *known, unsigned depth) {
    if (e->kind == KQ_EXPR_COLUMN && known[e->column].n && known[e->column].why)
        w->reach->ask(w->reach->ctx, known[e->column].why);
    if (e->kind != KQ_EXPR_CALL || depth > DEPTH_MAX || w->exprs++ > EXPRS_MAX) return;
    for (uint32_t i = 0; i < e->nargs; i++) ask(w, e->args[i], known, depth + 1);
}

static kq_status legs_of(walk *w, const kq_plan *p, unsigned depth, kq_legs *out);

/* Finds the legs of the subqueries in an expression, once for each. */
static kq_status find_lists(walk *w, const kq_expr *e, unsigned depth) {
    if (e->kind == KQ_EXPR_SUBQUERY && e->list) {
        for (const list *l = w->lists; l; l = l->next)
            if (l->plan == e->subquery) return KQ_OK;
        list *l = kq_arena_new(w->arena, list);
        if (!l) return out_of_memory(w);
        *l = (list){.plan = e->subquery};
        KQ_TRY(legs_of(w, e->subquery, depth + 1, &l->legs));
        if (w->reach->list) w->reach->list(w->reach->ctx, l->legs.legs);
        l->next = w->lists;
        w->lists = l;
    }
    if (e->kind != KQ_EXPR_CALL || depth > DEPTH_MAX || w->exprs++ > EXPRS_MAX) return KQ_OK;
    for (uint32_t i = 0; i < e->nargs; i++) KQ_TRY(find_lists(w, e->args[i], depth + 1));
    return KQ_OK;
}

/* The legs of a list that the predicate needs, whatever else it asks. */
static const kq_leg *needed(const walk *w, const kq_expr *e, unsigned depth) {
    if (is_and(e) && depth < DEPTH_MAX) {
        const kq_leg *left = needed(w, e->args[0], depth + 1);
        return left ? left : needed(w, e->args[1], depth + 1);
    }
    const kq_text_op *op = e->kind == KQ_EXPR_CALL && e->nargs == 2 ? kq_text_op_find(e->fn->name) : NULL;
    if (!op || !op->list || op->all || e->args[1]->kind != KQ_EXPR_SUBQUERY) return NULL;
    for (const list *l = w->lists; l; l = l->next)
        if (l->plan == e->args[1]->subquery) return l->legs.legs;
    return NULL;
}

static kq_status filter(walk *w, const kq_plan *p, const kq_legs *in, unsigned depth, kq_legs *out) {
    kq_leg **tail = &out->legs;
    KQ_TRY(find_lists(w, p->u.filter.predicate, depth));
    const kq_leg *also = needed(w, p->u.filter.predicate, 0);
    for (const kq_leg *l = in->legs; l; l = l->next) {
        const kq_leg both = {.from = l->from, .also = l->also ? l->also : also};
        bool stays = true;
        const void *why = NULL;
        kq_span at = p->span;
        if (w->reach->ask) {
            ask(w, p->u.filter.predicate, l->columns, 0);
            KQ_TRY(add_leg(w, &tail, l->columns, &both));
            continue;
        }
        KQ_TRY(holds(w, p->u.filter.predicate, l->columns, 0, &stays, &why, &at));
        if (stays) {
            KQ_TRY(add_leg(w, &tail, l->columns, &both));
            continue;
        }
        for (const list *of = w->lists; of; of = of->next)
            if (of->missed) KQ_TRY(add_all_ended(w, &out->ended, of->legs.ended));
        KQ_TRY(add_ended(w, &out->ended, why, at));
        if (why) w->reach->end(w->reach->ctx, why);
    }
    return KQ_OK;
}

static bool same(const kq_value *a, const kq_value *b) {
    if (a->type != b->type || a->null != b->null) return false;
    if (a->null) return true;
    if (a->type == KQ_STRING) return kq_sv_eq(kq_str_view(&a->u.s), kq_str_view(&b->u.s));
    return a->type == KQ_BOOL && a->u.b == b->u.b; /* of others a value may stand twice */
}

/* All that an expression of a leg's columns can be. */
static kq_status values_of(walk *w, const kq_expr *e, const kq_known *known, kq_known *out) {
    const void *why = NULL;
    size_t ways = 1;
    *out = (kq_known){0};
    if (e->kind == KQ_EXPR_COLUMN) {
        *out = known[e->column];
        return KQ_OK;
    }
    pick_all(w, e, known);
    for (uint32_t i = 0; i < w->npicked; i++) ways *= w->picked[i].n;
    kq_value *values = kq_arena_array(w->arena, kq_value, ways);
    if (!values) return out_of_memory(w);
    uint32_t n = 0;
    bool more = true;
    while (more) {
        const kq_expr *now = put_in(w, e, known, 0, &why);
        if (!now) return out_of_memory(w);
        if (now->kind != KQ_EXPR_CONST) break;
        bool there = false;
        for (uint32_t i = 0; i < n && !there; i++) there = same(&values[i], &now->value);
        if (!there) values[n++] = now->value;
        more = pick_next(w);
    }
    w->npicked = 0;
    if (!more) *out = (kq_known){values, n, why};
    return KQ_OK;
}

/* What expressions of a leg's columns are, in the first of `width` columns. */
static kq_status compute(walk *w, kq_expr **exprs, uint32_t n, uint32_t width, const kq_leg *l, kq_leg ***tail) {
    kq_known *columns = kq_arena_array(w->arena, kq_known, width + 1);
    if (!columns) return out_of_memory(w);
    for (uint32_t i = 0; i < n; i++) KQ_TRY(values_of(w, exprs[i], l->columns, &columns[i]));
    return add_leg(w, tail, columns, l);
}

/* A leg whose columns stand at `at` of `width`. */
static kq_status placed(walk *w, const kq_leg *l, uint32_t n, uint32_t at, uint32_t width, kq_leg ***tail) {
    kq_known *columns = kq_arena_array(w->arena, kq_known, width + 1);
    if (!columns) return out_of_memory(w);
    if (n) memcpy(columns + at, l->columns, n * sizeof *columns);
    return add_leg(w, tail, columns, l);
}

/* The input's legs of which the first `n` columns stay as they are, but for those in `changed`. */
static kq_status widened(walk *w, const kq_plan *p, const kq_legs *in, const uint32_t *changed, uint32_t nchanged,
                         kq_legs *out) {
    kq_leg **tail = &out->legs;
    for (const kq_leg *l = in->legs; l; l = l->next) {
        uint32_t n = p->input->out.n < p->out.n ? p->input->out.n : p->out.n;
        kq_known *columns = kq_arena_array(w->arena, kq_known, p->out.n + 1);
        if (!columns) return out_of_memory(w);
        if (n) memcpy(columns, l->columns, n * sizeof *columns);
        for (uint32_t i = 0; i < nchanged; i++)
            if (changed[i] < p->out.n) columns[changed[i]] = (kq_known){0};
        KQ_TRY(add_leg(w, &tail, columns, l));
    }
    return KQ_OK;
}

static kq_status parse(walk *w, const kq_plan *p, const kq_legs *in, kq_legs *out) {
    uint32_t *changed = kq_arena_array(w->arena, uint32_t, p->u.parse.nsteps + 1), n = 0;
    if (!changed) return out_of_memory(w);
    for (uint32_t i = 0; i < p->u.parse.nsteps; i++)
        if (p->u.parse.steps[i].capture) changed[n++] = p->u.parse.steps[i].column;
    return widened(w, p, in, changed, n, out);
}

static kq_status aggregate(walk *w, const kq_plan *p, const kq_legs *in, kq_legs *out) {
    kq_leg **tail = &out->legs;
    if (!p->u.aggregate.nby && p->u.aggregate.naggs) { /* a row even of nothing */
        out->of_nothing |= !in->legs;
        KQ_TRY(any_rows(w, p, &out->legs));
        if (in->legs) out->legs->from = in->legs->from;
        out->legs->also = in->legs; /* any of them is in it */
        return KQ_OK;
    }
    for (const kq_leg *l = in->legs; l; l = l->next)
        KQ_TRY(compute(w, p->u.aggregate.by, p->u.aggregate.nby, p->out.n, l, &tail));
    return KQ_OK;
}

/* Columns of a union's input that have one value which no scan gave. */
static kq_status made_itself(const walk *w, const kq_plan *p, const kq_plan *input, const kq_legs *in) {
    for (kq_leg *l = in->legs; l; l = l->next) {
        kq_known *columns = kq_arena_array(w->arena, kq_known, p->out.n + 1);
        if (!columns) return out_of_memory(w);
        if (p->out.n) memcpy(columns, l->columns, p->out.n * sizeof *columns);
        for (uint32_t c = 0; c < p->out.n; c++) {
            bool padded = input->kind == KQ_PLAN_PROJECT && input->u.project.exprs[c]->kind == KQ_EXPR_CONST;
            if (columns[c].n == 1 && !columns[c].why)
                columns[c].why =
                    w->reach->made(w->reach->ctx, l->from, p->span, p->out.items[c].name, columns[c].values, padded);
        }
        l->columns = columns;
    }
    return KQ_OK;
}

static kq_status all_inputs(walk *w, const kq_plan *p, unsigned depth, kq_legs *out) {
    kq_leg **tail = &out->legs;
    for (uint32_t i = 0; i < p->u.unions.n; i++) {
        kq_legs in;
        KQ_TRY(legs_of(w, p->u.unions.inputs[i], depth + 1, &in));
        if (w->reach->made) KQ_TRY(made_itself(w, p, p->u.unions.inputs[i], &in));
        *tail = in.legs;
        while (*tail) tail = &(*tail)->next;
        KQ_TRY(add_all_ended(w, &out->ended, in.ended));
    }
    return KQ_OK;
}

/* Every left leg with every right one. */
static kq_status pairs(walk *w, const kq_plan *p, const kq_legs *left, const kq_legs *right, kq_legs *out) {
    kq_leg **tail = &out->legs;
    uint32_t nleft = p->input->out.n, nright = p->u.join.right->out.n;
    if (count(left->legs) * count(right->legs) > LEGS_MAX) return any_rows(w, p, &out->legs);
    for (const kq_leg *l = left->legs; l; l = l->next)
        for (const kq_leg *r = right->legs; r; r = r->next) {
            kq_known *columns = kq_arena_array(w->arena, kq_known, p->out.n + 1);
            if (!columns) return out_of_memory(w);
            if (nleft + nright <= p->out.n) {
                if (nleft) memcpy(columns, l->columns, nleft * sizeof *columns);
                if (nright) memcpy(columns + nleft, r->columns, nright * sizeof *columns);
            }
            const kq_leg pair = {.from = l->from, .also = r};
            KQ_TRY(add_leg(w, &tail, columns, &pair));
        }
    return KQ_OK;
}

/* The legs of one side that need one of the other's. */
static kq_status semi(const walk *w, const kq_leg *legs, const kq_leg *other, kq_legs *out) {
    kq_leg **tail = &out->legs;
    for (const kq_leg *l = legs; l; l = l->next) {
        const kq_leg both = {.from = l->from, .also = other};
        KQ_TRY(add_leg(w, &tail, l->columns, &both));
    }
    return KQ_OK;
}

static kq_status join(walk *w, const kq_plan *p, unsigned depth, kq_legs *out) {
    kq_legs left, right;
    uint32_t nleft = p->input->out.n, nright = p->u.join.right->out.n, n = p->out.n;
    kq_join_kind kind = p->u.join.kind;
    KQ_TRY(legs_of(w, p->input, depth + 1, &left));
    KQ_TRY(legs_of(w, p->u.join.right, depth + 1, &right));
    if (kind == KQ_JOIN_LEFTANTI || kind == KQ_JOIN_RIGHTANTI) {
        *out = kind == KQ_JOIN_LEFTANTI ? left : right;
        return KQ_OK;
    }
    kq_leg **tail = &out->legs;
    if (kind == KQ_JOIN_LEFTOUTER || kind == KQ_JOIN_FULLOUTER) {
        for (const kq_leg *l = left.legs; l; l = l->next) KQ_TRY(placed(w, l, nleft, 0, n, &tail));
        KQ_TRY(add_all_ended(w, &out->ended, left.ended));
    }
    if (kind == KQ_JOIN_RIGHTOUTER || kind == KQ_JOIN_FULLOUTER) {
        for (const kq_leg *r = right.legs; r; r = r->next) KQ_TRY(placed(w, r, nright, n - nright, n, &tail));
        KQ_TRY(add_all_ended(w, &out->ended, right.ended));
    }
    if (kind == KQ_JOIN_LEFTOUTER || kind == KQ_JOIN_RIGHTOUTER || kind == KQ_JOIN_FULLOUTER) return KQ_OK;
    out->ended = left.legs && !right.legs ? right.ended : left.ended;
    if (!left.legs || !right.legs) return KQ_OK;
    if (kind == KQ_JOIN_LEFTSEMI || kind == KQ_JOIN_RIGHTSEMI) {
        bool is_left = kind == KQ_JOIN_LEFTSEMI;
        return semi(w, is_left ? left.legs : right.legs, is_left ? right.legs : left.legs, out);
    }
    return pairs(w, p, &left, &right, out);
}

static kq_status legs_of(walk *w, const kq_plan *p, unsigned depth, kq_legs *out) {
    kq_legs in = {0};
    *out = (kq_legs){0};
    if (depth > DEPTH_MAX || w->visits++ > VISITS_MAX) return any_rows(w, p, &out->legs);
    switch (p->kind) {
    case KQ_PLAN_SCAN: return w->reach->scan(w->reach->ctx, p, out, w->err);
    case KQ_PLAN_VALUES: return p->u.values.rows ? any_rows(w, p, &out->legs) : KQ_OK;
    case KQ_PLAN_RANGE: return any_rows(w, p, &out->legs);
    case KQ_PLAN_JOIN: KQ_TRY(join(w, p, depth, out)); break;
    case KQ_PLAN_UNION: KQ_TRY(all_inputs(w, p, depth, out)); break;
    default:
        KQ_TRY(legs_of(w, p->input, depth + 1, &in));
        out->ended = in.ended;
        out->of_nothing = in.of_nothing;
    }
    kq_leg **tail = &out->legs;
    switch (p->kind) {
    case KQ_PLAN_FILTER: KQ_TRY(filter(w, p, &in, depth, out)); break;
    case KQ_PLAN_PROJECT:
        for (const kq_leg *l = in.legs; l; l = l->next)
            KQ_TRY(compute(w, p->u.project.exprs, p->out.n, p->out.n, l, &tail));
        break;
    case KQ_PLAN_AGGREGATE: KQ_TRY(aggregate(w, p, &in, out)); break;
    case KQ_PLAN_EXPAND: KQ_TRY(widened(w, p, &in, p->u.expand.columns, p->u.expand.n, out)); break;
    case KQ_PLAN_PARSE: KQ_TRY(parse(w, p, &in, out)); break;
    case KQ_PLAN_SERIES: KQ_TRY(widened(w, p, &in, NULL, 0, out)); break;
    case KQ_PLAN_SORT:
    case KQ_PLAN_TOP:
    case KQ_PLAN_TAKE:
    case KQ_PLAN_MATERIALIZE: out->legs = in.legs; break;
    default: break;
    }
    return count(out->legs) > LEGS_MAX ? any_rows(w, p, &out->legs) : KQ_OK;
}

kq_status kq_reach_legs(const kq_reach *r, const kq_plan *plan, kq_legs *out, kq_error *err) {
    walk w = {.reach = r, .arena = r->arena, .err = err};
    kq_status status = legs_of(&w, plan, 0, out);
    kq_cleanup_run(&w.cleanups);
    return status;
}
