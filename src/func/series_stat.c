/* Numbers of series, and filters. */
#include "func/rows.h"
#include "func/series.h"
#include <math.h>

bool kq_series_numbers(kq_dyn d, kq_arena *arena, double **out, uint32_t *n, bool *failed) {
    *failed = false;
    if (!kq_dyn_is_array(d)) return false;
    *n = kq_dyn_count(d);
    *out = kq_arena_array(arena, double, (size_t)*n + 1);
    *failed = !*out;
    for (uint32_t i = 0; *out && i < *n; i++)
        if (!kq_series_number(kq_dyn_element(d, i), &(*out)[i])) return false;
    return *out != NULL;
}

void kq_series_put(const double *values, uint32_t n, kq_buf *out) {
    kq_dyn_builder b;
    kq_dyn_open(&b, out, false);
    for (uint32_t i = 0; i < n; i++) {
        kq_dyn_put_real(out, values[i]);
        kq_dyn_part(&b);
    }
    kq_dyn_close(&b);
}

/* ---- One number ---- */

typedef enum fold { SUM, PRODUCT, SQUARES } fold;

/* Elements that are no numbers are left out; false when none is left. */
static bool fold_series(kq_dyn d, fold how, double *out) {
    bool any = false;
    double sum = how == PRODUCT ? 1 : 0, x;
    for (uint32_t i = 0, n = kq_dyn_is_array(d) ? kq_dyn_count(d) : 0; i < n; i++) {
        if (!kq_series_number(kq_dyn_element(d, i), &x)) continue;
        any = true;
        if (how == PRODUCT)
            sum *= x;
        else
            sum += how == SUM ? x : x * x;
    }
    *out = how == SQUARES ? sqrt(sum) : sum;
    return any;
}

static kq_status run_fold(kq_call *call, fold how) {
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        if (!fold_series(kq_arg_dyn(call, 0, row), how, &kq_vec_real(call->out)[row])) kq_vec_set_null(call->out, row);
    }
    return KQ_OK;
}

kq_status kq_fn_series_sum(kq_call *call, kq_error *err) {
    (void)err;
    return run_fold(call, SUM);
}

kq_status kq_fn_series_product(kq_call *call, kq_error *err) {
    (void)err;
    return run_fold(call, PRODUCT);
}

kq_status kq_fn_series_magnitude(kq_call *call, kq_error *err) {
    (void)err;
    return run_fold(call, SQUARES);
}

/* ---- Two series ---- */

typedef struct sums {
    double n, x, y, xx, yy, xy;
} sums;

/* Over the elements that both have; false when they differ in length or one is no number (unless `lenient`). */
static bool add_pairs(kq_dyn a, kq_dyn b, bool lenient, sums *s) {
    *s = (sums){0};
    if (!kq_dyn_is_array(a) || !kq_dyn_is_array(b)) return false;
    uint32_t n = kq_dyn_count(a), other = kq_dyn_count(b);
    if (n != other && !lenient) return false;
    if (other < n) n = other;
    for (uint32_t i = 0; i < n; i++) {
        double x, y;
        if (!kq_series_number(kq_dyn_element(a, i), &x) || !kq_series_number(kq_dyn_element(b, i), &y)) {
            if (lenient) continue;
            return false;
        }
        s->n++;
        s->x += x;
        s->y += y;
        s->xx += x * x;
        s->yy += y * y;
        s->xy += x * y;
    }
    return true;
}

kq_status kq_fn_series_dot_product(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        sums s;
        if (!add_pairs(kq_arg_dyn(call, 0, row), kq_arg_dyn(call, 1, row), false, &s)) kq_vec_set_null(call->out, row);
        kq_vec_real(call->out)[row] = s.xy;
    }
    return KQ_OK;
}

kq_status kq_fn_series_cosine_similarity(kq_call *call, kq_error *err) {
    (void)err;
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        sums s;
        if (!add_pairs(kq_arg_dyn(call, 0, row), kq_arg_dyn(call, 1, row), true, &s)) kq_vec_set_null(call->out, row);
        double x = call->nargs > 2 ? kq_arg_real(call, 2, row) : sqrt(s.xx);
        double y = call->nargs > 3 ? kq_arg_real(call, 3, row) : sqrt(s.yy);
        kq_vec_real(call->out)[row] = s.xy / (x * y);
    }
    return KQ_OK;
}

