#include "exec/empties.h"
#include "kql/reach.h"

#define ASKED_MAX    32 /* columns of a table; of more nothing is read */
#define VALUES_SHOWN 6

typedef struct table table;

/* What a leg of a group knows: a column of the table, or (`column` is its number of columns) the group. */
typedef struct fact {
    table *table;
    uint32_t column, group;
    bool empty; /* else a key */
} fact;

/* A table as one scan of the plan reads it. */
struct table {
    const kq_plan *scan;
    const kq_table *is;
    bool *wanted; /* columns that filters ask for */
    uint32_t nwanted;
    bool asked[64]; /* keys that ended a group, of the first columns that are keys */
    const kq_observed_groups *groups;
    bool *passed; /* groups of which rows come when only the keys are known */
    table *next;
};

typedef enum mode { MODE_ASK, MODE_KEYS, MODE_EMPTY } mode;

typedef struct empties {
    kq_runner *runner;
    const kq_stored *stored;
    kq_arena *arena;
    table *tables;
    mode mode;
    unsigned visits;
    bool any; /* a leg may be of any group */
} empties;

static kq_status table_of(empties *m, const kq_plan *scan, table **out, kq_error *err) {
    const kq_table *is = scan->u.scan.handle;
    for (*out = m->tables; *out; *out = (*out)->next)
        if ((*out)->scan == scan) return KQ_OK;
    table *t = kq_arena_new(m->arena, table);
    bool *wanted = kq_arena_array(m->arena, bool, is->columns.n + 1);
    if (!t || !wanted) return kq_arena_status(m->arena, err);
    *t = (table){.scan = scan, .is = is, .wanted = wanted, .next = m->tables};
    m->tables = *out = t;
    return KQ_OK;
}

/* What is known of a column of a leg: nothing, unless it is a key, or empty. `group`: NULL while it is asked what
 * filters want. */
static kq_status know(const empties *m, table *t, uint32_t column, const kq_observed_group *group, kq_known *out,
                      kq_error *err) {
    bool key = group && t->groups->keys[column];
    bool empty =
        group && m->mode == MODE_EMPTY && t->groups->read[column] && t->wanted[column] && !group->filled[column];
    if (m->mode == MODE_ASK) empty = !kq_catalog_observes(t->is, column) && kq_catalog_groups_by(t->is, column);
    if (!key && !empty) return KQ_OK;
    fact *f = kq_arena_new(m->arena, fact);
    kq_value *value = kq_arena_new(m->arena, kq_value);
    if (!f || !value) return kq_arena_status(m->arena, err);
    kq_type type = t->is->columns.items[column].type;
    *value = key ? group->keys[column] : type == KQ_STRING ? kq_value_sv(KQ_SV("")) : kq_value_null(type);
    *f = (fact){t, column, group ? (uint32_t)(group - t->groups->items) : 0, !key};
    *out = (kq_known){value, 1, f};
    return KQ_OK;
}

static kq_status add_leg(const empties *m, table *t, const kq_plan *scan, const kq_observed_group *group, kq_legs *out,
                         kq_error *err) {
    kq_leg *leg = kq_arena_new(m->arena, kq_leg);
    fact *from = kq_arena_new(m->arena, fact);
    kq_known *columns = kq_arena_array(m->arena, kq_known, scan->out.n + 1);
    if (!leg || !from || !columns) return kq_arena_status(m->arena, err);
    for (uint32_t i = 0; i < scan->out.n; i++) {
        uint32_t c = scan->u.scan.columns ? scan->u.scan.columns[i] : i;
        if (c < t->is->columns.n) KQ_TRY(know(m, t, c, group, &columns[i], err));
    }
    *from = (fact){t, t->is->columns.n, group ? (uint32_t)(group - t->groups->items) : UINT32_MAX, false};
    *leg = (kq_leg){.columns = columns, .from = from, .next = out->legs};
    out->legs = leg;
    return KQ_OK;
}

/* A leg for each group; one for a table whose rows nobody read. */
static kq_status scan_legs(void *ctx, const kq_plan *scan, kq_legs *out, kq_error *err) {
    empties *m = ctx;
    table *t;
    *out = (kq_legs){0};
    KQ_TRY(table_of(m, scan, &t, err));
    if (!kq_catalog_has_data(m->runner->env.catalog, t->is)) return KQ_OK;
    if (m->mode == MODE_ASK || !t->groups) return add_leg(m, t, scan, NULL, out, err);
    for (uint32_t i = t->groups->n; i-- > 0;)
        if (m->mode == MODE_KEYS || t->passed[i]) KQ_TRY(add_leg(m, t, scan, &t->groups->items[i], out, err));
    return KQ_OK;
}

