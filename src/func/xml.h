/*
 * XML documents as dynamics, as parse_xml() of Kusto gives them. Internal to func/.
 *
 * <e a="1">t<b/></e> is {"e":{"@a":"1","#text":"t","b":null}}; children of one name become an array. Declarations,
 * comments and document types are skipped; no entity but the five of XML and character references is known.
 */
#ifndef KQ_FUNC_XML_H
#define KQ_FUNC_XML_H

#include "func/build.h"

/* Elements may be nested so deeply: each may take two levels of a dynamic. */
#define KQ_XML_DEPTH (KQ_DYN_DEPTH / 2 - 1)

/* What a parser keeps between documents, so that it does not allocate for each. */
typedef struct kq_xml {
    kq_buf nodes;  /* xml_node[] */
    kq_buf pool;   /* decoded text */
    kq_buf latest; /* uint32_t: of each name in `names`, the latest child that has it */
    kq_bytes_set names;
} kq_xml;

void kq_xml_init(kq_xml *x, kq_budget *budget);
void kq_xml_deinit(kq_xml *x);

/* Appends the dynamic. False, with `out` as it was, when the text is not well-formed or too deep. Failures of memory
 * are the buffer's. */
bool kq_xml_parse(kq_xml *x, kq_sv text, kq_buf *out);

#endif
