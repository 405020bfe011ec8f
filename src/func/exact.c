#include "func/exact.h"
#include <float.h>
#include <math.h>

/* Chunk i holds a signed multiple of 2^(32 i - 1074 - 32). A double's 53 bits touch at most three chunks. */
#define CHUNKS    70
#define LOW_POWER (-1074 - 32)
/* After so many additions of numbers below 2^32 a chunk might overflow. */
#define CARRY_AT (1u << 29)

struct kq_exact_big {
    int64_t chunk[CHUNKS];
    uint32_t additions;
};

typedef __int128 i128;
typedef unsigned __int128 u128;

#define FIXED_POWER (-80)

static i128 fixed_of(const kq_exact *sum) {
    return (i128)((u128)sum->hi << 64 | sum->lo);
}

static void set_fixed(kq_exact *sum, i128 v) {
    sum->lo = (uint64_t)(u128)v;
    sum->hi = (uint64_t)((u128)v >> 64);
}

/* Moves what exceeds 32 bits upwards; afterwards every chunk but the highest lies in [0, 2^32). */
static void carry(kq_exact_big *b) {
    int64_t over = 0;
    for (int i = 0; i < CHUNKS - 1; i++) {
        int64_t v = b->chunk[i] + over;
        over = v >> 32;
        b->chunk[i] = v & INT64_C(0xFFFFFFFF);
    }
    b->chunk[CHUNKS - 1] += over;
    b->additions = 0;
}

/* Adds `bits` * 2^power, bits below 2^64. */
static void big_add(kq_exact_big *b, uint64_t bits, int power, bool negative) {
    unsigned at = (unsigned)(power - LOW_POWER);
    u128 shifted = (u128)bits << (at & 31);
    int64_t *c = &b->chunk[at >> 5];
    for (int i = 0; i < 3 && shifted; i++, shifted >>= 32) {
        int64_t part = (int64_t)(shifted & 0xFFFFFFFF);
        c[i] += negative ? -part : part;
    }
    if (++b->additions >= CARRY_AT) carry(b);
}

/* |x| = bits * 2^power, bits odd or zero being of no interest here. */
static uint64_t take_apart(double x, int *power, bool *negative) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    *negative = u >> 63;
    int e = (int)(u >> 52 & 0x7FF);
    uint64_t m = u & ((UINT64_C(1) << 52) - 1);
    if (e == 0) {
        *power = -1074;
        return m;
    }
    *power = e - 1075;
    return m | UINT64_C(1) << 52;
}

static void add_fixed_to_big(kq_exact_big *b, i128 v) {
    bool negative = v < 0;
    u128 u = negative ? (u128)0 - (u128)v : (u128)v;
    big_add(b, (uint64_t)u, FIXED_POWER, negative);
    big_add(b, (uint64_t)(u >> 64), FIXED_POWER + 64, negative);
}

static kq_status widen(kq_exact *sum, kq_arena *arena, kq_error *err) {
    kq_exact_big *b = kq_arena_new(arena, kq_exact_big);
    if (!b) return kq_arena_status(arena, err);
    add_fixed_to_big(b, fixed_of(sum));
    sum->big = b;
    return KQ_OK;
}

/* Can the sum stay in 128 bits? Then it is added. */
static bool add_fixed(kq_exact *sum, uint64_t bits, int power, bool negative) {
    int shift = power - FIXED_POWER;
    i128 v;
    if (shift >= 0) {
        if (shift > 72) return false; /* 53 bits and the sign must fit */
        v = (i128)((u128)bits << shift);
    } else {
        if (shift < -63 || bits & ((UINT64_C(1) << -shift) - 1)) return false;
        v = (i128)(bits >> -shift);
    }
    i128 total;
    if (__builtin_add_overflow(fixed_of(sum), negative ? -v : v, &total)) return false;
    set_fixed(sum, total);
    return true;
}

kq_status kq_exact_add(kq_exact *sum, double x, kq_arena *arena, kq_error *err) {
    if (KQ_UNLIKELY(!isfinite(x))) {
        if (isnan(x))
            sum->nan = 1;
        else if (x > 0)
            sum->plus = 1;
        else
            sum->minus = 1;
        return KQ_OK;
    }
    int power;
    bool negative;
    uint64_t bits = take_apart(x, &power, &negative);
    if (bits == 0) return KQ_OK;
    if (!sum->big) {
        if (add_fixed(sum, bits, power, negative)) return KQ_OK;
        KQ_TRY(widen(sum, arena, err));
    }
    big_add(sum->big, bits, power, negative);
    return KQ_OK;
}

