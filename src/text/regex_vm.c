/*
 * A machine for what RE2 can't say: word boundaries of Unicode words. It runs all alternatives side by side (Thompson,
 * Pike), so that its time is the text's length times the program's, whatever the pattern.
 */
#include "text/regex_ast.h"
#include "text/unit.h"

#define CODE_MAX   20000
#define MEMORY_MAX ((size_t)64 << 20) /* bytes for one search */

typedef enum op { OP_LITERAL, OP_FOLDED, OP_ANY, OP_CLASS, OP_SPLIT, OP_JUMP, OP_SAVE, OP_ASSERT, OP_MATCH } op;

/* What a CLASS has besides ranges. */
enum { HAS_DIGIT = 1, HAS_SPACE = 2, HAS_WORD = 4, HAS_NOT_DIGIT = 8, HAS_NOT_SPACE = 16, HAS_NOT_WORD = 32 };

typedef struct inst {
    op op;
    bool ascii, negated;
    uint8_t has;
    uint32_t x, y; /* LITERAL: code point; SPLIT: preferred and other; JUMP, SAVE, ASSERT, ANY: x; CLASS: ranges y */
    const uint32_t *ranges;
} inst;

struct kq_re_program {
    inst *code;
    uint32_t n;
    uint32_t groups;
};

/* ---- compiling ---- */

typedef struct compiler {
    kq_buf code;
    kq_arena *arena;
    kq_error *err;
} compiler;

static uint32_t here(const compiler *c) {
    return (uint32_t)(c->code.n / sizeof(inst));
}
static inst *at(compiler *c, uint32_t i) {
    return (inst *)(void *)c->code.p + i;
}

static kq_status emit(compiler *c, inst i) {
    if (here(c) >= CODE_MAX) return kq_fail(c->err, KQ_ERR_LIMIT, "a regular expression is too large when written out");
    kq_buf_append(&c->code, &i, sizeof i);
    return kq_buf_status(&c->code, c->err);
}

static kq_status compile(compiler *c, const kq_re_node *node);

/* Adds a class's items to ranges and `has`; false when it holds what needs the general way. */
static bool flat_items(const kq_re_class *cls, bool ci, kq_re_ranges *r, uint8_t *has, kq_status *status,
                       kq_error *err) {
    if (cls->op || cls->ci != ci) return false;
    for (const kq_re_item *i = cls->items; i; i = i->next) {
        if (i->kind == KQ_RE_ITEM_CLASS) {
            if (i->nested->negated || !flat_items(i->nested, ci, r, has, status, err)) return false;
        } else if (i->ascii || i->kind == KQ_RE_ITEM_RANGE || i->kind == KQ_RE_ITEM_PROPERTY) {
            if ((*status = kq_re_item_ranges(i, ci, r, err)) != KQ_OK) return false;
        } else {
            unsigned bit = i->kind == KQ_RE_ITEM_DIGIT ? HAS_DIGIT : i->kind == KQ_RE_ITEM_SPACE ? HAS_SPACE : HAS_WORD;
            *has |= (uint8_t)(i->negated ? bit << 3 : bit);
        }
    }
    return true;
}

static kq_status compile_class(compiler *c, const kq_re_class *cls) {
    kq_re_ranges r;
    kq_re_ranges_init(&r, c->arena->budget);
    kq_status status = KQ_OK;
    inst i = {.op = OP_CLASS, .negated = cls->negated};
    if (flat_items(cls, cls->ci, &r, &i.has, &status, c->err)) {
        kq_re_ranges_normalize(&r);
    } else if (status == KQ_OK) {
        kq_buf_clear(&r.buf);
        i.has = 0;
        i.negated = false;
        status = kq_re_class_ranges(cls, &r, c->err);
    }
    if (status == KQ_OK) status = kq_buf_status(&r.buf, c->err);
    if (status == KQ_OK) {
        i.y = (uint32_t)kq_re_ranges_n(&r);
        uint32_t *copy = kq_arena_alloc(c->arena, r.buf.n);
        if (copy && r.buf.n) memcpy(copy, r.buf.p, r.buf.n);
        i.ranges = copy;
        status = copy ? emit(c, i) : kq_arena_status(c->arena, c->err);
    }
    kq_re_ranges_deinit(&r);
    return status;
}

/* SPLIT to the next instruction and, to be patched, elsewhere; lazy repetitions prefer elsewhere. */
static kq_status emit_split(compiler *c, uint32_t *split) {
    *split = here(c);
    return emit(c, (inst){.op = OP_SPLIT});
}
static void patch_split(compiler *c, uint32_t split, uint32_t inside, uint32_t outside, bool greedy) {
    at(c, split)->x = greedy ? inside : outside;
    at(c, split)->y = greedy ? outside : inside;
}

