#include "column/type.h"

static const struct {
    const char *name, *dotnet;
    size_t width;
    char letter;
} types[KQ_TYPE_COUNT] = {
#define KQ_TYPE(name, kusto, dotnet, width, letter) [KQ_##name] = {kusto, dotnet, width, letter},
#include "column/type.def"
#undef KQ_TYPE
};

const char *kq_type_name(kq_type type) {
    return types[type].name;
}

const char *kq_type_dotnet(kq_type type) {
    return types[type].dotnet;
}

size_t kq_type_width(kq_type type) {
    return types[type].width;
}

char kq_type_letter(kq_type type) {
    return types[type].letter;
}

/* Source: Kusto documentation, "Scalar data types": additional names. */
static const struct {
    const char *name;
    kq_type type;
} aliases[] = {
    {"boolean", KQ_BOOL},  {"int32", KQ_INT}, {"int64", KQ_LONG},    {"double", KQ_REAL},    {"date", KQ_DATETIME},
    {"time", KQ_TIMESPAN}, {"uuid", KQ_GUID}, {"uniqueid", KQ_GUID}, {"object", KQ_DYNAMIC}, {"float", KQ_REAL},
};

bool kq_type_from_name(kq_sv name, kq_type *out) {
    for (int t = 0; t < KQ_TYPE_COUNT; t++)
        if (kq_sv_eq(name, kq_sv_of(types[t].name))) {
            *out = (kq_type)t;
            return true;
        }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (kq_sv_eq(name, kq_sv_of(aliases[i].name))) {
            *out = aliases[i].type;
            return true;
        }
    return false;
}