kq_status kq_exact_add_product(kq_exact *sum, double x, double y, kq_arena *arena, kq_error *err) {
    double hi = x * y;
    KQ_TRY(kq_exact_add(sum, hi, arena, err));
    double lo = isfinite(hi) ? fma(x, y, -hi) : 0;
    return lo != 0 ? kq_exact_add(sum, lo, arena, err) : KQ_OK;
}

kq_status kq_exact_merge(kq_exact *into, const kq_exact *from, kq_arena *arena, kq_error *err) {
    into->nan |= from->nan;
    into->plus |= from->plus;
    into->minus |= from->minus;
    i128 total;
    if (!into->big && !from->big) {
        if (!__builtin_add_overflow(fixed_of(into), fixed_of(from), &total)) {
            set_fixed(into, total);
            return KQ_OK;
        }
    }
    if (!into->big) KQ_TRY(widen(into, arena, err));
    if (!from->big) {
        add_fixed_to_big(into->big, fixed_of(from));
        return KQ_OK;
    }
    kq_exact_big copy = *from->big;
    carry(&copy);
    carry(into->big);
    for (int i = 0; i < CHUNKS; i++) into->big->chunk[i] += copy.chunk[i];
    into->big->additions = 2;
    return KQ_OK;
}

/* The double nearest to the sum, ties to even. Leaves `b` normalized and, when negative, negated. */
static double round_big(kq_exact_big *b) {
    carry(b);
    bool negative = b->chunk[CHUNKS - 1] < 0;
    if (negative) {
        for (int i = 0; i < CHUNKS; i++) b->chunk[i] = -b->chunk[i];
        carry(b);
    }
    int top = CHUNKS - 1;
    while (top >= 0 && b->chunk[top] == 0) top--;
    if (top < 0) return 0;
    /* The highest 64 bits from the top bit on, and whether anything lies below them. */
    u128 head = (u128)(uint64_t)b->chunk[top] << 64;
    if (top >= 1) head |= (u128)(uint64_t)b->chunk[top - 1] << 32;
    if (top >= 2) head |= (uint64_t)b->chunk[top - 2];
    int power = LOW_POWER + 32 * (top - 2);
    bool sticky = false;
    for (int i = top - 3; i >= 0; i--) sticky |= b->chunk[i] != 0;
    int lead =
        (uint64_t)(head >> 64) ? 128 - __builtin_clzll((uint64_t)(head >> 64)) : 64 - __builtin_clzll((uint64_t)head);
    /* Bits of the result: 53, fewer when it is subnormal. */
    int drop = lead - 53;
    if (power + drop < -1074) drop = -1074 - power;
    uint64_t m;
    if (drop <= 0) {
        m = (uint64_t)head;
        drop = 0;
    } else {
        m = (uint64_t)(head >> drop);
        u128 rest = head & (((u128)1 << drop) - 1), half = (u128)1 << (drop - 1);
        if (rest > half || (rest == half && (sticky || (m & 1)))) m++;
    }
    double r = ldexp((double)m, power + drop);
    return negative ? -r : r;
}

void kq_exact_value(const kq_exact *sum, double *hi, double *lo) {
    *lo = 0;
    if (sum->nan || (sum->plus && sum->minus)) {
        *hi = NAN;
        return;
    }
    if (sum->plus || sum->minus) {
        *hi = sum->plus ? INFINITY : -INFINITY;
        return;
    }
    kq_exact_big b = {{0}, 0};
    if (sum->big)
        b = *sum->big;
    else
        add_fixed_to_big(&b, fixed_of(sum));
    kq_exact_big rest = b;
    *hi = round_big(&b);
    if (!isfinite(*hi) || *hi == 0) return;
    int power;
    bool negative;
    uint64_t bits = take_apart(*hi, &power, &negative);
    big_add(&rest, bits, power, !negative);
    *lo = round_big(&rest);
}
