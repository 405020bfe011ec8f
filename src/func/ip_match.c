/* Functions over IP addresses. */
#include "func/build.h"
#include "func/ip.h"
#include "func/rows.h"

/* The prefix in argument `i`, or `max` when there is no such argument. */
static bool prefix_arg(const kq_call *call, uint32_t i, uint32_t row, uint32_t max, uint32_t *out) {
    *out = max;
    if (i >= call->nargs) return true;
    int64_t l = kq_arg_long(call, i, row);
    if (l < 0 || l > max) return false;
    *out = (uint32_t)l;
    return true;
}

/* An IPv4 network from a text or a number, narrowed by the prefix in argument 1. */
static bool network_of(const kq_call *call, uint32_t row, kq_ipv4 *out) {
    uint32_t prefix;
    if (call->args[0]->type == KQ_STRING) {
        if (!kq_ipv4_parse(kq_arg_sv(call, 0, row), out)) return false;
    } else {
        int64_t l = kq_arg_long(call, 0, row);
        if (l < 0 || l > UINT32_MAX) return false;
        *out = (kq_ipv4){(uint32_t)l, 32};
    }
    if (!prefix_arg(call, 1, row, 32, &prefix)) return false;
    if (prefix < out->prefix) out->prefix = prefix;
    out->address &= kq_ipv4_mask(out->prefix);
    return true;
}

