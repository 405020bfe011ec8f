#include "native/json.h"
#include <memory>
#include <new>
#include <simdjson.h>

struct kq_json_index {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

extern "C" kq_json_index *kq_json_index_create(void) {
    kq_json_index *index = new (std::nothrow) kq_json_index;
    if (!index) return nullptr;
    /* Depth is for simdjson's second stage, which is not used. */
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(64, 1, index->parser) !=
        simdjson::SUCCESS) {
        delete index;
        return nullptr;
    }
    return index;
}

extern "C" void kq_json_index_destroy(kq_json_index *index) {
    delete index;
}

extern "C" size_t kq_json_index_bytes(size_t n) {
    return (n + 64) / 64 * 64 * sizeof(uint32_t) + 64;
}

extern "C" kq_json_fault kq_json_index_room(kq_json_index *index, size_t n) {
    if (n < 64) n = 64;
    return index->parser->allocate(n, 1) == simdjson::SUCCESS ? KQ_JSON_OK : KQ_JSON_NOMEM;
}

extern "C" kq_json_fault kq_json_index_make(kq_json_index *index, const char *text, size_t n, const uint32_t **at,
                                            uint32_t *count) {
    simdjson::error_code code =
        index->parser->stage1(reinterpret_cast<const uint8_t *>(text), n, simdjson::stage1_mode::regular);
    *at = index->parser->structural_indexes.get();
    *count = 0;
    switch (code) {
    case simdjson::SUCCESS: *count = index->parser->n_structural_indexes; return KQ_JSON_OK;
    case simdjson::EMPTY: return KQ_JSON_OK;
    case simdjson::UTF8_ERROR: return KQ_JSON_BAD_UTF8;
    case simdjson::UNCLOSED_STRING: return KQ_JSON_OPEN_STRING;
    case simdjson::UNESCAPED_CHARS: return KQ_JSON_CONTROL;
    default: return KQ_JSON_OTHER;
    }
}

extern "C" bool kq_text_is_utf8(const char *text, size_t n) {
    return simdjson::validate_utf8(text, n);
}
