/*
 * The bound plan: what a query means, without how we run it. A tree of relational operators over typed columns, each
 * with its output columns; expressions refer to columns of their operator's input by position. It knows nothing of
 * workers, states or sources, so that another engine could run it. Lives in the query's arena; immutable once bound
 * and optimized. Operators keep the semantics of Kusto's documentation; the differences are in the field comments.
 */
#ifndef KQ_KQL_PLAN_H
#define KQ_KQL_PLAN_H

#include "column/chunk.h"
#include "func/aggregate.h"
#include "func/scalar.h"
#include "text/predicate.h"

typedef struct kq_plan kq_plan;
typedef struct kq_expr kq_expr;

typedef enum kq_expr_kind { KQ_EXPR_COLUMN, KQ_EXPR_CONST, KQ_EXPR_CALL, KQ_EXPR_SUBQUERY } kq_expr_kind;

struct kq_expr {
    kq_expr_kind kind;
    kq_type type;
    bool text; /* dynamic, of a column of both types (kq_column.text): where no dynamic may stand, its JSON text does */
    kq_span span;
    uint32_t column;     /* COLUMN: in the input's columns */
    kq_value value;      /* CONST */
    const kq_scalar *fn; /* CALL: arguments already have the types that the overload wants */
    kq_expr **args;
    uint32_t nargs;
    kq_plan *subquery; /* SUBQUERY: evaluated once, before the query that holds it */
    bool list;         /* its first column as a dynamic array (in, has_any); otherwise its first row's first value
                          (toscalar), null when there is none */
};

typedef enum kq_plan_kind {
    KQ_PLAN_SCAN,      /* a table of the catalog */
    KQ_PLAN_VALUES,    /* datatable, print: rows of expressions without columns */
    KQ_PLAN_RANGE,     /* range x from a to b step s */
    KQ_PLAN_FILTER,    /* rows for which predicate is true */
    KQ_PLAN_PROJECT,   /* out column i = exprs[i] */
    KQ_PLAN_AGGREGATE, /* summarize, distinct (no aggregates), count */
    KQ_PLAN_SORT,      /* all rows in order; stable: equal keys in input order */
    KQ_PLAN_TOP,       /* the first `count` rows of that order */
    KQ_PLAN_TAKE,      /* the first `count` rows in input order */
    KQ_PLAN_UNION,     /* the rows of all inputs, in order; every input has the plan's columns already */
    KQ_PLAN_JOIN,
    KQ_PLAN_MATERIALIZE, /* rows of `input`, computed once however often the same node is referred to */
    KQ_PLAN_EXPAND,      /* mv-expand */
    KQ_PLAN_PARSE,       /* parse, parse-where */
    KQ_PLAN_SERIES       /* a window function over the rows in input order: row_number, prev, ... */
} kq_plan_kind;

typedef struct kq_sort_key {
    kq_expr *expr;
    bool descending, nulls_first;
} kq_sort_key;

typedef struct kq_agg_item {
    const kq_aggregate *fn;
    kq_expr **args;
    uint32_t nargs;
    uint32_t nout; /* output columns: 1, or nargs for KQ_AGG_MULTI */
} kq_agg_item;

typedef enum kq_join_kind {
    KQ_JOIN_INNERUNIQUE,
    KQ_JOIN_INNER,
    KQ_JOIN_LEFTOUTER,
    KQ_JOIN_RIGHTOUTER,
    KQ_JOIN_FULLOUTER,
    KQ_JOIN_LEFTSEMI,
    KQ_JOIN_RIGHTSEMI,
    KQ_JOIN_LEFTANTI,
    KQ_JOIN_RIGHTANTI
} kq_join_kind;

typedef enum kq_window_kind {
#define KQ_WINDOW(kind, name, nargs, signature, doc) KQ_WINDOW_##kind,
#include "kql/window.def"
#undef KQ_WINDOW
} kq_window_kind;

struct kq_plan {
    kq_plan_kind kind;
    kq_span span;
    kq_columns out; /* the columns it gives, names unique */
    kq_plan *input; /* NULL for sources, UNION */
    union {
        struct {
            kq_sv table;
            const void *handle;      /* the resolver's */
            const uint32_t *columns; /* out column i is column columns[i] of the table */
            uint32_t shown;          /* from this one on the table's columns are hidden */
            bool *written;           /* NULL, or the columns that come as text: as kq_value_json writes the values */
            const kq_predicate *predicates;
            uint32_t npredicates;
        } scan;
        struct {
            kq_expr **cells; /* row by row, rows * out.n */
            uint32_t rows;
        } values;
        struct {
            kq_expr *from, *to, *step; /* constants, all of the column's type (step: timespan for datetime) */
        } range;
        struct {
            kq_expr *predicate; /* bool; a conjunction may be nested `and` calls */
        } filter;
        struct {
            kq_expr **exprs; /* out.n */
        } project;
        struct {
            kq_expr **by; /* out columns: by first, then the aggregates' outputs in order */
            uint32_t nby;
            kq_agg_item *aggs;
            uint32_t naggs;
        } aggregate; /* no by and no rows: one row; groups come out in order of first occurrence */
        struct {
            kq_sort_key *keys;
            uint32_t nkeys;
            kq_expr *count; /* TOP, TAKE: a constant long after folding */
        } order;            /* SORT, TOP, TAKE */
        struct {
            kq_plan **inputs;
            uint32_t n;
        } unions;
        struct {
            kq_plan *right;
            kq_join_kind kind;
            kq_expr **left_keys, **right_keys; /* pairwise of one type; null equals null */
            uint32_t nkeys;
            /* inner-like and outer: out = columns of left, then of right, all of them, renamed where they clash; a
             * LOOKUP's projection is a PROJECT above. semi and anti: the columns of one side. */
        } join;
        struct {
            uint32_t *columns; /* input columns (dynamic) that are expanded in parallel; out keeps their positions */
            kq_type *to;       /* type of each after expanding (dynamic unless `to typeof`) */
            uint32_t n;
            bool arrays;     /* bagexpansion=array: [key, value] instead of {key: value} */
            bool with_index; /* the last out column is the item index (long) */
            kq_expr *limit;  /* or NULL */
        } expand;
        struct {
            kq_expr *source;                   /* string */
            const struct kq_parse_step *steps; /* text and captures in turn */
            uint32_t nsteps;
            bool where, relaxed, regex; /* out = input's columns (replaced in place where named again), then new ones */
            kq_sv flags;                /* of the regex: i, m, s, U */
        } parse;
        struct {
            kq_window_kind kind;
            kq_expr **args; /* all that window.def names, defaults filled in; NULL: without a default value (prev) */
            uint32_t nargs;
        } series; /* out = the input's columns, then the function's value */
    } u;
};

