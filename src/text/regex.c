#include "text/regex.h"
#include "native/re2.h"
#include "text/regex_ast.h"
#include "text/unit.h"

/* Programs for ASCII texts are small; classes of Unicode are not. */
#define MEM_ASCII   ((size_t)16 << 20)
#define MEM_UNICODE ((size_t)64 << 20)

struct kq_regex {
    kq_arena arena; /* the tree's names and the machine's program */
    uint32_t groups;
    const kq_sv *names;
    kq_re2 *any;                  /* exact on any text, or NULL */
    kq_re2 *ascii;                /* exact on ASCII texts, or NULL: `any` serves */
    const kq_re_program *program; /* exact on any text, or NULL */
};

static kq_status make_re2(const kq_re_tree *tree, bool ascii, kq_re2 **out, kq_error *err) {
    kq_buf text;
    kq_buf_init(&text, NULL, (size_t)16 << 20);
    kq_status status = kq_re_print(tree, ascii, &text, err);
    if (status == KQ_OK) {
        kq_error why = {0};
        status = kq_re2_create(kq_buf_view(&text), ascii ? MEM_ASCII : MEM_UNICODE, out, &why);
        if (status == KQ_ERR_LIMIT || status == KQ_ERR_QUERY)
            status = kq_fail(err, status, "the regular expression can't be run: %s", why.message);
        else if (status != KQ_OK && err)
            *err = why;
    }
    kq_buf_deinit(&text);
    return status;
}

/* Puts assertions around the whole expression, as \A(?:...)\z would: in the tree, where no parenthesis or comment of
 * the pattern can reach them. */
static kq_status anchor(kq_re_tree *tree, bool at_start, bool at_end, kq_arena *arena, kq_error *err) {
    kq_re_node *nodes = kq_arena_array(arena, kq_re_node, 4);
    if (!nodes) return kq_arena_status(arena, err);
    kq_re_node *concat = &nodes[0], *start = &nodes[1], *group = &nodes[2], *end = &nodes[3];
    *start = (kq_re_node){.kind = KQ_RE_ASSERT, .assertion = KQ_RE_TEXT_START, .next = group};
    *end = (kq_re_node){.kind = KQ_RE_ASSERT, .assertion = KQ_RE_TEXT_END};
    *group = (kq_re_node){.kind = KQ_RE_GROUP, .child = tree->root, .next = at_end ? end : NULL};
    *concat = (kq_re_node){.kind = KQ_RE_CONCAT, .child = at_start ? start : group};
    tree->root = concat;
    return KQ_OK;
}

kq_status kq_regex_create(kq_sv pattern, bool ci, kq_regex **out, kq_error *err) {
    return kq_regex_create_at(pattern, ci, false, false, out, err);
}

kq_status kq_regex_create_at(kq_sv pattern, bool ci, bool at_start, bool at_end, kq_regex **out, kq_error *err) {
    kq_regex *re = kq_calloc(1, sizeof *re);
    if (!re) return kq_nomem(err);
    kq_arena_init(&re->arena, NULL, 4096);
    kq_re_tree tree;
    kq_status status = kq_re_parse(pattern, ci, &re->arena, &tree, err);
    if (status == KQ_OK && (at_start || at_end)) status = anchor(&tree, at_start, at_end, &re->arena, err);
    if (status != KQ_OK) goto out;
    re->groups = tree.groups;
    re->names = tree.names;
    /* Texts are ASCII nearly always, and then RE2's own classes and word boundaries are exact. Other texts need the
     * large classes, or the machine where there is a word boundary. */
    if (tree.beyond || tree.word) status = kq_re_compile(&tree, &re->arena, &re->program, err);
    if (status == KQ_OK && !tree.beyond && (tree.word || tree.unicode)) status = make_re2(&tree, true, &re->ascii, err);
    if (status == KQ_OK && !re->program) status = make_re2(&tree, false, &re->any, err);
out:
    if (status == KQ_OK) {
        *out = re;
    } else {
        kq_regex_destroy(re);
        *out = NULL;
    }
    return status;
}

void kq_regex_destroy(kq_regex *re) {
    if (!re) return;
    kq_re2_destroy(re->any);
    kq_re2_destroy(re->ascii);
    kq_arena_deinit(&re->arena);
    kq_free(re);
}

uint32_t kq_regex_groups(const kq_regex *re) {
    return re->groups;
}

int32_t kq_regex_group(const kq_regex *re, kq_sv name) {
    for (uint32_t i = 1; i <= re->groups; i++)
        if (re->names[i].n && kq_sv_eq(re->names[i], name)) return (int32_t)i;
    return -1;
}

/* Where matches in a text without bytes point to. */
static const char no_text[1] = "";

kq_status kq_regex_search(const kq_regex *re, kq_sv text, size_t from, kq_sv *groups, uint32_t n, bool *found,
                          kq_error *err) {
    uint32_t known = n < re->groups + 1 ? n : re->groups + 1;
    *found = false;
    if (from > text.n) return KQ_OK;
    if (!text.p) text.p = no_text;
    const kq_re2 *re2 = re->any;
    if (re->ascii && kq_is_ascii(text.p, text.n)) re2 = re->ascii;
    if (re2)
        KQ_TRY(kq_re2_search(re2, text, from, groups, known, found, err));
    else
        KQ_TRY(kq_re_run(re->program, text, from, groups, known, found, err));
    if (*found)
        for (uint32_t i = known; i < n; i++) groups[i] = (kq_sv){0};
    return KQ_OK;
}

bool kq_regex_find(const kq_regex *re, kq_sv text, size_t from, kq_sv *groups, uint32_t n) {
    bool found = false;
    return kq_regex_search(re, text, from, groups, n, &found, NULL) == KQ_OK && found;
}

bool kq_regex_test(const kq_regex *re, kq_sv text) {
    return kq_regex_find(re, text, 0, NULL, 0);
}

kq_status kq_regex_next(const kq_regex *re, kq_sv text, kq_regex_walk *walk, kq_sv *groups, uint32_t n, bool *found,
                        kq_error *err) {
    *found = false;
    if (!text.p) text.p = no_text;
    while (walk->at <= text.n) {
        KQ_TRY(kq_regex_search(re, text, walk->at, groups, n, found, err));
        if (!*found) break;
        size_t start = (size_t)(groups[0].p - text.p), stop = start + groups[0].n;
        bool empty = groups[0].n == 0;
        /* After an empty match the search goes on one character later; an empty match where the last one ended is
         * none. */
        size_t step = 0;
        if (empty && stop < text.n) {
            uint32_t unit;
            step = kq_unit(text.p + stop, text.p + text.n, &unit);
        } else if (empty) {
            step = 1;
        }
        bool repeated = empty && walk->any && start == walk->last;
        walk->at = stop + step;
        if (repeated) {
            *found = false;
            continue;
        }
        walk->any = true;
        walk->last = stop;
        return KQ_OK;
    }
    *found = false;
    return KQ_OK;
}
