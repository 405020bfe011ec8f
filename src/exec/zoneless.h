/*
 * Queries that would be refused over the inputs: they ask for times that are local, of a zone that nobody named.
 */
#ifndef KQ_EXEC_ZONELESS_H
#define KQ_EXEC_ZONELESS_H

#include "exec/runner.h"

#define KQ_ZONELESS_TABLES 64

/* What is known of tables: asked once for many queries. Zeroed at first. */
typedef struct kq_zoneless {
    const kq_table *tables[KQ_ZONELESS_TABLES];
    bool local[KQ_ZONELESS_TABLES];
    uint32_t n;
} kq_zoneless;

/* Reads the tables of a plan: *refused, and why as running it would say, when a local time stands in what it asks for.
 * A stream, which can be read once only, is left alone, and event logs, whose times are UTC, cost nothing. Errors:
 * those of scans. */
kq_status kq_zoneless_ask(kq_zoneless *known, kq_runner *runner, const kq_plan *plan, bool *refused, kq_error *why,
                          kq_error *err);

#endif
