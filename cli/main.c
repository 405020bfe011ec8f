#include "cli.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static const cli_command commands[] = {
    {"query", 'q', cmd_query, "KQL | --file F", "run one query"},
    {"run", 'r', cmd_run, "RULE... --on PATH...", "run detections over logs: alerts"},
    {"test", 't', cmd_test, "RULE...", "run the tests that the rules carry"},
    {"lint", 'l', cmd_lint, "RULE... [--on PATH...]", "are the rules sound, and can they match in these logs"},
    {"inspect", 'i', cmd_inspect, "PATH...", "what is in these logs: channels, events, tables, time span, damage"},
    {"schema", 's', cmd_schema, "[TABLE]", "the tables, or the columns of one and where they come from"},
    {"functions", 'f', cmd_functions, "[NAME]", "the functions and operators, or one of them"},
    {"version", 0, cmd_version, "", "the version"},
};

typedef enum flag_kind { TEXT, REPEAT, SWITCH } flag_kind;

static const struct flag {
    const char *name; /* with '_' for '-' */
    flag_kind kind;
    const char *commands, *value, *help;
    size_t offset;
} known[] = {
#define KQ_FLAG(name, kind, commands, value, help) {#name, kind, commands, value, help, offsetof(cli_flags, name)},
#include "flags.def"
#undef KQ_FLAG
};
#define NKNOWN (sizeof known / sizeof *known)

int cli_usage(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fputs("kequel: ", stderr);
    vfprintf(stderr, fmt, args);
    fputs("\nTry 'kequel help'.\n", stderr);
    va_end(args);
    return 2;
}

static void spell(char out[64], const char *name) {
    size_t i = 0;
    for (; name[i] && i < 63; i++) out[i] = name[i] == '_' ? '-' : name[i];
    out[i] = 0;
}

static bool takes(const cli_command *command, const struct flag *flag) {
    return command->letter && strchr(flag->commands, command->letter);
}

static int help(const cli_command *one) {
    char name[64], left[128];
    if (!one) {
        puts("kequel runs Microsoft Sentinel and Defender XDR detections, written in KQL, on local logs.\n");
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
            snprintf(left, sizeof left, "kequel %s %s", commands[i].name, commands[i].arguments);
            printf("  %-34s %s\n", left, commands[i].help);
        }
        puts("\nkequel help COMMAND lists a command's options.");
        return 0;
    }
    printf("kequel %s %s\n  %s\n", one->name, one->arguments, one->help);
    for (size_t i = 0; i < NKNOWN; i++) {
        if (!takes(one, &known[i])) continue;
        spell(name, known[i].name);
        snprintf(left, sizeof left, "--%s %s", name, known[i].value);
        printf("  %-22s %s\n", left, known[i].help);
    }
    return 0;
}

static const cli_command *find_command(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

static const struct flag *find_flag(const char *arg, const cli_command *command, const char **value) {
    const char *eq = strchr(arg, '=');
    size_t n = eq ? (size_t)(eq - arg) : strlen(arg);
    *value = eq ? eq + 1 : NULL;
    for (size_t i = 0; i < NKNOWN; i++) {
        char name[64];
        spell(name, known[i].name);
        if (takes(command, &known[i]) && strlen(name) == n && strncmp(name, arg, n) == 0) return &known[i];
    }
    return NULL;
}

/* Lists have room for every argument. */
static void put(cli_list *list, const char *item) {
    list->items[list->n++] = item;
}

static int parse(const cli_command *command, int argc, char **argv, cli_flags *flags) {
    bool options = true;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i], *value = NULL;
        if (!options || arg[0] != '-' || !arg[1]) {
            put(&flags->words, arg);
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            options = false;
            continue;
        }
        const struct flag *f = arg[1] == '-' ? find_flag(arg + 2, command, &value) : NULL;
        if (!f) return cli_usage("'%s' takes no option '%s'", command->name, arg);
        void *at = (char *)flags + f->offset;
        if (f->kind == SWITCH) {
            if (value) return cli_usage("option '%s' takes no value", arg);
            *(bool *)at = true;
            continue;
        }
        if (!value) {
            if (i + 1 == argc) return cli_usage("option '%s' needs a value: %s", arg, f->value);
            value = argv[++i];
        }
        if (f->kind == REPEAT)
            put(at, value);
        else
            *(const char **)at = value;
    }
    return 0;
}

static bool is_format(const char *name) {
    static const char *const formats[] = {"table", "ndjson", "json", "csv"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(name, formats[i]) == 0) return true;
    return false;
}

/* Large buffers go back to the system when they are freed. Otherwise glibc learns from the first of them to keep them
 * in the heaps of threads, where what is between them stays as well: 64 MB instead of 45 with 8 threads. */
static void settle_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

int main(int argc, char **argv) {
    settle_memory();
    if (argc < 2) {
        help(NULL);
        return 2;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        const cli_command *one = argc > 2 ? find_command(argv[2]) : NULL;
        if (argc > 2 && strcmp(argv[2], "help") == 0) return help(NULL);
        if (argc > 2 && !one) return cli_usage("there is no command '%s'", argv[2]);
        return help(one);
    }
    if (strcmp(name, "--version") == 0) name = "version";
    const cli_command *command = find_command(name);
    if (!command) return cli_usage("there is no command '%s'", name);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return help(command);
    const char **room = calloc((size_t)argc * (NKNOWN + 1), sizeof *room); /* each list may hold every argument */
    if (!room) return cli_usage("out of memory");
    cli_flags flags = {0};
    flags.words.items = room;
    for (size_t i = 0; i < NKNOWN; i++)
        if (known[i].kind == REPEAT)
            ((cli_list *)(void *)((char *)&flags + known[i].offset))->items = room + (i + 1) * (size_t)argc;
    int code = parse(command, argc - 2, argv + 2, &flags);
    if (!code && flags.format && !is_format(flags.format)) /* before logs are read */
        code = cli_usage("there is no output format '%s': table, ndjson, json or csv", flags.format);
    if (!code) code = command->run(&flags);
    free(room);
    return code;
}
