#include "source/archive.h"
#include "base/utf8.h"
#include "source/libarchive.h"
#include "source/stream.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES    (64 * 1024)
#define CHARGED_BYTES (1024 * 1024) /* what an open archive is taken to hold */
#define PARKED_MAX    4
#define NAME_MAX_     1024
#define FRESH_MAX     64 /* damaged members after which the archive is given up: each one costs another pass */

/* An archive that is being read: the header number `at` was the last one read. */
typedef struct handle {
    const kq_libarchive *la;
    struct archive *a;
    struct archive_entry *entry;
    kq_stream *stream; /* .gz and .zst are unpacked by it: of a file that is cut off, what comes before is read */
    uint64_t offset;   /* in a plain file */
    kq_status failed;  /* the stream did, ... */
    kq_error why;      /* ... for this reason */
    char *buffer;
    int64_t at;
    bool untouched; /* nothing of the member's data was read */
    uint64_t given; /* bytes of all members */
    struct handle *next;
} handle;

struct kq_archive {
    char *path;
    kq_budget *budget;
    pthread_mutex_t lock;
    handle *parked;      /* below: under the lock */
    uint64_t free_bytes; /* may come out of it, however small it is */
    uint32_t members;    /* the most that are read */
    uint32_t nparked;
    uint32_t ndead;       /* handles that ended in damage */
    int64_t last;         /* number of the last header; -1 while it is not known */
    uint64_t place;       /* of the last failure */
    char name[NAME_MAX_]; /* kq_archive_next's */
};

struct kq_member {
    kq_archive *archive;
    handle *h; /* NULL after its end */
    bool warned;
    char why[128]; /* its sizes or its checksum are not what the archive says: told once all its bytes are given */
};

static bool has(kq_sv head, size_t at, const char *magic, size_t n) {
    return head.n >= at + n && memcmp(head.p + at, magic, n) == 0;
}

bool kq_archive_is(kq_sv head, const char *path) {
    if (has(head, 257, "ustar", 5) || has(head, 0, "PK\3\4", 4) || has(head, 0, "PK\5\6", 4)) return true;
    if (has(head, 0, "7z\xBC\xAF\x27\x1C", 6)) return true;
    /* What is inside these two can't be seen without unpacking them: their names tell. */
    if (has(head, 0, "BZh", 3)) return strstr(path, ".tar.") || strstr(path, ".tbz");
    if (has(head, 0,
            "\xFD"
            "7zXZ",
            5))
        return strstr(path, ".tar.") || strstr(path, ".txz");
    return false;
}

kq_status kq_archive_open(const char *path, kq_budget *budget, kq_archive **out, kq_error *err) {
    kq_archive *a = kq_calloc(1, sizeof *a);
    if (!a) return kq_nomem(err);
    if (!(a->path = kq_strdup(path))) {
        kq_free(a);
        return kq_nomem(err);
    }
    a->budget = budget;
    a->free_bytes = KQ_ARCHIVE_FREE;
    a->members = KQ_ARCHIVE_MEMBERS;
    a->last = -1;
    pthread_mutex_init(&a->lock, NULL);
    *out = a;
    return KQ_OK;
}

void kq_archive_limit(kq_archive *a, uint64_t free_bytes, uint32_t members) {
    a->free_bytes = free_bytes;
    a->members = members;
}

static void close_handle(kq_archive *a, handle *h) {
    if (!h) return;
    if (h->a) h->la->archive_read_free(h->a);
    kq_stream_close(h->stream);
    kq_free(h->buffer);
    kq_free(h);
    kq_budget_release(a->budget, CHARGED_BYTES);
}

uint64_t kq_archive_place(kq_archive *a) {
    pthread_mutex_lock(&a->lock);
    uint64_t place = a->place;
    pthread_mutex_unlock(&a->lock);
    return place;
}

void kq_archive_close(kq_archive *a) {
    if (!a) return;
    while (a->parked) {
        handle *h = a->parked;
        a->parked = h->next;
        close_handle(a, h);
    }
    pthread_mutex_destroy(&a->lock);
    kq_free(a->path);
    kq_free(a);
}

