#include "exec/lacking.h"
#include "base/number.h"
#include "exec/empties.h"
#include "kql/reach.h"
#include <stdio.h>

#define TEXTS_SHOWN   4
#define SOURCES_SHOWN 6
#define VALUES_SHOWN  8
#define LOOK_BYTES    (512u << 20) /* of inputs that are read again after a query without rows; for lint all are */

/* A column of one source that can only have a few values, or not one that is asked for; of all sources: that is
 * `observed` to have no others here; else a table that has no rows here. */
typedef struct cause {
    struct table *table;
    const kq_catalog_source *source;
    bool observed;
    uint32_t column; /* of the table */
    const kq_sv *texts;
    uint32_t n;
    const kq_text_op *op; /* NULL: the texts are known */
    bool ci;
    kq_sv needle;
    kq_cant cant;
    kq_sv
        made; /* a column that a union or a view gives one value in rows of the table, `texts`; `column` is none then */
    kq_sv view; /* the stored function that does */
} cause;

/* What a column may have after all, in spite of its maps: kq_cant.unless. */
typedef struct doubt {
    const cause *cause;
    bool has; /* it was looked for, and it is there, or may be */
    struct doubt *next;
} doubt;

/* A table that the query reads, and what fills it. */
typedef struct table {
    const kq_table *is;
    const kq_catalog_source *sources;
    size_t nsources;
    cause *causes;     /* of each source each column */
    kq_known *known;   /* the same, for legs */
    cause *looked;     /* of each column: what rows have that are here, ... */
    kq_known *seen;    /* ... known once somebody looked; before that one value that nothing has */
    uint64_t *records; /* of each source, once counted */
    bool guessed;      /* something of `seen` is that value */
    bool asked;        /* and a filter did not pass it */
    bool own;          /* an export may have every column */
    bool suspect;      /* a leg of it ended */
    bool counted;      /* its records were asked for */
    bool data;         /* an input may have rows of it */
    cause missing;
    struct table *next;
} table;

typedef struct lacking {
    kq_runner *runner;
    kq_arena arena;
    const kq_stored *stored;
    table *tables;
    size_t leaves; /* scans of tables with data */
    doubt *doubts;
    bool failed;         /* no memory for what is asked */
    const kq_leg *could; /* that would be there if the inputs had their events */
    bool could_known;
    bool everywhere; /* what is asked is what no source can give, here or not */
} lacking;

/* How much a cause says of what the user asked for, the most first. */
typedef enum rank {
    RANK_CANT,       /* a column that is there, and never so */
    RANK_NEVER,      /* one that is never there */
    RANK_OTHER,      /* one that has other values */
    RANK_VIEW_NEVER, /* the same in a condition of a stored function, ... */
    RANK_MISSING,    /* a table without rows here */
    RANK_VIEW,       /* ... by which it chooses its events: never what the user asked for */
    RANK_NONE
} rank;

/* What the plan's values of a column are that has these texts. */
static kq_status known_of(lacking *l, const cause *c, kq_known *out, kq_error *err) {
    kq_type type = c->table->is->columns.items[c->column].type;
    kq_value *values = kq_arena_array(&l->arena, kq_value, c->n + 1);
    if (!values) return kq_arena_status(&l->arena, err);
    for (uint32_t i = 0; i < c->n; i++) {
        int64_t number;
        values[i] = type == KQ_STRING ? kq_value_sv(c->texts[i]) : kq_value_null(type);
        if (type == KQ_STRING || !c->texts[i].n) continue;
        if ((type != KQ_INT && type != KQ_LONG) || !kq_number_parse_long(c->texts[i], &number)) return KQ_OK;
        values[i] = kq_value_long(number);
        values[i].type = type;
    }
    *out = (kq_known){c->n ? values : NULL, c->n, c};
    return KQ_OK;
}

/* Nobody has looked what columns like EventID have: a text or a number that nothing has, so that a filter which asks
 * for another is found. */
