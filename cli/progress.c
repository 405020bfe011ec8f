#include "progress.h"
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static bool shown;

void cli_progress_clear(void) {
    if (shown) fputs("\r\033[K", stderr);
    shown = false;
}

void cli_progress(void *ctx, uint64_t done, uint64_t total) {
    static struct timespec last;
    struct timespec now;
    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long ms = (long)(now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000;
    if (!last.tv_sec) {
        last = now;
        return;
    }
    if (ms < 100) return;
    last = now;
    if (!total || done > total) {
        fprintf(stderr, "\r\033[K%.1f MB read", (double)done / 1e6);
    } else {
        int width = 30, filled = (int)((double)width * (double)done / (double)total);
        fprintf(stderr, "\r\033[K[%.*s%.*s] %3d %%  %.1f of %.1f MB", filled, "##############################",
                width - filled, "..............................", (int)(100.0 * (double)done / (double)total),
                (double)done / 1e6, (double)total / 1e6);
    }
    fflush(stderr);
    shown = true;
}
