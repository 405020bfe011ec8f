/* Event data that came as JSON, as the XML that Sentinel's table Event holds. */
#include "column/dynamic.h"
#include "schema/map_expr.h"
#include "schema/transform.h"

static void escaped(kq_sv s, kq_buf *out) {
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '<': kq_buf_str(out, "&lt;"); break;
        case '>': kq_buf_str(out, "&gt;"); break;
        case '&': kq_buf_str(out, "&amp;"); break;
        case '"': kq_buf_str(out, "&quot;"); break;
        default: kq_buf_char(out, s.p[i]);
        }
    }
}

static void cell(kq_dyn value, kq_buf *scratch, kq_buf *out) {
    kq_dyn_tag tag = kq_dyn_tag_of(value);
    if (tag == KQ_DYN_NULL) return;
    if (tag == KQ_DYN_STRING) {
        escaped(kq_dyn_string(value), out);
        return;
    }
    kq_buf_empty(scratch);
    kq_dyn_json(value, scratch);
    escaped(kq_buf_view(scratch), out);
}

bool kq_transform_dataxml(kq_sv in, KQ_UNUSED const kq_transform_argument *arg, kq_arena *arena, kq_sv *out) {
    kq_buf bag, text, scratch;
    kq_buf_init(&bag, arena->budget, 0);
    kq_buf_init(&text, arena->budget, 0);
    kq_buf_init(&scratch, arena->budget, 0);
    bool ok = kq_dyn_parse_json(in, &bag) && kq_dyn_tag_of(kq_buf_view(&bag)) == KQ_DYN_BAG;
    if (ok) {
        kq_dyn d = kq_buf_view(&bag);
        kq_buf_str(&text, "<DataItem Type=\"System.XmlData\" time=\"\" "
                          "sourceHealthServiceId=\"00000000-0000-0000-0000-000000000000\"><EventData "
                          "xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">");
        for (uint32_t i = 0, n = kq_dyn_count(d); i < n; i++) {
            kq_sv key;
            kq_dyn value = kq_dyn_entry(d, i, &key);
            kq_buf_str(&text, "<Data Name=\"");
            escaped(key, &text);
            kq_buf_str(&text, "\">");
            cell(value, &scratch, &text);
            kq_buf_str(&text, "</Data>");
        }
        kq_buf_str(&text, "</EventData></DataItem>");
        ok = !text.failed && !scratch.failed;
    }
    if (bag.failed || text.failed || scratch.failed) arena->failed = true; /* not the same as no value */
    if (ok) *out = kq_arena_copy(arena, kq_buf_view(&text));
    kq_buf_deinit(&bag);
    kq_buf_deinit(&text);
    kq_buf_deinit(&scratch);
    return ok && out->p;
}