static kq_status nothing_seen(lacking *l, table *t, kq_error *err) {
    uint32_t n = kq_table_all(t->is).n;
    t->looked = kq_arena_array(&l->arena, cause, n + 1);
    t->seen = kq_arena_array(&l->arena, kq_known, n + 1);
    for (uint32_t i = 0; i < t->is->columns.n && t->looked && t->seen && t->data; i++) {
        if (!kq_catalog_observes(t->is, i)) continue;
        kq_value *none = kq_arena_new(&l->arena, kq_value);
        if (!none) return kq_arena_status(&l->arena, err);
        kq_type type = t->is->columns.items[i].type;
        *none = type == KQ_STRING ? kq_value_sv(KQ_SV("\x01")) : kq_value_null(type);
        t->looked[i] = (cause){.table = t, .observed = true, .column = i};
        t->seen[i] = (kq_known){none, 1, &t->looked[i]};
        t->guessed = true;
    }
    return t->looked && t->seen ? KQ_OK : kq_arena_status(&l->arena, err);
}

static bool is_small(const kq_catalog *catalog) {
    size_t n;
    uint64_t bytes = 0;
    const kq_input *inputs = kq_catalog_inputs(catalog, &n);
    for (size_t i = 0; i < n; i++) bytes += inputs[i].size;
    return bytes <= LOOK_BYTES;
}

/* Looks, when a filter asks; else nothing is known of these columns. */
static kq_status look(lacking *l, table *t, bool every, kq_error *err) {
    const kq_observed_column *columns = NULL;
    if (t->asked && (every || is_small(l->runner->env.catalog)))
        KQ_TRY(kq_catalog_observe(l->runner->env.catalog, t->is, l->runner->env.budget, &columns, err));
    for (uint32_t i = 0; i < t->is->columns.n; i++)
        t->seen[i] =
            columns && columns[i].n ? (kq_known){columns[i].values, columns[i].n, &t->looked[i]} : (kq_known){0};
    t->guessed = false;
    return KQ_OK;
}

static kq_status table_of(lacking *l, const kq_table *is, table **out, kq_error *err) {
    const kq_catalog *catalog = l->runner->env.catalog;
    for (*out = l->tables; *out; *out = (*out)->next)
        if ((*out)->is == is) return KQ_OK;
    table *t = kq_arena_new(&l->arena, table);
    if (!t) return kq_arena_status(&l->arena, err);
    *t = (table){.is = is,
                 .own = kq_catalog_own_data(catalog, is),
                 .data = kq_catalog_has_data(catalog, is),
                 .missing = {.table = t},
                 .next = l->tables};
    if (t->data) KQ_TRY(kq_catalog_sources(catalog, is, &l->arena, &t->sources, &t->nsources, err));
    KQ_TRY(nothing_seen(l, t, err));
    uint32_t width = kq_table_all(is).n;
    size_t n = t->nsources * width;
    t->causes = kq_arena_array(&l->arena, cause, n + 1);
    t->known = kq_arena_array(&l->arena, kq_known, n + 1);
    if (!t->causes || !t->known) return kq_arena_status(&l->arena, err);
    for (size_t i = 0; i < n; i++) {
        cause *c = &t->causes[i];
        *c = (cause){.table = t, .source = &t->sources[i / width], .column = (uint32_t)(i % width)};
        KQ_TRY(kq_catalog_values(c->source, c->column, &l->arena, &c->texts, &c->n, err));
        KQ_TRY(known_of(l, c, &t->known[i], err));
    }
    l->tables = t;
    *out = t;
    return KQ_OK;
}

static kq_status add_leg(lacking *l, const kq_plan *scan, const table *t, const kq_known *known, const cause *from,
                         kq_legs *out, kq_error *err) {
    kq_leg *leg = kq_arena_new(&l->arena, kq_leg);
    kq_known *columns = kq_arena_array(&l->arena, kq_known, scan->out.n + 1);
    if (!leg || !columns) return kq_arena_status(&l->arena, err);
    for (uint32_t i = 0; i < scan->out.n; i++) {
        uint32_t c = scan->u.scan.columns ? scan->u.scan.columns[i] : i;
        if (c < kq_table_all(t->is).n) columns[i] = known && (known[c].n || !t->seen[c].n) ? known[c] : t->seen[c];
    }
    *leg = (kq_leg){.columns = columns, .from = from, .next = out->legs};
    out->legs = leg;
    return KQ_OK;
}