/* The sum of products of deviations, of which variances are a special case: in two passes, against cancellation. */
static double deviations(const double *x, double mean_x, const double *y, double mean_y, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (x[i] - mean_x) * (y[i] - mean_y);
    return sum;
}

static double mean_of(const double *x, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

kq_status kq_fn_series_pearson_correlation(kq_call *call, kq_error *err) {
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t row = kq_call_row(call, k);
        double *x, *y;
        uint32_t n, m;
        bool failed_x, failed_y = false;
        if (!kq_series_numbers(kq_arg_dyn(call, 0, row), call->arena, &x, &n, &failed_x) ||
            !kq_series_numbers(kq_arg_dyn(call, 1, row), call->arena, &y, &m, &failed_y) || n != m) {
            if (failed_x || failed_y) return kq_arena_status(call->arena, err);
            kq_vec_set_null(call->out, row);
            continue;
        }
        double mx = mean_of(x, n), my = mean_of(y, n);
        kq_vec_real(call->out)[row] =
            deviations(x, mx, y, my, n) / sqrt(deviations(x, mx, x, mx, n) * deviations(y, my, y, my, n));
    }
    return KQ_OK;
}

/* ---- Statistics: as a bag, or as an array of the same values that the binder makes columns of ---- */

static void put_real(kq_dyn_builder *b, const char *key, double r) {
    if (b->bag) kq_dyn_key(b, kq_sv_of(key));
    kq_dyn_put_real(b->out, r);
    kq_dyn_part(b);
}

static void put_long(kq_dyn_builder *b, const char *key, int64_t l) {
    if (b->bag) kq_dyn_key(b, kq_sv_of(key));
    kq_dyn_put_long(b->out, l);
    kq_dyn_part(b);
}

/* ctx: whether to give a bag. */
static bool build_stats(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    bool bag = *(const bool *)ctx;
    kq_dyn d = kq_arg_dyn(call, 0, row);
    bool ignore = call->nargs > 1 && kq_arg_bool(call, 1, row);
    if (!kq_dyn_is_array(d)) return false;
    uint32_t n = kq_dyn_count(d), used = 0, least = 0, greatest = 0;
    double min = 0, max = 0, sum = 0, spread = 0, x;
    for (uint32_t i = 0; i < n; i++) {
        if (!kq_series_number(kq_dyn_element(d, i), &x) || !isfinite(x)) {
            if (ignore) continue;
            return false;
        }
        if (used == 0 || x < min) min = x, least = i;
        if (used == 0 || x > max) max = x, greatest = i;
        sum += x;
        used++;
    }
    if (used == 0) return false;
    for (uint32_t i = 0; i < n; i++)
        if (kq_series_number(kq_dyn_element(d, i), &x) && isfinite(x)) spread += (x - sum / used) * (x - sum / used);
    double variance = used > 1 ? spread / (used - 1) : 0;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, bag);
    put_real(&b, "min", min);
    put_long(&b, "min_idx", least);
    put_real(&b, "max", max);
    put_long(&b, "max_idx", greatest);
    put_real(&b, "avg", sum / used);
    put_real(&b, "stdev", sqrt(variance));
    put_real(&b, "variance", variance);
    if (bag) { /* series_stats() has no such columns */
        put_real(&b, "sum", sum);
        put_long(&b, "len", n);
    }
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_stats_dynamic(kq_call *call, kq_error *err) {
    bool bag = true;
    return kq_build_rows(call, build_stats, &bag, err);
}

kq_status kq_fn_series_stats(kq_call *call, kq_error *err) {
    bool bag = false;
    return kq_build_rows(call, build_stats, &bag, err);
}