static void ask(KQ_UNUSED void *ctx, const void *why) {
    const fact *f = why;
    if (f->table->wanted[f->column]) return;
    f->table->wanted[f->column] = true;
    f->table->nwanted++;
}

static bool can(KQ_UNUSED void *ctx, KQ_UNUSED const void *column, KQ_UNUSED const kq_text_op *op, KQ_UNUSED bool ci,
                KQ_UNUSED kq_sv needle, KQ_UNUSED const void **why) {
    return true;
}

static void ended(void *ctx, const void *why) {
    const fact *f = why;
    const empties *m = ctx;
    if (m->mode == MODE_KEYS && f->column < sizeof f->table->asked) f->table->asked[f->column] = true;
}

/* Notes the groups of legs. */
static void pass(empties *m, const kq_leg *legs) {
    for (const kq_leg *l = legs; l && !m->any; l = l->next) {
        const fact *f = l->from;
        m->any = !f || m->visits++ > 20000;
        if (f && f->group != UINT32_MAX) f->table->passed[f->group] = true;
        pass(m, l->also);
    }
}

/* What a filter asks of a subquery is not told from what it needs of it: its groups pass. */
static void list(void *ctx, const kq_leg *legs) {
    empties *m = ctx;
    if (m->mode == MODE_KEYS) pass(m, legs);
}

static kq_status reach(empties *m, mode mode, const kq_plan *plan, kq_legs *out, kq_error *err) {
    const kq_reach r = {.scan = scan_legs,
                        .can = can,
                        .ask = mode == MODE_ASK ? ask : NULL,
                        .end = ended,
                        .list = list,
                        .ctx = m,
                        .arena = m->arena};
    m->mode = mode;
    return kq_reach_legs(&r, plan, out, err);
}

static kq_status read_tables(empties *m, bool *any, kq_error *err) {
    *any = false;
    for (table *t = m->tables; t; t = t->next) {
        uint32_t n = t->is->columns.n;
        if (!t->nwanted || t->nwanted > ASKED_MAX) continue;
        bool *wanted = kq_arena_array(m->arena, bool, n + 1); /* by all scans of the table: it is read once */
        if (!wanted) return kq_arena_status(m->arena, err);
        for (const table *o = m->tables; o; o = o->next)
            for (uint32_t c = 0; c < n && o->is == t->is && o->nwanted <= ASKED_MAX; c++) wanted[c] |= o->wanted[c];
        KQ_TRY(kq_catalog_group(m->runner->env.catalog, t->is, wanted, m->runner->env.budget, &t->groups, err));
        if (!t->groups) continue;
        *any |= t->groups->n > 0;
        t->passed = kq_arena_array(m->arena, bool, t->groups->n + 1);
        if (!t->passed) return kq_arena_status(m->arena, err);
    }
    return KQ_OK;
}

/* Of a table the groups that ended for want of one column. */
typedef struct found {
    const table *table;
    uint32_t column;
    bool *groups;
    bool *with; /* the keys that tell them from others in the sentence */
    uint64_t rows;
    bool others; /* groups ended for want of another column */
} found;

/* Has a group of `f` this group's value of the key? */
static bool has_key(const found *f, uint32_t key, const kq_observed_group *group) {
    for (uint32_t i = 0; i < f->table->groups->n; i++)
        if (f->groups[i] && kq_value_same(&f->table->groups->items[i].keys[key], &group->keys[key])) return true;
    return false;
}

/* Is the column empty in all rows that have the values of these keys? Counts them. */
static bool is_true(found *f) {
    const kq_observed_groups *g = f->table->groups;
    f->rows = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        bool meant = true;
        for (uint32_t c = 0; c < f->table->is->columns.n && meant; c++)
            meant = !f->with[c] || has_key(f, c, &g->items[i]);
        if (!meant) continue;
        if (g->items[i].filled[f->column]) return false;
        f->rows += g->items[i].rows;
    }
    return f->rows > 0;
}

static bool is_asked(const found *f, uint32_t column) {
    return column < sizeof f->table->asked && f->table->asked[column] && f->table->groups->keys[column];
}

/* Chooses the keys of the sentence: none, one that the query asks for, all of these, or any other. False: none of these
 * would be true. */
static bool choose_keys(found *f) {
    uint32_t n = f->table->is->columns.n;
    if (is_true(f)) return true;
    for (int asked = 1; asked >= 0; asked--) {
        for (uint32_t c = 0; c < n; c++) {
            if (!f->table->groups->keys[c] || is_asked(f, c) != asked) continue;
            f->with[c] = true;
            if (is_true(f)) return true;
            f->with[c] = false;
        }
        for (uint32_t c = 0; c < n && asked; c++) f->with[c] = is_asked(f, c);
        if (asked && is_true(f)) return true;
        memset(f->with, 0, n);
    }
    return false;
}