/* A leg for each source that has records here, or may have while they are not counted. */
static kq_status scan_legs(void *ctx, const kq_plan *scan, kq_legs *out, kq_error *err) {
    lacking *l = ctx;
    table *t;
    *out = (kq_legs){0};
    KQ_TRY(table_of(l, scan->u.scan.handle, &t, err));
    bool any = !t->records || l->everywhere;
    for (size_t i = 0; !any && i < t->nsources; i++) any = t->records[i] > 0;
    if (!t->data || !any) {
        kq_ended *e = kq_arena_new(&l->arena, kq_ended);
        if (!e) return kq_arena_status(&l->arena, err);
        *e = (kq_ended){.why = &t->missing, .at = scan->span};
        out->ended = e;
        return KQ_OK;
    }
    l->leaves++;
    if (t->own || !t->nsources) return add_leg(l, scan, t, NULL, &t->missing, out, err);
    size_t width = kq_table_all(t->is).n;
    for (size_t i = t->nsources; i-- > 0;)
        if (l->everywhere || !t->records || t->records[i])
            KQ_TRY(add_leg(l, scan, t, t->known + i * width, &t->causes[i * width], out, err));
    return KQ_OK;
}

static void suspect(KQ_UNUSED void *ctx, const void *why) {
    const cause *c = why;
    if (c->observed)
        c->table->asked = true;
    else
        c->table->suspect = true;
}

/* A kq_reach.made: of a stored function what it gives, of a user's own union only what an input of it has not. */
static const void *made(void *ctx, const void *from, kq_span at, kq_sv column, const kq_value *value, bool padded) {
    lacking *l = ctx;
    const cause *of = from;
    kq_sv view = kq_stored_name(l->stored, at), text = KQ_SV("");
    if (!of || (!view.n && !padded) || (!value->null && value->type != KQ_STRING)) return NULL;
    if (!value->null) text = kq_str_view(&value->u.s);
    kq_sv *texts = kq_arena_new(&l->arena, kq_sv);
    cause *c = kq_arena_new(&l->arena, cause);
    l->failed |= !texts || !c;
    if (!texts || !c) return NULL;
    *texts = kq_arena_copy(&l->arena, text);
    *c = (cause){.table = of->table, .source = of->source, .texts = texts, .n = 1, .made = column, .view = view};
    return c;
}

/* The doubt about what the column can't have; NULL: none was met so far. */
static doubt *doubt_of(const lacking *l, const table *t, uint32_t column, const kq_cant *cant) {
    for (doubt *d = l->doubts; d; d = d->next)
        if (d->cause->table == t && d->cause->column == column && d->cause->cant.unless == cant->unless &&
            d->cause->cant.unless_op == cant->unless_op)
            return d;
    return NULL;
}

/* A kq_reach.can. */
static bool can(void *ctx, const void *column, const kq_text_op *op, bool ci, kq_sv needle, const void **why) {
    lacking *l = ctx;
    const cause *of = column;
    const kq_text_test test = {op->op, ci, needle};
    kq_cant cant = {0};
    if (!of->source || of->made.n ||
        kq_catalog_can(l->runner->env.catalog, of->source, of->column, &test, &l->arena, &cant))
        return true;
    doubt *d = cant.unless ? doubt_of(l, of->table, of->column, &cant) : NULL;
    if (d && d->has) return true;
    cause *c = kq_arena_new(&l->arena, cause);
    if (c)
        *c = (cause){.table = of->table,
                     .source = of->source,
                     .column = of->column,
                     .op = op,
                     .ci = ci,
                     .needle = needle,
                     .cant = cant};
    if (c && cant.unless && !d && (d = kq_arena_new(&l->arena, doubt))) {
        *d = (doubt){c, false, l->doubts};
        l->doubts = d;
    }
    l->failed |= !c || (cant.unless && !d);
    *why = c;
    return l->failed;
}

