/*
 * evaluate: bag_unpack and pivot. The columns of their result are in the data; without a schema in the query a first
 * run over the input finds them, as in Kusto.
 */
#include "kql/bind.h"
#include <stdlib.h>

typedef struct plugin {
    kq_binder *b;
    const kq_scope *scope;
    const kq_node *call, *schema; /* LIST of COLUMN, or NULL */
    kq_plan *in;
    kq_span span;
} plugin;

/* A column that the data has, or the schema says. */
typedef struct slot {
    kq_sv name;
    kq_type type;
    bool used;
} slot;

static kq_node *ref(plugin *p, kq_sv name) {
    return kq_node_ref(p->b, p->span, name);
}
static kq_node *call1(plugin *p, const char *function, kq_node *arg) {
    return kq_node_call(p->b, p->span, function, 1, &arg);
}
static kq_node *text(plugin *p, kq_sv s) {
    return kq_node_literal(p->b, p->span, kq_value_sv(s));
}
static kq_node *named(plugin *p, kq_sv name, kq_node *value) {
    return kq_node_named(p->b, p->span, name, value);
}

static kq_status apply(plugin *p, const kq_node *op, kq_plan *in, kq_plan **out) {
    if (!op) return kq_bind_nomem(p->b);
    return kq_bind_operator(p->b, p->scope, op, in, out);
}

static kq_status run(plugin *p, const kq_plan *plan, kq_value **cells, size_t *rows) {
    if (!p->b->resolver->rows) {
        (void)kq_bind_fail(p->b, p->span, KQ_SV_FMT "() needs a schema here", KQ_SV_ARG(p->call->text));
        kq_error_hint(p->b->err, "write evaluate " KQ_SV_FMT "(...) : (name:type, ...)", KQ_SV_ARG(p->call->text));
        return KQ_ERR_QUERY;
    }
    KQ_TRY(kq_bind_at(p->b, p->b->resolver->rows(p->b->resolver->ctx, plan, p->b->arena, cells, rows, p->b->err),
                      p->span));
    if (*rows > KQ_BIND_COLUMNS)
        return kq_fail_at(p->b->err, KQ_ERR_LIMIT, p->span, KQ_SV_FMT "() would give more than %d columns",
                          KQ_SV_ARG(p->call->text), KQ_BIND_COLUMNS);
    return KQ_OK;
}

static int by_name(const void *a, const void *b) {
    return kq_sv_cmp(((const slot *)a)->name, ((const slot *)b)->name);
}

static kq_status project(plugin *p, kq_node *const *items, uint32_t n, kq_plan *in, kq_plan **out) {
    return apply(p, kq_node_make(p->b, p->span, KQ_NODE_PROJECT, KQ_SV(""), n, items), in, out);
}

/* The schema's columns as slots; *star: it begins with *. */
static kq_status schema_slots(plugin *p, slot **slots, uint32_t *n, bool *star) {
    *slots = kq_arena_array(p->b->arena, slot, p->schema->nkids + 1);
    if (!*slots) return kq_bind_nomem(p->b);
    for (uint32_t i = 0; i < p->schema->nkids; i++) {
        const kq_node *c = p->schema->kids[i];
        if (c->flags & KQ_DECL_ANY)
            *star = true;
        else
            (*slots)[(*n)++] = (slot){c->text, c->value.type, false};
    }
    return KQ_OK;
}

/* ---- bag_unpack */

typedef enum { CONFLICT_ERROR, CONFLICT_REPLACE, CONFLICT_KEEP } conflict_rule;

typedef struct unpack {
    uint32_t column; /* the bag's */
    kq_sv prefix;
    conflict_rule conflict;
    const kq_node *ignored; /* an array of names, or NULL */
} unpack;

static kq_status constant_text(plugin *p, const kq_node *node, kq_sv *out) {
    kq_expr *e;
    KQ_TRY(kq_bind_constant(p->b, p->scope, node, KQ_STRING, "this argument", &e));
    if (e->kind != KQ_EXPR_CONST) return kq_bind_fail(p->b, node->span, "this argument must be constant");
    *out = kq_arena_copy(p->b->arena, kq_str_view(&e->value.u.s));
    return out->p ? KQ_OK : kq_bind_nomem(p->b);
}

