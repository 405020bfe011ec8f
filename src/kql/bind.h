/*
 * What the binder's files share. Private to the binder.
 *
 * Names are looked up in the row (columns of the operator's input), then in the scope: a list of let names and
 * parameters, newest first, never changed once made, so that a function keeps the scope of its definition. A tabular
 * let keeps its tree and is bound anew at each reference; a scalar let keeps its bound expression and is copied.
 */
#ifndef KQ_KQL_BIND_H
#define KQ_KQL_BIND_H

#include "base/nearest.h"
#include "kql/ast.h"
#include "kql/plan.h"

#define KQ_BIND_DEPTH   3000    /* tree height times inlining */
#define KQ_BIND_EXPRS   1000000 /* expressions of a plan, let inlined */
#define KQ_BIND_PLANS   10000   /* operators of a plan, let inlined */
#define KQ_BIND_COLUMNS 10000   /* columns of one operator */

typedef enum kq_symbol { KQ_SYMBOL_SCALAR, KQ_SYMBOL_TABLE, KQ_SYMBOL_PLAN, KQ_SYMBOL_FUNCTION } kq_symbol;

typedef struct kq_scope {
    const struct kq_scope *next;
    kq_sv name;
    kq_symbol kind;
    kq_expr *expr;             /* SCALAR */
    uint32_t row;              /* SCALAR: the row whose columns expr refers to, 0 when it has none */
    const kq_node *node;       /* TABLE, FUNCTION */
    const struct kq_scope *at; /* where node's names are looked up */
    kq_plan *plan;             /* PLAN */
    bool view;
    struct kq_stored *stored; /* FUNCTION: the stored function that it is, or NULL */
} kq_scope;

/* A stored function that the query has named. */
struct kq_stored {
    struct kq_stored *next;
    kq_stored_text text;
    kq_scope symbol;
    uint32_t base;   /* its text's first byte among the spans */
    kq_span at;      /* where it was called last */
    bool active;     /* being bound: a call now is one of itself */
    uint8_t tabular; /* does it give a table? 0: not asked yet, 1: being asked, 2: no, 3: yes */
};

/* Aggregate calls of a summarize, collected while its expressions are bound. */
typedef struct kq_aggs {
    kq_agg_item *items;
    uint32_t n, cap;
    kq_column *outputs; /* their types; the names come later */
    uint32_t nout, out_cap;
    uint32_t nby;               /* output k is column nby + k of the AGGREGATE */
    const struct kq_row *input; /* what the aggregates' arguments are bound in */
} kq_aggs;

/* Where window functions are allowed: the calls of one operator, put below it. */
typedef struct kq_windows {
    kq_plan *plan; /* the operator's input and the calls so far */
    bool ordered;  /* its rows have an order that means something */
} kq_windows;

/* What an expression may refer to besides the scope. */
typedef struct kq_row {
    const kq_columns *columns;      /* NULL: none */
    const kq_columns *left, *right; /* join conditions: $left, $right; else NULL */
    kq_windows *windows;            /* NULL: no window functions */
    kq_aggs *aggs;                  /* aggregates are allowed and collected here */
    uint32_t id;                    /* which row: expressions of another one may not be used */
} kq_row;

typedef struct kq_binder {
    const kq_resolver *resolver;
    kq_arena *arena;
    kq_cleanup **cleanups;
    kq_error *err;
    uint32_t depth, exprs, plans, rows, scans;
    uint32_t unnamed;         /* Column1, ... so far, in the whole query as in Kusto */
    uint32_t applies;         /* mv-apply operators so far */
    const kq_columns *carry;  /* for the next summarize: columns that go along, the first of them grouped by */
    bool ordered;             /* the rows of the table bound last have an order: sort, serialize, range, ... */
    struct kq_stored *stored; /* that the query uses, newest first */
    uint32_t base;            /* the next one's */
    bool unknown_table;       /* the last failure was a table that does not exist */
    kq_sv visualization;
} kq_binder;

/* bind.c */
kq_status kq_bind_enter(kq_binder *b, kq_span span);
static inline void kq_bind_leave(kq_binder *b) {
    b->depth--;
}
/* Adds the statements of a script to *scope and binds its last expression: as a table or, when `expr` is not NULL and
 * it is none, as a scalar in `row`. Exactly one of *plan, *expr is set. */
kq_status kq_bind_script(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *script, kq_plan **plan,
                         kq_expr **expr);
/* A call of a let function. `piped`: the first parameter's table (invoke), or NULL. */
kq_status kq_bind_function(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_scope *function,
                           const kq_node *call, kq_plan *piped, kq_plan **plan, kq_expr **expr);

