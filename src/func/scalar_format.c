/* format_datetime and format_timespan: runs of letters for parts, a few signs between them. Source: Kusto
 * documentation. */
#include "base/time.h"
#include "func/kernel.h"
#include "func/rows.h"

/* One step of a format: a part with its number of letters, or a sign. */
typedef struct step {
    char letter; /* d f F h H m M s y t, or the sign itself with count 0 */
    uint8_t count;
} step;

#define MAX_STEPS 128

typedef struct format {
    step steps[MAX_STEPS];
    uint32_t n;
} format;

/* How many letters in a row make one part; further ones begin the next. */
static unsigned longest(char letter, unsigned run, bool span) {
    switch (letter) {
    case 'd': return span ? 8 : 2;
    case 'f':
    case 'F': return 7;
    case 'h':
    case 'H':
    case 'm':
    case 's': return 2;
    case 'M': return span ? 0 : 2;
    case 'y': return span ? 0 : run >= 4 ? 4 : 2;
    case 't': return span || run < 2 ? 0 : 2;
    default: return 0;
    }
}

/* False: a sign that is not allowed, or too long; *bad is where. */
static bool compile(kq_sv text, bool span, format *out, size_t *bad) {
    out->n = 0;
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        unsigned run = 1;
        while (i + run < text.n && text.p[i + run] == c && run < 250) run++;
        unsigned most = longest(c, run, span);
        *bad = i;
        if (out->n == MAX_STEPS) return false;
        if (most == 0) {
            if (!c || !strchr(" /-:,._[]", c)) return false;
            out->steps[out->n++] = (step){c, 0};
            i++;
            continue;
        }
        unsigned count = run < most ? run : most;
        out->steps[out->n++] = (step){c, (uint8_t)count};
        i += count;
    }
    return true;
}

static kq_status prepare_format(kq_prepare *p, bool span, const void **state, kq_error *err) {
    if (!p->args[1]) return KQ_OK;
    format *f = kq_arena_new(p->arena, format);
    if (!f) return kq_arena_status(p->arena, err);
    kq_sv text = kq_str_view(&kq_vec_str(p->args[1])[0]);
    size_t bad = 0;
    if (!compile(text, span, f, &bad)) {
        kq_status status =
            kq_fail(err, KQ_ERR_QUERY, "%s() does not know the format '" KQ_SV_FMT "' from character %zu on",
                    p->fn->name, KQ_SV_ARG(text), bad + 1);
        kq_error_hint(err, "parts: %s; between them: space / - : , . _ [ ]",
                      span ? "d h H m s f F" : "y M d h H m s f F tt");
        return status;
    }
    *state = f;
    return KQ_OK;
}

kq_status kq_prepare_format_datetime(kq_prepare *p, const void **state, kq_error *err) {
    return prepare_format(p, false, state, err);
}

kq_status kq_prepare_format_timespan(kq_prepare *p, const void **state, kq_error *err) {
    return prepare_format(p, true, state, err);
}

/* At least `width` digits. */
static char *put(char *p, int64_t v, unsigned width) {
    char digits[20];
    unsigned n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (unsigned i = n; i < width; i++) *p++ = '0';
    while (n) *p++ = digits[--n];
    return p;
}

/* The first `width` digits of the fraction; trailing zeros go with F. */
static char *put_fraction(char *p, int64_t tick, unsigned width, bool trim) {
    char digits[7];
    for (int i = 6; i >= 0; i--, tick /= 10) digits[i] = (char)('0' + tick % 10);
    while (trim && width && digits[width - 1] == '0') width--;
    memcpy(p, digits, width);
    return p + width;
}

/* Each step writes at most 24 bytes. */
static size_t print(const format *f, int64_t ticks, bool span, char *text) {
    char *p = text;
    kq_civil c = {0};
    int64_t day = 0;
    if (span) {
        uint64_t u = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;
        if (ticks < 0) *p++ = '-';
        day = (int64_t)(u / KQ_TICK_DAY);
        int64_t rest = (int64_t)(u % KQ_TICK_DAY);
        c.hour = (int)(rest / KQ_TICK_HOUR);
        c.minute = (int)(rest / KQ_TICK_MINUTE % 60);
        c.second = (int)(rest / KQ_TICK_SECOND % 60);
        c.tick = (int)(rest % KQ_TICK_SECOND);
    } else {
        c = kq_civil_of(ticks);
        day = c.day;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        unsigned w = f->steps[i].count;
        if (w == 0) {
            *p++ = f->steps[i].letter;
            continue;
        }
        switch (f->steps[i].letter) {
        case 'y': p = put(p, w == 4 ? c.year : c.year % 100, w); break;
        case 'M': p = put(p, c.month, w); break;
        case 'd': p = put(p, day, w); break;
        case 'H': p = put(p, c.hour, w); break;
        case 'h': p = put(p, span ? c.hour : (c.hour + 11) % 12 + 1, w); break;
        case 'm': p = put(p, c.minute, w); break;
        case 's': p = put(p, c.second, w); break;
        case 'f': p = put_fraction(p, c.tick, w, false); break;
        case 'F': p = put_fraction(p, c.tick, w, true); break;
        default: *p++ = c.hour < 12 ? 'A' : 'P'; *p++ = 'M';
        }
    }
    return (size_t)(p - text);
}

static kq_status format_row(kq_call *call, uint32_t r, int64_t ticks, bool span, kq_error *err) {
    char text[MAX_STEPS * 24];
    const format *f = call->state;
    format own;
    if (!f) {
        size_t bad;
        if (!compile(kq_str_view(&kq_vec_str(call->args[1])[kq_vec_at(call->args[1], r)]), span, &own, &bad))
            return KQ_OK; /* stays "" */
        f = &own;
    }
    return kq_call_text(call, r, (kq_sv){text, print(f, ticks, span, text)}, err);
}

kq_status kq_fn_format_datetime(kq_call *call, kq_error *err) {
    KQ_UNARY(call, int64_t, t, r, KQ_TRY(format_row(call, r, t, false, err)););
    return KQ_OK;
}

kq_status kq_fn_format_timespan(kq_call *call, kq_error *err) {
    KQ_UNARY(call, int64_t, t, r, KQ_TRY(format_row(call, r, t, true, err)););
    return KQ_OK;
}
