/* The tree as KQL. Parentheses stand where the tree differs from what the words alone would give. */
#include "kql/lexer.h"
#include "kql/parser.h"

enum { PREC_NONE = 0, PREC_UNARY = 8, PREC_PRIMARY = 9 };

static const struct {
    const char *text;
    int prec;
    bool chain, left, list, range;
} binaries[] = {
#define IS_CHAIN                              1, 1, 0, 0
#define IS_LEFT                               0, 1, 0, 0
#define IS_NONE                               0, 0, 0, 0
#define IS_LIST                               0, 0, 1, 0
#define IS_RANGE                              0, 0, 0, 1
#define KQ_BINARY(written, text, prec, right) {text, prec, IS_##right},
#include "kql/binary.def"
#undef KQ_BINARY
};

static size_t binary_of(kq_sv text) {
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (kq_sv_eq(text, kq_sv_of(binaries[i].text))) return i;
    return 0;
}

static void print(const kq_node *node, int min, kq_buf *out);

/* ---- names ---- */

static bool one_of(kq_sv word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (kq_sv_eq(word, kq_sv_of(words[i]))) return true;
    return false;
}
#define ONE_OF(word, words) one_of(word, words, sizeof(words) / sizeof *(words))

static bool is_plain(kq_sv name) {
    size_t i = name.n > 1 && name.p[0] == '$';
    if (i >= name.n || !kq_is_name_start(name.p[i])) return false;
    for (; i < name.n; i++)
        if (!kq_is_name_char(name.p[i])) return false;
    return true;
}

static void print_quoted(kq_sv name, kq_buf *out) {
    kq_buf_str(out, "['");
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if ((unsigned char)c < 0x20)
            kq_buf_printf(out, "\\x%02x", (unsigned)c);
        else {
            if (c == '\\' || c == '\'') kq_buf_char(out, '\\');
            kq_buf_char(out, c);
        }
    }
    kq_buf_str(out, "']");
}

/* Words that mean something where a call may stand, and where a name may. */
static const char *const call_words[] = {"dynamic", "typeof",    "print",        "union", "search",
                                         "find",    "datatable", "externaldata", "view"};
static const char *const name_words[] = {
    "true",     "True",    "TRUE",   "false", "False", "FALSE",    "range", "evaluate",  "print",       "union",
    "search",   "find",    "by",     "on",    "with",  "to",       "of",    "from",      "step",        "limit",
    "as",       "asc",     "desc",   "nulls", "hint",  "kind",     "let",   "set",       "declare",     "in",
    "optional", "default", "granny", "top",   "alias", "restrict", "flags", "datatable", "externaldata"};

static void print_name(kq_sv name, kq_buf *out) {
    bool plain = is_plain(name) && !ONE_OF(name, name_words) && !kq_is_literal_type(name);
    for (size_t i = 0; plain && i < sizeof binaries / sizeof *binaries; i++)
        plain = !kq_sv_eq(name, kq_sv_of(binaries[i].text));
    if (plain && !kq_sv_eq(name, KQ_SV("matches")))
        kq_buf_sv(out, name);
    else
        print_quoted(name, out);
}

static void print_call_name(kq_sv name, kq_buf *out) {
    if (is_plain(name) && !ONE_OF(name, call_words) && !kq_is_literal_type(name))
        kq_buf_sv(out, name);
    else
        print_quoted(name, out);
}

/* ---- pieces ---- */

static void print_list(kq_node *const *nodes, uint32_t from, uint32_t n, const char *between, kq_buf *out) {
    for (uint32_t i = from; i < n; i++) {
        if (i > from) kq_buf_str(out, between);
        print(nodes[i], 1, out);
    }
}

static void print_kids(const kq_node *list, kq_buf *out) {
    print_list(list->kids, 0, list->nkids, ", ", out);
}

