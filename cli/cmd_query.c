#include "cli.h"
#include <stdlib.h>
#include <string.h>

int cmd_query(const cli_flags *flags) {
    char *text = NULL;
    const char *query;
    size_t n;
    int code;
    if (flags->file) {
        if (flags->words.n) return cli_usage("both a query and --file were given");
        if (!(text = cli_read_file(flags->file, &n))) return 2;
        query = text;
    } else {
        if (flags->words.n != 1) return cli_usage("query takes one KQL text (quote it), or --file F");
        query = flags->words.items[0];
        n = strlen(query);
    }
    kq_engine *engine = cli_engine(flags, false, &code);
    if (engine) {
        kq_output out = cli_output(flags);
        kq_stats stats = {.size = sizeof stats};
        kq_error err = {0};
        kq_status status = kq_engine_query(engine, query, n, &out, &stats, &err);
        cli_report(flags, &stats);
        code = cli_exit_code(status);
        if (status != KQ_OK && status != KQ_ERR_DAMAGED)
            code = cli_fail(&err, query, n, flags->file ? flags->file : "query");
    }
    kq_engine_destroy(engine);
    free(text);
    return code;
}
