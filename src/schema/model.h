/*
 * The model: tables, names, shapes and maps read from schema text. The text is data: builtin/ holds what we ship, users
 * bring their own with --map. docs/maps.md describes the format; in short:
 *
 *   [table NAME]              doc TEXT             same A B   (two columns that are one instant)    Column: type
 *                             type: Column Column   (several of one type; dynamic|string: kq_column.text)
 *                             hidden Column: type   hidden type: Column Column   hidden Column: type else Other
 *                               (of builtin/ only, behind all others: for its own functions. Where no map fills it, it
 *                               is empty, or the same as Other: in exports, and in rows of users' own maps)
 *   [names NAME]              code = name
 *   [shape NAME]              reader evtx, json    is FIELD   isnt FIELD   data PREFIX       System: expression
 *                             user PREFIX or PREFIX*  (where UserData.Element.Name is; '*': without the element's name)
 *                             rows TABLE  (the records are rows of this table, which is filled by events too)
 *                             field NAME: expression   field NAME of ID, ID: expression
 *                                                    (what maps get as this field; of these EventIDs. There may be
 *                                                     a line for each of several EventIDs, and one for all others)
 *                             inside FIELD xml|json  (the fields of maps lie in this field; with `data` and `rows`:
 *                                                     those that are no columns of the table)
 *   [group NAME]              lines of maps, taken over by `use NAME`
 *   [map TABLE from NAME]     when $System: value, value     when Field: value     use GROUP
 *                             when $System  (records of shapes that have such a name)
 *                             unless $System: value  (other records)
 *                             Column = expression            Column ~= expression (a guess: derived, not exact)
 *                             only expression: value, value   (the same of what an expression gives)
 *                             never Column, Column  (not even by `same names`)
 *                             same names        (every other column is the field of its name)
 *                             starts guid Field   starts pid Field    (rows are starts of processes, known by these)
 *                             parent guid Field   parent pid Field    (the process that @Column asks)
 *                             parent image Field  (what it runs: a start of another program is not asked by its pid)
 *                             yields              (not a row when another map tells the same start)
 *
 * An expression is alternatives separated by '|', the first that has a value wins; an alternative is parts joined by
 * '&' (no value when one has none). A part is "text", $System (a system name of the shape), Field or 'Field name' (the
 * shape's data prefix is put before it), transform(expression[, argument]) (transforms.def), near(time, time) (the
 * first, or the second when they are more than fifteen hours apart), @Column (that column of the parent's own start) or
 * {key: expression, ...} (an object of those that have a value). In a [shape] names are whole fields of the record. A
 * map applies to every shape that has what its `when` lines need. Lines starting with
 * '#' are comments. Errors name line and column.
 *
 * A model lives in its arena and is immutable once loaded.
 */
#ifndef KQ_SCHEMA_MODEL_H
#define KQ_SCHEMA_MODEL_H

#include "schema/catalog.h"
#include "schema/map_expr.h"

typedef struct kq_map_column {
    uint32_t column;         /* of the table */
    bool guess;              /* written ~= */
    const kq_map_expr *expr; /* NULL: never a value */
} kq_map_column;

typedef struct kq_map_when {
    bool system; /* $name; without values: the shape has it, whatever the record says */
    bool not ;   /* unless */
    kq_sv name;
    kq_sv *values;
    uint32_t nvalues;
} kq_map_when;

/* A condition on the row: what an expression gives is one of the values. */
typedef struct kq_map_only {
    const kq_map_expr *expr;
    kq_sv *values;
    uint32_t nvalues;
} kq_map_only;

/* What a process is known by; NULL: not at all. */
typedef struct kq_map_process {
    const kq_map_expr *guid, *pid, *image; /* image: of a parent only */
} kq_map_process;

typedef struct kq_map {
    const kq_table *table;
    kq_sv name;
    kq_map_when *when;
    uint32_t nwhen;
    kq_map_only *only;
    uint32_t nonly;
    kq_map_column *columns;
    uint32_t ncolumns;
    kq_map_process starts, parent;
    bool same_names, yields;
    struct kq_map *next;
} kq_map;

typedef struct kq_shape_name {
    kq_sv name;
    const kq_map_expr *expr; /* its fields are whole fields of the record */
} kq_shape_name;

/* A field of maps that the shape's records have elsewhere. */
typedef struct kq_shape_field {
    kq_sv name;
    const kq_map_expr *expr; /* as those of kq_shape_name */
    const kq_map_expr *of;   /* NULL: of all events; else KQ_MAP_OF, its parts the EventIDs */
} kq_shape_field;

