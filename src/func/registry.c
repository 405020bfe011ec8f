#include "base/alloc.h"
#include "func/agg_state.h"
#include "func/aggregate.h"
#include "func/resolve.h"
#include "func/rows.h"
#include "func/scalar.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const kq_scalar scalars[] = {
#define KQ_SCALAR(name, pattern, function, prepare, flags, signature, doc)                                             \
    {name, pattern, function, prepare, flags, signature, doc},
#include "func/scalars.def"
#undef KQ_SCALAR
    {0}};

static const kq_aggregate aggregates[] = {
#define KQ_AGGREGATE(name, pattern, size, update, combine, finish, flags, signature, doc)                              \
    {name, pattern, size, update, combine, finish, flags, signature, doc},
#include "func/aggregate.def"
#undef KQ_AGGREGATE
    {0}};

enum {
    NSCALARS = sizeof scalars / sizeof *scalars - 1,
    NAGGREGATES = sizeof aggregates / sizeof *aggregates - 1,
};

static const uint32_t nscalars = NSCALARS, naggregates = NAGGREGATES;

/* Row numbers in the order of names, equal names in the order of rows. */
static uint16_t scalar_order[NSCALARS + 2], aggregate_order[NAGGREGATES + 2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_number(uint16_t a, uint16_t b) {
    return a < b ? -1 : a > b;
}
static int by_scalar_name(const void *a, const void *b) {
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    int c = strcmp(scalars[x].name, scalars[y].name);
    return c ? c : by_number(x, y);
}
static int by_aggregate_name(const void *a, const void *b) {
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
    int c = strcmp(aggregates[x].name, aggregates[y].name);
    return c ? c : by_number(x, y);
}

static void sort_names(void) {
    for (uint32_t i = 0; i < nscalars; i++) scalar_order[i] = (uint16_t)i;
    for (uint32_t i = 0; i < naggregates; i++) aggregate_order[i] = (uint16_t)i;
    qsort(scalar_order, nscalars, sizeof *scalar_order, by_scalar_name);
    qsort(aggregate_order, naggregates, sizeof *aggregate_order, by_aggregate_name);
}

static kq_sv scalar_name(uint32_t k) {
    return kq_sv_of(scalars[scalar_order[k]].name);
}
static kq_sv aggregate_name(uint32_t k) {
    return kq_sv_of(aggregates[aggregate_order[k]].name);
}

/* The first place in the order whose name is not below `name`. */
static uint32_t first_of(kq_sv name, uint32_t n, kq_sv (*at)(uint32_t)) {
    pthread_once(&once, sort_names);
    uint32_t lo = 0, hi = n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (kq_sv_cmp(at(mid), name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const kq_scalar *kq_scalar_rows(size_t *n) {
    *n = nscalars;
    return scalars;
}
const kq_aggregate *kq_aggregate_rows(size_t *n) {
    *n = naggregates;
    return aggregates;
}

bool kq_scalar_exists(kq_sv name) {
    uint32_t k = first_of(name, nscalars, scalar_name);
    return k < nscalars && kq_sv_eq(scalar_name(k), name);
}
bool kq_aggregate_exists(kq_sv name) {
    uint32_t k = first_of(name, naggregates, aggregate_name);
    return k < naggregates && kq_sv_eq(aggregate_name(k), name);
}

/* What the two registries have in common while an overload is looked for. */
typedef struct candidates {
    kq_sv name;
    const kq_type *types;
    const bool *literal;
    uint32_t nargs;
    int best; /* cost, or -1 */
    kq_type *want;
    kq_type *result;
    kq_type *scratch;      /* nargs */
    bool arity;            /* some overload takes so many */
    const char *signature; /* of the nearest overload, for the message */
} candidates;

/* True when this overload is the best so far. */
static bool consider(candidates *c, const char *pattern, const char *signature) {
    kq_pattern p;
    if (!c->signature) c->signature = signature;
    if (!kq_pattern_fit(pattern, c->nargs, &p)) return false;
    if (!c->arity) c->signature = signature;
    c->arity = true;
    kq_type result;
    int cost = kq_pattern_cost(&p, c->types, c->literal, c->nargs, c->scratch, &result);
    if (cost < 0 || (c->best >= 0 && cost >= c->best)) return false;
    c->best = cost;
    if (c->nargs) memcpy(c->want, c->scratch, c->nargs * sizeof *c->want);
    *c->result = result;
    return true;
}

/* A function's signature begins with its name and a parenthesis; an operator's does not. */
static bool is_operator(const candidates *c) {
    kq_sv s = kq_sv_of(c->signature);
    return !(kq_sv_starts(s, c->name) && s.n > c->name.n && s.p[c->name.n] == '(');
}

static kq_status refuse(const candidates *c, kq_error *err) {
    char types[160];
    size_t n = 0;
    types[0] = 0;
    for (uint32_t i = 0; i < c->nargs && n + 24 < sizeof types; i++) {
        if (i == 8) {
            snprintf(types + n, sizeof types - n, ", ...");
            break;
        }
        n += (size_t)snprintf(types + n, sizeof types - n, "%s%s", i ? ", " : "", kq_type_name(c->types[i]));
    }
    if (kq_sv_eq(c->name, KQ_SV("neg"))) /* no name that a query can say */
        return kq_fail(err, KQ_ERR_QUERY, "the operator '-' is not defined for (%s)", types);
    if (is_operator(c))
        return kq_fail(err, KQ_ERR_QUERY, "the operator '" KQ_SV_FMT "' is not defined for (%s)", KQ_SV_ARG(c->name),
                       types);
    if (!c->arity)
        (void)kq_fail(err, KQ_ERR_QUERY, KQ_SV_FMT "() does not take %u argument%s", KQ_SV_ARG(c->name), c->nargs,
                      c->nargs == 1 ? "" : "s");
    else
        (void)kq_fail(err, KQ_ERR_QUERY, KQ_SV_FMT "() does not take (%s)", KQ_SV_ARG(c->name), types);
    kq_error_hint(err, "%s", c->signature);
    return KQ_ERR_QUERY;
}

/* Room for the types that an overload wants while another is better; calls with many arguments are rare. */
static kq_type *scratch_for(uint32_t nargs, kq_type *small, uint32_t nsmall) {
    return nargs <= nsmall ? small : kq_malloc(nargs * sizeof *small);
}

kq_status kq_scalar_resolve(kq_sv name, const kq_type *types, const bool *literal, uint32_t nargs,
                            const kq_scalar **row, kq_type *want, kq_type *result, kq_error *err) {
    kq_type small[32];
    candidates c = {name, types, literal, nargs, -1, want, result, NULL, false, NULL};
    uint32_t k = first_of(name, nscalars, scalar_name);
    if (k == nscalars || !kq_sv_eq(scalar_name(k), name))
        return kq_fail(err, KQ_ERR_QUERY, "unknown function '" KQ_SV_FMT "'", KQ_SV_ARG(name));
    if (!(c.scratch = scratch_for(nargs, small, 32))) return kq_nomem(err);
    for (; k < nscalars && kq_sv_eq(scalar_name(k), name); k++) {
        const kq_scalar *s = &scalars[scalar_order[k]];
        if (consider(&c, s->pattern, s->signature)) *row = s;
    }
    if (c.scratch != small) kq_free(c.scratch);
    return c.best < 0 ? refuse(&c, err) : KQ_OK;
}

kq_status kq_aggregate_resolve(kq_sv name, const kq_type *types, const bool *literal, uint32_t nargs,
                               const kq_aggregate **row, kq_type *want, kq_type *result, kq_error *err) {
    kq_type small[32];
    candidates c = {name, types, literal, nargs, -1, want, result, NULL, false, NULL};
    uint32_t k = first_of(name, naggregates, aggregate_name);
    if (k == naggregates || !kq_sv_eq(aggregate_name(k), name))
        return kq_fail(err, KQ_ERR_QUERY, "unknown aggregate '" KQ_SV_FMT "'", KQ_SV_ARG(name));
    if (!(c.scratch = scratch_for(nargs, small, 32))) return kq_nomem(err);
    for (; k < naggregates && kq_sv_eq(aggregate_name(k), name); k++) {
        const kq_aggregate *a = &aggregates[aggregate_order[k]];
        if (consider(&c, a->pattern, a->signature)) *row = a;
    }
    if (c.scratch != small) kq_free(c.scratch);
    return c.best < 0 ? refuse(&c, err) : KQ_OK;
}

kq_status kq_cleanup_add(kq_prepare *p, void (*destroy)(void *), void *object, kq_error *err) {
    kq_cleanup *c = kq_arena_new(p->arena, kq_cleanup);
    if (!c) {
        destroy(object);
        return kq_arena_status(p->arena, err);
    }
    *c = (kq_cleanup){*p->cleanups, destroy, object};
    *p->cleanups = c;
    return KQ_OK;
}

void kq_cleanup_run(kq_cleanup **cleanups) {
    for (kq_cleanup *c = *cleanups; c; c = c->next) c->destroy(c->object);
    *cleanups = NULL;
}