static kq_status unpack_arguments(plugin *p, unpack *u) {
    static const char *const names[] = {"Column", "OutputColumnPrefix", "columnsConflict", "ignoredProperties"};
    uint32_t place = 0;
    bool found = false;
    u->prefix = KQ_SV("");
    for (uint32_t i = 0; i < p->call->nkids; i++) {
        const kq_node *arg = p->call->kids[i];
        uint32_t k = place++;
        if (arg->kind == KQ_NODE_NAMED) {
            for (k = 0; k < 4 && !kq_sv_eq_ascii_ci(arg->text, kq_sv_of(names[k])); k++) {
            }
            arg = arg->kids[0];
        }
        kq_sv rule;
        switch (k) {
        case 0:
            if (arg->kind != KQ_NODE_NAME || !kq_row_find(&p->in->out, arg->text, &u->column))
                return kq_unknown_column(p->b, &p->in->out, arg->text, arg->span);
            if (p->in->out.items[u->column].type != KQ_DYNAMIC)
                return kq_bind_fail(p->b, arg->span, "bag_unpack() takes a dynamic column, not %s",
                                    kq_type_name(p->in->out.items[u->column].type));
            found = true;
            break;
        case 1: KQ_TRY(constant_text(p, arg, &u->prefix)); break;
        case 2:
            KQ_TRY(constant_text(p, arg, &rule));
            if (kq_sv_eq(rule, KQ_SV("replace_source")))
                u->conflict = CONFLICT_REPLACE;
            else if (kq_sv_eq(rule, KQ_SV("keep_source")))
                u->conflict = CONFLICT_KEEP;
            else if (!kq_sv_eq(rule, KQ_SV("error")))
                return kq_bind_fail(p->b, arg->span, "columnsConflict is error, replace_source or keep_source");
            break;
        case 3: u->ignored = arg; break;
        default: return kq_bind_fail(p->b, arg->span, "bag_unpack() does not take this argument");
        }
    }
    return found ? KQ_OK : kq_bind_fail(p->b, p->span, "bag_unpack() needs a column");
}

/* One row for each key and type of its values: project $d = bag | mv-expand $k = bag_keys($d) to typeof(string)
 * | summarize by $k, $t = gettype($d[$k]) */
static kq_status find_keys(plugin *p, const unpack *u, kq_value **cells, size_t *rows) {
    kq_binder *b = p->b;
    kq_sv d = KQ_SV("$d"), k = KQ_SV("$k");
    kq_plan *plan;
    kq_node *item = named(p, d, ref(p, p->in->out.items[u->column].name));
    KQ_TRY(project(p, &item, 1, p->in, &plan));
    kq_node *keys = named(p, k, call1(p, "bag_keys", ref(p, d)));
    kq_node *typed = kq_node_make(b, p->span, KQ_NODE_TO_TYPEOF, KQ_SV(""), 1, &keys);
    if (!typed) return kq_bind_nomem(b);
    typed->value.type = KQ_STRING;
    kq_node *parts[2] = {kq_node_list(b, p->span, 0, NULL), kq_node_list(b, p->span, 1, &typed)};
    KQ_TRY(apply(p, kq_node_make(b, p->span, KQ_NODE_MV_EXPAND, KQ_SV(""), 2, parts), plan, &plan));
    kq_node *member = kq_node_make(b, p->span, KQ_NODE_INDEX, KQ_SV(""), 2, (kq_node *[]){ref(p, d), ref(p, k)});
    kq_node *by[2] = {ref(p, k), named(p, KQ_SV("$t"), call1(p, "gettype", member))};
    KQ_TRY(apply(p, kq_node_summarize(b, p->span, NULL, 0, by, 2), plan, &plan));
    return run(p, plan, cells, rows);
}

