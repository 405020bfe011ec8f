/* Stored functions: KQL texts cut into the functions that they hold. What a text means is for kql to say. */
#include "base/embedded.h"
#include "schema/catalog_internal.h"

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The line at *at, without its end; *at goes behind it. */
static kq_sv next_line(kq_sv text, size_t *at) {
    size_t start = *at;
    const char *newline = start < text.n ? memchr(text.p + start, '\n', text.n - start) : NULL;
    size_t end = newline ? (size_t)(newline - text.p) : text.n;
    *at = end < text.n ? end + 1 : end;
    return kq_sv_slice(text, start, end);
}

static bool starts_function(kq_sv line, kq_sv *name) {
    if (!kq_sv_starts(line, KQ_SV("let "))) return false;
    size_t n = 4;
    while (n < line.n && is_name(line.p[n])) n++;
    *name = kq_sv_slice(line, 4, n);
    return name->n > 0;
}

static kq_status add(kq_catalog *c, const kq_function *f, kq_error *err) {
    if (c->nfunctions == c->functions_cap) {
        size_t cap = c->functions_cap ? 2 * c->functions_cap : 128;
        kq_function *functions = kq_arena_array(&c->arena, kq_function, cap);
        kq_sv *names = kq_arena_array(&c->arena, kq_sv, cap);
        if (!functions || !names) return kq_arena_status(&c->arena, err);
        if (c->nfunctions) {
            memcpy(functions, c->functions, c->nfunctions * sizeof *functions);
            memcpy(names, c->function_names, c->nfunction_names * sizeof *names);
        }
        c->functions = functions;
        c->function_names = names;
        c->functions_cap = cap;
    }
    if (!f->hidden) c->function_names[c->nfunction_names++] = f->name;
    c->functions[c->nfunctions++] = *f;
    return KQ_OK;
}

kq_status kq_functions_load(kq_catalog *c, kq_sv text, const char *file, kq_error *err) {
    kq_function f = {.file = kq_sv_of(file)};
    uint32_t line = 0;
    size_t doc = SIZE_MAX, start = SIZE_MAX; /* of the comment before the next function; of the function now */
    for (size_t at = 0; at < text.n;) {
        size_t here = at;
        kq_sv name, l = next_line(text, &at);
        line++;
        bool comment = kq_sv_starts(l, KQ_SV("//"));
        if (start != SIZE_MAX && (comment || starts_function(l, &name))) {
            f.text = kq_sv_slice(text, start, here);
            KQ_TRY(add(c, &f, err));
            start = SIZE_MAX;
        }
        if (comment) {
            if (doc == SIZE_MAX) doc = here;
        } else if (starts_function(l, &name)) {
            f.name = name;
            f.hidden = kq_sv_starts(name, KQ_SV("_kequel_"));
            f.line = line;
            f.doc = doc == SIZE_MAX ? KQ_SV("") : kq_sv_slice(text, doc, here);
            start = here;
            doc = SIZE_MAX;
        } else if (start == SIZE_MAX) {
            doc = SIZE_MAX;
        }
    }
    if (start == SIZE_MAX) return KQ_OK;
    f.text = kq_sv_slice(text, start, text.n);
    return add(c, &f, err);
}

kq_status kq_functions_builtin(kq_catalog *c, kq_error *err) {
    for (const kq_embedded *e = kq_builtin_functions; e->name; e++) KQ_TRY(kq_functions_load(c, e->text, e->name, err));
    return KQ_OK;
}

kq_status kq_functions_slack(kq_catalog *c, kq_error *err) {
    static const kq_sv mark = {"//--slack", 9};
    for (size_t i = 0; i < c->nfunctions; i++) {
        kq_sv *text = &c->functions[i].text;
        const char *at = memmem(text->p, text->n, mark.p, mark.n);
        if (!at) continue;
        char *copy = kq_arena_bytes(&c->arena, text->n);
        if (!copy) return kq_arena_status(&c->arena, err);
        memcpy(copy, text->p, text->n);
        for (; at; at = memmem(at + 1, (size_t)(text->p + text->n - at) - 1, mark.p, mark.n))
            memset(copy + (at - text->p), ' ', mark.n);
        text->p = copy;
    }
    return KQ_OK;
}

const kq_function *kq_catalog_function(const kq_catalog *c, kq_sv name) {
    const kq_model_table *t = kq_model_find(&c->model, name);
    if (t && !t->catalogue) return NULL;
    for (size_t i = 0; i < c->nfunctions; i++)
        if (kq_sv_eq(c->functions[i].name, name)) return &c->functions[i];
    return NULL;
}

const kq_function *kq_catalog_functions(const kq_catalog *c, size_t *n) {
    *n = c->nfunctions;
    return c->functions;
}

const kq_sv *kq_catalog_function_names(const kq_catalog *c, size_t *n) {
    *n = c->nfunction_names;
    return c->function_names;
}

void kq_function_doc(const kq_function *f, kq_buf *out) {
    for (size_t at = 0; at < f->doc.n;) {
        kq_sv l = next_line(f->doc, &at);
        l = kq_sv_slice(l, l.n > 2 && l.p[2] == ' ' ? 3 : 2, l.n);
        if (out->n && l.n) kq_buf_char(out, ' ');
        kq_buf_sv(out, l);
    }
}

/* `let name = (parameters) {`: from the name to the parameters' end, white space as single blanks. */
void kq_function_signature(const kq_function *f, kq_buf *out) {
    unsigned depth = 0;
    bool blank = false;
    kq_buf_sv(out, f->name);
    for (size_t i = 4 + f->name.n; i < f->text.n; i++) {
        char ch = f->text.p[i];
        if (depth == 0 && ch == '{') break;
        if (ch == '(') depth++;
        if (ch == ' ' || ch == '\n' || ch == '\t' || ch == '\r' || (depth == 0 && ch != ')')) {
            blank = depth > 0 && out->p && out->p[out->n - 1] != '(';
            continue;
        }
        if (blank && ch != ')') kq_buf_char(out, ' ');
        blank = false;
        kq_buf_char(out, ch);
        if (ch == ')' && depth) depth--;
    }
}
