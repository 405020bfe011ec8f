#include "scalar_check.h"
#include "base/number.h"
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include "func/convert.h"
#include "func/scalar.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX_ARGS 16
#define ROWS     70 /* past one word of a null bitmap */

static char result[4096];

static bool read_value(kq_sv s, kq_arena *arena, kq_value *out) {
    *out = (kq_value){0};
    kq_sv rest = kq_sv_slice(s, 2, s.n);
    if (kq_sv_starts(s, KQ_SV("null:"))) {
        out->null = true;
        return kq_type_from_name(kq_sv_slice(s, 5, s.n), &out->type);
    }
    if (s.n >= 2 && s.p[0] == '\'') {
        *out = kq_value_sv(kq_arena_copy(arena, kq_sv_slice(s, 1, s.n - 1)));
        return true;
    }
    if (kq_sv_eq(s, KQ_SV("true")) || kq_sv_eq(s, KQ_SV("false"))) {
        *out = kq_value_bool(s.p[0] == 't');
        return true;
    }
    if (s.n > 2 && s.p[1] == ':') {
        int64_t l;
        switch (s.p[0]) {
        case 'i':
            out->type = KQ_INT;
            if (!kq_number_parse_long(rest, &l)) return false;
            out->u.i = (int32_t)l;
            return true;
        case 'm': out->type = KQ_DECIMAL; return kq_decimal_parse(rest, &out->u.m);
        case 'd': out->type = KQ_DATETIME; return kq_time_parse(rest, &out->u.l);
        case 't': out->type = KQ_TIMESPAN; return kq_timespan_parse(rest, &out->u.l);
        case 'g': out->type = KQ_GUID; return kq_guid_parse(rest, &out->u.g);
        case 'y': {
            kq_buf b;
            kq_buf_init(&b, NULL, 0);
            out->type = KQ_DYNAMIC;
            bool ok = kq_dyn_parse_json(rest, &b);
            kq_sv copy = kq_arena_copy(arena, kq_buf_view(&b));
            kq_buf_deinit(&b);
            out->u.s = kq_str_sv(copy);
            return ok;
        }
        default: return false;
        }
    }
    out->type = KQ_LONG;
    if (kq_number_parse_long(s, &out->u.l)) return true;
    out->type = KQ_REAL;
    return kq_number_parse_real(s, &out->u.r);
}

static bool convert(kq_value *v, kq_type to, kq_arena *arena) {
    if (v->type == to) return true;
    if (v->null && v->type != KQ_STRING) {
        *v = kq_value_null(to);
        return true;
    }
    if (to == KQ_STRING) {
        kq_buf b;
        kq_buf_init(&b, NULL, 0);
        kq_value_text(v, &b);
        *v = kq_value_sv(kq_arena_copy(arena, kq_buf_view(&b)));
        kq_buf_deinit(&b);
        return true;
    }
    kq_value out;
    if (!kq_convert(v, to, &out)) out = kq_value_null(to);
    *v = out;
    return true;
}

