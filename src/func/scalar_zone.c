/* datetime_utc_to_local and datetime_local_to_utc, over the system's time zones. */
#include "base/time.h"
#include "base/zone.h"
#include "func/kernel.h"
#include "func/rows.h"

/* A zone that is written in the query must exist. */
kq_status kq_prepare_zone(kq_prepare *p, const void **state, kq_error *err) {
    if (!p->args[1]) return KQ_OK;
    kq_sv name = kq_str_view(&kq_vec_str(p->args[1])[0]);
    const kq_zone *zone;
    KQ_TRY(kq_zone_load(name, p->arena, &zone, err));
    if (!zone)
        return kq_fail(err, KQ_ERR_QUERY, "there is no time zone '" KQ_SV_FMT "' on this system", KQ_SV_ARG(name));
    *state = zone;
    return KQ_OK;
}

/* The zones that rows named last, so that a column of few zones does not read files again and again. */
#define CACHE 8
typedef struct zones {
    kq_sv name[CACHE];
    const kq_zone *zone[CACHE];
    unsigned n;
} zones;

static kq_status find_zone(kq_call *call, uint32_t r, zones *known, const kq_zone **out, kq_error *err) {
    *out = call->state;
    if (*out) return KQ_OK;
    kq_sv name = kq_str_view(&kq_vec_str(call->args[1])[kq_vec_at(call->args[1], r)]);
    for (unsigned i = 0; i < known->n && i < CACHE; i++)
        if (kq_sv_eq(known->name[i], name)) {
            *out = known->zone[i];
            return KQ_OK;
        }
    KQ_TRY(kq_zone_load(name, call->arena, out, err));
    unsigned at = known->n++ % CACHE;
    known->name[at] = name;
    known->zone[at] = *out;
    return KQ_OK;
}

static kq_status convert(kq_call *call, bool to_local, kq_error *err) {
    zones known = {.n = 0};
    int64_t *out = KQ_OUT(call, int64_t);
    for (uint32_t k = 0; k < call->n; k++) {
        uint32_t r = kq_call_row(call, k);
        int64_t t = kq_vec_long(call->args[0])[kq_vec_at(call->args[0], r)];
        const kq_zone *zone;
        KQ_TRY(find_zone(call, r, &known, &zone, err));
        if (zone) t = to_local ? t + kq_zone_offset(zone, t) : kq_zone_to_utc(zone, t);
        if (!zone || t < 0 || t > KQ_TICKS_MAX) {
            t = 0;
            kq_call_null(call, r);
        }
        out[r] = t;
    }
    return KQ_OK;
}

kq_status kq_fn_datetime_utc_to_local(kq_call *call, kq_error *err) {
    return convert(call, true, err);
}

kq_status kq_fn_datetime_local_to_utc(kq_call *call, kq_error *err) {
    return convert(call, false, err);
}