/* kind=inner hint.x=y, each followed by a blank */
static void print_params(const kq_node *list, kq_buf *out) {
    for (uint32_t i = 0; i < list->nkids; i++) {
        kq_buf_sv(out, list->kids[i]->text);
        kq_buf_char(out, '=');
        print(list->kids[i]->kids[0], PREC_UNARY, out);
        kq_buf_char(out, ' ');
    }
}

static void print_with(kq_node *const *params, uint32_t n, kq_buf *out) {
    if (n == 0) return;
    kq_buf_str(out, " with (");
    for (uint32_t i = 0; i < n; i++) {
        if (i) kq_buf_str(out, ", ");
        kq_buf_sv(out, params[i]->text);
        kq_buf_char(out, '=');
        for (uint32_t k = 0; k < params[i]->nkids; k++) {
            if (k) kq_buf_str(out, ", ");
            print(params[i]->kids[k], PREC_UNARY, out);
        }
    }
    kq_buf_char(out, ')');
}

static void print_column(const kq_node *c, kq_buf *out) {
    if (c->flags & KQ_DECL_ANY && !(c->flags & KQ_DECL_TABULAR)) {
        kq_buf_char(out, '*');
        return;
    }
    print_name(c->text, out);
    if (c->flags & KQ_DECL_TABULAR) {
        kq_buf_str(out, ":(");
        if (c->flags & KQ_DECL_ANY)
            kq_buf_char(out, '*');
        else
            print_kids(c, out);
        kq_buf_char(out, ')');
        return;
    }
    kq_buf_printf(out, ":%s", kq_type_name(c->value.type));
    if (c->nkids) {
        kq_buf_str(out, " = ");
        print(c->kids[0], PREC_UNARY, out);
    }
}

static void print_columns(const kq_node *list, kq_buf *out) {
    kq_buf_char(out, '(');
    print_kids(list, out);
    kq_buf_char(out, ')');
}

static void print_order(uint32_t flags, kq_buf *out) {
    kq_buf_str(out, flags & KQ_ORDER_GRANNY ? " granny-" : flags & (KQ_ORDER_ASC | KQ_ORDER_DESC) ? " " : "");
    if (flags & KQ_ORDER_ASC) kq_buf_str(out, "asc");
    if (flags & KQ_ORDER_DESC) kq_buf_str(out, "desc");
    if (flags & KQ_ORDER_NULLS_FIRST) kq_buf_str(out, " nulls first");
    if (flags & KQ_ORDER_NULLS_LAST) kq_buf_str(out, " nulls last");
}

static void print_subpipe(const kq_node *pipe, kq_buf *out) {
    kq_buf_char(out, '(');
    print(pipe, PREC_NONE, out);
    kq_buf_char(out, ')');
}

static void print_by(const kq_node *by, kq_buf *out) {
    if (!by) return;
    kq_buf_str(out, " by ");
    print_kids(by, out);
}

static void print_optional(const char *word, const kq_node *expr, kq_buf *out) {
    if (!expr) return;
    kq_buf_str(out, word);
    print(expr, 1, out);
}

/* ---- expressions ---- */

/* How many items `a and b and c` has, counted along its left side. */
static unsigned chain_items(const kq_node *node) {
    unsigned n = 1;
    for (kq_sv text = node->text; node->kind == KQ_NODE_BINARY && kq_sv_eq(node->text, text); node = node->kids[0]) n++;
    return n;
}

static void print_binary(const kq_node *node, kq_buf *out) {
    size_t op = binary_of(node->text);
    int prec = binaries[op].prec, left = binaries[op].left ? prec : prec + 1;
    if (binaries[op].chain && chain_items(node) > KQ_PARSE_CHAIN) left = prec + 1;
    print(node->kids[0], left, out);
    kq_buf_printf(out, " " KQ_SV_FMT " ", KQ_SV_ARG(node->text));
    if (!binaries[op].list && !binaries[op].range) {
        print(node->kids[1], prec + 1, out);
        return;
    }
    kq_buf_char(out, '(');
    print_list(node->kids[1]->kids, 0, node->kids[1]->nkids, binaries[op].range ? " .. " : ", ", out);
    kq_buf_char(out, ')');
}