typedef struct kq_shape {
    kq_sv name;
    kq_sv *readers;
    uint32_t nreaders;
    kq_sv *is; /* fields that records of the shape have */
    uint32_t nis;
    kq_sv *isnt; /* and fields that they don't */
    uint32_t nisnt;
    kq_sv data, user;
    bool has_data, has_user, user_flat;
    kq_sv rows;            /* "" or the table whose rows the records are */
    uint32_t rows_at;      /* of those shapes, from 0 */
    kq_sv inside;          /* "" or a field of the record in which the fields of maps lie */
    kq_map_kind inside_as; /* KQ_MAP_IN_XML, KQ_MAP_IN_JSON */
    kq_shape_name *names;
    uint32_t n;
    kq_shape_field *fields;
    uint32_t nfields;
    struct kq_shape *next;
} kq_shape;

/* The expression of a column's line of a group. */
typedef struct kq_group_line {
    const kq_map_expr *expr; /* NULL: not parsed yet */
    bool asks;               /* its parent */
} kq_group_line;

typedef struct kq_map_group {
    kq_sv name;
    const char *file; /* for errors */
    uint32_t line;
    kq_sv text;
    kq_group_line *lines; /* of `text`; made when the group is first used */
    struct kq_map_group *next;
} kq_map_group;

typedef struct kq_model_table {
    kq_table table;    /* first: each table of a catalog is one of these */
    uint32_t twins[2]; /* columns that are one instant; UINT32_MAX when none */
    uint32_t *others;  /* of each hidden column the one that stands for it; UINT32_MAX when none */
    bool catalogue;    /* a table of Log Analytics as it is there, kq_catalogue_load */
    struct kq_model_table *next;
} kq_model_table;

typedef struct kq_model {
    kq_model_table *tables;
    kq_names *names;
    kq_shape *shapes;
    kq_map_group *groups;
    kq_map *maps;
    bool builtin; /* what is loaded comes with kequel */
} kq_model;

/* Adds what `text` defines to the model; `name` stands in errors. `text` must outlive the model. On an error the model
 * may hold a part of it and is to be given up. Errors: RULE with line and column, NOMEM. */
kq_status kq_model_load(kq_model *model, kq_sv text, const char *name, kq_arena *arena, kq_error *err);

/* Loads all of builtin/ (builtin.c). */
kq_status kq_model_builtin(kq_model *model, kq_arena *arena, kq_error *err);

/* The column that tells old records of event logs from live ones: "_Recovered". */
extern const kq_sv kq_recovered_column;
/* Gives the table that column at its end, before the hidden ones, unless it has one. False without memory. */
bool kq_model_recovered(kq_model *model, kq_model_table *table, kq_arena *arena);

const kq_model_table *kq_model_find(const kq_model *model, kq_sv name);
static inline const kq_model_table *kq_model_table_of(const kq_table *table) {
    return (const kq_model_table *)(const void *)table;
}
/* What stands behind a system name in this shape; NULL when the shape has none. */
const kq_map_expr *kq_shape_find(const kq_shape *shape, kq_sv name);
/* Do the shape's records have a field of maps elsewhere than behind its prefix? */
bool kq_shape_moves(const kq_shape *shape, kq_sv name);
/* Do readers of this name have records of the shape, whatever table they are of? Not those of `rows`. */
bool kq_shape_read_by(const kq_shape *shape, kq_sv reader);
/* The first shape behind `after` (NULL: of all) of rows that this reader gives, and that maps may make rows of `table`
 * of: rows of a table that such shapes have are never made from another one's. NULL: there is none. */
const kq_shape *kq_model_rows(const kq_model *model, const kq_shape *after, kq_sv reader, const kq_table *table);
/* What a column is worth under one map: the product's own value, our inference from the event, or never there. */
typedef enum kq_worth { KQ_WORTH_UNAVAILABLE, KQ_WORTH_DERIVED, KQ_WORTH_EXACT } kq_worth;
kq_worth kq_map_worth(const kq_map *map, uint32_t column);

/* How `map` fills column `column` of its table, or its twin, or the other one of a hidden column; NULL when it does
 * not. */
const kq_map_column *kq_map_find(const kq_model_table *table, const kq_map *map, uint32_t column);
/* The column whose name rows have as a field where no line of a map fills `column`: itself, or the other one of a
 * hidden column. UINT32_MAX: none. */
uint32_t kq_model_field(const kq_model_table *table, uint32_t column);
/* Does `same names` of the map fill the column, which has no line? */
bool kq_map_same_name(const kq_map *map, uint32_t column);

#endif
