/*
 * Calls any scalar function with values made from the input: no value may crash one, and constants and vectors give the
 * same. The first bytes choose the row and its arguments' types, the rest are the values.
 */
#include "base/time.h"
#include "column/decimal.h"
#include "column/dynamic.h"
#include "func/scalar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MAX_ARGS 6
#define ROWS     3

typedef struct bytes {
    const uint8_t *p, *end;
} bytes;

static uint64_t take(bytes *b, unsigned n) {
    uint64_t v = 0;
    for (unsigned i = 0; i < n && b->p < b->end; i++) v = v << 8 | *b->p++;
    return v;
}

static kq_sv take_text(bytes *b) {
    size_t n = (size_t)take(b, 1);
    if (n > (size_t)(b->end - b->p)) n = (size_t)(b->end - b->p);
    kq_sv s = {(const char *)b->p, n};
    b->p += n;
    return s;
}

/* Small numbers as often as any. */
static int64_t take_long(bytes *b) {
    return take(b, 1) & 1 ? (int64_t)(int8_t)take(b, 1) : (int64_t)take(b, 8);
}

static kq_value take_value(bytes *b, kq_type type, kq_buf *heap, kq_arena *arena) {
    kq_value v = {.type = type};
    if (take(b, 1) % 16 == 0 && type != KQ_STRING) return kq_value_null(type);
    switch (type) {
    case KQ_BOOL: v.u.b = take(b, 1) & 1; break;
    case KQ_INT: v.u.i = (int32_t)take_long(b); break;
    case KQ_LONG:
    case KQ_TIMESPAN: v.u.l = take_long(b); break;
    case KQ_DATETIME: v.u.l = (int64_t)((uint64_t)take_long(b) % ((uint64_t)KQ_TICKS_MAX + 1)); break;
    case KQ_REAL: {
        int64_t l = take_long(b);
        if (take(b, 1) & 1)
            memcpy(&v.u.r, &l, sizeof l);
        else
            v.u.r = (double)l / 4;
        break;
    }
    case KQ_DECIMAL:
        if (!kq_decimal_parse(take_text(b), &v.u.m)) v.u.m = kq_decimal_from_long(take_long(b));
        break;
    case KQ_GUID:
        for (int i = 0; i < 16; i++) v.u.g.b[i] = (uint8_t)take(b, 1);
        break;
    case KQ_STRING: v.u.s = kq_str_sv(kq_arena_copy(arena, take_text(b))); break;
    case KQ_DYNAMIC: {
        kq_buf_clear(heap);
        kq_sv text = take_text(b);
        if (!kq_dyn_parse_json(text, heap)) kq_dyn_put_string(heap, text);
        v.u.s = kq_str_sv(kq_arena_copy(arena, kq_buf_view(heap)));
        break;
    }
    case KQ_TYPE_COUNT: break;
    }
    return v;
}

static kq_status run(const kq_scalar *row, const kq_value *values, uint32_t nargs, kq_type type, bool vectors,
                     kq_arena *arena, kq_value *out, kq_error *err) {
    kq_vector args[MAX_ARGS], result;
    const kq_vector *pointers[MAX_ARGS], *constants[MAX_ARGS] = {0};
    const uint16_t sel[] = {0, 2};
    for (uint32_t i = 0; i < nargs; i++) {
        KQ_TRY(kq_vector_init(&args[i], values[i].type, ROWS, values[i].null, arena, err));
        args[i].constant = !vectors;
        for (uint32_t r = 0; r < (vectors ? ROWS : 1); r++) kq_vector_set(&args[i], r, &values[i]);
        pointers[i] = &args[i];
        if (!vectors) constants[i] = &args[i];
    }
    kq_cleanup *cleanups = NULL;
    const void *state = NULL;
    kq_status status = KQ_OK;
    if (row->prepare) {
        kq_prepare p = {row, constants, nargs, arena, &cleanups};
        status = row->prepare(&p, &state, err);
    }
    if (status == KQ_OK) status = kq_vector_init(&result, type, ROWS, true, arena, err);
    if (status == KQ_OK) {
        kq_call call = {.fn = row,
                        .args = pointers,
                        .nargs = nargs,
                        .n = vectors ? 2 : 1,
                        .sel = vectors ? sel : NULL,
                        .out = &result,
                        .arena = arena,
                        .state = state};
        status = row->fn(&call, err);
    }
    if (status == KQ_OK) *out = kq_vector_get(&result, vectors ? 2 : 0);
    kq_cleanup_run(&cleanups);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    bytes b = {data, data + n};
    size_t nrows;
    const kq_scalar *rows = kq_scalar_rows(&nrows), *row = &rows[take(&b, 2) % nrows];
    kq_type types[MAX_ARGS], want[MAX_ARGS], type;
    uint32_t nargs = (uint32_t)take(&b, 1) % (MAX_ARGS + 1);
    for (uint32_t i = 0; i < nargs; i++) types[i] = (kq_type)(take(&b, 1) % KQ_TYPE_COUNT);
    kq_error err = {0};
    if (kq_scalar_resolve(kq_sv_of(row->name), types, NULL, nargs, &row, want, &type, &err) != KQ_OK) return -1;

    kq_budget budget;
    kq_arena arena;
    kq_buf heap, text;
    kq_budget_init(&budget, 4u << 20); /* what grows without end is refused soon */
    kq_arena_init(&arena, &budget, 0);
    kq_buf_init(&heap, NULL, 0);
    kq_buf_init(&text, NULL, 0);
    kq_value values[MAX_ARGS], one, many;
    bool null = false;
    for (uint32_t i = 0; i < nargs; i++) {
        values[i] = take_value(&b, want[i], &heap, &arena);
        null |= values[i].null;
    }
    if (!null || (row->flags & KQ_NULLS_SEEN)) {
        kq_status a = run(row, values, nargs, type, false, &arena, &one, &err);
        kq_status c = run(row, values, nargs, type, true, &arena, &many, &err);
        if (a == KQ_OK && c == KQ_OK && !(row->flags & KQ_VOLATILE)) {
            if (!kq_value_same(&one, &many)) __builtin_trap();
            /* An array of a million numbers takes long to print and tells nothing. */
            if ((type != KQ_STRING && type != KQ_DYNAMIC) || one.u.s.len < 100000) {
                kq_value_json(&one, &text);
                kq_value_text(&many, &text);
            }
        }
        if (a == KQ_ERR_INTERNAL || c == KQ_ERR_INTERNAL) __builtin_trap();
    }
    kq_buf_deinit(&text);
    kq_buf_deinit(&heap);
    kq_arena_deinit(&arena);
    return 0;
}
