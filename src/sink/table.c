#include "sink/format.h"
#include "sink/visible.h"

/*
 * The widths come from the first rows, which are held back until there are enough of them; later rows use the same
 * widths, so that a table of any length streams.
 */
#define FIRST_ROWS  1000
#define FIRST_BYTES (1 << 20)
#define WIDTH_MAX   120 /* a longer cell sticks out rather than pad every row */
#define WIDTH_MIN   8
#define BETWEEN     2
#define CELL_MAX    (64 * 1024) /* bytes of one cell that are looked at when cells are shortened */

typedef struct cell {
    size_t at;
    uint32_t n, width;
} cell;

typedef struct table {
    kq_buf raw, text; /* one cell as text; the visible text of the held cells */
    cell *cells;      /* of the held rows */
    uint32_t *widths;
    bool *right; /* numbers stand at the right */
    uint32_t held, held_max;
    bool measured;
} table;

static kq_status begin(kq_sink *s, kq_error *err) {
    uint32_t n = s->columns->n;
    table *t = kq_arena_new(&s->arena, table);
    if (!t) return kq_arena_status(&s->arena, err);
    kq_buf_init(&t->raw, s->budget, 0);
    kq_buf_init(&t->text, s->budget, 0);
    s->state = t;
    t->held_max = n > 100 ? 100 * FIRST_ROWS / n + 1 : FIRST_ROWS;
    t->cells = kq_arena_array(&s->arena, cell, (size_t)n * t->held_max + 1);
    t->widths = kq_arena_array(&s->arena, uint32_t, (size_t)n + 1);
    t->right = kq_arena_array(&s->arena, bool, (size_t)n + 1);
    KQ_TRY(kq_arena_status(&s->arena, err));
    for (uint32_t i = 0; i < n; i++) t->right[i] = kq_type_is_numeric(s->columns->items[i].type);
    return KQ_OK;
}

static void cut(kq_sink *s, uint32_t column, kq_sv text, size_t width, bool last) {
    table *t = s->state;
    size_t room = t->widths[column], used = width;
    bool cut = s->output.width && width > room;
    size_t n = cut ? kq_visible_cut(text, room - 1, &used) : text.n;
    size_t pad = used + cut < room ? room - used - cut : 0;
    if (t->right[column])
        for (size_t k = 0; k < pad; k++) kq_buf_char(&s->buf, ' ');
    kq_buf_append(&s->buf, text.p, n);
    if (cut) kq_buf_str(&s->buf, "\xE2\x80\xA6");
    if (last) return;
    if (!t->right[column])
        for (size_t k = 0; k < pad; k++) kq_buf_char(&s->buf, ' ');
    for (int k = 0; k < BETWEEN; k++) kq_buf_char(&s->buf, ' ');
}

/* Appends the visible text of a cell to t->text. */
static cell render(kq_sink *s, kq_sv text) {
    table *t = s->state;
    cell c = {.at = t->text.n};
    if (s->output.width && text.n > CELL_MAX) text.n = CELL_MAX;
    size_t width = kq_visible(text, &t->text);
    c.n = (uint32_t)(t->text.n - c.at);
    c.width = width > UINT32_MAX ? UINT32_MAX : (uint32_t)width;
    return c;
}

/* Takes columns from the widest ones until the table fits the terminal. */
static void fit(kq_sink *s) {
    table *t = s->state;
    uint32_t n = s->columns->n;
    uint64_t sum = (uint64_t)BETWEEN * (n ? n - 1 : 0);
    for (uint32_t i = 0; i < n; i++) sum += t->widths[i];
    if (!s->output.width || sum <= s->output.width) return;
    /* The largest width w such that columns cut to w fit; narrower ones keep what they have. */
    uint32_t low = WIDTH_MIN, high = WIDTH_MAX;
    while (low < high) {
        uint32_t mid = low + (high - low + 1) / 2;
        uint64_t total = (uint64_t)BETWEEN * (n - 1);
        for (uint32_t i = 0; i < n; i++) total += t->widths[i] < mid ? t->widths[i] : mid;
        if (total <= s->output.width)
            low = mid;
        else
            high = mid - 1;
    }
    uint64_t left = s->output.width, total = (uint64_t)BETWEEN * (n - 1);
    for (uint32_t i = 0; i < n; i++) total += t->widths[i] < low ? t->widths[i] : low;
    for (uint32_t i = 0; i < n; i++) {
        if (t->widths[i] <= low) continue;
        bool one_more = total < left; /* what the rounding left over */
        total += one_more;
        t->widths[i] = low + one_more;
    }
}

