/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one worker: room for a header, a body, room for a trailer. */
#ifndef SCG_ENVELOPE_PIECE_H
#define SCG_ENVELOPE_PIECE_H

#include <stdbool.h>

#include "envelope/object.h"

/* What the copy of a whole segment into a pipe costs, about. The pages of a fresh piece cost 0.1 to 0.4 ms if they are huge and were in use
 * before; small ones, or such that a virtual machine has to ask its host for, 1 to 3 ms. */
#define PIECE_COPY_NS INT64_C(700000)

struct piece {
	uint8_t *mem;
	uint8_t *body;
	size_t cap;             /* of the body, without the trailer */
	size_t mapped;          /* bytes of mem if they are pages of their own, else 0 */
	int64_t cost_ns;        /* of its pages, processor time */
	bool given;             /* its pages have left: it must not be written to again, only wiped */
	struct object o;
};
/* For a body of cap bytes; used over and over again. Wipe it. */
void piece_init(struct piece *p, size_t cap);
/* For a whole segment, in pages of its own that may be given away: huge ones, if the system has them. Wipe it. */
void piece_map(struct piece *p);
/* Releases all but p->o; safe on {0}. */
void piece_wipe(struct piece *p);
/* Chooses where in mem the body stands, for speed: its first byte comes from in_off of the input and goes to out_off of the output. */
void piece_place(struct piece *p, uint64_t in_off, uint64_t out_off);

#endif