static kq_status compile_repeat(compiler *c, const kq_re_node *node) {
    uint32_t split, skip = UINT32_MAX;
    bool endless = node->max == KQ_RE_INFINITE;
    /* x* is (x+)?, and x{3,} is xxx+: where x may be empty, other spellings prefer the wrong alternative. */
    if (endless && node->min == 0) KQ_TRY(emit_split(c, &skip));
    uint32_t copies = endless && node->min == 0 ? 1 : node->min, start = here(c);
    for (uint32_t i = 0; i < copies; i++) {
        start = here(c);
        KQ_TRY(compile(c, node->child));
        if (here(c) == start) break; /* an empty child: once is as good as any number */
    }
    if (endless) {
        KQ_TRY(emit_split(c, &split));
        patch_split(c, split, start, here(c), node->greedy);
        if (skip != UINT32_MAX) patch_split(c, skip, skip + 1, here(c), node->greedy);
        return KQ_OK;
    }
    /* x{0,3} is (x(x(x)?)?)?: every split leads to one common end. */
    uint32_t first = here(c), count = node->max - node->min;
    for (uint32_t i = 0; i < count; i++) {
        KQ_TRY(emit_split(c, &split));
        at(c, split)->y = UINT32_MAX;
        KQ_TRY(compile(c, node->child));
        if (here(c) == split + 1) break;
    }
    for (uint32_t i = first; i < here(c); i++)
        if (at(c, i)->op == OP_SPLIT && at(c, i)->y == UINT32_MAX) patch_split(c, i, i + 1, here(c), node->greedy);
    return KQ_OK;
}

static kq_status compile_alternate(compiler *c, const kq_re_node *node) {
    uint32_t last_jump = UINT32_MAX;
    for (const kq_re_node *child = node->child; child; child = child->next) {
        uint32_t split = 0;
        if (child->next) KQ_TRY(emit_split(c, &split));
        KQ_TRY(compile(c, child));
        if (!child->next) break;
        /* Jumps to the end form a chain until the end is known. */
        KQ_TRY(emit(c, (inst){.op = OP_JUMP, .x = last_jump}));
        last_jump = here(c) - 1;
        patch_split(c, split, split + 1, here(c), true);
    }
    while (last_jump != UINT32_MAX) {
        uint32_t next = at(c, last_jump)->x;
        at(c, last_jump)->x = here(c);
        last_jump = next;
    }
    return KQ_OK;
}

static kq_status compile(compiler *c, const kq_re_node *node) {
    switch (node->kind) {
    case KQ_RE_EMPTY: return KQ_OK;
    case KQ_RE_LITERAL:
        return emit(c, (inst){.op = node->ci ? OP_FOLDED : OP_LITERAL, .x = node->ci ? kq_fold(node->cp) : node->cp});
    case KQ_RE_ANY: return emit(c, (inst){.op = OP_ANY, .x = node->any});
    case KQ_RE_CLASS: return compile_class(c, node->cls);
    case KQ_RE_ASSERT: return emit(c, (inst){.op = OP_ASSERT, .x = node->assertion, .ascii = node->ascii});
    case KQ_RE_GROUP:
        if (node->index) KQ_TRY(emit(c, (inst){.op = OP_SAVE, .x = 2 * node->index}));
        KQ_TRY(compile(c, node->child));
        return node->index ? emit(c, (inst){.op = OP_SAVE, .x = 2 * node->index + 1}) : KQ_OK;
    case KQ_RE_REPEAT: return compile_repeat(c, node);
    case KQ_RE_CONCAT:
        for (const kq_re_node *child = node->child; child; child = child->next) KQ_TRY(compile(c, child));
        return KQ_OK;
    case KQ_RE_ALTERNATE: return compile_alternate(c, node);
    }
    return KQ_OK;
}

kq_status kq_re_compile(const kq_re_tree *tree, kq_arena *arena, const kq_re_program **out, kq_error *err) {
    compiler c = {.arena = arena, .err = err};
    kq_buf_init(&c.code, arena->budget, 0);
    kq_status status = emit(&c, (inst){.op = OP_SAVE, .x = 0});
    if (status == KQ_OK) status = compile(&c, tree->root);
    if (status == KQ_OK) status = emit(&c, (inst){.op = OP_SAVE, .x = 1});
    if (status == KQ_OK) status = emit(&c, (inst){.op = OP_MATCH});
    if (status == KQ_OK) {
        kq_re_program *p = kq_arena_new(arena, kq_re_program);
        inst *code = kq_arena_alloc(arena, c.code.n);
        if (p && code) {
            memcpy(code, c.code.p, c.code.n);
            *p = (kq_re_program){code, here(&c), tree->groups};
            *out = p;
        } else {
            status = kq_arena_status(arena, err);
        }
    }
    kq_buf_deinit(&c.code);
    return status;
}

