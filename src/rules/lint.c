#include "rules/lint.h"
#include "exec/lacking.h"
#include "exec/zoneless.h"
#include "sink/listing.h"
#include <stdio.h>

static const kq_column columns[] = {{{"Rule", 4}, KQ_STRING, false},
                                    {{"Level", 5}, KQ_STRING, false},
                                    {{"Line", 4}, KQ_LONG, false},
                                    {{"Column", 6}, KQ_LONG, false},
                                    {{"Message", 7}, KQ_STRING, false}};

typedef struct lint {
    const kq_rule *rule;
    kq_listing *rows;
    kq_zoneless *zoneless;
    uint64_t found; /* rows of the rule */
    bool warned;    /* it can't match here */
} lint;

static kq_status row(lint *l, const char *level, const kq_error *at, const char *message, kq_error *err) {
    kq_value line = kq_value_null(KQ_LONG), column = line;
    if (at && at->span_start != UINT32_MAX) {
        int64_t n = 1, k = 1;
        for (uint32_t i = 0; i < at->span_start && i < l->rule->query.n; i++) {
            k++;
            if (l->rule->query.p[i] == '\n') {
                n++;
                k = 1;
            }
        }
        line = kq_value_long(n);
        column = kq_value_long(k);
    }
    kq_value values[] = {kq_value_sv(l->rule->name), kq_value_sv(kq_sv_of(level)), line, column,
                         kq_value_sv(kq_sv_of(message))};
    l->found++;
    return kq_listing_row(l->rows, values, err);
}

static kq_status lacking(void *ctx, bool nothing, const char *sentence, kq_span at, kq_error *err) {
    const kq_error place = {.span_start = at.start, .span_len = at.len};
    ((lint *)ctx)->warned |= nothing;
    return row(ctx, nothing ? "warning" : "information", &place, sentence, err);
}

static kq_status lint_rule(lint *l, kq_runner *runner, uint64_t *errors, kq_error *err) {
    kq_arena arena;
    kq_cleanup *cleanups = NULL;
    kq_query query;
    kq_error why = {0};
    size_t inputs;
    kq_catalog_inputs(runner->env.catalog, &inputs);
    kq_arena_init(&arena, runner->env.budget, 0);
    kq_status status = kq_runner_bind(runner, l->rule->query, &arena, &cleanups, &query, &why);
    if (status == KQ_ERR_QUERY) {
        char text[sizeof why.message + sizeof why.hint + 4];
        snprintf(text, sizeof text, "%s%s%s", why.message, why.hint[0] ? "; " : "", why.hint);
        ++*errors;
        status = row(l, "error", &why, text, err);
    } else if (status) {
        if (err) *err = why;
    } else if (inputs) {
        bool refused;
        status = kq_zoneless_ask(l->zoneless, runner, query.plan, &refused, &why, err);
        if (!status && refused) {
            char text[sizeof why.message + sizeof why.hint + 32];
            snprintf(text, sizeof text, "run refuses this here: %s; %s", why.message, why.hint);
            status = row(l, "warning", NULL, text, err);
        }
        if (!status) status = kq_lacking(runner, l->rule->query, true, lacking, l, err);
    }
    kq_cleanup_run(&cleanups);
    kq_arena_deinit(&arena);
    if (!status && !l->found)
        status = row(l, "information", NULL, inputs ? "sound, and it can match here" : "sound", err);
    return status;
}

kq_status kq_lint(kq_runner *runner, const kq_rules *rules, const kq_output *out, uint64_t *errors, kq_error *err) {
    kq_listing rows;
    size_t inputs, warned = 0;
    kq_zoneless zoneless = {0};
    *errors = 0;
    kq_status status = kq_listing_init(&rows, out, columns, sizeof columns / sizeof *columns, err);
    for (size_t i = 0; i < rules->n && !status; i++) {
        lint l = {.rule = &rules->items[i], .rows = &rows, .zoneless = &zoneless};
        status = lint_rule(&l, runner, errors, err);
        warned += l.warned;
    }
    if (!status) status = kq_listing_finish(&rows, err);
    kq_listing_deinit(&rows);
    kq_catalog_inputs(runner->env.catalog, &inputs);
    char here[48] = "";
    if (inputs) snprintf(here, sizeof here, ", %zu that can't match here", warned);
    if (!status && rules->n > 1)
        kq_runner_note(runner, "%zu rules: %llu with errors%s", rules->n, (unsigned long long)*errors, here);
    return status;
}