/* ---- bytes for libarchive */

static la_ssize_t read_bytes(struct archive *a, void *ctx, const void **out) {
    handle *h = ctx;
    size_t got = 0;
    *out = h->buffer;
    h->failed = kq_stream_seekable(h->stream) ? kq_stream_at(h->stream, h->offset, h->buffer, READ_BYTES, &got, &h->why)
                                              : kq_stream_read(h->stream, h->buffer, READ_BYTES, &got, &h->why);
    if (h->failed) {
        h->la->archive_set_error(a, EIO, "%s", h->why.message);
        return -1;
    }
    h->offset += got;
    return (la_ssize_t)got;
}

static la_int64_t skip_bytes(KQ_UNUSED struct archive *a, void *ctx, la_int64_t n) {
    handle *h = ctx;
    uint64_t size = kq_stream_size(h->stream), left = size > h->offset ? size - h->offset : 0;
    if (!kq_stream_seekable(h->stream) || n <= 0) return 0;
    if ((uint64_t)n > left) n = (la_int64_t)left;
    h->offset += (uint64_t)n;
    return n;
}

static la_int64_t seek_bytes(KQ_UNUSED struct archive *a, void *ctx, la_int64_t to, int whence) {
    handle *h = ctx;
    int64_t at, from = whence == SEEK_SET   ? 0
                       : whence == SEEK_CUR ? (int64_t)h->offset
                                            : (int64_t)kq_stream_size(h->stream);
    if (__builtin_add_overflow(from, to, &at) || at < 0) return ARCHIVE_FATAL;
    h->offset = (uint64_t)at;
    return at;
}

/* What the stream or libarchive says of a failure. */
static kq_status failure(const kq_archive *a, const handle *h, kq_error *err) {
    const char *why = h->la->archive_error_string(h->a);
    if (h->failed) {
        if (err) *err = h->why;
        return h->failed;
    }
    if (h->la->archive_errno(h->a) == ENOMEM) return kq_nomem(err);
    return kq_fail(err, KQ_ERR_DAMAGED, "%s: the archive can't be read on: %s", a->path,
                   why && *why ? why : "its parts don't fit together");
}

static kq_status open_handle(kq_archive *a, handle **out, kq_error *err) {
    if (!kq_budget_charge(a->budget, CHARGED_BYTES)) return kq_budget_status(a->budget, err);
    handle *h = kq_calloc(1, sizeof *h);
    if (!h) {
        kq_budget_release(a->budget, CHARGED_BYTES);
        return kq_nomem(err);
    }
    h->at = -1;
    h->buffer = kq_malloc(READ_BYTES);
    kq_status status = kq_libarchive_load(a->path, &h->la, err);
    if (!status && (!h->buffer || !(h->a = h->la->archive_read_new()))) status = kq_nomem(err);
    if (!status) status = kq_stream_open(a->path, a->budget, &h->stream, err);
    if (!status) {
        h->la->archive_read_support_filter_bzip2(h->a);
        h->la->archive_read_support_filter_xz(h->a);
        h->la->archive_read_support_format_tar(h->a);
        h->la->archive_read_support_format_zip(h->a);
        h->la->archive_read_support_format_7zip(h->a);
        if (kq_stream_seekable(h->stream)) h->la->archive_read_set_seek_callback(h->a, seek_bytes);
        if (h->la->archive_read_open2(h->a, h, NULL, read_bytes, skip_bytes, NULL) != ARCHIVE_OK)
            status = failure(a, h, err);
    }
    if (status) {
        close_handle(a, h);
        return status;
    }
    *out = h;
    return KQ_OK;
}

/* ---- handles */

