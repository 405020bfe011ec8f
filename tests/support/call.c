#include "call.h"
#include "column/dynamic.h"
#include "func/scalar.h"
#include <stdio.h>
#include <stdlib.h>

static kq_arena arena;
static bool started;

static kq_arena *get_arena(void) {
    if (!started) kq_arena_init(&arena, NULL, 0);
    started = true;
    return &arena;
}

void call_done(void) {
    if (started) kq_arena_deinit(&arena);
    started = false;
}

kq_value call_dyn(const char *json) {
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_value v = kq_value_null(KQ_DYNAMIC);
    if (!kq_dyn_parse_json(kq_sv_of(json), &b)) {
        fprintf(stderr, "test: not JSON: %s\n", json);
        exit(1);
    }
    if (b.p[0] != KQ_DYN_NULL) {
        v.null = false;
        v.u.s = kq_str_sv(kq_arena_copy(get_arena(), kq_buf_view(&b)));
    }
    kq_buf_deinit(&b);
    return v;
}

kq_value call_str(const char *s) {
    return kq_value_sv(kq_sv_of(s));
}
kq_value call_long(int64_t l) {
    return kq_value_long(l);
}
kq_value call_real(double r) {
    return kq_value_real(r);
}
kq_value call_bool(bool b) {
    return kq_value_bool(b);
}

static const char *print(const kq_vector *out, uint32_t row) {
    kq_value v = kq_vector_get(out, row);
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_value_json(&v, &b);
    kq_sv text = kq_arena_copy(get_arena(), kq_buf_view(&b));
    kq_buf_deinit(&b);
    return text.p;
}

/* Arguments of the implicit conversions that tests need: int literals are long already, long becomes real. */
static kq_value converted(kq_value v, kq_type want) {
    if (v.type == KQ_LONG && want == KQ_REAL) return v.null ? kq_value_null(KQ_REAL) : kq_value_real((double)v.u.l);
    return v;
}

static const char *run(const kq_scalar *fn, const kq_value *args, uint32_t nargs, kq_type result, bool constant) {
    enum { ROWS = 5 };
    static const uint16_t sel[] = {1, 3};
    kq_error err = {0};
    kq_vector vectors[40], out;
    const kq_vector *pointers[40];
    bool null = false;
    for (uint32_t i = 0; i < nargs; i++) {
        if (kq_vector_init(&vectors[i], args[i].type, ROWS, true, get_arena(), &err) != KQ_OK) return "no memory";
        for (uint32_t r = 0; r < ROWS; r++) kq_vector_set(&vectors[i], r, &args[i]);
        vectors[i].constant = constant;
        pointers[i] = &vectors[i];
        null |= args[i].null;
    }
    if (null && !(fn->flags & 1)) return "null";
    if (kq_vector_init(&out, result, ROWS, true, get_arena(), &err) != KQ_OK) return "no memory";
    kq_call call = {fn, pointers, nargs, constant ? 1 : 2, constant ? NULL : sel, &out, get_arena(), NULL};
    kq_cleanup *cleanups = NULL;
    if (fn->prepare) {
        const kq_vector *constants[40] = {0};
        for (uint32_t i = 0; i < nargs; i++) constants[i] = constant ? pointers[i] : NULL;
        kq_prepare prepare = {fn, constants, nargs, get_arena(), &cleanups};
        if (fn->prepare(&prepare, &call.state, &err) != KQ_OK) {
            kq_cleanup_run(&cleanups);
            return "refused by prepare";
        }
    }
    kq_status status = fn->fn(&call, &err);
    const char *text = status == KQ_OK ? print(&out, constant ? 0 : 3) : kq_status_text(status);
    kq_cleanup_run(&cleanups);
    return text;
}

const char *call_scalar(const char *name, const kq_value *args, uint32_t nargs) {
    kq_type types[40], want[40], result;
    kq_value values[40];
    const kq_scalar *fn;
    kq_error err;
    for (uint32_t i = 0; i < nargs; i++) types[i] = args[i].type;
    if (kq_scalar_resolve(kq_sv_of(name), types, NULL, nargs, &fn, want, &result, &err) != KQ_OK)
        return kq_arena_printf(get_arena(), "refused: %s", err.message).p;
    for (uint32_t i = 0; i < nargs; i++) values[i] = converted(args[i], want[i]);
    const char *a = run(fn, values, nargs, result, true), *b = run(fn, values, nargs, result, false);
    if (strcmp(a, b) != 0) return kq_arena_printf(get_arena(), "constant: %s, vector: %s", a, b).p;
    return a;
}