static void print_base(const kq_node *base, kq_buf *out) {
    bool bare = base->kind == KQ_NODE_NAME || base->kind == KQ_NODE_CALL || base->kind == KQ_NODE_DOT ||
                base->kind == KQ_NODE_INDEX;
    print(base, bare ? PREC_PRIMARY : PREC_PRIMARY + 1, out);
}

static void print_call(const kq_node *node, kq_buf *out) {
    print_call_name(node->text, out);
    kq_buf_char(out, '(');
    print_kids(node, out);
    kq_buf_char(out, ')');
}

static void print_dot(const kq_node *node, kq_buf *out) {
    print_base(node->kids[0], out);
    kq_buf_char(out, '.');
    if (node->nkids == 2)
        print_call(node->kids[1], out);
    else
        print_name(node->text, out);
}

/* ---- operators ---- */

static void print_top_nested(const kq_node *node, kq_buf *out) {
    for (uint32_t i = 0; i < node->nkids; i++) {
        kq_node *const *level = node->kids[i]->kids;
        kq_buf_str(out, i ? ", top-nested " : "top-nested ");
        if (level[0]) print(level[0], 1, out);
        kq_buf_str(out, level[0] ? " of " : "of ");
        print(level[1], 1, out);
        print_optional(" with others = ", level[2], out);
        kq_buf_str(out, " by ");
        print(level[3], 1, out);
    }
}

static void print_make_series(const kq_node *node, kq_buf *out) {
    kq_buf_str(out, "make-series ");
    print_params(node->kids[0], out);
    for (uint32_t i = 0; i < node->kids[1]->nkids; i++) {
        if (i) kq_buf_str(out, ", ");
        print(node->kids[1]->kids[i]->kids[0], 1, out);
        print_optional(" default = ", node->kids[1]->kids[i]->kids[1], out);
    }
    kq_buf_str(out, " on ");
    print(node->kids[2], PREC_UNARY, out);
    if (node->flags) {
        kq_buf_str(out, " in range(");
        print_list(node->kids, 3, 6, ", ", out);
        kq_buf_char(out, ')');
    } else {
        print_optional(" from ", node->kids[3], out);
        print_optional(" to ", node->kids[4], out);
        print_optional(" step ", node->kids[5], out);
    }
    print_by(node->kids[6], out);
}

static void print_scan(const kq_node *node, kq_buf *out) {
    kq_buf_str(out, "scan ");
    print_params(node->kids[0], out);
    if (node->kids[1]->nkids) {
        kq_buf_str(out, "declare ");
        print_columns(node->kids[1], out);
    }
    kq_buf_str(out, " with (");
    for (uint32_t i = 2; i < node->nkids; i++) {
        const kq_node *step = node->kids[i];
        kq_buf_str(out, "step ");
        print_name(step->text, out);
        kq_buf_str(out, step->flags ? " optional " : " ");
        print_params(step->kids[0], out);
        kq_buf_str(out, ": ");
        print(step->kids[1], 1, out);
        if (step->kids[2]->nkids) kq_buf_str(out, " => ");
        print_kids(step->kids[2], out);
        kq_buf_str(out, "; ");
    }
    kq_buf_char(out, ')');
}

static void print_fork(const kq_node *node, kq_buf *out) {
    kq_buf_str(out, "fork");
    for (uint32_t i = 0; i < node->nkids; i++) {
        const kq_node *kid = node->kids[i];
        kq_buf_char(out, ' ');
        if (kid->kind == KQ_NODE_NAMED) {
            print_name(kid->text, out);
            kq_buf_char(out, '=');
            kid = kid->kids[0];
        }
        print_subpipe(kid, out);
    }
}

