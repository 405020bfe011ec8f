#include "rules/rule.h"
#include "base/time.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

bool kq_duration_parse(kq_sv s, int64_t *ticks) {
    bool iso = s.n && (s.p[0] == 'P' || s.p[0] == 'p'), time = !iso, any = false;
    int64_t total = 0;
    for (size_t i = iso ? 1 : 0; i < s.n;) {
        if (iso && (s.p[i] == 'T' || s.p[i] == 't')) {
            time = true;
            i++;
            continue;
        }
        int64_t n = 0, unit, part;
        size_t from = i;
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < 100000000) n = n * 10 + (s.p[i++] - '0');
        if (i == from || i == s.n) return false;
        switch (kq_ascii_lower(s.p[i++])) {
        case 'd': unit = KQ_TICK_DAY; break;
        case 'w': unit = 7 * KQ_TICK_DAY; break;
        case 'h': unit = KQ_TICK_HOUR; break;
        case 'm': unit = KQ_TICK_MINUTE; break;
        case 's': unit = KQ_TICK_SECOND; break;
        default: return false;
        }
        if (unit == KQ_TICK_MINUTE && !time) return false; /* P1M: months have no length */
        if (__builtin_mul_overflow(n, unit, &part) || __builtin_add_overflow(total, part, &total)) return false;
        any = true;
    }
    *ticks = total;
    return any && total > 0;
}

static kq_status read_file(const char *path, kq_arena *arena, kq_sv *out, kq_error *err) {
    FILE *f = fopen(path, "rb");
    if (!f) return kq_fail(err, KQ_ERR_IO, "%s: %s", path, strerror(errno));
    kq_status status = KQ_OK;
    struct stat st;
    char *p = NULL;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > KQ_YAML_BYTES)
        status = kq_fail(err, KQ_ERR_RULE, "%s: not a file of at most %zu bytes", path, KQ_YAML_BYTES);
    else if (!(p = kq_arena_bytes(arena, (size_t)st.st_size + 1)))
        status = kq_arena_status(arena, err);
    else
        *out = (kq_sv){p, fread(p, 1, (size_t)st.st_size, f)};
    fclose(f);
    return status;
}

static kq_sv joined(const kq_yaml *list, kq_arena *arena) {
    kq_sv all = KQ_SV("");
    if (list && list->kind == KQ_YAML_SCALAR) return list->text;
    for (uint32_t i = 0; list && list->kind == KQ_YAML_LIST && i < list->n; i++)
        if (list->items[i]->kind == KQ_YAML_SCALAR)
            all = kq_arena_printf(arena, "%.*s%s%.*s", (int)all.n, all.p ? all.p : "", all.n ? ", " : "",
                                  (int)list->items[i]->text.n, list->items[i]->text.p);
    return all;
}

static kq_status duration(const kq_yaml *y, const char *key, int64_t otherwise, const char *path, int64_t *out,
                          kq_error *err) {
    const kq_yaml *v = kq_yaml_get(y, key);
    *out = otherwise;
    if (!v || (v->kind == KQ_YAML_SCALAR && kq_duration_parse(v->text, out))) return KQ_OK;
    return kq_fail(err, KQ_ERR_RULE, "%s:%u: %s is not a duration such as 1h or P1D", path, v->line, key);
}

static kq_status trigger(const kq_yaml *y, kq_rule *r, kq_error *err) {
    static const struct {
        const char *name;
        kq_trigger trigger;
    } names[] = {{"gt", KQ_TRIGGER_GT},       {"GreaterThan", KQ_TRIGGER_GT}, {"lt", KQ_TRIGGER_LT},
                 {"LessThan", KQ_TRIGGER_LT}, {"eq", KQ_TRIGGER_EQ},          {"Equal", KQ_TRIGGER_EQ},
                 {"ne", KQ_TRIGGER_NE},       {"NotEqual", KQ_TRIGGER_NE}};
    kq_sv op = kq_yaml_text(y, "triggerOperator", KQ_SV("gt"));
    kq_sv threshold = kq_yaml_text(y, "triggerThreshold", KQ_SV("0"));
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !known; i++)
        if ((known = kq_sv_eq_ascii_ci(op, kq_sv_of(names[i].name)))) r->trigger = names[i].trigger;
    if (!known)
        return kq_fail(err, KQ_ERR_RULE, "%s: triggerOperator '" KQ_SV_FMT "' is not gt, lt, eq or ne", r->path,
                       KQ_SV_ARG(op));
    for (size_t i = 0; i < threshold.n; i++) {
        if (threshold.p[i] < '0' || threshold.p[i] > '9' || i > 9)
            return kq_fail(err, KQ_ERR_RULE, "%s: triggerThreshold '" KQ_SV_FMT "' is not a number", r->path,
                           KQ_SV_ARG(threshold));
        r->threshold = r->threshold * 10 + (threshold.p[i] - '0');
    }
    return KQ_OK;
}

