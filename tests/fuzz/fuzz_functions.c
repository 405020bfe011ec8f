/*
 * Every scalar function and operator on arguments of the types that its pattern names. The input: the name of the
 * function and a newline; a byte of flags; then for each argument and each of ROWS rows a byte of length and so many
 * bytes, which become a text, a JSON text for a dynamic, or the bits of a number. A call on vectors with a selection
 * and calls row by row must agree; also when an allocation of the first was made to fail and it says that all is well.
 */
#include "base/time.h"
#include "column/dynamic.h"
#include "func/resolve.h"
#include "func/scalar.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 3, ARGS = 6 };

typedef struct input {
    const uint8_t *p, *end;
} input;

static uint8_t take(input *in) {
    return in->p < in->end ? *in->p++ : 0;
}

static kq_sv take_text(input *in) {
    size_t n = take(in), left = (size_t)(in->end - in->p);
    if (n > left) n = left;
    kq_sv s = {(const char *)in->p, n};
    in->p += n;
    return s;
}

static kq_value value_of(kq_type type, kq_sv bytes, kq_arena *arena) {
    kq_value v = kq_value_null(type);
    if (type == KQ_STRING) return kq_value_sv(bytes);
    if (bytes.n == 0) return v;
    uint8_t raw[24] = {0};
    memcpy(raw, bytes.p, bytes.n < sizeof raw ? bytes.n : sizeof raw);
    v.null = false;
    switch (type) {
    case KQ_BOOL: v.u.b = raw[0] & 1; break;
    case KQ_INT: memcpy(&v.u.i, raw, sizeof v.u.i); break;
    case KQ_DATETIME:
        memcpy(&v.u.l, raw, sizeof v.u.l);
        v.u.l = (int64_t)((uint64_t)v.u.l % ((uint64_t)KQ_TICKS_MAX + 1));
        break;
    case KQ_REAL: memcpy(&v.u.r, raw, sizeof v.u.r); break;
    case KQ_GUID: memcpy(&v.u.g, raw, sizeof v.u.g); break;
    case KQ_DECIMAL:
        memcpy(&v.u.m.lo, raw, sizeof v.u.m.lo);
        v.u.m.scale = raw[8] % 35;
        v.u.m.negative = raw[9] & 1;
        break;
    case KQ_DYNAMIC: {
        kq_buf b;
        kq_buf_init(&b, NULL, 0);
        if (!kq_dyn_parse_json(bytes, &b)) kq_dyn_put_string(&b, bytes);
        v.u.s = kq_str_sv(kq_arena_copy(arena, kq_buf_view(&b)));
        v.null = b.p[0] == KQ_DYN_NULL;
        kq_buf_deinit(&b);
        break;
    }
    default: memcpy(&v.u.l, raw, sizeof v.u.l); break;
    }
    return v;
}

/* The row of a name, one of its overloads by the flags. */
static const kq_scalar *find(kq_sv name, unsigned overload) {
    size_t n;
    const kq_scalar *rows = kq_scalar_rows(&n), *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!kq_sv_eq(kq_sv_of(rows[i].name), name)) continue;
        found = &rows[i];
        if (overload-- == 0) break;
    }
    return found;
}

static kq_type type_of(char letter, uint8_t choice) {
    for (int t = 0; t < KQ_TYPE_COUNT; t++)
        if (kq_type_letter((kq_type)t) == letter) return (kq_type)t;
    if (letter == 'N') return (kq_type[]){KQ_INT, KQ_LONG, KQ_REAL, KQ_DECIMAL}[choice % 4];
    return (kq_type)(choice % KQ_TYPE_COUNT);
}

static kq_status call_rows(const kq_scalar *fn, const kq_vector *vectors, uint32_t nargs, kq_vector *out,
                           const uint16_t *sel, uint32_t n, const void *state, kq_arena *arena) {
    const kq_vector *args[ARGS];
    uint16_t seen[ROWS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < nargs; i++) args[i] = &vectors[i];
    /* Rows with a null argument are not for functions that do not ask for them. */
    for (uint32_t k = 0; k < n; k++) {
        bool null = false;
        for (uint32_t i = 0; i < nargs; i++) null |= kq_vec_is_null(args[i], sel[k]);
        if (null && !(fn->flags & KQ_NULLS_SEEN))
            kq_vec_set_null(out, sel[k]);
        else
            seen[count++] = sel[k];
    }
    kq_call call = {fn, args, nargs, count, seen, out, arena, state};
    kq_error err;
    return count ? fn->fn(&call, &err) : KQ_OK;
}

