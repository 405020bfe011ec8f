/*
 * Text made fit for a terminal: what would move the cursor, start an escape sequence or turn the direction of the text
 * is shown as a character, and everything has a known width. Log lines are written by attackers too.
 */
#ifndef KQ_SINK_VISIBLE_H
#define KQ_SINK_VISIBLE_H

#include "base/buf.h"

/* Appends `text` in visible form and returns its width in terminal columns. */
size_t kq_visible(kq_sv text, kq_buf *out);

/* The longest prefix of visible text that fits into `width` columns: its bytes; *used its columns. */
size_t kq_visible_cut(kq_sv visible, size_t width, size_t *used);

#endif
