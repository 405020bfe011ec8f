/* Functions over bags. */
#include "func/build.h"
#include "func/jsonpath.h"
#include "func/rows.h"

/* ctx: whether to leave out null and empty values. */
static bool build_pack(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    bool filled = *(const bool *)ctx;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t i = 0; i + 1 < call->nargs; i += 2) {
        if (filled &&
            (call->args[i + 1]->type == KQ_STRING ? kq_arg_sv(call, i + 1, row).n == 0 : kq_arg_null(call, i + 1, row)))
            continue;
        kq_dyn_key(&b, kq_arg_sv(call, i, row));
        kq_arg_put(call, i + 1, row, out);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_bag_pack(kq_call *call, kq_error *err) {
    bool filled = false;
    return kq_build_rows(call, build_pack, &filled, err);
}

kq_status kq_fn_bag_pack_filled(kq_call *call, kq_error *err) {
    bool filled = true;
    return kq_build_rows(call, build_pack, &filled, err);
}

static bool build_keys(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    if (!kq_dyn_is_bag(d)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
        kq_sv key;
        kq_dyn_entry(d, i, &key);
        kq_dyn_put_string(out, key);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_bag_keys(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_keys, NULL, err);
}

static void put_entry(kq_dyn_builder *b, kq_sv key, kq_dyn value) {
    kq_dyn_key(b, key);
    kq_dyn_put_dyn(b->out, value);
    kq_dyn_part(b);
}

static bool build_merge(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_bytes_set *seen = ctx;
    bool any = false;
    kq_bytes_clear(seen);
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t i = 0; i < call->nargs && !out->failed; i++) {
        kq_dyn d = kq_arg_dyn(call, i, row);
        if (!kq_dyn_is_bag(d)) continue;
        any = true;
        for (uint32_t e = 0, n = kq_dyn_count(d); e < n && !out->failed; e++) {
            kq_sv key;
            bool added;
            kq_dyn value = kq_dyn_entry(d, e, &key);
            out->failed = kq_bytes_add(seen, key, &added);
            if (added) put_entry(&b, key, value);
        }
    }
    kq_dyn_close(&b);
    return any;
}

kq_status kq_fn_bag_merge(kq_call *call, kq_error *err) {
    kq_bytes_set seen = {.budget = call->arena->budget};
    kq_status status = kq_build_rows(call, build_merge, &seen, err);
    kq_bytes_deinit(&seen);
    return status;
}

/* ---- Keys that may be paths ---- */

/* The steps of a key: of "$.a.b" its names, of anything else the text itself. 0 when it has an index, has too many
 * steps or is malformed. */
static uint32_t steps_of(kq_sv key, kq_sv *names) {
    kq_path path;
    kq_path_step step;
    uint32_t n = 0;
    if (!kq_path_open(key, &path)) {
        names[0] = key;
        return 1;
    }
    for (;;) {
        int more = kq_path_next(&path, &step);
        if (more == 0) return n;
        if (more < 0 || step.index || n == KQ_PATH_STEPS) return 0;
        names[n++] = step.name;
    }
}

kq_status kq_fn_bag_has_key(kq_call *call, kq_error *err) {
    (void)err;
    uint8_t *out = kq_vec_bool(call->out);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv names[KQ_PATH_STEPS];
        uint32_t n = steps_of(kq_arg_sv(call, 1, row), names);
        kq_dyn d = kq_arg_dyn(call, 0, row);
        if (!kq_dyn_is_bag(d)) kq_vec_set_null(call->out, row);
        for (uint32_t i = 0; i < n; i++) d = kq_dyn_get(d, names[i]);
        out[row] = n && d.n;
    }
    return KQ_OK;
}

/* A copy of `bag` without the paths among keys[0..n), of which names [depth..] are left to follow. */
typedef struct removal {
    kq_sv *names;
    uint32_t n;
} removal;

