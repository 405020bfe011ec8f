#include "source/stream.h"
#include "base/file.h"
#include "source/evtx/utf16.h"
#include "source/libarchive.h"
#include "source/tape.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define HEAD_BYTES  (64 * 1024)
#define AHEAD_BYTES (1024 * 1024) /* smaller files are there before advice helps */
#define BARE_BYTES  16            /* that must look like UTF-16 */
#define START_BYTES (8 * 1024)
#define STORE_BYTES (128 * 1024) /* compressed bytes read at a time */

#define UNITS_BYTES (32 * 1024) /* of UTF-16, turned into UTF-8 at a time */

#define FILTER_BYTES (1024 * 1024) /* what libarchive's filters are taken to hold */

typedef enum codec { PLAIN, GZIP, ZSTD, FILTERED } codec; /* FILTERED: xz and bzip2, by libarchive */

struct kq_stream {
    char *path;
    int fd;            /* a regular file, else -1 */
    kq_tape *tape;     /* anything else */
    kq_member *member; /* of an archive */
    char peek[6];      /* its first bytes, looked at already */
    size_t peek_at, peek_n;
    uint64_t base; /* where the file starts (standard input may be a file that was read from before) */
    uint64_t size;
    codec codec;
    kq_budget *budget;

    uint64_t at; /* stored bytes taken so far */
    char *store; /* compressed: the bytes being decompressed */
    size_t store_at, store_n;
    bool store_end;

    bool in_member; /* between the header and the trailer of a gzip member or a zstd frame */
    z_stream z;
    bool z_open;
    const kq_libarchive *la;
    struct archive *filter;
    kq_status filter_failed; /* the stored bytes did, for this reason */
    kq_error filter_why;
    ZSTD_DStream *zstd;
    size_t zstd_charged;

    char *head; /* the first bytes, decompressed, not yet consumed from head_at on */
    size_t head_at, head_n, head_room, head_asked;
    bool ended;
    char *units; /* UTF-16 that is to be turned into UTF-8: what makes no whole character yet stays in front; or NULL */
    size_t units_n;
    char *text;
    size_t text_at, text_n;
    bool big_end;
    kq_status member_failed; /* given when what came before it is used up */
    kq_error member_why;
    kq_status failed; /* given when the head is used up */
    kq_error why;
};

static voidpf z_alloc(KQ_UNUSED voidpf opaque, uInt items, uInt size) {
    return kq_calloc(items, size);
}

static void z_free(KQ_UNUSED voidpf opaque, voidpf p) {
    kq_free(p);
}

/* Reads stored bytes in order. */
static kq_status stored(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    if (s->member_failed) {
        if (err) *err = s->member_why;
        return s->member_failed;
    }
    while (*got < n) {
        size_t part = 0;
        if (s->peek_at < s->peek_n) {
            part = s->peek_n - s->peek_at < n - *got ? s->peek_n - s->peek_at : n - *got;
            memcpy(to + *got, s->peek + s->peek_at, part);
            s->peek_at += part;
        } else if (s->member) {
            kq_status status = kq_member_read(s->member, to + *got, n - *got, &part, err);
            if (status) { /* what came before it first */
                s->member_failed = status;
                if (err) s->member_why = *err;
                *got += part;
                return *got ? KQ_OK : status;
            }
        } else if (s->tape) {
            KQ_TRY(kq_tape_read(s->tape, s->at, to + *got, n - *got, &part, err));
        } else {
            ssize_t r = kq_pread(s->fd, to + *got, n - *got, s->base + s->at);
            if (r < 0) return kq_fail(err, KQ_ERR_IO, "%s: %s", s->path, strerror(errno));
            part = (size_t)r;
        }
        if (!part) return KQ_OK;
        *got += part;
        __atomic_store_n(&s->at, s->at + part, __ATOMIC_RELAXED);
        if (s->tape && s->codec != PLAIN) return KQ_OK; /* do not wait for more of a pipe than is needed */
    }
    return KQ_OK;
}

