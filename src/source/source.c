#include "source/source.h"
#include "source/stream.h"

static const kq_source_type *const types[] = {
#define KQ_SOURCE(name) &kq_source_##name,
#include "source/sources.def"
#undef KQ_SOURCE
};

const kq_source_type *const *kq_source_types(size_t *n) {
    *n = sizeof types / sizeof *types;
    return types;
}

kq_status kq_source_open(kq_input *input, kq_report *report, kq_budget *budget, kq_source **out, kq_error *err) {
    *out = NULL;
    kq_stream *stream;
    if (input->archive)
        KQ_TRY(kq_stream_open_member(input->archive, input->member, input->path, input->size, budget, &stream, err));
    else
        KQ_TRY(kq_stream_open(input->path, budget, &stream, err));
    /* once, when it is added: scans open it side by side */
    if (!input->size && kq_stream_size(stream)) input->size = kq_stream_size(stream);
    if (!input->type) {
        input->packed = false;
        kq_sv head;
        /* Folders of event logs are many small files: of those less is read. */
        kq_status status = kq_stream_start(stream, &head, err);
        if (!status && types[0]->detect(head, input->path) < KQ_SURE) status = kq_stream_head(stream, &head, err);
        if (!status && kq_archive_is(head, input->path)) {
            input->packed = true;
            kq_stream_close(stream);
            return KQ_OK;
        }
        /* Event XML knows UTF-16 itself: only it can be read at any place. */
        if (!status && kq_utf16_is(head) && !kq_source_xml.detect(head, input->path)) {
            status = kq_stream_as_utf8(stream, err);
            if (!status) status = kq_stream_head(stream, &head, err);
        }
        if (!status && !head.n) status = kq_fail(err, KQ_ERR_DAMAGED, "%s: the file is empty", input->path);
        int best = 0;
        for (size_t i = 0; !status && i < sizeof types / sizeof *types; i++) {
            int sure = types[i]->detect(head, input->path);
            if (sure > best) {
                best = sure;
                input->type = types[i];
            }
        }
        if (status || !input->type) {
            kq_stream_close(stream);
            return status;
        }
    }
    if (input->type != &kq_source_evtx) {
        kq_sv head = KQ_SV("");
        kq_status status = KQ_OK;
        if (input->type == &kq_source_xml) status = kq_stream_start(stream, &head, err);
        if (!status && (input->type != &kq_source_xml || !kq_source_xml.detect(head, input->path)))
            status = kq_stream_as_utf8(stream, err);
        if (status) {
            kq_stream_close(stream);
            return status;
        }
    }
    return input->type->open(input, stream, report, budget, out, err);
}
