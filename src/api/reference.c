/* What kequel knows, listed: tables, columns, functions. */
#include "api/engine.h"
#include "base/nearest.h"
#include "func/aggregate.h"
#include "func/scalar.h"
#include "kql/builtin.h"
#include "schema/catalog.h"
#include "sink/listing.h"

static kq_value text(const char *s) {
    return kq_value_sv(kq_sv_of(s));
}

static kq_status unknown(const char *what, kq_sv name, const kq_sv *names, size_t n, kq_error *err) {
    kq_status status = kq_fail(err, KQ_ERR_USAGE, "there is no %s '" KQ_SV_FMT "'", what, KQ_SV_ARG(name));
    const kq_sv *near = kq_nearest(name, names, n);
    if (near) kq_error_hint(err, "did you mean '" KQ_SV_FMT "'?", KQ_SV_ARG(*near));
    return status;
}

static kq_status all_names(const kq_catalog *catalog, kq_sv **names, size_t *n, kq_error *err) {
    *n = kq_catalog_names(catalog, NULL);
    *names = kq_calloc(*n + 1, sizeof **names);
    if (!*names) return kq_nomem(err);
    kq_catalog_names(catalog, *names);
    return KQ_OK;
}

static kq_status list_tables(const kq_catalog *catalog, const kq_output *out, kq_error *err) {
    static const kq_column columns[] = {{{"Table", 5}, KQ_STRING, false},
                                        {{"Columns", 7}, KQ_LONG, false},
                                        {{"From", 4}, KQ_STRING, false},
                                        {{"Description", 11}, KQ_STRING, false}};
    kq_listing l;
    kq_sv *names;
    size_t n;
    KQ_TRY(all_names(catalog, &names, &n, err));
    kq_status status = kq_listing_init(&l, out, columns, 4, err);
    for (size_t i = 0; i < n && !status; i++) {
        const kq_table *t = kq_catalog_find(catalog, names[i]);
        if (!t) {
            status = kq_catalog_status(catalog, err);
            continue;
        }
        kq_value row[] = {kq_value_sv(t->name), kq_value_long(t->columns.n),
                          text(kq_catalog_maps(catalog, t) ? "Windows logs, exports" : "exports"), text(t->doc)};
        status = kq_listing_row(&l, row, err);
    }
    if (!status) status = kq_listing_finish(&l, err);
    kq_listing_deinit(&l);
    kq_free(names);
    return status;
}

/* As schema text writes it. */
static const char *type_of(const kq_column *column) {
    return column->text ? "dynamic|string" : kq_type_name(column->type);
}

static kq_status list_columns(const kq_catalog *catalog, const kq_table *t, const kq_output *out, kq_error *err) {
    static const kq_column columns[] = {
        {{"Column", 6}, KQ_STRING, false}, {{"Type", 4}, KQ_STRING, false}, {{"From", 4}, KQ_STRING, false}};
    kq_listing l;
    kq_buf from;
    kq_buf_init(&from, NULL, 1 << 20);
    kq_status status = kq_listing_init(&l, out, columns, 3, err);
    for (uint32_t i = 0; i < t->columns.n && !status; i++) {
        kq_buf_clear(&from);
        kq_catalog_describe(catalog, t, i, &from);
        kq_value row[] = {kq_value_sv(t->columns.items[i].name), text(type_of(&t->columns.items[i])),
                          kq_value_sv(kq_buf_view(&from))};
        status = kq_listing_row(&l, row, err);
    }
    if (!status) status = kq_listing_finish(&l, err);
    kq_listing_deinit(&l);
    kq_buf_deinit(&from);
    return status;
}

static kq_status view_column(void *ctx, const kq_column *column, kq_sv from, kq_error *err) {
    kq_value row[] = {kq_value_sv(column->name), text(type_of(column)), kq_value_sv(from)};
    return kq_listing_row(ctx, row, err);
}

/* A stored function's columns are those of the query that names it. */
static kq_status list_view(kq_engine *engine, const kq_function *f, const kq_output *out, kq_error *err) {
    static const kq_column columns[] = {
        {{"Column", 6}, KQ_STRING, false}, {{"Type", 4}, KQ_STRING, false}, {{"From", 4}, KQ_STRING, false}};
    kq_listing l;
    kq_status status = kq_listing_init(&l, out, columns, 3, err);
    if (!status) status = kq_engine_begin(engine, err);
    engine->runner.no_optimize = true; /* what is asked is the function as it is written */
    if (!status) status = kq_runner_columns(&engine->runner, f->name, view_column, &l, err);
    if (!status) status = kq_listing_finish(&l, err);
    kq_listing_deinit(&l);
    return status;
}

kq_status kq_engine_schema(kq_engine *engine, const char *table, const kq_output *out, kq_error *err) {
    const kq_catalog *catalog = engine->catalog;
    kq_status status;
    if (!table) {
        status = list_tables(catalog, out, err);
    } else {
        const kq_table *t = kq_catalog_find(catalog, kq_sv_of(table));
        const kq_function *f = kq_catalog_function(catalog, kq_sv_of(table));
        kq_sv *names;
        size_t n, nviews;
        status = kq_catalog_status(catalog, err);
        if (f) {
            status = list_view(engine, f, out, err);
        } else if (t) {
            status = list_columns(catalog, t, out, err);
        } else if (!status && !(status = all_names(catalog, &names, &n, err))) {
            const kq_sv *views = kq_catalog_function_names(catalog, &nviews);
            status = unknown("table", kq_sv_of(table), names, n, err);
            if (!err || !err->hint[0]) status = unknown("table", kq_sv_of(table), views, nviews, err);
            kq_free(names);
        }
    }
    return status;
}