/* ---- running ---- */

#define NOWHERE SIZE_MAX

typedef struct threads {
    uint32_t *dense, *sparse; /* a set of program counters, in the order of preference */
    uint32_t n;
    size_t *slots; /* per program counter */
} threads;

typedef struct frame {
    uint32_t pc; /* or UINT32_MAX: restore a slot */
    uint32_t slot;
    size_t old;
} frame;

typedef struct machine {
    const kq_re_program *p;
    kq_sv text;
    uint32_t nslots;
    size_t *current; /* slots of the thread that is being followed */
    frame *stack;
} machine;

static bool word_at(const machine *m, size_t pos, bool before, bool ascii) {
    const char *start = m->text.p, *p = start + pos, *stop = start + m->text.n;
    uint32_t unit;
    if (before) {
        if (pos == 0) return false;
        unit = kq_unit_before(start, p);
    } else {
        if (p == stop) return false;
        kq_unit(p, stop, &unit);
    }
    if (ascii) return unit < 0x80 && kq_re_is_word(unit);
    return unit < KQ_UNIT_RAW && kq_re_is_word(unit);
}

static bool holds(const machine *m, kq_re_assert kind, size_t pos, bool ascii) {
    const char *t = m->text.p;
    size_t n = m->text.n;
    switch (kind) {
    case KQ_RE_TEXT_START: return pos == 0;
    case KQ_RE_TEXT_END: return pos == n;
    case KQ_RE_LINE_START: return pos == 0 || t[pos - 1] == '\n';
    case KQ_RE_LINE_END: return pos == n || t[pos] == '\n';
    case KQ_RE_LINE_START_CRLF:
        return pos == 0 || t[pos - 1] == '\n' || (t[pos - 1] == '\r' && (pos == n || t[pos] != '\n'));
    case KQ_RE_LINE_END_CRLF: return pos == n || t[pos] == '\r' || (t[pos] == '\n' && (pos == 0 || t[pos - 1] != '\r'));
    default: break;
    }
    bool before = word_at(m, pos, true, ascii), after = word_at(m, pos, false, ascii);
    switch (kind) {
    case KQ_RE_WORD: return before != after;
    case KQ_RE_NOT_WORD: return before == after;
    case KQ_RE_WORD_START: return !before && after;
    case KQ_RE_WORD_END: return before && !after;
    case KQ_RE_WORD_START_HALF: return !before;
    default: return !after;
    }
}

/* Follows everything that takes no character from `pc` on. The stack holds one frame per instruction at most twice. */
static void follow(machine *m, threads *to, uint32_t pc, size_t pos) {
    size_t depth = 0;
    m->stack[depth++] = (frame){.pc = pc};
    while (depth) {
        frame f = m->stack[--depth];
        if (f.pc == UINT32_MAX) {
            m->current[f.slot] = f.old;
            continue;
        }
        pc = f.pc;
        for (;;) {
            if (to->sparse[pc] < to->n && to->dense[to->sparse[pc]] == pc) break;
            to->sparse[pc] = to->n;
            to->dense[to->n++] = pc;
            const inst *i = &m->p->code[pc];
            if (i->op == OP_JUMP) {
                pc = i->x;
            } else if (i->op == OP_SPLIT) {
                m->stack[depth++] = (frame){.pc = i->y};
                pc = i->x;
            } else if (i->op == OP_SAVE) {
                if (i->x < m->nslots) {
                    m->stack[depth++] = (frame){.pc = UINT32_MAX, .slot = i->x, .old = m->current[i->x]};
                    m->current[i->x] = pos;
                }
                pc++;
            } else if (i->op == OP_ASSERT) {
                if (!holds(m, (kq_re_assert)i->x, pos, i->ascii)) break;
                pc++;
            } else {
                if (m->nslots) memcpy(to->slots + (size_t)pc * m->nslots, m->current, m->nslots * sizeof *m->current);
                break;
            }
        }
    }
}

static bool is_digit(uint32_t cp) {
    return cp < 0x80 ? cp - '0' < 10u : memcmp(kq_category(cp), "Nd", 2) == 0;
}

