#include "schema/model.h"

static bool transform_basename(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    if (kq_sv_eq(in, KQ_SV("-"))) return false;
    size_t at = in.n;
    while (at > 0 && in.p[at - 1] != '\\' && in.p[at - 1] != '/') at--;
    *out = kq_sv_slice(in, at, in.n);
    return out->n > 0;
}

static bool transform_dash(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    *out = in;
    return in.n > 0 && !kq_sv_eq(in, KQ_SV("-"));
}

static bool transform_domain(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    const char *at = in.n ? memchr(in.p, '\\', in.n) : NULL;
    if (!at) return false;
    *out = kq_sv_slice(in, 0, (size_t)(at - in.p));
    return out->n > 0;
}

static bool transform_user(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    const char *at = in.n ? memchr(in.p, '\\', in.n) : NULL;
    *out = at ? kq_sv_slice(in, (size_t)(at - in.p) + 1, in.n) : in;
    return out->n > 0 && !kq_sv_eq(*out, KQ_SV("-"));
}

static bool transform_nonzero(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    *out = in;
    size_t i = kq_sv_starts(in, KQ_SV("0x")) || kq_sv_starts(in, KQ_SV("0X")) ? 2 : 0;
    for (; i < in.n; i++)
        if (in.p[i] != '0') return true;
    return false;
}

static bool transform_sid(kq_sv in, kq_sv arg, kq_arena *arena, kq_sv *out) {
    return transform_dash(in, arg, arena, out) && !kq_sv_eq(in, KQ_SV("S-1-0-0"));
}

typedef struct name_of {
    kq_sv code, name;
} name_of;

static bool named(const name_of *rows, size_t n, kq_sv code, kq_sv *out) {
    for (size_t i = 0; i < n; i++)
        if (kq_sv_eq(rows[i].code, code)) {
            *out = rows[i].name;
            return true;
        }
    return false;
}
#define NAMED(rows, code, out) named(rows, sizeof(rows) / sizeof *(rows), code, out)

/* Source: Windows, well-known SIDs of mandatory integrity levels. */
static bool transform_integrity(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    static const name_of rows[] = {
        {{"S-1-16-0", 8}, {"Untrusted", 9}},      {{"S-1-16-4096", 11}, {"Low", 3}},
        {{"S-1-16-8192", 11}, {"Medium", 6}},     {{"S-1-16-8448", 11}, {"Medium", 6}},
        {{"S-1-16-12288", 12}, {"High", 4}},      {{"S-1-16-16384", 12}, {"System", 6}},
        {{"S-1-16-20480", 12}, {"Protected", 9}},
    };
    return NAMED(rows, in, out);
}

/* Source: Windows, TokenElevationType of event 4688; the names are Defender's. */
static bool transform_elevation(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    static const name_of rows[] = {
        {{"%%1936", 6}, {"TokenElevationTypeDefault", 25}},
        {{"%%1937", 6}, {"TokenElevationTypeFull", 22}},
        {{"%%1938", 6}, {"TokenElevationTypeLimited", 25}},
    };
    return NAMED(rows, in, out);
}

/* Source: Windows event levels; 0 (LogAlways) is shown as Information, as the event viewer does. */
static bool transform_level(kq_sv in, KQ_UNUSED kq_sv arg, KQ_UNUSED kq_arena *arena, kq_sv *out) {
    static const name_of rows[] = {
        {{"0", 1}, {"Information", 11}}, {{"1", 1}, {"Critical", 8}},     {{"2", 1}, {"Error", 5}},
        {{"3", 1}, {"Warning", 7}},      {{"4", 1}, {"Information", 11}}, {{"5", 1}, {"Verbose", 7}},
    };
    return NAMED(rows, in, out);
}

static bool transform_lower(kq_sv in, KQ_UNUSED kq_sv arg, kq_arena *arena, kq_sv *out) {
    size_t i = 0;
    while (i < in.n && !(in.p[i] >= 'A' && in.p[i] <= 'Z')) i++;
    *out = in;
    if (i == in.n) return in.n > 0;
    char *p = kq_arena_bytes(arena, in.n);
    if (!p) return true; /* the arena's failure is sticky and is reported by its owner */
    for (i = 0; i < in.n; i++) p[i] = kq_ascii_lower(in.p[i]);
    *out = (kq_sv){p, in.n};
    return true;
}

static bool transform_hash(kq_sv in, kq_sv arg, kq_arena *arena, kq_sv *out) {
    for (size_t i = 0; i < in.n;) {
        size_t end = i;
        while (end < in.n && in.p[end] != ',') end++;
        kq_sv item = kq_sv_slice(in, i, end);
        while (item.n && item.p[0] == ' ') item = kq_sv_slice(item, 1, item.n);
        if (item.n > arg.n && item.p[arg.n] == '=' && kq_sv_eq_ascii_ci(kq_sv_slice(item, 0, arg.n), arg))
            return transform_lower(kq_sv_slice(item, arg.n + 1, item.n), arg, arena, out);
        i = end + 1;
    }
    return false;
}

static bool transform_unpercent(kq_sv in, KQ_UNUSED kq_sv arg, kq_arena *arena, kq_sv *out) {
    *out = in;
    const char *at = in.n ? memmem(in.p, in.n, "%%", 2) : NULL;
    if (!at) return in.n > 0;
    char *p = kq_arena_bytes(arena, in.n);
    if (!p) return true;
    size_t n = (size_t)(at - in.p);
    memcpy(p, in.p, n);
    for (size_t i = n; i < in.n; i++) {
        p[n++] = in.p[i];
        if (in.p[i] == '%' && i + 1 < in.n && in.p[i + 1] == '%') i++;
    }
    kq_arena_trim(arena, p, in.n, n);
    *out = (kq_sv){p, n};
    return true;
}

static const kq_transform transforms[] = {
#define KQ_TRANSFORM(name, view, doc) {#name, transform_##name, view, doc},
#include "schema/transforms.def"
#undef KQ_TRANSFORM
};

const kq_transform *kq_transform_find(kq_sv name) {
    for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++)
        if (kq_sv_eq(kq_sv_of(transforms[i].name), name)) return &transforms[i];
    return NULL;
}

bool kq_map_apply(const kq_map_source *source, kq_sv in, kq_arena *arena, kq_sv *out) {
    *out = in;
    for (uint32_t i = 0; i < source->ntransforms; i++)
        if (!source->transforms[i]->fn(*out, source->arguments[i], arena, out)) return false;
    return true;
}