static kq_status is_ignored(plugin *p, const unpack *u, kq_sv key, bool *out) {
    kq_expr *e;
    *out = false;
    if (!u->ignored) return KQ_OK;
    kq_node *name = text(p, key), *list = kq_node_list(p->b, p->span, 1, (kq_node *[]){(kq_node *)u->ignored});
    kq_node *test = kq_node_binary(p->b, p->span, "in", name, list);
    kq_row none = kq_row_of(p->b, NULL);
    if (!test) return kq_bind_nomem(p->b);
    KQ_TRY(kq_bind_expr(p->b, p->scope, &none, test, &e));
    *out = e->kind == KQ_EXPR_CONST && !e->value.null && e->value.u.b;
    return KQ_OK;
}

/* The keys of the data, sorted by name; of several types: dynamic. */
static kq_status data_slots(plugin *p, const unpack *u, slot **out, uint32_t *n) {
    kq_value *cells = NULL;
    size_t rows = 0;
    KQ_TRY(find_keys(p, u, &cells, &rows));
    slot *slots = *out = kq_arena_array(p->b->arena, slot, rows + 1);
    if (!slots) return kq_bind_nomem(p->b);
    uint32_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        kq_sv key = kq_str_view(&cells[2 * i].u.s), kind = kq_str_view(&cells[2 * i + 1].u.s);
        bool ignored;
        if (kq_sv_eq(kind, KQ_SV("null"))) continue;
        KQ_TRY(is_ignored(p, u, key, &ignored));
        if (ignored) continue;
        slots[count] = (slot){key, KQ_DYNAMIC, false};
        (void)kq_type_from_name(kind, &slots[count].type); /* array, dictionary: dynamic */
        count++;
    }
    qsort(slots, count, sizeof *slots, by_name);
    for (uint32_t i = 0; i < count; i++) {
        if (*n && kq_sv_eq(slots[*n - 1].name, slots[i].name))
            slots[*n - 1].type = KQ_DYNAMIC;
        else
            slots[(*n)++] = slots[i];
    }
    for (uint32_t i = 0; i < *n; i++) {
        slots[i].name =
            kq_arena_printf(p->b->arena, KQ_SV_FMT KQ_SV_FMT, KQ_SV_ARG(u->prefix), KQ_SV_ARG(slots[i].name));
        if (!slots[i].name.p) return kq_bind_nomem(p->b);
    }
    return KQ_OK;
}

static slot *find_slot(slot *slots, uint32_t n, kq_sv name) {
    for (uint32_t i = 0; i < n; i++)
        if (kq_sv_eq(slots[i].name, name)) return &slots[i];
    return NULL;
}

typedef struct output {
    kq_plan *plan;
    uint32_t n;
} output;

static kq_status add(plugin *p, output *o, kq_sv name, kq_expr *e) {
    (void)p;
    o->plan->out.items[o->n] = (kq_column){name, e->type, e->text};
    o->plan->u.project.exprs[o->n++] = e;
    return KQ_OK;
}

static kq_status add_source(plugin *p, output *o, uint32_t i) {
    kq_expr *e;
    KQ_TRY(kq_expr_column_in(p->b, &p->in->out, i, p->span, &e));
    return add(p, o, p->in->out.items[i].name, e);
}

static kq_status add_slot(plugin *p, const unpack *u, output *o, slot *s) {
    kq_expr *bag, *key, *e;
    kq_sv name = s->name;
    if (kq_sv_starts(name, u->prefix)) name = kq_sv_slice(name, u->prefix.n, name.n);
    kq_value v = kq_value_sv(name);
    KQ_TRY(kq_expr_column(p->b, u->column, KQ_DYNAMIC, p->span, &bag));
    KQ_TRY(kq_expr_const(p->b, &v, p->span, &key));
    KQ_TRY(kq_expr_call2(p->b, "[]", bag, key, p->span, &e));
    KQ_TRY(kq_expr_convert(p->b, e, s->type, &e));
    s->used = true;
    return add(p, o, s->name, e);
}

