/* run and test: detections over logs, and the tests that they carry. */
#include "cli.h"

int cmd_run(const cli_flags *flags) {
    int code;
    if (!flags->words.n) return cli_usage("run takes one or more rules: files or folders");
    if (flags->replay && flags->now) return cli_usage("--replay runs over the span of the logs: it takes no --now");
    kq_engine *engine = cli_engine(flags, true, &code);
    if (!engine) return code;
    kq_output out = cli_output(flags);
    kq_stats stats = {.size = sizeof stats};
    kq_error err = {0};
    kq_run_options options = {.size = sizeof options, .replay = !flags->now, .rows = flags->rows};
    kq_status status = kq_engine_run(engine, flags->words.items, flags->words.n, &options, &out, &stats, &err);
    cli_report(flags, &stats);
    code = cli_exit_code(status);
    if (status != KQ_OK && status != KQ_ERR_DAMAGED)
        code = cli_fail(&err, NULL, 0, "rule");
    else if (flags->exit_code && options.alerts && code == 0)
        code = 10;
    kq_engine_destroy(engine);
    return code;
}

int cmd_lint(const cli_flags *flags) {
    int code;
    if (!flags->words.n) return cli_usage("lint takes one or more rules: files or folders");
    kq_engine *engine = cli_engine(flags, false, &code);
    if (!engine) return code;
    kq_output out = cli_output(flags);
    kq_stats stats = {.size = sizeof stats};
    kq_error err = {0};
    kq_status status = kq_engine_lint(engine, flags->words.items, flags->words.n, &out, &stats, &err);
    cli_report(flags, &stats);
    code = cli_exit_code(status);
    if (status != KQ_OK && status != KQ_ERR_DAMAGED) code = cli_fail(&err, NULL, 0, "rule");
    kq_engine_destroy(engine);
    return code;
}

int cmd_test(const cli_flags *flags) {
    int code;
    if (!flags->words.n) return cli_usage("test takes one or more rules: files or folders");
    kq_engine *engine = cli_engine(flags, false, &code);
    if (!engine) return code;
    kq_output out = cli_output(flags);
    kq_error err = {0};
    kq_status status = kq_engine_test(engine, flags->words.items, flags->words.n, &out, &err);
    code = status == KQ_OK ? 0 : cli_fail(&err, NULL, 0, "rule");
    kq_engine_destroy(engine);
    return code;
}