static kq_status header(kq_sink *s, kq_error *err) {
    table *t = s->state;
    uint32_t n = s->columns->n;
    cell *names = kq_arena_array(&s->arena, cell, (size_t)n + 1);
    if (!names) return kq_arena_status(&s->arena, err);
    for (uint32_t i = 0; i < n; i++) {
        names[i] = render(s, s->columns->items[i].name);
        t->widths[i] = names[i].width;
        for (uint32_t k = 0; k < t->held; k++) {
            uint32_t w = t->cells[(size_t)k * n + i].width;
            if (w > WIDTH_MAX) w = WIDTH_MAX;
            if (w > t->widths[i]) t->widths[i] = w;
        }
        if (!t->widths[i]) t->widths[i] = 1;
    }
    KQ_TRY(kq_buf_status(&t->text, err));
    fit(s);
    if (s->output.color) kq_buf_str(&s->buf, "\x1b[1m");
    for (uint32_t i = 0; i < n; i++)
        cut(s, i, (kq_sv){t->text.p + names[i].at, names[i].n}, names[i].width, i + 1 == n);
    if (s->output.color) kq_buf_str(&s->buf, "\x1b[0m");
    kq_buf_char(&s->buf, '\n');
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < t->widths[i]; k++) kq_buf_char(&s->buf, '-');
        if (i + 1 < n)
            for (int k = 0; k < BETWEEN; k++) kq_buf_char(&s->buf, ' ');
    }
    kq_buf_char(&s->buf, '\n');
    t->measured = true;
    return KQ_OK;
}

static kq_status line(kq_sink *s, const cell *cells, kq_error *err) {
    table *t = s->state;
    uint32_t n = s->columns->n;
    for (uint32_t i = 0; i < n; i++)
        cut(s, i, (kq_sv){t->text.p + cells[i].at, cells[i].n}, cells[i].width, i + 1 == n);
    while (s->buf.n && s->buf.p[s->buf.n - 1] == ' ') s->buf.n--;
    kq_buf_char(&s->buf, '\n');
    return kq_sink_flush_full(s, err);
}

static kq_status release(kq_sink *s, kq_error *err) {
    table *t = s->state;
    KQ_TRY(header(s, err));
    for (uint32_t k = 0; k < t->held; k++) KQ_TRY(line(s, t->cells + (size_t)k * s->columns->n, err));
    t->held = 0;
    kq_buf_clear(&t->text);
    return KQ_OK;
}

static kq_status push(kq_sink *s, const kq_chunk *chunk, kq_error *err) {
    table *t = s->state;
    uint32_t n = s->columns->n;
    for (uint32_t k = 0; k < chunk->selected; k++) {
        uint32_t row = kq_chunk_row(chunk, k);
        cell *cells = t->cells + (size_t)t->held * n;
        for (uint32_t i = 0; i < n; i++) {
            const kq_vector *v = &chunk->cols[i];
            if (v->type == KQ_STRING) {
                cells[i] = render(s, kq_str_view(&kq_vec_str(v)[kq_vec_at(v, row)]));
            } else {
                kq_buf_clear(&t->raw);
                kq_cell_text(v, row, &t->raw);
                KQ_TRY(kq_buf_status(&t->raw, err));
                cells[i] = render(s, kq_buf_view(&t->raw));
            }
        }
        KQ_TRY(kq_buf_status(&t->text, err));
        if (t->measured) {
            KQ_TRY(line(s, cells, err));
            kq_buf_clear(&t->text);
        } else if (++t->held == t->held_max || t->text.n >= FIRST_BYTES) {
            KQ_TRY(release(s, err));
        }
    }
    return KQ_OK;
}

static kq_status finish(kq_sink *s, kq_error *err) {
    table *t = s->state;
    return t->measured || !s->columns->n ? KQ_OK : release(s, err);
}

static void end(kq_sink *s) {
    table *t = s->state;
    if (!t) return;
    kq_buf_deinit(&t->raw);
    kq_buf_deinit(&t->text);
}

const kq_sink_type kq_sink_table = {"table", "aligned columns for people", begin, push, finish, end, false, false};