/* Operators are rows of the function table too; their names are no identifiers. */
static const char *kind_of(const char *name) {
    char c = name[0];
    static const char *const words[] = {"and",      "or",      "has", "contains", "startswith",
                                        "endswith", "matches", "in",  "between"};
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter) return "operator";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (strncmp(name, words[i], n) == 0 && (!name[n] || name[n] == ' ' || name[n] == '~')) return "operator";
    }
    static const char *const more[] = {"has_cs",    "has_any",      "has_all",     "hasprefix",     "hasprefix_cs",
                                       "hassuffix", "hassuffix_cs", "contains_cs", "startswith_cs", "endswith_cs"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (strcmp(name, more[i]) == 0) return "operator";
    return "function";
}

static kq_status list_stored(const kq_function *stored, size_t n, const char *name, kq_listing *l, kq_error *err) {
    kq_buf signature, doc;
    kq_status status = KQ_OK;
    kq_buf_init(&signature, NULL, 1 << 16);
    kq_buf_init(&doc, NULL, 1 << 16);
    for (size_t i = 0; i < n && !status; i++) {
        if (name ? !kq_sv_eq(stored[i].name, kq_sv_of(name)) : stored[i].hidden) continue;
        kq_buf_clear(&signature);
        kq_buf_clear(&doc);
        kq_function_signature(&stored[i], &signature);
        kq_function_doc(&stored[i], &doc);
        kq_value row[] = {kq_value_sv(stored[i].name), text("stored function"), kq_value_sv(kq_buf_view(&signature)),
                          kq_value_sv(kq_buf_view(&doc))};
        status = kq_listing_row(l, row, err);
    }
    kq_buf_deinit(&signature);
    kq_buf_deinit(&doc);
    return status;
}

static kq_status list_functions(const kq_catalog *catalog, const char *name, const kq_output *out, kq_error *err) {
    static const kq_column columns[] = {{{"Name", 4}, KQ_STRING, false},
                                        {{"Kind", 4}, KQ_STRING, false},
                                        {{"Signature", 9}, KQ_STRING, false},
                                        {{"Description", 11}, KQ_STRING, false}};
    size_t nscalars, naggs, nstored, nbuiltins, n = 0;
    const kq_builtin *builtins = kq_builtin_rows(&nbuiltins);
    const kq_function *stored = kq_catalog_functions(catalog, &nstored);
    const kq_scalar *scalars = kq_scalar_rows(&nscalars);
    const kq_aggregate *aggs = kq_aggregate_rows(&naggs);
    kq_sv *names = kq_calloc(nscalars + naggs + nbuiltins + nstored + 1, sizeof *names);
    if (!names) return kq_nomem(err);
    bool found = !name;
    for (size_t i = 0; i < nscalars; i++)
        if (!(scalars[i].flags & KQ_HIDDEN)) names[n++] = kq_sv_of(scalars[i].name);
    for (size_t i = 0; i < naggs; i++) names[n++] = kq_sv_of(aggs[i].name);
    for (size_t i = 0; i < nbuiltins; i++) names[n++] = kq_sv_of(builtins[i].name);
    for (size_t i = 0; i < nstored; i++) names[n++] = stored[i].name;
    for (size_t i = 0; i < n && name; i++) found |= kq_sv_eq(names[i], kq_sv_of(name));
    if (!found) {
        kq_status status = unknown("function or operator", kq_sv_of(name), names, n, err);
        kq_free(names);
        return status;
    }
    kq_free(names);
    kq_listing l;
    kq_status status = kq_listing_init(&l, out, columns, 4, err);
    for (size_t i = 0; i < nscalars && !status; i++) {
        const kq_scalar *s = &scalars[i];
        if (s->flags & KQ_HIDDEN || (name ? strcmp(s->name, name) != 0 : !s->doc[0])) continue;
        kq_value row[] = {text(s->name), text(kind_of(s->name)), text(s->signature), text(s->doc)};
        status = kq_listing_row(&l, row, err);
    }
    for (size_t i = 0; i < naggs && !status; i++) {
        const kq_aggregate *a = &aggs[i];
        if (name ? strcmp(a->name, name) != 0 : !a->doc[0]) continue;
        kq_value row[] = {text(a->name), text("aggregate"), text(a->signature), text(a->doc)};
        status = kq_listing_row(&l, row, err);
    }
    for (size_t i = 0; i < nbuiltins && !status; i++) {
        const kq_builtin *b = &builtins[i];
        if (name && strcmp(b->name, name) != 0) continue;
        kq_value row[] = {text(b->name), text(b->kind), text(b->signature), text(b->doc)};
        status = kq_listing_row(&l, row, err);
    }
    if (!status) status = list_stored(stored, nstored, name, &l, err);
    if (!status) status = kq_listing_finish(&l, err);
    kq_listing_deinit(&l);
    return status;
}

kq_status kq_functions(const char *name, const kq_output *out, kq_error *err) {
    kq_catalog *catalog;
    KQ_TRY(kq_catalog_create(NULL, &catalog, err));
    kq_status status = list_functions(catalog, name, out, err);
    kq_catalog_destroy(catalog);
    return status;
}