static void check(const kq_scalar *fn, kq_vector *vectors, uint32_t nargs, kq_type result, bool constants, long fail_at,
                  kq_arena *arena) {
    static const uint16_t all[ROWS] = {0, 1, 2};
    kq_vector out, one;
    kq_error err;
    kq_cleanup *cleanups = NULL;
    const void *state = NULL;
    const kq_vector *known[ARGS] = {0};
    if (kq_vector_init(&out, result, ROWS, true, arena, &err) != KQ_OK ||
        kq_vector_init(&one, result, ROWS, true, arena, &err) != KQ_OK)
        return;
    for (uint32_t i = 0; i < nargs; i++) {
        vectors[i].constant = constants && i > 0;
        if (vectors[i].constant) known[i] = &vectors[i];
    }
    kq_prepare prepare = {fn, known, nargs, arena, &cleanups};
    if (fn->prepare && fn->prepare(&prepare, &state, &err) != KQ_OK) goto done;
    kq_alloc_fail_at(fail_at, false);
    kq_status status = call_rows(fn, vectors, nargs, &out, all, ROWS, state, arena);
    kq_alloc_fail_at(-1, false);
    if (status != KQ_OK) goto done;
    for (uint32_t r = 0; r < ROWS; r++) {
        if (call_rows(fn, vectors, nargs, &one, &all[r], 1, state, arena) != KQ_OK) goto done;
        kq_value a = kq_vector_get(&out, r), b = kq_vector_get(&one, r);
        if (!(fn->flags & KQ_VOLATILE) && !kq_value_same(&a, &b)) abort();
        kq_buf text;
        kq_buf_init(&text, NULL, 0);
        kq_value_json(&a, &text);
        kq_buf_deinit(&text);
    }
done:
    kq_cleanup_run(&cleanups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nl = size ? memchr(data, '\n', size) : NULL;
    if (!nl || size > 4096) return 0;
    input in = {nl + 1, data + size};
    uint8_t flags = take(&in), choice = take(&in);
    const kq_scalar *fn = find((kq_sv){(const char *)data, (size_t)(nl - data)}, flags & 3);
    kq_pattern pattern;
    if (!fn) return 0;
    uint32_t nargs = flags >> 2 & 7; /* the other flags: 0x40 a failing allocation, 0x80 constants */
    for (uint32_t tried = 0; nargs > ARGS || !kq_pattern_fit(fn->pattern, nargs, &pattern); nargs = (nargs + 1) % 8)
        if (tried++ == 8) return 0;
    kq_type types[ARGS], want[ARGS], result;
    kq_budget budget;
    kq_budget_init(&budget, (size_t)4 << 20);
    kq_arena arena;
    kq_arena_init(&arena, &budget, 0);
    kq_vector vectors[ARGS];
    kq_error err;
    for (uint32_t i = 0; i < nargs; i++) {
        types[i] = type_of(kq_pattern_letter(&pattern, i), choice);
        if (kq_vector_init(&vectors[i], types[i], ROWS, true, &arena, &err) != KQ_OK) goto done;
        for (uint32_t r = 0; r < ROWS; r++) {
            kq_value v = value_of(types[i], take_text(&in), &arena);
            kq_vector_set(&vectors[i], r, &v);
        }
    }
    if (kq_pattern_cost(&pattern, types, NULL, nargs, want, &result) < 0) goto done;
    for (uint32_t i = 0; i < nargs; i++)
        if (want[i] != types[i]) goto done;
    check(fn, vectors, nargs, result, flags & 0x80, flags & 0x40 ? choice % 64 : -1, &arena);
done:
    kq_arena_deinit(&arena);
    return 0;
}