static bool build_line(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    bool bag = *(const bool *)ctx;
    double *y, *fit;
    uint32_t n;
    bool failed;
    if (!kq_series_numbers(kq_arg_dyn(call, 0, row), call->arena, &y, &n, &failed) || n < 2 ||
        !(fit = kq_arena_array(call->arena, double, n))) {
        if (failed || call->arena->failed) out->failed = KQ_ERR_NOMEM;
        return false;
    }
    for (uint32_t i = 0; i < n; i++) fit[i] = i;
    double mx = ((double)n - 1) / 2, my = mean_of(y, n);
    double slope = deviations(fit, mx, y, my, n) / deviations(fit, mx, fit, mx, n), base = my - slope * mx;
    double variance = deviations(y, my, y, my, n) / (n - 1), residual = 0;
    for (uint32_t i = 0; i < n; i++) {
        fit[i] = base + slope * i;
        residual += (y[i] - fit[i]) * (y[i] - fit[i]);
    }
    residual /= n - 1;
    kq_dyn_builder b;
    kq_dyn_open(&b, out, bag);
    put_real(&b, "rsquare", variance > 0 ? 1 - residual / variance : 1);
    put_real(&b, "slope", slope);
    put_real(&b, "variance", variance);
    put_real(&b, "rvariance", residual);
    put_real(&b, "interception", base - slope); /* the first element stands at x = 1 */
    if (bag) kq_dyn_key(&b, KQ_SV("line_fit"));
    kq_series_put(fit, n, out);
    kq_dyn_part(&b);
    kq_dyn_close(&b);
    return true;
}

kq_status kq_fn_series_fit_line_dynamic(kq_call *call, kq_error *err) {
    bool bag = true;
    return kq_build_rows(call, build_line, &bag, err);
}

kq_status kq_fn_series_fit_line(kq_call *call, kq_error *err) {
    bool bag = false;
    return kq_build_rows(call, build_line, &bag, err);
}

/* ---- Filters ---- */

/* A filter costs its length for every element, so that one taken from data could stall a query. */
#define FILTER_MAX 4096

static bool build_fir(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    double *x, *f, *y, sum = 0;
    uint32_t n, m = 0;
    bool failed, negative = false;
    if (!kq_series_numbers(kq_arg_dyn(call, 0, row), call->arena, &x, &n, &failed) ||
        !kq_series_numbers(kq_arg_dyn(call, 1, row), call->arena, &f, &m, &failed) || m == 0 || m > FILTER_MAX ||
        !(y = kq_arena_array(call->arena, double, (size_t)n + 1))) {
        if (failed || call->arena->failed) out->failed = KQ_ERR_NOMEM;
        return false;
    }
    for (uint32_t i = 0; i < m; i++) {
        negative |= f[i] < 0;
        sum += f[i];
    }
    bool normalize = call->nargs > 2 ? kq_arg_bool(call, 2, row) : !negative;
    if (normalize && negative) return false;
    uint32_t shift = call->nargs > 3 && kq_arg_bool(call, 3, row) ? (m - 1) / 2 : 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < m; k++) {
            uint64_t at = (uint64_t)i + shift;
            if (k <= at && at - k < n) y[i] += f[k] * x[at - k];
        }
        if (normalize) y[i] /= sum;
    }
    kq_series_put(y, n, out);
    return true;
}

kq_status kq_fn_series_fir(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_fir, NULL, err);
}

static bool build_iir(const kq_call *call, uint32_t row, kq_buf *out, void *ctx) {
    (void)ctx;
    double *x, *b, *a, *y;
    uint32_t n, nb = 0, na = 0;
    bool failed;
    if (!kq_series_numbers(kq_arg_dyn(call, 0, row), call->arena, &x, &n, &failed) ||
        !kq_series_numbers(kq_arg_dyn(call, 1, row), call->arena, &b, &nb, &failed) ||
        !kq_series_numbers(kq_arg_dyn(call, 2, row), call->arena, &a, &na, &failed) || na == 0 || na > FILTER_MAX ||
        nb > FILTER_MAX || a[0] == 0 || !(y = kq_arena_array(call->arena, double, (size_t)n + 1))) {
        if (failed || call->arena->failed) out->failed = KQ_ERR_NOMEM;
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < nb && k <= i; k++) y[i] += b[k] * x[i - k];
        for (uint32_t k = 1; k < na && k <= i; k++) y[i] -= a[k] * y[i - k];
        y[i] /= a[0];
    }
    kq_series_put(y, n, out);
    return true;
}

kq_status kq_fn_series_iir(kq_call *call, kq_error *err) {
    return kq_build_rows(call, build_iir, NULL, err);
}
