/* SPDX-License-Identifier: Apache-2.0 */
/* Where the objects of an envelope stand: all offsets follow from the plaintext's size. */
#ifndef SCG_ENVELOPE_LAYOUT_H
#define SCG_ENVELOPE_LAYOUT_H

#include <stdbool.h>

#include "envelope/io.h"
#include "envelope/manifest.h"
#include "envelope/object.h"

/* What stock tools show of a long file: they open the first object and pass over the rest. Part of format 1. */
extern const char layout_note[];
size_t layout_note_len(void);

struct layout {
	bool has_note;          /* more than one segment */
	uint64_t count;         /* segments, 1.. */
	uint64_t last_len;      /* plaintext of the last one */
	uint64_t manifest_len;  /* content of the manifest's object; 0: not known yet */
	size_t recipient_len;   /* of the file's RecipientInfo */
	uint64_t note_size, full_size; /* bytes of these objects */
};
/* For size bytes of plaintext, in objects with such a RecipientInfo. */
void layout_make(struct layout *l, uint64_t size, size_t recipient_len);
struct object layout_segment(const struct layout *l, uint64_t i);
struct object layout_manifest(const struct layout *l);
struct object layout_note_object(void);
/* Offsets of whole objects. */
uint64_t layout_segment_off(const struct layout *l, uint64_t i);
uint64_t layout_manifest_off(const struct layout *l);
uint64_t layout_plain_size(const struct layout *l);
uint64_t layout_total(const struct layout *l);
/* Content of a manifest's object for so many segments: more is refused before it is read. */
uint64_t layout_manifest_max(uint64_t count);

/* Finds the objects of a seekable source and checks every header and the tag of every trailer: all that can be said without a key.
 * ERR_DAMAGED names what breaks the format. */
int layout_find(const struct source *in, struct object_file *f, struct layout *l, struct err *e) MUST_CHECK;
/* The same from the first and last headers alone, a few reads for a file of any size: what stands between is not looked at. */
int layout_find_ends(const struct source *in, struct object_file *f, struct layout *l, struct err *e) MUST_CHECK;
/* The header at p may begin an envelope of this format (note, or last segment, with index 0)? A refusal says why not, and says how
 * -unsigned may help if it is well-formed for all that. */
int layout_check_first(const struct object *first, struct err *e) MUST_CHECK;
/* All of data, or ERR_DAMAGED "cut off". */
int layout_read(const struct source *in, void *data, size_t len, uint64_t off, struct err *e) MUST_CHECK;

#endif