static void put_without(kq_buf *out, kq_dyn bag, removal *keys, uint32_t nkeys, uint32_t depth) {
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t e = 0, n = kq_dyn_count(bag); e < n; e++) {
        kq_sv name;
        kq_dyn value = kq_dyn_entry(bag, e, &name);
        /* Move the keys that go through this entry to the front: only they matter below. */
        uint32_t through = 0;
        bool gone = false;
        for (uint32_t i = 0; i < nkeys && !gone; i++) {
            if (!kq_sv_eq(keys[i].names[depth], name)) continue;
            gone = keys[i].n == depth + 1;
            removal t = keys[through];
            keys[through++] = keys[i];
            keys[i] = t;
        }
        if (gone) continue;
        kq_dyn_key(&b, name);
        if (through && kq_dyn_is_bag(value))
            put_without(out, value, keys, through, depth + 1);
        else
            kq_dyn_put_dyn(out, value);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

/* Paths are compared one by one with every entry, so there may not be more of them. */
#define PATHS_MAX 1000

/* Many root keys are looked up in a set; paths, which are few, one by one. */
static bool build_remove(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_bytes_set *roots = ctx;
    kq_dyn bag = kq_arg_dyn(call, 0, row), keys = kq_arg_dyn(call, 1, row);
    if (!kq_dyn_is_bag(bag) || !kq_dyn_is_array(keys)) return false;
    kq_bytes_clear(roots);
    uint32_t n = kq_dyn_count(keys), npaths = 0;
    removal *paths = kq_arena_array(call->arena, removal, n);
    if (!paths) goto nomem;
    for (uint32_t i = 0; i < n; i++) {
        kq_sv names[KQ_PATH_STEPS];
        kq_dyn key = kq_dyn_element(keys, i);
        if (kq_dyn_tag_of(key) != KQ_DYN_STRING) continue;
        uint32_t steps = steps_of(kq_dyn_string(key), names);
        if (steps == 1 && kq_bytes_add(roots, names[0], NULL) != KQ_OK) goto nomem;
        if (steps < 2) continue;
        if (npaths == PATHS_MAX) return false;
        kq_sv *copy = kq_arena_array(call->arena, kq_sv, steps);
        if (!copy) goto nomem;
        memcpy(copy, names, steps * sizeof *copy);
        paths[npaths++] = (removal){copy, steps};
    }
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t e = 0, count = kq_dyn_count(bag); e < count; e++) {
        kq_sv name;
        kq_dyn value = kq_dyn_entry(bag, e, &name);
        if (kq_bytes_has(roots, name)) continue;
        uint32_t through = 0;
        for (uint32_t i = 0; i < npaths && kq_dyn_is_bag(value); i++) {
            if (!kq_sv_eq(paths[i].names[0], name)) continue;
            removal t = paths[through];
            paths[through++] = paths[i];
            paths[i] = t;
        }
        kq_dyn_key(&b, name);
        if (through)
            put_without(out, value, paths, through, 1);
        else
            kq_dyn_put_dyn(out, value);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
nomem:
    out->failed = KQ_ERR_NOMEM;
    return false;
}

kq_status kq_fn_bag_remove_keys(kq_call *call, kq_error *err) {
    kq_bytes_set roots = {.budget = call->arena->budget};
    kq_status status = kq_build_rows(call, build_remove, &roots, err);
    kq_bytes_deinit(&roots);
    return status;
}

/* A copy of `bag` (which may be no bag: then an empty one) with the value at names[0..n). An entry on the way keeps its
 * place, the last one moves to the end. */
static void put_with(kq_buf *out, kq_dyn bag, const kq_sv *names, uint32_t n, const kq_call *call, uint32_t row) {
    kq_dyn_builder b;
    bool met = false;
    kq_dyn_open(&b, out, true);
    if (kq_dyn_is_bag(bag)) {
        for (uint32_t e = 0, count = kq_dyn_count(bag); e < count; e++) {
            kq_sv name;
            kq_dyn value = kq_dyn_entry(bag, e, &name);
            bool here = kq_sv_eq(name, names[0]);
            if (here && n == 1) continue;
            kq_dyn_key(&b, name);
            if (here) {
                met = true;
                put_with(out, value, names + 1, n - 1, call, row);
            } else {
                kq_dyn_put_dyn(out, value);
            }
            kq_dyn_part(&b);
        }
    }
    if (!met) {
        kq_dyn_key(&b, names[0]);
        if (n == 1)
            kq_arg_put(call, 2, row, out);
        else
            put_with(out, (kq_dyn){NULL, 0}, names + 1, n - 1, call, row);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

static bool build_set_key(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_sv names[KQ_PATH_STEPS];
    kq_dyn bag = kq_arg_dyn(call, 0, row);
    uint32_t n = steps_of(kq_arg_sv(call, 1, row), names);
    if (!kq_dyn_is_bag(bag) || n == 0) return false;
    put_with(out, bag, names, n, call, row);
    return true;
}

kq_status kq_fn_bag_set_key(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_set_key, NULL, err);
}

static bool build_bag_zip(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_dyn keys = kq_arg_dyn(call, 0, row), values = kq_arg_dyn(call, 1, row);
    if (!kq_dyn_is_array(keys)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, true);
    for (uint32_t i = 0, n = kq_dyn_count(keys); i < n; i++) {
        kq_dyn key = kq_dyn_element(keys, i);
        if (kq_dyn_tag_of(key) == KQ_DYN_STRING) put_entry(&b, kq_dyn_string(key), kq_dyn_element(values, i));
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_bag_zip(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_bag_zip, NULL, err);
}
