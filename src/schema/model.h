/*
 * The model: tables, shapes and maps read from schema text. The text is data: builtin/ holds what we ship.
 *
 *   [table NAME]              doc TEXT             same A B   (two columns that are one instant)    Column: type
 *   [shape NAME]              reader evtx|json|csv            data PREFIX       System name: field
 *                             type: Column Column
 *   [map TABLE from NAME]     when Name: value, value         Column = expression
 *
 * In a table `type: A B C`, a line that begins with a type's name, gives several columns of it.
 * An expression is alternatives separated by '|', the first that has a value wins. An alternative is "text", $Name (a
 * system name of the shape), Field (the shape's data prefix is put before it), or transform(alternative[, argument]),
 * see transforms.def. A map applies to every shape that defines what its `when` lines and at least one column need.
 * Lines starting with '#' are comments. Errors name line and column.
 *
 * A model lives in its arena and is immutable once loaded.
 */
#ifndef KQ_SCHEMA_MODEL_H
#define KQ_SCHEMA_MODEL_H

#include "schema/catalog.h"

typedef struct kq_transform {
    const char *name;
    /* Gives the transformed text in *out (a view of `in`, or of bytes in `arena`); false: no value. */
    bool (*fn)(kq_sv in, kq_sv argument, kq_arena *arena, kq_sv *out);
    bool view; /* never needs the arena: may judge a field before its row is built */
    const char *doc;
} kq_transform;

#define KQ_TRANSFORMS_MAX 4

typedef struct kq_map_source {
    bool literal;
    bool system;                                       /* $Name */
    kq_sv text;                                        /* the literal, or the name */
    const kq_transform *transforms[KQ_TRANSFORMS_MAX]; /* innermost first */
    kq_sv arguments[KQ_TRANSFORMS_MAX];
    uint32_t ntransforms;
} kq_map_source;

typedef struct kq_map_column {
    uint32_t column; /* of the table */
    kq_map_source *sources;
    uint32_t nsources;
} kq_map_column;

typedef struct kq_map_when {
    kq_sv name; /* system name */
    kq_sv *values;
    uint32_t nvalues;
} kq_map_when;

typedef struct kq_map {
    const kq_table *table;
    kq_sv name;
    kq_map_when *when;
    uint32_t nwhen;
    kq_map_column *columns;
    uint32_t ncolumns;
    struct kq_map *next;
} kq_map;

typedef struct kq_shape {
    kq_sv name;
    kq_sv reader;
    kq_sv data;
    kq_sv *names, *fields; /* system names and where they are */
    uint32_t n;
    struct kq_shape *next;
} kq_shape;

typedef struct kq_model_table {
    kq_table table;    /* first: each table of a catalog is one of these */
    uint32_t twins[2]; /* columns that are one instant; UINT32_MAX when none */
    struct kq_model_table *next;
} kq_model_table;

typedef struct kq_model {
    kq_model_table *tables;
    kq_shape *shapes;
    kq_map *maps;
} kq_model;

/* Adds what `text` defines to the model; `name` stands in errors. Errors: RULE with line and column, NOMEM. */
kq_status kq_model_load(kq_model *model, kq_sv text, const char *name, kq_arena *arena, kq_error *err);

/* Loads all of builtin/ (builtin.c). */
kq_status kq_model_builtin(kq_model *model, kq_arena *arena, kq_error *err);

const kq_model_table *kq_model_find(const kq_model *model, kq_sv name);
static inline const kq_model_table *kq_model_table_of(const kq_table *table) {
    return (const kq_model_table *)(const void *)table;
}
/* The field behind a system name in this shape; false when the shape has none. */
bool kq_shape_field(const kq_shape *shape, kq_sv name, kq_sv *field);

const kq_transform *kq_transform_find(kq_sv name);
/* Applies all transforms of `source` to `in`; false: no value. */
bool kq_map_apply(const kq_map_source *source, kq_sv in, kq_arena *arena, kq_sv *out);

#endif
