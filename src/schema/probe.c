/* Does any map make rows of a file? Asked of files that are no table's, so that what nobody reads is told. */
#include "schema/catalog_internal.h"
#include <string.h>

static kq_status seen(void *ctx, KQ_UNUSED uint32_t set, KQ_UNUSED const kq_field *fields, bool *done,
                      KQ_UNUSED kq_error *err) {
    *(bool *)ctx = *done = true;
    return KQ_OK;
}

/* Has the first morsel of the file a row of this table? */
static kq_status first_rows(kq_catalog *c, kq_input *input, const kq_table *table, kq_arena *arena, bool *found,
                            kq_error *err) {
    kq_report report; /* the scan reports it */
    kq_source *source = NULL;
    kq_reader *reader = NULL;
    kq_scan_request request = {0};
    kq_scan_spec spec = {.table = table, .report = &report, .budget = c->budget, .keep_duplicates = true};
    kq_morsel morsel;
    bool more = false;
    kq_row_sink sink = {.row = seen, .ctx = found};
    KQ_TRY(kq_scan_request_make(&c->model, &spec, NULL, 0, input->type->name, KQ_ACCESS_MAPPED, arena, &request, err));
    if (!request.nsets) return KQ_OK;
    kq_report_init(&report);
    kq_status status = kq_source_open(input, &report, c->budget, &source, err);
    if (!status && source) status = source->type->reader_create(&request.request, c->budget, &reader, err);
    if (!status && source) status = source->type->claim(source, reader, &morsel, &more, err);
    if (!status && more) status = source->type->read(source, reader, &morsel, &sink, err);
    if (reader) source->type->reader_destroy(reader);
    if (source) source->type->close(source);
    kq_report_deinit(&report);
    return status == KQ_ERR_DAMAGED || status == KQ_ERR_IO ? KQ_OK : status;
}

kq_status kq_catalog_probe(kq_catalog *c, const kq_input *input, bool *found, kq_error *err) {
    kq_input copy = *input;
    kq_status status = KQ_OK;
    *found = false;
    /* every Windows event is a row of Event, so that most files need one look */
    const kq_model_table *event = kq_model_find(&c->model, KQ_SV("Event"));
    for (int rest = 0; rest < 2; rest++) {
        for (const kq_model_table *t = c->model.tables; t && !status && !*found; t = t->next) {
            if ((t == event) == rest || !kq_catalog_mapped(c, input->type, &t->table)) continue;
            kq_arena arena;
            kq_arena_init(&arena, c->budget, 16 * 1024);
            status = first_rows(c, &copy, &t->table, &arena, found, err);
            kq_arena_deinit(&arena);
        }
    }
    return status;
}
