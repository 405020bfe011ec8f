#include "source/evtx/grid.h"
#include "source/evtx/binxml.h"
#include "source/evtx/crc32.h"

#define LOG_MAGIC    "ElfFile"
#define CHUNK_MAGIC  "ElfChnk"
#define HEADER_BYTES 512u
#define RECORD_MAGIC 0x00002A2Au

/* The sizes that headers give of themselves. */
#define LOG_SIZE   32
#define LOG_BLOCK  40
#define CHUNK_SIZE 40
#define SIZE       128u
#define BLOCK      4096u

kq_grid_place kq_grid_look(const uint8_t *p, size_t n) {
    if (n > KQ_GRID_LOOK) n = KQ_GRID_LOOK;
    if (n >= KQ_GRID_MAGIC && memcmp(p, LOG_MAGIC, KQ_GRID_MAGIC) == 0) return KQ_GRID_LOG;
    if (n >= KQ_GRID_MAGIC && memcmp(p, CHUNK_MAGIC, KQ_GRID_MAGIC) == 0) return KQ_GRID_BEGUN;
    for (size_t i = 0; i < n; i++)
        if (p[i]) return KQ_GRID_OTHER;
    return KQ_GRID_EMPTY;
}

/* Dear: what is cheap to refuse was refused. */
static bool chunk_sound(const uint8_t *p) {
    if (kq_bx_u32(p + HEADER_BYTES) == RECORD_MAGIC) return true;
    return kq_crc32(kq_crc32(0, p, 120), p + SIZE, HEADER_BYTES - SIZE) == kq_bx_u32(p + 124);
}

static bool begins(const uint8_t *p) {
    if (memcmp(p, LOG_MAGIC, KQ_GRID_MAGIC) == 0)
        return kq_bx_u32(p + LOG_SIZE) == SIZE && kq_bx_u16(p + LOG_BLOCK) == BLOCK;
    return memcmp(p, CHUNK_MAGIC, KQ_GRID_MAGIC) == 0 && kq_bx_u32(p + CHUNK_SIZE) == SIZE && chunk_sound(p);
}

size_t kq_grid_find(const uint8_t *p, size_t n, size_t from, size_t to) {
    size_t end = n < KQ_GRID_LOOK ? 0 : n - KQ_GRID_LOOK + 1;
    if (end > to) end = to;
    while (from < end) {
        const uint8_t *e = memchr(p + from, 'E', end - from);
        if (!e) break;
        if (begins(e)) return (size_t)(e - p);
        from = (size_t)(e - p) + 1;
    }
    return to;
}
