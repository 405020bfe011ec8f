/*
 * The command line: options as a struct made from flags.def, and what the commands share. Uses include/kequel.h only.
 */
#ifndef KQ_CLI_CLI_H
#define KQ_CLI_CLI_H

#include "kequel.h"

typedef struct cli_list {
    const char **items;
    size_t n;
} cli_list;

typedef struct cli_flags {
#define KQ_FLAG_TEXT                               const char *
#define KQ_FLAG_REPEAT                             cli_list
#define KQ_FLAG_SWITCH                             bool
#define KQ_FLAG(name, kind, commands, value, help) KQ_FLAG_##kind name;
#include "flags.def"
#undef KQ_FLAG
    cli_list words; /* what is not an option */
} cli_flags;

typedef struct cli_command {
    const char *name;
    char letter; /* of flags.def; 0: takes no options */
    int (*run)(const cli_flags *flags);
    const char *arguments, *help;
} cli_command;

int cmd_query(const cli_flags *flags);
int cmd_run(const cli_flags *flags);
int cmd_test(const cli_flags *flags);
int cmd_lint(const cli_flags *flags);
int cmd_inspect(const cli_flags *flags);
int cmd_schema(const cli_flags *flags);
int cmd_functions(const cli_flags *flags);
int cmd_version(const cli_flags *flags);

/* An output to stdout in the wanted or default format. */
kq_output cli_output(const cli_flags *flags);

/* An engine set up from the flags, with its inputs. On failure prints why and gives *exit_code. `logs_needed`: no --on
 * is wrong usage. An input that can't be read is told and left out while another can be; that shows in cli_exit_code.
 */
kq_engine *cli_engine(const cli_flags *flags, bool logs_needed, int *exit_code);

/* Prints a message ("error: ..."), with the place in `text` if it has one; returns its exit code. */
int cli_fail(const kq_error *err, const char *text, size_t n, const char *name);
/* A usage error in plain words; returns 2. */
int cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The exit code of a status, or 3 when an input that was asked for could not be read. */
int cli_exit_code(kq_status status);

/* What the engine read and skipped, and its remarks, to stderr. */
void cli_report(const cli_flags *flags, const kq_stats *stats);

/* A whole file or standard input ("-") in memory, at most 16 MiB; NULL after printing why. Free with free(). */
char *cli_read_file(const char *path, size_t *n);

#endif
