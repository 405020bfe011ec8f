/*
 * The progress bar on stderr.
 */
#ifndef KQ_CLI_PROGRESS_H
#define KQ_CLI_PROGRESS_H

#include <stdint.h>

/* kq_engine_options.progress: draws at most ten times a second, and nothing in the first tenth. */
void cli_progress(void *ctx, uint64_t done, uint64_t total);
/* Takes the bar off the screen, if it is there. */
void cli_progress_clear(void);

#endif
