/* What tests of EVTX share: a log that our writer makes, and what was read of it last. One test program includes it
 * once. */
#ifndef KQ_TESTS_EVTX_CASE_H
#define KQ_TESTS_EVTX_CASE_H

#include "base/time.h"
#include "evtx_read.h"
#include "evtx_writer.h"
#include <cmocka.h>

static evtx_writer writer;
static evtx_words words;
static evtx_result result;

static inline void case_begin(void) {
    evtx_writer_init(&writer);
    evtx_result_init(&result);
}

static inline void case_end(void) {
    evtx_writer_deinit(&writer);
    evtx_result_deinit(&result);
}

/* Forgets what was read. */
static inline void case_anew(void) {
    evtx_result_deinit(&result);
    evtx_result_init(&result);
}

/* Begins, and writes a finished log of records 1 to n, `by_chunk` in each chunk, each with the first `ndata` of an
 * image and a number. */
static inline void case_log(uint64_t n, uint64_t by_chunk, uint32_t ndata) {
    static const evtx_datum data[] = {{.name = "Image", .text = {"C:\\Windows\\cmd.exe", 18}},
                                      {.name = "Id", .type = EVTX_UINT, .number = 77}};
    case_begin();
    for (uint64_t i = 1; i <= n; i++) {
        writer.chunk_limit = i > 1 && i % by_chunk == 1 ? 1 : 0;
        evtx_event e = {.provider = "P",
                        .event_id = 1,
                        .channel = "C",
                        .computer = "pc",
                        .time = KQ_TICKS_1970,
                        .record_id = i,
                        .data = data,
                        .ndata = ndata};
        assert_true(evtx_writer_add(&writer, &e));
    }
    evtx_writer_finish(&writer);
}

static inline void set_u32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (8 * i));
}

#endif