/* Looks for what a column may have after all. *again: something of it is there, or nobody looks. */
static kq_status settle(lacking *l, bool every, bool *again, kq_error *err) {
    bool looks = every || is_small(l->runner->env.catalog);
    *again = false;
    for (doubt *d = l->doubts; d; d = d->next) {
        const cause *c = d->cause;
        if (d->has) continue;
        d->has = !looks;
        if (looks)
            KQ_TRY(kq_catalog_look(l->runner->env.catalog, c->table->is, c->column, &c->cant, l->runner->env.budget,
                                   &d->has, err));
        *again |= d->has;
    }
    return KQ_OK;
}

/* A column that is never there, not one by whose texts a query chooses what it reads. */
static bool never(const cause *c) {
    return c->n == 1 && !c->texts[0].n;
}

/* "no row of SecurityEvent has an EventID that is asked for, only 4698, 4720, 4732". Appended. */
static void observed(const cause *c, kq_buf *out) {
    const kq_table *t = c->table->is;
    const kq_known *seen = &c->table->seen[c->column];
    kq_buf_printf(out, "no row of " KQ_SV_FMT " has the " KQ_SV_FMT " that is asked for, only ", KQ_SV_ARG(t->name),
                  KQ_SV_ARG(kq_table_says(t, c->column)));
    for (uint32_t i = 0; i < seen->n && i < VALUES_SHOWN; i++) {
        const kq_value *v = &seen->values[i];
        if (i) kq_buf_str(out, ", ");
        if (v->null || (v->type == KQ_STRING && !kq_str_view(&v->u.s).n))
            kq_buf_str(out, "none");
        else
            kq_value_text(v, out);
    }
    uint32_t more = seen->n > VALUES_SHOWN ? seen->n - VALUES_SHOWN : 0;
    if (more) kq_buf_printf(out, " and %u other%s", more, more > 1 ? "s" : "");
}

/* Is it the same that the column can't have? Of another source, maybe. */
static bool same_test(const cause *a, const cause *b) {
    return a->op && b->op && a->table == b->table && a->column == b->column && a->op == b->op && a->ci == b->ci &&
           kq_sv_eq(a->needle, b->needle) && a->cant.why == b->cant.why;
}

/* A table of which nothing is here. */
static bool is_missing(const cause *c) {
    return !c->source && !c->observed && !c->made.n;
}

/* Has the source records here, as far as that is known? */
static bool is_here(const cause *c) {
    return !c->source || !c->table->records || c->table->records[c->source - c->table->sources];
}

/* A hidden column is one of the views that read the table, not the table's own. */
static const char *views_of(const cause *c) {
    return !c->made.n && c->column >= c->table->is->columns.n ? "views of " : "";
}

/* "RegistryKey never has "HKLM" in DeviceRegistryEvents from Sysmon 12, 13". Appended. */
static kq_status cant_have(lacking *l, const kq_ended *all, const cause *c, kq_buf *out, kq_error *err) {
    static const char *const verbs[] = {[KQ_MATCH_EQUALS] = "is never",
                                        [KQ_MATCH_CONTAINS] = "never contains",
                                        [KQ_MATCH_STARTSWITH] = "never starts with",
                                        [KQ_MATCH_ENDSWITH] = "never ends with",
                                        [KQ_MATCH_HAS] = "never has",
                                        [KQ_MATCH_HASPREFIX] = "never has a word that starts with",
                                        [KQ_MATCH_HASSUFFIX] = "never has a word that ends with"};
    const kq_table *t = c->table->is;
    kq_sv *names = kq_arena_array(&l->arena, kq_sv, c->table->nsources + 1);
    size_t n = 0;
    if (!names) return kq_arena_status(&l->arena, err);
    for (size_t i = 0; i < c->table->nsources; i++)
        for (const kq_ended *e = all; e; e = e->next) {
            const cause *other = e->why;
            if (other->source != &c->table->sources[i] || !same_test(c, other) || !is_here(other)) continue;
            names[n++] = other->source->name;
            break;
        }
    kq_buf_printf(out, KQ_SV_FMT " %s \"" KQ_SV_FMT "\" in %s" KQ_SV_FMT " from ",
                  KQ_SV_ARG(kq_table_says(t, c->column)), verbs[c->op->op], KQ_SV_ARG(c->needle), views_of(c),
                  KQ_SV_ARG(t->name));
    kq_catalog_name_sources(names, n, out);
    return KQ_OK;
}