/* bind_scope.c: names and small things */
const kq_scope *kq_scope_find(const kq_scope *scope, kq_sv name);
kq_scope *kq_scope_push(kq_binder *b, const kq_scope *next, kq_sv name, kq_symbol kind); /* NULL: no memory */
bool kq_node_is_table(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node);
bool kq_row_find(const kq_columns *columns, kq_sv name, uint32_t *column);
kq_row kq_row_of(kq_binder *b, const kq_columns *columns);
kq_status kq_bind_fail(kq_binder *b, kq_span span, const char *fmt, ...) KQ_PRINTF(3, 4);
/* Gives a failure without a place this one. */
kq_status kq_bind_at(kq_binder *b, kq_status status, kq_span span);
kq_status kq_bind_nomem(kq_binder *b);
kq_status kq_unknown_column(kq_binder *b, const kq_columns *columns, kq_sv name, kq_span span);
kq_status kq_unknown_name(kq_binder *b, const kq_scope *scope, const kq_row *row, kq_sv name, kq_span span);
kq_status kq_unknown_table(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span span);
kq_status kq_unknown_function(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span span);
bool kq_glob(kq_sv pattern, kq_sv name);               /* '*' is any text */
uint32_t kq_mentions(const kq_node *node, kq_sv name); /* NAMEs of that name in the tree */

/* bind_stored.c: functions kept as text */
/* What `name` stands for: in the scope, or a stored function; NULL: neither. `at` is where it stands. Errors: those of
 * the function's text, NOMEM, LIMIT. */
kq_status kq_bind_symbol(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span at, const kq_scope **out);
/* Is the span one of a stored function's text? */
bool kq_span_stored(const kq_binder *b, kq_span span);
/* Before and after a stored function is bound. Errors: QUERY, it is being bound already. */
kq_status kq_stored_enter(kq_binder *b, kq_stored *stored, kq_span at);
static inline void kq_stored_leave(kq_stored *stored) {
    stored->active = false;
}

/* bind_name.c: automatic column names */
kq_sv kq_auto_name(kq_binder *b, const kq_node *node); /* "" when the expression has none */
typedef struct kq_names {
    struct kq_name_slot *slots;
    uint32_t n, cap;
} kq_names;
bool kq_names_has(const kq_names *names, kq_sv name);
kq_status kq_names_add(kq_binder *b, kq_names *names, kq_sv name);
/* `base`, or base1, base2, ... when it is taken. "" is the next Column1, Column2, ... of the query. Added. */
kq_status kq_names_unique(kq_binder *b, kq_names *names, kq_sv base, kq_sv *out);

/* bind_expr.c */
kq_status kq_bind_expr(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);
kq_expr *kq_expr_new(kq_binder *b, kq_expr_kind kind, kq_type type, kq_span span); /* NULL: see kq_bind_nomem */
kq_status kq_expr_const(kq_binder *b, const kq_value *value, kq_span span, kq_expr **out);
kq_status kq_expr_column(kq_binder *b, uint32_t column, kq_type type, kq_span span, kq_expr **out);
/* The same of a column among `columns`: with its type, and of both types when it is. */
kq_status kq_expr_column_in(kq_binder *b, const kq_columns *columns, uint32_t column, kq_span span, kq_expr **out);
/* Makes an expression of both types (kq_expr.text) its text, for where no dynamic may stand; others stay as they are.
 */
kq_status kq_expr_text(kq_binder *b, kq_expr *expr, kq_expr **out);
bool kq_expr_has_columns(const kq_expr *expr);
kq_status kq_expr_copy(kq_binder *b, const kq_expr *expr, kq_span span, kq_expr **out);
/* Resolves the overload, converts the arguments, folds constants. Takes over `args`. */
kq_status kq_expr_call(kq_binder *b, const char *name, kq_expr **args, uint32_t nargs, kq_span span, kq_expr **out);
kq_status kq_expr_call2(kq_binder *b, const char *name, kq_expr *a, kq_expr *c, kq_span span, kq_expr **out);
kq_status kq_expr_call_sv(kq_binder *b, kq_sv name, kq_expr **args, uint32_t nargs, kq_span span, kq_expr **out);
/* By to<type>() where that is needed; a scalar becomes dynamic only when it is constant or by todynamic. */
kq_status kq_expr_convert(kq_binder *b, kq_expr *expr, kq_type to, kq_expr **out);
/* Must be bool, or dynamic (then converted). */
kq_status kq_bind_predicate(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);
/* A constant of the type, or a toscalar. */
kq_status kq_bind_constant(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_type type, const char *what,
                           kq_expr **out);
kq_status kq_value_to_dynamic(kq_binder *b, const kq_value *value, kq_value *out);
kq_status kq_expr_subquery(kq_binder *b, kq_plan *plan, bool list, kq_span span, kq_expr **out);

/* bind_call.c: function calls */
kq_status kq_bind_call(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);

/* bind_tuple.c: items that give several columns */
typedef struct kq_deal {
    kq_binder *b;
    const kq_scope *scope;
    const kq_row *row;
    bool named_only; /* extend: (a, b) = f() adds two columns, however many values f() has */
} kq_deal;
typedef kq_status (*kq_deal_fn)(void *ctx, kq_sv name, bool named, kq_expr *expr, const kq_node *node);
/* How many values a call gives; 0: it is no function that gives several. */
uint32_t kq_tuple_width(const kq_scope *scope, const kq_node *call);
/* Value `k` of such a call, bound as `array`, and its automatic name. */
kq_status kq_tuple_part(kq_binder *b, const kq_node *call, kq_expr *array, uint32_t k, kq_sv *name, kq_expr **out);
/* Calls `fn` for each name and value of an item: expression, name = expression, (a, b) = expression. */
kq_status kq_deal_item(const kq_deal *d, const kq_node *item, kq_deal_fn fn, void *ctx);