static kq_status unpack_columns(plugin *p, const unpack *u, slot *slots, uint32_t n, bool source, output *o) {
    for (uint32_t i = 0; source && i < p->in->out.n; i++) {
        slot *s = find_slot(slots, n, p->in->out.items[i].name);
        if (i == u->column) {
            if (s) KQ_TRY(add_slot(p, u, o, s));
            continue;
        }
        if (s && u->conflict == CONFLICT_ERROR && !p->schema) {
            (void)kq_bind_fail(p->b, p->span, "the table already has a column '" KQ_SV_FMT "'", KQ_SV_ARG(s->name));
            kq_error_hint(p->b->err, "give a prefix, or columnsConflict='replace_source'");
            return KQ_ERR_QUERY;
        }
        if (s && u->conflict != CONFLICT_KEEP)
            KQ_TRY(add_slot(p, u, o, s));
        else
            KQ_TRY(add_source(p, o, i));
        if (s) s->used = true;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t column;
        if (slots[i].used) continue;
        bool from_source = !source && kq_row_find(&p->in->out, slots[i].name, &column) && column != u->column;
        if (from_source && u->conflict != CONFLICT_REPLACE)
            KQ_TRY(add_source(p, o, column));
        else
            KQ_TRY(add_slot(p, u, o, &slots[i]));
    }
    return KQ_OK;
}

static kq_status bag_unpack(plugin *p, kq_plan **out) {
    unpack u = {0};
    slot *slots = NULL;
    uint32_t n = 0;
    bool source = !p->schema;
    KQ_TRY(unpack_arguments(p, &u));
    if (p->schema)
        KQ_TRY(schema_slots(p, &slots, &n, &source));
    else
        KQ_TRY(data_slots(p, &u, &slots, &n));
    output o = {kq_plan_new(p->b, KQ_PLAN_PROJECT, p->span, p->in), 0};
    if (!o.plan) return kq_plan_failed(p->b, p->span);
    KQ_TRY(kq_columns_alloc(p->b, &o.plan->out, p->in->out.n + n, p->span));
    o.plan->u.project.exprs = kq_arena_array(p->b->arena, kq_expr *, p->in->out.n + n + 1);
    if (!o.plan->u.project.exprs) return kq_bind_nomem(p->b);
    KQ_TRY(unpack_columns(p, &u, slots, n, source, &o));
    o.plan->out.n = o.n;
    *out = o.plan;
    return KQ_OK;
}

/* ---- pivot: summarize agg_if(x, column == value) for each value, by the other columns */