/* The value of row 0 (constants), or of the rows of vectors, which must all be the same. */
static kq_status run(const kq_scalar *row, const kq_value *values, uint32_t nargs, kq_type type, bool vectors,
                     kq_arena *arena, kq_value *out, bool *same, kq_error *err) {
    static kq_vector args[MAX_ARGS];
    const kq_vector *pointers[MAX_ARGS];
    static uint16_t sel[ROWS];
    bool null = false;
    for (uint32_t i = 0; i < nargs; i++) {
        KQ_TRY(kq_vector_init(&args[i], values[i].type, vectors ? ROWS : 1, values[i].null, arena, err));
        args[i].constant = !vectors;
        for (uint32_t r = 0; r < (vectors ? ROWS : 1); r++) kq_vector_set(&args[i], r, &values[i]);
        pointers[i] = &args[i];
        null |= values[i].null;
    }
    *same = true;
    *out = kq_value_null(type);
    if (null && !(row->flags & KQ_NULLS_SEEN)) return KQ_OK;
    kq_cleanup *cleanups = NULL;
    const void *state = NULL;
    kq_status status = KQ_OK;
    if (row->prepare) {
        const kq_vector *constants[MAX_ARGS] = {0};
        if (!vectors) memcpy(constants, pointers, sizeof *constants * nargs);
        kq_prepare p = {row, constants, nargs, arena, &cleanups};
        status = row->prepare(&p, &state, err);
    }
    kq_vector result_vector;
    if (status == KQ_OK) status = kq_vector_init(&result_vector, type, ROWS, true, arena, err);
    uint32_t n = 0;
    for (uint32_t r = 1; r < ROWS; r += 2) sel[n++] = (uint16_t)r;
    if (status == KQ_OK) {
        kq_call call = {.fn = row,
                        .args = pointers,
                        .nargs = nargs,
                        .n = vectors ? n : 1,
                        .sel = vectors ? sel : NULL,
                        .out = &result_vector,
                        .arena = arena,
                        .state = state};
        status = row->fn(&call, err);
    }
    if (status == KQ_OK) {
        *out = kq_vector_get(&result_vector, vectors ? sel[0] : 0);
        for (uint32_t k = 1; vectors && k < n; k++) {
            kq_value other = kq_vector_get(&result_vector, sel[k]);
            if (!kq_value_same(out, &other)) *same = false;
        }
    }
    kq_cleanup_run(&cleanups);
    return status;
}

static void answer(const kq_value *v, const char *prefix) {
    kq_buf b;
    kq_buf_init(&b, NULL, 0);
    kq_value_literal(v, &b);
    snprintf(result, sizeof result, "%s%.*s", prefix, (int)b.n, b.p);
    kq_buf_deinit(&b);
}

const char *kq_test_call(const char *name, const char *args) {
    kq_arena arena;
    kq_arena_init(&arena, NULL, 0);
    kq_error err = {0};
    kq_value values[MAX_ARGS], got, again;
    kq_type types[MAX_ARGS], want[MAX_ARGS], type;
    bool literal[MAX_ARGS], same = true;
    uint32_t n = 0;
    for (const char *p = args; *p && n < MAX_ARGS; n++) {
        const char *end = strstr(p, " , ");
        kq_sv s = {p, end ? (size_t)(end - p) : strlen(p)};
        if (!read_value(s, &arena, &values[n])) {
            snprintf(result, sizeof result, "the test's value %.*s is wrong", (int)s.n, s.p);
            goto out;
        }
        types[n] = values[n].type;
        literal[n] = true;
        p = end ? end + 3 : p + s.n;
    }
    const kq_scalar *row = NULL;
    kq_status status = kq_scalar_resolve(kq_sv_of(name), types, literal, n, &row, want, &type, &err);
    for (uint32_t i = 0; status == KQ_OK && i < n; i++) convert(&values[i], want[i], &arena);
    if (status == KQ_OK) status = run(row, values, n, type, false, &arena, &got, &same, &err);
    if (status != KQ_OK) {
        snprintf(result, sizeof result, "error: %s", err.message);
        goto out;
    }
    answer(&got, "");
    if (row->flags & KQ_VOLATILE) goto out;
    if (n && (run(row, values, n, type, true, &arena, &again, &same, &err) != KQ_OK || !same ||
              !kq_value_same(&got, &again)))
        answer(&again, "differs: ");
out:
    kq_arena_deinit(&arena);
    return result;
}

const char *kq_test_scalars(const kq_test_scalar *tests, size_t n) {
    static char wrong[sizeof result + 512];
    for (size_t i = 0; i < n; i++) {
        const char *got = kq_test_call(tests[i].name, tests[i].args), *want = tests[i].want;
        if (strcmp(want, "error") == 0 ? strncmp(got, "error: ", 7) == 0 : strcmp(got, want) == 0) continue;
        snprintf(wrong, sizeof wrong, "%s(%s) is %s, not %s", tests[i].name, tests[i].args, got, want);
        return wrong;
    }
    return NULL;
}