/* "AccountUpn is never available in DeviceProcessEvents from Sysmon 1". Appended. */
static kq_status sentence(lacking *l, const kq_ended *all, const cause *c, kq_buf *out, kq_error *err) {
    const kq_table *t = c->table->is;
    if (c->op) return cant_have(l, all, c, out, err);
    if (c->observed) {
        observed(c, out);
        return KQ_OK;
    }
    if (is_missing(c)) {
        kq_buf_printf(out, "no input has %s of the table " KQ_SV_FMT, c->table->data ? "events" : "data",
                      KQ_SV_ARG(t->name));
        return c->table->data ? kq_catalog_source_list(l->runner->env.catalog, t, out, err) : KQ_OK;
    }
    if (c->made.n && !c->view.n) {
        kq_buf_printf(out, "the union takes no " KQ_SV_FMT " from " KQ_SV_FMT, KQ_SV_ARG(c->made), KQ_SV_ARG(t->name));
        return KQ_OK;
    }
    kq_buf_sv(out, c->made.n ? c->made : kq_table_says(t, c->column));
    if (never(c))
        kq_buf_str(out, " is never available");
    else
        kq_buf_str(out, c->n == 1 ? " is always " : " is only ");
    bool empty = false;
    uint32_t shown = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        empty |= !c->texts[i].n;
        if (c->texts[i].n && shown++ < TEXTS_SHOWN)
            kq_buf_printf(out, "%s\"" KQ_SV_FMT "\"", shown > 1 ? ", " : "", KQ_SV_ARG(c->texts[i]));
    }
    if (shown > TEXTS_SHOWN) kq_buf_str(out, ", ...");
    kq_buf_str(out, empty && shown ? " or empty in " : " in ");
    kq_buf_printf(out, "%s" KQ_SV_FMT " from " KQ_SV_FMT, views_of(c), KQ_SV_ARG(c->made.n ? c->view : t->name),
                  KQ_SV_ARG(c->source ? c->source->name : t->name));
    return KQ_OK;
}

/* The records of a table's sources, once, when it may matter. *again: they are known now. */
static kq_status count_records(lacking *l, table *t, bool count, bool *again, kq_error *err) {
    if (!(t->suspect || count) || t->counted || t->own || !t->data || !t->nsources) return KQ_OK;
    uint64_t *records = kq_arena_array(&l->arena, uint64_t, t->nsources + 1);
    bool known;
    if (!records) return kq_arena_status(&l->arena, err);
    KQ_TRY(kq_catalog_count(l->runner->env.catalog, t->is, l->runner->env.budget, records, &known, err));
    if (known) t->records = records;
    t->counted = true;
    *again |= known;
    return KQ_OK;
}

/* The plan's legs, of the sources that have records here. They are counted only when it may matter, or `count`.
 * `written`: the plan is not optimized, so that what a union makes itself can be told. */
static kq_status legs_here(lacking *l, const kq_plan *plan, bool count, bool written, kq_legs *out, kq_error *err) {
    kq_reach reach = {.scan = scan_legs, .can = can, .end = suspect, .ctx = l, .arena = &l->arena};
    if (written) reach.made = made;
    for (bool again = true, first = true; again; first = false) {
        l->leaves = 0;
        again = false;
        KQ_TRY(kq_reach_legs(&reach, plan, out, err));
        for (table *t = l->tables; t; t = t->next) {
            again |= t->guessed;
            if (t->guessed) KQ_TRY(look(l, t, count, err));
            KQ_TRY(count_records(l, t, count, &again, err));
        }
        if (first && again) {
            l->could = out->legs;
            l->could_known = true;
        }
        if (!again && (!out->legs || out->of_nothing)) KQ_TRY(settle(l, count, &again, err));
    }
    return l->failed ? kq_arena_status(&l->arena, err) : KQ_OK;
}

/* Could a row come of the table if the inputs had its events? Also when that is not known. */
static bool could_help(const lacking *l, const table *t) {
    if (!t->data) return true;
    for (const kq_leg *leg = l->could; leg; leg = leg->next) {
        if (!leg->from || ((const cause *)leg->from)->table == t) return true;
        for (const kq_leg *also = leg->also; also; also = also->next)
            if (!also->from || also->also || ((const cause *)also->from)->table == t) return true;
    }
    return !l->could_known;
}