static bool in_class(const inst *i, uint32_t cp) {
    uint32_t lo = 0, hi = i->y;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (cp < i->ranges[2 * mid])
            hi = mid;
        else if (cp > i->ranges[2 * mid + 1])
            lo = mid + 1;
        else
            return true;
    }
    if (!i->has) return false;
    if ((i->has & (HAS_DIGIT | HAS_NOT_DIGIT)) && i->has & (is_digit(cp) ? HAS_DIGIT : HAS_NOT_DIGIT)) return true;
    if ((i->has & (HAS_SPACE | HAS_NOT_SPACE)) && i->has & (kq_re_is_space(cp) ? HAS_SPACE : HAS_NOT_SPACE))
        return true;
    return (i->has & (HAS_WORD | HAS_NOT_WORD)) && i->has & (kq_re_is_word(cp) ? HAS_WORD : HAS_NOT_WORD);
}

static bool takes(const inst *i, uint32_t unit) {
    switch (i->op) {
    case OP_LITERAL: return unit == i->x;
    case OP_FOLDED: return kq_unit_fold(unit, true) == i->x;
    case OP_ANY:
        if (unit >= KQ_UNIT_RAW) return false;
        return i->x == KQ_RE_ANY_AT_ALL || (unit != '\n' && (i->x == KQ_RE_ANY_BUT_LF || unit != '\r'));
    case OP_CLASS: return unit < KQ_UNIT_RAW && in_class(i, unit) != i->negated;
    default: return false;
    }
}

static bool run(machine *m, threads *now, threads *next, size_t from, size_t *best) {
    bool matched = false;
    const char *text = m->text.p, *stop = text + m->text.n;
    for (size_t pos = from;;) {
        if (!matched) {
            for (uint32_t s = 0; s < m->nslots; s++) m->current[s] = NOWHERE;
            follow(m, now, 0, pos);
        }
        if (now->n == 0) break;
        uint32_t unit = 0;
        unsigned len = text + pos < stop ? kq_unit(text + pos, stop, &unit) : 0;
        for (uint32_t k = 0; k < now->n; k++) {
            uint32_t pc = now->dense[k];
            const inst *i = &m->p->code[pc];
            if (i->op == OP_MATCH) {
                matched = true;
                if (m->nslots) memcpy(best, now->slots + (size_t)pc * m->nslots, m->nslots * sizeof *best);
                break; /* what follows is preferred less */
            }
            if (!len || !takes(i, unit)) continue;
            if (m->nslots) memcpy(m->current, now->slots + (size_t)pc * m->nslots, m->nslots * sizeof *best);
            follow(m, next, pc + 1, pos + len);
        }
        threads *swap = now;
        now = next;
        next = swap;
        next->n = 0;
        if (!len) break;
        pos += len;
        if (matched && now->n == 0) break;
    }
    return matched;
}

kq_status kq_re_run(const kq_re_program *program, kq_sv text, size_t from, kq_sv *groups, uint32_t n, bool *found,
                    kq_error *err) {
    *found = false;
    if (!text.p) text.p = "";
    uint32_t wanted = n < program->groups + 1 ? n : program->groups + 1, code = program->n;
    machine m = {.p = program, .text = text, .nslots = 2 * wanted};
    /* Two thread lists, the current and the best slots, and the stack, in one allocation. */
    size_t slots = (size_t)code * m.nslots, stack = 2 * (size_t)code + 2;
    size_t bytes = (2 * slots + 2 * (size_t)m.nslots) * sizeof(size_t) + stack * sizeof(frame) +
                   4 * (size_t)code * sizeof(uint32_t);
    if (bytes > MEMORY_MAX)
        return kq_fail(err, KQ_ERR_LIMIT, "a regular expression with word boundaries is too large for this text");
    char *memory = kq_calloc(1, bytes);
    if (!memory) return kq_nomem(err);
    char *p = memory;
    threads lists[2];
    for (int i = 0; i < 2; i++) {
        lists[i] = (threads){.slots = (size_t *)(void *)p};
        p += slots * sizeof(size_t);
    }
    m.current = (size_t *)(void *)p;
    size_t *best = m.current + m.nslots;
    p += 2 * (size_t)m.nslots * sizeof(size_t);
    m.stack = (frame *)(void *)p;
    p += stack * sizeof(frame);
    for (int i = 0; i < 2; i++) {
        lists[i].dense = (uint32_t *)(void *)p;
        lists[i].sparse = lists[i].dense + code;
        p += 2 * (size_t)code * sizeof(uint32_t);
    }
    if (run(&m, &lists[0], &lists[1], from, best)) {
        *found = true;
        for (uint32_t i = 0; i < n; i++) {
            groups[i] = (kq_sv){0};
            if (i < wanted && best[2 * i] != NOWHERE && best[2 * i + 1] != NOWHERE)
                groups[i] = kq_sv_slice(text, best[2 * i], best[2 * i + 1]);
        }
    }
    kq_free(memory);
    return KQ_OK;
}
