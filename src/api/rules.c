#include "api/engine.h"
#include "rules/detect.h"
#include "rules/lint.h"

static kq_status load(const char *const *paths, size_t npaths, kq_arena *arena, kq_rules *rules, kq_error *err) {
    for (size_t i = 0; i < npaths; i++) KQ_TRY(kq_rules_load(rules, paths[i], arena, err));
    return KQ_OK;
}

/* The first file that was not loaded is the error in the end, the others are notes; all are when there is a worse
 * one. */
static kq_status refused(kq_engine *e, const kq_rules *rules, kq_status status, kq_error *err) {
    bool worse = status && status != KQ_ERR_FAILED && status != KQ_ERR_USAGE;
    for (size_t i = 0; i < rules->nrefused; i++) {
        if (i || worse)
            kq_runner_note(&e->runner, "%s", rules->refused[i]);
        else
            status = kq_fail(err, KQ_ERR_RULE, "%s", rules->refused[i]);
    }
    return status;
}

kq_status kq_engine_run(kq_engine *e, const char *const *paths, size_t npaths, kq_run_options *options,
                        const kq_output *out, kq_stats *stats, kq_error *err) {
    kq_arena arena;
    kq_rules rules = {0};
    kq_arena_init(&arena, &e->budget, 0);
    kq_detection d = {.runner = &e->runner, .out = out, .replay = options->replay, .rows = options->rows};
    kq_status status = kq_engine_begin(e, err);
    if (!status) status = load(paths, npaths, &arena, &rules, err);
    if (!status && (rules.n || !rules.nrefused)) status = kq_detect(&d, &rules, err);
    if (!status && !options->replay) status = kq_engine_note_old(e, err);
    status = refused(e, &rules, status, err);
    options->alerts = e->rows = d.alerts;
    kq_arena_deinit(&arena);
    return kq_engine_end(e, status, stats, err);
}

kq_status kq_engine_lint(kq_engine *e, const char *const *paths, size_t npaths, const kq_output *out, kq_stats *stats,
                         kq_error *err) {
    kq_arena arena;
    kq_rules rules = {0};
    uint64_t errors = 0;
    kq_arena_init(&arena, &e->budget, 0);
    kq_status status = kq_engine_begin(e, err);
    if (!status) status = load(paths, npaths, &arena, &rules, err);
    if (!status && (rules.n || !rules.nrefused)) status = kq_lint(&e->runner, &rules, out, &errors, err);
    status = refused(e, &rules, status, err);
    kq_arena_deinit(&arena);
    status = kq_engine_end(e, status, stats, err);
    if ((!status || status == KQ_ERR_DAMAGED) && errors)
        return kq_fail(err, KQ_ERR_FAILED, "%llu rule%s can't run", (unsigned long long)errors, errors == 1 ? "" : "s");
    return status;
}

kq_status kq_engine_test(kq_engine *e, const char *const *paths, size_t npaths, const kq_output *out, kq_error *err) {
    kq_arena arena;
    kq_rules rules = {0};
    kq_arena_init(&arena, &e->budget, 0);
    kq_status status = kq_engine_begin(e, err);
    if (!status) status = load(paths, npaths, &arena, &rules, err);
    if (!status && (rules.n || !rules.nrefused)) status = kq_detect_test(&e->runner, &rules, out, err);
    status = refused(e, &rules, status, err);
    if (status == KQ_ERR_RULE && rules.nrefused > 1) /* there are no notes here */
        kq_error_hint(err, "%zu files of rules can't be loaded; lint tells all", rules.nrefused);
    kq_arena_deinit(&arena);
    return status;
}
