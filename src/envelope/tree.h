/* SPDX-License-Identifier: Apache-2.0 */
/* Any CMS file (RFC 5652, 5083, 3274; DER or BER) as a tree of lines, for people to look at: nothing of it is believed. */
#ifndef SCG_ENVELOPE_TREE_H
#define SCG_ENVELOPE_TREE_H

#include "envelope/io.h"

#define TREE_DEPTH_MAX 40           /* of elements in elements; real files have a dozen */
#define TREE_ELEMENTS_MAX 1000000   /* looked at; an element costs a few reads */
#define TREE_SHOWN_MAX 16           /* of things of one kind side by side: the others are counted */

struct tree_line {
	unsigned depth;
	uint64_t off;           /* of the element */
	const char *name;       /* "recipient", a static text */
	const char *value;      /* "" or what it says; control characters are escaped */
};

/* in has read_at. Calls line for each line, also for what stands before a fault. ERR_DAMAGED: no CMS, malformed, cut off, or beyond the
 * bounds above; 0: the whole file is CMS objects one behind the other. Constant memory. */
int tree_walk(const struct source *in, void (*line)(void *arg, const struct tree_line *l), void *arg, struct err *e) MUST_CHECK;

#endif
