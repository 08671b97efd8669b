/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the segments of one file through all cores: sealing, opening, re-encrypting, or only changing headers. */
#ifndef SCG_ENVELOPE_SEGMENTS_H
#define SCG_ENVELOPE_SEGMENTS_H

#include "envelope/content.h"
#include "envelope/layout.h"
#include "envelope/stream.h"

struct segments {
	const struct content *from, *to;        /* NULL: that side is plaintext */
	bool copy;                              /* contents pass as they are, only headers are new: neither decrypted nor hashed */
	unsigned threads;                       /* 0: all cores */
	void (*progress)(void *arg, uint64_t plain_bytes);
	void *progress_arg;
	const uint8_t (*expected)[32];          /* digests that the segments must have, layout.count of them, or NULL */
	bool part;                              /* of plaintext: only bytes begin to end - 1 leave, only their segments are read (in turn, */
	uint64_t begin, end;                    /* from a feed that stands at the first of them; known, with expected digests) */
	bool known;                             /* layout is known beforehand */
	struct layout layout;                   /* else only has_note, if from; complete afterwards but for the manifest */
	uint8_t (*digests)[32];                 /* found, layout.count of them unless copy or part; owned */
};
/* Releases the digests; safe on {0}. */
void segments_wipe(struct segments *s);

/* The two ends of a run, and the way to go between them. */
struct ends {
	const struct source *in;
	const struct sink *out;         /* NULL: nothing is written */
	bool at_once;                   /* both seekable, and no hash wanted */
	struct feed feed;               /* at the beginning of in; for in_turn */
	struct outlet outlet;
};
/* hash_in, hash_out: the objects' bytes are digested as they pass, which needs their order. Wipe x. */
int ends_init(struct ends *x, const struct source *in, const struct sink *out, bool hash_in, bool hash_out, struct err *e) MUST_CHECK;
void ends_wipe(struct ends *x);
/* segments_at_once or segments_in_turn. */
int ends_run(struct ends *x, struct segments *s, struct err *e) MUST_CHECK;
/* What stands behind the segments: off is used where all is written at once. */
int ends_write(struct ends *x, const struct buf *b, uint64_t off, struct err *e) MUST_CHECK;
/* All is written: size bytes. */
int ends_finish(struct ends *x, uint64_t size, struct err *e) MUST_CHECK;

/* Both ends seekable, layout known: each worker reads and writes at offsets of its own, 256 KiB at a time. With to the note is written
 * too. ERR_DAMAGED names the segment. */
int segments_at_once(struct segments *s, const struct source *in, const struct sink *out, struct err *e) MUST_CHECK;
/* Read in order and written in order (with to: a note before the second segment is known of), whole segments worked on side by side. A segment
 * leaves only when its own tag, and its digest if expected, are right. */
int segments_in_turn(struct segments *s, struct feed *in, struct outlet *out, struct err *e) MUST_CHECK;

#endif
