/* Members of dynamics, and dynamics from and to JSON. */
#include "func/build.h"
#include "func/jsonpath.h"
#include "func/rows.h"

/* A view into an argument: nothing is copied, the result shares the argument's heap. */
static void put_view(kq_call *call, uint32_t row, kq_dyn d) {
    kq_str *out = kq_vec_str(call->out);
    if (kq_dyn_is_null(d)) {
        out[row] = kq_str_ref(NULL, 0);
        kq_vec_set_null(call->out, row);
    } else {
        out[row] = kq_str_sv(d);
    }
}

kq_status kq_fn_member_name(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        put_view(call, row, kq_dyn_get(kq_arg_dyn(call, 0, row), kq_arg_sv(call, 1, row)));
    }
    return KQ_OK;
}

static kq_dyn at_index(kq_dyn d, int64_t i) {
    kq_path_step step = {.index = true, .n = i};
    return kq_path_member(d, &step);
}

kq_status kq_fn_member_index(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        put_view(call, row, at_index(kq_arg_dyn(call, 0, row), kq_arg_long(call, 1, row)));
    }
    return KQ_OK;
}

kq_status kq_fn_member_dynamic(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_dyn d = kq_arg_dyn(call, 0, row), by = kq_arg_dyn(call, 1, row);
        kq_dyn member = {NULL, 0};
        if (kq_dyn_tag_of(by) == KQ_DYN_STRING)
            member = kq_dyn_get(d, kq_dyn_string(by));
        else if (kq_dyn_tag_of(by) == KQ_DYN_LONG)
            member = at_index(d, kq_dyn_value(by).u.l);
        put_view(call, row, member);
    }
    return KQ_OK;
}

static bool build_parse(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv text = kq_arg_sv(call, 0, row);
    if (text.n == 0) return false;
    if (!kq_dyn_parse_json(text, out) && !out->failed) kq_dyn_put_string(out, text);
    return true;
}

kq_status kq_fn_parse_json(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_parse, NULL, err);
}

static bool build_dynamic(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_arg_put(call, 0, row, out);
    return true;
}

kq_status kq_fn_to_dynamic(kq_call *call, kq_error *err) {
    if (call->args[0]->type != KQ_DYNAMIC) return kq_build_rows(call, build_dynamic, NULL, err);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        put_view(call, row, kq_arg_dyn(call, 0, row));
    }
    return KQ_OK;
}

/* ---- dynamic_to_json ---- */

typedef struct entry {
    kq_sv key;
    kq_dyn value;
} entry;

static int by_key(const entry *a, const entry *b) {
    return kq_sv_cmp(a->key, b->key);
}

/* Heap sort: keys are unique, so stability does not matter. */
static void sort_entries(entry *e, uint32_t n) {
    for (uint32_t start = n / 2, end = n; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            end--;
            entry t = e[0];
            e[0] = e[end];
            e[end] = t;
        }
        for (uint32_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && by_key(&e[child], &e[child + 1]) < 0) child++;
            if (by_key(&e[root], &e[child]) >= 0) break;
            entry t = e[root];
            e[root] = e[child];
            e[child] = t;
        }
    }
}

static void canonical(kq_dyn d, kq_buf *out, kq_arena *arena, unsigned depth) {
    if (!kq_dyn_count(d) || depth > KQ_DYN_DEPTH) {
        kq_dyn_json(d, out);
        return;
    }
    uint32_t n = kq_dyn_count(d);
    if (kq_dyn_is_array(d)) {
        kq_buf_char(out, '[');
        for (uint32_t i = 0; i < n; i++) {
            if (i) kq_buf_char(out, ',');
            canonical(kq_dyn_element(d, i), out, arena, depth + 1);
        }
        kq_buf_char(out, ']');
        return;
    }
    entry *entries = kq_arena_array(arena, entry, n);
    if (!entries) {
        out->failed = KQ_ERR_NOMEM;
        return;
    }
    for (uint32_t i = 0; i < n; i++) entries[i].value = kq_dyn_entry(d, i, &entries[i].key);
    sort_entries(entries, n);
    kq_buf_char(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        if (i) kq_buf_char(out, ',');
        kq_json_string(entries[i].key, out);
        kq_buf_char(out, ':');
        canonical(entries[i].value, out, arena, depth + 1);
    }
    kq_buf_char(out, '}');
}