/* A key that nothing reads would be a check that is never made. */
static kq_status only_keys(const kq_yaml *y, const char *what, const char *const *keys, const char *path,
                           kq_error *err) {
    if (y->kind != KQ_YAML_MAP) return kq_fail(err, KQ_ERR_RULE, "%s:%u: %s is a mapping", path, y->line, what);
    for (uint32_t i = 0; i < y->n; i++) {
        const kq_yaml *key = y->items[2 * i];
        bool known = false;
        for (size_t k = 0; keys[k]; k++) known |= key->kind == KQ_YAML_SCALAR && kq_sv_eq(key->text, kq_sv_of(keys[k]));
        if (!known)
            return kq_fail(err, KQ_ERR_RULE, "%s:%u: %s has no key '" KQ_SV_FMT "'", path, key->line, what,
                           KQ_SV_ARG(key->text));
    }
    return KQ_OK;
}

static kq_status check_tests(const kq_yaml *y, const char *path, kq_error *err) {
    static const char *const file_keys[] = {"tests", NULL};
    static const char *const test_keys[] = {"name", "now", "logs", "caught", "rows", "why", "telemetry", NULL};
    static const char *const telemetry_keys[] = {"name", "query", "rows", NULL};
    KQ_TRY(only_keys(y, "a file of tests", file_keys, path, err));
    const kq_yaml *tests = kq_yaml_get(y, "tests");
    if (!tests || tests->kind != KQ_YAML_LIST)
        return kq_fail(err, KQ_ERR_RULE, "%s:%u: expected a list 'tests'", path, y->line);
    for (uint32_t i = 0; i < tests->n; i++) {
        const kq_yaml *test = tests->items[i];
        KQ_TRY(only_keys(test, "a test", test_keys, path, err));
        const kq_yaml *caught = kq_yaml_get(test, "caught"), *telemetry = kq_yaml_get(test, "telemetry");
        if (caught && !(caught->kind == KQ_YAML_SCALAR &&
                        (kq_sv_eq(caught->text, KQ_SV("true")) || kq_sv_eq(caught->text, KQ_SV("false")))))
            return kq_fail(err, KQ_ERR_RULE, "%s:%u: caught is true or false", path, caught->line);
        if (telemetry && telemetry->kind != KQ_YAML_LIST)
            return kq_fail(err, KQ_ERR_RULE, "%s:%u: telemetry is a list", path, telemetry->line);
        for (uint32_t k = 0; telemetry && k < telemetry->n; k++)
            KQ_TRY(only_keys(telemetry->items[k], "telemetry", telemetry_keys, path, err));
    }
    return KQ_OK;
}

static kq_status load_tests(kq_rule *r, kq_arena *arena, kq_error *err) {
    r->tests_path = kq_arena_printf(arena, "%s/tests.yaml", r->dir).p;
    if (!r->tests_path) return kq_arena_status(arena, err);
    struct stat st;
    if (stat(r->tests_path, &st) != 0) return KQ_OK;
    kq_sv text;
    const kq_yaml *y;
    KQ_TRY(read_file(r->tests_path, arena, &text, err));
    KQ_TRY(kq_yaml_parse(text, r->tests_path, arena, &y, err));
    r->tests = kq_yaml_get(y, "tests");
    return check_tests(y, r->tests_path, err);
}

static bool is_yaml(const char *name) {
    kq_sv s = kq_sv_of(name);
    return (kq_sv_ends(s, KQ_SV(".yaml")) || kq_sv_ends(s, KQ_SV(".yml"))) && strcmp(name, "tests.yaml") != 0;
}

/* A file that is refused and is not even called YAML is most likely a query alone. */
static kq_status not_rule(kq_status status, const char *path, kq_error *err) {
    if (status != KQ_ERR_RULE || is_yaml(path)) return status;
    const kq_error why = *err;
    return kq_fail(err, status, "%s; a query without a rule is run by 'kequel query --file %s'", why.message, path);
}