/* The sources of `could` of which nothing is here, in `names`. *known false: a leg may be of anything. */
typedef struct absent {
    kq_sv names[SOURCES_SHOWN + 1];
    const void *maps[SOURCES_SHOWN + 1];
    size_t n, visits;
    bool known;
} absent;

static void add_absent(const kq_leg *legs, absent *a) {
    for (const kq_leg *leg = legs; leg && a->n <= SOURCES_SHOWN && a->visits++ < 4096; leg = leg->next) {
        const cause *c = leg->from;
        a->known &= c && c->source;
        if (!a->known) return;
        bool met = !c->table->records || c->table->records[c->source - c->table->sources];
        for (size_t i = 0; i < a->n; i++) met |= a->maps[i] == c->source->map;
        if (!met) {
            a->maps[a->n] = c->source->map;
            a->names[a->n++] = c->source->name;
        }
        add_absent(leg->also, a);
    }
}

/* Sources that nothing else ends, and that a row needs. */
static absent absent_of(const lacking *l) {
    absent a = {.known = true};
    add_absent(l->could, &a);
    if (!a.known) a.n = 0;
    return a;
}

/* No input can have rows of the table, and events of others would do: then a stored function only reads it as well. */
static bool others_help(const lacking *l, const table *t) {
    return !t->data && absent_of(l).n > 0;
}

static rank rank_of(const lacking *l, const kq_ended *e) {
    const cause *c = e->why;
    bool view = kq_stored_name(l->stored, e->at).n > 0;
    if (is_missing(c)) return could_help(l, c->table) && !(view && others_help(l, c->table)) ? RANK_MISSING : RANK_VIEW;
    if (!l->everywhere && !is_here(c)) return RANK_NONE;
    if (!view && c->op) return RANK_CANT;
    if (c->op || (!c->observed && never(c))) return view ? RANK_VIEW_NEVER : RANK_NEVER;
    return view ? RANK_VIEW : RANK_OTHER;
}

static rank best_rank(const lacking *l, const kq_ended *list) {
    rank best = RANK_NONE;
    for (; list; list = list->next) {
        rank r = rank_of(l, list);
        if (r < best) best = r;
    }
    return best;
}

/* Is this the first cause of its source? Of this rank. */
static bool first_of_source(const lacking *l, const kq_ended *list, const kq_ended *e, rank r) {
    const cause *c = e->why;
    if (rank_of(l, e) != r) return false;
    for (; list; list = list->next) {
        const cause *other = list->why;
        if (other->table != c->table || other->source != c->source || other->observed != c->observed) continue;
        rank o = rank_of(l, list);
        if (o < r || (o == r && list != e)) return false;
        if (list == e) break;
    }
    return true;
}

/* Are both what is known of one column, the table's own or one that a view makes? */
static bool same_column(const cause *a, const cause *b) {
    return !a->op && !b->op && !is_missing(a) && !is_missing(b) && a->table == b->table && a->column == b->column &&
           kq_sv_eq(a->made, b->made);
}

/* Is it the best cause of its source, and one of the user's own conditions? */
static bool best_of_source(const lacking *l, const kq_ended *list, const kq_ended *e) {
    rank r = rank_of(l, e);
    return r <= RANK_OTHER && first_of_source(l, list, e, r);
}

/* Is it to be told? What several sources can't have alike is told once. */
static bool told(const lacking *l, const kq_ended *list, const kq_ended *e, rank r) {
    if (!first_of_source(l, list, e, r)) return false;
    for (; list != e; list = list->next)
        if (same_test(list->why, e->why) && is_here(list->why)) return false;
    return true;
}

/* "the events that could (Security 4697, System 7045) are in no input". Appended, when there are such. */
static bool add_could(const lacking *l, const char *before, kq_buf *out) {
    absent a = absent_of(l);
    if (!a.n) return false;
    kq_buf_printf(out, "%sthe events that could (", before);
    kq_catalog_name_sources(a.names, a.n, out);
    kq_buf_str(out, ") are in no input");
    return true;
}

