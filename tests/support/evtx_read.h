/* Reads bytes or a file through the EVTX source, or another one for Windows events, and gives its rows as text, for
 * the tests. */
#ifndef KQ_TEST_EVTX_READ_H
#define KQ_TEST_EVTX_READ_H

#include "source/source.h"

typedef struct evtx_result {
    kq_buf rows; /* "set:field|field|...\n" for each row; a missing field is ~, a null one 0 */
    kq_report *report;
    kq_status opened, status;
    kq_error err;
    const kq_source_type *type; /* set after init; NULL: EVTX */
    bool slack;                 /* read old records too */
    uint64_t nrows, stop_after; /* stop_after: the sink says done at that row; 0: never */
} evtx_result;

/* Frees what the result holds and starts it afresh. */
void evtx_result_init(evtx_result *r);
void evtx_result_deinit(evtx_result *r);

/* Reads the file at `path`, or `bytes` put into a temporary file whose name ends in `suffix`. */
void evtx_read_file(const char *path, const kq_request *request, evtx_result *r);
void evtx_read_bytes(kq_sv bytes, const char *suffix, const kq_request *request, evtx_result *r);

/* A request with one set: "name=value" are selectors, other words wants; separated by blanks. Strings must live. */
typedef struct evtx_words {
    kq_request request;
    kq_want_set set;
    kq_selector selectors[8];
    kq_sv values[8];
    kq_want wants[64];
} evtx_words;
const kq_request *evtx_request(evtx_words *words, const char *text);

/* The reasons in the report, one a line, with their offsets. */
const char *evtx_damage(const evtx_result *r);

#endif