static kq_status load_file(kq_rules *rules, const char *path, const char *dir, kq_arena *arena, kq_error *err) {
    kq_sv text;
    const kq_yaml *y;
    kq_rule r = {.path = kq_arena_copy(arena, kq_sv_of(path)).p, .dir = kq_arena_copy(arena, kq_sv_of(dir)).p};
    if (!r.path || !r.dir) return kq_arena_status(arena, err);
    KQ_TRY(read_file(path, arena, &text, err));
    KQ_TRY(not_rule(kq_yaml_parse(text, r.path, arena, &y, err), path, err));
    r.query = kq_yaml_text(y, "query", KQ_SV(""));
    r.name = kq_yaml_text(y, "name", KQ_SV(""));
    if (!r.query.n)
        return not_rule(kq_fail(err, KQ_ERR_RULE, "%s:%u: not an analytic rule: it has no 'query'", path, y->line),
                        path, err);
    if (!r.name.n) return kq_fail(err, KQ_ERR_RULE, "%s:%u: not an analytic rule: it has no 'name'", path, y->line);
    r.id = kq_yaml_text(y, "id", KQ_SV(""));
    r.description = kq_yaml_text(y, "description", KQ_SV(""));
    r.severity = kq_yaml_text(y, "severity", KQ_SV("Medium"));
    r.tactics = joined(kq_yaml_get(y, "tactics"), arena);
    r.techniques = joined(kq_yaml_get(y, "relevantTechniques"), arena);
    KQ_TRY(duration(y, "queryFrequency", KQ_TICK_HOUR, path, &r.frequency, err));
    KQ_TRY(duration(y, "queryPeriod", KQ_TICK_DAY, path, &r.period, err));
    KQ_TRY(trigger(y, &r, err));
    r.alert_per_result =
        kq_sv_eq(kq_yaml_text(kq_yaml_get(y, "eventGroupingSettings"), "aggregationKind", KQ_SV("SingleAlert")),
                 KQ_SV("AlertPerResult"));
    KQ_TRY(load_tests(&r, arena, err));
    kq_rule *items = kq_arena_array(arena, kq_rule, rules->n + 1);
    if (!items) return kq_arena_status(arena, err);
    if (rules->n) memcpy(items, rules->items, rules->n * sizeof *items);
    items[rules->n++] = r;
    rules->items = items;
    return kq_arena_status(arena, err);
}

/* Loads a file, or keeps why it was refused. */
static kq_status load_or_refuse(kq_rules *rules, const char *path, const char *dir, kq_arena *arena, kq_error *err) {
    kq_error why = {0};
    kq_status status = load_file(rules, path, dir, arena, &why);
    if (status != KQ_ERR_RULE && status != KQ_ERR_IO) {
        if (status && err) *err = why;
        return status;
    }
    const char **refused = kq_arena_array(arena, const char *, rules->nrefused + 1);
    kq_sv text = kq_arena_copy(arena, kq_sv_of(why.message));
    if (!refused || !text.p) return kq_arena_status(arena, err);
    if (rules->nrefused) memcpy(refused, rules->refused, rules->nrefused * sizeof *refused);
    refused[rules->nrefused++] = text.p;
    rules->refused = refused;
    return KQ_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static kq_status load_folder(kq_rules *rules, const char *path, unsigned depth, kq_arena *arena, kq_error *err) {
    struct dirent **names;
    int n = scandir(path, &names, NULL, by_name);
    if (n < 0) return kq_fail(err, KQ_ERR_IO, "%s: %s", path, strerror(errno));
    kq_status status = KQ_OK;
    for (int i = 0; i < n; i++) {
        struct stat st;
        if (!status && names[i]->d_name[0] != '.') {
            kq_sv sub = kq_arena_printf(arena, "%s/%s", path, names[i]->d_name);
            if (!sub.p)
                status = kq_arena_status(arena, err);
            else if (stat(sub.p, &st) == 0 && S_ISDIR(st.st_mode) && depth < 8)
                status = load_folder(rules, sub.p, depth + 1, arena, err);
            else if (is_yaml(names[i]->d_name))
                status = load_or_refuse(rules, sub.p, path, arena, err);
        }
        free(names[i]);
    }
    free(names);
    return status;
}

kq_status kq_rules_load(kq_rules *rules, const char *path, kq_arena *arena, kq_error *err) {
    struct stat st;
    if (stat(path, &st) != 0) return kq_fail(err, KQ_ERR_RULE, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) {
        const char *slash = strrchr(path, '/');
        kq_sv dir = kq_arena_copy(arena, slash ? (kq_sv){path, (size_t)(slash - path)} : KQ_SV("."));
        if (!dir.p) return kq_arena_status(arena, err);
        return load_or_refuse(rules, path, dir.n ? dir.p : "/", arena, err);
    }
    size_t before = rules->n + rules->nrefused;
    KQ_TRY(load_folder(rules, path, 0, arena, err));
    if (rules->n + rules->nrefused == before)
        return kq_fail(err, KQ_ERR_RULE, "%s: no rule in this folder (a YAML file with a query)", path);
    return KQ_OK;
}