static bool all_missing(const kq_ended *list) {
    while (list && is_missing(list->why)) list = list->next;
    return !list;
}

/* All that is known are conditions of a stored function that nothing here passes. Appended. */
static void of_view(const lacking *l, const kq_ended *e, kq_buf *out) {
    if (!add_could(l, "", out))
        kq_buf_printf(out, "no event here passes the conditions of " KQ_SV_FMT " and those of the query together",
                      KQ_SV_ARG(kq_stored_name(l->stored, e->at)));
}

/* Was it said when the query ran that the table has no rows, or that a view has no data at all? */
static bool noted(const lacking *l, const cause *c) {
    const kq_buf *notes = &l->runner->notes;
    kq_sv name = c->table->is->name;
    if (!is_missing(c)) return false;
    for (const char *p = notes->p; p && p < notes->p + notes->n; p += strlen(p) + 1) {
        bool has = memmem(p, strlen(p), name.p, name.n) != NULL;
        if (has && strstr(p, c->table->data ? " no rows here: no input has " : "no input here has data of "))
            return true;
        if (!c->table->data && kq_sv_starts(kq_sv_of(p), KQ_SV("no input here has data of a table that "))) return true;
    }
    return false;
}

/* One cause as a sentence. Appended. */
static kq_status tell_one(lacking *l, const kq_legs *legs, const kq_ended *e, rank r, bool every, bool first,
                          kq_buf *text, kq_error *err) {
    const cause *c = e->why;
    bool nothing = !legs->legs;
    uint32_t alike = 0, others = 0;
    if (legs->of_nothing)
        kq_buf_str(text, "nothing is counted here, and the row is there even so: ");
    else
        kq_buf_printf(text, "this can't match %s: ", nothing ? "here" : "there");
    if (r == RANK_VIEW && kq_stored_name(l->stored, e->at).n && !all_missing(legs->ended)) {
        of_view(l, e, text);
        return KQ_OK;
    }
    KQ_TRY(sentence(l, legs->ended, c, text, err));
    for (const kq_ended *o = legs->ended; o; o = o->next) {
        const cause *other = o->why;
        if (!other->source || other->source == c->source || !is_here(other) || same_test(other, c)) continue;
        bool same = same_column(c, other) && never(c) && never(other) && first_of_source(l, legs->ended, o, r);
        alike += same;
        others += !same && best_of_source(l, legs->ended, o);
    }
    if (c->op && c->cant.why) kq_buf_printf(text, ": %s", c->cant.why);
    if (!every && !l->everywhere && c->table->records && c->source) {
        if (alike && !(c->made.n && !c->view.n))
            kq_buf_printf(text, ", nor in %u other source%s here", alike, alike > 1 ? "s" : "");
        else
            others += alike;
        if (others)
            kq_buf_printf(text, "; events of %u other source%s here can't match either", others, others > 1 ? "s" : "");
    }
    if ((nothing || legs->of_nothing) && c->source && first) add_could(l, "; ", text);
    return KQ_OK;
}

/* Of the causes that are this one's column the one that says most: what all rows here have, then other values that some
 * have, then that it is never there. */
static const kq_ended *telling(const lacking *l, const kq_ended *list, const kq_ended *e) {
    const cause *c = e->why;
    for (; list; list = list->next) {
        const cause *o = list->why, *best = e->why;
        if (!same_column(c, o) || rank_of(l, list) > RANK_OTHER) continue;
        if ((o->observed && !best->observed) || (!best->observed && never(best) && !never(o))) e = list;
    }
    return e;
}

