/* SPDX-License-Identifier: Apache-2.0 */
/* Work on several files at once: each worker has a connection of its own, the session is shared under its lock. */
#ifndef SCG_CLIENT_WORKER_H
#define SCG_CLIENT_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "client/session.h"

#define WORKERS_MAX 32
#define WORKERS_DEFAULT 4

struct worker {
	struct session *session;
	struct fetch *fetch; /* its own; NULL offline */
	unsigned threads;    /* for envelopes: 0 all cores */
	struct progress *progress;
};

/* A run over n items. */
struct worker_job {
	const char *verb; /* "upload": of the progress bar */
	uint64_t bytes;   /* in all, 0: not known */
	unsigned workers; /* 0: WORKERS_DEFAULT */
	unsigned threads; /* for the envelope of each item; 0: the cores are shared out */
	size_t n;
	void *arg;
	const char *(*name)(void *arg, size_t i);
	/* 0, or the item's error: the others go on, unless several in a row were refused or did not reach the gateway.
	 * result is shown behind the name and may be changed; it has room for WORKER_RESULT_MAX bytes. */
	int (*f)(void *arg, struct worker *w, size_t i, char *result, struct err *e);
	/* Takes the failures, one at a time, instead of lines on standard error; then nothing is said of success
	 * either. NULL: lines. */
	void (*failed)(void *arg, size_t i, const struct err *e);
};
#define WORKER_RESULT_MAX 160

/* 0 when all items went well. Else the gravest error (damaged, refused, unreachable, others), which names its item and
 * how many failed; each failure has had its line before when there are several items. *failed (may be NULL) counts
 * them, and those never begun. */
int worker_run(struct session *s, const struct worker_job *job, size_t *failed, struct err *e) MUST_CHECK;

/* envelope_seal.progress and kin; arg is the worker. */
void worker_progress(void *arg, uint64_t bytes);

#endif