static void print_mv(const kq_node *node, kq_buf *out) {
    bool apply = node->kind == KQ_NODE_MV_APPLY;
    kq_buf_str(out, apply ? "mv-apply " : "mv-expand ");
    print_params(node->kids[0], out);
    print_kids(node->kids[1], out);
    print_optional(" limit ", node->kids[2], out);
    if (!apply) return;
    kq_buf_str(out, " on ");
    print_subpipe(node->kids[3], out);
}

static void print_search(const kq_node *node, kq_buf *out) {
    kq_buf_str(out, "search ");
    print_params(node->kids[0], out);
    if (node->kids[1]->nkids) {
        kq_buf_str(out, "in ");
        print_columns(node->kids[1], out);
        kq_buf_char(out, ' ');
    }
    print(node->kids[2], 1, out);
}

static void print_named(const char *word, kq_sv name, kq_buf *out) {
    kq_buf_str(out, word);
    print_name(name, out);
}

/* name kids, ... */
static void print_plain(const char *name, const kq_node *node, kq_buf *out) {
    kq_buf_str(out, name);
    if (node->nkids) kq_buf_char(out, ' ');
    print_kids(node, out);
}

/* Operators and sources that are no expressions; false for the others. */
static bool print_tabular(const kq_node *node, kq_buf *out) {
    kq_node *const *k = node->kids;
    switch (node->kind) {
#define PLAIN(kind, name)                                                                                              \
    case KQ_NODE_##kind: print_plain(name, node, out); break;
        PLAIN(WHERE, "where")
        PLAIN(EXTEND, "extend")
        PLAIN(PROJECT, "project")
        PLAIN(PROJECT_AWAY, "project-away")
        PLAIN(PROJECT_KEEP, "project-keep")
        PLAIN(PROJECT_RENAME, "project-rename")
        PLAIN(PROJECT_REORDER, "project-reorder")
        PLAIN(DISTINCT, "distinct")
        PLAIN(TAKE, "take")
        PLAIN(SORT, "sort by")
        PLAIN(SERIALIZE, "serialize")
        PLAIN(GETSCHEMA, "getschema")
        PLAIN(SAMPLE, "sample")
        PLAIN(CONSUME, "consume")
        PLAIN(INVOKE, "invoke")
        PLAIN(PRINT, "print")
#undef PLAIN
    case KQ_NODE_TOP:
        kq_buf_str(out, "top ");
        print(k[0], 1, out);
        kq_buf_str(out, " by ");
        print(k[1], 1, out);
        break;
    case KQ_NODE_COUNT:
        kq_buf_str(out, "count");
        if (node->text.n) print_named(" as ", node->text, out);
        break;
    case KQ_NODE_SUMMARIZE:
        kq_buf_str(out, "summarize ");
        print_params(k[0], out);
        print_kids(k[1], out);
        print_by(k[2], out);
        break;
    case KQ_NODE_JOIN:
    case KQ_NODE_LOOKUP:
        kq_buf_str(out, node->kind == KQ_NODE_JOIN ? "join " : "lookup ");
        print_params(k[0], out);
        print(k[1], PREC_UNARY, out);
        if (k[2]->nkids) kq_buf_str(out, " on ");
        print_kids(k[2], out);
        break;
    case KQ_NODE_RENDER:
        print_named("render ", node->text, out);
        print_with(k, node->nkids, out);
        break;
    case KQ_NODE_AS: print_named("as ", node->text, out); break;
    case KQ_NODE_EVALUATE:
        kq_buf_str(out, "evaluate ");
        print_params(k[0], out);
        print(k[1], PREC_UNARY, out);
        if (k[2]) kq_buf_str(out, " : ");
        if (k[2]) print_columns(k[2], out);
        break;
    case KQ_NODE_MV_EXPAND:
    case KQ_NODE_MV_APPLY: print_mv(node, out); break;
    case KQ_NODE_PARSE:
        kq_buf_sv(out, node->text);
        kq_buf_char(out, ' ');
        print_params(k[0], out);
        print(k[1], 1, out);
        kq_buf_str(out, " with ");
        print_list(k[2]->kids, 0, k[2]->nkids, " ", out);
        break;
    case KQ_NODE_PARSE_KV:
        kq_buf_str(out, "parse-kv ");
        print(k[0], 1, out);
        kq_buf_str(out, " as ");
        print_columns(k[1], out);
        print_with(k[2]->kids, k[2]->nkids, out);
        break;
    case KQ_NODE_SAMPLE_DISTINCT:
        kq_buf_str(out, "sample-distinct ");
        print_list(k, 0, 2, " of ", out);
        break;
    case KQ_NODE_UNION:
        kq_buf_str(out, "union ");
        print_params(k[0], out);
        for (uint32_t i = 1; i < node->nkids; i++) {
            if (i > 1) kq_buf_str(out, ", ");
            print(k[i], PREC_UNARY, out);
        }
        break;
    case KQ_NODE_SEARCH: print_search(node, out); break;
    case KQ_NODE_MAKE_SERIES: print_make_series(node, out); break;
    case KQ_NODE_TOP_NESTED: print_top_nested(node, out); break;
    case KQ_NODE_SCAN: print_scan(node, out); break;
    case KQ_NODE_PARTITION:
        kq_buf_str(out, "partition ");
        print_params(k[0], out);
        kq_buf_str(out, "by ");
        print(k[1], 1, out);
        bool bare = k[2]->kind == KQ_NODE_PIPE && !k[2]->kids[0];
        kq_buf_str(out, bare ? " (" : " {");
        print(k[2], PREC_NONE, out);
        kq_buf_str(out, bare ? ")" : "}");
        break;
    case KQ_NODE_FORK: print_fork(node, out); break;
    case KQ_NODE_FACET:
        kq_buf_str(out, "facet by ");
        print_kids(k[0], out);
        if (k[1]) kq_buf_str(out, " with ");
        if (k[1]) print_subpipe(k[1], out);
        break;
    case KQ_NODE_REDUCE:
        kq_buf_str(out, "reduce ");
        print_params(k[0], out);
        kq_buf_str(out, "by ");
        print(k[1], 1, out);
        print_with(k[2]->kids, k[2]->nkids, out);
        break;
    case KQ_NODE_FIND:
    case KQ_NODE_OTHER:
        kq_buf_sv(out, node->text);
        if (node->nkids) kq_buf_char(out, ' ');
        if (node->nkids) kq_buf_sv(out, k[0]->text);
        break;
    case KQ_NODE_DATATABLE:
    case KQ_NODE_EXTERNALDATA:
        kq_buf_str(out, node->kind == KQ_NODE_DATATABLE ? "datatable" : "externaldata");
        print_columns(k[0], out);
        kq_buf_str(out, " [");
        print_kids(k[1], out);
        kq_buf_char(out, ']');
        if (node->nkids == 3) print_with(k[2]->kids, k[2]->nkids, out);
        break;
    case KQ_NODE_RANGE:
        print_named("range ", node->text, out);
        print_optional(" from ", k[0], out);
        print_optional(" to ", k[1], out);
        print_optional(" step ", k[2], out);
        break;
    case KQ_NODE_PIPE:
        for (uint32_t i = 0; i < node->nkids; i++) {
            if (!k[i]) continue;
            if (i && (i > 1 || k[0])) kq_buf_str(out, "\n| ");
            /* a pipe as the source of a pipe keeps its parentheses */
            print(k[i], i == 0 && k[i]->kind == KQ_NODE_PIPE ? 1 : PREC_NONE, out);
        }
        break;
    default: return false;
    }
    return true;
}