static kq_status tell_all(lacking *l, const kq_legs *legs, bool every, kq_lacking_fn fn, void *ctx, kq_buf *text,
                          kq_error *err) {
    bool nothing = !legs->legs, all = nothing || legs->of_nothing, first = true;
    rank best = best_rank(l, legs->ended);
    for (rank r = best; r < RANK_NONE && (r == best || (every && r < RANK_MISSING)); r++)
        for (const kq_ended *e = legs->ended; e; e = e->next) {
            const cause *c = e->why;
            if (!told(l, legs->ended, e, r)) continue;
            if (!every && noted(l, c)) return KQ_OK;
            const kq_ended *shown = every ? e : telling(l, legs->ended, e);
            if (!all && (r >= RANK_MISSING || c->observed || (c->source && !never(c)))) continue;
            kq_buf_clear(text);
            KQ_TRY(tell_one(l, legs, shown, rank_of(l, shown), every, first, text, err));
            first = false;
            kq_buf_char(text, 0);
            KQ_TRY(kq_buf_status(text, err));
            KQ_TRY(fn(ctx, nothing, text->p, kq_stored_call(l->stored, shown->at), err));
            if (!every || r == RANK_VIEW) return KQ_OK;
        }
    return KQ_OK;
}

static kq_status tell(lacking *l, const kq_legs *legs, bool every, kq_lacking_fn fn, void *ctx, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, l->runner->env.budget, 1 << 16);
    kq_status status = tell_all(l, legs, every, fn, ctx, &text, err);
    kq_buf_deinit(&text);
    return status;
}

/* Nothing is known that says what the user's own conditions lack: the plan as it is written may tell, where no filter
 * went below a union yet. */
static kq_status as_written(lacking *l, kq_sv text, bool every, kq_cleanup **cleanups, kq_legs *legs, kq_error *err) {
    const kq_stored *stored = l->stored;
    const kq_leg *could = l->could;
    bool optimized = !l->runner->no_optimize;
    kq_query query;
    kq_legs other;
    l->runner->no_optimize = true;
    kq_status status = kq_runner_bind(l->runner, text, &l->arena, cleanups, &query, err);
    l->runner->no_optimize = !optimized;
    if (status) return status;
    rank best = best_rank(l, legs->ended);
    l->stored = query.stored;
    KQ_TRY(legs_here(l, query.plan, every, true, &other, err));
    if (!other.legs && other.ended && best_rank(l, other.ended) < best) {
        *legs = other;
        return KQ_OK;
    }
    l->everywhere = best == RANK_VIEW && kq_stored_name(stored, legs->ended->at).n;
    if (l->everywhere) KQ_TRY(legs_here(l, query.plan, every, true, &other, err));
    if (l->everywhere && !other.legs && best_rank(l, other.ended) <= RANK_NEVER) {
        *legs = other;
        return KQ_OK;
    }
    l->everywhere = false;
    l->stored = stored;
    l->could = could;
    return KQ_OK;
}

kq_status kq_lacking(kq_runner *runner, kq_sv text, bool every, kq_lacking_fn fn, void *ctx, kq_error *err) {
    lacking l = {.runner = runner};
    kq_cleanup *cleanups = NULL;
    kq_query query;
    kq_legs legs;
    kq_arena_init(&l.arena, runner->env.budget, 0);
    kq_status status = kq_runner_bind(runner, text, &l.arena, &cleanups, &query, err);
    if (!status) l.stored = query.stored;
    if (!status) status = legs_here(&l, query.plan, every, false, &legs, err);
    if (!status && !legs.legs && best_rank(&l, legs.ended) > RANK_OTHER)
        status = as_written(&l, text, every, &cleanups, &legs, err);
    bool empty = false;
    if (!status && legs.legs && !legs.of_nothing && (every || is_small(runner->env.catalog)))
        status = kq_empties(runner, &query, &l.arena, every, fn, ctx, &empty, err);
    /* what one source lacks says something of the query when it reads that table and no other */
    if (!status && !empty && (!legs.legs || (every && (l.leaves == 1 || legs.of_nothing))))
        status = tell(&l, &legs, every, fn, ctx, err);
    if (!status && every && !legs.legs && !legs.ended)
        status = fn(ctx, true, "this can't match anywhere: its own conditions never hold", KQ_NO_SPAN, err);
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&l.arena);
    return !every && (status == KQ_ERR_LIMIT || status == KQ_ERR_DEADLINE) ? KQ_OK : status;
}

kq_status kq_lacking_note(void *runner, KQ_UNUSED bool nothing, const char *sentence, KQ_UNUSED kq_span at,
                          KQ_UNUSED kq_error *err) {
    kq_runner_note(runner, "%s", sentence);
    return KQ_OK;
}
