/*
 * What the parts of the catalog share: its inputs and how each is to be taken. Private to src/schema.
 */
#ifndef KQ_SCHEMA_CATALOG_INTERNAL_H
#define KQ_SCHEMA_CATALOG_INTERNAL_H

#include "schema/model.h"
#include <pthread.h>

/* Tables of the catalogue that queries asked for. */
typedef struct kq_late {
    pthread_mutex_t lock; /* all below */
    kq_arena arena;
    kq_model model;
} kq_late;

struct kq_catalog {
    kq_arena arena;
    kq_budget *budget;
    kq_model model;
    kq_input *inputs;
    bool *envelope; /* beside inputs: records are Defender's streaming envelope */
    size_t ninputs, cap;
    const kq_table **tables; /* made anew when a table is added */
    size_t ntables;
    kq_late *late;
};

/* How the records of `input` are taken for `table`: false when none of them can belong to it. */
bool kq_catalog_access(const kq_catalog *catalog, size_t input, const kq_table *table, bool *native);

/* Makes a table `name` from the first records of an opened source: its fields, and types that fit their values.
 * Errors: NOMEM, DAMAGED when there is no record to learn from. */
kq_status kq_table_infer(kq_source *source, kq_sv name, kq_arena *arena, kq_budget *budget, kq_model_table **out,
                         kq_error *err);

#endif