/* bind_window.c: row_number, prev, ... */
bool kq_is_window(kq_sv name);
kq_status kq_bind_window(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);
kq_status kq_plan_series(kq_binder *b, kq_plan *in, kq_window_kind kind, kq_expr **args, uint32_t nargs, kq_type type,
                         kq_sv name, kq_span span, kq_plan **out);

/* bind_list.c: in, has_any, between, operators over * */
kq_status kq_bind_list(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);
kq_status kq_bind_between(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);
kq_status kq_bind_anywhere(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);
kq_status kq_expr_anywhere(kq_binder *b, const kq_row *row, const char *op, kq_expr *right, kq_span span,
                           kq_expr **out);

/* bind_source.c: tables */
kq_status kq_bind_table(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan **out);
/* The rows of the table of this name, no function's. Errors: QUERY, there is none. */
kq_status kq_bind_scan(kq_binder *b, const kq_scope *scope, kq_sv name, kq_span span, kq_plan **out);
kq_plan *kq_plan_new(kq_binder *b, kq_plan_kind kind, kq_span span, kq_plan *input); /* NULL: kq_plan_failed */
kq_status kq_plan_failed(kq_binder *b, kq_span span);                                /* why kq_plan_new gave NULL */
kq_status kq_columns_alloc(kq_binder *b, kq_columns *columns, uint32_t n, kq_span span);

/* bind_op.c, bind_columns.c: operators */
kq_status kq_bind_operator(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_extend(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_project(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_project_away(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_project_rename(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_project_reorder(kq_binder *b, const kq_node *node, kq_plan *in, kq_plan **out);
/* A projection that keeps columns[0..n) of its input under `names` (NULL: their own). */
kq_status kq_plan_pick(kq_binder *b, kq_plan *in, const uint32_t *columns, const kq_sv *names, uint32_t n, kq_span span,
                       kq_plan **out);
/* The same rows with a column of both types as its text. */
kq_status kq_plan_text(kq_binder *b, kq_plan *in, uint32_t column, kq_span span, kq_plan **out);

/* bind_summarize.c */
kq_status kq_bind_summarize(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_distinct(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_count(kq_binder *b, kq_span span, kq_sv name, kq_plan *in, kq_plan **out);
kq_status kq_bind_aggregate(kq_binder *b, const kq_scope *scope, const kq_row *row, const kq_node *node, kq_expr **out);

/* bind_join.c, bind_union.c */
kq_status kq_bind_join(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_union(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_search(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
/* The union of inputs that may have different columns. `source`: the name of a first column with names[i], or "". */
kq_status kq_plan_union(kq_binder *b, kq_plan **inputs, const kq_sv *names, uint32_t n, kq_sv source, bool inner,
                        kq_span span, kq_plan **out);

/* bind_expand.c: mv-expand, parse */
kq_status kq_bind_expand(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);
kq_status kq_bind_parse(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);

/* bind_apply.c */
kq_status kq_bind_apply(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);

/* bind_plugin.c: evaluate */
kq_status kq_bind_evaluate(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);

/* bind_node.c: trees for operators that are written with others. A NULL among the kids, or no memory, gives NULL. */
kq_node *kq_node_make(kq_binder *b, kq_span span, kq_node_kind kind, kq_sv text, uint32_t nkids, kq_node *const *kids);
kq_node *kq_node_named(kq_binder *b, kq_span span, kq_sv name, kq_node *value);
kq_node *kq_node_ref(kq_binder *b, kq_span span, kq_sv name);
kq_node *kq_node_call(kq_binder *b, kq_span span, const char *function, uint32_t n, kq_node *const *args);
kq_node *kq_node_binary(kq_binder *b, kq_span span, const char *op, kq_node *left, kq_node *right);
kq_node *kq_node_literal(kq_binder *b, kq_span span, kq_value value);
kq_node *kq_node_list(kq_binder *b, kq_span span, uint32_t n, kq_node *const *kids);
/* summarize `aggs` by `keys` */
kq_node *kq_node_summarize(kq_binder *b, kq_span span, kq_node *const *aggs, uint32_t naggs, kq_node *const *keys,
                           uint32_t nkeys);

/* bind_kv.c */
kq_status kq_bind_parse_kv(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);

/* bind_series.c */
kq_status kq_bind_series(kq_binder *b, const kq_scope *scope, const kq_node *node, kq_plan *in, kq_plan **out);

/* A parameter of an operator: its value's text, or false. */
bool kq_param_text(const kq_node *list, const char *name, kq_sv *out);
bool kq_param_true(const kq_node *list, const char *name);

#endif