/* The parked handle that is nearest before the member, or a new one. */
static kq_status take(kq_archive *a, uint32_t number, handle **out, kq_error *err) {
    handle **best = NULL;
    pthread_mutex_lock(&a->lock);
    for (handle **h = &a->parked; *h; h = &(*h)->next) {
        bool fits = (*h)->at < number || ((*h)->at == number && (*h)->untouched);
        if (fits && (!best || (*h)->at > (*best)->at)) best = h;
    }
    *out = best ? *best : NULL;
    if (best) {
        *best = (*best)->next;
        a->nparked--;
    }
    bool dead = !*out && a->ndead > FRESH_MAX;
    pthread_mutex_unlock(&a->lock);
    if (*out) return KQ_OK;
    if (dead) return kq_fail(err, KQ_ERR_DAMAGED, "%s: too many members are damaged: the rest is skipped", a->path);
    return open_handle(a, out, err);
}

/* Keeps a handle for the next member; one that stands at the end is of no use. */
static void park(kq_archive *a, handle *h) {
    pthread_mutex_lock(&a->lock);
    bool keep = a->nparked < PARKED_MAX && (a->last < 0 || h->at < a->last);
    if (keep) {
        h->next = a->parked;
        a->parked = h;
        a->nparked++;
    }
    pthread_mutex_unlock(&a->lock);
    if (!keep) close_handle(a, h);
}

static void bury(kq_archive *a, handle *h) {
    la_int64_t at = h->la->archive_filter_bytes(h->a, 0);
    pthread_mutex_lock(&a->lock);
    a->ndead++;
    a->place = at > 0 ? (uint64_t)at : 0;
    pthread_mutex_unlock(&a->lock);
    close_handle(a, h);
}

/* Is the archive a bomb, by what it has given so far? */
static kq_status expands(const kq_archive *a, const handle *h, kq_error *err) {
    uint64_t size = kq_stream_size(h->stream), stored = size ? size : kq_stream_consumed(h->stream);
    uint64_t out = (uint64_t)h->la->archive_filter_bytes(h->a, 0);
    if (out < h->given) out = h->given;
    if (out <= a->free_bytes || out / KQ_ARCHIVE_EXPANDS <= stored) return KQ_OK;
    return kq_fail(err, KQ_ERR_DAMAGED, "%s: expands to more than %d times its size: the rest is skipped", a->path,
                   KQ_ARCHIVE_EXPANDS);
}

/* Passes over what is left of a member, seeing to it that this ends. A zip mostly knows where the next one is; where it
 * does not, only reading on finds the same place as reading the member does. */