kq_status kq_fn_parse_ipv4(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_ipv4 ip;
        if (network_of(call, row, &ip))
            kq_vec_long(call->out)[row] = ip.address;
        else
            kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

static void put_ipv4(kq_buf *out, uint32_t a) {
    kq_buf_printf(out, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static bool build_ipv4(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_ipv4 ip;
    if (!network_of(call, row, &ip)) return false;
    put_ipv4(out, ip.address);
    return true;
}

kq_status kq_fn_format_ipv4(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_ipv4, NULL, err);
}

static bool build_ipv4_mask(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_ipv4 ip;
    if (!network_of(call, row, &ip)) return false;
    put_ipv4(out, ip.address);
    kq_buf_printf(out, "/%u", ip.prefix);
    return true;
}

kq_status kq_fn_format_ipv4_mask(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_ipv4_mask, NULL, err);
}

/* The order of two networks in the bits of the shorter prefix; false when one is malformed. */
static bool compare_ipv4(const kq_call *call, uint32_t row, int *out) {
    kq_ipv4 a, b;
    uint32_t prefix;
    if (!kq_ipv4_parse(kq_arg_sv(call, 0, row), &a) || !kq_ipv4_parse(kq_arg_sv(call, 1, row), &b) ||
        !prefix_arg(call, 2, row, 32, &prefix))
        return false;
    if (a.prefix < prefix) prefix = a.prefix;
    if (b.prefix < prefix) prefix = b.prefix;
    uint32_t mask = kq_ipv4_mask(prefix), x = a.address & mask, y = b.address & mask;
    *out = x < y ? -1 : x > y;
    return true;
}

/* ::a.b.c.d stands for the IPv4 address when addresses are compared. */
static void map_dotted(kq_ipv6 *ip) {
    static const uint8_t zeros[12];
    if (ip->dotted && memcmp(ip->b, zeros, 12) == 0) ip->b[10] = ip->b[11] = 0xFF;
}

static int compare_parsed_ipv6(kq_ipv6 a, kq_ipv6 b, uint32_t prefix) {
    map_dotted(&a);
    map_dotted(&b);
    if (a.prefix < prefix) prefix = a.prefix;
    if (b.prefix < prefix) prefix = b.prefix;
    return kq_ipv6_cmp(&a, &b, prefix);
}

static bool compare_ipv6(const kq_call *call, uint32_t row, int *out) {
    kq_ipv6 a, b;
    uint32_t prefix;
    if (!kq_ipv6_parse(kq_arg_sv(call, 0, row), &a) || !kq_ipv6_parse(kq_arg_sv(call, 1, row), &b) ||
        !prefix_arg(call, 2, row, 128, &prefix))
        return false;
    *out = compare_parsed_ipv6(a, b, prefix);
    return true;
}

typedef bool (*compare_fn)(const kq_call *call, uint32_t row, int *out);

static kq_status put_order(kq_call *call, compare_fn compare) {
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        int c;
        if (compare(call, row, &c))
            kq_vec_long(call->out)[row] = c;
        else
            kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

static kq_status put_equal(kq_call *call, compare_fn compare) {
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        int c;
        if (compare(call, row, &c))
            kq_vec_bool(call->out)[row] = c == 0;
        else
            kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

kq_status kq_fn_ipv4_compare(kq_call *call, kq_error *err) {
    (void)err;
    return put_order(call, compare_ipv4);
}

kq_status kq_fn_ipv4_is_match(kq_call *call, kq_error *err) {
    (void)err;
    return put_equal(call, compare_ipv4);
}

kq_status kq_fn_ipv6_compare(kq_call *call, kq_error *err) {
    (void)err;
    return put_order(call, compare_ipv6);
}

kq_status kq_fn_ipv6_is_match(kq_call *call, kq_error *err) {
    (void)err;
    return put_equal(call, compare_ipv6);
}

kq_status kq_fn_ipv4_is_private(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_ipv4 ip;
        if (!kq_ipv4_parse(kq_arg_sv(call, 0, row), &ip)) {
            kq_vec_set_null(call->out, row);
            continue;
        }
        uint32_t a = ip.address & kq_ipv4_mask(ip.prefix);
        kq_vec_bool(call->out)[row] = a >> 24 == 10 || a >> 20 == 0xAC1 || a >> 16 == 0xC0A8;
    }
    return KQ_OK;
}

kq_status kq_fn_ipv4_netmask_suffix(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_ipv4 ip;
        if (kq_ipv4_parse(kq_arg_sv(call, 0, row), &ip))
            kq_vec_long(call->out)[row] = ip.prefix;
        else
            kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

static bool build_cidr_list(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    kq_buf *text = ctx;
    kq_ipv4 from, to;
    if (!kq_ipv4_parse(kq_arg_sv(call, 0, row), &from) || !kq_ipv4_parse(kq_arg_sv(call, 1, row), &to)) return false;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    /* At most 62 networks: the sizes grow and then shrink. */
    for (uint64_t at = from.address, end = (uint64_t)to.address + 1; at < end;) {
        uint32_t bits = at ? (uint32_t)__builtin_ctzll(at) : 32;
        if (bits > 32) bits = 32;
        while (at + ((uint64_t)1 << bits) > end) bits--;
        text->n = 0;
        put_ipv4(text, (uint32_t)at);
        kq_buf_printf(text, "/%u", 32 - bits);
        kq_dyn_put_string(out, kq_buf_view(text));
        kq_dyn_part(&b);
        at += (uint64_t)1 << bits;
    }
    if (text->failed) out->failed = text->failed;
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_ipv4_range_to_cidr_list(kq_call *call, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, call->arena->budget, 0);
    kq_status status = kq_build_rows(call, build_cidr_list, &text, err);
    kq_buf_deinit(&text);
    return status;
}

static bool build_ipv6(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    kq_ipv6 ip;
    uint32_t prefix;
    if (!kq_ipv6_parse(kq_arg_sv(call, 0, row), &ip) || !prefix_arg(call, 1, row, 128, &prefix)) return false;
    kq_ipv6_truncate(&ip, prefix < ip.prefix ? prefix : ip.prefix);
    for (int i = 0; i < 16; i += 2) kq_buf_printf(out, i ? ":%02x%02x" : "%02x%02x", ip.b[i], ip.b[i + 1]);
    return true;
}

kq_status kq_fn_parse_ipv6(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_ipv6, NULL, err);
}

/* ---- Lists of networks: further arguments, or one array ---- */

/* Text number `i` of the list in the arguments from 1 on; false past its end. Elements that are no text are "". */
static bool list_item(const kq_call *call, uint32_t row, uint32_t i, kq_sv *out) {
    if (call->args[1]->type != KQ_DYNAMIC) {
        if (i + 1 >= call->nargs) return false;
        *out = kq_arg_sv(call, i + 1, row);
        return true;
    }
    kq_dyn d = kq_arg_dyn(call, 1, row);
    if (kq_dyn_is_array(d)) {
        if (i >= kq_dyn_count(d)) return false;
        d = kq_dyn_element(d, i);
    } else if (i) {
        return false;
    }
    *out = kq_dyn_string(d);
    return true;
}

/* Constant networks as ranges that don't touch, in ascending order. */
typedef struct ranges {
    uint32_t n;
    struct {
        uint32_t from, to;
    } items[];
} ranges;

static void sort_ranges(ranges *r) {
    for (uint32_t start = r->n / 2, end = r->n; end > 1;) {
        __auto_type t = r->items[0];
        if (start > 0) {
            start--;
        } else {
            end--;
            r->items[0] = r->items[end];
            r->items[end] = t;
        }
        for (uint32_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && r->items[child].from < r->items[child + 1].from) child++;
            if (r->items[root].from >= r->items[child].from) break;
            t = r->items[root];
            r->items[root] = r->items[child];
            r->items[child] = t;
        }
    }
}

kq_status kq_prepare_ipv4_ranges(kq_prepare *p, const void **state, kq_error *err) {
    for (uint32_t i = 1; i < p->nargs; i++)
        if (!p->args[i] || kq_vec_is_null(p->args[i], 0)) return KQ_OK;
    kq_call call = {.args = p->args, .nargs = p->nargs};
    kq_sv text;
    uint32_t n = 0;
    while (list_item(&call, 0, n, &text)) n++;
    ranges *r = kq_arena_alloc(p->arena, sizeof *r + n * sizeof r->items[0]);
    if (!r) return kq_arena_status(p->arena, err);
    r->n = 0;
    for (uint32_t i = 0; list_item(&call, 0, i, &text); i++) {
        kq_ipv4 ip;
        if (!kq_ipv4_parse(text, &ip)) continue;
        uint32_t mask = kq_ipv4_mask(ip.prefix);
        r->items[r->n].from = ip.address & mask;
        r->items[r->n++].to = ip.address | ~mask;
    }
    sort_ranges(r);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        if (kept && r->items[i].from <= r->items[kept - 1].to) {
            if (r->items[i].to > r->items[kept - 1].to) r->items[kept - 1].to = r->items[i].to;
        } else {
            r->items[kept++] = r->items[i];
        }
    }
    r->n = kept;
    *state = r;
    return KQ_OK;
}