static const char *conditional(kq_sv aggregate) {
    static const char *const names[][2] = {{"count", "countif"},
                                           {"sum", "sumif"},
                                           {"min", "minif"},
                                           {"max", "maxif"},
                                           {"avg", "avgif"},
                                           {"take_any", "take_anyif"},
                                           {"any", "take_anyif"},
                                           {"dcount", "dcountif"},
                                           {"stdev", "stdevif"},
                                           {"variance", "varianceif"},
                                           {"make_list", "make_list_if"},
                                           {"make_set", "make_set_if"},
                                           {"make_bag", "make_bag_if"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (kq_sv_eq(aggregate, kq_sv_of(names[i][0]))) return names[i][1];
    return NULL;
}

/* agg(args) where column == value */
static kq_node *pivot_cell(plugin *p, const kq_node *agg, const char *function, kq_node *column, kq_sv value) {
    kq_node *args[4];
    uint32_t n = 0, given = agg && !kq_sv_eq(agg->text, KQ_SV("count")) ? agg->nkids : 0;
    if (given > 2) return NULL;
    if (given) args[n++] = agg->kids[0];
    args[n++] = kq_node_binary(p->b, p->span, "==", call1(p, "tostring", column), text(p, value));
    if (given > 1) args[n++] = agg->kids[1];
    return kq_node_call(p->b, p->span, function, n, args);
}

static kq_status pivot_values(plugin *p, kq_node *column, slot **slots, uint32_t *n) {
    kq_plan *plan;
    kq_value *cells = NULL;
    size_t rows = 0;
    kq_node *by = named(p, KQ_SV("$p"), call1(p, "tostring", column));
    KQ_TRY(apply(p, kq_node_summarize(p->b, p->span, NULL, 0, &by, 1), p->in, &plan));
    KQ_TRY(run(p, plan, &cells, &rows));
    *slots = kq_arena_array(p->b->arena, slot, rows + 1);
    if (!*slots) return kq_bind_nomem(p->b);
    for (size_t i = 0; i < rows; i++) {
        kq_sv name = kq_str_view(&cells[i].u.s);
        if (name.n) (*slots)[(*n)++] = (slot){name, KQ_DYNAMIC, false};
    }
    qsort(*slots, *n, sizeof **slots, by_name);
    return KQ_OK;
}

/* The columns that stay: those named, or all but the pivot's and the aggregate's. */
static kq_status pivot_keys(plugin *p, const kq_node *agg, kq_node **keys, uint32_t *n) {
    const kq_node *call = p->call;
    uint32_t first = agg ? 2 : 1, column;
    for (uint32_t i = first; i < call->nkids; i++) {
        if (call->kids[i]->kind != KQ_NODE_NAME || !kq_row_find(&p->in->out, call->kids[i]->text, &column))
            return kq_unknown_column(p->b, &p->in->out, call->kids[i]->text, call->kids[i]->span);
        keys[(*n)++] = call->kids[i];
    }
    if (*n) return KQ_OK;
    for (uint32_t i = 0; i < p->in->out.n; i++) {
        kq_sv name = p->in->out.items[i].name;
        if (kq_mentions(call->kids[0], name) || kq_mentions(agg, name)) continue;
        if (!(keys[(*n)++] = ref(p, name))) return kq_bind_nomem(p->b);
    }
    return KQ_OK;
}

static kq_status pivot(plugin *p, kq_plan **out) {
    const kq_node *call = p->call, *agg = NULL;
    uint32_t column, nkeys = 0, n = 0;
    if (!call->nkids || call->kids[0]->kind != KQ_NODE_NAME || !kq_row_find(&p->in->out, call->kids[0]->text, &column))
        return kq_bind_fail(p->b, p->span, "pivot() needs a column first");
    if (call->nkids > 1 && call->kids[1]->kind == KQ_NODE_CALL) agg = call->kids[1];
    const char *function = agg ? conditional(agg->text) : "countif";
    if (!function)
        return kq_bind_fail(p->b, agg->span, "pivot() does not take the aggregate '" KQ_SV_FMT "'",
                            KQ_SV_ARG(agg->text));
    kq_node **keys = kq_arena_array(p->b->arena, kq_node *, p->in->out.n + call->nkids + 1);
    slot *slots = NULL;
    bool star = false;
    if (!keys) return kq_bind_nomem(p->b);
    KQ_TRY(pivot_keys(p, agg, keys, &nkeys));
    if (p->schema)
        KQ_TRY(schema_slots(p, &slots, &n, &star));
    else
        KQ_TRY(pivot_values(p, call->kids[0], &slots, &n));
    kq_node **cells = kq_arena_array(p->b->arena, kq_node *, n + 1);
    if (!cells) return kq_bind_nomem(p->b);
    uint32_t ncells = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool key = false; /* a schema names the columns that stay as well */
        for (uint32_t k = 0; k < nkeys; k++) key |= kq_sv_eq(keys[k]->text, slots[i].name);
        if (key) continue;
        cells[ncells++] = named(p, slots[i].name, pivot_cell(p, agg, function, call->kids[0], slots[i].name));
    }
    return apply(p, kq_node_summarize(p->b, p->span, cells, ncells, keys, nkeys), p->in, out);
}

kq_status kq_bind_evaluate(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out) {
    const kq_node *call = node->kids[1];
    plugin p = {b, scope, call, node->nkids > 2 ? node->kids[2] : NULL, in, node->span};
    if (call->kind == KQ_NODE_CALL && kq_sv_eq(call->text, KQ_SV("bag_unpack"))) return bag_unpack(&p, out);
    if (call->kind == KQ_NODE_CALL && kq_sv_eq(call->text, KQ_SV("pivot"))) return pivot(&p, out);
    return kq_bind_fail(b, call->span, "the plugin '" KQ_SV_FMT "' is not known to this version",
                        KQ_SV_ARG(call->text));
}
