/*
 * Scalar functions and operators: one C function and one row in scalar_*.def each.
 *
 * A row: KQ_SCALAR(name, pattern, function, prepare, flags, signature, doc)
 *   name      Kusto's name; operators are rows too: "+", "==", "has_any", "and", "between", "!in~", "matches regex"
 *   pattern   "R(args)": letters of type.def, plus  * any type, as it is;  T one common type of all T arguments (after
 *             numeric promotion); N any numeric type as it is;  [..] optional;  ... repeats the argument before it.
 *             R is a letter, T, or 0 for the type of the first argument. Several rows with one name are overloads: an
 *             exact fit wins, then the cheapest implicit conversion (int->long->real->decimal, dynamic->anything,
 *             string->datetime/timespan/guid for literals).
 *   flags     KQ_NULLS_SEEN: the function sees null rows; otherwise a row with a null argument is null and not seen.
 *             KQ_VOLATILE: not a function of its arguments (rand, new_guid): never folded.
 *             KQ_HIDDEN: internal, not listed for users.
 *   signature, doc: for users; later overloads of a name may leave doc "".
 *
 * The function computes call->n rows: row k is number kq_call_row(call, k) in every vector; results go to `out` at the
 * same number. Constant arguments have one value (kq_vec_at). When all arguments are constant (and the function is not
 * volatile) it is called with n = 1 on constants: folding is the same code. A value that does not convert is null
 * (kq_vec_set_null(call->out, row)), never an error; errors are NOMEM, LIMIT and, from prepare, QUERY.
 */
#ifndef KQ_FUNC_SCALAR_H
#define KQ_FUNC_SCALAR_H

#include "column/value.h"

enum { KQ_NULLS_SEEN = 1, KQ_VOLATILE = 2, KQ_HIDDEN = 4 };

typedef struct kq_scalar kq_scalar;

typedef struct kq_call {
    const kq_scalar *fn;
    const kq_vector *const *args;
    uint32_t nargs;
    uint32_t n;          /* rows to compute */
    const uint16_t *sel; /* their numbers, or NULL: 0..n-1 */
    kq_vector *out;      /* type set; data for all rows allocated; nulls allocated and clear */
    kq_arena *arena;     /* what `out` points to lives here; also scratch */
    const void *state;   /* what prepare made, or NULL */
} kq_call;

static inline uint32_t kq_call_row(const kq_call *c, uint32_t k) {
    return c->sel ? c->sel[k] : k;
}

/* Compiles what depends on constant arguments only (a matcher, a regex, a set). args[i] is the constant vector of
 * argument i or NULL when it varies. The state lives in `arena` (the query's), is immutable and shared by workers;
 * anything that needs a destructor is registered with kq_cleanup_add. *state may stay NULL. Errors: QUERY, NOMEM. */
typedef struct kq_cleanup {
    struct kq_cleanup *next;
    void (*destroy)(void *);
    void *object;
} kq_cleanup;

typedef struct kq_prepare {
    const kq_scalar *fn;
    const kq_vector *const *args;
    uint32_t nargs;
    kq_arena *arena;
    kq_cleanup **cleanups; /* run and emptied by the query's owner */
} kq_prepare;

/* On failure `object` has been destroyed. */
kq_status kq_cleanup_add(kq_prepare *p, void (*destroy)(void *), void *object, kq_error *err);
void kq_cleanup_run(kq_cleanup **cleanups);

typedef kq_status (*kq_scalar_fn)(kq_call *call, kq_error *err);
typedef kq_status (*kq_prepare_fn)(kq_prepare *p, const void **state, kq_error *err);

struct kq_scalar {
    const char *name;
    const char *pattern;
    kq_scalar_fn fn;
    kq_prepare_fn prepare;
    unsigned flags;
    const char *signature;
    const char *doc;
};

/* All rows, in registration order; overloads of one name need not be adjacent. */
const kq_scalar *kq_scalar_rows(size_t *n);

/* Chooses the overload of `name` for arguments of these types. On success *row, the type each argument must be
 * converted to in want[0..nargs), and the result's type. `literal[i]` (may be NULL): argument i is a literal.
 * KQ_ERR_QUERY with a message that names the function and the types when none fits; the message says "unknown
 * function" with a hint when there is no such name. */
kq_status kq_scalar_resolve(kq_sv name, const kq_type *types, const bool *literal, uint32_t nargs,
                            const kq_scalar **row, kq_type *want, kq_type *result, kq_error *err);

/* Is there a scalar function of this name? */
bool kq_scalar_exists(kq_sv name);

#endif
