#include "kql/plan_met.h"

static uint32_t slot_of(const kq_plan_met *m, const kq_plan *plan, uint32_t column) {
    uint64_t key = ((uint64_t)(uintptr_t)plan >> 4) + ((uint64_t)column << 40);
    uint32_t i = (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (m->nslots - 1);
    while (m->slots[i].plan && (m->slots[i].plan != plan || m->slots[i].column != column))
        i = (i + 1) & (m->nslots - 1);
    return i;
}

bool kq_plan_first_column(kq_plan_met *m, const kq_plan *plan, uint32_t column) {
    if (m->nused * 2 >= m->nslots) {
        kq_plan_met old = *m;
        m->nslots = old.nslots ? 2 * old.nslots : 64;
        m->slots = kq_arena_array(m->arena, kq_plan_slot, m->nslots);
        if (!m->slots) {
            *m = old;
            m->failed = true;
            return false;
        }
        for (uint32_t i = 0; i < old.nslots; i++) {
            const kq_plan_slot *s = &old.slots[i];
            if (s->plan) m->slots[slot_of(m, s->plan, s->column)] = *s;
        }
    }
    uint32_t i = slot_of(m, plan, column);
    if (m->slots[i].plan) return false;
    m->slots[i] = (kq_plan_slot){plan, column, ++m->nused};
    return true;
}

bool kq_plan_first(kq_plan_met *m, const kq_plan *plan) {
    return kq_plan_first_column(m, plan, 0);
}

uint32_t kq_plan_nth(const kq_plan_met *m, const kq_plan *plan) {
    return m->nslots ? m->slots[slot_of(m, plan, 0)].nth : 0;
}