static bool in_ranges(const ranges *r, uint32_t address) {
    uint32_t lo = 0, hi = r->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->items[mid].to < address)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->n && r->items[lo].from <= address;
}

static bool in_list_ipv4(const kq_call *call, uint32_t row, kq_ipv4 ip) {
    kq_sv text;
    for (uint32_t i = 0; list_item(call, row, i, &text); i++) {
        kq_ipv4 range;
        if (!kq_ipv4_parse(text, &range)) continue;
        uint32_t mask = kq_ipv4_mask(range.prefix < ip.prefix ? range.prefix : ip.prefix);
        if ((ip.address & mask) == (range.address & mask)) return true;
    }
    return false;
}

kq_status kq_fn_ipv4_is_in_any_range(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_ipv4 ip;
        if (!kq_ipv4_parse(kq_arg_sv(call, 0, row), &ip)) {
            kq_vec_set_null(call->out, row);
            continue;
        }
        /* An address with a prefix of its own shortens the networks' prefixes: then ranges do not tell. */
        bool ranged = call->state && ip.prefix == 32;
        kq_vec_bool(call->out)[row] = ranged ? in_ranges(call->state, ip.address) : in_list_ipv4(call, row, ip);
    }
    return KQ_OK;
}

kq_status kq_fn_ipv6_is_in_any_range(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_ipv6 ip, range;
        if (!kq_ipv6_parse(kq_arg_sv(call, 0, row), &ip)) {
            kq_vec_set_null(call->out, row);
            continue;
        }
        kq_sv text;
        bool hit = false;
        for (uint32_t i = 0; !hit && list_item(call, row, i, &text); i++)
            hit = kq_ipv6_parse(text, &range) && compare_parsed_ipv6(ip, range, 128) == 0;
        kq_vec_bool(call->out)[row] = hit;
    }
    return KQ_OK;
}

/* ---- Addresses in a text ---- */

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (kq_ascii_lower(c) >= 'a' && kq_ascii_lower(c) <= 'z');
}

/* Does `text` have an address, delimited by characters that are neither letters nor digits, that begins with `wanted`:
 * a whole address, or (when `prefix`) one to three octets and a dot? */
static bool has_address(kq_sv text, kq_sv wanted, bool prefix) {
    uint32_t address;
    bool whole = kq_ipv4_scan(wanted, &address) == wanted.n && wanted.n;
    if (!whole) {
        if (!prefix || wanted.n < 2 || wanted.p[wanted.n - 1] != '.') return false;
        /* Complete it: "10." is a prefix when "10.0.0.0" is an address. */
        char full[32];
        if (wanted.n > 12) return false;
        size_t n = wanted.n, dots = 0;
        memcpy(full, wanted.p, n);
        for (size_t i = 0; i < n; i++) dots += full[i] == '.';
        if (dots > 3) return false;
        for (size_t i = dots; i < 3; i++, n += 2) memcpy(full + n, "0.", 2);
        full[n++] = '0';
        if (kq_ipv4_scan((kq_sv){full, n}, &address) != n) return false;
    }
    for (const char *p = text.p, *end = text.p + text.n; p < end; p++) {
        p = memmem(p, (size_t)(end - p), wanted.p, wanted.n);
        if (!p) return false;
        if (p > text.p && is_alnum(p[-1])) continue;
        size_t n = kq_ipv4_scan((kq_sv){p, (size_t)(end - p)}, &address);
        if (n == 0 || n < wanted.n || (whole && n != wanted.n)) continue;
        if (p + n == end || !is_alnum(p[n])) return true;
    }
    return false;
}

static kq_status find_addresses(kq_call *call, bool prefix) {
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        kq_sv text = kq_arg_sv(call, 0, row), wanted;
        bool hit = false;
        for (uint32_t i = 0; !hit && list_item(call, row, i, &wanted); i++) hit = has_address(text, wanted, prefix);
        kq_vec_bool(call->out)[row] = hit;
    }
    return KQ_OK;
}

kq_status kq_fn_has_any_ipv4(kq_call *call, kq_error *err) {
    (void)err;
    return find_addresses(call, false);
}

kq_status kq_fn_has_any_ipv4_prefix(kq_call *call, kq_error *err) {
    (void)err;
    return find_addresses(call, true);
}
