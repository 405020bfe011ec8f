#include "api/engine.h"
#include "rules/detect.h"
#include "rules/lint.h"

static kq_status load(const char *const *paths, size_t npaths, kq_arena *arena, kq_rules *rules, kq_error *err) {
    for (size_t i = 0; i < npaths; i++) KQ_TRY(kq_rules_load(rules, paths[i], arena, err));
    return KQ_OK;
}

kq_status kq_engine_run(kq_engine *e, const char *const *paths, size_t npaths, kq_run_options *options,
                        const kq_output *out, kq_stats *stats, kq_error *err) {
    kq_arena arena;
    kq_rules rules = {0};
    kq_arena_init(&arena, &e->budget, 0);
    kq_detection d = {.runner = &e->runner, .out = out, .replay = options->replay, .rows = options->rows};
    kq_status status = kq_engine_begin(e, err);
    if (!status) status = load(paths, npaths, &arena, &rules, err);
    if (!status) status = kq_detect(&d, &rules, err);
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
    if (!status) status = kq_lint(&e->runner, &rules, out, &errors, err);
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
    if (!status) status = kq_detect_test(&e->runner, &rules, out, err);
    kq_arena_deinit(&arena);
    return status;
}
