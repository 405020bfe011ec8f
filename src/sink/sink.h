/*
 * Sinks: a result written in one format (sinks.def). Cells are Kusto's REST form. A sink buffers and writes through the
 * caller's kq_output; one thread at a time.
 */
#ifndef KQ_SINK_SINK_H
#define KQ_SINK_SINK_H

#include "base/buf.h"
#include "column/chunk.h"

typedef struct kq_sink kq_sink;

/* Opens a sink for output->format ("table", "ndjson", "json", "csv"). The columns are copied: a format may
 * need them when the query is long over. Errors: USAGE, NOMEM. */
kq_status kq_sink_create(const kq_output *output, const kq_columns *columns, kq_budget *budget, kq_sink **out,
                         kq_error *err);
/* Says, before the first rows, which columns come as text that kq_value_json wrote (type string or dynamic, a null is
 * still null). False, and nothing is said, when the format has another writing; the sink keeps a copy. */
bool kq_sink_written(kq_sink *sink, const bool *columns);
kq_status kq_sink_push(kq_sink *sink, const kq_chunk *chunk, kq_error *err);
/* Writes what closes the document. */
kq_status kq_sink_finish(kq_sink *sink, kq_error *err);
/*
 * Parts: rows written apart, for another thread than the sink's, and taken by it in their turn. *part is NULL where the
 * format writes no row without those before it. A part stands on its sink: it is destroyed (kq_sink_destroy) first, and
 * is filled with kq_sink_push. Errors: NOMEM, LIMIT.
 */
kq_status kq_sink_part(const kq_sink *sink, kq_sink **part, kq_error *err);
size_t kq_sink_part_bytes(const kq_sink *part);
/* Writes what the part holds, as kq_sink_push would have, and empties it. */
kq_status kq_sink_take(kq_sink *sink, kq_sink *part, kq_error *err);
uint64_t kq_sink_rows(const kq_sink *sink);
void kq_sink_destroy(kq_sink *sink);

#endif