/* ---- statements ---- */

static void print_statements(const kq_node *script, kq_buf *out) {
    for (uint32_t i = 0; i < script->nkids; i++) {
        print(script->kids[i], PREC_NONE, out);
        kq_buf_str(out, ";\n");
    }
}

static void print_statement(const kq_node *node, kq_buf *out) {
    switch (node->kind) {
    case KQ_NODE_LET:
        print_named("let ", node->text, out);
        kq_buf_str(out, " = ");
        print(node->kids[0], PREC_NONE, out);
        break;
    case KQ_NODE_FUNCTION:
        if (node->flags & KQ_DECL_VIEW) kq_buf_str(out, "view ");
        print_columns(node->kids[0], out);
        kq_buf_str(out, " {\n");
        print_statements(node->kids[1], out);
        kq_buf_char(out, '}');
        break;
    case KQ_NODE_DECLARE:
        kq_buf_str(out, "declare query_parameters");
        print_columns(node, out);
        break;
    case KQ_NODE_SET:
        print_named("set ", node->text, out);
        print_optional(" = ", node->nkids ? node->kids[0] : NULL, out);
        break;
    default: print_statements(node, out); break;
    }
}

static int precedence(const kq_node *node) {
    switch (node->kind) {
    case KQ_NODE_BINARY: return binaries[binary_of(node->text)].prec;
    case KQ_NODE_UNARY: return PREC_UNARY;
    case KQ_NODE_PIPE:
    case KQ_NODE_DATATABLE:
    case KQ_NODE_EXTERNALDATA:
    case KQ_NODE_PRINT:
    case KQ_NODE_RANGE:
    case KQ_NODE_UNION:
    case KQ_NODE_FIND:
    case KQ_NODE_SEARCH:
    case KQ_NODE_EVALUATE: return PREC_NONE;
    default: return PREC_PRIMARY;
    }
}

