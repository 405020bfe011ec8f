/*
 * The tree of a regular expression in Kusto's dialect, and what is made of it: text for RE2, and a program for our own
 * machine, which runs what RE2 can't say (Unicode word boundaries). Internal to text/.
 */
#ifndef KQ_TEXT_REGEX_AST_H
#define KQ_TEXT_REGEX_AST_H

#include "base/arena.h"
#include "base/buf.h"

#define KQ_RE_DEPTH    100 /* of groups, classes and repetitions */
#define KQ_RE_INFINITE UINT32_MAX

typedef enum kq_re_kind {
    KQ_RE_EMPTY,
    KQ_RE_LITERAL,
    KQ_RE_ANY,
    KQ_RE_CLASS,
    KQ_RE_ASSERT,
    KQ_RE_GROUP,
    KQ_RE_REPEAT,
    KQ_RE_CONCAT,
    KQ_RE_ALTERNATE
} kq_re_kind;

typedef enum kq_re_assert {
    KQ_RE_TEXT_START,
    KQ_RE_TEXT_END,
    KQ_RE_LINE_START,
    KQ_RE_LINE_END,
    KQ_RE_LINE_START_CRLF,
    KQ_RE_LINE_END_CRLF,
    KQ_RE_WORD,
    KQ_RE_NOT_WORD,
    KQ_RE_WORD_START,
    KQ_RE_WORD_END,
    KQ_RE_WORD_START_HALF,
    KQ_RE_WORD_END_HALF
} kq_re_assert;

typedef enum kq_re_any { KQ_RE_ANY_BUT_LF, KQ_RE_ANY_BUT_CRLF, KQ_RE_ANY_AT_ALL } kq_re_any;

typedef enum kq_re_item_kind {
    KQ_RE_ITEM_RANGE,
    KQ_RE_ITEM_DIGIT,
    KQ_RE_ITEM_SPACE,
    KQ_RE_ITEM_WORD,
    KQ_RE_ITEM_PROPERTY, /* general category or script, by name */
    KQ_RE_ITEM_CLASS     /* nested */
} kq_re_item_kind;

typedef struct kq_re_class kq_re_class;

typedef struct kq_re_item {
    kq_re_item_kind kind;
    bool negated;    /* not for ranges; a nested class has its own */
    bool ascii;      /* DIGIT, SPACE, WORD in their ASCII meaning */
    uint32_t lo, hi; /* RANGE */
    kq_sv name;      /* PROPERTY: as RE2 spells it, or a name that regex_class.c knows */
    kq_re_class *nested;
    struct kq_re_item *next;
} kq_re_item;

/* A union of items, or, with `op`, a set operation on two classes. */
struct kq_re_class {
    bool negated, ci;
    char op; /* 0, '&', '-', '~' */
    kq_re_class *left, *right;
    kq_re_item *items, **last;
};

typedef struct kq_re_node {
    kq_re_kind kind;
    bool ci, greedy, ascii;
    uint32_t cp;       /* LITERAL */
    uint32_t index;    /* GROUP: 0 when it does not capture */
    uint32_t min, max; /* REPEAT */
    kq_re_any any;
    kq_re_assert assertion;
    kq_re_class *cls;
    struct kq_re_node *child; /* GROUP, REPEAT; first of CONCAT, ALTERNATE */
    struct kq_re_node *next;  /* in a list of children */
} kq_re_node;

typedef struct kq_re_tree {
    kq_re_node *root;
    uint32_t groups;
    kq_sv *names; /* [groups + 1]; n == 0 for a group without name */
    bool unicode; /* \d \s \w have a Unicode meaning somewhere */
    bool word;    /* \b, \B: RE2 is exact on ASCII text only */
    bool beyond;  /* what RE2 can't say at all */
} kq_re_tree;

/* Parses `pattern`; the tree lives in `arena`. Errors: QUERY, NOMEM, LIMIT. */
kq_status kq_re_parse(kq_sv pattern, bool ci, kq_arena *arena, kq_re_tree *out, kq_error *err);

/* Appends RE2's spelling. `ascii`: for texts that are ASCII only, which makes the classes small. */
kq_status kq_re_print(const kq_re_tree *tree, bool ascii, kq_buf *out, kq_error *err);

/* ---- sets of code points: sorted ranges that do not touch ---- */

typedef struct kq_re_ranges {
    kq_buf buf; /* pairs of uint32_t */
} kq_re_ranges;

static inline size_t kq_re_ranges_n(const kq_re_ranges *r) {
    return r->buf.n / (2 * sizeof(uint32_t));
}
static inline const uint32_t *kq_re_ranges_at(const kq_re_ranges *r) {
    return (const uint32_t *)(const void *)r->buf.p;
}
void kq_re_ranges_init(kq_re_ranges *r, kq_budget *budget);
void kq_re_ranges_deinit(kq_re_ranges *r);
void kq_re_ranges_add(kq_re_ranges *r, uint32_t lo, uint32_t hi);
void kq_re_ranges_normalize(kq_re_ranges *r); /* sorts, and joins what overlaps or touches */
void kq_re_ranges_negate(kq_re_ranges *r);
/* Adds the code points of an item, folded when `ci`, then negated. Errors: QUERY for an unknown property, NOMEM. */
kq_status kq_re_item_ranges(const kq_re_item *item, bool ci, kq_re_ranges *out, kq_error *err);
/* The code points of a whole class, folded and negated as it says. */
kq_status kq_re_class_ranges(const kq_re_class *cls, kq_re_ranges *out, kq_error *err);

/* The Unicode meanings of \w and \s. */
bool kq_re_is_word(uint32_t cp);
bool kq_re_is_space(uint32_t cp);

/* ---- our own machine ---- */

typedef struct kq_re_program kq_re_program;

kq_status kq_re_compile(const kq_re_tree *tree, kq_arena *arena, const kq_re_program **out, kq_error *err);
/* As kq_regex_search. */
kq_status kq_re_run(const kq_re_program *program, kq_sv text, size_t from, kq_sv *groups, uint32_t n, bool *found,
                    kq_error *err);

#endif
