#include "schema/unfit.h"
#include "base/alloc.h"
#include "schema/convert.h"
#include <stdio.h>

void kq_unfit_init(kq_unfit *u) {
    *u = (kq_unfit){0};
    pthread_mutex_init(&u->lock, NULL);
}

void kq_unfit_end(kq_unfit *u, kq_report *report) {
    for (uint32_t i = 0; i < u->n; i++) {
        const kq_unfit_item *item = &u->items[i];
        char more[48] = "";
        if (item->column == KQ_UNFIT_TWICE || item->column == KQ_UNFIT_NEVER) {
            kq_report_odd(report, item->input->number, item->input->path, item->column == KQ_UNFIT_NEVER, item->count,
                          item->offset, item->text);
            continue;
        }
        kq_dates other = item->type == KQ_DATETIME ? kq_time_dates(kq_sv_of(item->text)) : KQ_DATES_UNTOLD;
        bool guess = item->input->dates == KQ_DATES_UNTOLD; /* nobody said that the file's are month/day/year */
        const char *hint = other == KQ_DATES_DMY && guess ? "; it is day/month/year, and the file's other dates were "
                                                            "taken as month/day/year: --timezone ZONE,dmy"
                           : other == KQ_DATES_DMY        ? "; it would be one as day/month/year: --timezone ZONE,dmy"
                           : other == KQ_DATES_MDY        ? "; it would be one as month/day/year: --timezone ZONE,mdy"
                                                          : "";
        if (item->count > 1) snprintf(more, sizeof more, " (and %llu more)", (unsigned long long)item->count - 1);
        kq_report_damage(report, item->input->number, item->input->path, item->offset, KQ_SV_FMT " is no %s: '%s'%s%s",
                         KQ_SV_ARG(item->name), kq_type_name(item->type), item->text, more, hint);
    }
    kq_free(u->items);
    u->items = NULL;
    u->n = 0;
    pthread_mutex_destroy(&u->lock);
}

/* The beginning of the value, without what would move a terminal's cursor. */
static void show(const kq_field *field, char *to, size_t room) {
    kq_arena arena;
    kq_sv text = {0};
    kq_arena_init(&arena, NULL, 0);
    size_t n = kq_field_text(field, &arena, &text) ? text.n : 0;
    if (n > room - 4) {
        for (n = room - 4; n && ((unsigned char)text.p[n] & 0xC0) == 0x80;) n--;
        snprintf(to + n, room - n, "...");
    } else {
        to[n] = 0;
    }
    for (size_t i = 0; i < n; i++) to[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 127 ? '?' : text.p[i];
    kq_arena_deinit(&arena);
}

void kq_unfit_note(kq_unfit *u, const kq_input *input, uint32_t column, kq_sv name, kq_type type, const kq_field *field,
                   uint64_t offset) {
    if (field->kind == KQ_FIELD_MISSING || field->kind == KQ_FIELD_NULL) return;
    if ((field->kind == KQ_FIELD_STRING || field->kind == KQ_FIELD_LOCAL) && !field->u.text.n) return;
    if (field->kind == KQ_FIELD_LONG && !field->u.l) return; /* no long is unfit but as a time, and 0 is none */
    pthread_mutex_lock(&u->lock);
    if (!u->items) u->items = kq_calloc(KQ_UNFIT_MAX, sizeof *u->items);
    uint32_t i = 0;
    while (i < u->n && (u->items[i].input != input || u->items[i].column != column)) i++;
    if (u->items && i < KQ_UNFIT_MAX) { /* without memory the query fails elsewhere */
        kq_unfit_item *item = &u->items[i];
        bool first = i == u->n || offset < item->offset;
        if (i == u->n) u->n++;
        item->count++;
        if (first) {
            *item = (kq_unfit_item){input, column, type, name, offset, item->count, {0}};
            show(field, item->text, sizeof item->text);
        }
    }
    pthread_mutex_unlock(&u->lock);
}
