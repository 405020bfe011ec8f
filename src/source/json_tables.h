/*
 * Results of the query APIs: Log Analytics' {"tables":[{"name":..,"columns":[{"name":..}],"rows":[[..]]}]} and the two
 * frames of Kusto, [{"FrameType":..}, ..] and
 * {"Tables":[{"TableName":..,"Columns":[{"ColumnName":..}],"Rows":[[..]]}]}. A row is an array; the names stand once in
 * front. What engines say about a query (its status, its statistics) are tables too, and are left out. Private to
 * json*.c.
 */
#ifndef KQ_SOURCE_JSON_TABLES_H
#define KQ_SOURCE_JSON_TABLES_H

#include "source/json_split.h"

/* Does a file of results begin like this, p behind the blanks at its start? */
bool kq_json_are_tables(const char *p, const char *end);

/* As kq_json_splitter_feed, for rows: they are extents, and s->columns has the names of their columns, each with a NUL.
 * It stops in front of other columns while there are extents, so that those of one feed have the same. */
void kq_json_tables_feed(kq_json_splitter *s, const char *p, size_t n, kq_buf *extents);

/* Is a row open? */
bool kq_json_tables_open(const kq_json_splitter *s);

/* The value number `at` of a row when it is a string without escapes; "" otherwise. */
kq_sv kq_json_row_text(kq_sv row, uint32_t at);

#endif
