/*
 * What the first records of a CSV file tell of it: the tables that they name, the order of numbers in their dates; for
 * which others are looked at where they do not tell.
 */
#include "base/time.h"
#include "source/csv_internal.h"
#include "source/look.h"

/* The records that the file begins with, of 64 KiB at most. */
typedef struct head_records {
    kq_buf text, found;
    char *p;
    const kq_csv_record *items;
    size_t n;
} head_records;

static void head_free(head_records *h) {
    kq_buf_deinit(&h->text);
    kq_buf_deinit(&h->found);
}

/* The caller frees it, also on failure. */
static kq_status head_read(kq_csv_source *s, kq_budget *budget, head_records *h, kq_error *err) {
    kq_sv head;
    bool open;
    kq_buf_init(&h->text, budget, 0);
    kq_buf_init(&h->found, budget, 0);
    KQ_TRY(kq_stream_head(s->stream, &head, err));
    size_t begin = s->skip < head.n ? (size_t)s->skip : head.n, n = head.n - begin;
    h->p = kq_buf_reserve(&h->text, n + KQ_SCAN_SLACK);
    if (!h->p) return kq_buf_status(&h->text, err);
    memcpy(h->p, head.p + begin, n);
    memset(h->p + n, 0, KQ_SCAN_SLACK);
    kq_csv_scan(h->p, n, s->delimiter, &h->found, &open);
    if (!open) { /* a last line without a newline, or what the head has of one */
        kq_csv_record last = {(uint32_t)n, 0};
        kq_buf_append(&h->found, &last, sizeof last);
    }
    h->items = (const kq_csv_record *)(const void *)h->found.p;
    h->n = h->found.n / sizeof *h->items;
    return kq_buf_status(&h->found, err);
}

/* Record i without its line end; false: it is empty. */
static bool head_at(const head_records *h, size_t i, const char **p, const char **end) {
    *p = h->p + (i ? (size_t)h->items[i - 1].end + 1 : 0);
    *end = h->p + h->items[i].end;
    if (*end > *p && (*end)[-1] == '\r') --*end;
    return *end > *p;
}

kq_status kq_csv_types(kq_source *source, kq_buf *out, kq_error *err) {
    kq_csv_source *s = (kq_csv_source *)source;
    uint32_t at = 0;
    kq_sv other, text = {0};
    bool escaped;
    head_records h = {0};
    while (at < s->ncolumns && !kq_sv_eq(s->columns[at].name, KQ_SV("Type"))) at++;
    for (uint32_t c = 0; at == s->ncolumns && c < s->ncolumns; c++)
        if (kq_sv_eq(s->columns[c].name, KQ_SV("$table"))) at = c;
    if (at == s->ncolumns) return KQ_OK;
    kq_status status = head_read(s, out->budget, &h, err);
    for (size_t i = 0; !status && i < h.n && i < 100 && out->n < 4096; i++) {
        const char *p, *end;
        if (!head_at(&h, i, &p, &end)) continue;
        for (uint32_t c = 0; p && c <= at; c++)
            p = kq_csv_field(p, end, s->delimiter, c == at ? &text : &other, &escaped);
        bool known = !text.n || escaped || memchr(text.p, 0, text.n);
        for (const char *q = out->p; !known && q && q < out->p + out->n; q += strlen(q) + 1)
            known = kq_sv_eq(kq_sv_of(q), text);
        if (known) continue;
        kq_buf_sv(out, text);
        kq_buf_char(out, 0);
        text.n = 0;
    }
    if (!status) status = kq_buf_status(out, err);
    head_free(&h);
    return status;
}

/* What is known of the dates of each column. */
enum { TEXT = 1, MONTH = 2, DAY = 4, EITHER = 8 };

static unsigned order_bits(kq_dates order) {
    return order == KQ_DATES_MDY ? MONTH : order == KQ_DATES_DMY ? DAY : order == KQ_DATES_EITHER ? EITHER : 0;
}

/* Of columns that hold nothing but dates: a file's name or an argument that looks like one says nothing. */
static unsigned order_seen(const uint8_t *columns, uint32_t n) {
    unsigned seen = 0;
    for (uint32_t c = 0; c < n; c++)
        if (!(columns[c] & TEXT)) seen |= columns[c];
    return seen;
}

typedef struct looking {
    const kq_csv_source *s;
    kq_buf *found;
    uint8_t *columns;
} looking;

/* Dates of a part of the file that can be only one thing, in columns that have dates which can be both. */
static kq_status look(void *ctx, char *text, size_t n, bool *enough, kq_error *err) {
    looking *l = ctx;
    const kq_csv_source *s = l->s;
    bool open;
    kq_buf_clear(l->found);
    kq_csv_scan(text, n, s->delimiter, l->found, &open);
    KQ_TRY(kq_buf_status(l->found, err));
    head_records h = {.p = text, .items = (const kq_csv_record *)(const void *)l->found->p};
    for (size_t i = 0; i < l->found->n / sizeof *h.items && !*enough; i++) {
        const char *p, *end;
        if (h.items[i].delimiters + 1 != s->ncolumns || !head_at(&h, i, &p, &end)) continue;
        for (uint32_t c = 0; p && c < s->ncolumns; c++) {
            kq_sv cell;
            bool escaped;
            p = kq_csv_field(p, end, s->delimiter, &cell, &escaped);
            if (l->columns[c] & TEXT || !(l->columns[c] & EITHER)) continue;
            l->columns[c] |= order_bits(kq_time_dates(cell)) & (MONTH | DAY);
            *enough |= (l->columns[c] & (MONTH | DAY)) != 0;
        }
    }
    return KQ_OK;
}

kq_status kq_csv_dates(kq_source *source, kq_dates *out, kq_error *err) {
    kq_csv_source *s = (kq_csv_source *)source;
    head_records h = {0};
    kq_status status = head_read(s, s->arena.budget, &h, err);
    uint8_t *columns = status ? NULL : kq_arena_array(&s->arena, uint8_t, s->ncolumns);
    if (!status && !columns) status = kq_arena_status(&s->arena, err);
    for (size_t i = 0; !status && i < h.n; i++) {
        const char *p, *end;
        if (!head_at(&h, i, &p, &end)) continue;
        for (uint32_t c = 0; p && c < s->ncolumns; c++) {
            kq_sv text;
            bool escaped, zoned;
            int64_t ticks;
            p = kq_csv_field(p, end, s->delimiter, &text, &escaped);
            if (!text.n || columns[c] & TEXT) continue;
            kq_dates order = kq_time_dates(text);
            bool cut = !p && i + 1 == h.n; /* maybe */
            if (!order && !cut && !kq_time_parse_log(text, order, &ticks, &zoned)) columns[c] |= TEXT;
            columns[c] |= order_bits(order);
        }
    }
    if (!status && order_seen(columns, s->ncolumns) == EITHER)
        status = kq_look(s->stream, s->base.input, s->arena.budget, look, &(looking){s, &h.found, columns}, err);
    unsigned seen = status ? 0 : order_seen(columns, s->ncolumns) & (MONTH | DAY);
    *out = seen == MONTH ? KQ_DATES_MDY : seen == DAY ? KQ_DATES_DMY : KQ_DATES_UNTOLD;
    head_free(&h);
    return status;
}
