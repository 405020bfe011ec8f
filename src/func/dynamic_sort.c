/* array_sort_asc and array_sort_desc. */
#include "func/build.h"
#include "func/rows.h"

typedef struct item {
    kq_dyn value;
    uint32_t index, rank;
} item;

typedef struct order {
    bool descending;
    bool nulls_last;
} order;

/* Numbers and times, then strings, then guids, then the rest: the order of kinds that Kusto documents. */
static uint32_t rank_of(kq_dyn d) {
    switch (kq_dyn_tag_of(d)) {
    case KQ_DYN_LONG:
    case KQ_DYN_REAL:
    case KQ_DYN_DECIMAL:
    case KQ_DYN_DATETIME:
    case KQ_DYN_TIMESPAN: return 0;
    case KQ_DYN_STRING: return 1;
    case KQ_DYN_GUID: return 2;
    default: return 3;
    }
}

static int compare(const item *a, const item *b, const order *o) {
    bool na = kq_dyn_is_null(a->value), nb = kq_dyn_is_null(b->value);
    if (na || nb) return na == nb ? 0 : na == o->nulls_last ? 1 : -1;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    int c = kq_dyn_cmp(a->value, b->value);
    return o->descending ? -c : c;
}

/* Stable merge sort of items[0..n) with room for as many more. */
static void sort(item *items, item *room, uint32_t n, const order *o) {
    for (uint32_t width = 1; width < n; width *= 2) {
        for (uint32_t from = 0; from < n; from += 2 * width) {
            uint32_t mid = from + width < n ? from + width : n, end = mid + width < n ? mid + width : n;
            uint32_t a = from, b = mid;
            for (uint32_t to = from; to < end; to++)
                room[to] = a < mid && (b >= end || compare(&items[a], &items[b], o) <= 0) ? items[a++] : items[b++];
        }
        memcpy(items, room, n * sizeof *items);
    }
}

static void put_sorted(kq_buf *out, kq_dyn array, const item *items, uint32_t n) {
    kq_dyn_builder b;
    if (!kq_dyn_is_array(array) || kq_dyn_count(array) != n) {
        kq_dyn_put_null(out);
        return;
    }
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0; i < n; i++) {
        kq_dyn_put_dyn(out, kq_dyn_element(array, items[i].index));
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

static bool build_sorted(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    order o = {.descending = *(const bool *)ctx, .nulls_last = true};
    uint32_t narrays = call->nargs;
    if (call->args[narrays - 1]->type == KQ_BOOL) {
        narrays--;
        if (!kq_arg_null(call, narrays, row)) o.nulls_last = kq_arg_bool(call, narrays, row);
    }
    kq_dyn first = kq_arg_dyn(call, 0, row);
    uint32_t n = kq_dyn_count(first);
    item *items = kq_arena_array(call->arena, item, (size_t)n * 2);
    if (!items) {
        out->failed = KQ_ERR_NOMEM;
        return false;
    }
    if (kq_dyn_is_array(first)) {
        for (uint32_t i = 0; i < n; i++) {
            kq_dyn d = kq_dyn_element(first, i);
            items[i] = (item){d, i, rank_of(d)};
        }
        sort(items, items + n, n, &o);
    }
    if (narrays == 1) {
        put_sorted(out, first, items, n);
        return true;
    }
    /* Several arrays: one array of them, which the caller takes apart. */
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t a = 0; a < narrays; a++) {
        put_sorted(out, kq_arg_dyn(call, a, row), items, n);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_array_sort_asc(kq_call *call, kq_error *err) {
    bool descending = false;
    return kq_build_rows(call, build_sorted, &descending, err);
}

kq_status kq_fn_array_sort_desc(kq_call *call, kq_error *err) {
    bool descending = true;
    return kq_build_rows(call, build_sorted, &descending, err);
}
