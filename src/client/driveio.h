/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the drive as sources and sinks of envelopes. */
#ifndef SCG_CLIENT_DRIVEIO_H
#define SCG_CLIENT_DRIVEIO_H

#include "envelope/io.h"
#include "store/store.h"

struct driveio_reader {
	struct store *store;
	char id[STORE_ID_LEN + 1];
	uint64_t size; /* as the drive says */
	uint64_t pos;
};
/* ERR_NOTFOUND where the object is not there. */
int driveio_open(
    struct driveio_reader *o, struct store *s, const char *id, struct source *in, struct err *e) MUST_CHECK;

/* A new object under a fresh random id. */
struct driveio_writer {
	char id[STORE_ID_LEN + 1];
	struct store_put *put;
	int64_t committed_s; /* the wall clock when the object could be seen first */
	/* Asked before each write: is it still worth it? A non-zero return ends the writing. NULL: not asked. */
	int (*still)(void *arg, struct err *e);
	void *arg;
};
/* Begins a new object under a fresh id; out writes into it, in order. Wipe in every case. */
int driveio_create(struct driveio_writer *o, struct store *s, struct sink *out, struct err *e) MUST_CHECK;
/* The object appears. */
int driveio_commit(struct driveio_writer *o, struct err *e) MUST_CHECK;
/* Is what was committed on the drive now? Asked right before an event names it: a hasty clean-up may have taken it for
 * nobody's. */
int driveio_is_there(const struct driveio_writer *o, struct store *s, bool *yes, struct err *e) MUST_CHECK;
/* What was not committed never was. */
void driveio_writer_wipe(struct driveio_writer *o);

#endif
