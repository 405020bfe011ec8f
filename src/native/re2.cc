#include "native/re2.h"
#include <climits>
#include <new>
#include <re2/re2.h>
#include <vector>

struct kq_re2 {
    RE2 re;
    kq_re2(const re2::StringPiece &pattern, const RE2::Options &options) : re(pattern, options) {}
};

extern "C" kq_status kq_re2_create(kq_sv pattern, size_t max_mem, kq_re2 **out, kq_error *err) {
    *out = nullptr;
    try {
        RE2::Options options;
        options.set_encoding(RE2::Options::EncodingUTF8);
        options.set_log_errors(false);
        options.set_max_mem(static_cast<int64_t>(max_mem));
        kq_re2 *re = new kq_re2(re2::StringPiece(pattern.p, pattern.n), options);
        if (!re->re.ok()) {
            kq_status status = re->re.error_code() == RE2::ErrorPatternTooLarge ? KQ_ERR_LIMIT : KQ_ERR_QUERY;
            status = kq_fail(err, status, "%.400s", re->re.error().c_str());
            delete re;
            return status;
        }
        *out = re;
        return KQ_OK;
    } catch (const std::bad_alloc &) {
        return kq_nomem(err);
    } catch (...) {
        return kq_fail(err, KQ_ERR_INTERNAL, "RE2 failed to compile a pattern");
    }
}

extern "C" void kq_re2_destroy(kq_re2 *re) {
    delete re;
}

extern "C" kq_status kq_re2_search(const kq_re2 *re, kq_sv text, size_t from, kq_sv *groups, uint32_t n, bool *found,
                                   kq_error *err) {
    static const uint32_t small = 16;
    *found = false;
    try {
        re2::StringPiece few[small];
        std::vector<re2::StringPiece> many;
        re2::StringPiece *parts = few;
        if (n > small) {
            many.resize(n);
            parts = many.data();
        }
        /* An absent group has data() NULL; a group at an empty text must not look like one. */
        const char *p = text.p ? text.p : "";
        re2::StringPiece whole(p, text.n);
        if (!re->re.Match(whole, from, text.n, RE2::UNANCHORED, parts, static_cast<int>(n))) return KQ_OK;
        for (uint32_t i = 0; i < n; i++) groups[i] = kq_sv{parts[i].data(), parts[i].size()};
        *found = true;
        return KQ_OK;
    } catch (const std::bad_alloc &) {
        return kq_nomem(err);
    } catch (...) {
        return kq_fail(err, KQ_ERR_INTERNAL, "RE2 failed to search");
    }
}
