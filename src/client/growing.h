/* SPDX-License-Identifier: Apache-2.0 */
/* A file that one thread writes in order while another one already sends its beginning. */
#ifndef SCG_CLIENT_GROWING_H
#define SCG_CLIENT_GROWING_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What is shorter is sealed sooner than the drive answers, and is sent when it is whole. */
#define GROWING_AHEAD ((uint64_t)64 << 20)

struct growing {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	uint64_t there;  /* bytes that will not change */
	bool ended;      /* all is there and as it should be; or code says what is wrong */
	bool stopped;    /* nobody wants the rest */
	int code;
	struct err why;
};
void growing_init(struct growing *g);
void growing_wipe(struct growing *g);

/* The writer: n more bytes are there. False: give it up. */
bool growing_add(struct growing *g, uint64_t n);
/* The writer, in every case: it is done (code 0), or failed. */
void growing_end(struct growing *g, int code, const struct err *why);
bool growing_is_stopped(struct growing *g);

/* The reader: waits for the bytes before end, and whole: for the writer's end. What went wrong with the writer is what it returns. */
int growing_wait(struct growing *g, uint64_t end, bool whole, struct err *e) MUST_CHECK;
/* The reader needs no more. */
void growing_stop(struct growing *g);

#endif