static kq_status pass_over(const kq_archive *a, handle *h, kq_error *err) {
    if (h->at < 0) return KQ_OK;
    bool zip = (h->la->archive_format(h->a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
    if (zip && h->la->archive_entry_size_is_set(h->entry)) return KQ_OK;
    const void *p;
    size_t n;
    la_int64_t offset;
    for (int r; (r = h->la->archive_read_data_block(h->a, &p, &n, &offset)) != ARCHIVE_EOF;) {
        if (r == ARCHIVE_FATAL) return failure(a, h, err);
        if (r < ARCHIVE_WARN) return KQ_OK; /* only this member is bad */
        h->given += n;
        KQ_TRY(expands(a, h, err));
    }
    return KQ_OK;
}

/* Reads headers up to number `to`; *more false when there are not so many. */
static kq_status advance(kq_archive *a, handle *h, uint32_t to, bool *more, kq_error *err) {
    *more = true;
    while (h->at < to) {
        KQ_TRY(pass_over(a, h, err));
        int r = h->la->archive_read_next_header(h->a, &h->entry);
        if (r == ARCHIVE_EOF) {
            *more = false;
            return KQ_OK;
        }
        if (r < ARCHIVE_WARN) return failure(a, h, err);
        h->at++;
        h->untouched = true;
        KQ_TRY(expands(a, h, err));
    }
    return KQ_OK;
}

/* The name as it is shown; false for hidden files, as in folders. */
static bool name_of(const handle *h, uint32_t number, char out[NAME_MAX_]) {
    const char *name = h->la->archive_entry_pathname_utf8(h->entry);
    if (!name) name = h->la->archive_entry_pathname(h->entry);
    if (!name || !*name) {
        snprintf(out, NAME_MAX_, "member %u", number);
        return true;
    }
    while (name[0] == '.' && name[1] == '/') name += 2;
    size_t n = 0;
    for (const char *p = name, *end = name + strlen(name); p < end && n + 8 < NAME_MAX_;) {
        if (*p == '.' && (p == name || p[-1] == '/') && p[1] != '/' && !(p[1] == '.' && p[2] == '/')) return false;
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            out[n++] = '?';
            p++;
            continue;
        }
        uint32_t cp;
        p += kq_utf8_decode(p, end, &cp);
        n += kq_utf8_encode(cp, out + n);
    }
    out[n] = 0;
    return true;
}

kq_status kq_archive_next(kq_archive *a, uint32_t from, kq_member_info *out, bool *more, kq_error *err) {
    handle *h;
    *more = false;
    KQ_TRY(take(a, from, &h, err));
    for (uint32_t number = from;; number++) {
        kq_status status =
            number < a->members
                ? advance(a, h, number, more, err)
                : kq_fail(err, KQ_ERR_DAMAGED, "%s: more than %u members: the rest is skipped", a->path, a->members);
        if (status) {
            *more = false;
            bury(a, h);
            return status;
        }
        if (!*more) {
            a->last = h->at;
            close_handle(a, h);
            return KQ_OK;
        }
        if (h->la->archive_entry_filetype(h->entry) != AE_IFREG || h->la->archive_entry_hardlink(h->entry)) continue;
        if (!name_of(h, number, a->name)) continue;
        int64_t size = h->la->archive_entry_size_is_set(h->entry) ? h->la->archive_entry_size(h->entry) : 0;
        *out = (kq_member_info){number, a->name, size > 0 ? (uint64_t)size : 0};
        park(a, h);
        return KQ_OK;
    }
}

kq_status kq_member_open(kq_archive *a, uint32_t number, kq_member **out, kq_error *err) {
    bool more;
    kq_member *m = kq_calloc(1, sizeof *m);
    if (!m) return kq_nomem(err);
    m->archive = a;
    kq_status status = take(a, number, &m->h, err);
    if (!status && (status = advance(a, m->h, number, &more, err))) {
        bury(a, m->h);
    } else if (!status && !more) {
        close_handle(a, m->h);
        status = kq_fail(err, KQ_ERR_DAMAGED, "%s: the archive has become shorter", a->path);
    }
    if (status) {
        kq_free(m);
        return status;
    }
    m->h->untouched = false;
    *out = m;
    return KQ_OK;
}

kq_status kq_member_read(kq_member *m, char *to, size_t n, size_t *got, kq_error *err) {
    kq_archive *a = m->archive;
    *got = 0;
    if (!m->h || !n) return KQ_OK;
    la_ssize_t r;
    while ((r = m->h->la->archive_read_data(m->h->a, to, n)) == ARCHIVE_RETRY || r == ARCHIVE_WARN) {
        const char *why = m->h->la->archive_error_string(m->h->a);
        if (r != ARCHIVE_WARN || m->warned) continue;
        m->warned = true;
        snprintf(m->why, sizeof m->why, "%s", why && *why ? why : "its parts don't fit together");
    }
    kq_status status = KQ_OK;
    bool alive = r == ARCHIVE_FAILED && !m->h->failed; /* what comes after this member can be read */
    if (alive && m->h->la->archive_entry_is_data_encrypted(m->h->entry)) {
        status = kq_fail(err, KQ_ERR_DAMAGED, "%s: the member is encrypted: it can't be read", a->path);
    } else if (r < 0) {
        status = failure(a, m->h, err);
    } else {
        *got = (size_t)r;
        m->h->given += *got;
        status = expands(a, m->h, err);
        if (!r && !status && m->warned) {
            alive = true;
            status =
                kq_fail(err, KQ_ERR_DAMAGED, "%s: the member is not what the archive says of it: %s", a->path, m->why);
        }
    }
    if (r > 0 && !status) return KQ_OK;
    if (status && !alive)
        bury(a, m->h);
    else
        park(a, m->h);
    m->h = NULL;
    return status;
}

void kq_member_close(kq_member *m) {
    if (!m) return;
    if (m->h) park(m->archive, m->h);
    kq_free(m);
}
