/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the drive as sources and sinks of envelopes: from a folder by offsets, over a network in as few requests as there can be. */
#ifndef SCG_CLIENT_DRIVEIO_H
#define SCG_CLIENT_DRIVEIO_H

#include <stdatomic.h>

#include "base/buf.h"
#include "envelope/io.h"
#include "store/store.h"

/* Up to so much comes over a network in one request, into memory; more comes as a stream. An envelope of one segment. */
#define DRIVEIO_SMALL ((size_t)5 << 20)

struct driveio_want {
	const char *id;
	uint64_t size; /* as the ledger or a listing says; 0: the drive is asked */
	bool parts;    /* only a range is read: a request each, nothing in advance */
};
struct driveio_reader {
	struct store *store;
	char id[STORE_ID_LEN + 1];
	uint64_t size;
	uint64_t pos;
	struct buf whole;
	atomic_bool failed; /* an error was the drive's own word, not one of what it gave */
	struct store_stream *stream;
};
/* A long object of a drive behind a network is no seekable source: its manifest comes last. ERR_NOTFOUND where the object is not there;
 * ERR_DAMAGED where it has not the size that it should (or later, from in: a stream tells at its end). o begins as {0}; wipe it in every
 * case. */
int driveio_open(struct driveio_reader *o, struct store *s, const struct driveio_want *want, struct source *in,
    struct err *e) MUST_CHECK;
void driveio_reader_wipe(struct driveio_reader *o);

/* What was read is no object of ours: are these perhaps not the bytes that the drive has, so that it is to be read again? sha256: what they should be, or
 * NULL: what the drive says counts. Where by its own word it has what was read, or has not what it should, it is so; and always in a folder. */
struct driveio_doubt {
	unsigned reads;
	bool asked, has_word;
	uint8_t word[32]; /* the SHA-256 that the drive says; asked for once: by turns with the reading both would meet the same beat of what goes wrong */
};
bool driveio_is_garbled(const struct driveio_reader *o, const uint8_t *sha256, struct driveio_doubt *d);
#define DRIVEIO_READS 12     /* for who says the right word and gives other bytes */
#define DRIVEIO_READS_LONG 3 /* of what is more than DRIVEIO_SMALL, or has no word */

/* A new object under a fresh random id. */
struct driveio_writer {
	char id[STORE_ID_LEN + 1];
	struct store_put *put;
	int64_t committed_s; /* the wall clock when the object could be seen first */
	bool failed;         /* likewise */
	int64_t seen_ms;     /* the monotonic clock when the drive last showed it, by its word that all of it is there too; 0: not yet */
	/* Asked before each write: is it still worth it? A non-zero return ends the writing. NULL: not asked. */
	int (*still)(void *arg, struct err *e);
	void *arg;
};
/* Begins a new object under a fresh id; out writes into it, in order. Wipe in every case. */
int driveio_create(struct driveio_writer *o, struct store *s, struct sink *out, struct err *e) MUST_CHECK;
/* The object appears; or STORE_SPOILED. */
int driveio_commit(struct driveio_writer *o, struct err *e) MUST_CHECK;
/* Is what was committed on the drive now? Asked right before an event names it: a hasty clean-up may have taken it for
 * nobody's. Over a network an answer counts for DRIVEIO_SEEN_MS, so that no other thread waits for it under the session's lock. */
int driveio_is_there(const struct driveio_writer *o, struct store *s, bool *yes, struct err *e) MUST_CHECK;
#define DRIVEIO_SEEN_MS 30000
/* Asks now where asking is slow, unless that word has just come; a missing object is found by driveio_is_there. */
int driveio_look(struct driveio_writer *o, struct store *s, struct err *e) MUST_CHECK;
/* What was not committed never was. */
void driveio_writer_wipe(struct driveio_writer *o);

#endif