/* One step of a parse pattern: either literal text (or a regex part), or a capture. */
typedef struct kq_parse_step {
    kq_sv text; /* literal; n == 0 with capture */
    bool star;  /* `*`: skip */
    bool capture;
    uint32_t column; /* out column */
    kq_type type;
} kq_parse_step;

/* How names of tables become columns: given by the caller, so that kql stands on no catalog. */
typedef struct kq_table_ref {
    kq_sv name;
    kq_columns columns;
    const void *handle;
    uint32_t hidden; /* so many more stand behind `columns`: for stored functions alone */
} kq_table_ref;

/* A function kept as text beside the tables: found when a query names it and nothing else has the name. */
typedef struct kq_stored_text {
    kq_sv name;
    kq_sv text;    /* let NAME = (parameters) { body }; must outlive the query */
    kq_sv file;    /* what messages call the text's file */
    uint32_t line; /* where the text starts in it, from 1 */
} kq_stored_text;

typedef struct kq_resolver {
    /* Fills *out for the table `name` (case-sensitive); false: there is none. */
    bool (*find)(void *ctx, kq_sv name, kq_table_ref *out);
    /* The names of the tables that wildcards in union mean; `all`: also of those that are known but need not be here,
     * for "did you mean" and for wildcards that mean none of the others. */
    const kq_sv *(*names)(void *ctx, bool all, size_t *n);
    void *ctx;
    int64_t now; /* what now() is, in ticks */
    /* Runs a plan while the query is bound, for plugins whose columns the data decides: its rows' cells, row by row, in
     * `arena`. NULL: such plugins need a schema. */
    kq_status (*rows)(void *ctx, const kq_plan *plan, kq_arena *arena, kq_value **cells, size_t *nrows, kq_error *err);
    /* The stored function that this name (case-sensitive) means, also where there is a table of that name; false: there
     * is none. NULL: there are none at all. */
    bool (*function)(void *ctx, kq_sv name, kq_stored_text *out);
    const kq_sv *(*functions)(void *ctx, size_t *n); /* their names, for "did you mean"; may be NULL */
} kq_resolver;

/* The stored functions that a query uses: spans of the plan that come from them lie behind the query's own. */
typedef struct kq_stored kq_stored;

/* The name of the stored function that the query calls and that `span` comes from; "" when it is the query's own. */
kq_sv kq_stored_name(const kq_stored *stored, kq_span span);
/* Where the query calls the stored function that `span` comes from; `span` when it is the query's own. */
kq_span kq_stored_call(const kq_stored *stored, kq_span span);
/* Makes an error whose place is inside a stored function one at the call, with name, line and column in its text. */
void kq_stored_place(const kq_stored *stored, kq_error *err);

typedef struct kq_query {
    kq_plan *plan;
    kq_sv visualization; /* render's, or "" */
    const kq_stored *stored;
} kq_query;

/* Binds a parsed script: names, types, implicit conversions, Kusto's automatic column names, let expanded. The last
 * expression statement is the query. Constants are folded. Errors: QUERY with span and hint, NOMEM, LIMIT. */
struct kq_node;
kq_status kq_bind(const struct kq_node *script, const kq_resolver *resolver, kq_arena *arena, kq_cleanup **cleanups,
                  kq_query *out, kq_error *err);

/* Rewrites the plan to an equivalent one: column pruning into SCAN, predicates into SCAN, filters below projections,
 * SORT+TAKE to TOP. */
kq_status kq_optimize(kq_query *query, kq_arena *arena, kq_error *err);

/* Folds a call on constants to a constant: by the function itself. Used by the binder. */
kq_status kq_fold_call(kq_expr *call, kq_arena *arena, kq_cleanup **cleanups, kq_error *err);

/* The scan, and in *at the column of it, that output column `column` is handed on from without anyone looking at it in
 * between; NULL when there is none: such a column may come written (u.scan.written). */
kq_plan *kq_plan_untouched(kq_plan *plan, uint32_t column, uint32_t *at);

/* Appends the plan as an indented tree with its columns, for tests. A node that several others refer to has a number,
 * and stands there once: afterwards it is "as #1". */
void kq_plan_print(const kq_plan *plan, kq_buf *out);

/* Appends which columns of tables output column `column` is made of, one part for each leg of a union:
 * "T.a; computed from U.b, U.c; 'constant'". Nothing when no table gives it. */
void kq_plan_origin(const kq_plan *plan, uint32_t column, kq_buf *out);

#endif
