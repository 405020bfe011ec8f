/*
 * Forms: EventData and UserData of a template as a list of pieces to be written one after another: as XML, as XML
 * inside a JSON string, and as the JSON of what bag.h makes.
 *
 * All records of a template give the same tags and names around other values. At the second use of a template in a
 * chunk its element is walked once, and what does not change becomes text, already escaped; a record then costs a copy
 * of each piece's text and the writing of its values. A form writes what render.h's walk writes. Elements with
 * something in them that a form can't tell beforehand (templates inside, names that are values) have none, and a record
 * whose values are templates is written by the walk too.
 */
#ifndef KQ_SOURCE_EVTX_FORM_H
#define KQ_SOURCE_EVTX_FORM_H

#include "source/evtx/render.h"

typedef enum kq_evtx_piece_kind {
    KQ_EVTX_PIECE_TEXT,  /* no value follows */
    KQ_EVTX_PIECE_VALUE, /* a value, an array one a line */
    KQ_EVTX_PIECE_WHOLE  /* all that an element holds: repeated for each value of an array */
} kq_evtx_piece_kind;

/* The text at form->text + at, then, unless the value is null, `open`, the value and `close`. These lie one behind the
 * other. */
typedef struct kq_evtx_piece {
    struct kq_evtx_piece *next;
    uint32_t at, ntext;
    uint32_t nopen, nagain, nclose; /* `again` stands between the values of an array */
    uint16_t index;                 /* of the value */
    uint8_t kind;                   /* kq_evtx_piece_kind */
    uint8_t style;                  /* kq_evtx_style */
} kq_evtx_piece;

/* Bytes behind a form's text that may be read. */
#define KQ_EVTX_FORM_SLACK 32u

struct kq_evtx_form {
    const kq_evtx_piece *pieces;
    const char *text;
    uint32_t cost; /* of writing it, without its values */
    bool once;     /* no value is written twice */
};

/* A form under way: the text of its pieces gathers in a buffer. */
typedef struct kq_evtx_form_maker {
    kq_bx *bx;
    kq_buf *text;
    kq_evtx_piece **tail;
    uint32_t at; /* where the text of the next piece starts */
    bool unusual;
} kq_evtx_form_maker;

/* Says that the element has no form; false. */
static inline bool kq_evtx_form_unusual(kq_evtx_form_maker *m) {
    m->unusual = true;
    return false;
}
/* Closes the text so far and adds a piece with it. What is added to m->text next belongs to the piece. NULL without
 * fuel or memory. */
kq_evtx_piece *kq_evtx_piece_start(kq_evtx_form_maker *m, kq_evtx_piece_kind kind, kq_evtx_style style, uint16_t index);
/* The size of what was added since: a part of the piece. */
uint32_t kq_evtx_part_end(kq_evtx_form_maker *m);

/* form_json.c: the pieces of the element's bag as JSON, byte for byte what kq_dyn_json makes of it. False when it can't
 * have them (m->unusual), and without fuel or memory. */
bool kq_evtx_form_bag(kq_evtx_form_maker *m, const kq_bx_element *element);

/* form.c: makes the form of the element; *out is NULL when it can't have one. False without fuel or memory. */
bool kq_evtx_form_make(kq_evtx_render *render, const kq_bx_element *element, kq_evtx_form_kind kind,
                       kq_evtx_form **out);

/* form_write.c: appends frame->plan->data by the plan's form, made at its second use. *taken false, and nothing is
 * appended, when it has none (yet) or a value is a template. False without fuel or memory. */
bool kq_evtx_form_put(kq_evtx_render *render, const kq_evtx_frame *frame, kq_evtx_form_kind kind, kq_buf *out,
                      bool *taken);

#endif