static codec codec_of(const unsigned char *p, size_t n) {
    if (n >= 3 && p[0] == 0x1F && p[1] == 0x8B && p[2] == 8) return GZIP;
    if (n >= 4 && p[0] == 0x28 && p[1] == 0xB5 && p[2] == 0x2F && p[3] == 0xFD) return ZSTD;
    if (n >= 4 && (p[0] & 0xF0) == 0x50 && p[1] == 0x2A && p[2] == 0x4D && p[3] == 0x18) return ZSTD;
    if (n >= 6 && memcmp(p, "\xFD\x37\x7A\x58\x5A\x00", 6) == 0) return FILTERED;
    if (n >= 5 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' && (p[4] == 0x31 || p[4] == 0x17))
        return FILTERED;
    return PLAIN;
}

static la_ssize_t filter_bytes(struct archive *a, void *ctx, const void **out) {
    kq_stream *s = ctx;
    size_t got = 0;
    *out = s->store;
    s->filter_failed = stored(s, s->store, STORE_BYTES, &got, &s->filter_why);
    if (!s->filter_failed) return (la_ssize_t)got;
    s->la->archive_set_error(a, EIO, "%s", s->filter_why.message);
    return -1;
}

static kq_status filter_failure(const kq_stream *s, kq_error *err) {
    const char *why = s->la->archive_error_string(s->filter);
    if (s->filter_failed) {
        if (err) *err = s->filter_why;
        return s->filter_failed;
    }
    if (s->la->archive_errno(s->filter) == ENOMEM) return kq_nomem(err);
    return kq_fail(err, KQ_ERR_DAMAGED, "%s: the compressed data is damaged near byte %llu: %s", s->path,
                   (unsigned long long)s->at, why && *why ? why : "it can't be read on");
}

/* With the first bytes that are asked for: an empty file has no entry. */
static kq_status filter_open(kq_stream *s, kq_error *err) {
    struct archive_entry *entry;
    if (!kq_budget_charge(s->budget, FILTER_BYTES)) return kq_budget_status(s->budget, err);
    kq_status status = kq_libarchive_load(s->path, &s->la, err);
    if (!status && !(s->filter = s->la->archive_read_new())) status = kq_nomem(err);
    if (status) {
        kq_budget_release(s->budget, FILTER_BYTES);
        return status;
    }
    s->la->archive_read_support_filter_bzip2(s->filter);
    s->la->archive_read_support_filter_xz(s->filter);
    s->la->archive_read_support_format_raw(s->filter);
    s->la->archive_read_support_format_empty(s->filter);
    if (s->la->archive_read_open(s->filter, s, NULL, filter_bytes, NULL) != ARCHIVE_OK) return filter_failure(s, err);
    int header = s->la->archive_read_next_header(s->filter, &entry);
    if (header == ARCHIVE_EOF) s->ended = true;
    return header == ARCHIVE_OK || header == ARCHIVE_EOF ? KQ_OK : filter_failure(s, err);
}

static kq_status filter_some(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    if (!s->filter) KQ_TRY(filter_open(s, err));
    if (s->ended) return KQ_OK;
    la_ssize_t made = s->la->archive_read_data(s->filter, to, n);
    if (made < 0) return filter_failure(s, err);
    *got = (size_t)made;
    s->ended = made == 0;
    return KQ_OK;
}

static kq_status codec_open(kq_stream *s, kq_error *err) {
    unsigned char magic[6];
    size_t n = 0;
    while (n < sizeof magic) {
        size_t got;
        KQ_TRY(stored(s, (char *)magic + n, sizeof magic - n, &got, err));
        if (!got) break;
        n += got;
    }
    s->at = 0; /* both the file and the tape give these bytes again */
    if (s->member) {
        memcpy(s->peek, magic, n);
        s->peek_n = n;
    }
    s->codec = codec_of(magic, n);
    if (s->codec == PLAIN) return KQ_OK;
    if (!kq_budget_charge(s->budget, STORE_BYTES)) return kq_budget_status(s->budget, err);
    if (!(s->store = kq_malloc(STORE_BYTES))) {
        kq_budget_release(s->budget, STORE_BYTES);
        return kq_nomem(err);
    }
    if (s->codec == GZIP) {
        s->z.zalloc = z_alloc;
        s->z.zfree = z_free;
        if (inflateInit2(&s->z, 15 + 16) != Z_OK) return kq_nomem(err);
        s->z_open = true;
    } else if (s->codec == ZSTD) {
        s->zstd = ZSTD_createDStream();
        if (!s->zstd || ZSTD_isError(ZSTD_initDStream(s->zstd))) return kq_nomem(err);
    }
    return KQ_OK;
}

/* A regular file is read at offsets, anything else through its tape. */
static kq_status file_open(kq_stream *s, const char *path, kq_error *err) {
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    if ((standard ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0)
        return kq_fail(err, KQ_ERR_IO, "%s: %s", s->path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return kq_fail(err, KQ_ERR_IO, "%s: is a folder", s->path);
    if (!S_ISREG(st.st_mode)) return kq_tape_open(path, &s->tape, err);
    if (standard) {
        off_t base = lseek(STDIN_FILENO, 0, SEEK_CUR);
        if (base > 0) s->base = (uint64_t)base;
    }
    s->fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) return kq_fail(err, KQ_ERR_IO, "%s: %s", s->path, strerror(errno));
    if ((uint64_t)st.st_size > s->base) s->size = (uint64_t)st.st_size - s->base;
    if (s->size > AHEAD_BYTES) posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return KQ_OK;
}

kq_status kq_stream_open(const char *path, kq_budget *budget, kq_stream **out, kq_error *err) {
    *out = NULL;
    kq_stream *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->budget = budget;
    s->fd = -1;
    kq_status status = KQ_OK;
    if (!(s->path = kq_strdup(strcmp(path, "-") == 0 ? "standard input" : path))) status = kq_nomem(err);
    if (!status) status = file_open(s, path, err);
    if (!status) status = codec_open(s, err);
    if (status) {
        kq_stream_close(s);
        return status;
    }
    *out = s;
    return KQ_OK;
}

kq_status kq_stream_open_member(kq_archive *archive, uint32_t member, const char *path, uint64_t size,
                                kq_budget *budget, kq_stream **out, kq_error *err) {
    *out = NULL;
    kq_stream *s = kq_calloc(1, sizeof *s);
    if (!s) return kq_nomem(err);
    s->budget = budget;
    s->fd = -1;
    s->size = size;
    kq_status status = KQ_OK;
    if (!(s->path = kq_strdup(path))) status = kq_nomem(err);
    if (!status) status = kq_member_open(archive, member, &s->member, err);
    if (!status) status = codec_open(s, err);
    if (status) {
        kq_stream_close(s);
        return status;
    }
    *out = s;
    return KQ_OK;
}

void kq_stream_close(kq_stream *s) {
    if (!s) return;
    kq_member_close(s->member);
    if (s->fd >= 0) close(s->fd);
    if (s->z_open) inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    if (s->filter) s->la->archive_read_free(s->filter);
    if (s->filter) kq_budget_release(s->budget, FILTER_BYTES);
    kq_budget_release(s->budget, s->zstd_charged);
    if (s->store) kq_budget_release(s->budget, STORE_BYTES);
    kq_free(s->store);
    if (s->units) kq_budget_release(s->budget, UNITS_BYTES + KQ_UTF16_ROOM(UNITS_BYTES / 2));
    kq_free(s->units);
    kq_budget_release(s->budget, s->head_room);
    kq_free(s->head);
    kq_free(s->path);
    kq_free(s);
}

bool kq_stream_seekable(const kq_stream *s) {
    return !s->tape && !s->member && s->codec == PLAIN && !s->units;
}

uint64_t kq_stream_size(const kq_stream *s) {
    return s->size;
}

uint64_t kq_stream_consumed(const kq_stream *s) {
    return __atomic_load_n(&s->at, __ATOMIC_RELAXED);
}

/* More compressed bytes when there are none; *more false at the end of the file. */
static kq_status refill(kq_stream *s, bool *more, kq_error *err) {
    if (s->store_at == s->store_n && !s->store_end) {
        s->store_at = 0;
        s->store_n = 0;
        KQ_TRY(stored(s, s->store, STORE_BYTES, &s->store_n, err));
        s->store_end = s->store_n == 0;
    }
    *more = s->store_at < s->store_n;
    return KQ_OK;
}

static kq_status inflate_some(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    while (!*got) {
        bool more;
        KQ_TRY(refill(s, &more, err));
        if (!more) {
            if (s->in_member) return kq_fail(err, KQ_ERR_DAMAGED, "%s: the gzip file is cut off", s->path);
            s->ended = true;
            return KQ_OK;
        }
        if (!s->in_member) {
            if (s->store[s->store_at] == 0 && s->z.total_in) { /* padding after a member, as tapes leave it */
                s->store_at++;
                continue;
            }
            if (s->z.total_in && inflateReset(&s->z) != Z_OK)
                return kq_fail(err, KQ_ERR_DAMAGED, "%s: not gzip", s->path);
            s->in_member = true;
        }
        s->z.next_in = (Bytef *)(s->store + s->store_at);
        s->z.avail_in = (uInt)(s->store_n - s->store_at);
        s->z.next_out = (Bytef *)to;
        s->z.avail_out = n > 1u << 30 ? 1u << 30 : (uInt)n;
        uInt room = s->z.avail_out;
        int z = inflate(&s->z, Z_NO_FLUSH);
        s->store_at = s->store_n - s->z.avail_in;
        *got = room - s->z.avail_out;
        if (z == Z_STREAM_END) {
            s->in_member = false;
        } else if (z == Z_MEM_ERROR) {
            return kq_nomem(err);
        } else if (z != Z_OK && !(z == Z_BUF_ERROR && !s->z.avail_in)) {
            return kq_fail(err, KQ_ERR_DAMAGED, "%s: the gzip data is damaged near byte %llu", s->path,
                           (unsigned long long)(s->at - (s->store_n - s->store_at)));
        }
    }
    return KQ_OK;
}

static kq_status zstd_some(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    while (!*got) {
        bool more;
        KQ_TRY(refill(s, &more, err));
        if (!more && !s->in_member) {
            s->ended = true;
            return KQ_OK;
        }
        ZSTD_inBuffer in = {s->store + s->store_at, s->store_n - s->store_at, 0};
        ZSTD_outBuffer out = {to, n, 0};
        size_t hint = ZSTD_decompressStream(s->zstd, &out, &in);
        s->store_at += in.pos;
        *got = out.pos;
        if (ZSTD_isError(hint))
            return kq_fail(err, KQ_ERR_DAMAGED, "%s: the zstd data is damaged near byte %llu: %s", s->path,
                           (unsigned long long)(s->at - (s->store_n - s->store_at)), ZSTD_getErrorName(hint));
        s->in_member = hint != 0;
        /* Its window was sized by the frame's header: the budget has to know. */
        size_t held = ZSTD_sizeof_DStream(s->zstd);
        if (held > s->zstd_charged) {
            if (!kq_budget_charge(s->budget, held - s->zstd_charged)) return kq_budget_status(s->budget, err);
            s->zstd_charged = held;
        }
        if (!more && !*got) return kq_fail(err, KQ_ERR_DAMAGED, "%s: the zstd file is cut off", s->path);
    }
    return KQ_OK;
}

/* Reads in order past the head. A failure is kept for when what came before it has been given. */
static kq_status produce_bytes(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    while (*got < n && !s->ended && !s->failed) {
        size_t part = 0;
        kq_status status;
        if (s->codec == PLAIN) {
            status = stored(s, to + *got, n - *got, &part, &s->why);
            s->ended = !status && part < n - *got && !s->member_failed;
        } else if (s->codec == GZIP) {
            status = inflate_some(s, to + *got, n - *got, &part, &s->why);
        } else if (s->codec == FILTERED) {
            status = filter_some(s, to + *got, n - *got, &part, &s->why);
        } else {
            status = zstd_some(s, to + *got, n - *got, &part, &s->why);
        }
        *got += part;
        s->failed = status;
    }
    if (s->failed && !*got) {
        if (err) *err = s->why;
        return s->failed;
    }
    return KQ_OK;
}

static void swap(char *p, size_t units) {
    for (size_t i = 0; i < units; i++) {
        char c = p[2 * i];
        p[2 * i] = p[2 * i + 1];
        p[2 * i + 1] = c;
    }
}

/* Decodes p[0..n); gives the length of the text. What makes no whole character yet, up to three bytes, stays in front
 * of s->units. */
static size_t decode(kq_stream *s, char *p, size_t n, bool end, char *to) {
    size_t units = n / 2;
    if (s->big_end) swap(p, units);
    if (!end && units && ((unsigned char)p[2 * units - 1] & 0xFC) == 0xD8) { /* half a pair */
        units--;
        if (s->big_end) swap(p + 2 * units, 1);
    }
    size_t made = kq_utf16_utf8((const uint8_t *)p, units, to);
    s->units_n = n - 2 * units;
    memmove(s->units, p + 2 * units, s->units_n);
    return made;
}

static kq_status produce(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    if (!s->units) return produce_bytes(s, to, n, got, err);
    *got = 0;
    for (bool end = false; *got < n && !end;) {
        size_t part = s->text_n - s->text_at < n - *got ? s->text_n - s->text_at : n - *got;
        memcpy(to + *got, s->text + s->text_at, part);
        s->text_at += part;
        *got += part;
        if (*got == n) break;
        kq_status status = produce_bytes(s, s->units + s->units_n, UNITS_BYTES - s->units_n, &part, err);
        if (status) return *got ? KQ_OK : status; /* it comes again with the next call */
        end = part == 0;
        s->text_at = 0;
        s->text_n = decode(s, s->units, s->units_n + part, end, s->text);
        if (end && s->units_n) {
            s->units_n = 0;
            s->failed = kq_fail(&s->why, KQ_ERR_DAMAGED, "%s: the UTF-16 ends within a character", s->path);
        }
        end = end && !s->text_n;
    }
    if (s->failed && !*got) {
        if (err) *err = s->why;
        return s->failed;
    }
    return KQ_OK;
}

static bool marked(kq_sv head) {
    const unsigned char *u = (const unsigned char *)head.p;
    return head.n >= 2 && ((u[0] == 0xFF && u[1] == 0xFE) || (u[0] == 0xFE && u[1] == 0xFF));
}

/* Is every second byte of the first ones zero, from `zero` on, and no other one? */
static bool alternates(kq_sv head, size_t zero) {
    for (size_t i = 0; i < BARE_BYTES; i++)
        if ((i % 2 == zero) != (head.p[i] == 0)) return false;
    return true;
}

bool kq_utf16_is(kq_sv head) {
    return marked(head) || (head.n >= BARE_BYTES && (alternates(head, 0) || alternates(head, 1)));
}

kq_status kq_stream_as_utf8(kq_stream *s, kq_error *err) {
    kq_sv raw = {0};
    KQ_TRY(kq_stream_head(s, &raw, err));
    if (s->units || !kq_utf16_is(raw)) return KQ_OK;
    size_t room = KQ_UTF16_ROOM(raw.n / 2), held = UNITS_BYTES + KQ_UTF16_ROOM(UNITS_BYTES / 2);
    if (!kq_budget_charge(s->budget, room + held)) return kq_budget_status(s->budget, err);
    char *text = kq_malloc(room);
    s->units = kq_malloc(held);
    if (!text || !s->units) {
        kq_budget_release(s->budget, room + held);
        kq_free(text);
        kq_free(s->units);
        s->units = NULL;
        return kq_nomem(err);
    }
    s->text = s->units + UNITS_BYTES;
    size_t mark = marked(raw) ? 2 : 0;
    s->big_end = mark ? (unsigned char)raw.p[0] == 0xFE : !raw.p[0];
    size_t n = decode(s, s->head + mark, raw.n - mark, false, text);
    kq_budget_release(s->budget, s->head_room);
    kq_free(s->head);
    s->head = text;
    s->head_n = n;
    s->head_room = room;
    s->head_asked = SIZE_MAX;
    return KQ_OK;
}

/* The head, of up to `want` bytes; more than before when nothing has been consumed yet. */
static kq_status head_of(kq_stream *s, size_t want, kq_sv *head, kq_error *err) {
    if (s->head_asked < want && s->head_room < want && !s->head_at) {
        if (!kq_budget_charge(s->budget, want - s->head_room)) return kq_budget_status(s->budget, err);
        char *p = kq_realloc(s->head, want);
        if (!p) {
            kq_budget_release(s->budget, want - s->head_room);
            return kq_nomem(err);
        }
        s->head = p;
        s->head_room = want;
    }
    if (s->head_asked < want && !s->head_at) {
        size_t got = 0;
        char *p = s->head + s->head_n;
        if (kq_stream_seekable(s)) {
            KQ_TRY(kq_stream_at(s, s->at, p, want - s->head_n, &got, err));
            s->at += got;
        } else {
            KQ_TRY(produce(s, p, want - s->head_n, &got, err));
        }
        s->head_n += got;
        s->head_asked = want;
    }
    *head = (kq_sv){s->head, s->head_n};
    return KQ_OK;
}

kq_status kq_stream_head(kq_stream *s, kq_sv *head, kq_error *err) {
    return head_of(s, HEAD_BYTES, head, err);
}

kq_status kq_stream_start(kq_stream *s, kq_sv *head, kq_error *err) {
    return head_of(s, kq_stream_seekable(s) ? START_BYTES : HEAD_BYTES, head, err);
}

kq_status kq_stream_read(kq_stream *s, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    if (s->head_at < s->head_n) {
        size_t part = s->head_n - s->head_at < n ? s->head_n - s->head_at : n;
        memcpy(to, s->head + s->head_at, part);
        s->head_at += part;
        *got = part;
    }
    if (*got == n) return KQ_OK;
    size_t rest = 0;
    kq_status status = produce(s, to + *got, n - *got, &rest, err);
    if (*got) status = KQ_OK; /* the failure comes with the next call */
    *got += rest;
    return status;
}

kq_status kq_stream_at(kq_stream *s, uint64_t offset, char *to, size_t n, size_t *got, kq_error *err) {
    *got = 0;
    while (*got < n) {
        ssize_t r = kq_pread(s->fd, to + *got, n - *got, s->base + offset + *got);
        if (r < 0) return kq_fail(err, KQ_ERR_IO, "%s: %s", s->path, strerror(errno));
        if (r == 0) break;
        *got += (size_t)r;
    }
    return KQ_OK;
}
