/* inspect, schema, functions, version. */
#include "cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cmd_inspect(const cli_flags *flags) {
    int code;
    cli_flags with = *flags; /* its words are paths to read, as --on is */
    const char **paths = calloc(flags->words.n + flags->on.n + 1, sizeof *paths);
    if (!paths) return cli_usage("out of memory");
    if (flags->words.n) memcpy(paths, flags->words.items, flags->words.n * sizeof *paths);
    if (flags->on.n) memcpy(paths + flags->words.n, flags->on.items, flags->on.n * sizeof *paths);
    with.on.items = paths;
    with.on.n = flags->words.n + flags->on.n;
    kq_engine *engine = cli_engine(&with, true, &code);
    if (engine) {
        kq_output out = cli_output(flags);
        kq_stats stats = {.size = sizeof stats};
        kq_error err = {0};
        with.stats = true; /* every damaged place, and what was read: that is what inspect is for */
        kq_status status = kq_engine_inspect(engine, &out, &stats, &err);
        cli_report(&with, &stats);
        code = cli_exit_code(status);
        if (status != KQ_OK && status != KQ_ERR_DAMAGED) code = cli_fail(&err, NULL, 0, "kequel");
    }
    kq_engine_destroy(engine);
    free(paths);
    return code;
}

int cmd_schema(const cli_flags *flags) {
    int code;
    if (flags->words.n > 1) return cli_usage("one name at most");
    kq_engine *engine = cli_engine(flags, false, &code);
    if (!engine) return code;
    kq_error err = {0};
    kq_output out = cli_output(flags);
    kq_status status = kq_engine_schema(engine, flags->words.n ? flags->words.items[0] : NULL, &out, &err);
    code = status == KQ_OK ? 0 : cli_fail(&err, NULL, 0, "kequel");
    kq_engine_destroy(engine);
    return code;
}

int cmd_functions(const cli_flags *flags) {
    kq_error err = {0};
    if (flags->words.n > 1) return cli_usage("one name at most");
    kq_output out = cli_output(flags);
    kq_status status = kq_functions(flags->words.n ? flags->words.items[0] : NULL, &out, &err);
    return status == KQ_OK ? 0 : cli_fail(&err, NULL, 0, "kequel");
}

int cmd_version(const cli_flags *flags) {
    if (flags->words.n) return cli_usage("version takes no arguments");
    printf("kequel %s\n", kq_version());
    return 0;
}