static bool build_json(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    if (call->args[0]->type == KQ_DYNAMIC)
        canonical(kq_arg_dyn(call, 0, row), out, call->arena, 0);
    else
        kq_arg_text(call, 0, row, out);
    return true;
}

kq_status kq_fn_dynamic_to_json(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_json, NULL, err);
}

/* ---- extract_json ---- */

static bool build_extract(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *parsed = ctx;
    kq_buf_clear(parsed);
    if (!kq_dyn_parse_json(kq_arg_sv(call, 1, row), parsed)) {
        out->failed = parsed->failed;
        return false;
    }
    kq_dyn found = kq_path_get(kq_buf_view(parsed), kq_arg_sv(call, 0, row));
    if (kq_dyn_is_null(found)) return false;
    kq_value v = {.type = KQ_DYNAMIC, .u.s = kq_str_sv(found)};
    kq_value_text(&v, out);
    return true;
}

kq_status kq_fn_extract_json(kq_call *call, kq_error *err) {
    kq_buf parsed;
    kq_buf_init(&parsed, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build_extract, &parsed, err);
    kq_buf_deinit(&parsed);
    return status;
}

/* ---- treepath ---- */

typedef struct paths {
    kq_bytes_set seen;
    kq_buf prefix;
    kq_arena *arena;
    kq_buf *out;
    kq_dyn_builder array;
} paths;

static void walk(paths *w, kq_dyn d, unsigned depth);

/* The path that now stands in w->prefix: listed once, then what is below it. */
static void visit(paths *w, kq_dyn d, unsigned depth) {
    if (!kq_bytes_has(&w->seen, kq_buf_view(&w->prefix))) {
        kq_sv path = kq_arena_copy(w->arena, kq_buf_view(&w->prefix));
        kq_status status = path.p ? kq_bytes_add(&w->seen, path, NULL) : KQ_ERR_NOMEM;
        if (status != KQ_OK) {
            w->out->failed = status;
            return;
        }
        kq_dyn_put_string(w->out, path);
        kq_dyn_part(&w->array);
    }
    walk(w, d, depth + 1);
}

static void walk(paths *w, kq_dyn d, unsigned depth) {
    size_t at = w->prefix.n;
    if (depth > KQ_DYN_DEPTH) return;
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n && !w->out->failed; i++) {
        if (kq_dyn_is_array(d)) {
            kq_buf_str(&w->prefix, "[0]");
            visit(w, kq_dyn_element(d, i), depth);
        } else {
            kq_sv key;
            kq_dyn value = kq_dyn_entry(d, i, &key);
            kq_buf_str(&w->prefix, "['");
            kq_buf_sv(&w->prefix, key);
            kq_buf_str(&w->prefix, "']");
            visit(w, value, depth);
        }
        if (w->prefix.failed) w->out->failed = w->prefix.failed;
        w->prefix.n = at;
    }
}

static bool build_paths(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    paths *w = ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_array(d) && !kq_dyn_is_bag(d)) return false;
    kq_bytes_clear(&w->seen);
    kq_buf_clear(&w->prefix);
    w->out = out;
    kq_dyn_open(&w->array, out, false);
    walk(w, d, 0);
    kq_dyn_close(&w->array);
    return true;
}

kq_status kq_fn_treepath(kq_call *call, kq_error *err) {
    paths w = {.arena = call->arena, .seen.budget = call->arena->budget};
    kq_buf_init(&w.prefix, call->arena->budget, KQ_STR_MAX);
    kq_status status = kq_build_rows(call, build_paths, &w, err);
    kq_buf_deinit(&w.prefix);
    kq_bytes_deinit(&w.seen);
    return status;
}
