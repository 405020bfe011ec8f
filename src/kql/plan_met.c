#include "kql/plan_met.h"

static uint32_t slot_of(const kq_plan_met *m, const kq_plan *plan) {
    uint32_t i = (uint32_t)(((uint64_t)(uintptr_t)plan >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (m->nslots - 1);
    while (m->slots[i] && m->slots[i] != plan) i = (i + 1) & (m->nslots - 1);
    return i;
}

bool kq_plan_first(kq_plan_met *m, const kq_plan *plan) {
    if (m->nused * 2 >= m->nslots) {
        kq_plan_met old = *m;
        m->nslots = old.nslots ? 2 * old.nslots : 64;
        m->slots = kq_arena_array(m->arena, const kq_plan *, m->nslots);
        if (!m->slots) {
            *m = old;
            m->failed = true;
            return false;
        }
        for (uint32_t i = 0; i < old.nslots; i++)
            if (old.slots[i]) m->slots[slot_of(m, old.slots[i])] = old.slots[i];
    }
    uint32_t i = slot_of(m, plan);
    if (m->slots[i]) return false;
    m->slots[i] = plan;
    m->nused++;
    return true;
}