/* " with EventID 1102". Appended. */
static void add_key(const found *f, uint32_t key, const char *before, kq_buf *out) {
    const kq_observed_groups *g = f->table->groups;
    uint32_t shown = 0;
    kq_buf_printf(out, "%s" KQ_SV_FMT " ", before, KQ_SV_ARG(f->table->is->columns.items[key].name));
    for (uint32_t i = 0; i < g->n; i++) {
        bool met = !f->groups[i];
        for (uint32_t k = 0; k < i && !met; k++)
            met = f->groups[k] && kq_value_same(&g->items[k].keys[key], &g->items[i].keys[key]);
        if (met) continue;
        if (shown++) kq_buf_str(out, ", ");
        if (shown > VALUES_SHOWN) {
            kq_buf_str(out, "...");
            return;
        }
        const kq_value *v = &g->items[i].keys[key];
        if (v->null || (v->type == KQ_STRING && !kq_str_view(&v->u.s).n))
            kq_buf_str(out, "none");
        else
            kq_value_text(v, out);
    }
}

/* "CommandLine is empty in all 2 rows of SecurityEvent with EventID 1102 here". Appended. */
static void sentence(const found *f, kq_buf *out) {
    const kq_columns *columns = &f->table->is->columns;
    kq_buf_sv(out, columns->items[f->column].name);
    if (f->rows == 1)
        kq_buf_str(out, " is empty in the only row of ");
    else
        kq_buf_printf(out, " is empty in all %llu rows of ", (unsigned long long)f->rows);
    kq_buf_sv(out, f->table->is->name);
    const char *before = " with ";
    for (uint32_t c = 0; c < columns->n; c++) {
        if (!f->with[c]) continue;
        add_key(f, c, before, out);
        before = " and ";
    }
    kq_buf_str(out, f->others ? " here; others here can't match either" : " here");
}

/* The first group that ended for want of a column, by a condition of the query's own if there is one. */
static const kq_ended *first_empty(const empties *m, const kq_ended *list) {
    const kq_ended *first = NULL;
    for (const kq_ended *e = list; e; e = e->next) {
        if (!((const fact *)e->why)->empty) continue;
        if (!kq_stored_name(m->stored, e->at).n) return e;
        if (!first) first = e;
    }
    return first;
}

static kq_status tell_first(empties *m, const kq_legs *legs, kq_lacking_fn fn, void *ctx, bool *told, kq_error *err) {
    const kq_ended *e = first_empty(m, legs->ended);
    if (!e) return KQ_OK;
    const fact *first = e->why;
    found f = {.table = first->table, .column = first->column};
    f.groups = kq_arena_array(m->arena, bool, f.table->groups->n + 1);
    f.with = kq_arena_array(m->arena, bool, f.table->is->columns.n + 1);
    if (!f.groups || !f.with) return kq_arena_status(m->arena, err);
    for (const kq_ended *o = legs->ended; o; o = o->next) {
        const fact *other = o->why;
        bool same = other->empty && other->table->is == f.table->is && other->column == f.column;
        if (same && other->table == f.table) f.groups[other->group] = true;
        f.others |= other->empty && !same;
    }
    if (!choose_keys(&f)) return KQ_OK;
    kq_buf text;
    kq_buf_init(&text, m->runner->env.budget, 1 << 16);
    kq_buf_str(&text,
               legs->legs ? "nothing is counted here, and the row is there even so: " : "this can't match here: ");
    sentence(&f, &text);
    kq_buf_char(&text, 0);
    kq_status status = kq_buf_status(&text, err);
    if (!status) status = fn(ctx, !legs->legs, text.p, kq_stored_call(m->stored, e->at), err);
    kq_buf_deinit(&text);
    *told = !status;
    return status;
}

kq_status kq_empties(kq_runner *runner, const kq_query *query, kq_arena *arena, bool every, kq_lacking_fn fn, void *ctx,
                     bool *told, kq_error *err) {
    empties m = {.runner = runner, .stored = query->stored, .arena = arena};
    kq_legs legs;
    bool any;
    *told = false;
    KQ_TRY(reach(&m, MODE_ASK, query->plan, &legs, err));
    KQ_TRY(read_tables(&m, &any, err));
    if (!any) return KQ_OK;
    KQ_TRY(reach(&m, MODE_KEYS, query->plan, &legs, err));
    if (!legs.legs) return KQ_OK; /* no row has the keys together that are asked for */
    pass(&m, legs.legs);
    for (table *t = m.tables; t && m.any; t = t->next)
        if (t->groups) memset(t->passed, true, t->groups->n);
    KQ_TRY(reach(&m, MODE_EMPTY, query->plan, &legs, err));
    return !legs.legs || (every && legs.of_nothing) ? tell_first(&m, &legs, fn, ctx, told, err) : KQ_OK;
}