static void print_expression(const kq_node *node, kq_buf *out) {
    switch (node->kind) {
    case KQ_NODE_LITERAL:
        if (node->text.n)
            kq_buf_sv(out, node->text);
        else
            kq_value_literal(&node->value, out);
        break;
    case KQ_NODE_NAME: print_name(node->text, out); break;
    case KQ_NODE_WILDCARD: kq_buf_sv(out, node->text); break;
    case KQ_NODE_DOT: print_dot(node, out); break;
    case KQ_NODE_INDEX:
        print_base(node->kids[0], out);
        kq_buf_char(out, '[');
        print(node->kids[1], 1, out);
        kq_buf_char(out, ']');
        break;
    case KQ_NODE_UNARY:
        kq_buf_sv(out, node->text);
        print(node->kids[0], PREC_UNARY, out);
        break;
    case KQ_NODE_BINARY: print_binary(node, out); break;
    case KQ_NODE_CALL: print_call(node, out); break;
    case KQ_NODE_NAMED:
        print_name(node->text, out);
        kq_buf_char(out, '=');
        print(node->kids[0], 1, out);
        break;
    case KQ_NODE_NAMES:
        print(node->kids[0], 1, out);
        kq_buf_str(out, " = ");
        print(node->kids[1], 1, out);
        break;
    case KQ_NODE_LIST: print_columns(node, out); break;
    case KQ_NODE_TYPEOF:
        kq_buf_str(out, "typeof");
        if (node->nkids)
            print_columns(node, out);
        else
            kq_buf_printf(out, "(%s)", kq_type_name(node->value.type));
        break;
    case KQ_NODE_ORDERED:
        print(node->kids[0], 1, out);
        print_order(node->flags, out);
        break;
    case KQ_NODE_COLUMN: print_column(node, out); break;
    case KQ_NODE_TO_TYPEOF:
        print(node->kids[0], 1, out);
        kq_buf_printf(out, " to typeof(%s)", kq_type_name(node->value.type));
        break;
    default: print_statement(node, out); break;
    }
}

static void print(const kq_node *node, int min, kq_buf *out) {
    bool paren = precedence(node) < min;
    if (paren) kq_buf_char(out, '(');
    if (!print_tabular(node, out)) print_expression(node, out);
    if (paren) kq_buf_char(out, ')');
}

void kq_ast_print(const kq_node *node, kq_buf *out) {
    print(node, PREC_NONE, out);
}
